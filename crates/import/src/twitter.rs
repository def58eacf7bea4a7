//! The archive of X, once Twitter (formats.md §31): posts, notes, likes, bookmarks, direct messages, chats with Grok.
//!
//! Files are JavaScript: a list behind `window.YTD.<name>.part0 =`. An entry at a time is held. Of people only numbers are
//! known; names come from whom the posts mention. What entries mean is left to `post.rs` and `direct.rs`.

mod direct;
mod post;

use crate::{
    Format, ImportError, Options,
    export::Export,
    json::{self, Found, Opening, Piece, Rules, Walk, Want},
    out::Out,
    talks::Talks,
    text::utf8,
};
use evoke_message::{Contact, Kind, Place, Sender};
use serde_json::Value;
use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read},
};

const SOURCE: &str = "twitter";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "X (Twitter)",
    kind: Kind::Web,
    how_to_export: "On x.com: More, Settings and privacy, Your account, Download an archive of your data. After a day a link comes; \
                    choose the zip.",
    detect,
    read,
};

/// Lists that are read, in the order in which they are: what tells names comes first.
const LISTS: [(&str, List); 17] = [
    ("account", List::Account),
    ("profile", List::Nothing),
    ("note_tweet", List::Note),
    ("tweets", List::Post),
    ("tweet", List::Post),
    ("community_tweet", List::Post),
    ("deleted_tweets", List::Deleted),
    ("deleted_tweet", List::Deleted),
    ("like", List::Like),
    ("likes", List::Like),
    ("bookmark", List::Bookmark),
    ("contact", List::Contact),
    ("direct_messages", List::Direct),
    ("direct_message", List::Direct),
    ("direct_messages_group", List::Group),
    ("direct_message_group", List::Group),
    ("grok_chat_item", List::Grok),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Account,
    /// Holds no text that a person would miss.
    Nothing,
    Note,
    Post,
    Deleted,
    Like,
    Bookmark,
    Contact,
    Direct,
    Group,
    Grok,
}

/// Which list stands in a file, and its place in the order.
fn list_of(head: &[u8]) -> Option<(usize, List)> {
    let start = std::str::from_utf8(head.get(..120.min(head.len()))?.split(|b| *b == b'=').next()?).ok()?;
    let (name, _) = start.trim_start().strip_prefix("window.YTD.")?.split_once(".part")?;
    LISTS.iter().position(|(known, _)| *known == name).and_then(|at| LISTS.get(at).map(|(_, list)| (at, *list)))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let single = export.files().len() == 1;
    let scripts = export.unclaimed().filter(|(_, e)| single || e.path.to_ascii_lowercase().ends_with(".js"));
    let files = scripts.map(|(i, _)| i);
    let mut found: Vec<(usize, usize, List)> =
        files.filter_map(|i| list_of(&export.head(i).ok()?).map(|(at, list)| (at, i, list))).collect();
    found.retain(|(_, _, list)| *list != List::Nothing);
    found.sort_by_key(|(at, i, _)| (*at, *i));
    (!found.is_empty()).then(|| found.into_iter().map(|(_, i, _)| i).collect())
}

/// Kinds of values in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    List,
    Entry,
    /// `{dmConversation: {…}}` and what is in it.
    Outer,
    Talk,
    Header,
    Messages,
    Message,
}

fn want(direct: bool, inside: Option<It>, key: &str, opening: Opening) -> Want<It> {
    match (inside, key, opening) {
        (None, _, Opening::Array) => Want::Enter(It::List),
        (Some(It::List), ..) if !direct => Want::Whole(It::Entry),
        (Some(It::List), _, Opening::Object) => Want::Enter(It::Outer),
        (Some(It::Outer), "dmConversation", Opening::Object) => Want::Enter(It::Talk),
        (Some(It::Talk), "conversationId" | "name", Opening::Plain) => Want::Whole(It::Header),
        (Some(It::Talk), "messages", Opening::Array) => Want::Enter(It::Messages),
        (Some(It::Messages), ..) => Want::Whole(It::Message),
        _ => Want::Skip,
    }
}

fn looks(direct: bool, keys: &[&str]) -> Option<It> {
    let entry = ["tweet", "noteTweet", "like", "bookmark", "grokChatItem", "account", "contact", "id_str"];
    match keys {
        ["dmConversation", ..] if direct => Some(It::List),
        [first, ..] if direct && direct::KINDS.contains(first) => Some(It::Messages),
        [first, ..] if !direct && entry.contains(first) => Some(It::List),
        _ => None,
    }
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut reading = Reading {
        export,
        options,
        me: Account::default(),
        names: HashMap::new(),
        notes: Vec::new(),
        titles: HashMap::new(),
        media: media(export),
        talks: Talks::default(),
    };
    for &file in files {
        let Some((_, list)) = list_of(&export.head(file)?) else { continue };
        reading.file(file, list, out)?;
        if out.stopped() {
            return Ok(());
        }
    }
    reading.rest_of_notes(out);
    let Reading { me, names, titles, talks, .. } = reading;
    talks.finish(out, |talk| titles.get(&talk.key).cloned().or_else(|| direct::title(talk, &names, &me.id)));
    Ok(())
}

/// Files of pictures and films by the id before their names: `tweets_media/123-abc.jpg`.
fn media(export: &Export) -> HashMap<String, Vec<String>> {
    let mut media: HashMap<String, Vec<String>> = HashMap::new();
    for entry in export.files().iter().filter(|e| e.path.contains("_media/")) {
        if let Some((id, _)) = entry.file_name().split_once('-') {
            media.entry(id.to_owned()).or_default().push(entry.path.clone());
        }
    }
    media
}

