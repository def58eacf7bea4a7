//! TextBundle: a folder a note, with `text.md`, `info.json` and `assets/` (formats.md §20). Bear's backup
//! is a zip of them with ids and dates; Ulysses and others have neither.

use crate::{
    Format, ImportError, Options,
    export::Export,
    json,
    note::{self, Note, Stamp, links::Files},
    out::Out,
    time,
};
use evoke_message::Kind;
use serde_json::Value;
use std::collections::HashMap;

const SOURCE: &str = "bear";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Bear and TextBundle",
    kind: Kind::Note,
    how_to_export: "In Bear: File, Backup notes; choose the .bear2bk file. Ulysses and other apps: export as TextBundle or TextPack \
                    and choose the files or their folder.",
    detect,
    read,
};

/// `info.json` of bundles and the texts beside them.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let files: Vec<usize> = bundles(export).into_values().flat_map(|b| [Some(b.info), b.text]).flatten().collect();
    (!files.is_empty()).then_some(files)
}

/// Files of one bundle, by indices.
struct Bundle {
    info: usize,
    text: Option<usize>,
}

/// By folder.
fn bundles(export: &Export) -> std::collections::BTreeMap<&str, Bundle> {
    let mut texts: HashMap<&str, usize> = HashMap::new();
    for (i, file) in export.files().iter().enumerate() {
        let is_text = file.file_name().split_once('.').is_some_and(|(stem, _)| stem.eq_ignore_ascii_case("text"));
        if is_text {
            texts.entry(note::folder(&file.path)).or_insert(i);
        }
    }
    let mut found = std::collections::BTreeMap::new();
    for (i, file) in export.files().iter().enumerate() {
        let folder = note::folder(&file.path);
        let text = texts.get(folder).copied();
        let is_bundle =
            file.file_name() == "info.json" && export.head(i).is_ok_and(|head| is_info(&head, folder, text));
        if is_bundle {
            found.insert(folder, Bundle { info: i, text });
        }
    }
    found
}

fn is_info(head: &[u8], folder: &str, text: Option<usize>) -> bool {
    let named = folder.to_lowercase().ends_with(".textbundle");
    let marks = ["creatorIdentifier", "net.shinyfrog.bear", "net.daringfireball.markdown", "transient"];
    let marked = marks.iter().any(|mark| note::contains(head, &format!("\"{mark}\"")));
    named || text.is_some() && marked
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let links = Files::of(export);
    for (folder, bundle) in bundles(export) {
        if !files.contains(&bundle.info) {
            continue;
        }
        let info = note::whole(export, bundle.info, options)?;
        let info = json::parse::<Value>(&info.bytes).map(|(value, _)| value).unwrap_or_default();
        let Some(i) = bundle.text else {
            let _ = out.failed("a bundle without its text", export.place(bundle.info, 1));
            continue;
        };
        let place = export.place(i, 1);
        let whole = note::whole(export, i, options)?;
        if whole.too_long {
            let _ = out.failed("longer than any note", place);
            continue;
        }
        let (text, lost) = whole.text();
        match Bear::of(&info).left_out(&text) {
            Some(reason) => drop(out.skipped(reason, place)),
            None => {
                let note = read_one(export, i, folder, &info, &text, &links, options);
                let _ = note.put(place, out);
            }
        }
        out.file_ended(i, lost, whole.trouble)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

fn read_one(
    export: &Export,
    i: usize,
    folder: &str,
    info: &Value,
    text: &str,
    links: &Files<'_>,
    options: &Options,
) -> Note {
    let file = export.files().get(i);
    let path = file.map_or("", |file| file.path.as_str());
    let bear = Bear::of(info);
    let name = if folder.is_empty() { export.name() } else { folder };
    let name = without_endings(name);
    let key = bear.field("uniqueIdentifier").unwrap_or(&name).to_owned();
    let (created, updated) = (bear.time("creationDate"), bear.time("modificationDate"));
    let when = created.or_else(|| updated.clone()).unwrap_or_else(|| Stamp::of_file(file, options));
    let ending = note::ending(path);
    let text = if ending.starts_with("htm") { crate::html::markdown(text) } else { text.to_owned() };
    let heading = text.lines().find(|line| !line.trim().is_empty()).and_then(|line| line.trim().strip_prefix("# "));
    let title = match (heading, bear.0) {
        (Some(heading), _) => heading.trim().to_owned(),
        (None, Some(_)) => String::new(),
        (None, None) => name.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    Note {
        attachments: links.named_in(&text, path, folder),
        title,
        text,
        updated: updated.map(|stamp| stamp.time),
        ..Note::new(SOURCE, key, when)
    }
}

/// The folder of a bundle without what containers add: `Notes.bear2bk/A.textbundle` is `Notes/A`.
fn without_endings(folder: &str) -> String {
    let endings = [".textbundle", ".textpack", ".bear2bk", ".zip"];
    let bare = |part: &str| {
        let lower = part.to_ascii_lowercase();
        let end = endings.iter().find(|end| lower.ends_with(*end)).map_or(0, |end| end.len());
        part.get(..part.len() - end).unwrap_or(part).to_owned()
    };
    let mut parts: Vec<String> = folder.split('/').map(bare).collect();
    parts.dedup();
    parts.join("/")
}

/// What Bear adds to a bundle's `info.json`.
struct Bear<'a>(Option<&'a Value>);

impl<'a> Bear<'a> {
    fn of(info: &'a Value) -> Self {
        Self(info.get("net.shinyfrog.bear").filter(|bear| bear.is_object()))
    }

    fn field(&self, name: &str) -> Option<&'a str> {
        self.0?.get(name)?.as_str().filter(|value| !value.is_empty())
    }

    fn time(&self, name: &str) -> Option<Stamp> {
        let written = self.field(name)?;
        Stamp::instant(time::iso(written), written)
    }

    fn set(&self, name: &str) -> bool {
        let value = self.0.and_then(|bear| bear.get(name));
        value.is_some_and(|v| v.as_bool().unwrap_or_else(|| v.as_i64().is_some_and(|n| n != 0)))
    }

    fn left_out(&self, text: &str) -> Option<&'static str> {
        if self.set("trashed") {
            Some("in the trash of Bear")
        } else if self.set("encrypted") && text.trim().is_empty() {
            Some("encrypted by Bear")
        } else {
            None
        }
    }
}
