//! Chats that people's tools write: sigexport's `chat.md` and `data.json`, and the text files of
//! signalbackup-tools. They have wall times, no ids, and name people only as they were shown.

use super::{FORMAT, folder};
use crate::{
    ImportError, Options,
    clock::{self, Order},
    export::Export,
    jsonl,
    media::{self, Media},
    out::Out,
    record::{ContentIds, Thread, counted},
    text::{Line, Lines},
    threads::Participants,
    values::{array, flag, text},
};
use evoke_message::{Attachment, Conversation, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;

/// How sigexport calls the owner.
const ME: &str = "Me";
const DELETED: &str = "(This message was deleted)";

/// `[2019-12-24, 12:23] Jane Doe: text`; with seconds in newer versions.
fn header(line: &str) -> Option<(&str, &str, &str)> {
    let (date, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let shape = date.bytes().enumerate().all(|(i, b)| match i {
        4 | 7 => b == b'-',
        10 => b == b',' || b == b' ',
        11.. => b.is_ascii_digit() || b == b':' || b == b' ',
        _ => b.is_ascii_digit(),
    });
    if !shape || !(16..=20).contains(&date.len()) {
        return None;
    }
    let (sender, text) = rest.split_once(':')?;
    Some((date, sender, text.strip_prefix(' ').unwrap_or(text)))
}

/// `[Jan 15, 2024 10:30:00] <Jane Doe> text`, or `*** ` and a notice.
fn tools_header(line: &str) -> Option<(&str, &str)> {
    let (date, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let begins = rest.starts_with('<') || rest.starts_with("*** ");
    let shape = date.len() < 40 && date.contains(", ") && date.matches(':').count() == 2;
    (begins && shape && date.starts_with(char::is_alphabetic)).then_some((date, rest))
}

fn first_line(head: &[u8]) -> String {
    let line = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).find(|l| !l.is_empty()).unwrap_or_default();
    String::from_utf8_lossy(line).trim_start_matches('\u{feff}').to_owned()
}

/// `markdown`: the name says so. In a text file the same with seconds is WhatsApp's.
pub(super) fn is_chat(head: &[u8], markdown: bool) -> bool {
    let line = first_line(head);
    header(&line).is_some_and(|(date, ..)| markdown || date.matches(':').count() == 1)
}

pub(super) fn is_tools(head: &[u8]) -> bool {
    tools_header(&first_line(head)).is_some()
}

/// A line of sigexport's `data.json`.
pub(super) fn is_line(value: &Value) -> bool {
    ["date", "sender", "body"].iter().all(|k| value.get(k).is_some_and(Value::is_string))
        && (value.get("attachments").is_some() || value.get("reactions").is_some())
}

/// What a message says.
struct Said {
    sender: String,
    date: String,
    part: Part,
    text: String,
    attachments: Vec<Attachment>,
    reactions: Vec<Reaction>,
}

/// One chat under way.
struct Chat<'a> {
    thread: Thread,
    title: String,
    options: &'a Options,
    participants: Participants,
    ids: ContentIds,
    seen: u64,
    begun: bool,
}

impl<'a> Chat<'a> {
    /// `people`: everybody who writes in it. It is known by its folder, which bears its name, or else by them.
    fn new(named: Option<&str>, people: &Participants, options: &'a Options) -> Self {
        let all = people.names();
        let others: Vec<&str> = all.iter().map(String::as_str).filter(|p| *p != ME && *p != FORMAT.label).collect();
        let title = match named {
            Some(name) => name.to_owned(),
            None if others.is_empty() => FORMAT.label.to_owned(),
            None => others.join(", "),
        };
        let key = match named {
            Some(name) => name.to_owned(),
            None => {
                let mut sorted = others.clone();
                sorted.sort_unstable();
                sorted.join(", ")
            }
        };
        Self {
            thread: Thread::new(FORMAT.key, Kind::Chat, evoke_message::normalise(&key)),
            title,
            options,
            participants: people.clone(),
            ids: ContentIds::default(),
            seen: 0,
            begun: false,
        }
    }

    fn conversation(&self) -> Conversation {
        let people = self.participants.names();
        let kind = if people.len() > 2 { ConversationKind::Group } else { ConversationKind::Direct };
        Conversation { participants: people, ..self.thread.conversation(kind, self.title.clone()) }
    }

    fn put(&mut self, said: Said, place: Place, out: &mut Out) -> crate::Flow {
        self.seen += 1;
        let date = said.date.replace(", ", " ");
        let date = if said.date.starts_with(|c: char| c.is_ascii_digit()) { date } else { said.date.clone() };
        let Some((time, zone_known)) = clock::instant(&date.replace(' ', "T"), Order::default(), &self.options.zone)
            .or_else(|| clock::instant(&date, Order::default(), &self.options.zone))
        else {
            return out.failed(format!("{:?} is no date that Evoke knows", said.date), place);
        };
        if said.text.is_empty() && said.attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        let sender = match said.sender.as_str() {
            "" => Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false },
            name => Sender { key: name.to_owned(), name: name.to_owned(), me: name == ME },
        };
        // Only the minute: older exports have no seconds.
        let minute = (time / 60_000).to_string();
        let mut parts = vec![minute.as_str(), sender.key.as_str(), said.text.as_str()];
        parts.extend(said.attachments.iter().map(|a| a.name.as_str()));
        let id = self.ids.next(&self.thread, &parts);
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(self.conversation())?;
        }
        out.message(Message {
            role: if said.part == Part::Service { Role::System } else { Role::Human },
            part: said.part,
            time,
            time_original: said.date,
            zone_known,
            text: said.text,
            attachments: said.attachments,
            reactions: said.reactions,
            order: self.seen - 1,
            ..self.thread.message(id, sender, place)
        })
    }
}

