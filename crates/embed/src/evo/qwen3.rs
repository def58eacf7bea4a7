//! Qwen3 (RMSNorm, normed queries and keys, rotate-half positions, grouped heads, SwiGLU) from input rows to
//! final states, with two adapters that can be switched. Unlike candle-transformers' it takes rows instead of
//! ids, holds no state, and reads several texts at once behind parts of one common past. What the rows are
//! and which state is used is left to `model.rs`.

use candle_core::{D, Device, Module, Result as Candle, Tensor};
use candle_nn::ops::{rms_norm, silu, softmax_last_dim};
use candle_nn::rotary_emb::rope;

use super::checkpoint::{ADAPTERS, Checkpoint, LANGUAGE, LINEAR, Matrix, SIDE, sizes};
use super::spec::{Qwen3Config, Spec};
use crate::EmbedError;

/// Which of the two adapters is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adapter {
    Memory,
    Retriever,
}

/// A text among the rows of a pass: it sees the first `past` rows of the past and its own up to each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) past: usize,
    pub(super) rows: usize,
}

/// Keys and values that a pass left behind, per layer: [groups, rows, head].
pub(super) struct Past(Vec<(Tensor, Tensor)>);

pub(super) struct Qwen3 {
    words: Matrix,
    layers: Vec<Layer>,
    norm: Tensor,
    sizes: Qwen3Config,
    device: Device,
}

struct Layer {
    before_attention: Tensor,
    before_mlp: Tensor,
    q_norm: Tensor,
    k_norm: Tensor,
    linear: [Linear; 7],
}

struct Linear {
    weight: Matrix,
    bias: Option<Tensor>,
    adapters: Option<[Lora; 2]>,
    factor: f64,
}

/// y += factor · b(a(x))
struct Lora {
    a: Matrix,
    b: Matrix,
}

/// Queries that attention takes at once, so that scores over a long text fit into memory.
const QUERIES: usize = 512;

/// Queries of one span, with what hides later keys from them.
struct Block {
    past: usize,
    /// First row of the span, and the rows of these queries.
    start: usize,
    from: usize,
    to: usize,
    /// [queries, past + rows of the span up to `to`]: 0 or −∞
    mask: Option<Tensor>,
}

impl Qwen3 {
    /// The language model of a checkpoint, with its adapters.
    pub(super) fn load(files: &Checkpoint, spec: &Spec, device: &Device) -> Result<Self, EmbedError> {
        Self::load_from(files, &spec.base, LANGUAGE, Some(spec), device)
    }

    /// The static side model: a plain Qwen3.
    pub(super) fn load_side(files: &Checkpoint, sizes: &Qwen3Config, device: &Device) -> Result<Self, EmbedError> {
        Self::load_from(files, sizes, SIDE, None, device)
    }

    fn load_from(
        files: &Checkpoint,
        config: &Qwen3Config,
        root: &str,
        spec: Option<&Spec>,
        device: &Device,
    ) -> Result<Self, EmbedError> {
        let hidden = config.hidden_size;
        let layers =
            (0..config.num_hidden_layers).map(|at| Layer::load(files, config, &format!("{root}layers.{at}"), spec));
        Ok(Qwen3 {
            words: files.matrix(&format!("{root}embed_tokens.weight"), (config.vocab_size, hidden))?,
            layers: layers.collect::<Result<_, _>>()?,
            norm: files.values(&format!("{root}norm.weight"), &[hidden])?,
            sizes: config.clone(),
            device: device.clone(),
        })
    }

