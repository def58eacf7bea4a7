//! Signal, Slack, Discord, Messenger and Instagram: the published samples, and samples written from the
//! descriptions of the formats (formats.md §9, 10, 11, 13) where none are published.

use crate::{
    hostile::zip_of,
    reading::{counts, fixture, items, items_of, options, shown},
};
use evoke_import::{Item, Options};
use evoke_message::Message;
use std::{collections::HashSet, fs};
use zip::CompressionMethod;

const PUBLISHED: [&str; 7] = [
    "signal/chat-miner__test_export.txt",
    "slack/langchain-community__slack_export.zip",
    "discord/chatpack-cli__discord_export.json",
    "discord/chatpack__discord.json",
    "facebook/langchain-community__facebook_chat.json",
    "instagram/chatpack-cli__cpc__instagram_export.json",
    "instagram/chatpack__instagram.json",
];

#[test]
fn every_published_sample_reads_as_before() {
    for name in PUBLISHED {
        let items = items(&fixture(name), &options()).unwrap();
        insta::assert_snapshot!(name.replace('/', "__"), shown(&items));
    }
}

fn of(files: &[(&str, &str)]) -> Vec<Item> {
    let bytes: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    items_of("export.zip", &zip_of(&bytes, CompressionMethod::Deflated)).unwrap()
}

fn messages(items: &[Item]) -> Vec<&Message> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(&**m) } else { None }).collect()
}

fn ids(items: &[Item]) -> HashSet<String> {
    messages(items).iter().map(|m| m.id.to_string()).collect()
}

/// Every file of a folder, a zip of it and the files one by one give the same ids, each message once.
fn same_from_folder_and_zip(files: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (zipped, unpacked) = (of(files), items(folder.path(), &options()).unwrap());
    assert_eq!(ids(&zipped), ids(&unpacked));
    assert_eq!(ids(&zipped).len(), messages(&zipped).len(), "{}", shown(&zipped));
}

