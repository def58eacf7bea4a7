//! Logs of IRC programs: irssi, WeeChat, ZNC, HexChat, mIRC and those like them (formats.md §28). They mostly have wall
//! times without a zone, no ids, and often no date in a line. When a line was written is left to `stamp.rs`, what it says
//! to `line.rs`, where a log comes from to `name.rs`.

mod line;
mod name;
mod stamp;
mod words;

use crate::{
    Format, ImportError, Options,
    export::Export,
    out::Out,
    record::{ContentIds, Thread},
    text::{Line, Lines},
    threads::Threads,
    time,
};
use evoke_message::{ConversationKind, Kind, Message, Part, Place, Role, Sender};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time},
};
use line::{Dates, Spoken, Told};
use name::Name;
use stamp::{Clock, Style};
use words::Words;

pub(crate) const FORMAT: Format = Format {
    key: "irc",
    label: "IRC",
    kind: Kind::Chat,
    how_to_export: "Choose the folder in which your IRC program keeps its logs: ~/irclogs (irssi), ~/.local/share/weechat/logs or ~/.weechat/logs \
                    (WeeChat), moddata/log of a ZNC user, ~/.config/hexchat/logs (HexChat); or one log of it.",
    detect,
    read,
};

/// Lines at the beginning of a file that are looked at.
const LOOKED_AT: usize = 100;

fn detect(export: &Export) -> Option<Vec<usize>> {
    let logs: Vec<usize> = export
        .unclaimed()
        .filter(|(i, file)| {
            name::may_be_log(file.file_name()) && export.head(*i).is_ok_and(|head| style(&head).is_some())
        })
        .map(|(i, _)| i)
        .collect();
    (!logs.is_empty()).then_some(logs)
}

/// The program that nearly every line is written by; at least two lines, or one with a heading that only logs have.
fn style(head: &[u8]) -> Option<Style> {
    // A damaged byte is one; a file that is no text has many.
    if head.iter().filter(|b| **b == 0).count() * 100 > head.len() {
        return None;
    }
    // The last line of a head may be cut.
    let whole = head.len() < (64 << 10);
    let lines: Vec<String> =
        Lines::new(Words::new(head), head.len()).ok()?.map_while(Result::ok).filter_map(text).collect();
    let lines = lines.get(..lines.len() - usize::from(!whole && lines.len() > 1)).unwrap_or_default();
    let lines: Vec<&str> = lines.iter().map(|l| l.as_str()).filter(|l| !l.trim().is_empty()).take(LOOKED_AT).collect();
    let fits = |style: Style| {
        let told: Vec<Told> = lines.iter().map(|l| line::read(l, style)).collect();
        let known = told.iter().filter(|t| !matches!(t, Told::Nothing)).count();
        let spoken = told.iter().filter(|t| matches!(t, Told::Spoken { .. })).count();
        let headed = matches!(told.first(), Some(Told::Day(_) | Told::Opened(..)));
        let enough = spoken >= 2 || (headed && spoken >= 1) || (headed && lines.len() <= 3);
        (enough && known * 10 >= lines.len() * 8).then_some(known)
    };
    Style::ALL.into_iter().filter_map(|s| Some((fits(s)?, s))).max_by_key(|(known, _)| *known).map(|(_, s)| s)
}

fn text(line: Line) -> Option<String> {
    match line {
        Line::Text { text, .. } => Some(text),
        Line::TooLong { .. } => None,
    }
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut threads = Threads::default();
    for &file in files {
        read_log(export, file, options, &mut threads, out)?;
        if out.stopped() {
            return Ok(());
        }
    }
    threads.end(out);
    Ok(())
}

