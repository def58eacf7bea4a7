//! What a person exports of their Skype or private Teams account: `messages.json`, alone, in a folder, or in
//! the tar as it is downloaded (formats.md §26). What a message says is left to `content.rs`.

mod content;

use crate::{
    Format, ImportError, Options,
    export::Export,
    json::hunt,
    out::Out,
    record::Thread,
    records::{self, Fields, Record, Shape, Source},
    threads::Threads,
    time,
    values::{array, text},
};
use content::Said;
use evoke_message::{Attachment, Contact, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

pub(crate) const FORMAT: Format = Format {
    key: "skype",
    label: "Skype",
    kind: Kind::Chat,
    how_to_export: "Skype has ended; until its data is deleted it can be exported on secure.skype.com/data-export, or in Teams for private use \
                    in its settings. Choose the downloaded file ending in _export.tar, or messages.json out of it.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    records: &["MessageList"],
    holders: &["conversations"],
    inner: &[],
    others: &["members", "endpoints"],
    fields: &["userId", "id", "displayName", "threadProperties"],
    needed: "id",
    bare: false,
    is_record,
    is_holder: |keys| keys.contains(&"MessageList"),
};

fn is_record(keys: &[&str]) -> bool {
    let has = |key| keys.contains(&key);
    has("originalarrivaltime") && has("messagetype") && has("conversationid")
}

fn is_root(keys: &[&str]) -> bool {
    keys.contains(&"userId") && keys.contains(&"exportDate") && keys.contains(&"conversations")
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files = export.json_files(|head| records::fits(head, &SHAPE) || hunt(head, is_root));
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &file in files {
        let media = export.files().iter().map(|e| e.path.clone()).collect();
        let source = Source { export, file };
        let mut reading = Reading {
            options,
            media,
            threads: Threads::default(),
            chat: Chat::default(),
            names: HashMap::new(),
            told: HashSet::new(),
        };
        records::each(&source, &SHAPE, options, out, |record, number, out| match record {
            Record::Begins(fields) => {
                reading.begins(&fields);
                crate::Flow::Continue(())
            }
            Record::One(value) => reading.message(&value, export.place(file, number), out),
            Record::Ends(0) => out.skipped("chat without messages", export.place(file, number)),
            Record::Ends(_) => crate::Flow::Continue(()),
        })?;
        if out.stopped() {
            return Ok(());
        }
        reading.threads.end(out);
    }
    Ok(())
}

/// The conversation under way.
#[derive(Default)]
struct Chat {
    id: String,
    name: String,
    members: Vec<String>,
    owner: String,
}

struct Reading<'a> {
    options: &'a Options,
    /// Paths of the files beside.
    media: Vec<String>,
    threads: Threads,
    chat: Chat,
    /// Display names by id.
    names: HashMap<String, String>,
    told: HashSet<String>,
}

/// `8:live:ana` of `https://…/contacts/8:live:ana`.
fn user(from: &str) -> &str {
    from.rsplit('/').next().unwrap_or(from)
}

/// An id without the number of its network.
fn bare(id: &str) -> &str {
    match id.split_once(':') {
        Some((network, rest)) if network.bytes().all(|b| b.is_ascii_digit()) && !network.is_empty() => rest,
        _ => id,
    }
}

