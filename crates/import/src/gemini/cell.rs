//! My Activity as HTML: one page of hundreds of megabytes on one line, a cell a record. The page is cut
//! at its cells while it is read; each cell is parsed by itself.

use super::{Activity, date, linked};
use crate::{Options, html};
use scraper::{ElementRef, Node, Selector};
use std::io::{self, Read};

/// How each record begins.
const START: &[u8] = b"<div class=\"outer-cell";
const CHUNK: usize = 64 << 10;

pub(super) enum Cell {
    Whole(Vec<u8>),
    TooLong(u64),
}

/// Cells of a page, one at a time.
pub(super) struct Cells<R> {
    input: R,
    buf: Vec<u8>,
    longest: usize,
    /// Within a cell, not before the first.
    inside: bool,
    /// Bytes of this cell that were let go of, for it is too long.
    dropped: u64,
    ended: bool,
}

impl<R: Read> Cells<R> {
    pub(super) fn new(input: R, longest: usize) -> Self {
        Self { input, buf: Vec::new(), longest, inside: false, dropped: 0, ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        let held = self.buf.len();
        self.buf.resize(held + CHUNK, 0);
        let read = loop {
            match self.input.read(self.buf.get_mut(held..).unwrap_or_default()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buf.truncate(held + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        Ok(())
    }

    /// What was read of this cell, up to `end`.
    fn take(&mut self, end: usize) -> Cell {
        let bytes: Vec<u8> = self.buf.drain(..end).collect();
        match std::mem::take(&mut self.dropped) {
            0 => Cell::Whole(bytes),
            dropped => Cell::TooLong(dropped + bytes.len() as u64),
        }
    }
}

impl<R: Read> Iterator for Cells<R> {
    type Item = io::Result<Cell>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut from = usize::from(self.inside);
        loop {
            let rest = self.buf.get(from..).unwrap_or_default();
            if let Some(n) = rest.windows(START.len()).position(|w| w == START) {
                let cell = self.take(from + n);
                if std::mem::replace(&mut self.inside, true) {
                    return Some(Ok(cell));
                }
                from = 1;
                continue;
            }
            if self.ended {
                let cell = self.take(self.buf.len());
                return std::mem::take(&mut self.inside).then_some(Ok(cell));
            }
            if !self.inside || self.buf.len() > self.longest {
                let gone = self.buf.len().saturating_sub(START.len());
                self.buf.drain(..gone);
                self.dropped += if self.inside { gone as u64 } else { 0 };
            }
            from = self.buf.len().saturating_sub(START.len() - 1).max(usize::from(self.inside && self.dropped == 0));
            if let Err(error) = self.fill() {
                self.ended = true;
                self.inside = false;
                return Some(Err(error));
            }
        }
    }
}

/// A record, and the names of the files that it has.
pub(super) struct Found {
    pub(super) activity: Activity,
    pub(super) files: Vec<String>,
}

/// Reads one cell: `verb prompt <br> notes on files <br> date <br> reply`.
pub(super) fn read(cell: &str, options: &Options) -> Option<Found> {
    let page = html::fragment(cell);
    let find = |selector: &str| Selector::parse(selector).ok();
    let header = find(".header-cell")?;
    let contents = find(".content-cell")?;
    let links = find("a[href]")?;
    let product: String = page.select(&header).next().map(|e| e.text().collect()).unwrap_or_default();
    let body = page.select(&contents).find(|e| {
        let class = e.value().attr("class").unwrap_or_default();
        !class.contains("text-right") && !class.contains("caption")
    })?;
    let segments = segments(body);
    let at = segments.iter().position(|segment| date::read(&plain(segment), options).is_some());
    let before = segments.get(..at.unwrap_or(segments.len()))?;
    let after = at.and_then(|at| segments.get(at + 1..)).unwrap_or_default();
    let written = at.and_then(|at| segments.get(at)).map(|segment| plain(segment)).unwrap_or_default();
    let (prompt, files) = prompt(before);
    let conversation = page.select(&links).find_map(|a| linked(a.value().attr("href").unwrap_or_default()));
    let reply = html::markdown(&after.join("<br>"));
    Some(Found {
        activity: Activity {
            product: product.trim().to_owned(),
            title: prompt,
            time: date::read(&written, options),
            time_original: written,
            replies: Some(reply).filter(|r| !r.is_empty()).into_iter().collect(),
            attachments: Vec::new(),
            conversation,
        },
        files,
    })
}

/// The HTML between the line breaks of an element; blocks stand by themselves.
fn segments(body: ElementRef) -> Vec<String> {
    let mut segments = vec![String::new()];
    for child in body.children() {
        match child.value() {
            Node::Text(text) => {
                if let Some(last) = segments.last_mut() {
                    last.push_str(&escaped(text));
                }
            }
            Node::Element(element) if element.name() == "br" => segments.push(String::new()),
            Node::Element(element) => {
                let Some(inner) = ElementRef::wrap(child) else { continue };
                let block =
                    !matches!(element.name(), "a" | "b" | "i" | "em" | "strong" | "code" | "span" | "img" | "s" | "u");
                if block {
                    segments.extend([inner.html(), String::new()]);
                } else if let Some(last) = segments.last_mut() {
                    last.push_str(&inner.html());
                }
            }
            _ => {}
        }
    }
    segments
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn plain(html: &str) -> String {
    let text: String = html::fragment(html).root_element().text().collect();
    text.trim().to_owned()
}

/// The lines of a prompt, without the notes on its files, and the files.
fn prompt(segments: &[String]) -> (String, Vec<String>) {
    let (mut lines, mut files) = (Vec::new(), Vec::new());
    for segment in segments {
        let page = html::fragment(segment);
        let links = Selector::parse("a[href]").ok();
        let beside = links.iter().flat_map(|s| page.select(s)).filter_map(|a| a.value().attr("href"));
        let beside: Vec<String> =
            beside.filter(|to| !to.contains(':') && !to.starts_with(['/', '#'])).map(str::to_owned).collect();
        let text = plain(segment);
        let listed = text.starts_with('-') || text.starts_with('\u{2022}');
        if !beside.is_empty() && (listed || text.is_empty()) {
            files.extend(beside);
        } else if !is_note(&text) || lines.is_empty() {
            lines.push(text);
        }
    }
    (lines.join("\n").trim().to_owned(), files)
}

/// `Attached 1 file.`, `1 Datei angehängt.`, `2 generated images.`
fn is_note(text: &str) -> bool {
    let words = [
        "attached",
        "angehängt",
        "adjunt",
        "joint",
        "anexad",
        "allegat",
        "generated image",
        "was used in this chat",
        "添付",
        "첨부",
    ];
    let lower = text.to_lowercase();
    text.chars().count() < 80 && lower.ends_with(['.', '。', '다']) && words.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str, longest: usize, expected: &[&str]) {
        for step in [1, 7, 100_000] {
            let cells: Vec<String> = Cells::new(Slow(page.as_bytes(), step), longest)
                .map(|cell| match cell.unwrap() {
                    Cell::Whole(bytes) => String::from_utf8(bytes).unwrap(),
                    Cell::TooLong(n) => format!("{n}"),
                })
                .collect();
            assert_eq!(cells, expected, "{page} {step}");
        }
    }

    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(buf.len()).min(self.0.len());
            let (now, rest) = self.0.split_at(n);
            buf[..n].copy_from_slice(now);
            self.0 = rest;
            Ok(n)
        }
    }

    #[test]
    fn a_page_is_cut_at_its_cells() {
        let (a, b) = ("<div class=\"outer-cell x\">a</div>", "<div class=\"outer-cell y\">b</div>");
        check(&format!("<html>{a}{b}"), 1 << 20, &[a, b]);
        check(&format!("{a}\n{b}"), 1 << 20, &[&format!("{a}\n"), b]);
        check("<html>no cells", 1 << 20, &[]);
        check("", 1 << 20, &[]);
    }

    #[test]
    fn a_cell_that_is_too_long_is_not_held() {
        let start = "<div class=\"outer-cell\">";
        let page = format!("{start}{}{start}b", "x".repeat(500_000));
        let cells: Vec<_> = Cells::new(page.as_bytes(), 1000).map(Result::unwrap).collect();
        assert!(matches!(cells.as_slice(), [Cell::TooLong(n), Cell::Whole(_)] if *n == 500_024), "{}", cells.len());
    }
}
