//! Questions of order and change: "where do I live now", "what did I first think of it".
//!
//! The best hits of a search are put in the order of their time and read by the evolver as one stream, from
//! an empty memory; the question is read last. What a passage says of state and order after those before
//! it, against what the question wants, then counts beside the search. A question that asks nothing of the
//! kind is left as it was, to the bit. What a state is, is the embedding crate's.

use crate::{
    Memory, MemoryError,
    search::{Asked, Ranked},
};
use evoke_embed::{Embedder, Intent, Said, Wanted};
use evoke_message::{MessageId, Mode};
use evoke_store::PassageRow;
use std::collections::HashMap;

/// What one standard deviation of the order channel counts beside one of the search, where a question is
/// surely of order (training/evolver: fitted on held-out lives).
const ORDER: f32 = 1.0;
/// The same where reading in order was asked for with `rerank`, and the question has no such intent.
const RERANK: f32 = 0.15;

/// A question as the model read it.
pub(crate) struct Question {
    /// Corrected by the archive's statistics: what is searched with.
    pub(crate) corrected: Vec<f32>,
    /// As the model gave it.
    vector: Vec<f32>,
    seed: Vec<f32>,
    wanted: Wanted,
}

impl Question {
    pub(crate) fn new(
        corrected: Vec<f32>,
        vector: Vec<f32>,
        seed: Vec<f32>,
        embedder: &Embedder,
    ) -> Result<Question, MemoryError> {
        let said = Said { vector: &vector, seed: &seed };
        let none = Wanted { intent: Intent::None, lambda: 0.0 };
        let wanted = embedder.evolver().map_or(Ok(none), |evolver| evolver.wanted(said))?;
        Ok(Question { corrected, vector, seed, wanted })
    }
}

impl Memory {
    /// Reads the best hits in order where the question, or the caller, wants it, and ranks them anew; true
    /// where it did. Hits behind those that were read stay behind them.
    pub(crate) async fn rank_in_order(&self, asked: &Asked, ranked: &mut [Ranked]) -> Result<bool, MemoryError> {
        let Some(question) = asked.question.get() else { return Ok(false) };
        let active = self.active();
        let embedder = self.embedder(&active).await?;
        let Some(evolver) = embedder.evolver() else { return Ok(false) };
        let by_intent = question.wanted.lambda > 0.0 && matches!(asked.mode, Mode::Hybrid | Mode::Evolved);
        let (read, weight) = match (by_intent, asked.rerank) {
            (true, rerank) => (rerank.max(evolver.sizes().window), ORDER * question.wanted.lambda),
            (false, 0) => return Ok(false),
            (false, rerank) => (rerank, RERANK),
        };
        let best: Vec<MessageId> = ranked.iter().take(read).map(|r| r.message).collect();
        let rows = active.passages.of_messages(&best).await?;
        let rows: HashMap<(MessageId, i32), PassageRow> = rows.into_iter().map(|r| ((r.message, r.piece), r)).collect();
        let mut stream: Vec<(usize, &PassageRow)> = ranked
            .iter()
            .take(read)
            .enumerate()
            .filter_map(|(at, r)| Some((at, rows.get(&(r.message, r.piece))?)))
            .filter(|(_, row)| !row.seed.is_empty())
            .collect();
        {
            let catalogue = self.catalogue();
            stream.sort_by_key(|(_, row)| (row.time, catalogue.get(row.message).map_or(0, |m| m.order), row.message));
        }
        let said: Vec<Said<'_>> =
            stream.iter().map(|(_, row)| Said { vector: &row.meaning, seed: &row.seed }).collect();
        let mut memory = evolver.stream();
        let states = memory.read(&said)?;
        let wants = memory.ask(Said { vector: &question.vector, seed: &question.seed })?;
        let fits: Vec<f32> = states.iter().map(|state| state.iter().zip(&wants).map(|(a, b)| a * b).sum()).collect();
        let standard = standardised(&fits);
        // Only gains, so that what was not read is not lifted over what was.
        let least = standard.iter().copied().fold(f32::INFINITY, f32::min);
        for ((at, _), fit) in stream.iter().zip(standard) {
            let Some(Ranked { fused: Some((score, why, _)), .. }) = ranked.get_mut(*at) else { continue };
            *score += weight * (fit - least);
            why.order = Some(fit);
            why.asked = by_intent.then(|| question.wanted.intent.as_str().to_owned());
        }
        let score = |r: &Ranked| r.fused.as_ref().map_or(f32::NEG_INFINITY, |f| f.0);
        let read = read.min(ranked.len());
        ranked[..read].sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.message.cmp(&b.message)));
        Ok(true)
    }
}

/// z-scores; all 0 where the values are equal.
fn standardised(values: &[f32]) -> Vec<f32> {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count).sqrt().max(1e-6);
    values.iter().map(|v| (v - mean) / deviation).collect()
}

/// Why a hit that fits the order asked for is there, for a person.
pub(crate) fn sentence(intent: &str) -> Option<&'static str> {
    Some(match intent {
        "now" => "read in order, it says what holds now",
        "before" => "read in order, it says what held before",
        "first" => "read in order, it is the first of its kind",
        "last" => "read in order, it is the last of its kind",
        "when" => "read in order, it says when",
        "how_often" => "read in order, it is one of the times",
        "who" => "read in order, it says who",
        "all_of" => "read in order, it is one of them",
        _ => return None,
    })
}
