//! Small files written so that after a power cut the old or the new one is there, whole, and readable
//! by their owner alone. Names of unfinished files end in `#` and digits, as the local object store's do.

use crate::VaultError;
use crate::form::MAGIC;
use crate::key::random;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Puts `bytes` at `path`, in place of whatever is there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let staged = stage(path, bytes)?;
    fs::rename(&staged, path).and_then(|()| sync_folder(path)).map_err(|source| {
        let _ = fs::remove_file(&staged);
        VaultError::Io { what: format!("writing {}", path.display()), source }
    })
}

/// Puts `bytes` at `path` unless a file is there already; says whether it did. Of several processes
/// exactly one does.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<bool, VaultError> {
    let staged = stage(path, bytes)?;
    let linked = fs::hard_link(&staged, path).and_then(|()| sync_folder(path));
    let _ = fs::remove_file(&staged);
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(VaultError::io(format!("writing {}", path.display()))(error)),
    }
}

/// Removes what killed writers left anywhere under `root`: unfinished sealed files, and unfinished ones
/// named in `ours`. Returns how many. Only while no other process writes: a living writer's file looks
/// the same.
pub(crate) fn sweep(root: &Path, ours: &[&str]) -> Result<usize, VaultError> {
    let mut removed = 0;
    for path in files_under(root)? {
        let Some(target) = staged_for(&path) else {
            continue;
        };
        let unfinished = || Ok::<bool, VaultError>(head(&path)?.is_some_and(|head| MAGIC.starts_with(&head)));
        if ours.contains(&target) || unfinished()? {
            fs::remove_file(&path).map_err(VaultError::io(format!("removing {}", path.display())))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether any file under `root` is sealed.
pub(crate) fn holds_sealed_files(root: &Path) -> Result<bool, VaultError> {
    for path in files_under(root)? {
        if head(&path)?.is_some_and(|head| head == MAGIC) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A new file beside `path` with `bytes` in it, on disk and not only in memory.
fn stage(path: &Path, bytes: &[u8]) -> Result<PathBuf, VaultError> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(format!("#{}", u32::from_le_bytes(*random()?)));
    let staged = PathBuf::from(staged);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&staged).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    match written {
        Ok(()) => Ok(staged),
        Err(error) => {
            let _ = fs::remove_file(&staged);
            Err(VaultError::io(format!("writing {}", path.display()))(error))
        }
    }
}

/// Makes a change of names in the file's folder last. Only Unix can.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// The name that an unfinished file was to get; `None` for a finished one.
fn staged_for(path: &Path) -> Option<&str> {
    let (target, number) = path.file_name()?.to_str()?.rsplit_once('#')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(target)
}

/// The first bytes of a file, as many as the magic has, fewer in a shorter file; none where it is gone, as an
/// unfinished file is once its writer is done.
fn head(path: &Path) -> Result<Option<Vec<u8>>, VaultError> {
    let mut head = Vec::new();
    match File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head)) {
        Ok(_) => Ok(Some(head)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(VaultError::io(format!("reading {}", path.display()))(error)),
    }
}

/// Plain files at any depth; links are not followed. A folder that does not exist holds none.
fn files_under(root: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(VaultError::io(format!("looking into {}", folder.display()))(error));
            }
        };
        for entry in entries {
            let looking = || VaultError::io(format!("looking into {}", folder.display()));
            let entry = entry.map_err(looking())?;
            match entry.file_type().map_err(looking())? {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_only_what_is_unfinished_and_ours() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(root.path().join(name), bytes).unwrap();
        let kept = [("done", b"EvkV".as_slice()), ("notes#1", b"somebody's"), ("c#", b""), ("c#1b", b"")];
        let swept = [("a#1", b"EvkVxx".as_slice()), ("b#22", b"Ev"), ("d#3", b""), ("key#4", b"00ff")];
        kept.iter().chain(&swept).for_each(|(name, bytes)| write(name, bytes));
        fs::create_dir(root.path().join("deep")).unwrap();
        write("deep/e#5", b"EvkV");
        assert_eq!(sweep(root.path(), &["key"]).unwrap(), swept.len() + 1);
        for (name, bytes) in kept {
            assert_eq!(fs::read(root.path().join(name)).unwrap(), bytes, "{name}");
        }
        assert_eq!(sweep(root.path(), &["key"]).unwrap(), 0);
    }

    #[test]
    fn create_keeps_what_is_there_and_replace_does_not() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        assert!(create(&path, b"first").unwrap());
        assert!(!create(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        replace(&path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing unfinished is left");
    }
}
