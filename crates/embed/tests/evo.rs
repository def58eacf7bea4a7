//! Published EvoEmbedding models against the parity kit (tests/parity, numbers of the public reference class),
//! in every form a checkpoint can have; their quantisation; and what is said when something is missing.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device as Candle, Tensor, safetensors};
use evoke_embed::{
    Device, EmbedError, EvoEmbedder, EvoMemory, ModelKind, Outcome, ParityReport, Quantization, Turn, check, parity,
    quantize,
};
use tempfile::TempDir;

fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

/// A copy of the kit, to be changed.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("model")).unwrap();
    for dir in ["", "model"] {
        for entry in fs::read_dir(kit().join(dir)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), copy.path().join(dir).join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}

fn tensors(path: &Path) -> HashMap<String, Tensor> {
    safetensors::load(path, &Candle::Cpu).unwrap()
}

fn outcome<'a>(report: &'a ParityReport, scenario: &str, name: &str) -> &'a Outcome {
    let scenario = report.scenarios.iter().find(|found| found.name == scenario).unwrap();
    &scenario.quantities.iter().find(|quantity| quantity.name == name).unwrap().outcome
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn every_scenario_of_the_kit_is_within_tolerance() {
    let report = parity(&kit(), Device::Cpu).unwrap();
    assert!(report.passes(), "{report}");
    assert_eq!(report.kit[0].outcome, Outcome::Equal);
    let groups: Vec<&str> = report.largest().into_iter().map(|(group, _, _)| group).collect();
    assert_eq!(groups, ["latents", "unit vectors", "vectors before normalisation", "scores", "losses"]);
    for (group, largest, _) in report.largest() {
        assert!(largest < 2e-5, "{group}: {largest}");
    }
    for scenario in ["short", "two_chunks"] {
        let compared = report.scenarios.iter().find(|found| found.name == scenario).unwrap();
        let passed = compared.quantities.iter().filter(|quantity| quantity.outcome.passes() == Some(true)).count();
        assert_eq!(passed, compared.quantities.len() - 1, "all but the gradients: {report}");
    }
    assert!(matches!(outcome(&report, "short", "t_grad.*"), Outcome::NotComputed(_)));
}

/// More turns than the queue holds, turns longer than a pass, other sizes, shards (tests/parity_other).
#[test]
fn a_kit_of_other_sizes_is_within_tolerance_too() {
    let report = parity(&kit().join("../parity_other"), Device::Cpu).unwrap();
    assert!(report.passes() && report.scenarios.len() == 5, "{report}");
    assert_eq!(outcome(&report, "many", "b_order"), &Outcome::Equal);
    let about = check(&kit().join("../parity_other/model")).unwrap();
    assert!(about.loads(), "{about}");
}

#[test]
fn a_wrong_number_or_id_is_found_and_a_missing_one_is_named() {
    let kit = copy();
    let path = kit.path().join("expected.safetensors");
    let mut expected = tensors(&path);
    let latents = expected.remove("short.b_latents").unwrap();
    expected.insert("short.b_latents".into(), (latents + 2e-4).unwrap());
    expected.remove("short.b_scores");
    expected.insert("short.b_something".into(), Tensor::new(&[1_f32], &Candle::Cpu).unwrap());
    safetensors::save(&expected, &path).unwrap();
    let cases = fs::read_to_string(kit.path().join("cases.json")).unwrap();
    let mut cases: serde_json::Value = serde_json::from_str(&cases).unwrap();
    cases["scenarios"][0]["b_input_ids"][5] = 7.into();
    cases["scenarios"][1].as_object_mut().unwrap().remove("b_chunks");
    cases["scenarios"][1].as_object_mut().unwrap().remove("t_input_ids");
    fs::write(kit.path().join("cases.json"), cases.to_string()).unwrap();
    let report = parity(kit.path(), Device::Cpu).unwrap();
    assert!(!report.passes());
    assert_eq!(outcome(&report, "short", "b_latents").passes(), Some(false));
    assert!(matches!(outcome(&report, "short", "b_input_ids"), Outcome::Differs(_)));
    assert_eq!(outcome(&report, "short", "b_scores"), &Outcome::NotInKit);
    assert!(matches!(outcome(&report, "short", "b_something"), Outcome::NotComputed(_)));
    assert_eq!(outcome(&report, "two_chunks", "b_chunks"), &Outcome::NotInKit);
    assert!(matches!(outcome(&report, "two_chunks", "t_loss_lm"), Outcome::NotComputed(_)));
    assert_eq!(outcome(&report, "short", "b_order"), &Outcome::Equal);
    for name in ["cases.json", "expected.safetensors"] {
        fs::remove_file(kit.path().join(name)).unwrap();
        assert!(matches!(parity(kit.path(), Device::Cpu), Err(EmbedError::Missing(_))), "{name}");
    }
}

