//! `history.jsonl` of Claude Code: every prompt that was ever typed, in all projects. Those whose
//! sessions are still there are in them; of deleted sessions nothing else is left.

use super::{Reader, files, sender};
use crate::{
    Flow, ImportError,
    agent::{Named, Saying, as_written, moment},
    jsonl,
    out::Out,
    record::ContentIds,
    values::text,
};
use evoke_message::{Part, Place, Role};
use serde_json::Value;
use std::collections::HashMap;

pub(super) fn read(reader: &mut Reader, file: usize, out: &mut Out) -> Result<(), ImportError> {
    let (export, options) = (reader.export, reader.options);
    let mut ids: HashMap<usize, ContentIds> = HashMap::new();
    jsonl::each(export, file, options, out, |number, line, out| {
        prompt(reader, &mut ids, &line, export.place(file, number), out)
    })
}

fn prompt(
    reader: &mut Reader,
    ids: &mut HashMap<usize, ContentIds>,
    line: &Value,
    place: Place,
    out: &mut Out,
) -> Flow {
    let typed = whole(reader, line);
    let typed = typed.trim();
    if !line.is_object() || line.get("display").is_none() {
        return out.failed("the line is not a prompt", place);
    }
    if typed.is_empty() {
        return out.skipped("empty message", place);
    }
    if typed.starts_with('/') && !typed.contains(char::is_whitespace) {
        return out.skipped("a command without words", place);
    }
    let (session, folder) = (text(line, "sessionId"), text(line, "project"));
    if reader.was_said(session, folder, typed) {
        return out.skipped("a prompt that is in its session", place);
    }
    let key = if session.is_empty() { format!("prompts in {folder}") } else { session.to_owned() };
    let at = reader.session(&key, None);
    let time = line.get("timestamp").unwrap_or(&Value::Null);
    let otherwise = reader.options.now;
    let Some(conversation) = reader.sessions.get_mut(at) else { return Flow::Continue(()) };
    if session.is_empty() {
        let name = folder.rsplit(['/', '\\']).next().unwrap_or_default();
        conversation.name(Named::Program, &format!("Prompts in {name}"));
    }
    let written = as_written(time);
    let saying = Saying {
        id: ids.entry(at).or_default().next(&conversation.thread, &["history", &written, typed]),
        sender: sender(Role::Human),
        role: Role::Human,
        part: if typed.starts_with('!') { Part::Tool } else { Part::Text },
        text: typed.to_owned(),
        attachments: Vec::new(),
        time: moment(time),
        time_original: written,
        place,
    };
    let message = conversation.message(saying, otherwise, out);
    out.message(message)
}

/// The prompt with the texts that were pasted into it, as far as they are kept.
fn whole(reader: &Reader, line: &Value) -> String {
    let mut typed = text(line, "display").to_owned();
    let pasted = line.get("pastedContents").and_then(Value::as_object);
    for (number, paste) in pasted.into_iter().flatten() {
        let Some(start) = typed.find(&format!("[Pasted text #{number}")) else { continue };
        let Some(end) = typed.get(start..).and_then(|rest| rest.find(']')).map(|end| start + end + 1) else { continue };
        let kept = Some(text(paste, "content").to_owned()).filter(|t| !t.is_empty());
        let kept = kept.or_else(|| files::pasted(reader.export, text(paste, "contentHash"), reader.options));
        if let Some(kept) = kept {
            typed.replace_range(start..end, &kept);
        }
    }
    typed
}
