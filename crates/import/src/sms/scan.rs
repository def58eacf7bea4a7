//! The XML of these backups, which is elements with attributes and nothing between them, taken apart as a
//! stream: pictures, in attributes of up to 100 MB, are passed over without being held.
//!
//! `<` is always written as a reference inside an attribute. Where it stands bare, the element before it is
//! broken, and reading goes on with the next: damage costs one record.

use crate::{text::decode, xml::unescape};
use std::io::{self, BufRead, BufReader, Read};

/// The attribute that holds a picture in base64.
const DATA: &[u8] = b"data";
/// Longest name of an element or attribute.
const NAME: usize = 64;

/// One element's beginning.
#[derive(Debug, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// `<a/>`
    pub(super) empty: bool,
    /// It had an attribute with a picture.
    pub(super) data: bool,
}

impl Element {
    /// An attribute that says something: a missing one is often written `null`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(n, _)| n == name)?;
        Some(value.as_str()).filter(|v| *v != "null" && !v.trim().is_empty())
    }
}

#[derive(Debug, PartialEq)]
pub(super) enum Found {
    Start(Element),
    End(String),
    /// An element that could not be read.
    Broken {
        name: String,
        reason: String,
    },
}

pub(super) struct Scan<R> {
    input: BufReader<R>,
    /// Bytes of one element's attributes held at most.
    limit: usize,
    ended: bool,
    lost: u64,
}

impl<R: Read> Scan<R> {
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self { input: BufReader::with_capacity(64 << 10, input), limit, ended: false, lost: 0 }
    }

    /// Characters replaced by U+FFFD so far.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return Ok(other?.first().copied()),
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// Up to the first byte that `ends`, which is not taken; at most `most` bytes are kept. None at the end
    /// of the file.
    fn until(&mut self, ends: impl Fn(u8) -> bool, most: usize) -> io::Result<Option<(Vec<u8>, u64)>> {
        let (mut kept, mut len) = (Vec::new(), 0);
        loop {
            if self.peek()?.is_none() {
                return Ok(None);
            }
            let buffer = self.input.buffer();
            let n = buffer.iter().position(|b| ends(*b));
            let piece = buffer.get(..n.unwrap_or(buffer.len())).unwrap_or_default();
            let room = most.saturating_sub(kept.len()).min(piece.len());
            kept.extend_from_slice(piece.get(..room).unwrap_or_default());
            let taken = piece.len();
            len += taken as u64;
            self.input.consume(taken);
            if n.is_some() {
                return Ok(Some((kept, len)));
            }
        }
    }

    fn blank(&mut self) -> io::Result<()> {
        while self.peek()?.is_some_and(|b| b.is_ascii_whitespace()) {
            self.input.consume(1);
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> String {
        let (text, lost) = decode(bytes);
        self.lost += lost;
        text.into_owned()
    }

    /// Behind a comment or an instruction.
    fn pass(&mut self, end: &[u8]) -> io::Result<()> {
        let mut matched = 0;
        while let Some(byte) = self.take()? {
            matched = match end.get(matched) {
                Some(wanted) if *wanted == byte => matched + 1,
                _ if byte == b'-' && matched >= 2 => matched,
                _ => usize::from(end.first() == Some(&byte)),
            };
            if matched == end.len() {
                break;
            }
        }
        Ok(())
    }

    /// The next thing; none at the end of the file.
    fn step(&mut self) -> io::Result<Option<Found>> {
        loop {
            if self.until(|b| b == b'<', 0)?.is_none() {
                return Ok(None);
            }
            self.input.consume(1);
            match self.peek()? {
                None => return Ok(Some(cut("", "the file ends here, in the middle of an element"))),
                Some(b'?') => self.pass(b"?>")?,
                Some(b'!') => {
                    self.input.consume(1);
                    let comment = self.peek()? == Some(b'-');
                    self.pass(if comment { b"-->" } else { b">" })?;
                }
                Some(b'/') => {
                    self.input.consume(1);
                    let name = self.until(|b| matches!(b, b'>' | b'<'), NAME)?;
                    let name = name.map(|(name, _)| self.text(name.trim_ascii())).unwrap_or_default();
                    return Ok(Some(Found::End(name)));
                }
                Some(byte) if byte.is_ascii_alphabetic() => return self.element().map(Some),
                Some(_) => {}
            }
        }
    }

    fn element(&mut self) -> io::Result<Found> {
        let ends = |b: u8| b.is_ascii_whitespace() || matches!(b, b'>' | b'/' | b'<' | b'=' | b'"');
        let name = self.until(ends, NAME)?.map(|(name, _)| self.text(&name)).unwrap_or_default();
        let mut element = Element { name, attributes: Vec::new(), empty: false, data: false };
        let mut held = 0;
        loop {
            self.blank()?;
            match self.peek()? {
                None => return Ok(cut(&element.name, "the file ends in the middle of it")),
                Some(b'>') => {
                    self.input.consume(1);
                    return Ok(Found::Start(element));
                }
                Some(b'/') => {
                    self.input.consume(1);
                    element.empty = true;
                }
                Some(b'<') => return Ok(cut(&element.name, "it is not whole: another begins in the middle of it")),
                Some(_) => match self.attribute(&mut element, &mut held)? {
                    None => {}
                    Some(reason) => return Ok(cut(&element.name, reason)),
                },
            }
        }
    }

    /// One attribute; or why there is none.
    fn attribute(&mut self, element: &mut Element, held: &mut usize) -> io::Result<Option<&'static str>> {
        const ENDS: &str = "the file ends in the middle of it";
        let ends = |b: u8| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'<' | b'/');
        let Some((name, _)) = self.until(ends, NAME)? else { return Ok(Some(ENDS)) };
        self.blank()?;
        if self.peek()? != Some(b'=') {
            // Nothing was taken: a stray sign, which would be met again.
            self.input.consume(usize::from(name.is_empty()));
            return Ok(None);
        }
        self.input.consume(1);
        self.blank()?;
        let Some(quote) = self.peek()?.filter(|b| matches!(b, b'"' | b'\'')) else {
            return Ok(Some("the quote of an attribute is missing"));
        };
        self.input.consume(1);
        let room = if name == DATA { 0 } else { self.limit.saturating_sub(*held) };
        let Some((value, len)) = self.until(|b| b == quote || b == b'<', room)? else { return Ok(Some(ENDS)) };
        if self.peek()? == Some(b'<') {
            return Ok(Some("it is not whole: another begins in the middle of it"));
        }
        self.input.consume(1);
        if name == DATA {
            element.data = len > 0;
            return Ok(None);
        }
        if len > value.len() as u64 {
            return Ok(Some("it is longer than Evoke reads"));
        }
        *held += value.len();
        let (name, value) = (self.text(&name), self.text(&value));
        element.attributes.push((name, unescape(&value)));
        Ok(None)
    }
}

