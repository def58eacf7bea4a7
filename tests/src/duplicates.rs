//! One chat from two exporters is one; two messages that look alike stay two; every merge can be undone.

use crate::archive::{self, find};
use evoke_memory::{Memory, message::MessageId};

type Lines<'a> = &'a [(i64, &'a str, &'a str)];

const TALK: [(i64, &str, &str); 5] = [
    (0, "Ana", "shall we meet at the harbour"),
    (1, "Jonas", "ok"),
    (1, "Jonas", "ok"),
    (2, "Ana", "bring the *violin* please"),
    (3, "Jonas", "of course"),
];

async fn imported(folder: &std::path::Path, memory: &Memory, chats: &[(&str, Lines<'_>)]) {
    for (name, lines) in chats {
        archive::import(memory, &[archive::chat(folder, name, lines)]).await;
    }
}

async fn messages(memory: &Memory) -> u64 {
    memory.status().await.unwrap().archive.messages
}

#[tokio::test(flavor = "multi_thread")]
async fn one_chat_from_two_exporters_is_one_and_two_equal_lines_are_two() {
    let (folder, memory) = archive::fresh().await;
    imported(folder.path(), &memory, &[("one", &TALK)]).await;
    let before = memory.digest().await.unwrap();
    // The other exporter has ids of its own, writes emphasis otherwise, and goes on a little longer.
    let mut other = TALK.to_vec();
    other[3].2 = "bring the violin please";
    other.push((4, "Ana", "see you"));
    let path = archive::chat(folder.path(), "other", &other);
    let receipt = archive::import(&memory, std::slice::from_ref(&path)).await;
    assert_eq!((receipt.added, receipt.duplicate), (1, 5), "{receipt:?}");
    assert_eq!(messages(&memory).await, 6);
    let found = find(&memory, "\"violin\"").await;
    assert_eq!(found.messages, 1);
    let seen = memory.provenances(found.hits[0].message.id).await.unwrap();
    assert_eq!(seen.iter().map(|p| p.import).collect::<Vec<_>>(), [1, 2]);
    let again = archive::import(&memory, &[path]).await;
    assert_eq!((again.added, again.updated, again.duplicate), (0, 0, 6));
    assert_eq!(memory.status().await.unwrap().index.percent, 100);

    memory.undo_import(3).await.unwrap();
    memory.undo_import(2).await.unwrap();
    assert_eq!(memory.digest().await.unwrap(), before, "undoing the second leaves the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_the_first_shows_the_copies() {
    let (folder, memory) = archive::fresh().await;
    imported(folder.path(), &memory, &[("one", &TALK), ("other", &TALK)]).await;
    assert_eq!((messages(&memory).await, memory.duplicates().await.unwrap().len()), (5, 5));
    memory.undo_import(1).await.unwrap();
    assert_eq!((messages(&memory).await, memory.duplicates().await.unwrap().len()), (5, 0));
    assert_eq!(find(&memory, "\"violin\"").await.hits[0].message.title, "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_in_two_talks_stays_two() {
    let (folder, memory) = archive::fresh().await;
    let wish = "a happy new year to all of you";
    let one = [(0, "Ana", wish), (1, "Jonas", "thanks"), (2, "Ana", "see you at the harbour"), (3, "Jonas", "yes")];
    let other = [(0, "Ana", wish), (1, "Jonas", "who will cook"), (2, "Ana", "I will"), (3, "Jonas", "fine")];
    let strangers = [(0, "Ana", wish), (1, "Olga", "to you too")];
    imported(folder.path(), &memory, &[("one", &one), ("other", &other), ("strangers", &strangers)]).await;
    assert_eq!((messages(&memory).await, memory.duplicates().await.unwrap().len()), (10, 0));
    // A minute later is another time.
    let late = [(1, "Ana", "ok"), (2, "Jonas", "ok")];
    let early = [(0, "Ana", "ok"), (1, "Jonas", "ok")];
    imported(folder.path(), &memory, &[("early talk", &early), ("a late talk", &late)]).await;
    assert_eq!(memory.duplicates().await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_was_undone_is_not_made_again() {
    let (folder, memory) = archive::fresh().await;
    imported(folder.path(), &memory, &[("one", &TALK), ("other", &TALK)]).await;
    let copies = memory.duplicates().await.unwrap();
    let violin = copies.iter().find(|d| d.text.contains("violin")).unwrap();
    assert_eq!((violin.title.as_str(), violin.import, violin.name.as_str()), ("other", 2, "Ana"));
    memory.undo_duplicate(violin.message).await.unwrap();
    assert_eq!((messages(&memory).await, find(&memory, "\"violin\"").await.messages), (6, 2));
    assert_eq!(memory.status().await.unwrap().index.percent, 100);
    imported(folder.path(), &memory, &[("other", &TALK)]).await;
    assert_eq!((messages(&memory).await, memory.duplicates().await.unwrap().len()), (6, 4));
    assert_eq!(memory.undo_duplicate(MessageId::of(&["none"])).await.unwrap_err().kind(), "not_found");
    // A copy that is edited later says something else, so it is a message of its own.
    let mut edited = TALK;
    edited[0].2 = "shall we meet at the station";
    imported(folder.path(), &memory, &[("other", &edited)]).await;
    assert_eq!((messages(&memory).await, find(&memory, "\"the station\"").await.messages), (7, 1));
}
