//! DeepSeek's data export (formats.md §6): conversations with a mapping like ChatGPT's, whose messages
//! consist of fragments.

use crate::{
    Format, ImportError, Options,
    agent::{attached, moment, words},
    ai::Said,
    ai_chats::{self, Entry, Shape, Taken, aside, pieces},
    export::Export,
    out::Out,
    values::{array, text},
};
use evoke_message::{Kind, Part, Role};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "deepseek",
    label: "DeepSeek",
    kind: Kind::Ai,
    how_to_export: "On chat.deepseek.com: Settings, Data, Export all chats. Choose the zip that is downloaded.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: FORMAT.label,
    lists: &["conversations"],
    bare: false,
    named_by_file: false,
    is_conversation: |keys| keys.contains(&"mapping") && keys.contains(&"inserted_at"),
    take,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    ai_chats::detect(export, |keys| (SHAPE.is_conversation)(keys) || keys.contains(&"fragments"))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let mapping = value.get("mapping")?.as_object()?;
    let mut nodes: Vec<(&String, &Value)> = mapping.iter().collect();
    // Numbers as names: 2 comes before 10.
    nodes.sort_by_key(|(id, _)| (id.parse::<u64>().ok(), id.to_string()));
    Some(Taken {
        key: text(value, "id").to_owned(),
        title: text(value, "title").to_owned(),
        created: value.get("inserted_at").and_then(moment),
        updated: value.get("updated_at").and_then(moment),
        entries: nodes.into_iter().map(|(id, node)| entry(id, node)).collect(),
        current: None,
    })
}

fn entry(id: &str, node: &Value) -> Entry {
    let message = node.get("message").unwrap_or(&Value::Null);
    let role = if array(message, "fragments").iter().any(|f| text(f, "type") == "REQUEST")
        || text(message, "role").eq_ignore_ascii_case("user")
    {
        Role::Human
    } else {
        Role::Assistant
    };
    let said = if message.is_null() { Said::Nothing } else { said(message, role) };
    let name = if role == Role::Human { "user" } else { "assistant" };
    Entry {
        id: id.to_owned(),
        parent: node.get("parent").and_then(Value::as_str).map(str::to_owned),
        children: array(node, "children").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Entry::new(&SHAPE, name, message.get("inserted_at").unwrap_or(&Value::Null), said)
    }
}

fn said(message: &Value, role: Role) -> Said {
    let (mut asides, mut texts) = (Vec::new(), Vec::new());
    for fragment in array(message, "fragments") {
        let content = words(fragment.get("content").unwrap_or(&Value::Null));
        match text(fragment, "type") {
            "REQUEST" | "RESPONSE" | "" => texts.push(content),
            "THINK" => asides.extend(aside(Part::Thinking, &content)),
            _ => {
                let found =
                    array(fragment, "results").iter().map(|r| format!("{} {}", text(r, "title"), text(r, "url")));
                let lines = std::iter::once(content).chain(found).filter(|l| !l.trim().is_empty());
                asides.extend(aside(Part::Tool, &lines.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    texts.push(text(message, "content").to_owned());
    texts.retain(|text| !text.trim().is_empty());
    let files = array(message, "files").iter().map(|f| {
        f.as_str()
            .unwrap_or([text(f, "file_name"), text(f, "name")].into_iter().find(|n| !n.is_empty()).unwrap_or("file"))
    });
    let attachments = files.map(|name| attached(name, None, "not in this export")).collect();
    pieces(asides, role, &texts.join("\n\n"), attachments)
}
