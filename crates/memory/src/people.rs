//! People: lists, pages, merging and splitting. What suggests a merge is `suggest.rs`'s, who the owner is `owner.rs`'s.
//!
//! Merging writes one record and changes no message; splitting takes it away again.

use crate::{
    Memory, MemoryError,
    browse::conversation_rows,
    catalogue::{Catalogue, Tally},
    groups, phone,
    search::shown,
    words,
};
use evoke_message::{
    Company, ConversationId, ConversationKind, Filter, Identity, Kind, Month, PersonId, PersonPage, PersonRow, fold,
};
use evoke_store::{Condition, MergeRow};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Notes that mention somebody, shown at most.
const MENTIONS: usize = 50;

impl Memory {
    /// All people, those who wrote most first.
    pub async fn people(&self) -> Result<Vec<PersonRow>, MemoryError> {
        self.refresh().await?;
        Ok(rows(&self.catalogue()))
    }

    /// People by a whole name, number, address, user name or id of any identity.
    pub fn people_called(&self, who: &str) -> Vec<PersonId> {
        let catalogue = self.catalogue();
        let mut all: Vec<PersonId> = by_sign(&catalogue, &fold(who));
        all.extend(who.parse::<PersonId>().ok().filter(|id| catalogue.who(*id).is_some()));
        if all.is_empty() {
            all = catalogue.everyone().filter(|p| fold(&p.name) == fold(who)).map(|p| p.id).collect();
        }
        all.iter_mut().for_each(|id| *id = catalogue.head(*id));
        all.sort();
        all.dedup();
        all
    }

    /// All that is known of a person, by any of their identities.
    ///
    /// # Errors
    /// `NotFound` for an id that nobody has.
    pub async fn person(&self, id: PersonId) -> Result<PersonPage, MemoryError> {
        self.refresh().await?;
        let (mut page, names) = {
            let catalogue = self.catalogue();
            let mut person =
                rows(&catalogue).into_iter().find(|row| row.id == catalogue.head(id)).ok_or_else(nobody)?;
            let members = catalogue.expand(&[id]);
            let own = company_of(&catalogue, &members);
            let (mut months, mut contact): (BTreeMap<String, u64>, Tally) = Default::default();
            let mut wrote_in = HashSet::new();
            for row in catalogue.rows() {
                let conversation = catalogue.conversation(row);
                if members.contains(&catalogue.person(row)) {
                    *months.entry(self.local(row.time).strftime("%Y-%m").to_string()).or_default() += 1;
                    wrote_in.insert(conversation);
                    contact.add(row.time);
                } else if !person.me && own.conversations.contains(&conversation) {
                    contact.add(row.time);
                }
            }
            (person.first, person.last) = (contact.first, contact.last);
            let names = names(&catalogue, &members);
            let page = PersonPage {
                identities: identities(&catalogue, &members),
                months: without_gaps(months),
                conversations: conversation_rows(&catalogue, |c| wrote_in.contains(&c.id)),
                mentions: Vec::new(),
                mentioned: 0,
                person,
            };
            (page, names)
        };
        self.mentions(&mut page, names).await?;
        Ok(page)
    }

    /// Notes in which one of the names stands.
    async fn mentions(&self, page: &mut PersonPage, names: Vec<String>) -> Result<(), MemoryError> {
        let mut found = HashSet::new();
        for phrase in names.iter().filter_map(|name| words::phrase(name)) {
            let filter = Filter { kinds: vec![Kind::Note], ..Filter::default() };
            found.extend(self.store().passing(&Condition { filter, phrases: vec![phrase], without: vec![] }).await?);
        }
        page.mentioned = found.len() as u64;
        let newest: Vec<_> = {
            let catalogue = self.catalogue();
            catalogue.in_time().rev().filter(|r| found.contains(&r.id)).take(MENTIONS).map(|r| r.id).collect()
        };
        let mut notes: HashMap<_, _> = self.store().messages(&newest).await?.into_iter().map(|m| (m.id, m)).collect();
        let catalogue = self.catalogue();
        page.mentions = newest.iter().filter_map(|id| Some(shown(&catalogue, notes.remove(id)?))).collect();
        Ok(())
    }

