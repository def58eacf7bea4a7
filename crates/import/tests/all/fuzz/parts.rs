//! Damage that keeps the grammar: a value of JSON, a tag, a field or a paragraph goes, doubles, moves or becomes
//! another, so that what is behind the reader of the grammar is reached.

use super::{bytes::NUMBERS, dice::Dice};
use serde_json::{Map, Value, json};

/// The text of a file, harmed by its parts; none where it has none.
pub(super) fn harmed(text: &str, dice: &mut Dice) -> Option<String> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with(['{', '[']) {
        if let Ok(whole) = serde_json::from_str(start) {
            return Some(of_json(whole, dice));
        }
        return of_lines(text, dice);
    }
    // Code before the JSON, as in an archive of X.
    if let Some((before, whole)) = text.split_once('=')
        && let Ok(whole) = serde_json::from_str(whole)
    {
        return Some(format!("{before}={}", of_json(whole, dice)));
    }
    if start.starts_with('<') && !dice.one_in(4) {
        return Some(of_tags(text, dice));
    }
    of_fields(text, dice)
}

/// JSON by the line: some of them are harmed.
fn of_lines(text: &str, dice: &mut Dice) -> Option<String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..=dice.below(3) {
        let n = dice.below(lines.len());
        let line = lines.get_mut(n)?;
        *line = of_json(serde_json::from_str(line).ok()?, dice) + "\n";
    }
    if dice.one_in(3) {
        moved(&mut lines, dice);
    }
    Some(lines.concat())
}

fn of_json(mut whole: Value, dice: &mut Dice) -> String {
    for _ in 0..=dice.below(4) {
        let mut all = Vec::new();
        values(&whole, &mut all);
        let (n, other) = (dice.below(all.len()), (*dice.pick(&all)).clone());
        at(&mut whole, &mut { n }, &mut |value| harm(value, &other, dice));
    }
    if dice.one_in(3) { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) }.unwrap()
}

fn values<'a>(value: &'a Value, all: &mut Vec<&'a Value>) {
    all.push(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| values(item, all)),
        Value::Object(fields) => fields.values().for_each(|field| values(field, all)),
        _ => {}
    }
}

/// Does something to the value that is the `n`th in the order of [`values`].
fn at(value: &mut Value, n: &mut usize, act: &mut dyn FnMut(&mut Value)) {
    if *n == 0 {
        *n = usize::MAX;
        return act(value);
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| at(item, n, act)),
        Value::Object(fields) => fields.values_mut().for_each(|field| at(field, n, act)),
        _ => {}
    }
}

fn harm(value: &mut Value, other: &Value, dice: &mut Dice) {
    if dice.one_in(3) {
        *value = odd(other, dice);
        return;
    }
    match value {
        Value::Array(items) => {
            let n = dice.below(items.len());
            match dice.below(5) {
                0 => items.push(other.clone()),
                1 if !items.is_empty() => drop(items.remove(n)),
                2 => items.reverse(),
                3 => *items = items.iter().cycle().take((items.len() << dice.below(7)).min(5_000)).cloned().collect(),
                _ if !items.is_empty() => items.swap(0, n),
                _ => {}
            }
        }
        Value::Object(fields) => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            if keys.is_empty() {
                return;
            }
            let (one, two) = (dice.pick(&keys), dice.pick(&keys));
            match dice.below(4) {
                0 => drop(fields.shift_remove(one)),
                1 => {
                    let (a, b) = (fields.get(one).cloned(), fields.get(two).cloned());
                    fields.extend(b.map(|b| (one.clone(), b)).into_iter().chain(a.map(|a| (two.clone(), a))));
                }
                2 => {
                    // Named like a field elsewhere.
                    let names = other.as_object().map(|o| o.keys().cloned().collect()).unwrap_or(keys.clone());
                    let name = if names.is_empty() { String::new() } else { dice.pick(&names).clone() };
                    let taken = fields.shift_remove(one).unwrap_or_default();
                    fields.insert(name, taken);
                }
                _ => *fields = fields.iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect::<Map<_, _>>(),
            }
        }
        Value::String(text) => *text = reworded(text, dice),
        _ => *value = odd(other, dice),
    }
}

