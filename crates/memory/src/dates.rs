//! Dates in words: a small grammar of ours over English phrases and ISO dates.
//!
//! `last spring`, `in May 2023`, `two weeks ago`, `on 3 June 2023`, `since 2021`, `before March`,
//! `the last 3 months`, `2023-05`. What a phrase does to the search is `query.rs`'s.

use jiff::{Span, ToSpan, Zoned, civil::Date};
use std::ops::Range;

/// A phrase that names a time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// Bytes of the phrase in the text.
    pub(crate) at: Range<usize>,
    /// First local day, none where it is open ("before May").
    pub(crate) from: Option<Date>,
    /// First local day after it.
    pub(crate) until: Option<Date>,
    /// The phrase says which year: "May 2023", not "last spring".
    pub(crate) absolute: bool,
}

/// A word of the text in lower case, with its bytes.
struct Word<'a> {
    text: String,
    at: Range<usize>,
    raw: &'a str,
}

/// The first phrase of a text that names a time, the longest from where it begins.
pub(crate) fn find(text: &str, now: &Zoned) -> Option<Named> {
    let words = split(text);
    (0..words.len()).find_map(|start| {
        let (used, from, until, absolute) = phrase(&words[start..], now.date())?;
        Some(Named { at: words[start].at.start..words[start + used - 1].at.end, from, until, absolute })
    })
}

fn split(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_alphanumeric() || matches!(c, '-' | '/' | '\'' | '’') {
            start.get_or_insert(at);
        } else if let Some(from) = start.take() {
            words.push(Word { text: text[from..at].to_lowercase(), at: from..at, raw: &text[from..at] });
        }
    }
    words
}

type Phrase = (usize, Option<Date>, Option<Date>, bool);

