//! Text to vectors: the only home of candle and of the tokenizer. It knows texts and numbers, not
//! messages; which text is embedded with which context, and where vectors are kept, is for others.
//!
//! A model is a directory: `config.json`, `tokenizer.json`, `model.gguf` and perhaps `evolver.gguf` and
//! `prior.safetensors` (see `models/evoke-e5-small/MODEL_CARD.md`); or a BERT or XLM-RoBERTa of Hugging Face;
//! or a published EvoEmbedding model, which `evo/` reads. Nothing is ever fetched.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod about;
mod attention;
mod config;
mod correction;
mod device;
mod embedder;
mod encoder;
mod error;
mod evo;
mod evolver;
mod int8;
mod kernels;
mod lanes;
mod model;
mod padded;
mod plain;
mod prior;
mod reader;
mod safetensors;
mod statistics;
mod tokens;
mod vector;
mod weights;

pub use about::{ModelAbout, ModelFile, ModelKind, check};
pub use correction::Correction;
pub use device::Device;
pub use embedder::{Arithmetic, Embedder, Lengths, Side};
pub use error::EmbedError;
pub use evo::{
    EvoEmbedder, EvoMemory, EvoVector, Outcome, ParityReport, Quantity, Quantization, Quantized, ScenarioReport, Turn,
    parity, quantize,
};
pub use evolver::{Evolver, EvolverSizes, Intent, Said, Stream, Wanted};
pub use prior::Prior;
pub use reader::{Answer, Pair};
pub use statistics::Statistics;
pub use vector::{Vector, mix};
