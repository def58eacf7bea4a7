//! Archives: zip, tar, gzip and each of them in another, as a list of files that can be read as streams,
//! many at once, without unpacking anything to disk.
//!
//! Names are made safe, and the limits are enforced on what comes out, never on what is declared. Entries of
//! a zip are inflated here and not by `zip`, whose readers borrow the archive mutably. A tar in a gzip stream
//! is reached through [`seek`]. Which files matter is left to `export.rs`.

mod names;
mod seek;
mod tar;
mod window;

use crate::{ImportError, Limits};
use flate2::{
    Crc,
    read::{DeflateDecoder, MultiGzDecoder},
};
use seek::{Inflated, Wrap};
use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};
use zip::{CompressionMethod, ExtraField, ZipArchive, read::ZipFile};

pub(crate) use window::Window;

/// A zip in a zip up to this size is unpacked into memory: quicker than seeking in it.
const SMALL: u64 = 8 << 20;

/// A refusal that travels inside an [`io::Error`] out of a stream.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

fn refused(reason: String) -> io::Error {
    io::Error::other(Refused(reason))
}

fn is_refusal(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Refused>())
}

/// What of an entry is known before it is read.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) index: usize,
    /// Safe: relative, `/` between folders, no `..`.
    pub(crate) path: String,
    /// As declared; not to be trusted.
    pub(crate) size: u64,
    pub(crate) modified: Option<i64>,
}

/// Bytes that an archive and all archives in it may give and have given; what is read twice counts once.
#[derive(Debug)]
struct Budget {
    used: Cell<u64>,
    most: u64,
}

#[derive(Debug)]
pub(crate) struct Archive {
    inside: Inside,
    budget: Rc<Budget>,
    /// Of each entry, how far it was read.
    reached: Vec<Cell<u64>>,
    /// Why a part of it cannot be listed.
    trouble: Option<String>,
}

#[derive(Debug)]
enum Inside {
    Zip(ZipArchive<Window>),
    Tar(Window, Vec<tar::Span>),
    /// A gzip stream of one file.
    Gzip(Window),
}

/// What a file is, by its content.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    Zip,
    Tar,
    Gzip,
}

fn sort(window: &Window) -> io::Result<Option<Sort>> {
    let first = window.first(512)?;
    Ok(if first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06") {
        Some(Sort::Zip)
    } else if first.starts_with(b"\x1f\x8b\x08") {
        Some(Sort::Gzip)
    } else {
        tar::is_tar(&first).then_some(Sort::Tar)
    })
}

impl Archive {
    /// The archive in `window` and its files, folders left out; none where it is not an archive, or one that
    /// is a document (`docx`, `epub`). `within`: the archive it was found in. `name` is for messages.
    ///
    /// # Errors
    /// Damaged as a whole, encrypted or hostile.
    pub(crate) fn open(
        window: &Window,
        name: &str,
        within: Option<&Archive>,
        limits: &Limits,
    ) -> Result<Option<(Self, Vec<Packed>)>, ImportError> {
        let trouble = |e: io::Error| match e.downcast::<Refused>() {
            Ok(Refused(reason)) => ImportError::Hostile(reason),
            Err(source) => ImportError::Io { name: name.to_owned(), source },
        };
        let most = window.len().saturating_mul(limits.ratio).max(limits.ratio_from).min(limits.unpacked);
        let budget = within.map_or_else(|| Rc::new(Budget { used: Cell::new(0), most }), |w| w.budget.clone());
        match sort(window).map_err(trouble)? {
            None => Ok(None),
            Some(Sort::Zip) => Self::zip(window.clone(), name, budget, limits),
            Some(Sort::Tar) => Self::tar(window.clone(), name, budget, limits).map(Some),
            Some(Sort::Gzip) => {
                let inflated = Rc::new(Inflated::new(window.clone(), Wrap::Gzip, limits));
                let inner = Window::of_inflated(inflated.clone(), u64::MAX);
                // Damage at its very beginning: then it is a file of which nothing can be read.
                match sort(&inner) {
                    Err(e) if is_refusal(&e) => Err(trouble(e)),
                    Ok(Some(Sort::Tar)) => Self::tar(inner, name, budget, limits).map(Some),
                    Ok(Some(Sort::Zip)) => {
                        let len = inflated.measure().map_err(trouble)?;
                        Self::zip(Window::of_inflated(inflated, len), name, budget, limits)
                    }
                    _ => Ok(Some(Self::gzip(window, name, budget))),
                }
            }
        }
    }

