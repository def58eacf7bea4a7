//! What an unknown file looks like, in words, for the message that refuses it.

use crate::{
    export::{Entry, Export},
    json::{hunt, keys},
    mime,
};
use std::collections::{BTreeMap, HashSet};

/// Beginnings by which files are known.
const MAGIC: [(&[u8], &str); 20] = [
    (b"SQLite format 3\0", "a SQLite database"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a picture, sound or film"),
    (b"OggS", "a sound recording"),
    (b"ID3", "a sound recording"),
    (b"%PDF", "a PDF document"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a macOS program"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x1f\x8b", "a damaged gzip file"),
    (b"PK\x03\x04", "an Office document or another kind of zip"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; unpack it first"),
    (b"BZh", "a bzip2 file; unpack it first"),
    (b"\xfd7zXZ\0", "an xz file; unpack it first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document or an Outlook message"),
];

/// For one file, what it is; for many, what they are called.
pub(crate) fn looks_like(export: &Export) -> String {
    match export.files() {
        [_] => export.head(0).map_or_else(|_| "a file that cannot be read".to_owned(), |head| one(&head)),
        files => {
            let kinds = kinds(files.iter());
            format!("{} files that belong to no export it knows ({kinds})", files.len())
        }
    }
}

/// Files that are named one by one where none was read.
const NAMED: usize = 20;

/// Files of an export that no format has claimed or read beside its own, in words: nothing is left out silently. Pictures, sounds and
/// films are not told of, nor what is attached to messages (`attached`), nor empty files.
pub(crate) fn left_over(export: &Export, attached: &HashSet<String>) -> Option<String> {
    let files = export.files().iter().enumerate();
    let left: Vec<&Entry> = files
        .filter(|(i, file)| file.size > 0 && export.claimed_by(*i).is_none() && !export.was_opened(*i))
        .map(|(_, file)| file)
        .filter(|file| !mime::is_media(&file.path) && !attached.contains(&file.path))
        .collect();
    match left.as_slice() {
        [] => None,
        [file] => Some(format!("One file was not read, because no format knows it: {}.", file.path)),
        _ => {
            let named: Vec<&str> = left.iter().take(NAMED).map(|file| file.path.as_str()).collect();
            let more = if left.len() > NAMED { ", …" } else { "" };
            let kinds = kinds(left.iter().copied());
            let count = left.len();
            Some(format!(
                "{count} files were not read, because no format knows them ({kinds}): {}{more}.",
                named.join(", ")
            ))
        }
    }
}

/// "10 .json, 2 .db": the most frequent kinds of files.
fn kinds<'a>(files: impl Iterator<Item = &'a Entry>) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let ending = file.file_name().rsplit_once('.').map(|(_, ending)| ending).filter(|e| e.len() <= 12);
        let kind = ending.map_or("without an ending".to_owned(), |ending| format!(".{}", ending.to_lowercase()));
        *kinds.entry(kind).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let others: usize = kinds.iter().skip(8).map(|(_, n)| n).sum();
    let mut words: Vec<_> = kinds.iter().take(8).map(|(kind, n)| format!("{n} {kind}")).collect();
    words.extend((others > 0).then(|| format!("{others} of other kinds")));
    words.join(", ")
}

fn one(head: &[u8]) -> String {
    if let Some((_, words)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return (*words).to_owned();
    }
    let text = head.trim_ascii_start();
    match text.first() {
        Some(b'{') => format!("JSON with {}", named(&keys(text))),
        Some(b'[') => {
            let mut first = Vec::new();
            hunt(text, |keys| {
                first = keys.iter().map(|k| (*k).to_owned()).collect();
                true
            });
            format!("a JSON list of records with {}", named(&first.iter().map(String::as_str).collect::<Vec<_>>()))
        }
        Some(b'<') if text.get(..9).is_some_and(|t| t.eq_ignore_ascii_case(b"<!doctype")) => "a web page".to_owned(),
        Some(b'<') => "XML or a web page".to_owned(),
        _ if text.iter().take(1024).any(|b| *b == 0) => "a file of no known kind".to_owned(),
        _ => "text".to_owned(),
    }
}

fn named(keys: &[&str]) -> String {
    match keys {
        [] => "no fields".to_owned(),
        _ => format!("the fields {}", keys.iter().take(6).copied().collect::<Vec<_>>().join(", ")),
    }
}
