//! A note cut into pieces that read by themselves: whole if it is short, else by headings, then by paragraphs.
//!
//! Not a Markdown parser: only headings, fences and comments matter here, and the text stays as it is.

use crate::Flow;

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
    text: &'a str,
    /// Of the heading, and how many lines it takes.
    line: usize,
    height: usize,
}

/// Hands out the pieces in order, one at a time: a note may have millions of them, or of lines.
pub(crate) fn pieces(body: &str, put: &mut dyn FnMut(Piece) -> Flow) -> Flow {
    let trimmed = body.trim();
    if trimmed.is_empty() {
        return Flow::Continue(());
    }
    if !is_long(trimmed) {
        let line = body.lines().position(|line| !line.trim().is_empty()).unwrap_or(0);
        return put(Piece { headings: Vec::new(), text: trimmed.to_owned(), line });
    }
    let mut before: Option<Section<'_>> = None;
    sections(body, &mut |section| {
        let level = section.level;
        let before = before.replace(section);
        before.map_or(Flow::Continue(()), |before| before.cut(level > before.level, put))
    })?;
    before.map_or(Flow::Continue(()), |last| last.cut(false, put))
}

fn is_long(text: &str) -> bool {
    text.chars().nth(LONGEST).is_some()
}

impl Section<'_> {
    /// `has_below`: a heading without text of its own is told by the sections below it.
    fn cut(&self, has_below: bool, put: &mut dyn FnMut(Piece) -> Flow) -> Flow {
        let title = match self.level {
            0 => String::new(),
            level => format!("{} {}\n\n", "#".repeat(level), self.headings.join(" › ")),
        };
        let mut put = |text: &str, line: usize| {
            let text = format!("{title}{text}").trim().replace("\r\n", "\n");
            put(Piece { headings: self.headings.clone(), text, line: self.line + line })
        };
        let mut said = false;
        runs(self.text, &mut |text, line| {
            said = true;
            put(text, line + self.height)
        })?;
        if said || self.level == 0 || has_below { Flow::Continue(()) } else { put("", 0) }
    }
}

/// Paragraphs joined up to the longest piece, each run with the line it begins on.
fn runs(text: &str, put: &mut dyn FnMut(&str, usize) -> Flow) -> Flow {
    let mut open: Option<(String, usize, usize)> = None;
    blocks(text, &mut |block, line, gap| {
        let more = block.chars().count();
        if let Some((run, length, _)) = open.as_mut().filter(|(_, length, _)| length + more <= LONGEST) {
            run.push_str(gap);
            run.push_str(block);
            *length += more + gap.len();
            return Flow::Continue(());
        }
        let before = open.replace((block.to_owned(), more, line));
        before.map_or(Flow::Continue(()), |(run, _, line)| put(&run, line))
    })?;
    open.map_or(Flow::Continue(()), |(run, _, line)| put(&run, line))
}

/// Paragraphs, and the single lines of one that is too long itself (a list); each with its line and
/// what parts it from the one before. What is fenced stays together.
fn blocks(text: &str, put: &mut dyn FnMut(&str, usize, &str) -> Flow) -> Flow {
    let mut close = |block: &str, from: usize, fenced: bool| {
        if fenced || !is_long(block) {
            return if block.trim().is_empty() { Flow::Continue(()) } else { put(block, from, "\n\n") };
        }
        let gap = |n| if n == 0 { "\n\n" } else { "\n" };
        block.lines().enumerate().try_for_each(|(n, line)| put(line, from + n, gap(n)))
    };
    let mut fences = Fences::default();
    // Where the open paragraph begins: its byte and its line.
    let mut open: Option<(usize, usize)> = None;
    let (mut fenced, mut at) = (false, 0);
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let inside = fences.holds(line);
        if !line.trim().is_empty() || inside {
            fenced |= inside;
            open.get_or_insert((at, n));
        } else if let Some((from, line)) = open.take() {
            close(without_end(text.get(from..at)), line, fenced)?;
            fenced = false;
        }
        at += line.len();
    }
    open.map_or(Flow::Continue(()), |(from, line)| close(without_end(text.get(from..)), line, fenced))
}

/// Lines without the end of the last one.
fn without_end(lines: Option<&str>) -> &str {
    let lines = lines.unwrap_or_default();
    let lines = lines.strip_suffix('\n').unwrap_or(lines);
    lines.strip_suffix('\r').unwrap_or(lines)
}

/// The first has no heading, and may be empty.
fn sections<'a>(body: &'a str, put: &mut dyn FnMut(Section<'a>) -> Flow) -> Flow {
    let mut open = Section { headings: Vec::new(), level: 0, text: "", line: 0, height: 0 };
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut fences = Fences::default();
    let mut lines = body.split_inclusive('\n').enumerate().peekable();
    // Of the open section's text, and of the line.
    let (mut from, mut at) = (0, 0);
    let mut after_blank = true;
    while let Some((n, line)) = lines.next() {
        let mut end = at + line.len();
        let inside = fences.holds(line);
        let below = lines.peek().map(|(_, below)| *below).filter(|_| after_blank);
        after_blank = line.trim().is_empty();
        if let Some((level, title, height)) = heading(without_end(Some(line)), below).filter(|_| !inside) {
            above.retain(|(outer, _)| *outer < level);
            above.push((level, title.to_owned()));
            let headings = above.iter().map(|(_, title)| title.clone()).collect();
            open.text = body.get(from..at).unwrap_or_default();
            put(std::mem::replace(&mut open, Section { headings, level, text: "", line: n, height }))?;
            if height == 2 {
                end += lines.next().map_or(0, |(_, underline)| underline.len());
            }
            from = end;
        }
        at = end;
    }
    open.text = body.get(from..).unwrap_or_default();
    put(open)
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

    fn pieces(body: &str) -> Vec<Piece> {
        let mut all = Vec::new();
        let flow = super::pieces(body, &mut |piece| {
            all.push(piece);
            Flow::Continue(())
        });
        assert!(flow.is_continue());
        all
    }

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
        let lines: Vec<_> = pieces(&format!("A\r\n===\r\n{long}\r\nmore\r\n\r\nend\r\n# B\r\n\r\n{long}\r\n"));
        assert_eq!(lines.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 8]);
        assert!(lines[0].text.ends_with("word \nmore\n\nend"), "{:?}", lines[0].text);
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
