//! What a message says after its head: text, files, and what WhatsApp wrote itself.
//!
//! Signs that do not depend on the language come first: U+200E before what the app wrote, `<…>`
//! around it, names of files that are in the export or look like WhatsApp's. Phrases are in `phrases.rs`.

use super::{phrases, scan::is_mark};
use evoke_message::{Attachment, Part, normalise};
use std::collections::HashMap;

/// iOS puts it before everything that it adds to a chat itself.
pub(super) const LEFT_TO_RIGHT: char = '\u{200e}';

const NOT_EXPORTED: &str = "not in this export";

/// Longest name, in characters. WhatsApp allows 100 for a group and 25 for a person.
const LONGEST_NAME: usize = 100;

/// Paths of the files next to the chat, by name.
pub(super) type Files<'a> = HashMap<&'a str, &'a str>;

#[derive(Debug, PartialEq)]
pub(super) struct Body {
    pub(super) part: Part,
    /// Without WhatsApp's marks for files and edits.
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
    pub(super) edited: bool,
}

/// Name and text of `Name: text`; none where no name stands before a colon and a space.
pub(super) fn split_sender(rest: &str) -> Option<(String, &str)> {
    let (name, text) = rest.match_indices(':').find_map(|(at, _)| {
        let after = rest.get(at + 1..)?;
        let bare = after.trim_start_matches(is_mark);
        let text = bare.strip_prefix([' ', '\u{a0}']).or_else(|| matches!(bare, "" | ".").then_some(bare))?;
        Some((rest.get(..at)?, text))
    })?;
    let name = normalise(name);
    let name = name.trim().trim_start_matches('~').trim();
    (!name.is_empty() && name.chars().count() <= LONGEST_NAME).then(|| (name.to_owned(), text))
}

/// Reads what stands after `Name: `. `ios`: the head was in brackets.
pub(super) fn read(raw: &str, ios: bool, files: &Files<'_>) -> Body {
    let by_whatsapp = ios && raw.starts_with(LEFT_TO_RIGHT);
    let (text, edited) = without_edit_mark(raw);
    let (text, attachments) = take_files(text, files);
    let plain = phrases::plain(&text);
    let part = if phrases::is_deleted(&plain) {
        Part::Deleted
    } else if attachments.is_empty() && phrases::is_call(&plain, by_whatsapp) {
        Part::Call
    } else if by_whatsapp && attachments.is_empty() && !edited && is_one_notice(&text) {
        Part::Service
    } else {
        Part::Text
    };
    Body { part, text, attachments, edited }
}

/// Reads a line that nobody sent.
pub(super) fn read_notice(raw: &str) -> Body {
    let text = clean(raw);
    let part = if phrases::is_call(&phrases::plain(&text), true) { Part::Call } else { Part::Service };
    Body { part, text, attachments: Vec::new(), edited: false }
}

/// Polls have several lines, places a link: those are messages.
fn is_one_notice(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n') && !text.contains("https://")
}

/// Cuts ` <This message was edited>` from the end.
fn without_edit_mark(raw: &str) -> (&str, bool) {
    let Some((before, mark)) = angle_at_end(raw) else { return (raw, false) };
    let sign = before.ends_with(LEFT_TO_RIGHT) && !before.trim_matches(is_mark).trim().is_empty();
    let plain = phrases::plain(mark);
    let names_a_file = mark.contains(": ") || phrases::is_media_omitted(&plain);
    match phrases::is_edited(&plain) || (sign && !names_a_file) {
        true => (before, true),
        false => (raw, false),
    }
}

/// `before` and `inside` of `before<inside>`.
fn angle_at_end(text: &str) -> Option<(&str, &str)> {
    let (before, inside) = text.trim_end().strip_suffix('>')?.rsplit_once('<')?;
    (!inside.contains('\n')).then_some((before, inside))
}

/// Takes what stands for files out of a text, line by line.
fn take_files(text: &str, files: &Files<'_>) -> (String, Vec<Attachment>) {
    let mut found = Vec::new();
    let mut kept = Vec::new();
    for (i, line) in text.split('\n').enumerate() {
        match file_in(line, i == 0, files) {
            Some((rest, attachment)) => {
                found.push(attachment);
                kept.extend((!rest.is_empty()).then_some(rest));
            }
            None => kept.push(clean(line)),
        }
    }
    let mut kept = kept.join("\n");
    if found.is_empty() {
        let (left_out, keep) = left_out(&kept);
        found.extend(left_out);
        kept.truncate(if keep { kept.len() } else { 0 });
    }
    (kept.trim_end().to_owned(), found)
}

