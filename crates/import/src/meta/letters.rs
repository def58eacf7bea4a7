//! Meta writes every byte of its UTF-8 as a letter of its own (`JosÃ©`): back to what was meant.

use std::borrow::Cow;

/// The text as it was meant; as it stands where it is right already.
pub(super) fn repaired(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || text.chars().any(|c| u32::from(c) > 0xff) {
        return Cow::Borrowed(text);
    }
    let bytes: Vec<u8> = text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    match String::from_utf8(bytes) {
        Ok(meant) => Cow::Owned(meant),
        Err(_) => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn letters_as_they_were_meant() {
        for (written, meant) in [
            ("Jos\u{c3}\u{a9}", "José"),
            ("\u{f0}\u{9f}\u{98}\u{80}", "😀"),
            ("José", "José"),
            ("plain", "plain"),
            ("日本", "日本"),
            ("half \u{c3}", "half \u{c3}"),
        ] {
            assert_eq!(repaired(written), meant, "{written}");
            assert_eq!(repaired(&repaired(written)), meant, "twice: {written}");
        }
    }
}
