//! What the exports of ChatGPT and Claude have in common (formats.md §1, §2): a file of conversations, alone, in a
//! list or in an object around it. A conversation at a time is held, as bytes; each service takes it apart itself, so
//! that what is damaged costs one message. Smaller services hold a conversation as a value: `ai_chats.rs`.

use crate::{
    ImportError, Options,
    export::Export,
    json::{self, Found, Opening, Piece, Rules, Walk, Want},
    out::Out,
    text::utf8,
};
use evoke_message::Place;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Wrapper,
    List,
    Conversation,
}

/// One file being read.
pub(crate) struct Conversations<'a> {
    export: &'a Export,
    file: usize,
    pub(crate) options: &'a Options,
    /// Messages seen so far: their places are their numbers.
    records: u64,
    /// Characters that could not be read.
    lost: u64,
}

/// What came of taking one apart.
pub(crate) struct Counted {
    pub(crate) messages: usize,
    /// One of them says itself that it is damaged.
    pub(crate) any_failed: bool,
    /// There was a place for messages, though it may be empty.
    pub(crate) has_list: bool,
    pub(crate) damage: Option<&'static str>,
}

impl<'a> Conversations<'a> {
    pub(crate) fn of(export: &'a Export, file: usize, options: &'a Options) -> Self {
        Self { export, file, options, records: 0, lost: 0 }
    }

    /// Hands out each conversation, and why it is not whole where it is not.
    pub(crate) fn each(
        &mut self,
        is_conversation: fn(&[&str]) -> bool,
        out: &mut Out,
        mut take: impl FnMut(&mut Self, &Piece, Option<&'static str>, &mut Out),
    ) -> Result<(), ImportError> {
        let head = self.export.head(self.file)?;
        let wrapped = json::keys(&head).contains(&"conversations");
        let want = |inside: Option<It>, key: &str, opening| match (inside, key, opening) {
            (None, _, Opening::Object) if wrapped => Want::Enter(It::Wrapper),
            (None, _, Opening::Array) | (Some(It::Wrapper), "conversations", _) => Want::Enter(It::List),
            (None | Some(It::List), ..) => Want::Whole(It::Conversation),
            _ => Want::Skip,
        };
        let looks = |keys: &[&str]| is_conversation(keys).then_some(It::List);
        let input = utf8(self.export.open(self.file)?).map_err(|e| self.export.trouble(self.file, e))?;
        let mut walk = Walk::new(input, self.options.limits.record, Rules { want: &want, looks: &looks });
        for found in walk.by_ref() {
            match found {
                Found::Value(_, piece) => take(self, &piece, None, out),
                Found::Broken { piece, reason, .. } => take(self, &piece, Some(reason), out),
                Found::TooLong { bytes, .. } => {
                    let reason = format!("a conversation of {} MB is longer than Evoke reads", bytes >> 20);
                    let _ = out.failed(reason, self.place(0));
                }
                Found::Opened(_) | Found::Closed(_) => {}
            }
            if out.stopped() {
                return Ok(());
            }
        }
        out.file_ended(self.file, self.lost, walk.trouble())
    }

    /// Place of a message by its number in the conversation that is read.
    pub(crate) fn place(&self, message: u64) -> Place {
        self.export.place(self.file, self.records + message)
    }

    /// A part of a conversation as a value; `broken`: why it is not whole.
    pub(crate) fn parsed(&mut self, piece: &Piece, broken: Option<&'static str>) -> Result<Value, String> {
        if let Some(reason) = broken {
            return Err(reason.to_owned());
        }
        let (value, lost) = json::parse(&piece.bytes).map_err(|e| format!("its JSON cannot be read ({e})"))?;
        self.lost += lost;
        Ok(value)
    }

    /// Says what was lost of the conversation in `piece`. True where there are messages to hand out.
    pub(crate) fn counted(&mut self, piece: &Piece, counted: &Counted, out: &mut Out) -> bool {
        let Counted { messages, any_failed, has_list, damage } = *counted;
        if let Some(reason) = damage.filter(|_| !any_failed && piece.bytes.iter().any(u8::is_ascii_alphanumeric)) {
            let said = format!("a conversation is damaged ({reason}); {messages} of its messages could be read");
            let _ = out.failed(said, self.place(1));
        } else if messages == 0 && damage.is_none() {
            let _ = match has_list {
                true => out.skipped("conversation without messages", self.place(1)),
                false => out.failed("this is not a conversation", self.place(1)),
            };
        }
        self.records += messages as u64;
        messages > 0
    }
}
