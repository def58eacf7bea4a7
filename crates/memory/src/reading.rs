//! Reading for meaning: conversations that wait become passages with vectors and states.
//!
//! Every passage carries a hash of what was read to make its vectors, and one of what its state was made
//! from: what has not changed is never read again, and a kill costs at most the passages since the last
//! commit. Only when all passages of a conversation are committed does it stop waiting.

use crate::{
    Memory, MemoryError, Watch,
    catalogue::State,
    epoch,
    generation::Generation,
    passage::{self, Passage},
};
use evoke_embed::{Embedder, Said, Side, Vector, mix};
use evoke_message::{ConversationId, MessageId, Stage};
use evoke_store::{MessageRow, PassageRow};
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
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

/// Conversations being read with one model.
struct Reading<'a> {
    generation: &'a Generation,
    embedder: Embedder,
    watch: &'a Watch,
    give_way: &'a (dyn Fn() -> bool + Sync),
    made: Made,
    /// Messages read so far.
    progress: u64,
}

impl Memory {
    /// Reads all that waits. Stops early, and cleanly, where the watch says so, and lets a forgetting
    /// go first: what is forgotten meanwhile must not be written from what was read before.
    pub(crate) async fn read_waiting(&self, generation: &Generation, watch: &Watch) -> Result<(), MemoryError> {
        loop {
            // A paused job holds nothing.
            if !watch.go_on().await {
                return Ok(());
            }
            let _reading = self.0.reading.lock().await;
            let waiting = generation.passages.waiting().await?;
            let give_way = || self.0.asked_to_wait.load(Ordering::Acquire) > 0;
            if self.read_these(generation, waiting, watch, &give_way).await? || watch.stopped() {
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
        generation: &Generation,
        waiting: Vec<ConversationId>,
        watch: &Watch,
        give_way: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, MemoryError> {
        if waiting.is_empty() {
            return Ok(true);
        }
        let embedder = self.embedder(generation).await?;
        let mut reading = Reading { generation, embedder, watch, give_way, made: Made::default(), progress: 0 };
        let sizes = self.catalogue().by_conversation();
        let size = |c: &ConversationId| sizes.get(c).map_or(0, |tally| tally.messages);
        let total = waiting.iter().map(size).sum();
        let mut all = true;
        for conversation in waiting {
            let before = reading.progress;
            all = self.read_conversation(conversation, &mut reading, total).await?;
            if !all {
                break;
            }
            reading.progress = before + size(&conversation);
            reading.made.finished.push(conversation);
            if reading.made.size() >= COMMIT {
                self.commit(&mut reading).await?;
            }
        }
        self.commit(&mut reading).await?;
        Ok(all)
    }

    /// True where the conversation was read to its end.
    async fn read_conversation(
        &self,
        conversation: ConversationId,
        reading: &mut Reading<'_>,
        total: u64,
    ) -> Result<bool, MemoryError> {
        let mut messages = self.store().conversation(conversation).await?;
        let passages = passage::passages(&mut messages, self.zone());
        let stored = reading.generation.passages.of_conversation(conversation).await?;
        let mut known: HashMap<(MessageId, i32), PassageRow> =
            stored.into_iter().map(|p| ((p.message, p.piece), p)).collect();
        let had: HashSet<MessageId> = known.keys().map(|(m, _)| *m).collect();
        let plans = plans(&passages, &mut known, &reading.embedder);
        for group in groups(&plans) {
            let rows = rows(&plans[group.clone()], &reading.embedder).await?;
            for (plan, row) in plans[group.clone()].iter().flat_map(|plan| &plan.passages).zip(rows) {
                let Some(row) = row else { continue };
                if let Some(old) = &plan.known {
                    reading.made.old.push(old.meaning.clone());
                }
                if had.contains(&row.message) { reading.made.instead.push(row) } else { reading.made.fresh.push(row) }
            }
            if reading.made.size() >= COMMIT {
                self.commit(reading).await?;
            }
            reading.progress += plans[group].iter().map(|plan| plan.passages.len() as u64).sum::<u64>();
            reading.watch.report(Stage::Meaning, reading.progress.min(total), total);
            if (reading.give_way)() || reading.watch.paused() || reading.watch.stopped() {
                return Ok(false);
            }
        }
        // What is left was read from messages, or pieces of messages, that are no more.
        let kept: HashSet<MessageId> = messages.iter().map(|m| m.id).collect();
        for ((message, _), row) in known {
            reading.made.old.push(row.meaning);
            if !kept.contains(&message) {
                reading.made.gone.push(message);
            }
        }
        Ok(true)
    }

    /// Writes what was made: passages, then sums, then who no longer waits.
    async fn commit(&self, reading: &mut Reading<'_>) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        let Made { fresh, instead, old, gone, finished } = std::mem::take(&mut reading.made);
        let generation = reading.generation;
        let passages = &generation.passages;
        passages.add(&fresh).await?;
        passages.put(&instead).await?;
        passages.delete(&gone).await?;
        let mut kept = generation.statistics.lock().await;
        if !(fresh.is_empty() && instead.is_empty() && old.is_empty()) {
            kept.change(old.iter(), fresh.iter().chain(&instead).map(|r| &r.meaning));
            kept.write(&self.0.home.vault, passages).await?;
        }
        passages.remove_waiting(&finished).await?;
        if generation.number == self.active().number {
            let mut catalogue = self.catalogue_mut();
            for row in fresh.iter().chain(&instead) {
                catalogue.set_state(row.message, if row.meaning.is_empty() { State::Failed } else { State::Embedded });
            }
        }
        Ok(())
    }

    /// Compacts and indexes in the background of a job; searches go on.
    pub(crate) async fn tidy(&self, generation: &Generation) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        self.store().tidy().await?;
        let tidied = generation.passages.tidy(self.0.private_temp).await?;
        generation.vector_index.store(tidied.vector_index, Ordering::Relaxed);
        generation.statistics.lock().await.write(&self.0.home.vault, &generation.passages).await
    }
}

impl Made {
    fn size(&self) -> usize {
        self.fresh.len() + self.instead.len()
    }
}

/// A passage and what is known of it.
struct Plan<'p, 'a> {
    passage: &'p Passage<'a>,
    reading: i64,
    stream: i64,
    known: Option<PassageRow>,
    /// Its vectors must be made.
    embed: bool,
    /// Its row must be written, since it or another piece of its message has changed.
    write: bool,
}

/// An epoch with what is to be done.
struct EpochPlan<'p, 'a> {
    passages: Vec<Plan<'p, 'a>>,
}

impl EpochPlan<'_, '_> {
    fn changed(&self) -> bool {
        self.passages.iter().any(|plan| plan.write)
    }
}

/// What must be done for each epoch of a conversation. Takes out of `known` what is still of a passage.
fn plans<'p, 'a>(
    passages: &'p [Passage<'a>],
    known: &mut HashMap<(MessageId, i32), PassageRow>,
    embedder: &Embedder,
) -> Vec<EpochPlan<'p, 'a>> {
    let evolves = embedder.evolver().is_some();
    let mut all = Vec::new();
    for epoch in epoch::epochs(passages) {
        let mut stream = 0;
        let mut plans: Vec<Plan<'p, 'a>> = Vec::new();
        for passage in &passages[epoch] {
            let reading = passage.reading(embedder.fingerprint());
            let in_stream = evolves && !passage.in_document;
            stream = if in_stream { passage::chained(stream, reading) } else { stream };
            let of_row = if in_stream { stream } else { 0 };
            let known = known.remove(&(passage.message.id, passage.piece));
            let model = embedder.fingerprint();
            let same = |k: &PassageRow| {
                k.reading == reading || k.reading == passage.reading_as(model, &k.context_words, k.person, k.time)
            };
            let embed = known.as_ref().is_none_or(|k| !same(k) || k.meaning.is_empty());
            let has = MessageRow::has(passage.message);
            let other = |k: &PassageRow| k.reading != reading || k.stream != of_row || k.has != has;
            let write = embed || known.as_ref().is_some_and(other);
            plans.push(Plan { passage, reading, stream: of_row, known, embed, write });
        }
        // The pieces of one message are written together.
        for message in plans.chunk_by_mut(|a, b| a.passage.message.id == b.passage.message.id) {
            let write = message.iter().any(|plan| plan.write);
            message.iter_mut().for_each(|plan| plan.write = write);
        }
        all.push(EpochPlan { passages: plans });
    }
    all
}

/// Runs of epochs with about as many passages to embed as one commit takes.
fn groups(plans: &[EpochPlan<'_, '_>]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (at, plan) in plans.iter().enumerate() {
        size += plan.passages.iter().filter(|plan| plan.write).count();
        if size >= COMMIT || at + 1 == plans.len() {
            all.push(start..at + 1);
            (start, size) = (at + 1, 0);
        }
    }
    all
}

/// The rows of all passages of some epochs, in order; none where nothing has changed.
async fn rows(plans: &[EpochPlan<'_, '_>], embedder: &Embedder) -> Result<Vec<Option<PassageRow>>, MemoryError> {
    let changed = plans.iter().flat_map(|epoch| &epoch.passages).filter(|plan| plan.embed);
    let mut vectors = embed(changed.map(|plan| plan.passage), embedder).await?.into_iter();
    let mut epochs: Vec<Vec<Option<PassageRow>>> = Vec::new();
    for epoch in plans {
        let needed = epoch.changed();
        let row = |plan: &Plan<'_, '_>| match &plan.known {
            _ if !needed => None,
            Some(known) if !plan.embed => Some(again(plan, known)),
            _ => vectors.next().map(|read| made(plan, read)),
        };
        epochs.push(epoch.passages.iter().map(row).collect());
    }
    evolve(&mut epochs, embedder).await?;
    let written = plans.iter().flat_map(|epoch| &epoch.passages).map(|plan| plan.write);
    Ok(epochs.into_iter().flatten().zip(written).map(|(row, write)| row.filter(|_| write)).collect())
}

/// Gives each passage of a changed epoch its state: what it says after those before it in the epoch. A
/// passage whose text could not be embedded is not part of the stream.
async fn evolve(epochs: &mut [Vec<Option<PassageRow>>], embedder: &Embedder) -> Result<(), MemoryError> {
    if embedder.evolver().is_none() {
        return Ok(());
    }
    let read = |row: &PassageRow| !row.meaning.is_empty() && !row.seed.is_empty();
    let streams: Vec<Vec<(Vec<f32>, Vec<f32>)>> = epochs
        .iter()
        .map(|epoch| {
            let rows = epoch.iter().flatten().filter(|row| read(row));
            rows.map(|row| (row.meaning.clone(), row.seed.clone())).collect()
        })
        .collect();
    let embedder = embedder.clone();
    let work = tokio::task::spawn_blocking(move || {
        let streams: Vec<Vec<Said<'_>>> =
            streams.iter().map(|s| s.iter().map(|(vector, seed)| Said { vector, seed }).collect()).collect();
        embedder.states(&streams)
    });
    let states = work.await.map_err(anyhow::Error::from)??;
    for (epoch, states) in epochs.iter_mut().zip(states) {
        let rows = epoch.iter_mut().flatten().filter(|row| read(row));
        rows.zip(states).for_each(|(row, state)| row.state = state);
    }
    Ok(())
}

/// What was made of one passage: alone and, where it is short, after its predecessors.
struct Read {
    alone: Vector,
    in_context: Option<Vector>,
}

async fn embed<'p, 'a: 'p>(
    passages: impl Iterator<Item = &'p Passage<'a>>,
    embedder: &Embedder,
) -> Result<Vec<Read>, MemoryError> {
    let mut texts: Vec<String> = Vec::new();
    let mut with_context = Vec::new();
    for passage in passages {
        texts.push(passage.alone.clone());
        texts.extend(passage.in_context.clone());
        with_context.push(passage.in_context.is_some());
    }
    let embedder = embedder.clone();
    let work = tokio::task::spawn_blocking(move || {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        embedder.embed(&texts, Side::Passage)
    });
    let mut vectors = work.await.map_err(anyhow::Error::from)??.into_iter();
    let mut all = Vec::new();
    for context in with_context {
        let Some(alone) = vectors.next() else { break };
        all.push(Read { alone, in_context: if context { vectors.next() } else { None } });
    }
    Ok(all)
}

