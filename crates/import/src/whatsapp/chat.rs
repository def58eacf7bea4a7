//! The second pass over a chat: lines become messages.

use super::{
    body::{self, Body, Files},
    header::{Header, Style, is_cut_header},
    order::Order,
    phrases,
    survey::{MOST_NAMES, Survey},
};
use crate::{Flow, Options, out::Out, text::Line};
use evoke_message::{
    Conversation, ConversationId, ConversationKind, Kind, Message, MessageId, Part, Place, Role, Sender, normalise,
};
use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    ops::ControlFlow,
};

pub(super) const SOURCE: &str = "whatsapp";

/// Equal messages are told apart if fewer than this many others lie between them. They have the
/// same minute, so a thousand would be many; a file merged by hand may repeat whole years, and
/// those repetitions must not count.
const REMEMBERED: usize = 4096;

/// What a chat is, before its first message is read.
pub(super) struct Chat<'a> {
    pub(super) key: String,
    /// The phone itself calls the chat so.
    pub(super) called: bool,
    pub(super) survey: &'a Survey,
    pub(super) files: Files<'a>,
    /// Of line 0 of the file.
    pub(super) place: Place,
    pub(super) options: &'a Options,
}

/// A message whose end has not been met.
struct Draft {
    time: DateTime,
    stamp: String,
    ios: bool,
    /// None: a line of WhatsApp's own.
    sender: Option<String>,
    body: String,
    line: u64,
}

/// What the line before belongs to.
enum At {
    /// No head yet.
    Start,
    /// A record that failed: what follows it is lost with it.
    Failed,
    Message(Draft),
}

pub(super) struct Reader<'a, 'o, 's> {
    chat: &'a Chat<'a>,
    orders: Vec<(Style, Order)>,
    out: &'o mut Out<'s>,
    at: At,
    /// A last line that may be a head cut in two: only the end of the file tells.
    held_back: Option<(u64, String)>,
    conversation: Conversation,
    people: HashSet<String>,
    seen: Seen,
    order: u64,
    previous: Option<i64>,
    lost: u64,
}

impl<'a, 'o, 's> Reader<'a, 'o, 's> {
    pub(super) fn new(chat: &'a Chat<'a>, out: &'o mut Out<'s>) -> Self {
        let names: Vec<String> = chat.survey.names().into_iter().map(str::to_owned).collect();
        let conversation = Conversation {
            id: ConversationId::of(&[SOURCE, &chat.key]),
            source: SOURCE.to_owned(),
            key: chat.key.clone(),
            title: chat.key.clone(),
            kind: if names.len() > 2 { ConversationKind::Group } else { ConversationKind::Direct },
            participants: names,
            created: None,
            updated: None,
            parent: None,
        };
        let orders = chat.survey.orders(chat.options);
        Self {
            chat,
            orders,
            out,
            at: At::Start,
            held_back: None,
            conversation,
            people: HashSet::new(),
            seen: Seen::default(),
            order: 0,
            previous: None,
            lost: 0,
        }
    }

    /// Says what chat it is; the kind and the people are told again, for certain, at the end.
    pub(super) fn begin(&mut self) -> Flow {
        let flow = self.out.conversation(self.conversation.clone());
        self.conversation.participants.clear();
        self.conversation.kind = ConversationKind::Direct;
        flow
    }

    pub(super) fn line(&mut self, line: Line) -> Flow {
        if let Some((number, text)) = self.held_back.take() {
            self.continues(number, &text)?;
        }
        match line {
            Line::TooLong { number, bytes } => {
                self.close()?;
                self.fail(number, format!("a line of {bytes} bytes is longer than any message"))
            }
            Line::Text { number, text, lost } => {
                self.lost += lost;
                match self.chat.survey.head(&text) {
                    Some(header) => self.opens(number, &header),
                    None if is_cut_header(&text) => {
                        self.held_back = Some((number, text));
                        ControlFlow::Continue(())
                    }
                    None => self.continues(number, &text),
                }
            }
        }
    }

