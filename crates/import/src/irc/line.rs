//! One line of a log, by the program that wrote it.

use jiff::civil::{Date, DateTime, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `10:00 < Ana> hi`
    Irssi,
    /// `2024-01-31 10:00:00⇥ana⇥hi`
    Weechat,
    /// `[10:00:00] <ana> hi`; mIRC and others too, with or without a date in the brackets.
    Znc,
    /// `Jan 31 10:00:00 <ana>⇥hi`
    Hexchat,
}

impl Style {
    pub(super) const ALL: [Style; 4] = [Style::Irssi, Style::Weechat, Style::Znc, Style::Hexchat];
}

/// What of its time a line has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clock {
    pub(super) date: Option<Date>,
    /// Where the year is missing.
    pub(super) month_and_day: Option<(i8, i8)>,
    pub(super) time: Time,
    /// The log says that it is UTC.
    pub(super) utc: bool,
}

/// Where in time a log is.
pub(super) struct Dates {
    pub(super) day: Option<Date>,
    /// Where nothing says the day.
    pub(super) otherwise: Date,
    /// Of the line before.
    pub(super) clock: Option<Time>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Spoken {
    Said(String, String),
    /// `/me`
    Did(String, String),
    Notice(String),
}

#[derive(Debug, PartialEq)]
pub(super) enum Told {
    /// No line of such a log.
    Nothing,
    Opened(Date, Time),
    Closed,
    /// A new day.
    Day(Date),
    Spoken {
        clock: Clock,
        spoken: Spoken,
    },
}

pub(super) fn read(line: &str, style: Style) -> Told {
    if let Some(told) = heading(line) {
        return told;
    }
    let read = match style {
        Style::Irssi => irssi(line),
        Style::Weechat => weechat(line),
        Style::Znc => znc(line),
        Style::Hexchat => hexchat(line),
    };
    read.map_or(Told::Nothing, |(clock, spoken)| Told::Spoken { clock, spoken })
}

/// What a line tells that nobody said, headings included.
pub(super) fn notice(line: &str, style: Style) -> Option<String> {
    match read(line, style) {
        Told::Spoken { spoken: Spoken::Notice(text), .. } => Some(text),
        Told::Closed => Some(line.to_owned()),
        _ => None,
    }
}

/// Lines about the log itself: `--- Log opened Tue Dec 24 00:26:23 2013`.
fn heading(line: &str) -> Option<Told> {
    let opened = ["--- Log opened ", "**** BEGIN LOGGING AT ", "Session Start: "];
    if let Some(rest) = opened.iter().find_map(|words| line.strip_prefix(words)) {
        return english(rest).map(|(day, time)| Told::Opened(day, time.unwrap_or(Time::midnight())));
    }
    if let Some(rest) = line.strip_prefix("--- Day changed ") {
        return english(rest).map(|(day, _)| Told::Day(day));
    }
    let closed = ["--- Log closed ", "**** ENDING LOGGING AT ", "Session Close: ", "Session Time: ", "Session Ident: "];
    closed.iter().any(|words| line.starts_with(words)).then_some(Told::Closed)
}

/// `Tue Dec 24 00:26:23 2013` or `Wed Dec 25 2013`.
fn english(text: &str) -> Option<(Date, Option<Time>)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|w| month(w).is_some())?;
    let (month, day) = (month(words.get(at)?)?, words.get(at + 1)?.trim_end_matches(',').parse().ok()?);
    let rest = words.get(at + 2..)?;
    let year = rest.iter().find(|w| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    let time = rest.iter().find_map(|w| clock(w));
    Some((Date::new(year, month, day).ok()?, time))
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.iter().position(|m| *m == word).and_then(|i| i8::try_from(i + 1).ok())
}

/// `10:00` or `10:00:00`.
fn clock(text: &str) -> Option<Time> {
    let figures: Vec<&str> = text.split(':').collect();
    let two = |f: &&str| f.len() == 2 && f.bytes().all(|b| b.is_ascii_digit());
    if !(2..=3).contains(&figures.len()) || !figures.iter().all(two) {
        return None;
    }
    let n = |i: usize| figures.get(i).map_or(Some(0), |f| f.parse().ok());
    // A leap second.
    Time::new(n(0)?, n(1)?, n(2)?.min(59), 0).ok()
}

fn at(time: Time) -> Clock {
    Clock { date: None, month_and_day: None, time, utc: false }
}

/// Without the sign of an operator or of a voice.
fn nick(text: &str) -> Option<String> {
    let bare = text.trim_start_matches([' ', '@', '+', '%', '&', '~', '!']);
    let fits = !bare.is_empty() && bare.len() <= 64 && !bare.contains(char::is_whitespace);
    fits.then(|| plain(bare))
}

