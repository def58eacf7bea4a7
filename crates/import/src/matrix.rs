//! Matrix: a room as Element exports it to JSON, alone or in a zip with its media (formats.md §27).
//!
//! Edits and reactions are events of their own; they are read in a pass before, and are part of the message that
//! they are about. What an event says is left to `event.rs`.

mod event;

use crate::{
    Format, ImportError, Options,
    export::Export,
    mime,
    out::Out,
    record::Thread,
    records::{self, Fields, Record, Shape, Source},
    threads::Threads,
    time,
    values::{at, text},
};
use event::Said;
use evoke_message::{
    Attachment, Contact, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender, stable_hash,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::ControlFlow,
};

pub(crate) const FORMAT: Format = Format {
    key: "matrix",
    label: "Matrix (Element)",
    kind: Kind::Chat,
    how_to_export: "In Element, open the room, then its information, Export chat. Choose the format JSON, a size large enough, and from the \
                    beginning. Choose the file here, or the zip where attachments are included.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    records: &["messages"],
    holders: &[],
    inner: &[],
    others: &[],
    fields: &["room_name", "exported_by", "topic"],
    needed: "room_name",
    bare: true,
    is_record,
    is_holder: |_| false,
};

fn is_record(keys: &[&str]) -> bool {
    let has = |key| keys.contains(&key);
    has("type") && has("sender") && (has("origin_server_ts") || has("event_id")) && has("content")
}

fn is_room(keys: &[&str]) -> bool {
    ["room_name", "exported_by", "messages"].iter().all(|key| keys.contains(key))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files =
        export.json_files(|head| records::fits(head, &SHAPE) || is_room(&crate::json::keys(head.trim_ascii_start())));
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    out.reads_again(files);
    for &file in files {
        let source = Source { export, file };
        let about = survey(&source, options)?;
        let mut reading = Reading {
            export,
            options,
            about,
            header: Fields::new(),
            threads: Threads::default(),
            told: HashSet::new(),
        };
        records::each(&source, &SHAPE, options, out, |record, number, out| match record {
            Record::Begins(fields) => {
                reading.header = fields;
                ControlFlow::Continue(())
            }
            Record::One(value) => reading.event(&value, export.place(file, number), out),
            Record::Ends(0) => out.skipped("room without messages", export.place(file, number)),
            Record::Ends(_) => ControlFlow::Continue(()),
        })?;
        if out.stopped() {
            return Ok(());
        }
        reading.threads.end(out);
    }
    Ok(())
}

/// What is known of a room before its messages are handed out.
#[derive(Default)]
struct About {
    /// Hashes of the ids of all events.
    events: HashSet<[u8; 16]>,
    /// The newest edit of an event: its time and content.
    edits: HashMap<String, (i64, Value)>,
    /// Of an event, who reacted with what.
    reactions: HashMap<String, BTreeMap<String, HashSet<String>>>,
    /// Newest display names by user id.
    names: HashMap<String, String>,
    /// Who wrote.
    senders: HashSet<String>,
    room: String,
}

impl About {
    fn has(&self, event: &str) -> bool {
        self.events.contains(&stable_hash(&[event]))
    }

    fn learn(&mut self, value: &Value) {
        let (id, sender) = (text(value, "event_id"), text(value, "sender"));
        self.events.insert(stable_hash(&[id]));
        if self.room.is_empty() {
            self.room = text(value, "room_id").to_owned();
        }
        let relates = value.get("content").and_then(|c| c.get("m.relates_to"));
        let on = relates.map_or("", |r| text(r, "event_id"));
        match (text(value, "type"), relates.map_or("", |r| text(r, "rel_type"))) {
            ("m.room.member", _) => {
                let (who, name) = (text(value, "state_key"), at(value, &["content", "displayname"]));
                if !who.is_empty() && !name.trim().is_empty() {
                    self.names.insert(who.to_owned(), name.trim().to_owned());
                }
            }
            ("m.reaction", _) => {
                let key = relates.map_or("", |r| text(r, "key"));
                let of = self.reactions.entry(on.to_owned()).or_default().entry(key.to_owned()).or_default();
                of.insert(sender.to_owned());
            }
            (_, "m.replace") => {
                let content = value.get("content").and_then(|c| c.get("m.new_content"));
                let time = millis(value).unwrap_or(0);
                if let Some(content) = content.filter(|_| self.edits.get(on).is_none_or(|(before, _)| *before <= time))
                {
                    self.edits.insert(on.to_owned(), (time, content.clone()));
                }
                self.senders.insert(sender.to_owned());
            }
            _ => {
                if value.get("state_key").is_none() {
                    self.senders.insert(sender.to_owned());
                }
            }
        }
    }
}

