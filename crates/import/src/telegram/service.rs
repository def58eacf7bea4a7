//! Telegram's service lines as plain sentences: who joined, what was pinned, which call was missed.

use super::message::id_text;
use crate::values::text;
use evoke_message::Part;
use serde_json::Value;

/// What happened, in words.
pub(super) fn sentence(line: &Value) -> (Part, String) {
    let who = match text(line, "actor") {
        "" => "Somebody",
        name => name,
    };
    let (members, title) = (members(line), text(line, "title"));
    let what = match text(line, "action") {
        "phone_call" | "group_call" => return (Part::Call, call(line, who)),
        "create_group" | "create_channel" => format!("created “{title}”"),
        "invite_members" if members == who => "joined".to_owned(),
        "invite_members" => format!("added {members}"),
        "remove_members" if members == who => "left".to_owned(),
        "remove_members" => format!("removed {members}"),
        "join_group_by_link" => "joined by an invitation link".to_owned(),
        "join_group_by_request" => "joined by request".to_owned(),
        "pin_message" => "pinned a message".to_owned(),
        "edit_group_title" => format!("changed the name to “{title}”"),
        "edit_group_photo" => "changed the group photo".to_owned(),
        "delete_group_photo" => "removed the group photo".to_owned(),
        "migrate_to_supergroup" => "made this a supergroup".to_owned(),
        "migrate_from_group" => format!("went on from the group “{title}”"),
        "joined_telegram" => "joined Telegram".to_owned(),
        "clear_history" => "cleared the history".to_owned(),
        "take_screenshot" => "took a screenshot".to_owned(),
        "set_messages_ttl" => "changed when messages delete themselves".to_owned(),
        "edit_chat_theme" => "changed the theme".to_owned(),
        "topic_created" => format!("opened the topic “{title}”"),
        "" => "did something that the export does not name".to_owned(),
        other => other.replace('_', " "),
    };
    let said = super::words::of(line);
    let sentence = format!("{who} {what}");
    (Part::Service, if said.is_empty() { sentence } else { format!("{sentence}: {said}") })
}

fn members(line: &Value) -> String {
    let all = line.get("members").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names: Vec<_> = all.iter().map(|m| m.as_str().unwrap_or("a deleted account")).collect();
    if names.is_empty() { "somebody".to_owned() } else { names.join(", ") }
}

fn call(line: &Value, who: &str) -> String {
    let seconds = line.get("duration_seconds").and_then(id_text).and_then(|s| s.parse::<u64>().ok());
    match (text(line, "discard_reason"), seconds) {
        ("missed", _) => format!("Missed call from {who}"),
        ("busy", _) => format!("Call from {who}, declined"),
        (_, Some(s)) if s >= 60 => format!("Call from {who}, {} min {} s", s / 60, s % 60),
        (_, Some(s)) => format!("Call from {who}, {s} s"),
        (_, None) => format!("Call from {who}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(line: Value, expected: &str) {
        assert_eq!(sentence(&line).1, expected);
    }

    #[test]
    fn sentences() {
        check(
            json!({"actor": "Ana", "action": "invite_members", "members": ["Bo", null]}),
            "Ana added Bo, a deleted account",
        );
        check(json!({"actor": "Ana", "action": "remove_members", "members": ["Ana"]}), "Ana left");
        check(json!({"action": "pin_message", "text": ""}), "Somebody pinned a message");
        check(json!({"actor": "Ana", "action": "phone_call", "duration_seconds": 125}), "Call from Ana, 2 min 5 s");
        check(json!({"actor": "Ana", "action": "phone_call", "discard_reason": "missed"}), "Missed call from Ana");
        check(json!({"actor": "Ana", "action": "some_new_thing"}), "Ana some new thing");
    }
}
