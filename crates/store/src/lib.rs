//! Rows on disk: the only home of LanceDB and Arrow.
//!
//! Tables live inside a `Vault` (every file encrypted), each write is one atomic commit, and a search is
//! a list of candidates under a pre-filter. What a message means, how lists are fused, and when to write
//! are left to `evoke-memory`; encryption and keys to `evoke-vault`.
//!
//! Invariant: no path of this crate hands a plain file path to LanceDB.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod columns;
mod condition;
mod error;
mod passages;
mod records;
mod rows;
mod search;
mod session;
mod tables;
mod tidy;
mod write;

pub use condition::Condition;
pub use error::StoreError;
pub use evoke_vault::{Protection, Secret, Vault, VaultError, private_temp};
pub use passages::{Passages, Sizes};
pub use records::{ContactRow, EarlierRow, ImportRow, MergeRow, Met, SameRow, Stored};
pub use rows::{Known, MessageRow, PassageRow, PersonRow};
pub use search::{Listed, Scored};
pub use tables::{SCHEMA, Store, Versions};
pub use tidy::Tidied;
