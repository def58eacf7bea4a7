//! What a Skype message says, by its type: text in HTML with Skype's own elements, files, calls and notices.

use crate::{html, time, values::text, xml::unescape};
use evoke_message::Part;
use serde_json::Value;

/// What is made of a message.
pub(super) struct Said {
    pub(super) part: Part,
    pub(super) text: String,
    pub(super) file: Option<File>,
    /// Id of the message that it quotes.
    pub(super) answers: Option<String>,
    pub(super) edited: Option<i64>,
}

pub(super) struct File {
    /// Of the object in Skype's store.
    pub(super) id: String,
    pub(super) name: String,
}

/// None where it says nothing; `name` gives somebody's name by id.
pub(super) fn said(value: &Value, who: &str, name: &dyn Fn(&str) -> String) -> Option<Said> {
    let (kind, content) = (text(value, "messagetype"), text(value, "content"));
    let properties = value.get("properties").unwrap_or(&Value::Null);
    let mut said =
        Said { part: Part::Text, text: String::new(), file: None, answers: None, edited: edited(content, properties) };
    if content.is_empty() && properties.get("deletetime").is_some_and(|t| !t.is_null()) {
        said.part = Part::Deleted;
        said.text = "This message was deleted.".to_owned();
        return Some(said);
    }
    match kind {
        // Advertisements of Skype itself.
        "Notice" | "PopCard" => return None,
        "Text" => said.text = unescape(content).trim().to_owned(),
        "Event/Call" => {
            said.part = Part::Call;
            said.text = call(content, who);
        }
        "Poll" => said.text = format!("Poll: {}", poll(content)).trim().to_owned(),
        "RichText/Contacts" => said.text = contacts(content),
        "RichText/Location" => said.text = format!("Location: {}", location(content)),
        kind if kind.starts_with("ThreadActivity/") => {
            said.part = Part::Service;
            said.text = notice(kind, content, name);
        }
        kind if content.contains("<URIObject") => {
            said.file = Some(file(content, kind)).filter(|_| !content.contains("type=\"SWIFT"));
            said.text = if said.file.is_some() { caption(content) } else { card(content) };
        }
        "EndToEndEncryption/EncryptedText" => {
            said.text = "A message of a private conversation, which is not in the export.".to_owned()
        }
        _ => (said.answers, said.text) = rich(content),
    }
    (!said.text.is_empty() || said.file.is_some()).then_some(said)
}

/// HTML with quotes, mentions and emoticons. Line ends count, as they do not in HTML.
fn rich(content: &str) -> (Option<String>, String) {
    let (mut quoted, mut plain, mut rest) = (Vec::new(), String::with_capacity(content.len()), content);
    let mut answers = None;
    while let Some(at) = rest.find("<quote") {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let (quote, after) = from.split_once("</quote>").unwrap_or((from, ""));
        let (tag, inner) = quote.split_once('>').unwrap_or((quote, ""));
        answers = attribute(tag, "messageid").or(answers);
        let author = attribute(tag, "authorname").or_else(|| attribute(tag, "author")).unwrap_or_default();
        let words = markdown(&without(inner, "legacyquote"));
        quoted.push(format!("> {author}: {}", words.replace('\n', "\n> ")));
        rest = after;
    }
    plain.push_str(rest);
    let own = markdown(&plain);
    let all: Vec<String> = quoted.into_iter().chain(Some(own).filter(|o| !o.is_empty())).collect();
    (answers, all.join("\n\n"))
}

fn markdown(content: &str) -> String {
    let content = without(content, "e_m").replace("\r\n", "\n").replace('\n', "<br>");
    let content = content.replace("<at ", "@<at ");
    html::markdown(&content.replace("@@<at ", "@<at ")).replace("@@", "@")
}

/// Without elements of this name and what is in them.
fn without(content: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let (mut out, mut rest) = (String::with_capacity(content.len()), content);
    // Where one has no end, none behind it has.
    let mut closed = true;
    while let Some((before, from)) = rest.split_once(&open) {
        out.push_str(before);
        let end = from.find('>').unwrap_or(from.len());
        let empty = from.get(..end).is_some_and(|tag| tag.ends_with('/'));
        let close_at = if closed { from.find(&close) } else { None };
        closed = close_at.is_some();
        rest = match close_at {
            Some(at) if !empty => from.get(at + close.len()..).unwrap_or_default(),
            _ => from.get(end + 1..).unwrap_or_default(),
        };
    }
    out.push_str(rest);
    out
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let value = unescape(rest.split('"').next()?);
    Some(value).filter(|v| !v.is_empty())
}

