//! Notes out of the apps that keep them: the published fixtures, and samples written from the formats'
//! descriptions for what those lack (`tests/fixtures/<format>/`).

use crate::{
    hostile::zip_of,
    reading::{counts, fixture, items, items_of, options, shown},
};
use evoke_import::Item;
use evoke_message::MessageId;
use std::{
    collections::HashSet,
    fs::{self, File},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

fn folders(name: &str) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(fixture(name))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|file| file != "SOURCES.md")
        .collect();
    all.sort();
    all
}

/// A copy whose files were all changed on 1 March 2024: for notes whose time is that of their file.
fn dated(path: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join(path.file_name().unwrap());
    copy(path, &target);
    (folder, target)
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::write(to, fs::read(from).unwrap()).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_290_800);
        File::options().write(true).open(to).unwrap().set_modified(changed).unwrap();
    }
}

/// Each file by itself: what came of it, or why it was refused.
fn each(format: &str) -> String {
    let mut out = String::new();
    for file in folders(format) {
        let (_kept, path) = dated(&fixture(&format!("{format}/{file}")));
        let read = items(&path, &options());
        out += &match read {
            Ok(items) => format!("== {file}\n{}", shown(&items)),
            Err(error) => format!("== {file}\n! {error}\n"),
        };
    }
    out
}

#[test]
fn fixtures_of_evernote() {
    insta::assert_snapshot!(each("evernote"));
}

#[test]
fn fixtures_of_keep() {
    insta::assert_snapshot!(each("keep"));
}

#[test]
fn fixtures_of_apple_journal() {
    insta::assert_snapshot!(each("apple_journal"));
}

#[test]
fn fixtures_of_notion() {
    insta::assert_snapshot!(each("notion"));
}

#[test]
fn fixtures_of_bear_and_textbundle() {
    insta::assert_snapshot!(each("bear"));
}

#[test]
fn fixtures_of_roam() {
    insta::assert_snapshot!(each("roam"));
}

#[test]
fn fixtures_of_org() {
    insta::assert_snapshot!(each("org"));
}

/// A folder `Export` with these files, changed on 1 March 2024.
fn folder(files: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
    let kept = tempfile::tempdir().unwrap();
    let root = kept.path().join("Export");
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_290_800);
        File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
    }
    (kept, root)
}

fn read_folder(files: &[(&str, &[u8])]) -> Vec<Item> {
    let (_kept, root) = folder(files);
    items(&root, &options()).unwrap()
}

fn ids(items: &[Item]) -> Vec<MessageId> {
    let ids = items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.id) } else { None });
    let mut ids: Vec<MessageId> = ids.collect();
    // Folders and zips list their files in different orders.
    ids.sort();
    ids
}

/// The same as a zip, under another name.
fn read_zip(files: &[(&str, &[u8])]) -> Vec<Item> {
    items_of("another name.zip", &zip_of(files, zip::CompressionMethod::Deflated)).unwrap()
}

