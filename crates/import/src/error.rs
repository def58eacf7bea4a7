//! Why an import could not be done: what failed, what was not lost, what to do.

/// A variant for each thing that somebody acts on; everything else is `Other`.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(
        "There is no file or folder at {path:?}. Nothing was changed. Check that it was not moved, then choose it again."
    )]
    NotFound { path: std::path::PathBuf },
    #[error("{name:?} is empty: there is nothing in it to import. Nothing was changed. Download the export again.")]
    Empty { name: String },
    /// `seen` says what it looks like: "a SQLite database".
    #[error(
        "Evoke does not know this kind of export: it looks like {seen}. Nothing was imported. See the list of exports it can read."
    )]
    UnknownFormat { seen: String },
    /// The container is built so that reading it would do harm.
    #[error(
        "This export was refused: {0}. What was imported before this point is kept. If it is really your export, unzip it yourself and choose the folder."
    )]
    Hostile(String),
    #[error("{name:?} is protected by a password. Nothing was lost. Unzip it with its password and choose the folder.")]
    Encrypted { name: String },
    /// A container that cannot be opened at all, such as half a download.
    #[error(
        "{name:?} is damaged or incomplete ({reason}). What was imported before this point is kept. Download the export again."
    )]
    Damaged { name: String, reason: String },
    #[error(
        "{name:?} could not be read: {source}. What was imported before this point is kept. Check that the disk is connected and that you may open the file."
    )]
    Io { name: String, source: std::io::Error },
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}
