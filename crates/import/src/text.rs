//! Text of unknown encoding: byte order marks, UTF-16, broken UTF-8, old code pages; and lines of
//! any length in bounded memory. What a line means is left to the formats.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, Read},
};

const BUFFER: usize = 64 << 10;

/// A stream whose text is UTF-8 or an ASCII-compatible code page: byte order marks are dropped and
/// UTF-16 is turned into UTF-8. Which code page is decided record by record, by [`decode`].
pub(crate) fn utf8<R: Read>(reader: R) -> io::Result<Utf8<R>> {
    let mut raw = BufReader::with_capacity(BUFFER, reader);
    let first = raw.fill_buf()?;
    let (encoding, mark) = match Encoding::for_bom(first) {
        Some((encoding, mark)) => (encoding, mark),
        None => (utf16_without_mark(first).unwrap_or(UTF_8), 0),
    };
    raw.consume(mark);
    let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
    Ok(Utf8 { raw, decoder, ready: Vec::new(), at: 0, ended: false })
}

/// The same, and bytes that are no UTF-8 become U+FFFD: for readers that need whole UTF-8.
pub(crate) fn whole_utf8<R: Read>(reader: R) -> io::Result<Utf8<R>> {
    let mut utf8 = utf8(reader)?;
    utf8.decoder.get_or_insert_with(|| UTF_8.new_decoder_without_bom_handling());
    Ok(utf8)
}

/// What stands before and behind `end`, where it comes within `most` bytes. Marks that open something are looked at one
/// by one, and for one that is never closed the whole text must not be searched each time.
pub(crate) fn until<'t>(text: &'t str, end: &str, most: usize) -> Option<(&'t str, &'t str)> {
    let near = text.get(..text.floor_char_boundary(most.saturating_add(end.len())))?;
    let (inside, _) = near.split_once(end)?;
    Some((inside, text.get(inside.len() + end.len()..)?))
}

