//! E-mail (formats.md §14): mbox files of every dialect and size, Maildir, `.eml` and `.emlx` files, alone or in
//! folders, from Gmail's Takeout, Thunderbird, Apple Mail, Outlook and others.
//!
//! Read twice: first the headers, for a mail can stand before the one that it answers and in another file
//! (`survey.rs`); then the mails. A mail is its Message-ID, wherever it lies: a copy in another folder is no second
//! one. Spam and what lies in the trash is skipped; newsletters are kept, for tickets and bills look the same.

mod body;
mod charset;
mod folder;
mod header;
mod letter;
mod mbox;
mod quote;
mod source;
mod subject;
mod survey;

use crate::{Flow, Format, ImportError, Options, date, export::Export, out::Out, record};
use evoke_message::{Contact, ConversationKind, Kind, Message, MessageId, Sender, stable_hash};
use folder::Place;
use header::Header;
use letter::{Letter, Person};
use source::Raw;
use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};
use survey::{Hash, Seen, Survey};

const SOURCE: &str = "mail";

pub(crate) const FORMAT: Format = Format {
    key: SOURCE,
    label: "E-mail",
    kind: Kind::Mail,
    how_to_export: "Gmail: takeout.google.com, choose only Mail, then the .mbox file or the zip. Thunderbird: Settings, Account settings, \
                    a local folder's path; or its add-on ImportExportTools NG. Apple Mail: Mailbox, Export mailbox. Outlook and others: \
                    save mails as .eml, or drag them into a folder. Choose the file or the folder; several mailboxes at once find their threads.",
    detect: source::detect,
    read,
};

/// People of a conversation whose names are kept.
const MOST_NAMED: usize = 50;

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    out.reads_again(files);
    let mut survey = Survey::default();
    for &file in files {
        source::each(export, file, options, |raw| {
            let mail = Mail::of(export, file, raw, options);
            mail.note_in(&mut survey);
            out.reading();
            ControlFlow::Continue(())
        })?;
    }
    let owners = survey.owners();
    let mut reader = Reader {
        options,
        survey,
        owners,
        out,
        open: HashMap::new(),
        read: HashSet::new(),
        named: HashSet::new(),
        undated: 0,
        cut: 0,
        last: None,
    };
    for &file in files {
        reader.last = export.files().get(file).and_then(|f| f.modified).filter(|_| source::is_single(export, file));
        let mut mails = 0;
        let trouble = source::each(export, file, options, |raw| {
            mails += 1;
            reader.mail(&Mail::of(export, file, raw, options), export.place(file, mails))
        })?;
        if reader.out.stopped() {
            return Ok(());
        }
        if mails == 0 && trouble.is_none() {
            let _ = reader.out.skipped("a mailbox without mails", export.place(file, 0));
        }
        reader.out.file_ended(file, 0, trouble)?;
    }
    reader.notes();
    Ok(())
}

/// One mail with what its header says.
struct Mail<'a> {
    raw: Raw<'a>,
    header: Header,
    place: Place,
    /// Its Message-ID, or a hash of what it says.
    id: String,
    ancestors: Vec<String>,
    time: Option<date::When>,
    time_original: String,
    /// Its own `Date`.
    date: Option<i64>,
}

impl<'a> Mail<'a> {
    fn of(export: &Export, file: usize, raw: Raw<'a>, options: &Options) -> Self {
        let header = Header::of(&raw.mail);
        let entry = export.files().get(file);
        let (path, name) = entry.map_or(("", ""), |e| (e.path.as_str(), e.file_name()));
        let place = match folder::of_mail(&header, name) {
            // A single file was chosen by the person, whatever its name.
            Place::Other if export.files().len() > 1 => folder::of_path(path),
            place => place,
        };
        let id = header.message_id().unwrap_or_else(|| content_id(&raw.mail, &header));
        let ancestors = header.ancestors(&id);
        let (time, time_original) = header.when(raw.separator, &options.zone, options.now);
        let date = header.get("date").and_then(|d| date::parse(d, &options.zone)).map(|w| w.time);
        Self { raw, header, place, id, ancestors, time, time_original, date }
    }

    fn note_in(&self, survey: &mut Survey) {
        if self.place.skipped().is_some() {
            return;
        }
        survey.add(&Seen {
            id: &self.id,
            ancestors: &self.ancestors,
            gmail: self.header.get("x-gm-thrid"),
            time: self.time.map(|w| w.time),
            date: self.date,
        });
        if self.place == Place::Sent
            && let Some(address) = self.header.get("from").and_then(letter::address)
        {
            survey.add_sent(&address);
        }
    }
}

/// For a mail without a Message-ID: what every copy of it has.
fn content_id(mail: &[u8], header: &Header) -> String {
    let field = |name| header.get(name).unwrap_or_default();
    let body = String::from_utf8_lossy(mail.get(header.len..).unwrap_or_default()).replace("\r\n", "\n");
    let hash = stable_hash(&[field("date"), field("from"), field("to"), field("subject"), body.trim()]);
    format!("without id {}", hex(&hash))
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|b| format!("{b:02x}")).collect()
}

/// The id of the message with this Message-ID, the same in every mailbox and thread.
fn message_id(id: &str) -> MessageId {
    MessageId::of(&[SOURCE, "id", id])
}

