//! One message of Messenger or Instagram as a message of ours.

use super::{
    Reading,
    letters::repaired,
    threads::{Group, Part as File},
};
use crate::{
    media,
    out::Out,
    record::{self, ContentIds},
    threads::Participants,
    time,
    values::{array, first_text, flag, id, number, text},
};
use evoke_message::{Attachment, Conversation, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;

/// Lists of files in a message.
const FILES: [&str; 6] = ["photos", "videos", "audio_files", "gifs", "files", "media"];
/// What the service writes in a message's place, behind the sender's name or as a whole.
#[rustfmt::skip]
const NOTICES: [&str; 24] = [
    "named the group", "set the nickname for", "set your nickname to", "set his own nickname", "set her own nickname",
    "cleared the nickname for", "changed the group photo", "changed the chat theme", "changed the theme to", "set the emoji to",
    "set the quick reaction to", "left the group", "left the chat", "joined the group", "joined the call", "joined the video chat", "created the group",
    "pinned a message", "unpinned a message", "created a poll", "started sharing video", "turned on disappearing messages",
    "turned off disappearing messages", "changed the name of the group",
];

/// What became of a record.
pub(super) enum Read {
    Message(Box<Message>),
    Skipped(&'static str),
    Failed(String),
}

/// What a record says, whatever its form.
pub(super) struct Said {
    pub(super) sender: String,
    pub(super) time: Option<i64>,
    pub(super) zone_known: bool,
    pub(super) written: String,
    pub(super) part: Part,
    pub(super) text: String,
    /// What of it tells it from others.
    pub(super) content: String,
    pub(super) attachments: Vec<Attachment>,
    pub(super) reactions: Vec<Reaction>,
}

/// One thread under way.
pub(super) struct Thread<'a> {
    reading: &'a Reading<'a>,
    group: &'a Group,
    ids_of: record::Thread,
    thread: record::Thread,
    participants: Participants,
    ids: ContentIds,
    /// Records of the files before this one.
    before: u64,
    /// Records in this file, and those read of it.
    count: u64,
    pub(super) seen: u64,
    newest_first: bool,
    last: Option<i64>,
    /// The conversation was handed out.
    pub(super) begun: bool,
}

impl<'a> Thread<'a> {
    pub(super) fn new(reading: &'a Reading<'a>, group: &'a Group) -> Self {
        let thread = |key: &str| record::Thread::new(reading.service.key(), Kind::Chat, key);
        let mut participants = Participants::default();
        group.people.iter().for_each(|name| participants.meet(name));
        Self {
            reading,
            group,
            ids_of: thread(&group.key),
            thread: thread(&group.conversation),
            participants,
            ids: ContentIds::default(),
            before: 0,
            count: 0,
            seen: 0,
            newest_first: false,
            last: None,
            begun: false,
        }
    }

    pub(super) fn begin_file(&mut self, file: &File) {
        self.before += self.count;
        (self.count, self.seen, self.newest_first) = (file.count, 0, file.newest_first);
    }

    pub(super) fn conversation(&self) -> Conversation {
        let people = self.participants.names();
        let kind = if people.len() > 2 { ConversationKind::Group } else { ConversationKind::Direct };
        let title = match self.group.title.as_str() {
            "" => {
                let others: Vec<&str> =
                    people.iter().map(String::as_str).filter(|p| Some(*p) != self.reading.owner).collect();
                if others.is_empty() { self.reading.service.label().to_owned() } else { others.join(", ") }
            }
            title => title.to_owned(),
        };
        Conversation { participants: people, ..self.thread.conversation(kind, title) }
    }

    pub(super) fn put(&mut self, message: Message, out: &mut Out) -> crate::Flow {
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(self.conversation())?;
        }
        out.message(message)
    }

    /// What a JSON record says; `from` is the path of its file.
    pub(super) fn read(&mut self, value: &Value, place: Place, from: &str) -> Read {
        self.seen += 1;
        if !value.is_object() {
            return Read::Failed("this is not a message".to_owned());
        }
        let said = self.said(value, from);
        if said.text.is_empty() && said.attachments.is_empty() {
            let skipped = flag(value, "is_geoblocked_for_viewer") || flag(value, "is_taken_down");
            return Read::Skipped(if skipped { "message that the service withholds" } else { "message without text" });
        }
        Read::Message(Box::new(self.message(said, place)))
    }

    pub(super) fn message(&mut self, said: Said, place: Place) -> Message {
        let key = if said.sender.is_empty() { self.reading.service.key().to_owned() } else { said.sender.clone() };
        let name = if said.sender.is_empty() { self.reading.service.label().to_owned() } else { said.sender };
        let sender = Sender { me: self.reading.owner == Some(key.as_str()), key, name };
        if said.part != Part::Service {
            self.participants.meet(&sender.name);
        }
        let mut parts = vec![said.written.as_str(), sender.key.as_str(), said.content.as_str()];
        parts.extend(said.attachments.iter().map(|a| a.name.as_str()));
        let id = self.ids.next(&self.ids_of, &parts);
        let time = said.time.or(self.last).unwrap_or(self.reading.options.now);
        self.last = Some(time);
        let n = self.seen.saturating_sub(1);
        let n = if self.newest_first { self.count.saturating_sub(self.seen) } else { n };
        Message {
            role: if said.part == Part::Service { Role::System } else { Role::Human },
            part: said.part,
            time,
            time_original: said.written,
            zone_known: said.zone_known && said.time.is_some(),
            text: said.text,
            attachments: said.attachments,
            reactions: said.reactions,
            order: self.before + n,
            ..self.thread.message(id, sender, place)
        }
    }

    fn said(&self, value: &Value, from: &str) -> Said {
        let sender = repaired(first_text(value, &["sender_name", "senderName"])).into_owned();
        let content = repaired(first_text(value, &["content", "text"])).trim().to_owned();
        let attachments = self.attachments(value, from);
        let shared = shared(value);
        let (part, text) = said(value, &sender, &content, &shared, !attachments.is_empty());
        let stamp = value.get("timestamp_ms").or_else(|| value.get("timestamp"));
        let time = number(stamp).and_then(time::from_number);
        Said {
            sender,
            time,
            zone_known: true,
            written: id(stamp).unwrap_or_default(),
            part,
            text,
            content,
            attachments,
            reactions: reactions(value),
        }
    }

    fn attachments(&self, value: &Value, from: &str) -> Vec<Attachment> {
        let files = FILES.iter().flat_map(|list| array(value, list)).chain(value.get("sticker"));
        let one = |file: &Value| {
            let uri = repaired(text(file, "uri"));
            match uri.as_ref() {
                "" => None,
                uri if !uri.contains(['/', '.']) => {
                    Some(media::attachment("file", None, None, "it could not be downloaded"))
                }
                uri => Some(self.reading.media.attachment("", uri, from)),
            }
        };
        files.filter_map(one).collect()
    }
}

