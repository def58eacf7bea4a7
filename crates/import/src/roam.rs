//! Roam Research's JSON (formats.md §15): pages with blocks in blocks. A page is a conversation, each
//! block a message of its own with its own time.
//!
//! Three passes over the file: which blocks are referred to, what those say, and the pages themselves.
//! How a block is written is left to `block.rs`.

mod block;

use crate::{
    Flow, Format, ImportError, Options,
    export::Export,
    json::{self, Found, Opening, Piece, Rules, Walk, Want},
    note::{self, Stamp, day},
    out::Out,
    record::{ContentIds, Thread},
    text, time,
};
use block::Block;
use evoke_message::{Contact, Conversation, ConversationKind, Kind, Message, MessageId, Place, Sender};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    io,
};

const SOURCE: &str = "roam";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "Roam Research",
    kind: Kind::Note,
    how_to_export: "In Roam: ⋯, Export all, JSON. Choose the zip, or the .json file in it.",
    detect,
    read,
};

fn is_page(keys: &[&str]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| keys.contains(n));
    keys.contains(&"title")
        && any(&["create-time", "edit-time", "children"])
        && !any(&["mapping", "chat_messages", "messages"])
}

fn is_block(keys: &[&str]) -> bool {
    keys.contains(&"string") && keys.contains(&"uid")
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let is = |head: &[u8]| {
        let block = note::contains(head, "\"string\"") && json::hunt(head, is_block);
        block
            || note::contains(head, "\"create-time\"")
                && json::hunt(head, |keys| is_page(keys) && keys.contains(&"create-time"))
    };
    let files = export.json_files(|head| head.trim_ascii_start().starts_with(b"[") && is(head));
    (!files.is_empty()).then_some(files)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Pages,
    Page,
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &i in files {
        let input = Input { export, i, options };
        let mut graph = Graph::default();
        input.pages(&mut |page| page.map(|(value, _)| graph.look(&value)).map_or(true, |()| true))?;
        if !graph.wanted.is_empty() {
            input.pages(&mut |page| page.map(|(value, _)| graph.remember(&value)).map_or(true, |()| true))?;
        }
        let mut reading = Reading { input, graph: &graph, at: 0, lost: 0 };
        let trouble = input.pages(&mut |page| reading.page(page, out).is_continue())?;
        let (seen, lost) = (reading.at, reading.lost);
        if out.stopped() {
            return Ok(());
        }
        if seen == 0 && trouble.is_none() {
            let _ = out.skipped("graph without pages", export.place(i, 0));
        }
        out.file_ended(i, lost, trouble)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Input<'a> {
    export: &'a Export,
    i: usize,
    options: &'a Options,
}

impl Input<'_> {
    /// Hands every page to `each` until it says `false`; then why the file ended early, where it did.
    fn pages(
        self,
        each: &mut dyn FnMut(Result<(Value, u64), String>) -> bool,
    ) -> Result<Option<io::Error>, ImportError> {
        let input = text::utf8(self.export.open(self.i)?).map_err(|e| self.export.trouble(self.i, e))?;
        let want = |inside: Option<It>, _: &str, opening: Opening| match (inside, opening) {
            (None, Opening::Array) => Want::Enter(It::Pages),
            (Some(It::Pages), _) => Want::Whole(It::Page),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| is_page(keys).then_some(It::Pages);
        let mut walk = Walk::new(input, self.options.limits.record, Rules { want: &want, looks: &looks });
        for found in walk.by_ref() {
            let page = match found {
                Found::Value(It::Page, Piece { bytes, .. }) => {
                    json::parse::<Value>(&bytes).map_err(|e| format!("the page's JSON cannot be read: {e}"))
                }
                Found::Broken { reason, .. } => Err(format!("a page is damaged: {reason}")),
                Found::TooLong { bytes, .. } => Err(format!("a page is too long to be read ({bytes} bytes)")),
                _ => continue,
            };
            if !each(page) {
                return Ok(None);
            }
        }
        Ok(walk.trouble())
    }
}

/// What is known of all pages before they are read.
#[derive(Default)]
pub(super) struct Graph {
    wanted: HashSet<String>,
    /// Texts of blocks that are referred to.
    texts: HashMap<String, String>,
    /// Mail addresses of those who wrote, up to two: one alone is the owner.
    writers: HashSet<String>,
}

impl Graph {
    fn look(&mut self, page: &Value) {
        walk(page, &mut |block| {
            block::references(string(block), &mut |uid| {
                self.wanted.insert(uid.to_owned());
            });
            let email = text_of(block, "create-email");
            if self.writers.len() < 2 && !email.is_empty() {
                self.writers.insert(email.to_owned());
            }
        });
    }

    fn remember(&mut self, page: &Value) {
        walk(page, &mut |block| {
            let uid = text_of(block, "uid");
            if self.wanted.contains(uid) {
                self.texts.insert(uid.to_owned(), string(block).to_owned());
            }
        });
    }

    pub(super) fn text(&self, uid: &str) -> Option<&str> {
        self.texts.get(uid).map(String::as_str)
    }

    fn sender(&self, email: &str) -> Sender {
        match email {
            email if self.writers.len() < 2 || email.is_empty() => note::me(),
            email => Sender { key: email.to_owned(), name: email.to_owned(), me: false },
        }
    }
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn string(block: &Value) -> &str {
    text_of(block, "string")
}

fn children(value: &Value) -> impl Iterator<Item = &Value> {
    value.get("children").and_then(Value::as_array).into_iter().flatten()
}

fn walk(value: &Value, each: &mut dyn FnMut(&Value)) {
    for child in children(value) {
        each(child);
        walk(child, each);
    }
}

/// Milliseconds since 1970; older exports write some of them with a colon before the name.
fn stamp(value: &Value, names: [&str; 2]) -> Option<Stamp> {
    let number = names.iter().find_map(|name| value.get(*name)).and_then(Value::as_f64)?;
    Stamp::instant(time::from_number(number), format!("{number}"))
}

fn created(value: &Value) -> Option<Stamp> {
    stamp(value, ["create-time", ":create/time"])
}

fn edited(value: &Value) -> Option<Stamp> {
    stamp(value, ["edit-time", ":edit/time"])
}

/// Of the first block that has a time.
fn first_time(page: &Value) -> Option<Stamp> {
    let mut first = None;
    walk(page, &mut |block| {
        if first.is_none() {
            first = created(block).or_else(|| edited(block));
        }
    });
    first
}

struct Reading<'a> {
    input: Input<'a>,
    graph: &'a Graph,
    /// Records so far, by which places are told.
    at: u64,
    lost: u64,
}

impl Reading<'_> {
    fn place(&mut self) -> Place {
        self.at += 1;
        self.input.export.place(self.input.i, self.at)
    }

    fn page(&mut self, page: Result<(Value, u64), String>, out: &mut Out) -> Flow {
        let page = match page {
            Ok((page, lost)) => {
                self.lost += lost;
                page
            }
            Err(reason) => {
                let place = self.place();
                return out.failed(reason, place);
            }
        };
        let title = text_of(&page, "title");
        let uid = Some(text_of(&page, "uid")).filter(|uid| !uid.is_empty()).unwrap_or(title);
        if children(&page).next().is_none() {
            let place = self.place();
            return out.skipped("page without blocks", place);
        }
        let thread = Thread::new(SOURCE, Kind::Note, uid);
        let zone = &self.input.options.zone;
        let when = created(&page).or_else(|| edited(&page));
        let when = when.or_else(|| day::written(title, zone).map(Stamp::from)).or_else(|| first_time(&page));
        let when =
            when.unwrap_or_else(|| Stamp::of_file(self.input.export.files().get(self.input.i), self.input.options));
        let mut names = Vec::new();
        walk(&page, &mut |block| {
            let name = self.graph.sender(text_of(block, "create-email")).name;
            if !names.contains(&name) {
                names.push(name);
            }
        });
        out.conversation(Conversation {
            participants: names,
            created: Some(when.time),
            updated: edited(&page).map(|stamp| stamp.time),
            ..thread.conversation(ConversationKind::Note, title)
        })?;
        let mut one = One { reading: self, thread: &thread, ids: ContentIds::default(), order: 0 };
        for child in children(&page) {
            one.block(child, None, &when, out)?;
        }
        Flow::Continue(())
    }
}

