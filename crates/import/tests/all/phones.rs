//! Chats of phones and of work: Messages, SMS, Google, Teams, Skype, Matrix, IRC. Where no export is published, the
//! samples are written from the description of the format (`written` in their path).

use crate::reading::{counts, fixture, items, items_of, options, shown};
use evoke_import::{Item, Options};
use evoke_message::Message;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rusqlite::Connection;
use std::{collections::HashSet, fs, io::Write, path::Path};

const ALL: [&str; 24] = [
    "imessage/langchain-community__imessage_chat.db",
    "sms/sms-backup-reader-2__sample_mms.xml",
    "sms/sms-backup-reader-2__sms_and_mms.xml",
    "sms/sms-backup-reader-2__sms_small.xml",
    "sms/sms-backup-restore-parser__edge_cases.xml",
    "sms/sms-backup-restore-parser__malformed.xml",
    "sms/sms-backup-restore-parser__minimal_sms.xml",
    "sms/written__traps.xml",
    "sms/written__calls.xml",
    "google_chat/written",
    "google_voice/written",
    "hangouts/written/Hangouts.json",
    "hangouts/written/older",
    "teams/written/TeamsData",
    "teams/written/graph.json",
    "skype/written",
    "skype/written/messages.json",
    "matrix/written",
    "matrix/written/export.json",
    "irc/written",
    "irc/written/libera/#rust.log",
    "irc/written/irc.libera.#rust.weechatlog",
    "irc/written/networks/oftc/moddata/log/#tor/2024-01-31.log",
    "irc/written/Libera.Chat-#garden.log",
];

/// Of these, one file each that is damaged on purpose.
const DAMAGED: [&str; 9] = [
    "sms/written__traps.xml",
    "sms/written__calls.xml",
    "google_chat/written/Takeout/Google Chat/Groups/DM abcAAA/messages.json",
    "google_voice/written/Takeout/Voice/Calls/Ana Silva - Text - 2023-09-02T02_29_20Z.html",
    "hangouts/written/Hangouts.json",
    "teams/written/graph.json",
    "skype/written/messages.json",
    "matrix/written/export.json",
    "irc/written/libera/#rust.log",
];

fn berlin() -> Options {
    Options { zone: TimeZone::get("Europe/Berlin").unwrap(), ..options() }
}

fn messages(items: Vec<Item>) -> Vec<Message> {
    items.into_iter().filter_map(|i| if let Item::Message(m) = i { Some(*m) } else { None }).collect()
}

#[test]
fn every_fixture_reads_as_before() {
    for name in ALL {
        let items = items(&fixture(name), &berlin()).unwrap_or_else(|e| panic!("{name}: {e}"));
        insta::assert_snapshot!(name.replace('/', "__"), shown(&items));
    }
}

#[test]
fn ids_are_those_of_other_ways_to_the_same_export() {
    for name in DAMAGED {
        let bytes = fs::read(fixture(name)).unwrap();
        let ending = name.rsplit_once('.').unwrap().1;
        let ids = |file: &str| {
            messages(items_of(file, &bytes).unwrap()).into_iter().map(|m| (m.id, m.conversation)).collect::<Vec<_>>()
        };
        let named = ids(&format!("#rust.{ending}"));
        assert_eq!(named, ids(&format!("copy (1).{ending}")), "{name}");
        let once: HashSet<_> = named.iter().collect();
        assert_eq!(once.len(), named.len(), "{name}");
    }
    for folder in
        ["google_chat/written", "google_voice/written", "teams/written/TeamsData", "skype/written", "irc/written"]
    {
        let of =
            |path: &Path| messages(items(path, &berlin()).unwrap()).into_iter().map(|m| m.id).collect::<HashSet<_>>();
        let zip = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
        fs::write(zip.path(), zipped(&fixture(folder))).unwrap();
        assert_eq!(of(zip.path()), of(&fixture(folder)), "{folder}");
    }
}

