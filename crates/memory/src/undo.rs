//! An import is undone: what it added goes, what it changed is as it was, and what others have stays.
//!
//! Each import keeps what rows were before it changed them. Where a later import changed the same row again, that
//! one's "before" becomes what it would have been without the undone import.

use crate::{
    Memory, MemoryError,
    account::{Person, Taken},
    forget::Going,
};
use anyhow::Context;
use evoke_message::{Conversation, ConversationId, Forgotten, MessageId, PersonId, Target};
use evoke_store::{ContactRow, EarlierRow, PersonRow, Stored};
use std::collections::{BTreeSet, HashMap, HashSet};

impl Memory {
    /// Takes back all that an import did and nothing else. It may be imported again.
    ///
    /// # Errors
    /// `NotFound` where there is no such import or it was undone before; `Busy` where another process writes.
    /// After an error part of it may be undone; undoing again finishes it.
    pub async fn undo_import(&self, number: u64) -> Result<Forgotten, MemoryError> {
        self.forget(&Target::Import(number)).await
    }

    pub(crate) async fn may_be_undone(&self, number: u64) -> Result<(), MemoryError> {
        let import = self.import_record(number).await?;
        if self.is_watched(number)? {
            return Err(MemoryError::BadQuery(format!(
                "import {number} is a watched folder, which would be read again at once; nothing was changed: `evoke watch remove` it first"
            )));
        }
        match import.receipt.undone {
            Some(_) => Err(MemoryError::NotFound(format!("import {number} was undone before; nothing was changed"))),
            None => Ok(()),
        }
    }

    /// Puts back what the import changed. The caller holds `changing` and has removed what it added.
    pub(crate) async fn take_back(&self, number: i64, going: &Going) -> Result<(), MemoryError> {
        let all = self.store().earlier(None).await?;
        let mut later: HashMap<(&str, &str), &EarlierRow> = HashMap::new();
        for row in all.iter().filter(|row| row.import > number) {
            let first = later.entry((row.kind, &row.id)).or_insert(row);
            if row.import < first.import {
                *first = row;
            }
        }
        let mut back: HashMap<&str, Vec<&EarlierRow>> = HashMap::new();
        for row in all.iter().filter(|row| row.import == number) {
            match later.get(&(row.kind, row.id.as_str())) {
                Some(next) => self.store().replace_earlier(next, &row.data).await?,
                None => back.entry(row.kind).or_default().push(row),
            }
        }
        self.messages_back(back.remove("message").unwrap_or_default()).await?;
        self.conversations_back(back.remove("conversation").unwrap_or_default()).await?;
        self.people_back(back.remove("person").unwrap_or_default()).await?;
        // What the next import changed was this one's: there is nothing before it any more.
        for (import, messages) in &going.given {
            let given = messages.iter().map(|(id, _)| id.to_string());
            let ids: Vec<String> =
                given.filter(|id| later.get(&("message", id.as_str())).is_some_and(|r| r.import == *import)).collect();
            self.store().delete_earlier_of("message", &ids).await?;
        }
        self.contacts_back(number).await?;
        self.store().delete_earlier(number).await?;
        self.store().delete_met_by(number).await?;
        Ok(())
    }

    async fn messages_back(&self, rows: Vec<&EarlierRow>) -> Result<(), MemoryError> {
        let mut changed = Vec::new();
        let mut touched = BTreeSet::new();
        for row in rows {
            let id: MessageId = row.id.parse().map_err(anyhow::Error::msg)?;
            let Some(import) = self.catalogue().get(id).map(|r| i64::from(r.import)) else { continue };
            let Stored { message, wall, .. } = read(&row.data)?;
            touched.insert(message.conversation);
            changed.push(Taken { message, import, wall });
        }
        let touched: Vec<ConversationId> = touched.into_iter().collect();
        self.rewrite(changed, &touched).await
    }

