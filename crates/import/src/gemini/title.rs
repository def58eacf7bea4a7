//! Titles of records: a verb in the language of the account, and the prompt.

/// What a title says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Title<'a> {
    Prompt(&'a str),
    /// Something was made or used: "Created Gemini Canvas titled Plan".
    Made(&'a str),
    Nothing(&'static str),
}

/// Verbs before a prompt. Others are known by the word "prompt" before a colon.
const VERBS: [&str; 8] =
    ["Prompted", "Asked", "Said", "Eingegebener Prompt:", "Prompt eingegeben:", "Gefragt:", "Gesagt:", "Prompted:"];
const MADE: [&str; 5] = ["Created Gemini Canvas", "Created ", "Used ", "Viewed ", "Gemini Canvas"];
const FEEDBACK: [&str; 4] = ["Gave feedback", "Selected preferred draft", "Feedback gegeben", "Bevorzugten Entwurf"];

pub(super) fn read(title: &str) -> Title<'_> {
    let title = title.trim();
    if title.is_empty() {
        return Title::Nothing("empty message");
    }
    if FEEDBACK.iter().any(|start| title.starts_with(start)) {
        return Title::Nothing("feedback on a reply");
    }
    let soft = |c: char| c.is_whitespace() || c == '\u{a0}';
    for verb in VERBS {
        if let Some(rest) =
            title.strip_prefix(verb).filter(|rest| verb.ends_with(':') || rest.starts_with(soft) || rest.is_empty())
        {
            return prompt(rest);
        }
    }
    if MADE.iter().any(|start| title.starts_with(start)) && title.chars().count() < 300 {
        return Title::Made(title);
    }
    if let Some((verb, rest)) = title.split_once([':', '：']) {
        let short = verb.chars().count() <= 32;
        let names = ["prompt", "プロンプト", "промпт", "запрос", "提示", "프롬프트"]
            .iter()
            .any(|word| verb.to_lowercase().contains(word));
        if short && names {
            return prompt(rest);
        }
    }
    Title::Prompt(title)
}

fn prompt(rest: &str) -> Title<'_> {
    match rest.trim() {
        "" => Title::Nothing("empty message"),
        said => Title::Prompt(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_taken_off() {
        for (title, expected) in [
            ("Prompted what is it?", Title::Prompt("what is it?")),
            ("Prompted\u{a0}what is it?", Title::Prompt("what is it?")),
            ("Eingegebener Prompt: Was ist das?", Title::Prompt("Was ist das?")),
            ("Prompt enviado: ¿qué es?", Title::Prompt("¿qué es?")),
            ("Note: this is no verb", Title::Prompt("Note: this is no verb")),
            ("Created Gemini Canvas titled Plan", Title::Made("Created Gemini Canvas titled Plan")),
            ("Gave feedback: Good response", Title::Nothing("feedback on a reply")),
            ("Prompted", Title::Nothing("empty message")),
        ] {
            assert_eq!(read(title), expected, "{title}");
        }
    }
}
