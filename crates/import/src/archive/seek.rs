//! Random access into a deflate or gzip stream without unpacking it to disk: while it is read, the state of
//! the decoder is kept every few megabytes, and reading from the middle goes on from the nearest of them.
//!
//! A kept state is 43 kB. There are at most [`MOST`] of them (22 MB); in a longer stream they lie further
//! apart, so that a place in 50 GB is reached after unpacking some 50 MB, a place read in order at once.

use super::{Window, refused};
use crate::Limits;
use flate2::Crc;
use miniz_oxide::{
    DataFormat, MZError, MZFlush, MZStatus,
    inflate::stream::{InflateState, inflate},
};
use std::{
    cell::{Cell, RefCell},
    io::{self, BufRead, BufReader, Read},
};

/// Kept states, at most.
const MOST: usize = 512;
/// Unpacked bytes between two of them, at first.
const STEP: u64 = 2 << 20;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wrap {
    Raw,
    /// One or more gzip members, one after the other.
    Gzip,
}

/// A compressed stream and what is known of it.
pub(super) struct Inflated {
    packed: Window,
    wrap: Wrap,
    points: RefCell<Vec<Point>>,
    step: Cell<u64>,
    /// A stream that somebody has stopped reading: most reads go on where one ended.
    parked: RefCell<Option<Stream>>,
    ratio: u64,
    ratio_from: u64,
}

impl std::fmt::Debug for Inflated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {:?}", self.wrap, self.packed)
    }
}

struct Point {
    /// Packed bytes before it.
    from: u64,
    /// Unpacked bytes before it.
    at: u64,
    state: Box<InflateState>,
}

/// One reader of it.
pub(super) struct Stream {
    packed: BufReader<Window>,
    from: u64,
    at: u64,
    /// None between two gzip members.
    state: Option<Box<InflateState>>,
    /// Of the member so far; none where it was not read from its beginning.
    crc: Option<Crc>,
    ended: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {} of packed {}", self.at, self.from)
    }
}

impl Inflated {
    pub(super) fn new(packed: Window, wrap: Wrap, limits: &Limits) -> Self {
        Self {
            packed,
            wrap,
            points: RefCell::default(),
            step: Cell::new(STEP),
            parked: RefCell::default(),
            ratio: limits.ratio,
            ratio_from: limits.ratio_from,
        }
    }

    /// How long it is unpacked: reads it all once, as far as it can be read.
    pub(super) fn measure(&self) -> io::Result<u64> {
        let mut stream = self.stream_at(0)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.read(&mut stream, &mut buffer) {
                Ok(0) => return Ok(stream.at),
                Ok(_) => {}
                Err(e) if super::is_refusal(&e) => return Err(e),
                Err(_) => return Ok(stream.at),
            }
        }
    }

    pub(super) fn park(&self, stream: Stream) {
        let mut parked = self.parked.borrow_mut();
        // The one that is further on is dearer to make again.
        if parked.as_ref().is_none_or(|p| p.at <= stream.at) {
            *parked = Some(stream);
        }
    }

    /// A stream that stands at `at`, or at the end where there is less.
    pub(super) fn stream_at(&self, at: u64) -> io::Result<Stream> {
        let nearest = self.points.borrow().iter().rposition(|p| p.at <= at);
        let point_at = nearest.and_then(|n| self.points.borrow().get(n).map(|p| p.at)).unwrap_or(0);
        let fits = |s: &Stream| (point_at..=at).contains(&s.at);
        let parked = self.parked.borrow_mut().take_if(|s| fits(s));
        let mut stream = parked.or_else(|| self.continued(nearest?)).unwrap_or_else(|| self.begun());
        let mut skipped = vec![0; 64 << 10];
        while stream.at < at {
            let most = skipped.len().min(usize::try_from(at - stream.at).unwrap_or(usize::MAX));
            if self.read(&mut stream, skipped.get_mut(..most).unwrap_or_default())? == 0 {
                break;
            }
        }
        Ok(stream)
    }

    fn begun(&self) -> Stream {
        let packed = BufReader::with_capacity(64 << 10, self.packed.part(0, u64::MAX));
        let state = (self.wrap == Wrap::Raw).then(|| InflateState::new_boxed(DataFormat::Raw));
        Stream { packed, from: 0, at: 0, state, crc: None, ended: false }
    }

    fn continued(&self, n: usize) -> Option<Stream> {
        let points = self.points.borrow();
        let point = points.get(n)?;
        let packed = BufReader::with_capacity(64 << 10, self.packed.part(point.from, u64::MAX));
        let state = Some(point.state.clone());
        Some(Stream { packed, from: point.from, at: point.at, state, crc: None, ended: false })
    }

    pub(super) fn read(&self, stream: &mut Stream, buf: &mut [u8]) -> io::Result<usize> {
        while !stream.ended && !buf.is_empty() {
            if stream.state.is_none() && !stream.next_member()? {
                break;
            }
            let n = stream.inflate(buf, self.wrap)?;
            if stream.at > self.ratio_from && stream.at > stream.from.saturating_mul(self.ratio) {
                return Err(refused("it unpacks to far more than a real export would (a bomb)".to_owned()));
            }
            if n > 0 {
                self.remember(stream);
                return Ok(n);
            }
        }
        Ok(0)
    }

    fn remember(&self, stream: &Stream) {
        let mut points = self.points.borrow_mut();
        let last = points.last().map_or(0, |p| p.at);
        let Some(state) = stream.state.as_ref().filter(|_| stream.at >= last + self.step.get()) else { return };
        if points.len() >= MOST {
            let mut n = 0;
            points.retain(|_| {
                n += 1;
                n % 2 == 0
            });
            self.step.set(self.step.get() * 2);
        }
        points.push(Point { from: stream.from, at: stream.at, state: state.clone() });
    }
}

