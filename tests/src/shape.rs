//! The shape of the workspace: who may depend on whom, and which crate alone may name what.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// `crate → crates of ours it may depend on` (README, code map).
const DIRECTIONS: [(&str, &[&str]); 8] = [
    ("evoke-message", &[]),
    ("evoke-import", &["evoke-message"]),
    ("evoke-embed", &[]),
    ("evoke-vault", &[]),
    ("evoke-store", &["evoke-message", "evoke-vault"]),
    ("evoke-memory", &["evoke-message", "evoke-import", "evoke-embed", "evoke-store"]),
    ("evoke-cli", &["evoke-memory"]),
    ("evoke-desktop", &["evoke-memory"]),
];

/// `prefix of a package → the only crate that may name it`.
const ONE_HOME: [(&str, &str); 17] = [
    ("lance", "evoke-store"),
    ("arrow", "evoke-store"),
    ("candle", "evoke-embed"),
    ("tokenizers", "evoke-embed"),
    ("chacha20poly1305", "evoke-vault"),
    ("aes-gcm", "evoke-vault"),
    ("argon2", "evoke-vault"),
    ("keyring", "evoke-vault"),
    ("clap", "evoke-cli"),
    ("indicatif", "evoke-cli"),
    ("rmcp", "evoke-cli"),
    ("tauri", "evoke-desktop"),
    ("directories", "evoke-memory"),
    ("seccompiler", "evoke-memory"),
    ("rust-stemmers", "evoke-memory"),
    ("zip", "evoke-import"),
    ("encoding_rs", "evoke-import"),
];

/// HTTP clients and servers: none of our crates may name one.
const NOWHERE: [&str; 6] = ["reqwest", "hyper", "ureq", "curl", "isahc", "axum"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let of = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        (package.name.to_string(), normal.map(|d| d.name.clone()).collect())
    };
    metadata.packages.iter().filter(|p| p.name.as_str() != "evoke-tests").map(of).collect()
}

#[test]
fn dependencies_point_one_way() {
    let found = dependencies();
    let named: BTreeSet<&str> = DIRECTIONS.iter().map(|d| d.0).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), named, "a crate without a place in the table");
    for (name, allowed) in DIRECTIONS {
        let ours: BTreeSet<&str> = found[name].iter().map(String::as_str).filter(|d| d.starts_with("evoke-")).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(ours.is_subset(&allowed), "{name} depends on {ours:?}, allowed is {allowed:?}");
    }
}

#[test]
fn heavy_packages_have_one_home() {
    for (name, dependencies) in dependencies() {
        for dependency in &dependencies {
            let home = ONE_HOME.iter().find(|(prefix, _)| dependency == prefix || dependency.starts_with(&format!("{prefix}-")));
            if let Some((prefix, home)) = home {
                assert_eq!(name, *home, "{prefix} belongs to {home}");
            }
            assert!(!NOWHERE.contains(&dependency.as_str()), "{name} names {dependency}");
        }
    }
}
