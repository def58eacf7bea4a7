//! Markdown notes: an Obsidian vault, a graph of Logseq, a folder or zip of `.md` files, or one of them
//! (formats.md §15). Canvases of a vault are notes, too.
//!
//! A note is a conversation with oneself: its messages are its pieces, so that an edited paragraph
//! updates a message. Text stays as it is written, with links, comments and block ids.

mod canvas;
mod front;
mod logseq;
pub(crate) mod pieces;
#[cfg(test)]
mod tests;

use crate::{
    Flow, Format, ImportError, Options,
    export::{Entry, Export, nfc},
    note::{
        self,
        day::{self, Named, When},
        links::Files,
    },
    out::Out,
    text::{Line, Lines},
};
use evoke_message::{
    Conversation, ConversationId, ConversationKind, Kind, Message, MessageId, Part, Place, Role, Sender,
};
use front::{CREATED, Front, UPDATED};
use jiff::Timestamp;
use logseq::Graphs;
use pieces::Piece;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    io,
};

const SOURCE: &str = "markdown";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Notes",
    kind: Kind::Note,
    how_to_export: "Nothing to export: choose the folder in which the notes are. For Obsidian that is the vault (Settings, About, \
                    or the folder you chose when you made it). Notes of other apps can be read if they export Markdown.",
    detect,
    read,
};

/// Every Markdown file that nothing before has claimed; what it holds is looked at when it is read.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let claimed: Vec<usize> =
        export.files().iter().enumerate().filter(|(_, file)| is_note(file.file_name())).map(|(i, _)| i).collect();
    (!claimed.is_empty()).then_some(claimed)
}

fn is_note(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    matches!(ending.as_deref(), Some("md" | "markdown" | "canvas"))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let linked = Files::of(export);
    let graphs = Graphs::of(export, files, options)?;
    let mut told = Told::default();
    for &i in files {
        let Some(entry) = export.files().get(i) else { continue };
        if graphs.is_copy(&entry.path) {
            let _ = out.skipped("a copy that Logseq keeps", export.place(i, 0));
            continue;
        }
        let Gathered { text, mut lost, too_long, trouble } = gather(export, i, options)?;
        match said(&graphs, entry, &text, lost, too_long) {
            Err(reason) => {
                lost = 0;
                let _ = out.failed(reason, export.place(i, 0));
            }
            Ok((front, body)) => {
                let mut note = Note::new(export, entry, front, &body, options, &mut told);
                if let Some(title) = graphs.title(&entry.path).filter(|_| note.front.first(&["title"]).is_none()) {
                    note.title = title;
                }
                note.put(&linked, export.place(i, 0), out);
            }
        }
        out.file_ended(i, lost, trouble)?;
        if out.stopped() {
            break;
        }
    }
    told.put(out);
    Ok(())
}

/// The properties and the text of a file, or why it is no note.
fn said<'t>(
    graphs: &Graphs<'_>,
    entry: &Entry,
    text: &'t str,
    lost: u64,
    too_long: bool,
) -> Result<(Front, Cow<'t, str>), String> {
    let is_canvas = note::ending(&entry.path) == "canvas";
    match refused(text, lost, too_long) {
        Some(reason) if !is_canvas || too_long => return Err(reason),
        _ if is_canvas && text.trim().is_empty() => return Ok((Front::default(), "".into())),
        _ if is_canvas => return Ok((Front::default(), canvas::markdown(text)?.into())),
        _ => {}
    }
    Ok(match graphs.page(&entry.path, text) {
        Some((front, body)) => (front, body.into()),
        None => {
            let (front, body) = Front::split(text);
            (front, body.into())
        }
    })
}

/// What a person is told once, not for each note.
#[derive(Default)]
struct Told {
    daily: u64,
    not_valid: u64,
}

impl Told {
    fn put(&self, out: &mut Out) {
        if self.daily > 0 {
            out.note(format!(
                "Daily notes stand at 00:00 of their day, because a name such as 2024-01-31 has no time: {}.",
                self.daily
            ));
        }
        if self.not_valid > 0 {
            out.note(format!(
                "Properties that are not valid YAML were kept as text. Notes with such: {}.",
                self.not_valid
            ));
        }
    }
}

struct Gathered {
    text: String,
    lost: u64,
    too_long: bool,
    trouble: Option<io::Error>,
}

