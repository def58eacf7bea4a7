//! The arithmetic of the encoder that is not a large matrix product, on plain slices: GELU, layer norm,
//! attention, and rounding to eight bits. candle has these too, but one value at a time (its GELU goes through f64), over padded
//! batches, and with a pass over memory each; here each is one pass that the compiler vectorises.
//!
//! Each kernel is compiled for several instruction sets and chosen at run time; `FMA` says whether
//! fused multiply-add is an instruction there, because without it `mul_add` is a slow library call.

/// Rows of queries and columns of keys that attention handles at once: what fits into registers.
const ROWS: usize = 4;
const LANES: usize = 16;

/// Sizes of the heads: `qkv` rows hold 3 · `heads` · `width` values, queries first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) count: usize,
    pub(crate) width: usize,
}

#[derive(Debug, Clone, Copy)]
enum Instructions {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

fn instructions() -> Instructions {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
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
            round_row(row, out)
        }
        // SAFETY: `instructions` found these features on this processor.
        #[allow(unsafe_code)]
        if !matches!(instructions(), Instructions::Plain) {
            return unsafe { avx2(row, out) };
        }
    }
    round_row(row, out)
}

#[inline(always)]
fn round_row(row: &[f32], out: &mut [u8]) -> (f32, i32) {
    let mut extremes = [[0.0_f32; LANES]; 2];
    for chunk in row.chunks(LANES) {
        let [least, largest] = &mut extremes;
        for ((x, least), largest) in chunk.iter().zip(least).zip(largest) {
            *least = if *x < *least { *x } else { *least };
            *largest = if *x > *largest { *x } else { *largest };
        }
    }
    let least = extremes[0].iter().fold(0.0_f32, |a, b| a.min(*b));
    let largest = extremes[1].iter().fold(0.0_f32, |a, b| a.max(*b));
    let scale = if largest > least { (largest - least) / 255.0 } else { 1.0 };
    let (inverse, zero) = (1.0 / scale, (-least / scale).round());
    for (x, out) in row.iter().zip(out) {
        let value = x * inverse + zero;
        let value = if value > 0.0 { value } else { 0.0 };
        let value = if value < 255.0 { value } else { 255.0 };
        // The lowest bits of the sum are the integer.
        *out = (value + ROUND).to_bits() as u8;
    }
    (scale, zero as i32)
}

/// Adding it to a small number rounds to an integer and leaves that in the low bits.
const ROUND: f32 = 12_582_912.0;

/// softmax((Q + bias) Kᵀ / √width) V of one text, for all heads. `qkv` is [tokens, 3 · heads · width]
/// without its bias; `out` is [some, heads · width], for the queries from `first` on. The bias of the keys
/// is left out: it adds the same to every score of a query, which softmax ignores. The bias of the values
/// is added at the end, as the weights of a query sum to one.
pub(crate) fn attention(qkv: &[f32], first: usize, bias: &[f32], heads: Heads, scratch: &mut Scratch, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(qkv: &[f32], first: usize, bias: &[f32], heads: Heads, scratch: &mut Scratch, out: &mut [f32]) {
            attention_heads::<true>(qkv, first, bias, heads, scratch, out);
        }
        #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
        fn avx512(qkv: &[f32], first: usize, bias: &[f32], heads: Heads, scratch: &mut Scratch, out: &mut [f32]) {
            attention_heads::<true>(qkv, first, bias, heads, scratch, out);
        }
        // SAFETY: `instructions` found these features on this processor.
        #[allow(unsafe_code)]
        match instructions() {
            Instructions::Avx512 => return unsafe { avx512(qkv, first, bias, heads, scratch, out) },
            Instructions::Avx2 => return unsafe { avx2(qkv, first, bias, heads, scratch, out) },
            Instructions::Plain => {}
        }
    }
    attention_heads::<PLAIN_FMA>(qkv, first, bias, heads, scratch, out);
}

/// Room for one head of one text, kept between calls.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Keys, transposed: [width, tokens], tokens rounded up to `LANES` with zeros.
    keys: Vec<f32>,
    /// Values: [tokens, width], width rounded up to `LANES` with zeros.
    values: Vec<f32>,
    /// Queries of one block, scaled and with bias: [ROWS, width].
    queries: Vec<f32>,
    /// Scores of one block: [ROWS, tokens], rounded up as for `keys`.
    scores: Vec<f32>,
}

