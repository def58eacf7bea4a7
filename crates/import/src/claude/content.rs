//! What one message of a Claude.ai export says: its blocks, its pasted texts, its files.

use crate::{
    ai::{Piece, Said, tool_text},
    values::{array, text},
};
use evoke_message::{Attachment, Part, Role};
use serde_json::Value;

/// Lines that stand in the flattened text for blocks it cannot show.
const PLACEHOLDERS: [&str; 2] =
    ["This block is not supported on your current device yet", "Viewing artifacts created via the Analysis Tool"];

/// Reads a message. Thoughts and tool calls inside of it become pieces before its own text.
pub(super) fn read(message: &Value) -> Said {
    if message.get("text").is_none() && message.get("content").is_none() {
        return Said::Failed("the message has no text where it should be".to_owned());
    }
    let own = match text(message, "sender") {
        "human" | "user" => Role::Human,
        "assistant" => Role::Assistant,
        _ => Role::System,
    };
    let blocks = array(message, "content");
    let mut pieces: Vec<Piece> = blocks.iter().filter_map(aside).collect();
    let said = match blocks.iter().filter_map(spoken).collect::<Vec<_>>() {
        texts if texts.is_empty() => without_placeholders(text(message, "text")),
        texts => texts.join("\n\n"),
    };
    let (pasted, attachments) = attached(message);
    let whole = std::iter::once(said).chain(pasted).filter(|t| !t.trim().is_empty()).collect::<Vec<_>>().join("\n\n");
    if !whole.is_empty() || !attachments.is_empty() {
        pieces.push(Piece { part: Part::Text, role: own, text: whole.trim().to_owned(), attachments });
    }
    if pieces.is_empty() {
        return Said::Skipped(match blocks.first().map(|b| text(b, "type")) {
            Some(kind) if kind != "text" => format!("no text in {}", kind.replace('_', " ")).into(),
            _ => "empty message".into(),
        });
    }
    Said::Pieces(pieces)
}

/// The words of a block that belongs to the message itself; of an unknown kind, its text.
fn spoken(block: &Value) -> Option<String> {
    match text(block, "type") {
        "thinking" | "redacted_thinking" | "tool_use" | "tool_result" | "token_budget" => None,
        _ => Some(text(block, "text").trim().to_owned()).filter(|t| !t.is_empty()),
    }
}

/// A block beside the message itself: a thought, a tool's call or its answer.
fn aside(block: &Value) -> Option<Piece> {
    let (part, role, words) = match text(block, "type") {
        "thinking" => (Part::Thinking, Role::Assistant, tool_text(text(block, "thinking"))),
        "tool_use" => (Part::Tool, Role::Assistant, call(block)),
        "tool_result" => (Part::Tool, Role::Tool, tool_text(&result(block))),
        _ => return None,
    };
    (!words.is_empty()).then(|| Piece { part, role, text: words, attachments: Vec::new() })
}

/// What a tool was asked. Of an artifact, which is the work itself, all of it.
fn call(block: &Value) -> String {
    let name = text(block, "name");
    let input = block.get("input").unwrap_or(&Value::Null);
    if matches!(name, "artifacts" | "create_file") {
        let work = ["title", "path", "content", "file_text"].map(|key| text(input, key));
        return work.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n");
    }
    let fields = input.as_object().into_iter().flatten();
    let fields = fields.filter_map(|(key, value)| value.as_str().map(|v| format!("{key}: {v}")));
    tool_text(&std::iter::once(name.to_owned()).chain(fields).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n"))
}

fn result(block: &Value) -> String {
    match block.get("content") {
        Some(Value::String(text)) => text.clone(),
        _ => {
            let part = |p: &Value| {
                [text(p, "title"), text(p, "text")].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n")
            };
            array(block, "content").iter().map(part).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n\n")
        }
    }
}

/// The flattened text, without the lines and fences that stand for blocks it cannot show.
fn without_placeholders(text: &str) -> String {
    let stands_for = |line: &&str| PLACEHOLDERS.iter().any(|p| line.contains(p));
    if !text.lines().any(|l| stands_for(&l)) {
        return text.to_owned();
    }
    let kept: Vec<_> = text.lines().filter(|l| !stands_for(l)).collect();
    kept.join("\n").replace("```\n```", "")
}

/// Pasted texts, which the export keeps as attachments, and the attachments themselves.
fn attached(message: &Value) -> (Vec<String>, Vec<Attachment>) {
    let mut pasted = Vec::new();
    let mut found = Vec::new();
    for attachment in array(message, "attachments") {
        let content = text(attachment, "extracted_content").trim();
        let mime = Some(text(attachment, "file_type")).filter(|t| t.contains('/')).map(str::to_owned);
        let missing = if content.is_empty() { "not in this export" } else { "only its text is in this export" };
        found.push(Attachment {
            name: text(attachment, "file_name").to_owned(),
            mime,
            path: None,
            missing: Some(missing.to_owned()),
        });
        pasted.push(content.to_owned());
    }
    for file in array(message, "files").iter().chain(array(message, "files_v2")) {
        let name = text(file, "file_name");
        if !name.is_empty() && !found.iter().any(|a| a.name == name) {
            found.push(Attachment {
                name: name.to_owned(),
                mime: None,
                path: None,
                missing: Some("not in this export".to_owned()),
            });
        }
    }
    (pasted, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(message: Value, expected: &str) {
        let said = match read(&message) {
            Said::Pieces(pieces) => pieces
                .iter()
                .map(|p| format!("{:?} {:?}: {} +{}", p.part, p.role, p.text, p.attachments.len()))
                .collect::<Vec<_>>()
                .join(" | "),
            Said::Skipped(reason) => format!("skipped: {reason}"),
            Said::Failed(reason) => format!("failed: {reason}"),
            Said::Nothing => "nothing".to_owned(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn blocks_become_pieces() {
        let blocks = json!([
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": "one"},
            {"type": "tool_use", "name": "web_search", "input": {"query": "q"}},
            {"type": "tool_result", "content": [{"type": "text", "text": "found"}]},
            {"type": "text", "text": "two"}]);
        check(
            json!({"sender": "assistant", "text": "flat", "content": blocks}),
            "Thinking Assistant: hm +0 | Tool Assistant: web_search\nquery: q +0 | Tool Tool: found +0 | Text Assistant: one\n\ntwo +0",
        );
    }

    #[test]
    fn text_stands_where_there_are_no_blocks() {
        check(json!({"sender": "human", "text": "a"}), "Text Human: a +0");
        check(
            json!({"sender": "assistant", "text": "a\n```\nThis block is not supported on your current device yet.\n```", "content": []}),
            "Text Assistant: a +0",
        );
        check(json!({"sender": "human", "text": "", "content": []}), "skipped: empty message");
        check(json!({"sender": "human"}), "failed: the message has no text where it should be");
    }

    #[test]
    fn pasted_text_is_the_message() {
        let message = json!({"sender": "human", "text": "", "files": [{"file_name": "b.png"}],
            "attachments": [{"file_name": "paste.txt", "file_type": "txt", "extracted_content": "long"}]});
        check(message, "Text Human: long +2");
    }
}
