//! Characters of a PDF as the reader of pages shows them, gathered into lines, and lines into the text of pages.

use pdf_extract::{MediaBox, OutputDev, OutputError, Transform};
use std::{collections::BTreeMap, io, time::Instant};

/// Characters of a document.
const MOST_TEXT: usize = 64 << 20;

/// Text by the number of its page.
pub(super) type Texts = BTreeMap<u32, String>;

/// A line of a page, and where it stands.
struct Line {
    text: String,
    y: f64,
    size: f64,
}

/// Gathers characters into lines, and lines into the text of pages.
pub(super) struct Page {
    until: Instant,
    pub(super) number: u32,
    pub(super) texts: Texts,
    lines: Vec<Line>,
    end_x: f64,
    last: (f64, f64, String),
    length: usize,
}

impl Page {
    pub(super) fn new(until: Instant) -> Self {
        let last = (0.0, 0.0, String::new());
        Self { until, number: 0, texts: Texts::new(), lines: Vec::new(), end_x: 0.0, last, length: 0 }
    }

    pub(super) fn end(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if !lines.is_empty() {
            self.texts.insert(self.number, paragraphs(&lines));
        }
    }
}

/// Lines that follow each other closely are a paragraph; a word that is divided at its end is joined.
fn paragraphs(lines: &[Line]) -> String {
    let mut steps: Vec<f64> = lines
        .windows(2)
        .filter_map(|w| if let [a, b] = w { Some(a.y - b.y) } else { None })
        .filter(|d| *d > 0.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0.0);
    let mut text = String::new();
    let mut above: Option<&Line> = None;
    for line in lines.iter().filter(|line| !line.text.trim().is_empty()) {
        if let Some(above) = above {
            let down = above.y - line.y;
            let grown = (line.size / above.size.max(0.01)).max(above.size / line.size.max(0.01)) > 1.25;
            let near = down > 0.0 && down <= usual.min(line.size * 2.2) * 1.35 && !grown;
            let begins_small = line.text.starts_with(|c: char| c.is_lowercase());
            let stem = text
                .strip_suffix(['-', '\u{2010}', '\u{ad}'])
                .filter(|stem| stem.ends_with(|c: char| c.is_lowercase()));
            match stem {
                Some(stem) if near && begins_small => text.truncate(stem.len()),
                _ => text.push_str(if near { "\n" } else { "\n\n" }),
            }
        }
        text.push_str(line.text.trim());
        above = Some(line);
    }
    text
}

impl OutputDev for Page {
    fn begin_page(&mut self, number: u32, _: &MediaBox, _: Option<(f64, f64, f64, f64)>) -> Result<(), OutputError> {
        self.end();
        self.number = number;
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        self.end();
        Ok(())
    }

    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        _: f64,
        font_size: f64,
        text: &str,
    ) -> Result<(), OutputError> {
        self.length += text.len();
        if self.length > MOST_TEXT || self.length % 512 < text.len() && Instant::now() > self.until {
            return Err(OutputError::IoError(io::ErrorKind::TimedOut.into()));
        }
        let (x, y) = (place.m31, place.m32);
        let wide = font_size.abs() * place.m11.hypot(place.m12);
        let size = (font_size.abs() * place.m21.hypot(place.m22)).max(0.1);
        let again =
            (x - self.last.0).abs() < wide * 0.05 && (y - self.last.1).abs() < size * 0.05 && text == self.last.2;
        // Bold, made by showing the same letter twice.
        if again && !text.trim().is_empty() {
            return Ok(());
        }
        self.last = (x, y, text.to_owned());
        let end_x = self.end_x;
        self.end_x = x + width * wide;
        match self.lines.last_mut() {
            Some(line) if (line.y - y).abs() <= size.min(line.size) * 0.5 => {
                let apart = x > end_x + wide * 0.15 || x < end_x - wide;
                if apart && !line.text.ends_with(' ') && !text.starts_with(' ') {
                    line.text.push(' ');
                }
                line.text.push_str(text);
                line.size = line.size.max(size);
            }
            _ => self.lines.push(Line { text: text.to_owned(), y, size }),
        }
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_paragraphs() {
        let line = |text: &str, y: f64| Line { text: text.to_owned(), y, size: 10.0 };
        let lines = [line("An exam-", 700.0), line("ple of text.", 688.0), line("More.", 676.0), line("New.", 640.0)];
        assert_eq!(paragraphs(&lines), "An example of text.\nMore.\n\nNew.");
    }
}
