//! The text of a Slack message as Markdown: its own markup (`mrkdwn`), rich text blocks, and what bots
//! and shared messages put into attachments.

use super::{
    directory::Directory,
    emoji::{emoji, emojis, unicode},
};
use crate::text::until;
use crate::values::{array, first_text, flag, number, text};
use serde_json::Value;

/// Bytes of a link at most.
const LONGEST_LINK: usize = 8_192;

/// How deep blocks and attachments may lie in one another.
const DEEPEST: usize = 8;

/// Everything that a message says.
pub(super) fn of(message: &Value, directory: &Directory) -> String {
    let written = markdown(text(message, "text"), directory);
    let said = if written.trim().is_empty() { blocks(array(message, "blocks"), directory, 0) } else { written };
    let mut all = vec![said.trim().to_owned()];
    for attachment in array(message, "attachments") {
        // A preview of a link is nobody's writing, but better than nothing.
        let preview = first_text(attachment, &["from_url", "original_url"]);
        let shared = flag(attachment, "is_share") || flag(attachment, "is_msg_unfurl");
        if preview.is_empty() || shared || all.iter().all(|t| t.is_empty()) {
            all.push(attachment_text(attachment, shared, directory));
        }
    }
    all.retain(|t| !t.is_empty());
    all.dedup();
    all.join("\n\n").trim().to_owned()
}

fn attachment_text(attachment: &Value, shared: bool, directory: &Directory) -> String {
    let line = |key: &str| markdown(text(attachment, key), directory);
    let title = match (line("title"), text(attachment, "title_link")) {
        (title, "") => title,
        (title, _) if title.is_empty() => title,
        (title, link) => format!("[{title}]({link})"),
    };
    let mut lines = vec![line("pretext"), title, line("text")];
    for field in array(attachment, "fields") {
        let words = ["title", "value"].map(|key| markdown(text(field, key), directory));
        lines.push(words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(": "));
    }
    if lines.iter().all(String::is_empty) {
        lines = vec![blocks(array(attachment, "blocks"), directory, 0)];
    }
    if lines.iter().all(String::is_empty) {
        lines = vec![line("fallback")];
    }
    lines.retain(|l| !l.is_empty());
    let said = lines.join("\n");
    if !shared || said.is_empty() {
        return said;
    }
    let quoted: Vec<String> = said.lines().map(|l| format!("> {l}").trim_end().to_owned()).collect();
    match first_text(attachment, &["author_name", "author_subname"]) {
        "" => quoted.join("\n"),
        author => format!("{author}:\n{}", quoted.join("\n")),
    }
}

fn blocks(blocks: &[Value], directory: &Directory, depth: usize) -> String {
    if depth > DEEPEST {
        return String::new();
    }
    let one = |block: &Value| match text(block, "type") {
        "rich_text" => rich(array(block, "elements"), directory, depth + 1),
        "section" | "header" => {
            let head = block.get("text").map(|t| plain_or_markdown(t, directory)).unwrap_or_default();
            let fields = array(block, "fields").iter().map(|f| plain_or_markdown(f, directory));
            std::iter::once(head).chain(fields).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n")
        }
        "context" => {
            let all = array(block, "elements").iter().map(|e| plain_or_markdown(e, directory));
            all.filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ")
        }
        "image" | "video" => first_text(block, &["alt_text", "title"]).to_owned(),
        "markdown" => text(block, "text").to_owned(),
        _ => String::new(),
    };
    blocks.iter().map(one).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n")
}

fn plain_or_markdown(value: &Value, directory: &Directory) -> String {
    match text(value, "type") {
        "plain_text" => emojis(text(value, "text")),
        _ => markdown(text(value, "text"), directory),
    }
}

/// The parts of a rich text block.
fn rich(elements: &[Value], directory: &Directory, depth: usize) -> String {
    if depth > DEEPEST {
        return String::new();
    }
    let one = |element: &Value| {
        let inner = array(element, "elements");
        match text(element, "type") {
            "rich_text_list" => {
                let ordered = text(element, "style") == "ordered";
                let indent = "  ".repeat(number(element.get("indent")).map_or(0, |n| n.clamp(0.0, 8.0) as usize));
                let item = |(n, item): (usize, &Value)| {
                    let mark = if ordered { format!("{}.", n + 1) } else { "-".to_owned() };
                    format!("{indent}{mark} {}", rich_line(array(item, "elements"), directory))
                };
                inner.iter().enumerate().map(item).collect::<Vec<_>>().join("\n")
            }
            "rich_text_quote" => {
                let said = rich_line(inner, directory);
                said.lines().map(|l| format!("> {l}")).collect::<Vec<_>>().join("\n")
            }
            "rich_text_preformatted" => format!("```\n{}\n```", rich_line(inner, directory)),
            _ => rich_line(inner, directory),
        }
    };
    let all: Vec<String> = elements.iter().map(one).collect();
    all.join("\n").trim().to_owned()
}

fn rich_line(elements: &[Value], directory: &Directory) -> String {
    elements.iter().map(|e| rich_word(e, directory)).collect()
}

