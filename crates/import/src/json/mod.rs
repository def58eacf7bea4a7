//! JSON that is too large for memory and may be damaged: records are split off byte by byte, each
//! parsed by itself. What the records mean is left to the formats.

mod repair;
mod scan;
mod walk;

pub(crate) use repair::parse;
pub(crate) use scan::{hunt, keys};
pub(crate) use walk::{Found, Opening, Piece, Rules, Walk, Want};
