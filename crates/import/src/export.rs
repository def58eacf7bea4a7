//! An export as a list of files, whether it is one file, a folder, a zip or zips in either.
//!
//! Nothing is unpacked to disk. What the files mean is left to the formats.

use crate::{
    ImportError, Limits,
    archive::{Archive, Packed, Refused, Window},
    text,
};
use evoke_message::Place;
use std::{
    cell::Cell,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};
use unicode_normalization::UnicodeNormalization;
use walkdir::WalkDir;

/// Bytes at the beginning of a file by which its format is recognised.
const HEAD: u64 = 64 << 10;

/// Folders whose content is never a person's writing; that they exist can matter.
const NOT_ENTERED: [&str; 6] = [".git", "node_modules", ".obsidian", ".trash", "__MACOSX", ".Trash"];

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Inside the export: NFC, `/` between folders. For a single file, its name.
    pub(crate) path: String,
    /// Bytes unpacked, as declared.
    pub(crate) size: u64,
    /// UTC milliseconds; none where it is not known.
    pub(crate) modified: Option<i64>,
}

impl Entry {
    /// Last part of the path.
    pub(crate) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Debug)]
enum Source {
    Disk(PathBuf),
    Packed { archive: usize, index: usize },
}

/// What a person chose to import. Not shared between threads.
#[derive(Debug)]
pub(crate) struct Export {
    name: String,
    single: bool,
    entries: Vec<Entry>,
    sources: Vec<Source>,
    archives: Vec<Archive>,
    not_entered: Vec<String>,
    limits: Limits,
    read: Cell<u64>,
}

impl Export {
    /// Lists the files at `path` without reading them.
    ///
    /// # Errors
    /// Nothing there, not readable, a zip that is damaged, encrypted or hostile.
    pub(crate) fn open_path(path: &Path, limits: &Limits) -> Result<Self, ImportError> {
        let about = fs::metadata(path).map_err(|e| trouble_at(path, e))?;
        let mut export = Self {
            name: shown_name(path),
            single: false,
            entries: Vec::new(),
            sources: Vec::new(),
            archives: Vec::new(),
            not_entered: Vec::new(),
            limits: limits.clone(),
            read: Cell::new(0),
        };
        if about.is_dir() {
            export.add_folder(path)?;
        } else if is_zip(path)? {
            let name = export.name.clone();
            export.add_zip(Window::of_file(path, about.len()), &name, "", true)?;
        } else {
            export.single = true;
            export.add(
                Entry { path: export.name.clone(), size: about.len(), modified: modified(&about) },
                Source::Disk(path.into()),
            );
        }
        Ok(export)
    }

    /// Name of the file or folder given, without the folders above it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sorted by path.
    pub(crate) fn files(&self) -> &[Entry] {
        &self.entries
    }

    /// Paths of folders that exist but were not entered: `.obsidian`, `notes/.git`.
    pub(crate) fn folders_not_entered(&self) -> &[String] {
        &self.not_entered
    }

    pub(crate) fn size(&self, i: usize) -> u64 {
        self.entries.get(i).map_or(0, |e| e.size)
    }

    /// Bytes read so far through [`Export::open`].
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// Record `at` (line or record number, from 1) of file `i`.
    pub(crate) fn place(&self, i: usize, at: u64) -> Place {
        let path = self.entries.get(i).map_or("", |e| e.path.as_str());
        let file = if self.single { path.to_owned() } else { format!("{}/{path}", self.name) };
        Place { file, at }
    }

    /// The first 64 KiB, without a byte order mark and with UTF-16 turned into UTF-8.
    pub(crate) fn head(&self, i: usize) -> Result<Vec<u8>, ImportError> {
        let mut head = Vec::new();
        let read = self.raw(i).and_then(text::utf8).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        match read.map_err(|e| self.trouble(i, e)) {
            // Damage further on does not keep the beginning from being recognised.
            Err(ImportError::Io { .. }) if !head.is_empty() => Ok(head),
            other => other.map(|_| head),
        }
    }

    /// Files that may be JSON (a single file whatever its name) and whose first 64 KiB fit.
    pub(crate) fn json_files(&self, fits: impl Fn(&[u8]) -> bool) -> Vec<usize> {
        let named = |e: &Entry| self.single || e.path.to_ascii_lowercase().ends_with(".json");
        let candidates = self.entries.iter().enumerate().filter(|(_, e)| named(e)).map(|(i, _)| i);
        candidates.filter(|&i| self.head(i).is_ok_and(|head| fits(&head))).collect()
    }

    /// Where file `i` lies on disk; none inside an archive.
    pub(crate) fn on_disk(&self, i: usize) -> Option<&Path> {
        match self.sources.get(i) {
            Some(Source::Disk(path)) => Some(path),
            _ => None,
        }
    }

