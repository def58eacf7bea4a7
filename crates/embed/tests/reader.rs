//! The reader of pairs against the numbers of the training code, and what it must do with any passages.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use evoke_embed::{Arithmetic, Device, Embedder, Intent, Pair};
use serde::Deserialize;

/// `reader_golden.json`, made by `training/reader/export.py`.
#[derive(Deserialize)]
struct Golden {
    question: String,
    /// What was said before, and the passage.
    passages: Vec<(String, String)>,
    /// Chances of the intents.
    intents: Vec<f32>,
    /// Of each intent, the scores of the passages.
    scores: BTreeMap<String, Vec<f32>>,
}

const INTENTS: [Intent; 9] = [
    Intent::None,
    Intent::Now,
    Intent::Before,
    Intent::First,
    Intent::Last,
    Intent::When,
    Intent::HowOften,
    Intent::Who,
    Intent::AllOf,
];

fn opened(arithmetic: Arithmetic) -> Embedder {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/evoke-e5-small");
    Embedder::open_with(&dir, Device::Cpu, arithmetic).unwrap()
}

fn pairs(passages: &[(String, String)]) -> Vec<Pair<'_>> {
    passages.iter().map(|(before, text)| Pair { before, text }).collect()
}

fn check(arithmetic: Arithmetic, near: f32) {
    let embedder = opened(arithmetic);
    let golden: Vec<Golden> = serde_json::from_str(include_str!("reader_golden.json")).unwrap();
    assert!(golden.len() >= 5);
    for case in golden {
        for (name, expected) in &case.scores {
            let intent = INTENTS.into_iter().find(|i| i.as_str() == name).unwrap();
            let scores = embedder.answers(intent, &case.question, &pairs(&case.passages)).unwrap().unwrap();
            assert_eq!(scores.len(), expected.len());
            for (score, expected) in scores.iter().map(|answer| answer.fits).zip(expected) {
                let off = (score - expected).abs() / (1.0 + expected.abs());
                assert!(off < near, "{score} {expected} {name} {}", case.question);
            }
        }
        let (best, chance) = case.intents.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        let (intent, sure) = embedder.intent(&case.question).unwrap();
        assert_eq!(intent, INTENTS[best], "{}", case.question);
        assert!(intent == Intent::None || (sure - chance).abs() < near, "{sure} {chance}");
    }
}

#[test]
fn pairs_are_read_as_by_the_training_code() {
    check(Arithmetic::F32, 0.002);
}

#[test]
fn eight_bits_change_little() {
    check(Arithmetic::Int8, 0.12);
}

#[test]
fn what_is_asked_of_order_is_known_and_what_is_not_is_left_alone() {
    let embedder = opened(Arithmetic::Int8);
    for (text, intent) in [
        ("where does Ana live now?", Intent::Now),
        ("what was Jonas' first job?", Intent::First),
        ("where did she work before the bakery?", Intent::Before),
    ] {
        assert_eq!(embedder.intent(text).unwrap().0, intent, "{text}");
    }
    for text in [
        "plumber for the kitchen sink",
        "Rezept für Linsensuppe",
        "what is the wifi password",
        "¿qué vino compramos?",
        "",
    ] {
        assert_eq!(embedder.intent(text).unwrap(), (Intent::None, 0.0), "{text}");
    }
}

#[test]
fn passages_of_any_kind_and_number_are_read() {
    let embedder = opened(Arithmetic::Int8);
    assert_eq!(embedder.answers(Intent::Now, "where?", &[]).unwrap(), Some(vec![]));
    let long = "word ".repeat(100_000);
    let many: Vec<Pair> = (0..70)
        .map(|n| Pair { before: if n % 2 == 0 { "" } else { &long }, text: if n % 3 == 0 { "" } else { &long } })
        .collect();
    for intent in INTENTS {
        let scores = embedder.answers(intent, &long, &many).unwrap().unwrap();
        assert!(scores.len() == 70 && scores.iter().all(|score| score.fits.is_finite() && score.states.is_finite()));
    }
    // The others change nothing of what one passage states.
    let alone = embedder.answers(Intent::None, "where?", &many[1..2]).unwrap().unwrap();
    let among = embedder.answers(Intent::None, "where?", &many).unwrap().unwrap();
    assert!((alone[0].states - among[1].states).abs() < 1e-3);
}
