//! The blobs of a message: its attributed text as a typedstream, its edits, and the summary of an app's balloon
//! (formats.md §12). Only what is text is taken from them.

use plist::{Dictionary, Value};

/// Class of the text in a typedstream.
const CLASS: &[u8] = b"NSString";
/// Longest distance between the class and the sign of the text.
const NEAR: usize = 16;

/// The text of an `NSAttributedString` in a typedstream: after its class comes `+`, a length and that many
/// bytes of UTF-8.
pub(super) fn attributed_text(blob: &[u8]) -> Option<String> {
    let class = blob.windows(CLASS.len()).position(|w| w == CLASS)? + CLASS.len();
    let rest = blob.get(class..)?;
    let plus = rest.windows(2).take(NEAR).position(|w| w == [0x01, b'+'])? + 2;
    let rest = rest.get(plus..)?;
    let (len, start) = match *rest.first()? {
        0x81 => (u64::from(u16::from_le_bytes([*rest.get(1)?, *rest.get(2)?])), 3),
        0x82 => (u64::from(u32::from_le_bytes([*rest.get(1)?, *rest.get(2)?, *rest.get(3)?, *rest.get(4)?])), 5),
        len @ 0..=0x7f => (u64::from(len), 1),
        _ => return None,
    };
    let end = usize::try_from(len).ok()?.checked_add(start)?;
    Some(String::from_utf8_lossy(rest.get(start..end)?).into_owned())
}

/// What `message_summary_info` says of a message that was changed after it was sent.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// Some part of it was unsent.
    pub(super) unsent: bool,
    /// The newest text of its parts, in order.
    pub(super) newest: Option<String>,
}

pub(super) fn changes(blob: &[u8]) -> Changes {
    let Some(summary) = Value::from_reader(std::io::Cursor::new(blob)).ok().and_then(Value::into_dictionary) else {
        return Changes::default();
    };
    let unsent = summary.get("rp").and_then(Value::as_array).is_some_and(|parts| !parts.is_empty());
    let mut parts: Vec<(u32, String)> = Vec::new();
    for (part, edits) in summary.get("ec").and_then(Value::as_dictionary).into_iter().flatten() {
        let last = edits.as_array().and_then(|edits| edits.last()).and_then(Value::as_dictionary);
        let text = last.and_then(|edit| edit.get("t")).and_then(Value::as_data).and_then(attributed_text);
        parts.extend(text.map(|text| (part.parse().unwrap_or(u32::MAX), text)));
    }
    parts.sort();
    let newest: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    Changes { unsent, newest: (!newest.is_empty()).then(|| newest.join("\n")) }
}

/// What an app's balloon says of itself, in its archived payload: the summary made for phones without it.
pub(super) fn balloon(blob: &[u8]) -> Option<String> {
    let archive = Value::from_reader(std::io::Cursor::new(blob)).ok()?.into_dictionary()?;
    let objects = archive.get("$objects")?.as_array()?;
    let object = |value: &Value| value.as_uid().and_then(|uid| objects.get(usize::try_from(uid.get()).ok()?));
    let named = |dictionary: &Dictionary, wanted: &str| {
        let keys = dictionary.get("NS.keys")?.as_array()?;
        let at = keys.iter().position(|key| object(key).and_then(Value::as_string) == Some(wanted))?;
        let text = object(dictionary.get("NS.objects")?.as_array()?.get(at)?)?.as_string()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let dictionaries = || objects.iter().filter_map(Value::as_dictionary);
    ["ldtext", "caption"].iter().find_map(|wanted| dictionaries().find_map(|d| named(d, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(class: &[u8], text: &str) -> Vec<u8> {
        let len = text.len();
        let length: Vec<u8> = match len {
            0..0x80 => vec![len as u8],
            0x80..0x10000 => [&[0x81][..], &(len as u16).to_le_bytes()].concat(),
            _ => [&[0x82][..], &(len as u32).to_le_bytes()].concat(),
        };
        [b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84\x08NSObject\x00\x85\x92\x84\x84\x84", class, b"\x01\x94\x84\x01+", &length, text.as_bytes(), b"\x86\x84\x02iI"].concat()
    }

    #[test]
    fn texts_of_every_length() {
        let plain = b"\x08NSString";
        let mutable = b"\x0fNSMutableString\x01\x84\x84\x08NSString";
        for text in ["", "a", "NSString \u{1}+ \u{fffc} 👀", &"é".repeat(63), &"x".repeat(128), &"y".repeat(70_000)]
        {
            assert_eq!(attributed_text(&stream(plain, text)).as_deref(), Some(text));
            assert_eq!(attributed_text(&stream(mutable, text)).as_deref(), Some(text));
        }
        let whole = stream(plain, "hello");
        for cut in 0..whole.len() {
            let text = attributed_text(whole.get(..cut).unwrap());
            assert!(text.is_none() || text.as_deref() == Some("hello"), "{cut}");
        }
    }

    #[test]
    fn edits_and_unsending() {
        let mut edit = Dictionary::new();
        edit.insert("d".to_owned(), Value::Real(1.0));
        edit.insert("t".to_owned(), Value::Data(stream(b"\x08NSString", "newest")));
        let mut edits = Dictionary::new();
        edits.insert("0".to_owned(), Value::Array(vec![Value::Dictionary(Dictionary::new()), Value::Dictionary(edit)]));
        let mut summary = Dictionary::new();
        summary.insert("ec".to_owned(), Value::Dictionary(edits));
        summary.insert("rp".to_owned(), Value::Array(vec![Value::Integer(0.into())]));
        let mut blob = Vec::new();
        Value::Dictionary(summary).to_writer_binary(&mut blob).unwrap();
        assert_eq!(changes(&blob), Changes { unsent: true, newest: Some("newest".to_owned()) });
        assert_eq!(changes(b"bplist00 nonsense"), Changes::default());
    }
}
