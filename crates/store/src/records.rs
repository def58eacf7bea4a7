//! Rows beside the messages: contacts, what was merged, earlier versions, and records that were not kept.
//!
//! What they mean is the memory's: here each is a key, what is asked for by it, and JSON.

use crate::{
    Store, StoreError,
    columns::{Columns, flags, longs, texts},
    condition::{among, quoted},
    rows::{json, parsed, unjson},
    tables::{flat, rows},
    write::{append, delete, upsert},
};
use arrow_array::RecordBatch;
use evoke_message::{Contact, Lost, Message, MessageId, PersonId, Place};
use serde::{Deserialize, Serialize};

/// An import, as JSON of its receipt; `open` until it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    pub number: i64,
    pub open: bool,
    pub data: String,
}

impl ImportRow {
    pub(crate) fn batch(rows: &[ImportRow]) -> Result<RecordBatch, StoreError> {
        Columns::default()
            .long("number", rows.iter().map(|r| r.number))
            .flag("open", rows.iter().map(|r| r.open))
            .text("data", rows.iter().map(|r| &r.data))
            .batch()
    }

    pub(crate) fn read(batch: &RecordBatch) -> Result<Vec<ImportRow>, StoreError> {
        let (number, open, data) = (longs(batch, "number")?, flags(batch, "open")?, texts(batch, "data")?);
        Ok((0..batch.num_rows())
            .map(|i| ImportRow { number: number.value(i), open: open.value(i), data: data.value(i).to_owned() })
            .collect())
    }
}

/// What a list of contacts says of somebody, and the imports that brought it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRow {
    pub contact: Contact,
    pub imports: Vec<i64>,
}

/// What somebody said of people: that they are one, or that they are not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MergeRow {
    /// The first stands for all.
    pub people: Vec<PersonId>,
    pub same: bool,
}

/// A copy of a message, taken out of the messages; or one that was put back and stays apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SameRow {
    /// The copy.
    pub id: MessageId,
    /// What is shown in its place.
    pub of: MessageId,
    /// It is shown again, and is not to be taken for a copy.
    pub apart: bool,
    /// None where it is apart.
    pub copy: Option<Stored>,
}

/// All that is needed to put a message back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    pub message: Message,
    pub wall: Option<i64>,
    pub import: i64,
    pub digest: i64,
}

/// What a row was before an import changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierRow {
    pub import: i64,
    /// `message`, `conversation`, `person`.
    pub kind: &'static str,
    pub id: String,
    /// JSON; empty where there was none.
    pub data: String,
}

const KINDS: [&str; 3] = ["message", "conversation", "person"];

impl ContactRow {
    /// Hash of what it says: two imports that say the same share one row.
    pub fn id(&self) -> String {
        let Contact { source, key, name, numbers, addresses, handles, me } = &self.contact;
        let lists = [numbers, addresses, handles].map(|list| list.join("\n"));
        let [numbers, addresses, handles] = &lists;
        PersonId::of(&[source, key, name, numbers, addresses, handles, if *me { "me" } else { "" }]).to_string()
    }

    pub(crate) fn batch(rows: &[ContactRow]) -> Result<RecordBatch, StoreError> {
        keyed(rows, ContactRow::id)
    }
}

impl MergeRow {
    fn id(&self) -> String {
        let people: Vec<String> = self.people.iter().map(ToString::to_string).collect();
        format!("{} {}", if self.same { "same" } else { "apart" }, people.join(" "))
    }

    pub(crate) fn batch(rows: &[MergeRow]) -> Result<RecordBatch, StoreError> {
        keyed(rows, MergeRow::id)
    }
}

impl SameRow {
    pub(crate) fn batch(rows: &[SameRow]) -> Result<RecordBatch, StoreError> {
        keyed(rows, |row| row.id.to_string())
    }
}

impl EarlierRow {
    pub(crate) fn batch(rows: &[EarlierRow]) -> Result<RecordBatch, StoreError> {
        Columns::default()
            .long("import", rows.iter().map(|r| r.import))
            .text("kind", rows.iter().map(|r| r.kind))
            .text("id", rows.iter().map(|r| &r.id))
            .text("data", rows.iter().map(|r| &r.data))
            .batch()
    }

