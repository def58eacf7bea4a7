//! Mean and covariance of vectors of many people's text, bundled with a model so that a small archive
//! need not rely on its own few messages. Made by `training/prior.py`.

use std::path::Path;

use candle_core::{DType, Device};

use crate::EmbedError;

/// Read from `prior.safetensors`: "mean" [dims] and "covariance" [dims, dims], f32.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    pub(crate) mean: Vec<f32>,
    /// Row-major, symmetric.
    pub(crate) covariance: Vec<f32>,
}

impl Prior {
    /// `None` if the model directory has no such file.
    pub(crate) fn open(path: &Path, dims: usize) -> Result<Option<Self>, EmbedError> {
        if !path.exists() {
            return Ok(None);
        }
        let broken = |error: candle_core::Error| EmbedError::broken(path, error);
        let tensors = candle_core::safetensors::load(path, &Device::Cpu).map_err(broken)?;
        let take = |name: &str, shape: &[usize]| {
            let tensor = tensors.get(name).filter(|tensor| tensor.dims() == shape);
            let tensor =
                tensor.ok_or_else(|| EmbedError::broken(path, format!("{name} of shape {shape:?} is not in it")))?;
            let values = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.flatten_all()?.to_vec1::<f32>());
            values.map_err(broken)
        };
        let prior = Prior { mean: take("mean", &[dims])?, covariance: take("covariance", &[dims, dims])? };
        if prior.mean.iter().chain(&prior.covariance).any(|value| !value.is_finite()) {
            return Err(EmbedError::broken(path, "it holds values that are not finite"));
        }
        Ok(Some(prior))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::Tensor;

    use super::*;

    fn written(mean: &[f32], covariance: &[f32]) -> Result<Option<Prior>, EmbedError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prior.safetensors");
        let side = covariance.len().isqrt();
        let tensors = HashMap::from([
            ("mean", Tensor::new(mean, &Device::Cpu).unwrap()),
            ("covariance", Tensor::new(covariance, &Device::Cpu).unwrap().reshape((side, side)).unwrap()),
        ]);
        candle_core::safetensors::save(&tensors, &path).unwrap();
        Prior::open(&path, 2)
    }

    #[test]
    fn a_prior_is_read_or_refused_by_name() {
        let covariance = vec![2.0, 0.5, 0.5, 1.0];
        let expected = Prior { mean: vec![0.1, 0.2], covariance: covariance.clone() };
        assert_eq!(written(&[0.1, 0.2], &covariance).unwrap(), Some(expected));
        for refused in
            [written(&[0.1], &covariance), written(&[0.1, 0.2], &[1.0]), written(&[0.1, f32::NAN], &covariance)]
        {
            assert!(refused.unwrap_err().to_string().contains("prior.safetensors"));
        }
    }

    #[test]
    fn no_file_is_no_prior_and_garbage_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prior.safetensors");
        assert_eq!(Prior::open(&path, 2).unwrap(), None);
        std::fs::write(&path, b"garbage").unwrap();
        assert!(matches!(Prior::open(&path, 2), Err(EmbedError::Broken { .. })));
    }
}
