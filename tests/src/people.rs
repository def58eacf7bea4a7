//! Who is who: suggested with evidence, merged and split without loss, filtered across sources.

use crate::archive::{self, find, texts};
use evoke_memory::{
    Memory,
    message::{EvidenceKind, PersonId, Query, Sort},
};
use std::path::{Path, PathBuf};

/// A WhatsApp chat of the day 2 May 2023: `(minute, who, text)`.
fn whatsapp(folder: &Path, title: &str, lines: &[(u32, &str, &str)]) -> PathBuf {
    let path = folder.join(format!("WhatsApp Chat with {title}.txt"));
    let line = |(minute, who, text): &(u32, &str, &str)| format!("02/05/2023, 10:{minute:02} - {who}: {text}\n");
    std::fs::write(&path, lines.iter().map(line).collect::<String>()).unwrap();
    path
}

async fn id(memory: &Memory, name: &str, source: &str) -> PersonId {
    let all = memory.people().await.unwrap();
    all.iter().find(|p| p.name == name && p.sources.iter().any(|s| s == source)).unwrap().id
}

/// Ana Pereira in two apps, each time with Jonas Weber; another Ana; and a number written in two ways.
async fn archive_of_two_apps() -> (tempfile::TempDir, Memory) {
    let (folder, memory) = archive::fresh().await;
    let telegram = [
        (0, "Ana Pereira", "the plumber is called Herrera"),
        (1, "Jonas Weber", "thanks"),
        (2, "Ana", "who is that"),
        (3, "+49 176 1234567", "it is Olga"),
    ];
    let whats = [
        (0, "Ana Pereira", "the lease is signed"),
        (1, "Jonas Weber", "great"),
        (2, "0176 1234567", "congratulations"),
    ];
    archive::import(&memory, &[archive::chat(folder.path(), "group", &telegram)]).await;
    archive::import(&memory, &[whatsapp(folder.path(), "Flat", &whats)]).await;
    (folder, memory)
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_have_evidence_and_a_first_name_is_none() {
    let (_folder, memory) = archive_of_two_apps().await;
    let all = memory.suggest_people().await.unwrap();
    let told: Vec<(&str, &str, EvidenceKind)> =
        all.iter().map(|s| (s.one.name.as_str(), s.other.name.as_str(), s.evidence[0].kind)).collect();
    assert_eq!(told[0].2, EvidenceKind::Number, "{all:?}");
    assert!(all[0].evidence[0].sentence.contains("+491761234567"));
    assert!(told.contains(&("Ana Pereira", "Ana Pereira", EvidenceKind::Name)), "{told:?}");
    assert!(told.iter().all(|(a, b, _)| *a != "Ana" && *b != "Ana"), "{told:?}");
    let (one, other) = (id(&memory, "Ana Pereira", "telegram").await, id(&memory, "Ana Pereira", "whatsapp").await);
    memory.not_the_same(&[one, other]).await.unwrap();
    assert!(memory.suggest_people().await.unwrap().iter().all(|s| s.one.name != "Ana Pereira"));
    memory.merge_people(&[one, other]).await.unwrap();
    assert!(memory.suggest_people().await.unwrap().iter().all(|s| s.one.name != "Ana Pereira"));
}

#[tokio::test(flavor = "multi_thread")]
async fn merging_and_splitting_again_changes_nothing() {
    let (_folder, memory) = archive_of_two_apps().await;
    let (one, other) = (id(&memory, "Ana Pereira", "telegram").await, id(&memory, "Ana Pereira", "whatsapp").await);
    let third = id(&memory, "Ana", "telegram").await;
    let before = memory.digest().await.unwrap();
    let merged = memory.merge_people(&[one, other]).await.unwrap();
    assert_eq!((merged.id, merged.identities, merged.messages), (one, 2, 2));
    assert_eq!(merged.sources, ["telegram", "whatsapp"]);
    let two = memory.digest().await.unwrap();
    assert_ne!(two, before);
    memory.merge_people(&[third, one]).await.unwrap();
    memory.split_person(third).await.unwrap();
    assert_eq!(memory.digest().await.unwrap(), two, "the others stay one");
    memory.split_person(other).await.unwrap();
    assert_eq!(memory.digest().await.unwrap(), before);
    assert_eq!(memory.split_person(other).await.unwrap_err().kind(), "bad_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_pages_are_of_the_whole_person() {
    let (folder, memory) = archive_of_two_apps().await;
    let note = folder.path().join("Flat hunt.md");
    std::fs::write(&note, "---\ncreated: 2023-06-01\n---\nAna Pereira found it. Ana Pereirova did not.\n").unwrap();
    archive::import(&memory, &[note]).await;
    let (one, other) = (id(&memory, "Ana Pereira", "telegram").await, id(&memory, "Ana Pereira", "whatsapp").await);
    memory.merge_people(&[one, other]).await.unwrap();
    let both = ["the plumber is called Herrera", "the lease is signed"];
    for text in [format!("from:{other}"), "from:pereira".to_owned(), format!("person:{one}")] {
        let query = Query { text: text.clone(), sort: Sort::Oldest, ..Query::default() };
        assert_eq!(texts(&memory.search(&query).await.unwrap()), both, "{text}");
    }
    let clicked = Query { people: vec![other], sort: Sort::Oldest, ..Query::default() };
    let found = memory.search(&clicked).await.unwrap();
    assert_eq!(texts(&found), both);
    let facet = found.facets.people.iter().find(|f| f.key == one.to_string()).unwrap();
    assert_eq!((facet.count, facet.label.as_str()), (2, "Ana Pereira"));
    let numbered = find(&memory, "from:+491761234567").await;
    assert_eq!(texts(&numbered), ["congratulations", "it is Olga"], "a number, however it is written");
    assert_eq!(memory.status().await.unwrap().archive.people, 6 + 1, "seven identities, the note's owner, one merge");

    let page = memory.person(other).await.unwrap();
    assert_eq!((page.person.id, page.identities.len(), page.conversations.len()), (one, 2, 2));
    assert_eq!(page.identities.iter().map(|i| i.messages).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(page.months.iter().map(|m| (m.month.as_str(), m.count)).collect::<Vec<_>>(), [("2023-05", 2)]);
    assert_eq!((page.mentioned, page.mentions[0].title.as_str()), (1, "Flat hunt"));
    assert!(page.person.first < page.person.last);
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_talks_are_part_of_a_person() {
    let (folder, memory) = archive::fresh().await;
    let lines = [(0, "Ana", "shall we"), (1, "Mira", "yes, the boat"), (2, "Ana", "good")];
    archive::import(&memory, &[whatsapp(folder.path(), "Ana", &lines)]).await;
    let asked = memory.who_is_me().await.unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].guesses[0].person.name, "Mira", "the talk is called after the other one: {asked:?}");
    memory.answer_me(1, &[asked[0].guesses[0].person.id]).await.unwrap();
    assert!(memory.who_is_me().await.unwrap().is_empty(), "asked once");
    assert_eq!(texts(&find(&memory, "from:me").await), ["yes, the boat"]);
    assert!(find(&memory, "boat").await.hits[0].message.mine);
    assert_eq!(find(&memory, "from:ana").await.messages, 2);
    assert_eq!(find(&memory, "person:ana").await.messages, 3, "what was said to Ana, too");

    // The next export has the same name in it: the best guess.
    let group = [(0, "Bo", "hi"), (1, "Mira", "hello"), (2, "Cy", "hey")];
    archive::import(&memory, &[archive::chat(folder.path(), "others", &group)]).await;
    let asked = memory.who_is_me().await.unwrap();
    assert_eq!((asked[0].import, asked[0].guesses[0].person.name.as_str()), (2, "Mira"), "{asked:?}");
    assert!(asked[0].guesses[0].sentence.contains("whatsapp"));
    memory.answer_me(2, &[]).await.unwrap();
    assert!(memory.who_is_me().await.unwrap().is_empty(), "nobody is an answer too");
}