    /// Makes people one. The first stands for all.
    ///
    /// # Errors
    /// `BadQuery` for fewer than two people, `NotFound` where an id is nobody's.
    pub async fn merge_people(&self, people: &[PersonId]) -> Result<PersonRow, MemoryError> {
        self.writer()?;
        let _changing = self.0.changing.lock().await;
        let row = {
            let catalogue = self.catalogue();
            known(&catalogue, people)?;
            let heads: Vec<PersonId> = people.iter().map(|p| catalogue.head(*p)).collect();
            let different: BTreeSet<&PersonId> = heads.iter().collect();
            if different.len() < 2 {
                return Err(MemoryError::BadQuery("these are one person already, or only one was named".into()));
            }
            let mut all: Vec<PersonId> = Vec::new();
            for head in heads {
                all.push(head);
                // Who the owner is, is said elsewhere: a merge names the owner alone.
                if head != PersonId::me() {
                    all.extend(catalogue.expand(&[head]));
                }
            }
            let mut seen = HashSet::new();
            all.retain(|id| seen.insert(*id));
            // Whoever is the owner stays the one whose id messages of the owner have.
            all.sort_by_key(|id| *id != PersonId::me());
            MergeRow { people: all, same: true }
        };
        self.change_merges(&[], vec![row.clone()]).await?;
        let catalogue = self.catalogue();
        let head = row.people.first().map_or_else(PersonId::me, |p| catalogue.head(*p));
        rows(&catalogue).into_iter().find(|r| r.id == head).ok_or_else(nobody)
    }

    /// Takes an identity out of its person; the others stay one.
    ///
    /// # Errors
    /// `BadQuery` where it is a person alone.
    pub async fn split_person(&self, identity: PersonId) -> Result<(), MemoryError> {
        self.writer()?;
        let _changing = self.0.changing.lock().await;
        let (before, after) = {
            let catalogue = self.catalogue();
            known(&catalogue, &[identity])?;
            (catalogue.merges().to_vec(), groups::without(catalogue.merges(), identity))
        };
        if before == after {
            return Err(MemoryError::BadQuery(
                "this was not merged with anybody: see the identities in `evoke people show`".into(),
            ));
        }
        let gone: Vec<MergeRow> = before.iter().filter(|m| !after.contains(m)).cloned().collect();
        let new: Vec<MergeRow> = after.into_iter().filter(|m| !before.contains(m)).collect();
        self.change_merges(&gone, new).await
    }

    /// Says that people are different, so that they are not suggested again.
    pub async fn not_the_same(&self, people: &[PersonId]) -> Result<(), MemoryError> {
        self.writer()?;
        let _changing = self.0.changing.lock().await;
        let mut people = people.to_vec();
        {
            let catalogue = self.catalogue();
            known(&catalogue, &people)?;
            people.iter_mut().for_each(|p| *p = catalogue.head(*p));
        }
        people.sort();
        people.dedup();
        if people.len() < 2 {
            return Err(MemoryError::BadQuery("these are one person: split them first".into()));
        }
        self.change_merges(&[], vec![MergeRow { people, same: false }]).await
    }

    async fn change_merges(&self, gone: &[MergeRow], new: Vec<MergeRow>) -> Result<(), MemoryError> {
        self.store().change_merges(gone, &new).await?;
        let merges = self.store().merges().await?;
        self.catalogue_mut().set_merges(merges);
        Ok(())
    }
}

pub(crate) fn nobody() -> MemoryError {
    MemoryError::NotFound("nobody has this id: see `evoke people`".into())
}

fn known(catalogue: &Catalogue, people: &[PersonId]) -> Result<(), MemoryError> {
    let there = |p: &PersonId| catalogue.who(*p).is_some() || *p == PersonId::me();
    if people.iter().all(there) { Ok(()) } else { Err(nobody()) }
}

