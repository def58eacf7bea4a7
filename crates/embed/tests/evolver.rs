//! The evolver against the numbers of the training code, and what must hold of any stream.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use evoke_embed::{Arithmetic, Device, Embedder, Evolver, Said, Side, Vector};
use serde::Deserialize;

/// `evolver_golden.json`, made by `training/evolver/export.py` from the weights that ship.
#[derive(Deserialize)]
struct Golden {
    passages: Vec<Passage>,
    queries: Vec<Query>,
}

#[derive(Deserialize)]
struct Passage {
    text: String,
    seeds: Vec<f32>,
    o: Vec<f32>,
}

#[derive(Deserialize)]
struct Query {
    text: String,
    seeds: Vec<f32>,
    /// Read after the stream, and alone.
    memory: Vec<f32>,
    alone: Vec<f32>,
    lambda: f32,
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

fn folder() -> PathBuf {
    models().join("evoke-e5-small-evolved")
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("evolver_golden.json")).unwrap()
}

fn opened(arithmetic: Arithmetic) -> Embedder {
    Embedder::open_with(&folder(), Device::Cpu, arithmetic).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn said(vector: &Vector) -> Said<'_> {
    Said { vector: &vector.values, seed: &vector.seed }
}

fn states(evolver: &Evolver, passages: &[Vector]) -> Vec<Vec<f32>> {
    evolver.stream().read(&passages.iter().map(said).collect::<Vec<_>>()).unwrap()
}

fn embedded(embedder: &Embedder, texts: &[&str]) -> Vec<Vector> {
    embedder.embed(texts, Side::Passage).unwrap()
}

const LIFE: [&str; 6] = [
    "Mira: We finally signed the lease, I live in Porto now.",
    "Jonas: Congratulations! Bring me some wine.",
    "Mira: My sister still lives in Ghent.",
    "Mira: The new place in Lisbon has no heating at all.",
    "Jonas: Did you see the match yesterday?",
    "Mira: Ich bin wieder in Porto, der Balkon hat Sonne.",
];

#[test]
fn vectors_are_those_of_the_training_code() {
    let embedder = opened(Arithmetic::F32);
    let evolver = embedder.evolver().unwrap();
    let golden = golden();
    assert!(golden.len() >= 4);
    for stream in golden {
        let texts: Vec<&str> = stream.passages.iter().map(|p| p.text.as_str()).collect();
        let passages = embedded(&embedder, &texts);
        // One after another, as they are served.
        let mut memory = evolver.stream();
        for (expected, vector) in stream.passages.iter().zip(&passages) {
            assert!(cosine(&vector.seed, &expected.seeds) > 0.999, "{}", expected.text);
            let state = memory.read(&[said(vector)]).unwrap().remove(0);
            assert!(cosine(&state, &expected.o) > 0.999, "{} {}", cosine(&state, &expected.o), expected.text);
        }
        for expected in &stream.queries {
            let query = embedder.embed(&[&expected.text], Side::Query).unwrap().remove(0);
            assert!(cosine(&query.seed, &expected.seeds) > 0.999, "{}", expected.text);
            assert!(cosine(&memory.ask(said(&query)).unwrap(), &expected.memory) > 0.999, "{}", expected.text);
            assert!(cosine(&evolver.stream().ask(said(&query)).unwrap(), &expected.alone) > 0.999);
            let wanted = evolver.wanted(said(&query)).unwrap();
            assert!((wanted.lambda - expected.lambda).abs() < 0.01, "{} {:?}", expected.text, wanted);
        }
    }
}

#[test]
fn eight_bits_give_nearly_the_same_states() {
    let embedder = opened(Arithmetic::Int8);
    let evolver = embedder.evolver().unwrap();
    for stream in golden() {
        let texts: Vec<&str> = stream.passages.iter().map(|p| p.text.as_str()).collect();
        let states = states(evolver, &embedded(&embedder, &texts));
        for (state, expected) in states.iter().zip(&stream.passages) {
            assert!(cosine(state, &expected.o) > 0.97, "{} {}", cosine(state, &expected.o), expected.text);
        }
    }
}

