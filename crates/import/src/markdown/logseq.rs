//! Graphs of Logseq: what its own marks in Markdown mean. Pages begin with `name:: value` lines, blocks
//! are referred to by `((id))`, and copies that it keeps in `logseq/` are no notes.

use super::front::Front;
use crate::{
    ImportError, Options,
    export::Export,
    note,
    text::{Line, Lines, until},
};
use std::{borrow::Cow, collections::HashMap};

/// Characters kept of a block that is referred to.
const LONGEST: usize = 400;
/// Properties of blocks that say nothing to a person.
const MARKS: [&str; 7] = ["id", "collapsed", "background-color", "heading", "ls-type", "hl-page", "hl-color"];

/// The graphs of an export, by the folders they lie in.
#[derive(Default)]
pub(super) struct Graphs<'a> {
    roots: Vec<&'a str>,
    /// Blocks that have an id.
    blocks: HashMap<String, String>,
}

impl<'a> Graphs<'a> {
    pub(super) fn of(export: &'a Export, files: &[usize], options: &Options) -> Result<Self, ImportError> {
        let roots: Vec<&str> = roots(export).collect();
        let mut graphs = Self { roots, blocks: HashMap::new() };
        for &i in files {
            let path = export.files().get(i).map_or("", |file| file.path.as_str());
            if graphs.root(path).is_some() && note::ending(path) != "canvas" {
                graphs.remember(export, i, options)?;
            }
        }
        Ok(graphs)
    }

    fn remember(&mut self, export: &Export, i: usize, options: &Options) -> Result<(), ImportError> {
        let mut last = String::new();
        for line in Lines::new(export.open(i)?, options.limits.record).map_err(|e| export.trouble(i, e))? {
            let Ok(Line::Text { text, .. }) = line else { continue };
            match property(&text) {
                Some(("id", id)) if !last.is_empty() => {
                    drop(self.blocks.insert(id.to_owned(), std::mem::take(&mut last)))
                }
                Some(_) => {}
                None => last = bullet(&text).chars().take(LONGEST).collect(),
            }
        }
        Ok(())
    }

    fn root(&self, path: &str) -> Option<&'a str> {
        let inside =
            |root: &&&str| root.is_empty() || path.strip_prefix(**root).is_some_and(|rest| rest.starts_with('/'));
        self.roots.iter().filter(inside).max_by_key(|root| root.len()).copied()
    }

    fn inside(&self, path: &'a str) -> Option<&'a str> {
        let root = self.root(path)?;
        Some(path.strip_prefix(root).unwrap_or(path).trim_start_matches('/'))
    }

    /// In `logseq/`: backups and the bin.
    pub(super) fn is_copy(&self, path: &'a str) -> bool {
        self.inside(path).is_some_and(|inside| inside.starts_with("logseq/"))
    }

    /// The properties of a page and its text in plain Markdown; none outside of graphs.
    pub(super) fn page(&self, path: &'a str, text: &str) -> Option<(Front, String)> {
        self.inside(path)?;
        let (front, body) = properties(text);
        Some((front, self.plain(body)))
    }

    /// `a___b.md` and `a%2Fb.md` are the page a/b.
    pub(super) fn title(&self, path: &'a str) -> Option<String> {
        let inside = self.inside(path)?;
        let stem = note::links::percent_decoded(note::stem(path));
        Some(if inside.starts_with("journals/") { stem.replace('_', "-") } else { stem.replace("___", "/") })
    }

    fn plain(&self, body: &str) -> String {
        let mut out = Vec::new();
        let mut log = false;
        for line in body.lines() {
            let bare = line.trim();
            let mark = property(line).is_some_and(|(name, _)| MARKS.contains(&name) || name.starts_with("query-"));
            match bare {
                ":LOGBOOK:" => log = true,
                ":END:" if log => log = false,
                _ if log || mark => {}
                _ => out.push(self.resolved(line)),
            }
        }
        out.join("\n")
    }

    /// `((id))` as what it says; `{{embed …}}` as what it shows.
    fn resolved<'t>(&self, line: &'t str) -> Cow<'t, str> {
        if !line.contains("((") && !line.contains("{{embed") {
            return line.into();
        }
        let (mut out, mut rest) = (String::new(), line);
        while let Some((before, after)) = rest.split_once("((") {
            let Some((id, behind)) = until(after, "))", 64).filter(|(id, _)| is_uuid(id)) else {
                out.push_str(before);
                out.push_str("((");
                rest = after;
                continue;
            };
            let before = before.strip_suffix("{{embed ").unwrap_or(before);
            rest = behind.strip_prefix("}}").unwrap_or(behind);
            out.push_str(before);
            match self.blocks.get(id) {
                Some(said) => out.push_str(said),
                None => out.push_str(&format!("(({id}))")),
            }
        }
        out.push_str(rest);
        if let Some((before, after)) = out.split_once("{{embed [[").map(|(b, a)| (b.to_owned(), a.to_owned())) {
            out = format!("{before}[[{}", after.replacen("]]}}", "]]", 1));
        }
        out.into()
    }
}

