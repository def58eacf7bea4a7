//! What an archive's static vectors have in common, kept as sums so that a forgotten message can be
//! subtracted again. The vectors that context was mixed into do not belong here: statistics of the
//! static ones search better. What is made of the sums is in `correction.rs`.

use crate::EmbedError;

/// Count, Σ v and Σ v vᵀ. The result depends on neither order nor grouping, but for rounding of f64.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    count: u64,
    sum: Vec<f64>,
    /// Upper triangle, row by row.
    outer: Vec<f64>,
}

/// First bytes of the saved form: magic and version.
const MAGIC: &[u8; 4] = b"EVS1";
/// Magic, dims (u32) and count (u64).
const HEADER: usize = 16;

impl Statistics {
    /// Of no vectors yet, each of which will have `dims` values.
    pub fn new(dims: usize) -> Self {
        Statistics { count: 0, sum: vec![0.0; dims], outer: vec![0.0; dims * (dims + 1) / 2] }
    }

    /// Adds one vector of `dims` values.
    pub fn add(&mut self, vector: &[f32]) {
        self.weigh_in(vector, 1.0);
        self.count += 1;
    }

    /// Takes back a vector that was added before.
    pub fn subtract(&mut self, vector: &[f32]) {
        if self.count <= 1 {
            // Nothing is left, not even rounding.
            *self = Statistics::new(self.sum.len());
            return;
        }
        self.weigh_in(vector, -1.0);
        self.count -= 1;
    }

    /// Adds all that `other` counted; both must have the same `dims`.
    pub fn merge(&mut self, other: &Statistics) {
        self.count += other.count;
        for (sum, other) in self.sum.iter_mut().zip(&other.sum) {
            *sum += other;
        }
        for (sum, other) in self.outer.iter_mut().zip(&other.outer) {
            *sum += other;
        }
    }

    /// Vectors added and not subtracted.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn weigh_in(&mut self, vector: &[f32], weight: f64) {
        debug_assert_eq!(vector.len(), self.sum.len());
        let mut outer = self.outer.as_mut_slice();
        for (at, (value, sum)) in vector.iter().zip(&mut self.sum).enumerate() {
            let value = f64::from(*value) * weight;
            *sum += value;
            let (row, later) = outer.split_at_mut(vector.len() - at);
            for (sum, other) in row.iter_mut().zip(&vector[at..]) {
                *sum += value * f64::from(*other);
            }
            outer = later;
        }
    }

    /// The mean; zeros for no vectors.
    pub(crate) fn mean(&self) -> Vec<f64> {
        let count = self.count.max(1) as f64;
        self.sum.iter().map(|sum| sum / count).collect()
    }

    /// The covariance about the mean, divided by the count: [dims, dims], row-major.
    pub(crate) fn covariance(&self) -> Vec<f64> {
        let (dims, count, mean) = (self.sum.len(), self.count.max(1) as f64, self.mean());
        let mut covariance = vec![0.0; dims * dims];
        let mut outer = self.outer.iter();
        for row in 0..dims {
            for (column, outer) in (row..dims).zip(&mut outer) {
                let value = outer / count - mean[row] * mean[column];
                covariance[row * dims + column] = value;
                covariance[column * dims + row] = value;
            }
        }
        covariance
    }

    /// For keeping: "EVS1", dims u32, count u64, then the sums as f64, all little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((self.sum.len() as u32).to_le_bytes());
        bytes.extend(self.count.to_le_bytes());
        bytes.extend(self.sum.iter().chain(&self.outer).flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// Reads what [`Statistics::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EmbedError> {
        let refuse = |reason: &str| EmbedError::Statistics(reason.into());
        let (header, body) = bytes.split_at_checked(HEADER).ok_or_else(|| refuse("too short"))?;
        let (dims, count) = read_header(header).ok_or_else(|| refuse("not made by this program"))?;
        let values: Vec<f64> =
            body.chunks_exact(8).filter_map(|value| value.try_into().ok()).map(f64::from_le_bytes).collect();
        let expected = dims.checked_mul(dims + 3).map(|double| double / 2);
        if body.len() % 8 != 0 || Some(values.len()) != expected {
            return Err(refuse("wrong length"));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(refuse("values that are not finite"));
        }
        let (sum, outer) = values.split_at(dims);
        Ok(Statistics { count, sum: sum.to_vec(), outer: outer.to_vec() })
    }
}

fn read_header(header: &[u8]) -> Option<(usize, u64)> {
    let rest = header.strip_prefix(MAGIC)?;
    let (dims, count) = rest.split_at_checked(4)?;
    let dims = u32::from_le_bytes(dims.try_into().ok()?);
    Some((usize::try_from(dims).ok()?, u64::from_le_bytes(count.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    fn of(vectors: &[[f32; 3]]) -> Statistics {
        let mut statistics = Statistics::new(3);
        vectors.iter().for_each(|vector| statistics.add(vector));
        statistics
    }

    const VECTORS: [[f32; 3]; 4] = [[0.6, 0.8, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, -0.8], [1.0, 0.0, 0.0]];

    #[test]
    fn sums_give_mean_and_covariance() {
        let statistics = of(&[[1.0, 0.0, 2.0], [3.0, 0.0, -2.0]]);
        assert!(close(&statistics.mean(), &[2.0, 0.0, 0.0]));
        assert!(close(&statistics.covariance(), &[1.0, 0.0, -2.0, 0.0, 0.0, 0.0, -2.0, 0.0, 4.0]));
    }

    #[test]
    fn what_was_added_can_be_subtracted() {
        let mut statistics = of(&VECTORS);
        statistics.subtract(&VECTORS[2]);
        let never = of(&[VECTORS[0], VECTORS[1], VECTORS[3]]);
        assert_eq!(statistics.count(), 3);
        assert!(close(&statistics.mean(), &never.mean()) && close(&statistics.covariance(), &never.covariance()));
        [0, 1, 3].iter().for_each(|at| statistics.subtract(&VECTORS[*at]));
        assert_eq!(statistics, Statistics::new(3));
    }

    #[test]
    fn parts_merge_into_the_whole() {
        let mut parts = of(&VECTORS[..1]);
        parts.merge(&of(&VECTORS[1..]));
        let whole = of(&VECTORS);
        assert_eq!(parts.count(), whole.count());
        assert!(close(&parts.covariance(), &whole.covariance()));
    }

    #[test]
    fn bytes_bring_the_same_back_and_damage_is_refused() {
        let statistics = of(&VECTORS);
        let bytes = statistics.to_bytes();
        assert_eq!(Statistics::from_bytes(&bytes).unwrap(), statistics);
        let mut nan = bytes.clone();
        nan[HEADER..HEADER + 8].copy_from_slice(&f64::NAN.to_le_bytes());
        let mut huge = bytes.clone();
        huge[4..8].fill(0xff);
        for damaged in [
            &bytes[..3],
            &bytes[..bytes.len() - 1],
            &bytes[..bytes.len() - 8],
            &nan,
            &huge,
            b"EVS2garbagegarbagegarbage",
            b"",
        ] {
            assert!(matches!(Statistics::from_bytes(damaged), Err(EmbedError::Statistics(_))));
        }
    }
}
