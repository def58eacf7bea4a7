//! Slack workspace export (formats.md §10): lists of users and channels, and for every channel a folder
//! with a file a day. Other tools (slackdump) write the same layout.
//!
//! One message is held at a time. Who is who is left to `directory.rs`, what a message says to
//! `message.rs`, and Slack's own markup to `words.rs` and `emoji.rs`.

mod directory;
mod emoji;
mod message;
mod words;

use crate::{
    Format, ImportError, Options,
    export::Export,
    json::hunt,
    lists::{self, Got, Shape},
    media::Media,
    out::Out,
    values::array,
};
use directory::{Channel, Directory};
use evoke_message::{Kind, Place};
use message::Read;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) const FORMAT: Format = Format {
    key: "slack",
    label: "Slack",
    kind: Kind::Chat,
    how_to_export: "As an owner or admin of the workspace: Settings and administration, Workspace settings, Import/Export data, Export. \
                    A link to a zip comes by mail; choose that zip. Direct messages and private channels are in it only where the plan allows it.",
    detect,
    read,
};

/// The lists at the root, by file name.
const LISTS: [&str; 6] = ["users.json", "org_users.json", "channels.json", "groups.json", "dms.json", "mpims.json"];
/// Files whose content is not read, and what it is.
const UNREAD: [(&str, &str); 3] =
    [("canvases.json", "canvases"), ("lists.json", "lists"), ("huddle_transcripts.json", "transcripts of huddles")];

const SHAPE: Shape = Shape { fields: &["channel_id", "name"], others: &["members", "replies"], is_record: is_message };

fn is_message(keys: &[&str]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| keys.contains(n));
    keys.contains(&"ts") && any(&["type", "subtype"]) && any(&["text", "user", "bot_id", "client_msg_id"])
}

fn is_list(keys: &[&str]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| keys.contains(n));
    keys.contains(&"id") && any(&["members", "created", "profile", "team_id", "is_bot", "is_archived", "deleted"])
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let days = export.json_files(|head| hunt(head, is_message));
    if days.is_empty() {
        return None;
    }
    let named = |i: &usize| export.files().get(*i).is_some_and(|f| LISTS.contains(&f.file_name()));
    let lists = (0..export.files().len()).filter(named).filter(|i| !days.contains(i));
    let mut claimed: Vec<usize> = lists
        .filter(|i| export.head(*i).is_ok_and(|head| hunt(&head, is_list) || head.trim_ascii() == b"[]"))
        .collect();
    claimed.extend(days);
    Some(claimed)
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let path = |i: usize| export.files().get(i).map_or("", |f| f.path.as_str());
    let name = |i: usize| export.files().get(i).map_or("", |f| f.file_name());
    let mut directory = Directory::default();
    let (lists, days): (Vec<usize>, Vec<usize>) = files.iter().partition(|i| LISTS.contains(&name(**i)));
    for &i in &lists {
        directory.add(path(i), name(i), lists::list(export, i, options));
    }
    for contact in directory.contacts() {
        if out.contact(contact).is_break() {
            return Ok(());
        }
    }
    note_unread(export, out);
    let mut channels: BTreeMap<String, (Channel, Vec<usize>)> = BTreeMap::new();
    for i in days {
        let folder = path(i).rsplit_once('/').map_or("", |(folder, _)| folder);
        // What was chosen may be the folder of one channel.
        let chosen = folder.is_empty() && !export.name().contains('.');
        let folder = if chosen { export.name() } else { folder };
        let own = channel_of_file(export, i, options, &directory)?;
        let known_by = own.as_ref().map_or(folder, |channel| channel.key.as_str()).to_owned();
        let entry =
            channels.entry(known_by).or_insert_with(|| (own.unwrap_or_else(|| directory.channel(folder)), Vec::new()));
        entry.1.push(i);
    }
    let media = Media::new(export);
    for (channel, days) in channels.into_values() {
        let reading = Reading { export, options, directory: &directory, media: &media };
        reading.folder(channel, &days, out)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

/// The channel that a file itself names, as slackdump's do, which has all of it.
fn channel_of_file(
    export: &Export,
    i: usize,
    options: &Options,
    directory: &Directory,
) -> Result<Option<Channel>, ImportError> {
    if !export.head(i)?.trim_ascii_start().starts_with(b"{") {
        return Ok(None);
    }
    let fields = lists::fields(export, i, options, &SHAPE, &["channel_id", "name"])?;
    let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    Ok(Some(field("channel_id")).filter(|id| !id.is_empty()).map(|id| directory.channel_with(id, field("name"))))
}

/// Says what of the export holds text that is not read.
fn note_unread(export: &Export, out: &mut Out) {
    for file in export.files().iter().filter(|f| f.size > 4) {
        if let Some((name, what)) = UNREAD.iter().find(|(name, _)| *name == file.file_name()) {
            out.note(format!("This export also has {what} ({name}), which are not read."));
        }
    }
}

fn put(thread: &mut message::Thread, value: &Value, place: &Place, from: &str, out: &mut Out) -> crate::Flow {
    match thread.read(value, place.clone(), from) {
        Read::Message(message) => {
            if !std::mem::replace(&mut thread.begun, true) {
                out.conversation(thread.conversation())?;
            }
            out.message(*message)
        }
        Read::Skipped(reason) => out.skipped(reason, place.clone()),
        Read::Failed(reason) => out.failed(reason, place.clone()),
    }
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    directory: &'a Directory,
    media: &'a Media<'a>,
}

impl Reading<'_> {
    /// All days of one channel.
    fn folder(&self, channel: Channel, days: &[usize], out: &mut Out) -> Result<(), ImportError> {
        let mut thread = message::Thread::new(channel, self.directory, self.media, self.options.now);
        for &day in days {
            let from = self.export.files().get(day).map_or("", |f| f.path.as_str());
            lists::each(self.export, day, self.options, &SHAPE, out, |got, place: Place, out| match got {
                Got::Field(..) => crate::Flow::Continue(()),
                Got::Record(Err(reason)) => out.failed(reason, place),
                Got::Record(Ok(value)) => {
                    put(&mut thread, &value, &place, from, out)?;
                    // slackdump puts a thread into its first message, which it repeats.
                    let answers = array(&value, "slackdump_thread_replies");
                    answers
                        .iter()
                        .filter(|a| a.get("ts") != value.get("ts"))
                        .try_for_each(|answer| put(&mut thread, answer, &place, from, out))
                }
            })?;
            if out.stopped() {
                return Ok(());
            }
        }
        if thread.begun {
            let _ = out.conversation(thread.conversation());
        }
        Ok(())
    }
}
