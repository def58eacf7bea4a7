//! Forgetting: previewed, then gone from every table, index, vector, statistic and old version on disk.
//!
//! What was read after a forgotten message had it as context, so those passages are read anew before
//! forgetting is called done. The ids (hashes) of forgotten messages stay, so that a later import does
//! not bring them back unless asked; undoing an import leaves none, since it may be imported again.

use crate::{
    Memory, MemoryError, Watch,
    account::Taken,
    catalogue::{Catalogue, Row},
    write,
};
use evoke_message::{ConversationId, Forgotten, Message, MessageId, PersonId, Place, Target};
use evoke_store::{ContactRow, SameRow, Stored};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What goes.
#[derive(Default)]
pub(crate) struct Going {
    pub(crate) messages: Vec<MessageId>,
    /// Messages of an undone import that another import has too: they stay, and are its.
    pub(crate) given: BTreeMap<i64, Vec<(MessageId, Place)>>,
    /// Copies that go, and copies that are shown now that what stood for them goes.
    copies: Vec<SameRow>,
    shown: Vec<Stored>,
    contacts: Vec<ContactRow>,
    pub(crate) touched: Vec<ConversationId>,
    /// Of whom nothing is left.
    conversations: Vec<ConversationId>,
    people: Vec<PersonId>,
    first: Option<i64>,
    last: Option<i64>,
}

/// What stays, to tell of whom nothing is left.
#[derive(Default)]
struct Left {
    conversations: HashSet<ConversationId>,
    people: HashSet<PersonId>,
    sources: HashSet<String>,
}

