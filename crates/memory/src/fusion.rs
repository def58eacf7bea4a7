//! Several lists become one: standardised scores, weighted by what each list is worth for a passage.
//!
//! Each list's scores become z-scores over the candidates fetched for this query (not ranks: plain RRF
//! loses to its best part, embedder.md §3.2). The constants come from `training/fusion.py`, fitted on
//! the training dialogues and never on the benchmarks.

use crate::catalogue::Standing;
use evoke_message::{ConversationId, MessageId, Mode, Why};
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
    /// 1 where the question names the speaker, −1 where it names another, else 0.
    pub(crate) named: f32,
    /// The passage is itself a question.
    pub(crate) asks: bool,
}

pub(crate) struct Fused {
    pub(crate) message: MessageId,
    pub(crate) piece: i32,
    pub(crate) score: f32,
    pub(crate) why: Why,
}

/// Shares of words and of meaning in the whole.
const WORDS: f32 = 0.35;
const MEANING: f32 = 0.65;
/// Share of the contextual list in meaning.
const CONTEXT_OF_MEANING: f32 = 0.85;
/// Share of the contextual list in words for the shortest line, less the longer a passage is. The fit
/// ties from 0.5 to 0.7; the less, so that who says a word ranks before who answers it.
const CONTEXT_OF_WORDS: f32 = 0.5;
const HALF_LONG: f32 = 80.0;
/// What being written at the time that a question names is worth, in standard deviations.
const NEAR: f32 = 1.0;
/// What being of the speaker that the question names is worth, and what is lost by being a question.
const NAMED: f32 = 0.2;
const ASKS: f32 = 0.1;

