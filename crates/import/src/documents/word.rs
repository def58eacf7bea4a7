//! Word documents (`docx`): headings, lists, tables, links, equations, footnotes and comments; what a tracked
//! change deletes is left out, what it inserts is kept (formats.md §24; ECMA-376).

use super::{
    Document, Left, Taken,
    blocks::Blocks,
    pack::{Pack, Step, attribute, fields, walk},
};
use std::collections::HashMap;

/// Deleted or moved away, or the same once more for older programs.
const LEFT_OUT: [&str; 6] = ["del", "moveFrom", "Fallback", "instrText", "delText", "delInstrText"];

pub(super) fn take(pack: &mut Pack) -> Taken {
    let main = relations(pack, "_rels/.rels")?.into_iter().find(|r| r.kind.ends_with("/officeDocument"));
    let main = main.map_or("word/document.xml".to_owned(), |r| r.target.trim_start_matches('/').to_owned());
    let Some(body) = pack.part(&main)? else {
        return Err(Left::Failed("the document has no text part".to_owned()));
    };
    let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
    let styles = pack.part(&format!("{folder}/styles.xml"))?.map(|xml| headings(&xml)).unwrap_or_default();
    let relations = relations(pack, &format!("{folder}/_rels/{file}.rels"))?;
    let links = relations.into_iter().filter(|r| r.kind.ends_with("/hyperlink")).map(|r| (r.id, r.target)).collect();
    let mut word = Word { styles, links, ..Word::default() };
    let whole = word.read(&body);
    for (part, mark) in [("footnotes", "^"), ("endnotes", "^e")] {
        if let Some(xml) = pack.part(&format!("{folder}/{part}.xml"))? {
            word.notes(&xml, mark);
        }
    }
    if let Some(xml) = pack.part(&format!("{folder}/comments.xml"))? {
        word.notes(&xml, "");
    }
    let mut document = Document { text: word.text(), whole, ..Document::default() };
    properties(pack, &mut document)?;
    Ok(document)
}

/// Title, author and times of any Office document.
pub(super) fn properties(pack: &mut Pack, document: &mut Document) -> Result<(), Left> {
    if let Some(xml) = pack.part("docProps/core.xml")? {
        let [title, creator, created, modified] = fields(&xml, ["title", "creator", "created", "modified"]);
        document.title = title;
        document.author = creator;
        document.created = created;
        document.updated = modified;
    }
    Ok(())
}

pub(super) struct Relation {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) target: String,
}

pub(super) fn relations(pack: &mut Pack, name: &str) -> Result<Vec<Relation>, Left> {
    let mut found = Vec::new();
    walk(&pack.part(name)?.unwrap_or_default(), |step| {
        if let Step::Start("Relationship", attributes) = step {
            let get = |name| attribute(&attributes, name).unwrap_or_default().to_owned();
            found.push(Relation { id: get("Id"), kind: get("Type"), target: get("Target") });
        }
    });
    Ok(found)
}

/// Level of the headings, by the id of their style: the names are English in every language.
fn headings(xml: &str) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    let mut id = String::new();
    walk(xml, |step| match step {
        Step::Start("style", attributes) => id = attribute(&attributes, "styleId").unwrap_or_default().to_owned(),
        Step::Start("name", attributes) => {
            let name = attribute(&attributes, "val").unwrap_or_default().to_lowercase();
            let level = name.strip_prefix("heading ").and_then(|n| n.parse().ok());
            if let Some(level) = level.or((name == "title").then_some(1)) {
                found.entry(id.clone()).or_insert(level);
            }
        }
        _ => {}
    });
    found
}

#[derive(Default)]
struct Paragraph {
    text: String,
    level: Option<usize>,
    item: Option<usize>,
}

#[derive(Default)]
struct Word {
    styles: HashMap<String, usize>,
    links: HashMap<String, String>,
    /// The text, and of each open cell of a table its text; a cell can hold a table.
    blocks: Vec<Blocks>,
    rows: Vec<Vec<String>>,
    /// Open paragraphs: a text box in one holds others.
    open: Vec<Paragraph>,
    /// Of each open link, where its text begins and where it leads.
    open_links: Vec<(usize, String)>,
    skipped: usize,
    in_text: bool,
    in_properties: bool,
}

impl Word {
    fn text(&mut self) -> String {
        while let Some(paragraph) = self.open.pop() {
            self.put(&paragraph);
        }
        // Cells that were never closed.
        while self.blocks.len() > 1 {
            let cell = self.blocks.pop().map(|cell| cell.text()).unwrap_or_default();
            self.blocks().paragraph(&cell);
        }
        self.blocks.first().map(Blocks::text).unwrap_or_default()
    }

