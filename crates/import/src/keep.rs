//! Google Keep out of a Takeout (formats.md §18): a JSON file a note, with an HTML twin that is passed over.
//!
//! Very old exports have only the HTML; it is read where there is no JSON beside it.

use crate::{
    Format, ImportError, Options,
    export::Export,
    html, json,
    note::{self, Note, Stamp, day},
    out::Out,
    time,
};
use evoke_message::{Attachment, Contact, Kind};
use scraper::{ElementRef, Selector};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

const SOURCE: &str = "keep";
const MOST_LABELS: usize = 1_000;
const LONGEST_LABEL: usize = 100;

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Google Keep",
    kind: Kind::Note,
    how_to_export: "At takeout.google.com choose Deselect all, then Keep, and download the zip. Choose the zip, or the folder Keep in it.",
    detect,
    read,
};

/// JSON notes, HTML notes, and what belongs to them.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = export.json_files(is_json);
    let notes: HashSet<&str> =
        files.iter().filter_map(|&i| export.files().get(i)).map(|file| without_ending(&file.path)).collect();
    let folders: HashSet<&str> = notes.iter().map(|path| note::folder(path)).collect();
    for (i, file) in export.files().iter().enumerate() {
        let belongs = match note::ending(&file.path).as_str() {
            "html" => notes.contains(without_ending(&file.path)) || export.head(i).is_ok_and(|head| is_html(&head)),
            "txt" => file.file_name() == "Labels.txt" && folders.contains(note::folder(&file.path)),
            _ => false,
        };
        if belongs {
            files.push(i);
        }
    }
    (!files.is_empty()).then_some(files)
}

fn is_json(head: &[u8]) -> bool {
    let has = |name: &str| note::contains(head, name);
    let timed = has("\"userEditedTimestampUsec\"") || has("\"createdTimestampUsec\"");
    let flags = has("\"isTrashed\"") && has("\"isPinned\"") && has("\"isArchived\"");
    let fits = |keys: &[&str]| {
        let any = |names: &[&str]| names.iter().filter(|n| keys.contains(n)).count();
        let says =
            any(&["textContent", "listContent"]) + any(&["createdTimestampUsec", "userEditedTimestampUsec"]) >= 2;
        says || any(&[
            "isTrashed",
            "isPinned",
            "isArchived",
            "createdTimestampUsec",
            "userEditedTimestampUsec",
            "textContent",
            "listContent",
        ]) >= 3
    };
    (timed || flags) && json::hunt(head, fits)
}

fn is_html(head: &[u8]) -> bool {
    let has = |name: &str| note::contains(head, name);
    has("<div class=\"note\"") && has("<div class=\"heading\"") && (has("class=\"content\"") || has("class=\"title\""))
}

