//! Which people may be one, with what speaks for it. Nobody is merged by it, and a first name alone says nothing.

use crate::{
    Memory, MemoryError,
    catalogue::Catalogue,
    people::{described, rows},
    phone,
};
use evoke_message::{ConversationKind, Evidence, EvidenceKind, Identity, PersonId, PersonRow, Suggestion, fold};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A number or address that more people than this share is a switchboard's or a list's.
const SHARED: usize = 4;
/// Writers of a conversation that still know each other.
const ACQUAINTED: usize = 20;

/// What is compared of a person.
struct Signs {
    identities: Vec<Identity>,
    numbers: BTreeSet<String>,
    addresses: BTreeSet<String>,
    /// Words of full names, sorted, so that "Pereira, Ana" is "Ana Pereira".
    names: BTreeSet<Vec<String>>,
}

impl Memory {
    /// People who may be one, the strongest evidence first.
    pub async fn suggest_people(&self) -> Result<Vec<Suggestion>, MemoryError> {
        self.refresh().await?;
        let catalogue = self.catalogue();
        let people: HashMap<PersonId, PersonRow> = rows(&catalogue).into_iter().map(|row| (row.id, row)).collect();
        let signs = signs(&catalogue, people.keys().copied());
        let mut found: BTreeMap<(PersonId, PersonId), Vec<Evidence>> = BTreeMap::new();
        let mut say = |pair: (PersonId, PersonId), kind, sentence: String| {
            let evidence = found.entry(pair).or_default();
            if !evidence.iter().any(|e: &Evidence| e.sentence == sentence) {
                evidence.push(Evidence { kind, sentence });
            }
        };
        for (number, pair) in shared(&signs, |s| s.numbers.iter().cloned().collect()) {
            say(pair, EvidenceKind::Number, format!("both have the number {number}"));
        }
        for (address, pair) in shared(&signs, |s| s.addresses.iter().cloned().collect()) {
            say(pair, EvidenceKind::Address, format!("both have the address {address}"));
        }
        for (pair, sentence) in same_name(&catalogue, &signs) {
            say(pair, EvidenceKind::Name, sentence);
        }
        let apart = |pair: &(PersonId, PersonId)| {
            let said = |p: PersonId, people: &[PersonId]| people.iter().any(|q| catalogue.head(*q) == p);
            catalogue.merges().iter().any(|m| !m.same && said(pair.0, &m.people) && said(pair.1, &m.people))
        };
        let mut all: Vec<Suggestion> = found
            .into_iter()
            .filter(|(pair, _)| !apart(pair))
            .filter_map(|((one, other), mut evidence)| {
                evidence.sort_by_key(|e| e.kind);
                let (one, other) = (people.get(&one)?.clone(), people.get(&other)?.clone());
                // Who wrote more stands first: the merged person is called so.
                let (one, other) = if other.messages > one.messages || other.me { (other, one) } else { (one, other) };
                Some(Suggestion { one, other, evidence })
            })
            .collect();
        let strength = |s: &Suggestion| {
            let first = s.evidence.first().map(|e| e.kind);
            (first, std::cmp::Reverse(s.evidence.len()), std::cmp::Reverse(s.one.messages + s.other.messages))
        };
        all.sort_by_key(strength);
        Ok(all)
    }
}

fn signs(catalogue: &Catalogue, people: impl Iterator<Item = PersonId>) -> BTreeMap<PersonId, Signs> {
    let mut by_identity: HashMap<PersonId, Vec<&evoke_message::Contact>> = HashMap::new();
    for row in catalogue.contacts() {
        let id = PersonId::of(&[&row.contact.source, &row.contact.key]);
        by_identity.entry(id).or_default().push(&row.contact);
    }
    let mut all: BTreeMap<PersonId, Vec<Identity>> = BTreeMap::new();
    for person in people {
        let mut identities = described(catalogue, &catalogue.expand(&[person]));
        for identity in &mut identities {
            for contact in by_identity.get(&identity.id).into_iter().flatten() {
                identity.learn(contact);
            }
        }
        all.insert(person, identities);
    }
    let home = home_country(&all);
    let signs = |identities: Vec<Identity>| {
        let of = |list: fn(&Identity) -> &Vec<String>| identities.iter().flat_map(list);
        let numbers = of(|i| &i.numbers).filter_map(|n| phone::number(n));
        Signs {
            numbers: numbers.filter_map(|n| phone::international(&n, home.as_deref())).collect(),
            addresses: of(|i| &i.addresses).map(|a| a.trim().to_lowercase()).collect(),
            names: identities.iter().filter_map(|i| full_name(&i.name)).collect(),
            identities,
        }
    };
    all.into_iter().map(|(person, identities)| (person, signs(identities))).collect()
}

/// The country in which national numbers are read: the owner's, or that of most numbers.
fn home_country(people: &BTreeMap<PersonId, Vec<Identity>>) -> Option<String> {
    let countries = |identities: &[Identity]| -> Vec<String> {
        let numbers = identities.iter().flat_map(|i| &i.numbers).filter_map(|n| phone::number(n));
        numbers.filter_map(|n| phone::country(&n).map(str::to_owned)).collect()
    };
    let own = people.get(&PersonId::me()).and_then(|identities| countries(identities).into_iter().next());
    own.or_else(|| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for country in people.values().flat_map(|identities| countries(identities)) {
            *counts.entry(country).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, n)| *n).map(|(country, _)| country)
    })
}

