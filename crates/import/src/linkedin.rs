//! LinkedIn's data export (formats.md §30): messages, connections, invitations with a note, posts and comments, as CSV.

use crate::{
    Flow, Format, ImportError, Options, date,
    export::Export,
    html,
    out::Out,
    record::{ContentIds, Thread},
    table::{self, Row},
    talks::Talks,
    time,
};
use evoke_message::{Attachment, Contact, ConversationKind, Kind, Message, Place, Sender};
use std::ops::ControlFlow;

const SOURCE: &str = "linkedin";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "LinkedIn",
    kind: Kind::Chat,
    how_to_export: "On linkedin.com: Me, Settings & Privacy, Data privacy, Get a copy of your data. Choose the larger archive, or \
                    Messages and Connections. The link comes by mail; choose the zip.",
    detect,
    read,
};

/// Which of the export's tables a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Messages,
    Connections,
    Invitations,
    Posts,
    Comments,
    Profile,
}

const TABLES: [(Table, &[&str]); 6] = [
    (Table::Messages, &["conversation id", "from", "date", "content"]),
    (Table::Connections, &["first name", "last name", "url", "connected on"]),
    (Table::Invitations, &["from", "to", "sent at", "message", "direction"]),
    (Table::Posts, &["date", "sharelink", "sharecommentary"]),
    (Table::Comments, &["date", "link", "message"]),
    (Table::Profile, &["first name", "last name", "headline", "summary"]),
];

fn is(table: Table, head: &[String]) -> bool {
    TABLES.iter().any(|(t, names)| *t == table && table::has(head, names))
}

fn of_head(head: &[String]) -> Option<Table> {
    TABLES.iter().find(|(_, names)| table::has(head, names)).map(|(t, _)| *t)
}

fn table_of(export: &Export, i: usize) -> Option<Table> {
    table::first(&export.head(i).ok()?).iter().find_map(|row| of_head(row))
}

/// Comments and a profile look like others' tables: they count beside one that is LinkedIn's alone.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let files = table::files(export, |head| of_head(head).is_some());
    let own = |i: &usize| table_of(export, *i).is_some_and(|t| !matches!(t, Table::Comments | Table::Profile));
    files.iter().any(own).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut tables: Vec<(Table, usize)> = files.iter().filter_map(|&i| Some((table_of(export, i)?, i))).collect();
    // What tells the owner's name first.
    tables.sort_by_key(|(table, _)| (*table != Table::Profile, *table != Table::Invitations));
    let mut reading = Reading { options, owner: None, ids: ContentIds::default(), talks: Talks::default() };
    for (table, file) in tables {
        let mut rows = 0u64;
        let head = |head: &[String]| is(table, head);
        table::each(export, file, options, out, head, |row, out| {
            rows += 1;
            reading.row(table, row, export.place(file, row.line), out)
        })?;
        if table == Table::Connections && rows > 0 {
            let _ = out.skipped(
                format!("a list of {rows} connections: kept as people, not as messages"),
                export.place(file, 0),
            );
        }
        if out.stopped() {
            return Ok(());
        }
    }
    let owner = reading.owner.clone();
    reading.talks.finish(out, |talk| {
        let others: Vec<&str> =
            talk.participants.iter().map(String::as_str).filter(|n| owner.as_deref() != Some(n)).collect();
        (talk.title.is_empty() || talk.title.starts_with(UNTITLED)).then(|| others.join(", "))
    });
    Ok(())
}

/// Before the names of all are known.
const UNTITLED: &str = "LinkedIn: ";

struct Reading<'a> {
    options: &'a Options,
    owner: Option<String>,
    ids: ContentIds,
    talks: Talks,
}

