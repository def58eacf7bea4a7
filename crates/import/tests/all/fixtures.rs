//! Real and published sample exports in, one line a record out. Sources: `tests/fixtures/*/SOURCES.md`.

use crate::reading::{counts, fixture, items, items_of, options, shown};
use evoke_import::{FORMATS, Item};
use std::fs;

const ALL: [&str; 11] = [
    "chatgpt/convoviz__convoviz-branching-conversations.json",
    "chatgpt/convoviz__convoviz-split-export.zip",
    "chatgpt/knowledgemaxxing__conversations_chatgpt.json",
    "chatgpt/polylogue__native-conversation-v1.json",
    "chatgpt/polylogue__sample-00.json",
    "claude_ai/chatlectify__claude_export.json",
    "claude_ai/polylogue__sample-00.json",
    "telegram/chat-miner__test_single_export.json",
    "telegram/chatpack__telegram_complex.json",
    "telegram/chatpack__telegram_simple.json",
    "telegram/langchain-community__lc-json__result.json",
];

#[test]
fn every_fixture_reads_as_before() {
    for name in ALL {
        let items = items(&fixture(name), &options()).unwrap();
        insta::assert_snapshot!(name.replace('/', "__"), shown(&items));
    }
}

fn messages(name: &str, bytes: &[u8]) -> Vec<evoke_message::Message> {
    let items = items_of(name, bytes).unwrap();
    items.into_iter().filter_map(|i| if let Item::Message(m) = i { Some(*m) } else { None }).collect()
}

/// A full Telegram export, with all that the published fixtures lack.
const TELEGRAM: &str = r#"{"about":"x","personal_information":{"user_id":7,"first_name":"Me"},
 "profile_pictures":[{"date":"2020-01-01T00:00:00","photo":"p.jpg"}],
 "contacts":{"about":"c","list":[{"user_id":9,"first_name":"Ana"}]},
 "chats":{"about":"y","list":[
  {"name":"Ana","type":"personal_chat","id":9,"messages":[
   {"id":1,"type":"message","date":"2020-03-29T02:30:00","from":"Ana","from_id":9,"text":"old export \x1F"},
   {"id":2,"type":"message","date":"2020-03-29T10:00:00","date_unixtime":"1585468800","from":"Me","from_id":"user7","text":"yes",
    "reply_to_message_id":1,"reactions":[{"type":"emoji","count":2,"emoji":"👍"}],"file":"(File not included.)","media_type":"voice_message"}]},
  {"messages":[{"id":1,"type":"service","date":"2020-04-01T00:00:00","actor":"Bo","actor_id":"user3","action":"create_group","title":"Trip","members":["Bo"]},
   {"id":2,"type":"unsupported","date":"2020-04-01T00:00:01"}],"id":11,"type":"private_group","name":"Trip"},
  {"type":"saved_messages","id":7,"messages":[]}]},
 "left_chats":{"about":"z","list":[{"name":null,"type":"private_channel","id":12,"messages":[
   {"id":5,"type":"message","date":"2021-01-01T00:00:00","from":null,"from_id":"channel12","text":"bye \ud83d"}]}]}}"#;

#[test]
fn a_full_telegram_export() {
    let mut options = options();
    options.zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    fs::write(&path, TELEGRAM).unwrap();
    insta::assert_snapshot!(shown(&items(&path, &options).unwrap()));
}

/// A Claude export with branches, blocks and an empty conversation.
const CLAUDE: &str = r#"[{"uuid":"c1","name":"","chat_messages":[
 {"uuid":"a","sender":"human","text":"q","created_at":"2024-01-01T00:00:00Z","parent_message_uuid":"00000000-0000-4000-8000-000000000000"},
 {"uuid":"b","sender":"assistant","text":"x","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"old"}],"created_at":"2024-01-01T00:00:01Z","parent_message_uuid":"a"},
 {"uuid":"c","sender":"assistant","content":[{"type":"tool_use","name":"artifacts","input":{"title":"T","content":"code"}},{"type":"text","text":"new"}],"created_at":"2024-01-01T00:00:02","parent_message_uuid":"a"},
 {"uuid":"d","sender":"human","text":"","attachments":[{"file_name":"p.txt","file_type":"text/plain","extracted_content":"pasted"}],"created_at":"2024-01-01T00:00:03+00:00","parent_message_uuid":"c"},
 {"uuid":"e","sender":"human","text":"","created_at":"2024-01-01T00:00:04Z","parent_message_uuid":"d"}]},
 {"uuid":"c2","name":"deleted","chat_messages":[]}]"#;

