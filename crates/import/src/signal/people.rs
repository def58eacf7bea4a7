//! Who is who in Signal's own export. Its ids hold only within one file: people are known by their account,
//! else their number, groups by their key.

use super::FORMAT;
use crate::values::{array, first_text, id, number, text};
use evoke_message::{Contact, ConversationKind, Sender};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Debug)]
pub(super) struct Recipient {
    /// The same in every export.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) kind: ConversationKind,
    pub(super) me: bool,
    /// Account ids of a group's members.
    members: Vec<String>,
    contact: Option<Contact>,
}

#[derive(Debug, Default)]
pub(super) struct People {
    /// By their ids within the file.
    recipients: BTreeMap<String, Recipient>,
    /// Recipients by chat ids.
    chats: HashMap<String, String>,
    /// Names by account ids.
    names: HashMap<String, String>,
    owner: Contact,
}

const ME: &str = "me";

impl People {
    /// Takes a line of the export in, where it is about people.
    pub(super) fn take(&mut self, frame: &Value) {
        if let Some(account) = frame.get("account") {
            let name = joined(account, "givenName", "familyName");
            self.owner = Contact {
                source: FORMAT.key.to_owned(),
                key: ME.to_owned(),
                name: if name.is_empty() { "Me".to_owned() } else { name },
                handles: one(text(account, "username")),
                numbers: phone(account.get("e164")).into_iter().collect(),
                me: true,
                ..Contact::default()
            };
        } else if let Some(recipient) = frame.get("recipient") {
            self.recipient(recipient);
        } else if let Some(chat) = frame.get("chat") {
            let pair = id(chat.get("id")).zip(id(chat.get("recipientId")));
            self.chats.extend(pair);
        }
    }

    fn recipient(&mut self, value: &Value) {
        // The first id may be 0, which is left out.
        let at = id(value.get("id")).unwrap_or_else(|| "0".to_owned());
        let found = if let Some(contact) = value.get("contact") {
            self.person(contact, &at)
        } else if let Some(group) = value.get("group") {
            group_of(group, &at)
        } else if value.get("self").is_some() {
            Recipient {
                key: ME.to_owned(),
                name: String::new(),
                kind: ConversationKind::Direct,
                me: true,
                members: Vec::new(),
                contact: None,
            }
        } else {
            let (key, name) = if value.get("releaseNotes").is_some() {
                ("release notes", "Signal")
            } else if value.get("callLink").is_some() {
                ("call link", "Call link")
            } else {
                ("distribution list", "Story")
            };
            let (key, name) = (key.to_owned(), name.to_owned());
            Recipient { key, name, kind: ConversationKind::Channel, me: false, members: Vec::new(), contact: None }
        };
        self.recipients.insert(at, found);
    }

    fn person(&mut self, contact: &Value, at: &str) -> Recipient {
        let number = phone(contact.get("e164"));
        let account = uuid(text(contact, "aci"));
        let pni = uuid(text(contact, "pni"));
        let nickname = contact.get("nickname").map(|n| joined(n, "given", "family")).unwrap_or_default();
        let names = [
            nickname,
            joined(contact, "systemGivenName", "systemFamilyName"),
            joined(contact, "profileGivenName", "profileFamilyName"),
            text(contact, "username").to_owned(),
            number.clone().unwrap_or_default(),
        ];
        let name = names.into_iter().find(|n| !n.is_empty()).unwrap_or_else(|| "Unknown".to_owned());
        let key = account.clone().or_else(|| number.clone()).or(pni).unwrap_or_else(|| format!("unknown {at}"));
        if let Some(account) = account {
            self.names.insert(account, name.clone());
        }
        let contact = Contact {
            source: FORMAT.key.to_owned(),
            key: key.clone(),
            name: name.clone(),
            numbers: number.into_iter().collect(),
            handles: one(text(contact, "username")),
            ..Contact::default()
        };
        Recipient { key, name, kind: ConversationKind::Direct, me: false, members: Vec::new(), contact: Some(contact) }
    }

    /// Everybody in the export, its owner first.
    pub(super) fn contacts(&self) -> Vec<Contact> {
        let owner = Some(self.owner.clone()).filter(|o| o.me);
        owner.into_iter().chain(self.recipients.values().filter_map(|r| r.contact.clone())).collect()
    }

    fn my_name(&self) -> &str {
        if self.owner.name.is_empty() { "Me" } else { &self.owner.name }
    }

    pub(super) fn sender(&self, recipient: &str) -> Sender {
        match self.recipients.get(recipient) {
            Some(r) if r.me => Sender { key: ME.to_owned(), name: self.my_name().to_owned(), me: true },
            Some(r) => Sender { key: r.key.clone(), name: r.name.clone(), me: false },
            None => Sender { key: format!("unknown {recipient}"), name: "Unknown".to_owned(), me: false },
        }
    }

