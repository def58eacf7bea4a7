//! OpenDocument texts, sheets and slides (`odt`, `ods`, `odp`; OASIS OpenDocument 1.3). What a tracked change
//! has deleted is left out.

use super::{
    Document, Left, Taken,
    blocks::Blocks,
    pack::{Pack, Step, attribute, fields, walk},
};

/// Cells that a repeated cell stands for, at most; rows of nothing are repeated a million times.
const MOST_REPEATED: usize = 64;

pub(super) fn take(pack: &mut Pack) -> Taken {
    let manifest = pack.part("META-INF/manifest.xml")?.unwrap_or_default();
    if manifest.contains("encryption-data") {
        return Err(Left::Skipped("document protected by a password".into()));
    }
    let Some(xml) = pack.part("content.xml")? else {
        return Err(Left::Failed("the document has no text part".to_owned()));
    };
    let mut open = Open { blocks: vec![Blocks::default()], ..Open::default() };
    let whole = walk(&xml, |step| open.step(step));
    let mut document = Document { text: open.text(), whole, ..Document::default() };
    if let Some(xml) = pack.part("meta.xml")? {
        let [title, creator, first, created, modified] =
            fields(&xml, ["title", "creator", "initial-creator", "creation-date", "date"]);
        document.title = title;
        document.author = first.or(creator);
        document.created = created;
        document.updated = modified;
    }
    Ok(document)
}

#[derive(Default)]
struct Paragraph {
    text: String,
    level: Option<usize>,
}

#[derive(Default)]
struct Open {
    blocks: Vec<Blocks>,
    rows: Vec<Vec<String>>,
    repeated: Vec<usize>,
    /// Open paragraphs: a footnote or comment in one holds others.
    open: Vec<Paragraph>,
    links: Vec<(usize, String)>,
    lists: usize,
    skipped: usize,
    notes: Vec<String>,
    note: Option<(String, usize)>,
    author: Option<String>,
}

impl Open {
    fn text(&mut self) -> String {
        while let Some(paragraph) = self.open.pop() {
            self.put(&paragraph);
        }
        while self.blocks.len() > 1 {
            let cell = self.blocks.pop().map(|cell| cell.text()).unwrap_or_default();
            self.paragraph(&cell);
        }
        for note in std::mem::take(&mut self.notes) {
            self.paragraph(&note);
        }
        self.blocks.first().map(Blocks::text).unwrap_or_default()
    }

