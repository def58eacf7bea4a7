//! Evernote notebooks, ENEX (formats.md §19). A file is gigabytes because files are kept inside it as
//! base64: a note at a time is read, with those of its files that may have words.
//!
//! Cutting a file into notes is left to `split.rs`, the note's own HTML to `enml.rs`.

mod enml;
mod split;

use crate::{
    Format, ImportError, Options,
    export::Export,
    mime,
    note::{self, Note, Stamp},
    out::Out,
    text, time,
};
use evoke_message::{Attachment, Document, Kind, Place};
use mail_parser::decoders::base64::base64_decode;
use quick_xml::{Reader, events::Event};
use split::{Found, Notes};
use std::collections::HashMap;

const SOURCE: &str = "evernote";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Evernote",
    kind: Kind::Note,
    how_to_export: "In the Evernote app for the desktop: right-click a notebook, Export notebook, format ENEX. \
                    Choose the file, or a folder with one for each notebook.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let single = export.files().len() == 1;
    let candidates = export.unclaimed();
    let named = candidates.filter(|(_, file)| single || matches!(note::ending(&file.path).as_str(), "enex" | "xml"));
    let is = |head: &[u8]| {
        head.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<') && note::contains(head, "<en-export")
    };
    let files: Vec<usize> = named.map(|(i, _)| i).filter(|&i| export.head(i).is_ok_and(|head| is(&head))).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &i in files {
        let input = text::whole_utf8(export.open(i)?).map_err(|e| export.trouble(i, e))?;
        let mut notes = Notes::new(input, options.limits.record);
        let mut file = File { export, i, options, keys: HashMap::new() };
        let (mut at, mut trouble) = (0, None);
        loop {
            match notes.next() {
                Ok(Some(found)) => {
                    at += 1;
                    file.note(found, notes.files(), export.place(i, at), out);
                }
                Ok(None) => break,
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
            if out.stopped() {
                return Ok(());
            }
        }
        if at == 0 && trouble.is_none() {
            let _ = out.skipped("notebook without notes", export.place(i, 0));
        }
        out.file_ended(i, 0, trouble)?;
    }
    Ok(())
}

struct File<'a> {
    export: &'a Export,
    i: usize,
    options: &'a Options,
    /// How many notes of one title and time were seen.
    keys: HashMap<String, u32>,
}

impl File<'_> {
    fn note(&mut self, found: Found, files: Vec<Option<Vec<u8>>>, place: Place, out: &mut Out) {
        let (xml, whole) = match found {
            Found::Note(xml) => (xml, true),
            Found::Broken(xml) => (xml, false),
            Found::TooLong(bytes) => {
                let _ = out.failed(format!("the note is too long to be read ({bytes} bytes)"), place);
                return;
            }
        };
        let fields = Fields::of(&xml);
        if !whole && !xml.contains("</content>") {
            let _ = out.failed(format!("the note {:?} is not whole", fields.title.trim()), place);
            return;
        }
        let Some(content) = &fields.content else {
            let _ = out.skipped("a note without content", place);
            return;
        };
        let key = self.key(&fields);
        let when = fields.created().or_else(|| stamp(&fields.updated));
        let when = when.unwrap_or_else(|| Stamp::of_file(self.export.files().get(self.i), self.options));
        let text = note::parts([enml::markdown(content).as_str(), &fields.tasks(), &fields.said()]);
        let resources: Vec<(&Resource, Attachment)> =
            fields.resources.iter().filter_map(|r| Some((r, r.attachment()?))).collect();
        let documents = resources.iter().enumerate();
        let documents = documents.filter_map(|(at, (resource, _))| resource.document(at, &files, out)).collect();
        let note = Note {
            text,
            updated: stamp(&fields.updated).map(|s| s.time),
            attachments: resources.into_iter().map(|(_, attachment)| attachment).collect(),
            documents,
            title: fields.title,
            ..Note::new(SOURCE, key, when)
        };
        let _ = note.put(place.clone(), out);
        if !whole {
            let _ = out.failed("the note ends before its end", place);
        }
    }

    /// Notes have no id: title and time, and a count among those that are the same in both.
    fn key(&mut self, fields: &Fields) -> String {
        let key = format!("{} {}", fields.created.trim(), fields.title.trim());
        let count = self.keys.entry(key.clone()).or_default();
        *count += 1;
        if *count == 1 { key } else { format!("{key} {count}") }
    }
}

fn stamp(written: &str) -> Option<Stamp> {
    Stamp::instant(time::iso(written.trim()), written.trim())
}

#[derive(Default)]
struct Resource {
    name: String,
    mime: String,
    /// Its number among the files that `split.rs` held.
    file: Option<usize>,
}

