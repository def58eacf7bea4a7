//! Making, opening and protecting a Home.

use crate::{home, snapshot};
use evoke_vault::{Protection, Secret, Vault, VaultError};
use std::path::Path;

const WORDS: Secret = Secret::Passphrase("correct horse");

/// Opening fails as expected and changes nothing.
#[track_caller]
fn check_refused(root: &Path, secret: Secret, expected: impl Fn(&VaultError) -> bool) {
    let before = snapshot(root);
    for attempt in [Vault::open(root, secret), Vault::create(root, secret)] {
        let error = attempt.expect_err("must be refused");
        assert!(expected(&error), "{error:?}");
    }
    assert_eq!(snapshot(root), before);
}

fn is_wrong_key(error: &VaultError) -> bool {
    matches!(error, VaultError::WrongKey)
}

fn is_damaged(error: &VaultError) -> bool {
    matches!(error, VaultError::Damaged { .. })
}

fn is_missing(error: &VaultError) -> bool {
    matches!(error, VaultError::KeyMissing { .. })
}

#[test]
fn a_home_with_a_key_file_opens_again_and_only_with_its_key() {
    let (root, vault, _store) = home();
    vault.write_sealed("settings", b"plain").unwrap();
    assert!(Vault::exists(root.path()));
    for secret in [Secret::Auto, Secret::KeyFile] {
        let again = Vault::open(root.path(), secret).unwrap();
        assert_eq!(again.protection(), Protection::KeyFile);
        assert_eq!(again.read_sealed("settings").unwrap().unwrap(), b"plain");
    }
    check_refused(root.path(), WORDS, |error| matches!(error, VaultError::Other(_)));

    let (other, _, _) = home();
    std::fs::copy(other.path().join("key"), root.path().join("key")).unwrap();
    check_refused(root.path(), Secret::Auto, is_wrong_key);
    std::fs::remove_file(root.path().join("key")).unwrap();
    check_refused(root.path(), Secret::Auto, is_missing);
}

#[test]
fn a_passphrase_home_is_locked_without_it() {
    let root = tempfile::tempdir().unwrap();
    let vault = Vault::create(root.path(), WORDS).unwrap();
    vault.write_sealed("settings", b"plain").unwrap();
    assert_eq!(vault.protection(), Protection::Passphrase);
    for secret in [Secret::Auto, Secret::KeyFile, Secret::Keychain] {
        check_refused(root.path(), secret, |error| matches!(error, VaultError::Locked));
    }
    check_refused(root.path(), Secret::Passphrase("correct hors"), is_wrong_key);
    let again = Vault::create(root.path(), WORDS).unwrap();
    assert_eq!(again.read_sealed("settings").unwrap().unwrap(), b"plain");
}

#[test]
fn a_new_passphrase_rewrites_home_key_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let vault = Vault::create(root.path(), WORDS).unwrap();
    vault.write_sealed("settings", b"plain").unwrap();
    let before = snapshot(root.path());
    assert!(matches!(vault.change_passphrase("wrong", "new"), Err(VaultError::WrongKey)));
    assert!(matches!(vault.change_passphrase("correct horse", ""), Err(VaultError::Other(_))));
    assert_eq!(snapshot(root.path()), before);

    vault.change_passphrase("correct horse", "battery staple").unwrap();
    let after = snapshot(root.path());
    let changed: Vec<_> = after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)).collect();
    assert_eq!(changed.len(), 1);
    assert!(changed[0].0.ends_with("home.key") && before.len() == after.len());
    check_refused(root.path(), WORDS, is_wrong_key);
    let again = Vault::open(root.path(), Secret::Passphrase("battery staple")).unwrap();
    assert_eq!(again.read_sealed("settings").unwrap().unwrap(), b"plain");
}

#[test]
fn protection_can_be_changed_there_and_back() {
    let (root, vault, _store) = home();
    vault.write_sealed("settings", b"plain").unwrap();
    vault.change_protection(WORDS).unwrap();
    assert_eq!(vault.clone().protection(), Protection::Passphrase);
    assert!(!root.path().join("key").exists(), "the key file would still open what it no longer protects");
    check_refused(root.path(), Secret::Auto, |error| matches!(error, VaultError::Locked));
    Vault::open(root.path(), WORDS).unwrap().change_protection(Secret::KeyFile).unwrap();
    let again = Vault::open(root.path(), Secret::Auto).unwrap();
    again.change_protection(Secret::KeyFile).unwrap();
    let again = Vault::open(root.path(), Secret::Auto).unwrap();
    assert_eq!(again.read_sealed("settings").unwrap().unwrap(), b"plain");
}

