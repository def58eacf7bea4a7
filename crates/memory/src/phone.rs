//! Telephone numbers as they are compared: the international form, where the text has it.

/// Digits with `+` where the text writes the country, without where it does not. None where it is no number.
pub(crate) fn number(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("tel:");
    let plain = |c: char| {
        c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}' | '\u{202f}' | '\u{2011}')
    };
    // Marks of direction stand around numbers in exports.
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !text.chars().all(plain) || !(7..=15).contains(&digits.len()) || text.get(1..).is_some_and(|t| t.contains('+')) {
        return None;
    }
    match (text.starts_with('+'), digits.strip_prefix("00")) {
        // "+49 (0)176": the zero is dialled inside the country alone.
        (true, _) if text.contains("(0)") => Some(format!("+{}", without_trunk(&text))),
        (true, _) => Some(format!("+{digits}")),
        (false, Some(rest)) if rest.len() >= 7 => Some(format!("+{rest}")),
        _ => Some(digits),
    }
}

fn without_trunk(text: &str) -> String {
    text.replace("(0)", "").chars().filter(char::is_ascii_digit).collect()
}

/// The country of an international number.
pub(crate) fn country(number: &str) -> Option<&str> {
    const ONE: [&str; 2] = ["1", "7"];
    const TWO: [&str; 43] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95",
    ];
    let digits = number.strip_prefix('+')?;
    let first = |n: usize| digits.get(..n);
    if first(1).is_some_and(|c| ONE.contains(&c)) {
        return first(1);
    }
    if first(2).is_some_and(|c| TWO.contains(&c) || c == "98") {
        return first(2);
    }
    first(3)
}

/// The international form of a number that may be national, of somebody in a country.
pub(crate) fn international(number: &str, country: Option<&str>) -> Option<String> {
    if number.starts_with('+') {
        return Some(number.to_owned());
    }
    let country = country?;
    // In most countries a national number begins with 0; in a few it has none.
    let inside = number.strip_prefix('0').unwrap_or(number);
    (country == "1" && inside.len() == 10 || country != "1" && number.starts_with('0'))
        .then(|| format!("+{country}{inside}"))
}

/// The last nine digits, to look for a number however it is written.
pub(crate) fn ending(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    digits.iter().skip(digits.len().saturating_sub(9)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_one_however_they_are_written() {
        for text in [
            "+49 176 1234567",
            "0049-176-1234567",
            "+49 (0)176 1234567",
            "tel:+491761234567",
            "\u{202a}+49 176 1234567\u{202c}",
        ] {
            assert_eq!(number(text).as_deref(), Some("+491761234567"), "{text}");
        }
        assert_eq!(number("0176 1234567").as_deref(), Some("01761234567"));
        for text in ["Ana", "12", "2024-05-01 x", "ana@example.org", "+49+176 1234567"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn a_national_number_needs_its_country() {
        assert_eq!(international("01761234567", Some("49")).as_deref(), Some("+491761234567"));
        assert_eq!(international("01761234567", None), None);
        assert_eq!(international("1761234567", Some("49")), None);
        assert_eq!(international("2025550179", Some("1")).as_deref(), Some("+12025550179"));
        assert_eq!(
            (country("+491761234567"), country("+12025550179"), country("+3511234567")),
            (Some("49"), Some("1"), Some("351"))
        );
    }
}
