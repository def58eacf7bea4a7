//! The same thing twice: one message, seen in several exports.
//!
//! What has the same id is the same; here is the other case, one chat that two exporters wrote down with ids of
//! their own. Two conversations are compared where they are of one kind and between the same people; two messages
//! are one where the same person wrote the same text at the same time, as exactly as the coarser of the two says
//! it. They are paired one to one and in order, so two equal lines in one minute stay two. A pair of conversations
//! that agrees only here and there (something said in two groups) is left alone. The later copy is taken out of the
//! messages and kept whole beside them, so that it can be put back.

use crate::{
    Memory, MemoryError,
    account::Taken,
    catalogue::{Catalogue, Row},
};
use evoke_message::{
    ConversationId, ConversationKind, Duplicate, Kind, Message, MessageId, Part, Provenance, fold, normalise,
};
use evoke_store::{SameRow, Stored};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A single pair must have so many characters to speak for two conversations being one.
const TELLING: usize = 12;
/// Two services are one chat only where so many messages agree: one text may well be sent by both.
const ACROSS: usize = 3;

/// A conversation as it is compared.
struct Talk {
    source: u8,
    /// Messages that could be the same as others, in time.
    lines: Vec<Line>,
    /// Milliseconds as exactly as its exporter writes times.
    precision: i64,
}

#[derive(Clone)]
struct Line {
    id: MessageId,
    time: i64,
    import: u32,
    who: u32,
}

/// A copy and what is shown in its place.
struct Pair {
    copy: MessageId,
    of: MessageId,
}

impl Memory {
    /// Finds what an import brought again. Returns how many of its messages are copies.
    pub(crate) async fn join_import(&self, import: i64) -> Result<u64, MemoryError> {
        let conversations: BTreeSet<ConversationId> = {
            let catalogue = self.catalogue();
            let rows = catalogue.rows().iter().filter(|r| i64::from(r.import) == import);
            rows.map(|r| catalogue.conversation(r)).collect()
        };
        self.join_same(&conversations).await?;
        Ok(self.catalogue().all_hidden().filter(|(_, h)| h.import == import).count() as u64)
    }

    /// Finds copies between these conversations and all others.
    pub(crate) async fn join_same(&self, conversations: &BTreeSet<ConversationId>) -> Result<(), MemoryError> {
        if conversations.is_empty() {
            return Ok(());
        }
        let candidates = candidates(&self.catalogue(), conversations);
        for (one, other) in candidates {
            let pairs = self.pairs(&one, &other).await?;
            self.hide(pairs).await?;
        }
        Ok(())
    }

    async fn pairs(&self, one: &Talk, other: &Talk) -> Result<Vec<Pair>, MemoryError> {
        let precision = one.precision.max(other.precision);
        let (a, b) = within(&one.lines, &other.lines, precision);
        let unit = |line: &Line| (line.time.div_euclid(precision), line.who);
        let near = |lines: &[Line]| -> HashSet<(i64, u32)> { lines.iter().map(unit).collect() };
        let both: HashSet<(i64, u32)> = near(&a).intersection(&near(&b)).copied().collect();
        let wanted = |lines: &[Line]| -> Vec<MessageId> {
            lines.iter().filter(|line| both.contains(&unit(line))).map(|line| line.id).collect()
        };
        let ids: Vec<MessageId> = wanted(&a).into_iter().chain(wanted(&b)).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let texts: HashMap<MessageId, String> =
            self.store().messages(&ids).await?.into_iter().map(|m| (m.id, said(&m))).collect();
        let catalogue = self.catalogue();
        let mut there: HashMap<((i64, u32), &str), Vec<&Line>> = HashMap::new();
        for line in b.iter().rev() {
            if let Some(text) = texts.get(&line.id).filter(|t| !t.is_empty()) {
                there.entry((unit(line), text)).or_default().push(line);
            }
        }
        let mut pairs = Vec::new();
        let mut telling = 0;
        for line in &a {
            let Some(text) = texts.get(&line.id).filter(|t| !t.is_empty()) else { continue };
            let key = (unit(line), text.as_str());
            let Some(twin) = there.get_mut(&key).and_then(Vec::pop) else { continue };
            telling = telling.max(text.chars().count());
            let (first, second) =
                if (twin.import, twin.id) < (line.import, line.id) { (twin, line) } else { (line, twin) };
            pairs.push(Pair { copy: second.id, of: first.id });
        }
        let many =
            if one.source == other.source { pairs.len() > 1 || telling >= TELLING } else { pairs.len() >= ACROSS };
        let enough = many && 2 * pairs.len() >= a.len().min(b.len());
        pairs.retain(|p| enough && !catalogue.is_apart(p.copy) && !catalogue.is_apart(p.of));
        Ok(pairs)
    }

