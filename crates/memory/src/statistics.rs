//! The archive's own statistics: sums over static vectors, kept beside the tables.
//!
//! They correct each query (embedder.md §3.1). They are written after each commit of passages, with
//! the version of the table that they count; where the two differ (a kill between), they are counted
//! anew from the stored vectors, so a forgotten text never stays in them.

use crate::MemoryError;
use evoke_embed::{Correction, Prior, Statistics};
use evoke_store::{Passages, Vault};
use std::sync::Arc;

/// The sealed file with the sums of a generation.
fn file(generation: u32) -> String {
    if generation <= 1 { "statistics".to_owned() } else { format!("statistics-{generation}") }
}

/// Takes the sums of a dropped generation away.
pub(crate) fn remove(vault: &Vault, generation: u32) -> Result<(), MemoryError> {
    Ok(vault.remove_sealed(&file(generation))?)
}

/// The sums, and the correction made from them.
pub(crate) struct Kept {
    generation: u32,
    sums: Statistics,
    /// Made when a query asks, since it takes the eigenvectors of a large matrix.
    correction: Option<Arc<Correction>>,
}

impl Kept {
    /// Reads the sums, or counts them anew where they are not of this version of the passages.
    pub(crate) async fn open(
        vault: &Vault,
        generation: u32,
        passages: &Passages,
        dims: usize,
    ) -> Result<Kept, MemoryError> {
        let version = passages.version().await?;
        if let Ok(Some(bytes)) = vault.read_sealed(&file(generation))
            && let Some((head, sums)) = bytes.split_first_chunk::<8>()
            && u64::from_le_bytes(*head) == version
            && let Ok(sums) = Statistics::from_bytes(sums)
        {
            return Ok(Kept { generation, sums, correction: None });
        }
        let mut sums = Statistics::new(dims);
        passages.meanings(|vector| sums.add(vector)).await?;
        Ok(Kept { generation, sums, correction: None })
    }

    /// Takes vectors out and in.
    pub(crate) fn change<'a>(
        &mut self,
        out: impl Iterator<Item = &'a Vec<f32>>,
        within: impl Iterator<Item = &'a Vec<f32>>,
    ) {
        out.filter(|v| !v.is_empty()).for_each(|v| self.sums.subtract(v));
        within.filter(|v| !v.is_empty()).for_each(|v| self.sums.add(v));
        self.correction = None;
    }

    pub(crate) fn correction(&mut self, prior: Option<&Prior>) -> Arc<Correction> {
        self.correction.get_or_insert_with(|| Arc::new(self.sums.correction(prior))).clone()
    }

    /// Writes the sums as those of the passages' present version.
    pub(crate) async fn write(&self, vault: &Vault, passages: &Passages) -> Result<(), MemoryError> {
        let mut bytes = passages.version().await?.to_le_bytes().to_vec();
        bytes.extend(self.sums.to_bytes());
        Ok(vault.write_sealed(&file(self.generation), &bytes)?)
    }
}
