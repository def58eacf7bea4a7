//! Questions of order and change: "where do I live now", "what did I first think of it".
//!
//! The best hits of a search are put in the order of their time and read as one stream: which of them state
//! what is asked about, and which of those holds in the end, came first or last. How well a hit fits then
//! counts beside the search. A question that asks nothing of the kind is left as it was, to the bit, unless
//! the caller wants its hits read in order too. What a vector says is the embedding crate's.

use crate::{
    Memory, MemoryError, fusion,
    passage::spoken,
    search::{Asked, Ranked},
};
use evoke_embed::{Embedder, Intent, Said};
use evoke_message::MessageId;
use evoke_store::PassageRow;
use std::collections::HashMap;

/// Hits read in order where a question asks for it.
const BEST: usize = 32;
/// What is read in order: the other intents gain nothing by it (models/evoke-e5-small/MODEL_CARD.md).
const READ: [Intent; 3] = [Intent::Now, Intent::First, Intent::Last];
/// What one standard deviation of the reading counts beside one of the search, where a question is surely of
/// order; of 0, 1, 2 and 4 the best on held-out lives (`python -m data.evalset`).
const ORDER: f32 = 2.0;
/// The same where reading in order was asked for with `rerank`, and the question has no such intent.
const RERANK: f32 = 0.15;
/// The same for a published model, whose vectors are of meaning and memory together.
const PUBLISHED: f32 = 1.0;

/// A question as the model read it.
pub(crate) struct Question {
    /// Corrected by the archive's statistics: what is searched with.
    pub(crate) corrected: Vec<f32>,
    /// As the model gave it.
    vector: Vec<f32>,
    seed: Vec<f32>,
    /// What it asks of order, and how surely; nothing, and exactly 0, of most.
    intent: Intent,
    sure: f32,
}

impl Question {
    pub(crate) fn new(
        corrected: Vec<f32>,
        vector: Vec<f32>,
        seed: Vec<f32>,
        embedder: &Embedder,
    ) -> Result<Question, MemoryError> {
        let asked = embedder.facts().map(|facts| facts.intent(&vector)).transpose()?;
        let (intent, sure) = asked.filter(|(intent, _)| READ.contains(intent)).unwrap_or((Intent::None, 0.0));
        Ok(Question { corrected, vector, seed, intent, sure })
    }
}

/// A reading of the best hits in order.
struct Read {
    /// Their places among the hits, in the order of time, and how well each fits.
    fits: Vec<(usize, f32)>,
    /// What a standard deviation counts.
    weight: f32,
    /// What was asked of order.
    asked: Option<&'static str>,
}

