//! Reddit's data request (formats.md §32): posts, comments, private messages and chats of one account, as CSV.

use crate::{
    Flow, Format, ImportError, Options,
    export::Export,
    out::Out,
    record::Thread,
    table::{self, Row},
    talks::Talks,
    time,
    xml::unescape,
};
use evoke_message::{ConversationKind, Kind, Message, Part, Place, Sender};
use std::collections::HashMap;

const SOURCE: &str = "reddit";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Reddit",
    kind: Kind::Web,
    how_to_export: "On reddit.com/settings/data-request, ask for your data. The link comes as a message within some days; choose the zip.",
    detect,
    read,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    /// `statistic,value`: has the account's name.
    Statistics,
    Posts,
    Comments,
    Messages,
    Chats,
    /// Addresses only.
    Saved,
}

const TABLES: [(Table, &[&str]); 6] = [
    (Table::Chats, &["message_id", "created_at", "username", "message", "channel_url"]),
    (Table::Messages, &["id", "permalink", "date", "from", "to", "subject", "body"]),
    (Table::Comments, &["id", "permalink", "date", "subreddit", "link", "body"]),
    (Table::Posts, &["id", "permalink", "date", "subreddit", "title", "body"]),
    (Table::Statistics, &["statistic", "value"]),
    (Table::Saved, &["id", "permalink"]),
];

fn of_head(head: &[String]) -> Option<Table> {
    let table = TABLES.iter().find(|(_, names)| table::has(head, names)).map(|(t, _)| *t)?;
    // Votes have the same columns and one more.
    (table != Table::Saved || head.len() == 2).then_some(table)
}

fn table_of(export: &Export, i: usize) -> Option<Table> {
    let table = table::first(&export.head(i).ok()?).first().and_then(|row| of_head(row))?;
    let saved = export.files().get(i).is_some_and(|e| e.file_name().starts_with("saved_"));
    (table != Table::Saved || saved).then_some(table)
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = table::files(export, |head| of_head(head).is_some());
    files.retain(|&i| table_of(export, i).is_some());
    let own = |i: &usize| table_of(export, *i).is_some_and(|t| !matches!(t, Table::Statistics | Table::Saved));
    files.iter().any(own).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut tables: Vec<(Table, usize)> = files.iter().filter_map(|&i| Some((table_of(export, i)?, i))).collect();
    tables.sort_by_key(|(table, _)| *table != Table::Statistics);
    let mut reading = Reading { owner: None, titles: HashMap::new(), talks: Talks::default() };
    for (table, file) in tables {
        let mut rows = 0u64;
        table::each(
            export,
            file,
            options,
            out,
            |head| of_head(head) == Some(table),
            |row, out| {
                rows += 1;
                reading.row(table, row, export.place(file, row.line), out)
            },
        )?;
        if out.stopped() {
            return Ok(());
        }
        if table == Table::Statistics && rows > 0 {
            let _ = out.skipped("numbers about the account: only its name was taken", export.place(file, 0));
        }
    }
    let owner = reading.owner.clone().unwrap_or_default();
    let titles = reading.titles;
    reading.talks.finish(out, |talk| {
        let others: Vec<&str> = talk.participants.iter().map(String::as_str).filter(|n| *n != owner).collect();
        (titles.contains_key(&talk.key) && !others.is_empty()).then(|| others.join(", "))
    });
    Ok(())
}

struct Reading {
    owner: Option<String>,
    /// Keys of chats that are called like those who take part.
    titles: HashMap<String, ()>,
    talks: Talks,
}

/// With the sort of thing before it, as in addresses: `t1_` a comment, `t3_` a post, `t4_` a message.
fn full(sort: &str, id: &str) -> String {
    if id.starts_with(sort) { id.to_owned() } else { format!("{sort}{id}") }
}

fn utc(text: &str) -> Option<i64> {
    let bare = text.trim_end_matches("UTC").trim();
    if let Ok(number) = bare.parse::<f64>() {
        return time::from_number(number);
    }
    bare.starts_with(|c: char| c.is_ascii_digit()).then(|| time::iso(bare)).flatten()
}

impl Reading {
    fn row(&mut self, table: Table, row: &Row, place: Place, out: &mut Out) -> Flow {
        let written = row.any(&["date", "created_at"]);
        let time = match table {
            Table::Statistics => {
                if row.get("statistic") == "account name" {
                    self.owner = Some(row.get("value").to_owned()).filter(|n| !n.is_empty());
                }
                return Flow::Continue(());
            }
            Table::Saved => return out.skipped("saved: the export has only its address, no text", place),
            _ => match utc(written) {
                Some(time) => time,
                None => return out.failed(format!("its date {written:?} cannot be read"), place),
            },
        };
        let (text, part) = words(row);
        let found = Found { time, written, text, part, place };
        match table {
            Table::Posts => self.post(row, found, out),
            Table::Comments => self.comment(row, found, out),
            Table::Messages => self.letter(row, found, out),
            _ => self.chat(row, found, out),
        }
    }

