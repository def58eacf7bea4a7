//! WhatsApp's text exports: one chat in one file, written in the locale of the phone (formats.md §7).
//!
//! Every file is read twice: whether `3/6/18` is in March or in June only the whole file can tell.
//! The export has wall times without a zone, no ids, no replies and no reactions.

mod body;
mod chat;
mod header;
mod order;
mod phrases;
mod scan;
mod survey;
#[cfg(test)]
mod tests;
mod title;
mod words;

use crate::{
    Format, ImportError, Options,
    export::Export,
    out::Out,
    text::{Line, Lines},
};
use body::Files;
use chat::{Chat, Reader, SOURCE};
use evoke_message::{Kind, normalise};
use jiff::{Timestamp, civil::Date};
use survey::Survey;

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "WhatsApp",
    kind: Kind::Chat,
    how_to_export: "On the phone, open the chat, tap its name (iPhone) or the three dots and More (Android), then Export chat. \
                    With media if you want to see which pictures were sent. Send the file to this computer. One chat at a time; \
                    WhatsApp gives the newest 40,000 messages, 10,000 with media.",
    detect,
    read,
};

/// Lines at the beginning of a file that are looked at.
const LOOKED_AT: usize = 50;

/// Text files with at least two heads in their first lines; or one, if it is the first line or the name says WhatsApp.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let claimed: Vec<usize> = export
        .unclaimed()
        .filter(|(_, file)| may_be_text(file.file_name()))
        .filter(|(i, file)| export.head(*i).is_ok_and(|head| is_chat(&head, &file.path)))
        .map(|(i, _)| i)
        .collect();
    (!claimed.is_empty()).then_some(claimed)
}

fn may_be_text(name: &str) -> bool {
    name.rsplit_once('.').is_none_or(|(_, end)| end.eq_ignore_ascii_case("txt"))
}

fn is_chat(head: &[u8], path: &str) -> bool {
    let Ok(lines) = Lines::new(head, head.len()) else { return false };
    let texts = lines.map_while(Result::ok).filter_map(|line| match line {
        Line::Text { text, .. } => Some(text).filter(|t| !t.trim().is_empty()),
        Line::TooLong { .. } => None,
    });
    let named = path.rsplit('/').next().is_some_and(|name| name == "_chat.txt" || title::chat_named(name).is_some());
    let (mut heads, mut senders) = (0, 0);
    for (i, text) in texts.enumerate().take_while(|(i, _)| named || *i < LOOKED_AT) {
        let Some(header) = header::header(&text) else { continue };
        let sent = body::split_sender(header.rest).is_some();
        if header.style.end.is_weak() && !sent {
            continue;
        }
        heads += 1;
        senders += usize::from(sent);
        if named || (i == 0 && sent) || (heads >= 2 && senders >= 1) {
            return true;
        }
    }
    false
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &i in files {
        read_chat(export, i, options, out)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

fn read_chat(export: &Export, i: usize, options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let open = || -> Result<_, ImportError> {
        Lines::new(export.open(i)?, options.limits.record).map_err(|e| export.trouble(i, e))
    };
    let survey = Survey::of(open()?, present(options));
    let (key, called) = key(export, i, &survey);
    for note in survey.notes(&key, options) {
        out.note(note);
    }
    if let Some(day_first) = survey.unsure(options) {
        out.date_order(day_first);
    }
    let chat = Chat { key, called, survey: &survey, files: neighbours(export, i), place: export.place(i, 0), options };
    let mut reader = Reader::new(&chat, out);
    let mut flow = reader.begin();
    let mut trouble = None;
    for line in open()? {
        match line {
            Ok(line) if flow.is_continue() => flow = reader.line(line),
            Ok(_) => return Ok(()),
            Err(error) => {
                trouble = Some(error);
                break;
            }
        }
    }
    let lost = reader.end();
    out.file_ended(i, lost, trouble)
}

fn present(options: &Options) -> Date {
    let now = Timestamp::from_millisecond(options.now).unwrap_or(Timestamp::MAX);
    options.zone.to_datetime(now).date()
}

/// Files in the same folder: what is named there as an attachment.
fn neighbours(export: &Export, i: usize) -> Files<'_> {
    let folder = |path: &str| path.len() - path.rsplit('/').next().map_or(0, str::len);
    let Some(chat) = export.files().get(i) else { return Files::new() };
    let here = chat.path.get(..folder(&chat.path)).unwrap_or_default();
    let beside = |path: &&str| path.strip_prefix(here).is_some_and(|name| !name.contains('/'));
    let paths = export.files().iter().map(|file| file.path.as_str()).filter(beside);
    paths.filter_map(|path| Some((path.get(here.len()..)?, path))).collect()
}

/// What the chat is called, which is also all that tells one chat from another: by the name of its
/// file, zip or folder, by whom iOS ascribes its first line to, or by who writes in it. And whether it is the phone
/// that calls it so.
fn key(export: &Export, i: usize, survey: &Survey) -> (String, bool) {
    let path = export.files().get(i).map_or("", |file| file.path.as_str());
    let mut names: Vec<&str> = path.rsplit('/').collect();
    if names.len() == 1 && path != export.name() {
        names.push(export.name());
    }
    let from_name = names.iter().find_map(|name| title::chat_named(name));
    let own = || title::other_name(names.first()?);
    let folder = || title::other_name(names.get(1)?);
    let people = || Some(survey.names().join(", ")).filter(|names| !names.is_empty());
    let called = from_name.is_some() || (own().is_none() && survey.subject.is_some());
    let key = from_name.or_else(own).or_else(|| survey.subject.clone()).or_else(folder).or_else(people);
    (normalise(&key.unwrap_or_else(|| "WhatsApp".to_owned())), called)
}
