//! A note cut into pieces that read by themselves: whole if it is short, else by headings, then by paragraphs.
//!
//! Not a Markdown parser: only headings, fences and comments matter here, and the text stays as it is.

/// Longest note that stays whole, and longest piece made of several paragraphs, in characters.
pub(crate) const LONGEST: usize = 1500;

#[derive(Debug, PartialEq)]
pub(crate) struct Piece {
    /// Headings above it, the outermost first; none for a whole note or what stands before the first heading.
    pub(crate) headings: Vec<String>,
    /// Begins with the headings where the note was cut.
    pub(crate) text: String,
    /// Its first line in `body`, from 0.
    pub(crate) line: usize,
}

/// The text under one heading, up to the next.
struct Section<'a> {
    headings: Vec<String>,
    level: usize,
    lines: Vec<&'a str>,
    line: usize,
}

pub(crate) fn pieces(body: &str) -> Vec<Piece> {
    let trimmed = body.trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    if trimmed.chars().count() <= LONGEST {
        let line = body.lines().position(|line| !line.trim().is_empty()).unwrap_or(0);
        return vec![Piece { headings: Vec::new(), text: trimmed.to_owned(), line }];
    }
    let sections = sections(body);
    let mut out = Vec::new();
    for (i, section) in sections.iter().enumerate() {
        let has_below = sections.get(i + 1).is_some_and(|next| next.level > section.level);
        section.cut(has_below, &mut out);
    }
    out
}

impl Section<'_> {
    /// `has_below`: a heading without text of its own is told by the sections below it.
    fn cut(&self, has_below: bool, out: &mut Vec<Piece>) {
        let title = match self.level {
            0 => String::new(),
            level => format!("{} {}\n\n", "#".repeat(level), self.headings.join(" › ")),
        };
        let mut put = |text: &str, line: usize| {
            let text = format!("{title}{text}").trim().to_owned();
            out.push(Piece { headings: self.headings.clone(), text, line: self.line + line });
        };
        let runs = runs(&self.lines);
        if runs.is_empty() && self.level > 0 && !has_below {
            put("", 0);
        }
        for (text, line) in runs {
            put(&text, line + usize::from(self.level > 0));
        }
    }
}

/// Paragraphs joined up to the longest piece, each run with the line it begins on.
fn runs(lines: &[&str]) -> Vec<(String, usize)> {
    let mut out: Vec<(String, usize)> = Vec::new();
    let mut length = 0;
    for (block, line, gap) in blocks(lines) {
        let more = block.chars().count();
        match out.last_mut() {
            Some((text, _)) if length + more <= LONGEST => {
                text.push_str(gap);
                text.push_str(&block);
                length += more + gap.len();
            }
            _ => {
                out.push((block, line));
                length = more;
            }
        }
    }
    out
}

/// Paragraphs, and the single lines of one that is too long itself (a list); each with its line and
/// what parts it from the one before. What is fenced stays together.
fn blocks<'a>(lines: &[&'a str]) -> Vec<(String, usize, &'a str)> {
    let mut out = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut fences = Fences::default();
    let mut close = |open: &mut Vec<&str>, end: usize, fenced: bool| {
        let from = end - open.len();
        let whole = open.join("\n");
        if whole.chars().count() <= LONGEST || fenced {
            out.extend((!whole.trim().is_empty()).then_some((whole, from, "\n\n")));
        } else {
            let gap = |n| if n == 0 { "\n\n" } else { "\n" };
            out.extend(open.iter().enumerate().map(|(n, line)| ((*line).to_owned(), from + n, gap(n))));
        }
        open.clear();
    };
    let mut fenced = false;
    for (n, line) in lines.iter().enumerate() {
        let inside = fences.holds(line);
        if line.trim().is_empty() && !inside {
            close(&mut open, n, fenced);
            fenced = false;
        } else {
            fenced |= inside;
            open.push(line);
        }
    }
    close(&mut open, lines.len(), fenced);
    out
}

fn sections(body: &str) -> Vec<Section<'_>> {
    let mut out = vec![Section { headings: Vec::new(), level: 0, lines: Vec::new(), line: 0 }];
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut fences = Fences::default();
    let lines: Vec<&str> = body.lines().collect();
    let mut n = 0;
    while let Some(line) = lines.get(n) {
        let inside = fences.holds(line);
        let after_blank = n == 0 || lines.get(n - 1).is_some_and(|l| l.trim().is_empty());
        let below = lines.get(n + 1).copied().filter(|_| after_blank);
        match heading(line, below).filter(|_| !inside) {
            Some((level, title, height)) => {
                above.retain(|(outer, _)| *outer < level);
                above.push((level, title.to_owned()));
                let headings = above.iter().map(|(_, title)| title.clone()).collect();
                out.push(Section { headings, level, lines: Vec::new(), line: n });
                n += height;
            }
            None => {
                if let Some(section) = out.last_mut() {
                    section.lines.push(line);
                }
                n += 1;
            }
        }
    }
    out
}

