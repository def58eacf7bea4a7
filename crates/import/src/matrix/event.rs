//! What a Matrix event says.

use crate::{
    html,
    values::{array, at, text},
};
use evoke_message::Part;
use serde_json::Value;

pub(super) struct Said {
    pub(super) part: Part,
    pub(super) text: String,
    /// Name of the file that it carries.
    pub(super) file: Option<String>,
}

impl Said {
    fn of(part: Part, text: impl Into<String>) -> Result<Self, &'static str> {
        Ok(Self { part, text: text.into(), file: None })
    }
}

const SECRET: &str = "message that Element could not decrypt when it was exported";
const SILENT: &str = "event without text";

/// What an event with this content (its newest) says; or in plain words why nothing. `name` gives a display name by user id.
pub(super) fn said(
    value: &Value,
    kind: &str,
    content: &Value,
    name: &dyn Fn(&str) -> String,
) -> Result<Said, &'static str> {
    let gone = |v: &Value| v.get("redacted_because").is_some_and(|b| !b.is_null());
    let message = matches!(kind, "m.room.message" | "m.sticker" | "m.room.encrypted") || kind.contains("poll.start");
    if (gone(value) || value.get("unsigned").is_some_and(gone)) && message {
        return Said::of(Part::Deleted, "This message was deleted.");
    }
    match kind {
        "m.room.encrypted" => Err(SECRET),
        "m.room.message" => spoken(value, content, name),
        "m.sticker" => {
            Ok(Said { part: Part::Text, text: String::new(), file: Some(format!("sticker {}", text(content, "body"))) })
        }
        kind if kind.contains("poll.start") => poll(content),
        kind if kind.starts_with("m.call.") || kind.contains("call.invite") => call(value, kind, name),
        _ if value.get("state_key").is_some() => state(value, kind, content, name),
        _ => match body(content, name) {
            text if text.is_empty() => Err(SILENT),
            text => Said::of(Part::Text, text),
        },
    }
}

fn spoken(value: &Value, content: &Value, name: &dyn Fn(&str) -> String) -> Result<Said, &'static str> {
    let kind = text(content, "msgtype");
    match kind {
        "m.bad.encrypted" => Err(SECRET),
        "m.image" | "m.file" | "m.audio" | "m.video" => {
            let (own, body_text) = (text(content, "filename"), text(content, "body"));
            let file = if own.is_empty() { body_text } else { own };
            // A caption is a body that is not the name of the file.
            let caption = if own.is_empty() || own == body_text { String::new() } else { body(content, name) };
            let file = if file.is_empty() { kind.trim_start_matches("m.") } else { file };
            Ok(Said { part: Part::Text, text: caption, file: Some(file.to_owned()) })
        }
        "m.location" => {
            let place = text(content, "geo_uri").trim_start_matches("geo:");
            Said::of(
                Part::Text,
                format!("Location: {} {place}", text(content, "body")).replace("  ", " ").trim().to_owned(),
            )
        }
        "m.key.verification.request" => {
            Said::of(Part::Service, format!("{} asked for verification", name(text(value, "sender"))))
        }
        _ => match body(content, name) {
            text if text.is_empty() => Err(SILENT),
            words if kind == "m.emote" => Said::of(Part::Text, format!("* {} {words}", name(text(value, "sender")))),
            words => Said::of(Part::Text, words),
        },
    }
}

/// The formatted body where there is one, without the answered message that older clients repeat in it.
fn body(content: &Value, name: &dyn Fn(&str) -> String) -> String {
    let formatted = text(content, "formatted_body");
    if text(content, "format") == "org.matrix.custom.html" && !formatted.is_empty() {
        let own = formatted.rsplit_once("</mx-reply>").map_or(formatted, |(_, own)| own);
        let text = html::markdown(&mentions(own, name));
        if !text.is_empty() {
            return text;
        }
    }
    let plain = text(content, "body").trim();
    if !plain.starts_with("> <@") && !plain.starts_with("> * <@") {
        return plain.to_owned();
    }
    let own = plain.lines().skip_while(|line| line.starts_with('>')).collect::<Vec<_>>().join("\n");
    if own.trim().is_empty() { plain.to_owned() } else { own.trim().to_owned() }
}

