//! Who writes to whom: handles, chats, their members, which message lies in which chat, and tapbacks, which are
//! all read before the messages.

use super::FORMAT;
use crate::{
    record::counted,
    sqlite::{self, number, text},
};
use evoke_message::{Contact, ConversationKind, Reaction};
use rusqlite::{Connection, Row};
use std::collections::{BTreeMap, HashMap, HashSet};

const GROUP: i64 = 43;
const DIRECT: i64 = 45;

/// One row of `chat`.
#[derive(Clone, Debug, Default)]
pub(super) struct Chat {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) group: Option<bool>,
    /// Ids of handles.
    pub(super) members: Vec<String>,
}

impl Chat {
    pub(super) fn kind(&self) -> ConversationKind {
        let group = self.group.unwrap_or(self.key.starts_with("chat") || self.members.len() > 1);
        if group { ConversationKind::Group } else { ConversationKind::Direct }
    }

    /// Its name, or who is in it.
    pub(super) fn title(&self) -> String {
        match (self.name.as_str(), self.members.as_slice()) {
            ("", []) => self.key.clone(),
            ("", members) => members.join(", "),
            (name, _) => name.to_owned(),
        }
    }
}

/// A tapback that is still there.
struct Tapback {
    who: String,
    emoji: String,
}

#[derive(Default)]
pub(super) struct People {
    handles: HashMap<i64, String>,
    /// By row, in its order.
    chats: BTreeMap<i64, Chat>,
    /// Chats of one person or group over several services are one.
    by_key: HashMap<String, Chat>,
    /// Message and chat, sorted: a large database has millions.
    lies_in: Vec<(i64, i64)>,
    /// Deleted, and kept by the phone for some weeks.
    deleted: HashSet<i64>,
    tapbacks: HashMap<String, Vec<Tapback>>,
    /// Numbers and addresses of the owner.
    own: Vec<String>,
}

impl People {
    pub(super) fn read(database: &Connection) -> rusqlite::Result<Self> {
        let mut people = Self::default();
        each(database, "handle", &["id"], "", |id, row| {
            people.handles.extend(text(row.get_ref(1)?).map(|handle| (id, handle.trim().to_owned())));
            Ok(())
        })?;
        let columns = ["chat_identifier", "guid", "display_name", "style", "room_name"];
        each(database, "chat", &columns, "", |id, row| {
            let column = |i| row.get_ref(i).map(text).map(Option::unwrap_or_default);
            let key = [column(1)?, column(5)?, column(2)?].into_iter().find(|k| !k.is_empty());
            let group = match number(row.get_ref(4)?) {
                Some(GROUP) => Some(true),
                Some(DIRECT) => Some(false),
                _ => None,
            };
            let key = key.unwrap_or_else(|| format!("chat {id}"));
            people.chats.insert(id, Chat { key, name: column(3)?, group, members: Vec::new() });
            Ok(())
        })?;
        each(database, "chat_handle_join", &["chat_id", "handle_id"], "", |_, row| {
            let (chat, handle) = (number(row.get_ref(1)?), number(row.get_ref(2)?));
            let chat = chat.and_then(|id| people.chats.get_mut(&id));
            if let (Some(chat), Some(id)) = (chat, handle.and_then(|h| people.handles.get(&h)))
                && !chat.members.contains(id)
            {
                chat.members.push(id.clone());
            }
            Ok(())
        })?;
        for chat in people.chats.values() {
            let one =
                people.by_key.entry(chat.key.clone()).or_insert_with(|| Chat { name: String::new(), ..chat.clone() });
            if one.name.is_empty() {
                one.name.clone_from(&chat.name);
            }
            one.group = one.group.or(chat.group);
            let new: Vec<String> = chat.members.iter().filter(|m| !one.members.contains(m)).cloned().collect();
            one.members.extend(new);
        }
        each(database, "chat_message_join", &["message_id", "chat_id"], "", |_, row| {
            people.lies_in.extend(number(row.get_ref(1)?).zip(number(row.get_ref(2)?)));
            Ok(())
        })?;
        people.lies_in.sort_unstable();
        each(database, "chat_recoverable_message_join", &["message_id"], "", |_, row| {
            people.deleted.extend(number(row.get_ref(1)?));
            Ok(())
        })?;
        people.read_tapbacks(database)?;
        people.read_own(database)?;
        Ok(people)
    }

    fn read_tapbacks(&mut self, database: &Connection) -> rusqlite::Result<()> {
        let columns = [
            "associated_message_guid",
            "associated_message_type",
            "associated_message_emoji",
            "is_from_me",
            "handle_id",
        ];
        let present = sqlite::columns(database, "message");
        if !columns[..2].iter().all(|c| present.iter().any(|p| p == c)) {
            return Ok(());
        }
        let only = "WHERE associated_message_type BETWEEN 2000 AND 3999 ORDER BY date, ROWID";
        each(database, "message", &columns, only, |_, row| {
            let (on, kind) = (text(row.get_ref(1)?), number(row.get_ref(2)?));
            let (Some(on), Some(kind)) = (on, kind) else { return Ok(()) };
            let emoji = emoji(kind, text(row.get_ref(3)?));
            let who = match number(row.get_ref(4)?) {
                Some(1) => String::new(),
                _ => self.handle(number(row.get_ref(5)?)).unwrap_or("?").to_owned(),
            };
            let all = self.tapbacks.entry(target(&on).to_owned()).or_default();
            // One person has one tapback on a message, and newer phones several emoji.
            all.retain(|t| t.who != who || (kind < 3000 && t.emoji != emoji && kind == 2006));
            if kind < 3000 {
                all.push(Tapback { who, emoji });
            }
            Ok(())
        })
    }

