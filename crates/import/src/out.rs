//! What an importer talks to: hands records to the caller, counts them, reports progress.

use crate::{Flow, ImportError, Item, attached::Documents, export::Export, mime};
use evoke_message::{Broken, Contact, Conversation, Document, Message, Place};
use std::{borrow::Cow, collections::HashSet, io, ops::ControlFlow};

/// Progress is told each time this many more bytes were read.
const STEP: u64 = 256 << 10;

/// Who wrote a message, or what a conversation is known by, where a damaged record does not say.
const UNKNOWN: &str = "unknown";

/// Bytes of a name, an address or a time as it was written. A damaged one may be as long as the file, and stands in
/// each message.
const LONGEST: usize = 1_000;

fn shorten(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.shrink_to_fit();
    }
}

/// The way out of an importer. After a `Break` an importer returns `Ok(())` at once.
pub(crate) struct Out<'a> {
    export: &'a Export,
    total: u64,
    told: u64,
    records: u64,
    flow: Flow,
    attached: HashSet<String>,
    documents: Documents,
    sink: &'a mut dyn FnMut(Item) -> Flow,
    progress: &'a mut dyn FnMut(u64, u64),
}

impl<'a> Out<'a> {
    /// `total`: bytes of all files that will be read.
    pub(crate) fn new(
        export: &'a Export,
        total: u64,
        sink: &'a mut dyn FnMut(Item) -> Flow,
        progress: &'a mut dyn FnMut(u64, u64),
    ) -> Self {
        Self {
            export,
            total,
            told: 0,
            records: 0,
            flow: ControlFlow::Continue(()),
            attached: HashSet::new(),
            documents: Documents::default(),
            sink,
            progress,
        }
    }

    /// For a format that reads these files twice: progress goes over both.
    pub(crate) fn reads_again(&mut self, files: &[usize]) {
        self.total += files.iter().map(|&i| self.export.size(i)).sum::<u64>();
    }

    /// Tells progress where reading hands out nothing.
    pub(crate) fn reading(&mut self) {
        self.tell(STEP);
    }

    pub(crate) fn conversation(&mut self, conversation: Conversation) -> Flow {
        let key = Some(conversation.key).filter(|key| !key.is_empty()).unwrap_or_else(|| UNKNOWN.to_owned());
        self.put(Item::Conversation(Conversation { key, ..conversation }))
    }

    /// What its attached files say is added here.
    pub(crate) fn message(&mut self, mut message: Message) -> Flow {
        self.records += 1;
        if message.sender.key.is_empty() {
            message.sender.key = UNKNOWN.to_owned();
        }
        for short in [&mut message.sender.key, &mut message.sender.name, &mut message.time_original] {
            shorten(short);
        }
        if self.flow.is_continue() {
            self.total += self.documents.add_to(&mut message, self.export);
        }
        let paths = message.attachments.iter().filter_map(|a| a.path.as_ref());
        self.attached.extend(paths.filter(|path| !mime::is_media(path)).cloned());
        self.put(Item::Message(Box::new(message)))
    }

    /// What a file says that lies in a message's own record: attachment number `file`, from 0.
    pub(crate) fn document(&mut self, file: usize, name: &str, bytes: &[u8]) -> Option<Document> {
        self.documents.inside(file, name, bytes)
    }

    /// A file that lies in a message's own record, and that was too large to be held.
    pub(crate) fn document_too_large(&mut self, name: &str) {
        self.documents.too_large(name);
    }

    /// One without a key, as in a damaged list, is nobody that could be met again.
    pub(crate) fn contact(&mut self, contact: Contact) -> Flow {
        if contact.key.is_empty() {
            return self.flow;
        }
        self.put(Item::Contact(contact))
    }

    /// A record that was read and is deliberately not kept; the reason in plain words.
    pub(crate) fn skipped(&mut self, reason: impl Into<Cow<'static, str>>, place: Place) -> Flow {
        self.records += 1;
        self.put(Item::Skipped { reason: reason.into(), place })
    }

    /// A record, or the rest of a file, that could not be read.
    pub(crate) fn failed(&mut self, reason: impl Into<String>, place: Place) -> Flow {
        self.records += 1;
        self.put(Item::Failed(Broken { place, reason: reason.into() }))
    }

    pub(crate) fn note(&mut self, note: String) {
        let _ = self.put(Item::Note(note));
    }

    /// Dates could be read in two ways.
    pub(crate) fn date_order(&mut self, day_first: bool) {
        let _ = self.put(Item::DateOrder { day_first });
    }

    /// To be called after each file: says how many characters were lost, and why it ended early.
    ///
    /// # Errors
    /// The file would do harm if it was read further.
    pub(crate) fn file_ended(&mut self, file: usize, lost: u64, trouble: Option<io::Error>) -> Result<(), ImportError> {
        let place = self.export.place(file, 0);
        if lost > 0 {
            self.note(format!("Damaged characters in {:?}, shown as \u{fffd}: {lost}.", place.file));
        }
        match trouble.map(|e| self.export.trouble(file, e)) {
            Some(ImportError::Io { source, .. }) => {
                let _ = self.failed(format!("the rest of the file could not be read: {source}"), place);
                Ok(())
            }
            Some(other) => Err(other),
            None => Ok(()),
        }
    }

    /// Paths of files that messages have attached to them; without pictures, sounds and films.
    pub(crate) fn attached(&self) -> &HashSet<String> {
        &self.attached
    }

    /// True once the caller has asked to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.flow.is_break()
    }

    fn put(&mut self, item: Item) -> Flow {
        if self.flow.is_continue() {
            self.flow = (self.sink)(item);
            self.tell(STEP);
        }
        self.flow
    }

    fn tell(&mut self, step: u64) {
        let done = self.export.bytes_read().min(self.total);
        if done >= self.told + step {
            self.told = done;
            (self.progress)(done, self.total);
        }
    }

    /// The last progress; an export without a single record is an error, not a success.
    pub(crate) fn finish(mut self) -> Result<(), ImportError> {
        if self.stopped() {
            return Ok(());
        }
        for note in self.documents.notes() {
            self.note(note);
        }
        self.tell(0);
        if self.records == 0 {
            return Err(ImportError::Empty { name: self.export.name().to_owned() });
        }
        Ok(())
    }
}