    pub(super) fn me(&self) -> Sender {
        Sender { key: ME.to_owned(), name: self.my_name().to_owned(), me: true }
    }

    /// The chat's recipient; the export's own notes are a chat with oneself.
    pub(super) fn chat(&self, chat: &str) -> Recipient {
        let found = self.chats.get(chat).and_then(|r| self.recipients.get(r));
        match found {
            Some(r) if r.me => {
                Recipient { key: "note to self".to_owned(), name: "Note to Self".to_owned(), ..r.clone() }
            }
            Some(r) => r.clone(),
            None => Recipient {
                key: "unknown chat".to_owned(),
                name: FORMAT.label.to_owned(),
                kind: ConversationKind::Group,
                me: false,
                members: Vec::new(),
                contact: None,
            },
        }
    }

    /// Names of the people in a chat, its owner last.
    pub(super) fn names_in(&self, chat: &Recipient) -> Vec<String> {
        let mut names: Vec<String> = match chat.kind {
            ConversationKind::Group => chat.members.iter().filter_map(|m| self.names.get(m)).cloned().collect(),
            _ if chat.me => Vec::new(),
            _ => vec![chat.name.clone()],
        };
        if chat.kind != ConversationKind::Channel {
            names.push(self.my_name().to_owned());
        }
        names
    }

    /// The name of an account, given as bytes.
    pub(super) fn name_of(&self, account: &str) -> String {
        let named = uuid(account).and_then(|a| self.names.get(&a).cloned());
        named.unwrap_or_else(|| "somebody".to_owned())
    }
}

fn group_of(group: &Value, at: &str) -> Recipient {
    let snapshot = group.get("snapshot").unwrap_or(&Value::Null);
    let title = snapshot.get("title").map_or("", |t| t.as_str().unwrap_or_else(|| text(t, "title")));
    let key = match first_text(group, &["masterKey", "id"]) {
        "" => format!("group {title} {at}"),
        key => format!("group {key}"),
    };
    let members = array(snapshot, "members").iter().filter_map(|m| uuid(text(m, "userId"))).collect();
    let name = if title.is_empty() { "Group" } else { title }.to_owned();
    Recipient { key, name, kind: ConversationKind::Group, me: false, members, contact: None }
}

fn one(value: &str) -> Vec<String> {
    Some(value.to_owned()).filter(|v| !v.is_empty()).into_iter().collect()
}

fn joined(value: &Value, given: &str, family: &str) -> String {
    let parts = [text(value, given), text(value, family)];
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Numbers are figures without a plus.
fn phone(value: Option<&Value>) -> Option<String> {
    let digits = id(value).filter(|_| number(value) != Some(0.0))?;
    Some(if digits.starts_with('+') { digits } else { format!("+{digits}") })
}

/// An account id, from base64 of its 16 bytes or as it is written for people.
pub(super) fn uuid(value: &str) -> Option<String> {
    if value.len() == 36 && value.contains('-') {
        return Some(value.to_ascii_lowercase());
    }
    let bytes = base64(value)?;
    // A service id of another kind has a byte before it.
    let bytes = if bytes.len() == 17 { bytes.get(1..)?.to_vec() } else { bytes };
    let hex = hex(&bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    (bytes.len() == 16)
        .then(|| format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Both alphabets, with or without padding.
pub(super) fn base64(value: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| -> Option<u32> {
        Some(match b {
            b'A'..=b'Z' => u32::from(b - b'A'),
            b'a'..=b'z' => u32::from(b - b'a') + 26,
            b'0'..=b'9' => u32::from(b - b'0') + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let mut out = Vec::new();
    for four in value.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().try_fold(0u32, |bits, b| Some(bits << 6 | digit(*b)?))?;
        let bits = bits << (6 * (4 - four.len()));
        let len = match four.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        out.extend(bits.to_be_bytes().iter().skip(1).take(len));
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_from_bytes() {
        assert_eq!(uuid("AAECAwQFBgcICQoLDA0ODw==").as_deref(), Some("00010203-0405-0607-0809-0a0b0c0d0e0f"));
        assert_eq!(
            uuid("00010203-0405-0607-0809-0A0B0C0D0E0F").as_deref(),
            Some("00010203-0405-0607-0809-0a0b0c0d0e0f")
        );
        assert_eq!(uuid("short"), None);
        assert_eq!(base64("aGk").as_deref(), Some(&b"hi"[..]));
        assert_eq!(base64("a*"), None);
    }
}
