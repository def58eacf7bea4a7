//! The tables of a Home and what is read from them whole. Searching is in `search.rs`, writing in `write.rs`;
//! what a model made of the messages has tables of its own, see `passages.rs`.

use crate::{
    ContactRow, EarlierRow, ImportRow, Known, MergeRow, MessageRow, Passages, PersonRow, SameRow, Sizes, StoreError,
    columns::longs,
    condition::among,
    records::{lost_batch, met_batch},
    rows::{conversation_batch, conversations, id_batch, ids},
    session,
};
use arrow_array::RecordBatch;
use evoke_message::{Conversation, ConversationId, Message, MessageId};
use evoke_vault::Vault;
use futures::{StreamExt, TryStreamExt};
use lancedb::{
    Connection, Table,
    query::{ExecutableQuery, QueryBase, Select},
};
use std::collections::HashMap;

/// Version of the tables. Added columns need no new version (`session::with_new_columns`); a change of
/// meaning, or a new table, does, with its step in `evoke-memory`'s `upgrade.rs`.
pub const SCHEMA: u32 = 2;

/// Ids in one `IN (…)` at most.
const MOST_IDS: usize = 500;

/// The open tables. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    connection: Connection,
    pub(crate) messages: Table,
    pub(crate) conversations: Table,
    pub(crate) people: Table,
    pub(crate) imports: Table,
    /// Messages that a later import met again.
    pub(crate) met: Table,
    /// Messages that a re-import must not bring back.
    pub(crate) forgotten: Table,
    /// What lists of contacts say.
    pub(crate) contacts: Table,
    /// Which people are one.
    pub(crate) merges: Table,
    /// Copies of messages, from another exporter of the same chat.
    pub(crate) same: Table,
    /// What rows were before an import changed them.
    pub(crate) earlier: Table,
    /// Records of imports that were not kept.
    pub(crate) lost: Table,
}

/// Versions of the tables that a copy in memory depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub messages: u64,
    pub conversations: u64,
    pub people: u64,
    pub contacts: u64,
    pub merges: u64,
    pub same: u64,
}

/// Tables of a `Store`.
const TABLES: usize = 11;
const NAMES: [&str; TABLES] = [
    "messages",
    "conversations",
    "people",
    "imports",
    "met",
    "forgotten",
    "contacts",
    "merges",
    "same",
    "earlier",
    "lost",
];

impl Store {
    /// Opens the tables of a vault; a writer makes what is missing.
    pub async fn open(vault: &Vault, writer: bool) -> Result<Store, StoreError> {
        Store::open_for(vault, writer, false).await
    }

    /// The same; for `one_command` that ends soon little is kept in memory.
    pub async fn open_for(vault: &Vault, writer: bool, one_command: bool) -> Result<Store, StoreError> {
        let connection = session::connection(vault, one_command).await?;
        let empty: [RecordBatch; TABLES] = [
            MessageRow::batch(&[])?,
            conversation_batch(&[])?,
            PersonRow::batch(&[])?,
            ImportRow::batch(&[])?,
            met_batch(0, &[])?,
            id_batch::<MessageId>(&[])?,
            ContactRow::batch(&[])?,
            MergeRow::batch(&[])?,
            SameRow::batch(&[])?,
            EarlierRow::batch(&[])?,
            lost_batch(0, 0, &[])?,
        ];
        let mut tables = Vec::new();
        for (name, empty) in NAMES.into_iter().zip(empty) {
            tables.push(session::table(&connection, name, empty, writer).await?);
        }
        let [messages, conversations, people, imports, met, forgotten, contacts, merges, same, earlier, lost] =
            <[Table; TABLES]>::try_from(tables).map_err(|_| anyhow::anyhow!("a table was not opened"))?;
        Ok(Store {
            connection,
            messages,
            conversations,
            people,
            imports,
            met,
            forgotten,
            contacts,
            merges,
            same,
            earlier,
            lost,
        })
    }

    /// Opens what the model of one generation made, or its empty tables; a reader makes none.
    pub async fn passages(&self, generation: u32, sizes: Sizes, writer: bool) -> Result<Passages, StoreError> {
        Passages::open(&self.connection, generation, sizes, writer).await
    }

    /// Drops the tables of a generation; nothing of them stays on disk.
    pub async fn drop_passages(&self, generation: u32) -> Result<(), StoreError> {
        Passages::drop_tables(&self.connection, generation).await
    }

    pub(crate) fn all(&self) -> [&Table; TABLES] {
        let Store {
            connection: _,
            messages,
            conversations,
            people,
            imports,
            met,
            forgotten,
            contacts,
            merges,
            same,
            earlier,
            lost,
        } = self;
        [messages, conversations, people, imports, met, forgotten, contacts, merges, same, earlier, lost]
    }

    pub async fn versions(&self) -> Result<Versions, StoreError> {
        Ok(Versions {
            messages: self.messages.version().await?,
            conversations: self.conversations.version().await?,
            people: self.people.version().await?,
            contacts: self.contacts.version().await?,
            merges: self.merges.version().await?,
            same: self.same.version().await?,
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

    /// The same of the messages of one conversation.
    pub async fn known_of(&self, conversation: ConversationId) -> Result<Vec<Known>, StoreError> {
        let only = among("conversation", [conversation.to_string()].iter());
        flat(rows(&self.messages, Some(only), Some(&Known::COLUMNS)).await?, Known::read)
    }

    /// Every message with its wall time (as [`Store::walls`] has it), streamed, in no order.
    pub async fn each_message(&self, mut each: impl FnMut(Message, i64)) -> Result<(), StoreError> {
        let columns: Vec<&str> = MessageRow::SHOWN.into_iter().chain(["wall"]).collect();
        let mut stream = self.messages.query().select(Select::columns(&columns)).execute().await?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let wall = longs(&batch, "wall")?;
            MessageRow::read(&batch)?.into_iter().enumerate().for_each(|(i, message)| each(message, wall.value(i)));
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

    pub async fn forgotten(&self) -> Result<Vec<MessageId>, StoreError> {
        flat(rows(&self.forgotten, None, None).await?, ids)
    }

    /// The wall times of messages that have one; 0 where it was not kept.
    pub async fn walls(&self, of: &[MessageId]) -> Result<HashMap<MessageId, i64>, StoreError> {
        let mut all = HashMap::new();
        for part in of.chunks(MOST_IDS) {
            let only = among("id", part.iter().map(ToString::to_string));
            for batch in rows(&self.messages, Some(only), Some(&["id", "wall"])).await? {
                let wall = longs(&batch, "wall")?;
                all.extend(ids::<MessageId>(&batch)?.into_iter().enumerate().map(|(i, id)| (id, wall.value(i))));
            }
        }
        Ok(all)
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

pub(crate) fn flat<T>(
    batches: Vec<RecordBatch>,
    read: impl Fn(&RecordBatch) -> Result<Vec<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    for batch in batches {
        all.extend(read(&batch)?);
    }
    Ok(all)
}
