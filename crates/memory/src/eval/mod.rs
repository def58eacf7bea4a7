//! How well the archive is searched: histories with questions, through the very path the product uses.
//!
//! Each history is written as an export of a known format, imported into a Home of its own, read for
//! meaning, and asked through [`Memory::search_at`]; nothing here knows how a search works. Forms of the
//! files and of the figures: `docs/eval.md`.

mod compare;
mod history;
mod measure;

pub use compare::{Compared, compare};
pub use history::{Asked, History, Turn, histories};
pub use measure::{Figures, Report, RunLine, Scored, mode_name, read_run};

use crate::{ImportOptions, Memory, MemoryError, Options, Watch};
use evoke_embed::Embedder;
use evoke_message::{MessageId, Mode, Query};
use jiff::tz::TimeZone;
use std::{collections::HashMap, path::Path, sync::OnceLock};

/// Hits asked for: runs are judged up to 20, and kept this deep.
const DEEP: usize = 100;

/// How histories are asked: in which modes, and with what the model is opened.
pub struct Eval {
    modes: Vec<Mode>,
    /// Best hits to read in order in any case.
    rerank: usize,
    options: Options,
    /// One model for all histories.
    embedder: OnceLock<Embedder>,
}

impl Eval {
    pub fn new(modes: Vec<Mode>, rerank: usize, options: Options) -> Eval {
        Eval { modes, rerank, options, embedder: OnceLock::new() }
    }

    /// Asks all questions of a history in each mode. `folder` is where its Home is, or will be made: one
    /// that stands from an earlier run of the same history is used as it is.
    pub async fn run(&self, history: &History, folder: &Path) -> Result<Vec<Scored>, MemoryError> {
        let options = self.options.clone();
        let open = Options { home: folder.join("home"), zone: TimeZone::UTC, keychain: false, write: true, ..options };
        let memory = Memory::open(open).await?;
        if let Some(embedder) = self.embedder.get() {
            memory.active().embedder.set(embedder.clone()).ok();
        }
        let scored = self.ask_all(&memory, history, folder).await;
        if let Some(embedder) = memory.active().embedder.get() {
            self.embedder.get_or_init(|| embedder.clone());
        }
        scored
    }

    async fn ask_all(&self, memory: &Memory, history: &History, folder: &Path) -> Result<Vec<Scored>, MemoryError> {
        let imported = !memory.receipts().await?.is_empty() && memory.interrupted().await? == 0;
        if !imported {
            let export = history.write_export(folder)?;
            memory.import(&[export], &ImportOptions::default(), &Watch::default()).await?;
        }
        let turns = turns_by_message(memory, history).await?;
        let mut all = Vec::new();
        for asked in &history.queries {
            for mode in &self.modes {
                all.push(self.ask(memory, history, asked, *mode, &turns).await?);
            }
        }
        Ok(all)
    }

    async fn ask(
        &self,
        memory: &Memory,
        history: &History,
        asked: &Asked,
        mode: Mode,
        turns: &HashMap<MessageId, String>,
    ) -> Result<Scored, MemoryError> {
        let times = history.times();
        let last_turn = asked.asked_after.as_ref().and_then(|id| history.turns.iter().position(|t| t.id == *id));
        let last = last_turn.or(times.len().checked_sub(1)).and_then(|i| times.get(i)).copied().unwrap_or_default();
        let query = Query {
            text: asked.text.clone(),
            until: last_turn.map(|_| last + 1),
            mode,
            rerank: self.rerank,
            limit: DEEP,
            ..Query::default()
        };
        let now = asked.time().unwrap_or(last).max(last);
        let found = memory.search_at(&query, now).await?;
        let ranking = found.hits.iter().filter_map(|h| Some((turns.get(&h.message.id)?.clone(), h.score))).collect();
        Ok(Scored::new(history, asked, mode, ranking))
    }
}

/// Which message is which turn: the messages of a session's conversation, in order, are its turns.
async fn turns_by_message(memory: &Memory, history: &History) -> Result<HashMap<MessageId, String>, MemoryError> {
    let mut turns = HashMap::new();
    for conversation in memory.conversations(None).await? {
        let wanted: Vec<&Turn> = history
            .turns
            .iter()
            .filter(|t| t.session_title() == conversation.title && !t.text.trim().is_empty())
            .collect();
        let mut messages = Vec::new();
        while messages.len() < conversation.messages as usize {
            let at = messages.last().map(|m: &evoke_message::Shown| m.id);
            let page = match at {
                None => memory.conversation(conversation.id, Some(i64::MIN), 400).await?.messages,
                Some(last) => memory.neighbours(last, 0, 400).await?.messages.split_off(1),
            };
            if page.is_empty() {
                break;
            }
            messages.extend(page);
        }
        if messages.len() != wanted.len() || messages.iter().zip(&wanted).any(|(m, t)| m.text.trim() != t.text.trim()) {
            return Err(MemoryError::Home(format!(
                "session {} of {} did not come through the import as it was written ({} of {} turns)",
                conversation.title,
                history.history_id,
                messages.len(),
                wanted.len()
            )));
        }
        turns.extend(messages.iter().zip(&wanted).map(|(m, t)| (m.id, t.id.clone())));
    }
    Ok(turns)
}
