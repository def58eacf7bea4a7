//! One message of DiscordChatExporter's JSON as a message of ours.

use super::{FORMAT, conversation_id, message_id, object, thread, time_of};
use crate::{
    lists::Fields,
    media::{self, Media},
    record::{ContentIds, Thread},
    text::until,
    threads::Participants,
    time,
    values::{array, first_text, id, number, text as field},
};
use evoke_message::{Attachment, Conversation, ConversationKind, Message, Part, Place, Reaction, Role, Sender};
use serde_json::Value;

/// What became of a record.
pub(super) enum Read {
    Message(Box<Message>),
    Skipped(&'static str),
    Failed(String),
}

/// One channel, thread or direct chat under way.
pub(super) struct Channel<'a> {
    thread: Thread,
    title: String,
    kind: ConversationKind,
    /// The channel that a thread lies in.
    parent: Option<String>,
    /// Id of the export's owner, where a data package lies beside it.
    owner: Option<&'a str>,
    media: &'a Media<'a>,
    /// Path of the file.
    from: &'a str,
    participants: Participants,
    ids: ContentIds,
    seen: u64,
    last: Option<i64>,
    now: i64,
}

impl<'a> Channel<'a> {
    pub(super) fn new(fields: &Fields, owner: Option<&'a str>, media: &'a Media<'a>, from: &'a str, now: i64) -> Self {
        let (none, empty) = (Value::Null, Value::Null);
        let (channel, guild) = (fields.get("channel").unwrap_or(&none), fields.get("guild").unwrap_or(&empty));
        let kind = match field(channel, "type") {
            "DirectTextChat" => ConversationKind::Direct,
            "DirectGroupTextChat" => ConversationKind::Group,
            _ if id(guild.get("id")).as_deref() == Some("0") => ConversationKind::Direct,
            _ => ConversationKind::Channel,
        };
        let is_thread = field(channel, "type").ends_with("Thread");
        let key = id(channel.get("id")).unwrap_or_else(|| "unknown channel".to_owned());
        Self {
            thread: thread(&key),
            title: title(kind, field(guild, "name"), field(channel, "name")),
            kind,
            parent: id(channel.get("categoryId")).filter(|_| is_thread),
            owner,
            media,
            from,
            participants: Participants::default(),
            ids: ContentIds::default(),
            seen: 0,
            last: None,
            now,
        }
    }

    pub(super) fn conversation(&self) -> Conversation {
        Conversation {
            participants: self.participants.names(),
            parent: self.parent.as_deref().map(conversation_id),
            ..self.thread.conversation(self.kind, self.title.clone())
        }
    }

    /// What a record says.
    pub(super) fn read(&mut self, value: &Value, place: Place) -> Read {
        if !value.is_object() {
            return Read::Failed("this is not a message".to_owned());
        }
        self.seen += 1;
        let author = object(value, "author").unwrap_or(&Value::Null);
        let sender = self.sender(author);
        let part = part(value);
        let attachments = self.attachments(value);
        let text = match part {
            Part::Text => said(value),
            _ => service(value, &sender.name),
        };
        if text.is_empty() && attachments.is_empty() {
            return Read::Skipped("message without text");
        }
        self.participants.meet(&sender.name);
        let native = id(value.get("id"));
        let written = field(value, "timestamp").to_owned();
        let (time, zone_known) = self.time(native.as_deref(), &written);
        let names: Vec<&str> = attachments.iter().map(|a| a.name.as_str()).collect();
        let mut content = vec![written.as_str(), sender.key.as_str(), text.as_str()];
        content.extend(names);
        let message_id = match &native {
            Some(native) => message_id(native),
            None => self.ids.next(&self.thread, &content),
        };
        let edited = time::iso(field(value, "timestampEdited"));
        Read::Message(Box::new(Message {
            role: if part == Part::Service { Role::System } else { Role::Human },
            part,
            time,
            time_original: written,
            zone_known,
            edited,
            text,
            reply_to: reply(value).filter(|_| part == Part::Text),
            attachments,
            reactions: reactions(value),
            order: self.seen - 1,
            ..self.thread.message(message_id, sender, place)
        }))
    }

    /// The stated time has its offset; where it is damaged the id has the same time.
    fn time(&mut self, native: Option<&str>, written: &str) -> (i64, bool) {
        let exact = time::iso(written).or_else(|| native.and_then(time_of));
        let time = exact.or(self.last).unwrap_or(self.now);
        self.last = Some(time);
        (time, exact.is_some())
    }

