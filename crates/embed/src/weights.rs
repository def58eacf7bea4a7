//! `model.gguf`, mapped into memory: the encoder's matrices are dequantised once, the word table stays
//! in the map and is dequantised a row at a time (250,037 rows would be 384 MB as f32, 54 MB as Q4_0).

use std::fs::File;
use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::{GgmlDType, gguf_file::Content};
use candle_core::{Device, Tensor};
use half::f16;
use memmap2::Mmap;

use crate::EmbedError;

/// An opened GGUF file (ggml: docs/gguf.md). Names of tensors are llama.cpp's for BERT.
pub(crate) struct Weights {
    path: PathBuf,
    map: Arc<Mmap>,
    content: Content,
}

impl Weights {
    pub(crate) fn open(path: &Path) -> Result<Self, EmbedError> {
        let file = File::open(path).map_err(|error| EmbedError::io(path, &error))?;
        // SAFETY: the map is read-only and private to this process. Were another program to shorten
        // the file while it is open, reading it could stop us; model files are installed, not edited.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(|error| EmbedError::io(path, &error))?;
        let content = Content::read(&mut Cursor::new(&map[..])).map_err(|error| EmbedError::broken(path, error))?;
        Ok(Weights { path: path.to_owned(), map: Arc::new(map), content })
    }

    /// The named tensor as contiguous f32 on the CPU; an error unless its shape is `shape`.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, EmbedError> {
        let tensor = self
            .content
            .tensor(&mut Cursor::new(&self.map[..]), name, &Device::Cpu)
            .and_then(|tensor| tensor.dequantize(&Device::Cpu))
            .map_err(|error| EmbedError::broken(&self.path, error))?;
        if tensor.dims() != shape {
            let reason = format!("{name} has shape {:?}, config.json says {shape:?}", tensor.dims());
            return Err(EmbedError::broken(&self.path, reason));
        }
        Ok(tensor)
    }

    /// A size from the file's metadata.
    pub(crate) fn size(&self, key: &str) -> Result<usize, EmbedError> {
        let value = self.content.metadata.get(key).and_then(|value| value.to_u32().ok());
        value.map(|value| value as usize).ok_or_else(|| self.broken(&format!("it does not say {key}")))
    }

    /// A text from the file's metadata.
    pub(crate) fn text(&self, key: &str) -> Result<String, EmbedError> {
        let value = self.content.metadata.get(key).and_then(|value| value.to_string().ok());
        value.cloned().ok_or_else(|| self.broken(&format!("it does not say {key}")))
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
        let info = self.content.tensor_infos.get(name).ok_or_else(|| broken("is not in it"))?;
        if info.shape.dims() != [rows, columns] {
            return Err(broken(&format!("has shape {:?}, config.json says [{rows}, {columns}]", info.shape.dims())));
        }
        if info.ggml_dtype != GgmlDType::Q4_0 || !columns.is_multiple_of(BLOCK) {
            return Err(broken("is not stored as Q4_0"));
        }
        let bytes = rows.checked_mul(columns / BLOCK * BLOCK_BYTES);
        let start = self.content.tensor_data_offset.checked_add(info.offset).and_then(|at| usize::try_from(at).ok());
        let end = start.zip(bytes).and_then(|(start, bytes)| start.checked_add(bytes));
        match (start, end) {
            (Some(start), Some(end)) if end <= self.map.len() => {
                Ok(WordTable { map: self.map.clone(), place: start..end, columns })
            }
            _ => Err(broken("ends behind the end of the file")),
        }
    }
}

/// Values in a Q4_0 block, and its bytes: an f16 scale, then 16 bytes of two values each.
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 18;

/// A matrix of Q4_0 rows inside the map.
pub(crate) struct WordTable {
    map: Arc<Mmap>,
    place: Range<usize>,
    columns: usize,
}

impl WordTable {
    /// Adds row `id` to `out` (as long as the row); `None` if there is no such row.
    pub(crate) fn add_row(&self, id: u32, out: &mut [f32]) -> Option<()> {
        let bytes = self.columns / BLOCK * BLOCK_BYTES;
        let start = usize::try_from(id).ok()?.checked_mul(bytes)?;
        let row = self.map.get(self.place.clone())?.get(start..start.checked_add(bytes)?)?;
        for (block, out) in row.chunks_exact(BLOCK_BYTES).zip(out.chunks_exact_mut(BLOCK)) {
            add_block(block, out);
        }
        Some(())
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
