//! A published model for others to call: conversations are read turn by turn into a memory, texts and queries
//! get the vectors that they have behind it, and a list of candidates is put in order (specification 1.5, B,
//! and 1.8). Nothing is written anywhere; which text is read is left to the caller.

use std::path::Path;
use std::sync::Arc;

use candle_core::Tensor;

use super::model::{Behind, EvoModel, dot, groups, unit};
use super::spec::{Parts, Spec};
use super::text::Texts;
use super::{Checkpoint, text};
use crate::EmbedError;
use crate::device::{Device, choose};

pub use text::Turn;

/// An opened model. Cheap to clone; all clones share the weights.
#[derive(Clone)]
pub struct EvoEmbedder {
    pub(super) opened: Arc<Opened>,
}

pub(super) struct Opened {
    pub(super) spec: Spec,
    pub(super) texts: Texts,
    pub(super) model: EvoModel,
    name: String,
    pub(super) device: candle_core::Device,
    description: String,
}

/// What was read of one conversation: the queue of its last latents. It grows to a fixed size and no further
/// (512 rows of the hidden size in f32 for the published models), and holds as much of the text as the text
/// itself does: keep it as safe.
#[derive(Clone, Default)]
pub struct EvoMemory {
    rows: Option<Tensor>,
}

impl EvoMemory {
    /// Rows of latents that are held.
    pub fn rows(&self) -> usize {
        self.rows.as_ref().map_or(0, |rows| rows.dims().first().copied().unwrap_or(0))
    }
}

/// What the model made of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct EvoVector {
    /// Unit length, [`EvoEmbedder::dims`] values.
    pub values: Vec<f32>,
    /// Ids read, marks included.
    pub tokens: usize,
    /// The text was longer than is read of one; its end has no part in the vector.
    pub cut: bool,
}

/// Ids of a text that are read at most. The published form knows no limit, but time grows with the square of the
/// length, and imports hold texts of megabytes.
const MOST_IDS: usize = 4096;

impl EvoEmbedder {
    /// Opens a published checkpoint or the GGUF made of it: `config.json`, the base model's configuration
    /// (`base_config.json`, or `config.json` in the directory that `base_model_name_or_path` names in or beside
    /// this one), `tokenizer.json`, `evo_ids.json` if the tokenizer is not Qwen3's, and the weights. The error
    /// names the file that is missing or broken; [`crate::check`] lists all at once.
    pub fn open(dir: &Path, device: Device) -> Result<Self, EmbedError> {
        let parts = Parts::find(dir)?;
        let texts = Texts::open(&parts.tokenizer)?;
        let spec = Spec::read(&parts, &texts)?;
        let chosen = choose(device);
        let files = Checkpoint::open(dir, &parts, &chosen.device)?;
        let model = EvoModel::load(&files, &spec, &chosen.device)?;
        let name = crate::about::name_of(dir);
        let opened = Opened { spec, texts, model, name, device: chosen.device, description: chosen.description };
        Ok(EvoEmbedder { opened: Arc::new(opened) })
    }

    /// Length of every vector.
    pub fn dims(&self) -> usize {
        self.opened.model.dims
    }

    /// The name of the model's directory.
    pub fn name(&self) -> &str {
        &self.opened.name
    }

    /// What computes, for people, with the reason where another device was asked for.
    pub fn device(&self) -> &str {
        &self.opened.description
    }

