//! The text of a mail's parts: charsets that lie, format=flowed, HTML, mails within mails, what is locked.

use super::{
    charset::{in_charset, of_html},
    header::decoded,
    quote,
};
use crate::documents;
use evoke_message::Attachment;
use mail_parser::{
    Encoding as Transfer, Message, MessagePart, MimeHeaders, PartType,
    decoders::{base64::base64_decode, html::html_to_text, quoted_printable::quoted_printable_decode},
};

/// Mails within mails are read to this depth.
const DEEPEST: usize = 3;

/// What a mail holds.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Markdown, without its subject.
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
    /// What may be a document of them: which attachment it is, and its bytes.
    pub(super) documents: Vec<(usize, Vec<u8>)>,
}

impl Body {
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.attachments.is_empty()
    }
}

/// `known`: the mail that it answers is in this import.
pub(super) fn read(mail: &Message, known: bool) -> Body {
    let mut text = quote::fold(&own_text(mail), known);
    if text.is_empty() && is_locked(mail) {
        text = "*The text of this mail is encrypted.*".to_owned();
    }
    let report = mail.root_part().is_content_type("multipart", "report");
    let inner: Vec<String> = if report { Vec::new() } else { mails_within(mail, 1) };
    let all = std::iter::once(text).chain(inner).filter(|t| !t.is_empty());
    let (attachments, documents) = attachments(mail);
    Body { text: all.collect::<Vec<_>>().join("\n\n"), attachments, documents }
}

/// Plain text, or HTML where there is no plain text.
fn own_text(mail: &Message) -> String {
    let of = |ids: &[u32]| {
        let parts = ids.iter().filter_map(|id| mail.parts.get(*id as usize));
        let texts = parts.filter_map(|part| part_text(mail, part)).filter(|t| !t.trim().is_empty());
        texts.collect::<Vec<_>>().join("\n\n")
    };
    let plain = of(&mail.text_body);
    let text = if plain.trim().is_empty() { of(&mail.html_body) } else { plain };
    let text = if text.trim().is_empty() { of(&unnamed_texts(mail)) } else { text };
    without_armour(&text)
}

/// Texts without a name that the parser takes for attachments, as in a mail whose parts have lost their borders.
fn unnamed_texts(mail: &Message) -> Vec<u32> {
    let is_text = |id: &u32| {
        mail.parts.get(*id as usize).is_some_and(|part| {
            matches!(part.body, PartType::Text(_) | PartType::Html(_))
                && part.attachment_name().is_none()
                && !is_data(part)
        })
    };
    mail.attachments.iter().copied().filter(is_text).collect()
}

/// Text for programs.
fn is_data(part: &MessagePart) -> bool {
    part.is_content_type("text", "calendar")
        || part.is_content_type("text", "rfc822-headers")
        || part.is_content_type("message", "delivery-status")
}

fn part_text(mail: &Message, part: &MessagePart) -> Option<String> {
    let html = match &part.body {
        PartType::Html(_) => true,
        PartType::Text(_) => false,
        _ => return None,
    };
    let text = decoded_part(mail, part);
    let start = text.trim_start().get(..14).unwrap_or_default().to_ascii_lowercase();
    if html || start.starts_with("<html") || start.starts_with("<!doctype html") {
        return Some(markdown(&text));
    }
    let attribute = |name: &str| part.content_type().and_then(|c| c.attribute(name)).unwrap_or_default();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if attribute("format").eq_ignore_ascii_case("flowed") {
        return Some(unflowed(&text, attribute("delsp").eq_ignore_ascii_case("yes")));
    }
    Some(text)
}

