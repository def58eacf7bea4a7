//! What a mail says itself, and what it only repeats.
//!
//! The text of a mail is its own words first, then what it quotes, as a Markdown quote. A quote at the end (or the
//! beginning) is left out where the mail that it repeats is in the same import: it stands there, above in the thread,
//! and would otherwise be found in every answer. Quotes between which somebody answers stay where they are.

/// Folds `text`. `known`: the mail that it answers is in this import.
pub(super) fn fold(text: &str, known: bool) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let Cut { own, quote } = cut(&lines);
    let own = tidy(own);
    let quote = tidy(quote);
    if quote.is_empty() || known && !own.is_empty() {
        return own;
    }
    let quoted: Vec<String> = quote.lines().map(as_quote).collect();
    [own, quoted.join("\n")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn as_quote(line: &str) -> String {
    match line {
        "" => ">".to_owned(),
        line if line.starts_with('>') => line.to_owned(),
        line => format!("> {line}"),
    }
}

struct Cut<'a> {
    own: Vec<&'a str>,
    quote: Vec<&'a str>,
}

fn cut<'a>(lines: &[&'a str]) -> Cut<'a> {
    let all = |own: &[&'a str], quote: &[&'a str]| Cut { own: own.to_vec(), quote: quote.to_vec() };
    if let Some(at) = original(lines) {
        let (own, quote) = lines.split_at(at);
        // Above the header block there may be quotes as well.
        let Cut { own, quote: mut first } = cut(own);
        first.extend(quote);
        return Cut { own, quote: first };
    }
    let runs = quotes(lines);
    let &[(from, to)] = runs.as_slice() else { return all(lines, &[]) };
    let start = attribution(lines, from);
    let before = lines.get(..start).unwrap_or_default();
    let after = lines.get(to..).unwrap_or_default();
    let quote = lines.get(start..to).unwrap_or_default();
    let blank = |lines: &[&str]| lines.iter().all(|l| l.is_empty());
    match (blank(before), blank(after) || is_signature(after)) {
        // A quote and nothing else.
        (true, true) => all(after, quote),
        (true, false) => all(after, quote),
        (false, true) => Cut { own: before.iter().chain(after).copied().collect(), quote: quote.to_vec() },
        (false, false) => all(lines, &[]),
    }
}

/// Runs of `>` lines, with the empty lines within.
fn quotes(lines: &[&str]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (i, _) in lines.iter().enumerate().filter(|(_, l)| l.starts_with('>')) {
        match runs.last_mut() {
            Some((_, to)) if lines.get(*to..i).unwrap_or_default().iter().all(|l| l.is_empty()) => *to = i + 1,
            _ => runs.push((i, i + 1)),
        }
    }
    runs
}

/// Where the lines begin that say who wrote what follows at `from`: “On … Bob wrote:”, at most three.
fn attribution(lines: &[&str], from: usize) -> usize {
    let filled = |i: &usize| lines.get(*i).is_some_and(|l| !l.is_empty());
    let Some(last) = (from.saturating_sub(2)..from).rev().find(filled) else { return from };
    if !lines.get(last).is_some_and(|l| l.ends_with([':', '：'])) {
        return from;
    }
    let first = (last.saturating_sub(2)..=last).rev().take_while(filled).last().unwrap_or(last);
    let words = lines.get(first..=last).unwrap_or_default().join(" ");
    let says_who = words.contains('@') || words.chars().any(|c| c.is_ascii_digit()) || words.len() < 60;
    if says_who && words.len() < 400 { first } else { from }
}

/// `-- ` and a few lines, or the footer of a mailing list.
fn is_signature(lines: &[&str]) -> bool {
    let first = lines.iter().find(|l| !l.is_empty()).copied().unwrap_or_default();
    first == "--" || first.len() >= 20 && first.chars().all(|c| matches!(c, '_' | '-' | '='))
}

/// Words of “Original Message” between dashes, by which Outlook and others begin what they repeat.
const ORIGINAL: [&str; 13] = [
    "original message",
    "ursprüngliche nachricht",
    "original-nachricht",
    "originalnachricht",
    "message d'origine",
    "message d’origine",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "исходное сообщение",
    "ursprungligt meddelande",
    "原始邮件",
];
const FROM: [&str; 9] = ["from", "von", "de", "da", "van", "от", "från", "发件人", "差出人"];
const SENT: [&str; 16] = [
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "envoyé le",
    "enviado",
    "enviado el",
    "enviada em",
    "inviato",
    "data",
    "verzonden",
    "отправлено",
    "skickat",
    "发送时间",
    "送信日時",
];
const SUBJECT: [&str; 10] =
    ["subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp", "тема", "ämne", "主题"];
/// A mail passed on is content, whoever wrote it.
const FORWARD: [&str; 13] = ["fw", "fwd", "wg", "tr", "rv", "enc", "i", "vs", "pd", "doorst", "转发", "пересл", "vb"];