    fn zip(
        window: Window,
        name: &str,
        budget: Rc<Budget>,
        limits: &Limits,
    ) -> Result<Option<(Self, Vec<Packed>)>, ImportError> {
        let damaged = |e: zip::result::ZipError| ImportError::Damaged { name: name.to_owned(), reason: e.to_string() };
        let zip = ZipArchive::new(window).map_err(damaged)?;
        if zip.len() > limits.entries {
            return Err(ImportError::Hostile(format!("{name:?} holds {} files, more than any real export", zip.len())));
        }
        let mut opened = zip.clone();
        let (mut files, mut raw_names) = (Vec::with_capacity(zip.len()), Vec::with_capacity(zip.len()));
        for index in 0..zip.len() {
            let entry = opened.by_index_raw(index).map_err(damaged)?;
            if is_in_document(entry.name_raw()) {
                return Ok(None);
            }
            if entry.is_symlink() {
                let path = String::from_utf8_lossy(entry.name_raw()).into_owned();
                return Err(ImportError::Hostile(format!("{path:?} in it is a link to another place")));
            }
            if entry.encrypted() {
                return Err(ImportError::Encrypted { name: name.to_owned() });
            }
            raw_names.push(entry.name_raw().to_vec());
            files.push(Packed { index, path: String::new(), size: entry.size(), modified: modified(&entry) });
        }
        for (file, path) in files.iter_mut().zip(names::decoded(&raw_names)) {
            file.path = checked_path(&path)?;
        }
        let reached = vec![Cell::new(0); files.len()];
        files.retain(|file| !file.path.ends_with('/'));
        Ok(Some((Self { inside: Inside::Zip(zip), budget, reached, trouble: None }, files)))
    }

    fn tar(
        window: Window,
        name: &str,
        budget: Rc<Budget>,
        limits: &Limits,
    ) -> Result<(Self, Vec<Packed>), ImportError> {
        let tar::Listing { files, spans, trouble } = tar::list(&window, name, limits)?;
        let reached = vec![Cell::new(0); files.len()];
        Ok((Self { inside: Inside::Tar(window, spans), budget, reached, trouble }, files))
    }

    fn gzip(window: &Window, name: &str, budget: Rc<Budget>) -> (Self, Vec<Packed>) {
        let name = name.rsplit('/').next().unwrap_or(name);
        let stem = name.len().checked_sub(3).and_then(|end| name.split_at_checked(end));
        let path = stem.filter(|(stem, end)| end.eq_ignore_ascii_case(".gz") && !stem.is_empty());
        let path = path.map_or(name, |(stem, _)| stem).to_owned();
        let file = Packed { index: 0, path, size: unpacked_size(window), modified: None };
        let inside = Inside::Gzip(window.clone());
        (Self { inside, budget, reached: vec![Cell::new(0)], trouble: None }, vec![file])
    }

    /// Why the list of its files ends early.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// True where it is a gzip stream of one file, and so a file rather than a folder.
    pub(crate) fn is_one_file(&self) -> bool {
        matches!(self.inside, Inside::Gzip(_))
    }

