//! One row of `message` as a message of ours.

use super::{
    FORMAT,
    blob::{self, Changes},
    people::{People, target},
};
use crate::{
    Options,
    export::Export,
    mime,
    record::Thread,
    sqlite::{self, Database, number, text},
    time,
};
use evoke_message::{Attachment, ConversationKind, Kind, Message, MessageId, Part, Place, Role, Sender};
use rusqlite::types::ValueRef;
use std::{borrow::Cow, collections::HashMap};

/// 2001-01-01, in seconds since 1970.
const APPLE: i64 = 978_307_200;
/// What is larger counts nanoseconds, what is smaller seconds.
const NANOSECONDS: i64 = 100_000_000_000;
/// Stands in a text where an attachment or a balloon stands.
const IN_TEXT: [char; 2] = ['\u{fffc}', '\u{fffd}'];

/// Columns that are read where the version of the database has them, in this order after the row's number.
pub(super) const COLUMNS: [&str; 24] = [
    "guid",
    "text",
    "attributedBody",
    "date",
    "date_edited",
    "date_retracted",
    "is_from_me",
    "handle_id",
    "other_handle",
    "subject",
    "item_type",
    "group_action_type",
    "group_title",
    "associated_message_guid",
    "associated_message_type",
    "thread_originator_guid",
    "balloon_bundle_id",
    "cache_has_attachments",
    "message_summary_info",
    "payload_data",
    "cache_roomnames",
    "is_audio_message",
    "share_status",
    "share_direction",
];

/// What a row holds, whatever the types of its cells.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) id: i64,
    guid: String,
    text: String,
    attributed: Vec<u8>,
    date: Option<i64>,
    edited: Option<i64>,
    retracted: Option<i64>,
    from_me: bool,
    handle: Option<i64>,
    other: Option<i64>,
    subject: String,
    item: i64,
    action: i64,
    title: String,
    on: String,
    on_kind: i64,
    answers: String,
    balloon: String,
    attachments: Option<i64>,
    summary: Vec<u8>,
    payload: Vec<u8>,
    room: String,
    audio: bool,
    share_stopped: bool,
}

impl Row {
    pub(super) fn of(row: &rusqlite::Row) -> rusqlite::Result<Self> {
        let column = |name: &str| -> rusqlite::Result<ValueRef> {
            let at = COLUMNS.iter().position(|c| *c == name).map_or(0, |i| i + 1);
            row.get_ref(at)
        };
        let words = |name| column(name).map(|v| text(v).unwrap_or_default());
        let n = |name| column(name).map(number);
        let bytes = |name| {
            column(name).map(|v| match v {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes.to_vec(),
                _ => Vec::new(),
            })
        };
        Ok(Self {
            id: row.get(0)?,
            guid: words("guid")?,
            text: words("text")?,
            attributed: bytes("attributedBody")?,
            date: n("date")?,
            edited: n("date_edited")?,
            retracted: n("date_retracted")?,
            from_me: n("is_from_me")? == Some(1),
            handle: n("handle_id")?,
            other: n("other_handle")?,
            subject: words("subject")?,
            item: n("item_type")?.unwrap_or(0),
            action: n("group_action_type")?.unwrap_or(0),
            title: words("group_title")?,
            on: words("associated_message_guid")?,
            on_kind: n("associated_message_type")?.unwrap_or(0),
            answers: words("thread_originator_guid")?,
            balloon: words("balloon_bundle_id")?,
            attachments: n("cache_has_attachments")?,
            summary: bytes("message_summary_info")?,
            payload: bytes("payload_data")?,
            room: words("cache_roomnames")?,
            audio: n("is_audio_message")? == Some(1),
            share_stopped: n("share_status")? == Some(1),
        })
    }
}

/// Files of the export by their path behind `Attachments/`.
pub(super) struct Files<'a>(HashMap<&'a str, &'a str>);

impl<'a> Files<'a> {
    pub(super) fn of(export: &'a Export) -> Self {
        let paths = export.files().iter().map(|e| e.path.as_str());
        Self(paths.filter_map(|path| Some((behind(path)?, path))).collect())
    }
}

/// What of a path stands behind its last folder `Attachments`.
fn behind(path: &str) -> Option<&str> {
    let at = path.rfind("Attachments/")?;
    path.get(at + "Attachments/".len()..)
}

