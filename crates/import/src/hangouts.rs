//! Google Hangouts in a Takeout: one `Hangouts.json` with all conversations, in its two forms (formats.md §25).

use crate::{
    Format, ImportError, Options,
    export::Export,
    out::Out,
    record::Thread,
    records::{self, Fields, Record, Shape, Source},
    threads::Threads,
    time,
    values::{array, at, text},
};
use evoke_message::{Attachment, Contact, ConversationKind, Kind, Message, Part, Place, Role, Sender};
use serde_json::Value;
use std::collections::HashSet;

pub(crate) const FORMAT: Format = Format {
    key: "hangouts",
    label: "Google Hangouts",
    kind: Kind::Chat,
    how_to_export: "Hangouts has ended. Choose Hangouts.json of a Google Takeout made before, or its zip.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    records: &["events", "event"],
    holders: &["conversations", "conversation_state"],
    // In the older form the events lie in here.
    inner: &["conversation_state"],
    others: &["continuation_end_timestamp"],
    fields: &["conversation", "conversation_id"],
    needed: "conversation",
    bare: true,
    is_record,
    is_holder,
};

fn is_record(keys: &[&str]) -> bool {
    keys.contains(&"event_id") && keys.contains(&"conversation_id")
}

fn is_holder(keys: &[&str]) -> bool {
    (keys.contains(&"conversation") && keys.contains(&"events"))
        || (keys.contains(&"conversation_state") && keys.contains(&"conversation_id"))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let files = export.json_files(|head| records::fits(head, &SHAPE));
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &file in files {
        let source = Source { export, file };
        let mut reading = Reading { options, threads: Threads::default(), chat: Chat::default(), told: HashSet::new() };
        records::each(&source, &SHAPE, options, out, |record, number, out| match record {
            Record::Begins(fields) => reading.begins(&fields, out),
            Record::One(value) => reading.event(&value, export.place(file, number), out),
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

/// What is known of the conversation under way.
#[derive(Default)]
struct Chat {
    key: String,
    name: String,
    group: bool,
    /// Names by user id.
    people: Vec<(String, String)>,
    owner: String,
}

struct Reading<'a> {
    options: &'a Options,
    threads: Threads,
    chat: Chat,
    /// Ids of people handed out.
    told: HashSet<String>,
}

/// People have two ids that are mostly equal; either may be missing.
fn person(id: Option<&Value>) -> String {
    let Some(value) = id else { return String::new() };
    ["gaia_id", "chat_id"].iter().find_map(|key| crate::values::id(value.get(key))).unwrap_or_default()
}

impl Reading<'_> {
    fn begins(&mut self, fields: &Fields, out: &mut Out) -> crate::Flow {
        let outer = fields.get("conversation").unwrap_or(&Value::Null);
        // The newer form has the conversation in an object of the same name.
        let inner = outer.get("conversation").unwrap_or(outer);
        let id = [at(outer, &["conversation_id", "id"]), at(outer, &["id", "id"]), at(inner, &["id", "id"])];
        let given = fields.get("conversation_id").map_or("", |id| text(id, "id"));
        let key = id.into_iter().chain([given]).find(|id| !id.is_empty()).unwrap_or_default();
        let read_state = inner.get("self_conversation_state").and_then(|s| s.get("self_read_state"));
        self.chat = Chat {
            key: key.to_owned(),
            name: text(inner, "name").to_owned(),
            group: text(inner, "type") == "GROUP",
            people: Vec::new(),
            owner: person(read_state.and_then(|s| s.get("participant_id"))),
        };
        for participant in array(inner, "participant_data") {
            let id = person(participant.get("id"));
            let number = at(participant, &["phone_number", "e164"]);
            let name = [text(participant, "fallback_name"), number, id.as_str()].into_iter().find(|n| !n.is_empty());
            let name = name.unwrap_or_default().to_owned();
            self.chat.people.push((id.clone(), name.clone()));
            if !id.is_empty() && self.told.insert(id.clone()) {
                out.contact(Contact {
                    source: FORMAT.key.to_owned(),
                    me: id == self.chat.owner,
                    key: id,
                    name,
                    numbers: Some(number).filter(|n| !n.is_empty()).map(str::to_owned).into_iter().collect(),
                    ..Contact::default()
                })?;
            }
        }
        crate::Flow::Continue(())
    }

    fn event(&mut self, value: &Value, place: Place, out: &mut Out) -> crate::Flow {
        if value.get("event_id").is_none() && value.get("timestamp").is_none() {
            return out.failed("this is not a message", place);
        }
        let own = at(value, &["conversation_id", "id"]);
        let key = if own.is_empty() { self.chat.key.as_str() } else { own };
        let chat = &self.chat;
        let owner = person(value.get("self_event_state").and_then(|s| s.get("user_id")));
        let owner = if owner.is_empty() { chat.owner.clone() } else { owner };
        let attachments = attachments(value);
        let sender = chat.sender(value.get("sender_id"), &owner);
        let (part, said) = chat.said(value, &sender.name);
        if said.is_empty() && attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        let thread = Thread::new(FORMAT.key, Kind::Chat, key);
        let known = self.threads.of(&thread, || (chat.kind(), chat.title(&owner)));
        if known.is_new() {
            chat.people.iter().for_each(|(_, name)| known.meet(name));
        }
        let written = crate::values::id(value.get("timestamp")).unwrap_or_default();
        let when = written.parse().ok().and_then(time::from_number);
        let native = match text(value, "event_id") {
            "" => format!("{written} {}", sender.key),
            id => id.to_owned(),
        };
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            text: said,
            time: when.or(known.last).unwrap_or(self.options.now),
            time_original: written,
            zone_known: when.is_some(),
            attachments,
            ..thread.message(thread.message_id(&native), sender, place)
        };
        known.put(message, out)
    }
}

impl Chat {
    fn kind(&self) -> ConversationKind {
        if self.group { ConversationKind::Group } else { ConversationKind::Direct }
    }

    /// Its name, or who else is in it.
    fn title(&self, owner: &str) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let others: Vec<&str> = self.people.iter().filter(|(id, _)| *id != owner).map(|(_, n)| n.as_str()).collect();
        if others.is_empty() { self.key.clone() } else { others.join(", ") }
    }

    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.people.iter().find(|(i, _)| i == id).map_or(id, |(_, name)| name)
    }

    fn sender(&self, id: Option<&Value>, owner: &str) -> Sender {
        let id = person(id);
        match id.as_str() {
            "" => Sender { key: "unknown".to_owned(), name: "Unknown".to_owned(), me: false },
            known => Sender { name: self.name(known).to_owned(), me: known == owner, key: id },
        }
    }

    fn said(&self, value: &Value, who: &str) -> (Part, String) {
        let named = |key: &str| -> String {
            let ids = value.get("membership_change").map(|c| array(c, key)).unwrap_or_default();
            ids.iter().map(|id| self.name(&person(Some(id))).to_owned()).collect::<Vec<_>>().join(", ")
        };
        match (text(value, "event_type"), at(value, &["membership_change", "type"])) {
            (_, "JOIN") | ("ADD_USER", _) => (Part::Service, format!("{who} added {}", named("participant_id"))),
            (_, "LEAVE") | ("REMOVE_USER", _) => (Part::Service, format!("{} left", named("participant_id"))),
            ("RENAME_CONVERSATION", _) => {
                let name = at(value, &["conversation_rename", "new_name"]);
                (Part::Service, format!("{who} named the conversation “{name}”"))
            }
            ("HANGOUT_EVENT", _) => (Part::Call, call(value, who)),
            _ => (Part::Text, segments(value)),
        }
    }
}

