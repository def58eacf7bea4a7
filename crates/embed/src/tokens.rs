//! Text to token ids: prefix, Unigram pieces, special tokens, and the cut at the model's limit.

use std::path::Path;

use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Sequence};

use crate::EmbedError;

/// Token ids as the model reads them, special tokens included.
pub(crate) struct Tokens {
    pub(crate) ids: Vec<u32>,
    /// The text went on behind the last token.
    pub(crate) cut: bool,
}

pub(crate) struct Tokenizer {
    tokenizer: tokenizers::Tokenizer,
    /// Longest result, special tokens included.
    max_tokens: usize,
}

/// How many characters are read at first for each token wanted. The pieces of multilingual-e5 have at
/// most 16 characters, so one reading is enough unless the text is mostly spaces.
const CHARS_PER_TOKEN: usize = 20;

impl Tokenizer {
    pub(crate) fn open(path: &Path, max_tokens: usize) -> Result<Self, EmbedError> {
        let json = std::fs::read(path).map_err(|error| EmbedError::io(path, &error))?;
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(|error| EmbedError::broken(path, error))?;
        // What looks like a control token in a text is read as the letters it is made of.
        tokenizer.set_encode_special_tokens(true);
        // The cut is made here, where it can be told to the caller; batches need no padding.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| EmbedError::broken(path, error))?;
        Ok(Tokenizer { tokenizer, max_tokens })
    }

    /// Texts are brought to lower case before anything else is done to them.
    pub(crate) fn lowercase(&mut self) -> Result<(), EmbedError> {
        let mut first = vec![NormalizerWrapper::from(Lowercase)];
        first.extend(self.tokenizer.get_normalizer().cloned());
        let set = self.tokenizer.with_normalizer(Some(Sequence::new(first)));
        set.map_err(|error| anyhow::anyhow!("the tokenizer failed: {error}"))?;
        Ok(())
    }

    /// Reads `prefix` and `text` as one. Of a long text only a beginning is read: characters until
    /// there are more tokens than the model takes.
    pub(crate) fn read(&self, prefix: &str, text: &str) -> Result<Tokens, EmbedError> {
        let mut chars = self.max_tokens * CHARS_PER_TOKEN;
        loop {
            let beginning = beginning(text, chars);
            let ids = self.ids(&format!("{prefix}{beginning}"))?;
            let whole = beginning.len() == text.len();
            if whole || ids.len() > self.max_tokens {
                return Ok(self.cut(ids));
            }
            chars *= 2;
        }
    }

    /// The first pieces of a text, without special tokens.
    pub(crate) fn pieces(&self, prefix: &str, text: &str, most: usize) -> Result<Vec<u32>, EmbedError> {
        let text = format!("{prefix}{}", beginning(text, most * CHARS_PER_TOKEN));
        let encoding = self.tokenizer.encode_fast(text, false);
        let encoding = encoding.map_err(|error| anyhow::anyhow!("the tokenizer failed: {error}"))?;
        Ok(encoding.get_ids().iter().take(most).copied().collect())
    }

    fn ids(&self, text: &str) -> Result<Vec<u32>, EmbedError> {
        let encoding = self.tokenizer.encode_fast(text, true);
        let encoding = encoding.map_err(|error| anyhow::anyhow!("the tokenizer failed: {error}"))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Keeps the first tokens and the last, which is the end mark.
    fn cut(&self, mut ids: Vec<u32>) -> Tokens {
        let cut = ids.len() > self.max_tokens;
        if cut && let Some(end) = ids.pop() {
            ids.truncate(self.max_tokens - 1);
            ids.push(end);
        }
        Tokens { ids, cut }
    }
}

/// At most `chars` characters of `text`, if possible up to a space. Words are cut into pieces one by
/// one, so text cut at a space gives the same first ids as the whole text. A single word of many
/// thousand characters is cut inside; that can change pieces near the cut, far behind the last one kept.
fn beginning(text: &str, chars: usize) -> &str {
    let Some((end, _)) = text.char_indices().nth(chars) else {
        return text;
    };
    let beginning = &text[..end];
    match beginning.rfind([' ', '\n', '\t', '\r', '\u{3000}']) {
        Some(space) if space >= end / 2 => &beginning[..space],
        _ => beginning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Tokenizer {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/evoke-e5-small/tokenizer.json");
        Tokenizer::open(Path::new(path), 512).unwrap()
    }

    #[derive(serde::Deserialize)]
    struct Golden {
        text: String,
        side: String,
        cut: bool,
        ids: Vec<u32>,
    }

    #[test]
    fn ids_are_those_of_the_independent_implementation() {
        let golden: Vec<Golden> = serde_json::from_str(include_str!("../tests/golden.json")).unwrap();
        let tokenizer = shipped();
        assert!(golden.len() >= 80);
        for case in golden {
            let tokens = tokenizer.read(&format!("{}: ", case.side), &case.text).unwrap();
            assert_eq!(tokens.ids, case.ids, "{} {:?}", case.side, case.text);
            assert_eq!(tokens.cut, case.cut, "{} {:?}", case.side, case.text);
        }
    }

    #[test]
    fn a_long_text_gives_the_ids_of_its_beginning_in_any_script() {
        let tokenizer = shipped();
        for sentence in [
            "We walked home in the rain. ",
            "Мы шли домой под дождём. ",
            "我们在雨中走回家。",
            "비를 맞으며 집으로 걸어갔다. ",
        ] {
            let long = sentence.repeat(1_000_000 / sentence.len());
            let whole = tokenizer.cut(tokenizer.ids(&format!("passage: {}", sentence.repeat(2_000))).unwrap());
            let read = tokenizer.read("passage: ", &long).unwrap();
            assert_eq!(read.ids, whole.ids, "{sentence}");
            assert!(read.cut);
            assert_eq!(read.ids.len(), 512);
        }
    }

    #[test]
    fn spaces_before_the_words_do_not_hide_them() {
        let tokenizer = shipped();
        let far = format!("{}umbrella", " ".repeat(30_000));
        assert_eq!(tokenizer.read("", &far).unwrap().ids, tokenizer.read("", " umbrella").unwrap().ids);
    }

    #[test]
    fn a_beginning_ends_at_a_space_if_there_is_one() {
        let check = |text, chars, expected| assert_eq!(beginning(text, chars), expected);
        check("one two three", 100, "one two three");
        check("one two three", 10, "one two");
        check("onetwothree", 4, "onet");
        check("a bcdefghijk", 8, "a bcdefg");
        check("äöü äöü", 5, "äöü");
    }
}
