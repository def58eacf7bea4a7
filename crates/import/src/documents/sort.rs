//! Which kind of document a file is: its content says it, its name only where the content does not.

use super::{notebook, page, table, text};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sort {
    Text,
    Page,
    /// MHTML.
    SavedPage,
    Pdf,
    Rich,
    Table,
    Notebook,
    /// A zip of XML: Word, sheets, slides, OpenDocument, EPUB. Its parts say which.
    Pack,
    /// `doc`, `xls`, `ppt`.
    OldOffice,
}

impl Sort {
    pub(super) fn is_pack(self) -> bool {
        self == Sort::Pack
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Sort::Text | Sort::Table)
    }
}

const TEXTS: [&str; 8] = ["txt", "text", "rst", "adoc", "asciidoc", "asc", "md", "markdown"];
const PACKS: [&str; 17] = [
    "docx", "docm", "dotx", "xlsx", "xlsm", "pptx", "pptm", "ppsx", "odt", "ott", "ods", "odp", "epub", "pages",
    "numbers", "key", "fodt",
];
const OTHERS: [&str; 13] =
    ["pdf", "rtf", "htm", "html", "xhtml", "mht", "mhtml", "csv", "tsv", "ipynb", "doc", "xls", "ppt"];

/// What Google, Meta and X write into an export about itself.
const OVERVIEWS: [&str; 3] = ["archive_browser.html", "start_here.html", "your archive.html"];

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// True where a file of this name, among others, is worth a look.
pub(super) fn may_be(name: &str) -> bool {
    let ending = ending(name);
    let ending = ending.as_str();
    // Notes are another format's, and have been tried.
    !is_note(name) && (TEXTS.contains(&ending) || PACKS.contains(&ending) || OTHERS.contains(&ending))
}

pub(super) fn is_note(name: &str) -> bool {
    ["md", "markdown"].contains(&ending(name).as_str())
}

/// `chosen`: a person has chosen this one file, so that a text needs no ending that says so.
pub(super) fn of(name: &str, head: &[u8], chosen: bool) -> Option<Sort> {
    let ending = ending(name);
    let ending = ending.as_str();
    let bare = head.trim_ascii_start();
    if bare.starts_with(b"%PDF-") {
        return Some(Sort::Pdf);
    }
    if bare.starts_with(b"{\\rtf") {
        return Some(Sort::Rich);
    }
    if head.starts_with(b"PK\x03\x04") {
        let has = |word: &[u8]| head.windows(word.len()).any(|w| w == word);
        let known = PACKS.contains(&ending) || has(b"[Content_Types].xml") || has(b"mimetypeapplication/");
        return known.then_some(Sort::Pack);
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        let office = ["doc", "xls", "ppt", "docx", "xlsx", "pptx", "dot"].contains(&ending);
        return office.then_some(Sort::OldOffice);
    }
    if page::is_mhtml(head) {
        return Some(Sort::SavedPage);
    }
    if OVERVIEWS.iter().any(|overview| name.eq_ignore_ascii_case(overview)) {
        return None;
    }
    if page::is_page(head) || ["htm", "html", "xhtml"].contains(&ending) && looks_like_tags(bare) {
        return (!page::is_export(head)).then_some(Sort::Page);
    }
    if notebook::is_notebook(head) {
        return Some(Sort::Notebook);
    }
    match ending {
        "csv" | "tsv" => table::refused(head).is_none().then_some(Sort::Table),
        _ if TEXTS.contains(&ending) || chosen && is_bare(name) => {
            let (beginning, lost) = text::decoded(head);
            text::no_words(&beginning, lost).is_none().then_some(Sort::Text)
        }
        _ => None,
    }
}

fn looks_like_tags(text: &[u8]) -> bool {
    text.starts_with(b"<") || text.windows(2).filter(|w| *w == b"</").count() > 2
}

/// A name without an ending: `README`, `notes`.
fn is_bare(name: &str) -> bool {
    !name.contains('.')
}
