//! A notebook cut into its notes, byte by byte, in bounded memory: of the files inside a note those are held that may
//! have words, and damage in one note ends with it. What a note says is left to `evernote.rs`.

use std::io::{self, BufRead, BufReader, Read};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// From `<note>` to `</note>`. In place of a `<data>`'s content stands the number of its file, or nothing.
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
    files: Vec<Option<Vec<u8>>>,
}

/// Base64 of all files of a note that are held at once.
const HELD: usize = 64 << 20;

/// How base64 of pictures, sounds and films begins: JPEG, PNG, GIF, RIFF, MP3 (three ways), MP4.
const MEDIA: [&str; 8] = ["/9j/", "iVBOR", "R0lGOD", "UklGR", "SUQz", "//s", "//u", "AAAA"];

impl<R: Read> Notes<R> {
    /// `longest`: bytes of a note held at most.
    pub(super) fn new(input: R, longest: usize) -> Self {
        Self { input: BufReader::new(input), longest, begun: false, files: Vec::new() }
    }

    /// Base64 of the files that may have words, of the note found last, by their numbers; none of one that is too large.
    pub(super) fn files(&mut self) -> Vec<Option<Vec<u8>>> {
        std::mem::take(&mut self.files)
    }

    /// The next note; none at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        let mut chunk = Vec::new();
        self.files.clear();
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
            if is_open(tag, "data") && !tag.ends_with(b"/>") && self.take_data()? {
                held.extend_from_slice((self.files.len() - 1).to_string().as_bytes());
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

    /// Over everything before the next `<`; whether it is among the files now.
    fn take_data(&mut self) -> io::Result<bool> {
        let mut room = HELD - self.files.iter().flatten().map(Vec::len).sum::<usize>();
        let (mut data, mut is_media) = (Some(Vec::new()), false);
        loop {
            let input = match self.input.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let at = input.iter().position(|b| *b == b'<');
            let n = at.unwrap_or(input.len());
            if let Some(held) = data.as_mut().filter(|_| !is_media) {
                held.extend(input.iter().take(n).filter(|b| !b.is_ascii_whitespace()));
                is_media = MEDIA.iter().any(|start| held.starts_with(start.as_bytes()));
                if held.len() > room {
                    (data, room) = (None, 0);
                }
            }
            self.input.consume(n);
            if at.is_some() || n == 0 {
                break;
            }
        }
        let wanted = !is_media && data.as_ref().is_none_or(|held| !held.is_empty());
        if wanted {
            self.files.push(data);
        }
        Ok(wanted)
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
    fn notes_and_the_numbers_of_their_files() {
        let note = |text: &str| Found::Note(format!("<note>{text}</note>"));
        check("<en-export><note><a>1</a></note>\n<note a='b'>2</note></en-export>", 99, &[note("<a>1</a>"), note("2")]);
        check(
            "<note><data encoding=\"base64\">AAAA\nBBBB</data>x</note>",
            99,
            &[note("<data encoding=\"base64\"></data>x")],
        );
        check("<note><data>JVBE\nRi0=</data>x</note>", 99, &[note("<data>0</data>x")]);
        check("<note><data>iVBORw0KGgo=</data><data>UEsD</data></note>", 99, &[note("<data></data><data>0</data>")]);
        check("<note><note-attributes/><data/>x</note>", 99, &[note("<note-attributes/><data/>x")]);
        check("<en-export></en-export>", 99, &[]);
    }

    #[test]
    fn files_are_held_within_bounds() {
        let large = "JVBE".repeat(HELD / 4 + 1);
        let xml = format!("<note><data>JVBE\n Ri0=</data><data>{large}</data></note><note><data>YQ==</data></note>");
        let mut notes = Notes::new(xml.as_bytes(), 99);
        notes.next().unwrap();
        assert_eq!(notes.files(), [Some(b"JVBERi0=".to_vec()), None]);
        notes.next().unwrap();
        assert_eq!(notes.files(), [Some(b"YQ==".to_vec())]);
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
