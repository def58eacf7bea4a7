//! What exports of chats with AIs in JSON have in common (formats.md §6): conversations in a list, each
//! held whole. The shape of a service is a [`Shape`]; what its messages say is left to its own file.

use crate::{
    ImportError, Options,
    agent::mark,
    ai::{self, Chat, Piece, Said, Turn},
    export::Export,
    json::{self, Found, Opening, Rules, Walk, Want},
    out::Out,
    text::utf8,
    tree,
};
use evoke_message::{Attachment, Part, Role, Sender};
use serde_json::Value;
use std::collections::HashSet;

/// How one service writes conversations.
pub(crate) struct Shape {
    pub(crate) source: &'static str,
    pub(crate) assistant: &'static str,
    /// Names of lists of conversations in an object around them.
    pub(crate) lists: &'static [&'static str],
    /// A list at the top is one conversation, not many.
    pub(crate) bare: bool,
    /// A conversation without a title has that of its file.
    pub(crate) named_by_file: bool,
    pub(crate) is_conversation: fn(&[&str]) -> bool,
    /// None: not a conversation of this service.
    pub(crate) take: fn(&Value) -> Option<Taken>,
}

/// A conversation taken apart.
#[derive(Default)]
pub(crate) struct Taken {
    /// Empty: none in the export; its first messages stand for it.
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) created: Option<i64>,
    pub(crate) updated: Option<i64>,
    pub(crate) entries: Vec<Entry>,
    /// Id of the last message of the branch that was kept.
    pub(crate) current: Option<String>,
}

/// One message of it.
pub(crate) struct Entry {
    /// Empty: none in the export.
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) children: Vec<String>,
    pub(crate) sender: Sender,
    pub(crate) time: Option<i64>,
    pub(crate) time_original: String,
    pub(crate) said: Said,
}

impl Entry {
    /// A message by one of the usual names of its role, with the pieces it consists of.
    pub(crate) fn new(shape: &Shape, role: &str, time: &Value, said: Said) -> Self {
        let sender = match role_of(role) {
            Role::Human => ai::me(),
            Role::Assistant => ai::other("assistant", shape.assistant),
            Role::Tool => ai::other("tool", "Tool"),
            Role::System => ai::other("system", "System"),
        };
        Self {
            id: String::new(),
            parent: None,
            children: Vec::new(),
            sender,
            time: crate::agent::moment(time),
            time_original: crate::agent::as_written(time),
            said,
        }
    }
}

/// Who speaks, by the names that services give to roles.
pub(crate) fn role_of(name: &str) -> Role {
    match name.to_ascii_lowercase().as_str() {
        "user" | "human" | "request" | "me" | "you" | "prompt" => Role::Human,
        "tool" | "function" | "tool_result" => Role::Tool,
        "system" | "developer" => Role::System,
        _ => Role::Assistant,
    }
}

/// Pieces of a message; the text comes last. Without any, it is an empty message.
pub(crate) fn pieces(mut asides: Vec<Piece>, role: Role, text: &str, attachments: Vec<Attachment>) -> Said {
    if !text.trim().is_empty() || !attachments.is_empty() {
        let part = if role == Role::Tool { Part::Tool } else { Part::Text };
        asides.push(Piece { part, role, text: text.trim().to_owned(), attachments });
    }
    if asides.is_empty() { Said::Skipped("empty message".into()) } else { Said::Pieces(asides) }
}

/// A thought or a tool's words beside a message; none without words.
pub(crate) fn aside(part: Part, text: &str) -> Option<Piece> {
    let text = ai::tool_text(text);
    (!text.is_empty()).then(|| Piece { part, role: Role::Assistant, text, attachments: Vec::new() })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Wrapper,
    List,
    Conversation,
}

