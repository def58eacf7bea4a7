//! Telegram Desktop's export as pages (formats.md §8): `messages.html`, `messages2.html`, … for each chat. They have the messages'
//! own ids but not the chat's, name who writes only at the first of several messages in a row, and give no time to
//! what Telegram itself wrote. The same chat as JSON is left to `message.rs`.

use super::FORMAT;
use crate::{
    ImportError, Options,
    clock::{self, Order},
    export::Export,
    html,
    media::{self, Media},
    out::Out,
    page_parts::{Piece, Pieces, with_attr, with_class, words},
    record::{ContentIds, Thread},
    threads::Participants,
    time,
};
use evoke_message::{Attachment, Conversation, ConversationKind, Kind, Message, Part, Place, Reaction, Role, Sender};
use jiff::tz::TimeZone;
use scraper::ElementRef;
use std::collections::BTreeMap;

const MESSAGES: &[&str] = &["<div class=\"message default", "<div class=\"message service"];
const HEADER: &[&str] = &["page_header"];
const BOLD: &[&str] = &["bold"];
const NAME: &[&str] = &["from_name"];
const DATE: &[&str] = &["date"];
const TEXT: &[&str] = &["text"];
const BODY: &[&str] = &["body"];
const REPLY: &[&str] = &["reply_to"];
const FORWARDED: &str = "forwarded";
const MEDIA: &[&str] = &["media", "photo_wrap", "video_file_wrap", "animated_wrap", "sticker_wrap"];
const TITLE: &[&str] = &["title"];
const STATUS: &[&str] = &["status"];
const DESCRIPTION: &[&str] = &["description"];
const POLL: &[&str] = &["media_poll"];
const QUESTION: &[&str] = &["question"];
const ANSWER: &[&str] = &["answer"];
const DETAILS: &[&str] = &["details"];
const REACTION: &[&str] = &["reaction"];
const EMOJI: &[&str] = &["emoji"];
const COUNT: &[&str] = &["count"];
const USERPIC: &[&str] = &["userpic"];

/// A page of messages.
pub(super) fn is_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    has(MESSAGES) && has(&["page_wrap", "class=\"from_name", "date details\""])
        || is_of_export(&text) && text.contains("chat_page")
}

/// Another page of such an export: what it holds, lists of chats and contacts.
pub(super) fn is_other(head: &[u8]) -> bool {
    is_of_export(&String::from_utf8_lossy(head))
}

fn is_of_export(text: &str) -> bool {
    text.contains("<title>Exported Data</title>") && text.contains("class=\"page_wrap")
}

/// Reads the pages of messages, each chat with all of its pages in order.
pub(super) fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let path = |i: usize| export.files().get(i).map_or("", |f| f.path.as_str());
    let mut chats: BTreeMap<&str, Vec<(u64, usize)>> = BTreeMap::new();
    for &file in files {
        let (folder, name) = path(file).rsplit_once('/').unwrap_or(("", path(file)));
        chats.entry(folder).or_default().push((number(name), file));
    }
    let media = Media::new(export);
    for (folder, mut pages) in chats {
        pages.sort_unstable();
        let mut chat = Chat::new(export, options, &media, folder);
        for (_, file) in pages {
            chat.page(file, out)?;
            if out.stopped() {
                return Ok(());
            }
        }
        chat.end(out);
    }
    Ok(())
}

/// `messages.html` is the first, `messages2.html` the second.
fn number(name: &str) -> u64 {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(1)
}

/// One chat under way.
struct Chat<'a> {
    export: &'a Export,
    options: &'a Options,
    media: &'a Media<'a>,
    thread: Thread,
    title: String,
    channel: bool,
    participants: Participants,
    ids: ContentIds,
    /// Path of the page under way, and messages met in it.
    from: &'a str,
    file: usize,
    at: u64,
    order: u64,
    /// Who wrote last: those who go on writing are not named again.
    writer: String,
    /// Of the message or the day before.
    last: Option<i64>,
    begun: bool,
}

