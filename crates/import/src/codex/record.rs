//! What one record of a rollout says, in all generations: `{timestamp, type, payload}`, the payload
//! alone, or a message of the first logs.

use crate::{
    agent::{arguments, as_written, attached, call, moment, words},
    ai::tool_text,
    values::{array, text},
};
use evoke_message::{Attachment, Part, Role};
use serde_json::Value;
use std::borrow::Cow;

/// Which of the two ways a message is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Item,
    Event,
    /// Told once.
    Alone,
}

pub(super) struct Said {
    pub(super) stream: Stream,
    pub(super) role: Role,
    pub(super) part: Part,
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
    pub(super) time: Option<i64>,
    pub(super) time_original: String,
}

pub(super) enum Record {
    Meta(Box<Meta>),
    Name(String),
    Said(Said),
    Skip(Cow<'static, str>),
    Fail(String),
}

/// What a session says of itself.
#[derive(Default)]
pub(super) struct Meta {
    pub(super) id: String,
    pub(super) time: Option<i64>,
    pub(super) forked_from: String,
    /// The session that started this one as its subagent.
    pub(super) parent: String,
    pub(super) subagent: bool,
}

impl Meta {
    pub(super) fn of(payload: &Value) -> Self {
        let spawn = payload.pointer("/source/subagent/thread_spawn/parent_thread_id").and_then(Value::as_str);
        let subagent = payload.pointer("/source/subagent").is_some_and(|s| !s.is_null())
            || text(payload, "thread_source") == "subagent";
        Meta {
            id: text(payload, "id").to_owned(),
            time: payload.get("timestamp").and_then(moment),
            forked_from: text(payload, "forked_from_id").to_owned(),
            parent: spawn.unwrap_or(text(payload, "parent_thread_id")).to_owned(),
            subagent,
        }
    }
}

const TIMES: [&str; 6] = ["timestamp", "created_at", "time", "ts", "createdAt", "created"];
const PUT_IN: &str = "words that the program put in";
/// Beginnings of texts in the person's place that the program wrote.
const NOT_TYPED: [&str; 5] = [
    "# AGENTS.md instructions",
    "# Codex instructions",
    "Another language model started to solve this problem",
    "You are performing a CONTEXT CHECKPOINT COMPACTION",
    "The following is the Codex agent history",
];
/// What an editor puts before what was typed.
const TYPED_AFTER: &str = "## My request for Codex:";

pub(super) fn read(line: &Value) -> Record {
    if !line.is_object() {
        return Record::Fail("the line is not a record".to_owned());
    }
    let payload = line.get("payload").filter(|p| p.is_object());
    let kind = text(line, "type");
    let written = [line, payload.unwrap_or(line)]
        .into_iter()
        .flat_map(|v| TIMES.iter().filter_map(|t| v.get(*t)))
        .find(|t| !t.is_null());
    let record = match (kind, payload) {
        ("session_meta", Some(payload)) => Record::Meta(Box::new(Meta::of(payload.get("meta").unwrap_or(payload)))),
        ("event_msg", Some(payload)) => event(payload),
        ("response_item", Some(payload)) => item(text(payload, "type"), payload, Stream::Item),
        ("compacted", _) => Record::Skip("a summary by the program of what was said before".into()),
        ("turn_context" | "world_state", _) => Record::Skip("a note of the program".into()),
        (kind, Some(_)) => note(kind),
        ("", None) if line.get("role").is_none() => bare(line),
        (kind, None) => item(kind, line, Stream::Alone),
    };
    match record {
        Record::Said(said) => Record::Said(Said {
            time: written.and_then(moment),
            time_original: written.map(as_written).unwrap_or_default(),
            ..said
        }),
        other => other,
    }
}

/// A line without a kind: the header of the second generation, or a state of the program.
fn bare(line: &Value) -> Record {
    match () {
        () if line.get("id").is_some() && line.get("timestamp").is_some() => Record::Meta(Box::new(Meta::of(line))),
        () if line.get("record_type").is_some() => Record::Skip("a note of the program".into()),
        () => Record::Fail("the line is no record that Evoke knows".to_owned()),
    }
}

fn note(kind: &str) -> Record {
    Record::Skip(format!("a note of the program ({})", kind.chars().take(40).collect::<String>()).into())
}

fn said(stream: Stream, part: Part, role: Role, text: String, attachments: Vec<Attachment>) -> Record {
    if text.trim().is_empty() && attachments.is_empty() {
        return Record::Skip(if part == Part::Thinking { "a thought without words" } else { "empty message" }.into());
    }
    Record::Said(Said { stream, role, part, text, attachments, time: None, time_original: String::new() })
}

fn event(payload: &Value) -> Record {
    let message = text(payload, "message").trim();
    match text(payload, "type") {
        "user_message" => match typed(message) {
            Some(typed) => said(Stream::Event, Part::Text, Role::Human, typed.to_owned(), pictures(payload)),
            None => Record::Skip(PUT_IN.into()),
        },
        "agent_message" => said(Stream::Event, Part::Text, Role::Assistant, message.to_owned(), Vec::new()),
        "agent_reasoning" => {
            said(Stream::Event, Part::Thinking, Role::Assistant, tool_text(text(payload, "text")), Vec::new())
        }
        "thread_name_updated" => Record::Name(text(payload, "thread_name").to_owned()),
        "exec_command_end"
        | "mcp_tool_call_end"
        | "patch_apply_end"
        | "web_search_end"
        | "exec_command_begin"
        | "mcp_tool_call_begin"
        | "patch_apply_begin" => Record::Skip("progress of a tool".into()),
        kind => note(kind),
    }
}

fn item(kind: &str, payload: &Value, stream: Stream) -> Record {
    match kind {
        "message" | "" => message(payload, stream),
        "user" | "assistant" if payload.get("role").is_none() => message(payload, stream),
        "reasoning" => {
            let thoughts = array(payload, "summary").iter().chain(array(payload, "content"));
            let thoughts: Vec<String> = thoughts.map(words).filter(|t| !t.trim().is_empty()).collect();
            said(stream, Part::Thinking, Role::Assistant, tool_text(&thoughts.join("\n\n")), Vec::new())
        }
        "function_call" | "tool_call" | "custom_tool_call" | "mcp_tool_call" | "tool_search_call" => {
            let name = payload.pointer("/function/name").and_then(Value::as_str).unwrap_or(text(payload, "name"));
            let name = if name.is_empty() { kind } else { name };
            let input = ["arguments", "input"].iter().find_map(|key| payload.get(*key)).unwrap_or(&Value::Null);
            said(Stream::Alone, Part::Tool, Role::Assistant, call(name, &arguments(input)), Vec::new())
        }
        "local_shell_call" | "web_search_call" | "image_generation_call" => {
            let asked = payload.get("action").unwrap_or(&Value::Null);
            said(Stream::Alone, Part::Tool, Role::Assistant, call(kind.trim_end_matches("_call"), asked), Vec::new())
        }
        kind if kind.ends_with("_output") || kind.ends_with("_result") => answer(payload),
        kind => note(kind),
    }
}

fn answer(payload: &Value) -> Record {
    let output = ["output", "result"].iter().find_map(|key| payload.get(*key)).unwrap_or(&Value::Null);
    // The first versions kept the answer as JSON within a text.
    let output = arguments(output);
    let text = tool_text(&words(&output));
    if text.is_empty() {
        return Record::Skip("a tool's answer without words".into());
    }
    said(Stream::Alone, Part::Tool, Role::Tool, text, Vec::new())
}

fn message(payload: &Value, stream: Stream) -> Record {
    let role = text(payload, "role");
    let role = if role.is_empty() { text(payload, "type") } else { role };
    let content = ["content", "message", "text"].iter().find_map(|key| payload.get(*key)).unwrap_or(&Value::Null);
    match role {
        "user" | "human" => {
            let (text, attachments) = prompt(content);
            match typed(&text) {
                Some(typed) => said(stream, Part::Text, Role::Human, typed.to_owned(), attachments),
                None => Record::Skip(PUT_IN.into()),
            }
        }
        "assistant" => said(stream, Part::Text, Role::Assistant, words(content).trim().to_owned(), Vec::new()),
        "developer" | "system" => Record::Skip("instructions of the program".into()),
        "tool" => said(Stream::Alone, Part::Tool, Role::Tool, tool_text(&words(content)), Vec::new()),
        role => note(role),
    }
}

/// The texts and pictures of a prompt, without the marks around pictures.
fn prompt(content: &Value) -> (String, Vec<Attachment>) {
    let Value::Array(blocks) = content else { return (words(content).trim().to_owned(), Vec::new()) };
    let mut texts = Vec::new();
    let mut attachments = Vec::new();
    for block in blocks {
        let picture = block.get("image_url").is_some_and(|u| !u.is_null());
        if text(block, "type") == "input_image" || picture {
            if picture {
                attachments.push(attached("image", None, "kept inside the session's file"));
            }
            continue;
        }
        let text = words(block);
        let mark = text.trim();
        let around = mark == "</image>" || (mark.starts_with("<image") && mark.ends_with('>') && mark.len() < 200);
        if !mark.is_empty() && !around {
            texts.push(text);
        }
    }
    (texts.join("\n").trim().to_owned(), attachments)
}

fn pictures(payload: &Value) -> Vec<Attachment> {
    let local = array(payload, "local_images").iter().filter_map(Value::as_str);
    let named = local.map(|path| attached(path.rsplit(['/', '\\']).next().unwrap_or(path), None, "not in this export"));
    let inside = array(payload, "images").iter().map(|_| attached("image", None, "kept inside the session's file"));
    named.chain(inside).collect()
}

/// What a person typed; none where the whole text is the program's.
fn typed(text: &str) -> Option<&str> {
    let text = text.trim();
    if let Some((_, after)) = text.split_once(TYPED_AFTER) {
        return Some(after.trim());
    }
    (!NOT_TYPED.iter().any(|start| text.starts_with(start)) && !is_element(text)).then_some(text)
}

/// One element from the first character to the last, such as `<environment_context>`.
fn is_element(text: &str) -> bool {
    let Some((name, _)) = text.strip_prefix('<').and_then(|rest| rest.split_once(['>', ' '])) else { return false };
    let known = ["environment_context", "user_instructions", "INSTRUCTIONS", "permissions", "turn_aborted"];
    let tag = name.len() > 3 && name.contains('_') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (tag && text.ends_with(&format!("</{name}>"))) || known.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(typed(text), expected, "{text}");
    }

    #[test]
    fn only_what_was_typed_is_kept() {
        check("fix it", Some("fix it"));
        check("<environment_context>\n<cwd>/a</cwd>\n</environment_context>", None);
        check("<subagent_notification>x</subagent_notification>", None);
        check("# AGENTS.md instructions for /a\n\n<INSTRUCTIONS>", None);
        check("# Context from my IDE setup:\n## Open tabs:\n\n## My request for Codex:\nfix it\n", Some("fix it"));
        check("<b>is this bold?</b>", Some("<b>is this bold?</b>"));
    }
}
