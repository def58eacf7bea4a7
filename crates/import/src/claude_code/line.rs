//! What one line of a Claude Code session says: words of a person, of the model, of a tool, or of the
//! program itself, which nobody said.

use crate::{
    agent::{attached, call, words},
    ai::{Piece, Said, tool_text},
    values::{array, flag, text},
};
use evoke_message::{Attachment, Part, Role};
use serde_json::Value;
use std::borrow::Cow;

/// Elements that the program puts around or before what a person typed.
const PUT_IN: [&str; 17] = [
    "system-reminder",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "new-diagnostics",
    "local-command-caveat",
    "local-command-stdout",
    "local-command-stderr",
    "bash-stdout",
    "bash-stderr",
    "task-notification",
    "command-message",
    "command-contents",
    "user-prompt-submit-hook",
    "session-start-hook",
    "tool_use_error",
    "teammate-message",
];
/// Beginnings of texts that the program wrote in the person's place, and what they are.
const NOT_TYPED: [(&str, &str); 6] = [
    ("Caveat: The messages below were generated", "a notice by the program"),
    ("[Request interrupted by user", "a notice that a reply was interrupted"),
    ("This session is being continued from a previous conversation", SHORTENED),
    ("<user-prompt-submit-hook>", "a notice by the program"),
    ("Stop hook feedback:", "a notice by the program"),
    ("[SYSTEM NOTIFICATION", "a notice by the program"),
];
const SHORTENED: &str = "a summary by the program of what was said before";

/// Reads a line of the kinds `user`, `assistant`, `tool_use`, `tool_result` and `attachment`.
pub(super) fn read(kind: &str, line: &Value) -> Said {
    match kind {
        "tool_use" => {
            one(Part::Tool, Role::Assistant, call(text(line, "name"), line.get("input").unwrap_or(&Value::Null)))
        }
        "tool_result" => one(Part::Tool, Role::Tool, tool_text(&words(line))),
        "attachment" => queued(line),
        _ => match line.get("message") {
            Some(message) if message.get("content").or(message.get("parts")).is_some() || message.is_string() => {
                match kind {
                    "assistant" => assistant(line, message),
                    _ => user(line, message),
                }
            }
            _ => Said::Failed("the message has no text where it should be".to_owned()),
        },
    }
}

fn one(part: Part, role: Role, text: String) -> Said {
    match text.trim() {
        "" => Said::Skipped("empty message".into()),
        _ => Said::Pieces(vec![Piece { part, role, text, attachments: Vec::new() }]),
    }
}

/// Blocks of a message; a plain text is one block.
fn blocks(message: &Value) -> Vec<Cow<'_, Value>> {
    let content = message.get("content").or(message.get("parts")).unwrap_or(message);
    match content {
        Value::Array(blocks) => blocks.iter().map(Cow::Borrowed).collect(),
        Value::String(said) => vec![Cow::Owned(serde_json::json!({"type": "text", "text": said}))],
        other => vec![Cow::Borrowed(other)],
    }
}

fn assistant(line: &Value, message: &Value) -> Said {
    if flag(line, "isApiErrorMessage") || text(message, "model") == "<synthetic>" {
        return Said::Skipped("a notice by the program".into());
    }
    let (mut pieces, mut said, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
    for block in blocks(message) {
        let aside = match text(&block, "type") {
            "thinking" => (Part::Thinking, Role::Assistant, tool_text(text(&block, "thinking"))),
            "redacted_thinking" => continue,
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                (Part::Tool, Role::Assistant, call(text(&block, "name"), block.get("input").unwrap_or(&Value::Null)))
            }
            kind if kind.ends_with("tool_result") => (Part::Tool, Role::Tool, tool_text(&words(&block))),
            "image" | "document" => {
                attachments.push(inside(&block));
                continue;
            }
            _ => {
                said.push(text_of(&block));
                continue;
            }
        };
        if !aside.2.trim().is_empty() {
            pieces.push(Piece { part: aside.0, role: aside.1, text: aside.2, attachments: Vec::new() });
        }
    }
    let text = paragraphs(said);
    if !text.is_empty() || !attachments.is_empty() {
        pieces.push(Piece { part: Part::Text, role: Role::Assistant, text, attachments });
    }
    if pieces.is_empty() {
        return Said::Skipped("a thought or message without words".into());
    }
    Said::Pieces(pieces)
}

