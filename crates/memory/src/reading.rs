//! Reading for meaning: conversations that wait become passages with vectors.
//!
//! Every passage carries a hash of what was read to make it: what has not changed is never read again,
//! and a kill costs at most the passages since the last commit. Only when all passages of a conversation
//! are committed does it stop waiting.

use crate::{
    Memory, MemoryError, Watch,
    catalogue::State,
    passage::{self, Passage},
};
use evoke_embed::{Embedder, Side, mix};
use evoke_message::{ConversationId, MessageId, Stage};
use evoke_store::PassageRow;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::atomic::Ordering,
};

/// Passages embedded before they are committed.
const COMMIT: usize = 256;

/// Made, and waiting for one commit.
#[derive(Default)]
struct Made {
    /// Passages of messages that had none, and of messages that had others.
    fresh: Vec<PassageRow>,
    instead: Vec<PassageRow>,
    /// Static vectors that are replaced or gone.
    old: Vec<Vec<f32>>,
    /// Messages whose passages are gone.
    gone: Vec<MessageId>,
    finished: Vec<ConversationId>,
}

impl Memory {
    /// Reads all that waits. Stops early, and cleanly, where the watch says so, and lets a forgetting
    /// go first: what is forgotten meanwhile must not be written from what was read before.
    pub(crate) async fn read_waiting(&self, watch: &Watch) -> Result<(), MemoryError> {
        loop {
            // A paused job holds nothing.
            if !watch.go_on().await {
                return Ok(());
            }
            let _reading = self.0.reading.lock().await;
            let waiting = self.store().waiting().await?;
            let give_way = || self.0.asked_to_wait.load(Ordering::Acquire) > 0;
            if self.read_these(waiting, watch, &give_way).await? || watch.stopped() {
                return Ok(());
            }
        }
    }

    /// Waits until nobody reads, and keeps it so while the guard lives.
    pub(crate) async fn nobody_reads(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.asked_to_wait.fetch_add(1, Ordering::AcqRel);
        let guard = self.0.reading.lock().await;
        self.0.asked_to_wait.fetch_sub(1, Ordering::AcqRel);
        guard
    }

