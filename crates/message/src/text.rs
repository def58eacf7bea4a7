//! The two forms of a text that are compared: as hashed, and as searched. Stored text is never changed.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Form for hashing (formats.md §0): NFC, no direction marks, plain spaces, LF, no trailing space.
pub fn normalise(text: &str) -> String {
    let plain: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(
            |c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'),
        )
        .map(|c| if matches!(c, '\u{a0}' | '\u{202f}') { ' ' } else { c })
        .nfc()
        .collect();
    plain.trim_end().to_owned()
}

/// Form for comparing names and words: lower case, compatibility forms joined, marks removed.
pub fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c) || keeps_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ß' => 's',
            'ø' => 'o',
            'ł' => 'l',
            'đ' => 'd',
            'ı' => 'i',
            other => other,
        })
        .nfc()
        .collect()
}

/// Marks that carry the word itself (vowel signs of Indic scripts and Thai, Japanese voicing), not an accent.
fn keeps_mark(c: char) -> bool {
    matches!(c, '\u{0900}'..='\u{0eff}' | '\u{0f00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3099}' | '\u{309a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_accents_and_case_but_keeps_letters() {
        for (input, expected) in
            [("Ærø CAFÉ", "æro cafe"), ("Straße", "strase"), ("ガ", "ガ"), ("Łódź", "lodz"), ("Ｆｕｌｌ", "full")]
        {
            assert_eq!(fold(input), expected);
        }
    }

    #[test]
    fn normalises_marks_and_spaces() {
        assert_eq!(normalise("\u{200e}a\u{202f}b\r\nc \n"), "a b\nc");
    }
}
