//! Plain text, and what only looks like it: data of programs must never be remembered as somebody's words
//! (formats.md §0: a wrong success is the worst bug).

use super::{Document, Left, Taken};
use crate::text;
use std::io::Read;

/// Bytes as text, with how many characters were lost.
pub(super) fn decoded(bytes: &[u8]) -> (String, u64) {
    let mut utf8 = Vec::new();
    let read = text::utf8(bytes).and_then(|mut reader| reader.read_to_end(&mut utf8));
    let (text, lost) = text::decode(if read.is_ok() { &utf8 } else { bytes });
    (text.replace("\r\n", "\n").replace('\r', "\n"), lost)
}

pub(super) fn take(bytes: &[u8]) -> Taken {
    let (text, lost) = decoded(bytes);
    if let Some(reason) = no_words(&text, lost) {
        return Err(Left::Skipped(reason.into()));
    }
    Ok(Document { text, lost, ..Document::default() })
}

/// Why a file that is called a text is none, in words; `text` may be only its beginning.
pub(super) fn no_words(text: &str, lost: u64) -> Option<&'static str> {
    let start = text.trim_start();
    if text.contains('\0') || is_binary(text, lost) {
        Some("not text, whatever its name says")
    } else if is_json(start) {
        Some("JSON of a kind that Evoke does not know")
    } else if is_xml(start) {
        Some("XML of a kind that Evoke does not know")
    } else if start.starts_with("-----BEGIN ") || start.starts_with("PuTTY-User-Key-File") {
        Some("a key or certificate, not text")
    } else if ["BEGIN:VCARD", "BEGIN:VCALENDAR"].iter().any(|mark| start.starts_with(mark)) {
        Some("contacts or appointments of a kind that Evoke does not know")
    } else if is_machine_made(start) {
        Some("data of a program, not text")
    } else if is_table(start) {
        Some("a table of a kind that Evoke does not know")
    } else if is_chat(start) {
        Some("a log of messages of a kind that Evoke does not know")
    } else {
        None
    }
}

fn is_binary(text: &str, lost: u64) -> bool {
    let all = text.chars().count() as u64;
    let control =
        text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\u{c}' | '\u{1b}')).count() as u64;
    (lost + control > 8) && (lost + control) * 20 > all
}

