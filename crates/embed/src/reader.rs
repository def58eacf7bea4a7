//! The reader of pairs: a question and a passage read together by the trunk, its weights changed a little
//! (`reader.gguf`, made by `training/reader`). Of a passage it tells whether it states what is asked about, whether
//! that has passed already, and what value it states; `answers` puts the passages of one question
//! together in the order of time: what holds now, came first, held before. Which passages are read, and what their
//! scores are worth in a search, is for others.

use std::path::Path;

use rayon::prelude::*;

use crate::EmbedError;
use crate::config::Config;
use crate::encoder::{Changes, Encoder};
use crate::evolver::{Intent, Linear, layers};
use crate::kernels;
use crate::model::Model;
use crate::tokens::Tokenizer;
use crate::weights::Weights;
use crate::{Arithmetic, Side};

/// A passage to be read with a question.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// What was said just before it in its conversation; empty where nothing was.
    pub before: &'a str,
    /// With its speaker, as it was embedded: "Mara: I moved to Porto".
    pub text: &'a str,
}

/// How well a passage answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Log-odds of stating what is asked about.
    pub states: f32,
    /// Log of the chance of being the answer among all passages in order; that of `states` for a question without.
    pub fits: f32,
}

/// What was read in one passage, for one question.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Log-odds of stating what is asked about.
    states: f32,
    /// Log-odds of that having passed when it was said.
    past: f32,
    /// How much it states the value that the question names, for "before".
    pivot: f32,
    /// Unit vector of the value it states.
    value: Vec<f32>,
}

/// Most pieces read of each part.
const QUESTION: usize = 48;
const BEFORE: usize = 24;
const PASSAGE: usize = 112;
/// Tokens in a batch.
const BATCH_TOKENS: usize = 1024;
/// No chance is taken for more certain than this.
const MOST: f32 = 0.999;
const MOST_PAST: f32 = 0.99;
/// What a recall of something passed counts where no statement of its value was read.
const RECALL: f32 = 0.1;
/// Less sure than this of an intent, a question has none.
const SURE: f32 = 0.75;
/// Ends of parts; the ids that XLM-RoBERTa's vocabulary gives them.
const BEGIN: u32 = 0;
const END: u32 = 2;
/// Whose pieces a token is among.
const SEGMENTS: usize = 3;

pub(crate) const FILE: &str = "reader.gguf";

pub(crate) struct PairReader {
    encoder: Encoder,
    /// Added to the tokens of the question, of what was said before, and of the passage: [3, hidden]
    segments: Vec<f32>,
    head_in: Linear,
    head_out: Linear,
    intent_in: Linear,
    intent_out: Linear,
    intents: Vec<Intent>,
    /// Likeness of two values to the log-odds of being the same: factor and offset.
    same: [f32; 2],
    hidden: usize,
    value: usize,
}

/// Pieces of a pair and the segment of each.
struct Pieces {
    ids: Vec<u32>,
    segments: Vec<u8>,
}

impl PairReader {
    /// Opens `reader.gguf` in `dir`; `trunk` are the weights that it changes.
    pub(crate) fn open(
        dir: &Path,
        trunk: &Path,
        config: &Config,
        arithmetic: Arithmetic,
    ) -> Result<PairReader, EmbedError> {
        let weights = Weights::open(&dir.join(FILE))?;
        let hidden = config.bert.hidden_size;
        let size = |name: &str| weights.size(&format!("reader.{name}"));
        let (rank, wide, value, narrow) = (size("rank")?, size("head")?, size("value")?, size("intent")?);
        if [rank, wide, value, narrow].contains(&0) || size("hidden")? != hidden {
            return Err(weights.broken("its sizes do not fit the model's"));
        }
        let intents = Intent::named(&weights, "reader.intents")?;
        let linear = |name: &str, from, to| Linear::load(&weights, &format!("reader.{name}"), from, to);
        let same = weights.values("reader.same", &[2])?;
        let &[factor, offset] = same.as_slice() else { return Err(weights.broken("reader.same is not two numbers")) };
        Ok(PairReader {
            encoder: Encoder::load(
                &Weights::open(trunk)?,
                config,
                arithmetic,
                Some(&Changes { weights: &weights, rank }),
            )?,
            segments: weights.values("reader.segments", &[SEGMENTS, hidden])?,
            head_in: linear("head_in", 2 * hidden, wide)?,
            head_out: linear("head_out", wide, 2 + value + 1)?,
            intent_in: linear("intent_in", 2 * hidden, narrow)?,
            intent_out: linear("intent_out", narrow, intents.len())?,
            intents,
            same: [factor, offset],
            hidden,
            value,
        })
    }

