//! Writes: each one commit, so that a kill leaves all of it or nothing. The caller holds the writer's lock.

use crate::{
    ImportRow, MessageRow, PassageRow, Passages, PersonRow, Store, StoreError,
    condition::{among, quoted},
    rows::{NOTHING, conversation_batch, id_batch},
};
use arrow_array::{RecordBatch, RecordBatchIterator};
use evoke_message::{Conversation, ConversationId, MessageId};
use lancedb::Table;

/// Ids in one delete at most: SQL text stays small.
const MOST_IDS: usize = 1_000;

impl Store {
    pub async fn add_messages(&self, rows: &[MessageRow]) -> Result<(), StoreError> {
        append(&self.messages, MessageRow::batch(rows)?).await
    }

    /// Puts edited messages in the place of those with their ids.
    pub async fn update_messages(&self, rows: &[MessageRow]) -> Result<(), StoreError> {
        upsert(&self.messages, "id", MessageRow::batch(rows)?).await
    }

    pub async fn put_conversations(&self, rows: &[Conversation]) -> Result<(), StoreError> {
        upsert(&self.conversations, "id", conversation_batch(rows)?).await
    }

    pub async fn put_people(&self, rows: &[PersonRow]) -> Result<(), StoreError> {
        upsert(&self.people, "id", PersonRow::batch(rows)?).await
    }

    pub async fn put_import(&self, row: ImportRow) -> Result<(), StoreError> {
        upsert(&self.imports, "number", ImportRow::batch(&[row])?).await
    }

    pub async fn add_forgotten(&self, ids: &[MessageId]) -> Result<(), StoreError> {
        append(&self.forgotten, id_batch(ids)?).await
    }

    pub async fn remove_forgotten(&self, ids: &[MessageId]) -> Result<(), StoreError> {
        delete(&self.forgotten, "id", ids).await
    }

    pub async fn delete_messages(&self, ids: &[MessageId]) -> Result<(), StoreError> {
        delete(&self.messages, "id", ids).await
    }

    pub async fn delete_conversations(&self, ids: &[ConversationId]) -> Result<(), StoreError> {
        delete(&self.conversations, "id", ids).await
    }

    pub async fn delete_people(&self, ids: &[evoke_message::PersonId]) -> Result<(), StoreError> {
        delete(&self.people, "id", ids).await
    }

    /// Says what messages carry that were written before anybody looked: those given, and nothing of the rest.
    pub async fn say_has(&self, has: &str, ids: &[MessageId]) -> Result<(), StoreError> {
        for part in ids.chunks(MOST_IDS) {
            let only = among("id", part.iter().map(ToString::to_string));
            self.messages.update().only_if(only).column("has", quoted(has)).execute().await?;
        }
        Ok(())
    }

    pub async fn rest_has_nothing(&self) -> Result<(), StoreError> {
        self.messages.update().only_if("has = ''").column("has", quoted(NOTHING)).execute().await?;
        Ok(())
    }
}

impl Passages {
    /// Notes that conversations must be read, before their messages are written: a kill between the
    /// two costs a reading that finds nothing new, never a message that is not read.
    pub async fn add_waiting(&self, ids: &[ConversationId]) -> Result<(), StoreError> {
        append(&self.waiting, id_batch(ids)?).await
    }

    pub async fn remove_waiting(&self, ids: &[ConversationId]) -> Result<(), StoreError> {
        delete(&self.waiting, "id", ids).await
    }

    /// Puts passages of messages in the place of all earlier passages of the same messages.
    pub async fn put(&self, rows: &[PassageRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        // One commit: rows whose message is in the batch and whose piece is not are deleted with it.
        let among = among("message", rows.iter().map(|r| r.message.to_string()));
        let batch = PassageRow::batch(rows, self.sizes)?;
        let mut merge = self.table.merge_insert(&["message", "piece"]);
        merge
            .when_matched_update_all(None)
            .when_not_matched_insert_all()
            .when_not_matched_by_source_delete(Some(among));
        let schema = batch.schema();
        merge.execute(Box::new(RecordBatchIterator::new([Ok(batch)], schema))).await?;
        Ok(())
    }

    /// Appends passages of messages that have none yet.
    pub async fn add(&self, rows: &[PassageRow]) -> Result<(), StoreError> {
        append(&self.table, PassageRow::batch(rows, self.sizes)?).await
    }

    pub async fn delete_conversations(&self, ids: &[ConversationId]) -> Result<(), StoreError> {
        delete(&self.table, "conversation", ids).await
    }

    /// Deletes the passages of some messages.
    pub async fn delete(&self, messages: &[MessageId]) -> Result<(), StoreError> {
        delete(&self.table, "message", messages).await
    }
}

pub(crate) async fn append(table: &Table, batch: RecordBatch) -> Result<(), StoreError> {
    if batch.num_rows() > 0 {
        table.add(batch).execute().await?;
    }
    Ok(())
}

pub(crate) async fn upsert(table: &Table, key: &str, batch: RecordBatch) -> Result<(), StoreError> {
    if batch.num_rows() == 0 {
        return Ok(());
    }
    let mut merge = table.merge_insert(&[key]);
    merge.when_matched_update_all(None).when_not_matched_insert_all();
    let schema = batch.schema();
    merge.execute(Box::new(RecordBatchIterator::new([Ok(batch)], schema))).await?;
    Ok(())
}

pub(crate) async fn delete<T: ToString>(table: &Table, column: &str, ids: &[T]) -> Result<(), StoreError> {
    for part in ids.chunks(MOST_IDS) {
        table.delete(among(column, part.iter().map(ToString::to_string)).as_str()).await?;
    }
    Ok(())
}
