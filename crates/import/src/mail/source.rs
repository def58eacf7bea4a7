//! Where mails lie in an export: which files are mailboxes and which are single mails, by their content.

use super::{
    header::{is_header_line, known_fields},
    mbox::Splitter,
};
use crate::{
    Flow, ImportError, Options, date,
    export::{Entry, Export},
};
use jiff::tz::TimeZone;
use std::{
    collections::HashSet,
    io::{self, Read},
};

/// One mail as bytes.
pub(super) struct Raw<'a> {
    pub(super) mail: Vec<u8>,
    /// Of the line before it in an mbox, without `From `.
    pub(super) separator: &'a str,
    /// Bytes left out at its end.
    pub(super) cut: u64,
}

/// How a file holds mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Mbox,
    Single,
    /// Apple's: the length of the mail on a line before it, a property list behind it.
    Emlx,
}

/// Endings of files that are never mailboxes, whatever they hold.
const OTHER: [&str; 36] = [
    "md", "markdown", "html", "htm", "xhtml", "json", "jsonl", "ndjson", "csv", "tsv", "xml", "js", "css", "py", "rs",
    "org", "pdf", "docx", "odt", "epub", "enex", "yml", "yaml", "toml", "ini", "log", "rtf", "tex", "sql", "sh", "db",
    "sqlite", "ics", "vcf", "msf", "ipynb",
];

pub(super) fn detect(export: &Export) -> Option<Vec<usize>> {
    let files = export.files();
    // Thunderbird keeps an index beside each mailbox; mailboxes may be called like lists: `dev.example.org`.
    let indexed: HashSet<&str> = files.iter().filter_map(|e| e.path.strip_suffix(".msf")).collect();
    let may_hold =
        |e: &Entry| e.size > 0 && (!OTHER.contains(&ending(e).as_str()) || indexed.contains(e.path.as_str()));
    let candidates = export.unclaimed().filter(|(_, e)| may_hold(e)).map(|(i, _)| i);
    let claimed: Vec<usize> = candidates.filter(|&i| form(export, i).is_some()).collect();
    (!claimed.is_empty()).then_some(claimed)
}

fn ending(entry: &Entry) -> String {
    entry.file_name().rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default()
}

fn form(export: &Export, i: usize) -> Option<Form> {
    let entry = export.files().get(i)?;
    of_head(&export.head(i).ok()?, &ending(entry), is_maildir(&entry.path))
}

/// True for a file that is one mail.
pub(super) fn is_single(export: &Export, i: usize) -> bool {
    form(export, i).is_some_and(|form| form != Form::Mbox)
}

/// In `cur`, `new` or `tmp` of a Maildir.
fn is_maildir(path: &str) -> bool {
    let mut folders = path.rsplit('/');
    let name = folders.next().unwrap_or_default();
    matches!(folders.next(), Some("cur" | "new" | "tmp"))
        && (name.contains(['.', ',']) || name.bytes().all(|b| b.is_ascii_digit()))
}

fn of_head(head: &[u8], ending: &str, maildir: bool) -> Option<Form> {
    let text = head.trim_ascii_start();
    let known = known_fields(text);
    // One byte may be damage, many are a database or a picture; but a mail may carry such parts as they are.
    let named = ending == "eml" || maildir;
    if !(named && known > 0) && head.iter().filter(|b| **b == 0).count() * 50 > head.len() {
        return None;
    }
    if text.starts_with(b"From ") && Splitter::new(text, head.len()).next().is_some_and(|first| !first.mail.is_empty())
    {
        return Some(Form::Mbox);
    }
    if is_saved_page(text) {
        return None;
    }
    if ending == "emlx" {
        return Some(Form::Emlx);
    }
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first.get(..200.min(first.len())).unwrap_or_default());
    let single = match ending {
        "eml" => !text.is_empty() && (known > 0 || is_header_line(&first)),
        _ if maildir => known > 0,
        // A text that begins like a mail and has what only mails have.
        _ => is_header_line(&first) && known >= 3 && has_origin(text),
    };
    single.then_some(Form::Single)
}

