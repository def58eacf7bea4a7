//! Grok's data export (formats.md §6): `prod-grok-backend.json`, conversations with their responses, in
//! both of their shapes. Uploads lie in folders of their own, by id.

use crate::{
    Format, ImportError, Options,
    agent::{attached, moment},
    ai_chats::{self, Entry, Shape, Taken, aside, pieces, role_of},
    export::Export,
    out::Out,
    values::{array, text},
};
use evoke_message::{Kind, Part};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "grok",
    label: "Grok",
    kind: Kind::Ai,
    how_to_export: "On accounts.x.ai: Data, Download account data. A link to a zip comes by mail; choose that zip.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: FORMAT.label,
    lists: &["conversations"],
    bare: false,
    named_by_file: false,
    is_conversation: |keys| keys.contains(&"responses") && keys.contains(&"conversation"),
    take,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    ai_chats::detect(export, |keys| {
        (SHAPE.is_conversation)(keys)
            || (keys.contains(&"sender") && keys.contains(&"create_time") && keys.contains(&"message"))
    })
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let about = value.get("conversation")?;
    let time = |key: &str| about.get(key).and_then(moment);
    Some(Taken {
        key: [text(about, "id"), text(about, "conversation_id")]
            .into_iter()
            .find(|id| !id.is_empty())
            .unwrap_or_default()
            .to_owned(),
        title: text(about, "title").to_owned(),
        created: time("create_time"),
        updated: time("modify_time"),
        entries: array(value, "responses").iter().map(response).collect(),
        current: about.get("leaf_response_id").and_then(Value::as_str).map(str::to_owned),
    })
}

fn response(wrapped: &Value) -> Entry {
    let response = wrapped.get("response").filter(|r| r.is_object()).unwrap_or(wrapped);
    let role = role_of(text(response, "sender"));
    let files = array(response, "file_attachments").iter().chain(array(response, "image_attachments"));
    let names = files.map(|file| file.as_str().unwrap_or(text(file, "file_name")));
    let attachments =
        names.filter(|n| !n.is_empty()).map(|name| attached(name, None, "in the export by its id only")).collect();
    let thought = aside(Part::Thinking, text(response, "thinking_trace"));
    let said = match response.get("message") {
        Some(Value::String(said)) => pieces(thought.into_iter().collect(), role, said, attachments),
        _ => crate::ai::Said::Failed("the message has no text where it should be".to_owned()),
    };
    let time = response.get("create_time").or(response.get("createTime")).unwrap_or(&Value::Null);
    let id = ["_id", "id", "response_id"].iter().map(|key| text(response, key)).find(|id| !id.is_empty());
    Entry {
        id: id.unwrap_or_default().to_owned(),
        parent: response.get("parent_response_id").and_then(Value::as_str).map(str::to_owned),
        ..Entry::new(&SHAPE, text(response, "sender"), time, said)
    }
}