/// Shards with an index, no `evo_ids.json`, and the base model's configuration and tokenizer in a directory
/// that `config.json` names: the numbers stay.
#[test]
fn a_checkpoint_in_shards_with_its_base_beside_it_gives_the_same() {
    let kit = copy();
    let model = kit.path().join("model");
    let mut all: Vec<(String, Tensor)> = tensors(&model.join("model.safetensors")).into_iter().collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let mut map = serde_json::Map::new();
    for (at, part) in all.chunks(all.len().div_ceil(3)).enumerate() {
        let name = format!("model-{at}-of-3.safetensors");
        safetensors::save(&part.iter().cloned().collect::<HashMap<_, _>>(), model.join(&name)).unwrap();
        map.extend(part.iter().map(|(tensor, _)| (tensor.clone(), name.clone().into())));
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": map });
    fs::write(model.join("model.safetensors.index.json"), index.to_string()).unwrap();
    fs::remove_file(model.join("model.safetensors")).unwrap();
    fs::remove_file(model.join("evo_ids.json")).unwrap();
    let base = kit.path().join("Base-4B");
    fs::create_dir(&base).unwrap();
    fs::rename(model.join("base_config.json"), base.join("config.json")).unwrap();
    fs::rename(model.join("tokenizer.json"), base.join("tokenizer.json")).unwrap();
    let config = fs::read_to_string(model.join("config.json")).unwrap();
    let named = config.replace(r#""base_model_name_or_path": "base""#, r#""base_model_name_or_path": "Org/Base-4B""#);
    assert_ne!(config, named);
    fs::write(model.join("config.json"), named).unwrap();
    let report = parity(kit.path(), Device::Cpu).unwrap();
    assert!(report.passes(), "{report}");
    let about = check(&model).unwrap();
    assert!(about.loads(), "{about}");
    fs::remove_file(model.join("model-1-of-3.safetensors")).unwrap();
    let about = check(&model).unwrap();
    assert!(about.missing[0].contains("model-1-of-3.safetensors"), "{about}");
    assert!(matches!(EvoEmbedder::open(&model, Device::Cpu), Err(EmbedError::Missing(_))));
}

/// The kit's conversation with twenty turns.
fn conversation() -> Vec<(String, String)> {
    let cases: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(kit().join("cases.json")).unwrap()).unwrap();
    let text = |message: &serde_json::Value| message["content"].as_str().unwrap().to_owned();
    let messages = cases["scenarios"][1]["messages"].as_array().unwrap();
    messages.chunks(2).map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

const QUERY: &str = "What did I mention lastly in our conversation?";

fn turns(conversation: &[(String, String)]) -> Vec<Turn<'_>> {
    conversation.iter().map(|(user, assistant)| Turn { user, assistant }).collect()
}

/// Vectors of the turns and of the query behind them.
fn read(model: &Path) -> Vec<Vec<f32>> {
    let embedder = EvoEmbedder::open(model, Device::Cpu).unwrap();
    let mut memory = EvoMemory::default();
    let conversation = conversation();
    let mut vectors = embedder.read(&mut memory, &turns(&conversation)).unwrap();
    vectors.push(embedder.query(&memory, QUERY).unwrap());
    vectors.into_iter().map(|vector| vector.values).collect()
}

#[test]
fn half_precision_and_no_side_model_are_enough() {
    let exact = read(&kit().join("model"));
    for dtype in [DType::F16, DType::BF16] {
        let kit = copy();
        let path = kit.path().join("model/model.safetensors");
        let kept = tensors(&path).into_iter().filter(|(name, _)| !name.starts_with("emb_model."));
        let kept: HashMap<_, _> = kept.map(|(name, tensor)| (name, tensor.to_dtype(dtype).unwrap())).collect();
        safetensors::save(&kept, &path).unwrap();
        let read = read(&kit.path().join("model"));
        let least = exact.iter().zip(&read).map(|(a, b)| cosine(a, b)).fold(1.0, f32::min);
        assert!(least > 0.999, "{dtype:?}: {least}");
        let report = parity(kit.path(), Device::Cpu).unwrap();
        assert!(matches!(outcome(&report, "short", "native_embeddings"), Outcome::NotComputed(_)));
    }
}

#[test]
fn what_is_read_later_changes_nothing_before_it_and_memory_stays_bounded() {
    let embedder = EvoEmbedder::open(&kit().join("model"), Device::Cpu).unwrap();
    let conversation = conversation();
    let turns = turns(&conversation);
    let expected = tensors(&kit().join("expected.safetensors"));
    let expected = expected["two_chunks.b_vectors"].to_vec2::<f32>().unwrap();
    let mut memory = EvoMemory::default();
    // The first pass of the whole conversation ends with turn 16, so nothing of the grouping changes.
    let mut vectors = embedder.read(&mut memory, &turns[..16]).unwrap();
    vectors.extend(embedder.read(&mut memory, &turns[16..]).unwrap());
    vectors.push(embedder.query(&memory, QUERY).unwrap());
    for (vector, expected) in vectors.iter().zip(&expected) {
        assert!(cosine(&vector.values, expected) > 0.99999);
        assert!((cosine(&vector.values, &vector.values) - 1.0).abs() < 1e-6 && !vector.cut);
    }
    for _ in 0..4 {
        embedder.read(&mut memory, &turns).unwrap();
    }
    assert_eq!(memory.rows(), 512);
    assert!(embedder.read(&mut memory, &[]).unwrap().is_empty());
    assert_eq!(embedder.query(&EvoMemory::default(), "").unwrap().values.len(), embedder.dims());
}

#[test]
fn a_very_long_text_is_cut_and_says_so() {
    let embedder = EvoEmbedder::open(&kit().join("model"), Device::Cpu).unwrap();
    let long = "é".repeat(20_000);
    let vectors = embedder.read(&mut EvoMemory::default(), &[Turn::of(&long), Turn::of("short")]).unwrap();
    assert_eq!((vectors[0].cut, vectors[1].cut), (true, false));
    assert!((3_000..5_000).contains(&vectors[0].tokens), "{}", vectors[0].tokens);
}

#[test]
fn candidates_are_scored_as_one_stream_in_their_order() {
    let embedder = EvoEmbedder::open(&kit().join("model"), Device::Cpu).unwrap();
    let conversation = conversation();
    let candidates: Vec<&str> = conversation.iter().map(|(user, _)| user.as_str()).collect();
    let scores = embedder.rerank(&candidates, QUERY).unwrap();
    assert_eq!(scores.len(), candidates.len());
    assert!(scores.iter().all(|score| score.abs() <= 10.0001));
    assert_eq!(scores, embedder.rerank(&candidates, QUERY).unwrap());
    assert_eq!(scores[0], {
        let mut memory = EvoMemory::default();
        let turns: Vec<Turn<'_>> = candidates.iter().map(|text| Turn::of(text)).collect();
        let vectors = embedder.read(&mut memory, &turns).unwrap();
        let query = embedder.query(&memory, QUERY).unwrap();
        vectors[0].values.iter().zip(&query.values).map(|(a, b)| a * b).sum::<f32>() / 0.1
    });
    assert!(embedder.rerank(&[], QUERY).unwrap().is_empty());
    assert_eq!(embedder.rerank(&["one"], QUERY).unwrap().len(), 1);
}

/// Least cosine of quantised vectors to exact ones, and what was written.
fn quantised(model: &Path, to: Quantization) -> (f32, evoke_embed::Quantized) {
    let into = tempfile::tempdir().unwrap();
    let written = quantize(model, to, into.path()).unwrap();
    let about = check(into.path()).unwrap();
    assert!(about.loads() && about.kind == ModelKind::Evolvable, "{about}");
    let least = read(model).iter().zip(read(into.path())).map(|(a, b)| cosine(a, &b)).fold(1.0, f32::min);
    let again = quantize(model, to, into.path()).unwrap_err();
    assert!(again.to_string().contains("not written over"), "{again}");
    assert!(quantize(into.path(), to, &into.path().join("again")).is_err());
    (least, written)
}

#[test]
fn quantised_vectors_stay_close_and_exceptions_are_told() {
    let (least, written) = quantised(&kit().join("model"), Quantization::Q8_0);
    println!("kit, q8_0: least cosine {least}\n{written}");
    assert!(least > 0.999, "{least}");
    assert!(written.exceptions.iter().any(|said| said.contains("f16")), "{written}");
    let large = large();
    for (to, enough) in [(Quantization::Q8_0, 0.995), (Quantization::Q4K, 0.9)] {
        let (least, written) = quantised(large.path(), to);
        println!("hidden 256, {to:?}: least cosine {least}\n{written}");
        assert!(least > enough, "{to:?}: {least}");
        assert!(written.after < written.before / 2, "{written}");
        assert_eq!(written.exceptions.len(), 0, "{written}");
    }
}

/// A random model whose rows fill the blocks of every form.
fn large() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["config.json", "base_config.json", "tokenizer.json", "evo_ids.json"] {
        fs::copy(kit().join("model").join(name), dir.path().join(name)).unwrap();
    }
    let change = |name: &str, changes: &[(&str, usize)]| {
        let path = dir.path().join(name);
        let mut json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for (key, value) in changes {
            json[key] = (*value).into();
        }
        fs::write(&path, json.to_string()).unwrap();
    };
    let (hidden, wide, head, rank, dims) = (256, 512, 64, 32, 128);
    change("config.json", &[("lora_r", rank), ("lora_alpha", 2 * rank)]);
    change("base_config.json", &[("hidden_size", hidden), ("intermediate_size", wide), ("head_dim", head)]);
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut made = |shape: &[usize], scale: f32, middle: f32| {
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count).map(|_| random() * scale + middle).collect();
        Tensor::from_vec(values, shape, &Candle::Cpu).unwrap()
    };
    let mut tensors = HashMap::new();
    let mut originals: Vec<_> = self::tensors(&kit().join("model/model.safetensors")).into_iter().collect();
    originals.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, tensor) in originals {
        let scaled = |size: &usize| match *size {
            48 => hidden,
            80 => wide,
            64 => 4 * head,
            8 => rank,
            size => size,
        };
        let shape: Vec<usize> = match name.as_str() {
            name if name.starts_with("emb_model.") => continue,
            name if name.starts_with("mem_to_emb") => {
                tensor.dims().iter().map(|size| if *size == 32 { dims } else { hidden }).collect()
            }
            name if name.contains("_norm.weight") && name.contains("self_attn") => vec![head],
            name if name.contains("k_proj") || name.contains("v_proj") => {
                tensor.dims().iter().map(|size| if *size == 32 { 2 * head } else { scaled(size) }).collect()
            }
            _ => tensor.dims().iter().map(scaled).collect(),
        };
        let inputs = *shape.last().unwrap() as f32;
        let norm = name.contains("norm");
        tensors.insert(name, if norm { made(&shape, 0.4, 1.0) } else { made(&shape, 3.0 / inputs.sqrt(), 0.0) });
    }
    safetensors::save(&tensors, dir.path().join("model.safetensors")).unwrap();
    dir
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_missing_gpu_is_replaced_and_the_reason_kept() {
    let report = parity(&kit(), Device::Cuda).unwrap();
    assert!(report.passes() && report.device.contains("CUDA was asked for"), "{report}");
}

