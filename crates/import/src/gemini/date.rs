//! Dates of My Activity pages, in the words of the account's language: `Nov 13, 2025, 9:50:57 AM CDT`,
//! `13.11.2025, 09:50:57 MEZ`, `2026年6月20日 00:28:51 CST`. The zone is the one of the export, by its abbreviation.

use crate::{Options, time};

/// Beginnings of the names of months, by month. The longest that fits decides.
const MONTHS: &[(&str, i8)] = &[
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("sty", 1),
    ("ian", 1),
    ("oca", 1),
    ("янв", 1),
    ("січ", 1),
    ("tammi", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("lut", 2),
    ("şub", 2),
    ("фев", 2),
    ("лют", 2),
    ("helmi", 2),
    ("mar", 3),
    ("mär", 3),
    ("mrz", 3),
    ("maa", 3),
    ("mrt", 3),
    ("мар", 3),
    ("бер", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("kwi", 4),
    ("nis", 4),
    ("апр", 4),
    ("кві", 4),
    ("huhti", 4),
    ("may", 5),
    ("mai", 5),
    ("maj", 5),
    ("mag", 5),
    ("mei", 5),
    ("мая", 5),
    ("май", 5),
    ("тра", 5),
    ("touko", 5),
    ("jun", 6),
    ("jui", 6),
    ("juin", 6),
    ("giu", 6),
    ("cze", 6),
    ("haz", 6),
    ("июн", 6),
    ("чер", 6),
    ("kesä", 6),
    ("jul", 7),
    ("juil", 7),
    ("lug", 7),
    ("lip", 7),
    ("tem", 7),
    ("июл", 7),
    ("heinä", 7),
    ("aug", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ago", 8),
    ("sie", 8),
    ("ağu", 8),
    ("авг", 8),
    ("сер", 8),
    ("elo", 8),
    ("sep", 9),
    ("set", 9),
    ("wrz", 9),
    ("eyl", 9),
    ("сен", 9),
    ("вер", 9),
    ("syys", 9),
    ("oct", 10),
    ("okt", 10),
    ("ott", 10),
    ("out", 10),
    ("paź", 10),
    ("eki", 10),
    ("окт", 10),
    ("жов", 10),
    ("loka", 10),
    ("nov", 11),
    ("lis", 11),
    ("kas", 11),
    ("noi", 11),
    ("ноя", 11),
    ("marras", 11),
    ("dec", 12),
    ("dez", 12),
    ("dic", 12),
    ("déc", 12),
    ("gru", 12),
    ("ara", 12),
    ("дек", 12),
    ("гру", 12),
    ("joulu", 12),
];
const MORNING: [&str; 7] = ["am", "a.m.", "a. m.", "午前", "上午", "오전", "πμ"];
const AFTERNOON: [&str; 7] = ["pm", "p.m.", "p. m.", "午後", "下午", "오후", "μμ"];

/// UTC milliseconds, and whether the zone was known; none for what is not a date with a time of day.
pub(super) fn read(text: &str, options: &Options) -> Option<(i64, bool)> {
    let text: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !('\u{200e}'..='\u{200f}').contains(c))
        .collect();
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 64 {
        return None;
    }
    let lower = text.to_lowercase();
    let (start, end, mut clock) = clock(&lower)?;
    let (before, after) = (lower.get(..start)?, lower.get(end..)?);
    let half =
        |words: &[&str]| words.iter().any(|w| after.trim_start().starts_with(w) || before.trim_end().ends_with(w));
    match () {
        () if half(&AFTERNOON) && clock.0 < 12 => clock.0 += 12,
        () if half(&MORNING) && clock.0 == 12 => clock.0 = 0,
        () => {}
    }
    // Some languages write the time first.
    let other = if before.chars().any(|c| c.is_ascii_digit()) { before } else { after };
    let (year, month, day) = day(other)?;
    let wall = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", clock.0, clock.1, clock.2);
    match zone(text, before.contains('年')) {
        Zone::Known(minutes) => Some((time::iso(&format!("{wall}Z"))? - i64::from(minutes) * 60_000, true)),
        Zone::Unknown => time::wall(&wall, &options.zone).map(|ms| (ms, false)),
        // Pages from before 2018 have UTC and do not say so.
        Zone::None => time::iso(&format!("{wall}Z")).map(|ms| (ms, true)),
    }
}

/// Where `9:50:57` stands, and what it says.
fn clock(text: &str) -> Option<(usize, usize, (i8, i8, i8))> {
    let digit = |c: char| c.is_ascii_digit();
    for (start, _) in text.char_indices().filter(|(_, c)| digit(*c)) {
        if text.get(..start).is_some_and(|before| before.ends_with(digit)) {
            continue;
        }
        let rest = text.get(start..)?;
        let length = rest.find(|c: char| !digit(c) && c != ':' && c != '.').unwrap_or(rest.len());
        let whole = rest.get(..length)?.trim_end_matches(['.', ':']);
        for mark in [':', '.'] {
            let numbers: Vec<Option<i8>> =
                whole.split(mark).map(|n| if n.len() <= 2 { n.parse().ok() } else { None }).collect();
            if let [Some(h), Some(m), Some(s)] = numbers.as_slice()
                && (0..24).contains(h) && (0..60).contains(m) && (0..61).contains(s)
                // 13.11.25 would be a day.
                && (mark == ':' || whole.split(mark).skip(1).all(|n| n.len() == 2) && !rest.get(whole.len()..).is_some_and(|r| r.trim_start_matches(['.', ',', ' ']).starts_with(digit)))
            {
                return Some((start, start + whole.len(), (*h, *m, (*s).min(59))));
            }
        }
    }
    None
}

fn day(text: &str) -> Option<(i16, i8, i8)> {
    let numbers: Vec<i16> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|n| !n.is_empty() && n.len() <= 4)
        .filter_map(|n| n.parse().ok())
        .collect();
    let small = |n: i16| i8::try_from(n).ok();
    let (year, month, day) = match (month(text), numbers.as_slice()) {
        (Some(month), [a, b, ..]) if *a > 31 => (*a, month, small(*b)?),
        (Some(month), [a, b, ..]) => (*b, month, small(*a)?),
        (None, [a, b, c, ..]) if *a > 31 => (*a, small(*b)?, small(*c)?),
        (None, [a, b, c, ..]) if *b > 12 => (*c, small(*a)?, small(*b)?),
        (None, [a, b, c, ..]) => (*c, small(*b)?, small(*a)?),
        _ => return None,
    };
    let sane = (1990..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sane.then_some((year, month, day))
}

fn month(text: &str) -> Option<i8> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|w| w.chars().count() > 2);
    let fits = |word: &str| {
        MONTHS.iter().filter(|(start, _)| word.starts_with(start)).max_by_key(|(start, _)| start.len()).map(|(_, m)| *m)
    };
    words.into_iter().find_map(fits)
}

