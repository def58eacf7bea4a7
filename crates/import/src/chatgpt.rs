//! ChatGPT data export (formats.md §1): `conversations.json`, whole or in numbered parts.
//!
//! The list of conversations is left to `conversations.rs`, what a message says to `content.rs`, pictures and uploads to
//! `assets.rs`.

mod assets;
mod content;

use crate::{
    Format, ImportError, Options,
    ai::{self, Chat, Said, Turn},
    conversations::{Conversations, Counted},
    export::Export,
    json::{self, Found, Opening, Piece, Rules, Walk, Want, hunt},
    out::Out,
    text::utf8,
    time, tree,
};
use assets::Assets;
use evoke_message::{Kind, Sender};
use serde_json::Value;
use std::collections::HashMap;

pub(crate) const FORMAT: Format = Format {
    key: "chatgpt",
    label: "ChatGPT",
    kind: Kind::Ai,
    how_to_export: "In ChatGPT: Settings, Data controls, Export data. A link to a zip comes by mail; choose that zip.",
    detect,
    read,
};

/// Fields of a conversation that are read, besides its messages.
const HEADER: [&str; 6] = ["title", "create_time", "update_time", "current_node", "id", "conversation_id"];

/// Kinds of values in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Conversation,
    Header,
    Mapping,
    Node,
}

fn is_conversation(keys: &[&str]) -> bool {
    keys.contains(&"mapping") && HEADER.iter().any(|k| keys.contains(k))
}

fn is_node(keys: &[&str]) -> bool {
    keys.contains(&"message") && (keys.contains(&"children") || keys.contains(&"parent"))
}

