//! GitHub Copilot's chats in VS Code (formats.md §6): `chatSessions/<id>.json`, and what the command
//! "Chat: Export Chat…" saves: requests, each with its response. And the sessions of Copilot's command line, an event a
//! line.

use crate::{
    Format, ImportError, Options,
    agent::{attached, call, moment, words},
    ai::Said,
    ai_chats::{self, Entry, Shape, Taken, aside, pieces},
    export::Export,
    out::Out,
    transcript::{self, Dialect, Line},
    values::{array, text},
};
use evoke_message::{Kind, Part, Role};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "github_copilot",
    label: "GitHub Copilot",
    kind: Kind::Ai,
    how_to_export: "In VS Code, open the command palette and run Chat: Export Chat…; or choose the folder workspaceStorage in VS Code's user folder; for the command line, the folder .copilot in your home folder.",
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
    let chats = ai_chats::detect(export, |keys| {
        is_conversation(keys)
            || (keys.contains(&"requestId") && keys.contains(&"message") && keys.contains(&"response"))
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
    is_own: |line| {
        let data = line.get("data").is_some_and(Value::is_object) && line.get("timestamp").is_some();
        data && matches!(text(line, "type"), "session.start" | "user.message" | "assistant.message")
    },
    line: event,
};

fn event(line: &Value) -> Line {
    let data = line.get("data").unwrap_or(&Value::Null);
    let said = |role: &str, parts: Vec<(Part, String)>, attachments| {
        let time = line.get("timestamp").cloned().unwrap_or_default();
        Line::Said(transcript::Said { role: role.to_owned(), time, parts, attachments })
    };
    match text(line, "type") {
        "session.start" => Line::About {
            id: text(data, "sessionId").to_owned(),
            began: data.get("startTime").or(line.get("timestamp")).and_then(moment),
        },
        "user.message" => {
            let name = |f: &Value| {
                [text(f, "displayName"), text(f, "path")].into_iter().find(|n| !n.is_empty()).map(str::to_owned)
            };
            let files = array(data, "attachments").iter().filter_map(name);
            let files = files.map(|name| attached(&name, None, "not in this export")).collect();
            said("user", vec![(Part::Text, text(data, "content").to_owned())], files)
        }
        "assistant.message" => {
            let asked =
                |tool: &Value| (Part::Tool, call(text(tool, "name"), tool.get("arguments").unwrap_or(&Value::Null)));
            let mut parts = vec![(Part::Thinking, text(data, "reasoningText").to_owned())];
            parts.push((Part::Text, text(data, "content").to_owned()));
            parts.extend(array(data, "toolRequests").iter().map(asked));
            said("assistant", parts, Vec::new())
        }
        "assistant.reasoning" => {
            said("assistant", vec![(Part::Thinking, text(data, "content").to_owned())], Vec::new())
        }
        "tool.execution_complete" => {
            said("tool", vec![(Part::Tool, data.get("result").map(words).unwrap_or_default())], Vec::new())
        }
        _ => Line::Other("a note of the program"),
    }
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
