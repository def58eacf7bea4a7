//! Joplin: the files of a JEX, which is a tar, or of the RAW folder (formats.md §21). Notes, notebooks,
//! tags and files are each a small text whose properties stand at its end.
//!
//! What stands in one such text is left to `item.rs`. Its export as Markdown is `markdown.rs`'s.

mod item;

use crate::{
    Format, ImportError, Options,
    export::Export,
    html, mime,
    note::{self, Note, Stamp},
    out::Out,
    text::until,
    time,
};
use evoke_message::{Attachment, Kind, Place};
use item::Item;
use std::collections::HashMap;

const SOURCE: &str = "joplin";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Joplin",
    kind: Kind::Note,
    how_to_export: "In Joplin for the desktop: File, Export all, JEX. Choose the file. The RAW export can be read as well.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let items: Vec<usize> = export.unclaimed().filter(|(_, file)| is_item_name(&file.path)).map(|(i, _)| i).collect();
    let is_item = |i: &usize| export.head(*i).is_ok_and(|head| note::contains(&head, "\ntype_: "));
    items.iter().any(is_item).then_some(items)
}

/// 32 hex digits and `.md`.
fn is_item_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".md").is_some_and(item::is_id)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut known = Known::default();
    let tell = &mut |_: &Place, item: Result<Item, String>, _: &mut Out| {
        if let Ok(item) = item {
            known.add(item);
        }
    };
    out.reads_again(files);
    let mut quiet = |_: crate::Item| crate::Flow::Continue(());
    let mut silent = |_: u64, _: u64| ();
    let mut nowhere = Out::new(export, 0, &mut quiet, &mut silent);
    each(export, files, options, &mut nowhere, tell)?;
    known.files = export.files().iter().map(|file| (file.file_name().to_owned(), file.path.clone())).collect();
    let mut last = Stamp::of_file(None, options);
    each(export, files, options, out, &mut |place, item, out| match item {
        Ok(item) if item.kind() == Some(1) => known.note(item, place.clone(), &mut last, out),
        Ok(_) => {}
        Err(reason) => drop(out.failed(reason, place.clone())),
    })
}

type Each<'a> = &'a mut dyn FnMut(&Place, Result<Item, String>, &mut Out);

fn each(export: &Export, files: &[usize], options: &Options, out: &mut Out, tell: Each<'_>) -> Result<(), ImportError> {
    for &i in files {
        let path = export.files().get(i).map_or("", |file| file.path.as_str());
        let whole = note::whole(export, i, options)?;
        let item =
            if whole.too_long { Err("longer than any note".to_owned()) } else { item::read(path, &whole.text().0) };
        tell(&export.place(i, 1), item, out);
        out.file_ended(i, whole.text().1, whole.trouble)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// What notes name by id.
#[derive(Default)]
struct Known {
    tags: HashMap<String, String>,
    /// Of a note, the tags.
    tagged: HashMap<String, Vec<String>>,
    /// Files by id: name, type and ending.
    resources: HashMap<String, (String, String, String)>,
    /// Paths of the export by name.
    files: HashMap<String, String>,
}

impl Known {
    fn add(&mut self, item: Item) {
        match item.kind() {
            Some(4) => {
                let file = (item.title.clone(), item.field("mime").to_owned(), item.field("file_extension").to_owned());
                self.resources.insert(item.id, file);
            }
            Some(5) => drop(self.tags.insert(item.id, item.title)),
            Some(6) => {
                let tags = self.tagged.entry(item.field("note_id").to_owned()).or_default();
                tags.push(item.field("tag_id").to_owned());
            }
            _ => {}
        }
    }

    fn note(&self, item: Item, place: Place, last: &mut Stamp, out: &mut Out) {
        if let Some(reason) = left_out(&item) {
            let _ = out.skipped(reason, place);
            return;
        }
        let time = |names: [&str; 2]| {
            let written = names.iter().map(|name| item.field(name)).find(|value| !value.is_empty())?;
            Stamp::instant(time::iso(written), written)
        };
        let (created, updated) =
            (time(["user_created_time", "created_time"]), time(["user_updated_time", "updated_time"]));
        let when = created.or_else(|| updated.clone()).unwrap_or_else(|| last.clone());
        *last = when.clone();
        let body = if item.field("markup_language") == "2" { html::markdown(&item.body) } else { item.body.clone() };
        let (body, files) = self.linked(&body);
        let tags = self.tagged.get(&item.id).into_iter().flatten().filter_map(|id| self.tags.get(id));
        let source = item.field("source_url");
        let source = if source.is_empty() { String::new() } else { format!("Source: {source}") };
        let note = Note {
            title: item.heading(),
            text: note::parts([body.as_str(), &note::tags(tags.map(String::as_str)), &source]),
            updated: updated.map(|stamp| stamp.time),
            attachments: files,
            ..Note::new(SOURCE, item.id, when)
        };
        let _ = note.put(place, out);
    }

    /// Links `[words](:/id)`: to files by their names, to notes as their words.
    fn linked(&self, body: &str) -> (String, Vec<Attachment>) {
        let (mut out, mut rest, mut files) = (String::with_capacity(body.len()), body, Vec::<Attachment>::new());
        while let Some((before, after)) = rest.split_once("](:/") {
            let (id, behind) = after.split_at_checked(32).unwrap_or(("", after));
            let behind = until(behind, ")", 1_000).filter(|(title, _)| !title.contains('\n')).map(|(_, behind)| behind);
            let (true, Some(behind)) = (item::is_id(id), behind) else {
                out.push_str(before);
                out.push_str("](:/");
                rest = after;
                continue;
            };
            rest = behind;
            match self.resources.get(id) {
                Some((name, mime, ending)) => {
                    let file = self.file(id, name, mime, ending);
                    out.push_str(&format!("{before}]({})", file.name));
                    files.extend(Some(file).filter(|file| !files.contains(file)));
                }
                None => match before.rfind('[').and_then(|at| before.get(..at).zip(before.get(at + 1..))) {
                    Some((before, words)) => out.push_str(&format!("{before}{words}")),
                    None => out.push_str(before),
                },
            }
        }
        out.push_str(rest);
        (out, files)
    }

    fn file(&self, id: &str, name: &str, mime: &str, ending: &str) -> Attachment {
        let stored = if ending.is_empty() { id.to_owned() } else { format!("{id}.{ending}") };
        let name = if name.is_empty() { stored.clone() } else { name.to_owned() };
        let path = self.files.get(&stored).cloned();
        let missing = path.is_none().then(|| "inside the export, which is not unpacked, or not in it".to_owned());
        let mime = Some(mime.to_owned()).filter(|m| !m.is_empty()).or_else(|| mime::of_name(&name));
        Attachment { name, mime, path, missing }
    }
}

fn left_out(item: &Item) -> Option<&'static str> {
    let set = |name: &str| !matches!(item.field(name), "" | "0");
    if set("encryption_applied") {
        Some("encrypted by Joplin")
    } else if set("deleted_time") {
        Some("in the trash of Joplin")
    } else if set("is_conflict") {
        Some("the other side of a conflict")
    } else {
        None
    }
}
