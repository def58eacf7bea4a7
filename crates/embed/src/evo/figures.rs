//! The figures of a parity kit that are more than one pass: vectors of a whole conversation, scores, and the two
//! losses of training (specification 1.5, 2.1). What they are compared with is left to `parity.rs`.

use std::ops::Range;

use candle_core::{Device as Candle, Tensor};

use super::checkpoint::Matrix;
use super::embedder::Opened;
use super::model::{Behind, dot, last_states, unit};
use super::qwen3::{Qwen3, Span};
use crate::EmbedError;

pub(super) type Made<T> = Result<T, EmbedError>;

/// All segments of a stream but the last.
pub(super) fn segments(stream: &[u32], points: &[usize]) -> Vec<Vec<u32>> {
    let all = points.windows(2).filter_map(|ends| Some(stream.get(ends[0]..ends[1])?.to_vec()));
    let mut all: Vec<Vec<u32>> = all.collect();
    all.pop();
    all
}

/// Vectors of turns, each behind the rows of those before it, and of what follows them behind all rows.
pub(super) fn behind_turns(opened: &Opened, rows: Option<&Tensor>, texts: &[Vec<u32>]) -> Made<Vec<Vec<f32>>> {
    let Opened { spec, model, .. } = opened;
    let all = rows.map_or(Ok(0), |rows| rows.dim(0))?;
    let behind = texts.iter().enumerate().map(|(at, ids)| {
        let count = if at + 1 == texts.len() { all } else { (at * spec.latents).min(all) };
        Behind { ids, rows: model.queue(count) }
    });
    Ok(model.vectors(rows, &behind.collect::<Vec<_>>())?)
}

/// Unit vectors of texts that all see the same rows, one behind the other.
pub(super) fn units(opened: &Opened, rows: Option<&Tensor>, texts: &[Vec<u32>], queue: Range<usize>) -> Made<Vec<f32>> {
    let behind: Vec<Behind<'_>> = texts.iter().map(|ids| Behind { ids, rows: queue.clone() }).collect();
    let vectors = opened.model.vectors(rows, &behind)?;
    Ok(vectors.iter().flat_map(|vector| unit(vector)).collect())
}

/// Unit vectors of the side model: its last state.
pub(super) fn native(side: &Qwen3, texts: &[Vec<u32>]) -> Made<Vec<Vec<f32>>> {
    let texts: Vec<(&[u32], usize)> = texts.iter().map(|ids| (ids.as_slice(), 0)).collect();
    let states = last_states(side, &texts, None, None)?.to_vec2::<f32>()?;
    Ok(states.iter().map(|state| unit(state)).collect())
}

/// Cosine over the temperature of each vector with the last.
pub(super) fn scores(vectors: &[Vec<f32>], temperature: f32) -> Vec<f32> {
    let Some((query, turns)) = vectors.split_last() else { return Vec::new() };
    let query = unit(query);
    turns.iter().map(|turn| dot(&unit(turn), &query) / temperature).collect()
}

pub(super) fn softmax(scores: &[f32]) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f32> = scores.iter().map(|score| (score - most).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// Mean cross-entropy of the last `labels` ids of a segment, the latents being put in behind its first three
/// ids, with both adapters off.
pub(super) fn language_loss(
    opened: &Opened,
    rows: Option<&Tensor>,
    segment: &[u32],
    labels: usize,
    output_words: Option<&Matrix>,
) -> Made<f32> {
    let Opened { model, .. } = opened;
    let language = &model.language;
    let (start, rest) = segment.split_at(segment.len().min(3));
    let mut x = vec![language.embed(start)?];
    if let Some(rows) = rows {
        x.push(model.inserted(rows, model.queue(rows.dim(0)?))?);
    }
    if !rest.is_empty() {
        x.push(language.embed(rest)?);
    }
    let x = Tensor::cat(&x, 0)?;
    let (count, labels) = (x.dim(0)?, labels.min(rest.len()));
    let states = language.states(x, &[Span { past: 0, rows: count }], None, None)?;
    let logits = language.next_words(&states.narrow(0, count - labels - 1, labels)?.contiguous()?, output_words)?;
    let targets = Tensor::new(&rest[rest.len() - labels..], logits.device())?;
    Ok(candle_nn::loss::cross_entropy(&logits, &targets)?.to_scalar()?)
}

/// log(|N| + 1) · mean over P of −log(p / (p + Σ N)).
pub(super) fn contrastive_loss(vectors: &[Vec<f32>], evidence: &[usize], temperature: f32) -> f32 {
    let scores = scores(vectors, temperature);
    let (positives, negatives): (Vec<_>, Vec<_>) = scores.iter().enumerate().partition(|(at, _)| evidence.contains(at));
    if positives.is_empty() || negatives.is_empty() {
        return 0.0;
    }
    let weight = (negatives.len() as f32 + 1.0).ln();
    let sum: f32 = negatives.iter().map(|(_, score)| score.exp()).sum();
    let losses = positives.iter().map(|(_, score)| (1.0 + sum / score.exp()).ln());
    weight * losses.sum::<f32>() / positives.len() as f32
}

pub(super) fn flat(rows: Option<&Tensor>) -> Made<Vec<f32>> {
    Ok(match rows {
        Some(rows) => rows.to_device(&Candle::Cpu)?.flatten_all()?.to_vec1()?,
        None => Vec::new(),
    })
}
