//! A typed query, understood: what is filter, what is phrase, what is left for words and meaning.
//!
//! `from:ana person:"Ana Pereira" has:image in:"Lofoten trip" source:whatsapp before:2024-06 after:2023 on:2024-04-12 kind:note
//! "exact phrase" -not` and dates in words. Names are resolved to ids by `search.rs`, which knows them.

use crate::{dates, words};
use evoke_message::{Chip, Has, Kind};
use jiff::{ToSpan, Zoned, civil::Date, tz::TimeZone};

/// What a query text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Understood {
    /// Left for words and meaning; phrases stay in it.
    pub(crate) words: String,
    pub(crate) phrases: Vec<String>,
    pub(crate) without: Vec<String>,
    pub(crate) from: Vec<String>,
    pub(crate) conversations: Vec<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) has: Vec<Has>,
    /// People of whom all talk is wanted, theirs and the owner's with them.
    pub(crate) people: Vec<String>,
    /// Only messages in this time, UTC milliseconds.
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
    /// A time that a question names: messages near it rank higher, none is left out.
    pub(crate) near: Option<(i64, i64)>,
    pub(crate) chips: Vec<Chip>,
}

/// Understands a text at an instant, in the zone of that instant.
pub(crate) fn understand(text: &str, now: &Zoned) -> Understood {
    let mut u = Understood::default();
    let mut rest = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Field(field, value, raw) if u.field(field, &value, raw, now) => {}
            Piece::Phrase(phrase, raw) => {
                u.phrases.extend(words::phrase(phrase));
                u.chip("phrase", format!("“{phrase}”"), raw);
                push(&mut rest, phrase);
            }
            Piece::Not(word, raw) if words::phrase(word).is_some() => {
                u.without.extend(words::phrase(word));
                u.chip("not", format!("not {word}"), raw);
            }
            Piece::Field(_, _, raw) | Piece::Not(_, raw) | Piece::Word(raw) => push(&mut rest, raw),
        }
    }
    u.date_in_words(&mut rest, now);
    u.words = rest.trim().to_owned();
    u
}

impl Understood {
    fn chip(&mut self, field: &str, label: String, text: &str) {
        self.chips.push(Chip { field: field.to_owned(), label, text: text.to_owned() });
    }

    /// Takes `field:value`; false where it is no filter (`https://…`, an unreadable date).
    fn field(&mut self, field: &str, value: &str, raw: &str, now: &Zoned) -> bool {
        let label = match field {
            "from" => {
                self.from.push(value.to_owned());
                format!("from {value}")
            }
            "person" => {
                self.people.push(value.to_owned());
                format!("person {value}")
            }
            "has" => match Has::parse(&value.to_lowercase()) {
                Some(has) => {
                    self.has.push(has);
                    format!("has {value}")
                }
                None => return false,
            },
            "in" => {
                self.conversations.push(value.to_owned());
                format!("in {value}")
            }
            "source" => {
                self.sources.push(value.to_lowercase());
                format!("source {value}")
            }
            "kind" => match Kind::parse(&value.to_lowercase()) {
                Some(kind) => {
                    self.kinds.push(kind);
                    format!("kind {value}")
                }
                None => return false,
            },
            "before" | "after" | "since" | "on" => return self.date_field(field, value, raw, now),
            _ => return false,
        };
        self.chip(field, label, raw);
        true
    }

    fn date_field(&mut self, field: &str, value: &str, raw: &str, now: &Zoned) -> bool {
        let Some((from, until)) = days(value, now) else { return false };
        let zone = now.time_zone();
        match field {
            "before" => self.narrow(None, instant(from, zone)),
            "after" => self.narrow(instant(until, zone), None),
            "since" => self.narrow(instant(from, zone), None),
            _ => self.narrow(instant(from, zone), instant(until, zone)),
        }
        self.chip("date", format!("{field} {value}"), raw);
        true
    }

    fn narrow(&mut self, since: Option<i64>, until: Option<i64>) {
        self.since = self.since.max(since);
        self.until = [self.until, until].into_iter().flatten().min();
    }

    /// A date in words filters where the text is a search ("trip in May 2023") and is taken out of it.
    /// In a question it says when something happened, not when it was written: with a year it draws
    /// ranks towards that time, without one ("last year" in somebody's telling) it stays words.
    fn date_in_words(&mut self, rest: &mut String, now: &Zoned) {
        let Some(named) = dates::find(rest, now) else { return };
        let zone = now.time_zone();
        let (from, until) = (named.from.and_then(|d| instant(d, zone)), named.until.and_then(|d| instant(d, zone)));
        if is_question(rest) {
            if let (true, Some(from), Some(until)) = (named.absolute, from, until) {
                self.near = Some((from, until));
            }
            return;
        }
        let phrase = rest[named.at.clone()].to_owned();
        self.narrow(from, until);
        self.chip("date", span_label(named.from, named.until), &phrase);
        rest.replace_range(named.at, " ");
    }
}

/// Asked as a question: by its mark or by how it begins (English, and the languages of the field's users).
fn is_question(text: &str) -> bool {
    const OPENERS: [&str; 40] = [
        "what", "when", "where", "who", "whom", "whose", "which", "why", "how", "did", "does", "do", "is", "are",
        "was", "were", "has", "have", "had", "can", "could", "will", "would", "should", "wann", "wo", "wer", "wie",
        "warum", "welche", "cuándo", "dónde", "quién", "qué", "cómo", "quando", "onde", "quem", "où", "qui",
    ];
    let first = text.split_whitespace().next().unwrap_or_default().to_lowercase();
    text.trim_end().ends_with(['?', '？', '؟']) || OPENERS.contains(&first.as_str())
}

