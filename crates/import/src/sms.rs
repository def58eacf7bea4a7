//! Backups of the Android app SMS Backup & Restore: text messages, picture messages and calls in XML (formats.md §29).
//!
//! A message at a time is held, and nothing of the pictures in it. How the file is taken apart is left to
//! `scan.rs`, what an element says to `element.rs`.

mod element;
mod number;
mod scan;

use crate::{
    Format, ImportError, Options,
    export::Export,
    out::Out,
    record::{ContentIds, Thread},
    text::utf8,
    threads::Threads,
};
use element::{Draft, Said};
use evoke_message::{Contact, Kind, Message, Sender};
use scan::{Element, Found, Scan};
use std::collections::{HashMap, HashSet};

pub(crate) const FORMAT: Format = Format {
    key: "sms",
    label: "SMS and calls",
    kind: Kind::Chat,
    how_to_export: "On the Android phone, install the app SMS Backup & Restore, make a backup of messages and calls, and send the \
                    files sms-….xml and calls-….xml to this computer.",
    detect,
    read,
};

/// Elements of which each is a record.
const RECORDS: [&str; 3] = ["sms", "mms", "call"];

fn detect(export: &Export) -> Option<Vec<usize>> {
    let single = export.files().len() == 1;
    let may_be = |path: &str| single || path.to_ascii_lowercase().ends_with(".xml");
    let files: Vec<usize> = export
        .unclaimed()
        .filter(|(i, file)| may_be(&file.path) && export.head(*i).is_ok_and(|head| is_backup(&head)))
        .map(|(i, _)| i)
        .collect();
    (!files.is_empty()).then_some(files)
}

/// Its first element is the one around all messages or calls; or, where that is damaged, one of them.
fn is_backup(head: &[u8]) -> bool {
    if !head.trim_ascii_start().starts_with(b"<") && head.get(1..5) != Some(b"?xml") {
        return false;
    }
    let found = Scan::new(head, head.len()).filter_map(|found| match found {
        Ok(Found::Start(element)) => Some(element),
        _ => None,
    });
    // More than one, for the first may be what is damaged.
    found.take(3).any(|element| match element.name.as_str() {
        "smses" | "calls" => true,
        "sms" | "mms" => element.get("address").is_some() && element.get("date").is_some(),
        "call" => element.get("number").is_some() && element.get("date").is_some(),
        _ => false,
    })
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let mut reading = Reading { threads: Threads::default(), names: HashMap::new(), told: HashSet::new(), options };
    for &file in files {
        reading.file(export, file, out)?;
        if out.stopped() {
            return Ok(());
        }
    }
    reading.threads.end(out);
    Ok(())
}

struct Reading<'a> {
    threads: Threads,
    /// Names by the key of a number.
    names: HashMap<String, String>,
    /// Contacts handed out.
    told: HashSet<String>,
    options: &'a Options,
}