    fn blocks(&mut self) -> &mut Blocks {
        if self.blocks.is_empty() {
            self.blocks.push(Blocks::default());
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    fn read(&mut self, xml: &str) -> bool {
        self.blocks();
        walk(xml, |step| self.step(step))
    }

    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Start(_, _) if self.skipped > 0 => self.skipped += 1,
            Step::End(_) if self.skipped > 0 => self.skipped -= 1,
            Step::Start(name, _) if LEFT_OUT.contains(&name) => self.skipped = 1,
            Step::Start(name, attributes) => self.start(name, &attributes),
            Step::End(name) => self.end(name),
            Step::Text(text) if self.in_text && self.skipped == 0 => self.say(text),
            Step::Text(_) => {}
        }
    }

    fn start(&mut self, name: &str, attributes: &[(String, String)]) {
        let value = || attribute(attributes, "val").unwrap_or_default();
        match name {
            "p" => self.open.push(Paragraph::default()),
            "pPr" => self.in_properties = true,
            "pStyle" => {
                let level = self.styles.get(value()).copied();
                self.in_paragraph(|p| p.level = level);
            }
            "outlineLvl" if self.in_properties => {
                let level = value().parse::<usize>().ok().filter(|l| *l < 9).map(|l| l + 1);
                self.in_paragraph(|p| p.level = p.level.or(level));
            }
            "numId" => self.in_paragraph(|p| p.item = p.item.or(Some(0)).filter(|_| value() != "0")),
            "ilvl" => self.in_paragraph(|p| p.item = value().parse().ok()),
            "t" => self.in_text = true,
            "tab" | "ptab" if !self.in_properties => self.say("\t"),
            "br" | "cr" => self.say("\n"),
            "noBreakHyphen" => self.say("-"),
            "footnoteReference" | "endnoteReference" => {
                let mark = if name == "footnoteReference" { "^" } else { "^e" };
                let id = attribute(attributes, "id").unwrap_or_default();
                self.say(&format!("[{mark}{id}]"));
            }
            "hyperlink" => {
                let to = attribute(attributes, "id").and_then(|id| self.links.get(id)).cloned().unwrap_or_default();
                self.open_links.push((self.open.last().map_or(0, |p| p.text.len()), to));
            }
            "tr" => self.rows.push(Vec::new()),
            "tc" => self.blocks.push(Blocks::default()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" => {
                if let Some(paragraph) = self.open.pop() {
                    self.put(&paragraph);
                }
            }
            "pPr" => self.in_properties = false,
            "t" => self.in_text = false,
            "hyperlink" => self.end_link(),
            "tc" if self.blocks.len() > 1 => {
                let cell = self.blocks.pop().map(|cell| cell.text()).unwrap_or_default();
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            "tr" => {
                if let Some(row) = self.rows.pop() {
                    self.blocks().row(&row);
                }
            }
            _ => {}
        }
    }

    fn end_link(&mut self) {
        let Some((from, to)) = self.open_links.pop() else { return };
        let web = ["http://", "https://", "mailto:"].iter().any(|scheme| to.starts_with(scheme));
        if let Some(paragraph) = self.open.last_mut().filter(|p| web && p.text.is_char_boundary(from)) {
            let text = paragraph.text.split_off(from.min(paragraph.text.len()));
            let same = text == to || text.is_empty();
            paragraph.text.push_str(&if same { to } else { format!("[{text}]({to})") });
        }
    }

    fn in_paragraph(&mut self, set: impl FnOnce(&mut Paragraph)) {
        if let Some(paragraph) = self.open.last_mut().filter(|_| self.in_properties) {
            set(paragraph);
        }
    }

    fn say(&mut self, text: &str) {
        if let Some(paragraph) = self.open.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn put(&mut self, paragraph: &Paragraph) {
        let blocks = self.blocks();
        match paragraph {
            Paragraph { level: Some(level), text, .. } => blocks.heading(*level, text),
            Paragraph { item: Some(depth), text, .. } => blocks.item(*depth, text),
            Paragraph { text, .. } => blocks.paragraph(text),
        }
    }

    /// Footnotes, endnotes and comments stand behind the text, each with its mark or its author.
    fn notes(&mut self, xml: &str, mark: &str) {
        let (mut of, mut inner) = (None::<String>, Word::default());
        let mut found = Vec::new();
        walk(xml, |step| match step {
            Step::Start("footnote" | "endnote" | "comment", attributes) => {
                let get = |name| attribute(&attributes, name).unwrap_or_default();
                let is_line = matches!(get("type"), "separator" | "continuationSeparator" | "continuationNotice");
                of = (!is_line).then(|| match mark {
                    "" => {
                        format!("[Comment by {}]", Some(get("author")).filter(|a| !a.is_empty()).unwrap_or("somebody"))
                    }
                    mark => format!("[{mark}{}]:", get("id")),
                });
                inner = Word::default();
            }
            Step::End("footnote" | "endnote" | "comment") => {
                let text = inner.text();
                found.extend(of.take().filter(|_| !text.is_empty()).map(|of| format!("{of} {text}")));
            }
            step => inner.step(step),
        });
        for note in found {
            self.blocks().paragraph(&note);
        }
    }
}
