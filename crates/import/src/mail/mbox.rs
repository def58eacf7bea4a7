//! Splits an mbox of any size into mails (formats.md §14): mboxo, mboxrd, mboxcl and mboxcl2, Gmail's, Thunderbird's.
//! One mail at a time is held. What a mail says is left to `letter.rs`.

use super::header::is_header_line;
use std::{
    borrow::Cow,
    io::{self, Read},
};

const CHUNK: usize = 256 << 10;
/// A line that separates mails is not longer.
const LONGEST: usize = 1_000;

/// One mail as it lies in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// What stands on the separating line, without `From `.
    pub(super) separator: String,
    /// The mail, its `>From ` lines as they were when it was sent.
    pub(super) mail: Vec<u8>,
    /// Bytes that were too many to be held.
    pub(super) cut: u64,
}

/// Reads mails one after the other. Mails longer than `limit` are cut.
pub(super) struct Splitter<R> {
    input: R,
    buf: Vec<u8>,
    /// Where in `buf` the mail under way begins.
    start: usize,
    ended: bool,
    limit: usize,
    trouble: Option<io::Error>,
}

impl<R: Read> Splitter<R> {
    pub(super) fn new(input: R, limit: usize) -> Self {
        Self { input, buf: Vec::new(), start: 0, ended: false, limit, trouble: None }
    }

    /// Why the file ended early, where it did.
    pub(super) fn trouble(&mut self) -> Option<io::Error> {
        self.trouble.take()
    }

    /// The bytes from `at` in the mail under way; reads on until there are `len`, or no more.
    fn ensure(&mut self, at: usize, len: usize) -> &[u8] {
        while !self.ended && self.buf.len() < self.start + at + len {
            if self.start > CHUNK && self.start > self.buf.len() / 2 {
                self.buf.drain(..self.start);
                self.start = 0;
            }
            let before = self.buf.len();
            self.buf.resize(before + CHUNK, 0);
            let read = self.input.read(self.buf.get_mut(before..).unwrap_or_default());
            self.buf.truncate(before + read.as_ref().map_or(0, |n| *n));
            match read {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.ended = true;
                    self.trouble = Some(e);
                }
            }
        }
        self.buf.get(self.start + at..).unwrap_or_default()
    }

    /// Where the line that begins at `at` ends, its line feed included.
    fn line_end(&mut self, at: usize) -> usize {
        let bytes = self.ensure(at, LONGEST);
        let looked = bytes.get(..LONGEST.min(bytes.len())).unwrap_or_default();
        looked.iter().position(|b| *b == b'\n').map_or(at + looked.len(), |n| at + n + 1)
    }

    fn line(&mut self, at: usize) -> Cow<'_, str> {
        let end = self.line_end(at);
        let line = self.ensure(at, end - at).get(..end - at).unwrap_or_default();
        String::from_utf8_lossy(line.trim_ascii_end())
    }

    /// True where a mail begins at `at`; `blank`: an empty line stands before it.
    fn begins(&mut self, at: usize, blank: bool) -> bool {
        if !self.ensure(at, 5).starts_with(b"From ") {
            return false;
        }
        let first = self.line_end(at);
        let line = self.line(at).into_owned();
        let rest = line.get(4..).unwrap_or_default().trim();
        let next = self.line(first).into_owned();
        let headers = is_header_line(&next) || next.starts_with(">From ");
        match rest {
            "" | "-" => headers && blank,
            rest if !has_date(rest) => false,
            // Takeout and damaged files lack the empty line: then the line itself must leave no doubt.
            _ if !blank => headers && is_plain(rest),
            _ => headers || next.is_empty(),
        }
    }

    /// Where the body begins, and how long the header says it is.
    fn content_length(&mut self) -> Option<(usize, usize)> {
        let (mut at, mut length) = (self.line_end(0), None);
        // A header is not longer than this.
        while at < 256 << 10 {
            let end = self.line_end(at);
            let line = self.line(at);
            if line.is_empty() {
                return length.map(|length| (end, length));
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
            at = end;
        }
        None
    }

    /// The end of a mail whose `Content-Length` proves true: another begins there, or the file ends.
    fn declared_end(&mut self) -> Option<usize> {
        let (body, length) = self.content_length()?;
        let end = body.checked_add(length).filter(|end| *end <= self.limit)?;
        if self.ensure(end, LONGEST).is_empty() {
            return (self.buf.len() - self.start == end).then_some(end);
        }
        // mboxcl counts without the empty line that follows, some programs with it.
        let mut at = end;
        while matches!(self.ensure(at, 1).first(), Some(b'\r' | b'\n')) && at < end + 4 {
            at += 1;
        }
        let line_begins = at > end || self.ensure(end - 1, 1).first() == Some(&b'\n');
        (line_begins && (self.ensure(at, 1).is_empty() || self.begins(at, true))).then_some(at)
    }

    /// Goes to the first mail: over empty lines and what stands before it.
    fn skip_to_first(&mut self) -> bool {
        let mut blank = true;
        loop {
            if self.ensure(0, 1).is_empty() {
                return false;
            }
            if self.begins(0, blank) {
                return true;
            }
            blank = self.line(0).is_empty();
            self.start += self.line_end(0);
        }
    }

    /// Length of the mail under way and bytes left out of it.
    fn length(&mut self) -> (usize, u64) {
        if let Some(end) = self.declared_end() {
            return (end, 0);
        }
        let (mut at, mut cut) = (self.line_end(0), 0u64);
        let mut blank = false;
        loop {
            if self.ensure(at, 1).is_empty() || self.begins(at, blank) {
                return (at, cut);
            }
            let bytes = self.ensure(at, LONGEST);
            let Some(n) = bytes.iter().position(|b| *b == b'\n') else {
                let all = bytes.len();
                at += all;
                if at > self.limit {
                    cut += self.drop_behind_limit(&mut at);
                }
                continue;
            };
            blank = bytes.get(..n).unwrap_or_default().trim_ascii().is_empty();
            at += n + 1;
            if at > self.limit {
                cut += self.drop_behind_limit(&mut at);
            }
        }
    }

    /// Forgets what lies between the limit and `at`.
    fn drop_behind_limit(&mut self, at: &mut usize) -> u64 {
        let from = self.start + self.limit;
        let to = self.start + *at;
        // In large steps: each moves what was read ahead.
        if to - from < CHUNK && !self.ended {
            return 0;
        }
        self.buf.drain(from..to.min(self.buf.len()));
        *at = self.limit;
        (to - from) as u64
    }
}

