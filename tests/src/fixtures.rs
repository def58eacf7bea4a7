//! Real export files of others: counted, imported twice, broken, all the way into an archive.

use crate::archive::{self, files, fixtures};
use evoke_memory::{ImportOptions, Watch};
use std::path::PathBuf;

/// Read file by file; the others folder by folder, and bit by bit by the importing crate's own fuzzing.
const FORMATS: [&str; 5] = ["chatgpt", "claude_ai", "whatsapp", "telegram", "markdown"];

/// What is imported as one: a file, or a folder of Markdown.
fn exports(format: &str) -> Vec<PathBuf> {
    let is_export = |p: &PathBuf| {
        let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !(name == "SOURCES.md" || name.starts_with("LICENSE") || name.ends_with(".tsv"))
    };
    if format == "markdown" {
        return std::fs::read_dir(fixtures(format)).unwrap().flatten().map(|e| e.path()).filter(is_export).collect();
    }
    files(&fixtures(format)).into_iter().filter(is_export).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn importing_again_adds_nothing() {
    for format in FORMATS {
        let (_folder, memory) = archive::fresh().await;
        let paths = exports(format);
        assert!(!paths.is_empty(), "no fixtures of {format}");
        for path in &paths {
            let first = archive::import(&memory, std::slice::from_ref(path)).await;
            let again = archive::import(&memory, std::slice::from_ref(path)).await;
            let name = path.display();
            assert!(first.seen > 0, "{name}: nothing seen");
            assert_eq!((again.added, again.updated), (0, 0), "{name}");
            assert_eq!(again.duplicate, first.added + first.updated + first.duplicate, "{name}");
            assert_eq!((again.skipped, again.failed), (first.skipped, first.failed), "{name}");
        }
        let status = memory.status().await.unwrap();
        assert_eq!(status.index.percent, 100);
    }
}

/// Every folder of samples, as a person would choose it.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_export_is_accounted_for_and_adds_nothing_the_second_time() {
    let (_folder, memory) = archive::fresh().await;
    let words = ImportOptions { words_only: true, ..ImportOptions::default() };
    let mut all: Vec<PathBuf> = std::fs::read_dir(fixtures("")).unwrap().flatten().map(|e| e.path()).collect();
    all.retain(|path| path.is_dir() && !path.ends_with("LICENSES"));
    all.sort();
    assert!(all.len() > 30);
    for path in all {
        let import = async || memory.import(std::slice::from_ref(&path), &words, &Watch::default()).await;
        let name = path.display();
        let (first, again) = (import().await.unwrap(), import().await.unwrap());
        assert!(first.adds_up() && first.added > 0, "{name}: {first:?}");
        assert_eq!((again.added, again.updated), (0, 0), "{name}");
        assert_eq!((again.skipped, again.failed), (first.skipped, first.failed), "{name}");
        assert_eq!(again.seen, first.seen, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_every_import_leaves_nothing() {
    let (_folder, memory) = archive::fresh().await;
    let empty = memory.digest().await.unwrap();
    let words = ImportOptions { words_only: true, ..ImportOptions::default() };
    let mut states = vec![empty.clone()];
    for path in FORMATS.iter().flat_map(|format| exports(format).into_iter().take(2)) {
        memory.import(&[path], &words, &Watch::default()).await.unwrap();
        states.push(memory.digest().await.unwrap());
    }
    let imports = states.len() as u64 - 1;
    // The last ones one after the other; the rest from the first on.
    for import in [imports, imports - 1] {
        states.pop();
        memory.undo_import(import).await.unwrap();
        assert_eq!(memory.digest().await.unwrap(), *states.last().unwrap(), "import {import}");
    }
    for import in 1..imports - 1 {
        memory.undo_import(import).await.unwrap();
    }
    assert_eq!(memory.digest().await.unwrap(), empty);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_copy_costs_only_what_is_broken() {
    let scratch = tempfile::tempdir().unwrap();
    for format in FORMATS {
        for path in exports(format).into_iter().filter(|p| p.is_file()) {
            let bytes = std::fs::read(&path).unwrap();
            let name = path.file_name().unwrap();
            let mut flipped = bytes.clone();
            let middle = flipped.len() / 2;
            flipped[middle] ^= 0x55;
            let utf16: Vec<u8> = [0xff, 0xfe]
                .into_iter()
                .chain(String::from_utf8_lossy(&bytes).encode_utf16().flat_map(u16::to_le_bytes))
                .collect();
            for (how, broken) in [("cut", bytes[..middle].to_vec()), ("flipped", flipped), ("utf16", utf16)] {
                let copy = scratch.path().join(name);
                std::fs::write(&copy, &broken).unwrap();
                let (_folder, memory) = archive::fresh().await;
                // Either a clear error, or a receipt that adds up and is not an empty success.
                let words = ImportOptions { words_only: true, ..ImportOptions::default() };
                match memory.import(&[copy], &words, &Watch::default()).await {
                    Err(error) => assert!(!error.trouble().message.is_empty()),
                    Ok(receipt) => {
                        assert!(receipt.adds_up(), "{how} {}: {receipt:?}", path.display());
                        assert!(receipt.seen > 0 || !receipt.notes.is_empty(), "{how} {}: {receipt:?}", path.display());
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_export_adds_what_is_new_and_updates_what_was_edited() {
    let (folder, memory) = archive::fresh().await;
    let first = archive::chat(folder.path(), "talk", &[(0, "Ana", "one"), (1, "Jonas", "two"), (2, "Ana", "three")]);
    assert_eq!(archive::import(&memory, &[first]).await.added, 3);
    let newer = archive::chat(
        folder.path(),
        "talk",
        &[(0, "Ana", "one"), (1, "Jonas", "two, corrected"), (2, "Ana", "three"), (3, "Ana", "four")],
    );
    let receipt = archive::import(&memory, &[newer]).await;
    assert_eq!((receipt.added, receipt.updated, receipt.duplicate), (1, 1, 2));
    assert_eq!(archive::texts(&archive::find(&memory, "corrected").await)[0], "two, corrected");
    assert_eq!(memory.status().await.unwrap().archive.messages, 4);
}