/// Everybody who wrote something, those who wrote most first.
pub(crate) fn rows(catalogue: &Catalogue) -> Vec<PersonRow> {
    let mut all: Vec<PersonRow> = catalogue
        .by_person()
        .into_iter()
        .filter(|(id, _)| catalogue.expand(&[*id]).iter().any(|p| catalogue.who(*p).is_some()))
        .map(|(id, (tally, sources))| PersonRow {
            id,
            name: catalogue.name_of(id).to_owned(),
            me: id == PersonId::me(),
            sources,
            identities: described(catalogue, &catalogue.expand(&[id])).len() as u64,
            messages: tally.messages,
            first: tally.first,
            last: tally.last,
        })
        .collect();
    all.sort_by(|a, b| b.messages.cmp(&a.messages).then(a.name.cmp(&b.name)).then(a.id.cmp(&b.id)));
    all
}

/// The identities of a person with their messages, those with most first. The owner's messages name the owner and no
/// source's identity, so theirs are counted by source.
pub(crate) fn identities(catalogue: &Catalogue, members: &[PersonId]) -> Vec<Identity> {
    let mut all = described(catalogue, members);
    let at: HashMap<PersonId, usize> = all.iter().enumerate().map(|(i, identity)| (identity.id, i)).collect();
    for row in catalogue.contacts() {
        let id = PersonId::of(&[&row.contact.source, &row.contact.key]);
        if let Some(identity) = at.get(&id).and_then(|i| all.get_mut(*i)) {
            identity.learn(&row.contact);
        }
    }
    count(catalogue, &mut all, &at);
    all.sort_by(|a, b| b.messages.cmp(&a.messages).then(a.source.cmp(&b.source)).then(a.key.cmp(&b.key)));
    all
}

/// Identities as the messages alone know them.
pub(crate) fn described(catalogue: &Catalogue, members: &[PersonId]) -> Vec<Identity> {
    let named = members.iter().filter(|id| catalogue.who(**id).is_some()).count();
    members
        .iter()
        .filter_map(|id| catalogue.who(*id))
        // The id of the owner stands for those of each source, where these are known.
        .filter(|row| named < 2 || row.id != PersonId::me())
        .map(|row| Identity {
            id: row.id,
            source: row.source.clone(),
            key: row.key.clone(),
            name: row.name.clone(),
            numbers: phone::number(&row.key).or_else(|| phone::number(&row.name)).into_iter().collect(),
            addresses: [&row.key, &row.name].into_iter().find(|t| is_address(t)).into_iter().cloned().collect(),
            handles: Vec::new(),
            messages: 0,
        })
        .collect()
}

/// Fills in how many messages each identity wrote.
fn count(catalogue: &Catalogue, all: &mut [Identity], at: &HashMap<PersonId, usize>) {
    let owner_in: HashMap<String, usize> =
        all.iter().enumerate().map(|(i, identity)| (identity.source.clone(), i)).rev().collect();
    for row in catalogue.rows() {
        let person = catalogue.person(row);
        let place = match at.get(&person) {
            Some(place) => Some(*place),
            None if person == PersonId::me() && !all.is_empty() => {
                owner_in.get(catalogue.source(row)).copied().filter(|_| at.keys().any(|id| catalogue.is_me(*id)))
            }
            None => None,
        };
        if let Some(identity) = place.and_then(|i| all.get_mut(i)) {
            identity.messages += 1;
        }
    }
}

pub(crate) fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !text.contains(' '))
}

/// What to look for in notes: full names, and a single name where there is nothing longer.
fn names(catalogue: &Catalogue, members: &[PersonId]) -> Vec<String> {
    let all: BTreeSet<String> =
        members.iter().filter_map(|id| catalogue.who(*id)).map(|p| p.name.trim().to_owned()).collect();
    let worded = |n: &&String| n.chars().any(char::is_alphabetic) && !is_address(n) && n.chars().count() > 2;
    let full: Vec<String> = all.iter().filter(worded).filter(|n| n.contains(char::is_whitespace)).cloned().collect();
    if full.is_empty() { all.iter().filter(worded).cloned().collect() } else { full }
}

