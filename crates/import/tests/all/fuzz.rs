//! Every format against damage: all fixtures are seeds, by folder and by file, and each is cut, flipped, spliced,
//! doubled, shuffled and written in wrong encodings. Whatever comes of it: nothing panics, nothing hangs, what is
//! handed out fits together, and the same input gives the same ids.
//!
//! Formats and seeds are found, not listed: a new row in `FORMATS` and a new folder of fixtures are taken up.
//! The test of every day is short. `EVOKE_FUZZ_SECONDS=600` runs so long for each format (`EVOKE_FUZZ_FORMAT=telegram`
//! for one), beginning at round `EVOKE_FUZZ_ROUND`; `EVOKE_FUZZ_CASE="telegram/a.json#17"` runs one case again and
//! keeps its file. A case is its seed and its round alone, so that it is the same on every machine.

use crate::{
    hostile::zip_of,
    reading::{counts, fixture, options},
};
use evoke_import::{FORMATS, Item, document_text, read};
use std::{
    collections::{BTreeMap, HashSet},
    env, fs,
    io::Read,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// The short run: rounds over all seeds, and the time after which no new case begins.
const ROUNDS: u64 = 6;
const SHORT: Duration = Duration::from_secs(9);
/// A case that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(30);
/// Larger fixtures are left to the tests of their formats.
const LARGEST: usize = 512 << 10;
const MOST_FILES: usize = 40;

/// Files that are imported together.
#[derive(Clone)]
struct Seed {
    name: String,
    files: Vec<(String, Vec<u8>)>,
    /// How they are handed over.
    form: Form,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    File,
    Folder,
    Zip,
}

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn of(name: &str, round: u64) -> Self {
        Self(name.bytes().fold(round ^ 0x9e37_79b9, |all, b| all.wrapping_mul(0x0100_0000_01b3) ^ u64::from(b)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

fn files_below(folder: &Path, inside: &str, files: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = format!("{inside}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            files_below(&path, &format!("{name}/"), files);
        } else if !name.ends_with("SOURCES.md") {
            files.push((name, fs::read(&path).unwrap()));
        }
    }
}

/// Every file alone, what is in a zip, and every folder as a whole.
fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut folders: Vec<_> =
        fs::read_dir(fixture("")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    for folder in folders {
        let group = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mut files = Vec::new();
        if group != "LICENSES" {
            files_below(&folder, "", &mut files);
        }
        files.retain(|(_, bytes)| bytes.len() <= LARGEST);
        for (name, bytes) in &files {
            let seed = |what: &str, form, files| Seed { name: format!("{group}/{name}{what}"), files, form };
            let file_name = name.rsplit('/').next().unwrap().to_owned();
            seeds.push(seed("", Form::File, vec![(file_name, bytes.clone())]));
            if let Some(inner) = unzipped(bytes) {
                seeds.push(seed("/*", Form::Zip, inner));
            }
        }
        let mut inner: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
        for (name, bytes) in &files {
            if let Some((top, rest)) = name.split_once('/') {
                inner.entry(top.to_owned()).or_default().push((rest.to_owned(), bytes.clone()));
            }
        }
        inner.insert(String::new(), files);
        for (top, files) in inner {
            if (2..=MOST_FILES).contains(&files.len()) {
                seeds.push(Seed { name: format!("{group}/{top}/"), files, form: Form::Folder });
            }
        }
    }
    seeds
}

fn unzipped(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).ok()?;
    let mut files = Vec::new();
    for n in 0..zip.len().min(MOST_FILES) {
        let mut file = zip.by_index(n).ok()?;
        let mut bytes = Vec::new();
        if file.is_file() && file.size() < LARGEST as u64 && file.read_to_end(&mut bytes).is_ok() {
            files.push((file.name().unwrap().into_owned(), bytes));
        }
    }
    (!files.is_empty()).then_some(files)
}

/// One kind of damage done to a file; `others` are files to splice from.
fn damaged(mut bytes: Vec<u8>, others: &[Seed], dice: &mut Dice) -> Vec<u8> {
    let len = bytes.len();
    let at = dice.below(len);
    match dice.below(12) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(..at)),
        2 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(len);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
        }
        3 => {
            let end = at + dice.below((len - at).min(400));
            drop(bytes.drain(at..end));
        }
        4 => {
            let end = at + dice.below((len - at).min(4_000));
            let piece = bytes[at..end].to_vec();
            let times = 1 + dice.below(4);
            let to = dice.below(len);
            for _ in 0..times {
                drop(bytes.splice(to..to, piece.iter().copied()));
            }
        }
        5 => {
            let other = &others[dice.below(others.len())].files;
            let other = &other[dice.below(other.len())].1;
            let from = dice.below(other.len());
            let piece = &other[from..(from + dice.below(2_000)).min(other.len())];
            drop(bytes.splice(at..at, piece.iter().copied()));
        }
        6 => {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
            for n in (1..lines.len()).rev() {
                lines.swap(n, dice.below(n + 1));
            }
            bytes = lines.concat();
        }
        7 => {
            // Its text in another encoding than it says.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            bytes = match dice.below(4) {
                0 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                1 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                2 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
                _ => encoding_rs::SHIFT_JIS.encode(&text).0.into_owned(),
            };
        }
        8 => {
            // Numbers and marks of the grammar, where they hurt.
            let marks: [&[u8]; 14] = [
                b"\"",
                b"{",
                b"[",
                b"]}",
                b"<",
                b"&#xD83D;",
                b"\0",
                b"\xff\xfe",
                b"-1",
                b"99999999999999999999",
                b"1e999",
                b"null",
                "\u{202e}\u{feff}é".as_bytes(),
                b"\r\n\r\n",
            ];
            let mark = marks[dice.below(marks.len())];
            drop(bytes.splice(at..(at + dice.below(4)).min(len), mark.iter().copied()));
        }
        9 => {
            // A number becomes another.
            if let Some(digit) = bytes.iter_mut().skip(at).find(|b| b.is_ascii_digit()) {
                *digit = b'0' + dice.below(10) as u8;
            }
        }
        10 => {
            let depth = 1 << dice.below(14);
            let open: &[u8] = [b"[".as_slice(), b"{\"a\":", b"<a>", b"(", b"> "][dice.below(5)];
            drop(bytes.splice(at..at, open.repeat(depth)));
        }
        _ => bytes.resize(len + dice.below(5_000), dice.below(256) as u8),
    }
    bytes
}

