//! A batch is written: searchable forms made on all cores, then tables in an order that a kill cannot hurt.
//!
//! Which conversations must be read comes first, then what was there before, conversations, people, messages:
//! a kill between any two loses nothing, and a second import finishes the first.

use crate::{
    Memory, MemoryError,
    account::{Account, Taken},
    passage, words, write, write_languages,
};
use anyhow::Context;
use evoke_message::{Contact, ConversationId, Has, Message};
use evoke_store::{ContactRow, Known, MessageRow};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

impl Memory {
    /// Writes what the account holds, and empties it.
    pub(crate) async fn write_batch(&self, account: &mut Account<'_>) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        account.settle_edits().await?;
        let added = rows(std::mem::take(&mut account.added), self.zone()).await?;
        let updated = rows(std::mem::take(&mut account.updated), self.zone()).await?;
        self.note_languages(added.iter().chain(&updated).flat_map(|r| r.languages.iter().copied()))?;
        let (added, updated): (Vec<_>, Vec<_>) = (plain(added), plain(updated));
        let touched: BTreeSet<ConversationId> = added.iter().chain(&updated).map(|r| r.message.conversation).collect();
        let store = self.store();
        let touched: Vec<ConversationId> = touched.into_iter().collect();
        for generation in self.generations() {
            generation.wait_for(&touched).await?;
        }
        store.add_earlier(&std::mem::take(&mut account.earlier)).await?;
        let (conversations, people) = (account.changed_conversations(), account.changed_people());
        store.put_conversations(&conversations).await?;
        store.put_people(&people).await?;
        let contacts = self.new_contacts(account.number, std::mem::take(&mut account.contacts));
        store.put_contacts(&contacts).await?;
        store.add_messages(&added).await?;
        store.update_messages(&updated).await?;
        let reappeared = std::mem::take(&mut account.reappeared);
        store.delete_same(&reappeared).await?;
        store.add_met(account.number, &std::mem::take(&mut account.met)).await?;
        let lost = std::mem::take(&mut account.lost);
        store.add_lost(account.number, (account.listed - lost.len() as u64) as i64, &lost).await?;
        if account.again {
            let back = std::mem::take(&mut account.brought_back);
            store.remove_forgotten(&back).await?;
            write(&self.0.forgotten).retain(|id| !back.contains(id));
        }
        account.saved += (added.len() + updated.len()) as u64;
        account.written();
        let mut catalogue = self.catalogue_mut();
        conversations.into_iter().for_each(|c| catalogue.put_conversation(c));
        people.into_iter().for_each(|p| catalogue.put_person(p));
        contacts.into_iter().for_each(|c| catalogue.put_contact(c));
        reappeared.into_iter().for_each(|id| catalogue.drop_same(id));
        added.iter().chain(&updated).for_each(|row| catalogue.insert(&known(row)));
        Ok(())
    }

    /// Contacts that this import did not bring before, with those that did.
    fn new_contacts(&self, import: i64, contacts: Vec<Contact>) -> Vec<ContactRow> {
        let catalogue = self.catalogue();
        let mut rows: Vec<ContactRow> = Vec::new();
        for contact in contacts {
            let mut row = ContactRow { contact, imports: vec![import] };
            match catalogue.contact(&row.id()) {
                Some(known) if known.imports.contains(&import) => continue,
                Some(known) => row.imports.extend(&known.imports),
                None => {}
            }
            row.imports.sort_unstable();
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }

    /// Writes messages again that are there, and lets their conversations be read. The caller holds `changing`.
    pub(crate) async fn rewrite(&self, messages: Vec<Taken>, touched: &[ConversationId]) -> Result<(), MemoryError> {
        if messages.is_empty() {
            return Ok(());
        }
        let rows = rows(messages, self.zone()).await?;
        self.note_languages(rows.iter().flat_map(|r| r.languages.iter().copied()))?;
        let rows = plain(rows);
        for generation in self.generations() {
            generation.wait_for(touched).await?;
        }
        self.store().update_messages(&rows).await?;
        let mut catalogue = self.catalogue_mut();
        rows.iter().for_each(|row| catalogue.insert(&known(row)));
        Ok(())
    }

    fn note_languages(&self, found: impl Iterator<Item = words::Language>) -> Result<(), MemoryError> {
        let new: BTreeSet<_> = found.collect();
        let all = {
            let mut languages = write(&self.0.languages);
            if new.is_subset(&languages) {
                return Ok(());
            }
            languages.extend(new);
            languages.clone()
        };
        write_languages(&self.0.home, &all)
    }
}

/// A row and the languages its words were stemmed in.
struct Worded {
    row: MessageRow,
    languages: Vec<words::Language>,
}

fn plain(rows: Vec<Worded>) -> Vec<MessageRow> {
    rows.into_iter().map(|r| r.row).collect()
}

/// Makes the searchable forms, on all cores.
async fn rows(messages: Vec<Taken>, zone: &TimeZone) -> Result<Vec<Worded>, MemoryError> {
    let zone = zone.clone();
    let make = move || {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = messages.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let zone = &zone;
            let work: Vec<_> = messages
                .chunks(share)
                .map(|part| scope.spawn(move || part.iter().map(|taken| row(taken, zone)).collect::<Vec<_>>()))
                .collect();
            work.into_iter().map(|w| w.join().ok()).collect::<Option<Vec<_>>>()
        })
    };
    let made = tokio::task::spawn_blocking(make).await.map_err(anyhow::Error::from)?;
    Ok(made.context("making the words of a batch failed")?.into_iter().flatten().collect())
}

fn row(taken: &Taken, zone: &TimeZone) -> Worded {
    let Taken { message, import, wall } = taken;
    let (words, languages) = passage::message_words(message, zone);
    let row = MessageRow {
        words,
        plain: words::plain(&message.written()),
        digest: passage::digest(message, *wall),
        import: *import,
        wall: *wall,
        message: message.clone(),
    };
    Worded { row, languages }
}

fn known(row: &MessageRow) -> Known {
    let m = &row.message;
    Known {
        id: m.id,
        conversation: m.conversation,
        person: row.person(),
        source: m.source.clone(),
        kind: m.kind,
        part: m.part,
        time: m.time,
        order: m.order as i64,
        digest: row.digest,
        import: row.import,
        readable: m.is_readable(),
        has: bits(m),
    }
}

/// What a message carries, as bits.
pub(crate) fn bits(message: &Message) -> u8 {
    message.has().into_iter().map(Has::bit).sum()
}
