//! Web pages, saved as HTML or as MHTML (RFC 2557): what the page is about, without its menus; its title,
//! author and date as it says them to search engines.

use super::{Document, Left, Taken, text::decoded};
use crate::{html, xml};
use encoding_rs::Encoding;
use mail_parser::{MessageParser, MimeHeaders};
use scraper::{ElementRef, Html, Selector, node::Element};
use std::borrow::Cow;

/// Longest page that is parsed, without the pictures in it: a page takes ten times its length.
const LONGEST: usize = 16 << 20;

/// Marks of pages that are the export of an app: read as a document, all that was said would be one person's.
const OF_EXPORTS: [&str; 20] = [
    "netscape-bookmark-file",
    "window.ytd",
    "var jsondata = ",
    "\"message default clearfix",
    "chatlog__message",
    "\"pam _3-95 _2ph- _a6-g",
    "_a6-g",
    "\"outer-cell mdl-cell",
    "mx_eventtile",
    "\"hangouts-",
    "haudio",
    "\"hchatlog",
    "\"chat-message",
    "x-evernote",
    "<en-export",
    "class=\"page sans\"",
    "webkit printing magic",
    "<h3>workspace details:</h3>",
    "reflectionprompt",
    "'pagecontainer'",
];

/// Parts of a page that nobody reads.
const AROUND: [&str; 9] = ["nav", "aside", "footer", "form", "button", "select", "dialog", "menu", "textarea"];
const ROLES: [&str; 7] = ["navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alert"];

/// True for the page of an app's export, by its beginning.
pub(super) fn is_export(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_lowercase();
    OF_EXPORTS.iter().any(|mark| text.contains(mark))
}

pub(super) fn is_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head.get(..4096).unwrap_or(head)).to_lowercase();
    let mut text = text.trim_start();
    while let Some(rest) = text.strip_prefix("<?xml").or_else(|| text.strip_prefix("<!--")) {
        text = rest.split_once('>').map_or("", |(_, rest)| rest).trim_start();
    }
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|start| text.starts_with(start))
}

pub(super) fn is_mhtml(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head.get(..4096).unwrap_or(head)).to_lowercase();
    let is_related = text.contains("content-type: multipart/related") && text.contains("mime-version:");
    is_related
        && (text.contains("snapshot-content-location:")
            || text.contains("saved by")
            || text.contains("content-location:"))
}

/// One page of an MHTML file is the first part that is HTML.
pub(super) fn take_mhtml(bytes: &[u8]) -> Taken {
    let message = MessageParser::default().parse(bytes);
    let Some(message) = message else { return Err(Left::Failed("the saved page is damaged".to_owned())) };
    let Some(page) = message.body_html(0) else { return Err(Left::Failed("the saved page has no text".to_owned())) };
    let mut document = read(&page, 0)?;
    document.title = document.title.or_else(|| message.subject().map(str::to_owned));
    document.created = document.created.or_else(|| message.date().map(mail_parser::DateTime::to_rfc3339));
    let location = message
        .header_raw("Snapshot-Content-Location")
        .or_else(|| message.part(0).and_then(|part| part.content_location()));
    document.address =
        document.address.or_else(|| location.map(|l| l.trim().to_owned()).filter(|l| l.starts_with("http")));
    Ok(document)
}

pub(super) fn take(bytes: &[u8]) -> Taken {
    let (page, lost) = in_its_encoding(bytes);
    read(&page, lost)
}

/// As a mark or the page itself says, else as it looks.
fn in_its_encoding(bytes: &[u8]) -> (String, u64) {
    if std::str::from_utf8(bytes).is_err() && Encoding::for_bom(bytes).is_none() {
        let head = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes)).to_lowercase();
        let named = head.split_once("charset=").map(|(_, rest)| rest.trim_start_matches(['"', '\'', ' ']));
        let label =
            named.and_then(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c)).next());
        if let Some(encoding) =
            label.and_then(|l| Encoding::for_label(l.as_bytes())).filter(|e| *e != encoding_rs::UTF_8)
        {
            return (encoding.decode_without_bom_handling(bytes).0.into_owned(), 0);
        }
    }
    decoded(bytes)
}

fn read(page: &str, lost: u64) -> Taken {
    let page = without_data(page);
    if page.len() > LONGEST {
        return Err(Left::Skipped("web page longer than Evoke reads".into()));
    }
    let parsed = html::page(&page);
    let mut document = Document { lost, ..about(&parsed, &page) };
    document.text = content(&parsed);
    if document.title.is_none() {
        document.title = first(&parsed, "h1").map(|h| words(&h)).filter(|t| !t.is_empty());
    }
    Ok(document)
}

/// Pictures that are written into the page itself are taken out before it is parsed.
fn without_data(page: &str) -> Cow<'_, str> {
    if !page.contains("data:") {
        return Cow::Borrowed(page);
    }
    let mut out = String::with_capacity(page.len().min(LONGEST));
    let mut rest = page;
    while let Some(at) = rest.find("data:") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end =
            from.find(|c: char| matches!(c, '"' | '\'' | ')' | '<' | '>') || c.is_whitespace()).unwrap_or(from.len());
        let (data, after) = from.split_at(end);
        if data.len() < 200 {
            out.push_str(data);
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn select(selector: &str) -> Option<Selector> {
    Selector::parse(selector).ok()
}

fn first<'a>(page: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    page.select(&select(selector)?).next()
}

fn words(element: &ElementRef) -> String {
    let text: String = element.text().collect();
    super::blocks::in_a_line(&text)
}

fn length(element: &ElementRef) -> usize {
    element.text().map(|t| t.trim().len()).sum()
}

