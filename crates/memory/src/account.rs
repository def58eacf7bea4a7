//! The account of one import: what each record was, and the batch that is not written yet.
//!
//! It compares with the catalogue and counts; it writes nothing (`batch.rs` does).

use crate::{
    Memory, MemoryError, files,
    ingest::ImportOptions,
    passage, read,
    receipts::{LISTED, Reasons},
    zone::Clock,
};
use evoke_import::Item;
use evoke_message::{
    Contact, Conversation, ConversationId, Lost, Message, MessageId, PersonId, Place, Receipt, stable_hash,
};
use evoke_store::{EarlierRow, PersonRow, Stored};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Records, and bytes of text, after which a batch is written.
const BATCH: usize = 4_000;
const BATCH_BYTES: usize = 8 << 20;

/// A message to be written.
#[derive(Clone)]
pub(crate) struct Taken {
    pub(crate) message: Message,
    /// The import that it belongs to: an edit stays with the import that added it.
    pub(crate) import: i64,
    pub(crate) wall: Option<i64>,
}

/// What one import has met so far, and the batch that is not written yet.
pub(crate) struct Account<'m> {
    pub(crate) memory: &'m Memory,
    pub(crate) number: i64,
    pub(crate) again: bool,
    /// It is read over and over: what it added before is known, not added.
    pub(crate) kept_up: bool,
    me: Option<String>,
    clock: Clock,
    pub(crate) added: Vec<Taken>,
    pub(crate) updated: Vec<Taken>,
    /// Differ from what is stored; whether they are newer is settled before writing.
    edits: Vec<Taken>,
    pub(crate) met: Vec<(MessageId, Place)>,
    pub(crate) brought_back: Vec<MessageId>,
    /// Copies that now say something else than what is shown in their place.
    pub(crate) reappeared: Vec<MessageId>,
    /// Each message of this import, with the number of its file.
    pub(crate) seen_here: HashMap<MessageId, u32>,
    /// Files by a hash of their names, numbered.
    files: HashMap<u64, u32>,
    conversations: HashMap<ConversationId, Conversation>,
    changed: BTreeSet<ConversationId>,
    pub(crate) people: HashMap<PersonId, PersonRow>,
    new_people: Vec<PersonId>,
    pub(crate) contacts: Vec<Contact>,
    /// What was there before this import changed it, and of which rows that is kept already.
    pub(crate) earlier: Vec<EarlierRow>,
    pub(crate) changed_before: HashSet<(&'static str, String)>,
    pub(crate) lost: Vec<Lost>,
    pub(crate) listed: u64,
    pub(crate) per_conversation: HashMap<ConversationId, u64>,
    pub(crate) formats: BTreeSet<String>,
    pub(crate) notes: Vec<String>,
    /// Pictures and recordings that lie in the export.
    pub(crate) pictures: u64,
    /// How dates were read that could be read in two ways.
    pub(crate) day_first: Option<bool>,
    skipped: Reasons,
    failed: Reasons,
    counts: Counts,
    span: (Option<i64>, Option<i64>),
    pub(crate) saved: u64,
    pub(crate) bytes: usize,
}

#[derive(Default)]
struct Counts {
    seen: u64,
    added: u64,
    updated: u64,
    duplicate: u64,
}