/// The text in an element of this name.
fn element(content: &str, name: &str) -> Option<String> {
    let (_, rest) = content.split_once(&format!("<{name}>"))?;
    let inner = rest.split_once(&format!("</{name}>"))?.0;
    Some(unescape(inner.trim())).filter(|t| !t.is_empty())
}

fn elements(content: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let pieces = content.split(&open).skip(1);
    pieces.filter_map(|piece| Some(unescape(piece.split_once(&close)?.0.trim()))).filter(|t| !t.is_empty()).collect()
}

/// An edited message carries a mark with the time of its edit.
fn edited(content: &str, properties: &Value) -> Option<i64> {
    let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok());
    let own = properties.get("edittime").and_then(number).and_then(time::from_number);
    let mark = content.split_once("<e_m ").map(|(_, mark)| mark);
    let marked = mark.and_then(|m| attribute(m, "ts_ms").or_else(|| attribute(m, "ts")));
    own.or_else(|| marked.and_then(|ts| ts.parse().ok()).and_then(time::from_number))
}

fn call(content: &str, who: &str) -> String {
    let kind = attribute(content, "type").unwrap_or_default();
    let seconds = elements(content, "duration").iter().filter_map(|d| d.parse::<f64>().ok()).fold(0.0, f64::max);
    match kind.as_str() {
        "started" => format!("{who} started a call"),
        "missed" => format!("Missed call from {who}"),
        _ if content.contains("<ended") || kind == "ended" => match seconds.round() as u64 {
            0 => "Call ended".to_owned(),
            seconds => format!("Call ended after {}", time::lasted(seconds)),
        },
        _ => format!("Call of {who}"),
    }
}

fn notice(kind: &str, content: &str, name: &dyn Fn(&str) -> String) -> String {
    let who = element(content, "initiator").map_or_else(|| "Somebody".to_owned(), |id| name(&id));
    let whom: Vec<String> = elements(content, "target").iter().map(|id| name(id)).collect();
    let whom = whom.join(", ");
    match kind.trim_start_matches("ThreadActivity/") {
        "AddMember" | "MemberJoined" if whom.is_empty() || whom == who => format!("{who} joined"),
        "AddMember" | "MemberJoined" => format!("{who} added {whom}"),
        "DeleteMember" | "MemberLeft" if whom.is_empty() || whom == who => format!("{who} left"),
        "DeleteMember" | "MemberLeft" => format!("{who} removed {whom}"),
        "TopicUpdate" => match element(content, "value") {
            Some(topic) => format!("{who} named the chat “{topic}”"),
            None => format!("{who} removed the name of the chat"),
        },
        "PictureUpdate" => format!("{who} changed the picture of the chat"),
        _ => format!("{who} changed the settings of the chat"),
    }
}

fn file(content: &str, kind: &str) -> File {
    let uri = attribute(content, "uri").unwrap_or_default();
    let id = uri.trim_end_matches('/').rsplit("/objects/").next().unwrap_or_default();
    let id = id.split('/').next().unwrap_or_default().to_owned();
    let name = content.split_once("<OriginalName ").and_then(|(_, tag)| attribute(tag, "v"));
    let what = match kind {
        "RichText/UriObject" => "photo",
        "RichText/Media_Video" | "RichText/Media_FlikMsg" => "video",
        "RichText/Media_AudioMsg" => "voice message",
        "RichText/Media_CallRecording" => "call recording",
        _ => "file",
    };
    File { id, name: name.unwrap_or_else(|| what.to_owned()) }
}

/// What somebody wrote under a picture; Skype's own sentence about where to see it is none.
fn caption(content: &str) -> String {
    let inner = content.split_once("<URIObject").map_or("", |(_, rest)| rest);
    let after = inner.split_once("</URIObject>").map_or("", |(_, after)| after);
    markdown(after)
}

