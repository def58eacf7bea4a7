//! Homes and sealed files through the public interface, on real files in temporary folders.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod damage;
mod home;
mod keychain;
mod processes;
mod scan;
mod store;

use evoke_vault::{Secret, Vault};
use object_store::ObjectStore;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A new Home with a key file, and a store in it. The folder goes when the first is dropped.
fn home() -> (TempDir, Vault, Arc<dyn ObjectStore>) {
    let root = tempfile::tempdir().unwrap();
    let vault = Vault::create(root.path(), Secret::KeyFile).unwrap();
    let store = vault.object_store("db").unwrap();
    (root, vault, store)
}

/// Bytes that differ from place to place and do not compress to a pattern of the chunk size.
fn text(length: usize, seed: u64) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7) as u8).collect()
}

/// Every file under `root` with its content.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(files.insert(path.clone(), std::fs::read(&path).unwrap())),
            }
        }
    }
    files
}
