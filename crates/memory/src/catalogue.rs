//! Every message in a few bytes, in memory: to count, to compare, to place in time, without a query.
//!
//! About 70 bytes a message. Texts are not in it. It is loaded at start and kept up by the writer;
//! a reader loads it again when the tables have a new version.

mod people;

use crate::groups::Groups;
use evoke_message::{Archive, Conversation, ConversationId, Coverage, Filter, Kind, MessageId, Part, PersonId};
use evoke_store::{ContactRow, Known, MergeRow, PersonRow};
use hashbrown::HashTable;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::OnceLock,
};

/// What is known of one message.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: MessageId,
    pub(crate) digest: i64,
    pub(crate) time: i64,
    pub(crate) order: i64,
    pub(crate) conversation: u32,
    pub(crate) person: u32,
    pub(crate) import: u32,
    pub(crate) source: u8,
    pub(crate) kind: Kind,
    pub(crate) part: Part,
    /// Bits of `Has`.
    pub(crate) has: u8,
    pub(crate) state: State,
}

/// Where a message stands on the way to meaning search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing to read: a service line, an empty text.
    Excluded,
    Waiting,
    Embedded,
    Failed,
}

/// A copy of a message that is not among the rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hidden {
    /// What is shown in its place.
    pub(crate) of: MessageId,
    pub(crate) digest: i64,
    pub(crate) import: i64,
}

#[derive(Default)]
pub(crate) struct Catalogue {
    rows: Vec<Row>,
    /// Of each message, where its row is. The ids are in the rows alone.
    place: HashTable<u32>,
    sources: Vec<String>,
    conversations: Vec<ConversationId>,
    conversation_place: HashMap<ConversationId, u32>,
    people: Vec<PersonId>,
    person_place: HashMap<PersonId, u32>,
    titles: HashMap<ConversationId, Conversation>,
    names: HashMap<PersonId, PersonRow>,
    contacts: HashMap<String, ContactRow>,
    merges: Vec<MergeRow>,
    hidden: HashMap<MessageId, Hidden>,
    /// Copies that are shown as messages of their own, since somebody said so.
    apart: HashSet<MessageId>,
    /// Which identities are one person; made when asked for.
    groups: OnceLock<Groups>,
    /// Rows in reading order; made when asked for.
    in_time: OnceLock<Vec<u32>>,
    /// Of each row, where it stands in its conversation; made when asked for.
    standing: OnceLock<Vec<Standing>>,
}

/// Where a message stands in its conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The stretch between two pauses, counted over the conversation.
    pub(crate) stretch: u32,
    /// The place among all messages with text of the conversation.
    pub(crate) place: u32,
    /// The row of the message before it in the same stretch.
    pub(crate) before: Option<u32>,
}

/// A pause that parts two stretches of a conversation, in milliseconds: six hours.
const PAUSE: i64 = 6 * 3_600_000;

impl Catalogue {
    pub(crate) fn insert(&mut self, known: &Known) {
        let mut row = Row {
            id: known.id,
            digest: known.digest,
            time: known.time,
            order: known.order,
            conversation: slot(&mut self.conversations, &mut self.conversation_place, known.conversation),
            person: slot(&mut self.people, &mut self.person_place, known.person),
            import: u32::try_from(known.import).unwrap_or_default(),
            source: self.source_slot(&known.source),
            kind: known.kind,
            part: known.part,
            has: known.has,
            state: if known.readable { State::Waiting } else { State::Excluded },
        };
        self.changed();
        match self.get_mut(known.id) {
            Some(old) => {
                // What it says is as it was, and so is its meaning.
                if old.digest == row.digest && old.state != State::Excluded && row.state != State::Excluded {
                    row.state = old.state;
                }
                *old = row;
            }
            None => {
                self.rows.push(row);
                self.put_place(self.rows.len() - 1);
            }
        }
    }

    pub(crate) fn remove(&mut self, gone: &dyn Fn(&Row) -> bool) {
        self.rows.retain(|r| !gone(r));
        self.place.clear();
        (0..self.rows.len()).for_each(|at| self.put_place(at));
        self.changed();
    }

    /// Lets the row at a place be found by its id, which no other row has.
    fn put_place(&mut self, at: usize) {
        let hash = |at: usize| self.rows.get(at).map_or(0, |row| spread(row.id));
        self.place.insert_unique(hash(at), at as u32, |&other| hash(other as usize));
    }

    fn place_of(&self, id: MessageId) -> Option<usize> {
        let is = |&at: &u32| self.rows.get(at as usize).is_some_and(|row| row.id == id);
        self.place.find(spread(id), is).map(|&at| at as usize)
    }

    fn get_mut(&mut self, id: MessageId) -> Option<&mut Row> {
        let at = self.place_of(id)?;
        self.rows.get_mut(at)
    }

