//! The product as a library: everything a person can do is a method of [`Memory`].
//!
//! Desktop, terminal and later the assistant's door are thin over it. It decides what is remembered,
//! in which order things are written, and how a query is answered; reading exports, vectors, rows and
//! encryption are left to the crates below.
//!
//! Invariants: no text, name or query is ever logged; a message counts as indexed only once its
//! vectors are committed; nothing here opens a connection.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod account;
mod allocator;
mod batch;
mod browse;
mod call;
mod catalogue;
mod dates;
mod digest;
mod discover;
mod epoch;
mod error;
pub mod eval;
mod facets;
mod files;
mod forget;
mod fusion;
mod generation;
mod groups;
mod home;
mod ingest;
mod jobs;
mod models;
mod offline;
mod order;
mod owner;
mod passage;
mod people;
mod phone;
mod query;
mod reading;
mod receipts;
mod same;
pub mod sample;
mod search;
mod snippet;
mod speakers;
mod statistics;
mod status;
mod suggest;
mod timeline;
mod undo;
mod upgrade;
mod watch;
mod watched;
mod words;
mod zone;

pub use allocator::keep_memory_small;
pub use discover::discover;
pub use error::MemoryError;
pub use evoke_embed::{
    Arithmetic, Device, ModelAbout, ModelKind, ParityReport, Quantization, Quantized, check as check_model, parity,
    quantize,
};
pub use evoke_import::{FORMATS, Format};
pub use evoke_message as message;
pub use home::{account_folder, default_home, home_exists};
pub use ingest::ImportOptions;
pub use offline::{deny_network, network};
pub use watch::Watch;

