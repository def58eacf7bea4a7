//! A published checkpoint made small: one GGUF with the base, both adapters, projections and queries, its
//! descriptions as metadata, and the tokenizer beside it. `checkpoint.rs` reads it back.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::checkpoint::{Checkpoint, expected, short};
use super::spec::{ARCHITECTURE, BASE_KEY, CONFIG_KEY, IDS_KEY, Parts, Spec};
use super::text::Texts;
use crate::EmbedError;

/// How the large matrices are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// About 4.5 bits a number, in blocks of 256.
    Q4K,
    /// About 8.5 bits a number, in blocks of 32.
    Q8_0,
}

impl FromStr for Quantization {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "q4_k" => Ok(Quantization::Q4K),
            "q8_0" => Ok(Quantization::Q8_0),
            _ => Err(format!("There is no quantisation \"{name}\"; choose q4_k or q8_0.")),
        }
    }
}

/// What [`quantize`] wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantized {
    pub path: PathBuf,
    /// Bytes of the tensors that were read, and of the file that was written.
    pub before: u64,
    pub after: u64,
    /// Form → tensors stored in it; more than one where rows do not fill the blocks of the form asked for.
    pub tensors: BTreeMap<String, usize>,
    /// Tensors that could not be stored as asked for, in words.
    pub exceptions: Vec<String>,
}

impl fmt::Display for Quantized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        let forms: Vec<String> = self.tensors.iter().map(|(form, count)| format!("{count} as {form}")).collect();
        writeln!(f, "{}: {:.1} MB, before {:.1} MB", self.path.display(), mb(self.after), mb(self.before))?;
        writeln!(f, "Tensors: {}", forms.join(", "))?;
        match self.exceptions.as_slice() {
            [] => Ok(()),
            [first, ..] => {
                let count = self.exceptions.len();
                writeln!(f, "{count} not as asked for, as their rows do not fill its blocks; the first: {first}")
            }
        }
    }
}

/// Writes `model.gguf` and `tokenizer.json` into the directory `into`, which is made if need be and must not
/// hold a model yet. Matrices of the base are stored as asked for; adapters and projections, a fifteenth of it
/// that all latents go through, in eight bits; norms, biases and queries in f32. Rows that do not fill a block
/// fall back to q8_0 and then to f16. The static side model is left out. Whatever fails, `dir` is as it was.
pub fn quantize(dir: &Path, to: Quantization, into: &Path) -> Result<Quantized, EmbedError> {
    let parts = Parts::find(dir)?;
    if parts.gguf {
        return Err(EmbedError::broken(&dir.join("model.gguf"), "it is quantised already"));
    }
    let spec = Spec::read(&parts, &Texts::open(&parts.tokenizer)?)?;
    let files = Checkpoint::open(dir, &parts, &Device::Cpu)?;
    if let Some(first) = files.lacking(&spec).into_iter().next() {
        return Err(EmbedError::broken(files.path(), first));
    }
    let path = into.join("model.gguf");
    let taken = ["model.gguf", "config.json", "model.safetensors"].map(|name| into.join(name));
    if let Some(taken) = taken.iter().find(|path| path.exists()) {
        return Err(EmbedError::broken(taken, "it is there already and is not written over"));
    }
    std::fs::create_dir_all(into).map_err(|error| EmbedError::broken(into, error))?;

    let mut done = Quantized { path, before: 0, after: 0, tensors: BTreeMap::new(), exceptions: Vec::new() };
    let mut tensors: Vec<(String, QTensor)> = Vec::new();
    for (name, shape) in expected(&spec, files.dims()) {
        let tensor = files.values(&name, &shape)?;
        let form = form(&name, &shape, to);
        if let Some(asked) = form.instead_of {
            let row = shape.last().copied().unwrap_or(0);
            done.exceptions.push(format!(
                "{} is stored as {}, not {}: rows of {row}",
                short(&name),
                words(form.form),
                words(asked)
            ));
        }
        done.before += files.bytes(&name);
        *done.tensors.entry(words(form.form).to_owned()).or_default() += 1;
        tensors.push((short(&name).to_owned(), stored(&tensor, form.form)?));
    }
    write(&done.path, &parts, &tensors, crate::about::licence(dir))?;
    std::fs::copy(&parts.tokenizer, into.join("tokenizer.json")).map_err(|error| EmbedError::broken(into, error))?;
    done.after = std::fs::metadata(&done.path).map_err(|error| EmbedError::io(&done.path, &error))?.len();
    Ok(done)
}

struct Form {
    form: GgmlDType,
    /// What would have been right, had the rows filled its blocks.
    instead_of: Option<GgmlDType>,
}

fn form(name: &str, shape: &[usize], to: Quantization) -> Form {
    let large = name.contains(".base_layer.weight") || name.ends_with("embed_tokens.weight");
    let asked = match (shape, to) {
        ([_, _], Quantization::Q4K) if large => GgmlDType::Q4K,
        ([_, _], _) => GgmlDType::Q8_0,
        _ => return Form { form: GgmlDType::F32, instead_of: None },
    };
    let row = shape.last().copied().unwrap_or(0);
    let fits = |form: &GgmlDType| row.is_multiple_of(form.block_size());
    let form = [asked, GgmlDType::Q8_0].into_iter().find(fits).unwrap_or(GgmlDType::F16);
    Form { form, instead_of: (form != asked).then_some(asked) }
}

fn words(form: GgmlDType) -> &'static str {
    match form {
        GgmlDType::Q4K => "q4_k",
        GgmlDType::Q8_0 => "q8_0",
        GgmlDType::F16 => "f16",
        _ => "f32",
    }
}

fn stored(tensor: &Tensor, form: GgmlDType) -> Result<QTensor, EmbedError> {
    Ok(QTensor::quantize(tensor, form)?)
}

/// Under another name first, so that a file of the right name is always whole.
fn write(path: &Path, parts: &Parts, tensors: &[(String, QTensor)], licence: Option<String>) -> Result<(), EmbedError> {
    let text = |text: &str| Value::String(text.to_owned());
    let mut metadata = vec![
        ("general.architecture", text(ARCHITECTURE)),
        (CONFIG_KEY, text(&parts.config.1)),
        (BASE_KEY, text(&parts.base.1)),
    ];
    metadata.extend(parts.ids.as_ref().map(|(_, ids)| (IDS_KEY, text(ids))));
    metadata.extend(licence.as_ref().map(|licence| ("general.license", text(licence))));
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let unfinished = path.with_extension("gguf.unfinished");
    let broken = |error: &dyn fmt::Display| EmbedError::broken(path, error);
    let mut file = BufWriter::new(File::create(&unfinished).map_err(|error| broken(&error))?);
    let written = gguf_file::write(&mut file, &metadata, &tensors).map_err(|error| broken(&error));
    let synced = written.and_then(|()| {
        let file = file.into_inner().map_err(|error| broken(&error))?;
        file.sync_all().and_then(|()| std::fs::rename(&unfinished, path)).map_err(|error| broken(&error))
    });
    if synced.is_err() {
        // The name says what it is; it matters only for the room it takes.
        let _ = std::fs::remove_file(&unfinished);
    }
    synced
}