/// Links to people become names.
fn mentions<'t>(html: &'t str, name: &dyn Fn(&str) -> String) -> String {
    const LINK: &str = "<a href=\"https://matrix.to/#/@";
    let (mut out, mut rest) = (String::with_capacity(html.len()), html);
    while let Some((before, from)) = rest.split_once(LINK) {
        let whole = |(user, after): (&'t str, &'t str)| Some((user, after.split_once('>')?.1.split_once("</a>")?));
        // Where one has no end, none behind it has.
        let Some((user, (shown, after))) = from.split_once('"').and_then(whole) else { break };
        out.push_str(before);
        let shown = shown.trim_start_matches('@');
        let known = name(&format!("@{user}"));
        out.push_str(&format!("@{}", if shown.is_empty() { known.as_str() } else { shown }));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn poll(content: &Value) -> Result<Said, &'static str> {
    let poll =
        content.as_object().into_iter().flatten().find(|(key, _)| key.contains("poll")).map_or(content, |(_, v)| v);
    let words = |v: &Value| {
        let own = v.as_object().into_iter().flatten().filter(|(key, _)| key.ends_with("text"));
        own.filter_map(|(_, t)| t.as_str()).next().unwrap_or_else(|| text(v, "body")).to_owned()
    };
    let question = poll.get("question").map(words).unwrap_or_default();
    let answers: String = array(poll, "answers").iter().map(|a| format!("\n- {}", words(a))).collect();
    Said::of(Part::Text, format!("Poll: {question}{answers}"))
}

fn call(value: &Value, kind: &str, name: &dyn Fn(&str) -> String) -> Result<Said, &'static str> {
    let who = name(text(value, "sender"));
    let video = at(value, &["content", "offer", "sdp"]).contains("m=video");
    match kind {
        "m.call.invite" if video => Said::of(Part::Call, format!("{who} started a video call")),
        "m.call.invite" => Said::of(Part::Call, format!("{who} started a call")),
        "m.call.answer" => Said::of(Part::Call, format!("{who} answered the call")),
        "m.call.reject" => Said::of(Part::Call, format!("{who} declined the call")),
        "m.call.hangup" => Said::of(Part::Call, format!("{who} ended the call")),
        _ => Err("signal of a call"),
    }
}

/// What a change of the room tells.
fn state(value: &Value, kind: &str, content: &Value, name: &dyn Fn(&str) -> String) -> Result<Said, &'static str> {
    let who = name(text(value, "sender"));
    let told = match kind {
        "m.room.member" => member(value, content, &who, name),
        "m.room.name" => format!("{who} named the room “{}”", text(content, "name")),
        "m.room.topic" => format!("{who} set the topic to “{}”", text(content, "topic")),
        "m.room.avatar" => format!("{who} changed the picture of the room"),
        "m.room.create" => format!("{who} created the room"),
        "m.room.encryption" => format!("{who} turned on encryption"),
        "m.room.pinned_events" => format!("{who} changed the pinned messages"),
        "m.room.tombstone" => format!("{who} upgraded the room"),
        "m.room.third_party_invite" => format!("{who} invited {}", text(content, "display_name")),
        _ => return Err("change of the room's settings"),
    };
    Said::of(Part::Service, told)
}

fn member(value: &Value, content: &Value, who: &str, name: &dyn Fn(&str) -> String) -> String {
    let user = text(value, "state_key");
    let whom = name(user);
    let own = user == text(value, "sender");
    let before = ["prev_content", "unsigned"].iter().find_map(|k| match *k {
        "unsigned" => value.get("unsigned")?.get("prev_content"),
        key => value.get(key),
    });
    let was = before.map_or("", |b| text(b, "membership"));
    match text(content, "membership") {
        "join" if was == "join" => {
            let (old, new) = (before.map_or("", |b| text(b, "displayname")), text(content, "displayname"));
            match old == new {
                true => format!("{whom} changed their picture"),
                false if old.is_empty() => format!("{whom} set their name to {new}"),
                false => format!("{old} changed their name to {new}"),
            }
        }
        "join" => format!("{whom} joined"),
        "invite" => format!("{who} invited {whom}"),
        "leave" if own && was == "invite" => format!("{whom} declined the invitation"),
        "leave" if own => format!("{whom} left"),
        "leave" => format!("{who} removed {whom}"),
        "ban" => format!("{who} banned {whom}"),
        "knock" => format!("{whom} asked to join"),
        _ => format!("{who} changed the membership of {whom}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: Value, expected: &str) {
        let name = |user: &str| if user == "@ana:hs" { "Ana".to_owned() } else { user.to_owned() };
        let said = said(&value, text(&value, "type"), value.get("content").unwrap(), &name);
        assert_eq!(said.map_or_else(str::to_owned, |s| s.text), expected, "{value}");
    }

    #[test]
    fn bodies() {
        let said = |content: Value| json!({"type": "m.room.message", "sender": "@ana:hs", "content": content});
        check(said(json!({"msgtype": "m.text", "body": "> <@bo:hs> when?\n> really\n\nnow\n> soon"})), "now\n> soon");
        check(said(json!({"msgtype": "m.text", "body": "> a quote"})), "> a quote");
        check(
            said(json!({"msgtype": "m.text", "body": "x", "format": "org.matrix.custom.html",
                "formatted_body": "<mx-reply><blockquote>old</blockquote></mx-reply><strong>yes</strong> <a href=\"https://matrix.to/#/@bo:hs\">Bo</a>"})),
            "**yes** @Bo",
        );
        check(said(json!({"msgtype": "m.emote", "body": "waves"})), "* Ana waves");
        check(said(json!({"msgtype": "m.bad.encrypted", "body": "** Unable to decrypt **"})), SECRET);
    }

    #[test]
    fn changes_of_the_room() {
        let change = |kind: &str, key: &str, content: Value| json!({"type": kind, "sender": "@ana:hs", "state_key": key, "content": content});
        check(change("m.room.member", "@ana:hs", json!({"membership": "join"})), "Ana joined");
        check(change("m.room.member", "@bo:hs", json!({"membership": "invite"})), "Ana invited @bo:hs");
        check(change("m.room.name", "", json!({"name": "Trip"})), "Ana named the room “Trip”");
        check(change("m.room.power_levels", "", json!({})), "change of the room's settings");
    }
}
