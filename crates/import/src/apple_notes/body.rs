//! The text of a note in Apple's database: gzip around a protocol buffer, which holds the plain text and
//! runs of characters that share a style. As Markdown.
//!
//! Field numbers follow public descriptions of the format; what is not known is passed over.

use evoke_message::Attachment;
use flate2::read::{GzDecoder, ZlibDecoder};
use std::io::Read;

/// Stands where an attachment is.
const HERE: char = '\u{fffc}';

/// What an attachment is: words in its place, or a file.
#[derive(Default)]
pub(super) struct Files {
    pub(super) words: String,
    pub(super) file: Option<Attachment>,
}

#[derive(Default)]
pub(super) struct Body {
    pub(super) text: String,
    pub(super) files: Vec<Attachment>,
}

/// `file` is asked with the id and type of each attachment. At most `longest` bytes are unpacked.
pub(super) fn read(data: &[u8], longest: usize, file: &dyn Fn(&str, &str) -> Files) -> Result<Body, String> {
    let bytes = unpacked(data, longest)?;
    let note = field(&bytes, 2).and_then(|document| field(document, 3)).ok_or("it holds no text")?;
    let text = String::from_utf8_lossy(field(note, 2).unwrap_or_default()).into_owned();
    let runs: Vec<Run> =
        fields(note).filter_map(|(n, value)| (n == 5).then(|| Run::of(value.bytes()?)).flatten()).collect();
    Ok(written(&text, &runs, file))
}

/// The words in the cells of a table, in the order in which they are kept.
pub(super) fn table(data: &[u8]) -> String {
    let Ok(bytes) = unpacked(data, 16 << 20) else { return String::new() };
    let entries = field(&bytes, 2).and_then(|document| field(document, 3)).unwrap_or_default();
    let cells = fields(entries).filter(|(n, _)| *n == 3).filter_map(|(_, value)| {
        let note = field(value.bytes()?, 10)?;
        let text = String::from_utf8_lossy(field(note, 2)?).trim().replace('\n', " ");
        (!text.is_empty()).then_some(text)
    });
    cells.collect::<Vec<_>>().join(" | ")
}

fn unpacked(data: &[u8], longest: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let most = longest as u64 + 1;
    let read = match data {
        [0x1f, 0x8b, ..] => GzDecoder::new(data).take(most).read_to_end(&mut bytes),
        [0x78, ..] => ZlibDecoder::new(data).take(most).read_to_end(&mut bytes),
        _ => data.take(most).read_to_end(&mut bytes),
    };
    read.map_err(|e| e.to_string())?;
    if bytes.len() > longest { Err("it is longer than any note".to_owned()) } else { Ok(bytes) }
}

/// A value of a protocol buffer.
#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            Value::Number(_) => None,
        }
    }
}

/// Fields of a message with their numbers, up to the first that is damaged.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || {
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            1 => Value::Bytes(take(&mut bytes, 8)?),
            2 => {
                let len = usize::try_from(varint(&mut bytes)?).ok()?;
                Value::Bytes(take(&mut bytes, len)?)
            }
            5 => Value::Bytes(take(&mut bytes, 4)?),
            _ => return None,
        };
        Some((tag >> 3, value))
    })
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn field(bytes: &[u8], number: u64) -> Option<&[u8]> {
    fields(bytes).find_map(|(n, value)| (n == number).then(|| value.bytes()).flatten())
}

fn number(bytes: &[u8], number: u64) -> Option<u64> {
    fields(bytes).find_map(|(n, value)| match value {
        Value::Number(value) if n == number => Some(value),
        _ => None,
    })
}

/// Characters that share a style.
#[derive(Clone, Default)]
struct Run {
    /// In UTF-16 units.
    len: usize,
    line: Line,
    /// 1 bold, 2 italic, 3 both.
    weight: u64,
    struck: bool,
    link: String,
    attachment: Option<(String, String)>,
}

/// The style of a paragraph.
#[derive(Clone, Copy, Default, PartialEq)]
struct Line {
    style: Option<u64>,
    indent: usize,
    done: bool,
    quoted: bool,
}

impl Run {
    fn of(bytes: &[u8]) -> Option<Self> {
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let line = field(bytes, 2).map(Line::of).unwrap_or_default();
        let attachment = field(bytes, 12)
            .map(|info| (words(field(info, 1).unwrap_or_default()), words(field(info, 2).unwrap_or_default())));
        Some(Self {
            len: usize::try_from(number(bytes, 1)?).ok()?,
            line,
            weight: number(bytes, 5).unwrap_or_default(),
            struck: number(bytes, 7).unwrap_or_default() > 0,
            link: field(bytes, 9).map(words).unwrap_or_default(),
            attachment,
        })
    }
}

impl Line {
    fn of(bytes: &[u8]) -> Self {
        let done = field(bytes, 5).and_then(|list| number(list, 2)).unwrap_or_default() == 1;
        let indent = usize::try_from(number(bytes, 4).unwrap_or_default()).unwrap_or_default().min(16);
        Self { style: number(bytes, 1), indent, done, quoted: number(bytes, 8).unwrap_or_default() > 0 }
    }

