//! Chats with AIs in JSON that no other format knows (formats.md §6): a list of messages with a role and
//! a text, alone or in conversations, or one a line. Tried after every format that knows its service.

use crate::{
    Format, ImportError, Options,
    agent::{moment, words},
    ai::Said,
    ai_chats::{self, Entry, Shape, Taken, pieces, role_of},
    export::Export,
    json,
    out::Out,
    transcript::{self, Dialect, Line},
    values::{array, first_text, text},
};
use evoke_message::{Kind, Part};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "ai_chat",
    label: "Other AI chats (JSON)",
    kind: Kind::Ai,
    how_to_export: "Any JSON file with a list of messages that have a role (user, assistant) and a content or text, alone or in conversations.",
    detect,
    read,
};

const ROLES: [&str; 4] = ["role", "sender", "author", "from"];
const TEXTS: [&str; 6] = ["content", "text", "message", "parts", "say", "value"];
const LISTS: [&str; 6] = ["messages", "conversation", "turns", "history", "chat", "linear_conversation"];
const PERSONS: [&str; 3] = ["user", "human", "prompt"];
const MACHINES: [&str; 8] = ["assistant", "ai", "bot", "model", "system", "chatbot", "gpt", "response"];
/// In some files this list holds messages, in others conversations.
const EITHER: &str = "conversations";

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: "Assistant",
    lists: &["conversations", "chats", "threads", "data", "items"],
    bare: false,
    named_by_file: true,
    is_conversation: |keys| LISTS.iter().any(|list| keys.contains(list)),
    take,
};

fn is_message(keys: &[&str]) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| keys.contains(name));
    has(&ROLES) && has(&TEXTS) && !has(&["type_id", "guild", "channel", "from_id"])
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = export.json_files(|head| json::hunt(head, is_message) && speaks(head));
    let lines = transcript::detect(export, &LINES).into_iter();
    let lines = lines.filter(|i| !files.contains(i) && export.head(*i).is_ok_and(|head| speaks(&head)));
    files.extend(lines.collect::<Vec<_>>());
    (!files.is_empty()).then_some(files)
}

/// True where a role is one of those that speak with an AI, and one of them is a person.
fn speaks(head: &[u8]) -> bool {
    let plain: String = String::from_utf8_lossy(head).chars().filter(|c| !c.is_whitespace()).collect();
    let plain = plain.to_ascii_lowercase();
    let said = |speaker: &str| ROLES.iter().any(|role| plain.contains(&format!("\"{role}\":\"{speaker}\"")));
    PERSONS.into_iter().any(said) && (MACHINES.into_iter().any(said) || !plain.contains("\"from\":"))
}

/// Keys of the first object in `head`, or of the first one behind `after`.
fn first_keys<'h>(head: &'h [u8], after: &str) -> Vec<&'h str> {
    let found = head.windows(after.len().max(1)).position(|w| w == after.as_bytes()).unwrap_or_default();
    let rest = head.get(found..).unwrap_or_default();
    rest.iter().position(|b| *b == b'{').and_then(|at| rest.get(at..)).map(json::keys).unwrap_or_default()
}

