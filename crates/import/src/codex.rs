//! Codex CLI's own logs (formats.md §4): `~/.codex`, its `sessions`, or single rollouts, of all generations.
//!
//! A line at a time is held. Each message is told twice in a rollout; `twins.rs` makes one of them.
//! What a line says is left to `record.rs`. A session that continues another repeats it at its beginning.

mod record;
mod twins;

use crate::{
    Flow, Format, ImportError, Options,
    agent::{Named, Saying, Session, as_written, mark, moment},
    ai,
    export::Export,
    json::{self, Found, Opening, Rules, Walk, Want},
    jsonl,
    out::Out,
    record::ContentIds,
    text::utf8,
    values::text,
};
use evoke_message::{ConversationId, Kind, MessageId, Part, Place, Role, Sender};
use record::{Meta, Record, Stream};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use twins::{Seen, Twins};

pub(crate) const FORMAT: Format = Format {
    key: "codex",
    label: "Codex",
    kind: Kind::Ai,
    how_to_export: "Nothing to export: choose the folder .codex in your home folder, the folder sessions in it, or one rollout file (.jsonl).",
    detect,
    read,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileRole {
    Rollout,
    /// A session as one JSON object, of the first versions.
    Whole,
    /// Prompts of all sessions.
    History,
    /// Names of sessions.
    Names,
    Compressed,
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files: Vec<usize> = files(export).into_iter().map(|(i, _)| i).collect();
    (!files.is_empty()).then_some(files)
}

fn files(export: &Export) -> Vec<(usize, FileRole)> {
    let all = export.files().iter().enumerate();
    let mut found: Vec<_> =
        all.filter_map(|(i, file)| role(export, i, file.file_name()).map(|role| (i, role))).collect();
    // By the time in their names: what is continued comes before what continues it.
    found.sort_by_key(|(i, _)| export.files().get(*i).map(|f| f.file_name().to_owned()));
    found
}

fn role(export: &Export, i: usize, name: &str) -> Option<FileRole> {
    let single = export.files().len() == 1;
    let rollout = name.starts_with("rollout-");
    if rollout && name.ends_with(".jsonl.zst") {
        return Some(FileRole::Compressed);
    }
    if !(single || name.ends_with(".jsonl") || (rollout && name.ends_with(".json"))) {
        return None;
    }
    let head = export.head(i).ok()?;
    let top = json::keys(head.trim_ascii_start());
    if top.contains(&"session") && top.contains(&"items") {
        return Some(FileRole::Whole);
    }
    let lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| line.starts_with(b"{"));
    let first: Vec<(Vec<&str>, &[u8])> = lines.take(40).map(|line| (json::keys(line), line)).collect();
    let has = |keys: &[&str]| first.iter().any(|(line, _)| keys.iter().all(|k| line.contains(k)));
    let says = |word: &str| first.iter().any(|(_, line)| says(line, word));
    let envelope = has(&["type", "payload"])
        && ["session_meta", "response_item", "event_msg", "turn_context"].iter().any(|word| says(word));
    let direct = has(&["id", "timestamp", "instructions"]) || has(&["record_type"]);
    let calls = ["function_call", "tool_call", "local_shell_call", "world_state"].iter().any(|word| says(word));
    let loose = (has(&["role", "timestamp"]) || has(&["role", "created_at"])) && has(&["type"]) && calls;
    match () {
        () if envelope || direct || loose => Some(FileRole::Rollout),
        () if has(&["session_id", "ts", "text"]) => Some(FileRole::History),
        () if has(&["id", "thread_name"]) => Some(FileRole::Names),
        () => None,
    }
}

/// True where a line has `"type":"word"`, or one with white space between.
fn says(line: &[u8], word: &str) -> bool {
    let quoted = format!("\"{word}\"");
    line.get(..line.len().min(4096)).unwrap_or_default().windows(quoted.len()).any(|w| w == quoted.as_bytes())
}

fn read(export: &Export, claimed: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let claimed: HashSet<usize> = claimed.iter().copied().collect();
    let files: Vec<_> = files(export).into_iter().filter(|(i, _)| claimed.contains(i)).collect();
    let mut reader = Reader {
        export,
        options,
        sessions: Vec::new(),
        index: HashMap::new(),
        told: Vec::new(),
        seen: Seen::default(),
        said: HashSet::new(),
        names: HashMap::new(),
    };
    let of = |role: FileRole| files.iter().filter(move |(_, r)| *r == role).map(|(i, _)| *i);
    for file in of(FileRole::Names) {
        reader.names(file, out)?;
    }
    for (file, role) in &files {
        match role {
            FileRole::Rollout => reader.rollout(*file, out)?,
            FileRole::Whole => reader.whole(*file, out)?,
            FileRole::Compressed => {
                let reason =
                    "a session that Codex has compressed (Zstandard); unpack it with zstd -d and import it again";
                let _ = out.failed(reason, export.place(*file, 1));
            }
            FileRole::History | FileRole::Names => {}
        }
        if out.stopped() {
            return Ok(());
        }
    }
    for file in of(FileRole::History) {
        reader.history(file, out)?;
    }
    for session in &mut reader.sessions {
        let _ = session.tell_again(out);
    }
    Ok(())
}

