//! What must hold over several crates: one binary, so that the database is linked once.
//!
//! Each crate tests itself; here is the shape of the workspace, the way of a message through all of
//! it, what is on disk, what survives a kill, and that all doors give the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod archive;
mod attached;
mod discover;
mod disk;
mod doors;
mod duplicates;
mod evolver;
mod filter;
mod fixtures;
mod imports;
mod kills;
mod models;
mod offline;
mod people;
mod search;
mod shape;
mod watched;
mod zone;
