//! How Roam writes a block, as Markdown: references and embeds by what they say, to-dos, headings, tables.

use super::{Graph, children, string};
use crate::text::until;
use serde_json::Value;

/// References within references are followed this far.
const DEEPEST: usize = 3;
/// Rows and cells of a table are followed this far.
const WIDEST: usize = 32;
/// Bytes of a mark of Roam at most.
const LONGEST: usize = 4_096;

pub(super) struct Block<'a> {
    pub(super) value: &'a Value,
    pub(super) graph: &'a Graph,
}

impl Block<'_> {
    pub(super) fn is_table(&self) -> bool {
        let mark = string(self.value).trim();
        matches!(mark, "{{table}}" | "{{[[table]]}}") && children(self.value).next().is_some()
    }

    pub(super) fn markdown(&self) -> String {
        if self.is_table() {
            return self.table();
        }
        let text = markdown(string(self.value), self.graph, 0);
        let heading = self.value.get("heading").and_then(Value::as_u64).filter(|n| (1..=6).contains(n));
        match heading {
            Some(level) if !text.is_empty() => format!("{} {text}", "#".repeat(usize::try_from(level).unwrap_or(1))),
            _ => text,
        }
    }

    /// Each chain of first, second, third child is a row.
    fn table(&self) -> String {
        let mut rows = Vec::new();
        for child in children(self.value) {
            self.row(child, &mut Vec::new(), &mut rows);
        }
        rows.join("\n")
    }

    fn row(&self, cell: &Value, before: &mut Vec<String>, rows: &mut Vec<String>) {
        before.push(markdown(string(cell), self.graph, 0));
        let mut below = children(cell).peekable();
        if below.peek().is_none() || before.len() >= WIDEST {
            rows.push(before.join(" | "));
        }
        if before.len() < WIDEST {
            for child in below {
                self.row(child, before, rows);
            }
        }
        before.pop();
    }
}

/// The ids in `((id))`.
pub(super) fn references(text: &str, each: &mut dyn FnMut(&str)) {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("((") {
        rest = after;
        if let Some(uid) = uid(after) {
            each(uid);
        }
    }
}

/// The id before `))`: no spaces, so that words in brackets are none.
fn uid(after: &str) -> Option<&str> {
    let (uid, _) = until(after, "))", 64)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (!uid.is_empty() && uid.chars().all(plain)).then_some(uid)
}

fn markdown(text: &str, graph: &Graph, depth: usize) -> String {
    if text.trim_start().starts_with("```") || depth > DEEPEST {
        return text.trim().to_owned();
    }
    let (mut out, mut rest, mut code) = (String::with_capacity(text.len()), text, false);
    while let Some(c) = rest.chars().next() {
        let taken = if code { None } else { special(rest, graph, depth) };
        match taken {
            Some((said, n)) => {
                out.push_str(&said);
                rest = rest.get(n..).unwrap_or_default();
            }
            None => {
                code ^= c == '`';
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out.trim().to_owned()
}

/// What stands at the beginning of `rest` in Roam's own marks: what it says, and how long it is.
fn special(rest: &str, graph: &Graph, depth: usize) -> Option<(String, usize)> {
    let said = |uid: &str| graph.text(uid).map(|text| markdown(text, graph, depth + 1));
    match rest.as_bytes().first()? {
        b'{' => braces(rest, &said),
        b'(' => {
            let uid = uid(rest.strip_prefix("((")?)?;
            Some((said(uid).unwrap_or_else(|| format!("(({uid}))")), uid.len() + 4))
        }
        // [words](((id))): the words.
        b'[' => {
            let (words, after) = until(rest.get(1..)?, "](((", LONGEST)?;
            let uid = uid(after).filter(|_| !words.contains(['[', ']']))?;
            let after = after.get(uid.len()..)?.strip_prefix(")))")?;
            let words = if matches!(words, "*" | "->" | "") { said(uid).unwrap_or_default() } else { words.to_owned() };
            Some((words, rest.len() - after.len()))
        }
        b'^' => rest.starts_with("^^").then(|| ("==".to_owned(), 2)),
        b'_' => rest.starts_with("__").then(|| ("*".to_owned(), 2)),
        _ => None,
    }
}

/// `{{[[TODO]]}}`, `{{embed: ((id))}}`; other components stay as they are.
fn braces(rest: &str, said: &dyn Fn(&str) -> Option<String>) -> Option<(String, usize)> {
    let inside = rest.strip_prefix("{{")?;
    let (inside, _) = until(inside, "}}", LONGEST)?;
    let len = inside.len() + 4;
    let bare: String = inside.replace("[[", "").replace("]]", "");
    match bare.trim() {
        "TODO" => return Some(("[ ]".to_owned(), len)),
        "DONE" => return Some(("[x]".to_owned(), len)),
        _ => {}
    }
    let (name, target) = inside.split_once(':')?;
    let name = name.replace("[[", "").replace("]]", "");
    if !matches!(name.trim(), "embed" | "embed-path" | "embed-children") {
        return None;
    }
    let target = target.trim();
    let block = target.strip_prefix("((").and_then(uid);
    Some((block.and_then(said).unwrap_or_else(|| target.to_owned()), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut graph = Graph::default();
        graph.texts.insert("abc".to_owned(), "the **block** ((def))".to_owned());
        graph.texts.insert("def".to_owned(), "another ((abc))".to_owned());
        assert_eq!(markdown(text, &graph, 0), expected, "{text}");
    }

    #[test]
    fn marks_of_roam() {
        check("{{[[TODO]]}} call __Bo__", "[ ] call *Bo*");
        check("{{DONE}} ^^yes^^", "[x] ==yes==");
        check("[words](((abc))) and [x](https://a.b)", "words and [x](https://a.b)");
        check("a ((and considered)) aside ((missing))", "a ((and considered)) aside ((missing))");
        check("{{[[embed]]: [[Page]]}} {{query: {and: [[A]]}}}", "[[Page]] {{query: {and: [[A]]}}}");
        check("`((abc))` ((", "`((abc))` ((");
        check("((def))", "another the **block** another the **block** ((def))");
    }
}
