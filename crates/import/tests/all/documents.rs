//! Documents: the published samples, those made here from the formats' descriptions, and what must be refused.

use crate::{
    hostile::zip_of,
    reading::{counts, fixture, items, items_of, options, shown},
};
use evoke_import::{Item, document_text};
use std::fs;
use zip::CompressionMethod;

const ALL: [&str; 13] = [
    "documents/langchain-community__example.html",
    "documents/langchain-community__fake.odt",
    "documents/langchain-community__hello.pdf",
    "documents/markitdown__SPARSE-2024-INV-1234_borderless_table.pdf",
    "documents/markitdown__docx_image_start.docx",
    "documents/markitdown__pdf_complex_layout.pdf",
    "documents/markitdown__rlink.docx",
    "documents/markitdown__test.epub",
    "documents/markitdown__test_notebook.ipynb",
    "documents/obsidian-importer__sample.csv",
    "html/obsidian-importer__dup-example.html",
    "html/obsidian-importer__embeds.html",
    "html/obsidian-importer__links.html",
];

/// Without the time of a file, which is that of its copy.
fn told(items: &[Item]) -> String {
    let mut items = items.to_vec();
    for item in &mut items {
        match item {
            Item::Message(m) if m.time_original.starts_with("file changed") => m.time = 0,
            _ => {}
        }
    }
    shown(&items)
}

#[test]
fn every_published_document() {
    for name in ALL {
        let items = items(&fixture(name), &options()).unwrap();
        insta::assert_snapshot!(name.replace(['/', '.'], "_"), told(&items));
    }
}

fn texts(items: &[Item]) -> Vec<&str> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.text.as_str()) } else { None }).collect()
}

#[test]
fn a_name_and_a_folder_do_not_matter() {
    let ids = |items: Vec<Item>| -> Vec<_> {
        items
            .into_iter()
            .filter_map(|i| if let Item::Message(m) = i { Some((m.id, m.conversation)) } else { None })
            .collect()
    };
    for name in ALL {
        let bytes = fs::read(fixture(name)).unwrap();
        let expected = ids(items(&fixture(name), &options()).unwrap());
        let ending = name.rsplit_once('.').unwrap().1;
        assert_eq!(ids(items_of(&format!("other (1).{ending}"), &bytes).unwrap()), expected, "{name}");
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let zip = zip_of(&[(&format!("a/b.{ending}"), &bytes), ("a/c.jpg", b"jpg")], method);
            assert_eq!(ids(items_of("e.zip", &zip).unwrap()), expected, "{name}");
        }
        let text = document_text(&format!("x.{ending}"), &bytes).unwrap().unwrap();
        assert!(!text.is_empty(), "{name}");
    }
    // By its content alone.
    for name in [
        "documents/langchain-community__hello.pdf",
        "documents/markitdown__rlink.docx",
        "html/obsidian-importer__links.html",
    ] {
        let bytes = fs::read(fixture(name)).unwrap();
        assert_eq!(ids(items_of("no ending", &bytes).unwrap()), ids(items(&fixture(name), &options()).unwrap()));
    }
}

