//! The BERT encoder on the CPU (Devlin et al. 2018; post-norm, GELU with erf). The tokens of all texts
//! of a batch lie one after another without padding: the large products run over all of them at once,
//! attention over each text by itself. GPUs take the padded form instead, see `padded.rs`.

use candle_core::{CpuStorage, CustomOp1, InplaceOp1, InplaceOp2, Layout, Result, Shape, Tensor};

use crate::EmbedError;
use crate::config::Config;
use crate::kernels::{self, Heads, Norm, Scratch};
use crate::weights::Weights;

pub(crate) struct Encoder {
    layers: Vec<Layer>,
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
/// The one place to change for another kind of product (int8, say).
struct Linear {
    /// [in, out], contiguous
    weight: Tensor,
    bias: Vec<f32>,
}

impl Encoder {
    pub(crate) fn load(weights: &Weights, config: &Config) -> std::result::Result<Self, EmbedError> {
        let layers = (0..config.bert.num_hidden_layers).map(|at| Layer::load(weights, config, at));
        Ok(Encoder { layers: layers.collect::<std::result::Result<_, _>>()? })
    }

    /// The last layer's states. `x` is [tokens, hidden] after the embedding norm; `lengths` are the
    /// tokens of each text, in order, and sum to the rows of `x`.
    pub(crate) fn forward(&self, x: Tensor, lengths: &[usize]) -> Result<Tensor> {
        self.layers.iter().try_fold(x, |x, layer| layer.forward(x, lengths))
    }
}

impl Layer {
    fn load(weights: &Weights, config: &Config, at: usize) -> std::result::Result<Self, EmbedError> {
        let (hidden, wide) = (config.bert.hidden_size, config.bert.intermediate_size);
        let count = config.bert.num_attention_heads;
        let linear = |names: &[&str], from, to| Linear::load(weights, at, names, from, to);
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

    fn forward(&self, x: Tensor, lengths: &[usize]) -> Result<Tensor> {
        let qkv = self.qkv.product(&x)?;
        let attention = Attention { bias: &self.qkv.bias, heads: self.heads, lengths };
        let attended = self.attended.product(&qkv.apply_op1_no_bwd(&attention)?)?;
        attended.inplace_op2(&x, &AddNorm { bias: &self.attended.bias, norm: &self.attended_norm })?;
        let wide = self.up.product(&attended)?;
        wide.inplace_op1(&BiasGelu { bias: &self.up.bias })?;
        let y = self.down.product(&wide)?;
        y.inplace_op2(&attended, &AddNorm { bias: &self.down.bias, norm: &self.norm })?;
        Ok(y)
    }
}

impl Linear {
    /// Several matrices of one input size are joined into one product.
    fn load(
        weights: &Weights,
        layer: usize,
        names: &[&str],
        from: usize,
        to: usize,
    ) -> std::result::Result<Self, EmbedError> {
        let (mut matrices, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            matrices.push(weights.tensor(&format!("blk.{layer}.{name}.weight"), &[to, from])?);
            bias.extend(weights.values(&format!("blk.{layer}.{name}.bias"), &[to])?);
        }
        let weight = Tensor::cat(&matrices, 0)?.t()?.contiguous()?;
        Ok(Linear { weight, bias })
    }

    fn product(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.weight)
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

/// [tokens, 3 · hidden] → [tokens, hidden], each text by itself.
struct Attention<'a> {
    bias: &'a [f32],
    heads: Heads,
    lengths: &'a [usize],
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut qkv = contiguous(storage, layout)?;
        let hidden = self.heads.count * self.heads.width;
        let mut attended = vec![0.0; qkv.len() / 3];
        let (mut out, mut scratch) = (attended.as_mut_slice(), Scratch::default());
        for length in self.lengths {
            let (text, later) = qkv.split_at(length * 3 * hidden);
            let (text_out, later_out) = out.split_at_mut(length * hidden);
            kernels::attention(text, self.bias, self.heads, &mut scratch, text_out);
            (qkv, out) = (later, later_out);
        }
        let shape = Shape::from((attended.len() / hidden, hidden));
        Ok((CpuStorage::F32(attended), shape))
    }
}

struct AddNorm<'a> {
    bias: &'a [f32],
    norm: &'a Norm,
}

impl InplaceOp2 for AddNorm<'_> {
    fn name(&self) -> &'static str {
        "add-norm"
    }

    fn cpu_fwd(
        &self,
        y: &mut CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<()> {
        let residual = contiguous(residual, residual_layout)?;
        kernels::add_norm(contiguous_mut(y, layout)?, residual, self.bias, self.norm);
        Ok(())
    }
}

struct BiasGelu<'a> {
    bias: &'a [f32],
}

impl InplaceOp1 for BiasGelu<'_> {
    fn name(&self) -> &'static str {
        "bias-gelu"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        kernels::bias_gelu(contiguous_mut(x, layout)?, self.bias);
        Ok(())
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let (start, end) = layout.contiguous_offsets().ok_or_else(not_contiguous)?;
    Ok(&storage.as_slice::<f32>()?[start..end])
}

fn contiguous_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let (start, end) = layout.contiguous_offsets().ok_or_else(not_contiguous)?;
    match storage {
        CpuStorage::F32(values) => Ok(&mut values[start..end]),
        _ => candle_core::bail!("the encoder works on f32"),
    }
}

fn not_contiguous() -> candle_core::Error {
    candle_core::Error::Msg("the encoder works on contiguous tensors".into())
}