fn zipped(folder: &Path) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&fs::read(entry.path()).unwrap()).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn skype_is_read_out_of_its_tar() {
    let mut tar = tar::Builder::new(Vec::new());
    let folder = fixture("skype/written");
    for name in ["media/0-weu-d1-abc.1.jpg", "endpoints.json", "messages.json"] {
        let bytes = fs::read(folder.join(name)).unwrap_or_default();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    let tar = tar.into_inner().unwrap();
    let from_tar = messages(items_of("8_live_ana_export.tar", &tar).unwrap());
    let plain = messages(items(&folder, &options()).unwrap());
    let told = |all: &[Message]| all.iter().map(|m| (m.id, m.text.clone(), m.attachments.len())).collect::<Vec<_>>();
    assert_eq!(told(&from_tar), told(&plain));
    let paths: Vec<_> = from_tar.iter().flat_map(|m| &m.attachments).filter_map(|a| a.path.clone()).collect();
    assert_eq!(paths, ["media/0-weu-d1-abc.1.jpg"]);
    // Half a download.
    let cut = items_of("x_export.tar", tar.get(..tar.len() / 2).unwrap()).unwrap();
    let (kept, _, failed) = counts(&cut);
    assert!(kept < plain.len() && failed > 0, "{}", shown(&cut));
}

/// A database with what the published one lacks, written from the description of the tables.
const CHAT_DB: &str = "
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY, id TEXT, service TEXT);
INSERT INTO handle VALUES (1, '+15550001111', 'iMessage'), (2, '+15550001111', 'SMS'), (3, 'bo@example.com', 'iMessage');
CREATE TABLE chat (ROWID INTEGER PRIMARY KEY, guid TEXT, style INTEGER, chat_identifier TEXT, display_name TEXT, service_name TEXT);
INSERT INTO chat VALUES (1, 'iMessage;-;+15550001111', 45, '+15550001111', '', 'iMessage'), (2, 'SMS;-;+15550001111', 45, '+15550001111', '', 'SMS'),
 (3, 'iMessage;+;chat42', 43, 'chat42', 'Garden', 'iMessage');
CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER);
INSERT INTO chat_handle_join VALUES (1, 1), (2, 2), (3, 1), (3, 3);
CREATE TABLE message (ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, attributedBody BLOB, date INTEGER, is_from_me INTEGER, handle_id INTEGER,
 other_handle INTEGER, item_type INTEGER DEFAULT 0, group_action_type INTEGER DEFAULT 0, group_title TEXT, associated_message_guid TEXT,
 associated_message_type INTEGER DEFAULT 0, associated_message_emoji TEXT, thread_originator_guid TEXT, date_edited INTEGER, date_retracted INTEGER,
 cache_has_attachments INTEGER DEFAULT 0, subject TEXT, destination_caller_id TEXT);
INSERT INTO message (ROWID, guid, text, date, is_from_me, handle_id) VALUES
 (1, 'G1', 'in seconds', 400000000, 0, 2), (2, 'G2', 'in nanoseconds', 700000000123456789, 1, 1), (9, 'G9', '', 700000009000000000, 0, 1), (10, 'G10', 'trash in the handle', 700000010000000000, 0, 'trash');
INSERT INTO message (ROWID, guid, text, date, is_from_me, handle_id, thread_originator_guid, date_edited, subject) VALUES
 (3, 'G3', 'yes', 700000003000000000, 0, 1, 'G2', 700000004000000000, 'Re');
INSERT INTO message (ROWID, guid, text, date, is_from_me, handle_id, associated_message_guid, associated_message_type, associated_message_emoji) VALUES
 (4, 'G4', 'Loved', 700000005000000000, 0, 1, 'p:0/G2', 2000, NULL), (5, 'G5', 'Removed', 700000006000000000, 0, 1, 'p:0/G2', 3000, NULL),
 (6, 'G6', 'Liked', 700000007000000000, 0, 3, 'bp:G2', 2001, NULL), (7, 'G7', 'Reacted', 700000008000000000, 1, 0, 'G2', 2006, '🎉');