    /// Input rows of ids: [ids, hidden].
    pub(super) fn embed(&self, ids: &[u32]) -> Candle<Tensor> {
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.sizes.vocab_size) {
            candle_core::bail!("the tokenizer gives the id {id}, the model has {} words", self.sizes.vocab_size);
        }
        self.words.rows(&Tensor::new(ids, &self.device)?)
    }

    /// What each state says the next id is, before softmax: [rows, vocabulary]. Without output words of their
    /// own the input words are taken, as in every base model of the published kind.
    pub(super) fn next_words(&self, states: &Tensor, output_words: Option<&Matrix>) -> Candle<Tensor> {
        output_words.unwrap_or(&self.words).product(states)
    }

    /// States behind the final norm, [rows, hidden], of spans that lie one behind the other in `x`.
    pub(super) fn states(
        &self,
        x: Tensor,
        spans: &[Span],
        past: Option<&Past>,
        adapter: Option<Adapter>,
    ) -> Candle<Tensor> {
        let mut x = x;
        let (blocks, angles) = (self.blocks(spans)?, self.angles(spans)?);
        for (at, layer) in self.layers.iter().enumerate() {
            let past = past.and_then(|past| past.0.get(at));
            x = layer.forward(&x, &self.sizes, &blocks, &angles, past, adapter)?.0;
        }
        rms_norm(&x.contiguous()?, &self.norm, self.sizes.rms_norm_eps as f32)
    }

    /// What later texts can be read behind: keys and values of rows read causally from the first place on.
    pub(super) fn past(&self, x: Tensor, adapter: Option<Adapter>) -> Candle<Past> {
        let (mut x, mut kept) = (x, Vec::new());
        let spans = [Span { past: 0, rows: x.dim(0)? }];
        let (blocks, angles) = (self.blocks(&spans)?, self.angles(&spans)?);
        for layer in &self.layers {
            let (next, keys_values) = layer.forward(&x, &self.sizes, &blocks, &angles, None, adapter)?;
            kept.push(keys_values);
            x = next;
        }
        Ok(Past(kept))
    }

    fn blocks(&self, spans: &[Span]) -> Candle<Vec<Block>> {
        let (mut blocks, mut start) = (Vec::new(), 0);
        for Span { past, rows } in spans {
            for from in (0..*rows).step_by(QUERIES) {
                let to = (from + QUERIES).min(*rows);
                let mask = if to - from == 1 { None } else { Some(mask(*past, from, to, &self.device)?) };
                blocks.push(Block { past: *past, start, from: start + from, to: start + to, mask });
            }
            start += rows;
        }
        Ok(blocks)
    }

    /// Cosines and sines of every row's place: [rows, head / 2] each.
    fn angles(&self, spans: &[Span]) -> Candle<(Tensor, Tensor)> {
        let (half, head) = (self.sizes.head() / 2, self.sizes.head() as f32);
        let theta = self.sizes.theta() as f32;
        let speeds: Vec<f32> = (0..half).map(|at| 1.0 / theta.powf(2.0 * at as f32 / head)).collect();
        let places = spans.iter().flat_map(|span| span.past..span.past + span.rows);
        let angles: Vec<f32> = places.flat_map(|place| speeds.iter().map(move |speed| place as f32 * speed)).collect();
        let shape = (angles.len() / half, half);
        let (cosines, sines) = angles.iter().map(|angle| (angle.cos(), angle.sin())).unzip();
        Ok((Tensor::from_vec(cosines, shape, &self.device)?, Tensor::from_vec::<_, f32>(sines, shape, &self.device)?))
    }
}

fn mask(past: usize, from: usize, to: usize, device: &Device) -> Candle<Tensor> {
    let keys = past + to;
    let row = |query: usize| (0..keys).map(move |key| if key <= past + query { 0.0 } else { f32::NEG_INFINITY });
    Tensor::from_vec((from..to).flat_map(row).collect::<Vec<f32>>(), (to - from, keys), device)
}

impl Layer {
    fn load(files: &Checkpoint, config: &Qwen3Config, root: &str, spec: Option<&Spec>) -> Result<Self, EmbedError> {
        let norm = |name: &str, width: usize| files.values(&format!("{root}.{name}.weight"), &[width]);
        let linear = |at: usize| Linear::load(files, config, root, LINEAR[at], spec);
        Ok(Layer {
            before_attention: norm("input_layernorm", config.hidden_size)?,
            before_mlp: norm("post_attention_layernorm", config.hidden_size)?,
            q_norm: norm("self_attn.q_norm", config.head())?,
            k_norm: norm("self_attn.k_norm", config.head())?,
            linear: [linear(0)?, linear(1)?, linear(2)?, linear(3)?, linear(4)?, linear(5)?, linear(6)?],
        })
    }

    /// The rows behind this layer, and its keys and values of them.
    fn forward(
        &self,
        x: &Tensor,
        sizes: &Qwen3Config,
        blocks: &[Block],
        angles: &(Tensor, Tensor),
        past: Option<&(Tensor, Tensor)>,
        adapter: Option<Adapter>,
    ) -> Candle<(Tensor, (Tensor, Tensor))> {
        let epsilon = sizes.rms_norm_eps as f32;
        let [q, k, v, o, gate, up, down] = &self.linear;
        let normed = rms_norm(&x.contiguous()?, &self.before_attention, epsilon)?;
        let turned = |linear: &Linear, norm: &Tensor, heads: usize| {
            let x = heads_of(&linear.forward(&normed, adapter)?, heads, sizes.head())?;
            let x = rms_norm(&x, norm, epsilon)?.transpose(0, 1)?.contiguous()?.unsqueeze(0)?;
            rope(&x, &angles.0, &angles.1)?.squeeze(0)
        };
        let queries = turned(q, &self.q_norm, sizes.num_attention_heads)?;
        let keys = turned(k, &self.k_norm, sizes.groups())?;
        let values = v.forward(&normed, adapter)?;
        let values = heads_of(&values, sizes.groups(), sizes.head())?.transpose(0, 1)?.contiguous()?;
        let attended = blocks.iter().map(|block| block.attend(&queries, &keys, &values, past));
        let attended = Tensor::cat(&attended.collect::<Candle<Vec<_>>>()?, 0)?;
        let x = (x + o.forward(&attended, adapter)?)?;
        let normed = rms_norm(&x, &self.before_mlp, epsilon)?;
        let wide = (silu(&gate.forward(&normed, adapter)?)? * up.forward(&normed, adapter)?)?;
        let x = (x + down.forward(&wide, adapter)?)?;
        Ok((x, (keys, values)))
    }
}

