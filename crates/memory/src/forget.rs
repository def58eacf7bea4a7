//! Forgetting: previewed, then gone from every table, index, vector, statistic and old version on disk.
//!
//! What was read after a forgotten message had it as context, so those passages are read anew before
//! forgetting is called done. The ids (hashes) of forgotten messages stay, so that a later import does
//! not bring them back unless asked; undoing an import leaves none, since it may be imported again.

use crate::{Memory, MemoryError, Watch, catalogue::Row, write};
use evoke_message::{ConversationId, Forgotten, MessageId, PersonId, Target};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What goes.
#[derive(Default)]
struct Going {
    messages: Vec<MessageId>,
    /// Messages of an undone import that another import has too: they stay, and are its.
    given: HashMap<i64, Vec<MessageId>>,
    touched: Vec<ConversationId>,
    /// Of whom nothing is left.
    conversations: Vec<ConversationId>,
    people: Vec<PersonId>,
    first: Option<i64>,
    last: Option<i64>,
}

impl Memory {
    /// What forgetting would remove.
    pub async fn preview_forget(&self, target: &Target) -> Result<Forgotten, MemoryError> {
        self.refresh().await?;
        let going = self.going(target).await?;
        let passages = self.active().passages.of_messages(&going.messages).await?.len() as u64;
        Ok(told(&going, passages, false))
    }

    /// Forgets. When this returns, no file of the Home holds the forgotten text, even decrypted.
    ///
    /// # Errors
    /// `Busy` where another process writes. After an error part of it may be done; forgetting again
    /// finishes it.
    pub async fn forget(&self, target: &Target) -> Result<Forgotten, MemoryError> {
        self.writer()?;
        let started = std::time::Instant::now();
        let _reading = self.nobody_reads().await;
        let going = self.going(target).await?;
        let passages = {
            let _changing = self.0.changing.lock().await;
            self.remove(&going, matches!(target, Target::Import(_))).await?
        };
        let active = self.active();
        self.read_these(&active, going.touched.clone(), &Watch::default(), &|| false).await?;
        {
            let _changing = self.0.changing.lock().await;
            self.store().erase().await?;
            for generation in self.generations() {
                let tidied = generation.passages.erase(self.0.private_temp).await?;
                generation.vector_index.store(tidied.vector_index, std::sync::atomic::Ordering::Relaxed);
                generation.statistics.lock().await.write(&self.0.home.vault, &generation.passages).await?;
            }
        }
        if let Target::Import(number) = target {
            self.mark_undone(*number).await?;
        }
        Ok(Forgotten { took_ms: started.elapsed().as_millis() as u64, ..told(&going, passages, true) })
    }

    async fn going(&self, target: &Target) -> Result<Going, MemoryError> {
        let others = match target {
            Target::Import(number) => self.other_imports(*number as i64).await?,
            _ => HashMap::new(),
        };
        let catalogue = self.catalogue();
        let hit = |row: &Row| match target {
            Target::Message(id) => row.id == *id,
            Target::Conversation(id) => catalogue.conversation(row) == *id,
            Target::Person(id) => catalogue.person(row) == *id,
            Target::Source(source) => catalogue.source(row) == source,
            Target::Period { from, until } => row.time >= *from && row.time < *until,
            Target::Import(number) => u64::from(row.import) == *number,
        };
        let mut going = Going::default();
        let (mut left, mut left_people) = (HashSet::new(), HashSet::new());
        let (mut touched, mut people) = (BTreeSet::new(), BTreeSet::new());
        for row in catalogue.rows() {
            if !hit(row) {
                left.insert(row.conversation);
                left_people.insert(row.person);
            } else if let Some(other) = others.get(&row.id) {
                going.given.entry(*other).or_default().push(row.id);
                left.insert(row.conversation);
                left_people.insert(row.person);
            } else {
                going.messages.push(row.id);
                touched.insert((row.conversation, catalogue.conversation(row)));
                people.insert((row.person, catalogue.person(row)));
                going.first = Some(going.first.map_or(row.time, |t| t.min(row.time)));
                going.last = Some(going.last.map_or(row.time, |t| t.max(row.time)));
            }
        }
        if going.messages.is_empty() && going.given.is_empty() {
            return Err(MemoryError::NotFound(
                "nothing of this is in the archive, so there is nothing to forget".into(),
            ));
        }
        going.conversations = touched.iter().filter(|(n, _)| !left.contains(n)).map(|(_, id)| *id).collect();
        going.touched = touched.iter().filter(|(n, _)| left.contains(n)).map(|(_, id)| *id).collect();
        going.people = people.into_iter().filter(|(n, _)| !left_people.contains(n)).map(|(_, id)| id).collect();
        Ok(going)
    }