/// Written from the description in formats.md §18.
const KEEP: [(&str, &[u8]); 9] = [
    ("Takeout/Keep/List.json", br#"{"title":"List","listContent":[{"text":"milk","isChecked":true},{"text":"tea","isChecked":false}],"labels":[{"name":"home"}],"annotations":[{"url":"https://a.b","title":"A","description":"x"}],"sharees":[{"isOwner":true,"type":"INDIVIDUAL","email":"ana@example.org"}],"userEditedTimestampUsec":1690866317287000,"createdTimestampUsec":1690514858197000,"isTrashed":false,"isPinned":true,"isArchived":false}"#),
    ("Takeout/Keep/List.html", b"<html><body><div class=\"note\"><div class=\"heading\">x</div><div class=\"title\">List</div></div></body></html>"),
    ("Takeout/Keep/2023-08-01T14_29_43.842+10_00.json", br#"{"isTrashed":false,"isPinned":false,"isArchived":false,"title":"","textContent":"only text","attachments":[{"filePath":"pic.jpeg","mimetype":"image/jpeg"}]}"#),
    ("Takeout/Keep/pic.jpg", b"jpg"),
    ("Takeout/Keep/Copy.json", br#"{"title":"Copy","textContent":"same time","isTrashed":false,"isPinned":false,"isArchived":false,"createdTimestampUsec":"1690514858197000"}"#),
    ("Takeout/Keep/Empty.json", br#"{"title":"","textContent":"","isTrashed":false,"isPinned":false,"isArchived":false,"createdTimestampUsec":1690514858197001}"#),
    ("Takeout/Keep/Old.html", b"<html><body><div class=\"note\"><div class=\"heading\">Jul 27, 2013, 2:45:09 AM</div><div class=\"title\">Old</div><div class=\"content\">from before<br>JSON</div><div class=\"chips\"><span class=\"chip label\"><span class=\"label-name\">then</span></span></div></div></body></html>"),
    ("Takeout/Keep/Labels.txt", b"home\n"),
    ("Takeout/archive_browser.html", b"<html><body>index</body></html>"),
];

#[test]
fn keep_out_of_a_takeout() {
    let read = read_folder(&KEEP);
    insta::assert_snapshot!(shown(&read));
    let once: HashSet<_> = ids(&read).into_iter().collect();
    assert_eq!(once.len(), ids(&read).len());
    assert_eq!(ids(&read), ids(&read_zip(&KEEP)));
}

const ENEX: &str = r#"<?xml version="1.0" encoding="UTF-8"?><en-export>
<note><title>A &amp; B</title><created>20240131T101500Z</created><content><![CDATA[<en-note>one<br/>two&nbsp;</en-note>]]></content>
<resource><data encoding="base64">AAAA</data><mime>image/png</mime><resource-attributes><file-name>a.png</file-name></resource-attributes></resource></note>
<note><title>Twice</title><created>20240131T101500Z</created><content>&lt;en-note&gt;escaped&lt;/en-note&gt;</content></note>
<note><title>Twice</title><created>20240131T101500Z</created><content><![CDATA[<en-note>another</en-note>]]></content></note>
<note><title>Cut</title><content><![CDATA[<en-note>half a no
<note><title>Whole</title><updated>20240201T000000Z</updated><content><![CDATA[<en-note/>]]></content></note>
<note><title>Last</title><created>20240201T101500Z</created><content><![CDATA[<en-note>kept</en-note>]]></content><resource><data encoding="base64">AAAA"#;

#[test]
fn a_damaged_notebook() {
    insta::assert_snapshot!(shown(&items_of("Notes.enex", ENEX.as_bytes()).unwrap()));
}

#[test]
fn files_inside_a_notebook_are_not_held() {
    let mut enex = ENEX
        .replace(
            "<note><title>Cut",
            "<note><title>Big</title><content><![CDATA[<en-note>x</en-note>]]></content><resource><data>",
        )
        .into_bytes();
    let at = enex.windows(6).rposition(|w| w == b"<data>").unwrap() + 6;
    enex.splice(at..at, std::iter::repeat_n(b'A', 100 << 20));
    let mut narrow = options();
    narrow.limits.record = 1 << 16;
    let kept = tempfile::tempdir().unwrap();
    let path = kept.path().join("Notes.enex");
    fs::write(&path, enex).unwrap();
    assert_eq!(counts(&items(&path, &narrow).unwrap()).0, 6);
}

/// Written from the description in formats.md §21.
const JOPLIN: [(&str, &str); 9] = [
    (
        "00000000000000000000000000000001.md",
        "Plan\n\nSee [pic](:/0000000000000000000000000000000a) and [other](:/00000000000000000000000000000002).\n\nid: 00000000000000000000000000000001\nparent_id: 0000000000000000000000000000000f\ncreated_time: 2024-02-01T10:00:00.000Z\nupdated_time: 2024-02-02T10:00:00.000Z\nis_conflict: 0\nlatitude: 0.00000000\nsource_url: https://a.b/c\nis_todo: 0\ntodo_completed: 0\nencryption_applied: 0\nmarkup_language: 1\nuser_created_time: 2024-01-31T10:00:00.000Z\nuser_updated_time: 2024-02-02T10:00:00.000Z\ndeleted_time: 0\ntype_: 1",
    ),
    (
        "00000000000000000000000000000002.md",
        "Buy milk\n\nid: 00000000000000000000000000000002\ncreated_time: 2024-02-01T10:00:00.000Z\nis_todo: 1\ntodo_completed: 1706800000000\nmarkup_language: 1\ntype_: 1",
    ),
    (
        "00000000000000000000000000000003.md",
        "Web page\n\n<p>a <b>b</b></p>\n\nid: 00000000000000000000000000000003\ncreated_time: 2024-02-01T10:00:00.000Z\nmarkup_language: 2\ntype_: 1",
    ),
    (
        "00000000000000000000000000000004.md",
        "id: 00000000000000000000000000000004\nencryption_cipher_text: JED01\nencryption_applied: 1\ntype_: 1",
    ),
    (
        "00000000000000000000000000000005.md",
        "Gone\n\nid: 00000000000000000000000000000005\ndeleted_time: 1706800000000\ntype_: 1",
    ),
    (
        "0000000000000000000000000000000a.md",
        "sea.png\n\nid: 0000000000000000000000000000000a\nmime: image/png\nfile_extension: png\ntype_: 4",
    ),
    ("0000000000000000000000000000000b.md", "travel\n\nid: 0000000000000000000000000000000b\ntype_: 5"),
    (
        "0000000000000000000000000000000c.md",
        "id: 0000000000000000000000000000000c\nnote_id: 00000000000000000000000000000001\ntag_id: 0000000000000000000000000000000b\ntype_: 6",
    ),
    ("0000000000000000000000000000000f.md", "Notebook\n\nid: 0000000000000000000000000000000f\ntype_: 2"),
];

fn jex() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in JOPLIN {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

#[test]
fn joplin_as_tar_and_as_folder() {
    let tar = items_of("Notes.jex", &jex()).unwrap();
    insta::assert_snapshot!(shown(&tar));
    let mut raw: Vec<(&str, &[u8])> = JOPLIN.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    raw.push(("resources/0000000000000000000000000000000a.png", b"png"));
    let raw = read_folder(&raw);
    assert_eq!(ids(&raw), ids(&tar));
    assert!(shown(&raw).contains("<sea.png>"));
    let cut = jex();
    let cut = items_of("Notes.jex", &cut[..1600]).unwrap();
    // The item that is cut, and what of the archive is behind it.
    assert_eq!((counts(&cut).0, counts(&cut).2), (1, 2));
}

/// Written from the description in formats.md §22.
const DAY_ONE: &str = r##"{"metadata":{"version":"1.0"},"entries":[
{"uuid":"0123456789ABCDEF0123456789ABCDEF","creationDate":"2024-01-31T22:30:00Z","modifiedDate":"2024-02-01T08:00:00Z","timeZone":"America\/New_York","text":"# A day\n\nIt rained\\. \\- twice\\!\n\n![](dayone-moment:\/\/AA11)","richText":"{}","tags":["rain","two words"],"starred":false,
 "location":{"placeName":"Central Park","localityName":"New York","country":"United States"},"photos":[{"identifier":"AA11","md5":"d41d8cd98f00b204e9800998ecf8427e","type":"jpeg"}]},
{"uuid":"1123456789ABCDEF0123456789ABCDEF","creationDate":"2024-02-01T22:30:00Z","timeZone":"UTC","richText":"{\"contents\":[{\"text\":\"only rich\"}]}","audios":[{"identifier":"BB","md5":"00","format":"m4a","transcription":"said aloud"}]},
{"uuid":"2123456789ABCDEF0123456789ABCDEF","creationDate":"2024-02-02T22:30:00Z","timeZone":"UTC","starred":true}]}"##;

const DO_ENTRY: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict>
<key>Creation Date</key><date>2014-10-23T15:36:33Z</date><key>Entry Text</key><string>Old entry</string><key>Tags</key><array><string>x</string></array><key>UUID</key><string>3123456789ABCDEF0123456789ABCDEF</string></dict></plist>"#;

#[test]
fn day_one_new_and_old() {
    let files: [(&str, &[u8]); 5] = [
        ("Journal.json", DAY_ONE.as_bytes()),
        ("photos/d41d8cd98f00b204e9800998ecf8427e.jpeg", b"jpg"),
        ("Journal.dayone/entries/3123456789ABCDEF0123456789ABCDEF.doentry", DO_ENTRY),
        ("Journal.dayone/photos/3123456789ABCDEF0123456789ABCDEF.jpg", b"jpg"),
        ("Journal.dayone/entries/broken.doentry", b"<plist>"),
    ];
    let read = read_folder(&files);
    insta::assert_snapshot!(shown(&read));
    assert_eq!(ids(&read), ids(&read_zip(&files)));
}

/// Written from the description in formats.md §16; the page is that of the published HTML.
const NOTION: [(&str, &[u8]); 8] = [
    ("Home 1590080aa5a3802488c2e857dea7aa7d.md", b"# Home\n\nWelcome to [Tasks](Home/Tasks%20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1.csv).\n\n- [ ] one\n"),
    ("Home/Tasks aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1.csv", b"\xef\xbb\xbfName,Status,Created time\nCall Bo,Done,\"May 1, 2024 3:00 PM\"\n"),
    ("Home/Tasks aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1_all.csv", b"\xef\xbb\xbfName,Status,Created time\nCall Bo,Done,\"May 1, 2024 3:00 PM\"\nNo page,Open,\"May 2, 2024 3:00 PM\"\nNo page,Open,\"May 2, 2024 3:00 PM\"\n"),
    ("Home/Tasks/Call Bo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2.md", b"# Call Bo\n\nStatus: Done\nCreated time: May 1, 2024 3:00 PM\nLast edited time: May 3, 2024 3:00 PM\n\nHe said yes.\n\n![pic](Call%20Bo/a%20b.png)\n"),
    ("Home/Tasks/Call Bo/a b.png", b"png"),
    ("Home/May 5, 2024 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa3.md", b"# May 5, 2024\n\n<aside>\n\xf0\x9f\x92\xa1 A thought.\n\n</aside>\n"),
    ("Home/Empty aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa4.md", b"# Untitled\n\n"),
    ("Home/data.csv", b"a,b\n1,2\n"),
];

#[test]
fn notion_as_markdown_and_csv() {
    let read = read_folder(&NOTION);
    insta::assert_snapshot!(shown(&read));
    assert_eq!(ids(&read), ids(&read_zip(&NOTION)));
    let part = |files: &[(&str, &[u8])]| zip_of(files, zip::CompressionMethod::Stored);
    let (one, two) = (part(&NOTION[..4]), part(&NOTION[4..]));
    let parts: [(&str, &[u8]); 2] = [("Export-x-Part-1.zip", &one), ("Export-x-Part-2.zip", &two)];
    let from_parts = read_folder(&parts);
    assert_eq!(ids(&from_parts), ids(&read));
    assert!(shown(&from_parts).contains("<a b.png>"), "{}", shown(&from_parts));
}

const NOTION_ROW: &str = r#"<html><body><article id="aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaa2" class="page sans"><header><h1 class="page-title">Call Bo</h1>
<table class="properties"><tbody><tr class="property-row property-row-created_time"><th>Created</th><td><time>@May 1, 2024 3:00 PM</time></td></tr>
<tr class="property-row property-row-multi_select"><th>Tags</th><td><span class="selected-value">a</span><span class="selected-value">b</span></td></tr>
<tr class="property-row property-row-checkbox"><th>Done</th><td><div class="checkbox checkbox-on"></div></td></tr></tbody></table></header>
<div class="page-body"><p>He said <a href="https://a.b">yes</a>.</p><ul class="to-do-list"><li><div class="checkbox checkbox-on"></div> <span class="to-do-children-checked">call</span></li></ul></div></article></body></html>"#;

#[test]
fn a_page_has_one_id_in_both_exports_of_notion() {
    let html = read_folder(&[("Call Bo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2.html", NOTION_ROW.as_bytes())]);
    insta::assert_snapshot!(shown(&html));
    let markdown = read_folder(&NOTION[3..4]);
    assert_eq!(ids(&html), ids(&markdown));
}

/// Written from the description in formats.md §20.
#[test]
fn a_backup_of_bear() {
    let info =
        |more: &str| format!(r#"{{"version":2,"type":"net.daringfireball.markdown","net.shinyfrog.bear":{{{more}}}}}"#);
    let infos = [
        info(
            r#""uniqueIdentifier":"B-1","creationDate":"2024-01-31T10:00:00Z","modificationDate":"2024-02-01T10:00:00Z","trashed":0"#,
        ),
        info(r#""uniqueIdentifier":"B-2","creationDate":"2024-01-31T10:00:00Z","trashed":1"#),
        info(r#""uniqueIdentifier":"B-3","creationDate":"2024-01-31T10:00:00Z","encrypted":1"#),
    ];
    let files: [(&str, &[u8]); 9] = [
        ("Bear Notes 2024/A.textbundle/info.json", infos[0].as_bytes()),
        ("Bear Notes 2024/A.textbundle/text.md", b"# A\n#tag #multi word#\n\n![](assets/a%20b.png)"),
        ("Bear Notes 2024/A.textbundle/assets/a b.png", b"png"),
        ("Bear Notes 2024/B.textbundle/info.json", infos[1].as_bytes()),
        ("Bear Notes 2024/B.textbundle/text.markdown", b"gone"),
        ("Bear Notes 2024/C.textbundle/info.json", infos[2].as_bytes()),
        ("Bear Notes 2024/C.textbundle/text.txt", b""),
        ("Bear Notes 2024/D.textbundle/info.json", b"{}"),
        ("Bear Notes 2024/tags.json", b"{}"),
    ];
    let zip = zip_of(&files, zip::CompressionMethod::Deflated);
    let read = items_of("Backup.bear2bk", &zip).unwrap();
    insta::assert_snapshot!(shown(&read));
    assert_eq!(ids(&read), ids(&read_folder(&files)));
    assert_eq!(ids(&read), ids(&read_folder(&[("Backup.bear2bk", &zip)])));
}

/// Written from the description in formats.md §15, with the fields of real exports.
#[test]
fn a_graph_of_roam_with_two_writers() {
    let json = r#"[{"title":"February 1st, 2024","uid":"02-01-2024","children":[
      {"string":"met ((abc-_1)) ","uid":"u1","create-time":1706790000000,"edit-time":1706790600000,"create-email":"me@example.org","children":[
        {"string":"below","uid":"u2","create-time":1706790060000,"create-email":"ana@example.org"},{"string":"","uid":"u3"}]}]},
      {"title":"Bo","children":[{"string":"Bo, who {{[[DONE]]}} __it__","uid":"abc-_1","create-time":1706700000000,"create-email":"me@example.org"},{"string":"no uid"}]},
      {"title":"Only linked","create-time":1706700000000}]"#;
    let read = items_of("Graph.json", json.as_bytes()).unwrap();
    insta::assert_snapshot!(shown(&read));
    let zip = zip_of(&[("Graph.json", json.as_bytes())], zip::CompressionMethod::Deflated);
    assert_eq!(ids(&read), ids(&items_of("Roam-Export.zip", &zip).unwrap()));
}

/// Written from the description in formats.md §23.
#[test]
fn a_folder_of_org_roam() {
    let files: [(&str, &[u8]); 4] = [
        ("roam/20240131-plan.org", b":PROPERTIES:\n:ID:       aaaa-1\n:END:\n#+title: The plan\n#+filetags: :work:big:\n\nAbove all, see [[id:bbbb-2][Bo]] and [[file:a.png]].\n\n* TODO [#A] Call :phone:\n:PROPERTIES:\n:ID: cccc-3\n:CREATED: [2024-01-31 Wed 10:30]\n:END:\n:LOGBOOK:\n- State \"TODO\" from \"\" [2023-01-01 Sun]\n:END:\nnotes\n#+begin_src sh\n* no heading\n#+end_src\n** below\n* later\nSCHEDULED: <2024-03-01 Fri 9:00>\n"),
        ("roam/a.png", b"png"),
        ("roam/daily/2024-02-01.org", b"#+title: 2024-02-01\n* slept\n* [2024-02-01 Do 14:00] walked\n"),
        ("roam/empty.org", b"#+title: Nothing\n"),
    ];
    let read = read_folder(&files);
    insta::assert_snapshot!(shown(&read));
    let (_kept, root) = folder(&files[..1]);
    let renamed = root.join("roam/renamed.org");
    fs::rename(root.join("roam/20240131-plan.org"), &renamed).unwrap();
    let renamed = ids(&items(&root, &options()).unwrap());
    assert!(renamed.iter().all(|id| ids(&read).contains(id)), "an :ID: holds when the file is renamed");
}

/// Written from the description in formats.md §15.
#[test]
fn a_graph_of_logseq_and_a_canvas() {
    let id = "64b5e3b1-7c31-4d0a-9d3a-6f4c0c7a1e11";
    let page = format!("title:: A/B\ntags:: [[x]], y\n\n- the block\n  id:: {id}\n  collapsed:: true\n- TODO other\n");
    let journal = format!("- see (({id}))\n- {{{{embed (({id}))}}}}\n");
    insta::assert_snapshot!(shown(&read_folder(&[
        ("Graph/logseq/config.edn", b"{}"),
        ("Graph/logseq/bak/pages/a___b/2024.md", b"- old"),
        ("Graph/pages/a___b.md", page.as_bytes()),
        ("Graph/pages/c___d.md", b"- text\n"),
        ("Graph/journals/2024_01_31.md", journal.as_bytes()),
        ("Board.canvas", br#"{"nodes":[{"id":"1","type":"text","text":"a card","x":0,"y":0}],"edges":[]}"#),
        ("Broken.canvas", b"{\"nodes\":["),
        ("Hugo.md", b"{\n\"title\": \"T\",\n\"date\": \"2024-01-31\"\n}\n\nbody\n"),
    ])));
}

/// A database with the tables and the protocol buffers of formats.md §17.
fn note_store(path: &Path) {
    let field = |n: u8, bytes: &[u8]| [&[n << 3 | 2, bytes.len() as u8][..], bytes].concat();
    let number = |n: u8, value: u8| vec![n << 3, value];
    let body = |text: &str, runs: &[Vec<u8>]| {
        let runs: Vec<u8> = runs.iter().flat_map(|run| field(5, run)).collect();
        let note = [field(2, text.as_bytes()), runs].concat();
        let all = field(2, &field(3, &note));
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut zip, &all).unwrap();
        zip.finish().unwrap()
    };
    let title = [number(1, 6), field(2, &number(1, 0))].concat();
    let done = [number(1, 5), field(2, &[number(1, 103), field(5, &number(2, 1))].concat())].concat();
    let picture = [number(1, 1), field(12, &[field(1, b"att-1"), field(2, b"public.jpeg")].concat())].concat();
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "CREATE TABLE ZICCLOUDSYNCINGOBJECT (Z_PK INTEGER PRIMARY KEY, ZIDENTIFIER TEXT, ZTITLE1 TEXT, ZTITLE2 TEXT, ZFOLDER INTEGER, ZFOLDERTYPE INTEGER,
           ZCREATIONDATE1 REAL, ZCREATIONDATE3 REAL, ZMODIFICATIONDATE1 REAL, ZISPASSWORDPROTECTED INTEGER, ZMARKEDFORDELETION INTEGER,
           ZALTTEXT TEXT, ZTITLE TEXT, ZURLSTRING TEXT, ZMERGEABLEDATA1 BLOB, ZMEDIA INTEGER, ZFILENAME TEXT);
         CREATE TABLE ZICNOTEDATA (Z_PK INTEGER PRIMARY KEY, ZNOTE INTEGER, ZDATA BLOB);
         INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZTITLE2, ZFOLDERTYPE) VALUES (1, 'Notes', 0), (2, 'Recently Deleted', 1);
         INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZIDENTIFIER, ZTITLE1, ZFOLDER, ZCREATIONDATE3, ZMODIFICATIONDATE1, ZISPASSWORDPROTECTED) VALUES
           (10, 'note-1', 'Title', 1, 728388000.5, 728391600, 0), (11, 'note-2', 'Gone', 2, 728388000, 728391600, 0),
           (12, 'note-3', 'Locked', 1, 728388000, 728391600, 1), (13, 'note-4', 'Broken', 1, 728388000, 728391600, 0), (14, 'note-5', 'Cloud', 1, 728388000, 1, 0);
         INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZIDENTIFIER, ZMEDIA) VALUES (20, 'att-1', 21);
         INSERT INTO ZICCLOUDSYNCINGOBJECT (Z_PK, ZIDENTIFIER, ZFILENAME) VALUES (21, 'media-1', 'sea.jpg');",
    )
    .unwrap();
    let add = |note: i64, data: Option<Vec<u8>>| {
        db.execute("INSERT INTO ZICNOTEDATA (ZNOTE, ZDATA) VALUES (?1, ?2)", (note, data)).unwrap();
    };
    add(10, Some(body("Title\nmilk\n\u{fffc}", &[title, done, picture])));
    add(11, Some(body("gone", &[])));
    add(12, Some(vec![1, 2, 3]));
    add(13, Some(vec![0x1f, 0x8b, 0]));
    add(14, None);
}