/// The one article or main part where there is one that says most of the page; else all but what is around it.
fn content(page: &Html) -> String {
    let body = first(page, "body").unwrap_or_else(|| page.root_element());
    let all = length(&body).max(1);
    for selector in ["article", "main", "[role=main]", "[itemprop=articleBody]"] {
        let Some(selector) = select(selector) else { continue };
        let mut found = page.select(&selector);
        if let (Some(one), None) = (found.next(), found.next()) {
            let text = html::part(one, is_around);
            if text.len() * 5 > all || text.len() > 2_000 {
                return text;
            }
        }
    }
    let text = html::part(body, is_around);
    // A page that is one form is better read whole than not at all.
    if text.trim().is_empty() { html::element(body) } else { text }
}

fn is_around(element: &Element) -> bool {
    let is = |name: &str| element.attr("role").is_some_and(|role| role == name);
    let hidden = element.attr("hidden").is_some() || element.attr("aria-hidden") == Some("true");
    AROUND.contains(&element.name()) || ROLES.iter().any(|role| is(role)) || hidden
}

/// What a page says about itself: title, author, when it was published, and its address.
fn about(page: &Html, source: &str) -> Document {
    let mut meta: Vec<(String, String)> = Vec::new();
    if let Some(selector) = select("meta[content]") {
        for element in page.select(&selector).map(|e| e.value()) {
            let name = ["property", "name", "itemprop", "http-equiv"].iter().find_map(|key| element.attr(key));
            meta.push((
                name.unwrap_or_default().to_lowercase(),
                element.attr("content").unwrap_or_default().trim().to_owned(),
            ));
        }
    }
    let said = |names: &[&str]| {
        let found = names.iter().find_map(|name| meta.iter().find(|(key, value)| key == name && !value.is_empty()));
        found.map(|(_, value)| xml::unescape(value))
    };
    let time = || first(page, "time[datetime]").and_then(|e| e.attr("datetime").map(str::to_owned));
    let published =
        ["article:published_time", "datepublished", "date", "dc.date", "dcterms.created", "dc.date.issued", "created"];
    let canonical = first(page, "link[rel=canonical]").and_then(|e| e.attr("href").map(str::to_owned));
    Document {
        title: said(&["og:title"]).or_else(|| first(page, "title").map(|t| words(&t))).filter(|t| !t.is_empty()),
        author: said(&["author", "article:author", "dc.creator", "dcterms.creator"]).filter(|a| !a.starts_with("http")),
        created: said(&published).or_else(|| in_json_ld(source, "datePublished")).or_else(time),
        updated: said(&["article:modified_time", "datemodified", "last-modified"])
            .or_else(|| in_json_ld(source, "dateModified")),
        address: canonical
            .or_else(|| said(&["og:url"]))
            .or_else(|| saved_from(source))
            .filter(|a| a.starts_with("http")),
        ..Document::default()
    }
}

/// `"datePublished": "2024-…"` in a script for search engines.
fn in_json_ld(source: &str, name: &str) -> Option<String> {
    let (_, rest) = source.split_once("application/ld+json")?;
    let (_, rest) = rest.split_once(&format!("\"{name}\""))?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.split_once('"').map(|(value, _)| value.to_owned()).filter(|v| v.len() < 60)
}

/// What browsers and SingleFile write above a page that they save.
fn saved_from(source: &str) -> Option<String> {
    let head = source.get(..2048).unwrap_or(source);
    let rest = head.split_once("saved from url=(").and_then(|(_, rest)| rest.split_once(')')).map(|(_, rest)| rest);
    let rest = rest.or_else(|| {
        head.split_once("SingleFile").and_then(|(_, rest)| rest.split_once("url: ")).map(|(_, rest)| rest)
    })?;
    rest.split([' ', '\n', '\r']).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_is_about() {
        let page = r#"<!DOCTYPE html><html><head><meta charset="utf-8"><title>A &amp; B</title><meta name=author content="Ann">
            <meta property="article:published_time" content="2024-01-31T10:00:00Z"><link rel=canonical href="https://x.org/a"></head>
            <body><nav>Home About</nav><main><h1>Head</h1><p>Words of the page.</p><aside>Ads</aside></main><footer>(c)</footer></body></html>"#;
        let document = take(page.as_bytes()).ok().unwrap();
        assert_eq!(document.text, "# Head\n\nWords of the page.");
        assert_eq!(document.title.as_deref(), Some("A & B"));
        assert_eq!(document.author.as_deref(), Some("Ann"));
        assert_eq!(document.created.as_deref(), Some("2024-01-31T10:00:00Z"));
        assert_eq!(document.address.as_deref(), Some("https://x.org/a"));
    }

    #[test]
    fn encodings_and_pictures() {
        let latin = b"<html><head><meta http-equiv=Content-Type content='text/html; charset=iso-8859-1'></head><body>Gr\xfc\xdfe</body>";
        assert_eq!(take(latin).ok().unwrap().text, "Grüße");
        let page = format!("<html><body><img src=\"data:image/png;base64,{}\">word</body>", "QUJD".repeat(10_000));
        assert!(without_data(&page).len() < 200);
        assert_eq!(take(page.as_bytes()).ok().unwrap().text, "word");
    }

    #[test]
    fn exports_are_no_pages() {
        assert!(is_export(b"<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><p>"));
        assert!(is_export(b"<div class=\"message default clearfix\" id=\"message1\">"));
        assert!(!is_export(b"<html><body>words</body>"));
        assert!(is_page(b"\n<!-- saved from url=(0014)about:internet --><!doctype html><html>"));
        assert!(!is_page(b"<?xml version='1.0'?><smses/>"));
    }
}