    /// What was worked out from the rows is no longer so.
    fn changed(&mut self) {
        self.in_time = OnceLock::new();
        self.standing = OnceLock::new();
    }

    /// The bits of what a message carries, found out later.
    pub(crate) fn set_has(&mut self, id: MessageId, has: u8) {
        if let Some(row) = self.get_mut(id) {
            row.has = has;
        }
    }

    pub(crate) fn set_state(&mut self, id: MessageId, state: State) {
        if let Some(row) = self.get_mut(id)
            && row.state != State::Excluded
        {
            row.state = state;
        }
    }

    pub(crate) fn put_conversation(&mut self, conversation: Conversation) {
        slot(&mut self.conversations, &mut self.conversation_place, conversation.id);
        self.titles.insert(conversation.id, conversation);
    }

    pub(crate) fn put_person(&mut self, person: PersonRow) {
        slot(&mut self.people, &mut self.person_place, person.id);
        self.names.insert(person.id, person);
        self.groups = OnceLock::new();
    }

    pub(crate) fn drop_conversation(&mut self, id: ConversationId) {
        self.titles.remove(&id);
    }

    pub(crate) fn drop_person(&mut self, id: PersonId) {
        self.names.remove(&id);
        self.groups = OnceLock::new();
    }

    pub(crate) fn get(&self, id: MessageId) -> Option<&Row> {
        self.rows.get(self.place_of(id)?)
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// All rows by (time, order, id).
    pub(crate) fn in_time(&self) -> impl DoubleEndedIterator<Item = &Row> + Clone {
        let order = self.in_time.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
            order.sort_by_key(|&i| {
                let r = &self.rows[i as usize];
                (r.time, r.order, r.id)
            });
            order
        });
        order.iter().filter_map(|&i| self.rows.get(i as usize))
    }

    /// Where a message stands in its conversation; none where it is not known or has no text.
    pub(crate) fn standing(&self, id: MessageId) -> Option<(ConversationId, Standing)> {
        let all = self.standing.get_or_init(|| {
            let mut all = vec![Standing::default(); self.rows.len()];
            let mut last: HashMap<u32, (Standing, i64, u32)> = HashMap::new();
            let order = self.in_time().filter(|row| row.state != State::Excluded);
            for row in order {
                let next = match last.get(&row.conversation) {
                    None => Standing::default(),
                    Some((Standing { stretch, place, .. }, time, at)) => {
                        let pause = row.time - time > PAUSE;
                        let before = (!pause).then_some(*at);
                        Standing { stretch: stretch + u32::from(pause), place: place + 1, before }
                    }
                };
                let Some(at) = self.place_of(row.id) else { continue };
                last.insert(row.conversation, (next, row.time, at as u32));
                if let Some(slot) = all.get_mut(at) {
                    *slot = next;
                }
            }
            all
        });
        let at = self.place_of(id)?;
        let row = self.rows.get(at).filter(|row| row.state != State::Excluded)?;
        Some((self.conversation(row), *all.get(at)?))
    }

    /// The message before this one, where no long pause lies between.
    pub(crate) fn said_before(&self, id: MessageId) -> Option<MessageId> {
        let (_, standing) = self.standing(id)?;
        self.rows.get(standing.before? as usize).map(|row| row.id)
    }

    pub(crate) fn source(&self, row: &Row) -> &str {
        self.sources.get(row.source as usize).map_or("", String::as_str)
    }

    pub(crate) fn conversation(&self, row: &Row) -> ConversationId {
        self.conversations.get(row.conversation as usize).copied().unwrap_or_default()
    }

    pub(crate) fn person(&self, row: &Row) -> PersonId {
        self.people.get(row.person as usize).copied().unwrap_or_default()
    }

    pub(crate) fn about(&self, id: ConversationId) -> Option<&Conversation> {
        self.titles.get(&id)
    }

    pub(crate) fn who(&self, id: PersonId) -> Option<&PersonRow> {
        self.names.get(&id)
    }

    pub(crate) fn about_all(&self) -> impl Iterator<Item = &Conversation> {
        self.titles.values()
    }

    pub(crate) fn everyone(&self) -> impl Iterator<Item = &PersonRow> {
        self.names.values()
    }

    /// The plain meaning of a filter, over a row.
    pub(crate) fn passes(&self, filter: &Filter, row: &Row) -> bool {
        let Filter { sources, kinds, people, conversations, company, has, from, until } = filter;
        (sources.is_empty() || sources.iter().any(|s| s == self.source(row)))
            && (kinds.is_empty() || kinds.contains(&row.kind))
            && people.as_ref().is_none_or(|p| p.contains(&self.person(row)))
            && conversations.as_ref().is_none_or(|c| c.contains(&self.conversation(row)))
            && company.as_ref().is_none_or(|c| {
                c.people.contains(&self.person(row)) || c.conversations.contains(&self.conversation(row))
            })
            && has.iter().all(|h| row.has & h.bit() != 0)
            && from.is_none_or(|t| row.time >= t)
            && until.is_none_or(|t| row.time < t)
    }

    pub(crate) fn coverage(&self) -> Coverage {
        let mut c = Coverage { passages: self.rows.len() as u64, ..Coverage::default() };
        for row in &self.rows {
            *match row.state {
                State::Excluded => &mut c.excluded,
                State::Waiting => &mut c.waiting,
                State::Embedded => &mut c.embedded,
                State::Failed => &mut c.failed,
            } += 1;
        }
        c
    }

    pub(crate) fn archive(&self) -> Archive {
        let mut conversations = vec![false; self.conversations.len()];
        let mut people = HashSet::new();
        let mut sources = vec![false; self.sources.len()];
        for row in &self.rows {
            conversations[row.conversation as usize] = true;
            people.insert(row.person);
            sources[row.source as usize] = true;
        }
        let count = |flags: &[bool]| flags.iter().filter(|f| **f).count() as u64;
        Archive {
            messages: self.rows.len() as u64,
            conversations: count(&conversations),
            people: people
                .into_iter()
                .filter_map(|slot| self.people.get(slot as usize))
                .map(|p| self.head(*p))
                .collect::<HashSet<_>>()
                .len() as u64,
            sources: count(&sources),
            first: self.rows.iter().map(|r| r.time).min(),
            last: self.rows.iter().map(|r| r.time).max(),
        }
    }

    /// Messages, conversations and span of each source that has any.
    pub(crate) fn by_source(&self) -> BTreeMap<&str, Tally> {
        let mut all: BTreeMap<&str, (Tally, Vec<bool>)> = BTreeMap::new();
        for row in &self.rows {
            let (tally, seen) = all.entry(self.source(row)).or_default();
            tally.add(row.time);
            seen.resize(self.conversations.len(), false);
            seen[row.conversation as usize] = true;
        }
        all.into_iter()
            .map(|(source, (tally, seen))| {
                (source, Tally { parts: seen.iter().filter(|s| **s).count() as u64, ..tally })
            })
            .collect()
    }

    /// Messages and span by person (of all identities), and the sources they are in.
    pub(crate) fn by_person(&self) -> HashMap<PersonId, (Tally, Vec<String>)> {
        let mut all: HashMap<PersonId, (Tally, Vec<String>)> = HashMap::new();
        for (id, tally, sources) in self.by_identity() {
            let (sum, there) = all.entry(self.head(id)).or_default();
            sum.join(&tally);
            there.extend(sources);
        }
        for (_, sources) in all.values_mut() {
            sources.sort();
            sources.dedup();
        }
        all
    }

    /// The same of each identity that wrote something.
    pub(crate) fn by_identity(&self) -> Vec<(PersonId, Tally, Vec<String>)> {
        let mut tallies: Vec<(Tally, HashSet<u8>)> = vec![Default::default(); self.people.len()];
        for row in &self.rows {
            let (tally, sources) = &mut tallies[row.person as usize];
            tally.add(row.time);
            sources.insert(row.source);
        }
        let named = |slots: HashSet<u8>| {
            slots.into_iter().filter_map(|s| self.sources.get(s as usize).cloned()).collect::<Vec<_>>()
        };
        let each = self.people.iter().copied().zip(tallies);
        each.filter(|(_, (t, _))| t.messages > 0).map(|(id, (tally, sources))| (id, tally, named(sources))).collect()
    }

    pub(crate) fn by_conversation(&self) -> HashMap<ConversationId, Tally> {
        let mut tallies = vec![Tally::default(); self.conversations.len()];
        for row in &self.rows {
            tallies[row.conversation as usize].add(row.time);
        }
        self.conversations.iter().copied().zip(tallies).collect()
    }

    fn source_slot(&mut self, source: &str) -> u8 {
        let at = self.sources.iter().position(|s| s == source).unwrap_or_else(|| {
            self.sources.push(source.to_owned());
            self.sources.len() - 1
        });
        u8::try_from(at).unwrap_or(u8::MAX)
    }
}

/// A count with its span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) messages: u64,
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    /// Conversations, where asked for.
    pub(crate) parts: u64,
}

impl Tally {
    pub(crate) fn join(&mut self, other: &Tally) {
        self.messages += other.messages;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
    }

    pub(crate) fn add(&mut self, time: i64) {
        self.messages += 1;
        self.first = Some(self.first.map_or(time, |t| t.min(time)));
        self.last = Some(self.last.map_or(time, |t| t.max(time)));
    }
}

/// An id is a hash already.
fn spread(id: MessageId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The place of a value in a list, added where it is new.
fn slot<T: Copy + Eq + std::hash::Hash>(all: &mut Vec<T>, places: &mut HashMap<T, u32>, value: T) -> u32 {
    *places.entry(value).or_insert_with(|| {
        all.push(value);
        all.len() as u32 - 1
    })
}
