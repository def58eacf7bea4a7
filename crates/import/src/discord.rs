//! Discord (formats.md §11): DiscordChatExporter's JSON, HTML, CSV and text, and Discord's own data
//! package, which has only what its owner wrote.
//!
//! A message at a time is held. All of them share the channel's and the message's own ids where they have
//! them. What a JSON message says is left to `message.rs`, pages to `page.rs`, tables and text to
//! `plain.rs`, the package to `package.rs`.

mod message;
mod package;
mod page;
mod plain;

use crate::{
    Format, ImportError, Options,
    export::Export,
    json::hunt,
    lists::{self, Fields, Got, Shape},
    media::Media,
    out::Out,
    record,
};
use evoke_message::{ConversationId, Kind, MessageId};
use serde_json::Value;

pub(crate) const FORMAT: Format = Format {
    key: "discord",
    label: "Discord",
    kind: Kind::Chat,
    how_to_export: "In Discord: User Settings, Data & Privacy, Request all of my Data; a link to a zip comes by mail after some days. It has \
                    only what you wrote yourself. Whole channels can be exported with DiscordChatExporter; choose JSON there.",
    detect,
    read,
};

const SHAPE: Shape =
    Shape { fields: &["guild", "channel", "exportedAt"], others: &["dateRange"], is_record: is_message };

/// A message of DiscordChatExporter's JSON.
fn is_message(keys: &[&str]) -> bool {
    ["id", "timestamp", "author"].iter().all(|k| keys.contains(k))
        && (keys.contains(&"content") || keys.contains(&"type"))
}

fn is_export(keys: &[&str]) -> bool {
    ["guild", "channel"].iter().all(|k| keys.contains(k))
}

/// What a claimed file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Page,
    Table,
    Text,
    Package,
    PackageTable,
}

fn form(export: &Export, i: usize) -> Option<Form> {
    let name = export.files().get(i)?.file_name().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let alone = export.files().len() == 1;
    if !alone && !["json", "html", "htm", "csv", "txt"].contains(&ending) {
        return None;
    }
    let head = export.head(i).ok()?;
    let begins = head.trim_ascii_start();
    match begins.first()? {
        b'{' | b'[' if hunt(&head, is_message) || hunt(&head, is_export) => Some(Form::Json),
        b'{' | b'[' if hunt(&head, package::is_message) => Some(Form::Package),
        // Damage at the first byte.
        _ if ending == "json" && (hunt(&head, is_message) || hunt(&head, package::is_message)) => {
            Some(if hunt(&head, is_message) { Form::Json } else { Form::Package })
        }
        b'<' if page::is_page(&head) => Some(Form::Page),
        _ if plain::is_table(begins) => Some(Form::Table),
        _ if package::is_table(begins) => Some(Form::PackageTable),
        _ if plain::is_text(begins) => Some(Form::Text),
        _ => None,
    }
}

fn detect(export: &Export) -> Option<Vec<usize>> {
    let mut claimed: Vec<usize> = export.unclaimed().map(|(i, _)| i).filter(|i| form(export, *i).is_some()).collect();
    claimed.extend(readme(export, &claimed));
    (!claimed.is_empty()).then_some(claimed)
}

/// What Discord writes about a package, above its folder of messages.
fn readme(export: &Export, claimed: &[usize]) -> Option<usize> {
    let path = |i: usize| export.files().get(i).map_or("", |f| f.path.as_str());
    let of_package = |i: &&usize| matches!(form(export, **i), Some(Form::Package | Form::PackageTable));
    let first = path(*claimed.iter().find(of_package)?);
    let root = first.rsplitn(4, '/').nth(3).unwrap_or_default();
    let beside = |name: &str| name.trim_start_matches('/').eq_ignore_ascii_case("readme.txt");
    (0..export.files().len()).find(|&i| path(i).strip_prefix(root).is_some_and(beside))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let reading = Reading { export, options, media: &Media::new(export) };
    let forms: Vec<(usize, Form)> = files.iter().filter_map(|i| Some((*i, form(export, *i)?))).collect();
    let package = package::Package::read(export);
    if forms.iter().any(|(_, form)| matches!(form, Form::Package | Form::PackageTable)) {
        for contact in package.contacts() {
            if out.contact(contact).is_break() {
                return Ok(());
            }
        }
    }
    let mut tables = plain::Keys::default();
    for (i, form) in forms {
        match form {
            Form::Json => reading.json(i, package.owner(), out)?,
            Form::Page => page::read(&reading, i, package.owner(), out)?,
            Form::Table => plain::read_table(&reading, i, &mut tables, package.owner(), out)?,
            Form::Text => plain::read_text(&reading, i, out)?,
            Form::Package => package.read_json(&reading, i, out)?,
            Form::PackageTable => package.read_table(&reading, i, out)?,
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    media: &'a Media<'a>,
}

impl Reading<'_> {
    fn path(&self, file: usize) -> &str {
        self.export.files().get(file).map_or("", |f| f.path.as_str())
    }

    /// One channel as DiscordChatExporter writes it.
    fn json(&self, file: usize, owner: Option<&str>, out: &mut Out) -> Result<(), ImportError> {
        let fields: Fields = lists::fields(self.export, file, self.options, &SHAPE, &["guild", "channel"])?;
        let from = self.path(file);
        let mut channel = message::Channel::new(&fields, owner, self.media, from, self.options.now);
        let mut begun = false;
        lists::each(self.export, file, self.options, &SHAPE, out, |got, place, out| match got {
            Got::Field(..) => crate::Flow::Continue(()),
            Got::Record(Err(reason)) => out.failed(reason, place),
            Got::Record(Ok(value)) => match channel.read(&value, place.clone()) {
                message::Read::Message(message) => {
                    if !std::mem::replace(&mut begun, true) {
                        out.conversation(channel.conversation())?;
                    }
                    out.message(*message)
                }
                message::Read::Skipped(reason) => out.skipped(reason, place),
                message::Read::Failed(reason) => out.failed(reason, place),
            },
        })?;
        if begun && !out.stopped() {
            let _ = out.conversation(channel.conversation());
        }
        Ok(())
    }
}

fn thread(channel: &str) -> record::Thread {
    record::Thread::new(FORMAT.key, Kind::Chat, channel)
}

/// A message's snowflake is its own in all of Discord.
fn message_id(snowflake: &str) -> MessageId {
    MessageId::of(&[FORMAT.key, snowflake])
}

fn conversation_id(channel: &str) -> ConversationId {
    ConversationId::of(&[FORMAT.key, channel])
}

/// The time in a snowflake, UTC milliseconds.
fn time_of(snowflake: &str) -> Option<i64> {
    let bits: u64 = snowflake.parse().ok()?;
    // Ids of before Discord's first day are none of its own.
    let ms = i64::try_from(bits >> 22).ok().filter(|ms| *ms > 0)?;
    crate::time::from_number((ms + 1_420_070_400_000) as f64)
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|v| v.is_object())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snowflakes_have_a_time() {
        assert_eq!(time_of("175928847299117063"), Some(1_462_015_105_796));
        assert_eq!(time_of("1001"), None);
        assert_eq!(time_of("x"), None);
    }
}