    /// A stream of one entry. Its last read fails where the checksum is wrong.
    pub(crate) fn read(&self, index: usize, limits: &Limits) -> io::Result<EntryReader<'_>> {
        let (inner, packed, expected) = match &self.inside {
            Inside::Zip(zip) => {
                let (data, method, crc) = raw_entry(zip, index)?;
                let packed = data.len();
                (inflate(data, method)?, packed, Expected::Crc(Crc::new(), crc))
            }
            Inside::Tar(window, spans) => {
                let span = spans.get(index).ok_or(io::ErrorKind::NotFound)?;
                (Inflate::Stored(window.part(span.at, span.len)), span.len, Expected::Len(span.len))
            }
            Inside::Gzip(window) => {
                let decoder = MultiGzDecoder::new(window.part(0, u64::MAX));
                (Inflate::Gzip(Box::new(decoder)), window.len(), Expected::Nothing)
            }
        };
        let cap = packed.saturating_mul(limits.ratio).max(limits.ratio_from);
        Ok(EntryReader { inner, expected, out: 0, cap, budget: &self.budget, reached: self.reached.get(index) })
    }

    /// One entry as something to seek in: an archive in this one, or a document.
    pub(crate) fn window(&self, entry: &Packed, limits: &Limits) -> Result<Window, ImportError> {
        let trouble = |source: io::Error| match source.downcast::<Refused>() {
            Ok(Refused(reason)) => ImportError::Hostile(reason),
            Err(source) => ImportError::Io { name: entry.path.clone(), source },
        };
        let (packed, wrap) = match &self.inside {
            Inside::Tar(window, spans) => {
                let span = spans.get(entry.index).ok_or_else(|| trouble(io::ErrorKind::NotFound.into()))?;
                return Ok(window.part(span.at, span.len));
            }
            Inside::Zip(zip) => {
                let (data, method, _) = raw_entry(zip, entry.index).map_err(trouble)?;
                match method {
                    CompressionMethod::Stored => return Ok(data),
                    CompressionMethod::Deflated => (data, Wrap::Raw),
                    other => return Err(trouble(cannot_unpack(other))),
                }
            }
            Inside::Gzip(window) => (window.clone(), Wrap::Gzip),
        };
        if entry.size <= SMALL {
            let mut bytes = Vec::new();
            let mut reader = self.read(entry.index, limits).map_err(trouble)?.take(SMALL + 1);
            reader.read_to_end(&mut bytes).map_err(trouble)?;
            if bytes.len() as u64 <= SMALL {
                return Ok(Window::of_memory(&bytes));
            }
        }
        let inflated = Rc::new(Inflated::new(packed, wrap, limits));
        let len = inflated.measure().map_err(trouble)?;
        Ok(Window::of_inflated(inflated, len))
    }
}

/// The packed bytes of an entry of a zip, how they are packed, and the checksum they unpack to.
fn raw_entry(zip: &ZipArchive<Window>, index: usize) -> io::Result<(Window, CompressionMethod, u32)> {
    let mut zip = zip.clone();
    let entry = zip.by_index_raw(index).map_err(io::Error::other)?;
    let start = entry.data_start().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    let (packed, method, crc) = (entry.compressed_size(), entry.compression(), entry.crc32());
    drop(entry);
    Ok((zip.into_inner().part(start, packed), method, crc))
}

fn inflate(data: Window, method: CompressionMethod) -> io::Result<Inflate> {
    match method {
        CompressionMethod::Stored => Ok(Inflate::Stored(data)),
        CompressionMethod::Deflated => Ok(Inflate::Deflated(Box::new(DeflateDecoder::new(data)))),
        other => Err(cannot_unpack(other)),
    }
}

fn cannot_unpack(method: CompressionMethod) -> io::Error {
    io::Error::other(format!("it is compressed with {method}, which Evoke cannot unpack"))
}

/// Names by which a zip is known to be a document or a program: OOXML, OpenDocument, EPUB, iWork, Java.
fn is_in_document(name: &[u8]) -> bool {
    matches!(name, b"[Content_Types].xml" | b"mimetype" | b"Index/Document.iwa" | b"META-INF/MANIFEST.MF")
}

/// `/` between folders and NFC; a folder ends in `/`.
fn checked_path(name: &str) -> Result<String, ImportError> {
    safe_path(name)
        .ok_or_else(|| ImportError::Hostile(format!("a file in it is named {name:?}, which points outside of it")))
}

