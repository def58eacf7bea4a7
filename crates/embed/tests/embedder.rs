//! The shipped model against golden vectors that an independent implementation made of the original
//! weights (training/golden.py), and what happens when its files are not as they should be.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use evoke_embed::{Arithmetic, Device, EmbedError, Embedder, Side, Vector};
use serde::Deserialize;
use tempfile::TempDir;

#[derive(Deserialize)]
struct Golden {
    text: String,
    side: String,
    cut: bool,
    tokens: usize,
    vector: Vec<f32>,
}

impl Golden {
    fn side(&self) -> Side {
        if self.side == "query" { Side::Query } else { Side::Passage }
    }
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("golden.json")).unwrap()
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/evoke-e5-small")
}

/// Opened once for all tests that only read.
static SHIPPED: LazyLock<Embedder> = LazyLock::new(|| Embedder::open(&model(), Device::Cpu).unwrap());

fn embedder() -> &'static Embedder {
    &SHIPPED
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn assert_equal(a: &Vector, b: &Vector, what: &str) {
    assert_eq!((a.tokens, a.cut), (b.tokens, b.cut), "{what}");
    let apart = a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-5, "{what}: {apart}");
}

/// In f32 the vectors are those of the independent implementation; in eight bits they stay close to them.
#[test]
fn vectors_are_those_of_the_independent_implementation() {
    let exact = Embedder::open_with(&model(), Device::Cpu, Arithmetic::F32).unwrap();
    for (embedder, least) in [(&exact, 0.999), (embedder(), 0.995)] {
        for (case, vector) in golden().iter().zip(golden_vectors(embedder)) {
            let likeness = cosine(&case.vector, &vector.values);
            assert!(likeness > least, "{} {:?}: {likeness}", case.side, case.text);
            assert_eq!((vector.tokens, vector.cut), (case.tokens, case.cut), "{:?}", case.text);
            assert!((cosine(&vector.values, &vector.values) - 1.0).abs() < 1e-5);
        }
    }
    assert_ne!(exact.fingerprint(), embedder().fingerprint());
}

/// The vectors of all golden texts, in their order.
fn golden_vectors(embedder: &Embedder) -> Vec<Vector> {
    let golden = golden();
    let mut vectors: Vec<(usize, Vector)> = Vec::new();
    for side in [Side::Query, Side::Passage] {
        let of_side = || golden.iter().enumerate().filter(|(_, case)| case.side() == side);
        let texts: Vec<&str> = of_side().map(|(_, case)| case.text.as_str()).collect();
        assert!(texts.len() >= 40);
        vectors.extend(of_side().map(|(at, _)| at).zip(embedder.embed(&texts, side).unwrap()));
    }
    vectors.sort_by_key(|(at, _)| *at);
    vectors.into_iter().map(|(_, vector)| vector).collect()
}

#[test]
fn a_batch_equals_its_texts_one_by_one_in_any_order() {
    let (golden, embedder) = (golden(), embedder());
    let mut texts: Vec<&str> = golden.iter().step_by(5).map(|case| case.text.as_str()).collect();
    let forwards = embedder.embed(&texts, Side::Passage).unwrap();
    for (text, vector) in texts.iter().zip(&forwards) {
        let alone = embedder.embed(&[text], Side::Passage).unwrap();
        assert_equal(&alone[0], vector, text);
    }
    texts.reverse();
    let backwards = embedder.embed(&texts, Side::Passage).unwrap();
    for ((text, vector), other) in texts.iter().zip(&backwards).zip(forwards.iter().rev()) {
        assert_equal(vector, other, text);
    }
}

#[test]
fn a_clone_in_another_thread_gives_the_same() {
    let embedder = embedder();
    let here = embedder.embed(&["The key is under the mat."], Side::Query).unwrap();
    let clone = embedder.clone();
    let there = std::thread::spawn(move || clone.embed(&["The key is under the mat."], Side::Query));
    assert_eq!(there.join().unwrap().unwrap(), here);
}

