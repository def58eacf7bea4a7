//! Zip archives: names made safe, entries as streams with the limits enforced on what comes out.
//!
//! Entries are inflated here and not by `zip`, whose readers borrow the archive mutably, so that
//! several can be open at once. Which entries matter is left to `export.rs`.

use crate::{ImportError, Limits};
use flate2::{Crc, read::DeflateDecoder};
use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
    sync::Arc,
};
use zip::{CompressionMethod, ExtraField, ZipArchive, read::ZipFile};

/// A refusal that travels inside an [`io::Error`] out of a stream.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

fn refused(reason: String) -> io::Error {
    io::Error::other(Refused(reason))
}

/// A part of a file, or of memory, that can be read by many at once: each clone opens its own handle.
#[derive(Debug)]
pub(crate) struct Window {
    from: From,
    start: u64,
    len: u64,
    at: u64,
    open: Option<BufReader<File>>,
}

#[derive(Clone, Debug)]
enum From {
    Disk(Arc<Path>),
    Memory(Arc<[u8]>),
}

impl Clone for Window {
    fn clone(&self) -> Self {
        Self { from: self.from.clone(), start: self.start, len: self.len, at: self.at, open: None }
    }
}

impl Window {
    pub(crate) fn of_file(path: &Path, len: u64) -> Self {
        Self { from: From::Disk(path.into()), start: 0, len, at: 0, open: None }
    }

    fn of_memory(bytes: Vec<u8>) -> Self {
        Self { len: bytes.len() as u64, from: From::Memory(bytes.into()), start: 0, at: 0, open: None }
    }

    /// `len` bytes from `start` of this one; less where this one ends before.
    fn part(&self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        Self { start: self.start + start, len: len.min(self.len - start), at: 0, open: None, from: self.from.clone() }
    }
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room = buf.len().min(usize::try_from(self.len - self.at).unwrap_or(usize::MAX));
        let buf = buf.get_mut(..room).unwrap_or_default();
        let n = match &self.from {
            From::Memory(bytes) => {
                let mut rest = Cursor::new(bytes);
                rest.set_position(self.start + self.at);
                rest.read(buf)?
            }
            From::Disk(path) => {
                if self.open.is_none() {
                    let mut file = File::open(path)?;
                    file.seek(SeekFrom::Start(self.start + self.at))?;
                    self.open = Some(BufReader::with_capacity(64 << 10, file));
                }
                self.open.as_mut().map_or(Ok(0), |file| file.read(buf))?
            }
        };
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.len.checked_add_signed(n),
            SeekFrom::Current(n) => self.at.checked_add_signed(n),
        };
        let at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.min(self.len);
        if let Some(file) = &mut self.open {
            file.seek_relative(at as i64 - self.at as i64)?;
        }
        self.at = at;
        Ok(at)
    }
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

#[derive(Debug)]
pub(crate) struct Archive {
    zip: ZipArchive<Window>,
    /// Bytes that came out of it so far, over all entries.
    unpacked: Rc<Cell<u64>>,
    /// Its own size.
    size: u64,
}

impl Archive {
    /// `name` is for messages.
    pub(crate) fn open(window: Window, name: &str, limits: &Limits) -> Result<Self, ImportError> {
        let size = window.len;
        let zip = ZipArchive::new(window)
            .map_err(|e| ImportError::Damaged { name: name.to_owned(), reason: e.to_string() })?;
        if zip.len() > limits.entries {
            return Err(ImportError::Hostile(format!("{name:?} holds {} files, more than any real export", zip.len())));
        }
        Ok(Self { zip, unpacked: Rc::default(), size })
    }