fn without_gaps(months: BTreeMap<String, u64>) -> Vec<Month> {
    let number = |month: &str| {
        let (year, month) = month.split_once('-')?;
        Some(year.parse::<i32>().ok()? * 12 + month.parse::<i32>().ok()? - 1)
    };
    let bounds = months.keys().next().and_then(|m| number(m)).zip(months.keys().next_back().and_then(|m| number(m)));
    let Some((first, last)) = bounds else { return Vec::new() };
    let month = |n: i32| {
        let month = format!("{:04}-{:02}", n.div_euclid(12), n.rem_euclid(12) + 1);
        Month { count: months.get(&month).copied().unwrap_or_default(), month }
    };
    (first..=last).map(month).collect()
}

/// Identities of people by a part of a name, a number, an address, a user name, or an id; `me` is the owner.
pub(crate) fn named(catalogue: &Catalogue, wanted: &[String]) -> Vec<PersonId> {
    let wanted: Vec<String> = wanted.iter().map(|n| fold(n)).collect();
    let calls_me = |w: &String| w == "me" || w == "i";
    let by_name = catalogue.everyone().filter(|p| wanted.iter().any(|w| !calls_me(w) && fold(&p.name).contains(w)));
    let mut found: Vec<PersonId> = by_name.map(|p| p.id).collect();
    if wanted.iter().any(calls_me) {
        found.push(PersonId::me());
    }
    for word in &wanted {
        found.extend(word.parse::<PersonId>().ok());
        found.extend(by_sign(catalogue, word));
    }
    catalogue.expand(&found)
}

/// Identities by the whole of a number, an address or a user name.
fn by_sign(catalogue: &Catalogue, word: &str) -> Vec<PersonId> {
    let digits = phone::number(word).map(|n| phone::ending(&n));
    let same_number =
        |text: &str| digits.as_ref().is_some_and(|d| phone::number(text).is_some_and(|n| phone::ending(&n) == *d));
    let keyed = catalogue.everyone().filter(|p| fold(&p.key) == word || same_number(&p.key) || same_number(&p.name));
    let mut found: Vec<PersonId> = keyed.map(|p| p.id).collect();
    for contact in catalogue.contacts().map(|row| &row.contact) {
        let said = contact.addresses.iter().chain(&contact.handles).any(|text| fold(text) == word);
        if said || contact.numbers.iter().any(|n| same_number(n)) {
            found.push(PersonId::of(&[&contact.source, &contact.key]));
        }
    }
    found
}

/// What these people wrote, and their direct talks with the owner.
pub(crate) fn company(catalogue: &Catalogue, wanted: &[String]) -> Company {
    company_of(catalogue, &named(catalogue, wanted))
}

fn company_of(catalogue: &Catalogue, members: &[PersonId]) -> Company {
    let people: HashSet<PersonId> = members.iter().copied().collect();
    let mut writers: HashMap<ConversationId, HashSet<PersonId>> = HashMap::new();
    let direct = |id: ConversationId| catalogue.about(id).is_some_and(|c| c.kind == ConversationKind::Direct);
    for row in catalogue.rows() {
        writers.entry(catalogue.conversation(row)).or_default().insert(catalogue.person(row));
    }
    let theirs = writers.into_iter().filter(|(id, all)| direct(*id) && !all.is_disjoint(&people));
    // Some exporters call a group a direct talk.
    let two = theirs.filter(|(_, all)| all.iter().map(|p| catalogue.head(*p)).collect::<HashSet<_>>().len() <= 2);
    let conversations: HashSet<ConversationId> = two.map(|(id, _)| id).collect();
    Company { people: members.to_vec(), conversations: conversations.into_iter().collect() }
}
