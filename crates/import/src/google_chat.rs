//! Google Chat in a Takeout: a folder for each direct chat and space, with `messages.json` (formats.md §25).
//! Hangouts and Voice, which lie beside it, are left to `hangouts.rs` and `google_voice.rs`.

use crate::{
    Format, ImportError, Options,
    export::Export,
    mime,
    out::Out,
    record::Thread,
    records::{self, Record, Shape, Source},
    threads::Threads,
    time,
    values::{array, at, text},
};
use evoke_message::{Attachment, Contact, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;
use std::collections::HashMap;

pub(crate) const FORMAT: Format = Format {
    key: "google_chat",
    label: "Google Chat",
    kind: Kind::Chat,
    how_to_export: "On takeout.google.com, deselect all, choose Google Chat, and create the export. Choose the zip here as it is, or all \
                    parts of it in one folder.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    records: &["messages"],
    holders: &[],
    inner: &[],
    others: &[],
    fields: &[],
    needed: "",
    bare: true,
    is_record,
    is_holder: |_| false,
};

fn is_record(keys: &[&str]) -> bool {
    let has = |key| keys.contains(&key);
    (has("message_id") || has("topic_id")) && (has("created_date") || has("creator"))
}

/// Messages first, then the files that say who is in a group and whose export it is.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = export.json_files(|head| records::fits(head, &SHAPE));
    let found = !files.is_empty();
    files.extend(beside(export));
    found.then_some(files)
}

fn beside(export: &Export) -> impl Iterator<Item = usize> {
    let named = |name: &str| matches!(name, "group_info.json" | "user_info.json");
    export.files().iter().enumerate().filter(move |(_, e)| named(e.file_name())).map(|(i, _)| i)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut reading = Reading {
        export,
        options,
        owner: String::new(),
        owner_name: String::new(),
        groups: HashMap::new(),
        threads: Threads::default(),
    };
    for contact in reading.people() {
        if out.contact(contact).is_break() {
            return Ok(());
        }
    }
    let named = |i: &usize| {
        export.files().get(*i).is_some_and(|e| matches!(e.file_name(), "group_info.json" | "user_info.json"))
    };
    for &file in files.iter().filter(|i| !named(i)) {
        let source = Source { export, file };
        records::each(&source, &SHAPE, options, out, |record, number, out| match record {
            Record::One(value) => reading.message(&value, file, export.place(file, number), out),
            Record::Ends(0) => out.skipped("chat without messages", export.place(file, 0)),
            Record::Begins(_) | Record::Ends(_) => crate::Flow::Continue(()),
        })?;
        if out.stopped() {
            return Ok(());
        }
    }
    reading.threads.end(out);
    Ok(())
}

struct Group {
    name: String,
    members: Vec<String>,
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    /// Mail address and name of whose export it is; empty where nothing says it.
    owner: String,
    owner_name: String,
    /// By the folder they describe.
    groups: HashMap<String, Group>,
    threads: Threads,
}

