//! Files that a note shows or links to: pictures, recordings, PDFs. Links to other notes are text.

use crate::{export::Export, mime, text::until};
use evoke_message::Attachment;
use std::collections::HashMap;

/// Endings of notes and of files that apps make of them.
const NOTES: [&str; 5] = ["md", "markdown", "canvas", "base", "html"];

/// The files of a vault by path and by name: the way Obsidian resolves a link.
pub(crate) struct Files<'a> {
    paths: HashMap<&'a str, &'a str>,
}

impl<'a> Files<'a> {
    pub(crate) fn of(export: &'a Export) -> Self {
        let mut paths = HashMap::new();
        let mut shortest: Vec<&str> = export.files().iter().map(|file| file.path.as_str()).collect();
        shortest.sort_by_key(|path| path.len());
        for path in shortest {
            paths.insert(path, path);
            let name = path.rsplit('/').next().unwrap_or(path);
            paths.entry(name).or_insert(path);
        }
        Self { paths }
    }

    /// Beside the note, from the root of the vault, or by name alone.
    fn find(&self, target: &str, note: &str, vault: &str) -> Option<&'a str> {
        let folder = note.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = target.rsplit('/').next().unwrap_or(target);
        let candidates = [join(folder, target), join(vault, target), name.to_owned()];
        candidates.iter().find_map(|path| self.paths.get(path.as_str()).copied())
    }

    /// The file that a link in a page of `folder` leads to; none for addresses and for pages.
    pub(crate) fn file(&self, link: &str, folder: &str) -> Option<Attachment> {
        let target = percent_decoded(link.trim());
        if !is_file(&target) {
            return None;
        }
        let beside = [join(folder, &target), join(folder, link)];
        let name = target.rsplit('/').next().unwrap_or(&target).to_owned();
        let found =
            beside.iter().find_map(|path| self.paths.get(path.as_str())).or_else(|| self.paths.get(name.as_str()));
        let path = found.map(|path| (*path).to_owned());
        let missing = path.is_none().then(|| "not in this export".to_owned());
        Some(Attachment { mime: mime::of_name(&name), name, path, missing })
    }

    /// The files that `text` names, each once.
    pub(crate) fn named_in(&self, text: &str, note: &str, vault: &str) -> Vec<Attachment> {
        let mut out: Vec<Attachment> = Vec::new();
        for target in targets(text) {
            let name = target.rsplit('/').next().unwrap_or(&target).to_owned();
            let path = self.find(&target, note, vault).map(str::to_owned);
            let missing = path.is_none().then(|| "not in this export".to_owned());
            if !out.iter().any(|a| a.name == name && a.path == path) {
                out.push(Attachment { name, mime: None, path, missing });
            }
        }
        out
    }
}

/// Bytes of a link at most.
const LONGEST: usize = 4_096;

/// `folder/../target` without dots.
fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// `![[target|300]]`, `[[target]]`, `![alt](target)`, `[words](target "title")`; only files.
fn targets(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', ']']) {
        let here = rest.get(at..).unwrap_or_default();
        let (target, after) = if let Some(inside) = here.strip_prefix("[[") {
            (until(inside, "]]", LONGEST).map(|(link, _)| link.split(['|', '#']).next().unwrap_or(link)), inside)
        } else if let Some(inside) = here.strip_prefix("](") {
            (until(inside, ")", LONGEST).map(|(link, _)| link.split(" \"").next().unwrap_or(link)), inside)
        } else {
            (None, here.get(1..).unwrap_or_default())
        };
        out.extend(target.map(|t| percent_decoded(t.trim().trim_matches(['<', '>']))).filter(|t| is_file(t)));
        rest = after;
    }
    out
}

fn is_file(target: &str) -> bool {
    let ending =
        target.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_lowercase());
    let is_ending = |e: &String| {
        (1..=5).contains(&e.len())
            && e.chars().all(|c| c.is_ascii_alphanumeric())
            && !e.chars().all(|c| c.is_ascii_digit())
    };
    let is_address = target.contains("://")
        || target.starts_with("mailto:")
        || target.starts_with("data:")
        || target.starts_with('#');
    !is_address && !target.contains('\n') && ending.is_some_and(|e| is_ending(&e) && !NOTES.contains(&e.as_str()))
}

/// `a%20b` as `a b`; what is no valid code stays.
pub(crate) fn percent_decoded(target: &str) -> String {
    let mut out = Vec::with_capacity(target.len());
    let mut bytes = target.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        let code = rest.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                bytes = rest.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_files() {
        for (text, expected) in [
            ("![[a b.png|300]] and [[Note]] and [[Note#Head|x]]", vec!["a b.png"]),
            ("![alt](img/a%20b.png \"t\") [x](https://a.b/c.png) [y](other.md)", vec!["img/a b.png"]),
            ("[[ r.pdf#page=2 ]] [1] [ ] ](", vec!["r.pdf"]),
            ("[[version 1.5]] [[", vec![]),
        ] {
            assert_eq!(targets(text), expected, "{text}");
        }
    }

    #[test]
    fn paths_are_joined_without_dots() {
        assert_eq!(join("a/b", "../c/./d.png"), "a/c/d.png");
        assert_eq!(join("", "/d.png"), "d.png");
    }
}