    /// What a question asks of order, and how surely; [`Intent::None`] and 0 of most.
    pub(crate) fn intent(
        &self,
        (model, tokenizer, config): (&Model, &Tokenizer, &Config),
        question: &str,
    ) -> Result<(Intent, f32), EmbedError> {
        let pieces = tokenizer.pieces(config.prefix(Side::Query), question, QUESTION)?;
        let mut pair = Pieces { ids: vec![BEGIN], segments: vec![0] };
        pair.part(&pieces, 0);
        let pooled = self.pooled(model, &[&pair], 0)?;
        let chances = layers::softmax(self.both(&self.intent_in, &self.intent_out, &pooled)?);
        let best = chances.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let intent = best.and_then(|(at, chance)| Some((*self.intents.get(at)?, *chance)));
        Ok(intent.filter(|(intent, chance)| *intent != Intent::None && *chance >= SURE).unwrap_or((Intent::None, 0.0)))
    }

    /// Every passage read with the question, in the order given.
    pub(crate) fn read(
        &self,
        (model, tokenizer, config): (&Model, &Tokenizer, &Config),
        question: &str,
        passages: &[Pair],
    ) -> Result<Vec<Told>, EmbedError> {
        let asked = tokenizer.pieces(config.prefix(Side::Query), question, QUESTION)?;
        let pairs: Vec<Pieces> = passages
            .par_iter()
            .map(|said| {
                let mut pair = Pieces { ids: vec![BEGIN], segments: vec![0] };
                pair.part(&asked, 0);
                let before = tokenizer.pieces("", said.before, BEFORE)?;
                if !before.is_empty() {
                    pair.part(&before, 1);
                }
                pair.part(&tokenizer.pieces(config.prefix(Side::Passage), said.text, PASSAGE)?, 2);
                Ok(pair)
            })
            .collect::<Result<_, EmbedError>>()?;
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(pairs[at].ids.len()));
        let batches = batches(&order, &pairs);
        let told: Vec<Vec<Told>> = batches
            .par_iter()
            .with_max_len(1)
            .map(|batch| self.told(model, &batch.iter().map(|&at| &pairs[at]).collect::<Vec<_>>()))
            .collect::<Result<_, _>>()?;
        let mut placed: Vec<(usize, Told)> = order.into_iter().zip(told.into_iter().flatten()).collect();
        placed.sort_unstable_by_key(|(at, _)| *at);
        Ok(placed.into_iter().map(|(_, told)| told).collect())
    }

    fn told(&self, model: &Model, pairs: &[&Pieces]) -> Result<Vec<Told>, EmbedError> {
        let pooled = self.pooled(model, pairs, 2)?;
        let out = self.both(&self.head_in, &self.head_out, &pooled)?;
        Ok(out
            .chunks_exact(3 + self.value)
            .map(|row| Told {
                states: row[0],
                past: row[1],
                value: crate::vector::unit(row[2..2 + self.value].to_vec()),
                pivot: row[2 + self.value],
            })
            .collect())
    }

    /// The first state and the mean over a segment's tokens, one after the other: [pairs, 2 · hidden].
    fn pooled(&self, model: &Model, pairs: &[&Pieces], segment: u8) -> Result<Vec<f32>, EmbedError> {
        let ids: Vec<&[u32]> = pairs.iter().map(|pair| pair.ids.as_slice()).collect();
        let lengths: Vec<usize> = ids.iter().map(|ids| ids.len()).collect();
        let parts = pairs.iter().flat_map(|pair| pair.segments.iter().copied());
        let x = model.embedded(&ids, Some((&self.segments, &mut parts.clone())))?;
        let states = self.encoder.forward(x, &lengths)?.flatten_all()?.to_vec1::<f32>()?;
        let mut out = Vec::with_capacity(pairs.len() * 2 * self.hidden);
        let mut rest = states.as_slice();
        for pair in pairs {
            let (text, later) = rest.split_at(pair.ids.len() * self.hidden);
            out.extend_from_slice(&text[..self.hidden]);
            let (mut sum, mut count) = (vec![0.0; self.hidden], 0.0f32);
            for (state, _) in text.chunks_exact(self.hidden).zip(&pair.segments).filter(|(_, part)| **part == segment) {
                sum.iter_mut().zip(state).for_each(|(sum, value)| *sum += value);
                count += 1.0;
            }
            out.extend(sum.into_iter().map(|value| value / count.max(1.0)));
            rest = later;
        }
        Ok(out)
    }

    /// Two layers with a GELU between.
    fn both(&self, first: &Linear, second: &Linear, rows: &[f32]) -> Result<Vec<f32>, EmbedError> {
        let mut between = first.apply(&layers::rows(rows.to_vec(), 2 * self.hidden)?)?;
        let wide = between.len() / (rows.len() / (2 * self.hidden)).max(1);
        let nothing = vec![0.0; wide];
        kernels::bias_gelu(&mut between, &nothing);
        second.apply(&layers::rows(between, wide)?)
    }

    /// How well each passage answers; what was told comes in the order of time.
    pub(crate) fn answers(&self, intent: Intent, told: &[Told]) -> Vec<Answer> {
        let fits = self.fits(intent, told).into_iter();
        told.iter().zip(fits).map(|(told, fits)| Answer { states: told.states, fits }).collect()
    }

    fn fits(&self, intent: Intent, told: &[Told]) -> Vec<f32> {
        let n = told.len();
        let stated: Vec<f32> = told.iter().map(|t| -(-t.states).exp().ln_1p()).collect();
        let passed: Vec<f32> = told.iter().map(|t| sigmoid(t.past).min(MOST_PAST)).collect();
        let holds: Vec<f32> = told.iter().zip(&passed).map(|(t, past)| sigmoid(t.states) * (1.0 - past)).collect();
        let other: Vec<Vec<f32>> = told
            .iter()
            .map(|t| {
                let alike = |u: &Told| sigmoid(self.same[0] * layers::dot(&t.value, &u.value) + self.same[1]);
                told.iter().map(|u| 1.0 - alike(u)).collect()
            })
            .collect();
        // The log of the chance that none among some holds another value than t.
        let free = |t: usize, among: std::ops::Range<usize>| -> f32 {
            among.map(|u| (-(holds[u] * other[t][u]).min(MOST)).ln_1p()).sum()
        };
        let last = |t: usize| stated[t] + (-passed[t]).ln_1p() + free(t, t + 1..n);
        match intent {
            Intent::Now | Intent::Last => (0..n).map(last).collect(),
            Intent::First => (0..n).map(|t| stated[t] + free(t, 0..t)).collect(),
            Intent::Before => {
                // The pivot is what holds at the end, or what the question names.
                let pivots = layers::softmax((0..n).map(|u| last(u) + told[u].pivot).collect());
                let fits: Vec<f32> = (0..n)
                    .map(|t| {
                        (t + 1..n)
                            .map(|u| {
                                let third = |w: usize| (-(holds[w] * other[t][w] * other[u][w]).min(MOST)).ln_1p();
                                pivots[u] * other[t][u] * (t + 1..u).map(third).sum::<f32>().exp()
                            })
                            .sum()
                    })
                    .collect();
                (0..n)
                    .map(|t| {
                        let recall = |s: usize| (-(holds[s] * fits[s] * (1.0 - other[t][s]) * MOST)).ln_1p();
                        let recalled = 1.0 - (0..n).filter(|s| *s != t).map(recall).sum::<f32>().exp();
                        let chance = (1.0 - passed[t]) * fits[t] + passed[t] * (recalled + RECALL) / (1.0 + RECALL);
                        stated[t] + (chance + 1e-6).ln()
                    })
                    .collect()
            }
            _ => stated,
        }
    }
}

impl Pieces {
    /// Pieces and the mark of their end.
    fn part(&mut self, pieces: &[u32], segment: u8) {
        self.ids.extend_from_slice(pieces);
        self.ids.push(END);
        self.segments.resize(self.ids.len(), segment);
    }
}

/// Runs of `order` of at most `BATCH_TOKENS`, or one pair.
fn batches<'a>(order: &'a [usize], pairs: &[Pieces]) -> Vec<&'a [usize]> {
    let (mut batches, mut start, mut tokens) = (Vec::new(), 0, 0);
    for (place, &at) in order.iter().enumerate() {
        if tokens + pairs[at].ids.len() > BATCH_TOKENS && place > start {
            batches.push(&order[start..place]);
            (start, tokens) = (place, 0);
        }
        tokens += pairs[at].ids.len();
    }
    if start < order.len() {
        batches.push(&order[start..]);
    }
    batches
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
