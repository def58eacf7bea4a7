//! Folders that are kept up to date: a vault, a folder of sessions, a folder into which exports are dropped.
//!
//! The system tells of changes; a look at dates and sizes, at the start and every minute, finds what it did not
//! tell: after sleep, after a restart, on a network disk. All that comes from one folder is one import. Notes
//! follow their folder in everything, deletions too; sessions and exports only grow, since apps clear theirs away.

use crate::{
    ImportOptions, Memory, MemoryError, Watch,
    catalogue::{Catalogue, Row},
    discover::changed,
    forget::Fate,
    ingest::{Done, Import},
};
use evoke_message::{Kind, MessageId, Place, Receipt, WatchedKind, WatchedRow};
use evoke_store::{SameRow, Stored};
use notify::{EventKind, RecursiveMode, Watcher, event::AccessKind, event::AccessMode};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

/// The sealed list of watched folders.
const FILE: &str = "watched";
/// A change is read once nothing has changed for this long, or after the longer time.
const QUIET: Duration = Duration::from_millis(600);
const AT_LAST: Duration = Duration::from_secs(3);
/// How often all folders are looked through.
const LOOK: Duration = Duration::from_secs(60);
/// How often the tables are tidied while changes come in.
const TIDY: Duration = Duration::from_secs(600);

/// A watched folder as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    kind: WatchedKind,
    import: i64,
    /// Date and size of each file when it was read last.
    files: BTreeMap<PathBuf, (i64, u64)>,
    read: Option<i64>,
    trouble: Option<String>,
}

impl Memory {
    /// Folders that are kept up to date.
    pub fn watched(&self) -> Result<Vec<WatchedRow>, MemoryError> {
        let row = |e: Entry| WatchedRow {
            path: e.path.display().to_string(),
            kind: e.kind,
            import: e.import as u64,
            files: e.files.len() as u64,
            read: e.read,
            trouble: e.trouble,
        };
        Ok(self.entries()?.into_iter().map(row).collect())
    }

    /// Reads a folder, and keeps it up to date from now on while [`Memory::keep_up`] runs.
    ///
    /// # Errors
    /// `NotFound` where there is no such folder; `BadQuery` where it is watched already. Where its files cannot be
    /// read it is watched all the same, and `watched` says why.
    pub async fn add_watched(&self, path: &Path, watch: &Watch) -> Result<(), MemoryError> {
        self.writer()?;
        let path = path.canonicalize().ok().filter(|p| p.is_dir()).ok_or_else(|| {
            MemoryError::NotFound(format!("there is no folder at {}: nothing is watched there", path.display()))
        })?;
        let mut entries = self.entries()?;
        if let Some(other) = entries.iter().find(|e| path.starts_with(&e.path) || e.path.starts_with(&path)) {
            return Err(MemoryError::BadQuery(format!(
                "{} is watched already: what lies inside or above it cannot be watched once more",
                other.path.display()
            )));
        }
        let number = self.next_number().await?;
        let names = vec![path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()];
        let receipt = Receipt { import: number as u64, names, started: self.now(), ..Receipt::default() };
        let import = Import { receipt, paths: vec![path.clone()], options: ImportOptions::default(), answered: false };
        self.put_import(&import, false).await?;
        let kind = kind_of(&path);
        entries.push(Entry {
            path: path.clone(),
            kind,
            import: number,
            files: BTreeMap::new(),
            read: None,
            trouble: None,
        });
        self.put_entries(&entries)?;
        self.catch_up(&path, watch).await?;
        self.finish_import(&ImportOptions::default(), watch).await?;
        self.0.watched_changed.notify_waiters();
        Ok(())
    }

    /// Keeps a folder up to date no longer. What was read of it stays.
    pub fn remove_watched(&self, path: &Path) -> Result<(), MemoryError> {
        self.writer()?;
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut entries = self.entries()?;
        let before = entries.len();
        entries.retain(|e| e.path != whole && e.path != path);
        if entries.len() == before {
            return Err(MemoryError::NotFound(format!("{} is not watched: see `evoke watch list`", path.display())));
        }
        self.put_entries(&entries)?;
        self.0.watched_changed.notify_waiters();
        Ok(())
    }

    /// Whether an import is what a watched folder holds.
    pub(crate) fn is_watched(&self, import: u64) -> Result<bool, MemoryError> {
        Ok(self.entries()?.iter().any(|e| e.import as u64 == import))
    }

    /// Keeps watched folders up to date in the background, as long as this process lives and may write.
    pub fn start_keeping_up(&self) {
        if !self.writes() {
            return;
        }
        let memory = self.clone();
        tokio::spawn(async move {
            // What went wrong with one folder is in `watched`; anything else is tried again a little later.
            while memory.keep_up(&Watch::default()).await.is_err() {
                tokio::time::sleep(LOOK).await;
            }
        });
    }

