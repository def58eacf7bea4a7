//! HTML without the depth that nobody writes: for every tag the parser walks up all elements that are open, and
//! writes open emphasis anew in every block, so that a page of a megabyte that closes nothing would take minutes
//! and gigabytes. Tags that open too much are left out; what is between them stays.

use std::borrow::Cow;

/// Open elements. Mails of a hundred answers within each other have 300.
const DEEPEST: usize = 500;
/// Open emphasis, which lasts until its own end, whatever is closed around it.
const MOST_EMPHASIS: usize = 30;
/// Elements whose ends are looked for, and how far up.
const MOST_HELD: usize = 100_000;
const FAR: usize = 60;

/// Elements that need no end, or whose end is often left out.
const CLOSE_THEMSELVES: [&str; 26] = [
    "a", "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p",
    "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];
const EMPHASIS: [&str; 13] =
    ["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// What is in these is no HTML.
const OTHER: [&str; 7] = ["script", "style", "textarea", "title", "svg", "math", "xmp"];

pub(super) fn shallow(html: &str) -> Cow<'_, str> {
    let (mut kept, mut copied, mut at) = (String::new(), 0, 0);
    let mut nest = Nest::default();
    while let Some((start, rest)) = after(html, at, "<") {
        at = start + 1;
        if let Some(comment) = rest.strip_prefix("!--") {
            at = comment.find("-->").map_or(at, |n| start + 4 + n);
            continue;
        }
        let closes = rest.starts_with('/');
        let name = rest.get(usize::from(closes)..).unwrap_or_default();
        let name =
            name.get(..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())).unwrap_or_default();
        if name.is_empty() || is_one(name, &CLOSE_THEMSELVES) {
            continue;
        }
        if !closes && is_one(name, &OTHER) {
            at = nest.end_of_other(html, at, name).unwrap_or(at);
            continue;
        }
        let keeps = if closes { nest.close(name) } else { nest.open(name) };
        if !keeps {
            let end = rest.find('>').map_or(html.len(), |n| start + n + 2);
            kept.push_str(html.get(copied..start).unwrap_or_default());
            (copied, at) = (end, end);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    kept.push_str(html.get(copied..).unwrap_or_default());
    Cow::Owned(kept)
}

/// Where `mark` comes next, and what follows it.
fn after<'a>(html: &'a str, at: usize, mark: &str) -> Option<(usize, &'a str)> {
    let found = html.get(at..)?.find(mark)? + at;
    Some((found, html.get(found + mark.len()..)?))
}

fn is_one(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

struct Open<'a> {
    name: &'a str,
    /// Its tag was not left out.
    kept: bool,
}

#[derive(Default)]
struct Nest<'a> {
    open: Vec<Open<'a>>,
    depth: usize,
    emphasis: usize,
    /// Of [`OTHER`], those that have no end any more.
    endless: Vec<&'a str>,
}

impl<'a> Nest<'a> {
    /// Whether the tag stays.
    fn open(&mut self, name: &'a str) -> bool {
        let emphasis = is_one(name, &EMPHASIS);
        let kept = self.depth < DEEPEST && !(emphasis && self.emphasis >= MOST_EMPHASIS);
        if self.open.len() >= MOST_HELD {
            return false;
        }
        self.open.push(Open { name, kept });
        if kept {
            self.depth += 1;
            self.emphasis += usize::from(emphasis);
        }
        kept
    }

    /// Closes what is open by that name, and all in it; the end of what is not open means nothing.
    fn close(&mut self, name: &str) -> bool {
        let Some(up) = self.open.iter().rev().take(FAR).position(|open| open.name.eq_ignore_ascii_case(name)) else {
            return true;
        };
        let from = self.open.len() - up - 1;
        let own = self.open.get(from).is_none_or(|open| open.kept);
        self.depth -= self.open.drain(from..).filter(|open| open.kept).count();
        if own && is_one(name, &EMPHASIS) {
            self.emphasis -= 1;
        }
        own
    }

    /// Where something that is no HTML ends.
    fn end_of_other(&mut self, html: &str, mut at: usize, name: &'a str) -> Option<usize> {
        if is_one(name, &self.endless) {
            return None;
        }
        while let Some((start, rest)) = after(html, at, "</") {
            if rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
                return Some(start + 2 + name.len());
            }
            at = start + 2;
        }
        self.endless.push(name);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays_as_it_is() {
        for html in [
            "<p>a<b>b</b><br>c<li>d<a href=x>e</a>".repeat(1_000),
            "<div><blockquote><font size=2>".repeat(160) + "x" + &"</font></blockquote></div>".repeat(160),
            "<script>if (a<b) c<i;</script>".repeat(1_000),
            "<svg><rect/><g><path d='x'/></g></svg><!-- <b> -->".repeat(1_000),
            "a < b and c > d é<".to_owned(),
        ] {
            let depth = shallow(&html);
            assert!(matches!(depth, Cow::Borrowed(_)) || html.contains("<font"), "{html:.60}");
        }
    }

    #[test]
    fn depth_is_left_out_and_words_stay() {
        for open in ["<div>", "<div></x>", "<b class=1>", "<DIV a='1'><p>", "<i></div>", "<x/>", "<table><tr><td>"] {
            let html = format!("{}some <em>words</em>{}", open.repeat(10_000), "</div>".repeat(10_000));
            let kept = shallow(&html);
            assert!(kept.matches("<div").count() + kept.matches("<DIV").count() <= DEEPEST, "{open}");
            assert!(kept.matches("<b").count() <= MOST_EMPHASIS && kept.contains("words"), "{open}");
        }
        assert_eq!(shallow("<title>never closed<title>").len(), 26);
    }

    #[test]
    fn ends_of_what_was_left_out_go_with_it() {
        let html = format!("{}a{}<p>b", "<div>".repeat(600), "</div>".repeat(600));
        let kept = shallow(&html);
        assert_eq!((kept.matches("<div>").count(), kept.matches("</div>").count()), (DEEPEST, DEEPEST));
        assert!(kept.ends_with("</div><p>b"));
    }
}
