//! Reads an export from bytes or from the fixtures, and writes what came of it on one line a record.

use evoke_import::{ImportError, Item, Limits, Options, read};
use jiff::tz::TimeZone;
use std::{
    env, fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

pub(crate) fn options() -> Options {
    Options { zone: TimeZone::UTC, now: 1_800_000_000_000, day_first: None, limits: Limits::default() }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

/// Every item of an export.
pub(crate) fn items(path: &Path, options: &Options) -> Result<Vec<Item>, ImportError> {
    keep(path);
    let mut items = Vec::new();
    let mut sink = |item| {
        items.push(item);
        ControlFlow::Continue(())
    };
    read(path, options, &mut sink, &mut |done, total| assert!(done <= total))?;
    Ok(items)
}

/// With `EVOKE_KEEP_SAMPLES=folder` what tests import is kept there, for the fuzzer; damage it does itself.
fn keep(path: &Path) {
    let Some(folder) = env::var_os("EVOKE_KEEP_SAMPLES").map(PathBuf::from) else { return };
    let test = thread::current().name().unwrap_or_default().replace("::", "-");
    let damages = ["damage", "cut", "flip", "hostile", "large", "ends", "fuzz", "fixture"];
    if damages.iter().any(|word| test.contains(word)) {
        return;
    }
    let places = (0..30).map(|n| folder.join(format!("{test}-{n}")));
    if let Some(place) =
        places.into_iter().find(|place| fs::create_dir_all(&folder).is_ok() && fs::create_dir(place).is_ok())
    {
        copy(path, &place.join(path.file_name().unwrap_or_default()));
    }
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        return drop(fs::copy(from, to));
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// The same for a file of this name and content, written at [`Options::now`].
pub(crate) fn items_of(name: &str, bytes: &[u8]) -> Result<Vec<Item>, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(options().now as u64);
    fs::File::options().write(true).open(&path).unwrap().set_modified(now).unwrap();
    items(&path, &options())
}

/// How many records were kept, skipped and failed.
pub(crate) fn counts(items: &[Item]) -> (usize, usize, usize) {
    let count = |fits: fn(&Item) -> bool| items.iter().filter(|i| fits(i)).count();
    (
        count(|i| matches!(i, Item::Message(_))),
        count(|i| matches!(i, Item::Skipped { .. })),
        count(|i| matches!(i, Item::Failed(_))),
    )
}

pub(crate) fn shown(items: &[Item]) -> String {
    items.iter().map(|item| line(item) + "\n").collect()
}

fn line(item: &Item) -> String {
    match item {
        Item::Conversation(c) => {
            format!("# {:?} {} {:?} [{}] {}", c.kind, c.key, c.title, c.participants.join(", "), c.id)
        }
        Item::Skipped { reason, place } => format!("- skipped: {reason} ({} {})", place.file, place.at),
        Item::Failed(broken) => format!("- failed: {} ({} {})", broken.reason, broken.place.file, broken.place.at),
        Item::Note(note) => format!("- note: {note}"),
        Item::DateOrder { day_first } => format!("- dates: day first {day_first}"),
        Item::Contact(c) => format!(
            "@ {} {:?} {:?} {:?} {:?}{}",
            c.key,
            c.name,
            c.numbers,
            c.addresses,
            c.handles,
            if c.me { " me" } else { "" }
        ),
        Item::Message(m) => {
            let time = jiff::Timestamp::from_millisecond(m.time).unwrap();
            let flags = [
                (!m.active, " inactive"),
                (!m.zone_known, " wall"),
                (m.edited.is_some(), " edited"),
                (m.reply_to.is_some(), " reply"),
            ];
            let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
            let files: String = m
                .attachments
                .iter()
                .map(|a| format!(" <{}{}>", a.name, a.missing.as_ref().map_or(String::new(), |m| format!(": {m}"))))
                .collect();
            let said: String = m.documents.iter().map(|d| format!(" <{} says {:?}>", d.file, d.text)).collect();
            let me = if m.sender.me { "*" } else { "" };
            format!(
                "{} {} {:?}{flags} {me}{} ({}): {:?}{files}{said} @{} {}",
                m.order, time, m.part, m.sender.name, m.sender.key, m.text, m.place.at, m.id
            )
        }
    }
}
