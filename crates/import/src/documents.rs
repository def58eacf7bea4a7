//! Documents that belong to no other format, the last to be tried: plain text, web pages, PDF, Word, sheets,
//! slides, OpenDocument, Rich Text, EPUB, tables and notebooks (formats.md §24).
//!
//! A document is a conversation as a note is one: its messages are its pieces. Its key is what it says, so that
//! it is the same under any name and in any folder; one that was changed is another. What looks like data of a
//! program, or like an app's export that nothing has recognised, is refused: imported as words it would be wrong.

mod blocks;
mod book;
mod letters;
mod notebook;
mod office;
mod open;
mod pack;
mod page;
mod pdf;
mod pieces;
mod rtf;
mod shown;
mod sort;
mod table;
mod text;
mod word;

use crate::{
    Format, ImportError, Limits, OF_SINGLE_FILES, Options,
    archive::Window,
    export::{Entry, Export},
    note::day::{self, Named, When},
    out::Out,
    record::{ContentIds, Thread},
};
use evoke_message::{Conversation, ConversationKind, Kind, Message, Sender, stable_hash};
use jiff::Timestamp;
use pack::Pack;
use sort::Sort;
use std::{borrow::Cow, collections::HashSet, io::Read};

const SOURCE: &str = "documents";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Documents",
    kind: Kind::Note,
    how_to_export: "Nothing to export: choose a file or a folder of texts, PDF or Word documents, saved web pages, books (EPUB), \
                    sheets or slides. Scans without a text layer cannot be read.",
    detect,
    read,
};

/// A document, taken apart.
#[derive(Debug)]
struct Document {
    title: Option<String>,
    author: Option<String>,
    /// As the document writes them.
    created: Option<String>,
    updated: Option<String>,
    /// Where a web page was.
    address: Option<String>,
    /// Markdown.
    text: String,
    /// Characters that could not be read.
    lost: u64,
    /// False where a part of it could not be read.
    whole: bool,
}

impl Default for Document {
    fn default() -> Self {
        let (title, author, created, updated, address) = (None, None, None, None, None);
        Self { title, author, created, updated, address, text: String::new(), lost: 0, whole: true }
    }
}