/// The second pass.
struct Reader<'a, 'o> {
    options: &'a Options,
    survey: Survey,
    /// Addresses of the owner.
    owners: HashSet<String>,
    out: &'a mut Out<'o>,
    /// Threads of which mails are still to come.
    open: HashMap<Hash, Open>,
    /// Mails that were handed out.
    read: HashSet<MessageId>,
    /// Hashes of addresses that were handed out with a name.
    named: HashSet<Hash>,
    undated: u64,
    cut: u64,
    /// Time of the mail before; before the mail of a file of its own, that of the file.
    last: Option<i64>,
}

/// A thread under way.
#[derive(Default)]
struct Open {
    title: String,
    /// In order of appearance, no address twice.
    people: Vec<Person>,
    earliest: Option<i64>,
    latest: Option<i64>,
    seen: u32,
    order: u64,
}

impl Reader<'_, '_> {
    fn mail(&mut self, mail: &Mail, place: evoke_message::Place) -> Flow {
        if let Some(reason) = mail.place.skipped() {
            return self.out.skipped(reason, place);
        }
        let Some((root, mails)) = self.survey.thread(&mail.id) else {
            return self.out.failed("the file changed while it was read", place);
        };
        let id = match self.survey.reuses(&mail.id, mail.date) {
            true => message_id(&format!("{} of {}", mail.id, mail.date.unwrap_or_default())),
            false => message_id(&mail.id),
        };
        let mut open = self.open.remove(&root).unwrap_or_default();
        open.seen += 1;
        let flow = match self.read.insert(id) {
            false => self.out.skipped("another copy of a mail", place),
            true => self.put(mail, id, root, &mut open, place),
        };
        match open.seen < mails {
            true => {
                self.open.insert(root, open);
                flow
            }
            // All of it is known now.
            false if open.order > 1 && flow.is_continue() => self.out.conversation(conversation(root, &open)),
            false => flow,
        }
    }

    fn put(&mut self, mail: &Mail, id: MessageId, root: Hash, open: &mut Open, place: evoke_message::Place) -> Flow {
        let parent = mail.header.parent(&mail.id);
        let known = parent.as_deref().is_some_and(|p| self.survey.has(p));
        let letter = match Letter::read(&mail.raw.mail, &mail.header, mail.raw.separator, known) {
            Ok(letter) => letter,
            Err(reason) => return self.out.failed(reason, place),
        };
        let text = letter.text(!mail.ancestors.is_empty(), mail.place == Place::Draft);
        if text.is_empty() && letter.body.is_empty() && letter.people.is_empty() {
            return self.out.skipped("an empty mail", place);
        }
        self.cut += u64::from(mail.raw.cut > 0);
        self.undated += u64::from(mail.time.is_none());
        let time = mail.time.map(|w| w.time).or(self.last).unwrap_or(self.options.now);
        self.last = Some(time);
        for person in &letter.people {
            self.contact(person);
        }
        open.add(&letter, time);
        if open.order == 1 {
            self.out.conversation(conversation(root, open))?;
        }
        let sender = Sender {
            me: self.owners.contains(&letter.from.address),
            key: letter.from.address.clone(),
            name: letter.from.name.clone(),
        };
        let files = letter
            .body
            .documents
            .iter()
            .filter_map(|(file, bytes)| self.out.document(*file, &letter.body.attachments.get(*file)?.name, bytes));
        let documents = files.collect();
        self.out.message(Message {
            time,
            time_original: mail.time_original.clone(),
            zone_known: mail.time.is_none_or(|w| w.zone_known),
            text,
            reply_to: parent.as_deref().map(message_id),
            attachments: letter.body.attachments,
            documents,
            order: open.order - 1,
            ..thread(root).message(id, sender, place)
        })
    }

    fn contact(&mut self, person: &Person) {
        let hash = stable_hash(&[&person.address]);
        if person.name == person.address || !person.address.contains('@') || !self.named.insert(hash) {
            return;
        }
        let _ = self.out.contact(Contact {
            source: SOURCE.to_owned(),
            key: person.address.clone(),
            name: person.name.clone(),
            addresses: vec![person.address.clone()],
            me: self.owners.contains(&person.address),
            ..Contact::default()
        });
    }

    fn notes(&mut self) {
        if self.undated > 0 {
            self.out.note(format!(
                "Mails without a date that can be read have that of the mail before them, or of their file: {}.",
                self.undated
            ));
        }
        if self.cut > 0 {
            let most = self.options.limits.record >> 20;
            self.out.note(format!(
                "Of mails longer than {most} MB only the beginning was read, which holds their text: {}.",
                self.cut
            ));
        }
    }
}

impl Open {
    fn add(&mut self, letter: &Letter, time: i64) {
        self.order += 1;
        if self.earliest.is_none_or(|earliest| time < earliest) {
            self.earliest = Some(time);
            self.title = subject::base(&letter.subject).to_owned();
        }
        self.latest = self.latest.max(Some(time));
        for person in std::iter::once(&letter.from).chain(&letter.people) {
            let full = self.people.len() >= MOST_NAMED;
            match self.people.iter_mut().find(|p| p.address == person.address) {
                Some(known) => {
                    if known.name == known.address {
                        known.name.clone_from(&person.name);
                    }
                }
                None if full => {}
                None => self.people.push(person.clone()),
            }
        }
    }
}

fn thread(root: Hash) -> record::Thread {
    record::Thread::new(SOURCE, Kind::Mail, hex(&root))
}

fn conversation(root: Hash, open: &Open) -> evoke_message::Conversation {
    let title = if open.title.is_empty() { "(no subject)" } else { &open.title };
    evoke_message::Conversation {
        participants: open.people.iter().map(|p| p.name.clone()).collect(),
        created: open.earliest,
        updated: open.latest,
        ..thread(root).conversation(ConversationKind::Thread, title)
    }
}
