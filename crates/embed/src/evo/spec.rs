//! Sizes, ids and rules of a published checkpoint: its `config.json`, the base model's own configuration
//! beside it, and `evo_ids.json` (or, without that file, what the tokenizer says). Nothing is assumed of
//! a size that a file can state.

use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{Content, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::text::{self, Texts};
use crate::EmbedError;
use crate::safetensors::{INDEX, SINGLE};

/// `model_type` of a published checkpoint, and the architecture in the GGUF made of it.
pub(crate) const MODEL_TYPE: &str = "EvoRAG";
pub(super) const ARCHITECTURE: &str = "evorag";

/// Keys of the GGUF's metadata; each holds the text of the file that it replaces.
pub(super) const CONFIG_KEY: &str = "evorag.config";
pub(super) const BASE_KEY: &str = "evorag.base_config";
pub(super) const IDS_KEY: &str = "evorag.ids";

/// The three descriptions of a checkpoint as text, each with the file it was read from.
pub(crate) struct Parts {
    pub(super) config: (PathBuf, String),
    pub(super) base: (PathBuf, String),
    pub(super) ids: Option<(PathBuf, String)>,
    pub(crate) tokenizer: PathBuf,
    pub(super) gguf: bool,
}

impl Parts {
    /// The first part that is missing is the error; [`Parts::lacking`] has all of them.
    pub(crate) fn find(dir: &Path) -> Result<Self, EmbedError> {
        let gguf = dir.join("model.gguf");
        if gguf.exists() {
            return Self::of_gguf(dir, gguf);
        }
        let config = file(dir.join("config.json"))?;
        let named = named_base(&config.1);
        let base =
            base_config(dir, named.as_deref()).ok_or_else(|| EmbedError::Missing(dir.join("base_config.json")))?;
        let tokenizer =
            tokenizer(dir, named.as_deref()).ok_or_else(|| EmbedError::Missing(dir.join("tokenizer.json")))?;
        let ids = Some(dir.join("evo_ids.json")).filter(|path| path.exists()).map(file).transpose()?;
        Ok(Parts { config, base: file(base)?, ids, tokenizer, gguf: false })
    }

    /// Files that are not there, in words.
    pub(crate) fn lacking(dir: &Path) -> Vec<String> {
        let there = |name: &str| dir.join(name).exists();
        let mut lacking = Vec::new();
        let config = file(dir.join("config.json")).ok();
        let named = config.as_ref().and_then(|(_, json)| named_base(json));
        let gguf = there("model.gguf");
        if !gguf && config.is_none() {
            lacking.push("the file config.json is not there".into());
        }
        if !gguf && base_config(dir, named.as_deref()).is_none() {
            let base = named.as_deref().unwrap_or("the base model");
            lacking.push(format!(
                "the sizes of the base model are not there: copy the config.json of {base} here as base_config.json"
            ));
        }
        if tokenizer(dir, named.as_deref().filter(|_| !gguf)).is_none() {
            let base = named.as_deref().unwrap_or("the base model");
            lacking.push(format!("the file tokenizer.json is not there: copy that of {base} here"));
        }
        if !gguf && !there(SINGLE) && !there(INDEX) {
            lacking.push(format!("the weights are not there: {SINGLE}, or its shards with {INDEX}"));
        }
        lacking
    }

    fn of_gguf(dir: &Path, path: PathBuf) -> Result<Self, EmbedError> {
        let broken = |reason: &str| EmbedError::broken(&path, reason);
        let mut reader = std::fs::File::open(&path).map_err(|error| EmbedError::io(&path, &error))?;
        let content = Content::read(&mut reader).map_err(|error| EmbedError::broken(&path, error))?;
        if !is_evo(&content) {
            return Err(broken("it is not a model of the EvoEmbedding kind"));
        }
        let text = |key: &str| match content.metadata.get(key) {
            Some(Value::String(text)) => Some((path.clone(), text.clone())),
            _ => None,
        };
        let tokenizer = dir.join("tokenizer.json");
        if !tokenizer.exists() {
            return Err(EmbedError::Missing(tokenizer));
        }
        Ok(Parts {
            config: text(CONFIG_KEY).ok_or_else(|| broken("its configuration is not in it"))?,
            base: text(BASE_KEY).ok_or_else(|| broken("the base model's configuration is not in it"))?,
            ids: text(IDS_KEY),
            tokenizer,
            gguf: true,
        })
    }
}

pub(crate) fn is_evo(content: &Content) -> bool {
    matches!(content.metadata.get("general.architecture"), Some(Value::String(name)) if name == ARCHITECTURE)
}

fn file(path: PathBuf) -> Result<(PathBuf, String), EmbedError> {
    let bytes = std::fs::read(&path).map_err(|error| EmbedError::io(&path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| EmbedError::broken(&path, error))?;
    Ok((path, text))
}

/// `base_model_name_or_path` of a `config.json`.
fn named_base(config: &str) -> Option<String> {
    let config: serde_json::Value = serde_json::from_str(config).ok()?;
    config.get("base_model_name_or_path")?.as_str().map(str::to_owned)
}

/// Directories that may hold the base model: in or beside `dir`, by its whole name or the last part of it.
fn homes(dir: &Path, named: Option<&str>) -> Vec<PathBuf> {
    let named = named.map(Path::new).filter(|named| named.is_relative());
    let names = named.into_iter().chain(named.and_then(Path::file_name).map(Path::new)).chain([Path::new("base")]);
    names.flat_map(|name| [dir.join(name), dir.join("..").join(name)]).collect()
}

fn base_config(dir: &Path, named: Option<&str>) -> Option<PathBuf> {
    let theirs = homes(dir, named).into_iter().map(|home| home.join("config.json"));
    std::iter::once(dir.join("base_config.json")).chain(theirs).find(|path| path.exists())
}

fn tokenizer(dir: &Path, named: Option<&str>) -> Option<PathBuf> {
    let homes = std::iter::once(dir.to_owned()).chain(homes(dir, named));
    homes.map(|home| home.join("tokenizer.json")).find(|path| path.exists())
}

/// What `config.json` of a checkpoint says.
#[derive(Debug, Deserialize)]
struct Config {
    model_type: String,
    num_latents: Option<usize>,
    buffer_capacity: Option<usize>,
    lora_r: Option<usize>,
    lora_alpha: Option<f64>,
}

/// Configuration of a Qwen3 (Hugging Face), as far as the arithmetic needs it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Qwen3Config {
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    pub(super) rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_parameters: Option<serde_json::Value>,
    rope_scaling: Option<serde_json::Value>,
    pub(super) vocab_size: usize,
    hidden_act: Option<String>,
    #[serde(default)]
    pub(super) attention_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default)]
    layer_types: Vec<String>,
}

