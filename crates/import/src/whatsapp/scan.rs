//! A cursor over a line that does not see direction marks, and reads every script's digits and spaces.
//!
//! Enough for the heads of messages; a regular expression for all locales would be longer and slower.

use std::ops::RangeInclusive;

/// Zeros of the decimal digits that phones write dates with (Unicode, general category Nd).
const ZEROS: [u32; 17] = [
    0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0x1040, 0x17e0,
    0xff10,
];

/// Marks that have no width: direction, joiners, byte order.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
}

#[derive(Clone, Debug)]
pub(super) struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// What is left, as it is written.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// The text between here and a later state of the same cursor.
    pub(super) fn until(&self, later: &Scan<'_>) -> &'a str {
        self.rest.get(..self.rest.len() - later.rest.len()).unwrap_or_default()
    }

    pub(super) fn skip_marks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_mark);
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().find(|c| !is_mark(*c)).map(plain)
    }

    /// The next character in its plain form, if it is wanted.
    pub(super) fn take(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = plain(chars.find(|c| !is_mark(*c))?);
        if !wanted(c) {
            return None;
        }
        self.rest = chars.as_str();
        Some(c)
    }

    /// Skips spaces; true if there were any.
    pub(super) fn spaces(&mut self) -> bool {
        let before = self.rest.len();
        while self.take(|c| c == ' ').is_some() {}
        self.rest.len() < before
    }

    /// Skips one space and leaves marks after it: they tell what WhatsApp wrote itself.
    pub(super) fn one_space(&mut self) -> bool {
        let mut chars = self.rest.chars();
        let is_space = chars.next().map(plain) == Some(' ');
        if is_space {
            self.rest = chars.as_str();
        }
        is_space
    }

    /// A number and how many digits it has; none if it has fewer or more than allowed.
    pub(super) fn number(&mut self, digits: RangeInclusive<usize>) -> Option<(u16, usize)> {
        let (mut value, mut count) = (0u16, 0);
        let mut ahead = self.clone();
        while let Some(digit) = ahead.take(|c| c.is_ascii_digit()).and_then(|c| c.to_digit(10)) {
            value = value.checked_mul(10)?.checked_add(digit as u16)?;
            count += 1;
        }
        digits.contains(&count).then(|| {
            *self = ahead;
            (value, count)
        })
    }

    /// The meaning of the word that comes next, if it is one of `words` (lower case, without dots
    /// and spaces): "p. m." is `pm`.
    pub(super) fn word<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        self.peek().filter(|c| !c.is_ascii_digit())?;
        for (word, meaning) in words {
            let mut ahead = self.clone();
            if ahead.spell(word) {
                *self = ahead;
                return Some(*meaning);
            }
        }
        None
    }

    fn spell(&mut self, word: &str) -> bool {
        for (i, wanted) in word.chars().filter(|c| !is_mark(*c)).enumerate() {
            while i > 0 && self.take(|c| matches!(c, ' ' | '.' | '"' | '״' | '׳' | '’')).is_some() {}
            if self.take(|c| c.to_lowercase().eq(wanted.to_lowercase())).is_none() {
                return false;
            }
        }
        self.take(|c| c == '.');
        !self.peek().is_some_and(char::is_alphabetic)
    }
}

/// Digits of any script as ASCII, spaces of any width as a space.
fn plain(c: char) -> char {
    if c.is_ascii() {
        return if c == '\t' { ' ' } else { c };
    }
    if matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}') {
        return ' ';
    }
    let value = ZEROS.iter().map(|zero| (c as u32).wrapping_sub(*zero)).find(|value| *value < 10);
    value.and_then(|v| char::from_digit(v, 10)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_any_script() {
        for input in ["2024", "٢٠٢٤", "۲۰۲۴", "२०२४", "२\u{200e}०२४", "๒๐๒๔", "２０２４"]
        {
            assert_eq!(Scan::new(input).number(1..=4), Some((2024, 4)), "{input}");
        }
        assert_eq!(Scan::new("12345").number(1..=4), None);
        assert_eq!(Scan::new("99999999").number(1..=9), None);
    }

    #[test]
    fn words_in_any_spelling() {
        for input in ["PM", "p.m.", "p. m.", "P.\u{a0}M.", "p\u{200e}m"] {
            assert_eq!(Scan::new(input).word(&[("am", 1), ("pm", 2)]), Some(2), "{input}");
        }
        assert_eq!(Scan::new("pmx").word(&[("pm", 2)]), None);
        assert_eq!(Scan::new("5pm").word(&[("pm", 2)]), None);
    }
}
