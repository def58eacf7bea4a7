//! An export on disk becomes messages: recognise the format by content, stream every record.
//!
//! One file per format, one row per format in [`FORMATS`]. A broken record is an [`Item`], an
//! unknown file is an [`ImportError`]; nothing is dropped without one of the two. Remembering what
//! was read (ids seen before, indexes, receipts) is left to `evoke-memory`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod agent;
mod ai;
mod ai_chats;
mod ai_json;
mod ai_studio;
mod apple_journal;
mod apple_notes;
mod archive;
mod attached;
mod bear;
mod bookmarks;
mod browser;
mod chatgpt;
mod claude;
mod claude_code;
mod clock;
mod codex;
mod conversations;
mod cursor;
mod date;
mod dayone;
mod deepseek;
mod discord;
mod documents;
mod error;
mod evernote;
mod export;
mod gemini;
mod gemini_cli;
mod github_copilot;
mod google_chat;
mod google_voice;
mod grok;
mod hangouts;
mod html;
mod imessage;
mod irc;
mod joplin;
mod json;
mod jsonl;
mod keep;
mod limits;
mod linkedin;
mod lists;
mod lm_studio;
mod look;
mod mail;
mod markdown;
mod matrix;
mod media;
mod meta;
mod microsoft_copilot;
mod mime;
mod mistral;
mod note;
mod notion;
mod open_webui;
mod org;
mod out;
mod page_parts;
mod perplexity;
mod record;
mod records;
mod reddit;
mod roam;
mod signal;
mod skype;
mod slack;
mod sms;
mod sqlite;
mod table;
mod talks;
mod teams;
mod telegram;
mod text;
mod threads;
mod time;
mod transcript;
mod tree;
mod twitter;
mod values;
mod whatsapp;
mod xml;

use evoke_message::{Broken, Contact, Conversation, Kind, Message, Place};
use jiff::tz::TimeZone;
use std::{borrow::Cow, ops::ControlFlow, path::Path};

pub use attached::{AttachedFiles, attached_file};
pub use documents::document_text;
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
    /// Of dates that nothing in an export tells how to read: the day stands before the month. Where nobody says, what
    /// is usual in the zone.
    pub day_first: Option<bool>,
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
    /// Nothing in the export tells whether the day stands before the month; how its dates were read.
    DateOrder {
        day_first: bool,
    },
}

/// `Break` from the sink ends reading early, on purpose.
pub type Flow = ControlFlow<()>;

/// One kind of export that can be read. The list of them is [`FORMATS`].
#[derive(Debug)]
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
    imessage::FORMAT,
    gemini::FORMAT,
    slack::FORMAT,
    meta::FACEBOOK,
    meta::INSTAGRAM,
    claude_code::FORMAT,
    codex::FORMAT,
    gemini_cli::FORMAT,
    deepseek::FORMAT,
    grok::FORMAT,
    perplexity::FORMAT,
    mistral::FORMAT,
    open_webui::FORMAT,
    lm_studio::FORMAT,
    github_copilot::FORMAT,
    ai_studio::FORMAT,
    microsoft_copilot::FORMAT,
    cursor::FORMAT,
    chatgpt::FORMAT,
    claude::FORMAT,
    irc::FORMAT,
    signal::FORMAT,
    whatsapp::FORMAT,
    telegram::FORMAT,
    discord::FORMAT,
    google_chat::FORMAT,
    hangouts::FORMAT,
    google_voice::FORMAT,
    teams::FORMAT,
    skype::FORMAT,
    matrix::FORMAT,
    sms::FORMAT,
    ai_json::FORMAT,
    evernote::FORMAT,
    joplin::FORMAT,
    bear::FORMAT,
    notion::FORMAT,
    dayone::FORMAT,
    keep::FORMAT,
    roam::FORMAT,
    apple_journal::FORMAT,
    twitter::FORMAT,
    linkedin::FORMAT,
    reddit::FORMAT,
    browser::FORMAT,
    bookmarks::FORMAT,
    mail::FORMAT,
    markdown::FORMAT,
    org::FORMAT,
    documents::FORMAT,
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
    for note in export.notes() {
        out.note(note.clone());
    }
    for (path, error) in export.troubles() {
        let _ = out.failed(error.to_string(), export.place_of(path));
    }
    for Recognised { format, files } in &recognised {
        (format.read)(&export, files, options, &mut out)?;
        if out.stopped() {
            break;
        }
    }
    if let Some(note) = look::left_over(&export, out.attached()) {
        out.note(note);
    }
    out.finish()?;
    Ok(recognised.into_iter().map(|r| r.format).collect())
}

/// Every format that claims files of this export; no file twice.
fn recognise(export: &Export) -> Result<Vec<Recognised>, ImportError> {
    if export.files().iter().all(|f| f.size == 0) {
        return Err(ImportError::Empty { name: export.name().to_owned() });
    }
    let mut found = Vec::new();
    for format in FORMATS {
        let mut files = (format.detect)(export).unwrap_or_default();
        files.retain(|&i| export.claim(i, format));
        if !files.is_empty() {
            found.push(Recognised { format, files });
        }
    }
    if found.is_empty() {
        return Err(ImportError::UnknownFormat { seen: look::looks_like(export) });
    }
    Ok(found)
}

/// Formats whose files stand each for itself, in any folder: they say nothing about the files beside them.
pub(crate) const OF_SINGLE_FILES: [&str; 4] = ["markdown", "org", "mail", "documents"];

/// True where a format claims files of this archive that make it an export, not a pack of files.
fn is_known_export(export: &Export) -> bool {
    let known = FORMATS.iter().filter(|f| !OF_SINGLE_FILES.contains(&f.key));
    known.into_iter().any(|format| (format.detect)(export).is_some_and(|files| !files.is_empty()))
}