fn without_ending(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let path = |i: usize| export.files().get(i).map_or("", |file| file.path.as_str());
    let with_json: HashSet<&str> =
        files.iter().map(|&i| path(i)).filter(|p| note::ending(p) == "json").map(without_ending).collect();
    let media = media(export);
    let mut seen = HashMap::new();
    for &i in files {
        let ending = note::ending(path(i));
        let twin = ending == "html" && with_json.contains(without_ending(path(i)));
        if twin || ending == "txt" {
            continue;
        }
        let whole = note::whole(export, i, options)?;
        let place = export.place(i, 1);
        if whole.too_long {
            let _ = out.failed("longer than any note", place);
            continue;
        }
        let file = File { export, i, options, media: &media };
        if ending == "html" {
            file.html(&whole.text().0, &mut seen, out);
        } else {
            match json::parse::<Value>(&whole.bytes) {
                Ok((value, lost)) => {
                    file.json(&value, &mut seen, out);
                    out.file_ended(i, lost, None)?;
                }
                Err(e) => drop(out.failed(format!("the note is not whole JSON: {e}"), place)),
            }
        }
        out.file_ended(i, 0, whole.trouble)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// Files by their paths, with and without endings.
fn media(export: &Export) -> HashMap<&str, &str> {
    let paths = || export.files().iter().map(|file| file.path.as_str());
    let files = paths().filter(|path| !matches!(note::ending(path).as_str(), "json" | "html"));
    files.map(|path| (without_ending(path), path)).chain(paths().map(|path| (path, path))).collect()
}

struct File<'a> {
    export: &'a Export,
    i: usize,
    options: &'a Options,
    media: &'a HashMap<&'a str, &'a str>,
}

impl File<'_> {
    fn json(&self, value: &Value, seen: &mut HashMap<String, u32>, out: &mut Out) {
        let place = self.export.place(self.i, 1);
        if value.get("isTrashed").and_then(Value::as_bool) == Some(true) {
            let _ = out.skipped("in the trash of Keep", place);
            return;
        }
        contacts(value, out);
        let (created, edited) = (usec(value, "createdTimestampUsec"), usec(value, "userEditedTimestampUsec"));
        let title = text(value, "title");
        let when = created.clone().or_else(|| edited.clone()).or_else(|| named(note::stem(self.path())));
        let key = match &created {
            Some(created) => created.original.clone(),
            None => format!("{title}\n{}", text(value, "textContent")),
        };
        let said = note::parts([content(value).as_str(), &labels(value), &annotations(value)]);
        let note = Note {
            title: title.to_owned(),
            text: said,
            updated: edited.map(|stamp| stamp.time),
            attachments: self.attachments(value),
            ..self.note(once(key, title, seen), when)
        };
        let _ = note.put(place, out);
    }

    /// Only the first of old exports: their dates are wall time in words.
    fn html(&self, page: &str, seen: &mut HashMap<String, u32>, out: &mut Out) {
        let page = html::page(page);
        let one = |selector: &str| Selector::parse(selector).ok().and_then(|s| page.select(&s).next());
        let words = |element: Option<ElementRef>| element.map(html::element).unwrap_or_default();
        let (date, title) = (words(one(".heading")), words(one(".title")));
        let place = self.export.place(self.i, 1);
        if one(".trashed").is_some() {
            let _ = out.skipped("in the trash of Keep", place);
            return;
        }
        let labels: Vec<String> = Selector::parse(".label-name")
            .map(|s| page.select(&s).take(MOST_LABELS).map(label).collect())
            .unwrap_or_default();
        let text = note::parts([words(one(".content")).as_str(), &note::tags(labels.iter().map(String::as_str))]);
        let when = day::written(&date, &self.options.zone).map(Stamp::from);
        let note = Note { title: title.clone(), text, ..self.note(once(date, &title, seen), when) };
        let _ = note.put(place, out);
    }

    fn path(&self) -> &str {
        self.export.files().get(self.i).map_or("", |file| file.path.as_str())
    }

    fn note(&self, key: String, when: Option<Stamp>) -> Note {
        let when = when.unwrap_or_else(|| Stamp::of_file(self.export.files().get(self.i), self.options));
        Note::new(SOURCE, key, when)
    }

    /// The names may say `.jpeg` where the file is a `.jpg`.
    fn attachments(&self, value: &Value) -> Vec<Attachment> {
        let all = value.get("attachments").and_then(Value::as_array);
        let one = |attachment: &Value| {
            let name = text(attachment, "filePath");
            let folder = note::folder(self.path());
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let found = self.media.get(path.as_str()).or_else(|| self.media.get(without_ending(&path)));
            let path = found.map(|path| (*path).to_owned());
            let missing = path.is_none().then(|| "not in this export".to_owned());
            let mime = Some(text(attachment, "mimetype")).filter(|m| !m.is_empty()).map(str::to_owned);
            (!name.is_empty()).then(|| Attachment { name: name.to_owned(), mime, path, missing })
        };
        all.into_iter().flatten().filter_map(one).collect()
    }
}

/// Labels are short; what is longer holds what should stand behind it.
fn label(element: ElementRef) -> String {
    element.text().flat_map(str::chars).take(LONGEST_LABEL).collect()
}

/// A key that no other note of this export has.
fn once(key: String, title: &str, seen: &mut HashMap<String, u32>) -> String {
    let count = seen.entry(key.clone()).or_default();
    *count += 1;
    if *count == 1 { key } else { format!("{key}\n{title}\n{count}") }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Microseconds, as a number or its text.
fn usec(value: &Value, name: &str) -> Option<Stamp> {
    let written = match value.get(name)? {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        _ => return None,
    };
    Stamp::instant(time::from_number(written.parse().ok()?), written)
}

/// The name of a note without a title: `2023-08-01T14_29_43.842+10_00`.
fn named(stem: &str) -> Option<Stamp> {
    let clock = stem.replace('_', ":");
    Stamp::instant(clock.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond()), stem)
}

fn content(value: &Value) -> String {
    let items = value.get("listContent").and_then(Value::as_array);
    let item = |item: &Value| {
        let checked = item.get("isChecked").and_then(Value::as_bool) == Some(true);
        let said = match text(item, "text") {
            "" => html::markdown(text(item, "textHtml")),
            text => text.to_owned(),
        };
        format!("- [{}] {said}", if checked { 'x' } else { ' ' })
    };
    let list = items.into_iter().flatten().map(item).collect::<Vec<_>>().join("\n");
    let plain = match text(value, "textContent") {
        "" => html::markdown(text(value, "textContentHtml")),
        text => text.to_owned(),
    };
    note::parts([plain.as_str(), &list])
}

fn labels(value: &Value) -> String {
    let all = value.get("labels").and_then(Value::as_array).into_iter().flatten();
    note::tags(all.map(|label| text(label, "name")))
}

/// Pages that Keep shows under a note.
fn annotations(value: &Value) -> String {
    let all = value.get("annotations").and_then(Value::as_array).into_iter().flatten();
    let lines = all.filter_map(|page| match (text(page, "title"), text(page, "url")) {
        (_, "") => None,
        ("", url) => Some(url.to_owned()),
        (title, url) => Some(format!("[{title}]({url})")),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Those with whom it is shared.
fn contacts(value: &Value, out: &mut Out) {
    for sharee in value.get("sharees").and_then(Value::as_array).into_iter().flatten() {
        let email = text(sharee, "email");
        if !email.is_empty() {
            let _ = out.contact(Contact {
                source: SOURCE.to_owned(),
                key: email.to_owned(),
                name: email.to_owned(),
                addresses: vec![email.to_owned()],
                ..Contact::default()
            });
        }
    }
}
