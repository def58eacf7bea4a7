//! Every format against damage: all fixtures are seeds, by folder and by file, and their bytes, their parts, what is
//! packed in them and how they lie together are harmed. Whatever comes of it: nothing panics or overflows its stack,
//! nothing hangs, nothing takes more than 512 MiB, what is handed out fits together, and the same input gives the
//! same ids.
//!
//! Formats and seeds are found, not listed: a new row in `FORMATS` and a new folder of fixtures are taken up.
//! The test of every day is short. `EVOKE_FUZZ_SECONDS=600 cargo test -p evoke-import fuzz -- --nocapture` runs so
//! long of the processor's time for each format (`EVOKE_FUZZ_FORMAT=telegram` for one), beginning at round `EVOKE_FUZZ_ROUND`;
//! `EVOKE_FUZZ_CASE="telegram/a.json#17"` runs one case again and keeps its files. A case is its seed and its round
//! alone, so that it is the same on every machine that has the same fixtures.
//!
//! What other tests import and no fixture has can be more seeds: run them with `EVOKE_KEEP_SAMPLES=folder`, and the
//! fuzzer with `EVOKE_FUZZ_SAMPLES=folder`.

mod bombs;
mod bytes;
mod dice;
mod layout;
mod packs;
mod parts;
mod seeds;

use crate::reading::options;
use bombs::bombs;
use dice::Dice;
use evoke_import::{FORMATS, Item, document_text, read};
use evoke_message::{ConversationId, MessageId};
use seeds::{Seed, seeds, written};
use std::{
    collections::{BTreeMap, HashSet},
    env, fs,
    ops::ControlFlow,
    panic,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// The short run: rounds over all seeds, and the time after which no new case begins.
const ROUNDS: u64 = 6;
const SHORT: Duration = Duration::from_secs(9);
/// A case that takes longer hangs: of the processor's time, which is not that of others, or of all time.
const LONGEST: Duration = Duration::from_secs(30);
const LONGEST_OF_ALL: Duration = Duration::from_secs(600);
const MOST_MEMORY: u64 = 512 << 20;
const MIB: u64 = 1 << 20;
/// Files grow by damage; what is larger than this is cut.
const LARGEST: usize = 8 << 20;

/// In round 0 the seed as it is.
fn case(seed: &Seed, all: &[Seed], round: u64) -> Seed {
    let mut dice = Dice::of(&seed.name, round);
    let mut case = seed.clone();
    if round == 0 {
        return case;
    }
    for _ in 0..=dice.below(3) {
        if dice.one_in(10) {
            layout::harm(&mut case, all, &mut dice);
            continue;
        }
        let n = dice.below(case.files.len());
        let (_, bytes) = &mut case.files[n];
        *bytes = harmed(std::mem::take(bytes), all, &mut dice);
        bytes.truncate(LARGEST);
    }
    case
}

/// A file with one harm done to it; `others` are files to splice from.
fn harmed(bytes: Vec<u8>, others: &[Seed], dice: &mut Dice) -> Vec<u8> {
    if dice.one_in(3) {
        return bytes::harmed(bytes, others, dice);
    }
    if let Some(packed) = packs::inside(&bytes, others, dice) {
        return packed;
    }
    let text = std::str::from_utf8(&bytes).ok();
    match text.and_then(|text| parts::harmed(text, dice)) {
        Some(text) => text.into_bytes(),
        None => bytes::harmed(bytes, others, dice),
    }
}

/// What was imported, without its words: what is held is the importer's.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    conversations: HashSet<ConversationId>,
    messages: Vec<(MessageId, ConversationId)>,
    skipped: u64,
    failed: u64,
}

impl Seen {
    /// Everything that must hold of an item is asserted here.
    fn take(&mut self, item: &Item) {
        match item {
            Item::Conversation(c) => {
                assert!(!c.key.is_empty() && !c.source.is_empty());
                self.conversations.insert(c.id);
            }
            Item::Message(m) => {
                let known = self.conversations.contains(&m.conversation);
                assert!(known, "a message before its conversation: {:?}", m.place);
                assert!(!m.source.is_empty() && !m.sender.key.is_empty(), "{:?}", m.place);
                assert!(m.attachments.iter().all(|a| a.path.is_none() || a.missing.is_none()));
                self.messages.push((m.id, m.conversation));
            }
            Item::Skipped { reason, .. } => {
                assert!(!reason.is_empty());
                self.skipped += 1;
            }
            Item::Failed(broken) => {
                assert!(!broken.reason.is_empty());
                self.failed += 1;
            }
            Item::Note(note) => assert!(!note.is_empty()),
            Item::DateOrder { .. } => {}
            Item::Contact(c) => assert!(!c.key.is_empty()),
        }
    }
}