const SLACK: [(&str, &str); 10] = [
    (
        "users.json",
        r#"[{"id":"U1","team_id":"T1","name":"ana","real_name":"Ana Berg","profile":{"display_name":"Ana","email":"ana@example.org","phone":"+49 30 123"}},
        {"id":"U2","team_id":"T1","name":"bo","deleted":true,"profile":{"real_name":"Bo Chen"}},
        {"id":"U9","name":"ci","is_bot":true,"profile":{"real_name":"CI","bot_id":"B1"}}]"#,
    ),
    ("channels.json", r#"[{"id":"C1","name":"general","created":1600000000,"members":["U1","U2"]}]"#),
    ("groups.json", "[]"),
    ("dms.json", r#"[{"id":"D12345678","created":1600000000,"members":["U1","U2"]}]"#),
    ("mpims.json", r#"[{"id":"G1","name":"mpdm-ana--bo--ci-1","members":["U1","U2","U9"]}]"#),
    ("integration_logs.json", r#"[{"user_id":"U1","date":"1679935123","change_type":"added"}]"#),
    (
        "general/2023-04-13.json",
        r#"[{"type":"message","subtype":"channel_join","ts":"1681380000.000100","user":"U2","text":"<@U2> has joined the channel"},
        {"type":"message","ts":"1681380001.000200","user":"U1","text":"Hi <@U2>, see <https:\/\/a.b|this> &amp; *that*","thread_ts":"1681380001.000200","reply_count":1,"replies":[{"user":"U2","ts":"1681466400.000300"}],
         "reactions":[{"name":"+1","users":["U2"],"count":1}],"edited":{"user":"U1","ts":"1681380060.000000"},
         "files":[{"id":"F1","name":"plan.pdf","mimetype":"application/pdf","mode":"hosted","url_private_download":"https://files.slack.com/x?t=xoxe-1"}]},
        {"type":"message","subtype":"bot_message","ts":"1681380002.000300","bot_id":"B1","username":"builder","text":"","attachments":[{"fallback":"Build failed","title":"Build 7","text":"failed"}]},
        {"type":"message","subtype":"tombstone","ts":"1681380003.000400","user":"USLACKBOT","text":"This message was deleted.","thread_ts":"1681380003.000400"},
        {"type":"message","ts":"1681380004.000500","user":"U1","text":""},
        {"type":"message","user":"U1","text":"no time"}]"#,
    ),
    (
        "general/2023-04-14.json",
        r#"[{"type":"message","ts":"1681466400.000300","user":"U2","text":"in the thread","thread_ts":"1681380001.000200","parent_user_id":"U1"},
        {"type":"message","ts":"1681466401.000300","user":"U7","user_profile":{"real_name":"Guest"},"text":"","files":[{"id":"F2","mode":"hidden_by_limit"}]},
        {"type":"message","subtype":"me_message","ts":"1681466402.000300","user":"U1","text":"waves"},
        {"type":"message","subtype":"huddle_thread","ts":"1681466403.000300","user":"U1","text":"A huddle started","room":{"date_start":1681466403,"date_end":1681466528}}]"#,
    ),
    (
        "D12345678/2023-04-14.json",
        r#"[{"type":"message","ts":"1681380001.000200","user":"U2","text":"same ts elsewhere"}]"#,
    ),
    (
        "mpdm-ana--bo--ci-1/2023-04-14.json",
        r#"{"messages":[{"type":"message","ts":"1681380001.000200","user":"U1","text":"three of us"}]}"#,
    ),
];

#[test]
fn a_slack_export() {
    insta::assert_snapshot!(shown(&of(&SLACK)));
    same_from_folder_and_zip(&SLACK);
}

#[test]
fn a_day_of_slack_alone() {
    let items = items_of("2023-04-14.json", SLACK[7].1.as_bytes()).unwrap();
    assert_eq!(counts(&items), (4, 0, 0));
    assert_eq!(messages(&items)[1].sender.name, "Guest");
    let key = |items: &[Item]| {
        items.iter().find_map(|i| if let Item::Conversation(c) = i { Some(c.key.clone()) } else { None })
    };
    assert_eq!(key(&items).as_deref(), Some("unknown channel"));
    let folder = tempfile::tempdir().unwrap();
    let channel = folder.path().join("general");
    fs::create_dir(&channel).unwrap();
    fs::write(channel.join("2023-04-14.json"), SLACK[7].1).unwrap();
    assert_eq!(key(&crate::reading::items(&channel, &options()).unwrap()).as_deref(), Some("general"));
}

/// DiscordChatExporter, with what the published samples lack.
const DISCORD: &str = include_str!("../../../../tests/fixtures/discord/written__direct.json");

#[test]
fn a_direct_chat_of_discord() {
    let files = [("Direct Messages - Bob [700000000000000001].json", DISCORD), ("files/a.png", "png")];
    insta::assert_snapshot!(shown(&of(&files)));
    same_from_folder_and_zip(&files);
    let paths: Vec<_> = of(&files);
    assert_eq!(messages(&paths)[0].attachments[0].path.as_deref(), Some("files/a.png"));
}

const PACKAGE: [(&str, &str); 8] = [
    (
        "account/user.json",
        r#"{"id":"111111111111111111","username":"alice","global_name":"Alice","email":"alice@example.org","relationships":[{"id":"222222222222222222","type":1,"nickname":null,"user":{"id":"222222222222222222","username":"bob","global_name":"Bob"}}]}"#,
    ),
    (
        "messages/index.json",
        r#"{"700000000000000001":"Direct Message with bob#0","800000000000000001":"general in Home","900000000000000001":null}"#,
    ),
    (
        "messages/c700000000000000001/channel.json",
        r#"{"id":"700000000000000001","type":"DM","recipients":["111111111111111111","222222222222222222"]}"#,
    ),
    (
        "messages/c700000000000000001/messages.json",
        r#"[{"ID":1196400000000000001,"Timestamp":"2024-01-15 10:30:00","Contents":"Hi <@222222222222222222>","Attachments":"https://cdn.discordapp.com/a/1/cat.png?ex=1 https://cdn.discordapp.com/a/1/dog.png"},
        {"ID":1196400000000000009,"Timestamp":"","Contents":"time from the id","Attachments":""},
        {"ID":1196400000000000010,"Timestamp":"2024-01-15 10:31:00","Contents":"","Attachments":""}]"#,
    ),
    (
        "messages/c800000000000000001/channel.json",
        r#"{"id":"800000000000000001","type":0,"name":"general","guild":{"id":"1","name":"Home"}}"#,
    ),
    (
        "messages/c800000000000000001/messages.csv",
        "ID,Timestamp,Contents,Attachments\n1196500000000000001,2024-01-15 17:07:21.123000+00:00,\"two\nlines, \"\"quoted\"\"\",\n1196500000000000002,2024-01-15 17:08:00+00:00,,https://cdn.discordapp.com/x.txt\n",
    ),
    (
        "messages/900000000000000001/messages.csv",
        "ID,Timestamp,Contents,Attachments\n1196600000000000001,2024-01-15 23:07:21+00:00,old folder,\n",
    ),
    ("servers/index.json", r#"{"1":"Home"}"#),
];

#[test]
fn a_discord_package() {
    let items = of(&PACKAGE);
    insta::assert_snapshot!(shown(&items));
    same_from_folder_and_zip(&PACKAGE);
    let exporter = items_of("x.json", DISCORD.as_bytes()).unwrap();
    let here =
        |items: &[Item]| messages(items).iter().find(|m| m.text.starts_with("Hi ")).map(|m| (m.id, m.conversation));
    assert_eq!(here(&items), here(&exporter));
}

const DISCORD_CSV: &str = "AuthorID,Author,Date,Content,Attachments,Reactions\r\n\"111\",\"alice#0001\",\"15-Jan-24 10:30 AM\",\"Hello, \"\"you\"\"\r\nsecond line\",\"https://cdn/x/cat.png,https://cdn/x/dog.png\",\"👍 (2),❤️ (1)\"\r\n\"222\",\"bob\",\"15-Jan-24 10:31 AM\",\"Joined the server.\",\"\",\"\"\r\n\"222\",\"bob\",\"2024-01-15T10:32:00.0000000+01:00\",\"newer date\",\"\",\"\"\r\n";

const DISCORD_TXT: &str = "==============================================================\nGuild: Home\nChannel: Text / general\nTopic: all\n==============================================================\n\n[1/13/2024 10:30 AM] alice#0001 (pinned)\nHello\n\n[not a date] stays\n\n{Attachments}\nhttps://cdn/x/cat.png\n\n{Reactions}\n👍 (2) ❤️\n\n[1/2/2024 10:31 PM] bob\nPinned a message.\n\n\n==============================================================\nExported 2 message(s)\n==============================================================\n";

const DISCORD_HTML: &str = include_str!("../../../../tests/fixtures/discord/written__page.html");

#[test]
fn other_forms_of_discord() {
    insta::assert_snapshot!("discord_csv", shown(&items_of("Home - general [1].csv", DISCORD_CSV.as_bytes()).unwrap()));
    insta::assert_snapshot!("discord_txt", shown(&items_of("Home.txt", DISCORD_TXT.as_bytes()).unwrap()));
    insta::assert_snapshot!("discord_html", shown(&items_of("Home.html", DISCORD_HTML.as_bytes()).unwrap()));
    let json = DISCORD.replace("\"content\":\"ok\"", "\"content\":\"reply\"");
    let (json, page) =
        (items_of("a.json", json.as_bytes()).unwrap(), items_of("a.html", DISCORD_HTML.as_bytes()).unwrap());
    assert_eq!(messages(&json)[0].id, messages(&page)[0].id);
}

#[test]
fn parts_of_a_table_are_one_channel() {
    let more = DISCORD_CSV.replace("15-Jan-24", "16-Jan-24");
    let items = of(&[("a [1].csv", DISCORD_CSV), ("a [1] [part 2].csv", &more)]);
    let conversations: HashSet<_> = messages(&items).iter().map(|m| m.conversation).collect();
    assert_eq!(conversations.len(), 1, "{}", shown(&items));
}

const META: [(&str, &str); 8] = [
    (
        "facebook-ana.zip/your_facebook_activity/messages/inbox/jose_123/message_1.json",
        r#"{"participants":[{"name":"Jos\u00c3\u00a9"},{"name":"Ana Berg"}],"messages":[
        {"sender_name":"Jos\u00c3\u00a9","timestamp_ms":1600000400000,"content":"\u00f0\u009f\u0098\u0080 ol\u00c3\u00a1","is_geoblocked_for_viewer":false,"reactions":[{"reaction":"\u00e2\u009d\u00a4","actor":"Ana Berg"},{"reaction":"\u00e2\u009d\u00a4","actor":"Jos\u00c3\u00a9"}]},
        {"sender_name":"Ana Berg","timestamp_ms":1600000300000,"photos":[{"uri":"your_facebook_activity/messages/inbox/jose_123/photos/cat.jpg","creation_timestamp":1600000299}]},
        {"sender_name":"Ana Berg","timestamp_ms":1600000200000,"is_unsent":true},
        {"sender_name":"Ana Berg","timestamp_ms":1600000200000,"content":"same"},{"sender_name":"Ana Berg","timestamp_ms":1600000200000,"content":"same"},
        {"sender_name":"Jos\u00c3\u00a9","timestamp_ms":1600000150000,"type":"Call","call_duration":192,"content":"Jos\u00c3\u00a9 called you."},
        {"sender_name":"Jos\u00c3\u00a9","timestamp_ms":1600000140000,"share":{"link":"https://a.b","share_text":"A page"},"content":"look"},
        {"sender_name":"Jos\u00c3\u00a9","timestamp_ms":1600000130000}],
        "title":"Jos\u00c3\u00a9","is_still_participant":true,"thread_path":"inbox/jose_123","magic_words":[]}"#,
    ),
    (
        "facebook-ana-2.zip/your_facebook_activity/messages/inbox/jose_123/message_2.json",
        r#"{"participants":[{"name":"Jos\u00c3\u00a9"},{"name":"Ana Berg"}],"messages":[{"sender_name":"Ana Berg","timestamp_ms":1600000100000,"content":"older"},{"sender_name":"Jos\u00c3\u00a9","timestamp_ms":1600000000000,"content":"oldest"}],"title":"Jos\u00c3\u00a9","thread_path":"inbox/jose_123"}"#,
    ),
    ("facebook-ana-2.zip/your_facebook_activity/messages/inbox/jose_123/photos/cat.jpg", "jpg"),
    (
        "facebook-ana.zip/your_facebook_activity/messages/archived_threads/trip_77/message_1.json",
        r#"{"participants":[{"name":"Bo"},{"name":"Cy"},{"name":"Ana Berg"}],"messages":[{"sender_name":"Bo","timestamp_ms":1500000000000,"content":"Bo named the group Trip.","type":"Generic"},{"sender_name":"Cy","timestamp_ms":1499999999000,"type":"Unsubscribe","content":"Cy left the group."}],"title":"Trip","thread_path":"archived_threads/trip_77"}"#,
    ),
    (
        "facebook-ana.zip/your_facebook_activity/messages/inbox/empty_5/message_1.json",
        r#"{"participants":[{"name":"Dee"}],"messages":[],"title":"Dee","thread_path":"inbox/empty_5"}"#,
    ),
    (
        "facebook-ana.zip/personal_information/profile_information/profile_information.json",
        r#"{"profile_v2":{"name":{"full_name":"Ana Berg","first_name":"Ana"},"emails":{"emails":["ana@example.org"]},"username":"ana.berg"}}"#,
    ),
    (
        "secure.zip/Jose_40.json",
        r#"{"participants":["Ana Berg","José"],"threadName":"José_40","messages":[{"senderName":"Ana Berg","text":"encrypted now","timestamp":1700000000000,"type":"text","isUnsent":false,"media":[],"reactions":[{"actor":"José","reaction":"👍"}]},{"senderName":"José","text":"","timestamp":1700000001000,"type":"media","isUnsent":false,"media":[{"uri":"./media/a.jpeg"},{"uri":"Failed to download media"}],"reactions":[]}]}"#,
    ),
    ("secure.zip/media/a.jpeg", "jpg"),
];

