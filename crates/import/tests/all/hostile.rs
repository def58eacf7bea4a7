//! Containers and files that mean harm, and files that are nothing: refused in words, in bounded memory.

use crate::reading::{counts, items, items_of, options};
use evoke_import::{ImportError, Item};
use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub(crate) fn zip_of(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn refused(name: &str, bytes: &[u8]) -> ImportError {
    items_of(name, bytes).expect_err("it should be refused")
}

#[test]
fn names_that_lead_outside_are_refused() {
    for name in ["../conversations.json", "/etc/conversations.json", "a/../../b.json", "C:\\b.json", "..\\b.json"] {
        // The writer of the test refuses some of these names itself: they are put in afterwards.
        let stand_in = "x".repeat(name.len());
        let zip = zip_of(&[(&stand_in, b"[]")], CompressionMethod::Stored);
        let error = refused("export.zip", &replaced(zip, stand_in.as_bytes(), name.as_bytes()));
        assert!(matches!(error, ImportError::Hostile(_)), "{name}: {error}");
    }
}

fn replaced(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    for at in 0..bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
        }
    }
    bytes
}

#[test]
fn links_in_a_zip_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("conversations.json", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let error = refused("export.zip", &zip.finish().unwrap().into_inner());
    assert!(matches!(error, ImportError::Hostile(_)), "{error}");
}

#[cfg(unix)]
#[test]
fn links_out_of_a_folder_are_not_followed() {
    let secret = tempfile::tempdir().unwrap();
    fs::write(
        secret.path().join("conversations.json"),
        fs::read(crate::reading::fixture("chatgpt/knowledgemaxxing__conversations_chatgpt.json")).unwrap(),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(secret.path(), folder.path().join("inside")).unwrap();
    std::os::unix::fs::symlink(secret.path().join("conversations.json"), folder.path().join("conversations.json"))
        .unwrap();
    assert!(matches!(items(folder.path(), &options()), Err(ImportError::Empty { .. })));
}

/// A ChatGPT array whose one message is `n` zeros long.
pub(crate) fn bomb(n: usize) -> Vec<u8> {
    let start =
        br#"[{"mapping":{"a":{"id":"a","children":[],"message":{"author":{"role":"user"},"content":{"parts":[""#;
    [start, vec![b'0'; n].as_slice(), br#""]}}}},"title":"x"}]"#].concat()
}

#[test]
fn a_zip_bomb_is_stopped() {
    let zip = zip_of(&[("conversations.json", &bomb(80 << 20))], CompressionMethod::Deflated);
    assert!(zip.len() < 1 << 20);
    assert!(matches!(refused("export.zip", &zip), ImportError::Hostile(_)));
    let nested = zip_of(&[("a.zip", &zip)], CompressionMethod::Stored);
    assert!(matches!(refused("export.zip", &nested), ImportError::Hostile(_)));
}

#[test]
fn too_many_files_are_refused() {
    let mut few = options();
    few.limits.entries = 2;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    fs::write(&path, zip_of(&[("a", b"1"), ("b", b"2"), ("c", b"3")], CompressionMethod::Stored)).unwrap();
    assert!(matches!(items(&path, &few), Err(ImportError::Hostile(_))));
}

#[test]
fn a_record_longer_than_the_limit_is_one_failure() {
    let mut short = options();
    short.limits.record = 1 << 20;
    let whole =
        fs::read_to_string(crate::reading::fixture("chatgpt/knowledgemaxxing__conversations_chatgpt.json")).unwrap();
    let long = String::from_utf8(bomb(8 << 20)).unwrap();
    let both = format!("{},{}", long.trim_end_matches(']'), whole.trim_start_matches('['));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.json");
    fs::write(&path, both).unwrap();
    let items = items(&path, &short).unwrap();
    assert_eq!(counts(&items), (2, 0, 1));
}

#[test]
fn nothing_is_an_error_and_says_so() {
    assert!(matches!(refused("a.json", b""), ImportError::Empty { .. }));
    assert!(matches!(refused("a.zip", &zip_of(&[], CompressionMethod::Stored)), ImportError::Empty { .. }));
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(items(folder.path(), &options()), Err(ImportError::Empty { .. })));
    let gone = items(Path::new("no/such/file"), &options());
    assert!(matches!(gone, Err(ImportError::NotFound { .. })));
    // Full of nothing: recognised, but without a single record.
    let empty = br#"{"name":"x","type":"personal_chat","id":1,"messages":[]}"#;
    assert!(items_of("result.json", empty).is_err());
}

fn check(name: &str, bytes: &[u8], looks_like: &str) {
    match refused(name, bytes) {
        ImportError::UnknownFormat { seen } => assert_eq!(seen, looks_like, "{name}"),
        other => panic!("{name}: {other}"),
    }
}

#[test]
fn unknown_files_are_refused_by_what_they_look_like() {
    check("a.json", br#"{"version": 2, "points": []}"#, "JSON with the fields version, points");
    check("a.json", br#"[{"lat": 1, "lon": 2}]"#, "a JSON list of records with the fields lat, lon");
    check("chat.db", b"SQLite format 3\0\x10\x00", "a SQLite database");
    check("a.png", b"\x89PNG\r\n\x1a\n\0\0", "a PNG picture");
    check("a.exe", b"MZ\x90\x00\x03", "a Windows program");
    check("a.xml", b"<?xml version=\"1.0\"?><things/>", "XML or a web page");
    check("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "a 7-Zip archive; unpack it first");
}

#[test]
fn half_a_zip_is_damaged_not_empty() {
    let zip = zip_of(&[("conversations.json", &bomb(10))], CompressionMethod::Deflated);
    let error = refused("export.zip", &zip[..zip.len() / 2]);
    assert!(matches!(error, ImportError::Damaged { .. }), "{error}");
}

#[test]
fn a_wrong_checksum_keeps_what_was_read_and_fails_the_rest() {
    let zip = zip_of(&[("conversations.json", &bomb(10))], CompressionMethod::Stored);
    let items = items_of("export.zip", &replaced(zip, b"0000000000", b"0000010000")).unwrap();
    assert_eq!(counts(&items), (1, 0, 1));
    assert!(items.iter().any(|i| matches!(i, Item::Failed(f) if f.reason.contains("checksum"))));
}

#[test]
fn a_record_without_a_sender_is_of_somebody_unknown() {
    let json = br#"{"room_name":"","topic":"","messages":[{"type":"m.room.message","sender":"","content":{"msgtype":"m.text","body":"hi"},"origin_server_ts":1700000000000,"event_id":"$1"}]}"#;
    let items = items_of("export.json", json).unwrap();
    assert_eq!(counts(&items), (1, 0, 0));
    for item in items {
        match item {
            Item::Message(m) => assert_eq!(m.sender.key, "unknown"),
            Item::Conversation(c) => assert_eq!(c.key, "unknown"),
            _ => {}
        }
    }
}
