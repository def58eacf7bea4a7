//! An export is remembered: read, compared with what is known, written in batches, accounted for.
//!
//! Invariant: `seen = added + updated + duplicate + skipped + failed`, whatever happens in between.
//! A batch is written in this order: which conversations must be read, conversations, people, messages;
//! so a kill between any two loses nothing and a second import finishes the first.

use crate::{Memory, MemoryError, Watch, account::Account, passage, words, write, write_languages};
use anyhow::Context;
use evoke_import::{Item, Limits};
use evoke_message::{ConversationId, DryRun, Message, Part, Receipt, Stage};
use evoke_store::{ImportRow, Known, MessageRow};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
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
}

/// An import as it is kept: enough to go on after a kill.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Import {
    pub(crate) receipt: Receipt,
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) options: ImportOptions,
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
        let number = self.store().imports().await?.last().map_or(1, |i| i.number + 1);
        self.run(number, paths, options, watch).await
    }

    /// The second half: word index, meaning, tidying.
    pub(crate) async fn finish_import(&self, options: &ImportOptions, watch: &Watch) -> Result<(), MemoryError> {
        watch.report(Stage::Words, 0, 0);
        {
            let _changing = self.0.changing.lock().await;
            self.store().index_words().await?;
        }
        if !options.words_only {
            let active = self.active();
            self.read_waiting(&active, watch).await?;
            self.tidy(&active).await?;
        }
        watch.report(Stage::Done, 0, 0);
        Ok(())
    }

    /// Goes on with imports that a kill or a crash cut off, and with what waits to be read.
    pub async fn resume(&self, watch: &Watch) -> Result<Vec<Receipt>, MemoryError> {
        self.writer()?;
        let mut done = Vec::new();
        for open in self.store().imports().await?.into_iter().filter(|i| i.open) {
            let import: Import = serde_json::from_str(&open.data).context("an import's record cannot be read")?;
            match self.run(open.number, &import.paths, &import.options, watch).await {
                Ok(receipt) => done.push(receipt),
                // The export is no longer there: what was saved stays, and the import is closed as it is.
                Err(MemoryError::Import(error)) => {
                    let mut receipt = import.receipt;
                    receipt.stopped = true;
                    receipt.notes.push(format!("It was interrupted and could not go on: {error}"));
                    self.count_saved(&mut receipt);
                    self.put_import(&receipt, &import.paths, &import.options, false).await?;
                    done.push(receipt);
                }
                Err(other) => return Err(other),
            }
        }
        if !done.is_empty() || self.waits().await? {
            self.finish_import(&ImportOptions::default(), watch).await?;
        }
        self.resume_building(watch).await?;
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

    async fn run(
        &self,
        number: i64,
        paths: &[PathBuf],
        options: &ImportOptions,
        watch: &Watch,
    ) -> Result<Receipt, MemoryError> {
        let mut receipt =
            Receipt { import: number as u64, names: names(paths), started: self.now(), ..Receipt::default() };
        let mut account = Account::new(self, number, options);
        let zone = self.zone_of(options)?;
        let mut opened = false;
        let started = std::time::Instant::now();
        let mut failure = None;
        for path in paths {
            let mut reading = Reading::start(path, zone.clone(), self.now());
            while let Some(item) = reading.items.recv().await {
                if !opened {
                    // Only now: an unknown file leaves no import behind.
                    self.put_import(&receipt, paths, options, true).await?;
                    opened = true;
                }
                account.take(item);
                if account.full() {
                    self.write_batch(&mut account, &zone).await?;
                    watch.report(Stage::Saving, account.saved, reading.estimate(account.saved));
                    if !watch.go_on().await {
                        reading.items.close();
                        receipt.stopped = true;
                        break;
                    }
                }
            }
            match reading.end().await {
                Ok(formats) => account.formats.extend(formats),
                Err(error) => failure = failure.or(Some(error)),
            }
            if receipt.stopped {
                break;
            }
        }
        self.write_batch(&mut account, &zone).await?;
        if let Some(error) = failure {
            if !opened {
                return Err(error);
            }
            account.notes.push(error.to_string());
        }
        account.into_receipt(&mut receipt);
        receipt.took_ms = started.elapsed().as_millis() as u64;
        self.put_import(&receipt, paths, options, false).await?;
        Ok(receipt)
    }

    /// What an import would do. Nothing is written.
    pub async fn dry_run(&self, paths: &[PathBuf], options: &ImportOptions) -> Result<DryRun, MemoryError> {
        let mut receipt = Receipt { names: names(paths), started: self.now(), ..Receipt::default() };
        let mut account = Account::new(self, 0, options);
        let zone = self.zone_of(options)?;
        for path in paths {
            let mut reading = Reading::start(path, zone.clone(), self.now());
            while let Some(item) = reading.items.recv().await {
                account.take(item);
                if account.full() {
                    account.forget_batch();
                }
            }
            account.formats.extend(reading.end().await?);
        }
        let mut people: Vec<String> = account.people.values().map(|p| p.name.clone()).collect();
        people.sort();
        people.dedup();
        let mut titles: Vec<(u64, String)> =
            account.per_conversation.iter().map(|(id, n)| (*n, account.title(*id))).collect();
        titles.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        account.into_receipt(&mut receipt);
        let sentence = dry_sentence(&receipt);
        Ok(DryRun { receipt, sentence, people, titles: titles.into_iter().map(|t| t.1).take(50).collect() })
    }

    /// All imports, newest first.
    pub async fn receipts(&self) -> Result<Vec<Receipt>, MemoryError> {
        let mut all = Vec::new();
        for row in self.store().imports().await? {
            let import: Import = serde_json::from_str(&row.data).context("an import's record cannot be read")?;
            all.push(import.receipt);
        }
        all.reverse();
        Ok(all)
    }

    pub(crate) async fn put_import(
        &self,
        receipt: &Receipt,
        paths: &[PathBuf],
        options: &ImportOptions,
        open: bool,
    ) -> Result<(), MemoryError> {
        let paths = paths.iter().map(|p| std::path::absolute(p).unwrap_or_else(|_| p.clone())).collect();
        let import = Import { receipt: receipt.clone(), paths, options: options.clone() };
        let data = serde_json::to_string(&import).map_err(anyhow::Error::from)?;
        Ok(self.store().put_import(ImportRow { number: receipt.import as i64, open, data }).await?)
    }

    fn zone_of(&self, options: &ImportOptions) -> Result<TimeZone, MemoryError> {
        match &options.zone {
            None => Ok(self.zone().clone()),
            Some(name) => TimeZone::get(name)
                .map_err(|_| MemoryError::BadQuery(format!("{name} is no time zone: write it as in Europe/Berlin"))),
        }
    }

    /// Writes what the account holds, and empties it.
    async fn write_batch(&self, account: &mut Account<'_>, zone: &TimeZone) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        account.settle_edits().await?;
        let added = rows(std::mem::take(&mut account.added), zone).await?;
        let updated = rows(std::mem::take(&mut account.updated), zone).await?;
        self.note_languages(added.iter().chain(&updated).map(|r| r.language))?;
        let (added, updated): (Vec<_>, Vec<_>) = (plain(added), plain(updated));
        let touched: BTreeSet<ConversationId> = added
            .iter()
            .chain(&updated)
            .map(|r| r.message.conversation)
            .filter(|c| account.waiting.insert(*c))
            .collect();
        let store = self.store();
        let touched: Vec<ConversationId> = touched.into_iter().collect();
        for generation in self.generations() {
            generation.passages.add_waiting(&touched).await?;
        }
        store.put_conversations(&account.changed_conversations()).await?;
        store.put_people(&account.changed_people()).await?;
        store.add_messages(&added).await?;
        store.update_messages(&updated).await?;
        store.add_met(account.number, &std::mem::take(&mut account.met)).await?;
        if account.again {
            let back = std::mem::take(&mut account.brought_back);
            store.remove_forgotten(&back).await?;
            write(&self.0.forgotten).retain(|id| !back.contains(id));
        }
        account.saved += (added.len() + updated.len()) as u64;
        account.bytes = 0;
        let mut catalogue = self.catalogue_mut();
        account.drain_changed().for_each(|c| catalogue.put_conversation(c));
        account.drain_people().for_each(|p| catalogue.put_person(p));
        added.iter().chain(&updated).for_each(|row| catalogue.insert(&known(row)));
        Ok(())
    }

    fn note_languages(&self, found: impl Iterator<Item = words::Language>) -> Result<(), MemoryError> {
        let new: BTreeSet<_> = found.collect();
        let all = {
            let mut languages = write(&self.0.languages);
            if new.is_subset(&languages) {
                return Ok(());
            }
            languages.extend(new);
            languages.clone()
        };
        write_languages(&self.0.home, &all)
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
    fn start(path: &Path, zone: TimeZone, now: i64) -> Reading {
        let (sender, items) = mpsc::channel(AHEAD);
        let (done, total) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (done_there, total_there) = (done.clone(), total.clone());
        let path = path.to_owned();
        let thread = tokio::task::spawn_blocking(move || {
            let options = evoke_import::Options { zone, now, limits: Limits::default() };
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

/// A row and the language its words were stemmed in.
struct Worded {
    row: MessageRow,
    language: words::Language,
}

fn plain(rows: Vec<Worded>) -> Vec<MessageRow> {
    rows.into_iter().map(|r| r.row).collect()
}

/// Makes the searchable forms, on all cores.
async fn rows(messages: Vec<(Message, i64)>, zone: &TimeZone) -> Result<Vec<Worded>, MemoryError> {
    let zone = zone.clone();
    let make = move || {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = messages.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let zone = &zone;
            let work: Vec<_> = messages
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || part.iter().map(|(m, import)| row(m, *import, zone)).collect::<Vec<_>>())
                })
                .collect();
            work.into_iter().map(|w| w.join().ok()).collect::<Option<Vec<_>>>()
        })
    };
    let made = tokio::task::spawn_blocking(make).await.map_err(anyhow::Error::from)?;
    Ok(made.context("making the words of a batch failed")?.into_iter().flatten().collect())
}

fn row(message: &Message, import: i64, zone: &TimeZone) -> Worded {
    let (words, language) = passage::message_words(message, zone);
    let row = MessageRow {
        words,
        plain: words::plain(&message.text),
        digest: passage::digest(message),
        import,
        message: message.clone(),
    };
    Worded { row, language }
}

fn known(row: &MessageRow) -> Known {
    let m = &row.message;
    Known {
        id: m.id,
        conversation: m.conversation,
        person: row.person(),
        source: m.source.clone(),
        kind: m.kind,
        part: m.part,
        time: m.time,
        order: m.order as i64,
        digest: row.digest,
        import: row.import,
        readable: m.part == Part::Text && !m.text.trim().is_empty(),
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
        "{}, {} conversations, {} messages; {} new, {} changed",
        labels.join(" and "),
        receipt.conversations,
        messages,
        receipt.added,
        receipt.updated
    )
}
