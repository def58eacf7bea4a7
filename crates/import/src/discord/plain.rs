//! DiscordChatExporter's tables and plain text. They name neither the channel's id nor the messages', and
//! their times are written as the exporter's own computer shows them.

use super::{Reading, message, thread};
use crate::{
    ImportError,
    clock::{self, Order, Survey},
    out::Out,
    record::{ContentIds, Thread},
    table,
    text::{Line, Lines},
    threads::Participants,
};
use evoke_message::{Attachment, Conversation, ConversationKind, Message, Part, Place, Reaction, Role, Sender};
use std::collections::HashMap;

const RULE: &str = "==============================================================";
/// Sections of a text that stand below a message.
const SECTIONS: [&str; 4] = ["{Attachments}", "{Embed}", "{Stickers}", "{Reactions}"];
/// What Discord itself says in a channel's name.
#[rustfmt::skip]
const NOTICES: [&str; 14] = [
    "Pinned a message.", "Joined the server.", "Started a thread.", "Changed the channel icon.", "Left the group.",
    "Changed the channel name: ", "Changed the channel name.", "Added a recipient.", "Removed a recipient.",
    "Started a call that lasted ", "joined the server.", "pinned a message", "started a thread.", "started a call that lasted ",
];

pub(super) fn is_table(head: &[u8]) -> bool {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    line.starts_with(b"AuthorID,Author,Date,Content")
}

pub(super) fn is_text(head: &[u8]) -> bool {
    let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let (rule, guild, channel) = (lines.next(), lines.next(), lines.next());
    rule.is_some_and(|l| l.len() > 20 && l.iter().all(|b| *b == b'='))
        && guild.is_some_and(|l| l.starts_with(b"Guild: "))
        && channel.is_some_and(|l| l.starts_with(b"Channel: "))
}

/// What a message of a table or a text says.
struct Said<'a> {
    sender: Sender,
    date: &'a str,
    text: String,
    attachments: Vec<Attachment>,
    reactions: Vec<Reaction>,
}

/// A channel of which only the messages are known.
struct Channel<'a, 'r> {
    reading: &'a Reading<'r>,
    thread: Thread,
    title: String,
    kind: ConversationKind,
    order: Order,
    participants: Participants,
    ids: ContentIds,
    seen: u64,
    last: Option<i64>,
    begun: bool,
}

impl<'a, 'r> Channel<'a, 'r> {
    fn new(reading: &'a Reading<'r>, key: &str, title: String, kind: ConversationKind, order: Order) -> Self {
        let (participants, ids) = (Participants::default(), ContentIds::default());
        Self { reading, thread: thread(key), title, kind, order, participants, ids, seen: 0, last: None, begun: false }
    }

    fn conversation(&self) -> Conversation {
        Conversation {
            participants: self.participants.names(),
            ..self.thread.conversation(self.kind, self.title.clone())
        }
    }

    fn put(&mut self, said: Said, place: Place, out: &mut Out) -> crate::Flow {
        let options = self.reading.options;
        let Some((time, zone_known)) = clock::instant(said.date, self.order, &options.zone) else {
            return out.failed(format!("{:?} is no date that Evoke knows", said.date), place);
        };
        self.seen += 1;
        if said.text.is_empty() && said.attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        self.last = Some(time);
        self.participants.meet(&said.sender.name);
        let part = part(&said.text);
        let text = if part == Part::Text { said.text.clone() } else { notice(&said.sender.name, &said.text) };
        let mut content = vec![said.date, said.sender.key.as_str(), said.text.as_str()];
        content.extend(said.attachments.iter().map(|a| a.name.as_str()));
        let id = self.ids.next(&self.thread, &content);
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(self.conversation())?;
        }
        out.message(Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            time,
            time_original: said.date.to_owned(),
            zone_known,
            text,
            attachments: said.attachments,
            reactions: said.reactions,
            order: self.seen - 1,
            ..self.thread.message(id, said.sender, place)
        })
    }

    fn end(&self, out: &mut Out) {
        if self.begun && !out.stopped() {
            let _ = out.conversation(self.conversation());
        }
    }

    fn attachments<'s>(&self, addresses: impl Iterator<Item = &'s str>, from: &str) -> Vec<Attachment> {
        addresses.map(str::trim).filter(|a| !a.is_empty()).map(|a| self.reading.media.attachment("", a, from)).collect()
    }
}

fn part(text: &str) -> Part {
    match NOTICES.iter().find(|notice| text.starts_with(**notice) && text.lines().count() == 1) {
        Some(notice) if notice.contains("call") => Part::Call,
        Some(notice) if notice.ends_with(' ') || text.len() == notice.len() || *notice == "pinned a message" => {
            Part::Service
        }
        _ => Part::Text,
    }
}

fn notice(who: &str, text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_lowercase().collect()).unwrap_or_default();
    format!("{who} {first}{}", letters.as_str())
}

