//! The bytes of a log as UTF-8: what is none is Latin-1, for people in one channel write in both.

use encoding_rs::{CoderResult, WINDOWS_1252};
use std::io::{self, BufRead, BufReader, Read};

pub(super) struct Words<R> {
    input: BufReader<R>,
    ready: Vec<u8>,
    at: usize,
    /// Bytes of a letter whose rest was not read yet.
    rest: Vec<u8>,
}

impl<R: Read> Words<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(64 << 10, input), ready: Vec::new(), at: 0, rest: Vec::new() }
    }

    fn more(&mut self) -> io::Result<()> {
        let read = self.input.fill_buf()?;
        let (n, last) = (read.len(), read.is_empty());
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(read);
        self.input.consume(n);
        (self.ready, self.at) = (Vec::with_capacity(bytes.len() * 2), 0);
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.ready.extend_from_slice(chunk.valid().as_bytes());
            let invalid = chunk.invalid();
            // A letter that is only cut: its first byte says how long it is.
            let cut = chunks.peek().is_none()
                && !last
                && invalid.len() < 4
                && std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            match cut {
                true => self.rest = invalid.to_vec(),
                false => latin(invalid, &mut self.ready),
            }
        }
        Ok(())
    }
}

fn latin(bytes: &[u8], out: &mut Vec<u8>) {
    let mut text = String::with_capacity(bytes.len() * 3);
    let (result, ..) = WINDOWS_1252.new_decoder_without_bom_handling().decode_to_string(bytes, &mut text, true);
    debug_assert_eq!(result, CoderResult::InputEmpty);
    out.extend_from_slice(text.as_bytes());
}

impl<R: Read> Read for Words<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() {
            self.more()?;
            if self.ready.is_empty() && self.rest.is_empty() {
                return Ok(0);
            }
        }
        let n = self.ready.get(self.at..).unwrap_or_default().read(buf)?;
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_in_one_log() {
        let mut text = String::new();
        Words::new(&b"caf\xe9 na\xc3\xafve \x93so\x94 \xc3"[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "café naïve “so” Ã");
        // Letters on the border between two reads.
        let long = "é".repeat(200_000);
        let mut text = String::new();
        Words::new([b"x", long.as_bytes()].concat().as_slice()).read_to_string(&mut text).unwrap();
        assert!(text.get(1..) == Some(long.as_str()));
    }
}