impl Reading<'_> {
    /// Reads who is who.
    fn people(&mut self) -> Vec<Contact> {
        let mut people: Vec<Contact> = Vec::new();
        let mut meet = |user: &Value, me: bool| {
            let sender = sender(user, "");
            match people.iter_mut().find(|c| c.key == sender.key) {
                Some(known) => known.me |= me,
                None if sender.key.is_empty() => {}
                None => people.push(Contact {
                    source: FORMAT.key.to_owned(),
                    addresses: Some(text(user, "email"))
                        .filter(|a| !a.is_empty())
                        .map(str::to_owned)
                        .into_iter()
                        .collect(),
                    key: sender.key,
                    name: sender.name,
                    me,
                    ..Contact::default()
                }),
            }
        };
        for i in beside(self.export) {
            let Some(entry) = self.export.files().get(i) else { continue };
            for value in records::values(self.export, i, self.options) {
                if let Some(user) = value.get("user") {
                    self.owner = text(user, "email").to_lowercase();
                    self.owner_name = text(user, "name").to_owned();
                    meet(user, true);
                }
                for member in array(&value, "members") {
                    meet(member, false);
                }
                if entry.file_name() == "group_info.json" {
                    let members = array(&value, "members").iter().map(|m| text(m, "name").to_owned());
                    let group = Group { name: text(&value, "name").to_owned(), members: members.collect() };
                    self.groups.insert(folder(&entry.path).to_owned(), group);
                }
            }
        }
        people
    }

    fn message(&mut self, value: &Value, file: usize, place: Place, out: &mut Out) -> crate::Flow {
        if value.get("creator").is_none() && value.get("created_date").is_none() {
            return out.failed("this is not a message", place);
        }
        let path = self.export.files().get(file).map_or("", |e| e.path.as_str());
        let native = text(value, "message_id");
        let mut ids = native.split('/');
        let (space, topic, own) = (ids.next().unwrap_or_default(), ids.next(), ids.next());
        let folder_name = folder(path).trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let space = if space.is_empty() { folder_name.rsplit(' ').next().unwrap_or_default() } else { space };
        // A damaged id in a file that somebody took out of its folder.
        let space = if space.is_empty() { "unknown" } else { space };
        let thread = Thread::new(FORMAT.key, Kind::Chat, space);
        let group = self.groups.get(folder(path));
        let attachments = attachments(value, self.export, folder(path));
        let (part, said) = said(value);
        if said.is_empty() && attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        let direct = folder_name.starts_with("DM ") || group.is_some_and(|g| g.name.is_empty() && g.members.len() <= 2);
        let kind = if direct { ConversationKind::Direct } else { ConversationKind::Group };
        let owner = self.owner.as_str();
        let known = self.threads.of(&thread, || (kind, title(group, &self.owner_name, folder_name, value)));
        for member in group.filter(|_| known.is_new()).map(|g| g.members.as_slice()).unwrap_or_default() {
            known.meet(member);
        }
        let quoted = [at(value, &["quoted_message_metadata", "message_id"])].into_iter().find(|id| !id.is_empty());
        let head = topic.filter(|topic| own.is_some_and(|own| own != *topic));
        let head = head.map(|topic| format!("{space}/{topic}/{topic}"));
        let written = text(value, "created_date");
        let when = date(written);
        let id = match native {
            "" => thread.message_id(&format!("{} {written} {said}", text(value, "topic_id"))),
            native => thread.message_id(native),
        };
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            text: said,
            time: when.or(known.last).unwrap_or(self.options.now),
            time_original: written.to_owned(),
            zone_known: when.is_some(),
            edited: date(text(value, "updated_date")),
            reply_to: quoted.map(|q| thread.message_id(q)).or_else(|| head.map(|h| thread.message_id(&h))),
            attachments,
            reactions: reactions(value),
            ..thread.message(id, sender(value.get("creator").unwrap_or(&Value::Null), owner), place)
        };
        known.put(message, out)
    }
}

fn folder(path: &str) -> &str {
    path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or_default()
}

/// The name of a space; of a direct chat the others in it.
fn title(group: Option<&Group>, owner: &str, folder: &str, first: &Value) -> String {
    let others = |group: &Group| group.members.iter().filter(|m| *m != owner).cloned().collect::<Vec<_>>();
    match group {
        Some(group) if !group.name.is_empty() => group.name.clone(),
        Some(group) if !others(group).is_empty() => others(group).join(", "),
        _ if folder.is_empty() => at(first, &["creator", "name"]).to_owned(),
        _ => folder.to_owned(),
    }
}

/// Known by mail address, which is the same in every chat.
fn sender(user: &Value, owner: &str) -> Sender {
    let (name, mail) = (text(user, "name").trim(), text(user, "email").to_lowercase());
    let key = if mail.is_empty() { name.to_owned() } else { mail };
    let key = if key.is_empty() { "unknown".to_owned() } else { key };
    let name = if name.is_empty() { key.clone() } else { name.to_owned() };
    Sender { me: !owner.is_empty() && key == owner, key, name }
}

