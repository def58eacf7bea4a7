//! What one message of a ChatGPT export says, and whether it is kept (formats.md §1, both tables).

use super::assets::Assets;
use crate::ai::{Piece, Said, tool_text};
use crate::text::until;
use evoke_message::{Part, Role};
use serde_json::Value;

/// Reads a message. Hidden ones are skipped with a reason; tools and thoughts are kept, shortened.
pub(super) fn read(message: &Value, assets: &Assets) -> Said {
    if let Some(reason) = hidden(message) {
        return Said::Skipped(reason.into());
    }
    let Some(content) = message.get("content") else {
        return Said::Failed("the message has no content".to_owned());
    };
    let kind = content.get("content_type").and_then(Value::as_str).unwrap_or("text");
    if matches!(kind, "text" | "multimodal_text") && content.get("parts").is_none_or(|p| !p.is_array()) {
        return Said::Failed("the message has no text where it should be".to_owned());
    }
    let (part, role) = part(message, kind);
    let text = clean(&words(content, kind), message);
    let text = if part == Part::Text { text.trim().to_owned() } else { tool_text(&text) };
    let attachments = assets.attached(message);
    if text.is_empty() && attachments.is_empty() {
        return Said::Skipped(match kind {
            "text" | "multimodal_text" => "empty message".into(),
            kind => format!("no text in {}", kind.replace('_', " ")).into(),
        });
    }
    Said::Pieces(vec![Piece { part, role, text, attachments }])
}

fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn true_at(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

fn hidden(message: &Value) -> Option<&'static str> {
    match text_at(message, "/content/content_type") {
        "user_editable_context" => return Some("custom instructions, which every conversation repeats"),
        "model_editable_context" => return Some("saved memory, which every conversation repeats"),
        _ => {}
    }
    if text_at(message, "/author/role") == "system" && !true_at(message, "/metadata/is_user_system_message") {
        return Some("hidden system message");
    }
    if true_at(message, "/metadata/is_visually_hidden_from_conversation") {
        return Some("hidden message");
    }
    (message.get("weight").and_then(Value::as_f64) == Some(0.0)).then_some("message taken out of the conversation")
}

fn part(message: &Value, kind: &str) -> (Part, Role) {
    let to = text_at(message, "/recipient");
    match (text_at(message, "/author/role"), kind) {
        (_, "thoughts" | "reasoning_recap") => (Part::Thinking, Role::Assistant),
        ("assistant", _) if !to.is_empty() && to != "all" => (Part::Tool, Role::Assistant),
        ("user", _) => (Part::Text, Role::Human),
        ("assistant", "text" | "multimodal_text") => (Part::Text, Role::Assistant),
        (
            "assistant",
            "code"
            | "execution_output"
            | "citable_code_output"
            | "tether_quote"
            | "tether_browsing_display"
            | "sonic_webpage"
            | "system_error",
        ) => (Part::Tool, Role::Assistant),
        ("assistant", _) => (Part::Text, Role::Assistant),
        ("system", _) => (Part::Text, Role::System),
        ("", _) => (Part::Text, Role::System),
        _ => (Part::Tool, Role::Tool),
    }
}

/// The text of a content, by the table of content types; of an unknown one, what looks like text.
fn words(content: &Value, kind: &str) -> String {
    let field = |name: &str| text_at(content, &format!("/{name}")).to_owned();
    let lines =
        |names: &[&str]| names.iter().map(|n| field(n)).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n");
    match kind {
        "code" | "execution_output" => field("text"),
        "citable_code_output" => field("output_str"),
        "tether_quote" => lines(&["title", "url", "text"]),
        "tether_browsing_display" => lines(&["summary", "result"]),
        // The whole page is not the conversation's words.
        "sonic_webpage" => lines(&["title", "url", "snippet"]),
        "system_error" => lines(&["name", "text"]),
        "thoughts" if content.get("thoughts").is_some() => thoughts(content),
        "reasoning_recap" if content.get("content").is_some() => field("content"),
        _ => [parts(content), field("text"), field("content"), field("result")]
            .into_iter()
            .find(|t| !t.is_empty())
            .unwrap_or_default(),
    }
}

