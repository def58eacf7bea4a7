//! An export is remembered: read, compared with what is known, written in batches, accounted for.
//!
//! Invariant: `seen = added + updated + duplicate + skipped + failed`, whatever happens in between. What is
//! counted is `account.rs`'s, in which order it is written `batch.rs`'s.

use crate::{Memory, MemoryError, Watch, account::Account, allocator, receipts};
use evoke_import::{Item, Limits};
use evoke_message::{DryRun, MessageId, Receipt, Stage};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// Items read ahead of writing.
const AHEAD: usize = 1_024;
/// Messages, and bytes of their texts, saved between two additions to the indexes: a search while a large import runs
/// must not go through more of them one by one.
const UNINDEXED: u64 = 50_000;
const UNINDEXED_BYTES: usize = 16 << 20;
/// So many additions become one: a search looks into each. More at once would take more memory than an import may.
const ADDITIONS: usize = 8;

/// How an import is to be done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// IANA name of the zone for wall times without one; the zone shown where none is given.
    pub zone: Option<String>,
    /// Bring back what was forgotten.
    pub again: bool,
    /// Leave meaning for later: words are searchable, vectors wait.
    pub words_only: bool,
    /// What the owner of the archive is called in these exports, where they do not say it.
    pub me: Option<String>,
    /// Keep copies of pictures and recordings in the vault.
    #[serde(default)]
    pub copy_files: bool,
    /// Of dates that nothing in an export tells how to read: the day stands before the month.
    #[serde(default)]
    pub day_first: Option<bool>,
}

/// An import as it is kept: enough to go on after a kill.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Import {
    pub(crate) receipt: Receipt,
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) options: ImportOptions,
    /// Somebody said who the owner is in it, or that nobody is.
    #[serde(default)]
    pub(crate) answered: bool,
}

/// What became of an import.
pub(crate) struct Done {
    pub(crate) receipt: Receipt,
    /// Every message that it met, with the number of its file.
    pub(crate) seen: HashMap<MessageId, u32>,
}

impl Memory {
    /// Imports files and folders as one import and reads them for meaning. What was read before an
    /// error stays, and is in the receipt that `receipts` shows.
    ///
    /// # Errors
    /// `Busy` where another process writes; `Import` where nothing could be recognised.
    pub async fn import(
        &self,
        paths: &[PathBuf],
        options: &ImportOptions,
        watch: &Watch,
    ) -> Result<Receipt, MemoryError> {
        let receipt = self.save(paths, options, watch).await?;
        self.finish_import(options, watch).await?;
        Ok(receipt)
    }

    /// The first half of an import: until every message is saved.
    pub(crate) async fn save(
        &self,
        paths: &[PathBuf],
        options: &ImportOptions,
        watch: &Watch,
    ) -> Result<Receipt, MemoryError> {
        self.writer()?;
        let number = self.next_number().await?;
        let outcome = self.run(number, paths, options, watch, false).await;
        if outcome.is_err() {
            // Where nothing was written the number is free again.
            let mut numbered = self.0.numbered.lock().await;
            *numbered -= i64::from(*numbered == number);
        }
        Ok(outcome?.receipt)
    }

    /// The number of the next import. Two that start at once get different ones.
    pub(crate) async fn next_number(&self) -> Result<i64, MemoryError> {
        let mut numbered = self.0.numbered.lock().await;
        let last = self.store().imports().await?.last().map_or(0, |i| i.number);
        *numbered = last.max(*numbered) + 1;
        Ok(*numbered)
    }

    /// The second half: word index, meaning, tidying.
    pub(crate) async fn finish_import(&self, options: &ImportOptions, watch: &Watch) -> Result<(), MemoryError> {
        watch.report(Stage::Words, 0, 0);
        self.index_messages(0).await?;
        if !options.words_only {
            let active = self.active();
            self.read_waiting(&active, watch).await?;
            self.tidy(&active).await?;
        }
        watch.report(Stage::Done, 0, 0);
        Ok(())
    }