/// `<nick> text` and `<nick>⇥text`.
fn said(rest: &str) -> Option<Spoken> {
    let (name, text) = rest.strip_prefix('<')?.split_once('>')?;
    let text = text.strip_prefix([' ', '\t']).or_else(|| text.is_empty().then_some(text))?;
    Some(Spoken::Said(nick(name)?, plain(text)))
}

fn did(rest: &str) -> Option<Spoken> {
    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(Spoken::Did(nick(name)?, plain(text)))
}

fn irssi(line: &str) -> Option<(Clock, Spoken)> {
    let (time, rest) = line.split_once(' ')?;
    let time = clock(time)?;
    let spoken = if let Some(notice) = rest.strip_prefix("-!- ") {
        Spoken::Notice(plain(notice))
    } else if let Some(action) = rest.strip_prefix(" * ").or_else(|| rest.strip_prefix("* ")) {
        did(action)?
    } else if let Some((name, text)) = rest.strip_prefix('-').and_then(|r| r.split_once("- ")) {
        // `-nick:#chan- text` and `-nick(user@host)- text`
        let name = name.split([':', '(']).next().unwrap_or(name);
        Spoken::Said(nick(name)?, plain(text))
    } else {
        said(rest)?
    };
    Some((at(time), spoken))
}

fn weechat(line: &str) -> Option<(Clock, Spoken)> {
    let mut columns = line.splitn(3, '\t');
    let (stamp, name, text) = (columns.next()?, columns.next()?, columns.next()?);
    let moment: DateTime = stamp.parse().ok()?;
    if stamp.len() < 16 {
        return None;
    }
    let clock = Clock { date: Some(moment.date()), ..at(moment.time()) };
    let spoken = match name.trim() {
        "-->" | "<--" | "--" | "=!=" | "" | "ℹ" | "⚠" => Spoken::Notice(plain(text)),
        "*" => did(text)?,
        name => Spoken::Said(nick(name)?, plain(text)),
    };
    Some((clock, spoken))
}

fn znc(line: &str) -> Option<(Clock, Spoken)> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let clock = bracketed(stamp)?;
    let spoken = if let Some(notice) = rest.strip_prefix("*** ") {
        Spoken::Notice(plain(notice))
    } else if let Some(action) = rest.strip_prefix("* ") {
        did(action)?
    } else if let Some((name, text)) = rest.strip_prefix('-').and_then(|r| r.split_once("- ")) {
        Spoken::Said(nick(name.split(':').next()?)?, plain(text))
    } else {
        said(rest)?
    };
    Some((clock, spoken))
}

/// `10:00:00`, `2024-01-31 10:00:00`, `2024-01-31T10:00:00.000Z`.
fn bracketed(stamp: &str) -> Option<Clock> {
    if let Some(time) = clock(stamp) {
        return Some(at(time));
    }
    let utc = stamp.ends_with('Z');
    let moment: DateTime = stamp.trim_end_matches('Z').parse().ok()?;
    let time = moment.time().with().subsec_nanosecond(0).build().ok()?;
    (stamp.len() >= 16).then_some(Clock { date: Some(moment.date()), utc, ..at(time) })
}

fn hexchat(line: &str) -> Option<(Clock, Spoken)> {
    let (name, rest) = line.split_once(' ')?;
    let month = month(name)?;
    let (day, rest) = rest.trim_start().split_once(' ')?;
    let (time, rest) = rest.split_once(' ')?;
    let clock = Clock { month_and_day: Some((month, day.parse().ok()?)), ..at(clock(time)?) };
    let spoken = if let Some(notice) = rest.strip_prefix("*\t") {
        // What happened and what somebody did look alike; only the words tell.
        match happened(notice) {
            true => Spoken::Notice(plain(notice)),
            false => did(notice)?,
        }
    } else if let Some((name, text)) = rest.strip_prefix('-').and_then(|r| r.split_once("-\t")) {
        Spoken::Said(nick(name.split('/').next()?)?, plain(text))
    } else if rest.starts_with('<') && rest.contains(">\t") {
        said(rest)?
    } else {
        return None;
    };
    Some((clock, spoken))
}

/// HexChat's own sentences.
fn happened(text: &str) -> bool {
    const BEGIN: [&str; 9] = [
        "Now talking on",
        "Topic for ",
        "Disconnected",
        "Connecting to",
        "Connected",
        "You are now known",
        "You have been",
        "Looking up",
        "Channel ",
    ];
    const WITHIN: [&str; 14] = [
        ") has joined",
        ") has left",
        " has quit (",
        " is now known as ",
        " has changed the topic",
        " sets mode",
        " gives channel operator",
        " removes channel operator",
        " gives voice",
        " removes voice",
        " has kicked ",
        " sets ban",
        " set by ",
        " has joined",
    ];
    BEGIN.iter().any(|words| text.starts_with(words)) || WITHIN.iter().any(|words| text.contains(words))
}

