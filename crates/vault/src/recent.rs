//! Sealed files opened lately, so that a read neither derives the file's key nor proves its length anew.
//! Keeps keys and lengths only: no file handle, no plain text.

use crate::VaultError;
use crate::key::DataKey;
use crate::sealed_file::SealedFile;
use bytes::Bytes;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// About 300 bytes each. When full, all are dropped: finding them again costs microseconds.
const CAPACITY: usize = 4096;

pub(crate) struct Recent {
    key: Arc<DataKey>,
    files: Mutex<HashMap<PathBuf, (Stamp, Arc<SealedFile>)>>,
}

/// A file as it is now; another stamp under the same path is another file.
#[derive(Clone, PartialEq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// An open file and what is known of it.
pub(crate) struct Open {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) metadata: Metadata,
    pub(crate) sealed: Arc<SealedFile>,
}

impl Recent {
    pub(crate) fn new(key: Arc<DataKey>) -> Self {
        Recent { key, files: Mutex::default() }
    }

    pub(crate) fn key(&self) -> Arc<DataKey> {
        Arc::clone(&self.key)
    }

    pub(crate) fn open(&self, path: PathBuf) -> Result<Open, VaultError> {
        let file = File::open(&path).map_err(VaultError::io("opening a sealed file"))?;
        let metadata = file.metadata().map_err(VaultError::io("opening a sealed file"))?;
        if metadata.is_dir() {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(VaultError::Io { what: "a folder stands where a file should".into(), source });
        }
        let sealed = match self.known(&path, &Stamp::of(&metadata)) {
            Some(sealed) => sealed,
            None => self.meet(&path, &file, &metadata)?,
        };
        Ok(Open { path, file, metadata, sealed })
    }

    /// See `SealedFile::ranges`. Two files made under one path within one tick of the clock can have the
    /// same stamp, so what fails with a remembered key is tried once more from its header.
    pub(crate) fn ranges(&self, open: &Open, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, VaultError> {
        match open.sealed.ranges(&open.file, ranges) {
            Err(VaultError::Damaged { .. }) => {
                self.meet(&open.path, &open.file, &open.metadata)?.ranges(&open.file, ranges)
            }
            settled => settled,
        }
    }

    fn known(&self, path: &Path, stamp: &Stamp) -> Option<Arc<SealedFile>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(path).filter(|(known, _)| known == stamp).map(|(_, sealed)| Arc::clone(sealed))
    }

    fn meet(&self, path: &Path, file: &File, metadata: &Metadata) -> Result<Arc<SealedFile>, VaultError> {
        let sealed = Arc::new(SealedFile::open(file, metadata.len(), &self.key)?);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= CAPACITY {
            files.clear();
        }
        files.insert(path.to_path_buf(), (Stamp::of(metadata), Arc::clone(&sealed)));
        Ok(sealed)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Stamp { size: metadata.len(), modified: metadata.modified().ok(), inode: inode(metadata) }
    }
}

/// Zero where the system has none.
pub(crate) fn inode(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    {
        let _ = metadata;
        0
    }
}
