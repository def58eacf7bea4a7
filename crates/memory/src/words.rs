//! Texts as the word index sees them: the same for messages, queries and highlights.
//!
//! Words are folded (case, accents) and then stemmed in the language they seem to be in; scripts
//! written without spaces become single characters and overlapping pairs, so that two characters find
//! a word in Chinese, Japanese, Korean, Thai. A query word is looked for under the stems of every
//! language the archive has, so that a wrong guess about a short message loses nothing.

use evoke_message::fold;
use rust_stemmers::{Algorithm, Stemmer};
use std::{collections::BTreeSet, ops::Range};
use unicode_normalization::char::is_combining_mark;

/// A word or a pair of characters, as indexed, with its byte range in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) at: Range<usize>,
}

/// Language of a stemmer, by its ISO 639-3 code as `whatlang` gives it.
pub(crate) type Language = &'static str;

pub(crate) const ENGLISH: Language = "eng";

/// Letters below which a guess of the language is worth nothing.
const ENOUGH_LETTERS: usize = 24;
/// Longest word kept, in bytes: longer ones are keys, hashes and data.
const LONGEST: usize = 64;

/// The language whose stemmer fits a text; by its script, where it is too short to tell more.
pub(crate) fn language(text: &str) -> Language {
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    let by_script = letters().find_map(script).unwrap_or(ENGLISH);
    if letters().take(ENOUGH_LETTERS).count() < ENOUGH_LETTERS {
        return by_script;
    }
    let head: String = text.chars().take(400).collect();
    match whatlang::detect(&head) {
        Some(guess) if guess.is_reliable() => known_language(guess.lang().code()).unwrap_or(by_script),
        _ => by_script,
    }
}

/// The language most written in a script, of those with a stemmer.
fn script(letter: char) -> Option<Language> {
    match letter {
        '\u{0400}'..='\u{052f}' => Some("rus"),
        '\u{0370}'..='\u{03ff}' => Some("ell"),
        '\u{0600}'..='\u{06ff}' => Some("ara"),
        '\u{0b80}'..='\u{0bff}' => Some("tam"),
        _ => None,
    }
}

/// Tokens of a text, stemmed in one language, for the index.
pub(crate) fn tokens(text: &str, language: Language) -> Vec<Token> {
    let stemmer = algorithm(language).map(Stemmer::create);
    let mut out = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(at) => {
                let folded = fold(&text[at.clone()]);
                let stem = stemmer.as_ref().map_or_else(|| folded.clone(), |s| s.stem(&folded).into_owned());
                out.push(Token { text: plain_apostrophe(stem), at });
            }
            Run::Unspaced(at) => pairs(text, at, &mut out),
        }
    }
    out
}

/// A query word's forms: its stems in all `languages`, or the pairs of an unspaced run.
pub(crate) fn query_tokens(text: &str, languages: &BTreeSet<Language>) -> Vec<String> {
    let stemmers: Vec<Stemmer> = languages.iter().filter_map(|l| algorithm(l)).map(Stemmer::create).collect();
    let mut out = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(at) => {
                let folded = fold(&text[at]);
                let forms: BTreeSet<String> =
                    stemmers.iter().map(|s| plain_apostrophe(s.stem(&folded).into_owned())).collect();
                out.extend(forms);
            }
            Run::Unspaced(at) => {
                let mut found = Vec::new();
                let single = text[at.clone()].chars().count() == 1;
                pairs(text, at, &mut found);
                out.extend(found.into_iter().map(|t| t.text).filter(|t| single || t.chars().nth(1).is_some()));
            }
        }
    }
    out
}

