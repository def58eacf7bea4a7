//! What is asked: a typed query, and the plain filter that the database must agree with.

use crate::{ConversationId, Has, Kind, Message, PersonId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A search as a door sends it. Filters typed in `text` (`from:ana before:2024 "exact" -not`) and
/// dates in words are parsed by the memory; the other fields are what was clicked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export_to = "types.ts")]
pub struct Query {
    pub text: String,
    /// Keys of sources, as in a facet.
    pub sources: Vec<String>,
    pub kinds: Vec<Kind>,
    /// Ids of people, as in a facet.
    #[ts(as = "Vec<String>")]
    pub people: Vec<PersonId>,
    #[ts(as = "Vec<String>")]
    pub conversations: Vec<ConversationId>,
    /// What the message must carry, all of it.
    pub has: Vec<Has>,
    /// First instant searched, UTC milliseconds.
    #[ts(type = "number | null")]
    pub from: Option<i64>,
    /// First instant no longer searched, UTC milliseconds.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    pub sort: Sort,
    /// Which parts of the search run; all by default. For measuring (`evoke eval --mode`).
    pub mode: crate::hit::Mode,
    /// So many of the best hits are read in the order of time by the evolver, and ranked anew; 0 is none.
    #[ts(type = "number")]
    pub rerank: usize,
    /// Name of a published model that does so in place of the archive's own; empty is its own.
    pub rerank_with: String,
    #[ts(type = "number")]
    pub offset: usize,
    /// Hits wanted; 0 means 30.
    #[ts(type = "number")]
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum Sort {
    #[default]
    Best,
    Newest,
    Oldest,
}

/// All that passed between the owner and a person: what the person wrote, and what was said in talks with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Company {
    pub people: Vec<PersonId>,
    pub conversations: Vec<ConversationId>,
}

/// Which messages may be found. Every field is a condition; an empty list asks nothing.
/// Names are resolved to ids before they get here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub sources: Vec<String>,
    pub kinds: Vec<Kind>,
    /// `Some(vec![])` (a name nobody has) matches nothing.
    pub people: Option<Vec<PersonId>>,
    pub conversations: Option<Vec<ConversationId>>,
    /// Written by one of these people or in one of these conversations.
    pub company: Option<Company>,
    /// All of these.
    pub has: Vec<Has>,
    /// `time >= from`
    pub from: Option<i64>,
    /// `time < until`
    pub until: Option<i64>,
}

impl Filter {
    /// The plain meaning. A property test holds the database's filter to it.
    pub fn matches(&self, m: &Message) -> bool {
        let Filter { sources, kinds, people, conversations, company, has, from, until } = self;
        let person = m.sender.person(&m.source);
        let there = m.has();
        (sources.is_empty() || sources.contains(&m.source))
            && (kinds.is_empty() || kinds.contains(&m.kind))
            && people.as_ref().is_none_or(|p| p.contains(&person))
            && conversations.as_ref().is_none_or(|c| c.contains(&m.conversation))
            && company.as_ref().is_none_or(|c| c.people.contains(&person) || c.conversations.contains(&m.conversation))
            && has.iter().all(|h| there.contains(h))
            && from.is_none_or(|t| m.time >= t)
            && until.is_none_or(|t| m.time < t)
    }

    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }
}
