//! Who and what the ids of a Slack export stand for: people, bots, channels.

use super::FORMAT;
use crate::values::{array, first_text, flag, id, number, text};
use evoke_message::{Contact, ConversationKind};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// A channel, group or direct chat.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) key: String,
    pub(super) title: String,
    pub(super) kind: ConversationKind,
    /// Ids of its members.
    pub(super) members: Vec<String>,
    /// UTC milliseconds.
    pub(super) created: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Directory {
    people: BTreeMap<String, Contact>,
    /// Users by the ids of their bots.
    bots: HashMap<String, String>,
    /// By the folder above and the channel's name or id, which is its folder's name.
    channels: HashMap<(String, String), Channel>,
    names: HashMap<String, String>,
}

impl Directory {
    /// Takes a list of the export in.
    pub(super) fn add(&mut self, path: &str, file: &str, list: Vec<Value>) {
        let root = path.rsplit_once('/').map_or("", |(root, _)| root);
        for entry in &list {
            match file {
                "users.json" | "org_users.json" => self.add_person(entry),
                _ => self.add_channel(root, file, entry),
            }
        }
    }

    fn add_person(&mut self, user: &Value) {
        let Some(key) = id(user.get("id")) else { return };
        let profile = user.get("profile").unwrap_or(&Value::Null);
        let named = [first_text(profile, &["display_name", "real_name"]), first_text(user, &["real_name", "name"])];
        let name = named.into_iter().find(|n| !n.is_empty()).unwrap_or(&key).to_owned();
        let one = |value: &str| Some(value.trim().to_owned()).filter(|v| !v.is_empty()).into_iter().collect();
        if let Some(bot) = id(profile.get("bot_id")) {
            self.bots.insert(bot, key.clone());
        }
        self.people.insert(
            key.clone(),
            Contact {
                source: FORMAT.key.to_owned(),
                key,
                name,
                numbers: one(text(profile, "phone")),
                addresses: one(text(profile, "email")),
                handles: one(text(user, "name")),
                me: false,
            },
        );
    }

    fn add_channel(&mut self, root: &str, file: &str, channel: &Value) {
        let Some(key) = id(channel.get("id")) else { return };
        let members: Vec<String> = array(channel, "members").iter().filter_map(|m| id(Some(m))).collect();
        let kind = match file {
            "dms.json" => ConversationKind::Direct,
            "mpims.json" => ConversationKind::Group,
            _ if flag(channel, "is_im") => ConversationKind::Direct,
            _ if flag(channel, "is_mpim") => ConversationKind::Group,
            _ => ConversationKind::Channel,
        };
        let name = text(channel, "name").to_owned();
        if kind == ConversationKind::Channel && !name.is_empty() {
            self.names.insert(key.clone(), name.clone());
        }
        let created = number(channel.get("created")).and_then(crate::time::from_number);
        let entry = Channel { title: name.clone(), key: key.clone(), kind, members, created };
        if !name.is_empty() {
            self.channels.insert((root.to_owned(), name), entry.clone());
        }
        self.channels.insert((root.to_owned(), key), entry);
    }

    pub(super) fn contacts(&self) -> Vec<Contact> {
        self.people.values().cloned().collect()
    }

    /// The name of a person.
    pub(super) fn name(&self, id: &str) -> Option<&str> {
        let id = self.bots.get(id).map_or(id, String::as_str);
        self.people.get(id).map(|c| c.name.as_str())
    }

    /// The person behind a bot.
    pub(super) fn user_of_bot(&self, bot: &str) -> Option<&str> {
        self.bots.get(bot).map(String::as_str)
    }

    pub(super) fn channel_name(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// The channel whose days lie in `folder`. One that no list names is known by its folder alone.
    pub(super) fn channel(&self, folder: &str) -> Channel {
        let (root, name) = folder.rsplit_once('/').unwrap_or(("", folder));
        let listed = self.channels.get(&(root.to_owned(), name.to_owned()));
        let listed = listed.or_else(|| {
            // A folder taken out of its export, or one that lies deeper than its list.
            let mut same = self.channels.iter().filter(|((_, n), _)| n == name);
            same.next().filter(|_| same.next().is_none()).map(|(_, channel)| channel)
        });
        listed.map_or_else(|| unlisted(name), |channel| self.titled(channel))
    }

    /// The channel with this id; `name` where no list has it.
    pub(super) fn channel_with(&self, id: &str, name: &str) -> Channel {
        let listed = self.channels.values().find(|channel| channel.key == id);
        let unlisted = || Channel { title: if name.is_empty() { id } else { name }.to_owned(), ..unlisted(id) };
        listed.map_or_else(unlisted, |channel| self.titled(channel))
    }

    fn titled(&self, channel: &Channel) -> Channel {
        let title = match channel.kind {
            ConversationKind::Channel => channel.title.clone(),
            _ => self.title_of_people(channel),
        };
        Channel { title, ..channel.clone() }
    }

    fn title_of_people(&self, channel: &Channel) -> String {
        let names: Vec<&str> = channel.members.iter().map(|m| self.name(m).unwrap_or(m)).collect();
        if names.is_empty() { channel.title.clone() } else { names.join(", ") }
    }
}

/// Ids of direct chats begin with D; the name of a group chat lists its people.
fn unlisted(name: &str) -> Channel {
    let is_id = name.len() > 8 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let kind = match name {
        n if is_id && n.starts_with('D') => ConversationKind::Direct,
        n if n.starts_with("mpdm-") => ConversationKind::Group,
        _ => ConversationKind::Channel,
    };
    // A day that lies in no folder.
    let (key, title) = if name.is_empty() { ("unknown channel", FORMAT.label) } else { (name, name) };
    Channel { key: key.to_owned(), title: title.to_owned(), kind, members: Vec::new(), created: None }
}