/// Pairs of people that share a sign which few have.
fn shared(
    people: &BTreeMap<PersonId, Signs>,
    of: impl Fn(&Signs) -> Vec<String>,
) -> Vec<(String, (PersonId, PersonId))> {
    let mut by: BTreeMap<String, Vec<PersonId>> = BTreeMap::new();
    for (person, signs) in people {
        of(signs).into_iter().for_each(|sign| by.entry(sign).or_default().push(*person));
    }
    let few = by.into_iter().filter(|(_, all)| all.len() <= SHARED);
    few.flat_map(|(sign, all)| pairs(&all).into_iter().map(move |pair| (sign.clone(), pair)).collect::<Vec<_>>())
        .collect()
}

fn pairs(people: &[PersonId]) -> Vec<(PersonId, PersonId)> {
    let mut all = Vec::new();
    for (at, one) in people.iter().enumerate() {
        all.extend(people.iter().skip(at + 1).map(|other| (*one.min(other), *one.max(other))));
    }
    all
}

/// Words of a name of at least two; none for a first name, a number or an address.
fn full_name(name: &str) -> Option<Vec<String>> {
    if name.contains('@') {
        return None;
    }
    let folded = fold(name);
    let mut words: Vec<String> = folded
        .split(|c: char| !c.is_alphabetic() && c != '\'')
        .filter(|w| w.chars().count() > 1)
        .map(str::to_owned)
        .collect();
    words.sort();
    (words.len() > 1 && words.iter().map(|w| w.chars().count()).sum::<usize>() > 5).then_some(words)
}

/// Pairs with one full name, who have talk in common. A name that two people of one source have is a usual one.
fn same_name(catalogue: &Catalogue, people: &BTreeMap<PersonId, Signs>) -> Vec<((PersonId, PersonId), String)> {
    let mut by: BTreeMap<&Vec<String>, Vec<PersonId>> = BTreeMap::new();
    for (person, signs) in people {
        signs.names.iter().for_each(|name| by.entry(name).or_default().push(*person));
    }
    by.retain(|_, all| all.len() > 1 && all.len() <= SHARED);
    if by.is_empty() {
        return Vec::new();
    }
    let acquaintances = acquaintances(catalogue);
    let mut found = Vec::new();
    for (name, all) in by {
        let mut sources: HashSet<&str> = HashSet::new();
        let called_so = |p: &PersonId| {
            let identities = people.get(p).map(|s| s.identities.as_slice()).unwrap_or_default();
            let so = identities.iter().filter(|i| full_name(&i.name).as_ref() == Some(name));
            so.map(|i| i.source.as_str()).collect::<HashSet<&str>>()
        };
        let usual = all.iter().any(|p| called_so(p).into_iter().any(|source| !sources.insert(source)));
        if usual {
            continue;
        }
        for pair in pairs(&all) {
            let none = BTreeSet::new();
            let of = |p| acquaintances.get(p).unwrap_or(&none);
            let common: Vec<&str> = of(&pair.0).intersection(of(&pair.1)).map(String::as_str).take(2).collect();
            if !common.is_empty() {
                let with = common.iter().map(|name| if name.is_empty() { "you" } else { name }).collect::<Vec<_>>();
                found.push((pair, format!("both have one full name, and both talk with {}", with.join(" and "))));
            }
        }
    }
    found
}

/// Of each person, the names of those they talk with; the owner is the empty name.
fn acquaintances(catalogue: &Catalogue) -> HashMap<PersonId, BTreeSet<String>> {
    let mut writers: HashMap<u32, (Option<ConversationKind>, HashSet<PersonId>)> = HashMap::new();
    for row in catalogue.rows() {
        let kind = || catalogue.about(catalogue.conversation(row)).map(|c| c.kind);
        let there = writers.entry(row.conversation).or_insert_with(|| (kind(), HashSet::new()));
        there.1.insert(catalogue.head(catalogue.person(row)));
    }
    let mut all: HashMap<PersonId, BTreeSet<String>> = HashMap::new();
    for (kind, writers) in writers.values().filter(|(_, writers)| writers.len() <= ACQUAINTED) {
        let between_two = matches!(kind, Some(ConversationKind::Direct | ConversationKind::Thread));
        for person in writers {
            let others = writers.iter().filter(|other| *other != person);
            let names = others.filter_map(|other| match *other == PersonId::me() {
                true => between_two.then(String::new),
                false => Some(catalogue.name_of(*other).to_owned()),
            });
            all.entry(*person).or_default().extend(names.collect::<Vec<_>>());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_has_two_words_in_any_order() {
        assert_eq!(full_name("Pereira, Ana"), full_name("ana  PEREIRA"));
        for name in ["Ana", "Ana P.", "+49 176 1234567", "ana@example.org", "Al Bo"] {
            assert_eq!(full_name(name), None, "{name}");
        }
    }
}
