//! The BERT encoder for GPUs: candle-transformers' own, which uses only operations that CUDA and Metal
//! have. It wants rectangular batches, so shorter texts are padded and masked.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertEncoder;

use crate::EmbedError;
use crate::config::Config;
use crate::weights::Weights;

pub(crate) struct PaddedEncoder {
    encoder: BertEncoder,
    device: Device,
}

/// (name in GGUF, name in a Hugging Face BERT) of the parts of a layer.
const LINEAR: [(&str, &str); 6] = [
    ("attn_q", "attention.self.query"),
    ("attn_k", "attention.self.key"),
    ("attn_v", "attention.self.value"),
    ("attn_output", "attention.output.dense"),
    ("ffn_up", "intermediate.dense"),
    ("ffn_down", "output.dense"),
];
const NORMS: [(&str, &str); 2] =
    [("attn_output_norm", "attention.output.LayerNorm"), ("layer_output_norm", "output.LayerNorm")];

impl PaddedEncoder {
    pub(crate) fn load(weights: &Weights, config: &Config, device: &Device) -> std::result::Result<Self, EmbedError> {
        let mut tensors = HashMap::new();
        for layer in 0..config.bert.num_hidden_layers {
            let mut take = |theirs: &str, ours: &str, part: &str, shape: &[usize]| {
                let tensor = weights.tensor(&format!("blk.{layer}.{ours}.{part}"), shape)?;
                tensors.insert(format!("layer.{layer}.{theirs}.{part}"), tensor.to_device(device)?);
                Ok::<_, EmbedError>(())
            };
            let (hidden, wide) = (config.bert.hidden_size, config.bert.intermediate_size);
            for (ours, theirs) in LINEAR {
                let shape = match ours {
                    "ffn_up" => [wide, hidden],
                    "ffn_down" => [hidden, wide],
                    _ => [hidden, hidden],
                };
                take(theirs, ours, "weight", &shape)?;
                take(theirs, ours, "bias", &shape[..1])?;
            }
            for (ours, theirs) in NORMS {
                take(theirs, ours, "weight", &[hidden])?;
                take(theirs, ours, "bias", &[hidden])?;
            }
        }
        let tensors = VarBuilder::from_tensors(tensors, DType::F32, device);
        Ok(PaddedEncoder { encoder: BertEncoder::load(tensors, &config.bert)?, device: device.clone() })
    }

    /// As [`crate::encoder::Encoder::forward`]: [tokens, hidden] in and out, both on the CPU.
    pub(crate) fn forward(&self, x: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let (mut padded, mut mask, mut first) = (Vec::new(), Vec::new(), 0);
        for length in lengths {
            padded.push(x.narrow(0, first, *length)?.pad_with_zeros(0, 0, longest - length)?);
            mask.extend((0..longest).map(|at| if at < *length { 0.0 } else { f32::MIN }));
            first += length;
        }
        let padded = Tensor::stack(&padded, 0)?.to_device(&self.device)?;
        let mask = Tensor::from_vec(mask, (lengths.len(), 1, 1, longest), &self.device)?;
        let states = self.encoder.forward(&padded, &mask)?.to_device(&Device::Cpu)?;
        let texts = lengths.iter().enumerate();
        let texts: Vec<_> = texts.map(|(at, length)| states.get(at)?.narrow(0, 0, *length)).collect::<Result<_>>()?;
        Tensor::cat(&texts, 0)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::encoder::Encoder;

    #[test]
    fn padding_and_masking_change_nothing() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/evoke-e5-small");
        let mut config = Config::read(&dir.join("config.json")).unwrap();
        config.bert.num_hidden_layers = 2;
        let weights = Weights::open(&dir.join("model.gguf")).unwrap();
        let padded = PaddedEncoder::load(&weights, &config, &Device::Cpu).unwrap();
        let ragged = Encoder::load(&weights, &config, crate::Arithmetic::F32, None).unwrap();
        let lengths = [3, 9, 1, 6];
        let x = Tensor::arange(0.0_f32, 19.0 * 384.0, &Device::Cpu).unwrap();
        let x = x.sin().unwrap().reshape((19, 384)).unwrap();
        let by_padding = padded.forward(&x, &lengths).unwrap();
        let without = ragged.forward(x, &lengths).unwrap();
        let apart = (by_padding - without).unwrap().abs().unwrap().max_all().unwrap();
        assert!(apart.to_scalar::<f32>().unwrap() < 1e-4);
    }
}
