//! Which models there are, which is in use, and going from one to another (issue: re-embedding without pain).
//!
//! Bundled models lie beside the program; others are folders that a person named, which stay where they
//! are. Their contents are the embedding crate's to read.

use crate::{
    MODEL, Memory, MemoryError, Watch,
    generation::{Entry, Generation, Ledger},
    hold, home, read, write,
};
use evoke_embed::{Embedder, EvoEmbedder, Lengths, ModelAbout, ModelKind, check};
use evoke_message::{ConversationId, ModelRow};
use evoke_store::{Sizes, Vault};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The sealed file with the folders of models that were added, by name.
const FILE: &str = "models";

impl Memory {
    /// All models that can be used, and what this archive has of each.
    pub async fn models(&self) -> Result<Vec<ModelRow>, MemoryError> {
        self.refresh().await?;
        let mut rows = Vec::new();
        let bundled = home::models(self.0.options.models.as_deref())?;
        let bundled = folders(&bundled).into_iter().map(|(name, folder)| (name, folder, true));
        let added = added(&self.0.home.vault)?.into_iter().map(|(name, folder)| (name, folder, false));
        for (name, folder, bundled) in bundled.chain(added) {
            rows.push(self.model_row(name, &folder, bundled).await?);
        }
        Ok(rows)
    }

    async fn model_row(&self, name: String, folder: &Path, bundled: bool) -> Result<ModelRow, MemoryError> {
        let generations = read(&self.0.generations).clone();
        let of_it = generations.ledger.all.iter().find(|e| e.model == name);
        let used = generations.ledger.active == of_it.map_or(0, |e| e.number);
        let about = check(folder);
        let trouble = match &about {
            Ok(about) if about.loads() => None,
            Ok(about) => Some(about.missing.join("; ")),
            Err(error) => Some(error.to_string()),
        };
        let evolvable = about.as_ref().is_ok_and(|about| about.kind == ModelKind::Evolvable);
        let lengths = Embedder::lengths_of(folder).ok();
        let state = match of_it {
            Some(_) if used => "in use",
            Some(entry) if entry.complete => "kept",
            Some(_) => "being built",
            None => "not used",
        };
        Ok(ModelRow {
            name,
            folder: folder.display().to_string(),
            bundled,
            state: state.to_owned(),
            dims: about.as_ref().ok().and_then(|about| about.dims).unwrap_or(0) as u64,
            evolver: evolvable || lengths.is_some_and(|l| l.state > 0),
            reranks_only: evolvable,
            bytes: about.map_or(0, |about| about.bytes),
            trouble,
        })
    }

    /// Makes a folder known as a model, and looks whether it can be used. It stays where it is.
    ///
    /// # Errors
    /// Says what is missing or broken, or that the name is taken.
    pub fn add_model(&self, folder: &Path) -> Result<ModelAbout, MemoryError> {
        self.writer()?;
        let folder =
            std::path::absolute(folder).map_err(|e| MemoryError::Home(format!("{}: {e}", folder.display())))?;
        let about = check(&folder)?;
        if !about.loads() {
            return Err(MemoryError::BadQuery(format!(
                "{} cannot be used as a model: {}. Nothing was changed",
                folder.display(),
                about.missing.join("; ")
            )));
        }
        let name = about.name.clone();
        let mut all = added(&self.0.home.vault)?;
        let taken = home::models(self.0.options.models.as_deref()).is_ok_and(|m| m.join(&name).is_dir())
            || all.get(&name).is_some_and(|there| *there != folder);
        if taken {
            return Err(MemoryError::BadQuery(format!(
                "there is a model {name} already. Nothing was changed: give the folder another name"
            )));
        }
        all.insert(name.clone(), folder);
        let bytes = serde_json::to_vec(&all).map_err(anyhow::Error::from)?;
        self.0.home.vault.write_sealed(FILE, &bytes)?;
        Ok(about)
    }