fn user(line: &Value, message: &Value) -> Said {
    let (mut pieces, mut said, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
    let mut answers = 0;
    for block in blocks(message) {
        match text(&block, "type") {
            "tool_result" => {
                answers += 1;
                let text = tool_text(&words(&block));
                let told = told(&text);
                if !text.is_empty() {
                    pieces.push(Piece { part: Part::Tool, role: Role::Tool, text, attachments: Vec::new() });
                }
                said.extend(told);
            }
            "image" | "document" => attachments.push(inside(&block)),
            _ => said.push(text_of(&block)),
        }
    }
    let reason = match not_typed(line, &said).filter(|_| answers == 0 || said.is_empty()) {
        Some(reason) => Some(reason),
        None => match typed(&paragraphs(said)) {
            Ok((part, text)) if !text.is_empty() || !attachments.is_empty() => {
                pieces.push(Piece { part, role: Role::Human, text, attachments });
                None
            }
            Ok(_) => Some("empty message"),
            Err(reason) => Some(reason),
        },
    };
    match (pieces.is_empty(), reason) {
        (false, _) => Said::Pieces(pieces),
        (true, Some(reason)) if answers == 0 => Said::Skipped(reason.into()),
        _ => Said::Skipped("a tool's answer without words".into()),
    }
}

/// What a person said when refusing a tool's call: it stands in the tool's answer.
fn told(answer: &str) -> Option<String> {
    let (_, said) = answer.split_once("how to proceed, the user said:")?;
    let said = said.split_once("\n\nNote: The user's next message").map_or(said, |(said, _)| said).trim();
    (!said.is_empty()).then(|| said.to_owned())
}

/// Why the words of a whole line are not a person's.
fn not_typed(line: &Value, said: &[String]) -> Option<&'static str> {
    if flag(line, "isCompactSummary") || flag(line, "isVisibleInTranscriptOnly") {
        return Some(SHORTENED);
    }
    if line.pointer("/origin/kind").and_then(Value::as_str) == Some("task-notification") {
        return Some("a notice by the program");
    }
    let first = said.first().map(|s| s.trim_start()).unwrap_or_default();
    (flag(line, "isMeta") && !first.starts_with("<bash-input>")).then_some("words that the program put in")
}

/// What a person typed, without what the program put around it; else why there is nothing.
fn typed(said: &str) -> Result<(Part, String), &'static str> {
    let mut rest = said.trim();
    if let Some((_, reason)) = NOT_TYPED.iter().find(|(start, _)| rest.starts_with(start)) {
        return Err(reason);
    }
    if let Some(command) = element(rest, "bash-input") {
        return Ok((Part::Tool, format!("!{}", command.trim())));
    }
    if let Some(memory) = element(rest, "user-memory-input") {
        return Ok((Part::Text, memory.trim().to_owned()));
    }
    if rest.contains("<command-name>") && rest.starts_with("<command-") {
        let name = element(rest, "command-name").unwrap_or_default().trim();
        let asked = element(rest, "command-args").unwrap_or_default().trim();
        return match asked {
            "" => Err("a command without words"),
            asked => Ok((Part::Text, format!("/{} {asked}", name.trim_start_matches('/')))),
        };
    }
    let whole = rest;
    while let Some(shorter) = PUT_IN.iter().find_map(|name| without(rest, name)) {
        rest = shorter;
    }
    if rest.is_empty() && !whole.is_empty() {
        return Err("words that the program put in");
    }
    match NOT_TYPED.iter().find(|(start, _)| rest.starts_with(start)) {
        Some((_, reason)) => Err(reason),
        None => Ok((Part::Text, rest.to_owned())),
    }
}

/// The inside of the first element of this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, inside) = text.split_once(&format!("<{name}>"))?;
    Some(inside.split_once(&format!("</{name}>")).map_or(inside, |(inside, _)| inside))
}

