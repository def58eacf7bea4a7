//! SQLite databases inside an export, opened read-only and never written beside: a phone's message
//! store, a browser's history. What the tables mean is left to the formats.

use crate::{ImportError, Options, export::Export};
use rusqlite::{Connection, OpenFlags};
use std::{io::Read, path::Path};

pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// True for a database whose head names all of these tables. Large schemas may not show in the head:
/// then open it and ask [`has_tables`].
pub(crate) fn is_database(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Opens file `i`. One on disk is read in place with what its `-wal` holds where that can be read; one in
/// an archive is held in memory, up to `limits.inner_zip` bytes.
///
/// # Errors
/// Damaged, encrypted, or too large to be held.
pub(crate) fn open(export: &Export, i: usize, options: &Options) -> Result<Connection, ImportError> {
    let name = export.place(i, 0).file;
    let damaged = |e: rusqlite::Error| ImportError::Damaged { name: name.clone(), reason: e.to_string() };
    if let Some(path) = export.on_disk(i) {
        return open_at(path).map_err(damaged);
    }
    let most = options.limits.inner_zip;
    let mut bytes = Vec::new();
    let read = export.open(i)?.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|e| export.trouble(i, e))?;
    if bytes.len() as u64 > most {
        return Err(ImportError::Hostile(format!("the database {name:?} inside it is too large to be opened in place")));
    }
    let mut connection = Connection::open_in_memory().map_err(damaged)?;
    let len = bytes.len();
    connection.deserialize_read_exact("main", bytes.as_slice(), len, true).map_err(damaged)?;
    check(&connection).map_err(damaged)?;
    Ok(connection)
}

/// First with its write-ahead log, which another program may hold; else the file alone, as it stands.
fn open_at(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // A database with a log beside it cannot be read without making files in its folder, unless it is immutable.
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let connection = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?;
    check(&connection)?;
    Ok(connection)
}

fn check(connection: &Connection) -> rusqlite::Result<()> {
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
