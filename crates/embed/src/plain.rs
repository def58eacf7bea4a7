//! A model's directory before it is opened: Evoke's own form, or a Hugging Face BERT, RoBERTa or XLM-RoBERTa in
//! the form of sentence-transformers, whose conventions (pooling, prompts, length) are spread over small files.
//! Both become one `Config`; the arithmetic is left to `model.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::EmbedError;
use crate::config::Config;
use crate::safetensors::{INDEX, SINGLE, shards};

/// What is opened, and from where.
pub(crate) struct Directory {
    pub(crate) config: Config,
    pub(crate) tokenizer: PathBuf,
    pub(crate) weights: PathBuf,
    /// Where the prior and the reader of pairs are, if the model has them.
    pub(crate) home: PathBuf,
    /// The model was trained on lower case, and its tokenizer may not see to that.
    pub(crate) lowercase: bool,
    /// All files that decide a vector, for the fingerprint.
    pub(crate) read: Vec<PathBuf>,
}

/// An entry of `modules.json`.
#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    r#type: String,
}

/// `sentence_bert_config.json`
#[derive(Default, Deserialize)]
struct Sentence {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

/// `config_sentence_transformers.json`
#[derive(Default, Deserialize)]
struct Prompts {
    #[serde(default)]
    prompts: BTreeMap<String, String>,
    default_prompt_name: Option<String>,
}

impl Directory {
    /// The error names the file that is missing, or the convention that is not supported.
    pub(crate) fn find(dir: &Path) -> Result<Self, EmbedError> {
        let mut found = Self::without_evolver(dir)?;
        found.read.extend(Some(dir.join("evolver.gguf")).filter(|path| path.exists()));
        Ok(found)
    }

    fn without_evolver(dir: &Path) -> Result<Self, EmbedError> {
        let config = dir.join("config.json");
        if config.exists() && read::<Value>(&config)?.get("embedder").is_none() || dir.join(MODULES).exists() {
            return Self::of_sentence_transformers(dir);
        }
        if config.exists()
            && let Some(trunk) = read::<Value>(&config)?.get("trunk")
        {
            return Self::on_trunk(dir, &config, trunk);
        }
        let (tokenizer, weights) = (dir.join("tokenizer.json"), weights(dir, "model.gguf"));
        let mut read = vec![config.clone(), tokenizer.clone()];
        read.extend(files(&weights)?);
        let home = dir.to_owned();
        Ok(Directory { config: Config::read(&config)?, tokenizer, weights, home, lowercase: false, read })
    }

    /// A model that adds to another, whose folder `trunk` names from this one, and has a name of its own.
    fn on_trunk(dir: &Path, config: &Path, trunk: &Value) -> Result<Self, EmbedError> {
        let of = |reason: &str| EmbedError::broken(config, reason);
        let trunk = trunk.as_str().ok_or_else(|| of("\"trunk\" is not the path of a folder"))?;
        let own: Value = read(config)?;
        let name = own.pointer("/embedder/name").and_then(Value::as_str).ok_or_else(|| of("it has no name"))?;
        let trunk = dir.join(trunk);
        if read::<Value>(&trunk.join("config.json"))?.get("trunk").is_some() {
            return Err(of("its trunk has a trunk itself"));
        }
        let mut found = Self::without_evolver(&trunk)?;
        name.clone_into(&mut found.config.embedder.name);
        found.read.push(config.to_owned());
        Ok(found)
    }

