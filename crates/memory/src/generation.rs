//! Generations: what one model made of all messages, with its own tables and sums.
//!
//! A new model is built beside the one in use. Searches go on with the old until the new has read all, then
//! one sealed file is replaced and the new is in use; the old is kept, so that going back is as quick. Which
//! models there are is `models.rs`'s, reading is `reading.rs`'s.

use crate::{MemoryError, statistics::Kept};
use anyhow::Context;
use evoke_embed::Embedder;
use evoke_message::ConversationId;
use evoke_store::{Passages, Sizes, Store, Vault};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
};

/// The sealed file that says which generations there are.
const FILE: &str = "generations";

/// One generation as it is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    /// Name of the model.
    pub(crate) model: String,
    /// Of the model that made its vectors; empty until the first was made.
    pub(crate) fingerprint: String,
    vector: usize,
    seed: usize,
    state: usize,
    /// Everything was read once; what came later may still wait.
    pub(crate) complete: bool,
}

/// All generations of a Home.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Number of the one that searches use.
    pub(crate) active: u32,
    pub(crate) all: Vec<Entry>,
}

impl Ledger {
    /// A Home that never changed its model has no such file, and one generation.
    pub(crate) fn read(vault: &Vault, first: impl FnOnce() -> (String, Sizes)) -> Result<Ledger, MemoryError> {
        match vault.read_sealed(FILE)? {
            Some(bytes) => Ok(serde_json::from_slice(&bytes).context("the list of generations cannot be read")?),
            None => {
                let (model, sizes) = first();
                let entry = Entry { complete: true, ..Entry::new(1, model, sizes) };
                Ok(Ledger { active: 1, all: vec![entry] })
            }
        }
    }

    pub(crate) fn write(&self, vault: &Vault) -> Result<(), MemoryError> {
        let bytes = serde_json::to_vec(self).map_err(anyhow::Error::from)?;
        Ok(vault.write_sealed(FILE, &bytes)?)
    }

    pub(crate) fn entry(&mut self, number: u32) -> Option<&mut Entry> {
        self.all.iter_mut().find(|e| e.number == number)
    }

    pub(crate) fn next(&self) -> u32 {
        self.all.iter().map(|e| e.number).max().unwrap_or(0) + 1
    }
}

impl Entry {
    pub(crate) fn new(number: u32, model: String, sizes: Sizes) -> Entry {
        let Sizes { vector, seed, state } = sizes;
        Entry { number, model, fingerprint: String::new(), vector, seed, state, complete: false }
    }

    fn sizes(&self) -> Sizes {
        Sizes { vector: self.vector, seed: self.seed, state: self.state }
    }
}

/// An opened generation.
pub(crate) struct Generation {
    pub(crate) number: u32,
    pub(crate) model: String,
    pub(crate) passages: Passages,
    pub(crate) statistics: tokio::sync::Mutex<Kept>,
    /// The model, opened when it is first needed.
    pub(crate) embedder: tokio::sync::OnceCell<Embedder>,
    /// The vectors are searched through an index.
    pub(crate) vector_index: AtomicBool,
    /// Conversations that were asked to wait since their reading began.
    asked: Mutex<HashSet<ConversationId>>,
}

impl Generation {
    /// Has conversations read, before or after what is being read now.
    pub(crate) async fn wait_for(&self, conversations: &[ConversationId]) -> Result<(), MemoryError> {
        self.asked().extend(conversations);
        Ok(self.passages.add_waiting(conversations).await?)
    }

    /// Reading of a conversation begins: what is asked from now on is not part of it.
    pub(crate) fn begin(&self, conversation: ConversationId) {
        self.asked().remove(&conversation);
    }

    /// True where a conversation was asked to wait after its reading began.
    pub(crate) fn changed(&self, conversation: ConversationId) -> bool {
        self.asked().contains(&conversation)
    }

    fn asked(&self) -> MutexGuard<'_, HashSet<ConversationId>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn open(
        entry: &Entry,
        vault: &Vault,
        store: &Store,
        writes: bool,
    ) -> Result<Arc<Generation>, MemoryError> {
        let passages = store.passages(entry.number, entry.sizes(), writes).await?;
        let statistics = Kept::open(vault, entry.number, &passages, entry.vector).await?;
        Ok(Arc::new(Generation {
            number: entry.number,
            model: entry.model.clone(),
            passages,
            statistics: tokio::sync::Mutex::new(statistics),
            embedder: tokio::sync::OnceCell::new(),
            vector_index: false.into(),
            asked: Mutex::default(),
        }))
    }
}

/// The generations of an opened archive.
#[derive(Clone)]
pub(crate) struct Generations {
    pub(crate) ledger: Ledger,
    /// The one in use.
    pub(crate) active: Arc<Generation>,
    /// Kept from before, or being built.
    pub(crate) others: Vec<Arc<Generation>>,
}

impl Generations {
    pub(crate) async fn open(
        ledger: Ledger,
        vault: &Vault,
        store: &Store,
        writes: bool,
    ) -> Result<Generations, MemoryError> {
        let mut active = None;
        let mut others = Vec::new();
        for entry in &ledger.all {
            if entry.number == ledger.active {
                active = Some(Generation::open(entry, vault, store, writes).await?);
            } else if writes {
                others.push(Generation::open(entry, vault, store, writes).await?);
            }
        }
        let active = active.context("the list of generations does not have the one in use")?;
        Ok(Generations { ledger, active, others })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Generation>> {
        std::iter::once(&self.active).chain(&self.others)
    }
}