impl Reading<'_> {
    fn row(&mut self, table: Table, row: &Row, place: Place, out: &mut Out) -> Flow {
        match table {
            Table::Messages => self.message(row, place, out),
            Table::Connections => connection(row, out),
            Table::Invitations => self.invitation(row, place, out),
            Table::Posts => {
                self.post(row, "Posts on LinkedIn", "sharecommentary", &["sharedurl", "sharelink"], place, out)
            }
            Table::Comments => self.post(row, "Comments on LinkedIn", "message", &["link"], place, out),
            Table::Profile => {
                let name = [row.get("first name"), row.get("last name")].join(" ").trim().to_owned();
                self.owner = self.owner.take().or(Some(name).filter(|n| !n.is_empty()));
                out.skipped("the owner's profile: only the name was taken", place)
            }
        }
    }

    fn sender(&self, name: &str, url: &str) -> Sender {
        let me = self.owner.as_deref() == Some(name);
        let shown = if name.is_empty() { "LinkedIn Member" } else { name };
        Sender { key: profile(url).unwrap_or_else(|| shown.to_owned()), name: shown.to_owned(), me }
    }

    fn message(&mut self, row: &Row, place: Place, out: &mut Out) -> Flow {
        let written = row.get("date");
        let Some(time) = utc(written) else { return out.failed(format!("its date {written:?} cannot be read"), place) };
        if row.get("folder").eq_ignore_ascii_case("spam") {
            return out.skipped("spam", place);
        }
        let attachments = attachments(row.get("attachments"));
        let text = text(row);
        if text.is_empty() && attachments.is_empty() {
            return out.skipped("a message without text", place);
        }
        let sender = self.sender(row.get("from"), row.get("sender profile url"));
        let to: Vec<&str> = row.get("to").split(',').map(str::trim).filter(|n| !n.is_empty()).collect();
        let urls = row.get("recipient profile urls").split([',', ';', ' ']).filter(|u| !u.is_empty()).count();
        let key = match row.get("conversation id") {
            "" => format!("{} and {}", row.get("from"), row.get("to")),
            id => id.to_owned(),
        };
        let thread = Thread::new(SOURCE, Kind::Chat, key);
        let content = row.get("content");
        let id = self.ids.next(&thread, &[written, &sender.key, content]);
        let title = match row.get("conversation title") {
            "" => format!("{UNTITLED}{}", row.get("from")),
            title => title.to_owned(),
        };
        let kind =
            if urls.max(usize::from(!to.is_empty())) > 1 { ConversationKind::Group } else { ConversationKind::Direct };
        let names: Vec<&str> = match kind {
            // A name can have a comma: “Bo, PhD”.
            ConversationKind::Direct => vec![row.get("from"), row.get("to")],
            _ => std::iter::once(row.get("from")).chain(to).collect(),
        };
        let message = Message {
            time,
            time_original: written.to_owned(),
            text,
            attachments,
            // Newest first in the file.
            order: newest_first(row.line),
            ..thread.message(id, sender, place)
        };
        self.talks.message(&thread, kind, &title, &names, message, out)
    }

    fn invitation(&mut self, row: &Row, place: Place, out: &mut Out) -> Flow {
        let (from, to, text) = (row.get("from"), row.get("to"), row.get("message"));
        let outgoing = row.get("direction").eq_ignore_ascii_case("outgoing");
        let owner = if outgoing { from } else { to };
        if self.owner.is_none() && !owner.is_empty() && !row.get("direction").is_empty() {
            self.owner = Some(owner.to_owned());
        }
        if text.is_empty() {
            return out.skipped("an invitation without words", place);
        }
        let written = row.get("sent at");
        let when =
            utc(written).map(|time| (time, true)).or_else(|| american(written, self.options).map(|time| (time, false)));
        let Some((time, zone_known)) = when else {
            return out.failed(format!("its date {written:?} cannot be read"), place);
        };
        let (other, url) = match outgoing {
            true => (to, row.get("inviteeprofileurl")),
            false => (from, row.get("inviterprofileurl")),
        };
        let thread =
            Thread::new(SOURCE, Kind::Chat, format!("invitation {}", profile(url).unwrap_or_else(|| other.to_owned())));
        let sender = Sender { me: outgoing, ..self.sender(from, row.get("inviterprofileurl")) };
        let id = self.ids.next(&thread, &[written, &sender.key, text]);
        let message = Message {
            time,
            zone_known,
            time_original: written.to_owned(),
            text: text.to_owned(),
            order: newest_first(row.line),
            ..thread.message(id, sender, place)
        };
        self.talks.message(
            &thread,
            ConversationKind::Direct,
            &format!("Invitation: {other}"),
            &[from, to],
            message,
            out,
        )
    }

    fn post(&mut self, row: &Row, title: &str, column: &str, links: &[&str], place: Place, out: &mut Out) -> Flow {
        let (words, link) = (unquoted(row.get(column)), row.any(links));
        let text = [words.as_str(), link].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n\n");
        let written = row.get("date");
        let Some(time) = utc(written) else { return out.failed(format!("its date {written:?} cannot be read"), place) };
        if words.is_empty() {
            return out.skipped("a share without words of the owner's", place);
        }
        let thread = Thread::new(SOURCE, Kind::Web, title.to_lowercase());
        let name = self.owner.clone().unwrap_or_else(|| "Me".to_owned());
        let sender = Sender { key: "me".to_owned(), name: name.clone(), me: true };
        let id = self.ids.next(&thread, &[written, &words]);
        let message = Message {
            time,
            time_original: written.to_owned(),
            text,
            order: newest_first(row.line),
            ..thread.message(id, sender, place)
        };
        self.talks.message(&thread, ConversationKind::Channel, title, &[&name], message, out)
    }
}