#[test]
fn no_key_is_made_over_sealed_files() {
    let (root, vault, _store) = home();
    assert!(matches!(Vault::open(&root.path().join("none"), Secret::Auto), Err(VaultError::NoHome { .. })));
    vault.write_sealed("deep/settings", b"plain").unwrap();
    std::fs::remove_file(root.path().join("home.key")).unwrap();
    assert!(!Vault::exists(root.path()));
    for secret in [Secret::Auto, Secret::KeyFile, WORDS] {
        check_refused(root.path(), secret, is_missing);
    }
    std::fs::remove_file(root.path().join("deep/settings")).unwrap();
    std::fs::write(root.path().join("notes.txt"), b"somebody's").unwrap();
    Vault::create(root.path(), Secret::KeyFile).unwrap();
}

#[test]
fn an_altered_home_key_opens_nothing() {
    let root = tempfile::tempdir().unwrap();
    Vault::create(root.path(), WORDS).unwrap();
    let path = root.path().join("home.key");
    let good = std::fs::read_to_string(&path).unwrap();
    type Refusal = fn(&VaultError) -> bool;
    for (from, to, expected) in [
        ("\"memory_kib\": 65536", "\"memory_kib\": 8", is_damaged as Refusal),
        ("\"passes\": 3", "\"passes\": 1000", is_damaged),
        ("\"passes\": 3", "\"passes\": 2", is_wrong_key),
        ("\"wrapped\": \"", "\"wrapped\": \"00", is_wrong_key),
        ("\"check\": \"", "\"check\": \"00", is_damaged),
        ("\"version\": 1", "\"version\": 2", |error| matches!(error, VaultError::Other(_))),
        ("{", "", is_damaged),
    ] {
        assert!(good.contains(from), "{from}");
        std::fs::write(&path, good.replacen(from, to, 1)).unwrap();
        check_refused(root.path(), WORDS, expected);
    }
    std::fs::write(&path, good).unwrap();
    Vault::open(root.path(), WORDS).unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join("new/home");
    let vault = Vault::create(&home, Secret::KeyFile).unwrap();
    vault.write_sealed("settings", b"plain").unwrap();
    let mode = |name: &str| std::fs::metadata(home.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("key"), mode("home.key"), mode("settings")), (0o700, 0o600, 0o600, 0o600));

    for exposed in [0o640, 0o604, 0o622] {
        std::fs::set_permissions(home.join("key"), PermissionsExt::from_mode(exposed)).unwrap();
        check_refused(&home, Secret::Auto, |error| {
            matches!(error, VaultError::KeyFileExposed { .. }) && error.to_string().contains("chmod 600")
        });
    }
}

#[test]
fn all_who_create_at_once_share_one_key() {
    let root = tempfile::tempdir().unwrap();
    let makers = [(); 6].map(|()| {
        let root = root.path().to_path_buf();
        std::thread::spawn(move || Vault::create(&root, Secret::KeyFile).unwrap())
    });
    let vaults = makers.map(|maker| maker.join().unwrap());
    let sealed = vaults[0].seal(b"shared", "name").unwrap();
    for vault in &vaults {
        assert_eq!(vault.unseal(&sealed, "name").unwrap(), b"shared");
    }
    assert_eq!(snapshot(root.path()).len(), 2);
}

#[test]
fn sealed_names_stay_inside_and_keep_off_the_key() {
    let (_root, vault, _store) = home();
    for name in ["", "..", "../outside", "/absolute", "a/../../b", "./a", "key", "home.key"] {
        assert!(vault.write_sealed(name, b"").is_err(), "{name}");
        assert!(vault.read_sealed(name).is_err(), "{name}");
        assert!(vault.object_store(name).is_err(), "{name}");
    }
    assert_eq!(vault.read_sealed("never/written").unwrap(), None);
}

#[test]
fn the_key_is_not_printed() {
    let (root, vault, _store) = home();
    let key = std::fs::read_to_string(root.path().join("key")).unwrap();
    assert!(!format!("{vault:?}").contains(key.trim()));
}
