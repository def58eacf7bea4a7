//! A notebook cut into its notes, byte by byte, in bounded memory: files inside a note are passed over,
//! and damage in one note ends with it. What a note says is left to `evernote.rs`.

use std::io::{self, BufRead, BufReader, Read};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// From `<note>` to `</note>`, without the content of `<data>`.
    Note(String),
    /// Another note or the end of the file came before its end.
    Broken(String),
    /// Bytes of a note that is longer than what is held.
    TooLong(u64),
}

pub(super) struct Notes<R> {
    input: BufReader<R>,
    longest: usize,
    /// A note began where the last one should have ended.
    begun: bool,
}

impl<R: Read> Notes<R> {
    /// `longest`: bytes of a note held at most.
    pub(super) fn new(input: R, longest: usize) -> Self {
        Self { input: BufReader::new(input), longest, begun: false }
    }

    /// The next note; none at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        let mut chunk = Vec::new();
        while !std::mem::take(&mut self.begun) {
            if self.take_tag(&mut chunk)? == 0 {
                return Ok(None);
            }
            self.begun = is_open(last_tag(&chunk), "note");
        }
        let (mut held, mut len) = (b"<note>".to_vec(), 0);
        loop {
            let read = match self.take_tag(&mut chunk) {
                Err(_) if len > 0 => 0,
                other => other?,
            };
            let tag = last_tag(&chunk);
            if read == 0 {
                return Ok(Some(self.found(held, len, false)));
            }
            if is_open(tag, "note") {
                self.begun = true;
                return Ok(Some(self.found(held, len, false)));
            }
            len += read;
            if len <= self.longest as u64 {
                held.extend_from_slice(&chunk);
            }
            if tag == b"</note>" {
                return Ok(Some(self.found(held, len, true)));
            }
            if is_open(tag, "data") && !tag.ends_with(b"/>") {
                self.pass_data()?;
            }
        }
    }

    fn found(&self, held: Vec<u8>, len: u64, whole: bool) -> Found {
        let text = || String::from_utf8_lossy(&held).into_owned();
        match (len > self.longest as u64, whole) {
            (true, _) => Found::TooLong(len),
            (false, true) => Found::Note(text()),
            (false, false) => Found::Broken(text()),
        }
    }

    /// Up to and with the next `>`; how many bytes that is. Of what is too long only the end is held.
    fn take_tag(&mut self, chunk: &mut Vec<u8>) -> io::Result<u64> {
        chunk.clear();
        let mut read = 0;
        loop {
            let input = match self.input.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let end = input.iter().position(|b| *b == b'>').map(|at| at + 1);
            let n = end.unwrap_or(input.len());
            chunk.extend_from_slice(input.get(..n).unwrap_or_default());
            if chunk.len() > self.longest {
                chunk.drain(..chunk.len().saturating_sub(64));
            }
            read += n as u64;
            self.input.consume(n);
            if end.is_some() || n == 0 {
                return Ok(read);
            }
        }
    }

    /// Over everything before the next `<`.
    fn pass_data(&mut self) -> io::Result<()> {
        loop {
            let input = match self.input.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let at = input.iter().position(|b| *b == b'<');
            let n = at.unwrap_or(input.len());
            self.input.consume(n);
            if at.is_some() || n == 0 {
                return Ok(());
            }
        }
    }
}

fn last_tag(bytes: &[u8]) -> &[u8] {
    let at = bytes.iter().rposition(|b| *b == b'<').unwrap_or(0);
    bytes.get(at..).unwrap_or_default()
}

/// `<name>` or `<name …>`
fn is_open(tag: &[u8], name: &str) -> bool {
    let rest = tag.strip_prefix(b"<").and_then(|rest| rest.strip_prefix(name.as_bytes()));
    rest.and_then(|rest| rest.first()).is_some_and(|b| *b == b'>' || *b == b'/' || b.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(xml: &str, longest: usize, expected: &[Found]) {
        let mut notes = Notes::new(xml.as_bytes(), longest);
        let mut found = Vec::new();
        while let Some(note) = notes.next().unwrap() {
            found.push(note);
        }
        assert_eq!(found, expected, "{xml:.200}");
    }

    #[test]
    fn notes_without_their_files() {
        let note = |text: &str| Found::Note(format!("<note>{text}</note>"));
        check("<en-export><note><a>1</a></note>\n<note a='b'>2</note></en-export>", 99, &[note("<a>1</a>"), note("2")]);
        check(
            "<note><data encoding=\"base64\">AAAA\nBBBB</data>x</note>",
            99,
            &[note("<data encoding=\"base64\"></data>x")],
        );
        check("<note><note-attributes/><data/>x</note>", 99, &[note("<note-attributes/><data/>x")]);
        check("<en-export></en-export>", 99, &[]);
    }

    #[test]
    fn damage_costs_one_note() {
        let whole = Found::Note("<note>2</note>".to_owned());
        check("<note><a>1<note>2</note>", 99, &[Found::Broken("<note><a>".to_owned()), whole]);
        check("<note><a>1", 99, &[Found::Broken("<note><a>1".to_owned())]);
        let long = format!("<note>{}</note><note>2</note>", "x".repeat(200));
        check(&long, 99, &[Found::TooLong(207), Found::Note("<note>2</note>".to_owned())]);
        let long = format!("<note>{}</note><note>2</note>", "<b>x</b>".repeat(200));
        check(&long, 99, &[Found::TooLong(1607), Found::Note("<note>2</note>".to_owned())]);
    }
}