fn rich_word(element: &Value, directory: &Directory) -> String {
    match text(element, "type") {
        "text" => styled(text(element, "text"), element.get("style").unwrap_or(&Value::Null)),
        "link" => match (text(element, "text"), text(element, "url")) {
            ("", url) => url.to_owned(),
            (label, url) if label == url => url.to_owned(),
            (label, url) => format!("[{label}]({url})"),
        },
        "user" => person(text(element, "user_id"), "", directory),
        "channel" => channel(text(element, "channel_id"), "", directory),
        "usergroup" => format!("@{}", text(element, "usergroup_id")),
        "broadcast" => format!("@{}", text(element, "range")),
        "emoji" => match unicode(text(element, "unicode")) {
            Some(emoji) => emoji,
            None => emoji(text(element, "name")),
        },
        _ => text(element, "text").to_owned(),
    }
}

fn styled(words: &str, style: &Value) -> String {
    let marks = [("code", "`"), ("bold", "**"), ("italic", "*"), ("strike", "~~")];
    let set = marks.iter().filter(|(name, _)| flag(style, name));
    set.fold(words.to_owned(), |words, (_, mark)| wrapped(&words, mark))
}

/// Markdown's marks stand next to a word, never next to a space.
fn wrapped(words: &str, mark: &str) -> String {
    let inner = words.trim();
    match words.split_once(inner).filter(|_| !inner.is_empty() && !inner.contains('\n')) {
        Some((before, after)) => format!("{before}{mark}{inner}{mark}{after}"),
        None => words.to_owned(),
    }
}

/// Slack's `mrkdwn`. What stands in code is only decoded.
pub(super) fn markdown(mrkdwn: &str, directory: &Directory) -> String {
    let mut out = String::with_capacity(mrkdwn.len());
    for (n, piece) in mrkdwn.split("```").enumerate() {
        if n % 2 == 1 {
            out.push_str("```");
            out.push_str(&links(piece, directory));
            out.push_str("```");
            continue;
        }
        for (n, piece) in piece.split('`').enumerate() {
            match n % 2 {
                1 => out.push_str(&format!("`{}`", links(piece, directory))),
                _ => out.push_str(&emojis(&marks(&links(piece, directory)))),
            }
        }
    }
    // The last of an odd number of marks opened nothing.
    if mrkdwn.matches("```").count() % 2 == 1 && out.ends_with("```") {
        out.truncate(out.len() - 3);
    }
    out
}

/// `<…>` by what it stands for; the rest with its entities decoded.
fn links(piece: &str, directory: &Directory) -> String {
    let (mut out, mut rest) = (String::with_capacity(piece.len()), piece);
    while let Some((before, from)) = rest.split_once('<') {
        out.push_str(&decoded(before));
        match until(from, ">", LONGEST_LINK) {
            Some((inner, after)) if is_link(inner) => {
                out.push_str(&link(inner, directory));
                rest = after;
            }
            _ => {
                out.push('<');
                rest = from;
            }
        }
    }
    out.push_str(&decoded(rest));
    out
}

fn is_link(inner: &str) -> bool {
    let scheme = inner.split(':').next().filter(|s| s.len() < inner.len());
    let leads =
        scheme.is_some_and(|s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)));
    (inner.starts_with(['@', '#', '!']) || leads) && !inner.contains(['<', '\n'])
}

fn link(inner: &str, directory: &Directory) -> String {
    let (to, label) = inner.split_once('|').unwrap_or((inner, ""));
    let label = decoded(label);
    match to.split_at_checked(1) {
        Some(("@", user)) => person(user, &label, directory),
        Some(("#", id)) => channel(id, &label, directory),
        Some(("!", what)) => special(what, &label),
        _ => {
            let to = decoded(to);
            let shown = to.strip_prefix("mailto:").or_else(|| to.strip_prefix("tel:")).unwrap_or(&to);
            let bare = |url: &str| url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned();
            if label.is_empty() || label == shown || bare(&label) == bare(shown) {
                shown.to_owned()
            } else {
                format!("[{label}]({to})")
            }
        }
    }
}

fn person(id: &str, label: &str, directory: &Directory) -> String {
    let label = Some(label.trim_start_matches('@')).filter(|l| !l.is_empty());
    format!("@{}", directory.name(id).or(label).unwrap_or(id))
}

fn channel(id: &str, label: &str, directory: &Directory) -> String {
    let label = Some(label.trim_start_matches('#')).filter(|l| !l.is_empty());
    format!("#{}", label.or_else(|| directory.channel_name(id)).unwrap_or(id))
}

/// `!here`, `!subteam^S1`, `!date^…`.
fn special(what: &str, label: &str) -> String {
    let mut parts = what.split('^');
    match (parts.next().unwrap_or_default(), label) {
        ("date", "") => parts.next().unwrap_or_default().to_owned(),
        ("date", label) => label.to_owned(),
        (_, label) if !label.is_empty() => format!("@{}", label.trim_start_matches('@')),
        ("subteam", _) => format!("@{}", parts.next().unwrap_or_default()),
        (name, _) => format!("@{name}"),
    }
}

