//! One line of a log: what somebody said or did, or what happened. When, is left to `stamp.rs`.

use super::stamp::{self, Clock, Style, english};
use jiff::civil::{Date, Time};

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
    /// What happened, without a time.
    Happened(String),
    Spoken {
        clock: Clock,
        spoken: Spoken,
    },
}

pub(super) fn read(line: &str, style: Style) -> Told {
    if let Some(told) = heading(line) {
        return told;
    }
    let Some((clock, rest)) = stamp::of(line, style) else { return Told::Nothing };
    if let Some((day, _)) = rest.strip_prefix("--- ").and_then(english) {
        return Told::Day(day);
    }
    let spoken = if style == Style::Weechat { columns(rest) } else { spoken(rest, style) };
    spoken.map_or(Told::Nothing, |spoken| Told::Spoken { clock, spoken })
}

/// The same in a log that is known to be one: a line with a time is what happened, whatever its words.
pub(super) fn read_on(line: &str, style: Style) -> Told {
    match (read(line, style), stamp::of(line, style)) {
        (Told::Nothing, Some((clock, rest))) if !rest.trim().is_empty() => {
            Told::Spoken { clock, spoken: Spoken::Notice(plain(rest)) }
        }
        (told, _) => told,
    }
}

/// What a line tells that nobody said, headings included.
pub(super) fn notice(line: &str, style: Style) -> Option<String> {
    match read(line, style) {
        Told::Spoken { spoken: Spoken::Notice(text), .. } => Some(text),
        Told::Happened(text) => Some(text),
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
    if let Some(happened) = line.strip_prefix("=== ") {
        return Some(Told::Happened(plain(happened)));
    }
    let closed = ["--- Log closed ", "**** ENDING LOGGING AT ", "Session Close: ", "Session Time: ", "Session Ident: "];
    closed.iter().any(|words| line.starts_with(words)).then_some(Told::Closed)
}

/// Without the sign of an operator or of a voice.
fn nick(text: &str) -> Option<String> {
    let bare = text.trim_start_matches([' ', '@', '+', '%', '&', '~', '!']);
    let fits = !bare.is_empty() && bare.len() <= 64 && !bare.contains(char::is_whitespace);
    fits.then(|| plain(bare))
}

/// `<nick> text`, `<nick>⇥text` and dircproxy's `<nick!user@host> +text`.
fn said(rest: &str) -> Option<Spoken> {
    let (name, text) = rest.strip_prefix('<')?.split_once('>')?;
    let text = text.strip_prefix([' ', '\t']).or_else(|| text.is_empty().then_some(text))?;
    let full = name.split_once('!').filter(|(nick, host)| !nick.trim().is_empty() && host.contains('@'));
    match full {
        Some((name, _)) => Some(Spoken::Said(nick(name)?, plain(text.strip_prefix(['+', '-']).unwrap_or(text)))),
        None => Some(Spoken::Said(nick(name)?, plain(text))),
    }
}

fn did(rest: &str) -> Option<Spoken> {
    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(Spoken::Did(nick(name)?, plain(text)))
}

/// What stands before a notice.
const NOTICES: [&str; 13] =
    ["-!- ", "*** ", "***\t", "--> ", "-->\t", "<-- ", "<--\t", "--\t", "--- ", "→ ", "← ", "⇐ ", "⇒ "];
/// What stands before what somebody did. Some programs have the same before a notice: only the words tell.
const ACTIONS: [&str; 6] = ["* ", "*\t", "• ", "— ", "Action: ", "\u{b7} "];

fn spoken(rest: &str, style: Style) -> Option<Spoken> {
    if rest.starts_with('<') && !rest.starts_with("<--") {
        return said(rest);
    }
    if let Some(notice) = NOTICES.iter().find_map(|mark| rest.strip_prefix(mark)) {
        return Some(Spoken::Notice(plain(notice)));
    }
    let shifted = rest.trim_start_matches(' ');
    if let Some(mark) = ACTIONS.iter().find(|mark| shifted.starts_with(**mark)) {
        let action = shifted.strip_prefix(mark)?;
        let is_notice = match (style, *mark) {
            (_, "*\t") => happened(action),
            (Style::Znc | Style::Dated, "* ") => happened_in_mirc(action),
            _ => false,
        };
        return if is_notice { Some(Spoken::Notice(plain(action))) } else { did(action) };
    }
    if style == Style::Znc && names_a_host(rest) {
        return Some(Spoken::Notice(plain(rest)));
    }
    // `-nick- text`, `-nick:#chan- text`, `-nick(user@host)- text`, `-nick/#chan-⇥text`
    let dashed = rest.strip_prefix('-')?;
    let (name, text) = dashed.split_once("- ").or_else(|| dashed.split_once("-\t"))?;
    Some(Spoken::Said(nick(name.split([':', '(', '/']).next()?)?, plain(text)))
}

/// `nick (user@host) joined #chan.` and `#chan: mode change …` of eggdrop.
fn names_a_host(rest: &str) -> bool {
    let mut words = rest.split(' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let host = second.strip_prefix(['(', '[']).and_then(|h| h.strip_suffix([')', ']']));
    host.is_some_and(|host| host.contains('@')) || (first.starts_with('#') && first.ends_with(':') && second == "mode")
}

/// WeeChat's, behind the time: `nick⇥text`.
fn columns(rest: &str) -> Option<Spoken> {
    let (name, text) = rest.split_once('\t')?;
    match name.trim() {
        "-->" | "<--" | "--" | "=!=" | "" | "ℹ" | "⚠" => Some(Spoken::Notice(plain(text))),
        "*" => did(text),
        name => Some(Spoken::Said(nick(name)?, plain(text))),
    }
}

/// The sentences of mIRC and those like it.
fn happened_in_mirc(text: &str) -> bool {
    const BEGIN: [&str; 10] = [
        "Now talking in ",
        "Topic is ",
        "Set by ",
        "Joins: ",
        "Parts: ",
        "Quits: ",
        "Disconnected",
        "Rejoined ",
        "Attempting to ",
        "You ",
    ];
    const WITHIN: [&str; 9] = [
        ") has joined ",
        ") has left ",
        ") Quit (",
        " sets mode: ",
        " is now known as ",
        " was kicked by ",
        " changes topic to ",
        " has quit IRC",
        " → ",
    ];
    BEGIN.iter().any(|words| text.starts_with(words)) || WITHIN.iter().any(|words| text.contains(words))
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
            Told::Happened(text) => format!("- {text}"),
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
