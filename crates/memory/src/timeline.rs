//! Counts over time, from the catalogue: bars by local calendar units, and one day.

use crate::{
    Memory, MemoryError,
    catalogue::{Catalogue, Row},
    query::instant,
    search::shown,
};
use evoke_message::{
    Bucket, Cluster, ConversationId, ConversationKind, Day, Facet, Filter, MessageId, OtherYear, Part, PersonId, Query,
    Span, Timeline, Unit,
};
use jiff::{RoundMode, ToSpan, Unit as JiffUnit, Zoned, ZonedRound, civil::Date, tz::TimeZone};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Bars at most in one answer: a caller asks for a range instead of hours over ten years.
const MOST_BARS: usize = 20_000;
const MOST_PEOPLE: usize = 20;

impl Memory {
    /// Counts over the whole archive, or over the hits of a query, within a range.
    ///
    /// # Errors
    /// `BadQuery` where the range has more bars of this unit than a chart could show.
    pub async fn timeline(
        &self,
        query: Option<&Query>,
        unit: Unit,
        from: Option<i64>,
        until: Option<i64>,
    ) -> Result<Timeline, MemoryError> {
        self.refresh().await?;
        let hits: Option<HashSet<MessageId>> = match query {
            None => None,
            Some(query) => {
                let asked = self.ask(query, self.now());
                let ranked = self.rank(&asked, asked.condition.clone()).await?;
                Some(ranked.into_iter().map(|r| r.message).collect())
            }
        };
        let catalogue = self.catalogue();
        let within = |r: &&Row| {
            from.is_none_or(|t| r.time >= t)
                && until.is_none_or(|t| r.time < t)
                && hits.as_ref().is_none_or(|h| h.contains(&r.id))
        };
        let rows: Vec<&Row> = catalogue.in_time().filter(within).collect();
        let times: Vec<(i64, String)> = rows.iter().map(|r| (r.time, catalogue.source(r).to_owned())).collect();
        let first = from.or(times.first().map(|t| t.0));
        let last = until.map(|t| t - 1).or(times.last().map(|t| t.0));
        let buckets = match (first, last) {
            (Some(first), Some(last)) if first <= last => {
                too_many(unit, first, last)?;
                buckets(unit, first, last, &times, self.zone())
            }
            _ => Vec::new(),
        };
        Ok(Timeline {
            unit,
            buckets,
            total: rows.len() as u64,
            spans: spans(&catalogue),
            people: people(&catalogue, &rows),
            zone: self.zone_name(),
        })
    }

    /// One local day: hours, conversations, and the same day in other years.
    ///
    /// # Errors
    /// `BadQuery` for a date that is none.
    pub async fn day(&self, date: &str, sources: &[String]) -> Result<Day, MemoryError> {
        self.refresh().await?;
        let day: Date =
            date.parse().map_err(|_| MemoryError::BadQuery(format!("{date} is no date: write it as 2024-04-12")))?;
        let (start, end) = self.bounds(day)?;
        let filter = Filter { sources: sources.to_vec(), ..Filter::default() };
        let (clusters, lines, other, times) = {
            let catalogue = self.catalogue();
            let rows: Vec<&Row> = catalogue
                .in_time()
                .filter(|r| r.time >= start && r.time < end && catalogue.passes(&filter, r))
                .collect();
            let clusters = clusters(&catalogue, &rows);
            let lines: Vec<MessageId> = clusters.iter().map(|c| c.message).collect();
            let times: Vec<(i64, String)> = rows.iter().map(|r| (r.time, catalogue.source(r).to_owned())).collect();
            (clusters, lines, self.other_years(&catalogue, day, &filter), times)
        };
        let total = times.len() as u64;
        let clusters = self.with_lines(clusters, &lines).await?;
        let other_years = self.other_messages(other).await?;
        let hours = buckets(Unit::Hour, start, end - 1, &times, self.zone());
        Ok(Day { date: day.to_string(), start, end, total, hours, clusters, other_years })
    }

