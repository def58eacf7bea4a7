//! What a Teams message says: its HTML as Markdown, its files and cards, and what an event tells.

use super::{at, get, list};
use crate::{html, mime, time};
use evoke_message::{Attachment, Part};
use serde_json::Value;

/// What is made of a message.
pub(super) struct Said {
    /// None where it says nothing.
    pub(super) words: Option<(Part, String)>,
    /// Why it says nothing.
    pub(super) nothing: &'static str,
    pub(super) attachments: Vec<Attachment>,
    /// Id of the message that it quotes.
    pub(super) answers: Option<String>,
}

/// `name` gives somebody's name by id.
pub(super) fn said<'a>(value: &Value, who: &str, name: &dyn Fn(&str) -> Option<&'a str>) -> Said {
    let mut said = Said { words: None, nothing: "message without text", attachments: Vec::new(), answers: None };
    if get(value, "DeletedDateTime").is_some() {
        said.words = Some((Part::Deleted, "This message was deleted.".to_owned()));
        return said;
    }
    let content = at(value, &["Body", "Content"]);
    if content.contains("<systemEventMessage") || !matches!(at(value, &["MessageType"]), "message" | "") {
        said.nothing = "notice of Teams without any detail";
        said.words = get(value, "EventDetail").and_then(|detail| event(detail, who, name));
        return said;
    }
    let mut text = match at(value, &["Body", "ContentType"]).eq_ignore_ascii_case("text") {
        true => content.trim().to_owned(),
        false => markdown(content, &mut said.attachments),
    };
    for attachment in list(value, "Attachments") {
        take(attachment, &mut text, &mut said);
    }
    let subject = at(value, &["Subject"]).trim();
    if !subject.is_empty() {
        text = format!("**{subject}**\n\n{text}").trim_end().to_owned();
    }
    said.words = (!text.is_empty() || !said.attachments.is_empty()).then_some((Part::Text, text));
    said
}