#[test]
fn the_database_of_apple_notes() {
    let (_kept, root) = folder(&[("Accounts/1/Media/media-1/sea.jpg", b"jpg")]);
    note_store(&root.join("NoteStore.sqlite"));
    let read = items(&root, &options()).unwrap();
    insta::assert_snapshot!(shown(&read));
    let zip = fs::read(root.join("NoteStore.sqlite")).unwrap();
    assert_eq!(ids(&read), ids(&read_zip(&[("x/NoteStore.sqlite", &zip)])));
}

/// Written from descriptions; no sample was at hand.
#[test]
fn notes_out_of_a_privacy_export() {
    insta::assert_snapshot!(shown(&read_folder(&[
        ("iCloud Notes/Notes Details.csv", b"Title,Created On,Modified On,Pinned,Deleted\nPlan,01/31/2024 10:00:00 GMT,02/01/2024 10:00:00 GMT,No,No\nOld,01/31/2024 10:00:00 GMT,,No,Yes\n"),
        ("iCloud Notes/Notes/Plan/Plan.txt", b"Plan\nwalk\n"),
        ("iCloud Notes/Notes/Plan/a.png", b"png"),
        ("iCloud Notes/Notes/Old/Old.txt", b"Old\n"),
    ])));
}

const OURS: [(&str, &str); 11] = [
    ("markdown", "markdown"),
    ("notion", "notion"),
    ("apple_journal", "apple_journal"),
    ("keep", "keep"),
    ("evernote", "evernote"),
    ("bear", "bear"),
    ("roam", "roam"),
    ("org", "org"),
    ("apple_notes", "apple_notes"),
    ("joplin", "joplin"),
    ("dayone", "dayone"),
];

