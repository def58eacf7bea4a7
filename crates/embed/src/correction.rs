//! The correction of query vectors by what an archive's vectors have in common: q' = Σ^(-p) (q − μ).
//! Directions in which every message of one life looks alike (names, tone) count for less; stored
//! vectors stay as they are, so nothing is indexed anew when the archive grows.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::prior::Prior;
use crate::statistics::Statistics;
use crate::vector::unit;

/// How far Σ is undone: 0 would leave it, 0.5 would whiten. 0.25 measured best on long conversations.
const POWER: f64 = 0.25;
/// Messages at which an archive's own statistics weigh as much as what they are shrunk to.
const HALF_WEIGHT: f64 = 500.0;
/// Smallest eigenvalue, as a share of the mean one: a direction never seen must not drown the others.
const FLOOR: f64 = 1e-5;

/// Made by [`Statistics::correction`]; about 0.6 MB for 384 dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// `None` leaves queries as they are.
    map: Option<Map>,
}

#[derive(Debug, Clone, PartialEq)]
struct Map {
    mean: Vec<f32>,
    /// Σ^(-p), [dims, dims], row-major.
    matrix: Vec<f32>,
}

impl Statistics {
    /// The correction for this archive. Its statistics are shrunk to the prior, with weight n/(n+500)
    /// for its own n vectors; without a prior, to "no correction" (mean 0, equal variance in every
    /// direction). Costs an eigendecomposition: make it when the archive has changed, not per query.
    pub fn correction(&self, prior: Option<&Prior>) -> Correction {
        let (mean, covariance) = self.shrunk(prior);
        Correction { map: Map::new(mean, covariance) }
    }

    fn shrunk(&self, prior: Option<&Prior>) -> (Vec<f64>, Vec<f64>) {
        let (mut mean, mut covariance) = (self.mean(), self.covariance());
        let own = self.count() as f64 / (self.count() as f64 + HALF_WEIGHT);
        match prior.filter(|prior| prior.mean.len() == mean.len()) {
            Some(prior) => {
                shrink(&mut mean, own, prior.mean.iter().map(|value| f64::from(*value)));
                shrink(&mut covariance, own, prior.covariance.iter().map(|value| f64::from(*value)));
            }
            None => {
                let dims = mean.len();
                let diagonal = covariance.iter().step_by(dims + 1).sum::<f64>() / dims as f64;
                let round = (0..dims * dims).map(|at| if at % (dims + 1) == 0 { diagonal } else { 0.0 });
                shrink(&mut covariance, own, round);
                shrink(&mut mean, own, std::iter::repeat(0.0));
            }
        }
        (mean, covariance)
    }
}

/// values ← own · values + (1 − own) · target
fn shrink(values: &mut [f64], own: f64, target: impl Iterator<Item = f64>) {
    for (value, target) in values.iter_mut().zip(target) {
        *value = own * *value + (1.0 - own) * target;
    }
}

impl Map {
    /// `None` if there is no variance at all (an archive of no message, or of one).
    fn new(mean: Vec<f64>, covariance: Vec<f64>) -> Option<Self> {
        let dims = mean.len();
        let eigen = SymmetricEigen::new(DMatrix::from_vec(dims, dims, covariance));
        let average = eigen.eigenvalues.sum() / dims as f64;
        if !average.is_finite() || average <= f64::MIN_POSITIVE {
            return None;
        }
        let powers = eigen.eigenvalues.map(|value| (value / average).max(FLOOR).powf(-POWER));
        let matrix = &eigen.eigenvectors * DMatrix::from_diagonal(&powers) * eigen.eigenvectors.transpose();
        Some(Map {
            mean: mean.iter().map(|value| *value as f32).collect(),
            matrix: matrix.iter().map(|value| *value as f32).collect(),
        })
    }
}

