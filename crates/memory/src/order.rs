//! Questions of order and change: "where do I live now", "what did I first think of it"; and reading the best
//! hits anew.
//!
//! The best hits of a search are put in the order of their time and read with the question, each after what was
//! said just before it: whether it states what is asked about, and which of those that do holds in the end, held
//! before, came first or last. How well a hit fits then counts beside the search. A question that asks nothing of
//! the kind is left as it was, to the bit, unless the caller wants its hits read too. What a pair says is the
//! embedding crate's.

use crate::{
    Memory, MemoryError, fusion,
    passage::spoken,
    search::{Asked, Ranked},
};
use evoke_embed::{Embedder, Intent, Pair, Said};
use evoke_message::{Message, MessageId, PersonId};
use evoke_store::PassageRow;
use std::collections::HashMap;

/// Hits read where a question asks for an order.
const BEST: usize = 32;
/// What is read in order: of the other intents it is enough to state what is asked about.
const READ: [Intent; 4] = [Intent::Now, Intent::Before, Intent::First, Intent::Last];
/// What surely being the answer counts, in standard deviations of the search, where a question is surely of
/// order. A first choice, measured on held-out lives (`python -m data.evalset`) but not fitted.
const ORDER: f32 = 4.0;
/// What a standard deviation of the log-odds of stating what is asked about counts beside one of the search:
/// the table in training/README.md; the benchmarks only report it.
const STATES: f32 = 0.5;
/// What one of the latent memory counts, in a model that cannot read pairs.
const MEMORY: f32 = 0.15;
/// The same for a published model, whose vectors are of meaning and memory together.
const PUBLISHED: f32 = 1.0;
/// One word of fewer characters asks for no order ("旅行"); a question in a script without spaces is longer.
const SHORTEST: usize = 5;
/// Bytes of a message that are taken for what was said before; only its first words are read.
const SAID_BEFORE: usize = 400;

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
    /// `text` is what was embedded.
    pub(crate) fn new(
        text: &str,
        corrected: Vec<f32>,
        vector: Vec<f32>,
        seed: Vec<f32>,
        embedder: &Embedder,
    ) -> Result<Question, MemoryError> {
        let asks = text.trim().chars().count() >= SHORTEST || text.trim().contains(char::is_whitespace);
        let (intent, sure) = if asks { embedder.intent(text)? } else { (Intent::None, 0.0) };
        let (intent, sure) = if READ.contains(&intent) { (intent, sure) } else { (Intent::None, 0.0) };
        Ok(Question { corrected, vector, seed, intent, sure })
    }
}

/// A reading of the best hits in order.
struct Read {
    /// Their places among the hits, what each gains, at least 0, and how well it fits the order asked for, for the
    /// reasons; both in standard deviations of the search.
    gains: Vec<(usize, f32, f32)>,
    /// What was asked of order.
    asked: Option<&'static str>,
}

impl Read {
    /// Gains of `weight` for each standard deviation of a fit above the least, so that what was not read is not
    /// lifted over what was.
    fn standard(fits: Vec<(usize, f32)>, weight: f32) -> Read {
        let standard = standardised(&fits.iter().map(|(_, fit)| *fit).collect::<Vec<_>>());
        let least = standard.iter().copied().fold(f32::INFINITY, f32::min);
        let gains = fits.iter().zip(standard).map(|((at, _), fit)| (*at, weight * (fit - least), fit)).collect();
        Read { gains, asked: None }
    }
}