/// All sessions of an import.
struct Reader<'a> {
    export: &'a Export,
    options: &'a Options,
    sessions: Vec<Session>,
    index: HashMap<String, usize>,
    /// What was said in each session, in order, by its mark: what a session that continues it repeats.
    told: Vec<Vec<u64>>,
    seen: Seen,
    /// Prompts, by session and text.
    said: HashSet<u64>,
    names: HashMap<String, String>,
}

/// One rollout under way.
struct Rollout {
    session: Option<usize>,
    key: String,
    meta: Option<Meta>,
    twins: Twins,
    /// The session that this one continues, and how much of it was repeated so far.
    continues: Option<(usize, usize)>,
    /// Its prompts were written by another agent.
    subagent: bool,
    otherwise: i64,
}

impl Reader<'_> {
    fn names(&mut self, file: usize, out: &mut Out) -> Result<(), ImportError> {
        let (export, options) = (self.export, self.options);
        jsonl::each(export, file, options, out, |number, line, out| {
            self.names.insert(text(&line, "id").to_owned(), text(&line, "thread_name").to_owned());
            out.skipped("the title of a session", export.place(file, number))
        })
    }

    fn start(&self, at: usize) -> Rollout {
        let (name, modified) = self.export.files().get(at).map_or(("", None), |f| (f.file_name(), f.modified));
        let key = id_in_name(name).map(str::to_owned).unwrap_or_else(|| {
            let head = self.export.head(at).unwrap_or_default();
            let first = head.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
            format!("without id, {:016x}", mark(&[&String::from_utf8_lossy(first)]))
        });
        Rollout {
            session: None,
            key,
            meta: None,
            twins: Twins::default(),
            continues: None,
            subagent: false,
            otherwise: modified.unwrap_or(self.options.now),
        }
    }

    fn rollout(&mut self, at: usize, out: &mut Out) -> Result<(), ImportError> {
        let mut rollout = self.start(at);
        let (export, options) = (self.export, self.options);
        let read = jsonl::each(export, at, options, out, |number, value, out| {
            self.record(&mut rollout, number, &value, export.place(at, number), out)
        });
        self.ended(rollout, out);
        read
    }

    /// The first versions kept a session as one object: `{"session":{…},"items":[…]}`.
    fn whole(&mut self, at: usize, out: &mut Out) -> Result<(), ImportError> {
        #[derive(Clone, Copy, PartialEq)]
        enum It {
            File,
            Header,
            Items,
            Item,
        }
        let want = |inside: Option<It>, key: &str, opening| match (inside, key, opening) {
            (None, _, Opening::Object) => Want::Enter(It::File),
            (Some(It::File), "session", _) => Want::Whole(It::Header),
            (Some(It::File), "items", Opening::Array) => Want::Enter(It::Items),
            (Some(It::Items), ..) => Want::Whole(It::Item),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| keys.contains(&"role").then_some(It::Items);
        let mut rollout = self.start(at);
        let (export, mut number, mut lost) = (self.export, 0, 0);
        let input = utf8(export.open(at)?).map_err(|e| export.trouble(at, e))?;
        let mut walk = Walk::new(input, self.options.limits.record, Rules { want: &want, looks: &looks });
        for found in walk.by_ref() {
            let parsed = match found {
                Found::Value(It::Header, piece) => {
                    if let Ok((session, _)) = json::parse::<Value>(&piece.bytes) {
                        self.meta(&mut rollout, Meta::of(&session));
                    }
                    continue;
                }
                Found::Value(_, piece) => {
                    json::parse::<Value>(&piece.bytes).map_err(|e| format!("its JSON cannot be read ({e})"))
                }
                Found::Broken { reason, .. } => Err(format!("a record is damaged ({reason})")),
                Found::TooLong { bytes, .. } => {
                    Err(format!("a record of {} MB is longer than Evoke reads", bytes >> 20))
                }
                Found::Opened(_) | Found::Closed(_) => continue,
            };
            number += 1;
            let place = export.place(at, number);
            let flow = match parsed {
                Ok((value, damaged)) => {
                    lost += damaged;
                    self.record(&mut rollout, number, &value, place, out)
                }
                Err(reason) => out.failed(reason, place),
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        let trouble = walk.trouble();
        self.ended(rollout, out);
        out.file_ended(at, lost, trouble)
    }

    fn ended(&mut self, mut rollout: Rollout, out: &mut Out) {
        for thought in rollout.twins.lone_thoughts() {
            let _ = self.put(&mut rollout, thought, out);
        }
        let _ = self.prompts(&mut rollout, out);
        if let Some(session) = rollout.session.and_then(|at| self.sessions.get_mut(at)) {
            let _ = session.tell_again(out);
        }
    }

    fn record(&mut self, rollout: &mut Rollout, number: u64, value: &Value, place: Place, out: &mut Out) -> Flow {
        match record::read(value) {
            Record::Meta(meta) => {
                let first = rollout.meta.is_none();
                self.meta(rollout, *meta);
                out.skipped(
                    if first { "what a session is about" } else { "what the session that this one continues is about" },
                    place,
                )
            }
            Record::Name(title) => {
                let at = self.session(rollout);
                if let Some(session) = self.sessions.get_mut(at) {
                    session.name(Named::Program, &title);
                }
                out.skipped("the title of a session", place)
            }
            Record::Skip(reason) => out.skipped(reason, place),
            Record::Fail(reason) => out.failed(reason, place),
            Record::Said(said) => self.said(rollout, twins::Held { said, number, place }, out),
        }
    }

    fn said(&mut self, rollout: &mut Rollout, held: twins::Held, out: &mut Out) -> Flow {
        match (held.said.stream, held.said.part, held.said.role) {
            (Stream::Event, Part::Thinking, _) => match rollout.twins.hold_thought(held) {
                Some(second) => out.skipped(twins::SAME, second.place),
                None => Flow::Continue(()),
            },
            (Stream::Item, Part::Thinking, _) => {
                self.prompts(rollout, out)?;
                let (same, others) = rollout.twins.thought(&held);
                for second in same {
                    out.skipped(twins::SAME, second.place)?;
                }
                for other in others {
                    self.put(rollout, other, out)?;
                }
                self.put(rollout, held, out)
            }
            (Stream::Item, _, Role::Human) => {
                if rollout.twins.event_waits(&held) {
                    return out.skipped(twins::SAME, held.place);
                }
                rollout.twins.hold(held);
                Flow::Continue(())
            }
            (Stream::Event, _, Role::Human) => match rollout.twins.match_event(&held) {
                Some(item) => {
                    out.skipped(twins::SAME, held.place)?;
                    self.put(rollout, item, out)
                }
                None => self.put(rollout, held, out),
            },
            _ => {
                for thought in rollout.twins.lone_thoughts() {
                    self.put(rollout, thought, out)?;
                }
                self.prompts(rollout, out)?;
                if held.said.stream == Stream::Alone {
                    return self.put(rollout, held, out);
                }
                match rollout.twins.is_second(&held) {
                    true => out.skipped(twins::SAME, held.place),
                    false => self.put(rollout, held, out),
                }
            }
        }
    }

    /// Prompts that wait: once something answers them, their twins come no more.
    fn prompts(&mut self, rollout: &mut Rollout, out: &mut Out) -> Flow {
        for waiting in rollout.twins.rest() {
            self.held(rollout, waiting, out)?;
        }
        Flow::Continue(())
    }

    /// A prompt whose twin did not come: put in by the program, where others have twins.
    fn held(&mut self, rollout: &mut Rollout, held: twins::Held, out: &mut Out) -> Flow {
        match rollout.twins.has_events() {
            true => out.skipped("words that the program put in", held.place),
            false => self.put(rollout, held, out),
        }
    }

    fn meta(&mut self, rollout: &mut Rollout, meta: Meta) {
        if rollout.meta.is_some() {
            return;
        }
        if !meta.id.is_empty() {
            rollout.key = meta.id.clone();
        }
        rollout.subagent = meta.subagent;
        let from = [&meta.forked_from, &meta.parent].into_iter().find(|id| !id.is_empty());
        rollout.continues = from.and_then(|id| self.index.get(id)).map(|at| (*at, 0));
        let at = self.session(rollout);
        if let Some(session) = self.sessions.get_mut(at) {
            session.began(meta.time);
            if meta.subagent && !meta.parent.is_empty() {
                session.parent = Some(ConversationId::of(&[FORMAT.key, &meta.parent]));
            }
        }
        rollout.meta = Some(meta);
    }

    fn session(&mut self, rollout: &mut Rollout) -> usize {
        let at = rollout.session.unwrap_or_else(|| self.session_of(&rollout.key, rollout.subagent));
        rollout.session = Some(at);
        at
    }

    fn session_of(&mut self, key: &str, subagent: bool) -> usize {
        if let Some(at) = self.index.get(key) {
            return *at;
        }
        let participants: &[&str] = if subagent { &["Codex"] } else { &["Me", "Codex"] };
        let mut session = Session::new(FORMAT.key, key, participants);
        if let Some(name) = self.names.get(key) {
            session.name(Named::Owner, name);
        }
        self.sessions.push(session);
        self.told.push(Vec::new());
        self.index.insert(key.to_owned(), self.sessions.len() - 1);
        self.sessions.len() - 1
    }

    fn put(&mut self, rollout: &mut Rollout, held: twins::Held, out: &mut Out) -> Flow {
        let at = self.session(rollout);
        let said = held.said;
        let role = if rollout.subagent && said.role == Role::Human { Role::Assistant } else { said.role };
        let mark_of = mark(&[&format!("{:?} {:?}", said.role, said.part), &twins::squeezed(&said.text)]);
        if self.repeats(rollout, mark_of) || self.seen.elsewhere(at, &said, mark_of) {
            return out.skipped("a copy of what is in the session that this one continues", held.place);
        }
        if let Some(told) = self.told.get_mut(at) {
            told.push(mark_of);
        }
        if said.role == Role::Human {
            self.said.insert(mark(&[&rollout.key, &twins::squeezed(&said.text)]));
        }
        let Some(session) = self.sessions.get_mut(at) else { return Flow::Continue(()) };
        let id = MessageId::of(&[FORMAT.key, &rollout.key, &format!("record {}", held.number)]);
        let saying = Saying {
            id,
            sender: sender(role),
            role,
            part: said.part,
            text: said.text,
            attachments: said.attachments,
            time: said.time,
            time_original: said.time_original,
            place: held.place,
        };
        let message = session.message(saying, rollout.otherwise, out);
        out.message(message)
    }

    /// True while a session says what the one that it continues said, in the same order.
    fn repeats(&self, rollout: &mut Rollout, mark: u64) -> bool {
        let Some((from, at)) = rollout.continues else { return false };
        let told = self.told.get(from).map(Vec::as_slice).unwrap_or_default();
        // Tool calls that were left out of the copy are stepped over.
        match told.get(at..).and_then(|rest| rest.iter().take(64).position(|m| *m == mark)) {
            Some(n) => {
                rollout.continues = Some((from, at + n + 1));
                true
            }
            None => {
                rollout.continues = None;
                false
            }
        }
    }

    fn history(&mut self, file: usize, out: &mut Out) -> Result<(), ImportError> {
        let (export, options) = (self.export, self.options);
        let mut ids: HashMap<usize, ContentIds> = HashMap::new();
        jsonl::each(export, file, options, out, |number, line, out| {
            let place = export.place(file, number);
            let (key, typed) = (text(&line, "session_id"), text(&line, "text").trim());
            if key.is_empty() {
                return out.failed("the line is not a prompt", place);
            }
            if typed.is_empty() {
                return out.skipped("empty message", place);
            }
            if self.said.contains(&mark(&[key, &twins::squeezed(typed)])) {
                return out.skipped("a prompt that is in its session", place);
            }
            let at = self.session_of(key, false);
            let Some(session) = self.sessions.get_mut(at) else { return Flow::Continue(()) };
            let time = line.get("ts").unwrap_or(&Value::Null);
            let written = as_written(time);
            let saying = Saying {
                id: ids.entry(at).or_default().next(&session.thread, &["history", &written, typed]),
                sender: ai::me(),
                role: Role::Human,
                part: Part::Text,
                text: typed.to_owned(),
                attachments: Vec::new(),
                time: moment(time),
                time_original: written,
                place,
            };
            let message = session.message(saying, options.now, out);
            out.message(message)
        })
    }
}

fn sender(role: Role) -> Sender {
    match role {
        Role::Human => ai::me(),
        Role::Assistant => ai::other("assistant", "Codex"),
        Role::Tool => ai::other("tool", "Tool"),
        Role::System => ai::other("system", "System"),
    }
}

/// The session's id at the end of `rollout-2025-09-10T12-00-00-<uuid>.jsonl`.
fn id_in_name(name: &str) -> Option<&str> {
    let stem = name.strip_prefix("rollout-")?.split(".json").next()?;
    let id = stem.get(stem.len().checked_sub(36)?..)?;
    let dashes = id
        .bytes()
        .enumerate()
        .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() });
    dashes.then_some(id)
}
