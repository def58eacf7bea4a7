//! Rich Text Format (1.9.1): its words as paragraphs, in the code pages that its fonts name. Pictures, styles,
//! headers and everything that a program may ignore are left out.

use super::{Document, Left, Taken};
use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, IBM866, MACINTOSH, SHIFT_JIS, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252,
    WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};
use std::collections::HashMap;

/// Groups in groups; a real document has some twenty.
const DEEPEST: usize = 1_000;

/// Destinations whose text nobody wrote.
const LEFT_OUT: [&str; 26] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "pict",
    "object",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "ftnsep",
    "ftnsepc",
    "aftnsep",
    "aftnsepc",
    "xe",
    "tc",
    "bkmkstart",
    "bkmkend",
    "filetbl",
    "revtbl",
    "listtable",
    "listoverridetable",
    "info",
];

#[derive(Clone, Copy, PartialEq)]
enum To {
    Text,
    Nothing,
    Fonts,
    Title,
    Author,
    Created,
    Updated,
    /// `HYPERLINK "…"` of a field.
    Instruction,
}

#[derive(Clone)]
struct Group {
    to: To,
    page: &'static Encoding,
    /// Characters that stand for a `\u` in programs that do not know it.
    after_u: usize,
    hidden: bool,
}

struct Rtf<'a> {
    rest: &'a [u8],
    group: Group,
    above: Vec<Group>,
    out: String,
    /// Bytes of a code page, gathered until something else comes.
    bytes: Vec<u8>,
    fonts: HashMap<i32, &'static Encoding>,
    font: i32,
    title: String,
    author: String,
    instruction: String,
    times: [[i32; 5]; 2],
    high: Option<u16>,
    /// Characters still to be passed over after a `\u`.
    pass: usize,
    whole: bool,
}

