//! Attached files on the way through everything: found by what they say, shown from where they lie or from a copy,
//! gone with their message.

use crate::archive::{self, find};
use evoke_memory::{
    ImportOptions, Memory, Watch,
    message::{Hit, MessageId, Target},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const PICTURE: &[u8] = b"\xff\xd8\xffa picture of a red boat";

/// An export in a folder of its own, whose second message has a document and whose third a picture; `media` lie beside it.
fn export(folder: &Path, name: &str, media: bool) -> PathBuf {
    let export = folder.join(name).join("chat");
    fs::create_dir_all(&export).unwrap();
    let chat = "[05.01.24, 10:00:00] Ana: the weather is fine\n\
        [05.01.24, 10:01:00] Ana: \u{200e}<attached: 0002-lease.txt>\n\
        [05.01.24, 10:02:00] Ben: \u{200e}<attached: 0003-boat.jpg>\n\
        [05.01.24, 10:03:00] Ben: good night\n";
    fs::write(export.join("_chat.txt"), chat).unwrap();
    if media {
        let lease = format!(
            "Lease\n\n{}\n\nThe landlord may keep an ocelot in the cellar.\n\n{}",
            "The rent is due on the first of the month. ".repeat(60),
            "Repairs are for the owner to pay. ".repeat(60)
        );
        fs::write(export.join("0002-lease.txt"), lease).unwrap();
        fs::write(export.join("0003-boat.jpg"), PICTURE).unwrap();
    }
    export
}

async fn only(memory: &Memory, query: &str) -> Hit {
    find(memory, query).await.hits.into_iter().next().unwrap_or_else(|| panic!("nothing found for {query}"))
}

/// No message has the word, neither itself nor in a file.
async fn nobody_says(memory: &Memory, word: &str) -> bool {
    find(memory, word).await.hits.iter().all(|hit| hit.highlights.is_empty())
}

async fn boat(memory: &Memory) -> MessageId {
    only(memory, "has:image").await.message.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_found_by_its_words_its_meaning_and_its_phrases() {
    let (folder, memory) = archive::fresh().await;
    archive::import(&memory, &[export(folder.path(), "chat", true)]).await;
    for query in
        ["ocelot", "\"ocelot in the cellar\"", "wild cat living in the basement", "who pays when something breaks"]
    {
        let hit = only(&memory, query).await;
        assert_eq!(hit.file.as_deref(), Some("0002-lease.txt"), "{query}: {}", hit.snippet);
        assert!(hit.message.attachments.iter().any(|a| a.name == "0002-lease.txt"));
    }
    let hit = only(&memory, "ocelot").await;
    assert!(hit.snippet.contains("keep an ocelot in the cellar"), "{}", hit.snippet);
    assert!(!hit.highlights.is_empty() && hit.why.sentence.starts_with("in 0002-lease.txt: "), "{}", hit.why.sentence);
    assert_eq!(only(&memory, "weather").await.file, None);
    // A message with an excluded word anywhere in its document is excluded, whichever of its passages is near.
    assert!(find(&memory, "rent due -ocelot").await.hits.iter().all(|hit| hit.file.is_none()));
    assert!(find(&memory, "\"ocelot in the attic\"").await.hits.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn words_find_it_before_it_is_read_for_meaning() {
    let (folder, memory) = archive::fresh().await;
    let options = ImportOptions { words_only: true, ..ImportOptions::default() };
    memory.import(&[export(folder.path(), "chat", true)], &options, &Watch::default()).await.unwrap();
    let hit = only(&memory, "ocelot").await;
    assert_eq!(hit.file.as_deref(), Some("0002-lease.txt"));
    assert!(!hit.highlights.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_with_media_adds_them_and_one_without_takes_nothing_away() {
    let (folder, memory) = archive::fresh().await;
    let (without, with) = (export(folder.path(), "without", false), export(folder.path(), "with", true));
    let receipt = archive::import(&memory, std::slice::from_ref(&without)).await;
    assert_eq!((receipt.added, receipt.updated), (4, 0));
    assert!(nobody_says(&memory, "ocelot").await);
    let receipt = archive::import(&memory, &[with]).await;
    assert_eq!((receipt.added, receipt.updated, receipt.duplicate), (0, 2, 2));
    let receipt = archive::import(&memory, &[without]).await;
    assert_eq!((receipt.added, receipt.updated, receipt.duplicate), (0, 0, 4));
    assert_eq!(only(&memory, "ocelot").await.file.as_deref(), Some("0002-lease.txt"));
    assert_eq!(memory.file_bytes(boat(&memory).await, 0).await.unwrap(), PICTURE);
    // Undone, it is as it was before the export with media.
    memory.undo_import(2).await.unwrap();
    assert!(nobody_says(&memory, "ocelot").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_shown_from_its_place_or_from_a_copy_and_missed_in_words() {
    let (folder, memory) = archive::fresh().await;
    let here = export(folder.path(), "here", true);
    archive::import(&memory, std::slice::from_ref(&here)).await;
    let boat = boat(&memory).await;
    assert_eq!(memory.file_bytes(boat, 0).await.unwrap(), PICTURE);
    let elsewhere = folder.path().join("elsewhere/chat");
    fs::create_dir(elsewhere.parent().unwrap()).unwrap();
    fs::rename(&here, &elsewhere).unwrap();
    let missed = memory.file_bytes(boat, 0).await.unwrap_err();
    assert_eq!(missed.kind(), "not_found");
    assert!(missed.to_string().contains("chat") && missed.to_string().contains("boat.jpg"), "{missed}");
    // With copies wanted, a second import of the same makes them.
    let options = ImportOptions { copy_files: true, ..ImportOptions::default() };
    let receipt = memory.import(std::slice::from_ref(&elsewhere), &options, &Watch::default()).await.unwrap();
    assert_eq!((receipt.added, receipt.duplicate), (0, 4));
    assert!(receipt.notes.iter().any(|note| note == "Pictures and recordings copied into the archive: 1."));
    fs::remove_dir_all(&elsewhere).unwrap();
    assert_eq!(memory.file_bytes(boat, 0).await.unwrap(), PICTURE);
    let files = archive::files(&folder.path().join("home/files"));
    assert_eq!(files.len(), 1);
    assert!(!fs::read(&files[0]).unwrap().windows(8).any(|w| w == b"red boat"), "a copy is encrypted");
    memory.forget(&Target::Message(boat)).await.unwrap();
    assert!(archive::files(&folder.path().join("home/files")).is_empty());
}