    fn read(batch: &RecordBatch) -> Result<Vec<EarlierRow>, StoreError> {
        let (import, kind) = (longs(batch, "import")?, texts(batch, "kind")?);
        let (id, data) = (texts(batch, "id")?, texts(batch, "data")?);
        let row = |i: usize| {
            let kind = KINDS.into_iter().find(|k| *k == kind.value(i))?;
            Some(EarlierRow {
                import: import.value(i),
                kind,
                id: id.value(i).to_owned(),
                data: data.value(i).to_owned(),
            })
        };
        Ok((0..batch.num_rows()).filter_map(row).collect())
    }
}

/// One import's record that was not kept; `at` is its number among them.
pub(crate) fn lost_batch(import: i64, from: i64, rows: &[Lost]) -> Result<RecordBatch, StoreError> {
    Columns::default()
        .long("import", rows.iter().map(|_| import))
        .long("number", (0..rows.len() as i64).map(|n| from + n))
        .flag("skipped", rows.iter().map(|r| r.skipped))
        .text("reason", rows.iter().map(|r| &r.reason))
        .text("file", rows.iter().map(|r| &r.place.file))
        .long("place", rows.iter().map(|r| r.place.at as i64))
        .batch()
}

fn lost(batch: &RecordBatch) -> Result<Vec<(i64, Lost)>, StoreError> {
    let (number, skipped, reason) = (longs(batch, "number")?, flags(batch, "skipped")?, texts(batch, "reason")?);
    let (file, at) = (texts(batch, "file")?, longs(batch, "place")?);
    let row = |i: usize| {
        let place = Place { file: file.value(i).to_owned(), at: at.value(i) as u64 };
        (number.value(i), Lost { skipped: skipped.value(i), reason: reason.value(i).to_owned(), place })
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

/// A later import that met a message again, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Met {
    pub id: MessageId,
    pub import: i64,
    pub place: Place,
}

pub(crate) fn met_batch(import: i64, rows: &[(MessageId, Place)]) -> Result<RecordBatch, StoreError> {
    Columns::default()
        .text("id", rows.iter().map(|r| r.0.to_string()))
        .long("import", rows.iter().map(|_| import))
        .text("file", rows.iter().map(|r| &r.1.file))
        .long("place", rows.iter().map(|r| r.1.at as i64))
        .batch()
}

fn met(batch: &RecordBatch) -> Result<Vec<Met>, StoreError> {
    let (id, import) = (texts(batch, "id")?, longs(batch, "import")?);
    let (file, at) = (texts(batch, "file")?, longs(batch, "place")?);
    let row = |i: usize| {
        let place = Place { file: file.value(i).to_owned(), at: at.value(i) as u64 };
        Ok(Met { id: parsed(id.value(i))?, import: import.value(i), place })
    };
    (0..batch.num_rows()).map(row).collect()
}

fn keyed<T: Serialize>(rows: &[T], id: impl Fn(&T) -> String) -> Result<RecordBatch, StoreError> {
    let data: Vec<String> = rows.iter().map(json).collect::<Result<_, _>>()?;
    Columns::default().text("id", rows.iter().map(id)).text("data", data.iter()).batch()
}

fn data<T: serde::de::DeserializeOwned>(batch: &RecordBatch) -> Result<Vec<T>, StoreError> {
    let data = texts(batch, "data")?;
    (0..batch.num_rows()).map(|i| unjson(data.value(i))).collect()
}

fn of_import(import: i64) -> String {
    format!("import = {import}")
}

impl Store {
    pub async fn contacts(&self) -> Result<Vec<ContactRow>, StoreError> {
        flat(rows(&self.contacts, None, None).await?, data)
    }

    pub async fn put_contacts(&self, rows: &[ContactRow]) -> Result<(), StoreError> {
        upsert(&self.contacts, "id", ContactRow::batch(rows)?).await
    }

    pub async fn delete_contacts(&self, rows: &[ContactRow]) -> Result<(), StoreError> {
        delete(&self.contacts, "id", &rows.iter().map(ContactRow::id).collect::<Vec<_>>()).await
    }

    pub async fn merges(&self) -> Result<Vec<MergeRow>, StoreError> {
        let mut all: Vec<MergeRow> = flat(rows(&self.merges, None, None).await?, data)?;
        all.sort();
        Ok(all)
    }

    /// Puts some in the place of others. New ones first: a kill between leaves people merged, never lost.
    pub async fn change_merges(&self, gone: &[MergeRow], new: &[MergeRow]) -> Result<(), StoreError> {
        upsert(&self.merges, "id", MergeRow::batch(new)?).await?;
        delete(&self.merges, "id", &gone.iter().map(MergeRow::id).collect::<Vec<_>>()).await
    }

    pub async fn same(&self) -> Result<Vec<SameRow>, StoreError> {
        flat(rows(&self.same, None, None).await?, data)
    }

    pub async fn same_of(&self, ids: &[MessageId]) -> Result<Vec<SameRow>, StoreError> {
        let only = among("id", ids.iter().map(ToString::to_string));
        flat(rows(&self.same, Some(only), None).await?, data)
    }

    pub async fn put_same(&self, rows: &[SameRow]) -> Result<(), StoreError> {
        upsert(&self.same, "id", SameRow::batch(rows)?).await
    }

    pub async fn delete_same(&self, ids: &[MessageId]) -> Result<(), StoreError> {
        delete(&self.same, "id", ids).await
    }

    pub async fn add_earlier(&self, rows: &[EarlierRow]) -> Result<(), StoreError> {
        append(&self.earlier, EarlierRow::batch(rows)?).await
    }

    pub async fn earlier(&self, import: Option<i64>) -> Result<Vec<EarlierRow>, StoreError> {
        flat(rows(&self.earlier, import.map(of_import), None).await?, EarlierRow::read)
    }

    pub async fn delete_earlier(&self, import: i64) -> Result<(), StoreError> {
        self.earlier.delete(of_import(import).as_str()).await?;
        Ok(())
    }

    /// Forgets earlier versions of some rows, whichever import changed them.
    pub async fn delete_earlier_of(&self, kind: &str, ids: &[String]) -> Result<(), StoreError> {
        for part in ids.chunks(500) {
            let only = format!("kind = {} AND {}", quoted(kind), among("id", part.iter()));
            self.earlier.delete(only.as_str()).await?;
        }
        Ok(())
    }

    /// Puts one earlier version in the place of another of the same row.
    pub async fn replace_earlier(&self, old: &EarlierRow, data: &str) -> Result<(), StoreError> {
        let EarlierRow { import, kind, id, .. } = old;
        let only = format!("import = {import} AND kind = {} AND id = {}", quoted(kind), quoted(id));
        self.earlier.update().only_if(only).column("data", quoted(data)).execute().await?;
        Ok(())
    }

    pub async fn add_lost(&self, import: i64, from: i64, rows: &[Lost]) -> Result<(), StoreError> {
        append(&self.lost, lost_batch(import, from, rows)?).await
    }

    /// The records that an import did not keep, in the order in which they were met.
    pub async fn lost(&self, import: i64) -> Result<Vec<Lost>, StoreError> {
        let mut all = flat(rows(&self.lost, Some(of_import(import)), None).await?, lost)?;
        all.sort_by_key(|(number, _)| *number);
        Ok(all.into_iter().map(|(_, lost)| lost).collect())
    }

    pub async fn delete_lost(&self, import: i64) -> Result<(), StoreError> {
        self.lost.delete(of_import(import).as_str()).await?;
        Ok(())
    }

    /// Which imports met which messages after the one that added them.
    pub async fn met(&self) -> Result<Vec<Met>, StoreError> {
        flat(rows(&self.met, None, None).await?, met)
    }

    pub async fn met_of(&self, ids: &[MessageId]) -> Result<Vec<Met>, StoreError> {
        let only = among("id", ids.iter().map(ToString::to_string));
        flat(rows(&self.met, Some(only), None).await?, met)
    }

    pub async fn add_met(&self, import: i64, rows: &[(MessageId, Place)]) -> Result<(), StoreError> {
        append(&self.met, met_batch(import, rows)?).await
    }

    pub async fn delete_met(&self, ids: &[MessageId]) -> Result<(), StoreError> {
        delete(&self.met, "id", ids).await
    }

    pub async fn delete_met_by(&self, import: i64) -> Result<(), StoreError> {
        self.met.delete(of_import(import).as_str()).await?;
        Ok(())
    }

    pub async fn delete_met_of(&self, import: i64, ids: &[MessageId]) -> Result<(), StoreError> {
        for part in ids.chunks(500) {
            let only = format!("import = {import} AND {}", among("id", part.iter().map(ToString::to_string)));
            self.met.delete(only.as_str()).await?;
        }
        Ok(())
    }
}
