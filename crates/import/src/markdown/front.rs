//! The properties above a note: YAML between `---`, TOML between `+++`, a JSON object.
//!
//! Templates leave `{{date}}` behind and people write by hand: what is not valid is kept as text.

use serde_norway::Value;

/// Longest block of properties. A longer one is text between two lines.
const LONGEST: usize = 64 << 10;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Front {
    /// Names with the plain values below them, in order.
    fields: Vec<(String, Vec<String>)>,
    /// The block itself, where it could not be understood.
    pub(super) kept_as_text: Option<String>,
    /// Lines that it and its borders take.
    pub(super) lines: usize,
}

/// Properties that say nothing about what a note says.
const NOT_SAID: [&str; 9] =
    ["title", "cssclass", "cssclasses", "id", "uid", "uuid", "publish", "kanban-plugin", "position"];

pub(super) const CREATED: [&str; 13] = [
    "created",
    "date",
    "created_at",
    "created at",
    "date created",
    "date_created",
    "date-created",
    "createdat",
    "creation date",
    "creation_date",
    "created-at",
    "ctime",
    "day",
];

pub(super) const UPDATED: [&str; 13] = [
    "updated",
    "modified",
    "updated_at",
    "updated at",
    "date modified",
    "date_modified",
    "date-modified",
    "date updated",
    "updatedat",
    "last modified",
    "last_modified",
    "lastmod",
    "mtime",
];

impl Front {
    /// The properties at the beginning of `text`, and the text below them.
    pub(super) fn split(text: &str) -> (Self, &str) {
        if let Some((block, body)) = json(text) {
            let fields = yaml(block).unwrap_or_default();
            return (Self { fields, kept_as_text: None, lines: block.lines().count() }, body);
        }
        let Some((block, body, mark)) = block(text) else { return (Self::default(), text) };
        let lines = block.lines().count() + 2;
        let parsed = if mark == "---" { yaml(block) } else { None };
        let front = match parsed {
            Some(fields) => Self { fields, kept_as_text: None, lines },
            None if mark == "+++" => Self { fields: by_line(block, '='), kept_as_text: None, lines },
            None => Self { fields: by_line(block, ':'), kept_as_text: Some(block.trim_end().to_owned()), lines },
        };
        (front, body)
    }

    /// Properties that are already told apart.
    pub(super) fn of(fields: Vec<(String, Vec<String>)>) -> Self {
        Self { lines: fields.len(), fields, kept_as_text: None }
    }

    /// First value of the first of `names` that has one.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names
            .iter()
            .find_map(|name| self.fields.iter().find(|(n, _)| n.to_lowercase() == *name)?.1.first())
            .map(String::as_str)
    }

    /// Tags and properties in words, to stand above the text; empty where there are none.
    pub(super) fn in_words(&self) -> String {
        if let Some(text) = &self.kept_as_text {
            return text.clone();
        }
        let mut lines = Vec::new();
        for (name, values) in &self.fields {
            let lower = name.to_lowercase();
            let said = ![&NOT_SAID[..], &CREATED[..], &UPDATED[..]].iter().any(|names| names.contains(&lower.as_str()));
            match lower.as_str() {
                _ if values.is_empty() => {}
                "tags" | "tag" => lines.push(tags(values)),
                _ if said => lines.push(format!("{name}: {}", values.join(", "))),
                _ => {}
            }
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }
}

fn tags(values: &[String]) -> String {
    let words = values.iter().flat_map(|value| value.split([',', ' '])).map(|tag| tag.trim().trim_start_matches('#'));
    words.filter(|tag| !tag.is_empty()).map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" ")
}

/// The block, what follows it, and its border.
fn block(text: &str) -> Option<(&str, &str, &'static str)> {
    let (first, rest) = text.split_once('\n')?;
    let mark = ["---", "+++"].into_iter().find(|mark| first.trim_end() == *mark)?;
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        let end = line.trim_end();
        if end == mark || (mark == "---" && end == "...") {
            return Some((rest.get(..at)?, rest.get(at + line.len()..)?, mark));
        }
        at += line.len();
        if at > LONGEST {
            break;
        }
    }
    None
}