/// The fallback text of a card.
fn card(content: &str) -> String {
    let title = element(content, "Title").unwrap_or_default();
    let words = markdown(content);
    if words.is_empty() { title } else { words }
}

fn poll(content: &str) -> String {
    let json = serde_json::from_str::<Value>(content).unwrap_or_default();
    let question = text(&json, "title").trim();
    let question = if question.is_empty() { text(&json, "question").trim() } else { question };
    if question.is_empty() { markdown(content) } else { question.to_owned() }
}

fn contacts(content: &str) -> String {
    let cards = content.split("<c ").skip(1);
    let names: Vec<String> = cards.filter_map(|c| attribute(c, "f").or_else(|| attribute(c, "s"))).collect();
    format!("Contact: {}", names.join(", "))
}

fn location(content: &str) -> String {
    let address = attribute(content, "address");
    let point = attribute(content, "latitude").zip(attribute(content, "longitude"));
    let degrees = |n: String| n.parse::<f64>().map(|n| if n.abs() > 180.0 { n / 1e6 } else { n }).unwrap_or(0.0);
    let point = point.map(|(lat, lon)| format!("{}, {}", degrees(lat), degrees(lon)));
    address.or(point).unwrap_or_else(|| markdown(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(kind: &str, content: &str, expected: &str) {
        let value = json!({"messagetype": kind, "content": content});
        let name = |id: &str| id.trim_start_matches("8:").to_owned();
        let said = said(&value, "Ana", &name);
        assert_eq!(said.map(|s| s.text).unwrap_or_default(), expected, "{content}");
    }

    #[test]
    fn texts() {
        check("Text", "a &lt; b", "a < b");
        check(
            "RichText",
            "<b raw_pre=\"*\" raw_post=\"*\">so</b> it\nis &amp; <ss type=\"smile\">:)</ss>",
            "**so** it\nis & :)",
        );
        check("RichText", "see <a href=\"https://x.org/\">https://x.org/</a>", "see https://x.org/");
        check("RichText", "<at id=\"8:bo\">Bo</at>: hi", "@Bo: hi");
        check("RichText", "<at id=\"8:bo\">@Bo</at>: hi", "@Bo: hi");
        check(
            "RichText",
            "<quote author=\"bo\" authorname=\"Bo\" timestamp=\"1\" messageid=\"7\"><legacyquote>[1] Bo: </legacyquote>when?<legacyquote>\n\n&lt;&lt;&lt; </legacyquote></quote>now",
            "> Bo: when?\n\nnow",
        );
        check("RichText", "Edited<e_m a=\"bo\" ts_ms=\"1500000000000\" ts=\"1500000000\" t=\"61\"></e_m>", "Edited");
        check("RichText", "", "");
    }

    #[test]
    fn calls_and_notices() {
        check(
            "Event/Call",
            "<partlist alt=\"\" type=\"started\"><part identity=\"a\"><name>A</name></part></partlist>",
            "Ana started a call",
        );
        check(
            "Event/Call",
            "<ended/><partlist type=\"ended\"><part><duration>65.2</duration></part></partlist>",
            "Call ended after 1 min 5 s",
        );
        check(
            "ThreadActivity/AddMember",
            "<addmember><initiator>8:ana</initiator><target>8:bo</target><target>8:cy</target></addmember>",
            "ana added bo, cy",
        );
        check(
            "ThreadActivity/TopicUpdate",
            "<topicupdate><initiator>8:ana</initiator><value>Trip &amp; co</value></topicupdate>",
            "ana named the chat “Trip & co”",
        );
        check("RichText/Contacts", "<contacts><c t=\"s\" s=\"bo\" f=\"Bo K\"/></contacts>", "Contact: Bo K");
    }

    #[test]
    fn a_photo() {
        let content = "<URIObject uri=\"https://api.asm.skype.com/v1/objects/0-weu-d1-abc\" type=\"Picture.1\">To view <a href=\"x\">y</a><OriginalName v=\"cat.jpg\"/></URIObject>";
        let value = json!({"messagetype": "RichText/UriObject", "content": content});
        let said = said(&value, "Ana", &str::to_owned).unwrap();
        let file = said.file.unwrap();
        assert_eq!((file.id.as_str(), file.name.as_str(), said.text.as_str()), ("0-weu-d1-abc", "cat.jpg", ""));
    }
}