impl Left {
    fn keep(&mut self, message: &Message) {
        self.conversations.insert(message.conversation);
        self.people.insert(message.sender.person(&message.source));
        self.sources.insert(message.source.clone());
    }
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
        if let Target::Import(number) = target {
            self.may_be_undone(*number).await?;
        }
        let started = std::time::Instant::now();
        let _reading = self.nobody_reads().await;
        let waited: HashSet<ConversationId> = self.active().passages.waiting().await?.into_iter().collect();
        let going = self.going(target).await?;
        let passages = {
            let _changing = self.0.changing.lock().await;
            let passages = self.remove(&going, matches!(target, Target::Import(_))).await?;
            if let Target::Import(number) = target {
                self.take_back(*number as i64, &going).await?;
            }
            passages
        };
        self.read_and_erase(&going, &waited).await?;
        if let Target::Import(number) = target {
            self.mark_undone(*number).await?;
        }
        Ok(Forgotten { took_ms: started.elapsed().as_millis() as u64, ..told(&going, passages, true) })
    }

    /// Reads anew what had something before it that is gone, and leaves nothing of that on disk. What waited
    /// before waits on. The caller lets nobody read.
    async fn read_and_erase(&self, going: &Going, waited: &HashSet<ConversationId>) -> Result<(), MemoryError> {
        let active = self.active();
        let mut waiting = active.passages.waiting().await?;
        waiting.retain(|id| !waited.contains(id) || going.touched.contains(id));
        self.read_these(&active, waiting, &Watch::default(), &|| false).await?;
        let _changing = self.0.changing.lock().await;
        self.store().erase().await?;
        for generation in self.generations() {
            let tidied = generation.passages.erase(self.0.private_temp).await?;
            generation.vector_index.store(tidied.vector_index, std::sync::atomic::Ordering::Relaxed);
            generation.statistics.lock().await.write(&self.0.home.vault, &generation.passages).await?;
        }
        Ok(())
    }

    pub(crate) async fn going(&self, target: &Target) -> Result<Going, MemoryError> {
        let others = match target {
            Target::Import(number) => self.other_imports(*number as i64).await?,
            _ => HashMap::new(),
        };
        let members = match target {
            Target::Person(id) => self.catalogue().expand(&[*id]),
            _ => Vec::new(),
        };
        let hit_copy = |row: &SameRow, copy: &Stored, of_goes: bool| {
            copy_goes(target, row, copy, &members, of_goes, others.contains_key(&row.id))
        };
        let contacts = contacts_of(target, &members, self.catalogue().contacts());
        let hit = |catalogue: &Catalogue, row: &Row| is_hit(target, &members, catalogue, row);
        let going = Going { contacts, ..self.gather(&hit, &others, &hit_copy).await? };
        let nothing = going.messages.is_empty() && going.copies.is_empty() && going.contacts.is_empty();
        if nothing && !matches!(target, Target::Import(_)) {
            return Err(MemoryError::NotFound(
                "nothing of this is in the archive, so there is nothing to forget".into(),
            ));
        }
        Ok(going)
    }

    /// What goes with the messages that are hit; those that others have too are given to these.
    pub(crate) async fn gather(
        &self,
        hit: &(dyn Fn(&Catalogue, &Row) -> bool + Sync),
        others: &HashMap<MessageId, (i64, Place)>,
        fate: &(dyn Fn(&SameRow, &Stored, bool) -> Fate + Sync),
    ) -> Result<Going, MemoryError> {
        let same = self.store().same().await?;
        let catalogue = self.catalogue();
        let mut going = Going::default();
        let mut left = Left::default();
        let (mut touched, mut people, mut sources) = (BTreeSet::new(), BTreeSet::new(), HashSet::new());
        for row in catalogue.rows() {
            let other = others.get(&row.id);
            if !hit(&catalogue, row) || other.is_some() {
                left.conversations.insert(catalogue.conversation(row));
                left.people.insert(catalogue.person(row));
                if !left.sources.contains(catalogue.source(row)) {
                    left.sources.insert(catalogue.source(row).to_owned());
                }
                if let (true, Some((import, place))) = (hit(&catalogue, row), other) {
                    going.given.entry(*import).or_default().push((row.id, place.clone()));
                }
                continue;
            }
            going.messages.push(row.id);
            touched.insert(catalogue.conversation(row));
            people.insert(catalogue.person(row));
            sources.insert(catalogue.source(row).to_owned());
            going.first = Some(going.first.map_or(row.time, |t| t.min(row.time)));
            going.last = Some(going.last.map_or(row.time, |t| t.max(row.time)));
        }
        let gone: HashSet<MessageId> = going.messages.iter().copied().collect();
        for row in same {
            let Some(copy) = &row.copy else { continue };
            let message = &copy.message;
            match fate(&row, copy, gone.contains(&row.of)) {
                Fate::Stays => left.keep(message),
                Fate::Shown => {
                    left.keep(message);
                    going.shown.push(copy.clone());
                    going.copies.push(row);
                }
                Fate::Goes => {
                    touched.insert(message.conversation);
                    people.insert(message.sender.person(&message.source));
                    sources.insert(message.source.clone());
                    going.copies.push(row);
                }
            }
        }
        // The owner's names in a source of which nothing is left.
        let names = catalogue.everyone().filter(|p| p.me && p.id != PersonId::me() && sources.contains(&p.source));
        people.extend(names.filter(|p| !left.sources.contains(&p.source)).map(|p| p.id));
        going.conversations = touched.iter().filter(|id| !left.conversations.contains(id)).copied().collect();
        going.touched = touched.into_iter().filter(|id| left.conversations.contains(id)).collect();
        going.people = people.into_iter().filter(|id| !left.people.contains(id)).collect();
        Ok(going)
    }

    /// For messages of an import, the earliest other import that has them and was not undone, and where.
    async fn other_imports(&self, number: i64) -> Result<HashMap<MessageId, (i64, Place)>, MemoryError> {
        let undone: HashSet<i64> =
            self.receipts().await?.iter().filter(|r| r.undone.is_some()).map(|r| r.import as i64).collect();
        let mut others: HashMap<MessageId, (i64, Place)> = HashMap::new();
        for met in self.store().met().await? {
            if met.import != number && !undone.contains(&met.import) {
                let there = others.entry(met.id).or_insert_with(|| (met.import, met.place.clone()));
                if met.import < there.0 {
                    *there = (met.import, met.place);
                }
            }
        }
        Ok(others)
    }

    /// Takes it out of every table and sum. The order matters to a kill: what marks the work as to be
    /// done comes before what makes it invisible.
    pub(crate) async fn remove(&self, going: &Going, again: bool) -> Result<u64, MemoryError> {
        let store = self.store();
        let shown: HashSet<MessageId> = going.shown.iter().map(|s| s.message.id).collect();
        let copies: Vec<MessageId> = going.copies.iter().map(|row| row.id).collect();
        if !again {
            let mut ids = going.messages.clone();
            ids.extend(copies.iter().filter(|id| !shown.contains(id)));
            store.add_forgotten(&ids).await?;
            write(&self.0.forgotten).extend(&ids);
        }
        for generation in self.generations() {
            generation.wait_for(&going.touched).await?;
        }
        self.put_back(going.shown.clone()).await?;
        store.delete_same(&copies).await?;
        for (import, messages) in &going.given {
            self.give(*import, messages).await?;
        }
        let passages = self.remove_passages(going).await?;
        store.delete_messages(&going.messages).await?;
        store.delete_met(&going.messages).await?;
        let gone_copies: Vec<MessageId> = copies.iter().copied().filter(|id| !shown.contains(id)).collect();
        self.remove_copies(&going.messages.iter().chain(&gone_copies).copied().collect())?;
        store.delete_met(&gone_copies).await?;
        let earlier: Vec<String> = going.messages.iter().chain(&gone_copies).map(ToString::to_string).collect();
        store.delete_earlier_of("message", &earlier).await?;
        for generation in self.generations() {
            generation.passages.remove_waiting(&going.conversations).await?;
        }
        store.delete_conversations(&going.conversations).await?;
        store.delete_people(&going.people).await?;
        store.delete_contacts(&going.contacts).await?;
        if !again {
            let conversations: Vec<String> = going.conversations.iter().map(ToString::to_string).collect();
            let people: Vec<String> = going.people.iter().map(ToString::to_string).collect();
            store.delete_earlier_of("conversation", &conversations).await?;
            store.delete_earlier_of("person", &people).await?;
        }
        let mut catalogue = self.catalogue_mut();
        let gone: HashSet<MessageId> = going.messages.iter().copied().collect();
        catalogue.remove(&|row| gone.contains(&row.id));
        going.conversations.iter().for_each(|id| catalogue.drop_conversation(*id));
        going.people.iter().for_each(|id| catalogue.drop_person(*id));
        going.contacts.iter().for_each(|row| catalogue.drop_contact(&row.id()));
        copies.iter().for_each(|id| catalogue.drop_same(*id));
        Ok(passages)
    }

    /// Gives messages to another import that has them too, with the place where it met them.
    async fn give(&self, import: i64, messages: &[(MessageId, Place)]) -> Result<(), MemoryError> {
        for part in messages.chunks(2_000) {
            let ids: Vec<MessageId> = part.iter().map(|(id, _)| *id).collect();
            let mut places: HashMap<MessageId, Place> = part.iter().cloned().collect();
            let mut given = Vec::new();
            for Stored { mut message, wall, .. } in self.copies(&ids).await? {
                message.place = places.remove(&message.id).unwrap_or_default();
                given.push(Taken { message, import, wall });
            }
            self.rewrite(given, &[]).await?;
            self.store().delete_met_of(import, &ids).await?;
        }
        Ok(())
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
}

