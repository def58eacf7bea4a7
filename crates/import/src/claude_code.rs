//! Claude Code's own logs (formats.md §3): `~/.claude`, its `projects` folder, or single sessions of it.
//!
//! A line at a time is held. What a line says is left to `line.rs`, prompts typed in the past to
//! `history.rs`. A line that was copied into another file when a session was resumed, forked or
//! compacted is one line.

mod files;
mod history;
mod line;

use crate::{
    Flow, Format, ImportError, Options,
    agent::{Named, Saying, Session, mark},
    ai::{self, Said},
    export::Export,
    jsonl,
    out::Out,
    time,
    values::{flag, text},
};
use evoke_message::{ConversationId, Kind, Message, MessageId, Part, Place, Role, Sender};
use files::Role as FileRole;
use serde_json::Value;
use std::collections::{HashMap, HashSet, hash_map::Entry};

pub(crate) const FORMAT: Format = Format {
    key: "claude_code",
    label: "Claude Code",
    kind: Kind::Ai,
    how_to_export: "Nothing to export: choose the folder .claude in your home folder, the folder projects in it, or one session (.jsonl). \
                    Import it from time to time, for Claude Code deletes old sessions.",
    detect,
    read,
};

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files: Vec<usize> = files::of(export).into_iter().map(|(i, _)| i).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, claimed: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let claimed: HashSet<usize> = claimed.iter().copied().collect();
    let files: Vec<_> = files::of(export).into_iter().filter(|(i, _)| claimed.contains(i)).collect();
    let mut reader = Reader::new(export, options);
    reader.titles = files::titles(export, &files, options);
    let of = |role: FileRole| files.iter().filter(move |(_, r)| *r == role).map(|(i, _)| *i);
    for file in files::oldest_first(export, of(FileRole::Session)).into_iter().chain(of(FileRole::Subagent)) {
        reader.file(file, out)?;
        if out.stopped() {
            return Ok(());
        }
    }
    for file in of(FileRole::History) {
        history::read(&mut reader, file, out)?;
    }
    reader.end(out);
    files::note_others(&files, out);
    Ok(())
}

/// All sessions of an import, and what was said in them.
struct Reader<'a> {
    export: &'a Export,
    options: &'a Options,
    sessions: Vec<Session>,
    index: HashMap<String, usize>,
    /// Lines read, by [`mark`] of their ids, and the session that has them.
    seen: HashMap<u64, usize>,
    /// Subagents within a session's file: the first line that each of their lines leads back to.
    roots: HashMap<u64, String>,
    /// What the owner said, by session and by folder.
    said: HashSet<u64>,
    /// Titles of sessions by a line of theirs, from other files.
    summaries: Vec<(u64, String)>,
    titles: HashMap<String, (Named, String)>,
    pending: Option<Pending>,
    /// Sessions of which the file under way has lines.
    touched: Vec<usize>,
}

/// The text of a reply that may go on in the next lines.
struct Pending {
    reply: String,
    session: usize,
    message: Message,
}

/// What is known of a file besides its lines.
struct File {
    /// From its name, until a line says it.
    session: String,
    /// From the folder of subagents.
    parent: Option<String>,
    subagent: Option<String>,
    /// Its lines are copies of another session, made to compact it.
    replay: bool,
    otherwise: i64,
}

impl<'a> Reader<'a> {
    fn new(export: &'a Export, options: &'a Options) -> Self {
        Self {
            export,
            options,
            sessions: Vec::new(),
            index: HashMap::new(),
            seen: HashMap::new(),
            roots: HashMap::new(),
            said: HashSet::new(),
            summaries: Vec::new(),
            titles: HashMap::new(),
            pending: None,
            touched: Vec::new(),
        }
    }

    fn file(&mut self, at: usize, out: &mut Out) -> Result<(), ImportError> {
        let mut file = files::about(self.export, at, self.options);
        let (export, options) = (self.export, self.options);
        let read = jsonl::each(export, at, options, out, |number, value, out| {
            self.line(&mut file, &value, export.place(at, number), out)
        });
        let _ = self.flush(out);
        self.roots.clear();
        self.touched.sort_unstable();
        self.touched.dedup();
        for at in std::mem::take(&mut self.touched) {
            if let Some(session) = self.sessions.get_mut(at) {
                let _ = session.tell_again(out);
            }
        }
        read
    }

    fn line(&mut self, file: &mut File, line: &Value, place: Place, out: &mut Out) -> Flow {
        if !line.is_object() {
            return out.failed("the line is not a record", place);
        }
        if !text(line, "sessionId").is_empty() {
            file.session = text(line, "sessionId").to_owned();
        }
        let kind = match text(line, "type") {
            "" => line.pointer("/message/role").and_then(Value::as_str).unwrap_or_default(),
            kind => kind,
        };
        match kind {
            "user" | "assistant" | "tool_use" | "tool_result" | "attachment" => self.turn(file, kind, line, place, out),
            "summary" => {
                self.summaries.push((mark(&[text(line, "leafUuid")]), text(line, "summary").to_owned()));
                out.skipped("the title of a session", place)
            }
            "custom-title" => self.name(file, Named::Owner, text(line, "customTitle"), place, out),
            "ai-title" => self.name(file, Named::Program, text(line, "aiTitle"), place, out),
            kind => {
                self.trace(line);
                out.skipped(line::reason(kind), place)
            }
        }
    }

