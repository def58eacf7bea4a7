//! Notebooks (`ipynb`, nbformat 3 and 4): their texts and code, and what was printed; no pictures.

use super::{Document, Left, Taken};
use crate::json;
use serde_json::Value;

/// Characters of what a cell has printed that are kept.
const PRINTED: usize = 2_000;

pub(super) fn is_notebook(head: &[u8]) -> bool {
    let has = |word: &[u8]| head.windows(word.len()).any(|w| w == word);
    head.trim_ascii_start().starts_with(b"{") && (has(b"\"cells\"") || has(b"\"worksheets\"")) && has(b"\"cell_type\"")
}

pub(super) fn take(bytes: &[u8]) -> Taken {
    let (notebook, lost) =
        json::parse::<Value>(bytes).map_err(|e| Left::Failed(format!("the notebook is not whole: {e}")))?;
    let cells = notebook.get("cells").or_else(|| notebook.pointer("/worksheets/0/cells")).and_then(Value::as_array);
    let Some(cells) = cells else {
        return Err(Left::Failed("the notebook has no cells".to_owned()));
    };
    let language = ["/metadata/language_info/name", "/metadata/kernelspec/language"];
    let language = language.iter().find_map(|path| notebook.pointer(path)?.as_str()).unwrap_or_default();
    let text: Vec<String> = cells.iter().filter_map(|cell| told(cell, language)).collect();
    let title = notebook.pointer("/metadata/title").and_then(Value::as_str).map(str::to_owned);
    let author = notebook.pointer("/metadata/authors/0/name").and_then(Value::as_str).map(str::to_owned);
    Ok(Document { text: text.join("\n\n"), title, author, lost, ..Document::default() })
}

fn told(cell: &Value, language: &str) -> Option<String> {
    let source = joined(cell.get("source").or_else(|| cell.get("input"))?);
    let source = source.trim();
    match cell.get("cell_type")?.as_str()? {
        _ if source.is_empty() => None,
        "code" => {
            let printed = printed(cell);
            let printed = if printed.is_empty() { String::new() } else { format!("\n\n```\n{printed}\n```") };
            Some(format!("```{language}\n{source}\n```{printed}"))
        }
        "heading" => Some(format!("# {source}")),
        _ => Some(source.to_owned()),
    }
}

fn printed(cell: &Value) -> String {
    let outputs = cell.get("outputs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |output: &Value| {
        let text = output.get("text").or_else(|| output.pointer("/data/text~1plain"));
        text.map(joined).filter(|text| !text.starts_with("<Figure") && !text.trim().is_empty())
    };
    let all: Vec<String> = outputs.iter().filter_map(text).map(|text| text.trim_end().to_owned()).collect();
    let all = all.join("\n");
    match all.char_indices().nth(PRINTED) {
        Some((end, _)) => format!("{} …", all.get(..end).unwrap_or_default()),
        None => all,
    }
}

/// A text, or the lines of one.
fn joined(value: &Value) -> String {
    match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}