    /// Takes copies out of the messages. The copy is kept before it is taken out.
    async fn hide(&self, pairs: Vec<Pair>) -> Result<(), MemoryError> {
        if pairs.is_empty() {
            return Ok(());
        }
        let _changing = self.0.changing.lock().await;
        let copies: Vec<MessageId> = pairs.iter().map(|p| p.copy).collect();
        let of: HashMap<MessageId, MessageId> = pairs.iter().map(|p| (p.copy, p.of)).collect();
        let mut rows: Vec<SameRow> = Vec::new();
        for stored in self.copies(&copies).await? {
            let id = stored.message.id;
            let Some(of) = of.get(&id) else { continue };
            rows.push(SameRow { id, of: *of, apart: false, copy: Some(stored) });
        }
        // What was a copy of a copy is now one of what stays.
        let further: Vec<MessageId> =
            self.catalogue().all_hidden().filter(|(_, h)| of.contains_key(&h.of)).map(|(id, _)| id).collect();
        if !further.is_empty() {
            for mut row in self.store().same_of(&further).await? {
                row.of = of.get(&row.of).copied().unwrap_or(row.of);
                rows.push(row);
            }
        }
        self.store().put_same(&rows).await?;
        self.take_out(&copies).await?;
        let mut catalogue = self.catalogue_mut();
        rows.iter().for_each(|row| catalogue.put_same(row));
        Ok(())
    }

    /// Takes messages and their passages out; what stood after them is read again.
    pub(crate) async fn take_out(&self, ids: &[MessageId]) -> Result<(), MemoryError> {
        let touched: Vec<ConversationId> = {
            let catalogue = self.catalogue();
            let rows = ids.iter().filter_map(|id| catalogue.get(*id));
            rows.map(|r| catalogue.conversation(r)).collect::<BTreeSet<_>>().into_iter().collect()
        };
        for generation in self.generations() {
            generation.wait_for(&touched).await?;
        }
        self.store().delete_messages(ids).await?;
        let gone: HashSet<MessageId> = ids.iter().copied().collect();
        self.catalogue_mut().remove(&|row| gone.contains(&row.id));
        Ok(())
    }

    /// Puts copies back among the messages. The caller holds `changing`.
    pub(crate) async fn put_back(&self, copies: Vec<Stored>) -> Result<(), MemoryError> {
        let touched: BTreeSet<ConversationId> = copies.iter().map(|c| c.message.conversation).collect();
        let touched: Vec<ConversationId> = touched.into_iter().collect();
        let taken = copies.into_iter().map(|c| Taken { message: c.message, import: c.import, wall: c.wall }).collect();
        self.rewrite(taken, &touched).await
    }

    /// Every message that was found to be a copy of another, newest first.
    pub async fn duplicates(&self) -> Result<Vec<Duplicate>, MemoryError> {
        self.refresh().await?;
        let rows = self.store().same().await?;
        let catalogue = self.catalogue();
        let told = |row: SameRow| {
            let Stored { message: m, import, .. } = row.copy.filter(|_| !row.apart)?;
            let of = catalogue.get(row.of);
            Some(Duplicate {
                message: row.id,
                of: row.of,
                of_source: of.map(|r| catalogue.source(r).to_owned()).unwrap_or_default(),
                title: catalogue.about(m.conversation).map(|c| c.title.clone()).unwrap_or_default(),
                import: import as u64,
                source: m.source,
                name: m.sender.name,
                time: m.time,
                text: m.text,
            })
        };
        let mut all: Vec<Duplicate> = rows.into_iter().filter_map(told).collect();
        all.sort_by_key(|d| (std::cmp::Reverse(d.time), d.message));
        Ok(all)
    }

