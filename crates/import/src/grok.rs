//! Grok's data export (formats.md §6): `prod-grok-backend.json`, conversations with their responses, in
//! both of their shapes; uploads lie in folders of their own, by id. And the `chat_history.jsonl` of its command line.

use crate::{
    Format, ImportError, Options,
    agent::{arguments, attached, call, moment, words},
    ai_chats::{self, Entry, Shape, Taken, aside, pieces, role_of},
    export::Export,
    out::Out,
    transcript::{self, Dialect, Line},
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
    let chats = ai_chats::detect(export, |keys| {
        (SHAPE.is_conversation)(keys)
            || (keys.contains(&"sender") && keys.contains(&"create_time") && keys.contains(&"message"))
    });
    let mut files = chats.unwrap_or_default();
    files.extend(transcript::detect(export, &COMMAND_LINE));
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &file in files {
        match transcript::is_own(export, file, &COMMAND_LINE) {
            true => transcript::read(&COMMAND_LINE, export, file, options, out)?,
            false => ai_chats::read(&SHAPE, export, &[file], options, out)?,
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

const COMMAND_LINE: Dialect = Dialect {
    source: FORMAT.key,
    assistant: FORMAT.label,
    is_own: |line| match text(line, "type") {
        "user" => line.get("prompt_index").is_some() || line.get("synthetic_reason").is_some(),
        "assistant" => line.get("model_id").is_some() && line.get("content").is_some(),
        _ => false,
    },
    line,
};

fn line(line: &Value) -> Line {
    let said = |role: &str, parts: Vec<(Part, String)>| {
        let time = line.get("timestamp").cloned().unwrap_or_default();
        Line::Said(transcript::Said { role: role.to_owned(), time, parts, attachments: Vec::new() })
    };
    let content = line.get("content").map(words).unwrap_or_default();
    match text(line, "type") {
        "user" if line.get("synthetic_reason").is_some() => Line::Other("words that the program put in"),
        "user" => said("user", vec![(Part::Text, content)]),
        "assistant" => {
            let asked = |tool: &Value| {
                (Part::Tool, call(text(tool, "name"), &tool.get("arguments").map(arguments).unwrap_or_default()))
            };
            let parts = std::iter::once((Part::Text, content)).chain(array(line, "tool_calls").iter().map(asked));
            said("assistant", parts.collect())
        }
        "reasoning" => said("assistant", vec![(Part::Thinking, line.get("summary").map(words).unwrap_or_default())]),
        "tool_result" => said("tool", vec![(Part::Tool, content)]),
        "system" => Line::Other("hidden system message"),
        _ => Line::Other("a note of the program"),
    }
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
