//! The latent memory (EvoEmbedding, arXiv 2606.21649, made small; models/evoke-e5-small-evolved/MODEL_CARD.md): what a
//! text says of state and order, given what was said before it. The general vector stays as it is; beside it
//! a passage gets a *seed* of the text alone and a *state* that depends on the stream before it.
//!
//! Here are the weights and what is made of one text. Reading a stream is `stream.rs`; which passages make
//! a stream, and what a state is worth in a search, is for others.

pub(crate) mod layers;
mod stream;

use std::path::Path;

use candle_core::Tensor;
use rayon::prelude::*;

use crate::EmbedError;
use crate::evolver::layers::{Block, Norm};
use crate::weights::Weights;

pub(crate) use layers::Linear;
pub use stream::Stream;

/// What a question asks of order and change; [`Intent::None`] of most questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    None,
    /// What holds in the end.
    Now,
    /// What held before the last change, or before something else.
    Before,
    First,
    Last,
    When,
    HowOften,
    Who,
    AllOf,
}

impl Intent {
    fn parse(name: &str) -> Option<Intent> {
        Some(match name {
            "none" => Intent::None,
            "now" => Intent::Now,
            "before" => Intent::Before,
            "first" => Intent::First,
            "last" => Intent::Last,
            "when" => Intent::When,
            "how_often" => Intent::HowOften,
            "who" => Intent::Who,
            "all_of" => Intent::AllOf,
            _ => return None,
        })
    }

    /// The intents of a head, from the metadata of its file.
    pub(crate) fn named(weights: &Weights, key: &str) -> Result<Vec<Intent>, EmbedError> {
        let named = weights.text(key)?;
        let unknown = |name: &str| weights.broken(&format!("it names an unknown intent {name}"));
        named.split(',').map(|name| Intent::parse(name.trim()).ok_or_else(|| unknown(name))).collect()
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Intent::None => "none",
            Intent::Now => "now",
            Intent::Before => "before",
            Intent::First => "first",
            Intent::Last => "last",
            Intent::When => "when",
            Intent::HowOften => "how_often",
            Intent::Who => "who",
            Intent::AllOf => "all_of",
        }
    }
}

/// A text as the evolver takes it: its static vector and its seed, both from [`crate::Vector`].
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    pub vector: &'a [f32],
    pub seed: &'a [f32],
}

/// What a question wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub intent: Intent,
    /// What a state's cosine counts; exactly 0 for questions that ask nothing of order or change.
    pub lambda: f32,
}

/// Lengths that a store must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvolverSizes {
    /// Values of a seed.
    pub seed: usize,
    /// Values of a state.
    pub state: usize,
    /// Passages that are remembered, the longest stream worth reading at once.
    pub window: usize,
}

pub struct Evolver {
    hidden: usize,
    latents: usize,
    seed: usize,
    state: usize,
    window: usize,
    heads: usize,
    /// [latents, hidden] and [latents]: which tokens a latent looks at.
    attend: Vec<f32>,
    attend_bias: Vec<f32>,
    /// Of each latent, hidden → seed.
    value: Vec<Linear>,
    up: Linear,
    fixed: Linear,
    in_norm: Norm,
    /// [latents + 1, width]
    slots: Vec<f32>,
    passage_role: Vec<f32>,
    query_role: Vec<f32>,
    blocks: Vec<Block>,
    out_norm: Norm,
    out: Linear,
    ask_norm: Norm,
    ask: Linear,
    intent: Linear,
    gain: Vec<f32>,
    intents: Vec<Intent>,
}

/// Less sure than this of an intent, the question has none.
const SURE: f32 = 0.5;
const FILE: &str = "evolver.gguf";

