//! Subjects without what mail programs put before them.

/// “Re:” in the languages of mail programs, in lower case.
const REPLY: [&str; 18] = [
    "re", "aw", "antw", "antwort", "sv", "vs", "ref", "rif", "r", "res", "odp", "ynt", "atb", "отв", "回复", "答复",
    "回覆", "返信",
];
const FORWARD: [&str; 15] =
    ["fw", "fwd", "wg", "tr", "rv", "enc", "i", "vl", "pd", "doorst", "转发", "轉寄", "転送", "пересл", "vb"];

/// The subject of the thread: “Re: AW: [list] Trip” → “[list] Trip”.
pub(super) fn base(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((_, after)) = prefix(rest) {
        rest = after;
    }
    rest
}

/// True where the subject is one of an answer.
pub(super) fn is_reply(subject: &str) -> bool {
    prefix(subject.trim()).is_some_and(|(word, _)| REPLY.contains(&word.as_str()))
}

/// `Re`, `Re[2]`, `RE(3)` before a colon, and what follows.
fn prefix(subject: &str) -> Option<(String, &str)> {
    let (before, after) = subject.split_once([':', '：']).filter(|(before, _)| before.len() <= 24)?;
    let word = before
        .trim()
        .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^'))
        .to_lowercase();
    let known = REPLY.contains(&word.as_str()) || FORWARD.contains(&word.as_str());
    known.then_some((word, after.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_fall() {
        for (written, expected, reply) in [
            ("Re: AW: Re[2]: [list] Trip", "[list] Trip", true),
            ("Fwd: Trip", "Trip", false),
            ("Trip: when?", "Trip: when?", false),
            ("回复：旅行", "旅行", true),
            ("Re:", "", true),
            ("", "", false),
        ] {
            assert_eq!((base(written), is_reply(written)), (expected, reply), "{written}");
        }
    }
}
