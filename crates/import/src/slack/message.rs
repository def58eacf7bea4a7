//! One Slack message as a message of ours. Its text is left to `words.rs`.

use super::{
    FORMAT,
    directory::{Channel, Directory},
    emoji, words,
};
use crate::{
    media::{self, Media},
    record,
    threads::Participants,
    time,
    values::{array, first_text, flag, id, number, text},
};
use evoke_message::{Attachment, Conversation, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;

/// What became of a record.
pub(super) enum Read {
    Message(Box<Message>),
    Skipped(&'static str),
    Failed(String),
}

/// One channel under way.
pub(super) struct Thread<'a> {
    thread: record::Thread,
    channel: Channel,
    directory: &'a Directory,
    media: &'a Media<'a>,
    now: i64,
    participants: Participants,
    seen: u64,
    last: Option<i64>,
    /// The conversation was handed out.
    pub(super) begun: bool,
}

impl<'a> Thread<'a> {
    pub(super) fn new(channel: Channel, directory: &'a Directory, media: &'a Media<'a>, now: i64) -> Self {
        let thread = record::Thread::new(FORMAT.key, Kind::Chat, channel.key.clone());
        let participants = Participants::default();
        Self { thread, channel, directory, media, now, participants, seen: 0, last: None, begun: false }
    }

    pub(super) fn conversation(&self) -> Conversation {
        let mut participants = self.participants.clone();
        if self.channel.kind != ConversationKind::Channel {
            self.channel.members.iter().filter_map(|m| self.directory.name(m)).for_each(|name| participants.meet(name));
        }
        Conversation {
            participants: participants.names(),
            created: self.channel.created,
            ..self.thread.conversation(self.channel.kind, self.channel.title.clone())
        }
    }

    /// What a record says; `from` is the path of its file.
    pub(super) fn read(&mut self, value: &Value, place: Place, from: &str) -> Read {
        if !value.is_object() {
            return Read::Failed("this is not a message".to_owned());
        }
        self.seen += 1;
        let Some(ts) = id(value.get("ts")) else { return Read::Failed("the message has no time".to_owned()) };
        let part = part(value);
        let attachments = self.attachments(value, from);
        let text = self.text(value, part);
        if text.is_empty() && attachments.is_empty() {
            return Read::Skipped("message without text");
        }
        let sender = self.sender(value);
        if matches!(part, Part::Text | Part::Call) {
            self.participants.meet(&sender.name);
        }
        let (time, zone_known) = self.time(&ts);
        let reply = id(value.get("thread_ts")).filter(|parent| *parent != ts);
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            time,
            zone_known,
            edited: value.get("edited").and_then(|e| number(e.get("ts"))).and_then(time::from_number),
            text,
            reply_to: reply.map(|parent| self.thread.message_id(&parent)),
            attachments,
            reactions: reactions(value),
            order: self.seen - 1,
            ..self.thread.message(self.thread.message_id(&ts), sender, place)
        };
        Read::Message(Box::new(Message { time_original: ts, ..message }))
    }

    /// When it was sent. A record whose time is damaged has that of the one before it.
    fn time(&mut self, ts: &str) -> (i64, bool) {
        let exact = ts.parse::<f64>().ok().and_then(time::from_number);
        let time = exact.or(self.last).unwrap_or(self.now);
        self.last = Some(time);
        (time, exact.is_some())
    }

    fn sender(&self, value: &Value) -> Sender {
        let bot = id(value.get("bot_id"));
        let by_bot = bot.as_deref().and_then(|b| self.directory.user_of_bot(b));
        let user = id(value.get("user")).or_else(|| by_bot.map(str::to_owned));
        let profile = value.get("user_profile").or_else(|| value.get("bot_profile")).unwrap_or(&Value::Null);
        let slackbot = user.as_deref().filter(|u| *u == "USLACKBOT").map_or("", |_| "Slackbot");
        let stated = [
            user.as_deref().and_then(|u| self.directory.name(u)).unwrap_or_default(),
            text(value, "username"),
            slackbot,
            first_text(profile, &["display_name", "real_name", "name"]),
        ];
        let name = stated.into_iter().find(|n| !n.is_empty()).map(str::to_owned);
        let key = user.or(bot).or_else(|| name.clone());
        match key {
            Some(key) => Sender { name: name.unwrap_or_else(|| key.clone()), key, me: false },
            None => Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false },
        }
    }

    fn text(&self, value: &Value, part: Part) -> String {
        let said = words::of(value, self.directory);
        match part {
            Part::Deleted if said.is_empty() => "This message was deleted.".to_owned(),
            Part::Call if said.is_empty() => call(value),
            // The room's length says more than "A huddle started".
            Part::Call if value.get("room").is_some() => call(value),
            Part::Service if said.is_empty() => text(value, "subtype").replace('_', " "),
            Part::Service => said.strip_prefix('@').map(str::to_owned).unwrap_or(said),
            _ => said,
        }
    }

    fn attachments(&self, value: &Value, from: &str) -> Vec<Attachment> {
        let single = value.get("file").into_iter();
        let files = array(value, "files").iter().chain(single.filter(|_| array(value, "files").is_empty()));
        files.filter(|f| f.is_object()).map(|file| self.attachment(file, from)).collect()
    }

    fn attachment(&self, file: &Value, from: &str) -> Attachment {
        let key = id(file.get("id")).unwrap_or_default();
        let name = match first_text(file, &["name", "title"]) {
            "" => "file",
            name => name,
        };
        let why = match text(file, "mode") {
            "tombstone" => "it was deleted",
            "hidden_by_limit" => "it is hidden by a limit of the workspace's plan",
            _ if flag(file, "is_external") => "it lies in another service",
            _ => media::NOT_HERE,
        };
        media::attachment(name, Some(text(file, "mimetype")), self.path(&key, name, from), why)
    }

    /// slackdump puts files beside the messages: `__uploads/F123/name` or `attachments/F123-name`.
    fn path(&self, key: &str, name: &str, from: &str) -> Option<String> {
        if key.is_empty() {
            return None;
        }
        let own = format!("{key}-{name}");
        let found = self.media.find(&format!("{key}/{name}"), from).or_else(|| self.media.find(&own, from));
        found.map(str::to_owned)
    }
}