/// What was imported, or nothing where it was refused, and the formats that it is of.
fn imported(path: &Path) -> (Seen, Vec<&'static str>) {
    let mut seen = Seen::default();
    let mut sink = |item| {
        seen.take(&item);
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
    let records = seen.messages.len() as u64 + seen.skipped + seen.failed;
    assert!(known.is_empty() || records > 0, "read without a single record");
    (seen, known)
}

/// True where something was read.
fn check(case: &Seed, path: &Path) -> bool {
    let (first, known) = imported(path);
    let (second, _) = imported(path);
    assert!(first == second, "importing twice gives other ids or counts");
    if let [(name, bytes)] = case.files.as_slice() {
        let _ = document_text(name, bytes);
    }
    !known.is_empty()
}

/// What a case came to; its time is the processor's.
struct Cost {
    time: Duration,
    memory: u64,
    read: bool,
}

/// Largest resident memory of this process since [`forget_peak`], where the system tells.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() << 10
}

/// The processor's time that this process has used, where the system tells.
fn used() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(10 * ticks.filter_map(|n| n.parse::<u64>().ok()).sum::<u64>())
}

fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// What the last panic of a case said, and where.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Panics of cases are remembered, those that an importer expects of others' code (a PDF's) are not shown.
fn remember_panics() {
    let shown = panic::take_hook();
    panic::set_hook(Box::new(move |info| match thread::current().name() {
        Some(name) if name.contains('#') => *PANIC.lock().unwrap() = info.to_string(),
        Some("pdf") => {}
        _ => shown(info),
    }));
}

/// One case in a thread that bears its name, so that an overflow of its stack tells which one it was. A case that
/// hangs or takes too much memory ends the test.
fn one(seeds: &Arc<Vec<Seed>>, n: usize, round: u64) -> Result<Cost, String> {
    let name = format!("{}#{round}", seeds[n].name);
    let folder = tempfile::tempdir().unwrap();
    let (seeds, path) = (seeds.clone(), folder.path().to_owned());
    let (tell, told) = mpsc::channel();
    let work = move || {
        let case = case(&seeds[n], &seeds, round);
        let path = written(&case, &path);
        forget_peak();
        let before = used();
        let read = check(&case, &path);
        let _ = tell.send(Cost { time: used() - before, memory: peak(), read });
    };
    let (started, before) = (Instant::now(), used());
    let thread = thread::Builder::new().name(name.clone()).spawn(work).unwrap();
    let cost = loop {
        match told.recv_timeout(Duration::from_millis(100)) {
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let hangs = used() - before > LONGEST || started.elapsed() > LONGEST_OF_ALL;
                assert!(!hangs, "{name} has not ended after {:?}", started.elapsed());
                assert!(peak() < 2 * MOST_MEMORY, "{name} takes more than {} MiB", peak() / MIB);
            }
            other => break other.ok(),
        }
    };
    let panicked = thread.join().is_err();
    match cost {
        Some(cost) if cost.memory <= MOST_MEMORY => Ok(cost),
        _ => {
            let words = if panicked { PANIC.lock().unwrap().clone() } else { "takes too much memory".to_owned() };
            let words: String = words.chars().take(600).collect();
            Err(format!("{name}: {words} (its files: {})", folder.keep().display()))
        }
    }
}

/// What many cases came to.
#[derive(Default)]
struct Told {
    done: u64,
    read: u64,
    slowest: (Duration, String),
    largest: (u64, String),
    failures: Vec<String>,
}

