//! JSON Lines: one value a line, read one at a time. What the values mean is left to the formats.

use crate::{
    ImportError, Options,
    export::Export,
    json,
    out::Out,
    text::{Line, Lines},
};
use serde_json::Value;

/// Hands every line's value to `each` with its line number (from 1), until `each` or the sink stops.
/// Empty lines are nothing; a line that is not JSON or too long is reported as failed.
pub(crate) fn each(
    export: &Export,
    file: usize,
    options: &Options,
    out: &mut Out,
    mut each: impl FnMut(u64, Value, &mut Out) -> crate::Flow,
) -> Result<(), ImportError> {
    let lines = Lines::new(export.open(file)?, options.limits.record).map_err(|e| export.trouble(file, e))?;
    let (mut lost, mut trouble) = (0, None);
    for line in lines {
        let flow = match line {
            Ok(Line::Text { text, .. }) if text.trim().is_empty() => continue,
            Ok(Line::Text { number, text, lost: broken }) => match json::parse::<Value>(text.as_bytes()) {
                Ok((value, replaced)) => {
                    lost += broken + replaced;
                    each(number, value, out)
                }
                Err(e) => out.failed(format!("the line is not whole JSON: {e}"), export.place(file, number)),
            },
            Ok(Line::TooLong { number, bytes }) => {
                out.failed(format!("the line is too long to be read ({bytes} bytes)"), export.place(file, number))
            }
            Err(error) => {
                trouble = Some(error);
                break;
            }
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    out.file_ended(file, lost, trouble)
}

/// The first values of a JSON Lines head, for detection: at most `most`, broken ones passed over.
pub(crate) fn first(head: &[u8], most: usize) -> Vec<Value> {
    let lines = head.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.take(most).filter_map(|line| serde_json::from_slice(line).ok()).collect()
}