/// Keys of the formats that claim something of an export.
fn claimed_by(path: &Path) -> Vec<&'static str> {
    let read = evoke_import::read(path, &options(), &mut |_| ControlFlow::Continue(()), &mut |_, _| ());
    read.map(|formats| formats.into_iter().map(|format| format.key).collect()).unwrap_or_default()
}

#[test]
fn every_fixture_is_claimed_by_its_own_format_alone() {
    let notes =
        ["apple_notes", "evernote", "joplin", "bear", "notion", "dayone", "keep", "roam", "apple_journal", "org"];
    for entry in fs::read_dir(fixture("")).unwrap().map(Result::unwrap).filter(|e| e.path().is_dir()) {
        let name = entry.file_name().into_string().unwrap();
        let ours = OURS.iter().find(|(folder, _)| *folder == name).map(|(_, key)| *key);
        for file in folders(&name) {
            let path = fixture(&format!("{name}/{file}"));
            let claimed = claimed_by(&path);
            match ours {
                Some(key) => assert_eq!(claimed, [key], "{}", path.display()),
                None => assert!(!claimed.iter().any(|key| notes.contains(key)), "{}: {claimed:?}", path.display()),
            }
        }
    }
}

/// Cut anywhere and with bytes changed: it ends without a panic, and what is said adds up to something.
#[test]
fn damage_ends() {
    let database = tempfile::tempdir().unwrap();
    note_store(&database.path().join("NoteStore.sqlite"));
    let samples = [
        ("a.enex", ENEX.as_bytes().to_vec()),
        ("a.jex", jex()),
        ("a.json", DAY_ONE.as_bytes().to_vec()),
        ("b.json", KEEP[0].1.to_vec()),
        ("c.json", fs::read(fixture("roam/obsidian-importer__shapes.json")).unwrap()),
        ("a.org", fs::read(fixture("org/promnesia__file.org")).unwrap()),
        ("Call Bo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2.html", NOTION_ROW.as_bytes().to_vec()),
        ("Tasks aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1_all.csv", NOTION[2].1.to_vec()),
        ("journal.html", fs::read(fixture("apple_journal/obsidian-importer__entry-complex-metadata.html")).unwrap()),
        ("a.canvas", br#"{"nodes":[{"id":"1","type":"text","text":"a card","x":0,"y":0}],"edges":[]}"#.to_vec()),
        ("NoteStore.sqlite", fs::read(database.path().join("NoteStore.sqlite")).unwrap()),
    ];
    for (name, bytes) in samples {
        let step = (bytes.len() / 60).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
            for damaged in [&flipped, &bytes[..at].to_vec()] {
                if let Ok(items) = items_of(name, damaged) {
                    let (kept, skipped, failed) = counts(&items);
                    assert!(kept + skipped + failed > 0, "{name} at {at}");
                }
            }
        }
    }
}