#[test]
fn no_texts_give_no_vectors() {
    assert_eq!(embedder().embed(&[], Side::Passage).unwrap(), []);
}

#[test]
fn a_query_finds_its_passage_across_languages() {
    let embedder = embedder();
    let query = embedder.embed(&["Wo ist der Ersatzschlüssel?"], Side::Query).unwrap();
    let passages = ["The spare key is under the flower pot.", "Dinner was great, thank you!", "明天下午三点开会。"];
    let passages = embedder.embed(&passages, Side::Passage).unwrap();
    let scores: Vec<f32> = passages.iter().map(|passage| cosine(&query[0].values, &passage.values)).collect();
    assert!(scores[0] > scores[1] && scores[0] > scores[2], "{scores:?}");
}

#[test]
fn a_very_long_text_is_read_up_to_the_limit() {
    let word = "umbrella ";
    let (long, enough) = (word.repeat(1_000_000 / word.len()), word.repeat(600));
    let vectors = embedder().embed(&[&long, &enough], Side::Passage).unwrap();
    assert_eq!((vectors[0].tokens, vectors[0].cut), (512, true));
    assert_equal(&vectors[0], &vectors[1], "beginning");
}

#[test]
fn the_model_says_what_it_is() {
    let embedder = embedder();
    assert_eq!((embedder.name(), embedder.dims()), ("evoke-e5-small", 384));
    assert!(embedder.device().starts_with("CPU, "));
    assert_eq!(embedder.fingerprint().len(), 64);
    assert_eq!(embedder.fingerprint(), Embedder::open(&model(), Device::Cpu).unwrap().fingerprint());
}

/// A copy of the shipped model, to be damaged.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json", "model.gguf"] {
        fs::copy(model().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn refused(dir: &TempDir, name: &str) -> EmbedError {
    let error = Embedder::open(dir.path(), Device::Cpu).err().unwrap();
    assert!(error.to_string().contains(name), "{error}");
    error
}

#[test]
fn a_missing_file_is_named() {
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(refused(&empty, "config.json"), EmbedError::Missing(_)));
    for name in ["config.json", "tokenizer.json", "model.gguf"] {
        let copy = copy();
        fs::remove_file(copy.path().join(name)).unwrap();
        assert!(matches!(refused(&copy, name), EmbedError::Missing(_)));
    }
}

#[test]
fn a_broken_file_is_named() {
    for name in ["config.json", "tokenizer.json", "model.gguf", "prior.safetensors"] {
        let copy = copy();
        for garbage in ["", "garbage", "{\"a\": [1, 2", "GGUF\u{3}\0\0\0garbage that goes on for a while"] {
            fs::write(copy.path().join(name), garbage).unwrap();
            assert!(matches!(refused(&copy, name), EmbedError::Broken { .. }));
        }
    }
}

#[test]
fn weights_cut_short_anywhere_are_refused() {
    let copy = copy();
    let path = copy.path().join("model.gguf");
    let whole = fs::metadata(&path).unwrap().len();
    for length in [whole - 1_000, whole / 2, 1_000_000, 10_000, 3_000, 100, 9] {
        fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        assert!(matches!(refused(&copy, "model.gguf"), EmbedError::Broken { .. }), "{length}");
    }
}

#[test]
fn another_configuration_is_another_fingerprint_and_must_fit_the_weights() {
    let copy = copy();
    let path = copy.path().join("config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("query: ", "search: ")).unwrap();
    let other = Embedder::open(copy.path(), Device::Cpu).unwrap();
    assert_ne!(other.fingerprint(), embedder().fingerprint());
    for (from, to) in
        [("\"hidden_size\": 384", "\"hidden_size\": 768"), ("\"num_hidden_layers\": 12", "\"num_hidden_layers\": 13")]
    {
        fs::write(&path, config.replace(from, to)).unwrap();
        assert!(matches!(refused(&copy, "model.gguf"), EmbedError::Broken { .. }));
    }
}
