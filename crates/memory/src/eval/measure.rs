//! Figures of retrieval: recall, nDCG, MRR, per category and overall, and run files in TREC form.

use super::history::{Asked, History};
use crate::MemoryError;
use anyhow::Context;
use evoke_message::Mode;
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// One question's ranking with its gold turns.
#[derive(Clone, Debug)]
pub struct Scored {
    /// `HISTORY_ID/QUERY_ID`
    pub id: String,
    pub history: String,
    pub category: String,
    pub abstain: bool,
    pub gold: Vec<String>,
    pub mode: String,
    /// Turn ids with scores, best first.
    pub ranking: Vec<(String, f32)>,
}

/// One line of a run: `HISTORY/QUERY Q0 TURN rank score mode`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLine {
    pub id: String,
    pub turn: String,
    pub rank: usize,
    pub score: f32,
    pub mode: String,
}

/// Means over questions, in percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub questions: usize,
    pub r1: f64,
    pub r5: f64,
    pub r10: f64,
    pub r20: f64,
    /// R@10 where the best possible is 1: gold found in the top 10 over min(10, gold).
    pub r10_capped: f64,
    pub ndcg10: f64,
    pub mrr: f64,
}

/// What one mode reached on a file.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub mode: String,
    pub overall: Figures,
    pub categories: BTreeMap<String, Figures>,
    /// Unweighted mean of the categories' R@10, those marked `abstain` among them.
    pub m5: f64,
    /// Left out: no label, or the history does not answer.
    pub unlabelled: usize,
    pub abstaining: usize,
}

impl Scored {
    pub(super) fn new(history: &History, asked: &Asked, mode: Mode, ranking: Vec<(String, f32)>) -> Scored {
        Scored {
            id: format!("{}/{}", history.history_id, asked.id),
            history: history.history_id.clone(),
            category: asked.category.clone(),
            abstain: asked.abstain,
            gold: asked.evidence.clone(),
            mode: mode_name(mode).to_owned(),
            ranking,
        }
    }

    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.ranking
            .iter()
            .enumerate()
            .map(|(i, (turn, score))| format!("{} Q0 {turn} {} {score:.6} {}", self.id, i + 1, self.mode))
    }

    /// R@1, R@5, R@10, R@20, capped R@10, nDCG@10, MRR of this question.
    pub(super) fn figures(&self) -> Figures {
        let gold = self.gold.len().max(1) as f64;
        let hit: Vec<bool> = self.ranking.iter().map(|(turn, _)| self.gold.contains(turn)).collect();
        let top = |k: usize| hit.iter().take(k).filter(|h| **h).count() as f64;
        let gain = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
        let dcg: f64 = hit.iter().take(10).enumerate().filter(|(_, h)| **h).map(|(i, _)| gain(i)).sum();
        let ideal: f64 = (0..self.gold.len().min(10)).map(gain).sum();
        Figures {
            questions: 1,
            r1: top(1) / gold,
            r5: top(5) / gold,
            r10: top(10) / gold,
            r20: top(20) / gold,
            r10_capped: top(10) / gold.min(10.0),
            ndcg10: if ideal > 0.0 { dcg / ideal } else { 0.0 },
            mrr: hit.iter().position(|h| *h).map_or(0.0, |i| 1.0 / (i + 1) as f64),
        }
    }
}

impl Figures {
    fn mean(of: &[Figures]) -> Figures {
        let n = of.len().max(1) as f64;
        let mean = |part: fn(&Figures) -> f64| 100.0 * of.iter().map(part).sum::<f64>() / n;
        Figures {
            questions: of.len(),
            r1: mean(|f| f.r1),
            r5: mean(|f| f.r5),
            r10: mean(|f| f.r10),
            r20: mean(|f| f.r20),
            r10_capped: mean(|f| f.r10_capped),
            ndcg10: mean(|f| f.ndcg10),
            mrr: mean(|f| f.mrr),
        }
    }
}

