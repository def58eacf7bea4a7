//! When a note was written: dates in properties and in names of files, as people and apps write them.

use crate::time;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    fmt::rfc2822,
    tz::TimeZone,
};

/// A date as found, with what it was found in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct When {
    /// UTC milliseconds.
    pub(crate) time: i64,
    /// False for wall time, read in the zone given at import.
    pub(crate) zone_known: bool,
    /// The local day.
    pub(crate) day: Date,
    pub(crate) original: String,
}

/// What the name of a note says about its time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Named {
    /// The name is the day, and the note is about it.
    Daily(When),
    /// The name has a date among other words.
    Dated(When),
}

/// The first three letters of months, English first, then German, French, Spanish, Italian, Portuguese, Dutch.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "gen", "jän"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "mrt", "maa"],
    &["apr", "avr", "abr"],
    &["may", "mai", "mag", "mei"],
    &["jun", "giu", "juin"],
    &["jul", "lug", "juil"],
    &["aug", "aoû", "ago"],
    &["sep", "set"],
    &["oct", "okt", "ott", "out"],
    &["nov"],
    &["dec", "dez", "déc", "dic"],
];

const WEEKDAYS: [&str; 26] = [
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "mo", "di", "mi", "do", "fr", "sa", "so", "die", "mit", "don",
    "fre", "sam", "son", "lun", "mer", "jeu", "ven", "dim", "maandag",
];

/// A property's value.
pub(crate) fn written(value: &str, zone: &TimeZone) -> Option<When> {
    let text = value.trim().trim_matches(['"', '\'', '[', ']']).trim();
    let instant = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| rfc2822::parse(text).ok().map(|z| z.timestamp()))
        .or_else(|| epoch(text));
    if let Some(instant) = instant {
        let day = zone.to_datetime(instant).date();
        return Some(When { time: instant.as_millisecond(), zone_known: true, day, original: value.to_owned() });
    }
    let clock = text.parse::<DateTime>().ok().or_else(|| compact(text)).or_else(|| day_and_clock(text))?;
    wall(clock, zone, value)
}

/// The path of a note: `2024-01-31.md`, `2024/01/31.md`, `2024-01-31 Meeting.md`, `202401311030 Idea.md`.
pub(crate) fn named(path: &str, zone: &TimeZone) -> Option<Named> {
    let mut parts = path.rsplit('/');
    let stem = parts.next()?.rsplit_once('.')?.0;
    let tokens = tokens(stem);
    let of = |day: Date| wall(day.at(0, 0, 0, 0), zone, stem);
    let bare: Vec<&str> = tokens.iter().copied().filter(|token| !is_weekday(token)).collect();
    if let Some(day) = date(&bare).or_else(|| compact(stem).filter(|_| stem.len() == 8).map(DateTime::date)) {
        return Some(Named::Daily(of(day)?));
    }
    if let Some(day) = in_folders(stem, parts) {
        return Some(Named::Daily(of(day)?));
    }
    let clock = tokens.first().and_then(|first| compact(first));
    let inside = || tokens.windows(3).filter(|w| w.first().is_some_and(|y| y.len() == 4)).find_map(date);
    let clock = clock.or_else(|| Some(inside()?.at(0, 0, 0, 0)))?;
    Some(Named::Dated(wall(clock, zone, stem)?))
}

/// A date among the words of a file's name.
pub(crate) fn dated(name: &str, zone: &TimeZone) -> Option<When> {
    match named(name, zone)? {
        Named::Daily(when) | Named::Dated(when) => Some(when),
    }
}

/// `2024/01/31`, `2024/01-January/31`, `2024/2024-01/31`
fn in_folders<'a>(stem: &'a str, folders: impl Iterator<Item = &'a str>) -> Option<Date> {
    if !(1..=2).contains(&stem.len()) {
        return None;
    }
    let mut above: Vec<&str> = folders.take(2).collect();
    above.reverse();
    let mut all: Vec<&str> = above.iter().flat_map(|folder| tokens(folder)).collect();
    all.retain(|token| token.bytes().all(|b| b.is_ascii_digit()));
    all.dedup();
    all.push(stem);
    date(&all)
}

fn wall(clock: DateTime, zone: &TimeZone, original: &str) -> Option<When> {
    if !(1900..2200).contains(&clock.year()) {
        return None;
    }
    let time = zone.to_ambiguous_timestamp(clock).compatible().ok()?.as_millisecond();
    Some(When { time, zone_known: false, day: clock.date(), original: original.to_owned() })
}

