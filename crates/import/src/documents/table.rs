//! Tables as text (`csv`, `tsv`): each row as "column: value", so that a row reads by itself.

use super::{Document, Left, Taken, blocks::in_a_line, text::decoded};
use csv::ReaderBuilder;

/// Rows of a table that are read.
const MOST_ROWS: usize = 200_000;
/// Bytes of a column's name; what is longer is no name to be said in each row.
const LONGEST_NAME: usize = 100;
/// Bytes of text that a table becomes.
const LONGEST: usize = 32 << 20;

pub(super) fn take(bytes: &[u8]) -> Taken {
    let (text, lost) = decoded(bytes);
    let rows = rows(&text);
    if let Some(reason) = no_words(&rows) {
        return Err(Left::Skipped(reason.into()));
    }
    let Some((columns, rest)) = rows.split_first() else {
        return Err(Left::Skipped("empty table".into()));
    };
    let mut text = if rest.is_empty() { columns.join(", ") } else { String::new() };
    let mut told_all = true;
    for row in rest {
        if text.len() > LONGEST {
            told_all = false;
            break;
        }
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&told(columns, row));
    }
    let whole = told_all && rows.len() < MOST_ROWS;
    Ok(Document { text, lost, whole, ..Document::default() })
}

/// Why the head of a table says that it is no table to be read, in words.
pub(super) fn refused(head: &[u8]) -> Option<&'static str> {
    let (text, lost) = decoded(head);
    if text.contains('\0') || lost > 16 { Some("not text, whatever its name says") } else { no_words(&rows(&text)) }
}

fn rows(text: &str) -> Vec<Vec<String>> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // What Excel writes to name the separator.
    let named = first.trim().strip_prefix("sep=").and_then(|sign| sign.chars().next()).filter(char::is_ascii);
    let count = |sign: &char| first.matches(*sign).count();
    let sign = named.or_else(|| [',', ';', '\t', '|'].into_iter().max_by_key(count)).unwrap_or(',');
    let text = if named.is_some() { text.split_once('\n').map_or("", |(_, rest)| rest) } else { text };
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(sign as u8).from_reader(text.as_bytes());
    let records = reader.records().flatten().take(MOST_ROWS);
    let row = |record: csv::StringRecord| record.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    records.map(row).filter(|row| row.iter().any(|cell| !cell.is_empty())).collect()
}

/// Numbers without words are nothing to remember; a list of messages would be remembered without its senders.
fn no_words(rows: &[Vec<String>]) -> Option<&'static str> {
    let columns: Vec<String> = rows.first()?.iter().map(|c| c.to_lowercase()).collect();
    let any = |words: &[&str]| {
        columns.iter().any(|c| words.iter().any(|w| c.split(|c: char| !c.is_alphanumeric()).any(|part| part == *w)))
    };
    let who = any(&["sender", "from", "author", "user", "username", "participant"]);
    let what = any(&["message", "body", "text", "content"]);
    let when = any(&["date", "time", "timestamp", "sent", "datetime"]);
    if who && what && when {
        return Some("a list of messages of a kind that Evoke does not know");
    }
    if any(&["url"])
        && any(&["visit", "visits", "visited", "lastvisittime", "visitcount", "last_visit_time", "visit_count"])
    {
        return Some("a list of visited pages of a kind that Evoke does not know");
    }
    let cells = rows.iter().skip(1).take(500).flatten().filter(|cell| !cell.is_empty());
    let (mut all, mut words) = (0usize, 0usize);
    for cell in cells {
        all += 1;
        words += usize::from(
            cell.chars().filter(|c| c.is_alphabetic()).count() >= 3
                && !cell.eq_ignore_ascii_case("true")
                && !cell.eq_ignore_ascii_case("false"),
        );
    }
    (all > 20 && words * 10 < all).then_some("a table of numbers")
}

/// A cell of several lines stands by itself.
fn told(columns: &[String], row: &[String]) -> String {
    let mut lines = Vec::new();
    for (n, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        lines.push(match columns.get(n).filter(|column| (1..=LONGEST_NAME).contains(&column.len())) {
            Some(column) => format!("{}: {cell}", in_a_line(column)),
            None => cell.clone(),
        });
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: &str) -> String {
        match take(table.as_bytes()) {
            Ok(document) => document.text,
            Err(_) => panic!("refused"),
        }
    }

    #[test]
    fn rows_say_their_columns_and_no_long_name_again_and_again() {
        assert_eq!(text("Name,Town\nAna,Graz\nBen,\n"), "Name: Ana\nTown: Graz\n\nName: Ben");
        let long = "long ".repeat(50);
        assert_eq!(text(&format!("{long},Town\nAna,Graz\n")), "Ana\nTown: Graz");
    }
}
