//! DiscordChatExporter's HTML pages: messages in groups of one author, with the messages' own ids but
//! without the channel's. Pages are minified, so attributes may stand without quotes.

use super::{Reading, message, message_id, thread, time_of};
use crate::{
    ImportError, clock,
    clock::Order,
    html, media,
    out::Out,
    page_parts::{Piece, Pieces, with_attr, with_class, words},
    record::{ContentIds, Thread},
    threads::Participants,
};
use evoke_message::{Attachment, Conversation, ConversationKind, Message, Part, Place, Reaction, Role, Sender};
use scraper::ElementRef;

const GROUPS: &[&str] = &[
    "<div class=\"chatlog__message-group\"",
    "<div class=chatlog__message-group",
    "<div class='chatlog__message-group'",
    "<div class=\"chatlog__message-group ",
];

/// Classes, of today's pages and of older ones.
const NAMES: &[&str] = &["preamble__entry", "info__guild-name", "info__channel-name"];
const AUTHOR: &[&str] = &["chatlog__author", "chatlog__author-name", "chatlog__system-notification-author"];
const DATE: &[&str] = &["chatlog__timestamp", "chatlog__system-notification-timestamp"];
const SHORT_DATE: &[&str] = &["chatlog__short-timestamp"];
const NOTICE: &[&str] = &["chatlog__system-notification-content"];
const CONTENT: &[&str] = &["chatlog__content"];
const EMBED: &[&str] = &["chatlog__embed-text"];
const EMOJI: &[&str] = &["chatlog__emoji", "emoji"];
const EDITED: &[&str] = &["chatlog__edited-timestamp"];
const REPLY: &[&str] = &["chatlog__reply-link", "chatlog__reference-link"];
const ATTACHMENT: &[&str] = &["chatlog__attachment"];
const GENERIC: &[&str] = &["chatlog__attachment-generic-name"];
const STICKER: &[&str] = &["chatlog__sticker"];
const REACTION: &[&str] = &["chatlog__reaction"];
const COUNT: &[&str] = &["chatlog__reaction-count"];

pub(super) fn is_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.contains("chatlog__message") || (text.contains("DiscordChatExporter") && text.contains("<html"))
}

