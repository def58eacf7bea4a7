//! Messages become passages: what is embedded, with how much of what was said before.
//!
//! A short message is one passage, a long one is cut at paragraphs. A passage is read alone (its static
//! vector) and, where it is short, after its two predecessors of the same conversation, unless a pause
//! parts them. Pauses alone decide, so the result does not depend on the order of imports. What reading
//! costs and where vectors go is `reading.rs`'s.

use crate::words::{self, Language};
use evoke_message::{Message, PersonId, stable_hash};
use jiff::tz::TimeZone;
use std::ops::Range;

/// Words of a passage at most; a longer message is cut.
const LONGEST: usize = 220;
/// A pause that ends what is "before", in milliseconds: six hours.
const PAUSE: i64 = 6 * 3_600_000;
/// What is before a passage: so many passages at most.
pub(crate) const PREDECESSORS: usize = 2;
/// Characters of a predecessor that are read.
const BEFORE: usize = 300;
/// Bytes of a message up to which each of its passages can be found by any phrase in it; of a longer one, a book
/// perhaps, each by its own words.
const WHOLE: usize = 16 << 10;
/// Passages longer than this, in words, are not read with predecessors: context hurts long turns.
const CONTEXT_UP_TO: usize = 80;
/// Counts in the hash of what was read: a change of this file's rules makes new vectors.
const RULES: &str = "1";

/// A passage before it is embedded.
pub(crate) struct Passage<'a> {
    pub(crate) message: &'a Message,
    pub(crate) piece: i32,
    pub(crate) at: Range<usize>,
    /// Words of the piece.
    pub(crate) length: usize,
    /// What the static vector reads.
    pub(crate) alone: String,
    /// What the contextual vector reads; none where the passage is too long for context.
    pub(crate) in_context: Option<String>,
    /// Tokens of the piece with its predecessors.
    pub(crate) context_words: String,
    pub(crate) plain: String,
    /// It ends as a question does.
    pub(crate) asks: bool,
    /// It stands in an attached document: nobody said it in the conversation.
    pub(crate) in_document: bool,
}

impl Passage<'_> {
    /// Hash of all that the vectors and the row are made from.
    pub(crate) fn reading(&self, model: &str) -> i64 {
        let who = self.message.sender.person(&self.message.source);
        self.reading_as(model, &self.context_words, who, self.message.time)
    }

    /// The same, had the row other words, writer and time: tells whether what the vectors are made from is as it was.
    pub(crate) fn reading_as(&self, model: &str, words: &str, who: PersonId, time: i64) -> i64 {
        let context = self.in_context.as_deref().unwrap_or("");
        hash(&[RULES, model, &self.alone, context, words, &who.to_string(), &time.to_string()])
    }
}

/// The weight of the contextual vector beside the static one, by the passage's own words: a short line
/// needs what was said before, a long turn is hurt by it (fitted by training/fusion.py).
pub(crate) fn context_weight(words: usize) -> f32 {
    30.0 / (30.0 + words as f32)
}

/// The passages of messages of one conversation, which come in reading order.
pub(crate) fn passages<'a>(messages: &'a [Message], zone: &TimeZone) -> Vec<Passage<'a>> {
    let mut all: Vec<Passage<'a>> = Vec::new();
    for message in messages.iter().filter(|m| m.is_readable()) {
        let own = if message.text.trim().is_empty() { Vec::new() } else { pieces(&message.text) };
        let language = words::language(&message.text);
        let count = own.len();
        for (piece, at) in own.into_iter().enumerate() {
            let before: Vec<&Passage<'_>> = before(&all, message);
            let next = passage(message, piece, at, &before, language, zone);
            all.push(next);
        }
        all.extend(of_documents(message, count, zone));
    }
    all
}