impl Reading<'_> {
    fn file(&mut self, export: &Export, file: usize, out: &mut Out) -> Result<(), ImportError> {
        let input = utf8(export.open(file)?).map_err(|e| export.trouble(file, e))?;
        let (mut records, mut trouble, mut ids, mut whole) = (0, None, HashMap::new(), false);
        let mut open: Option<Draft> = None;
        let mut scan = Scan::new(input, self.options.limits.record);
        for found in scan.by_ref() {
            let place = |n| export.place(file, n);
            // A backup that was cut off has no end; a broken element says so itself.
            whole = match &found {
                Ok(Found::End(name)) => matches!(name.as_str(), "smses" | "calls"),
                Ok(Found::Start(element)) => element.empty && matches!(element.name.as_str(), "smses" | "calls"),
                Ok(Found::Broken { .. }) | Err(_) => true,
            };
            let flow = match found {
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
                Ok(Found::Start(element)) if RECORDS.contains(&element.name.as_str()) => {
                    let mut flow = open.take().map(|draft| self.put(draft, &mut ids, out));
                    records += 1;
                    let empty = element.empty || element.name != "mms";
                    let draft = Draft::new(element, place(records));
                    if empty {
                        flow = Some(self.put(draft, &mut ids, out));
                    } else {
                        open = Some(draft);
                    }
                    flow.unwrap_or(crate::Flow::Continue(()))
                }
                Ok(Found::Start(element)) => self.inside(&mut open, element),
                Ok(Found::End(name)) if name == "mms" => {
                    open.take().map_or(crate::Flow::Continue(()), |draft| self.put(draft, &mut ids, out))
                }
                Ok(Found::End(_)) => crate::Flow::Continue(()),
                Ok(Found::Broken { name, reason }) => {
                    if let Some(draft) = open.as_mut().filter(|_| !RECORDS.contains(&name.as_str())) {
                        draft.damaged = true;
                        whole = false;
                        continue;
                    }
                    records += 1;
                    out.failed(reason, place(records))
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        if let Some(mut draft) = open.take() {
            draft.damaged = true;
            // It says itself that the file ends in it, where it cannot be read.
            whole |= draft.is_bare() || draft.said(&draft.people(&self.names)).is_err();
            if self.put(draft, &mut ids, out).is_break() {
                return Ok(());
            }
        }
        if !whole
            && out
                .failed("the backup ends here, before its end: the rest is missing", export.place(file, records))
                .is_break()
        {
            return Ok(());
        }
        out.file_ended(file, scan.lost(), trouble)
    }

    fn inside(&mut self, open: &mut Option<Draft>, element: Element) -> crate::Flow {
        if let Some(draft) = open {
            draft.add(element);
        }
        crate::Flow::Continue(())
    }

    fn put(&mut self, draft: Draft, ids: &mut HashMap<String, ContentIds>, out: &mut Out) -> crate::Flow {
        let place = draft.place.clone();
        let people = draft.people(&self.names);
        for (key, name, number) in people.iter().map(|p| (&p.key, &p.name, &p.number)) {
            self.contact(key, name, number, out)?;
        }
        let said = match draft.said(&people) {
            Ok(said) => said,
            Err(_) if draft.damaged => return out.failed("the file is damaged in the middle of it", place),
            Err(reason) => return out.skipped(reason, place),
        };
        let Said { kind, title, sender, part, text, attachments, time, original, native } = said;
        let keys: Vec<&str> = people.iter().map(|p| p.key.as_str()).collect();
        let thread = Thread::new(FORMAT.key, Kind::Chat, draft.thread_key(&keys));
        let known = self.threads.of(&thread, || (kind, title));
        for person in &people {
            known.meet(&person.name);
        }
        let parts: Vec<&str> = native.iter().map(String::as_str).collect();
        let id = ids.entry(thread.key.clone()).or_default().next(&thread, &parts);
        let zone_known = time.is_some();
        let time = time.or(known.last).unwrap_or(self.options.now);
        let message = Message {
            part,
            text,
            attachments,
            time,
            time_original: original,
            zone_known,
            ..thread.message(id, sender, place)
        };
        known.put(message, out)
    }

    /// Once for each name and number of a person.
    fn contact(&mut self, key: &str, name: &str, number: &str, out: &mut Out) -> crate::Flow {
        if name != number {
            self.names.insert(key.to_owned(), name.to_owned());
        }
        if number.is_empty() || !self.told.insert(format!("{name}\n{number}")) {
            return crate::Flow::Continue(());
        }
        let (numbers, addresses) = match number.contains('@') {
            true => (Vec::new(), vec![number.to_owned()]),
            false if number.contains(|c: char| c.is_ascii_digit()) => (vec![number.to_owned()], Vec::new()),
            false => (Vec::new(), Vec::new()),
        };
        out.contact(Contact {
            source: FORMAT.key.to_owned(),
            key: key.to_owned(),
            name: name.to_owned(),
            numbers,
            addresses,
            ..Contact::default()
        })
    }
}

/// The owner of the phone.
fn me() -> Sender {
    Sender { key: "me".to_owned(), name: "Me".to_owned(), me: true }
}
