//! What exports of chats with AIs have in common once a conversation is taken apart.

use crate::{Options, out::Out, time, tree};
use evoke_message::{
    Attachment, Conversation, ConversationId, ConversationKind, Kind, Message, MessageId, Part, Place, Role, Sender,
};
use std::borrow::Cow;

/// Longest text kept of a tool's call or answer, in characters: enough to know what it was.
const TOOL_TEXT: usize = 4_000;
/// Longest title made of a first message, in characters.
const TITLE: usize = 60;

/// A conversation of one export, without its messages.
pub(crate) struct Chat {
    pub(crate) source: &'static str,
    /// "ChatGPT", as sender and participant.
    pub(crate) assistant: &'static str,
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) created: Option<i64>,
    pub(crate) updated: Option<i64>,
}

/// One record of the file: a message in reading order, with what is made of it.
pub(crate) struct Turn {
    /// Native id.
    pub(crate) id: String,
    /// Says "user", "assistant" or the name of a tool.
    pub(crate) sender: Sender,
    pub(crate) time: Option<i64>,
    pub(crate) time_original: String,
    pub(crate) place: Place,
    pub(crate) said: Said,
}

/// What becomes of a record.
pub(crate) enum Said {
    /// Never empty: the message itself comes last and has the native id; tool calls and thoughts that
    /// the export keeps inside of it come before and have ids of their own.
    Pieces(Vec<Piece>),
    Skipped(Cow<'static, str>),
    Failed(String),
    /// Not a record: an empty root, kept for the links that lead through it.
    Nothing,
}

pub(crate) struct Piece {
    pub(crate) part: Part,
    pub(crate) role: Role,
    pub(crate) text: String,
    pub(crate) attachments: Vec<Attachment>,
}

/// Hands out a conversation. `turns` are in file order, `parents` are theirs, `active` says which of
/// them are on the branch that was kept.
pub(crate) fn put(
    chat: &Chat,
    turns: Vec<Turn>,
    parents: &[Option<usize>],
    active: &[bool],
    options: &Options,
    out: &mut Out,
) {
    let order = tree::reading_order(parents);
    let times: Vec<_> = order.iter().map(|i| turns.get(*i).and_then(|t| t.time)).collect();
    let times = time::fill(&times, chat.created.or(chat.updated).unwrap_or(options.now));
    let mut turns: Vec<_> = turns.into_iter().map(Some).collect();
    let mut opened = false;
    let mut position = 0;
    for (i, time) in order.into_iter().zip(times) {
        let Some(turn) = turns.get_mut(i).and_then(Option::take) else { continue };
        let place = turn.place.clone();
        let flow = match turn.said {
            Said::Nothing => continue,
            Said::Skipped(reason) => out.skipped(reason, place),
            Said::Failed(reason) => out.failed(reason, place),
            Said::Pieces(ref pieces) => {
                if !std::mem::replace(&mut opened, true) {
                    let _ = out.conversation(conversation(chat, pieces));
                }
                put_pieces(chat, turn, time, active.get(i) == Some(&true), &mut position, out)
            }
        };
        if flow.is_break() {
            return;
        }
    }
}

fn put_pieces(chat: &Chat, turn: Turn, time: i64, active: bool, position: &mut u64, out: &mut Out) -> crate::Flow {
    let Said::Pieces(pieces) = turn.said else { return crate::Flow::Continue(()) };
    let last = pieces.len().saturating_sub(1);
    for (n, piece) in pieces.into_iter().enumerate() {
        let inner = if n == last { String::new() } else { n.to_string() };
        let mut parts = vec![chat.source, chat.key.as_str(), turn.id.as_str(), inner.as_str()];
        parts.truncate(if n == last { 3 } else { 4 });
        out.message(Message {
            id: MessageId::of(&parts),
            conversation: ConversationId::of(&[chat.source, &chat.key]),
            source: chat.source.to_owned(),
            kind: Kind::Ai,
            sender: turn.sender.clone(),
            role: piece.role,
            part: piece.part,
            time,
            time_original: turn.time_original.clone(),
            zone_known: true,
            edited: None,
            text: piece.text,
            reply_to: None,
            attachments: piece.attachments,
            documents: Vec::new(),
            reactions: Vec::new(),
            active,
            order: *position,
            place: turn.place.clone(),
        })?;
        *position += 1;
    }
    crate::Flow::Continue(())
}

fn conversation(chat: &Chat, first: &[Piece]) -> Conversation {
    let title = match chat.title.trim() {
        "" => first_words(first.last().map_or("", |p| &p.text)),
        title => title.to_owned(),
    };
    Conversation {
        id: ConversationId::of(&[chat.source, &chat.key]),
        source: chat.source.to_owned(),
        key: chat.key.clone(),
        title,
        kind: ConversationKind::Ai,
        participants: vec!["Me".to_owned(), chat.assistant.to_owned()],
        created: chat.created,
        updated: chat.updated,
        parent: None,
    }
}

pub(crate) fn first_words(text: &str) -> String {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("Untitled");
    shortened(line.trim(), TITLE)
}

/// The owner, as chats with an AI know nobody else.
pub(crate) fn me() -> Sender {
    Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true }
}

pub(crate) fn other(key: &str, name: &str) -> Sender {
    Sender { key: key.to_owned(), name: name.to_owned(), me: false }
}

/// Text of a tool: the beginning, and a sign that there was more.
pub(crate) fn tool_text(text: &str) -> String {
    shortened(text.trim(), TOOL_TEXT)
}

fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}