/// The text in the charset that it is really in.
fn decoded_part(mail: &Message, part: &MessagePart) -> String {
    let otherwise = || part.text_contents().unwrap_or_default().to_owned();
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    let Some(raw) = mail.raw_message.get(range).filter(|_| !part.is_encoding_problem) else { return otherwise() };
    let decoded = match part.encoding {
        Transfer::Base64 => base64_decode(raw),
        Transfer::QuotedPrintable => quoted_printable_decode(raw),
        Transfer::None => Some(raw.to_vec()),
    };
    let Some(bytes) = decoded else { return otherwise() };
    let declared = part.content_type().and_then(|c| c.attribute("charset")).map(str::to_owned);
    let declared = declared.or_else(|| matches!(part.body, PartType::Html(_)).then(|| of_html(&bytes)).flatten());
    in_charset(&bytes, declared.as_deref()).replace('\0', "")
}

/// HTML as Markdown; what is nested beyond any mail loses its form, not its words.
fn markdown(html: &str) -> String {
    if deepest(html) > 500 {
        return html_to_text(html);
    }
    crate::html::markdown(html)
}

/// How deep elements stand in each other, roughly.
fn deepest(html: &str) -> usize {
    let (mut depth, mut most) = (0usize, 0usize);
    for tag in html.split('<').skip(1) {
        match tag.as_bytes().first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b) if b.is_ascii_alphabetic() && !is_single(tag) => {
                depth += 1;
                most = most.max(depth);
            }
            _ => {}
        }
    }
    most
}

/// Elements that are never closed.
fn is_single(tag: &str) -> bool {
    let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let closed = tag.split('>').next().is_some_and(|t| t.ends_with('/'));
    closed
        || ["br", "img", "hr", "meta", "link", "input", "p", "li", "td", "tr", "th", "o", "col", "base", "wbr", "area"]
            .contains(&name.as_str())
}

/// Joins lines that were broken for sending only (RFC 3676).
fn unflowed(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|b| *b == b'>').count();
        let rest = line.get(depth..).unwrap_or_default();
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        if open == Some(depth) && rest != "-- " {
            if delete_space {
                out.pop();
            }
        } else {
            if open.is_some() || !out.is_empty() {
                out.push('\n');
            }
            if depth > 0 {
                out.push_str(&format!("{} ", ">".repeat(depth)));
            }
        }
        out.push_str(rest);
        open = (rest.ends_with(' ') && rest != "-- ").then_some(depth);
    }
    out
}

/// Text signed with PGP loses its armour; text that is locked is said to be.
fn without_armour(text: &str) -> String {
    let mut text = text.to_owned();
    for kind in ["MESSAGE", "PUBLIC KEY BLOCK"] {
        let (begin, end) = (format!("-----BEGIN PGP {kind}-----"), format!("-----END PGP {kind}-----"));
        if let Some((before, (_, after))) =
            text.split_once(&begin).and_then(|(b, rest)| Some((b, rest.split_once(&end)?)))
        {
            let said = if kind == "MESSAGE" { "*This part of the mail is encrypted.*" } else { "" };
            text = format!("{before}{said}{after}");
        }
    }
    if let Some((before, rest)) = text.split_once("-----BEGIN PGP SIGNED MESSAGE-----")
        && let Some((signed, rest)) = rest.split_once("-----BEGIN PGP SIGNATURE-----")
    {
        let after = rest.split_once("-----END PGP SIGNATURE-----").map_or("", |(_, after)| after);
        let signed = signed.split_once("\n\n").map_or(signed, |(_, words)| words);
        text = format!("{before}{}{after}", signed.replace("\n- ", "\n"));
    }
    text
}

fn is_locked(mail: &Message) -> bool {
    let root = mail.root_part();
    let any = |subtype: &str| mail.parts.iter().any(|p| p.is_content_type("application", subtype));
    root.is_content_type("multipart", "encrypted") || any("pkcs7-mime") || any("x-pkcs7-mime") || any("pgp-encrypted")
}

