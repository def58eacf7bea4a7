//! The conversations of one import as they are met: handed out before their first message, and again at
//! the end, when all who take part in them are known; and the names of those. What a conversation is, is left to the formats.

use crate::{Flow, out::Out, record::Thread};
use evoke_message::{Conversation, ConversationKind, Message, Part};
use std::collections::HashMap;

/// Display names kept of a conversation; a large channel has 100,000.
const PARTICIPANTS: usize = 200;

/// Conversations by their key.
#[derive(Default)]
pub(crate) struct Threads {
    known: HashMap<String, Known>,
    /// Keys in order of appearance.
    order: Vec<String>,
}

/// One conversation under way.
pub(crate) struct Known {
    pub(crate) conversation: Conversation,
    /// Of the message before, for one that has no time.
    pub(crate) last: Option<i64>,
    messages: u64,
}

impl Threads {
    /// The conversation of this thread; made from `kind` and `title` where it is new.
    pub(crate) fn of(&mut self, thread: &Thread, new: impl FnOnce() -> (ConversationKind, String)) -> &mut Known {
        if !self.known.contains_key(&thread.key) {
            self.order.push(thread.key.clone());
        }
        self.known.entry(thread.key.clone()).or_insert_with(|| {
            let (kind, title) = new();
            Known { conversation: thread.conversation(kind, title), last: None, messages: 0 }
        })
    }

    /// Every conversation once more, with who takes part and from when until when.
    pub(crate) fn end(self, out: &mut Out) {
        let mut known = self.known;
        for key in self.order {
            let Some(known) = known.remove(&key).filter(|k| k.messages > 0) else { continue };
            if out.conversation(known.conversation).is_break() {
                return;
            }
        }
    }
}

impl Known {
    /// No message of it was handed out yet.
    pub(crate) fn is_new(&self) -> bool {
        self.messages == 0
    }

    /// Names somebody who takes part, whether or not they wrote.
    pub(crate) fn meet(&mut self, name: &str) {
        meet(&mut self.conversation.participants, name);
    }

    /// Hands out a message of this conversation, which gets its place in the order.
    pub(crate) fn put(&mut self, mut message: Message, out: &mut Out) -> Flow {
        if message.part != Part::Service {
            let name = message.sender.name.clone();
            self.meet(&name);
        }
        if self.messages == 0 {
            out.conversation(self.conversation.clone())?;
        }
        let (created, updated) = (&mut self.conversation.created, &mut self.conversation.updated);
        *created = Some(created.map_or(message.time, |t| t.min(message.time)));
        *updated = Some(updated.map_or(message.time, |t| t.max(message.time)));
        message.order = self.messages;
        self.last = Some(message.time);
        self.messages += 1;
        out.message(message)
    }
}

fn meet(names: &mut Vec<String>, name: &str) {
    if !name.is_empty() && names.len() < PARTICIPANTS && !names.iter().any(|n| n == name) {
        names.push(name.to_owned());
    }
}

/// Display names in order of appearance, for a format that reads one conversation at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Participants {
    names: Vec<String>,
}

impl Participants {
    pub(crate) fn meet(&mut self, name: &str) {
        meet(&mut self.names, name);
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }
}
