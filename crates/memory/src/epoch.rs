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

/// Cuts the passages of one conversation, in reading order. Those of documents lie in the epoch of their message
/// and count for nothing: they are no part of the stream.
pub(crate) fn epochs(passages: &[Passage<'_>]) -> Vec<Range<usize>> {
    let groups: Vec<Group> = passages
        .chunk_by(|a, b| a.message.id == b.message.id)
        .map(|group| Group {
            time: group.first().map_or(0, |p| p.message.time),
            said: group.iter().filter(|p| !p.in_document).count(),
            all: group.len(),
        })
        .collect();
    cut(&groups)
}

/// The passages of one message, which stay together.
struct Group {
    time: i64,
    /// That are part of the stream.
    said: usize,
    all: usize,
}

fn cut(groups: &[Group]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    let (mut said, mut time) = (0, 0);
    for group in groups {
        let start = all.last().map_or(0, |last| last.end);
        let end = start + group.all;
        let enough = PAUSE as f32 * (-(said as f32) / HALVING).exp2();
        match all.last_mut() {
            Some(last) if said + group.said <= LONGEST && ((group.time - time) as f32) < enough => {
                last.end = end;
                said += group.said;
            }
            _ => {
                all.push(start..end);
                said = group.said;
            }
        }
        time = group.time;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn lengths(times: impl Iterator<Item = i64>) -> Vec<usize> {
        let epochs = cut(&times.map(|time| Group { time, said: 1, all: 1 }).collect::<Vec<_>>());
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
        let mut groups: Vec<Group> = (0..20).map(|_| Group { time: 0, said: 1, all: 1 }).collect();
        groups.push(Group { time: 0, said: 40, all: 40 });
        groups.push(Group { time: 0, said: 1, all: 1 });
        assert_eq!(cut(&groups).into_iter().map(|e| e.len()).collect::<Vec<_>>(), [20, 40, 1]);
    }

    #[test]
    fn a_document_cuts_nothing() {
        let group = |all| Group { time: 0, said: 1, all };
        assert_eq!(cut(&[group(1), group(700), group(1)]), [Range { start: 0, end: 702 }]);
    }
}
