//! One model directory, opened: token ids to vectors. Texts and their order are left to `embedder.rs`.

use std::path::Path;

use candle_core::{Device, Tensor};

use crate::config::{Config, Pooling};
use crate::encoder::Encoder;
use crate::evolver::Evolver;
use crate::kernels::{self, Norm};
use crate::padded::PaddedEncoder;
use crate::weights::{Weights, WordTable};
use crate::{Arithmetic, EmbedError};

pub(crate) struct Model {
    words: WordTable,
    /// Position and token type 0 together: [positions, hidden]
    positions: Vec<f32>,
    norm: Norm,
    body: Body,
    pooling: Pooling,
    hidden: usize,
}

/// What is made of one text.
pub(crate) struct Read {
    /// Unit length, [hidden].
    pub(crate) vector: Vec<f32>,
    /// Empty without an evolver.
    pub(crate) seed: Vec<f32>,
}

/// The layers: ragged on the CPU, padded on a GPU.
enum Body {
    Ragged(Encoder),
    Padded(PaddedEncoder),
}

impl Model {
    /// `arithmetic` is the CPU's; a GPU computes in f32.
    pub(crate) fn open(
        path: &Path,
        config: &Config,
        device: &Device,
        arithmetic: Arithmetic,
    ) -> Result<Self, EmbedError> {
        let weights = Weights::open(path)?;
        let bert = &config.bert;
        let hidden = bert.hidden_size;
        let words = weights.words("token_embd.weight", bert.vocab_size, hidden)?;
        let mut positions = weights.values("position_embd.weight", &[bert.max_position_embeddings, hidden])?;
        let types = weights.values("token_types.weight", &[bert.type_vocab_size, hidden])?;
        positions.drain(..config.first_position * hidden);
        for position in positions.chunks_exact_mut(hidden) {
            add(position, &types);
        }
        let norm = Norm::load(&weights, "token_embd_norm", hidden, bert.layer_norm_eps)?;
        let body = if device.is_cpu() && config.suits_encoder() {
            Body::Ragged(Encoder::load(&weights, config, arithmetic, None)?)
        } else {
            Body::Padded(PaddedEncoder::load(&weights, config, device)?)
        };
        Ok(Model { words, positions, norm, body, pooling: config.embedder.pooling, hidden })
    }

    /// Unit vectors and, with an evolver, seeds of texts given as token ids (none empty, none longer than
    /// the positions).
    pub(crate) fn read(&self, texts: &[&[u32]], evolver: Option<&Evolver>) -> Result<Vec<Read>, EmbedError> {
        let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        let x = self.embedded(texts, None)?;
        let states = match &self.body {
            Body::Ragged(encoder) => encoder.forward(x, &lengths)?,
            Body::Padded(encoder) => encoder.forward(&x, &lengths)?,
        };
        let states = states.flatten_all()?.to_vec1::<f32>()?;
        let mut rest = states.as_slice();
        let mut read = Vec::with_capacity(texts.len());
        for length in lengths {
            let (text, later) = rest.split_at(length * self.hidden);
            let vector = match self.pooling {
                Pooling::Mean => mean(text, self.hidden),
                Pooling::Cls => crate::vector::unit(text[..self.hidden].to_vec()),
            };
            let seed = evolver.map(|evolver| evolver.seed(text)).transpose()?.unwrap_or_default();
            read.push(Read { vector, seed });
            rest = later;
        }
        Ok(read)
    }

    /// Word + position + type, normed: [tokens, hidden]. `parts` has a row for each segment of a text and the
    /// segment of each token.
    pub(crate) fn embedded(
        &self,
        texts: &[&[u32]],
        mut parts: Option<(&[f32], &mut dyn Iterator<Item = u8>)>,
    ) -> Result<Tensor, EmbedError> {
        let tokens: usize = texts.iter().map(|ids| ids.len()).sum();
        let mut x = vec![0.0; tokens * self.hidden];
        let mut rows = x.chunks_exact_mut(self.hidden);
        for ids in texts {
            let positions = self.positions.chunks_exact(self.hidden);
            for ((id, position), row) in ids.iter().zip(positions).zip(&mut rows) {
                row.copy_from_slice(position);
                if let Some((segments, places)) = &mut parts {
                    let place = places.next().map_or(0, usize::from);
                    segments.chunks_exact(self.hidden).nth(place).into_iter().for_each(|segment| add(row, segment));
                }
                let known = self.words.add_row(*id, row);
                known.ok_or_else(|| anyhow::anyhow!("the tokenizer and the weights are not of one model"))?;
            }
        }
        let nothing = vec![0.0; self.hidden];
        let zeros = vec![0.0; x.len()];
        kernels::add_norm(&mut x, &zeros, &nothing, &self.norm);
        Ok(Tensor::from_vec(x, (tokens, self.hidden), &Device::Cpu)?)
    }
}

/// The mean over the tokens, at unit length.
fn mean(states: &[f32], hidden: usize) -> Vec<f32> {
    let mut sum = vec![0.0; hidden];
    for state in states.chunks_exact(hidden) {
        add(&mut sum, state);
    }
    crate::vector::unit(sum)
}

fn add(sum: &mut [f32], values: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += value;
    }
}
