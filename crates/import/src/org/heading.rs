//! An Org file in sections: headings with their keyword, priority and tags, drawers, and times.

use crate::note::{Stamp, day};
use jiff::tz::TimeZone;

/// Words that stand before a title where a file does not name its own.
const KEYWORDS: [&str; 13] = [
    "TODO",
    "DONE",
    "NEXT",
    "WAITING",
    "CANCELLED",
    "CANCELED",
    "HOLD",
    "STARTED",
    "DOING",
    "LATER",
    "NOW",
    "SOMEDAY",
    "INPROGRESS",
];

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heading {
    pub(super) level: usize,
    pub(super) keyword: String,
    pub(super) title: String,
    pub(super) tags: Vec<String>,
}

/// A heading and what stands below it, up to the next; the first is what stands above all headings.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    pub(super) heading: Option<Heading>,
    /// Without drawers.
    pub(super) lines: Vec<&'a str>,
    properties: Vec<(&'a str, &'a str)>,
    /// `#+name: value`
    keywords: Vec<(&'a str, &'a str)>,
    /// In the file, from 1.
    pub(super) line: usize,
}

pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    let mut keywords: Vec<String> = KEYWORDS.iter().map(|k| (*k).to_owned()).collect();
    let mut out = vec![Section { line: 1, ..Section::default() }];
    let (mut drawer, mut block) = (None, None::<String>);
    for (n, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if let Some(heading) = heading(line, &keywords).filter(|_| block.is_none()) {
            out.push(Section { heading: Some(heading), line: n + 1, ..Section::default() });
            drawer = None;
            continue;
        }
        let Some(section) = out.last_mut() else { continue };
        let lower = trimmed.to_lowercase();
        match (&drawer, &block) {
            (Some(_), _) if lower == ":end:" => drawer = None,
            (Some(name), _) if name == "properties" => {
                section.properties.extend(pair(trimmed.strip_prefix(':').unwrap_or_default(), ':'))
            }
            (Some(_), _) => {}
            (None, Some(end)) => {
                section.lines.push(line);
                if lower == *end {
                    block = None;
                }
            }
            (None, None) => {
                if let Some(name) = lower.strip_prefix("#+begin_") {
                    let name = name.split_whitespace().next().unwrap_or_default();
                    block = Some(format!("#+end_{name}"));
                    section.lines.push(line);
                } else if is_drawer(&lower) {
                    drawer = Some(lower.trim_matches(':').to_owned());
                } else if let Some(keyword) = trimmed.strip_prefix("#+").and_then(|k| pair(k, ':')) {
                    if matches!(keyword.0.to_lowercase().as_str(), "todo" | "seq_todo" | "typ_todo") {
                        let words = keyword.1.split([' ', '|']).map(|w| w.split('(').next().unwrap_or(w));
                        keywords.extend(words.filter(|w| !w.is_empty()).map(str::to_owned));
                    }
                    section.keywords.push(keyword);
                } else if !(lower.starts_with("clock:") || trimmed.starts_with("# ") || trimmed == "#") {
                    section.lines.push(line);
                }
            }
        }
    }
    out
}

fn is_drawer(lower: &str) -> bool {
    let name = lower.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    name.is_some_and(|name| matches!(name, "properties" | "logbook"))
}

fn pair(text: &str, sign: char) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(sign)?;
    (!name.is_empty() && !name.contains(' ')).then(|| (name, value.trim()))
}

/// `** TODO [#A] Title :tag:`
fn heading(line: &str, keywords: &[String]) -> Option<Heading> {
    let level = line.bytes().take_while(|b| *b == b'*').count();
    let rest = line.get(level..).filter(|rest| level > 0 && (rest.is_empty() || rest.starts_with([' ', '\t'])))?;
    let mut rest = rest.trim();
    let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let keyword = keywords.iter().find(|k| *k == first).cloned().unwrap_or_default();
    if !keyword.is_empty() {
        rest = after.trim_start();
    }
    if let Some((_, after)) = rest.strip_prefix("[#").and_then(|r| r.split_once(']')).filter(|(p, _)| p.len() <= 2) {
        rest = after.trim_start();
    }
    let (title, tags) = tags(rest);
    Some(Heading { level, keyword, title: title.to_owned(), tags })
}

fn tags(text: &str) -> (&str, Vec<String>) {
    let (title, last) = text.rsplit_once([' ', '\t']).unwrap_or(("", text));
    let inside = last.strip_prefix(':').and_then(|l| l.strip_suffix(':')).unwrap_or_default();
    let is_tag =
        |tag: &str| !tag.is_empty() && tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '%'));
    if !inside.is_empty() && inside.split(':').all(is_tag) {
        (title.trim_end(), inside.split(':').map(str::to_owned).collect())
    } else {
        (text, Vec::new())
    }
}

