//! Epochs: the stretches of a conversation that the evolver reads as one stream, each from an empty memory.
//!
//! Pauses cut them, and the longer an epoch is, the shorter a pause does. The rule looks only backwards, so
//! what comes later never moves an earlier cut; and an epoch depends on nothing outside it, so a late
//! message or a forgotten one changes the states of one epoch, not of a life.

use crate::passage::Passage;
use std::ops::Range;

/// Passages of an epoch at most; only one message of more pieces makes a longer one.
pub(crate) const LONGEST: usize = 32;
/// A pause that always cuts, in milliseconds: six hours.
const PAUSE: i64 = 6 * 3_600_000;
/// After so many more passages half that pause is enough.
const HALVING: f32 = 3.0;

/// Cuts the passages of one conversation, in reading order.
pub(crate) fn epochs(passages: &[Passage<'_>]) -> Vec<Range<usize>> {
    cut(&passages.iter().map(|p| (p.message.id, p.message.time)).collect::<Vec<_>>())
}

/// `passages` are message and time of each; pieces of a message stay together.
fn cut<T: PartialEq>(passages: &[(T, i64)]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for group in passages.chunk_by(|a, b| a.0 == b.0) {
        let Some(last) = all.last_mut() else {
            all.push(0..group.len());
            continue;
        };
        let pause = group.first().map_or(0, |p| p.1) - passages.get(last.end - 1).map_or(0, |p| p.1);
        let enough = PAUSE as f32 * (-(last.len() as f32) / HALVING).exp2();
        let end = last.end + group.len();
        if last.len() + group.len() > LONGEST || pause as f32 >= enough {
            let start = last.end;
            all.push(start..end);
        } else {
            last.end = end;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn lengths(times: impl Iterator<Item = i64>) -> Vec<usize> {
        let passages: Vec<(usize, i64)> = times.enumerate().collect();
        let epochs = cut(&passages);
        assert_eq!(epochs.first().map(|e| e.start), Some(0));
        assert!(epochs.windows(2).all(|pair| pair[0].end == pair[1].start));
        epochs.into_iter().map(|e| e.len()).collect()
    }

    #[test]
    fn a_long_pause_cuts_and_no_epoch_is_longer_than_the_window() {
        assert_eq!(lengths([0, MINUTE, 2 * MINUTE, 600 * MINUTE, 601 * MINUTE].into_iter()), [3, 2]);
        assert_eq!(lengths((0..100).map(|_| 0)), [32, 32, 32, 4]);
        assert!(lengths((0..1000).map(|i| i * i * 100)).into_iter().all(|n| n <= LONGEST));
    }

    #[test]
    fn what_comes_later_moves_no_earlier_cut() {
        let times: Vec<i64> = (0..200_i64).map(|i| i * 7 * MINUTE + (i * 37 % 11) * 3 * MINUTE).collect();
        let all = lengths(times.iter().copied());
        for shorter in [1, 10, 33, 150, 199] {
            let part = lengths(times[..shorter].iter().copied());
            assert_eq!(part[..part.len() - 1], all[..part.len() - 1]);
        }
    }

    #[test]
    fn a_late_message_changes_one_epoch_and_cuts_meet_again_at_the_next_long_pause() {
        // Ten conversations of an hour, a day apart.
        let day = 24 * 60 * MINUTE;
        let times: Vec<i64> = (0..10).flat_map(|d| (0..12).map(move |i| d * day + i * 5 * MINUTE)).collect();
        let mut later = times.clone();
        later.insert(30, 2 * day + 32 * MINUTE);
        assert_eq!(lengths(times.into_iter()), [12; 10]);
        assert_eq!(lengths(later.into_iter()), [12, 12, 13, 12, 12, 12, 12, 12, 12, 12]);
    }

    #[test]
    fn pieces_of_one_message_stay_together() {
        let mut passages: Vec<(u32, i64)> = (0..20).map(|i| (i, 0)).collect();
        passages.extend((0..40).map(|_| (99, 0)));
        passages.push((100, 0));
        let all: Vec<usize> = cut(&passages).into_iter().map(|e| e.len()).collect();
        assert_eq!(all, [20, 40, 1]);
    }
}
