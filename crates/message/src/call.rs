//! The one contract between a door that sends JSON and the memory: a call, its reply, and trouble.
//!
//! The desktop window sends these through Tauri, `evoke stdio` reads them line by line.

use crate::{
    ConversationId, ConversationRow, Day, DryRun, Forgotten, Found, Job, MessageId, Page, PersonId, PersonRow, Query,
    Receipt, SourceRow, Status, Target, Timeline, Unit,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `{"call": "search", "query": {…}}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "call", rename_all = "snake_case")]
#[ts(export, export_to = "types.ts")]
pub enum Call {
    Status,
    Search {
        query: Query,
    },
    /// Messages around one, in its conversation.
    Neighbours {
        #[ts(as = "String")]
        message: MessageId,
        #[ts(type = "number")]
        before: usize,
        #[ts(type = "number")]
        after: usize,
    },
    /// Messages of a conversation around an instant (UTC ms); the end where none is given.
    Conversation {
        #[ts(as = "String")]
        conversation: ConversationId,
        #[ts(type = "number | null")]
        at: Option<i64>,
        #[ts(type = "number")]
        limit: usize,
    },
    /// Counts over the whole archive, or over one query's hits.
    Timeline {
        query: Option<Query>,
        unit: Unit,
        #[ts(type = "number | null")]
        from: Option<i64>,
        #[ts(type = "number | null")]
        until: Option<i64>,
    },
    /// One local day, `2024-04-12`.
    Day {
        date: String,
        sources: Vec<String>,
    },
    Sources,
    People,
    Conversations {
        source: Option<String>,
    },
    /// Which of the people is the owner.
    SetMe {
        #[ts(as = "Vec<String>")]
        people: Vec<PersonId>,
    },
    DryRun {
        paths: Vec<String>,
        zone: Option<String>,
    },
    /// Starts a job.
    Import {
        paths: Vec<String>,
        zone: Option<String>,
        again: bool,
    },
    /// Starts a job that imports the sample archive.
    Sample,
    Jobs,
    Pause {
        #[ts(type = "number")]
        job: u64,
    },
    Resume {
        #[ts(type = "number")]
        job: u64,
    },
    /// Stops a job and keeps what is saved.
    Stop {
        #[ts(type = "number")]
        job: u64,
    },
    Receipts,
    PreviewForget {
        target: Target,
    },
    Forget {
        target: Target,
    },
    /// Open a Home that a passphrase protects.
    Unlock {
        passphrase: String,
    },
}

/// `{"reply": "found", "value": {…}}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "reply", content = "value", rename_all = "snake_case")]
#[ts(export, export_to = "types.ts")]
pub enum Reply {
    Status(Status),
    Found(Found),
    Page(Page),
    Timeline(Timeline),
    Day(Day),
    Sources(Vec<SourceRow>),
    People(Vec<PersonRow>),
    Conversations(Vec<ConversationRow>),
    DryRun(DryRun),
    Job(Job),
    Jobs(Vec<Job>),
    Receipts(Vec<Receipt>),
    Forgotten(Forgotten),
    Done,
}

/// What went wrong, for a person. Doors choose by `kind`, never by the sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "types.ts")]
pub struct Trouble {
    /// `locked`, `wrong_key`, `unknown_format`, `not_found`, `busy`, `bad_query`, `other`, …
    pub kind: String,
    /// What happened, what was not lost, what to do.
    pub message: String,
}
