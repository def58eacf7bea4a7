//! Texts in, vectors out: reads the model directory, sorts texts into batches of one length and shares
//! them among the processor's cores. The numbers are left to `model.rs`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::config::Config;
use crate::device::{Device, choose};
use crate::evolver::{Evolver, Intent, Said};
use crate::model::{Model, Read};
use crate::plain::Directory;
use crate::prior::Prior;
use crate::reader::{self, Answer, Pair, PairReader};
use crate::tokens::{Tokenizer, Tokens};
use crate::{EmbedError, Vector};

/// Which side of a search a text is on; the model was trained with a different prefix for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Query,
    Passage,
}

/// In what the CPU multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arithmetic {
    /// Weights and activations rounded to eight bits: four to ten times as quick (benches/README.md). A layer
    /// of a size for which this processor has no exact eight-bit product stays in f32.
    #[default]
    Int8,
    /// What the eight bits are measured against.
    F32,
}

/// An opened model. Cheap to clone; all clones share the weights.
#[derive(Clone)]
pub struct Embedder {
    opened: Arc<Opened>,
}

struct Opened {
    config: Config,
    tokenizer: Tokenizer,
    model: Model,
    prior: Option<Prior>,
    evolver: Option<Evolver>,
    /// Where a reader of pairs is, and the reader once it was needed.
    reader: Option<ReaderPlace>,
    fingerprint: String,
    device: String,
    /// Texts embedded so far.
    texts: AtomicU64,
    /// The model's own threads: batches are shared among them, and pieces of a batch where there are
    /// fewer batches than threads.
    pool: rayon::ThreadPool,
}

impl Opened {
    fn parts(&self) -> (&Model, &Tokenizer, &Config) {
        (&self.model, &self.tokenizer, &self.config)
    }
}

/// A reader of pairs takes 30 MB of memory and a moment to open: it is opened when a question first needs it.
struct ReaderPlace {
    dir: PathBuf,
    trunk: PathBuf,
    arithmetic: Arithmetic,
    opened: Mutex<Option<Arc<PairReader>>>,
}

impl ReaderPlace {
    /// None where there is no such file, or the trunk is of a form that it cannot change.
    fn find(dir: &Path, trunk: &Path, arithmetic: Arithmetic, config: &Config) -> Option<Self> {
        let there = dir.join(reader::FILE).exists() && config.suits_encoder();
        there.then(|| ReaderPlace { dir: dir.into(), trunk: trunk.into(), arithmetic, opened: Mutex::default() })
    }

    fn get(&self, config: &Config) -> Result<Arc<PairReader>, EmbedError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = &*opened {
            return Ok(reader.clone());
        }
        let reader = Arc::new(PairReader::open(&self.dir, &self.trunk, config, self.arithmetic)?);
        Ok(opened.insert(reader).clone())
    }
}

/// How long what a model makes of a text is; 0 where it makes no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    pub vector: usize,
    pub seed: usize,
    pub state: usize,
}

/// Tokens in a batch: enough to make products large, few enough to stay in the cache.
const BATCH_TOKENS: usize = 1024;

impl Embedder {
    /// Opens `config.json`, `tokenizer.json`, `model.gguf` and, if they are there, `evolver.gguf`, `reader.gguf` and
    /// `prior.safetensors` (a `config.json` with "trunk" takes all but the evolver from another folder); or a BERT, RoBERTa or XLM-RoBERTa of Hugging Face with `model.safetensors` and what
    /// sentence-transformers says of pooling, prompts and length. The error names the file that is missing or
    /// broken.
    pub fn open(dir: &Path, device: Device) -> Result<Self, EmbedError> {
        Self::open_with(dir, device, Arithmetic::default())
    }

    /// The same with another arithmetic on the CPU, to measure one against the other.
    pub fn open_with(dir: &Path, device: Device, arithmetic: Arithmetic) -> Result<Self, EmbedError> {
        let Directory { config, tokenizer, weights, home, lowercase, read } = Directory::find(dir)?;
        let fingerprint = fingerprint(&read, arithmetic)?;
        let chosen = choose(device);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(chosen.threads).build();
        let mut tokenizer = Tokenizer::open(&tokenizer, config.embedder.max_tokens)?;
        if lowercase {
            tokenizer.lowercase()?;
        }
        let opened = Opened {
            tokenizer,
            model: Model::open(&weights, &config, &chosen.device, arithmetic)?,
            reader: ReaderPlace::find(&home, &weights, arithmetic, &config),
            evolver: Evolver::open(dir, config.bert.hidden_size)?,
            prior: Prior::open(&home.join("prior.safetensors"), config.bert.hidden_size)?,
            fingerprint,
            device: chosen.description,
            texts: 0.into(),
            pool: pool.map_err(anyhow::Error::from)?,
            config,
        };
        Ok(Embedder { opened: Arc::new(opened) })
    }

    /// What a model directory's vectors will be like, from its heads alone: quick.
    pub fn lengths_of(dir: &Path) -> Result<Lengths, EmbedError> {
        let vector = Directory::find(dir)?.config.bert.hidden_size;
        let evolver = Evolver::open(dir, vector)?.map(|evolver| evolver.sizes());
        Ok(Lengths { vector, seed: evolver.map_or(0, |e| e.seed), state: evolver.map_or(0, |e| e.state) })
    }

    pub fn lengths(&self) -> Lengths {
        let evolver = self.evolver().map(Evolver::sizes);
        Lengths { vector: self.dims(), seed: evolver.map_or(0, |e| e.seed), state: evolver.map_or(0, |e| e.state) }
    }

