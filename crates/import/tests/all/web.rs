//! LinkedIn, X, Reddit, browsers and bookmarks: published samples, and ones written from the description (formats.md
//! §30 to 33) for what they lack.

use crate::{
    hostile::zip_of,
    reading::{counts, fixture, items, items_of, options, shown},
};
use evoke_import::Item;
use rusqlite::Connection;
use std::{collections::HashSet, fs};
use zip::CompressionMethod::Deflated;

/// A zip of texts, read.
fn zipped(files: &[(&str, &str)]) -> Vec<Item> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    items_of("export.zip", &zip_of(&files, Deflated)).unwrap()
}

fn ids(items: &[Item]) -> HashSet<String> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.id.to_string()) } else { None }).collect()
}

#[test]
fn published_samples() {
    for name in [
        "linkedin/kawsay__kawsay-linkedin",
        "twitter/knowledgemaxxing__tweets.js",
        "browser/knowledgemaxxing__BrowserHistory.json",
        "browser/knowledgemaxxing__history_export.csv",
    ] {
        insta::assert_snapshot!(name.replace('/', "__"), shown(&items(&fixture(name), &options()).unwrap()));
    }
}

#[test]
fn linkedin_with_all_its_tables() {
    let messages = "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,SUBJECT,CONTENT,FOLDER,ATTACHMENTS,IS MESSAGE DRAFT,IS CONVERSATION DRAFT\n\
        c1,,Bo Berg,https://www.linkedin.com/in/bo,Ana López,https://www.linkedin.com/in/ana,2024-03-15 09:31:00 UTC,,\"<p>Yes &amp; <b>thanks</b></p>\n<p>Bo</p>\",INBOX,https://x.org/a/cv.pdf?t=1,No,No\n\
        c1,,Ana López,https://www.linkedin.com/in/ana,Bo Berg,https://www.linkedin.com/in/bo,2024-03-15 09:30:00 UTC,Job?,\"Hi, \"\"Bo\"\"\",SENT,,No,No\n\
        c2,The gang,Cy,https://www.linkedin.com/in/cy,\"Ana López,Bo Berg\",\"https://www.linkedin.com/in/ana,https://www.linkedin.com/in/bo\",2024-03-16 08:00:00 UTC,,ok,INBOX,,No,No\n\
        c2,The gang,Cy,https://www.linkedin.com/in/cy,\"Ana López,Bo Berg\",\"https://www.linkedin.com/in/ana,https://www.linkedin.com/in/bo\",2024-03-16 08:00:00 UTC,,ok,INBOX,,No,No\n\
        c3,,LinkedIn Ads,,Ana López,,2024-03-17 08:00:00 UTC,Buy,now,SPAM,,No,No\n\
        c4,,Ana López,https://www.linkedin.com/in/ana,Dee,https://www.linkedin.com/in/dee,2024-03-18 08:00:00 UTC,,half a,ARCHIVE,,Yes,No\n\
        c5,,Ana López,https://www.linkedin.com/in/ana,Dee,,yesterday,,x,INBOX,,No,No\n";
    insta::assert_snapshot!(shown(&zipped(&[
        ("Complete/messages.csv", messages),
        ("Complete/Profile.csv", "First Name,Last Name,Maiden Name,Address,Headline,Summary\nAna,López,,,Engineer,\n"),
        (
            "Complete/Invitations.csv",
            "From,To,Sent At,Message,Direction,inviterProfileUrl,inviteeProfileUrl\nEve,Ana López,\"3/14/24, 9:05 PM\",Shall we connect?,INCOMING,https://www.linkedin.com/in/eve,https://www.linkedin.com/in/ana\nAna López,Fay,\"3/13/24, 9:05 PM\",,OUTGOING,,\n"
        ),
        (
            "Complete/Shares.csv",
            "Date,ShareLink,ShareCommentary,SharedUrl,MediaUrl,Visibility\n2024-01-01 10:00:00,https://www.linkedin.com/feed/1,\"My first \"\"\n\"\"two lines\",,,MEMBER_NETWORK\n"
        ),
        ("Complete/Comments.csv", "Date,Link,Message\n2024-01-02 10:00:00,https://www.linkedin.com/feed/2,Well said\n"),
        (
            "Complete/Connections.csv",
            "Notes:\n\"x\"\n\nFirst Name,Last Name,URL,Email Address,Company,Position,Connected On\nBo,Berg,https://www.linkedin.com/in/bo,Bo@x.org,A,B,15 Jan 2024\n"
        ),
    ])));
}

