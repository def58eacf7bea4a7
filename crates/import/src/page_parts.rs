//! A large page taken apart where its messages begin, so that a piece at a time is parsed.

use crate::text::{self, Utf8, utf8};
use scraper::ElementRef;
use std::io::{self, Read};

const CHUNK: usize = 64 << 10;

/// A piece begins with one of the marks; the first is what stands before them all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// `lost`: characters replaced by U+FFFD.
    Text {
        text: String,
        lost: u64,
    },
    TooLong {
        bytes: u64,
    },
}

pub(crate) struct Pieces<R> {
    input: Utf8<R>,
    /// All begin with `<`.
    marks: &'static [&'static str],
    longest: usize,
    buf: Vec<u8>,
    /// Bytes of the piece under way that were let go.
    gone: u64,
    /// Where in `buf` to look on.
    at: usize,
    ended: bool,
}

impl<R: Read> Pieces<R> {
    /// `longest`: bytes of a piece held at most.
    pub(crate) fn new(reader: R, marks: &'static [&'static str], longest: usize) -> io::Result<Self> {
        Ok(Self { input: utf8(reader)?, marks, longest, buf: Vec::new(), gone: 0, at: 0, ended: false })
    }

    /// The next mark behind the beginning of the piece.
    fn mark(&self) -> Option<usize> {
        let rest = self.buf.get(self.at..)?;
        let starts = rest.iter().enumerate().filter(|(_, b)| **b == b'<').map(|(i, _)| self.at + i);
        starts.filter(|i| *i > 0 || self.gone > 0).find(|i| {
            let here = self.buf.get(*i..).unwrap_or_default();
            self.marks.iter().any(|mark| here.starts_with(mark.as_bytes()))
        })
    }

    fn take(&mut self, end: usize) -> Piece {
        let bytes: Vec<u8> = self.buf.drain(..end).collect();
        self.at = 0;
        match std::mem::take(&mut self.gone) {
            0 => {
                let (text, lost) = text::decode(&bytes);
                Piece::Text { text: text.into_owned(), lost }
            }
            gone => Piece::TooLong { bytes: gone + bytes.len() as u64 },
        }
    }
}

impl<R: Read> Iterator for Pieces<R> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<io::Result<Piece>> {
        loop {
            if let Some(end) = self.mark() {
                return Some(Ok(self.take(end)));
            }
            let longest_mark = self.marks.iter().map(|m| m.len()).max().unwrap_or(1);
            self.at = self.buf.len().saturating_sub(longest_mark);
            if self.ended {
                let rest = self.buf.len();
                return (rest > 0 || self.gone > 0).then(|| Ok(self.take(rest)));
            }
            if self.buf.len() > self.longest {
                self.gone += self.at as u64;
                self.buf.drain(..self.at);
                self.at = 0;
            }
            let held = self.buf.len();
            self.buf.resize(held + CHUNK, 0);
            match self.input.read(self.buf.get_mut(held..).unwrap_or_default()) {
                Ok(n) => {
                    self.buf.truncate(held + n);
                    self.ended = n == 0;
                }
                Err(e) => {
                    self.buf.truncate(held);
                    self.ended = true;
                    if e.kind() != io::ErrorKind::Interrupted {
                        return Some(Err(e));
                    }
                    self.ended = false;
                }
            }
        }
    }
}

/// The elements below `within` that have one of the classes.
pub(crate) fn with_class<'a>(
    within: ElementRef<'a>,
    classes: &'static [&'static str],
) -> impl Iterator<Item = ElementRef<'a>> {
    let fits = |e: &ElementRef| e.value().classes().any(|class| classes.contains(&class));
    within.descendent_elements().filter(move |e| *e != within).filter(fits)
}

/// The elements below `within` that have one of the attributes.
pub(crate) fn with_attr<'a>(
    within: ElementRef<'a>,
    names: &'static [&'static str],
) -> impl Iterator<Item = ElementRef<'a>> {
    let fits = |e: &ElementRef| names.iter().any(|name| e.attr(name).is_some());
    within.descendent_elements().filter(move |e| *e != within).filter(fits)
}

/// The text of an element on one line.
pub(crate) fn words(element: ElementRef) -> String {
    element.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str, expected: &[&str]) {
        let pieces = Pieces::new(page.as_bytes(), &["<m>", "<n "], 1 << 20).unwrap().map(|p| match p.unwrap() {
            Piece::Text { text, .. } => text,
            Piece::TooLong { bytes } => bytes.to_string(),
        });
        assert_eq!(pieces.collect::<Vec<_>>(), expected, "{page}");
    }

    #[test]
    fn pieces_begin_with_marks() {
        check("head<m>a<b><n x>b", &["head", "<m>a<b>", "<n x>b"]);
        check("<m>a<m>", &["<m>a", "<m>"]);
        check("no mark", &["no mark"]);
        check("", &[]);
    }

    #[test]
    fn marks_across_chunks_and_pieces_too_long() {
        let page = format!("{}<m>{}<m>end", "x".repeat(CHUNK - 1), "y".repeat(3 << 20));
        let pieces: Vec<_> = Pieces::new(page.as_bytes(), &["<m>"], 1 << 20).unwrap().map(Result::unwrap).collect();
        assert_eq!(pieces[1], Piece::TooLong { bytes: (3 << 20) + 3 });
        assert_eq!(pieces[2], Piece::Text { text: "<m>end".to_owned(), lost: 0 });
        assert_eq!(pieces.len(), 3);
    }
}
