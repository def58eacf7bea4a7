//! SQLite databases inside an export: a phone's message store, a browser's history. What the tables mean is
//! left to the formats.
//!
//! Nothing is ever written beside a database. One that lies on disk with all its changes merged is read in
//! place, as unchanging (`immutable=1`). That way does not see a write-ahead log (`-wal`) or undo what a
//! journal holds; so a database with one of these beside it, and one inside an archive, is copied together with
//! them into a temporary folder that only this user can read, and removed when it is closed.

use crate::{ImportError, Options, export::Export};
use rusqlite::{Connection, OpenFlags, config::DbConfig, types::ValueRef};
use std::{
    fs::{self, File, Metadata},
    io,
    ops::Deref,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// What SQLite keeps beside a database while changes are not merged into it.
const BESIDE: [&str; 2] = ["-wal", "-journal"];
/// Copies begun anew because another program wrote while it was copied.
const TRIES: usize = 3;

/// Largest database that is copied only to see which tables it has.
const LOOKED_INTO: u64 = 64 << 20;

/// True for the head of a database. Which tables it has, [`has`] and [`has_tables`] tell.
pub(crate) fn is_database(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// For detection: file `i` is a database with all of these tables. Of a large one inside an archive only the
/// head is looked at, where small schemas show.
pub(crate) fn has(export: &Export, i: usize, tables: &[&str]) -> bool {
    let Ok(head) = export.head(i) else { return false };
    if !is_database(&head) {
        return false;
    }
    let shows = |name: &&str| head.windows(name.len()).any(|w| w == name.as_bytes());
    match export.on_disk(i) {
        Some(path) if open_in_place(path).is_ok_and(|c| has_tables(&c, tables)) => true,
        Some(path) if !BESIDE.iter().any(|end| has_content(&beside(path, end))) => false,
        None if tables.iter().all(shows) => true,
        _ if export.size(i) > LOOKED_INTO => false,
        Some(path) => copy_of_disk(path).is_ok_and(|copy| open_copy(copy).is_ok_and(|db| has_tables(&db, tables))),
        None => copy_of_packed(export, i).is_ok_and(|copy| open_copy(copy).is_ok_and(|db| has_tables(&db, tables))),
    }
}

/// An open database; it goes with the copy that it was read from.
pub(crate) struct Database {
    connection: Connection,
    _copy: Option<TempDir>,
}

impl Deref for Database {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// Opens file `i`; see above for how.
///
/// # Errors
/// Damaged or encrypted, or there is no room for a copy.
pub(crate) fn open(export: &Export, i: usize, options: &Options) -> Result<Database, ImportError> {
    let name = export.place(i, 0).file;
    if export.size(i) > options.limits.unpacked {
        return Err(ImportError::Hostile(format!("the database {name:?} in it is larger than any real one")));
    }
    let damaged = |e: rusqlite::Error| ImportError::Damaged { name: name.clone(), reason: e.to_string() };
    let io = |e: io::Error| export.trouble(i, e);
    match export.on_disk(i) {
        Some(path) if BESIDE.iter().any(|end| has_content(&beside(path, end))) => {
            let copy = copy_of_disk(path).map_err(io)?;
            open_copy(copy).map_err(damaged)
        }
        Some(path) => Ok(Database { connection: open_in_place(path).map_err(damaged)?, _copy: None }),
        None => {
            let copy = copy_of_packed(export, i)?;
            open_copy(copy).map_err(damaged)
        }
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.len() > 0)
}

/// `db`, and what stands beside it, in a new folder.
fn copy_of_disk(path: &Path) -> io::Result<TempDir> {
    let folder = new_folder()?;
    for attempt in 1..=TRIES {
        let before = states(path);
        // The log first: what is merged into the database meanwhile stands in both.
        for end in BESIDE.into_iter().chain([""]) {
            let (from, to) = (beside(path, end), folder.path().join(format!("db{end}")));
            match fs::copy(from, to) {
                Err(e) if e.kind() == io::ErrorKind::NotFound && !end.is_empty() => {}
                other => drop(other?),
            }
        }
        if states(path) == before || attempt == TRIES {
            break;
        }
    }
    Ok(folder)
}

/// Sizes and times by which a change shows.
fn states(path: &Path) -> Vec<Option<(u64, Option<std::time::SystemTime>)>> {
    let state = |about: Metadata| (about.len(), about.modified().ok());
    BESIDE.into_iter().chain([""]).map(|end| fs::metadata(beside(path, end)).ok().map(state)).collect()
}

fn copy_of_packed(export: &Export, i: usize) -> Result<TempDir, ImportError> {
    let folder = new_folder().map_err(|e| export.trouble(i, e))?;
    let path = export.files().get(i).map_or("", |e| e.path.as_str());
    for end in BESIDE.into_iter().chain([""]) {
        let wanted = format!("{path}{end}");
        let Some(from) = export.files().iter().position(|e| e.path == wanted) else { continue };
        let mut packed = export.open(from)?;
        let copied =
            File::create(folder.path().join(format!("db{end}"))).and_then(|mut to| io::copy(&mut packed, &mut to));
        copied.map_err(|e| export.trouble(from, e))?;
    }
    Ok(folder)
}

fn new_folder() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("evoke-").tempdir()
}

/// The copy is ours: SQLite may merge the log into it.
fn open_copy(folder: TempDir) -> rusqlite::Result<Database> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.path().join("db"), flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    careful(&connection)?;
    Ok(Database { connection, _copy: Some(folder) })
}

fn open_in_place(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let connection = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?;
    careful(&connection)?;
    Ok(connection)
}

/// Nothing that a foreign schema defines is run, pages are checked; fails where it is no database.
fn careful(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0)).map(drop)
}

