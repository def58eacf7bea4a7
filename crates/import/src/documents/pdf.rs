//! PDF: its text layer, page by page (ISO 32000). A scan has none and says so; nothing is recognised from
//! pictures.
//!
//! The reader of the pages panics on files that are not as it expects, so it gets pages that were made ready for it
//! (`pdf/tidy.rs`) and runs in a thread of its own, where a panic or a timeout costs one document. How characters become
//! lines is left to `pdf/lines.rs`.

mod lines;
mod tidy;

use super::{Document, Left, Taken};
use flate2::read::ZlibDecoder;
use lines::{Page, Texts};
use pdf_extract::{Document as Pdf, ObjectId};
use std::{
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tidy::{Tidy, dictionary, resolved};

/// One document may take so long; a book of a thousand pages takes some seconds.
const LONGEST: Duration = Duration::from_secs(60);
const STACK: usize = 64 << 20;
const MOST_PAGES: usize = 5_000;
/// Bytes that one stream and all streams may unpack to.
const STREAM: u64 = 64 << 20;
const STREAMS: u64 = 1 << 30;
/// The other way of packing makes at most so many bytes of one.
const LZW: u64 = 1_400;
/// Numbers, names and the like in packed objects, beside two for each byte of the file: each becomes an object.
const MOST_OBJECTS: u64 = 2_000_000;

pub(super) fn take(bytes: Vec<u8>) -> Taken {
    if unpacks_too_far(&bytes) {
        return Err(Left::Failed("the PDF unpacks to far more than it should".to_owned()));
    }
    let (tell, told) = mpsc::channel();
    let started = Instant::now();
    let spawned = thread::Builder::new().name("pdf".to_owned()).stack_size(STACK).spawn(move || {
        let read = catch_unwind(AssertUnwindSafe(|| read(&bytes, started + LONGEST)));
        let _ = tell.send(read.unwrap_or_else(|_| Err(Left::Failed("the PDF is damaged".to_owned()))));
    });
    if let Err(e) = spawned {
        return Err(Left::Failed(format!("the PDF could not be read: {e}")));
    }
    told.recv_timeout(LONGEST + Duration::from_secs(5)).unwrap_or_else(|_| Err(too_slow()))
}

fn too_slow() -> Left {
    Left::Failed(format!("the PDF took longer than {} seconds", LONGEST.as_secs()))
}

/// Looks into every packed stream that is no picture.
fn unpacks_too_far(bytes: &[u8]) -> bool {
    let (mut all, mut objects) = (0, 0);
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| position(rest, b"stream")) {
        let start = at + found;
        at = start + 6;
        let before = bytes.get(start.saturating_sub(600)..start).unwrap_or_default();
        let dictionary = before.get(rposition(before, b" obj").unwrap_or(0)..).unwrap_or_default();
        let times = |name: &[u8]| dictionary.windows(name.len()).filter(|w| *w == name).count();
        let layers = times(b"FlateDecode") + times(b"LZWDecode");
        if before.ends_with(b"end") || layers == 0 || position(dictionary, b"/Image").is_some() {
            continue;
        }
        if layers > 1 {
            return true;
        }
        let data = bytes.get(at..).unwrap_or_default();
        let data = data.strip_prefix(b"\r\n").or_else(|| data.strip_prefix(b"\n")).unwrap_or(data);
        let unpacked = if times(b"LZWDecode") > 0 {
            let length = position(data, b"endstream").unwrap_or(data.len()) as u64;
            Counter { bytes: length * LZW, words: length }
        } else {
            Counter::of(ZlibDecoder::new(data).take(STREAM + 1))
        };
        all += unpacked.bytes;
        objects += if times(b"ObjStm") > 0 { unpacked.words } else { 0 };
        let far = unpacked.bytes > STREAM && times(b"LZWDecode") == 0 || all > STREAMS;
        if far || objects > MOST_OBJECTS + 2 * bytes.len() as u64 {
            return true;
        }
    }
    false
}