impl Reading<'_> {
    fn begins(&mut self, fields: &Fields) {
        let word = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let properties = fields.get("threadProperties").unwrap_or(&Value::Null);
        // A list written as text.
        let members = serde_json::from_str::<Vec<String>>(text(properties, "members")).unwrap_or_default();
        let topic = text(properties, "topic");
        let name = [topic, word("displayName")].into_iter().find(|n| !n.trim().is_empty()).unwrap_or_default();
        self.chat = Chat {
            id: word("id").to_owned(),
            name: name.trim().to_owned(),
            members,
            owner: bare(word("userId")).to_owned(),
        };
        if !name.is_empty() && self.chat.is_direct() {
            self.names.entry(self.chat.id.clone()).or_insert_with(|| name.trim().to_owned());
        }
    }

    fn message(&mut self, value: &Value, place: Place, out: &mut Out) -> crate::Flow {
        let native = crate::values::id(value.get("id")).unwrap_or_default();
        if value.get("messagetype").is_none() && value.get("content").is_none() {
            return out.failed("this is not a message", place);
        }
        let sender = self.sender(value);
        self.contact(&sender, out)?;
        let name = |id: &str| self.names.get(id).cloned().unwrap_or_else(|| bare(id).to_owned());
        let Some(Said { part, text: said, file, answers, edited }) = content::said(value, &sender.name, &name) else {
            return out.skipped("message without text", place);
        };
        let own = text(value, "conversationid");
        let key = if self.chat.id.is_empty() { user(own) } else { self.chat.id.as_str() };
        let thread = Thread::new(FORMAT.key, Kind::Chat, key);
        let attachments = file.map(|f| self.attachment(f)).into_iter().collect();
        let chat = &self.chat;
        let known = self.threads.of(&thread, || (chat.kind(), chat.title()));
        if known.is_new() {
            chat.members.iter().for_each(|member| known.meet(&name(member)));
        }
        let written = text(value, "originalarrivaltime");
        let when = time::iso(written);
        let native = if native.is_empty() { format!("{written} {} {said}", sender.key) } else { native };
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            text: said,
            time: when.or(known.last).unwrap_or(self.options.now),
            time_original: written.to_owned(),
            zone_known: when.is_some(),
            edited: edited.filter(|_| part == Part::Text),
            reply_to: answers.map(|id| thread.message_id(&id)),
            attachments,
            reactions: reactions(value),
            ..thread.message(thread.message_id(&native), sender, place)
        };
        known.put(message, out)
    }

    fn sender(&mut self, value: &Value) -> Sender {
        let id = user(text(value, "from")).to_owned();
        let own = text(value, "displayName").trim();
        let known = self.names.get(&id).map(String::as_str);
        let name = [own, known.unwrap_or_default(), bare(&id)].into_iter().find(|n| !n.is_empty());
        // Groups send notices of their own.
        let name = if id.starts_with("19:") { FORMAT.label } else { name.unwrap_or("Unknown") }.to_owned();
        if !own.is_empty() {
            self.names.insert(id.clone(), own.to_owned());
        }
        let me = !self.chat.owner.is_empty() && bare(&id) == self.chat.owner;
        Sender { key: if id.is_empty() { "unknown".to_owned() } else { id }, name, me }
    }

    fn contact(&mut self, sender: &Sender, out: &mut Out) -> crate::Flow {
        if sender.key.starts_with("19:") || !self.told.insert(format!("{} {}", sender.key, sender.name)) {
            return crate::Flow::Continue(());
        }
        let bare = bare(&sender.key).to_owned();
        // Network 4 is the telephone.
        let (numbers, handles) = if sender.key.starts_with("4:") { (vec![bare], vec![]) } else { (vec![], vec![bare]) };
        out.contact(Contact {
            source: FORMAT.key.to_owned(),
            key: sender.key.clone(),
            name: sender.name.clone(),
            numbers,
            handles,
            me: sender.me,
            ..Contact::default()
        })
    }

    /// Media are named by the id in the address of the message.
    fn attachment(&self, file: content::File) -> Attachment {
        let named = |path: &&String| {
            let name = path.rsplit('/').next().unwrap_or_default();
            !file.id.is_empty() && name.starts_with(&file.id) && !name.ends_with(".json")
        };
        let path = self.media.iter().find(named).cloned();
        Attachment {
            mime: crate::mime::of_name(&file.name).or_else(|| crate::mime::of_name(path.as_deref()?)),
            name: file.name,
            missing: path.is_none().then(|| "not in this export".to_owned()),
            path,
        }
    }
}

impl Chat {
    fn is_direct(&self) -> bool {
        !self.id.starts_with("19:")
    }

    fn kind(&self) -> ConversationKind {
        let pair = self.id.contains("@unq.gbl.spaces") || self.id.contains("@oneToOne.skype");
        if self.is_direct() || pair { ConversationKind::Direct } else { ConversationKind::Group }
    }

    fn title(&self) -> String {
        if self.name.is_empty() { bare(&self.id).to_owned() } else { self.name.clone() }
    }
}

fn reactions(value: &Value) -> Vec<Reaction> {
    let properties = value.get("properties").unwrap_or(&Value::Null);
    // A list, or a list written as text.
    let written = serde_json::from_str::<Vec<Value>>(text(properties, "emotions")).unwrap_or_default();
    let all = array(properties, "emotions").iter().chain(&written);
    all.map(|emotion| {
        let emoji = match text(emotion, "key") {
            "like" | "yes" => "👍",
            "heart" => "❤️",
            "laugh" => "😆",
            "surprised" => "😮",
            "sad" => "🙁",
            "angry" => "😡",
            other => other,
        };
        let count = u32::try_from(array(emotion, "users").len()).unwrap_or(u32::MAX);
        Reaction { emoji: emoji.to_owned(), count }
    })
    .filter(|r| r.count > 0)
    .collect()
}