    async fn index_messages(&self, parts: usize) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        self.store().index_messages(parts).await?;
        allocator::return_memory();
        Ok(())
    }

    /// Goes on with imports that a kill or a crash cut off, and, unless words are enough, with what waits to be read.
    pub async fn resume(&self, words_only: bool, watch: &Watch) -> Result<Vec<Receipt>, MemoryError> {
        self.writer()?;
        let mut done = Vec::new();
        for open in self.store().imports().await?.into_iter().filter(|i| i.open) {
            let mut import = receipts::record(&open)?;
            match self.run(open.number, &import.paths, &import.options, watch, false).await {
                Ok(run) => done.push(run.receipt),
                // The export is no longer there: what was saved stays, and the import is closed as it is.
                Err(MemoryError::Import(error)) => {
                    let receipt = &mut import.receipt;
                    receipt.stopped = true;
                    receipt.notes.push(format!("It was interrupted and could not go on: {error}"));
                    self.count_saved(receipt);
                    self.put_import(&import, false).await?;
                    done.push(import.receipt);
                }
                Err(other) => return Err(other),
            }
        }
        if !done.is_empty() || self.waits().await? {
            self.finish_import(&ImportOptions { words_only, ..ImportOptions::default() }, watch).await?;
        }
        if !words_only {
            self.resume_building(watch).await?;
        }
        Ok(done)
    }

    /// Whether messages wait to be read by the model in use.
    pub(crate) async fn waits(&self) -> Result<bool, MemoryError> {
        Ok(!self.active().passages.waiting().await?.is_empty())
    }

    /// Imports cut off before their end.
    pub async fn interrupted(&self) -> Result<usize, MemoryError> {
        Ok(self.store().imports().await?.iter().filter(|i| i.open).count())
    }

    /// A closed import that never finished counts what it left.
    fn count_saved(&self, receipt: &mut Receipt) {
        let catalogue = self.catalogue();
        let added = catalogue.rows().iter().filter(|r| u64::from(r.import) == receipt.import).count() as u64;
        *receipt = Receipt { seen: added, added, ..std::mem::take(receipt) };
        receipt.updated = 0;
        receipt.duplicate = 0;
        receipt.skipped = 0;
        receipt.failed = 0;
        receipt.skipped_because.clear();
        receipt.failed_because.clear();
    }

    /// Reads and writes. An import that is kept up to date has been read before: what it added then is known.
    pub(crate) async fn run(
        &self,
        number: i64,
        paths: &[PathBuf],
        options: &ImportOptions,
        watch: &Watch,
        kept_up: bool,
    ) -> Result<Done, MemoryError> {
        let receipt = Receipt { import: number as u64, names: names(paths), started: self.now(), ..Receipt::default() };
        let absolute = paths.iter().map(|p| std::path::absolute(p).unwrap_or_else(|_| p.clone())).collect();
        let mut import = Import { receipt, paths: absolute, options: options.clone(), answered: false };
        let mut account = Account::new(self, number, options, self.clock(options)?);
        account.kept_up = kept_up;
        let before = self.go_on_with(&mut account, &mut import).await?;
        let mut opened = before.is_some();
        let started = std::time::Instant::now();
        let mut failure = None;
        let (mut indexed, mut unindexed, mut additions) = (0, 0, 0);
        for path in paths {
            let mut reading = Reading::start(path, self.clock(options)?.for_importers(), options.day_first, self.now());
            while let Some(item) = reading.items.recv().await {
                if !opened {
                    // Only now: an unknown file leaves no import behind.
                    self.put_import(&import, true).await?;
                    opened = true;
                }
                account.take(item);
                if account.full() {
                    unindexed += account.bytes;
                    self.write_batch(&mut account).await?;
                    let new = account.saved - indexed;
                    if new >= UNINDEXED || new > 0 && unindexed >= UNINDEXED_BYTES {
                        (indexed, unindexed) = (account.saved, 0);
                        additions += 1;
                        let parts = if additions % ADDITIONS == 0 { ADDITIONS - 1 } else { 0 };
                        self.index_messages(parts).await?;
                    }
                    watch.report(Stage::Saving, account.saved, reading.estimate(account.saved));
                    if !watch.go_on().await {
                        reading.items.close();
                        import.receipt.stopped = true;
                        break;
                    }
                }
            }
            match reading.end().await {
                Ok(formats) => account.formats.extend(formats),
                Err(error) => {
                    account.notes.push(error.to_string());
                    failure = failure.or(Some(error));
                }
            }
            if import.receipt.stopped {
                break;
            }
        }
        self.write_batch(&mut account).await?;
        if let (Some(error), false) = (failure, opened && account.saw_any()) {
            return Err(error);
        }
        let copies = self.join_import(number).await?;
        let seen = std::mem::take(&mut account.seen_here);
        if options.copy_files {
            account.notes.extend(self.copy_files(seen.keys().copied(), &import.paths, watch).await?);
        }
        account.into_receipt(&mut import.receipt, copies);
        import.receipt.took_ms = started.elapsed().as_millis() as u64;
        if let Some(before) = before.filter(|_| kept_up) {
            receipts::sum(&before, &mut import.receipt);
        }
        self.put_import(&import, false).await?;
        Ok(Done { receipt: import.receipt, seen })
    }

    /// What an import with this number did before, where there was one: after a kill, or where it is kept up.
    async fn go_on_with(&self, account: &mut Account<'_>, import: &mut Import) -> Result<Option<Receipt>, MemoryError> {
        let rows = self.store().imports().await?;
        let Some(row) = rows.iter().find(|row| row.number == account.number) else { return Ok(None) };
        let earlier = self.store().earlier(Some(account.number)).await?;
        account.changed_before = earlier.into_iter().map(|row| (row.kind, row.id)).collect();
        if account.kept_up {
            account.listed = self.store().lost(account.number).await?.len() as u64;
        } else {
            self.store().delete_lost(account.number).await?;
        }
        let before = receipts::record(row)?;
        import.answered = before.answered;
        Ok(Some(before.receipt))
    }

    /// What an import would do. Nothing is written. What cannot be read is in the notes, where anything can.
    pub async fn dry_run(&self, paths: &[PathBuf], options: &ImportOptions) -> Result<DryRun, MemoryError> {
        let mut receipt = Receipt { names: names(paths), started: self.now(), ..Receipt::default() };
        let mut account = Account::new(self, 0, options, self.clock(options)?);
        let mut failure = None;
        for path in paths {
            let mut reading = Reading::start(path, self.clock(options)?.for_importers(), options.day_first, self.now());
            while let Some(item) = reading.items.recv().await {
                account.take(item);
                if account.full() {
                    account.forget_batch().await?;
                }
            }
            match reading.end().await {
                Ok(formats) => account.formats.extend(formats),
                Err(error) => {
                    account.notes.push(error.to_string());
                    failure = failure.or(Some(error));
                }
            }
        }
        account.forget_batch().await?;
        if let (Some(error), false) = (failure, account.saw_any()) {
            return Err(error);
        }
        // The owner has an identity of their own in each source; here they are one.
        let mut people: Vec<String> = account.people.values().map(|p| p.name.clone()).collect();
        people.sort();
        people.dedup();
        let mut titles: Vec<(u64, String)> =
            account.per_conversation.iter().map(|(id, n)| (*n, account.title(*id))).collect();
        titles.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let (pictures, day_first) = (account.pictures, account.day_first);
        account.into_receipt(&mut receipt, 0);
        let sentence = dry_sentence(&receipt);
        let titles = titles.into_iter().map(|t| t.1).take(50).collect();
        Ok(DryRun { receipt, sentence, people, titles, pictures, day_first })
    }
}