/// A link that was sent, with its words.
fn shared(value: &Value) -> Vec<String> {
    let share = value.get("share").unwrap_or(&Value::Null);
    let words = |key: &str| repaired(text(share, key)).trim().to_owned();
    let owner = match words("original_content_owner") {
        owner if owner.is_empty() => owner,
        owner => format!("(by {owner})"),
    };
    [words("share_text"), owner, words("link")].into_iter().filter(|w| !w.is_empty()).collect()
}

/// What a message is, and its words.
fn said(value: &Value, sender: &str, content: &str, shared: &[String], files: bool) -> (Part, String) {
    let kind = text(value, "type");
    if flag(value, "is_unsent") || flag(value, "isUnsent") {
        let words = if content.is_empty() { "This message was unsent." } else { content };
        return (Part::Deleted, words.to_owned());
    }
    if kind == "Call" || value.get("call_duration").is_some() {
        return (Part::Call, call(value, sender, content));
    }
    if matches!(kind, "Subscribe" | "Unsubscribe") {
        let what = if kind == "Subscribe" { "joined" } else { "left" };
        return (Part::Service, if content.is_empty() { format!("{sender} {what}") } else { content.to_owned() });
    }
    // The service's own words for what is there anyway.
    let stands_in = content.ends_with(" sent an attachment.") || content.ends_with(" sent a photo.");
    if stands_in && (files || !shared.is_empty()) {
        return (Part::Text, shared.join("\n"));
    }
    if stands_in || is_notice(content, sender) {
        return (Part::Service, content.to_owned());
    }
    let mut lines: Vec<&str> = Some(content).filter(|c| !c.is_empty()).into_iter().collect();
    lines.extend(shared.iter().map(String::as_str).filter(|s| !content.contains(*s)));
    (Part::Text, lines.join("\n"))
}

