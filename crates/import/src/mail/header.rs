//! The header of a mail as raw fields: what a survey needs without taking the mail apart.

use crate::date::{self, When};
use jiff::tz::TimeZone;
use mail_parser::{HeaderValue, MessageParser};

/// Names that a mail has and no other text.
const KNOWN: [&str; 16] = [
    "from",
    "to",
    "date",
    "subject",
    "message-id",
    "received",
    "return-path",
    "mime-version",
    "delivered-to",
    "reply-to",
    "content-type",
    "x-gm-thrid",
    "x-mozilla-status",
    "in-reply-to",
    "references",
    "sender",
];

/// True for `Name: value` with a name that a field may have.
pub(super) fn is_header_line(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| {
        let name = name.trim_end();
        !name.is_empty() && name.len() <= 76 && name.bytes().all(|b| b.is_ascii_graphic())
    })
}

/// How many different fields of mails stand at the beginning, before the first empty line.
pub(super) fn known_fields(head: &[u8]) -> usize {
    let header = Header::of(head);
    KNOWN.iter().filter(|name| header.get(name).is_some()).count()
}

/// The fields of one mail, unfolded, in order.
#[derive(Debug, Default)]
pub(super) struct Header {
    fields: Vec<(String, String)>,
    /// Bytes to the beginning of the body.
    pub(super) len: usize,
}

impl Header {
    pub(super) fn of(mail: &[u8]) -> Self {
        let mut header = Header::default();
        for line in mail.split_inclusive(|b| *b == b'\n') {
            header.len += line.len();
            let (text, _) = crate::text::decode(line.trim_ascii_end());
            if text.is_empty() {
                break;
            }
            if text.starts_with([' ', '\t']) {
                if let Some((_, value)) = header.fields.last_mut() {
                    value.push(' ');
                    value.push_str(text.trim());
                }
            } else if is_header_line(&text)
                && let Some((name, value)) = text.split_once(':')
            {
                header.fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        header
    }

    /// The first field of this name (in lower case).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The id of the mail itself, without brackets.
    pub(super) fn message_id(&self) -> Option<String> {
        let written = self.get("message-id")?;
        let id = ids(written).into_iter().next().unwrap_or_else(|| plain_id(written));
        Some(id).filter(|id| !id.is_empty())
    }

    /// Ids of the mails before it in its thread, oldest first as far as the mail says; without its own.
    pub(super) fn ancestors(&self, own: &str) -> Vec<String> {
        let fields = ["references", "in-reply-to"];
        let mut all: Vec<String> = Vec::new();
        for id in fields.iter().flat_map(|name| self.all(name)).flat_map(ids) {
            if id != own && !all.contains(&id) {
                all.push(id);
            }
        }
        all
    }

    /// The mail that this one answers.
    pub(super) fn parent(&self, own: &str) -> Option<String> {
        let answered = self.get("in-reply-to").map(ids).unwrap_or_default();
        let last = || self.get("references").map(ids).unwrap_or_default().pop();
        answered.into_iter().next().or_else(last).filter(|id| id != own)
    }

    /// When it was written: `Date`, or else when it arrived, or else what the line before it in an mbox says.
    /// A date in the future gives way to the arrival. With it, the date as written.
    pub(super) fn when(&self, separator: &str, zone: &TimeZone, now: i64) -> (Option<When>, String) {
        let written = self.get("date").unwrap_or_default();
        let date = date::parse(written, zone);
        let arrived = || self.all("received").filter_map(|r| date::parse(r.rsplit_once(';')?.1, zone)).next();
        let separated = || date::parse(separator, zone);
        let day = 86_400_000;
        match date {
            Some(when) if when.time <= now.saturating_add(2 * day) => (date, written.to_owned()),
            other => (arrived().or_else(separated).or(other), written.to_owned()),
        }
    }

    /// Labels of Gmail, decoded.
    pub(super) fn labels(&self) -> Vec<String> {
        let Some(written) = self.get("x-gmail-labels") else { return Vec::new() };
        decoded(written).split(',').map(|l| l.trim().trim_matches('"').to_owned()).filter(|l| !l.is_empty()).collect()
    }
}

/// Text of a field with encoded words (RFC 2047).
pub(super) fn decoded(value: &str) -> String {
    if !value.contains("=?") {
        return value.to_owned();
    }
    let field = format!("X-Text: {value}\n\n");
    let parsed = MessageParser::new().header_text("X-Text").parse_headers(field.as_bytes());
    let text = parsed.as_ref().and_then(|m| match m.header("X-Text") {
        Some(HeaderValue::Text(text)) => Some(text.to_string()),
        _ => None,
    });
    text.unwrap_or_else(|| value.to_owned())
}

/// Ids between `<` and `>`, white space within them removed.
pub(super) fn ids(value: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = value;
    while let Some((id, after)) = rest.split_once('<').and_then(|(_, from)| from.split_once('>')) {
        // `<<id>` of broken programs.
        let id = plain_id(id.trim_start_matches('<'));
        if !id.is_empty() {
            all.push(id);
        }
        rest = after;
    }
    all
}

fn plain_id(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_as_programs_write_them() {
        for (written, expected) in [
            ("<a@b> <c@d>", vec!["a@b", "c@d"]),
            ("<a@b><c@d>,\t<a b@c>", vec!["a@b", "c@d", "ab@c"]),
            ("Message from Bob of Monday <a@b>", vec!["a@b"]),
            ("a@b", vec![]),
            ("<> <<a@b>>", vec!["a@b"]),
            ("<unclosed", vec![]),
        ] {
            assert_eq!(ids(written), expected, "{written}");
        }
    }

    #[test]
    fn fields_are_unfolded_and_labels_decoded() {
        let mail = b"X-Gmail-Labels: =?UTF-8?Q?Posteingang,Ge=C3=B6ffnet?=\r\nSubject: a\r\n\tb\r\nReceived: by x; Mon, 15 Jan 2024 12:00:00 +0000\r\n\r\nbody";
        let header = Header::of(mail);
        assert_eq!(header.get("subject"), Some("a b"));
        assert_eq!(header.labels(), ["Posteingang", "Geöffnet"]);
        assert_eq!(&mail[header.len..], b"body");
        let (when, written) = header.when("", &TimeZone::UTC, i64::MAX);
        assert_eq!((when.map(|w| w.time), written.as_str()), (Some(1_705_320_000_000), ""));
    }
}
