//! Notes out of an iCloud privacy export: a folder a note with its text, and one list of their dates
//! (`Notes Details.csv`). Written from descriptions; the columns are found by their names.

use super::SOURCE;
use crate::{
    ImportError, Options,
    export::Export,
    note::{self, Note, Stamp, day},
    out::Out,
    table,
};
use evoke_message::Attachment;
use std::collections::HashMap;

/// The lists, and texts `<title>/<title>.txt` beside or below one.
pub(super) fn files(export: &Export) -> Vec<usize> {
    let all = || export.files().iter().enumerate();
    let is_list = |path: &str| {
        let name = note::stem(path).to_lowercase().replace(['_', '-'], " ");
        note::ending(path) == "csv" && name == "notes details"
    };
    let lists: Vec<(usize, &str)> =
        all().filter(|(_, f)| is_list(&f.path)).map(|(i, f)| (i, note::folder(&f.path))).collect();
    let below =
        |path: &str| lists.iter().any(|(_, folder)| folder.is_empty() || path.starts_with(&format!("{folder}/")));
    let is_text = |path: &str| {
        let folder = note::folder(path).rsplit('/').next().unwrap_or_default();
        note::ending(path) == "txt" && !folder.is_empty() && below(path)
    };
    let texts = all().filter(|(_, f)| is_text(&f.path)).map(|(i, _)| i);
    lists.iter().map(|(i, _)| *i).chain(texts).collect()
}

/// What the list says of a note.
#[derive(Clone, Default)]
struct About {
    created: String,
    edited: String,
    deleted: bool,
}

pub(super) fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let path = |i: usize| export.files().get(i).map_or("", |file| file.path.as_str());
    let mut known = HashMap::new();
    for &i in files.iter().filter(|&&i| note::ending(path(i)) == "csv") {
        list(export, i, options, &mut known)?;
    }
    let mut keys: HashMap<String, u32> = HashMap::new();
    for &i in files.iter().filter(|&&i| note::ending(path(i)) == "txt") {
        let place = export.place(i, 1);
        let whole = note::whole(export, i, options)?;
        if whole.too_long {
            let _ = out.failed("longer than any note", place);
            continue;
        }
        let (text, lost) = whole.text();
        let about: About = known.get(note::stem(path(i))).cloned().unwrap_or_default();
        let stamp = |written: &str| {
            day::written(written.trim_end_matches(" GMT").trim_end_matches(" UTC"), &jiff::tz::TimeZone::UTC)
                .map(|when| Stamp { zone_known: true, ..Stamp::from(when) })
        };
        let when = stamp(&about.created).or_else(|| stamp(&about.edited));
        let when = when.unwrap_or_else(|| Stamp::of_file(export.files().get(i), options));
        let key = format!("{} {}", about.created, note::stem(path(i)));
        let count = keys.entry(key.clone()).or_default();
        *count += 1;
        let key = if *count == 1 { key } else { format!("{key} {count}") };
        let note = Note {
            text: text.into_owned(),
            updated: stamp(&about.edited).map(|s| s.time),
            attachments: beside(export, i),
            ..Note::new(SOURCE, key, when)
        };
        let _ = if about.deleted { out.skipped("in Recently Deleted of Notes", place) } else { note.put(place, out) };
        out.file_ended(i, lost, whole.trouble)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

fn list(export: &Export, i: usize, options: &Options, known: &mut HashMap<String, About>) -> Result<(), ImportError> {
    let is_head = |names: &[String]| names.iter().any(|name| name.contains("title"));
    table::survey(export, i, options, is_head, |row| {
        let deleted = matches!(row.like("delet").to_lowercase().as_str(), "yes" | "true" | "1");
        let about = About { created: row.like("creat").to_owned(), edited: row.like("modif").to_owned(), deleted };
        known.insert(row.like("title").to_owned(), about);
    })
}

/// Other files in the note's folder.
fn beside(export: &Export, i: usize) -> Vec<Attachment> {
    let Some(file) = export.files().get(i) else { return Vec::new() };
    let folder = note::folder(&file.path);
    let others = export.files().iter().filter(|other| other.path != file.path && note::folder(&other.path) == folder);
    let files = others.filter(|other| !matches!(note::ending(&other.path).as_str(), "txt" | "csv"));
    let attachment = |other: &crate::export::Entry| Attachment {
        name: other.file_name().to_owned(),
        mime: crate::mime::of_name(other.file_name()),
        path: Some(other.path.clone()),
        missing: None,
    };
    files.map(attachment).collect()
}