    fn sender(&self, author: &Value) -> Sender {
        let name = first_text(author, &["nickname", "name"]);
        match id(author.get("id")).or_else(|| Some(name.to_owned()).filter(|n| !n.is_empty())) {
            Some(key) => {
                let me = self.owner == Some(key.as_str());
                Sender { name: if name.is_empty() { key.clone() } else { name.to_owned() }, key, me }
            }
            None => Sender { key: FORMAT.key.to_owned(), name: FORMAT.label.to_owned(), me: false },
        }
    }

    fn attachments(&self, value: &Value) -> Vec<Attachment> {
        let forwarded = object(value, "forwardedMessage").unwrap_or(&Value::Null);
        let files = array(value, "attachments").iter().chain(array(forwarded, "attachments"));
        let stickers = array(value, "stickers").iter().chain(array(forwarded, "stickers"));
        let file = |f: &Value| self.media.attachment(field(f, "fileName"), field(f, "url"), self.from);
        let sticker = |s: &Value| {
            let name = format!("sticker {}", field(s, "name"));
            let found = self.media.attachment("", field(s, "sourceUrl"), self.from).path;
            media::attachment(name.trim_end(), None, found, media::NOT_HERE)
        };
        files.map(file).chain(stickers.map(sticker)).collect()
    }
}

/// What a channel is called.
pub(super) fn title(kind: ConversationKind, guild: &str, channel: &str) -> String {
    match (kind, guild, channel) {
        (_, "", "") => FORMAT.label.to_owned(),
        (ConversationKind::Channel, guild, channel) if !guild.is_empty() && !channel.is_empty() => {
            format!("{guild} / {channel}")
        }
        (_, guild, "") => guild.to_owned(),
        (_, _, channel) => channel.to_owned(),
    }
}

/// Kinds of messages that people write; the numbers are those for which the exporter has no name.
fn part(value: &Value) -> Part {
    match id(value.get("type")).as_deref() {
        None
        | Some("Default" | "Reply" | "0" | "19" | "20" | "21" | "23" | "ChatInputCommand" | "ApplicationCommand") => {
            Part::Text
        }
        Some("ContextMenuCommand" | "ThreadStarterMessage") => Part::Text,
        Some("Call" | "3") => Part::Call,
        Some(_) => Part::Service,
    }
}

fn service(value: &Value, who: &str) -> String {
    let content = field(value, "content").trim();
    let minutes = || {
        let ms = time::iso(field(value, "callEndedTimestamp"))? - time::iso(field(value, "timestamp"))?;
        Some(format!("Call from {who}, {} min {} s", ms / 60_000, ms / 1000 % 60)).filter(|_| ms > 0)
    };
    match (id(value.get("type")).unwrap_or_default().as_str(), content) {
        ("Call" | "3", _) => minutes().unwrap_or_else(|| format!("Missed call from {who}")),
        (kind, "") => format!("{who}: {}", words_of(kind)),
        (_, content) => {
            let mut letters = content.chars();
            let first: String = letters.next().map(|c| c.to_lowercase().collect()).unwrap_or_default();
            format!("{who} {first}{}", letters.as_str())
        }
    }
}

