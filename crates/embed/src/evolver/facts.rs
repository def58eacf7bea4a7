//! Facts in order: which passages state the fact that a question asks about, and which of them, in the order
//! of time, holds in the end, held first, or was said last. It works on static vectors alone, on whatever
//! stream it is given: the best hits of a search, in order. Fitted by `training/facts.py`.
//!
//! r_t is the chance that passage t states the fact, p_t that it speaks of what has passed, and v_tu that t
//! and u state the same. With h_t = r_t (1 − p_t), what a holder of another value would be,
//!
//! ```text
//! now, last   log r_t + log(1 − p_t) + Σ_{u > t} log(1 − h_u (1 − v_tu))
//! first       log r_t + Σ_{u < t} log(1 − h_u (1 − v_tu))
//! ```

use std::path::Path;

use crate::EmbedError;
use crate::evolver::Intent;
use crate::evolver::layers::{self, Linear};
use crate::kernels;
use crate::vector::unit;
use crate::weights::Weights;

/// An opened `facts.gguf`.
pub struct Facts {
    hidden: usize,
    /// What a passage states, what a question asks about, and with which value: unit vectors.
    states: Linear,
    asks: Linear,
    value: Linear,
    /// Two numbers of a passage alone: whether it states anything, and whether of the past.
    hint_in: Linear,
    hint_out: Linear,
    /// What a question asks of order, from its static vector.
    intent_in: Linear,
    intent_out: Linear,
    intents: Vec<Intent>,
    likeness: f32,
    cosine: f32,
    offset: f32,
    same: f32,
    same_offset: f32,
    /// Less sure than this of an intent, a question has none.
    sure: f32,
}

const FILE: &str = "facts.gguf";
/// The cosine of static vectors about which the relevance turns, and the past's own offset.
const COSINE: f32 = 0.8;
const PAST: f32 = 2.0;
/// No chance is taken for more certain than this.
const MOST: f32 = 0.999;
const MOST_PAST: f32 = 0.99;

/// What a passage is for a question.
struct Reading {
    /// Log of the chance of stating the fact.
    states: f32,
    /// Log of not being of the past.
    holds: f32,
    /// Chance of stating what holds.
    chance: f32,
}

impl Facts {
    /// Opens `facts.gguf` of a model directory; none where there is no such file.
    pub(crate) fn open(dir: &Path, hidden: usize) -> Result<Option<Self>, EmbedError> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        Self::load(&Weights::open(&path)?, hidden).map(Some)
    }

    fn load(weights: &Weights, hidden: usize) -> Result<Self, EmbedError> {
        let (width, narrow) = (weights.size("facts.width")?, weights.size("facts.hint")?);
        let (wide, intents) = (weights.size("facts.intent")?, Intent::named(weights, "facts.intents")?);
        if [width, narrow, wide].contains(&0) {
            return Err(weights.broken("its sizes cannot be"));
        }
        let linear = |name: &str, from, to| Linear::load(weights, &format!("facts.{name}"), from, to);
        let numbers = weights.values("facts.numbers", &[6])?;
        let &[likeness, cosine, offset, same, same_offset, sure] = numbers.as_slice() else {
            return Err(weights.broken("facts.numbers are not six"));
        };
        Ok(Facts {
            hidden,
            states: linear("states", hidden, width)?,
            asks: linear("asks", hidden, width)?,
            value: linear("value", hidden, width)?,
            hint_in: linear("hint_in", hidden, narrow)?,
            hint_out: linear("hint_out", narrow, 2)?,
            intent_in: linear("intent_in", hidden, wide)?,
            intent_out: linear("intent_out", wide, intents.len())?,
            intents,
            likeness,
            cosine,
            offset,
            same,
            same_offset,
            sure,
        })
    }

    /// What a question asks of order; [`Intent::None`] of most. `query` is its static vector.
    pub fn intent(&self, query: &[f32]) -> Result<(Intent, f32), EmbedError> {
        let chances = layers::softmax(self.both(&self.intent_in, &self.intent_out, query)?);
        let best = chances.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let intent = best.and_then(|(at, chance)| Some((*self.intents.get(at)?, *chance)));
        Ok(intent
            .filter(|(intent, chance)| *intent != Intent::None && *chance >= self.sure)
            .unwrap_or((Intent::None, 0.0)))
    }

    /// How well each passage answers, a log of a chance; the passages' static vectors in the order of time. Of
    /// intents without an order of their own it is the log of stating the fact.
    pub fn scores(&self, intent: Intent, passages: &[&[f32]], query: &[f32]) -> Result<Vec<f32>, EmbedError> {
        let asked = unit(self.apply(&self.asks, query)?);
        let readings: Vec<Reading> =
            passages.iter().map(|passage| self.reading(passage, query, &asked)).collect::<Result<_, _>>()?;
        let values: Vec<Vec<f32>> = passages
            .iter()
            .map(|passage| Ok(unit(self.apply(&self.value, passage)?)))
            .collect::<Result<_, EmbedError>>()?;
        let other =
            |t: usize, u: usize| 1.0 - sigmoid(self.same * layers::dot(&values[t], &values[u]) + self.same_offset);
        let none_among = |t: usize, among: std::ops::Range<usize>| -> f32 {
            among.map(|u| (-(readings[u].chance * other(t, u)).min(MOST)).ln_1p()).sum()
        };
        let each = readings.iter().enumerate();
        Ok(each
            .map(|(t, reading)| match intent {
                Intent::Now | Intent::Last => reading.states + reading.holds + none_among(t, t + 1..readings.len()),
                Intent::First => reading.states + none_among(t, 0..t),
                _ => reading.states,
            })
            .collect())
    }

    fn reading(&self, passage: &[f32], query: &[f32], asked: &[f32]) -> Result<Reading, EmbedError> {
        let hints = self.both(&self.hint_in, &self.hint_out, passage)?;
        let (states, past) = hints.first().copied().zip(hints.get(1).copied()).unwrap_or_default();
        let likeness = layers::dot(&unit(self.apply(&self.states, passage)?), asked);
        let odds =
            self.likeness * likeness + self.cosine * (layers::dot(passage, query) - COSINE) + self.offset + states;
        let past = sigmoid(past - PAST);
        Ok(Reading {
            states: -(-odds).exp().ln_1p(),
            holds: (-past.min(MOST_PAST)).ln_1p(),
            chance: sigmoid(odds) * (1.0 - past),
        })
    }

    /// Two layers with a GELU between.
    fn both(&self, first: &Linear, second: &Linear, vector: &[f32]) -> Result<Vec<f32>, EmbedError> {
        let mut between = self.apply(first, vector)?;
        let nothing = vec![0.0; between.len()];
        kernels::bias_gelu(&mut between, &nothing);
        second.apply(&layers::rows(between, nothing.len())?)
    }

    fn apply(&self, linear: &Linear, vector: &[f32]) -> Result<Vec<f32>, EmbedError> {
        if vector.len() != self.hidden {
            return Err(anyhow::anyhow!("a vector of another model was given to the evolver").into());
        }
        linear.apply(&layers::rows(vector.to_vec(), self.hidden)?)
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