#[test]
fn a_facebook_export_in_parts() {
    let items = of(&META);
    insta::assert_snapshot!(shown(&items));
    same_from_folder_and_zip(&META);
    let photo = messages(&items).into_iter().flat_map(|m| &m.attachments).find(|a| a.name == "cat.jpg").unwrap();
    assert_eq!(photo.path.as_deref(), Some(META[2].0));
    // A letter repaired by somebody else is the same letter.
    let right = META[1].1.replace("\\u00c3\\u00a9", "é");
    assert_eq!(
        ids(&items_of("a.json", META[1].1.as_bytes()).unwrap()),
        ids(&items_of("b.json", right.as_bytes()).unwrap())
    );
}

const META_HTML: &str = include_str!("../../../../tests/fixtures/instagram/written__message_1.html");

#[test]
fn an_instagram_export_as_pages() {
    let files = [
        ("your_instagram_activity/messages/inbox/bo_9/message_1.html", META_HTML),
        ("your_instagram_activity/messages/inbox/bo_9/photos/1.jpg", "jpg"),
        (
            "personal_information/personal_information/personal_information.json",
            r#"{"profile_user":[{"string_map_data":{"Name":{"value":"Ana"},"Username":{"value":"ana.b"},"Email":{"value":"a@b.c"}}}]}"#,
        ),
    ];
    insta::assert_snapshot!(shown(&of(&files)));
    same_from_folder_and_zip(&files);
}

