//! Discord's own data package: what its owner wrote, channel by channel, as JSON or, in older packages,
//! as tables. Folder names are localised in newer ones, so files are known by their content.

use super::{FORMAT, Reading, conversation_id, message_id, thread, time_of};
use crate::{
    ImportError,
    export::Export,
    lists::{self, Got, Shape},
    media::{self, Media},
    out::Out,
    record::Thread,
    table, time,
    values::{array, first_text, id, text},
};
use evoke_message::{Attachment, Contact, Conversation, ConversationKind, Message, Place, Sender};
use serde_json::{Value, json};
use std::collections::HashMap;

const SHAPE: Shape = Shape { fields: &[], others: &[], is_record: is_message };

pub(super) fn is_message(keys: &[&str]) -> bool {
    ["ID", "Timestamp", "Contents"].iter().all(|k| keys.contains(k))
}

pub(super) fn is_table(head: &[u8]) -> bool {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    line.starts_with(b"ID,Timestamp,Contents")
}

/// What lies beside the messages.
pub(super) struct Package {
    owner: Option<Contact>,
    friends: Vec<Contact>,
    /// Names of channels by their ids.
    index: HashMap<String, String>,
    /// People by name, as a message of DiscordChatExporter lists them.
    mentions: Value,
}

/// A channel as `channel.json` has it.
struct Channel {
    thread: Thread,
    conversation: Conversation,
}

impl Package {
    pub(super) fn read(export: &Export) -> Self {
        let mut package = Self { owner: None, friends: Vec::new(), index: HashMap::new(), mentions: Value::Null };
        for (i, file) in export.files().iter().enumerate() {
            match file.file_name() {
                "user.json" => package.take_owner(&lists::small(export, i).unwrap_or_default()),
                "index.json" => {
                    let Some(Value::Object(names)) = lists::small(export, i) else { continue };
                    let names = names.into_iter().filter(|(key, _)| key.bytes().all(|b| b.is_ascii_digit()));
                    package.index.extend(names.filter_map(|(key, name)| Some((key, name.as_str()?.to_owned()))));
                }
                _ => {}
            }
        }
        package
    }

    fn take_owner(&mut self, user: &Value) {
        if user.get("username").is_none() && user.get("global_name").is_none() {
            return;
        }
        let Some(mut owner) = contact(user, "") else { return };
        owner.me = true;
        let one = |key: &str| Some(text(user, key).to_owned()).filter(|t| !t.is_empty()).into_iter().collect();
        (owner.addresses, owner.numbers) = (one("email"), one("phone"));
        self.owner = Some(owner);
        let friend = |r: &Value| contact(r.get("user")?, text(r, "nickname"));
        self.friends = array(user, "relationships").iter().filter_map(friend).collect();
        let known: Vec<Value> = self.contacts().iter().map(|c| json!({"id": c.key, "name": c.name})).collect();
        self.mentions = json!({ "mentions": known });
    }

    /// Id of the export's owner.
    pub(super) fn owner(&self) -> Option<&str> {
        self.owner.as_ref().map(|o| o.key.as_str())
    }

    pub(super) fn contacts(&self) -> Vec<Contact> {
        self.owner.iter().chain(&self.friends).cloned().collect()
    }

