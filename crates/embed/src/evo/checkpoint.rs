//! Tensors of a checkpoint, from safetensors or from the GGUF that `quantize.rs` makes of them, by the names
//! of the published format (specification 1.2). The static side model is never read unless it is asked for.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{DType, Device, Module, Result as Candle, Tensor};
use memmap2::Mmap;

use super::spec::{Parts, Qwen3Config, Spec};
use crate::EmbedError;
use crate::safetensors::{Safetensors, map};

/// Where the language model's tensors begin, and those of the side model, which has no adapters.
pub(super) const LANGUAGE: &str = "model.base_model.model.model.";
pub(super) const SIDE: &str = "emb_model.model.";

/// Only where they are not the input words; vectors do without them.
pub(super) const OUTPUT_WORDS: &str = "model.base_model.model.lm_head.weight";

/// The seven linear maps of a layer.
pub(super) const LINEAR: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// Names of the adapters, in the order of [`super::qwen3::Adapter`].
pub(super) const ADAPTERS: [&str; 2] = ["memory_generator", "retriever"];

pub(crate) struct Checkpoint {
    stored: Stored,
    device: Device,
}

enum Stored {
    Safetensors(Safetensors),
    Gguf { path: PathBuf, map: Arc<Mmap>, content: Box<Content> },
}

impl Checkpoint {
    pub(crate) fn open(dir: &Path, parts: &Parts, device: &Device) -> Result<Self, EmbedError> {
        let stored = if parts.gguf {
            let path = dir.join("model.gguf");
            let map = map(&path)?;
            let content =
                Content::read(&mut Cursor::new(&map[..])).map_err(|error| EmbedError::broken(&path, error))?;
            Stored::Gguf { path, map, content: Box::new(content) }
        } else {
            Stored::Safetensors(Safetensors::open(dir)?)
        };
        Ok(Checkpoint { stored, device: device.clone() })
    }

    /// Shape of a tensor, if it is there.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        match &self.stored {
            Stored::Safetensors(files) => files.place(name).map(|place| place.shape.as_slice()),
            Stored::Gguf { content, .. } => content.tensor_infos.get(short(name)).map(|info| info.shape.dims()),
        }
    }

    /// Bytes of a tensor as it is stored in safetensors; 0 elsewhere.
    pub(super) fn bytes(&self, name: &str) -> u64 {
        match &self.stored {
            Stored::Safetensors(files) => files.bytes(name).map_or(0, |(_, range)| range.len() as u64),
            Stored::Gguf { .. } => 0,
        }
    }

    /// Names of all tensors, as they are stored.
    pub(super) fn names(&self) -> Vec<&str> {
        match &self.stored {
            Stored::Safetensors(files) => files.names().map(|(name, _)| name).collect(),
            Stored::Gguf { content, .. } => content.tensor_infos.keys().map(String::as_str).collect(),
        }
    }

    /// The file that an error is about.
    pub(super) fn path(&self) -> &Path {
        match &self.stored {
            Stored::Safetensors(files) => files.path(),
            Stored::Gguf { path, .. } => path,
        }
    }

    fn checked(&self, name: &str, shape: &[usize]) -> Result<(), EmbedError> {
        match self.shape(name) {
            Some(there) if there == shape => Ok(()),
            Some(there) => {
                let reason = format!("{name} has shape {there:?}, the configuration says {shape:?}");
                Err(EmbedError::broken(self.path(), reason))
            }
            None => Err(EmbedError::broken(self.path(), format!("{name} is not in it"))),
        }
    }

    /// A tensor as f32; an error unless it has this shape.
    pub(super) fn values(&self, name: &str, shape: &[usize]) -> Result<Tensor, EmbedError> {
        self.checked(name, shape)?;
        match &self.stored {
            Stored::Safetensors(files) => Ok(files.tensor(name, &self.device)?.to_dtype(DType::F32)?),
            Stored::Gguf { .. } => Ok(self.quantized(name)?.dequantize(&self.device)?),
        }
    }

    /// A matrix to multiply with, in the form it is stored in; `shape` is (outputs, inputs).
    pub(super) fn matrix(&self, name: &str, shape: (usize, usize)) -> Result<Matrix, EmbedError> {
        self.checked(name, &[shape.0, shape.1])?;
        match &self.stored {
            Stored::Safetensors(files) => Ok(Matrix::Plain(files.tensor(name, &self.device)?)),
            Stored::Gguf { .. } => Ok(match self.quantized(name)? {
                tensor if tensor.dtype() == GgmlDType::F16 => Matrix::Plain(tensor.dequantize_f16(&self.device)?),
                tensor => Matrix::Quantized(QMatMul::from_arc(Arc::new(tensor))?),
            }),
        }
    }

    fn quantized(&self, name: &str) -> Result<QTensor, EmbedError> {
        let Stored::Gguf { path, map, content } = &self.stored else {
            return Err(EmbedError::broken(self.path(), format!("{name} is not quantised")));
        };
        let tensor = content.tensor(&mut Cursor::new(&map[..]), short(name), &self.device);
        tensor.map_err(|error| EmbedError::broken(path, error))
    }

    /// What is missing or of another shape for a model of these sizes, in words; empty if nothing is.
    pub(crate) fn lacking(&self, spec: &Spec) -> Vec<String> {
        let mut lacking = Vec::new();
        for (name, shape) in expected(spec, self.dims()) {
            match self.shape(&name) {
                None => lacking.push(format!("the tensor {name} is missing")),
                Some(there) if there != shape => {
                    lacking.push(format!("the tensor {name} has shape {there:?}, the configuration says {shape:?}"));
                }
                Some(_) => {}
            }
        }
        lacking
    }

    /// Length of a vector (E), from the last projection; 0 if that is not there.
    pub(crate) fn dims(&self) -> usize {
        self.shape("mem_to_emb.2.weight").and_then(|shape| shape.first().copied()).unwrap_or(0)
    }

    /// Numbers in all tensors, and those of them in the side model.
    pub(crate) fn parameters(&self) -> (u64, u64) {
        let count = |name: &str| {
            let name = if self.shape(name).is_some() { name.to_owned() } else { format!("{LANGUAGE}{name}") };
            self.shape(&name).map_or(0, |shape| shape.iter().map(|size| *size as u64).product())
        };
        let names = self.names();
        let of_side = names.iter().filter(|name| name.starts_with("emb_model.")).map(|name| count(name)).sum();
        (names.iter().map(|name| count(name)).sum(), of_side)
    }
}