const SIGNAL: [(&str, &str); 4] = [
    ("signal-export/main.jsonl", include_str!("../../../../tests/fixtures/signal/written__main.jsonl")),
    ("signal-export/metadata.json", r#"{"version":1}"#),
    ("signal-export/files/aa/aaaa.jpg", "jpg"),
    ("signal-export/files/cc/cccc.txt", "a long text, all of it"),
];

#[test]
fn signals_own_export() {
    let items = of(&SIGNAL);
    insta::assert_snapshot!(shown(&items));
    same_from_folder_and_zip(&SIGNAL);
    let path = messages(&items)[1].attachments[0].path.clone();
    assert_eq!(path.as_deref(), Some("signal-export/files/aa/aaaa.jpg"));
    assert_eq!(messages(&items)[1].reply_to, Some(messages(&items)[0].id));
}

#[test]
fn lines_of_signal_in_any_order_are_the_same_messages() {
    let whole = items_of("main.jsonl", SIGNAL[0].1.as_bytes()).unwrap();
    let mut lines: Vec<&str> = SIGNAL[0].1.lines().collect();
    lines.reverse();
    let turned = items_of("renamed.jsonl", lines.join("\n").as_bytes()).unwrap();
    assert_eq!(ids(&whole), ids(&turned));
}

const SIGEXPORT: [(&str, &str); 4] = [
    (
        "chats/Jane Doe/chat.md",
        "[2024-01-15 10:30:00] Jane Doe: Hello  \n\n[2024-01-15 10:31:05] Me: \n\n> Hello\n\nHi  \nsecond line\n(- Jane Doe: 👍, Me: ❤️ -)![cat.jpg](./media/2024-01-15_00_cat.jpg)  \n\n[2024-01-15 10:32:00] Jane Doe: (This message was deleted)\n\n[2024-01-15 10:33:00] Me: Outgoing voice call (accepted, 1m 2s)  \n",
    ),
    (
        "chats/Jane Doe/data.json",
        "{\"date\": \"2024-01-15T10:30:00.123000\", \"sender\": \"Jane Doe\", \"body\": \"Hello  \", \"quote\": \"\", \"sticker\": null, \"reactions\": [], \"attachments\": [], \"deleted\": false}\n{\"date\": \"2024-01-15T10:31:05\", \"sender\": \"Me\", \"body\": \"Hi  \\nsecond line\", \"quote\": \"\\n\\n> Hello\\n\\n\", \"sticker\": null, \"reactions\": [[\"Jane Doe\", \"👍\"], [\"Me\", \"❤️\"]], \"attachments\": [{\"name\": \"cat.jpg\", \"path\": \"media/2024-01-15_00_cat.jpg\"}]}\n",
    ),
    ("chats/Jane Doe/index.html", "<html><body><div class=\"msg\">Hello</div></body></html>"),
    ("chats/Jane Doe/media/2024-01-15_00_cat.jpg", "jpg"),
];

#[test]
fn chats_of_sigexport() {
    insta::assert_snapshot!("sigexport_json", shown(&of(&SIGEXPORT)));
    let only_markdown = [SIGEXPORT[0], SIGEXPORT[3]];
    insta::assert_snapshot!("sigexport_md", shown(&of(&only_markdown)));
    same_from_folder_and_zip(&SIGEXPORT);
    // What both have is the same message.
    let (json, markdown) = (of(&SIGEXPORT), of(&only_markdown));
    assert_eq!(messages(&json)[0].id, messages(&markdown)[0].id);
    assert_eq!(messages(&json)[1].id, messages(&markdown)[1].id);
}

#[test]
fn text_of_signalbackup_tools() {
    let text = "[Jan 15, 2024 10:30:00] <Jane Doe> Hello\nsecond line\n[Jan 15, 2024 10:31:00] *** <Jane Doe> sent file \"cat.jpg\"\n[Jan 15, 2024 10:32:00] *** Jane Doe called you\n[Jan 15, 2024 10:33:00] *** <Ana> sent file of type image/jpeg\n";
    insta::assert_snapshot!(shown(&items_of("Jane Doe (_id3).txt", text.as_bytes()).unwrap()));
}

#[test]
fn rows_of_signal_desktop() {
    let rows = r#"[{"id":"m1","conversationId":"c1","type":"incoming","sent_at":1700000000000,"received_at":3,"sourceServiceId":"u-2","body":"hi","attachments":[],"reactions":[{"emoji":"👍","fromId":"c1"}]},
      {"id":"m2","conversationId":"c1","type":"outgoing","sent_at":1700000001000,"body":"","attachments":[{"contentType":"image/png","fileName":"a.png","path":"ab/abc"}]},
      {"id":"m3","conversationId":"c1","type":"keychange","sent_at":1700000002000,"body":null}]"#;
    insta::assert_snapshot!(shown(&items_of("Bo (493012).json", rows.as_bytes()).unwrap()));
}

