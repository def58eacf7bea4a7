//! What surrounds the hits: the histogram, the facets, and ways out of an empty result.

use crate::{
    Memory, MemoryError,
    search::{Asked, Ranked},
    timeline,
};
use evoke_message::{Bucket, Facet, Facets, Filter, Has, Offer, PersonId, Query, Unit};
use evoke_store::Condition;
use std::collections::{BTreeMap, HashMap};

/// Facets of a group shown at most; the view folds them further.
const MOST: usize = 50;
/// Bars that a histogram may have before its unit grows.
const MOST_BARS: usize = 400;

impl Memory {
    /// The histogram (without the query's own time range) and the facets (each without its own filter),
    /// so that one can see what else there is and switch.
    pub(crate) async fn around(
        &self,
        query: &Query,
        asked: &Asked,
        ranked: &[Ranked],
    ) -> Result<(Unit, Vec<Bucket>, Facets), MemoryError> {
        let filter = &asked.condition.filter;
        let times = if query.from.is_none() && query.until.is_none() {
            self.times(ranked)
        } else {
            let typed = Filter { from: asked.understood.since, until: asked.understood.until, ..filter.clone() };
            self.times(&self.rank(asked, with(&asked.condition, typed)).await?)
        };
        let (unit, histogram) = self.histogram(times);
        let sources = self.facet(asked, ranked, filter.sources.is_empty(), |f| f.sources.clear()).await?;
        let people = self.facet(asked, ranked, filter.people.is_none(), |f| f.people = None).await?;
        let kinds = self.facet(asked, ranked, filter.kinds.is_empty(), |f| f.kinds.clear()).await?;
        // A message may carry several things, so what is asked for does not hide the others.
        let has = self.count(ranked).has;
        let years = self.years(ranked);
        let facets = Facets { sources: sources.sources, people: people.people, kinds: kinds.kinds, has, years };
        Ok((unit, histogram, facets))
    }

    /// Counts among the hits, searched anew without a group's own filter where it has one.
    async fn facet(
        &self,
        asked: &Asked,
        ranked: &[Ranked],
        unfiltered: bool,
        without: impl Fn(&mut Filter),
    ) -> Result<Facets, MemoryError> {
        if unfiltered {
            return Ok(self.count(ranked));
        }
        let mut filter = asked.condition.filter.clone();
        without(&mut filter);
        Ok(self.count(&self.rank(asked, with(&asked.condition, filter)).await?))
    }

    fn count(&self, ranked: &[Ranked]) -> Facets {
        let catalogue = self.catalogue();
        let (mut sources, mut people, mut kinds) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut has = HashMap::new();
        for row in ranked.iter().filter_map(|r| catalogue.get(r.message)) {
            *sources.entry(catalogue.source(row).to_owned()).or_insert(0u64) += 1;
            *people.entry(catalogue.head(catalogue.person(row))).or_insert(0u64) += 1;
            for there in Has::ALL.into_iter().filter(|h| row.has & h.bit() != 0) {
                *has.entry(there).or_insert(0u64) += 1;
            }
            *kinds.entry(row.kind).or_insert(0u64) += 1;
        }
        let label = |key: &str| {
            evoke_import::FORMATS.iter().find(|f| f.key == key).map_or_else(|| key.to_owned(), |f| f.label.to_owned())
        };
        let named = |id: &PersonId| catalogue.name_of(*id).to_owned();
        Facets {
            sources: sorted(sources.into_iter().map(|(k, n)| (k.clone(), label(&k), n))),
            people: sorted(people.into_iter().map(|(k, n)| (k.to_string(), named(&k), n))),
            kinds: sorted(kinds.into_iter().map(|(k, n)| (k.as_str().to_owned(), k.as_str().to_owned(), n))),
            has: sorted(has.into_iter().map(|(h, n): (Has, u64)| (h.as_str().to_owned(), h.as_str().to_owned(), n))),
            years: Vec::new(),
        }
    }

    fn years(&self, ranked: &[Ranked]) -> Vec<Facet> {
        let mut years: BTreeMap<i16, u64> = BTreeMap::new();
        for time in self.times(ranked) {
            *years.entry(self.local(time.0).year()).or_default() += 1;
        }
        let facet = |(year, count): (i16, u64)| Facet { key: year.to_string(), label: year.to_string(), count };
        years.into_iter().rev().map(facet).collect()
    }

    /// Times of hits with their sources, in order.
    pub(crate) fn times(&self, ranked: &[Ranked]) -> Vec<(i64, String)> {
        let catalogue = self.catalogue();
        let mut times: Vec<(i64, String)> = ranked
            .iter()
            .filter_map(|r| catalogue.get(r.message))
            .map(|row| (row.time, catalogue.source(row).to_owned()))
            .collect();
        times.sort();
        times
    }

    /// Bars over the whole archive's span, by the finest unit that fits.
    fn histogram(&self, times: Vec<(i64, String)>) -> (Unit, Vec<Bucket>) {
        let archive = self.catalogue().archive();
        let (Some(first), Some(last)) = (archive.first, archive.last) else { return (Unit::Month, Vec::new()) };
        let days = (last - first) / 86_400_000;
        let unit = match days {
            0..=120 => Unit::Day,
            121..=1_000 => Unit::Week,
            n if (n / 30) as usize <= MOST_BARS => Unit::Month,
            _ => Unit::Year,
        };
        (unit, timeline::buckets(unit, first, last, &times, self.zone()))
    }

    /// What would be found without one of the filters.
    pub(crate) async fn offers(&self, query: &Query, asked: &Asked) -> Result<Vec<Offer>, MemoryError> {
        let mut offers = Vec::new();
        for chip in &asked.understood.chips {
            let text = query.text.replacen(&chip.text, " ", 1).split_whitespace().collect::<Vec<_>>().join(" ");
            offers.push((format!("Without {}", chip.label), Query { text, ..query.clone() }));
        }
        if query.from.is_some() || query.until.is_some() {
            offers.push(("At any time".to_owned(), Query { from: None, until: None, ..query.clone() }));
        }
        if !query.sources.is_empty() || !query.kinds.is_empty() {
            offers.push(("In all sources".to_owned(), Query { sources: vec![], kinds: vec![], ..query.clone() }));
        }
        if !query.has.is_empty() {
            offers.push(("With or without attachments".to_owned(), Query { has: vec![], ..query.clone() }));
        }
        if !query.people.is_empty() {
            offers.push(("From anybody".to_owned(), Query { people: vec![], ..query.clone() }));
        }
        let mut found = Vec::new();
        for (label, query) in offers {
            let asked = self.ask(&query, self.now());
            let count = self.rank(&asked, asked.condition.clone()).await?.len() as u64;
            if count > 0 {
                found.push(Offer { label, query, count });
            }
        }
        Ok(found)
    }
}

fn with(condition: &Condition, filter: Filter) -> Condition {
    Condition { filter, ..condition.clone() }
}

fn sorted(counts: impl Iterator<Item = (String, String, u64)>) -> Vec<Facet> {
    let mut all: Vec<Facet> = counts.map(|(key, label, count)| Facet { key, label, count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then(a.label.cmp(&b.label)).then(a.key.cmp(&b.key)));
    all.truncate(MOST);
    all
}