    async fn conversations_back(&self, rows: Vec<&EarlierRow>) -> Result<(), MemoryError> {
        let used: HashSet<ConversationId> = {
            let catalogue = self.catalogue();
            catalogue.rows().iter().map(|r| catalogue.conversation(r)).collect()
        };
        let (mut back, mut gone): (Vec<Conversation>, Vec<ConversationId>) = Default::default();
        for row in rows {
            let id = row.id.parse().map_err(anyhow::Error::msg)?;
            match row.data.is_empty() {
                true if !used.contains(&id) => gone.push(id),
                true => {}
                false => back.push(read(&row.data)?),
            }
        }
        self.store().put_conversations(&back).await?;
        self.store().delete_conversations(&gone).await?;
        let mut catalogue = self.catalogue_mut();
        back.into_iter().for_each(|c| catalogue.put_conversation(c));
        gone.into_iter().for_each(|id| catalogue.drop_conversation(id));
        Ok(())
    }

    async fn people_back(&self, rows: Vec<&EarlierRow>) -> Result<(), MemoryError> {
        let (used, sources): (HashSet<PersonId>, HashSet<String>) = {
            let catalogue = self.catalogue();
            let mine = |p: &PersonId| *p == PersonId::me();
            let people: HashSet<PersonId> = catalogue.rows().iter().map(|r| catalogue.person(r)).collect();
            let own = catalogue.rows().iter().filter(|r| mine(&catalogue.person(r)));
            let sources = own.map(|r| catalogue.source(r).to_owned()).collect();
            (people, sources)
        };
        let (mut back, mut gone): (Vec<PersonRow>, Vec<PersonId>) = Default::default();
        for row in rows {
            let id: PersonId = row.id.parse().map_err(anyhow::Error::msg)?;
            let known = self.catalogue().who(id).cloned();
            // A name of the owner is needed as long as the owner wrote in its source.
            let needed = used.contains(&id) || known.as_ref().is_some_and(|p| p.me && sources.contains(&p.source));
            match row.data.is_empty() {
                true if !needed => gone.push(id),
                true => {}
                // Who the owner is was said by somebody, not by the import.
                false => {
                    let before: PersonRow = read::<Person>(&row.data)?.into();
                    back.push(PersonRow {
                        me: before.me || known.is_some_and(|p| p.me && used.contains(&id)),
                        ..before
                    });
                }
            }
        }
        self.store().put_people(&back).await?;
        self.store().delete_people(&gone).await?;
        let mut catalogue = self.catalogue_mut();
        back.into_iter().for_each(|p| catalogue.put_person(p));
        gone.into_iter().for_each(|id| catalogue.drop_person(id));
        Ok(())
    }

    async fn contacts_back(&self, number: i64) -> Result<(), MemoryError> {
        let rows: Vec<ContactRow> =
            self.catalogue().contacts().filter(|row| row.imports.contains(&number)).cloned().collect();
        let (gone, left): (Vec<ContactRow>, Vec<ContactRow>) = rows
            .into_iter()
            .map(|row| ContactRow { imports: row.imports.iter().copied().filter(|i| *i != number).collect(), ..row })
            .partition(|row| row.imports.is_empty());
        self.store().put_contacts(&left).await?;
        self.store().delete_contacts(&gone).await?;
        let mut catalogue = self.catalogue_mut();
        left.into_iter().for_each(|row| catalogue.put_contact(row));
        gone.iter().for_each(|row| catalogue.drop_contact(&row.id()));
        Ok(())
    }

    pub(crate) async fn mark_undone(&self, number: u64) -> Result<(), MemoryError> {
        let mut import = self.import_record(number).await?;
        import.receipt.undone = Some(self.now());
        self.put_import(&import, false).await
    }
}

fn read<T: serde::de::DeserializeOwned>(data: &str) -> Result<T, MemoryError> {
    Ok(serde_json::from_str(data).context("what an import changed cannot be read")?)
}