/// A query without the words that only make it a question; whole where nothing else is in it. Worth 2 to
/// 5 points of R@10 by words (training/fusion.py); prepositions stay, since dates hang on them.
pub(crate) fn telling(query: &str) -> String {
    const ASKING: [&str; 51] = [
        "what", "which", "who", "whom", "when", "where", "why", "how", "do", "does", "did", "done", "is", "are", "was",
        "were", "has", "have", "had", "can", "could", "will", "would", "should", "i", "you", "he", "she", "it", "we",
        "they", "me", "him", "her", "us", "them", "my", "your", "his", "its", "our", "their", "a", "an", "the", "of",
        "whose", "am", "be", "been", "shall",
    ];
    let bare = |word: &&str| {
        let word = fold(word.trim_matches(|c: char| !c.is_alphanumeric()));
        !word.is_empty() && !ASKING.contains(&word.as_str())
    };
    let kept: Vec<&str> = query.split_whitespace().filter(bare).collect();
    if kept.is_empty() { query.to_owned() } else { kept.join(" ") }
}

/// Tokens as the index column holds them.
pub(crate) fn joined<'a>(tokens: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for token in tokens {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token);
    }
    out
}

/// Folded text with everything but letters and digits made one space, a space at either end: a phrase
/// `" to move "` is found in it by plain containment, a phrase of unspaced script without the spaces.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for c in fold(text).chars() {
        if c.is_alphanumeric() || is_combining_mark(c) {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// What `plain` must contain for a phrase: whole words where words are spaced.
pub(crate) fn phrase(text: &str) -> Option<String> {
    let folded = plain(text);
    let inner = folded.trim();
    let left = if inner.chars().next().is_some_and(unspaced) { "" } else { " " };
    let right = if inner.chars().next_back().is_some_and(unspaced) { "" } else { " " };
    (!inner.is_empty()).then(|| format!("{left}{inner}{right}"))
}

/// Words as people count them: spaced words, and one for every two characters of unspaced script.
pub(crate) fn count(text: &str) -> usize {
    runs(text)
        .map(|run| match run {
            Run::Word(_) => 1,
            Run::Unspaced(at) => text[at].chars().count().div_ceil(2),
        })
        .sum()
}

enum Run {
    Word(Range<usize>),
    Unspaced(Range<usize>),
}

/// Maximal runs of letters and digits, split where the script changes between spaced and unspaced.
fn runs(text: &str) -> impl Iterator<Item = Run> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let start = loop {
            match chars.peek() {
                Some((at, c)) if c.is_alphanumeric() => break *at,
                Some(_) => chars.next(),
                None => return None,
            };
        };
        let kind = chars.peek().is_some_and(|(_, c)| unspaced(*c));
        let mut end = start;
        while let Some((at, c)) = chars.peek().copied() {
            if !belongs(c, kind, &mut chars) {
                break;
            }
            end = at + c.len_utf8();
            chars.next();
        }
        Some(if kind { Run::Unspaced(start..end) } else { Run::Word(start..end) })
    })
}

