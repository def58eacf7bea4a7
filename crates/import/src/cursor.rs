//! Cursor's chats (formats.md §6): the SQLite database `state.vscdb`, where a conversation names its
//! messages ("bubbles") in order, and each is a row of its own. Older versions kept them inside the conversation; what
//! its agent does is also written down line by line, as `agent-transcripts/<id>.jsonl`, without times.

use crate::{
    Format, ImportError, Options,
    agent::{Named, Saying, Session, arguments, as_written, call, moment, words},
    ai::{self, tool_text},
    export::Export,
    out::Out,
    sqlite,
    transcript::{self, Dialect, Line, Said},
    values::{array, text},
};
use evoke_message::{Kind, MessageId, Part, Role};
use rusqlite::{Connection, OptionalExtension, Statement};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "cursor",
    label: "Cursor",
    kind: Kind::Ai,
    how_to_export: "Nothing to export: close Cursor and choose state.vscdb in the folder User/globalStorage of its settings, or the folder .cursor in your home folder.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let candidates = export.unclaimed().filter(|(_, f)| f.path.ends_with(".vscdb") || export.files().len() == 1);
    let fits = |head: &[u8]| sqlite::is_database(head) && head.windows(12).any(|w| w == b"cursorDiskKV");
    let mut files: Vec<usize> =
        candidates.map(|(i, _)| i).filter(|i| export.head(*i).is_ok_and(|head| fits(&head))).collect();
    files.extend(transcript::detect(export, &TRANSCRIPT));
    (!files.is_empty()).then_some(files)
}

const TRANSCRIPT: Dialect = Dialect {
    source: FORMAT.key,
    assistant: FORMAT.label,
    is_own: |line| {
        let spoken = matches!(text(line, "role"), "user" | "assistant");
        spoken && line.get("type").is_none() && line.pointer("/message/content").is_some_and(|c| c.is_array())
    },
    line,
};

fn line(line: &Value) -> Line {
    let Some(content) = line.pointer("/message/content") else { return Line::Other("a note of the program") };
    let blocks = content.as_array().map_or_else(|| vec![content], |blocks| blocks.iter().collect());
    let parts = blocks.into_iter().map(|block| match text(block, "type") {
        "thinking" => (Part::Thinking, text(block, "thinking").to_owned()),
        "tool_use" => (Part::Tool, call(text(block, "name"), block.get("input").unwrap_or(&Value::Null))),
        "tool_result" => (Part::Tool, words(block)),
        _ => (Part::Text, typed(&words(block)).to_owned()),
    });
    Line::Said(Said {
        role: text(line, "role").to_owned(),
        time: line.get("timestamp").cloned().unwrap_or_default(),
        parts: parts.collect(),
        attachments: Vec::new(),
    })
}

/// What a person typed, without the mark around it.
fn typed(text: &str) -> &str {
    let inner = text.split_once("<user_query>").and_then(|(_, rest)| rest.split_once("</user_query>"));
    inner.map_or(text, |(inner, _)| inner)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &file in files {
        if transcript::is_own(export, file, &TRANSCRIPT) {
            transcript::read(&TRANSCRIPT, export, file, options, out)?;
            continue;
        }
        let database = sqlite::open(export, file, options)?;
        let damaged =
            |e: rusqlite::Error| ImportError::Damaged { name: export.place(file, 0).file, reason: e.to_string() };
        let mut statement = database
            .prepare(
                "SELECT key FROM cursorDiskKV WHERE key >= 'composerData:' AND key < 'composerData;' ORDER BY rowid",
            )
            .map_err(damaged)?;
        let (keys, trouble) = keys(&mut statement).map_err(damaged)?;
        let mut number = 0;
        for key in keys {
            let id = key.strip_prefix("composerData:").filter(|id| !id.is_empty()).unwrap_or(&key);
            match value(&database, &key) {
                Some(composer) => conversation(&database, id, &composer, &mut number, (export, file, options), out),
                None => {
                    number += 1;
                    let _ = out.failed("a conversation cannot be read", export.place(file, number));
                }
            }
            if out.stopped() {
                return Ok(());
            }
        }
        if let Some(e) = trouble {
            let _ = out.failed(format!("the rest of the database could not be read: {e}"), export.place(file, 0));
        }
        out.file_ended(file, 0, None)?;
    }
    Ok(())
}