INSERT INTO message (ROWID, guid, date, is_from_me, handle_id, date_retracted) VALUES (8, 'G8', 700000008500000000, 1, 1, 700000008600000000);
INSERT INTO message (ROWID, guid, date, is_from_me, handle_id, other_handle, item_type, group_action_type, group_title) VALUES
 (11, 'G11', 700000011000000000, 0, 1, 3, 1, 0, NULL), (12, 'G12', 700000012000000000, 1, 0, 0, 2, 0, 'Garden');
INSERT INTO message (ROWID, guid, text, date, is_from_me, handle_id, cache_has_attachments, destination_caller_id) VALUES (13, 'G13', '\u{fffc}look', 700000013000000000, 1, 0, 1, '+15559990000'),
 (14, 'G14', 'gone soon', 700000014000000000, 0, 1, 0, NULL);
CREATE TABLE chat_message_join (chat_id INTEGER, message_id INTEGER);
INSERT INTO chat_message_join VALUES (2, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (1, 7), (1, 8), (1, 9), (1, 10), (3, 11), (3, 12), (3, 13), (1, 13), (3, 13);
CREATE TABLE chat_recoverable_message_join (chat_id INTEGER, message_id INTEGER);
INSERT INTO chat_recoverable_message_join VALUES (1, 14);
CREATE TABLE attachment (ROWID INTEGER PRIMARY KEY, guid TEXT, filename TEXT, mime_type TEXT, transfer_name TEXT);
INSERT INTO attachment VALUES (1, 'A1', '~/Library/Messages/Attachments/ab/11/A1/cat.heic', 'image/heic', 'cat.heic'), (2, 'A2', '~/Library/Messages/Attachments/ab/12/A2/x.pdf', NULL, NULL);
CREATE TABLE message_attachment_join (message_id INTEGER, attachment_id INTEGER);
INSERT INTO message_attachment_join VALUES (13, 1), (13, 2), (13, 1);
";

fn chat_db() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let database = Connection::open(folder.path().join("chat.db")).unwrap();
    database.execute_batch(CHAT_DB).unwrap();
    let picture = folder.path().join("Attachments/ab/11/A1");
    fs::create_dir_all(&picture).unwrap();
    fs::write(picture.join("cat.heic"), "heic").unwrap();
    folder
}

#[test]
fn messages_with_all_that_the_published_database_lacks() {
    let folder = chat_db();
    let expected = items(folder.path(), &options()).unwrap();
    let all = messages(expected.clone());
    insta::assert_snapshot!(
        "imessage__written",
        shown(&expected).replace(&*folder.path().file_name().unwrap().to_string_lossy(), "Messages")
    );
    let reactions = &all.iter().find(|m| m.text == "in nanoseconds").unwrap().reactions;
    let shown: Vec<_> = reactions.iter().map(|r| (r.emoji.as_str(), r.count)).collect();
    assert_eq!(shown, [("👍", 1), ("🎉", 1)]);
    // The same in a zip, under another name, and with changes that only the log has.
    let ids = |all: Vec<Message>| all.into_iter().map(|m| m.id).collect::<Vec<_>>();
    let zip = zipped(folder.path());
    assert_eq!(ids(messages(items_of("m.zip", &zip).unwrap())), ids(all.clone()));
    let bytes = fs::read(folder.path().join("chat.db")).unwrap();
    assert_eq!(ids(messages(items_of("copy (1)", &bytes).unwrap())), ids(all.clone()));
    let writer = Connection::open(folder.path().join("chat.db")).unwrap();
    writer.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;").unwrap();
    writer
        .execute_batch("INSERT INTO message (ROWID, guid, text, date, is_from_me, handle_id) VALUES (20, 'G20', 'new', 700000020000000000, 0, 1); INSERT INTO chat_message_join VALUES (1, 20);")
        .unwrap();
    let live = messages(items(folder.path(), &options()).unwrap());
    assert_eq!(live.len(), all.len() + 1);
    let zip = zipped(folder.path());
    assert_eq!(messages(items_of("m.zip", &zip).unwrap()).len(), all.len() + 1);
}

