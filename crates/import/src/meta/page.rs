//! The same threads as pages (`message_1.html`), which Meta gives where nobody chose JSON. Times have no
//! zone and, in some exports, no seconds.

use super::{
    Reading,
    message::{Said, Thread},
    threads::{self, About, Part as File},
};
use crate::{
    ImportError, Options,
    clock::{self, Order},
    export::Export,
    html, media,
    out::Out,
    page_parts::{Piece, Pieces, with_attr, with_class, words},
};
use evoke_message::{Attachment, Reaction};
use scraper::{ElementRef, Html, node::Element};

/// Where messages begin, in today's pages and in older ones.
const MESSAGES: &[&str] = &[
    "<div class=\"pam _3-95 _2ph- _a6-g",
    "<div class=\"_3-95 _a6-g",
    "<div class=\"_a6-g",
    "<section class=\"_a6-g",
    "<div class=\"pam _3-95 _2pi0 _2lej uiBoxWhite noborder\"",
    "<div class=\"pam _3-95 _2ph- _2lej uiBoxWhite noborder\"",
];
const SENDER: &[&str] = &["_a6-h", "_2lek"];
const BODY: &[&str] = &["_a6-p", "_2let"];
const DATE: &[&str] = &["_a6-o", "_a72d", "_2lem"];
const REACTIONS: &[&str] = &["_a6-q", "_tqp"];

/// By its name and by what stands in it; the styles of a page may fill its head.
pub(super) fn is_page(export: &Export, i: usize) -> bool {
    let Some(file) = export.files().get(i) else { return false };
    let name = file.file_name();
    let number = name.strip_prefix("message_").and_then(|n| n.strip_suffix(".html"));
    if !number.is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit())) {
        return false;
    }
    let in_box = ["inbox/", "archived_threads/", "filtered_threads/", "message_requests/", "e2ee_cutover/"];
    in_box.iter().any(|b| file.path.contains(b))
        || export.head(i).is_ok_and(|head| {
            let head = String::from_utf8_lossy(&head);
            MESSAGES.iter().any(|m| head.contains(m))
        })
}

/// One message of a page.
struct Found {
    sender: String,
    date: String,
    body: String,
    files: Vec<String>,
    reactions: Vec<Reaction>,
}

/// What of a page is not messages.
#[derive(Default)]
struct Head {
    title: String,
    people: Vec<String>,
}

/// Hands out the head and the messages of a page until `each` says `false`.
fn walk(
    export: &Export,
    file: usize,
    options: &Options,
    mut each: impl FnMut(Result<Found, String>, u64) -> bool,
) -> Result<(Head, u64, Option<std::io::Error>), ImportError> {
    let input = export.open(file)?;
    let pieces = Pieces::new(input, MESSAGES, options.limits.record).map_err(|e| export.trouble(file, e))?;
    let (mut head, mut lost_in_all, mut at) = (Head::default(), 0, 0);
    for piece in pieces {
        match piece {
            Err(error) => return Ok((head, lost_in_all, Some(error))),
            Ok(Piece::TooLong { bytes }) => {
                at += 1;
                if !each(Err(format!("a piece of {} MB is longer than Evoke reads", bytes >> 20)), at) {
                    break;
                }
            }
            Ok(Piece::Text { text, lost }) => {
                lost_in_all += lost;
                let is_message = MESSAGES.iter().any(|m| text.trim_start().starts_with(m));
                let page = if is_message { html::fragment(&text) } else { html::page(&text) };
                take_head(&page, &mut head);
                let senders = with_class(page.root_element(), SENDER);
                let found: Vec<Result<Found, String>> = senders.filter_map(message).map(Ok).collect();
                // A piece without a date is a box of the page that is no message.
                for message in found {
                    at += 1;
                    if !each(message, at) {
                        return Ok((head, lost_in_all, None));
                    }
                }
            }
        }
    }
    Ok((head, lost_in_all, None))
}

fn take_head(page: &Html, head: &mut Head) {
    let root = page.root_element();
    if head.title.is_empty()
        && let Some(title) = root.descendent_elements().find(|e| matches!(e.value().name(), "title" | "h1"))
    {
        head.title = words(title);
    }
    if head.people.is_empty() {
        let line = root.descendent_elements().filter(|e| e.value().name() == "div").map(words);
        let people =
            line.filter(|l| l.len() < 4_000).filter_map(|l| l.strip_prefix("Participants: ").map(str::to_owned)).last();
        let split = |line: String| line.replace(" and ", ", ").split(", ").map(|n| n.trim().to_owned()).collect();
        head.people = people.map(split).unwrap_or_default();
    }
}

