//! The state of the archive, true at the moment it was asked for.

use crate::{ConversationId, ConversationKind, Kind, PersonId, Receipt};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How much of the archive meaning search can see. `waiting + embedded + failed + excluded = passages`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Coverage {
    #[ts(type = "number")]
    pub passages: u64,
    #[ts(type = "number")]
    pub embedded: u64,
    #[ts(type = "number")]
    pub waiting: u64,
    #[ts(type = "number")]
    pub failed: u64,
    /// Nothing to embed: service lines, empty texts.
    #[ts(type = "number")]
    pub excluded: u64,
}

impl Coverage {
    /// Whole percent, rounded down: never 100 while anything waits.
    pub fn percent(&self) -> u8 {
        let wanted = self.passages - self.excluded;
        (self.embedded * 100).checked_div(wanted).map_or(100, |percent| percent as u8)
    }
}

/// The indexes behind search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Index {
    pub coverage: Coverage,
    pub percent: u8,
    /// "exact" or "IVF_SQ".
    pub vectors: String,
}

/// What the operating system was told about the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Network {
    /// The operating system refuses internet sockets to this process.
    pub blocked: bool,
    /// How, or why not, in words.
    pub sentence: String,
}

/// What protects the Home on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Protection {
    /// `keychain`, `passphrase`, `key_file`.
    pub kind: String,
    pub sentence: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Archive {
    #[ts(type = "number")]
    pub messages: u64,
    #[ts(type = "number")]
    pub conversations: u64,
    #[ts(type = "number")]
    pub people: u64,
    #[ts(type = "number")]
    pub sources: u64,
    #[ts(type = "number | null")]
    pub first: Option<i64>,
    #[ts(type = "number | null")]
    pub last: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Status {
    pub version: String,
    pub home: String,
    pub archive: Archive,
    pub index: Index,
    pub network: Network,
    pub protection: Protection,
    /// "multilingual-e5-small (4-bit) on CPU, 2 threads"
    pub model: String,
    pub device: String,
    /// Another Evoke process is writing; this one reads.
    pub read_only: bool,
    #[ts(type = "number")]
    pub disk_bytes: u64,
    /// IANA name of the zone in which times are shown.
    pub zone: String,
}

/// A model that can read the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRow {
    pub name: String,
    pub folder: String,
    /// It came with Evoke.
    pub bundled: bool,
    /// `in use`, `kept`, `being built`, `not used`.
    pub state: String,
    /// Values of a vector; 0 where the model cannot be opened.
    pub dims: u64,
    /// It has a latent memory.
    pub evolver: bool,
    /// It ranks hits anew and cannot read an archive.
    pub reranks_only: bool,
    pub bytes: u64,
    /// Why it cannot be used.
    pub trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct SourceRow {
    pub source: String,
    pub label: String,
    pub kind: Kind,
    #[ts(type = "number")]
    pub messages: u64,
    #[ts(type = "number")]
    pub conversations: u64,
    #[ts(type = "number | null")]
    pub first: Option<i64>,
    #[ts(type = "number | null")]
    pub last: Option<i64>,
    /// 1 to 6, given once and for life; 0 is "other".
    pub hue: u8,
    pub imports: Vec<Receipt>,
    /// The zone in which its wall times are read; none where nobody said: the zone shown.
    pub zone: Option<String>,
    /// How a person gets an export of it.
    pub how_to_export: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct PersonRow {
    /// Of the identity that stands for all of them.
    #[ts(as = "String")]
    pub id: PersonId,
    pub name: String,
    pub me: bool,
    pub sources: Vec<String>,
    /// Identities that were merged into this person.
    #[ts(type = "number")]
    pub identities: u64,
    #[ts(type = "number")]
    pub messages: u64,
    #[ts(type = "number | null")]
    pub first: Option<i64>,
    #[ts(type = "number | null")]
    pub last: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct ConversationRow {
    #[ts(as = "String")]
    pub id: ConversationId,
    /// The conversation that it belongs into: the session of a subagent, the channel of a thread.
    #[ts(as = "Option<String>")]
    pub parent: Option<ConversationId>,
    pub source: String,
    pub kind: ConversationKind,
    pub title: String,
    pub participants: Vec<String>,
    #[ts(type = "number")]
    pub messages: u64,
    #[ts(type = "number | null")]
    pub first: Option<i64>,
    #[ts(type = "number | null")]
    pub last: Option<i64>,
}
