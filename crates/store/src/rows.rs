//! The rows of each table, as plain structs with their columns.
//!
//! A message's filterable fields are columns; what is only shown travels as JSON in `data`.

use crate::{
    Sizes, StoreError,
    columns::{Columns, flags, ints, longs, texts, vector},
};
use anyhow::Context;
use arrow_array::RecordBatch;
use evoke_message::{
    Attachment, Conversation, ConversationId, Document, Has, Kind, Message, MessageId, Part, PersonId, Place, Reaction,
    Role, Sender,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// One message with its searchable forms.
#[derive(Clone, Debug)]
pub struct MessageRow {
    pub message: Message,
    /// Tokens for the word index, separated by single spaces.
    pub words: String,
    /// Folded text between spaces, for phrases.
    pub plain: String,
    /// Hash of all that an edit can change.
    pub digest: i64,
    /// The import that added it.
    pub import: i64,
    /// Where the export has no zone: what its clock showed, as if in UTC.
    pub wall: Option<i64>,
}

/// A set of what a message carries, as a column: its words, or `-`.
fn has_text(message: &Message) -> String {
    let words: Vec<&str> = message.has().into_iter().map(Has::as_str).collect();
    if words.is_empty() { NOTHING.to_owned() } else { words.join(" ") }
}

/// Carries nothing; an empty column was written before anybody looked.
pub(crate) const NOTHING: &str = "-";

fn has_bits(text: &str) -> u8 {
    text.split(' ').filter_map(Has::parse).map(Has::bit).sum()
}

/// What is only shown.
#[derive(Serialize, Deserialize)]
struct Rest {
    key: String,
    name: String,
    role: Role,
    original: String,
    zone: bool,
    edited: Option<i64>,
    reply: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<Attachment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    documents: Vec<Document>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<Reaction>,
    place: Place,
}

impl MessageRow {
    /// What the message carries, as the passages repeat it.
    pub fn has(message: &Message) -> String {
        has_text(message)
    }

    pub fn person(&self) -> PersonId {
        self.message.sender.person(&self.message.source)
    }

    pub(crate) fn batch(rows: &[MessageRow]) -> Result<RecordBatch, StoreError> {
        let data: Vec<String> = rows.iter().map(|r| json(&r.rest())).collect::<Result<_, _>>()?;
        let each = || rows.iter().map(|r| &r.message);
        Columns::default()
            .text("id", each().map(|m| m.id.to_string()))
            .text("conversation", each().map(|m| m.conversation.to_string()))
            .text("person", rows.iter().map(|r| r.person().to_string()))
            .text("source", each().map(|m| &m.source))
            .text("kind", each().map(|m| m.kind.as_str()))
            .text("part", each().map(|m| word(&m.part)))
            .long("time", each().map(|m| m.time))
            .long("place", each().map(|m| m.order as i64))
            .flag("active", each().map(|m| m.active))
            .flag("readable", each().map(Message::is_readable))
            .text("text", each().map(|m| &m.text))
            .text("data", data.iter())
            .text("words", rows.iter().map(|r| &r.words))
            .text("plain", rows.iter().map(|r| &r.plain))
            .long("digest", rows.iter().map(|r| r.digest))
            .long("import", rows.iter().map(|r| r.import))
            .long("wall", rows.iter().map(|r| r.wall.unwrap_or_default()))
            .text("has", each().map(has_text))
            .batch()
    }

    fn rest(&self) -> Rest {
        let m = &self.message;
        Rest {
            key: m.sender.key.clone(),
            name: m.sender.name.clone(),
            role: m.role,
            original: m.time_original.clone(),
            zone: m.zone_known,
            edited: m.edited,
            reply: m.reply_to,
            files: m.attachments.clone(),
            documents: m.documents.clone(),
            reactions: m.reactions.clone(),
            place: m.place.clone(),
        }
    }

    /// Columns that `read` needs.
    pub(crate) const SHOWN: [&str; 11] =
        ["id", "conversation", "person", "source", "kind", "part", "time", "place", "active", "text", "data"];

    pub(crate) fn read(batch: &RecordBatch) -> Result<Vec<Message>, StoreError> {
        let (id, conversation, person) = (texts(batch, "id")?, texts(batch, "conversation")?, texts(batch, "person")?);
        let (source, kind, part) = (texts(batch, "source")?, texts(batch, "kind")?, texts(batch, "part")?);
        let (time, order, active) = (longs(batch, "time")?, longs(batch, "place")?, flags(batch, "active")?);
        let (text, data) = (texts(batch, "text")?, texts(batch, "data")?);
        let me = PersonId::me().to_string();
        (0..batch.num_rows())
            .map(|i| {
                let rest: Rest = unjson(data.value(i))?;
                Ok(Message {
                    id: parsed(id.value(i))?,
                    conversation: parsed(conversation.value(i))?,
                    source: source.value(i).to_owned(),
                    kind: Kind::parse(kind.value(i)).context("unknown kind")?,
                    sender: Sender { key: rest.key, name: rest.name, me: person.value(i) == me },
                    role: rest.role,
                    part: unword(part.value(i))?,
                    time: time.value(i),
                    time_original: rest.original,
                    zone_known: rest.zone,
                    edited: rest.edited,
                    text: text.value(i).to_owned(),
                    reply_to: rest.reply,
                    attachments: rest.files,
                    documents: rest.documents,
                    reactions: rest.reactions,
                    active: active.value(i),
                    order: order.value(i) as u64,
                    place: rest.place,
                })
            })
            .collect()
    }
}

/// What is held in memory of every message, to count, to compare and to place it in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub id: MessageId,
    pub conversation: ConversationId,
    pub person: PersonId,
    pub source: String,
    pub kind: Kind,
    pub part: Part,
    pub time: i64,
    pub order: i64,
    pub digest: i64,
    pub import: i64,
    /// It has text that can be read for its meaning.
    pub readable: bool,
    /// Bits of [`Has`].
    pub has: u8,
}