    fn read_own(&mut self, database: &Connection) -> rusqlite::Result<()> {
        let present = sqlite::columns(database, "message");
        for column in ["account", "destination_caller_id"].into_iter().filter(|c| present.iter().any(|p| p == c)) {
            let query = format!("SELECT DISTINCT {column} FROM message WHERE {column} IS NOT NULL AND is_from_me = 1");
            let mut statement = database.prepare(&query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let found = text(row.get_ref(0)?).unwrap_or_default();
                // `E:mail` and `P:number`
                let bare = found.strip_prefix("E:").or_else(|| found.strip_prefix("P:")).unwrap_or(&found).trim();
                if !bare.is_empty() && !self.own.iter().any(|o| o == bare) {
                    self.own.push(bare.to_owned());
                }
            }
        }
        Ok(())
    }

    pub(super) fn handle(&self, id: Option<i64>) -> Option<&str> {
        self.handles.get(&id?).map(String::as_str).filter(|h| !h.is_empty())
    }

    /// The chat that a message lies in; of several the first.
    pub(super) fn chat_of(&self, message: i64) -> Option<&Chat> {
        let from = self.lies_in.partition_point(|(m, _)| *m < message);
        let of = self.lies_in.get(from..)?.iter().take_while(|(m, _)| *m == message);
        of.filter_map(|(_, chat)| self.chats.get(chat)).next()
    }

    pub(super) fn is_deleted(&self, message: i64) -> bool {
        let from = self.lies_in.partition_point(|(m, _)| *m < message);
        self.deleted.contains(&message) && self.lies_in.get(from).is_none_or(|(m, _)| *m != message)
    }

    /// What is known of the chat with this key.
    pub(super) fn chat(&self, key: &str) -> Option<&Chat> {
        self.by_key.get(key)
    }

    pub(super) fn reactions(&self, guid: &str) -> Vec<Reaction> {
        counted(self.tapbacks.get(guid).into_iter().flatten().map(|tapback| tapback.emoji.as_str()))
    }

    /// One for each number or address, and one for the owner.
    pub(super) fn contacts(&self) -> Vec<Contact> {
        let known: BTreeMap<&str, ()> = self.handles.values().map(|h| (h.as_str(), ())).collect();
        let mut contacts: Vec<Contact> = known.into_keys().filter(|h| !h.is_empty()).map(|h| contact(h, [h])).collect();
        if !self.own.is_empty() {
            let own = contact("me", self.own.iter().map(String::as_str));
            contacts.push(Contact { name: "Me".to_owned(), me: true, ..own });
        }
        contacts
    }
}

fn contact<'a>(key: &str, ids: impl IntoIterator<Item = &'a str>) -> Contact {
    let (addresses, numbers): (Vec<&str>, Vec<&str>) = ids.into_iter().partition(|id| id.contains('@'));
    Contact {
        source: FORMAT.key.to_owned(),
        key: key.to_owned(),
        name: key.to_owned(),
        numbers: numbers.into_iter().filter(|n| n.contains(|c: char| c.is_ascii_digit())).map(str::to_owned).collect(),
        addresses: addresses.into_iter().map(str::to_owned).collect(),
        ..Contact::default()
    }
}

/// The message that `p:0/GUID`, `bp:GUID` or a bare GUID means.
pub(super) fn target(associated: &str) -> &str {
    associated.rsplit(['/', ':']).next().unwrap_or(associated)
}

fn emoji(kind: i64, own: Option<String>) -> String {
    let known = match kind % 1000 {
        0 => "❤️",
        1 => "👍",
        2 => "👎",
        3 => "😂",
        4 => "‼️",
        5 => "❓",
        7 => "sticker",
        _ => return own.filter(|o| !o.is_empty()).unwrap_or_else(|| "emoji".to_owned()),
    };
    known.to_owned()
}

/// Every row of a table, where it exists: its number, then the columns asked for; those it lacks are NULL.
fn each(
    database: &Connection,
    table: &str,
    columns: &[&str],
    rest: &str,
    mut take: impl FnMut(i64, &Row) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let present = sqlite::columns(database, table);
    if present.is_empty() {
        return Ok(());
    }
    let wanted: Vec<&str> = columns.iter().map(|c| if present.iter().any(|p| p == c) { *c } else { "NULL" }).collect();
    let mut statement = database.prepare(&format!("SELECT ROWID, {} FROM {table} {rest}", wanted.join(", ")))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row.get(0)?, row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn what_a_tapback_is_on() {
        for associated in ["p:0/AB-CD", "bp:AB-CD", "AB-CD"] {
            assert_eq!(target(associated), "AB-CD");
        }
    }
}
