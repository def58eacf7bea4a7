//! Whether a PDF's table of letters (ISO 32000-1, 9.10.3) is of a size that fonts have: it says a range by its ends,
//! and one wrong digit makes it four thousand million letters long for who writes them all out.

/// Longest table that is read, in bytes, and the letters of all its ranges. Fonts have at most 65,536.
const LONGEST: usize = 4 << 20;
const MOST: u64 = 300_000;

pub(super) fn fits(table: &[u8]) -> bool {
    let mut letters = 0;
    let mut rest = table;
    while let Some(at) = super::pdf::position(rest, b"beginbfrange") {
        rest = rest.get(at + 12..).unwrap_or_default();
        let section = rest.get(..super::pdf::position(rest, b"endbfrange").unwrap_or(rest.len())).unwrap_or_default();
        // Codes in round brackets are allowed, and written by nobody.
        if section.contains(&b'(') {
            return false;
        }
        let codes = codes(section);
        let long = codes.chunks(3).map(|range| match range {
            [first, last, ..] => last.saturating_sub(*first),
            _ => 0,
        });
        letters += long.sum::<u64>();
    }
    table.len() <= LONGEST && letters <= MOST
}

/// The codes of a section, three for each range: the first, the last, and the letter of the first; where a list of
/// letters stands for that, it counts as one.
fn codes(section: &[u8]) -> Vec<u64> {
    let (mut codes, mut at) = (Vec::new(), 0);
    while let Some(byte) = section.get(at) {
        let end = match byte {
            b'<' => b'>',
            b'[' => b']',
            _ => {
                at += 1;
                continue;
            }
        };
        let rest = section.get(at..).unwrap_or_default();
        let inside = rest.get(..rest.iter().position(|b| *b == end).unwrap_or(rest.len())).unwrap_or_default();
        let digits = inside.iter().filter_map(|b| char::from(*b).to_digit(16));
        codes.push(u64::from(digits.fold(0u32, |code, digit| code << 4 | digit)));
        at += inside.len() + 1;
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_fonts_have_them() {
        for (ranges, fine) in [
            ("<0000> <FFFF> <0000>", true),
            ("<0003><0005>[<0041> <0042><D83DDE00>]\n<00000010> <00000020> <0061>", true),
            ("<0003> <FFFF0005> <0041>", false),
            ("<00> <00> [<41>] <00> <7FFFFFFF> <0041>", false),
            ("(\\0) (\\377\\377\\377\\377) <0041>", false),
            ("<", true),
        ] {
            assert_eq!(fits(format!("1 beginbfrange\n{ranges}\nendbfrange").as_bytes()), fine, "{ranges}");
        }
        assert!(fits(b"1 beginbfchar <FFFFFFFF> <0041> endbfchar"));
    }
}