/// Why there is no document, in plain words.
#[derive(Debug)]
enum Left {
    Skipped(Cow<'static, str>),
    Failed(String),
}

type Taken = Result<Document, Left>;

/// The text of a document, as Markdown: a PDF, a Word file, a page, a text. None where it has none (a scan, a
/// document behind a password) or is no document. `name` is only asked where the content does not say what it is.
///
/// # Errors
/// A document, and damaged.
pub fn document_text(name: &str, bytes: &[u8]) -> Result<Option<String>, ImportError> {
    words_of(name, bytes, &Limits::default())
}

/// True where a file of this name is worth reading for its words.
pub(crate) fn may_be_document(name: &str) -> bool {
    sort::may_be(name) || sort::is_note(name)
}

/// As [`document_text`], within limits.
pub(crate) fn words_of(name: &str, bytes: &[u8], limits: &Limits) -> Result<Option<String>, ImportError> {
    let head = head(bytes);
    let Some(sort) = sort::of(name, &head, true).filter(|_| bytes.len() as u64 <= limits.document) else {
        return Ok(None);
    };
    let taken = match sort.is_pack() {
        true => from_pack(Window::of_memory(bytes), sort),
        false => from_bytes(bytes.to_vec(), sort, limits),
    };
    match taken {
        Ok(document) => Ok(Some(document.text).filter(|text| !text.trim().is_empty())),
        Err(Left::Skipped(_)) => Ok(None),
        Err(Left::Failed(reason)) => Err(ImportError::Damaged { name: name.to_owned(), reason }),
    }
}

/// The beginning, as [`Export::head`] gives it.
fn head(bytes: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    let first = bytes.get(..64 << 10).unwrap_or(bytes);
    let read = crate::text::utf8(first).and_then(|mut utf8| utf8.read_to_end(&mut head));
    if read.is_err() { first.to_vec() } else { head }
}

/// Documents in folders that are no other format's export: a PDF that was sent in a chat is an attachment, and
/// the page beside an app's data says the same once more.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let top = |i: usize| export.files().get(i).and_then(|f| f.path.split_once('/')).map_or("", |(top, _)| top);
    let known = |i: &usize| export.claimed_by(*i).is_some_and(|format| !OF_SINGLE_FILES.contains(&format.key));
    let exports: HashSet<&str> = (0..export.files().len()).filter(known).map(top).collect();
    if exports.contains("") {
        return None;
    }
    let single = export.files().len() == 1;
    let free = |i: &usize| export.claimed_by(*i).is_none() && !exports.contains(top(*i)) && export.size(*i) > 0;
    let is_document = |i: &usize| {
        let name = export.files().get(*i).map_or("", Entry::file_name);
        (single || sort::may_be(name)) && export.head(*i).is_ok_and(|head| sort::of(name, &head, single).is_some())
    };
    let found: Vec<usize> = (0..export.files().len()).filter(free).filter(is_document).collect();
    (!found.is_empty()).then_some(found)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let single = export.files().len() == 1;
    let mut keys = HashSet::new();
    for &i in files {
        let Some(entry) = export.files().get(i) else { continue };
        let place = export.place(i, 0);
        let sort = sort::of(entry.file_name(), &export.head(i)?, single).unwrap_or(Sort::Text);
        match take(export, i, sort, options) {
            Ok(document) => put(export, i, document, options, &mut keys, out)?,
            Err(Trouble::Left(Left::Skipped(reason))) => drop(out.skipped(reason, place)),
            Err(Trouble::Left(Left::Failed(reason))) => drop(out.failed(reason, place)),
            Err(Trouble::Export(ImportError::Io { source, .. })) => {
                let _ = out.failed(format!("the document could not be read: {source}"), place);
            }
            Err(Trouble::Export(ImportError::Damaged { reason, .. })) => drop(out.failed(reason, place)),
            Err(Trouble::Export(other)) => return Err(other),
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// The document itself, or the archive around it.
enum Trouble {
    Left(Left),
    Export(ImportError),
}

fn take(export: &Export, i: usize, sort: Sort, options: &Options) -> Result<Document, Trouble> {
    let limits = &options.limits;
    let most = if sort.is_text() { limits.record as u64 } else { limits.document };
    if export.size(i) > most && !sort.is_pack() {
        return Err(Trouble::Left(Left::Skipped("longer than Evoke reads documents".into())));
    }
    if sort.is_pack() {
        return from_pack(export.window(i).map_err(Trouble::Export)?, sort).map_err(Trouble::Left);
    }
    let mut bytes = Vec::new();
    let read = export.open(i).map_err(Trouble::Export)?.take(most + 1).read_to_end(&mut bytes);
    if bytes.len() as u64 > most {
        return Err(Trouble::Left(Left::Skipped("longer than Evoke reads documents".into())));
    }
    let whole = match read.map_err(|e| export.trouble(i, e)) {
        Err(ImportError::Io { .. }) if sort.is_text() && !bytes.is_empty() => false,
        other => other.map(|_| true).map_err(Trouble::Export)?,
    };
    let mut document = from_bytes(bytes, sort, limits).map_err(Trouble::Left)?;
    document.whole &= whole;
    Ok(document)
}

fn from_bytes(bytes: Vec<u8>, sort: Sort, _: &Limits) -> Taken {
    match sort {
        Sort::Text => text::take(&bytes),
        Sort::Page => page::take(&bytes),
        Sort::SavedPage => page::take_mhtml(&bytes),
        Sort::Pdf => pdf::take(bytes),
        Sort::Rich => rtf::take(&bytes),
        Sort::Table => table::take(&bytes),
        Sort::Notebook => notebook::take(&bytes),
        Sort::OldOffice => Err(Left::Skipped(
            "Office document of the time before 2007, or protected by a password; save it as docx, xlsx or pptx".into(),
        )),
        Sort::Pack => from_pack(Window::of_memory(&bytes), sort),
    }
}

/// Which kind of zipped document it is, its parts say.
fn from_pack(window: Window, _: Sort) -> Taken {
    let mut pack = Pack::open(window)?;
    if pack.has("META-INF/container.xml") {
        book::take(&mut pack)
    } else if pack.has("content.xml") {
        open::take(&mut pack)
    } else if pack.has("xl/workbook.xml") {
        office::sheets(&mut pack)
    } else if pack.has("ppt/presentation.xml") {
        office::slides(&mut pack)
    } else if pack.has("word/document.xml") || pack.has("_rels/.rels") {
        word::take(&mut pack)
    } else if pack.has("Index/Document.iwa") || pack.has("index.xml") || pack.has("index.apxl") {
        Err(Left::Skipped("Apple Pages, Numbers or Keynote document; export it as PDF or Word".into()))
    } else {
        Err(Left::Failed("not a kind of document that Evoke knows".to_owned()))
    }
}

/// The document and its pieces, or why there are none.
fn put(
    export: &Export,
    i: usize,
    document: Document,
    options: &Options,
    keys: &mut HashSet<String>,
    out: &mut Out,
) -> Result<(), ImportError> {
    let Some(entry) = export.files().get(i) else { return Ok(()) };
    let place = export.place(i, 0);
    let pieces = pieces::pieces(&document);
    if pieces.is_empty() {
        let _ = out.skipped("document without text", place);
        return Ok(());
    }
    let key = key(&document.text);
    if !keys.insert(key.clone()) {
        let _ = out.skipped("the same document as another in this export", place);
        return Ok(());
    }
    let thread = Thread::new(SOURCE, Kind::Note, key);
    let sender = sender(&document);
    let when = when(entry, &document, options);
    let updated = document.updated.as_deref().and_then(|text| day::written(text, &options.zone)).map(|w| w.time);
    let flow = out.conversation(Conversation {
        participants: vec![sender.name.clone()],
        created: Some(when.time),
        updated: updated.or(entry.modified),
        ..thread.conversation(ConversationKind::Note, title(&document, entry))
    });
    let mut ids = ContentIds::default();
    for (order, piece) in pieces.into_iter().enumerate() {
        if flow.is_break() || out.stopped() {
            return Ok(());
        }
        let id = ids.next(&thread, &[&piece]);
        let _ = out.message(Message {
            text: piece,
            time: when.time,
            time_original: when.original.clone(),
            zone_known: when.zone_known,
            order: order as u64,
            ..thread.message(id, sender.clone(), evoke_message::Place { at: order as u64 + 1, ..place.clone() })
        });
    }
    if !document.whole {
        let _ = out.failed("a part of the document could not be read", place);
    }
    out.file_ended(i, document.lost, None)
}

/// Two documents that say the same are the same, whatever they are called.
fn key(text: &str) -> String {
    let words: String = evoke_message::normalise(text);
    stable_hash(&[&words]).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn title(document: &Document, entry: &Entry) -> String {
    let name = entry.file_name().rsplit_once('.').map_or(entry.file_name(), |(stem, _)| stem);
    let heading = document.text.lines().find(|l| !l.trim().is_empty()).and_then(|line| line.strip_prefix("# "));
    document.title.as_deref().and_then(said).or(heading).map_or(name, str::trim).chars().take(300).collect()
}

/// What programs write where nobody has said anything is nothing.
fn said(text: &str) -> Option<&str> {
    let bare = text.trim().trim_matches(['(', ')', '[', ']']).to_lowercase();
    let is_none = ["", "anonymous", "unknown", "untitled", "unspecified", "python-docx", "user", "author", "no title"]
        .contains(&bare.as_str());
    (!is_none).then_some(text.trim())
}

/// As the document says; where it says nothing, nobody knows who wrote it: not its owner for that.
fn sender(document: &Document) -> Sender {
    match document.author.as_deref().and_then(said) {
        Some(author) => Sender { key: author.to_lowercase(), name: author.chars().take(200).collect(), me: false },
        None => Sender { key: "unknown".to_owned(), name: "Unknown author".to_owned(), me: false },
    }
}

/// As the document says, else its name, else when the file was changed.
fn when(entry: &Entry, document: &Document, options: &Options) -> When {
    let said = |text: &Option<String>| text.as_deref().and_then(|text| day::written(text, &options.zone));
    let named = || match day::named(&entry.path, &options.zone)? {
        Named::Daily(when) | Named::Dated(when) => Some(when),
    };
    said(&document.created).or_else(named).or_else(|| said(&document.updated)).unwrap_or_else(|| {
        let time = entry.modified.unwrap_or(options.now);
        let instant = Timestamp::from_millisecond(time).unwrap_or_default();
        let day = options.zone.to_datetime(instant).date();
        When { time, zone_known: true, day, original: format!("file changed {instant}") }
    })
}
