//! Direct messages, of two and of groups, and chats with Grok.

use super::{Reading, SOURCE, first, post, text};
use crate::{
    out::Out,
    record::{Thread, counted},
    time,
    xml::unescape,
};
use evoke_message::{Attachment, Conversation, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;
use std::collections::HashMap;

/// What an entry of a conversation can be.
pub(super) const KINDS: [&str; 7] = [
    "messageCreate",
    "joinConversation",
    "participantsJoin",
    "participantsLeave",
    "conversationNameUpdate",
    "welcomeMessageCreate",
    "conversationAvatarUpdate",
];

/// Before the names of a conversation's people.
const UNTITLED: &str = "X: ";

/// The conversation under way.
#[derive(Default)]
pub(super) struct Talk {
    id: String,
    name: String,
    pub(super) messages: u64,
}

impl Talk {
    pub(super) fn header(&mut self, key: &str, value: Option<Value>) {
        let value = value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        match key {
            "conversationId" => self.id = value,
            _ => self.name = value,
        }
    }
}

/// The name of a talk once all names are known.
pub(super) fn title(talk: &Conversation, names: &HashMap<String, String>, owner: &str) -> Option<String> {
    let ids = talk.title.strip_prefix(UNTITLED)?;
    let others = ids.split('-').filter(|id| *id != owner && !id.is_empty());
    Some(others.map(|id| names.get(id).cloned().unwrap_or_else(|| unnamed(id))).collect::<Vec<_>>().join(", "))
}

fn unnamed(id: &str) -> String {
    format!("User {id}")
}

impl Reading<'_> {
    fn somebody(&self, id: &str) -> Sender {
        if id == self.me.id && !id.is_empty() {
            return self.owner();
        }
        Sender { key: id.to_owned(), name: self.names.get(id).cloned().unwrap_or_else(|| unnamed(id)), me: false }
    }

    pub(super) fn direct(&mut self, entry: &Value, talk: &Talk, group: bool, place: Place, out: &mut Out) {
        let Some((kind, said)) = entry.as_object().and_then(|o| o.iter().next()) else {
            let _ = out.failed("an entry that is no message", place);
            return;
        };
        let written = text(said, "createdAt");
        let Some(time) = time::iso(written) else {
            let _ = out.failed(format!("its date {written:?} cannot be read"), place);
            return;
        };
        let thread = Thread::new(SOURCE, Kind::Chat, &talk.id);
        let is_message = kind.ends_with("essageCreate");
        let sender = self.somebody(first(&[
            text(said, "senderId"),
            text(said, "initiatingUserId"),
            ids(said, "userIds").first().copied().unwrap_or_default(),
        ]));
        let id = text(said, "id");
        let (words, attachments, part) = match is_message {
            true => (
                post::with_links(&unescape(text(said, "text")), said.get("urls"), "url"),
                self.files(said, id),
                Part::Text,
            ),
            false => (self.service(kind, said, &sender.name), Vec::new(), Part::Service),
        };
        if words.is_empty() && attachments.is_empty() {
            let _ = out.skipped("a message without text", place);
            return;
        }
        let native = match id {
            "" => format!("{kind} {written} {}", sender.key),
            id => id.to_owned(),
        };
        if kind == "conversationNameUpdate" && talk.name.is_empty() {
            self.titles.entry(talk.id.clone()).or_insert_with(|| text(said, "name").to_owned());
        }
        let two: Vec<&str> = match group {
            true => [ids(said, "participantsSnapshot"), ids(said, "userIds")].concat(),
            false => talk.id.split('-').filter(|id| !id.is_empty()).collect(),
        };
        let shown = |id: &str| self.somebody(id).name;
        let names: Vec<String> = std::iter::once(sender.name.clone()).chain(two.into_iter().map(shown)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (kind, title) = match group {
            true => (
                ConversationKind::Group,
                if talk.name.is_empty() { "Group on X".to_owned() } else { talk.name.clone() },
            ),
            false => (ConversationKind::Direct, format!("{UNTITLED}{}", talk.id)),
        };
        let message = Message {
            time,
            time_original: written.to_owned(),
            text: words,
            attachments,
            part,
            reactions: reactions(said),
            // Newest first in the file.
            order: (1 << 40) - place.at.min(1 << 40),
            ..thread.message(thread.message_id(&native), sender, place)
        };
        let _ = self.talks.message(&thread, kind, &title, &names, message, out);
    }

    fn service(&self, kind: &str, said: &Value, who: &str) -> String {
        let list = |name| ids(said, name).iter().map(|id| self.somebody(id).name).collect::<Vec<_>>().join(", ");
        match kind {
            "joinConversation" => format!("{who} created the group with {}", list("participantsSnapshot")),
            "participantsJoin" => format!("{who} added {}", list("userIds")),
            "participantsLeave" => format!("{} left", list("userIds")),
            "conversationNameUpdate" => format!("{who} named the group “{}”", text(said, "name")),
            "conversationAvatarUpdate" => format!("{who} changed the group's picture"),
            other => other.to_owned(),
        }
    }

    fn files(&self, said: &Value, id: &str) -> Vec<Attachment> {
        let there: Vec<Attachment> = self.media.get(id).into_iter().flatten().map(|path| self.attached(path)).collect();
        match there.is_empty() {
            true => ids(said, "mediaUrls").into_iter().map(post::missing).collect(),
            false => there,
        }
    }

    pub(super) fn grok(&mut self, item: &Value, place: Place, out: &mut Out) {
        let written = text(item, "createdAt");
        let Some(time) = time::iso(written) else {
            let _ = out.failed(format!("its date {written:?} cannot be read"), place);
            return;
        };
        let words = text(item, "message").to_owned();
        if words.is_empty() {
            let _ = out.skipped("a message without text", place);
            return;
        }
        let thread = Thread::new(SOURCE, Kind::Ai, format!("grok {}", text(item, "chatId")));
        let by_name = item.get("sender").map(|s| s.as_str().unwrap_or_else(|| text(s, "name"))).unwrap_or_default();
        let human = by_name.eq_ignore_ascii_case("user");
        let sender =
            if human { self.owner() } else { Sender { key: "grok".to_owned(), name: "Grok".to_owned(), me: false } };
        // Newest first: the last of the owner's words that come are the first of the chat.
        let title: String = words.chars().take(60).collect();
        if human {
            self.titles.insert(thread.key.clone(), title.clone());
        }
        let native = format!("{written} {by_name} {words}");
        let names = [sender.name.clone()];
        let message = Message {
            time,
            time_original: written.to_owned(),
            text: words,
            role: if human { Role::Human } else { Role::Assistant },
            order: (1 << 40) - place.at.min(1 << 40),
            ..thread.message(thread.message_id(&native), sender, place)
        };
        let _ = self.talks.message(&thread, ConversationKind::Ai, &title, &[names[0].as_str()], message, out);
    }
}

fn ids<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    value.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Reactions as emoji.
fn reactions(said: &Value) -> Vec<Reaction> {
    let all = said.get("reactions").and_then(Value::as_array).into_iter().flatten();
    counted(all.map(|reaction| match text(reaction, "reactionKey") {
        "like" => "❤️",
        "agree" => "👍",
        "disagree" => "👎",
        "funny" => "😂",
        "surprised" => "😲",
        "sad" => "😢",
        "excited" => "🔥",
        other => other,
    }))
}
