//! Whole chats in, messages out: the fixtures, every style of head, damage, and exports that overlap.

use crate::{Item, Limits, Options};
use evoke_message::{ConversationKind, Message, MessageId, Part};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use proptest::prelude::*;
use std::{collections::BTreeSet, fmt::Write, fs, io::Write as _, ops::ControlFlow, path::Path};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/whatsapp");

fn options(zone: &str) -> Options {
    Options { zone: TimeZone::get(zone).unwrap(), now: 1_795_219_200_000, day_first: None, limits: Limits::default() }
}

/// All that is read at `path`; nothing where it is not taken for a chat.
fn items(path: &Path, options: &Options) -> Vec<Item> {
    let mut items = Vec::new();
    let mut keep = |item| {
        items.push(item);
        ControlFlow::Continue(())
    };
    let known = crate::read(path, options, &mut keep, &mut |_, _| {});
    if known.is_ok_and(|formats| formats.iter().any(|f| f.key == "whatsapp")) { items } else { Vec::new() }
}

/// The same for a file of this name and content.
fn read(name: &str, content: impl AsRef<[u8]>) -> Vec<Item> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    items(&path, &options("UTC"))
}

fn messages(items: &[Item]) -> Vec<&Message> {
    items.iter().filter_map(|item| if let Item::Message(m) = item { Some(&**m) } else { None }).collect()
}

fn ids(items: &[Item]) -> Vec<MessageId> {
    messages(items).iter().map(|m| m.id).collect()
}

/// One line an item.
fn listed(items: &[Item]) -> String {
    let mut out = String::new();
    for item in items {
        match item {
            Item::Conversation(c) => writeln!(out, "{:?} {:?} {:?}", c.kind, c.title, c.participants),
            Item::Skipped { reason, place } => writeln!(out, "skipped {}: {reason}", place.at),
            Item::Failed(broken) => writeln!(out, "failed {}: {}", broken.place.at, broken.reason),
            Item::Note(note) => writeln!(out, "note: {note}"),
            Item::DateOrder { day_first } => writeln!(out, "dates: day first {day_first}"),
            Item::Contact(c) => writeln!(out, "contact {} {}", c.key, c.name),
            Item::Message(m) => {
                let time = Timestamp::from_millisecond(m.time).unwrap();
                let files = m.attachments.iter().map(|a| (&a.name, a.path.as_ref().or(a.missing.as_ref()).unwrap()));
                let files: Vec<_> = files.map(|(name, state)| format!(" [{name}: {state}]")).collect();
                let edited = if m.edited.is_some() { " (edited)" } else { "" };
                writeln!(
                    out,
                    "{} {time} {:?} {}: {:?}{}{edited}",
                    m.place.at,
                    m.part,
                    m.sender.name,
                    m.text,
                    files.concat()
                )
            }
        }
        .unwrap();
    }
    out
}

#[test]
fn fixtures() {
    for name in [
        "chat-miner__test_[mmddyy]_24hrs.txt",
        "chatpack__whatsapp_eu.txt",
        "kawsay__ios_chat.txt",
        "kawsay__kawsay-e2e___chat.txt",
        "kawsay__kawsay-e2e-more___chat.txt",
        "langchain-community__lc-mixed__whatsapp_chat.txt",
    ] {
        let items = items(&Path::new(FIXTURES).join(name), &options("UTC"));
        insta::assert_snapshot!(name, listed(&items));
    }
}

#[test]
fn every_date_format_alone_in_a_file() {
    let table = fs::read_to_string(Path::new(FIXTURES).join("whatsapp-chat-parser__date-formats.tsv")).unwrap();
    for row in table.lines() {
        let (time, line) = row.split_once('\t').unwrap();
        let items = read("a.txt", line);
        let found = messages(&items);
        assert_eq!(found.len(), 1, "{line}");
        let expected = format!("{time}Z").parse::<Timestamp>().unwrap();
        let got = (found[0].time, found[0].sender.name.as_str(), found[0].text.as_str());
        assert_eq!(got, (expected.as_millisecond(), "a", "m"), "{line}");
    }
    assert_eq!(table.lines().count(), 12);
}

