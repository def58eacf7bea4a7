//! Which letters bytes stand for: charsets that are declared and lie, and raw bytes in headers.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// `charset=` in the first lines of a page.
pub(super) fn of_html(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..1024.min(bytes.len()))?).to_ascii_lowercase();
    let (_, after) = start.split_once("charset=")?;
    let name = after.trim_start_matches(['"', '\'']);
    Some(name.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect())
}

/// What is declared is believed where the bytes allow it; whole UTF-8 is never chance in a code page of one byte.
pub(super) fn in_charset(bytes: &[u8], declared: Option<&str>) -> String {
    let label = declared.unwrap_or_default().trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let utf8 = std::str::from_utf8(bytes);
    let guess = || crate::text::decode(bytes).0.into_owned();
    let Some(encoding) = Encoding::for_label(label.as_bytes()) else {
        return match charset_decoder(label.as_bytes()).filter(|_| !label.is_empty()) {
            Some(decode) if utf8.is_err() || label.contains("utf") => decode(bytes),
            _ => guess(),
        };
    };
    let ascii_only = label.contains("ascii");
    if encoding == UTF_8 || ascii_only && encoding == WINDOWS_1252 {
        return guess();
    }
    if encoding.is_single_byte() && utf8.is_ok() {
        return guess();
    }
    match (encoding.decode_without_bom_handling(bytes), utf8) {
        ((_, true), Ok(text)) => text.to_owned(),
        ((text, _), _) => text.into_owned(),
    }
}

/// A line of a header with raw bytes, as UTF-8. In an encoded word they become its own `=F6`; elsewhere they are read
/// in the charset of the mail, or as what they look like.
pub(super) fn raw_line(line: &[u8], declared: Option<&str>) -> String {
    let mut plain = Vec::with_capacity(line.len());
    let mut word = None;
    for (at, &byte) in line.iter().enumerate() {
        match (byte, line.get(at + 1)) {
            (b'=', Some(b'?')) if word.is_none() => word = Some(0),
            (b'?', Some(b'=')) if word >= Some(3) => word = None,
            (b'?', _) => word = word.map(|marks| marks + 1),
            _ => {}
        }
        match byte {
            0x80.. if word.is_some() => plain.extend(format!("={byte:02X}").into_bytes()),
            byte => plain.push(byte),
        }
    }
    if let Ok(text) = std::str::from_utf8(&plain) {
        return text.to_owned();
    }
    let letters = plain.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    let single = plain.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count() < 2;
    match declared.filter(|d| !d.to_ascii_lowercase().contains("utf") && !d.to_ascii_lowercase().contains("ascii")) {
        Some(declared) => in_charset(&plain, Some(declared)),
        // One stray byte is nothing to guess by.
        None if single && !letters => WINDOWS_1252.decode_without_bom_handling(&plain).0.into_owned(),
        None => crate::text::decode(&plain).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_that_lie() {
        for (bytes, declared, text) in [
            (&b"Gr\xfc\xdfe"[..], Some("utf-8"), "Grüße"),
            ("Grüße".as_bytes(), Some("iso-8859-1"), "Grüße"),
            ("Grüße".as_bytes(), Some("us-ascii"), "Grüße"),
            (b"Gr\xfc\xdfe", Some("ISO-8859-1"), "Grüße"),
            (b"Gr\xfc\xdfe \x80", Some("iso-8859-1"), "Grüße €"),
            (b"\x1b$B%O%m!<\x1b(B", Some("iso-2022-jp"), "ハロー"),
            (b"\x83n\x83\x8D\x81[", Some("Shift_JIS"), "ハロー"),
            (b"+ZYeB9FH6ckh5Pg-", Some("utf-7"), "文致出版社"),
            (b"\xcf\xf0\xe8\xe2\xe5\xf2", Some("windows-1251"), "Привет"),
            ("Grüße".as_bytes(), Some("no-such-charset"), "Grüße"),
            (b"\x9b", Some("ibm850"), "ø"),
            (b"plain", None, "plain"),
        ] {
            assert_eq!(in_charset(bytes, declared), text, "{declared:?}");
        }
    }

    #[test]
    fn raw_bytes_in_headers() {
        for (line, declared, text) in [
            (&b"To: M\xfcller"[..], None, "To: Müller"),
            (b"To: M\xfcller", Some("utf-8"), "To: Müller"),
            (b"To: \xcf\xf0\xe8\xe2\xe5\xf2", Some("windows-1251"), "To: Привет"),
            (b"To: =?iso-8859-1?Q?M\xfcller?= <m@x>", None, "To: =?iso-8859-1?Q?M=FCller?= <m@x>"),
        ] {
            assert_eq!(raw_line(line, declared), text);
        }
    }
}