    /// A line without a head belongs to the message before it.
    fn continues(&mut self, number: u64, text: &str) -> Flow {
        let most = self.chat.options.limits.record;
        match &mut self.at {
            At::Message(draft) if draft.body.len() + text.len() < most => {
                draft.body.push('\n');
                draft.body.push_str(text);
                ControlFlow::Continue(())
            }
            At::Message(draft) => {
                let line = draft.line;
                self.fail(line, format!("a message of more than {most} bytes"))
            }
            At::Start if !text.trim().is_empty() => self.fail(number, "text before the first message".to_owned()),
            At::Start | At::Failed => ControlFlow::Continue(()),
        }
    }

    fn opens(&mut self, number: u64, header: &Header<'_>) -> Flow {
        self.close()?;
        let order = self.orders.iter().find(|(style, _)| *style == header.style);
        let Some(date) = order.and_then(|(_, order)| order.date(header.figures)) else {
            return self.fail(number, "a date that does not exist in the order of the other dates".to_owned());
        };
        let [hour, minute, second] = header.clock;
        let (sender, text) = self.chat.survey.sender(header.rest).map_or((None, header.rest), |(s, t)| (Some(s), t));
        self.at = At::Message(Draft {
            time: date.at(hour, minute, second, 0),
            stamp: normalise(header.stamp),
            ios: header.style.end == super::header::End::Bracket,
            sender,
            body: text.to_owned(),
            line: number,
        });
        ControlFlow::Continue(())
    }

    fn fail(&mut self, number: u64, reason: String) -> Flow {
        self.at = At::Failed;
        self.out.failed(reason, Place { at: number, ..self.chat.place.clone() })
    }

    /// Hands over the message that is open, if there is one.
    fn close(&mut self) -> Flow {
        match std::mem::replace(&mut self.at, At::Failed) {
            At::Message(draft) => {
                let message = self.message(draft);
                self.out.message(message)
            }
            at => {
                self.at = at;
                ControlFlow::Continue(())
            }
        }
    }

    fn message(&mut self, draft: Draft) -> Message {
        let Body { part, text, attachments, edited } = match &draft.sender {
            Some(_) => body::read(&draft.body, draft.ios, &self.chat.files),
            None => body::read_notice(&draft.body),
        };
        let sender = draft.sender.filter(|_| part != Part::Service);
        self.meet(sender.as_deref(), &text);
        let id = self.seen.id(&self.chat.key, &draft.time, sender.as_deref(), &text, attachments.len());
        let time = instant(draft.time, &self.chat.options.zone, self.previous);
        self.previous = Some(time);
        self.conversation.created = Some(self.conversation.created.map_or(time, |t| t.min(time)));
        self.conversation.updated = Some(self.conversation.updated.map_or(time, |t| t.max(time)));
        self.order += 1;
        Message {
            id,
            conversation: self.conversation.id,
            source: SOURCE.to_owned(),
            kind: Kind::Chat,
            role: if sender.is_some() { Role::Human } else { Role::System },
            sender: who(sender),
            part,
            time,
            time_original: draft.stamp,
            zone_known: false,
            // The export does not say when; WhatsApp lets a message be edited for 15 minutes.
            edited: edited.then_some(time),
            text,
            reply_to: None,
            attachments,
            documents: Vec::new(),
            reactions: Vec::new(),
            active: true,
            order: self.order - 1,
            place: Place { at: draft.line, ..self.chat.place.clone() },
        }
    }

    /// Keeps the conversation's people and kind.
    fn meet(&mut self, sender: Option<&str>, text: &str) {
        match sender {
            Some(name) if self.people.len() < MOST_NAMES && !self.people.contains(name) => {
                self.people.insert(name.to_owned());
                self.conversation.participants.push(name.to_owned());
            }
            Some(_) => {}
            None if phrases::is_about_a_group(&phrases::plain(text)) => {
                self.conversation.kind = ConversationKind::Group
            }
            None => {}
        }
        if self.people.len() > 2 {
            self.conversation.kind = ConversationKind::Group;
        }
    }

    /// The end of the file, or of what can be read of it. Gives the number of characters lost.
    pub(super) fn end(mut self) -> u64 {
        let mut flow = self.close();
        if let Some((number, _)) = self.held_back.take().filter(|_| flow.is_continue()) {
            flow = self.fail(number, "the file ends in the middle of a message's date".to_owned());
        }
        if self.is_named_otherwise() {
            self.conversation.kind = ConversationKind::Group;
        }
        if flow.is_continue() {
            let _ = self.out.conversation(self.conversation);
        }
        self.lost
    }