/// Mails that were attached, as quotes.
fn mails_within(mail: &Message, depth: usize) -> Vec<String> {
    let inner = mail.parts.iter().filter_map(|part| match &part.body {
        PartType::Message(inner) => Some(inner),
        _ => None,
    });
    inner
        .filter_map(|inner| {
            let from = inner.from().and_then(|a| a.first()).and_then(|a| a.name.as_deref().or(a.address.as_deref()));
            let date = inner.header_raw("Date").map(str::trim);
            let head: Vec<&str> =
                [inner.subject(), from, date].into_iter().flatten().filter(|t| !t.trim().is_empty()).collect();
            let further = if depth < DEEPEST { mails_within(inner, depth + 1) } else { Vec::new() };
            let text = std::iter::once(quote::fold(&own_text(inner), false)).chain(further).filter(|t| !t.is_empty());
            let text = text.collect::<Vec<_>>().join("\n\n");
            let whole = format!("**{}**\n\n{text}", head.join(" · "));
            let quoted = whole.lines().map(|l| format!("> {l}").trim_end().to_owned()).collect::<Vec<_>>().join("\n");
            (!head.is_empty() || !text.is_empty()).then_some(quoted)
        })
        .collect()
}

/// Files in the mail, with their type and size, and the bytes of documents; signatures by machines left out.
fn attachments(mail: &Message) -> (Vec<Attachment>, Vec<(usize, Vec<u8>)>) {
    let parts = mail.attachments.iter().filter_map(|id| mail.parts.get(*id as usize));
    let mut documents = Vec::new();
    let mut count = 0;
    let attachments = parts
        .filter_map(|part| {
            let mime = part
                .content_type()
                .map(|c| format!("{}/{}", c.ctype(), c.subtype().unwrap_or("octet-stream")).to_ascii_lowercase());
            let kind = mime.as_deref().unwrap_or_default();
            if kind.ends_with("-signature")
                || matches!(kind, "application/pgp-encrypted" | "text/rfc822-headers" | "message/delivery-status")
            {
                return None;
            }
            let name = match &part.body {
                PartType::Message(inner) => {
                    part.attachment_name().map(decoded).or_else(|| inner.subject().map(|s| format!("{s}.eml")))
                }
                _ => part.attachment_name().map(decoded),
            };
            // Another form of the text, such as text/enriched.
            if name.is_none()
                && !is_data(part)
                && (kind.starts_with("text/") || matches!(part.body, PartType::Text(_) | PartType::Html(_)))
            {
                return None;
            }
            let name = name.filter(|n| !n.trim().is_empty()).unwrap_or_else(|| format!("unnamed.{}", ending(kind)));
            let bytes = match &part.body {
                PartType::Message(_) => u64::from(part.raw_end_offset().saturating_sub(part.raw_body_offset())),
                _ => part.contents().len() as u64,
            };
            let mime = mime.filter(|m| m != "application/octet-stream").or_else(|| crate::mime::of_name(&name));
            if !matches!(part.body, PartType::Message(_)) && documents::may_be_document(&name) {
                documents.push((count, part.contents().to_vec()));
            }
            count += 1;
            Some(Attachment { name, mime, path: None, missing: Some(format!("inside the mail, {}", size(bytes))) })
        })
        .collect();
    (attachments, documents)
}

fn ending(mime: &str) -> &str {
    match mime {
        "image/jpeg" => "jpg",
        "message/rfc822" => "eml",
        "text/calendar" => "ics",
        "application/octet-stream" | "" => "bin",
        other => other.rsplit(['/', '+', '.']).next().map_or("bin", |end| end.trim_start_matches("x-")),
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0 | 2..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_are_joined() {
        assert_eq!(unflowed("a \nb\n\n> c \n> d\n>> e\n-- \nAna", false), "a b\n\n> c d\n>> e\n-- \nAna");
        assert_eq!(unflowed("日 \n本\n from", true), "日本\nfrom");
    }

    #[test]
    fn armour_falls() {
        let signed = "a\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\nwords\n- -- x\n-----BEGIN PGP SIGNATURE-----\nabc\n-----END PGP SIGNATURE-----\n";
        assert_eq!(without_armour(signed), "a\nwords\n-- x\n\n");
        assert_eq!(
            without_armour("-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----"),
            "*This part of the mail is encrypted.*"
        );
    }
}
