//! A document in pieces that read by themselves: as notes are cut, and what is then still too long, by lines,
//! sentences and words, for a PDF can be one line.

use super::Document;
use crate::{Flow, markdown::pieces::pieces as by_headings};

/// Characters of a piece at most, and of the parts that a longer one is cut into.
const LONGEST: usize = 4_000;
const PART: usize = 1_500;

pub(super) fn pieces(document: &Document) -> Vec<String> {
    let mut out = Vec::new();
    let _ = by_headings(&document.text, &mut |piece| {
        match piece.text.chars().count() > LONGEST {
            true => cut(&piece.text, &mut out),
            false => out.push(piece.text),
        }
        Flow::Continue(())
    });
    if let (Some(first), Some(address)) = (out.first_mut(), &document.address) {
        *first = format!("{address}\n\n{first}");
    }
    out
}

/// At the last end of a line that fits, else of a sentence, else of a word, else anywhere.
fn cut(text: &str, out: &mut Vec<String>) {
    let mut rest = text.trim();
    while let Some((end, _)) = rest.char_indices().nth(PART) {
        let fits = rest.get(..end).unwrap_or_default();
        let half = fits.len() / 2;
        let line = fits.rfind('\n').filter(|at| *at > half);
        let sentence = || {
            let ends = [". ", "! ", "? ", "。", "！", "？"]
                .iter()
                .filter_map(|sign| fits.rfind(sign).map(|at| at + sign.trim_end().len()));
            ends.max().filter(|at| *at > half)
        };
        let word = || fits.rfind(char::is_whitespace).filter(|at| *at > half);
        let at = line.or_else(sentence).or_else(word).unwrap_or(end);
        let (piece, after) = rest.split_at(at);
        out.extend(Some(piece.trim().to_owned()).filter(|piece| !piece.is_empty()));
        rest = after.trim_start();
    }
    out.extend(Some(rest.trim().to_owned()).filter(|piece| !piece.is_empty()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_line_is_cut_at_sentences() {
        let text = "A sentence of some words. ".repeat(1_000);
        let all = pieces(&Document { text: text.clone(), ..Document::default() });
        assert!(all.len() > 10 && all.iter().all(|p| p.chars().count() <= PART && p.ends_with('.')));
        assert_eq!(all.join(" "), text.trim());
        let wide = "字".repeat(10_000);
        let all = pieces(&Document { text: wide.clone(), ..Document::default() });
        assert_eq!(all.concat(), wide);
    }
}
