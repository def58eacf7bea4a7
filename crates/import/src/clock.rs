//! Dates as apps print them for people, with month names or in an order that only the whole file tells:
//! `15-Jan-24 10:30 AM`, `Jan 15, 2024, 10:30 AM`, `15.01.2024 10:30`, `1/15/2024 10:30 AM`.
//! ISO 8601 is left to `time.rs`; WhatsApp has its own rules.

use crate::time;
use evoke_message::fold;
use jiff::{civil::DateTime, tz::TimeZone};

/// Beginnings of month names, folded, in the languages of most exports. The longest that fits counts.
#[rustfmt::skip]
const MONTHS: &[(&str, i8)] = &[
    ("jan", 1), ("jän", 1), ("ene", 1), ("gen", 1), ("feb", 2), ("fev", 2), ("mar", 3), ("mrt", 3), ("maa", 3), ("apr", 4),
    ("avr", 4), ("abr", 4), ("may", 5), ("mai", 5), ("mag", 5), ("mei", 5), ("maj", 5), ("jun", 6), ("juin", 6), ("giu", 6),
    ("jul", 7), ("juil", 7), ("lug", 7), ("aug", 8), ("ago", 8), ("aou", 8), ("sep", 9), ("set", 9), ("oct", 10), ("okt", 10),
    ("ott", 10), ("out", 10), ("nov", 11), ("dec", 12), ("dez", 12), ("dic", 12), ("des", 12),
];

/// Which of the first two figures of `1/2/2024` is the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    MonthFirst,
    DayFirst,
}

/// What the dates of a file say about their order, in reading order.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    first_is_day: bool,
    second_is_day: bool,
    noon: bool,
    slash: bool,
    before: Option<[i16; 3]>,
    /// How often time would go backwards: month first, day first.
    backwards: [u32; 2],
}

impl Survey {
    pub(crate) fn see(&mut self, text: &str) {
        let Some(parts) = parts(text).filter(|p| p.month.is_none() && !p.year_first) else { return };
        let [a, b, year, ..] = parts.figures.as_slice() else { return };
        self.first_is_day |= *a > 12;
        self.second_is_day |= *b > 12;
        self.noon |= parts.half.is_some();
        self.slash |= text.contains('/');
        let now = [*year, *a, *b];
        if let Some([y, x, z]) = self.before.replace(now) {
            self.backwards[0] += u32::from([*year, *a, *b] < [y, x, z]);
            self.backwards[1] += u32::from([*year, *b, *a] < [y, z, x]);
        }
    }

    /// A day over 12 decides; then the order in which time goes on; then the look of it.
    pub(crate) fn order(&self) -> Order {
        let day_first = match (self.first_is_day, self.second_is_day, self.backwards) {
            (true, false, _) => true,
            (false, true, _) => false,
            (_, _, [month, day]) if month != day => day < month,
            _ => !(self.noon && self.slash),
        };
        if day_first { Order::DayFirst } else { Order::MonthFirst }
    }
}

/// UTC milliseconds, and whether the text has a zone of its own.
pub(crate) fn instant(text: &str, order: Order, zone: &TimeZone) -> Option<(i64, bool)> {
    let text = text.trim();
    if text.as_bytes().get(4) == Some(&b'-') {
        let zoned = text.get(11..).is_some_and(|rest| rest.ends_with('Z') || rest.contains(['+', '-']));
        let found = if zoned { time::iso(text) } else { time::wall(text, zone) };
        if found.is_some() {
            return found.map(|ms| (ms, zoned));
        }
    }
    let clock = civil(text, order)?;
    let (zone, known) = match text.rsplit(' ').next() {
        Some("UTC" | "GMT" | "Z") => (TimeZone::UTC, true),
        _ => (zone.clone(), false),
    };
    let ms = zone.to_ambiguous_timestamp(clock).compatible().ok()?.as_millisecond();
    (ms > 0).then_some((ms, known))
}

fn civil(text: &str, order: Order) -> Option<DateTime> {
    let parts = parts(text)?;
    let mut figures = parts.figures.iter().copied();
    let mut next = || figures.next();
    let (year, month, day) = match (parts.month, parts.year_first, order) {
        (Some(month), true, _) => (next()?, month, next()?),
        (Some(month), false, _) => {
            let day = next()?;
            (next()?, month, day)
        }
        (None, true, _) => (next()?, i8::try_from(next()?).ok()?, next()?),
        (None, false, Order::MonthFirst) => {
            let (month, day) = (next()?, next()?);
            (next()?, i8::try_from(month).ok()?, day)
        }
        (None, false, Order::DayFirst) => {
            let (day, month) = (next()?, next()?);
            (next()?, i8::try_from(month).ok()?, day)
        }
    };
    let year = if year < 100 { year + 2000 } else { year };
    let (hour, minute, second) = (next()?, next()?, next().unwrap_or(0));
    let hour = match (parts.half, hour) {
        (Some(Half::Morning), 12) => 0,
        (Some(Half::Evening), hour) if hour < 12 => hour + 12,
        (_, hour) => hour,
    };
    let small = |n: i16| i8::try_from(n).ok();
    DateTime::new(year, month, small(day)?, small(hour)?, small(minute)?, small(second.min(59))?, 0).ok()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Morning,
    Evening,
}

