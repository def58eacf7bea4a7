//! An export on disk becomes messages: recognise the format by content, stream every record.
//!
//! One file per format, one row per format in [`FORMATS`]. A broken record is an [`Item`], an
//! unknown file is an [`ImportError`]; nothing is dropped without one of the two. Remembering what
//! was read (ids seen before, indexes, receipts) is left to `evoke-memory`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod ai;
mod apple_journal;
mod apple_notes;
mod archive;
mod bear;
mod chatgpt;
mod claude;
mod dayone;
mod error;
mod evernote;
mod export;
mod html;
mod joplin;
mod json;
mod jsonl;
mod keep;
mod limits;
mod look;
mod markdown;
mod mime;
mod note;
mod notion;
mod org;
mod out;
mod record;
mod roam;
mod sqlite;
mod telegram;
mod text;
mod time;
mod tree;
mod whatsapp;
mod xml;

use evoke_message::{Broken, Contact, Conversation, Kind, Message, Place};
use jiff::tz::TimeZone;
use std::{borrow::Cow, ops::ControlFlow, path::Path};

pub use error::ImportError;
pub use limits::Limits;

use export::Export;
use out::Out;

/// What an import is told besides the path. The clock and the zone are passed in, never looked up.
#[derive(Clone, Debug)]
pub struct Options {
    /// For wall times that an export writes without a zone.
    pub zone: TimeZone,
    /// The present, UTC milliseconds: for records that have no time at all.
    pub now: i64,
    pub limits: Limits,
}

/// One thing read. Every record that exists in an export is a `Message`, `Skipped` or `Failed`.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Comes before the first of its messages; may come again when more of it is known.
    Conversation(Conversation),
    Message(Box<Message>),
    /// Who somebody is, from a list of members or contacts; not a record of its own.
    Contact(Contact),
    /// Read, and deliberately not kept. The reason is in plain words.
    Skipped {
        reason: Cow<'static, str>,
        place: Place,
    },
    /// Could not be read.
    Failed(Broken),
    /// For the receipt: something a person should know that is not about one record.
    Note(String),
}

/// `Break` from the sink ends reading early, on purpose.
pub type Flow = ControlFlow<()>;

/// One kind of export that can be read. The list of them is [`FORMATS`].
pub struct Format {
    /// Stable: stored in every message as its source.
    pub key: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    /// For a person: where in the other app the export is found.
    pub how_to_export: &'static str,
    /// Indices of the files it claims, in reading order, decided by content; none where it is not this format.
    pub(crate) detect: fn(&Export) -> Option<Vec<usize>>,
    pub(crate) read: fn(&Export, &[usize], &Options, &mut Out) -> Result<(), ImportError>,
}

/// In order of trial (formats.md §34): the first that claims a file has it.
pub static FORMATS: &[Format] = &[
    apple_notes::FORMAT,
    chatgpt::FORMAT,
    claude::FORMAT,
    whatsapp::FORMAT,
    telegram::FORMAT,
    evernote::FORMAT,
    joplin::FORMAT,
    bear::FORMAT,
    notion::FORMAT,
    dayone::FORMAT,
    keep::FORMAT,
    roam::FORMAT,
    apple_journal::FORMAT,
    markdown::FORMAT,
    org::FORMAT,
];

/// A format and the files of an export that it claims.
pub(crate) struct Recognised {
    pub(crate) format: &'static Format,
    pub(crate) files: Vec<usize>,
}

/// Recognises `path` (a file, a zip or a folder) and streams every record of it to `sink`.
/// `progress` is told bytes read and bytes to read.
///
/// # Errors
/// [`ImportError`] where nothing could be read, or reading could not go on. What the sink has
/// already got stays true.
pub fn read(
    path: &Path,
    options: &Options,
    sink: &mut dyn FnMut(Item) -> Flow,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<&'static Format>, ImportError> {
    let export = Export::open_path(path, &options.limits)?;
    let recognised = recognise(&export)?;
    let total = recognised.iter().flat_map(|r| &r.files).map(|&i| export.size(i)).sum();
    let mut out = Out::new(&export, total, sink, progress);
    for Recognised { format, files } in &recognised {
        (format.read)(&export, files, options, &mut out)?;
        if out.stopped() {
            break;
        }
    }
    out.finish()?;
    Ok(recognised.into_iter().map(|r| r.format).collect())
}

/// Every format that claims files of this export; no file twice.
fn recognise(export: &Export) -> Result<Vec<Recognised>, ImportError> {
    if export.files().iter().all(|f| f.size == 0) {
        return Err(ImportError::Empty { name: export.name().to_owned() });
    }
    let mut taken = vec![false; export.files().len()];
    let mut found = Vec::new();
    for format in FORMATS {
        let mut files = (format.detect)(export).unwrap_or_default();
        files.retain(|&i| taken.get_mut(i).is_some_and(|t| !std::mem::replace(t, true)));
        if !files.is_empty() {
            found.push(Recognised { format, files });
        }
    }
    if found.is_empty() {
        return Err(ImportError::UnknownFormat { seen: look::looks_like(export) });
    }
    Ok(found)
}
