//! Bookmarks (formats.md §33), as an extra: the HTML that every browser exports, Chrome's `Bookmarks`, Firefox's backups
//! and its database. The same bookmark from two of them is one.

use crate::{
    Flow, Format, ImportError, Options,
    browser::link,
    export::Export,
    html,
    json::{self, hunt, keys},
    out::Out,
    record::Thread,
    text,
};
use evoke_message::{ConversationKind, Kind, Message, Place, Sender};
use rusqlite::Connection;
use serde_json::Value;
use std::io::Read;

const SOURCE: &str = "bookmarks";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Bookmarks (extra)",
    kind: Kind::Web,
    how_to_export: "In the browser's bookmark manager, export bookmarks as HTML. Or the file Bookmarks of a Chrome profile.",
    detect,
    read,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Html,
    Chrome,
    Firefox,
}

fn form(export: &Export, i: usize) -> Option<Form> {
    let path = export.files().get(i)?.path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let may = export.files().len() == 1
        || [".html", ".htm", ".json"].iter().any(|end| name.ends_with(end))
        || name.starts_with("bookmarks");
    let head = may.then(|| export.head(i).ok()).flatten()?;
    let start = head.get(..400.min(head.len())).unwrap_or_default();
    if start.windows(23).any(|w| w.eq_ignore_ascii_case(b"NETSCAPE-Bookmark-file-")) {
        return Some(Form::Html);
    }
    let top = keys(head.trim_ascii_start());
    let chrome = |keys: &[&str]| keys.contains(&"date_added") && (keys.contains(&"url") || keys.contains(&"children"));
    if (top.contains(&"roots") || top.contains(&"checksum")) && hunt(&head, chrome) {
        return Some(Form::Chrome);
    }
    let firefox = top.contains(&"guid")
        && top.contains(&"typeCode")
        && hunt(&head, |keys| keys.contains(&"children") && keys.contains(&"root"));
    firefox.then_some(Form::Firefox)
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files: Vec<usize> = export.unclaimed().map(|(i, _)| i).filter(|&i| form(export, i).is_some()).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut kept = Kept::default();
    for &file in files {
        let mut bytes = Vec::new();
        let input = text::whole_utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
        let most = options.limits.record as u64;
        let trouble = input.take(most).read_to_end(&mut bytes).err();
        let (whole, _) = text::decode(&bytes);
        let mut found = Vec::new();
        match form(export, file) {
            Some(Form::Html) => of_html(&whole, &mut found),
            _ => match json::parse::<Value>(whole.as_bytes()) {
                Ok((value, _)) => of_json(&value, &mut Vec::new(), &mut found, 0),
                Err(e) => {
                    let _ = out.failed(format!("its JSON cannot be read ({e})"), export.place(file, 0));
                }
            },
        }
        if found.is_empty() && !out.stopped() {
            let _ = out.skipped("no bookmarks in it", export.place(file, 0));
        }
        let otherwise = export.files().get(file).and_then(|f| f.modified).unwrap_or(options.now);
        for (at, mark) in (1..).zip(found) {
            if kept.put(mark, export.place(file, at), otherwise, out).is_break() {
                return Ok(());
            }
        }
        if bytes.len() as u64 == most {
            let _ = out.failed("the rest of the file is longer than Evoke reads", export.place(file, 0));
        }
        out.file_ended(file, 0, trouble)?;
    }
    Ok(())
}

#[derive(Default)]
struct Mark {
    url: String,
    title: String,
    /// UTC seconds: what all forms have.
    added: Option<i64>,
    written: String,
    folders: Vec<String>,
    /// What the owner wrote to it.
    words: String,
    tags: Vec<String>,
}

#[derive(Default)]
struct Kept {
    begun: bool,
}

impl Kept {
    fn put(&mut self, mark: Mark, place: Place, now: i64, out: &mut Out) -> Flow {
        let lower = mark.url.to_ascii_lowercase();
        if !(lower.starts_with("http://") || lower.starts_with("https://")) {
            return out.skipped("not a web page", place);
        }
        let thread = Thread::new(SOURCE, Kind::Web, "bookmarks");
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(thread.conversation(ConversationKind::Channel, "Bookmarks"))?;
        }
        let id = thread.message_id(&format!("{} at {}", mark.url, mark.added.unwrap_or_default()));
        let tags = mark.tags.iter().map(|t| format!("#{}", t.trim().replace(' ', "-"))).collect::<Vec<_>>().join(" ");
        let parts = [link(&mark.title, &mark.url), mark.words, mark.folders.join(" / "), tags];
        let text = parts.into_iter().filter(|p| !p.trim().is_empty()).collect::<Vec<_>>().join("\n\n");
        let sender = Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true };
        out.message(Message {
            time: mark.added.map_or(now, |s| s * 1_000),
            time_original: mark.written,
            text,
            order: place.at,
            ..thread.message(id, sender, place)
        })
    }
}

/// Seconds that a bookmark can have.
fn sane(seconds: i64) -> Option<i64> {
    (1..7_258_118_400).contains(&seconds).then_some(seconds)
}