#[test]
fn a_damaged_database_gives_what_is_there() {
    let bytes = fs::read(fixture("imessage/langchain-community__imessage_chat.db")).unwrap();
    for cut in (512..bytes.len()).step_by(3001) {
        let _ = items_of("chat.db", bytes.get(..cut).unwrap());
    }
    for at in (0..bytes.len()).step_by(377) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0xff;
        if let Ok(items) = items_of("chat.db", &flipped) {
            let (kept, skipped, failed) = counts(&items);
            assert!((1..=24).contains(&(kept + skipped + failed)), "{at}");
        }
    }
}

fn texts(items: &[Item]) -> HashSet<String> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.text.clone()) } else { None }).collect()
}

#[test]
fn a_cut_keeps_what_is_before_it() {
    for name in DAMAGED {
        let bytes = fs::read(fixture(name)).unwrap();
        let ending = name.rsplit_once('.').unwrap().1;
        let kept =
            |bytes: &[u8]| items_of(&format!("file.{ending}"), bytes).map_or((0, 0), |i| (counts(&i).0, counts(&i).2));
        let whole = kept(&bytes).0;
        for cut in (0..bytes.len()).step_by(97) {
            let (now, failed) = kept(bytes.get(..cut).unwrap());
            assert!(now <= whole, "{name} cut at {cut}");
            // A page and a log have no end that could be missing.
            let says = now == 0 || now == whole || failed > 0 || matches!(ending, "html" | "log");
            assert!(says, "{name} cut at {cut}: nothing says that it is cut");
        }
    }
}