/// Counts bytes, and words between blanks.
#[derive(Default)]
struct Counter {
    bytes: u64,
    words: u64,
}

impl Counter {
    /// What can be read; what is damaged ends it.
    fn of(mut packed: impl Read) -> Self {
        let mut counter = Self::default();
        let _ = io::copy(&mut packed, &mut counter);
        counter
    }
}

impl io::Write for Counter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.bytes += buf.len() as u64;
        self.words +=
            buf.iter().filter(|b| matches!(b, b' ' | b'\n' | b'\r' | b'/' | b'[' | b'<' | b'(')).count() as u64;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn position(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|w| w == word)
}

fn rposition(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).rposition(|w| w == word)
}

fn read(bytes: &[u8], until: Instant) -> Taken {
    let mut pdf = Pdf::load_mem(bytes).map_err(|e| match e.to_string() {
        reason if reason.contains("password") || reason.contains("ecrypt") => locked(),
        reason => Left::Failed(format!("the PDF is damaged: {reason}")),
    })?;
    if pdf.is_encrypted() && pdf.decrypt("").is_err() {
        return Err(locked());
    }
    let pages: Vec<(u32, ObjectId)> = pdf.get_pages().into_iter().take(MOST_PAGES).collect();
    if pages.is_empty() {
        return Err(Left::Failed("the PDF is damaged: no page of it can be found".to_owned()));
    }
    let mut tidy = Tidy::default();
    let mut lost: Vec<u32> = Vec::new();
    for (number, page) in &pages {
        if catch_unwind(AssertUnwindSafe(|| tidy.page(&mut pdf, *page))).ok().flatten().is_none() {
            lost.push(*number);
        }
        if Instant::now() > until {
            return Err(too_slow());
        }
    }
    let (texts, unread) = texts(&pdf, &pages, until)?;
    lost.extend(unread);
    lost.retain(|n| texts.get(n).is_none_or(|text| text.trim().is_empty()));
    lost.sort_unstable();
    lost.dedup();
    let text = texts.values().map(String::as_str).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n\n");
    let mut document = Document { whole: lost.is_empty(), text: plain(&text), ..Document::default() };
    if document.text.is_empty() {
        let reason = "PDF without text: a scan, or pictures only";
        return Err(if lost.is_empty() {
            Left::Skipped(reason.into())
        } else {
            Left::Failed("the PDF is damaged: no page of it can be read".to_owned())
        });
    }
    if is_garbled(&document.text) {
        return Err(Left::Skipped("PDF whose fonts do not say which letters they show".into()));
    }
    about(&pdf, &mut document);
    Ok(document)
}

fn locked() -> Left {
    Left::Skipped("PDF protected by a password".into())
}

/// The text of every page, and the pages that could not be read.
fn texts(pdf: &Pdf, pages: &[(u32, ObjectId)], until: Instant) -> Result<(Texts, Vec<u32>), Left> {
    let mut seen = Page::new(until);
    let all = catch_unwind(AssertUnwindSafe(|| pdf_extract::output_doc(pdf, &mut seen)));
    seen.end();
    let mut unread = Vec::new();
    if !matches!(all, Ok(Ok(()))) {
        // The page at which it stopped, and what follows, one by one.
        let from = seen.number;
        for (number, _) in pages.iter().filter(|(n, _)| *n >= from) {
            if Instant::now() > until {
                return Err(too_slow());
            }
            let mut one = Page::new(until);
            let read = catch_unwind(AssertUnwindSafe(|| pdf_extract::output_doc_page(pdf, &mut one, *number)));
            one.end();
            let text = one.texts.remove(number).unwrap_or_default();
            if matches!(read, Ok(Ok(()))) {
                seen.texts.insert(*number, text);
                continue;
            }
            let other = catch_unwind(AssertUnwindSafe(|| pdf.extract_text(&[*number])))
                .ok()
                .and_then(Result::ok)
                .unwrap_or_default();
            let best = if other.trim().len() > text.trim().len() { other } else { text };
            seen.texts.insert(*number, best);
            unread.push(*number);
        }
    }
    Ok((seen.texts, unread))
}