    /// Keeps all watched folders up to date until it is stopped.
    pub async fn keep_up(&self, watch: &Watch) -> Result<(), MemoryError> {
        self.writer()?;
        let (told, mut changes) = mpsc::unbounded_channel();
        // Where the system cannot tell of changes, the look every minute finds them.
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| is_change(event.kind)) {
                let _ = told.send(());
            }
        })
        .ok();
        let mut registered: BTreeSet<PathBuf> = BTreeSet::new();
        let mut tidied = Instant::now();
        let mut untidy = false;
        while !watch.stopped() {
            let paths: BTreeSet<PathBuf> = self.entries()?.into_iter().map(|e| e.path).collect();
            if let Some(watcher) = &mut watcher {
                for gone in registered.difference(&paths) {
                    let _ = watcher.unwatch(gone);
                }
                registered.retain(|path| paths.contains(path) && path.is_dir());
                for path in &paths {
                    if !registered.contains(path) && watcher.watch(path, RecursiveMode::Recursive).is_ok() {
                        registered.insert(path.clone());
                    }
                }
            }
            let mut any = false;
            for path in &paths {
                any |= self.catch_up(path, watch).await?;
            }
            if any {
                self.store_words().await?;
                self.read_waiting(&self.active(), watch).await?;
                untidy = true;
            }
            if untidy && tidied.elapsed() > TIDY {
                self.tidy(&self.active()).await?;
                (tidied, untidy) = (Instant::now(), false);
            }
            wait(&mut changes, &self.0.watched_changed, watch).await;
        }
        Ok(())
    }

    async fn store_words(&self) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        Ok(self.store().index_messages(0).await?)
    }

    /// Reads what has changed in a watched folder; true where anything had. Trouble is kept for who asks.
    async fn catch_up(&self, path: &Path, watch: &Watch) -> Result<bool, MemoryError> {
        let Some(entry) = self.entries()?.into_iter().find(|e| e.path == path) else { return Ok(false) };
        if !path.is_dir() {
            let gone = "the folder is not there now; nothing that was read of it is lost";
            return self.read_with(Entry { trouble: Some(gone.into()), ..entry }).map(|()| false);
        }
        let files = files(path);
        if files == entry.files {
            return match entry.trouble.as_deref() {
                Some(trouble) if trouble.starts_with("the folder") => {
                    self.read_with(Entry { trouble: None, ..entry }).map(|()| false)
                }
                _ => Ok(false),
            };
        }
        let outcome = match entry.kind {
            WatchedKind::Notes => self.follow_notes(&entry, watch).await,
            WatchedKind::Files => self.read_files(&entry, &files, watch).await,
        };
        let trouble = match outcome {
            Ok(()) => None,
            Err(MemoryError::Import(error)) => Some(error.to_string()),
            Err(other) => return Err(other),
        };
        self.read_with(Entry { files, read: Some(self.now()), trouble, ..entry })?;
        Ok(true)
    }

    /// The whole folder is read, and what is no longer in it goes.
    async fn follow_notes(&self, entry: &Entry, watch: &Watch) -> Result<(), MemoryError> {
        let paths = [entry.path.clone()];
        let seen = match self.run(entry.import, &paths, &ImportOptions::default(), watch, false).await {
            Ok(Done { seen, receipt }) if !receipt.stopped => seen,
            Ok(_) => return Ok(()),
            // No note is left.
            Err(MemoryError::Import(_)) if files(&entry.path).keys().all(|p| !is_note(p)) => HashMap::new(),
            Err(error) => return Err(error),
        };
        self.drop_unseen(entry.import, &seen).await
    }

    /// New and changed files are read; an export as a whole, a session alone.
    async fn read_files(
        &self,
        entry: &Entry,
        files: &BTreeMap<PathBuf, (i64, u64)>,
        watch: &Watch,
    ) -> Result<(), MemoryError> {
        let new = files.iter().filter(|(path, state)| entry.files.get(*path) != Some(*state));
        let whole = |path: &Path| match path.extension().is_some_and(|e| e == "jsonl") {
            true => path.to_owned(),
            false => path.components().next().map_or_else(|| path.to_owned(), |first| PathBuf::from(first.as_os_str())),
        };
        let paths: BTreeSet<PathBuf> = new.map(|(path, _)| entry.path.join(whole(path))).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let paths: Vec<PathBuf> = paths.into_iter().collect();
        self.run(entry.import, &paths, &ImportOptions::default(), watch, true).await?;
        Ok(())
    }

    /// Takes out the notes of a watched folder that are no longer in it, unless another export has them. What could
    /// not be read this time is not gone.
    async fn drop_unseen(&self, number: i64, seen: &HashMap<MessageId, u32>) -> Result<(), MemoryError> {
        let _reading = self.nobody_reads().await;
        let _changing = self.0.changing.lock().await;
        let lost = self.store().lost(number).await?;
        let unreadable: HashSet<String> = lost.into_iter().filter(|l| !l.skipped).map(|l| l.place.file).collect();
        let met = self.store().met().await?;
        let mut unseen: Vec<MessageId> = {
            let catalogue = self.catalogue();
            let own = catalogue.rows().iter().filter(|r| i64::from(r.import) == number && r.kind == Kind::Note);
            own.map(|r| r.id).filter(|id| !seen.contains_key(id)).collect()
        };
        unseen.extend(met.iter().filter(|m| m.import == number && !seen.contains_key(&m.id)).map(|m| m.id));
        if unseen.is_empty() {
            return Ok(());
        }
        let stored: HashMap<MessageId, Stored> =
            self.copies(&unseen).await?.into_iter().map(|s| (s.message.id, s)).collect();
        let mut places: HashMap<MessageId, BTreeMap<i64, Place>> = HashMap::new();
        for row in met.into_iter().filter(|m| stored.contains_key(&m.id)) {
            places.entry(row.id).or_default().insert(row.import, row.place);
        }
        let (mut gone, mut others) = (HashSet::new(), HashMap::new());
        for (id, stored) in &stored {
            let there = places.entry(*id).or_default();
            there.insert(stored.import, stored.message.place.clone());
            let Some(file) = there.get(&number).map(|place| place.file.clone()) else { continue };
            if unreadable.contains(&file) {
                continue;
            }
            // The same file, read by another import before, is not another place.
            let elsewhere = there.iter().find(|(import, place)| **import != number && place.file != file);
            match elsewhere {
                None => {
                    gone.insert(*id);
                }
                Some((import, place)) if stored.import == number => {
                    gone.insert(*id);
                    others.insert(*id, (*import, place.clone()));
                }
                Some(_) => {}
            }
        }
        let hit = |_: &Catalogue, row: &Row| gone.contains(&row.id);
        let fate = |_: &SameRow, _: &Stored, of_goes: bool| if of_goes { Fate::Shown } else { Fate::Stays };
        let going = self.gather(&hit, &others, &fate).await?;
        self.remove(&going, true).await?;
        unseen.retain(|id| !places.get(id).and_then(|p| p.get(&number)).is_some_and(|p| unreadable.contains(&p.file)));
        self.store().delete_met_of(number, &unseen).await?;
        Ok(())
    }

    fn entries(&self) -> Result<Vec<Entry>, MemoryError> {
        let stored = self.0.home.vault.read_sealed(FILE)?;
        match stored {
            None => Ok(Vec::new()),
            Some(bytes) => Ok(serde_json::from_slice(&bytes).map_err(anyhow::Error::from)?),
        }
    }

    fn put_entries(&self, entries: &[Entry]) -> Result<(), MemoryError> {
        Ok(self.0.home.vault.write_sealed(FILE, &serde_json::to_vec(entries).map_err(anyhow::Error::from)?)?)
    }

    /// Keeps the state of one folder, if it is still watched.
    fn read_with(&self, entry: Entry) -> Result<(), MemoryError> {
        let mut entries = self.entries()?;
        if let Some(place) = entries.iter_mut().find(|e| e.path == entry.path) {
            *place = entry;
        }
        self.put_entries(&entries)
    }
}