/// An object that ends at the end of a line, with text below it.
fn json(text: &str) -> Option<(&str, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Map<String, serde_json::Value>>();
    if !text.starts_with('{') || text.len() > (1 << 20) || values.next()?.is_err() {
        return None;
    }
    let (block, rest) = text.split_at_checked(values.byte_offset())?;
    let body = rest.strip_prefix('\n')?;
    (!body.trim().is_empty()).then_some((block, body))
}

/// None where it is not a YAML mapping.
fn yaml(block: &str) -> Option<Vec<(String, Vec<String>)>> {
    match serde_norway::from_str::<Value>(block).ok()? {
        Value::Mapping(map) => Some(
            map.iter()
                .filter_map(|(name, value)| {
                    let mut values = Vec::new();
                    plain(value, &mut values, 0);
                    Some((one(name)?, values))
                })
                .collect(),
        ),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

fn plain(value: &Value, out: &mut Vec<String>, depth: usize) {
    match value {
        _ if depth > 8 => {}
        Value::Sequence(values) => values.iter().for_each(|value| plain(value, out, depth + 1)),
        Value::Mapping(map) => map.values().for_each(|value| plain(value, out, depth + 1)),
        Value::Tagged(tagged) => plain(&tagged.value, out, depth + 1),
        other => out.extend(one(other)),
    }
}

/// A plain value in words; what a template left behind is none.
fn one(value: &Value) -> Option<String> {
    let text = match value {
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.trim().to_owned(),
        _ => return None,
    };
    (!text.is_empty() && !text.contains("{{") && !text.contains("<%")).then_some(text)
}

/// What can still be told from a block that is not valid: `name: value` on one line.
fn by_line(block: &str, sign: char) -> Vec<(String, Vec<String>)> {
    let pairs = block.lines().filter_map(|line| line.split_once(sign));
    let read = pairs.filter_map(|(name, value)| {
        let value = value.trim().trim_matches(['"', '\'']);
        let values = value.trim_matches(['[', ']']).split(',').map(|v| v.trim().trim_matches(['"', '\'']).to_owned());
        let values: Vec<String> = values.filter(|v| !v.is_empty() && !v.contains("{{")).collect();
        let plain = !name.starts_with([' ', '\t', '-', '#']) && !name.trim().is_empty();
        plain.then(|| (name.trim().to_owned(), values))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, in_words: &str, body: &str) {
        let (front, rest) = Front::split(text);
        assert_eq!((front.in_words().as_str(), rest), (in_words, body), "{text}");
    }

    #[test]
    fn properties() {
        check("---\ntags: [a, b/c]\nauthor: Ann\ncreated: 2024-01-01\n---\nx", "#a #b/c\nauthor: Ann", "x");
        check("---\ntags: a, b\nAliases:\n  - one\n  - two\n---\r\nx", "#a #b\nAliases: one, two", "x");
        check("---\nrating: 5\nlist: {a: 1, b: [2]}\n...\nx", "rating: 5\nlist: 1, 2", "x");
        check("+++\ntitle = \"T\"\ntags = [\"a\", \"b\"]\n+++\nx", "#a #b", "x");
        check("---\n---\nx", "", "x");
        check("{\n\"title\": \"T\", \"tags\": [\"a\"]\n}\nx {", "#a", "x {");
        check("{{date}}\nx", "", "{{date}}\nx");
    }

    #[test]
    fn what_is_none_stays_text() {
        for text in ["x\n---\na: b\n---\n", "---\nnever closed", "----\na: b\n----\n", ""] {
            check(text, "", text);
        }
    }

    #[test]
    fn what_is_not_valid_still_tells_its_date() {
        let (front, body) = Front::split("---\ndate: 2024-01-31\nwho: [a\n---\nx");
        assert_eq!((front.first(&CREATED), body), (Some("2024-01-31"), "x"));
        assert_eq!(front.kept_as_text.as_deref(), Some("date: 2024-01-31\nwho: [a"));
        let (front, _) = Front::split("---\ntitle: '{{title}}'\ndate: {{date}}\n---\nx");
        assert_eq!((front.first(&["title"]), front.first(&CREATED)), (None, None));
    }
}
