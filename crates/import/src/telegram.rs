//! Telegram Desktop export (formats.md §8): JSON of one chat or of everything in one `result.json`, or pages.
//!
//! A message at a time is held. What a message says is left to `message.rs`, how its text is
//! written to `words.rs`, what a service line means to `service.rs`, and pages to `page.rs`.

mod message;
mod page;
mod service;
mod words;

use crate::{
    Format, ImportError, Options,
    export::Export,
    json::{self, Found, Opening, Piece, Rules, Walk, Want, hunt},
    out::Out,
    text::utf8,
};
use evoke_message::{Kind, Place};
use message::{Read, Thread};
use serde_json::Value;
use std::{collections::HashMap, io};

pub(crate) const FORMAT: Format = Format {
    key: "telegram",
    label: "Telegram",
    kind: Kind::Chat,
    how_to_export: "In Telegram Desktop: Settings, Advanced, Export Telegram data (or in one chat: ⋮, Export chat history). \
                    Choose the format “Machine-readable JSON”, then the file result.json or its folder.",
    detect,
    read,
};

/// Lists at the top of a full export that are not messages.
const OTHER_LISTS: [&str; 3] = ["profile_pictures", "stories", "ringtones"];

/// Kinds of values in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    /// The whole file: everything, or a single chat.
    Root,
    Owner,
    Chats,
    ChatList,
    Chat,
    Header,
    Messages,
    Message,
}

fn is_message(keys: &[&str]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| keys.contains(n));
    keys.contains(&"type")
        && any(&["date", "date_unixtime"])
        && any(&["from", "from_id", "actor", "action", "text", "text_entities"])
}

fn is_chat(keys: &[&str]) -> bool {
    keys.contains(&"messages") && ["name", "type", "id"].iter().any(|k| keys.contains(k))
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let everything =
        // A long list of contacts fills the head.
        |keys: &[&str]| keys.contains(&"about") && (keys.contains(&"personal_information") || keys.contains(&"chats"));
    let mut files = export.json_files(|head| hunt(head, is_message) || everything(&json::keys(head)));
    let pages: Vec<usize> = export.unclaimed().map(|(i, _)| i).filter(|&i| form(export, i) == Form::Page).collect();
    if !pages.is_empty() {
        files.extend(export.unclaimed().map(|(i, _)| i).filter(|&i| form(export, i) == Form::OtherPage));
        files.extend(pages);
    }
    (!files.is_empty()).then_some(files)
}

/// What a claimed file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Page,
    /// What an export as pages holds besides messages.
    OtherPage,
}

fn form(export: &Export, i: usize) -> Form {
    let name = export.files().get(i).map_or("", |f| f.file_name()).to_ascii_lowercase();
    if !name.ends_with(".html") && !name.ends_with(".htm") {
        return Form::Json;
    }
    match export.head(i) {
        Ok(head) if page::is_page(&head) => Form::Page,
        Ok(head) if page::is_other(&head) => Form::OtherPage,
        _ => Form::Json,
    }
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let of = |wanted: Form| files.iter().copied().filter(|&i| form(export, i) == wanted).collect::<Vec<_>>();
    let (json, pages) = (of(Form::Json), of(Form::Page));
    read_json(export, &json, options, out)?;
    if out.stopped() || pages.is_empty() {
        return Ok(());
    }
    let (twins, pages): (Vec<usize>, Vec<usize>) =
        pages.into_iter().partition(|page| json.iter().any(|json| is_twin(export, *page, *json)));
    if !twins.is_empty() {
        out.note("The pages beside result.json were not read: they show the same chats.".to_owned());
    }
    page::read(export, &pages, options, out)
}

/// True for a page of what the JSON file has, too: of its one chat, or of all.
fn is_twin(export: &Export, page: usize, json: usize) -> bool {
    let folder = |i: usize| {
        let path = export.files().get(i).map_or("", |f| f.path.as_str());
        path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or_default()
    };
    folder(page).strip_prefix(folder(json)).is_some_and(|rest| rest.is_empty() || rest.starts_with("chats/"))
}

