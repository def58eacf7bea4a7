//! One entry of Day One: its text without the escapes the app writes, its files, where it was written.

use super::SOURCE;
use crate::{
    Options,
    export::{self, Export},
    mime,
    note::{self, Note, Stamp},
    time,
};
use evoke_message::Attachment;
use serde_json::Value;
use std::collections::HashMap;

/// Files of the export by their names without endings: md5 sums, or ids in the old app.
pub(super) struct Media {
    paths: HashMap<String, String>,
}

impl Media {
    pub(super) fn of(export: &Export) -> Self {
        let files =
            export.files().iter().filter(|file| !matches!(note::ending(&file.path).as_str(), "json" | "doentry"));
        Self { paths: files.map(|file| (note::stem(&file.path).to_lowercase(), file.path.clone())).collect() }
    }

    fn attachment(&self, stem: &str, name: &str) -> Attachment {
        let path = self.paths.get(&stem.to_lowercase()).cloned();
        let missing = path.is_none().then(|| "not in this export".to_owned());
        Attachment { name: name.to_owned(), mime: mime::of_name(name), path, missing }
    }
}

/// A file of an entry.
struct File {
    stem: String,
    name: String,
}

#[derive(Default)]
pub(super) struct Entry {
    uuid: String,
    text: String,
    created: Option<Stamp>,
    edited: Option<i64>,
    tags: Vec<String>,
    place: String,
    files: Vec<File>,
}

impl Entry {
    pub(super) fn of_json(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let time = |name: &str| Stamp::instant(time::iso(text(name)), text(name));
        let plain = match text("text") {
            "" => rich(text("richText")),
            text => unescaped(text),
        };
        let tags = value.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut files = Vec::new();
        let mut heard = Vec::new();
        for (list, ending) in [("photos", "type"), ("videos", "type"), ("audios", "format"), ("pdfAttachments", "type")]
        {
            for file in value.get(list).and_then(Value::as_array).into_iter().flatten() {
                let field = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default();
                let stem = if field("md5").is_empty() { field("identifier") } else { field("md5") };
                let ending = if field(ending).is_empty() { default_ending(list) } else { field(ending) };
                let name = ["filename", "title", "pdfName"].iter().map(|n| field(n)).find(|n| n.contains('.'));
                let name = name.map_or_else(|| format!("{stem}.{ending}"), str::to_owned);
                heard.push(field("transcription").trim().to_owned());
                files.extend((!stem.is_empty()).then(|| File { stem: stem.to_owned(), name }));
            }
        }
        Self {
            uuid: text("uuid").to_owned(),
            text: note::parts([plain.as_str(), &note::parts(heard.iter().map(String::as_str))]),
            created: time("creationDate"),
            edited: time("modifiedDate").map(|stamp| stamp.time),
            tags: tags.map(str::to_owned).collect(),
            place: place(value.get("location")),
            files,
        }
    }

    pub(super) fn of_plist(entry: &plist::Dictionary, stem: &str) -> Self {
        let text = |name: &str| entry.get(name).and_then(plist::Value::as_string).unwrap_or_default();
        let time = |name: &str| {
            let written = entry.get(name)?.as_date()?.to_xml_format();
            Stamp::instant(time::iso(&written), written)
        };
        let location = entry.get("Location").and_then(plist::Value::as_dictionary);
        let part = |name: &&str| location?.get(name)?.as_string().map(str::to_owned);
        let uuid = if text("UUID").is_empty() { stem } else { text("UUID") };
        let tags = entry.get("Tags").and_then(plist::Value::as_array).into_iter().flatten();
        Self {
            uuid: uuid.to_owned(),
            text: text("Entry Text").to_owned(),
            created: time("Creation Date"),
            edited: None,
            tags: tags.filter_map(plist::Value::as_string).map(str::to_owned).collect(),
            place: ["Place Name", "Locality", "Country"].iter().filter_map(part).collect::<Vec<_>>().join(", "),
            // A photo has the name of its entry, and none is told in it.
            files: vec![File { stem: uuid.to_owned(), name: format!("{uuid}.jpg") }],
        }
    }

