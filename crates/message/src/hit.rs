//! What a search gives back: hits with their reasons, facets, a histogram, and offers when nothing was found.

use crate::{
    Attachment, Bucket, ConversationId, ConversationKind, Coverage, Kind, MessageId, Part, PersonId, Reaction, Role,
    Unit,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which lists a search fuses. `Hybrid` is the product; the others are for measuring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Mode {
    #[default]
    Hybrid,
    Words,
    Static,
    Context,
    /// Context, ranked as the product ranks: by whom is named, what stands around, and in order where asked.
    Evolved,
}

/// A message as it is shown, in a list or in its surroundings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Shown {
    #[ts(as = "String")]
    pub id: MessageId,
    #[ts(as = "String")]
    pub conversation: ConversationId,
    pub title: String,
    pub conversation_kind: ConversationKind,
    pub source: String,
    pub kind: Kind,
    #[ts(as = "String")]
    pub person: PersonId,
    pub name: String,
    /// Written by the owner of the archive.
    pub mine: bool,
    pub role: Role,
    pub part: Part,
    /// UTC milliseconds.
    #[ts(type = "number")]
    pub time: i64,
    pub time_original: String,
    #[ts(type = "number | null")]
    pub edited: Option<i64>,
    pub text: String,
    #[ts(as = "Option<String>")]
    pub reply_to: Option<MessageId>,
    pub attachments: Vec<Attachment>,
    pub reactions: Vec<Reaction>,
    pub active: bool,
}

/// A span of a text in UTF-16 code units (as JavaScript counts), end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Range {
    pub start: u32,
    pub end: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Hit {
    pub message: Shown,
    pub score: f32,
    /// Cut around the best match, at most about 240 characters.
    pub snippet: String,
    /// Words of the query that stand in the snippet: bold.
    pub highlights: Vec<Range>,
    /// The attached file that the snippet is from; none where the message says it itself.
    pub file: Option<String>,
    /// The sentence of the snippet nearest in meaning, where no word matched: tinted, "similar".
    pub similar: Option<Range>,
    pub why: Why,
}

/// How the hit came about; each part is that list's standardised score (z), none where it did not list the hit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Why {
    pub words: Option<f32>,
    pub words_in_context: Option<f32>,
    pub meaning: Option<f32>,
    pub meaning_in_context: Option<f32>,
    /// How well it fits what was asked of order and change, where hits were read in order.
    pub order: Option<f32>,
    /// What was asked: `now`, `before`, `first`, `last`, …
    pub asked: Option<String>,
    /// In one sentence, for a person.
    pub sentence: String,
}

/// A filter that was understood from the text or clicked: shown under the field, removable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Chip {
    /// `from`, `person`, `in`, `source`, `kind`, `has`, `date`, `phrase`, `not`.
    pub field: String,
    /// In words: "Feb – Oct 2024".
    pub label: String,
    /// The part of the query text that made it; empty for what was clicked.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Facet {
    /// What to put into the query: a source key, a person id, a kind, a year.
    pub key: String,
    pub label: String,
    #[ts(type = "number")]
    pub count: u64,
}

/// Counts among all hits, each group within the other filters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Facets {
    pub sources: Vec<Facet>,
    pub people: Vec<Facet>,
    pub kinds: Vec<Facet>,
    /// Keys of [`crate::Has`]: one message may count in several.
    pub has: Vec<Facet>,
    pub years: Vec<Facet>,
}

/// A way out of an empty result, with what it would give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Offer {
    /// "Without from:ana"
    pub label: String,
    /// The whole query to run instead.
    pub query: crate::Query,
    #[ts(type = "number")]
    pub count: u64,
}

/// The answer to a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Found {
    pub chips: Vec<Chip>,
    /// What remains of the text as words and meaning.
    pub words: String,
    pub hits: Vec<Hit>,
    /// Messages and conversations among all candidates (hits of every page).
    #[ts(type = "number")]
    pub messages: u64,
    #[ts(type = "number")]
    pub conversations: u64,
    /// Of all candidates, not only of this page; not narrowed by `from` and `until` of the query.
    pub histogram_unit: Unit,
    pub histogram: Vec<Bucket>,
    pub facets: Facets,
    /// How much of the archive meaning search can see now.
    pub coverage: Coverage,
    pub offers: Vec<Offer>,
    #[ts(type = "number")]
    pub took_ms: u64,
    /// Of these, what reading the best hits in order took; none where they were not read so.
    #[ts(type = "number | null")]
    pub order_ms: Option<u64>,
}

/// The content of an attached file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct FileShown {
    pub name: String,
    pub mime: Option<String>,
    /// In base64.
    pub bytes: String,
}

/// Messages of one conversation, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Page {
    #[ts(as = "String")]
    pub conversation: ConversationId,
    pub title: String,
    pub source: String,
    pub kind: ConversationKind,
    pub participants: Vec<String>,
    /// The conversation that it belongs into: the session of a subagent, the channel of a thread.
    #[ts(as = "Option<String>")]
    pub parent: Option<ConversationId>,
    /// Messages in the whole conversation.
    #[ts(type = "number")]
    pub total: u64,
    pub messages: Vec<Shown>,
    /// There is more before the first or after the last.
    pub earlier: bool,
    pub later: bool,
}
