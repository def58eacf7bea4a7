//! GitHub Copilot's chats in VS Code (formats.md §6): `chatSessions/<id>.json`, and what the command
//! "Chat: Export Chat…" saves. Requests, each with its response.

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
    key: "github_copilot",
    label: "GitHub Copilot",
    kind: Kind::Ai,
    how_to_export: "In VS Code, open the command palette and run Chat: Export Chat…; or choose the folder workspaceStorage in VS Code's user folder.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: "GitHub Copilot",
    lists: &[],
    bare: false,
    named_by_file: false,
    is_conversation,
    take,
};

fn is_conversation(keys: &[&str]) -> bool {
    keys.contains(&"requests")
        && (keys.contains(&"responderUsername") || keys.contains(&"sessionId") || keys.contains(&"requesterUsername"))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    ai_chats::detect(export, |keys| {
        is_conversation(keys)
            || (keys.contains(&"requestId") && keys.contains(&"message") && keys.contains(&"response"))
    })
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let requests = value.get("requests")?.as_array()?;
    let mut entries = Vec::new();
    for request in requests {
        let time = request.get("timestamp").unwrap_or(&Value::Null);
        let id = text(request, "requestId");
        let asked = request.get("message").map(words).unwrap_or_default();
        let files = request.pointer("/variableData/variables").and_then(Value::as_array).into_iter().flatten();
        let attachments = files
            .map(|f| text(f, "name"))
            .filter(|n| !n.is_empty())
            .map(|n| attached(n, None, "not in this export"))
            .collect();
        let question = Entry::new(&SHAPE, "user", time, pieces(Vec::new(), Role::Human, &asked, attachments));
        entries.push(Entry { id: id.to_owned(), ..question });
        let said = answer(request);
        if !matches!(said, Said::Nothing) {
            let id = [text(request, "responseId"), id].into_iter().find(|id| !id.is_empty()).unwrap_or_default();
            entries.push(Entry { id: format!("{id} answer"), ..Entry::new(&SHAPE, "assistant", time, said) });
        }
    }
    Some(Taken {
        key: text(value, "sessionId").to_owned(),
        title: text(value, "customTitle").to_owned(),
        created: value.get("creationDate").and_then(moment),
        updated: value.get("lastMessageDate").and_then(moment),
        entries,
        current: None,
    })
}

fn answer(request: &Value) -> Said {
    let (mut asides, mut said) = (Vec::new(), String::new());
    for part in array(request, "response") {
        match text(part, "kind") {
            "" | "markdownContent" => said.push_str(&words(part.get("value").or(part.get("content")).unwrap_or(part))),
            "thinking" => asides.extend(aside(Part::Thinking, &words(part.get("value").unwrap_or(&Value::Null)))),
            "inlineReference" => said.push_str(text(part, "name")),
            "toolInvocationSerialized" | "toolInvocation" => {
                let told = part.get("pastTenseMessage").or(part.get("invocationMessage")).unwrap_or(&Value::Null);
                asides.extend(aside(
                    Part::Tool,
                    &[text(part, "toolId").to_owned(), words(told.get("value").unwrap_or(told))].join("\n"),
                ));
            }
            _ => {}
        }
    }
    match request.get("response") {
        None | Some(Value::Null) => Said::Nothing,
        Some(Value::String(text)) => pieces(asides, Role::Assistant, text, Vec::new()),
        _ => pieces(asides, Role::Assistant, &said, Vec::new()),
    }
}