    fn name(&mut self, file: &File, by: Named, title: &str, place: Place, out: &mut Out) -> Flow {
        let session = self.session(&file.session, None);
        self.touched.push(session);
        if let Some(session) = self.sessions.get_mut(session) {
            session.name(by, title);
        }
        out.skipped("the title of a session", place)
    }

    /// Remembers which subagent a line belongs to, and says its first line.
    fn trace(&mut self, line: &Value) -> Option<String> {
        let uuid = text(line, "uuid");
        if !flag(line, "isSidechain") || uuid.is_empty() {
            return None;
        }
        let above = self.roots.get(&mark(&[text(line, "parentUuid")])).cloned();
        // What answers its owner is no subagent, whatever the line says.
        let root = if by_owner(line) { String::new() } else { above.unwrap_or_else(|| uuid.to_owned()) };
        self.roots.insert(mark(&[uuid]), root.clone());
        Some(root).filter(|root| !root.is_empty())
    }

    fn turn(&mut self, file: &File, kind: &str, line: &Value, place: Place, out: &mut Out) -> Flow {
        let root = self.trace(line);
        let said = line::read(kind, line);
        let (conversation, aside) = self.conversation(file, line, root);
        if self.touched.last() != Some(&conversation) {
            self.touched.push(conversation);
        }
        if self.is_copy(kind, line, conversation) {
            if let Said::Pieces(pieces) = &said {
                for piece in pieces.iter().filter(|p| p.role == Role::Human) {
                    self.remember(&file.session, text(line, "cwd"), &piece.text);
                }
            }
            return out.skipped("a copy of a line that is in another place", place);
        }
        let mut pieces = match said {
            Said::Pieces(pieces) => pieces,
            Said::Skipped(reason) => return out.skipped(reason, place),
            Said::Failed(reason) => return out.failed(reason, place),
            Said::Nothing => return Flow::Continue(()),
        };
        if file.replay {
            return out.skipped("a copy of a session, made to shorten it", place);
        }
        let base = id_parts(line);
        let last = pieces.len().saturating_sub(1);
        let written = text(line, "timestamp").to_owned();
        let reply = line.pointer("/message/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut flow = Flow::Continue(());
        for (n, piece) in pieces.drain(..).enumerate() {
            let nth = n.to_string();
            let mut parts: Vec<&str> = std::iter::once(FORMAT.key).chain(base.iter().map(String::as_str)).collect();
            if n != last {
                parts.push(&nth);
            }
            // What a subagent is asked was written by the agent that called it.
            let role = if aside && piece.role == Role::Human { Role::Assistant } else { piece.role };
            if role == Role::Human && piece.part != Part::Thinking {
                self.remember(&file.session, text(line, "cwd"), &piece.text);
            }
            let saying = Saying {
                id: MessageId::of(&parts),
                sender: sender(role),
                role,
                part: piece.part,
                text: piece.text,
                attachments: piece.attachments,
                time: time::iso(&written),
                time_original: written.clone(),
                place: place.clone(),
            };
            flow = self.say(conversation, saying, &reply, file.otherwise, out);
        }
        flow
    }

    /// Hands out what is said; the text of a reply waits, for more of it may follow.
    fn say(&mut self, at: usize, saying: Saying, reply: &str, otherwise: i64, out: &mut Out) -> Flow {
        let text_of_reply = saying.part == Part::Text && saying.role == Role::Assistant && !reply.is_empty();
        if text_of_reply && let Some(pending) = self.pending.as_mut().filter(|p| p.reply == reply && p.session == at) {
            pending.message.text = joined(&pending.message.text, &saying.text);
            pending.message.attachments.extend(saying.attachments);
            return Flow::Continue(());
        }
        if saying.part == Part::Text {
            self.flush(out)?;
        }
        let Some(session) = self.sessions.get_mut(at) else { return Flow::Continue(()) };
        let message = session.message(saying, otherwise, out);
        if text_of_reply {
            self.pending = Some(Pending { reply: reply.to_owned(), session: at, message });
            return Flow::Continue(());
        }
        out.message(message)
    }

    fn flush(&mut self, out: &mut Out) -> Flow {
        match self.pending.take() {
            Some(pending) => out.message(pending.message),
            None => Flow::Continue(()),
        }
    }

    /// The conversation that a line belongs to, and whether it is a subagent's.
    fn conversation(&mut self, file: &File, line: &Value, root: Option<String>) -> (usize, bool) {
        let agent =
            Some(text(line, "agentId")).filter(|a| !a.is_empty()).map(str::to_owned).or_else(|| file.subagent.clone());
        let (key, parent) = match (agent, root) {
            (Some(agent), _) if flag(line, "isSidechain") || file.subagent.is_some() => {
                let within = file.session.strip_prefix("agent-").is_none().then(|| file.session.clone());
                let parent = within.clone().or_else(|| file.parent.clone());
                (within.map_or_else(|| format!("agent-{agent}"), |s| format!("{s}/agent-{agent}")), parent)
            }
            (_, Some(root)) => (format!("{}/{root}", file.session), Some(file.session.clone())),
            _ => return (self.session(&file.session, None), false),
        };
        let parent = parent.map(|p| ConversationId::of(&[FORMAT.key, &p]));
        (self.session(&key, Some(parent)), !by_owner(line))
    }

    /// `parent`: given for a subagent.
    fn session(&mut self, key: &str, parent: Option<Option<ConversationId>>) -> usize {
        match self.index.entry(key.to_owned()) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(free) => {
                let participants: &[&str] = if parent.is_some() { &["Claude"] } else { &["Me", "Claude"] };
                let mut session = Session::new(FORMAT.key, key, participants);
                session.parent = parent.flatten();
                let short = key.rsplit('/').next().unwrap_or(key);
                if let Some((by, title)) = self.titles.get(key).or_else(|| self.titles.get(short)) {
                    session.name(*by, title);
                }
                self.sessions.push(session);
                *free.insert(self.sessions.len() - 1)
            }
        }
    }

