//! The encrypted file layer under the database, and the key of a Home.
//!
//! `Vault` holds an opened Home's data key and hands out object stores in which every file is sealed;
//! small files of our own are sealed one at a time. What the files mean is left to the callers: this
//! crate knows no message and no database. README.md beside this folder says what is protected and
//! what is not.
//!
//! Invariant: a wrong key writes nothing. Invariant: no key is ever made over existing sealed files.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod durable;
mod encrypted;
mod error;
mod form;
mod hex;
mod home_key;
mod key;
mod key_file;
mod keychain;
mod protection;
mod recent;
mod sealed_file;
mod temp;
mod upload;
mod vault;

pub use encrypted::EncryptedStore;
pub use error::VaultError;
pub use protection::{Protection, Secret};
pub use temp::private_temp;
pub use vault::Vault;