#[test]
fn a_flipped_byte_costs_little() {
    for name in DAMAGED {
        let bytes = fs::read(fixture(name)).unwrap();
        let ending = name.rsplit_once('.').unwrap().1;
        let read = |bytes: &[u8]| items_of(&format!("file.{ending}"), bytes).unwrap_or_default();
        let whole = texts(&read(&bytes));
        for at in (0..bytes.len()).step_by(41) {
            let mut flipped = bytes.clone();
            flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
            let items = read(&flipped);
            let lost = whole.difference(&texts(&items)).count();
            let all = if ending == "html" { whole.len() } else { 3 };
            assert!(lost <= all, "{name} byte {at} cost {lost}: {}", shown(&items));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Lines in any order, some twice, some cut: it ends without a panic.
    #[test]
    fn any_shuffle_ends(which in 0..DAMAGED.len(), order in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..60)) {
        let name = DAMAGED[which];
        let text = fs::read_to_string(fixture(name)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let shuffled: Vec<String> = order
            .iter()
            .map(|(line, cut)| {
                let line = lines[line.index(lines.len())];
                line.chars().take(1 + cut.index(line.chars().count() * 3 + 1)).collect()
            })
            .collect();
        let ending = name.rsplit_once('.').unwrap().1;
        let _ = items_of(&format!("file.{ending}"), shuffled.join("\n").as_bytes());
    }
}

/// Logs of one talk, as programs write it that are no irssi, WeeChat, ZNC or HexChat.
const LOGS: [(&str, &str); 12] = [
    (
        "#pov.2005-01-08.log",
        "2005-01-08T23:33:54  *** ana has joined #pov\n2005-01-08T23:34:46  <ana> hi <b> you\n2005-01-09T02:28:24  * bo waves\n2005-01-09T04:25:33  *** bo has quit IRC\n",
    ),
    (
        "2009-01-15-dircproxy.log",
        "[15 Jan 00:53] *** You disconnected\n[15 Jan 08:42] * bo waves\n[15 Jan 09:15] <ana!n=a@h> -hi\n[15 Jan 19:05] <bo!n=b@x/y> yes\n[15 Jan 19:06] --> cy (n=c@h) joined the channel\n",
    ),
    (
        "Textual.txt",
        "[2024-01-31T10:00:00+0100] -!- ana joined the channel\n[2024-01-31T10:00:01+0100] <ana> hi\n[2024-01-31T10:00:02+0100] <@bo> yes\n[2024-01-31T10:00:03+0100] • bo waves\n",
    ),
    (
        "mirc.log",
        "\nSession Start: Wed Jan 31 10:00:00 2024\nSession Ident: #garden\n\u{3}03[10:00] * Now talking in #garden\n[10:01] <ana> hi\n[10:02] * bo waves\n\u{3}03[10:03] * Cy (c@h) has joined #garden\n[10:04] -NickServ- hello\n[23:59] <bo> late\n[00:01] <bo> next day\nSession Close: Thu Feb 01 00:10:00 2024\n",
    ),
    (
        "konversation_#kde.log",
        "\n[Wednesday 31 January 2024] [10:00:01 CET] <ana>\thi\n[Wednesday 31 January 2024] [10:00:02 CET] *\tbo waves\n[Wednesday 31 January 2024] [10:00:03 CET] -->\tcy (c@h) has joined this channel.\n",
    ),
    (
        "ubuntu.txt",
        "=== ana [n=ana@host] has joined #ubuntu\n[00:01] <ana> hi\n[00:02] <bo> yes\n[00:03]  * bo waves\n=== bo is now known as bo_\n[00:05] something new happened\n",
    ),
    (
        "eggdrop.log",
        "[00:00] --- Wed Jan 31 2024\n[00:01] <ana> hi\n[00:02] <bo> yes\n[00:03] Action: bo waves\n[00:04] cy (c@h) joined #egg.\n[00:06] #egg: mode change '+o ana' by x!y@z\n",
    ),
    (
        "irssi_dated.log",
        "--- Log opened Wed Jan 31 10:00:00 2024\n2024-01-31 10:00:01 <@ana> hi\n2024-01-31 10:00:02 < bo> yes\n2024-01-31 10:00:03  * bo waves\n2024-01-31 10:00:04 -!- cy [c@h] has joined #x\n",
    ),
    (
        "irccloud.txt",
        "[2024-01-31 10:00:00] → Joined channel #x\n[2024-01-31 10:00:01] <ana> hi\n[2024-01-31 10:00:03] — bo waves\n[2024-01-31 10:00:04] ⇐ cy quit (c@h): bye\n[2024-01-31 10:00:05] * ana → ana_\n[2024-01-31 10:00:06] <bo> yes\n",
    ),
    (
        "hexchat_iso.log",
        "**** BEGIN LOGGING AT Wed Jan 31 10:00:00 2024\n\n[2024-01-31 10:00:00] *\tNow talking on #x\n[2024-01-31 10:00:01] <ana>\thi\n[2024-01-31 10:00:02] *\tbo waves\n",
    ),
    (
        "irc.libera.#x.weechatlog",
        "2024-01-31T10:00:00.123456Z\tana\thi\n2024-01-31T10:00:01.5Z\t@bo\tyes\n2024-01-31 10:00:02\t *\tbo waves\n",
    ),
    (
        "twelve.log",
        "[9:05:01 PM] <ana> hi\n[10:00:02 PM] <bo> yes\n[11:59:59 PM] * bo waves\n[12:00:01 AM] <bo> late\n",
    ),
];

#[test]
fn logs_of_many_programs() {
    let mut all = String::new();
    for (name, log) in LOGS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, log).unwrap();
        let written = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_709_251_200);
        fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
        let items = items(&path, &options()).unwrap();
        assert_eq!(counts(&items).2, 0, "{}", shown(&items));
        all += &format!("{name}\n{}\n", shown(&items));
    }
    insta::assert_snapshot!(all);
}
