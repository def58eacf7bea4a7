//! `config.json` of a model directory: a Hugging Face BERT configuration, with what Evoke adds under
//! the key "embedder". Read with candle-transformers' own type, so that any BERT's file is understood.

use std::path::Path;

use candle_transformers::models::bert;
use serde::Deserialize;

use crate::{EmbedError, Side, attention};

/// Sizes and conventions of one model.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    #[serde(flatten)]
    pub(crate) bert: bert::Config,
    pub(crate) embedder: Conventions,
    /// The first row of the position table that a text uses: 0 in a BERT, behind the padding's in a RoBERTa.
    #[serde(skip)]
    pub(crate) first_position: usize,
}

/// How the model wants its texts.
#[derive(Debug, Deserialize)]
pub(crate) struct Conventions {
    pub(crate) name: String,
    /// Longest input in tokens, special tokens included.
    pub(crate) max_tokens: usize,
    pub(crate) pooling: Pooling,
    prefixes: Prefixes,
}

/// How the states of all tokens become one vector.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pooling {
    /// The mean of the last layer over all tokens.
    Mean,
    /// The last layer at the first token.
    Cls,
}

/// What the model was trained to see before a text (E5: "query: " and "passage: ").
#[derive(Debug, Deserialize)]
struct Prefixes {
    query: String,
    passage: String,
}

impl Config {
    pub(crate) fn read(path: &Path) -> Result<Self, EmbedError> {
        let json = std::fs::read(path).map_err(|error| EmbedError::io(path, &error))?;
        let value = serde_json::from_slice(&json).map_err(|error| EmbedError::broken(path, error))?;
        Self::of_value(path, value)
    }

    /// The same of a file's content; `path` is for messages.
    pub(crate) fn of_value(path: &Path, value: serde_json::Value) -> Result<Self, EmbedError> {
        let first_position = first_position(&value);
        let config: Config = serde_json::from_value(value).map_err(|error| EmbedError::broken(path, error))?;
        let config = Config { first_position, ..config };
        config.check().map_err(|reason| EmbedError::broken(path, reason))?;
        Ok(config)
    }

    /// Tokens for which there are positions.
    pub(crate) fn positions(value: &serde_json::Value) -> usize {
        let table = value.get("max_position_embeddings").and_then(serde_json::Value::as_u64).unwrap_or(512);
        (table as usize).saturating_sub(first_position(value))
    }

    /// Whether the encoder of `encoder.rs` can compute it; else candle's does.
    pub(crate) fn suits_encoder(&self) -> bool {
        let bert = &self.bert;
        (bert.hidden_size / bert.num_attention_heads).is_multiple_of(attention::STEP)
            && bert.hidden_act == bert::HiddenAct::Gelu
    }

    pub(crate) fn prefix(&self, side: Side) -> &str {
        match side {
            Side::Query => &self.embedder.prefixes.query,
            Side::Passage => &self.embedder.prefixes.passage,
        }
    }

    /// Sizes that the arithmetic relies on.
    fn check(&self) -> Result<(), String> {
        let bert = &self.bert;
        let sizes = [
            ("hidden_size", bert.hidden_size),
            ("num_hidden_layers", bert.num_hidden_layers),
            ("num_attention_heads", bert.num_attention_heads),
            ("intermediate_size", bert.intermediate_size),
            ("vocab_size", bert.vocab_size),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("{name} is 0"));
        }
        if !bert.hidden_size.is_multiple_of(bert.num_attention_heads) {
            return Err("hidden_size is not a multiple of num_attention_heads".into());
        }
        let positions = bert.max_position_embeddings.saturating_sub(self.first_position);
        if !(3..=positions).contains(&self.embedder.max_tokens) {
            return Err("max_tokens is not between 3 and max_position_embeddings".into());
        }
        Ok(())
    }
}

/// RoBERTa counts positions from behind the padding's row (Liu et al. 2019, as in fairseq).
fn first_position(value: &serde_json::Value) -> usize {
    let kind = value.get("model_type").and_then(serde_json::Value::as_str);
    let padding = value.get("pad_token_id").and_then(serde_json::Value::as_u64).unwrap_or(0) as usize;
    if matches!(kind, Some("xlm-roberta" | "roberta" | "camembert")) { padding.saturating_add(1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: (&str, &str), expected: Option<&str>) {
        let shipped = include_str!("../../../models/evoke-e5-small/config.json");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), shipped.replace(change.0, change.1)).unwrap();
        match (Config::read(file.path()), expected) {
            (Ok(config), None) => assert_eq!(config.prefix(Side::Query), "query: "),
            (Err(EmbedError::Broken { reason, .. }), Some(word)) => {
                assert!(reason.contains(word), "{reason}")
            }
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn sizes_that_cannot_work_are_refused() {
        check(("", ""), None);
        check(("\"num_attention_heads\": 12", "\"num_attention_heads\": 0"), Some("num_attention_heads"));
        check(("\"num_attention_heads\": 12", "\"num_attention_heads\": 7"), Some("multiple"));
        check(("\"num_attention_heads\": 12", "\"num_attention_heads\": 32"), None);
        check(("\"max_tokens\": 512", "\"max_tokens\": 4096"), Some("max_tokens"));
        check(("\"max_position_embeddings\": 512", "\"max_position_embeddings\": 511"), Some("max_tokens"));
        check(("\"model_type\": \"bert\"", "\"model_type\": \"xlm-roberta\""), Some("max_tokens"));
        check(("\"gelu\"", "\"relu\""), None);
        check(("\"gelu\"", "\"gelu_new\""), Some("gelu_new"));
        check(("\"mean\"", "\"max\""), Some("max"));
        check(("{", "garbage"), Some("expected"));
    }
}