/// Seconds or finer since 1970.
fn epoch(text: &str) -> Option<Timestamp> {
    let is_epoch = matches!(text.len(), 9..=11 | 13 | 16 | 19) && text.bytes().all(|b| b.is_ascii_digit());
    Timestamp::from_millisecond(time::from_number(text.parse().ok().filter(|_| is_epoch)?)?).ok()
}

/// `20240131`, `202401311030`, `20240131103000`
fn compact(text: &str) -> Option<DateTime> {
    if !matches!(text.len(), 8 | 12 | 14) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to).map_or(Some(0), |t| t.parse::<i8>().ok());
    let year = text.get(..4)?.parse().ok().filter(|y| (1900..2200).contains(y))?;
    DateTime::new(year, number(4, 6)?, number(6, 8)?, number(8, 10)?, number(10, 12)?, number(12, 14)?, 0).ok()
}

/// A date in words, with a clock where there is one: "January 31, 2024 10:30", "Sunday, 31 January 2024 at 3:00 PM".
fn day_and_clock(text: &str) -> Option<DateTime> {
    let (text, half) = half_of_day(text);
    let (before, clock) =
        text.rsplit_once([' ', 'T', ',']).filter(|(_, last)| last.contains(':')).unwrap_or((text, "0:00"));
    let words = tokens(before);
    let bare: Vec<&str> = words.iter().copied().filter(|token| !is_weekday(token) && !is_joint(token)).collect();
    let day = date(&bare).or_else(|| bare.windows(3).filter(|_| bare.len() <= 5).find_map(date))?;
    let mut parts = clock.trim().split([':', '.']).map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let hour = match half {
        Some(pm) if (1..=12).contains(&hour) => hour % 12 + if pm { 12 } else { 0 },
        _ => hour,
    };
    DateTime::new(day.year(), day.month(), day.day(), hour, minute, second, 0).ok()
}

/// A clock of twelve hours: the text without "PM", and whether it was that.
fn half_of_day(text: &str) -> (&str, Option<bool>) {
    let text = text.trim();
    let halves = [("am", false), ("pm", true), ("a.m.", false), ("p.m.", true)];
    let found = halves.iter().find_map(|(end, pm)| {
        let at = text.len().checked_sub(end.len())?;
        let rest = text.get(at..).filter(|rest| rest.eq_ignore_ascii_case(end));
        let before = text.get(..at)?.trim_end();
        rest.filter(|_| before.ends_with(|c: char| c.is_ascii_digit())).map(|_| (before, Some(*pm)))
    });
    found.unwrap_or((text, None))
}

/// Words between the parts of a date.
fn is_joint(token: &str) -> bool {
    matches!(
        token.to_lowercase().as_str(),
        "de" | "del" | "of" | "the" | "at" | "um" | "à" | "às" | "alle" | "om" | "kl"
    )
}

/// Runs of letters and of digits; "31st" is "31".
fn tokens(text: &str) -> Vec<&str> {
    let parts = |c: char| !c.is_alphanumeric() || matches!(c, '年' | '月' | '日' | '년' | '월' | '일');
    let words = text.split(parts).filter(|word| !word.is_empty());
    let bare = |word: &'static str| {
        move |w: &str| w.len() > word.len() && w.ends_with(word) && w.starts_with(|c: char| c.is_ascii_digit())
    };
    let ends = ["st", "nd", "rd", "th"];
    words.map(|w| ends.iter().find(|end| bare(end)(w)).and_then(|end| w.strip_suffix(end)).unwrap_or(w)).collect()
}

fn is_weekday(token: &str) -> bool {
    let lower = token.to_lowercase();
    // What is left of 日曜日, 星期日, 일요일.
    if matches!(token, "曜" | "火曜" | "水曜" | "木曜" | "金曜" | "土曜" | "요")
        || token.starts_with("星期")
        || token.ends_with('요')
    {
        return true;
    }
    let start: String = lower.chars().take(3).collect();
    let is_long = lower.ends_with("day") || lower.ends_with("tag") || lower.ends_with("woch") || lower.ends_with("di");
    WEEKDAYS.contains(&lower.as_str()) || (is_long && WEEKDAYS.contains(&start.as_str()))
}

