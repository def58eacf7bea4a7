//! What one model made of the messages: passages with their vectors, and the conversations that it still has
//! to read. Each generation has tables of its own, so that a new model is built beside the one in use.
//! Searching is in `search.rs`, writing in `write.rs`, indexes are `tidy.rs`'s.

use crate::{
    PassageRow, StoreError,
    condition::among,
    rows::{id_batch, ids, parsed},
    session,
    tables::{flat, rows},
};
use evoke_message::{ConversationId, MessageId};
use futures::StreamExt;
use lancedb::{
    Connection, Table,
    query::{ExecutableQuery, QueryBase, Select},
};
use std::collections::HashSet;

/// Lengths of what a model makes of a passage; 0 where it makes no such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Values of the static and of the contextual vector.
    pub vector: usize,
    pub seed: usize,
    pub state: usize,
}

/// The tables of one generation. Cheap to clone.
#[derive(Clone)]
pub struct Passages {
    pub(crate) table: Table,
    /// Conversations to be read for meaning.
    pub(crate) waiting: Table,
    pub(crate) sizes: Sizes,
}

/// Names of the tables of a generation; the first has those of the time when there was only one.
fn names(generation: u32) -> [String; 2] {
    ["passages", "waiting"].map(|name| if generation <= 1 { name.to_owned() } else { format!("{name}-{generation}") })
}

impl Passages {
    pub(crate) async fn open(
        connection: &Connection,
        generation: u32,
        sizes: Sizes,
        writer: bool,
    ) -> Result<Passages, StoreError> {
        let [passages, waiting] = names(generation);
        Ok(Passages {
            table: session::table(connection, &passages, PassageRow::batch(&[], sizes)?, writer).await?,
            waiting: session::table(connection, &waiting, id_batch::<ConversationId>(&[])?, writer).await?,
            sizes,
        })
    }

    pub(crate) async fn drop_tables(connection: &Connection, generation: u32) -> Result<(), StoreError> {
        for name in names(generation) {
            match connection.drop_table(&name, &[]).await {
                Ok(()) | Err(lancedb::Error::TableNotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub(crate) fn all(&self) -> [&Table; 2] {
        [&self.table, &self.waiting]
    }

    /// Values of a vector.
    pub fn dims(&self) -> usize {
        self.sizes.vector
    }

    /// Rises with every change of the passages.
    pub async fn version(&self) -> Result<u64, StoreError> {
        Ok(self.table.version().await?)
    }

    pub async fn waiting(&self) -> Result<Vec<ConversationId>, StoreError> {
        let mut all: Vec<ConversationId> = flat(rows(&self.waiting, None, None).await?, ids)?;
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// Message and piece of every passage of a conversation.
    pub async fn pieces_of(&self, id: ConversationId) -> Result<HashSet<(MessageId, i32)>, StoreError> {
        let only = among("conversation", [id.to_string()].iter());
        let mut all = HashSet::new();
        for batch in rows(&self.table, Some(only), Some(&["message", "piece"])).await? {
            let (message, piece) = (crate::columns::texts(&batch, "message")?, crate::columns::ints(&batch, "piece")?);
            for i in 0..batch.num_rows() {
                all.insert((parsed(message.value(i))?, piece.value(i)));
            }
        }
        Ok(all)
    }

    /// Passages of a conversation, vectors and all.
    pub async fn of_conversation(&self, id: ConversationId) -> Result<Vec<PassageRow>, StoreError> {
        let only = among("conversation", [id.to_string()].iter());
        flat(rows(&self.table, Some(only), None).await?, PassageRow::read)
    }

    /// Every passage's message, and whether it has its vectors; streamed.
    pub async fn embedded(&self, mut each: impl FnMut(MessageId, bool)) -> Result<(), StoreError> {
        use arrow_array::Array;
        let select = Select::columns(&["message", "meaning"]);
        let mut stream = self.table.query().select(select).execute().await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let meaning = batch.column_by_name("meaning").cloned();
            for (i, id) in crate::columns::texts(&batch, "message")?.iter().enumerate() {
                let there = meaning.as_ref().is_some_and(|m| m.is_valid(i));
                each(parsed(id.unwrap_or_default())?, there);
            }
        }
        Ok(())
    }

    /// Every static vector; streamed, in no order.
    pub async fn meanings(&self, mut each: impl FnMut(&[f32])) -> Result<(), StoreError> {
        let mut stream = self.table.query().select(Select::columns(&["meaning"])).execute().await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            for i in 0..batch.num_rows() {
                let vector = crate::columns::vector(&batch, "meaning", i)?;
                if !vector.is_empty() {
                    each(&vector);
                }
            }
        }
        Ok(())
    }
}