#[test]
fn a_zip_with_media() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("WhatsApp Chat - Ana (1).zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, content) in [
        (
            "_chat.txt",
            "[15.01.24, 10:30:00] Ana: \u{200e}<Anhang: 00000001-PHOTO-2024-01-15-10-30-00.jpg>\r\n[15.01.24, 10:31:00] Ana: \u{200e}<Anhang: 00000002-AUDIO-2024-01-15-10-31-00.opus>\r\n",
        ),
        ("00000001-PHOTO-2024-01-15-10-30-00.jpg", "picture"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    insta::assert_snapshot!(listed(&items(&path, &options("Europe/Berlin"))));
}

#[test]
fn a_chat_of_everything() {
    let ios = "\u{200e}[15/01/2024, 10:30:00] Trip: \u{200e}Messages and calls are end-to-end encrypted.\r\n\
        [15/01/2024, 10:30:00] Trip: \u{200e}Ana created this group\r\n\
        [15/01/2024, 10:31:00] Ana: When? 2016-04-29 10:30:00\n2016-04-29 10:30:00 or later\n\n- Bob: no\r\n\
        [15/01/2024, 10:31:30] ~\u{202f}Bo: \r\n\
        \u{200e}[15/01/2024, 10:32:00] Ana: \u{200e}image omitted\r\n\
        [15/01/2024, 10:33:00] Ana: Sunday \u{200e}<This message was edited>\r\n\
        [15/01/2024, 10:34:00] Bo: \u{200e}This message was deleted.\r\n\
        [15/01/2024, 10:35:00] Ana: \u{200e}POLL:\nPizza?\n\u{200e}OPTION: yes (\u{200e}2 votes)\r\n\
        [15/01/2024, 10:36:00] Ana: \u{200e}Location: https://maps.google.com/?q=48.1,11.5\r\n\
        [15/01/2024, 10:37:00] Ana: \u{200e}Missed voice call\r\n\
        [15/01/2024, 10:38:00] Ana: menu.pdf • \u{200e}1 page \u{200e}<attached: 00000009-menu.pdf>\r\n";
    insta::assert_snapshot!("everything on iOS", listed(&read("WhatsApp Chat - Trip.txt", ios)));
    let android = "1/13/24, 10:30\u{202f}PM - Messages and calls are end-to-end encrypted.\n\
        1/13/24, 10:30\u{202f}PM - Ana created group \"Trip: north\"\n\
        1/13/24, 10:31\u{202f}PM - Ana changed the subject from \"Trip: north\" to \"Trip\"\n\
        1/13/24, 10:32\u{202f}PM - Ana: IMG-20240113-WA0001.jpg (file attached)\nat the sea\n\
        1/13/24, 10:32\u{202f}PM - Ana: ok\n\
        1/13/24, 10:32\u{202f}PM - Ana: ok\n\
        1/13/24, 10:33\u{202f}PM - +49 170 1234567: <Media omitted>\n\
        1/13/24, 10:33\u{202f}PM - Bo: You deleted this message\n\
        1/13/24, 10:34\u{202f}PM - Bo: yes <This message was edited>\n\
        1/13/24, 10:34\u{202f}PM - Bo: \n\
        1/13/24, 10:35\u{202f}PM - Ana left";
    insta::assert_snapshot!("everything on Android", listed(&read("WhatsApp Chat with Trip.txt", android)));
}

#[test]
fn ios_and_android_say_the_same_of_the_same_message() {
    let android = read(
        "WhatsApp Chat with Ana.txt",
        "15/01/24, 22:30 - Ana: Hallo\u{a0}du\n15/01/24, 22:30 - Bo: <Media omitted>\n15/01/24, 22:31 - Bo: x\ny\n",
    );
    let ios = read(
        "WhatsApp Chat - Ana.txt",
        "[15/01/2024, 10:30:12 PM] Ana: Hallo du\r\n[15/01/2024, 10:30:44 PM] ~\u{202f}Bo: \u{200e}<attached: 00000007-PHOTO-2024-01-15-22-30-44.jpg>\r\n[15/01/2024, 10:31:44 PM] Bo: x\ny\r\n",
    );
    assert_eq!(ids(&ios), ids(&android));
    assert_eq!(ids(&ios).len(), 3);
}

#[test]
fn text_before_the_first_message_is_a_failure_with_a_place() {
    let items = read(
        "WhatsApp Chat with Ana.txt",
        "half a message\nand more\n15/01/24, 22:30 - Ana: whole\n15/01/24, 22:31 - Ana: [15/0",
    );
    let failed: Vec<_> = items
        .iter()
        .filter_map(|i| if let Item::Failed(b) = i { Some((b.place.at, b.place.file.as_str())) } else { None })
        .collect();
    assert_eq!(failed, [(1, "WhatsApp Chat with Ana.txt")]);
    assert_eq!(messages(&items).len(), 2);
}

#[test]
fn a_line_longer_than_any_message_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat of Ana.txt");
    fs::write(
        &path,
        format!(
            "15/01/24, 22:30 - Ana: a\n15/01/24, 22:31 - Ana: {}\nmore\n15/01/24, 22:32 - Ana: b\n",
            "x".repeat(2000)
        ),
    )
    .unwrap();
    let mut options = options("UTC");
    options.limits.record = 1000;
    let items = items(&path, &options);
    assert_eq!(messages(&items).iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(items.iter().filter(|i| matches!(i, Item::Failed(_))).count(), 1);
}

#[test]
fn other_texts_are_not_chats() {
    for text in [
        "Shopping list\n- milk\n- eggs",
        "2024-01-15 10:30 met Ana\n2024-01-16 11:00 met Bo",
        "{\"a\": 1}",
        "Dear Ana,\n\nit was on 15/01/24.\n",
    ] {
        assert_eq!(read("notes.txt", text), [], "{text}");
    }
}

/// A chat of `range` minutes, each with one of a few texts, so that equal ones happen.
fn minutes(range: std::ops::Range<u32>) -> String {
    let line = |n: u32| {
        let name = if n.is_multiple_of(3) { "Ana" } else { "Bo" };
        format!(
            "{:02}/02/24, {:02}:{:02} - {name}: {}\n",
            14 + n / 1440,
            n / 60 % 24,
            n % 60,
            ["ok", "yes", "no"][n as usize % 3]
        )
    };
    range.flat_map(|n| [line(n), line(n)]).collect()
}

#[test]
fn exports_that_overlap_unite_by_id() {
    let name = "WhatsApp Chat with Ana.txt";
    let (first, second) =
        (ids(&read(name, minutes(0..300))), ids(&read("WhatsApp Chat with Ana (1).txt", minutes(50..325))));
    let whole: BTreeSet<_> = ids(&read(name, minutes(0..325))).into_iter().collect();
    assert_eq!((first.len(), second.len(), whole.len()), (600, 550, 650));
    assert_eq!(first.iter().chain(&second).copied().collect::<BTreeSet<_>>(), whole);
    assert_eq!(ids(&read(name, minutes(0..300))), first);
}

#[test]
fn two_people_are_a_direct_chat_three_a_group() {
    for (names, expected) in
        [(["Ana", "Bo", "Bo"], ConversationKind::Direct), (["Ana", "Bo", "Cy"], ConversationKind::Group)]
    {
        let chat: String = names.iter().map(|name| format!("15/01/24, 22:30 - {name}: hi\n")).collect();
        let items = read("chat.txt", chat);
        let Some(Item::Conversation(last)) = items.last() else { panic!("no conversation at the end") };
        assert_eq!((last.kind, last.title.clone()), (expected, last.participants.join(", ")));
    }
}

/// Ways in which phones write the same moment: the head of a message.
const STYLES: [fn(DateTime) -> String; 10] = [
    |t| format!("[{}] ", t.strftime("%d.%m.%y, %H:%M:%S")),
    |t| format!("\u{200e}[{}] ", t.strftime("%-d/%-m/%Y, %-I:%M:%S\u{202f}%p")),
    |t| format!("[{}] ", t.strftime("%Y-%m-%d, %H:%M:%S")),
    |t| format!("{} - ", t.strftime("%-m/%-d/%y, %-I:%M %p")),
    |t| format!("{} - ", t.strftime("%d-%m-%Y, %I.%M %p")),
    |t| format!("{} - ", t.strftime("%-d.%-m.%Y klo %-H.%M")),
    |t| {
        format!(
            "{} - ",
            t.strftime("%Y/%-m/%-d 下午%-I:%M")
                .to_string()
                .replace("下午", if t.hour() < 12 { "上午" } else { "下午" })
        )
    },
    |t| {
        format!(
            "[{} {} {}] ",
            t.strftime("%Y. %-m. %-d."),
            if t.hour() < 12 { "오전" } else { "오후" },
            t.strftime("%-I:%M:%S")
        )
    },
    |t| format!("{}: ", t.strftime("%d.%m.%y %H.%M.%S")),
    |t| {
        t.strftime("%-d/%-m/%Y, %H:%M")
            .to_string()
            .chars()
            .map(|c| c.to_digit(10).and_then(|d| char::from_u32(0x660 + d)).unwrap_or(c))
            .collect::<String>()
            + " - "
    },
];

/// Moments of a chat: in order, long enough that a day after the twelfth occurs.
fn moments() -> impl Strategy<Value = Vec<DateTime>> {
    let start = 1_262_304_000i64..1_700_000_000;
    (start, prop::collection::vec(0i64..400_000, 60..90)).prop_map(|(start, steps)| {
        let mut at = start;
        let moment = |step| {
            at += step;
            TimeZone::UTC.to_datetime(Timestamp::from_second(at).unwrap())
        };
        steps.into_iter().map(moment).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_in_any_style_is_read_back(style in 0..STYLES.len(), moments in moments(), text in "[a-zé ]{0,20}(\n[a-z :.]{0,20})?") {
        let chat: String = moments.iter().map(|t| format!("{}Ana: {text}\n", STYLES[style](*t))).collect();
        let items = read("Ana.txt", &chat);
        let seconds = matches!(style, 0..=2 | 7 | 8);
        let expected: Vec<_> = moments.iter().map(|t| {
            let t = if seconds { *t } else { t.with().second(0).build().unwrap() };
            t.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond()
        }).collect();
        prop_assert_eq!(messages(&items).iter().map(|m| m.time).collect::<Vec<_>>(), expected);
        let lines = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>().join("\n").trim_end().to_owned();
        prop_assert!(messages(&items).iter().all(|m| lines(&m.text) == lines(&text)));
    }

    #[test]
    fn a_chat_cut_anywhere_keeps_what_was_whole(cut in 0usize..1300) {
        let whole = minutes(0..20);
        let cut = cut.min(whole.len());
        let before = ids(&read("WhatsApp Chat with Ana.txt", &whole));
        let items = read("WhatsApp Chat with Ana.txt", &whole.as_bytes()[..cut]);
        let complete = whole[..cut].matches('\n').count();
        let rest = whole[..cut].rsplit('\n').next().unwrap_or_default();
        // "14/" may be the next head or the last line of a text.
        let sure = if (1..6).contains(&rest.len()) { complete.saturating_sub(1) } else { complete };
        prop_assert!((sure..=complete + 1).contains(&ids(&items).len()));
        prop_assert_eq!(&ids(&items)[..sure], &before[..sure]);
    }

    /// A head that was damaged cannot be told from text, so the message before it may change, too.
    #[test]
    fn a_byte_that_flips_harms_two_messages_at_most(at in 0usize..4000, flip in 1u8..) {
        let whole = minutes(0..60);
        let mut bytes = whole.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let before = ids(&read("WhatsApp Chat with Ana.txt", &whole));
        let after: BTreeSet<_> = ids(&read("WhatsApp Chat with Ana.txt", &bytes)).into_iter().collect();
        prop_assert!(before.iter().filter(|id| !after.contains(id)).count() <= 2);
    }

    #[test]
    fn noise_does_not_stop_it(noise in prop::collection::vec(any::<u8>(), 0..400), lines in 0u32..5) {
        let mut bytes = minutes(0..lines).into_bytes();
        bytes.extend(noise);
        let items = read("WhatsApp Chat with Ana.txt", &bytes);
        prop_assert!(messages(&items).iter().all(|m| m.part != Part::Tool));
    }
}

#[test]
fn encodings() {
    let chat = "15/01/24, 22:30 - Jürgen: Grüße\n15/01/24, 22:31 - Zoë: Ça va\n";
    let expected = ids(&read("WhatsApp Chat with Ana.txt", chat));
    let utf16: Vec<u8> = format!("\u{feff}{chat}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}{}", chat.replace('\n', "\r\n"));
    for bytes in [utf16, marked.into_bytes(), chat.replace('\n', "\r").into_bytes()] {
        assert_eq!(ids(&read("WhatsApp Chat with Ana.txt", bytes)), expected);
    }
    assert_eq!(expected.len(), 2);
}

fn kind(name: &str, content: &str) -> ConversationKind {
    let mut told =
        read(name, content).into_iter().filter_map(|i| if let Item::Conversation(c) = i { Some(c) } else { None });
    told.next_back().unwrap().kind
}

#[test]
fn a_chat_of_two_is_called_after_one_of_them() {
    let chat = "31.01.24, 21:05 - Ana: hi\n31.01.24, 21:06 - Bo: yes\n";
    assert_eq!(kind("WhatsApp Chat mit Ana.txt", chat), ConversationKind::Direct);
    assert_eq!(kind("WhatsApp Chat mit Ana 🌸.txt", chat), ConversationKind::Direct);
    assert_eq!(kind("WhatsApp Chat mit Trip.txt", chat), ConversationKind::Group);
    assert_eq!(kind("old chat.txt", chat), ConversationKind::Direct);
    let ios = "[31.01.24, 21:05:00] Trip: \u{200e}Nachrichten sind verschlüsselt.\n[31.01.24, 21:05:01] Ana: hi\n[31.01.24, 21:06:00] Bo: yes\n";
    assert_eq!(kind("_chat.txt", ios), ConversationKind::Group);
}

/// The dates of a style that says nothing of its order are read as those of the others: a file is from one phone.
#[test]
fn styles_of_one_file_agree() {
    let chat = "12/24/19, 11:23 - Ana: a\n09/10/22 10:37:00 p.m. - Bo: b\n[09/10/22 10:37:00 p.m.] Bo: c\n";
    let items = read("chat.txt", chat);
    let days: Vec<String> = messages(&items)
        .iter()
        .map(|m| Timestamp::from_millisecond(m.time).unwrap().strftime("%F").to_string())
        .collect();
    assert_eq!(days, ["2019-12-24", "2022-09-10", "2022-09-10"]);
}

#[test]
fn an_order_that_nothing_tells_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("WhatsApp Chat with Ana.txt");
    fs::write(&path, "02/05/2023, 10:00 - Ana: first\n02/05/2023, 10:01 - Ben: second\n").unwrap();
    for (zone, said, first) in [
        ("Europe/Berlin", None, true),
        ("America/Chicago", None, false),
        ("Europe/Berlin", Some(false), false),
        ("America/Chicago", Some(true), true),
    ] {
        let items = items(&path, &Options { day_first: said, ..options(zone) });
        assert!(items.contains(&Item::DateOrder { day_first: first }), "{zone} {said:?}");
        let day = Timestamp::from_millisecond(messages(&items)[0].time).unwrap().to_string();
        assert!(day.starts_with(if first { "2023-05-02" } else { "2023-02-05" }), "{zone} {said:?}: {day}");
    }
    fs::write(&path, "02/05/2023, 10:00 - Ana: first\n22/05/2023, 10:01 - Ben: second\n").unwrap();
    let items = items(&path, &Options { day_first: Some(false), ..options("UTC") });
    assert!(!items.iter().any(|i| matches!(i, Item::DateOrder { .. })), "the figures tell it");
}