/// What became of a row.
pub(super) enum Made {
    Message(Thread, Box<Message>),
    Skipped(&'static str),
    Failed(Cow<'static, str>),
}

pub(super) struct Reader<'a> {
    people: &'a People,
    files: Files<'a>,
    options: &'a Options,
    /// The time of the row before.
    last: Option<i64>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(people: &'a People, files: Files<'a>, options: &'a Options) -> Self {
        Self { people, files, options, last: None }
    }

    /// Kind and title of a conversation.
    pub(super) fn about(&self, thread: &Thread) -> (ConversationKind, String) {
        match self.people.chat(&thread.key) {
            Some(chat) => (chat.kind(), chat.title()),
            None if thread.key.starts_with("chat") => (ConversationKind::Group, thread.key.clone()),
            None => (ConversationKind::Direct, thread.key.clone()),
        }
    }

    pub(super) fn made(&mut self, row: &Row, database: &Database, place: Place) -> Made {
        if row.guid.is_empty() {
            return Made::Failed("it has no id".into());
        }
        if (2000..4000).contains(&row.on_kind) {
            return Made::Skipped("tapback: it is shown at the message that it is on");
        }
        if self.people.is_deleted(row.id) {
            return Made::Skipped("deleted on the phone, and kept there only for some weeks");
        }
        let changes = if row.summary.is_empty() { Changes::default() } else { blob::changes(&row.summary) };
        let attachments = self.attachments(row, database);
        let (part, text) = match self.said(row, &changes, attachments.is_empty()) {
            Ok(said) => said,
            Err(made) => return made,
        };
        let key = self.key(row);
        let sender = self.sender(row, &key);
        let thread = Thread::new(FORMAT.key, Kind::Chat, key);
        let (time, original) = self.time(row);
        let answers = [row.answers.as_str(), target(&row.on)].into_iter().find(|guid| !guid.is_empty());
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            text,
            time,
            time_original: original,
            edited: row.edited.and_then(apple_time).filter(|_| part == Part::Text),
            reply_to: answers.map(id),
            attachments,
            reactions: self.people.reactions(&row.guid),
            ..thread.message(id(&row.guid), sender, place)
        };
        Made::Message(thread, Box::new(message))
    }

    /// What the row says; or why it says nothing.
    fn said(&self, row: &Row, changes: &Changes, bare: bool) -> Result<(Part, String), Made> {
        if row.item != 0 {
            let who = if row.from_me { "You" } else { self.people.handle(row.handle).unwrap_or("Somebody") };
            return Ok((Part::Service, service(row, who, self.people.handle(row.other))));
        }
        let decoded = blob::attributed_text(&row.attributed);
        let undecoded = decoded.is_none() && !row.attributed.is_empty();
        let written = [Some(row.text.clone()), decoded, changes.newest.clone()].into_iter().flatten();
        let mut written = written.map(|text| text.replace(IN_TEXT, "").trim().to_owned());
        let mut text = written.find(|text| !text.is_empty()).unwrap_or_default();
        if text.is_empty() && (row.retracted.is_some_and(|d| d > 0) || changes.unsent) {
            return Ok((Part::Deleted, "This message was unsent.".to_owned()));
        }
        if !row.balloon.is_empty() && text.is_empty() {
            text = balloon(row);
        }
        if !row.subject.trim().is_empty() {
            text = format!("**{}**\n{text}", row.subject.trim()).trim_end().to_owned();
        }
        match (text.is_empty() && bare, undecoded) {
            (true, true) => Err(Made::Failed("its text cannot be decoded".into())),
            (true, false) if row.attachments == Some(1) => Ok((Part::Text, "An attachment that is gone.".to_owned())),
            (true, false) => Err(Made::Skipped("message without text")),
            (false, _) => Ok((Part::Text, text)),
        }
    }

    /// The chat, or where none is known the room or the person.
    fn key(&self, row: &Row) -> String {
        let chat = self.people.chat_of(row.id).map(|chat| chat.key.as_str());
        let room = Some(row.room.as_str()).filter(|room| !room.is_empty());
        let who = self.people.handle(row.handle).or_else(|| self.people.handle(row.other));
        chat.or(room).or(who).unwrap_or("unknown").to_owned()
    }