#[test]
fn an_archive_of_x() {
    let items = zipped(&[
        (
            "data/account.js",
            r#"window.YTD.account.part0 = [ { "account" : { "email" : "ana@x.org", "username" : "ana", "accountId" : "1", "accountDisplayName" : "Ana" } } ]"#,
        ),
        (
            "data/tweets.js",
            r#"window.YTD.tweets.part0 = [ { "tweet" : { "id_str" : "1000000000000000001", "created_at" : "Wed Oct 10 20:19:24 +0000 2018", "full_text" : "@bo fish &amp; chips https://t.co/a https://t.co/p", "in_reply_to_status_id_str" : "999",
            "entities" : { "user_mentions" : [ { "name" : "Bo Berg", "screen_name" : "bo", "id_str" : "2" } ], "urls" : [ { "url" : "https://t.co/a", "expanded_url" : "https://x.org/menu" } ], "media" : [ { "url" : "https://t.co/p", "media_url_https" : "https://pbs.twimg.com/media/pic.jpg" } ] } } },
          { "tweet" : { "id_str" : "1000000000000000002", "created_at" : "Thu Oct 11 20:19:24 +0000 2018", "full_text" : "A long story that goes on and on and is cut…" } } ]"#,
        ),
        (
            "data/tweets-part1.js",
            r#"window.YTD.tweets.part1 = [ { "id_str" : "3", "created_at" : "Fri Oct 12 20:19:24 +0000 2018", "text" : "old shape" } ];"#,
        ),
        (
            "data/note-tweet.js",
            r#"window.YTD.note_tweet.part0 = [ { "noteTweet" : { "noteTweetId" : "77", "createdAt" : "2018-10-11T20:19:24.000Z", "core" : { "text" : "A long story that goes on and on and is not cut here.", "urls" : [ ] } } },
          { "noteTweet" : { "noteTweetId" : "78", "createdAt" : "2019-10-11T20:19:24.000Z", "core" : { "text" : "Alone" } } } ]"#,
        ),
        (
            "data/like.js",
            r#"window.YTD.like.part0 = [ { "like" : { "tweetId" : "1050118621198921728", "fullText" : "liked &lt;3", "expandedUrl" : "https://twitter.com/i/web/status/1" } }, { "like" : { "tweetId" : "5" } } ]"#,
        ),
        (
            "data/direct-messages.js",
            r#"window.YTD.direct_messages.part0 = [ { "dmConversation" : { "conversationId" : "1-2", "messages" : [
            { "messageCreate" : { "recipientId" : "1", "reactions" : [ { "senderId" : "1", "reactionKey" : "funny", "eventId" : "9", "createdAt" : "2019-01-02T00:00:01.000Z" } ], "urls" : [ { "url" : "https://t.co/b", "expanded" : "https://x.org/b", "display" : "x.org/b" } ], "text" : "see https://t.co/b", "mediaUrls" : [ "https://ton.twitter.com/dm/11/11/cat.jpg" ], "senderId" : "2", "id" : "11", "createdAt" : "2019-01-02T00:00:00.000Z" } },
            { "messageCreate" : { "recipientId" : "2", "text" : "hi", "senderId" : "1", "id" : "10", "createdAt" : "2019-01-01T00:00:00.000Z", "mediaUrls" : [ ] } } ] } } ]"#,
        ),
        (
            "data/direct-messages-group.js",
            r#"window.YTD.direct_messages_group.part0 = [ { "dmConversation" : { "conversationId" : "50", "messages" : [
            { "conversationNameUpdate" : { "initiatingUserId" : "1", "name" : "Crew", "createdAt" : "2019-02-02T00:00:00.000Z" } },
            { "messageCreate" : { "text" : "all", "senderId" : "3", "id" : "12", "createdAt" : "2019-02-01T01:00:00.000Z" } },
            { "joinConversation" : { "initiatingUserId" : "1", "participantsSnapshot" : [ "1", "2", "3" ], "createdAt" : "2019-02-01T00:00:00.000Z" } } ] } } ]"#,
        ),
        (
            "data/grok-chat-item.js",
            r#"window.YTD.grok_chat_item.part0 = [ { "grokChatItem" : { "accountId" : "1", "chatId" : "g", "createdAt" : "2025-01-01T00:00:01.000Z", "sender" : { "name" : "Agent" }, "message" : "42" } }, { "grokChatItem" : { "accountId" : "1", "chatId" : "g", "createdAt" : "2025-01-01T00:00:00.000Z", "sender" : { "name" : "User" }, "message" : "What is it?" } } ]"#,
        ),
        ("data/tweets_media/1000000000000000001-pic.jpg", "jpg"),
        ("data/follower.js", r#"window.YTD.follower.part0 = [ { "follower" : { "accountId" : "2" } } ]"#),
    ]);
    insta::assert_snapshot!(shown(&items));
}

