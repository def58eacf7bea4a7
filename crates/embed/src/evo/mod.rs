//! The published EvoEmbedding models (arXiv 2606.21649): a Qwen3 language model with two adapters, one of
//! which reads a conversation into a queue of latents, the other a text together with that queue into a
//! vector. Here are their format, their arithmetic, their quantisation and the proof of it; what is done
//! with the vectors is left to others.
//!
//! Files: `spec.rs` sizes and ids, `text.rs` text to ids, `checkpoint.rs` tensors, `qwen3.rs` the language
//! model, `model.rs` the two passes, `embedder.rs` what others call, `quantize.rs`, `parity.rs` with its
//! `figures.rs` and `report.rs`.

mod checkpoint;
mod embedder;
mod figures;
mod model;
mod parity;
mod quantize;
mod qwen3;
mod report;
mod spec;
mod text;

pub use embedder::{EvoEmbedder, EvoMemory, EvoVector, Turn};
pub use parity::parity;
pub use quantize::{Quantization, Quantized, quantize};
pub use report::{Outcome, ParityReport, Quantity, ScenarioReport};

pub(crate) use checkpoint::Checkpoint;
pub(crate) use spec::{MODEL_TYPE, Parts, Spec, is_evo};
pub(crate) use text::Texts;
