//! `home.key`: the data key of a Home, wrapped, and what it takes to unwrap it. JSON, no secret in it.
//!
//! `{ version, id, kind, salt, memory_kib, passes, lanes, wrapped, check }`; the Argon2id fields stand
//! there for kind `passphrase` only. Byte strings are hexadecimal. Everything but `wrapped` and `check`
//! is bound to the wrapping, so no field can be changed unnoticed.

use crate::key::{DataKey, Secret256, random};
use crate::protection::{Protection, Secret};
use crate::{VaultError, durable, form, hex, key_file, keychain};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(crate) const NAME: &str = "home.key";
const VERSION: u32 = 1;

/// Sealed with the data key, opened before anything else is.
const CHECK: &[u8] = b"This key opens this Home.";

/// The second recommended choice of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

#[derive(Serialize, Deserialize)]
pub(crate) struct HomeKey {
    version: u32,
    /// Random; names the Home's entry in the keychain.
    id: String,
    #[serde(flatten)]
    wrapping: Wrapping,
    wrapped: String,
    check: String,
}

/// Where the wrapping key comes from.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Wrapping {
    Keychain,
    KeyFile,
    Passphrase { salt: String, memory_kib: u32, passes: u32, lanes: u32 },
}

impl HomeKey {
    /// Wraps `key` as `secret` says. For the keychain and the key file this stores the wrapping key
    /// there, and finds out that it can be had again; `home.key` itself is not written.
    pub(crate) fn make(root: &Path, key: &DataKey, secret: Secret) -> Result<Self, VaultError> {
        let id = hex::encode(random::<16>()?.as_slice());
        let (wrapping, wrapping_key) = Wrapping::choose(root, &id, secret)?;
        let check = hex::encode(&form::seal(key, NAME, CHECK)?);
        let mut made = HomeKey { version: VERSION, id, wrapping, wrapped: String::new(), check };
        made.wrapped = hex::encode(&key.wrap(&wrapping_key, &made.bound()?)?);
        Ok(made)
    }

    /// `NoHome` if there is none; `KeyMissing` if there is none and sealed files are.
    pub(crate) fn load(root: &Path) -> Result<Self, VaultError> {
        let path = path(root);
        let text = std::fs::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => missing(root),
            _ => VaultError::io(format!("reading {}", path.display()))(error),
        })?;
        let home_key: HomeKey =
            serde_json::from_slice(&text).map_err(|_| VaultError::damaged(path.display().to_string()))?;
        match home_key.version {
            VERSION => Ok(home_key),
            newer => Err(anyhow::anyhow!(
                "this Home was made by another Evoke (key version {newer}). Nothing was changed: update Evoke"
            )
            .into()),
        }
    }

    pub(crate) fn exists(root: &Path) -> bool {
        // In doubt there is one: then nothing is written over it.
        path(root).try_exists().unwrap_or(true)
    }

    /// Whether this one was written: `false` if another process was first.
    pub(crate) fn write_new(&self, root: &Path) -> Result<bool, VaultError> {
        durable::create(&path(root), &self.text()?)
    }

    pub(crate) fn replace(&self, root: &Path) -> Result<(), VaultError> {
        durable::replace(&path(root), &self.text()?)
    }

    /// The data key, checked. Writes nothing.
    pub(crate) fn open(&self, root: &Path, secret: Secret) -> Result<DataKey, VaultError> {
        let damaged = || VaultError::damaged(NAME);
        let wrapping_key = self.wrapping.key(root, &self.id, secret)?;
        let wrapped = hex::decode(&self.wrapped).ok_or_else(damaged)?;
        let key = DataKey::unwrap(&wrapped, &wrapping_key, &self.bound()?)?;
        let check = hex::decode(&self.check).ok_or_else(damaged)?;
        match form::unseal(&key, NAME, &check)? == CHECK {
            true => Ok(key),
            false => Err(damaged()),
        }
    }

    pub(crate) fn protection(&self) -> Protection {
        match self.wrapping {
            Wrapping::Keychain => Protection::Keychain,
            Wrapping::KeyFile => Protection::KeyFile,
            Wrapping::Passphrase { .. } => Protection::Passphrase,
        }
    }

    /// Removes what this one kept outside `home.key`, unless `kept` needs it.
    pub(crate) fn retire(&self, root: &Path, kept: &HomeKey) -> Result<(), VaultError> {
        match (&self.wrapping, &kept.wrapping) {
            (Wrapping::KeyFile, Wrapping::KeyFile) | (Wrapping::Passphrase { .. }, _) => Ok(()),
            (Wrapping::KeyFile, _) => key_file::remove(root),
            (Wrapping::Keychain, _) if self.id == kept.id => Ok(()),
            (Wrapping::Keychain, _) => keychain::remove(&self.id),
        }
    }

    /// What the wrapping is tied to.
    fn bound(&self) -> Result<Vec<u8>, VaultError> {
        let fields = serde_json::to_vec(&("evoke home key", self.version, &self.id, &self.wrapping));
        Ok(fields.map_err(anyhow::Error::from)?)
    }

    fn text(&self) -> Result<Vec<u8>, VaultError> {
        Ok(serde_json::to_vec_pretty(self).map_err(anyhow::Error::from)?)
    }
}