/// What a message is of which only the words are known.
pub(super) fn part_of_text(words: &str, sender: &str) -> Part {
    match words {
        words if words.ends_with(" unsent a message") || words.ends_with("unsent a message.") => Part::Deleted,
        words if words.ends_with(" called you.") || words.contains("missed your call") => Part::Call,
        words if words.starts_with("You missed a ") && words.contains("call from ") => Part::Call,
        words if is_notice(words, sender) => Part::Service,
        _ => Part::Text,
    }
}

fn is_notice(content: &str, sender: &str) -> bool {
    let reacted = content.strip_prefix("Reacted ").is_some_and(|rest| rest.trim_end().ends_with(" to your message"));
    let liked = matches!(content, "Liked a message" | "Liked your message");
    let rest = content.strip_prefix(sender).or_else(|| content.strip_prefix("You")).filter(|_| !sender.is_empty());
    let notice = |rest: &str| NOTICES.iter().any(|n| rest.trim_start().starts_with(n));
    let added = |rest: &str| rest.trim_start().starts_with("added ") && rest.trim_end().ends_with(" to the group.");
    reacted || liked || rest.is_some_and(|rest| notice(rest) || added(rest))
}

fn call(value: &Value, sender: &str, content: &str) -> String {
    let seconds = number(value.get("call_duration")).filter(|s| *s >= 1.0).map(|s| s as u64);
    let words = match (content, flag(value, "missed")) {
        ("", true) => format!("Missed call from {sender}"),
        ("", false) => format!("Call from {sender}"),
        (content, _) => content.trim_end_matches('.').to_owned(),
    };
    match seconds {
        Some(s) if s >= 60 => format!("{words}, {} min {} s", s / 60, s % 60),
        Some(s) => format!("{words}, {s} s"),
        None => words,
    }
}

fn reactions(value: &Value) -> Vec<Reaction> {
    record::counted(array(value, "reactions").iter().map(|r| repaired(text(r, "reaction"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: Value, expected: (Part, &str)) {
        let (part, text) = said(&value, "Ana", text(&value, "content"), &shared(&value), value.get("photos").is_some());
        assert_eq!((part, text.as_str()), expected, "{value}");
    }

    #[test]
    fn what_a_message_is() {
        check(json!({"content": "hi"}), (Part::Text, "hi"));
        check(json!({"is_unsent": true}), (Part::Deleted, "This message was unsent."));
        check(json!({"type": "Call", "call_duration": 192}), (Part::Call, "Call from Ana, 3 min 12 s"));
        check(json!({"type": "Call", "call_duration": 0, "missed": true}), (Part::Call, "Missed call from Ana"));
        check(json!({"content": "Ana called you.", "call_duration": 5}), (Part::Call, "Ana called you, 5 s"));
        check(json!({"type": "Unsubscribe", "content": "Ana left the group."}), (Part::Service, "Ana left the group."));
        check(json!({"content": "Ana named the group Trip."}), (Part::Service, "Ana named the group Trip."));
        check(json!({"content": "Liked a message"}), (Part::Service, "Liked a message"));
        check(json!({"content": "Reacted 😂 to your message "}), (Part::Service, "Reacted 😂 to your message "));
        check(json!({"content": "I named the group Trip."}), (Part::Text, "I named the group Trip."));
        check(
            json!({"content": "look https://a.b", "share": {"link": "https://a.b", "share_text": "Page"}}),
            (Part::Text, "look https://a.b\nPage"),
        );
        check(
            json!({"content": "Ana sent an attachment.", "share": {"link": "https://a.b"}}),
            (Part::Text, "https://a.b"),
        );
        check(json!({"content": "Ana sent an attachment."}), (Part::Service, "Ana sent an attachment."));
    }
}
