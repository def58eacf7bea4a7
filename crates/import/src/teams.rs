//! Microsoft Teams as administrators and the Graph interface export it: lists of messages of channels and chats,
//! with PascalCase or camelCase names (formats.md §26). What a person exports of their own account is left to
//! `skype.rs`, which it shares its form with.

mod body;

use crate::{
    Format, ImportError, Options,
    export::Export,
    out::Out,
    record::{Thread, counted},
    records::{self, Record, Shape, Source},
    threads::Threads,
    time,
};
use evoke_message::{Contact, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;
use std::collections::HashMap;

pub(crate) const FORMAT: Format = Format {
    key: "teams",
    label: "Microsoft Teams",
    kind: Kind::Chat,
    how_to_export: "Ask the administrator for the Teams data of your account (folders teams and users with JSON files), or save the \
                    answers of the Graph interface for messages of a chat or channel as JSON. Choose the folder or the zip.",
    detect,
    read,
};

const SHAPE: Shape = Shape {
    records: &["value", "messages", "Messages", "replies"],
    holders: &[],
    inner: &[],
    others: &[],
    fields: &[],
    needed: "",
    bare: true,
    is_record,
    is_holder: |_| false,
};

fn is_record(keys: &[&str]) -> bool {
    let all = |names: [&str; 3]| names.iter().all(|n| keys.contains(n));
    all(["Id", "Body", "CreatedDateTime"]) || (all(["id", "body", "createdDateTime"]) && keys.contains(&"messageType"))
}

/// Lists of people, channels and teams.
fn is_list(keys: &[&str]) -> bool {
    let all = |names: &[&str]| names.iter().all(|n| keys.contains(n));
    all(&["DisplayName", "MembershipType"])
        || all(&["displayName", "membershipType"])
        || all(&["Name", "UserId", "UserName"])
        || all(&["UserPrincipalName", "DisplayName"])
        || all(&["userPrincipalName", "displayName"])
        || all(&["GroupsId", "Name"])
}

/// Messages first, then the lists, which matter only beside messages.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = export.json_files(|head| records::fits(head, &SHAPE));
    if files.is_empty() {
        return None;
    }
    let lists = export.json_files(|head| crate::json::hunt(head, is_list));
    let lists: Vec<usize> = lists.into_iter().filter(|i| !files.contains(i)).collect();
    files.extend(lists);
    Some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let is_messages = |i: &usize| export.head(*i).is_ok_and(|head| records::fits(&head, &SHAPE));
    let mut reading = Reading { options, names: Names::default(), threads: Threads::default() };
    for &file in files.iter().filter(|i| !is_messages(i)) {
        let team = team_of(export, file);
        for value in records::values(export, file, options) {
            if let Some(contact) = reading.names.learn(&value, &team)
                && out.contact(contact).is_break()
            {
                return Ok(());
            }
        }
    }
    for &file in files.iter().filter(|i| is_messages(i)) {
        let source = Source { export, file };
        records::each(&source, &SHAPE, options, out, |record, number, out| match record {
            Record::One(value) => reading.message(&value, export.place(file, number), out),
            Record::Begins(_) | Record::Ends(_) => crate::Flow::Continue(()),
        })?;
        if out.stopped() {
            return Ok(());
        }
    }
    reading.threads.end(out);
    Ok(())
}

/// The id of the team that `teams/<id>/channels_<id>.json` is of.
fn team_of(export: &Export, file: usize) -> String {
    let name = export.files().get(file).map_or("", |e| e.file_name());
    let stem = name.strip_prefix("channels_").and_then(|n| n.strip_suffix(".json"));
    stem.unwrap_or_default().to_owned()
}

/// A field in either of the two spellings.
fn get<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    let found = object.get(name).or_else(|| {
        let mut small = name.to_owned();
        small.get_mut(..1)?.make_ascii_lowercase();
        object.get(&small)
    });
    found.filter(|v| !v.is_null())
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    path.iter().try_fold(value, |value, name| get(value, name)).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    get(value, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Names of teams, channels and people by their ids.
#[derive(Default)]
struct Names {
    teams: HashMap<String, String>,
    /// With the team's id.
    channels: HashMap<String, (String, String)>,
    people: HashMap<String, String>,
}

impl Names {
    /// Keeps an entry of a list; a person is also a contact.
    fn learn(&mut self, value: &Value, team: &str) -> Option<Contact> {
        let (id, name) = (at(value, &["Id"]), at(value, &["DisplayName"]));
        if !at(value, &["GroupsId"]).is_empty() {
            self.teams.insert(at(value, &["GroupsId"]).to_owned(), at(value, &["Name"]).to_owned());
            return None;
        }
        if get(value, "MembershipType").is_some() {
            self.channels.insert(id.to_owned(), (name.to_owned(), team.to_owned()));
            return None;
        }
        let key = if id.is_empty() { at(value, &["UserId"]) } else { id };
        let name = if name.is_empty() { at(value, &["Name"]) } else { name };
        if key.is_empty() || name.is_empty() || self.people.insert(key.to_owned(), name.to_owned()).is_some() {
            return None;
        }
        let mails = ["Mail", "UserPrincipalName", "UserName"].map(|field| at(value, &[field]));
        let mut addresses: Vec<String> = mails.into_iter().filter(|m| m.contains('@')).map(str::to_owned).collect();
        addresses.dedup();
        let phones = list(value, "BusinessPhones").iter().filter_map(Value::as_str);
        let phones = phones.chain([at(value, &["MobilePhone"]), at(value, &["PhoneNumber"])]).filter(|p| !p.is_empty());
        let numbers = phones.map(str::to_owned).collect();
        Some(Contact {
            source: FORMAT.key.to_owned(),
            key: key.to_owned(),
            name: name.to_owned(),
            numbers,
            addresses,
            ..Contact::default()
        })
    }
}

struct Reading<'a> {
    options: &'a Options,
    names: Names,
    threads: Threads,
}