#[test]
fn the_name_of_a_note_is_read_with_it() {
    let first = |files: &[(&str, &[u8])]| {
        let items = read_folder(files);
        items.into_iter().find_map(|i| if let Item::Message(m) = i { Some(m.text) } else { None }).unwrap()
    };
    for (name, text, expected) in [
        ("Quantum soup.md", "Only the body.", "# Quantum soup\n\nOnly the body."),
        ("soup.md", "# Soup\n\nx", "# Soup\n\nx"),
        ("2024 plan.md", "# Soup\n\nx", "# Soup\n\n*2024 plan*\n\nx"),
        ("my-first-post.md", "---\ntitle: My first post\ntags: [a]\n---\nx", "# My first post\n\n#a\n\nx"),
        ("a.md", "a b", "# a\n\na b"),
    ] {
        assert_eq!(first(&[(name, text.as_bytes())]), expected, "{name}");
    }
}

#[test]
fn a_note_of_keep_with_few_fields() {
    let note =
        br#"{"title":"List","listContent":[{"text":"a","isChecked":true}],"userEditedTimestampUsec":1690857983842000}"#;
    let items = read_folder(&[("Keep/List.json", note)]);
    assert!(matches!(&items[1], Item::Message(m) if m.source == "keep" && m.text == "# List\n\n- [x] a"), "{items:?}");
}
