//! What can go wrong with keys and sealed files, in words for the person whose files they are.

use std::path::PathBuf;

/// A variant stands only where a caller acts on it; the rest is `Io` or `Other`.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(
        "this key does not open this Home. Nothing was read or changed: try again with the right passphrase or key"
    )]
    WrongKey,

    #[error("this Home is locked with a passphrase. Nothing was read or changed: give the passphrase to open it")]
    Locked,

    #[error(
        "the system keychain could not be used ({reason}). Nothing was changed: log in to the desktop or unlock the keychain, then start Evoke again"
    )]
    KeychainUnavailable { reason: String },

    /// Sealed files are there and what opens them is not.
    #[error(
        "{} is missing, and without it the encrypted files beside it cannot be opened. Nothing was changed: put it back from a backup", .path.display()
    )]
    KeyMissing { path: PathBuf },

    /// Other accounts of this computer may read the key file.
    #[error(
        "other users of this computer may read the key file {0}. Nothing was opened: run `chmod 600 {0}`, then start Evoke again", .path.display()
    )]
    KeyFileExposed { path: PathBuf },

    #[error("there is no Home at {}. Nothing was changed: create one first", .root.display())]
    NoHome { root: PathBuf },

    /// Authentication failed: truncated, altered, exchanged, or half written.
    #[error("{what} is damaged or was altered. Nothing was changed: restore it from a backup")]
    Damaged { what: String },

    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },

    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl VaultError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        VaultError::Damaged { what: what.into() }
    }

    /// For `map_err`: names what was being done to which file.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| VaultError::Io { what: what.into(), source }
    }
}