/// The folder's name, where a chat has one of its own inside the export.
fn named(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let own = matches!(name, "chat.md" | "index.md" | "data.json");
    folder(path).trim_end_matches('/').rsplit('/').next().filter(|f| own && !f.is_empty())
}

/// The name in `Jane Doe (_id12).txt`.
fn named_by_tools(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.rsplit_once(" (_id").map(|(name, _)| name).filter(|n| !n.is_empty())
}

/// sigexport's `data.json`: a message a line.
pub(super) fn read_lines(
    export: &Export,
    file: usize,
    options: &Options,
    media: &Media,
    out: &mut Out,
) -> Result<(), ImportError> {
    let path = export.files().get(file).map_or("", |f| f.path.as_str());
    let mut people = Participants::default();
    let lines = Lines::new(export.open(file)?, options.limits.record).map_err(|e| export.trouble(file, e))?;
    for line in lines.map_while(Result::ok) {
        let Line::Text { text: line, .. } = line else { continue };
        if let Ok((value, _)) = crate::json::parse::<Value>(line.as_bytes()) {
            people.meet(text(&value, "sender"));
        }
    }
    let mut chat = Chat::new(named(path), &people, options);
    jsonl::each(export, file, options, out, |line, value, out| {
        let place = export.place(file, line);
        if !is_line(&value) && value.get("date").is_none() {
            return out.failed("this is not a message", place);
        }
        chat.put(said_in_line(&value, media, path), place, out)
    })
}

fn said_in_line(value: &Value, media: &Media, path: &str) -> Said {
    let body = lines_trimmed(text(value, "body"));
    let body = body.as_str();
    let quote = lines_trimmed(text(value, "quote"));
    let words = if quote.is_empty() { body.to_owned() } else { format!("{quote}\n\n{body}").trim().to_owned() };
    let part = part(value, body);
    let sticker = value.get("sticker").map_or("", |s| s.as_str().unwrap_or_else(|| text(s, "emoji")));
    let mut attachments: Vec<Attachment> =
        array(value, "attachments").iter().map(|a| attachment(text(a, "name"), text(a, "path"), media, path)).collect();
    if !sticker.is_empty() || value.get("sticker").is_some_and(Value::is_object) {
        attachments.push(media::attachment(format!("sticker {sticker}").trim_end(), None, None, media::NOT_HERE));
    }
    let emoji = |r: &Value| {
        r.as_array()
            .map_or_else(|| text(r, "emoji"), |pair| pair.get(1).and_then(Value::as_str).unwrap_or_default())
            .to_owned()
    };
    Said {
        sender: text(value, "sender").to_owned(),
        date: text(value, "date").to_owned(),
        part,
        text: if part == Part::Deleted { "This message was deleted.".to_owned() } else { words },
        attachments,
        reactions: counted(array(value, "reactions").iter().map(emoji)),
    }
}

