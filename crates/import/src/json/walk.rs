//! Walks a JSON stream of any size in bounded memory and hands out the values that are wanted.
//!
//! Where the grammar is broken, the value under way is handed out as broken, and the walk goes on
//! at the next object that looks like a record: one damaged byte costs one record, not the file.

use super::scan::{LOOK, Scan, Step, blank, look};
use crate::text::Utf8;
use std::{
    collections::VecDeque,
    io::{self, Read},
};

const CHUNK: usize = 64 << 10;
/// Bytes looked at again after damage, over one file: damage on purpose ends here. A small file has less: what is
/// free, and so many for each byte that is passed.
const SEARCH: usize = 2 << 30;
const FREE: usize = 32 << 20;
const FOR_EACH: usize = 50;
const CUT: &str = "the file ends in the middle of it";

/// How a value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    Object,
    Array,
    Plain,
}

/// What is to be done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want<T> {
    /// Walk its entries (objects and arrays only; a plain value is passed over).
    Enter(T),
    /// Hand it out.
    Whole(T),
    Skip,
}

/// What to do with a value, by what it lies in (none at the top) and its key (empty in arrays).
pub(crate) type Wanting<'r, T> = &'r dyn Fn(Option<T>, &str, Opening) -> Want<T>;

/// A format's shape. `T` names its kinds of values.
pub(crate) struct Rules<'r, T> {
    pub(crate) want: Wanting<'r, T>,
    /// After damage: what an object with these keys lies in, where it is one to go on with.
    pub(crate) looks: &'r dyn Fn(&[&str]) -> Option<T>,
}

/// Bytes of one value; `at` is their offset in the decoded file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) key: String,
    pub(crate) at: u64,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    Opened(T),
    Closed(T),
    Value(T, Piece),
    /// `what` is none between values. The piece goes up to where the walk goes on.
    Broken {
        what: Option<T>,
        piece: Piece,
        reason: &'static str,
    },
    TooLong {
        what: T,
        bytes: u64,
    },
}

struct Frame<T> {
    what: T,
    object: bool,
    /// No entry read yet: no comma expected.
    fresh: bool,
}

/// Values under way are held up to `limit` bytes.
pub(crate) struct Walk<'r, R, T> {
    input: Utf8<R>,
    rules: Rules<'r, T>,
    limit: usize,
    buf: Vec<u8>,
    /// Next byte, in `buf`.
    at: usize,
    /// Offset of `buf` in the stream.
    base: u64,
    /// Where in `buf` the value under way begins, while it is held.
    mark: Option<usize>,
    frames: Vec<Frame<T>>,
    /// Key and kind of the value under way.
    under_way: Option<(T, String)>,
    /// Set after damage: the next value begins here and has this key.
    resume: Option<String>,
    ready: VecDeque<Found<T>>,
    looked: usize,
    passed: usize,
    ended: bool,
    finished: bool,
    trouble: Option<io::Error>,
}

impl<'r, R: Read, T: Copy + PartialEq> Walk<'r, R, T> {
    pub(crate) fn new(input: Utf8<R>, limit: usize, rules: Rules<'r, T>) -> Self {
        Self {
            input,
            rules,
            limit,
            buf: Vec::new(),
            at: 0,
            base: 0,
            mark: None,
            frames: Vec::new(),
            under_way: None,
            resume: None,
            ready: VecDeque::new(),
            looked: 0,
            passed: 0,
            ended: false,
            finished: false,
            trouble: None,
        }
    }

    /// Why the stream ended early, where it did.
    pub(crate) fn trouble(&mut self) -> Option<io::Error> {
        self.trouble.take()
    }

