//! Talks with an AI as one message a line (JSON Lines), as coding agents and programs around models write them. What a
//! line means is left to the formats; ids come from what is said, for such lines seldom have any.

use crate::{
    ImportError, Options,
    agent::{Saying, Session, mark},
    ai,
    ai_chats::role_of,
    export::Export,
    jsonl,
    out::Out,
    record::ContentIds,
};
use evoke_message::{Attachment, Part, Role};
use serde_json::Value;

/// Lines at the beginning of a file by which it is known.
const LOOKED_AT: usize = 20;

/// How one program writes its lines.
pub(crate) struct Dialect {
    pub(crate) source: &'static str,
    pub(crate) assistant: &'static str,
    /// True for a line that only this program writes.
    pub(crate) is_own: fn(&Value) -> bool,
    pub(crate) line: fn(&Value) -> Line,
}

/// What a line is.
pub(crate) enum Line {
    /// The session it belongs to, by its id, and when it began.
    About {
        id: String,
        began: Option<i64>,
    },
    Said(Said),
    /// Neither; the reason in plain words.
    Other(&'static str),
}

/// A message with what belongs to it, in order.
pub(crate) struct Said {
    /// One of the usual names of roles.
    pub(crate) role: String,
    pub(crate) time: Value,
    pub(crate) parts: Vec<(Part, String)>,
    pub(crate) attachments: Vec<Attachment>,
}

/// Files of lines of this kind that no format has claimed.
pub(crate) fn detect(export: &Export, dialect: &Dialect) -> Vec<usize> {
    let single = export.files().len() == 1;
    let named = |name: &str| single || name.ends_with(".jsonl") || name.ends_with(".ndjson");
    let candidates = export.unclaimed().filter(|(_, f)| named(&f.file_name().to_ascii_lowercase())).map(|(i, _)| i);
    candidates.filter(|&i| is_own(export, i, dialect)).collect()
}

/// True where one of the first lines is of this kind.
pub(crate) fn is_own(export: &Export, i: usize, dialect: &Dialect) -> bool {
    let Ok(head) = export.head(i) else { return false };
    let first = jsonl::first(&head, LOOKED_AT);
    head.trim_ascii_start().starts_with(b"{") && first.iter().any(|line| line.is_object() && (dialect.is_own)(line))
}

/// Reads one file as one session.
pub(crate) fn read(
    dialect: &Dialect,
    export: &Export,
    file: usize,
    options: &Options,
    out: &mut Out,
) -> Result<(), ImportError> {
    let entry = export.files().get(file);
    let otherwise = entry.and_then(|f| f.modified).unwrap_or(options.now);
    let named = entry.and_then(|f| id_of_path(&f.path));
    let (mut session, mut ids, mut about) = (None, ContentIds::default(), None);
    jsonl::each(export, file, options, out, |number, value, out| {
        let place = export.place(file, number);
        let said = match (dialect.line)(&value) {
            Line::About { id, began } => {
                about.get_or_insert((id, began));
                return out.skipped("what a session is about", place);
            }
            Line::Other(reason) => return out.skipped(reason, place),
            Line::Said(said) => said,
        };
        let attached_only = !said.attachments.is_empty() && said.parts.iter().all(|(part, _)| *part != Part::Text);
        let mut parts: Vec<_> = said.parts.into_iter().filter(|(_, text)| !text.trim().is_empty()).collect();
        if attached_only {
            parts.push((Part::Text, String::new()));
        }
        if parts.is_empty() {
            return out.skipped("empty message", place);
        }
        let session = session.get_or_insert_with(|| {
            let (id, began) = about.take().unwrap_or_default();
            let first = parts.first().map_or("", |(_, text)| text);
            let key = [Some(id), named.clone()].into_iter().flatten().find(|key| !key.is_empty());
            let key = key.unwrap_or_else(|| format!("without id, {:016x}", mark(&[&said.role, first])));
            let mut session = Session::new(dialect.source, key, &["Me", dialect.assistant]);
            session.began(began);
            session
        });
        let (role, mut attachments) = (role_of(&said.role), said.attachments);
        let last = parts.len() - 1;
        for (n, (part, text)) in parts.into_iter().enumerate() {
            let written = crate::agent::as_written(&said.time);
            let saying = Saying {
                id: ids.next(&session.thread, &[&written, &said.role, &format!("{part:?}"), &text]),
                sender: match role {
                    Role::Human => ai::me(),
                    Role::Assistant => ai::other("assistant", dialect.assistant),
                    Role::Tool => ai::other("tool", "Tool"),
                    Role::System => ai::other("system", "System"),
                },
                role,
                part,
                text: if part == Part::Text { text.trim().to_owned() } else { ai::tool_text(&text) },
                attachments: if n == last { std::mem::take(&mut attachments) } else { Vec::new() },
                time: crate::agent::moment(&said.time),
                time_original: written,
                place: place.clone(),
            };
            let message = session.message(saying, otherwise, out);
            out.message(message)?;
        }
        crate::Flow::Continue(())
    })?;
    if let Some(session) = &mut session {
        let _ = session.tell_again(out);
    }
    Ok(())
}

/// The id by which programs name the file of a session, or the folder it lies in.
fn id_of_path(path: &str) -> Option<String> {
    let mut parts = path.rsplit('/').map(|part| part.split('.').next().unwrap_or_default());
    parts.find(|part| is_uuid(part)).map(str::to_owned)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && text.matches('-').count() == 4
}
