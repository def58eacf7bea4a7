//! Signal's own export: `main.jsonl`, a frame a line. It is read twice: first who is who, then what was
//! written. A line at a time is held.

use super::{
    FORMAT,
    people::{People, Recipient, base64, hex},
    update, words,
};
use crate::{
    ImportError, Options,
    export::Export,
    json, jsonl,
    media::{self, Media},
    out::Out,
    record::{Thread, counted},
    text::{Line, Lines},
    threads::Participants,
    time,
    values::{array, first_text, id, number, text},
};
use evoke_message::{Attachment, Kind, Message, MessageId, Part, Place, Reaction, Role, Sender};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
};

/// A line of the export, or its first line.
pub(super) fn is_frame(value: &Value) -> bool {
    let inner = |key: &str| value.get(key).filter(|v| v.is_object());
    inner("chatItem").is_some_and(|i| i.get("chatId").is_some() || i.get("dateSent").is_some())
        || inner("recipient").is_some_and(|r| {
            ["contact", "group", "self", "distributionList", "releaseNotes", "callLink"]
                .iter()
                .any(|k| r.get(k).is_some())
        })
        || inner("chat").is_some_and(|c| c.get("recipientId").is_some())
        || (value.get("backupTimeMs").is_some() && value.get("version").is_some())
}

pub(super) fn read(
    export: &Export,
    file: usize,
    options: &Options,
    media: &Media,
    out: &mut Out,
) -> Result<(), ImportError> {
    let people = people(export, file, options)?;
    for contact in people.contacts() {
        if out.contact(contact).is_break() {
            return Ok(());
        }
    }
    let mut reading = Reading {
        export,
        options,
        media,
        people: &people,
        files: files(export),
        chats: BTreeMap::new(),
        seen: 0,
        last: None,
    };
    jsonl::each(export, file, options, out, |line, frame, out| {
        let place = export.place(file, line);
        match frame.get("chatItem") {
            Some(item) => reading.item(item, place, out),
            None => other(&frame, place, out),
        }
    })?;
    if !out.stopped() {
        reading.end(out);
    }
    Ok(())
}

/// Who is who: all lines that are no messages.
fn people(export: &Export, file: usize, options: &Options) -> Result<People, ImportError> {
    let mut people = People::default();
    let lines = Lines::new(export.open(file)?, options.limits.record).map_err(|e| export.trouble(file, e))?;
    for line in lines.map_while(Result::ok) {
        let Line::Text { text, .. } = line else { continue };
        let begins: String = text.chars().filter(|c| !c.is_whitespace()).take(12).collect();
        if begins.starts_with("{\"chatItem\"") {
            continue;
        }
        if let Ok((frame, _)) = json::parse::<Value>(text.as_bytes()) {
            people.take(&frame);
        }
    }
    Ok(people)
}

/// Lines that are neither messages nor people.
fn other(frame: &Value, place: Place, out: &mut Out) -> crate::Flow {
    let Some(object) = frame.as_object() else { return out.failed("this is no record of Signal", place) };
    let known = ["account", "recipient", "chat", "version", "backupTimeMs"];
    if known.iter().any(|key| object.contains_key(*key)) {
        return crate::Flow::Continue(());
    }
    match object.keys().next().map(String::as_str) {
        Some("stickerPack") => out.skipped("sticker pack", place),
        Some("adHocCall") => out.skipped("call by a link, which belongs to no chat", place),
        Some("notificationProfile" | "chatFolder") => out.skipped("setting of the app", place),
        _ => out.skipped("record of a kind that Evoke does not know", place),
    }
}

/// The export's own files, by their names without endings, which are hashes.
fn files(export: &Export) -> HashMap<String, usize> {
    let inside =
        export.files().iter().enumerate().filter(|(_, f)| f.path.starts_with("files/") || f.path.contains("/files/"));
    let stem = |name: &str| name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    inside.map(|(i, f)| (stem(f.file_name()), i)).collect()
}

/// One chat under way.
struct Chat {
    thread: Thread,
    recipient: Recipient,
    participants: Participants,
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    media: &'a Media<'a>,
    people: &'a People,
    files: HashMap<String, usize>,
    /// By their ids in the file.
    chats: BTreeMap<String, Chat>,
    seen: u64,
    last: Option<i64>,
}

/// What an item says.
#[derive(Default)]
struct Said {
    part: Option<Part>,
    text: String,
    attachments: Vec<Attachment>,
    reactions: Vec<Reaction>,
    reply_to: Option<MessageId>,
}

