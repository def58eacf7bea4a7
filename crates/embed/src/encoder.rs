//! The BERT encoder on the CPU (Devlin et al. 2018; post-norm, GELU with erf). The tokens of all texts
//! of a batch lie one after another without padding, and go through a layer in parts that stay in the cache
//! from one step to the next. Only attention looks beyond a part, at the keys and values of its texts; so
//! a layer's last step makes those of the next layer, and the threads of the pool that the call runs in
//! wait for each other once a layer. GPUs take the padded form instead, see `padded.rs`.

use std::ops::Range;
use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::attention::{self, Heads};
use crate::config::Config;
use crate::int8::{Kernel, Matrix, Rows};
use crate::kernels::{self, Norm};
use crate::weights::Weights;
use crate::{Arithmetic, EmbedError};

/// Tokens of a part at most: few enough that what lies between its products stays in the second cache,
/// enough to use a panel of weights several times.
const PART: usize = 48;

pub(crate) struct Encoder {
    layers: Vec<Layer>,
    hidden: usize,
    spare: Spare,
}

struct Layer {
    /// Queries, keys and values in one product.
    qkv: Linear,
    heads: Heads,
    attended: Linear,
    attended_norm: Norm,
    up: Linear,
    down: Linear,
    norm: Norm,
}

/// x · weight; the bias is kept beside it, as whatever follows adds it in its own pass over the result.
struct Linear {
    weight: Weight,
    bias: Vec<f32>,
}

enum Weight {
    Int8(Matrix),
    /// [in, out], contiguous
    F32(Tensor),
}

/// Changes of low rank to every matrix (LoRA, arXiv 2106.09685, with the scale in the weights).
pub(crate) struct Changes<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) rank: usize,
}

impl Changes<'_> {
    /// matrix + up · down, [to, from].
    fn add(&self, matrix: &mut [f32], name: &str, from: usize, to: usize) -> std::result::Result<(), EmbedError> {
        let up = self.weights.tensor(&format!("reader.{name}.up"), &[to, self.rank])?;
        let down = self.weights.tensor(&format!("reader.{name}.down"), &[self.rank, from])?;
        let change = up.matmul(&down)?.flatten_all()?.to_vec1::<f32>()?;
        matrix.iter_mut().zip(change).for_each(|(value, change)| *value += change);
        Ok(())
    }
}

impl Encoder {
    pub(crate) fn load(
        weights: &Weights,
        config: &Config,
        arithmetic: Arithmetic,
        changes: Option<&Changes>,
    ) -> std::result::Result<Self, EmbedError> {
        let layers = (0..config.bert.num_hidden_layers).map(|at| Layer::load(weights, config, arithmetic, changes, at));
        let layers = layers.collect::<std::result::Result<_, _>>()?;
        Ok(Encoder { layers, hidden: config.bert.hidden_size, spare: Spare::default() })
    }

    /// The last layer's states. `x` is [tokens, hidden] after the embedding norm; `lengths` are the
    /// tokens of each text, in order, and sum to the rows of `x`.
    pub(crate) fn forward(&self, x: Tensor, lengths: &[usize]) -> Result<Tensor> {
        x.apply_op1_no_bwd(&Layers { encoder: self, lengths })
    }
}

/// All layers as one operation on [tokens, hidden].
struct Layers<'a> {
    encoder: &'a Encoder,
    lengths: &'a [usize],
}

impl CustomOp1 for Layers<'_> {
    fn name(&self) -> &'static str {
        "bert-layers"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("the encoder works on contiguous tensors");
        };
        let mut x = storage.as_slice::<f32>()?[start..end].to_vec();
        self.encoder.run(&mut x, self.lengths)?;
        Ok((CpuStorage::F32(x), layout.shape().clone()))
    }
}

