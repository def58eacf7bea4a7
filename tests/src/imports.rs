//! Imports are accounted for to the last record, and can be undone: exactly, and nothing else.

use crate::archive::{self, find, texts};
use evoke_memory::{
    ImportOptions, Memory, Watch,
    message::{ImportShown, Receipt},
};
use evoke_message::{Conversation, ConversationId, ConversationKind};
use evoke_store::{Secret, Store, Vault};
use serde_json::json;
use std::path::{Path, PathBuf};

/// A Telegram export of one chat in which some records are not messages.
fn with_losses(folder: &Path) -> PathBuf {
    let message = |id: u64, text: &str| {
        json!({"id": id, "type": "message", "date": "2023-05-01T00:00:00", "date_unixtime": "1682899200",
               "from": "Ana", "from_id": "user1", "text": text})
    };
    let messages = json!([message(1, "kept"), {"id": 2, "type": "message"}, 7, message(3, "kept too"), "x, \"y\""]);
    let path = folder.join("lossy.json");
    let export = json!({"name": "Ana", "type": "personal_chat", "id": 9, "messages": messages});
    std::fs::write(&path, export.to_string()).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_that_was_not_kept_is_listed_with_its_place() {
    let (folder, memory) = archive::fresh().await;
    let receipt = archive::import(&memory, &[with_losses(folder.path())]).await;
    let lost = receipt.skipped + receipt.failed;
    assert!(lost >= 2, "{receipt:?}");
    let shown = memory.show_import(receipt.import).await.unwrap();
    assert_eq!((shown.lost.len() as u64, shown.not_listed), (lost, 0));
    assert_eq!(shown.lost.iter().filter(|l| l.skipped).count() as u64, receipt.skipped);
    assert!(shown.lost.iter().all(|l| !l.reason.is_empty() && l.place.file.contains("lossy.json")), "{:?}", shown.lost);
    let csv = folder.path().join("lost.csv");
    assert_eq!(memory.export_lost(receipt.import, &csv).await.unwrap(), lost);
    assert_eq!(std::fs::read_to_string(&csv).unwrap().lines().count() as u64, lost + 1);

    let out = crate::doors::terminal(&folder.path().join("home"), &["--json", "imports", "show", "1"]);
    let told: ImportShown = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(told, shown, "the terminal says the same");
    let unknown = crate::doors::terminal(&folder.path().join("home"), &["imports", "show", "9"]);
    assert_eq!(unknown.status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_leaves_what_was_there_before() {
    let (folder, memory) = archive::fresh().await;
    let old = [(0, "Ana", "the lighthouse"), (1, "Jonas", "two"), (2, "Ana", "three")];
    archive::import(&memory, &[archive::chat(folder.path(), "talk", &old)]).await;
    let before = memory.digest().await.unwrap();
    let new = [(0, "Ana", "the windmill"), (1, "Jonas", "two"), (2, "Ana", "three"), (3, "Olga", "four")];
    let other = archive::chat(folder.path(), "another", &[(0, "Olga", "elsewhere")]);
    let receipt = archive::import(&memory, &[archive::chat(folder.path(), "talk", &new), other]).await;
    assert_eq!((receipt.added, receipt.updated, receipt.duplicate), (2, 1, 2));
    assert_ne!(memory.digest().await.unwrap(), before);
    assert_eq!(texts(&find(&memory, "windmill").await)[0], "the windmill");

    memory.undo_import(receipt.import).await.unwrap();
    assert_eq!(memory.digest().await.unwrap(), before);
    assert_eq!(texts(&find(&memory, "lighthouse").await)[0], "the lighthouse");
    assert_eq!(find(&memory, "\"windmill\"").await.messages, 0);
    assert!(memory.people().await.unwrap().iter().all(|p| p.name != "Olga"));
    assert_eq!(memory.status().await.unwrap().index.percent, 100);
    assert!(memory.receipts().await.unwrap()[0].undone.is_some());
    assert_eq!(memory.undo_import(receipt.import).await.unwrap_err().kind(), "not_found", "it is undone once");

    let paths = [folder.path().join("talk.json"), folder.path().join("another.json")];
    let again = archive::import(&memory, &paths).await;
    assert_eq!((again.added, again.updated), (2, 1), "it may be imported again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_import_has_too_stays() {
    let (folder, memory) = archive::fresh().await;
    let lines = [(0, "Ana", "a kettle"), (1, "Jonas", "a violin")];
    let first = archive::chat(folder.path(), "same", &lines);
    let copy = folder.path().join("copy.json");
    std::fs::copy(&first, &copy).unwrap();
    archive::import(&memory, &[first]).await;
    archive::import(&memory, &[copy]).await;
    let kettle = find(&memory, "kettle").await.hits[0].message.id;
    let seen = memory.provenances(kettle).await.unwrap();
    assert_eq!(
        seen.iter().map(|p| (p.import, p.place.file.as_str())).collect::<Vec<_>>(),
        [(1, "same.json"), (2, "copy.json")]
    );

    memory.undo_import(1).await.unwrap();
    let seen = memory.provenances(kettle).await.unwrap();
    assert_eq!(seen.iter().map(|p| (p.import, p.place.file.as_str())).collect::<Vec<_>>(), [(2, "copy.json")]);
    assert_eq!(find(&memory, "violin").await.hits[0].message.text, "a violin");
    memory.undo_import(2).await.unwrap();
    let status = memory.status().await.unwrap();
    assert_eq!((status.archive.messages, status.archive.people, status.archive.conversations), (0, 0, 0));
    let empty = Memory::open(archive::options(&folder.path().join("other"), true)).await.unwrap();
    assert_eq!(memory.digest().await.unwrap(), empty.digest().await.unwrap(), "nothing of it is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_are_undone_in_any_order() {
    let (folder, memory) = archive::fresh().await;
    let mut receipts: Vec<Receipt> = Vec::new();
    for text in ["first wording", "second wording", "third wording"] {
        let path = archive::chat(folder.path(), "edits", &[(0, "Ana", text), (1, "Jonas", "and?")]);
        receipts.push(archive::import(&memory, &[path]).await);
    }
    let wording = async || texts(&find(&memory, "wording").await).first().map(|t| (*t).to_owned());
    assert_eq!(wording().await.as_deref(), Some("third wording"));
    memory.undo_import(2).await.unwrap();
    assert_eq!(wording().await.as_deref(), Some("third wording"));
    memory.undo_import(3).await.unwrap();
    assert_eq!(wording().await.as_deref(), Some("first wording"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_and_writes_nothing() {
    let (folder, memory) = archive::fresh().await;
    let path = archive::chat(folder.path(), "dry", &[(0, "Ana", "one"), (60, "Jonas", "two")]);
    archive::import(&memory, std::slice::from_ref(&path)).await;
    let before = memory.digest().await.unwrap();
    let newer = [(0, "Ana", "one"), (60, "Jonas", "two, edited"), (120, "Olga", "three")];
    let newer = archive::chat(folder.path(), "dry", &newer);
    let dry = memory.dry_run(&[newer.clone(), with_losses(folder.path())], &ImportOptions::default()).await.unwrap();
    assert!(dry.receipt.adds_up(), "{:?}", dry.receipt);
    assert_eq!(dry.people, ["Ana", "Jonas", "Olga"]);
    assert_eq!(dry.receipt.formats, ["telegram"]);
    assert_eq!((memory.digest().await.unwrap(), memory.receipts().await.unwrap().len()), (before, 1));
    let done = archive::import(&memory, &[newer, folder.path().join("lossy.json")]).await;
    let counts =
        |r: &Receipt| (r.seen, r.added, r.updated, r.duplicate, r.skipped, r.failed, r.conversations, r.first, r.last);
    assert_eq!(counts(&dry.receipt), counts(&done), "what it said is what was done");
    // One that cannot be read is told of, and the other is told all the same.
    let unknown = folder.path().join("x.bin");
    std::fs::write(&unknown, [0u8, 159, 146, 150].repeat(99)).unwrap();
    let half =
        memory.dry_run(&[unknown.clone(), folder.path().join("dry.json")], &ImportOptions::default()).await.unwrap();
    assert!(
        half.receipt.seen == 3 && half.receipt.notes.iter().any(|n| n.contains("does not know")),
        "{:?}",
        half.receipt
    );
    assert!(memory.import(&[unknown], &ImportOptions::default(), &Watch::default()).await.is_err());
}

#[tokio::test]
async fn conversations_keep_what_they_belong_into() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(&folder.path().join("home"), Secret::KeyFile).unwrap();
    let store = Store::open(&vault, true).await.unwrap();
    let session = ConversationId::of(&["session"]);
    let subagent = Conversation {
        id: ConversationId::of(&["subagent"]),
        source: "claude_code".into(),
        key: "agent-1".into(),
        title: "Look for it".into(),
        kind: ConversationKind::Ai,
        participants: vec![],
        created: None,
        updated: None,
        parent: Some(session),
    };
    store.put_conversations(std::slice::from_ref(&subagent)).await.unwrap();
    assert_eq!(store.conversations().await.unwrap(), [subagent]);
}

/// A home of the version before this one, as far as its label goes: whoever opens it first brings it up to date.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_archive_is_brought_up_to_date_even_by_a_reader() {
    let (folder, memory) = archive::fresh().await;
    let home = folder.path().join("home");
    let lines = [(0, "Ana", "see https://example.org/lease"), (1, "Jonas", "signed")];
    archive::import(&memory, &[archive::chat(folder.path(), "old", &lines)]).await;
    let digest = memory.digest().await.unwrap();
    drop(memory);
    let label = home.join("evoke.json");
    let old = json!({"schema": 1, "made_by": "0.1.0"}).to_string();
    std::fs::write(&label, &old).unwrap();
    let reader = Memory::open(archive::options(&home, false)).await.unwrap();
    assert_eq!(reader.digest().await.unwrap(), digest);
    assert_eq!(texts(&find(&reader, "has:link").await), [lines[0].2]);
    drop(reader);
    assert_ne!(std::fs::read_to_string(&label).unwrap(), old);
    let memory = archive::open(&home).await;
    memory.resume(false, &Watch::default()).await.unwrap();
    assert_eq!(memory.status().await.unwrap().index.percent, 100);
    std::fs::write(&label, json!({"schema": 99, "made_by": "9"}).to_string()).unwrap();
    drop(memory);
    assert_eq!(Memory::open(archive::options(&home, false)).await.err().map(|e| e.kind()), Some("newer"));
}