#[test]
fn an_encrypted_backup_is_refused_in_words() {
    let items = items_of("signal-2024-01-01.backup", b"\0\0\0\x36\x0a\x34\x0a\x10").unwrap();
    assert!(matches!(&items[0], Item::Failed(f) if f.reason.contains("encrypted")));
}

#[test]
fn reactions_are_counted() {
    let all = |items: Vec<Item>| -> Vec<String> {
        let reactions = messages(&items).into_iter().flat_map(|m| &m.reactions);
        reactions.map(|r| format!("{} {}", r.emoji, r.count)).collect()
    };
    assert_eq!(all(of(&SLACK)), ["👍 1"]);
    assert_eq!(all(of(&[("a.json", DISCORD)])), ["👍 2", ":party: 1"]);
    assert_eq!(all(of(&[("a.csv", DISCORD_CSV)])), ["👍 2", "❤️ 1"]);
    assert_eq!(all(of(&[("a.txt", DISCORD_TXT)])), ["👍 2", "❤️ 1"]);
    assert_eq!(all(of(&[("a.html", DISCORD_HTML)])), ["👍 2"]);
    assert_eq!(all(of(&META)), ["❤ 2", "👍 1"]);
    assert_eq!(all(of(&[("inbox/a_1/message_1.html", META_HTML)])), ["❤ 2"]);
    assert_eq!(all(of(&SIGNAL)), ["👍 2"]);
    assert_eq!(all(of(&SIGEXPORT)), ["👍 1", "❤️ 1"]);
    assert_eq!(all(of(&[SIGEXPORT[0]])), ["👍 1", "❤️ 1"]);
}

