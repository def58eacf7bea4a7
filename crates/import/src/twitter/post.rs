//! Posts: with their long forms, links as they lead, pictures, and posts of others that were liked or kept.

use super::{Reading, SOURCE, first, text};
use crate::{date, out::Out, record::Thread, time, xml::unescape};
use evoke_message::{Attachment, ConversationKind, Kind, Message, Place, Sender};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Milliseconds since 1970 at which the ids of posts begin to count.
const IDS_BEGIN: i64 = 1_288_834_974_657;

/// The long form of a post.
pub(super) struct Note {
    id: String,
    time: i64,
    written: String,
    text: String,
    used: bool,
    place: Place,
}

/// `Wed Oct 10 20:19:24 +0000 2018`, or ISO.
fn when(written: &str) -> Option<i64> {
    time::iso(written).or_else(|| date::parse(written, &TimeZone::UTC).map(|w| w.time))
}

/// The time that the id of a post holds, for posts since November 2010.
fn of_id(id: &str) -> Option<i64> {
    let id: i64 = id.parse().ok()?;
    (id >> 22 > 0 && id > 30_000_000_000).then(|| (id >> 22) + IDS_BEGIN)
}

impl Reading<'_> {
    /// Held until the posts are read: a post has its beginning.
    pub(super) fn note(&mut self, note: &Value, place: Place, out: &mut Out) {
        let core =
            ["core", "noteTweetResults", "noteTweetContents"].iter().find_map(|name| note.get(name)).unwrap_or(note);
        let written = text(note, "createdAt");
        let words = with_links(
            &unescape(text(core, "text")),
            core.get("urls").or_else(|| core.get("entitySet")?.get("urls")),
            "shortUrl",
        );
        let id = text(note, "noteTweetId").to_owned();
        match when(written).or_else(|| of_id(text(note, "tweetId"))).or_else(|| of_id(&id)) {
            Some(time) if !words.is_empty() => {
                self.notes.push(Note { id, time, written: written.to_owned(), text: words, used: false, place })
            }
            _ => {
                let _ = out.failed("a long post without text or date", place);
            }
        }
    }

    pub(super) fn post(&mut self, post: &Value, place: Place, out: &mut Out) {
        self.learn_names(post);
        let id = first(&[text(post, "id_str"), text(post, "id")]).to_owned();
        let written = text(post, "created_at");
        let Some(time) = when(written).or_else(|| of_id(&id)) else {
            let _ = out.failed(format!("its date {written:?} cannot be read"), place);
            return;
        };
        let entities = post.get("entities");
        let raw = unescape(first(&[text(post, "full_text"), text(post, "text")]));
        let words = with_links(&raw, entities.and_then(|e| e.get("urls")), "url");
        let attachments = self.pictures(post, &id);
        let words = without_pictures(words, post);
        let words = self.long_form(time, &words).unwrap_or(words);
        if words.is_empty() && attachments.is_empty() {
            let _ = out.skipped("a post without text", place);
            return;
        }
        let thread = Thread::new(SOURCE, Kind::Web, "posts");
        let answers = text(post, "in_reply_to_status_id_str");
        let reply_to = (!answers.is_empty()).then(|| thread.message_id(answers));
        let sender = self.owner();
        let name = sender.name.clone();
        let message = Message {
            time,
            time_original: written.to_owned(),
            text: words,
            attachments,
            reply_to,
            order: place.at,
            ..thread.message(thread.message_id(&id), sender, place)
        };
        let _ = self.talks.message(&thread, ConversationKind::Channel, "Posts on X", &[&name], message, out);
    }

    /// The whole text of a post that is cut, where there is one of its time and beginning.
    fn long_form(&mut self, time: i64, words: &str) -> Option<String> {
        let beginning = |text: &str| text.split_whitespace().take(8).collect::<Vec<_>>().join(" ");
        let wanted = beginning(words.trim_end_matches('…'));
        let fits = |n: &&mut Note| {
            !n.used
                && (n.time - time).abs() <= 5_000
                && n.text.len() >= words.len()
                && beginning(&n.text).starts_with(wanted.trim_end_matches('…'))
        };
        let note = self.notes.iter_mut().find(fits)?;
        note.used = true;
        Some(note.text.clone())
    }

    /// Long forms whose posts are not in the archive.
    pub(super) fn rest_of_notes(&mut self, out: &mut Out) {
        for note in std::mem::take(&mut self.notes) {
            if note.used {
                let _ = out.skipped("the long form of a post, which has it", note.place);
                continue;
            }
            let thread = Thread::new(SOURCE, Kind::Web, "posts");
            let sender = self.owner();
            let name = sender.name.clone();
            let id = thread.message_id(&format!("note {}", note.id));
            let message = Message {
                time: note.time,
                time_original: note.written,
                text: note.text,
                order: note.place.at,
                ..thread.message(id, sender, note.place)
            };
            let _ = self.talks.message(&thread, ConversationKind::Channel, "Posts on X", &[&name], message, out);
        }
    }

    /// A post of somebody else that the owner liked or kept. Its author is not told.
    pub(super) fn kept(&mut self, key: &str, title: &str, kept: &Value, place: Place, out: &mut Out) {
        let id = text(kept, "tweetId");
        let words = unescape(text(kept, "fullText"));
        if words.is_empty() {
            let _ = out.skipped("liked or kept, but the archive has no text of it", place);
            return;
        }
        let written = first(&[text(kept, "likedAt"), text(kept, "bookmarkedAt"), text(kept, "createdAt")]);
        let time = when(written).or_else(|| of_id(id)).unwrap_or(self.options.now);
        let thread = Thread::new(SOURCE, Kind::Web, key);
        let sender = Sender { key: "unknown".to_owned(), name: "Somebody on X".to_owned(), me: false };
        let message = Message {
            time,
            time_original: written.to_owned(),
            text: words,
            order: place.at,
            ..thread.message(thread.message_id(id), sender, place)
        };
        let _ = self.talks.message(&thread, ConversationKind::Channel, title, &[], message, out);
    }

    fn learn_names(&mut self, post: &Value) {
        let mentions = post.get("entities").and_then(|e| e.get("user_mentions")).and_then(Value::as_array);
        for who in mentions.into_iter().flatten() {
            let name = first(&[text(who, "name"), text(who, "screen_name")]);
            let id = first(&[text(who, "id_str"), text(who, "id")]);
            if !name.is_empty() && !id.is_empty() && self.names.len() < 1_000_000 {
                self.names.entry(id.to_owned()).or_insert_with(|| name.to_owned());
            }
        }
    }

    /// Pictures and films of a post: as files of the archive, else by their addresses' names.
    fn pictures(&self, post: &Value, id: &str) -> Vec<Attachment> {
        let there = self.media.get(id).into_iter().flatten();
        let found: Vec<Attachment> = there.map(|path| self.attached(path)).collect();
        if !found.is_empty() {
            return found;
        }
        let all = media_of(post).map(|m| missing(first(&[text(m, "media_url_https"), text(m, "media_url")])));
        all.collect()
    }

    /// A file of the archive, its name without the id before it.
    pub(super) fn attached(&self, path: &str) -> Attachment {
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = name.split_once('-').map_or(name, |(_, name)| name).to_owned();
        Attachment { mime: crate::mime::of_name(&name), name, path: Some(path.to_owned()), missing: None }
    }
}