    /// One entry further; none where there is nothing to hand out yet.
    fn step(&mut self) -> Result<Option<Found<T>>, &'static str> {
        if let Some(key) = self.resume.take() {
            return self.value(key);
        }
        let next = self.peek();
        let Some(frame) = self.frames.last_mut() else {
            self.finished = next.is_none();
            return if self.finished { Ok(None) } else { self.value(String::new()) };
        };
        let byte = next.ok_or(CUT)?;
        if byte == if frame.object { b'}' } else { b']' } {
            let what = frame.what;
            self.at += 1;
            self.frames.pop();
            return Ok(Some(Found::Closed(what)));
        }
        let object = frame.object;
        if !std::mem::replace(&mut frame.fresh, false) {
            self.take(b',', "a comma is missing")?;
        }
        let key = if object { self.key()? } else { String::new() };
        self.value(key)
    }

    fn key(&mut self) -> Result<String, &'static str> {
        if self.peek().ok_or(CUT)? != b'"' {
            return Err("a name is missing");
        }
        self.mark = Some(self.at);
        self.scan()?;
        let start = self.mark.take().ok_or("a name is too long")?;
        let quoted = self.buf.get(start..self.at).unwrap_or_default();
        let key = super::parse(quoted).map_err(|_| "a name is broken")?.0;
        self.take(b':', "a colon is missing")?;
        Ok(key)
    }

    fn value(&mut self, key: String) -> Result<Option<Found<T>>, &'static str> {
        let opening = match self.peek().ok_or(CUT)? {
            b'{' => Opening::Object,
            b'[' => Opening::Array,
            _ => Opening::Plain,
        };
        match (self.rules.want)(self.frames.last().map(|f| f.what), &key, opening) {
            Want::Enter(what) if opening != Opening::Plain => {
                self.at += 1;
                self.frames.push(Frame { what, object: opening == Opening::Object, fresh: true });
                Ok(Some(Found::Opened(what)))
            }
            Want::Enter(_) | Want::Skip => self.scan().map(|()| None),
            Want::Whole(what) => {
                self.mark = Some(self.at);
                self.under_way = Some((what, key));
                let start = self.base + self.at as u64;
                self.scan()?;
                Ok(self.under_way.take().map(|(what, key)| self.whole(what, key, start)))
            }
        }
    }

    fn whole(&mut self, what: T, key: String, start: u64) -> Found<T> {
        match self.mark.take() {
            Some(mark) => {
                let bytes = self.buf.get(mark..self.at).unwrap_or_default().to_vec();
                Found::Value(what, Piece { key, at: start, bytes })
            }
            None => Found::TooLong { what, bytes: self.base + self.at as u64 - start },
        }
    }

    /// Over one value.
    fn scan(&mut self) -> Result<(), &'static str> {
        let mut scan = Scan::new();
        loop {
            if self.at == self.buf.len() && !self.fill() {
                return Err(CUT);
            }
            let (n, step) = scan.feed(self.buf.get(self.at..).unwrap_or_default());
            self.at += n;
            match step {
                Step::More => {}
                Step::Done => return Ok(()),
                Step::Wrong(reason) => return Err(reason),
            }
        }
    }

    /// Hands out what is broken and finds where to go on: the next object that looks like a record.
    fn recover(&mut self, reason: &'static str) -> Found<T> {
        let (what, key) = self.under_way.take().map_or((None, String::new()), |(what, key)| (Some(what), key));
        let start = self.mark.unwrap_or(self.at);
        self.looked += self.at - start;
        let from = self.base + start as u64;
        self.mark = Some(start);
        self.at = start + usize::from(what.is_some());
        let lies_in = self.search();
        let bytes = self.mark.take().and_then(|mark| self.buf.get(mark..self.at)).unwrap_or_default().to_vec();
        match lies_in {
            Some(lies_in) => self.go_on_in(lies_in),
            None => {
                self.frames.clear();
                if self.looked_too_far() {
                    self.pass_the_rest();
                }
            }
        }
        Found::Broken { what, piece: Piece { key, at: from, bytes }, reason }
    }

    fn looked_too_far(&self) -> bool {
        self.looked > SEARCH.min(FREE + self.passed * FOR_EACH)
    }

    fn pass_the_rest(&mut self) {
        self.at = self.buf.len();
        while self.fill() {
            self.at = self.buf.len();
        }
        self.finished = true;
    }

    /// Moves to the next object that looks like a record, and says what it lies in; none at the end, or where it
    /// was searched for too long.
    fn search(&mut self) -> Option<T> {
        while !self.looked_too_far() {
            while self.buf.len() - self.at < LOOK && self.fill() {}
            let rest = self.buf.get(self.at..).unwrap_or_default();
            let Some(n) = rest.iter().position(|b| *b == b'{') else {
                self.at = self.buf.len();
                if self.ended { return None } else { continue }
            };
            self.at += n;
            let rest = self.buf.get(self.at..).unwrap_or_default();
            if rest.len() < LOOK && !self.ended {
                continue;
            }
            let (keys, looked) = look(rest);
            let lies_in = (self.rules.looks)(&keys);
            if lies_in.is_some() {
                return lies_in;
            }
            self.at += 1;
            self.passed += n + 1;
            self.looked += looked;
        }
        None
    }

    /// Leaves what the next value no longer lies in; the array it lies in may itself have been lost.
    fn go_on_in(&mut self, lies_in: T) {
        let (key, named) = match key_before(self.buf.get(..self.at).unwrap_or_default()) {
            Some(key) => (key, true),
            None => (String::new(), false),
        };
        if self.frames.iter().any(|f| f.what == lies_in) {
            while let Some(frame) = self.frames.pop_if(|f| f.what != lies_in) {
                self.ready.push_back(Found::Closed(frame.what));
            }
        } else {
            self.frames.push(Frame { what: lies_in, object: named, fresh: true });
            self.ready.push_back(Found::Opened(lies_in));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.fresh = false;
        }
        self.resume = Some(key);
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            self.at += blank(self.buf.get(self.at..).unwrap_or_default());
            match self.buf.get(self.at).copied() {
                Some(byte) => return Some(byte),
                None if self.fill() => {}
                None => return None,
            }
        }
    }

    fn take(&mut self, wanted: u8, reason: &'static str) -> Result<(), &'static str> {
        match self.peek() {
            Some(byte) if byte == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(reason),
            None => Err(CUT),
        }
    }

    /// Reads on, letting go of what is no longer needed; false at the end.
    fn fill(&mut self) -> bool {
        if self.mark.is_some_and(|mark| self.at.saturating_sub(mark) > self.limit) {
            self.mark = None;
        }
        let gone = self.mark.unwrap_or(self.at);
        self.buf.drain(..gone);
        self.at -= gone;
        self.base += gone as u64;
        self.mark = self.mark.map(|_| 0);
        let held = self.buf.len();
        self.buf.resize(held + CHUNK, 0);
        while !self.ended {
            match self.input.read(self.buf.get_mut(held..).unwrap_or_default()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(n) => {
                    self.buf.truncate(held + n);
                    self.ended = n == 0;
                    return n > 0;
                }
                Err(e) => {
                    self.trouble = Some(e);
                    self.ended = true;
                }
            }
        }
        self.buf.truncate(held);
        false
    }
}

