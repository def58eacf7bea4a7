//! A Home opened with its key: sealed folders for the database, sealed small files of our own.

use crate::home_key::{self, HomeKey};
use crate::key::DataKey;
use crate::recent::Recent;
use crate::{EncryptedStore, Protection, Secret, VaultError, durable, form, key_file};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use std::fmt;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// An opened Home: its root folder and its key. Cheap to clone; the key is wiped with the last clone.
#[derive(Clone)]
pub struct Vault {
    root: PathBuf,
    key: Arc<DataKey>,
    protection: Arc<Mutex<Protection>>,
}

impl Vault {
    /// Makes a key for the Home at `root` (a folder that need not exist), or opens the Home that is there
    /// already. Of several processes that create one at the same time all get the same key.
    ///
    /// Errors: `KeyMissing` if sealed files are there and `home.key` is not; `KeychainUnavailable` for
    /// `Secret::Keychain`; for an existing Home those of `open`.
    pub fn create(root: &Path, secret: Secret) -> Result<Vault, VaultError> {
        match HomeKey::load(root) {
            Err(VaultError::NoHome { .. }) => {}
            found => return Vault::opened(root, &found?, secret),
        }
        make_folder(root)?;
        let key = DataKey::random()?;
        let home_key = HomeKey::make(root, &key, secret)?;
        if home_key.write_new(root)? {
            return Vault::of(root, key, &home_key);
        }
        let theirs = HomeKey::load(root)?;
        home_key.retire(root, &theirs)?;
        Vault::opened(root, &theirs, secret)
    }

    /// Opens the Home at `root`. Writes nothing.
    ///
    /// Errors: `NoHome`, `KeyMissing`, `Locked` (a passphrase is wanted and none was given), `WrongKey`,
    /// `KeychainUnavailable`, `KeyFileExposed`, `Damaged`.
    pub fn open(root: &Path, secret: Secret) -> Result<Vault, VaultError> {
        Vault::opened(root, &HomeKey::load(root)?, secret)
    }

    /// Whether a Home is at `root`; also true if that cannot be found out.
    pub fn exists(root: &Path) -> bool {
        HomeKey::exists(root)
    }

    /// What protects the key now.
    pub fn protection(&self) -> Protection {
        *self.protection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sealed files under `folder` (a relative path, made if need be). Every write is on disk before it
    /// returns.
    pub fn object_store(&self, folder: &str) -> Result<Arc<dyn ObjectStore>, VaultError> {
        let path = self.place(folder)?;
        make_folder(&path)?;
        let inner = LocalFileSystem::new_with_prefix(&path).map_err(anyhow::Error::from)?;
        let inner = inner.with_automatic_cleanup(true).with_fsync(true);
        Ok(Arc::new(EncryptedStore::new(inner, Recent::new(Arc::clone(&self.key)))))
    }

    /// Seals bytes in the form of a file. `name` is not stored, but `unseal` wants the same.
    pub fn seal(&self, plain: &[u8], name: &str) -> Result<Vec<u8>, VaultError> {
        form::seal(&self.key, name, plain)
    }

    /// `Damaged` if `sealed` was altered or sealed under another name.
    pub fn unseal(&self, sealed: &[u8], name: &str) -> Result<Vec<u8>, VaultError> {
        form::unseal(&self.key, name, sealed)
    }

    /// Seals `plain` into the file `name` (a relative path with `/`), replacing it as a whole.
    pub fn write_sealed(&self, name: &str, plain: &[u8]) -> Result<(), VaultError> {
        let path = self.place(name)?;
        path.parent().map_or(Ok(()), make_folder)?;
        durable::replace(&path, &self.seal(plain, name)?)
    }

    /// Takes away what `write_sealed` put into `name`; nothing where there is no such file.
    pub fn remove_sealed(&self, name: &str) -> Result<(), VaultError> {
        match fs::remove_file(self.place(name)?) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(VaultError::io(format!("removing {name}"))(error)),
            _ => Ok(()),
        }
    }

    /// Names of what `write_sealed` put directly into `folder`; none where there is no such folder.
    pub fn sealed_in(&self, folder: &str) -> Result<Vec<String>, VaultError> {
        let failed = |error| VaultError::io(format!("listing {folder}"))(error);
        let entries = match fs::read_dir(self.place(folder)?) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        entries.map(name).collect::<std::io::Result<_>>().map_err(failed)
    }

    /// What `write_sealed` put into `name`; `None` if there is no such file.
    pub fn read_sealed(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        match fs::read(self.place(name)?) {
            Ok(sealed) => self.unseal(&sealed, name).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(VaultError::io(format!("reading {name}"))(error)),
        }
    }

    /// Wraps the data key with a new passphrase; no other file changes. `WrongKey` if `old` is not the
    /// present one.
    pub fn change_passphrase(&self, old: &str, new: &str) -> Result<(), VaultError> {
        HomeKey::load(&self.root)?.open(&self.root, Secret::Passphrase(old))?;
        self.change_protection(Secret::Passphrase(new))
    }

    /// Wraps the data key anew as `secret` says; no other file changes. What protected it before is
    /// removed once the new wrapping is on disk and was opened.
    pub fn change_protection(&self, secret: Secret) -> Result<(), VaultError> {
        let before = HomeKey::load(&self.root)?;
        let after = HomeKey::make(&self.root, &self.key, secret)?;
        after.open(&self.root, secret)?;
        after.replace(&self.root)?;
        *self.protection.lock().unwrap_or_else(PoisonError::into_inner) = after.protection();
        before.retire(&self.root, &after)
    }

    /// Removes what killed writers left unfinished; returns how many files. Only under the writer lock.
    pub fn sweep_staging(&self) -> Result<usize, VaultError> {
        durable::sweep(&self.root, &[home_key::NAME, key_file::NAME])
    }

    fn opened(root: &Path, home_key: &HomeKey, secret: Secret) -> Result<Vault, VaultError> {
        Vault::of(root, home_key.open(root, secret)?, home_key)
    }

    fn of(root: &Path, key: DataKey, home_key: &HomeKey) -> Result<Vault, VaultError> {
        let root = root.canonicalize().map_err(VaultError::io(format!("opening {}", root.display())))?;
        let protection = Arc::new(Mutex::new(home_key.protection()));
        Ok(Vault { root, key: Arc::new(key), protection })
    }

    /// Where `name` lies. Nothing outside the root, and neither of the key's own files.
    fn place(&self, name: &str) -> Result<PathBuf, VaultError> {
        let relative = Path::new(name);
        let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !inside || [home_key::NAME, key_file::NAME].contains(&name) {
            return Err(anyhow::anyhow!("`{name}` is no place for a sealed file").into());
        }
        Ok(self.root.join(relative))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("root", &self.root).finish_non_exhaustive()
    }
}

/// With all folders above it; those made here are their owner's alone.
fn make_folder(path: &Path) -> Result<(), VaultError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(VaultError::io(format!("making {}", path.display())))
}
