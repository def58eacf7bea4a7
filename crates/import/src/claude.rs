//! Claude.ai data export (formats.md §2): `conversations.json`, and single chats saved by browser
//! extensions in the same shape.
//!
//! The list of conversations is left to `conversations.rs`, what a message says to `content.rs`, projects to `projects.rs`.

mod content;
mod projects;

use crate::{
    Format, ImportError, Options,
    ai::{self, Chat, Said, Turn},
    conversations::{Conversations, Counted},
    export::Export,
    json::{Found, Opening, Piece, Rules, Walk, Want, hunt},
    out::Out,
    text::utf8,
    time, tree,
};
use evoke_message::{Kind, Place};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

pub(crate) const FORMAT: Format = Format {
    key: "claude",
    label: "Claude",
    kind: Kind::Ai,
    how_to_export: "On claude.ai: Settings, Privacy, Export data. A link to a zip comes by mail; choose that zip.",
    detect,
    read,
};

/// Fields of a conversation that are read, besides its messages.
const HEADER: [&str; 5] = ["uuid", "name", "title", "created_at", "updated_at"];
/// What the first message names as the one it answers.
const NOBODY: [&str; 2] = ["00000000-0000-0000-0000-000000000000", "00000000-0000-4000-8000-000000000000"];

/// Kinds of values in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Conversation,
    Header,
    Messages,
    Message,
}

fn is_conversation(keys: &[&str]) -> bool {
    keys.contains(&"chat_messages")
}

