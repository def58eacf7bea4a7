//! Archives in a folder or in another archive: which are opened, and under which path their files lie.
//!
//! Opened are: all, where there is nothing else; the parts of one export (`takeout-…-001.zip`); single files
//! in gzip; what apps for notes write; and those in a folder that hold an export. Any other zip, attached to a message or kept
//! beside notes, is a file like any other.

use super::{Entry, Export, Source};
use crate::archive::{Archive, Packed, Window};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

/// What the name of a file says it may be; its content decides.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Named {
    Archive,
    /// A zip or tar with an ending of its own, that nothing but notes lie in.
    Notes,
    /// One file in gzip.
    Gzip,
}

fn named(path: &str) -> Option<Named> {
    let lower = path.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.len() > end.len() && lower.ends_with(end));
    if ends(&[".zip", ".tar", ".tgz", ".tar.gz"]) {
        Some(Named::Archive)
    } else if ends(&[".textpack", ".bear2bk", ".jex"]) {
        Some(Named::Notes)
    } else {
        ends(&[".gz"]).then_some(Named::Gzip)
    }
}

/// The name that all parts of an export in many archives share; none for a name that is no part.
/// `takeout-20240101T000000Z-3-001.zip`, `Export-0a1b…-Part-1.zip`, `facebook-ana-01_02_2024-x7Qb.zip`.
fn part_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let stem = name.rsplit_once('.')?.0;
    let stem = stem.strip_suffix(".tar").unwrap_or(stem);
    let stem = stem.strip_suffix(')').and_then(|s| s.rsplit_once(" (")).map_or(stem, |(stem, _)| stem);
    let (set, number) = stem.rsplit_once('-')?;
    let lower = set.to_ascii_lowercase();
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let numbered = is_number && (lower.starts_with("takeout-") || lower.ends_with("-part"));
    let meta = ["facebook-", "instagram-", "meta-", "messenger-"].iter().any(|app| lower.starts_with(app));
    (numbered || meta && lower.matches('-').count() >= 2).then_some(set)
}

impl Export {
    pub(super) fn open_archives_in_folder(&mut self) {
        let (all, names) = self.archive_names();
        let mut opened = false;
        let entries = std::mem::take(&mut self.entries);
        let sources = std::mem::take(&mut self.sources);
        for (entry, source) in entries.into_iter().zip(sources) {
            let wanted = match (named(&entry.path), &source) {
                (None, _) | (_, Source::Packed { .. }) => None,
                (Some(Named::Gzip | Named::Notes), Source::Disk(path)) => Some(path),
                (Some(Named::Archive), Source::Disk(path)) => {
                    let wanted = all || part_of(&entry.path).is_some() || self.is_export(path, &entry);
                    wanted.then_some(path)
                }
            };
            let window = wanted.map(|path| Window::of_file(path, entry.size));
            if window.is_none_or(|window| !self.add_nested(&window, None, &entry.path, &names, "", 1)) {
                self.add(entry, source);
            } else {
                opened = true;
            }
        }
        self.sort_if(opened);
    }

    /// Whether every file is called an archive, and how many parts each set has.
    fn archive_names(&self) -> (bool, Sets) {
        let paths: Vec<&str> = self.entries.iter().map(|e| e.path.as_str()).collect();
        (all_archives(&paths), Sets::of(&paths))
    }

    /// A zip in a folder that some format but those of single files knows.
    fn is_export(&self, path: &Path, entry: &Entry) -> bool {
        let mut alone = Export::new(entry.path.clone(), &self.limits);
        match Archive::open(&Window::of_file(path, entry.size), &entry.path, None, &self.limits) {
            Ok(Some((archive, files))) => {
                alone.add_archive(archive, files, &entry.path, "", 1);
                crate::is_known_export(&alone)
            }
            // Why it cannot be opened is said when it is opened.
            Err(_) => true,
            Ok(None) => false,
        }
    }

    /// Adds the files of an archive, their paths after `prefix`, and of archives in it that are to be opened.
    pub(super) fn add_archive(
        &mut self,
        archive: Archive,
        mut files: Vec<Packed>,
        name: &str,
        prefix: &str,
        depth: usize,
    ) {
        if let Some(reason) = archive.trouble() {
            let reason = format!("the rest of the archive could not be read: {reason}");
            let error = crate::ImportError::Damaged { name: name.to_owned(), reason };
            self.troubles.push((prefix.trim_end_matches('/').to_owned(), error));
        }
        files.retain(|p| !self.leave_out(&p.path));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let paths: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
        let (all, names) = (all_archives(&paths), Sets::of(&paths));
        let mut plain = Vec::new();
        let mut opened = false;
        let mut inner = Vec::new();
        for file in files {
            let wanted = depth < self.limits.depth
                && match named(&file.path) {
                    Some(Named::Archive) => all || !file.path.contains('/') && part_of(&file.path).is_some(),
                    Some(Named::Gzip) => !archive.is_one_file(),
                    Some(Named::Notes) => true,
                    None => false,
                };
            if wanted { inner.push(file) } else { plain.push(file) }
        }
        for file in inner {
            match archive.window(&file, &self.limits) {
                Ok(window) if self.add_nested(&window, Some(&archive), &file.path, &names, prefix, depth + 1) => {
                    opened = true;
                }
                Ok(_) => plain.push(file),
                Err(error) => self.troubles.push((format!("{prefix}{}", file.path), error)),
            }
        }
        let at = self.archives.len();
        for Packed { index, path, size, modified } in plain {
            self.add(Entry { path: format!("{prefix}{path}"), size, modified }, Source::Packed { archive: at, index });
        }
        self.archives.push(archive);
        self.sort_if(opened);
    }