#[test]
fn damage_in_an_archive_of_x_costs_one_entry() {
    let whole = fs::read(fixture("twitter/knowledgemaxxing__tweets.js")).unwrap();
    for at in (0..whole.len()).step_by(5) {
        let cut = items_of("tweets.js", &whole[..at]).unwrap_or_default();
        assert!(counts(&cut).0 <= 3);
        let mut flipped = whole.clone();
        flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
        let (kept, ..) = counts(&items_of("tweets.js", &flipped).unwrap_or_default());
        assert!(kept >= 2 || at < 30, "{at}: {kept}");
    }
}

#[test]
fn reddit_with_all_its_tables() {
    insta::assert_snapshot!(shown(&zipped(&[
        ("statistics.csv", "statistic,value\naccount name,ana\nemail,x@y\n"),
        (
            "posts.csv",
            "id,permalink,date,ip,subreddit,gildings,title,url,body\np1,https://www.reddit.com/r/rust/comments/p1/t/,2023-01-31 10:00:00 UTC,,rust,0,Borrow &amp; own?,/r/rust/comments/p1/t/,\"How, and\n\nwhy?\"\n"
        ),
        (
            "comments.csv",
            "id,permalink,date,ip,subreddit,gildings,link,parent,body,media\nk1,https://x,2023-02-01 10:00:00 UTC,,rust,0,https://www.reddit.com/r/rust/comments/p1/t/,,Like **this**,\nk2,https://x,2023-02-02 10:00:00 UTC,,Rust,0,https://www.reddit.com/r/rust/comments/p1/t/,k1,[removed],\n"
        ),
        (
            "messages.csv",
            "id,permalink,thread_id,date,ip,from,to,subject,body\nm1,https://x,t1,2023-03-01 10:00:00 UTC,,bo,ana,Hello,First\nm2,https://x,t1,2023-03-01 11:00:00 UTC,,ana,bo,re: Hello,Second\n"
        ),
        (
            "message_headers.csv",
            "id,permalink,thread_id,date,ip,from,to\nm1,https://x,t1,2023-03-01 10:00:00 UTC,,bo,ana\n"
        ),
        (
            "chat_history.csv",
            "message_id,created_at,updated_at,username,message,thread_parent_message_id,channel_url,subreddit,channel_name,conversation_type\n$1,2023-04-01 10:00:00 UTC,,bo,hey,,!room:x,,,direct\n$2,2023-04-01 10:01:00 UTC,2023-04-01 10:05:00 UTC,ana,yo,$1,!room:x,,,direct\n"
        ),
        ("saved_posts.csv", "id,permalink\nz,https://x\n"),
        ("post_votes.csv", "id,permalink,direction\nz,https://x,up\n"),
        ("drafts.csv", ""),
    ])));
}