/// Also where it is cut off or damaged later on, and where each line is a value.
fn is_json(text: &str) -> bool {
    let opens = |t: &str| match t.as_bytes().first() {
        Some(b'{') => {
            matches!(t.get(1..).unwrap_or_default().trim_start().as_bytes().first(), Some(b'"' | b'}') | None)
        }
        Some(b'[') => {
            let inner = t.get(1..).unwrap_or_default().trim_start();
            matches!(inner.as_bytes().first(), Some(b'{' | b'[' | b']' | b'"' | b'0'..=b'9' | b'-') | None)
        }
        _ => false,
    };
    if !opens(text) {
        return false;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    match values.next() {
        // One value and nothing else, or many lines of them; `[1] A footnote` is text.
        Some(Ok(_)) => {
            let rest = text.get(values.byte_offset()..).unwrap_or_default().trim_start();
            rest.is_empty() || text.starts_with('{') || opens(rest)
        }
        Some(Err(e)) => {
            let at = e.column() + text.lines().take(e.line().saturating_sub(1)).map(str::len).sum::<usize>();
            e.is_eof() || text.starts_with("{\"") || text.starts_with("[{") || at > 200
        }
        None => false,
    }
}

fn is_xml(text: &str) -> bool {
    if text.starts_with("<?xml") {
        return true;
    }
    let Some(rest) = text.strip_prefix('<') else { return false };
    let name = rest.split([' ', '>', '/', '\n', '\t']).next().unwrap_or_default();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') && name.len() < 60;
    is_name && (name.starts_with('!') || text.contains(&format!("</{name}>")) || text.matches("</").count() > 3)
}

/// Long runs without a space: Base64, a minified script, a dump of numbers.
fn is_machine_made(text: &str) -> bool {
    let sample: String = text.chars().take(20_000).collect();
    if sample.len() < 400 {
        return false;
    }
    let wide = sample.chars().filter(|c| *c >= '\u{2e80}').count() * 3 > sample.chars().count();
    let longest = sample.split_whitespace().filter(|w| !w.contains("://")).map(str::len).max().unwrap_or(0);
    let in_long: usize = sample.split_whitespace().map(str::len).filter(|n| *n > 60).sum();
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    let seen = sample.chars().filter(|c| !c.is_whitespace()).count();
    !wide && (longest > 4_000 || in_long * 2 > sample.len()) || letters * 4 < seen
}

/// Many lines with the same number of the same separator: a table that was called a text.
fn is_table(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(50).collect();
    let equal = |sign: char| {
        let counts: Vec<usize> = lines.iter().map(|l| l.matches(sign).count()).collect();
        let first = counts.first().copied().unwrap_or(0);
        first >= 3 && counts.iter().filter(|n| **n == first).count() * 10 >= counts.len() * 9
    };
    lines.len() >= 5 && [',', ';', '\t'].into_iter().any(equal)
}

/// Most lines are a time, a name and what was said: as one person's text it would be wrong.
fn is_chat(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(60).collect();
    lines.len() >= 4 && lines.iter().filter(|line| is_said(line)).count() * 10 >= lines.len() * 6
}

/// `[15.01.24, 22:30:11] Ana: hi`, `2024-01-15 22:30 <Ana> hi`, `22:30 - Ana: hi`
fn is_said(line: &str) -> bool {
    let line = line.trim_start_matches(['[', '(', '\u{200e}', ' ']);
    let clock = line.char_indices().take(28).filter(|(_, c)| *c == ':').find_map(|(at, _)| {
        let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
        let bytes = line.as_bytes();
        (at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1)) && digit(bytes.get(at + 2))).then_some(at)
    });
    let Some(clock) = clock.filter(|_| line.starts_with(|c: char| c.is_ascii_digit())) else { return false };
    let rest = line.get(clock..).unwrap_or_default();
    let rest = rest.trim_start_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | ']' | ')' | ' ' | '-' | '\u{202f}')
    });
    let rest = ["AM", "PM", "am", "pm"].iter().find_map(|half| rest.strip_prefix(half)).unwrap_or(rest);
    let rest = rest.trim_start_matches([']', ')', ' ', '-', ':', '|', '\t']);
    match rest.strip_prefix('<') {
        Some(name) => name.split_once("> ").is_some_and(|(name, _)| name.len() <= 60),
        None => rest
            .split_once(": ")
            .is_some_and(|(name, _)| !name.is_empty() && name.split(' ').count() <= 4 && name.len() <= 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, words: bool) {
        assert_eq!(no_words(text, 0).is_none(), words, "{text:?}: {:?}", no_words(text, 0));
    }

    #[test]
    fn words_and_what_only_looks_like_them() {
        for text in [
            "Dear diary,\n\nit rained.",
            "[1] A footnote.",
            "{curly} words",
            "<3 you",
            "- [ ] buy milk",
            "a, b, c\nd",
            "日本語の文章".repeat(200).as_str(),
            "[a] link\n[b] link",
            "10:30 met Ana\n11:00: met Bo\n12:00 ate\n13:00 slept",
        ] {
            check(text, true);
        }
        for text in [
            "{\"a\":1}",
            "[{\"a\":1},{\"a\":",
            "{\"a\":1}\n{\"a\":2}\n",
            "[]",
            "<?xml version=\"1.0\"?><a/>",
            "<a><b>x</b></a>",
            "[15.01.24, 22:30:11] Ana: hi\n[15.01.24, 22:31:00] Bo: yes\n[15.01.24, 22:31:00] Bo: no\n[15.01.24, 22:31:02] Bo: oh",
            "<!DOCTYPE plist>",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
            "BEGIN:VCARD\nFN:Ann",
            "a\0b",
            "QUJD".repeat(200).as_str(),
            "1,2,3,4\n".repeat(9).as_str(),
            "id\tname\tage\tcity\n1\tAnn\t3\tX\n2\tBo\t4\tY\n3\tC\t5\tZ\n4\tD\t6\tQ\n",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn any_encoding_is_text() {
        assert_eq!(decoded(b"Gr\xfc\xdfe aus K\xf6ln\r\nzwei").0, "Grüße aus Köln\nzwei");
        let utf16: Vec<u8> = "\u{feff}Grüße".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&utf16).0, "Grüße");
    }
}