fn read_json(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &file in files {
        let input = Input { export, file, options };
        let mut reading = Reading {
            input,
            owner: None,
            header: Header::new(),
            ahead: None,
            chats: 0,
            thread: None,
            records: 0,
            lost: 0,
        };
        let trouble = input.walk(Want::Whole(It::Message), |found| {
            reading.found(found, out)?;
            Ok(!out.stopped())
        })?;
        reading.close(out);
        out.file_ended(file, reading.lost, trouble)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// What stands beside the messages of a chat: `name`, `type`, `id`.
type Header = HashMap<String, Value>;

/// One file to be read.
#[derive(Clone, Copy)]
struct Input<'a> {
    export: &'a Export,
    file: usize,
    options: &'a Options,
}

impl Input<'_> {
    /// Hands what is found to `each` until it says `false`; then says why the file ended early, where it did.
    fn walk(
        self,
        messages: Want<It>,
        mut each: impl FnMut(Found<It>) -> Result<bool, ImportError>,
    ) -> Result<Option<io::Error>, ImportError> {
        let input = utf8(self.export.open(self.file)?).map_err(|e| self.export.trouble(self.file, e))?;
        let want = |inside, key: &str, opening| want(inside, key, opening, messages);
        let mut walk = Walk::new(input, self.options.limits.record, Rules { want: &want, looks: &looks });
        for found in walk.by_ref() {
            if !each(found)? {
                return Ok(None);
            }
        }
        Ok(walk.trouble())
    }

    /// The headers of all chats, in order, messages passed over.
    fn headers(self) -> Result<Vec<Header>, ImportError> {
        let (mut all, mut header, mut begun) = (Vec::new(), Header::new(), false);
        self.walk(Want::Skip, |found| {
            match found {
                Found::Value(It::Header, Piece { key, bytes, .. }) => {
                    header.extend(json::parse(&bytes).ok().map(|(value, _)| (key, value)));
                }
                Found::Opened(It::Messages) => begun = true,
                Found::Opened(It::Root | It::Chat) => header.clear(),
                Found::Closed(It::Root | It::Chat) if std::mem::take(&mut begun) => {
                    all.push(std::mem::take(&mut header))
                }
                _ => {}
            }
            Ok(true)
        })?;
        Ok(all)
    }
}

fn want(inside: Option<It>, key: &str, opening: Opening, messages: Want<It>) -> Want<It> {
    match (inside, key, opening) {
        (None, _, Opening::Object) => Want::Enter(It::Root),
        (None, _, Opening::Array) | (Some(It::Chats), "list", _) => Want::Enter(It::ChatList),
        (Some(It::Root), "personal_information", _) => Want::Whole(It::Owner),
        (Some(It::Root), "chats" | "left_chats", _) => Want::Enter(It::Chats),
        (Some(It::ChatList), ..) => Want::Enter(It::Chat),
        (Some(It::Root | It::Chat), "name" | "type" | "id", Opening::Plain) => Want::Whole(It::Header),
        (Some(It::Root), key, _) if OTHER_LISTS.contains(&key) => Want::Skip,
        // Whatever its name, for that may be what is damaged.
        (Some(It::Root | It::Chat), _, Opening::Array) => Want::Enter(It::Messages),
        (Some(It::Messages), ..) => messages,
        _ => Want::Skip,
    }
}

fn looks(keys: &[&str]) -> Option<It> {
    match keys {
        keys if is_chat(keys) => Some(It::ChatList),
        keys if is_message(keys) => Some(It::Messages),
        _ => None,
    }
}