impl Reading<'_> {
    fn message(&mut self, value: &Value, place: Place, out: &mut Out) -> crate::Flow {
        let native = crate::values::id(get(value, "Id")).unwrap_or_default();
        if native.is_empty() {
            return out.failed("it has no id", place);
        }
        let sender = self.sender(value);
        let channel = at(value, &["ChannelIdentity", "ChannelId"]);
        let key = [channel, at(value, &["ChatId"])].into_iter().find(|k| !k.is_empty()).unwrap_or("unknown chat");
        let thread = Thread::new(FORMAT.key, Kind::Chat, key);
        let said = body::said(value, &sender.name, &|id| self.names.people.get(id).map(String::as_str));
        let Some((part, text)) = said.words else { return out.skipped(said.nothing, place) };
        let names = &self.names;
        let known = self.threads.of(&thread, || (kind(key), title(names, value, key)));
        if known.is_new() {
            people(names, key).into_iter().for_each(|name| known.meet(name));
        }
        let written = at(value, &["CreatedDateTime"]);
        let when = time::iso(written).or_else(|| native.parse().ok().and_then(time::from_number));
        let answered = said.answers.or_else(|| crate::values::id(get(value, "ReplyToId"))).filter(|id| *id != native);
        let message = Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            text,
            time: when.or(known.last).unwrap_or(self.options.now),
            time_original: written.to_owned(),
            zone_known: when.is_some(),
            edited: time::iso(at(value, &["LastEditedDateTime"])),
            reply_to: answered.map(|id| thread.message_id(&id)),
            attachments: said.attachments,
            reactions: reactions(value),
            ..thread.message(thread.message_id(&native), sender, place)
        };
        known.put(message, out)
    }

    /// A person, a bot, or who caused an event.
    fn sender(&self, value: &Value) -> Sender {
        let from = get(value, "From").or_else(|| get(value, "EventDetail").and_then(|e| get(e, "Initiator")));
        let who = ["User", "Application", "Device", "Conversation", "Phone"].iter().find_map(|kind| get(from?, kind));
        let key = who.map_or("", |w| at(w, &["Id"]));
        let name = who.map_or("", |w| at(w, &["DisplayName"]));
        let known = self.names.people.get(key).map(String::as_str);
        let name = [name, known.unwrap_or_default(), key].into_iter().find(|n| !n.is_empty());
        let key = if key.is_empty() { name.unwrap_or(FORMAT.key) } else { key };
        Sender { key: key.to_owned(), name: name.unwrap_or(FORMAT.label).to_owned(), me: false }
    }
}

/// Chats say in their id what they are.
fn kind(key: &str) -> ConversationKind {
    match key {
        key if key.contains("@thread.tacv2") || key.contains("@thread.skype") => ConversationKind::Channel,
        key if key.contains("@unq.gbl.spaces") || key.contains("@oneToOne.skype") => ConversationKind::Direct,
        _ => ConversationKind::Group,
    }
}

/// Whom the id of a direct chat names: `19:<user>_<user>@unq.gbl.spaces`.
fn people<'a>(names: &'a Names, key: &str) -> Vec<&'a str> {
    let inner = key.trim_start_matches("19:").split('@').next().unwrap_or_default();
    inner.split('_').filter_map(|id| names.people.get(id)).map(String::as_str).collect()
}

fn title(names: &Names, value: &Value, key: &str) -> String {
    if let Some((channel, team)) = names.channels.get(key) {
        let own = at(value, &["ChannelIdentity", "TeamId"]);
        let team = names.teams.get(if own.is_empty() { team.as_str() } else { own });
        return team.map_or_else(|| channel.clone(), |team| format!("{team} / {channel}"));
    }
    let topic = at(value, &["Topic"]);
    match (topic, people(names, key).as_slice()) {
        ("", []) => key.to_owned(),
        ("", people) => people.join(", "),
        (topic, _) => topic.to_owned(),
    }
}

/// Older exports name the six first reactions, newer ones have the sign.
fn reactions(value: &Value) -> Vec<Reaction> {
    counted(list(value, "Reactions").iter().map(|reaction| match at(reaction, &["ReactionType"]) {
        "like" => "👍",
        "heart" => "❤️",
        "laugh" => "😆",
        "surprised" => "😮",
        "sad" => "🙁",
        "angry" => "😡",
        "" => "custom emoji",
        sign => sign,
    }))
}
