//! Which figure of a date is the day: decided once for each style of head, over the whole file.
//!
//! `3/6/18` alone does not say. What does, in this order: figures that fit only one reading; the
//! reading in which dates do not go backwards; the one in which the chat lies much closer together;
//! the country of the zone. Memory is constant, however long the file is.

use super::header::Style;
use jiff::{ToSpan, civil::Date, tz::TimeZone};

/// WhatsApp was first released in 2009.
const FIRST_YEAR: i16 = 2009;

/// How much closer together a chat must lie in one reading to prefer it.
const MUCH_CLOSER: i32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    DayMonthYear,
    MonthDayYear,
    YearMonthDay,
    YearDayMonth,
    MonthYearDay,
    DayYearMonth,
}

use Order::{DayMonthYear, DayYearMonth, MonthDayYear, MonthYearDay, YearDayMonth, YearMonthDay};

impl Order {
    /// The readings that a style allows, the most usual first.
    pub(super) fn candidates(style: &Style) -> &'static [Order] {
        match style.year {
            Some(0) => &[YearMonthDay, YearDayMonth],
            Some(1) => &[MonthYearDay, DayYearMonth],
            Some(_) => &[DayMonthYear, MonthDayYear],
            None => &[DayMonthYear, MonthDayYear, YearMonthDay],
        }
    }

    /// The day that three figures name in this order, if there is one.
    pub(super) fn date(self, [a, b, c]: [u16; 3]) -> Option<Date> {
        let (year, month, day) = match self {
            DayMonthYear => (c, b, a),
            MonthDayYear => (c, a, b),
            YearMonthDay => (a, b, c),
            YearDayMonth => (a, c, b),
            MonthYearDay => (b, a, c),
            DayYearMonth => (b, c, a),
        };
        Date::new(western_year(year)?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    }

    /// None where the year comes first: how the day and the month stand without it is another matter.
    pub(super) fn day_first(self) -> Option<bool> {
        match self {
            DayMonthYear | DayYearMonth => Some(true),
            MonthDayYear | MonthYearDay => Some(false),
            YearMonthDay | YearDayMonth => None,
        }
    }

    /// What a person should know where the figures alone did not decide.
    pub(super) fn note(self, because: Because, chat: &str) -> Option<String> {
        let reason = match because {
            Because::Figures => return None,
            Because::Chronology => "so its messages are in order of time",
            Because::Closeness => "so its messages lie close together",
            Because::Others => "as others in the same file",
            Because::Said => "as was said, because nothing in the file tells",
            Because::Zone => "as is usual in your time zone, because nothing in the file tells",
        };
        Some(format!("The dates of the WhatsApp chat {chat:?} were read with {}, {reason}.", self.in_words()))
    }

    fn in_words(self) -> &'static str {
        match self {
            DayMonthYear | DayYearMonth => "the day before the month",
            MonthDayYear | MonthYearDay => "the month before the day",
            YearMonthDay => "the year first, then the month",
            YearDayMonth => "the year first, then the day",
        }
    }
}

/// Four digits from two, and the common era from the Buddhist one (2567 is 2024).
fn western_year(year: u16) -> Option<i16> {
    let year = match year {
        0..=51 => 2000 + year,
        52..=99 => 2500 + year - 543,
        2400.. => year - 543,
        _ => year,
    };
    i16::try_from(year).ok()
}

/// What one order would make of all dates of a style.
#[derive(Clone, Debug)]
struct Reading {
    order: Order,
    /// Dates that do not exist, lie before WhatsApp or after the present.
    impossible: u64,
    /// Days on which the chat would go back in time.
    backwards: u64,
    previous: Option<Date>,
    span: Option<(Date, Date)>,
}

impl Reading {
    fn see(&mut self, figures: [u16; 3], latest: Date) {
        let Some(date) = self.order.date(figures).filter(|d| d.year() >= FIRST_YEAR && *d <= latest) else {
            self.impossible += 1;
            return;
        };
        self.backwards += u64::from(self.previous.is_some_and(|previous| date < previous));
        self.previous = Some(date);
        let (first, last) = self.span.unwrap_or((date, date));
        self.span = Some((first.min(date), last.max(date)));
    }

