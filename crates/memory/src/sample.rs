//! The sample archive: where it is, for one click in the app and `evoke sample` in the terminal.

use crate::{ImportOptions, MemoryError};
use std::path::{Path, PathBuf};

/// Its invented owner, and the zone of her wall clock.
pub fn options() -> ImportOptions {
    ImportOptions { zone: Some("Europe/Berlin".into()), me: Some("Mira Lund".into()), ..ImportOptions::default() }
}

/// The exports of the sample, each to be imported as it is.
pub fn paths() -> Result<Vec<PathBuf>, MemoryError> {
    let folder = folder().ok_or_else(|| {
        MemoryError::NotFound(
            "the sample is not beside the program: install Evoke again, or say where with EVOKE_SAMPLE".into(),
        )
    })?;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map_err(|e| MemoryError::Home(format!("{}: {e}", folder.display())))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort();
    Ok(paths)
}

fn folder() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|e| e.parent().map(Path::to_owned));
    let candidates = [
        std::env::var_os("EVOKE_SAMPLE").map(PathBuf::from),
        beside.as_ref().map(|b| b.join("sample")),
        beside.as_ref().map(|b| b.join("../lib/Evoke/sample")),
        beside.as_ref().map(|b| b.join("../Resources/sample")),
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample/archive")),
    ];
    candidates.into_iter().flatten().find(|c| c.is_dir())
}