impl<'a> Chat<'a> {
    fn new(export: &'a Export, options: &'a Options, media: &'a Media<'a>, folder: &str) -> Self {
        let named = folder.rsplit('/').next().filter(|n| !n.is_empty());
        let title = named.unwrap_or_else(|| export.name().split('.').next().unwrap_or_default()).to_owned();
        Self {
            export,
            options,
            media,
            thread: thread(&title),
            title,
            channel: false,
            participants: Participants::default(),
            ids: ContentIds::default(),
            from: "",
            file: 0,
            at: 0,
            order: 0,
            writer: String::new(),
            last: None,
            begun: false,
        }
    }

    fn conversation(&self) -> Conversation {
        let people = self.participants.names();
        let kind = match people.len() {
            _ if self.channel => ConversationKind::Channel,
            0..=2 => ConversationKind::Direct,
            _ => ConversationKind::Group,
        };
        Conversation { participants: people, ..self.thread.conversation(kind, self.title.clone()) }
    }

    fn page(&mut self, file: usize, out: &mut Out) -> Result<(), ImportError> {
        self.file = file;
        self.from = self.export.files().get(file).map_or("", |f| f.path.as_str());
        self.at = 0;
        let input = self.export.open(file)?;
        let pieces =
            Pieces::new(input, MESSAGES, self.options.limits.record).map_err(|e| self.export.trouble(file, e))?;
        let (mut lost_in_all, mut trouble) = (0, None);
        for piece in pieces {
            let flow = match piece {
                Ok(Piece::Text { text, lost }) => {
                    lost_in_all += lost;
                    match MESSAGES.iter().any(|m| text.starts_with(m)) {
                        true => self.piece(&text, out),
                        false => {
                            self.preamble(&text);
                            crate::Flow::Continue(())
                        }
                    }
                }
                Ok(Piece::TooLong { bytes }) => {
                    let place = self.next_place();
                    out.failed(format!("a message of {} MB is longer than Evoke reads", bytes >> 20), place)
                }
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        out.file_ended(file, lost_in_all, trouble)
    }

    fn end(&self, out: &mut Out) {
        if self.begun {
            let _ = out.conversation(self.conversation());
        } else if self.order == 0 {
            let _ = out.skipped("chat without messages", self.export.place(self.file, 0));
        }
    }

    fn next_place(&mut self) -> Place {
        self.at += 1;
        self.order += 1;
        self.export.place(self.file, self.at)
    }

    /// The chat's name stands above its first message, on every page.
    fn preamble(&mut self, text: &str) {
        let page = html::page(text);
        let header = with_class(page.root_element(), HEADER).next();
        let name = header.and_then(|h| with_class(h, BOLD).next()).map(words).filter(|n| !n.is_empty());
        if let Some(name) = name.filter(|_| !self.begun) {
            self.thread = thread(&name);
            self.title = name;
        }
    }

    fn piece(&mut self, text: &str, out: &mut Out) -> crate::Flow {
        let page = html::fragment(text);
        let root = page.root_element();
        let Some(element) = root.descendent_elements().find(|e| e.value().classes().any(|c| c == "message")) else {
            let place = self.next_place();
            return out.failed("there is no message where one should be", place);
        };
        let id = element.attr("id").and_then(|id| id.strip_prefix("message")).unwrap_or_default();
        match element.value().classes().any(|c| c == "service") {
            true => self.service(element, id, out),
            false => self.message(element, id, out),
        }
    }

    /// What Telegram wrote: a new day, which is no record, or what somebody did.
    fn service(&mut self, element: ElementRef, id: &str, out: &mut Out) -> crate::Flow {
        let text = with_class(element, BODY).next().map(words).unwrap_or_default();
        let day = clock::instant(&format!("{text} 00:00"), Order::DayFirst, &self.options.zone);
        if let Some((day, _)) = day.filter(|_| id.is_empty() || id.starts_with('-')) {
            self.last = Some(day.max(self.last.unwrap_or(day)));
            return crate::Flow::Continue(());
        }
        let place = self.next_place();
        if text.is_empty() {
            return out.skipped("message without text", place);
        }
        self.channel |= text.starts_with("Channel «");
        let sender = Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false };
        let said = Said { part: Some(Part::Service), text, ..Said::default() };
        self.put(said, id, sender, place, out)
    }

    fn message(&mut self, element: ElementRef, id: &str, out: &mut Out) -> crate::Flow {
        let own = |e: &ElementRef| !is_forwarded(*e);
        if let Some(name) = with_class(element, NAME).find(own).map(words) {
            self.writer = name.split(" via @").next().unwrap_or_default().to_owned();
        }
        let written =
            with_class(element, DATE).filter(own).find_map(|e| e.attr("title")).unwrap_or_default().to_owned();
        let place = self.next_place();
        let mut said = self.media(element);
        let text = [words_of(element), std::mem::take(&mut said.text)];
        let text = text.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n\n");
        said.text = match forwarded_from(element) {
            Some(name) if !text.is_empty() => format!("Forwarded from {name}:\n{text}"),
            _ => text,
        };
        if said.text.is_empty() && said.attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        said.time = instant(&written, &self.options.zone);
        said.written = written;
        said.reactions = reactions(element);
        said.reply_to = answered(element);
        let sender = match self.writer.as_str() {
            "" => Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false },
            name => Sender { key: name.to_owned(), name: name.to_owned(), me: false },
        };
        self.participants.meet(&self.writer.clone());
        self.put(said, id, sender, place, out)
    }