#[test]
fn what_is_no_document_is_refused() {
    for (name, bytes) in [
        ("a.txt", br#"{"messages": [{"from": "Ana"}]}"#.as_slice()),
        ("a.txt", b"{\"a\": 1}\n{\"a\": 2}\n"),
        ("a.txt", br#"[{"mapping": {"a": "#),
        ("a.txt", b"<?xml version=\"1.0\"?><things/>"),
        ("a.txt", b"\x01\x02\x03\0\0\0\x04\x05\x06\x07\x08\x09binary\x01\x02\0\0"),
        ("a.txt", b"-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
        ("a.txt", b"id,name,age,city\n1,a,2,b\n2,b,3,c\n3,c,4,d\n4,d,5,e\n"),
        ("a.csv", b"Date,Sender,Message\n2024-01-01,Ana,hi\n"),
        ("a.csv", b"PK\0\0\x01\x02"),
        ("a.html", b"<html><body><div class=\"message default clearfix\" id=\"message1\"></div></body></html>"),
        ("notes", b"{\"a\": [1, 2"),
    ] {
        assert!(items_of(name, bytes).is_err(), "{name} {:?}", String::from_utf8_lossy(bytes));
        assert_eq!(document_text(name, bytes).unwrap(), None);
    }
    // Another format's.
    let bookmarks = b"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><DT><A HREF=\"https://x.org\">x</A></DL>";
    assert_eq!(document_text("a.html", bookmarks).unwrap(), None);
}

#[test]
fn documents_that_hold_no_text_say_so() {
    let skipped = |name: &str, bytes: &[u8]| {
        let items = items_of(name, bytes).unwrap();
        assert_eq!(counts(&items), (0, 1, 0), "{name}: {items:?}");
        assert_eq!(document_text(name, bytes).unwrap(), None);
        items
            .into_iter()
            .find_map(|i| if let Item::Skipped { reason, .. } = i { Some(reason.into_owned()) } else { None })
            .unwrap()
    };
    assert!(skipped("scan.pdf", pdf(&[""], "").as_bytes()).contains("scan"));
    assert!(skipped("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old").contains("2007"));
    assert!(
        skipped(
            "a.epub",
            &zip_of(
                &[
                    ("mimetype", b"application/epub+zip"),
                    ("META-INF/container.xml", b"<container/>"),
                    ("META-INF/encryption.xml", br#"<encryption><CipherReference URI="a.xhtml"/></encryption>"#)
                ],
                CompressionMethod::Stored
            )
        )
        .contains("protected")
    );
    let damaged = items_of("a.pdf", b"%PDF-1.7\nnothing else").unwrap();
    assert_eq!(counts(&damaged), (0, 0, 1));
    assert!(document_text("a.pdf", b"%PDF-1.7\nnothing else").is_err());
}

/// A PDF of these pages' content, with a font `/F` and more entries of the resources.
fn pdf(pages: &[&str], resources: &str) -> String {
    let form = "BT /F 12 Tf 10 90 Td (form) Tj ET /Me Do";
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {} /MediaBox [0 0 600 800] /Kids [{}] >>",
            pages.len(),
            (0..pages.len()).map(|n| format!("{} 0 R ", 5 + 2 * n)).collect::<String>()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        format!(
            "<< /Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /Me 4 0 R >> /Font << /F 3 0 R >> >> /Length {} >>\nstream\n{form}\nendstream",
            form.len()
        ),
    ];
    for (n, content) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /Contents {} 0 R /Resources << /Font << /F 3 0 R >> {resources} >> >>",
            6 + 2 * n
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        places.push(out.len());
        out += &format!("{} 0 obj\n{object}\nendobj\n", n + 1);
    }
    let at = out.len();
    out += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    places.iter().for_each(|place| out += &format!("{place:010} 00000 n \n"));
    out + &format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n", objects.len() + 1)
}

#[test]
fn pages_of_every_kind_are_read() {
    let whole = pdf(
        &[
            "BT /F 12 Tf 72 700 Td (First page, an exam-) Tj 0 -14 Td (ple of text.) Tj 0 -60 Td [(Ap) -20 (art) -600 (word)] TJ ET",
            // A form that leads back to itself, operators without operands, a font that is not there, colours.
            "/Me Do q Q Q Tj BT 10 10 Td (no font) Tj /None 12 Tf (none) Tj /F 12 Tf 14 TL (shown) Tj (next line) ' /DeviceX cs 1 2 sc ET",
            "BT /F 12 Tf 72 700 Td (Last.) Tj",
        ],
        "/XObject << /Me 4 0 R >>",
    );
    let text = document_text("a.pdf", whole.as_bytes()).unwrap().unwrap();
    assert_eq!(text, "First page, an example of text.\n\nApart word\n\nform\n\nshown\nnext line\n\nLast.");
}

#[test]
fn word_changes_notes_tables_and_links() {
    let document = r#"<?xml version="1.0"?><w:document xmlns:w="w" xmlns:r="r" xmlns:m="m" xmlns:mc="mc"><w:body>
      <w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>Titel &amp; mehr</w:t></w:r></w:p>
      <w:p><w:r><w:t xml:space="preserve">Kept </w:t></w:r><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>
        <w:r><w:footnoteReference w:id="2"/></w:r><w:hyperlink r:id="rId9"><w:r><w:t>link</w:t></w:r></w:hyperlink><m:oMath><m:r><m:t>x=1</m:t></m:r></m:oMath></w:p>
      <w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>
      <w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>inner</w:t></w:r></w:p>
      <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr>
      <w:tr><w:tc><w:p><w:r><w:t>c</w:t><w:br/><w:t>d</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
      <w:p><mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice><mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent></w:p>
    </w:body></w:document>"#;
    let docx = zip_of(
        &[
            ("[Content_Types].xml", b"<Types/>"),
            ("word/document.xml", document.as_bytes()),
            ("word/styles.xml", br#"<w:styles><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>"#),
            ("word/_rels/document.xml.rels", br#"<Relationships><Relationship Id="rId9" Type="x/hyperlink" Target="https://x.org"/></Relationships>"#),
            ("word/footnotes.xml", br#"<w:footnotes><w:footnote w:type="separator" w:id="0"><w:p><w:r><w:t>-</w:t></w:r></w:p></w:footnote><w:footnote w:id="2"><w:p><w:r><w:t>a note</w:t></w:r></w:p></w:footnote></w:footnotes>"#),
            ("word/comments.xml", br#"<w:comments><w:comment w:author="Bo" w:id="1"><w:p><w:r><w:t>really?</w:t></w:r></w:p></w:comment></w:comments>"#),
            ("docProps/core.xml", br#"<cp:coreProperties><dc:creator>Ana</dc:creator><dcterms:created>2024-01-15T10:00:00Z</dcterms:created></cp:coreProperties>"#),
        ],
        CompressionMethod::Deflated,
    );
    let items = items_of("letter.docx", &docx).unwrap();
    insta::assert_snapshot!(shown(&items));
    // Its name does not matter.
    assert_eq!(texts(&items_of("letter.zip", &docx).unwrap()), texts(&items));
}

#[test]
fn sheets_slides_and_open_documents() {
    let xlsx = zip_of(
        &[
            ("[Content_Types].xml", b"<Types/>"),
            ("xl/workbook.xml", br#"<workbook><sheets><sheet name="Trips" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
            ("xl/_rels/workbook.xml.rels", br#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>"#),
            ("xl/styles.xml", br#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#),
            ("xl/sharedStrings.xml", "<sst><si><t>Ort</t></si><si><r><t>Kö</t></r><r><t>ln</t></r></si></sst>".as_bytes()),
            ("xl/worksheets/sheet1.xml", br#"<worksheet><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>Day</t></is></c></row><row><c r="A2" t="s"><v>1</v></c><c r="B2"><v>3.5</v></c><c r="C2" s="1"><v>45306</v></c></row></sheetData></worksheet>"#),
        ],
        CompressionMethod::Deflated,
    );
    assert_eq!(document_text("a.xlsx", &xlsx).unwrap().unwrap(), "## Trips\n\nOrt |  | Day\nKöln | 3.5 | 2024-01-15");
    let slide = |title: &str, text: &str| {
        format!(
            r#"<p:sld><p:sp><p:ph type="title"/><a:p><a:r><a:t>{title}</a:t></a:r></a:p></p:sp><p:sp><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sp></p:sld>"#
        )
    };
    let pptx = zip_of(
        &[
            ("[Content_Types].xml", b"<Types/>"),
            ("ppt/presentation.xml", br#"<p><p:sldIdLst><p:sldId id="256" r:id="r2"/><p:sldId id="257" r:id="r1"/></p:sldIdLst></p>"#),
            ("ppt/_rels/presentation.xml.rels", br#"<Relationships><Relationship Id="r1" Target="slides/slide1.xml"/><Relationship Id="r2" Target="slides/slide2.xml"/></Relationships>"#),
            ("ppt/slides/slide1.xml", slide("Second", "b").as_bytes()),
            ("ppt/slides/slide2.xml", slide("First", "a").as_bytes()),
        ],
        CompressionMethod::Deflated,
    );
    assert_eq!(document_text("a.pptx", &pptx).unwrap().unwrap(), "## First\n\na\n\n## Second\n\nb");
    let content = r#"<office:document-content><office:body><office:text><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>
        <text:h text:outline-level="2">Head</text:h><text:p>One<text:s text:c="2"/>two <text:a xlink:href="https://x.org">link</text:a><text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>a note</text:p></text:note-body></text:note></text:p>
        <text:list><text:list-item><text:p>item</text:p></text:list-item></text:list>
        <table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell table:number-columns-repeated="3"><text:p>b</text:p></table:table-cell></table:table-row></table:table></office:text></office:body></office:document-content>"#;
    let odt = zip_of(
        &[("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", content.as_bytes())],
        CompressionMethod::Stored,
    );
    assert_eq!(
        document_text("a.odt", &odt).unwrap().unwrap(),
        "## Head\n\nOne  two [link](https://x.org)[^1]\n\n- item\n\na | b | b | b\n\n[^1]: a note"
    );
}

#[test]
fn a_saved_page_in_one_file() {
    let mhtml = "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://x.org/a\r\nSubject: A page\r\nDate: Wed, 31 Jan 2024 10:00:00 -0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\ttype=\"text/html\";\r\n\tboundary=\"B\"\r\n\r\n--B\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Location: https://x.org/a\r\n\r\n<html><body><nav>Menu</nav><p>Words =E2=82=AC</p></body></html>\r\n--B--\r\n";
    insta::assert_snapshot!(shown(&items_of("page.mhtml", mhtml.as_bytes()).unwrap()));
}

#[test]
fn beside_an_export_documents_are_its_own() {
    let telegram = fs::read(fixture("telegram/chatpack__telegram_simple.json")).unwrap();
    let pdf = fs::read(fixture("documents/langchain-community__hello.pdf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("chat/result.json", telegram.as_slice()),
        ("chat/files/bill.pdf", &pdf),
        ("chat/export_results.html", b"<html><body>x</body></html>"),
        ("letters/hello.pdf", &pdf),
        ("notes/a.md", b"a note"),
        ("notes/b.txt", b"another"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let items = items(folder.path(), &options()).unwrap();
    let places: Vec<_> = items
        .iter()
        .filter_map(|i| match i {
            Item::Message(m) if m.source == "documents" => Some(m.place.file.split_once('/').unwrap().1),
            _ => None,
        })
        .collect();
    assert_eq!(places, ["letters/hello.pdf", "notes/b.txt"]);
    assert!(items.iter().any(|i| matches!(i, Item::Note(n) if n.contains("1 .html, 1 .pdf"))), "{}", shown(&items));
}

/// Whatever other formats know or do not know yet: as a document, an export would be one person's words.
#[test]
fn no_export_of_an_app_is_a_document() {
    let mut wrong = Vec::new();
    let mut folders: Vec<_> =
        fs::read_dir(fixture("")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    for folder in folders {
        let group = folder.file_name().unwrap().to_string_lossy().into_owned();
        if ["documents", "html", "LICENSES"].contains(&group.as_str()) {
            continue;
        }
        for entry in fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()) {
            let items = items(&entry, &options()).unwrap_or_default();
            if items.iter().any(|i| matches!(i, Item::Conversation(c) if c.source == "documents")) {
                wrong.push(format!("{group}/{}", entry.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    wrong.sort();
    // A table of samples for a test, not an export.
    wrong.retain(|name| name != "whatsapp/whatsapp-chat-parser__date-formats.tsv");
    assert_eq!(wrong, Vec::<String>::new());
}