/// The row of a passage whose vectors stand, while its time or what it carries may have changed.
fn again(plan: &Plan<'_, '_>, known: &PassageRow) -> PassageRow {
    let Plan { passage, reading, stream, .. } = plan;
    let m = passage.message;
    PassageRow {
        reading: *reading,
        stream: *stream,
        person: m.sender.person(&m.source),
        time: m.time,
        has: MessageRow::has(m),
        context_words: passage.context_words.clone(),
        plain: passage.plain.clone(),
        ..known.clone()
    }
}

/// The row of a passage that was just read, still without its state.
fn made(plan: &Plan<'_, '_>, read: Read) -> PassageRow {
    let Plan { passage, reading, stream, .. } = plan;
    let own = read.alone.values;
    let context = read
        .in_context
        .map_or_else(|| own.clone(), |context| mix(&own, &context.values, passage::context_weight(passage.length)));
    let m = passage.message;
    PassageRow {
        message: m.id,
        piece: passage.piece,
        conversation: m.conversation,
        person: m.sender.person(&m.source),
        source: m.source.clone(),
        kind: m.kind,
        time: m.time,
        has: MessageRow::has(m),
        start: passage.at.start as i32,
        end: passage.at.end as i32,
        length: passage.length as i32,
        context_words: passage.context_words.clone(),
        plain: passage.plain.clone(),
        meaning: own,
        context,
        // Without one it is no part of the stream.
        seed: if passage.in_document { Vec::new() } else { read.alone.seed },
        state: Vec::new(),
        reading: *reading,
        stream: *stream,
        cut: read.alone.cut,
        asks: passage.asks,
    }
}
