//! Electronic books (EPUB 2 and 3): their chapters in reading order, as the pages they are.

use super::{
    Document, Left, Taken,
    pack::{Pack, Step, attribute, fields, walk},
};
use crate::html;
use std::collections::HashMap;

pub(super) fn take(pack: &mut Pack) -> Taken {
    if is_protected(&pack.part("META-INF/encryption.xml")?.unwrap_or_default()) {
        return Err(Left::Skipped("book protected against copying".into()));
    }
    let mut main = None;
    walk(&pack.part("META-INF/container.xml")?.unwrap_or_default(), |step| {
        if let Step::Start("rootfile", attributes) = step {
            main = main.take().or_else(|| attribute(&attributes, "full-path").map(str::to_owned));
        }
    });
    let main = main.or_else(|| pack.names("", ".opf").into_iter().next());
    let Some((main, xml)) = main.and_then(|name| Some((name.clone(), pack.part(&name).transpose()?))) else {
        return Err(Left::Failed("the book has no table of its parts".to_owned()));
    };
    let xml = xml?;
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut chapters = Vec::new();
    for href in spine(&xml) {
        let name = path(folder, &href);
        let Some(page) = pack.part(&name)? else { continue };
        let text = chapter(&page);
        if !text.is_empty() {
            chapters.push(text);
        }
    }
    let [title, creator, date] = fields(&xml, ["title", "creator", "date"]);
    Ok(Document { text: chapters.join("\n\n"), title, author: creator, created: date, ..Document::default() })
}

/// Fonts are often scrambled, which keeps nobody from reading; anything else encrypted is a protected book.
fn is_protected(xml: &str) -> bool {
    let mut protected = false;
    walk(xml, |step| {
        if let Step::Start("CipherReference", attributes) = step {
            let uri = attribute(&attributes, "URI").unwrap_or_default().to_ascii_lowercase();
            protected |= [".xhtml", ".html", ".htm", ".xml", ".opf"].iter().any(|end| uri.ends_with(end));
        }
    });
    protected
}

/// Files in reading order; the table of contents is not read.
fn spine(xml: &str) -> Vec<String> {
    let (mut files, mut order) = (HashMap::new(), Vec::new());
    walk(xml, |step| {
        let Step::Start(name, attributes) = step else { return };
        let get = |name| attribute(&attributes, name).unwrap_or_default().to_owned();
        match name {
            "item" if !get("properties").split(' ').any(|p| p == "nav") => drop(files.insert(get("id"), get("href"))),
            "itemref" => order.push(get("idref")),
            _ => {}
        }
    });
    order.iter().filter_map(|id| files.get(id).cloned()).collect()
}

fn path(folder: &str, href: &str) -> String {
    let href = unescaped(href.split('#').next().unwrap_or(href));
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in href.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// `%20` is a space.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                out.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
            }
            None => {
                out.push(b'%');
                out.extend_from_slice(piece.as_bytes());
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn chapter(page: &str) -> String {
    // `<title/>` is whole in XHTML; read as HTML it would swallow the page.
    let body = page.find("<body").and_then(|at| page.get(at..)).unwrap_or(page);
    html::markdown(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_chapters() {
        for (folder, href, expected) in [
            ("OEBPS", "a.xhtml#x", "OEBPS/a.xhtml"),
            ("", "Text/a%20b.html", "Text/a b.html"),
            ("OEBPS/x", "../Text/1.html", "OEBPS/Text/1.html"),
        ] {
            assert_eq!(path(folder, href), expected);
        }
    }
}
