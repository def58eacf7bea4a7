//! LM Studio's chats (formats.md §6): a file `….conversation.json` for each, whose messages have versions.

use crate::{
    Format, ImportError, Options,
    agent::{attached, moment, words},
    ai_chats::{self, Entry, Shape, Taken, aside, pieces, role_of},
    export::Export,
    out::Out,
    values::{array, text},
};
use evoke_message::{Kind, Part, Role};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "lm_studio",
    label: "LM Studio",
    kind: Kind::Ai,
    how_to_export: "Nothing to export: choose the folder .lmstudio/conversations in your home folder, or one chat in it.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: "Assistant",
    lists: &[],
    bare: false,
    named_by_file: false,
    is_conversation,
    take,
};

fn is_conversation(keys: &[&str]) -> bool {
    keys.contains(&"messages")
        && keys.contains(&"name")
        && (keys.contains(&"createdAt") || keys.contains(&"tokenCount"))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    ai_chats::detect(export, |keys| {
        (is_conversation(keys)
            && keys.iter().any(|k| matches!(*k, "preset" | "tokenCount" | "systemPrompt" | "pinned")))
            || (keys.contains(&"versions") && keys.contains(&"currentlySelected"))
    })
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let messages = value.get("messages")?.as_array()?;
    let created = value.get("createdAt").unwrap_or(&Value::Null);
    let mut entries = Vec::new();
    for message in messages {
        let versions = array(message, "versions");
        let selected = message.get("currentlySelected").and_then(Value::as_u64).unwrap_or_default() as usize;
        entries.push(version(versions.get(selected).unwrap_or(message)));
    }
    Some(Taken {
        title: text(value, "name").to_owned(),
        created: moment(created),
        updated: value.get("assistantLastMessagedAt").and_then(moment),
        entries,
        ..Taken::default()
    })
}

fn version(version: &Value) -> Entry {
    let role = role_of(text(version, "role"));
    let (mut asides, mut texts, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
    let steps: Vec<&Value> = match array(version, "steps") {
        [] => vec![version],
        steps => steps.iter().collect(),
    };
    for step in steps {
        let thinks = step.pointer("/style/type").and_then(Value::as_str) == Some("thinking");
        let content = step.get("content").unwrap_or(&Value::Null);
        if thinks {
            asides.extend(aside(Part::Thinking, &words(content)));
            continue;
        }
        for block in content.as_array().map_or_else(|| vec![content], |blocks| blocks.iter().collect()) {
            match text(block, "type") {
                "file" => attachments.push(attached(
                    [text(block, "fileIdentifier"), "file"].into_iter().find(|n| !n.is_empty()).unwrap_or_default(),
                    None,
                    "not in this export",
                )),
                "toolCallRequest" => {
                    let call = crate::agent::call(text(block, "name"), block.get("parameters").unwrap_or(&Value::Null));
                    asides.extend(aside(Part::Tool, &call));
                }
                "toolCallResult" => asides.extend(aside(Part::Tool, &words(block))),
                _ => texts.push(words(block)),
            }
        }
    }
    texts.retain(|text| !text.trim().is_empty());
    let name = version.pointer("/senderInfo/senderName").and_then(Value::as_str).map(str::to_owned);
    let mut entry =
        Entry::new(&SHAPE, text(version, "role"), &Value::Null, pieces(asides, role, &texts.join("\n\n"), attachments));
    if let (Role::Assistant, Some(name)) = (role, name) {
        entry.sender.name = name;
    }
    entry
}
