//! What one `sms`, `mms` or `call` says: who, to whom, when, and in which words.

use super::{me, number, scan::Element};
use crate::{mime, time};
use evoke_message::{Attachment, ConversationKind, Part, Place, Sender};
use std::collections::HashMap;

/// Stands for the own number in a picture message that was sent.
const OWN: &str = "insert-address-token";
/// What the app calls a number that is in no contact.
const UNNAMED: [&str; 2] = ["(Unknown)", "Unknown"];
/// Numbers that say that there is none.
const HIDDEN: [&str; 4] = ["", "-1", "-2", "-3"];
/// `type` of an `addr`.
const FROM: &str = "137";

/// A record under way.
pub(super) struct Draft {
    element: Element,
    parts: Vec<Element>,
    /// `type` and address.
    addresses: Vec<(String, String)>,
    pub(super) place: Place,
    /// The file is broken within it.
    pub(super) damaged: bool,
}

/// Somebody else than the owner.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Person {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) number: String,
}

impl Person {
    fn sender(&self) -> Sender {
        Sender { key: self.key.clone(), name: self.name.clone(), me: false }
    }
}

/// What is made of a record.
pub(super) struct Said {
    pub(super) kind: ConversationKind,
    pub(super) title: String,
    pub(super) sender: Sender,
    pub(super) part: Part,
    pub(super) text: String,
    pub(super) attachments: Vec<Attachment>,
    pub(super) time: Option<i64>,
    pub(super) original: String,
    /// What tells it from others of its conversation.
    pub(super) native: Vec<String>,
}

impl Draft {
    pub(super) fn new(element: Element, place: Place) -> Self {
        Self { element, parts: Vec::new(), addresses: Vec::new(), place, damaged: false }
    }

    pub(super) fn add(&mut self, element: Element) {
        match element.name.as_str() {
            "part" => self.parts.push(element),
            "addr" => {
                let kind = element.get("type").unwrap_or_default().to_owned();
                self.addresses.extend(element.get("address").map(|a| (kind, a.to_owned())));
            }
            _ => {}
        }
    }

    /// Nothing of it was read but its beginning.
    pub(super) fn is_bare(&self) -> bool {
        self.parts.is_empty()
    }

    fn kind(&self) -> &str {
        self.element.get(if self.element.name == "mms" { "msg_box" } else { "type" }).unwrap_or_default()
    }

    fn address(&self) -> &str {
        self.element.get(if self.element.name == "call" { "number" } else { "address" }).unwrap_or_default().trim()
    }

    /// Everybody else in the conversation; `known` are names by key, for messages that have none. The app joins numbers by `~` and names by a comma.
    pub(super) fn people(&self, known: &HashMap<String, String>) -> Vec<Person> {
        let address = self.address();
        let numbers: Vec<&str> = match address.contains("@rcs.google.com") {
            true => self.others(),
            false => address.split('~').filter(|n| !n.is_empty() && *n != OWN).collect(),
        };
        let names = self.element.get("contact_name").filter(|name| !UNNAMED.contains(name)).unwrap_or_default();
        let names: Vec<&str> = match numbers.len() {
            0 | 1 => vec![names],
            _ => names.split(", ").collect(),
        };
        let named = names.len() == numbers.len();
        let mut people: Vec<Person> = Vec::new();
        for (i, number) in numbers.into_iter().enumerate() {
            let hidden = HIDDEN.contains(&number);
            let key = if hidden { "unknown".to_owned() } else { number::key(number) };
            let name = names.get(i).map(|n| n.trim()).filter(|n| named && !n.is_empty() && !UNNAMED.contains(n));
            let name = name.or_else(|| known.get(&key).map(String::as_str));
            let name = name.unwrap_or(if hidden { "Unknown number" } else { number }).to_owned();
            if !people.iter().any(|p| p.key == key) {
                people.push(Person { key, name, number: if hidden { String::new() } else { number.to_owned() } });
            }
        }
        if people.is_empty() && address.is_empty() {
            people.push(Person { key: "unknown".to_owned(), name: "Unknown number".to_owned(), number: String::new() });
        }
        people
    }

    /// Of a group that has an address of its own: the members that the message itself names.
    fn others(&self) -> Vec<&str> {
        let own = if self.kind() == "1" { ["151", OWN] } else { [FROM, OWN] };
        let others = self.addresses.iter().filter(|(kind, address)| !own.contains(&kind.as_str()) && address != OWN);
        let mut all: Vec<&str> = others.map(|(_, address)| address.as_str()).collect();
        all.dedup();
        all
    }

    /// A group has a key of its own or that of its members in order.
    pub(super) fn thread_key(&self, people: &[&str]) -> String {
        let address = self.address();
        if address.contains("@rcs.google.com") || people.is_empty() {
            return address.to_lowercase();
        }
        let mut keys = people.to_vec();
        keys.sort_unstable();
        keys.join("~")
    }