/// The text without an element of this name at its beginning or its end.
fn without<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    if let Some(inside) = text.strip_prefix(&open).filter(|inside| inside.starts_with(['>', ' '])) {
        return Some(inside.split_once(&close).map_or("", |(_, after)| after).trim());
    }
    let before = text.strip_suffix(&close)?;
    let start = before.rfind(&open)?;
    Some(before.get(..start)?.trim())
}

/// A prompt typed while the model was still at work.
fn queued(line: &Value) -> Said {
    let attachment = line.get("attachment").unwrap_or(&Value::Null);
    if text(attachment, "type") != "queued_command" {
        return Said::Skipped("what the program told the model".into());
    }
    let prompt = attachment.get("prompt").unwrap_or(&Value::Null);
    let files =
        array(attachment, "prompt").iter().filter(|b| matches!(text(b, "type"), "image" | "document")).map(inside);
    let attachments: Vec<Attachment> = files.collect();
    let notice = !matches!(text(attachment, "commandMode"), "" | "prompt" | "bash");
    match typed(&words(prompt)) {
        _ if notice || flag(attachment, "isMeta") => Said::Skipped("a notice by the program".into()),
        Ok((part, text)) if !text.is_empty() || !attachments.is_empty() => {
            Said::Pieces(vec![Piece { part, role: Role::Human, text, attachments }])
        }
        Ok(_) => Said::Skipped("empty message".into()),
        Err(reason) => Said::Skipped(reason.into()),
    }
}

fn text_of(block: &Value) -> String {
    block.as_str().unwrap_or_else(|| text(block, "text")).trim().to_owned()
}

fn paragraphs(said: Vec<String>) -> String {
    said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn inside(block: &Value) -> Attachment {
    let kind = text(block, "type");
    let mime = block.pointer("/source/media_type").and_then(Value::as_str);
    let name = Some(text(block, "title")).filter(|t| !t.is_empty()).unwrap_or(kind);
    attached(name, mime, "kept inside the session's file")
}

/// Why a line of this kind holds nobody's words.
pub(super) fn reason(kind: &str) -> Cow<'static, str> {
    match kind {
        "progress" => "progress of a tool".into(),
        "system" => "a notice by the program".into(),
        "queue-operation" => "a note on prompts that wait".into(),
        "last-prompt" => "the last prompt, which is in the session".into(),
        "file-history-snapshot" => "a note on files that were changed".into(),
        "" => "a line without a kind".into(),
        "permission-mode"
        | "mode"
        | "agent-name"
        | "pr-link"
        | "frame-link"
        | "started"
        | "result"
        | "relocated"
        | "worktree-state"
        | "tag"
        | "content-replacement" => "a note of the program".into(),
        kind => format!("a note of the program ({})", kind.chars().take(40).collect::<String>()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Result<&str, &str>) {
        assert_eq!(typed(input).map(|(_, text)| text), expected.map(str::to_owned), "{input}");
    }

    #[test]
    fn only_what_was_typed_is_kept() {
        check("do it", Ok("do it"));
        check("<system-reminder>be good</system-reminder>\ndo it", Ok("do it"));
        check("do it\n<system-reminder>be good</system-reminder>", Ok("do it"));
        check("<ide_opened_file>a.rs</ide_opened_file>", Err("words that the program put in"));
        check("<local-command-stdout>ok</local-command-stdout>", Err("words that the program put in"));
        check(
            "<command-name>/clear</command-name>\n<command-message>clear</command-message>\n<command-args></command-args>",
            Err("a command without words"),
        );
        check(
            "<command-message>fix</command-message>\n<command-name>/fix</command-name>\n<command-args>the bug</command-args>",
            Ok("/fix the bug"),
        );
        check("<bash-input>ls -l</bash-input>", Ok("!ls -l"));
        check("What does <system-reminder> mean?", Ok("What does <system-reminder> mean?"));
        check("[Request interrupted by user for tool use]", Err("a notice that a reply was interrupted"));
        check("This session is being continued from a previous conversation that ran out", Err(SHORTENED));
        check("<system-reminder>cut", Err("words that the program put in"));
    }
}
