//! One Telegram message as a message of ours; ids, senders and times. Its text is left to
//! `words.rs`, service lines to `service.rs`.

use super::{FORMAT, Header, service, words};
use crate::{Options, time, values::text};
use evoke_message::{
    Attachment, Conversation, ConversationId, ConversationKind, Kind, Message, MessageId, Part, Place, Reaction, Role,
    Sender, normalise, stable_hash,
};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::HashMap;

/// Display names kept of a chat; a large channel has 100,000.
const PARTICIPANTS: usize = 200;
const DELETED: &str = "Deleted Account";

/// What became of a record.
pub(super) enum Read {
    Message(Box<Message>),
    Skipped(&'static str),
    Failed(String),
}

/// One chat under way.
pub(super) struct Thread {
    /// None until the first message where the export names no id.
    key: Option<String>,
    title: String,
    kind: ConversationKind,
    /// `user123`
    owner: Option<String>,
    zone: TimeZone,
    now: i64,
    participants: Vec<String>,
    /// Of records without an id, how often the same one came.
    same: HashMap<String, u64>,
    last: Option<i64>,
    /// Messages read.
    pub(super) seen: u64,
    /// The conversation was handed out.
    pub(super) begun: bool,
}

impl Thread {
    /// `otherwise` is the title where the export has none.
    pub(super) fn new(header: &Header, otherwise: &str, owner: Option<&str>, options: &Options) -> Self {
        let name = header.get("name").map(|n| n.as_str().unwrap_or(DELETED));
        let kind = header.get("type").and_then(Value::as_str).unwrap_or_default();
        let title = match (name, kind) {
            (_, "saved_messages") => "Saved Messages",
            (Some(name), _) => name,
            (None, _) => otherwise,
        };
        Self {
            key: header.get("id").and_then(id_text),
            title: title.to_owned(),
            kind: match kind {
                k if k.ends_with("group") => ConversationKind::Group,
                k if k.ends_with("channel") => ConversationKind::Channel,
                _ => ConversationKind::Direct,
            },
            owner: owner.map(|id| format!("user{id}")),
            zone: options.zone.clone(),
            now: options.now,
            participants: Vec::new(),
            same: HashMap::new(),
            last: None,
            seen: 0,
            begun: false,
        }
    }

    pub(super) fn conversation(&self) -> Conversation {
        let key = self.key.clone().unwrap_or_default();
        Conversation {
            id: ConversationId::of(&[FORMAT.key, &key]),
            source: FORMAT.key.to_owned(),
            key,
            title: self.title.clone(),
            kind: self.kind,
            participants: self.participants.clone(),
            created: None,
            updated: None,
            parent: None,
        }
    }

    /// What a record says.
    pub(super) fn read(&mut self, value: &Value, place: Place) -> Read {
        self.seen += 1;
        if !value.is_object() {
            return Read::Failed("this is not a message".to_owned());
        }
        let (part, text) = match text(value, "type") {
            "unsupported" => return Read::Skipped("message of a kind that Telegram itself does not export"),
            "service" => service::sentence(value),
            _ => (Part::Text, words::of(value)),
        };
        let attachments = words::attachments(value);
        if text.is_empty() && attachments.is_empty() {
            let gone = value.get("text").is_none() && value.get("text_entities").is_none();
            return if gone {
                Read::Failed("there is no text where one should be".to_owned())
            } else {
                Read::Skipped("message without text")
            };
        }
        Read::Message(Box::new(self.message(value, part, text, attachments, place)))
    }

