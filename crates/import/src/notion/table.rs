//! Databases of Notion as CSV: rows that have no page of their own. The file with all rows (`_all`) is
//! read and the one that a view has filtered is not.

use super::{Property, SOURCE, Seen, created, edited, id_in_name, inner_path};
use crate::{
    ImportError, Options,
    export::Export,
    note::{self, Stamp},
    out::Out,
    record::{ContentIds, Thread},
    text,
};
use evoke_message::{Conversation, ConversationKind, Kind, Message};
use std::collections::HashSet;

/// The name of a database without what marks the file with all rows.
pub(super) fn base(stem: &str) -> &str {
    stem.strip_suffix("_all").unwrap_or(stem)
}

pub(super) struct Tables<'a> {
    pub(super) export: &'a Export,
    pub(super) options: &'a Options,
    pub(super) pages: &'a Seen,
}

impl Tables<'_> {
    pub(super) fn read(&self, files: &[usize], out: &mut Out) -> Result<(), ImportError> {
        let stem = |i: usize| self.export.files().get(i).map_or("", |file| note::stem(&file.path));
        let whole: HashSet<&str> = files.iter().map(|&i| stem(i)).filter_map(|s| s.strip_suffix("_all")).collect();
        for &i in files {
            if !whole.contains(stem(i)) && !out.stopped() {
                self.table(i, out)?;
            }
        }
        Ok(())
    }

    /// Rows that are read as pages are no records of their own.
    fn table(&self, i: usize, out: &mut Out) -> Result<(), ImportError> {
        let Some(file) = self.export.files().get(i) else { return Ok(()) };
        let Some((name, id)) = id_in_name(base(note::stem(&file.path))) else { return Ok(()) };
        let folder = inner_path(note::folder(&file.path));
        let inside = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let folders = [inside(name), inside(&format!("{name} {id}"))];
        let input = text::whole_utf8(self.export.open(i)?).map_err(|e| self.export.trouble(i, e))?;
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let names = rows.headers().cloned().unwrap_or_default();
        let thread = Thread::new(SOURCE, Kind::Note, id);
        let mut table = Table { tables: self, thread, name, i, ids: ContentIds::default(), begun: false, order: 0 };
        for (n, row) in rows.records().enumerate() {
            let at = n as u64 + 2;
            match row {
                Ok(row) => {
                    let fields = names.iter().zip(row.iter()).map(|(name, value)| Property {
                        name: name.trim_start_matches('\u{feff}').to_owned(),
                        value: value.trim().to_owned(),
                        kind: String::new(),
                    });
                    let fields: Vec<Property> = fields.filter(|p| !p.value.is_empty()).collect();
                    let title = row.get(0).unwrap_or_default();
                    if !folders.iter().any(|folder| self.pages.has(folder, title)) {
                        table.row(&fields, at, out);
                    }
                }
                Err(e) => {
                    let _ = out.failed(format!("the row cannot be read: {e}"), self.export.place(i, at));
                    if matches!(e.kind(), csv::ErrorKind::Io(_)) {
                        break;
                    }
                }
            }
            if out.stopped() {
                break;
            }
        }
        Ok(())
    }
}

struct Table<'a> {
    tables: &'a Tables<'a>,
    thread: Thread,
    name: &'a str,
    i: usize,
    ids: ContentIds,
    begun: bool,
    order: u64,
}

impl Table<'_> {
    fn row(&mut self, fields: &[Property], at: u64, out: &mut Out) {
        let place = self.tables.export.place(self.i, at);
        if fields.is_empty() {
            let _ = out.skipped("empty row", place);
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            let _ = out.conversation(Conversation {
                participants: vec![note::me().name],
                ..self.thread.conversation(ConversationKind::Note, self.name)
            });
        }
        let options = self.tables.options;
        let (created, edited) = (created(fields, &options.zone), edited(fields, &options.zone));
        let when = created.or_else(|| edited.clone());
        let when = when.unwrap_or_else(|| Stamp::of_file(self.tables.export.files().get(self.i), options));
        let said: Vec<String> = fields.iter().map(Property::in_words).collect();
        let text = said.join("\n");
        let id = self.ids.next(&self.thread, &[&text]);
        let message = Message {
            time: when.time,
            time_original: when.original,
            zone_known: when.zone_known,
            edited: edited.map(|stamp| stamp.time).filter(|edited| *edited > when.time),
            text,
            order: self.order,
            ..self.thread.message(id, note::me(), place)
        };
        self.order += 1;
        let _ = out.message(message);
    }
}
