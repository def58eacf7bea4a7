//! Signal's notices as plain sentences: calls, who joined a group, changed numbers.

use super::people::People;
use crate::values::{array, flag, number, text};
use evoke_message::Part;
use serde_json::Value;

/// What happened, in words; `who` wrote it.
pub(super) fn sentence(update: &Value, who: &str, people: &People) -> (Part, String) {
    let inner = |key: &str| update.get(key);
    if let Some(call) = inner("individualCall") {
        return (Part::Call, individual_call(call, who));
    }
    if let Some(call) = inner("groupCall") {
        return (Part::Call, group_call(call));
    }
    let words = if let Some(simple) = inner("simpleUpdate") {
        simple_update(text(simple, "type"), who)
    } else if let Some(group) = inner("groupChange") {
        let all: Vec<String> = array(group, "updates").iter().filter_map(|u| group_update(u, people)).collect();
        if all.is_empty() { "The group was changed".to_owned() } else { all.join("; ") }
    } else if let Some(timer) = inner("expirationTimerChange") {
        expiring(who, number(timer.get("expiresInMs")))
    } else if let Some(change) = inner("profileChange") {
        format!("{} is now called {}", text(change, "previousName"), text(change, "newName"))
    } else if inner("threadMerge").is_some() {
        format!("Two chats with {who} became one")
    } else if inner("sessionSwitchover").is_some() {
        format!("The chat with {who} goes on with another account")
    } else if inner("learnedProfileChange").is_some() {
        format!("{who} now shows a name")
    } else if let Some(poll) = inner("pollTerminate") {
        format!("{who} ended the poll “{}”", text(poll, "question"))
    } else if inner("pinMessage").is_some() {
        format!("{who} pinned a message")
    } else {
        return (Part::Service, other(update));
    };
    (Part::Service, words)
}

/// A kind of notice that is newer than this file: its own name.
fn other(update: &Value) -> String {
    let key = update.as_object().and_then(|o| o.keys().next());
    key.map_or_else(|| "A notice that the export leaves empty".to_owned(), |key| sentence_case(&spaced(key)))
}

fn individual_call(call: &Value, who: &str) -> String {
    let kind = if text(call, "type").starts_with("VIDEO") { "video call" } else { "voice call" };
    let outgoing = text(call, "direction") == "OUTGOING";
    match (text(call, "state"), outgoing) {
        ("MISSED" | "MISSED_NOTIFICATION_PROFILE", _) => format!("Missed {kind} from {who}"),
        ("NOT_ACCEPTED", true) => format!("Unanswered {kind}"),
        ("NOT_ACCEPTED", false) => format!("Declined {kind} from {who}"),
        (_, true) => format!("Outgoing {kind}"),
        (_, false) => format!("Incoming {kind} from {who}"),
    }
}

fn group_call(call: &Value) -> String {
    let at = |key: &str| number(call.get(key)).filter(|n| *n > 0.0);
    let missed = text(call, "state").starts_with("MISSED");
    match (at("startedCallTimestamp"), at("endedCallTimestamp")) {
        _ if missed => "Missed group call".to_owned(),
        (Some(start), Some(end)) if end > start => {
            let s = ((end - start) / 1000.0) as u64;
            format!("Group call, {} min {} s", s / 60, s % 60)
        }
        _ => "Group call".to_owned(),
    }
}

fn simple_update(kind: &str, who: &str) -> String {
    match kind {
        "JOINED_SIGNAL" => format!("{who} is on Signal"),
        "IDENTITY_UPDATE" => format!("The safety number with {who} changed"),
        "IDENTITY_VERIFIED" => format!("The safety number with {who} was marked as verified"),
        "IDENTITY_DEFAULT" => format!("The safety number with {who} was marked as not verified"),
        "CHANGE_NUMBER" => format!("{who} changed the phone number"),
        "BLOCKED" => format!("{who} was blocked"),
        "UNBLOCKED" => format!("{who} was unblocked"),
        "MESSAGE_REQUEST_ACCEPTED" => "The message request was accepted".to_owned(),
        "END_SESSION" => "The secure session was reset".to_owned(),
        "CHAT_SESSION_REFRESH" => "The chat session was refreshed".to_owned(),
        "BAD_DECRYPT" => format!("A message from {who} could not be delivered"),
        "REPORTED_SPAM" => "Reported as spam".to_owned(),
        "" | "UNKNOWN" => "A notice of an unknown kind".to_owned(),
        other => sentence_case(&other.to_lowercase().replace('_', " ")),
    }
}