impl Resource {
    /// None where the note was cut before it was named.
    fn attachment(&self) -> Option<Attachment> {
        let kept = Some("inside the .enex file, which is not unpacked".to_owned());
        let mime = Some(self.mime.clone()).filter(|m| !m.is_empty()).or_else(|| mime::of_name(&self.name));
        let name = if self.name.is_empty() { self.mime.clone() } else { self.name.clone() };
        (!name.is_empty()).then_some(Attachment { name, mime, path: None, missing: kept })
    }

    /// What it says, as attachment number `at` of its note.
    fn document(&self, at: usize, files: &[Option<Vec<u8>>], out: &mut Out) -> Option<Document> {
        let name = mime::named(&self.name, &self.mime);
        match files.get(self.file?)? {
            Some(base64) => out.document(at, &name, &base64_decode(base64)?),
            None => {
                out.document_too_large(&name);
                None
            }
        }
    }
}

#[derive(Default)]
struct Task {
    title: String,
    status: String,
    due: String,
}

/// What a note says of itself.
#[derive(Default)]
struct Fields {
    title: String,
    created: String,
    updated: String,
    tags: Vec<String>,
    source_url: String,
    place_name: String,
    content: Option<String>,
    tasks: Vec<Task>,
    resources: Vec<Resource>,
}

impl Fields {
    fn of(xml: &str) -> Self {
        let mut fields = Self::default();
        let mut reader = Reader::from_str(xml);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let (mut path, mut text) = (Vec::<String>::new(), String::new());
        loop {
            match reader.read_event() {
                Ok(Event::Start(element)) => {
                    let name = element.name().as_ref().to_owned();
                    fields.begin(&name);
                    path.push(name);
                    text.clear();
                }
                Ok(Event::Empty(element)) => fields.begin(element.name().as_ref()),
                Ok(Event::Text(piece)) => text.push_str(&piece),
                Ok(Event::GeneralRef(name)) => text.push_str(&crate::xml::reference(&name)),
                Ok(Event::CData(piece)) => text.push_str(&quick_xml::escape::escape(&*piece)),
                Ok(Event::End(_)) => {
                    if let Some(name) = path.pop() {
                        let above = path.last().map_or("", String::as_str);
                        fields.end(above, &name, crate::xml::unescape(&std::mem::take(&mut text)));
                    }
                }
                Ok(Event::Eof) | Err(_) => return fields,
                Ok(_) => {}
            }
        }
    }

    fn begin(&mut self, name: &str) {
        match name {
            "resource" => self.resources.push(Resource::default()),
            "task" => self.tasks.push(Task::default()),
            "content" => self.content = Some(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, above: &str, name: &str, text: String) {
        let trimmed = || text.trim().to_owned();
        match (above, name) {
            ("task", _) => {
                let Some(task) = self.tasks.last_mut() else { return };
                match name {
                    "title" => task.title = trimmed(),
                    "taskStatus" => task.status = trimmed(),
                    "dueDate" => task.due = trimmed(),
                    _ => {}
                }
            }
            ("resource", "data") => {
                self.resources.iter_mut().last().into_iter().for_each(|r| r.file = text.parse().ok())
            }
            ("resource", "mime") => self.resources.iter_mut().last().into_iter().for_each(|r| r.mime = trimmed()),
            ("resource-attributes", "file-name") => {
                self.resources.iter_mut().last().into_iter().for_each(|r| r.name = trimmed());
            }
            ("note-attributes", "source-url") => self.source_url = trimmed(),
            ("note-attributes", "place-name") => self.place_name = trimmed(),
            ("note", "title") => self.title = trimmed(),
            ("note", "created") => self.created = trimmed(),
            ("note", "updated") => self.updated = trimmed(),
            ("note", "tag") => self.tags.push(trimmed()),
            ("note", "content") => self.content = Some(text),
            _ => {}
        }
    }

    fn created(&self) -> Option<Stamp> {
        stamp(&self.created)
    }

    fn tasks(&self) -> String {
        let line = |task: &Task| {
            let mark = if task.status == "completed" { 'x' } else { ' ' };
            let due = time::iso(&task.due).and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            let due = due.map_or(String::new(), |due| format!(" (due {})", due.strftime("%Y-%m-%d")));
            format!("- [{mark}] {}{due}", task.title)
        };
        self.tasks.iter().filter(|task| !task.title.is_empty()).map(line).collect::<Vec<_>>().join("\n")
    }

    /// Tags, and where the note was made or taken from.
    fn said(&self) -> String {
        let line = |name: &str, value: &str| if value.is_empty() { String::new() } else { format!("{name}: {value}") };
        let lines = [
            note::tags(self.tags.iter().map(String::as_str)),
            line("Place", &self.place_name),
            line("Source", &self.source_url),
        ];
        lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }
}
