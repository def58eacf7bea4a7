//! Open WebUI's export of chats (formats.md §6): a list of chats, or one, each with a tree of messages.

use crate::{
    Format, ImportError, Options,
    agent::{attached, moment, words},
    ai_chats::{self, Entry, Shape, Taken, aside, pieces, role_of},
    export::Export,
    out::Out,
    values::{array, text},
};
use evoke_message::{Kind, Part};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "open_webui",
    label: "Open WebUI",
    kind: Kind::Ai,
    how_to_export: "In Open WebUI: Settings, Data controls (or Chats), Export chats. Choose the file that is downloaded.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: "Assistant",
    lists: &["chats", "data"],
    bare: false,
    named_by_file: false,
    is_conversation,
    take,
};

fn is_conversation(keys: &[&str]) -> bool {
    (keys.contains(&"chat") && (keys.contains(&"user_id") || keys.contains(&"updated_at")))
        || (keys.contains(&"history") && keys.contains(&"models"))
}

fn is_message(keys: &[&str]) -> bool {
    keys.contains(&"childrenIds") && keys.contains(&"role")
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    ai_chats::detect(export, |keys| is_message(keys) || (keys.contains(&"currentId") && keys.contains(&"messages")))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let chat = value.get("chat").filter(|c| c.is_object()).unwrap_or(value);
    let history = chat.get("history").unwrap_or(&Value::Null);
    let mut entries: Vec<Entry> = match history.get("messages").and_then(Value::as_object) {
        Some(messages) => messages.iter().map(|(id, message)| entry(id, message)).collect(),
        None => array(chat, "messages").iter().map(|message| entry(text(message, "id"), message)).collect(),
    };
    entries.sort_by_key(|e| e.time);
    let time = |of: &Value, keys: &[&str]| keys.iter().find_map(|k| of.get(*k).and_then(moment));
    (chat.get("history").is_some() || chat.get("messages").is_some()).then(|| Taken {
        key: [text(value, "id"), text(chat, "id")].into_iter().find(|id| !id.is_empty()).unwrap_or_default().to_owned(),
        title: [text(value, "title"), text(chat, "title")]
            .into_iter()
            .find(|t| !t.is_empty())
            .unwrap_or_default()
            .to_owned(),
        created: time(value, &["created_at"]).or_else(|| time(chat, &["timestamp"])),
        updated: time(value, &["updated_at"]),
        entries,
        current: history.get("currentId").and_then(Value::as_str).map(str::to_owned),
    })
}

fn entry(id: &str, message: &Value) -> Entry {
    let role = role_of(text(message, "role"));
    let whole = words(message.get("content").unwrap_or(&Value::Null));
    let (thoughts, said) = without_details(&whole);
    let asides = thoughts.into_iter().filter_map(|(part, text)| aside(part, &text)).collect();
    let files = array(message, "files")
        .iter()
        .map(|f| [text(f, "name"), text(f, "type")].into_iter().find(|n| !n.is_empty()).unwrap_or("file"));
    let attachments = files.map(|name| attached(name, None, "not in this export")).collect();
    let mut entry = Entry::new(
        &SHAPE,
        text(message, "role"),
        message.get("timestamp").unwrap_or(&Value::Null),
        pieces(asides, role, &said, attachments),
    );
    let model = [text(message, "modelName"), text(message, "model")].into_iter().find(|m| !m.is_empty());
    if let (false, Some(model)) = (entry.sender.me, model) {
        entry.sender.name = model.to_owned();
    }
    Entry {
        id: id.to_owned(),
        parent: message.get("parentId").and_then(Value::as_str).map(str::to_owned),
        children: array(message, "childrenIds").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..entry
    }
}

/// Thoughts and tool calls stand in the text as `<details type="reasoning">…</details>`.
fn without_details(text: &str) -> (Vec<(Part, String)>, String) {
    let (mut found, mut kept, mut rest) = (Vec::new(), String::new(), text);
    while let Some((before, after)) = rest.split_once("<details type=\"") {
        let Some((kind, after)) = after.split_once('"') else { break };
        let Some((inside, after)) = after.split_once("</details>") else { break };
        let inside = inside.split_once('>').map_or(inside, |(_, inside)| inside);
        let inside = inside.rsplit_once("</summary>").map_or(inside, |(_, inside)| inside);
        let inside: Vec<&str> =
            inside.trim().lines().map(|l| l.trim_start_matches("> ").trim_start_matches("&gt; ")).collect();
        found.push((if kind == "reasoning" { Part::Thinking } else { Part::Tool }, inside.join("\n")));
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    (found, kept)
}
