//! The head of a message, in every locale's way: `[date, time] ` (iOS) or `date, time - ` (Android).
//!
//! Reads the figures and finds where the head ends (formats.md §7). Which figure is the day is left
//! to `order.rs`, who speaks to `body.rs`.

use super::{
    order::Order,
    scan::Scan,
    words::{AFTER_TIME, BEFORE_TIME, HALVES, Half},
};

/// How heads are written on one phone. Lines of one style share their order of day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) end: End,
    /// Between the figures of the date: `/`, `.`, `-` or `年`.
    pub(super) separator: char,
    /// Which of the three figures has four digits: the year.
    pub(super) year: Option<usize>,
    /// Twelve hours and a word for the half of the day.
    pub(super) half_day: bool,
}

/// What closes the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `[…] `
    Bracket,
    /// `… - `
    Dash,
    /// `…: `, and nothing but a space: old exports. People write lines like these, too.
    Colon,
    Space,
}

impl End {
    /// True where a line of somebody's text could easily look the same.
    pub(super) fn is_weak(self) -> bool {
        matches!(self, End::Colon | End::Space)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Header<'a> {
    pub(super) style: Style,
    /// Day, month and year in an order that is not known yet.
    pub(super) figures: [u16; 3],
    /// 0–23, 0–59, 0–59
    pub(super) clock: [i8; 3],
    /// Date and time as the file writes them.
    pub(super) stamp: &'a str,
    /// What follows the head: `Name: text`, or a line of WhatsApp's own.
    pub(super) rest: &'a str,
}

/// The head of `line`, if it begins with one that can be a date in some order.
pub(super) fn header(line: &str) -> Option<Header<'_>> {
    let mut scan = Scan::new(line);
    let bracket = scan.take(|c| c == '[').is_some();
    scan.skip_marks();
    let from = scan.clone();
    let (figures, separator, year) = date(&mut scan)?;
    let before = gap(&mut scan)?;
    let figures_of_clock = time(&mut scan)?;
    let half = before.or_else(|| after_time(&mut scan));
    let stamp = from.until(&scan);
    let end = end(&mut scan, bracket)?;
    let style = Style { end, separator, year, half_day: half.is_some() };
    let possible = Order::candidates(&style).iter().any(|order| order.date(figures).is_some());
    let clock = clock(figures_of_clock, half)?;
    possible.then_some(Header { style, figures, clock, stamp, rest: scan.rest() })
}

/// True for a line that stops in the middle of a head, as the last line of a cut file does. With
/// less than a bracket or two signs of a date it could as well be a text: "24/7".
pub(super) fn is_cut_header(line: &str) -> bool {
    let mut scan = Scan::new(line);
    let bracket = scan.take(|c| c == '[').is_some();
    let start = scan.clone();
    if date(&mut scan).is_some() && gap(&mut scan).is_some() && time(&mut scan).is_some() {
        after_time(&mut scan);
        return scan.rest().trim().is_empty();
    }
    let left = start.rest();
    let signs = left.chars().filter(|c| matches!(c, '/' | '.' | '-')).count();
    let only_figures = left.chars().all(|c| c.is_ascii_digit() || "/.-:, ".contains(c));
    only_figures && left.len() < 24 && (bracket || signs >= 2) && left.chars().next().is_none_or(|c| c.is_ascii_digit())
}

/// Three figures with the same sign between them; at most one, the year, has four digits.
fn date(scan: &mut Scan<'_>) -> Option<([u16; 3], char, Option<usize>)> {
    let (first, first_digits) = scan.number(1..=4)?;
    let separator = date_separator(scan)?;
    let (second, second_digits) = scan.number(1..=4)?;
    if date_separator(scan)? != separator {
        return None;
    }
    let (third, third_digits) = scan.number(1..=4)?;
    let digits = [first_digits, second_digits, third_digits];
    let is_date = digits.iter().all(|d| *d != 3) && digits.iter().filter(|d| **d == 4).count() <= 1;
    is_date.then_some(([first, second, third], separator, digits.iter().position(|d| *d == 4)))
}

fn date_separator(scan: &mut Scan<'_>) -> Option<char> {
    let separator = match scan.take(|c| "/／.．-‐‑–年년月월".contains(c))? {
        '/' | '／' => '/',
        '.' | '．' => '.',
        '年' | '년' | '月' | '월' => '年',
        _ => '-',
    };
    scan.spaces();
    Some(separator)
}

