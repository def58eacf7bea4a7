//! Apple Messages: `chat.db` of a Mac or `sms.db` of an iPhone backup (formats.md §12), wherever it lies.
//!
//! Tapbacks are rows of their own in the database; here they are reactions of the message they are on, read
//! in a pass before. What a row says is left to `row.rs`, the blobs in it to `blob.rs`, how the database is
//! opened to `sqlite.rs`.

mod blob;
mod people;
mod row;

use crate::{
    Format, ImportError, Options,
    export::Export,
    out::Out,
    sqlite::{self, Database},
    threads::Threads,
};
use evoke_message::Kind;
use people::People;
use row::{COLUMNS, Files, Made, Reader, Row};

pub(crate) const FORMAT: Format = Format {
    key: "imessage",
    label: "iMessage",
    kind: Kind::Chat,
    how_to_export: "On a Mac, give Evoke Full Disk Access (System Settings, Privacy & Security), then choose the folder \
                    Library/Messages in your home folder; or quit Messages and copy chat.db, chat.db-wal and chat.db-shm \
                    together. Of an unencrypted iPhone backup, choose the file \
                    3d/3d0d7e5fb2ce288813306e4d4636395e047a3d28.",
    detect,
    read,
};

/// What the database is called on a Mac, on a phone and in a backup.
const NAMES: [&str; 3] = ["chat.db", "sms.db", "3d0d7e5fb2ce288813306e4d4636395e047a3d28"];
/// Rows between two reports of progress.
const STEP: u64 = 1_000;

/// The databases, and what SQLite keeps beside them.
fn detect(export: &Export) -> Option<Vec<usize>> {
    let databases: Vec<usize> = (0..export.files().len()).filter(|&i| is_messages(export, i)).collect();
    let beside = |path: &str| {
        let of = ["-wal", "-shm", "-journal"].iter().find_map(|end| path.strip_suffix(end));
        of.is_some_and(|of| databases.iter().any(|&i| export.files().get(i).is_some_and(|e| e.path == of)))
    };
    let others = export.files().iter().enumerate().filter(|(_, e)| beside(&e.path)).map(|(i, _)| i);
    let all: Vec<usize> = databases.iter().copied().chain(others).collect();
    (!databases.is_empty()).then_some(all)
}

fn is_messages(export: &Export, i: usize) -> bool {
    let Some(entry) = export.files().get(i) else { return false };
    if entry.size < 512 {
        return false;
    }
    let name = entry.file_name().to_ascii_lowercase();
    let named = NAMES.contains(&name.as_str());
    // A backup has 100,000 files: only what may be a database is opened.
    if !named && export.files().len() > 1 && !name.contains(".db") && !name.contains("sqlite") {
        return false;
    }
    let head = || export.head(i).is_ok_and(|head| sqlite::is_database(&head));
    head() && (sqlite::has(export, i, &["message", "handle"]) || (named && export.on_disk(i).is_none()))
}

fn read(export: &Export, files: &[usize], options: &Options, out: &mut Out) -> Result<(), ImportError> {
    for &file in files {
        if export.head(file).is_ok_and(|head| sqlite::is_database(&head)) {
            read_database(export, file, options, out)?;
        }
        if out.stopped() {
            break;
        }
    }
    Ok(())
}

fn read_database(export: &Export, file: usize, options: &Options, out: &mut Out) -> Result<(), ImportError> {
    let database = sqlite::open(export, file, options)?;
    let place = export.place(file, 0);
    let people = match People::read(&database) {
        Ok(people) => people,
        Err(e) => {
            let _ = out.failed(format!("the tables beside the messages cannot be read: {e}"), place);
            return Ok(());
        }
    };
    for contact in people.contacts() {
        if out.contact(contact).is_break() {
            return Ok(());
        }
    }
    let in_place = export.on_disk(file).is_some();
    let mut progress = Progress { export, whole: export.size(file), rows: count(&database), in_place, told: 0 };
    let mut threads = Threads::default();
    let mut reader = Reader::new(&people, Files::of(export), options);
    walk(&database, &mut |row| {
        progress.step();
        let mut place = place.clone();
        place.at = u64::try_from(row.id).unwrap_or_default();
        match reader.made(row, &database, place.clone()) {
            Made::Message(thread, message) => {
                let known = threads.of(&thread, || reader.about(&thread));
                let chat = people.chat(&thread.key).filter(|_| known.is_new());
                chat.into_iter().flat_map(|c| &c.members).for_each(|m| known.meet(m));
                known.put(*message, out)
            }
            Made::Skipped(reason) => out.skipped(reason, place),
            Made::Failed(reason) => out.failed(reason, place),
        }
    })
    .unwrap_or_else(|(after, reason)| {
        let mut place = place.clone();
        place.at = u64::try_from(after).unwrap_or_default();
        let _ = out.failed(format!("the database is damaged after this message: {reason}"), place);
    });
    threads.end(out);
    Ok(())
}

fn count(database: &Database) -> u64 {
    let rows = database.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0));
    u64::try_from(rows.unwrap_or(0)).unwrap_or(0).max(1)
}

/// Pages read in place pass by no counter: rows stand for them.
struct Progress<'a> {
    export: &'a Export,
    whole: u64,
    rows: u64,
    in_place: bool,
    told: u64,
}

impl Progress<'_> {
    fn step(&mut self) {
        self.told += 1;
        if self.in_place && self.told.is_multiple_of(STEP) {
            self.export.has_read(self.whole / self.rows.div_ceil(STEP));
        }
    }
}

/// Every row of `message` in order of its number. Behind a damaged page it goes on further down, and says at
/// the end after which row the first damage was.
fn walk(database: &Database, each: &mut dyn FnMut(&Row) -> crate::Flow) -> Result<(), (i64, String)> {
    let present = sqlite::columns(database, "message");
    let wanted: Vec<String> = COLUMNS
        .iter()
        .map(|name| if present.iter().any(|p| p == name) { format!("\"{name}\"") } else { "NULL".to_owned() })
        .collect();
    let query = format!("SELECT ROWID, {} FROM message WHERE ROWID > ?1 ORDER BY ROWID", wanted.join(", "));
    let (mut after, mut step, mut damage) = (i64::MIN, 1_i64, None);
    loop {
        let started = after;
        match pass(database, &query, &mut after, each) {
            Ok(()) => return damage.map_or(Ok(()), Err),
            Err(e) => {
                step = if after > started { 1 } else { step.saturating_mul(2) };
                damage.get_or_insert_with(|| (after.max(0), e.to_string()));
                after = after.max(0).saturating_add(step);
                if step > 1 << 40 {
                    return damage.map_or(Ok(()), Err);
                }
            }
        }
    }
}

fn pass(
    database: &Database,
    query: &str,
    after: &mut i64,
    each: &mut dyn FnMut(&Row) -> crate::Flow,
) -> rusqlite::Result<()> {
    let mut statement = database.prepare(query)?;
    let mut rows = statement.query([*after])?;
    while let Some(row) = rows.next()? {
        let row = Row::of(row)?;
        *after = row.id;
        if each(&row).is_break() {
            break;
        }
    }
    Ok(())
}