    /// True where this line, or a part of a reply with the same words, was read before.
    fn is_copy(&mut self, kind: &str, line: &Value, conversation: usize) -> bool {
        let parts = id_parts(line);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        if !self.is_new(mark(&parts), conversation) {
            return true;
        }
        let uuid = text(line, "uuid");
        if !is_uuid(uuid) {
            // For summaries, which name the line by it alone.
            self.is_new(mark(&[uuid]), conversation);
        }
        let reply = line.pointer("/message/id").and_then(Value::as_str).unwrap_or_default();
        if kind != "assistant" || reply.len() < 20 {
            return false;
        }
        let content = line.pointer("/message/content").map(Value::to_string).unwrap_or_default();
        !self.is_new(mark(&[reply, &content]), conversation)
    }

    fn is_new(&mut self, mark: u64, conversation: usize) -> bool {
        match self.seen.entry(mark) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(conversation);
                true
            }
        }
    }

    fn remember(&mut self, session: &str, folder: &str, text: &str) {
        let text = squeezed(text);
        self.said.insert(mark(&["session", session, &text]));
        self.said.insert(mark(&["folder", folder, &text]));
    }

    fn was_said(&self, session: &str, folder: &str, text: &str) -> bool {
        let text = squeezed(text);
        match session {
            "" => self.said.contains(&mark(&["folder", folder, &text])),
            session => self.said.contains(&mark(&["session", session, &text])),
        }
    }

    /// Titles that other files gave.
    fn end(&mut self, out: &mut Out) {
        for (line, title) in std::mem::take(&mut self.summaries) {
            if let Some(session) = self.seen.get(&line).and_then(|at| self.sessions.get_mut(*at)) {
                session.name(Named::Summary, &title);
            }
        }
        for session in &mut self.sessions {
            let _ = session.tell_again(out);
        }
    }
}

fn by_owner(line: &Value) -> bool {
    line.pointer("/origin/kind").and_then(Value::as_str) == Some("human")
}

fn sender(role: Role) -> Sender {
    match role {
        Role::Human => ai::me(),
        Role::Assistant => ai::other("assistant", "Claude"),
        Role::Tool => ai::other("tool", "Tool"),
        Role::System => ai::other("system", "System"),
    }
}

/// Two pieces of one reply; one that begins like the other is a longer state of it.
fn joined(first: &str, second: &str) -> String {
    match () {
        () if second.starts_with(first) => second.to_owned(),
        () if first.ends_with(second) => first.to_owned(),
        () => format!("{first}\n\n{second}"),
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a line is known by: its uuid, and where that is none or made up, also what it says.
fn id_parts(line: &Value) -> Vec<String> {
    let uuid = text(line, "uuid");
    if is_uuid(uuid) {
        return vec![uuid.to_owned()];
    }
    let mut said = line.get("message").unwrap_or(line).clone();
    said.sort_all_objects();
    let mut parts = vec![uuid.to_owned(), text(line, "timestamp").to_owned(), said.to_string()];
    if uuid.is_empty() {
        parts.push(text(line, "sessionId").to_owned());
    }
    parts
}

fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id
            .bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_reply_are_joined_once() {
        for (first, second, whole) in [("a", "b", "a\n\nb"), ("a", "a b", "a b"), ("a\n\nb", "b", "a\n\nb")] {
            assert_eq!(joined(first, second), whole);
        }
    }

    #[test]
    fn only_uuids_are_uuids() {
        assert!(is_uuid("0a1b2c3d-4e5f-4061-8071-2a3b4c5d6e7f"));
        assert!(!is_uuid("msg_001") && !is_uuid("0a1b2c3d_4e5f_4061_8071_2a3b4c5d6e7f"));
    }
}
