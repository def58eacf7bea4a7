//! The grammar of JSON (RFC 8259), held strictly, one byte at a time: damage is seen where it is,
//! before a missing quote swallows the records after it.

/// Deeper nesting than any export has; `serde_json` stops at 128.
const DEEPEST: usize = 512;
/// Bytes of an object that are looked at for its keys.
pub(super) const LOOK: usize = 16 << 10;

/// What came of feeding bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All bytes are taken and the value goes on.
    More,
    /// The value ended.
    Done,
    /// Not JSON here.
    Wrong(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    After,
    Text { key: bool },
    Escape { key: bool },
    Scalar,
}

/// One value under way.
#[derive(Debug)]
pub(crate) struct Scan {
    /// True for an object, false for an array.
    open: Vec<bool>,
    state: State,
}

impl Scan {
    /// Before the first byte of a value.
    pub(crate) fn new() -> Self {
        Self { open: Vec::new(), state: State::Value }
    }

    /// Takes bytes until the value ends; says how many were taken. The byte that ends a number is not.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> (usize, Step) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let State::Text { key } = self.state {
                let rest = bytes.get(at..).unwrap_or_default();
                let Some(n) = rest.iter().position(|b| matches!(b, b'"' | b'\\')) else {
                    return (bytes.len(), Step::More);
                };
                at += n + 1;
                self.state = match rest.get(n) {
                    Some(b'\\') => State::Escape { key },
                    _ if key => State::Colon,
                    _ => State::After,
                };
            } else if self.state == State::Scalar && !is_scalar(byte) {
                self.state = State::After;
            } else {
                if let Err(reason) = self.take(byte) {
                    return (at, Step::Wrong(reason));
                }
                at += 1;
            }
            if self.state == State::After && self.open.is_empty() {
                return (at, Step::Done);
            }
        }
        (at, Step::More)
    }

    /// One byte outside of a text.
    fn take(&mut self, byte: u8) -> Result<(), &'static str> {
        self.state = match (self.state, byte) {
            (State::Escape { key }, _) => State::Text { key },
            (State::Scalar, _) => State::Scalar,
            (_, b' ' | b'\t' | b'\n' | b'\r') => self.state,
            (State::Value | State::ValueOrEnd, b'"') => State::Text { key: false },
            (State::Value | State::ValueOrEnd, b'{') => self.push(true)?,
            (State::Value | State::ValueOrEnd, b'[') => self.push(false)?,
            (State::ValueOrEnd, b']') | (State::KeyOrEnd, b'}') => self.pop(byte)?,
            (State::Value | State::ValueOrEnd, b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N' | b'I') => State::Scalar,
            (State::Key | State::KeyOrEnd, b'"') => State::Text { key: true },
            (State::Colon, b':') => State::Value,
            (State::After, b',') if self.open.last() == Some(&true) => State::Key,
            (State::After, b',') => State::Value,
            (State::After, b']' | b'}') => self.pop(byte)?,
            (State::Colon, _) => return Err("a colon is missing"),
            (State::After, _) => return Err("a comma or the end of a text is missing"),
            _ => return Err("a value is missing"),
        };
        Ok(())
    }

    fn push(&mut self, object: bool) -> Result<State, &'static str> {
        if self.open.len() >= DEEPEST {
            return Err("it is nested too deeply");
        }
        self.open.push(object);
        Ok(if object { State::KeyOrEnd } else { State::ValueOrEnd })
    }

    fn pop(&mut self, byte: u8) -> Result<State, &'static str> {
        match self.open.pop() {
            Some(object) if object == (byte == b'}') => Ok(State::After),
            _ => Err("a bracket does not match"),
        }
    }
}

fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// Bytes of white space at the beginning.
pub(crate) fn blank(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(bytes.len())
}

/// Keys of the object that begins at the first byte, as far as the grammar holds in the first 16 KiB,
/// without their escapes resolved.
pub(crate) fn keys(object: &[u8]) -> Vec<&str> {
    look(object).0
}

