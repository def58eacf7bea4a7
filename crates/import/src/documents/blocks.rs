//! A document's text as it grows: paragraphs, headings, items of lists and rows of tables, as Markdown.

#[derive(Debug, Default)]
pub(super) struct Blocks {
    out: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    text: String,
    sort: Sort,
}

/// Items and rows follow another of their sort on the next line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    Paragraph,
    Item,
    Row,
}

impl Blocks {
    fn push(&mut self, text: String, sort: Sort) {
        let text = text.trim_end().to_owned();
        if !text.trim().is_empty() {
            self.out.push(Block { text, sort });
        }
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.push(text.trim().to_owned(), Sort::Paragraph);
    }

    pub(super) fn heading(&mut self, level: usize, text: &str) {
        let line = in_a_line(text);
        if !line.is_empty() {
            self.push(format!("{} {line}", "#".repeat(level.clamp(1, 6))), Sort::Paragraph);
        }
    }

    pub(super) fn item(&mut self, depth: usize, text: &str) {
        if !text.trim().is_empty() {
            self.push(format!("{}- {}", "  ".repeat(depth.min(8)), text.trim()), Sort::Item);
        }
    }

    pub(super) fn row(&mut self, cells: &[String]) {
        let cells: Vec<String> = cells.iter().map(|cell| in_a_line(cell)).collect();
        self.push(cells.join(" | ").trim_end_matches([' ', '|']).to_owned(), Sort::Row);
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut before = None;
        for block in &self.out {
            match before {
                None => {}
                Some(sort) if block.sort == sort && sort != Sort::Paragraph => text.push('\n'),
                Some(_) => text.push_str("\n\n"),
            }
            text.push_str(&block.text);
            before = Some(block.sort);
        }
        text
    }
}

pub(super) fn in_a_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
