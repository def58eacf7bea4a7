//! Telephone numbers as keys: one person has one key, however the number was written.

/// Digits that tell one number from another. Country and trunk prefixes come before them, in most countries.
const DIGITS: usize = 9;

/// `+49 170 1234567`, `0049170…` and `0170-1234567` have the same key; so has a name or an address in any case.
pub(super) fn key(address: &str) -> String {
    let address = address.trim();
    if address.contains(|c: char| c.is_alphabetic() || c == '@') {
        return address.to_lowercase();
    }
    let digits: Vec<char> = address.chars().filter(char::is_ascii_digit).collect();
    let from = digits.len().saturating_sub(DIGITS);
    digits.get(from..).unwrap_or_default().iter().collect()
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn one_number_one_key() {
        for written in ["+49 170 1234567", "0049170 1234567", "0170-1234567", "(0170) 1234567"] {
            assert_eq!(key(written), "701234567", "{written}");
        }
        assert_eq!(key("+1 (555) 123-4567"), key("555-123-4567"));
        assert_eq!(
            (key("22000"), key("AMAZON"), key("-1"), key("")),
            ("22000".into(), "amazon".into(), "1".into(), String::new())
        );
    }
}
