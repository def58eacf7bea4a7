//! Gemini CLI's own sessions (formats.md §5): `~/.gemini/tmp/<project>/chats/session-*.json`, and the newer
//! `.jsonl`, where a message may come again with more in it. A session is held whole.

use crate::{
    Flow, Format, ImportError, Options,
    agent::{attached, call, mark, moment, words},
    ai::{self, Chat, Said, Turn},
    ai_chats::{Entry, Shape, aside, pieces},
    export::Export,
    json::{self, Found, Opening, Rules, Walk, Want},
    jsonl,
    out::Out,
    record::{ContentIds, Thread},
    text::utf8,
    values::{array, text},
};
use evoke_message::{Conversation, ConversationId, ConversationKind, Kind, Message, Part, Role};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

pub(crate) const FORMAT: Format = Format {
    key: "gemini_cli",
    label: "Gemini CLI",
    kind: Kind::Ai,
    how_to_export: "Nothing to export: choose the folder .gemini in your home folder, or one session in it.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    source: FORMAT.key,
    assistant: "Gemini",
    lists: &[],
    bare: false,
    named_by_file: false,
    is_conversation: |_| false,
    take: |_| None,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileRole {
    Whole,
    Lines,
    /// `logs.json`: prompts of all sessions of a project.
    Log,
}

fn is_header(keys: &[&str]) -> bool {
    keys.contains(&"sessionId") && keys.contains(&"projectHash")
}

fn files(export: &Export) -> Vec<(usize, FileRole)> {
    let single = export.files().len() == 1;
    let named = |name: &str| single || name.ends_with(".json") || name.ends_with(".jsonl");
    let role = |i: usize| {
        let head = export.head(i).ok()?;
        let head = head.trim_ascii_start();
        let keys = json::keys(head);
        let log =
            |keys: &[&str]| ["sessionId", "messageId", "type", "message", "timestamp"].iter().all(|k| keys.contains(k));
        match head.first() {
            Some(b'{') if is_header(&keys) && keys.contains(&"messages") => Some(FileRole::Whole),
            Some(b'{') if is_header(&keys) => Some(FileRole::Lines),
            Some(b'[') if json::hunt(head, log) => Some(FileRole::Log),
            _ => None,
        }
    };
    let own = |i: usize| export.claimed_by(i).is_none_or(|format| format.key == FORMAT.key);
    let all = export.files().iter().enumerate().filter(|(i, f)| named(f.file_name()) && own(*i));
    all.filter_map(|(i, _)| role(i).map(|role| (i, role))).collect()
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files: Vec<usize> = files(export).into_iter().map(|(i, _)| i).collect();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, claimed: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let files: Vec<_> = files(export).into_iter().filter(|(i, _)| claimed.contains(i)).collect();
    let mut said = HashSet::new();
    for (file, role) in files.iter().filter(|(_, role)| *role != FileRole::Log) {
        let mut session = Session::default();
        match role {
            FileRole::Lines => session.lines(export, *file, options, out)?,
            _ => session.whole(export, *file, options, out)?,
        }
        session.put(export, *file, options, &mut said, out);
        if out.stopped() {
            return Ok(());
        }
    }
    for (file, _) in files.iter().filter(|(_, role)| *role == FileRole::Log) {
        log(export, *file, options, &said, out)?;
    }
    Ok(())
}

/// One session under way.
#[derive(Default)]
struct Session {
    header: Map<String, Value>,
    /// In order of first appearance; the number is that of the record.
    messages: Vec<(u64, Value)>,
    by_id: HashMap<String, usize>,
}

impl Session {
    fn lines(&mut self, export: &Export, file: usize, options: &Options, out: &mut Out) -> Result<(), ImportError> {
        jsonl::each(export, file, options, out, |number, line, out| {
            let place = export.place(file, number);
            let Value::Object(fields) = line else { return out.failed("the line is not a record", place) };
            if let Some(Value::Object(patch)) = fields.get("$set") {
                for (key, value) in patch {
                    match value {
                        Value::Array(messages) if key == "messages" => {
                            for message in messages {
                                self.add(number, message.clone());
                            }
                        }
                        value => {
                            self.header.insert(key.clone(), value.clone());
                        }
                    }
                }
                return out.skipped("a note of the program", place);
            }
            if fields.get("sessionId").is_some() && fields.get("type").is_none() {
                self.header.extend(fields);
                return out.skipped("what a session is about", place);
            }
            if fields.get("type").is_none() {
                return out.skipped("a note of the program", place);
            }
            match self.add(number, Value::Object(fields)) {
                true => Flow::Continue(()),
                false => out.skipped("an earlier state of a message", place),
            }
        })
    }

    fn whole(&mut self, export: &Export, file: usize, options: &Options, out: &mut Out) -> Result<(), ImportError> {
        #[derive(Clone, Copy, PartialEq)]
        enum It {
            File,
            Header,
            Messages,
            Message,
        }
        let want = |inside: Option<It>, key: &str, opening| match (inside, key, opening) {
            (None, _, Opening::Object) => Want::Enter(It::File),
            (Some(It::File), "messages", Opening::Array) => Want::Enter(It::Messages),
            (Some(It::File), _, Opening::Plain) => Want::Whole(It::Header),
            (Some(It::Messages), ..) => Want::Whole(It::Message),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| (keys.contains(&"type") && keys.contains(&"id")).then_some(It::Messages);
        let input = utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
        let mut walk = Walk::new(input, options.limits.record, Rules { want: &want, looks: &looks });
        let (mut number, mut lost) = (0, 0);
        for found in walk.by_ref() {
            let broken = match found {
                Found::Value(It::Header, piece) => {
                    if let Ok((value, _)) = json::parse(&piece.bytes) {
                        self.header.insert(piece.key, value);
                    }
                    continue;
                }
                Found::Value(_, piece) => match json::parse::<Value>(&piece.bytes) {
                    Ok((message, damaged)) => {
                        lost += damaged;
                        number += 1;
                        if !self.add(number, message) {
                            let _ = out.skipped("an earlier state of a message", export.place(file, number));
                        }
                        continue;
                    }
                    Err(e) => format!("its JSON cannot be read ({e})"),
                },
                Found::Broken { reason, piece, .. } if piece.bytes.iter().any(u8::is_ascii_alphanumeric) => {
                    format!("a message is damaged ({reason})")
                }
                Found::TooLong { bytes, .. } => format!("a message of {} MB is longer than Evoke reads", bytes >> 20),
                _ => continue,
            };
            number += 1;
            let _ = out.failed(broken, export.place(file, number));
        }
        out.file_ended(file, lost, walk.trouble())
    }

    /// False where the message takes the place of an earlier state of itself.
    fn add(&mut self, number: u64, message: Value) -> bool {
        let id = text(&message, "id").to_owned();
        let known = self.by_id.get(&id).and_then(|at| self.messages.get_mut(*at)).filter(|_| !id.is_empty());
        if let Some(earlier) = known {
            *earlier = (number, message);
            return false;
        }
        self.by_id.insert(id, self.messages.len());
        self.messages.push((number, message));
        true
    }

    fn put(self, export: &Export, file: usize, options: &Options, said: &mut HashSet<u64>, out: &mut Out) {
        let header = Value::Object(self.header);
        let session = text(&header, "sessionId").to_owned();
        let subagent = text(&header, "kind") == "subagent";
        let key = if subagent { format!("{session}/{}", text(&header, "startTime")) } else { session.clone() };
        let time = |key: &str| header.get(key).and_then(moment);
        let modified = export.files().get(file).and_then(|f| f.modified);
        let chat = Chat {
            source: FORMAT.key,
            assistant: SHAPE.assistant,
            key,
            title: text(&header, "summary").to_owned(),
            created: time("startTime").or(modified),
            updated: time("lastUpdated"),
        };
        let mut turns = Vec::new();
        for (number, message) in self.messages {
            let entry = entry(&message, subagent);
            if let Said::Pieces(pieces) = &entry.said {
                said.extend(pieces.iter().filter(|p| p.role == Role::Human).map(|p| mark(&[&session, p.text.trim()])));
            }
            let Entry { sender, time, time_original, said, .. } = entry;
            let id = Some(text(&message, "id"))
                .filter(|id| !id.is_empty())
                .map_or_else(|| format!("number {number}"), str::to_owned);
            turns.push(Turn { id, sender, time, time_original, place: export.place(file, number), said });
        }
        let spoken = turns.iter().any(|t| matches!(t.said, Said::Pieces(_)));
        let parents: Vec<_> = (0..turns.len()).map(|i| i.checked_sub(1)).collect();
        let active = vec![true; turns.len()];
        ai::put(&chat, turns, &parents, &active, options, out);
        if subagent && spoken {
            let thread = Thread::new(FORMAT.key, FORMAT.kind, chat.key.clone());
            let title = if chat.title.is_empty() { "Subagent".to_owned() } else { chat.title.clone() };
            let _ = out.conversation(Conversation {
                participants: vec![SHAPE.assistant.to_owned()],
                created: chat.created,
                updated: chat.updated,
                parent: Some(ConversationId::of(&[FORMAT.key, &session])),
                ..thread.conversation(ConversationKind::Ai, title)
            });
        }
    }
}

fn entry(message: &Value, subagent: bool) -> Entry {
    let time = message.get("timestamp").unwrap_or(&Value::Null);
    match text(message, "type") {
        "user" => {
            let shown = message.get("displayContent").filter(|c| !words(c).trim().is_empty());
            let content = message.get("content").unwrap_or(&Value::Null);
            let typed = words(shown.unwrap_or(content));
            let role = if subagent { Role::Assistant } else { Role::Human };
            let said = match () {
                () if typed.trim_start().starts_with("<session_context>")
                    || typed.starts_with("This is the Gemini CLI. We are setting up") =>
                {
                    Said::Skipped("words that the program put in".into())
                }
                () if message.get("content").is_none() => {
                    Said::Failed("the message has no text where it should be".to_owned())
                }
                () => {
                    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
                    let files = parts.iter().filter_map(|part| part.get("inlineData").or(part.get("fileData")));
                    let files = files
                        .map(|f| attached("file", Some(text(f, "mimeType")), "kept inside the session's file"))
                        .collect();
                    pieces(Vec::new(), role, &typed, files)
                }
            };
            Entry::new(&SHAPE, if subagent { "model" } else { "user" }, time, said)
        }
        "gemini" | "model" | "assistant" => {
            let mut asides = Vec::new();
            for thought in array(message, "thoughts") {
                let thought = [text(thought, "subject"), text(thought, "description")].join("\n");
                asides.extend(aside(Part::Thinking, thought.trim()));
            }
            for tool in array(message, "toolCalls") {
                asides.extend(aside(Part::Tool, &call(text(tool, "name"), tool.get("args").unwrap_or(&Value::Null))));
                if let Some(mut answer) = aside(Part::Tool, &answer(tool)) {
                    answer.role = Role::Tool;
                    asides.push(answer);
                }
            }
            let said = words(message.get("content").unwrap_or(&Value::Null));
            Entry::new(&SHAPE, "model", time, pieces(asides, Role::Assistant, &said, Vec::new()))
        }
        _ => Entry::new(&SHAPE, "system", time, Said::Skipped("a notice by the program".into())),
    }
}

fn answer(tool: &Value) -> String {
    let display = tool.get("resultDisplay").filter(|d| d.is_string()).map(words).unwrap_or_default();
    if !display.trim().is_empty() {
        return display;
    }
    let answers = array(tool, "result").iter().filter_map(|r| r.pointer("/functionResponse/response"));
    answers.map(words).collect::<Vec<_>>().join("\n")
}

/// Prompts that no session has any more.
fn log(export: &Export, file: usize, options: &Options, said: &HashSet<u64>, out: &mut Out) -> Result<(), ImportError> {
    let want = |inside: Option<bool>, _: &str, opening| match (inside, opening) {
        (None, Opening::Array) => Want::Enter(true),
        (Some(true), _) => Want::Whole(false),
        _ => Want::Skip,
    };
    let looks = |keys: &[&str]| keys.contains(&"sessionId").then_some(true);
    let input = utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
    let mut walk = Walk::new(input, options.limits.record, Rules { want: &want, looks: &looks });
    let mut threads: HashMap<String, (Thread, ContentIds)> = HashMap::new();
    let mut number = 0;
    for found in walk.by_ref() {
        let parsed = match found {
            Found::Value(_, piece) => json::parse::<Value>(&piece.bytes).map(|(v, _)| v).map_err(|e| e.to_string()),
            Found::Broken { reason, .. } => Err(reason.to_owned()),
            Found::TooLong { .. } => Err("it is too long".to_owned()),
            _ => continue,
        };
        number += 1;
        let place = export.place(file, number);
        let flow = match parsed {
            Err(reason) => out.failed(format!("a prompt cannot be read ({reason})"), place),
            Ok(prompt) => {
                let (session, typed) = (text(&prompt, "sessionId"), text(&prompt, "message").trim());
                if typed.is_empty() || text(&prompt, "type") != "user" {
                    out.skipped("empty message", place)
                } else if typed.starts_with('/') && !typed.contains(char::is_whitespace) {
                    out.skipped("a command without words", place)
                } else if said.contains(&mark(&[session, typed])) {
                    out.skipped("a prompt that is in its session", place)
                } else {
                    let (thread, ids) = threads.entry(session.to_owned()).or_insert_with(|| {
                        let thread = Thread::new(FORMAT.key, FORMAT.kind, session);
                        let conversation = Conversation {
                            participants: vec!["Me".to_owned(), SHAPE.assistant.to_owned()],
                            ..thread.conversation(ConversationKind::Ai, ai::first_words(typed))
                        };
                        let _ = out.conversation(conversation);
                        (thread, ContentIds::default())
                    });
                    let written = text(&prompt, "timestamp").to_owned();
                    let id = ids.next(thread, &["log", &written, typed]);
                    out.message(Message {
                        time: prompt.get("timestamp").and_then(moment).unwrap_or(options.now),
                        time_original: written,
                        text: typed.to_owned(),
                        order: number,
                        ..thread.message(id, ai::me(), place)
                    })
                }
            }
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    out.file_ended(file, 0, walk.trouble())
}