    /// For messages of an import, the earliest other import that has them and was not undone.
    async fn other_imports(&self, number: i64) -> Result<HashMap<MessageId, i64>, MemoryError> {
        let undone: HashSet<i64> =
            self.receipts().await?.iter().filter(|r| r.undone.is_some()).map(|r| r.import as i64).collect();
        let mut others: HashMap<MessageId, i64> = HashMap::new();
        for (id, import) in self.store().met().await? {
            if import != number && !undone.contains(&import) {
                others.entry(id).and_modify(|i| *i = (*i).min(import)).or_insert(import);
            }
        }
        Ok(others)
    }

    /// Takes it out of every table and sum. The order matters to a kill: what marks the work as to be
    /// done comes before what makes it invisible.
    async fn remove(&self, going: &Going, undo: bool) -> Result<u64, MemoryError> {
        let store = self.store();
        if !undo {
            store.add_forgotten(&going.messages).await?;
            write(&self.0.forgotten).extend(&going.messages);
        }
        for generation in self.generations() {
            generation.passages.add_waiting(&going.touched).await?;
        }
        for (import, ids) in &going.given {
            store.give_to_import(*import, ids).await?;
        }
        let passages = self.remove_passages(going).await?;
        store.delete_messages(&going.messages).await?;
        store.delete_met(&going.messages).await?;
        for generation in self.generations() {
            generation.passages.remove_waiting(&going.conversations).await?;
        }
        store.delete_conversations(&going.conversations).await?;
        store.delete_people(&going.people).await?;
        let mut catalogue = self.catalogue_mut();
        let gone: HashSet<MessageId> = going.messages.iter().copied().collect();
        catalogue.remove(&|row| gone.contains(&row.id));
        going.conversations.iter().for_each(|id| catalogue.drop_conversation(*id));
        going.people.iter().for_each(|id| catalogue.drop_person(*id));
        for (import, ids) in &going.given {
            ids.iter().for_each(|id| catalogue.give_to_import(*id, *import as u32));
        }
        Ok(passages)
    }

    /// Takes passages out of every generation. In those not in use, all passages that may have had a
    /// forgotten one before them go too, and wait: they need not be read at once.
    async fn remove_passages(&self, going: &Going) -> Result<u64, MemoryError> {
        let active = self.active();
        let mut count = 0;
        for generation in self.generations() {
            let mut gone = generation.passages.of_messages(&going.messages).await?;
            if generation.number == active.number {
                count = gone.len() as u64;
                generation.passages.delete(&going.messages).await?;
            } else {
                for conversation in going.touched.iter().chain(&going.conversations) {
                    gone.extend(generation.passages.of_conversation(*conversation).await?);
                }
                gone.sort_by_key(|p| (p.message, p.piece));
                gone.dedup_by_key(|p| (p.message, p.piece));
                generation.passages.delete_conversations(&going.touched).await?;
                generation.passages.delete_conversations(&going.conversations).await?;
            }
            generation.statistics.lock().await.change(gone.iter().map(|p| &p.meaning), std::iter::empty());
        }
        Ok(count)
    }

    async fn mark_undone(&self, number: u64) -> Result<(), MemoryError> {
        for row in self.store().imports().await? {
            if row.number as u64 == number {
                let mut import: crate::ingest::Import = serde_json::from_str(&row.data).map_err(anyhow::Error::from)?;
                import.receipt.undone = Some(self.now());
                self.put_import(&import.receipt, &import.paths, &import.options, false).await?;
            }
        }
        Ok(())
    }
}

/// "1 message", "2 messages"
fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn told(going: &Going, passages: u64, done: bool) -> Forgotten {
    let messages = going.messages.len() as u64;
    let conversations = going.touched.len() + going.conversations.len();
    let kept: usize = going.given.values().map(Vec::len).sum();
    let mut sentence = format!("{} in {}", counted(messages, "message"), counted(conversations as u64, "conversation"));
    if kept > 0 {
        sentence.push_str(&format!("; {kept} stay, since another import has them too"));
    }
    Forgotten {
        messages,
        passages,
        conversations: going.conversations.len() as u64,
        people: going.people.len() as u64,
        first: going.first,
        last: going.last,
        sentence,
        done,
        took_ms: 0,
    }
}