    fn put(&mut self, said: Said, id: &str, sender: Sender, place: Place, out: &mut Out) -> crate::Flow {
        let (time, zone_known) = said.time.unwrap_or((self.last.unwrap_or(self.options.now), false));
        self.last = Some(time);
        let part = said.part.unwrap_or(Part::Text);
        let message_id = match id {
            "" => self.ids.next(&self.thread, &[&said.written, &sender.key, &said.text]),
            id => self.thread.message_id(id),
        };
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(self.conversation())?;
        }
        out.message(Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            time,
            time_original: said.written,
            zone_known,
            text: said.text,
            reply_to: said.reply_to.map(|id| self.thread.message_id(&id)),
            attachments: said.attachments,
            reactions: said.reactions,
            order: self.order - 1,
            ..self.thread.message(message_id, sender, place)
        })
    }

    /// Files, and what stands in their place for text: calls, places, contacts, polls.
    fn media(&self, element: ElementRef) -> Said {
        let mut said = Said::default();
        let mut texts: Vec<String> = with_class(element, POLL).map(poll).collect();
        for media in with_class(element, MEDIA) {
            let kind = media.value().classes().find_map(|c| c.strip_prefix("media_")).unwrap_or_default();
            let part = |classes| with_class(media, classes).next().map(words).unwrap_or_default();
            let (title, status, description) = (part(TITLE), part(STATUS), part(DESCRIPTION));
            match kind {
                "call" => {
                    said.part = Some(Part::Call);
                    texts.push(format!("Call: {status}"));
                }
                "location" | "live_location" => texts.push(format!("Location: {status}")),
                "venue" => texts.push(format!("Location: {} ({status})", joined(&[&title, &description], ", "))),
                "contact" => texts.push(format!("Contact: {}", joined(&[&title, &status], " "))),
                "game" | "invoice" => texts.push(joined(&[&title, &description, &status], "\n")),
                _ => said.attachments.push(self.attachment(media, kind, &title, &description)),
            }
        }
        said.text = texts.join("\n\n");
        said
    }

    fn attachment(&self, element: ElementRef, kind: &str, title: &str, description: &str) -> Attachment {
        let href = element.attr("href").unwrap_or_default();
        let named = if kind == "file" { title } else { "" };
        if !href.is_empty() {
            return self.media.attachment(named, href, self.from);
        }
        let kind = element.value().classes().find_map(|c| c.strip_suffix("_wrap")).unwrap_or("file");
        let name = if title.is_empty() { kind } else { title };
        let why = description.trim_end_matches('.');
        media::attachment(name, None, None, if why.is_empty() { media::NOT_HERE } else { why })
    }
}

/// What a message says.
#[derive(Default)]
struct Said {
    /// None: a text.
    part: Option<Part>,
    text: String,
    written: String,
    time: Option<(i64, bool)>,
    attachments: Vec<Attachment>,
    reactions: Vec<Reaction>,
    /// The native id of the message answered.
    reply_to: Option<String>,
}

