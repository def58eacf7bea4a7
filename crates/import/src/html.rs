//! HTML of mails, notes and saved pages as Markdown text. Pages as trees, for formats that look
//! for elements, are [`scraper::Html`]; which elements matter is left to the formats.

mod bounded;
mod shallow;

use scraper::{ElementRef, Html, Node, node::Element};
use shallow::shallow;

/// Elements whose content nobody wrote.
const LEFT_OUT: [&str; 9] = ["script", "style", "noscript", "template", "head", "svg", "object", "iframe", "title"];
/// Elements that stand on lines of their own.
const BLOCKS: [&str; 31] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];

/// How deep elements are told apart; what lies deeper is plain text. Nobody writes so deep, but files are made to.
const DEEPEST: usize = 200;

/// The text of an HTML document or fragment: blocks on lines of their own, links, emphasis, lists, tables
/// and code as Markdown.
pub(crate) fn markdown(html: &str) -> String {
    element(fragment(html).root_element())
}

/// A whole page as a tree, in any depth that it may have.
pub(crate) fn page(html: &str) -> Html {
    bounded::page(&shallow(html))
}

/// The same of a piece of one.
pub(crate) fn fragment(html: &str) -> Html {
    bounded::fragment(&shallow(html))
}

/// The same of an element of a parsed page.
pub(crate) fn element(element: ElementRef) -> String {
    part(element, |_| false)
}

/// The same without the elements in it that are to be left out.
pub(crate) fn part(element: ElementRef, left_out: fn(&Element) -> bool) -> String {
    let mut out = Text::new(left_out);
    for child in element.children() {
        out.node(child, &Around::default());
    }
    out.done()
}

/// What surrounds a node.
#[derive(Clone, Default)]
struct Around {
    /// Within `pre`: white space is kept.
    kept: bool,
    /// How deep in lists.
    depth: usize,
    /// `#` of the item of a numbered list.
    number: Option<usize>,
    /// Elements around it.
    inside: usize,
}

struct Text {
    out: String,
    left_out: fn(&Element) -> bool,
    /// Line breaks that were due before its first text.
    lead: usize,
    /// Line breaks that are due before the next text.
    breaks: usize,
    space: bool,
    /// A list's mark or a check box was written last: what follows stands beside it, even a block.
    marked: bool,
}

impl Text {
    fn new(left_out: fn(&Element) -> bool) -> Self {
        Self { out: String::new(), left_out, lead: 0, breaks: 0, space: false, marked: false }
    }

    fn node(&mut self, node: ego_tree::NodeRef<'_, Node>, around: &Around) {
        match node.value() {
            Node::Text(text) => self.text(text, around.kept),
            Node::Element(element) if !self.leaves_out(element) => match around.inside < DEEPEST {
                true => self.element(node, element, &Around { inside: around.inside + 1, ..around.clone() }),
                false => self.plain(node),
            },
            _ => {}
        }
    }

    fn leaves_out(&self, element: &Element) -> bool {
        LEFT_OUT.contains(&element.name()) || (self.left_out)(element)
    }

    /// All text below a node, without asking what the elements are.
    fn plain(&mut self, node: ego_tree::NodeRef<'_, Node>) {
        for below in node.descendants() {
            let above = below.parent().and_then(|p| p.value().as_element().map(|e| self.leaves_out(e)));
            if let Node::Text(text) = below.value()
                && above != Some(true)
            {
                self.text(text, false);
                self.space = true;
            }
        }
    }

    fn children(&mut self, node: ego_tree::NodeRef<'_, Node>, around: &Around) {
        for child in node.children() {
            self.node(child, around);
        }
    }

