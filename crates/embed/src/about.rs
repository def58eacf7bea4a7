//! What a model directory holds and what it lacks, in words, before it is used: for the person who adds one.
//! Loading is left to `embedder.rs` and `evo/`.

use std::fmt;
use std::io::BufRead;
use std::path::Path;

use candle_core::quantized::gguf_file::{Content, Value};
use serde_json::Value as Json;

use crate::evo::{Checkpoint, MODEL_TYPE, Parts, Spec, Texts, is_evo};
use crate::plain::{Directory, MODULES};
use crate::safetensors::{INDEX, SINGLE, Safetensors};
use crate::{Device, EmbedError, Embedder};

/// What a directory is, and whether it can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAbout {
    pub kind: ModelKind,
    pub name: String,
    /// Length of a vector, where it can be told.
    pub dims: Option<usize>,
    /// Numbers in the weights; those of an unused side model among them.
    pub parameters: u64,
    /// Every file of the directory and one level below, by name.
    pub files: Vec<ModelFile>,
    /// Of all files together.
    pub bytes: u64,
    /// As the model's card, its weights or its licence file state it.
    pub licence: Option<String>,
    /// What is in the way of loading it, in words; empty if nothing is.
    pub missing: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Evoke's own form.
    Own,
    /// A BERT, RoBERTa or XLM-RoBERTa of Hugging Face: [`crate::Embedder`] opens it.
    Static,
    /// A published EvoEmbedding checkpoint, or the GGUF of one: [`crate::EvoEmbedder`] opens it.
    Evolvable,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    pub name: String,
    pub bytes: u64,
}