    /// All bytes of file `i`, as they are. Reading counts as progress.
    pub(crate) fn open(&self, i: usize) -> Result<Box<dyn Read + '_>, ImportError> {
        let inner = self.raw(i).map_err(|e| self.trouble(i, e))?;
        Ok(Box::new(Counted { inner, read: &self.read }))
    }

    /// What an error while reading file `i` means.
    pub(crate) fn trouble(&self, i: usize, error: io::Error) -> ImportError {
        match error.downcast::<Refused>() {
            Ok(Refused(reason)) => ImportError::Hostile(reason),
            Err(source) => ImportError::Io { name: self.place(i, 0).file, source },
        }
    }

    fn raw(&self, i: usize) -> io::Result<Box<dyn Read + '_>> {
        match self.sources.get(i) {
            Some(Source::Disk(path)) => Ok(Box::new(File::open(path)?)),
            Some(Source::Packed { archive, index }) => match self.archives.get(*archive) {
                Some(archive) => Ok(Box::new(archive.read(*index, &self.limits)?)),
                None => Err(io::ErrorKind::NotFound.into()),
            },
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn add(&mut self, entry: Entry, source: Source) {
        self.entries.push(entry);
        self.sources.push(source);
    }

    /// Every file below `root`; links are not followed. A folder of nothing but zips is those zips.
    fn add_folder(&mut self, root: &Path) -> Result<(), ImportError> {
        let mut walk = WalkDir::new(root).sort_by_file_name().into_iter();
        while let Some(found) = walk.next() {
            let found = found.map_err(|e| trouble_at(root, e.into()))?;
            let path = inner_path(root, found.path());
            if found.file_type().is_dir() {
                if NOT_ENTERED.iter().any(|n| found.file_name() == *n) {
                    self.not_entered.push(path);
                    walk.skip_current_dir();
                }
            } else if found.file_type().is_file() && !is_junk(&path) {
                let about = found.metadata().map_err(|e| trouble_at(found.path(), e.into()))?;
                self.add(
                    Entry { path, size: about.len(), modified: modified(&about) },
                    Source::Disk(found.into_path()),
                );
            }
            if self.entries.len() > self.limits.entries {
                return Err(ImportError::Hostile(format!("{:?} holds more files than any real export", self.name)));
            }
        }
        self.open_folder_of_zips()
    }

    fn open_folder_of_zips(&mut self) -> Result<(), ImportError> {
        if self.entries.is_empty() || !self.entries.iter().all(|e| has_zip_name(&e.path)) {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        for (entry, source) in entries.into_iter().zip(std::mem::take(&mut self.sources)) {
            if let Source::Disk(path) = source {
                self.add_zip(Window::of_file(&path, entry.size), &entry.path, &format!("{}/", entry.path), false)?;
            }
        }
        Ok(())
    }

    /// Adds the files of a zip, their paths after `prefix`. One that holds only zips is opened once more.
    fn add_zip(&mut self, window: Window, name: &str, prefix: &str, may_nest: bool) -> Result<(), ImportError> {
        let archive = Archive::open(window, name, &self.limits)?;
        let mut packed = archive.list(name)?;
        packed.retain(|p| !self.leave_out(&p.path));
        packed.sort_by(|a, b| a.path.cmp(&b.path));
        if may_nest && !packed.is_empty() && packed.iter().all(|p| has_zip_name(&p.path)) {
            for inner in &packed {
                let window = archive.inner(inner, &self.limits)?;
                self.add_zip(window, &inner.path, &format!("{}/", inner.path), false)?;
            }
            return Ok(());
        }
        let at = self.archives.len();
        self.archives.push(archive);
        for Packed { index, path, size, modified } in packed {
            self.add(Entry { path: format!("{prefix}{path}"), size, modified }, Source::Packed { archive: at, index });
        }
        Ok(())
    }

    /// True for what is not entered or junk; remembers the folder.
    fn leave_out(&mut self, path: &str) -> bool {
        let mut end = 0;
        for part in path.split_inclusive('/') {
            end += part.len();
            if part.strip_suffix('/').is_some_and(|folder| NOT_ENTERED.contains(&folder)) {
                let folder = path.get(..end - 1).unwrap_or_default().to_owned();
                if !self.not_entered.contains(&folder) {
                    self.not_entered.push(folder);
                }
                return true;
            }
        }
        is_junk(path)
    }
}

/// Adds what is read to the export's count.
struct Counted<'a, R> {
    inner: R,
    read: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

/// Form in which names are compared: macOS writes decomposed letters, others composed ones.
pub(crate) fn nfc(name: &str) -> String {
    name.nfc().collect()
}

fn is_junk(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("._") || matches!(name, ".DS_Store" | "Thumbs.db" | "desktop.ini" | ".localized")
}

/// Also of apps that call a zip something else.
fn has_zip_name(path: &str) -> bool {
    let ending = path.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, ending)| ending);
    ["zip", "textpack", "bear2bk"].iter().any(|zip| ending.eq_ignore_ascii_case(zip))
}

/// By content. Documents that are zips inside (docx, odt, epub) are files of their own.
fn is_zip(path: &Path) -> Result<bool, ImportError> {
    let document = ["docx", "xlsx", "pptx", "odt", "ods", "odp", "epub", "jar", "apk"];
    if path.extension().is_some_and(|e| document.iter().any(|d| e.eq_ignore_ascii_case(d))) {
        return Ok(false);
    }
    let mut first = Vec::new();
    let file = File::open(path).map_err(|e| trouble_at(path, e))?;
    file.take(4).read_to_end(&mut first).map_err(|e| trouble_at(path, e))?;
    Ok(first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06"))
}

fn inner_path(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inner.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    nfc(&parts.join("/"))
}

fn shown_name(path: &Path) -> String {
    let whole = path.canonicalize();
    let path = whole.as_deref().unwrap_or(path);
    nfc(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}

fn modified(about: &fs::Metadata) -> Option<i64> {
    let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

fn trouble_at(path: &Path, source: io::Error) -> ImportError {
    if source.kind() == io::ErrorKind::NotFound {
        return ImportError::NotFound { path: path.to_owned() };
    }
    ImportError::Io { name: shown_name(path), source }
}