    fn of_sentence_transformers(dir: &Path) -> Result<Self, EmbedError> {
        let (transformer, pooling) = modules(dir)?;
        let path = transformer.join("config.json");
        let mut config: Value = read(&path)?;
        supported(&config).map_err(|reason| EmbedError::broken(&path, reason))?;
        let optional = |home: &Path, name: &str| Some(home.join(name)).filter(|path| path.exists());
        let sentence_path = SENTENCE.iter().find_map(|name| optional(&transformer, name));
        let prompts_path = optional(dir, "config_sentence_transformers.json");
        let tokenizer_path = optional(&transformer, "tokenizer_config.json");
        let sentence: Sentence = sentence_path.as_deref().map_or(Ok(Sentence::default()), read)?;
        let prompts: Prompts = prompts_path.as_deref().map_or(Ok(Prompts::default()), read)?;
        let longest = tokenizer_path.as_deref().map(read::<Value>).transpose()?;
        let longest = longest.and_then(|config| config.get("model_max_length")?.as_f64()).unwrap_or(f64::MAX);
        let positions = Config::positions(&config);
        let max_tokens = sentence.max_seq_length.unwrap_or(longest as usize).min(positions);
        let set = [
            ("hidden_dropout_prob", json!(0.1)),
            ("initializer_range", json!(0.02)),
            ("layer_norm_eps", json!(1e-12)),
            ("pad_token_id", json!(0)),
            ("type_vocab_size", json!(2)),
            ("classifier_dropout", json!(null)),
        ];
        if let Some(config) = config.as_object_mut() {
            for (name, value) in set {
                config.entry(name).or_insert(value);
            }
            let embedder = json!({
                "name": crate::about::name_of(dir),
                "max_tokens": max_tokens,
                "pooling": pooling.as_deref().map_or(Ok("mean"), pooling_mode)?,
                "prefixes": {
                    "query": prompts.text(&["query"]),
                    "passage": prompts.text(&["document", "passage", "corpus"]),
                },
            });
            config.entry("embedder").or_insert(embedder);
        }
        let (tokenizer, weights) = (transformer.join("tokenizer.json"), weights(&transformer, SINGLE));
        let conventions = [pooling, sentence_path, prompts_path, tokenizer_path, optional(dir, MODULES)];
        let mut read = vec![path.clone(), tokenizer.clone()];
        read.extend(files(&weights)?.into_iter().chain(conventions.into_iter().flatten()));
        Ok(Directory {
            home: dir.to_owned(),
            config: Config::of_value(&path, config)?,
            tokenizer,
            weights,
            lowercase: sentence.do_lower_case,
            read,
        })
    }
}

pub(crate) const MODULES: &str = "modules.json";
const SENTENCE: [&str; 4] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_camembert_config.json",
];

/// `model.gguf`, else the file or index of safetensors; `wanted` where none is there.
fn weights(dir: &Path, wanted: &str) -> PathBuf {
    let there = ["model.gguf", SINGLE, INDEX].into_iter().find(|name| dir.join(name).exists());
    dir.join(there.unwrap_or(wanted))
}

/// The weights with all their shards.
fn files(weights: &Path) -> Result<Vec<PathBuf>, EmbedError> {
    match weights.parent() {
        Some(dir) if weights.ends_with(INDEX) => Ok([vec![weights.to_owned()], shards(dir)?].concat()),
        _ => Ok(vec![weights.to_owned()]),
    }
}

/// The directory of the transformer and the file of the pooling, if there is one. Modules that would change a
/// vector in a way that is not known here are refused.
fn modules(dir: &Path) -> Result<(PathBuf, Option<PathBuf>), EmbedError> {
    let path = dir.join(MODULES);
    let usual = Some(dir.join("1_Pooling").join("config.json")).filter(|path| path.exists());
    if !path.exists() {
        return Ok((dir.to_owned(), usual));
    }
    let (mut transformer, mut pooling) = (dir.to_owned(), None);
    for module in read::<Vec<Module>>(&path)? {
        match module.r#type.rsplit('.').next().unwrap_or_default() {
            "Transformer" => transformer = dir.join(&module.path),
            "Pooling" => pooling = Some(dir.join(&module.path).join("config.json")),
            "Normalize" => {}
            other => {
                let reason = format!("its module {other} is not supported; Transformer, Pooling and Normalize are");
                return Err(EmbedError::broken(&path, reason));
            }
        }
    }
    Ok((transformer, pooling))
}

/// The one pooling that a `1_Pooling/config.json` switches on.
fn pooling_mode(path: &Path) -> Result<&'static str, EmbedError> {
    let config: BTreeMap<String, Value> = read(path)?;
    let on = config.iter().filter(|(_, value)| **value == Value::Bool(true));
    let mut modes: Vec<&str> = on.filter_map(|(name, _)| name.strip_prefix("pooling_mode_")).collect();
    modes.extend(config.get("pooling_mode").and_then(Value::as_str));
    match modes.as_slice() {
        // At unit length the two are the same.
        ["mean_tokens" | "mean" | "mean_sqrt_len_tokens" | "mean_sqrt_len"] => Ok("mean"),
        ["cls_token" | "cls"] => Ok("cls"),
        other => {
            let reason = format!("it pools by {other:?}; one of mean and cls is supported");
            Err(EmbedError::broken(path, reason))
        }
    }
}