/// The text of one note: a note is a record, so it is held whole, up to the limit of a record.
fn gather(export: &Export, i: usize, options: &Options) -> Result<Gathered, ImportError> {
    let most = options.limits.record;
    let mut gathered = Gathered { text: String::new(), lost: 0, too_long: false, trouble: None };
    for line in Lines::new(export.open(i)?, most).map_err(|e| export.trouble(i, e))? {
        match line {
            Ok(Line::Text { text, lost, .. }) if gathered.text.len() + text.len() < most => {
                gathered.text.push_str(&text);
                gathered.text.push('\n');
                gathered.lost += lost;
            }
            Ok(_) => {
                gathered.too_long = true;
                break;
            }
            Err(error) => {
                gathered.trouble = Some(error);
                break;
            }
        }
    }
    Ok(gathered)
}

/// Why a file is no note, whatever its name says.
fn refused(text: &str, lost: u64, too_long: bool) -> Option<String> {
    let json =
        |t: &str| t.starts_with('{') || t.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'));
    let is_json = json(text.trim_start()) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let is_binary = text.contains('\0') || lost > 16 && lost * 10 > text.chars().count() as u64;
    match (too_long, is_binary, is_json) {
        (true, ..) => Some("longer than any note".to_owned()),
        (_, true, _) => Some("not text, though it is called a Markdown file".to_owned()),
        (_, _, true) => Some("JSON, though it is called a Markdown file".to_owned()),
        _ => None,
    }
}

/// A note, ready to be told.
struct Note<'a> {
    path: &'a str,
    vault: &'a str,
    key: String,
    title: String,
    front: Front,
    body: &'a str,
    when: When,
    created: Option<i64>,
    updated: Option<i64>,
}

impl<'a> Note<'a> {
    fn new(
        export: &'a Export,
        entry: &'a Entry,
        front: Front,
        body: &'a str,
        options: &Options,
        told: &mut Told,
    ) -> Self {
        told.not_valid += u64::from(front.kept_as_text.is_some());
        let date = |names: &[&str]| day::written(front.first(names)?, &options.zone);
        let (created, updated) = (date(&CREATED), date(&UPDATED));
        let (vault, key) = place_in_vault(export, &entry.path);
        let when = when(entry, &created, &updated, options, told);
        Self {
            path: &entry.path,
            vault,
            key,
            title: title(&front, body, entry, &when),
            body,
            created: Some(created.map_or(when.time, |w| w.time)),
            updated: updated.map(|w| w.time).or(entry.modified),
            when,
            front,
        }
    }

    /// The note and its pieces, or why there are none.
    fn put(&self, files: &Files<'_>, place: Place, out: &mut Out) {
        if let Some(reason) = self.left_out() {
            let _ = out.skipped(reason, place);
            return;
        }
        let id = ConversationId::of(&[SOURCE, &self.key]);
        let said = out.conversation(Conversation {
            id,
            source: SOURCE.to_owned(),
            key: self.key.clone(),
            title: self.title.clone(),
            kind: ConversationKind::Note,
            participants: vec![me().name],
            created: self.created,
            updated: self.updated,
            parent: None,
        });
        if said.is_break() {
            return;
        }
        let (mut order, mut seen) = (0, HashMap::new());
        let mut tell = |mut piece: Piece| {
            if order == 0 {
                piece.text = self.beginning(&piece.text);
            }
            let id = self.id(&piece, order == 0, &mut seen);
            let attachments = files.named_in(&piece.text, self.path, self.vault);
            let at = (self.front.lines + piece.line + 1) as u64;
            let place = Place { at, ..place.clone() };
            let message = Message { id, attachments, order, place, ..self.message(piece.text) };
            order += 1;
            let _ = out.message(message);
            if out.stopped() { Flow::Break(()) } else { Flow::Continue(()) }
        };
        if self.body.trim().is_empty() {
            let _ = tell(Piece { headings: Vec::new(), text: String::new(), line: 0 });
        }
        let _ = pieces::pieces(self.body, &mut tell);
    }

