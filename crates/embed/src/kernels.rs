//! The arithmetic of the encoder that is not a large matrix product, on plain slices: GELU, layer norm
//! and rounding to eight bits; attention is `attention.rs`'s. candle has these too, but one value at a time (its GELU
//! goes through f64), over padded batches, and with a pass over memory each; here each is one pass.
//!
//! Each kernel is compiled for several instruction sets and chosen at run time; `FMA` says whether
//! fused multiply-add is an instruction there, because without it `mul_add` is a slow library call.

#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LANES, Lanes, Plain};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Instructions {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

pub(crate) fn instructions() -> Instructions {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
            return Instructions::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Instructions::Avx2;
        }
    }
    Instructions::Plain
}

/// Whether fused multiply-add is part of what the whole program is compiled for.
const PLAIN_FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// x ← gelu(x + bias) over rows as long as `bias`; GELU with erf, as in BERT.
pub(crate) fn bias_gelu(x: &mut [f32], bias: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(x: &mut [f32], bias: &[f32]) {
            bias_gelu_rows::<true>(x, bias);
        }
        #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
        fn avx512(x: &mut [f32], bias: &[f32]) {
            bias_gelu_rows::<true>(x, bias);
        }
        // SAFETY: `instructions` found these features on this processor.
        #[allow(unsafe_code)]
        match instructions() {
            Instructions::Avx512 => return unsafe { avx512(x, bias) },
            Instructions::Avx2 => return unsafe { avx2(x, bias) },
            Instructions::Plain => {}
        }
    }
    bias_gelu_rows::<PLAIN_FMA>(x, bias);
}

#[inline(always)]
fn bias_gelu_rows<const FMA: bool>(x: &mut [f32], bias: &[f32]) {
    for row in x.chunks_exact_mut(bias.len()) {
        for (x, bias) in row.iter_mut().zip(bias) {
            *x = gelu::<FMA>(*x + bias);
        }
    }
}

/// y ← layer_norm(y + bias + residual) · weight + shift, over rows as long as `bias`.
pub(crate) fn add_norm(y: &mut [f32], residual: &[f32], bias: &[f32], norm: &Norm) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(y: &mut [f32], residual: &[f32], bias: &[f32], norm: &Norm) {
            add_norm_rows(y, residual, bias, norm);
        }
        // SAFETY: `instructions` found these features on this processor.
        #[allow(unsafe_code)]
        if !matches!(instructions(), Instructions::Plain) {
            return unsafe { avx2(y, residual, bias, norm) };
        }
    }
    add_norm_rows(y, residual, bias, norm);
}

/// The learned part of a layer norm; `weight` and `shift` are as long as a row.
#[derive(Debug)]
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    pub(crate) epsilon: f32,
}

#[inline(always)]
fn add_norm_rows(y: &mut [f32], residual: &[f32], bias: &[f32], norm: &Norm) {
    let columns = bias.len();
    for (y, residual) in y.chunks_exact_mut(columns).zip(residual.chunks_exact(columns)) {
        for ((y, residual), bias) in y.iter_mut().zip(residual).zip(bias) {
            *y += residual + bias;
        }
        let mean = sum(y, |y| y) / columns as f32;
        let variance = sum(y, |y| (y - mean) * (y - mean)) / columns as f32;
        let scale = 1.0 / (variance + norm.epsilon).sqrt();
        for ((y, weight), shift) in y.iter_mut().zip(&norm.weight).zip(&norm.shift) {
            *y = (*y - mean) * scale * weight + shift;
        }
    }
}

/// Σ f(x) in lanes, which unlike a running sum can be vectorised (and is more exact).
#[inline(always)]
fn sum(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let whole = x.chunks_exact(LANES);
    let rest: f32 = whole.remainder().iter().map(|x| f(*x)).sum();
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// Rounds a row to 0..=255 and gives scale and zero: value ≈ scale · (rounded − zero). Zero itself is
/// exact. Nothing but finite numbers gives a meaningful result; nothing at all panics.
pub(crate) fn round(row: &[f32], out: &mut [u8]) -> (f32, i32) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(row: &[f32], out: &mut [u8]) -> (f32, i32) {
            round_row::<Avx2>(row, out)
        }
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma")]
        fn avx512(row: &[f32], out: &mut [u8]) -> (f32, i32) {
            round_row::<Avx512>(row, out)
        }
        // SAFETY: `instructions` found these features on this processor.
        #[allow(unsafe_code)]
        match instructions() {
            Instructions::Avx512 => return unsafe { avx512(row, out) },
            Instructions::Avx2 => return unsafe { avx2(row, out) },
            Instructions::Plain => {}
        }
    }
    round_row::<Plain>(row, out)
}

#[inline(always)]
fn round_row<V: Lanes>(row: &[f32], out: &mut [u8]) -> (f32, i32) {
    let (whole, rest) = row.as_chunks::<LANES>();
    let (mut least, mut largest) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    for chunk in whole {
        for ((x, least), largest) in chunk.iter().zip(&mut least).zip(&mut largest) {
            *least = if *x < *least { *x } else { *least };
            *largest = if *x > *largest { *x } else { *largest };
        }
    }
    let least = least.iter().chain(rest).fold(0.0_f32, |a, b| a.min(*b));
    let largest = largest.iter().chain(rest).fold(0.0_f32, |a, b| a.max(*b));
    let scale = if largest > least { (largest - least) / 255.0 } else { 1.0 };
    let (inverse, zero) = (1.0 / scale, (-least / scale).round());
    let (out_whole, out_rest) = out.as_chunks_mut::<LANES>();
    for (chunk, out) in whole.iter().zip(out_whole) {
        V::load(chunk).bytes(inverse, zero, out);
    }
    for (x, out) in rest.iter().zip(out_rest) {
        *out = (x * inverse + zero).round_ties_even() as u8;
    }
    (scale, zero as i32)
}

