//! Attached files: what documents say comes with their message, and every file can be read again by its path.

use crate::reading::{fixture, items, options};
use evoke_import::{AttachedFiles, Item, attached_file};
use evoke_message::Message;
use std::{fs, path::Path};

const CHAT: &str = "[05.01.24, 10:00:00] Ana: hi\n\
    [05.01.24, 10:01:00] Ana: \u{200e}<attached: 0002-hello.pdf>\n\
    [05.01.24, 10:02:00] Ben: see this\n\u{200e}<attached: 0003-rlink.docx>\n\
    [05.01.24, 10:03:00] Ben: \u{200e}<attached: 0004-photo.jpg>\n\
    [05.01.24, 10:04:00] Ben: \u{200e}<attached: 0005-broken.pdf>\n";

fn export(folder: &Path) {
    let copy = |from: &str, to: &str| fs::copy(fixture(from), folder.join(to)).unwrap();
    fs::write(folder.join("_chat.txt"), CHAT).unwrap();
    copy("documents/langchain-community__hello.pdf", "0002-hello.pdf");
    copy("documents/markitdown__rlink.docx", "0003-rlink.docx");
    fs::write(folder.join("0004-photo.jpg"), b"\xff\xd8\xffpicture").unwrap();
    fs::write(folder.join("0005-broken.pdf"), b"%PDF-1.7\nnothing else").unwrap();
}

fn zipped(folder: &Path, to: &Path) {
    let mut zip = zip::ZipWriter::new(fs::File::create(to).unwrap());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        zip.start_file(path.file_name().unwrap().to_str().unwrap(), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, &fs::read(path).unwrap()).unwrap();
    }
    zip.finish().unwrap();
}

fn messages(items: &[Item]) -> Vec<&Message> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.as_ref()) } else { None }).collect()
}

#[test]
fn documents_say_what_they_say_and_files_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let export_folder = folder.path().join("WhatsApp Chat - Ana");
    fs::create_dir(&export_folder).unwrap();
    export(&export_folder);
    let archive = folder.path().join("WhatsApp Chat - Ana.zip");
    zipped(&export_folder, &archive);
    for path in [&export_folder, &archive] {
        let items = items(path, &options()).unwrap();
        let messages = messages(&items);
        assert_eq!(messages.len(), 5);
        let said: Vec<Vec<&str>> =
            messages.iter().map(|m| m.documents.iter().map(|d| d.text.trim()).collect()).collect();
        assert_eq!((&said[0], &said[1], &said[3], &said[4]), (&vec![], &vec!["Hello world!\n\n1"], &vec![], &vec![]));
        assert_eq!(said[2], ["Testing Linked Images"]);
        let notes: Vec<&String> =
            items.iter().filter_map(|i| if let Item::Note(n) = i { Some(n) } else { None }).collect();
        let notes: Vec<&&String> = notes.iter().filter(|note| note.starts_with("Attached documents")).collect();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("0005-broken.pdf"), "{notes:?}");
        let photo = messages[3].attachments[0].path.as_deref().unwrap();
        assert_eq!(attached_file(path, photo, 100).unwrap().unwrap(), b"\xff\xd8\xffpicture");
        assert!(attached_file(path, photo, 3).is_err(), "longer than asked for");
        let files = AttachedFiles::open(path).unwrap();
        assert_eq!(files.read(photo, 100).unwrap().unwrap(), b"\xff\xd8\xffpicture");
        assert_eq!(files.read("../_chat.txt", 100).unwrap(), None);
        assert_eq!(attached_file(path, "../secret", 100).unwrap(), None);
    }
}

#[test]
#[cfg(unix)]
fn a_link_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let export_folder = folder.path().join("chat");
    fs::create_dir(&export_folder).unwrap();
    export(&export_folder);
    fs::write(folder.path().join("secret"), b"secret").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), export_folder.join("link.jpg")).unwrap();
    std::os::unix::fs::symlink(folder.path(), export_folder.join("up")).unwrap();
    for path in ["link.jpg", "up/secret"] {
        assert_eq!(attached_file(&export_folder, path, 100).unwrap(), None, "{path}");
    }
}

#[test]
fn a_document_in_a_mail_is_part_of_it() {
    let mail = "From: Ana <ana@x.org>\r\nTo: ben@x.org\r\nDate: Fri, 5 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n\
        Subject: Lease\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nAttached.\r\n\
        --b\r\nContent-Type: text/plain; name=lease.txt\r\nContent-Disposition: attachment; filename=lease.txt\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nVGhlIGRlcG9zaXQgaXMgdHdvIHJlbnRzLg==\r\n--b--\r\n";
    let items = crate::reading::items_of("lease.eml", mail.as_bytes()).unwrap();
    let messages = messages(&items);
    assert_eq!(messages[0].text, "**Lease**\n\nAttached.");
    assert_eq!(messages[0].documents[0].text.trim(), "The deposit is two rents.");
    let (_, at) = messages[0].documents_at().next().unwrap();
    assert_eq!(messages[0].written()[at.clone()].trim(), "The deposit is two rents.");
    assert_eq!(messages[0].file_at(at.start).unwrap().name, "lease.txt");
    assert_eq!(messages[0].file_at(0), None);
}

#[test]
fn a_document_inside_an_evernote_note_is_read() {
    let path = fixture("evernote/obsidian-importer__test-pdfAttachment.enex");
    let items = items(&path, &options()).unwrap();
    let messages = messages(&items);
    let [note] = messages.as_slice() else { panic!("{}", messages.len()) };
    assert_eq!(note.attachments[0].name, "sample.pdf");
    let [document] = note.documents.as_slice() else { panic!("{}", note.documents.len()) };
    assert_eq!(document.file, 0);
    assert!(document.text.starts_with("A Simple PDF File"), "{}", document.text);
    assert!(document.text.contains("Simple PDF File 2"), "the second page");
}
