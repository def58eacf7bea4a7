//! An export as a list of files, whether it is one file, a folder, an archive or archives in either.
//!
//! Nothing is unpacked to disk. What the files mean is left to the formats; which archives in a folder or in
//! another archive are opened is decided in `export/nested.rs`.

mod nested;

use crate::{
    Format, ImportError, Limits,
    archive::{Archive, Packed, Refused, Window},
    text,
};
use evoke_message::Place;
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};
use unicode_normalization::UnicodeNormalization;
use walkdir::WalkDir;

/// Bytes at the beginning of a file by which its format is recognised.
const HEAD: u64 = 64 << 10;

/// Heads that are kept, in bytes: every format looks at many of them.
const HEADS: usize = 32 << 20;

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
    heads: RefCell<Heads>,
    claimed: RefCell<HashMap<usize, &'static Format>>,
    opened: RefCell<HashSet<usize>>,
    troubles: Vec<(String, ImportError)>,
    notes: Vec<String>,
}

#[derive(Debug, Default)]
struct Heads {
    kept: HashMap<usize, Vec<u8>>,
    bytes: usize,
}

impl Export {
    fn new(name: String, limits: &Limits) -> Self {
        Self {
            name,
            single: false,
            entries: Vec::new(),
            sources: Vec::new(),
            archives: Vec::new(),
            not_entered: Vec::new(),
            limits: limits.clone(),
            read: Cell::new(0),
            heads: RefCell::default(),
            claimed: RefCell::default(),
            opened: RefCell::default(),
            troubles: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Lists the files at `path` without reading them (a tar in a gzip stream is read once, for its list).
    ///
    /// # Errors
    /// Nothing there, not readable, an archive that is damaged, encrypted or hostile.
    pub(crate) fn open_path(path: &Path, limits: &Limits) -> Result<Self, ImportError> {
        let about = fs::metadata(path).map_err(|e| trouble_at(path, e))?;
        let mut export = Self::new(shown_name(path), limits);
        if about.is_dir() {
            export.add_folder(path)?;
        } else {
            File::open(path).map_err(|e| trouble_at(path, e))?;
            let window = Window::of_file(path, about.len());
            match Archive::open(&window, &export.name, None, limits)? {
                Some((archive, files)) => {
                    export.single = archive.is_one_file();
                    export.add_archive(archive, files, &export.name.clone(), "", 0);
                    export.note_other_parts(path);
                }
                None => {
                    export.single = true;
                    let entry = Entry { path: export.name.clone(), size: about.len(), modified: modified(&about) };
                    export.add(entry, Source::Disk(path.into()));
                }
            }
        }
        export.opened()
    }

    /// An archive with nothing in it but what could not be opened is an error.
    fn opened(mut self) -> Result<Self, ImportError> {
        if self.entries.is_empty() && !self.troubles.is_empty() {
            return Err(self.troubles.swap_remove(0).1);
        }
        Ok(self)
    }

    /// Name of the file or folder given, without the folders above it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sorted by path, each folder by itself.
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

    /// Archives in it that could not be opened, and parts that could not be listed: what, and why.
    pub(crate) fn troubles(&self) -> &[(String, ImportError)] {
        &self.troubles
    }

    /// What a person should know about it as a whole.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The format that has claimed file `i`: of those that are tried before the one that asks.
    pub(crate) fn claimed_by(&self, i: usize) -> Option<&'static Format> {
        self.claimed.borrow().get(&i).copied()
    }

    /// The files that no format has claimed yet, for one that is asked which are its own: of an export with 100,000
    /// files nobody needs to look at those of others.
    pub(crate) fn unclaimed(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter(|(i, _)| self.claimed_by(*i).is_none())
    }

    /// False where another format has it.
    pub(crate) fn claim(&self, i: usize, format: &'static Format) -> bool {
        if i >= self.entries.len() || self.claimed_by(i).is_some() {
            return false;
        }
        self.claimed.borrow_mut().insert(i, format);
        true
    }

    /// True where some format has read more of file `i` than its head, whether or not it claimed it.
    pub(crate) fn was_opened(&self, i: usize) -> bool {
        self.opened.borrow().contains(&i)
    }

    /// Bytes read so far through [`Export::open`].
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    /// Record `at` (line or record number, from 1) of file `i`.
    pub(crate) fn place(&self, i: usize, at: u64) -> Place {
        let path = self.entries.get(i).map_or("", |e| e.path.as_str());
        Place { at, ..self.place_of(path) }
    }

    /// A file, folder or archive in the export, as a whole.
    pub(crate) fn place_of(&self, path: &str) -> Place {
        let file = match (self.single, path) {
            (true, _) => path.to_owned(),
            (_, "") => self.name.clone(),
            _ => format!("{}/{path}", self.name),
        };
        Place { file, at: 0 }
    }

    /// The first 64 KiB, without a byte order mark and with UTF-16 turned into UTF-8.
    pub(crate) fn head(&self, i: usize) -> Result<Vec<u8>, ImportError> {
        if let Some(head) = self.heads.borrow().kept.get(&i) {
            return Ok(head.clone());
        }
        let mut head = Vec::new();
        let read = self.raw(i).and_then(text::utf8).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        match read.map_err(|e| self.trouble(i, e)) {
            // Damage further on does not keep the beginning from being recognised.
            Err(ImportError::Io { .. }) if !head.is_empty() => {}
            other => drop(other?),
        }
        let mut heads = self.heads.borrow_mut();
        if heads.bytes + head.len() <= HEADS {
            heads.bytes += head.len();
            heads.kept.insert(i, head.clone());
        }
        Ok(head)
    }

    /// Files that no format has claimed, that may be JSON (a single file whatever its name) and whose first 64 KiB fit.
    pub(crate) fn json_files(&self, fits: impl Fn(&[u8]) -> bool) -> Vec<usize> {
        let named = |e: &Entry| self.single || e.path.to_ascii_lowercase().ends_with(".json");
        let candidates = self.unclaimed().filter(|(_, e)| named(e)).map(|(i, _)| i);
        candidates.filter(|&i| self.head(i).is_ok_and(|head| fits(&head))).collect()
    }

    /// Where file `i` lies on disk; none inside an archive.
    pub(crate) fn on_disk(&self, i: usize) -> Option<&Path> {
        match self.sources.get(i) {
            Some(Source::Disk(path)) => Some(path),
            _ => None,
        }
    }

    /// File `i` as something to seek in, wherever it lies. Reading it counts as progress only when it is done.
    pub(crate) fn window(&self, i: usize) -> Result<Window, ImportError> {
        let size = self.size(i);
        self.opened.borrow_mut().insert(i);
        self.read.set(self.read.get() + size);
        match self.sources.get(i) {
            Some(Source::Disk(path)) => Ok(Window::of_file(path, size)),
            Some(Source::Packed { archive, index }) => {
                let archive =
                    self.archives.get(*archive).ok_or_else(|| self.trouble(i, io::ErrorKind::NotFound.into()))?;
                let path = self.place(i, 0).file;
                archive.window(&Packed { index: *index, path, size, modified: None }, &self.limits)
            }
            None => Err(self.trouble(i, io::ErrorKind::NotFound.into())),
        }
    }

    /// All bytes of file `i`, as they are. Reading counts as progress.
    pub(crate) fn open(&self, i: usize) -> Result<Box<dyn Read + '_>, ImportError> {
        let inner = self.raw(i).map_err(|e| self.trouble(i, e))?;
        self.opened.borrow_mut().insert(i);
        Ok(Box::new(Counted { inner, read: &self.read }))
    }

    /// Counts bytes as read that were not read through [`Export::open`]: pages of a database in place.
    pub(crate) fn has_read(&self, bytes: u64) {
        self.read.set(self.read.get() + bytes);
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

    /// Every file below `root`; links are not followed.
    fn add_folder(&mut self, root: &Path) -> Result<(), ImportError> {
        let mut walk = WalkDir::new(root).sort_by_file_name().into_iter();
        let mut links = 0;
        while let Some(found) = walk.next() {
            let found = match found {
                Ok(found) => found,
                Err(e) if e.depth() > 0 => {
                    let path = inner_path(root, e.path().unwrap_or(root));
                    self.troubles.push((path, trouble_at(root, e.into())));
                    continue;
                }
                Err(e) => return Err(trouble_at(root, e.into())),
            };
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
            } else {
                links += usize::from(found.file_type().is_symlink());
            }
            if self.entries.len() > self.limits.entries {
                return Err(ImportError::Hostile(format!("{:?} holds more files than any real export", self.name)));
            }
        }
        if links > 0 {
            self.notes.push(format!("Links to other places were not followed: {links}."));
        }
        self.open_archives_in_folder();
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