/// Name and bytes of every sample that is one file.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<(&str, Vec<u8>)> = vec![
        ("2023-04-13.json", SLACK[6].1.into()),
        ("a.json", DISCORD.into()),
        ("messages.json", PACKAGE[3].1.into()),
        ("messages.csv", PACKAGE[5].1.into()),
        ("a.csv", DISCORD_CSV.into()),
        ("a.txt", DISCORD_TXT.into()),
        ("a.html", DISCORD_HTML.into()),
        ("message_1.json", META[0].1.into()),
        ("a_1.json", META[6].1.into()),
        ("message_1.html", META_HTML.into()),
        ("main.jsonl", SIGNAL[0].1.into()),
        ("chat.md", SIGEXPORT[0].1.into()),
        ("data.json", SIGEXPORT[1].1.into()),
    ];
    for name in PUBLISHED.iter().filter(|n| !n.ends_with(".zip")) {
        all.push((name.rsplit('/').next().unwrap(), fs::read(fixture(name)).unwrap()));
    }
    all
}

#[test]
fn cuts_and_flips_never_panic_and_never_gain() {
    for (name, bytes) in samples() {
        let whole = items_of(name, &bytes).unwrap();
        let most = messages(&whole).len();
        for cut in (1..bytes.len()).step_by(37) {
            let Ok(items) = items_of(name, &bytes[..cut]) else { continue };
            let (kept, skipped, failed) = counts(&items);
            assert!(kept <= most && kept + skipped + failed > 0, "{name} cut at {cut}: {}", shown(&items));
        }
        for at in (0..bytes.len()).step_by(41) {
            let mut flipped = bytes.clone();
            flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
            let _ = items_of(name, &flipped);
        }
    }
}

/// JSON: what is cut is said, and one damaged byte costs one message.
#[test]
fn damage_of_json_costs_one_message() {
    for (name, bytes) in samples().into_iter().filter(|(name, _)| name.ends_with(".json") && *name != "data.json") {
        let whole = items_of(name, &bytes).unwrap();
        let (most, ..) = counts(&whole);
        for cut in (1..bytes.len()).step_by(53) {
            let Ok(items) = items_of(name, &bytes[..cut]) else { continue };
            let (kept, _, failed) = counts(&items);
            assert!(kept == 0 || kept == most || failed > 0, "{name} cut at {cut}: nothing says that it is cut");
        }
        let texts = |items: &[Item]| messages(items).iter().map(|m| m.text.clone()).collect::<HashSet<_>>();
        let before = texts(&whole);
        for at in (0..bytes.len()).step_by(29) {
            let mut flipped = bytes.clone();
            flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
            let items = items_of(name, &flipped).unwrap_or_default();
            let lost = before.difference(&texts(&items)).count();
            // A flipped name or mention may stand in more than one text.
            assert!(lost <= 2, "{name} byte {at} cost {lost}: {}", shown(&items));
        }
    }
}

#[test]
fn every_published_sample_has_its_own_format() {
    for name in PUBLISHED {
        let found = read_formats(&fixture(name), &options()).unwrap();
        assert_eq!(found, [name.split('/').next().unwrap()], "{name}");
    }
}

