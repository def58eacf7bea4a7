//! Google Takeout, My Activity, Gemini Apps (formats.md §5), in JSON and in HTML. Each record is a prompt
//! with its reply, the newest first. The export knows no conversations: those of one day are put together,
//! by UTC, so that a later export cuts them in the same places.
//!
//! Cells of HTML are left to `cell.rs`, dates in the words of many languages to `date.rs`, the verbs
//! before prompts to `title.rs`. Activity of other Google products is skipped.

mod cell;
mod date;
mod title;

use crate::{
    Flow, Format, ImportError, Options, ai,
    export::Export,
    html,
    json::{self, Found, Opening, Rules, Walk, Want},
    mime,
    out::Out,
    record::Thread,
    text::utf8,
    time,
    values::{array, text},
};
use evoke_message::{
    Attachment, Conversation, ConversationKind, Kind, Message, MessageId, Part, Place, Role, normalise,
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use title::Title;

pub(crate) const FORMAT: Format = Format {
    key: "gemini",
    label: "Gemini",
    kind: Kind::Ai,
    how_to_export: "On takeout.google.com: deselect all, then My Activity; under All activity data included choose Gemini Apps only; \
                    under Multiple formats choose JSON. The product named Gemini has no chats. Choose the zip.",
    detect,
    read,
};

/// As headers and products are named.
const GEMINI: [&str; 4] = ["gemini", "bard", "ジェミニ", "제미나이"];

fn is_record(keys: &[&str]) -> bool {
    keys.contains(&"header") && keys.contains(&"title") && keys.contains(&"time")
}

fn is_page(head: &[u8]) -> bool {
    let has = |word: &[u8]| head.windows(word.len()).any(|w| w == word);
    has(b"outer-cell") && has(b"header-cell") && has(b"content-cell")
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut files = export.json_files(|head| json::hunt(head, is_record));
    let pages = export.unclaimed().filter(|(_, f)| mime::of_name(f.file_name()).is_some_and(|m| m == "text/html"));
    files.extend(pages.map(|(i, _)| i).filter(|i| export.head(*i).is_ok_and(|head| is_page(&head))));
    files.sort_unstable();
    files.dedup();
    (!files.is_empty()).then_some(files)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let paths = export.files().iter().map(|f| f.path.as_str()).collect();
    let mut reader = Reader { export, options, paths, days: HashMap::new(), seen: HashMap::new() };
    for &file in files {
        let head = export.head(file)?;
        match head.trim_ascii_start().first() {
            Some(b'[' | b'{') => reader.json(file, out)?,
            _ => reader.html(file, out)?,
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// One prompt and its reply, from either kind of file.
struct Activity {
    product: String,
    /// The verb and the prompt.
    title: String,
    /// UTC milliseconds, and whether the zone was known.
    time: Option<(i64, bool)>,
    time_original: String,
    replies: Vec<String>,
    attachments: Vec<Attachment>,
    /// Of the conversation, where it is linked.
    conversation: Option<String>,
}

struct Reader<'a> {
    export: &'a Export,
    options: &'a Options,
    paths: HashSet<&'a str>,
    days: HashMap<String, Thread>,
    /// How often the same was prompted in the same second.
    seen: HashMap<MessageId, u32>,
}

impl Reader<'_> {
    fn json(&mut self, file: usize, out: &mut Out) -> Result<(), ImportError> {
        let want = |inside: Option<bool>, _: &str, opening| match (inside, opening) {
            (None, Opening::Array) => Want::Enter(true),
            (None, Opening::Object) | (Some(true), _) => Want::Whole(false),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| is_record(keys).then_some(true);
        let input = utf8(self.export.open(file)?).map_err(|e| self.export.trouble(file, e))?;
        let mut walk = Walk::new(input, self.options.limits.record, Rules { want: &want, looks: &looks });
        let (mut number, mut lost) = (0, 0);
        for found in walk.by_ref() {
            let parsed = match found {
                Found::Value(_, piece) => {
                    json::parse::<Value>(&piece.bytes).map_err(|e| format!("its JSON cannot be read ({e})"))
                }
                Found::Broken { piece, reason, .. } if piece.bytes.iter().any(u8::is_ascii_alphanumeric) => {
                    Err(format!("a record is damaged ({reason})"))
                }
                Found::TooLong { bytes, .. } => {
                    Err(format!("a record of {} MB is longer than Evoke reads", bytes >> 20))
                }
                _ => continue,
            };
            number += 1;
            let place = self.export.place(file, number);
            let flow = match parsed {
                Ok((record, damaged)) => {
                    lost += damaged;
                    match self.of_json(file, &record) {
                        Some(activity) => self.put(activity, number, place, out),
                        None => out.failed("this is not a record of My Activity", place),
                    }
                }
                Err(reason) => out.failed(reason, place),
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        out.file_ended(file, lost, walk.trouble())
    }

    fn of_json(&self, file: usize, record: &Value) -> Option<Activity> {
        let title = record.get("title")?.as_str()?;
        let products = array(record, "products").iter().filter_map(Value::as_str);
        let product = std::iter::once(text(record, "header"))
            .chain(products)
            .find(|p| is_gemini(p))
            .unwrap_or(text(record, "header"));
        let mut files: Vec<&str> =
            array(record, "attachedFiles").iter().filter_map(|f| f.as_str().or(Some(text(f, "name")))).collect();
        files.extend(Some(text(record, "imageFile")));
        files.extend(array(record, "subtitles").iter().map(|s| text(s, "url")).filter(|url| !url.contains(':')));
        let mut known = HashSet::new();
        files.retain(|name| !name.is_empty() && known.insert(*name));
        let written = text(record, "time");
        let html = array(record, "safeHtmlItem").iter().map(|item| html::markdown(text(item, "html")));
        Some(Activity {
            product: product.to_owned(),
            title: title.to_owned(),
            time: time::iso(written).map(|ms| (ms, true)),
            time_original: written.to_owned(),
            replies: html.filter(|reply| !reply.is_empty()).collect(),
            attachments: files.into_iter().map(|name| self.attachment(file, name)).collect(),
            conversation: linked(text(record, "titleUrl")),
        })
    }

    fn html(&mut self, file: usize, out: &mut Out) -> Result<(), ImportError> {
        let input = utf8(self.export.open(file)?).map_err(|e| self.export.trouble(file, e))?;
        let (mut number, mut trouble, mut lost) = (0, None, 0);
        for cell in cell::Cells::new(input, self.options.limits.record) {
            let cell = match cell {
                Ok(cell) => cell,
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            };
            number += 1;
            let place = self.export.place(file, number);
            let flow = match cell {
                cell::Cell::TooLong(bytes) => {
                    out.failed(format!("a record of {} MB is longer than Evoke reads", bytes >> 20), place)
                }
                cell::Cell::Whole(bytes) => {
                    let (text, damaged) = crate::text::decode(&bytes);
                    lost += damaged;
                    match cell::read(&text, self.options) {
                        Some(read) => {
                            let attachments = read.files.iter().map(|name| self.attachment(file, name)).collect();
                            let activity = Activity { attachments, ..read.activity };
                            self.put(activity, number, place, out)
                        }
                        None => out.failed("the record has no prompt where it should be", place),
                    }
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        out.file_ended(file, lost, trouble)
    }

    /// A file that lies beside the page, or is not in this export.
    fn attachment(&self, page: usize, name: &str) -> Attachment {
        let folder =
            self.export.files().get(page).and_then(|f| f.path.rsplit_once('/')).map_or("", |(folder, _)| folder);
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let there = self.paths.contains(path.as_str());
        Attachment {
            name: name.to_owned(),
            mime: mime::of_name(name),
            path: there.then_some(path),
            missing: (!there).then(|| "not in this export".to_owned()),
        }
    }

    fn put(&mut self, activity: Activity, number: u64, place: Place, out: &mut Out) -> Flow {
        if !is_gemini(&activity.product) {
            let product: String = activity.product.chars().take(40).collect();
            return out.skipped(format!("activity of another Google product ({product})"), place);
        }
        let (part, said) = match title::read(&activity.title) {
            Title::Prompt(said) => (Part::Text, said),
            Title::Made(said) => (Part::Service, said),
            Title::Nothing(_) if !activity.replies.is_empty() => (Part::Service, activity.title.trim()),
            Title::Nothing(reason) => return out.skipped(reason, place),
        };
        let said = said.to_owned();
        let (ms, zone_known) = activity.time.unwrap_or((self.options.now, false));
        let thread = self.thread(&activity, ms, &said, out);
        // JSON has milliseconds and HTML has none; the verb depends on the language of the export.
        let second = ms.div_euclid(1000).to_string();
        let first = MessageId::of(&[FORMAT.key, &second, &normalise(&said)]);
        let nth = self.seen.entry(first).or_default();
        let parts = [second, normalise(&said), nth.to_string()];
        *nth += 1;
        let id = |piece: &str| {
            let mut all: Vec<&str> = std::iter::once(FORMAT.key).chain(parts.iter().map(String::as_str)).collect();
            if !piece.is_empty() {
                all.push(piece);
            }
            MessageId::of(&all)
        };
        // The newest comes first; a reply follows its prompt.
        let order = (u64::from(u32::MAX) - number.min(u64::from(u32::MAX))) << 8;
        out.message(Message {
            role: Role::Human,
            part,
            time: ms,
            time_original: activity.time_original.clone(),
            zone_known,
            text: said,
            attachments: activity.attachments,
            order,
            ..thread.message(id(""), ai::me(), place.clone())
        })?;
        for (n, reply) in activity.replies.into_iter().enumerate() {
            out.message(Message {
                role: Role::Assistant,
                time: ms,
                time_original: activity.time_original.clone(),
                zone_known,
                text: reply,
                reply_to: Some(id("")),
                order: order + 1 + n as u64,
                ..thread.message(id(&format!("reply {n}")), ai::other("assistant", "Gemini"), place.clone())
            })?;
        }
        Flow::Continue(())
    }

    fn thread(&mut self, activity: &Activity, ms: i64, said: &str, out: &mut Out) -> Thread {
        let day = Timestamp::from_millisecond(ms).map(|t| t.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        let key = activity.conversation.clone().unwrap_or_else(|| format!("day {day}"));
        if let Some(thread) = self.days.get(&key) {
            return thread.clone();
        }
        let title = if activity.conversation.is_some() { ai::first_words(said) } else { format!("Gemini, {day}") };
        let thread = Thread::new(FORMAT.key, FORMAT.kind, key.clone());
        let _ = out.conversation(Conversation {
            participants: vec!["Me".to_owned(), "Gemini".to_owned()],
            ..thread.conversation(ConversationKind::Ai, title)
        });
        self.days.insert(key, thread.clone());
        thread
    }
}

fn is_gemini(product: &str) -> bool {
    let product = product.to_lowercase();
    GEMINI.iter().any(|name| product.contains(name))
}

/// The conversation that a link leads to: `https://gemini.google.com/app/<id>`.
fn linked(url: &str) -> Option<String> {
    let (_, id) = url.split_once("gemini.google.com/app/")?;
    let id = id.split(['?', '#', '/']).next()?;
    let id = id.strip_prefix("c_").unwrap_or(id);
    (id.len() >= 6 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')).then(|| id.to_owned())
}