impl<R: Read> Iterator for Splitter<R> {
    type Item = Split;

    fn next(&mut self) -> Option<Split> {
        if !self.skip_to_first() {
            return None;
        }
        let (length, cut) = self.length();
        let first = self.line_end(0).min(length);
        let separator = self.line(0).get(4..).unwrap_or_default().trim().to_owned();
        let limit = self.limit;
        let bytes = self.ensure(0, length).get(first..length).unwrap_or_default();
        let kept = bytes.get(..limit.min(bytes.len())).unwrap_or_default();
        let split = Split { separator, mail: unquoted(kept), cut: cut + (bytes.len() - kept.len()) as u64 };
        self.start += length;
        Some(split)
    }
}

/// A time, a month and a year: what every program writes behind the sender.
fn has_date(rest: &str) -> bool {
    let mut words = rest.split_ascii_whitespace();
    let (mut time, mut month, mut year) = (false, false, false);
    for word in &mut words {
        time |= is_time(word);
        month |= crate::date::month(word).is_some() && word.len() == 3;
        year |= word.len() == 4 && word.starts_with(['1', '2']) && word.bytes().all(|b| b.is_ascii_digit());
    }
    time && month && year
}

fn is_time(word: &str) -> bool {
    let numbers: Vec<&str> = word.split(':').collect();
    (2..=3).contains(&numbers.len())
        && numbers.iter().all(|n| (1..=2).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

/// `address weekday month day …` and nothing else before.
fn is_plain(rest: &str) -> bool {
    let mut words = rest.split_ascii_whitespace();
    let sender = words.next().unwrap_or_default();
    let day = words.next().unwrap_or_default();
    (sender.contains('@') || sender == "-" || sender == "MAILER-DAEMON")
        && ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&day)
}

/// Takes one `>` from lines such as `>>From ` (mboxrd; of mboxo it is the best guess).
fn unquoted(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len());
    for line in mail.split_inclusive(|b| *b == b'\n') {
        let arrows = line.iter().take_while(|b| **b == b'>').count();
        let quoted = arrows > 0 && line.get(arrows..).is_some_and(|l| l.starts_with(b"From "));
        out.extend_from_slice(line.get(usize::from(quoted)..).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: &[&str]) {
        for file in [file.to_owned(), file.replace('\n', "\r\n")] {
            let mails: Vec<String> = Splitter::new(file.as_bytes(), 1 << 20)
                .map(|s| String::from_utf8(s.mail).unwrap().replace("\r\n", "\n").trim_end().to_owned())
                .collect();
            assert_eq!(mails, expected, "{file}");
        }
    }

    #[test]
    fn every_dialect() {
        check(
            "From a@b Mon Jan  1 12:00:00 2024\nA: 1\n\nx\n\nFrom c Tue Jan  2 12:00 2024\nB: 2\n\ny\n",
            &["A: 1\n\nx", "B: 2\n\ny"],
        );
        check(
            "\n\nFrom - Mon Jan 01 12:00:00 2024\nA: 1\n\nFrom here on it is text\n",
            &["A: 1\n\nFrom here on it is text"],
        );
        check("From a Mon Jan 1 12:00:00 2024\nA: 1\n\n>From x\n>>From y\n", &["A: 1\n\nFrom x\n>From y"]);
        // Thunderbird since 2023.
        check("From \nA: 1\n\nx\n\nFrom \nB: 1\n\nFrom \nnot\n", &["A: 1\n\nx", "B: 1\n\nFrom \nnot"]);
        // Takeout without an empty line, and a sentence that is no separator.
        check(
            "From 17@xxx Mon Jan 01 00:00:00 +0000 2024\nA: 1\n\nx\nFrom 18@xxx Tue Jan 02 00:00:00 +0000 2024\nB: 2\n\nFrom May 2024 at 10:00 on\nit works\n",
            &["A: 1\n\nx", "B: 2\n\nFrom May 2024 at 10:00 on\nit works"],
        );
    }

    #[test]
    fn a_declared_length_that_proves_true_is_trusted() {
        let inner = "From q Mon Jan 1 12:00:00 2024\nSubject: no mail\n\n";
        let mail = |length: usize| {
            format!(
                "From a Mon Jan 1 12:00:00 2024\nContent-Length: {length}\n\nx\n\n{inner}\nFrom b Mon Jan 1 12:00:00 2024\nB: 1\n\ny\n"
            )
        };
        let texts = |file: String| Splitter::new(file.as_bytes(), 1 << 20).count();
        assert_eq!(texts(mail(3 + inner.len())), 2);
        assert_eq!(texts(mail(7)), 3);
        assert_eq!(texts(mail(usize::MAX)), 3);
    }

    #[test]
    fn a_long_mail_is_cut_and_the_next_is_whole() {
        let head = b"From a Mon Jan 1 12:00:00 2024\nA: 1\n\n";
        let file = head.chain(io::repeat(b'x').take(8 << 20)).chain(&b"\n\n"[..]).chain(&head[..]).chain(&b"end"[..]);
        let mails: Vec<Split> = Splitter::new(file, 1 << 20).collect();
        assert_eq!(mails.len(), 2);
        assert!(mails[0].mail.len() <= 1 << 20);
        assert_eq!(mails[1].mail, b"A: 1\n\nend");
        assert!(mails[0].cut > 6 << 20);
        let lines = head.chain(io::repeat(b'\n').take(4 << 20)).chain(&head[..]);
        assert_eq!(Splitter::new(lines, 1 << 20).count(), 2);
    }
}