fn supported(config: &Value) -> Result<(), String> {
    let kind = config.get("model_type").and_then(Value::as_str).unwrap_or("unknown");
    if !matches!(kind, "bert" | "xlm-roberta" | "roberta" | "camembert") {
        return Err(format!("it is a model of the kind \"{kind}\"; bert, roberta and xlm-roberta can be read"));
    }
    let relative = config.get("position_embedding_type").and_then(Value::as_str).filter(|kind| *kind != "absolute");
    match relative {
        Some(kind) => Err(format!("its positions are \"{kind}\"; only absolute ones are supported")),
        None => Ok(()),
    }
}

impl Prompts {
    /// The first prompt of these names that is there, or the default one.
    fn text(&self, names: &[&str]) -> &str {
        let mut names = names.iter().copied().chain(self.default_prompt_name.as_deref());
        names.find_map(|name| self.prompts.get(name)).map_or("", String::as_str)
    }
}

/// The name in a Hugging Face BERT of a tensor that GGUF names `name`.
pub(crate) fn hugging_face(name: &str) -> String {
    const PARTS: [(&str, &str); 8] = [
        ("attn_q.", "attention.self.query."),
        ("attn_k.", "attention.self.key."),
        ("attn_v.", "attention.self.value."),
        ("attn_output.", "attention.output.dense."),
        ("attn_output_norm.", "attention.output.LayerNorm."),
        ("ffn_up.", "intermediate.dense."),
        ("ffn_down.", "output.dense."),
        ("layer_output_norm.", "output.LayerNorm."),
    ];
    const WHOLE: [(&str, &str); 4] = [
        ("token_embd.", "embeddings.word_embeddings."),
        ("position_embd.", "embeddings.position_embeddings."),
        ("token_types.", "embeddings.token_type_embeddings."),
        ("token_embd_norm.", "embeddings.LayerNorm."),
    ];
    if let Some((layer, part)) = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) {
        let found = PARTS.iter().find_map(|(ours, theirs)| Some((theirs, part.strip_prefix(ours)?)));
        return found.map_or(name.into(), |(theirs, kind)| format!("encoder.layer.{layer}.{theirs}{kind}"));
    }
    let found = WHOLE.iter().find_map(|(ours, theirs)| Some((theirs, name.strip_prefix(ours)?)));
    found.map_or(name.into(), |(theirs, kind)| format!("{theirs}{kind}"))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, EmbedError> {
    let json = std::fs::read(path).map_err(|error| EmbedError::io(path, &error))?;
    serde_json::from_slice(&json).map_err(|error| EmbedError::broken(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_hugging_face() {
        let check = |ours, theirs| assert_eq!(hugging_face(ours), theirs);
        check("blk.3.attn_q.weight", "encoder.layer.3.attention.self.query.weight");
        check("blk.10.attn_output_norm.bias", "encoder.layer.10.attention.output.LayerNorm.bias");
        check("blk.0.layer_output_norm.weight", "encoder.layer.0.output.LayerNorm.weight");
        check("token_embd.weight", "embeddings.word_embeddings.weight");
        check("token_embd_norm.bias", "embeddings.LayerNorm.bias");
        check("something.else", "something.else");
    }

    #[test]
    fn one_pooling_is_read_and_others_are_refused_in_words() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let check = |json: &str, expected: Option<&str>| {
            std::fs::write(file.path(), json).unwrap();
            assert_eq!(pooling_mode(file.path()).ok(), expected, "{json}");
        };
        check(r#"{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}"#, Some("mean"));
        check(r#"{"pooling_mode_cls_token": true, "word_embedding_dimension": 8}"#, Some("cls"));
        check(r#"{"pooling_mode": "mean"}"#, Some("mean"));
        check(r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#, None);
        check(r#"{"pooling_mode_max_tokens": true}"#, None);
        check("{}", None);
    }

    #[test]
    fn prompts_are_chosen_by_side() {
        let prompts: Prompts =
            serde_json::from_str(r#"{"prompts": {"query": "query: ", "other": "x"}, "default_prompt_name": "other"}"#)
                .unwrap();
        assert_eq!((prompts.text(&["query"]), prompts.text(&["document", "passage"])), ("query: ", "x"));
        assert_eq!(Prompts::default().text(&["query"]), "");
    }
}
