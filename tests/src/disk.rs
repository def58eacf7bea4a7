//! A planted word: found by search, in no file in the clear, and after forgetting in no decrypted file.

use crate::archive;
use evoke_memory::{
    ImportOptions, Watch,
    message::{MessageId, Target},
};
use evoke_store::{Secret, Vault};
use object_store::ObjectStoreExt;
use std::path::Path;

const WORD: &str = "quixotrope";

/// Files below `folder` that hold the word, as it is or inside compressed pages in UTF-16.
fn holding(folder: &Path, word: &str) -> Vec<String> {
    let utf16: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let holds = |bytes: &[u8]| {
        [word.as_bytes(), &utf16].iter().any(|wanted| bytes.windows(wanted.len()).any(|window| window == *wanted))
    };
    let found = archive::files(folder).into_iter().filter(|f| std::fs::read(f).is_ok_and(|bytes| holds(&bytes)));
    found.map(|f| f.display().to_string()).collect()
}

/// Copies the decrypted database of a Home into a folder.
async fn decrypted(home: &Path, into: &Path) {
    let vault = Vault::open(home, Secret::KeyFile).unwrap();
    let store = vault.object_store("db").unwrap();
    for file in archive::files(&home.join("db")) {
        let name = file.strip_prefix(home.join("db")).unwrap().to_string_lossy().replace('\\', "/");
        let object = store.get(&name.as_str().into()).await.unwrap();
        let bytes = object.bytes().await.unwrap();
        let path = into.join(name.replace('/', "_"));
        std::fs::write(path, bytes).unwrap();
    }
}

fn lines() -> Vec<(i64, &'static str, &'static str)> {
    vec![
        (0, "Ana", "shall we meet at the harbour"),
        (1, "Jonas", "bring the quixotrope please, the one from the attic"),
        (2, "Ana", "yes, I will"),
        (3, "Jonas", "and the marmalade"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_word_is_nowhere_in_the_clear_and_gone_after_forgetting() {
    let (folder, memory) = archive::fresh().await;
    let home = folder.path().join("home");
    let exports = tempfile::tempdir().unwrap();
    let path = archive::chat(exports.path(), "planted", &lines());
    archive::import(&memory, std::slice::from_ref(&path)).await;

    let found = archive::find(&memory, WORD).await;
    let planted = found.hits.first().unwrap().message.id;
    assert!(found.hits[0].message.text.contains(WORD));
    assert_eq!(holding(&home, WORD), Vec::<String>::new());
    assert_eq!(holding(exports.path(), WORD).len(), 1, "the same look finds it in the export");
    let clear = tempfile::tempdir().unwrap();
    decrypted(&home, clear.path()).await;
    assert!(!holding(clear.path(), WORD).is_empty(), "the same look finds it in the decrypted database");

    let done = memory.forget(&Target::Message(planted)).await.unwrap();
    assert!(done.done && done.messages == 1);
    let clear = tempfile::tempdir().unwrap();
    decrypted(&home, clear.path()).await;
    assert_eq!(holding(clear.path(), WORD), Vec::<String>::new());
    assert!(!holding(clear.path(), "marmalade").is_empty(), "what was not forgotten is there");
    let found = archive::find(&memory, WORD).await;
    assert!(found.hits.iter().all(|h| !h.message.text.contains(WORD)));

    // A second import does not bring it back, unless asked.
    let receipt = archive::import(&memory, std::slice::from_ref(&path)).await;
    assert_eq!((receipt.added, receipt.duplicate, receipt.skipped), (0, 3, 1));
    assert_eq!(receipt.skipped_because[0].reason, "forgotten before, not brought back");
    let again = ImportOptions { again: true, ..ImportOptions::default() };
    let receipt = memory.import(&[path], &again, &Watch::default()).await.unwrap();
    assert_eq!(receipt.added, 1);
    assert_eq!(archive::find(&memory, WORD).await.hits[0].message.id, planted);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_leaves_the_archive_as_if_it_had_never_been_there() {
    let (with_folder, with) = archive::fresh().await;
    let (without_folder, without) = archive::fresh().await;
    let all = archive::chat(with_folder.path(), "both", &lines());
    archive::import(&with, &[all]).await;
    let planted: MessageId = archive::find(&with, WORD).await.hits[0].message.id;
    with.forget(&Target::Message(planted)).await.unwrap();
    // The same chat without the planted line: ids of the others stay, since Telegram numbers them.
    let text = std::fs::read_to_string(with_folder.path().join("both.json")).unwrap();
    let mut export: serde_json::Value = serde_json::from_str(&text).unwrap();
    export["messages"].as_array_mut().unwrap().remove(1);
    let path = without_folder.path().join("both.json");
    std::fs::write(&path, export.to_string()).unwrap();
    archive::import(&without, &[path]).await;
    for query in ["harbour", "what shall I bring", "marmalade"] {
        let (a, b) = (archive::find(&with, query).await, archive::find(&without, query).await);
        assert_eq!(archive::texts(&a), archive::texts(&b));
        for (a, b) in a.hits.iter().zip(&b.hits) {
            assert!((a.score - b.score).abs() < 1e-3, "{query}: {} and {}", a.score, b.score);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_undone_but_for_what_another_has() {
    let (folder, memory) = archive::fresh().await;
    let first = archive::chat(folder.path(), "talk", &lines()[..3]);
    archive::import(&memory, &[first]).await;
    let second = archive::chat(folder.path(), "talk", &lines());
    let receipt = archive::import(&memory, std::slice::from_ref(&second)).await;
    assert_eq!((receipt.added, receipt.duplicate), (1, 3));
    // Undoing the first keeps all three: the second has them.
    memory.forget(&Target::Import(1)).await.unwrap();
    assert_eq!(memory.status().await.unwrap().archive.messages, 4);
    memory.forget(&Target::Import(2)).await.unwrap();
    assert_eq!(memory.status().await.unwrap().archive.messages, 0);
    assert!(memory.receipts().await.unwrap().iter().all(|r| r.undone.is_some()));
    let receipt = archive::import(&memory, &[second]).await;
    assert_eq!(receipt.added, 4, "what was undone may come again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let mut options = archive::options(&home, true);
    options.passphrase = Some("right".into());
    drop(evoke_memory::Memory::open(options.clone()).await.unwrap());
    let before: Vec<_> = archive::files(&home).into_iter().map(|f| (std::fs::read(&f).unwrap(), f)).collect();
    for (passphrase, kind) in [(Some("wrong".to_owned()), "wrong_key"), (None, "locked")] {
        options.passphrase = passphrase;
        let error = evoke_memory::Memory::open(options.clone()).await.err().unwrap();
        assert_eq!(error.kind(), kind);
    }
    let after: Vec<_> = archive::files(&home).into_iter().map(|f| (std::fs::read(&f).unwrap(), f)).collect();
    assert!(before == after);
}
