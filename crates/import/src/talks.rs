//! Conversations whose messages come mixed in one file: each is handed out before its first message, and once more
//! when all that take part are known.

use crate::{Flow, out::Out, record::Thread};
use evoke_message::{Conversation, ConversationKind, Message};
use std::collections::BTreeMap;

/// People of a conversation whose names are kept.
const MOST_NAMED: usize = 50;

#[derive(Default)]
pub(crate) struct Talks {
    /// By key; with what was handed out changed since.
    open: BTreeMap<String, (Conversation, bool)>,
}

impl Talks {
    /// A message of `thread`, and the names of all that it tells to take part. `kind` and `title` count when it is new.
    pub(crate) fn message(
        &mut self,
        thread: &Thread,
        kind: ConversationKind,
        title: &str,
        names: &[&str],
        message: Message,
        out: &mut Out,
    ) -> Flow {
        let new = !self.open.contains_key(&thread.key);
        let (talk, changed) =
            self.open.entry(thread.key.clone()).or_insert_with(|| (thread.conversation(kind, title), false));
        for name in names.iter().filter(|name| !name.is_empty()) {
            if talk.participants.len() < MOST_NAMED && !talk.participants.iter().any(|known| known == name) {
                talk.participants.push((*name).to_owned());
                *changed = true;
            }
        }
        talk.created = talk.created.map_or(Some(message.time), |t| Some(t.min(message.time)));
        talk.updated = talk.updated.max(Some(message.time));
        if new {
            *changed = false;
            out.conversation(talk.clone())?;
        }
        out.message(message)
    }

    /// The end: hands out again what has grown. `title` may name one now that all are known.
    pub(crate) fn finish(self, out: &mut Out, title: impl Fn(&Conversation) -> Option<String>) {
        for (mut talk, changed) in self.open.into_values() {
            let better = title(&talk).filter(|title| *title != talk.title);
            let grown = talk.created != talk.updated;
            if changed || grown || better.is_some() {
                talk.title = better.unwrap_or(talk.title);
                if out.conversation(talk).is_break() {
                    return;
                }
            }
        }
    }
}
