//! What holds between processes. The test binary starts itself: a child runs one ignored test, told
//! apart by the folder in its environment.

use crate::{home, snapshot};
use evoke_vault::{Protection, Secret, Vault, VaultError};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, PutMode};
use std::process::{Child, Command, Stdio};

const FOLDER: &str = "EVOKE_VAULT_TEST_FOLDER";
const ROUNDS: usize = 50;

fn folder() -> std::path::PathBuf {
    std::env::var_os(FOLDER).expect("only started by another test").into()
}

fn child(test: &str, folder: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("processes::{test}"), "--ignored", "--nocapture"]).env(FOLDER, folder);
    command
}

#[tokio::test]
async fn of_two_processes_one_creates_each_file() {
    let (root, _vault, store) = home();
    let racers: Vec<Child> =
        (0..2).map(|_| child("create_files", root.path()).stdout(Stdio::piped()).spawn().unwrap()).collect();
    let mut won = 0;
    for racer in racers {
        let output = racer.wait_with_output().unwrap();
        assert!(output.status.success());
        won += String::from_utf8(output.stdout).unwrap().matches("created").count();
    }
    assert_eq!(won, ROUNDS);
    for round in 0..ROUNDS {
        let head = store.head(&Path::from(format!("{round}"))).await.unwrap();
        assert_eq!(head.size, 5000);
    }
}

#[tokio::test]
#[ignore = "started by of_two_processes_one_creates_each_file"]
#[allow(clippy::print_stdout)]
async fn create_files() {
    let store = Vault::open(&folder(), Secret::Auto).unwrap().object_store("db").unwrap();
    for round in 0..ROUNDS {
        let at = Path::from(format!("{round}"));
        match store.put_opts(&at, vec![7; 5000].into(), PutMode::Create.into()).await {
            Ok(_) => println!("created {round}"),
            Err(Error::AlreadyExists { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Linux alone lets a process be cut off from its keychain.
#[cfg(target_os = "linux")]
#[test]
fn without_a_keychain_auto_takes_a_key_file_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let mut child = child("no_keychain", root.path());
    let status = child.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent").status().unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "started by without_a_keychain_auto_takes_a_key_file_and_says_so"]
fn no_keychain() {
    let unavailable = |error: &VaultError| matches!(error, VaultError::KeychainUnavailable { .. });
    let root = folder();
    assert!(unavailable(&Vault::create(&root, Secret::Keychain).unwrap_err()));
    assert!(snapshot(&root).is_empty(), "nothing is left of the attempt");
    assert_eq!(Vault::create(&root, Secret::Auto).unwrap().protection(), Protection::KeyFile);

    // A Home whose keychain has gone.
    let path = root.join("home.key");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"key_file\"", "\"keychain\"")).unwrap();
    let before = snapshot(&root);
    for secret in [Secret::Auto, Secret::Keychain] {
        assert!(unavailable(&Vault::open(&root, secret).unwrap_err()));
        assert!(unavailable(&Vault::create(&root, secret).unwrap_err()));
    }
    assert_eq!(snapshot(&root), before);
}
