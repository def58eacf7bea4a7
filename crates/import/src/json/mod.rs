//! JSON that is too large for memory and may be damaged: records are split off byte by byte, each
//! parsed by itself. What the records mean is left to the formats.

mod repair;
mod scan;
mod walk;

pub(crate) use repair::{before_damage, parse};
pub(crate) use scan::{hunt, keys};
pub(crate) use walk::{Found, Opening, Piece, Rules, Walk, Want};

/// The text of the last field of this name anywhere in `bytes`, found without the grammar: for what
/// stands behind damage.
pub(crate) fn last_text(bytes: &[u8], name: &str) -> Option<String> {
    let quoted = format!("\"{name}\"");
    let at = bytes.windows(quoted.len()).rposition(|w| w == quoted.as_bytes())?;
    let rest = bytes.get(at + quoted.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let (n, scan::Step::Done) = scan::Scan::new().feed(rest) else { return None };
    parse::<String>(rest.get(..n)?).ok().map(|(text, _)| text)
}
