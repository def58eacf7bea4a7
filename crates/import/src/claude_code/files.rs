//! The files of a `.claude` folder or a part of it: which hold sessions, which titles, which are the
//! program's own.

use super::{FORMAT, File};
use crate::{
    Options,
    agent::Named,
    export::Export,
    json, jsonl,
    out::Out,
    values::{array, text},
};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Session,
    Subagent,
    /// Prompts of all projects.
    History,
    /// `sessions-index.json` and what is kept beside a subagent.
    Titles,
    /// Pasted texts, by their hashes.
    Paste,
    /// The program's own: nobody's words.
    Other,
}

/// Folders of `.claude` that hold what the program keeps for itself.
const OWN: [&str; 12] = [
    "plugins",
    "shell-snapshots",
    "todos",
    "statsig",
    "file-history",
    "debug",
    "ide",
    "session-env",
    "telemetry",
    "cache",
    "backups",
    "downloads",
];

/// Claimed files and what they are, by path.
pub(super) fn of(export: &Export) -> Vec<(usize, Role)> {
    let mut found: Vec<(usize, Role)> = export
        .files()
        .iter()
        .enumerate()
        .filter_map(|(i, file)| role(export, i, &file.path.to_ascii_lowercase()).map(|role| (i, role)))
        .collect();
    if !found.iter().any(|(_, role)| matches!(role, Role::Session | Role::Subagent | Role::History)) {
        return Vec::new();
    }
    let known: HashSet<usize> = found.iter().map(|(i, _)| *i).collect();
    let roots: HashSet<&str> = found
        .iter()
        .filter_map(|(i, _)| {
            export.files().get(*i)?.path.rfind("projects/").and_then(|at| export.files().get(*i)?.path.get(..at))
        })
        .collect();
    let own = |path: &str| {
        path.contains("/tool-results/")
            || roots
                .iter()
                .any(|root| path.strip_prefix(root).is_some_and(|rest| OWN.iter().any(|own| under(rest, own))))
    };
    let paste =
        |path: &str| roots.iter().any(|root| path.strip_prefix(root).is_some_and(|rest| under(rest, "paste-cache")));
    let others: Vec<(usize, Role)> = export
        .files()
        .iter()
        .enumerate()
        .filter(|(i, _)| !known.contains(i))
        .filter_map(|(i, file)| match () {
            () if paste(&file.path) => Some((i, Role::Paste)),
            () if own(&file.path) => Some((i, Role::Other)),
            () => None,
        })
        .collect();
    found.extend(others);
    found
}

fn under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn role(export: &Export, i: usize, path: &str) -> Option<Role> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "sessions-index.json" || (name.starts_with("agent-") && name.ends_with(".meta.json")) {
        return Some(Role::Titles);
    }
    let lines = name.ends_with(".jsonl") || export.files().len() == 1;
    let head = lines.then(|| export.head(i).ok()).flatten()?;
    let first: Vec<Vec<&str>> = head
        .split(|b| *b == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| line.starts_with(b"{"))
        .take(30)
        .map(json::keys)
        .collect();
    let has = |keys: &[&str]| first.iter().any(|line| keys.iter().all(|k| line.contains(k)));
    if first.iter().any(|line| line.contains(&"projectHash")) || has(&["type", "payload"]) {
        return None;
    }
    let session = has(&["sessionId", "type", "uuid"])
        || has(&["type", "message", "uuid", "timestamp"])
        || has(&["type", "summary", "leafUuid"])
        || (has(&["type", "sessionId"]) && !has(&["type", "sessionId", "data"]));
    match () {
        () if session && subagent(name.trim_end_matches(".jsonl")).is_some() => Some(Role::Subagent),
        () if session => Some(Role::Session),
        () if has(&["display", "timestamp"]) && (has(&["project"]) || has(&["pastedContents"])) => Some(Role::History),
        () => None,
    }
}