/// One page under way.
struct One<'r, 'a> {
    reading: &'r mut Reading<'a>,
    thread: &'r Thread,
    ids: ContentIds,
    order: u64,
}

impl One<'_, '_> {
    /// A block and what stands below it. One without a time has that of the block above it.
    fn block(&mut self, value: &Value, above: Option<MessageId>, when: &Stamp, out: &mut Out) -> Flow {
        let place = self.reading.place();
        let own = created(value).or_else(|| edited(value));
        let written = own.as_ref().map(|stamp| stamp.original.clone()).unwrap_or_default();
        let when = own.unwrap_or_else(|| when.clone());
        let uid = text_of(value, "uid");
        let block = Block { value, graph: self.reading.graph };
        let text = block.markdown();
        let id = match uid {
            "" => self.ids.next(self.thread, &[&written, &text]),
            uid => self.thread.message_id(uid),
        };
        if text.is_empty() {
            out.skipped("empty block", place)?;
        } else {
            self.told(
                value,
                Message { text, reply_to: above, ..self.thread.message(id, note::me(), place) },
                &when,
                out,
            )?;
        }
        if !block.is_table() {
            for child in children(value) {
                self.block(child, Some(id), &when, out)?;
            }
        }
        Flow::Continue(())
    }

    fn told(&mut self, value: &Value, message: Message, when: &Stamp, out: &mut Out) -> Flow {
        let email = text_of(value, "create-email");
        let sender = self.reading.graph.sender(email);
        if !sender.me {
            out.contact(Contact {
                source: SOURCE.to_owned(),
                key: email.to_owned(),
                name: email.to_owned(),
                addresses: vec![email.to_owned()],
                ..Contact::default()
            })?;
        }
        let order = self.order;
        self.order += 1;
        out.message(Message {
            sender,
            time: when.time,
            time_original: when.original.clone(),
            zone_known: when.zone_known,
            edited: edited(value).map(|stamp| stamp.time).filter(|edited| *edited > when.time),
            order,
            ..message
        })
    }
}