impl Reading<'_> {
    fn item(&mut self, item: &Value, place: Place, out: &mut Out) -> crate::Flow {
        self.seen += 1;
        let chat_id = id(item.get("chatId")).unwrap_or_else(|| "0".to_owned());
        let author = id(item.get("authorId")).unwrap_or_else(|| "0".to_owned());
        let sender = match item.get("outgoing") {
            Some(_) => self.people.me(),
            None => self.people.sender(&author),
        };
        if !self.chats.contains_key(&chat_id) {
            let chat = self.open(&chat_id);
            out.conversation(conversation(&chat))?;
            self.chats.insert(chat_id.clone(), chat);
        }
        let Some(thread) = self.chats.get(&chat_id).map(|c| c.thread.clone()) else { return crate::Flow::Continue(()) };
        let Some(said) = self.said(item, &sender, &thread) else {
            return out.skipped("item that this version of Signal leaves empty", place);
        };
        if said.text.is_empty() && said.attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        let message = self.message(item, said, sender, &thread, place);
        if let Some(chat) = self.chats.get_mut(&chat_id).filter(|_| message.part != Part::Service) {
            chat.participants.meet(&message.sender.name);
        }
        out.message(message)
    }

    fn open(&self, id: &str) -> Chat {
        let recipient = self.people.chat(id);
        let mut participants = Participants::default();
        self.people.names_in(&recipient).iter().for_each(|name| participants.meet(name));
        Chat { thread: Thread::new(FORMAT.key, Kind::Chat, recipient.key.clone()), recipient, participants }
    }

    fn message(&mut self, item: &Value, said: Said, sender: Sender, thread: &Thread, place: Place) -> Message {
        // The oldest version has the time at which it was first sent, which does not change.
        let oldest = array(item, "revisions").first();
        let sent = |item: &Value| id(item.get("dateSent"));
        let written = oldest.and_then(sent).or_else(|| sent(item)).unwrap_or_default();
        let exact = written.parse::<f64>().ok().and_then(time::from_number);
        let received = || {
            let incoming = item.get("incoming")?;
            number(incoming.get("dateReceived")).and_then(time::from_number)
        };
        let found = exact.or_else(received);
        let time = found.or(self.last).unwrap_or(self.options.now);
        self.last = Some(time);
        let part = said.part.unwrap_or(Part::Text);
        let edited = number(item.get("dateSent")).and_then(time::from_number).filter(|_| oldest.is_some());
        Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            time,
            zone_known: found.is_some(),
            edited,
            text: said.text,
            reply_to: said.reply_to,
            attachments: said.attachments,
            reactions: said.reactions,
            order: self.seen - 1,
            time_original: written.clone(),
            ..thread.message(native(thread, &sender.key, &written, item), sender, place)
        }
    }

    fn said(&self, item: &Value, sender: &Sender, thread: &Thread) -> Option<Said> {
        let inner = |key: &str| item.get(key).filter(|v| v.is_object());
        let plain = |part, text: String| Some(Said { part: Some(part), text, ..Said::default() });
        if let Some(message) = inner("standardMessage") {
            return Some(self.standard(message, thread));
        }
        if let Some(update) = inner("updateMessage") {
            let (part, text) = update::sentence(update, &sender.name, self.people);
            return plain(part, text);
        }
        if inner("remoteDeletedMessage").or_else(|| inner("adminDeletedMessage")).is_some() {
            return plain(Part::Deleted, "This message was deleted.".to_owned());
        }
        if let Some(message) = inner("stickerMessage") {
            let sticker = message.get("sticker").unwrap_or(&Value::Null);
            let name = format!("sticker {}", text(sticker, "emoji"));
            let path = self.file(sticker.get("data").unwrap_or(&Value::Null)).map(|i| self.path(i));
            let attachments = vec![media::attachment(name.trim_end(), None, path, media::NOT_HERE)];
            return Some(Said { attachments, reactions: reactions(message), ..Said::default() });
        }
        if let Some(message) = inner("contactMessage") {
            let contact = message.get("contact").unwrap_or(&Value::Null);
            let contact = contact.as_array().and_then(|all| all.first()).unwrap_or(contact);
            return Some(Said { text: shared_contact(contact), reactions: reactions(message), ..Said::default() });
        }
        if let Some(message) = inner("viewOnceMessage") {
            let one = message.get("attachment").map(|a| self.attachment(a));
            let gone = || media::attachment("view-once media", None, None, "it could be seen only once");
            return Some(Said {
                attachments: vec![one.unwrap_or_else(gone)],
                reactions: reactions(message),
                ..Said::default()
            });
        }
        if let Some(message) = inner("directStoryReplyMessage") {
            let reply =
                message.get("textReply").map(|r| words::of(r.get("text").unwrap_or(&Value::Null), None, self.people));
            let text = reply.unwrap_or_else(|| text(message, "emoji").to_owned());
            return Some(Said { text, reactions: reactions(message), ..Said::default() });
        }
        if let Some(poll) = inner("poll") {
            return Some(Said { text: poll_text(poll), reactions: reactions(poll), ..Said::default() });
        }
        if let Some(payment) = inner("paymentNotification") {
            let parts = ["Payment", text(payment, "amountMob"), text(payment, "note")];
            return plain(Part::Service, parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" "));
        }
        if inner("giftBadge").is_some() {
            return plain(Part::Service, "Gift badge".to_owned());
        }
        None
    }

    fn standard(&self, message: &Value, thread: &Thread) -> Said {
        let long = message.get("longText").and_then(|pointer| self.long_text(pointer));
        let mut text = words::of(message.get("text").unwrap_or(&Value::Null), long.as_deref(), self.people);
        for preview in array(message, "linkPreview") {
            let url = crate::values::text(preview, "url");
            if !url.is_empty() && !text.contains(url) {
                text = format!("{text}\n{url}").trim().to_owned();
            }
        }
        let attachments = array(message, "attachments").iter().map(|a| self.attachment(a)).collect();
        Said { part: None, text, attachments, reactions: reactions(message), reply_to: self.reply(message, thread) }
    }

    fn reply(&self, message: &Value, thread: &Thread) -> Option<MessageId> {
        let quote = message.get("quote")?;
        let sent = id(quote.get("targetSentTimestamp")).filter(|t| t != "0")?;
        let author = self.people.sender(&id(quote.get("authorId")).unwrap_or_else(|| "0".to_owned()));
        Some(thread.message_id(&format!("{} {sent}", author.key)))
    }

    fn attachment(&self, attachment: &Value) -> Attachment {
        let pointer = attachment.get("pointer").unwrap_or(attachment);
        let kind = text(pointer, "contentType");
        let name = match (text(pointer, "fileName"), text(attachment, "flag")) {
            ("", "VOICE_MESSAGE") => "voice message",
            ("", "GIF") => "GIF",
            ("", _) => match kind.split('/').next() {
                Some("image") => "photo",
                Some("video") => "video",
                Some("audio") => "audio",
                _ => "file",
            },
            (name, _) => name,
        };
        media::attachment(name, Some(kind), self.file(pointer).map(|i| self.path(i)), media::NOT_HERE)
    }

    fn path(&self, i: usize) -> String {
        self.export.files().get(i).map(|f| f.path.clone()).unwrap_or_default()
    }

    /// The file that a pointer means: named by the hash of its content.
    fn file(&self, pointer: &Value) -> Option<usize> {
        let locator = pointer.get("locatorInfo").unwrap_or(pointer);
        let hashes = ["plaintextHash", "digest", "encryptedDigest"].map(|key| text(locator, key));
        let by_hash = hashes.iter().filter(|h| !h.is_empty()).find_map(|hash| {
            let as_hex = base64(hash).map(|bytes| hex(&bytes));
            self.files.get(&as_hex?).or_else(|| self.files.get(&hash.to_ascii_lowercase()))
        });
        let named = || self.files.get(&first_text(locator, &["mediaName"]).to_ascii_lowercase());
        let stated = || {
            let path = self.media.find(first_text(pointer, &["relativePath", "path"]), "")?;
            self.export.files().iter().position(|f| f.path == path)
        };
        by_hash.or_else(named).copied().or_else(stated)
    }

    /// The whole of a text that was too long for its message.
    fn long_text(&self, pointer: &Value) -> Option<String> {
        let mut bytes = Vec::new();
        let most = self.options.limits.record as u64;
        self.export.open(self.file(pointer)?).ok()?.take(most).read_to_end(&mut bytes).ok()?;
        Some(crate::text::decode(&bytes).0.into_owned()).filter(|t| !t.trim().is_empty())
    }

    fn end(&self, out: &mut Out) {
        for chat in self.chats.values() {
            if out.conversation(conversation(chat)).is_break() {
                return;
            }
        }
    }
}

