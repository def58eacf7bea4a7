//! Safetensors files, one or several with an index, mapped into memory: tensors by name, read only when
//! they are asked for. What the names mean is left to `weights.rs` and `evo/`.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use crate::EmbedError;

/// Maps a file of a model.
pub(crate) fn map(path: &Path) -> Result<Arc<Mmap>, EmbedError> {
    let file = File::open(path).map_err(|error| EmbedError::io(path, &error))?;
    // SAFETY: the map is read-only and private to this process. Were another program to shorten
    // the file while it is open, reading it could stop us; model files are installed, not edited.
    #[allow(unsafe_code)]
    let map = unsafe { Mmap::map(&file) }.map_err(|error| EmbedError::io(path, &error))?;
    Ok(Arc::new(map))
}

/// All tensors of a model, in however many files.
pub(crate) struct Safetensors {
    /// The file that names the others, or the only one.
    path: PathBuf,
    files: Vec<Arc<Mmap>>,
    tensors: BTreeMap<String, Place>,
}

/// Where a tensor lies, and what it is.
pub(crate) struct Place {
    file: usize,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    range: Range<usize>,
}

impl Place {
    pub(crate) fn values(&self) -> u64 {
        self.shape.iter().map(|size| *size as u64).product()
    }
}

/// `model.safetensors.index.json` (Hugging Face).
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    fn read(dir: &Path) -> Result<Self, EmbedError> {
        let path = dir.join(INDEX);
        let json = std::fs::read(&path).map_err(|error| EmbedError::io(&path, &error))?;
        serde_json::from_slice(&json).map_err(|error| EmbedError::broken(&path, error))
    }
}

/// The files that a directory's index names, each once.
pub(crate) fn shards(dir: &Path) -> Result<Vec<PathBuf>, EmbedError> {
    let mut names: Vec<String> = Index::read(dir)?.weight_map.into_values().collect();
    names.sort_unstable();
    names.dedup();
    match names.iter().find(|name| Path::new(name.as_str()).components().count() != 1 || name.contains("..")) {
        None => Ok(names.iter().map(|name| dir.join(name)).collect()),
        Some(name) => {
            Err(EmbedError::broken(&dir.join(INDEX), format!("it names the file {name:?} outside of the directory")))
        }
    }
}

pub(crate) const SINGLE: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";

impl Safetensors {
    /// `model.safetensors` of a directory, or else the shards that `model.safetensors.index.json` names.
    pub(crate) fn open(dir: &Path) -> Result<Self, EmbedError> {
        let index = dir.join(INDEX);
        if dir.join(SINGLE).exists() || !index.exists() {
            return Self::open_file(&dir.join(SINGLE));
        }
        let Index { weight_map } = Index::read(dir)?;
        let paths = shards(dir)?;
        let opened = Self::open_files(index.clone(), &paths)?;
        match weight_map.keys().find(|name| !opened.tensors.contains_key(*name)) {
            None => Ok(opened),
            Some(name) => Err(EmbedError::broken(&index, format!("no shard holds {name}"))),
        }
    }

    /// One file by its own name.
    pub(crate) fn open_file(path: &Path) -> Result<Self, EmbedError> {
        Self::open_files(path.to_owned(), &[path.to_owned()])
    }

    fn open_files(path: PathBuf, paths: &[PathBuf]) -> Result<Self, EmbedError> {
        let (mut files, mut tensors) = (Vec::new(), BTreeMap::new());
        for path in paths {
            let map = map(path)?;
            let (start, header) = SafeTensors::read_metadata(&map).map_err(|error| EmbedError::broken(path, error))?;
            let start = start + size_of::<u64>();
            for (name, info) in header.tensors() {
                let (from, to) = info.data_offsets;
                let place = Place {
                    file: files.len(),
                    dtype: info.dtype,
                    shape: info.shape.clone(),
                    range: start + from..start + to,
                };
                tensors.insert(name, place);
            }
            files.push(map);
        }
        Ok(Safetensors { path, files, tensors })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.tensors.iter().map(|(name, place)| (name.as_str(), place))
    }

    pub(crate) fn place(&self, name: &str) -> Option<&Place> {
        self.tensors.get(name)
    }

    /// The file a tensor lies in and its bytes there.
    pub(crate) fn bytes(&self, name: &str) -> Option<(Arc<Mmap>, Range<usize>)> {
        let place = self.tensors.get(name)?;
        Some((self.files.get(place.file)?.clone(), place.range.clone()))
    }

    /// The named tensor as it is stored (f32, f16 or bf16); an error names the file.
    pub(crate) fn tensor(&self, name: &str, device: &Device) -> Result<Tensor, EmbedError> {
        let broken = |reason: String| EmbedError::broken(&self.path, reason);
        let place = self.tensors.get(name).ok_or_else(|| broken(format!("{name} is not in it")))?;
        let dtype = match place.dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => return Err(broken(format!("{name} is stored as {other:?}; f32, f16 and bf16 can be read"))),
        };
        let bytes = self.files.get(place.file).and_then(|map| map.get(place.range.clone()));
        let bytes = bytes.ok_or_else(|| broken(format!("{name} ends behind the end of the file")))?;
        Tensor::from_raw_buffer(bytes, dtype, &place.shape, device).map_err(|error| broken(error.to_string()))
    }

    /// For messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn save(dir: &Path, file: &str, tensors: &[(&str, &[f32])]) {
        let tensors: HashMap<_, _> =
            tensors.iter().map(|(name, values)| (*name, Tensor::new(*values, &Device::Cpu).unwrap())).collect();
        candle_core::safetensors::save(&tensors, dir.join(file)).unwrap();
    }

    fn check(index: &str, expected: Result<&[f32], &str>) {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), "one.safetensors", &[("a", &[1.0, 2.0])]);
        save(dir.path(), "two.safetensors", &[("b", &[3.0])]);
        std::fs::write(dir.path().join(INDEX), index).unwrap();
        let read = Safetensors::open(dir.path()).and_then(|opened| opened.tensor("b", &Device::Cpu));
        match (read, expected) {
            (Ok(tensor), Ok(values)) => assert_eq!(tensor.to_vec1::<f32>().unwrap(), values),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (other, _) => panic!("{index}: {other:?}"),
        }
    }

    #[test]
    fn shards_are_read_as_one_or_refused_by_name() {
        check(r#"{"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}"#, Ok(&[3.0]));
        check(r#"{"weight_map": {"a": "one.safetensors"}}"#, Err("b is not in it"));
        check(r#"{"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}}"#, Err("no shard holds b"));
        check(r#"{"weight_map": {"a": "three.safetensors"}}"#, Err("three.safetensors is missing"));
        check(r#"{"weight_map": {"a": "../one.safetensors"}}"#, Err("outside"));
        check("garbage", Err("index.json"));
    }

    #[test]
    fn a_file_cut_short_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), SINGLE, &[("a", &[1.0; 100])]);
        let path = dir.path().join(SINGLE);
        let whole = std::fs::metadata(&path).unwrap().len();
        for length in [whole - 1, whole / 2, 20, 3, 0] {
            std::fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
            assert!(matches!(Safetensors::open(dir.path()), Err(EmbedError::Broken { .. })), "{length}");
        }
    }
}
