//! What of a PDF's page shows text, taken from its content as it is written (ISO 32000-1, 7.8.2): drawings may be a
//! thousand times as long, and whoever reads all operations as objects needs a hundred bytes for each of theirs.

/// Operands and operators in all that is kept of one content, and bytes of it. A page dense with words has 20,000.
const MOST_TOKENS: usize = 250_000;
const MOST_BYTES: usize = 16 << 20;
/// Deeper is damage.
const DEEPEST: usize = 1_000;

/// Operators that show text or say where and how, and the forms that may hold more.
const SHOWS: [&[u8]; 13] = [b"BT", b"ET", b"T*", b"Td", b"TD", b"Tm", b"Tj", b"TJ", b"'", b"\"", b"Do", b"q", b"Q"];
/// Operators that matter to the text after them alone.
const SETS: [&[u8]; 7] = [b"cm", b"Tf", b"TL", b"Tc", b"Tw", b"Tz", b"Ts"];

/// What shows text of a content.
pub(super) struct Shown {
    pub(super) content: Vec<u8>,
    pub(super) tokens: usize,
    /// False where there was more than any page shows.
    pub(super) whole: bool,
}

/// Where a `q` was written: what comes after it goes, if nothing is shown up to its `Q`.
struct Saved {
    bytes: usize,
    tokens: usize,
    shows: bool,
}

pub(super) fn shown(content: &[u8]) -> Shown {
    let mut lexer = Lexer { content, at: 0 };
    let mut kept = Shown { content: Vec::new(), tokens: 0, whole: true };
    let mut saved: Vec<Saved> = Vec::new();
    let (mut deeper, mut begin, mut operands) = (0usize, None, 0);
    while let Some((from, token)) = lexer.next() {
        if !is_operator(token) {
            begin = begin.or(Some(from));
            operands += 1;
            continue;
        }
        let (first, count) = (begin.take().unwrap_or(from), std::mem::take(&mut operands) + 1);
        match token {
            b"BI" => lexer.skip_picture(),
            b"q" if saved.len() >= DEEPEST => deeper += 1,
            b"Q" if deeper > 0 => deeper -= 1,
            b"q" => saved.push(Saved { bytes: kept.content.len(), tokens: kept.tokens, shows: false }),
            _ => {}
        }
        match token {
            b"q" if deeper > 0 => continue,
            b"Q" => match saved.pop() {
                Some(before) if !before.shows => {
                    kept.content.truncate(before.bytes);
                    kept.tokens = before.tokens;
                    continue;
                }
                Some(_) => {}
                None => continue,
            },
            b"q" => {}
            _ if SETS.contains(&token) => {}
            _ if SHOWS.contains(&token) => saved.iter_mut().for_each(|before| before.shows = true),
            _ => continue,
        }
        let written = content.get(first..lexer.at).unwrap_or_default();
        if kept.tokens + count > MOST_TOKENS || kept.content.len() + written.len() > MOST_BYTES {
            kept.whole = false;
            break;
        }
        kept.content.extend_from_slice(written);
        kept.content.push(b'\n');
        kept.tokens += count;
    }
    kept
}

fn is_operator(token: &[u8]) -> bool {
    let begins = token.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'\'' | b'"'));
    begins && !matches!(token, b"true" | b"false" | b"null")
}

struct Lexer<'a> {
    content: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    /// The next operand or operator, and where it begins; brackets are tokens of their own.
    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        self.skip_blank();
        let from = self.at;
        match self.peek()? {
            b'(' => self.skip_text(),
            b'<' | b'>' if self.content.get(from) == self.content.get(from + 1) => self.at += 2,
            b'<' => self.skip_past(|b| b == b'>'),
            b'[' | b']' | b'{' | b'}' | b')' | b'>' => self.at += 1,
            _ => {
                self.at += 1;
                while self.peek().is_some_and(|b| !is_blank(b) && !is_mark(b)) {
                    self.at += 1;
                }
            }
        }
        Some((from, self.content.get(from..self.at)?))
    }

    fn peek(&self) -> Option<u8> {
        self.content.get(self.at).copied()
    }

    fn skip_past(&mut self, is_end: fn(u8) -> bool) {
        let rest = self.content.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|b| is_end(*b)).map_or(rest.len(), |n| n + 1);
    }

    fn skip_blank(&mut self) {
        while let Some(b) = self.peek() {
            match b {
                b'%' => self.skip_past(|b| matches!(b, b'\n' | b'\r')),
                b if is_blank(b) => self.at += 1,
                _ => break,
            }
        }
    }

    /// A text in round brackets, which may hold others in pairs.
    fn skip_text(&mut self) {
        let mut depth = 0usize;
        while let Some(b) = self.peek() {
            self.at += 1;
            match b {
                b'\\' => self.at += 1,
                b'(' => depth += 1,
                b')' if depth == 1 => break,
                b')' => depth -= 1,
                _ => {}
            }
        }
        self.at = self.at.min(self.content.len());
    }

    /// A picture between the words: `ID`, its bytes, `EI` between blanks.
    fn skip_picture(&mut self) {
        while let Some((_, token)) = self.next() {
            if matches!(token, b"ID" | b"EI") {
                break;
            }
        }
        let rest = self.content.get(self.at..).unwrap_or_default();
        let ends = |w: &[u8]| matches!(w, [a, b'E', b'I', z] if is_blank(*a) && is_blank(*z));
        self.at += rest.windows(4).position(ends).map_or(rest.len(), |n| n + 3);
    }
}

fn is_blank(b: u8) -> bool {
    matches!(b, b'\0' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn is_mark(b: u8) -> bool {
    matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, expected: &str) {
        let kept = shown(content.as_bytes());
        assert_eq!(String::from_utf8(kept.content).unwrap().replace('\n', " ").trim_end(), expected, "{content}");
        assert!(kept.whole);
    }

    #[test]
    fn drawings_go_and_words_stay() {
        check("0 0 m 10 10 l S BT /F1 12 Tf (a(b)\\)c) Tj ET", "BT /F1 12 Tf (a(b)\\)c) Tj ET");
        check("q 1 0 0 1 5 5 cm 0 0 m S Q BT [(a) -20 <62>] TJ ET", "BT [(a) -20 <62>] TJ ET");
        check("q 1 0 0 1 5 5 cm q Q BT (a) ' ET Q", "q 1 0 0 1 5 5 cm BT (a) ' ET Q");
        check("/Span <</ActualText(x)>> BDC % no (text)\n(a)Tj EMC/X1 Do", "(a)Tj /X1 Do");
        check("BI /W 1 ID \x01(Tj EI (a) Tj", "(a) Tj");
        check("Q Q (a) Tj Q", "(a) Tj");
    }

    #[test]
    fn damage_and_too_much_end() {
        for content in ["(", "((a", "<", "<<", "BI", "BI ID ", "\\", "%", "(a\\", "[(a", "q"] {
            assert!(shown(content.as_bytes()).tokens < 2, "{content}");
        }
        assert!(shown("q ".repeat(2_000_000).as_bytes()).content.len() < 5_000);
        let much = shown("(a) Tj ".repeat(2_000_000).as_bytes());
        assert!(!much.whole && much.tokens <= MOST_TOKENS);
        assert!(!shown(format!("[{}] TJ", "1 ".repeat(2_000_000)).as_bytes()).whole);
    }
}
