//! The Home: the folder where an archive lives, who may write to it, and which version it has.
//!
//! Invariant: one writer at a time across processes (a locked file); readers at any time.

use crate::MemoryError;
use evoke_store::{SCHEMA, Secret, StoreError, Vault};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

/// Beside the vault's own files: what must be known before a key is.
#[derive(Serialize, Deserialize)]
struct Label {
    schema: u32,
    made_by: String,
}

const LABEL: &str = "evoke.json";
const LOCK: &str = "lock";

/// An opened Home. The lock is held as long as this lives.
pub(crate) struct Home {
    pub(crate) root: PathBuf,
    pub(crate) vault: Vault,
    /// Held by the writer.
    lock: Option<File>,
    /// It was made by an earlier version and has not yet what this one needs.
    older: bool,
}

impl Home {
    /// Opens a Home, or makes it where `write` is asked and nothing is there. Where another process
    /// writes, a reader is given: [`Home::writes`] tells.
    pub(crate) fn open(root: &Path, secret: Secret<'_>, write: bool) -> Result<Home, MemoryError> {
        let exists = Vault::exists(root);
        if !exists && !write {
            return Err(MemoryError::NotFound(format!(
                "there is no archive at {} yet: import something first, or try `evoke sample`",
                root.display()
            )));
        }
        let found = label(root)?;
        let older = found.as_ref().is_some_and(|l| l.schema < SCHEMA);
        // Whoever opens an older archive first brings it up to date, though only to read.
        let write = write || older;
        let lock = if write { lock(root)? } else { None };
        if write && lock.is_none() && (!exists || older) {
            return Err(MemoryError::Busy);
        }
        let vault = if exists { Vault::open(root, secret)? } else { Vault::create(root, secret)? };
        if lock.is_some() {
            if found.is_none() {
                put_label(root)?;
            }
            vault.sweep_staging().map_err(MemoryError::from)?;
        }
        Ok(Home { root: root.to_owned(), vault, lock, older })
    }

    pub(crate) fn writes(&self) -> bool {
        self.lock.is_some()
    }

    pub(crate) fn is_older(&self) -> bool {
        self.older
    }

    /// The steps from an earlier version are done.
    pub(crate) fn is_up_to_date(&self) -> Result<(), MemoryError> {
        put_label(&self.root)
    }

    /// Bytes of all files of the Home.
    pub(crate) fn bytes(&self) -> u64 {
        fn of(folder: &Path) -> u64 {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .map(|e| match e.metadata() {
                    Ok(m) if m.is_dir() => of(&e.path()),
                    Ok(m) => m.len(),
                    Err(_) => 0,
                })
                .sum()
        }
        of(&self.root)
    }
}

/// Where the Home is when nobody says: the system's folder for an app's data.
pub fn default_home() -> Result<PathBuf, MemoryError> {
    if let Some(home) = std::env::var_os("EVOKE_HOME").filter(|h| !h.is_empty()) {
        return Ok(home.into());
    }
    directories::ProjectDirs::from("", "", "Evoke").map(|dirs| dirs.data_local_dir().join("home")).ok_or_else(|| {
        MemoryError::Home("this system names no folder for data: say where with --home or EVOKE_HOME".into())
    })
}

/// The folder of the person whose account this is.
pub fn account_folder() -> Result<PathBuf, MemoryError> {
    directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()).ok_or_else(|| {
        MemoryError::Home("this system names no home folder: say where to look with `evoke discover --in`".into())
    })
}

/// The folder of the bundled models: told, beside the program, in the bundle, or in the repository.
pub(crate) fn models(told: Option<&Path>) -> Result<PathBuf, MemoryError> {
    let beside = std::env::current_exe().ok().and_then(|e| e.parent().map(Path::to_owned));
    let candidates = [
        told.map(Path::to_owned),
        std::env::var_os("EVOKE_MODELS").map(PathBuf::from),
        beside.as_ref().map(|b| b.join("models")),
        beside.as_ref().map(|b| b.join("../lib/Evoke/models")),
        beside.as_ref().map(|b| b.join("../Resources/models")),
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")),
    ];
    candidates.into_iter().flatten().find(|c| c.join(crate::MODEL).is_dir()).ok_or_else(|| {
        MemoryError::Home(format!(
            "the model {} is not beside the program: install Evoke again, or say where with EVOKE_MODELS",
            crate::MODEL
        ))
    })
}

fn label(root: &Path) -> Result<Option<Label>, MemoryError> {
    let Ok(text) = std::fs::read_to_string(root.join(LABEL)) else { return Ok(None) };
    let label: Label = serde_json::from_str(&text).map_err(|_| {
        MemoryError::Home(format!(
            "{} cannot be read. Nothing was changed: put it back from a backup",
            root.join(LABEL).display()
        ))
    })?;
    if label.schema > SCHEMA {
        return Err(StoreError::Newer { found: label.schema, known: SCHEMA }.into());
    }
    Ok(Some(label))
}

/// Writes the version.
fn put_label(root: &Path) -> Result<(), MemoryError> {
    let label = Label { schema: SCHEMA, made_by: env!("CARGO_PKG_VERSION").to_owned() };
    let text = serde_json::to_string_pretty(&label).map_err(anyhow::Error::from)?;
    std::fs::write(root.join(LABEL), text).map_err(|e| home_io(root, &e))
}

fn lock(root: &Path) -> Result<Option<File>, MemoryError> {
    std::fs::create_dir_all(root).map_err(|e| home_io(root, &e))?;
    let path = root.join(LOCK);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|e| home_io(&path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(home_io(&path, &error)),
    }
}

/// Whether there is an archive in a folder, locked or not.
pub fn home_exists(root: &Path) -> bool {
    Vault::exists(root)
}

fn home_io(path: &Path, error: &std::io::Error) -> MemoryError {
    MemoryError::Home(format!(
        "{}: {error}. Nothing was changed: check that the disk is there and that you may write to it",
        path.display()
    ))
}