/// A file that a line names, with the rest of the line.
fn file_in(line: &str, first: bool, files: &Files<'_>) -> Option<(String, Attachment)> {
    let signed = |before: &str| before.ends_with(LEFT_TO_RIGHT);
    if let Some((before, inside)) = angle_at_end(line)
        && let Some((label, name)) = inside.rsplit_once(": ")
        && names_file(name, label, signed(before), files)
    {
        return Some((clean(before), attached(name, files)));
    }
    if first
        && let Some((name, label)) = line.trim_end().strip_suffix(')').and_then(|l| l.rsplit_once(" ("))
        && names_file(name, label, name.starts_with(LEFT_TO_RIGHT), files)
    {
        return Some((String::new(), attached(name, files)));
    }
    let (before, last) = line.rsplit_once(LEFT_TO_RIGHT)?;
    let kind = phrases::omitted_kind(&phrases::plain(last))?;
    Some((clean(before), missing(&kind)))
}

/// A whole text that stands for a file left out, and whether it must be kept because that is a guess.
fn left_out(text: &str) -> (Option<Attachment>, bool) {
    const KINDS: [&str; 9] =
        ["image", "video", "audio", "sticker", "gif", "document", "contact card", "video note", "view once message"];
    let plain = phrases::plain(text);
    if let Some(inside) = plain.strip_prefix('<').and_then(|p| p.strip_suffix('>')) {
        if let Some(kind) = phrases::omitted_kind(inside).filter(|_| !phrases::is_media_omitted(inside)) {
            return (Some(missing(&kind)), false);
        }
        let is_phrase =
            inside.chars().any(|c| c == ' ' || !c.is_ascii()) && !inside.contains(['<', '>', '\n', '/', '=']);
        let known = phrases::is_media_omitted(inside);
        return ((known || is_phrase).then(|| missing("media")), !known);
    }
    let kind = phrases::omitted_kind(&plain).filter(|kind| KINDS.contains(&kind.as_str()));
    let known = kind.is_some();
    (kind.map(|kind| missing(&kind)), !known)
}

fn names_file(name: &str, label: &str, signed: bool, files: &Files<'_>) -> bool {
    let name = bare(name);
    let looks_so = name.rsplit_once('.').is_some_and(|(stem, end)| {
        !stem.is_empty() && (1..=5).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric())
    });
    looks_so
        && !name.contains(['/', '\\', '<', '>'])
        && (signed || files.contains_key(name) || is_media_name(name) || phrases::is_attached(&phrases::plain(label)))
}

/// `IMG-20210428-WA0001.jpg` (Android), `00000042-PHOTO-2020-06-07-15-13-20.jpg` (iOS)
fn is_media_name(name: &str) -> bool {
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    match name.splitn(4, '-').collect::<Vec<_>>().as_slice() {
        ["IMG" | "VID" | "PTT" | "AUD" | "STK" | "DOC", day, number] => digits(day, 8) && number.starts_with("WA"),
        [number, kind, year, _] => {
            digits(number, 8) && digits(year, 4) && kind.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
        }
        _ => false,
    }
}

fn attached(name: &str, files: &Files<'_>) -> Attachment {
    let name = bare(name).to_owned();
    let path = files.get(name.as_str()).map(|path| (*path).to_owned());
    let missing = path.is_none().then(|| NOT_EXPORTED.to_owned());
    Attachment { name, mime: None, path, missing }
}

/// `kind` in words: all that the export says of it.
fn missing(kind: &str) -> Attachment {
    Attachment { name: kind.to_owned(), mime: None, path: None, missing: Some(NOT_EXPORTED.to_owned()) }
}

fn bare(name: &str) -> &str {
    name.trim_matches(|c: char| is_mark(c) || c.is_whitespace())
}