    /// Reads turns in order into the memory and gives each the vector it has behind what came before it, which
    /// no later turn changes. Turns of one call are read in groups of up to 16 turns or 2,048 ids, and the
    /// grouping is part of the result: one call for each run of turns that shall be reproducible.
    pub fn read(&self, memory: &mut EvoMemory, turns: &[Turn<'_>]) -> Result<Vec<EvoVector>, EmbedError> {
        let Opened { spec, texts, model, .. } = &*self.opened;
        let turns = turns.iter().map(|turn| shortened(turn, texts)).collect::<Result<Vec<_>, _>>()?;
        let segments = turns.iter().map(|(turn, _)| texts.turn(turn, &spec.ids)).collect::<Result<Vec<_>, _>>()?;
        let strings = turns.iter().map(|(turn, _)| texts.ended(&turn.string(), &spec.ids));
        let strings = strings.collect::<Result<Vec<_>, _>>()?;
        let before = memory.rows();
        let lengths: Vec<usize> = segments.iter().map(Vec::len).collect();
        let rows = model.remember(memory.rows.clone(), &segments, &groups(&lengths, spec))?;
        let behind =
            strings.iter().enumerate().map(|(at, ids)| Behind { ids, rows: model.queue(before + at * spec.latents) });
        let vectors = model.vectors(rows.as_ref(), &behind.collect::<Vec<_>>())?;
        memory.rows = rows.map(|rows| last_rows(&rows, spec.capacity)).transpose()?;
        let vectors = vectors.iter().zip(strings).zip(turns);
        Ok(vectors
            .map(|((vector, ids), (_, cut))| EvoVector { values: unit(vector), tokens: ids.len(), cut })
            .collect())
    }

    /// The vector of a query behind everything that the memory has read.
    pub fn query(&self, memory: &EvoMemory, query: &str) -> Result<EvoVector, EmbedError> {
        let Opened { spec, texts, model, .. } = &*self.opened;
        let (query, cut) = beginning(query, texts)?;
        let ids = texts.query(query, spec)?;
        let behind = Behind { ids: &ids, rows: model.queue(memory.rows()) };
        let vectors = model.vectors(memory.rows.as_ref(), &[behind])?;
        let values = vectors.first().map(|vector| unit(vector)).unwrap_or_default();
        Ok(EvoVector { values, tokens: ids.len(), cut })
    }

    /// How well each candidate answers the query, in the order given: cosine over the trained temperature, so
    /// that larger is better and a softmax of the scores is a share. The candidates are read as one stream, for
    /// which the model was trained in order of time. Costs about 80 rows and their text a candidate.
    pub fn rerank(&self, candidates: &[&str], query: &str) -> Result<Vec<f32>, EmbedError> {
        let mut memory = EvoMemory::default();
        let turns: Vec<Turn<'_>> = candidates.iter().map(|text| Turn::of(text)).collect();
        let vectors = self.read(&mut memory, &turns)?;
        let query = self.query(&memory, query)?;
        let temperature = self.opened.spec.temperature;
        Ok(vectors.iter().map(|vector| dot(&vector.values, &query.values) / temperature).collect())
    }
}

/// The last rows in memory of their own, so that those before them are let go.
fn last_rows(rows: &Tensor, most: usize) -> candle_core::Result<Tensor> {
    let count = rows.dim(0)?;
    if count <= most { Ok(rows.clone()) } else { rows.narrow(0, count - most, most)?.force_contiguous() }
}

fn shortened<'a>(turn: &Turn<'a>, texts: &Texts) -> Result<(Turn<'a>, bool), EmbedError> {
    let ((user, cut), (assistant, also)) = (beginning(turn.user, texts)?, beginning(turn.assistant, texts)?);
    Ok((Turn { user, assistant }, cut || also))
}

/// As much of a text as is read, and whether that is less than all. A token has at least a byte.
fn beginning<'a>(text: &'a str, texts: &Texts) -> Result<(&'a str, bool), EmbedError> {
    let mut kept = &text[..text.floor_char_boundary(8 * MOST_IDS)];
    while kept.len() > MOST_IDS {
        let count = texts.ids(kept)?.len();
        if count <= MOST_IDS {
            break;
        }
        kept = &kept[..kept.floor_char_boundary(kept.len() * MOST_IDS / (count + count / 32))];
    }
    Ok((kept, kept.len() < text.len()))
}