/// How far a file has been read.
struct Reading<'a> {
    input: Input<'a>,
    /// `personal_information.user_id`.
    owner: Option<String>,
    /// Of the chat under way.
    header: Header,
    /// Of all chats, where one stands behind its messages.
    ahead: Option<Vec<Header>>,
    /// Chats begun so far.
    chats: usize,
    thread: Option<Thread>,
    /// Messages seen so far: their places are their numbers.
    records: u64,
    lost: u64,
}

impl Reading<'_> {
    fn found(&mut self, found: Found<It>, out: &mut Out) -> Result<(), ImportError> {
        match found {
            Found::Opened(It::Root | It::Chat) => self.header.clear(),
            Found::Value(It::Header, field) => {
                let value = self.parsed(&field);
                self.header.extend(value.map(|v| (field.key, v)));
            }
            Found::Value(It::Owner, owner) => {
                self.owner = self.parsed(&owner).and_then(|o| message::id_text(o.get("user_id")?));
            }
            Found::Opened(It::Messages) => {
                self.close(out);
                self.thread = Some(self.open()?);
            }
            Found::Value(It::Message, piece) => self.message(&piece, out),
            Found::Broken { reason, piece, what } => self.broken(reason, piece.bytes.len(), what, out),
            Found::TooLong { bytes, .. } => {
                let _ = out
                    .failed(format!("a message of {} MB is longer than Evoke reads", bytes >> 20), self.next_place());
            }
            Found::Opened(_) | Found::Closed(_) | Found::Value(..) => {}
        }
        Ok(())
    }

    fn parsed(&mut self, piece: &Piece) -> Option<Value> {
        let (value, lost) = json::parse(&piece.bytes).ok()?;
        self.lost += lost;
        Some(value)
    }

    fn next_place(&mut self) -> Place {
        self.records += 1;
        self.input.export.place(self.input.file, self.records)
    }

    fn broken(&mut self, reason: &str, bytes: usize, what: Option<It>, out: &mut Out) {
        let place = self.next_place();
        let _ = match what {
            Some(It::Message) => out.failed(reason, place),
            _ => out.failed(format!("the file is damaged here ({reason}); {bytes} bytes were passed over"), place),
        };
    }

    /// A chat whose messages begin. Where its name and id come later, they are read ahead.
    fn open(&mut self) -> Result<Thread, ImportError> {
        let known = self.header.contains_key("id");
        if !known && self.ahead.is_none() {
            self.ahead = Some(self.input.headers()?);
        }
        let ahead = self.ahead.as_ref().and_then(|all| all.get(self.chats)).filter(|_| !known);
        self.chats += 1;
        let name = self.input.export.name();
        let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        Ok(Thread::new(ahead.unwrap_or(&self.header), name, self.owner.as_deref(), self.input.options))
    }

    fn message(&mut self, piece: &Piece, out: &mut Out) {
        let place = self.next_place();
        let value = match json::parse::<Value>(&piece.bytes) {
            Ok((value, lost)) => {
                self.lost += lost;
                value
            }
            Err(e) => {
                let _ = out.failed(format!("its JSON cannot be read ({e})"), place);
                return;
            }
        };
        let Some(thread) = &mut self.thread else { return };
        match thread.read(&value, place.clone()) {
            Read::Message(message) => {
                if !std::mem::replace(&mut thread.begun, true) {
                    let _ = out.conversation(thread.conversation());
                }
                let _ = out.message(*message);
            }
            Read::Skipped(reason) => {
                let _ = out.skipped(reason, place);
            }
            Read::Failed(reason) => {
                let _ = out.failed(reason, place);
            }
        }
    }

    /// The end of a chat: all who take part in it are known now.
    fn close(&mut self, out: &mut Out) {
        let Some(thread) = self.thread.take() else { return };
        if thread.begun {
            let _ = out.conversation(thread.conversation());
        } else if thread.seen == 0 {
            let _ = out.skipped("chat without messages", self.input.export.place(self.input.file, self.records + 1));
        }
    }
}