impl Evolver {
    /// Opens `evolver.gguf` of a model directory; none where there is no such file.
    pub(crate) fn open(dir: &Path, hidden: usize) -> Result<Option<Self>, EmbedError> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        Self::load(&Weights::open(&path)?, hidden).map(Some)
    }

    fn load(weights: &Weights, hidden: usize) -> Result<Self, EmbedError> {
        let size = |name: &str| weights.size(&format!("evolver.{name}"));
        let (latents, seed, width) = (size("latents")?, size("seed")?, size("width")?);
        let (layers, heads, state) = (size("layers")?, size("heads")?, size("state")?);
        let (window, wide) = (size("window")?, size("ffn")?);
        if [latents, seed, width, heads, state, window, wide].contains(&0) || width % heads != 0 {
            return Err(weights.broken("its sizes cannot be"));
        }
        let linear = |name: &str, from, to| Linear::load(weights, name, from, to);
        let norm = |name: &str| Norm::load(weights, name, width);
        let values = weights.values("pool.value.weight", &[latents * seed, hidden])?;
        let value_bias = weights.values("pool.value.bias", &[latents * seed])?;
        let value = values.chunks_exact(seed * hidden).zip(value_bias.chunks_exact(seed));
        let intents = Intent::named(weights, "evolver.intents")?;
        Ok(Evolver {
            hidden,
            latents,
            seed,
            state,
            window,
            heads,
            attend: weights.values("pool.attn.weight", &[latents, hidden])?,
            attend_bias: weights.values("pool.attn.bias", &[latents])?,
            value: value.map(|(w, b)| Linear::new(w, b, hidden, seed)).collect::<Result<_, _>>()?,
            up: linear("up", seed, width)?,
            fixed: linear("static", hidden, width)?,
            in_norm: norm("in_norm")?,
            slots: weights.values("slot", &[latents + 1, width])?,
            passage_role: weights.values("role.passage", &[width])?,
            query_role: weights.values("role.query", &[width])?,
            blocks: (0..layers).map(|at| Block::load(weights, at, width, wide)).collect::<Result<_, _>>()?,
            out_norm: norm("out_norm")?,
            out: linear("out", width, state)?,
            ask_norm: norm("ask_norm")?,
            ask: linear("ask", width, state)?,
            intent: linear("intent", width, intents.len())?,
            gain: weights.values("gain", &[intents.len()])?,
            intents,
        })
    }

    pub fn sizes(&self) -> EvolverSizes {
        EvolverSizes { seed: self.latents * self.seed, state: self.state, window: self.window }
    }

    /// The seed of a text from its token states [tokens, hidden]: latent by latent, a mean of the states
    /// weighted by a softmax over the tokens, projected.
    pub(crate) fn seed(&self, states: &[f32]) -> Result<Vec<f32>, EmbedError> {
        let mut seed = Vec::with_capacity(self.latents * self.seed);
        let heads = self.attend.chunks_exact(self.hidden).zip(&self.attend_bias).zip(&self.value);
        for ((attend, bias), value) in heads {
            let logits: Vec<f32> =
                states.chunks_exact(self.hidden).map(|state| layers::dot(state, attend) + bias).collect();
            let mut mean = vec![0.0; self.hidden];
            for (state, weight) in states.chunks_exact(self.hidden).zip(layers::softmax(logits)) {
                layers::add_times(&mut mean, state, weight);
            }
            seed.extend(value.apply(&Tensor::from_vec(mean, (1, self.hidden), &candle_core::Device::Cpu)?)?);
        }
        Ok(seed)
    }

    /// What a question asks for, read without any memory.
    pub fn wanted(&self, query: Said<'_>) -> Result<Wanted, EmbedError> {
        let last = self.stream().last_latent(query, &self.query_role)?;
        let normed = self.ask_norm.apply(&last);
        let chances = layers::softmax(self.intent.apply(&layers::rows(normed, self.ask_norm.width())?)?);
        let best = chances.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let none = Wanted { intent: Intent::None, lambda: 0.0 };
        let Some((at, chance)) = best else { return Ok(none) };
        match (self.intents.get(at), self.gain.get(at)) {
            (Some(intent), Some(gain)) if *intent != Intent::None && *chance >= SURE => {
                Ok(Wanted { intent: *intent, lambda: chance * gain.max(0.0) })
            }
            _ => Ok(none),
        }
    }

    /// The states of many streams, each read from its beginning: side by side on the threads of the pool that
    /// the call runs in.
    pub fn states(&self, streams: &[Vec<Said<'_>>]) -> Result<Vec<Vec<Vec<f32>>>, EmbedError> {
        streams.par_iter().with_max_len(1).map(|passages| self.stream().read(passages)).collect()
    }

    /// An empty stream.
    pub fn stream(&self) -> Stream<'_> {
        Stream::new(self)
    }

    /// Rows of a text before the first block: [latents + 1, width].
    fn rows(&self, said: Said<'_>, role: &[f32]) -> Result<Vec<f32>, EmbedError> {
        if said.vector.len() != self.hidden || said.seed.len() != self.latents * self.seed {
            return Err(anyhow::anyhow!("a vector and a seed of another model were given to the evolver").into());
        }
        let mut x = self.up.apply(&layers::rows(said.seed.to_vec(), self.seed)?)?;
        x.extend(self.fixed.apply(&layers::rows(said.vector.to_vec(), self.hidden)?)?);
        let mut x = self.in_norm.apply(&x);
        for (row, slot) in x.chunks_exact_mut(role.len()).zip(self.slots.chunks_exact(role.len())) {
            layers::add_times(row, slot, 1.0);
            layers::add_times(row, role, 1.0);
        }
        Ok(x)
    }
}
