//! Damage to any file, whatever is in it: cut, flipped, spliced, doubled, shuffled, grown, in a wrong encoding.

use super::{dice::Dice, seeds::Seed};

/// Bytes that mean something to one grammar or another.
const MARKS: [&[u8]; 24] = [
    b"\"",
    b"{",
    b"[",
    b"]}",
    b"<",
    b"</",
    b"<!--",
    b"<![CDATA[",
    b"<!DOCTYPE x [<!ENTITY a \"&a;&a;\">]>",
    b"&a;",
    b"&#xD83D;",
    b"&#99999999999;",
    b"\\ud83d",
    b"\\x1F",
    b"\0",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xe2\x80",
    b"null",
    "\u{202e}\u{feff}é\u{fffc}".as_bytes(),
    b"\r\n\r\n",
    b"\r",
    b"\x1b[31m",
    b"\n--",
];

/// Numbers at the ends of what numbers can be, and times that there are not.
pub(super) const NUMBERS: [&str; 20] = [
    "0",
    "-1",
    "-0.0",
    "1e308",
    "1e999",
    "-1e-999",
    "2147483648",
    "4294967295",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999999",
    "253402300800",
    "-62135596801000",
    "8640000000000001",
    "0000-00-00T00:00:00Z",
    "2024-02-30 25:61:61",
    "-292277026596-12-04T15:30:08Z",
    "9999-12-31T23:59:60.999999999+23:59",
];

/// What opens something that a reader may call itself for.
const OPENERS: [&[u8]; 16] = [
    b"[",
    b"{\"a\":",
    b"<a>",
    b"<div><p>",
    b"<blockquote>",
    b"<ul><li>",
    b"(",
    b"> ",
    b"- ",
    b"  - ",
    b"{\\rtf1 ",
    b"<<",
    b"**",
    b"[[",
    b"\n#+BEGIN_QUOTE\n",
    b"Content-Type: message/rfc822\n\n",
];

/// How large a file grows, to show what takes time by its square.
const GROWN: usize = 1 << 20;

pub(super) fn harmed(mut bytes: Vec<u8>, others: &[Seed], dice: &mut Dice) -> Vec<u8> {
    let len = bytes.len();
    let at = dice.below(len);
    match dice.below(16) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(..at)),
        2 | 3 => flipped(&mut bytes, dice),
        4 => drop(bytes.drain(at..at + dice.below((len - at).min(400)))),
        5 => {
            let piece = bytes[at..at + dice.below((len - at).min(4_000))].repeat(1 + dice.below(4));
            let to = dice.below(len);
            drop(bytes.splice(to..to, piece));
        }
        6 => {
            let piece = Seed::piece(others, dice, 2_000);
            drop(bytes.splice(at..at, piece.iter().copied()));
        }
        7 => {
            // Over other bytes, so that what follows stays in its place.
            let from = dice.below(len);
            let count = dice.below(64).min(len - at).min(len - from);
            bytes.copy_within(from..from + count, at);
        }
        8 => bytes = encoded(&String::from_utf8_lossy(&bytes), dice),
        9 | 10 => drop(bytes.splice(at..(at + dice.below(4)).min(len), dice.pick(&MARKS).iter().copied())),
        11 | 12 => numbered(&mut bytes, at, dice),
        13 => {
            let depth = 1 << dice.below(17);
            drop(bytes.splice(at..at, dice.pick(&OPENERS).repeat(depth)));
        }
        14 if dice.one_in(4) && len > 0 => {
            let piece = &bytes[at..at + 1 + dice.below(len - at)];
            let piece = piece.repeat(GROWN / piece.len());
            drop(bytes.splice(at..at, piece));
        }
        _ => bytes.resize(len + dice.below(5_000), dice.below(256) as u8),
    }
    bytes
}

/// Bits, where there is something: empty pages of a database say nothing.
fn flipped(bytes: &mut [u8], dice: &mut Dice) {
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len());
        let Some(byte) = bytes.iter_mut().skip(at).find(|b| **b != 0) else { continue };
        *byte = match dice.below(4) {
            0 => [0x00, 0x01, 0x7f, 0x80, 0xff][dice.below(5)],
            _ => *byte ^ (1 << dice.below(8)),
        };
    }
}

/// A number becomes one that it should not be, of the same length half the time.
fn numbered(bytes: &mut Vec<u8>, at: usize, dice: &mut Dice) {
    let Some(from) = bytes.iter().skip(at).position(u8::is_ascii_digit).map(|n| n + at) else { return };
    if dice.one_in(2) {
        bytes[from] = b'0' + dice.below(10) as u8;
        return;
    }
    let to = bytes.iter().skip(from).position(|b| !b.is_ascii_digit()).map_or(bytes.len(), |n| n + from);
    drop(bytes.splice(from..to, dice.pick(&NUMBERS).bytes()));
}

/// The text in another encoding than it says.
fn encoded(text: &str, dice: &mut Dice) -> Vec<u8> {
    match dice.below(5) {
        0 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        1 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        2 => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        3 => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        _ => encoding_rs::SHIFT_JIS.encode(text).0.into_owned(),
    }
}
