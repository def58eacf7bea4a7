//! `model.gguf` or `model.safetensors`, mapped into memory: the encoder's matrices are widened to f32 once, the
//! word table stays in the map and is widened a row at a time (250,037 rows would be 384 MB as f32, 54 MB as
//! Q4_0).

use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::Dtype;

use crate::EmbedError;
use crate::plain::hugging_face;
use crate::safetensors::{Safetensors, map};

/// The opened weights of a model. Names of tensors are llama.cpp's for BERT, whatever the file calls them.
pub(crate) struct Weights {
    path: PathBuf,
    stored: Stored,
}

enum Stored {
    /// ggml: docs/gguf.md
    Gguf { map: Arc<Mmap>, content: Box<Content> },
    /// Hugging Face's names, all of them behind a prefix that differs from model to model.
    Safetensors { files: Safetensors, prefix: String },
}

impl Weights {
    /// Opens a GGUF, or the safetensors in the directory of `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, EmbedError> {
        let stored = if path.extension().is_some_and(|kind| kind == "gguf") {
            let map = map(path)?;
            let content = Content::read(&mut Cursor::new(&map[..])).map_err(|error| EmbedError::broken(path, error))?;
            Stored::Gguf { map, content: Box::new(content) }
        } else {
            let files = Safetensors::open(path.parent().unwrap_or(Path::new("")))?;
            let words = files.names().find_map(|(name, _)| name.strip_suffix("embeddings.word_embeddings.weight"));
            let prefix = words.unwrap_or_default().to_owned();
            Stored::Safetensors { files, prefix }
        };
        Ok(Weights { path: path.to_owned(), stored })
    }

    /// The named tensor as contiguous f32 on the CPU; an error unless its shape is `shape`.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, EmbedError> {
        let broken = |error| EmbedError::broken(&self.path, error);
        let tensor = match &self.stored {
            Stored::Gguf { map, content } => {
                let tensor = content.tensor(&mut Cursor::new(&map[..]), name, &Device::Cpu);
                tensor.and_then(|tensor| tensor.dequantize(&Device::Cpu)).map_err(broken)?
            }
            Stored::Safetensors { files, prefix } => {
                let name = theirs(files, prefix, name);
                files.tensor(&name, &Device::Cpu)?.to_dtype(DType::F32).map_err(broken)?
            }
        };
        if tensor.dims() != shape {
            let reason = format!("{name} has shape {:?}, config.json says {shape:?}", tensor.dims());
            return Err(EmbedError::broken(&self.path, reason));
        }
        Ok(tensor)
    }

    /// A size from the file's metadata.
    pub(crate) fn size(&self, key: &str) -> Result<usize, EmbedError> {
        let value = self.metadata(key).and_then(|value| value.to_u32().ok());
        value.map(|value| value as usize).ok_or_else(|| self.broken(&format!("it does not say {key}")))
    }

    /// A text from the file's metadata.
    pub(crate) fn text(&self, key: &str) -> Result<String, EmbedError> {
        let value = self.metadata(key).and_then(|value| value.to_string().ok());
        value.cloned().ok_or_else(|| self.broken(&format!("it does not say {key}")))
    }

    fn metadata(&self, key: &str) -> Option<&Value> {
        match &self.stored {
            Stored::Gguf { content, .. } => content.metadata.get(key),
            Stored::Safetensors { .. } => None,
        }
    }

    pub(crate) fn broken(&self, reason: &str) -> EmbedError {
        EmbedError::broken(&self.path, reason)
    }

    /// The named tensor as numbers, in row-major order.
    pub(crate) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EmbedError> {
        Ok(self.tensor(name, shape)?.flatten_all()?.to_vec1()?)
    }

    /// The word table, left in the map.
    pub(crate) fn words(&self, name: &str, rows: usize, columns: usize) -> Result<WordTable, EmbedError> {
        let broken = |reason: &str| EmbedError::broken(&self.path, format!("{name} {reason}"));
        let (map, start, shape, form) = match &self.stored {
            Stored::Gguf { map, content } => {
                let info = content.tensor_infos.get(name).ok_or_else(|| broken("is not in it"))?;
                let start = content.tensor_data_offset.checked_add(info.offset).and_then(|at| usize::try_from(at).ok());
                let form = (info.ggml_dtype == GgmlDType::Q4_0 && columns.is_multiple_of(BLOCK)).then_some(Form::Q4_0);
                (map.clone(), start, info.shape.dims(), form.ok_or_else(|| broken("is not stored as Q4_0"))?)
            }
            Stored::Safetensors { files, prefix } => {
                let theirs = theirs(files, prefix, name);
                let place = files.place(&theirs).zip(files.bytes(&theirs));
                let (place, (map, range)) = place.ok_or_else(|| broken("is not in it"))?;
                let form = match place.dtype {
                    Dtype::F32 => Form::F32,
                    Dtype::F16 => Form::F16,
                    Dtype::BF16 => Form::Bf16,
                    _ => return Err(broken("is not stored as f32, f16 or bf16")),
                };
                (map, Some(range.start), place.shape.as_slice(), form)
            }
        };
        if shape != [rows, columns] {
            return Err(broken(&format!("has shape {shape:?}, config.json says [{rows}, {columns}]")));
        }
        let bytes = rows.checked_mul(form.bytes(columns));
        let end = start.zip(bytes).and_then(|(start, bytes)| start.checked_add(bytes));
        match (start, end) {
            (Some(start), Some(end)) if end <= map.len() => Ok(WordTable { map, place: start..end, columns, form }),
            _ => Err(broken("ends behind the end of the file")),
        }
    }
}

