//! Tables in CSV (RFC 4180) whose cells may hold line breaks, a row at a time in bounded memory. A quote
//! that is missing costs the row it stands in. What columns mean is left to the formats.

use crate::text::{Line, Lines};
use std::io::{self, Read};

/// One row, or why it cannot be read; with the number of its first line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) cells: Result<Vec<String>, String>,
    /// Characters replaced by U+FFFD.
    pub(crate) lost: u64,
}

/// Rows of a table, its header among them.
pub(crate) struct Rows<'a, R> {
    lines: Lines<R>,
    longest: usize,
    /// Whether a line can only be the beginning of a row.
    begins: &'a dyn Fn(&str) -> bool,
    next: Option<(u64, String, u64)>,
}

impl<'a, R: Read> Rows<'a, R> {
    /// `longest`: bytes of a row held at most.
    pub(crate) fn new(reader: R, longest: usize, begins: &'a dyn Fn(&str) -> bool) -> io::Result<Self> {
        Ok(Self { lines: Lines::new(reader, longest)?, longest, begins, next: None })
    }

    fn line(&mut self) -> Option<io::Result<(u64, Option<String>, u64)>> {
        if let Some((number, text, lost)) = self.next.take() {
            return Some(Ok((number, Some(text), lost)));
        }
        Some(self.lines.next()?.map(|line| match line {
            Line::Text { number, text, lost } => (number, Some(text), lost),
            Line::TooLong { number, .. } => (number, None, 0),
        }))
    }
}

impl<R: Read> Iterator for Rows<'_, R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        let wrong = |line, reason: &str| Some(Ok(Row { line, cells: Err(reason.to_owned()), lost: 0 }));
        let (first, mut row, mut lost) = loop {
            match self.line()? {
                Ok((_, Some(text), _)) if text.trim().is_empty() => {}
                Ok((number, Some(text), lost)) => break (number, text, lost),
                Ok((number, None, _)) => return wrong(number, "the row is too long to be read"),
                Err(e) => return Some(Err(e)),
            }
        };
        while row.bytes().filter(|b| *b == b'"').count() % 2 == 1 {
            match self.line() {
                None => return wrong(first, "the file ends in the middle of the row"),
                Some(Err(e)) => return Some(Err(e)),
                Some(Ok((_, None, _))) => return wrong(first, "the row is too long to be read"),
                Some(Ok((number, Some(text), more))) if (self.begins)(&text) => {
                    self.next = Some((number, text, more));
                    return wrong(first, "a quote is missing in the row");
                }
                Some(Ok((_, Some(text), more))) => {
                    row.push('\n');
                    row.push_str(&text);
                    lost += more;
                }
            }
            if row.len() > self.longest {
                return wrong(first, "the row is too long to be read");
            }
        }
        Some(Ok(Row { line: first, cells: cells(&row), lost }))
    }
}

fn cells(row: &str) -> Result<Vec<String>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Ok(record.iter().map(str::to_owned).collect()),
        Ok(false) => Err("the row is empty".to_owned()),
        Err(e) => Err(format!("the row is no table row: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, expected: &[&str]) {
        let begins = |line: &str| line.starts_with("\"#");
        let rows = Rows::new(table.as_bytes(), 100, &begins).unwrap().map(|row| match row.unwrap() {
            Row { line, cells: Ok(cells), .. } => format!("{line}: {}", cells.join("|")),
            Row { line, cells: Err(reason), .. } => format!("{line}! {reason}"),
        });
        assert_eq!(rows.collect::<Vec<_>>(), expected, "{table}");
    }

    #[test]
    fn rows() {
        check("a,b\r\n\"#1\",\"x\r\ny \"\"z\"\"\"\r\n", &["1: a|b", "2: #1|x\ny \"z\""]);
        check("\"#1\",\"x\n\"#2\",\"y\"\n", &["1! a quote is missing in the row", "2: #2|y"]);
        check("\"#1\",\"x", &["1! the file ends in the middle of the row"]);
        check(
            &format!("\"#1\",\"{}\n{}\"", "x".repeat(60), "y".repeat(60)),
            &["1! the row is too long to be read", "3! x"][..1],
        );
    }
}
