//! Notion's export, HTML or Markdown with CSV (formats.md §16): a page a file, its id in the name or
//! in the page. Zips in zips and several parts are opened by `export.rs`.
//!
//! What a page says is left to `page.rs` (HTML) and `plain.rs` (Markdown), databases to `table.rs`.

mod page;
mod plain;
mod table;

use crate::{
    Format, ImportError, Options,
    export::Export,
    note::{
        self, Note, Stamp, day,
        links::{Files, percent_decoded},
    },
    out::Out,
};
use evoke_message::{Attachment, Kind};
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use table::Tables;

const SOURCE: &str = "notion";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Notion",
    kind: Kind::Note,
    how_to_export: "In Notion: Settings, General, Export all workspace content, as HTML or as Markdown & CSV, with subpages. \
                    Choose the zip; of several parts, the folder they are in.",
    detect,
    read,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Html,
    Markdown,
    Csv,
    /// The list of pages beside them.
    Index,
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let all = export.unclaimed();
    let mut files: Vec<usize> = all.filter(|(i, _)| what(export, *i).is_some()).map(|(i, _)| i).collect();
    let only_index = files.iter().all(|&i| what(export, i) == Some(What::Index));
    files.retain(|_| !only_index);
    (!files.is_empty()).then_some(files)
}

fn what(export: &Export, i: usize) -> Option<What> {
    let path = export.files().get(i)?.path.as_str();
    let has = |words: &[&str]| export.head(i).is_ok_and(|head| words.iter().all(|w| note::contains(&head, w)));
    match note::ending(path).as_str() {
        "html" if has(&["<article id=\"", "class=\"page "]) || has(&["<article id=\"", "class=\"page-title\""]) => {
            Some(What::Html)
        }
        "html" if note::stem(path) == "index" && has(&["Workspace identifier:"]) => Some(What::Index),
        "md" => id_in_name(note::stem(path)).map(|_| What::Markdown),
        "csv" => id_in_name(table::base(note::stem(path))).map(|_| What::Csv),
        _ => None,
    }
}

/// `Title 0123456789abcdef0123456789abcdef`: the title as far as a name holds it, and the id.
fn id_in_name(stem: &str) -> Option<(&str, String)> {
    let (title, id) = stem.split_at_checked(stem.len().checked_sub(32)?)?;
    let is_id = id.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    let title = title.strip_suffix([' ', '-'])?;
    (is_id && id.bytes().any(|b| b.is_ascii_digit()) && !title.is_empty()).then(|| (title, id.to_owned()))
}

/// A page before it is a note.
#[derive(Debug, Default, PartialEq)]
struct Page {
    id: String,
    title: String,
    /// Names and values, in order.
    properties: Vec<Property>,
    text: String,
    /// Links that may lead to files.
    links: Vec<String>,
    /// It is a list of other pages and nothing else.
    only_list: bool,
}

#[derive(Debug, Default, PartialEq)]
struct Property {
    name: String,
    value: String,
    /// What Notion calls it in HTML: `created_time`, `date`; empty in Markdown.
    kind: String,
}

impl Property {
    /// A name that long is none, and must not be said again in each row of a table.
    const LONGEST_NAME: usize = 100;

    fn in_words(&self) -> String {
        if self.name.len() > Self::LONGEST_NAME { self.value.clone() } else { format!("{}: {}", self.name, self.value) }
    }
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let links = Files::of(export);
    let mut pages = Seen::default();
    let mut tables = Vec::new();
    for &i in files {
        let path = export.files().get(i).map_or("", |file| file.path.as_str());
        match what(export, i) {
            Some(What::Csv) => tables.push(i),
            Some(kind @ (What::Html | What::Markdown)) => {
                let whole = note::whole(export, i, options)?;
                let place = export.place(i, 1);
                if whole.too_long {
                    let _ = out.failed("longer than any page", place);
                    continue;
                }
                let (text, lost) = whole.text();
                let page = if kind == What::Html { Page::of_html(&text, path) } else { Page::of_markdown(&text, path) };
                pages.add(path, &page);
                let only_list = page.only_list;
                let note = page.note(&links, export, i, options);
                let _ = match only_list && note.text.is_empty() {
                    true => out.skipped("only a list of pages, which are read by themselves", place),
                    false => note.put(place, out),
                };
                out.file_ended(i, lost, whole.trouble)?;
            }
            _ => {}
        }
        if out.stopped() {
            return Ok(());
        }
    }
    Tables { export, options, pages: &pages }.read(&tables, out)
}