    /// One vector for each text, in the order given. How many texts come at once, and which, changes
    /// no vector (beyond rounding, below 1e-5).
    pub fn embed(&self, texts: &[&str], side: Side) -> Result<Vec<Vector>, EmbedError> {
        let Opened { config, tokenizer, model, evolver, pool, .. } = &*self.opened;
        let prefix = config.prefix(side);
        self.opened.texts.fetch_add(texts.len() as u64, Ordering::Relaxed);
        pool.install(|| {
            let tokens: Vec<Tokens> =
                texts.par_iter().map(|text| tokenizer.read(prefix, text)).collect::<Result<_, _>>()?;
            let batches = batches(&tokens, pool.current_num_threads());
            let read: Vec<Vec<Read>> = batches
                .par_iter()
                .with_max_len(1)
                .map(|places| {
                    let ids = places.iter().filter_map(|at| Some(tokens.get(*at)?.ids.as_slice()));
                    model.read(&ids.collect::<Vec<_>>(), evolver.as_ref())
                })
                .collect::<Result<_, _>>()?;
            let mut placed: Vec<(usize, Read)> =
                batches.into_iter().flatten().zip(read.into_iter().flatten()).collect();
            placed.sort_unstable_by_key(|(at, _)| *at);
            let vectors = tokens.into_iter().zip(placed).map(|(tokens, (_, Read { vector, seed }))| Vector {
                values: vector,
                seed,
                tokens: tokens.ids.len(),
                cut: tokens.cut,
            });
            Ok(vectors.collect())
        })
    }

    /// Texts embedded since the model was opened, by all clones.
    pub fn texts(&self) -> u64 {
        self.opened.texts.load(Ordering::Relaxed)
    }

    /// The states of many streams of passages, each read from an empty memory and by itself, on all threads;
    /// empty where the model has no evolver.
    pub fn states(&self, streams: &[Vec<Said<'_>>]) -> Result<Vec<Vec<Vec<f32>>>, EmbedError> {
        let Opened { evolver, pool, .. } = &*self.opened;
        evolver.as_ref().map_or(Ok(Vec::new()), |evolver| pool.install(|| evolver.states(streams)))
    }

    /// Length of every vector.
    pub fn dims(&self) -> usize {
        self.opened.config.bert.hidden_size
    }

    /// The model's name, from its `config.json`.
    pub fn name(&self) -> &str {
        &self.opened.config.embedder.name
    }

    /// What computes, for people: "CPU, 2 threads", with the reason where another device was asked for.
    pub fn device(&self) -> &str {
        &self.opened.device
    }

    /// BLAKE3 over configuration, tokenizer, weights, evolver and the CPU's arithmetic, in hexadecimal: vectors with
    /// different fingerprints must not be compared.
    pub fn fingerprint(&self) -> &str {
        &self.opened.fingerprint
    }

    /// The model's latent memory, if it has one.
    pub fn evolver(&self) -> Option<&Evolver> {
        self.opened.evolver.as_ref()
    }

    /// Whether the model can read a question and a passage together.
    pub fn reads_pairs(&self) -> bool {
        self.opened.reader.is_some()
    }

    /// What a question asks of order and how surely: nothing, and 0, of most and of a model that cannot read pairs.
    pub fn intent(&self, question: &str) -> Result<(Intent, f32), EmbedError> {
        let Some(reader) = self.reader()? else { return Ok((Intent::None, 0.0)) };
        self.opened.pool.install(|| reader.intent(self.opened.parts(), question))
    }

    /// How well each passage answers a question: read with the question one by one, then put together in the order
    /// given, which is to be that of time. None where the model cannot read pairs.
    pub fn answers(
        &self,
        intent: Intent,
        question: &str,
        passages: &[Pair<'_>],
    ) -> Result<Option<Vec<Answer>>, EmbedError> {
        let Some(reader) = self.reader()? else { return Ok(None) };
        let told = self.opened.pool.install(|| reader.read(self.opened.parts(), question, passages))?;
        Ok(Some(reader.answers(intent, &told)))
    }

    fn reader(&self) -> Result<Option<Arc<PairReader>>, EmbedError> {
        self.opened.reader.as_ref().map(|place| place.get(&self.opened.config)).transpose()
    }

    /// Statistics of other people's text, if the model directory has them.
    pub fn prior(&self) -> Option<&Prior> {
        self.opened.prior.as_ref()
    }
}

/// Places of texts, longest first, in batches of at most `BATCH_TOKENS` (or one text), and of less where
/// there would be fewer batches than threads. Longest first so that no thread is left alone with a long
/// batch at the end.
fn batches(tokens: &[Tokens], threads: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, usize)> = tokens.iter().map(|tokens| tokens.ids.len()).enumerate().collect();
    order.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
    let total: usize = order.iter().map(|(_, length)| length).sum();
    let most = BATCH_TOKENS.min(total.div_ceil(threads.max(1)));
    let (mut batches, mut batch, mut room) = (Vec::new(), Vec::new(), most);
    for (at, length) in order {
        if length > room && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            room = most;
        }
        batch.push(at);
        room = room.saturating_sub(length);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

fn fingerprint(paths: &[std::path::PathBuf], arithmetic: Arithmetic) -> Result<String, EmbedError> {
    let mut hash = blake3::Hasher::new();
    hash.update(format!("{arithmetic:?}").as_bytes());
    for path in paths {
        let mut part = blake3::Hasher::new();
        let file = std::fs::File::open(path).map_err(|error| EmbedError::io(path, &error))?;
        part.update_reader(file).map_err(|error| EmbedError::io(path, &error))?;
        hash.update(part.finalize().as_bytes());
    }
    Ok(hash.finalize().to_hex().to_string())
}
