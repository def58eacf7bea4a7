//! Random access to one sealed file on disk: which chunks a range needs, read and opened where they
//! land. The form itself is left to `form`, finding and remembering files to `recent`.

use crate::VaultError;
use crate::form::{self, CHUNK, ChunkCipher, HEADER, TAG};
use crate::key::DataKey;
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::ops::Range;

/// A sealed file whose length has been proved: its last chunk was opened as the last one, so nothing
/// was cut off or added. Holds no file handle, so that a deleted file's blocks are given back at once.
pub(crate) struct SealedFile {
    chunks: ChunkCipher,
    /// Plain bytes.
    length: u64,
}

/// Consecutive chunks, read at once for all the ranges that touch them.
struct Run {
    chunks: Range<u64>,
    /// Position among the ranges asked for, and the range.
    wanted: Vec<(usize, Range<u64>)>,
}

impl SealedFile {
    /// `sealed` is the length of `file` on disk. Reads the header and the last chunk.
    pub(crate) fn open(file: &File, sealed: u64, key: &DataKey) -> Result<Self, VaultError> {
        let length = form::plain_length(sealed).ok_or_else(|| VaultError::damaged("a sealed file (its length)"))?;
        let mut header = [0; HEADER];
        read_exact_at(file, &mut header, 0).map_err(read_error)?;
        let opened = SealedFile { chunks: ChunkCipher::of(&header, key, "")?, length };
        let last = form::chunk_count(length) - 1;
        opened.read(file, last..last + 1)?;
        Ok(opened)
    }

    /// Plain bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The plain bytes of each of `ranges`, in their order; a chunk that several of them touch is opened
    /// once. A range that ends beyond the file is an error.
    pub(crate) fn ranges(&self, file: &File, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, VaultError> {
        let mut found = vec![Bytes::new(); ranges.len()];
        for run in self.runs(ranges)? {
            let plain = Bytes::from(self.read(file, run.chunks.clone())?);
            for (index, range) in run.wanted {
                found[index] = part(&plain, run.chunks.start * CHUNK as u64, range);
            }
        }
        Ok(found)
    }

    /// Ranges that share a chunk go into one run; ranges further apart do not, however near.
    fn runs(&self, ranges: &[Range<u64>]) -> Result<Vec<Run>, VaultError> {
        let mut wanted: Vec<_> =
            ranges.iter().cloned().enumerate().filter(|(_, range)| range.start < range.end).collect();
        wanted.sort_by_key(|(_, range)| range.start);
        let mut runs: Vec<Run> = Vec::new();
        for (index, range) in wanted {
            if range.end > self.length {
                return Err(anyhow::anyhow!("bytes {range:?} of a file of {} bytes", self.length).into());
            }
            let chunks = range.start / CHUNK as u64..range.end.div_ceil(CHUNK as u64);
            match runs.last_mut() {
                Some(run) if chunks.start < run.chunks.end => {
                    run.chunks.end = run.chunks.end.max(chunks.end);
                    run.wanted.push((index, range));
                }
                _ => runs.push(Run { chunks, wanted: vec![(index, range)] }),
            }
        }
        Ok(runs)
    }

    /// The plain bytes of whole chunks. Each chunk is read to where its text belongs and opened there:
    /// the next one overwrites its tag, so no byte is copied twice.
    fn read(&self, file: &File, chunks: Range<u64>) -> Result<Vec<u8>, VaultError> {
        let last = form::chunk_count(self.length) - 1;
        let size = |number: u64| (self.length - number * CHUNK as u64).min(CHUNK as u64) as usize;
        let mut plain = vec![0; chunks.clone().map(size).sum::<usize>() + TAG];
        let mut at = 0;
        for number in chunks {
            let chunk = &mut plain[at..at + size(number) + TAG];
            read_exact_at(file, chunk, HEADER as u64 + number * (CHUNK + TAG) as u64).map_err(read_error)?;
            self.chunks.open(number, number == last, chunk)?;
            at += size(number);
        }
        plain.truncate(at);
        Ok(plain)
    }
}

/// `range` out of `run`, which begins at byte `start` of the file. A small part is copied, so that it
/// does not keep a whole run in memory.
fn part(run: &Bytes, start: u64, range: Range<u64>) -> Bytes {
    let within = (range.start - start) as usize..(range.end - start) as usize;
    if within.len() * 2 < run.len() { Bytes::copy_from_slice(&run[within]) } else { run.slice(within) }
}

/// The file was shorter than the system had just said.
fn read_error(error: io::Error) -> VaultError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => VaultError::damaged("a sealed file (its end is missing)"),
        _ => VaultError::io("reading a sealed file")(error),
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}