/// Something else than what should be there.
fn odd(other: &Value, dice: &mut Dice) -> Value {
    let number = *dice.pick(&NUMBERS);
    match dice.below(10) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!({}),
        3 => json!([other]),
        4 => json!({ "text": other, "content": [other], "id": other }),
        5 => (0..dice.below(100)).fold(other.clone(), |inner, _| json!([inner])),
        6 => json!(number),
        7 => json!(reworded("", dice)),
        8 => serde_json::from_str(number).unwrap_or(Value::Null),
        _ => other.clone(),
    }
}

fn reworded(text: &str, dice: &mut Dice) -> String {
    let cut: String = text.chars().take(dice.below(text.chars().count())).collect();
    match dice.below(9) {
        0 => String::new(),
        1 => cut,
        2 => " \u{a0}\u{200b}".to_owned(),
        3 => format!("{text}\0\u{1b}\u{202e}\u{feff}\u{fffc}"),
        4 => format!("{cut}𐐷é\u{301}🏴\u{e0067}{text}"),
        5 => text.repeat(1 + 100_000 / text.len().max(100)),
        6 => text.chars().rev().collect(),
        7 => format!("../../{text}\\..\\C:\\"),
        _ => (*dice.pick(&NUMBERS)).to_owned(),
    }
}

/// XML and HTML: what stands between two `<` goes, doubles, moves, or has the name of another tag.
fn of_tags(text: &str, dice: &mut Dice) -> String {
    let mut tags: Vec<String> = text.split_inclusive('<').map(str::to_owned).collect();
    for _ in 0..=dice.below(4) {
        let (n, m) = (dice.below(tags.len()), dice.below(tags.len()));
        let name = |tag: &str| tag.split([' ', '>', '<']).next().unwrap_or_default().to_owned();
        match dice.below(5) {
            0 => {
                let (old, new) = (name(&tags[n]), name(&tags[m]));
                tags[n] = tags[n].replacen(&old, &new, 1);
            }
            1 => {
                let quoted: Vec<&str> = tags[n].split('"').collect();
                let with = [dice.pick(&NUMBERS), "", "&quot;", "x y"][dice.below(4)];
                let k = dice.below(quoted.len());
                tags[n] = quoted
                    .iter()
                    .enumerate()
                    .map(|(i, q)| if i == k { with } else { q })
                    .collect::<Vec<_>>()
                    .join("\"");
            }
            _ => moved(&mut tags, dice),
        }
    }
    tags.concat()
}

/// Any text: columns, lines, paragraphs, or what is between two other marks.
fn of_fields(text: &str, dice: &mut Dice) -> Option<String> {
    let marks = ["\n", "\n\n", ",", "\t", ";", ":", ": ", " ", "\"", "|", "\n\nFrom ", "\n--", "[", "/"];
    let marks: Vec<&str> = marks.into_iter().filter(|mark| text.contains(mark)).collect();
    if marks.is_empty() {
        return None;
    }
    let mut fields: Vec<String> = text.split_inclusive(*dice.pick(&marks)).map(str::to_owned).collect();
    for _ in 0..=dice.below(4) {
        if dice.one_in(4) {
            let n = dice.below(fields.len());
            fields[n] = reworded(&fields[n], dice);
        } else {
            moved(&mut fields, dice);
        }
    }
    Some(fields.concat())
}

fn moved(parts: &mut Vec<String>, dice: &mut Dice) {
    if parts.is_empty() {
        return;
    }
    let (n, m) = (dice.below(parts.len()), dice.below(parts.len()));
    match dice.below(6) {
        0 | 1 => parts.swap(n, m),
        2 if parts.len() > 1 => drop(parts.remove(n)),
        3 => {
            let times = 1 << dice.below(8);
            let part = parts[n].clone();
            drop(parts.splice(m..m, std::iter::repeat_n(part, times)));
        }
        4 => {
            let part = parts.remove(n);
            parts.insert(m.min(parts.len()), part);
        }
        _ => {
            for n in (1..parts.len()).rev() {
                parts.swap(n, dice.below(n + 1));
            }
        }
    }
}