impl Memory {
    /// Reads the best hits in order where the question, or the caller, wants it, and ranks them anew; true
    /// where it did. Hits behind those that were read stay behind them.
    pub(crate) async fn rank_in_order(&self, asked: &Asked, ranked: &mut [Ranked]) -> Result<bool, MemoryError> {
        let read = match asked.rerank_with.as_str() {
            "" => self.read_in_order(asked, ranked).await?,
            model => self.read_by(model, asked, ranked).await?,
        };
        let Some(Read { fits, weight, asked }) = read else { return Ok(false) };
        let standard = standardised(&fits.iter().map(|(_, fit)| *fit).collect::<Vec<_>>());
        // Only gains, so that what was not read is not lifted over what was.
        let least = standard.iter().copied().fold(f32::INFINITY, f32::min);
        for ((at, _), fit) in fits.iter().zip(standard) {
            let Some(Ranked { fused: Some((score, why, _)), .. }) = ranked.get_mut(*at) else { continue };
            *score += weight * (fit - least);
            why.order = Some(fit);
            why.asked = asked.map(str::to_owned);
        }
        let score = |r: &Ranked| r.fused.as_ref().map_or(f32::NEG_INFINITY, |f| f.0);
        ranked.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.message.cmp(&b.message)));
        Ok(true)
    }

    /// By the model in use: facts in order where the question asks for them. Where only the caller wants it, by
    /// the latent memory, or, in a model without, by whether a passage states what is asked about at all.
    async fn read_in_order(&self, asked: &Asked, ranked: &[Ranked]) -> Result<Option<Read>, MemoryError> {
        let Some(question) = asked.question.get() else { return Ok(None) };
        let by_intent = question.intent != Intent::None && fusion::ranks(asked.mode);
        let (read, weight) = match (by_intent, asked.rerank) {
            (true, rerank) => (rerank.max(BEST), ORDER * question.sure),
            (false, 0) => return Ok(None),
            (false, rerank) => (rerank, RERANK),
        };
        let active = self.active();
        let embedder = self.embedder(&active).await?;
        let best: Vec<MessageId> = ranked.iter().take(read).map(|r| r.message).collect();
        let rows = active.passages.of_messages(&best).await?;
        let rows: HashMap<(MessageId, i32), PassageRow> =
            rows.into_iter().filter(|row| !row.meaning.is_empty()).map(|r| ((r.message, r.piece), r)).collect();
        let stream: Vec<(usize, &PassageRow)> = self
            .in_time(&ranked[..read.min(ranked.len())])
            .into_iter()
            .filter_map(|at| Some((at, rows.get(&(ranked[at].message, ranked[at].piece))?)))
            .collect();
        let fits = match (by_intent, embedder.facts(), embedder.evolver()) {
            (_, Some(facts), None) | (true, Some(facts), _) => {
                let vectors: Vec<&[f32]> = stream.iter().map(|(_, row)| row.meaning.as_slice()).collect();
                facts.scores(question.intent, &vectors, &question.vector)?
            }
            (_, _, Some(evolver)) if stream.iter().all(|(_, row)| !row.seed.is_empty()) => {
                let said: Vec<Said<'_>> =
                    stream.iter().map(|(_, row)| Said { vector: &row.meaning, seed: &row.seed }).collect();
                let mut memory = evolver.stream();
                let states = memory.read(&said)?;
                let wants = memory.ask(Said { vector: &question.vector, seed: &question.seed })?;
                states.iter().map(|state| state.iter().zip(&wants).map(|(a, b)| a * b).sum()).collect()
            }
            _ => return Ok(None),
        };
        let fits = stream.iter().map(|(at, _)| *at).zip(fits).collect();
        let asked = by_intent.then(|| question.intent.as_str());
        Ok(Some(Read { fits, weight, asked }))
    }

    /// By a published evolvable model, which reads texts (evoembedding.md §1.8).
    async fn read_by(&self, model: &str, asked: &Asked, ranked: &[Ranked]) -> Result<Option<Read>, MemoryError> {
        let read = asked.rerank.min(ranked.len());
        if read == 0 || asked.understood.words.is_empty() {
            return Ok(None);
        }
        let model = self.reranker(model)?;
        let ids: Vec<MessageId> = ranked.iter().take(read).map(|r| r.message).collect();
        let texts: HashMap<MessageId, String> =
            self.store().messages(&ids).await?.into_iter().map(|m| (m.id, spoken(&m.sender.name, &m.text))).collect();
        let (places, texts): (Vec<usize>, Vec<String>) = self
            .in_time(&ranked[..read])
            .into_iter()
            .filter_map(|at| Some((at, texts.get(&ranked[at].message)?.clone())))
            .unzip();
        let question = asked.understood.words.clone();
        let work = tokio::task::spawn_blocking(move || {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            model.rerank(&texts, &question)
        });
        let fits = work.await.map_err(anyhow::Error::from)??;
        Ok(Some(Read { fits: places.into_iter().zip(fits).collect(), weight: PUBLISHED, asked: None }))
    }

    /// Places of hits in the order of their time.
    fn in_time(&self, hits: &[Ranked]) -> Vec<usize> {
        let catalogue = self.catalogue();
        let mut places: Vec<usize> = (0..hits.len()).collect();
        places.sort_by_key(|at| {
            let hit = &hits[*at];
            let (time, order) = catalogue.get(hit.message).map_or((0, 0), |row| (row.time, row.order));
            (time, order, hit.message, hit.piece)
        });
        places
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
        "first" => "read in order, it is the first of its kind",
        "last" => "read in order, it is the last of its kind",
        _ => return None,
    })
}
