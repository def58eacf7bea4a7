//! The archive's own statistics: sums over static vectors, kept beside the tables.
//!
//! They correct each query (embedder.md §3.1). They are written after each commit of passages, with
//! the version of the table that they count; where the two differ (a kill between), they are counted
//! anew from the stored vectors, so a forgotten text never stays in them.

use crate::MemoryError;
use evoke_embed::{Correction, Prior, Statistics};
use evoke_store::{Store, Vault};
use std::sync::Arc;

const FILE: &str = "statistics";

/// The sums, and the correction made from them.
pub(crate) struct Kept {
    sums: Statistics,
    /// Made when a query asks, since it takes the eigenvectors of a large matrix.
    correction: Option<Arc<Correction>>,
}

impl Kept {
    /// Reads the sums, or counts them anew where they are not of this version of the passages.
    pub(crate) async fn open(vault: &Vault, store: &Store, dims: usize) -> Result<Kept, MemoryError> {
        let version = store.versions().await?.passages;
        if let Ok(Some(bytes)) = vault.read_sealed(FILE)
            && let Some((head, sums)) = bytes.split_first_chunk::<8>()
            && u64::from_le_bytes(*head) == version
            && let Ok(sums) = Statistics::from_bytes(sums)
        {
            return Ok(Kept { sums, correction: None });
        }
        let mut sums = Statistics::new(dims);
        store.meanings(|vector| sums.add(vector)).await?;
        Ok(Kept { sums, correction: None })
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
    pub(crate) async fn write(&self, vault: &Vault, store: &Store) -> Result<(), MemoryError> {
        let mut bytes = store.versions().await?.passages.to_le_bytes().to_vec();
        bytes.extend(self.sums.to_bytes());
        Ok(vault.write_sealed(FILE, &bytes)?)
    }
}
