//! Counts over time, and one day.

use crate::{ConversationId, ConversationKind, MessageId, Shown};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Unit {
    Hour,
    Day,
    Week,
    #[default]
    Month,
    Year,
}

/// One bar: local calendar unit beginning at `start`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Bucket {
    /// UTC milliseconds of its beginning in the zone shown; `end` is exclusive.
    #[ts(type = "number")]
    pub start: i64,
    #[ts(type = "number")]
    pub end: i64,
    #[ts(type = "number")]
    pub count: u64,
    /// Messages by source key; zero is left out.
    #[ts(type = "Record<string, number>")]
    pub by_source: BTreeMap<String, u64>,
}

/// The first and last message of a source: outside it there is no data, not silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Span {
    pub source: String,
    #[ts(type = "number")]
    pub first: i64,
    #[ts(type = "number")]
    pub last: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Timeline {
    pub unit: Unit,
    /// Without gaps between the first and the last.
    pub buckets: Vec<Bucket>,
    #[ts(type = "number")]
    pub total: u64,
    pub spans: Vec<Span>,
    /// Messages by person id and name within the range, most first, at most 20.
    pub people: Vec<crate::Facet>,
    pub zone: String,
}

/// The messages of one conversation on one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Cluster {
    #[ts(as = "String")]
    pub conversation: ConversationId,
    pub title: String,
    pub source: String,
    pub kind: ConversationKind,
    #[ts(type = "number")]
    pub count: u64,
    #[ts(type = "number")]
    pub first: i64,
    #[ts(type = "number")]
    pub last: i64,
    /// Opens the conversation here.
    #[ts(as = "String")]
    pub message: MessageId,
    pub name: String,
    pub line: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct OtherYear {
    pub year: i16,
    pub message: Shown,
}

/// One local calendar day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Day {
    /// `2024-04-12`
    pub date: String,
    #[ts(type = "number")]
    pub start: i64,
    #[ts(type = "number")]
    pub end: i64,
    #[ts(type = "number")]
    pub total: u64,
    /// One bucket an hour; 23 or 25 on the days the clock changes.
    pub hours: Vec<Bucket>,
    pub clusters: Vec<Cluster>,
    /// One message of this day in each other year that has one, newest first.
    pub other_years: Vec<OtherYear>,
}