pub(super) fn take(bytes: &[u8]) -> Taken {
    if !bytes.starts_with(b"{\\rtf") {
        return Err(Left::Failed("it does not begin as Rich Text does".to_owned()));
    }
    let group = Group { to: To::Text, page: WINDOWS_1252, after_u: 1, hidden: false };
    let mut rtf = Rtf {
        rest: bytes,
        group,
        above: Vec::new(),
        out: String::new(),
        bytes: Vec::new(),
        fonts: HashMap::new(),
        font: 0,
        title: String::new(),
        author: String::new(),
        instruction: String::new(),
        times: [[0; 5]; 2],
        high: None,
        pass: 0,
        whole: true,
    };
    rtf.run();
    let lines = rtf.out.lines().map(str::trim_end).map(|l| l.trim_end_matches(" |").trim_end());
    let some = |text: &str| Some(text.trim().trim_end_matches(';').to_owned()).filter(|t| !t.is_empty());
    let [created, updated] = rtf.times.map(|[year, month, day, hour, minute]| {
        (year > 0).then(|| format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00"))
    });
    Ok(Document {
        text: lines.collect::<Vec<_>>().join("\n").trim().to_owned(),
        title: some(&rtf.title),
        author: some(&rtf.author),
        created,
        updated,
        whole: rtf.whole,
        ..Document::default()
    })
}

impl Rtf<'_> {
    fn run(&mut self) {
        while let Some((first, rest)) = self.rest.split_first() {
            self.rest = rest;
            match first {
                b'{' => {
                    self.settle();
                    self.above.push(self.group.clone());
                    self.whole &= self.above.len() <= DEEPEST;
                    if !self.whole {
                        break;
                    }
                }
                b'}' => {
                    self.settle();
                    self.end_of_group();
                    if self.above.is_empty() {
                        return;
                    }
                }
                b'\\' => self.control(),
                b'\r' | b'\n' => {}
                byte => self.byte(*byte),
            }
        }
        self.settle();
        self.whole = false;
    }

    fn end_of_group(&mut self) {
        let was = self.group.to;
        if let Some(group) = self.above.pop() {
            self.group = group;
        }
        if was == To::Instruction && self.group.to != To::Instruction {
            let to = self.instruction.split('"').nth(1).unwrap_or_default().to_owned();
            if ["http://", "https://", "mailto:"].iter().any(|s| to.starts_with(s))
                && self.instruction.contains("HYPERLINK")
            {
                self.put(&format!("<{to}> "));
            }
            self.instruction.clear();
        }
    }

    /// What follows a backslash.
    fn control(&mut self) {
        let Some((first, rest)) = self.rest.split_first() else { return };
        if first.is_ascii_alphabetic() {
            return self.word();
        }
        self.rest = rest;
        match first {
            b'\'' => {
                let (hex, rest) = self.rest.split_at(2.min(self.rest.len()));
                self.rest = rest;
                if let Some(byte) = std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    self.byte(byte);
                }
            }
            b'*' => self.group.to = if self.group.to == To::Text { To::Nothing } else { self.group.to },
            b'~' => self.put("\u{a0}"),
            b'_' => self.put("-"),
            b'\r' | b'\n' => self.put("\n\n"),
            b'-' | b':' | b'|' => {}
            byte => self.byte(*byte),
        }
    }

    fn word(&mut self) {
        let end = self.rest.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(self.rest.len()).min(32);
        let (name, rest) = self.rest.split_at(end);
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest.iter().skip(sign).take_while(|b| b.is_ascii_digit()).count().min(10);
        let (number, rest) = rest.split_at(if digits > 0 { sign + digits } else { 0 });
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let number = std::str::from_utf8(number).ok().and_then(|n| n.parse::<i64>().ok()).map(|n| n as i32);
        let name = std::str::from_utf8(name).unwrap_or_default();
        if name != "u" {
            self.settle();
        }
        self.said(name, number);
    }

    fn said(&mut self, name: &str, number: Option<i32>) {
        let n = number.unwrap_or(0);
        match name {
            "u" => self.unicode(n),
            "uc" => self.group.after_u = usize::try_from(n).unwrap_or(0).min(16),
            "bin" => self.rest = self.rest.get(usize::try_from(n).unwrap_or(0)..).unwrap_or_default(),
            "par" | "sect" | "page" => self.put("\n\n"),
            "line" | "row" => self.put("\n"),
            "tab" => self.put("\t"),
            "cell" => self.put(" | "),
            "emdash" => self.put("—"),
            "endash" => self.put("–"),
            "bullet" => self.put("•"),
            "lquote" => self.put("‘"),
            "rquote" => self.put("’"),
            "ldblquote" => self.put("“"),
            "rdblquote" => self.put("”"),
            "emspace" | "enspace" | "qmspace" => self.put(" "),
            "v" => self.group.hidden = number != Some(0),
            "plain" => self.group.hidden = false,
            "ansicpg" => self.group.page = code_page(n).unwrap_or(self.group.page),
            "mac" => self.group.page = MACINTOSH,
            "f" => {
                self.font = n;
                if let Some(page) = self.fonts.get(&n).filter(|_| self.group.to != To::Fonts) {
                    self.group.page = page;
                }
            }
            "fcharset" if self.group.to == To::Fonts => {
                if let Some(page) = of_charset(n) {
                    self.fonts.insert(self.font, page);
                }
            }
            "title" if self.above.len() < 4 => self.group.to = To::Title,
            "author" if self.above.len() < 4 => self.group.to = To::Author,
            "creatim" => self.group.to = To::Created,
            "revtim" => self.group.to = To::Updated,
            "yr" | "mo" | "dy" | "hr" | "min" => self.time(name, n),
            "fldinst" => self.group.to = To::Instruction,
            "fldrslt" | "shptxt" => self.group.to = To::Text,
            "fonttbl" => self.group.to = To::Fonts,
            _ if LEFT_OUT.contains(&name) => self.group.to = To::Nothing,
            _ => {}
        }
    }

    fn time(&mut self, name: &str, n: i32) {
        let which = match self.group.to {
            To::Created => 0,
            To::Updated => 1,
            _ => return,
        };
        let field = ["yr", "mo", "dy", "hr", "min"].iter().position(|f| *f == name);
        if let Some(slot) = field.and_then(|f| self.times.get_mut(which)?.get_mut(f)) {
            *slot = n;
        }
    }

    /// `\u` gives UTF-16, as a signed number.
    fn unicode(&mut self, n: i32) {
        self.settle_bytes();
        self.pass = self.group.after_u;
        let unit = n as u16;
        match (self.high.take(), unit) {
            (_, 0xd800..=0xdbff) => self.high = Some(unit),
            (Some(high), low) => {
                let c = char::decode_utf16([high, low]).next().and_then(Result::ok).unwrap_or('\u{fffd}');
                self.put_char(c);
            }
            (None, unit) => self.put_char(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}')),
        }
    }

    fn put_char(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.put(c.encode_utf8(&mut buffer));
    }

    fn byte(&mut self, byte: u8) {
        if self.pass > 0 {
            self.pass -= 1;
        } else {
            self.bytes.push(byte);
        }
    }

    fn settle(&mut self) {
        self.pass = 0;
        self.settle_bytes();
    }

    fn settle_bytes(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let text = self.group.page.decode_without_bom_handling(&bytes).0.into_owned();
            self.put(&text);
        }
    }

    fn put(&mut self, text: &str) {
        match self.group.to {
            To::Text if !self.group.hidden => self.out.push_str(text),
            To::Title => self.title.push_str(text),
            To::Author => self.author.push_str(text),
            To::Instruction => self.instruction.push_str(text),
            _ => {}
        }
    }
}

