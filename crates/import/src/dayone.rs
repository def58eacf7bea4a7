//! Day One: a zip with a JSON file a journal, and the older `.dayone` folder with a plist an entry
//! (formats.md §22). An entry at a time is held.

mod entry;

use crate::{
    Format, ImportError, Options,
    export::Export,
    json::{self, Found, Opening, Rules, Walk, Want},
    note,
    out::Out,
    text,
};
use entry::{Entry, Media};
use evoke_message::Kind;
use serde_json::Value;
use std::io::Cursor;

const SOURCE: &str = "dayone";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Day One",
    kind: Kind::Note,
    how_to_export: "In Day One: Settings, Import/Export, Export to JSON, all journals. Choose the zip.",
    detect,
    read,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Root,
    Entries,
    Entry,
}

fn is_entry(keys: &[&str]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| keys.contains(n));
    keys.contains(&"creationDate")
        && any(&["uuid", "richText", "text"])
        && any(&[
            "timeZone",
            "richText",
            "modifiedDate",
            "starred",
            "userActivity",
            "creationDevice",
            "isAllDay",
            "isPinned",
        ])
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = export.json_files(|head| note::contains(head, "\"creationDate\"") && json::hunt(head, is_entry));
    let old = export.files().iter().enumerate().filter(|(_, file)| note::ending(&file.path) == "doentry");
    files.extend(old.map(|(i, _)| i));
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let media = Media::of(export);
    for &i in files {
        let path = export.files().get(i).map_or("", |file| file.path.as_str());
        if note::ending(path) == "doentry" {
            old(export, i, &media, options, out)?;
        } else {
            journal(export, i, &media, options, out)?;
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

fn journal(export: &Export, i: usize, media: &Media, options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let input = text::utf8(export.open(i)?).map_err(|e| export.trouble(i, e))?;
    let want = |inside: Option<It>, key: &str, opening: Opening| match (inside, key, opening) {
        (None, _, Opening::Object) => Want::Enter(It::Root),
        (None, _, Opening::Array) | (Some(It::Root), "entries", Opening::Array) => Want::Enter(It::Entries),
        (Some(It::Entries), _, _) => Want::Whole(It::Entry),
        _ => Want::Skip,
    };
    let looks = |keys: &[&str]| is_entry(keys).then_some(It::Entries);
    let mut walk = Walk::new(input, options.limits.record, Rules { want: &want, looks: &looks });
    let (mut at, mut lost) = (0, 0);
    for found in walk.by_ref() {
        let (reason, piece) = match found {
            Found::Value(It::Entry, piece) => (None, piece),
            Found::Broken { reason, piece, .. } => (Some(reason.to_owned()), piece),
            Found::TooLong { bytes, .. } => {
                (Some(format!("the entry is too long to be read ({bytes} bytes)")), json::Piece::default())
            }
            _ => continue,
        };
        at += 1;
        let place = export.place(i, at);
        let parsed = match reason {
            Some(reason) => Err(reason),
            None => json::parse::<Value>(&piece.bytes).map_err(|e| format!("its JSON cannot be read: {e}")),
        };
        let _ = match parsed {
            Ok((value, replaced)) => {
                lost += replaced;
                Entry::of_json(&value).note(export.files().get(i), media, options).put(place, out)
            }
            Err(reason) => out.failed(reason, place),
        };
        if out.stopped() {
            return Ok(());
        }
    }
    let trouble = walk.trouble();
    if at == 0 && trouble.is_none() {
        let _ = out.skipped("journal without entries", export.place(i, 0));
    }
    out.file_ended(i, lost, trouble)
}

/// An entry of the old app.
fn old(export: &Export, i: usize, media: &Media, options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let whole = note::whole(export, i, options)?;
    let place = export.place(i, 1);
    let read = plist::Value::from_reader(Cursor::new(&whole.bytes));
    let _ = match read.ok().as_ref().and_then(plist::Value::as_dictionary) {
        Some(entry) if !whole.too_long => {
            Entry::of_plist(entry, note::stem(&place.file)).note(export.files().get(i), media, options).put(place, out)
        }
        _ => out.failed("the entry is no whole property list", place),
    };
    out.file_ended(i, 0, whole.trouble)
}
