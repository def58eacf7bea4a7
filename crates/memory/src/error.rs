//! What can go wrong for a person, and how each door hears of it.

use evoke_embed::EmbedError;
use evoke_import::ImportError;
use evoke_message::Trouble;
use evoke_store::{StoreError, VaultError};

#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    #[error("{0}")]
    Home(String),
    /// Another Evoke is writing to this Home.
    #[error(
        "another Evoke is writing to this archive; it can be searched meanwhile. Nothing was changed: close the other one, or wait until it has finished, and try again"
    )]
    Busy,
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    BadQuery(String),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<VaultError> for MemoryError {
    fn from(error: VaultError) -> Self {
        MemoryError::Store(error.into())
    }
}

impl MemoryError {
    /// The word by which doors choose; never a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            MemoryError::Home(_) => "home",
            MemoryError::Busy => "busy",
            MemoryError::NotFound(_) => "not_found",
            MemoryError::BadQuery(_) => "bad_query",
            MemoryError::Import(error) => import_kind(error),
            MemoryError::Store(StoreError::Vault(VaultError::Locked)) => "locked",
            MemoryError::Store(StoreError::Vault(VaultError::WrongKey)) => "wrong_key",
            MemoryError::Store(StoreError::Vault(_)) => "vault",
            MemoryError::Store(StoreError::Newer { .. }) => "newer",
            MemoryError::Store(_) => "store",
            MemoryError::Embed(_) => "model",
            MemoryError::Other(_) => "other",
        }
    }

    pub fn trouble(&self) -> Trouble {
        let message = match self {
            MemoryError::Other(error) | MemoryError::Store(StoreError::Other(error)) => format!("{error:#}"),
            other => other.to_string(),
        };
        Trouble { kind: self.kind().to_owned(), message }
    }
}

fn import_kind(error: &ImportError) -> &'static str {
    match error {
        ImportError::NotFound { .. } => "not_found",
        ImportError::UnknownFormat { .. } => "unknown_format",
        ImportError::Empty { .. } => "empty",
        ImportError::Hostile(_) => "hostile",
        _ => "unreadable",
    }
}