/// [rows, heads · width] → [rows, heads, width]
fn heads_of(x: &Tensor, heads: usize, width: usize) -> Candle<Tensor> {
    x.reshape((x.dim(0)?, heads, width))
}

impl Block {
    /// [queries of this block, heads · width]; `queries` is [heads, rows, width], `keys` and `values` [groups, rows, width].
    fn attend(
        &self,
        queries: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        past: Option<&(Tensor, Tensor)>,
    ) -> Candle<Tensor> {
        let (heads, _, width) = queries.dims3()?;
        let (groups, count) = (keys.dim(0)?, self.to - self.from);
        let seen = |own: &Tensor, past: Option<&Tensor>| {
            let own = own.narrow(1, self.start, self.to - self.start)?;
            match past.filter(|_| self.past > 0) {
                Some(past) => Tensor::cat(&[&past.narrow(1, 0, self.past)?, &own], 1),
                None => own.contiguous(),
            }
        };
        let keys = seen(keys, past.map(|past| &past.0))?;
        let values = seen(values, past.map(|past| &past.1))?;
        let queries = queries.narrow(1, self.from, count)?.contiguous()?;
        let queries = queries.reshape((groups, heads / groups * count, width))?;
        let scores = (queries.matmul(&keys.t()?)? / (width as f64).sqrt())?;
        let scores = scores.reshape((heads, count, keys.dim(1)?))?;
        let scores = match &self.mask {
            Some(mask) => scores.broadcast_add(mask)?,
            None => scores,
        };
        let shares = softmax_last_dim(&scores)?.reshape((groups, heads / groups * count, keys.dim(1)?))?;
        let mixed = shares.matmul(&values)?.reshape((heads, count, width))?;
        mixed.transpose(0, 1)?.contiguous()?.flatten_from(D::Minus2)
    }
}

impl Linear {
    fn load(
        files: &Checkpoint,
        config: &Qwen3Config,
        root: &str,
        part: &str,
        spec: Option<&Spec>,
    ) -> Result<Self, EmbedError> {
        let (outputs, inputs) = sizes(config, part);
        let base = if spec.is_some() { format!("{root}.{part}.base_layer") } else { format!("{root}.{part}") };
        let biased = config.attention_bias && part.starts_with("self_attn");
        let lora = |spec: &Spec, adapter: &str| {
            let a = files.matrix(&format!("{root}.{part}.lora_A.{adapter}.weight"), (spec.rank, inputs))?;
            let b = files.matrix(&format!("{root}.{part}.lora_B.{adapter}.weight"), (outputs, spec.rank))?;
            Ok::<_, EmbedError>(Lora { a, b })
        };
        let adapters = spec.map(|spec| Ok::<_, EmbedError>([lora(spec, ADAPTERS[0])?, lora(spec, ADAPTERS[1])?]));
        Ok(Linear {
            weight: files.matrix(&format!("{base}.weight"), (outputs, inputs))?,
            bias: biased.then(|| files.values(&format!("{base}.bias"), &[outputs])).transpose()?,
            adapters: adapters.transpose()?,
            factor: spec.map_or(0.0, |spec| spec.factor),
        })
    }

    /// `x` is [rows, inputs], contiguous.
    fn forward(&self, x: &Tensor, adapter: Option<Adapter>) -> Candle<Tensor> {
        let mut y = self.weight.product(x)?;
        if let Some(bias) = &self.bias {
            y = y.broadcast_add(bias)?;
        }
        if let (Some([memory, retriever]), Some(adapter)) = (&self.adapters, adapter) {
            let lora = if adapter == Adapter::Memory { memory } else { retriever };
            y = (y + (lora.b.product(&lora.a.product(x)?)? * self.factor)?)?;
        }
        Ok(y)
    }
}

/// A linear map with a bias.
pub(super) struct Affine {
    weight: Matrix,
    bias: Tensor,
}

impl Affine {
    pub(super) fn load(files: &Checkpoint, name: &str, shape: (usize, usize)) -> Result<Self, EmbedError> {
        let weight = files.matrix(&format!("{name}.weight"), shape)?;
        Ok(Affine { weight, bias: files.values(&format!("{name}.bias"), &[shape.0])? })
    }
}

impl Module for Affine {
    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        self.weight.product(x)?.broadcast_add(&self.bias)
    }
}
