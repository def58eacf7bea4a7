//! Going over to another model: built beside the old, searched with the old until it is whole, switched at
//! once, resumed after an interruption, and back as quickly.

use crate::{archive, evolver};
use evoke_memory::{Memory, Watch, message::Target};
use std::path::Path;
use tempfile::TempDir;

const BUNDLED: &str = "evoke-e5-small";

/// The bundled model under another name.
fn copy(folder: &Path, name: &str) {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(BUNDLED);
    std::fs::create_dir_all(folder).unwrap();
    for file in ["tokenizer.json", "model.gguf", "prior.safetensors"] {
        std::fs::copy(bundled.join(file), folder.join(file)).unwrap();
    }
    let config = std::fs::read_to_string(bundled.join("config.json")).unwrap();
    std::fs::write(folder.join("config.json"), config.replace(BUNDLED, name)).unwrap();
}

async fn filled(lines: i64) -> (TempDir, Memory) {
    let (folder, memory) = archive::fresh().await;
    let words = ["kettle", "harbour", "violin", "postcard", "ladder", "almond"];
    let texts: Vec<String> = (0..lines).map(|i| format!("note {i}, the {} again", words[(i % 6) as usize])).collect();
    let chat: Vec<(i64, &str, &str)> =
        texts.iter().enumerate().map(|(i, t)| (i as i64 * 5, "Ana", t.as_str())).collect();
    for (name, part) in ["one", "three", "seventh"].into_iter().zip(chat.chunks(lines as usize / 3 + 1)) {
        archive::import(&memory, &[archive::chat(folder.path(), name, part)]).await;
    }
    (folder, memory)
}

/// The first hits; further down many lines say the same and stand in any order.
async fn first(memory: &Memory) -> Vec<String> {
    let found = archive::find(memory, "violin").await;
    archive::texts(&found).into_iter().take(5).map(str::to_owned).collect()
}

async fn state(memory: &Memory, name: &str) -> String {
    memory.models().await.unwrap().into_iter().find(|m| m.name == name).unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_model_is_built_beside_the_old_resumed_and_switched_to_at_once() {
    let (folder, memory) = filled(900).await;
    let other = folder.path().join("other-model");
    copy(&other, "other");
    assert_eq!(memory.add_model(&other).unwrap().name, "other");
    assert_eq!(state(&memory, "other").await, "not used");
    let answer = first(&memory).await;

    // Stopped after its first passages: the old one answers, whole.
    let watch = Watch::default();
    let stopper = watch.clone();
    let stop = tokio::spawn(async move {
        while stopper.progress().is_none_or(|p| p.done == 0) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        stopper.stop();
    });
    assert!(!memory.use_model("other", &watch).await.unwrap());
    stop.abort();
    assert_eq!(
        (state(&memory, "other").await.as_str(), state(&memory, BUNDLED).await.as_str()),
        ("being built", "in use")
    );
    assert_eq!(first(&memory).await, answer);
    assert_eq!(memory.status().await.unwrap().index.coverage.waiting, 0);

    // Closed and opened again, it goes on where it was, and does not read twice what it had read.
    drop(memory);
    let memory = archive::open(&folder.path().join("home")).await;
    assert_eq!(state(&memory, "other").await, "being built");
    memory.resume(false, &Watch::default()).await.unwrap();
    assert_eq!(state(&memory, "other").await, "in use");
    let read = memory.texts_read();
    assert!(read < 2 * 900, "{read} texts after the resume");
    let status = memory.status().await.unwrap();
    assert_eq!((status.model.as_str(), status.index.coverage.waiting, status.index.percent), ("other", 0, 100));
    assert!(archive::texts(&archive::find(&memory, "violin").await)[0].contains("violin"));

    // Back at once: nothing is read.
    assert!(memory.use_model(BUNDLED, &Watch::default()).await.unwrap());
    assert_eq!((state(&memory, "other").await.as_str(), state(&memory, BUNDLED).await.as_str()), ("kept", "in use"));
    assert_eq!(memory.texts_read(), 0);
    assert_eq!(first(&memory).await, answer);
    // A reader that was open before follows.
    let reader = Memory::open(archive::options(&folder.path().join("home"), false)).await.unwrap();
    memory.use_model("other", &Watch::default()).await.unwrap();
    archive::find(&reader, "violin").await;
    assert_eq!(reader.status().await.unwrap().model, "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_and_goes_while_a_model_is_only_kept_is_right_when_it_is_used_again() {
    let (folder, memory) = filled(30).await;
    let other = folder.path().join("other-model");
    copy(&other, "other");
    memory.add_model(&other).unwrap();
    assert!(memory.use_model("other", &Watch::default()).await.unwrap());

    let new = [(9_000, "Ana", "a parcel with the saffron came"), (9_001, "Ana", "and the quixotrope")];
    archive::import(&memory, &[archive::chat(folder.path(), "later on", &new)]).await;
    let planted = archive::find(&memory, "quixotrope").await.hits[0].message.id;
    memory.forget(&Target::Message(planted)).await.unwrap();
    assert!(memory.use_model(BUNDLED, &Watch::default()).await.unwrap());
    let coverage = memory.status().await.unwrap().index.coverage;
    assert_eq!((coverage.waiting, coverage.embedded), (0, 31));
    assert_eq!(archive::find(&memory, "saffron").await.hits[0].message.text, new[0].2);
    let rows = evolver::rows(&folder.path().join("home"), &memory, 1).await;
    assert!(rows.iter().all(|r| !r.plain.contains("quixotrope")));

    memory.drop_model("other").await.unwrap();
    assert_eq!(state(&memory, "other").await, "not used");
    assert!(memory.drop_model(BUNDLED).await.is_err(), "what is in use stays");
    assert!(!archive::files(&folder.path().join("home")).iter().any(|f| f.to_string_lossy().contains("passages-2")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_no_model_is_refused_in_words() {
    let (folder, memory) = archive::fresh().await;
    let error = memory.add_model(&folder.path().join("nothing")).unwrap_err().to_string();
    assert!(error.contains("nothing") && error.contains("missing"), "{error}");
    assert!(memory.use_model("nothing", &Watch::default()).await.is_err());
    let broken = folder.path().join("broken");
    copy(&broken, "broken");
    std::fs::write(broken.join("model.gguf"), b"no weights").unwrap();
    let error = memory.add_model(&broken).unwrap_err().to_string();
    assert!(error.contains("model.gguf"), "{error}");
}
