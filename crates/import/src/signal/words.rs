//! Signal's formatted text as Markdown: ranges of styles and mentions, counted in UTF-16 units.

use super::people::People;
use crate::values::{array, number, text};
use serde_json::Value;

/// `{body, bodyRanges}` with its mentions by name; `whole` takes the place of a body that was cut.
pub(super) fn of(said: &Value, whole: Option<&str>, people: &People) -> String {
    let body = whole.unwrap_or_else(|| text(said, "body"));
    let ranges = array(said, "bodyRanges");
    if ranges.is_empty() { body.trim().to_owned() } else { marked(body, ranges, people).trim().to_owned() }
}

fn marked(body: &str, ranges: &[Value], people: &People) -> String {
    let units: Vec<u16> = body.encode_utf16().collect();
    // What is written before each unit: ends of marks, then beginnings.
    let mut ends: Vec<(usize, &str)> = Vec::new();
    let mut starts: Vec<(usize, &str)> = Vec::new();
    let mut mentions: Vec<(usize, usize, String)> = Vec::new();
    for range in ranges.iter().take(10_000) {
        let at = |key: &str| number(range.get(key)).filter(|n| *n >= 0.0).map_or(0, |n| n as usize);
        let (start, end) = (at("start"), at("start").saturating_add(at("length")).min(units.len()));
        if start >= end {
            continue;
        }
        let mention = range.get("mentionAci").and_then(Value::as_str);
        if let Some(account) = mention {
            mentions.push((start, end, format!("@{}", people.name_of(account))));
        } else if let (Some(mark), Some((start, end))) = (mark(range), inked(&units, start, end)) {
            starts.push((start, mark));
            ends.push((end, mark));
        }
    }
    let mut out: Vec<u16> = Vec::with_capacity(units.len());
    let mut at = 0;
    while at <= units.len() {
        ends.iter().rev().filter(|(i, _)| *i == at).for_each(|(_, mark)| out.extend(mark.encode_utf16()));
        starts.iter().filter(|(i, _)| *i == at).for_each(|(_, mark)| out.extend(mark.encode_utf16()));
        if let Some((_, end, name)) = mentions.iter().find(|(start, ..)| *start == at) {
            out.extend(name.encode_utf16());
            at = *end;
            continue;
        }
        out.extend(units.get(at));
        at += 1;
    }
    String::from_utf16_lossy(&out)
}

fn mark(range: &Value) -> Option<&'static str> {
    let name = match range.get("style")? {
        Value::String(name) => name.as_str(),
        Value::Number(n) => match n.as_u64()? {
            1 => "BOLD",
            2 => "ITALIC",
            4 => "STRIKETHROUGH",
            5 => "MONOSPACE",
            _ => return None,
        },
        _ => return None,
    };
    match name {
        "BOLD" => Some("**"),
        "ITALIC" => Some("*"),
        "STRIKETHROUGH" => Some("~~"),
        "MONOSPACE" => Some("`"),
        _ => None,
    }
}

/// The range without the blanks at its ends: marks stand next to a word. None across lines.
fn inked(units: &[u16], start: usize, end: usize) -> Option<(usize, usize)> {
    let blank = |u: &u16| matches!(*u, 0x20 | 0x09 | 0x0a | 0x0d);
    let range = units.get(start..end)?;
    let first = range.iter().position(|u| !blank(u))?;
    let last = range.iter().rposition(|u| !blank(u))?;
    let inner = range.get(first..=last)?;
    (!inner.contains(&0x0a)).then_some((start + first, start + last + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ranges_count_utf16_units() {
        let mut people = People::default();
        people.take(&json!({"recipient": {"id": "2", "contact": {"aci": "AAECAwQFBgcICQoLDA0ODw==", "profileGivenName": "Bo"}}}));
        for (said, meant) in [
            (json!({"body": " plain "}), "plain"),
            (
                json!({"body": "😀 bold it", "bodyRanges": [{"start": 3, "length": 5, "style": "BOLD"}, {"start": 8, "length": 2, "style": "ITALIC"}]}),
                "😀 **bold** *it*",
            ),
            (
                json!({"body": "hi \u{fffc}!", "bodyRanges": [{"start": 3, "length": 1, "mentionAci": "AAECAwQFBgcICQoLDA0ODw=="}]}),
                "hi @Bo!",
            ),
            (json!({"body": "\u{fffc}", "bodyRanges": [{"length": 1, "mentionAci": "unknown"}]}), "@somebody"),
            (
                json!({"body": "ab", "bodyRanges": [{"length": 2, "style": "BOLD"}, {"length": 2, "style": "ITALIC"}, {"start": 1, "length": 99, "style": "SPOILER"}]}),
                "***ab***",
            ),
            (json!({"body": "a", "bodyRanges": [{"start": 7, "length": 2, "style": "BOLD"}]}), "a"),
        ] {
            assert_eq!(of(&said, None, &people), meant, "{said}");
        }
    }
}
