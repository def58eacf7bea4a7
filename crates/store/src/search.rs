//! Lists of candidates under one pre-filter: by words, by vectors. Fusing them is the memory's.

use crate::{
    Condition, PassageRow, Passages, Store, StoreError,
    columns::{flags, floats, ints, texts},
    condition::among,
    rows::parsed,
    tables::rows,
};
use anyhow::Context;
use evoke_message::MessageId;
use futures::TryStreamExt;
use lance_index::scalar::{FullTextSearchQuery, inverted::query::MatchQuery};
use lancedb::{
    DistanceType, Table,
    query::{ExecutableQuery, Query, QueryBase, Select, VectorQuery},
};
use std::collections::HashSet;

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listed {
    pub message: MessageId,
    /// Piece of the message; 0 in the list of words, which ranks whole messages.
    pub piece: i32,
    /// BM25 for words, cosine for vectors.
    pub score: f32,
}

/// A passage with what fusion needs of it.
#[derive(Clone, Debug)]
pub struct Scored {
    pub message: MessageId,
    pub piece: i32,
    pub length: i32,
    pub start: i32,
    pub end: i32,
    /// It is itself a question.
    pub asks: bool,
    /// Cosine of the query with the static and the contextual vector; none where there is no vector.
    pub meaning: Option<f32>,
    pub context: Option<f32>,
}

impl Store {
    /// The `most` best messages by BM25 over their own tokens. `words` are tokens between spaces.
    pub async fn by_words(&self, words: &str, condition: &Condition, most: usize) -> Result<Vec<Listed>, StoreError> {
        let columns = ["id", "_score"];
        let batches = word_list(&self.messages, "words", words, condition, most, &columns).await?;
        let mut list = Vec::new();
        for batch in &batches {
            let (id, score) = (texts(batch, "id")?, floats(batch, "_score")?);
            for i in 0..batch.num_rows() {
                list.push(Listed { message: parsed(id.value(i))?, piece: 0, score: score.value(i) });
            }
        }
        Ok(list)
    }

    /// The messages that pass a condition, without ranking.
    pub async fn passing(&self, condition: &Condition) -> Result<HashSet<MessageId>, StoreError> {
        let mut all = HashSet::new();
        for batch in rows(&self.messages, condition.sql(), Some(&["id"])).await? {
            all.extend(crate::rows::ids::<MessageId>(&batch)?);
        }
        Ok(all)
    }
}

impl Passages {
    /// The same over passages with their predecessors.
    pub async fn by_words(&self, words: &str, condition: &Condition, most: usize) -> Result<Vec<Listed>, StoreError> {
        let columns = ["message", "piece", "_score"];
        let batches = word_list(&self.table, "context_words", words, condition, most, &columns).await?;
        listed(&batches, "_score", |score| score)
    }

    /// The `most` passages nearest to a vector in `column`: "meaning" or "context".
    pub async fn by_vector(
        &self,
        column: &str,
        vector: &[f32],
        condition: &Condition,
        most: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        let mut query: VectorQuery = self
            .table
            .query()
            .nearest_to(vector)?
            .column(column)
            .distance_type(DistanceType::Cosine)
            .nprobes(PROBES)?
            .refine_factor(REFINE)
            .limit(most)
            .select(Select::columns(&["message", "piece", "_distance"]));
        if let Some(sql) = condition.sql() {
            query = query.only_if(sql);
        }
        let batches: Vec<_> = query.execute().await?.try_collect().await?;
        listed(&batches, "_distance", |distance| 1.0 - distance)
    }

    /// Exact cosines of all passages of these messages with a query vector.
    pub async fn scored(&self, messages: &[MessageId], query: Option<&[f32]>) -> Result<Vec<Scored>, StoreError> {
        let mut all = Vec::new();
        // Not in an older archive, until a writer adds it.
        let has_asks = self.table.schema().await?.field_with_name("asks").is_ok();
        for part in messages.chunks(MOST_IDS) {
            let only = among("message", part.iter().map(ToString::to_string));
            let mut columns = vec!["message", "piece", "start", "end", "length", "meaning", "context"];
            columns.extend(has_asks.then_some("asks"));
            for batch in rows(&self.table, Some(only), Some(&columns)).await? {
                let message = texts(&batch, "message")?;
                let (piece, start) = (ints(&batch, "piece")?, ints(&batch, "start")?);
                let (end, length) = (ints(&batch, "end")?, ints(&batch, "length")?);
                let asks = flags(&batch, "asks").ok();
                for i in 0..batch.num_rows() {
                    let cosine = |column: &str| -> Result<Option<f32>, StoreError> {
                        let Some(query) = query else { return Ok(None) };
                        let vector = crate::columns::vector(&batch, column, i)?;
                        Ok((!vector.is_empty()).then(|| vector.iter().zip(query).map(|(a, b)| a * b).sum()))
                    };
                    all.push(Scored {
                        message: parsed(message.value(i))?,
                        piece: piece.value(i),
                        length: length.value(i),
                        start: start.value(i),
                        end: end.value(i),
                        asks: asks.is_some_and(|asks| asks.value(i)),
                        meaning: cosine("meaning")?,
                        context: cosine("context")?,
                    });
                }
            }
        }
        Ok(all)
    }

    /// Passages of some messages, vectors and all.
    pub async fn of_messages(&self, messages: &[MessageId]) -> Result<Vec<PassageRow>, StoreError> {
        let mut all = Vec::new();
        for part in messages.chunks(MOST_IDS) {
            let only = among("message", part.iter().map(ToString::to_string));
            for batch in rows(&self.table, Some(only), None).await? {
                all.extend(PassageRow::read(&batch)?);
            }
        }
        Ok(all)
    }
}

/// IVF partitions looked into, and how many times `most` are re-ranked by exact distance.
const PROBES: usize = 20;
const REFINE: u32 = 5;
const MOST_IDS: usize = 500;

async fn word_list(
    table: &Table,
    column: &str,
    words: &str,
    condition: &Condition,
    most: usize,
    columns: &[&str],
) -> Result<Vec<arrow_array::RecordBatch>, StoreError> {
    let matching = MatchQuery::new(words.to_owned()).with_column(Some(column.to_owned()));
    let search = FullTextSearchQuery::new_query(matching.into());
    let mut query: Query = table.query().full_text_search(search).limit(most).select(Select::columns(columns));
    if let Some(sql) = condition.sql() {
        query = query.only_if(sql);
    }
    Ok(query.execute().await.context("word search")?.try_collect().await?)
}

fn listed(
    batches: &[arrow_array::RecordBatch],
    score: &str,
    as_score: impl Fn(f32) -> f32,
) -> Result<Vec<Listed>, StoreError> {
    let mut list = Vec::new();
    for batch in batches {
        let (message, piece, values) = (texts(batch, "message")?, ints(batch, "piece")?, floats(batch, score)?);
        for i in 0..batch.num_rows() {
            list.push(Listed {
                message: parsed(message.value(i))?,
                piece: piece.value(i),
                score: as_score(values.value(i)),
            });
        }
    }
    Ok(list)
}
