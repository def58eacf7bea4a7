//! The one contract between a door that sends JSON and the memory: a call, its reply, and trouble.
//!
//! The desktop window sends these through Tauri, `evoke stdio` reads them line by line.

use crate::{
    ConversationId, ConversationRow, Day, Discovered, DryRun, Duplicate, FileShown, Forgotten, Found, ImportShown, Job,
    MessageId, Page, PersonId, PersonPage, PersonRow, Provenance, Query, Receipt, SourceRow, Status, Suggestion,
    Target, Timeline, Unit, WatchedRow, WhoIsMe,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `{"call": "search", "query": {…}}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "call", rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
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
        /// How dates are to be read that nothing in the export tells how to read.
        #[serde(default)]
        day_first: Option<bool>,
    },
    /// Starts a job.
    Import {
        paths: Vec<String>,
        zone: Option<String>,
        again: bool,
        /// What the owner is called in these exports, where they do not say it.
        #[serde(default)]
        me: Option<String>,
        /// Keep copies of pictures and recordings in the vault.
        #[serde(default)]
        copy_files: bool,
        /// As in `DryRun`.
        #[serde(default)]
        day_first: Option<bool>,
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
    /// An import with every record that was not kept.
    ShowImport {
        #[ts(type = "number")]
        import: u64,
    },
    /// Writes the records of an import that were not kept as CSV to a file.
    ExportLost {
        #[ts(type = "number")]
        import: u64,
        path: String,
    },
    /// Takes back all that an import did, and nothing else.
    UndoImport {
        #[ts(type = "number")]
        import: u64,
    },
    /// A person with identities, contact, conversations and mentions.
    Person {
        #[ts(as = "String")]
        person: PersonId,
    },
    /// People who may be one.
    SuggestPeople,
    /// Makes people one; the first stands for all.
    MergePeople {
        #[ts(as = "Vec<String>")]
        people: Vec<PersonId>,
    },
    /// Takes an identity out of its person.
    SplitPerson {
        #[ts(as = "String")]
        identity: PersonId,
    },
    /// These are different people: not suggested again.
    NotTheSame {
        #[ts(as = "Vec<String>")]
        people: Vec<PersonId>,
    },
    /// Imports of which nobody has said yet who the owner is.
    WhoIsMe,
    /// Says who the owner is in an import; nobody where the list is empty.
    AnswerMe {
        #[ts(type = "number")]
        import: u64,
        #[ts(as = "Vec<String>")]
        people: Vec<PersonId>,
    },
    /// The file attached to a message, number `file` from 0.
    File {
        #[ts(as = "String")]
        message: MessageId,
        #[ts(type = "number")]
        file: usize,
    },
    /// Where a message was seen.
    Provenances {
        #[ts(as = "String")]
        message: MessageId,
    },
    /// Messages that were found to be copies of others.
    Duplicates,
    /// Shows a copy as a message of its own again, and keeps it so.
    UndoDuplicate {
        #[ts(as = "String")]
        message: MessageId,
    },
    /// Reads the wall times of a source in a zone.
    SetZone {
        source: String,
        zone: String,
    },
    /// What could be imported from this computer.
    Discover,
    Watched,
    /// Keeps a folder up to date from now on.
    AddWatched {
        path: String,
    },
    /// No longer; what was read of it stays.
    RemoveWatched {
        path: String,
    },
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
#[ts(export_to = "types.ts")]
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
    Import(ImportShown),
    Person(PersonPage),
    Suggestions(Vec<Suggestion>),
    WhoIsMe(Vec<WhoIsMe>),
    File(FileShown),
    Provenances(Vec<Provenance>),
    Duplicates(Vec<Duplicate>),
    Discovered(Vec<Discovered>),
    Watched(Vec<WatchedRow>),
    Done,
}

/// What went wrong, for a person. Doors choose by `kind`, never by the sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Trouble {
    /// `locked`, `wrong_key`, `unknown_format`, `not_found`, `busy`, `bad_query`, `other`, …
    pub kind: String,
    /// What happened, what was not lost, what to do.
    pub message: String,
}
