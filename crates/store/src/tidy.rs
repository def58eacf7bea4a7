//! Indexes, compaction and the removal of old versions. The caller holds the writer's lock.
//!
//! Two depths: `tidy` keeps searches quick and leaves recent versions to readers; `erase` leaves nothing
//! of deleted rows in any file: fragments are rewritten without them, word indexes are built anew
//! (whether deleted words survive in an updated one was never shown), and all old versions are pruned.

use crate::{Passages, Store, StoreError};
use lance::dataset::optimize::CompactionOptions;
use lance_index::{optimize::OptimizeOptions, scalar::InvertedIndexParams};
use lancedb::{
    DistanceType, Table,
    index::{
        Index,
        scalar::{BTreeIndexBuilder, BitmapIndexBuilder},
        vector::IvfSqIndexBuilder,
    },
    table::{Duration, OptimizeAction},
};

/// Passages from which an IVF index answers sooner than an exact scan (benches/README.md).
const VECTOR_INDEX_FROM: usize = 60_000;
/// Old versions younger than this stay for readers of other processes.
/// Milliseconds.
const GRACE: i64 = 600_000;

/// Parts of an index that are left as they are.
const PARTS: u32 = 8;

/// What stands after tidying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tidied {
    /// The vectors are searched through an IVF index.
    pub vector_index: bool,
}

/// A column and the index it wants.
enum Wanted {
    Words,
    BTree,
    Bitmap,
}

const MESSAGES: [(&str, Wanted); 7] = [
    ("words", Wanted::Words),
    ("id", Wanted::BTree),
    ("time", Wanted::BTree),
    ("conversation", Wanted::BTree),
    ("person", Wanted::BTree),
    ("source", Wanted::Bitmap),
    ("kind", Wanted::Bitmap),
];
const PASSAGES: [(&str, Wanted); 7] = [
    ("context_words", Wanted::Words),
    ("message", Wanted::BTree),
    ("time", Wanted::BTree),
    ("conversation", Wanted::BTree),
    ("person", Wanted::BTree),
    ("source", Wanted::Bitmap),
    ("kind", Wanted::Bitmap),
];

impl Store {
    /// Makes the indexes that are missing and adds new rows to those that stand.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        for table in self.all() {
            compact(table, false).await?;
        }
        index(&self.messages, &MESSAGES, false).await?;
        for table in self.all() {
            gather(table).await?;
            prune(table, GRACE, false).await?;
        }
        Ok(())
    }

    /// Indexes of the messages alone, so that a large import is searched quickly while it is still saved or read for
    /// meaning. New rows become a part of their own, together with as many of the newest `parts`.
    pub async fn index_messages(&self, parts: usize) -> Result<(), StoreError> {
        index(&self.messages, &MESSAGES, false).await?;
        self.messages.optimize(OptimizeAction::Index(OptimizeOptions::merge(parts))).await?;
        Ok(())
    }

    /// Leaves nothing of deleted rows on disk.
    pub async fn erase(&self) -> Result<(), StoreError> {
        for table in self.all() {
            compact(table, true).await?;
        }
        index(&self.messages, &MESSAGES, true).await?;
        for table in self.all() {
            prune(table, 0, true).await?;
        }
        Ok(())
    }
}

impl Passages {
    /// As [`Store::tidy`]. `vectors` allows an IVF index, whose building writes to the temporary directory
    /// in the clear: the caller says no where that is not private memory.
    pub async fn tidy(&self, vectors: bool) -> Result<Tidied, StoreError> {
        for table in self.all() {
            compact(table, false).await?;
        }
        index(&self.table, &PASSAGES, false).await?;
        let vector_index = self.vector_index(vectors).await?;
        for table in self.all() {
            gather(table).await?;
            prune(table, GRACE, false).await?;
        }
        Ok(Tidied { vector_index })
    }

    /// As [`Store::erase`].
    pub async fn erase(&self, vectors: bool) -> Result<Tidied, StoreError> {
        for table in self.all() {
            compact(table, true).await?;
        }
        index(&self.table, &PASSAGES, true).await?;
        drop_vector_indexes(&self.table).await?;
        let vector_index = self.vector_index(vectors).await?;
        for table in self.all() {
            prune(table, 0, true).await?;
        }
        Ok(Tidied { vector_index })
    }

