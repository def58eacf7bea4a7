//! What sealing costs: the same reads and writes on plain files and in a vault, warm.
//! `cargo run -p evoke-vault --example sealed_files`
#![allow(clippy::print_stdout)]

use anyhow::Result;
use bytes::Bytes;
use evoke_vault::{Secret, Vault};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

const MIB: usize = 1024 * 1024;
const LONG: usize = 256 * MIB;
const PART: usize = 5 * MIB;
const READS: usize = 4000;
const SMALL: usize = 100;

#[tokio::main]
async fn main() -> Result<()> {
    let root = tempfile::tempdir()?;
    let plain = |name: &str, fsync| -> Result<Arc<dyn ObjectStore>> {
        let path = root.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(Arc::new(LocalFileSystem::new_with_prefix(path)?.with_fsync(fsync)))
    };
    let vault = Vault::create(&root.path().join("home"), Secret::KeyFile)?.object_store("db")?;
    for (name, store) in [("plain", plain("a", false)?), ("plain, fsync", plain("b", true)?), ("vault", vault)] {
        measure(name, &*store).await?;
    }
    Ok(())
}

async fn measure(name: &str, store: &dyn ObjectStore) -> Result<()> {
    let long = Path::from("long");
    let part = Bytes::from((0..PART).map(|i| (i.wrapping_mul(2_654_435_761) >> 9) as u8).collect::<Vec<_>>());
    let began = Instant::now();
    let mut upload = store.put_multipart(&long).await?;
    for start in (0..LONG).step_by(PART) {
        upload.put_part(part.slice(..PART.min(LONG - start)).into()).await?;
    }
    upload.complete().await?;
    rate(name, "write in parts", LONG, began);

    for step in [LONG, MIB] {
        let began = Instant::now();
        for start in (0..LONG).step_by(step) {
            store.get_range(&long, start as u64..(start + step) as u64).await?;
        }
        rate(name, if step == LONG { "read as a whole" } else { "read, 1 MiB each" }, LONG, began);
    }

    let places: Vec<Range<u64>> = (0..READS as u64)
        .map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (LONG as u64 - 4096))
        .map(|start| start..start + 4096)
        .collect();
    let began = Instant::now();
    for place in &places {
        store.get_range(&long, place.clone()).await?;
    }
    each(name, "4 KiB anywhere", READS, began);
    let began = Instant::now();
    for batch in places.chunks(64) {
        store.get_ranges(&long, batch).await?;
    }
    each(name, "4 KiB anywhere, 64 a call", READS, began);

    let small = |i: usize| Path::from(format!("small/{i}"));
    let began = Instant::now();
    for i in 0..SMALL {
        store.put(&small(i), part.slice(..10_000).into()).await?;
    }
    each(name, "write 10 kB", SMALL, began);
    for round in ["first read of 10 kB", "second read of 10 kB"] {
        let began = Instant::now();
        for i in 0..SMALL {
            store.get(&small(i)).await?.bytes().await?;
        }
        each(name, round, SMALL, began);
    }
    Ok(())
}

fn rate(name: &str, what: &str, bytes: usize, began: Instant) {
    println!("{name:14} {what:28} {:8.0} MB/s", bytes as f64 / 1e6 / began.elapsed().as_secs_f64());
}

fn each(name: &str, what: &str, times: usize, began: Instant) {
    println!("{name:14} {what:28} {:8.1} µs", began.elapsed().as_secs_f64() * 1e6 / times as f64);
}
