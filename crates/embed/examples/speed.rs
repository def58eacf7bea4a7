//! Texts a second of the shipped model, for texts of so many tokens in batches of so many: a JSON line for
//! each pair. `benches/embedding.py` runs it beside onnxruntime on the same weights.
//!
//!     cargo run -p evoke-embed --example speed -- [--f32 | --evolved] [--seconds 2] [TOKENS:BATCH …]
//!
//! `--evolved`: each 32 texts of a batch are an epoch, read one after another with the latent memory; without
//! it the model is the one that has no such memory.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use evoke_embed::{Arithmetic, Device, Embedder, Said, Side, Vector};

/// Passages that are read with one memory.
const EPOCH: usize = 32;

fn main() -> Result<()> {
    let (mut arithmetic, mut evolved) = (Arithmetic::Int8, false);
    let (mut seconds, mut pairs) = (2.0, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--evolved" => evolved = true,
            "--f32" => arithmetic = Arithmetic::F32,
            "--seconds" => seconds = arguments.next().context("--seconds wants a number")?.parse()?,
            pair => {
                let (tokens, batch) = pair.split_once(':').context("TOKENS:BATCH")?;
                pairs.push((tokens.parse()?, batch.parse()?));
            }
        }
    }
    if pairs.is_empty() {
        pairs = [16, 32, 128, 512].into_iter().flat_map(|tokens| [(tokens, 1), (tokens, 32)]).collect();
    }
    let name = if evolved { "evoke-e5-small-evolved" } else { "evoke-e5-small" };
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name);
    let embedder = Embedder::open_with(&model, Device::Cpu, arithmetic)?;
    for (tokens, batch) in pairs {
        let rate = rate(&embedder, tokens, batch, seconds)?;
        println!(r#"{{"tokens": {tokens}, "batch": {batch}, "texts_per_second": {rate:.1}}}"#);
    }
    Ok(())
}

/// The best of many short runs, as a shared machine only ever adds time.
fn rate(embedder: &Embedder, tokens: usize, batch: usize, seconds: f64) -> Result<f64> {
    let text = text(embedder, tokens)?;
    let texts = vec![text.as_str(); batch];
    let began = Instant::now();
    let mut best = f64::INFINITY;
    while began.elapsed().as_secs_f64() < seconds {
        let run = Instant::now();
        let vectors = embedder.embed(&texts, Side::Passage)?;
        let said = |v| Vec::from_iter(<[Vector]>::iter(v).map(|v| Said { vector: &v.values, seed: &v.seed }));
        embedder.states(&vectors.chunks(EPOCH).map(said).collect::<Vec<_>>())?;
        best = best.min(run.elapsed().as_secs_f64());
    }
    Ok(batch as f64 / best)
}

/// A text of just so many tokens, those of the prefix and the two marks among them: each word is one.
fn text(embedder: &Embedder, tokens: usize) -> Result<String> {
    const WORDS: [&str; 8] = ["we", "see", "the", "house", "and", "go", "to", "school"];
    let of = |count: usize| WORDS.iter().copied().cycle().take(count).collect::<Vec<_>>().join(" ");
    let count = |text: &str| Ok::<_, anyhow::Error>(embedder.embed(&[text], Side::Passage)?[0].tokens);
    let around = count(&of(8))? - 8;
    let text = of(tokens.checked_sub(around).context("too few tokens")?);
    ensure!(count(&text)? == tokens, "no text of {tokens} tokens");
    Ok(text)
}
