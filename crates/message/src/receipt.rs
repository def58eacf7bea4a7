//! What was done: receipts of imports and of forgetting, and the jobs that lead to them.

use crate::{ConversationId, MessageId, PersonId, Place};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a record was not kept, with how many there were and where the first stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Reason {
    /// In words: "hidden system message".
    pub reason: String,
    #[ts(type = "number")]
    pub count: u64,
    /// The first few places.
    pub places: Vec<Place>,
}

/// A record that could not be read, or a file that was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    pub place: Place,
    pub reason: String,
}

/// What an import did. Invariant: `seen = added + updated + duplicate + skipped + failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Receipt {
    /// Number of the import in this Home, from 1; 0 for a dry run.
    #[ts(type = "number")]
    pub import: u64,
    /// What was given: file or folder names without their folders.
    pub names: Vec<String>,
    /// Formats recognised, by key.
    pub formats: Vec<String>,
    #[ts(type = "number")]
    pub seen: u64,
    #[ts(type = "number")]
    pub added: u64,
    #[ts(type = "number")]
    pub updated: u64,
    #[ts(type = "number")]
    pub duplicate: u64,
    #[ts(type = "number")]
    pub skipped: u64,
    #[ts(type = "number")]
    pub failed: u64,
    pub skipped_because: Vec<Reason>,
    pub failed_because: Vec<Reason>,
    #[ts(type = "number")]
    pub conversations: u64,
    /// UTC milliseconds of the first and last message read.
    #[ts(type = "number | null")]
    pub first: Option<i64>,
    #[ts(type = "number | null")]
    pub last: Option<i64>,
    /// What a person should know: "two messages were cut in meaning search".
    pub notes: Vec<String>,
    #[ts(type = "number")]
    pub started: i64,
    #[ts(type = "number")]
    pub took_ms: u64,
    /// True where the import was stopped by the person before the end.
    pub stopped: bool,
    /// When it was undone, UTC milliseconds.
    #[ts(type = "number | null")]
    pub undone: Option<i64>,
    /// Messages whose export has only wall time, and the zone in which it was read; empty where there are none.
    #[serde(default)]
    #[ts(type = "number")]
    pub wall_times: u64,
    #[serde(default)]
    pub zone: String,
}

impl Receipt {
    pub fn adds_up(&self) -> bool {
        let of = |reasons: &[Reason]| reasons.iter().map(|r| r.count).sum::<u64>();
        self.seen == self.added + self.updated + self.duplicate + self.skipped + self.failed
            && self.skipped == of(&self.skipped_because)
            && self.failed == of(&self.failed_because)
    }
}

/// A record of an import that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Lost {
    /// False where it could not be read at all.
    pub skipped: bool,
    pub reason: String,
    pub place: Place,
}

/// An import with every record that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct ImportShown {
    pub receipt: Receipt,
    /// In the order in which they were met.
    pub lost: Vec<Lost>,
    /// Records beyond those that the archive keeps of one import: counted in the receipt, not listed.
    #[ts(type = "number")]
    pub not_listed: u64,
}

/// Where a message was seen: one export of one import.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Provenance {
    #[ts(type = "number")]
    pub import: u64,
    pub source: String,
    pub place: Place,
}

/// A message that was found to be the same as another one, from another exporter of one chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Duplicate {
    /// The copy that is not shown.
    #[ts(as = "String")]
    pub message: MessageId,
    /// The message that is shown in its place.
    #[ts(as = "String")]
    pub of: MessageId,
    pub source: String,
    pub of_source: String,
    /// Title of the copy's conversation.
    pub title: String,
    /// The import that brought the copy.
    #[ts(type = "number")]
    pub import: u64,
    pub name: String,
    #[ts(type = "number")]
    pub time: i64,
    pub text: String,
}

/// What an import would do; nothing is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct DryRun {
    pub receipt: Receipt,
    /// "WhatsApp, 3 chats"
    pub sentence: String,
    pub people: Vec<String>,
    /// Titles of the conversations, the largest first, at most 50.
    pub titles: Vec<String>,
    /// Pictures and recordings that lie in the export, which may be copied.
    #[ts(type = "number")]
    pub pictures: u64,
    /// How dates were read of which nothing in the export tells it: the day before the month; none where all do.
    pub day_first: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Stage {
    Reading,
    Saving,
    Words,
    Meaning,
    Done,
}

/// Work done per stage, in messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Stages {
    pub stage: Stage,
    #[ts(type = "number")]
    pub done: u64,
    /// 0 while the total is not known.
    #[ts(type = "number")]
    pub total: u64,
    /// Messages a second, over the last seconds.
    pub rate: f32,
    /// Seconds; only falls.
    pub remaining_s: Option<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum JobState {
    Running,
    Paused,
    Done,
    Stopped,
    Failed,
}

/// An import under way or finished in this session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Job {
    #[ts(type = "number")]
    pub id: u64,
    pub names: Vec<String>,
    pub state: JobState,
    pub progress: Stages,
    /// There once the messages are saved (meaning may still be running).
    pub receipt: Option<Receipt>,
    pub trouble: Option<crate::Trouble>,
}

/// What is to be forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Target {
    Message(#[ts(as = "String")] MessageId),
    Conversation(#[ts(as = "String")] ConversationId),
    Person(#[ts(as = "String")] PersonId),
    Source(String),
    /// From (inclusive) until (exclusive), UTC milliseconds.
    Period {
        #[ts(type = "number")]
        from: i64,
        #[ts(type = "number")]
        until: i64,
    },
    /// All that an import added and no other import has.
    Import(#[ts(type = "number")] u64),
}

/// What forgetting removes (as preview) or removed (as receipt).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Forgotten {
    #[ts(type = "number")]
    pub messages: u64,
    #[ts(type = "number")]
    pub passages: u64,
    /// Conversations and people of whom nothing is left.
    #[ts(type = "number")]
    pub conversations: u64,
    #[ts(type = "number")]
    pub people: u64,
    #[ts(type = "number | null")]
    pub first: Option<i64>,
    #[ts(type = "number | null")]
    pub last: Option<i64>,
    /// "Messages": "42 from Ana in 3 conversations".
    pub sentence: String,
    /// False for a preview.
    pub done: bool,
    #[ts(type = "number")]
    pub took_ms: u64,
}