fn expiring(who: &str, ms: Option<f64>) -> String {
    match ms.filter(|ms| *ms >= 1000.0).map(|ms| (ms / 1000.0) as u64) {
        None => format!("{who} turned off disappearing messages"),
        Some(s) if s % 86_400 == 0 => format!("{who} set messages to disappear after {} days", s / 86_400),
        Some(s) if s % 3_600 == 0 => format!("{who} set messages to disappear after {} hours", s / 3_600),
        Some(s) => format!("{who} set messages to disappear after {s} seconds"),
    }
}

fn group_update(update: &Value, people: &People) -> Option<String> {
    let (kind, value) = update.as_object()?.iter().find(|(key, _)| key.ends_with("Update"))?;
    let name = |key: &str| match text(value, key) {
        "" => "Somebody".to_owned(),
        account => sentence_case(&people.name_of(account)),
    };
    let by = name("updaterAci");
    Some(match kind.as_str() {
        "groupCreationUpdate" => format!("{by} created the group"),
        "groupNameUpdate" => match text(value, "newGroupName") {
            "" => format!("{by} removed the group name"),
            title => format!("{by} changed the group name to “{title}”"),
        },
        "groupAvatarUpdate" if flag(value, "wasRemoved") => format!("{by} removed the group photo"),
        "groupAvatarUpdate" => format!("{by} changed the group photo"),
        "groupDescriptionUpdate" => match text(value, "newDescription") {
            "" => format!("{by} removed the group description"),
            words => format!("{by} changed the group description: {words}"),
        },
        "groupMemberLeftUpdate" => format!("{} left the group", name("aci")),
        "groupMemberRemovedUpdate" => format!("{} removed {}", name("removerAci"), name("removedAci")),
        "groupMemberAddedUpdate" => format!("{by} added {}", name("newMemberAci")),
        "groupMemberJoinedUpdate" | "groupMemberJoinedByLinkUpdate" | "groupInvitationAcceptedUpdate" => {
            format!("{} joined the group", name("newMemberAci"))
        }
        "groupAdminStatusUpdate" if flag(value, "wasAdminStatusGranted") => {
            format!("{by} made {} an admin", name("memberAci"))
        }
        "groupAdminStatusUpdate" => format!("{by} took admin rights from {}", name("memberAci")),
        "groupExpirationTimerUpdate" => expiring(&by, number(value.get("expiresInMs"))),
        "genericGroupUpdate" => format!("{by} changed the group"),
        other => sentence_case(&spaced(other.trim_end_matches("Update"))),
    })
}

/// `groupInviteLinkReset` as "group invite link reset".
fn spaced(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn sentence_case(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sentences() {
        let people = People::default();
        for (update, meant) in [
            (
                json!({"individualCall": {"type": "VIDEO_CALL", "direction": "INCOMING", "state": "MISSED"}}),
                "Missed video call from Ana",
            ),
            (
                json!({"individualCall": {"type": "AUDIO_CALL", "direction": "OUTGOING", "state": "ACCEPTED"}}),
                "Outgoing voice call",
            ),
            (
                json!({"groupCall": {"startedCallTimestamp": "1000", "endedCallTimestamp": "126000"}}),
                "Group call, 2 min 5 s",
            ),
            (json!({"simpleUpdate": {"type": "IDENTITY_UPDATE"}}), "The safety number with Ana changed"),
            (
                json!({"groupChange": {"updates": [{"groupNameUpdate": {"newGroupName": "Trip"}}]}}),
                "Somebody changed the group name to “Trip”",
            ),
            (json!({"groupChange": {"updates": [{"groupInviteLinkResetUpdate": {}}]}}), "Group invite link reset"),
            (
                json!({"expirationTimerChange": {"expiresInMs": "604800000"}}),
                "Ana set messages to disappear after 7 days",
            ),
            (json!({"newKindOfUpdate": {}}), "New kind of update"),
            (json!({}), "A notice that the export leaves empty"),
        ] {
            assert_eq!(sentence(&update, "Ana", &people).1, meant, "{update}");
        }
    }
}
