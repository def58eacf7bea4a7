//! Times as exports write them → UTC milliseconds. Values no export could mean are none, not errors.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// 2200-01-01: a time after it is damage.
const LATEST: i64 = 7_258_118_400_000;

/// Seconds, ms, µs or ns since 1970, told apart by magnitude (formats.md §0).
pub(crate) fn from_number(n: f64) -> Option<i64> {
    let ms = match n.abs() {
        n if n < 1e11 => 1e3,
        n if n < 1e14 => 1.0,
        n if n < 1e17 => 1e-3,
        _ => 1e-6,
    } * n;
    (n.is_finite() && ms > 0.0).then(|| ms.round() as i64).filter(|ms| *ms < LATEST)
}

/// Names of zones, in minutes east of Greenwich. Where a name means several, the one of RFC 5322, or of most people.
const ZONES: &[(&str, i16)] = &[
    ("HST", -600),
    ("AKST", -540),
    ("PST", -480),
    ("AKDT", -480),
    ("MST", -420),
    ("PDT", -420),
    ("CST", -360),
    ("MDT", -360),
    ("EST", -300),
    ("CDT", -300),
    ("COT", -300),
    ("PET", -300),
    ("ECT", -300),
    ("EDT", -240),
    ("AST", -240),
    ("CLT", -240),
    ("VET", -240),
    ("NST", -210),
    ("ADT", -180),
    ("BRT", -180),
    ("ART", -180),
    ("CLST", -180),
    ("UYT", -180),
    ("NDT", -150),
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("WET", 0),
    ("WEZ", 0),
    ("BST", 60),
    ("WEST", 60),
    ("CET", 60),
    ("MET", 60),
    ("MEZ", 60),
    ("WESZ", 60),
    ("WAT", 60),
    ("CEST", 120),
    ("MEST", 120),
    ("MESZ", 120),
    ("EET", 120),
    ("SAST", 120),
    ("OEZ", 120),
    ("CAT", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("OESZ", 180),
    ("EAT", 180),
    ("TRT", 180),
    ("MSD", 240),
    ("GST", 240),
    ("PKT", 300),
    ("IST", 330),
    ("WIB", 420),
    ("ICT", 420),
    ("HKT", 480),
    ("SGT", 480),
    ("PHT", 480),
    ("AWST", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("AEST", 600),
    ("ACDT", 630),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
];

/// Minutes east of Greenwich of a zone by its abbreviation, in capital letters.
pub(crate) fn zone_minutes(name: &str) -> Option<i32> {
    ZONES.iter().find(|(zone, _)| *zone == name).map(|(_, minutes)| i32::from(*minutes))
}

/// ISO 8601; UTC where it names no zone, or only the sign of one.
pub(crate) fn iso(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('+');
    let zoned = text.parse::<Timestamp>().map(|t| t.as_millisecond());
    sane(zoned.ok().or_else(|| civil(text, &TimeZone::UTC)))
}

/// ISO 8601 without a zone, as shown by a clock in `zone`. An hour that the clock jumps over moves
/// on by the jump; of an hour that comes twice the first is taken.
pub(crate) fn wall(text: &str, zone: &TimeZone) -> Option<i64> {
    sane(civil(text, zone))
}

fn civil(text: &str, zone: &TimeZone) -> Option<i64> {
    let clock: DateTime = text.parse().ok()?;
    Some(zone.to_ambiguous_timestamp(clock).compatible().ok()?.as_millisecond())
}

fn sane(ms: Option<i64>) -> Option<i64> {
    ms.filter(|ms| (1..LATEST).contains(ms))
}

/// The seconds of an ISO 8601 duration such as `PT1H5M30.5S`, which has no days.
pub(crate) fn iso_duration(text: &str) -> Option<u64> {
    let (mut seconds, mut number) = (0.0, String::new());
    for c in text.strip_prefix("PT")?.chars() {
        let unit = match c {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            c => {
                number.push(c);
                continue;
            }
        };
        seconds += unit * std::mem::take(&mut number).parse::<f64>().ok()?;
    }
    (number.is_empty() && (0.0..1e9).contains(&seconds)).then_some(seconds as u64)
}

/// Seconds in words: "1 min 5 s". Nothing for none.
pub(crate) fn lasted(seconds: u64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect::<Vec<_>>().join(" ")
}

/// A time for every record of a conversation in reading order: one without takes that of the one
/// before it, or else of the next, or else `otherwise`.
pub(crate) fn fill(times: &[Option<i64>], otherwise: i64) -> Vec<i64> {
    let mut last = times.iter().flatten().next().copied().unwrap_or(otherwise);
    times
        .iter()
        .map(|time| {
            last = time.unwrap_or(last);
            last
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, zone: &str, expected: Option<i64>) {
        assert_eq!(wall(input, &TimeZone::get(zone).unwrap()), expected, "{input} {zone}");
    }

    #[test]
    fn wall_times_in_gaps_and_overlaps_do_not_fail() {
        check("2024-01-15T10:30:00", "UTC", Some(1_705_314_600_000));
        check("2024-01-15T10:30:00", "America/New_York", Some(1_705_332_600_000));
        check("2024-03-31T02:30:00", "Europe/Berlin", Some(1_711_848_600_000));
        check("2024-10-27T02:30:00", "Europe/Berlin", Some(1_729_989_000_000));
        check("yesterday", "UTC", None);
        check("0001-01-01T00:00:00", "UTC", None);
    }

    #[test]
    fn iso_with_and_without_zone() {
        for text in ["2024-01-15T10:30:00Z", "2024-01-15T11:30:00.0+01:00", "2024-01-15T10:30:00.000000+"] {
            assert_eq!(iso(text), Some(1_705_314_600_000), "{text}");
        }
    }

    #[test]
    fn numbers_by_magnitude() {
        for n in [1_705_314_600.0, 1_705_314_600_000.0, 1_705_314_600_000_000.0, 1.705_314_6e18] {
            assert_eq!(from_number(n), Some(1_705_314_600_000), "{n}");
        }
        for n in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(from_number(n), None, "{n}");
        }
    }

    #[test]
    fn gaps_are_filled_from_neighbours() {
        assert_eq!(fill(&[None, Some(3), None, Some(5)], 9), [3, 3, 3, 5]);
        assert_eq!(fill(&[None], 9), [9]);
    }

    #[test]
    fn durations() {
        for (written, seconds, shown) in
            [("PT1M5S", 65, "1 min 5 s"), ("PT0S", 0, ""), ("PT2H", 7200, "2 h"), ("PT1H0M1.5S", 3601, "1 h 1 s")]
        {
            assert_eq!(iso_duration(written), Some(seconds), "{written}");
            assert_eq!(lasted(seconds), shown);
        }
        for none in ["", "P1D", "PT1", "PTxS"] {
            assert_eq!(iso_duration(none), None, "{none}");
        }
    }
}