/// Adding it to a small number rounds to an integer and leaves that in the low bits.
const ROUND: f32 = 12_582_912.0;

#[inline(always)]
fn multiply_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// x · Φ(x), with erf by Abramowitz and Stegun 7.1.26 (error below 2e-7).
#[inline(always)]
fn gelu<const FMA: bool>(x: f32) -> f32 {
    const P: f32 = 0.327_591_1;
    const A: [f32; 5] = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / multiply_add::<FMA>(P, z, 1.0);
    let mut series = A[0];
    for a in &A[1..] {
        series = multiply_add::<FMA>(series, t, *a);
    }
    let erf = 1.0 - series * t * exp::<FMA>(-z * z);
    0.5 * multiply_add::<FMA>(x.abs(), erf, x)
}

/// e^x for x ≤ 0, to about 1e-7 of the value; below −87 the smallest value it can give.
/// 2^n comes from writing n into the exponent, e^r for |r| ≤ ln 2 / 2 from its Taylor series.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const TAYLOR: [f32; 7] = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = multiply_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = multiply_add::<FMA>(n, -LN2_LOW, multiply_add::<FMA>(n, -LN2_HIGH, x));
    let mut series = TAYLOR[0];
    for factor in &TAYLOR[1..] {
        series = multiply_add::<FMA>(series, r, *factor);
    }
    let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    series * power
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Numbers between −3 and 3 that repeat late.
    pub(crate) fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|at| (at as f32 * 0.731).sin() * 3.0).collect()
    }

    pub(crate) fn assert_close(actual: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(actual.len(), expected.len());
        for (actual, expected) in actual.iter().zip(expected) {
            assert!((actual - expected).abs() <= tolerance, "{actual} {expected}");
        }
    }

    #[test]
    fn exp_is_exact_to_single_precision() {
        for at in 0..8_700 {
            let x = -0.01 * at as f32;
            let (plain, fused, expected) = (exp::<false>(x), exp::<true>(x), f64::from(x).exp());
            for value in [plain, fused] {
                assert!((f64::from(value) / expected - 1.0).abs() < 5e-7, "{x}");
            }
        }
        assert!(exp::<false>(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn rounding_is_to_the_nearest_of_256_steps() {
        let check = |row: &[f32], expected: &[u8], scale: f32, zero: i32| {
            let mut out = vec![0; row.len()];
            assert_eq!(round(row, &mut out), (scale, zero));
            assert_eq!(out, expected, "{row:?}");
        };
        check(&[0.0, 51.0, 255.0, 1.4, 1.6], &[0, 51, 255, 1, 2], 1.0, 0);
        check(&[-127.0, 128.0, 0.0], &[0, 255, 127], 1.0, 127);
        check(&[-255.0, -1.0], &[0, 254], 1.0, 255);
        check(&[0.0, 0.0], &[0, 0], 1.0, 0);
        // The zero is rounded up by half a step here: the largest must not come out as 256.
        check(&[-0.5, 254.5], &[0, 255], 1.0, 1);
        let row = numbers(1000);
        let mut out = vec![0; row.len()];
        let (scale, zero) = round(&row, &mut out);
        let back: Vec<f32> = out.iter().map(|value| scale * (i32::from(*value) - zero) as f32).collect();
        assert_close(&back, &row, scale);
    }

    #[test]
    fn gelu_is_the_one_with_erf() {
        // x · Φ(x) from tables of the normal distribution.
        let check = |x: f32, expected: f32| assert_close(&[gelu::<false>(x), gelu::<true>(x)], &[expected; 2], 1e-6);
        check(0.0, 0.0);
        check(1.0, 0.841_344_7);
        check(-1.0, -0.158_655_25);
        check(2.0, 1.954_499_7);
        check(-3.0, -0.004_049_694);
        check(30.0, 30.0);
        check(-30.0, 0.0);
    }

    #[test]
    fn gelu_adds_the_bias_to_every_row() {
        let mut x = vec![0.5, -1.5, 0.25, 0.0];
        bias_gelu(&mut x, &[0.5, 0.5]);
        assert_close(&x, &[gelu::<false>(1.0), gelu::<false>(-1.0), gelu::<false>(0.75), gelu::<false>(0.5)], 1e-6);
    }

    #[test]
    fn a_normed_row_has_mean_zero_and_variance_one() {
        let (residual, bias) = (numbers(2 * 40), numbers(40));
        let mut y = vec![0.5; 2 * 40];
        let norm = Norm { weight: vec![2.0; 40], shift: vec![1.0; 40], epsilon: 1e-12 };
        add_norm(&mut y, &residual, &bias, &norm);
        for row in y.chunks_exact(40) {
            let mean = row.iter().sum::<f32>() / 40.0;
            let variance = row.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 40.0;
            assert!((mean - 1.0).abs() < 1e-5 && (variance - 4.0).abs() < 1e-4, "{mean} {variance}");
        }
    }
}