/// `Tuesday, December 12, 2023 at 7:22:43 PM UTC`, always in English and in UTC; U+202F stands before PM in newer ones.
fn date(written: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let words: Vec<&str> = written.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).collect();
    let month = words.iter().position(|w| MONTHS.contains(w))?;
    let number = MONTHS.iter().position(|m| words.get(month) == Some(m))? + 1;
    let (day, year) = (words.get(month + 1)?.parse::<u8>().ok()?, words.get(month + 2)?.parse::<u16>().ok()?);
    let clock = words.iter().find(|w| w.contains(':'))?;
    let mut figures = clock.split(':').map(str::parse::<u8>);
    let (hour, minute) = (figures.next()?.ok()?, figures.next()?.ok()?);
    let second = figures.next().unwrap_or(Ok(0)).ok()?;
    let half = words.iter().find(|w| matches!(**w, "AM" | "PM"));
    let hour = match half {
        Some(half) if hour <= 12 => hour % 12 + if *half == "PM" { 12 } else { 0 },
        _ => hour,
    };
    time::iso(&format!("{year:04}-{number:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

fn said(value: &Value) -> (Part, String) {
    if text(value, "message_state") == "DELETED" || value.get("deletion_metadata").is_some() {
        return (Part::Deleted, "This message was deleted.".to_owned());
    }
    let words = marked(text(value, "text"), array(value, "annotations"));
    if !words.trim().is_empty() {
        return (Part::Text, words.trim().to_owned());
    }
    let annotations = array(value, "annotations");
    let meeting = annotations.iter().map(|a| at(a, &["video_call_metadata", "meeting_space", "meeting_url"]));
    let call = annotations.iter().any(|a| a.get("video_call_metadata").is_some());
    match meeting.into_iter().find(|url| !url.is_empty()) {
        Some(url) => (Part::Call, format!("Video call: {url}")),
        None if call => (Part::Call, "Video call".to_owned()),
        None => (Part::Text, String::new()),
    }
}

/// The text with its marks for emphasis as Markdown. Their places count UTF-16 units.
fn marked(written: &str, annotations: &[Value]) -> String {
    let units = written.encode_utf16().count() as u64;
    let mut marks: Vec<(u64, bool, &str)> = Vec::new();
    for annotation in annotations {
        let mark = match at(annotation, &["format_metadata", "format_type"]) {
            "BOLD" => "**",
            "ITALIC" => "*",
            "STRIKE" | "STRIKETHROUGH" => "~~",
            "MONOSPACE" | "INLINE_CODE" => "`",
            _ => continue,
        };
        let n = |key| annotation.get(key).and_then(Value::as_u64);
        let (Some(start), Some(len)) = (n("start_index"), n("length")) else { continue };
        if len == 0 || start.saturating_add(len) > units {
            continue;
        }
        marks.extend([(start, false, mark), (start.saturating_add(len), true, mark)]);
    }
    if marks.is_empty() {
        return written.to_owned();
    }
    marks.sort_by_key(|(at, closes, _)| (*at, !closes));
    let (mut out, mut unit, mut next) = (String::with_capacity(written.len()), 0, marks.iter().peekable());
    for c in written.chars() {
        while let Some((_, _, mark)) = next.next_if(|(at, ..)| *at <= unit) {
            out.push_str(mark);
        }
        out.push(c);
        unit += c.len_utf16() as u64;
    }
    next.for_each(|(_, _, mark)| out.push_str(mark));
    out
}

fn attachments(value: &Value, export: &Export, folder: &str) -> Vec<Attachment> {
    let files = array(value, "attached_files").iter().map(|file| {
        let (name, stored) = (text(file, "original_name"), text(file, "export_name"));
        let path = export.files().iter().find(|e| e.path.strip_prefix(folder) == Some(stored));
        let name = if name.is_empty() { stored } else { name };
        attachment(name, path.map(|e| e.path.clone()), "not in this export")
    });
    let annotations = array(value, "annotations").iter().map(|a| at(a, &["drive_metadata", "title"]));
    let drive =
        annotations.filter(|title| !title.is_empty()).map(|title| attachment(title, None, "kept in Google Drive"));
    files.chain(drive).filter(|a| !a.name.is_empty()).collect()
}

fn attachment(name: &str, path: Option<String>, missing: &str) -> Attachment {
    let missing = path.is_none().then(|| missing.to_owned());
    Attachment { name: name.to_owned(), mime: mime::of_name(name), path, missing }
}

fn reactions(value: &Value) -> Vec<Reaction> {
    let one = |reaction: &Value| {
        let emoji = [at(reaction, &["emoji", "unicode"]), at(reaction, &["emoji", "custom_emoji", "shortcode"])];
        let emoji = emoji.into_iter().find(|e| !e.is_empty()).unwrap_or("custom emoji").to_owned();
        let count = array(reaction, "reactor_emails").len().max(1);
        Reaction { emoji, count: u32::try_from(count).unwrap_or(u32::MAX) }
    };
    array(value, "reactions").iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dates_as_takeout_writes_them() {
        for written in [
            "Tuesday, December 12, 2023 at 7:22:43 PM UTC",
            "Tuesday, December 12, 2023 at 7:22:43\u{202f}PM UTC",
            "Tuesday, December 12, 2023 at 19:22:43 UTC",
        ] {
            assert_eq!(date(written), Some(1_702_408_963_000), "{written}");
        }
        assert_eq!(date("Wednesday, April 15, 2015 at 12:51:08 AM UTC"), Some(1_429_059_068_000));
        assert_eq!(date("yesterday"), None);
    }

    #[test]
    fn emphasis_counts_utf16() {
        let bold =
            |start, length| json!({"start_index": start, "length": length, "format_metadata": {"format_type": "BOLD"}});
        assert_eq!(marked("😀 big news", &[bold(3, 3)]), "😀 **big** news");
        assert_eq!(marked("end", &[bold(0, 3), bold(9, 3)]), "**end**");
    }
}
