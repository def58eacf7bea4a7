//! Which format has which sample: the one whose folder it lies in. Every file is read alone, and every folder as a
//! whole; whatever else claims one of them is wrong.

use crate::reading::{fixture, options};
use evoke_import::{ImportError, read};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    path::Path,
};

#[path = "../../examples/formats.rs"]
mod formats;

/// Folders of samples that bear another name than their format, as published.
const CALLED: [(&str, &str); 3] = [("claude_ai", "claude"), ("email", "mail"), ("html", "documents")];

/// Samples of another format than their folder says, where they are alone.
const ELSEWHERE: [(&str, &str); 11] = [
    ("bear/obsidian-importer__textbundle-v1/Textbundle Example v1.textbundle/text.md", "markdown"),
    ("bear/obsidian-importer__textbundle-v2/Textbundle Example v2.textbundle/text.markdown", "markdown"),
    ("documents/langchain-community__fake-email-attachment.eml", "mail"),
    ("gemini/agent-sessions__gemini-cli-small.json__small.json", "gemini_cli"),
    ("gemini/polylogue__aistudio-drive-hinted.json", "ai_studio"),
    ("gemini/polylogue__aistudio-drive.json", "ai_studio"),
    ("gemini/polylogue__code_execution_session.json", "ai_studio"),
    ("gemini/polylogue__multi_turn_prompt.json", "ai_studio"),
    ("gemini/polylogue__multimodal_session.json", "ai_studio"),
    // A table of a person's own, for all that it says.
    ("linkedin/kawsay__kawsay-linkedin/Rich_Media.csv", "documents"),
    ("whatsapp/whatsapp-chat-parser__date-formats.tsv", "documents"),
];

/// Ends of paths that no format has where they are alone: pictures, settings, lists of members, a mailbox without
/// a mail, the log of a database, notebooks and tags of
/// Joplin, and a page of messages under a name that no export gives it.
const REFUSED: [&str; 24] = [
    ".jpg",
    ".png",
    "assets",
    "info.json",
    "Users",
    "User 1234",
    "written__message_1.html",
    ".obsidian",
    "app.json",
    "images",
    "skype/written/media",
    "0-weu-d1-abc.json",
    "List.json",
    "TakeoutReader__empty.mbox",
    "-000000000003.json",
    ".jpeg",
    "photos",
    "sqlite-wal",
    "Media",
    "media-1",
    "Accounts",
    "0F7D6A10-0000-4000-8000-000000000001",
    "joplin/written/resources",
    "0000000000000000000f.md",
];

/// Members' and channels' lists end like their messages.
const READ: &str = "/messages_cccccccc-0000-0000-0000-000000000003.json";

/// By path below `tests/fixtures`: what claims it, or nothing.
fn claimed(path: &Path) -> BTreeSet<&'static str> {
    match read(path, &options(), &mut |_| ControlFlow::Continue(()), &mut |_, _| ()) {
        Ok(formats) => formats.into_iter().map(|f| f.key).collect(),
        Err(ImportError::UnknownFormat { .. } | ImportError::Empty { .. }) => BTreeSet::new(),
        Err(other) => panic!("{path:?}: {other}"),
    }
}

fn expected(path: &str) -> BTreeSet<&'static str> {
    let refused = REFUSED.iter().any(|end| path.ends_with(end));
    if refused && !path.ends_with(READ) {
        return BTreeSet::new();
    }
    if let Some((_, key)) = ELSEWHERE.iter().find(|(place, _)| path == *place) {
        return BTreeSet::from([*key]);
    }
    let folder = path.split('/').next().unwrap_or_default();
    let called = CALLED.iter().find(|(name, _)| *name == folder).map_or(folder, |(_, key)| key);
    evoke_import::FORMATS.iter().map(|f| f.key).filter(|key| *key == called).collect()
}

/// What every path should be claimed by: a folder by what lies in it.
fn table(folder: &Path, inside: &str, all: &mut BTreeMap<String, BTreeSet<&'static str>>) -> BTreeSet<&'static str> {
    let mut whole = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let path = if inside.is_empty() { name.clone() } else { format!("{inside}/{name}") };
        let keys = match name.as_str() {
            "SOURCES.md" | "LICENSES" => continue,
            _ if entry.path().is_dir() => {
                let keys = table(&entry.path(), &path, all);
                // In a bundle or an export the format of the whole has all, and the table beside is left.
                let one = expected(&format!("{path}/"));
                let keys = if path.contains("textbundle") || path.starts_with("linkedin/") { one } else { keys };
                if REFUSED.iter().any(|end| path.ends_with(end)) { BTreeSet::new() } else { keys }
            }
            _ => expected(&path),
        };
        whole.extend(keys.iter().copied());
        all.insert(path, keys);
    }
    whole
}

#[test]
fn every_sample_is_read_by_the_format_of_its_folder_alone() {
    let mut all = BTreeMap::new();
    table(&fixture(""), "", &mut all);
    assert!(all.len() > 250);
    let mut wrong = String::new();
    for (path, mut keys) in all {
        let mut found = claimed(&fixture(&path));
        if !path.contains('/') {
            // The note on sources is one of the person's own notes, for all that it says.
            for keys in [&mut found, &mut keys] {
                keys.remove("markdown");
                keys.remove("documents");
            }
        }
        if found != keys {
            wrong += &format!("{path}: {found:?}, not {keys:?}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_list_of_formats_is_up_to_date() {
    let written = fs::read_to_string(fixture("../../docs/formats.md")).unwrap_or_default();
    let now = formats::page().unwrap();
    let line = written.lines().zip(now.lines()).find(|(a, b)| a != b);
    assert!(written == now, "cargo run -p evoke-import --example formats > docs/formats.md ({line:?})");
}
