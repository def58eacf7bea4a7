//! Rows of Signal Desktop's own message table as JSON, as `sigtop` and others write them: a list, an
//! object with `messages`, or a row a line.

use super::FORMAT;
use crate::{
    ImportError, Options,
    export::Export,
    jsonl,
    lists::{self, Got, Shape},
    media::{self, Media},
    out::Out,
    record::{Thread, counted},
    threads::Participants,
    time,
    values::{array, first_text, flag, id, number, text},
};
use evoke_message::{Attachment, Conversation, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;
use std::collections::BTreeMap;

const SHAPE: Shape = Shape { fields: &["id", "name", "type"], others: &[], is_record: is_row };

pub(super) fn is_row(keys: &[&str]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| keys.contains(n));
    keys.contains(&"sent_at")
        && any(&["body", "attachments"])
        && any(&["conversationId", "sourceServiceId", "sourceUuid", "source", "received_at"])
}

pub(super) fn read(
    export: &Export,
    file: usize,
    options: &Options,
    media: &Media,
    out: &mut Out,
) -> Result<(), ImportError> {
    let path = export.files().get(file).map_or("", |f| f.path.as_str());
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut rows = Rows { media, path, stem, now: options.now, chats: BTreeMap::new(), seen: 0, last: None };
    let by_lines = jsonl::first(&export.head(file)?, 2).len() > 1;
    if by_lines {
        jsonl::each(export, file, options, out, |line, row, out| rows.row(&row, export.place(file, line), out))?;
    } else {
        lists::each(export, file, options, &SHAPE, out, |got, place, out| match got {
            Got::Field(..) => crate::Flow::Continue(()),
            Got::Record(Err(reason)) => out.failed(reason, place),
            Got::Record(Ok(row)) => rows.row(&row, place, out),
        })?;
    }
    for (thread, participants) in rows.chats.values() {
        if out.stopped() || out.conversation(conversation(thread, participants, rows.stem)).is_break() {
            break;
        }
    }
    Ok(())
}

fn conversation(thread: &Thread, participants: &Participants, title: &str) -> Conversation {
    let people = participants.names();
    let kind = if people.len() > 2 { ConversationKind::Group } else { ConversationKind::Direct };
    Conversation { participants: people, ..thread.conversation(kind, title) }
}

struct Rows<'a> {
    media: &'a Media<'a>,
    path: &'a str,
    /// Name of the file, which sigtop takes from the chat.
    stem: &'a str,
    now: i64,
    chats: BTreeMap<String, (Thread, Participants)>,
    seen: u64,
    last: Option<i64>,
}

impl Rows<'_> {
    fn row(&mut self, row: &Value, place: Place, out: &mut Out) -> crate::Flow {
        if !row.is_object() || row.get("sent_at").is_none() && row.get("body").is_none() {
            return out.failed("this is not a message", place);
        }
        self.seen += 1;
        let attachments = self.attachments(row);
        let (part, text) = said(row);
        if text.is_empty() && attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        let sender = sender(row);
        let key = first_text(row, &["conversationId"]);
        let key = if key.is_empty() { "unknown chat" } else { key };
        let begun = self.chats.contains_key(key);
        let (thread, participants) = self.chats.entry(key.to_owned()).or_insert_with(|| {
            (Thread::new(FORMAT.key, Kind::Chat, format!("desktop {key}")), Participants::default())
        });
        if part != Part::Service {
            participants.meet(&sender.name);
        }
        if !begun {
            out.conversation(conversation(thread, participants, self.stem))?;
        }
        let sent = row.get("sent_at").or_else(|| row.get("timestamp"));
        let exact = number(sent).and_then(time::from_number);
        let time = exact.or(self.last).unwrap_or(self.now);
        self.last = Some(time);
        let written = id(sent).unwrap_or_default();
        let native = id(row.get("id")).unwrap_or_else(|| format!("{} {written}", sender.key));
        out.message(Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            time,
            time_original: written,
            zone_known: exact.is_some(),
            edited: number(row.get("editMessageTimestamp")).and_then(time::from_number),
            text,
            attachments,
            reactions: reactions(row),
            order: self.seen - 1,
            ..thread.message(thread.message_id(&native), sender, place)
        })
    }

    fn attachments(&self, row: &Value) -> Vec<Attachment> {
        let one = |file: &Value| {
            let (name, kind) = (text(file, "fileName"), text(file, "contentType"));
            let name =
                if name.is_empty() { kind.split('/').next().filter(|k| !k.is_empty()).unwrap_or("file") } else { name };
            let path = self.media.find(text(file, "path"), self.path).filter(|_| !text(file, "path").is_empty());
            media::attachment(name, Some(kind), path.map(str::to_owned), media::NOT_HERE)
        };
        array(row, "attachments").iter().filter(|a| text(a, "contentType") != "text/x-signal-plain").map(one).collect()
    }
}

fn said(row: &Value) -> (Part, String) {
    let body = text(row, "body").trim().to_owned();
    if flag(row, "deletedForEveryone") {
        return (Part::Deleted, "This message was deleted.".to_owned());
    }
    match text(row, "type") {
        "incoming" | "outgoing" | "story" | "" => (Part::Text, body),
        "call-history" => (Part::Call, if body.is_empty() { "Call".to_owned() } else { body }),
        kind => (Part::Service, if body.is_empty() { kind.replace('-', " ") } else { body }),
    }
}

fn sender(row: &Value) -> Sender {
    if text(row, "type") == "outgoing" {
        return Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true };
    }
    let ids = ["sourceServiceId", "sourceUuid", "source", "sourceE164"];
    match (first_text(row, &ids), first_text(row, &["sourceName", "source"])) {
        ("", _) => Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false },
        (key, "") => Sender { key: key.to_owned(), name: key.to_owned(), me: false },
        (key, name) => Sender { key: key.to_owned(), name: name.to_owned(), me: false },
    }
}

fn reactions(row: &Value) -> Vec<Reaction> {
    counted(array(row, "reactions").iter().filter(|r| !flag(r, "remove")).map(|r| text(r, "emoji")))
}