impl Correction {
    /// The corrected query, at unit length; `query` is a unit vector of the model's dimensions.
    pub fn apply(&self, query: &[f32]) -> Vec<f32> {
        let Some(map) = &self.map else {
            return query.to_vec();
        };
        let centred: Vec<f32> = query.iter().zip(&map.mean).map(|(value, mean)| value - mean).collect();
        let rows = map.matrix.chunks_exact(map.mean.len());
        unit(rows.map(|row| row.iter().zip(&centred).map(|(a, b)| a * b).sum()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` unit vectors that look alike in the first direction and differ in the others, the second
    /// more than the rest. A fixed linear congruence in place of chance.
    fn archive(count: usize, dims: usize) -> Vec<Vec<f32>> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f32 / (1_u64 << 31) as f32 - 0.5
        };
        (0..count)
            .map(|_| {
                unit(
                    (0..dims)
                        .map(|at| match at {
                            0 => 2.0,
                            1 => 4.0 * next(),
                            _ => next(),
                        })
                        .collect(),
                )
            })
            .collect()
    }

    fn of(vectors: &[Vec<f32>], dims: usize) -> Statistics {
        let mut statistics = Statistics::new(dims);
        vectors.iter().for_each(|vector| statistics.add(vector));
        statistics
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn an_archive_of_nothing_or_of_one_message_corrects_nothing() {
        let query = unit(vec![0.3, -0.5, 0.8, 0.1]);
        for vectors in [&[][..], &[unit(vec![1.0, 2.0, 3.0, 4.0])][..]] {
            assert_eq!(of(vectors, 4).correction(None).apply(&query), query);
        }
    }

    #[test]
    fn a_few_messages_change_a_query_less_than_many() {
        let query = unit(vec![0.8, 0.5, 0.3, 0.1, 0.1, 0.0, 0.0, 0.2]);
        let kept = |count| cosine(&query, &of(&archive(count, 8), 8).correction(None).apply(&query));
        assert!(kept(5) > 0.99, "{}", kept(5));
        assert!(kept(5_000) < 0.9 * kept(5), "{}", kept(5_000));
    }

    #[test]
    fn the_same_is_corrected_after_adding_and_subtracting() {
        let vectors = archive(300, 16);
        let mut statistics = of(&vectors, 16);
        let forgotten = unit((0..16).map(|at| at as f32).collect());
        let query = &vectors[3];
        let before = statistics.correction(None).apply(query);
        statistics.add(&forgotten);
        assert!(cosine(&before, &statistics.correction(None).apply(query)) < 0.999_999);
        statistics.subtract(&forgotten);
        let after = statistics.correction(None).apply(query);
        assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn twice_the_power_whitens() {
        // M = Σ^(-1/4), so M⁴ Σ must be a multiple of the identity.
        let statistics = of(&archive(4_000, 6), 6);
        let map = statistics.correction(None).map.unwrap();
        let matrix = DMatrix::from_row_slice(6, 6, &map.matrix).cast::<f64>();
        let (_, covariance) = statistics.shrunk(None);
        let white = matrix.pow(4) * DMatrix::from_row_slice(6, 6, &covariance);
        let white = &white / white[(0, 0)];
        assert!((white - DMatrix::identity(6, 6)).abs().max() < 1e-3);
    }

    #[test]
    fn what_all_messages_share_no_longer_decides() {
        // The query wants the third direction; one message has it, the other only what all share.
        let correction = of(&archive(2_000, 8), 8).correction(None);
        let query = unit(vec![2.0, 0.0, 1.2, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let wanted = unit(vec![2.0, 1.9, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let alike = unit(vec![2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1]);
        assert!(cosine(&query, &alike) > cosine(&query, &wanted));
        let corrected = correction.apply(&query);
        assert!(cosine(&corrected, &wanted) > cosine(&corrected, &alike));
    }

    #[test]
    fn an_empty_archive_takes_the_prior_and_a_large_one_leaves_it() {
        let vectors = archive(50_000, 4);
        let own = of(&vectors, 4);
        let prior = Prior {
            mean: vec![0.0, 0.0, 0.0, 0.5],
            covariance: (0..16)
                .map(|at| {
                    if at == 15 {
                        1.0
                    } else if at % 5 == 0 {
                        0.01
                    } else {
                        0.0
                    }
                })
                .collect(),
        };
        let query = unit(vec![0.5, 0.5, 0.5, 0.5]);
        let by_prior = Statistics::new(4).correction(Some(&prior)).apply(&query);
        assert!(by_prior[3].abs() < 1e-6 && by_prior[0] > 0.5, "{by_prior:?}");
        let (with, without) = (own.correction(Some(&prior)), own.correction(None));
        assert!(cosine(&with.apply(&query), &without.apply(&query)) > 0.97);
    }
}
