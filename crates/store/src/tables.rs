//! The tables of a Home and what is read from them whole. Searching is in `search.rs`, writing in `write.rs`.

use crate::{
    ImportRow, Known, MessageRow, PassageRow, PersonRow, StoreError,
    condition::among,
    rows::{conversation_batch, conversations, id_batch, ids, met, met_batch, parsed},
    session,
};
use arrow_array::RecordBatch;
use evoke_message::{Conversation, ConversationId, Message, MessageId};
use evoke_vault::Vault;
use futures::{StreamExt, TryStreamExt};
use lancedb::{
    Table,
    query::{ExecutableQuery, QueryBase, Select},
};

/// Version of the tables. Added columns need no new version (`session::with_new_columns`); a change of
/// meaning does, with its step in `evoke-memory`'s home.
pub const SCHEMA: u32 = 1;

/// Ids in one `IN (…)` at most.
const MOST_IDS: usize = 500;

/// The open tables. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) messages: Table,
    pub(crate) passages: Table,
    pub(crate) conversations: Table,
    pub(crate) people: Table,
    pub(crate) imports: Table,
    /// Messages that a later import met again.
    pub(crate) met: Table,
    /// Conversations to be read for meaning.
    pub(crate) waiting: Table,
    /// Messages that a re-import must not bring back.
    pub(crate) forgotten: Table,
    pub(crate) dims: usize,
}

/// Versions of the tables that a copy in memory depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub messages: u64,
    pub passages: u64,
    pub conversations: u64,
    pub people: u64,
}

const NAMES: [&str; 8] = ["messages", "passages", "conversations", "people", "imports", "met", "waiting", "forgotten"];

impl Store {
    /// Opens the tables of a vault; a writer makes what is missing. `dims` is the length of a vector.
    pub async fn open(vault: &Vault, dims: usize, writer: bool) -> Result<Store, StoreError> {
        let connection = session::connection(vault).await?;
        let empty: [RecordBatch; 8] = [
            MessageRow::batch(&[])?,
            PassageRow::batch(&[], dims)?,
            conversation_batch(&[])?,
            PersonRow::batch(&[])?,
            ImportRow::batch(&[])?,
            met_batch(0, &[])?,
            id_batch::<ConversationId>(&[])?,
            id_batch::<MessageId>(&[])?,
        ];
        let mut tables = Vec::new();
        for (name, empty) in NAMES.into_iter().zip(empty) {
            tables.push(if writer {
                session::table(&connection, name, empty).await?
            } else {
                session::existing(&connection, name).await?
            });
        }
        let [messages, passages, conversations, people, imports, met, waiting, forgotten] =
            <[Table; 8]>::try_from(tables).map_err(|_| anyhow::anyhow!("eight tables were to be opened"))?;
        Ok(Store { messages, passages, conversations, people, imports, met, waiting, forgotten, dims })
    }

    pub(crate) fn all(&self) -> [&Table; 8] {
        let Store { messages, passages, conversations, people, imports, met, waiting, forgotten, dims: _ } = self;
        [messages, passages, conversations, people, imports, met, waiting, forgotten]
    }

    pub async fn versions(&self) -> Result<Versions, StoreError> {
        Ok(Versions {
            messages: self.messages.version().await?,
            passages: self.passages.version().await?,
            conversations: self.conversations.version().await?,
            people: self.people.version().await?,
        })
    }

    /// What is held in memory of every message; streamed, in no order.
    pub async fn known(&self, mut each: impl FnMut(Known)) -> Result<(), StoreError> {
        let mut stream = self.messages.query().select(Select::columns(&Known::COLUMNS)).execute().await?;
        while let Some(batch) = stream.next().await {
            Known::read(&batch?)?.into_iter().for_each(&mut each);
        }
        Ok(())
    }

    pub async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for part in ids.chunks(MOST_IDS) {
            let only = among("id", part.iter().map(ToString::to_string));
            for batch in rows(&self.messages, Some(only), Some(&MessageRow::SHOWN)).await? {
                found.extend(MessageRow::read(&batch)?);
            }
        }
        Ok(found)
    }

    /// All messages of a conversation, in no order.
    pub async fn conversation(&self, id: ConversationId) -> Result<Vec<Message>, StoreError> {
        let only = among("conversation", [id.to_string()].iter());
        let mut found = Vec::new();
        for batch in rows(&self.messages, Some(only), Some(&MessageRow::SHOWN)).await? {
            found.extend(MessageRow::read(&batch)?);
        }
        Ok(found)
    }

    pub async fn conversations(&self) -> Result<Vec<Conversation>, StoreError> {
        flat(rows(&self.conversations, None, None).await?, conversations)
    }

    pub async fn people(&self) -> Result<Vec<PersonRow>, StoreError> {
        flat(rows(&self.people, None, None).await?, PersonRow::read)
    }

    pub async fn imports(&self) -> Result<Vec<ImportRow>, StoreError> {
        let mut all = flat(rows(&self.imports, None, None).await?, ImportRow::read)?;
        all.sort_by_key(|i| i.number);
        Ok(all)
    }

    pub async fn waiting(&self) -> Result<Vec<ConversationId>, StoreError> {
        let mut all: Vec<ConversationId> = flat(rows(&self.waiting, None, None).await?, ids)?;
        all.sort();
        all.dedup();
        Ok(all)
    }

    pub async fn forgotten(&self) -> Result<Vec<MessageId>, StoreError> {
        flat(rows(&self.forgotten, None, None).await?, ids)
    }

    /// Which imports met which messages after the one that added them.
    pub async fn met(&self) -> Result<Vec<(MessageId, i64)>, StoreError> {
        flat(rows(&self.met, None, None).await?, met)
    }

    /// Passages of a conversation, vectors and all.
    pub async fn passages(&self, id: ConversationId) -> Result<Vec<PassageRow>, StoreError> {
        let only = among("conversation", [id.to_string()].iter());
        flat(rows(&self.passages, Some(only), None).await?, PassageRow::read)
    }

    /// Every passage's message, and whether it has its vectors; streamed.
    pub async fn embedded(&self, mut each: impl FnMut(MessageId, bool)) -> Result<(), StoreError> {
        use arrow_array::Array;
        let select = Select::columns(&["message", "meaning"]);
        let mut stream = self.passages.query().select(select).execute().await?;
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
        let mut stream = self.passages.query().select(Select::columns(&["meaning"])).execute().await?;
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

pub(crate) async fn rows(
    table: &Table,
    only: Option<String>,
    columns: Option<&[&str]>,
) -> Result<Vec<RecordBatch>, StoreError> {
    let mut query = table.query();
    if let Some(only) = only {
        query = query.only_if(only);
    }
    if let Some(columns) = columns {
        query = query.select(Select::columns(columns));
    }
    Ok(query.execute().await?.try_collect().await?)
}

fn flat<T>(
    batches: Vec<RecordBatch>,
    read: impl Fn(&RecordBatch) -> Result<Vec<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(read(&batch)?);
    }
    Ok(all)
}
