//! How fast the model reads on this machine: texts and tokens a second for several lengths, one text
//! at a time and 32. `cargo run -p evoke-embed --example throughput [MODEL_DIR] [auto|cpu|cuda|metal]`
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use evoke_embed::{Device, Embedder, Side};

/// Each line is measured for at least this long.
const SPAN: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/evoke-e5-small");
    let dir = arguments.next().map_or_else(|| PathBuf::from(shipped), PathBuf::from);
    let device = arguments.next().map_or(Ok(Device::Auto), |name| name.parse())?;

    let start = Instant::now();
    let embedder = Embedder::open(&dir, device)?;
    println!("{}, {}: opened in {:.0} ms", embedder.name(), embedder.device(), start.elapsed().as_secs_f64() * 1e3);
    println!("{:>6} {:>6} {:>10} {:>10}", "tokens", "batch", "texts/s", "tokens/s");
    for tokens in [16, 32, 128, 256, 512] {
        for batch in [1, 32] {
            measure(&embedder, tokens, batch)?;
        }
    }
    Ok(())
}

fn measure(embedder: &Embedder, tokens: usize, batch: usize) -> Result<(), evoke_embed::EmbedError> {
    // Two marks and the prefix's three pieces; "rain" is one piece.
    let text = " rain".repeat(tokens - 5);
    let texts = vec![text.as_str(); batch];
    let read: usize = embedder.embed(&texts, Side::Passage)?.iter().map(|vector| vector.tokens).sum();
    let (start, mut rounds) = (Instant::now(), 0);
    while start.elapsed() < SPAN {
        embedder.embed(&texts, Side::Passage)?;
        rounds += 1;
    }
    let rounds = f64::from(rounds) / start.elapsed().as_secs_f64();
    println!("{:>6} {batch:>6} {:>10.1} {:>10.0}", read / batch, rounds * batch as f64, rounds * read as f64);
    Ok(())
}
