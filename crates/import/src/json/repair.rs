//! Parsing one record, after repairing what real exports write wrongly (formats.md §0).

use super::scan::Scan;
use crate::text;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Parses one record as `T`; also says how many of its characters had to be replaced by U+FFFD.
///
/// # Errors
/// Not JSON even after repair, or not the shape of `T`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, u64), serde_json::Error> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok((value, 0));
    }
    let (text, lost) = text::decode(bytes);
    let (text, replaced) = repaired(&text);
    Ok((serde_json::from_str(&text)?, lost + replaced))
}

/// The part of a damaged or cut record that stands before the damage, with its brackets closed; none where
/// there is nothing whole in it.
pub(crate) fn before_damage(bytes: &[u8]) -> Option<Value> {
    let (end, _) = Scan::new().feed(bytes);
    let sound = bytes.get(..end)?;
    let (mut open, mut in_text, mut escaped) = (Vec::new(), false, false);
    let mut cut = None;
    for (at, byte) in sound.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                open.pop();
            }
            b',' => cut = Some((at, open.clone())),
            _ => {}
        }
    }
    let (at, open) = cut?;
    let mut whole = sound.get(..at)?.to_vec();
    whole.extend(open.iter().rev());
    parse(&whole).ok().map(|(value, _)| value)
}

/// Telegram's `\x1F` becomes `\u001F`, bare control characters are escaped; lone surrogates and
/// escapes that do not exist become U+FFFD, and are counted.
fn repaired(json: &str) -> (String, u64) {
    let (mut out, mut replaced, mut in_text) = (String::with_capacity(json.len()), 0, false);
    let mut rest = json;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '\\' if in_text => {
                let (n, escape) = escape(rest);
                taken = n;
                replaced += u64::from(escape == REPLACED);
                out.push_str(&escape);
            }
            c if in_text && c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => {
                in_text ^= c == '"';
                out.push(c);
            }
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    (out, replaced)
}

const REPLACED: &str = "\u{fffd}";

/// The escape at the beginning of `rest`: how many bytes it takes, and what is written for it.
fn escape(rest: &str) -> (usize, String) {
    let whole = |n: usize| (n, rest.get(..n).unwrap_or_default().to_owned());
    match rest.as_bytes().get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => whole(2),
        Some(b'x') => match rest.get(2..4).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(hex) => (4, format!("\\u00{hex}")),
            None => (1, REPLACED.to_owned()),
        },
        Some(b'u') => match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => whole(12),
            (Some(0xd800..=0xdfff), _) => (6, REPLACED.to_owned()),
            (Some(_), _) => whole(6),
            (None, _) => (1, REPLACED.to_owned()),
        },
        _ => (1, REPLACED.to_owned()),
    }
}

/// The number of a `\uXXXX` at the beginning.
fn unit(rest: &str) -> Option<u16> {
    let hex = rest.strip_prefix("\\u")?.get(..4)?;
    hex.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &str, lost: u64) {
        assert_eq!(parse::<String>(input).unwrap(), (expected.to_owned(), lost), "{input:?}");
    }

    #[test]
    fn known_faults() {
        check(br#""a\x1Fb \\x1F""#, "a\u{1f}b \\x1F", 0);
        check(b"\"a\tb\"", "a\tb", 0);
        check(br#""cut \ud83d""#, "cut \u{fffd}", 1);
        check(br#""\ud83d\ude00 \ude00""#, "\u{1f600} \u{fffd}", 1);
        check(br#""a\qb \u12""#, "a\u{fffd}qb \u{fffd}u12", 2);
        check(b"\"caf\xc3\xa9 \xff\"", "caf\u{e9} \u{fffd}", 1);
        check(b"\"Gr\xfc\xdfe aus K\xf6ln\"", "Gr\u{fc}\u{df}e aus K\u{f6}ln", 0);
    }

    #[test]
    fn what_stands_before_damage_is_kept() {
        for (input, expected) in [
            (r#"{"a":[{"b":1},{"b":"x"#, Some(r#"{"a":[{"b":1}]}"#)),
            (r#"{"a":"1,2","b":[1,2}"#, Some(r#"{"a":"1,2","b":[1]}"#)),
            (r#"{"a":1"#, None),
            ("", None),
        ] {
            assert_eq!(before_damage(input.as_bytes()).map(|v| v.to_string()).as_deref(), expected, "{input}");
        }
    }

    #[test]
    fn other_faults_stay_errors() {
        for wrong in ["\"a", "nul", "{}", "\"a\" b"] {
            assert!(parse::<String>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