/// `GuildMemberJoin` as "guild member join".
fn words_of(kind: &str) -> String {
    if kind.bytes().all(|b| b.is_ascii_digit()) {
        return format!("a notice that the export does not name ({kind})");
    }
    let mut out = String::new();
    for c in kind.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn said(value: &Value) -> String {
    let content = mentions(field(value, "content"), value);
    let mut all = vec![content.trim().to_owned()];
    if let Some(forwarded) = object(value, "forwardedMessage") {
        let words = mentions(field(forwarded, "content"), value);
        let quoted: Vec<String> = words.trim().lines().map(|l| format!("> {l}").trim_end().to_owned()).collect();
        all.push(format!("Forwarded:\n{}", quoted.join("\n")).trim_end().to_owned());
    }
    // A preview of a link is nobody's writing.
    let preview = |embed: &&Value| !field(embed, "url").is_empty() && content.contains(field(embed, "url"));
    all.extend(array(value, "embeds").iter().filter(|e| !preview(e)).map(embed));
    if let Some(interaction) = object(value, "interaction").filter(|_| all.iter().all(String::is_empty)) {
        all.push(format!("/{}", field(interaction, "name")));
    }
    all.retain(|t| !t.is_empty());
    all.join("\n\n")
}

fn embed(embed: &Value) -> String {
    let author = object(embed, "author").map_or("", |a| field(a, "name"));
    let title = match (field(embed, "title"), field(embed, "url")) {
        (title, url) if !title.is_empty() && !url.is_empty() => format!("[{title}]({url})"),
        (title, url) => format!("{title}{url}"),
    };
    let mut lines = vec![author.to_owned(), title, field(embed, "description").to_owned()];
    for one in array(embed, "fields") {
        let words = [field(one, "name"), field(one, "value")];
        lines.push(words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(": "));
    }
    lines.push(object(embed, "footer").map_or("", |f| field(f, "text")).to_owned());
    lines.retain(|l| !l.trim().is_empty());
    lines.join("\n")
}

/// `<@1>`, `<#1>`, `<:name:1>` and `<t:1>` by what they stand for, where the exporter left them as they are.
pub(super) fn mentions(content: &str, message: &Value) -> String {
    if !content.contains('<') {
        return content.to_owned();
    }
    let (mut out, mut rest) = (String::with_capacity(content.len()), content);
    while let Some((before, from)) = rest.split_once('<') {
        out.push_str(before);
        match until(from, ">", 200).and_then(|(inner, after)| Some((mention(inner, message)?, after))) {
            Some((words, after)) => {
                out.push_str(&words);
                rest = after;
            }
            None => {
                out.push('<');
                rest = from;
            }
        }
    }
    out.push_str(rest);
    out
}

fn mention(inner: &str, message: &Value) -> Option<String> {
    let is_id = |text: &str| text.len() > 2 && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(role) = inner.strip_prefix("@&").or_else(|| inner.strip_prefix('#')).filter(|i| is_id(i)) {
        return Some(format!("{}{role}", if inner.starts_with('#') { '#' } else { '@' }));
    }
    if let Some(user) = inner.strip_prefix('@').map(|u| u.trim_start_matches('!')).filter(|u| is_id(u)) {
        let known = array(message, "mentions").iter().find(|m| id(m.get("id")).as_deref() == Some(user));
        return Some(format!("@{}", known.map_or(user, |m| first_text(m, &["nickname", "name"]))));
    }
    let emoji = inner.strip_prefix("a:").or_else(|| inner.strip_prefix(':'));
    if let Some((name, _)) = emoji.and_then(|e| e.rsplit_once(':')).filter(|(_, i)| is_id(i)) {
        return Some(format!(":{name}:"));
    }
    let seconds: i64 = inner.strip_prefix("t:")?.split(':').next()?.parse().ok()?;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}

fn reply(value: &Value) -> Option<evoke_message::MessageId> {
    let reference = object(value, "reference").filter(|r| field(r, "type") != "Forward")?;
    id(reference.get("messageId")).map(|id| message_id(&id))
}

fn reactions(value: &Value) -> Vec<Reaction> {
    let one = |r: &Value| {
        let emoji = object(r, "emoji").unwrap_or(&Value::Null);
        let name = field(emoji, "name");
        let custom = id(emoji.get("id")).is_some_and(|i| i != "0");
        let count = number(r.get("count")).unwrap_or(1.0).clamp(1.0, f64::from(u32::MAX)) as u32;
        Reaction { emoji: if custom { format!(":{name}:") } else { name.to_owned() }, count }
    };
    array(value, "reactions").iter().map(one).filter(|r| !r.emoji.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn raw_mentions() {
        let message = json!({"mentions": [{"id": "123", "name": "bob", "nickname": "Bob"}]});
        for (written, meant) in [
            ("hi <@123> <@!123> <@999>", "hi @Bob @Bob @999"),
            ("<#456> <@&789> <:wave:111> <a:party:222>", "#456 @789 :wave: :party:"),
            ("<t:1700000000:R>", "2023-11-14T22:13:20Z"),
            ("a < b <c> <https://x.y>", "a < b <c> <https://x.y>"),
        ] {
            assert_eq!(mentions(written, &message), meant, "{written}");
        }
    }

    fn check(message: Value, expected: &str) {
        assert_eq!(said(&message), expected, "{message}");
    }

    #[test]
    fn embeds_and_forwards() {
        check(json!({"content": "https://a.b", "embeds": [{"url": "https://a.b", "title": "T"}]}), "https://a.b");
        check(
            json!({"content": "", "embeds": [{"title": "T", "description": "D", "fields": [{"name": "n", "value": "v"}]}]}),
            "T\nD\nn: v",
        );
        check(json!({"content": "", "forwardedMessage": {"content": "a\nb"}}), "Forwarded:\n> a\n> b");
        check(json!({"content": "", "interaction": {"name": "roll"}}), "/roll");
    }

    #[test]
    fn service_lines() {
        let line = |v: Value| service(&v, "Ana");
        assert_eq!(
            line(json!({"type": "ChannelPinnedMessage", "content": "Pinned a message."})),
            "Ana pinned a message."
        );
        assert_eq!(
            line(
                json!({"type": "Call", "timestamp": "2024-01-01T00:00:00+00:00", "callEndedTimestamp": "2024-01-01T00:02:05+00:00"})
            ),
            "Call from Ana, 2 min 5 s"
        );
        assert_eq!(line(json!({"type": "8"})), "Ana: a notice that the export does not name (8)");
    }
}
