//! Tar archives, plain or as what a gzip stream unpacks to: their headers are walked once, and each file is
//! then a part of the archive that can be read at any time. Knows GNU and pax long names and sizes.

use super::{Packed, Window, names};
use crate::{ImportError, Limits};
use std::io::{self, Read, Seek, SeekFrom};
use tar::{EntryType, Header};

const BLOCK: u64 = 512;
/// Longest name or set of pax records that is read.
const LONGEST: u64 = 1 << 20;

/// Where a file lies in the archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) at: u64,
    pub(super) len: u64,
}

/// True for what begins like a tar archive.
pub(super) fn is_tar(first: &[u8]) -> bool {
    let Some(header) = first.get(..BLOCK as usize).map(Header::from_byte_slice) else { return false };
    let named = header.as_bytes().first().is_some_and(|b| *b != 0);
    named && (first.get(257..262) == Some(b"ustar") || first.get(257..265) == Some(&[0; 8])) && checksum_fits(header)
}

fn checksum_fits(header: &Header) -> bool {
    let bytes = header.as_bytes().iter().enumerate();
    let sum: u32 = bytes.map(|(n, b)| if (148..156).contains(&n) { 32 } else { u32::from(*b) }).sum();
    header.cksum().is_ok_and(|stated| stated == sum)
}

/// What the headers before a file's own say of it.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<i64>,
    sparse: bool,
}

/// Every file in it. `trouble` says why the rest of a damaged archive is not listed.
pub(super) struct Listing {
    pub(super) files: Vec<Packed>,
    pub(super) spans: Vec<Span>,
    pub(super) trouble: Option<String>,
}

pub(super) fn list(window: &Window, name: &str, limits: &Limits) -> Result<Listing, ImportError> {
    let mut listing = Listing { files: Vec::new(), spans: Vec::new(), trouble: None };
    let mut raw_names = Vec::new();
    let mut tar = window.part(0, u64::MAX);
    let (mut at, mut said) = (0, Said::default());
    loop {
        let header = match block(&mut tar) {
            Ok(Some(header)) => header,
            Ok(None) => break,
            Err(e) => {
                listing.trouble = Some(trouble(e)?);
                break;
            }
        };
        at += BLOCK;
        if !checksum_fits(&header) {
            listing.trouble = Some("a header in it is damaged".to_owned());
            break;
        }
        let size = said.size.take().or_else(|| header.entry_size().ok()).unwrap_or(0);
        let step = size.div_ceil(BLOCK).saturating_mul(BLOCK);
        let kind = header.entry_type();
        let told = match kind {
            EntryType::GNULongName | EntryType::XHeader => say(kind, &mut tar, size, &mut said),
            EntryType::GNULongLink | EntryType::XGlobalHeader => Ok(()),
            _ => {
                let said = std::mem::take(&mut said);
                let raw = said.name.unwrap_or_else(|| header.path_bytes().into_owned());
                is_no_link(kind, &raw)?;
                if said.sparse || kind == EntryType::GNUSparse {
                    listing.trouble = Some("a file in it has holes (sparse), which Evoke cannot read".to_owned());
                } else if is_file(kind) && !raw.ends_with(b"/") {
                    let modified =
                        said.modified.or_else(|| i64::try_from(header.mtime().ok()?).ok()?.checked_mul(1000));
                    let index = listing.files.len();
                    listing.files.push(Packed { index, path: String::new(), size, modified });
                    listing.spans.push(Span { at, len: size });
                    raw_names.push(raw);
                }
                Ok(())
            }
        };
        if let Err(e) = told {
            listing.trouble = Some(trouble(e)?);
            break;
        }
        if listing.files.len() > limits.entries {
            return Err(ImportError::Hostile(format!("{name:?} holds more files than any real export")));
        }
        at = at.saturating_add(step);
        match tar.seek(SeekFrom::Start(at)) {
            Ok(there) if there == at => {}
            _ => break,
        }
    }
    for (file, path) in listing.files.iter_mut().zip(names::decoded(&raw_names)) {
        let path = path.strip_prefix("./").unwrap_or(&path);
        file.path = super::checked_path(path)?;
    }
    Ok(listing)
}

/// The next header; none at the end, which is a block of zeros or nothing at all.
fn block(tar: &mut Window) -> io::Result<Option<Header>> {
    let mut header = Header::new_old();
    let mut bytes = Vec::new();
    tar.take(BLOCK).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != BLOCK {
        return if bytes.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
    }
    header.as_mut_bytes().copy_from_slice(&bytes);
    Ok((bytes.iter().any(|b| *b != 0)).then_some(header))
}

/// What is said of the file that follows.
fn say(kind: EntryType, tar: &mut Window, size: u64, said: &mut Said) -> io::Result<()> {
    if size > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a name in it is too long"));
    }
    let mut bytes = Vec::new();
    tar.take(size).read_to_end(&mut bytes)?;
    if kind == EntryType::GNULongName {
        bytes.truncate(bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()));
        said.name = Some(bytes);
        return Ok(());
    }
    for record in tar::PaxExtensions::new(&bytes).flatten() {
        let value = record.value().unwrap_or_default();
        match record.key().unwrap_or_default() {
            "path" => said.name = Some(record.value_bytes().to_vec()),
            "size" => said.size = value.parse().ok(),
            "mtime" => said.modified = value.parse::<f64>().ok().map(|s| (s * 1000.0).round() as i64),
            key => said.sparse |= key.starts_with("GNU.sparse."),
        }
    }
    Ok(())
}

fn is_file(kind: EntryType) -> bool {
    matches!(kind, EntryType::Regular | EntryType::Continuous) || kind.as_byte() == 0
}

fn is_no_link(kind: EntryType, name: &[u8]) -> Result<(), ImportError> {
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        let name = String::from_utf8_lossy(name);
        return Err(ImportError::Hostile(format!("{name:?} in it is a link to another place")));
    }
    Ok(())
}

/// Damage ends the listing; a refusal ends everything.
fn trouble(error: io::Error) -> Result<String, ImportError> {
    match error.downcast::<super::Refused>() {
        Ok(super::Refused(reason)) => Err(ImportError::Hostile(reason)),
        Err(e) => Ok(format!("the archive ends early: {e}")),
    }
}
