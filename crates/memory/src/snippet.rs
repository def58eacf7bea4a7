//! A hit's text cut around its best match, with what matched in it.

use crate::words::{self, Language};
use evoke_message::Range;
use std::collections::{BTreeSet, HashSet};

/// Characters of a snippet.
const LENGTH: usize = 240;

pub(crate) struct Snippet {
    pub(crate) text: String,
    pub(crate) highlights: Vec<Range>,
    /// Bytes of the snippet in the message's text, without added dots.
    pub(crate) at: std::ops::Range<usize>,
}

/// Cuts `text` around the most matches. `piece` is where meaning search found it.
pub(crate) fn cut(
    text: &str,
    piece: std::ops::Range<usize>,
    query: &HashSet<String>,
    languages: &BTreeSet<Language>,
) -> Snippet {
    let found = matches(text, query, languages);
    let start = densest(&found).unwrap_or_else(|| piece.start.min(text.len()));
    let at = window(text, start);
    let mut shown = String::new();
    if at.start > 0 {
        shown.push_str("… ");
    }
    let lead = shown.len();
    shown.push_str(&text[at.clone()]);
    if at.end < text.len() {
        shown.push('…');
    }
    let highlights = found
        .iter()
        .filter(|m| m.start >= at.start && m.end <= at.end)
        .map(|m| in_utf16(&shown, m.start - at.start + lead..m.end - at.start + lead))
        .collect();
    Snippet { text: shown, highlights, at }
}

/// A byte range as UTF-16 code units, as JavaScript counts.
pub(crate) fn in_utf16(text: &str, at: std::ops::Range<usize>) -> Range {
    let units = |to: usize| text.get(..to).unwrap_or(text).encode_utf16().count() as u32;
    Range { start: units(at.start), end: units(at.end) }
}

/// Runs of words of the query in a text; runs of words that carry nothing ("the", "to") are left out.
fn matches(text: &str, query: &HashSet<String>, languages: &BTreeSet<Language>) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<(std::ops::Range<usize>, bool)> = Vec::new();
    for token in words::tokens(text, words::ENGLISH) {
        let word = &text[token.at.clone()];
        if !words::query_tokens(word, languages).iter().any(|t| query.contains(t)) {
            continue;
        }
        let telling = !EMPTY.contains(&word.to_lowercase().as_str());
        match runs.last_mut() {
            Some((last, tells)) if joins(text, last, &token.at) => {
                last.end = last.end.max(token.at.end);
                *tells |= telling;
            }
            _ => runs.push((token.at, telling)),
        }
    }
    runs.into_iter().filter(|(_, tells)| *tells).map(|(at, _)| at).collect()
}

/// Two matches with nothing but one space between them, or none, are one.
fn joins(text: &str, last: &std::ops::Range<usize>, next: &std::ops::Range<usize>) -> bool {
    next.start <= last.end || text.get(last.end..next.start).is_some_and(|between| between == " ")
}

/// English words that say nothing alone.
const EMPTY: [&str; 60] = [
    "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "with", "and", "or", "but", "not", "is", "are", "was",
    "were", "be", "been", "am", "i", "you", "he", "she", "it", "we", "they", "me", "him", "her", "us", "them", "my",
    "your", "his", "its", "our", "their", "what", "when", "where", "who", "which", "how", "why", "did", "do", "does",
    "has", "have", "had", "that", "this", "from", "as", "if", "so", "will",
];

/// The beginning of the stretch with the most matched characters.
fn densest(found: &[std::ops::Range<usize>]) -> Option<usize> {
    let weight = |from: usize| -> usize {
        found.iter().filter(|m| m.start >= from && m.end <= from + LENGTH).map(|m| m.end - m.start).sum()
    };
    found.iter().map(|m| m.start).max_by_key(|start| (weight(*start), usize::MAX - start))
}

/// A window of `LENGTH` characters that begins somewhat before `start`, at a word.
fn window(text: &str, start: usize) -> std::ops::Range<usize> {
    if text.chars().count() <= LENGTH {
        return 0..text.len();
    }
    let mut before: Vec<usize> = text[..start].char_indices().map(|(i, _)| i).collect();
    let lead = before.split_off(before.len().saturating_sub(LENGTH / 5));
    let from = match lead.first() {
        None | Some(0) => 0,
        Some(&from) => text[from..start].find(char::is_whitespace).map_or(start, |i| from + i + 1),
    };
    let from = (from..=start).find(|i| text.is_char_boundary(*i)).unwrap_or(start);
    let end = text[from..].char_indices().nth(LENGTH).map_or(text.len(), |(i, _)| from + i);
    let end =
        if end == text.len() { end } else { text[from..end].rfind(char::is_whitespace).map_or(end, |i| from + i) };
    from..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, query: &str, bold: &[&str]) {
        let languages = BTreeSet::from([words::ENGLISH]);
        let tokens: HashSet<String> = words::query_tokens(query, &languages).into_iter().collect();
        let snippet = cut(text, 0..text.len(), &tokens, &languages);
        let units: Vec<u16> = snippet.text.encode_utf16().collect();
        let shown: Vec<String> = snippet
            .highlights
            .iter()
            .map(|r| String::from_utf16(&units[r.start as usize..r.end as usize]).unwrap())
            .collect();
        assert_eq!(shown, bold, "{text}");
        assert!(snippet.text.chars().count() <= LENGTH + 4);
    }

    #[test]
    fn bold_is_what_matched() {
        check(
            "ok so it's decided!! we move the trip",
            "when did we decide to move the trip",
            &["decided", "we move the trip"],
        );
        check("👩‍👩‍👧 naïve café", "cafe", &["café"]);
        check("新東京駅で会う", "東京", &["東京"]);
        check("the and to", "the", &[]);
        check(&format!("{} needle {}", "hay ".repeat(300), "hay ".repeat(300)), "needle", &["needle"]);
    }

    #[test]
    fn a_text_without_spaces_is_cut_at_a_character() {
        let text = "長い文章".repeat(200);
        let snippet = cut(&text, 300..600, &HashSet::new(), &BTreeSet::new());
        assert!(text.contains(snippet.text.trim_matches(['…', ' '])));
        assert!(snippet.text.chars().count() <= LENGTH + 4);
    }
}