impl<R: Read, T: Copy + PartialEq> Iterator for Walk<'_, R, T> {
    type Item = Found<T>;

    fn next(&mut self) -> Option<Found<T>> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Some(found);
            }
            if self.finished {
                return None;
            }
            match self.step() {
                Ok(Some(found)) => return Some(found),
                Ok(None) => {}
                Err(reason) => return Some(self.recover(reason)),
            }
        }
    }
}

/// The name whose value begins after the last byte.
fn key_before(bytes: &[u8]) -> Option<String> {
    let name = bytes.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let quote = name.iter().rposition(|b| *b == b'"')?;
    std::str::from_utf8(name.get(quote + 1..)?).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum It {
        Wrapper,
        List,
        Record,
    }

    /// `{"list":[…]}` or `[…]`, records being objects with an `id`.
    fn walk(input: &[u8]) -> Vec<String> {
        let want = |inside: Option<It>, key: &str, opening| match (inside, key, opening) {
            (None, _, Opening::Object) => Want::Enter(It::Wrapper),
            (None | Some(It::Wrapper), "" | "list", Opening::Array) => Want::Enter(It::List),
            (Some(It::List), _, _) => Want::Whole(It::Record),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| keys.contains(&"id").then_some(It::List);
        let rules = Rules { want: &want, looks: &looks };
        Walk::new(text::utf8(input).unwrap(), 50, rules)
            .filter_map(|found| match found {
                Found::Value(_, piece) => Some(String::from_utf8_lossy(&piece.bytes).into_owned()),
                Found::Broken { piece, .. } => Some(format!("!{}", String::from_utf8_lossy(&piece.bytes))),
                Found::TooLong { bytes, .. } => Some(format!("<{bytes}>")),
                Found::Opened(_) | Found::Closed(_) => None,
            })
            .collect()
    }

    fn check(input: &str, expected: &[&str]) {
        assert_eq!(walk(input.as_bytes()), expected, "{input}");
    }

    #[test]
    fn whole_files() {
        check(r#"[{"id":1}, {"id":2} ]"#, &[r#"{"id":1}"#, r#"{"id":2}"#]);
        check(r#"{"a":{"list":[1]},"list":[{"id":1}],"z":[]}"#, &[r#"{"id":1}"#]);
        check(r#"[{"id":1}]{"list":[{"id":2}]}"#, &[r#"{"id":1}"#, r#"{"id":2}"#]);
        check("", &[]);
        check(&format!(r#"[{{"id":"{}"}},{{"id":2}}]"#, "x".repeat(200_000)), &["<200009>", r#"{"id":2}"#]);
    }

    #[test]
    fn damage_costs_one_record() {
        check(
            r#"[{"id":1},{"id":"2},{"id":3},{"id":4}]"#,
            &[r#"{"id":1}"#, r#"!{"id":"2},"#, r#"{"id":3}"#, r#"{"id":4}"#],
        );
        check(r#"[{"id":1},["id":2},{"id":3}]"#, &[r#"{"id":1}"#, r#"!["id":2},"#, r#"{"id":3}"#]);
        check(r#"[{"id":1}x{"id":2}]"#, &[r#"{"id":1}"#, "!x", r#"{"id":2}"#]);
        check(r#"?{"id":1},{"id":2}]"#, &["!?", r#"{"id":1}"#, r#"{"id":2}"#]);
        check(r#"[{"id":1},{"id":2"#, &[r#"{"id":1}"#, r#"!{"id":2"#]);
    }

    #[test]
    fn damage_on_purpose_ends() {
        let records = format!(r#"[{{"id":1}},{}"#, r#"{"id":["#.repeat(200_000));
        let found = walk(records.as_bytes());
        assert_eq!(found.first().map(String::as_str), Some(r#"{"id":1}"#));
        assert!(found.len() < 30_000, "{}", found.len());
    }

    #[test]
    fn every_cut_and_flip_ends() {
        let input = br#"{"a":1,"list":[{"id":1,"t":"a\"b"},{"id":2,"x":[{}]},{"id":3}],"b":null}"#;
        for i in 0..input.len() {
            walk(input.get(..i).unwrap());
            for bit in 0..8 {
                let mut flipped = input.to_vec();
                flipped[i] ^= 1 << bit;
                let found = walk(&flipped);
                let whole = found.iter().filter(|f| f.starts_with("{\"")).count();
                assert!(whole >= 2 || (7..14).contains(&i), "{i} {found:?}");
            }
        }
    }
}