/// What stands between date and time: a comma, a space, a word such as "klo" or "下午".
fn gap(scan: &mut Scan<'_>) -> Option<Option<Half>> {
    let before = scan.rest().len();
    let mut half = None;
    let mut worded = false;
    loop {
        if scan.take(|c| " .,،、，日일".contains(c)).is_some() {
            continue;
        }
        if half.is_none() {
            half = scan.word(HALVES);
            if half.is_some() {
                continue;
            }
        }
        if worded || scan.word(BEFORE_TIME).is_none() {
            break;
        }
        worded = true;
    }
    (scan.rest().len() < before).then_some(half)
}

/// Hour, minute and, on iOS, second. French Canada writes `10 h 30 min 15 s`.
fn time(scan: &mut Scan<'_>) -> Option<[u16; 3]> {
    let (hour, _) = scan.number(1..=2)?;
    let minute = next_figure(scan, &[("h", ())])?;
    let second = next_figure(scan, &[("min", ())]).unwrap_or(0);
    Some([hour, minute, second])
}

/// Two digits after `:`, `.` or one of `words`; leaves `scan` where it was if they are not there.
fn next_figure(scan: &mut Scan<'_>, words: &[(&str, ())]) -> Option<u16> {
    let mut ahead = scan.clone();
    if ahead.take(|c| matches!(c, ':' | '.' | '：')).is_none() {
        ahead.spaces();
        ahead.word(words)?;
        ahead.spaces();
    }
    let (figure, _) = ahead.number(2..=2)?;
    *scan = ahead;
    Some(figure)
}

/// "AM" in any spelling, or "Uhr", if one of them comes next.
fn after_time(scan: &mut Scan<'_>) -> Option<Half> {
    let mut ahead = scan.clone();
    while ahead.take(|c| c == ' ' || c == '_').is_some() {}
    let half = ahead.word(HALVES);
    if half.is_some() || ahead.word(AFTER_TIME).is_some() {
        *scan = ahead;
    }
    half
}

fn end(scan: &mut Scan<'_>, bracket: bool) -> Option<End> {
    skip_full_stop(scan);
    let spaced = scan.spaces();
    if bracket {
        scan.take(|c| c == ']')?;
        scan.one_space();
        return Some(End::Bracket);
    }
    let end = match scan.take(|c| matches!(c, '-' | '–' | '—' | ':')) {
        Some(':') => End::Colon,
        Some(_) => End::Dash,
        None => End::Space,
    };
    let closed = match end {
        End::Space => spaced && !scan.rest().is_empty(),
        _ => scan.one_space() || scan.rest().is_empty(),
    };
    closed.then_some(end)
}

/// `13:34. - `
fn skip_full_stop(scan: &mut Scan<'_>) {
    let mut ahead = scan.clone();
    if ahead.take(|c| c == '.').is_some() && ahead.spaces() && ahead.clone().take(|c| c == '-').is_some() {
        *scan = ahead;
    }
}