fn conversation(chat: &Chat) -> evoke_message::Conversation {
    evoke_message::Conversation {
        participants: chat.participants.names(),
        ..chat.thread.conversation(chat.recipient.kind, chat.recipient.name.clone())
    }
}

/// Signal's own key of a message is who wrote it and when; a notice may have the time of a message.
fn native(thread: &Thread, author: &str, sent: &str, item: &Value) -> MessageId {
    match item.get("updateMessage") {
        Some(update) => {
            let what = update.as_object().and_then(|o| o.keys().next()).map_or("", String::as_str);
            thread.message_id(&format!("{author} {sent} {what}"))
        }
        None => thread.message_id(&format!("{author} {sent}")),
    }
}

fn reactions(message: &Value) -> Vec<Reaction> {
    counted(array(message, "reactions").iter().map(|r| text(r, "emoji")))
}

fn shared_contact(contact: &Value) -> String {
    let name = contact.get("name").unwrap_or(&Value::Null);
    let names = ["prefix", "givenName", "middleName", "familyName", "suffix", "nickname"].map(|k| text(name, k));
    let values = ["number", "email"].iter().flat_map(|list| array(contact, list)).map(|v| text(v, "value"));
    let words = names.into_iter().chain(std::iter::once(text(contact, "organization"))).chain(values);
    format!("Contact: {}", words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" "))
}

fn poll_text(poll: &Value) -> String {
    let option = |o: &Value| {
        let votes = array(o, "votes").len();
        format!("\n- {} ({votes})", first_text(o, &["option", "text"]))
    };
    format!("Poll: {}{}", text(poll, "question"), array(poll, "options").iter().map(option).collect::<String>())
}