/// Folders that hold `logseq/config.edn`.
pub(super) fn roots(export: &Export) -> impl Iterator<Item = &str> {
    export.files().iter().filter_map(|file| {
        let root = file.path.strip_suffix("logseq/config.edn")?;
        (root.is_empty() || root.ends_with('/')).then(|| root.trim_end_matches('/'))
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

fn bullet(line: &str) -> &str {
    let bare = line.trim();
    bare.strip_prefix("- ").unwrap_or(bare).trim()
}

/// `name:: value`, in a block or below one.
fn property(line: &str) -> Option<(&str, &str)> {
    let (name, value) = bullet(line).split_once("::")?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
    (!name.is_empty() && name.chars().all(plain) && (value.is_empty() || value.starts_with(' ')))
        .then(|| (name, value.trim()))
}

/// The properties of the page itself: those of its first block, and the text below.
fn properties(text: &str) -> (Front, &str) {
    let yaml = Front::split(text);
    if yaml.0.lines > 0 {
        return yaml;
    }
    let (mut pairs, mut at) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let Some((name, value)) = property(line) else { break };
        let links = value.replace("[[", "").replace("]]", "");
        let values = match name {
            "tags" | "alias" | "aliases" => {
                links.split(',').map(|v| v.trim().trim_start_matches('#').to_owned()).collect()
            }
            _ => vec![value.to_owned()],
        };
        let values: Vec<String> = values.into_iter().filter(|v| !v.is_empty()).collect();
        if !MARKS.contains(&name) {
            pairs.push((name.to_owned(), values));
        }
        at += line.len();
    }
    (Front::of(pairs), text.get(at..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_their_properties() {
        let (front, body) = properties("title:: A/B\ntags:: [[x]], #y\nid:: 1\n\n- text\n  key:: value\n");
        assert_eq!((front.first(&["title"]), front.in_words().as_str()), (Some("A/B"), "#x #y"));
        assert_eq!(body, "\n- text\n  key:: value\n");
        assert_eq!(properties("- text:: is\n  no property::x").0.first(&["text"]), Some("is"));
    }

    #[test]
    fn references_are_what_they_say() {
        let id = "64b5e3b1-7c31-4d0a-9d3a-6f4c0c7a1e11";
        let graphs = Graphs { roots: vec![""], blocks: HashMap::from([(id.to_owned(), "the block".to_owned())]) };
        for (line, text) in [
            (format!("- see (({id})) and ((no))"), "- see the block and ((no))"),
            (format!("{{{{embed (({id}))}}}}!"), "the block!"),
            ("- {{embed [[Page]]}} x".to_owned(), "- [[Page]] x"),
            (format!("- a\n  id:: {id}\n  collapsed:: true\n  :LOGBOOK:\n  CLOCK: x\n  :END:\n- b"), "- a\n- b"),
        ] {
            assert_eq!(graphs.plain(&line), text, "{line}");
        }
    }
}
