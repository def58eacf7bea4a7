//! The key file: a wrapping key in the Home's root, for computers without a keychain. It keeps the data
//! safe only from those who get the database folder without it.

use crate::key::{Secret256, random, secret256};
use crate::{VaultError, durable, hex};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// In the root, beside `home.key` and outside every database folder.
pub(crate) const NAME: &str = "key";

/// 64 hexadecimal digits and a line feed; a person may have added another.
const LONGEST: u64 = 80;

/// The key in the file; makes the file first if there is none. Never replaces one.
pub(crate) fn make(root: &Path) -> Result<Secret256, VaultError> {
    let digits = Zeroizing::new(format!("{}\n", *Zeroizing::new(hex::encode(random::<32>()?.as_slice()))));
    durable::create(&path(root), digits.as_bytes())?;
    load(root)
}

/// `KeyMissing` if there is no file, `KeyFileExposed` if others may read it.
pub(crate) fn load(root: &Path) -> Result<Secret256, VaultError> {
    let path = path(root);
    let mut file = File::open(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => VaultError::KeyMissing { path: path.clone() },
        _ => VaultError::io(format!("reading {}", path.display()))(error),
    })?;
    refuse_exposed(&file, &path)?;
    let mut digits = Zeroizing::new(String::new());
    Read::take(&mut file, LONGEST)
        .read_to_string(&mut digits)
        .map_err(VaultError::io(format!("reading {}", path.display())))?;
    hex::decode(digits.trim())
        .map(Zeroizing::new)
        .and_then(|bytes| secret256(&bytes))
        .ok_or_else(|| VaultError::damaged(path.display().to_string()))
}

/// The file is gone after this: only once another protection is on disk.
pub(crate) fn remove(root: &Path) -> Result<(), VaultError> {
    match fs::remove_file(path(root)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(VaultError::io("removing the key file")(error)),
        _ => Ok(()),
    }
}

fn path(root: &Path) -> PathBuf {
    root.join(NAME)
}

#[cfg(unix)]
fn refuse_exposed(file: &File, path: &Path) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt;
    let reading = VaultError::io(format!("reading {}", path.display()));
    let mode = file.metadata().map_err(reading)?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(VaultError::KeyFileExposed { path: path.to_path_buf() }),
    }
}

/// Elsewhere a file in the user's folder is the user's.
#[cfg(not(unix))]
fn refuse_exposed(_: &File, _: &Path) -> Result<(), VaultError> {
    Ok(())
}
