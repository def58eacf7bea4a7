//! One word for all that an archive holds: equal where nothing was lost, added or changed.

use crate::{Memory, MemoryError, account::Person};
use evoke_message::{MessageId, stable_hash};
use serde::Serialize;
use std::collections::BTreeSet;

impl Memory {
    /// A hash over messages, conversations, people, contacts, what was merged and what was forgotten. What a model
    /// made of them and the record of imports are not in it: they follow from the rest, or tell how it came.
    pub async fn digest(&self) -> Result<String, MemoryError> {
        self.refresh().await?;
        let store = self.store();
        let mut lines = Lines::default();
        let copy = self.copier()?;
        let mut trouble = Ok(());
        store
            .each_message(|message, wall| {
                if trouble.is_ok() {
                    trouble = lines.add("message", [copy(message, wall)]);
                }
            })
            .await?;
        trouble?;
        lines.add("conversation", store.conversations().await?)?;
        lines.add("person", store.people().await?.into_iter().map(Person::from))?;
        lines.add("contact", store.contacts().await?)?;
        lines.add("merge", store.merges().await?)?;
        lines.add("same", store.same().await?)?;
        lines.add("forgotten", store.forgotten().await?)?;
        let met = store.met().await?.into_iter().map(|met| (met.id, met.import, met.place));
        lines.add("met", met)?;
        let earlier = store.earlier(None).await?.into_iter().map(|row| (row.import, row.kind, row.id, row.data));
        lines.add("earlier", earlier)?;
        Ok(lines.digest())
    }
}

/// Hashes of rows, whatever their order and however often one stands there.
#[derive(Default)]
struct Lines(BTreeSet<[u8; 16]>);

impl Lines {
    fn add<T: Serialize>(&mut self, what: &str, rows: impl IntoIterator<Item = T>) -> Result<(), MemoryError> {
        for row in rows {
            let row = serde_json::to_string(&row).map_err(anyhow::Error::from)?;
            self.0.insert(stable_hash(&[what, &row]));
        }
        Ok(())
    }

    fn digest(&self) -> String {
        let all: Vec<String> = self.0.iter().map(|hash| MessageId(*hash).to_string()).collect();
        MessageId(stable_hash(&all.iter().map(String::as_str).collect::<Vec<_>>())).to_string()
    }
}