fn call(value: &Value, who: &str) -> String {
    let seconds = value.get("hangout_event").and_then(|e| crate::values::id(e.get("hangout_duration_secs")));
    let seconds = seconds.and_then(|s| s.parse().ok()).filter(|s| *s > 0);
    match (at(value, &["hangout_event", "event_type"]), seconds) {
        ("END_HANGOUT", Some(seconds)) => format!("Video call of {who} ended after {}", time::lasted(seconds)),
        ("END_HANGOUT", None) => format!("Video call of {who} ended"),
        _ => format!("{who} started a video call"),
    }
}

fn content(value: &Value) -> &Value {
    value.get("chat_message").and_then(|m| m.get("message_content")).unwrap_or(&Value::Null)
}

fn segments(value: &Value) -> String {
    let one = |segment: &Value| {
        let words = text(segment, "text");
        let set = |name| segment.get("formatting").and_then(|f| f.get(name)).and_then(Value::as_bool) == Some(true);
        match text(segment, "type") {
            "LINE_BREAK" => "\n".to_owned(),
            _ if words.trim() != words || words.is_empty() => words.to_owned(),
            _ if set("bold") => format!("**{words}**"),
            _ if set("italics") => format!("*{words}*"),
            _ if set("strikethrough") => format!("~~{words}~~"),
            _ => words.to_owned(),
        }
    };
    array(content(value), "segment").iter().map(one).collect::<String>().trim().to_owned()
}

fn attachments(value: &Value) -> Vec<Attachment> {
    let one = |attachment: &Value| {
        let item = attachment.get("embed_item")?;
        let photo = item.get("plus_photo").or_else(|| item.get("embeds.PlusPhoto.plus_photo"));
        let url = photo.map_or("", |p| text(p, "url"));
        let name = url.rsplit('/').next().map(|n| n.split('?').next().unwrap_or(n)).filter(|n| n.contains('.'));
        let kind = if photo.is_some_and(|p| text(p, "media_type") == "VIDEO") { "video" } else { "photo" };
        let kind = if photo.is_some() { kind } else { "attachment" };
        Some(Attachment {
            name: name.unwrap_or(kind).to_owned(),
            mime: name.and_then(crate::mime::of_name),
            path: None,
            missing: Some("not in this export".to_owned()),
        })
    };
    array(content(value), "attachment").iter().filter_map(one).collect()
}