fn read_formats(path: &std::path::Path, options: &Options) -> Result<Vec<&'static str>, evoke_import::ImportError> {
    let mut sink = |_| std::ops::ControlFlow::Break(());
    let formats = evoke_import::read(path, options, &mut sink, &mut |_, _| ())?;
    Ok(formats.into_iter().map(|f| f.key).collect())
}

/// Two pages of a chat as Telegram Desktop writes them, and a list beside them.
const TELEGRAM_PAGES: [(&str, &str); 5] = [
    (
        "ChatExport_2024-03-02/messages.html",
        r##"<!DOCTYPE html><html><head><meta charset="utf-8"/>
<title>Exported Data</title><link href="css/style.css" rel="stylesheet"/></head>
<body><div class="page_wrap"><div class="page_header"><div class="content"><div class="text bold">
Trip &amp; sea
</div></div></div><div class="page_body chat_page"><div class="history">
<div class="message service" id="message-1"><div class="body details">
2 March 2024
</div></div>
<div class="message service" id="message1"><div class="body details">
Ana Silva created group &laquo;Trip &amp; sea&raquo;
</div></div>
<div class="message default clearfix" id="message2"><div class="pull_left userpic_wrap"><div class="userpic userpic4"><div class="initials">AS</div></div></div>
<div class="body"><div class="pull_right date details" title="02.03.2024 13:10:36 UTC+01:00">
13:10
</div><div class="from_name">
Ana Silva
</div><div class="text">
Hi <strong>all</strong>,<br>see <a href="https://x.y/z">this</a> and <a href="" onclick="return ShowHashtag(&quot;sea&quot;)">#sea</a>
</div><span class="reactions"><span class="reaction"><span class="emoji">👍</span><span class="userpics"><div class="userpic userpic1"><div class="initials" title="Bo">B</div></div><div class="userpic userpic2"><div class="initials" title="Cy">C</div></div></span></span><span class="reaction"><span class="emoji">❤</span><span class="count">7</span></span></span></div></div>
<div class="message default clearfix joined" id="message3"><div class="body"><div class="pull_right date details" title="02.03.2024 13:11:00 UTC+01:00">13:11</div>
<div class="media_wrap clearfix"><a class="photo_wrap clearfix pull_left" href="photos/photo_1.jpg"><img class="photo" src="photos/photo_1_thumb.jpg"/></a></div>
<div class="text">
caption
</div></div></div>
<div class="message default clearfix" id="message4"><div class="body"><div class="pull_right date details" title="02.03.2024 13:12:00">13:12</div>
<div class="from_name">
Bo via @gif
</div><div class="reply_to details">
In reply to <a href="#go_to_message2" onclick="return GoToMessage(2)">this message</a>
</div><div class="media_wrap clearfix"><div class="media clearfix pull_left media_photo"><div class="fill pull_left"></div><div class="body"><div class="title bold">
Sticker
</div><div class="description">
Not included, change data exporting settings to download.
</div><div class="status details">
😀, 31.0 KB
</div></div></div></div></div></div>
<div class="message default clearfix joined" id="message5"><div class="body"><div class="pull_right date details" title="02.03.2024 13:13:00 UTC+01:00">13:13</div>
<div class="forwarded body"><div class="from_name">
City News <span class="date details" title="01.03.2024 09:00:00 UTC+01:00"> 01.03.2024 09:00:00</span>
</div><div class="text">
news text
</div></div></div></div>
</div></div></div></body></html>"##,
    ),
    (
        "ChatExport_2024-03-02/messages2.html",
        r##"<!DOCTYPE html><html><head><title>Exported Data</title></head><body><div class="page_wrap"><div class="page_header"><div class="content"><div class="text bold">
Trip &amp; sea
</div></div></div><div class="page_body chat_page"><div class="history"><a class="pagination block_link" href="messages.html">Previous messages</a>
<div class="message service" id="message-2"><div class="body details">3 March 2024</div></div>
<div class="message default clearfix joined" id="message6"><div class="body"><div class="pull_right date details" title="03.03.2024 13:14:00 UTC+01:00">13:14</div>
<div class="media_wrap clearfix"><div class="media_poll"><div class="question bold">When?</div><div class="details">Anonymous poll</div><div class="answer">
- Now <span class="details">2 votes, chosen vote</span>
</div><div class="answer">
- Later
</div><div class="total details">2 votes</div></div></div></div></div>
<div class="message default clearfix" id="message7"><div class="body"><div class="pull_right date details" title="03.03.2024 13:15:00 UTC+01:00">13:15</div><div class="from_name">Cy</div>
<div class="media_wrap clearfix"><div class="media clearfix pull_left media_call success"><div class="body"><div class="title bold">Cy</div><div class="status details">Outgoing (12 seconds)</div></div></div></div></div></div>
<div class="message default clearfix joined" id="message8"><div class="body"><div class="pull_right date details" title="03.03.2024 13:16:00 UTC+01:00">13:16</div>
<div class="media_wrap clearfix"><a class="media clearfix pull_left block_link media_location" href="https://maps.google.com/maps?q=52.5,13.4"><div class="body"><div class="title bold">Location</div><div class="status details">52.5, 13.4</div></div></a></div></div></div>
<div class="message default clearfix joined" id="message9"><div class="body"><div class="pull_right date details" title="03.03.2024 13:17:00 UTC+01:00">13:17</div></div></div>
</div></div></div></body></html>"##,
    ),
    ("ChatExport_2024-03-02/photos/photo_1.jpg", "jpg"),
    (
        "ChatExport_2024-03-02/lists/contacts.html",
        r#"<html><head><title>Exported Data</title></head><body><div class="page_wrap"><div class="page_body list_page">Ana</div></div></body></html>"#,
    ),
    ("ChatExport_2024-03-02/css/style.css", "a{}"),
];