fn is_message(keys: &[&str]) -> bool {
    keys.contains(&"sender") && keys.contains(&"uuid") && (keys.contains(&"text") || keys.contains(&"content"))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = export.json_files(|head| hunt(head, |keys| is_conversation(keys) || is_message(keys)));
    files.extend(projects::detect(export).into_iter().filter(|i| !files.contains(i)).collect::<Vec<_>>());
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &file in files {
        match projects::is_own(export, file) {
            true => projects::read(export, file, options, out)?,
            false => Conversations::of(export, file, options).each(is_conversation, out, conversation)?,
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// Hands out what can be read of a conversation. `broken`: why it is not whole.
fn conversation(all: &mut Conversations, piece: &Piece, broken: Option<&'static str>, out: &mut Out) {
    let taken = Taken::apart(piece, all);
    let any_failed = taken.answers.iter().any(|a| matches!(a.turn.said, Said::Failed(_)));
    let damage = broken.or(taken.damage);
    let counted = Counted { messages: taken.answers.len(), any_failed, has_list: taken.messages, damage };
    if all.counted(piece, &counted, out) {
        taken.put(all.options, out);
    }
}

/// A conversation taken apart.
#[derive(Default)]
struct Taken {
    header: HashMap<String, Value>,
    answers: Vec<Answer>,
    /// There was a list of messages, though it may be empty.
    messages: bool,
    damage: Option<&'static str>,
}

impl Taken {
    /// Header and messages of a conversation; any list in it may be that of the messages, for its
    /// name may be what is damaged.
    fn apart(piece: &Piece, all: &mut Conversations) -> Self {
        let want = |inside: Option<It>, key: &str, opening| match (inside, key, opening) {
            (None, _, Opening::Object) => Want::Enter(It::Conversation),
            (Some(It::Conversation), _, Opening::Array) => Want::Enter(It::Messages),
            (Some(It::Conversation), key, Opening::Plain) if HEADER.contains(&key) => Want::Whole(It::Header),
            (Some(It::Messages), ..) => Want::Whole(It::Message),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| is_message(keys).then_some(It::Messages);
        let mut taken = Self::default();
        let Ok(input) = utf8(piece.bytes.as_slice()) else { return taken };
        for found in Walk::new(input, usize::MAX, Rules { want: &want, looks: &looks }) {
            match found {
                Found::Opened(It::Messages) => taken.messages = true,
                Found::Value(It::Header, field) => {
                    if let Ok(value) = all.parsed(&field, None) {
                        taken.header.insert(field.key, value);
                    }
                }
                Found::Value(_, message) => taken.message(&message, None, all),
                Found::Broken { what: Some(It::Message), piece, reason } => {
                    taken.message(&piece, Some(reason), all);
                }
                Found::Broken { reason, .. } => taken.damage = Some(reason),
                _ => {}
            }
        }
        taken
    }

    fn message(&mut self, piece: &Piece, broken: Option<&'static str>, all: &mut Conversations) {
        let parsed = all.parsed(piece, broken);
        let place = all.place(self.answers.len() as u64 + 1);
        self.answers.push(match parsed {
            Ok(message) => Answer::new(&message, place),
            Err(reason) => Answer { parent: Parent::Before, turn: turn(&Value::Null, place, Said::Failed(reason)) },
        });
    }

    fn field(&self, name: &str) -> &str {
        self.header.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn put(self, options: &Options, out: &mut Out) {
        let parents = tree::parents(&self.links());
        let mut answered = vec![false; parents.len()];
        for parent in parents.iter().flatten() {
            if let Some(flag) = answered.get_mut(*parent) {
                *flag = true;
            }
        }
        let leaves = (0..parents.len()).filter(|i| answered.get(*i) == Some(&false));
        let newest = leaves.max_by_key(|i| (self.answers.get(*i).and_then(|a| a.turn.time), *i));
        let active = tree::active(&parents, newest.unwrap_or(0));
        let first = self.answers.first().map(|a| a.turn.id.as_str()).unwrap_or_default();
        let chat = Chat {
            source: FORMAT.key,
            assistant: FORMAT.label,
            key: match self.field("uuid") {
                "" => format!("without id, from {first}"),
                uuid => uuid.to_owned(),
            },
            title: [self.field("name"), self.field("title")]
                .into_iter()
                .find(|t| !t.is_empty())
                .unwrap_or_default()
                .to_owned(),
            created: time::iso(self.field("created_at")),
            updated: time::iso(self.field("updated_at")),
        };
        let turns = self.answers.into_iter().map(|a| a.turn).collect();
        ai::put(&chat, turns, &parents, &active, options, out);
    }

    /// A message that names none, or one that is not there, answers the one before it.
    fn links(&self) -> Vec<tree::Link<'_>> {
        let known: HashSet<&str> = self.answers.iter().map(|a| a.turn.id.as_str()).collect();
        let before = std::iter::once(None).chain(self.answers.iter().map(|a| Some(a.turn.id.as_str())));
        let link = |(answer, before): (&'_ Answer, Option<&'_ str>)| match &answer.parent {
            Parent::Nobody => None,
            Parent::Named(id) if known.contains(id.as_str()) => Some(id.clone()),
            Parent::Named(_) | Parent::Before => before.map(str::to_owned),
        };
        let parents: Vec<_> = self.answers.iter().zip(before).map(link).collect();
        self.answers
            .iter()
            .zip(parents)
            .map(|(a, parent)| tree::Link {
                id: &a.turn.id,
                parent: parent.and_then(|p| known.get(p.as_str()).copied()),
                children: Vec::new(),
            })
            .collect()
    }
}

/// Which message one answers.
enum Parent {
    Nobody,
    Named(String),
    Before,
}

struct Answer {
    parent: Parent,
    turn: Turn,
}

impl Answer {
    fn new(message: &Value, place: Place) -> Self {
        let parent = match message.get("parent_message_uuid").and_then(Value::as_str) {
            Some(id) if NOBODY.contains(&id) => Parent::Nobody,
            Some(id) if !id.is_empty() => Parent::Named(id.to_owned()),
            _ => Parent::Before,
        };
        Self { parent, turn: turn(message, place, content::read(message)) }
    }
}

fn turn(message: &Value, place: Place, said: Said) -> Turn {
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let sender = match text("sender") {
        "human" | "user" => ai::me(),
        "assistant" => ai::other("assistant", FORMAT.label),
        _ => ai::other("unknown", "Unknown"),
    };
    // A damaged message keeps a name of its own, so that others can follow it.
    let id = match text("uuid") {
        "" => format!("number {}", place.at),
        uuid => uuid.to_owned(),
    };
    let written = text("created_at");
    Turn { id, sender, time: time::iso(written), time_original: written.to_owned(), place, said }
}