/// The date that exactly three words name.
fn date(words: &[&str]) -> Option<Date> {
    let [a, b, c] = words else { return None };
    let number = |word: &str| word.parse::<i16>().ok().filter(|_| word.bytes().all(|b| b.is_ascii_digit()));
    let year = |word: &str| number(word).filter(|y| word.len() == 4 && (1900..2200).contains(y));
    let small = |word: &str| number(word).filter(|_| word.len() <= 2).and_then(|n| i8::try_from(n).ok());
    let (year, month, day) = if let Some(year) = year(a) {
        (year, small(b).or_else(|| month(b))?, small(c)?)
    } else {
        let year = year(c)?;
        match (small(a), small(b)) {
            (Some(a), Some(b)) if b > 12 => (year, a, b),
            (Some(a), Some(b)) => (year, b, a),
            (Some(day), None) => (year, month(b)?, day),
            (None, Some(day)) => (year, month(a)?, day),
            (None, None) => return None,
        }
    };
    Date::new(year, month, day).ok()
}

fn month(word: &str) -> Option<i8> {
    let word = word.to_lowercase();
    let found = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    i8::try_from(found + 1).ok().filter(|_| word.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<(&str, bool)>) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let found =
            written(value, &zone).map(|w| (Timestamp::from_millisecond(w.time).unwrap().to_string(), w.zone_known));
        assert_eq!(found, expected.map(|(time, known)| (time.to_owned(), known)), "{value}");
    }

    #[test]
    fn dates_in_properties() {
        let midnight = Some(("2024-01-30T23:00:00Z", false));
        for value in [
            "2024-01-31",
            "20240131",
            "31.01.2024",
            "31/1/2024",
            "1/31/2024",
            "2024/01/31",
            "January 31, 2024",
            "31 January 2024",
            "Jan 31st, 2024",
            "Wednesday, January 31, 2024",
            "31. Januar 2024",
            "31 janvier 2024",
            "[[2024-01-31]]",
            "\"2024-01-31\"",
            "2024-01-31 Wed",
            "2024-01-31 00:00",
            "2024年1月31日水曜日",
            "2024년 1월 31일 수요일",
            "miércoles, 31 de enero de 2024",
            "onsdag 31 januari 2024",
            "January 31, 2024 at 12:00 AM",
        ] {
            check(value, midnight);
        }
        check("2024-01-31T10:30", Some(("2024-01-31T09:30:00Z", false)));
        check("2024-01-31 10:30:15", Some(("2024-01-31T09:30:15Z", false)));
        check("January 31, 2024 10:30", Some(("2024-01-31T09:30:00Z", false)));
        check("Jan 31, 2024, 10:30:15\u{202f}PM", Some(("2024-01-31T21:30:15Z", false)));
        check("@January 31, 2024 9:30 AM", Some(("2024-01-31T08:30:00Z", false)));
        check("202401311030", Some(("2024-01-31T09:30:00Z", false)));
        for value in [
            "2024-01-31T10:30:00Z",
            "2024-01-31 10:30Z",
            "2024-01-31T11:30:00+01:00",
            "Wed, 31 Jan 2024 10:30:00 +0000",
            "1706697000",
            "1706697000000",
        ] {
            check(value, Some(("2024-01-31T10:30:00Z", true)));
        }
        for value in ["", "soon", "2024", "2024-13-01", "32.1.2024", "0001-01-01", "99999999999999999999", "a/b/c"] {
            check(value, None);
        }
    }

    #[test]
    fn dates_in_names() {
        let zone = TimeZone::UTC;
        let day = Some(jiff::civil::date(2024, 1, 31));
        for path in [
            "2024-01-31.md",
            "daily/2024-01-31 Wed.md",
            "2024_01_31.md",
            "31-01-2024.md",
            "20240131.md",
            "2024/01/31.md",
            "2024.01.31 Mittwoch.md",
            "Journal/2024/01-January/31.md",
            "2024/2024-01/31.md",
            "January 31, 2024.md",
            "Jan 31st, 2024.md",
            "2024-01-31 (Wednesday).md",
        ] {
            let found = named(path, &zone);
            assert_eq!(
                if let Some(Named::Daily(when)) = &found { Some(when.day) } else { None },
                day,
                "{path}: {found:?}"
            );
        }
        for path in
            ["2024-01-31 Meeting with Bo.md", "Meeting 2024-01-31.md", "202401311030 Idea.md", "20240131103000.md"]
        {
            let found = named(path, &zone);
            assert_eq!(
                if let Some(Named::Dated(when)) = &found { Some(when.day) } else { None },
                day,
                "{path}: {found:?}"
            );
        }
        for path in [
            "Note.md",
            "Chapter 12.md",
            "2024.md",
            "2024-W05.md",
            "31.md",
            "a/b/31.md",
            "10 01 notes 99.md",
            "2024-13-45.md",
            "",
        ] {
            assert_eq!(named(path, &zone), None, "{path}");
        }
    }
}