fn newest_first(line: u64) -> u64 {
    (1 << 40) - line.min(1 << 40)
}

fn connection(row: &Row, out: &mut Out) -> Flow {
    let name = [row.get("first name"), row.get("last name")].join(" ").trim().to_owned();
    let address = row.get("email address").to_lowercase();
    if name.is_empty() && address.is_empty() {
        return ControlFlow::Continue(());
    }
    out.contact(Contact {
        source: SOURCE.to_owned(),
        key: profile(row.get("url")).unwrap_or_else(|| name.clone()),
        name,
        addresses: Some(address).filter(|a| a.contains('@')).into_iter().collect(),
        handles: row
            .get("url")
            .trim_end_matches('/')
            .rsplit_once("/in/")
            .map(|(_, handle)| handle.to_owned())
            .into_iter()
            .collect(),
        ..Contact::default()
    })
}

/// Address of a profile without what changes: `linkedin.com/in/ana`.
fn profile(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next()?.trim().trim_end_matches('/').to_lowercase();
    let bare = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).trim_start_matches("www.");
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// The subject, where it says more than the text, then the text; HTML as Markdown.
fn text(row: &Row) -> String {
    let content = row.get("content");
    let is_html = ["</", "<br", "<p>", "<p "].iter().any(|tag| content.contains(tag));
    let content = if is_html { html::markdown(content) } else { crate::xml::unescape(content) };
    let draft = ["is message draft", "is conversation draft"]
        .iter()
        .any(|c| matches!(row.get(c).to_lowercase().as_str(), "yes" | "true"));
    let subject = row.get("subject");
    let answers = subject.get(..3).is_some_and(|s| s.eq_ignore_ascii_case("re:"));
    let subject = (!subject.is_empty() && (!answers || content.is_empty())).then(|| format!("**{subject}**"));
    let draft = draft.then(|| "*Draft, not sent.*".to_owned());
    subject.into_iter().chain(draft).chain([content]).filter(|t| !t.trim().is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Links to files, which expire.
fn attachments(field: &str) -> Vec<Attachment> {
    let links = field.split([' ', ',', '\n']).filter(|l| !l.is_empty());
    let name = |link: &str| link.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or("file").to_owned();
    links
        .map(|link| Attachment {
            mime: crate::mime::of_name(&name(link)),
            name: name(link),
            path: None,
            missing: Some("not in this export".to_owned()),
        })
        .collect()
}

/// Posts are quoted line by line: `first line"` + `"second`.
fn unquoted(text: &str) -> String {
    text.split('\n').map(|line| line.trim().trim_matches('"')).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// `2024-03-15 09:30:00 UTC`.
fn utc(text: &str) -> Option<i64> {
    let bare = text.trim_end_matches("UTC").trim_end_matches('Z').trim();
    bare.starts_with(|c: char| c.is_ascii_digit()).then(|| time::iso(bare)).flatten()
}

/// `3/15/24, 9:30 AM`, of a clock.
fn american(text: &str, options: &Options) -> Option<i64> {
    let (day, clock) = text.split_once([',', ' '])?;
    let mut numbers = day.split('/');
    let (month, day, year) = (numbers.next()?.parse::<usize>().ok()?, numbers.next()?, numbers.next()?);
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = names.get(month.checked_sub(1)?)?;
    date::parse(&format!("{day} {month} {year} {clock}"), &options.zone).map(|when| when.time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_forms() {
        assert_eq!(profile("https://www.linkedin.com/in/Ana/?x=1").as_deref(), Some("linkedin.com/in/ana"));
        assert_eq!(profile(""), None);
        assert_eq!(utc("2024-03-15 09:30:00 UTC"), Some(1_710_495_000_000));
        assert_eq!(utc("soon"), None);
        let options =
            Options { zone: jiff::tz::TimeZone::UTC, now: 0, day_first: None, limits: crate::Limits::default() };
        assert_eq!(american("3/15/24, 9:30 AM", &options), Some(1_710_495_000_000));
    }
}