/// Waits for a change and then for quiet, for a while to pass, or for the end.
async fn wait(changes: &mut mpsc::UnboundedReceiver<()>, list: &tokio::sync::Notify, watch: &Watch) {
    let began = Instant::now();
    let mut last: Option<Instant> = None;
    let mut first: Option<Instant> = None;
    loop {
        let quiet = last.is_some_and(|t| t.elapsed() >= QUIET) || first.is_some_and(|t| t.elapsed() >= AT_LAST);
        if quiet || watch.stopped() || began.elapsed() >= LOOK {
            return;
        }
        tokio::select! {
            change = changes.recv() => {
                if change.is_none() {
                    // The system tells nothing: only the clock and the list are left.
                    tokio::time::sleep(QUIET).await;
                } else {
                    first.get_or_insert_with(Instant::now);
                    last = Some(Instant::now());
                }
            }
            () = list.notified() => return,
            () = tokio::time::sleep(QUIET / 2) => {}
        }
    }
}

/// Reading a file is no change of it.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

/// Notes where the folder is marked as such by its app, or holds Markdown above all.
fn kind_of(folder: &Path) -> WatchedKind {
    let marked = [".obsidian", "logseq"].iter().any(|name| folder.join(name).is_dir());
    let files = files(folder);
    let notes = files.keys().filter(|path| is_note(path)).count();
    if marked || (notes > 0 && 2 * notes >= files.len()) { WatchedKind::Notes } else { WatchedKind::Files }
}

fn is_note(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["md", "org", "markdown"].iter().any(|note| e.eq_ignore_ascii_case(note)))
}

/// Date and size of every file below a folder, by its path inside. Hidden files and folders are apps' own.
fn files(root: &Path) -> BTreeMap<PathBuf, (i64, u64)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let (Ok(kind), false) = (entry.file_type(), name.to_string_lossy().starts_with('.')) else { continue };
            if kind.is_dir() && name != "node_modules" {
                folders.push(entry.path());
            } else if let (true, Ok(about)) = (kind.is_file(), entry.metadata())
                && let Ok(inside) = entry.path().strip_prefix(root)
            {
                all.insert(inside.to_owned(), (changed(&about).unwrap_or_default(), about.len()));
            }
        }
    }
    all
}