/// Reads files of this shape.
pub(crate) fn read(
    shape: &Shape,
    export: &Export,
    files: &[usize],
    options: &Options,
    out: &mut Out,
) -> Result<(), ImportError> {
    for &file in files {
        let mut reading = Reading { shape, export, file, options, records: 0, lost: 0 };
        reading.file(out)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

struct Reading<'a> {
    shape: &'a Shape,
    export: &'a Export,
    file: usize,
    options: &'a Options,
    records: u64,
    lost: u64,
}

impl Reading<'_> {
    fn file(&mut self, out: &mut Out) -> Result<(), ImportError> {
        let shape = self.shape;
        let head = self.export.head(self.file)?;
        let alone = (shape.is_conversation)(&json::keys(head.trim_ascii_start()));
        let want = |inside: Option<It>, key: &str, opening| match (inside, opening) {
            (None, Opening::Object) if alone => Want::Whole(It::Conversation),
            (None, Opening::Array) if shape.bare => Want::Whole(It::Conversation),
            (None, Opening::Object) => Want::Enter(It::Wrapper),
            (None, Opening::Array) => Want::Enter(It::List),
            (Some(It::Wrapper), Opening::Object) if key == "data" => Want::Enter(It::Wrapper),
            (Some(It::Wrapper), Opening::Array | Opening::Object) if shape.lists.contains(&key) => {
                Want::Enter(It::List)
            }
            (Some(It::List), Opening::Object | Opening::Array) => Want::Whole(It::Conversation),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| (shape.is_conversation)(keys).then_some(It::List);
        let input = utf8(self.export.open(self.file)?).map_err(|e| self.export.trouble(self.file, e))?;
        let mut walk = Walk::new(input, self.options.limits.record, Rules { want: &want, looks: &looks });
        for found in walk.by_ref() {
            match found {
                Found::Value(_, piece) => match json::parse::<Value>(&piece.bytes) {
                    Ok((value, lost)) => {
                        self.lost += lost;
                        self.conversation(&value, None, out);
                    }
                    Err(e) => self.failed(&format!("a conversation cannot be read ({e})"), out),
                },
                Found::Broken { piece, reason, .. } => {
                    if piece.bytes.iter().any(u8::is_ascii_alphanumeric) {
                        let before = json::before_damage(&piece.bytes).unwrap_or(Value::Null);
                        self.conversation(&before, Some(reason), out);
                    }
                }
                Found::TooLong { bytes, .. } => {
                    self.failed(&format!("a conversation of {} MB is longer than Evoke reads", bytes >> 20), out);
                }
                Found::Opened(_) | Found::Closed(_) => {}
            }
            if out.stopped() {
                return Ok(());
            }
        }
        out.file_ended(self.file, self.lost, walk.trouble())
    }

    fn failed(&mut self, reason: &str, out: &mut Out) {
        self.records += 1;
        let _ = out.failed(reason, self.export.place(self.file, self.records));
    }

    fn conversation(&mut self, value: &Value, broken: Option<&'static str>, out: &mut Out) {
        let taken = (self.shape.take)(value);
        let counted =
            taken.as_ref().map_or(0, |t| t.entries.iter().filter(|e| !matches!(e.said, Said::Nothing)).count());
        if let Some(reason) = broken {
            self.failed(&format!("a conversation is damaged ({reason}); {counted} of its messages could be read"), out);
        }
        match taken {
            Some(taken) if counted > 0 => self.put(taken, out),
            Some(_) if broken.is_none() => {
                self.records += 1;
                let _ = out.skipped("conversation without messages", self.export.place(self.file, self.records));
            }
            None if broken.is_none() => self.failed("this is not a conversation", out),
            _ => {}
        }
    }

    fn put(&mut self, mut taken: Taken, out: &mut Out) {
        name_the_nameless(&mut taken.entries);
        if taken.key.is_empty() {
            let first = taken.entries.iter().filter(|e| !matches!(e.said, Said::Nothing)).take(2);
            let first: Vec<String> = first.map(|e| format!("{}{}", e.time_original, e.id)).collect();
            let parts: Vec<&str> = first.iter().map(String::as_str).collect();
            let created = taken.created.unwrap_or_default().to_string();
            taken.key = format!("without id, {:016x}{:016x}", mark(&[&created]), mark(&parts));
        }
        let links: Vec<tree::Link> = taken.entries.iter().map(link).collect();
        let parents = tree::parents(&links);
        let active = match self.branch(&taken, &parents) {
            Some(leaf) => tree::active(&parents, leaf),
            None => vec![true; taken.entries.len()],
        };
        let file = self.export.files().get(self.file);
        let modified = file.and_then(|f| f.modified);
        if taken.title.is_empty() && self.shape.named_by_file {
            taken.title = file.map_or("", |f| f.file_name().trim_end_matches(".json")).to_owned();
        }
        let chat = Chat {
            source: self.shape.source,
            assistant: self.shape.assistant,
            key: taken.key,
            title: taken.title,
            created: taken.created.or_else(|| taken.entries.iter().find_map(|e| e.time)).or(modified),
            updated: taken.updated,
        };
        let mut turns = Vec::with_capacity(taken.entries.len());
        for entry in taken.entries {
            self.records += u64::from(!matches!(entry.said, Said::Nothing));
            let place = self.export.place(self.file, self.records);
            let Entry { id, sender, time, time_original, said, .. } = entry;
            turns.push(Turn { id, sender, time, time_original, place, said });
        }
        ai::put(&chat, turns, &parents, &active, self.options, out);
    }

    /// The last message of the branch that was kept; none where there are no branches.
    fn branch(&self, taken: &Taken, parents: &[Option<usize>]) -> Option<usize> {
        let linked = taken.entries.iter().any(|e| e.parent.is_some() || !e.children.is_empty());
        if !linked {
            return None;
        }
        let named = taken.current.as_deref().and_then(|id| taken.entries.iter().position(|e| e.id == id));
        let mut answered = vec![false; parents.len()];
        for parent in parents.iter().flatten() {
            if let Some(flag) = answered.get_mut(*parent) {
                *flag = true;
            }
        }
        let leaves = (0..parents.len()).filter(|i| answered.get(*i) == Some(&false));
        named.or_else(|| leaves.max_by_key(|i| (taken.entries.get(*i).and_then(|e| e.time), *i)))
    }
}

fn link(entry: &Entry) -> tree::Link<'_> {
    tree::Link {
        id: &entry.id,
        parent: entry.parent.as_deref(),
        children: entry.children.iter().map(String::as_str).collect(),
    }
}

/// Messages without ids are known by what they say, and a count among those that say the same.
fn name_the_nameless(entries: &mut [Entry]) {
    let mut counts = std::collections::HashMap::<u64, u32>::new();
    let mut taken: HashSet<String> = HashSet::new();
    for entry in entries {
        if !entry.id.is_empty() && taken.insert(entry.id.clone()) {
            continue;
        }
        let said = match &entry.said {
            Said::Pieces(pieces) => pieces.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n"),
            Said::Skipped(reason) => reason.to_string(),
            Said::Failed(reason) => reason.clone(),
            Said::Nothing => String::new(),
        };
        let said = evoke_message::normalise(&said);
        let hash = mark(&[&entry.sender.key, &entry.time_original, &said]);
        let count = counts.entry(hash).or_default();
        entry.id = format!("{hash:016x} {count}");
        *count += 1;
    }
}

/// Files that may be JSON whose objects have these keys.
pub(crate) fn detect(export: &Export, fits: impl Fn(&[&str]) -> bool) -> Option<Vec<usize>> {
    let files = export.json_files(|head| json::hunt(head, &fits));
    (!files.is_empty()).then_some(files)
}