#[test]
fn what_is_missing_is_said_in_words() {
    let about = check(&kit().join("model")).unwrap();
    assert!(about.loads() && about.kind == ModelKind::Evolvable && about.dims == Some(32), "{about}");
    assert!(about.files.iter().any(|file| file.name == "model.safetensors" && file.bytes > 500_000));
    for (name, words) in [
        ("base_config.json", "sizes of the base model"),
        ("tokenizer.json", "tokenizer.json"),
        ("model.safetensors", "weights"),
    ] {
        let kit = copy();
        fs::remove_file(kit.path().join("model").join(name)).unwrap();
        let about = check(&kit.path().join("model")).unwrap();
        assert!(!about.loads() && about.missing.iter().any(|said| said.contains(words)), "{about}");
        assert!(EvoEmbedder::open(&kit.path().join("model"), Device::Cpu).is_err());
    }
}

#[test]
fn descriptions_that_do_not_fit_are_refused_by_name() {
    for (name, from, to, words) in [
        ("base_config.json", "\"model_type\": \"qwen3\"", "\"model_type\": \"qwen3_5\"", "qwen3_5"),
        ("base_config.json", "\"hidden_size\": 48", "\"hidden_size\": 64", "shape"),
        ("base_config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "layers.2"),
        ("base_config.json", "\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"yarn\"}", "yarn"),
        ("base_config.json", "\"num_attention_heads\": 4", "\"num_attention_heads\": 0", "num_attention_heads"),
        ("config.json", "\"lora_r\": 8", "\"lora_r\": 16", "lora_A"),
        ("config.json", "\"EvoRAG\"", "\"llama\"", "llama"),
        ("evo_ids.json", "\"endoftext\": 520", "\"endoftext\": 90000", "90000"),
        ("evo_ids.json", "{", "[", "evo_ids.json"),
    ] {
        let kit = copy();
        let path = kit.path().join("model").join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = EvoEmbedder::open(&kit.path().join("model"), Device::Cpu).err().unwrap();
        assert!(matches!(error, EmbedError::Broken { .. }) && error.to_string().contains(words), "{error}");
    }
}