fn run(cases: impl Iterator<Item = (usize, u64)>, seeds: &Arc<Vec<Seed>>) -> Told {
    let mut told = Told::default();
    for (n, round) in cases {
        told.done += 1;
        let name = || format!("{}#{round}", seeds[n].name);
        match one(seeds, n, round) {
            Ok(cost) => {
                told.read += u64::from(cost.read);
                if cost.time > told.slowest.0 {
                    told.slowest = (cost.time, name());
                }
                if cost.memory > told.largest.0 {
                    told.largest = (cost.memory, name());
                }
            }
            Err(failure) => {
                eprintln!("{failure}");
                told.failures.push(failure);
            }
        }
        if told.failures.len() >= 20 {
            break;
        }
    }
    told
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn no_damage_to_any_format_does_harm() {
    if let Some(seconds) = number("EVOKE_FUZZ_SECONDS") {
        remember_panics();
        for_each_format(&Arc::new(seeds()), Duration::from_secs(seconds));
    } else if let Ok(wanted) = env::var("EVOKE_FUZZ_CASE") {
        again(&wanted);
    } else if env::var("EVOKE_FUZZ_SHORT").is_ok() {
        remember_panics();
        short();
    } else {
        // In a process of its own, whose memory is that of the cases alone.
        let this = env::current_exe().unwrap();
        let test = ["fuzz::no_damage_to_any_format_does_harm", "--exact", "--nocapture"];
        let run = Command::new(this).args(test).env("EVOKE_FUZZ_SHORT", "1").output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

fn short() {
    let (mut seeds, bombs) = (seeds(), bombs());
    assert!(seeds.len() > 100);
    let (harmed, all) = (0..seeds.len(), seeds.len()..seeds.len() + bombs.len());
    seeds.extend(bombs);
    let seeds = Arc::new(seeds);
    let mut told = run(all.map(|n| (n, 0)), &seeds);
    let until = Instant::now() + SHORT;
    let cases = (1..=ROUNDS).flat_map(|round| harmed.clone().map(move |n| (n, round)));
    let more = run(cases.take_while(|_| Instant::now() < until), &seeds);
    assert!(more.done > 0);
    told.failures.extend(more.failures);
    assert!(told.failures.is_empty(), "{}", told.failures.join("\n"));
}

/// A case as it was, with its files kept, and every panic shown.
fn again(wanted: &str) {
    let seeds = Arc::new([seeds(), bombs()].concat());
    let (name, round) = wanted.rsplit_once('#').unwrap();
    let (n, round) = (seeds.iter().position(|s| s.name == name).unwrap(), round.parse().unwrap());
    let folder = tempfile::tempdir().unwrap().keep();
    eprintln!("{wanted} is in {}", written(&case(&seeds[n], &seeds, round), &folder).display());
    let cost = one(&seeds, n, round).unwrap();
    eprintln!("read: {}, {:.1?}, {} MiB", cost.read, cost.time, cost.memory / MIB);
}

/// Seeds by the formats that know them whole, and then each format for so long.
fn for_each_format(seeds: &Arc<Vec<Seed>>, long: Duration) {
    let only = env::var("EVOKE_FUZZ_FORMAT").ok();
    let from = number("EVOKE_FUZZ_ROUND").unwrap_or(1_000);
    let mut all = Vec::new();
    for (key, seeds_of) in by_format(seeds) {
        if only.as_ref().is_some_and(|only| only != key) {
            continue;
        }
        let (started, before) = (Instant::now(), used());
        // Of the processor's time where that is told, for others may take most of it; up to four times as long.
        let so_long = || if used() > before { used() - before } else { started.elapsed() };
        let goes_on = || so_long() < long && started.elapsed() < 4 * long;
        let count = seeds_of.len();
        let cases = (from..).flat_map(|round| seeds_of.iter().map(move |n| (*n, round)));
        let told = run(cases.take_while(|_| goes_on()), seeds);
        eprintln!(
            "{key}: {:.0?} of the processor in {:.0?}, {} cases from {count} seeds, {} of them still read, {} failures; slowest {:.1?} ({}), most memory {} MiB ({})",
            used() - before,
            started.elapsed(),
            told.done,
            told.read,
            told.failures.len(),
            told.slowest.0,
            told.slowest.1,
            told.largest.0 / MIB,
            told.largest.1,
        );
        all.extend(told.failures);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

fn by_format(seeds: &[Seed]) -> BTreeMap<&'static str, Vec<usize>> {
    let mut known: BTreeMap<&str, Vec<usize>> = FORMATS.iter().map(|format| (format.key, Vec::new())).collect();
    for (n, seed) in seeds.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        for key in imported(&written(seed, folder.path())).1 {
            known.entry(key).or_default().push(n);
        }
    }
    known
}

#[test]
fn every_format_has_a_fixture() {
    let without: Vec<&str> =
        by_format(&seeds()).into_iter().filter(|(_, seeds)| seeds.is_empty()).map(|(key, _)| key).collect();
    assert!(without.is_empty(), "no fixture in tests/fixtures is of {without:?}");
}