/// Teams' own elements in HTML: mentions, emoji, pictures in the text, places of attachments.
fn markdown(content: &str, pictures: &mut Vec<Attachment>) -> String {
    let (mut out, mut rest) = (String::with_capacity(content.len()), content);
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = from.find('>').map_or(from.len(), |end| end + 1);
        let (tag, after) = from.split_at(end);
        let name = tag.trim_start_matches('<').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        match name {
            "at" => out.push('@'),
            "emoji" => out.push_str(attribute(tag, "alt").unwrap_or_default()),
            "attachment" => {}
            "img" => {
                let alt = attribute(tag, "alt").filter(|alt| !alt.is_empty()).unwrap_or("image");
                let emoji = attribute(tag, "itemtype").is_some_and(|t| t.contains("Emoji"));
                match emoji {
                    true => out.push_str(alt),
                    false => pictures.push(Attachment {
                        name: alt.to_owned(),
                        mime: mime::of_name(alt),
                        path: None,
                        missing: Some("kept in Teams".to_owned()),
                    }),
                }
            }
            _ => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    let text = html::markdown(&out);
    let lines: Vec<&str> =
        text.lines().map(|l| if l.trim_matches(['\u{a0}', ' ']).is_empty() { "" } else { l }).collect();
    let mut joined = lines.join("\n");
    while joined.contains("\n\n\n") {
        joined = joined.replace("\n\n\n", "\n\n");
    }
    joined.trim().to_owned()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn take(attachment: &Value, text: &mut String, said: &mut Said) {
    let (kind, content) = (at(attachment, &["ContentType"]), at(attachment, &["Content"]));
    let name = at(attachment, &["Name"]);
    match kind {
        "messageReference" => {
            let quoted = serde_json::from_str::<Value>(content).unwrap_or_default();
            let id = crate::values::id(get(&quoted, "MessageId"));
            let preview = at(&quoted, &["MessagePreview"]).trim();
            if !preview.is_empty() {
                let author = at(&quoted, &["MessageSender", "User", "DisplayName"]);
                let author = if author.is_empty() { String::new() } else { format!("{author}: ") };
                *text = format!("> {author}{}\n\n{text}", preview.replace('\n', "\n> ")).trim_end().to_owned();
            }
            said.answers = id.or_else(|| crate::values::id(get(attachment, "Id")));
        }
        kind if kind.contains("card") => {
            let card = serde_json::from_str::<Value>(content).unwrap_or_default();
            let mut words = Vec::new();
            words_of(&card, &mut words);
            if !words.is_empty() {
                *text = format!("{text}\n\n{}", words.join("\n")).trim().to_owned();
            }
        }
        _ => {
            let own = at(attachment, &["ContentUrl"]).rsplit('/').next().unwrap_or_default();
            let name = [name, own].into_iter().find(|n| !n.is_empty()).unwrap_or("file");
            said.attachments.push(Attachment {
                name: name.to_owned(),
                mime: mime::of_name(name),
                path: None,
                missing: Some("kept in Teams".to_owned()),
            });
        }
    }
}

/// Texts of a card, in order.
fn words_of(card: &Value, words: &mut Vec<String>) {
    match card {
        Value::Array(items) => items.iter().for_each(|item| words_of(item, words)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "text" | "title" | "subtitle") => {
                        words.extend(Some(html::markdown(text)).filter(|t| !t.is_empty()));
                    }
                    Value::Array(_) | Value::Object(_) => words_of(value, words),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// What an event tells: `membersAdded` as "Ana: members added (Bo)". The Graph interface names it in
/// `@odata.type`, the administrators' export by the one field that is set.
fn event<'a>(detail: &Value, who: &str, name: &dyn Fn(&str) -> Option<&'a str>) -> Option<(Part, String)> {
    let named = detail.get("@odata.type").and_then(Value::as_str).map(|t| t.rsplit('.').next().unwrap_or(t));
    let set = || {
        detail
            .as_object()?
            .iter()
            .find(|(key, v)| !v.is_null() && !matches!(key.to_ascii_lowercase().as_str(), "initiator" | "eventtype"))
    };
    let kind = named.map(str::to_owned).or_else(|| set().map(|(key, _)| key.clone()));
    let kind = kind.or_else(|| get(detail, "EventType").and_then(Value::as_str).map(str::to_owned))?;
    let inner = if named.is_some() { detail } else { set().map_or(detail, |(_, v)| v) };
    let kind = kind.trim_end_matches("EventMessageDetail").to_owned();
    let mut more: Vec<String> = list(inner, "Members").iter().filter_map(|m| person(m, name)).collect();
    let fields = [
        "ChatDisplayName",
        "ChannelDisplayName",
        "TeamDisplayName",
        "TeamsAppDisplayName",
        "ChannelDescription",
        "TeamDescription",
    ];
    more.extend(fields.iter().map(|f| at(inner, &[f])).filter(|t| !t.is_empty()).map(str::to_owned));
    let seconds = time::iso_duration(at(inner, &["CallDuration"])).filter(|s| *s > 0);
    more.extend(seconds.map(time::lasted));
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let part = if kind.to_ascii_lowercase().starts_with("call") { Part::Call } else { Part::Service };
    Some((part, format!("{who}: {}{more}", spaced(&kind))))
}

fn person<'a>(member: &Value, name: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    let user = get(member, "User").unwrap_or(member);
    let (own, id) = (at(user, &["DisplayName"]), at(user, &["Id"]));
    let found = if own.is_empty() { name(id).unwrap_or(id) } else { own };
    (!found.is_empty()).then(|| found.to_owned())
}

/// `membersAdded` as "members added".
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: Value, expected: &str) {
        let said = said(&value, "Ana", &|id| (id == "b").then_some("Bo"));
        assert_eq!(said.words.map(|(_, text)| text).unwrap_or_default(), expected, "{value}");
    }

    #[test]
    fn elements_of_teams() {
        let html =
            |content: &str| json!({"Body": {"ContentType": "html", "Content": content}, "MessageType": "message"});
        check(
            html("<p>Hi <at id=\"0\">Bo K</at>!<emoji id=\"ghost\" alt=\"👻\" title=\"Ghost\"></emoji></p>"),
            "Hi @Bo K!👻",
        );
        check(html("<p>a</p>\n<p>&nbsp;</p>\n<p>b</p><attachment id=\"1\"></attachment>"), "a\n\nb");
        check(
            json!({"body": {"contentType": "text", "content": "1 < 2"}, "subject": "Sums", "messageType": "message"}),
            "**Sums**\n\n1 < 2",
        );
    }

    #[test]
    fn events_in_both_spellings() {
        check(
            json!({"MessageType": "unknownFutureValue", "Body": {"Content": "<systemEventMessage/>"},
                "EventDetail": {"Initiator": {}, "MembersAdded": {"Members": [{"Id": "b"}]}, "CallEnded": null}}),
            "Ana: members added (Bo)",
        );
        check(
            json!({"messageType": "systemEventMessage", "body": {"content": "<systemEventMessage/>"}, "eventDetail":
                {"@odata.type": "#microsoft.graph.chatRenamedEventMessageDetail", "chatDisplayName": "Trip"}}),
            "Ana: chat renamed (Trip)",
        );
        check(json!({"MessageType": "unknownFutureValue", "EventDetail": {"EventType": null, "Initiator": {}}}), "");
    }
}
