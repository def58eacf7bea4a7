//! Who the owner of the archive is: guessed from what an import shows, asked once, and said by a person.

use crate::{
    ImportOptions, Memory, MemoryError, Watch,
    catalogue::Catalogue,
    ingest::Import,
    people::{nobody, rows},
    receipts,
};
use evoke_message::{ConversationId, ConversationKind, Guess, Kind, Part, PersonId, PersonRow, WhoIsMe, fold};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Guesses of one import at most.
const GUESSES: usize = 10;

/// What speaks for somebody being the owner.
#[derive(Default)]
struct Votes {
    conversations: u64,
    /// Talks of two that are called after the other one.
    named_after_other: u64,
}

impl Memory {
    /// Imports that do not say who the owner is, and of which nobody has said it; newest first.
    pub async fn who_is_me(&self) -> Result<Vec<WhoIsMe>, MemoryError> {
        self.refresh().await?;
        let mut asked = Vec::new();
        for row in self.store().imports().await?.iter().rev() {
            let import = receipts::record(row)?;
            if import.answered || import.receipt.undone.is_some() || row.open {
                continue;
            }
            let guesses = guesses(&self.catalogue(), row.number as u64);
            if guesses.len() > 1 {
                asked.push(WhoIsMe { import: row.number as u64, names: import.receipt.names, guesses });
            }
        }
        Ok(asked)
    }

    /// Says who the owner is in an import; nobody where the list is empty. It is not asked again.
    pub async fn answer_me(&self, import: u64, people: &[PersonId]) -> Result<(), MemoryError> {
        self.writer()?;
        let record = self.import_record(import).await?;
        self.also_me(people).await?;
        self.put_import(&Import { answered: true, ..record }, false).await?;
        self.owner_known(BTreeSet::from([import])).await
    }

    /// Says that people are the owner too. Imports in which they wrote are not asked about.
    pub async fn add_me(&self, people: &[PersonId]) -> Result<(), MemoryError> {
        self.writer()?;
        let imports: BTreeSet<u64> = {
            let catalogue = self.catalogue();
            let members: HashSet<PersonId> = catalogue.expand(people).into_iter().collect();
            let theirs = catalogue.rows().iter().filter(|r| members.contains(&catalogue.person(r)));
            theirs.map(|r| u64::from(r.import)).collect()
        };
        self.also_me(people).await?;
        for import in &imports {
            let record = self.import_record(*import).await?;
            self.put_import(&Import { answered: true, ..record }, false).await?;
        }
        self.owner_known(imports).await
    }

    /// Says that people are not the owner.
    pub async fn not_me(&self, people: &[PersonId]) -> Result<(), MemoryError> {
        self.flag(|row| people.contains(&row.id).then_some(false)).await
    }

    /// Says which people are the owner of the archive, and that no others are.
    pub async fn set_me(&self, people: &[PersonId]) -> Result<(), MemoryError> {
        let members: Vec<PersonId> = {
            let catalogue = self.catalogue();
            people.iter().flat_map(|p| if catalogue.is_me(*p) { vec![*p] } else { catalogue.expand(&[*p]) }).collect()
        };
        let names = |row: &evoke_store::PersonRow| row.id == PersonId::of(&[&row.source, &row.key]) && row.me;
        let wrote: HashSet<PersonId> = {
            let catalogue = self.catalogue();
            catalogue.rows().iter().map(|r| catalogue.person(r)).collect()
        };
        // A name that exports themselves give the owner stays.
        let said = |row: &evoke_store::PersonRow| names(row) && !wrote.contains(&row.id);
        self.flag(|row| Some(row.id == PersonId::me() || members.contains(&row.id) || said(row))).await
    }

    async fn also_me(&self, people: &[PersonId]) -> Result<(), MemoryError> {
        let members = {
            let catalogue = self.catalogue();
            if people.iter().any(|p| catalogue.who(*p).is_none()) {
                return Err(nobody());
            }
            catalogue.expand(people)
        };
        self.flag(|row| members.contains(&row.id).then_some(true)).await
    }