/// Whose archive it is.
#[derive(Default)]
struct Account {
    id: String,
    name: String,
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    me: Account,
    /// Names of people by their number.
    names: HashMap<String, String>,
    notes: Vec<post::Note>,
    /// Of groups that were named, and of chats with Grok by their first words.
    titles: HashMap<String, String>,
    media: HashMap<String, Vec<String>>,
    talks: Talks,
}

impl Reading<'_> {
    fn file(&mut self, file: usize, list: List, out: &mut Out) -> Result<(), ImportError> {
        let trouble = |e: io::Error| self.export.trouble(file, e);
        let mut raw = BufReader::new(self.export.open(file)?);
        let mut start = Vec::new();
        raw.by_ref().take(200).read_until(b'=', &mut start).map_err(trouble)?;
        let direct = matches!(list, List::Direct | List::Group);
        let (want, looks) =
            (|inside, key: &str, opening| want(direct, inside, key, opening), |keys: &[&str]| looks(direct, keys));
        let rules = Rules { want: &want, looks: &looks };
        let mut walk = Walk::new(utf8(raw).map_err(trouble)?, self.options.limits.record, rules);
        let (mut records, mut lost) = (0, 0);
        let mut talk = direct::Talk::default();
        for found in walk.by_ref() {
            let mut place = || {
                records += 1;
                self.export.place(file, records)
            };
            match found {
                Found::Opened(It::Talk) => talk = direct::Talk::default(),
                Found::Closed(It::Talk) if talk.messages == 0 => {
                    let _ = out.skipped("a conversation without messages", place());
                }
                Found::Value(It::Header, field) => {
                    talk.header(&field.key, json::parse(&field.bytes).ok().map(|(v, _)| v))
                }
                Found::Value(_, piece) => {
                    let place = place();
                    talk.messages += 1;
                    match parsed(&piece, &mut lost) {
                        Ok(value) => self.entry(list, &value, &talk, place, out),
                        Err(reason) => {
                            let _ = out.failed(reason, place);
                        }
                    }
                }
                Found::Broken { reason: "a value is missing", what: None, piece }
                    if piece.bytes.trim_ascii() == b";" => {}
                Found::Broken { reason, .. } => {
                    let _ = out.failed(reason, place());
                }
                Found::TooLong { bytes, .. } => {
                    let _ = out.failed(format!("an entry of {} MB is longer than Evoke reads", bytes >> 20), place());
                }
                Found::Opened(_) | Found::Closed(_) => {}
            }
            if out.stopped() {
                return Ok(());
            }
        }
        let trouble = walk.trouble();
        out.file_ended(file, lost, trouble)
    }

    fn entry(&mut self, list: List, value: &Value, talk: &direct::Talk, place: Place, out: &mut Out) {
        let inner = |name: &str| value.get(name).unwrap_or(value);
        match list {
            List::Account => {
                let account = inner("account");
                let named = [text(account, "accountDisplayName"), text(account, "username")];
                self.me = Account { id: text(account, "accountId").to_owned(), name: first(&named).to_owned() };
                let _ = out.contact(Contact {
                    source: SOURCE.to_owned(),
                    key: self.me.id.clone(),
                    name: self.me.name.clone(),
                    addresses: one(text(account, "email")),
                    handles: one(text(account, "username")),
                    me: true,
                    ..Contact::default()
                });
                let _ = out.skipped("the account: only its name was taken", place);
            }
            List::Contact => self.contact(inner("contact"), place, out),
            List::Note => self.note(inner("noteTweet"), place, out),
            List::Post => self.post(inner("tweet"), place, out),
            List::Deleted => {
                let _ = out.skipped("a post that was deleted", place);
            }
            List::Like => self.kept("likes", "Likes on X", inner("like"), place, out),
            List::Bookmark => self.kept("bookmarks", "Bookmarks on X", inner("bookmark"), place, out),
            List::Direct => self.direct(value, talk, false, place, out),
            List::Group => self.direct(value, talk, true, place, out),
            List::Grok => self.grok(inner("grokChatItem"), place, out),
            List::Nothing => {
                let _ = out.skipped("nothing that somebody wrote", place);
            }
        }
    }

    /// People of the address book that was uploaded.
    fn contact(&mut self, contact: &Value, place: Place, out: &mut Out) {
        let list = |name: &str| -> Vec<String> {
            let all = contact.get(name).and_then(Value::as_array).into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (addresses, numbers) = (list("emails"), list("phoneNumbers"));
        let name = [text(contact, "firstName"), text(contact, "lastName")].join(" ").trim().to_owned();
        if let Some(key) = addresses.first().or(numbers.first()).cloned() {
            let _ =
                out.contact(Contact { source: SOURCE.to_owned(), key, name, addresses, numbers, ..Contact::default() });
        }
        let _ = out.skipped("an entry of the address book: kept as a person", place);
    }

    fn owner(&self) -> Sender {
        let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
        Sender { key: or(&self.me.id, "me"), name: or(&self.me.name, "Me"), me: true }
    }
}

fn parsed(piece: &Piece, lost: &mut u64) -> Result<Value, String> {
    let (value, replaced) = json::parse::<Value>(&piece.bytes).map_err(|e| format!("its JSON cannot be read ({e})"))?;
    *lost += replaced;
    Ok(value)
}

/// A field as text, whether it is text or a number.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn first<'a>(texts: &[&'a str]) -> &'a str {
    texts.iter().find(|t| !t.is_empty()).copied().unwrap_or_default()
}

fn one(text: &str) -> Vec<String> {
    Some(text.to_owned()).filter(|t| !t.is_empty()).into_iter().collect()
}
