//! Writes `docs/formats.md`: every format that is read, how its export is got, and what came of the samples in
//! `tests/fixtures`. `cargo run -p evoke-import --example formats > docs/formats.md`; a test holds the two equal.

use evoke_import::{FORMATS, Format, Item, Limits, Options, read};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

/// The present, and the time of every file: what has no time of its own gets it or one soon after it.
const NOW: i64 = 1_800_000_000_000;

/// What came of a folder's samples.
#[derive(Default)]
struct Told {
    samples: u64,
    messages: u64,
    skipped: BTreeMap<String, u64>,
    failed: u64,
    /// First and last, where messages say when they were written.
    times: Option<(i64, i64)>,
}

impl Told {
    fn add(&mut self, item: &Item) {
        match item {
            Item::Message(m) => {
                self.messages += 1;
                // Later are those that have their time from the file, which is of NOW.
                if m.time < NOW {
                    let (first, last) = self.times.unwrap_or((m.time, m.time));
                    self.times = Some((first.min(m.time), last.max(m.time)));
                }
            }
            Item::Skipped { reason, .. } => *self.skipped.entry(reason.to_string()).or_default() += 1,
            Item::Failed(_) => self.failed += 1,
            Item::Conversation(_) | Item::Contact(_) | Item::Note(_) | Item::DateOrder { .. } => {}
        }
    }

    fn row(&self, folder: &str) -> String {
        let time = |t: i64| Timestamp::from_millisecond(t).map_or_else(|_| "?".to_owned(), |t| t.to_string());
        let skipped: Vec<String> =
            self.skipped.iter().map(|(reason, n)| format!("{n} {}", reason.replace('|', "\\|"))).collect();
        let skipped = if skipped.is_empty() { "0".to_owned() } else { skipped.join("; ") };
        let (first, last) = self.times.map_or(("–".to_owned(), "–".to_owned()), |(a, b)| (time(a), time(b)));
        format!(
            "| {folder} | {} | {} | {skipped} | {} | {first} | {last} |\n",
            self.samples, self.messages, self.failed
        )
    }
}

/// Every sample, by its folder: a file or a folder that is imported by itself.
fn samples(fixtures: &Path) -> Vec<(String, PathBuf)> {
    let inside = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| !p.ends_with("SOURCES.md")).collect();
        paths.sort();
        paths
    };
    let folders = inside(fixtures).into_iter().filter(|p| p.is_dir() && !p.ends_with("LICENSES"));
    folders
        .flat_map(|folder| {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            inside(&folder).into_iter().map(move |path| (name.clone(), path))
        })
        .collect()
}

/// The samples in another place, where the times of files do not depend on when they were fetched.
fn copied(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copied(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    fs::copy(from, to)?;
    fs::File::options().write(true).open(to)?.set_modified(UNIX_EPOCH + Duration::from_millis(NOW as u64))
}

/// By format and folder.
fn told(fixtures: &Path) -> BTreeMap<(&'static str, String), Told> {
    let options = Options { zone: TimeZone::UTC, now: NOW, day_first: None, limits: Limits::default() };
    let mut all: BTreeMap<_, Told> = BTreeMap::new();
    for (folder, path) in samples(fixtures) {
        let mut items = Vec::new();
        let mut sink = |item| {
            items.push(item);
            ControlFlow::Continue(())
        };
        let Ok(formats) = read(&path, &options, &mut sink, &mut |_, _| ()) else { continue };
        let Some(first) = formats.first() else { continue };
        let told = all.entry((first.key, folder)).or_default();
        told.samples += 1;
        items.iter().for_each(|item| told.add(item));
    }
    all
}

fn section(format: &Format, told: &BTreeMap<(&'static str, String), Told>) -> String {
    let mut page = String::new();
    let _ = write!(page, "\n## {}\n\n`{}`, {:?}. {}\n\n", format.label, format.key, format.kind, format.how_to_export);
    let rows: String =
        told.iter().filter(|((key, _), _)| *key == format.key).map(|((_, f), told)| told.row(f)).collect();
    if rows.is_empty() {
        page += "No sample of its own; its tests write what they read.\n";
    } else {
        page += "| samples in | samples | messages | skipped | failed | first | last |\n| --- | --: | --: | --- | --: | --- | --- |\n";
        page += &rows;
    }
    page
}

/// The whole of `docs/formats.md`.
pub(crate) fn page() -> io::Result<String> {
    let folder = tempfile::tempdir()?;
    let fixtures = folder.path().join("fixtures");
    copied(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures"), &fixtures)?;
    let told = told(&fixtures);
    let head = "# What can be imported\n\nWritten by `cargo run -p evoke-import --example formats`. Formats stand in the order in which they are tried. \
                Of each folder of samples in `tests/fixtures`: what was read, left out and why, and lost; times are UTC, wall times read as if they were.\n";
    Ok(head.to_owned() + &FORMATS.iter().map(|format| section(format, &told)).collect::<String>())
}

#[allow(clippy::print_stdout, dead_code)]
fn main() -> io::Result<()> {
    print!("{}", page()?);
    Ok(())
}