    /// Goes over to another model. One that read everything before is in use at once; a new one first reads
    /// all messages, while searches go on with the old. True where it is in use; false where the watch
    /// stopped it, and `resume` goes on.
    pub async fn use_model(&self, name: &str, watch: &Watch) -> Result<bool, MemoryError> {
        self.writer()?;
        let generation = match self.generation_of(name) {
            Some(generation) => generation,
            None => self.begin_generation(name).await?,
        };
        let number = generation.number;
        if read(&self.0.generations).ledger.active == number {
            return Ok(true);
        }
        let complete = read(&self.0.generations).ledger.all.iter().any(|e| e.number == number && e.complete);
        if !complete {
            self.read_waiting(&generation, watch).await?;
            if !generation.passages.waiting().await?.is_empty() {
                return Ok(false);
            }
            self.tidy(&generation).await?;
        }
        self.switch(number).await?;
        // What came in while it was not in use.
        self.read_waiting(&generation, watch).await?;
        Ok(true)
    }

    /// Goes on building what was being built when Evoke was closed.
    pub(crate) async fn resume_building(&self, watch: &Watch) -> Result<(), MemoryError> {
        let ledger = read(&self.0.generations).ledger.clone();
        for entry in ledger.all.iter().filter(|e| !e.complete) {
            self.use_model(&entry.model, watch).await?;
        }
        Ok(())
    }

    /// Whether a model is being built.
    pub(crate) fn building(&self) -> bool {
        read(&self.0.generations).ledger.all.iter().any(|e| !e.complete)
    }

    /// Drops what a model made that is not in use; its folder stays.
    pub async fn drop_model(&self, name: &str) -> Result<(), MemoryError> {
        self.writer()?;
        let _reading = self.nobody_reads().await;
        let found = self.generation_of(name).map(|g| g.number);
        let number = found.ok_or_else(|| MemoryError::NotFound(format!("this archive was not read with {name}")))?;
        if read(&self.0.generations).ledger.active == number {
            return Err(MemoryError::BadQuery(format!("{name} is in use: use another model first")));
        }
        let ledger = {
            let mut generations = write(&self.0.generations);
            generations.ledger.all.retain(|e| e.number != number);
            generations.others.retain(|g| g.number != number);
            generations.ledger.clone()
        };
        ledger.write(&self.0.home.vault)?;
        self.store().drop_passages(number).await?;
        crate::statistics::remove(&self.0.home.vault, number)
    }

    fn generation_of(&self, name: &str) -> Option<Arc<Generation>> {
        read(&self.0.generations).all().find(|g| g.model == name).cloned()
    }

    /// An empty generation for which all conversations wait.
    async fn begin_generation(&self, name: &str) -> Result<Arc<Generation>, MemoryError> {
        let folder = self.model_folder(name)?;
        if check(&folder)?.kind == ModelKind::Evolvable {
            return Err(MemoryError::BadQuery(format!(
                "{name} is a published evolvable model: too large to read an archive with. It ranks hits anew: `evoke search --rerank 32 --with {name}`"
            )));
        }
        let (device, arithmetic) = (self.0.options.device, self.0.options.arithmetic);
        let opened = tokio::task::spawn_blocking(move || Embedder::open_with(&folder, device, arithmetic)).await;
        let embedder = opened.map_err(anyhow::Error::from)??;
        let _changing = self.0.changing.lock().await;
        let mut ledger = read(&self.0.generations).ledger.clone();
        let mut entry = Entry::new(ledger.next(), name.to_owned(), sizes(embedder.lengths()));
        entry.fingerprint = embedder.fingerprint().to_owned();
        // Tables that a kill left behind under this number are of nobody.
        self.store().drop_passages(entry.number).await?;
        let generation = Generation::open(&entry, &self.0.home.vault, self.store(), true).await?;
        generation.embedder.set(embedder).ok();
        generation.wait_for(&self.conversation_ids()).await?;
        ledger.all.push(entry);
        ledger.write(&self.0.home.vault)?;
        let mut generations = write(&self.0.generations);
        generations.ledger = ledger;
        generations.others.push(generation.clone());
        Ok(generation)
    }

    fn conversation_ids(&self) -> Vec<ConversationId> {
        self.catalogue().about_all().map(|c| c.id).collect()
    }

    /// One write of one file; then this process follows, and others at their next search.
    async fn switch(&self, number: u32) -> Result<(), MemoryError> {
        let ledger = {
            let mut ledger = read(&self.0.generations).ledger.clone();
            ledger.active = number;
            if let Some(entry) = ledger.entry(number) {
                entry.complete = true;
            }
            ledger
        };
        ledger.write(&self.0.home.vault)?;
        {
            let mut generations = write(&self.0.generations);
            let at = generations.others.iter().position(|g| g.number == number);
            if let Some(at) = at {
                let new = generations.others.remove(at);
                let old = std::mem::replace(&mut generations.active, new);
                generations.others.push(old);
            }
            generations.ledger = ledger;
        }
        self.load().await
    }

