//! Texts in, vectors out: reads the model directory, sorts texts into batches of one length and shares
//! them among the processor's cores. The numbers are left to `model.rs`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::Config;
use crate::device::{Device, choose};
use crate::model::Model;
use crate::prior::Prior;
use crate::tokens::{Tokenizer, Tokens};
use crate::{EmbedError, Vector};

/// Which side of a search a text is on; the model was trained with a different prefix for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Query,
    Passage,
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
    fingerprint: String,
    device: String,
    /// One pool of one thread for each worker, so that a product inside a batch stays on its core:
    /// batches side by side need not wait for each other, between products or in what is no product.
    pools: Vec<rayon::ThreadPool>,
}

/// Tokens in a batch: enough to make products large, few enough to stay in the cache.
const BATCH_TOKENS: usize = 1024;

impl Embedder {
    /// Opens `config.json`, `tokenizer.json`, `model.gguf` and, if it is there, `prior.safetensors`.
    /// The error names the file that is missing or broken.
    pub fn open(dir: &Path, device: Device) -> Result<Self, EmbedError> {
        let [config, tokenizer, weights] = ["config.json", "tokenizer.json", "model.gguf"].map(|name| dir.join(name));
        let fingerprint = fingerprint(&[&config, &tokenizer, &weights])?;
        let config = Config::read(&config)?;
        let chosen = choose(device);
        let pools = (0..chosen.threads).map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build());
        let opened = Opened {
            tokenizer: Tokenizer::open(&tokenizer, config.embedder.max_tokens)?,
            model: Model::open(&weights, &config, &chosen.device)?,
            prior: Prior::open(&dir.join("prior.safetensors"), config.bert.hidden_size)?,
            fingerprint,
            device: chosen.description,
            pools: pools.collect::<Result<_, _>>().map_err(anyhow::Error::from)?,
            config,
        };
        Ok(Embedder { opened: Arc::new(opened) })
    }

    /// One vector for each text, in the order given. How many texts come at once, and which, changes
    /// no vector (beyond rounding, below 1e-5).
    pub fn embed(&self, texts: &[&str], side: Side) -> Result<Vec<Vector>, EmbedError> {
        let prefix = self.opened.config.prefix(side);
        let tokens = self.share(texts.len(), |at| {
            texts
                .get(at)
                .map_or_else(|| self.opened.tokenizer.read(prefix, ""), |text| self.opened.tokenizer.read(prefix, text))
        })?;
        let batches = batches(&tokens);
        let vectors = self.share(batches.len(), |at| self.batch(&tokens, batches.get(at)))?;
        let mut placed: Vec<(usize, Vec<f32>)> =
            batches.into_iter().flatten().zip(vectors.into_iter().flatten()).collect();
        placed.sort_unstable_by_key(|(at, _)| *at);
        let vectors = tokens.into_iter().zip(placed);
        Ok(vectors.map(|(tokens, (_, values))| Vector { values, tokens: tokens.ids.len(), cut: tokens.cut }).collect())
    }

    fn batch(&self, tokens: &[Tokens], places: Option<&Vec<usize>>) -> Result<Vec<Vec<f32>>, EmbedError> {
        let ids = places.into_iter().flatten().filter_map(|at| Some(tokens.get(*at)?.ids.as_slice()));
        self.opened.model.vectors(&ids.collect::<Vec<_>>())
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

    /// BLAKE3 over configuration, tokenizer and weights, in hexadecimal: vectors with different
    /// fingerprints must not be compared.
    pub fn fingerprint(&self) -> &str {
        &self.opened.fingerprint
    }

    /// Statistics of other people's text, if the model directory has them.
    pub fn prior(&self) -> Option<&Prior> {
        self.opened.prior.as_ref()
    }

    /// Does `work` for 0..count on all workers and gives the results in order.
    fn share<T: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Result<T, EmbedError> + Sync,
    ) -> Result<Vec<T>, EmbedError> {
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return done;
                }
                done.push((at, work(at)));
            }
        };
        let workers = self.opened.pools.iter().take(count);
        let shares: Option<Vec<_>> = std::thread::scope(|scope| {
            let started: Vec<_> = workers.map(|pool| scope.spawn(|| pool.install(worker))).collect();
            started.into_iter().map(|worker| worker.join().ok()).collect()
        });
        let shares = shares.ok_or_else(|| anyhow::anyhow!("a worker thread stopped"))?;
        let mut done: Vec<_> = shares.into_iter().flatten().collect();
        done.sort_unstable_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, result)| result).collect()
    }
}

/// Places of texts, longest first, in batches of at most `BATCH_TOKENS` (or one text). Longest first
/// so that no worker is left alone with a long batch at the end.
fn batches(tokens: &[Tokens]) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, usize)> = tokens.iter().map(|tokens| tokens.ids.len()).enumerate().collect();
    order.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
    let (mut batches, mut batch, mut room) = (Vec::new(), Vec::new(), BATCH_TOKENS);
    for (at, length) in order {
        if length > room && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            room = BATCH_TOKENS;
        }
        batch.push(at);
        room = room.saturating_sub(length);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

fn fingerprint(paths: &[&std::path::PathBuf]) -> Result<String, EmbedError> {
    let mut hash = blake3::Hasher::new();
    for path in paths {
        let mut part = blake3::Hasher::new();
        let file = std::fs::File::open(path).map_err(|error| EmbedError::io(path, &error))?;
        part.update_reader(file).map_err(|error| EmbedError::io(path, &error))?;
        hash.update(part.finalize().as_bytes());
    }
    Ok(hash.finalize().to_hex().to_string())
}