impl Encoder {
    fn run(&self, x: &mut [f32], lengths: &[usize]) -> Result<()> {
        let (hidden, spare) = (self.hidden, &self.spare);
        let tokens = x.len() / hidden;
        let size = part_size(tokens, rayon::current_num_threads());
        let parts = parts(tokens, size, lengths);
        let (mut qkv, mut next) = (vec![0.0; 3 * x.len()], vec![0.0; 3 * x.len()]);
        if let Some(first) = self.layers.first() {
            let parts = x.par_chunks(size * hidden).zip(qkv.par_chunks_mut(size * 3 * hidden)).with_max_len(1);
            parts.try_for_each(|(x, qkv)| spare.with(|scratch| first.qkv.product(x, &mut scratch.rows, qkv)))?;
        }
        for (at, layer) in self.layers.iter().enumerate() {
            let later = self.layers.get(at + 1);
            let work = x.par_chunks_mut(size * hidden).zip(next.par_chunks_mut(size * 3 * hidden)).zip(&parts);
            work.with_max_len(1).try_for_each(|((x, next), pieces)| {
                spare.with(|scratch| {
                    layer.attend(&qkv, pieces, scratch);
                    layer.rest(scratch, hidden, x)?;
                    later.map_or(Ok(()), |later| later.qkv.product(x, &mut scratch.rows, next))
                })
            })?;
            std::mem::swap(&mut qkv, &mut next);
        }
        Ok(())
    }
}

/// Tokens of a part, so that every thread gets as many parts as any other.
fn part_size(tokens: usize, threads: usize) -> usize {
    let parts = tokens.div_ceil(PART).next_multiple_of(threads.max(1));
    tokens.div_ceil(parts.max(1)).next_multiple_of(4).min(PART)
}

/// Queries of one text that fall into one part.
#[derive(Debug, PartialEq)]
struct Piece {
    /// Tokens of the whole text, among those of the batch.
    text: Range<usize>,
    /// The queries, among the tokens of the text.
    queries: Range<usize>,
}

/// What each part of `size` tokens holds, in order.
fn parts(tokens: usize, size: usize, lengths: &[usize]) -> Vec<Vec<Piece>> {
    let mut parts: Vec<Vec<Piece>> = (0..tokens.div_ceil(size.max(1))).map(|_| Vec::new()).collect();
    let mut start = 0;
    for length in lengths {
        let text = start..start + length;
        for (at, part) in parts.iter_mut().enumerate().take(text.end.div_ceil(size)).skip(text.start / size) {
            let (from, to) = (text.start.max(at * size), text.end.min((at + 1) * size));
            part.push(Piece { text: text.clone(), queries: from - text.start..to - text.start });
        }
        start = text.end;
    }
    parts
}

impl Layer {
    fn load(
        weights: &Weights,
        config: &Config,
        arithmetic: Arithmetic,
        changes: Option<&Changes>,
        at: usize,
    ) -> std::result::Result<Self, EmbedError> {
        let (hidden, wide) = (config.bert.hidden_size, config.bert.intermediate_size);
        let count = config.bert.num_attention_heads;
        let linear = |names: &[&str], from, to| Linear::load(weights, arithmetic, changes, at, names, from, to);
        let norm = |name: &str| Norm::load(weights, &format!("blk.{at}.{name}"), hidden, config.bert.layer_norm_eps);
        Ok(Layer {
            qkv: linear(&["attn_q", "attn_k", "attn_v"], hidden, hidden)?,
            heads: Heads { count, width: hidden / count },
            attended: linear(&["attn_output"], hidden, hidden)?,
            attended_norm: norm("attn_output_norm")?,
            up: linear(&["ffn_up"], hidden, wide)?,
            down: linear(&["ffn_down"], wide, hidden)?,
            norm: norm("layer_output_norm")?,
        })
    }

    /// Attention for the queries of one part, into the scratch. `qkv` is [tokens, 3 · hidden] of the batch.
    fn attend(&self, qkv: &[f32], pieces: &[Piece], scratch: &mut Scratch) {
        let hidden = self.heads.count * self.heads.width;
        let Scratch { attended, attention, .. } = scratch;
        attended.resize(pieces.iter().map(|piece| piece.queries.len() * hidden).sum(), 0.0);
        let mut out = attended.as_mut_slice();
        for Piece { text, queries } in pieces {
            let (here, later) = out.split_at_mut(queries.len() * hidden);
            let text = &qkv[text.start * 3 * hidden..text.end * 3 * hidden];
            attention::attention(text, queries.start, &self.qkv.bias, self.heads, attention, here);
            out = later;
        }
    }

