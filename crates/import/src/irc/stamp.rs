//! When a line of a log was written, as far as it says: the beginnings of lines by the program that wrote them.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `10:00 < Ana> hi`
    Irssi,
    /// `2024-01-31 10:00:00⇥ana⇥hi`
    Weechat,
    /// `[10:00:00] <ana> hi`; mIRC, Textual and many others too, with or without a date in the brackets.
    Znc,
    /// `Jan 31 10:00:00 <ana>⇥hi`
    Hexchat,
    /// `2024-01-31T10:00:00  <ana> hi`: bots that keep logs, and irssi where it writes dates.
    Dated,
}

impl Style {
    pub(super) const ALL: [Style; 5] = [Style::Irssi, Style::Weechat, Style::Znc, Style::Hexchat, Style::Dated];
}

/// What of its time a line has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clock {
    pub(super) date: Option<Date>,
    /// Where the year is missing.
    pub(super) month_and_day: Option<(i8, i8)>,
    pub(super) time: Time,
    /// The log says which zone; date and time are in UTC.
    pub(super) utc: bool,
}

pub(super) fn at(time: Time) -> Clock {
    Clock { date: None, month_and_day: None, time, utc: false }
}

/// The time of a line, and what follows.
pub(super) fn of(line: &str, style: Style) -> Option<(Clock, &str)> {
    match style {
        Style::Irssi => {
            let (time, rest) = line.split_once(' ')?;
            Some((at(clock(time)?), rest))
        }
        Style::Weechat => {
            let (stamp, rest) = line.split_once('\t')?;
            Some((moment(stamp)?, rest))
        }
        Style::Znc => bracketed(line),
        Style::Hexchat => {
            let (month_and_day, rest) = month_first(line)?;
            let (time, rest) = rest.split_once(' ')?;
            Some((Clock { month_and_day: Some(month_and_day), ..at(clock(time)?) }, rest))
        }
        Style::Dated => {
            let time = line.get(11..)?;
            let end = 11 + time.find([' ', '\t'])?;
            let rest = line.get(end + 1..)?;
            Some((moment(line.get(..end)?)?, rest.strip_prefix(' ').unwrap_or(rest)))
        }
    }
}

/// `2024-01-31 10:00:00`, also with `T`, fractions and an offset.
fn moment(text: &str) -> Option<Clock> {
    if text.len() < 16 {
        return None;
    }
    let zoned: Option<Timestamp> =
        text.parse().ok().or_else(|| text.replacen(' ', "T", 1).replace(' ', "").parse().ok());
    let (moment, utc) = match zoned {
        Some(instant) => (TimeZone::UTC.to_datetime(instant), true),
        None => (text.parse::<DateTime>().ok()?, false),
    };
    let time = moment.time().with().subsec_nanosecond(0).build().ok()?;
    Some(Clock { date: Some(moment.date()), utc, ..at(time) })
}

/// `[…] `; mIRC colours the lines that nobody said.
fn bracketed(line: &str) -> Option<(Clock, &str)> {
    let line = line.strip_prefix('\u{3}').map_or(line, |l| l.trim_start_matches(|c: char| c.is_ascii_digit()));
    let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix(' ')?;
    match english(stamp) {
        Some((day, Some(time))) => Some((Clock { date: Some(day), ..at(time) }, rest)),
        // Konversation: `[Wednesday 31 January 2024] [10:00:00 CET] `
        Some((day, None)) => {
            let (time, rest) = rest.strip_prefix('[')?.split_once("] ")?;
            Some((Clock { date: Some(day), ..at(clock(time.split(' ').next()?)?) }, rest))
        }
        None => in_brackets(stamp).map(|clock| (clock, rest)),
    }
}

/// `10:00:00`, `10:00:00 PM`, `2024-01-31 10:00:00`, `31 Jan 10:00`, `Jan 31 10:00`.
fn in_brackets(stamp: &str) -> Option<Clock> {
    if let Some(time) = clock(stamp).or_else(|| twelve(stamp)) {
        return Some(at(time));
    }
    let day_first = || {
        let (day, rest) = stamp.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        Some(((month(name)?, day.parse().ok()?), rest))
    };
    if let Some((month_and_day, rest)) = day_first().or_else(|| month_first(stamp)) {
        return Some(Clock { month_and_day: Some(month_and_day), ..at(clock(rest)?) });
    }
    moment(stamp)
}

/// `Jan 31 ` and what follows.
fn month_first(text: &str) -> Option<((i8, i8), &str)> {
    let (name, rest) = text.split_once(' ')?;
    let month = month(name)?;
    let (day, rest) = rest.trim_start().split_once(' ')?;
    Some(((month, day.parse().ok()?), rest))
}

/// `Tue Dec 24 00:26:23 2013`, `Wed Dec 25 2013`, `Wednesday 25 December 2013`.
pub(super) fn english(text: &str) -> Option<(Date, Option<Time>)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|w| month(w).is_some())?;
    let month = month(words.get(at)?)?;
    let number = |i: usize| words.get(i)?.trim_end_matches(',').parse().ok().filter(|day| (1..=31).contains(day));
    let day = number(at + 1).or_else(|| number(at.checked_sub(1)?))?;
    let year = words.iter().find(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    let time = words.iter().find_map(|w| clock(w));
    Some((Date::new(year, month, day).ok()?, time))
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let named = |name: &&str| **name == *word || name.get(..3) == Some(word);
    MONTHS.iter().position(named).and_then(|i| i8::try_from(i + 1).ok())
}

/// `10:00` or `10:00:00`.
pub(super) fn clock(text: &str) -> Option<Time> {
    let figures: Vec<&str> = text.split(':').collect();
    let two = |f: &&str| f.len() == 2 && f.bytes().all(|b| b.is_ascii_digit());
    if !(2..=3).contains(&figures.len()) || !figures.iter().all(two) {
        return None;
    }
    let number = |i: usize| figures.get(i).map_or(Some(0), |f| f.parse::<i8>().ok());
    // A leap second.
    Time::new(number(0)?, number(1)?, number(2)?.min(59), 0).ok()
}

/// `9:05 PM`
fn twelve(text: &str) -> Option<Time> {
    let (time, half) = text.split_once(' ')?;
    let time = clock(&if time.find(':') == Some(1) { format!("0{time}") } else { time.to_owned() })?;
    let hour = match (half, time.hour()) {
        ("AM" | "am", hour @ 1..=12) => hour % 12,
        ("PM" | "pm", hour @ 1..=12) => hour % 12 + 12,
        _ => return None,
    };
    time.with().hour(hour).build().ok()
}
