//! The form of a sealed file, version 1. Reading it from disk is left to `sealed_file`.
//!
//! ```text
//! 0  magic "EvkV"    4  version 1    5  log2 of the chunk size (16)    6  two zero bytes
//! 8  key id (8)      16 file id (16, random)
//! 32 chunks of 64 KiB of ciphertext, each followed by its 16-byte tag; the last may be shorter
//! ```
//! ChaCha20-Poly1305 (RFC 8439) under a key of the file's own (`DataKey::file_cipher`), in the manner of
//! the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce is a flag for the last
//! chunk and the chunk's number, so chunks cannot be reordered, repeated, dropped or cut off. The
//! header, and the name where one is given, is associated data of every chunk. An empty file is one
//! empty last chunk.

use crate::VaultError;
use crate::key::{DataKey, random};
use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};

/// Bytes before the first chunk.
pub(crate) const HEADER: usize = 32;
/// Plain bytes of every chunk but the last.
pub(crate) const CHUNK: usize = 1 << CHUNK_BITS;
/// Poly1305's tag after each chunk.
pub(crate) const TAG: usize = 16;

pub(crate) const MAGIC: [u8; 4] = *b"EvkV";
const VERSION: u8 = 1;
const CHUNK_BITS: u8 = 16;

/// Plain length of a sealed file of `sealed` bytes; `None` if no file has that length.
pub(crate) fn plain_length(sealed: u64) -> Option<u64> {
    let body = sealed.checked_sub(HEADER as u64)?;
    let count = body.div_ceil((CHUNK + TAG) as u64).max(1);
    let plain = body.checked_sub(count * TAG as u64)?;
    (chunk_count(plain) == count).then_some(plain)
}

/// At least one: an empty file has an empty last chunk.
pub(crate) fn chunk_count(plain: u64) -> u64 {
    plain.div_ceil(CHUNK as u64).max(1)
}

/// Seals and opens the chunks of one file.
pub(crate) struct ChunkCipher {
    cipher: ChaCha20Poly1305,
    bound: Vec<u8>,
}

impl ChunkCipher {
    /// For a file that is being read. `name` must be the one it was sealed with ("" for a database file).
    pub(crate) fn of(header: &[u8; HEADER], key: &DataKey, name: &str) -> Result<Self, VaultError> {
        let (fixed, file_id) = header.split_at(16);
        let (form, key_id) = fixed.split_at(8);
        if form != form_bytes() {
            return Err(VaultError::damaged("a file that this version of Evoke did not seal"));
        }
        if key_id != key.id() {
            return Err(VaultError::WrongKey);
        }
        let bound = [header.as_slice(), name.as_bytes()].concat();
        Ok(ChunkCipher { cipher: key.file_cipher(file_id)?, bound })
    }

    /// Appends the ciphertext of `plain` and its tag to `out`.
    fn seal(&self, number: u64, last: bool, plain: &[u8], out: &mut Vec<u8>) -> Result<(), VaultError> {
        let start = out.len();
        out.extend_from_slice(plain);
        let tag = self
            .cipher
            .encrypt_in_place_detached(&nonce(number, last), &self.bound, out.split_at_mut(start).1)
            .map_err(|_| anyhow::anyhow!("a chunk could not be sealed"))?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens `chunk` (ciphertext and tag) where it lies; the plain text is all but its last `TAG` bytes.
    pub(crate) fn open(&self, number: u64, last: bool, chunk: &mut [u8]) -> Result<(), VaultError> {
        let damaged = || VaultError::damaged(format!("chunk {number} of a sealed file"));
        let at = chunk.len().checked_sub(TAG).ok_or_else(damaged)?;
        let (text, tag) = chunk.split_at_mut(at);
        self.cipher
            .decrypt_in_place_detached(&nonce(number, last), &self.bound, text, Tag::from_slice(tag))
            .map_err(|_| damaged())
    }
}

/// Seals a file from front to back, however its bytes arrive.
pub(crate) struct Sealer {
    chunks: ChunkCipher,
    next: u64,
    /// Plain bytes not yet sealed, at most one chunk: whether it is the last is known only later.
    pending: Vec<u8>,
    /// Sealed bytes nobody has taken yet; begins with the header.
    sealed: Vec<u8>,
}

impl Sealer {
    pub(crate) fn new(key: &DataKey, name: &str) -> Result<Self, VaultError> {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&form_bytes());
        header[8..16].copy_from_slice(&key.id());
        header[16..].copy_from_slice(random::<16>()?.as_slice());
        let chunks = ChunkCipher::of(&header, key, name)?;
        Ok(Sealer { chunks, next: 0, pending: Vec::new(), sealed: header.to_vec() })
    }

