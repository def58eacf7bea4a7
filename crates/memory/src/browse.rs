//! Looking without searching: messages around one, a conversation, and the lists of conversations and sources.
//! People are `people.rs`'s.

use crate::{
    Memory, MemoryError,
    catalogue::{Catalogue, Row},
    search::shown,
};
use evoke_message::{
    Conversation, ConversationId, ConversationKind, ConversationRow, Message, MessageId, Page, SourceRow,
};
use std::collections::HashMap;

/// Messages of one page at most.
const MOST: usize = 500;

impl Memory {
    /// Messages of the same conversation before and after one, oldest first, with it.
    pub async fn neighbours(&self, message: MessageId, before: usize, after: usize) -> Result<Page, MemoryError> {
        self.refresh().await?;
        let (conversation, rows, at) = {
            let catalogue = self.catalogue();
            let row = catalogue.get(message).ok_or_else(gone)?;
            let rows = in_conversation(&catalogue, row.conversation);
            let at = rows.iter().position(|id| *id == message).unwrap_or_default();
            (catalogue.conversation(row), rows, at)
        };
        let from = at.saturating_sub(before.min(MOST));
        let until = (at + 1 + after.min(MOST)).min(rows.len());
        self.page(conversation, &rows, from..until).await
    }

    /// Messages of a conversation around an instant; its end where none is given.
    pub async fn conversation(
        &self,
        conversation: ConversationId,
        at: Option<i64>,
        limit: usize,
    ) -> Result<Page, MemoryError> {
        self.refresh().await?;
        let (rows, place) = {
            let catalogue = self.catalogue();
            let any = catalogue.rows().iter().find(|r| catalogue.conversation(r) == conversation).ok_or_else(gone)?;
            let of = |r: &&Row| r.conversation == any.conversation;
            let rows: Vec<MessageId> = catalogue.in_time().filter(of).map(|r| r.id).collect();
            let place = at.map_or(rows.len(), |t| catalogue.in_time().filter(of).take_while(|r| r.time < t).count());
            (rows, place)
        };
        let limit = limit.clamp(1, MOST);
        let from = place.saturating_sub(limit / 2).min(rows.len().saturating_sub(limit));
        let until = (from + limit).min(rows.len());
        self.page(conversation, &rows, from..until).await
    }

    async fn page(
        &self,
        conversation: ConversationId,
        rows: &[MessageId],
        range: std::ops::Range<usize>,
    ) -> Result<Page, MemoryError> {
        let wanted = rows.get(range.clone()).unwrap_or_default();
        let mut messages: HashMap<MessageId, Message> =
            self.store().messages(wanted).await?.into_iter().map(|m| (m.id, m)).collect();
        let catalogue = self.catalogue();
        let about = catalogue.about(conversation);
        Ok(Page {
            conversation,
            title: about.map(|c| c.title.clone()).unwrap_or_default(),
            source: about.map(|c| c.source.clone()).unwrap_or_default(),
            kind: about.map_or(ConversationKind::Direct, |c| c.kind),
            participants: about.map(|c| c.participants.clone()).unwrap_or_default(),
            parent: about.and_then(|c| c.parent),
            total: rows.len() as u64,
            messages: wanted.iter().filter_map(|id| Some(shown(&catalogue, messages.remove(id)?))).collect(),
            earlier: range.start > 0,
            later: range.end < rows.len(),
        })
    }

    /// Messages around an instant over all conversations, oldest first: `limit` before and from it.
    pub async fn messages_around(&self, at: i64, limit: usize) -> Result<Vec<evoke_message::Shown>, MemoryError> {
        self.refresh().await?;
        let ids: Vec<MessageId> = {
            let catalogue = self.catalogue();
            let limit = limit.clamp(1, MOST);
            let place = catalogue.in_time().take_while(|r| r.time < at).count();
            catalogue.in_time().skip(place.saturating_sub(limit / 2)).take(limit).map(|r| r.id).collect()
        };
        let mut messages: HashMap<MessageId, Message> =
            self.store().messages(&ids).await?.into_iter().map(|m| (m.id, m)).collect();
        let catalogue = self.catalogue();
        Ok(ids.iter().filter_map(|id| Some(shown(&catalogue, messages.remove(id)?))).collect())
    }

