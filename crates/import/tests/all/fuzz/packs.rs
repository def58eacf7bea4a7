//! Damage inside what is packed: files in a zip or a tar, rows of a database, streams of a PDF, what gzip holds.
//! It is packed again as it should be, so that the harm is met by what reads the inside.

use super::{
    dice::Dice,
    harmed,
    seeds::{Seed, packed, unpacked},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use pdf_extract::{Document, Object, ObjectId};
use rusqlite::{Connection, types::Value};
use std::{
    fs,
    io::{Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};
use zip::CompressionMethod;

/// None where nothing is packed in it, or it could not be packed again.
pub(super) fn inside(bytes: &[u8], others: &[Seed], dice: &mut Dice) -> Option<Vec<u8>> {
    match bytes {
        [b'P', b'K', ..] => of_zip(bytes, others, dice),
        [0x1f, 0x8b, ..] => of_gzip(bytes, others, dice),
        _ if bytes.starts_with(b"SQLite format 3\0") => of_database(bytes, others, dice),
        _ if bytes.starts_with(b"%PDF") => {
            catch_unwind(AssertUnwindSafe(|| of_pdf(bytes, others, dice))).unwrap_or_default()
        }
        _ if bytes.get(257..262) == Some(b"ustar") => of_tar(bytes, others, dice),
        _ => None,
    }
}

fn of_zip(bytes: &[u8], others: &[Seed], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut files = unpacked(bytes)?;
    let n = dice.below(files.len());
    let (_, inner) = files.get_mut(n)?;
    *inner = harmed(std::mem::take(inner), others, dice);
    Some(packed(&files, CompressionMethod::Deflated))
}

fn of_gzip(bytes: &[u8], others: &[Seed], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut inner = Vec::new();
    GzDecoder::new(bytes).take(1 << 20).read_to_end(&mut inner).ok()?;
    let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
    zip.write_all(&harmed(inner, others, dice)).ok()?;
    zip.finish().ok()
}

fn of_tar(bytes: &[u8], others: &[Seed], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(bytes).entries().ok()? {
        let mut entry = entry.ok()?;
        let mut inner = Vec::new();
        entry.read_to_end(&mut inner).ok()?;
        if dice.one_in(4) {
            inner = harmed(inner, others, dice);
        }
        let mut header = entry.header().clone();
        header.set_size(inner.len() as u64);
        header.set_cksum();
        tar.append(&header, inner.as_slice()).ok()?;
    }
    tar.into_inner().ok()
}

/// A stream, without its packing, or a value of an object.
fn of_pdf(bytes: &[u8], others: &[Seed], dice: &mut Dice) -> Option<Vec<u8>> {
    let mut pdf = Document::load_mem(bytes).ok()?;
    let ids: Vec<ObjectId> = pdf.objects.keys().copied().collect();
    for _ in 0..=dice.below(4) {
        let other = pdf.objects.get(dice.pick(&ids)).cloned()?;
        match pdf.objects.get_mut(dice.pick(&ids))? {
            Object::Stream(stream) => {
                let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
                stream.dict.remove(b"Filter");
                stream.dict.remove(b"DecodeParms");
                stream.set_content(harmed(content, others, dice));
            }
            Object::Dictionary(fields) => {
                let names: Vec<Vec<u8>> = fields.iter().map(|(name, _)| name.clone()).collect();
                let (one, two) = (dice.pick(&names), dice.pick(&names));
                let odd = [
                    Object::Null,
                    Object::Integer(-1),
                    Object::Integer(i64::MAX),
                    Object::Real(f32::MAX),
                    Object::Array(vec![Object::Null; 300]),
                    Object::Name(b"WinAnsiEncoding".to_vec()),
                    Object::Reference(*dice.pick(&ids)),
                    fields.get(two).ok()?.clone(),
                    other,
                ];
                fields.set(one.clone(), dice.pick(&odd).clone());
            }
            object => *object = other,
        }
    }
    // It writes a line for each number up to the highest, and a damaged file has one of billions.
    if pdf.max_id > 100_000 {
        return None;
    }
    let mut saved = Vec::new();
    pdf.save_to(&mut saved).ok()?;
    Some(saved)
}

/// A cell, some rows, or the schema.
fn of_database(bytes: &[u8], others: &[Seed], dice: &mut Dice) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().ok()?;
    let path = folder.path().join("db");
    fs::write(&path, bytes).ok()?;
    let db = Connection::open(&path).ok()?;
    for (what, how) in [("journal_mode", "DELETE"), ("journal_mode", "OFF"), ("synchronous", "OFF")] {
        let _ = db.pragma_update(None, what, how);
    }
    for _ in 0..=dice.below(4) {
        // What a schema does not allow is not done.
        let _ = in_database(&db, others, dice);
    }
    drop(db);
    fs::read(path).ok()
}

fn in_database(db: &Connection, others: &[Seed], dice: &mut Dice) -> rusqlite::Result<()> {
    let names =
        |sql: &str| -> rusqlite::Result<Vec<String>> { db.prepare(sql)?.query_map([], |row| row.get(0))?.collect() };
    let tables =
        names("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")?;
    let full = |table: &&String| db.query_row(&format!("SELECT 1 FROM \"{table}\""), [], |_| Ok(())).is_ok();
    let tables: Vec<&String> = tables.iter().filter(full).collect();
    if tables.is_empty() {
        return Ok(());
    }
    let table = *dice.pick(&tables);
    let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
    let (column, other) = (dice.pick(&columns), dice.pick(&columns));
    let rows: u32 = db.query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0))?;
    let (row, from) = (dice.below(rows as usize), dice.below(rows as usize));
    let nth = |n: usize| format!("(SELECT rowid FROM \"{table}\" ORDER BY rowid LIMIT 1 OFFSET {n})");
    let put = |value: Value| {
        db.execute(&format!("UPDATE \"{table}\" SET \"{column}\" = ?1 WHERE rowid = {}", nth(row)), [value])
    };
    match dice.below(10) {
        0..4 => {
            let sql = format!("SELECT \"{column}\" FROM \"{table}\" WHERE rowid = {}", nth(row));
            match db.query_row(&sql, [], |row| row.get(0))? {
                Value::Text(text) => {
                    let text = harmed(text.into_bytes(), others, dice);
                    put(Value::Text(String::from_utf8_lossy(&text).into_owned()))?;
                }
                Value::Blob(blob) => drop(put(Value::Blob(harmed(blob, others, dice)))?),
                _ => drop(put(odd(dice))?),
            }
        }
        4 | 5 => drop(put(odd(dice))?),
        6 => {
            let sql = format!("(SELECT \"{other}\" FROM \"{table}\" WHERE rowid = {})", nth(from));
            db.execute(&format!("UPDATE \"{table}\" SET \"{column}\" = {sql} WHERE rowid = {}", nth(row)), [])?;
        }
        7 => drop(db.execute(&format!("DELETE FROM \"{table}\" WHERE rowid = {}", nth(row)), [])?),
        8 => {
            let rest = columns.iter().skip(1).map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(", ");
            let sql = format!("INSERT OR IGNORE INTO \"{table}\" ({rest}) SELECT {rest} FROM \"{table}\"");
            db.execute(&sql, [])?;
        }
        _ => drop(db.execute(&format!("ALTER TABLE \"{table}\" RENAME COLUMN \"{column}\" TO \"x{column}\""), [])?),
    }
    Ok(())
}

fn odd(dice: &mut Dice) -> Value {
    let all = [
        Value::Null,
        Value::Integer(-1),
        Value::Integer(i64::MAX),
        Value::Integer(i64::MIN),
        Value::Real(f64::INFINITY),
        Value::Real(-1e300),
        Value::Text(String::new()),
        Value::Text("trash\n\0".to_owned()),
        Value::Text("x".repeat(100_000)),
        Value::Blob(vec![0xff; 300]),
    ];
    dice.pick(&all).clone()
}