impl Report {
    /// The figures of one mode among all that was asked.
    pub fn of(mode: &str, all: &[Scored]) -> Report {
        let here: Vec<&Scored> = all.iter().filter(|s| s.mode == mode).collect();
        let labelled: Vec<&&Scored> = here.iter().filter(|s| !s.gold.is_empty()).collect();
        let counted: Vec<Figures> = labelled.iter().filter(|s| !s.abstain).map(|s| s.figures()).collect();
        let mut by_category: BTreeMap<String, Vec<Figures>> = BTreeMap::new();
        for scored in &labelled {
            by_category.entry(scored.category.clone()).or_default().push(scored.figures());
        }
        let categories: BTreeMap<String, Figures> =
            by_category.into_iter().map(|(name, figures)| (name, Figures::mean(&figures))).collect();
        let m5 = categories.values().map(|f| f.r10).sum::<f64>() / categories.len().max(1) as f64;
        Report {
            mode: mode.to_owned(),
            overall: Figures::mean(&counted),
            categories,
            m5,
            unlabelled: here.len() - labelled.len(),
            abstaining: here.iter().filter(|s| s.abstain).count(),
        }
    }
}

pub fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Hybrid => "hybrid",
        Mode::Words => "words",
        Mode::Static => "static",
        Mode::Context => "context",
        Mode::Evolved => "evolved",
    }
}

/// Reads a run file; rankings by question, in order of rank.
pub fn read_run(path: &Path) -> Result<BTreeMap<String, Vec<RunLine>>, MemoryError> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
    let mut run: BTreeMap<String, Vec<RunLine>> = BTreeMap::new();
    for (n, line) in text.lines().enumerate() {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [id, _, turn, rank, score, mode] = parts[..] else {
            return Err(MemoryError::BadQuery(format!(
                "{}, line {}: a run line has six fields",
                path.display(),
                n + 1
            )));
        };
        let wrong = || format!("{}, line {}: rank and score are numbers", path.display(), n + 1);
        let (rank, score) = (rank.parse().with_context(wrong)?, score.parse().with_context(wrong)?);
        let line = RunLine { id: id.into(), turn: turn.into(), rank, score, mode: mode.into() };
        run.entry(id.to_owned()).or_default().push(line);
    }
    run.values_mut().for_each(|lines| lines.sort_by_key(|l| l.rank));
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(ranking: &[&str], gold: &[&str]) -> Scored {
        Scored {
            id: "h/q".into(),
            history: "h".into(),
            category: "c".into(),
            abstain: false,
            gold: gold.iter().map(|g| g.to_string()).collect(),
            mode: "hybrid".into(),
            ranking: ranking.iter().map(|r| (r.to_string(), 1.0)).collect(),
        }
    }

    #[test]
    fn figures_of_known_rankings() {
        let one = scored(&["a", "x", "b"], &["a", "b"]).figures();
        assert_eq!((one.r1, one.r5, one.mrr), (0.5, 1.0, 1.0));
        assert!((one.ndcg10 - 1.5 / (1.0 + 1.0 / 3f64.log2())).abs() < 1e-9);
        let none = scored(&["x"], &["a"]).figures();
        assert_eq!((none.r20, none.ndcg10, none.mrr), (0.0, 0.0, 0.0));
        let gold: Vec<String> = (0..20).map(|i| i.to_string()).collect();
        let all: Vec<&str> = gold.iter().map(String::as_str).collect();
        let many = scored(&all[..10], &all).figures();
        assert_eq!((many.r10, many.r10_capped, many.ndcg10), (0.5, 1.0, 1.0));
    }

    #[test]
    fn abstaining_counts_in_m5_alone_and_unlabelled_nowhere() {
        let mut abstain = scored(&["a"], &["a"]);
        (abstain.abstain, abstain.category) = (true, "adversarial".into());
        let report = Report::of("hybrid", &[scored(&["x"], &["a"]), abstain, scored(&["a"], &[])]);
        assert_eq!((report.overall.questions, report.overall.r10), (1, 0.0));
        assert_eq!((report.m5, report.unlabelled, report.abstaining), (50.0, 1, 1));
    }
}