    /// Shows a copy as a message of its own again. It is not taken for a copy a second time.
    ///
    /// # Errors
    /// `NotFound` where it is no copy.
    pub async fn undo_duplicate(&self, message: MessageId) -> Result<(), MemoryError> {
        self.writer()?;
        let rows = self.store().same_of(&[message]).await?;
        let copy = rows.into_iter().find(|row| !row.apart).and_then(|row| Some((row.of, row.copy?)));
        let Some((of, copy)) = copy else {
            return Err(MemoryError::NotFound(
                "this message is no copy of another: see `evoke duplicates list`".into(),
            ));
        };
        {
            let _changing = self.0.changing.lock().await;
            self.put_back(vec![copy]).await?;
            let row = SameRow { id: message, of, apart: true, copy: None };
            self.store().put_same(std::slice::from_ref(&row)).await?;
            self.catalogue_mut().put_same(&row);
        }
        self.finish_import(&crate::ImportOptions::default(), &crate::Watch::default()).await
    }

    /// Where a message was seen: in the export that brought it first, in those that had it again, and in those
    /// that have a copy of it.
    pub async fn provenances(&self, message: MessageId) -> Result<Vec<Provenance>, MemoryError> {
        self.refresh().await?;
        let mut copies: Vec<MessageId> =
            self.catalogue().all_hidden().filter(|(_, h)| h.of == message).map(|(id, _)| id).collect();
        let mut all: BTreeSet<Provenance> = BTreeSet::new();
        let mut sources: HashMap<MessageId, String> = HashMap::new();
        for stored in self.copies(&[message]).await? {
            all.insert(seen(&stored));
            sources.insert(message, stored.message.source);
        }
        for row in self.store().same_of(&copies).await? {
            if let Some(stored) = row.copy {
                all.insert(seen(&stored));
                sources.insert(row.id, stored.message.source);
            }
        }
        if all.is_empty() {
            return Err(MemoryError::NotFound("this message is not in the archive".into()));
        }
        copies.push(message);
        for met in self.store().met_of(&copies).await? {
            let source = sources.get(&met.id).cloned().unwrap_or_default();
            all.insert(Provenance { import: met.import as u64, source, place: met.place });
        }
        Ok(all.into_iter().collect())
    }

    /// A kill may have left a copy both beside and among the messages: it is shown, and found again later.
    pub(crate) async fn settle_same(&self) -> Result<(), MemoryError> {
        let twice: Vec<MessageId> = {
            let catalogue = self.catalogue();
            let hidden = catalogue.all_hidden().filter(|(id, _)| catalogue.get(*id).is_some());
            hidden.map(|(id, _)| id).collect()
        };
        self.store().delete_same(&twice).await?;
        let mut catalogue = self.catalogue_mut();
        twice.iter().for_each(|id| catalogue.drop_same(*id));
        Ok(())
    }
}

fn seen(stored: &Stored) -> Provenance {
    let Message { source, place, .. } = &stored.message;
    Provenance { import: stored.import as u64, source: source.clone(), place: place.clone() }
}