impl Wrapping {
    /// For a new wrapping: how, and the key.
    fn choose(root: &Path, id: &str, secret: Secret) -> Result<(Self, Secret256), VaultError> {
        match secret {
            Secret::Keychain => {
                let key = random()?;
                keychain::store(id, &key)?;
                Ok((Wrapping::Keychain, key))
            }
            Secret::KeyFile => Ok((Wrapping::KeyFile, key_file::make(root)?)),
            Secret::Passphrase("") => {
                Err(anyhow::anyhow!("an empty passphrase protects nothing. Nothing was changed: choose one").into())
            }
            Secret::Passphrase(_) => {
                let salt = hex::encode(random::<16>()?.as_slice());
                let wrapping = Wrapping::Passphrase { salt, memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES };
                let key = wrapping.key(root, id, secret)?;
                Ok((wrapping, key))
            }
            Secret::Auto => match Wrapping::choose(root, id, Secret::Keychain) {
                Err(VaultError::KeychainUnavailable { .. }) => Wrapping::choose(root, id, Secret::KeyFile),
                settled => settled,
            },
        }
    }

    /// For an existing wrapping: the key, if `secret` is of its kind.
    fn key(&self, root: &Path, id: &str, secret: Secret) -> Result<Secret256, VaultError> {
        match (self, secret) {
            (Wrapping::Keychain, Secret::Auto | Secret::Keychain) => keychain::load(id),
            (Wrapping::KeyFile, Secret::Auto | Secret::KeyFile) => key_file::load(root),
            (Wrapping::Passphrase { salt, memory_kib, passes, lanes }, Secret::Passphrase(words)) => {
                stretch(words, salt, *memory_kib, *passes, *lanes)
            }
            (Wrapping::Passphrase { .. }, _) => Err(VaultError::Locked),
            (Wrapping::Keychain | Wrapping::KeyFile, _) => Err(anyhow::anyhow!(
                "this Home is protected in another way. Nothing was changed: open it without choosing one"
            )
            .into()),
        }
    }
}

/// Argon2id (RFC 9106). Costs out of reason mean that somebody altered the file.
fn stretch(words: &str, salt: &str, memory_kib: u32, passes: u32, lanes: u32) -> Result<Secret256, VaultError> {
    let damaged = || VaultError::damaged(NAME);
    let reasonable =
        (MEMORY_KIB..=1024 * 1024).contains(&memory_kib) && (1..=16).contains(&passes) && (1..=16).contains(&lanes);
    let params = Params::new(memory_kib, passes, lanes, Some(32)).ok().filter(|_| reasonable).ok_or_else(damaged)?;
    let salt = hex::decode(salt).ok_or_else(damaged)?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let mut key = Zeroizing::new([0; 32]);
    let stretched = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        words.as_bytes(),
        &salt,
        key.as_mut_slice(),
        &mut blocks,
    );
    // The memory holds what the key was made of; the black box keeps the compiler from leaving this out.
    blocks.fill(Block::default());
    std::hint::black_box(&blocks);
    stretched.map(|()| key).map_err(|_| damaged())
}

fn path(root: &Path) -> PathBuf {
    root.join(NAME)
}

fn missing(root: &Path) -> VaultError {
    match durable::holds_sealed_files(root) {
        Ok(false) => VaultError::NoHome { root: root.to_path_buf() },
        Ok(true) => VaultError::KeyMissing { path: path(root) },
        Err(error) => error,
    }
}