    fn left_out(&self) -> Option<&'static str> {
        let in_templates = self.path.split('/').any(|folder| folder.eq_ignore_ascii_case("templates"));
        if self.path.ends_with(".excalidraw.md") {
            Some("drawing")
        } else if in_templates && (self.body.contains("{{") || self.body.contains("<%")) {
            Some("template")
        } else if self.body.trim().is_empty() && self.front.in_words().is_empty() {
            Some("empty note")
        } else {
            None
        }
    }

    /// The first piece also says the title, the name where it says something else, the tags and properties.
    fn beginning(&self, text: &str) -> String {
        let name = note::stem(self.path);
        let body = note::titled(&self.title, text);
        let name = if says(&body, name) { String::new() } else { format!("*{}*", name.replace('*', "\\*")) };
        let (line, below) = body.split_once('\n').unwrap_or((&body, ""));
        let (heading, rest) = if line.starts_with("# ") { (line, below) } else { ("", body.as_str()) };
        note::parts([heading, &name, &self.front.in_words(), rest])
    }

    /// From the headings, not from the text, so that an edited piece stays the same message. The
    /// first piece is the whole note's id: a note that grows too long to stay whole leaves nothing behind.
    fn id(&self, piece: &Piece, is_first: bool, seen: &mut HashMap<String, u32>) -> MessageId {
        let headings = if is_first { String::new() } else { piece.headings.join("\n") };
        let count = seen.entry(headings.clone()).or_default();
        *count += 1;
        MessageId::of(&[SOURCE, &self.key, &headings, &(*count - 1).to_string()])
    }

    /// All that the pieces of a note share.
    fn message(&self, text: String) -> Message {
        Message {
            id: MessageId::default(),
            conversation: ConversationId::of(&[SOURCE, &self.key]),
            source: SOURCE.to_owned(),
            kind: Kind::Note,
            sender: me(),
            role: Role::Human,
            part: Part::Text,
            time: self.when.time,
            time_original: self.when.original.clone(),
            zone_known: self.when.zone_known,
            edited: None,
            text,
            reply_to: None,
            attachments: Vec::new(),
            documents: Vec::new(),
            reactions: Vec::new(),
            active: true,
            order: 0,
            place: Place::default(),
        }
    }
}

/// True where every word of a name stands in a text: names are written with hyphens, numbers and small letters.
fn says(text: &str, name: &str) -> bool {
    fn words(text: &str) -> impl Iterator<Item = String> {
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
    }
    let mut missing: HashSet<String> = words(name).collect();
    words(text).for_each(|word| _ = missing.remove(&word));
    missing.is_empty()
}

fn me() -> Sender {
    Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true }
}

/// The day of a daily note, with the time of day that its properties know; else when it was
/// created, by its properties or its name; else when it was changed, which syncing overwrites.
fn when(entry: &Entry, created: &Option<When>, updated: &Option<When>, options: &Options, told: &mut Told) -> When {
    let named = day::named(&entry.path, &options.zone);
    let dated = match named {
        Some(Named::Daily(day)) => match created {
            Some(created) if created.day == day.day => return created.clone(),
            _ => {
                told.daily += 1;
                return day;
            }
        },
        Some(Named::Dated(when)) => Some(when),
        None => None,
    };
    created.clone().or(dated).or_else(|| updated.clone()).unwrap_or_else(|| {
        let time = entry.modified.unwrap_or(options.now);
        let instant = Timestamp::from_millisecond(time).unwrap_or_default();
        let day = options.zone.to_datetime(instant).date();
        When { time, zone_known: true, day, original: format!("file changed {instant}") }
    })
}

/// From the properties, a heading that the note begins with, or its file. `2024/01/31.md` is its day.
fn title(front: &Front, body: &str, entry: &Entry, when: &When) -> String {
    let first = body.lines().find(|line| !line.trim().is_empty()).and_then(|line| pieces::heading(line, None));
    let heading = first.filter(|(level, ..)| *level == 1).map(|(_, title, _)| title);
    let name = entry.file_name().rsplit_once('.').map_or(entry.file_name(), |(stem, _)| stem);
    let is_day = name.len() <= 2 && when.original == name;
    let name = if is_day { when.day.to_string() } else { name.to_owned() };
    front.first(&["title"]).or(heading).map_or(name, str::to_owned)
}

/// The folder of the vault inside the export, and a key that holds wherever the vault lies: its
/// name and the path inside it, since two vaults may each have a `README.md`. One file is its name.
fn place_in_vault<'a>(export: &'a Export, path: &'a str) -> (&'a str, String) {
    if path == export.name() && export.files().len() == 1 {
        return ("", nfc(path));
    }
    let vaults = export.folders_not_entered().iter().filter_map(|folder| folder.strip_suffix(".obsidian"));
    let marks = vaults.chain(logseq::roots(export));
    let vault = marks
        .map(|folder| folder.trim_end_matches('/'))
        .filter(|v| is_inside(path, v))
        .max_by_key(|v| v.len())
        .unwrap_or("");
    let inside = path.strip_prefix(vault).unwrap_or(path).trim_start_matches('/');
    let name = match vault.rsplit('/').next() {
        Some(name) if !name.is_empty() => name,
        _ => without_ending(export.name()),
    };
    // A zip of a folder often has that folder at its top.
    let inside = inside.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')).unwrap_or(inside);
    (vault, nfc(&format!("{name}/{inside}")))
}

fn is_inside(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// `Notes (1).zip` is `Notes`.
fn without_ending(name: &str) -> &str {
    let stem = name.strip_suffix(".zip").unwrap_or(name);
    let counted = stem.strip_suffix(')').and_then(|s| s.rsplit_once(" ("));
    counted.filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit())).map_or(stem, |(stem, _)| stem)
}