/// Netscape's form: `<DT><A …>`, folders by `<H3>` and `<DL>`, nothing closed that must be.
fn of_html(page: &str, found: &mut Vec<Mark>) {
    let (mut folders, mut named): (Vec<String>, Option<String>) = (Vec::new(), None);
    let mut described = false;
    for tag in page.split('<').skip(1) {
        let (inside, after) = tag.split_once('>').unwrap_or((tag, ""));
        let name: String = inside
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '/')
            .collect::<String>()
            .to_ascii_lowercase();
        let words = || html::markdown(after).replace('\n', " ");
        match name.as_str() {
            "a" => {
                let added = attribute(inside, "add_date").and_then(|d| d.parse::<f64>().ok());
                found.push(Mark {
                    url: attribute(inside, "href").unwrap_or_default(),
                    title: words(),
                    // Some programs write milliseconds or more.
                    added: added.and_then(crate::time::from_number).and_then(|ms| sane(ms / 1_000)),
                    written: attribute(inside, "add_date").unwrap_or_default(),
                    folders: folders.clone(),
                    tags: attribute(inside, "tags")
                        .map(|t| t.split(',').filter(|t| !t.trim().is_empty()).map(str::to_owned).collect())
                        .unwrap_or_default(),
                    words: String::new(),
                });
                described = false;
            }
            "h3" => (named, described) = (Some(words()), false),
            "dl" if folders.len() < 100 => folders.extend(named.take()),
            "/dl" => drop(folders.pop()),
            "dd" => described = true,
            _ => {}
        }
        if described
            && name == "dd"
            && let Some(mark) = found.last_mut()
        {
            mark.words = words();
        }
    }
}

/// The value of an attribute, its references resolved.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower.get(from..)?.find(name).map(|at| at + from) {
        let bare = lower.get(..at)?.ends_with(|c: char| c.is_ascii_whitespace());
        let rest = tag.get(at + name.len()..)?.trim_start();
        if let Some(value) = rest.strip_prefix('=').filter(|_| bare).map(str::trim_start) {
            let value = match value.chars().next() {
                Some(mark @ ('"' | '\'')) => value.get(1..)?.split(mark).next()?,
                _ => value.split_ascii_whitespace().next()?,
            };
            return Some(crate::xml::unescape(value));
        }
        from = at + name.len();
    }
    None
}

/// Chrome's and Firefox's trees.
fn of_json(node: &Value, folders: &mut Vec<String>, found: &mut Vec<Mark>, depth: usize) {
    let text = |name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default();
    if depth > 100 {
        return;
    }
    if let Some(roots) = node.get("roots").and_then(Value::as_object) {
        roots.values().filter(|v| v.is_object()).for_each(|root| of_json(root, folders, found, depth + 1));
        return;
    }
    let title = [text("name"), text("title")].into_iter().find(|t| !t.is_empty()).unwrap_or_default();
    if let Some(children) = node.get("children").and_then(Value::as_array) {
        // The root of all has no name of a person's.
        let named = depth > 0 && !title.is_empty();
        folders.extend(named.then(|| title.to_owned()));
        children.iter().for_each(|child| of_json(child, folders, found, depth + 1));
        if named {
            folders.pop();
        }
        return;
    }
    let url = [text("url"), text("uri")].into_iter().find(|t| !t.is_empty()).unwrap_or_default();
    if url.is_empty() {
        return;
    }
    let chrome = text("date_added").parse::<i64>().ok().map(|usec| usec / 1_000_000 - 11_644_473_600);
    let firefox = node.get("dateAdded").and_then(Value::as_i64).map(|usec| usec / 1_000_000);
    let written = node
        .get("date_added")
        .or_else(|| node.get("dateAdded"))
        .map(|d| d.as_str().map_or_else(|| d.to_string(), str::to_owned));
    found.push(Mark {
        url: url.to_owned(),
        title: title.to_owned(),
        added: chrome.or(firefox).and_then(sane),
        written: written.unwrap_or_default(),
        folders: folders.clone(),
        words: String::new(),
        tags: text("tags").split(',').filter(|t| !t.trim().is_empty()).map(str::to_owned).collect(),
    });
}

/// The bookmarks in Firefox's database.
pub(crate) fn of_firefox(
    connection: &Connection,
    now: i64,
    place: &dyn Fn() -> Place,
    out: &mut Out,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT p.url, b.title, b.dateAdded, f.title FROM moz_bookmarks b JOIN moz_places p ON p.id = b.fk
         LEFT JOIN moz_bookmarks f ON f.id = b.parent WHERE b.type = 1 ORDER BY b.dateAdded, b.id",
    )?;
    let mut rows = statement.query([])?;
    let mut kept = Kept::default();
    while let Some(row) = rows.next()? {
        let text = |i: usize| row.get::<_, Option<String>>(i).ok().flatten().unwrap_or_default();
        let added = row.get::<_, Option<i64>>(2).ok().flatten();
        let mark = Mark {
            url: text(0),
            title: text(1),
            added: added.and_then(|usec| sane(usec / 1_000_000)),
            written: added.map(|usec| usec.to_string()).unwrap_or_default(),
            folders: Some(text(3)).filter(|f| !f.is_empty()).into_iter().collect(),
            ..Mark::default()
        };
        if kept.put(mark, place(), now, out).is_break() {
            break;
        }
    }
    Ok(())
}
