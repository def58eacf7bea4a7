//! Fields of JSON records as exports write them: texts, numbers and ids, whichever of them a field is; nothing where
//! it is something else. How records are read is left to `records.rs` and `lists.rs`.

use serde_json::Value;

/// A text field; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The text of a field at a path of names; empty where it is none.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    path.iter().try_fold(value, |value, key| value.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// The first of these fields that is a text and not empty; else empty.
pub(crate) fn first_text<'a>(value: &'a Value, keys: &[&str]) -> &'a str {
    keys.iter().map(|key| text(value, key)).find(|t| !t.is_empty()).unwrap_or_default()
}

/// An id: numbers and texts are the same.
pub(crate) fn id(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Number(n) => Some(n.to_string()),
        Value::String(s) if !s.trim().is_empty() => Some(s.trim().to_owned()),
        _ => None,
    }
}

/// A number that may stand as a text.
pub(crate) fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// The values of a list; none where it is none.
pub(crate) fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// False unless it is said.
pub(crate) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}