fn thoughts(content: &Value) -> String {
    let thoughts = content.get("thoughts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let one = |t: &Value| [text_at(t, "/summary"), text_at(t, "/content")].join("\n").trim().to_owned();
    thoughts.iter().map(one).collect::<Vec<_>>().join("\n\n")
}

/// `parts` holds strings, nulls and objects with types of their own.
fn parts(content: &Value) -> String {
    let parts = content.get("parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |part: &Value| match part {
        Value::String(text) => text.clone(),
        Value::Object(_) => [text_at(part, "/text"), text_at(part, "/metadata/dalle/prompt")]
            .into_iter()
            .find(|t| !t.is_empty())
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    };
    parts.iter().map(text).filter(|t| !t.trim().is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Resolves citation marks by the message's own list, and removes those that are left.
fn clean(text: &str, message: &Value) -> String {
    let mut text = text.to_owned();
    let references = message.pointer("/metadata/content_references").and_then(Value::as_array);
    for reference in references.into_iter().flatten() {
        let mark = text_at(reference, "/matched_text");
        if mark.starts_with('\u{e200}') {
            text = text.replace(mark, text_at(reference, "/alt"));
        }
    }
    without(&without(&text, '\u{e200}', '\u{e201}', |_| true), '【', '】', |inner| inner.contains('†'))
}

/// Without the stretches from `open` to `close` whose inside fits.
fn without(text: &str, open: char, close: char, fits: impl Fn(&str) -> bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(open) {
        match until(inside, close.encode_utf8(&mut [0; 4]), 16 << 10).filter(|(inner, _)| fits(inner)) {
            Some((_, after)) => {
                kept.push_str(before);
                rest = after;
            }
            None => {
                kept.push_str(before);
                kept.push(open);
                rest = inside;
            }
        }
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(message: Value, expected: &str) {
        let said = match read(&message, &Assets::default()) {
            Said::Pieces(pieces) => {
                pieces.into_iter().map(|p| format!("{:?} {:?}: {}", p.part, p.role, p.text)).collect()
            }
            Said::Skipped(reason) => format!("skipped: {reason}"),
            Said::Failed(reason) => format!("failed: {reason}"),
            Said::Nothing => "nothing".to_owned(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn every_content_type_has_its_text() {
        for (content, expected) in [
            (json!({"content_type": "text", "parts": ["a", null, {"text": "b"}]}), "Text Assistant: a\n\nb"),
            (json!({"content_type": "code", "text": "1+1"}), "Tool Assistant: 1+1"),
            (
                json!({"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "c"}]}),
                "Thinking Assistant: s\nc",
            ),
            (
                json!({"content_type": "reasoning_recap", "content": "Thought for 12 s"}),
                "Thinking Assistant: Thought for 12 s",
            ),
            (
                json!({"content_type": "multimodal_text", "parts": [{"content_type": "audio_transcription", "text": "hi"}]}),
                "Text Assistant: hi",
            ),
            (json!({"content_type": "computer_output"}), "skipped: no text in computer output"),
            (json!({"content_type": "text", "parts": [""]}), "skipped: empty message"),
            (json!({"content_type": "text"}), "failed: the message has no text where it should be"),
        ] {
            check(json!({"author": {"role": "assistant"}, "content": content}), expected);
        }
    }

    #[test]
    fn hidden_messages_are_skipped_by_name() {
        let content = json!({"content_type": "text", "parts": ["x"]});
        for (message, expected) in [
            (json!({"author": {"role": "system"}, "content": content}), "skipped: hidden system message"),
            (
                json!({"author": {"role": "user"}, "weight": 0.0, "content": content}),
                "skipped: message taken out of the conversation",
            ),
            (json!({"author": {"role": "assistant"}, "recipient": "python", "content": content}), "Tool Assistant: x"),
            (json!({"author": {"role": "tool"}, "content": content}), "Tool Tool: x"),
            (
                json!({"author": {"role": "user"}, "metadata": {"is_visually_hidden_from_conversation": true}, "content": content}),
                "skipped: hidden message",
            ),
        ] {
            check(message, expected);
        }
    }

    #[test]
    fn citation_marks_are_resolved_or_removed() {
        let mark = "\u{e200}cite\u{e202}turn0search1\u{e201}";
        let message = json!({"author": {"role": "assistant"},
            "metadata": {"content_references": [{"matched_text": mark, "alt": "([Site](https://a.b))"}]},
            "content": {"content_type": "text", "parts": [format!("yes {mark} no【12†source】 \u{e200}x\u{e201}【a】")]}});
        check(message, "Text Assistant: yes ([Site](https://a.b)) no 【a】");
    }
}