    pub(super) fn note(self, file: Option<&export::Entry>, media: &Media, options: &Options) -> Note {
        let old = file.is_some_and(|file| note::ending(&file.path) == "doentry");
        let files = self.files.iter().map(|file| media.attachment(&file.stem, &file.name));
        let attachments = files.filter(|file| !old || file.path.is_some()).collect();
        let when = self.created.unwrap_or_else(|| Stamp::of_file(file, options));
        let place = if self.place.is_empty() || (self.text.is_empty() && self.files.is_empty()) {
            String::new()
        } else {
            format!("Place: {}", self.place)
        };
        let key = if self.uuid.is_empty() { format!("{} {}", when.original, self.text) } else { self.uuid };
        let said = note::parts([self.text.as_str(), &note::tags(self.tags.iter().map(String::as_str)), &place]);
        Note { text: said, updated: self.edited, attachments, ..Note::new(SOURCE, key, when) }
    }
}

fn default_ending(list: &str) -> &str {
    match list {
        "photos" => "jpeg",
        "videos" => "mov",
        "audios" => "m4a",
        _ => "pdf",
    }
}

fn place(location: Option<&Value>) -> String {
    let part = |name: &&str| location?.get(name)?.as_str().filter(|p| !p.is_empty()).map(str::to_owned);
    let mut parts: Vec<String> = ["placeName", "localityName", "country"].iter().filter_map(part).collect();
    parts.dedup();
    parts.join(", ")
}

/// The text of `{"contents":[{"text": …}]}`, headings and lists by their lines' attributes.
fn rich(json: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(json) else { return String::new() };
    let mut out = String::new();
    for piece in value.get("contents").and_then(Value::as_array).into_iter().flatten() {
        let Some(text) = piece.get("text").and_then(Value::as_str) else { continue };
        let line = piece.pointer("/attributes/line");
        let header = line.and_then(|l| l.get("header")).and_then(Value::as_u64).filter(|n| (1..=6).contains(n));
        let list = line.and_then(|l| l.get("listStyle")).and_then(Value::as_str);
        let checked = line.and_then(|l| l.get("checked")).and_then(Value::as_bool);
        if out.is_empty() || out.ends_with('\n') {
            match (header, list, checked) {
                (Some(n), _, _) => out.push_str(&format!("{} ", "#".repeat(usize::try_from(n).unwrap_or(1)))),
                (_, Some("checkbox"), checked) => out.push_str(if checked == Some(true) { "- [x] " } else { "- [ ] " }),
                (_, Some("numbered"), _) => out.push_str("1. "),
                (_, Some(_), _) => out.push_str("- "),
                _ => {}
            }
        }
        out.push_str(text);
    }
    out.trim().to_owned()
}

/// Without links to the entry's own files and without the backslashes that the app sets before signs.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '!', '\u{2028}', '\u{200b}']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = from;
        let mut chars = from.chars();
        match (chars.next(), chars.next()) {
            (Some('\\'), Some(sign)) if sign.is_ascii_punctuation() => {
                out.push(sign);
                rest = from.get(2..).unwrap_or_default();
            }
            (Some('!'), _) if from.starts_with("![](dayone-moment:") => {
                rest = from.split_once(')').map_or("", |(_, after)| after);
            }
            (Some('\u{2028}'), _) => {
                out.push('\n');
                rest = chars_after(from);
            }
            (Some('\u{200b}'), _) => rest = chars_after(from),
            (Some(other), _) => {
                out.push(other);
                rest = chars_after(from);
            }
            (None, _) => break,
        }
    }
    out.push_str(rest);
    out.trim().to_owned()
}

fn chars_after(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_as_the_app_writes_them() {
        assert_eq!(
            unescaped("Hi\\! 3\\.5 \\- x\n\n![](dayone-moment://AB12)\nend\u{2028}\u{200b}."),
            "Hi! 3.5 - x\n\n\nend\n."
        );
        assert_eq!(unescaped("C:\\dir \\"), "C:\\dir \\");
        let rich_text = r#"{"contents":[{"attributes":{"line":{"header":1}},"text":"T\n"},{"embeddedObjects":[]},{"text":"a"},{"text":"b\n"},{"attributes":{"line":{"listStyle":"checkbox","checked":true}},"text":"c"}]}"#;
        assert_eq!(rich(rich_text), "# T\nab\n- [x] c");
        assert_eq!(rich("no"), "");
    }
}
