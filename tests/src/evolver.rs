//! States in the archive: they depend on what was said before in the epoch, and on nothing else, in
//! whatever order and however interrupted it came in; and a question without order is answered as ever.

use crate::archive;
use evoke_memory::{
    ImportOptions, Memory, Watch,
    message::{Found, Mode, Query, Target},
};
use evoke_store::{PassageRow, Secret, Sizes, Store, Vault};
use std::{collections::BTreeMap, path::Path};

/// Minutes, who, and what was said.
type Line<'a> = (i64, &'a str, &'a str);

/// What was made of each passage, by its words: static, contextual, state.
type Rows = BTreeMap<String, [Vec<f32>; 3]>;

/// The model with a latent memory, and the generation that it is in these tests.
const MODEL: &str = "evoke-e5-small-evolved";
const EVOLVED: u32 = 2;
const SIZES: Sizes = Sizes { vector: 384, seed: 0, state: 0 };

/// What the first model of an archive made, or a later one.
pub(crate) async fn rows(home: &Path, memory: &Memory, generation: u32) -> Vec<PassageRow> {
    let vault = Vault::open(home, Secret::KeyFile).unwrap();
    let store = Store::open(&vault, false).await.unwrap();
    let passages = store.passages(generation, SIZES, false).await.unwrap();
    let mut all = Vec::new();
    for conversation in memory.conversations(None).await.unwrap() {
        all.extend(passages.of_conversation(conversation.id).await.unwrap());
    }
    all
}

async fn by_words(home: &Path, memory: &Memory) -> Rows {
    let rows = rows(home, memory, EVOLVED).await;
    assert!(rows.iter().all(|r| !r.meaning.is_empty() && !r.state.is_empty()));
    rows.into_iter().map(|r| (r.plain, [r.meaning, r.context, r.state])).collect()
}

fn equal(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
}

fn assert_same(a: &Rows, b: &Rows) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (words, vectors) in a {
        let others = &b[words];
        for (which, (one, other)) in ["static", "context", "state"].iter().zip(vectors.iter().zip(others)) {
            assert!(equal(one, other), "{which} of {words}");
        }
    }
}

const DAY: i64 = 24 * 60;

/// An empty archive that is read with the latent memory.
async fn fresh() -> (tempfile::TempDir, Memory) {
    let (folder, memory) = archive::fresh().await;
    assert!(memory.use_model(MODEL, &Watch::default()).await.unwrap());
    (folder, memory)
}

/// Three days of one chat, an epoch each.
const CHAT: [Line<'_>; 9] = [
    (0, "Ana", "I signed the lease, so from June I live in Porto"),
    (2, "Jonas", "congratulations, is there a balcony"),
    (4, "Ana", "a small one, with morning sun"),
    (DAY, "Ana", "my sister is still in Ghent, she would never leave"),
    (DAY + 3, "Jonas", "and her cat"),
    (DAY + 5, "Ana", "the cat even less"),
    (2 * DAY, "Ana", "we moved again, the new flat is in Lisbon"),
    (2 * DAY + 1, "Jonas", "again, that was quick"),
    (2 * DAY + 9, "Ana", "the river is right below the window"),
];

const OTHER: [Line<'_>; 3] = [
    (30, "Eva", "the plumber comes on Thursday"),
    (31, "Mia", "tell him about the kitchen sink"),
    (DAY, "Eva", "he said it is the valve"),
];