/// Without the codes for colours and emphasis.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{2}' | '\u{f}' | '\u{11}' | '\u{16}' | '\u{1d}' | '\u{1e}' | '\u{1f}' => {}
            '\u{3}' => {
                let digits = |rest: &mut std::iter::Peekable<std::str::Chars>| {
                    (0..2).take_while(|_| rest.next_if(char::is_ascii_digit).is_some()).count()
                };
                if digits(&mut rest) > 0 {
                    let mut after = rest.clone();
                    if after.next() == Some(',') && digits(&mut after) > 0 {
                        rest = after;
                    }
                }
            }
            '\u{4}' => {
                for _ in 0..6 {
                    let _ = rest.next_if(char::is_ascii_hexdigit);
                }
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(style: Style, line: &str, expected: &str) {
        let shown = match read(line, style) {
            Told::Spoken { clock, spoken } => {
                let date = clock.date.map_or_else(String::new, |d| format!("{d} "));
                let part = clock.month_and_day.map_or_else(String::new, |(m, d)| format!("{m}/{d} "));
                match spoken {
                    Spoken::Said(who, text) => format!("{date}{part}{} {who}: {text}", clock.time),
                    Spoken::Did(who, text) => format!("{date}{part}{} *{who}* {text}", clock.time),
                    Spoken::Notice(text) => format!("{date}{part}{} - {text}", clock.time),
                }
            }
            Told::Opened(day, time) => format!("opened {day} {time}"),
            Told::Day(day) => format!("day {day}"),
            Told::Closed => "closed".to_owned(),
            Told::Nothing => "nothing".to_owned(),
        };
        assert_eq!(shown, expected, "{line}");
    }

    #[test]
    fn lines_of_irssi() {
        check(Style::Irssi, "--- Log opened Tue Dec 24 00:26:23 2013", "opened 2013-12-24 00:26:23");
        check(Style::Irssi, "--- Day changed Wed Dec 25 2013", "day 2013-12-25");
        check(Style::Irssi, "00:35 < Ana> a > b", "00:35:00 Ana: a > b");
        check(Style::Irssi, "00:35:07 <@Ana> hi", "00:35:07 Ana: hi");
        check(Style::Irssi, "00:35  * Ana waves", "00:35:00 *Ana* waves");
        check(Style::Irssi, "00:35 -!- Ana [u@h] has joined #c", "00:35:00 - Ana [u@h] has joined #c");
        check(Style::Irssi, "00:35 -Ana:#c- notice", "00:35:00 Ana: notice");
        check(Style::Irssi, "00:35 Meeting with Ana", "nothing");
    }

    #[test]
    fn lines_of_weechat() {
        check(Style::Weechat, "2024-01-31 10:00:00\t@ana\thi\tthere", "2024-01-31 10:00:00 ana: hi\tthere");
        check(
            Style::Weechat,
            "2024-01-31 10:00:00\t-->\tana (u@h) has joined #c",
            "2024-01-31 10:00:00 - ana (u@h) has joined #c",
        );
        check(Style::Weechat, "2024-01-31 10:00:00\t *\tana waves", "2024-01-31 10:00:00 *ana* waves");
    }

    #[test]
    fn lines_of_znc() {
        check(
            Style::Znc,
            "[10:00:00] <ana> \u{3}04,12red\u{f} \u{2}bold\u{2} \u{3}plain, \u{3}5,x",
            "10:00:00 ana: red bold plain, ,x",
        );
        check(Style::Znc, "[10:00:00] *** Joins: ana (u@h)", "10:00:00 - Joins: ana (u@h)");
        check(Style::Znc, "[10:00:00] * ana waves", "10:00:00 *ana* waves");
        check(Style::Znc, "[2024-01-31T10:00:00.123Z] <ana> hi", "2024-01-31 10:00:00 ana: hi");
    }

    #[test]
    fn lines_of_hexchat() {
        check(Style::Hexchat, "**** BEGIN LOGGING AT Wed Jan 31 10:00:00 2024", "opened 2024-01-31 10:00:00");
        check(Style::Hexchat, "Jan 31 10:00:00 <ana>\thi", "1/31 10:00:00 ana: hi");
        check(Style::Hexchat, "Jan  1 10:00:00 *\tana waves", "1/1 10:00:00 *ana* waves");
        check(Style::Hexchat, "Jan 31 10:00:00 *\tana (u@h) has joined", "1/31 10:00:00 - ana (u@h) has joined");
        check(Style::Hexchat, "Jan 31 10:00:00 *\tNow talking on #c", "1/31 10:00:00 - Now talking on #c");
    }
}
