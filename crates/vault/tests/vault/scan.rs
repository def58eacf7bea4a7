//! No word that was stored can be found on disk, and the scan that says so does find words.

use crate::{home, snapshot};
use object_store::ObjectStore;
use object_store::ObjectStoreExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use std::sync::Arc;

const WORD: &str = "Rhabarberkompott";

async fn write(store: &dyn ObjectStore) {
    let page = format!("so wie {WORD} bei Oma ").repeat(5000);
    store.put(&Path::from("put"), page.clone().into()).await.unwrap();
    let mut upload = store.put_multipart(&Path::from("parts")).await.unwrap();
    for _ in 0..3 {
        upload.put_part(page.clone().into()).await.unwrap();
    }
    upload.complete().await.unwrap();
    store.copy(&Path::from("put"), &Path::from("copy")).await.unwrap();
    let mut unfinished = store.put_multipart(&Path::from("unfinished")).await.unwrap();
    unfinished.put_part(page.into()).await.unwrap();
    std::mem::forget(unfinished); // as a killed process leaves it
}

fn files_with_the_word(root: &std::path::Path) -> usize {
    let has_word = |bytes: &Vec<u8>| bytes.windows(WORD.len()).any(|window| window == WORD.as_bytes());
    snapshot(root).values().filter(|bytes| has_word(bytes)).count()
}

#[tokio::test]
async fn a_planted_word_is_in_no_file() {
    let (root, vault, store) = home();
    write(&*store).await;
    vault.write_sealed("settings", format!("{{\"word\":\"{WORD}\"}}").as_bytes()).unwrap();
    assert_eq!(snapshot(root.path()).len(), 7, "four in the store, settings, and the two of the key");
    assert_eq!(files_with_the_word(root.path()), 0);

    let plain = tempfile::tempdir().unwrap();
    let control: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(plain.path()).unwrap());
    write(&*control).await;
    assert_eq!(files_with_the_word(plain.path()), 4, "the same scan finds it in plain files");
}