impl Memory {
    /// Reads the best hits in order where the question, or the caller, wants it, and ranks them anew; true
    /// where it did. Hits behind those that were read stay behind them.
    pub(crate) async fn rank_in_order(&self, asked: &Asked, ranked: &mut [Ranked]) -> Result<bool, MemoryError> {
        let read = match asked.rerank_with.as_str() {
            "" => self.read_in_order(asked, ranked).await?,
            model => self.read_by(model, asked, ranked).await?,
        };
        let Some(Read { gains, asked }) = read else { return Ok(false) };
        for (at, gain, fit) in gains {
            let Some(Ranked { fused: Some((score, why, _)), .. }) = ranked.get_mut(at) else { continue };
            *score += gain;
            why.order = Some(fit);
            why.asked = asked.map(str::to_owned);
        }
        let score = |r: &Ranked| r.fused.as_ref().map_or(f32::NEG_INFINITY, |f| f.0);
        ranked.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.message.cmp(&b.message)));
        Ok(true)
    }

    /// By the model in use: with the question, one by one, where it can read pairs; what only the caller wants, by
    /// its latent memory where it has one.
    async fn read_in_order(&self, asked: &Asked, ranked: &[Ranked]) -> Result<Option<Read>, MemoryError> {
        let Some(question) = asked.question.get() else { return Ok(None) };
        let by_intent = question.intent != Intent::None && fusion::ranks(asked.mode);
        let read = match (by_intent, asked.rerank) {
            (true, rerank) => rerank.max(BEST),
            (false, 0) => return Ok(None),
            (false, rerank) => rerank,
        };
        let active = self.active();
        let embedder = self.embedder(&active).await?;
        let ranked = &ranked[..read.min(ranked.len())];
        let best: Vec<MessageId> = ranked.iter().map(|r| r.message).collect();
        let rows = active.passages.of_messages(&best).await?;
        let rows: HashMap<(MessageId, i32), PassageRow> = rows.into_iter().map(|r| ((r.message, r.piece), r)).collect();
        let stream: Vec<(usize, &PassageRow)> = self
            .in_time(ranked)
            .into_iter()
            .filter_map(|at| Some((at, rows.get(&(ranked[at].message, ranked[at].piece))?)))
            .collect();
        if embedder.reads_pairs() && (by_intent || embedder.evolver().is_none()) {
            return self.read_pairs(asked, question, by_intent, &embedder, &stream).await.map(Some);
        }
        let Some(evolver) = embedder.evolver() else { return Ok(None) };
        let stream: Vec<(usize, &PassageRow)> = stream.into_iter().filter(|(_, row)| !row.seed.is_empty()).collect();
        let said: Vec<Said<'_>> =
            stream.iter().map(|(_, row)| Said { vector: &row.meaning, seed: &row.seed }).collect();
        let states = evolver.stream().read(&said)?;
        let wants = evolver.stream().ask(Said { vector: &question.vector, seed: &question.seed })?;
        let fit = |state: &Vec<f32>| state.iter().zip(&wants).map(|(a, b)| a * b).sum();
        let fits = stream.iter().map(|(at, _)| *at).zip(states.iter().map(fit)).collect();
        Ok(Some(Read::standard(fits, MEMORY)))
    }

    /// `stream` comes in the order of time.
    async fn read_pairs(
        &self,
        asked: &Asked,
        question: &Question,
        by_intent: bool,
        embedder: &Embedder,
        stream: &[(usize, &PassageRow)],
    ) -> Result<Read, MemoryError> {
        let before: Vec<Option<MessageId>> =
            stream.iter().map(|(_, row)| self.catalogue().said_before(row.message)).collect();
        let wanted: Vec<MessageId> =
            stream.iter().map(|(_, row)| row.message).chain(before.iter().flatten().copied()).collect();
        let messages: HashMap<MessageId, Message> =
            self.store().messages(&wanted).await?.into_iter().map(|m| (m.id, m)).collect();
        let pairs: Vec<(String, String)> = stream
            .iter()
            .zip(before)
            .map(|((_, row), before)| {
                // Only the first piece of a message follows what was said before.
                let before = before.filter(|_| row.piece == 0).and_then(|id| messages.get(&id));
                let before = before.map(|m| self.said(m, 0, SAID_BEFORE)).unwrap_or_default();
                let range = (row.start.max(0) as usize, row.end.max(0) as usize);
                (before, messages.get(&row.message).map(|m| self.said(m, range.0, range.1)).unwrap_or_default())
            })
            .collect();
        let (intent, text, reads) = (question.intent, asked.understood.words.clone(), embedder.clone());
        let work = tokio::task::spawn_blocking(move || {
            let pairs: Vec<Pair> = pairs.iter().map(|(before, text)| Pair { before, text }).collect();
            reads.answers(intent, &text, &pairs)
        });
        let answers = work.await.map_err(anyhow::Error::from)??.unwrap_or_default();
        let places = stream.iter().map(|(at, _)| *at);
        let states = places.clone().zip(answers.iter().map(|answer| answer.states)).collect();
        let mut read = Read::standard(states, STATES);
        if by_intent {
            read.asked = Some(question.intent.as_str());
            for ((_, gain, fit), answer) in read.gains.iter_mut().zip(&answers) {
                *fit = ORDER * question.sure * answer.fits.exp();
                *gain += *fit;
            }
        }
        Ok(read)
    }

    /// A part of a message with who said it, as it was embedded; the owner is "Me", whatever an export calls them.
    fn said(&self, message: &Message, start: usize, end: usize) -> String {
        let text = message.written();
        let (start, end) = (text.floor_char_boundary(start), text.floor_char_boundary(end));
        let me = {
            let catalogue = self.catalogue();
            catalogue.get(message.id).is_some_and(|row| catalogue.person(row) == PersonId::me())
        };
        let name = match message.file_at(start) {
            Some(file) => file.name.as_str(),
            None if me => "Me",
            None => message.sender.name.as_str(),
        };
        spoken(name, text.get(start..end).unwrap_or_default())
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
        Ok(Some(Read::standard(places.into_iter().zip(fits).collect(), PUBLISHED)))
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
        "before" => "read in order, it says what held before",
        "first" => "read in order, it is the first of its kind",
        "last" => "read in order, it is the last of its kind",
        _ => return None,
    })
}