/// Without U+200E, which only WhatsApp puts into a chat.
fn clean(text: &str) -> String {
    text.replace(LEFT_TO_RIGHT, "").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: part, text, names of files with `+` where they are in the export.
    fn check(raw: &str, ios: bool, expected: (Part, &str, &[&str])) {
        let files = Files::from([("photo.jpg", "chat/photo.jpg"), ("Anhang.pdf", "chat/Anhang.pdf")]);
        let body = read(raw, ios, &files);
        let names = body.attachments.iter().map(|a| format!("{}{}", if a.path.is_some() { "+" } else { "" }, a.name));
        assert_eq!(
            (body.part, body.text.as_str(), names.collect::<Vec<_>>()),
            (expected.0, expected.1, expected.2.iter().map(|s| (*s).to_owned()).collect()),
            "{raw:?}"
        );
    }

    #[test]
    fn files_on_ios() {
        check("\u{200e}<attached: photo.jpg>", true, (Part::Text, "", &["+photo.jpg"]));
        check(
            "\u{200e}<Anhang: 00000042-PHOTO-2020-06-07-15-13-20.jpg>",
            true,
            (Part::Text, "", &["00000042-PHOTO-2020-06-07-15-13-20.jpg"]),
        );
        check(
            "A PDF.pdf • \u{200e}1 page \u{200e}<attached: x.pdf>",
            true,
            (Part::Text, "A PDF.pdf • 1 page", &["x.pdf"]),
        );
        check("<attached: IMG_1234.jpg>", true, (Part::Text, "", &["IMG_1234.jpg"]));
        check("\u{200e}image omitted", true, (Part::Text, "", &["image"]));
        check("\u{200e}Bild weggelassen", true, (Part::Text, "", &["bild"]));
        check(
            "r.pdf • \u{200e}12 pages \u{200e}document omitted",
            true,
            (Part::Text, "r.pdf • 12 pages", &["document"]),
        );
        check("image omitted", true, (Part::Text, "", &["image"]));
        check("look:\n\u{200e}<attached: photo.jpg>", true, (Part::Text, "look:", &["+photo.jpg"]));
    }

    #[test]
    fn files_on_android() {
        check("photo.jpg (file attached)", false, (Part::Text, "", &["+photo.jpg"]));
        check(
            "IMG-20210428-WA0001.jpg (неизвестно)\nat the sea",
            false,
            (Part::Text, "at the sea", &["IMG-20210428-WA0001.jpg"]),
        );
        check("Anhang.pdf (irgendein Wort)", false, (Part::Text, "", &["+Anhang.pdf"]));
        check("Vertrag 2024.docx (Datei angehängt)", false, (Part::Text, "", &["Vertrag 2024.docx"]));
        check("<Media omitted>", false, (Part::Text, "", &["media"]));
        check("<Médias omis>", false, (Part::Text, "", &["media"]));
        check("<Video note omitted>", false, (Part::Text, "", &["video note"]));
        check("<View once voice message omitted>", false, (Part::Text, "", &["view once voice message"]));
        check("<xyz abcd>", false, (Part::Text, "<xyz abcd>", &["media"]));
        check("see main.rs (the new one)", false, (Part::Text, "see main.rs (the new one)", &[]));
        check("a <b> and </b>", false, (Part::Text, "a <b> and </b>", &[]));
        check("<br>", false, (Part::Text, "<br>", &[]));
    }

    #[test]
    fn what_whatsapp_wrote() {
        check("This message was deleted", false, (Part::Deleted, "This message was deleted", &[]));
        check("\u{200e}You deleted this message.", true, (Part::Deleted, "You deleted this message.", &[]));
        check(
            "\u{200e}Messages and calls are end-to-end encrypted. Nobody else can read them.",
            true,
            (Part::Service, "Messages and calls are end-to-end encrypted. Nobody else can read them.", &[]),
        );
        check("\u{200e}Missed voice call", true, (Part::Call, "Missed voice call", &[]));
        check("\u{200e}Video call, \u{200e}5 min", true, (Part::Call, "Video call, 5 min", &[]));
        check("Video call, tonight?", false, (Part::Text, "Video call, tonight?", &[]));
        check(
            "\u{200e}POLL:\nPizza?\n\u{200e}OPTION: Yes (\u{200e}1 vote)",
            true,
            (Part::Text, "POLL:\nPizza?\nOPTION: Yes (1 vote)", &[]),
        );
        check(
            "\u{200e}Location: https://maps.google.com/?q=1,2",
            true,
            (Part::Text, "Location: https://maps.google.com/?q=1,2", &[]),
        );
        check("", true, (Part::Text, "", &[]));
    }

    #[test]
    fn edits() {
        for raw in ["yes \u{200e}<This message was edited>", "yes <This message was edited>", "yes \u{200e}<irgendwas>"]
        {
            let body = read(raw, true, &Files::new());
            assert_eq!((body.text.as_str(), body.edited), ("yes", true), "{raw}");
        }
        assert!(!read("use Vec<u8>", false, &Files::new()).edited);
    }

    #[test]
    fn senders() {
        for (rest, expected) in [
            ("Ana: hi", Some(("Ana", "hi"))),
            ("John-John Doe: Lorem : dolor", Some(("John-John Doe", "Lorem : dolor"))),
            ("~\u{202f}Ana: \u{200e}hi", Some(("Ana", "\u{200e}hi"))),
            ("\u{202a}+12 345 578\u{202c}: hi", Some(("+12 345 578", "hi"))),
            ("🤓: x", Some(("🤓", "x"))),
            ("Ana: ", Some(("Ana", ""))),
            ("Ana:", Some(("Ana", ""))),
            ("Ana:.", Some(("Ana", "."))),
            ("see https://x.y", None),
            (": x", None),
            ("You were added", None),
        ] {
            assert_eq!(split_sender(rest), expected.map(|(name, text)| (name.to_owned(), text)), "{rest:?}");
        }
        assert_eq!(split_sender(&format!("{}: x", "n".repeat(101))), None);
    }
}