fn clock([hour, minute, second]: [u16; 3], half: Option<Half>) -> Option<[i8; 3]> {
    let hour = match (half, hour) {
        (Some(Half::Am), 12) | (_, 24) => 0,
        (Some(Half::Pm), 1..=11) => hour + 12,
        _ => hour,
    };
    let fits = hour < 24 && minute < 60 && second < 60;
    let small = |n: u16| i8::try_from(n).ok();
    fits.then_some([small(hour)?, small(minute)?, small(second)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, figures: [u16; 3], clock: [i8; 3], end: End, rest: &str) {
        let found = header(line).unwrap_or_else(|| panic!("no head in {line:?}"));
        assert_eq!((found.figures, found.clock, found.style.end, found.rest), (figures, clock, end, rest), "{line:?}");
    }

    #[test]
    fn brackets() {
        use End::Bracket;
        check("[15.01.24, 10:30:00] A: x", [15, 1, 24], [10, 30, 0], Bracket, "A: x");
        check("[8/15/23, 9:12:33 PM] A: x", [8, 15, 23], [21, 12, 33], Bracket, "A: x");
        check("\u{200e}[8/15/23, 9:12:33\u{202f}AM] A: \u{200e}x", [8, 15, 23], [9, 12, 33], Bracket, "A: \u{200e}x");
        check("[2020-06-01, 12:00:06] A: x", [2020, 6, 1], [12, 0, 6], Bracket, "A: x");
        check("[06.13.18 21:25:15] A: x", [6, 13, 18], [21, 25, 15], Bracket, "A: x");
        check("[01/01/19 11:25] John Doe: L", [1, 1, 19], [11, 25, 0], Bracket, "John Doe: L");
        check("[2024/1/15 下午3:45:12] 名: 文", [2024, 1, 15], [15, 45, 12], Bracket, "名: 文");
        check("[2024. 1. 15. 오전 12:05:12] 이: 글", [2024, 1, 15], [0, 5, 12], Bracket, "이: 글");
        check("[١٥\u{200f}/١\u{200f}/٢٠٢٤، ١٠:٣٠:٠٠ م] س: ن", [15, 1, 2024], [22, 30, 0], Bracket, "س: ن");
        check("[2024-01-15 10 h 30 min 15 s] A: x", [2024, 1, 15], [10, 30, 15], Bracket, "A: x");
        check("[१५/०१/२४, ९:०५:०० अपराह्न] अ: क", [15, 1, 24], [21, 5, 0], Bracket, "अ: क");
    }

    #[test]
    fn dashes() {
        use End::Dash;
        check("1/23/23, 3:19 AM - A: x", [1, 23, 23], [3, 19, 0], Dash, "A: x");
        check("1/23/23, 3:22_AM - A: x", [1, 23, 23], [3, 22, 0], Dash, "A: x");
        check("3/6/18, 1:55 p.m. - A: x", [3, 6, 18], [13, 55, 0], Dash, "A: x");
        check("3/6/2018 1:55 p.\u{a0}m. - A: x", [3, 6, 2018], [13, 55, 0], Dash, "A: x");
        check("13.6.2018 klo 21.25.15 - A: x", [13, 6, 2018], [21, 25, 15], Dash, "A: x");
        check("03-06-2018, 01.55 PM - A: x", [3, 6, 2018], [13, 55, 0], Dash, "A: x");
        check("15.01.24, 10:30 Uhr - A: x", [15, 1, 24], [10, 30, 0], Dash, "A: x");
        check("15.01.24 г., 10:30 ч. - A: x", [15, 1, 24], [10, 30, 0], Dash, "A: x");
        check("15/1/24, 12:30 π.μ. - A: x", [15, 1, 24], [0, 30, 0], Dash, "A: x");
        check("۲۰۲۴/۱/۱۵، ۹:۰۵ ب.ظ. - A: x", [2024, 1, 15], [21, 5, 0], Dash, "A: x");
        check("2022/12/14, 13:34. - A: x", [2022, 12, 14], [13, 34, 0], Dash, "A: x");
        check("2024년 1월 15일 오후 3:45 - A: x", [2024, 1, 15], [15, 45, 0], Dash, "A: x");
        check("15/1/2567 10:30 - A: x", [15, 1, 2567], [10, 30, 0], Dash, "A: x");
        check("1/23/23, 3:19 AM - ", [1, 23, 23], [3, 19, 0], Dash, "");
    }

    #[test]
    fn weak_ends() {
        check("13.06.18 21.25.15: A: x", [13, 6, 18], [21, 25, 15], End::Colon, "A: x");
        check("13. 6. 2018. 21:25:15 A: x", [13, 6, 2018], [21, 25, 15], End::Space, "A: x");
    }

    #[test]
    fn no_head() {
        for line in [
            "",
            "[",
            "text",
            "2016-04-29",
            "2016-04-29 10:30:00",
            "[1] a note",
            "[2020-01-01] a day",
            "1/15, 10:30 AM - x",
            "[10:30, 15/01/2024] A: x",
            "99/99/99, 10:30 - A: x",
            "15/01/24, 25:30 - A: x",
            "15/01/24, 10:61 - A: x",
            "15/01-24, 10:30 - A: x",
            "0/0/0, 0:00 - A: x",
            "12345/1/1, 10:30 - A: x",
            "15/01/24, 10:30 -x",
        ] {
            assert_eq!(header(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_cut_head_is_known_by_its_beginning() {
        for line in
            ["[", "[15", "[15.01.24", "[15.01.24, ", "[15.01.24, 10:3", "15.01.24, 10:30", "15.01.", "15.01.24, 1"]
        {
            assert!(is_cut_header(line), "{line:?}");
        }
        for line in ["", "15", "24/7", "yes", "[15.01.24] it was", "15.01.24 we met", "--"] {
            assert!(!is_cut_header(line), "{line:?}");
        }
    }
}