/// The passages of a message's attached documents, numbered from `first`. Each is read alone.
fn of_documents<'a>(message: &'a Message, first: usize, zone: &TimeZone) -> Vec<Passage<'a>> {
    let written = message.written();
    let mut all = Vec::new();
    for (file, place) in message.documents_at() {
        let name = message.attachments.get(file).map_or("", |a| a.name.as_str());
        let Some(text) = written.get(place.clone()).filter(|text| !text.trim().is_empty()) else { continue };
        let language = words::language(text);
        for at in pieces(text) {
            let piece = text[at.clone()].trim();
            let alone = spoken(name, piece);
            let tokens = date_tokens(message.time, zone)
                .into_iter()
                .chain(words::tokens(&alone, language).into_iter().map(|t| t.text))
                .collect::<Vec<_>>();
            all.push(Passage {
                message,
                piece: (first + all.len()) as i32,
                length: words::count(piece),
                context_words: words::joined(tokens.iter().map(String::as_str)),
                plain: words::plain(piece),
                asks: false,
                at: place.start + at.start..place.start + at.end,
                alone,
                in_context: None,
                in_document: true,
            });
        }
    }
    all
}

/// Up to two passages that were said just before, oldest first.
fn before<'p, 'a>(all: &'p [Passage<'a>], message: &Message) -> Vec<&'p Passage<'a>> {
    let mut found = Vec::new();
    let mut time = message.time;
    for earlier in all.iter().rev().filter(|p| !p.in_document).take(PREDECESSORS) {
        if time - earlier.message.time > PAUSE {
            break;
        }
        time = earlier.message.time;
        found.push(earlier);
    }
    found.reverse();
    found
}

fn passage<'a>(
    message: &'a Message,
    piece: usize,
    at: Range<usize>,
    before: &[&Passage<'_>],
    language: Language,
    zone: &TimeZone,
) -> Passage<'a> {
    let text = message.text[at.clone()].trim();
    let length = words::count(text);
    let alone = spoken(&message.sender.name, text);
    let in_context = (length <= CONTEXT_UP_TO && !before.is_empty()).then(|| {
        let earlier = before.iter().map(|p| head(&p.alone, BEFORE));
        earlier.chain([alone.as_str()]).collect::<Vec<_>>().join("\n")
    });
    let own = words::tokens(&alone, language);
    let mut tokens: Vec<String> = date_tokens(message.time, zone);
    if length <= CONTEXT_UP_TO {
        for earlier in before {
            let said = head(&earlier.alone, BEFORE);
            tokens.extend(words::tokens(said, words::language(said)).into_iter().map(|t| t.text));
        }
    }
    tokens.extend(own.into_iter().map(|t| t.text));
    Passage {
        message,
        piece: piece as i32,
        length,
        context_words: words::joined(tokens.iter().map(String::as_str)),
        plain: words::plain(if message.text.len() <= WHOLE { &message.text } else { text }),
        asks: text.ends_with(['?', '？', '؟']),
        at,
        alone,
        in_context,
        in_document: false,
    }
}

/// What is read of a passage: who says it and what. The speaker is needed (44 → 24 R@10 without).
pub(crate) fn spoken(name: &str, text: &str) -> String {
    if name.is_empty() { text.to_owned() } else { format!("{name}: {text}") }
}

/// Tokens of a whole message for the word index: when, who, what, the names of its files and what they say.
/// Also the languages they were stemmed in.
pub(crate) fn message_words(message: &Message, zone: &TimeZone) -> (String, Vec<Language>) {
    let language = words::language(&message.text);
    let mut languages = vec![language];
    let mut tokens = date_tokens(message.time, zone);
    let files: Vec<&str> = message.attachments.iter().map(|a| a.name.as_str()).collect();
    for text in [message.sender.name.as_str(), &message.text, &files.join(" ")] {
        tokens.extend(words::tokens(text, language).into_iter().map(|t| t.text));
    }
    for document in &message.documents {
        let language = words::language(&document.text);
        tokens.extend(words::tokens(&document.text, language).into_iter().map(|t| t.text));
        languages.push(language);
    }
    (words::joined(tokens.iter().map(String::as_str)), languages)
}

/// "8 may 2023 monday", since questions quote dates.
fn date_tokens(time: i64, zone: &TimeZone) -> Vec<String> {
    let Ok(stamp) = jiff::Timestamp::from_millisecond(time) else { return Vec::new() };
    let text = stamp.to_zoned(zone.clone()).strftime("%-d %B %Y %A").to_string();
    words::tokens(&text, words::ENGLISH).into_iter().map(|t| t.text).collect()
}

