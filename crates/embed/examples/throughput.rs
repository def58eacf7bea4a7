//! How fast the model reads on this machine: texts and tokens a second for several lengths, one text
//! at a time and 32. Where Linux tells, also the processor time a text took over all threads, which is
//! the better number on a busy machine, and the resident memory.
//! `cargo run -p evoke-embed --example throughput [MODEL_DIR] [auto|cpu|cuda|metal]`
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
    println!("resident {}", status("VmRSS").unwrap_or_default());
    println!("{:>6} {:>6} {:>10} {:>10} {:>12}", "tokens", "batch", "texts/s", "tokens/s", "CPU ms/text");
    for tokens in [16, 32, 128, 256, 512] {
        for batch in [1, 32] {
            measure(&embedder, tokens, batch)?;
        }
    }
    println!("resident {}, at most {}", status("VmRSS").unwrap_or_default(), status("VmHWM").unwrap_or_default());
    Ok(())
}

fn measure(embedder: &Embedder, tokens: usize, batch: usize) -> Result<(), evoke_embed::EmbedError> {
    // Two marks and the prefix's three pieces; "rain" is one piece.
    let text = " rain".repeat(tokens - 5);
    let texts = vec![text.as_str(); batch];
    let read: usize = embedder.embed(&texts, Side::Passage)?.iter().map(|vector| vector.tokens).sum();
    let (start, worked, mut rounds) = (Instant::now(), processor_seconds(), 0);
    while start.elapsed() < SPAN {
        embedder.embed(&texts, Side::Passage)?;
        rounds += 1;
    }
    let (rounds, span) = (f64::from(rounds), start.elapsed().as_secs_f64());
    let worked = processor_seconds().zip(worked).map_or(f64::NAN, |(now, then)| now - then);
    println!(
        "{:>6} {batch:>6} {:>10.1} {:>10.0} {:>12.2}",
        read / batch,
        rounds * batch as f64 / span,
        rounds * read as f64 / span,
        worked * 1e3 / (rounds * batch as f64)
    );
    Ok(())
}

/// User and system time of all threads so far (proc(5): fields 14 and 15 of stat, in hundredths).
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / 100.0)
}

fn status(name: &str) -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}
