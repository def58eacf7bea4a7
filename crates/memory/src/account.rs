//! The account of one import: what each record was, and the batch that is not written yet.
//!
//! It compares with the catalogue and counts; it writes nothing (`ingest.rs` does).

use crate::{Memory, MemoryError, ingest::ImportOptions, passage, read};
use evoke_import::Item;
use evoke_message::{Conversation, ConversationId, Message, MessageId, PersonId, Place, Reason, Receipt};
use evoke_store::PersonRow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Messages, and bytes of text, after which a batch is written.
const BATCH: usize = 4_000;
const BATCH_BYTES: usize = 8 << 20;
/// Places listed for each reason of a receipt.
const PLACES: usize = 20;

/// What one import has met so far, and the batch that is not written yet.
pub(crate) struct Account<'m> {
    pub(crate) memory: &'m Memory,
    pub(crate) number: i64,
    pub(crate) again: bool,
    pub(crate) me: Option<String>,
    /// With the import that each belongs to: an edit stays with the import that added it.
    pub(crate) added: Vec<(Message, i64)>,
    pub(crate) updated: Vec<(Message, i64)>,
    /// Differ from what is stored; whether they are newer is settled before writing.
    pub(crate) edits: Vec<Message>,
    pub(crate) met: Vec<MessageId>,
    pub(crate) brought_back: Vec<MessageId>,
    /// Digest of each message of this import, to tell a record that comes twice.
    pub(crate) seen_here: HashMap<MessageId, i64>,
    pub(crate) conversations: HashMap<ConversationId, Conversation>,
    pub(crate) changed: Vec<ConversationId>,
    pub(crate) people: HashMap<PersonId, PersonRow>,
    pub(crate) new_people: Vec<PersonId>,
    pub(crate) per_conversation: HashMap<ConversationId, u64>,
    pub(crate) waiting: HashSet<ConversationId>,
    pub(crate) formats: BTreeSet<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) skipped: BTreeMap<String, Reason>,
    pub(crate) failed: BTreeMap<String, Reason>,
    counts: Counts,
    pub(crate) span: (Option<i64>, Option<i64>),
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
    pub(crate) fn new(memory: &'m Memory, number: i64, options: &ImportOptions) -> Account<'m> {
        Account {
            memory,
            number,
            again: options.again,
            me: options.me.clone(),
            added: vec![],
            updated: vec![],
            edits: vec![],
            met: vec![],
            brought_back: vec![],
            seen_here: HashMap::new(),
            conversations: HashMap::new(),
            changed: vec![],
            people: HashMap::new(),
            new_people: vec![],
            per_conversation: HashMap::new(),
            waiting: HashSet::new(),
            formats: BTreeSet::new(),
            notes: vec![],
            skipped: BTreeMap::new(),
            failed: BTreeMap::new(),
            counts: Counts::default(),
            span: (None, None),
            saved: 0,
            bytes: 0,
        }
    }

    pub(crate) fn full(&self) -> bool {
        self.added.len() + self.updated.len() + self.edits.len() + self.met.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    pub(crate) fn take(&mut self, item: Item) {
        match item {
            Item::Conversation(conversation) => self.conversation(conversation),
            Item::Message(message) => {
                self.counts.seen += 1;
                self.message(*message);
            }
            Item::Skipped { reason, place } => self.skip(&reason, place),
            Item::Failed(broken) => {
                self.counts.seen += 1;
                count(&mut self.failed, &broken.reason, broken.place);
            }
            Item::Note(note) => self.notes.push(note),
            Item::Contact(_) => {}
        }
    }

    fn skip(&mut self, reason: &str, place: Place) {
        self.counts.seen += 1;
        count(&mut self.skipped, reason, place);
    }

    fn conversation(&mut self, conversation: Conversation) {
        let id = conversation.id;
        let same = match self.conversations.get(&id) {
            Some(known) => *known == conversation,
            None => self.memory.catalogue().about(id) == Some(&conversation),
        };
        self.conversations.insert(id, conversation);
        if !same && !self.changed.contains(&id) {
            self.changed.push(id);
        }
    }

    fn message(&mut self, mut message: Message) {
        // One person in all sources: the owner.
        message.sender.me |= self.me.as_ref() == Some(&message.sender.name);
        if read(&self.memory.0.forgotten).contains(&message.id) {
            if !self.again {
                self.counts.seen -= 1;
                return self.skip("forgotten before, not brought back", message.place);
            }
            self.brought_back.push(message.id);
        }
        let digest = passage::digest(&message);
        *self.per_conversation.entry(message.conversation).or_default() += 1;
        self.span.0 = Some(self.span.0.map_or(message.time, |t| t.min(message.time)));
        self.span.1 = Some(self.span.1.map_or(message.time, |t| t.max(message.time)));
        if self.seen_here.insert(message.id, digest).is_some() {
            // The same record twice in one export: the first stands.
            self.counts.duplicate += 1;
            return;
        }
        self.bytes += message.text.len();
        self.person(&message);
        let known = self.memory.catalogue().get(message.id).map(|r| (r.digest, i64::from(r.import)));
        match known {
            None => {
                self.counts.added += 1;
                self.added.push((message, self.number));
            }
            // Saved by this very import before a kill.
            Some((old, import)) if old == digest && import == self.number => self.counts.added += 1,
            Some((old, _)) if old == digest => {
                self.counts.duplicate += 1;
                self.met.push(message.id);
            }
            Some(_) => self.edits.push(message),
        }
    }

    fn person(&mut self, message: &Message) {
        let id = message.sender.person(&message.source);
        if self.people.contains_key(&id) {
            return;
        }
        let row = PersonRow {
            id,
            name: message.sender.name.clone(),
            source: message.source.clone(),
            key: message.sender.key.clone(),
            me: message.sender.me,
        };
        let known = self.memory.catalogue().who(id).cloned();
        let new = known.is_none_or(|k| !k.me && (row.me || k.name != row.name));
        self.people.insert(id, row);
        if new {
            self.new_people.push(id);
        }
    }

    /// Tells edits from older copies: the later edit stands, and where neither says, the later import.
    pub(crate) async fn settle_edits(&mut self) -> Result<(), MemoryError> {
        let edits = std::mem::take(&mut self.edits);
        let ids: Vec<MessageId> = edits.iter().map(|m| m.id).collect();
        let stored = self.memory.store().messages(&ids).await?;
        let edited: HashMap<MessageId, Option<i64>> = stored.into_iter().map(|m| (m.id, m.edited)).collect();
        for message in edits {
            let older = edited.get(&message.id).is_some_and(|stored| message.edited < *stored);
            if older {
                self.counts.duplicate += 1;
            } else {
                self.counts.updated += 1;
            }
            self.met.push(message.id);
            if !older {
                let import = self.memory.catalogue().get(message.id).map_or(self.number, |r| i64::from(r.import));
                self.updated.push((message, import));
            }
        }
        Ok(())
    }

    /// A dry run counts and writes nothing; edits count as updates.
    pub(crate) fn forget_batch(&mut self) {
        self.counts.updated += std::mem::take(&mut self.edits).len() as u64;
        self.added.clear();
        self.updated.clear();
        self.met.clear();
        self.bytes = 0;
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

    pub(crate) fn drain_changed(&mut self) -> impl Iterator<Item = Conversation> {
        let changed = self.changed_conversations();
        self.changed.clear();
        changed.into_iter()
    }

    pub(crate) fn drain_people(&mut self) -> impl Iterator<Item = PersonRow> {
        let people = self.changed_people();
        self.new_people.clear();
        people.into_iter()
    }

    pub(crate) fn into_receipt(mut self, receipt: &mut Receipt) {
        self.forget_batch();
        let list = |reasons: BTreeMap<String, Reason>| -> (u64, Vec<Reason>) {
            let mut all: Vec<Reason> = reasons.into_values().collect();
            all.sort_by(|a, b| b.count.cmp(&a.count).then(a.reason.cmp(&b.reason)));
            (all.iter().map(|r| r.count).sum(), all)
        };
        (receipt.skipped, receipt.skipped_because) = list(self.skipped);
        (receipt.failed, receipt.failed_because) = list(self.failed);
        let Counts { seen, added, updated, duplicate } = self.counts;
        receipt.seen = seen;
        receipt.added = added;
        receipt.updated = updated;
        receipt.duplicate = duplicate;
        receipt.formats = self.formats.into_iter().collect();
        receipt.conversations = self.per_conversation.len() as u64;
        (receipt.first, receipt.last) = self.span;
        receipt.notes = self.notes;
        if receipt.added + receipt.updated == 0 && receipt.failed == 0 && receipt.duplicate > 0 {
            receipt.notes.push("Nothing new: everything in it was there already.".into());
        }
    }
}

fn count(reasons: &mut BTreeMap<String, Reason>, reason: &str, place: Place) {
    let entry = reasons.entry(reason.to_owned()).or_insert_with(|| Reason {
        reason: reason.to_owned(),
        count: 0,
        places: vec![],
    });
    entry.count += 1;
    if entry.places.len() < PLACES {
        entry.places.push(place);
    }
}
