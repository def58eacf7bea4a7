//! Attached files: what documents say (PDF, Word, text and the like), so that a message is found by it too, and
//! the bytes of any, to be shown later.
//!
//! How a document is read is `documents.rs`'s; which files a message has attached, its importer's.

use crate::{ImportError, Limits, documents, export::Export};
use evoke_message::{Document, Message};
use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::{self, Read},
    path::{Component, Path},
};

/// Longest attached document that is read, in bytes.
const LARGEST: u64 = 32 << 20;
/// The words of a document that go with its message, in bytes: a thick book.
const LONGEST: usize = 1 << 20;

/// Reads the attached documents of one import, and keeps count of those whose words are not there.
#[derive(Default)]
pub(crate) struct Documents {
    /// Files of the export by their path; made when it is first needed.
    by_path: Option<HashMap<String, usize>>,
    cut: BTreeSet<String>,
    too_large: BTreeSet<String>,
    damaged: BTreeSet<String>,
}

impl Documents {
    /// Adds what the files say that a message names by their path. Returns how many bytes were read.
    pub(crate) fn add_to(&mut self, message: &mut Message, export: &Export) -> u64 {
        let mut read = 0;
        for (file, attachment) in message.attachments.iter().enumerate() {
            let Some(path) = attachment.path.as_deref().filter(|path| documents::may_be_document(path)) else {
                continue;
            };
            let Some(i) = self.find(path, export).filter(|&i| export.claimed_by(i).is_none()) else { continue };
            let size = export.size(i);
            if size > LARGEST {
                self.too_large.insert(path.to_owned());
                continue;
            }
            read += size;
            let mut bytes = Vec::new();
            let whole = export
                .open(i)
                .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes).map_err(|e| export.trouble(i, e)));
            if whole.is_err() {
                self.damaged.insert(path.to_owned());
                continue;
            }
            message.documents.extend(self.words(file, path, &bytes));
        }
        read
    }

    /// A file that lies in the message's own record, and that was too large to be held.
    pub(crate) fn too_large(&mut self, name: &str) {
        if documents::may_be_document(name) {
            self.too_large.insert(name.to_owned());
        }
    }

    /// What a file says that lies in the message's own record.
    pub(crate) fn inside(&mut self, file: usize, name: &str, bytes: &[u8]) -> Option<Document> {
        match bytes.len() as u64 <= LARGEST {
            _ if !documents::may_be_document(name) => None,
            true => self.words(file, name, bytes),
            false => {
                self.too_large.insert(name.to_owned());
                None
            }
        }
    }

    fn words(&mut self, file: usize, name: &str, bytes: &[u8]) -> Option<Document> {
        let limits = Limits { document: LARGEST, ..Limits::default() };
        match documents::words_of(name, bytes, &limits) {
            Ok(text) => {
                let mut text = text?;
                if text.len() > LONGEST {
                    text.truncate(text.floor_char_boundary(LONGEST));
                    self.cut.insert(name.to_owned());
                }
                Some(Document { file, text })
            }
            Err(_) => {
                self.damaged.insert(name.to_owned());
                None
            }
        }
    }

    fn find(&mut self, path: &str, export: &Export) -> Option<usize> {
        let all = || export.files().iter().enumerate().map(|(i, file)| (file.path.clone(), i)).collect();
        self.by_path.get_or_insert_with(all).get(path).copied()
    }

    /// What a person should know of documents that are found by their names only, or by their beginnings.
    pub(crate) fn notes(&self) -> Vec<String> {
        let lists = [
            (&self.damaged, "Attached documents that could not be read, and are found by their names only"),
            (&self.too_large, "Attached documents of more than 32 MiB, found by their names only"),
            (&self.cut, "Attached documents of which only the first MiB of text is searched"),
        ];
        let note = |(files, what): (&BTreeSet<String>, &str)| {
            let first = files.first()?;
            Some(match files.len() {
                1 => format!("{what}: {first:?}."),
                n => format!("{what}: {n}, the first is {first:?}."),
            })
        };
        lists.into_iter().filter_map(note).collect()
    }
}

/// The files of an export that messages name, to be read one by one after the import.
pub struct AttachedFiles {
    export: Export,
    by_path: HashMap<String, usize>,
}

impl AttachedFiles {
    /// # Errors
    /// The export is not there any more, or cannot be opened.
    pub fn open(export: &Path) -> Result<Self, ImportError> {
        let export = Export::open_path(export, &Limits::default())?;
        let by_path = export.files().iter().enumerate().map(|(i, file)| (file.path.clone(), i)).collect();
        Ok(Self { export, by_path })
    }

    /// The bytes of the file at `path`, as [`evoke_message::Attachment::path`] has it; none where it is not there.
    ///
    /// # Errors
    /// It cannot be read, or has more than `most` bytes.
    pub fn read(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, ImportError> {
        let Some(&i) = self.by_path.get(path) else { return Ok(None) };
        let file = self.export.open(i)?;
        within(file, most).map(Some).map_err(|e| self.export.trouble(i, e))
    }
}

/// One file that a message names, as [`AttachedFiles::read`]; quicker where the export is a folder.
///
/// # Errors
/// The export is not there any more, or the file cannot be read or has more than `most` bytes.
pub fn attached_file(export: &Path, path: &str, most: u64) -> Result<Option<Vec<u8>>, ImportError> {
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let direct = export.join(path);
    // A link may lead out of the export.
    let real = |path: &Path| path.canonicalize().ok();
    let is_here = real(&direct).zip(real(export)).is_some_and(|(file, root)| file == root.join(path) && file.is_file());
    if inside && is_here {
        let trouble = |source| ImportError::Io { name: path.to_owned(), source };
        return within(fs::File::open(&direct).map_err(trouble)?, most).map(Some).map_err(trouble);
    }
    AttachedFiles::open(export)?.read(path, most)
}

fn within(file: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {} MiB", most >> 20)));
    }
    Ok(bytes)
}