#[inline(always)]
fn attention_heads<const FMA: bool>(
    qkv: &[f32],
    first: usize,
    bias: &[f32],
    heads: Heads,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let hidden = heads.count * heads.width;
    let (tokens, queries) = (qkv.len() / (3 * hidden), out.len() / hidden);
    let (wide, broad) = (tokens.next_multiple_of(LANES), heads.width.next_multiple_of(LANES));
    for (matrix, size) in [
        (&mut scratch.keys, heads.width * wide),
        (&mut scratch.values, tokens * broad),
        (&mut scratch.queries, ROWS * heads.width),
        (&mut scratch.scores, ROWS * wide),
    ] {
        matrix.clear();
        matrix.resize(size, 0.0);
    }
    for head in 0..heads.count {
        let column = head * heads.width;
        gather(qkv, hidden, column, heads.width, wide, broad, scratch);
        for at in (0..queries).step_by(ROWS) {
            let rows = ROWS.min(queries - at);
            scale_queries(
                &qkv[(first + at) * 3 * hidden..],
                &bias[column..][..heads.width],
                hidden,
                column,
                rows,
                scratch,
            );
            scores::<FMA>(heads.width, wide, scratch);
            for row in scratch.scores.chunks_exact_mut(wide) {
                softmax::<FMA>(row, tokens);
            }
            weigh::<FMA>(tokens, wide, broad, scratch, |row, lane, sums| {
                let end = heads.width.min(lane + LANES);
                if row < rows && lane < end {
                    let bias = &bias[2 * hidden + column..][lane..end];
                    let out = &mut out[(at + row) * hidden + column..][lane..end];
                    for ((out, sum), bias) in out.iter_mut().zip(sums).zip(bias) {
                        *out = sum + bias;
                    }
                }
            });
        }
    }
}

/// Copies one head's keys (transposed) and values out of `qkv`, so that they lie one after another.
#[inline(always)]
fn gather(qkv: &[f32], hidden: usize, column: usize, width: usize, wide: usize, broad: usize, scratch: &mut Scratch) {
    for (token, row) in qkv.chunks_exact(3 * hidden).enumerate() {
        for (at, key) in row[hidden + column..][..width].iter().enumerate() {
            scratch.keys[at * wide + token] = *key;
        }
        scratch.values[token * broad..][..width].copy_from_slice(&row[2 * hidden + column..][..width]);
    }
}

#[inline(always)]
fn scale_queries(qkv: &[f32], bias: &[f32], hidden: usize, column: usize, rows: usize, scratch: &mut Scratch) {
    let width = bias.len();
    let scale = 1.0 / (width as f32).sqrt();
    for row in 0..rows {
        let query = &qkv[row * 3 * hidden + column..][..width];
        for ((out, query), bias) in scratch.queries[row * width..][..width].iter_mut().zip(query).zip(bias) {
            *out = (query + bias) * scale;
        }
    }
}

/// scores = queries · keys, `ROWS` × `LANES` at a time.
#[inline(always)]
fn scores<const FMA: bool>(width: usize, wide: usize, scratch: &mut Scratch) {
    for lane in (0..wide).step_by(LANES) {
        let sums = tile::<FMA>(&scratch.queries, width, width, &scratch.keys[lane..], wide);
        for (row, sums) in sums.iter().enumerate() {
            scratch.scores[row * wide + lane..][..LANES].copy_from_slice(sums);
        }
    }
}

/// Gives `store` the sums weights · values: row, first column, `LANES` sums.
#[inline(always)]
fn weigh<const FMA: bool>(
    tokens: usize,
    wide: usize,
    broad: usize,
    scratch: &Scratch,
    mut store: impl FnMut(usize, usize, &[f32; LANES]),
) {
    for lane in (0..broad).step_by(LANES) {
        let sums = tile::<FMA>(&scratch.scores, wide, tokens, &scratch.values[lane..], broad);
        for (row, sums) in sums.iter().enumerate() {
            store(row, lane, sums);
        }
    }
}

