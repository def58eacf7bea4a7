//! Perplexity's data export and what tools save of its threads (formats.md §6): questions, each with
//! its answer. The export sometimes has the answers alone; then the title is what was asked.

use crate::{
    Format, ImportError, Options,
    agent::{moment, words},
    ai::Said,
    ai_chats::{self, Entry, Shape, Taken, pieces, role_of},
    export::Export,
    out::Out,
    values::{array, text},
};
use evoke_message::{Kind, Role};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "perplexity",
    label: "Perplexity",
    kind: Kind::Ai,
    how_to_export: "On perplexity.ai, ask for your data under Settings, Privacy (or by mail to support). Choose the zip or its conversations.json.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: FORMAT.label,
    lists: &["conversations", "threads", "entries_by_thread"],
    bare: false,
    named_by_file: false,
    is_conversation,
    take,
};

fn is_conversation(keys: &[&str]) -> bool {
    let answers = keys.contains(&"answers") && (keys.contains(&"uuid") || keys.contains(&"collection_uuid"));
    answers
        || (keys.contains(&"thread_id") && keys.contains(&"messages"))
        || (keys.contains(&"entries") && keys.contains(&"status"))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    ai_chats::detect(export, |keys| {
        is_conversation(keys)
            || keys.contains(&"query_str")
            || (keys.contains(&"threads") && keys.contains(&"export_info"))
    })
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    ai_chats::read(&SHAPE, export, files, options, out)
}

fn take(value: &Value) -> Option<Taken> {
    let first = array(value, "entries").first().unwrap_or(&Value::Null);
    let named = |keys: &[&str], of: &Value| {
        keys.iter().map(|k| text(of, k)).find(|t| !t.is_empty()).unwrap_or_default().to_owned()
    };
    let time = |keys: &[&str]| keys.iter().find_map(|k| value.get(*k).or(first.get(*k)).and_then(moment));
    let mut entries = Vec::new();
    for entry in ["answers", "entries", "messages"].iter().flat_map(|key| array(value, key)) {
        exchange(entry, &mut entries);
    }
    let asked = entries.iter().any(|e| e.sender.me);
    let title = match named(&["title", "thread_title"], value) {
        title if title.is_empty() => named(&["thread_title", "query_str"], first),
        title => title,
    };
    if !asked && !entries.is_empty() && !title.is_empty() {
        let said = pieces(Vec::new(), Role::Human, &title, Vec::new());
        let when = value.get("created_at").or(array(value, "answers").first().and_then(|a| a.get("created_at")));
        entries.insert(
            0,
            Entry { id: "title".to_owned(), ..Entry::new(&SHAPE, "user", when.unwrap_or(&Value::Null), said) },
        );
    }
    ["answers", "entries", "messages"].iter().any(|key| value.get(*key).is_some()).then(|| Taken {
        key: match named(&["uuid", "thread_id", "context_uuid"], value) {
            key if key.is_empty() => named(&["context_uuid", "thread_url_slug"], first),
            key => key,
        },
        title,
        created: time(&["created_at", "created_datetime", "entry_created_datetime"]),
        updated: time(&["updated_at", "updated_datetime", "entry_updated_datetime"]),
        entries,
        current: None,
    })
}

/// A question and its answer, or one message of either.
fn exchange(entry: &Value, into: &mut Vec<Entry>) {
    let time = ["created_at", "created_datetime", "entry_created_datetime", "updated_datetime", "timestamp"];
    let time = time.iter().find_map(|key| entry.get(*key)).unwrap_or(&Value::Null);
    let id =
        ["uuid", "backend_uuid", "id"].iter().map(|k| text(entry, k)).find(|id| !id.is_empty()).unwrap_or_default();
    if let Some(role) = entry.get("role").and_then(Value::as_str) {
        let said = pieces(Vec::new(), role_of(role), &words(entry.get("content").unwrap_or(&Value::Null)), Vec::new());
        into.push(Entry { id: id.to_owned(), ..Entry::new(&SHAPE, role, time, said) });
        return;
    }
    let asked = ["query_str", "query", "question", "prompt"].iter().map(|k| text(entry, k)).find(|t| !t.is_empty());
    if let Some(asked) = asked {
        let id = if id.is_empty() { String::new() } else { format!("{id} question") };
        into.push(Entry { id, ..Entry::new(&SHAPE, "user", time, pieces(Vec::new(), Role::Human, asked, Vec::new())) });
    }
    let answer = answer(entry);
    if asked.is_none() || !answer.is_empty() {
        let said = match answer.is_empty() {
            true => Said::Skipped("empty message".into()),
            false => pieces(Vec::new(), Role::Assistant, &answer, Vec::new()),
        };
        into.push(Entry { id: id.to_owned(), ..Entry::new(&SHAPE, "assistant", time, said) });
    }
}

fn answer(entry: &Value) -> String {
    let blocks =
        array(entry, "blocks").iter().filter_map(|b| b.pointer("/markdown_block/answer")).filter_map(Value::as_str);
    let blocks: Vec<&str> = blocks.collect();
    if let Some(last) = blocks.last() {
        return (*last).to_owned();
    }
    let plain = ["answer", "content", "text", "response"].iter().filter_map(|k| entry.get(*k)).map(words);
    let plain = plain.into_iter().find(|t| !t.trim().is_empty()).unwrap_or_default();
    // Some answers are JSON within a text.
    let inner = serde_json::from_str::<Value>(&plain).ok();
    inner.as_ref().and_then(|v| v.get("answer")).and_then(Value::as_str).map_or(plain.clone(), str::to_owned)
}