    /// What follows attention, for one part; `x` goes in and comes out.
    fn rest(&self, scratch: &mut Scratch, hidden: usize, x: &mut [f32]) -> Result<()> {
        let Scratch { rows, attended, middle, wide, .. } = scratch;
        middle.resize(x.len(), 0.0);
        self.attended.product(attended, rows, middle)?;
        kernels::add_norm(middle, x, &self.attended.bias, &self.attended_norm);
        wide.resize(x.len() / hidden * self.up.bias.len(), 0.0);
        self.up.product(middle, rows, wide)?;
        kernels::bias_gelu(wide, &self.up.bias);
        self.down.product(wide, rows, x)?;
        kernels::add_norm(x, middle, &self.down.bias, &self.norm);
        Ok(())
    }
}

impl Linear {
    /// Several matrices of one input size are joined into one product.
    fn load(
        weights: &Weights,
        arithmetic: Arithmetic,
        changes: Option<&Changes>,
        layer: usize,
        names: &[&str],
        from: usize,
        to: usize,
    ) -> std::result::Result<Self, EmbedError> {
        let (mut values, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            let mut matrix = weights.values(&format!("blk.{layer}.{name}.weight"), &[to, from])?;
            if let Some(changes) = changes {
                changes.add(&mut matrix, &format!("blk.{layer}.{name}"), from, to)?;
            }
            values.extend(matrix);
            bias.extend(weights.values(&format!("blk.{layer}.{name}.bias"), &[to])?);
        }
        let outputs = values.len() / from;
        let weight = match (arithmetic, Kernel::fitting(from, outputs)) {
            (Arithmetic::Int8, Some(kernel)) => Weight::Int8(Matrix::new(kernel, &values, from)),
            _ => Weight::F32(Tensor::from_vec(values, (outputs, from), &Device::Cpu)?.t()?.contiguous()?),
        };
        Ok(Linear { weight, bias })
    }

    /// `out` = x · weight, [rows, outputs].
    fn product(&self, x: &[f32], rounded: &mut Rows, out: &mut [f32]) -> Result<()> {
        match &self.weight {
            Weight::Int8(matrix) => matrix.product(x, rounded, out),
            Weight::F32(weight) => {
                let inputs = weight.dim(0)?;
                let x = Tensor::from_slice(x, (x.len() / inputs, inputs), &Device::Cpu)?;
                out.copy_from_slice(&x.matmul(weight)?.flatten_all()?.to_vec1::<f32>()?);
            }
        }
        Ok(())
    }
}

impl Norm {
    pub(crate) fn load(
        weights: &Weights,
        name: &str,
        hidden: usize,
        epsilon: f64,
    ) -> std::result::Result<Self, EmbedError> {
        Ok(Norm {
            weight: weights.values(&format!("{name}.weight"), &[hidden])?,
            shift: weights.values(&format!("{name}.bias"), &[hidden])?,
            epsilon: epsilon as f32,
        })
    }
}

/// Room for one piece of work.
#[derive(Default)]
struct Scratch {
    rows: Rows,
    /// After attention, and after the product that follows it: [part, hidden]
    attended: Vec<f32>,
    middle: Vec<f32>,
    /// Between the last two products: [part, wide]
    wide: Vec<f32>,
    attention: attention::Scratch,
}

/// Rooms that nobody uses now, so that a piece of work need not ask the system for memory.
#[derive(Default)]
struct Spare(Mutex<Vec<Scratch>>);

impl Spare {
    fn with<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let mut scratch = self.rooms().pop().unwrap_or_default();
        let done = work(&mut scratch);
        self.rooms().push(scratch);
        done
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_every_query_once_and_in_order() {
        for (lengths, threads) in
            [(vec![16], 2), (vec![5, 1, 90, 7], 2), (vec![512], 3), (vec![3; 40], 1), (vec![1], 8)]
        {
            let tokens: usize = lengths.iter().sum();
            let size = part_size(tokens, threads);
            assert!((1..=PART).contains(&size));
            let parts = parts(tokens, size, &lengths);
            let all = parts.iter().flatten().flat_map(|p| p.queries.clone().map(|query| p.text.start + query));
            assert_eq!(all.collect::<Vec<_>>(), (0..tokens).collect::<Vec<_>>());
            for (at, part) in parts.iter().enumerate() {
                let held: usize = part.iter().map(|piece| piece.queries.len()).sum();
                assert_eq!(held, size.min(tokens - at * size));
            }
        }
    }
}