const LINES: Dialect =
    Dialect { source: FORMAT.key, assistant: SHAPE.assistant, is_own: |line| is_message(&keys(line)), line };

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn line(line: &Value) -> Line {
    match role(line) {
        "" => Line::Other("a note of the program"),
        role => Line::Said(transcript::Said {
            role: role.to_owned(),
            time: time_field(line).clone(),
            parts: vec![(Part::Text, said(line))],
            attachments: Vec::new(),
        }),
    }
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for file in files {
        let head = export.head(*file)?;
        let head = head.trim_ascii_start();
        let first = first_keys(head, "");
        if head.starts_with(b"{") && is_message(&first) && !(SHAPE.is_conversation)(&first) {
            transcript::read(&LINES, export, *file, options, out)?;
        } else {
            let bare = head.starts_with(b"[") && is_message(&first);
            let of_messages = first.contains(&EITHER) && is_message(&first_keys(head, &format!("\"{EITHER}\"")));
            let is_conversation = if of_messages { holds_messages } else { SHAPE.is_conversation };
            ai_chats::read(&Shape { bare, is_conversation, ..SHAPE }, export, &[*file], options, out)?;
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

fn holds_messages(keys: &[&str]) -> bool {
    keys.contains(&EITHER)
}

fn take(value: &Value) -> Option<Taken> {
    let lists = || LISTS.iter().chain([&EITHER]);
    let messages = match value {
        Value::Array(messages) => messages.as_slice(),
        _ => lists().map(|name| array(value, name)).find(|messages| !messages.is_empty()).unwrap_or_default(),
    };
    let known = value.is_array() || lists().any(|name| value.get(*name).is_some_and(Value::is_array));
    let about = value.get("metadata").unwrap_or(&Value::Null);
    let mut entries = Vec::new();
    messages.iter().for_each(|message| add(message, 0, &mut entries));
    known.then(|| Taken {
        key: first_text(value, &["id", "uuid", "conversation_id", "conversationId", "chat_id", "chatID", "thread_id"])
            .to_owned(),
        title: [first_text(value, &["title", "name", "subject", "chatTitle"]), text(about, "title")]
            .into_iter()
            .find(|t| !t.is_empty())
            .unwrap_or_default()
            .to_owned(),
        created: moment(time_field(value)),
        updated: ["updated_at", "updatedAt", "update_time"].iter().find_map(|k| value.get(*k).and_then(moment)),
        entries,
        current: None,
    })
}

/// Answers to answers beyond this are an attack.
const DEEPEST: usize = 100;

/// A message, and those that some programs keep inside of it: its answers.
fn add(message: &Value, depth: usize, entries: &mut Vec<Entry>) {
    entries.push(entry(message));
    let answers = array(message, "children").iter().filter(|child| child.is_object() && depth < DEEPEST);
    answers.for_each(|answer| add(answer, depth + 1, entries));
}

const TIMES: [&str; 8] =
    ["timestamp", "time", "created_at", "createdAt", "create_time", "created", "date", "inserted_at"];

fn time_field(value: &Value) -> &Value {
    let times = TIMES.iter().filter_map(|key| value.get(*key)).filter(|t| !t.is_null());
    times.into_iter().find(|t| moment(t).is_some()).unwrap_or(&Value::Null)
}

fn role(message: &Value) -> &str {
    let roles = ROLES.iter().filter_map(|key| message.get(*key));
    roles.map(|r| r.as_str().unwrap_or(text(r, "role"))).find(|r| !r.is_empty()).unwrap_or_default()
}

fn said(message: &Value) -> String {
    let inside = ["/content/contentBlocks", "/content/parts"].into_iter().filter_map(|path| message.pointer(path));
    let plain = TEXTS.iter().filter_map(|key| message.get(*key));
    inside.chain(plain).map(words).find(|t| !t.trim().is_empty()).unwrap_or_default()
}

/// A node of a tree keeps its message inside of it.
fn entry(node: &Value) -> Entry {
    let inner = node.get("message").filter(|m| m.is_object() && role(node).is_empty());
    let message = inner.unwrap_or(node);
    let role = role(message);
    let said = match message.is_object() && !role.is_empty() {
        true => pieces(Vec::new(), role_of(role), &said(message), Vec::new()),
        false => Said::Failed("this is not a message".to_owned()),
    };
    Entry {
        id: first_text(message, &["id", "uuid", "messageId", "message_id", "_id"]).to_owned(),
        parent: Some(first_text(message, &["parentMessageId"])).filter(|id| !id.is_empty()).map(str::to_owned),
        ..Entry::new(&SHAPE, role, time_field(message), said)
    }
}