/// `alice#0001`; newer names have no number.
fn person(id: &str, name: &str) -> Sender {
    let plain = name.strip_suffix("#0000").unwrap_or(name);
    let shown = plain.rsplit_once('#').filter(|(_, n)| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit()));
    let key = if id.is_empty() { plain } else { id };
    Sender { key: key.to_owned(), name: shown.map_or(plain, |(name, _)| name).to_owned(), me: false }
}

/// `👍 (2),❤️ (1)` of tables, `👍 (2) ❤️` of texts.
fn reactions(text: &str) -> Vec<Reaction> {
    let mut all: Vec<Reaction> = Vec::new();
    for piece in text.split([',', ' ']).filter(|p| !p.is_empty()) {
        let count = piece.strip_prefix('(').and_then(|p| p.strip_suffix(')')).and_then(|n| n.parse().ok());
        match (count, all.last_mut()) {
            (Some(count), Some(last)) => last.count = count,
            _ => all.push(Reaction { emoji: piece.to_owned(), count: 1 }),
        }
    }
    all
}

/// `Guild - Text - general [123] [part 2].csv` without the part and the ending.
fn stem(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.split(" [part ").next().unwrap_or(stem)
}

/// Keys of tables: the parts of one export are one channel.
#[derive(Default)]
pub(super) struct Keys {
    /// By folder and stem.
    known: HashMap<String, (String, u64)>,
}

/// A table. Its channel is known by its first message alone: nothing else in it lasts.
pub(super) fn read_table(
    reading: &Reading,
    file: usize,
    keys: &mut Keys,
    owner: Option<&str>,
    out: &mut Out,
) -> Result<(), ImportError> {
    let (export, options) = (reading.export, reading.options);
    out.reads_again(&[file]);
    let mut survey = Survey::default();
    let mut first = None;
    table::survey(export, file, options, is_head, |row| {
        let [id, author, date] = ["authorid", "author", "date"].map(|name| row.get(name));
        survey.see(date);
        first.get_or_insert_with(|| format!("from {id} {author} at {date}"));
    })?;
    let path = reading.path(file);
    let name = path.rsplit('/').next().unwrap_or_default();
    let group = format!("{}/{}", path.rsplit_once('/').map_or("", |(folder, _)| folder), stem(name));
    let (key, seen) = keys.known.entry(group).or_insert_with(|| (first.unwrap_or_default(), 0)).clone();
    let mut channel = Channel::new(reading, &key, stem(name).to_owned(), ConversationKind::Channel, survey.order());
    channel.seen = seen;
    table::each(export, file, options, out, is_head, |row, out| {
        let mut sender = person(row.get("authorid"), row.get("author"));
        sender.me = owner == Some(sender.key.as_str());
        let attachments = channel.attachments(row.get("attachments").split(','), path);
        let text = message::mentions(row.get("content"), &serde_json::Value::Null);
        let said =
            Said { sender, date: row.get("date"), text, attachments, reactions: reactions(row.get("reactions")) };
        channel.put(said, export.place(file, row.line), out)
    })?;
    let group = keys.known.values_mut().find(|(k, _)| *k == key);
    group.into_iter().for_each(|(_, seen)| *seen = channel.seen);
    channel.end(out);
    Ok(())
}

fn is_head(names: &[String]) -> bool {
    table::has(names, &["authorid", "author", "date", "content"])
}

/// A text under way: the message whose end has not been met.
#[derive(Default)]
struct Draft {
    line: u64,
    date: String,
    author: String,
    body: Vec<String>,
}

pub(super) fn read_text(reading: &Reading, file: usize, out: &mut Out) -> Result<(), ImportError> {
    out.reads_again(&[file]);
    let lines = || -> Result<_, ImportError> {
        let input = reading.export.open(file)?;
        Lines::new(input, reading.options.limits.record).map_err(|e| reading.export.trouble(file, e))
    };
    let mut survey = Survey::default();
    for line in lines()?.map_while(Result::ok) {
        if let Line::Text { text, .. } = line
            && let Some((date, _)) = bracketed(&text)
        {
            survey.see(date);
        }
    }
    let mut text = Text {
        channel: Channel::new(reading, "", String::new(), ConversationKind::Channel, survey.order()),
        file,
        names: [String::new(), String::new()],
        in_header: 0,
        draft: None,
        lost: 0,
    };
    let mut trouble = None;
    for line in lines()? {
        match line {
            Ok(line) => {
                if text.line(line, out).is_break() {
                    return Ok(());
                }
            }
            Err(error) => {
                trouble = Some(error);
                break;
            }
        }
    }
    if text.close(out).is_break() {
        return Ok(());
    }
    text.channel.end(out);
    out.file_ended(file, text.lost, trouble)
}

struct Text<'a, 'r> {
    channel: Channel<'a, 'r>,
    file: usize,
    /// Of the guild and the channel.
    names: [String; 2],
    /// Rules met so far: the header lies between the first and the second.
    in_header: u8,
    draft: Option<Draft>,
    lost: u64,
}