fn database(name: &str, sql: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn histories_as_databases() {
    let chrome = database("History", "CREATE TABLE urls(id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, visit_count INTEGER);
        CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, from_visit INTEGER, transition INTEGER);
        INSERT INTO urls VALUES(1,'https://gwern.net/','Gwern [1]',2),(2,'chrome://settings','Settings',1),(3,'https://t.co/x','',1);
        INSERT INTO visits VALUES(1,1,13344473700000000,0,0x30000001),(2,2,13344473701000000,0,0x30000001),(3,3,13344473702000000,0,0x90000000),(4,1,13344473703000000,3,3);");
    let firefox = database("places.sqlite", "CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url TEXT, title TEXT, hidden INTEGER);
        CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER, visit_type INTEGER);
        CREATE TABLE moz_bookmarks(id INTEGER PRIMARY KEY, type INTEGER, fk INTEGER, parent INTEGER, title TEXT, dateAdded INTEGER);
        INSERT INTO moz_places VALUES(1,'https://gwern.net/','Gwern',0),(2,'https://ads.x/','',1);
        INSERT INTO moz_historyvisits VALUES(1,0,1,1700000100000000,2),(2,0,2,1700000101000000,1),(3,0,1,1700000102000000,8);
        INSERT INTO moz_bookmarks VALUES(5,2,NULL,0,'Reading',1),(6,1,1,5,'Gwern.net',1600000000000000);");
    let safari = database("History.db", "CREATE TABLE history_items(id INTEGER PRIMARY KEY, url TEXT, domain_expansion TEXT, visit_count INTEGER);
        CREATE TABLE history_visits(id INTEGER PRIMARY KEY, history_item INTEGER, visit_time REAL, title TEXT, redirect_source INTEGER, redirect_destination INTEGER);
        INSERT INTO history_items VALUES(1,'https://gwern.net/','gwern',1);
        INSERT INTO history_visits VALUES(1,1,721692900.5,'Gwern',NULL,NULL),(2,1,721692901.0,'',NULL,1);");
    for (name, bytes) in [("History", chrome), ("places.sqlite", firefox), ("History.db", safari)] {
        let items = items_of(name, &bytes).unwrap();
        insta::assert_snapshot!(name, shown(&items));
        let again = items_of("copy.zip", &zip_of(&[("x/History", bytes.as_slice())], Deflated)).unwrap();
        assert_eq!(ids(&again), ids(&items), "{name}");
    }
}

#[test]
fn the_same_visit_and_the_same_bookmark_from_two_exports_are_one() {
    let takeout = items_of(
        "h.json",
        br#"{"Browser History":[{"title":"Gwern","url":"https://gwern.net/","time_usec":1700000100000000}]}"#,
    )
    .unwrap();
    let chrome = database("History", "CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT, title TEXT); CREATE TABLE visits(id INTEGER, url INTEGER, visit_time INTEGER, transition INTEGER);
        INSERT INTO urls VALUES(1,'https://gwern.net/','Gwern'); INSERT INTO visits VALUES(1,1,13344473700000000,0);");
    assert_eq!(ids(&items_of("History", &chrome).unwrap()), ids(&takeout));

    let html = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=UTF-8\">\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n\
        <DT><H3 ADD_DATE=\"1\">Reading</H3>\n<DL><p>\n<DT><H3>Old</H3>\n<DL><p>\n<DT><A HREF=\"https://gwern.net/?a=1&amp;b=2\" ADD_DATE=\"1600000000\" TAGS=\"ai,stats\">Gwern &amp; co</A>\n<DD>Long essays\n</DL><p>\n\
        <DT><A HREF=\"javascript:x()\" ADD_DATE=\"1600000001\">Run</A>\n</DL><p>\n<DT><A HREF='https://x.org/'>No date</A>\n</DL>";
    let json = r#"{"checksum":"c","roots":{"bookmark_bar":{"children":[{"date_added":"13244473600000000","guid":"g","name":"Gwern & co","type":"url","url":"https://gwern.net/?a=1&b=2"}],"date_added":"1","name":"Bookmarks bar","type":"folder"}},"version":1}"#;
    let from_html = items_of("bookmarks.html", html.as_bytes()).unwrap();
    let from_json = items_of("Bookmarks", json.as_bytes()).unwrap();
    insta::assert_snapshot!(format!("{}\n{}", shown(&from_html), shown(&from_json)));
    assert!(ids(&from_json).is_subset(&ids(&from_html)));
}

/// Which formats claim a fixture.
fn claimed(path: &std::path::Path) -> String {
    let read = evoke_import::read(path, &options(), &mut |_| std::ops::ControlFlow::Continue(()), &mut |_, _| ());
    match read {
        Ok(formats) => formats.iter().map(|f| f.key).collect::<Vec<_>>().join(", "),
        Err(_) => "none".to_owned(),
    }
}

#[test]
fn what_belongs_to_others_is_not_claimed() {
    let ours = ["mail", "linkedin", "twitter", "reddit", "browser", "bookmarks"];
    let mut folders: Vec<_> =
        fs::read_dir(fixture("")).unwrap().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let mine: &[&str] = match name.as_str() {
            "email" => &["mail"],
            "linkedin" => &["linkedin"],
            "twitter" => &["twitter"],
            "browser" => &["browser", "bookmarks"],
            "bookmarks" => &["bookmarks"],
            "reddit" => &["reddit"],
            _ => &[],
        };
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let got = claimed(&entry.path());
            let alien = got.split(", ").find(|key| ours.contains(key) && !mine.contains(key));
            let is_mail = entry.path().extension().is_some_and(|e| e == "eml");
            assert!(alien.is_none() || is_mail, "{} is claimed by {got}", entry.path().display());
        }
    }
}

#[test]
fn any_damage_to_tables_ends() {
    let csv = fs::read(fixture("linkedin/kawsay__kawsay-linkedin/messages.csv")).unwrap();
    let history = fs::read(fixture("browser/knowledgemaxxing__BrowserHistory.json")).unwrap();
    for (name, bytes) in [("messages.csv", csv), ("h.json", history)] {
        for at in 0..bytes.len() {
            let _ = items_of(name, &bytes[..at]);
            let mut flipped = bytes.clone();
            flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
            let _ = items_of(name, &flipped);
        }
    }
}