/// `2024`, `2024-06`, `2024-06-01`, or words: "last spring".
fn days(value: &str, now: &Zoned) -> Option<(Date, Date)> {
    if value.len() == 4
        && let Ok(year) = value.parse::<i16>()
    {
        return Some((Date::new(year, 1, 1).ok()?, Date::new(year.checked_add(1)?, 1, 1).ok()?));
    }
    let named = dates::find(value, now).or_else(|| dates::find(&format!("in {value}"), now))?;
    Some((named.from?, named.until?))
}

/// Midnight of a local day, UTC milliseconds; the first instant of the day where midnight is skipped.
pub(crate) fn instant(day: Date, zone: &TimeZone) -> Option<i64> {
    day.to_zoned(zone.clone()).ok().map(|z| z.timestamp().as_millisecond())
}

/// "May 2023", "3 – 9 Jun 2023", "before 1 Mar 2024".
pub(crate) fn span_label(from: Option<Date>, until: Option<Date>) -> String {
    let show = |d: Date| d.strftime("%-d %b %Y").to_string();
    match (from, until) {
        (Some(from), Some(until)) => {
            let last = until.checked_sub(1.day()).unwrap_or(until);
            if from == last {
                show(from)
            } else if from.day() == 1 && from.checked_add(1.month()).ok() == Some(until) {
                from.strftime("%b %Y").to_string()
            } else if from.day_of_year() == 1 && from.checked_add(1.year()).ok() == Some(until) {
                from.year().to_string()
            } else {
                format!("{} – {}", show(from), show(last))
            }
        }
        (Some(from), None) => format!("since {}", show(from)),
        (None, Some(until)) => format!("before {}", show(until)),
        (None, None) => String::new(),
    }
}

fn push(rest: &mut String, word: &str) {
    if !rest.is_empty() {
        rest.push(' ');
    }
    rest.push_str(word);
}

enum Piece<'a> {
    Word(&'a str),
    /// Inner text, and as typed.
    Phrase(&'a str, &'a str),
    Not(&'a str, &'a str),
    /// Field, value, and as typed.
    Field(&'a str, String, &'a str),
}

/// Splits at spaces outside of quotes. A quote that is never closed is an ordinary character.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        rest = &rest[start..];
        let end = piece_end(rest);
        let (raw, after) = rest.split_at(end);
        rest = after;
        let unquoted = |s: &str| s.trim_matches(|c| matches!(c, '"' | '“' | '”')).to_owned();
        if raw.starts_with(['"', '“']) && raw.chars().count() > 2 && raw.ends_with(['"', '”']) {
            out.push(Piece::Phrase(raw.trim_matches(|c| matches!(c, '"' | '“' | '”')), raw));
        } else if let Some(not) = raw.strip_prefix('-').filter(|n| !n.is_empty()) {
            out.push(Piece::Not(not.trim_matches(|c| matches!(c, '"' | '“' | '”')), raw));
        } else if let Some((field, value)) = raw.split_once(':').filter(|(_, v)| !v.is_empty()) {
            out.push(Piece::Field(field, unquoted(value), raw));
        } else {
            out.push(Piece::Word(raw));
        }
    }
    out
}

/// Bytes of the first piece: up to a space that is not inside quotes which are closed later.
fn piece_end(text: &str) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' | '“' | '”' if quoted => quoted = false,
            '"' | '“' => {
                let after = &text[at + c.len_utf8()..];
                quoted = after.contains(['"', '”']);
            }
            c if c.is_whitespace() && !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(text: &str) -> Understood {
        understand(text, &"2026-11-21T10:00[UTC]".parse().unwrap())
    }

    #[test]
    fn filters_phrases_and_nots_leave_the_words() {
        let u = understood(r#"plumber from:ana in:"Lofoten trip" -work source:WhatsApp "second week" kind:note"#);
        assert_eq!(u.words, "plumber second week");
        assert_eq!(
            (u.from, u.conversations, u.sources),
            (vec!["ana".into()], vec!["Lofoten trip".into()], vec!["whatsapp".into()])
        );
        assert_eq!(
            (u.phrases, u.without, u.kinds),
            (vec![" second week ".to_owned()], vec![" work ".to_owned()], vec![Kind::Note])
        );
        assert_eq!(u.chips.len(), 6);
        let u = understood("has:image has:link person:ana lease");
        assert_eq!((u.words.as_str(), u.has, u.people), ("lease", vec![Has::Image, Has::Link], vec!["ana".into()]));
    }

    #[test]
    fn dates_filter_a_search_and_draw_a_question() {
        let ms = |s: &str| Some(s.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let u = understood("trip in May 2023");
        assert_eq!((u.words.as_str(), u.since, u.until), ("trip", ms("2023-05-01T00:00Z"), ms("2023-06-01T00:00Z")));
        let u = understood("what did Ana say in May 2023?");
        assert_eq!((u.since, u.near), (None, ms("2023-05-01T00:00Z").zip(ms("2023-06-01T00:00Z"))));
        assert_eq!(u.words, "what did Ana say in May 2023?");
        let u = understood("where did I go last year?");
        assert_eq!((u.since, u.near, u.chips.len()), (None, None, 0));
        let u = understood("after:2023-05 before:2024 x");
        assert_eq!((u.since, u.until), (ms("2023-06-01T00:00Z"), ms("2024-01-01T00:00Z")));
    }

    #[test]
    fn what_is_no_filter_stays_words() {
        for text in ["https://example.org/a", "has:hope", "a - b", "say \"unclosed", "on:someday", "x:y"] {
            let u = understood(text);
            assert_eq!((u.words.as_str(), u.chips.len()), (text, 0));
        }
    }
}