fn cut(name: &str, reason: &str) -> Found {
    Found::Broken { name: name.to_owned(), reason: reason.to_owned() }
}

impl<R: Read> Iterator for Scan<R> {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let found = self.step();
        self.ended = !matches!(found, Ok(Some(_)));
        found.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(input: &[u8]) -> Vec<String> {
        let scan = Scan::new(input, 1_000);
        scan.map(|found| match found.unwrap() {
            Found::Start(e) => {
                let attributes: Vec<_> = e.attributes.iter().map(|(n, v)| format!("{n}={v}")).collect();
                format!(
                    "{} {}{}{}",
                    e.name,
                    attributes.join(","),
                    if e.empty { "/" } else { "" },
                    if e.data { "!" } else { "" }
                )
            }
            Found::End(name) => format!("/{name}"),
            Found::Broken { name, .. } => format!("?{name}"),
        })
        .collect()
    }

    #[test]
    fn elements_and_what_breaks_them() {
        for (input, expected) in [
            ("<?xml version='1.0'?><!-- <sms/> --><smses count=\"1\">", vec!["smses count=1"]),
            ("<sms body=\"a&#10;&#55357;&#56832; > 'x'\" type='1' />", vec!["sms body=a\n😀 > 'x',type=1/"]),
            ("<part ct=\"image/png\" data=\"AAAA\"/></parts>", vec!["part ct=image/png/!", "/parts"]),
            ("<sms body=\"a <sms body=\"b\"/>", vec!["?sms", "sms body=b/"]),
            ("<sms body=\"a", vec!["?sms"]),
            ("<sms a b=\"1\" \"/>", vec!["sms b=1/"]),
            ("<sms b=1/><sms b=\"2\"/>", vec!["?sms", "sms b=2/"]),
            ("text <3 <", vec!["?"]),
        ] {
            assert_eq!(shown(input.as_bytes()), expected, "{input}");
        }
    }

    #[test]
    fn pictures_are_not_held() {
        let data = io::repeat(b'A').take(64 << 20);
        let input = b"<part ct=\"a\" data=\"".chain(data).chain(&b"\"/><sms body=\"b\"/>"[..]);
        let found: Vec<_> = Scan::new(input, 100).map(Result::unwrap).collect();
        assert!(matches!(&found[..], [Found::Start(a), Found::Start(b)] if a.data && b.get("body") == Some("b")));
    }
}
