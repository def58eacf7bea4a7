//! Notes as apps keep them: one note is one message, in a conversation with oneself that bears its title.
//!
//! When a note was written and which files it names are found in `note/`; Markdown files, which are
//! cut into pieces, are `markdown.rs`'s, and what a note says is left to each format.

pub(crate) mod day;
pub(crate) mod links;

use crate::{
    Flow, ImportError, Options,
    export::{Entry, Export},
    out::Out,
    record::Thread,
    text,
};
use day::When;
use evoke_message::{Attachment, Conversation, ConversationKind, Document, Kind, Message, Part, Place, Role, Sender};
use jiff::Timestamp;
use std::{borrow::Cow, io, io::Read};

/// Characters of a note's first line that stand for its title where it has none.
const TITLE: usize = 80;

/// A time as found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stamp {
    /// UTC milliseconds.
    pub(crate) time: i64,
    pub(crate) original: String,
    pub(crate) zone_known: bool,
}

impl Stamp {
    /// A time whose zone is known, as written.
    pub(crate) fn instant(time: Option<i64>, original: impl Into<String>) -> Option<Self> {
        Some(Self { time: time?, original: original.into(), zone_known: true })
    }

    /// Of a file, where the note itself has none; the present where not even the file does.
    pub(crate) fn of_file(file: Option<&Entry>, options: &Options) -> Self {
        let time = file.and_then(|f| f.modified);
        let instant = Timestamp::from_millisecond(time.unwrap_or(options.now)).unwrap_or_default();
        let original = time.map_or(String::new(), |_| format!("file changed {instant}"));
        Self { time: time.unwrap_or(options.now), original, zone_known: true }
    }
}

impl From<When> for Stamp {
    fn from(when: When) -> Self {
        Self { time: when.time, original: when.original, zone_known: when.zone_known }
    }
}

/// One note, ready to be told.
pub(crate) struct Note {
    pub(crate) thread: Thread,
    /// Empty where it has none.
    pub(crate) title: String,
    /// Markdown, without the title.
    pub(crate) text: String,
    /// When it was written.
    pub(crate) when: Stamp,
    pub(crate) updated: Option<i64>,
    pub(crate) attachments: Vec<Attachment>,
    /// What attached files say that lie in the note's own record.
    pub(crate) documents: Vec<Document>,
}

impl Note {
    pub(crate) fn new(source: &'static str, key: impl Into<String>, when: Stamp) -> Self {
        Self {
            thread: Thread::new(source, Kind::Note, key),
            title: String::new(),
            text: String::new(),
            when,
            updated: None,
            attachments: Vec::new(),
            documents: Vec::new(),
        }
    }

    /// The note as one message, its title above its text; skipped where it says nothing.
    pub(crate) fn put(self, place: Place, out: &mut Out) -> Flow {
        let title = self.title.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = titled(&title, self.text.trim());
        if text.is_empty() && self.attachments.is_empty() {
            return out.skipped("empty note", place);
        }
        let shown = if title.is_empty() { first_line(&text) } else { title };
        out.conversation(Conversation {
            participants: vec![me().name],
            created: Some(self.when.time),
            updated: self.updated,
            ..self.thread.conversation(ConversationKind::Note, shown)
        })?;
        let id = self.thread.message_id("");
        out.message(Message {
            role: Role::Human,
            part: Part::Text,
            time: self.when.time,
            time_original: self.when.original,
            zone_known: self.when.zone_known,
            edited: self.updated.filter(|updated| *updated > self.when.time),
            text,
            attachments: self.attachments,
            documents: self.documents,
            ..self.thread.message(id, me(), place)
        })
    }
}

/// Who writes notes: the owner of the export.
pub(crate) fn me() -> Sender {
    Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true }
}

/// Tags in words, to stand above a text.
pub(crate) fn tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> String {
    let words = tags.into_iter().map(|tag| tag.trim().trim_start_matches('#')).filter(|tag| !tag.is_empty());
    words.map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" ")
}

/// Parts that stand apart; empty ones are left out.
pub(crate) fn parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The text under its title, where it does not begin with it already.
pub(crate) fn titled(title: &str, text: &str) -> String {
    let begins = |text: &str| text.lines().next().is_some_and(|line| bare(line) == bare(title));
    match (title.is_empty(), text.is_empty()) {
        (true, _) => text.to_owned(),
        (false, true) => format!("# {title}"),
        _ if begins(text) => text.to_owned(),
        _ => format!("# {title}\n\n{text}"),
    }
}

fn bare(line: &str) -> &str {
    line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '#' | '*' | '_'))
}

/// The beginning of a text, as the title of a note without one.
pub(crate) fn first_line(text: &str) -> String {
    let line = text.lines().map(bare).find(|line| !line.is_empty()).unwrap_or("Untitled");
    match line.char_indices().nth(TITLE) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or(line).trim_end()),
        None => line.to_owned(),
    }
}

/// A file that is one record: its bytes as UTF-8 or an old code page, for [`text::decode`].
pub(crate) struct Whole {
    pub(crate) bytes: Vec<u8>,
    /// Why it ended early.
    pub(crate) trouble: Option<io::Error>,
    pub(crate) too_long: bool,
}

impl Whole {
    /// The text, with line ends as LF, and how many of its characters were lost.
    pub(crate) fn text(&self) -> (Cow<'_, str>, u64) {
        match text::decode(&self.bytes) {
            (text, lost) if text.contains('\r') => (text.replace("\r\n", "\n").replace('\r', "\n").into(), lost),
            other => other,
        }
    }
}

/// All of file `i`, up to the limit of a record.
pub(crate) fn whole(export: &Export, i: usize, options: &Options) -> Result<Whole, ImportError> {
    let most = options.limits.record;
    let mut bytes = Vec::new();
    let input = text::utf8(export.open(i)?).map_err(|e| export.trouble(i, e))?;
    let trouble = input.take(most as u64 + 1).read_to_end(&mut bytes).err();
    let too_long = bytes.len() > most;
    Ok(Whole { bytes, trouble, too_long })
}

/// Where `needle` stands in bytes: for recognising formats by words in their heads.
pub(crate) fn contains(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len().max(1)).any(|window| window == needle.as_bytes())
}

/// The ending of a path in small letters, without the dot.
pub(crate) fn ending(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase())
}

/// The folder of a path, without the last `/`; empty at the top.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The name of a file without its ending.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stands_once() {
        for (title, text, expected) in [
            ("", "a", "a"),
            ("A", "", "# A"),
            ("A", "b", "# A\n\nb"),
            ("A", "# A\n\nb", "# A\n\nb"),
            ("A", "**A**\nb", "**A**\nb"),
        ] {
            assert_eq!(titled(title, text), expected);
        }
        assert_eq!(first_line("\n## Head\nx"), "Head");
        assert_eq!(first_line(&"é".repeat(100)).chars().count(), 81);
    }
}