/// Titles of the pages read, by the folder they lie in: rows of databases have pages of their own.
#[derive(Default)]
struct Seen {
    titles: HashMap<String, HashSet<String>>,
}

impl Seen {
    fn add(&mut self, path: &str, page: &Page) {
        let folder = inner_path(note::folder(path)).to_owned();
        self.titles.entry(folder).or_default().insert(flat(&page.title));
    }

    fn has(&self, folder: &str, title: &str) -> bool {
        self.titles.get(folder).is_some_and(|titles| titles.contains(&flat(title)))
    }
}

fn flat(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without the zips it lies in: a page and its files may be in different parts.
fn inner_path(path: &str) -> &str {
    let cut = path.rfind(".zip/").map_or(0, |at| at + 5);
    path.get(cut..).unwrap_or(path)
}

impl Page {
    fn note(self, links: &Files<'_>, export: &Export, i: usize, options: &Options) -> Note {
        let file = export.files().get(i);
        let folder = file.map_or("", |file| note::folder(&file.path));
        let mut attachments: Vec<Attachment> = Vec::new();
        let is_page = |link: &str| id_in_name(table::base(note::stem(&percent_decoded(link)))).is_some();
        for link in self.links.iter().filter(|link| !is_page(link)) {
            let found = links.file(link, folder);
            attachments.extend(found.filter(|new| !attachments.iter().any(|old| old == new)));
        }
        let (created, updated) = (created(&self.properties, &options.zone), edited(&self.properties, &options.zone));
        let titled = || day::dated(&format!("{}.md", self.title), &options.zone).map(Stamp::from);
        let when = created.or_else(titled).or_else(|| updated.clone()).unwrap_or_else(|| Stamp::of_file(file, options));
        let said: Vec<String> = self.properties.iter().map(Property::in_words).collect();
        Note {
            text: note::parts([said.join("\n").as_str(), &self.text]),
            title: self.title,
            updated: updated.map(|stamp| stamp.time),
            attachments,
            ..Note::new(SOURCE, self.id, when)
        }
    }
}

/// When it was made, by what Notion keeps itself; else the first date that it bears.
fn created(properties: &[Property], zone: &TimeZone) -> Option<Stamp> {
    let is = |p: &&Property| {
        p.kind == "created_time"
            || matches!(lower(p).as_str(), "created" | "created time" | "created at" | "date created")
    };
    let dated = |p: &&Property| p.kind == "date" || matches!(lower(p).as_str(), "date" | "day" | "when");
    let find =
        |fits: &dyn Fn(&&Property) -> bool| properties.iter().filter(|p| fits(p)).find_map(|p| stamp(&p.value, zone));
    find(&is).or_else(|| find(&dated))
}

fn edited(properties: &[Property], zone: &TimeZone) -> Option<Stamp> {
    let names = ["last edited time", "last edited", "updated", "updated at", "edited"];
    let is = |p: &&Property| p.kind == "last_edited_time" || names.contains(&lower(p).as_str());
    properties.iter().filter(is).find_map(|p| stamp(&p.value, zone))
}

fn lower(property: &Property) -> String {
    property.name.trim().to_lowercase()
}

/// `@May 1, 2024 3:00 PM (GMT+2) → …`, in the words of the workspace's language: the first of two.
pub(super) fn stamp(value: &str, zone: &TimeZone) -> Option<Stamp> {
    let first = value.split(['→', '\n']).next().unwrap_or(value);
    let bare = first.split(" (").next().unwrap_or(first).trim().trim_start_matches('@');
    day::written(bare, zone).map(|when| Stamp { original: value.trim().to_owned(), ..Stamp::from(when) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_names() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(id_in_name(&format!("A title {id}")), Some(("A title", id.to_owned())));
        assert_eq!(id_in_name(&format!("A-{id}")), Some(("A", id.to_owned())));
        for none in [id, "A title", "é 123", &format!("A{id}"), "Note aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(id_in_name(none), None, "{none}");
        }
    }

    #[test]
    fn dates_as_notion_writes_them() {
        for value in [
            "May 1, 2024 3:00 PM",
            "@May 1, 2024 3:00 PM",
            "May 1, 2024 3:00 PM (GMT+2) → May 2, 2024",
            "2024/05/01 15:00",
            "1. Mai 2024 15:00",
        ] {
            let found = stamp(value, &TimeZone::UTC).map(|s| s.time);
            assert_eq!(found, Some(1_714_575_600_000), "{value}");
        }
        assert_eq!(stamp("soon", &TimeZone::UTC), None);
    }
}
