//! The vector of a text, and the mixing of a text's own vector with that of its context.

/// What the model made of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    /// Unit length, [`crate::Embedder::dims`] values.
    pub values: Vec<f32>,
    /// What the model's evolver keeps of the text, [`crate::EvolverSizes::seed`] values; empty without one.
    pub seed: Vec<f32>,
    /// Tokens read, prefix and special tokens included.
    pub tokens: usize,
    /// The text was longer than the model reads; its end has no part in the vector.
    pub cut: bool,
}

/// norm(own + weight · context): one stored vector for a passage and what came before it. Both must
/// be of one length. With weight 0 the result is `own`, at unit length.
pub fn mix(own: &[f32], context: &[f32], weight: f32) -> Vec<f32> {
    unit(own.iter().zip(context).map(|(own, context)| own + weight * context).collect())
}

/// Scaled to length 1; a vector of zeros stays as it is.
pub(crate) fn unit(mut values: Vec<f32>) -> Vec<f32> {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        values.iter_mut().for_each(|value| *value /= length);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(own: &[f32], context: &[f32], weight: f32, expected: &[f32]) {
        let mixed = mix(own, context, weight);
        assert_eq!(mixed.len(), expected.len());
        assert!(mixed.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{mixed:?}");
    }

    #[test]
    fn mixing_keeps_unit_length() {
        check(&[1.0, 0.0], &[0.0, 1.0], 0.0, &[1.0, 0.0]);
        check(&[1.0, 0.0], &[0.0, 1.0], 1.0, &[0.5_f32.sqrt(), 0.5_f32.sqrt()]);
        check(&[0.6, 0.8], &[0.6, 0.8], 0.3, &[0.6, 0.8]);
        check(&[1.0, 0.0], &[-1.0, 0.0], 1.0, &[0.0, 0.0]);
    }
}