    fn days(&self) -> i32 {
        self.span.map_or(0, |(first, last)| (last - first).get_days())
    }
}

/// What the dates of one style say about their order.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    style: Style,
    readings: Vec<Reading>,
    latest: Date,
}

/// Why an order was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// Only this reading fits the figures, or its order is the only usual one.
    Figures,
    Chronology,
    Closeness,
    /// Other styles of the file are read so.
    Others,
    /// [`crate::Options::day_first`] says it.
    Said,
    Zone,
}

impl Evidence {
    /// `present`: no message is later, but for clocks that go wrong by a day.
    pub(super) fn new(style: Style, present: Date) -> Self {
        let reading =
            |order: &Order| Reading { order: *order, impossible: 0, backwards: 0, previous: None, span: None };
        let latest = present.saturating_add(2.days());
        Self { style, readings: Order::candidates(&style).iter().map(reading).collect(), latest }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    pub(super) fn see(&mut self, figures: [u16; 3]) {
        for reading in &mut self.readings {
            reading.see(figures, self.latest);
        }
    }

    pub(super) fn decide(&self, zone: &TimeZone) -> (Order, Because) {
        let least = |of: fn(&Reading) -> u64, among: &[&Reading]| among.iter().map(|r| of(r)).min().unwrap_or(0);
        let all: Vec<&Reading> = self.readings.iter().collect();
        let fewest = least(|r| r.impossible, &all);
        let fitting: Vec<&Reading> = all.into_iter().filter(|r| r.impossible == fewest).collect();
        if let Some(order) = self.only_usual(&fitting) {
            return (order, Because::Figures);
        }
        let fewest = least(|r| r.backwards, &fitting);
        let forward: Vec<&Reading> = fitting.iter().copied().filter(|r| r.backwards == fewest).collect();
        if let Some(order) = self.only_usual(&forward) {
            return (order, Because::Chronology);
        }
        match closest(&forward) {
            Some(order) => (order, Because::Closeness),
            None => (self.usual_there(&forward, zone), Because::Zone),
        }
    }

    /// The one reading left. Year first is day last, and two digits are a year first only where
    /// nothing else is left: both readings are too rare to need more than that.
    fn only_usual(&self, readings: &[&Reading]) -> Option<Order> {
        let orders: Vec<Order> =
            readings.iter().map(|r| r.order).filter(|o| self.style.year.is_some() || *o != YearMonthDay).collect();
        match (orders.as_slice(), readings) {
            ([YearMonthDay | MonthYearDay, ..], _) => orders.first().copied(),
            ([only], _) => Some(*only),
            ([], [only]) => Some(only.order),
            _ => None,
        }
    }

    /// Countries that write the month first write it with `/`.
    fn usual_there(&self, readings: &[&Reading], zone: &TimeZone) -> Order {
        let month_first = self.style.separator == '/' && month_comes_first(zone);
        let wanted = if month_first { MonthDayYear } else { DayMonthYear };
        let found = readings.iter().map(|r| r.order).find(|order| *order == wanted);
        found.or(readings.first().map(|r| r.order)).unwrap_or(DayMonthYear)
    }

    /// The reading with the day or with the month before the other.
    pub(super) fn usual(&self, day_first: bool) -> Option<Order> {
        let possible = self.readings.iter().filter(|r| r.order != YearMonthDay).map(|r| r.order);
        possible.into_iter().find(|order| order.day_first() == Some(day_first))
    }
}

/// The first two readings are the usual ones; the third never wins by closeness.
fn closest(readings: &[&Reading]) -> Option<Order> {
    let [a, b, ..] = readings else { return None };
    let (closer, wider) = if a.days() <= b.days() { (a, b) } else { (b, a) };
    (wider.days() >= MUCH_CLOSER * closer.days().max(1)).then_some(closer.order)
}

/// The United States and what was theirs. The half of the day does not tell: India writes
/// `3/6/18, 1:55 pm` with the day first.
fn month_comes_first(zone: &TimeZone) -> bool {
    const CITIES: [&str; 20] = [
        "America/New_York",
        "America/Detroit",
        "America/Chicago",
        "America/Menominee",
        "America/Denver",
        "America/Boise",
        "America/Phoenix",
        "America/Los_Angeles",
        "America/Anchorage",
        "America/Juneau",
        "America/Sitka",
        "America/Nome",
        "America/Metlakatla",
        "America/Yakutat",
        "America/Adak",
        "America/Puerto_Rico",
        "Pacific/Honolulu",
        "Pacific/Guam",
        "Pacific/Pago_Pago",
        "Asia/Manila",
    ];
    let Some(name) = zone.iana_name() else { return false };
    let states = ["US/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/"];
    CITIES.contains(&name) || states.iter().any(|state| name.starts_with(state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whatsapp::header::{End, Style};

    fn check(separator: char, year: Option<usize>, zone: &str, dates: &[[u16; 3]], expected: (Order, Because)) {
        let style = Style { end: End::Dash, separator, year, half_day: false };
        let mut evidence = Evidence::new(style, jiff::civil::date(2026, 11, 21));
        dates.iter().for_each(|figures| evidence.see(*figures));
        assert_eq!(evidence.decide(&TimeZone::get(zone).unwrap()), expected, "{dates:?}");
    }

    #[test]
    fn figures_decide() {
        check('/', None, "UTC", &[[1, 2, 23], [1, 23, 23]], (MonthDayYear, Because::Figures));
        check('.', None, "UTC", &[[2, 1, 23], [23, 1, 23]], (DayMonthYear, Because::Figures));
        check('.', None, "UTC", &[[13, 6, 18]], (DayMonthYear, Because::Figures));
        check('-', None, "UTC", &[[24, 1, 15], [24, 2, 3]], (YearMonthDay, Because::Figures));
        check('/', Some(0), "UTC", &[[2024, 2, 1], [2024, 1, 2]], (YearMonthDay, Because::Figures));
        check('/', Some(0), "UTC", &[[2024, 13, 1]], (YearDayMonth, Because::Figures));
        check('/', Some(1), "UTC", &[[6, 2018, 13]], (MonthYearDay, Because::Figures));
        check('/', Some(1), "UTC", &[[13, 2018, 6]], (DayYearMonth, Because::Figures));
        // 5 December 2026 is still to come
        check('/', Some(2), "UTC", &[[5, 12, 2026]], (MonthDayYear, Because::Figures));
    }

    #[test]
    fn then_chronology_closeness_zone() {
        check('/', None, "UTC", &[[1, 11, 23], [1, 12, 23], [2, 1, 23]], (MonthDayYear, Because::Chronology));
        check('/', None, "UTC", &[[1, 1, 23], [2, 1, 23], [3, 1, 23]], (DayMonthYear, Because::Closeness));
        check('/', None, "UTC", &[[1, 1, 23], [1, 2, 23], [1, 3, 23]], (MonthDayYear, Because::Closeness));
        check('/', None, "UTC", &[[3, 6, 18]], (DayMonthYear, Because::Zone));
        check('/', None, "America/Chicago", &[[3, 6, 18]], (MonthDayYear, Because::Zone));
        check('.', None, "America/Chicago", &[[3, 6, 18]], (DayMonthYear, Because::Zone));
    }

    #[test]
    fn years_of_two_digits_and_of_the_buddhist_era() {
        for (year, expected) in [(24, 2024), (2024, 2024), (2567, 2024), (67, 2024), (0, 2000)] {
            assert_eq!(DayMonthYear.date([15, 1, year]), Some(jiff::civil::date(expected, 1, 15)), "{year}");
        }
        assert_eq!(DayMonthYear.date([30, 2, 24]), None);
    }
}