impl Text<'_, '_> {
    fn line(&mut self, line: Line, out: &mut Out) -> crate::Flow {
        let (number, text) = match line {
            Line::Text { number, text, lost } => {
                self.lost += lost;
                (number, text)
            }
            Line::TooLong { number, bytes } => {
                self.close(out)?;
                let place = self.channel.reading.export.place(self.file, number);
                return out.failed(format!("a line of {bytes} bytes is longer than any message"), place);
            }
        };
        if self.in_header < 2 {
            self.header(&text);
            return crate::Flow::Continue(());
        }
        match bracketed(&text).filter(|(date, _)| self.is_date(date)) {
            Some((date, author)) => {
                self.close(out)?;
                let author = author.strip_suffix(" (pinned)").unwrap_or(author).to_owned();
                self.draft = Some(Draft { line: number, date: date.to_owned(), author, body: Vec::new() });
                crate::Flow::Continue(())
            }
            None => match &mut self.draft {
                Some(draft)
                    if draft.body.iter().map(String::len).sum::<usize>()
                        < self.channel.reading.options.limits.record =>
                {
                    draft.body.push(text);
                    crate::Flow::Continue(())
                }
                None if !is_rule(&text) && !text.trim().is_empty() && !text.starts_with("Exported ") => {
                    let place = self.channel.reading.export.place(self.file, number);
                    out.failed("text before the first message", place)
                }
                _ => crate::Flow::Continue(()),
            },
        }
    }

    fn is_date(&self, date: &str) -> bool {
        clock::instant(date, self.channel.order, &self.channel.reading.options.zone).is_some()
    }

    fn header(&mut self, text: &str) {
        if is_rule(text) {
            self.in_header += 1;
        } else if let Some(guild) = text.strip_prefix("Guild: ") {
            self.names[0] = guild.to_owned();
        } else if let Some(channel) = text.strip_prefix("Channel: ") {
            self.names[1] = channel.to_owned();
        }
        if self.in_header == 2 {
            let [guild, name] = &self.names;
            // Direct chats have no guild of their own.
            let direct = guild == "Direct Messages";
            self.channel.kind = if direct { ConversationKind::Direct } else { ConversationKind::Channel };
            let name = if direct { name.rsplit(" / ").next().unwrap_or(name) } else { name };
            self.channel.title = message::title(self.channel.kind, guild, name);
            self.channel.thread = thread(&format!("{guild} / {name}"));
        }
    }

    /// Hands over the message that is open, if there is one.
    fn close(&mut self, out: &mut Out) -> crate::Flow {
        let Some(mut draft) = self.draft.take() else { return crate::Flow::Continue(()) };
        let footer = draft.body.iter().rposition(|l| l.starts_with("Exported ") && l.contains("message"));
        if let Some(at) =
            footer.filter(|at| at.checked_sub(1).and_then(|i| draft.body.get(i)).is_some_and(|l| is_rule(l)))
        {
            draft.body.truncate(at - 1);
        }
        let [text, files, embeds, stickers, marks] = sections(&draft.body);
        let from = self.channel.reading.path(self.file);
        let addresses = files.lines().chain(stickers.lines());
        let attachments = self.channel.attachments(addresses, from);
        let text = if text.is_empty() { embeds } else { text };
        let text = message::mentions(&text, &serde_json::Value::Null);
        let place = self.channel.reading.export.place(self.file, draft.line);
        let sender = person("", &draft.author);
        self.channel.put(
            Said { sender, date: &draft.date, text, attachments, reactions: reactions(&marks) },
            place,
            out,
        )
    }
}

/// The words of a message and its sections, in the order of [`SECTIONS`].
fn sections(body: &[String]) -> [String; 5] {
    let mut found: [Vec<&str>; 5] = Default::default();
    let mut now = 0;
    for line in body {
        match SECTIONS.iter().position(|s| s == line) {
            Some(n) => now = n + 1,
            None => found[now].push(line),
        }
    }
    found.map(|lines| lines.join("\n").trim().to_owned())
}

/// `[date] author`
fn bracketed(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("] ").filter(|(_, author)| !author.trim().is_empty())
}

fn is_rule(line: &str) -> bool {
    line.len() >= 20 && RULE.len() >= line.trim_end().len() && line.trim_end().bytes().all(|b| b == b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactions_of_tables_and_texts() {
        let shown = |text: &str| {
            reactions(text).iter().map(|r| format!("{}{}", r.emoji, r.count)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown("👍 (2),❤️ (1)"), "👍2 ❤️1");
        assert_eq!(shown("👍 (2) ❤️"), "👍2 ❤️1");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn names_with_numbers() {
        assert_eq!(person("1", "alice#0001").name, "alice");
        assert_eq!(person("", "alice#0001").key, "alice#0001");
        assert_eq!(person("", "bob#0000").key, "bob");
        assert_eq!(stem("S - general [1] [part 2].csv"), "S - general [1]");
    }
}
