//! Tables as CSV with a head, read row by row (RFC 4180 and what real files make of it). A quote that is never closed
//! costs one row, not the rest of the file. What columns mean is left to the formats.

use crate::{
    Flow, ImportError, Options,
    export::Export,
    out::Out,
    text::{Line, Lines},
};
use std::{
    collections::VecDeque,
    io::{self, Read},
};

/// A row of more lines than this has a quote that is not closed.
const MOST_LINES: usize = 5_000;
/// How many times what was read may be read again, on the average; beyond that so few bytes are read for a quote, and
/// none where it was read yet more often.
const AGAIN: usize = 4;
const FEW: usize = 16 << 10;
const OFTEN: usize = 4 * AGAIN;

/// One row under its head.
pub(crate) struct Row<'a> {
    head: &'a [String],
    fields: &'a [String],
    /// Line on which it begins, from 1.
    pub(crate) line: u64,
}

impl Row<'_> {
    /// The field in the column of this name (in lower case), trimmed; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let at = self.head.iter().position(|column| column == name);
        at.and_then(|at| self.fields.get(at)).map_or("", |field| field.trim())
    }

    /// The field in the first column whose name (in lower case) holds this word.
    pub(crate) fn like(&self, word: &str) -> &str {
        let at = self.head.iter().position(|column| column.contains(word));
        at.and_then(|at| self.fields.get(at)).map_or("", |field| field.trim())
    }

    /// The first of these columns that is not empty.
    pub(crate) fn any(&self, names: &[&str]) -> &str {
        names.iter().map(|name| self.get(name)).find(|field| !field.is_empty()).unwrap_or_default()
    }
}

/// Hands out every row below the first that `is_head` takes for the head; what stands above is no record. Rows that
/// lack most of their columns are reported as failed.
pub(crate) fn each(
    export: &Export,
    file: usize,
    options: &Options,
    out: &mut Out,
    is_head: impl Fn(&[String]) -> bool,
    mut each: impl FnMut(&Row, &mut Out) -> Flow,
) -> Result<(), ImportError> {
    let (lost, trouble) = walk(export, file, options, is_head, |line, row| match row {
        Ok(row) => each(&row, out),
        Err(reason) => out.failed(reason, export.place(file, line)),
    })?;
    if out.stopped() {
        return Ok(());
    }
    out.file_ended(file, lost, trouble)
}

/// The same rows in a pass before the one that hands out records: those that cannot be read are passed over.
pub(crate) fn survey(
    export: &Export,
    file: usize,
    options: &Options,
    is_head: impl Fn(&[String]) -> bool,
    mut see: impl FnMut(&Row),
) -> Result<(), ImportError> {
    let seen = walk(export, file, options, is_head, |_, row| {
        row.into_iter().for_each(|row| see(&row));
        Flow::Continue(())
    });
    seen.map(drop)
}

/// Until `each` breaks; then how many characters were lost, and why the file ended early, where it did.
fn walk(
    export: &Export,
    file: usize,
    options: &Options,
    is_head: impl Fn(&[String]) -> bool,
    mut each: impl FnMut(u64, Result<Row, String>) -> Flow,
) -> Result<(u64, Option<io::Error>), ImportError> {
    let mut rows = Rows::new(export.open(file)?, options.limits.record, b',').map_err(|e| export.trouble(file, e))?;
    let mut head: Option<Vec<String>> = None;
    while let Some((line, row)) = rows.next() {
        let flow = match (row, &head) {
            (Err(reason), Some(_)) => each(line, Err(reason)),
            (Err(_), None) => continue,
            (Ok(fields), None) => {
                let names = names(&fields);
                rows.mark = mark(&fields);
                if is_head(&names) {
                    rows.width = names.len();
                    head = Some(names);
                }
                continue;
            }
            (Ok(fields), Some(head)) if fields.len() * 2 < head.len() => {
                each(line, Err(format!("the row has {} of {} columns", fields.len(), head.len())))
            }
            (Ok(fields), Some(head)) => each(line, Ok(Row { head, fields: &fields, line })),
        };
        if flow.is_break() {
            return Ok((rows.lost, None));
        }
    }
    Ok((rows.lost, rows.trouble.take()))
}

