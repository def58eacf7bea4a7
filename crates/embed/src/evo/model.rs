//! The two passes of a published model (specification 1.6, 1.7): segments to latents, and texts behind a queue
//! of latents to vectors. Everything is ids and rows here; texts are left to `text.rs`, what belongs together
//! to `embedder.rs`.

use std::ops::Range;

use candle_core::{Device, Module, Result as Candle, Tensor};

use super::checkpoint::Checkpoint;
use super::qwen3::{Adapter, Affine, Qwen3, Span};
use super::spec::Spec;
use crate::EmbedError;

pub(super) struct EvoModel {
    pub(super) language: Qwen3,
    /// [latents, hidden]
    queries: Tensor,
    to_mem: Affine,
    to_latent: Affine,
    to_emb: [Affine; 2],
    latents: usize,
    capacity: usize,
    pub(super) dims: usize,
}

/// A text of a retrieval pass, and the latent rows that lie before it.
#[derive(Debug, Clone)]
pub(super) struct Behind<'a> {
    pub(super) ids: &'a [u32],
    pub(super) rows: Range<usize>,
}

/// Rows of texts that are read in one pass, beside the latents.
const PACK: usize = 2048;

impl EvoModel {
    pub(super) fn load(files: &Checkpoint, spec: &Spec, device: &Device) -> Result<Self, EmbedError> {
        if let Some(first) = files.lacking(spec).into_iter().next() {
            return Err(EmbedError::broken(files.path(), first));
        }
        let (hidden, dims) = (spec.base.hidden_size, files.dims());
        Ok(EvoModel {
            language: Qwen3::load(files, spec, device)?,
            queries: files.values("memory_queries", &[1, spec.latents, hidden])?.squeeze(0)?,
            to_mem: Affine::load(files, "latent_to_mem.0", (hidden, hidden))?,
            to_latent: Affine::load(files, "mem_to_latent.0", (hidden, hidden))?,
            to_emb: [
                Affine::load(files, "mem_to_emb.0", (dims, hidden))?,
                Affine::load(files, "mem_to_emb.2", (dims, dims))?,
            ],
            latents: spec.latents,
            capacity: spec.capacity,
            dims,
        })
    }

    /// The memory pass. `rows` are the latents so far, of which the queue is the last; `groups` says how many
    /// of the segments each pass reads. Gives `rows` with those of all segments behind them: [rows, hidden].
    pub(super) fn remember(
        &self,
        rows: Option<Tensor>,
        segments: &[Vec<u32>],
        groups: &[usize],
    ) -> Candle<Option<Tensor>> {
        let (mut rows, mut rest) = (rows, segments);
        for group in groups {
            let (now, later) = rest.split_at((*group).min(rest.len()));
            if now.is_empty() {
                break;
            }
            let new = self.remember_group(rows.as_ref(), now)?;
            rows = Some(match rows {
                Some(rows) => Tensor::cat(&[&rows, &new], 0)?,
                None => new,
            });
            rest = later;
        }
        Ok(rows)
    }

    fn remember_group(&self, rows: Option<&Tensor>, segments: &[Vec<u32>]) -> Candle<Tensor> {
        let (mut x, mut places) = (Vec::new(), Vec::new());
        let mut length = 0;
        if let Some(rows) = rows {
            let count = rows.dim(0)?;
            let queue = count.min(self.capacity);
            x.push(self.inserted(rows, count - queue..count)?);
            length = queue;
        }
        for ids in segments {
            if !ids.is_empty() {
                x.push(self.language.embed(ids)?);
            }
            x.push(self.queries.clone());
            places.push(length + ids.len());
            length += ids.len() + self.latents;
        }
        let spans = [Span { past: 0, rows: length }];
        let states = self.language.states(Tensor::cat(&x, 0)?, &spans, None, Some(Adapter::Memory))?;
        let states = places.into_iter().map(|place| states.narrow(0, place, self.latents));
        self.to_mem(&Tensor::cat(&states.collect::<Candle<Vec<_>>>()?, 0)?)
    }

