//! One message and what surrounds it, as every importer fills them.

use crate::{ConversationId, MessageId, PersonId};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, ops::Range};
use ts_rs::TS;

/// Between the texts of [`Message::written`].
const BETWEEN: &str = "\n\n";

/// What somebody wrote: a chat message, a turn with an AI, a note or a piece of one, a mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub conversation: ConversationId,
    /// Key of the format's row in the table of formats: `whatsapp`, `chatgpt`.
    pub source: String,
    pub kind: Kind,
    pub sender: Sender,
    pub role: Role,
    pub part: Part,
    /// Milliseconds since 1970 in UTC.
    pub time: i64,
    /// The time as the export writes it.
    pub time_original: String,
    /// False where the export has only wall time, read in the zone given at import.
    pub zone_known: bool,
    /// When it was last edited, where the export says so. UTC milliseconds.
    pub edited: Option<i64>,
    /// Markdown; for plain sources the text itself.
    pub text: String,
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<Attachment>,
    /// What its attached documents say: found with the message, shown only where it is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    pub reactions: Vec<Reaction>,
    /// False on a branch that was regenerated or edited away.
    pub active: bool,
    /// Order within the conversation where times are equal: position in reading order.
    pub order: u64,
    pub place: Place,
}

/// What kind of writing it is. The facet "Kind".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Kind {
    Chat,
    Ai,
    Note,
    Mail,
    /// What was visited or kept in a browser, posts in public places.
    Web,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::Chat, Kind::Ai, Kind::Note, Kind::Mail, Kind::Web];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Chat => "chat",
            Kind::Ai => "ai",
            Kind::Note => "note",
            Kind::Mail => "mail",
            Kind::Web => "web",
        }
    }

    pub fn parse(s: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.as_str() == s)
    }
}

/// Who speaks, as a language model's chat knows it; people are always `Human`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Role {
    Human,
    Assistant,
    Tool,
    System,
}

/// What part of a conversation this is. Only `Text` is embedded; the rest is shown in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Part {
    Text,
    /// "X joined", "security code changed".
    Service,
    Call,
    Deleted,
    Tool,
    Thinking,
}

/// Who wrote it, in that source's own terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sender {
    /// Key within the source: a user id, a number, or the display name where there is nothing better.
    pub key: String,
    pub name: String,
    /// The export itself says that this is its owner.
    pub me: bool,
}

impl Sender {
    pub fn person(&self, source: &str) -> PersonId {
        if self.me { PersonId::me() } else { PersonId::of(&[source, &self.key]) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Attachment {
    pub name: String,
    pub mime: Option<String>,
    /// Path inside the export, or none where the file is not in it.
    pub path: Option<String>,
    /// Why there is no file: "not in this export".
    pub missing: Option<String>,
}

/// The words of one attached document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Which of the message's attachments, from 0.
    pub file: usize,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Reaction {
    pub emoji: String,
    pub count: u32,
}

/// Where in an export a record stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Place {
    /// File, with its path inside a container: `export.zip/conversations.json`.
    pub file: String,
    /// Line (from 1) in line formats, record number (from 1) elsewhere.
    #[ts(type = "number")]
    pub at: u64,
}

/// What a message carries besides its words. The filter and facet "Has".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Has {
    Image,
    /// An attachment that is neither a picture nor a recording.
    File,
    Link,
    /// A voice note or another recording.
    Voice,
}

impl Has {
    pub const ALL: [Has; 4] = [Has::Image, Has::File, Has::Link, Has::Voice];

    pub fn as_str(self) -> &'static str {
        match self {
            Has::Image => "image",
            Has::File => "file",
            Has::Link => "link",
            Has::Voice => "voice",
        }
    }

    pub fn parse(s: &str) -> Option<Has> {
        Has::ALL.into_iter().find(|h| h.as_str() == s)
    }

    /// Bits of a set, in the order of `ALL`.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }

    /// What an attachment is, by its type, and where it has none by the ending of its name.
    pub fn of(attachment: &Attachment) -> Has {
        const IMAGES: [&str; 9] = ["jpg", "jpeg", "png", "gif", "webp", "heic", "bmp", "tiff", "svg"];
        const SOUNDS: [&str; 9] = ["opus", "ogg", "oga", "m4a", "amr", "aac", "mp3", "wav", "caf"];
        let kind = attachment.mime.as_deref().unwrap_or_default();
        let ending = attachment.name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        if kind.starts_with("image/") || kind.is_empty() && IMAGES.contains(&ending.as_str()) {
            Has::Image
        } else if kind.starts_with("audio/") || kind.is_empty() && SOUNDS.contains(&ending.as_str()) {
            Has::Voice
        } else {
            Has::File
        }
    }
}

impl Message {
    /// All that it is found by, in one text: its own words, then those of its documents, a blank line between.
    /// Passages point into it.
    pub fn written(&self) -> Cow<'_, str> {
        if self.documents.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let texts = std::iter::once(&self.text).chain(self.documents.iter().map(|d| &d.text));
        Cow::Owned(texts.map(String::as_str).collect::<Vec<_>>().join(BETWEEN))
    }

    /// Where in [`Message::written`] each document's words stand, with its attachment's number.
    pub fn documents_at(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let mut end = self.text.len();
        self.documents.iter().map(move |document| {
            let start = end + BETWEEN.len();
            end = start + document.text.len();
            (document.file, start..end)
        })
    }

    /// The attached file whose words stand at a byte of [`Message::written`]; none where they are its own.
    pub fn file_at(&self, byte: usize) -> Option<&Attachment> {
        let (file, _) = self.documents_at().find(|(_, at)| at.contains(&byte))?;
        self.attachments.get(file)
    }

    /// It has words that can be read for their meaning.
    pub fn is_readable(&self) -> bool {
        let mut texts = std::iter::once(&self.text).chain(self.documents.iter().map(|d| &d.text));
        self.part == Part::Text && texts.any(|text| !text.trim().is_empty())
    }

    /// What it carries, in the order of [`Has::ALL`].
    pub fn has(&self) -> Vec<Has> {
        let link = self.text.contains("http://") || self.text.contains("https://");
        let there = |has: &Has| match has {
            Has::Link => link,
            other => self.attachments.iter().any(|a| Has::of(a) == *other),
        };
        Has::ALL.into_iter().filter(there).collect()
    }
}

/// A thread, channel, direct chat or note file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: ConversationId,
    pub source: String,
    /// The source's own key.
    pub key: String,
    pub title: String,
    pub kind: ConversationKind,
    /// Display names, in order of appearance; may be empty until messages are read.
    pub participants: Vec<String>,
    pub created: Option<i64>,
    pub updated: Option<i64>,
    /// The conversation that this one belongs into: of a subagent the session, of a thread its channel.
    pub parent: Option<ConversationId>,
}

/// Who somebody is, as an export's list of members or contacts says it. Carries no message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub source: String,
    /// As in [`Sender::key`].
    pub key: String,
    pub name: String,
    /// Telephone numbers as the export writes them.
    pub numbers: Vec<String>,
    /// Mail addresses.
    pub addresses: Vec<String>,
    /// User names, without `@`.
    pub handles: Vec<String>,
    /// The export itself says that this is its owner.
    pub me: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum ConversationKind {
    Direct,
    Group,
    Channel,
    Ai,
    Note,
    /// Mails that answer each other.
    Thread,
}
