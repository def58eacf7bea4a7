//! Chats with AIs in JSON that no other format knows (formats.md §6): a list of messages with a role and
//! a text, alone or in conversations. Tried after every format that knows its service.

use crate::{
    Format, ImportError, Options,
    agent::{moment, words},
    ai_chats::{self, Entry, Shape, Taken, pieces, role_of},
    export::Export,
    json,
    out::Out,
    values::{array, text},
};
use evoke_message::Kind;
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "ai_chat",
    label: "Other AI chats (JSON)",
    kind: Kind::Ai,
    how_to_export: "Any JSON file with a list of messages that have a role (user, assistant) and a content or text, alone or in conversations.",
    detect,
    read,
};

const ROLES: [&str; 3] = ["role", "sender", "author"];
const TEXTS: [&str; 4] = ["content", "text", "message", "parts"];
const LISTS: [&str; 5] = ["messages", "conversation", "turns", "history", "chat"];
const SPEAKERS: [&str; 8] = ["user", "human", "assistant", "ai", "bot", "model", "system", "chatbot"];

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
    let files = export.json_files(|head| json::hunt(head, is_message) && speaks(head));
    (!files.is_empty()).then_some(files)
}

/// True where a role is one of those that speak with an AI, and one of them is a person.
fn speaks(head: &[u8]) -> bool {
    let plain: String = String::from_utf8_lossy(head).chars().filter(|c| !c.is_whitespace()).collect();
    let said = |speaker: &str| ROLES.iter().any(|role| plain.contains(&format!("\"{role}\":\"{speaker}\"")));
    SPEAKERS.iter().any(|speaker| said(speaker))
        && ["user", "human", "User", "Human"].iter().any(|speaker| said(speaker))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for file in files {
        let head = export.head(*file)?;
        let head = head.trim_ascii_start();
        let first =
            head.iter().position(|b| *b == b'{').and_then(|at| head.get(at..)).map(json::keys).unwrap_or_default();
        let bare = head.starts_with(b"[") && is_message(&first);
        ai_chats::read(&Shape { bare, ..SHAPE }, export, &[*file], options, out)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

fn take(value: &Value) -> Option<Taken> {
    let messages = match value {
        Value::Array(messages) => messages.as_slice(),
        _ => LISTS.iter().map(|name| array(value, name)).find(|messages| !messages.is_empty()).unwrap_or_default(),
    };
    let known = value.is_array() || LISTS.iter().any(|name| value.get(*name).is_some_and(Value::is_array));
    let named =
        |names: &[&str]| names.iter().map(|n| text(value, n)).find(|t| !t.is_empty()).unwrap_or_default().to_owned();
    known.then(|| Taken {
        key: named(&["id", "uuid", "conversation_id", "conversationId", "chat_id", "thread_id"]),
        title: named(&["title", "name", "subject"]),
        created: time_of(value),
        updated: ["updated_at", "updatedAt", "update_time"].iter().find_map(|k| value.get(*k).and_then(moment)),
        entries: messages.iter().map(entry).collect(),
        current: None,
    })
}

const TIMES: [&str; 8] =
    ["timestamp", "time", "created_at", "createdAt", "create_time", "created", "date", "inserted_at"];

fn time_of(value: &Value) -> Option<i64> {
    TIMES.iter().find_map(|key| value.get(*key).and_then(moment))
}

fn entry(message: &Value) -> Entry {
    let role = ROLES
        .iter()
        .filter_map(|key| message.get(*key))
        .map(|r| r.as_str().unwrap_or(text(r, "role")))
        .find(|r| !r.is_empty());
    let role = role.unwrap_or_default();
    let said =
        TEXTS.iter().filter_map(|key| message.get(*key)).map(words).find(|t| !t.trim().is_empty()).unwrap_or_default();
    let time = TIMES.iter().filter_map(|key| message.get(*key)).find(|t| !t.is_null()).unwrap_or(&Value::Null);
    let said = match message.is_object() && !role.is_empty() {
        true => pieces(Vec::new(), role_of(role), &said, Vec::new()),
        false => crate::ai::Said::Failed("this is not a message".to_owned()),
    };
    let id = ["id", "uuid", "message_id", "_id"].iter().map(|key| text(message, key)).find(|id| !id.is_empty());
    Entry { id: id.unwrap_or_default().to_owned(), ..Entry::new(&SHAPE, role, time, said) }
}
