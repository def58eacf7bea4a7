//! Vectors of texts: `embed MODEL OUT < LINES`. A line is `{"k": "p" or "q", "t": text}`; OUT gets
//! half-precision rows in the order of the lines.

use anyhow::{Context, Result};
use evoke_embed::{Device, Embedder, Side};
use serde_json::Value;
use std::io::{BufRead, BufWriter, Write};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (model, out) = arguments.next().zip(arguments.next()).context("embed MODEL OUT")?;
    let embedder = Embedder::open(model.as_ref(), Device::Cpu)?;
    let mut out = BufWriter::new(std::fs::File::create(out)?);
    let lines: Vec<Value> =
        std::io::stdin().lock().lines().map(|l| Ok(serde_json::from_str(&l?)?)).collect::<Result<_>>()?;
    for group in lines.chunks(256) {
        let mut rows = vec![Vec::new(); group.len()];
        for (kind, side) in [("p", Side::Passage), ("q", Side::Query)] {
            let at: Vec<usize> = (0..group.len()).filter(|i| group[*i]["k"] == kind).collect();
            let texts: Vec<&str> = at.iter().map(|i| group[*i]["t"].as_str().unwrap_or_default()).collect();
            if texts.is_empty() {
                continue;
            }
            for (i, vector) in at.into_iter().zip(embedder.embed(&texts, side)?) {
                rows[i] = vector.values;
            }
        }
        for value in rows.iter().flatten() {
            out.write_all(&half::f16::from_f32(*value).to_le_bytes())?;
        }
    }
    Ok(out.flush()?)
}
