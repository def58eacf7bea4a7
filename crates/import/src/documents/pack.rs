//! Documents that are zips of XML: their parts read within limits, and walked element by element.

use super::Left;
use crate::{archive::Window, xml};
use quick_xml::events::Event;
use std::io::Read;
use zip::{ZipArchive, result::ZipError};

/// Longest part that is read, unpacked.
const PART: u64 = 64 << 20;
/// All parts of a document together.
const ALL: u64 = 256 << 20;
/// Elements in elements; a deeper part is not read further.
const DEEPEST: usize = 4_000;

pub(super) struct Pack {
    zip: ZipArchive<Window>,
    left: u64,
}

impl Pack {
    pub(super) fn open(window: Window) -> Result<Self, Left> {
        let zip = ZipArchive::new(window).map_err(|e| Left::Failed(format!("the document is damaged: {e}")))?;
        Ok(Self { zip, left: ALL })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// Names of parts that begin and end so, in the order of the numbers in them.
    pub(super) fn names(&self, begin: &str, end: &str) -> Vec<String> {
        let fits = |name: &&str| name.starts_with(begin) && name.ends_with(end);
        let mut names: Vec<String> = self.zip.file_names().filter_map(Result::ok).map(|n| n.to_string()).collect();
        names.retain(|name| fits(&name.as_str()));
        names.sort_by_key(|name| {
            (name.chars().filter(char::is_ascii_digit).collect::<String>().parse::<u64>().ok(), name.clone())
        });
        names
    }

    /// A part as text; none where the document has no such part.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<String>, Left> {
        let damaged = |reason: String| Left::Failed(format!("a part of the document ({name}) is damaged: {reason}"));
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                return Err(Left::Skipped("document protected by a password".into()));
            }
            Err(e) => return Err(damaged(e.to_string())),
        };
        let most = PART.min(self.left);
        let mut bytes = Vec::new();
        let read = file.take(most + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > most {
            return Err(Left::Failed("the document unpacks to far more than it should".to_owned()));
        }
        self.left -= bytes.len() as u64;
        match read {
            Err(e) if bytes.is_empty() => Err(damaged(e.to_string())),
            // What came before the damage is kept: the walk ends where the text does.
            _ => Ok(Some(super::text::decoded(&bytes).0)),
        }
    }
}

/// A step of a walk through XML. Names are without their prefix.
pub(super) enum Step<'a> {
    Start(&'a str, Vec<(String, String)>),
    End(&'a str),
    Text(&'a str),
}

/// The value of an attribute, by its name without prefix.
pub(super) fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(key, _)| key.rsplit(':').next() == Some(name)).map(|(_, value)| value.as_str())
}

/// Hands every step to `each`. Damage ends the walk; false says that there was some.
pub(super) fn walk(text: &str, mut each: impl FnMut(Step<'_>)) -> bool {
    let Ok(mut reader) = xml::reader(text.as_bytes()) else { return false };
    let (mut buffer, mut depth) = (Vec::new(), 0usize);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(e)) => {
                depth += 1;
                each(Step::Start(e.local_name().as_ref(), xml::attributes(&e)));
            }
            Ok(Event::Empty(e)) => {
                each(Step::Start(e.local_name().as_ref(), xml::attributes(&e)));
                each(Step::End(e.local_name().as_ref()));
            }
            Ok(Event::End(e)) => {
                depth = depth.saturating_sub(1);
                each(Step::End(e.local_name().as_ref()));
            }
            Ok(Event::Text(e)) => each(Step::Text(&e)),
            Ok(Event::CData(e)) => each(Step::Text(&e)),
            Ok(Event::GeneralRef(e)) => each(Step::Text(&xml::unescape(&xml::reference(&e)))),
            Ok(Event::Eof) => return depth == 0,
            Ok(_) => {}
            Err(_) => return false,
        }
        if depth > DEEPEST {
            return false;
        }
    }
}

/// Text of elements with one of these names, first of each: `dc:title`, `dc:creator`.
pub(super) fn fields<const N: usize>(text: &str, names: [&str; N]) -> [Option<String>; N] {
    let mut found = [const { None::<String> }; N];
    let mut open: Option<usize> = None;
    walk(text, |step| match step {
        Step::Start(name, _) => open = names.iter().position(|n| *n == name),
        Step::End(_) => open = None,
        Step::Text(text) => {
            if let Some(slot) = open.and_then(|n| found.get_mut(n)) {
                slot.get_or_insert_default().push_str(text);
            }
        }
    });
    found.map(|field| field.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
}
