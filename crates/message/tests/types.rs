//! Writes ui/src/api/types.ts: the calls that the window may make and the replies, with every type in them. In one
//! test, so that a run of some tests alone writes the file whole or not at all.

use evoke_message::{Call, Reply};
use ts_rs::{Config, ExportError, TS};

#[test]
fn the_types_of_the_window_are_written() -> Result<(), ExportError> {
    let config = Config::from_env();
    Call::export_all(&config)?;
    Reply::export_all(&config)
}