/// A hash of all that an edit of a message can change. A wall time counts as what its clock showed, in whatever
/// zone it is read.
pub(crate) fn digest(m: &Message, wall: Option<i64>) -> i64 {
    let (time, edited) = match wall {
        None => (m.time.to_string(), format!("{:?}", m.edited)),
        Some(wall) => (format!("wall {wall}"), m.edited.is_some().to_string()),
    };
    let attachments: Vec<String> = m.attachments.iter().map(|a| format!("{}\u{0}{:?}", a.name, a.missing)).collect();
    let reactions: Vec<String> = m.reactions.iter().map(|r| format!("{}{}", r.emoji, r.count)).collect();
    let documents = m.documents.iter().map(|d| d.text.as_str());
    let said = [
        m.text.as_str(),
        &m.sender.key,
        &m.sender.name,
        &time,
        &format!("{:?}{:?}{edited}{}", m.part, m.role, m.active),
        &attachments.join("\u{1}"),
        &reactions.join("\u{1}"),
    ];
    hash(&said.into_iter().chain(documents).collect::<Vec<_>>())
}

/// The hash of a stream that goes on with one more reading.
pub(crate) fn chained(stream: i64, reading: i64) -> i64 {
    hash(&[&stream.to_string(), &reading.to_string()])
}

fn hash(parts: &[&str]) -> i64 {
    let bytes = stable_hash(parts);
    i64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
}

/// The first `most` characters of a text.
fn head(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(at, _)| &text[..at])
}

/// Byte ranges of a text's pieces: whole where it is short, else paragraphs gathered up to `LONGEST`
/// words, a longer paragraph cut at sentences, a longer sentence between words.
pub(crate) fn pieces(text: &str) -> Vec<Range<usize>> {
    if words::count(text) <= LONGEST {
        return std::iter::once(0..text.len()).collect();
    }
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut size = 0;
    for part in parts(text, 0..text.len(), 0) {
        let words = words::count(&text[part.clone()]);
        match out.last_mut() {
            Some(last) if size + words <= LONGEST => {
                last.end = part.end;
                size += words;
            }
            _ => {
                size = words;
                out.push(part);
            }
        }
    }
    out
}

/// Ways to cut, the coarsest first.
const CUTS: [&[&str]; 4] = [&["\n\n"], &["\n"], &[". ", "! ", "? ", "。", "！", "？"], &[" "]];

fn parts(text: &str, at: Range<usize>, way: usize) -> Vec<Range<usize>> {
    let Some(cuts) = CUTS.get(way) else { return by_chars(text, at) };
    if words::count(&text[at.clone()]) <= LONGEST / 2 {
        return vec![at];
    }
    let mut out = Vec::new();
    let mut start = at.start;
    while start < at.end {
        let rest = &text[start..at.end];
        let cut = cuts.iter().filter_map(|c| rest.find(c).map(|i| i + c.len())).min().unwrap_or(rest.len());
        out.extend(parts(text, start..start + cut, way + 1));
        start += cut;
    }
    out
}

/// A run without any space: cut every so many characters.
fn by_chars(text: &str, at: Range<usize>) -> Vec<Range<usize>> {
    let starts: Vec<usize> = text[at.clone()].char_indices().map(|(i, _)| at.start + i).step_by(LONGEST).collect();
    starts.iter().enumerate().map(|(i, s)| *s..starts.get(i + 1).copied().unwrap_or(at.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_text_and_stay_short() {
        let paragraph = "One two three four five six seven. Eight nine ten! ".repeat(12);
        for text in [
            "short".to_owned(),
            format!("{paragraph}\n\n{paragraph}\n\n{paragraph}"),
            "word ".repeat(3_000),
            "東京".repeat(2_000),
            "x".repeat(9_000),
            String::new(),
        ] {
            let pieces = pieces(&text);
            assert_eq!(pieces.first().map(|p| p.start), Some(0));
            assert_eq!(pieces.last().map(|p| p.end), Some(text.len()));
            for pair in pieces.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
            }
            for piece in &pieces {
                assert!(words::count(&text[piece.clone()]) <= LONGEST, "{piece:?}");
            }
        }
    }
}
