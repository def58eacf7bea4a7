//! The real system keychain. Ignored, since it writes to the keychain of whoever runs it; on Linux:
//! `dbus-run-session -- sh -c 'printf x | gnome-keyring-daemon --unlock && cargo test -p evoke-vault keychain:: -- --ignored'`

use evoke_vault::{Protection, Secret, Vault, VaultError};

#[test]
#[ignore = "needs a system keychain"]
fn a_home_in_the_keychain_opens_until_its_entry_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let vault = Vault::create(root.path(), Secret::Auto).unwrap();
    assert_eq!(vault.protection(), Protection::Keychain);
    vault.write_sealed("settings", b"plain").unwrap();
    let home_key = std::fs::read(root.path().join("home.key")).unwrap();

    let again = Vault::open(root.path(), Secret::Keychain).unwrap();
    assert_eq!(again.read_sealed("settings").unwrap().unwrap(), b"plain");
    again.change_protection(Secret::KeyFile).unwrap();
    assert_eq!(Vault::open(root.path(), Secret::Auto).unwrap().protection(), Protection::KeyFile);

    // The change removed the entry; the old `home.key` wants it.
    std::fs::write(root.path().join("home.key"), home_key).unwrap();
    let refused = Vault::open(root.path(), Secret::Auto);
    assert!(matches!(refused, Err(VaultError::KeychainUnavailable { .. })));
}