/// sigexport ends lines with two blanks, for Markdown.
fn lines_trimmed(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn part(value: &Value, body: &str) -> Part {
    let call = ["Incoming ", "Outgoing ", "Missed "].iter().filter_map(|p| body.strip_prefix(p));
    let kinds = ["voice call", "video call", "group call", "call"];
    let is_call = call.into_iter().any(|rest| {
        let rest = rest.split(" (").next().unwrap_or_default();
        kinds.contains(&rest)
    });
    match (flag(value, "deleted") || body == DELETED, flag(value, "call") || is_call) {
        (true, _) => Part::Deleted,
        (_, true) => Part::Call,
        _ => Part::Text,
    }
}

fn attachment(name: &str, stated: &str, media: &Media, path: &str) -> Attachment {
    media.attachment(name, &stated.replace("%20", " "), path)
}

/// A message whose end has not been met.
struct Draft {
    line: u64,
    date: String,
    sender: String,
    body: String,
}

type Heads = fn(&str) -> Option<(String, String, String)>;

/// Takes a text apart at its heads: `(date, sender, rest)`.
fn each_draft(
    export: &Export,
    file: usize,
    options: &Options,
    heads: Heads,
    mut each: impl FnMut(Result<Draft, (u64, String)>) -> bool,
) -> Result<(u64, Option<std::io::Error>), ImportError> {
    let most = options.limits.record;
    let lines = Lines::new(export.open(file)?, most).map_err(|e| export.trouble(file, e))?;
    let (mut open, mut lost_in_all): (Option<Draft>, u64) = (None, 0);
    let mut trouble = None;
    for line in lines {
        let (number, text) = match line {
            Ok(Line::Text { number, text, lost }) => {
                lost_in_all += lost;
                (number, text)
            }
            Ok(Line::TooLong { number, bytes }) => {
                if !each(Err((number, format!("a line of {bytes} bytes is longer than any message")))) {
                    return Ok((lost_in_all, None));
                }
                continue;
            }
            Err(error) => {
                trouble = Some(error);
                break;
            }
        };
        match (heads(&text), &mut open) {
            (Some((date, sender, body)), _) => {
                if let Some(draft) = open.replace(Draft { line: number, date, sender, body })
                    && !each(Ok(draft))
                {
                    return Ok((lost_in_all, None));
                }
            }
            (None, Some(draft)) if draft.body.len() + text.len() < most => {
                draft.body.push('\n');
                draft.body.push_str(&text);
            }
            (None, Some(_)) => {}
            (None, None) if text.trim().is_empty() => {}
            (None, None) => {
                if !each(Err((number, "text before the first message".to_owned()))) {
                    return Ok((lost_in_all, None));
                }
            }
        }
    }
    if let Some(draft) = open {
        each(Ok(draft));
    }
    Ok((lost_in_all, trouble))
}

/// Reads a text twice: who writes in it, then what.
fn read_text(
    export: &Export,
    file: usize,
    options: &Options,
    out: &mut Out,
    (heads, named): (Heads, Option<&str>),
    said: impl Fn(&Draft) -> Said,
) -> Result<(), ImportError> {
    let mut people = Participants::default();
    each_draft(export, file, options, heads, |draft| {
        if let Ok(draft) = draft {
            people.meet(&said(&draft).sender);
        }
        true
    })?;
    let mut chat = Chat::new(named, &people, options);
    let (lost, trouble) = each_draft(export, file, options, heads, |draft| {
        let flow = match draft {
            Ok(draft) => chat.put(said(&draft), export.place(file, draft.line), out),
            Err((line, reason)) => out.failed(reason, export.place(file, line)),
        };
        flow.is_continue()
    })?;
    if out.stopped() { Ok(()) } else { out.file_ended(file, lost, trouble) }
}

/// sigexport's `chat.md`.
pub(super) fn read_chat(
    export: &Export,
    file: usize,
    options: &Options,
    media: &Media,
    out: &mut Out,
) -> Result<(), ImportError> {
    let path = export.files().get(file).map_or("", |f| f.path.as_str());
    let heads: Heads = |line| header(line).map(|(d, s, t)| (d.to_owned(), s.to_owned(), t.to_owned()));
    read_text(export, file, options, out, (heads, named(path)), |draft| said_in_chat(draft, media, path))
}

/// Reactions, stickers and files stand behind the words.
fn said_in_chat(draft: &Draft, media: &Media, path: &str) -> Said {
    let (mut reactions, mut attachments, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for line in draft.body.lines() {
        let line = line.trim_end();
        if let Some(all) = line.strip_prefix("(- ").and_then(|rest| rest.split_once(" -)")) {
            reactions.extend(all.0.split(", ").filter_map(|r| Some(r.rsplit_once(':')?.1.trim().to_owned())));
            take_files(all.1, &mut attachments, media, path);
        } else if let Some(sticker) = line.strip_prefix("(( ").and_then(|rest| rest.strip_suffix(" ))")) {
            attachments.push(media::attachment(&format!("sticker {sticker}"), None, None, media::NOT_HERE));
        } else {
            lines.push(take_files(line, &mut attachments, media, path));
        }
    }
    let text = lines.join("\n").trim().to_owned();
    let part = part(&Value::Null, &text);
    Said {
        sender: draft.sender.clone(),
        date: draft.date.clone(),
        part,
        text: if part == Part::Deleted { "This message was deleted.".to_owned() } else { text },
        attachments,
        reactions: counted(reactions),
    }
}

/// Where sigexport keeps files.
const FOLDERS: [&str; 3] = ["./media/", "media/", "../exported_stickers/"];

/// The line without `![name](./media/file)`, which are files of the message.
fn take_files(line: &str, attachments: &mut Vec<Attachment>, media: &Media, path: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some((before, from)) = rest.split_once("](") {
        let open = before.rfind('[').filter(|_| FOLDERS.iter().any(|folder| from.starts_with(folder)));
        let Some(open) = open else {
            out.push_str(before);
            out.push_str("](");
            rest = from;
            continue;
        };
        // Without an end there is none further on either.
        let Some((to, after)) = from.split_once(')') else { break };
        let (words, name) = before.split_at(open);
        out.push_str(words.strip_suffix('!').unwrap_or(words));
        attachments.push(attachment(name.trim_start_matches('['), to, media, path));
        rest = after;
    }
    out.push_str(rest);
    out.trim_end().to_owned()
}

/// The text files of signalbackup-tools.
pub(super) fn read_tools(
    export: &Export,
    file: usize,
    options: &Options,
    media: &Media,
    out: &mut Out,
) -> Result<(), ImportError> {
    let path = export.files().get(file).map_or("", |f| f.path.as_str());
    let heads: Heads = |line| {
        let (date, rest) = tools_header(line)?;
        Some((date.to_owned(), String::new(), rest.to_owned()))
    };
    read_text(export, file, options, out, (heads, named_by_tools(path)), |draft| said_by_tools(draft, media, path))
}

fn said_by_tools(draft: &Draft, media: &Media, path: &str) -> Said {
    let of = |sender: &str, part, text: &str, attachments| Said {
        sender: sender.to_owned(),
        date: draft.date.clone(),
        part,
        text: text.trim().to_owned(),
        attachments,
        reactions: Vec::new(),
    };
    let body = draft.body.trim_end();
    if let Some(notice) = body.strip_prefix("*** ") {
        let sent = notice.strip_prefix('<').and_then(|n| n.split_once("> sent file"));
        return match sent {
            Some((sender, file)) => {
                let name = file.split('"').nth(1);
                let kind = file.trim().strip_prefix("of type ").map(|k| k.split(' ').next().unwrap_or(k));
                let one = match name {
                    Some(name) => media.attachment(name, name, path),
                    None => media::attachment(
                        kind.and_then(|k| k.split('/').next()).unwrap_or("file"),
                        kind,
                        None,
                        media::NOT_HERE,
                    ),
                };
                of(sender, Part::Text, "", vec![one])
            }
            None => of(
                "",
                if notice.to_lowercase().contains("call") { Part::Call } else { Part::Service },
                notice,
                Vec::new(),
            ),
        };
    }
    match body.strip_prefix('<').and_then(|b| b.split_once("> ")) {
        Some((sender, text)) => of(sender, Part::Text, text, Vec::new()),
        None => of("", Part::Text, body, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_messages() {
        assert_eq!(
            header("[2019-12-24, 12:23] Jane Doe: Hello: you"),
            Some(("2019-12-24, 12:23", "Jane Doe", "Hello: you"))
        );
        assert_eq!(header("[2024-01-15 10:30:00] Me: "), Some(("2024-01-15 10:30:00", "Me", "")));
        for wrong in ["[15.01.24, 10:30:00] A: b", "[2019-12-24, 12:23] no colon", "text", "[2019-12-24] A: b"] {
            assert_eq!(header(wrong), None, "{wrong}");
        }
        assert_eq!(tools_header("[Jan 15, 2024 10:30:00] <Jane> hi"), Some(("Jan 15, 2024 10:30:00", "<Jane> hi")));
        assert_eq!(tools_header("[Jan 15, 2024 10:30:00] hi"), None);
        assert!(!is_chat(b"[2020-06-01, 12:00:06] A: b", false));
    }
}
