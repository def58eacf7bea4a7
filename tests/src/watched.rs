//! Watched folders: what changes there is found here within seconds, also what changed while nobody looked.

use crate::archive::{self, find};
use evoke_memory::{Memory, Watch, message::WatchedKind};
use std::{
    path::Path,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(10);

async fn hits(memory: &Memory, word: &str) -> u64 {
    find(memory, &format!("\"{word}\"")).await.messages
}

/// Waits until a word is found so often, and no longer than ten seconds.
async fn until(memory: &Memory, word: &str, expected: u64) {
    let began = Instant::now();
    while hits(memory, word).await != expected {
        assert!(began.elapsed() < SOON, "{word}: {} found, {expected} expected", hits(memory, word).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn put(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Keeps up in the background until stopped.
fn keeping_up(memory: &Memory) -> (Watch, tokio::task::JoinHandle<()>) {
    let (watch, memory) = (Watch::default(), memory.clone());
    let stop = watch.clone();
    let work = tokio::spawn(async move { memory.keep_up(&watch).await.unwrap() });
    (stop, work)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_followed_in_everything() {
    let (folder, memory) = archive::fresh().await;
    let vault = folder.path().join("Vault");
    std::fs::create_dir_all(vault.join(".obsidian")).unwrap();
    put(&vault, "harbour.md", "The boat lies in the lagoon.");
    put(&vault, "stays.md", "A kettle stands there.");
    // It was imported by hand before.
    archive::import(&memory, std::slice::from_ref(&vault)).await;
    memory.add_watched(&vault, &Watch::default()).await.unwrap();
    let watched = memory.watched().unwrap();
    assert_eq!((watched[0].kind, watched[0].files, watched[0].trouble.clone()), (WatchedKind::Notes, 2, None));
    assert_eq!(memory.add_watched(&vault, &Watch::default()).await.unwrap_err().kind(), "bad_query");

    let (stop, work) = keeping_up(&memory);
    put(&vault, "harbour.md", "The boat lies in the fjord.");
    until(&memory, "fjord", 1).await;
    until(&memory, "lagoon", 0).await;
    put(&vault, "new.md", "An almond tree.");
    until(&memory, "almond", 1).await;
    std::fs::rename(vault.join("new.md"), vault.join("renamed.md")).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    until(&memory, "almond", 1).await;
    let began = Instant::now();
    while find(&memory, "almond").await.hits[0].message.title != "renamed" {
        assert!(began.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::fs::remove_file(vault.join("renamed.md")).unwrap();
    until(&memory, "almond", 0).await;
    assert_eq!(hits(&memory, "kettle").await, 1);
    stop.stop();
    work.await.unwrap();

    // While nobody looked.
    put(&vault, "stays.md", "A postcard stands there.");
    std::fs::remove_file(vault.join("harbour.md")).unwrap();
    let (stop, work) = keeping_up(&memory);
    until(&memory, "postcard", 1).await;
    until(&memory, "kettle", 0).await;
    until(&memory, "fjord", 0).await;
    let receipts = memory.receipts().await.unwrap();
    assert_eq!(receipts.len(), 2, "one import, however often it is read");
    assert!(receipts[0].adds_up(), "{:?}", receipts[0]);
    assert_eq!(memory.undo_import(receipts[0].import).await.unwrap_err().kind(), "bad_query");
    stop.stop();
    work.await.unwrap();

    // A note that is damaged for a while is not gone.
    std::fs::write(vault.join("stays.md"), [0u8, 1, 2, 0, 255].repeat(50)).unwrap();
    let (stop, work) = keeping_up(&memory);
    let began = Instant::now();
    while memory.receipts().await.unwrap()[0].failed == 0 {
        assert!(began.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(hits(&memory, "postcard").await, 1);
    stop.stop();
    work.await.unwrap();
    put(&vault, "stays.md", "A postcard stands there.");

    // A folder that is away for a while takes nothing with it.
    std::fs::rename(&vault, folder.path().join("away")).unwrap();
    let (stop, work) = keeping_up(&memory);
    let began = Instant::now();
    while memory.watched().unwrap()[0].trouble.is_none() {
        assert!(began.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(hits(&memory, "postcard").await, 1);
    stop.stop();
    work.await.unwrap();
    memory.remove_watched(&vault).unwrap();
    assert_eq!((memory.watched().unwrap().len(), hits(&memory, "postcard").await), (0, 1), "what was read stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_that_are_dropped_are_read_and_kept() {
    let (folder, memory) = archive::fresh().await;
    let drop = folder.path().join("drop");
    std::fs::create_dir(&drop).unwrap();
    memory.add_watched(&drop, &Watch::default()).await.unwrap();
    let (stop, work) = keeping_up(&memory);
    archive::chat(&drop, "first", &[(0, "Ana", "a lighthouse")]);
    until(&memory, "lighthouse", 1).await;
    archive::chat(&drop, "second one", &[(0, "Ana", "a windmill"), (1, "Jonas", "where")]);
    until(&memory, "windmill", 1).await;
    put(&drop, "unknown.bin", "\u{0}\u{1}\u{2}");
    std::fs::remove_file(drop.join("first.json")).unwrap();
    let began = Instant::now();
    while memory.watched().unwrap()[0].trouble.is_none() {
        assert!(began.elapsed() < SOON, "what cannot be read is told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(hits(&memory, "lighthouse").await, 1, "an export that is cleared away is kept");
    stop.stop();
    work.await.unwrap();
    let receipt = memory.receipts().await.unwrap().remove(0);
    assert!(receipt.adds_up(), "{receipt:?}");
    assert_eq!((receipt.seen, receipt.added), (3, 3), "{receipt:?}");
}
