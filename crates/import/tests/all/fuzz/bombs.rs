//! Small files that ask for much: what a chance change of a small fixture does not come to.

use super::seeds::{Form, Seed};
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;

pub(super) fn bombs() -> Vec<Seed> {
    let words = "BT /F1 12 Tf (hello) Tj ET\n";
    let range =
        "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfrange <0000> <FFFFFFFF> <0041> endbfrange";
    let page = |html: &str| format!("<!DOCTYPE html><html><body><h1>A page</h1><p>Some words.</p>{html}</body></html>");
    let files = [
        ("saved states.pdf", pdf(&format!("{words}{}", "q\n".repeat(5 << 20)), "")),
        ("numbers.pdf", pdf(&format!("{words}BT /F1 12 Tf [{}] TJ ET", "1 ".repeat(5 << 20)), "")),
        ("lines.pdf", pdf(&format!("{words}BT /F1 12 Tf {} ET", "(a) Tj T*\n".repeat(1 << 20)), "")),
        ("packed far.pdf", pdf(&" ".repeat(70 << 20), "")),
        ("letters.pdf", pdf(words, range)),
        (
            "list.html",
            page("<ol start=\"2147483647\"><li>a<li>b<li>c</ol><ol start=\"18446744073709551615\"><li>a<li>b</ol>")
                .into(),
        ),
        ("table.html", page("<table><tr><td colspan=\"2147483647\" rowspan=\"99999999\">a<td>b</table>").into()),
        ("deep.html", page(&"<div><blockquote><ul><li>".repeat(100_000)).into()),
        ("deep.json", format!("{{\"mapping\":{}", "{\"a\":[".repeat(1 << 20)).into()),
        ("entities.xml", entities().into()),
        ("deep.rtf", format!("{{\\rtf1 {} words", "{\\b ".repeat(1 << 20)).into()),
    ];
    let seed = |(name, bytes): (&str, Vec<u8>)| Seed {
        name: format!("bombs/{name}"),
        files: vec![(name.to_owned(), bytes)],
        form: Form::File,
    };
    files.map(seed).into()
}

/// A page with this content, and a font with this table of letters.
fn pdf(content: &str, letters: &str) -> Vec<u8> {
    let font = match letters {
        "" => "/Type/Font/Subtype/Type1/BaseFont/Helvetica",
        _ => "/Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R",
    };
    let mut pdf = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (n, (dictionary, stream)) in (1..).zip([
        ("/Type/Catalog/Pages 2 0 R", None),
        ("/Type/Pages/Kids[3 0 R]/Count 1", None),
        ("/Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R", None),
        ("", Some(content)),
        (font, None),
        ("", Some(letters)),
    ]) {
        places.push(pdf.len());
        let packed = stream.map(|text| {
            let mut zip = ZlibEncoder::new(Vec::new(), Compression::fast());
            zip.write_all(text.as_bytes()).unwrap();
            zip.finish().unwrap()
        });
        match packed {
            None => pdf.extend(format!("{n} 0 obj\n<<{dictionary}>>\nendobj\n").bytes()),
            Some(packed) => {
                let length = packed.len();
                pdf.extend(format!("{n} 0 obj\n<</Length {length}/Filter/FlateDecode>>\nstream\n").bytes());
                pdf.extend(packed);
                pdf.extend(b"\nendstream\nendobj\n");
            }
        }
    }
    let table = pdf.len();
    let entries: String = places.iter().map(|at| format!("{at:010} 00000 n \n")).collect();
    let end = format!(
        "xref\n0 7\n0000000000 65535 f \n{entries}trailer\n<</Size 7/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n"
    );
    pdf.extend(end.bytes());
    pdf
}

/// Each of them ten times the one before.
fn entities() -> String {
    let one = |n: u32| format!("<!ENTITY e{} \"{}\">", n + 1, format!("&e{n};").repeat(10));
    let all: String = (0..12).map(one).collect();
    let note = "<note><title>&e12;</title><content><![CDATA[<en-note>&e12;</en-note>]]></content></note>";
    format!("<?xml version=\"1.0\"?><!DOCTYPE en-export [<!ENTITY e0 \"lol\">{all}]><en-export>{note}</en-export>")
}
