//! Org's text as Markdown: links, code, emphasis, blocks, check boxes.

use crate::text::until;

/// Bytes of a link at most, and of what is emphasised.
const LONGEST_LINK: usize = 4_096;
const LONGEST_EMPHASIS: usize = 4_096;
/// Emphasis within emphasis.
const DEEPEST: usize = 8;

/// Lines of a section without drawers.
pub(super) fn markdown(lines: &[&str]) -> String {
    let mut out = Vec::new();
    let mut block: Option<String> = None;
    for line in lines {
        let trimmed = line.trim();
        let lower = trimmed.to_lowercase();
        if let Some(name) = lower.strip_prefix("#+begin_") {
            let mut words = name.split_whitespace();
            let name = words.next().unwrap_or_default().to_owned();
            if is_code(&name) {
                out.push(format!("```{}", if name == "src" { words.next().unwrap_or_default() } else { "" }));
            }
            block = Some(name);
        } else if lower.starts_with("#+end_") {
            if block.take().is_some_and(|name| is_code(&name)) {
                out.push("```".to_owned());
            }
        } else {
            out.push(match &block {
                Some(name) if is_code(name) => (*line).to_owned(),
                Some(name) if name == "quote" => format!("> {}", inline(trimmed)),
                _ => inline(line.trim_end()),
            });
        }
    }
    if block.is_some_and(|name| is_code(&name)) {
        out.push("```".to_owned());
    }
    let text = out.join("\n");
    let shared = out.iter().filter(|l| !l.trim().is_empty()).map(|l| l.len() - l.trim_start_matches(' ').len()).min();
    match shared.filter(|n| *n > 0) {
        // The text of a heading is often indented as a whole.
        Some(n) => out.iter().map(|l| l.get(n..).unwrap_or_default()).collect::<Vec<_>>().join("\n").trim().to_owned(),
        None => text.trim().to_owned(),
    }
}

fn is_code(block: &str) -> bool {
    matches!(block, "src" | "example" | "export")
}

/// Links, code and emphasis of one line.
pub(super) fn inline(line: &str) -> String {
    within(line, 0)
}

fn within(line: &str, depth: usize) -> String {
    let (mut out, mut rest, mut before) = (String::with_capacity(line.len()), line, None::<char>);
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '[' => link(rest),
            '*' | '/' | '=' | '~' | '+' if starts(before) && depth < DEEPEST => emphasis(rest, c, depth),
            _ => None,
        };
        let (said, n) = taken.unwrap_or_else(|| (c.to_string(), c.len_utf8()));
        before = rest.get(..n).and_then(|taken| taken.chars().last());
        out.push_str(&said);
        rest = rest.get(n..).unwrap_or_default();
    }
    out
}

fn starts(before: Option<char>) -> bool {
    before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '{' | '\'' | '"' | '-'))
}

/// `[[address][words]]`, `[[address]]`: what it is as Markdown, and how long it was.
fn link(rest: &str) -> Option<(String, usize)> {
    let inside = rest.strip_prefix("[[")?;
    let (inside, _) = until(inside, "]]", LONGEST_LINK)?;
    let (address, words) = inside.split_once("][").unwrap_or((inside, ""));
    let n = inside.len() + 4;
    let file = address
        .strip_prefix("file:")
        .or_else(|| address.strip_prefix("attachment:"))
        .or_else(|| Some(address).filter(|a| a.starts_with("./") || a.starts_with("../")));
    let said = match (address, words) {
        (a, "") if a.starts_with("id:") => a.to_owned(),
        (_, words) if file.is_some() => {
            let file = file.unwrap_or_default().split("::").next().unwrap_or_default();
            format!("[{}]({file})", if words.is_empty() { file.rsplit('/').next().unwrap_or(file) } else { words })
        }
        (a, "") if a.contains("://") || a.starts_with("mailto:") => a.to_owned(),
        (a, words) if a.contains("://") || a.starts_with("mailto:") => format!("[{words}]({a})"),
        (a, "") => a.trim_start_matches('*').to_owned(),
        (_, words) => words.to_owned(),
    };
    Some((said, n))
}

/// `*bold*`, `/italic/`, `=code=`, `~code~`, `+struck+`
fn emphasis(rest: &str, mark: char, depth: usize) -> Option<(String, usize)> {
    let inside = rest.get(1..rest.floor_char_boundary(LONGEST_EMPHASIS))?;
    if inside.starts_with(|c: char| c.is_whitespace()) {
        return None;
    }
    let mut from = 0;
    loop {
        let at = from + inside.get(from..)?.find(mark)?;
        let words = inside.get(..at)?;
        let after = rest.get(at + 2..)?.chars().next();
        let ends = after.is_none_or(|c| {
            c.is_whitespace() || matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | ')' | '}' | '\'' | '"' | '-' | '[')
        });
        if ends && !words.is_empty() && !words.ends_with(|c: char| c.is_whitespace()) {
            let marks = match mark {
                '*' => "**",
                '/' => "*",
                '+' => "~~",
                _ => "`",
            };
            let said = if marks == "`" { words.to_owned() } else { within(words, depth + 1) };
            return Some((format!("{marks}{said}{marks}"), at + 2));
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_org() {
        for (org, text) in [
            ("a *bold* /it/ =x*y= ~c~ +no+ 2*3*4 a/b/c", "a **bold** *it* `x*y` `c` ~~no~~ 2*3*4 a/b/c"),
            (
                "[[https://a.b/c][words /x/]] [[https://a.b]] [[id:1][note]] [[*Heading]]",
                "[words /x/](https://a.b/c) https://a.b note Heading",
            ),
            ("[[file:pics/a.png]] [[./b.pdf][the b]]", "[a.png](pics/a.png) [the b](./b.pdf)"),
            ("- [ ] task [1/2] [", "- [ ] task [1/2] ["),
            ("* */ ==", "* */ =="),
            ("*/+a+/*", "***~~a~~***"),
        ] {
            assert_eq!(inline(org), text, "{org}");
        }
        let deep = format!("{}a{}", "*/".repeat(10_000), "/*".repeat(10_000));
        assert!(inline(&deep).contains('a'));
        let lines = [
            "  one",
            "",
            "  #+begin_src rust",
            "  let a = *b*;",
            "  #+end_src",
            "#+BEGIN_QUOTE",
            "said",
            "#+END_QUOTE",
        ];
        assert_eq!(markdown(&lines), "  one\n\n```rust\n  let a = *b*;\n```\n> said".trim());
    }
}
