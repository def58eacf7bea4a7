//! The BERT encoder on the CPU (Devlin et al. 2018; post-norm, GELU with erf). The tokens of all texts
//! of a batch lie one after another without padding: products run over groups of tokens that stay in the
//! cache from one step to the next, attention over each text by itself. Groups and texts are shared among
//! the threads of the pool that the call runs in. GPUs take the padded form instead, see `padded.rs`.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use crate::config::Config;
use crate::int8::{Kernel, Matrix, Rows};
use crate::kernels::{self, Heads, Norm};
use crate::weights::Weights;
use crate::{Arithmetic, EmbedError};

/// Tokens that go through a layer's products together: few enough that what is between the products stays
/// in the second cache, enough to use a panel of weights several times.
const GROUP: usize = 48;
/// Queries of one text that attention handles in one piece of work.
const QUERIES: usize = 128;

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

impl Encoder {
    pub(crate) fn load(
        weights: &Weights,
        config: &Config,
        arithmetic: Arithmetic,
    ) -> std::result::Result<Self, EmbedError> {
        let layers = (0..config.bert.num_hidden_layers).map(|at| Layer::load(weights, config, arithmetic, at));
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
        let Encoder { layers, hidden, spare } = self.encoder;
        let mut x = storage.as_slice::<f32>()?[start..end].to_vec();
        let (mut qkv, mut attended) = (vec![0.0; 3 * x.len()], vec![0.0; x.len()]);
        for layer in layers {
            layer.project(&x, *hidden, spare, &mut qkv)?;
            layer.attend(&qkv, self.lengths, spare, &mut attended);
            layer.rest(&attended, *hidden, spare, &mut x)?;
        }
        Ok((CpuStorage::F32(x), layout.shape().clone()))
    }
}

impl Layer {
    fn load(
        weights: &Weights,
        config: &Config,
        arithmetic: Arithmetic,
        at: usize,
    ) -> std::result::Result<Self, EmbedError> {
        let (hidden, wide) = (config.bert.hidden_size, config.bert.intermediate_size);
        let count = config.bert.num_attention_heads;
        let linear = |names: &[&str], from, to| Linear::load(weights, arithmetic, at, names, from, to);
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

    /// Queries, keys and values of all tokens: [tokens, 3 · hidden].
    fn project(&self, x: &[f32], hidden: usize, spare: &Spare, qkv: &mut [f32]) -> Result<()> {
        let groups = x.par_chunks(GROUP * hidden).zip(qkv.par_chunks_mut(GROUP * 3 * hidden));
        groups.try_for_each(|(x, qkv)| spare.with(|scratch| self.qkv.product(x, &mut scratch.rows, qkv)))
    }

    /// Each text by itself: [tokens, 3 · hidden] → [tokens, hidden].
    fn attend(&self, mut qkv: &[f32], lengths: &[usize], spare: &Spare, mut out: &mut [f32]) {
        let hidden = self.heads.count * self.heads.width;
        let mut work = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (text, later) = qkv.split_at(length * 3 * hidden);
            let (text_out, later_out) = out.split_at_mut(length * hidden);
            let parts = text_out.chunks_mut(QUERIES * hidden).enumerate();
            work.extend(parts.map(|(at, part)| (text, at * QUERIES, part)));
            (qkv, out) = (later, later_out);
        }
        work.into_par_iter().for_each(|(text, first, out)| {
            spare.with(|scratch| {
                kernels::attention(text, first, &self.qkv.bias, self.heads, &mut scratch.attention, out);
            });
        });
    }

    /// What follows attention; `x` goes in and comes out.
    fn rest(&self, attended: &[f32], hidden: usize, spare: &Spare, x: &mut [f32]) -> Result<()> {
        let groups = attended.par_chunks(GROUP * hidden).zip(x.par_chunks_mut(GROUP * hidden));
        groups.try_for_each(|(attended, x)| {
            spare.with(|Scratch { rows, middle, wide, .. }| {
                middle.resize(x.len(), 0.0);
                self.attended.product(attended, rows, middle)?;
                kernels::add_norm(middle, x, &self.attended.bias, &self.attended_norm);
                wide.resize(x.len() / hidden * self.up.bias.len(), 0.0);
                self.up.product(middle, rows, wide)?;
                kernels::bias_gelu(wide, &self.up.bias);
                self.down.product(wide, rows, x)?;
                kernels::add_norm(x, middle, &self.down.bias, &self.norm);
                Ok(())
            })
        })
    }
}

impl Linear {
    /// Several matrices of one input size are joined into one product.
    fn load(
        weights: &Weights,
        arithmetic: Arithmetic,
        layer: usize,
        names: &[&str],
        from: usize,
        to: usize,
    ) -> std::result::Result<Self, EmbedError> {
        let (mut values, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            values.extend(weights.values(&format!("blk.{layer}.{name}.weight"), &[to, from])?);
            bias.extend(weights.values(&format!("blk.{layer}.{name}.bias"), &[to])?);
        }
        let weight = match arithmetic {
            Arithmetic::Int8 => Weight::Int8(Matrix::new(Kernel::best(), &values, from)),
            Arithmetic::F32 => {
                let outputs = values.len() / from;
                Weight::F32(Tensor::from_vec(values, (outputs, from), &Device::Cpu)?.t()?.contiguous()?)
            }
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
    /// After attention: [group, hidden]
    middle: Vec<f32>,
    /// Between the last two products: [group, wide]
    wide: Vec<f32>,
    attention: kernels::Scratch,
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