impl Qwen3Config {
    /// Heads of keys and values.
    pub(super) fn groups(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    pub(super) fn head(&self) -> usize {
        self.head_dim.unwrap_or(self.hidden_size / self.num_attention_heads.max(1))
    }

    pub(super) fn theta(&self) -> f64 {
        let newer = self.rope_parameters.as_ref().and_then(|rope| rope.get("rope_theta")?.as_f64());
        self.rope_theta.or(newer).unwrap_or(10_000.0)
    }

    /// Reads and checks a configuration; the reason of a refusal is in words.
    pub(super) fn read(path: &Path, json: &str) -> Result<Self, EmbedError> {
        let kind = parsed::<serde_json::Value>(path, json)?;
        let kind = kind.get("model_type").and_then(|kind| kind.as_str()).unwrap_or("unknown").to_owned();
        if kind != "qwen3" {
            let reason = format!("the base model is of the kind \"{kind}\"; only \"qwen3\" can be read");
            return Err(EmbedError::broken(path, reason));
        }
        let config: Qwen3Config = parsed(path, json)?;
        config.check().map_err(|reason| EmbedError::broken(path, reason))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let sizes = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.groups()),
            ("head_dim", self.head()),
            ("vocab_size", self.vocab_size),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("{name} is 0"));
        }
        if !self.num_attention_heads.is_multiple_of(self.groups()) {
            return Err("num_attention_heads is not a multiple of num_key_value_heads".into());
        }
        if !self.head().is_multiple_of(2) {
            return Err("head_dim is odd".into());
        }
        if self.hidden_act.as_deref().is_some_and(|act| act != "silu") {
            return Err("only hidden_act \"silu\" is supported".into());
        }
        if self.use_sliding_window || self.layer_types.iter().any(|kind| kind != "full_attention") {
            return Err("it has layers that are not of full attention, which are not supported".into());
        }
        let ropes = [self.rope_scaling.as_ref(), self.rope_parameters.as_ref()];
        let kinds = ropes.into_iter().flatten().filter_map(|rope| rope.get("rope_type").or(rope.get("type")));
        match kinds.filter_map(|kind| kind.as_str()).find(|kind| *kind != "default") {
            Some(kind) => Err(format!("positions scaled by \"{kind}\" are not supported")),
            None => Ok(()),
        }
    }
}

/// `evo_ids.json`: all of it may be left out.
#[derive(Debug, Default, Deserialize)]
struct IdsFile {
    #[serde(default)]
    ids: PartialIds,
    prefix_text: Option<String>,
    num_latents: Option<usize>,
    buffer_capacity: Option<usize>,
    chunk_turns: Option<usize>,
    chunk_tokens: Option<usize>,
    score_temperature: Option<f64>,
    lora_scaling: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
struct PartialIds {
    endoftext: Option<u32>,
    im_start: Option<u32>,
    im_end: Option<u32>,
    user: Option<u32>,
    newline: Option<u32>,
    prefix: Option<Vec<u32>>,
}

/// Ids that have a meaning of their own (specification 1.4).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ids {
    /// Ends every text of a retrieval pass.
    pub(crate) end: u32,
    /// Begin and end a message of a chat.
    pub(crate) start_message: u32,
    pub(crate) end_message: u32,
    /// After `start_message`: a new turn begins.
    pub(crate) user: u32,
    pub(crate) newline: u32,
    /// Stand before a query.
    pub(crate) prefix: Vec<u32>,
}