    fn bounds(&self, day: Date) -> Result<(i64, i64), MemoryError> {
        let next = day.checked_add(1.day()).ok();
        instant(day, self.zone())
            .zip(next.and_then(|d| instant(d, self.zone())))
            .ok_or_else(|| MemoryError::BadQuery(format!("{day} is out of range")))
    }

    /// For each other year that has a message on this day, the first one with text.
    fn other_years(&self, catalogue: &Catalogue, day: Date, filter: &Filter) -> Vec<(i16, MessageId)> {
        let archive = catalogue.archive();
        let (Some(first), Some(last)) = (archive.first, archive.last) else { return Vec::new() };
        let years = self.local(first).year()..=self.local(last).year();
        years
            .rev()
            .filter(|y| *y != day.year())
            .filter_map(|year| {
                let there = Date::new(year, day.month(), day.day()).ok()?;
                let (start, end) = self.bounds(there).ok()?;
                let row = catalogue
                    .in_time()
                    .find(|r| r.time >= start && r.time < end && r.part == Part::Text && catalogue.passes(filter, r))?;
                Some((year, row.id))
            })
            .collect()
    }

    async fn other_messages(&self, other: Vec<(i16, MessageId)>) -> Result<Vec<OtherYear>, MemoryError> {
        let ids: Vec<MessageId> = other.iter().map(|o| o.1).collect();
        let mut messages: HashMap<_, _> = self.store().messages(&ids).await?.into_iter().map(|m| (m.id, m)).collect();
        let catalogue = self.catalogue();
        Ok(other
            .into_iter()
            .filter_map(|(year, id)| Some(OtherYear { year, message: shown(&catalogue, messages.remove(&id)?) }))
            .collect())
    }

    async fn with_lines(&self, mut clusters: Vec<Cluster>, ids: &[MessageId]) -> Result<Vec<Cluster>, MemoryError> {
        let messages: HashMap<_, _> = self.store().messages(ids).await?.into_iter().map(|m| (m.id, m)).collect();
        for cluster in &mut clusters {
            if let Some(message) = messages.get(&cluster.message) {
                cluster.name = message.sender.name.clone();
                cluster.line = message.text.lines().next().unwrap_or_default().chars().take(200).collect();
            }
        }
        Ok(clusters)
    }

    pub(crate) fn zone_name(&self) -> String {
        self.zone().iana_name().unwrap_or("UTC").to_owned()
    }
}

/// Bars without gaps from the unit of `first` to that of `last`. `times` are in order.
pub(crate) fn buckets(unit: Unit, first: i64, last: i64, times: &[(i64, String)], zone: &TimeZone) -> Vec<Bucket> {
    let mut out = Vec::new();
    let mut rest = times;
    let Some(mut start) = floor(first, unit, zone) else { return out };
    while start.timestamp().as_millisecond() <= last && out.len() < MOST_BARS {
        let Some(next) = next(&start, unit) else { break };
        let (from, end) = (start.timestamp().as_millisecond(), next.timestamp().as_millisecond());
        let before = rest.iter().take_while(|t| t.0 < from).count();
        let here = rest.iter().skip(before).take_while(|t| t.0 < end).count();
        let mut by_source: BTreeMap<String, u64> = BTreeMap::new();
        for (_, source) in rest.iter().skip(before).take(here) {
            *by_source.entry(source.clone()).or_default() += 1;
        }
        rest = rest.get(before + here..).unwrap_or_default();
        out.push(Bucket { start: from, end, count: here as u64, by_source });
        start = next;
    }
    out
}

fn floor(time: i64, unit: Unit, zone: &TimeZone) -> Option<Zoned> {
    let at = jiff::Timestamp::from_millisecond(time).ok()?.to_zoned(zone.clone());
    let day = at.start_of_day().ok()?;
    match unit {
        Unit::Hour => at.round(ZonedRound::new().smallest(JiffUnit::Hour).mode(RoundMode::Trunc)).ok(),
        Unit::Day => Some(day),
        Unit::Week => day.checked_sub(i64::from(at.weekday().to_monday_zero_offset()).days()).ok()?.start_of_day().ok(),
        Unit::Month => at.first_of_month().ok()?.start_of_day().ok(),
        Unit::Year => at.first_of_year().ok()?.start_of_day().ok(),
    }
}