/// The id in `agent-<id>`, which ends in hexadecimal digits.
fn subagent(stem: &str) -> Option<&str> {
    let id = stem.strip_prefix("agent-")?;
    let last = id.rsplit('-').next()?;
    (last.len() >= 6 && last.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
}

/// What is known of a file before its lines are read.
pub(super) fn about(export: &Export, at: usize, options: &Options) -> File {
    let (path, modified) = export.files().get(at).map_or(("", None), |f| (f.path.as_str(), f.modified));
    let mut folders = path.rsplit('/');
    let stem = folders.next().unwrap_or_default().trim_end_matches(".jsonl");
    let subagent = subagent(stem).map(str::to_owned);
    let parent = folders.next().filter(|folder| *folder == "subagents").and_then(|_| folders.next()).map(str::to_owned);
    let replay =
        subagent.as_deref().is_some_and(|a| ["acompact", "aprompt_suggestion"].iter().any(|made| a.starts_with(made)));
    File { session: stem.to_owned(), parent, subagent, replay, otherwise: modified.unwrap_or(options.now) }
}

/// Sessions by the times in their first lines, so that lines belong to the session that had them first:
/// a copy begins like what it was made of, and goes on later.
pub(super) fn oldest_first(export: &Export, files: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut files: Vec<_> = files
        .map(|i| {
            let head = export.head(i).unwrap_or_default();
            let lines = jsonl::first(&head, 200);
            let chat = lines.iter().filter(|line| matches!(text(line, "type"), "user" | "assistant"));
            let times: Vec<String> =
                chat.map(|line| text(line, "timestamp").to_owned()).filter(|t| !t.is_empty()).collect();
            let (first, last) = (times.iter().min().cloned(), times.iter().max().cloned());
            let (modified, size) = export.files().get(i).map_or((None, 0), |f| (f.modified, f.size));
            (first.is_none(), first, last, modified, size, i)
        })
        .collect();
    files.sort();
    files.into_iter().map(|file| file.5).collect()
}

/// Titles of sessions by their ids, and of subagents by their names.
pub(super) fn titles(export: &Export, files: &[(usize, Role)], options: &Options) -> HashMap<String, (Named, String)> {
    let mut titles = HashMap::new();
    for (i, _) in files.iter().filter(|(_, role)| *role == Role::Titles) {
        let Some(value) = small(export, *i, options) else { continue };
        for entry in array(&value, "entries") {
            let named = [("customTitle", Named::Owner), ("summary", Named::Summary), ("firstPrompt", Named::Words)];
            let best =
                named.iter().find(|(key, _)| !matches!(text(entry, key), "" | "No prompt" | "User Exits CLI Session"));
            if let Some((key, by)) = best {
                titles.insert(text(entry, "sessionId").to_owned(), (*by, text(entry, key).to_owned()));
            }
        }
        let name = export.files().get(*i).map(|f| f.file_name().trim_end_matches(".meta.json").to_owned());
        let what = [text(&value, "description"), text(&value, "agentType")].into_iter().find(|t| !t.is_empty());
        if let (Some(name), Some(what)) = (name, what.filter(|_| value.get("entries").is_none())) {
            let by = if text(&value, "description").is_empty() { Named::Words } else { Named::Program };
            titles.insert(name, (by, what.to_owned()));
        }
    }
    titles
}

/// A file of JSON that is small enough to be held.
fn small(export: &Export, i: usize, options: &Options) -> Option<Value> {
    let mut bytes = Vec::new();
    export.open(i).ok()?.take(options.limits.record as u64).read_to_end(&mut bytes).ok()?;
    json::parse(&bytes).ok().map(|(value, _)| value)
}

/// A text that was pasted into a prompt and is kept by its hash.
pub(super) fn pasted(export: &Export, hash: &str, options: &Options) -> Option<String> {
    let name = format!("paste-cache/{hash}.txt");
    let i = export.files().iter().position(|f| f.path.ends_with(&name))?;
    let mut bytes = Vec::new();
    export.open(i).ok()?.take(options.limits.record as u64).read_to_end(&mut bytes).ok()?;
    Some(crate::text::decode(&bytes).0.into_owned())
}

/// For the receipt: that there were files which hold nobody's words.
pub(super) fn note_others(files: &[(usize, Role)], out: &mut Out) {
    let others = files.iter().filter(|(_, role)| *role == Role::Other).count();
    if others > 0 {
        out.note(format!(
            "Files that {} keeps for itself (plugins, snapshots, lists), left out: {others}.",
            FORMAT.label
        ));
    }
}
