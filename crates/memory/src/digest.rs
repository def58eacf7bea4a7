//! One word for all that an archive holds: equal where nothing was lost, added or changed.

use crate::{Memory, MemoryError, account::Person};
use evoke_message::{MessageId, stable_hash};
use serde::Serialize;

impl Memory {
    /// A hash over messages, conversations, people, contacts, what was merged and what was forgotten. What a model
    /// made of them and the record of imports are not in it: they follow from the rest, or tell how it came.
    pub async fn digest(&self) -> Result<String, MemoryError> {
        self.refresh().await?;
        let store = self.store();
        let ids: Vec<MessageId> = self.catalogue().rows().iter().map(|r| r.id).collect();
        let mut lines = Vec::new();
        for part in ids.chunks(2_000) {
            lines.extend(all("message", self.copies(part).await?)?);
        }
        lines.extend(all("conversation", store.conversations().await?)?);
        lines.extend(all("person", store.people().await?.into_iter().map(Person::from))?);
        lines.extend(all("contact", store.contacts().await?)?);
        lines.extend(all("merge", store.merges().await?)?);
        lines.extend(all("same", store.same().await?)?);
        lines.extend(all("forgotten", store.forgotten().await?)?);
        let met = store.met().await?.into_iter().map(|met| (met.id, met.import, met.place));
        lines.extend(all("met", met)?);
        let earlier = store.earlier(None).await?.into_iter().map(|row| (row.import, row.kind, row.id, row.data));
        lines.extend(all("earlier", earlier)?);
        lines.sort();
        lines.dedup();
        let parts: Vec<&str> = lines.iter().map(String::as_str).collect();
        Ok(MessageId(stable_hash(&parts)).to_string())
    }
}

fn all<T: Serialize>(what: &str, rows: impl IntoIterator<Item = T>) -> Result<Vec<String>, MemoryError> {
    let line = |row: T| Ok(format!("{what} {}", serde_json::to_string(&row).map_err(anyhow::Error::from)?));
    rows.into_iter().map(line).collect()
}