impl ModelAbout {
    pub fn loads(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Looks at a directory; an error if it is none, or if nothing in it says that it is a model that can be read.
/// A static model is opened once, as only that shows that it works; of an evolvable one, which may have many
/// gigabytes, only the descriptions and the tensors' names and shapes are read.
pub fn check(dir: &Path) -> Result<ModelAbout, EmbedError> {
    let (files, kind) = (files(dir)?, kind(dir)?);
    let mut about = ModelAbout {
        kind,
        name: name_of(dir),
        dims: None,
        parameters: 0,
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
        licence: licence(dir),
        missing: Vec::new(),
    };
    match kind {
        ModelKind::Own | ModelKind::Static => look_static(dir, &mut about),
        ModelKind::Evolvable => look_evolvable(dir, &mut about),
    }
    Ok(about)
}

fn look_static(dir: &Path, about: &mut ModelAbout) {
    let directory = match Directory::find(dir) {
        Ok(directory) => directory,
        Err(error) => return about.missing.push(words(&error)),
    };
    about.dims = Some(directory.config.bert.hidden_size);
    about.name.clone_from(&directory.config.embedder.name);
    if !directory.tokenizer.exists() {
        about.missing.push("the file tokenizer.json is not there".into());
    }
    if !directory.weights.exists() {
        let home = directory.weights.parent().unwrap_or(dir);
        about.missing.push(match home.join("pytorch_model.bin").exists() {
            true => "the weights are there only as pytorch_model.bin, a format that can run programs when it is \
                     read; they are needed as model.safetensors"
                .into(),
            false => format!("the file {} is not there", short(&directory.weights)),
        });
    }
    about.parameters = parameters(&directory.weights);
    if about.missing.is_empty()
        && let Err(error) = Embedder::open(dir, Device::Cpu)
    {
        about.missing.push(words(&error));
    }
}

fn look_evolvable(dir: &Path, about: &mut ModelAbout) {
    about.missing = Parts::lacking(dir);
    let read = Parts::find(dir).and_then(|parts| {
        let spec = Texts::open(&parts.tokenizer).and_then(|texts| Spec::read(&parts, &texts));
        Ok((spec, Checkpoint::open(dir, &parts, &candle_core::Device::Cpu)?))
    });
    let (spec, files) = match read {
        Ok(read) => read,
        Err(error) => {
            let words = words(&error);
            if about.missing.is_empty() {
                about.missing.push(words);
            }
            return;
        }
    };
    about.parameters = files.parameters().0;
    about.dims = Some(files.dims()).filter(|dims| *dims > 0);
    match spec {
        Err(error) => about.missing.push(words(&error)),
        Ok(spec) => {
            let lacking = files.lacking(&spec);
            let more = lacking.len().saturating_sub(MOST_NAMED);
            about.missing.extend(lacking.into_iter().take(MOST_NAMED));
            if more > 0 {
                about.missing.push(format!("{more} more tensors are missing or of another shape"));
            }
        }
    }
}

/// Tensors named one by one; whoever lacks more has the wrong file.
const MOST_NAMED: usize = 5;

fn kind(dir: &Path) -> Result<ModelKind, EmbedError> {
    let (gguf, config) = (dir.join("model.gguf"), dir.join("config.json"));
    let content = std::fs::File::open(&gguf).ok().and_then(|mut file| Content::read(&mut file).ok());
    if content.is_some_and(|content| is_evo(&content)) {
        return Ok(ModelKind::Evolvable);
    }
    if dir.join(MODULES).exists() {
        return Ok(ModelKind::Static);
    }
    let json = std::fs::read(&config).map_err(|error| EmbedError::io(&config, &error))?;
    let json: Json = serde_json::from_slice(&json).map_err(|error| EmbedError::broken(&config, error))?;
    let kind = json.get("model_type").and_then(Json::as_str).unwrap_or("unknown");
    match kind {
        _ if json.get("embedder").is_some() => Ok(ModelKind::Own),
        MODEL_TYPE => Ok(ModelKind::Evolvable),
        "bert" | "roberta" | "xlm-roberta" | "camembert" => Ok(ModelKind::Static),
        other => {
            let reason = format!(
                "it is a model of the kind \"{other}\"; bert, roberta, xlm-roberta and {MODEL_TYPE} can be read"
            );
            Err(EmbedError::broken(&config, reason))
        }
    }
}

/// Files in the directory and in those below it, not deeper.
fn files(dir: &Path) -> Result<Vec<ModelFile>, EmbedError> {
    let mut files = Vec::new();
    list(dir, "", &mut files).map_err(|error| EmbedError::io(dir, &error))?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn list(dir: &Path, prefix: &str, files: &mut Vec<ModelFile>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let data = std::fs::metadata(entry.path())?;
        if data.is_file() {
            files.push(ModelFile { name, bytes: data.len() });
        } else if data.is_dir() && prefix.is_empty() {
            list(&entry.path(), &format!("{name}/"), files)?;
        }
    }
    Ok(())
}

fn parameters(weights: &Path) -> u64 {
    if weights.extension().is_some_and(|kind| kind == "gguf") {
        let content = std::fs::File::open(weights).ok().and_then(|mut file| Content::read(&mut file).ok());
        let infos = content.map(|content| content.tensor_infos).unwrap_or_default();
        return infos.values().map(|info| info.shape.elem_count() as u64).sum();
    }
    let files = weights.parent().and_then(|dir| Safetensors::open(dir).ok());
    files.map_or(0, |files| files.names().map(|(_, place)| place.values()).sum())
}

/// The directory's own name.
pub(crate) fn name_of(dir: &Path) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    whole.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}

/// "license" in the head of a model card, in a GGUF's metadata, or the first line of a licence file.
pub(crate) fn licence(dir: &Path) -> Option<String> {
    let cards = ["MODEL_CARD.md", "README.md"].into_iter().filter_map(|name| of_card(&dir.join(name)));
    let gguf = || {
        let mut file = std::fs::File::open(dir.join("model.gguf")).ok()?;
        match Content::read(&mut file).ok()?.metadata.get("general.license") {
            Some(Value::String(licence)) => Some(licence.clone()),
            _ => None,
        }
    };
    let text = || {
        let names = ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE"];
        let file = names.into_iter().find_map(|name| std::fs::File::open(dir.join(name)).ok())?;
        let lines = std::io::BufReader::new(file).lines().map_while(Result::ok);
        lines.take(20).map(|line| line.trim().to_owned()).find(|line| !line.is_empty())
    };
    cards.into_iter().next().or_else(gguf).or_else(text)
}

/// A card may begin with YAML between lines of "---"; ours has a table.
fn of_card(path: &Path) -> Option<String> {
    let card = std::fs::read_to_string(path).ok()?;
    let head = card.strip_prefix("---").and_then(|card| card.split("\n---").next());
    let of_head = head.and_then(|head| head.lines().find_map(|line| line.strip_prefix("license:")));
    let of_table = || card.lines().find_map(|line| line.strip_prefix("| licence |"));
    let licence = of_head.or_else(of_table)?.trim_matches(['"', '\'', ' ', '|']).trim();
    Some(licence.to_owned()).filter(|licence| !licence.is_empty())
}

/// An error as an item of a list.
fn words(error: &EmbedError) -> String {
    match error {
        EmbedError::Missing(path) => format!("the file {} is not there", short(path)),
        EmbedError::Broken { path, reason } => format!("{}: {reason}", short(path)),
        EmbedError::Other(error) => format!("{error:#}"),
        other => other.to_string(),
    }
}

fn short(path: &Path) -> String {
    match path.file_name() {
        Some(name) if name == INDEX => format!("{SINGLE} (or its shards)"),
        Some(name) => name.to_string_lossy().into_owned(),
        None => path.display().to_string(),
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ModelKind::Own => "Evoke's own",
            ModelKind::Static => "static",
            ModelKind::Evolvable => "evolvable",
        })
    }
}