/// `ROWS` × `LANES` of a · b. `a` is [ROWS, depth] with rows `stride_a` apart, `b` [depth, LANES].
#[inline(always)]
fn tile<const FMA: bool>(a: &[f32], stride_a: usize, depth: usize, b: &[f32], stride_b: usize) -> [[f32; LANES]; ROWS] {
    let mut sums = [[0.0; LANES]; ROWS];
    let rows: [&[f32]; ROWS] = std::array::from_fn(|row| &a[row * stride_a..][..depth]);
    for at in 0..depth {
        let b = &b[at * stride_b..][..LANES];
        for (sums, row) in sums.iter_mut().zip(rows) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = multiply_add::<FMA>(row[at], *b, *sum);
            }
        }
    }
    sums
}

/// Softmax over the first `tokens` of `row`; the rest, which belongs to no token, becomes 0.
#[inline(always)]
fn softmax<const FMA: bool>(row: &mut [f32], tokens: usize) {
    let (row, rest) = row.split_at_mut(tokens);
    let largest = row.iter().fold(f32::NEG_INFINITY, |largest, score| if *score > largest { *score } else { largest });
    for score in row.iter_mut() {
        *score = exp::<FMA>(*score - largest);
    }
    let scale = 1.0 / sum(row, |weight| weight);
    for weight in row {
        *weight *= scale;
    }
    rest.fill(0.0);
}

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
fn exp<const FMA: bool>(x: f32) -> f32 {
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
mod tests {
    use super::*;

    /// Numbers between −3 and 3 that repeat late.
    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|at| (at as f32 * 0.731).sin() * 3.0).collect()
    }

    fn assert_close(actual: &[f32], expected: &[f32], tolerance: f32) {
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

    /// The textbook form, with all biases and in f64.
    fn attention_by_definition(qkv: &[f32], bias: &[f32], heads: Heads) -> Vec<f32> {
        let hidden = heads.count * heads.width;
        let at = |token: usize, part: usize, column: usize| {
            let column = part * hidden + column;
            f64::from(qkv[token * 3 * hidden + column] + bias[column])
        };
        let tokens = qkv.len() / (3 * hidden);
        let mut out = Vec::new();
        for query in 0..tokens {
            for column in 0..hidden {
                let head = column / heads.width * heads.width;
                let score = |key: usize| {
                    (head..head + heads.width).map(|e| at(query, 0, e) * at(key, 1, e)).sum::<f64>()
                        / (heads.width as f64).sqrt()
                };
                let weights: Vec<f64> = (0..tokens).map(|key| score(key).exp()).collect();
                let mixed: f64 = weights.iter().enumerate().map(|(key, weight)| weight * at(key, 2, column)).sum();
                out.push((mixed / weights.iter().sum::<f64>()) as f32);
            }
        }
        out
    }

    #[test]
    fn attention_is_the_textbook_one_for_all_remainders() {
        for (tokens, count, width) in [(1, 1, 16), (3, 2, 16), (5, 2, 32), (16, 1, 8), (17, 3, 20), (33, 2, 32)] {
            let heads = Heads { count, width };
            let hidden = count * width;
            let qkv: Vec<f32> = numbers(tokens * 3 * hidden).iter().map(|value| value / 3.0).collect();
            let (bias, mut out) = (numbers(3 * hidden), vec![0.0; tokens * hidden]);
            let mut scratch = Scratch::default();
            attention(&numbers(3 * 7 * hidden), 0, &bias, heads, &mut scratch, &mut vec![0.0; 7 * hidden]);
            attention(&qkv, 0, &bias, heads, &mut scratch, &mut out);
            assert_close(&out, &attention_by_definition(&qkv, &bias, heads), 1e-5);
            attention_heads::<false>(&qkv, 0, &bias, heads, &mut scratch, &mut out);
            assert_close(&out, &attention_by_definition(&qkv, &bias, heads), 1e-5);
            let first = tokens / 2;
            let mut later = vec![0.0; (tokens - first) * hidden];
            attention(&qkv, first, &bias, heads, &mut scratch, &mut later);
            assert_close(&later, &out[first * hidden..], 1e-6);
        }
    }
}
