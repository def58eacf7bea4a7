//! The text of a Telegram message as Markdown, and the files it carries.

use super::message::id_text;
use crate::values::text;
use evoke_message::Attachment;
use serde_json::Value;

/// The message's text, with what stands for text: places, contacts, polls.
pub(super) fn of(message: &Value) -> String {
    let forwarded = match message.get("forwarded_from") {
        Some(Value::String(name)) => format!("Forwarded from {name}:"),
        Some(_) => "Forwarded from a deleted account:".to_owned(),
        None => String::new(),
    };
    let said = [written(message), location(message), contact(message), poll(message)];
    let said = said.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n\n");
    let said = if forwarded.is_empty() || said.is_empty() { said } else { format!("{forwarded}\n{said}") };
    said.trim().to_owned()
}

/// `text_entities` is complete where it exists; older exports have only `text`, a string or a list.
fn written(message: &Value) -> String {
    let entities = message.get("text_entities").and_then(Value::as_array).filter(|e| !e.is_empty());
    match (entities, message.get("text")) {
        (Some(entities), _) => entities.iter().map(entity).collect(),
        (None, Some(Value::String(text))) => text.clone(),
        (None, Some(Value::Array(parts))) => parts.iter().map(entity).collect(),
        _ => String::new(),
    }
}

/// One stretch of text; a plain one may be a bare string.
fn entity(part: &Value) -> String {
    if let Value::String(plain) = part {
        return plain.clone();
    }
    let words = text(part, "text");
    match text(part, "type") {
        "bold" => wrapped(words, "**"),
        "italic" => wrapped(words, "*"),
        "strikethrough" => wrapped(words, "~~"),
        "code" => wrapped(words, "`"),
        "pre" => format!("\n```{}\n{words}\n```\n", text(part, "language")),
        "blockquote" => words.lines().map(|l| format!("> {l}\n")).collect(),
        "text_link" if !text(part, "href").is_empty() => format!("[{words}]({})", text(part, "href")),
        _ => words.to_owned(),
    }
}

/// Markdown's marks stand next to a word, never next to a space.
fn wrapped(words: &str, mark: &str) -> String {
    let inner = words.trim();
    match words.split_once(inner).filter(|_| !inner.is_empty() && !inner.contains('\n')) {
        Some((before, after)) => format!("{before}{mark}{inner}{mark}{after}"),
        None => words.to_owned(),
    }
}

fn location(message: &Value) -> String {
    let place = message.get("location_information");
    let degrees = |key: &str| place.and_then(|p| p.get(key)).and_then(Value::as_f64);
    let name = [text(message, "place_name"), text(message, "address")]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    match (degrees("latitude"), degrees("longitude")) {
        (Some(lat), Some(lon)) if name.is_empty() => format!("Location: {lat}, {lon}"),
        (Some(lat), Some(lon)) => format!("Location: {name} ({lat}, {lon})"),
        _ => String::new(),
    }
}

fn contact(message: &Value) -> String {
    let Some(contact) = message.get("contact_information") else { return String::new() };
    let words = ["first_name", "last_name", "phone_number"].map(|key| text(contact, key));
    format!("Contact: {}", words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" "))
}

fn poll(message: &Value) -> String {
    let Some(poll) = message.get("poll") else { return String::new() };
    let answers = poll.get("answers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let answer = |a: &Value| {
        format!("\n- {} ({})", text(a, "text"), a.get("voters").and_then(id_text).unwrap_or_else(|| "0".to_owned()))
    };
    format!("Poll: {}{}", text(poll, "question"), answers.iter().map(answer).collect::<String>())
}

/// Pictures, files, recordings and stickers. In place of a file that was not exported stands a
/// sentence in brackets that says why.
pub(super) fn attachments(message: &Value) -> Vec<Attachment> {
    let mime = Some(text(message, "mime_type")).filter(|m| !m.is_empty()).map(str::to_owned);
    ["photo", "file"]
        .into_iter()
        .filter(|key| message.get(*key).is_some())
        .map(|key| {
            let stated = text(message, key);
            let path = Some(stated).filter(|p| !p.is_empty() && !p.starts_with('('));
            let missing = path.is_none().then(|| stated.trim_matches(['(', ')']).trim_end_matches('.').to_owned());
            Attachment {
                name: name(message, key, path),
                mime: mime.clone().filter(|_| key == "file"),
                path: path.map(str::to_owned),
                missing: missing.map(|m| if m.is_empty() { "not in this export".to_owned() } else { m }),
            }
        })
        .collect()
}

fn name(message: &Value, key: &str, path: Option<&str>) -> String {
    let stated = text(message, "file_name");
    let kind = match (key, text(message, "media_type")) {
        ("photo", _) => "photo".to_owned(),
        (_, "sticker") => format!("sticker {}", text(message, "sticker_emoji")).trim().to_owned(),
        (_, "") => "file".to_owned(),
        (_, kind) => kind.replace('_', " "),
    };
    let own = path.and_then(|p| p.rsplit('/').next());
    match (key, stated) {
        ("file", stated)
            if !stated.is_empty() && !stated.starts_with('(') && text(message, "media_type") != "sticker" =>
        {
            stated.to_owned()
        }
        _ if kind.starts_with("sticker") => kind,
        _ => own.map_or(kind, str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(message: Value, expected: &str) {
        assert_eq!(of(&message), expected, "{message}");
    }

    #[test]
    fn text_in_both_forms() {
        check(json!({"text": "a *b*"}), "a *b*");
        check(
            json!({"text": ["see ", {"type": "bold", "text": "this "}, {"type": "text_link", "text": "page", "href": "https://a.b"}]}),
            "see **this** [page](https://a.b)",
        );
        check(
            json!({"text": "ignored", "text_entities": [{"type": "plain", "text": "x "}, {"type": "code", "text": "y"}]}),
            "x `y`",
        );
        check(json!({"text": [{"type": "pre", "text": "fn", "language": "rust"}]}), "```rust\nfn\n```");
    }

    #[test]
    fn things_that_stand_for_text() {
        check(
            json!({"text": "", "location_information": {"latitude": 52.5, "longitude": 13.4}}),
            "Location: 52.5, 13.4",
        );
        check(json!({"text": "", "contact_information": {"first_name": "Ana", "phone_number": "1"}}), "Contact: Ana 1");
        check(
            json!({"text": "", "poll": {"question": "When?", "answers": [{"text": "Now", "voters": 2}]}}),
            "Poll: When?\n- Now (2)",
        );
        check(json!({"text": "x", "forwarded_from": "Ana"}), "Forwarded from Ana:\nx");
    }

    #[test]
    fn files_that_are_there_and_not() {
        let there = attachments(&json!({"file": "files/a.pdf", "file_name": "b.pdf", "mime_type": "application/pdf"}));
        assert_eq!((there[0].name.as_str(), there[0].path.as_deref()), ("b.pdf", Some("files/a.pdf")));
        let gone = attachments(
            &json!({"file": "(File not included. Change data exporting settings to download.)", "media_type": "sticker", "sticker_emoji": "😀"}),
        );
        assert_eq!(gone[0].name, "sticker 😀");
        assert_eq!(gone[0].missing.as_deref(), Some("File not included. Change data exporting settings to download"));
    }
}
