//! Damage at every position of every JSON fixture: nothing panics, nothing is lost without a word,
//! and one damaged byte costs one record.

use crate::reading::{counts, fixture, items_of};
use evoke_import::Item;
use proptest::prelude::*;
use std::{collections::HashSet, fs};

const SMALL: [&str; 8] = [
    "chatgpt/convoviz__convoviz-branching-conversations.json",
    "chatgpt/knowledgemaxxing__conversations_chatgpt.json",
    "chatgpt/polylogue__native-conversation-v1.json",
    "claude_ai/chatlectify__claude_export.json",
    "telegram/chat-miner__test_single_export.json",
    "telegram/chatpack__telegram_complex.json",
    "telegram/chatpack__telegram_simple.json",
    "telegram/langchain-community__lc-json__result.json",
];

fn texts(items: &[Item]) -> HashSet<String> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.text.clone()) } else { None }).collect()
}

/// Items of a damaged export; none where it was refused.
fn damaged(bytes: &[u8]) -> Vec<Item> {
    items_of("export.json", bytes).unwrap_or_default()
}

#[test]
fn a_cut_keeps_every_message_before_it() {
    for name in SMALL {
        let bytes = fs::read(fixture(name)).unwrap();
        let whole = items_of("export.json", &bytes).unwrap();
        let records = |items: &[Item]| counts(items);
        let (kept, ..) = records(&whole);
        let mut before = 0;
        for cut in positions(bytes.len(), false) {
            let items = damaged(&bytes[..cut]);
            let (now, _, failed) = records(&items);
            assert!(now >= before, "{name} cut at {cut}: {now} messages, {before} in a shorter one");
            assert!(now == 0 || now == kept || failed > 0, "{name} cut at {cut}: nothing says that it is cut");
            before = now;
        }
    }
}

/// Steps through the small files byte by byte, through the larger ones by strides that reach
/// every kind of byte; `every` reaches all.
fn positions(len: usize, every: bool) -> impl Iterator<Item = usize> {
    (0..len).step_by(if every || len < 700 { 1 } else { 13 })
}

#[test]
fn a_flipped_byte_costs_one_message() {
    flip(false);
}

#[test]
#[ignore = "every byte of every fixture takes a minute on an idle machine"]
fn every_flipped_byte_costs_one_message() {
    flip(true);
}

fn flip(every: bool) {
    for name in SMALL {
        let bytes = fs::read(fixture(name)).unwrap();
        let whole = texts(&items_of("export.json", &bytes).unwrap());
        for at in positions(bytes.len(), every) {
            let flip = [0x01, 0x20, 0x80][at % 3];
            let mut flipped = bytes.clone();
            flipped[at] ^= flip;
            let items = damaged(&flipped);
            let lost = whole.difference(&texts(&items)).count();
            assert!(lost <= 1, "{name} byte {at} ^ {flip:#x} cost {lost}: {}", crate::reading::shown(&items));
        }
    }
}

#[test]
fn other_encodings_read_the_same() {
    for name in SMALL {
        let text = fs::read_to_string(fixture(name)).unwrap();
        let whole = texts(&damaged(text.as_bytes()));
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        let marked = format!("\u{feff}{text}");
        for (what, bytes) in [("UTF-16 LE", little.as_slice()), ("UTF-16 BE", &big), ("BOM", marked.as_bytes())] {
            assert_eq!(texts(&damaged(bytes)), whole, "{name} in {what}");
        }
    }
}

#[test]
fn an_old_code_page_is_read_by_its_looks() {
    let text = r#"{"name":"B","type":"personal_chat","id":1,"messages":[{"id":1,"type":"message","date":"2024-01-01T00:00:00","from":"B","text":"Schöne Grüße aus Köln"}]}"#;
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    assert_eq!(texts(&damaged(&latin)), HashSet::from(["Schöne Grüße aus Köln".to_owned()]));
}

#[test]
fn a_broken_letter_is_kept_and_counted() {
    let text = r#"{"name":"B","type":"personal_chat","id":1,"messages":[{"id":1,"type":"message","date":"2024-01-01T00:00:00","from":"B","text":"caf? naïve"}]}"#;
    let bytes: Vec<u8> = text.bytes().map(|b| if b == b'?' { 0xff } else { b }).collect();
    let items = damaged(&bytes);
    assert_eq!(texts(&items), HashSet::from(["caf\u{fffd} naïve".to_owned()]));
    assert!(
        items.iter().any(|i| matches!(i, Item::Note(n) if n.starts_with("Damaged characters") && n.ends_with(": 1.")))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Any damage to any fixture: it ends, and what is reported is more than nothing.
    #[test]
    fn any_damage_ends(which in 0..SMALL.len(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..20)) {
        let mut bytes = fs::read(fixture(SMALL[which])).unwrap();
        for (at, byte, remove) in edits {
            let at = at.index(bytes.len());
            if remove { bytes.remove(at); } else { bytes[at] = byte; }
        }
        if let Ok(items) = items_of("export.json", &bytes) {
            let (kept, skipped, failed) = counts(&items);
            prop_assert!(kept + skipped + failed > 0);
        }
    }

    /// Anything at all between two records.
    #[test]
    fn any_bytes_end(junk in prop::collection::vec(any::<u8>(), 0..400), name in "[a-z]{1,5}\\.(json|txt|md|zip)") {
        let _ = items_of(&name, &junk);
        let around = [br#"{"name":"B","type":"personal_chat","id":1,"messages":[{"id":1,"type":"message","date":"2024-01-01T00:00:00","from":"B","text":"a"},"#, junk.as_slice()].concat();
        prop_assert!(texts(&damaged(&around)).contains("a"));
    }
}
