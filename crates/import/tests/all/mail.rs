//! E-mail: published samples, and mailboxes written from the description (formats.md §14) for what they lack.

use crate::reading::{counts, fixture, items, items_of, options, shown};
use evoke_import::Item;
use evoke_message::Message;
use std::{collections::HashSet, fs, path::Path};

fn messages(items: &[Item]) -> Vec<&Message> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.as_ref()) } else { None }).collect()
}

#[test]
fn every_published_mail() {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in fs::read_dir(fixture("email")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with(".md") {
            files.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let zip = crate::hostile::zip_of(&files, zip::CompressionMethod::Deflated);
    insta::assert_snapshot!(shown(&items_of("mails.zip", &zip).unwrap()));
    insta::assert_snapshot!(shown(
        &items(&fixture("documents/langchain-community__fake-email-attachment.eml"), &options()).unwrap()
    ));
}

/// Written from the description: what the published mails lack.
const EVERYTHING: &str = r#"From 1790@xxx Mon Jan 01 09:00:00 +0000 2024
X-GM-THRID: 1790
X-Gmail-Labels: =?UTF-8?Q?Posteingang,Ge=C3=B6ffnet?=
Message-ID: <a@x>
Date: Mon, 1 Jan 2024 10:00:00 +0100
From: =?utf-8?q?Ana_L=C3=B3pez?= <Ana@Example.org>
To: "'Bob B.'" <bob@example.org>, undisclosed-recipients:;
Subject: Trip to the sea
Content-Type: text/plain; charset=utf-8; format=flowed

Shall we go to the sea on Friday? I would 
drive.
-- 
Ana

From 1791@xxx Mon Jan 01 10:00:00 +0000 2024
X-GM-THRID: 1790
X-Gmail-Labels: Sent
Message-ID: <b@x>
In-Reply-To: <a@x>
References: <a@x>
Date: Mon, 1 Jan 2024 11:00:00 +0100 (CET)
From: Bob <bob@example.org>
To: Ana
Subject: Re: Trip to the sea

Yes!

>From Friday on I am free.

On Mon, 1 Jan 2024 at 10:00, Ana López <Ana@Example.org> wrote:

> Shall we go to the sea on Friday?

From 1792@xxx Mon Jan 01 11:00:00 +0000 2024
X-Gmail-Labels: Drafts
Message-ID: <c@x>
In-Reply-To: <gone@x>
Date: Mon, 1 Jan 2024 12:00:00 +0100
From: Bob <bob@example.org>
To: ana@example.org
Subject: AW: Train
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<html><body><p>Sch=F6n, <b>10:30</b></p><blockquote>Which train?</blockquote></body></html>
--m
Content-Type: application/octet-stream; name="=?utf-8?Q?Fahrplan_M=C3=A4rz.pdf?="
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--m--

From 1793@xxx Mon Jan 01 12:00:00 +0000 2024
X-Gmail-Labels: Spam
Message-ID: <spam@x>
From: Winner <win@x>
Subject: You won

Money.

From 1790@xxx Mon Jan 01 09:00:00 +0000 2024
X-Gmail-Labels: Important
Message-ID: <a@x>
Date: Mon, 1 Jan 2024 10:00:00 +0100
From: Ana <ana@example.org>
Subject: Trip to the sea

Shall we go?

From bob@example.org Tue Jan 02 08:00:00 2024
Message-ID: <d@x>
Date: soon
References: <c@x>
 <b@x>
From: bob@example.org (Bob)
Subject: One for both

Two threads are one.

From x@x Wed Jan 03 08:00:00 2024
Message-ID: <a@x>
Date: Wed, 3 Jan 2024 09:00:00 +0100
From: robot@x
Subject: The same id again

Another mail.

From x@x Thu Jan 04 08:00:00 2024
From: no id <n@x>
Date: Thu, 4 Jan 2024 09:00:00 +0100
Subject: No id

None.
"#;

#[test]
fn a_mailbox_of_everything() {
    for text in [EVERYTHING.to_owned(), EVERYTHING.replace('\n', "\r\n")] {
        let items = items_of("All mail.mbox", text.as_bytes()).unwrap();
        insta::assert_snapshot!(shown(&items));
    }
}

/// The mails of [`EVERYTHING`] as files of their own.
fn single(text: &str) -> Vec<String> {
    let mut mails: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match line.starts_with("From ") {
            true => mails.push(String::new()),
            false => mails
                .last_mut()
                .unwrap()
                .push_str(line.strip_prefix('>').filter(|l| l.starts_with("From ")).unwrap_or(line)),
        }
    }
    mails
}

fn ids(items: &[Item]) -> HashSet<(String, String)> {
    messages(items).iter().map(|m| (m.id.to_string(), m.conversation.to_string())).collect()
}

#[test]
fn the_same_mails_from_an_mbox_a_maildir_a_zip_and_files_have_the_same_ids() {
    let whole = ids(&items_of("All mail.mbox", EVERYTHING.as_bytes()).unwrap());
    let mails = single(EVERYTHING);
    let read = |write: &dyn Fn(&Path, usize, &str)| {
        let folder = tempfile::tempdir().unwrap();
        mails.iter().enumerate().for_each(|(i, mail)| write(folder.path(), i, mail));
        ids(&items(folder.path(), &options()).unwrap())
    };
    let maildir = read(&|folder, i, mail| {
        let cur = folder.join("Mail/INBOX/cur");
        fs::create_dir_all(&cur).unwrap();
        fs::write(cur.join(format!("170000{i}.M1.host:2,S")), mail).unwrap();
    });
    let files =
        read(&|folder, i, mail| fs::write(folder.join(format!("{i}.eml")), mail.replace('\n', "\r\n")).unwrap());
    let apple = read(&|folder, i, mail| {
        fs::write(
            folder.join(format!("{i}.emlx")),
            format!("{:<10}\n{mail}<?xml version=\"1.0\"?><plist></plist>", mail.len()),
        )
        .unwrap()
    });
    let zip =
        crate::hostile::zip_of(&[("Takeout/Mail/Inbox.mbox", EVERYTHING.as_bytes())], zip::CompressionMethod::Deflated);
    assert_eq!(maildir, whole);
    assert_eq!(files, whole);
    assert_eq!(apple, whole);
    assert_eq!(ids(&items_of("takeout.zip", &zip).unwrap()), whole);
}

#[test]
fn threads_are_found_across_files_and_the_owner_by_what_was_sent() {
    let mails = single(EVERYTHING);
    let mbox = |i: usize| format!("From \r\n{}\r\n", mails[i]);
    let (inbox, sent, trash) = (mbox(0), mbox(1).replace("X-Gmail-Labels: Sent\n", ""), mbox(7));
    let files = [
        ("Mail/Inbox", inbox.as_bytes()),
        ("Mail/Inbox.msf", b"// <!-- <mdb:mork:z v=\"1.4\"/> -->"),
        ("Mail/Sent", sent.as_bytes()),
        ("Mail/Trash", trash.as_bytes()),
    ];
    let items = items_of("profile.zip", &crate::hostile::zip_of(&files, zip::CompressionMethod::Stored)).unwrap();
    insta::assert_snapshot!(shown(&items));
    assert_eq!(messages(&items).iter().map(|m| m.conversation).collect::<HashSet<_>>().len(), 1);
}

#[test]
fn damage_anywhere_ends_and_costs_little() {
    let whole = messages(&items_of("m.mbox", EVERYTHING.as_bytes()).unwrap()).len();
    for at in (0..EVERYTHING.len()).step_by(7) {
        let cut = items_of("m", &EVERYTHING.as_bytes()[..at]).unwrap_or_default();
        assert!(counts(&cut).0 <= whole);
        let mut flipped = EVERYTHING.as_bytes().to_vec();
        flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
        let items = items_of("m.mbox", &flipped).unwrap_or_default();
        let (kept, skipped, failed) = counts(&items);
        // A byte of a separator joins two mails; one of a label may free spam or hide a mail.
        assert!(kept + skipped + failed >= 7 || at < 50, "{at}: {}", shown(&items));
    }
}

#[test]
fn mails_with_few_fields() {
    let bounce = "From: MAILER-DAEMON@example.com\nTo: bo@example.net\nDate: Wed, 20 Feb 2013 15:50:26 -0000\nSubject: Failure Notice\n\nSorry.\n";
    let headless = "Return-Path: <x@example.org>\nReceived: from a by b; Tue, 14 Mar 2006 04:48:32 -0800\nDate: Tue, 14 Mar 2006 13:47:54 +0100\nSubject: Hm\n\nx\n";
    let memo = "From: the board\nTo: all\nDate: Monday\nSubject: Parking\n\nIt is full.\n";
    let wide = b"Content-Type: multipart/mixed; boundary=\"1\"\nMIME-Version: 1.0\n\n--1\nContent-Type: text/plain; charset=utf-16le\n\nT\0e\0s\0t\0\n\0\n--1--\n";
    for (name, mail, source) in [
        ("bounce.txt", bounce.as_bytes(), "mail"),
        ("headless.txt", headless.as_bytes(), "mail"),
        ("memo.txt", memo.as_bytes(), "documents"),
        ("wide.eml", wide, "mail"),
    ] {
        let items = items_of(name, mail).unwrap();
        assert_eq!(messages(&items).iter().map(|m| m.source.as_str()).collect::<Vec<_>>(), [source], "{name}");
    }
}

#[test]
fn a_mail_without_a_date_has_that_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.eml");
    fs::write(&path, "From: a@example.org\nSubject: Hm\n\nx\n").unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000)).unwrap();
    let items = items(&path, &options()).unwrap();
    assert_eq!(messages(&items)[0].time, 1_600_000_000_000);
}

/// For `benches/mailbox.py`, which compares with notmuch.
#[test]
#[ignore = "needs a mailbox, named by MAILBOX"]
#[allow(clippy::print_stdout)]
fn counts_of_a_mailbox() {
    let path = std::env::var("MAILBOX").unwrap();
    let start = std::time::Instant::now();
    let (mut ids, mut threads, mut others) = (HashSet::new(), HashSet::new(), 0u64);
    let mut sink = |item: Item| {
        match item {
            Item::Message(m) => {
                ids.insert(m.id);
                threads.insert(m.conversation);
            }
            Item::Skipped { .. } | Item::Failed(_) => others += 1,
            _ => {}
        }
        std::ops::ControlFlow::Continue(())
    };
    evoke_import::read(Path::new(&path), &options(), &mut sink, &mut |_, _| ()).unwrap();
    println!("messages {} threads {} skipped or failed {others}, {:.1?}", ids.len(), threads.len(), start.elapsed());
}
