//! Dates in English words, as mails (RFC 5322 and what real programs write instead) and some services have them.

use crate::time;
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};

/// An instant, where the zone is given; else what a clock showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// UTC milliseconds.
    pub(crate) time: i64,
    pub(crate) zone_known: bool,
}

/// 2200-01-01: a time after it is damage.
const LATEST: i64 = 7_258_118_400_000;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// 1 to 12 for a word that begins like an English month.
pub(crate) fn month(word: &str) -> Option<i8> {
    let start = word.get(..3)?;
    if !word.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    (1..).zip(MONTHS).find(|(_, m)| start.eq_ignore_ascii_case(m)).map(|(n, _)| n)
}

/// Reads a date as it stands in a header or on a separating line; wall times without zone in `zone`.
pub(crate) fn parse(text: &str, zone: &TimeZone) -> Option<When> {
    let plain = without_comments(text);
    if let Some(time) = plain.trim().get(..5).filter(|s| s.ends_with('-')).and_then(|_| iso(plain.trim(), zone)) {
        return Some(time);
    }
    let mut date = Parts::default();
    for word in plain.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()) {
        date.word(word);
    }
    date.done(zone)
}

fn iso(text: &str, zone: &TimeZone) -> Option<When> {
    let dashed = text.replacen(' ', "T", 1).replace(' ', "");
    if let Ok(t) = dashed.parse::<jiff::Timestamp>() {
        return sane(t.as_millisecond(), true);
    }
    let clock: DateTime = dashed.parse().ok()?;
    sane(zone.to_ambiguous_timestamp(clock).compatible().ok()?.as_millisecond(), false)
}

fn sane(time: i64, zone_known: bool) -> Option<When> {
    (1..LATEST).contains(&time).then_some(When { time, zone_known })
}

fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[derive(Default)]
struct Parts {
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
    time: Option<(i8, i8, i8)>,
    /// Minutes east of Greenwich.
    offset: Option<i32>,
    afternoon: Option<bool>,
}

impl Parts {
    fn word(&mut self, word: &str) {
        if let Some(sign) = word.chars().next().filter(|c| matches!(c, '+' | '-')) {
            self.offset = offset(word.get(1..).unwrap_or_default(), sign).or(self.offset);
        } else if word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()) {
            self.clock(word);
        } else if let Some(month) = month(word) {
            self.month = self.month.or(Some(month));
        } else if word.contains(['-', '/']) && word.bytes().any(|b| b.is_ascii_alphabetic()) {
            word.split(['-', '/']).for_each(|part| self.word(part));
        } else if word.bytes().all(|b| b.is_ascii_digit()) {
            self.number(word);
        } else {
            self.name(word);
        }
    }

    fn number(&mut self, word: &str) {
        let Ok(n) = word.parse::<i16>() else { return };
        if self.day.is_none() && word.len() <= 2 {
            self.day = i8::try_from(n).ok();
        } else if self.year.is_none() {
            self.year = Some(match (word.len(), n) {
                (..=2, ..50) => n + 2000,
                (..=3, _) => n + 1900,
                // The year 2000 written as 19100.
                (5, n) if n >= 19_100 => n - 19_000 + 1900,
                _ => n,
            });
        }
    }

    fn clock(&mut self, word: &str) {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '.');
        self.name(word.get(digits.len()..).unwrap_or_default());
        // `10:00:00+0100` without a space.
        let (clock, zone) = match digits.char_indices().find(|(_, c)| matches!(c, '+' | '-')) {
            Some((at, sign)) => (digits.get(..at), digits.get(at + 1..).map(|z| (z, sign))),
            None => (Some(digits), None),
        };
        let mut numbers = clock.unwrap_or_default().split(':').map(|n| n.split('.').next()?.parse::<i8>().ok());
        let (Some(Some(hour)), Some(Some(minute))) = (numbers.next(), numbers.next()) else { return };
        let second = numbers.next().flatten().unwrap_or(0).min(59);
        self.time = self.time.or(Some((hour, minute, second)));
        self.offset = self.offset.or(zone.and_then(|(z, sign)| offset(z, sign)));
    }

    fn name(&mut self, word: &str) {
        let upper = word.replace('.', "").to_ascii_uppercase();
        match upper.as_str() {
            "" => {}
            "AM" => self.afternoon = Some(false),
            "PM" => self.afternoon = Some(true),
            name => {
                let (name, rest) = name.split_at(name.find(['+', '-']).unwrap_or(name.len()));
                let known = time::zone_minutes(name);
                let further = rest.chars().next().and_then(|sign| offset(rest.get(1..).unwrap_or_default(), sign));
                if let Some(minutes) = known {
                    self.offset = self.offset.or(Some(further.unwrap_or(minutes)));
                }
            }
        }
    }

    fn done(self, zone: &TimeZone) -> Option<When> {
        let (mut hour, minute, second) = self.time.unwrap_or((0, 0, 0));
        match self.afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let clock = DateTime::new(self.year?, self.month?, self.day?, hour, minute, second, 0).ok()?;
        match self.offset.and_then(|minutes| Offset::from_seconds(minutes * 60).ok()) {
            Some(offset) => sane(offset.to_timestamp(clock).ok()?.as_millisecond(), true),
            None => sane(zone.to_ambiguous_timestamp(clock).compatible().ok()?.as_millisecond(), false),
        }
    }
}