/// Every tensor that evolvable vectors need, with its shape (specification 1.2).
pub(super) fn expected(spec: &Spec, dims: usize) -> Vec<(String, Vec<usize>)> {
    let (hidden, base) = (spec.base.hidden_size, &spec.base);
    let mut all = vec![
        ("memory_queries".into(), vec![1, spec.latents, hidden]),
        ("latent_to_mem.0.weight".into(), vec![hidden, hidden]),
        ("latent_to_mem.0.bias".into(), vec![hidden]),
        ("mem_to_latent.0.weight".into(), vec![hidden, hidden]),
        ("mem_to_latent.0.bias".into(), vec![hidden]),
        ("mem_to_emb.0.weight".into(), vec![dims, hidden]),
        ("mem_to_emb.0.bias".into(), vec![dims]),
        ("mem_to_emb.2.weight".into(), vec![dims, dims]),
        ("mem_to_emb.2.bias".into(), vec![dims]),
        (format!("{LANGUAGE}embed_tokens.weight"), vec![base.vocab_size, hidden]),
        (format!("{LANGUAGE}norm.weight"), vec![hidden]),
    ];
    for layer in 0..base.num_hidden_layers {
        let name = |part: &str| format!("{LANGUAGE}layers.{layer}.{part}");
        all.push((name("input_layernorm.weight"), vec![hidden]));
        all.push((name("post_attention_layernorm.weight"), vec![hidden]));
        all.push((name("self_attn.q_norm.weight"), vec![base.head()]));
        all.push((name("self_attn.k_norm.weight"), vec![base.head()]));
        for part in LINEAR {
            let (outputs, inputs) = sizes(base, part);
            all.push((name(&format!("{part}.base_layer.weight")), vec![outputs, inputs]));
            if base.attention_bias && part.starts_with("self_attn") {
                all.push((name(&format!("{part}.base_layer.bias")), vec![outputs]));
            }
            for adapter in ADAPTERS {
                all.push((name(&format!("{part}.lora_A.{adapter}.weight")), vec![spec.rank, inputs]));
                all.push((name(&format!("{part}.lora_B.{adapter}.weight")), vec![outputs, spec.rank]));
            }
        }
    }
    all
}

/// (outputs, inputs) of a linear map of a layer.
pub(super) fn sizes(config: &Qwen3Config, part: &str) -> (usize, usize) {
    let (hidden, wide) = (config.hidden_size, config.intermediate_size);
    let (queries, keys) = (config.num_attention_heads * config.head(), config.groups() * config.head());
    match part {
        "self_attn.q_proj" => (queries, hidden),
        "self_attn.k_proj" | "self_attn.v_proj" => (keys, hidden),
        "self_attn.o_proj" => (hidden, queries),
        "mlp.down_proj" => (hidden, wide),
        _ => (wide, hidden),
    }
}

/// The name in a GGUF, which has room for 64 bytes: without the wrappers' part.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix(LANGUAGE).unwrap_or(name)
}

/// [outputs, inputs] weights to multiply with.
pub(super) enum Matrix {
    /// As stored; f16 and bf16 are widened for each product, as memory is dearer than that pass.
    Plain(Tensor),
    Quantized(QMatMul),
}

impl Matrix {
    /// x · Wᵀ for `x` of [rows, inputs], in f32.
    pub(super) fn product(&self, x: &Tensor) -> Candle<Tensor> {
        match self {
            Matrix::Plain(weights) => x.matmul(&weights.to_dtype(x.dtype())?.t()?),
            Matrix::Quantized(weights) => weights.forward(x),
        }
    }

    /// Rows as f32: [ids, inputs].
    pub(super) fn rows(&self, ids: &Tensor) -> Candle<Tensor> {
        match self {
            Matrix::Plain(weights) => weights.index_select(ids, 0)?.to_dtype(DType::F32),
            Matrix::Quantized(weights) => weights.embedding(ids),
        }
    }
}
