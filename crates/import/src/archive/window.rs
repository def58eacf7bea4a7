//! A part of a file, of memory, or of what a compressed stream unpacks to, that can be read and sought
//! by many at once: each clone opens its own handle.

use super::seek::{Inflated, Stream};
use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
    sync::Arc,
};

const BUFFER: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Window {
    from: From,
    start: u64,
    len: u64,
    at: u64,
    open: Option<Open>,
}

#[derive(Clone, Debug)]
enum From {
    Disk(Arc<Path>),
    Memory(Arc<[u8]>),
    Inflated(Rc<Inflated>),
}

#[derive(Debug)]
enum Open {
    File(BufReader<File>),
    Stream(Box<Stream>),
}

impl Clone for Window {
    fn clone(&self) -> Self {
        Self { from: self.from.clone(), start: self.start, len: self.len, at: self.at, open: None }
    }
}

impl Window {
    fn new(from: From, len: u64) -> Self {
        Self { from, start: 0, len, at: 0, open: None }
    }

    pub(crate) fn of_file(path: &Path, len: u64) -> Self {
        Self::new(From::Disk(path.into()), len)
    }

    pub(crate) fn of_memory(bytes: &[u8]) -> Self {
        Self::new(From::Memory(bytes.into()), bytes.len() as u64)
    }

    /// What a compressed stream unpacks to. `len` may be more than there is.
    pub(super) fn of_inflated(inflated: Rc<Inflated>, len: u64) -> Self {
        Self::new(From::Inflated(inflated), len)
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// `len` bytes from `start` of this one; less where this one ends before.
    pub(super) fn part(&self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        Self { start: self.start + start, len: len.min(self.len - start), at: 0, open: None, from: self.from.clone() }
    }

    /// The first bytes, as many as there are up to `most`.
    pub(super) fn first(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.part(0, most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn park(&mut self) {
        if let (From::Inflated(inflated), Some(Open::Stream(stream))) = (&self.from, self.open.take()) {
            inflated.park(*stream);
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.park();
    }
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room = buf.len().min(usize::try_from(self.len - self.at).unwrap_or(usize::MAX));
        let buf = buf.get_mut(..room).unwrap_or_default();
        if buf.is_empty() {
            return Ok(0);
        }
        let from = self.start + self.at;
        let n = match (&self.from, &mut self.open) {
            (From::Memory(bytes), _) => {
                let mut rest = Cursor::new(bytes);
                rest.set_position(from);
                rest.read(buf)?
            }
            (From::Disk(_), Some(Open::File(file))) => file.read(buf)?,
            (From::Disk(path), _) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(from))?;
                let mut file = BufReader::with_capacity(BUFFER, file);
                let n = file.read(buf)?;
                self.open = Some(Open::File(file));
                n
            }
            (From::Inflated(inflated), Some(Open::Stream(stream))) => inflated.read(stream, buf)?,
            (From::Inflated(inflated), _) => {
                let mut stream = inflated.stream_at(from)?;
                let n = inflated.read(&mut stream, buf)?;
                self.open = Some(Open::Stream(Box::new(stream)));
                n
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
        match &mut self.open {
            Some(Open::File(file)) => file.seek_relative(at as i64 - self.at as i64)?,
            Some(Open::Stream(_)) if at != self.at => self.park(),
            _ => {}
        }
        self.at = at;
        Ok(at)
    }
}