    /// False where it is no archive after all. What cannot be opened is remembered as a trouble.
    fn add_nested(
        &mut self,
        window: &Window,
        within: Option<&Archive>,
        path: &str,
        sets: &Sets,
        prefix: &str,
        depth: usize,
    ) -> bool {
        match Archive::open(window, path, within, &self.limits) {
            Ok(None) => return false,
            Ok(Some((archive, mut files))) if archive.is_one_file() => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                for file in files.iter_mut().filter(|_| !folder.is_empty()) {
                    file.path = format!("{folder}/{}", file.path);
                }
                self.add_archive(archive, files, path, prefix, depth);
            }
            Ok(Some((archive, mut files))) => {
                let own = format!("{prefix}{path}/");
                if sets.merges(path) {
                    let there: HashSet<&str> = self.entries.iter().map(|e| e.path.as_str()).collect();
                    let taken = |file: &Packed| there.contains(format!("{prefix}{}", file.path).as_str());
                    for file in &mut files {
                        if taken(file) {
                            file.path = format!("{path}/{}", file.path);
                        }
                    }
                    self.add_archive(archive, files, path, prefix, depth);
                } else {
                    self.add_archive(archive, files, path, &own, depth);
                }
            }
            Err(error) => self.troubles.push((format!("{prefix}{path}"), error)),
        }
        true
    }

    fn sort_if(&mut self, opened: bool) {
        if opened {
            let mut both: Vec<_> =
                std::mem::take(&mut self.entries).into_iter().zip(std::mem::take(&mut self.sources)).collect();
            both.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
            (self.entries, self.sources) = both.into_iter().unzip();
        }
    }

    /// One part of many was chosen, and others lie beside it.
    pub(super) fn note_other_parts(&mut self, path: &Path) {
        let Some(set) = part_of(&self.name) else { return };
        let beside = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        let names = beside.into_iter().flatten().flatten().map(|e| super::nfc(&e.file_name().to_string_lossy()));
        let others: Vec<String> = names.filter(|n| *n != self.name && part_of(n) == Some(set)).take(1000).collect();
        if let Some(first) = others.iter().min() {
            self.notes.push(format!(
                "This is one part of an export. Other parts lie beside it and were not read: {} ({first}). Choose the folder to read all.",
                others.len()
            ));
        }
    }
}

fn all_archives(paths: &[&str]) -> bool {
    !paths.is_empty() && paths.iter().all(|path| named(path).is_some())
}

/// Which archives belong together.
struct Sets {
    parts: HashMap<String, usize>,
    sole: bool,
}

impl Sets {
    fn of(paths: &[&str]) -> Self {
        let mut parts: HashMap<String, usize> = HashMap::new();
        for set in paths.iter().filter(|p| named(p) == Some(Named::Archive)).filter_map(|path| part_of(path)) {
            *parts.entry(set.to_owned()).or_default() += 1;
        }
        Self { parts, sole: paths.len() == 1 }
    }

    /// True where its files lie as if there was no archive around them: it is all there is, or one of many parts.
    fn merges(&self, path: &str) -> bool {
        self.sole || part_of(path).and_then(|set| self.parts.get(set)).is_some_and(|n| *n > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_export() {
        for (path, set) in [
            ("takeout-20240101T000000Z-001.zip", Some("takeout-20240101T000000Z")),
            ("takeout-20240101T000000Z-3-002.tgz", Some("takeout-20240101T000000Z-3")),
            ("takeout-20240101T000000Z-002.tar.gz", Some("takeout-20240101T000000Z")),
            ("Export-0a1b2c3d-Part-1.zip", Some("Export-0a1b2c3d-Part")),
            ("facebook-ana-01_02_2024-x7Qb.zip", Some("facebook-ana-01_02_2024")),
            ("instagram-ana-2024-01-02-AbCd (1).zip", Some("instagram-ana-2024-01-02")),
            ("My notes-2.zip", None),
            ("chat.zip", None),
            ("x", None),
        ] {
            assert_eq!(part_of(path), set, "{path}");
        }
    }
}
