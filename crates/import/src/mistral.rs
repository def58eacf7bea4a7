//! Mistral's export of Le Chat (formats.md §6): a file `chat-<uuid>.json` for each chat, a list of messages.

use crate::{
    Format, ImportError, Options,
    agent::{attached, words},
    ai_chats::{self, Entry, Shape, Taken, aside, pieces, role_of},
    export::Export,
    out::Out,
    values::{array, text},
};
use evoke_message::{Kind, Part};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "mistral",
    label: "Le Chat (Mistral)",
    kind: Kind::Ai,
    how_to_export: "On chat.mistral.ai: your profile, Admin console, Privacy, Export your data. Choose the zip.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: "Le Chat",
    lists: &[],
    bare: true,
    named_by_file: false,
    is_conversation: |_| false,
    take,
};

fn is_message(keys: &[&str]) -> bool {
    keys.contains(&"chatId") && keys.contains(&"role") && (keys.contains(&"content") || keys.contains(&"contentChunks"))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    ai_chats::detect(export, is_message)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let messages = value.as_array()?;
    let mut entries: Vec<Entry> = messages.iter().map(entry).collect();
    entries.sort_by_key(|e| (e.time, e.parent.is_some()));
    Some(Taken {
        key: messages.iter().map(|m| text(m, "chatId")).find(|id| !id.is_empty()).unwrap_or_default().to_owned(),
        entries,
        ..Taken::default()
    })
}

fn entry(message: &Value) -> Entry {
    let role = role_of(text(message, "role"));
    let (mut asides, mut texts) = (Vec::new(), Vec::new());
    for chunk in array(message, "contentChunks") {
        match text(chunk, "type") {
            "text" => texts.push(text(chunk, "text").to_owned()),
            "thinking" | "reasoning" => {
                asides.extend(aside(Part::Thinking, &words(chunk.get("thinking").unwrap_or(chunk))))
            }
            "tool_call" | "tool_file" => {
                let call = crate::agent::call(
                    text(chunk, "name"),
                    chunk.get("arguments").or(chunk.get("args")).unwrap_or(&Value::Null),
                );
                asides.extend(aside(Part::Tool, &call));
            }
            _ => {}
        }
    }
    let whole = words(message.get("content").unwrap_or(&Value::Null));
    let said = if whole.trim().is_empty() { texts.concat() } else { whole };
    let files = array(message, "files").iter().map(|f| text(f, "name")).filter(|n| !n.is_empty());
    let attachments = files.map(|name| attached(name, None, "not in this export")).collect();
    let said = pieces(asides, role, &said, attachments);
    Entry {
        id: text(message, "id").to_owned(),
        parent: message.get("parentId").and_then(Value::as_str).map(str::to_owned),
        ..Entry::new(&SHAPE, text(message, "role"), message.get("createdAt").unwrap_or(&Value::Null), said)
    }
}