fn decoded(piece: &str) -> String {
    piece.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// `*bold*`, `_italic_` and `~struck~` as Markdown.
fn marks(piece: &str) -> String {
    let chars: Vec<char> = piece.chars().collect();
    let mut out = String::with_capacity(piece.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let before = at.checked_sub(1).and_then(|i| chars.get(i)).copied();
        let mark = match c {
            '*' => Some("**"),
            '_' => Some("*"),
            '~' => Some("~~"),
            _ => None,
        };
        let opens = before.is_none_or(|b| !b.is_alphanumeric() && b != c);
        let end = mark.filter(|_| opens).and_then(|_| closing(&chars, at, c));
        match (mark, end) {
            (Some(mark), Some(end)) => {
                let inner: String = chars.get(at + 1..end).unwrap_or_default().iter().collect();
                out.push_str(&format!("{mark}{}{mark}", marks(&inner)));
                at = end + 1;
            }
            _ => {
                out.push(c);
                at += 1;
            }
        }
    }
    out
}

/// Where on the same line the mark at `at` is closed.
fn closing(chars: &[char], at: usize, mark: char) -> Option<usize> {
    let first = chars.get(at + 1)?;
    if first.is_whitespace() || *first == mark {
        return None;
    }
    let rest = chars.get(at + 1..)?.iter().take(4_000).take_while(|c| **c != '\n');
    for (n, c) in rest.enumerate().skip(1) {
        let i = at + 1 + n;
        let after = chars.get(i + 1);
        let ends = after.is_none_or(|c| !c.is_alphanumeric() && *c != mark);
        if *c == mark && ends && chars.get(i - 1).is_some_and(|c| !c.is_whitespace()) {
            return Some(i);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn directory() -> Directory {
        let mut directory = Directory::default();
        directory.add(
            "users.json",
            "users.json",
            vec![json!({"id": "U1", "name": "ana", "profile": {"display_name": "Ana B"}})],
        );
        directory.add("channels.json", "channels.json", vec![json!({"id": "C1", "name": "general"})]);
        directory
    }

    #[test]
    fn mrkdwn() {
        for (written, meant) in [
            ("<@U1> and <@U9|bob> in <#C1> or <#C2|other>", "@Ana B and @bob in #general or #other"),
            ("<!here> <!channel> <!subteam^S1|@devs> <!date^1392734382^{date}|Feb 18>", "@here @channel @devs Feb 18"),
            (
                "<https://a.b/x?y=1&amp;z|the page> <https://a.b> <mailto:a@b.c|a@b.c>",
                "[the page](https://a.b/x?y=1&z) https://a.b a@b.c",
            ),
            (
                "*bold* _it_ ~no~ a*b*c 2 * 3 * 4 snake_case_name",
                "**bold** *it* ~~no~~ a*b*c 2 * 3 * 4 snake_case_name",
            ),
            ("*_both_*", "***both***"),
            ("`*not* &lt;b&gt;` &amp;amp; 1 &lt; 2", "`*not* <b>` &amp; 1 < 2"),
            ("```\nlet *a* = _b_;\n```", "```\nlet *a* = _b_;\n```"),
            ("odd ``` fence", "odd ``` fence"),
            ("ok :+1::skin-tone-2: :party-parrot: at 10:30:00", "ok 👍 :party-parrot: at 10:30:00"),
            ("a < b and c > d", "a < b and c > d"),
            ("see <http://www.a.b|www.a.b>", "see http://www.a.b"),
        ] {
            assert_eq!(markdown(written, &directory()), meant, "{written}");
        }
    }

    fn check(message: Value, expected: &str) {
        assert_eq!(of(&message, &directory()), expected, "{message}");
    }

    #[test]
    fn blocks_where_there_is_no_text() {
        check(
            json!({"text": "", "blocks": [{"type": "rich_text", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "hi ", "style": {"bold": true}}, {"type": "user", "user_id": "U1"}, {"type": "emoji", "name": "x", "unicode": "1f44d"}]},
                {"type": "rich_text_list", "style": "ordered", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}]},
                {"type": "rich_text_quote", "elements": [{"type": "link", "url": "https://a.b", "text": "l"}]}]}]}),
            "**hi** @Ana B👍\n1. one\n> [l](https://a.b)",
        );
        check(json!({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*A*"}}]}), "**A**");
    }

    #[test]
    fn attachments_of_bots_and_previews_of_links() {
        check(
            json!({"text": "", "attachments": [{"pretext": "Build", "title": "Job 1", "title_link": "https://ci", "text": "*failed*", "fields": [{"title": "By", "value": "Ana"}]}]}),
            "Build\n[Job 1](https://ci)\n**failed**\nBy: Ana",
        );
        check(
            json!({"text": "<https://a.b>", "attachments": [{"from_url": "https://a.b", "text": "long"}]}),
            "https://a.b",
        );
        check(
            json!({"text": "look", "attachments": [{"is_share": true, "from_url": "https://s", "author_name": "Bo", "text": "x\ny"}]}),
            "look\n\nBo:\n> x\n> y",
        );
        check(json!({"text": "", "attachments": [{"fallback": "only this"}]}), "only this");
    }
}
