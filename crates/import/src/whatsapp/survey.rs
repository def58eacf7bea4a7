//! The first pass over a chat: how its dates are ordered, who writes in it, what it is called.
//!
//! Holds a few numbers for each style of head and a count for each name; no message. The second
//! pass, `chat.rs`, asks it what each line is.

use super::{
    body::{LEFT_TO_RIGHT, split_sender},
    header::{Header, Style, header},
    order::{Because, Evidence, Order},
    phrases,
};
use crate::{
    Options,
    text::{Line, Lines},
};
use jiff::civil::Date;
use std::{collections::HashMap, io::Read};

/// Names counted at most. A group has up to 1,024 members; the rest are lines that only look like names.
pub(super) const MOST_NAMES: usize = 8192;

/// A text that looks like an event is a name after all if so many lines begin with it.
const OFTEN: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Survey {
    styles: Vec<Evidence>,
    /// The style that the file begins with, if people may write such lines themselves.
    weak: Option<Style>,
    names: HashMap<String, u32>,
    /// To whom iOS ascribes its own first line: the chat's name.
    pub(super) subject: Option<String>,
}

impl Survey {
    /// Reads the whole file. An error while reading ends it: the second pass meets the same one and reports it.
    pub(super) fn of<R: Read>(lines: Lines<R>, present: Date) -> Self {
        let mut survey = Self::default();
        for line in lines.map_while(Result::ok) {
            if let Line::Text { text, .. } = line
                && let Some(header) = header(&text)
            {
                survey.see(&header, present);
            }
        }
        survey
    }

    fn see(&mut self, header: &Header<'_>, present: Date) {
        let sender = split_sender(header.rest);
        let first = self.styles.is_empty();
        if header.style.end.is_weak() {
            if first && sender.is_some() {
                self.weak = Some(header.style);
            }
            if self.weak != Some(header.style) {
                return;
            }
        }
        match self.styles.iter_mut().find(|e| e.style() == header.style) {
            Some(evidence) => evidence.see(header.figures),
            None => {
                let mut evidence = Evidence::new(header.style, present);
                evidence.see(header.figures);
                self.styles.push(evidence);
            }
        }
        if let Some((name, text)) = sender {
            if first && text.starts_with(LEFT_TO_RIGHT) {
                self.subject = Some(name.clone());
            }
            if self.names.len() < MOST_NAMES || self.names.contains_key(&name) {
                *self.names.entry(name).or_default() += 1;
            }
        }
    }

    /// The head of `line`, unless it is of a kind that only people write in this file.
    pub(super) fn head<'a>(&self, line: &'a str) -> Option<Header<'a>> {
        header(line)
            .filter(|h| !h.style.end.is_weak() || (self.weak == Some(h.style) && split_sender(h.rest).is_some()))
    }

    /// Sender and text of a message; none for a line of WhatsApp's own.
    pub(super) fn sender<'a>(&self, rest: &'a str) -> Option<(String, &'a str)> {
        let often = |name: &str| self.names.get(name).is_some_and(|count| *count >= OFTEN);
        split_sender(rest).filter(|(name, _)| !phrases::tells_an_event(name) || often(name))
    }

    /// The order decided for each style, to be asked once for each file.
    pub(super) fn orders(&self, options: &Options) -> Vec<(Style, Order)> {
        self.styles.iter().map(|evidence| (evidence.style(), self.decide(evidence, options).0)).collect()
    }

    /// Whether the day was taken to come first where nothing in the file tells it; none where something does.
    pub(super) fn unsure(&self, options: &Options) -> Option<bool> {
        let decided = self.styles.iter().map(|evidence| self.decide(evidence, options));
        let unsure = decided.filter(|(_, because)| matches!(because, Because::Zone | Because::Said));
        unsure.filter_map(|(order, _)| order.day_first()).next()
    }

    /// The order of a style; where nothing tells it, the one of another style, since a chat is from one phone; then
    /// what somebody says.
    fn decide(&self, evidence: &Evidence, options: &Options) -> (Order, Because) {
        let zone = &options.zone;
        let alone = evidence.decide(zone);
        if alone.1 != Because::Zone {
            return alone;
        }
        let others = self.styles.iter().map(|other| other.decide(zone));
        let told = others.filter(|(_, because)| *because != Because::Zone).find_map(|(order, _)| order.day_first());
        let as_others = told.and_then(|day_first| evidence.usual(day_first)).map(|order| (order, Because::Others));
        let as_said = || options.day_first.and_then(|first| evidence.usual(first)).map(|order| (order, Because::Said));
        as_others.or_else(as_said).unwrap_or(alone)
    }

    pub(super) fn notes(&self, chat: &str, options: &Options) -> Vec<String> {
        let decided = self.styles.iter().map(|evidence| self.decide(evidence, options));
        let mut notes: Vec<String> = decided.filter_map(|(order, because)| order.note(because, chat)).collect();
        notes.dedup();
        notes
    }

    /// Who seems to write, sorted: names only, not how often, so that a later export says the same.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.names.keys().map(String::as_str).filter(|name| !phrases::tells_an_event(name)).collect();
        names.sort_unstable();
        names
    }
}
