//! Is one run better than another: a paired bootstrap over histories.

use super::{
    history::History,
    measure::{RunLine, Scored},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A figure's difference between two runs, in points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    pub figure: &'static str,
    pub a: f64,
    pub b: f64,
    /// b − a
    pub difference: f64,
    /// 95 % of resamples lie between.
    pub low: f64,
    pub high: f64,
    /// Share of resamples on the other side of zero, doubled.
    pub p: f64,
}

const RESAMPLES: usize = 10_000;

/// Compares two runs on the questions of `histories` that both answered. Whole histories are drawn
/// with replacement, since questions of one history stand or fall together; where there is only one
/// history, questions are drawn. `seed` makes it repeatable.
pub fn compare(
    histories: &[History],
    a: &BTreeMap<String, Vec<RunLine>>,
    b: &BTreeMap<String, Vec<RunLine>>,
    seed: u64,
) -> Vec<Compared> {
    let mut groups: Vec<Vec<[(f64, f64); 4]>> = Vec::new();
    for history in histories {
        let pairs = history.queries.iter().filter(|q| !q.evidence.is_empty() && !q.abstain).filter_map(|q| {
            let id = format!("{}/{}", history.history_id, q.id);
            let of = |run: &BTreeMap<String, Vec<RunLine>>| Some(figures(&id, &q.evidence, run.get(&id)?));
            let (a, b) = (of(a)?, of(b)?);
            Some(std::array::from_fn(|i| (a[i], b[i])))
        });
        groups.push(pairs.collect());
    }
    groups.retain(|g| !g.is_empty());
    if let [only] = &mut groups[..] {
        groups = std::mem::take(only).into_iter().map(|pair| vec![pair]).collect();
    }
    ["R@1", "R@10", "nDCG@10", "MRR"].into_iter().enumerate().map(|(i, figure)| one(figure, i, &groups, seed)).collect()
}

fn figures(id: &str, gold: &[String], lines: &[RunLine]) -> [f64; 4] {
    let scored = Scored {
        id: id.to_owned(),
        history: String::new(),
        category: String::new(),
        abstain: false,
        gold: gold.to_vec(),
        mode: String::new(),
        ranking: lines.iter().map(|l| (l.turn.clone(), l.score)).collect(),
    };
    let f = scored.figures();
    [f.r1, f.r10, f.ndcg10, f.mrr]
}

fn one(figure: &'static str, which: usize, groups: &[Vec<[(f64, f64); 4]>], seed: u64) -> Compared {
    let sums: Vec<(f64, f64, f64)> = groups
        .iter()
        .map(|g| g.iter().fold((0.0, 0.0, 0.0), |s, pair| (s.0 + pair[which].0, s.1 + pair[which].1, s.2 + 1.0)))
        .collect();
    let mean = |drawn: &mut dyn Iterator<Item = usize>| {
        let (a, b, n) =
            drawn.filter_map(|i| sums.get(i)).fold((0.0, 0.0, 0.0), |s, g| (s.0 + g.0, s.1 + g.1, s.2 + g.2));
        if n == 0.0 { (0.0, 0.0) } else { (100.0 * a / n, 100.0 * b / n) }
    };
    let (a, b) = mean(&mut (0..sums.len()));
    let mut random = seed;
    let mut differences: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (a, b) = mean(&mut (0..sums.len()).map(|_| (next(&mut random) % sums.len().max(1) as u64) as usize));
            b - a
        })
        .collect();
    differences.sort_by(f64::total_cmp);
    let at = |share: f64| differences.get((share * (RESAMPLES - 1) as f64) as usize).copied().unwrap_or_default();
    let other = differences.iter().filter(|d| if b >= a { **d <= 0.0 } else { **d >= 0.0 }).count();
    Compared {
        figure,
        a,
        b,
        difference: b - a,
        low: at(0.025),
        high: at(0.975),
        p: (2.0 * other as f64 / RESAMPLES as f64).min(1.0),
    }
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::history::Asked;

    #[test]
    fn a_run_equals_itself_and_a_better_one_is_better() {
        let asked = |n: usize| Asked {
            id: n.to_string(),
            text: String::new(),
            evidence: vec!["gold".into()],
            category: String::new(),
            ts: None,
            asked_after: None,
            abstain: false,
        };
        let history = |h: usize| History {
            history_id: h.to_string(),
            dataset: String::new(),
            turns: vec![],
            queries: (0..5).map(asked).collect(),
        };
        let histories: Vec<History> = (0..8).map(history).collect();
        let run = |turn: &str| {
            let line = |id: String| {
                let line = RunLine { id: id.clone(), turn: turn.into(), rank: 1, score: 1.0, mode: "m".into() };
                (id, vec![line])
            };
            (0..8).flat_map(|h| (0..5).map(move |q| format!("{h}/{q}"))).map(line).collect::<BTreeMap<_, _>>()
        };
        let (good, bad) = (run("gold"), run("other"));
        let same = compare(&histories, &good, &good, 1);
        assert!(same.iter().all(|c| c.difference == 0.0 && c.p == 1.0));
        let better = compare(&histories, &bad, &good, 1);
        assert!(better.iter().all(|c| c.difference == 100.0 && c.low == 100.0 && c.p == 0.0), "{better:?}");
    }
}
