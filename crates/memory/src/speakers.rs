//! Whom a question names: "what did Ana say about …" wants what Ana said (training/rank.py).

use crate::{catalogue::Catalogue, words};
use evoke_message::{MessageId, PersonId, fold};
use std::collections::{HashMap, HashSet};

/// How a question names its asker.
const I: [&str; 4] = ["i", "me", "my", "mine"];

/// Of each message: 1 where the question names its speaker, −1 where it names another of the speakers, 0 where
/// it names none of them.
pub(crate) fn named(
    catalogue: &Catalogue,
    question: &str,
    messages: impl Iterator<Item = MessageId>,
) -> HashMap<MessageId, f32> {
    let asked: HashSet<String> = split(question).collect();
    let telling: HashSet<String> = split(&words::telling(question)).collect();
    let speakers: Vec<(MessageId, PersonId)> =
        messages.filter_map(|id| Some((id, catalogue.person(catalogue.get(id)?)))).collect();
    let names = |person: PersonId| {
        // Whatever a source calls them.
        let by_name = catalogue
            .expand(&[person])
            .into_iter()
            .filter_map(|id| catalogue.who(id))
            .any(|who| split(&who.name).any(|w| w.chars().count() > 1 && telling.contains(&w)));
        by_name || catalogue.is_me(person) && I.iter().any(|word| asked.contains(*word))
    };
    let mut known: HashMap<PersonId, bool> = HashMap::new();
    for (_, person) in &speakers {
        known.entry(*person).or_insert_with(|| names(*person));
    }
    let somebody = known.values().any(|named| *named);
    let worth = |person: &PersonId| match (somebody, known.get(person)) {
        (false, _) => 0.0,
        (true, Some(true)) => 1.0,
        (true, _) => -1.0,
    };
    speakers.iter().map(|(id, person)| (*id, worth(person))).collect()
}

fn split(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use evoke_message::{ConversationId, Kind, Part};
    use evoke_store::{Known, PersonRow};

    fn catalogue(people: &[(&str, bool)]) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (n, (name, me)) in people.iter().enumerate() {
            let person = PersonId([n as u8; 16]);
            let row = PersonRow { id: person, name: (*name).into(), source: "t".into(), key: n.to_string(), me: *me };
            catalogue.put_person(row);
            catalogue.insert(&Known {
                id: MessageId([n as u8; 16]),
                conversation: ConversationId([0; 16]),
                person,
                source: "t".into(),
                kind: Kind::Chat,
                part: Part::Text,
                time: 0,
                order: n as i64,
                digest: 0,
                import: 1,
                readable: true,
                has: 0,
            });
        }
        catalogue
    }

    #[track_caller]
    fn check(people: &[(&str, bool)], question: &str, expected: &[f32]) {
        let ids: Vec<MessageId> = (0..people.len()).map(|n| MessageId([n as u8; 16])).collect();
        let found = named(&catalogue(people), question, ids.iter().copied());
        assert_eq!(ids.iter().map(|id| found[id]).collect::<Vec<_>>(), expected, "{question}");
    }

    #[test]
    fn a_name_in_the_question_is_of_its_speaker_and_not_of_the_others() {
        let people = [("Ana Pereira", false), ("Jonas", false), ("Me", true)];
        check(&people, "what did Ana say about the lease", &[1.0, -1.0, -1.0]);
        check(&people, "ANA'S lease", &[1.0, -1.0, -1.0]);
        check(&people, "the lease", &[0.0, 0.0, 0.0]);
        check(&people, "where did I put the keys", &[-1.0, -1.0, 1.0]);
        check(&people, "did Jonas lend me his car", &[-1.0, 1.0, 1.0]);
        check(&[("J", false), ("Will", false)], "will it rain on J", &[0.0, 0.0]);
    }
}