/// [`keys`], and how many bytes were looked at.
pub(super) fn look(object: &[u8]) -> (Vec<&str>, usize) {
    let object = object.get(..LOOK.min(object.len())).unwrap_or_default();
    let mut found = Vec::new();
    let mut at = 0;
    let mut before = b'{';
    while object.get(at) == Some(&before) {
        before = b',';
        at += 1;
        let Some((key, end)) = key_at(object, at) else { break };
        found.push(key);
        let rest = object.get(end..).unwrap_or_default();
        let (n, step) = Scan::new().feed(rest);
        at = end + n;
        if step != Step::Done {
            break;
        }
        at += blank(object.get(at..).unwrap_or_default());
    }
    (found, at)
}

/// The key whose quote comes next, and where its value begins (after the colon).
fn key_at(object: &[u8], at: usize) -> Option<(&str, usize)> {
    let start = at + blank(object.get(at..)?);
    let (n, Step::Done) = Scan::new().feed(object.get(start..)?) else { return None };
    let quoted = std::str::from_utf8(object.get(start..start + n)?).ok()?;
    let key = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let colon = start + n + blank(object.get(start + n..)?);
    (object.get(colon) == Some(&b':')).then_some((key, colon + 1))
}

/// The keys of every object in `bytes`, in order of their beginnings, to the first that `fits`.
/// For recognising a format even where the beginning of the file is damaged. What is nested deeper than in any
/// export, so that the same bytes are looked at again and again, ends it.
pub(crate) fn hunt(bytes: &[u8], mut fits: impl FnMut(&[&str]) -> bool) -> bool {
    let starts = bytes.iter().enumerate().filter(|(_, b)| **b == b'{').map(|(i, _)| i);
    let mut looked = 0;
    let objects = starts.take(2_000).map_while(|i| {
        let (keys, n) = look(bytes.get(i..)?);
        looked += n;
        (looked <= LOOK + 20 * bytes.len()).then_some(keys)
    });
    objects.into_iter().any(|keys| fits(&keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: (usize, Step)) {
        assert_eq!(Scan::new().feed(input.as_bytes()), expected, "{input}");
        // The same byte by byte.
        let mut scan = Scan::new();
        for (i, byte) in input.bytes().enumerate() {
            match scan.feed(&[byte]) {
                (_, Step::More) => {}
                (n, step) => return assert_eq!((i + n, step), expected, "{input}"),
            }
        }
        assert_eq!((input.len(), Step::More), expected, "{input}");
    }

    #[test]
    fn values_end_where_they_end() {
        check(r#"{"a":[1,"}\"",{}]} ,"#, (18, Step::Done));
        check("12.5e3,", (6, Step::Done));
        check("12.5", (4, Step::More));
        check(r#""a\\""#, (5, Step::Done));
        check("[] x", (2, Step::Done));
    }

    #[test]
    fn damage_is_seen_at_once() {
        check(r#"{"a":"b#,"c":1}"#, (10, Step::Wrong("a comma or the end of a text is missing")));
        check(r#"{"a" 1}"#, (5, Step::Wrong("a colon is missing")));
        check("[1}", (2, Step::Wrong("a bracket does not match")));
        check(r#"{"a":z}"#, (5, Step::Wrong("a value is missing")));
        check("[,1]", (1, Step::Wrong("a value is missing")));
        assert!(matches!(Scan::new().feed("[".repeat(600).as_bytes()), (512, Step::Wrong(_))));
    }

    #[test]
    fn keys_go_as_far_as_the_grammar() {
        assert_eq!(keys(br#"{ "a" : {"x":[]} , "b":"" }"#), ["a", "b"]);
        assert_eq!(keys(br#"{"a":1,"b":{"#), ["a", "b"]);
        assert_eq!(keys(br#"{"a":1 "b":2}"#), ["a"]);
        assert_eq!(keys(b"[1]"), [""; 0]);
    }
}