    fn mark(self, nth: usize) -> String {
        let indent = "  ".repeat(self.indent);
        let quote = if self.quoted { "> " } else { "" };
        match self.style {
            Some(0) => "# ".to_owned(),
            Some(1) => "## ".to_owned(),
            Some(2) => "### ".to_owned(),
            Some(100 | 101) => format!("{indent}- "),
            Some(102) => format!("{indent}{nth}. "),
            Some(103) => format!("{indent}- [{}] ", if self.done { 'x' } else { ' ' }),
            _ => quote.to_owned(),
        }
    }

    fn is_code(self) -> bool {
        self.style == Some(4)
    }
}

fn written(text: &str, runs: &[Run], file: &dyn Fn(&str, &str) -> Files) -> Body {
    let mut out = Writer::default();
    let mut chars = text.chars().peekable();
    for run in runs {
        let (mut units, mut piece) = (0, String::new());
        while units < run.len {
            let Some(c) = chars.next() else { break };
            units += c.len_utf16();
            piece.push(c);
        }
        out.run(run, &piece, file);
    }
    let rest: String = chars.collect();
    out.run(&Run::default(), &rest, file);
    out.line_end();
    if out.code {
        out.body.text.push_str("```\n");
    }
    out.body.text = out.body.text.trim().to_owned();
    out.body
}

#[derive(Default)]
struct Writer {
    body: Body,
    line: String,
    style: Option<Line>,
    nth: usize,
    code: bool,
}

impl Writer {
    fn run(&mut self, run: &Run, piece: &str, file: &dyn Fn(&str, &str) -> Files) {
        for (n, part) in piece.split(['\n', '\u{2028}']).enumerate() {
            if n > 0 {
                // The style of a paragraph is that of its end of line, too.
                self.style.get_or_insert(run.line);
                self.line_end();
            }
            if !part.is_empty() {
                self.style.get_or_insert(run.line);
            }
            match &run.attachment {
                Some((id, kind)) if part.contains(HERE) => {
                    let Files { words, file } = file(id, kind);
                    self.line.push_str(&part.replace(HERE, &words));
                    self.body.files.extend(file);
                }
                _ => self.line.push_str(&styled(run, &part.replace(HERE, ""))),
            }
        }
    }

    fn line_end(&mut self) {
        let style = self.style.take().unwrap_or_default();
        let line = std::mem::take(&mut self.line);
        if style.is_code() != self.code {
            self.body.text.push_str("```\n");
            self.code = style.is_code();
        }
        self.nth = if style.style == Some(102) { self.nth + 1 } else { 0 };
        let mark = if line.trim().is_empty() { String::new() } else { style.mark(self.nth) };
        self.body.text.push_str(&format!("{mark}{line}\n"));
    }
}

/// Emphasis goes around the words, not around the spaces beside them.
fn styled(run: &Run, text: &str) -> String {
    let words = text.trim();
    let is_heading = matches!(run.line.style, Some(0..=2));
    if words.is_empty() || run.line.is_code() {
        return text.to_owned();
    }
    let mut said = words.to_owned();
    if !run.link.is_empty() && run.link != said && run.link.contains("://") && !run.link.starts_with("applenotes:") {
        said = format!("[{said}]({})", run.link);
    }
    let mark = match run.weight {
        1 if !is_heading => "**",
        2 => "*",
        3 if !is_heading => "***",
        _ => "",
    };
    said = format!("{mark}{said}{mark}");
    if run.struck {
        said = format!("~~{said}~~");
    }
    let start = text.len() - text.trim_start().len();
    let (before, after) = (text.get(..start).unwrap_or_default(), text.get(start + words.len()..).unwrap_or_default());
    format!("{before}{said}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(len: usize, style: Option<u64>) -> Run {
        Run { len, line: Line { style, ..Line::default() }, ..Run::default() }
    }

    #[test]
    fn styles_as_markdown() {
        let text = "Title\n😀 bold x\none\ntwo\ncode\nend \u{fffc}";
        let runs = [
            run(6, Some(0)),
            run(3, None),
            Run { weight: 1, ..run(5, None) },
            run(2, None),
            Run { line: Line { style: Some(103), done: true, ..Line::default() }, ..run(4, None) },
            run(4, Some(102)),
            run(5, Some(4)),
            run(4, None),
            Run { attachment: Some(("id".to_owned(), "public.jpeg".to_owned())), ..run(1, None) },
        ];
        let file = |id: &str, _: &str| Files {
            words: String::new(),
            file: Some(Attachment { name: id.to_owned(), mime: None, path: None, missing: None }),
        };
        let body = written(text, &runs, &file);
        assert_eq!(body.text, "# Title\n😀 **bold** x\n- [x] one\n1. two\n```\ncode\n```\nend");
        assert_eq!(body.files.len(), 1);
        assert_eq!(written("a\nb", &[], &file).text, "a\nb");
    }

    #[test]
    fn damage_is_no_panic() {
        for bytes in [
            &[][..],
            &[0x12],
            &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            &[0x1f, 0x8b, 0],
            &[0x78, 1, 2],
        ] {
            assert!(read(bytes, 1000, &|_, _| Files::default()).is_err());
            assert_eq!(table(bytes), "");
        }
    }
}
