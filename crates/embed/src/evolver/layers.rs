//! The parts the evolver is built from, on row-major f32: linear map, layer norm, and one block's attention
//! over what is remembered. Larger products go through candle.

use std::ops::Range;

use candle_core::{Device, Tensor};

use crate::EmbedError;
use crate::kernels;
use crate::weights::Weights;

const EPS: f32 = 1e-5;

/// y = x · Wᵀ + b
pub(crate) struct Linear {
    /// [in, out], contiguous
    weight: Tensor,
    bias: Vec<f32>,
}

impl Linear {
    pub(crate) fn load(weights: &Weights, name: &str, from: usize, to: usize) -> Result<Self, EmbedError> {
        let weight = weights.values(&format!("{name}.weight"), &[to, from])?;
        Self::new(&weight, &weights.values(&format!("{name}.bias"), &[to])?, from, to)
    }

    /// `weight` is [to, from].
    pub(super) fn new(weight: &[f32], bias: &[f32], from: usize, to: usize) -> Result<Self, EmbedError> {
        let weight = Tensor::from_slice(weight, (to, from), &Device::Cpu)?.t()?.contiguous()?;
        Ok(Linear { weight, bias: bias.to_vec() })
    }

    /// `x` is [rows, in]; the result [rows, out].
    pub(crate) fn apply(&self, x: &Tensor) -> Result<Vec<f32>, EmbedError> {
        let mut y = x.matmul(&self.weight)?.flatten_all()?.to_vec1::<f32>()?;
        for row in y.chunks_exact_mut(self.bias.len()) {
            add_times(row, &self.bias, 1.0);
        }
        Ok(y)
    }
}

pub(super) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Norm {
    pub(super) fn load(weights: &Weights, name: &str, width: usize) -> Result<Self, EmbedError> {
        let part = |part: &str| weights.values(&format!("{name}.{part}"), &[width]);
        Ok(Norm { weight: part("weight")?, bias: part("bias")? })
    }

    pub(super) fn width(&self) -> usize {
        self.weight.len()
    }

    pub(crate) fn apply(&self, x: &[f32]) -> Vec<f32> {
        let width = self.width();
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks_exact(width) {
            let mean = row.iter().sum::<f32>() / width as f32;
            let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / width as f32;
            let scale = 1.0 / (variance + EPS).sqrt();
            y.extend(row.iter().zip(&self.weight).zip(&self.bias).map(|((x, w), b)| (x - mean) * scale * w + b));
        }
        y
    }
}

/// Pre-norm: x += attention(norm x); x += ffn(norm x).
pub(super) struct Block {
    norm: Norm,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    /// A key and a value that every row may look at: nothing of what is remembered.
    null_k: Vec<f32>,
    null_v: Vec<f32>,
    ffn_norm: Norm,
    up: Linear,
    down: Linear,
}

/// Keys and values of one block, a row for each latent of each passage, oldest first.
#[derive(Default, Clone)]
pub(super) struct Remembered {
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
}

impl Remembered {
    /// Drops what is older than the last `values` numbers.
    pub(super) fn keep_last(&mut self, values: usize) {
        let drop = self.keys.len().saturating_sub(values);
        self.keys.drain(..drop);
        self.values.drain(..drop);
    }
}

impl Block {
    pub(super) fn load(weights: &Weights, at: usize, width: usize, wide: usize) -> Result<Self, EmbedError> {
        let name = |part: &str| format!("blk.{at}.{part}");
        let linear = |part: &str, from, to| Linear::load(weights, &name(part), from, to);
        Ok(Block {
            norm: Norm::load(weights, &name("attn_norm"), width)?,
            q: linear("attn_q", width, width)?,
            k: linear("attn_k", width, width)?,
            v: linear("attn_v", width, width)?,
            o: linear("attn_o", width, width)?,
            null_k: weights.values(&name("null_k"), &[width])?,
            null_v: weights.values(&name("null_v"), &[width])?,
            ffn_norm: Norm::load(weights, &name("ffn_norm"), width)?,
            up: linear("ffn_up", width, wide)?,
            down: linear("ffn_down", wide, width)?,
        })
    }

    /// One block over `x`, [rows, width]. Their keys and values are appended to `memory`; `sees(row)` are
    /// the rows of `memory`, after that, which a row attends to.
    pub(super) fn forward(
        &self,
        x: &mut [f32],
        heads: usize,
        memory: &mut Remembered,
        sees: impl Fn(usize) -> Range<usize>,
    ) -> Result<(), EmbedError> {
        let width = self.norm.width();
        let normed = rows(self.norm.apply(x), width)?;
        let queries = self.q.apply(&normed)?;
        memory.keys.extend(self.k.apply(&normed)?);
        memory.values.extend(self.v.apply(&normed)?);
        let mut attended = vec![0.0; x.len()];
        let each = queries.chunks_exact(width).zip(attended.chunks_exact_mut(width)).enumerate();
        for (row, (query, out)) in each {
            self.attend(query, heads, memory, sees(row), out);
        }
        add(x, &self.o.apply(&rows(attended, width)?)?);
        let normed = rows(self.ffn_norm.apply(x), width)?;
        let mut wide = self.up.apply(&normed)?;
        let nothing = vec![0.0; self.up.bias.len()];
        kernels::bias_gelu(&mut wide, &nothing);
        add(x, &self.down.apply(&rows(wide, nothing.len())?)?);
        Ok(())
    }

    fn attend(&self, query: &[f32], heads: usize, memory: &Remembered, sees: Range<usize>, out: &mut [f32]) {
        let width = query.len();
        let head = width / heads;
        let scale = 1.0 / (head as f32).sqrt();
        for h in 0..heads {
            let at = h * head..(h + 1) * head;
            let part = |rows: &[f32], row: usize| row * width + at.start..(row * width + at.end).min(rows.len());
            let query = &query[at.clone()];
            let mut logits = vec![dot(query, &self.null_k[at.clone()]) * scale];
            logits.extend(sees.clone().map(|row| dot(query, &memory.keys[part(&memory.keys, row)]) * scale));
            let weights = softmax(logits);
            let (none, weights) = weights.split_first().unwrap_or((&0.0, &[]));
            let out = &mut out[at.clone()];
            add_times(out, &self.null_v[at.clone()], *none);
            for (row, weight) in sees.clone().zip(weights) {
                add_times(out, &memory.values[part(&memory.values, row)], *weight);
            }
        }
    }
}

/// Numbers as [rows, width].
pub(crate) fn rows(values: Vec<f32>, width: usize) -> Result<Tensor, EmbedError> {
    let rows = values.len() / width;
    Ok(Tensor::from_vec(values, (rows, width), &Device::Cpu)?)
}

pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn add_times(sum: &mut [f32], values: &[f32], times: f32) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += times * value);
}

fn add(sum: &mut [f32], values: &[f32]) {
    add_times(sum, values, 1.0);
}

pub(crate) fn softmax(mut logits: Vec<f32>) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|l| *l = (*l - most).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|l| *l /= sum);
    logits
}
