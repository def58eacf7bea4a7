//! What is on this computer and could be imported: told from names, sizes and dates. No file is opened.
//!
//! Where an app keeps its own folder it is looked for there; notes and exports are looked for where people put them.

use evoke_message::Discovered;
use std::{
    collections::BTreeSet,
    fs::{self, Metadata},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// Folders below the home folder in which vaults are looked for.
const DEEP: usize = 5;
/// Files counted of one find.
const MOST: u64 = 200_000;
/// Folders looked into at most.
const FOLDERS: usize = 50_000;

/// Apps that keep a folder or file of their own: where, the format, what it is called, and the endings that count.
const PLACES: [(&str, &str, &str, &[&str]); 6] = [
    (".claude/projects", "claude_code", "Claude Code sessions", &["jsonl"]),
    (".codex/sessions", "codex", "Codex sessions", &["jsonl", "zst"]),
    (".codex/archived_sessions", "codex", "Codex sessions, archived", &["jsonl", "zst"]),
    (".gemini/tmp", "gemini_cli", "Gemini CLI sessions", &["json", "jsonl"]),
    ("Library/Messages/chat.db", "imessage", "Messages on this Mac", &[]),
    (".mozilla/firefox", "browser", "Firefox history", &["sqlite"]),
];

/// Where vaults lie that no walk through the home folder meets.
const CLOUDS: [&str; 2] = ["Library/Mobile Documents/iCloud~md~obsidian/Documents", "Library/CloudStorage"];
/// Where exports are put.
const DROPS: [&str; 5] =
    ["Downloads", "Desktop", "Documents", "Downloads/Telegram Desktop", "Documents/Telegram Desktop"];
/// Folders that hold no notes of a person, or too much.
const PASSED: [&str; 8] =
    ["Library", "node_modules", "target", "AppData", "snap", "venv", "__pycache__", "Applications"];

/// Looks through the home folder of somebody.
pub fn discover(home: &Path) -> Vec<Discovered> {
    let mut found = Vec::new();
    for (place, source, label, endings) in PLACES {
        found.extend(look(&home.join(place), source, label, endings, true));
    }
    let mut vaults = BTreeSet::new();
    let mut left = FOLDERS;
    find_vaults(home, DEEP, &mut left, &mut vaults);
    for cloud in CLOUDS {
        find_vaults(&home.join(cloud), DEEP, &mut left, &mut vaults);
    }
    for (path, label) in vaults {
        found.extend(look(&path, "markdown", label, &["md"], true));
    }
    for folder in DROPS {
        for path in entries(&home.join(folder)) {
            if let Some((source, label)) = named_like(&path) {
                found.extend(look(&path, source, label, &[], false));
            }
        }
    }
    found.sort_by(|a, b| b.last.cmp(&a.last).then(a.path.cmp(&b.path)));
    found.dedup_by(|a, b| a.path == b.path);
    found
}

/// What is at a place: nothing where there are no files with one of the endings.
fn look(path: &Path, source: &str, label: &str, endings: &[&str], watchable: bool) -> Option<Discovered> {
    let about = fs::metadata(path).ok()?;
    let mut all = Discovered {
        source: source.to_owned(),
        label: label.to_owned(),
        path: path.display().to_string(),
        files: 0,
        bytes: 0,
        first: None,
        last: None,
        watchable: watchable && about.is_dir(),
        more: false,
        imported: None,
    };
    count(path, &about, endings, &mut all);
    (all.files > 0).then_some(all)
}

fn count(path: &Path, about: &Metadata, endings: &[&str], all: &mut Discovered) {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if about.is_file() && (endings.is_empty() || ending.is_some_and(|e| endings.contains(&e.as_str()))) {
        let time = changed(about);
        all.files += 1;
        all.bytes += about.len();
        all.first = [all.first, time].into_iter().flatten().min();
        all.last = all.last.max(time);
    }
    if !about.is_dir() {
        return;
    }
    for inner in entries(path) {
        if all.files >= MOST {
            all.more = true;
            return;
        }
        // Links are not followed: they lead round in circles, and out of the folder.
        if let Ok(about) = fs::symlink_metadata(&inner)
            && !is_hidden(&inner)
        {
            count(&inner, &about, endings, all);
        }
    }
}

fn find_vaults(folder: &Path, deep: usize, left: &mut usize, found: &mut BTreeSet<(PathBuf, &'static str)>) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    let inner = entries(folder);
    let has = |name: &str| inner.iter().any(|p| p.file_name().is_some_and(|n| n == name) && p.is_dir());
    if has(".obsidian") {
        found.insert((folder.to_owned(), "Obsidian vault"));
        return;
    }
    if has("logseq") && (has("pages") || has("journals")) {
        found.insert((folder.to_owned(), "Logseq graph"));
        return;
    }
    if deep == 0 {
        return;
    }
    for path in inner {
        let passed = path.file_name().is_some_and(|n| PASSED.iter().any(|p| n == *p));
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|about| about.is_dir());
        if is_folder && !passed && !is_hidden(&path) {
            find_vaults(&path, deep - 1, left, found);
        }
    }
}

/// The format that an export of this name most likely has.
fn named_like(path: &Path) -> Option<(&'static str, &'static str)> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let is_folder = path.is_dir();
    let zip = ending == "zip";
    let or_zip = is_folder || zip;
    let begins = |start: &str| name.starts_with(start);
    let is_hash = |text: &str| text.len() >= 32 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    Some(match () {
        () if name.contains("whatsapp") && (or_zip || ending == "txt") => ("whatsapp", "WhatsApp chat"),
        () if is_folder && (begins("chatexport_") || begins("dataexport_")) => ("telegram", "Telegram export"),
        () if or_zip && (begins("signal-export") || begins("signal export")) => ("signal", "Signal export"),
        () if zip && begins("takeout-") => ("", "Google Takeout"),
        () if zip && begins("data-") && stem.contains("batch") => ("claude", "Claude.ai export"),
        () if or_zip && begins("facebook-") => ("facebook", "Facebook export"),
        () if or_zip && begins("instagram-") => ("instagram", "Instagram export"),
        () if or_zip && begins("twitter-") => ("twitter", "X archive"),
        () if zip && name.contains("slack export") => ("slack", "Slack export"),
        () if zip && name.contains("linkedindataexport") => ("linkedin", "LinkedIn export"),
        () if zip && stem == "package" => ("discord", "Discord data package"),
        () if zip
            && stem.contains("export-")
            && stem.get(..8).is_some_and(|s| s.chars().all(|c| c.is_ascii_hexdigit())) =>
        {
            ("notion", "Notion export")
        }
        () if zip && stem.split('-').next().is_some_and(|first| first.len() >= 64 && is_hash(first)) => {
            ("chatgpt", "ChatGPT export")
        }
        () if zip && name.contains("chatgpt") => ("chatgpt", "ChatGPT export"),
        () if ending == "xml" && (begins("sms-") || begins("calls-")) => ("sms", "SMS backup"),
        () if ending == "enex" => ("evernote", "Evernote notes"),
        () if ending == "jex" => ("joplin", "Joplin notes"),
        () if ending == "mbox" => ("mail", "Mailbox"),
        () => return None,
    })
}

/// What is in a folder, in the order of names; nothing where it may not be looked into.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    all.sort();
    all
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'))
}

/// UTC milliseconds.
pub(crate) fn changed(about: &Metadata) -> Option<i64> {
    let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_known_by_their_names() {
        let hash = "a1".repeat(32);
        for (name, expected) in [
            ("WhatsApp Chat - Ana.zip", Some("whatsapp")),
            ("takeout-20260101T000000Z-001.zip", Some("")),
            (&format!("{hash}-2026-01-02-03-04-05-b2.zip"), Some("chatgpt")),
            ("data-2026-01-02-03-04-05-batch-0000.zip", Some("claude")),
            ("Ours Slack export Jan 1 2023 - Mar 1 2023.zip", Some("slack")),
            ("1234abcd-0000_Export-99.zip", Some("notion")),
            ("sms-20260101.xml", Some("sms")),
            ("holiday.zip", None),
            ("notes.txt", None),
        ] {
            assert_eq!(named_like(Path::new(name)).map(|n| n.0), expected, "{name}");
        }
    }
}