enum Zone {
    Known(i32),
    Unknown,
    None,
}

/// `chinese`: CST is that of China.
fn zone(text: &str, chinese: bool) -> Zone {
    let last = text.rsplit(' ').next().unwrap_or_default();
    if let Some(offset) = last.strip_prefix("GMT").or(last.strip_prefix("UTC")).filter(|o| !o.is_empty()) {
        return offset_of(offset).map_or(Zone::Unknown, Zone::Known);
    }
    if chinese && last == "CST" {
        return Zone::Known(480);
    }
    match time::zone_minutes(last) {
        Some(minutes) => Zone::Known(minutes),
        None if last.len() >= 3 && last.chars().all(|c| c.is_ascii_uppercase()) => Zone::Unknown,
        None => Zone::None,
    }
}

/// `+2`, `-03:30`, `+0530`.
fn offset_of(text: &str) -> Option<i32> {
    let text = text.replace('\u{2212}', "-");
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i32>().ok()?, 0),
        3 => (digits.get(..1)?.parse().ok()?, digits.get(1..)?.parse().ok()?),
        4 => (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn check(text: &str, expected: Option<(&str, bool)>) {
        let options = Options {
            zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
            now: 0,
            day_first: None,
            limits: Limits::default(),
        };
        let expected = expected.map(|(iso, known)| (time::iso(iso).unwrap(), known));
        assert_eq!(read(text, &options), expected, "{text}");
    }

    #[test]
    fn dates_in_many_languages() {
        check("Nov 13, 2025, 9:50:57\u{202f}AM CDT", Some(("2025-11-13T14:50:57Z", true)));
        check("Nov 13, 2025, 12:05:00 AM UTC", Some(("2025-11-13T00:05:00Z", true)));
        check("Jan 31, 2018, 10:54:50 PM", Some(("2018-01-31T22:54:50Z", true)));
        check("13.11.2025, 09:50:57 MEZ", Some(("2025-11-13T08:50:57Z", true)));
        check("13.06.2025, 09:50:57 MESZ", Some(("2025-06-13T07:50:57Z", true)));
        check("13 Nov 2025, 09:50:57 GMT", Some(("2025-11-13T09:50:57Z", true)));
        check("10 de mai. de 2026, 03:46:09 BRT", Some(("2026-05-10T06:46:09Z", true)));
        check("13 nov. 2025, 09:50:57 CET", Some(("2025-11-13T08:50:57Z", true)));
        check("2026年6月20日 00:28:51 CST", Some(("2026-06-19T16:28:51Z", true)));
        check("2026/06/20 15:28:51 JST", Some(("2026-06-20T06:28:51Z", true)));
        check("2026. 6. 20. 오후 3:28:51 KST", Some(("2026-06-20T06:28:51Z", true)));
        check("12 juil. 2025 à 09:50:57 GMT+02:00", Some(("2025-07-12T07:50:57Z", true)));
        check("13.11.2025, 09:50:57 XYZT", Some(("2025-11-13T08:50:57Z", false)));
        check("2026-09-02T12:00:00Z", Some(("2026-09-02T12:00:00Z", true)));
        check("Attached 1 file.", None);
        check("version 1.2.3 of it", None);
        check("call me at 9:50:57", None);
        check("", None);
    }
}