fn is_hit(target: &Target, members: &[PersonId], catalogue: &Catalogue, row: &Row) -> bool {
    match target {
        Target::Message(id) => row.id == *id,
        Target::Conversation(id) => catalogue.conversation(row) == *id,
        Target::Person(_) => members.contains(&catalogue.person(row)),
        Target::Source(source) => catalogue.source(row) == source,
        Target::Period { from, until } => row.time >= *from && row.time < *until,
        Target::Import(number) => u64::from(row.import) == *number,
    }
}

/// What becomes of a copy.
pub(crate) enum Fate {
    Stays,
    /// What stood for it goes, so it is a message of its own.
    Shown,
    Goes,
}

/// `of_goes`: what stands for it goes; `elsewhere`: another import has the copy too.
fn copy_goes(
    target: &Target,
    row: &SameRow,
    copy: &Stored,
    members: &[PersonId],
    of_goes: bool,
    elsewhere: bool,
) -> Fate {
    let m = &copy.message;
    let hit = match target {
        Target::Message(id) => row.id == *id,
        Target::Conversation(id) => m.conversation == *id,
        Target::Person(_) => members.contains(&m.sender.person(&m.source)),
        Target::Source(source) => m.source == *source,
        Target::Period { from, until } => m.time >= *from && m.time < *until,
        Target::Import(number) => copy.import as u64 == *number && !elsewhere,
    };
    match (target, hit, of_goes) {
        (_, true, _) => Fate::Goes,
        (_, _, false) => Fate::Stays,
        // Another app, or another export, still has it.
        (Target::Source(_) | Target::Import(_), ..) => Fate::Shown,
        _ => Fate::Goes,
    }
}

fn contacts_of<'a>(
    target: &Target,
    members: &[PersonId],
    contacts: impl Iterator<Item = &'a ContactRow>,
) -> Vec<ContactRow> {
    let goes = |row: &&ContactRow| match target {
        Target::Source(source) => row.contact.source == *source,
        Target::Person(_) => members.contains(&PersonId::of(&[&row.contact.source, &row.contact.key])),
        _ => false,
    };
    contacts.filter(goes).cloned().collect()
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
