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
    match places.into_iter().flatten().find(|place| in_memory(place, &mounts)) {
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
    builder.create(&path).map_err(VaultError::io("making a temporary directory in memory"))?;
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
    format!("{}-{process}-{}", namespace(), started(process).unwrap_or_default())
}

/// A container that shares this memory numbers its processes differently.
fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
}

/// Clock ticks from boot to the start of the process: field 22 of proc(5)'s stat. The second field, in
/// parentheses, may hold spaces.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Removes directories whose process is gone. Other users' and other namespaces' are left alone.
fn wipe_dead(place: &Path) -> Result<(), VaultError> {
    let entries = fs::read_dir(place).map_err(VaultError::io("looking for temporary directories"))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let dead = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).is_some_and(is_dead);
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
    let process = owner.split('-').nth(1).and_then(|number| number.parse().ok());
    let here = owner.split('-').next() == Some(namespace().as_str());
    here && process.is_some_and(|process| owner_of(process) != owner)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_dead_are_wiped_and_the_living_are_not() {
        let place = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let ended = child.id();
        child.wait().unwrap();
        let (here, me) = (namespace(), std::process::id());
        let dead = [format!("evoke-{here}-{ended}-1-ab"), format!("evoke-{here}-{me}-1-ab")];
        let kept = ["evoke-0-1-1-ab", "evoke-", "evoke-notes", "other"].map(str::to_owned);
        let living = private_temp_in(place.path()).unwrap();
        for name in dead.iter().chain(&kept) {
            fs::create_dir(place.path().join(name)).unwrap();
            fs::write(place.path().join(name).join("spill"), b"plain").unwrap();
        }
        let second = private_temp_in(place.path()).unwrap();
        let left = |name: &&String| place.path().join(name).exists();
        assert_eq!(dead.iter().filter(left).count(), 0);
        assert_eq!(kept.iter().filter(left).count(), kept.len());
        assert!(living.exists() && second.exists() && living != second);
        assert_eq!(fs::metadata(&second).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn only_memory_counts_as_memory() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().canonicalize().unwrap();
        let check = |mounts: String, expected| {
            assert_eq!(in_memory(&path, &mounts), expected, "{mounts}");
        };
        let here = path.display();
        check(format!("tmpfs {here} tmpfs rw 0 0"), true);
        check("tmpfs / tmpfs rw 0 0".into(), true);
        check(format!("tmpfs / tmpfs rw 0 0\n/dev/sda {here} ext4 rw 0 0"), false);
        check(format!("/dev/sda / ext4 rw 0 0\ntmpfs {here}x tmpfs rw 0 0"), false);
        check(format!("tmpfs {here} tmpfs rw 0 0\n/dev/sda {here} ext4 rw 0 0"), false);
        check("".into(), false);
        assert!(!in_memory(Path::new("/nowhere/at/all"), "tmpfs / tmpfs rw 0 0"));
    }
}