    fn message(
        &mut self,
        value: &Value,
        part: Part,
        text: String,
        attachments: Vec<Attachment>,
        place: Place,
    ) -> Message {
        let sender = self.sender(value);
        if sender.key != FORMAT.key
            && self.participants.len() < PARTICIPANTS
            && !self.participants.contains(&sender.name)
        {
            self.participants.push(sender.name.clone());
        }
        let (time, zone_known) = self.time(value);
        let original =
            ["date", "date_unixtime"].into_iter().find_map(|k| value.get(k).and_then(id_text)).unwrap_or_default();
        let content = content_key(&original, &sender, &text, &attachments);
        let key = self.key.get_or_insert_with(|| format!("without id, from {content}")).clone();
        let native = value.get("id").and_then(id_text).unwrap_or_else(|| self.counted(content));
        Message {
            id: MessageId::of(&[FORMAT.key, &key, &native]),
            conversation: ConversationId::of(&[FORMAT.key, &key]),
            source: FORMAT.key.to_owned(),
            kind: Kind::Chat,
            sender,
            role: if matches!(part, Part::Service) { Role::System } else { Role::Human },
            part,
            time,
            time_original: original,
            zone_known,
            edited: self.instant(value, "edited_unixtime", "edited").map(|(ms, _)| ms),
            text,
            reply_to: reply_to(value, &key),
            attachments,
            documents: Vec::new(),
            reactions: reactions(value),
            active: true,
            order: self.seen - 1,
            place,
        }
    }

    /// Equal records in one chat are told apart by their number.
    fn counted(&mut self, content: String) -> String {
        let n = self.same.entry(content.clone()).or_default();
        *n += 1;
        format!("{content} {n}")
    }

    fn sender(&self, value: &Value) -> Sender {
        let (name, id) = if text(value, "type") == "service" { ("actor", "actor_id") } else { ("from", "from_id") };
        let name = match value.get(name) {
            Some(Value::String(name)) => name.clone(),
            Some(_) => DELETED.to_owned(),
            None => String::new(),
        };
        let key = match value.get(id) {
            Some(Value::Number(old)) => format!("user{old}"),
            Some(Value::String(id)) => id.clone(),
            _ => name.clone(),
        };
        if key.is_empty() {
            return Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false };
        }
        let me = self.owner.as_ref().is_some_and(|owner| *owner == key);
        Sender { key, name, me }
    }

    /// When it was sent. A record whose time is damaged has that of the one before it.
    fn time(&mut self, value: &Value) -> (i64, bool) {
        let (time, known) =
            self.instant(value, "date_unixtime", "date").unwrap_or((self.last.unwrap_or(self.now), false));
        self.last = Some(time);
        (time, known)
    }

    /// The instant, and whether it needed no zone.
    fn instant(&self, value: &Value, seconds: &str, clock: &str) -> Option<(i64, bool)> {
        let exact = value.get(seconds).and_then(id_text).and_then(|s| s.parse().ok()).and_then(time::from_number);
        exact.map(|ms| (ms, true)).or_else(|| Some((time::wall(text(value, clock), &self.zone)?, false)))
    }
}

/// Ids are numbers or texts, by the age of the export; as text they are the same.
pub(super) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(n) => Some(n.to_string()),
        Value::String(s) if !s.is_empty() => Some(s.clone()),
        _ => None,
    }
}

/// What tells a record without an id from others (formats.md §0).
fn content_key(time: &str, sender: &Sender, text: &str, attachments: &[Attachment]) -> String {
    let text = normalise(text);
    let mut parts = vec![time, &sender.key, &text];
    parts.extend(attachments.iter().map(|a| a.name.as_str()));
    stable_hash(&parts).iter().map(|b| format!("{b:02x}")).collect()
}

/// The message answered; in another chat where `reply_to_peer_id` (`channel123`) says so.
fn reply_to(value: &Value, key: &str) -> Option<MessageId> {
    let message = value.get("reply_to_message_id").and_then(id_text)?;
    let elsewhere = text(value, "reply_to_peer_id").trim_start_matches(|c: char| !c.is_ascii_digit());
    Some(MessageId::of(&[FORMAT.key, if elsewhere.is_empty() { key } else { elsewhere }, &message]))
}

fn reactions(value: &Value) -> Vec<Reaction> {
    let all = value.get("reactions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let one = |r: &Value| {
        let emoji = match (text(r, "emoji"), text(r, "type")) {
            ("", "paid") => "⭐",
            ("", _) => "custom emoji",
            (emoji, _) => emoji,
        };
        let count = r.get("count").and_then(Value::as_u64).unwrap_or(1);
        Reaction { emoji: emoji.to_owned(), count: u32::try_from(count).unwrap_or(u32::MAX) }
    };
    all.iter().map(one).collect()
}