/// None for a path that leads out of the export.
fn safe_path(name: &str) -> Option<String> {
    let path = crate::export::nfc(&name.replace('\\', "/"));
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let bad = drive || path.starts_with('/') || path.contains('\0') || path.split('/').any(|part| part == "..");
    (!bad && !path.is_empty()).then_some(path)
}

/// UTC milliseconds from the extra fields of Unix and Windows; else from the older DOS time, whose zone nobody knows:
/// some hours wrong is better than the day of the import.
fn modified(entry: &ZipFile<'_, Window>) -> Option<i64> {
    let exact = entry.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(times) => times.mod_time().map(|s| i64::from(s) * 1000),
        ExtraField::Ntfs(times) => i64::try_from(times.mtime() / 10_000).ok()?.checked_sub(11_644_473_600_000),
        _ => None,
    });
    exact.or_else(|| {
        // 1980 stands where the program that packed it knew no time.
        let dos = entry.last_modified().filter(|dos| dos.year() > 1980)?;
        crate::time::iso(&format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            dos.year(),
            dos.month(),
            dos.day(),
            dos.hour(),
            dos.minute(),
            dos.second().min(59)
        ))
    })
}

/// As the end of a gzip stream says it, which is right but for multiples of 4 GB.
fn unpacked_size(window: &Window) -> u64 {
    let mut end = Vec::new();
    let read = window.part(window.len().saturating_sub(4), 4).read_to_end(&mut end);
    let stated = match (read, end.as_slice()) {
        (Ok(4), [a, b, c, d]) => u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => 0,
    };
    let missing = (window.len() / 2).saturating_sub(stated).div_ceil(1 << 32);
    stated + (missing << 32)
}

#[derive(Debug)]
enum Inflate {
    Stored(Window),
    Deflated(Box<DeflateDecoder<Window>>),
    Gzip(Box<MultiGzDecoder<Window>>),
}

/// What shows at the end of an entry that it is whole.
#[derive(Debug)]
enum Expected {
    Crc(Crc, u32),
    Len(u64),
    /// The stream itself says it.
    Nothing,
}

/// The bytes of one entry, counted against the limits as they come.
#[derive(Debug)]
pub(crate) struct EntryReader<'a> {
    inner: Inflate,
    expected: Expected,
    out: u64,
    cap: u64,
    budget: &'a Budget,
    reached: Option<&'a Cell<u64>>,
}

impl EntryReader<'_> {
    fn count(&mut self, n: usize) -> io::Result<()> {
        self.out += n as u64;
        if let Some(reached) = self.reached.filter(|reached| self.out > reached.get()) {
            self.budget.used.set(self.budget.used.get() + self.out - reached.get());
            reached.set(self.out);
        }
        if self.out > self.cap || self.budget.used.get() > self.budget.most {
            return Err(refused("it unpacks to far more than a real export would (a zip bomb)".to_owned()));
        }
        Ok(())
    }

    fn check_end(&self) -> io::Result<()> {
        match &self.expected {
            Expected::Crc(crc, expected) if crc.sum() != *expected => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum in the zip does not match"))
            }
            Expected::Len(len) if self.out < *len => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl Read for EntryReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.inner {
            Inflate::Stored(window) => window.read(buf)?,
            Inflate::Deflated(inflate) => inflate.read(buf)?,
            Inflate::Gzip(inflate) => inflate.read(buf)?,
        };
        if let Expected::Crc(crc, _) = &mut self.expected {
            crc.update(buf.get(..n).unwrap_or_default());
        }
        self.count(n)?;
        if n == 0 && !buf.is_empty() {
            self.check_end()?;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(safe_path(name).as_deref(), expected, "{name}");
    }

    #[test]
    fn names_stay_inside() {
        check("a\\b.json", Some("a/b.json"));
        check("a/..b/c", Some("a/..b/c"));
        check("Cafe\u{301}.md", Some("Caf\u{e9}.md"));
        for hostile in ["/etc/passwd", "../a", "a/../../b", "a\\..\\b", "C:\\a", "c:a", "\\\\host\\a", "", "a\0b"] {
            check(hostile, None);
        }
    }
}
