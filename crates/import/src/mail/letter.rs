//! One mail taken apart: who wrote it to whom, its subject, its text. Threads are left to `survey.rs`.

use super::{
    body::{self, Body},
    charset::{of_html, raw_line},
    header::{Header, decoded},
    subject,
};
use mail_parser::{Address, MessageParser};
use std::{borrow::Cow, panic};

/// Mails within mails beyond this are an attack.
const MOST_NESTED: usize = 1_000;

const DAMAGED: &str = "its parts are damaged";

/// An address and the name beside it; the address where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// In lower case.
    pub(super) address: String,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct Letter {
    pub(super) from: Person,
    /// The sender and all who got it, in order.
    pub(super) people: Vec<Person>,
    pub(super) subject: String,
    pub(super) body: Body,
}

impl Letter {
    /// `known`: the mail that it answers is in this import.
    pub(super) fn read(raw: &[u8], header: &Header, separator: &str, known: bool) -> Result<Self, &'static str> {
        let raw = whole_header(raw, header);
        if nested(&raw) > MOST_NESTED {
            return Err("it holds more mails within mails than any real mail");
        }
        // The parser is tried on every kind of damage; should one be left, it costs this mail only.
        let parsed = panic::catch_unwind(|| {
            let mail = MessageParser::default().parse(raw.as_ref())?;
            let people: Vec<Person> =
                [mail.from(), mail.to(), mail.cc(), mail.bcc()].into_iter().flatten().flat_map(persons).collect();
            let from = [mail.from(), mail.sender(), mail.reply_to()].into_iter().flatten().flat_map(persons).next();
            let subject = mail.subject().map(|s| decoded(s.trim())).unwrap_or_default();
            Some((from, people, subject, body::read(&mail, known)))
        });
        let (from, people, subject, body) = parsed.map_err(|_| DAMAGED)?.ok_or("it has no header")?;
        if body.is_empty() && !raw.get(header.len..).unwrap_or_default().trim_ascii().is_empty() && subject.is_empty() {
            return Err(DAMAGED);
        }
        let from = from.unwrap_or_else(|| from_elsewhere(header, separator));
        Ok(Self { from, people, subject, body })
    }

    /// Markdown. An answer stands under its thread's title; every other mail begins with its subject.
    pub(super) fn text(&self, answers: bool, draft: bool) -> String {
        let shown =
            !self.subject.is_empty() && (self.body.text.is_empty() || !answers || !subject::is_reply(&self.subject));
        let subject = shown.then(|| format!("**{}**", self.subject.replace('*', "\\*")));
        let draft = draft.then(|| "*Draft, not sent.*".to_owned());
        let all = subject.into_iter().chain(draft).chain([self.body.text.clone()]).filter(|t| !t.is_empty());
        all.collect::<Vec<_>>().join("\n\n")
    }
}

/// Raw letters in a header are read as what they look like; the parser takes UTF-8 only.
fn whole_header<'a>(raw: &'a [u8], header: &Header) -> Cow<'a, [u8]> {
    let (head, body) = raw.split_at(header.len.min(raw.len()));
    if std::str::from_utf8(head).is_ok() {
        return Cow::Borrowed(raw);
    }
    let declared = header.get("content-type").and_then(|c| of_html(c.as_bytes()));
    let mut out = Vec::with_capacity(raw.len() + 64);
    for line in head.split_inclusive(|b| *b == b'\n') {
        out.extend_from_slice(raw_line(line, declared.as_deref()).as_bytes());
    }
    out.extend_from_slice(body);
    Cow::Owned(out)
}

fn nested(raw: &[u8]) -> usize {
    raw.windows(4).filter(|w| w.ends_with(b"822") && w.first().is_some_and(|b| b.eq_ignore_ascii_case(&b'c'))).count()
}

/// The address in a raw `From` field.
pub(super) fn address(field: &str) -> Option<String> {
    let field = format!("From: {field}\n\n");
    let parsed = MessageParser::default().parse_headers(field.as_bytes())?;
    persons(parsed.from()?).into_iter().next().map(|p| p.address)
}

fn persons(address: &Address) -> Vec<Person> {
    let all = address.iter().filter_map(|one| {
        let address = one.address.as_deref().unwrap_or_default().trim().trim_matches(['<', '>', '\'']).to_lowercase();
        let name = clean(one.name.as_deref().unwrap_or_default());
        match (address.as_str(), name.as_str()) {
            ("", "") => None,
            ("", _) => Some(Person { address: name.to_lowercase(), name }),
            (_, "") => Some(Person { name: address.clone(), address }),
            (_, name) if name.to_lowercase() == address => Some(Person { name: address.clone(), address }),
            _ => Some(Person { address, name }),
        }
    });
    all.collect()
}

/// A name without the quotes that some programs put around it.
fn clean(name: &str) -> String {
    let name = decoded(name);
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let inner =
        [('\'', '\''), ('"', '"'), ('(', ')')].into_iter().find_map(|(a, b)| name.strip_prefix(a)?.strip_suffix(b));
    inner.unwrap_or(&name).trim().to_owned()
}

fn from_elsewhere(header: &Header, separator: &str) -> Person {
    let path = header.get("return-path").map(|p| p.trim().trim_matches(['<', '>']).to_lowercase());
    let line = || separator.split_whitespace().next().filter(|s| s.contains('@')).map(str::to_lowercase);
    let address = path.filter(|p| p.contains('@')).or_else(line);
    match address {
        Some(address) => Person { name: address.clone(), address },
        None => Person { address: "unknown".to_owned(), name: "Unknown".to_owned() },
    }
}