/// Level, title and number of lines of a heading: `## Title`, or a line underlined with `===` or `---`.
pub(super) fn heading<'a>(line: &'a str, below: Option<&str>) -> Option<(usize, &'a str, usize)> {
    let text = line.trim_start_matches(' ');
    if line.len() - text.len() > 3 {
        return None;
    }
    let level = text.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&level) {
        let title = text.get(level..).filter(|rest| rest.starts_with([' ', '\t']) || rest.is_empty())?;
        return Some((level, title.trim().trim_end_matches('#').trim_end(), 1))
            .filter(|(_, title, _)| !title.is_empty());
    }
    let below = below.map(str::trim).filter(|b| b.len() >= 3)?;
    let starts_otherwise = text.starts_with(['-', '*', '+', '>', '|', '`', '~', '=', '<']) || text.trim().is_empty();
    let underlined = |c: char| below.chars().all(|b| b == c);
    match (underlined('='), underlined('-')) {
        _ if starts_otherwise => None,
        (true, _) => Some((1, text.trim(), 2)),
        (_, true) => Some((2, text.trim(), 2)),
        _ => None,
    }
}

/// Whether a line stands in a code fence or a comment, where `#` is no heading.
#[derive(Default)]
pub(super) struct Fences {
    /// What closes it.
    open: Option<String>,
}

impl Fences {
    /// To be asked once for each line in order; true for the lines that open and close, too.
    pub(super) fn holds(&mut self, line: &str) -> bool {
        let text = line.trim();
        if let Some(close) = &self.open {
            let is_code = close.starts_with(['`', '~']);
            let closes = if is_code {
                text.starts_with(close.as_str()) && text.trim_matches(['`', '~']).is_empty()
            } else {
                text.contains(close.as_str())
            };
            if closes {
                self.open = None;
            }
            return true;
        }
        self.open = opening(text);
        self.open.is_some()
    }
}

/// What closes the fence or comment that `text` opens and leaves open.
fn opening(text: &str) -> Option<String> {
    for mark in ['`', '~'] {
        let n = text.chars().take_while(|c| *c == mark).count();
        let inline = text.get(n..).is_some_and(|rest| mark == '`' && rest.contains('`'));
        if n >= 3 && !inline {
            return Some(mark.to_string().repeat(n));
        }
    }
    let last = text.rfind("<!--").and_then(|at| text.get(at..));
    if last.is_some_and(|comment| !comment.contains("-->")) {
        return Some("-->".to_owned());
    }
    (text.matches("%%").count() % 2 == 1).then(|| "%%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: headings and the beginning of each piece.
    fn check(body: &str, expected: &[(&str, &str)]) {
        let pieces = pieces(body);
        let got: Vec<_> = pieces
            .iter()
            .map(|p| {
                (p.headings.join("/"), p.text.lines().last().unwrap_or_default().chars().take(12).collect::<String>())
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(h, t)| ((*h).to_owned(), (*t).to_owned())).collect();
        assert_eq!(got, expected, "{body:.200}");
    }

    #[test]
    fn a_short_note_stays_whole() {
        check("# A\n\ntext\n\n## B\n\nmore", &[("", "more")]);
        check("\n \n", &[]);
    }

    #[test]
    fn a_long_note_is_cut_at_headings() {
        let long = "word ".repeat(200);
        check(
            &format!("before\n\n# A\n\n{long}\n\n## B\n{long}\n\n# C\n\nend\n\n# D"),
            &[("", "before"), ("A", "word word wo"), ("A/B", "word word wo"), ("C", "end"), ("D", "# D")],
        );
        check(&format!("A\n===\n\n{long}\n\nB\n---\n\n{long}\n\n---\n\nend"), &[("A", "word word wo"), ("A/B", "end")]);
        let piece = &pieces(&format!("# A\n\n{long}\n\n## B\n{long}"))[1];
        assert!(piece.text.starts_with("## A › B\n\nword"));
        assert_eq!(piece.line, 5);
    }

    #[test]
    fn what_is_fenced_is_no_heading() {
        let long = "word ".repeat(300);
        for fence in [
            "```\n# no\n```",
            "~~~sh\n# no\n```\n# no\n~~~",
            "<!--\n# no\n-->",
            "%%\n# no\n%%",
            "#tag",
            "    # code",
            "- item\n---",
        ] {
            check(
                &format!("{long}\n\n{fence}\n\nend"),
                &[("", if long.len() + fence.len() > LONGEST { "word word wo" } else { "end" }), ("", "end")],
            );
        }
    }

    #[test]
    fn long_sections_are_cut_at_paragraphs_and_long_lists_at_lines() {
        let paragraph = "word ".repeat(160);
        let many = format!("# A\n\n{paragraph}\n\n{paragraph}\n\n{paragraph}");
        assert_eq!(pieces(&many).len(), 3);
        let list = "- an item of a list\n".repeat(200);
        let cut = pieces(&list);
        assert!(cut.len() > 2 && cut.iter().all(|p| p.text.chars().count() <= LONGEST + 200));
        assert_eq!(cut.iter().map(|p| p.text.matches("- an").count()).sum::<usize>(), 200);
        let code = format!("```\n{}```", "let x = 1;\n\n".repeat(200));
        assert_eq!(pieces(&code).len(), 1);
    }
}
