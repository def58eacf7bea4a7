//! What can go wrong with rows on disk.

use evoke_vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The key is wrong or missing: nothing was read or written.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Made by a newer Evoke.
    #[error(
        "this archive was written by a newer Evoke (schema {found}, this one knows {known}); nothing was changed: update Evoke to open it"
    )]
    Newer { found: u32, known: u32 },
    #[error("the database: {0}")]
    Database(#[from] lancedb::Error),
    #[error("the database's columns: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<lance::Error> for StoreError {
    fn from(error: lance::Error) -> Self {
        StoreError::Database(error.into())
    }
}
