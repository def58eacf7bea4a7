//! Names of files in an archive that does not say how they are encoded: UTF-8 where they are UTF-8, else what
//! all of them together look like: the code page 437 of DOS, or the local one of the machine that made it.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GBK, IBM866, SHIFT_JIS};

/// Upper half of code page 437.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The names in the same order.
pub(super) fn decoded(names: &[impl AsRef<[u8]>]) -> Vec<String> {
    let unknown = || names.iter().map(AsRef::as_ref).filter(|name| std::str::from_utf8(name).is_err());
    let local = local(unknown());
    let decode = |name: &[u8]| match (std::str::from_utf8(name), local) {
        (Ok(text), _) => text.to_owned(),
        (Err(_), Some(encoding)) => encoding.decode_without_bom_handling(name).0.into_owned(),
        (Err(_), None) => cp437(name),
    };
    names.iter().map(|name| decode(name.as_ref())).collect()
}

/// The code page of names that are no UTF-8; none for that of DOS.
fn local<'a>(names: impl Iterator<Item = &'a [u8]> + Clone) -> Option<&'static Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for name in names.clone() {
        detector.feed(name, false);
        detector.feed(b"\n", false);
    }
    detector.feed(b"", true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    let all: Vec<u8> = names.flatten().copied().collect();
    let high = all.iter().filter(|b| !b.is_ascii()).count();
    let letters = high + all.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let (text, _, broken) = guess.decode(&all);
    let is_dense = high * 3 > letters;
    let is_wide = [SHIFT_JIS, EUC_JP, GBK, BIG5, EUC_KR, IBM866].contains(&guess);
    if broken {
        None
    } else if is_wide {
        is_dense.then_some(guess)
    } else {
        (words(&text) > words(&cp437(&all))).then_some(guess)
    }
}

/// Share of letters among what is not ASCII, in percent.
fn words(text: &str) -> usize {
    let other = || text.chars().filter(|c| !c.is_ascii());
    other().filter(|c| c.is_alphabetic()).count() * 100 / other().count().max(1)
}

fn cp437(name: &[u8]) -> String {
    let upper = |b: u8| CP437.chars().nth(usize::from(b & 0x7f)).unwrap_or('\u{fffd}');
    name.iter().map(|b| if b.is_ascii() { char::from(*b) } else { upper(*b) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(encoding: Option<&'static Encoding>, texts: &[&str]) {
        let encode = |text: &&str| match encoding {
            Some(encoding) => encoding.encode(text).0.into_owned(),
            None => text
                .chars()
                .map(|c| {
                    let upper = CP437.chars().position(|u| u == c).map(|n| n as u8 | 0x80);
                    upper.unwrap_or_else(|| u8::try_from(c).unwrap())
                })
                .collect(),
        };
        let names: Vec<Vec<u8>> = texts.iter().map(encode).collect();
        assert_eq!(decoded(&names), texts, "{encoding:?}");
    }

    #[test]
    fn code_pages_by_their_looks() {
        assert_eq!(CP437.chars().count(), 128);
        check(None, &["Grüße/Übersicht.txt", "Café.md", "plain.txt"]);
        check(Some(encoding_rs::UTF_8), &["Grüße.txt", "日本.txt"]);
        check(Some(SHIFT_JIS), &["新しいテキスト.txt", "日記/メモ.txt"]);
        check(Some(GBK), &["聊天记录/新建文本文档.txt", "我的日记.txt"]);
        check(Some(encoding_rs::WINDOWS_1251), &["Новый документ.txt", "Переписка с мамой.txt"]);
        check(Some(IBM866), &["Новый документ.txt", "Переписка с мамой.txt"]);
        check(Some(encoding_rs::WINDOWS_1252), &["Tagebuch März.txt", "Gruß aus Köln.txt", "Überblick für Jörg.txt"]);
        check(Some(EUC_KR), &["새 텍스트 문서.txt", "카카오톡 대화.txt"]);
    }
}