/// JSON and chat logs begin with ASCII: in UTF-16, every other byte is zero.
fn utf16_without_mark(first: &[u8]) -> Option<&'static Encoding> {
    match first {
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some(UTF_16BE),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// See [`utf8`].
pub(crate) struct Utf8<R> {
    raw: BufReader<R>,
    /// None: bytes pass as they are.
    decoder: Option<Decoder>,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Utf8<R> {
    fn decode_more(&mut self, decoder: &mut Decoder) -> io::Result<()> {
        self.ready.resize(BUFFER, 0);
        self.at = 0;
        loop {
            let input = match self.raw.fill_buf() {
                Ok(input) => input,
                Err(error) => {
                    // Nothing is ready: a reader that goes on must not be given what it had before.
                    self.ready.clear();
                    return Err(error);
                }
            };
            let last = input.is_empty();
            let (result, read, written, _) = decoder.decode_to_utf8(input, &mut self.ready, last);
            self.raw.consume(read);
            self.ended = last && result == CoderResult::InputEmpty;
            if written > 0 || self.ended {
                self.ready.truncate(written);
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(mut decoder) = self.decoder.take() else { return self.raw.read(buf) };
        let filled = match self.at == self.ready.len() && !self.ended {
            true => self.decode_more(&mut decoder),
            false => Ok(()),
        };
        self.decoder = Some(decoder);
        filled?;
        let n = self.ready.get(self.at..).unwrap_or_default().read(buf)?;
        self.at += n;
        Ok(n)
    }
}

/// Text of one record, with how many characters had to be replaced by U+FFFD.
///
/// Broken UTF-8 stays UTF-8; bytes that were never UTF-8 are read in the code page they look like.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, u64) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), 0);
    }
    let (mut good, mut bad) = (0u64, 0u64);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count() as u64;
        bad += u64::from(!chunk.invalid().is_empty());
    }
    // One stray byte in a record is damage; several, and no whole letter, are another encoding.
    if good >= bad || bad < 2 {
        return (Cow::Owned(String::from_utf8_lossy(bytes).into_owned()), bad);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let (text, _) = detector.guess(None, Utf8Detection::Deny).decode_without_bom_handling(bytes);
    let lost = text.chars().filter(|c| *c == '\u{fffd}').count() as u64;
    (text, lost)
}

/// One line of a text, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// `lost`: characters replaced by U+FFFD.
    Text { number: u64, text: String, lost: u64 },
    /// Longer than the limit: skipped without being held.
    TooLong { number: u64, bytes: u64 },
}

/// Lines that end in LF, CR LF or CR, numbered from 1.
pub(crate) struct Lines<R> {
    raw: BufReader<Utf8<R>>,
    longest: usize,
    number: u64,
    after_cr: bool,
    /// Reading failed, which was said: nothing comes any more, for it would fail so without end.
    over: bool,
}

impl<R: Read> Lines<R> {
    /// `longest`: bytes of a line held at most.
    pub(crate) fn new(reader: R, longest: usize) -> io::Result<Self> {
        Ok(Self {
            raw: BufReader::with_capacity(BUFFER, utf8(reader)?),
            longest,
            number: 0,
            after_cr: false,
            over: false,
        })
    }

    /// The bytes of the next line that fit, and its whole length; none at the end.
    fn next_bytes(&mut self) -> io::Result<Option<(Vec<u8>, u64)>> {
        let (mut held, mut len, mut any) = (Vec::new(), 0u64, false);
        loop {
            let input = match self.raw.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let input_len = input.len();
            let skip = usize::from(self.after_cr && input.first() == Some(&b'\n'));
            if input_len == 0 {
                return Ok(any.then_some((held, len)));
            }
            self.after_cr = false;
            let rest = input.get(skip..).unwrap_or_default();
            let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let piece = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let room = self.longest.saturating_sub(held.len());
            held.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            len += piece.len() as u64;
            any |= !rest.is_empty();
            self.after_cr = end.is_some_and(|i| rest.get(i) == Some(&b'\r'));
            self.raw.consume(end.map_or(input_len, |i| skip + i + 1));
            if end.is_some() {
                return Ok(Some((held, len)));
            }
        }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        if self.over {
            return None;
        }
        let (held, bytes) = match self.next_bytes() {
            Ok(line) => line?,
            Err(e) => {
                self.over = true;
                return Some(Err(e));
            }
        };
        self.number += 1;
        if bytes > held.len() as u64 {
            return Some(Ok(Line::TooLong { number: self.number, bytes }));
        }
        let (text, lost) = decode(&held);
        Some(Ok(Line::Text { number: self.number, text: text.into_owned(), lost }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let lines: Vec<_> = Lines::new(input, 100)
            .unwrap()
            .map(|line| match line.unwrap() {
                Line::Text { text, .. } => text,
                Line::TooLong { bytes, .. } => format!("<{bytes}>"),
            })
            .collect();
        assert_eq!(lines, expected, "{input:?}");
    }

    #[test]
    fn ends_of_lines() {
        check(b"a\nb\r\nc\rd", &["a", "b", "c", "d"]);
        check(b"a\r\r\nb\n", &["a", "", "b"]);
        check(b"\n\n", &["", ""]);
        check(b"", &[]);
        check(format!("a\n{}\nb", "x".repeat(101)).as_bytes(), &["a", "<101>", "b"]);
    }

    #[test]
    fn encodings() {
        check("\u{feff}Grüße\nDir".as_bytes(), &["Grüße", "Dir"]);
        let utf16: Vec<u8> = "\u{feff}Grüße\n日本".encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(&utf16, &["Grüße", "日本"]);
        let bare: Vec<u8> = "Hallo\nGrüße".encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&bare, &["Hallo", "Grüße"]);
        check(b"Viele Gr\xfc\xdfe aus K\xf6ln", &["Viele Grüße aus Köln"]);
        check(b"na\xc3\xafve \xff end", &["naïve \u{fffd} end"]);
    }

    #[test]
    fn a_long_line_is_not_held() {
        let input = io::repeat(b'x').take(64 << 20).chain(&b"\nend"[..]);
        let lines: Vec<_> = Lines::new(input, 1 << 20).unwrap().map(Result::unwrap).collect();
        assert_eq!(lines[0], Line::TooLong { number: 1, bytes: 64 << 20 });
        assert_eq!(lines[1], Line::Text { number: 2, text: "end".to_owned(), lost: 0 });
    }
    /// Two bytes a letter, and an error after the first of them.
    struct Torn(bool);

    impl Read for Torn {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            match std::mem::replace(&mut self.0, true) {
                true => Err(io::ErrorKind::InvalidData.into()),
                false => b"\xff\xfea\0b\0\n\0".as_slice().read(buf),
            }
        }
    }

    #[test]
    fn after_an_error_nothing_comes_twice() {
        let (mut text, mut buf, mut all) = (whole_utf8(Torn(false)).unwrap(), [0; 64], Vec::new());
        for _ in 0..10 {
            if let Ok(n) = text.read(&mut buf) {
                all.extend_from_slice(&buf[..n]);
            }
        }
        assert_eq!(String::from_utf8(all).unwrap(), "ab\n");
        assert_eq!(Lines::new(Torn(false), 100).unwrap().filter(Result::is_err).count(), 1);
    }
}