fn case(seed: &Seed, all: &[Seed], round: u64) -> Seed {
    let mut dice = Dice::of(&seed.name, round);
    let mut case = seed.clone();
    for _ in 0..=dice.below(3) {
        let n = dice.below(case.files.len());
        let (_, bytes) = &mut case.files[n];
        *bytes = damaged(std::mem::take(bytes), all, &mut dice);
    }
    case
}

/// Writes a case below `folder`, and says what is to be imported.
fn written(case: &Seed, folder: &Path) -> std::path::PathBuf {
    match case.form {
        Form::File => {
            let path = folder.join(&case.files[0].0);
            fs::write(&path, &case.files[0].1).unwrap();
            path
        }
        Form::Zip => {
            let files: Vec<_> = case.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            fs::write(folder.join("export.zip"), zip_of(&files, zip::CompressionMethod::Stored)).unwrap();
            folder.join("export.zip")
        }
        Form::Folder => {
            for (name, bytes) in &case.files {
                let path = folder.join("export").join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            folder.join("export")
        }
    }
}

/// What was imported, or nothing where it was refused. Everything that must hold is asserted here.
fn imported(path: &Path) -> (Vec<Item>, Vec<&'static str>) {
    let mut items = Vec::new();
    let mut sink = |item| {
        items.push(item);
        ControlFlow::Continue(())
    };
    let mut before = 0;
    let mut progress = |done, total| {
        assert!(done <= total, "progress of {done} in {total}");
        assert!(before <= done, "progress goes back");
        before = done;
    };
    let known = read(path, &options(), &mut sink, &mut progress);
    let mut known: Vec<_> = match known {
        Ok(known) => known.into_iter().map(|format| format.key).collect(),
        Err(_) => Vec::new(),
    };
    known.dedup();
    fits_together(&items);
    let (kept, skipped, failed) = counts(&items);
    assert!(known.is_empty() || kept + skipped + failed > 0, "read without a single record");
    (items, known)
}

fn fits_together(items: &[Item]) {
    let mut conversations = HashSet::new();
    for item in items {
        match item {
            Item::Conversation(c) => {
                assert!(!c.key.is_empty() && !c.source.is_empty());
                conversations.insert(c.id);
            }
            Item::Message(m) => {
                assert!(conversations.contains(&m.conversation), "a message before its conversation: {:?}", m.place);
                assert!(!m.source.is_empty() && !m.sender.key.is_empty(), "{:?}", m.place);
                assert!(m.attachments.iter().all(|a| a.path.is_none() || a.missing.is_none()));
            }
            Item::Skipped { reason, .. } => assert!(!reason.is_empty()),
            Item::Failed(broken) => assert!(!broken.reason.is_empty()),
            Item::Note(note) => assert!(!note.is_empty()),
            Item::DateOrder { .. } => {}
            Item::Contact(c) => assert!(!c.key.is_empty()),
        }
    }
}

fn check(case: &Seed, folder: &Path) {
    let path = written(case, folder);
    let ids = |items: &[Item]| -> Vec<_> {
        let id = |i: &Item| if let Item::Message(m) = i { Some((m.id, m.conversation)) } else { None };
        items.iter().filter_map(id).collect()
    };
    let (first, _) = imported(&path);
    let (second, _) = imported(&path);
    assert_eq!(ids(&first), ids(&second), "importing twice gives other ids");
    assert_eq!(counts(&first), counts(&second));
    if let [(name, bytes)] = case.files.as_slice() {
        let _ = document_text(name, bytes);
    }
}

/// Runs cases until there are no more; a failure is remembered, a case that hangs ends the test.
fn run(cases: impl Iterator<Item = (usize, u64)> + Send + 'static, seeds: Arc<Vec<Seed>>) -> (u64, Vec<String>) {
    let now: Arc<Mutex<(String, Instant)>> = Arc::new(Mutex::new((String::new(), Instant::now())));
    let watched = now.clone();
    let work = thread::spawn(move || {
        let (mut done, mut failures) = (0, Vec::new());
        for (n, round) in cases {
            let seed = &seeds[n];
            let name = format!("{}#{round}", seed.name);
            *now.lock().unwrap() = (name.clone(), Instant::now());
            let folder = tempfile::tempdir().unwrap();
            let checked = catch_unwind(AssertUnwindSafe(|| check(&case(seed, &seeds, round), folder.path())));
            if let Err(panic) = checked {
                let words = panic.downcast_ref::<String>().cloned();
                let words = words.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                failures.push(format!("{name}: {}", words.unwrap_or_default().chars().take(300).collect::<String>()));
            }
            done += 1;
            if failures.len() >= 20 {
                break;
            }
        }
        (done, failures)
    });
    while !work.is_finished() {
        thread::sleep(Duration::from_millis(100));
        let (name, since) = watched.lock().unwrap().clone();
        assert!(since.elapsed() < LONGEST, "{name} has not ended after {LONGEST:?}");
    }
    work.join().unwrap()
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn no_damage_to_any_format_does_harm() {
    let seeds = Arc::new(seeds());
    assert!(seeds.len() > 100);
    if let Ok(wanted) = env::var("EVOKE_FUZZ_CASE") {
        let (name, round) = wanted.rsplit_once('#').unwrap();
        let seed = seeds.iter().find(|s| s.name == name).unwrap();
        let folder = tempfile::tempdir().unwrap().keep();
        eprintln!("{wanted} is in {}", folder.display());
        return check(&case(seed, &seeds, round.parse().unwrap()), &folder);
    }
    if let Some(seconds) = number("EVOKE_FUZZ_SECONDS") {
        return for_each_format(&seeds, Duration::from_secs(seconds));
    }
    let until = Instant::now() + SHORT;
    let count = seeds.len();
    let cases = (0..ROUNDS).flat_map(move |round| (0..count).map(move |n| (n, round)));
    let (done, failures) = run(cases.take_while(move |_| Instant::now() < until), seeds);
    assert!(done > 0);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Seeds by the formats that know them whole, and then each format for so long.
fn for_each_format(seeds: &Arc<Vec<Seed>>, long: Duration) {
    let mut known: BTreeMap<&str, Vec<usize>> = FORMATS.iter().map(|format| (format.key, Vec::new())).collect();
    for (n, seed) in seeds.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        for key in imported(&written(seed, folder.path())).1 {
            known.entry(key).or_default().push(n);
        }
    }
    let from = number("EVOKE_FUZZ_ROUND").unwrap_or(1_000);
    let only = env::var("EVOKE_FUZZ_FORMAT").ok();
    let mut all = Vec::new();
    for (key, seeds_of) in known.into_iter().filter(|(key, _)| only.as_ref().is_none_or(|only| only == key)) {
        if seeds_of.is_empty() {
            eprintln!("{key}: no fixture that it knows");
            continue;
        }
        let until = Instant::now() + long;
        let count = seeds_of.len();
        let cases = (from..).flat_map(move |round| seeds_of.clone().into_iter().map(move |n| (n, round)));
        let (done, failures) = run(cases.take_while(move |_| Instant::now() < until), seeds.clone());
        eprintln!("{key}: {done} cases from {count} seeds, {} failures", failures.len());
        all.extend(failures);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}
