//! The parts of a message that most formats fill alike, reactions counted, and ids where an export has none.

use evoke_message::{
    Conversation, ConversationId, ConversationKind, Kind, Message, MessageId, Part, Place, Reaction, Role, Sender,
    normalise,
};
use std::collections::HashMap;

/// One conversation of one source.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) source: &'static str,
    pub(crate) kind: Kind,
    /// The source's own key: it must not change when somebody is renamed or a file is moved.
    pub(crate) key: String,
}

impl Thread {
    pub(crate) fn new(source: &'static str, kind: Kind, key: impl Into<String>) -> Self {
        Self { source, kind, key: key.into() }
    }

    pub(crate) fn id(&self) -> ConversationId {
        ConversationId::of(&[self.source, &self.key])
    }

    /// Without participants, times and parent: `Conversation { participants, ..thread.conversation(kind, title) }`.
    pub(crate) fn conversation(&self, kind: ConversationKind, title: impl Into<String>) -> Conversation {
        Conversation {
            id: self.id(),
            source: self.source.to_owned(),
            key: self.key.clone(),
            title: title.into(),
            kind,
            participants: Vec::new(),
            created: None,
            updated: None,
            parent: None,
        }
    }

    /// The id of the message with this native id.
    pub(crate) fn message_id(&self, native: &str) -> MessageId {
        MessageId::of(&[self.source, &self.key, native])
    }

    /// What nearly every message has; the rest is set beside it: `Message { text, time, ..thread.message(id) }`.
    pub(crate) fn message(&self, id: MessageId, sender: Sender, place: Place) -> Message {
        Message {
            id,
            conversation: self.id(),
            source: self.source.to_owned(),
            kind: self.kind,
            sender,
            role: Role::Human,
            part: Part::Text,
            time: 0,
            time_original: String::new(),
            zone_known: true,
            edited: None,
            text: String::new(),
            reply_to: None,
            attachments: Vec::new(),
            documents: Vec::new(),
            reactions: Vec::new(),
            active: true,
            order: 0,
            place,
        }
    }
}

/// Reactions that are told one by one, counted; in the order in which they came.
pub(crate) fn counted(emojis: impl IntoIterator<Item = impl Into<String>>) -> Vec<Reaction> {
    let mut all: Vec<Reaction> = Vec::new();
    for emoji in emojis.into_iter().map(Into::into).filter(|emoji: &String| !emoji.is_empty()) {
        match all.iter_mut().find(|r| r.emoji == emoji) {
            Some(same) => same.count += 1,
            None => all.push(Reaction { emoji, count: 1 }),
        }
    }
    all
}

/// Ids for records that have none in their export: a hash of what they say, and a count among those
/// that say the same, in file order (formats.md §0). One for each conversation.
#[derive(Default)]
pub(crate) struct ContentIds {
    seen: HashMap<[u8; 16], u32>,
}

impl ContentIds {
    /// `parts`: the time as in the file, the sender, the text, the names of attachments. Nothing that
    /// a person can rename, no path and no position.
    pub(crate) fn next(&mut self, thread: &Thread, parts: &[&str]) -> MessageId {
        let parts: Vec<String> = parts.iter().map(|part| normalise(part)).collect();
        let mut all = vec![thread.source, thread.key.as_str()];
        all.extend(parts.iter().map(String::as_str));
        let count = self.seen.entry(evoke_message::stable_hash(&all)).or_default();
        let nth = count.to_string();
        *count += 1;
        all.push(&nth);
        MessageId::of(&all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_records_are_told_apart_by_their_count() {
        let thread = Thread::new("irc", Kind::Chat, "#a");
        let ids = |parts: &[&[&str]]| {
            let mut ids = ContentIds::default();
            parts.iter().map(|p| ids.next(&thread, p)).collect::<Vec<_>>()
        };
        let all = ids(&[&["1", "Bo", "hi"], &["1", "Bo", "hi"], &["1", "Bo", "hi\u{200e}"], &["1", "B", "ohi"]]);
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), 4);
        assert_eq!(all[..2], ids(&[&["1", "Bo", "hi"], &["1", "Bo", "hi"]]));
    }
}