/// A page of the web as browsers save it (MHTML): it has the form of a mail and is none.
fn is_saved_page(text: &[u8]) -> bool {
    let header = super::header::Header::of(text);
    let saved = |from: &str| from.to_ascii_lowercase().starts_with("<saved by");
    header.get("snapshot-content-location").is_some() || header.get("from").is_some_and(saved)
}

fn has_origin(text: &[u8]) -> bool {
    let header = super::header::Header::of(text);
    let has = |name| header.get(name).is_some();
    let sent = || {
        let zoned = |date| date::parse(date, &TimeZone::UTC).is_some_and(|when| when.zone_known);
        header.get("from").is_some_and(|f| f.contains('@')) && has("to") && header.get("date").is_some_and(zoned)
    };
    match has("from") {
        true => {
            ["message-id", "received", "mime-version", "return-path", "delivered-to"].into_iter().any(has) || sent()
        }
        false => has("received") && has("return-path"),
    }
}

/// Hands every mail of a file to `each`, until it stops; says why the file ended early, where it did.
pub(super) fn each(
    export: &Export,
    file: usize,
    options: &Options,
    mut each: impl FnMut(Raw) -> Flow,
) -> Result<Option<io::Error>, ImportError> {
    let most = options.limits.record;
    match form(export, file) {
        Some(Form::Mbox) => {
            let mut splitter = Splitter::new(export.open(file)?, most);
            for split in splitter.by_ref() {
                if each(Raw { mail: split.mail, separator: &split.separator, cut: split.cut }).is_break() {
                    return Ok(None);
                }
            }
            Ok(splitter.trouble())
        }
        other => {
            let mut mail = Vec::new();
            let trouble = export.open(file)?.take(most as u64).read_to_end(&mut mail).err();
            if other == Some(Form::Emlx) {
                mail = without_frame(mail);
            }
            let cut = export.size(file).saturating_sub(most as u64);
            if !mail.trim_ascii().is_empty() {
                let _ = each(Raw { mail: without_mark(mail), separator: "", cut });
            }
            Ok(trouble)
        }
    }
}

/// The mail in an `.emlx`: its length stands on the first line.
fn without_frame(file: Vec<u8>) -> Vec<u8> {
    let Some(end) = file.iter().position(|b| *b == b'\n') else { return file };
    let (first, rest) = file.split_at(end);
    let length: Option<usize> = std::str::from_utf8(first).ok().and_then(|f| f.trim().parse().ok());
    let rest = rest.get(1..).unwrap_or_default();
    match length {
        Some(length) => rest.get(..length).unwrap_or(rest).to_vec(),
        None => file,
    }
}

/// Without a byte order mark and empty lines at the beginning.
fn without_mark(mail: Vec<u8>) -> Vec<u8> {
    let text = mail.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&mail);
    let start = mail.len() - text.trim_ascii_start().len();
    mail.get(start..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_mail() {
        let mail = "Received: x\nFrom: a@b\nDate: Mon\nSubject: s\n\nbody";
        for (head, ending, maildir, form) in [
            (mail, "", false, Some(Form::Single)),
            (mail, "txt", false, Some(Form::Single)),
            ("From: a\nDate: b\nSubject: minutes\n\ntext", "txt", false, None),
            ("Subject: x\n\ny", "eml", false, Some(Form::Single)),
            ("Subject: x\n\ny", "", true, Some(Form::Single)),
            ("just text", "eml", false, None),
            ("From a@b Mon Jan  1 12:00:00 2024\nSubject: x\n\n", "", false, Some(Form::Mbox)),
            ("From Monday on we meet at 10:00\n", "", false, None),
            ("12\nSubject: x\n\n<plist>", "emlx", false, Some(Form::Emlx)),
        ] {
            assert_eq!(of_head(head.as_bytes(), ending, maildir), form, "{head} {ending}");
        }
        assert_eq!(without_frame(b"10         \nSubject: x<?xml".to_vec()), b"Subject: x");
    }
}