fn thread(title: &str) -> Thread {
    Thread::new(FORMAT.key, Kind::Chat, format!("page {}", evoke_message::normalise(title)))
}

fn joined(parts: &[&str], between: &str) -> String {
    parts.iter().copied().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(between)
}

fn is_forwarded(element: ElementRef) -> bool {
    let around = element.ancestors().filter_map(ElementRef::wrap);
    around.into_iter().any(|e| e.value().classes().any(|c| c == FORWARDED))
}

/// Whose message it was; behind the name stands when they wrote it.
fn forwarded_from(element: ElementRef) -> Option<String> {
    let name = with_class(element, NAME).find(|e| is_forwarded(*e))?;
    let own: Vec<&str> = name.children().filter_map(|c| c.value().as_text().map(|t| t.trim())).collect();
    Some(own.join(" ").trim().to_owned()).filter(|n| !n.is_empty())
}

fn words_of(element: ElementRef) -> String {
    let texts = with_class(element, TEXT).filter(|e| e.value().classes().all(|c| c != "bold"));
    texts.map(html::element).filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn poll(element: ElementRef) -> String {
    let question = with_class(element, QUESTION).next().map(words).unwrap_or_default();
    let answer = |answer: ElementRef| {
        let votes = with_class(answer, DETAILS).next().map(words).unwrap_or_default();
        let count: String = votes.chars().take_while(char::is_ascii_digit).collect();
        let shown = words(answer);
        let shown = shown.strip_suffix(votes.as_str()).unwrap_or(&shown).trim_start_matches('-').trim().to_owned();
        format!("\n- {shown} ({})", if count.is_empty() { "0" } else { &count })
    };
    format!("Poll: {question}{}", with_class(element, ANSWER).map(answer).collect::<String>())
}

fn reactions(element: ElementRef) -> Vec<Reaction> {
    let one = |reaction: ElementRef| {
        let emoji = with_class(reaction, EMOJI).next().map(words).filter(|e| !e.is_empty());
        let stated = with_class(reaction, COUNT).next().and_then(|c| words(c).parse().ok());
        let shown = || u32::try_from(with_class(reaction, USERPIC).count()).unwrap_or(1).max(1);
        Reaction { emoji: emoji.unwrap_or_else(|| "custom emoji".to_owned()), count: stated.unwrap_or_else(shown) }
    };
    with_class(element, REACTION).map(one).collect()
}

/// `12` of `messages2.html#go_to_message12`.
fn answered(element: ElementRef) -> Option<String> {
    let link = with_attr(with_class(element, REPLY).next()?, &["href"]).next()?;
    let (_, id) = link.attr("href")?.rsplit_once("#go_to_message")?;
    Some(id.to_owned()).filter(|id| !id.is_empty())
}

/// `23.08.2023 13:11:23 UTC-08:00`; without the zone in older exports.
fn instant(written: &str, zone: &TimeZone) -> Option<(i64, bool)> {
    let mut words = written.split_whitespace();
    let (day, clock) = (words.next()?, words.next()?);
    let mut figures = day.split('.');
    let (day, month, year) = (figures.next()?, figures.next()?, figures.next()?);
    let local = format!("{year}-{month}-{day}T{clock}");
    match words.next().and_then(|z| z.strip_prefix("UTC")) {
        Some("") => Some((time::iso(&format!("{local}Z"))?, true)),
        Some(offset) => Some((time::iso(&format!("{local}{offset}"))?, true)),
        None => Some((time::wall(&local, zone)?, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for (written, expected) in [
            ("23.08.2023 13:11:23 UTC-08:00", Some((1_692_825_083_000, true))),
            ("23.08.2023 13:11:23 UTC", Some((1_692_796_283_000, true))),
            ("23.08.2023 13:11:23", Some((1_692_789_083_000, false))),
            ("yesterday", None),
        ] {
            assert_eq!(instant(written, &zone), expected, "{written}");
        }
    }

    #[test]
    fn pages_are_in_the_order_of_their_numbers() {
        assert_eq!(["messages.html", "messages2.html", "messages10.html"].map(number), [1, 2, 10]);
    }
}
