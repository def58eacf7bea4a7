//! Notes out of the apps that keep them: the published fixtures, and samples written from the formats'
//! descriptions for what those lack (`tests/fixtures/<format>/`).

use crate::reading::{fixture, items, options, shown};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

fn folders(name: &str) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(fixture(name))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| file != "SOURCES.md")
        .collect();
    all.sort();
    all
}

/// A copy whose files were all changed on 1 March 2024: for notes whose time is that of their file.
fn dated(path: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join(path.file_name().unwrap());
    copy(path, &target);
    (folder, target)
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::write(to, fs::read(from).unwrap()).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_290_800);
        File::options().write(true).open(to).unwrap().set_modified(changed).unwrap();
    }
}

/// Each file by itself: what came of it, or why it was refused.
fn each(format: &str) -> String {
    let mut out = String::new();
    for file in folders(format) {
        let (_kept, path) = dated(&fixture(&format!("{format}/{file}")));
        let read = items(&path, &options());
        out += &match read {
            Ok(items) => format!("== {file}\n{}", shown(&items)),
            Err(error) => format!("== {file}\n! {error}\n"),
        };
    }
    out
}

#[test]
fn fixtures_of_evernote() {
    insta::assert_snapshot!(each("evernote"));
}

#[test]
fn fixtures_of_keep() {
    insta::assert_snapshot!(each("keep"));
}

#[test]
fn fixtures_of_apple_journal() {
    insta::assert_snapshot!(each("apple_journal"));
}

#[test]
fn fixtures_of_notion() {
    insta::assert_snapshot!(each("notion"));
}

#[test]
fn fixtures_of_bear_and_textbundle() {
    insta::assert_snapshot!(each("bear"));
}

#[test]
fn fixtures_of_roam() {
    insta::assert_snapshot!(each("roam"));
}

#[test]
fn fixtures_of_org() {
    insta::assert_snapshot!(each("org"));
}