fn read_log(
    export: &Export,
    file: usize,
    options: &Options,
    threads: &mut Threads,
    out: &mut Out,
) -> Result<(), ImportError> {
    let head = export.head(file)?;
    let (Some(entry), Some(style)) = (export.files().get(file), style(&head)) else { return Ok(()) };
    let mut name = Name::of(&entry.path, &head, style);
    if name.channel.is_empty() {
        // A day alone: the folder that was chosen is its channel.
        name.channel = if entry.path == export.name() { entry.file_name() } else { export.name() }.to_owned();
    }
    let thread = Thread::new(FORMAT.key, Kind::Chat, name.key());
    let modified = entry.modified.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let latest = modified.unwrap_or_else(|| Timestamp::from_millisecond(options.now).unwrap_or(Timestamp::MAX));
    let mut reading = Reading {
        options,
        name: &name,
        thread,
        ids: ContentIds::default(),
        dates: Dates { day: name.day, otherwise: options.zone.to_datetime(latest).date(), clock: None },
        style,
    };
    let lines =
        Lines::new(Words::new(export.open(file)?), options.limits.record).map_err(|e| export.trouble(file, e))?;
    let mut trouble = None;
    for line in lines {
        let flow = match line {
            Ok(Line::Text { text, .. }) if text.trim().is_empty() => continue,
            Ok(Line::Text { number, text, .. }) => reading.line(&text, export.place(file, number), threads, out),
            Ok(Line::TooLong { number, bytes }) => {
                out.failed(format!("a line of {bytes} bytes is longer than any message"), export.place(file, number))
            }
            Err(error) => {
                trouble = Some(error);
                break;
            }
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    out.file_ended(file, 0, trouble)
}

struct Reading<'a> {
    options: &'a Options,
    name: &'a Name,
    thread: Thread,
    ids: ContentIds,
    dates: Dates,
    style: Style,
}

impl Reading<'_> {
    fn line(&mut self, line: &str, place: Place, threads: &mut Threads, out: &mut Out) -> crate::Flow {
        match line::read_on(line, self.style) {
            Told::Nothing => out.failed("this is not a line of such a log", place),
            Told::Closed => crate::Flow::Continue(()),
            Told::Day(day) => {
                self.dates.starts(day);
                crate::Flow::Continue(())
            }
            Told::Opened(day, clock) => {
                self.dates.starts(day);
                self.dates.clock = Some(clock);
                crate::Flow::Continue(())
            }
            Told::Happened(text) => {
                let clock = stamp::at(self.dates.clock.unwrap_or_default());
                self.spoken(clock, Spoken::Notice(text), place, threads, out)
            }
            Told::Spoken { clock, spoken } => self.spoken(clock, spoken, place, threads, out),
        }
    }

    fn spoken(
        &mut self,
        clock: Clock,
        spoken: Spoken,
        place: Place,
        threads: &mut Threads,
        out: &mut Out,
    ) -> crate::Flow {
        let day = self.dates.of(&clock);
        let (part, nick, said) = match spoken {
            Spoken::Said(nick, text) => (Part::Text, nick, text),
            Spoken::Did(nick, text) => (Part::Text, nick.clone(), format!("* {nick} {text}")),
            Spoken::Notice(text) => (Part::Service, String::new(), text),
        };
        if said.trim().is_empty() {
            return out.skipped("message without text", place);
        }
        let sender = match nick.as_str() {
            "" => Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false },
            nick => Sender { key: self.name.person(nick), name: nick.to_owned(), me: false },
        };
        let name = self.name;
        let known = threads.of(&self.thread, || (name.kind(), name.channel.clone()));
        if known.conversation.participants.len() > 2 {
            known.conversation.kind = ConversationKind::Channel;
        }
        let written = format!("{day} {}", clock.time);
        let instant = match clock.utc {
            true => time::iso(&format!("{day}T{}Z", clock.time)),
            false => time::wall(&format!("{day}T{}", clock.time), &self.options.zone),
        };
        let id = self.ids.next(&self.thread, &[&written, &sender.key, &said]);
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            text: said,
            time: instant.or(known.last).unwrap_or(self.options.now),
            time_original: written,
            zone_known: clock.utc && instant.is_some(),
            ..self.thread.message(id, sender, place)
        };
        known.put(message, out)
    }
}

impl Dates {
    /// The day of a line. One without a date is on the day that is under way; where the clock went back by more
    /// than half a day without a word, that day has ended.
    fn of(&mut self, clock: &Clock) -> Date {
        let day = match (clock.date, clock.month_and_day) {
            (Some(date), _) => date,
            (None, Some((month, number))) => self.in_year(month, number),
            (None, None) => self.same_or_next(clock.time),
        };
        self.day = Some(day);
        self.clock = Some(clock.time);
        day
    }

    fn starts(&mut self, day: Date) {
        self.day = Some(day);
        self.clock = None;
    }

    /// A line with a day but no year: that of the line before, or the next where the month went far back; at first the
    /// last year in which the day lies before what is known.
    fn in_year(&self, month: i8, number: i8) -> Date {
        let before = self.day.unwrap_or(self.otherwise);
        let to_come = (month, number) > (before.month(), before.day());
        let year = match self.day {
            Some(_) => before.year() + i16::from(before.month() - month > 6),
            None => before.year() - i16::from(to_come),
        };
        // 29 February of a year that has none.
        Date::new(year, month, number).or_else(|_| Date::new(year, month, 28)).unwrap_or(before)
    }

    fn same_or_next(&self, time: Time) -> Date {
        let day = self.day.unwrap_or(self.otherwise);
        let hours = |t: Time| i32::from(t.hour()) * 60 + i32::from(t.minute());
        let back = self.clock.is_some_and(|before| hours(before) - hours(time) > 12 * 60);
        if back { day.checked_add(1.day()).unwrap_or(day) } else { day }
    }
}

impl Name {
    /// Channels begin with a sign; other logs are of a talk with one person.
    fn kind(&self) -> ConversationKind {
        if self.channel.starts_with(['#', '&', '+', '!']) {
            ConversationKind::Channel
        } else {
            ConversationKind::Direct
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, expected: Option<Style>) {
        assert_eq!(style(log.as_bytes()), expected, "{log}");
    }

    #[test]
    fn programs_are_told_apart() {
        check("--- Log opened Tue Dec 24 00:26:23 2013\n00:26 < Ana> hi\n00:27 <@Bo> yes", Some(Style::Irssi));
        check("2024-01-31 10:00:00\tana\thi\n2024-01-31 10:00:01\t@bo\tyes", Some(Style::Weechat));
        check("[10:00:00] <ana> hi\n[10:00:01] *** Joins: bo (u@h)\n[10:00:02] * bo waves", Some(Style::Znc));
        check("**** BEGIN LOGGING AT Wed Jan 31 10:00:00 2024\n\nJan 31 10:00:00 <ana>\thi", Some(Style::Hexchat));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "10:00 Meeting\n11:00 <b>Lunch</b>\n12:00 Talk",
            "[31.01.24, 10:00:00] Ana: hi\n[31.01.24, 10:00:01] Bo: yes",
            "31/01/2024, 10:00 - Ana: hi\n31/01/2024, 10:01 - Bo: yes",
            "2024-01-31 10:00:00\tGET\n2024-01-31 10:00:01\tPOST",
            "2024-01-31 10:00:00 INFO started\n2024-01-31 10:00:01 INFO stopped",
            "[10:00:00] INFO started\n[10:00:01] WARN <none> left\n[10:00:02] INFO <a> b",
            "Jan 31 10:00:00 host sshd[1]: hi\nJan 31 10:00:01 host cron[2]: yes",
            "[10:00] <ana> one line",
            "",
        ] {
            check(text, None);
        }
    }
}