    async fn flag(&self, me: impl Fn(&evoke_store::PersonRow) -> Option<bool>) -> Result<(), MemoryError> {
        self.writer()?;
        let _changing = self.0.changing.lock().await;
        let changed: Vec<evoke_store::PersonRow> = {
            let catalogue = self.catalogue();
            let changed = catalogue.everyone().filter(|row| me(row).is_some_and(|me| me != row.me));
            changed.map(|row| evoke_store::PersonRow { me: !row.me, ..row.clone() }).collect()
        };
        self.store().put_people(&changed).await?;
        let mut catalogue = self.catalogue_mut();
        changed.into_iter().for_each(|p| catalogue.put_person(p));
        Ok(())
    }

    /// Who knows the owner may see that two exports are of one chat.
    async fn owner_known(&self, imports: BTreeSet<u64>) -> Result<(), MemoryError> {
        let conversations: BTreeSet<ConversationId> = {
            let catalogue = self.catalogue();
            let theirs = catalogue.rows().iter().filter(|r| imports.contains(&u64::from(r.import)));
            theirs.map(|r| catalogue.conversation(r)).collect()
        };
        let before = self.catalogue().all_hidden().count();
        self.join_same(&conversations).await?;
        if self.catalogue().all_hidden().count() != before {
            self.finish_import(&ImportOptions::default(), &Watch::default()).await?;
        }
        Ok(())
    }
}

/// The best guess first; nobody where the import knows its owner or has no talk between people.
fn guesses(catalogue: &Catalogue, import: u64) -> Vec<Guess> {
    let mut writers: BTreeMap<ConversationId, BTreeSet<PersonId>> = BTreeMap::new();
    let mut known: HashSet<String> = HashSet::new();
    let talk = |kind| matches!(kind, Kind::Chat | Kind::Mail);
    for row in catalogue.rows().iter().filter(|r| u64::from(r.import) == import && talk(r.kind) && r.part == Part::Text)
    {
        let person = catalogue.head(catalogue.person(row));
        if person == PersonId::me() {
            known.insert(catalogue.source(row).to_owned());
        }
        writers.entry(catalogue.conversation(row)).or_default().insert(person);
    }
    // An export that names its owner anywhere does so everywhere.
    writers.retain(|id, _| catalogue.about(*id).is_some_and(|c| !known.contains(&c.source)));
    let mut votes: HashMap<PersonId, Votes> = HashMap::new();
    for (id, people) in &writers {
        let Some(about) = catalogue.about(*id) else { continue };
        let title = fold(about.title.trim());
        let titled = people.iter().find(|p| fold(catalogue.name_of(**p)) == title);
        for person in people {
            let votes = votes.entry(*person).or_default();
            votes.conversations += 1;
            let pair = about.kind == ConversationKind::Direct && people.len() == 2;
            votes.named_after_other += u64::from(pair && titled.is_some_and(|t| t != person));
        }
    }
    ranked(catalogue, votes, writers.len() as u64)
}

fn ranked(catalogue: &Catalogue, votes: HashMap<PersonId, Votes>, of: u64) -> Vec<Guess> {
    let mine: Vec<(String, &str)> = catalogue
        .everyone()
        .filter(|p| p.me && p.name.chars().count() > 2)
        .map(|p| (fold(p.name.trim()), p.source.as_str()))
        .collect();
    let people: HashMap<PersonId, PersonRow> = rows(catalogue).into_iter().map(|r| (r.id, r)).collect();
    let mut all: Vec<_> = votes
        .into_iter()
        .filter_map(|(id, votes)| {
            let person = people.get(&id)?.clone();
            let known_as = mine.iter().find(|(name, _)| *name == fold(person.name.trim())).map(|(_, source)| *source);
            Some((person, votes, known_as))
        })
        .collect();
    all.sort_by_key(|(person, votes, known_as)| {
        let rank = (known_as.is_none(), of - votes.named_after_other.min(of), of - votes.conversations.min(of));
        (rank, std::cmp::Reverse(person.messages), person.id)
    });
    all.truncate(GUESSES);
    let guess = |(person, votes, known_as): (PersonRow, Votes, Option<&str>)| {
        let sentence = match (known_as, votes) {
            (Some(source), _) => format!("has the name that you have in {source}"),
            (None, v) if v.named_after_other > 0 => {
                format!(
                    "is the other one in {} of {of} talks, which are called after whom you talk with",
                    v.named_after_other
                )
            }
            (None, v) => format!("wrote in {} of {of} conversations", v.conversations),
        };
        Guess { person, sentence }
    };
    all.into_iter().map(guess).collect()
}
