//! Facebook Messenger and Instagram, 'Download your information' (formats.md §13), as JSON and as pages;
//! and Messenger's separate download of end-to-end encrypted chats.
//!
//! Both services write the same files, one thread in several of them and in several zips. A message at a
//! time is held. What a message says is left to `message.rs`, wrongly written letters to `letters.rs`,
//! pages to `page.rs`, and which service and which thread a file is of to `threads.rs`.

mod letters;
mod message;
mod page;
mod threads;

use crate::{
    Format, ImportError, Options,
    export::Export,
    json::hunt,
    lists::{self, Got, Shape},
    media::Media,
    out::Out,
};
use evoke_message::{Kind, Place};
use message::{Read, Thread};
use threads::{Group, Service};

pub(crate) const FACEBOOK: Format = Format {
    key: "facebook",
    label: "Facebook Messenger",
    kind: Kind::Chat,
    how_to_export: "In the Accounts Centre of Facebook: Your information and permissions, Export your information, Facebook, Export to device. \
                    Choose Messages, all time and the format JSON. Encrypted chats are exported in Messenger itself: Settings, \
                    Privacy & safety, End-to-end encrypted chats, Message storage, Download secure storage data.",
    detect: |export| detect(export, Service::Facebook),
    read: |export, files, options, out| read(export, files, options, out, Service::Facebook),
};

pub(crate) const INSTAGRAM: Format = Format {
    key: "instagram",
    label: "Instagram",
    kind: Kind::Chat,
    how_to_export: "In the Accounts Centre of Instagram: Your information and permissions, Export your information, Instagram, Export to device. \
                    Choose Messages, all time and the format JSON.",
    detect: |export| detect(export, Service::Instagram),
    read: |export, files, options, out| read(export, files, options, out, Service::Instagram),
};

const SHAPE: Shape = Shape {
    fields: &["participants", "title", "threadName", "thread_path", "is_still_participant", "thread_type"],
    others: &["magic_words", "image", "joinable_mode"],
    is_record: is_message,
};

fn is_message(keys: &[&str]) -> bool {
    let any = |names: &[&str]| names.iter().any(|n| keys.contains(n));
    (keys.contains(&"sender_name") && any(&["timestamp_ms", "timestamp"]))
        || (keys.contains(&"senderName") && keys.contains(&"timestamp"))
}

/// A thread whose first messages are not in the head, or has none.
fn is_thread(keys: &[&str]) -> bool {
    keys.contains(&"participants") && keys.contains(&"messages") && !keys.contains(&"mapping")
}

/// Files of messages, JSON or pages.
fn message_files(export: &Export) -> Vec<usize> {
    let mut files =
        export.json_files(|head| hunt(head, is_message) || (hunt(head, is_thread) && mentions_messages(head)));
    let pages = export.unclaimed().map(|(i, _)| i).filter(|i| page::is_page(export, *i));
    files.extend(pages);
    files.sort_unstable();
    files
}

/// An empty thread: only the fields that Meta's have.
fn mentions_messages(head: &[u8]) -> bool {
    hunt(head, |keys| keys.contains(&"thread_path") || keys.contains(&"threadName"))
}

fn detect(export: &Export, service: Service) -> Option<Vec<usize>> {
    let files = message_files(export);
    let files = threads::of_service(export, files, service);
    (!files.is_empty()).then_some(files)
}

fn read(
    export: &Export,
    files: &[usize],
    options: &Options,
    out: &mut Out,
    service: Service,
) -> Result<(), ImportError> {
    let owner = threads::owner(export, service);
    if let Some(contact) = owner.clone()
        && out.contact(contact).is_break()
    {
        return Ok(());
    }
    let owner = owner.map(|o| o.name);
    let media = Media::new(export);
    let reading = Reading { export, options, media: &media, service, owner: owner.as_deref() };
    let (groups, failed) = threads::groups(export, files, options)?;
    for (file, reason) in failed {
        if out.failed(reason, export.place(file, 0)).is_break() {
            return Ok(());
        }
    }
    for group in &groups {
        reading.group(group, out)?;
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

struct Reading<'a> {
    export: &'a Export,
    options: &'a Options,
    media: &'a Media<'a>,
    service: Service,
    owner: Option<&'a str>,
}

impl Reading<'_> {
    /// One thread, its oldest file first.
    fn group(&self, group: &Group, out: &mut Out) -> Result<(), ImportError> {
        let mut thread = Thread::new(self, group);
        let mut records = 0;
        for part in &group.parts {
            records += part.count;
            if part.page {
                page::read(self, part, &mut thread, out)?;
            } else {
                self.file(part, &mut thread, out)?;
            }
            if out.stopped() {
                return Ok(());
            }
        }
        let place = group.parts.first().map(|p| self.export.place(p.file, 0)).unwrap_or_default();
        if thread.begun {
            let _ = out.conversation(thread.conversation());
        } else if records == 0 && thread.seen == 0 {
            let _ = out.skipped("chat without messages", place);
        }
        Ok(())
    }

    fn file(&self, part: &threads::Part, thread: &mut Thread, out: &mut Out) -> Result<(), ImportError> {
        let from = self.export.files().get(part.file).map_or("", |f| f.path.as_str());
        thread.begin_file(part);
        lists::each(self.export, part.file, self.options, &SHAPE, out, |got, place: Place, out| match got {
            Got::Field(..) => crate::Flow::Continue(()),
            Got::Record(Err(reason)) => {
                thread.seen += 1;
                out.failed(reason, place)
            }
            Got::Record(Ok(value)) => match thread.read(&value, place.clone(), from) {
                Read::Message(message) => thread.put(*message, out),
                Read::Skipped(reason) => out.skipped(reason, place),
                Read::Failed(reason) => out.failed(reason, place),
            },
        })
    }
}
