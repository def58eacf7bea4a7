//! Several lists become one: standardised scores, weighted by what each list is worth for a passage.
//!
//! Each list's scores become z-scores over the candidates fetched for this query (not ranks: plain RRF
//! loses to its best part, embedder.md §3.2). The constants come from `training/fusion.py`, fitted on
//! the training dialogues and never on the benchmarks.

use evoke_message::{MessageId, Mode, Why};
use std::collections::HashMap;

/// Scores of one candidate passage; none where a list has no score for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scores {
    pub(crate) words: Option<f32>,
    pub(crate) words_in_context: Option<f32>,
    pub(crate) meaning: Option<f32>,
    pub(crate) meaning_in_context: Option<f32>,
    /// Words of the passage.
    pub(crate) length: usize,
    /// From 0 to 1: how near it was written to the time the question names.
    pub(crate) near: f32,
}

pub(crate) struct Fused {
    pub(crate) message: MessageId,
    pub(crate) piece: i32,
    pub(crate) score: f32,
    pub(crate) why: Why,
}

/// What each list weighs, for a short line and for a long turn; between them by the passage's words.
struct Weights {
    words: f32,
    words_in_context: f32,
    meaning: f32,
    meaning_in_context: f32,
}

const SHORT: Weights = Weights { words: 1.0, words_in_context: 1.0, meaning: 1.0, meaning_in_context: 1.0 };
const LONG: Weights = Weights { words: 1.0, words_in_context: 0.5, meaning: 1.0, meaning_in_context: 0.0 };
/// Words at which a passage counts as half long.
const HALF_LONG: f32 = 60.0;
/// What being written at the time that a question names is worth, in standard deviations.
const NEAR: f32 = 2.0;

/// The candidates best first: one entry a message, its best piece.
pub(crate) fn fuse(candidates: &[(MessageId, i32, Scores)], mode: Mode) -> Vec<Fused> {
    let lists: [fn(&Scores) -> Option<f32>; 4] =
        [|s| s.words, |s| s.words_in_context, |s| s.meaning, |s| s.meaning_in_context];
    let scales = lists.map(|list| Scale::of(candidates.iter().filter_map(|(_, _, s)| list(s))));
    let mut best: HashMap<MessageId, Fused> = HashMap::new();
    for (message, piece, scores) in candidates {
        let z: [Option<f32>; 4] = std::array::from_fn(|i| lists[i](scores).map(|s| scales[i].z(s)));
        let floor: [f32; 4] = std::array::from_fn(|i| scales[i].floor());
        let score = weigh(mode, scores, &z, &floor) + NEAR * scores.near;
        let [words, words_in_context, meaning, meaning_in_context] = z;
        let why = Why { words, words_in_context, meaning, meaning_in_context, sentence: String::new() };
        let fused = Fused { message: *message, piece: *piece, score, why };
        match best.get_mut(message) {
            Some(kept) if kept.score >= score => {}
            _ => {
                best.insert(*message, fused);
            }
        }
    }
    let mut all: Vec<Fused> = best.into_values().collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.message.cmp(&b.message)));
    all
}

fn weigh(mode: Mode, scores: &Scores, z: &[Option<f32>; 4], floor: &[f32; 4]) -> f32 {
    let [words, context_words, meaning, context] = std::array::from_fn(|i| z[i].unwrap_or(floor[i]));
    let long = scores.length as f32 / (scores.length as f32 + HALF_LONG);
    let between = |short: f32, long_one: f32| short + (long_one - short) * long;
    match mode {
        Mode::Static => meaning,
        Mode::Context => context,
        Mode::Words => words + between(SHORT.words_in_context, LONG.words_in_context) * context_words,
        Mode::Hybrid => {
            between(SHORT.words, LONG.words) * words
                + between(SHORT.words_in_context, LONG.words_in_context) * context_words
                + between(SHORT.meaning, LONG.meaning) * meaning
                + between(SHORT.meaning_in_context, LONG.meaning_in_context) * context
        }
    }
}

/// Mean and deviation of one list's scores for one query.
struct Scale {
    mean: f32,
    deviation: f32,
    least: f32,
}

impl Scale {
    fn of(scores: impl Iterator<Item = f32> + Clone) -> Scale {
        let count = scores.clone().count();
        if count == 0 {
            return Scale { mean: 0.0, deviation: 1.0, least: 0.0 };
        }
        let mean = scores.clone().sum::<f32>() / count as f32;
        let variance = scores.clone().map(|s| (s - mean).powi(2)).sum::<f32>() / count as f32;
        Scale { mean, deviation: variance.sqrt().max(1e-6), least: scores.fold(f32::INFINITY, f32::min) }
    }

    fn z(&self, score: f32) -> f32 {
        (score - self.mean) / self.deviation
    }

    /// What a candidate gets that this list does not have: the list's own least.
    fn floor(&self) -> f32 {
        self.z(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> MessageId {
        MessageId([n; 16])
    }

    #[test]
    fn one_entry_a_message_by_its_best_piece_and_ties_by_id() {
        let scored = |m: f32| Scores { meaning: Some(m), ..Scores::default() };
        let list = [(id(1), 0, scored(0.1)), (id(1), 1, scored(0.9)), (id(3), 0, scored(0.5)), (id(2), 0, scored(0.5))];
        let fused = fuse(&list, Mode::Static);
        let order: Vec<_> = fused.iter().map(|f| (f.message, f.piece)).collect();
        assert_eq!(order, [(id(1), 1), (id(2), 0), (id(3), 0)]);
    }

    #[test]
    fn a_list_of_equal_scores_and_an_empty_one_change_nothing() {
        let with = |w: Option<f32>, m: f32| Scores { words: w, meaning: Some(m), ..Scores::default() };
        let list = [(id(1), 0, with(Some(3.0), 0.2)), (id(2), 0, with(Some(3.0), 0.8))];
        let fused = fuse(&list, Mode::Hybrid);
        assert_eq!(fused[0].message, id(2));
        assert!(fused.iter().all(|f| f.score.is_finite()));
    }
}
