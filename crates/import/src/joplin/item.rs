//! One text of Joplin: a title, a body, and `name: value` lines up to its last empty line.

use std::collections::HashMap;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) body: String,
    fields: HashMap<String, String>,
}

impl Item {
    /// A property; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// 1 note, 2 notebook, 4 file, 5 tag, 6 tag of a note, 13 older state of a note.
    pub(super) fn kind(&self) -> Option<u32> {
        self.field("type_").parse().ok()
    }

    /// The title; of a to-do with its box.
    pub(super) fn heading(&self) -> String {
        match (self.field("is_todo"), self.field("todo_completed")) {
            ("1", "" | "0") => format!("[ ] {}", self.title),
            ("1", _) => format!("[x] {}", self.title),
            _ => self.title.clone(),
        }
    }
}

pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

/// `path` gives the id where the text has none.
///
/// # Errors
/// It has no properties at its end, so it was written by nothing like Joplin or is cut.
pub(super) fn read(path: &str, text: &str) -> Result<Item, String> {
    let text = text.trim_end();
    let (said, block) = text.rsplit_once("\n\n").unwrap_or(("", text));
    let pairs = block.lines().filter_map(|line| line.split_once(':'));
    let fields: HashMap<String, String> =
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
    if !fields.contains_key("type_") {
        return Err("its properties are missing; the file is cut or not of Joplin".to_owned());
    }
    let (title, body) = said.split_once('\n').unwrap_or((said, ""));
    let id = fields.get("id").cloned().filter(|id| is_id(id));
    let named = || path.rsplit('/').next().unwrap_or(path).trim_end_matches(".md").to_owned();
    Ok(Item { id: id.unwrap_or_else(named), title: title.trim().to_owned(), body: body.trim().to_owned(), fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_from_the_end() {
        let item = read("x/0.md", "Title\n\nid: no\n\nbody: text\n\nid: 0123456789abcdef0123456789abcdef\nsource_url: https://a.b/c: d\ntype_: 1").unwrap();
        assert_eq!((item.title.as_str(), item.body.as_str()), ("Title", "id: no\n\nbody: text"));
        assert_eq!((item.kind(), item.field("source_url")), (Some(1), "https://a.b/c: d"));
        let bare = read("x/0123456789abcdef0123456789abcdef.md", "note_id: a\ntag_id: b\ntype_: 6").unwrap();
        assert_eq!(
            (bare.title.as_str(), bare.kind(), bare.id.as_str()),
            ("", Some(6), "0123456789abcdef0123456789abcdef")
        );
        assert!(read("a.md", "Title\n\nbody").is_err());
    }
}
