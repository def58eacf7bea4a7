//! What the catalogue knows beside its rows: contacts, who is whom, and copies that are not shown.

use super::{Catalogue, Hidden};
use crate::groups::Groups;
use evoke_message::{MessageId, PersonId};
use evoke_store::{ContactRow, MergeRow, SameRow};
use std::sync::OnceLock;

impl Catalogue {
    pub(crate) fn put_contact(&mut self, row: ContactRow) {
        self.contacts.insert(row.id(), row);
    }

    pub(crate) fn drop_contact(&mut self, id: &str) {
        self.contacts.remove(id);
    }

    pub(crate) fn contact(&self, id: &str) -> Option<&ContactRow> {
        self.contacts.get(id)
    }

    pub(crate) fn contacts(&self) -> impl Iterator<Item = &ContactRow> {
        self.contacts.values()
    }

    pub(crate) fn set_merges(&mut self, merges: Vec<MergeRow>) {
        self.merges = merges;
        self.groups = OnceLock::new();
    }

    pub(crate) fn merges(&self) -> &[MergeRow] {
        &self.merges
    }

    /// Which identities are one person.
    pub(crate) fn groups(&self) -> &Groups {
        self.groups.get_or_init(|| Groups::new(&self.merges, self.names.values()))
    }

    /// The identity that stands for the person of this one.
    pub(crate) fn head(&self, person: PersonId) -> PersonId {
        self.groups().head(person)
    }

    /// All identities of the people of these.
    pub(crate) fn expand(&self, people: &[PersonId]) -> Vec<PersonId> {
        let mut all: Vec<PersonId> = people.iter().flat_map(|p| self.groups().members(*p)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The owner, by any identity.
    pub(crate) fn is_me(&self, person: PersonId) -> bool {
        self.head(person) == PersonId::me()
    }

    /// What the person of an identity is called.
    pub(crate) fn name_of(&self, person: PersonId) -> &str {
        let head = self.head(person);
        let names = self.groups().members(head).into_iter().filter_map(|p| self.names.get(&p));
        let own = self.names.get(&head).map_or("", |row| row.name.as_str());
        if own.chars().any(char::is_alphabetic) && !own.contains('@') {
            return own;
        }
        // A number or an address stands for somebody whose name another source knows.
        let mut named: Vec<&str> =
            names.map(|row| row.name.as_str()).filter(|n| n.chars().any(char::is_alphabetic)).collect();
        named.sort_by_key(|n| (n.contains('@'), *n));
        named.first().copied().unwrap_or(own)
    }

    pub(crate) fn put_same(&mut self, row: &SameRow) {
        match &row.copy {
            Some(copy) if !row.apart => {
                let hidden = Hidden { of: row.of, digest: copy.digest, import: copy.import };
                self.hidden.insert(row.id, hidden);
                self.apart.remove(&row.id);
            }
            _ => {
                self.apart.insert(row.id);
                self.hidden.remove(&row.id);
            }
        }
    }

    pub(crate) fn drop_same(&mut self, id: MessageId) {
        self.hidden.remove(&id);
        self.apart.remove(&id);
    }

    pub(crate) fn hidden(&self, id: MessageId) -> Option<Hidden> {
        self.hidden.get(&id).copied()
    }

    pub(crate) fn all_hidden(&self) -> impl Iterator<Item = (MessageId, Hidden)> {
        self.hidden.iter().map(|(id, hidden)| (*id, *hidden))
    }

    pub(crate) fn is_apart(&self, id: MessageId) -> bool {
        self.apart.contains(&id)
    }
}
