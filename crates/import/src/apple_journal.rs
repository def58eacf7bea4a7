//! Apple Journal's HTML export (formats.md §17): a page an entry, with a date in words and no time.
//! Its elements are nested wrongly; the HTML parser sets that right.

use crate::{
    Format, ImportError, Options,
    export::Export,
    html,
    note::{self, Note, Stamp, day},
    out::Out,
};
use evoke_message::{Attachment, Kind};
use scraper::{ElementRef, Html, Node, Selector};
use std::collections::HashMap;

const SOURCE: &str = "apple_journal";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Apple Journal",
    kind: Kind::Note,
    how_to_export: "On the iPhone: Settings, Apps, Journal, Export All Entries. Choose the folder AppleJournalEntries, or its zip.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let is = |head: &[u8]| {
        let class = |name: &str| {
            note::contains(head, &format!("class=\"{name}\"")) || note::contains(head, &format!("class='{name}'"))
        };
        class("pageHeader") && (class("pageContainer") || class("bodyText"))
    };
    let pages = export.unclaimed().filter(|(_, f)| matches!(note::ending(&f.path).as_str(), "html" | "htm"));
    let files: Vec<usize> = pages.map(|(i, _)| i).filter(|&i| export.head(i).is_ok_and(|head| is(&head))).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let (mut seen, mut dated) = (HashMap::new(), 0);
    for &i in files {
        let whole = note::whole(export, i, options)?;
        let place = export.place(i, 1);
        if whole.too_long {
            let _ = out.failed("longer than any entry", place);
            continue;
        }
        let (text, lost) = whole.text();
        let page = Page::of(&text, export, i);
        let file = export.files().get(i);
        let day = day::written(&page.date, &options.zone).or_else(|| day::dated(file?.file_name(), &options.zone));
        dated += u64::from(day.is_some());
        let when = day.map(Stamp::from).unwrap_or_else(|| Stamp::of_file(file, options));
        // Neither the text, which is edited, nor the file's name, which follows the title's spelling.
        let key = format!("{} {}", page.date, page.title);
        let count = seen.entry(key.clone()).or_insert(0);
        *count += 1;
        let key = if *count == 1 { key } else { format!("{key} {count}") };
        let note = Note { title: page.title, text: page.text, attachments: page.files, ..Note::new(SOURCE, key, when) };
        let _ = note.put(place, out);
        out.file_ended(i, lost, whole.trouble)?;
        if out.stopped() {
            return Ok(());
        }
    }
    if dated > 0 {
        out.note(format!("Entries stand at 00:00 of their day, because the export has no times of day: {dated}."));
    }
    Ok(())
}

/// An entry as its page says it.
struct Page {
    date: String,
    title: String,
    text: String,
    files: Vec<Attachment>,
}

impl Page {
    fn of(text: &str, export: &Export, i: usize) -> Self {
        let page = html::page(text);
        let words = |class: &str| all(&page, class).next().map(html::element).unwrap_or_default();
        let prompt = words(".reflectionPrompt");
        let prompt = if prompt.is_empty() { prompt } else { format!("> {}", prompt.replace('\n', "\n> ")) };
        let assets: Vec<String> = all(&page, ".gridItem").map(asset).filter(|said| !said.is_empty()).collect();
        let folder = export.files().get(i).map_or("", |file| note::folder(&file.path));
        Self {
            date: words(".pageHeader"),
            title: words(".title"),
            text: note::parts([prompt.as_str(), &words(".bodyText"), &assets.join("\n")]),
            files: files(&page, folder, export),
        }
    }
}

fn all<'a>(page: &'a Html, selector: &str) -> impl Iterator<Item = ElementRef<'a>> + use<'a> {
    let found: Vec<_> = Selector::parse(selector).map(|s| page.select(&s).collect()).unwrap_or_default();
    found.into_iter()
}

/// A walk, a place, a song: what stands on its tile.
fn asset(element: ElementRef) -> String {
    let mut said = Vec::new();
    on_tile(element, &mut said);
    if said.is_empty() { String::new() } else { format!("- {}", said.join(", ")) }
}

/// Without the tiles in it, which stand for themselves.
fn on_tile<'a>(element: ElementRef<'a>, said: &mut Vec<&'a str>) {
    for child in element.children() {
        match (child.value(), ElementRef::wrap(child)) {
            (Node::Text(text), _) => said.extend(Some(text.trim()).filter(|t| !t.is_empty())),
            (Node::Element(inner), Some(child)) if !inner.classes().any(|class| class == "gridItem") => {
                on_tile(child, said);
            }
            _ => {}
        }
    }
}

/// Pictures and recordings, which lie in `Resources/`.
fn files(page: &Html, folder: &str, export: &Export) -> Vec<Attachment> {
    let links = note::links::Files::of(export);
    let mut out: Vec<Attachment> = Vec::new();
    for element in all(page, "img[src], video[src], audio[src], source[src]") {
        let target = element.attr("src").unwrap_or_default();
        let found = links.file(target, folder);
        out.extend(found.filter(|new| !out.iter().any(|old| old.name == new.name)));
    }
    out
}