    /// A chat of two is called after one of them.
    fn is_named_otherwise(&self) -> bool {
        let letters = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let chat = letters(&self.chat.key);
        let is_one_of_them = chat.is_empty() || self.people.iter().any(|name| letters(name) == chat);
        self.chat.called && self.people.len() == 2 && !is_one_of_them
    }
}

fn who(sender: Option<String>) -> Sender {
    match sender {
        Some(name) => Sender { key: name.clone(), name, me: false },
        None => Sender { key: "system".to_owned(), name: "WhatsApp".to_owned(), me: false },
    }
}

/// UTC milliseconds of a wall time. One that the clock skipped is moved past the gap; of two that
/// it showed twice, the one that does not go back behind the message before.
fn instant(time: DateTime, zone: &TimeZone, previous: Option<i64>) -> i64 {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let is_fold = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
    let first = ambiguous.compatible();
    let later = || zone.to_ambiguous_timestamp(time).later();
    let chosen = match first {
        Ok(t) if is_fold && previous.is_some_and(|p| t.as_millisecond() < p) => later().or(Ok(t)),
        other => other,
    };
    chosen.map_or(0, |t: jiff::Timestamp| t.as_millisecond())
}

/// Counts equal messages among the last ones.
#[derive(Default)]
struct Seen {
    counts: HashMap<[u8; 16], u32>,
    recent: VecDeque<[u8; 16]>,
}

impl Seen {
    /// From what every export of the same chat has in common (formats.md §7): the minute, since
    /// Android has no seconds, and how many files there are instead of their names, since iOS
    /// numbers them anew in every export and an export without media has none.
    fn id(&mut self, key: &str, time: &DateTime, sender: Option<&str>, text: &str, files: usize) -> MessageId {
        let minute = time.strftime("%Y-%m-%d %H:%M").to_string();
        let sender = sender.unwrap_or("");
        let text = normalise(text);
        let files = files.to_string();
        let parts = [SOURCE, key, &minute, sender, &text, &files];
        let hash = evoke_message::stable_hash(&parts);
        let count = self.counts.entry(hash).or_default();
        let occurrence = count.to_string();
        *count += 1;
        self.recent.push_back(hash);
        if self.recent.len() > REMEMBERED {
            self.forget_oldest();
        }
        MessageId::of(&[SOURCE, key, &minute, sender, &text, &files, &occurrence])
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.recent.pop_front() else { return };
        if let Some(count) = self.counts.get_mut(&oldest) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    #[test]
    fn wall_times_in_gaps_and_folds() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let utc = |time| instant(time, &TimeZone::UTC, None);
        let hour = 3_600_000;
        assert_eq!(instant(datetime(2024, 1, 1, 12, 0, 0, 0), &zone, None), utc(datetime(2024, 1, 1, 11, 0, 0, 0)));
        let skipped = datetime(2024, 3, 31, 2, 30, 0, 0);
        assert_eq!(instant(skipped, &zone, None), utc(datetime(2024, 3, 31, 1, 30, 0, 0)));
        let twice = datetime(2024, 10, 27, 2, 30, 0, 0);
        let first = instant(twice, &zone, None);
        assert_eq!(first, utc(datetime(2024, 10, 27, 0, 30, 0, 0)));
        assert_eq!(instant(twice, &zone, Some(first + 1)), first + hour);
    }

    #[test]
    fn equal_messages_are_counted_only_near_each_other() {
        let mut seen = Seen::default();
        let time = datetime(2024, 1, 1, 12, 0, 0, 0);
        let first = seen.id("c", &time, Some("Ana"), "ok", 0);
        assert_ne!(seen.id("c", &time, Some("Ana"), "ok", 0), first);
        for n in 0..REMEMBERED {
            seen.id("c", &time, Some("Ana"), &n.to_string(), 0);
        }
        assert_eq!(seen.id("c", &time, Some("Ana"), "ok", 0), first);
    }
}