    fn paragraph(&mut self, text: &str) {
        if let Some(blocks) = self.blocks.last_mut() {
            blocks.paragraph(text);
        }
    }

    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Start(_, _) if self.skipped > 0 => self.skipped += 1,
            Step::End(_) if self.skipped > 0 => self.skipped -= 1,
            Step::Start(
                "tracked-changes" | "styles" | "automatic-styles" | "font-face-decls" | "note-citation" | "forms",
                _,
            ) => {
                self.skipped = 1;
            }
            Step::Start(name, attributes) => self.start(name, &attributes),
            Step::End(name) => self.end(name),
            Step::Text(text) if self.skipped == 0 => self.said(text),
            Step::Text(_) => {}
        }
    }

    fn start(&mut self, name: &str, attributes: &[(String, String)]) {
        let number = |name| attribute(attributes, name).and_then(|n| n.parse::<usize>().ok());
        match name {
            "p" => self.open.push(Paragraph::default()),
            "h" => {
                let level = Some(number("outline-level").unwrap_or(1));
                self.open.push(Paragraph { level, ..Paragraph::default() });
            }
            "s" => self.say(&" ".repeat(number("c").unwrap_or(1).min(64))),
            "tab" => self.say("\t"),
            "line-break" => self.say("\n"),
            "a" => {
                let to = attribute(attributes, "href").unwrap_or_default().to_owned();
                self.links.push((self.open.last().map_or(0, |p| p.text.len()), to));
            }
            "list" => self.lists += 1,
            "page" => {
                let title = attribute(attributes, "name").unwrap_or_default();
                if let Some(blocks) = self.blocks.last_mut() {
                    blocks.heading(2, title);
                }
            }
            "table-row" => self.rows.push(Vec::new()),
            "table-cell" | "covered-table-cell" => {
                self.repeated.push(number("number-columns-repeated").unwrap_or(1));
                self.blocks.push(Blocks::default());
            }
            "note" => {
                let mark = format!("[^{}]", self.notes.len() + 1);
                self.say(&mark);
                self.note = Some((format!("{mark}:"), self.open.len()));
                self.blocks.push(Blocks::default());
            }
            "annotation" => {
                self.note = Some(("[Comment]".to_owned(), self.open.len()));
                self.blocks.push(Blocks::default());
            }
            "creator" if self.note.is_some() => self.author = Some(String::new()),
            "date" | "date-string" if self.note.is_some() => self.skipped = 1,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" | "h" => {
                if let Some(paragraph) = self.open.pop() {
                    self.put(&paragraph);
                }
            }
            "a" => self.end_link(),
            "list" => self.lists = self.lists.saturating_sub(1),
            "table-cell" | "covered-table-cell" if self.blocks.len() > 1 => {
                let cell = self.blocks.pop().map(|cell| cell.text()).unwrap_or_default();
                let times = self.repeated.pop().unwrap_or(1).min(MOST_REPEATED);
                if let Some(row) = self.rows.last_mut() {
                    row.extend(std::iter::repeat_n(cell, times));
                }
            }
            "table-row" => {
                if let (Some(row), Some(blocks)) = (self.rows.pop(), self.blocks.last_mut()) {
                    blocks.row(&row);
                }
            }
            "creator" => {
                if let (Some(author), Some((mark, _))) = (self.author.take(), &mut self.note) {
                    *mark = format!("[Comment by {}]", author.trim());
                }
            }
            "note" | "annotation" => {
                if let Some((mark, _)) = self.note.take().filter(|_| self.blocks.len() > 1) {
                    let text = self.blocks.pop().map(|note| note.text()).unwrap_or_default();
                    self.notes.push(format!("{mark} {text}"));
                }
            }
            _ => {}
        }
    }

    fn said(&mut self, text: &str) {
        match &mut self.author {
            Some(author) => author.push_str(text),
            None => {
                // Line breaks and runs of spaces in the file mean one space.
                let mut words = text.split(|c: char| c.is_ascii_whitespace()).peekable();
                while let Some(word) = words.next() {
                    self.say(word);
                    if words.peek().is_some() && self.open.last().is_some_and(|p| !p.text.ends_with([' ', '\n'])) {
                        self.say(" ");
                    }
                }
            }
        }
    }

    fn say(&mut self, text: &str) {
        if let Some(paragraph) = self.open.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn end_link(&mut self) {
        let Some((from, to)) = self.links.pop() else { return };
        let web = ["http://", "https://", "mailto:"].iter().any(|scheme| to.starts_with(scheme));
        if let Some(paragraph) = self.open.last_mut().filter(|p| web && p.text.is_char_boundary(from)) {
            let text = paragraph.text.split_off(from.min(paragraph.text.len()));
            paragraph.text.push_str(&if text == to || text.is_empty() { to } else { format!("[{text}]({to})") });
        }
    }

    fn put(&mut self, paragraph: &Paragraph) {
        let in_note = self.note.as_ref().is_some_and(|(_, outer)| self.open.len() >= *outer);
        let lists = self.lists;
        let Some(blocks) = self.blocks.last_mut() else { return };
        match paragraph.level {
            Some(level) => blocks.heading(level, &paragraph.text),
            None if lists > 0 && !in_note => blocks.item(lists - 1, &paragraph.text),
            None => blocks.paragraph(&paragraph.text),
        }
    }
}