fn next(start: &Zoned, unit: Unit) -> Option<Zoned> {
    let next = match unit {
        Unit::Hour => return start.checked_add(1.hour()).ok(),
        Unit::Day => start.checked_add(1.day()),
        Unit::Week => start.checked_add(1.week()),
        Unit::Month => start.checked_add(1.month()),
        Unit::Year => start.checked_add(1.year()),
    };
    next.ok()?.start_of_day().ok()
}

fn too_many(unit: Unit, first: i64, last: i64) -> Result<(), MemoryError> {
    let hours = match unit {
        Unit::Hour => 1,
        Unit::Day => 24,
        Unit::Week => 168,
        Unit::Month => 672,
        Unit::Year => 8_760,
    };
    if (last - first) / (hours * 3_600_000) < MOST_BARS as i64 {
        return Ok(());
    }
    Err(MemoryError::BadQuery(format!(
        "that would be more than {MOST_BARS} bars: ask for a shorter range or a longer unit"
    )))
}

fn spans(catalogue: &Catalogue) -> Vec<Span> {
    catalogue
        .by_source()
        .into_iter()
        .filter_map(|(source, tally)| Some(Span { source: source.to_owned(), first: tally.first?, last: tally.last? }))
        .collect()
}

fn people(catalogue: &Catalogue, rows: &[&Row]) -> Vec<Facet> {
    let mut counts: HashMap<PersonId, u64> = HashMap::new();
    for row in rows {
        *counts.entry(catalogue.head(catalogue.person(row))).or_default() += 1;
    }
    let label = |id: PersonId| catalogue.name_of(id).to_owned();
    let mut all: Vec<Facet> =
        counts.into_iter().map(|(id, count)| Facet { key: id.to_string(), label: label(id), count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then(a.label.cmp(&b.label)));
    all.truncate(MOST_PEOPLE);
    all
}

/// A day's rows by conversation, the fullest first; the line is filled in later.
fn clusters(catalogue: &Catalogue, rows: &[&Row]) -> Vec<Cluster> {
    let mut all: BTreeMap<ConversationId, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        all.entry(catalogue.conversation(row)).or_default().push(row);
    }
    let mut clusters: Vec<Cluster> = all
        .into_iter()
        .filter_map(|(conversation, rows)| {
            let about = catalogue.about(conversation);
            let (first, last) = (rows.first()?, rows.last()?);
            let said = rows.iter().find(|r| r.part == Part::Text).unwrap_or(first);
            Some(Cluster {
                conversation,
                title: about.map(|c| c.title.clone()).unwrap_or_default(),
                source: catalogue.source(first).to_owned(),
                kind: about.map_or(ConversationKind::Direct, |c| c.kind),
                count: rows.len() as u64,
                first: first.time,
                last: last.time,
                message: said.id,
                name: String::new(),
                line: String::new(),
            })
        })
        .collect();
    clusters.sort_by(|a, b| b.count.cmp(&a.count).then(a.first.cmp(&b.first)));
    clusters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn bars_have_no_gaps_and_lose_nothing_over_a_clock_change() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let times: Vec<(i64, String)> =
            ["2024-03-30T22:59:59Z", "2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z", "2024-04-01T05:00:00Z"]
                .iter()
                .map(|t| (ms(t), "a".to_owned()))
                .collect();
        for unit in [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year] {
            let bars = buckets(unit, times[0].0, times[3].0, &times, &zone);
            assert_eq!(bars.iter().map(|b| b.count).sum::<u64>(), 4, "{unit:?}");
            assert!(bars.windows(2).all(|w| w[0].end == w[1].start), "{unit:?}");
        }
        let days = buckets(Unit::Day, times[0].0, times[3].0, &times, &zone);
        assert_eq!(days.iter().map(|b| (b.end - b.start) / 3_600_000).collect::<Vec<_>>(), [24, 23, 24]);
        assert_eq!(days.iter().map(|b| b.count).collect::<Vec<_>>(), [1, 2, 1]);
    }
}