fn part(value: &Value) -> Part {
    match text(value, "subtype") {
        "tombstone" | "message_deleted" => Part::Deleted,
        "huddle_thread" | "sh_room_created" | "call" => Part::Call,
        ""
        | "bot_message"
        | "file_share"
        | "file_comment"
        | "file_mention"
        | "me_message"
        | "thread_broadcast"
        | "reply_broadcast"
        | "message_replied"
        | "message_changed"
        | "assistant_app_thread"
        | "document_mention" => Part::Text,
        _ => Part::Service,
    }
}

/// A huddle: how long it was, where the export says so.
fn call(value: &Value) -> String {
    let room = value.get("room").unwrap_or(&Value::Null);
    let seconds = |key: &str| number(room.get(key)).filter(|n| *n > 0.0);
    match (seconds("date_start"), seconds("date_end")) {
        (Some(start), Some(end)) if end > start => {
            let s = (end - start) as u64;
            format!("Huddle, {} min {} s", s / 60, s % 60)
        }
        _ => "Huddle".to_owned(),
    }
}

fn reactions(value: &Value) -> Vec<Reaction> {
    let one = |r: &Value| {
        let users = array(r, "users").len();
        let count = number(r.get("count")).map_or(users as f64, |n| n).clamp(1.0, f64::from(u32::MAX));
        Reaction { emoji: emoji::emoji(text(r, "name")), count: count as u32 }
    };
    array(value, "reactions").iter().filter(|r| !text(r, "name").is_empty()).map(one).collect()
}
