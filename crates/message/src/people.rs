//! People: the identities that belong to one, what speaks for two being one, and who the owner is.

use crate::{Contact, ConversationRow, PersonId, PersonRow, Shown};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Somebody as one source knows them. A person has one or more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Identity {
    #[ts(as = "String")]
    pub id: PersonId,
    pub source: String,
    /// Key within the source: a number, an address, a user id, a name.
    pub key: String,
    pub name: String,
    pub numbers: Vec<String>,
    pub addresses: Vec<String>,
    pub handles: Vec<String>,
    #[ts(type = "number")]
    pub messages: u64,
}

impl Identity {
    /// Adds what a list of contacts says of it.
    pub fn learn(&mut self, contact: &Contact) {
        let add = |into: &mut Vec<String>, more: &[String]| {
            for value in more {
                if !value.is_empty() && !into.contains(value) {
                    into.push(value.clone());
                }
            }
        };
        add(&mut self.numbers, &contact.numbers);
        add(&mut self.addresses, &contact.addresses);
        add(&mut self.handles, &contact.handles);
    }
}

/// Messages of one local month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Month {
    /// `2024-05`
    pub month: String,
    #[ts(type = "number")]
    pub count: u64,
}

/// All that is known of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct PersonPage {
    /// `first` and `last` are the first and last contact: of what they wrote and of direct talks with them.
    pub person: PersonRow,
    pub identities: Vec<Identity>,
    /// What they wrote, month by month, without gaps between the first and the last.
    pub months: Vec<Month>,
    /// Conversations in which they wrote, the latest first.
    pub conversations: Vec<ConversationRow>,
    /// Notes that mention them, the newest first, at most 50.
    pub mentions: Vec<Shown>,
    /// Of all notes that mention them.
    #[ts(type = "number")]
    pub mentioned: u64,
}

/// What speaks for two people being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "types.ts")]
pub enum EvidenceKind {
    Number,
    Address,
    /// An unusual full name, with talk in common.
    Name,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Evidence {
    pub kind: EvidenceKind,
    /// "both have the number +49 176 1234567"
    pub sentence: String,
}

/// Two people who may be one. Nothing is merged before somebody says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Suggestion {
    pub one: PersonRow,
    pub other: PersonRow,
    /// The strongest first.
    pub evidence: Vec<Evidence>,
}

/// Somebody who may be the owner, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct Guess {
    pub person: PersonRow,
    pub sentence: String,
}

/// "Which one is you?": of one import, asked once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "types.ts")]
pub struct WhoIsMe {
    #[ts(type = "number")]
    pub import: u64,
    pub names: Vec<String>,
    /// The best guess first; at most ten.
    pub guesses: Vec<Guess>,
}