    fn me(&self) -> Sender {
        match &self.owner {
            Some(owner) => Sender { key: owner.key.clone(), name: owner.name.clone(), me: true },
            None => Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true },
        }
    }

    pub(super) fn read_json(&self, reading: &Reading, file: usize, out: &mut Out) -> Result<(), ImportError> {
        let mut written = Written::new(self, reading, file);
        lists::each(reading.export, file, reading.options, &SHAPE, out, |got, place, out| match got {
            Got::Field(..) => crate::Flow::Continue(()),
            Got::Record(Err(reason)) => out.failed(reason, place),
            Got::Record(Ok(value)) => {
                let key = id(value.get("ID"));
                let [when, said, files] = ["Timestamp", "Contents", "Attachments"].map(|k| text(&value, k));
                written.put(key, when, said, files, place, out)
            }
        })
    }

    pub(super) fn read_table(&self, reading: &Reading, file: usize, out: &mut Out) -> Result<(), ImportError> {
        let mut written = Written::new(self, reading, file);
        let is_head = |names: &[String]| table::has(names, &["id", "timestamp", "contents"]);
        table::each(reading.export, file, reading.options, out, is_head, |row, out| {
            let key = Some(row.get("id")).filter(|k| !k.is_empty() && k.bytes().all(|b| b.is_ascii_digit()));
            let place = reading.export.place(file, row.line);
            let [when, said, files] = ["timestamp", "contents", "attachments"].map(|k| row.get(k));
            written.put(key.map(str::to_owned), when, said, files, place, out)
        })
    }

    /// The channel of a file of messages, by the `channel.json` beside it, or by its folder's name.
    fn channel(&self, export: &Export, file: usize) -> Channel {
        let path = export.files().get(file).map_or("", |f| f.path.as_str());
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = format!("{folder}/channel.json");
        let about = export.files().iter().position(|f| f.path == beside.trim_start_matches('/'));
        let about = about.and_then(|i| lists::small(export, i)).unwrap_or_default();
        let of_folder = || {
            let name = folder.rsplit('/').next().unwrap_or_default();
            let digits = name.strip_prefix('c').unwrap_or(name);
            (digits.len() > 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.to_owned())
        };
        let key = id(about.get("id")).or_else(of_folder).unwrap_or_else(|| "unknown channel".to_owned());
        let kind = kind(&id(about.get("type")).unwrap_or_default(), self.index.get(&key).map_or("", String::as_str));
        let thread = thread(&key);
        let mut conversation = thread.conversation(kind, self.title(&key, &about, kind));
        conversation.participants = vec![self.me().name];
        conversation.parent =
            id(about.get("parent_id").or_else(|| about.get("thread_parent_id"))).map(|p| conversation_id(&p));
        Channel { thread, conversation }
    }

    fn title(&self, key: &str, about: &Value, kind: ConversationKind) -> String {
        let indexed = self.index.get(key).map_or("", String::as_str);
        let guild = about.get("guild").map_or("", |g| text(g, "name"));
        match (kind, text(about, "name"), indexed) {
            (ConversationKind::Direct, _, indexed) if !indexed.is_empty() => {
                let name = indexed.strip_prefix("Direct Message with ").unwrap_or(indexed);
                name.strip_suffix("#0").unwrap_or(name).to_owned()
            }
            (kind, "", "") => super::message::title(kind, guild, ""),
            (_, "", indexed) => indexed.to_owned(),
            (kind, name, _) => super::message::title(kind, guild, name),
        }
    }
}

fn contact(user: &Value, nickname: &str) -> Option<Contact> {
    let key = id(user.get("id"))?;
    let handle = text(user, "username");
    let name = [nickname, first_text(user, &["global_name", "display_name", "username"])];
    let name = name.into_iter().find(|n| !n.is_empty()).unwrap_or(&key).to_owned();
    let handles = Some(handle.to_owned()).filter(|h| !h.is_empty()).into_iter().collect();
    Some(Contact { source: FORMAT.key.to_owned(), key, name, handles, ..Contact::default() })
}

/// Types are numbers in older packages, names in newer ones.
fn kind(kind: &str, indexed: &str) -> ConversationKind {
    match kind {
        "1" | "DM" => ConversationKind::Direct,
        "3" | "GROUP_DM" => ConversationKind::Group,
        "" if indexed.starts_with("Direct Message with ") => ConversationKind::Direct,
        _ => ConversationKind::Channel,
    }
}

/// The messages of one channel under way.
struct Written<'a> {
    channel: Channel,
    me: Sender,
    mentions: &'a Value,
    media: &'a Media<'a>,
    from: &'a str,
    now: i64,
    last: Option<i64>,
    seen: u64,
    begun: bool,
}

impl<'a> Written<'a> {
    fn new(package: &'a Package, reading: &'a Reading, file: usize) -> Self {
        Self {
            channel: package.channel(reading.export, file),
            me: package.me(),
            mentions: &package.mentions,
            media: reading.media,
            from: reading.path(file),
            now: reading.options.now,
            last: None,
            seen: 0,
            begun: false,
        }
    }

    fn put(
        &mut self,
        key: Option<String>,
        when: &str,
        said: &str,
        files: &str,
        place: Place,
        out: &mut Out,
    ) -> crate::Flow {
        let Some(key) = key else { return out.failed("the message has no id", place) };
        self.seen += 1;
        let attachments = self.attachments(files);
        let text = super::message::mentions(said, self.mentions).trim().to_owned();
        if text.is_empty() && attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        let exact = time::iso(when).or_else(|| time_of(&key));
        let time = exact.or(self.last).unwrap_or(self.now);
        self.last = Some(time);
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(self.channel.conversation.clone())?;
        }
        out.message(Message {
            time,
            time_original: when.to_owned(),
            zone_known: exact.is_some(),
            text,
            attachments,
            order: self.seen - 1,
            ..self.channel.thread.message(message_id(&key), self.me.clone(), place)
        })
    }

    /// Web addresses with spaces between.
    fn attachments(&self, files: &str) -> Vec<Attachment> {
        let one = |address: &str| match self.media.attachment("", address, self.from) {
            a if a.name.is_empty() => media::attachment("file", None, None, media::NOT_HERE),
            a => a,
        };
        files.split_whitespace().map(one).collect()
    }
}