/// Reading runs on a thread of its own and hands items over a short queue: memory stays bounded.
struct Reading {
    items: mpsc::Receiver<Item>,
    thread: tokio::task::JoinHandle<Result<Vec<&'static evoke_import::Format>, evoke_import::ImportError>>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Reading {
    fn start(path: &Path, zone: TimeZone, day_first: Option<bool>, now: i64) -> Reading {
        let (sender, items) = mpsc::channel(AHEAD);
        let (done, total) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (done_there, total_there) = (done.clone(), total.clone());
        let path = path.to_owned();
        let thread = tokio::task::spawn_blocking(move || {
            let options = evoke_import::Options { zone, now, day_first, limits: Limits::default() };
            let mut sink = |item| match sender.blocking_send(item) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            let mut progress = |done, total| {
                done_there.store(done, Ordering::Relaxed);
                total_there.store(total, Ordering::Relaxed);
            };
            evoke_import::read(&path, &options, &mut sink, &mut progress)
        });
        Reading { items, thread, done, total }
    }

    /// How many messages there will be, from the share of bytes read; 0 where that is not known.
    fn estimate(&self, so_far: u64) -> u64 {
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        if done == 0 { 0 } else { (so_far as f64 * (total.max(done) as f64 / done as f64)) as u64 }
    }

    async fn end(self) -> Result<BTreeSet<String>, MemoryError> {
        let formats = self.thread.await.map_err(anyhow::Error::from)??;
        Ok(formats.iter().map(|f| f.key.to_owned()).collect())
    }
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|p| p.file_name().unwrap_or(p.as_os_str()).to_string_lossy().into_owned()).collect()
}

/// "WhatsApp, 3 conversations, 48,120 messages; 46,900 new"
fn dry_sentence(receipt: &Receipt) -> String {
    let labels: Vec<&str> = receipt
        .formats
        .iter()
        .map(|key| evoke_import::FORMATS.iter().find(|f| f.key == key).map_or(key.as_str(), |f| f.label))
        .collect();
    let messages = receipt.added + receipt.updated + receipt.duplicate;
    format!(
        "{}, {}, {}; {} new, {} changed",
        labels.join(" and "),
        counted(receipt.conversations, "conversation"),
        counted(messages, "message"),
        receipt.added,
        receipt.updated
    )
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