#[test]
fn a_claude_export_with_branches() {
    insta::assert_snapshot!(shown(&items_of("conversations.json", CLAUDE.as_bytes()).unwrap()));
}

#[test]
fn the_same_conversation_has_the_same_ids_in_another_export() {
    for name in ALL.iter().filter(|n| n.ends_with(".json")) {
        let bytes = fs::read(fixture(name)).unwrap();
        let ids = |name: &str| messages(name, &bytes).into_iter().map(|m| (m.id, m.conversation)).collect::<Vec<_>>();
        assert_eq!(ids("a.json"), ids("b (1).json"), "{name}");
        let once: std::collections::HashSet<_> = ids("a.json").into_iter().map(|(id, _)| id).collect();
        assert_eq!(once.len(), ids("a.json").len(), "{name}");
    }
}

#[test]
fn folders_zips_and_zips_in_zips_are_the_same_export() {
    let name = "chatgpt/convoviz__convoviz-split-export.zip";
    let zip = fs::read(fixture(name)).unwrap();
    let ids = |items: Vec<Item>| -> Vec<_> {
        items.into_iter().filter_map(|i| if let Item::Message(m) = i { Some(m.id) } else { None }).collect()
    };
    let expected = ids(items(&fixture(name), &options()).unwrap());
    assert_eq!(expected.len(), 4);
    for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
        let outer = crate::hostile::zip_of(&[("part-1.zip", &zip)], method);
        assert_eq!(ids(items_of("export.zip", &outer).unwrap()), expected);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("part.zip"), &zip).unwrap();
    assert_eq!(ids(items(folder.path(), &options()).unwrap()), expected);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&zip)).unwrap();
    let unpacked = tempfile::tempdir().unwrap();
    archive.extract(unpacked.path()).unwrap();
    assert_eq!(ids(items(unpacked.path(), &options()).unwrap()), expected);
}

#[test]
fn pictures_are_found_beside_the_conversation() {
    let json = fs::read(fixture("chatgpt/polylogue__native-conversation-v1.json")).unwrap();
    let files: [(&str, &[u8]); 2] = [("x/conversations.json", &json), ("x/fixture-input-image.png", b"png")];
    let text = String::from_utf8(json.clone()).unwrap().replace("fixture-input-image", "file-abc");
    let with_picture = [("x/conversations.json", text.as_bytes()), ("x/file-abc-cat.png", b"png")];
    let paths = |files: &[(&str, &[u8])]| -> Vec<String> {
        let zip = crate::hostile::zip_of(files, zip::CompressionMethod::Deflated);
        messages("e.zip", &zip).into_iter().flat_map(|m| m.attachments).filter_map(|a| a.path).collect()
    };
    assert_eq!(paths(&with_picture), ["x/file-abc-cat.png"]);
    assert!(paths(&files).is_empty());
}

#[test]
fn reading_stops_when_asked() {
    let path = fixture("telegram/chatpack__telegram_simple.json");
    let mut seen = 0;
    let mut sink = |item: Item| {
        seen += usize::from(matches!(item, Item::Message(_)));
        if seen == 2 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    };
    evoke_import::read(&path, &options(), &mut sink, &mut |_, _| ()).unwrap();
    assert_eq!(seen, 2);
}

#[test]
fn every_format_says_how_to_get_it() {
    for format in FORMATS {
        assert!(format.how_to_export.ends_with('.'), "{}", format.key);
        assert!(!format.label.is_empty() && format.key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    }
}

#[test]
fn a_wrapped_list_and_text_numbers_are_read() {
    let json = fs::read_to_string(fixture("chatgpt/knowledgemaxxing__conversations_chatgpt.json")).unwrap();
    let wrapped = format!("{{\"version\":1,\"conversations\":{}}}", json.replace("1700000001.0", "\"1700000001.0\""));
    let items = items_of("export.json", wrapped.as_bytes()).unwrap();
    assert_eq!(counts(&items), (2, 0, 0));
}