/// Whether a character goes on with a run; an apostrophe does between two letters.
fn belongs(c: char, kind: bool, chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> bool {
    if is_combining_mark(c) {
        return true;
    }
    if matches!(c, '\'' | '’') && !kind {
        let mut ahead = chars.clone();
        ahead.next();
        return ahead.peek().is_some_and(|(_, next)| next.is_alphabetic() && !unspaced(*next));
    }
    c.is_alphanumeric() && unspaced(c) == kind
}

/// Scripts whose words are not parted by spaces, and Hangul, whose words carry their particles.
fn unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{0f00}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Each character and each overlapping pair of an unspaced run.
fn pairs(text: &str, at: Range<usize>, out: &mut Vec<Token>) {
    let chars: Vec<(usize, char)> = text[at.clone()].char_indices().map(|(i, c)| (at.start + i, c)).collect();
    for (i, (from, c)) in chars.iter().enumerate() {
        let end = from + c.len_utf8();
        out.push(Token { text: fold(&c.to_string()), at: *from..end });
        if let Some((next, d)) = chars.get(i + 1) {
            let range = *from..next + d.len_utf8();
            out.push(Token { text: fold(&text[range.clone()]), at: range });
        }
    }
}

fn plain_apostrophe(word: String) -> String {
    if word.len() <= LONGEST {
        return word.replace('’', "'");
    }
    word.chars().take(LONGEST / 4).collect()
}

/// The Snowball stemmer of a language (<https://snowballstem.org>).
fn algorithm(language: &str) -> Option<Algorithm> {
    Some(match language {
        "eng" => Algorithm::English,
        "deu" => Algorithm::German,
        "fra" => Algorithm::French,
        "spa" => Algorithm::Spanish,
        "por" => Algorithm::Portuguese,
        "ita" => Algorithm::Italian,
        "nld" => Algorithm::Dutch,
        "swe" => Algorithm::Swedish,
        "dan" => Algorithm::Danish,
        "nob" => Algorithm::Norwegian,
        "fin" => Algorithm::Finnish,
        "rus" => Algorithm::Russian,
        "ron" => Algorithm::Romanian,
        "hun" => Algorithm::Hungarian,
        "tur" => Algorithm::Turkish,
        "ell" => Algorithm::Greek,
        "ara" => Algorithm::Arabic,
        "tam" => Algorithm::Tamil,
        _ => return None,
    })
}

/// The static name of a language code read from disk.
pub(crate) fn known_language(code: &str) -> Option<Language> {
    const ALL: [Language; 18] = [
        "eng", "deu", "fra", "spa", "por", "ita", "nld", "swe", "dan", "nob", "fin", "rus", "ron", "hun", "tur", "ell",
        "ara", "tam",
    ];
    ALL.into_iter().find(|l| *l == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, language: Language) -> Vec<String> {
        tokens(text, language).into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn folds_stems_and_pairs() {
        for (text, language, expected) in [
            ("We decided: moving Ana's trip!", "eng", vec!["we", "decid", "move", "ana", "trip"]),
            ("Häuser", "deu", vec!["haus"]),
            ("東京へ行く", "eng", vec!["東", "東京", "京", "京へ", "へ", "へ行", "行", "行く", "く"]),
            ("Tel 東京2020", "eng", vec!["tel", "東", "東京", "京", "2020"]),
            ("🎉 — …", "eng", vec![]),
        ] {
            assert_eq!(texts(text, language), expected, "{text}");
        }
    }

    #[test]
    fn a_query_finds_the_forms_of_every_language_it_may_be_in() {
        let both = BTreeSet::from(["eng", "deu"]);
        let query = query_tokens("Hütten", &both);
        for (text, language) in [("in den Hütten", "deu"), ("Hütten!", "eng")] {
            assert!(texts(text, language).iter().any(|t| query.contains(t)), "{text}");
        }
        assert_eq!(query_tokens("東京へ", &both), ["東京", "京へ"]);
        assert_eq!(query_tokens("猫", &both), ["猫"]);
    }

    #[test]
    fn phrases_are_whole_words_where_words_are_spaced() {
        for (phrase_text, text, found) in [
            ("move the trip", "we MOVE the trip.", true),
            ("move the trip", "remove the tripod", false),
            ("café", "Cafe!", true),
            ("東京", "新東京駅", true),
        ] {
            let wanted = phrase(phrase_text).unwrap();
            assert_eq!(plain(text).contains(&wanted), found, "{phrase_text} in {text}");
        }
        assert_eq!(phrase(" … "), None);
    }

    #[test]
    fn token_ranges_are_the_words_of_the_text() {
        let text = "Ünïque naïve 寿司 don’t";
        for token in tokens(text, ENGLISH) {
            assert!(text.get(token.at.clone()).is_some(), "{token:?}");
        }
        assert_eq!(&text[tokens(text, ENGLISH).last().unwrap().at.clone()], "don’t");
    }

    #[test]
    fn counts_words_of_any_script() {
        assert_eq!(count("one two, three"), 3);
        assert_eq!(count("東京へ行く"), 3);
    }
}