/// Ligatures as the letters they are; no control characters.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ﬀ' => out.push_str("ff"),
            'ﬁ' => out.push_str("fi"),
            'ﬂ' => out.push_str("fl"),
            'ﬃ' => out.push_str("ffi"),
            'ﬄ' => out.push_str("ffl"),
            'ﬅ' | 'ﬆ' => out.push_str("st"),
            '\u{ad}' => {}
            '\t' => out.push(' '),
            '\n' => out.push('\n'),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    let lines: Vec<String> = out.lines().map(super::blocks::in_a_line).collect();
    lines.join("\n").trim().to_owned()
}

/// Fonts without a table of their letters give private or replaced characters.
fn is_garbled(text: &str) -> bool {
    let all = text.chars().filter(|c| !c.is_whitespace()).count();
    let bad = text.chars().filter(|c| matches!(c, '\u{fffd}' | '\u{e000}'..='\u{f8ff}')).count();
    bad * 3 > all
}

/// Title, author and times, as the document says them of itself.
fn about(pdf: &Pdf, document: &mut Document) {
    let info = pdf.trailer.get(b"Info").ok().and_then(|o| dictionary(pdf, o)).unwrap_or_default();
    let said = |key: &[u8]| {
        let bytes = resolved(pdf, info.get(key).ok()?)?.as_str().ok()?;
        Some(words(bytes)).filter(|text| !text.is_empty())
    };
    document.title = said(b"Title").filter(|title| !title.contains(".doc") && title != "untitled");
    document.author = said(b"Author");
    document.created = said(b"CreationDate").and_then(|text| date(&text));
    document.updated = said(b"ModDate").and_then(|text| date(&text));
}

/// A text string: UTF-16 or UTF-8 with a mark, else nearly Latin-1.
fn words(bytes: &[u8]) -> String {
    let text = match bytes {
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        [0xff, 0xfe, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|b| char::from(*b)).collect(),
    };
    let seen: String = text.chars().filter(|c| !c.is_control()).collect();
    seen.trim().to_owned()
}

/// `D:20240131103000+01'00'` as ISO 8601.
fn date(text: &str) -> Option<String> {
    let text = text.strip_prefix("D:").unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count().min(14);
    let (clock, zone) = text.split_at(digits);
    let part = |from: usize, otherwise: &'static str| clock.get(from..from + 2).unwrap_or(otherwise).to_owned();
    let year = clock.get(..4)?;
    let zone = zone.replace('\'', "");
    let zone = match zone.as_bytes().first() {
        Some(b'Z') => "Z".to_owned(),
        Some(b'+' | b'-') => format!("{}:{}", zone.get(..3)?, zone.get(3..5).unwrap_or("00")),
        _ => String::new(),
    };
    let (month, day) = (part(4, "01"), part(6, "01"));
    Some(format!("{year}-{month}-{day}T{}:{}:{}{zone}", part(8, "00"), part(10, "00"), part(12, "00")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_letters() {
        for (written, iso) in [
            ("D:20240131103005+01'00'", Some("2024-01-31T10:30:05+01:00")),
            ("D:20240131103005Z", Some("2024-01-31T10:30:05Z")),
            ("D:2024", Some("2024-01-01T00:00:00")),
            ("20240131", Some("2024-01-31T00:00:00")),
            ("x", None),
        ] {
            assert_eq!(date(written).as_deref(), iso, "{written}");
        }
        assert_eq!(plain("ﬁne  of\u{ad}fice\u{1}"), "fine office");
        assert_eq!(words(b"\xfe\xff\0A\0b"), "Ab");
    }
}