#[test]
fn a_state_depends_on_what_came_before_and_on_nothing_after() {
    let embedder = opened(Arithmetic::Int8);
    let evolver = embedder.evolver().unwrap();
    let passages = embedded(&embedder, &LIFE);
    let all = states(evolver, &passages);
    for end in 1..passages.len() {
        let part = states(evolver, &passages[..end]);
        assert!(part.iter().zip(&all).all(|(a, b)| cosine(a, b) > 0.99999));
    }
    let alone = states(evolver, &passages[3..4]);
    assert!(cosine(&alone[0], &all[3]) < 0.9999, "the memory changes nothing");
}

#[test]
fn the_memory_is_bounded_and_how_it_is_read_changes_nothing() {
    let embedder = opened(Arithmetic::Int8);
    let evolver = embedder.evolver().unwrap();
    let window = evolver.sizes().window;
    let passages: Vec<Vector> = embedded(&embedder, &LIFE).into_iter().cycle().take(2 * window + 5).collect();
    let at_once = states(evolver, &passages);
    let mut stream = evolver.stream();
    let one_by_one: Vec<Vec<f32>> = passages.iter().map(|p| stream.read(&[said(p)]).unwrap().remove(0)).collect();
    assert!(at_once.iter().zip(&one_by_one).all(|(a, b)| cosine(a, b) > 0.99999));
    // With as many blocks as the evolver has, what lies further back than all their windows has no part.
    let last = passages.len() - 1;
    let question = embedder.embed(&["where do I live now"], Side::Query).unwrap().remove(0);
    let asked = stream.ask(said(&question)).unwrap();
    assert_eq!(asked, stream.ask(said(&question)).unwrap(), "asking changes the stream");
    assert!(at_once[last].iter().all(|v| v.is_finite()));
}

/// Of how many directions the states make use: (tr C)² / tr C² of their second moments.
fn effective_rank(states: &[Vec<f32>]) -> f32 {
    let width = states[0].len();
    let mut moments = vec![0.0_f64; width * width];
    for state in states {
        for (i, a) in state.iter().enumerate() {
            for (j, b) in state.iter().enumerate() {
                moments[i * width + j] += f64::from(a * b);
            }
        }
    }
    let trace: f64 = (0..width).map(|i| moments[i * width + i]).sum();
    (trace * trace / moments.iter().map(|m| m * m).sum::<f64>()) as f32
}

#[test]
fn ten_thousand_passages_in_one_stream_neither_drift_nor_grow() {
    let embedder = opened(Arithmetic::Int8);
    let evolver = embedder.evolver().unwrap();
    let things = ["lease", "harbour", "violin", "postcard", "ladder", "almond", "kettle", "passport", "garden", "bill"];
    let texts: Vec<String> = (0..1_000)
        .map(|i| match i % 4 {
            0 => format!("Ana: I have a new {} since last week", things[i / 4 % 10]),
            1 => format!("Jonas: what about the {} of your sister", things[i / 3 % 10]),
            2 => format!("Ana: we gave the {} away, finally", things[i / 7 % 10]),
            _ => format!("Jonas: number {i}, the {} and the {}", things[i / 11 % 10], things[i % 10]),
        })
        .collect();
    let passages = embedded(&embedder, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let said: Vec<Said<'_>> = passages.iter().map(said).collect();
    let mut stream = evolver.stream();
    let first = stream.read(&said).unwrap();
    let size = stream.size();
    let mut last = Vec::new();
    for _ in 1..10 {
        last = stream.read(&said).unwrap();
        assert_eq!(stream.size(), size);
    }
    assert!(last.iter().all(|s| (s.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-4));
    let (early, late) = (effective_rank(&first), effective_rank(&last));
    assert!(late > 0.9 * early && late > 2.0, "effective rank {early} at first, {late} at last");
    // The same thousand read for the tenth time are what they were for the second.
    let again = evolver.stream().read(&said.iter().copied().cycle().take(2_000).collect::<Vec<_>>()).unwrap();
    assert!(last.iter().zip(&again[1_000..]).skip(200).all(|(a, b)| cosine(a, b) > 0.999));
}
