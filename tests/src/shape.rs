//! The shape of the workspace: who may depend on whom, and which crate alone may name what.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

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

/// Each of our packages with what it names outside of its tests, as `cargo metadata` tells it.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        let named = all.filter(|d| d["kind"] != "dev").map(|d| text(&d["name"]));
        (text(&package["name"]), named.collect())
    };
    metadata["packages"].as_array().unwrap().iter().map(of).filter(|(name, _)| name != "evoke-tests").collect()
}

#[test]
fn dependencies_point_one_way() {
    let found = dependencies();
    let named: BTreeSet<&str> = DIRECTIONS.iter().map(|d| d.0).collect();
    assert_eq!(
        found.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        named,
        "a crate without a place in the table"
    );
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
            let home = ONE_HOME
                .iter()
                .find(|(prefix, _)| dependency == prefix || dependency.starts_with(&format!("{prefix}-")));
            if let Some((prefix, home)) = home {
                assert_eq!(name, *home, "{prefix} belongs to {home}");
            }
            assert!(!NOWHERE.contains(&dependency.as_str()), "{name} names {dependency}");
        }
    }
}

/// The pages run in a browser too, so what knows the window is in one folder.
#[test]
fn only_the_api_of_the_ui_imports_tauri() {
    let ui = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src");
    let (mut folders, mut importers) = (vec![ui.clone()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains("@tauri-apps")) {
                importers.insert(path.strip_prefix(&ui).unwrap().components().next().unwrap().as_os_str().to_owned());
            }
        }
    }
    assert_eq!(importers.iter().collect::<Vec<_>>(), ["api"]);
}