/// The candidates best first: one entry a message, its best piece. `full` tells of each word list
/// whether it may have more than was fetched.
pub(crate) fn fuse(candidates: &[(MessageId, i32, Scores)], full: [bool; 2], mode: Mode) -> Vec<Fused> {
    let column = |list: fn(&Scores) -> Option<f32>, none: Option<f32>| Column::of(candidates, list, none);
    let columns = [
        column(|s| s.words, (!full[0]).then_some(0.0)),
        column(|s| s.words_in_context, (!full[1]).then_some(0.0)),
        column(|s| s.meaning, None),
        column(|s| s.meaning_in_context, None),
    ];
    let mut best: HashMap<MessageId, Fused> = HashMap::new();
    for (message, piece, scores) in candidates {
        let [words, words_in_context, meaning, meaning_in_context] = std::array::from_fn(|i| columns[i].z(scores));
        let mut score =
            weigh(mode, scores.length, words, words_in_context, meaning, meaning_in_context) + NEAR * scores.near;
        if ranks(mode) {
            score += told(scores.named, scores.asks);
        }
        let why = Why {
            words: scores.words.map(|_| words),
            words_in_context: scores.words_in_context.map(|_| words_in_context),
            meaning: scores.meaning.map(|_| meaning),
            meaning_in_context: scores.meaning_in_context.map(|_| meaning_in_context),
            ..Why::default()
        };
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

/// Modes that rank as the product does; the others show a list by itself.
pub(crate) fn ranks(mode: Mode) -> bool {
    matches!(mode, Mode::Hybrid | Mode::Evolved)
}

/// What whose passage it is, and whether it is a question, adds.
fn told(named: f32, asks: bool) -> f32 {
    NAMED * named - if asks { ASKS } else { 0.0 }
}

/// What the best score in a hit's neighbourhood adds to its own.
const LIFT: f32 = 0.4;
/// Messages to either side that are a hit's neighbourhood, within one stretch of the conversation.
const NEIGHBOURS: u32 = 20;

/// Lifts hits around a strong one over lone weak ones (training/retrieval): each gets a share of the best score
/// of its neighbourhood, itself included. So the first hit stays the first, and neighbours keep their order.
pub(crate) fn lift(hits: &mut [Fused], standing: impl Fn(MessageId) -> Option<(ConversationId, Standing)>) {
    let mut around: HashMap<(ConversationId, u32), Vec<(u32, f32)>> = HashMap::new();
    let places: Vec<_> = hits.iter().map(|hit| standing(hit.message)).collect();
    for (hit, (conversation, at)) in hits.iter().zip(&places).filter_map(|(hit, place)| Some((hit, place.as_ref()?))) {
        around.entry((*conversation, at.stretch)).or_default().push((at.place, hit.score));
    }
    for (hit, place) in hits.iter_mut().zip(places) {
        let near = place.and_then(|(conversation, at)| Some((at.place, around.get(&(conversation, at.stretch))?)));
        let best = near.map_or(hit.score, |(place, all)| {
            let near = all.iter().filter(|(other, _)| other.abs_diff(place) <= NEIGHBOURS);
            near.map(|(_, score)| *score).fold(f32::NEG_INFINITY, f32::max)
        });
        hit.score += LIFT * best.max(0.0);
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.message.cmp(&b.message)));
}

fn weigh(mode: Mode, length: usize, words: f32, words_in_context: f32, meaning: f32, in_context: f32) -> f32 {
    let share = CONTEXT_OF_WORDS * HALF_LONG / (HALF_LONG + length as f32);
    let by_words = (1.0 - share) * words + share * words_in_context;
    let by_meaning = (1.0 - CONTEXT_OF_MEANING) * meaning + CONTEXT_OF_MEANING * in_context;
    match mode {
        Mode::Static => meaning,
        Mode::Context | Mode::Evolved => in_context,
        Mode::Words => by_words,
        Mode::Hybrid => WORDS * by_words + MEANING * by_meaning,
    }
}

/// One list over all candidates: what a candidate without a score gets, and the scale.
struct Column {
    list: fn(&Scores) -> Option<f32>,
    none: f32,
    mean: f32,
    deviation: f32,
}

impl Column {
    /// `none` where a missing score is known (a word list that was fetched whole: 0), else the least fetched.
    fn of(candidates: &[(MessageId, i32, Scores)], list: fn(&Scores) -> Option<f32>, none: Option<f32>) -> Column {
        let scores = || candidates.iter().map(|(_, _, s)| list(s));
        let least = scores().flatten().fold(f32::INFINITY, f32::min);
        let none = none.unwrap_or(if least.is_finite() { least } else { 0.0 });
        let count = candidates.len().max(1) as f32;
        let mean = scores().map(|s| s.unwrap_or(none)).sum::<f32>() / count;
        let variance = scores().map(|s| (s.unwrap_or(none) - mean).powi(2)).sum::<f32>() / count;
        Column { list, none, mean, deviation: variance.sqrt().max(1e-6) }
    }

    fn z(&self, scores: &Scores) -> f32 {
        ((self.list)(scores).unwrap_or(self.none) - self.mean) / self.deviation
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
        let fused = fuse(&list, [false; 2], Mode::Static);
        let order: Vec<_> = fused.iter().map(|f| (f.message, f.piece)).collect();
        assert_eq!(order, [(id(1), 1), (id(2), 0), (id(3), 0)]);
    }

    #[test]
    fn the_neighbours_of_a_strong_hit_pass_lone_weak_ones_and_the_first_stays_the_first() {
        let fused = |n: u8, score: f32| Fused { message: id(n), piece: 0, score, why: Why::default() };
        let standing = |m: MessageId| {
            let (conversation, stretch, place) = match m.0[0] {
                1 => (1, 0, 100),
                2 => (1, 0, 120),
                3 => (1, 0, 121),
                4 => (1, 1, 122),
                5 => return None,
                n => (n, 0, 0),
            };
            Some((ConversationId([conversation; 16]), Standing { stretch, place, before: None }))
        };
        let mut hits: Vec<Fused> =
            [(1, 3.0), (6, 1.0), (5, 0.95), (2, 0.9), (3, 0.85), (4, 0.8)].map(|(n, s)| fused(n, s)).into();
        lift(&mut hits, standing);
        let order: Vec<u8> = hits.iter().map(|h| h.message.0[0]).collect();
        assert_eq!(order, [1, 2, 6, 5, 3, 4], "two is within twenty of one; three is not, four is after a pause");
        assert_eq!(hits[0].score, 3.0 + LIFT * 3.0);
    }

    #[derive(serde::Deserialize)]
    struct Golden {
        constants: HashMap<String, f32>,
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        candidates: Vec<Candidate>,
    }

    #[derive(serde::Deserialize)]
    struct Candidate {
        message: u32,
        session: String,
        position: u32,
        fixed: f32,
        named: f32,
        question: bool,
        score: f32,
    }

    #[test]
    fn scores_are_those_of_the_code_that_fitted_the_constants() {
        let golden: Golden = serde_json::from_str(include_str!("../../../training/retrieval/golden.json")).unwrap();
        let ours = [("named", NAMED), ("question", ASKS), ("lift", LIFT), ("reach", NEIGHBOURS as f32)];
        for (name, value) in ours {
            assert_eq!(golden.constants[name], value, "{name}");
        }
        for case in golden.cases {
            let id = |n: u32| MessageId::of(&[&n.to_string()]);
            let mut best: HashMap<u32, (f32, &Candidate)> = HashMap::new();
            for c in &case.candidates {
                let own = c.fixed + told(c.named, c.question);
                let kept = best.entry(c.message).or_insert((own, c));
                kept.0 = kept.0.max(own);
            }
            let standing: HashMap<MessageId, _> = best
                .iter()
                .map(|(n, (_, c))| {
                    let conversation = ConversationId::of(&[c.session.as_str()]);
                    (id(*n), (conversation, Standing { stretch: 0, place: c.position, before: None }))
                })
                .collect();
            let mut hits: Vec<Fused> = best
                .iter()
                .map(|(n, (score, _))| Fused { message: id(*n), piece: 0, score: *score, why: Why::default() })
                .collect();
            lift(&mut hits, |m| standing.get(&m).copied());
            let expected: HashMap<MessageId, f32> = case.candidates.iter().fold(HashMap::new(), |mut all, c| {
                let kept = all.entry(id(c.message)).or_insert(c.score);
                *kept = kept.max(c.score);
                all
            });
            assert!(hits.iter().all(|hit| (hit.score - expected[&hit.message]).abs() < 1e-3));
        }
    }

    #[test]
    fn a_list_of_equal_scores_and_an_empty_one_change_nothing() {
        let with = |w: Option<f32>, m: f32| Scores { words: w, meaning: Some(m), ..Scores::default() };
        let list = [(id(1), 0, with(Some(3.0), 0.2)), (id(2), 0, with(Some(3.0), 0.8))];
        let fused = fuse(&list, [false; 2], Mode::Hybrid);
        assert_eq!(fused[0].message, id(2));
        assert!(fused.iter().all(|f| f.score.is_finite()));
    }
}