    async fn vector_index(&self, allowed: bool) -> Result<bool, StoreError> {
        let present = indexed(&self.table).await?;
        if present.iter().any(|c| c == "meaning") {
            return Ok(true);
        }
        if !allowed || self.table.count_rows(None).await? < VECTOR_INDEX_FROM {
            return Ok(false);
        }
        for column in ["meaning", "context"] {
            let builder = IvfSqIndexBuilder::default().distance_type(DistanceType::Cosine);
            self.table.create_index(&[column], Index::IvfSq(builder)).execute().await?;
        }
        Ok(true)
    }
}

async fn index(table: &Table, wanted: &[(&str, Wanted)], anew: bool) -> Result<(), StoreError> {
    if table.count_rows(None).await? == 0 {
        return drop_indexes(table).await;
    }
    let present = indexed(table).await?;
    for (column, kind) in wanted {
        if !anew && present.iter().any(|c| c == column) {
            continue;
        }
        let index = match kind {
            Wanted::Words => Index::FTS(word_index()?),
            Wanted::BTree => Index::BTree(BTreeIndexBuilder::default()),
            Wanted::Bitmap => Index::Bitmap(BitmapIndexBuilder::default()),
        };
        table.create_index(&[*column], index).replace(true).execute().await?;
    }
    Ok(())
}

/// Adds new rows to the indexes as parts of their own; where there are many parts already, all become one. Left to
/// itself LanceDB would write the newest part anew with each addition, which is the whole index where it is one part.
async fn gather(table: &Table) -> Result<(), StoreError> {
    let (mut few, mut many, mut vectors, mut most) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for index in table.list_indices().await? {
        let parts = table.index_stats(&index.name).await?.and_then(|stats| stats.num_indices).unwrap_or_default();
        let is_vector = index.columns.iter().any(|c| c == "meaning" || c == "context");
        most = most.max(parts as usize);
        match () {
            () if is_vector => vectors.push(index.name),
            () if parts > PARTS => many.push(index.name),
            () => few.push(index.name),
        }
    }
    let of_all =
        [(few, OptimizeOptions::append()), (many, OptimizeOptions::merge(most)), (vectors, OptimizeOptions::default())];
    for (names, options) in of_all.into_iter().filter(|(names, _)| !names.is_empty()) {
        table.optimize(OptimizeAction::Index(options.index_names(names))).await?;
    }
    Ok(())
}

/// The index takes tokens as they are: folding, stemming and two-character tokens are the memory's,
/// the same for every language and for the query.
fn word_index() -> Result<InvertedIndexParams, StoreError> {
    Ok(InvertedIndexParams::default()
        .base_tokenizer("whitespace".to_owned())
        .lower_case(false)
        .stem(false)
        .remove_stop_words(false)
        .ascii_folding(false)
        .max_token_length(None)
        .with_position(false))
}

async fn indexed(table: &Table) -> Result<Vec<String>, StoreError> {
    Ok(table.list_indices().await?.into_iter().flat_map(|i| i.columns).collect())
}

async fn drop_indexes(table: &Table) -> Result<(), StoreError> {
    for index in table.list_indices().await? {
        table.drop_index(&index.name).await?;
    }
    Ok(())
}

async fn drop_vector_indexes(table: &Table) -> Result<(), StoreError> {
    for index in table.list_indices().await? {
        if index.columns.iter().any(|c| c == "meaning" || c == "context") {
            table.drop_index(&index.name).await?;
        }
    }
    Ok(())
}

async fn compact(table: &Table, all: bool) -> Result<(), StoreError> {
    let options = CompactionOptions {
        materialize_deletions: true,
        materialize_deletions_threshold: if all { 0.0 } else { 0.1 },
        ..CompactionOptions::default()
    };
    table.optimize(OptimizeAction::Compact { options, remap_options: None }).await?;
    Ok(())
}

async fn prune(table: &Table, age: i64, unverified: bool) -> Result<(), StoreError> {
    let older_than = Duration::try_milliseconds(age);
    table
        .optimize(OptimizeAction::Prune {
            older_than,
            delete_unverified: Some(unverified),
            error_if_tagged_old_versions: None,
        })
        .await?;
    Ok(())
}