struct Parts {
    /// Where it is written as a name.
    month: Option<i8>,
    /// In order, fractions of a second left out.
    figures: Vec<i16>,
    year_first: bool,
    half: Option<Half>,
}

fn parts(text: &str) -> Option<Parts> {
    if text.len() > 80 {
        return None;
    }
    let mut figures = Vec::new();
    let mut words = Vec::new();
    for piece in text.split(|c: char| !c.is_alphanumeric()).filter(|p| !p.is_empty()) {
        match piece.parse::<i16>() {
            Ok(n) if piece.bytes().all(|b| b.is_ascii_digit()) => figures.push(n),
            _ => words.push(fold(piece)),
        }
    }
    let joined: String = words.iter().rev().take(2).rev().map(String::as_str).collect();
    let half = match joined.as_str() {
        j if j.ends_with("am") => Some(Half::Morning),
        j if j.ends_with("pm") => Some(Half::Evening),
        _ => None,
    };
    let month = words.iter().rev().find_map(|word| {
        let fits = MONTHS.iter().filter(|(name, _)| word.starts_with(name));
        fits.max_by_key(|(name, _)| name.len()).map(|(_, month)| *month)
    });
    let year_first = figures.first().is_some_and(|n| *n > 31);
    let least = if month.is_some() { 4 } else { 5 };
    (figures.len() >= least).then_some(Parts { month, figures, year_first, half })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, order: Order, expected: Option<&str>) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let shown = instant(text, order, &zone).map(|(ms, known)| {
            format!("{}{}", jiff::Timestamp::from_millisecond(ms).unwrap(), if known { "" } else { " wall" })
        });
        assert_eq!(shown.as_deref(), expected, "{text}");
    }

    #[test]
    fn dates_for_people() {
        use Order::{DayFirst, MonthFirst};
        for text in [
            "15-Jan-24 10:30 AM",
            "Jan 15, 2024, 10:30 AM",
            "Monday, January 15, 2024 10:30 AM",
            "15 janv. 2024, 10:30",
            "1/15/2024 10:30 AM",
            "2024-01-15 10:30",
            "Jan 15, 2024 10:30:00",
            "ene. 15, 2024 10:30 a. m.",
        ] {
            check(text, MonthFirst, Some("2024-01-15T09:30:00Z wall"));
        }
        check("15.01.2024 22:30", DayFirst, Some("2024-01-15T21:30:00Z wall"));
        check("Jan 15, 2024 at 12:05\u{202f}AM", MonthFirst, Some("2024-01-14T23:05:00Z wall"));
        check("2024-01-15T10:30:00.0000000+00:00", MonthFirst, Some("2024-01-15T10:30:00Z"));
        check("Oct 05, 2023 12:00 pm UTC", MonthFirst, Some("2023-10-05T12:00:00Z"));
        check("juil. 07, 2024 5:44 am", MonthFirst, Some("2024-07-07T03:44:00Z wall"));
        for wrong in ["", "Alice", "10:30", "99/99/2024 10:30", "15-Xyz-24 10:30"] {
            check(wrong, MonthFirst, None);
        }
    }

    #[test]
    fn the_whole_file_tells_the_order() {
        let order = |dates: &[&str]| {
            let mut survey = Survey::default();
            dates.iter().for_each(|d| survey.see(d));
            survey.order()
        };
        assert_eq!(order(&["1/2/2024 1:00 PM"]), Order::MonthFirst);
        assert_eq!(order(&["01/02/2024 13:00"]), Order::DayFirst);
        assert_eq!(order(&["01/02/2024 13:00", "02/20/2024 13:00"]), Order::MonthFirst);
        assert_eq!(order(&["1/2/2024 1:00 PM", "20/2/2024 1:00 PM"]), Order::DayFirst);
        assert_eq!(order(&["1/2/2024 13:00", "1/5/2024 13:00", "2/1/2024 13:00"]), Order::MonthFirst);
    }
}