use catalogue::{Catalogue, State};
use evoke_embed::{Embedder, EvoEmbedder};
use evoke_message::MessageId;
use evoke_store::{Secret, Store, Versions};
use generation::{Generation, Generations};
use home::Home;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use std::{
    collections::{BTreeSet, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// The bundled model, a folder of `models/`, and the length of its vectors.
pub(crate) const MODEL: &str = "evoke-e5-small";
pub(crate) const DIMS: usize = 384;

/// How an archive is opened. Time comes in here, so that nothing below reads a clock.
#[derive(Clone, Debug)]
pub struct Options {
    /// The Home; [`default_home`] where nobody says.
    pub home: PathBuf,
    pub passphrase: Option<String>,
    /// Without a passphrase: the system keychain where there is one, else a key file. False: a key file.
    pub keychain: bool,
    /// Folder of models, where it is not beside the program.
    pub models: Option<PathBuf>,
    pub device: Device,
    /// Eight bits, where nobody measures.
    pub arithmetic: Arithmetic,
    /// The zone in which times are shown and wall times are read.
    pub zone: TimeZone,
    /// UTC milliseconds.
    pub clock: fn() -> i64,
    /// Whether to write: makes the Home where there is none, and takes the writer's place if it is free.
    pub write: bool,
    /// The process ends after one command: less is kept in memory.
    pub one_command: bool,
}

impl Options {
    /// The system's zone and clock, for a Home.
    pub fn new(home: PathBuf, write: bool) -> Options {
        Options {
            home,
            passphrase: None,
            keychain: true,
            models: None,
            device: Device::Auto,
            arithmetic: Arithmetic::default(),
            zone: TimeZone::system(),
            clock: || Timestamp::now().as_millisecond(),
            write,
            one_command: false,
        }
    }
}

/// An opened archive. Cheap to clone; all clones are the same archive.
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    options: Options,
    home: Home,
    store: Store,
    generations: RwLock<Generations>,
    /// Published models that rank hits anew, opened when they are first asked.
    rerankers: Mutex<std::collections::HashMap<String, EvoEmbedder>>,
    catalogue: RwLock<Catalogue>,
    /// Languages whose stemmers the archive's words went through.
    languages: RwLock<BTreeSet<words::Language>>,
    forgotten: RwLock<HashSet<MessageId>>,
    /// Versions of the tables and of the passages that the catalogue was loaded from; only a reader looks at it.
    loaded: tokio::sync::Mutex<(Versions, u64)>,
    /// One change at a time inside this process; the lock file keeps other processes out.
    changing: tokio::sync::Mutex<()>,
    /// Held while conversations are read for meaning, from their messages to the commit.
    reading: tokio::sync::Mutex<()>,
    /// How many wait for `reading`: who holds it commits and lets them go first.
    asked_to_wait: std::sync::atomic::AtomicUsize,
    jobs: jobs::Jobs,
    /// The last number given to an import, which may not be written yet.
    numbered: tokio::sync::Mutex<i64>,
    /// Somebody changed the list of watched folders.
    watched_changed: tokio::sync::Notify,
    private_temp: bool,
}

impl Memory {
    /// Opens the archive of `options.home`.
    ///
    /// # Errors
    /// `NotFound` where there is none and writing is not asked for, `Locked` and `WrongKey` from the
    /// vault, `Newer` for an archive of a later version. Nothing is changed by a failed opening.
    pub async fn open(options: Options) -> Result<Memory, MemoryError> {
        let secret = match (&options.passphrase, options.keychain) {
            (Some(passphrase), _) => Secret::Passphrase(passphrase),
            (None, true) => Secret::Auto,
            (None, false) => Secret::KeyFile,
        };
        let home = Home::open(&options.home, secret, options.write)?;
        let private_temp = private_temp();
        let store = Store::open_for(&home.vault, home.writes(), options.one_command).await?;
        let ledger = models::ledger(&home.vault, options.models.as_deref())?;
        let generations = Generations::open(ledger, &home.vault, &store, home.writes()).await?;
        let memory = Memory(Arc::new(Inner {
            generations: RwLock::new(generations),
            rerankers: Mutex::default(),
            catalogue: RwLock::default(),
            languages: RwLock::new(read_languages(&home)),
            forgotten: RwLock::default(),
            loaded: tokio::sync::Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            asked_to_wait: 0.into(),
            jobs: jobs::Jobs::default(),
            numbered: tokio::sync::Mutex::default(),
            watched_changed: tokio::sync::Notify::default(),
            private_temp,
            options,
            home,
            store,
        }));
        memory.load().await?;
        memory.upgrade().await?;
        if memory.writes() {
            memory.settle_same().await?;
        }
        Ok(memory)
    }

    /// True where this process may change the archive.
    pub fn writes(&self) -> bool {
        self.0.home.writes()
    }

    fn writer(&self) -> Result<(), MemoryError> {
        if self.writes() { Ok(()) } else { Err(MemoryError::Busy) }
    }

    /// Fills the catalogue from the tables.
    async fn load(&self) -> Result<(), MemoryError> {
        let active = self.active();
        let versions = (self.store().versions().await?, active.passages.version().await?);
        let mut fresh = Catalogue::default();
        for conversation in self.store().conversations().await? {
            fresh.put_conversation(conversation);
        }
        for person in self.store().people().await? {
            fresh.put_person(person);
        }
        for contact in self.store().contacts().await? {
            fresh.put_contact(contact);
        }
        fresh.set_merges(self.store().merges().await?);
        for row in self.store().same().await? {
            fresh.put_same(&row);
        }
        self.store().known(|known| fresh.insert(&known)).await?;
        active
            .passages
            .embedded(|id, there| fresh.set_state(id, if there { State::Embedded } else { State::Failed }))
            .await?;
        let forgotten = self.store().forgotten().await?.into_iter().collect();
        *write(&self.0.forgotten) = forgotten;
        *write(&self.0.catalogue) = fresh;
        *self.0.loaded.lock().await = versions;
        Ok(())
    }

    /// A reader looks whether the writer has gone on; the writer keeps its own copy up.
    async fn refresh(&self) -> Result<(), MemoryError> {
        if self.writes() {
            return Ok(());
        }
        let ledger = models::ledger(&self.0.home.vault, self.0.options.models.as_deref())?;
        if ledger.active != read(&self.0.generations).ledger.active {
            let generations = Generations::open(ledger, &self.0.home.vault, self.store(), false).await?;
            *write(&self.0.generations) = generations;
        }
        let active = self.active();
        let now = (self.store().versions().await?, active.passages.version().await?);
        let stale = *self.0.loaded.lock().await != now;
        if stale {
            *write(&self.0.languages) = read_languages(&self.0.home);
            let kept =
                statistics::Kept::open(&self.0.home.vault, active.number, &active.passages, active.passages.dims())
                    .await?;
            *active.statistics.lock().await = kept;
            self.load().await?;
        }
        Ok(())
    }

    /// The generation that searches use.
    fn active(&self) -> Arc<Generation> {
        read(&self.0.generations).active.clone()
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        read(&self.0.catalogue)
    }

    fn catalogue_mut(&self) -> RwLockWriteGuard<'_, Catalogue> {
        write(&self.0.catalogue)
    }

    fn zone(&self) -> &TimeZone {
        &self.0.options.zone
    }

    fn now(&self) -> i64 {
        (self.0.options.clock)()
    }

    /// An instant in the zone shown.
    fn local(&self, time: i64) -> Zoned {
        Timestamp::from_millisecond(time).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone().clone())
    }

    /// The one in use, those kept, and those being built.
    fn generations(&self) -> Vec<Arc<Generation>> {
        read(&self.0.generations).all().cloned().collect()
    }

    /// The model of a generation, opened when it is first needed.
    async fn embedder(&self, generation: &Generation) -> Result<Embedder, MemoryError> {
        let open = async || {
            let folder = self.model_folder(&generation.model)?;
            let (device, arithmetic) = (self.0.options.device, self.0.options.arithmetic);
            let opened = tokio::task::spawn_blocking(move || Embedder::open_with(&folder, device, arithmetic)).await;
            let embedder = opened.map_err(anyhow::Error::from)??;
            self.hold_to_fingerprint(generation, &embedder).await?;
            Ok::<_, MemoryError>(embedder)
        };
        Ok(generation.embedder.get_or_try_init(open).await?.clone())
    }
}

/// Unfinished files of index building go to memory that no disk sees, where there is such.
fn private_temp() -> bool {
    static SET: OnceLock<bool> = OnceLock::new();
    *SET.get_or_init(|| match evoke_store::private_temp() {
        Ok(Some(folder)) => tempfile::env::override_temp_dir(&folder).is_ok(),
        _ => false,
    })
}

const LANGUAGES: &str = "languages";

fn read_languages(home: &Home) -> BTreeSet<words::Language> {
    let stored = home.vault.read_sealed(LANGUAGES).ok().flatten().unwrap_or_default();
    let text = String::from_utf8(stored).unwrap_or_default();
    text.split_whitespace().filter_map(words::known_language).chain([words::ENGLISH]).collect()
}

fn write_languages(home: &Home, languages: &BTreeSet<words::Language>) -> Result<(), MemoryError> {
    let text: Vec<&str> = languages.iter().copied().collect();
    Ok(home.vault.write_sealed(LANGUAGES, text.join(" ").as_bytes())?)
}

/// Locks are held for a moment and never across an await; a panic elsewhere leaves plain data behind.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn hold<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