    /// Sees that the model in use is the one that made the vectors in use. Where an update of Evoke brought
    /// another model under the same name, everything is read again.
    pub(crate) async fn hold_to_fingerprint(
        &self,
        generation: &Generation,
        embedder: &Embedder,
    ) -> Result<(), MemoryError> {
        if !self.writes() {
            return Ok(());
        }
        let mut ledger = read(&self.0.generations).ledger.clone();
        let Some(entry) = ledger.entry(generation.number) else { return Ok(()) };
        if entry.fingerprint == embedder.fingerprint() {
            return Ok(());
        }
        // What is unchanged is recognised by its hash, so this costs nothing where nothing was read yet.
        generation.wait_for(&self.conversation_ids()).await?;
        entry.fingerprint = embedder.fingerprint().to_owned();
        ledger.write(&self.0.home.vault)?;
        write(&self.0.generations).ledger = ledger;
        Ok(())
    }

    /// A model's card, if its folder has one.
    pub fn model_card(&self, name: &str) -> Result<Option<String>, MemoryError> {
        let folder = self.model_folder(name)?;
        let cards = ["MODEL_CARD.md", "README.md"].map(|card| std::fs::read_to_string(folder.join(card)).ok());
        Ok(cards.into_iter().flatten().next())
    }

    /// Texts that the model in use has embedded since it was opened. What is unchanged is not read again.
    pub fn texts_read(&self) -> u64 {
        self.active().embedder.get().map_or(0, Embedder::texts)
    }

    /// A published model that ranks hits anew, opened when it is first asked.
    pub(crate) fn reranker(&self, name: &str) -> Result<EvoEmbedder, MemoryError> {
        if let Some(opened) = hold(&self.0.rerankers).get(name) {
            return Ok(opened.clone());
        }
        let folder = self.model_folder(name)?;
        if check(&folder)?.kind != ModelKind::Evolvable {
            return Err(MemoryError::BadQuery(format!("{name} is no published evolvable model, so it cannot rerank")));
        }
        let opened = EvoEmbedder::open(&folder, self.0.options.device)?;
        hold(&self.0.rerankers).insert(name.to_owned(), opened.clone());
        Ok(opened)
    }

    /// The folder of a model by name.
    pub(crate) fn model_folder(&self, name: &str) -> Result<PathBuf, MemoryError> {
        let bundled = home::models(self.0.options.models.as_deref())?.join(name);
        if bundled.is_dir() && !name.contains(['/', '\\']) {
            return Ok(bundled);
        }
        added(&self.0.home.vault)?.remove(name).ok_or_else(|| {
            MemoryError::NotFound(format!("there is no model {name}: see `evoke model list`, or add its folder"))
        })
    }
}

/// The ledger of a Home; `models` is told to it where a Home has none yet.
pub(crate) fn ledger(vault: &Vault, models: Option<&Path>) -> Result<Ledger, MemoryError> {
    Ledger::read(vault, || {
        let folder = home::models(models).map(|m| m.join(MODEL));
        let lengths = folder.ok().and_then(|f| Embedder::lengths_of(&f).ok());
        // Without the model words can be searched; its columns come when it does.
        (MODEL.to_owned(), sizes(lengths.unwrap_or(Lengths { vector: crate::DIMS, seed: 0, state: 0 })))
    })
}

fn sizes(lengths: Lengths) -> Sizes {
    Sizes { vector: lengths.vector, seed: lengths.seed, state: lengths.state }
}

fn added(vault: &Vault) -> Result<BTreeMap<String, PathBuf>, MemoryError> {
    let Some(bytes) = vault.read_sealed(FILE)? else { return Ok(BTreeMap::new()) };
    Ok(serde_json::from_slice(&bytes).map_err(anyhow::Error::from)?)
}

/// Folders of models inside a folder, by name.
fn folders(of: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(of).into_iter().flatten().flatten();
    let mut all: Vec<(String, PathBuf)> = entries
        .filter(|e| e.path().join("config.json").is_file())
        .map(|e| (e.file_name().to_string_lossy().into_owned(), e.path()))
        .collect();
    all.sort();
    all
}