    fn element(&mut self, node: ego_tree::NodeRef<'_, Node>, element: &Element, around: &Around) {
        let name = element.name();
        match name {
            "br" => self.breaks = (self.breaks + 1).min(2),
            "hr" => self.line("---"),
            "img" => {
                if let Some(alt) = element.attr("alt").filter(|alt| !alt.trim().is_empty()) {
                    self.text(&format!("![{}]", alt.trim()), false);
                }
            }
            "b" | "strong" => self.wrapped(node, around, "**"),
            "i" | "em" => self.wrapped(node, around, "*"),
            "s" | "del" | "strike" => self.wrapped(node, around, "~~"),
            "code" | "tt" if !around.kept => self.wrapped(node, around, "`"),
            "a" => self.link(node, element, around),
            "pre" => {
                self.line("```");
                self.breaks = 1;
                self.children(node, &Around { kept: true, ..around.clone() });
                self.breaks = 1;
                self.push("```");
                self.breaks = 2;
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.breaks = 2;
                let level = name.as_bytes().get(1).map_or(1, |digit| usize::from(digit - b'0'));
                self.push(&format!("{} ", "#".repeat(level)));
                self.children(node, around);
                self.breaks = 2;
            }
            "ul" | "ol" => {
                self.breaks = self.breaks.max(1);
                let mut number =
                    (name == "ol").then(|| element.attr("start").and_then(|s| s.parse().ok()).unwrap_or(1));
                for child in node.children() {
                    self.node(child, &Around { depth: around.depth + 1, number, ..around.clone() });
                    let item = child.value().as_element().is_some_and(|e| e.name() == "li");
                    number = number.map(|n: usize| n.saturating_add(usize::from(item)));
                }
                self.breaks = if around.depth == 0 { 2 } else { 1 };
            }
            "li" => {
                (self.breaks, self.marked) = (1, false);
                let mark = around.number.map_or("-".to_owned(), |n| format!("{n}."));
                self.push(&format!("{}{mark} ", "  ".repeat(around.depth.saturating_sub(1))));
                self.marked = true;
                self.children(node, &Around { number: None, ..around.clone() });
                self.breaks = 1;
            }
            "blockquote" => {
                let mut inner = Text::new(self.left_out);
                inner.children(node, &Around { inside: around.inside, ..Around::default() });
                let quoted: Vec<String> =
                    inner.done().lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
                self.line(&quoted.join("\n"));
            }
            "td" | "th" => {
                self.children(node, around);
                self.push_space(" | ");
            }
            "input" if element.attr("type") == Some("checkbox") => {
                self.push(if element.attr("checked").is_some() { "[x] " } else { "[ ] " });
                self.marked = true;
            }
            _ if BLOCKS.contains(&name) => {
                let due = if name == "p" { 2 } else { 1 };
                self.breaks = self.breaks.max(due);
                self.children(node, around);
                self.breaks = self.breaks.max(due);
            }
            _ => self.children(node, around),
        }
    }

    /// A line of its own, with an empty one before and behind.
    fn line(&mut self, line: &str) {
        self.breaks = 2;
        self.push(line);
        self.breaks = 2;
    }

    fn wrapped(&mut self, node: ego_tree::NodeRef<'_, Node>, around: &Around, mark: &str) {
        let inner = self.inner(node, around);
        match inner.in_one_line() {
            Some(line) if !line.is_empty() => self.text(&format!("{mark}{line}{mark}"), false),
            _ => self.join(inner),
        }
    }

    fn link(&mut self, node: ego_tree::NodeRef<'_, Node>, element: &Element, around: &Around) {
        let inner = self.inner(node, around);
        let to = element.attr("href").unwrap_or_default().trim();
        let leads = ["http:", "https:", "mailto:", "tel:"].iter().any(|scheme| to.starts_with(scheme));
        let Some(line) = inner.in_one_line().filter(|_| leads) else { return self.join(inner) };
        let same = line.is_empty() || line == to || to.split_once(':').is_some_and(|(_, rest)| rest == line);
        self.text(&if same { to.to_owned() } else { format!("[{line}]({to})") }, false);
    }

    /// What is in a node, by itself. Each node is told once, however deep: telling it again for each mark
    /// around it would double the work at every level.
    fn inner(&mut self, node: ego_tree::NodeRef<'_, Node>, around: &Around) -> Text {
        let before = node.first_child().and_then(|c| c.value().as_text().map(|t| t.starts_with(char::is_whitespace)));
        self.space |= before == Some(true);
        let mut inner = Text::new(self.left_out);
        inner.children(node, around);
        inner
    }

    /// The whole of it where it is one line.
    fn in_one_line(&self) -> Option<String> {
        let line = self.out.trim_matches(|c: char| c.is_whitespace() || c == '|').to_owned();
        (!line.contains('\n')).then_some(line)
    }