async fn archive_of(parts: &[(&str, &[Line<'_>])]) -> (tempfile::TempDir, Memory, Rows) {
    let (folder, memory) = fresh().await;
    for (at, (name, lines)) in parts.iter().enumerate() {
        let sub = folder.path().join(at.to_string());
        std::fs::create_dir(&sub).unwrap();
        archive::import(&memory, &[archive::chat(&sub, name, lines)]).await;
    }
    let rows = by_words(&folder.path().join("home"), &memory).await;
    (folder, memory, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_in_another_order_give_the_same_vectors() {
    // The first half of the chat comes last, as from an older export found later.
    let (_a, _, forwards) = archive_of(&[("ana", &CHAT[..6]), ("house", &OTHER), ("ana", &CHAT)]).await;
    let (_b, _, backwards) = archive_of(&[("house", &OTHER), ("ana", &CHAT)]).await;
    assert_same(&forwards, &backwards);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_message_re_reads_one_epoch() {
    let mut late = CHAT.to_vec();
    let missing = late.remove(4);
    let numbered: Vec<(i64, &str, &str)> = CHAT.to_vec();
    let (folder, memory) = fresh().await;
    let home = folder.path().join("home");
    // Ids of a Telegram export are numbers: the line that is missing keeps its own.
    let export = archive::chat(folder.path(), "ana", &numbered);
    let whole = std::fs::read_to_string(&export).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&whole).unwrap();
    json["messages"].as_array_mut().unwrap().remove(4);
    std::fs::write(&export, json.to_string()).unwrap();
    archive::import(&memory, std::slice::from_ref(&export)).await;
    let before = by_words(&home, &memory).await;
    let read = memory.texts_read();
    std::fs::write(&export, whole).unwrap();
    archive::import(&memory, &[export]).await;
    let after = by_words(&home, &memory).await;

    let changed: Vec<&String> = before.keys().filter(|k| before[*k][2] != after[*k][2]).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].contains("even less"), "only what was said after it in its epoch");
    // The late one and the one after it, each alone and with its predecessors: nothing else was embedded.
    assert!(memory.texts_read() - read <= 4, "{}", memory.texts_read() - read);
    let (_b, _, fresh) = archive_of(&[("ana", &CHAT)]).await;
    assert_same(&after, &fresh);
    assert!(missing.2.contains("cat"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_forgotten_text_remains_in_a_later_vector() {
    let (folder, memory, with) = archive_of(&[("ana", &CHAT)]).await;
    let found = archive::find(&memory, "sister still in Ghent").await;
    memory.forget(&Target::Message(found.hits[0].message.id)).await.unwrap();
    let after = by_words(&folder.path().join("home"), &memory).await;
    let never: Vec<_> = CHAT.iter().copied().filter(|line| !line.2.contains("Ghent")).collect();
    let (_b, _, without) = archive_of(&[("ana", &never)]).await;
    assert_same(&after, &without);
    let later = after.keys().find(|k| k.contains("her cat")).unwrap();
    assert!(!equal(&with[later][2], &after[later][2]), "its state did depend on the forgotten text");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_reading_gives_the_same_vectors_as_an_uninterrupted_one() {
    let texts: Vec<String> = (0..900).map(|i| format!("note {i} on the {} of the house", i * i % 17)).collect();
    let lines: Vec<(i64, &str, &str)> =
        texts.iter().enumerate().map(|(i, t)| (i as i64 * 3 + (i as i64 / 20) * 500, "Ana", t.as_str())).collect();
    let (whole_folder, whole, uninterrupted) = archive_of(&[("long", &lines)]).await;
    let (folder, memory) = fresh().await;
    let export = archive::chat(folder.path(), "long", &lines);
    let options = ImportOptions { words_only: true, ..ImportOptions::default() };
    memory.import(&[export], &options, &Watch::default()).await.unwrap();
    let mut stops = 0;
    loop {
        let watch = Watch::default();
        let stopper = watch.clone();
        let stop = tokio::spawn(async move {
            while stopper.progress().is_none_or(|p| p.done == 0) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            stopper.stop();
        });
        memory.resume(false, &watch).await.unwrap();
        stop.abort();
        if memory.status().await.unwrap().index.coverage.waiting == 0 {
            break;
        }
        stops += 1;
    }
    assert!(stops >= 1, "it was never stopped");
    assert_same(&by_words(&folder.path().join("home"), &memory).await, &uninterrupted);
    assert_eq!(memory.texts_read(), whole.texts_read(), "nothing was read twice");
    drop(whole_folder);
}

fn ranking(found: &Found) -> Vec<(String, u32)> {
    found.hits.iter().map(|h| (h.message.text.clone(), h.score.to_bits())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_without_order_is_ranked_as_without_the_evolver_to_the_bit() {
    let (_folder, memory, rows) = archive_of(&[("ana", &CHAT), ("house", &OTHER)]).await;
    let (other, plain) = archive::fresh().await;
    for (at, (name, lines)) in [("ana", &CHAT[..]), ("house", &OTHER[..])].into_iter().enumerate() {
        let sub = other.path().join(at.to_string());
        std::fs::create_dir(&sub).unwrap();
        archive::import(&plain, &[archive::chat(&sub, name, lines)]).await;
    }
    for text in ["plumber kitchen sink", "balcony with morning sun", "what did he say about the valve"] {
        for mode in [Mode::Hybrid, Mode::Evolved, Mode::Context, Mode::Static] {
            let query = Query { text: text.into(), mode, ..Query::default() };
            let (with, without) = (memory.search(&query).await.unwrap(), plain.search(&query).await.unwrap());
            assert!(with.order_ms.is_none() && with.hits.iter().all(|h| h.why.order.is_none()), "{text}");
            assert_eq!(ranking(&with), ranking(&without), "{text} {mode:?}");
        }
    }
    for row in self::rows(&other.path().join("home"), &plain, 1).await {
        assert_eq!(row.meaning, rows[&row.plain][0], "the static vector is the same to the bit");
        assert_eq!(row.context, rows[&row.plain][1]);
        assert!(row.state.is_empty() && row.seed.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_order_is_read_in_order_and_says_so() {
    let (_folder, memory, _) = archive_of(&[("ana", &CHAT), ("house", &OTHER)]).await;
    let found = archive::find(&memory, "where does Ana live now").await;
    assert!(found.order_ms.is_some());
    assert!(found.hits.iter().any(|h| h.why.sentence.contains("read in order")), "{:?}", found.hits[0].why);
    let asked = Query { text: "plumber kitchen sink".into(), rerank: 8, ..Query::default() };
    assert!(memory.search(&asked).await.unwrap().order_ms.is_some(), "and where it is asked for");
}