    fn sender(&self, row: &Row, chat: &str) -> Sender {
        if row.from_me {
            return Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true };
        }
        let group = chat.starts_with("chat");
        let handle = self.people.handle(row.handle).unwrap_or(if group { "unknown" } else { chat });
        Sender { key: handle.to_owned(), name: handle.to_owned(), me: false }
    }

    /// A row without a time has that of the row before it.
    fn time(&mut self, row: &Row) -> (i64, String) {
        let time = row.date.and_then(apple_time).or(self.last).unwrap_or(self.options.now);
        self.last = Some(time);
        (time, row.date.map(|d| d.to_string()).unwrap_or_default())
    }

    fn attachments(&self, row: &Row, database: &Database) -> Vec<Attachment> {
        if row.attachments == Some(0) && !row.text.contains('\u{fffc}') {
            return Vec::new();
        }
        let found = attached(database, row.id).unwrap_or_default();
        found.into_iter().map(|a| self.attachment(row, a)).collect()
    }

    fn attachment(&self, row: &Row, a: Attached) -> Attachment {
        let own = a.filename.rsplit('/').next().unwrap_or_default();
        let named = [a.name.as_str(), own].into_iter().find(|name| !name.is_empty());
        let name = named.unwrap_or(if row.audio { "voice message" } else { "file" }).to_owned();
        let path = behind(&a.filename).and_then(|path| self.files.0.get(path)).map(|path| (*path).to_owned());
        Attachment {
            mime: Some(a.mime).filter(|m| !m.is_empty()).or_else(|| mime::of_name(&name)),
            missing: path.is_none().then(|| "not in this export".to_owned()),
            name: if a.sticker { format!("sticker {name}") } else { name },
            path,
        }
    }
}

struct Attached {
    filename: String,
    name: String,
    mime: String,
    sticker: bool,
}

fn attached(database: &Database, message: i64) -> rusqlite::Result<Vec<Attached>> {
    if !sqlite::has_tables(database, &["attachment", "message_attachment_join"]) {
        return Ok(Vec::new());
    }
    let present = sqlite::columns(database, "attachment");
    let wanted = ["filename", "transfer_name", "mime_type", "is_sticker"];
    let wanted = wanted.map(|c| if present.iter().any(|p| p == c) { format!("a.{c}") } else { "NULL".to_owned() });
    let mut statement = database.prepare(&format!(
        "SELECT DISTINCT a.ROWID, {} FROM message_attachment_join j JOIN attachment a ON a.ROWID = j.attachment_id \
         WHERE j.message_id = ?1 ORDER BY a.ROWID",
        wanted.join(", ")
    ))?;
    let mut rows = statement.query([message])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let words = |i| row.get_ref(i).map(|v| text(v).unwrap_or_default());
        let sticker = number(row.get_ref(4)?) == Some(1);
        all.push(Attached { filename: words(1)?, name: words(2)?, mime: words(3)?, sticker });
    }
    Ok(all)
}

/// A guid is the same in every chat that the message lies in, and on every device of its owner.
fn id(guid: &str) -> MessageId {
    MessageId::of(&[FORMAT.key, guid])
}

/// UTC milliseconds of nanoseconds or seconds since 2001.
fn apple_time(n: i64) -> Option<i64> {
    if n <= 0 {
        return None;
    }
    let ms = if n > NANOSECONDS { n / 1_000_000 } else { n.checked_mul(1_000)? };
    time::from_number(ms.checked_add(APPLE * 1_000)? as f64)
}

/// What the phone itself says in a group.
fn service(row: &Row, who: &str, other: Option<&str>) -> String {
    let other = other.unwrap_or("somebody");
    match (row.item, row.action) {
        (1, 1) => format!("{who} removed {other} from the group"),
        (1, _) => format!("{who} added {other} to the group"),
        (2, _) if row.title.is_empty() => format!("{who} removed the name of the group"),
        (2, _) => format!("{who} named the group “{}”", row.title),
        (3, 1) => format!("{who} changed the picture of the group"),
        (3, 2) => format!("{who} removed the picture of the group"),
        (3, 3) => format!("{who} changed the background of the chat"),
        (3, _) => format!("{who} left the group"),
        (4, _) if row.share_stopped => format!("{who} stopped sharing their location"),
        (4, _) => format!("{who} started sharing their location"),
        (5, _) => format!("{who} kept an audio message"),
        (6, _) => format!("{who} started a FaceTime call"),
        _ => format!("{who} changed the chat"),
    }
}

/// What a balloon of an app says, or which app it is of.
fn balloon(row: &Row) -> String {
    let app = row.balloon.rsplit([':', '.']).next().unwrap_or_default();
    blob::balloon(&row.payload).unwrap_or_else(|| format!("A message of the app {app}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_nanoseconds_since_2001() {
        assert_eq!(apple_time(720_845_450_393_148_160), Some(1_699_152_650_393));
        assert_eq!(apple_time(365_000_000), Some(1_343_307_200_000));
        for none in [0, -1, i64::MAX] {
            assert_eq!(apple_time(none), None, "{none}");
        }
    }
}
