//! XML as phones and note apps write it: pulled event by event, with the references that are no legal
//! XML but stand in real files (formats.md §29). What elements mean is left to the formats.

use crate::text::{self, until};
use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart},
};
use std::io::{self, BufRead, BufReader, Read};

/// A reader that goes on where real files are sloppy: unmatched ends, bare `&`, bytes that are no UTF-8
/// (they become U+FFFD).
///
/// # Errors
/// Nothing can be read.
pub(crate) fn reader<R: Read>(input: R) -> io::Result<Reader<impl BufRead + use<R>>> {
    let mut reader = Reader::from_reader(BufReader::new(text::whole_utf8(input)?));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    Ok(reader)
}

/// Attributes of an element, decoded; broken ones left out.
pub(crate) fn attributes(element: &BytesStart) -> Vec<(String, String)> {
    let mut attributes = element.attributes();
    let all = attributes.with_checks(false).flatten();
    all.map(|a| (a.key.as_ref().to_owned(), unescape(&a.value))).collect()
}

/// What a reference (`&amp;`, `&#55357;`) stands for, in a text; as it stands where it is unknown.
/// Halves of surrogate pairs come one by one: gather references and text raw and call [`unescape`] instead.
pub(crate) fn reference(reference: &BytesRef) -> String {
    format!("&{};", &**reference)
}

/// Replaces references; pairs surrogates that were written as two, drops `&#0;`.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let (mut out, mut rest, mut high) = (String::with_capacity(text.len()), text, None::<u32>);
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        if !before.is_empty() {
            flush(&mut high, &mut out);
            out.push_str(before);
        }
        let Some((name, after)) = until(&from[1..], ";", 32) else {
            flush(&mut high, &mut out);
            out.push('&');
            rest = &from[1..];
            continue;
        };
        rest = after;
        match number(name) {
            Some(0) => {}
            Some(unit @ 0xd800..=0xdbff) => {
                flush(&mut high, &mut out);
                high = Some(unit);
            }
            Some(low @ 0xdc00..=0xdfff) => {
                let pair = high.take().and_then(|h| char::from_u32(0x10000 + ((h - 0xd800) << 10) + (low - 0xdc00)));
                out.push(pair.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(code) => {
                flush(&mut high, &mut out);
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            None => {
                flush(&mut high, &mut out);
                match quick_xml::escape::resolve_html5_entity(name) {
                    Some(value) => out.push_str(value),
                    None => out.push_str(&format!("&{name};")),
                }
            }
        }
    }
    if !rest.is_empty() {
        flush(&mut high, &mut out);
        out.push_str(rest);
    }
    flush(&mut high, &mut out);
    out
}

fn flush(high: &mut Option<u32>, out: &mut String) {
    if high.take().is_some() {
        out.push(char::REPLACEMENT_CHARACTER);
    }
}

fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('#')?;
    match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn references_as_real_files_have_them() {
        for (written, meant) in [
            ("a &amp; b &lt;3 &#39;x&#x27;", "a & b <3 'x'"),
            ("&#55357;&#56832;!", "\u{1f600}!"),
            ("&#55357;x &#56832;", "\u{fffd}x \u{fffd}"),
            ("nul&#0; &unknown; R&D &", "nul &unknown; R&D &"),
            ("&nbsp;&eacute;", "\u{a0}é"),
        ] {
            assert_eq!(unescape(written), meant, "{written}");
        }
    }
}