/// The name that a tensor has in these files. Old conversions have gamma and beta for the parts of a norm.
fn theirs(files: &Safetensors, prefix: &str, name: &str) -> String {
    let usual = format!("{prefix}{}", hugging_face(name));
    let old = usual.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    if files.place(&usual).is_none() && files.place(&old).is_some() { old } else { usual }
}

/// Values in a Q4_0 block, and its bytes: an f16 scale, then 16 bytes of two values each.
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 18;

/// How the numbers of a row lie there.
#[derive(Debug, Clone, Copy)]
enum Form {
    Q4_0,
    F32,
    F16,
    Bf16,
}

impl Form {
    /// Of a row.
    fn bytes(self, columns: usize) -> usize {
        match self {
            Form::Q4_0 => columns / BLOCK * BLOCK_BYTES,
            Form::F32 => columns * 4,
            Form::F16 | Form::Bf16 => columns * 2,
        }
    }
}

/// A matrix inside the map.
pub(crate) struct WordTable {
    map: Arc<Mmap>,
    place: Range<usize>,
    columns: usize,
    form: Form,
}

impl WordTable {
    /// Adds row `id` to `out` (as long as the row); `None` if there is no such row.
    pub(crate) fn add_row(&self, id: u32, out: &mut [f32]) -> Option<()> {
        let bytes = self.form.bytes(self.columns);
        let start = usize::try_from(id).ok()?.checked_mul(bytes)?;
        let row = self.map.get(self.place.clone())?.get(start..start.checked_add(bytes)?)?;
        match self.form {
            Form::Q4_0 => {
                for (block, out) in row.chunks_exact(BLOCK_BYTES).zip(out.chunks_exact_mut(BLOCK)) {
                    add_block(block, out);
                }
            }
            Form::F32 => add_values(row, out, f32::from_le_bytes),
            Form::F16 => add_values(row, out, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Form::Bf16 => add_values(row, out, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        }
        Some(())
    }
}

fn add_values<const N: usize>(row: &[u8], out: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    for (bytes, out) in row.as_chunks::<N>().0.iter().zip(out) {
        *out += value(*bytes);
    }
}

/// value = (nibble − 8) · scale; the low nibbles are values 0–15, the high ones 16–31 (ggml, Q4_0).
fn add_block(block: &[u8], out: &mut [f32]) {
    let (scale, nibbles) = block.split_at(2);
    let scale = f16::from_le_bytes([scale[0], scale[1]]).to_f32();
    let (low, high) = out.split_at_mut(BLOCK / 2);
    for ((byte, low), high) in nibbles.iter().zip(low).zip(high) {
        *low += (f32::from(byte & 15) - 8.0) * scale;
        *high += (f32::from(byte >> 4) - 8.0) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_ggml_has_it() {
        let mut block = vec![0x00, 0x38]; // 0.5 as f16
        block.extend((0..16).map(|i| i | (15 - i) << 4));
        let mut out = [1.0; BLOCK];
        add_block(&block, &mut out);
        assert_eq!((out[0], out[15]), (1.0 - 4.0, 1.0 + 3.5));
        assert_eq!((out[16], out[31]), (1.0 + 3.5, 1.0 - 4.0));
    }

    #[test]
    fn rows_of_the_map_equal_candles_reading_of_the_same_tensor() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/evoke-e5-small/model.gguf");
        let weights = Weights::open(&path).unwrap();
        let name = "blk.3.ffn_up.weight";
        let whole = weights.values(name, &[1536, 384]).unwrap();
        let table = weights.words(name, 1536, 384).unwrap();
        for id in [0, 1, 777, 1535] {
            let mut row = vec![0.0; 384];
            table.add_row(id, &mut row).unwrap();
            assert_eq!(row, whole[id as usize * 384..][..384]);
        }
        assert!(table.add_row(1536, &mut vec![0.0; 384]).is_none());
    }
}