    /// Every file in it, folders left out.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<Packed>, ImportError> {
        let mut zip = self.zip.clone();
        let mut found = Vec::with_capacity(zip.len());
        for index in 0..zip.len() {
            let entry = zip
                .by_index_raw(index)
                .map_err(|e| ImportError::Damaged { name: name.to_owned(), reason: e.to_string() })?;
            if let Some(packed) = describe(index, &entry, name)? {
                found.push(packed);
            }
        }
        Ok(found)
    }

    /// A stream of one entry. Its last read fails where the checksum is wrong.
    pub(crate) fn read(&self, index: usize, limits: &Limits) -> io::Result<EntryReader> {
        let mut zip = self.zip.clone();
        let entry = zip.by_index_raw(index).map_err(io::Error::other)?;
        let start = entry.data_start().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        let (packed, method, crc) = (entry.compressed_size(), entry.compression(), entry.crc32());
        drop(entry);
        let data = zip.into_inner().part(start, packed);
        let packed = data.len;
        let inner = match method {
            CompressionMethod::Stored => Inflate::Stored(data),
            CompressionMethod::Deflated => Inflate::Deflated(Box::new(DeflateDecoder::new(data))),
            other => return Err(io::Error::other(format!("it is compressed with {other}, which Evoke cannot unpack"))),
        };
        Ok(EntryReader {
            inner,
            crc: Crc::new(),
            expected: crc,
            out: 0,
            cap: (packed.saturating_mul(limits.ratio)).max(limits.ratio_from),
            all: self.unpacked.clone(),
            all_cap: self.size.saturating_mul(limits.ratio).max(limits.ratio_from).min(limits.unpacked),
        })
    }

    /// A zip that lies in this one: in place where it is stored plainly, otherwise in memory.
    pub(crate) fn inner(&self, entry: &Packed, limits: &Limits) -> Result<Window, ImportError> {
        let name = entry.path.clone();
        let trouble = |source| ImportError::Io { name: name.clone(), source };
        let reader = self.read(entry.index, limits).map_err(trouble)?;
        if let Inflate::Stored(window) = reader.inner {
            return Ok(window);
        }
        let mut bytes = Vec::new();
        reader.take(limits.inner_zip + 1).read_to_end(&mut bytes).map_err(trouble)?;
        if bytes.len() as u64 > limits.inner_zip {
            return Err(ImportError::Hostile(format!(
                "the zip {name:?} inside it is too large to be unpacked in memory"
            )));
        }
        Ok(Window::of_memory(bytes))
    }
}

/// Checks one entry; none for a folder.
fn describe(index: usize, entry: &ZipFile<'_, Window>, zip: &str) -> Result<Option<Packed>, ImportError> {
    // `name` decodes by the flag's meaning: UTF-8 where it is valid, else code page 437.
    let name = entry.name().map_err(anyhow::Error::from)?;
    let path = safe_path(&name)
        .ok_or_else(|| ImportError::Hostile(format!("a file in it is named {name:?}, which points outside of it")))?;
    if entry.is_symlink() {
        return Err(ImportError::Hostile(format!("{path:?} in it is a link to another place")));
    }
    if entry.encrypted() {
        return Err(ImportError::Encrypted { name: zip.to_owned() });
    }
    if entry.is_dir() || name.ends_with('\\') {
        return Ok(None);
    }
    Ok(Some(Packed { index, path, size: entry.size(), modified: modified(entry) }))
}

/// `/` between folders and NFC; none for a path that leads out of the export.
fn safe_path(name: &str) -> Option<String> {
    let path = crate::export::nfc(&name.replace('\\', "/"));
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let bad = drive || path.starts_with('/') || path.contains('\0') || path.split('/').any(|part| part == "..");
    (!bad && !path.is_empty()).then_some(path)
}

/// UTC milliseconds from the Unix extra field. The older DOS time has no zone and is not used.
fn modified(entry: &ZipFile<'_, Window>) -> Option<i64> {
    entry.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(times) => times.mod_time().map(|s| i64::from(s) * 1000),
        _ => None,
    })
}

#[derive(Debug)]
enum Inflate {
    Stored(Window),
    Deflated(Box<DeflateDecoder<Window>>),
}

/// The bytes of one entry, counted against the limits as they come.
#[derive(Debug)]
pub(crate) struct EntryReader {
    inner: Inflate,
    crc: Crc,
    expected: u32,
    out: u64,
    cap: u64,
    all: Rc<Cell<u64>>,
    all_cap: u64,
}

impl Read for EntryReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.inner {
            Inflate::Stored(window) => window.read(buf)?,
            Inflate::Deflated(inflate) => inflate.read(buf)?,
        };
        self.crc.update(buf.get(..n).unwrap_or_default());
        self.out += n as u64;
        self.all.set(self.all.get() + n as u64);
        if self.out > self.cap || self.all.get() > self.all_cap {
            return Err(refused("it unpacks to far more than a real export would (a zip bomb)".to_owned()));
        }
        if n == 0 && !buf.is_empty() && self.crc.sum() != self.expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum in the zip does not match"));
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
