//! What imports did: their receipts, and every record that they did not keep, with its place and reason.

use crate::{Memory, MemoryError, ingest::Import};
use anyhow::Context;
use evoke_message::{Discovered, ImportShown, Lost, Place, Reason, Receipt};
use evoke_store::ImportRow;
use std::{collections::BTreeMap, fmt::Write, path::Path};

/// Records of one import that are listed one by one; what is beyond them is counted.
pub(crate) const LISTED: u64 = 100_000;
/// Places shown for each reason in a receipt.
const PLACES: usize = 20;

/// Reasons with their counts.
#[derive(Default)]
pub(crate) struct Reasons(BTreeMap<String, Reason>);

impl Reasons {
    pub(crate) fn count(&mut self, reason: &str, place: Place) {
        let entry = self.0.entry(reason.to_owned()).or_insert_with(|| Reason {
            reason: reason.to_owned(),
            count: 0,
            places: vec![],
        });
        entry.count += 1;
        if entry.places.len() < PLACES {
            entry.places.push(place);
        }
    }

    /// The sum, and the reasons, the most frequent first.
    pub(crate) fn into_list(self) -> (u64, Vec<Reason>) {
        listed(self.0.into_values().collect())
    }
}

fn listed(mut all: Vec<Reason>) -> (u64, Vec<Reason>) {
    all.sort_by(|a, b| b.count.cmp(&a.count).then(a.reason.cmp(&b.reason)));
    (all.iter().map(|r| r.count).sum(), all)
}

/// The receipt of an import that was read on: of what it did before and what it did now.
pub(crate) fn sum(before: &Receipt, now: &mut Receipt) {
    let join = |a: &[Reason], b: &[Reason]| {
        let mut all: BTreeMap<String, Reason> = BTreeMap::new();
        for reason in a.iter().chain(b) {
            let entry = all.entry(reason.reason.clone()).or_insert_with(|| Reason {
                count: 0,
                places: vec![],
                ..reason.clone()
            });
            entry.count += reason.count;
            entry.places.extend(reason.places.iter().cloned());
            entry.places.truncate(PLACES);
        }
        listed(all.into_values().collect())
    };
    (now.skipped, now.skipped_because) = join(&before.skipped_because, &now.skipped_because);
    (now.failed, now.failed_because) = join(&before.failed_because, &now.failed_because);
    now.seen += before.seen;
    now.added += before.added;
    now.updated += before.updated;
    now.duplicate += before.duplicate;
    now.wall_times += before.wall_times;
    now.conversations = now.conversations.max(before.conversations);
    now.first = [before.first, now.first].into_iter().flatten().min();
    now.last = before.last.max(now.last);
    now.started = before.started;
    now.formats.extend(before.formats.iter().cloned());
    now.formats.sort();
    now.formats.dedup();
    for note in &before.notes {
        if !now.notes.contains(note) {
            now.notes.push(note.clone());
        }
    }
}

impl Memory {
    /// All imports, newest first.
    pub async fn receipts(&self) -> Result<Vec<Receipt>, MemoryError> {
        let mut all = Vec::new();
        for row in self.store().imports().await? {
            all.push(record(&row)?.receipt);
        }
        all.reverse();
        Ok(all)
    }

    /// An import with every record that it did not keep.
    pub async fn show_import(&self, number: u64) -> Result<ImportShown, MemoryError> {
        let receipt = self.import_record(number).await?.receipt;
        let lost = self.store().lost(number as i64).await?;
        let not_listed = (receipt.skipped + receipt.failed).saturating_sub(lost.len() as u64);
        Ok(ImportShown { receipt, lost, not_listed })
    }

    /// Writes the records that an import did not keep as CSV.
    ///
    /// # Errors
    /// `NotFound` where there is no such import; `Home` where the file cannot be written.
    pub async fn export_lost(&self, number: u64, file: &Path) -> Result<u64, MemoryError> {
        let shown = self.show_import(number).await?;
        std::fs::write(file, csv(&shown)).map_err(|e| {
            MemoryError::Home(format!(
                "{}: {e}. Nothing was lost: choose another folder, or make room on the disk",
                file.display()
            ))
        })?;
        Ok(shown.lost.len() as u64)
    }

    /// Says of what was found on this computer when it was imported last. An import that did not come to its end, or was
    /// undone, does not count.
    pub(crate) async fn tell_imported(&self, found: &mut [Discovered]) -> Result<(), MemoryError> {
        for row in self.store().imports().await? {
            let Import { paths, receipt, .. } = record(&row)?;
            if row.open || receipt.stopped || receipt.undone.is_some() {
                continue;
            }
            for one in found.iter_mut().filter(|f| paths.iter().any(|path| Path::new(&f.path).starts_with(path))) {
                one.imported = one.imported.max(Some(receipt.started));
            }
        }
        Ok(())
    }

    pub(crate) async fn import_record(&self, number: u64) -> Result<Import, MemoryError> {
        let rows = self.store().imports().await?;
        let row = rows.iter().find(|row| row.number as u64 == number);
        record(row.ok_or_else(|| MemoryError::NotFound(format!("there is no import {number}: see `evoke imports`")))?)
    }

    pub(crate) async fn put_import(&self, import: &Import, open: bool) -> Result<(), MemoryError> {
        let data = serde_json::to_string(import).map_err(anyhow::Error::from)?;
        Ok(self.store().put_import(ImportRow { number: import.receipt.import as i64, open, data }).await?)
    }
}

pub(crate) fn record(row: &ImportRow) -> Result<Import, MemoryError> {
    Ok(serde_json::from_str(&row.data).context("an import's record cannot be read")?)
}

/// RFC 4180, with a header.
fn csv(shown: &ImportShown) -> String {
    let mut text = "what,reason,file,at\r\n".to_owned();
    for Lost { skipped, reason, place } in &shown.lost {
        let what = if *skipped { "skipped" } else { "failed" };
        let _ = write!(text, "{what},{},{},{}\r\n", quoted(reason), quoted(&place.file), place.at);
    }
    if shown.not_listed > 0 {
        let rest = format!("and {} more, counted and not listed", shown.not_listed);
        let _ = write!(text, "more,{},,\r\n", quoted(&rest));
    }
    text
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
