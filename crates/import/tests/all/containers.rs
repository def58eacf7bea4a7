//! One export in every container and arrangement that people have it in: the same messages with the same ids.
//! The archives are made here; their formats are POSIX tar, RFC 1952 and APPNOTE.

use crate::{
    hostile::{bomb, zip_of},
    reading::{counts, fixture, items, items_of, options},
};
use evoke_import::{ImportError, Item};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const CHAT: &str = "telegram/chatpack__telegram_simple.json";

fn ids(items: Vec<Item>) -> Vec<evoke_message::MessageId> {
    items.into_iter().filter_map(|i| if let Item::Message(m) = i { Some(m.id) } else { None }).collect()
}

fn notes(items: &[Item]) -> Vec<&str> {
    items.iter().filter_map(|i| if let Item::Note(n) = i { Some(n.as_str()) } else { None }).collect()
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gz_of(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn folder_of(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

#[test]
fn every_container_holds_the_same_export() {
    let json = fs::read(fixture(CHAT)).unwrap();
    let expected = ids(items(&fixture(CHAT), &options()).unwrap());
    assert!(!expected.is_empty());
    let long = format!("{}/result.json", "a long folder name/".repeat(12));
    let zip = zip_of(&[("Telegram/result.json", &json)], CompressionMethod::Deflated);
    let tar = tar_of(&[("./Telegram/result.json", &json), ("Telegram/photo.jpg", b"jpg")]);
    for (name, bytes) in [
        ("export.tar", tar.clone()),
        ("export.tar.gz", gz_of(&tar)),
        ("export.tgz", gz_of(&tar)),
        ("no ending", gz_of(&tar)),
        ("wrong.pdf", zip.clone()),
        ("result.json.gz", gz_of(&json)),
        ("result.json", gz_of(&json)),
        ("export.zip.gz", gz_of(&zip)),
        ("long.tar", tar_of(&[(&long, &json)])),
        ("zips.tar.gz", gz_of(&tar_of(&[("a.zip", &zip)]))),
        ("tar.zip", zip_of(&[("a.tgz", &gz_of(&tar))], CompressionMethod::Deflated)),
        (
            "deep.zip",
            zip_of(&[("b.zip", &zip_of(&[("c.zip", &zip)], CompressionMethod::Stored))], CompressionMethod::Deflated),
        ),
    ] {
        assert_eq!(ids(items_of(name, &bytes).unwrap()), expected, "{name}");
    }
}

#[test]
fn a_zip_with_64_bit_sizes_and_backslashes_is_read() {
    let json = fs::read(fixture(CHAT)).unwrap();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("Telegram\\result.json", SimpleFileOptions::default().large_file(true)).unwrap();
    zip.write_all(&json).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert_eq!(ids(items_of("a.zip", &bytes).unwrap()), ids(items(&fixture(CHAT), &options()).unwrap()));
}

#[test]
fn names_in_a_code_page_are_read() {
    // "Grüße.md" and "Übung.md" in code page 437, "日記メモ.md" in Shift_JIS.
    for (raw, name) in [
        (&b"Gr\x81\xe1e.md"[..], "Grüße"),
        (b"\x9abung.md", "Übung"),
        (b"\x93\xfa\x8bL\x83\x81\x83\x82.md", "日記メモ"),
    ] {
        let stand_in = "x".repeat(raw.len());
        let mut zip = zip_of(&[(&stand_in, b"a note")], CompressionMethod::Stored);
        for at in 0..zip.len() - raw.len() {
            if zip[at..].starts_with(stand_in.as_bytes()) {
                zip[at..at + raw.len()].copy_from_slice(raw);
            }
        }
        let items = items_of("notes.zip", &zip).unwrap();
        assert!(items.iter().any(|i| matches!(i, Item::Conversation(c) if c.title == name)), "{name}: {items:?}");
    }
}

#[test]
fn parts_of_one_export_are_one_tree() {
    let json = fs::read(fixture("chatgpt/polylogue__native-conversation-v1.json")).unwrap();
    let json = String::from_utf8(json).unwrap().replace("fixture-input-image", "file-abc");
    let one = zip_of(&[("Takeout/conversations.json", json.as_bytes())], CompressionMethod::Deflated);
    let two = zip_of(&[("Takeout/file-abc-cat.png", b"png")], CompressionMethod::Deflated);
    let names = ["takeout-20240101T000000Z-001.zip", "takeout-20240101T000000Z-002.zip"];
    let folder = folder_of(&[(names[0], &one), (names[1], &two), ("thesis.xyz", b"other")]);
    let found = items(folder.path(), &options()).unwrap();
    let attached = found.iter().filter_map(|i| if let Item::Message(m) = i { Some(&m.attachments) } else { None });
    let paths: Vec<_> = attached.flatten().filter_map(|a| a.path.as_deref()).collect();
    assert_eq!(paths, ["Takeout/file-abc-cat.png"]);
    // One of them alone: it says that there is more.
    let found = items(&folder.path().join(names[0]), &options()).unwrap();
    assert!(notes(&found).iter().any(|n| n.contains(names[1])), "{:?}", notes(&found));
}

#[test]
fn two_exports_in_one_folder_are_both_read_and_other_zips_left_alone() {
    let telegram = fs::read(fixture(CHAT)).unwrap();
    let claude = fs::read(fixture("claude_ai/chatlectify__claude_export.json")).unwrap();
    let folder = folder_of(&[
        ("notes.md", b"a note"),
        ("chat.zip", &zip_of(&[("result.json", &telegram)], CompressionMethod::Deflated)),
        ("claude.tgz", &gz_of(&tar_of(&[("conversations.json", &claude)]))),
        ("project.zip", &zip_of(&[("README.md", b"not a note of mine")], CompressionMethod::Deflated)),
        ("broken.zip", b"PK\x03\x04 half a download"),
    ]);
    let found = items(folder.path(), &options()).unwrap();
    let mut sources: Vec<_> =
        found.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.source.as_str()) } else { None }).collect();
    sources.dedup();
    sources.sort_unstable();
    assert_eq!(sources, ["claude", "markdown", "telegram"]);
    let (_, _, failed) = counts(&found);
    assert_eq!(failed, 1, "the broken zip");
    assert!(notes(&found).iter().any(|n| n.contains("project.zip")), "{:?}", notes(&found));
}

