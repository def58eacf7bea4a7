//! What logs of coding agents have in common (formats.md §3, §4): sessions that are told record by
//! record, several of them in one file or one of them in several; and what AI chats in JSON share with them: times, calls,
//! attachments. What the records mean is left to the formats.

use crate::{Flow, ai, out::Out, record::Thread};
use evoke_message::{
    Attachment, Conversation, ConversationId, ConversationKind, Kind, Message, MessageId, Part, Place, Role, Sender,
};
use serde_json::Value;

/// How good a title is, from the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// By the first words of the first message.
    Words,
    /// By a summary that a program wrote.
    Summary,
    /// By a title that a program wrote.
    Program,
    /// By its owner.
    Owner,
}

/// One conversation with an agent, as far as it was read. Holds no messages.
pub(crate) struct Session {
    pub(crate) thread: Thread,
    pub(crate) parent: Option<ConversationId>,
    participants: Vec<String>,
    title: Option<(Named, String)>,
    created: Option<i64>,
    updated: Option<i64>,
    order: u64,
    opened: bool,
    /// What was handed out last: title and end.
    told: (String, Option<i64>),
}

/// What is said in a session.
pub(crate) struct Saying {
    pub(crate) id: MessageId,
    pub(crate) sender: Sender,
    pub(crate) role: Role,
    pub(crate) part: Part,
    pub(crate) text: String,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) time: Option<i64>,
    pub(crate) time_original: String,
    pub(crate) place: Place,
}

impl Session {
    pub(crate) fn new(source: &'static str, key: impl Into<String>, participants: &[&str]) -> Self {
        Self {
            thread: Thread::new(source, Kind::Ai, key),
            parent: None,
            participants: participants.iter().map(|name| (*name).to_owned()).collect(),
            title: None,
            created: None,
            updated: None,
            order: 0,
            opened: false,
            told: (String::new(), None),
        }
    }

    /// A better title takes the place of a worse one, a later one that of an equal one; first words stay.
    pub(crate) fn name(&mut self, by: Named, title: &str) {
        let title = title.trim();
        let better = self.title.as_ref().is_none_or(|(old, _)| by > *old || (by == *old && by != Named::Words));
        if better && !title.is_empty() {
            self.title = Some((by, ai::first_words(title)));
        }
    }

    /// When it began, where the log says so before its first message.
    pub(crate) fn began(&mut self, time: Option<i64>) {
        self.created = self.created.or(time);
    }

    /// The message, with its place in the session. One without a time has that of the one before it, or `otherwise`.
    pub(crate) fn message(&mut self, saying: Saying, otherwise: i64, out: &mut Out) -> Message {
        let time = saying.time.or(self.updated).or(self.created).unwrap_or(otherwise);
        self.created = Some(self.created.map_or(time, |first| first.min(time)));
        self.updated = Some(self.updated.map_or(time, |last| last.max(time)));
        if saying.part == Part::Text {
            self.name(Named::Words, &saying.text);
        }
        if !std::mem::replace(&mut self.opened, true) {
            let _ = self.tell(out);
        }
        self.order += 1;
        Message {
            role: saying.role,
            part: saying.part,
            time,
            time_original: saying.time_original,
            text: saying.text,
            attachments: saying.attachments,
            order: self.order - 1,
            ..self.thread.message(saying.id, saying.sender, saying.place)
        }
    }

    /// Hands out the conversation again where more is known of it than before.
    pub(crate) fn tell_again(&mut self, out: &mut Out) -> Flow {
        let now = (self.title_text(), self.updated);
        if self.opened && self.told != now { self.tell(out) } else { Flow::Continue(()) }
    }

    fn tell(&mut self, out: &mut Out) -> Flow {
        self.told = (self.title_text(), self.updated);
        out.conversation(Conversation {
            participants: self.participants.clone(),
            created: self.created,
            updated: self.updated,
            parent: self.parent,
            ..self.thread.conversation(ConversationKind::Ai, self.told.0.clone())
        })
    }

    fn title_text(&self) -> String {
        self.title.as_ref().map_or_else(|| "Untitled".to_owned(), |(_, title)| title.clone())
    }
}

/// A number for a text or an id: 64 of the bits of its stable hash.
pub(crate) fn mark(parts: &[&str]) -> u64 {
    let hash = evoke_message::stable_hash(parts);
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// An instant as ISO 8601, or as a number or text of seconds, ms or µs.
pub(crate) fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => crate::time::iso(text).or_else(|| crate::time::from_number(text.parse().ok()?)),
        Value::Number(number) => crate::time::from_number(number.as_f64()?),
        Value::Object(_) => {
            // MongoDB's extended JSON.
            let date = value.get("$date").or_else(|| value.get("$numberLong"))?;
            moment(date)
        }
        _ => None,
    }
}

/// A time as the file writes it.
pub(crate) fn as_written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a tool was asked: its name and the fields of its input that are plain.
pub(crate) fn call(name: &str, input: &Value) -> String {
    let fields: Vec<String> = match input {
        Value::Object(fields) => {
            fields.iter().filter_map(|(key, value)| plain(value).map(|v| format!("{key}: {v}"))).collect()
        }
        other => plain(other).into_iter().collect(),
    };
    let lines = std::iter::once(name.to_owned()).chain(fields).filter(|line| !line.trim().is_empty());
    ai::tool_text(&lines.collect::<Vec<_>>().join("\n"))
}

/// Arguments that are JSON within a text.
pub(crate) fn arguments(value: &Value) -> Value {
    let inner = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    inner.filter(Value::is_object).unwrap_or_else(|| value.clone())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
            Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(words).filter(|text| !text.trim().is_empty()).collect();
            (!items.is_empty()).then(|| items.join("\n"))
        }
        _ => None,
    }
}

/// The text of an answer in any of the shapes tools give it: a text, blocks with texts, an object with an output.
pub(crate) fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(words).filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n\n")
        }
        Value::Object(_) => ["text", "content", "output", "stdout", "result", "error", "message"]
            .iter()
            .filter_map(|key| value.get(*key))
            .map(words)
            .find(|text| !text.trim().is_empty())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// An attachment whose bytes are not in the export as a file.
pub(crate) fn attached(name: &str, mime: Option<&str>, missing: &str) -> Attachment {
    Attachment {
        name: name.to_owned(),
        mime: mime.filter(|m| m.contains('/')).map(str::to_owned).or_else(|| crate::mime::of_name(name)),
        path: None,
        missing: Some(missing.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn calls_and_answers_in_their_shapes() {
        assert_eq!(call("Bash", &json!({"command": "ls", "n": 1, "x": {}})), "Bash\ncommand: ls\nn: 1");
        assert_eq!(call("shell", &arguments(&json!("{\"command\":[\"ls\",\"-l\"]}"))), "shell\ncommand: ls -l");
        assert_eq!(words(&json!([{"type": "text", "text": "a"}, {"output": {"content": "b"}}])), "a\n\nb");
    }

    #[test]
    fn moments_in_their_shapes() {
        for value in [
            json!("2024-01-15T10:30:00Z"),
            json!(1_705_314_600),
            json!("1705314600000"),
            json!({"$date": {"$numberLong": "1705314600000"}}),
            json!({"$date": "2024-01-15T10:30:00Z"}),
        ] {
            assert_eq!(moment(&value), Some(1_705_314_600_000), "{value}");
        }
    }
}