    /// What it says; or in plain words why it says nothing.
    pub(super) fn said(&self, people: &[Person]) -> Result<Said, &'static str> {
        let group = people.len() > 1 || self.address().contains("@rcs.google.com");
        let names: Vec<&str> = people.iter().map(|p| p.name.as_str()).collect();
        let title = if names.is_empty() { self.address().to_owned() } else { names.join(", ") };
        let (sender, part, text, attachments) = match self.element.name.as_str() {
            "call" => self.call(people),
            name => self.message(name == "mms", people)?,
        };
        let original = self.element.get("date").unwrap_or_default().to_owned();
        Ok(Said {
            kind: if group { ConversationKind::Group } else { ConversationKind::Direct },
            title,
            native: self.native(&original, &text, &attachments),
            sender,
            part,
            text,
            attachments,
            time: original.parse().ok().and_then(time::from_number),
            original,
        })
    }

    fn native(&self, date: &str, text: &str, attachments: &[Attachment]) -> Vec<String> {
        let mut native = vec![self.element.name.clone(), date.to_owned()];
        match self.element.get("m_id") {
            Some(id) => native.push(id.to_owned()),
            None => {
                native.extend([self.kind().to_owned(), text.to_owned()]);
                native.extend(attachments.iter().map(|a| a.name.clone()));
            }
        }
        native
    }

    fn message(
        &self,
        pictures: bool,
        people: &[Person],
    ) -> Result<(Sender, Part, String, Vec<Attachment>), &'static str> {
        let sender = match self.kind() {
            "3" => return Err("draft that was never sent"),
            "2" | "4" | "5" | "6" => me(),
            _ => self.from(people),
        };
        let subject = self.element.get(if pictures { "sub" } else { "subject" });
        let mut said: Vec<String> = subject.map(|s| format!("**{}**", s.trim())).into_iter().collect();
        said.extend(self.element.get("body").map(str::to_owned));
        let text = self.parts.iter().filter(|p| p.get("ct").is_some_and(|ct| ct.starts_with("text/plain")));
        said.extend(text.filter_map(|p| p.get("text")).map(str::to_owned));
        let attachments: Vec<Attachment> = self.parts.iter().filter_map(attachment).collect();
        let text = said.join("\n").trim().to_owned();
        match text.is_empty() && attachments.is_empty() {
            false => Ok((sender, Part::Text, text, attachments)),
            true if self.element.get("m_type") == Some("130") => Err("picture message that was never downloaded"),
            true => Err("message without text"),
        }
    }

    fn from(&self, people: &[Person]) -> Sender {
        let from = self.addresses.iter().find(|(kind, address)| kind == FROM && address != OWN);
        let key = from.map(|(_, address)| number::key(address));
        let person = match (&key, from) {
            (Some(key), Some((_, address))) => people.iter().find(|p| p.key == *key).cloned().or_else(|| {
                // Of one other person, the number may be written with another prefix.
                Some(Person { key: key.clone(), name: address.clone(), number: address.clone() })
                    .filter(|_| people.len() != 1)
            }),
            _ => None,
        };
        let unknown = || Sender { key: "unknown".to_owned(), name: "Unknown number".to_owned(), me: false };
        person.as_ref().or_else(|| people.first()).map_or_else(unknown, Person::sender)
    }

    fn call(&self, people: &[Person]) -> (Sender, Part, String, Vec<Attachment>) {
        let unknown = Sender { key: "unknown".to_owned(), name: "Unknown number".to_owned(), me: false };
        let other = people.first().map_or(unknown, Person::sender);
        let name = other.name.clone();
        let (sender, words) = match self.kind() {
            "1" | "7" => (other, format!("Call from {name}")),
            "2" => (me(), format!("Call to {name}")),
            "3" => (other, format!("Missed call from {name}")),
            "4" => (other, format!("Voicemail from {name}")),
            "5" => (other, format!("Rejected call from {name}")),
            "6" => (other, format!("Blocked call from {name}")),
            _ => (other, format!("Call with {name}")),
        };
        let seconds = self.element.get("duration").and_then(|d| d.parse::<u64>().ok()).unwrap_or(0);
        let long = if seconds > 0 { format!(", {}", time::lasted(seconds)) } else { String::new() };
        (sender, Part::Call, format!("{words}{long}"), Vec::new())
    }
}

fn attachment(part: &Element) -> Option<Attachment> {
    let kind = part.get("ct").unwrap_or("application/octet-stream");
    if kind.starts_with("text/plain") || kind == "application/smil" {
        return None;
    }
    let name = ["cl", "name", "fn"].iter().find_map(|n| part.get(n));
    let plain = kind.split('/').next().unwrap_or("file");
    let name = name.map_or_else(|| plain.to_owned(), |n| n.trim_matches(['<', '>']).to_owned());
    let missing = if part.data { "kept inside the backup file" } else { "not in this export" };
    Some(Attachment {
        mime: Some(kind.to_owned()).filter(|k| k.contains('/')).or_else(|| mime::of_name(&name)),
        name,
        path: None,
        missing: Some(missing.to_owned()),
    })
}
