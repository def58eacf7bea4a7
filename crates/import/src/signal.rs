//! Signal (formats.md §9): its own export of plain text (`main.jsonl`), what `sigexport` and `sigtop` read
//! out of Signal Desktop, and the text files of `signalbackup-tools`.
//!
//! The official export is read by `official.rs`, with who is who in `people.rs`, formatted text in `words.rs`
//! and notices in `update.rs`; chats of people's tools by `chat.rs`, Desktop's own rows by `desktop.rs`.
//! Encrypted backups need a key and are refused in words.

mod chat;
mod desktop;
mod official;
mod people;
mod update;
mod words;

use crate::{Format, ImportError, Options, export::Export, json::hunt, jsonl, media::Media, out::Out};
use evoke_message::Kind;

pub(crate) const FORMAT: Format = Format {
    key: "signal",
    label: "Signal",
    kind: Kind::Chat,
    how_to_export: "In Signal on the computer or on Android: Settings, Chats, Export chat history. Choose the folder it makes, \
                    or the file main.jsonl in it. Backups (.backup) are encrypted and cannot be read.",
    detect,
    read,
};

/// What a claimed file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Official,
    /// sigexport's `data.json`.
    Lines,
    /// sigexport's `chat.md`.
    Chat,
    /// signalbackup-tools' text.
    Tools,
    Desktop,
    Encrypted,
}

fn form(export: &Export, i: usize) -> Option<Form> {
    let name = export.files().get(i)?.file_name().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let alone = export.files().len() == 1;
    if !alone && !["jsonl", "ndjson", "json", "md", "txt", "backup"].contains(&ending) {
        return None;
    }
    let head = export.head(i).ok()?;
    match ending {
        "backup" if is_backup(&head) => return Some(Form::Encrypted),
        "md" | "markdown" => return chat::is_chat(&head, true).then_some(Form::Chat),
        "txt" | "" if chat::is_tools(&head) => return Some(Form::Tools),
        "txt" | "" if chat::is_chat(&head, false) => return Some(Form::Chat),
        _ => {}
    }
    let lines = jsonl::first(&head, 40);
    if lines.iter().any(official::is_frame) {
        return Some(Form::Official);
    }
    if lines.iter().any(chat::is_line) {
        return Some(Form::Lines);
    }
    hunt(&head, desktop::is_row).then_some(Form::Desktop)
}

/// The first frame of an Android backup: its length, then a header with salt and version.
fn is_backup(head: &[u8]) -> bool {
    matches!(head, [0, 0, 0, 1..=127, 0x0a, ..])
}

/// The folder of a file, with the slash.
fn folder(path: &str) -> &str {
    path.get(..path.rfind('/').map_or(0, |i| i + 1)).unwrap_or_default()
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut claimed: Vec<usize> = export.unclaimed().map(|(i, _)| i).filter(|i| form(export, *i).is_some()).collect();
    let path = |i: usize| export.files().get(i).map_or("", |f| f.path.as_str());
    // sigexport writes every chat a second time for a browser.
    let twins: Vec<usize> = (0..export.files().len())
        .filter(|i| path(*i).rsplit('/').next() == Some("index.html"))
        .filter(|i| claimed.iter().any(|c| folder(path(*c)) == folder(path(*i)) && is_sigexport(path(*c))))
        .collect();
    claimed.extend(twins);
    (!claimed.is_empty()).then_some(claimed)
}

fn is_sigexport(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("chat.md" | "index.md" | "data.json"))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let media = Media::new(export);
    let forms: Vec<(usize, Form)> = files.iter().filter_map(|i| Some((*i, form(export, *i)?))).collect();
    let path = |i: usize| export.files().get(i).map_or("", |f| f.path.as_str());
    for &(i, form) in &forms {
        // The same chat as data.json, with seconds and less markup.
        let twin = |(other, form): &(usize, Form)| *form == Form::Lines && folder(path(*other)) == folder(path(i));
        match form {
            Form::Chat if is_sigexport(path(i)) && forms.iter().any(twin) => {}
            Form::Official => official::read(export, i, options, &media, out)?,
            Form::Lines => chat::read_lines(export, i, options, &media, out)?,
            Form::Chat => chat::read_chat(export, i, options, &media, out)?,
            Form::Tools => chat::read_tools(export, i, options, &media, out)?,
            Form::Desktop => desktop::read(export, i, options, &media, out)?,
            Form::Encrypted => {
                let reason = "this backup of Signal is encrypted; export the chats in Signal itself (Settings, Chats, Export chat history)";
                let _ = out.failed(reason, export.place(i, 0));
            }
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}
