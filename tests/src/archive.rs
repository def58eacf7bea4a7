//! A temporary archive and exports for the tests. The real model, the real database, a real folder.

use evoke_memory::{
    ImportOptions, Memory, Options, Watch,
    message::{Found, Query, Receipt},
};
use jiff::tz::TimeZone;
use serde_json::json;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// 21 November 2026, noon UTC.
pub(crate) const NOW: i64 = 1_795_262_400_000;

pub(crate) fn options(home: &Path, write: bool) -> Options {
    let mut options = Options::new(home.to_owned(), write);
    options.keychain = false;
    options.zone = TimeZone::UTC;
    options.clock = || NOW;
    options
}

pub(crate) async fn open(home: &Path) -> Memory {
    Memory::open(options(home, true)).await.unwrap()
}

/// An empty archive in a folder that goes when the first part is dropped.
pub(crate) async fn fresh() -> (TempDir, Memory) {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(&folder.path().join("home")).await;
    (folder, memory)
}

pub(crate) async fn import(memory: &Memory, paths: &[PathBuf]) -> Receipt {
    let receipt = memory.import(paths, &ImportOptions::default(), &Watch::default()).await.unwrap();
    assert!(receipt.adds_up(), "{receipt:?}");
    receipt
}

pub(crate) async fn find(memory: &Memory, text: &str) -> Found {
    memory.search(&Query { text: text.to_owned(), ..Query::default() }).await.unwrap()
}

pub(crate) fn texts(found: &Found) -> Vec<&str> {
    found.hits.iter().map(|h| h.message.text.as_str()).collect()
}

/// A Telegram export of one chat: `(minutes after 1 May 2023, who, text)`.
pub(crate) fn chat(folder: &Path, name: &str, lines: &[(i64, &str, &str)]) -> PathBuf {
    let start = 1_682_899_200;
    let messages: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(i, (minute, who, text))| {
            json!({"id": i + 1, "type": "message", "date": "2023-05-01T00:00:00",
                   "date_unixtime": (start + minute * 60).to_string(), "from": who, "from_id": format!("user{who}"), "text": text})
        })
        .collect();
    let path = folder.join(format!("{name}.json"));
    let export = json!({"name": name, "type": "personal_chat", "id": name.len(), "messages": messages});
    std::fs::write(&path, export.to_string()).unwrap();
    path
}

/// The folder of a format's fixtures.
pub(crate) fn fixtures(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format)
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}