/// True where the database has all of these tables.
pub(crate) fn has_tables(connection: &Connection, names: &[&str]) -> bool {
    names.iter().all(|name| {
        let found = connection.query_row(
            "SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?1",
            [name],
            |row| row.get::<_, i64>(0),
        );
        found.is_ok_and(|n| n > 0)
    })
}

/// Names of the columns of a table: versions of an app differ.
pub(crate) fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let found = connection.prepare("SELECT name FROM pragma_table_info(?1)").and_then(|mut statement| {
        let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
        names.collect()
    });
    found.unwrap_or_default()
}

/// A number, whatever type the cell has; SQLite holds any type in any column.
pub(crate) fn number(value: ValueRef) -> Option<i64> {
    match value {
        ValueRef::Integer(n) => Some(n),
        ValueRef::Real(n) => Some(n as i64),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

/// A text, whatever type the cell has.
pub(crate) fn text(value: ValueRef) -> Option<String> {
    match value {
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        ValueRef::Integer(n) => Some(n.to_string()),
        ValueRef::Real(n) => Some(n.to_string()),
        ValueRef::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use jiff::tz::TimeZone;

    fn rows(path: &Path) -> Vec<i64> {
        let options = Options { zone: TimeZone::UTC, now: 0, day_first: None, limits: Limits::default() };
        let export = Export::open_path(path, &options.limits).unwrap();
        let i = export.files().iter().position(|e| e.path.ends_with(".db")).unwrap();
        assert!(has(&export, i, &["t"]) && !has(&export, i, &["t", "other"]));
        let database = open(&export, i, &options).unwrap();
        let mut statement = database.prepare("SELECT n FROM t ORDER BY n").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_only_the_log_holds_is_read_and_nothing_is_written_beside() {
        let live = tempfile::tempdir().unwrap();
        let writer = Connection::open(live.path().join("a.db")).unwrap();
        writer.execute_batch("CREATE TABLE t(n); INSERT INTO t VALUES (1); PRAGMA journal_mode=WAL;").unwrap();
        writer.execute_batch("PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES (2);").unwrap();
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.db", "a.db-wal"] {
            fs::copy(live.path().join(name), folder.path().join(name)).unwrap();
        }
        let before = fs::read(folder.path().join("a.db")).unwrap();
        assert_eq!(rows(&folder.path().join("a.db")), [1, 2]);
        assert_eq!(rows(folder.path()), [1, 2]);
        assert_eq!(names(folder.path()), ["a.db", "a.db-wal"]);
        assert_eq!(fs::read(folder.path().join("a.db")).unwrap(), before);
        // The database that another program still holds open.
        assert_eq!(rows(live.path()), [1, 2]);
        assert_eq!(names(live.path()), ["a.db", "a.db-shm", "a.db-wal"]);
        // Without its log it has what was merged.
        fs::remove_file(folder.path().join("a.db-wal")).unwrap();
        assert_eq!(rows(folder.path()), [1]);
        assert_eq!(names(folder.path()), ["a.db"]);
    }
}