/// Everything but the weights.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(super) base: Qwen3Config,
    pub(super) ids: Ids,
    pub(super) prefix_text: String,
    /// Latent rows a turn (K), and rows of the queue (C).
    pub(super) latents: usize,
    pub(super) capacity: usize,
    /// Turns and ids of a memory pass at most (specification 1.6).
    pub(super) chunk_turns: usize,
    pub(super) chunk_tokens: usize,
    pub(super) rank: usize,
    /// alpha / r
    pub(super) factor: f64,
    pub(super) temperature: f32,
}

/// The reference's query prefix.
const PREFIX: &str = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:";

impl Spec {
    pub(crate) fn read(parts: &Parts, texts: &Texts) -> Result<Self, EmbedError> {
        let (path, json) = &parts.config;
        let config: Config = parsed(path, json)?;
        if config.model_type != MODEL_TYPE {
            let reason = format!("its model_type is \"{}\", not \"{MODEL_TYPE}\"", config.model_type);
            return Err(EmbedError::broken(path, reason));
        }
        let base = Qwen3Config::read(&parts.base.0, &parts.base.1)?;
        if texts.size() > base.vocab_size {
            let reason = format!("it has {} tokens, the base model {}", texts.size(), base.vocab_size);
            return Err(EmbedError::broken(&parts.tokenizer, reason));
        }
        let file: IdsFile = match &parts.ids {
            Some((path, json)) => parsed(path, json)?,
            None => IdsFile::default(),
        };
        let rank = config.lora_r.unwrap_or(64);
        let factor = match config.lora_alpha {
            Some(alpha) => alpha / rank.max(1) as f64,
            None => file.lora_scaling.unwrap_or(2.0),
        };
        let prefix_text = file.prefix_text.unwrap_or_else(|| PREFIX.into());
        let ids = ids(file.ids, &prefix_text, texts, &parts.tokenizer)?;
        let spec = Spec {
            base,
            ids,
            prefix_text,
            latents: config.num_latents.or(file.num_latents).unwrap_or(16),
            capacity: config.buffer_capacity.or(file.buffer_capacity).unwrap_or(512),
            chunk_turns: file.chunk_turns.unwrap_or(16),
            chunk_tokens: file.chunk_tokens.unwrap_or(2048),
            rank,
            factor,
            temperature: file.score_temperature.unwrap_or(0.1) as f32,
        };
        spec.check().map_err(|reason| EmbedError::broken(path, reason))?;
        Ok(spec)
    }

    fn check(&self) -> Result<(), String> {
        let sizes = [
            ("num_latents", self.latents),
            ("buffer_capacity", self.capacity),
            ("chunk_turns", self.chunk_turns),
            ("lora_r", self.rank),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("{name} is 0"));
        }
        if !(self.temperature > 0.0 && self.factor.is_finite()) {
            return Err("score_temperature or lora_alpha cannot be worked with".into());
        }
        let Ids { end, start_message, end_message, user, newline, prefix } = &self.ids;
        let mut ids = [end, start_message, end_message, user, newline].into_iter().chain(prefix);
        match ids.find(|id| **id as usize >= self.base.vocab_size) {
            Some(id) => Err(format!("the special id {id} is not in a vocabulary of {}", self.base.vocab_size)),
            None => Ok(()),
        }
    }
}

/// Ids as the file has them; those that it does not name are asked of the tokenizer.
fn ids(file: PartialIds, prefix: &str, texts: &Texts, tokenizer: &Path) -> Result<Ids, EmbedError> {
    let special = |id: Option<u32>, name: &str| {
        let why = || format!("it has no token {name}, and evo_ids.json is not there to name another");
        id.or_else(|| texts.special(name)).ok_or_else(|| EmbedError::broken(tokenizer, why()))
    };
    let single = |id: Option<u32>, word: &str| match id {
        Some(id) => Ok(id),
        None => match texts.ids(word)?.as_slice() {
            [id] => Ok(*id),
            _ => Err(EmbedError::broken(tokenizer, format!("{word:?} is not one token in it"))),
        },
    };
    Ok(Ids {
        end: special(file.endoftext, text::END)?,
        start_message: special(file.im_start, text::START_MESSAGE)?,
        end_message: special(file.im_end, text::END_MESSAGE)?,
        user: single(file.user, "user")?,
        newline: single(file.newline, "\n")?,
        prefix: file.prefix.map_or_else(|| texts.ids(prefix), Ok)?,
    })
}

fn parsed<T: DeserializeOwned>(path: &Path, json: &str) -> Result<T, EmbedError> {
    serde_json::from_str(json).map_err(|error| EmbedError::broken(path, error))
}