impl fmt::Display for ModelAbout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millions = self.parameters as f64 / 1e6;
        writeln!(
            f,
            "{} ({}): {millions:.1} million parameters, {:.1} MB",
            self.name,
            self.kind,
            self.bytes as f64 / 1e6
        )?;
        if let Some(dims) = self.dims {
            writeln!(f, "Length of a vector: {dims}")?;
        }
        writeln!(f, "Licence: {}", self.licence.as_deref().unwrap_or("not stated"))?;
        for missing in &self.missing {
            writeln!(f, "Missing: {missing}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_found_where_it_is_stated() {
        let dir = tempfile::tempdir().unwrap();
        let check = |name: &str, text: &str, expected: Option<&str>| {
            std::fs::write(dir.path().join(name), text).unwrap();
            assert_eq!(licence(dir.path()).as_deref(), expected, "{name}");
            std::fs::remove_file(dir.path().join(name)).unwrap();
        };
        check("README.md", "---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\n", Some("apache-2.0"));
        check("README.md", "# Model\nlicense: none of this counts\n", None);
        check("LICENSE", "\n  MIT License\n\nCopyright", Some("MIT License"));
    }

    #[test]
    fn the_shipped_model_is_ours_and_lacks_nothing() {
        let about = super::check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/evoke-e5-small")).unwrap();
        assert_eq!((about.kind, about.dims, about.name.as_str()), (ModelKind::Own, Some(384), "evoke-e5-small"));
        assert!(about.licence.as_deref().is_some_and(|licence| licence.starts_with("MIT")), "{about}");
        assert!(about.loads() && about.parameters > 100_000_000, "{about}");
    }

    #[test]
    fn what_is_no_model_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(super::check(&dir.path().join("nowhere")), Err(EmbedError::Missing(_))));
        assert!(matches!(super::check(dir.path()), Err(EmbedError::Missing(_))));
        std::fs::write(dir.path().join("config.json"), r#"{"model_type": "gpt2"}"#).unwrap();
        let error = super::check(dir.path()).unwrap_err().to_string();
        assert!(error.contains("gpt2") && error.contains("EvoRAG"), "{error}");
        std::fs::write(dir.path().join("config.json"), r#"{"model_type": "EvoRAG"}"#).unwrap();
        let about = super::check(dir.path()).unwrap();
        assert_eq!(about.kind, ModelKind::Evolvable);
        let missing = about.missing.join("; ");
        assert!(
            ["base_config.json", "tokenizer.json", "model.safetensors"].iter().all(|name| missing.contains(name)),
            "{missing}"
        );
    }
}
