//! A private temporary directory in memory, for the plain files that the database writes while it builds
//! an index. The caller points the process's temporary directory at it, first thing in `main`.

use crate::VaultError;
use crate::hex;
use crate::key::random;
use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};

const PREFIX: &str = "evoke-";

/// Makes a directory that only this user can open, in a file system that lives in memory (Linux), and
/// removes those of processes that have ended. `None` where there is no such file system: then nothing
/// may be built that writes plain files. Memory may be swapped to disk: an encrypted swap is left to the
/// system's owner. Remove the directory before the process ends.
pub fn private_temp() -> Result<Option<PathBuf>, VaultError> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places = [Some(PathBuf::from("/dev/shm")), runtime];
    match places
        .into_iter()
        .flatten()
        .find(|place| in_memory(place, &mounts))
    {
        Some(place) => private_temp_in(&place).map(Some),
        None => Ok(None),
    }
}

fn private_temp_in(place: &Path) -> Result<PathBuf, VaultError> {
    wipe_dead(place)?;
    let suffix = hex::encode(random::<8>()?.as_slice());
    let path = place.join(format!("{PREFIX}{}-{suffix}", owner_of(std::process::id())));
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    // Not recursive: fails rather than use what another user put there.
    builder
        .create(&path)
        .map_err(VaultError::io("making a temporary directory in memory"))?;
    Ok(path)
}

/// The mount that holds `place` is the longest one that is a prefix of it; later lines cover earlier ones.
fn in_memory(place: &Path, mounts: &str) -> bool {
    let Ok(place) = place.canonicalize() else {
        return false;
    };
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(point, _)| place.starts_with(point))
        .max_by_key(|(point, _)| Path::new(point).components().count())
        .is_some_and(|(_, kind)| kind == "tmpfs" || kind == "ramfs")
}

/// Names a living process for good: its namespace, its number, and when it started, since numbers come
/// round again.
fn owner_of(process: u32) -> String {
    format!(
        "{}-{process}-{}",
        namespace(),
        started(process).unwrap_or_default()
    )
}

/// A container that shares this memory numbers its processes differently.
fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy()
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

/// Clock ticks from boot to the start of the process: field 22 of proc(5)'s stat. The second field, in
/// parentheses, may hold spaces.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

/// Removes directories whose process is gone. Other users' and other namespaces' are left alone.
fn wipe_dead(place: &Path) -> Result<(), VaultError> {
    let entries =
        fs::read_dir(place).map_err(VaultError::io("looking for temporary directories"))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let dead = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .is_some_and(is_dead);
        if dead && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // Another user's directory cannot be removed, and need not be.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// `name` is `namespace-process-start-random`.
fn is_dead(name: &str) -> bool {
    let Some((owner, _)) = name.rsplit_once('-') else {
        return false;
    };
    let process = owner
        .split('-')
        .nth(1)
        .and_then(|number| number.parse().ok());
    let here = owner.split('-').next() == Some(namespace().as_str());
    here && process.is_some_and(|process| owner_of(process) != owner)
}