/// The pass before: nothing of it is handed out.
fn survey(source: &Source, options: &Options) -> Result<About, ImportError> {
    let mut about = About::default();
    let (mut sink, mut progress) = (|_| ControlFlow::Continue(()), |_, _| ());
    let mut nowhere = Out::new(source.export, 0, &mut sink, &mut progress);
    records::each(source, &SHAPE, options, &mut nowhere, |record, _, _| {
        if let Record::One(value) = record {
            about.learn(&value);
        }
        ControlFlow::Continue(())
    })?;
    Ok(about)
}

fn millis(value: &Value) -> Option<i64> {
    value.get("origin_server_ts").and_then(Value::as_f64).and_then(time::from_number)
}

/// `ana` of `@ana:example.org`.
fn local(user: &str) -> &str {
    user.trim_start_matches('@').split(':').next().filter(|l| !l.is_empty()).unwrap_or(user)
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    about: About,
    header: Fields,
    threads: Threads,
    told: HashSet<String>,
}

impl Reading<'_> {
    fn event(&mut self, value: &Value, place: Place, out: &mut Out) -> crate::Flow {
        let kind = text(value, "type");
        if kind.is_empty() || value.get("sender").is_none() {
            return out.failed("this is not an event", place);
        }
        let (id, relates) = (text(value, "event_id"), value.get("content").and_then(|c| c.get("m.relates_to")));
        let on = relates.map_or("", |r| text(r, "event_id"));
        match relates.map_or("", |r| text(r, "rel_type")) {
            _ if kind == "m.reaction" && self.about.has(on) => {
                return out.skipped("reaction: it is shown at the message that it is on", place);
            }
            _ if kind == "m.reaction" => return out.skipped("reaction to a message that is not in this export", place),
            "m.replace" if self.about.has(on) && on != id => {
                return out.skipped("edit: it is shown at the message that it changes", place);
            }
            _ => {}
        }
        let is_edit = relates.is_some_and(|r| text(r, "rel_type") == "m.replace");
        // The message itself is missing: its newest edit stands for it.
        let native = if is_edit && !on.is_empty() { on } else { id };
        if is_edit && self.about.edits.get(on).is_some_and(|(time, _)| Some(*time) != millis(value)) {
            return out.skipped("edit: a newer one is shown", place);
        }
        self.message(value, kind, native, is_edit, place, out)
    }

    fn message(
        &mut self,
        value: &Value,
        kind: &str,
        native: &str,
        is_edit: bool,
        place: Place,
        out: &mut Out,
    ) -> crate::Flow {
        let sender = self.sender(text(value, "sender"));
        self.contact(&sender, out)?;
        let aggregated = value.get("unsigned").and_then(|u| u.get("m.relations")).and_then(|r| r.get("m.replace"));
        let edit = self.about.edits.get(native).cloned().or_else(|| {
            let content = aggregated?.get("content")?.get("m.new_content")?;
            Some((millis(aggregated?).unwrap_or(0), content.clone()))
        });
        let content = edit.as_ref().map(|(_, content)| content).or_else(|| value.get("content"));
        let name = |user: &str| self.name(user);
        let Said { part, text: said, file } = match event::said(value, kind, content.unwrap_or(&Value::Null), &name) {
            Ok(said) => said,
            Err(reason) => return out.skipped(reason, place),
        };
        let room = [text(value, "room_id"), self.about.room.as_str()].into_iter().find(|r| !r.is_empty());
        let title = self.header.get("room_name").and_then(Value::as_str).unwrap_or_default();
        let key = room.unwrap_or(title).to_owned();
        let kind = if self.about.senders.len() > 2 { ConversationKind::Group } else { ConversationKind::Direct };
        let thread = Thread::new(FORMAT.key, Kind::Chat, key);
        let attachments: Vec<Attachment> = file.map(|name| self.attachment(&name, value)).into_iter().collect();
        let reactions = self.reactions(native);
        let known =
            self.threads.of(&thread, || (kind, if title.is_empty() { thread.key.clone() } else { title.to_owned() }));
        let when = millis(value);
        let written = crate::values::id(value.get("origin_server_ts")).unwrap_or_default();
        let native = if native.is_empty() { format!("{written} {} {said}", sender.key) } else { native.to_owned() };
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            text: said,
            time: when.or(known.last).unwrap_or(self.options.now),
            time_original: written,
            zone_known: when.is_some(),
            edited: edit.map(|(time, _)| time).filter(|t| *t > 0).or(when.filter(|_| is_edit)),
            reply_to: answers(value).map(|id| thread.message_id(id)),
            attachments,
            reactions,
            ..thread.message(thread.message_id(&native), sender, place)
        };
        known.put(message, out)
    }

    fn name(&self, user: &str) -> String {
        self.about.names.get(user).cloned().unwrap_or_else(|| local(user).to_owned())
    }

    fn sender(&self, user: &str) -> Sender {
        let exporter = self.header.get("exported_by").and_then(Value::as_str).unwrap_or_default();
        let name = self.name(user);
        // The exporter is named by display name, and by id where there is none.
        let namesakes = self.about.names.iter().filter(|(_, n)| *n == exporter).count();
        let me = !exporter.is_empty() && (exporter == user || (exporter == name && namesakes <= 1));
        Sender { key: user.to_owned(), name, me }
    }

    fn contact(&mut self, sender: &Sender, out: &mut Out) -> crate::Flow {
        if !self.told.insert(sender.key.clone()) {
            return ControlFlow::Continue(());
        }
        out.contact(Contact {
            source: FORMAT.key.to_owned(),
            key: sender.key.clone(),
            name: sender.name.clone(),
            handles: vec![sender.key.trim_start_matches('@').to_owned()],
            me: sender.me,
            ..Contact::default()
        })
    }

    fn reactions(&self, event: &str) -> Vec<Reaction> {
        let of = self.about.reactions.get(event).into_iter().flatten();
        of.map(|(emoji, who)| Reaction { emoji: emoji.clone(), count: u32::try_from(who.len()).unwrap_or(u32::MAX) })
            .collect()
    }

    /// Element names files in the zip `<name>-<date>.<ending>`.
    fn attachment(&self, name: &str, value: &Value) -> Attachment {
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let fits = |path: &str| {
            let own = path.rsplit('/').next().unwrap_or_default();
            own == name
                || (own.strip_prefix(stem).is_some_and(|r| r.starts_with('-')) && own.ends_with(&format!(".{ending}")))
        };
        let mut found = self.export.files().iter().filter(|e| fits(&e.path));
        let path = match (found.next(), found.next()) {
            (Some(only), None) => Some(only.path.clone()),
            _ => None,
        };
        let mime = Some(at(value, &["content", "info", "mimetype"])).filter(|m| !m.is_empty()).map(str::to_owned);
        Attachment {
            name: name.to_owned(),
            mime: mime.or_else(|| mime::of_name(name)),
            missing: path.is_none().then(|| "not in this export".to_owned()),
            path,
        }
    }
}

/// The event that is answered; in a thread without an answer, the one that it began with.
fn answers(value: &Value) -> Option<&str> {
    let relates = value.get("content")?.get("m.relates_to")?;
    let reply = at(relates, &["m.in_reply_to", "event_id"]);
    let root = Some(text(relates, "event_id")).filter(|_| text(relates, "rel_type") == "m.thread");
    Some(reply).filter(|r| !r.is_empty()).or(root).filter(|r| !r.is_empty())
}