fn code_page(number: i32) -> Option<&'static Encoding> {
    Some(match number {
        866 => IBM866,
        874 => WINDOWS_874,
        932 => SHIFT_JIS,
        936 => GBK,
        949 => EUC_KR,
        950 => BIG5,
        1250 => WINDOWS_1250,
        1251 => WINDOWS_1251,
        1252 => WINDOWS_1252,
        1253 => WINDOWS_1253,
        1254 => WINDOWS_1254,
        1255 => WINDOWS_1255,
        1256 => WINDOWS_1256,
        1257 => WINDOWS_1257,
        1258 => WINDOWS_1258,
        10000 => MACINTOSH,
        65001 => encoding_rs::UTF_8,
        _ => return None,
    })
}

fn of_charset(number: i32) -> Option<&'static Encoding> {
    code_page(match number {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rtf: &str, text: &str) {
        assert_eq!(take(rtf.as_bytes()).ok().unwrap().text, text, "{rtf}");
    }

    #[test]
    fn words_of_rich_text() {
        check(r"{\rtf1\ansi Hello\par World}", "Hello\n\nWorld");
        check(r"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe \u8364? {\b bold}}", "Grüße € bold");
        check(r"{\rtf1\ansi{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Times;}}\f1\'cf\'f0\'e8\f0  x}", "При x");
        check(r"{\rtf1\uc1\u-10179?\u-8704?!}", "\u{1f600}!");
        check(r"{\rtf1 a{\*\generator Riched20;}{\pict 0102}{\v hidden}b\cell c\cell\row}", "ab | c");
        check(r#"{\rtf1{\field{\*\fldinst{HYPERLINK "https://x.org"}}{\fldrslt here}}}"#, "<https://x.org> here");
        check(r"{\rtf1 a\bin3 }}}b}", "ab");
        let info = take(br"{\rtf1{\info{\title T}{\author Ann}{\creatim\yr2024\mo1\dy31\hr10\min5}}x}").ok().unwrap();
        assert_eq!((info.title.as_deref(), info.author.as_deref()), (Some("T"), Some("Ann")));
        assert_eq!(info.created.as_deref(), Some("2024-01-31T10:05:00"));
    }
}