/// The parts of the export in the order of their numbers.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let fits = |keys: &[&str]| is_conversation(keys) || is_node(keys);
    let mut files = export.json_files(|head| hunt(head, fits));
    let number = |i: &usize| -> u64 {
        let digits: String = export
            .files()
            .get(*i)
            .map(|f| f.file_name().chars().filter(char::is_ascii_digit).collect())
            .unwrap_or_default();
        digits.parse().unwrap_or(0)
    };
    files.sort_by_key(number);
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let assets = Assets::of(export);
    for &file in files {
        Conversations::of(export, file, options).each(is_conversation, out, |all, piece, broken, out| {
            Reading { all, assets: &assets }.conversation(piece, broken, out);
        })?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// A conversation being read.
struct Reading<'a, 'b> {
    all: &'a mut Conversations<'b>,
    assets: &'a Assets,
}

impl Reading<'_, '_> {
    /// Hands out what can be read of it. `broken`: why it is not whole.
    fn conversation(&mut self, piece: &Piece, broken: Option<&'static str>, out: &mut Out) {
        let mut taken = self.take_apart(piece, false);
        if taken.nodes.is_empty() {
            // The name "mapping" itself may be what is damaged.
            taken = self.take_apart(piece, true);
        }
        let damage = broken.or(taken.damage);
        if damage.is_some() {
            taken.find_lost_header(&piece.bytes);
        }
        let messages = taken.nodes.iter().filter(|n| !matches!(n.turn.said, Said::Nothing)).count();
        let any_failed = taken.nodes.iter().any(|n| matches!(n.turn.said, Said::Failed(_)));
        if self.all.counted(piece, &Counted { messages, any_failed, has_list: taken.mapping, damage }, out) {
            taken.put(self.all.options, out);
        }
    }

    /// Header and nodes of a conversation. With `any`, every object and list in it is tried as the mapping: its name may be
    /// damaged, and pages of shared chats have a list of nodes in its place.
    fn take_apart(&mut self, piece: &Piece, any: bool) -> Taken {
        let want = |inside: Option<It>, key: &str, opening| match (inside, key, opening) {
            (None, _, Opening::Object) => Want::Enter(It::Conversation),
            (Some(It::Conversation), "mapping", Opening::Object) => Want::Enter(It::Mapping),
            (Some(It::Conversation), key, Opening::Plain) if HEADER.contains(&key) => Want::Whole(It::Header),
            (Some(It::Conversation), _, Opening::Object | Opening::Array) if any => Want::Enter(It::Mapping),
            (Some(It::Mapping), ..) => Want::Whole(It::Node),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| is_node(keys).then_some(It::Mapping);
        let mut taken = Taken::default();
        let Ok(input) = utf8(piece.bytes.as_slice()) else { return taken };
        for found in Walk::new(input, usize::MAX, Rules { want: &want, looks: &looks }) {
            match found {
                Found::Opened(It::Mapping) => taken.mapping = true,
                Found::Value(It::Header, field) => {
                    if let Ok(value) = self.all.parsed(&field, None) {
                        taken.header.insert(field.key, value);
                    }
                }
                Found::Value(_, node) => self.node(&node, None, any, &mut taken.nodes),
                Found::Broken { what: Some(It::Node), piece, reason } => {
                    self.node(&piece, Some(reason), any, &mut taken.nodes)
                }
                Found::Broken { reason, .. } => taken.damage = Some(reason),
                _ => {}
            }
        }
        taken
    }

    fn node(&mut self, piece: &Piece, broken: Option<&'static str>, any: bool, nodes: &mut Vec<Node>) {
        let parsed = self.all.parsed(piece, broken);
        if any && parsed.as_ref().is_ok_and(|n| n.get("message").is_none()) {
            return;
        }
        let number = nodes.iter().filter(|n| !matches!(n.turn.said, Said::Nothing)).count() as u64 + 1;
        let place = self.all.place(number);
        let mut node = Node::new(&piece.key, parsed, place, self.assets);
        if node.turn.id.is_empty() {
            node.turn.id = format!("number {}", nodes.len());
        }
        nodes.push(node);
    }
}

/// A conversation taken apart.
#[derive(Default)]
struct Taken {
    header: HashMap<String, Value>,
    nodes: Vec<Node>,
    /// There was a mapping, though it may be empty.
    mapping: bool,
    damage: Option<&'static str>,
}

impl Taken {
    fn field(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str).filter(|s| !s.is_empty())
    }

    /// Behind the damage, the fields of the conversation come after those of its messages.
    fn find_lost_header(&mut self, bytes: &[u8]) {
        for name in ["current_node", "conversation_id"] {
            if self.field(name).is_none()
                && let Some(value) = json::last_text(bytes, name)
            {
                self.header.insert(name.to_owned(), Value::String(value));
            }
        }
    }

    fn put(self, options: &Options, out: &mut Out) {
        let links: Vec<_> = self.nodes.iter().map(Node::link).collect();
        let parents = tree::parents(&links);
        let newest = || (0..self.nodes.len()).rev().max_by_key(|i| self.nodes.get(*i).and_then(|n| n.turn.time));
        let current = self.field("current_node").and_then(|id| self.nodes.iter().position(|n| n.turn.id == id));
        let active = tree::active(&parents, current.or_else(newest).unwrap_or(0));
        let key = self.field("conversation_id").or(self.field("id")).map(str::to_owned);
        let chat = Chat {
            source: FORMAT.key,
            assistant: FORMAT.label,
            key: key.unwrap_or_else(|| {
                self.nodes.first().map(|n| format!("without id, from {}", n.turn.id)).unwrap_or_default()
            }),
            title: self.field("title").unwrap_or_default().to_owned(),
            created: self.header.get("create_time").and_then(moment),
            updated: self.header.get("update_time").and_then(moment),
        };
        let turns = self.nodes.into_iter().map(|n| n.turn).collect();
        ai::put(&chat, turns, &parents, &active, options, out);
    }
}

struct Node {
    parent: Option<String>,
    children: Vec<String>,
    turn: Turn,
}

impl Node {
    fn new(key: &str, parsed: Result<Value, String>, place: evoke_message::Place, assets: &Assets) -> Self {
        let node = parsed.as_ref().unwrap_or(&Value::Null);
        let text = |pointer: &str| node.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let children = node.get("children").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let written = node.pointer("/message/create_time").filter(|t| !t.is_null());
        let said = match (&parsed, node.get("message")) {
            (Err(reason), _) => Said::Failed(reason.clone()),
            (Ok(_), Some(Value::Null)) => Said::Nothing,
            (Ok(_), Some(message)) => content::read(message, assets),
            (Ok(_), None) => Said::Failed("there is no message where one should be".to_owned()),
        };
        let own = || text("/id").or_else(|| text("/message/id")).unwrap_or_default();
        let id = if key.is_empty() { own() } else { key.to_owned() };
        Node {
            parent: text("/parent"),
            children: children.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            turn: Turn {
                id,
                sender: speaker(node),
                time: written.and_then(moment),
                time_original: written.map(Value::to_string).unwrap_or_default(),
                place,
                said,
            },
        }
    }

    fn link(&self) -> tree::Link<'_> {
        tree::Link {
            id: &self.turn.id,
            parent: self.parent.as_deref(),
            children: self.children.iter().map(String::as_str).collect(),
        }
    }
}

fn speaker(node: &Value) -> Sender {
    let name = node.pointer("/message/author/name").and_then(Value::as_str).filter(|n| !n.is_empty());
    match node.pointer("/message/author/role").and_then(Value::as_str) {
        Some("user") => ai::me(),
        Some("assistant") => ai::other("assistant", FORMAT.label),
        Some("system") => ai::other("system", "System"),
        Some(role) => ai::other(name.unwrap_or(role), name.unwrap_or(role)),
        None => ai::other("unknown", "Unknown"),
    }
}

/// Seconds as a number, or as text in some exports.
fn moment(value: &Value) -> Option<i64> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    seconds.and_then(time::from_number)
}