    fn join(&mut self, inner: Text) {
        if !inner.out.is_empty() {
            self.breaks = self.breaks.max(inner.lead);
            self.push(&inner.out);
            self.marked = inner.marked;
        }
        self.breaks = self.breaks.max(inner.breaks);
        self.space |= inner.space;
    }

    fn text(&mut self, text: &str, kept: bool) {
        if kept {
            for (n, line) in text.split('\n').enumerate() {
                if n > 0 {
                    self.settle();
                    self.out.push('\n');
                }
                if !line.is_empty() {
                    self.push(line);
                }
            }
            return;
        }
        let soft = |c: char| c.is_ascii_whitespace();
        self.space |= text.starts_with(soft);
        let mut words = text.split(soft).filter(|w| !w.is_empty()).peekable();
        while let Some(word) = words.next() {
            self.push(word);
            self.space = words.peek().is_some() || text.ends_with(soft);
        }
    }

    fn push(&mut self, piece: &str) {
        self.settle();
        self.out.push_str(piece);
    }

    fn push_space(&mut self, piece: &str) {
        self.space = false;
        self.push(piece);
    }

    /// Writes what is due.
    fn settle(&mut self) {
        if std::mem::take(&mut self.marked) {
            (self.breaks, self.space) = (0, false);
        }
        if self.out.is_empty() {
            self.lead = self.breaks;
        } else if self.breaks > 0 {
            self.out.truncate(self.out.trim_end_matches([' ', '\t']).len());
            self.out.push_str(&"\n".repeat(self.breaks));
        } else if self.space && !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
    }

    fn done(self) -> String {
        let lines: Vec<&str> = self.out.lines().map(|line| line.trim_end_matches([' ', '|'])).collect();
        lines.join("\n").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn html_as_markdown() {
        for (html, text) in [
            ("a<br>b", "a\nb"),
            ("<div>a</div><div>b</div>", "a\nb"),
            ("<p>One <b>bold</b> and <i>fine</i>.</p><p>Two</p>", "One **bold** and *fine*.\n\nTwo"),
            (
                "see <a href='https://x.org/a'>this</a> or <a href='https://x.org'>https://x.org</a>",
                "see [this](https://x.org/a) or https://x.org",
            ),
            ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
            (
                "<ul><li><div>a</div><div>b</div></li><li><p>c</p></li><li><ul><li>d</li></ul></li></ul>",
                "- a\nb\n- c\n-\n  - d",
            ),
            ("<div><input type=checkbox checked> a</div><div><input type=checkbox><div>b</div></div>", "[x] a\n[ ] b"),
            ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
            ("<style>p{}</style><script>x()</script>ok&nbsp;&amp;", "ok\u{a0}&"),
            ("<h2>Title</h2>text", "## Title\n\ntext"),
            ("<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a | b\nc | d"),
            ("<pre>let a;\n  b</pre>", "```\nlet a;\n  b\n```"),
        ] {
            assert_eq!(markdown(html), text, "{html}");
        }
    }

    #[test]
    fn marks_around_blocks_and_marks_in_marks() {
        for (html, text) in [
            ("x <b>a<br>b</b> y", "x a\nb y"),
            ("x<a href='https://x.org'><div>a</div><div>b</div></a>y", "x\na\nb\ny"),
            ("<b><i>a</i> b</b>", "***a* b**"),
            ("<a href='#x'>a</a>", "a"),
        ] {
            assert_eq!(markdown(html), text, "{html}");
        }
    }

    #[test]
    fn no_depth_is_too_deep() {
        let started = std::time::Instant::now();
        for tag in ["b", "div", "blockquote", "a", "ul", "pre", "table", "p", "font", "x"] {
            for n in [100, 1_000, 100_000] {
                let html = format!("{}word<br>more", format!("<{tag}>").repeat(n));
                assert!(markdown(&html).contains("word"), "{tag} {n}");
            }
        }
        assert!(started.elapsed().as_secs() < 30);
    }

    #[test]
    fn deep_and_wide_nesting_ends() {
        for (open, close) in
            [("<div>", "</div>"), ("<b><a href='https://x'>", ""), ("<blockquote>", ""), ("<ul><li>", "")]
        {
            let html = format!("{}deep<br>est{}", open.repeat(3_000), close.repeat(3_000));
            let text = markdown(&html);
            assert!(text.contains("deep") && text.contains("est"), "{open}");
        }
    }
}