impl<'m> Account<'m> {
    pub(crate) fn new(memory: &'m Memory, number: i64, options: &ImportOptions, clock: Clock) -> Account<'m> {
        Account {
            memory,
            number,
            again: options.again,
            kept_up: false,
            me: options.me.clone(),
            clock,
            added: vec![],
            updated: vec![],
            edits: vec![],
            met: vec![],
            brought_back: vec![],
            reappeared: vec![],
            seen_here: HashMap::new(),
            files: HashMap::new(),
            conversations: HashMap::new(),
            changed: BTreeSet::new(),
            people: HashMap::new(),
            new_people: vec![],
            contacts: vec![],
            earlier: vec![],
            changed_before: HashSet::new(),
            lost: vec![],
            listed: 0,
            per_conversation: HashMap::new(),
            formats: BTreeSet::new(),
            notes: vec![],
            pictures: 0,
            day_first: None,
            skipped: Reasons::default(),
            failed: Reasons::default(),
            counts: Counts::default(),
            span: (None, None),
            saved: 0,
            bytes: 0,
        }
    }

    pub(crate) fn full(&self) -> bool {
        let messages = self.added.len() + self.updated.len() + self.edits.len() + self.met.len();
        messages + self.lost.len() + self.contacts.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    pub(crate) fn take(&mut self, item: Item) {
        match item {
            Item::Conversation(conversation) => self.conversation(conversation),
            Item::Message(message) => {
                self.counts.seen += 1;
                self.message(*message);
            }
            Item::Skipped { reason, place } => {
                self.counts.seen += 1;
                self.lose(true, &reason, place);
            }
            Item::Failed(broken) => {
                self.counts.seen += 1;
                self.lose(false, &broken.reason, broken.place);
            }
            Item::Note(note) => self.notes.push(note),
            Item::DateOrder { day_first } => self.day_first = Some(day_first),
            Item::Contact(contact) => self.contact(contact),
        }
    }

    /// A record that is not kept. So many are listed; the rest only counted.
    fn lose(&mut self, skipped: bool, reason: &str, place: Place) {
        if self.listed < LISTED {
            self.listed += 1;
            self.lost.push(Lost { skipped, reason: reason.to_owned(), place: place.clone() });
        }
        if skipped { self.skipped.count(reason, place) } else { self.failed.count(reason, place) }
    }

    fn conversation(&mut self, conversation: Conversation) {
        let id = conversation.id;
        let known = self.conversations.get(&id).cloned().or_else(|| self.memory.catalogue().about(id).cloned());
        let same = known.as_ref() == Some(&conversation);
        self.conversations.insert(id, conversation);
        if !same && !self.changed.contains(&id) {
            let stored = self.memory.catalogue().about(id).cloned();
            self.keep_earlier("conversation", id.to_string(), stored.as_ref());
            self.changed.insert(id);
        }
    }

    fn contact(&mut self, contact: Contact) {
        if contact.me {
            self.owner(&contact.source, &contact.key, &contact.name);
        }
        self.contacts.push(contact);
    }

    fn message(&mut self, mut message: Message) {
        // One person in all sources: the owner.
        message.sender.me |= self.me.as_ref() == Some(&message.sender.name);
        if read(&self.memory.0.forgotten).contains(&message.id) {
            if !self.again {
                return self.lose(true, "forgotten before, not brought back", message.place);
            }
            self.brought_back.push(message.id);
        }
        let wall = self.clock.set(&mut message);
        let digest = passage::digest(&message, wall);
        *self.per_conversation.entry(message.conversation).or_default() += 1;
        self.span.0 = Some(self.span.0.map_or(message.time, |t| t.min(message.time)));
        self.span.1 = Some(self.span.1.map_or(message.time, |t| t.max(message.time)));
        let number = self.files.len() as u32;
        let file = *self.files.entry(hashed(&message.place.file)).or_insert(number);
        if let Some(before) = self.seen_here.insert(message.id, file) {
            // The same record twice in one import: the first stands.
            self.counts.duplicate += 1;
            if before != file {
                self.met.push((message.id, message.place));
            }
            return;
        }
        self.bytes += message.written().len();
        self.pictures += message.attachments.iter().filter(|a| files::may_be_copied(a)).count() as u64;
        self.person(&message);
        let taken = Taken { import: self.number, message, wall };
        self.compare(taken, digest);
    }

    /// What a message is to the archive.
    fn compare(&mut self, taken: Taken, digest: i64) {
        let id = taken.message.id;
        let (known, hidden) = {
            let catalogue = self.memory.catalogue();
            (catalogue.get(id).map(|r| (r.digest, i64::from(r.import))), catalogue.hidden(id))
        };
        match (known, hidden) {
            (None, None) => {
                self.counts.added += 1;
                self.added.push(taken);
            }
            // A copy of another message, as before.
            (None, Some(hidden)) if hidden.digest == digest => self.known(taken.message, hidden.import),
            (None, Some(hidden)) => {
                self.counts.updated += 1;
                self.reappeared.push(id);
                self.added.push(Taken { import: hidden.import, ..taken });
            }
            // Saved by this very import before a kill.
            (Some((old, import)), _) if old == digest && import == self.number && !self.kept_up => {
                self.counts.added += 1
            }
            (Some((old, import)), _) if old == digest => self.known(taken.message, import),
            (Some((_, import)), _) => self.edits.push(Taken { import, ..taken }),
        }
    }

    /// There already, as it is.
    fn known(&mut self, message: Message, import: i64) {
        self.counts.duplicate += 1;
        if import != self.number {
            self.met.push((message.id, message.place));
        }
    }

    fn person(&mut self, message: &Message) {
        let Message { sender, source, .. } = message;
        if sender.me {
            self.owner(source, &sender.key, &sender.name);
        }
        self.identity(PersonRow {
            id: sender.person(source),
            name: sender.name.clone(),
            source: source.clone(),
            key: sender.key.clone(),
            me: sender.me,
        });
    }

    /// What the owner is called in a source: an identity of its own, though messages name the owner alone.
    fn owner(&mut self, source: &str, key: &str, name: &str) {
        let id = PersonId::of(&[source, key]);
        let (name, source, key) = (name.to_owned(), source.to_owned(), key.to_owned());
        self.identity(PersonRow { id, name, source, key, me: true });
    }

    fn identity(&mut self, row: PersonRow) {
        if self.people.contains_key(&row.id) {
            return;
        }
        let known = self.memory.catalogue().who(row.id).cloned();
        let new = known.as_ref().is_none_or(|k| !k.me && (row.me || k.name != row.name));
        if new {
            self.keep_earlier("person", row.id.to_string(), known.map(Person::from).as_ref());
            self.new_people.push(row.id);
        }
        self.people.insert(row.id, row);
    }

    /// Keeps what a row was before this import changed it, once; so that the import can be undone.
    fn keep_earlier<T: Serialize>(&mut self, kind: &'static str, id: String, before: Option<&T>) {
        if self.changed_before.insert((kind, id.clone())) {
            let data = before.and_then(|row| serde_json::to_string(row).ok()).unwrap_or_default();
            self.earlier.push(EarlierRow { import: self.number, kind, id, data });
        }
    }

    /// Tells edits from older copies: the later edit stands, and where neither says, the later import.
    pub(crate) async fn settle_edits(&mut self) -> Result<(), MemoryError> {
        let edits = std::mem::take(&mut self.edits);
        let ids: Vec<MessageId> = edits.iter().map(|m| m.message.id).collect();
        let mut stored: HashMap<MessageId, Stored> =
            self.memory.copies(&ids).await?.into_iter().map(|c| (c.message.id, c)).collect();
        for mut taken in edits {
            let before = stored.remove(&taken.message.id);
            // A kept-up folder is what it is now; another export may lack files that an earlier one had.
            if let Some(before) = before.as_ref().filter(|_| !self.kept_up) {
                keep_files(&mut taken.message, &before.message);
            }
            let Taken { message, import, wall } = &taken;
            let same =
                before.as_ref().is_some_and(|b| passage::digest(&b.message, b.wall) == passage::digest(message, *wall));
            let older = before.as_ref().is_some_and(|b| message.edited < b.message.edited);
            if *import != self.number {
                self.met.push((message.id, message.place.clone()));
            }
            if same || older {
                self.counts.duplicate += 1;
                continue;
            }
            self.counts.updated += 1;
            if *import != self.number {
                self.keep_earlier("message", message.id.to_string(), before.as_ref());
            }
            self.updated.push(taken);
        }
        Ok(())
    }

    /// A dry run counts and writes nothing.
    pub(crate) async fn forget_batch(&mut self) -> Result<(), MemoryError> {
        self.settle_edits().await?;
        for list in [&mut self.added, &mut self.updated] {
            list.clear();
        }
        self.met.clear();
        self.lost.clear();
        self.contacts.clear();
        self.earlier.clear();
        self.done_with_batch();
        Ok(())
    }

    /// Whether there was any record at all.
    pub(crate) fn saw_any(&self) -> bool {
        self.counts.seen > 0
    }

    pub(crate) fn title(&self, id: ConversationId) -> String {
        self.conversations.get(&id).map(|c| c.title.clone()).unwrap_or_default()
    }

    pub(crate) fn changed_conversations(&self) -> Vec<Conversation> {
        self.changed.iter().filter_map(|id| self.conversations.get(id).cloned()).collect()
    }

    pub(crate) fn changed_people(&self) -> Vec<PersonRow> {
        self.new_people.iter().filter_map(|id| self.people.get(id).cloned()).collect()
    }

    /// What was changed is written, and in the catalogue.
    pub(crate) fn written(&mut self) {
        self.conversations.clear();
        self.done_with_batch();
    }

    fn done_with_batch(&mut self) {
        self.changed.clear();
        self.new_people.clear();
        self.bytes = 0;
    }

    /// `copies` of the messages that were added turned out to be there from another exporter.
    pub(crate) fn into_receipt(self, receipt: &mut Receipt, copies: u64) {
        (receipt.skipped, receipt.skipped_because) = self.skipped.into_list();
        (receipt.failed, receipt.failed_because) = self.failed.into_list();
        let Counts { seen, added, updated, duplicate } = self.counts;
        let copies = copies.min(added);
        receipt.seen = seen;
        receipt.added = added - copies;
        receipt.updated = updated;
        receipt.duplicate = duplicate + copies;
        receipt.formats = self.formats.into_iter().collect();
        receipt.conversations = self.per_conversation.len() as u64;
        (receipt.first, receipt.last) = self.span;
        (receipt.wall_times, receipt.zone) = self.clock.told();
        receipt.notes = self.notes;
        if copies > 0 {
            receipt.notes.push(format!(
                "Messages that another exporter of the same chat had brought already: {copies}. `evoke duplicates list` shows them."
            ));
        }
        if receipt.added + receipt.updated == 0 && receipt.failed == 0 && receipt.duplicate > 0 {
            receipt.notes.push("Nothing new: everything in it was there already.".into());
        }
    }
}

/// A person as they are kept beside, in JSON.
#[derive(Serialize, serde::Deserialize)]
pub(crate) struct Person {
    id: PersonId,
    name: String,
    source: String,
    key: String,
    me: bool,
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Person {
        let PersonRow { id, name, source, key, me } = row;
        Person { id, name, source, key, me }
    }
}

impl From<Person> for PersonRow {
    fn from(person: Person) -> PersonRow {
        let Person { id, name, source, key, me } = person;
        PersonRow { id, name, source, key, me }
    }
}

/// Files that an earlier export had and this one lacks stay known, with what they say.
fn keep_files(message: &mut Message, before: &Message) {
    let same = message.attachments.iter().map(|a| &a.name).eq(before.attachments.iter().map(|a| &a.name));
    if !same {
        return;
    }
    for (file, (now, then)) in message.attachments.iter_mut().zip(&before.attachments).enumerate() {
        if now.missing.is_some() && then.missing.is_none() {
            *now = then.clone();
            message.documents.extend(before.documents.iter().filter(|d| d.file == file).cloned());
        }
    }
    message.documents.sort_by_key(|document| document.file);
}

fn hashed(text: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = stable_hash(&[text]);
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