/// The first rows of a file's head, names in lower case, for detection.
pub(crate) fn first(head: &[u8]) -> Vec<Vec<String>> {
    let Ok(rows) = Rows::new(head, head.len().max(1), b',') else { return Vec::new() };
    rows.take(8).filter_map(|(_, row)| row.ok()).map(|fields| names(&fields)).collect()
}

/// Files of tables of which `is_head` takes one of the first rows for the head.
pub(crate) fn files(export: &Export, is_head: impl Fn(&[String]) -> bool) -> Vec<usize> {
    let named =
        export.unclaimed().filter(|(_, e)| e.path.to_ascii_lowercase().ends_with(".csv") || export.files().len() == 1);
    let fits =
        |i: &usize| export.head(*i).is_ok_and(|head| !head.contains(&0) && first(&head).iter().any(|row| is_head(row)));
    named.map(|(i, _)| i).filter(fits).collect()
}

/// True where the head has all these columns.
pub(crate) fn has(head: &[String], names: &[&str]) -> bool {
    names.iter().all(|name| head.iter().any(|column| column == name))
}

/// Names of columns; a head that was split by the wrong mark is split again.
fn names(fields: &[String]) -> Vec<String> {
    let all: Vec<&str> = match fields {
        [one] => one.split(mark(fields) as char).collect(),
        many => many.iter().map(String::as_str).collect(),
    };
    all.iter().map(|name| name.trim().trim_matches('"').to_lowercase()).collect()
}

/// What stands between columns: some programs write `;` or tabs.
fn mark(fields: &[String]) -> u8 {
    match fields {
        [one] if one.contains('\t') => b'\t',
        [one] if one.contains(';') => b';',
        _ => b',',
    }
}

struct Rows<R> {
    lines: Lines<R>,
    /// Lines to be read again, after a quote that was not closed.
    back: VecDeque<(u64, String)>,
    /// Bytes of lines that were read, and that were read again.
    read: usize,
    again: usize,
    mark: u8,
    /// Columns of the head, once it is known.
    width: usize,
    lost: u64,
    trouble: Option<io::Error>,
}

impl<R: Read> Rows<R> {
    fn new(input: R, longest: usize, mark: u8) -> io::Result<Self> {
        let lines = Lines::new(input, longest)?;
        Ok(Self { lines, back: VecDeque::new(), read: 0, again: 0, mark, width: 0, lost: 0, trouble: None })
    }

    fn line(&mut self) -> Option<(u64, Result<String, String>)> {
        if let Some((number, text)) = self.back.pop_front() {
            return Some((number, Ok(text)));
        }
        match self.lines.next()? {
            Ok(Line::Text { number, text, lost }) => {
                self.lost += lost;
                self.read += text.len();
                Some((number, Ok(text)))
            }
            Ok(Line::TooLong { number, bytes }) => {
                Some((number, Err(format!("the row is too long to be read ({bytes} bytes)"))))
            }
            Err(e) => {
                self.trouble = Some(e);
                None
            }
        }
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = (u64, Result<Vec<String>, String>);

    fn next(&mut self) -> Option<Self::Item> {
        let (start, first) = loop {
            match self.line()? {
                (_, Ok(text)) if text.trim().is_empty() => {}
                (number, Ok(text)) => break (number, text),
                (number, Err(reason)) => return Some((number, Err(reason))),
            }
        };
        let (mut row, mut held, mut bytes) = (Fields::default(), VecDeque::new(), 0);
        row.feed(&first, self.mark);
        // Where most quotes are not closed, not much is read for each.
        let most = match self.again / self.read.max(1) {
            ..AGAIN => usize::MAX,
            AGAIN..OFTEN => FEW,
            _ => 0,
        };
        while row.quoted {
            match (held.len() < MOST_LINES && bytes < most).then(|| self.line()).flatten() {
                Some((number, Ok(text))) => {
                    bytes += text.len();
                    row.field.push('\n');
                    row.feed(&text, self.mark);
                    held.push_back((number, text));
                }
                _ => return Some((start, self.not_closed(held))),
            }
        }
        row.done.push(row.field);
        if (row.odd || row.done.len() != self.width) && held.iter().any(|(_, line)| self.is_row(line)) {
            return Some((start, self.not_closed(held)));
        }
        Some((start, Ok(row.done)))
    }
}

impl<R> Rows<R> {
    /// The lines behind the first are read again, as rows of their own.
    fn not_closed(&mut self, held: VecDeque<(u64, String)>) -> Result<Vec<String>, String> {
        self.again += held.iter().map(|(_, line)| line.len()).sum::<usize>();
        held.into_iter().rev().for_each(|line| self.back.push_front(line));
        Err("a quote in the row is not closed".to_owned())
    }