/// Pairs of conversations of one kind and between the same people, of which at least one is among `new`.
fn candidates(catalogue: &Catalogue, new: &BTreeSet<ConversationId>) -> Vec<(Talk, Talk)> {
    let mut names = Names::default();
    let mut rows: HashMap<ConversationId, Vec<&Row>> = HashMap::new();
    for row in catalogue.in_time().filter(|r| matches!(r.kind, Kind::Chat | Kind::Mail) && r.part == Part::Text) {
        rows.entry(catalogue.conversation(row)).or_default().push(row);
    }
    if !new.iter().any(|id| rows.contains_key(id)) {
        return Vec::new();
    }
    // By who talks in which kind of conversation: only these are compared.
    let mut circles: BTreeMap<(String, BTreeSet<u32>), Vec<ConversationId>> = BTreeMap::new();
    for (id, rows) in &rows {
        let Some(kind) = catalogue.about(*id).map(|c| c.kind) else { continue };
        let others: BTreeSet<u32> = rows.iter().map(|r| names.of(catalogue, r)).filter(|n| *n != OWNER).collect();
        if kind != ConversationKind::Channel && !others.is_empty() {
            circles.entry((format!("{kind:?}"), others)).or_default().push(*id);
        }
    }
    let mut talk = |id: &ConversationId| talk(rows.get(id)?, |row| names.of(catalogue, row));
    let mut pairs = Vec::new();
    for circle in circles.values_mut().filter(|c| c.len() > 1) {
        let first = |id: &ConversationId| rows.get(id).and_then(|r| r.first()).map_or(0, |r| r.time);
        circle.sort_by_key(|id| (first(id), *id));
        for (at, one) in circle.iter().enumerate() {
            let Some(a) = rows.get(one) else { continue };
            let until = a.last().map_or(0, |r| r.time + DAY);
            let later = circle.iter().skip(at + 1).take_while(|other| first(other) <= until);
            for other in later.filter(|other| new.contains(one) || new.contains(other)) {
                if rows.get(other).is_some_and(|b| !one_export(a, b)) {
                    pairs.extend(talk(one).zip(talk(other)));
                }
            }
        }
    }
    pairs
}

/// Conversations further apart have nothing in common, in whatever zone their times were read.
const DAY: i64 = 86_400_000;

/// One exporter in one import writes no chat down twice.
fn one_export(a: &[&Row], b: &[&Row]) -> bool {
    let first = a.first().map(|r| (r.source, r.import));
    a.iter().chain(b).all(|r| Some((r.source, r.import)) == first)
}

fn talk(rows: &[&Row], mut who: impl FnMut(&Row) -> u32) -> Option<Talk> {
    let line = |r: &&Row| Line { id: r.id, time: r.time, import: r.import, who: who(r) };
    let lines: Vec<Line> = rows.iter().map(line).collect();
    let whole = |unit: i64| rows.iter().all(|r| r.time.rem_euclid(unit) == 0);
    let precision = [60_000, 1_000].into_iter().find(|unit| whole(*unit)).unwrap_or(1);
    Some(Talk { source: rows.first()?.source, lines, precision })
}

/// The number of the owner among the names.
const OWNER: u32 = 0;

/// One number for a person: by their name, or where there is no name by the identity itself.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, u32>,
    known: HashMap<u32, u32>,
}

impl Names {
    fn of(&mut self, catalogue: &Catalogue, row: &Row) -> u32 {
        if let Some(number) = self.known.get(&row.person) {
            return *number;
        }
        let person = catalogue.person(row);
        let number = if catalogue.is_me(person) {
            OWNER
        } else {
            let name = fold(catalogue.name_of(person).trim());
            let worded = name.chars().any(char::is_alphabetic);
            let next = self.numbers.len() as u32 + 1;
            *self.numbers.entry(if worded { name } else { catalogue.head(person).to_string() }).or_insert(next)
        };
        self.known.insert(row.person, number);
        number
    }
}

/// The lines of both that lie in the time of both.
fn within(a: &[Line], b: &[Line], precision: i64) -> (Vec<Line>, Vec<Line>) {
    let unit = |line: &Line| line.time.div_euclid(precision);
    let bounds = |lines: &[Line]| Some((unit(lines.first()?), unit(lines.last()?)));
    let Some(((a0, a1), (b0, b1))) = bounds(a).zip(bounds(b)) else { return Default::default() };
    let (from, until) = (a0.max(b0), a1.min(b1));
    let part = |lines: &[Line]| lines.iter().filter(|l| (from..=until).contains(&unit(l))).cloned().collect();
    (part(a), part(b))
}

/// What a message says, without what exporters write differently: marks of emphasis and spaces; and of an
/// attachment alone, its name.
fn said(message: &Message) -> String {
    let text = normalise(&message.text);
    let plain: String = text.chars().filter(|c| !matches!(c, '*' | '_' | '~' | '`' | '\\')).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let names: Vec<&str> = message.attachments.iter().map(|a| a.name.as_str()).collect();
    if words.is_empty() { names.join("\n") } else { words.join(" ") }
}