    pub(crate) fn push(&mut self, mut plain: &[u8]) -> Result<(), VaultError> {
        self.sealed.reserve(plain.len() + (plain.len() / CHUNK + 1) * TAG);
        while self.pending.len() + plain.len() > CHUNK {
            let (head, rest) = plain.split_at(CHUNK - self.pending.len());
            plain = rest;
            if self.pending.is_empty() {
                self.chunks.seal(self.next, false, head, &mut self.sealed)?;
            } else {
                self.pending.extend_from_slice(head);
                self.chunks.seal(self.next, false, &self.pending, &mut self.sealed)?;
                self.pending.clear();
            }
            self.next += 1;
        }
        self.pending.extend_from_slice(plain);
        Ok(())
    }

    /// What has been sealed since the last call.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sealed)
    }

    /// Seals the last chunk and returns what nobody has taken yet.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, VaultError> {
        self.chunks.seal(self.next, true, &self.pending, &mut self.sealed)?;
        Ok(self.sealed)
    }
}

/// A whole file at once.
pub(crate) fn seal(key: &DataKey, name: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut sealer = Sealer::new(key, name)?;
    sealer.push(plain)?;
    sealer.finish()
}

/// A whole file at once; `name` must be the one it was sealed with.
pub(crate) fn unseal(key: &DataKey, name: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let damaged = || VaultError::damaged("a sealed file");
    let (header, body) = sealed.split_first_chunk().ok_or_else(damaged)?;
    let chunks = ChunkCipher::of(header, key, name)?;
    let length = plain_length(sealed.len() as u64).ok_or_else(damaged)?;
    let last = chunk_count(length) - 1;
    let mut plain = Vec::with_capacity(body.len());
    for (number, chunk) in (0..).zip(body.chunks(CHUNK + TAG)) {
        let start = plain.len();
        plain.extend_from_slice(chunk);
        chunks.open(number, number == last, plain.split_at_mut(start).1)?;
        plain.truncate(plain.len() - TAG);
    }
    Ok(plain)
}

fn form_bytes() -> [u8; 8] {
    let [a, b, c, d] = MAGIC;
    [a, b, c, d, VERSION, CHUNK_BITS, 0, 0]
}

/// Byte 0 says "last", bytes 4 to 11 are the chunk's number, big endian.
fn nonce(number: u64, last: bool) -> Nonce {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    [u8::from(last), 0, 0, 0, a, b, c, d, e, f, g, h].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 8] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7, 200_000];

    fn sealed_length(plain: u64) -> u64 {
        HEADER as u64 + plain + chunk_count(plain) * TAG as u64
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 31 % 251) as u8).collect()
    }

    #[test]
    fn lengths_agree_with_what_is_sealed() {
        let key = DataKey::random().unwrap();
        for size in SIZES {
            let sealed = seal(&key, "", &text(size)).unwrap();
            assert_eq!(sealed.len() as u64, sealed_length(size as u64));
            assert_eq!(plain_length(sealed.len() as u64), Some(size as u64));
            assert_eq!(unseal(&key, "", &sealed).unwrap(), text(size));
        }
        for impossible in [0, 31, 32, 47, sealed_length(CHUNK as u64) + 16] {
            assert_eq!(plain_length(impossible), None, "{impossible}");
        }
    }

    #[test]
    fn pieces_of_any_size_make_a_readable_file() {
        let key = DataKey::random().unwrap();
        for piece in [1000, CHUNK - 1, CHUNK, CHUNK + 1, 150_000] {
            for size in SIZES {
                let mut sealer = Sealer::new(&key, "name").unwrap();
                let mut sealed = Vec::new();
                for part in text(size).chunks(piece) {
                    sealer.push(part).unwrap();
                    sealed.extend(sealer.take());
                }
                sealed.extend(sealer.finish().unwrap());
                assert_eq!(unseal(&key, "name", &sealed).unwrap(), text(size));
            }
        }
    }

    #[test]
    fn every_altered_byte_and_every_cut_is_noticed() {
        let key = DataKey::random().unwrap();
        let sealed = seal(&key, "", b"a short file").unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(unseal(&key, "", &altered).is_err(), "byte {at}");
            assert!(unseal(&key, "", &sealed[..at]).is_err(), "cut to {at}");
        }
    }

    #[test]
    fn names_and_keys_are_bound() {
        let key = DataKey::random().unwrap();
        let sealed = seal(&key, "settings", b"plain").unwrap();
        assert!(matches!(unseal(&key, "learnt", &sealed), Err(VaultError::Damaged { .. })));
        let other = DataKey::random().unwrap();
        assert!(matches!(unseal(&other, "settings", &sealed), Err(VaultError::WrongKey)));
    }
}