    fn me(&self) -> Sender {
        let name = self.owner.clone().unwrap_or_else(|| "Me".to_owned());
        Sender { key: self.owner.clone().unwrap_or_else(|| "me".to_owned()), name, me: true }
    }

    fn other(&self, name: &str) -> Sender {
        Sender { key: name.to_owned(), name: name.to_owned(), me: self.owner.as_deref() == Some(name) }
    }

    fn subreddit(&mut self, row: &Row, native: &str, reply_to: Option<String>, found: Found, out: &mut Out) -> Flow {
        let thread = Thread::new(SOURCE, Kind::Web, format!("r/{}", row.get("subreddit").to_lowercase()));
        let title = format!("r/{}", row.get("subreddit"));
        let sender = self.me();
        let name = sender.name.clone();
        let reply_to = reply_to.map(|id| thread.message_id(&id));
        let message = Message { reply_to, ..found.message(&thread, native, sender) };
        self.talks.message(&thread, ConversationKind::Channel, &title, &[&name], message, out)
    }

    fn post(&mut self, row: &Row, mut found: Found, out: &mut Out) -> Flow {
        let link = row.get("url");
        let own = row.get("permalink");
        let parts = [format!("**{}**", unescape(row.get("title"))), found.text, link.to_owned()];
        // A post of text has its own address as its link.
        let shown =
            |p: &String| !p.is_empty() && p != "****" && (p != link || !(own.ends_with(link) || link.ends_with(own)));
        found.text = parts.into_iter().filter(shown).collect::<Vec<_>>().join("\n\n");
        let native = full("t3_", row.get("id"));
        self.subreddit(row, &native, None, found, out)
    }

    fn comment(&mut self, row: &Row, found: Found, out: &mut Out) -> Flow {
        if found.text.is_empty() {
            return out.skipped("a comment without text", found.place);
        }
        let post = row.get("link").split("/comments/").nth(1).and_then(|rest| rest.split('/').next());
        let parent = match row.get("parent") {
            "" => post.filter(|id| !id.is_empty()).map(|id| full("t3_", id)),
            parent if parent.starts_with("t3_") => Some(parent.to_owned()),
            parent => Some(full("t1_", parent.trim_end_matches('/').rsplit('/').next().unwrap_or(parent))),
        };
        let native = full("t1_", row.get("id"));
        self.subreddit(row, &native, parent, found, out)
    }

    fn letter(&mut self, row: &Row, mut found: Found, out: &mut Out) -> Flow {
        let (from, to, subject) = (row.get("from"), row.get("to"), unescape(row.get("subject")));
        let thread = Thread::new(SOURCE, Kind::Chat, format!("message {}", row.any(&["thread_id", "id"])));
        let answers = subject.to_lowercase().starts_with("re:");
        if !subject.is_empty() && (found.text.is_empty() || !answers) {
            found.text = [format!("**{subject}**"), found.text]
                .into_iter()
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .join("\n\n");
        }
        if found.text.is_empty() {
            return out.skipped("a message without text", found.place);
        }
        let title = if subject.is_empty() { format!("{from}, {to}") } else { subject };
        let message = found.message(&thread, &full("t4_", row.get("id")), self.other(from));
        self.talks.message(&thread, ConversationKind::Direct, &title, &[from, to], message, out)
    }

    fn chat(&mut self, row: &Row, found: Found, out: &mut Out) -> Flow {
        if found.text.is_empty() {
            return out.skipped("a message without text", found.place);
        }
        let channel = row.get("channel_url");
        let name = row.any(&["username"]);
        let thread = Thread::new(SOURCE, Kind::Chat, channel);
        let direct = row.get("conversation_type").to_lowercase().contains("direct");
        let kind = if direct { ConversationKind::Direct } else { ConversationKind::Group };
        let title = row.any(&["channel_name", "subreddit", "username"]);
        if row.get("channel_name").is_empty() {
            self.titles.insert(thread.key.clone(), ());
        }
        let edited = utc(row.get("updated_at")).filter(|time| *time > found.time);
        let parent = Some(row.get("thread_parent_message_id")).filter(|p| !p.is_empty() && *p != "0");
        let reply_to = parent.map(|id| thread.message_id(id));
        let message = Message { edited, reply_to, ..found.message(&thread, row.get("message_id"), self.other(name)) };
        self.talks.message(&thread, kind, title, &[name], message, out)
    }
}

/// What every kind of row has.
struct Found<'a> {
    time: i64,
    written: &'a str,
    text: String,
    part: Part,
    place: Place,
}

impl Found<'_> {
    fn message(self, thread: &Thread, native: &str, sender: Sender) -> Message {
        let id = thread.message_id(native);
        Message {
            time: self.time,
            time_original: self.written.to_owned(),
            text: self.text,
            part: self.part,
            order: self.place.at,
            ..thread.message(id, sender, self.place)
        }
    }
}

fn words(row: &Row) -> (String, Part) {
    let body = unescape(row.any(&["body", "message"]));
    match body.as_str() {
        "[deleted]" | "[removed]" => (body, Part::Deleted),
        _ => (body, Part::Text),
    }
}