impl Known {
    pub(crate) const COLUMNS: [&str; 12] = [
        "id",
        "conversation",
        "person",
        "source",
        "kind",
        "part",
        "time",
        "place",
        "digest",
        "import",
        "readable",
        "has",
    ];

    pub(crate) fn read(batch: &RecordBatch) -> Result<Vec<Known>, StoreError> {
        let (id, conversation, person) = (texts(batch, "id")?, texts(batch, "conversation")?, texts(batch, "person")?);
        let (source, kind, part) = (texts(batch, "source")?, texts(batch, "kind")?, texts(batch, "part")?);
        let (time, order) = (longs(batch, "time")?, longs(batch, "place")?);
        let (digest, import, readable) = (longs(batch, "digest")?, longs(batch, "import")?, flags(batch, "readable")?);
        let has = texts(batch, "has")?;
        (0..batch.num_rows())
            .map(|i| {
                Ok(Known {
                    id: parsed(id.value(i))?,
                    conversation: parsed(conversation.value(i))?,
                    person: parsed(person.value(i))?,
                    source: source.value(i).to_owned(),
                    kind: Kind::parse(kind.value(i)).context("unknown kind")?,
                    part: unword(part.value(i))?,
                    time: time.value(i),
                    order: order.value(i),
                    digest: digest.value(i),
                    import: import.value(i),
                    readable: readable.value(i),
                    has: has_bits(has.value(i)),
                })
            })
            .collect()
    }
}

/// One piece of a message with its vectors. It repeats what filters ask for.
#[derive(Clone, Debug)]
pub struct PassageRow {
    pub message: MessageId,
    /// Piece of the message, from 0.
    pub piece: i32,
    pub conversation: ConversationId,
    pub person: PersonId,
    pub source: String,
    pub kind: Kind,
    pub time: i64,
    /// What its message carries, as that has it.
    pub has: String,
    /// Byte range in what the message has [`written`](Message::written).
    pub start: i32,
    pub end: i32,
    /// Words of the piece.
    pub length: i32,
    /// Tokens of the piece and its two predecessors.
    pub context_words: String,
    pub plain: String,
    /// Unit vectors; empty where embedding failed.
    pub meaning: Vec<f32>,
    pub context: Vec<f32>,
    /// What the evolver keeps of the text; empty where the model has none.
    pub seed: Vec<f32>,
    /// What it said of state and order, unit length; empty where the model has no evolver.
    pub state: Vec<f32>,
    /// Hash of all that was read to make the vectors, and of the model.
    pub reading: i64,
    /// Hash of what the state was made from: this reading and those before it in its epoch; 0 without one.
    pub stream: i64,
    /// The model read only the beginning.
    pub cut: bool,
    /// It is itself a question.
    pub asks: bool,
}

impl PassageRow {
    pub(crate) fn batch(rows: &[PassageRow], sizes: Sizes) -> Result<RecordBatch, StoreError> {
        Columns::default()
            .text("message", rows.iter().map(|r| r.message.to_string()))
            .int("piece", rows.iter().map(|r| r.piece))
            .text("conversation", rows.iter().map(|r| r.conversation.to_string()))
            .text("person", rows.iter().map(|r| r.person.to_string()))
            .text("source", rows.iter().map(|r| &r.source))
            .text("kind", rows.iter().map(|r| r.kind.as_str()))
            .long("time", rows.iter().map(|r| r.time))
            .text("has", rows.iter().map(|r| &r.has))
            .int("start", rows.iter().map(|r| r.start))
            .int("end", rows.iter().map(|r| r.end))
            .int("length", rows.iter().map(|r| r.length))
            .text("context_words", rows.iter().map(|r| &r.context_words))
            .text("plain", rows.iter().map(|r| &r.plain))
            .vector("meaning", sizes.vector, rows.iter().map(|r| r.meaning.as_slice()))
            .vector("context", sizes.vector, rows.iter().map(|r| r.context.as_slice()))
            .vector("seed", sizes.seed, rows.iter().map(|r| r.seed.as_slice()))
            .vector("state", sizes.state, rows.iter().map(|r| r.state.as_slice()))
            .long("reading", rows.iter().map(|r| r.reading))
            .long("stream", rows.iter().map(|r| r.stream))
            .flag("cut", rows.iter().map(|r| r.cut))
            .flag("asks", rows.iter().map(|r| r.asks))
            .batch()
    }