    /// Reads some conversations; true where all were read to their end. The caller holds `reading`.
    pub(crate) async fn read_these(
        &self,
        waiting: Vec<ConversationId>,
        watch: &Watch,
        give_way: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, MemoryError> {
        if waiting.is_empty() {
            return Ok(true);
        }
        let embedder = self.embedder().await?.clone();
        let total = self.catalogue().coverage().waiting;
        let mut made = Made::default();
        let mut all = true;
        for conversation in waiting {
            all = self.read_conversation(conversation, &embedder, &mut made, watch, total, give_way).await?;
            if !all {
                break;
            }
            made.finished.push(conversation);
            if made.size() >= COMMIT {
                self.commit(&mut made).await?;
            }
        }
        self.commit(&mut made).await?;
        Ok(all)
    }

    /// True where the conversation was read to its end.
    async fn read_conversation(
        &self,
        conversation: ConversationId,
        embedder: &Embedder,
        made: &mut Made,
        watch: &Watch,
        total: u64,
        give_way: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, MemoryError> {
        let mut messages = self.store().conversation(conversation).await?;
        let passages = passage::passages(&mut messages, self.zone());
        let mut known: HashMap<(MessageId, i32), PassageRow> =
            self.store().passages(conversation).await?.into_iter().map(|p| ((p.message, p.piece), p)).collect();
        let had: HashSet<MessageId> = known.keys().map(|(m, _)| *m).collect();
        let model = embedder.fingerprint().to_owned();
        let changed: Vec<(Passage<'_>, i64)> = passages
            .into_iter()
            .filter_map(|p| {
                let reading = p.reading(&model);
                let key = (p.message.id, p.piece);
                let same = known.get(&key).is_some_and(|k| k.reading == reading && !k.meaning.is_empty());
                if same {
                    known.remove(&key);
                }
                (!same).then_some((p, reading))
            })
            .collect();
        let whole = whole_messages(changed);
        for part in whole.chunk_by(|a, b| a.2 == b.2) {
            let rows = embed(part, embedder).await?;
            for row in rows {
                if let Some(old) = known.remove(&(row.message, row.piece)) {
                    made.old.push(old.meaning);
                }
                if had.contains(&row.message) { made.instead.push(row) } else { made.fresh.push(row) }
            }
            if made.size() >= COMMIT {
                self.commit(made).await?;
            }
            let done = total.saturating_sub(self.catalogue().coverage().waiting);
            watch.report(Stage::Meaning, done, total);
            if give_way() || watch.paused() || watch.stopped() {
                return Ok(false);
            }
        }
        // What is left was read from messages, or pieces of messages, that are no more.
        let kept: HashSet<MessageId> = messages.iter().map(|m| m.id).collect();
        for ((message, _), row) in known {
            made.old.push(row.meaning);
            if !kept.contains(&message) {
                made.gone.push(message);
            }
        }
        Ok(true)
    }

    /// Writes what was made: passages, then sums, then who no longer waits.
    async fn commit(&self, made: &mut Made) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        let Made { fresh, instead, old, gone, finished } = std::mem::take(made);
        let store = self.store();
        store.add_passages(&fresh).await?;
        store.put_passages(&instead).await?;
        store.delete_passages(&gone).await?;
        let mut kept = self.0.statistics.lock().await;
        if !(fresh.is_empty() && instead.is_empty() && old.is_empty()) {
            kept.change(old.iter(), fresh.iter().chain(&instead).map(|r| &r.meaning));
            kept.write(&self.0.home.vault, store).await?;
        }
        store.remove_waiting(&finished).await?;
        let mut catalogue = self.catalogue_mut();
        for row in fresh.iter().chain(&instead) {
            catalogue.set_state(row.message, if row.meaning.is_empty() { State::Failed } else { State::Embedded });
        }
        Ok(())
    }

    /// Compacts and indexes in the background of a job; searches go on.
    pub(crate) async fn tidy(&self) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        let tidied = self.store().tidy(self.0.private_temp).await?;
        self.0.vector_index.store(tidied.vector_index, Ordering::Relaxed);
        self.0.statistics.lock().await.write(&self.0.home.vault, self.store()).await
    }
}

impl Made {
    fn size(&self) -> usize {
        self.fresh.len() + self.instead.len()
    }
}

/// Passages of one message go into the same group, since they replace what it had in one commit; the
/// number of the group is the third part.
fn whole_messages(changed: Vec<(Passage<'_>, i64)>) -> Vec<(Passage<'_>, i64, usize)> {
    const GROUP: usize = 256;
    let mut group = 0;
    let mut size = 0;
    let mut last = None;
    changed
        .into_iter()
        .map(|(passage, reading)| {
            if size >= GROUP && last != Some(passage.message.id) {
                group += 1;
                size = 0;
            }
            size += 1;
            last = Some(passage.message.id);
            (passage, reading, group)
        })
        .collect()
}

/// The rows of some passages, with their vectors. A text that cannot be embedded gets a row without.
async fn embed(part: &[(Passage<'_>, i64, usize)], embedder: &Embedder) -> Result<Vec<PassageRow>, MemoryError> {
    let mut texts: Vec<String> = Vec::new();
    let mut at: BTreeMap<usize, (usize, Option<usize>)> = BTreeMap::new();
    for (i, (passage, _, _)) in part.iter().enumerate() {
        texts.push(passage.alone.clone());
        let alone = texts.len() - 1;
        let context = passage.in_context.clone().map(|text| {
            texts.push(text);
            texts.len() - 1
        });
        at.insert(i, (alone, context));
    }
    let embedder = embedder.clone();
    let work = tokio::task::spawn_blocking(move || {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        embedder.embed(&texts, Side::Passage)
    });
    let vectors = work.await.map_err(anyhow::Error::from)??;
    let row = |(i, (passage, reading, _)): (usize, &(Passage<'_>, i64, usize))| {
        let (alone, context) = at.get(&i).copied().unwrap_or_default();
        let own = vectors.get(alone).map(|v| v.values.clone()).unwrap_or_default();
        let cut = vectors.get(alone).is_some_and(|v| v.cut);
        let mixed = context
            .and_then(|c| vectors.get(c))
            .map_or_else(|| own.clone(), |c| mix(&own, &c.values, passage::context_weight(passage.length)));
        let m = passage.message;
        PassageRow {
            message: m.id,
            piece: passage.piece,
            conversation: m.conversation,
            person: m.sender.person(&m.source),
            source: m.source.clone(),
            kind: m.kind,
            time: m.time,
            start: passage.at.start as i32,
            end: passage.at.end as i32,
            length: passage.length as i32,
            context_words: passage.context_words.clone(),
            plain: passage.plain.clone(),
            meaning: own,
            context: mixed,
            reading: *reading,
            cut,
        }
    };
    Ok(part.iter().enumerate().map(row).collect())
}