    /// All conversations, the latest first.
    pub async fn conversations(&self, source: Option<&str>) -> Result<Vec<ConversationRow>, MemoryError> {
        self.refresh().await?;
        Ok(conversation_rows(&self.catalogue(), |c| source.is_none_or(|s| c.source == s)))
    }

    /// Every known format, those with messages first.
    pub async fn sources(&self) -> Result<Vec<SourceRow>, MemoryError> {
        self.refresh().await?;
        let receipts = self.receipts().await?;
        let hues = self.hues(&receipts);
        let zones = self.source_zones()?;
        let catalogue = self.catalogue();
        let tallies = catalogue.by_source();
        let mut all: Vec<SourceRow> = evoke_import::FORMATS
            .iter()
            .map(|format| {
                let tally = tallies.get(format.key).copied().unwrap_or_default();
                SourceRow {
                    source: format.key.to_owned(),
                    label: format.label.to_owned(),
                    kind: format.kind,
                    messages: tally.messages,
                    conversations: tally.parts,
                    first: tally.first,
                    last: tally.last,
                    hue: hues.get(format.key).copied().unwrap_or_default(),
                    imports: receipts.iter().filter(|r| r.formats.iter().any(|f| f == format.key)).cloned().collect(),
                    zone: zones.get(format.key).cloned(),
                    how_to_export: format.how_to_export.to_owned(),
                }
            })
            .collect();
        all.sort_by(|a, b| b.messages.cmp(&a.messages).then(a.label.cmp(&b.label)));
        Ok(all)
    }

    /// The six hues go to the sources in the order in which they were first imported, for life; within
    /// one import to those with most messages first.
    fn hues(&self, newest_first: &[evoke_message::Receipt]) -> HashMap<String, u8> {
        let catalogue = self.catalogue();
        let tallies = catalogue.by_source();
        let mut hues = HashMap::new();
        for receipt in newest_first.iter().rev() {
            let mut formats = receipt.formats.clone();
            formats.sort_by_key(|f| std::cmp::Reverse(tallies.get(f.as_str()).map_or(0, |t| t.messages)));
            for format in formats {
                let next = hues.len() as u8 + 1;
                hues.entry(format).or_insert(if next <= 6 { next } else { 0 });
            }
        }
        hues
    }
}

/// Conversations that have messages, the latest first.
pub(crate) fn conversation_rows(catalogue: &Catalogue, wanted: impl Fn(&Conversation) -> bool) -> Vec<ConversationRow> {
    let tallies = catalogue.by_conversation();
    let row = |c: &Conversation| {
        let tally = tallies.get(&c.id).filter(|t| t.messages > 0)?;
        Some(ConversationRow {
            id: c.id,
            parent: c.parent,
            source: c.source.clone(),
            kind: c.kind,
            title: c.title.clone(),
            participants: c.participants.clone(),
            messages: tally.messages,
            first: tally.first,
            last: tally.last,
        })
    };
    let mut all: Vec<ConversationRow> = catalogue.about_all().filter(|c| wanted(c)).filter_map(row).collect();
    all.sort_by(|a, b| b.last.cmp(&a.last).then(a.id.cmp(&b.id)));
    all
}

fn in_conversation(catalogue: &Catalogue, conversation: u32) -> Vec<MessageId> {
    catalogue.in_time().filter(|r| r.conversation == conversation).map(|r| r.id).collect()
}

fn gone() -> MemoryError {
    MemoryError::NotFound("this message is not in the archive: it was forgotten, or never imported".into())
}
