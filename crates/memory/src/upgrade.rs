//! Steps from an older archive. New tables and columns are made by opening; here is filled in what they lack.

use crate::{Memory, MemoryError, batch::bits};
use evoke_message::{ConversationId, MessageId};
use evoke_store::MessageRow;
use std::collections::{BTreeMap, BTreeSet};

impl Memory {
    /// Brings an archive of an earlier version up to this one; a kill in between repeats it at the next start.
    pub(crate) async fn upgrade(&self) -> Result<(), MemoryError> {
        if !self.0.home.is_older() {
            return Ok(());
        }
        self.say_what_messages_carry().await?;
        self.0.home.is_up_to_date()
    }

    /// 1 → 2: messages say what they carry, and so do their passages once they are read again.
    async fn say_what_messages_carry(&self) -> Result<(), MemoryError> {
        let ids: Vec<MessageId> = self.catalogue().rows().iter().map(|r| r.id).collect();
        let mut all: BTreeMap<String, Vec<(MessageId, u8)>> = BTreeMap::new();
        let mut touched: BTreeSet<ConversationId> = BTreeSet::new();
        for part in ids.chunks(2_000) {
            for message in self.store().messages(part).await? {
                let bits = bits(&message);
                if bits != 0 {
                    all.entry(MessageRow::has(&message)).or_default().push((message.id, bits));
                    touched.insert(message.conversation);
                }
            }
        }
        let touched: Vec<ConversationId> = touched.into_iter().collect();
        for generation in self.generations() {
            generation.wait_for(&touched).await?;
        }
        for (has, messages) in &all {
            self.store().say_has(has, &messages.iter().map(|m| m.0).collect::<Vec<_>>()).await?;
        }
        self.store().rest_has_nothing().await?;
        let mut catalogue = self.catalogue_mut();
        all.into_values().flatten().for_each(|(id, bits)| catalogue.set_has(id, bits));
        Ok(())
    }
}