    pub(crate) fn read(batch: &RecordBatch) -> Result<Vec<PassageRow>, StoreError> {
        let (message, conversation, person) =
            (texts(batch, "message")?, texts(batch, "conversation")?, texts(batch, "person")?);
        let (source, kind, time) = (texts(batch, "source")?, texts(batch, "kind")?, longs(batch, "time")?);
        let (piece, start, end) = (ints(batch, "piece")?, ints(batch, "start")?, ints(batch, "end")?);
        let (length, words, plain) = (ints(batch, "length")?, texts(batch, "context_words")?, texts(batch, "plain")?);
        let (reading, cut) = (longs(batch, "reading")?, flags(batch, "cut")?);
        // Not in an older archive, until a writer adds them.
        let (stream, asks, has) = (longs(batch, "stream").ok(), flags(batch, "asks").ok(), texts(batch, "has").ok());
        (0..batch.num_rows())
            .map(|i| {
                Ok(PassageRow {
                    message: parsed(message.value(i))?,
                    piece: piece.value(i),
                    conversation: parsed(conversation.value(i))?,
                    person: parsed(person.value(i))?,
                    source: source.value(i).to_owned(),
                    kind: Kind::parse(kind.value(i)).context("unknown kind")?,
                    time: time.value(i),
                    has: has.map_or(String::new(), |h| h.value(i).to_owned()),
                    start: start.value(i),
                    end: end.value(i),
                    length: length.value(i),
                    context_words: words.value(i).to_owned(),
                    plain: plain.value(i).to_owned(),
                    meaning: vector(batch, "meaning", i)?,
                    context: vector(batch, "context", i)?,
                    seed: vector(batch, "seed", i)?,
                    state: vector(batch, "state", i)?,
                    reading: reading.value(i),
                    stream: stream.map_or(0, |s| s.value(i)),
                    cut: cut.value(i),
                    asks: asks.is_some_and(|a| a.value(i)),
                })
            })
            .collect()
    }
}

/// A person as one source knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    pub id: PersonId,
    pub name: String,
    pub source: String,
    pub key: String,
    pub me: bool,
}

impl PersonRow {
    pub(crate) fn batch(rows: &[PersonRow]) -> Result<RecordBatch, StoreError> {
        Columns::default()
            .text("id", rows.iter().map(|r| r.id.to_string()))
            .text("name", rows.iter().map(|r| &r.name))
            .text("source", rows.iter().map(|r| &r.source))
            .text("key", rows.iter().map(|r| &r.key))
            .flag("me", rows.iter().map(|r| r.me))
            .batch()
    }

    pub(crate) fn read(batch: &RecordBatch) -> Result<Vec<PersonRow>, StoreError> {
        let (id, name, source) = (texts(batch, "id")?, texts(batch, "name")?, texts(batch, "source")?);
        let (key, me) = (texts(batch, "key")?, flags(batch, "me")?);
        (0..batch.num_rows())
            .map(|i| {
                Ok(PersonRow {
                    id: parsed(id.value(i))?,
                    name: name.value(i).to_owned(),
                    source: source.value(i).to_owned(),
                    key: key.value(i).to_owned(),
                    me: me.value(i),
                })
            })
            .collect()
    }
}

pub(crate) fn conversation_batch(rows: &[Conversation]) -> Result<RecordBatch, StoreError> {
    let data: Vec<String> = rows.iter().map(json).collect::<Result<_, _>>()?;
    Columns::default().text("id", rows.iter().map(|r| r.id.to_string())).text("data", data.iter()).batch()
}

pub(crate) fn conversations(batch: &RecordBatch) -> Result<Vec<Conversation>, StoreError> {
    let data = texts(batch, "data")?;
    (0..batch.num_rows()).map(|i| unjson(data.value(i))).collect()
}

/// A table of ids alone: waiting conversations, forgotten messages.
pub(crate) fn id_batch<T: ToString>(ids: &[T]) -> Result<RecordBatch, StoreError> {
    Columns::default().text("id", ids.iter().map(ToString::to_string)).batch()
}

pub(crate) fn ids<T: std::str::FromStr<Err = String>>(batch: &RecordBatch) -> Result<Vec<T>, StoreError> {
    let id = texts(batch, "id")?;
    (0..batch.num_rows()).map(|i| parsed(id.value(i))).collect()
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).context("a row could not be written as JSON")?)
}

pub(crate) fn unjson<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_str(text).context("a row's JSON could not be read")?)
}

/// A closed set's name as serde writes it, without quotes.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn unword<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_value(text.into()).context("a row holds an unknown word")?)
}

pub(crate) fn parsed<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, StoreError> {
    Ok(text.parse::<T>().map_err(anyhow::Error::msg)?)
}
