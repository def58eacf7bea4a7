//! Whole vaults in, messages out: the fixtures, edits, damage, and what is left out.

use crate::{Item, Limits, Options};
use evoke_message::{Message, MessageId};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    fmt::Write,
    fs::{self, File},
    ops::ControlFlow,
    path::Path,
    time::{Duration, SystemTime},
};
use walkdir::WalkDir;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/markdown");

fn options() -> Options {
    Options {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        now: 1_795_219_200_000,
        day_first: None,
        limits: Limits::default(),
    }
}

fn items(path: &Path) -> Vec<Item> {
    let mut items = Vec::new();
    let mut keep = |item| {
        items.push(item);
        ControlFlow::Continue(())
    };
    // A file without a single byte is an error of its own.
    let known = crate::read(path, &options(), &mut keep, &mut |_, _| {});
    assert!(known.is_ok_and(|formats| formats[0].key == "markdown") || items.is_empty());
    items
}

/// Writes files, changed on 1 March 2024, and reads the folder they are in.
fn vault(files: &[(&str, &[u8])]) -> Vec<Item> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("Vault");
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_290_800);
        File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
    }
    items(&root)
}

fn messages(items: &[Item]) -> Vec<&Message> {
    items.iter().filter_map(|item| if let Item::Message(m) = item { Some(&**m) } else { None }).collect()
}

fn ids(items: &[Item]) -> Vec<MessageId> {
    messages(items).iter().map(|m| m.id).collect()
}

/// One line an item.
fn listed(items: &[Item]) -> String {
    let mut out = String::new();
    for item in items {
        match item {
            Item::Conversation(c) => writeln!(out, "{:?} {:?} {:?}", c.kind, c.title, c.key),
            Item::Skipped { reason, place } => writeln!(out, "skipped {} {}: {reason}", place.file, place.at),
            Item::Failed(broken) => {
                writeln!(out, "failed {} {}: {}", broken.place.file, broken.place.at, broken.reason)
            }
            Item::Note(note) => writeln!(out, "note: {note}"),
            Item::DateOrder { .. } => Ok(()),
            Item::Contact(c) => writeln!(out, "contact {} {}", c.key, c.name),
            Item::Message(m) => {
                let time = Timestamp::from_millisecond(m.time).unwrap();
                let files = m.attachments.iter().map(|a| (&a.name, a.path.as_ref().or(a.missing.as_ref()).unwrap()));
                let files: Vec<_> = files.map(|(name, state)| format!(" [{name}: {state}]")).collect();
                writeln!(out, "{} {time} ({:?}) {:?}{}", m.place.at, m.time_original, m.text, files.concat())
            }
        }
        .unwrap();
    }
    out
}

#[test]
fn fixtures() {
    let files: Vec<_> = WalkDir::new(FIXTURES)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|e| e.file_type().is_file())
        .collect();
    let inner = |path: &Path| path.strip_prefix(FIXTURES).unwrap().to_str().unwrap().to_owned();
    let read: Vec<_> = files
        .iter()
        .map(|e| (inner(e.path()), fs::read(e.path()).unwrap()))
        .filter(|(path, _)| path != "SOURCES.md")
        .collect();
    let all: Vec<_> = read.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
    insta::assert_snapshot!(listed(&vault(&all)));
}