    /// True where a line alone is a whole row: then it was swallowed by a quote before it.
    fn is_row(&self, line: &str) -> bool {
        let mut row = Fields::default();
        row.feed(line, self.mark);
        !row.quoted && self.width > 1 && row.done.len() + 1 == self.width
    }
}

#[derive(Default)]
struct Fields {
    done: Vec<String>,
    field: String,
    /// Within quotes.
    quoted: bool,
    /// A quote was closed in this field.
    closed: bool,
    /// Text stands behind a quote that was closed.
    odd: bool,
}

impl Fields {
    fn feed(&mut self, line: &str, mark: u8) {
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if self.quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    self.field.push('"');
                }
                '"' if self.quoted => (self.quoted, self.closed) = (false, true),
                '"' if self.field.trim().is_empty() && !self.closed => {
                    self.field.clear();
                    self.quoted = true;
                }
                c if c == mark as char && !self.quoted => {
                    self.done.push(std::mem::take(&mut self.field));
                    self.closed = false;
                }
                c => {
                    self.odd |= self.closed && c != ' ';
                    self.field.push(c);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_real_files() {
        let rows =
            |text: &str| Rows::new(text.as_bytes(), 1000, b',').unwrap().map(|(n, r)| (n, r.ok())).collect::<Vec<_>>();
        let row = |fields: &[&str]| Some(fields.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            rows("\u{feff}a,b\r\n\"x \"\"y\"\"\n\nz\",2\r\n\r\nq\"q,\n"),
            [(1, row(&["a", "b"])), (2, row(&["x \"y\"\n\nz", "2"])), (6, row(&["q\"q", ""]))]
        );
        let broken = "a,\"open,1\nb,2,3\nc,\"3\",4\n";
        let mut read = Rows::new(broken.as_bytes(), 1000, b',').unwrap();
        read.width = 3;
        let read: Vec<_> = read.map(|(n, r)| (n, r.ok())).collect();
        assert_eq!(read, [(1, None), (2, row(&["b", "2", "3"])), (3, row(&["c", "3", "4"]))]);
        assert_eq!(rows("a,\"open\nb"), [(1, None), (2, row(&["b"]))]);
        let open = "x\"y,\"open\n".repeat(8_000);
        let mut read = Rows::new(open.as_bytes(), 1000, b',').unwrap();
        assert!(read.by_ref().all(|(_, row)| row.is_err()));
        assert!(read.again < 2 * AGAIN * open.len() + 8_000 * 2 * FEW, "{}", read.again);
        let swallowed = "\"Flags\",1,\"**Short\n".repeat(100_000);
        let mut read = Rows::new(swallowed.as_bytes(), 1000, b',').unwrap();
        read.width = 3;
        assert!(read.by_ref().all(|(_, row)| row.is_err()));
        assert!(read.again < 2 * OFTEN * swallowed.len(), "{}", read.again);
        assert_eq!(first(b"Notes:\n\nURL;Title\n")[1], ["url", "title"]);
    }
}
