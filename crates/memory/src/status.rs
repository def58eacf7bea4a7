//! The state of the archive, true when asked.

use crate::{Memory, MemoryError, offline};
use evoke_message::{Index, Protection, Status};
use std::sync::atomic::Ordering;

impl Memory {
    /// The zone in which times are shown.
    pub fn status_zone(&self) -> jiff::tz::TimeZone {
        self.zone().clone()
    }

    pub async fn status(&self) -> Result<Status, MemoryError> {
        self.refresh().await?;
        let active = self.active();
        let waiting = !active.passages.waiting().await?.is_empty();
        let catalogue = self.catalogue();
        let coverage = catalogue.coverage();
        // Nothing may be called whole while something is still to be read, or read again.
        let percent = if waiting { coverage.percent().min(99) } else { coverage.percent() };
        let vectors = if active.vector_index.load(Ordering::Relaxed) { "IVF_SQ" } else { "exact" };
        let protection = self.0.home.vault.protection();
        let embedder = active.embedder.get();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            home: self.0.home.root.display().to_string(),
            archive: catalogue.archive(),
            index: Index { coverage, percent, vectors: vectors.to_owned() },
            network: offline::network(),
            protection: Protection { kind: protection.kind().to_owned(), sentence: protection.sentence() },
            model: active.model.clone(),
            device: embedder.map_or_else(|| self.0.options.device.describe(), |e| e.device().to_owned()),
            read_only: !self.writes(),
            disk_bytes: self.0.home.bytes(),
            zone: self.zone_name(),
        })
    }
}