impl Stream {
    fn inflate(&mut self, buf: &mut [u8], wrap: Wrap) -> io::Result<usize> {
        let Some(state) = &mut self.state else { return Ok(0) };
        let input = self.packed.fill_buf()?;
        let is_end = input.is_empty();
        let result = inflate(state, input, buf, MZFlush::None);
        self.packed.consume(result.bytes_consumed);
        self.from += result.bytes_consumed as u64;
        self.at += result.bytes_written as u64;
        if let Some(crc) = &mut self.crc {
            crc.update(buf.get(..result.bytes_written).unwrap_or_default());
        }
        match result.status {
            Ok(MZStatus::StreamEnd) => {
                self.state = None;
                match wrap {
                    Wrap::Raw => self.ended = true,
                    Wrap::Gzip => self.end_of_member()?,
                }
            }
            Ok(_) | Err(MZError::Buf) if result.bytes_written > 0 || !is_end => {}
            Ok(_) | Err(MZError::Buf) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "the compressed data is damaged")),
        }
        Ok(result.bytes_written)
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut one = [0];
        self.packed.read_exact(&mut one)?;
        self.from += 1;
        let [byte] = one;
        Ok(byte)
    }

    fn end_of_member(&mut self) -> io::Result<()> {
        let mut trailer = [0; 8];
        for slot in &mut trailer {
            *slot = self.byte()?;
        }
        let [a, b, c, d, ..] = trailer;
        match self.crc.take() {
            Some(crc) if crc.sum() != u32::from_le_bytes([a, b, c, d]) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum does not match"))
            }
            _ => Ok(()),
        }
    }

    /// Steps over the head of a gzip member (RFC 1952); false at the end, or where padding follows.
    fn next_member(&mut self) -> io::Result<bool> {
        let first = self.packed.fill_buf()?;
        if !first.starts_with(&[0x1f]) {
            self.ended = true;
            return Ok(false);
        }
        let mut head = [0; 10];
        for slot in &mut head {
            *slot = self.byte()?;
        }
        let [0x1f, 0x8b, 8, flags, ..] = head else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the compressed data is damaged"));
        };
        if flags & 4 != 0 {
            let len = u16::from_le_bytes([self.byte()?, self.byte()?]);
            for _ in 0..len {
                self.byte()?;
            }
        }
        for flag in [8, 16] {
            while flags & flag != 0 && self.byte()? != 0 {}
        }
        if flags & 2 != 0 {
            self.byte()?;
            self.byte()?;
        }
        self.state = Some(InflateState::new_boxed(DataFormat::Raw));
        self.crc = Some(Crc::new());
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::DeflateEncoder, write::GzEncoder};
    use std::{
        io::{Seek, SeekFrom, Write},
        rc::Rc,
    };

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            b"abcdefgh"[(state >> 61) as usize]
        };
        (0..len).map(|_| next()).collect()
    }

    fn check(packed: &[u8], wrap: Wrap, whole: &[u8]) {
        let inflated = Rc::new(Inflated::new(Window::of_memory(packed), wrap, &Limits::default()));
        assert_eq!(inflated.measure().unwrap(), whole.len() as u64);
        assert!(inflated.points.borrow().len() > 1);
        let mut window = Window::of_inflated(inflated, whole.len() as u64);
        for at in [9_000_000, 5, 8_999_999, 4_000_000, 2_097_152, 0, 7_777_777] {
            let mut some = Vec::new();
            window.seek(SeekFrom::Start(at as u64)).unwrap();
            (&mut window).take(1000).read_to_end(&mut some).unwrap();
            assert_eq!(some, &whole[at..(at + 1000).min(whole.len())], "{at}");
        }
    }

    #[test]
    fn any_place_is_reached() {
        let whole = noise(9_000_500);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(&whole).unwrap();
        check(&raw.finish().unwrap(), Wrap::Raw, &whole);
        let member = |part: &[u8]| {
            let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
            gz.write_all(part).unwrap();
            gz.finish().unwrap()
        };
        let (one, two) = whole.split_at(4_500_000);
        check(&[member(one), member(two)].concat(), Wrap::Gzip, &whole);
    }
}