    /// The retrieval pass: vectors before they are brought to unit length. Texts that begin with the same row
    /// of latents share the reading of those, which is exact under a causal mask.
    pub(super) fn vectors(&self, rows: Option<&Tensor>, texts: &[Behind<'_>]) -> Candle<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for group in texts.chunk_by(|a, b| a.rows.start == b.rows.start) {
            let first = group.iter().map(|text| text.rows.start).min().unwrap_or(0);
            let last = group.iter().map(|text| text.rows.end).max().unwrap_or(0);
            let latents = match rows {
                Some(rows) if last > first => Some(self.inserted(rows, first..last)?),
                _ => None,
            };
            let states = match (group, latents) {
                ([alone], Some(latents)) => {
                    let x = Tensor::cat(&[&latents, &self.language.embed(alone.ids)?], 0)?;
                    let span = Span { past: 0, rows: x.dim(0)? };
                    let states = self.language.states(x, &[span], None, Some(Adapter::Retriever))?;
                    states.narrow(0, span.rows - 1, 1)?
                }
                (group, latents) => {
                    let past = latents.map(|latents| self.language.past(latents, Some(Adapter::Retriever)));
                    let texts: Vec<_> = group.iter().map(|text| (text.ids, text.rows.len())).collect();
                    last_states(&self.language, &texts, past.transpose()?.as_ref(), Some(Adapter::Retriever))?
                }
            };
            let [first, second] = &self.to_emb;
            let embedded = second.forward(&first.forward(&self.to_mem(&states)?)?.relu()?)?;
            vectors.extend(embedded.to_vec2::<f32>()?);
        }
        Ok(vectors)
    }

    /// Latents as input rows.
    pub(super) fn inserted(&self, rows: &Tensor, range: Range<usize>) -> Candle<Tensor> {
        self.to_latent.forward(&rows.narrow(0, range.start, range.len())?.contiguous()?)
    }

    fn to_mem(&self, states: &Tensor) -> Candle<Tensor> {
        self.to_mem.forward(&states.contiguous()?)?.relu()
    }

    /// Rows that a text sees which comes when there are `count` of them: the queue.
    pub(super) fn queue(&self, count: usize) -> Range<usize> {
        count.saturating_sub(self.capacity)..count
    }
}

/// The last state of each text, [texts, hidden]; each sees so many rows of the past.
pub(super) fn last_states(
    language: &Qwen3,
    texts: &[(&[u32], usize)],
    past: Option<&super::qwen3::Past>,
    adapter: Option<Adapter>,
) -> Candle<Tensor> {
    let (mut states, mut rest) = (Vec::new(), texts);
    while !rest.is_empty() {
        let mut room = PACK;
        let fitting = rest.iter().take_while(|(ids, _)| {
            let fits = ids.len() <= room;
            room = room.saturating_sub(ids.len());
            fits
        });
        let (now, later) = rest.split_at(fitting.count().max(1));
        let ids: Vec<u32> = now.iter().flat_map(|(ids, _)| ids.iter().copied()).collect();
        let spans: Vec<Span> = now.iter().map(|(ids, past)| Span { past: *past, rows: ids.len() }).collect();
        let read = language.states(language.embed(&ids)?, &spans, past, adapter)?;
        let mut end = 0_u32;
        let ends: Vec<u32> = now
            .iter()
            .map(|(ids, _)| {
                end += ids.len() as u32;
                end - 1
            })
            .collect();
        states.push(read.index_select(&Tensor::new(ends, read.device())?, 0)?);
        rest = later;
    }
    Tensor::cat(&states, 0)
}

/// How many of the segments each memory pass reads, given their ids (specification 1.6).
pub(super) fn groups(lengths: &[usize], spec: &Spec) -> Vec<usize> {
    let (mut groups, mut count, mut sum) = (Vec::new(), 0, 0);
    for length in lengths {
        if count > 0 && (count == spec.chunk_turns || sum + length > spec.chunk_tokens) {
            groups.push(count);
            (count, sum) = (0, 0);
        }
        count += 1;
        sum += length;
    }
    if count > 0 {
        groups.push(count);
    }
    groups
}

/// At unit length, as the reference does it: v / max(‖v‖, 1e-12).
pub(super) fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
    vector.iter().map(|value| value / length).collect()
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