#[test]
fn what_no_format_knows_is_told() {
    let telegram = fs::read(fixture(CHAT)).unwrap();
    let folder = folder_of(&[
        ("result.json", &telegram),
        ("a.json", b"{\"points\":[]}"),
        ("b.json", b"{\"points\":[]}"),
        ("c.db", b"SQLite format 3\0"),
        ("photo.jpg", b"jpg"),
        ("empty.bin", b""),
    ]);
    let found = items(folder.path(), &options()).unwrap();
    assert_eq!(
        notes(&found),
        ["3 files were not read, because no format knows them (2 .json, 1 .db): a.json, b.json, c.db."]
    );
}

fn refused(name: &str, bytes: &[u8]) {
    let error = items_of(name, bytes).expect_err(name);
    assert!(matches!(error, ImportError::Hostile(_)), "{name}: {error}");
}

#[test]
fn hostile_tars_are_refused() {
    for path in ["../result.json", "/etc/result.json", "a/../../result.json"] {
        let stand_in = "x".repeat(path.len());
        let mut tar = tar_of(&[(&stand_in, b"[]")]);
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(&tar[..512]);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar[..512].copy_from_slice(header.as_bytes());
        refused("a.tar", &tar);
        refused("a.tgz", &gz_of(&tar));
    }
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "result.json", "/etc/passwd").unwrap();
    refused("a.tar", &tar.into_inner().unwrap());
}

#[test]
fn bombs_in_gzip_are_stopped() {
    let zeros = vec![b' '; 70 << 20];
    let bomb = gz_of(&tar_of(&[("conversations.json", &bomb(70 << 20))]));
    assert!(bomb.len() < 1 << 20);
    refused("a.tgz", &bomb);
    refused("a.zip", &zip_of(&[("a.tgz", &bomb)], CompressionMethod::Stored));
    let chat = fs::read(fixture(CHAT)).unwrap();
    let one = gz_of(&[chat.as_slice(), &zeros].concat());
    refused("result.json.gz", &one);
}

#[test]
fn half_a_tar_gives_what_is_there() {
    let chat = fs::read(fixture(CHAT)).unwrap();
    let tar = tar_of(&[("a/result.json", &chat), ("b/conversations.json", &vec![b' '; 50_000]), ("c/x.md", b"later")]);
    let expected = counts(&items(&fixture(CHAT), &options()).unwrap()).0;
    for bytes in [tar[..tar.len() - 10_000].to_vec(), gz_of(&tar[..tar.len() - 10_000])] {
        let found = items_of("half", &bytes).unwrap();
        let (kept, _, failed) = counts(&found);
        assert_eq!(kept, expected);
        assert!(failed > 0 || !notes(&found).is_empty(), "{found:?}");
    }
    // Cut inside of the compressed stream.
    let noise: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let gz = gz_of(&tar_of(&[("a/result.json", &chat), ("b/noise.bin", &noise)]));
    let found = items_of("half.tgz", &gz[..gz.len() / 2]).unwrap();
    assert_eq!(counts(&found).0, expected);
    assert!(counts(&found).2 > 0, "nothing says that it is cut");
}

#[test]
fn a_missing_path_is_not_found() {
    assert!(matches!(items(Path::new("no/such.tgz"), &options()), Err(ImportError::NotFound { .. })));
}

#[test]
fn the_time_of_a_file_in_a_zip_is_better_than_none() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let then = zip::DateTime::from_date_and_time(2021, 5, 6, 7, 8, 10).unwrap();
    zip.start_file("a.md", SimpleFileOptions::default().last_modified_time(then)).unwrap();
    zip.write_all(b"x").unwrap();
    let items = items_of("v.zip", &zip.finish().unwrap().into_inner()).unwrap();
    let time = items.iter().find_map(|i| if let Item::Message(m) = i { Some(m.time) } else { None });
    assert_eq!(time, Some(1_620_284_890_000));
}