/// The first line of a mail that is repeated with its header, as Outlook does. None where it was passed on.
fn original(lines: &[&str]) -> Option<usize> {
    (0..lines.len()).find(|&i| {
        let line = bare(lines.get(i).copied().unwrap_or_default());
        if line.starts_with("--") && line.ends_with("--") {
            let words = line.trim_matches(['-', ' ']).to_lowercase();
            return ORIGINAL.contains(&words.as_str());
        }
        header_block(lines.get(i..).unwrap_or_default())
    })
}

/// `From:`, then `Sent:` and `Subject:` within the next lines; the subject is no forward's.
fn header_block(lines: &[&str]) -> bool {
    let field = |line: &str, names: &[&str]| {
        let line = bare(line);
        let (name, value) = line.split_once([':', '：'])?;
        let name = bare(name).to_lowercase();
        names.contains(&name.trim()).then(|| bare(value))
    };
    let Some(first) = lines.first().filter(|l| field(l, &FROM).is_some_and(|v| !v.is_empty())) else { return false };
    let _ = first;
    let block: Vec<&str> = lines.iter().copied().filter(|l| !l.is_empty()).take(8).collect();
    let sent = block.iter().any(|l| field(l, &SENT).is_some());
    let subject = block.iter().find_map(|l| field(l, &SUBJECT));
    let forward = |subject: &str| {
        let prefix = subject.split([':', '：']).next().unwrap_or_default().trim().to_lowercase();
        subject.contains([':', '：']) && FORWARD.contains(&prefix.as_str())
    };
    sent && subject.is_some_and(|s| !forward(&s))
}

/// Without the marks of bold text.
fn bare(line: &str) -> String {
    line.replace(['*', '\u{a0}'], " ").trim().to_owned()
}

/// Joined, with at most one empty line in a row, and one before a signature: `text` over `--` would be a heading.
fn tidy(lines: Vec<&str>) -> String {
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    for line in lines {
        let before = out.last().copied().unwrap_or_default();
        if line.is_empty() && before.is_empty() {
            continue;
        }
        let underline = line.len() >= 2 && (line.bytes().all(|b| b == b'-') || line.bytes().all(|b| b == b'='));
        if underline && !before.is_empty() {
            out.push("");
        }
        out.push(line);
    }
    out.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, alone: &str, known: &str) {
        assert_eq!(fold(text, false), alone, "alone: {text}");
        assert_eq!(fold(text, true), known, "known: {text}");
    }

    #[test]
    fn quotes_at_the_ends_are_folded() {
        check(
            "Yes.\n\nOn Mon, 1 Jan 2024 at 10:00, Bob <b@x> wrote:\n\n> Come?\n>\n> Bob\n",
            "Yes.\n\n> On Mon, 1 Jan 2024 at 10:00, Bob <b@x> wrote:\n>\n> Come?\n>\n> Bob",
            "Yes.",
        );
        check(
            "On 1.1.24\nBob <b@x>\nwrote:\n> Come?\n\nYes.\n-- \nAna",
            "Yes.\n\n--\nAna\n\n> On 1.1.24\n> Bob <b@x>\n> wrote:\n> Come?",
            "Yes.\n\n--\nAna",
        );
        check("Yes\n> Come?\n-- \nAna", "Yes\n\n--\nAna\n\n> Come?", "Yes\n\n--\nAna");
        check("> only\n> this", "> only\n> this", "> only\n> this");
        check("plain\n\n\n\ntext", "plain\n\ntext", "plain\n\ntext");
    }

    #[test]
    fn answers_between_quotes_stay_where_they_are() {
        let text = "Hi,\n\n> one?\n\nyes\n\n> two?\n\nno";
        check(text, text, text);
        let text = "Hi,\n\n> one?\n\nyes";
        check(text, text, text);
    }

    #[test]
    fn outlook_repeats_without_arrows() {
        let head = "From: Bob\nSent: Monday\nTo: Ana\nSubject: Trip\n\nCome?";
        let quoted = "> From: Bob\n> Sent: Monday\n> To: Ana\n> Subject: Trip\n>\n> Come?";
        check(&format!("Yes.\n\n{head}"), &format!("Yes.\n\n{quoted}"), "Yes.");
        check(
            &format!("Yes.\n\n-----Ursprüngliche Nachricht-----\n{}", head.replace("From", "Von")),
            &format!("Yes.\n\n> -----Ursprüngliche Nachricht-----\n{}", quoted.replace("From", "Von")),
            "Yes.",
        );
        check(
            "Ja\n\n**Von:** Bob\n**Gesendet:** Montag\n**An:** Ana\n**Betreff:** AW: Trip\n\nKommst du?",
            "Ja\n\n> **Von:** Bob\n> **Gesendet:** Montag\n> **An:** Ana\n> **Betreff:** AW: Trip\n>\n> Kommst du?",
            "Ja",
        );
    }

    #[test]
    fn what_is_passed_on_is_kept() {
        for text in [
            "See below.\n\n---------- Forwarded message ---------\nFrom: Bob <b@x>\nDate: Mon\nSubject: Fwd: Trip\nTo: Ana\n\nCome?",
            "FYI\n\nFrom: Bob\nSent: Monday\nTo: Ana\nSubject: FW: Trip\n\nCome?",
        ] {
            check(text, text, text);
        }
    }
}