#[test]
fn a_telegram_export_as_pages() {
    insta::assert_snapshot!(shown(&of(&TELEGRAM_PAGES)));
    same_from_folder_and_zip(&TELEGRAM_PAGES);
}

#[test]
fn telegram_pages_beside_json_are_not_read_twice() {
    let json = r#"{"name":"Trip","type":"private_group","id":5,"messages":[{"id":1,"type":"message","date":"2024-03-02T13:00:00","from":"Ana","from_id":"user1","text":"hi"}]}"#;
    let items = of(&[("ChatExport/result.json", json), ("ChatExport/messages.html", TELEGRAM_PAGES[0].1)]);
    assert_eq!(counts(&items), (1, 0, 0), "{}", shown(&items));
    let other = of(&[("A/result.json", json), ("B/messages.html", TELEGRAM_PAGES[0].1)]);
    assert_eq!(counts(&other).0, 6, "{}", shown(&other));
}

#[test]
fn a_telegram_account_with_a_long_list_of_contacts() {
    let contact =
        r#"{"user_id":1,"first_name":"Somebody","last_name":"","phone_number":"","date":"2020-01-01T00:00:00"}"#;
    let contacts = vec![contact; 2_000].join(",");
    let json = format!(
        r#"{{"about":"x","personal_information":{{"user_id":7}},"contacts":{{"about":"c","list":[{contacts}]}},"chats":{{"about":"y","list":[{{"name":"Ana","type":"personal_chat","id":9,"messages":[{{"id":1,"type":"message","date_unixtime":"1585445400","from":"Ana","from_id":"user9","text":"hi"}}]}}]}}}}"#
    );
    let items = items_of("result.json", json.as_bytes()).unwrap();
    assert_eq!(counts(&items), (1, 0, 0));
}

#[test]
fn what_slackdump_writes_of_one_channel() {
    let dump = r#"{"name":"general","messages":[{"client_msg_id":"a","type":"message","user":"U1","text":"hi","ts":"1681380001.000200","thread_ts":"1681380001.000200","replies":null,
        "slackdump_thread_replies":[{"type":"message","user":"U1","text":"hi","ts":"1681380001.000200"},{"type":"message","user":"U2","text":"answer","ts":"1681380002.000200","thread_ts":"1681380001.000200"}]},
        {"type":"message","user":"U2","text":"last","ts":"1681380003.000200"}],"channel_id":"C9"}"#;
    let other = dump.replace("C9", "C8").replace("general", "random");
    let items = of(&[("C9.json", dump), ("C8.json", &other)]);
    assert_eq!(counts(&items), (6, 0, 0), "{}", shown(&items));
    assert_eq!(ids(&items).len(), 6);
    let titles: HashSet<&str> = items
        .iter()
        .filter_map(|i| if let Item::Conversation(c) = i { Some(c.title.as_str()) } else { None })
        .collect();
    assert_eq!(titles, HashSet::from(["general", "random"]));
    assert!(messages(&items)[1].reply_to.is_some());
}

#[test]
fn what_exports_say_of_themselves_is_no_document() {
    let mut package = PACKAGE.to_vec();
    package.push(("README.txt", "This is your data package."));
    assert_eq!(counts(&of(&package)), counts(&of(&PACKAGE)));
    let page = "<html><head><title>Your data</title></head><body><p>Welcome</p></body></html>";
    let meta =
        [("your_facebook_activity/messages/inbox/jose_123/message_1.json", META[0].1), ("start_here.html", page)];
    assert_eq!(counts(&of(&meta)), counts(&of(&meta[..1])));
}