pub(super) fn read(reading: &Reading, file: usize, owner: Option<&str>, out: &mut Out) -> Result<(), ImportError> {
    let input = reading.export.open(file)?;
    let pieces =
        Pieces::new(input, GROUPS, reading.options.limits.record).map_err(|e| reading.export.trouble(file, e))?;
    let mut page = Page::new(reading, file, owner);
    let (mut lost_in_all, mut trouble) = (0, None);
    for (n, piece) in pieces.enumerate() {
        let flow = match piece {
            Ok(Piece::Text { text, lost }) => {
                lost_in_all += lost;
                let text = text.trim_start();
                match n == 0 && !GROUPS.iter().any(|g| text.starts_with(g)) {
                    true => page.preamble(text),
                    false => page.group(text, out),
                }
            }
            Ok(Piece::TooLong { bytes }) => {
                let place = page.next_place();
                out.failed(format!("a piece of {} MB is longer than Evoke reads", bytes >> 20), place)
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
    if page.begun {
        let _ = out.conversation(page.conversation());
    }
    out.file_ended(file, lost_in_all, trouble)
}

struct Page<'a> {
    reading: &'a Reading<'a>,
    file: usize,
    owner: Option<&'a str>,
    thread: Thread,
    title: String,
    kind: ConversationKind,
    participants: Participants,
    ids: ContentIds,
    seen: u64,
    last: Option<i64>,
    begun: bool,
}

impl<'a> Page<'a> {
    fn new(reading: &'a Reading<'a>, file: usize, owner: Option<&'a str>) -> Self {
        Self {
            reading,
            file,
            owner,
            thread: thread("unknown channel"),
            title: super::FORMAT.label.to_owned(),
            kind: ConversationKind::Channel,
            participants: Participants::default(),
            ids: ContentIds::default(),
            seen: 0,
            last: None,
            begun: false,
        }
    }

    fn next_place(&mut self) -> Place {
        self.seen += 1;
        self.reading.export.place(self.file, self.seen)
    }

    fn conversation(&self) -> Conversation {
        Conversation {
            participants: self.participants.names(),
            ..self.thread.conversation(self.kind, self.title.clone())
        }
    }

    /// The names of guild and channel, which are all that is known of them.
    fn preamble(&mut self, text: &str) -> crate::Flow {
        let page = html::page(text);
        let page = page.root_element();
        let names: Vec<String> = with_class(page, NAMES).map(words).filter(|n| !n.is_empty()).collect();
        if let [guild, channel, ..] = names.as_slice() {
            let direct = guild == "Direct Messages";
            self.kind = if direct { ConversationKind::Direct } else { ConversationKind::Channel };
            let channel = if direct { channel.rsplit(" / ").next().unwrap_or(channel) } else { channel };
            self.title = message::title(self.kind, guild, channel);
            self.thread = thread(&format!("{guild} / {channel}"));
        }
        crate::Flow::Continue(())
    }

    fn group(&mut self, text: &str, out: &mut Out) -> crate::Flow {
        let page = html::fragment(text);
        let group = page.root_element();
        let of_group = with_class(group, AUTHOR).next().map(|e| (person(e), words(e)));
        let date_of_group = with_class(group, DATE).next().map(words).unwrap_or_default();
        let messages: Vec<ElementRef> = with_attr(group, &["data-message-id"]).collect();
        if messages.is_empty() {
            let place = self.next_place();
            return out.failed("there is no message where one should be", place);
        }
        for element in messages {
            // A message may hold another with its id: only the outermost is one.
            if element.ancestors().skip(1).filter_map(ElementRef::wrap).any(|a| a.attr("data-message-id").is_some()) {
                continue;
            }
            let own = with_class(element, AUTHOR).next().map(|e| (person(e), words(e)));
            let author = own.or_else(|| of_group.clone());
            self.message(element, author, &date_of_group, out)?;
        }
        crate::Flow::Continue(())
    }

    fn message(
        &mut self,
        element: ElementRef,
        author: Option<((String, String), String)>,
        date_of_group: &str,
        out: &mut Out,
    ) -> crate::Flow {
        let place = self.next_place();
        let native = element.attr("data-message-id").unwrap_or_default().to_owned();
        let sender = match author {
            Some(((id, full), shown)) => {
                let key = [id, full, shown.clone()].into_iter().find(|k| !k.is_empty()).unwrap_or_default();
                Sender { me: self.owner == Some(key.as_str()), key, name: shown }
            }
            None => Sender { key: super::FORMAT.key.to_owned(), name: super::FORMAT.label.to_owned(), me: false },
        };
        let notice = with_class(element, NOTICE).next().map(words);
        let attachments = self.attachments(element);
        let (part, text) = match notice {
            Some(notice) if notice.contains("started a call") => (Part::Call, format!("{} {notice}", sender.name)),
            Some(notice) => (Part::Service, format!("{} {notice}", sender.name)),
            None => (Part::Text, self.text(element)),
        };
        if text.is_empty() && attachments.is_empty() {
            return out.skipped("message without text", place);
        }
        let date = self.date(element).unwrap_or_else(|| date_of_group.to_owned());
        let stated = clock::instant(&date, Order::default(), &self.reading.options.zone);
        let exact = exact_time(&native, stated);
        let (time, zone_known) = exact.unwrap_or((self.last.unwrap_or(self.reading.options.now), false));
        self.last = Some(time);
        let id = match native.as_str() {
            "" => self.ids.next(&self.thread, &[&date, &sender.key, &text]),
            native => message_id(native),
        };
        self.participants.meet(&sender.name);
        if !std::mem::replace(&mut self.begun, true) {
            out.conversation(self.conversation())?;
        }
        out.message(Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            time,
            time_original: date,
            zone_known,
            edited: self.edited(element),
            text,
            reply_to: self.reply(element),
            attachments,
            reactions: self.reactions(element),
            order: self.seen - 1,
            ..self.thread.message(id, sender, place)
        })
    }

    fn date(&self, element: ElementRef) -> Option<String> {
        let shown = with_class(element, DATE).next().map(words);
        let short = || with_class(element, SHORT_DATE).next().and_then(|e| e.attr("title")).map(str::to_owned);
        shown.filter(|d| !d.is_empty()).or_else(short)
    }

    fn edited(&self, element: ElementRef) -> Option<i64> {
        let date = with_class(element, EDITED).next()?.attr("title")?;
        clock::instant(date, Order::default(), &self.reading.options.zone).map(|(ms, _)| ms)
    }

    fn reply(&self, element: ElementRef) -> Option<evoke_message::MessageId> {
        let link = with_class(element, REPLY).next()?.attr("onclick")?;
        let id: String = link.chars().filter(char::is_ascii_digit).collect();
        (id.len() > 2).then(|| message_id(&id))
    }

    fn text(&self, element: ElementRef) -> String {
        let content = with_class(element, CONTENT).next().map(|e| self.markdown(e)).unwrap_or_default();
        let embeds: Vec<String> = with_class(element, EMBED).map(|e| self.markdown(e)).collect();
        if !content.is_empty() { content } else { embeds.join("\n\n").trim().to_owned() }
    }

    /// Line breaks are kept as they stand; pictures of emoji are the emoji.
    fn markdown(&self, element: ElementRef) -> String {
        let mut inner = element.inner_html();
        for image in with_class(element, EMOJI) {
            inner = inner.replace(&image.html(), image.attr("alt").unwrap_or_default());
        }
        for edited in with_class(element, EDITED) {
            inner = inner.replace(&edited.html(), "");
        }
        html::markdown(&inner.trim().replace('\n', "<br>"))
    }

    fn attachments(&self, element: ElementRef) -> Vec<Attachment> {
        let from = self.reading.path(self.file);
        let mut all: Vec<Attachment> = Vec::new();
        for attachment in with_class(element, ATTACHMENT) {
            let link = with_attr(attachment, &["href", "src"]).next();
            let address = link.and_then(|l| l.attr("href").or_else(|| l.attr("src"))).unwrap_or_default();
            let titled = with_attr(attachment, &["title"]).next().and_then(|e| e.attr("title"));
            let named =
                titled.and_then(|t| t.split_once(": ")).map(|(_, t)| t.rsplit_once(" (").map_or(t, |(name, _)| name));
            let generic = with_class(attachment, GENERIC).next().map(words).unwrap_or_default();
            let name = named.unwrap_or(&generic);
            all.push(self.reading.media.attachment(name, address, from));
        }
        for sticker in with_class(element, STICKER) {
            let name = sticker.attr("title").or_else(|| with_attr(sticker, &["title"]).next()?.attr("title"));
            all.push(media::attachment(
                format!("sticker {}", name.unwrap_or_default()).trim_end(),
                None,
                None,
                media::NOT_HERE,
            ));
        }
        all
    }

    fn reactions(&self, element: ElementRef) -> Vec<Reaction> {
        let one = |r: ElementRef| {
            let image = with_class(r, EMOJI).next();
            let emoji = image.and_then(|i| i.attr("alt")).or_else(|| r.attr("title")).unwrap_or_default().to_owned();
            let count = with_class(r, COUNT).next().and_then(|c| words(c).parse().ok()).unwrap_or(1);
            Reaction { emoji, count }
        };
        with_class(element, REACTION).map(one).filter(|r| !r.emoji.is_empty()).collect()
    }
}

/// The id knows the millisecond, what is shown only the minute in an unknown zone; an id that is far from
/// what is shown is none of Discord's.
fn exact_time(native: &str, stated: Option<(i64, bool)>) -> Option<(i64, bool)> {
    const DAY: u64 = 26 * 3_600_000;
    match (time_of(native), stated) {
        (Some(ms), Some((shown, _))) if ms.abs_diff(shown) > DAY => stated,
        (Some(ms), _) => Some((ms, true)),
        (None, stated) => stated,
    }
}

/// Id and full name of an author.
fn person(element: ElementRef) -> (String, String) {
    let attr = |name: &str| element.attr(name).unwrap_or_default().trim().to_owned();
    (attr("data-user-id"), attr("title"))
}
