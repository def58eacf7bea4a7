//! A page of Notion's Markdown export: the title as a heading, lines of properties, the body.

use super::{Page, Property, id_in_name};
use crate::note::{self, links};

/// Longest name of a property; what is longer before a colon is a sentence.
const NAME: usize = 60;

impl Page {
    pub(super) fn of_markdown(text: &str, path: &str) -> Self {
        let (named, id) = id_in_name(note::stem(path)).unwrap_or((note::stem(path), path.to_owned()));
        let (title, rest) = match text.trim_start().strip_prefix("# ").map(|t| t.split_once('\n').unwrap_or((t, ""))) {
            Some((title, rest)) => (title.trim(), rest),
            None => (named, text),
        };
        let (properties, body) = properties(rest.trim_start_matches('\n'));
        let links: Vec<String> = addresses(body).map(|(_, _, link)| link.to_owned()).collect();
        Self {
            id,
            title: if title == "Untitled" { String::new() } else { title.to_owned() },
            properties,
            only_list: false,
            text: without_paths(body),
            links,
        }
    }
}

/// Lines `Name: value` up to the first empty one, where all are such.
fn properties(text: &str) -> (Vec<Property>, &str) {
    let end = text.find("\n\n").unwrap_or(text.len());
    let (block, rest) = text.split_at(end);
    let line = |line: &str| {
        let (name, value) = line.split_once(": ").or_else(|| line.strip_suffix(':').map(|name| (name, "")))?;
        let plain = !name.is_empty()
            && name.chars().count() <= NAME
            && !name.starts_with(['-', '*', '>', '#', '|', '[', '!', '`', '<', ' ']);
        plain.then(|| Property { name: name.trim().to_owned(), value: value.trim().to_owned(), kind: String::new() })
    };
    let lines: Option<Vec<Property>> = block.lines().map(line).collect();
    match lines {
        Some(mut found) if !found.is_empty() => {
            found.retain(|p| !p.value.is_empty());
            (found, rest)
        }
        _ => (Vec::new(), text),
    }
}

/// Links `[words](address)`: where they begin and end, and the address.
fn addresses(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text.get(from..)?.find("](")? + 2;
            from = at;
            // No address goes on into the next link.
            let rest = text.get(at..)?;
            let rest = rest.split_once("](").map_or(rest, |(here, _)| here);
            let mut depth = 0usize;
            let end = rest.find(|c| match c {
                '(' => {
                    depth += 1;
                    false
                }
                ')' if depth > 0 => {
                    depth -= 1;
                    false
                }
                ')' | '\n' => true,
                _ => false,
            });
            match end {
                Some(end) if rest.get(end..).is_some_and(|r| r.starts_with(')')) => {
                    from = at + end;
                    return Some((at, at + end, rest.get(..end)?));
                }
                _ => continue,
            }
        }
    })
}

/// Links to other pages are their titles; `<aside>` marks of callouts are left out.
fn without_paths(body: &str) -> String {
    let (mut out, mut from, mut looked) = (String::with_capacity(body.len()), 0, 0);
    for (start, end, link) in addresses(body) {
        let to_page = !link.contains("://") && is_page(&links::percent_decoded(link));
        let words = body.get(looked..start - 2).and_then(|before| before.rfind('[').map(|at| looked + at));
        looked = end + 1;
        let (true, Some(open)) = (to_page, words) else { continue };
        out.push_str(body.get(from..open).unwrap_or_default());
        out.push_str(body.get(open + 1..start - 2).unwrap_or_default());
        from = end + 1;
    }
    out.push_str(body.get(from..).unwrap_or_default());
    let lines = out.lines().filter(|line| !matches!(line.trim(), "<aside>" | "</aside>"));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn is_page(link: &str) -> bool {
    matches!(note::ending(link).as_str(), "md" | "csv") && id_in_name(super::table::base(note::stem(link))).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_database() {
        let id = "0123456789abcdef0123456789abcdef";
        let text = format!(
            "# Call Bo\n\nStatus: Done\nCreated: May 1, 2024 3:00 PM\nEmpty:\n\nSee [Plan](Plan%20{id}.md) and [web](https://a.b/c_(d)).\n\n<aside>\n💡 tip\n</aside>\n\n![pic](Call%20Bo/a%20b.png)"
        );
        let page = Page::of_markdown(&text, &format!("Tasks/Call Bo {id}.md"));
        assert_eq!((page.title.as_str(), page.id.as_str()), ("Call Bo", id));
        let said: Vec<_> = page.properties.iter().map(|p| (p.name.as_str(), p.value.as_str())).collect();
        assert_eq!(said, [("Status", "Done"), ("Created", "May 1, 2024 3:00 PM")]);
        assert_eq!(page.text, "See Plan and [web](https://a.b/c_(d)).\n\n💡 tip\n\n![pic](Call%20Bo/a%20b.png)");
        assert_eq!(page.links.last().map(String::as_str), Some("Call%20Bo/a%20b.png"));
    }

    #[test]
    fn sentences_are_no_properties() {
        for text in ["First: a list of\nthings to do", "- a: b\n\nx", "", "What I said: \"no\"\nand more"] {
            assert!(properties(text).0.is_empty(), "{text}");
        }
    }
}
