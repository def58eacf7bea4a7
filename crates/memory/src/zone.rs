//! Wall times: what an export's clock showed is kept, and read in a zone that can be changed later.
//!
//! Importers are given a zone that has the name of the one chosen and no offset, so that they hand over what
//! the clock showed, even an hour that this zone skips. Here it becomes an instant.

use crate::{ImportOptions, Memory, MemoryError, Watch, account::Taken, passage};
use evoke_message::{ConversationId, Message, MessageId};
use evoke_store::Stored;
use jiff::{
    Timestamp,
    tz::{AmbiguousOffset, TimeZone},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const FILE: &str = "zones";
/// Messages that are moved in one commit, about.
const TOGETHER: usize = 4_000;

/// Reads wall times during one import.
pub(crate) struct Clock {
    /// What was said for this import.
    said: Option<TimeZone>,
    /// What was said for a source.
    sources: BTreeMap<String, TimeZone>,
    otherwise: TimeZone,
    /// Of each conversation the last instant: of an hour that comes twice, the one that does not go back.
    last: HashMap<ConversationId, i64>,
    count: u64,
    used: BTreeSet<String>,
}

impl Clock {
    /// The zone of a source.
    pub(crate) fn zone(&self, source: &str) -> &TimeZone {
        self.said.as_ref().or_else(|| self.sources.get(source)).unwrap_or(&self.otherwise)
    }

    /// The zone that importers are told, with its name alone.
    pub(crate) fn for_importers(&self) -> TimeZone {
        named_only(self.said.as_ref().unwrap_or(&self.otherwise))
    }

    /// Makes the wall time of a message an instant, and gives the wall time back; none where a zone is known.
    pub(crate) fn set(&mut self, message: &mut Message) -> Option<i64> {
        if message.zone_known {
            return None;
        }
        let wall = message.time;
        let zone = self.zone(&message.source).clone();
        self.count += 1;
        self.used.insert(zone.iana_name().unwrap_or("UTC").to_owned());
        let last = self.last.get(&message.conversation).copied();
        message.time = instant(wall, &zone, last);
        message.edited = message.edited.map(|e| if e == wall { message.time } else { instant(e, &zone, None) });
        self.last.insert(message.conversation, message.time);
        Some(wall)
    }

    /// How many messages had wall times, and in which zone they were read.
    pub(crate) fn told(&self) -> (u64, String) {
        (self.count, self.used.iter().cloned().collect::<Vec<_>>().join(", "))
    }
}

/// A zone with the name of another and the offset zero.
fn named_only(zone: &TimeZone) -> TimeZone {
    let Some(name) = zone.iana_name() else { return TimeZone::UTC };
    // RFC 8536: two headers, each with one type of local time (offset 0, "UTC"), and a footer.
    let mut header = b"TZif2".to_vec();
    header.extend([0; 15]);
    for count in [0u32, 0, 0, 0, 1, 4] {
        header.extend(count.to_be_bytes());
    }
    header.extend([0; 6]);
    header.extend(b"UTC\0");
    let mut data = header.repeat(2);
    data.extend(b"\nUTC0\n");
    TimeZone::tzif(name, &data).unwrap_or(TimeZone::UTC)
}

/// UTC milliseconds of a wall time (as if in UTC). One that the clock skipped is moved past the gap; of two that
/// it showed twice, the one that does not go back behind the message before.
pub(crate) fn instant(wall: i64, zone: &TimeZone, previous: Option<i64>) -> i64 {
    let Ok(shown) = Timestamp::from_millisecond(wall) else { return wall };
    let clock = shown.to_zoned(TimeZone::UTC).datetime();
    let ambiguous = zone.to_ambiguous_timestamp(clock);
    let is_fold = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
    let later = || zone.to_ambiguous_timestamp(clock).later();
    let chosen = match ambiguous.compatible() {
        Ok(t) if is_fold && previous.is_some_and(|p| t.as_millisecond() < p) => later().or(Ok(t)),
        other => other,
    };
    chosen.map_or(wall, |t| t.as_millisecond())
}

/// What a clock in a zone shows at an instant, as if in UTC.
fn shown(time: i64, zone: &TimeZone) -> i64 {
    let Ok(at) = Timestamp::from_millisecond(time) else { return time };
    let clock = zone.to_datetime(at);
    TimeZone::UTC.to_ambiguous_timestamp(clock).compatible().map_or(time, |t| t.as_millisecond())
}

pub(crate) fn zone_named(name: &str) -> Result<TimeZone, MemoryError> {
    TimeZone::get(name)
        .map_err(|_| MemoryError::BadQuery(format!("{name} is no time zone: write it as in Europe/Berlin")))
}

impl Memory {
    /// Reads the wall times of a source in a zone, now and from now on. Returns how many messages moved.
    ///
    /// # Errors
    /// `BadQuery` for an unknown zone; `NotFound` where the source has no messages. A kill leaves some messages
    /// moved and the zone kept: doing it again finishes it.
    pub async fn set_zone(&self, source: &str, name: &str, watch: &Watch) -> Result<u64, MemoryError> {
        self.writer()?;
        let zone = zone_named(name)?;
        let conversations = {
            let catalogue = self.catalogue();
            let rows = catalogue.rows().iter().filter(|r| catalogue.source(r) == source);
            rows.map(|r| catalogue.conversation(r)).collect::<BTreeSet<ConversationId>>()
        };
        if conversations.is_empty() {
            return Err(MemoryError::NotFound(format!("there are no messages of {source}: see `evoke sources`")));
        }
        let mut zones = self.source_zones()?;
        let before = zones.insert(source.to_owned(), name.to_owned());
        let old = before.as_deref().map(zone_named).transpose()?.unwrap_or_else(|| self.zone().clone());
        self.0.home.vault.write_sealed(FILE, &serde_json::to_vec(&zones).map_err(anyhow::Error::from)?)?;
        let mut moved = 0;
        let (mut changed, mut touched) = (Vec::new(), Vec::new());
        for conversation in &conversations {
            let theirs = self.moved(*conversation, &zone, &old).await?;
            if !theirs.is_empty() {
                moved += theirs.len() as u64;
                changed.extend(theirs);
                touched.push(*conversation);
            }
            if changed.len() >= TOGETHER {
                self.write_moved(&mut changed, &mut touched).await?;
            }
        }
        self.write_moved(&mut changed, &mut touched).await?;
        self.join_same(&conversations).await?;
        self.finish_import(&ImportOptions::default(), watch).await?;
        Ok(moved)
    }

    async fn write_moved(
        &self,
        changed: &mut Vec<Taken>,
        touched: &mut Vec<ConversationId>,
    ) -> Result<(), MemoryError> {
        let _changing = self.0.changing.lock().await;
        self.rewrite(std::mem::take(changed), &std::mem::take(touched)).await
    }

    /// The messages of a conversation that another zone moves.
    async fn moved(
        &self,
        conversation: ConversationId,
        zone: &TimeZone,
        old: &TimeZone,
    ) -> Result<Vec<Taken>, MemoryError> {
        let mut messages = self.store().conversation(conversation).await?;
        messages.retain(|m| !m.zone_known);
        messages.sort_by_key(|m| (m.order, m.time, m.id));
        let ids: Vec<MessageId> = messages.iter().map(|m| m.id).collect();
        let walls = self.store().walls(&ids).await?;
        let mut last = None;
        let mut changed = Vec::new();
        for mut message in messages {
            let kept = walls.get(&message.id).copied().filter(|w| *w != 0);
            let wall = kept.unwrap_or_else(|| shown(message.time, old));
            let time = instant(wall, zone, last);
            last = Some(time);
            if time == message.time && kept.is_some() {
                continue;
            }
            message.edited = message.edited.map(|e| if e == message.time { time } else { e });
            message.time = time;
            let import = self.catalogue().get(message.id).map_or(0, |r| i64::from(r.import));
            changed.push(Taken { message, import, wall: Some(wall) });
        }
        Ok(changed)
    }

    /// The zones that somebody chose for sources.
    pub(crate) fn source_zones(&self) -> Result<BTreeMap<String, String>, MemoryError> {
        let stored = self.0.home.vault.read_sealed(FILE)?;
        Ok(stored.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    pub(crate) fn clock(&self, options: &ImportOptions) -> Result<Clock, MemoryError> {
        let said = options.zone.as_deref().map(zone_named).transpose()?;
        let sources = self.source_zones()?;
        let sources =
            sources.into_iter().map(|(s, zone)| Ok((s, zone_named(&zone)?))).collect::<Result<_, MemoryError>>()?;
        let otherwise = self.zone().clone();
        Ok(Clock { said, sources, otherwise, last: HashMap::new(), count: 0, used: BTreeSet::new() })
    }

    /// Messages as they are stored, with all that is needed to write them again.
    pub(crate) async fn copies(&self, ids: &[MessageId]) -> Result<Vec<Stored>, MemoryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let messages = self.store().messages(ids).await?;
        let walls = self.store().walls(ids).await?;
        let copy = self.copier()?;
        let wall = |message: &Message| walls.get(&message.id).copied().unwrap_or_default();
        Ok(messages.into_iter().map(|message| (wall(&message), message)).map(|(wall, m)| copy(m, wall)).collect())
    }

    /// Makes of a message and the wall time that was kept of it (0 is none) what is stored.
    pub(crate) fn copier(&self) -> Result<impl Fn(Message, i64) -> Stored, MemoryError> {
        let zones = self.source_zones()?;
        let zone_of = move |source: &str| {
            let named = zones.get(source).and_then(|name| zone_named(name).ok());
            named.unwrap_or_else(|| self.zone().clone())
        };
        Ok(move |message: Message, kept: i64| {
            let kept = Some(kept).filter(|wall| *wall != 0);
            // An older archive kept no wall times: they are what its clock showed.
            let wall =
                (!message.zone_known).then(|| kept.unwrap_or_else(|| shown(message.time, &zone_of(&message.source))));
            let import = self.catalogue().get(message.id).map_or(0, |r| i64::from(r.import));
            Stored { digest: passage::digest(&message, wall), wall, import, message }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{DateTime, datetime};

    fn ms(time: DateTime) -> i64 {
        TimeZone::UTC.to_ambiguous_timestamp(time).compatible().unwrap().as_millisecond()
    }

    #[test]
    fn gaps_and_folds_give_an_instant_and_the_wall_time_is_not_lost() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let skipped = ms(datetime(2024, 3, 31, 2, 30, 0, 0));
        assert_eq!(instant(skipped, &berlin, None), ms(datetime(2024, 3, 31, 1, 30, 0, 0)));
        let twice = ms(datetime(2024, 10, 27, 2, 30, 0, 0));
        let first = instant(twice, &berlin, None);
        assert_eq!(first, ms(datetime(2024, 10, 27, 0, 30, 0, 0)));
        assert_eq!(instant(twice, &berlin, Some(first + 1)), first + 3_600_000);
        assert_eq!(shown(first, &berlin), twice);
    }

    #[test]
    fn importers_see_the_name_and_no_offset() {
        let zone = named_only(&TimeZone::get("America/New_York").unwrap());
        assert_eq!(zone.iana_name(), Some("America/New_York"));
        let skipped = datetime(2024, 3, 10, 2, 30, 0, 0);
        assert_eq!(zone.to_ambiguous_timestamp(skipped).compatible().unwrap().as_millisecond(), ms(skipped));
    }
}