/// Keys of the conversations, up to what is damaged.
fn keys(statement: &mut Statement) -> rusqlite::Result<(Vec<String>, Option<rusqlite::Error>)> {
    let (mut keys, mut rows) = (Vec::new(), statement.query([])?);
    loop {
        match rows.next() {
            Ok(Some(row)) => keys.extend(sqlite::text(row.get_ref(0)?)),
            Ok(None) => return Ok((keys, None)),
            Err(e) => return Ok((keys, Some(e))),
        }
    }
}

fn value(database: &Connection, key: &str) -> Option<Value> {
    let bytes = database
        .query_row("SELECT CAST(value AS BLOB) FROM cursorDiskKV WHERE key = ?1", [key], |row| row.get::<_, Vec<u8>>(0))
        .optional()
        .ok()??;
    crate::json::parse(&bytes).ok().map(|(value, _)| value)
}

fn conversation(
    database: &Connection,
    id: &str,
    composer: &Value,
    number: &mut u64,
    from: (&Export, usize, &Options),
    out: &mut Out,
) {
    let (export, file, options) = from;
    let mut session = Session::new(FORMAT.key, id, &["Me", "Cursor"]);
    session.name(Named::Owner, text(composer, "name"));
    session.began(composer.get("createdAt").and_then(moment));
    let inline = array(composer, "conversation");
    let headers = array(composer, "fullConversationHeadersOnly");
    for entry in inline.iter().chain(headers) {
        *number += 1;
        let place = export.place(file, *number);
        let bubble_id = text(entry, "bubbleId");
        let found = if inline.is_empty() {
            value(database, &format!("bubbleId:{id}:{bubble_id}"))
        } else {
            Some(entry.clone())
        };
        let Some(bubble) = found else {
            let _ = out.failed("a message is named but not in the database", place);
            continue;
        };
        let mine = bubble.get("type").and_then(Value::as_i64) == Some(1);
        let time = bubble.get("createdAt").or(bubble.pointer("/timingInfo/clientStartTime")).unwrap_or(&Value::Null);
        let mut pieces = vec![(Part::Thinking, tool_text(&words(bubble.get("thinking").unwrap_or(&Value::Null))))];
        if let Some(tool) = bubble.get("toolFormerData").filter(|t| t.is_object()) {
            let asked = tool.get("rawArgs").or(tool.get("params")).map(arguments).unwrap_or_default();
            pieces.push((Part::Tool, call(text(tool, "name"), &asked)));
            pieces.push((Part::Tool, tool_text(&words(&tool.get("result").map(arguments).unwrap_or_default()))));
        }
        pieces.push((Part::Text, text(&bubble, "text").trim().to_owned()));
        pieces.retain(|(_, text)| !text.trim().is_empty());
        if pieces.is_empty() {
            let _ = out.skipped("empty message", place);
            continue;
        }
        for (part, text) in pieces {
            let role = if mine { Role::Human } else { Role::Assistant };
            let inner = format!("{bubble_id} {part:?} {}", if part == Part::Text { "" } else { &text });
            let saying = Saying {
                id: MessageId::of(&[FORMAT.key, id, if part == Part::Text { bubble_id } else { &inner }]),
                sender: if mine { ai::me() } else { ai::other("assistant", "Cursor") },
                role,
                part,
                text,
                attachments: Vec::new(),
                time: moment(time),
                time_original: as_written(time),
                place: place.clone(),
            };
            let otherwise = export.files().get(file).and_then(|f| f.modified).unwrap_or(options.now);
            let message = session.message(saying, otherwise, out);
            if out.message(message).is_break() {
                return;
            }
        }
    }
    if inline.is_empty() && headers.is_empty() {
        *number += 1;
        let _ = out.skipped("conversation without messages", export.place(file, *number));
    }
    let _ = session.tell_again(out);
}
