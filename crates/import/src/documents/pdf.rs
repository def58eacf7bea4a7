//! PDF: its text layer, page by page (ISO 32000). A scan has none and says so; nothing is recognised from
//! pictures.
//!
//! The reader of the pages panics on files that are not as it expects and calls itself for forms within forms,
//! so it gets only what shows text (`shown.rs`), from a copy of the page that is known to end, and no table of
//! letters that has no end (`letters.rs`); it runs in a thread of its own, where a panic or a timeout costs one
//! document.

use super::{
    Document, Left, Taken, letters,
    shown::{Shown, shown},
};
use flate2::read::ZlibDecoder;
use pdf_extract::{
    Dictionary, Document as Pdf, MediaBox, Object, ObjectId, OutputDev, OutputError, Stream, Transform,
    content::{Content, Operation},
};
use std::{
    collections::{HashMap, HashSet},
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// One document may take so long; a book of a thousand pages takes some seconds.
const LONGEST: Duration = Duration::from_secs(60);
const STACK: usize = 64 << 20;
const MOST_PAGES: usize = 5_000;
/// Operations of a page with all forms in it.
const MOST_OPERATIONS: u64 = 5_000_000;
/// Operands and operators of all pages and forms, and bytes of them.
const MOST_TOKENS: usize = 8_000_000;
const MOST_CONTENT: usize = 64 << 20;
/// Characters of a document.
const MOST_TEXT: usize = 64 << 20;
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

type Texts = std::collections::BTreeMap<u32, String>;

/// The text of every page, and the pages that could not be read.
fn texts(pdf: &Pdf, pages: &[(u32, ObjectId)], until: Instant) -> Result<(Texts, Vec<u32>), Left> {
    let mut seen = Page { until, ..Page::new(until) };
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

/// Keeps of every page only what shows text, in a form that the reader of pages can take.
#[derive(Default)]
struct Tidy {
    /// Operations of each form with all in it; none while it is being looked at.
    forms: HashMap<ObjectId, Option<u64>>,
    fonts: HashSet<ObjectId>,
    tokens: usize,
    bytes: usize,
}

impl Tidy {
    fn page(&mut self, pdf: &mut Pdf, id: ObjectId) -> Option<()> {
        let content = pdf.get_page_content(id).ok();
        let page = pdf.get_dictionary(id).ok()?.clone();
        let mut resources = inherited(pdf, &page, b"Resources").and_then(|o| dictionary(pdf, &o)).unwrap_or_default();
        self.fonts(pdf, &mut resources);
        let sides = inherited(pdf, &page, b"MediaBox").and_then(|o| numbers(pdf, &o)).filter(|n| n.len() == 4);
        let sides = sides.unwrap_or_else(|| vec![0.0, 0.0, 612.0, 792.0]);
        let (operations, whole) = content.as_deref().and_then(|c| self.operations(c)).unzip();
        let fine = whole.unwrap_or_default();
        let (kept, _) = self.kept(pdf, operations.unwrap_or_default(), &resources);
        let content = Content { operations: kept }.encode().ok()?;
        let content = pdf.add_object(Stream::new(Dictionary::new(), content));
        let page = pdf.get_object_mut(id).ok()?.as_dict_mut().ok()?;
        page.set("Contents", Object::Reference(content));
        page.set("Resources", Object::Dictionary(resources));
        page.set("MediaBox", Object::Array(sides.into_iter().map(|n| Object::Real(n as f32)).collect()));
        page.remove(b"ArtBox");
        fine.then_some(())
    }

    /// The operations of a content as far as they may show text, and whether these are all; none where it is damaged.
    fn operations(&mut self, content: &[u8]) -> Option<(Vec<Operation>, bool)> {
        let Shown { content, tokens, whole } = shown(content);
        self.tokens += tokens;
        self.bytes += content.len();
        if self.tokens > MOST_TOKENS || self.bytes > MOST_CONTENT {
            return None;
        }
        Some((Content::decode(&content).ok()?.operations, whole))
    }

    /// Fonts without tables of letters that have no end.
    fn fonts(&mut self, pdf: &mut Pdf, resources: &mut Dictionary) {
        let Some(mut fonts) = resources.get(b"Font").ok().and_then(|o| dictionary(pdf, o)) else { return };
        for (_, font) in fonts.iter_mut() {
            let id = font.as_reference().ok();
            if id.is_some_and(|id| !self.fonts.insert(id)) {
                continue;
            }
            let Some(mut own) = dictionary(pdf, font) else { continue };
            let table = own.get(b"ToUnicode").ok().and_then(|o| resolved(pdf, o)?.as_stream().ok());
            let fits = |s: &Stream| letters::fits(s.decompressed_content().as_ref().unwrap_or(&s.content));
            if table.is_none_or(fits) {
                continue;
            }
            own.remove(b"ToUnicode");
            match id.and_then(|id| pdf.get_object_mut(id).ok()) {
                Some(font) => *font = Object::Dictionary(own),
                None => *font = Object::Dictionary(own),
            }
        }
        resources.set("Font", Object::Dictionary(fonts));
    }

    /// The operations that show text, and how many they are with those of the forms in them.
    fn kept(&mut self, pdf: &mut Pdf, operations: Vec<Operation>, resources: &Dictionary) -> (Vec<Operation>, u64) {
        let fonts = resources.get(b"Font").ok().and_then(|o| dictionary(pdf, o)).unwrap_or_default();
        let forms = resources.get(b"XObject").ok().and_then(|o| dictionary(pdf, o)).unwrap_or_default();
        let (mut kept, mut cost) = (Vec::new(), 0u64);
        let (mut has_font, mut above) = (false, Vec::new());
        for Operation { operator, operands } in operations {
            let are_numbers = |n| operands.len() == n && operands.iter().all(is_number);
            let keep = match operator.as_str() {
                "BT" | "ET" | "T*" => true,
                "q" => {
                    above.push(has_font);
                    above.len() < 1_000
                }
                "Q" => {
                    has_font = above.pop().unwrap_or(has_font);
                    true
                }
                "cm" | "Tm" => are_numbers(6),
                "Td" | "TD" => are_numbers(2),
                "TL" | "Tc" | "Tw" | "Tz" | "Ts" => are_numbers(1),
                "Tf" => match operands.as_slice() {
                    [Object::Name(name), size] => {
                        let known = is_number(size) && fonts.get(name).ok().and_then(|o| dictionary(pdf, o)).is_some();
                        has_font |= known;
                        known
                    }
                    _ => false,
                },
                "Tj" => has_font && matches!(operands.as_slice(), [Object::String(..)]),
                "TJ" => has_font && matches!(operands.as_slice(), [Object::Array(_)]),
                "'" | "\"" => {
                    if let (true, Some(text @ Object::String(..))) = (has_font, operands.last()) {
                        kept.push(Operation::new("T*", Vec::new()));
                        kept.push(Operation::new("Tj", vec![text.clone()]));
                    }
                    false
                }
                "Do" => {
                    let name = operands.first().and_then(|o| o.as_name().ok());
                    let form = name.and_then(|n| forms.get(n).ok()).and_then(|o| o.as_reference().ok());
                    let inner = form.and_then(|form| self.form(pdf, form, resources));
                    let fits = inner.is_some_and(|inner| cost + inner < MOST_OPERATIONS);
                    cost += inner.filter(|_| fits).unwrap_or(0);
                    fits
                }
                _ => false,
            };
            if keep {
                cost += 1;
                kept.push(Operation { operator, operands });
            }
        }
        (kept, cost)
    }

    /// Tidies a form once; none for a picture, and for a form that leads back to itself.
    fn form(&mut self, pdf: &mut Pdf, id: ObjectId, around: &Dictionary) -> Option<u64> {
        if let Some(known) = self.forms.get(&id) {
            return *known;
        }
        self.forms.insert(id, None);
        let stream = pdf.get_object(id).ok()?.as_stream().ok()?;
        if stream.dict.get(b"Subtype").ok()?.as_name().ok()? != b"Form" || self.forms.len() > 100_000 {
            return None;
        }
        let mut own = stream.dict.get(b"Resources").ok().and_then(|o| dictionary(pdf, o));
        let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
        let (operations, _) = self.operations(&content)?;
        if let Some(own) = &mut own {
            self.fonts(pdf, own);
        }
        let depth = self.forms.values().filter(|cost| cost.is_none()).count();
        let (kept, cost) = match depth > 60 {
            true => (Vec::new(), 0),
            false => self.kept(pdf, operations, own.as_ref().unwrap_or(around)),
        };
        let content = Content { operations: kept }.encode().ok()?;
        let mut dict = Dictionary::new();
        dict.set("Subtype", Object::Name(b"Form".to_vec()));
        if let Some(own) = own {
            dict.set("Resources", Object::Dictionary(own));
        }
        *pdf.get_object_mut(id).ok()? = Object::Stream(Stream::new(dict, content));
        self.forms.insert(id, Some(cost));
        Some(cost)
    }
}

fn is_number(object: &Object) -> bool {
    matches!(object, Object::Integer(_) | Object::Real(_))
}

fn resolved<'a>(pdf: &'a Pdf, object: &'a Object) -> Option<&'a Object> {
    match object {
        Object::Reference(id) => pdf.get_object(*id).ok(),
        other => Some(other),
    }
}

fn dictionary(pdf: &Pdf, object: &Object) -> Option<Dictionary> {
    resolved(pdf, object)?.as_dict().ok().cloned()
}

fn numbers(pdf: &Pdf, object: &Object) -> Option<Vec<f64>> {
    let number = |o: &Object| match resolved(pdf, o) {
        Some(Object::Integer(n)) => Some(*n as f64),
        Some(Object::Real(n)) => Some(f64::from(*n)),
        _ => None,
    };
    resolved(pdf, object)?.as_array().ok()?.iter().map(number).collect()
}

/// A value of a page or of what it lies in.
fn inherited(pdf: &Pdf, page: &Dictionary, key: &[u8]) -> Option<Object> {
    let mut at = page;
    for _ in 0..64 {
        if let Ok(value) = at.get(key) {
            return Some(value.clone());
        }
        at = pdf.get_dictionary(at.get(b"Parent").ok()?.as_reference().ok()?).ok()?;
    }
    None
}

/// A line of a page, and where it stands.
struct Line {
    text: String,
    y: f64,
    size: f64,
}

/// Gathers characters into lines, and lines into the text of pages.
struct Page {
    until: Instant,
    number: u32,
    texts: Texts,
    lines: Vec<Line>,
    end_x: f64,
    last: (f64, f64, String),
    length: usize,
}

impl Page {
    fn new(until: Instant) -> Self {
        let last = (0.0, 0.0, String::new());
        Self { until, number: 0, texts: Texts::new(), lines: Vec::new(), end_x: 0.0, last, length: 0 }
    }

    fn end(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if !lines.is_empty() {
            self.texts.insert(self.number, paragraphs(&lines));
        }
    }
}

/// Lines that follow each other closely are a paragraph; a word that is divided at its end is joined.
fn paragraphs(lines: &[Line]) -> String {
    let mut steps: Vec<f64> = lines
        .windows(2)
        .filter_map(|w| if let [a, b] = w { Some(a.y - b.y) } else { None })
        .filter(|d| *d > 0.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0.0);
    let mut text = String::new();
    let mut above: Option<&Line> = None;
    for line in lines.iter().filter(|line| !line.text.trim().is_empty()) {
        if let Some(above) = above {
            let down = above.y - line.y;
            let grown = (line.size / above.size.max(0.01)).max(above.size / line.size.max(0.01)) > 1.25;
            let near = down > 0.0 && down <= usual.min(line.size * 2.2) * 1.35 && !grown;
            let begins_small = line.text.starts_with(|c: char| c.is_lowercase());
            let stem = text
                .strip_suffix(['-', '\u{2010}', '\u{ad}'])
                .filter(|stem| stem.ends_with(|c: char| c.is_lowercase()));
            match stem {
                Some(stem) if near && begins_small => text.truncate(stem.len()),
                _ => text.push_str(if near { "\n" } else { "\n\n" }),
            }
        }
        text.push_str(line.text.trim());
        above = Some(line);
    }
    text
}

impl OutputDev for Page {
    fn begin_page(&mut self, number: u32, _: &MediaBox, _: Option<(f64, f64, f64, f64)>) -> Result<(), OutputError> {
        self.end();
        self.number = number;
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        self.end();
        Ok(())
    }

    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        _: f64,
        font_size: f64,
        text: &str,
    ) -> Result<(), OutputError> {
        self.length += text.len();
        if self.length > MOST_TEXT || self.length % 512 < text.len() && Instant::now() > self.until {
            return Err(OutputError::IoError(io::ErrorKind::TimedOut.into()));
        }
        let (x, y) = (place.m31, place.m32);
        let wide = font_size.abs() * place.m11.hypot(place.m12);
        let size = (font_size.abs() * place.m21.hypot(place.m22)).max(0.1);
        let again =
            (x - self.last.0).abs() < wide * 0.05 && (y - self.last.1).abs() < size * 0.05 && text == self.last.2;
        // Bold, made by showing the same letter twice.
        if again && !text.trim().is_empty() {
            return Ok(());
        }
        self.last = (x, y, text.to_owned());
        let end_x = self.end_x;
        self.end_x = x + width * wide;
        match self.lines.last_mut() {
            Some(line) if (line.y - y).abs() <= size.min(line.size) * 0.5 => {
                let apart = x > end_x + wide * 0.15 || x < end_x - wide;
                if apart && !line.text.ends_with(' ') && !text.starts_with(' ') {
                    line.text.push(' ');
                }
                line.text.push_str(text);
                line.size = line.size.max(size);
            }
            _ => self.lines.push(Line { text: text.to_owned(), y, size }),
        }
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
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

    #[test]
    fn lines_are_paragraphs() {
        let line = |text: &str, y: f64| Line { text: text.to_owned(), y, size: 10.0 };
        let lines = [line("An exam-", 700.0), line("ple of text.", 688.0), line("More.", 676.0), line("New.", 640.0)];
        assert_eq!(paragraphs(&lines), "An example of text.\nMore.\n\nNew.");
    }
}
