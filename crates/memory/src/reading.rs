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
use evoke_message::{ConversationId, Message, MessageId, Stage};
use evoke_store::{MessageRow, PassageRow};
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::atomic::Ordering,
};

/// Passages embedded before they are committed.
const COMMIT: usize = 256;
/// Messages of one conversation that are fetched at once, so that none is too long for memory.
const STRETCH: usize = 2_000;

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

    /// True where the conversation was read to its end. It is read in stretches, each from where an epoch begins.
    async fn read_conversation(
        &self,
        conversation: ConversationId,
        reading: &mut Reading<'_>,
        total: u64,
    ) -> Result<bool, MemoryError> {
        reading.generation.begin(conversation);
        let mut ids = self.readable(conversation).await?;
        let read: HashSet<MessageId> = ids.iter().copied().collect();
        let mut stored = reading.generation.passages.pieces_of(conversation).await?;
        let mut stretch = Stretch::default();
        loop {
            let next: Vec<MessageId> = ids.drain(..STRETCH.min(ids.len())).collect();
            let mut messages = self.store().messages(&next).await?;
            messages.sort_by_key(|m| (m.time, m.order, m.id));
            stretch.messages.extend(messages);
            let passages = passage::passages(&stretch.messages, self.zone());
            let passages = &passages[stretch.read_before(&passages)..];
            let mut epochs = epoch::epochs(passages);
            // Messages still to come may belong to the last one.
            let open = if ids.is_empty() { None } else { epochs.pop() };
            let done = &passages[..epochs.last().map_or(0, |epoch| epoch.end)];
            for passage in done {
                stored.remove(&(passage.message.id, passage.piece));
            }
            if !self.read_epochs(passages, epochs, reading, total).await? {
                return Ok(false);
            }
            match open.map(|epoch| passages[epoch.start].message.id) {
                Some(first) => stretch.go_on_from(first),
                None if ids.is_empty() => break,
                None => {}
            }
        }
        // What is left was read from messages, or pieces of messages, that are no more.
        let of: Vec<MessageId> = stored.iter().map(|(message, _)| *message).collect();
        for row in reading.generation.passages.of_messages(&of).await? {
            if !stored.contains(&(row.message, row.piece)) {
                continue;
            }
            reading.made.old.push(row.meaning);
            if !read.contains(&row.message) {
                reading.made.gone.push(row.message);
            }
        }
        Ok(true)
    }

    /// The messages of a conversation that can be read, in reading order.
    async fn readable(&self, conversation: ConversationId) -> Result<Vec<MessageId>, MemoryError> {
        let mut known = self.store().known_of(conversation).await?;
        known.retain(|m| m.readable);
        known.sort_by_key(|m| (m.time, m.order, m.id));
        let mut ids: Vec<MessageId> = known.into_iter().map(|m| m.id).collect();
        ids.dedup();
        Ok(ids)
    }

    /// Reads whole epochs of a conversation; true where it came to their end.
    async fn read_epochs(
        &self,
        passages: &[Passage<'_>],
        epochs: Vec<Range<usize>>,
        reading: &mut Reading<'_>,
        total: u64,
    ) -> Result<bool, MemoryError> {
        let read = &passages[..epochs.last().map_or(0, |epoch| epoch.end)];
        let ids: Vec<MessageId> = read.chunk_by(|a, b| a.message.id == b.message.id).map(|m| m[0].message.id).collect();
        let known = reading.generation.passages.of_messages(&ids).await?;
        let mut known: HashMap<(MessageId, i32), PassageRow> =
            known.into_iter().map(|p| ((p.message, p.piece), p)).collect();
        let had: HashSet<MessageId> = known.keys().map(|(m, _)| *m).collect();
        let plans = plans(passages, epochs, &mut known, &reading.embedder);
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
        // What was written to meanwhile waits on.
        let finished: Vec<ConversationId> = finished.into_iter().filter(|id| !generation.changed(*id)).collect();
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

/// The part of a conversation that is held: messages that are to be read, after some that were read and that
/// only say what was before.
#[derive(Default)]
struct Stretch {
    messages: Vec<Message>,
    /// So many messages at the beginning were read.
    read: usize,
}

impl Stretch {
    /// How many passages at the beginning are of messages that were read.
    fn read_before(&self, passages: &[Passage<'_>]) -> usize {
        let read: HashSet<MessageId> = self.messages.iter().take(self.read).map(|m| m.id).collect();
        passages.iter().take_while(|p| read.contains(&p.message.id)).count()
    }

    /// Keeps the messages from `first` on, and those before it that a passage may be read after.
    fn go_on_from(&mut self, first: MessageId) {
        let at = self.messages.iter().position(|m| m.id == first).unwrap_or_default();
        // A message that only has documents is before nothing.
        let says = |m: &Message| !m.text.trim().is_empty();
        let before = self.messages[..at].iter().enumerate().rev().filter(|(_, m)| says(m));
        let from = before.take(passage::PREDECESSORS).last().map_or(at, |(i, _)| i);
        self.messages.drain(..from);
        self.read = at - from;
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
    epochs: Vec<Range<usize>>,
    known: &mut HashMap<(MessageId, i32), PassageRow>,
    embedder: &Embedder,
) -> Vec<EpochPlan<'p, 'a>> {
    let evolves = embedder.evolver().is_some();
    let mut all = Vec::new();
    for epoch in epochs {
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