fn offset(digits: &str, sign: char) -> Option<i32> {
    let digits = digits.replace(':', "");
    let number: i32 = digits.get(..4.min(digits.len()))?.parse().ok()?;
    let minutes = if digits.len() <= 2 { number * 60 } else { number / 100 * 60 + number % 100 };
    (minutes <= 14 * 60).then_some(if sign == '-' { -minutes } else { minutes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_they_come() {
        let at = |text: &str| {
            parse(text, &TimeZone::UTC)
                .map(|w| (jiff::Timestamp::from_millisecond(w.time).unwrap().to_string(), w.zone_known))
        };
        let noon = |known| Some(("2024-01-15T12:00:00Z".to_owned(), known));
        for text in [
            "Mon, 15 Jan 2024 12:00:00 +0000",
            "15 Jan 24 13:00:00 +0100 (CET)",
            "Mon,15 Jan 2024 07:00 EST",
            "Mon, 15 January 124 12:00:00 GMT",
            "15-Jan-2024 12:00:00+0000",
            "Mon Jan 15 12:00:00 +0000 2024",
            "Mon, 15 Jan 2024 12:00:00 GMT+00:00",
            "2024-01-15T12:00:00Z",
            "2024-01-15 13:00:00 +0100",
            "Mon, 15 Jan 2024 12:00:00 -0000",
            "Jan 15, 2024 12:00:00 PM UTC",
        ] {
            assert_eq!(at(text), noon(true), "{text}");
        }
        for text in
            ["Mon Jan 15 12:00:00 2024", "15 Jan 2024 12:00:00", "2024-01-15 12:00:00", "15 Jan 2024 12:00:00 XYZ"]
        {
            assert_eq!(at(text), noon(false), "{text}");
        }
        for text in
            ["", "Whenever", "99 Foo 2024", "32 Jan 2024 10:00:00 +0000", "Mon, 0 Jan 0000", "(", "+", "1:", "é"]
        {
            assert_eq!(at(text), None, "{text}");
        }
        assert_eq!(at("Thu, 01 Jan 1970 00:00:00 +0000"), None);
        assert_eq!(at("Sun, 9 Sep 2001 01:46:40 +0000"), Some(("2001-09-09T01:46:40Z".to_owned(), true)));
        assert_eq!(
            at("Sun, 9 Sep 1973 01:46:40 +0000").map(|t| t.0.get(..4).map(str::to_owned)),
            Some(Some("1973".to_owned()))
        );
    }
}
