//! A canvas of Obsidian (JSON Canvas 1.0): its cards as text, from the top and the left. Cards that show
//! a note are links to it.

use serde_json::Value;

/// # Errors
/// Not whole JSON.
pub(super) fn markdown(json: &str) -> Result<String, String> {
    let value: Value = serde_json::from_str(json).map_err(|e| format!("the canvas is not whole JSON: {e}"))?;
    let list = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
    let at = |node: &Value, axis: &str| node.get(axis).and_then(Value::as_f64).unwrap_or_default();
    let mut nodes: Vec<&Value> = list("nodes").collect();
    nodes.sort_by(|a, b| at(a, "y").total_cmp(&at(b, "y")).then(at(a, "x").total_cmp(&at(b, "x"))));
    let cards = nodes.into_iter().map(card);
    let labels = list("edges").map(|edge| text(edge, "label").to_owned());
    Ok(cards.chain(labels).filter(|said| !said.is_empty()).collect::<Vec<_>>().join("\n\n"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default().trim()
}

fn card(node: &Value) -> String {
    match text(node, "type") {
        "file" if !text(node, "file").is_empty() => format!("[[{}]]", text(node, "file")),
        "link" => text(node, "url").to_owned(),
        "group" => text(node, "label").to_owned(),
        _ => text(node, "text").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn cards_in_reading_order() {
        let json = r#"{"nodes":[{"id":"b","type":"text","text":"second","x":0,"y":10},{"id":"a","type":"text","text":"first","x":0,"y":-5},
            {"id":"c","type":"file","file":"A.md","x":9,"y":10},{"id":"g","type":"group","label":"G","x":0,"y":-9}],"edges":[{"id":"e","label":"so"}]}"#;
        assert_eq!(markdown(json).as_deref(), Ok("G\n\nfirst\n\nsecond\n\n[[A.md]]\n\nso"));
        assert!(markdown("{").is_err());
    }
}