impl Section<'_> {
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        let found = self.properties.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    pub(super) fn keyword(&self, name: &str) -> Option<&str> {
        let found = self.keywords.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// When it was written: by its property, by a time in its title, by the first inactive time in its
    /// text; else when it was done or planned.
    pub(super) fn created(&self, zone: &TimeZone) -> Option<Stamp> {
        let property =
            ["CREATED", "CREATED_AT", "DATE_CREATED", "CREATED_TIME"].iter().find_map(|name| self.property(name));
        let title = self.heading.as_ref().map(|h| h.title.as_str()).unwrap_or_default();
        let planned = |name: &str| self.lines.iter().find_map(|line| line.split_once(name)).map(|(_, rest)| rest);
        let planning = |line: &&&str| !["SCHEDULED:", "DEADLINE:", "CLOSED:"].iter().any(|name| line.contains(name));
        let inactive = self.lines.iter().filter(planning).find_map(|line| stamp_in(line, '[', zone));
        property
            .and_then(|value| stamp(value, zone))
            .or_else(|| stamp_in(title, '[', zone))
            .or_else(|| stamp_in(title, '<', zone))
            .or(inactive)
            .or_else(|| stamp(planned("CLOSED:")?, zone))
            .or_else(|| stamp(planned("SCHEDULED:")?, zone))
            .or_else(|| stamp(planned("DEADLINE:")?, zone))
    }
}

/// A time with or without its brackets: `[2024-01-31 Wed 10:00]`, `<2024-01-31 Wed 10:00-11:00 +1w>`.
pub(super) fn stamp(text: &str, zone: &TimeZone) -> Option<Stamp> {
    let text = text.trim();
    let bare = text.trim_start_matches(['[', '<']).split([']', '>']).next()?;
    let mut words = bare.split_whitespace();
    let date = words.next().filter(|date| date.len() == 10 && date.bytes().filter(|b| *b == b'-').count() == 2);
    let Some(date) = date else { return day::written(text, zone).map(Stamp::from) };
    let clock = words.find(|word| word.contains(':')).map_or("00:00", |word| word.split('-').next().unwrap_or(word));
    let clock = if clock.len() == 4 { format!("0{clock}") } else { clock.to_owned() };
    let when = day::written(&format!("{date} {clock}"), zone)?;
    Some(Stamp { original: bare.trim().to_owned(), ..Stamp::from(when) })
}

/// The first time in brackets of this kind.
fn stamp_in(text: &str, open: char, zone: &TimeZone) -> Option<Stamp> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(open) {
        rest = after;
        let is_date = after.get(..10).is_some_and(|d| {
            d.bytes().enumerate().all(|(n, b)| if matches!(n, 4 | 7) { b == b'-' } else { b.is_ascii_digit() })
        });
        if is_date {
            return stamp(after, zone);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings() {
        let keywords: Vec<String> = KEYWORDS.iter().map(|k| (*k).to_owned()).collect();
        let check = |line: &str, expected: Option<(usize, &str, &str, usize)>| {
            let found = heading(line, &keywords);
            let found = found.as_ref().map(|h| (h.level, h.keyword.as_str(), h.title.as_str(), h.tags.len()));
            assert_eq!(found, expected, "{line}");
        };
        check("* TODO [#A] Call Bo :home:phone:", Some((1, "TODO", "Call Bo", 2)));
        check("*** Heading: :with:colon:      :tag:", Some((3, "", "Heading: :with:colon:", 1)));
        check("* unicode    :ёж:tag:háček:", Some((1, "", "unicode", 3)));
        check("**bold** text", None);
        check(" * item", None);
        check("*", Some((1, "", "", 0)));
        check("* TODOs", Some((1, "", "TODOs", 0)));
    }

    #[test]
    fn times() {
        let check = |text: &str, expected: Option<&str>| {
            let found = stamp(text, &TimeZone::UTC).and_then(|s| jiff::Timestamp::from_millisecond(s.time).ok());
            assert_eq!(found.map(|t| t.to_string()).as_deref(), expected, "{text}");
        };
        check("[2018-08-06 Mon 22:52]", Some("2018-08-06T22:52:00Z"));
        check("<2024-01-31 Mi 10:00-11:00 +1w>", Some("2024-01-31T10:00:00Z"));
        check("<2024-01-31 9:05>", Some("2024-01-31T09:05:00Z"));
        check("[2024-01-31]", Some("2024-01-31T00:00:00Z"));
        check("none", None);
    }
}