/// Words used, first day, first day after, whether a year was named.
fn phrase(words: &[Word<'_>], today: Date) -> Option<Phrase> {
    let first = words.first()?.text.as_str();
    let after_lead = |n: usize| span(words.get(n..)?, today, true);
    match first {
        "in" | "on" | "during" | "from" | "around" | "at" => {
            let skip =
                1 + usize::from(words.get(1).is_some_and(|w| matches!(w.text.as_str(), "the" | "early" | "late")));
            let (used, from, until, absolute) = after_lead(skip)?;
            Some((skip + used, Some(from), Some(until), absolute))
        }
        "since" => after_lead(1).map(|(used, from, _, absolute)| (1 + used, Some(from), None, absolute)),
        "after" => after_lead(1).map(|(used, _, until, absolute)| (1 + used, Some(until), None, absolute)),
        "before" | "until" | "till" => {
            after_lead(1).map(|(used, from, _, absolute)| (1 + used, None, Some(from), absolute))
        }
        "between" => {
            let (one, from, _, absolute) = after_lead(1)?;
            let and = words.get(1 + one).filter(|w| w.text == "and")?;
            let _ = and;
            let (two, _, until, _) = after_lead(2 + one)?;
            Some((2 + one + two, Some(from), Some(until), absolute))
        }
        _ => span(words, today, false).map(|(used, from, until, absolute)| (used, Some(from), Some(until), absolute)),
    }
}

/// A span of days. After a lead word ("in") a lone month, season or year counts too; without one it
/// must be plain that a time is meant, for "may" and "spring" are words as well.
fn span(words: &[Word<'_>], today: Date, led: bool) -> Option<(usize, Date, Date, bool)> {
    let word = |i: usize| words.get(i).map(|w| w.text.as_str());
    let first = word(0)?;
    if let Some(found) = iso(first) {
        return Some((1, found.0, found.1, true));
    }
    match first {
        "today" => return day(1, today),
        "yesterday" => return day(1, today.checked_sub(1.day()).ok()?),
        "the" if matches!(word(1), Some("last" | "past")) => {
            return span(&words[1..], today, led).map(|(n, a, b, y)| (n + 1, a, b, y));
        }
        "last" | "past" | "this" => {
            return relative(first, words.get(1..)?, today).map(|(n, a, b)| (n + 1, a, b, false));
        }
        _ => {}
    }
    if let Some(count) = number(first)
        && word(2) == Some("ago")
    {
        let (from, until) = ago(count, word(1)?, today)?;
        return Some((3, from, until, false));
    }
    if let Some(found) = dated(words, today) {
        return Some(found);
    }
    if let Some(season) = season(first) {
        if let Some(year) = word(1).and_then(year) {
            let (from, until) = season_days(season, year)?;
            return Some((2, from, until, true));
        }
        return led.then(|| latest(|year| season_days(season, year), today)).flatten().map(|(a, b)| (1, a, b, false));
    }
    if let Some(month) = month(words.first()?, led) {
        if let Some(year) = word(1).and_then(year) {
            let (from, until) = month_days(month, year)?;
            return Some((2, from, until, true));
        }
        return led.then(|| latest(|year| month_days(month, year), today)).flatten().map(|(a, b)| (1, a, b, false));
    }
    if led && let Some(year) = year(first) {
        return Some((1, Date::new(year, 1, 1).ok()?, Date::new(year.checked_add(1)?, 1, 1).ok()?, true));
    }
    None
}

/// `3 June 2023`, `June 3rd, 2023`, `June 3`.
fn dated(words: &[Word<'_>], today: Date) -> Option<(usize, Date, Date, bool)> {
    let word = |i: usize| words.get(i).map(|w| w.text.as_str());
    let (day_of, month) = match (day_number(word(0)?), words.get(1).and_then(|w| month(w, true))) {
        (Some(day_of), Some(month)) => (day_of, month),
        _ => (day_number(word(1)?)?, month(words.first()?, true)?),
    };
    let (used, year, absolute) = match word(2).and_then(year) {
        Some(year) => (3, year, true),
        None => (2, latest(|y| one(Date::new(y, month, day_of).ok()?), today)?.0.year(), false),
    };
    let (from, until) = one(Date::new(year, month, day_of).ok()?)?;
    Some((used, from, until, absolute))
}

/// What follows "last", "past", "this": `week`, `3 months`, `spring`, `May`, `monday`.
fn relative(lead: &str, words: &[Word<'_>], today: Date) -> Option<(usize, Date, Date)> {
    let first = words.first()?;
    let this = lead == "this";
    if let Some(count) = number(&first.text)
        && let Some(unit) = words.get(1)
    {
        let tomorrow = today.checked_add(1.day()).ok()?;
        return Some((2, today.checked_sub(units(count, &unit.text)?).ok()?, tomorrow));
    }
    let weekday = i64::from(today.weekday().to_monday_zero_offset());
    let monday = today.checked_sub(weekday.days()).ok()?;
    let back = |unit: Span, first: Date| {
        let from = if this { first } else { first.checked_sub(unit).ok()? };
        Some((1, from, from.checked_add(unit).ok()?))
    };
    match first.text.as_str() {
        "night" => one(today.checked_sub(1.day()).ok()?).map(|(a, b)| (1, a, b)),
        "week" => back(1.week(), monday),
        "weekend" => {
            let saturday = monday.checked_add(if this { 5.days() } else { (-2).days() }).ok()?;
            Some((1, saturday, saturday.checked_add(2.days()).ok()?))
        }
        "month" => back(1.month(), today.first_of_month()),
        "year" => back(1.year(), today.first_of_year()),
        name => {
            if let Some(season) = season(name) {
                let until = if this { today.checked_add(1.year()).ok()? } else { today };
                return latest(|year| season_days(season, year), until).map(|(a, b)| (1, a, b));
            }
            if let Some(month) = month(first, true) {
                let before = if this { today } else { today.first_of_month().checked_sub(1.day()).ok()? };
                return latest(|year| month_days(month, year), before).map(|(a, b)| (1, a, b));
            }
            let wanted = weekday_offset(name)?;
            let days = (weekday - wanted - 1).rem_euclid(7) + 1;
            one(today.checked_sub(days.days()).ok()?).map(|(a, b)| (1, a, b))
        }
    }
}

/// `n` units ago: the day, or the week, month, year around it.
fn ago(count: i64, unit: &str, today: Date) -> Option<(Date, Date)> {
    let then = today.checked_sub(units(count, unit)?).ok()?;
    let around = |days: i64| Some((then.checked_sub(days.days()).ok()?, then.checked_add((days + 1).days()).ok()?));
    match unit.trim_end_matches('s') {
        "day" => one(then),
        "week" => around(4),
        "month" => around(16),
        _ => around(183),
    }
}

fn units(count: i64, unit: &str) -> Option<Span> {
    let count = count.clamp(0, 400);
    Some(match unit.trim_end_matches('s') {
        "day" => count.days(),
        "week" => count.weeks(),
        "month" => count.months(),
        "year" => count.years(),
        _ => return None,
    })
}

/// The latest such span that has begun by `today`.
fn latest(days: impl Fn(i16) -> Option<(Date, Date)>, today: Date) -> Option<(Date, Date)> {
    (0..2).filter_map(|back| days(today.year() - back)).find(|(from, _)| *from <= today)
}

fn one(day: Date) -> Option<(Date, Date)> {
    Some((day, day.checked_add(1.day()).ok()?))
}

fn day(used: usize, day: Date) -> Option<(usize, Date, Date, bool)> {
    one(day).map(|(a, b)| (used, a, b, false))
}

/// `2023-05-08`, `2023-05`.
fn iso(word: &str) -> Option<(Date, Date)> {
    let mut parts = word.split('-');
    let year = year(parts.next()?)?;
    let month = parts.next()?.parse::<i8>().ok()?;
    match (parts.next(), parts.next()) {
        (None, _) => month_days(month, year),
        (Some(day), None) => one(Date::new(year, month, day.parse().ok()?).ok()?),
        _ => None,
    }
}

fn year(word: &str) -> Option<i16> {
    word.parse().ok().filter(|y| (1970..2100).contains(y) && word.len() == 4)
}

fn day_number(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = &word[digits.len()..];
    matches!(ending, "" | "st" | "nd" | "rd" | "th").then(|| digits.parse().ok().filter(|d| (1..=31).contains(d)))?
}

fn number(word: &str) -> Option<i64> {
    const WORDS: [&str; 13] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    match word {
        "a" | "an" => Some(1),
        "couple" => Some(2),
        "few" => Some(3),
        _ => WORDS.iter().position(|w| *w == word).map(|n| n as i64).or_else(|| word.parse().ok().filter(|n| *n < 400)),
    }
}

/// A month's number. "may" and "march" alone are verbs unless led in or written large.
fn month(word: &Word<'_>, led: bool) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let large = word.raw.starts_with(char::is_uppercase);
    let found = NAMES
        .iter()
        .position(|n| *n == word.text || (word.text.len() == 3 && n.starts_with(&word.text)))
        .or_else(|| (word.text == "sept").then_some(8))? as i8
        + 1;
    (led || large || !matches!(word.text.as_str(), "may" | "march" | "mar")).then_some(found)
}

/// First month of a season, northern.
fn season(word: &str) -> Option<i8> {
    Some(match word {
        "spring" => 3,
        "summer" => 6,
        "autumn" | "fall" => 9,
        "winter" => 12,
        _ => return None,
    })
}

fn season_days(month: i8, year: i16) -> Option<(Date, Date)> {
    let from = Date::new(year, month, 1).ok()?;
    Some((from, from.checked_add(3.months()).ok()?))
}

fn month_days(month: i8, year: i16) -> Option<(Date, Date)> {
    let from = Date::new(year, month, 1).ok()?;
    Some((from, from.checked_add(1.month()).ok()?))
}

fn weekday_offset(word: &str) -> Option<i64> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    NAMES.iter().position(|n| *n == word).map(|n| n as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(phrase found, from, until)` on Saturday 21 November 2026.
    fn check(text: &str, expected: Option<(&str, &str, &str)>) {
        let now: Zoned = "2026-11-21T10:00[Europe/Berlin]".parse().unwrap();
        let found = find(text, &now).map(|n| {
            let show = |d: Option<Date>| d.map_or("…".to_owned(), |d| d.to_string());
            (text[n.at.clone()].to_owned(), show(n.from), show(n.until))
        });
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn phrases() {
        check("trip in May 2023", Some(("in May 2023", "2023-05-01", "2023-06-01")));
        check("plumber last spring", Some(("last spring", "2026-03-01", "2026-06-01")));
        check("two weeks ago", Some(("two weeks ago", "2026-11-03", "2026-11-12")));
        check("dinner on 3 June, 2023 with Ana", Some(("on 3 June, 2023", "2023-06-03", "2023-06-04")));
        check("on October 13th, 2023", Some(("on October 13th, 2023", "2023-10-13", "2023-10-14")));
        check("since 2021 flat", Some(("since 2021", "2021-01-01", "…")));
        check("before March", Some(("before March", "…", "2026-03-01")));
        check("after summer 2020", Some(("after summer 2020", "2020-09-01", "…")));
        check("the last 3 months", Some(("the last 3 months", "2026-08-21", "2026-11-22")));
        check("yesterday", Some(("yesterday", "2026-11-20", "2026-11-21")));
        check("last week", Some(("last week", "2026-11-09", "2026-11-16")));
        check("last monday", Some(("last monday", "2026-11-16", "2026-11-17")));
        check("last december", Some(("last december", "2025-12-01", "2026-01-01")));
        check("last winter", Some(("last winter", "2025-12-01", "2026-03-01")));
        check("2023-05-08 call", Some(("2023-05-08", "2023-05-08", "2023-05-09")));
        check("between May 2022 and June 2022", Some(("between May 2022 and June 2022", "2022-05-01", "2022-07-01")));
        check("in 2019", Some(("in 2019", "2019-01-01", "2020-01-01")));
    }

    #[test]
    fn words_that_only_look_like_dates() {
        for text in
            ["that may be it", "spring onions", "march on", "a few good men", "2 may", "the last of us", "room 2019"]
        {
            if text == "2 may" {
                check(text, Some(("2 may", "2026-05-02", "2026-05-03")));
            } else {
                check(text, None);
            }
        }
    }
}
