//! Messages that a rollout tells twice: as an item of the conversation and as an event for the screen.
//! What was typed is known by its event, for the program puts words of its own among the items.

use super::record::Said;
use crate::agent::mark;
use evoke_message::{Part, Place, Role};
use std::collections::HashMap;

/// Why the second of two is not kept.
pub(super) const SAME: &str = "a message that the session tells twice";

/// What is said, and where.
pub(super) struct Held {
    pub(super) said: Said,
    pub(super) number: u64,
    pub(super) place: Place,
}

/// The pairs of one rollout.
#[derive(Default)]
pub(super) struct Twins {
    /// Prompts among the items whose events have not come.
    waiting: Vec<Held>,
    /// Events of prompts whose items have not come, by text.
    ahead: HashMap<u64, u32>,
    events: bool,
    /// For what is not a prompt: how often it was told as an item and as an event.
    told: HashMap<u64, (u32, u32)>,
    /// Events of thoughts whose item has not come; it may join several of them.
    thoughts: Vec<Held>,
    last_thought: String,
}

impl Twins {
    pub(super) fn hold(&mut self, item: Held) {
        self.waiting.push(item);
    }

    pub(super) fn has_events(&self) -> bool {
        self.events
    }

    /// The item of a prompt whose event this is.
    pub(super) fn match_event(&mut self, event: &Held) -> Option<Held> {
        self.events = true;
        let text = squeezed(&event.said.text);
        let at = self.waiting.iter().position(|item| squeezed(&item.said.text) == text);
        if at.is_none() {
            *self.ahead.entry(mark(&[&text])).or_default() += 1;
        }
        at.map(|at| self.waiting.remove(at))
    }

    /// True where the event of this prompt came first; it is used up.
    pub(super) fn event_waits(&mut self, item: &Held) -> bool {
        let waits = self.ahead.get_mut(&mark(&[&squeezed(&item.said.text)])).filter(|n| **n > 0);
        waits.is_some_and(|n| {
            *n -= 1;
            true
        })
    }

    /// True where the same was told as often in the other stream before.
    pub(super) fn is_second(&mut self, held: &Held) -> bool {
        let key = mark(&[&format!("{:?}", held.said.part), &squeezed(&held.said.text)]);
        let (items, events) = self.told.entry(key).or_default();
        let before = (*items).max(*events);
        match held.said.stream {
            super::record::Stream::Event => *events += 1,
            _ => *items += 1,
        }
        (*items).max(*events) == before
    }

    /// Holds the event of a thought, or says that its item was told.
    pub(super) fn hold_thought(&mut self, event: Held) -> Option<Held> {
        if self.last_thought.contains(&squeezed(&event.said.text)) {
            return Some(event);
        }
        self.thoughts.push(event);
        None
    }

    /// Events of thoughts that wait: those that this item tells too, and the others.
    pub(super) fn thought(&mut self, item: &Held) -> (Vec<Held>, Vec<Held>) {
        self.last_thought = squeezed(&item.said.text);
        let all = std::mem::take(&mut self.thoughts);
        all.into_iter().partition(|event| self.last_thought.contains(&squeezed(&event.said.text)))
    }

    /// Thoughts that still wait.
    pub(super) fn lone_thoughts(&mut self) -> Vec<Held> {
        std::mem::take(&mut self.thoughts)
    }

    /// Prompts that still wait.
    pub(super) fn rest(&mut self) -> Vec<Held> {
        std::mem::take(&mut self.waiting)
    }
}

/// What was said in other sessions, for copies that keep their times.
#[derive(Default)]
pub(super) struct Seen {
    by_time: HashMap<u64, usize>,
}

impl Seen {
    /// True where another session has said this at this time.
    pub(super) fn elsewhere(&mut self, session: usize, said: &Said, text: u64) -> bool {
        if said.time.is_none() || said.part != Part::Text || !matches!(said.role, Role::Human | Role::Assistant) {
            return false;
        }
        let key = mark(&[&said.time_original, &text.to_string()]);
        *self.by_time.entry(key).or_insert(session) != session
    }
}

pub(super) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
