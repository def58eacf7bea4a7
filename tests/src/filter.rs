//! The database's filter means what `Filter::matches` means: a property test over random messages.

use crate::archive;
use evoke_memory::message::{Company, Filter, Has, Kind, PersonId, Query};
use evoke_message::{Attachment, ConversationId, Message, MessageId, Part, Place, Role, Sender};
use evoke_store::{Condition, MessageRow, Secret, Store, Vault};
use proptest::prelude::*;

const SOURCES: [&str; 3] = ["whatsapp", "o'brien", "markdown"];
const NAMES: [&str; 4] = ["Ana", "Jonas", "田辺", "D'Arcy \"x\""];

fn message(n: u32, source: usize, name: usize, kind: usize, time: i64) -> Message {
    let source = SOURCES[source % 3].to_owned();
    Message {
        id: MessageId::of(&[&n.to_string()]),
        conversation: ConversationId::of(&[&(n % 5).to_string()]),
        kind: Kind::ALL[kind % 4],
        sender: Sender { key: NAMES[name % 4].into(), name: NAMES[name % 4].into(), me: name.is_multiple_of(7) },
        role: Role::Human,
        part: Part::Text,
        time,
        time_original: String::new(),
        zone_known: true,
        edited: None,
        text: if n.is_multiple_of(4) { format!("see https://example.org/{n}") } else { format!("text {n}") },
        reply_to: None,
        attachments: ["a.jpg", "b.pdf", "c.opus"].into_iter().take(n as usize % 4).map(attachment).collect(),
        documents: vec![],
        reactions: vec![],
        active: true,
        order: u64::from(n),
        place: Place::default(),
        source,
    }
}

fn attachment(name: &str) -> Attachment {
    Attachment { name: name.into(), mime: None, path: None, missing: Some("not in this export".into()) }
}

fn filters(messages: &[Message]) -> impl Strategy<Value = Filter> + use<> {
    let people: Vec<PersonId> = messages.iter().map(|m| m.sender.person(&m.source)).collect();
    let conversations: Vec<ConversationId> = messages.iter().map(|m| m.conversation).collect();
    let some = |v: Vec<PersonId>| proptest::option::of(proptest::sample::subsequence(v, 0..3));
    (
        proptest::sample::subsequence(SOURCES.to_vec(), 0..=2),
        proptest::sample::subsequence(Kind::ALL.to_vec(), 0..=3),
        some(people.clone()),
        proptest::option::of(proptest::sample::subsequence(conversations.clone(), 0..3)),
        proptest::option::of((
            proptest::sample::subsequence(people, 0..3),
            proptest::sample::subsequence(conversations, 0..2),
        )),
        proptest::sample::subsequence(Has::ALL.to_vec(), 0..=2),
        proptest::option::of(0i64..1_000),
        proptest::option::of(0i64..1_000),
    )
        .prop_map(|(sources, kinds, people, conversations, company, has, from, until)| Filter {
            sources: sources.into_iter().map(str::to_owned).collect(),
            kinds,
            people,
            conversations,
            company: company.map(|(people, conversations)| Company { people, conversations }),
            has,
            from,
            until,
        })
}

#[test]
fn the_database_agrees_with_the_plain_meaning() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let messages: Vec<Message> = (0..200u32)
        .map(|n| message(n, n as usize, (n / 3) as usize, (n / 7) as usize, i64::from(n * 37 % 1_000)))
        .collect();
    let rows: Vec<MessageRow> = messages
        .iter()
        .map(|m| MessageRow {
            message: m.clone(),
            words: "text".into(),
            plain: " text ".into(),
            digest: 0,
            import: 1,
            wall: None,
        })
        .collect();
    let vault = Vault::create(&folder.path().join("home"), Secret::KeyFile).unwrap();
    let store = runtime.block_on(Store::open(&vault, true)).unwrap();
    runtime.block_on(store.add_messages(&rows)).unwrap();
    for indexed in [false, true] {
        if indexed {
            runtime.block_on(store.tidy()).unwrap();
        }
        let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(filter in filters(&messages))| {
            let expected: std::collections::HashSet<MessageId> =
                messages.iter().filter(|m| filter.matches(m)).map(|m| m.id).collect();
            let condition = Condition { filter, ..Condition::default() };
            let found = runtime.block_on(store.passing(&condition)).unwrap();
            prop_assert_eq!(found, expected);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_applies_before_ranking() {
    let (folder, memory) = archive::fresh().await;
    let mut lines: Vec<(i64, &str, &str)> =
        (0..300).map(|i| (i, "Ana", "the plumber came to repair the kitchen sink")).collect();
    lines.push((400, "Jonas", "a sink"));
    let path = archive::chat(folder.path(), "one", &lines);
    archive::import(&memory, &[path]).await;
    let query = Query { text: "plumber repair kitchen sink from:jonas".into(), limit: 5, ..Query::default() };
    let found = memory.search(&query).await.unwrap();
    assert_eq!(archive::texts(&found), ["a sink"]);
}