pub(super) fn missing(address: &str) -> Attachment {
    let name = address.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    Attachment {
        mime: crate::mime::of_name(name),
        name: name.to_owned(),
        path: None,
        missing: Some("not in this export".to_owned()),
    }
}

fn media_of(post: &Value) -> impl Iterator<Item = &Value> {
    let of = |name: &str| post.get(name).and_then(|e| e.get("media")).and_then(Value::as_array);
    of("extended_entities").or_else(|| of("entities")).into_iter().flatten()
}

/// Short links replaced by where they lead.
pub(super) fn with_links(words: &str, urls: Option<&Value>, short: &str) -> String {
    let mut words = words.to_owned();
    for url in urls.and_then(Value::as_array).into_iter().flatten() {
        let (from, to) = (
            first(&[text(url, short), text(url, "url")]),
            first(&[text(url, "expanded_url"), text(url, "expandedUrl"), text(url, "expanded")]),
        );
        if !from.is_empty() && !to.is_empty() {
            words = words.replace(from, to);
        }
    }
    words.trim().to_owned()
}

/// Without the links that stand for pictures.
fn without_pictures(words: String, post: &Value) -> String {
    let mut words = words;
    for url in media_of(post).map(|m| text(m, "url")).filter(|u| !u.is_empty()) {
        words = words.replace(url, "");
    }
    words.trim().to_owned()
}
