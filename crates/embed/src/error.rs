//! What can go wrong between a text and its vector.

use std::path::{Path, PathBuf};

/// Opening names the file at fault; embedding itself fails only for want of memory or of the device.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The model directory lacks a file it must have.
    #[error("The model file {} is missing. Nothing was lost: put the file back or choose another model.", .0.display())]
    Missing(PathBuf),
    /// A file of the model directory is there and cannot be used.
    #[error("The model file {} cannot be used: {reason}. Nothing was lost: restore the file or choose another model.", .path.display())]
    Broken { path: PathBuf, reason: String },
    /// Bytes given to [`crate::Statistics::from_bytes`] are not statistics.
    #[error(
        "The saved archive statistics cannot be read: {0}. No message was lost: they can be counted again from the vectors."
    )]
    Statistics(String),
    #[error("The texts could not be embedded; they are unchanged and can be tried again.")]
    Other(#[from] anyhow::Error),
}

impl From<candle_core::Error> for EmbedError {
    fn from(error: candle_core::Error) -> Self {
        EmbedError::Other(error.into())
    }
}

impl EmbedError {
    pub(crate) fn broken(path: &Path, reason: impl ToString) -> Self {
        EmbedError::Broken { path: path.to_owned(), reason: reason.to_string() }
    }

    /// An IO error on `path`, told apart into "not there" and "there but unreadable".
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => EmbedError::Missing(path.to_owned()),
            _ => Self::broken(path, error),
        }
    }
}