/// The message that a sender's name stands over.
fn message(sender: ElementRef) -> Option<Found> {
    let around = ElementRef::wrap(sender.parent()?)?;
    let date = with_class(around, DATE).map(words).find(|d| !d.is_empty())?;
    let body = with_class(around, BODY).find(|b| *b != sender);
    let (mut said, mut files, mut reactions) = (String::new(), Vec::new(), Vec::new());
    if let Some(body) = body {
        said = html::part(body, is_reactions);
        for list in with_class(body, REACTIONS).filter(|list| is_reactions(list.value())) {
            reactions.extend(list.child_elements().filter_map(|li| reaction(&words(li))));
        }
        for element in with_attr(body, &["src", "href"]) {
            let to = element.attr("src").or_else(|| element.attr("href")).unwrap_or_default();
            let local =
                !media::is_address(to) && !to.starts_with(['#', '?']) && to.contains('/') && !to.starts_with("data:");
            if local && !files.iter().any(|f| f == to) {
                files.push(to.to_owned());
            }
        }
    }
    Some(Found { sender: words(sender), date, body: said, files, reactions })
}

fn is_reactions(element: &Element) -> bool {
    element.name() == "ul" && element.classes().any(|class| REACTIONS.contains(&class))
}

/// `😂Ana (Jan 1, 2024)`
fn reaction(text: &str) -> Option<Reaction> {
    let emoji: String = text.chars().take_while(|c| !c.is_alphanumeric() && !c.is_whitespace()).collect();
    (!emoji.is_empty() && emoji.chars().count() < 12).then_some(Reaction { emoji, count: 1 })
}

/// What a page says of its thread.
pub(super) fn about(export: &Export, file: usize, options: &Options) -> Result<About, ImportError> {
    let (mut count, mut first, mut last) = (0, None, None);
    let mut people: Vec<String> = Vec::new();
    let (head, ..) = walk(export, file, options, |found, _| {
        count += 1;
        if let Ok(found) = found {
            let time = clock::instant(&found.date, Order::default(), &options.zone);
            first = first.or(time);
            last = time.or(last);
            if people.len() < 50 && !people.contains(&found.sender) {
                people.push(found.sender);
            }
        }
        true
    })?;
    let path = export.files().get(file).map_or("", |f| f.path.as_str());
    let people = if head.people.is_empty() { people } else { head.people };
    Ok(threads::about_page(path, file, head.title, people, count, first >= last))
}

pub(super) fn read(reading: &Reading, part: &File, thread: &mut Thread, out: &mut Out) -> Result<(), ImportError> {
    let (export, options) = (reading.export, reading.options);
    let from = export.files().get(part.file).map_or("", |f| f.path.as_str());
    thread.begin_file(part);
    let (_, lost, trouble) = walk(export, part.file, options, |found, at| {
        let place = export.place(part.file, at);
        thread.seen += 1;
        let flow = match found {
            Err(reason) => out.failed(reason, place),
            Ok(found) => match said(found, reading, from) {
                said if said.text.is_empty() && said.attachments.is_empty() => {
                    out.skipped("message without text", place)
                }
                said => {
                    let message = thread.message(said, place);
                    thread.put(message, out)
                }
            },
        };
        flow.is_continue()
    })?;
    if out.stopped() { Ok(()) } else { out.file_ended(part.file, lost, trouble) }
}

fn said(found: Found, reading: &Reading, from: &str) -> Said {
    let Found { sender, date, body, files, mut reactions } = found;
    let attachments: Vec<Attachment> = files.iter().map(|f| reading.media.attachment("", f, from)).collect();
    let mut merged: Vec<Reaction> = Vec::new();
    for reaction in reactions.drain(..) {
        match merged.iter_mut().find(|r| r.emoji == reaction.emoji) {
            Some(same) => same.count += 1,
            None => merged.push(reaction),
        }
    }
    let instant = clock::instant(&date, Order::default(), &reading.options.zone);
    Said {
        part: super::message::part_of_text(&body, &sender),
        content: body.clone(),
        text: body,
        time: instant.map(|(ms, _)| ms),
        zone_known: instant.is_some_and(|(_, known)| known),
        written: date,
        sender,
        attachments,
        reactions: merged,
    }
}
