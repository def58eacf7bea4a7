//! Evernote's own elements made ordinary HTML: to-dos, files, encrypted pieces, code. The rest is `html.rs`'s.

use crate::{html, xml};

pub(super) fn markdown(enml: &str) -> String {
    html::markdown(&as_html(enml))
}

/// What an open `div` is.
#[derive(Clone, Copy, PartialEq)]
enum Div {
    Plain,
    Code,
    /// A list of tasks, drawn; they are told from the tasks themselves.
    Tasks,
}

fn as_html(enml: &str) -> String {
    let body = enml.find("<en-note").and_then(|at| enml.get(at..)).unwrap_or(enml);
    let (mut out, mut rest, mut open) = (String::with_capacity(body.len()), body, Open::default());
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        let left_out = open.tasks > 0;
        if !left_out {
            out.push_str(before);
        }
        let Some(end) = from.find('>') else {
            rest = "";
            break;
        };
        let (tag, after) = from.split_at(end + 1);
        rest = after;
        let name = tag.trim_start_matches(['<', '/']).split([' ', '\n', '\t', '>', '/']).next().unwrap_or_default();
        match name {
            "div" if tag.ends_with("/>") => out.push_str("<div></div>"),
            "div" if tag.starts_with("</") => open.close(&mut out),
            "div" => open.begin(kind(tag), &mut out),
            _ if left_out => {}
            "en-note" | "en-media" => {}
            "en-todo" => out.push_str(if tag.starts_with("</") { "" } else { todo(tag, "checked=\"true\"") }),
            "en-crypt" if !tag.starts_with("</") => {
                rest = rest.find("</en-crypt").and_then(|at| rest.get(at..)).unwrap_or(rest);
                out.push_str(&format!("({})", encrypted(tag)));
            }
            "en-crypt" => {}
            "li" if tag.contains("-en-checked:") => {
                out.push_str(tag);
                out.push_str(todo(tag, "-en-checked:true"));
            }
            _ => out.push_str(tag),
        }
    }
    if open.tasks == 0 {
        out.push_str(rest);
    }
    out
}

fn kind(tag: &str) -> Div {
    let tight: String = tag.chars().filter(|c| !c.is_whitespace()).collect();
    match () {
        () if tight.contains("-en-codeblock:true") => Div::Code,
        () if tight.contains("-en-task-group:true") => Div::Tasks,
        () => Div::Plain,
    }
}

/// The `div`s that are open, and how many of them are of a kind.
#[derive(Default)]
struct Open {
    divs: Vec<Div>,
    code: usize,
    tasks: usize,
}

impl Open {
    fn begin(&mut self, div: Div, out: &mut String) {
        match div {
            _ if self.tasks > 0 || self.code > 0 => {}
            Div::Code => out.push_str("<pre>"),
            Div::Plain => out.push_str("<div>"),
            Div::Tasks => {}
        }
        self.count(div, |n| n + 1);
        self.divs.push(div);
    }

    fn close(&mut self, out: &mut String) {
        let Some(div) = self.divs.pop() else { return };
        self.count(div, |n| n - 1);
        match div {
            _ if self.tasks > 0 => {}
            Div::Code if self.code == 0 => {
                out.truncate(out.trim_end_matches('\n').len());
                out.push_str("</pre>");
            }
            Div::Plain if self.code > 0 => out.push('\n'),
            Div::Plain => out.push_str("</div>"),
            Div::Code | Div::Tasks => {}
        }
    }

    fn count(&mut self, div: Div, change: fn(usize) -> usize) {
        match div {
            Div::Code => self.code = change(self.code),
            Div::Tasks => self.tasks = change(self.tasks),
            Div::Plain => {}
        }
    }
}

fn todo(tag: &str, done: &str) -> &'static str {
    let tight: String = tag.chars().filter(|c| !c.is_whitespace()).collect();
    if tight.contains(done) { "<input type=\"checkbox\" checked>" } else { "<input type=\"checkbox\">" }
}

fn encrypted(tag: &str) -> String {
    let hint =
        tag.split_once("hint=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(hint, _)| xml::unescape(hint));
    match hint.filter(|hint| !hint.trim().is_empty()) {
        Some(hint) => format!("encrypted text, hint: {hint}"),
        None => "encrypted text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn elements_of_evernote() {
        for (enml, text) in [
            ("<?xml version=\"1.0\"?><!DOCTYPE en-note><en-note>a&nbsp;b</en-note>", "a\u{a0}b"),
            (
                "<en-note><div><en-todo checked=\"true\"/>done</div><div><en-todo/>open</div></en-note>",
                "[x] done\n[ ] open",
            ),
            (
                "<en-note><ul style=\"--en-todo:true;\"><li style=\"--en-checked:true;\"><div>b</div></li></ul></en-note>",
                "- [x] b",
            ),
            (
                "<en-note>a <en-crypt hint=\"h\" cipher=\"AES\">XXXX</en-crypt> b<en-media hash=\"x\" type=\"a/b\"/></en-note>",
                "a (encrypted text, hint: h) b",
            ),
            (
                "<en-note><div style=\"x;-en-codeblock:true;\"><div>let a;</div><div>  b</div></div><div>c</div></en-note>",
                "```\nlet a;\n  b\n```\n\nc",
            ),
            ("<en-note><div style=\"--en-task-group:true;\"><div>drawn</div></div><div>c</div></en-note>", "c"),
            ("<en-note><div>never closed", "never closed"),
        ] {
            assert_eq!(markdown(enml), text, "{enml}");
        }
    }
}