#[test]
fn a_vault_of_everything() {
    let long = format!(
        "# Plan\n\nbefore\n\n## Morning\n{}\n\n```\n# no heading\n```\n\n## Evening ^e1\n\n![[pics/sea.png|300]] [[Other]] %% hidden %%\n",
        "walk ".repeat(320)
    );
    insta::assert_snapshot!(listed(&vault(&[
        (".obsidian/app.json", b"{}"),
        (".trash/old.md", b"gone"),
        ("2024-01-31.md", b"daily"),
        ("2024-02-01 Thu.md", b"---\ncreated: 2024-02-01T08:15\n---\ndaily with a time"),
        ("2024/02/02.md", b"daily in folders"),
        ("Empty.md", b"\n\n"),
        ("Only properties.md", b"---\nauthor: Ursula K. Le Guin\nrating: 5\n---\n"),
        ("Only ids.md", b"---\nid: 12\n---\n"),
        ("Drawing.excalidraw.md", b"noise"),
        ("Templates/Daily.md", b"# {{date}}"),
        ("Plan.md", long.as_bytes()),
        ("pics/sea.png", b"png"),
        ("binary.md", &[0, 1, 2, 255, 0, 0]),
        ("data.md", b"{\"a\": [1, 2]}"),
        ("utf16.md", &"\u{feff}# Gr\u{fc}\u{df}e".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        ("latin1.md", b"Viele Gr\xfc\xdfe aus K\xf6ln"),
        ("callout.markdown", b"> [!note] Call\n> out #tag\n\nkey:: value\n- [ ] task\n"),
    ])));
}

#[test]
fn one_file_is_a_note_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("2024-01-31 Wed.md");
    fs::write(&path, "hello").unwrap();
    insta::assert_snapshot!(listed(&items(&path)));
}

#[test]
fn an_edited_piece_is_the_same_message() {
    let text =
        |middle: &str| format!("# A\n\n{}\n\n## B\n\n{middle}\n\n## B\n\nlast", "word ".repeat(300)).into_bytes();
    let (before, after) = (vault(&[("n.md", &text("old"))]), vault(&[("n.md", &text("new"))]));
    assert_eq!(ids(&before), ids(&after));
    assert_eq!(ids(&before).iter().collect::<BTreeSet<_>>().len(), 3);
    let changed = messages(&before).iter().zip(messages(&after)).filter(|(a, b)| a.text != b.text).count();
    assert_eq!(changed, 1);
}

#[test]
fn a_note_that_grows_keeps_its_first_id() {
    let short = ids(&vault(&[("n.md", b"# A\n\ntext")]));
    let long = ids(&vault(&[("n.md", format!("# A\n\ntext\n\n## B\n\n{}", "word ".repeat(400)).as_bytes())]));
    assert_eq!((short.len(), long.len(), short[0]), (1, 2, long[0]));
}

#[test]
fn a_zip_of_a_vault_is_the_vault() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Vault (1).zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    zip.start_file("Vault/a/n.md", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"hello").unwrap();
    zip.finish().unwrap();
    assert_eq!(ids(&items(&path)), ids(&vault(&[("a/n.md", b"hello")])));
    assert_eq!(ids(&items(&path)), ids(&vault(&[("a/n.md", b"edited"), (".obsidian/app.json", b"{}")])));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_harms_one_note(at in 0usize..3000, flip in 1u8.., cut in 0usize..3000) {
        let text = format!("---\ntags: [a]\ncreated: 2024-01-31\n---\n# A\n\n{}\n\n```\ncode\n```\n\n## B\n\n[[x.png]]\n", "wörd ".repeat(300));
        let mut bytes = text.into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        bytes.truncate(cut.max(1));
        let items = vault(&[("damaged.md", &bytes), ("whole.md", b"whole")]);
        let (whole, ids) = (ids(&vault(&[("whole.md", b"whole")])), ids(&items));
        prop_assert_eq!(ids.last(), whole.last());
        prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn noise_does_not_stop_it(noise in prop::collection::vec(any::<u8>(), 1..600), marks in "[-#`%<!>\n \\[\\]()|+=:{}\"]{0,400}") {
        let items = vault(&[("a.md", &noise), ("b.md", marks.as_bytes()), ("c.md", b"whole")]);
        prop_assert!(items.iter().filter(|i| !matches!(i, Item::Conversation(_) | Item::Note(_))).count() >= 3 || marks.is_empty());
    }

    /// Every word of a note is in one of its pieces.
    #[test]
    fn no_word_is_lost(words in prop::collection::vec("(w[0-9]{4})( |\n|\n\n|\n# H |\n\n## H )", 1..600)) {
        let text = words.concat();
        let items = vault(&[("a.md", text.as_bytes())]);
        let read = messages(&items).iter().map(|m| m.text.as_str()).collect::<Vec<_>>().join("\n");
        for word in text.split_whitespace().filter(|w| w.starts_with('w')) {
            prop_assert!(read.contains(word), "{word}");
        }
    }
}
