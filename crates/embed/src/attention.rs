//! Attention of one text over itself, for all heads, on plain slices: queries lie side by side in lanes. How a kernel
//! is chosen for the processor, and the exponential, are `kernels.rs`'s.

use crate::kernels::{Instructions, exp, instructions};
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LANES, Lanes, Plain};

/// Values of a head that attention takes at once; `config.rs` refuses heads that are no multiple of it.
pub(crate) const STEP: usize = 8;

/// Sizes of the heads: `qkv` rows hold 3 · `heads` · `width` values, queries first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) count: usize,
    pub(crate) width: usize,
}

/// softmax((Q + bias) Kᵀ / √width) V of one text, for all heads. `qkv` is [tokens, 3 · heads · width]
/// without its bias; `out` is [some, heads · width], for the queries from `first` on. The bias of the keys
/// is left out: it adds the same to every score of a query, which softmax ignores. The bias of the values
/// is added at the end, as the weights of a query sum to one.
pub(crate) fn attention(qkv: &[f32], first: usize, bias: &[f32], heads: Heads, scratch: &mut Scratch, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2(qkv: &[f32], first: usize, bias: &[f32], heads: Heads, scratch: &mut Scratch, out: &mut [f32]) {
            attention_heads::<Avx2, 4>(qkv, first, bias, heads, scratch, out);
        }
        #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
        fn avx512(qkv: &[f32], first: usize, bias: &[f32], heads: Heads, scratch: &mut Scratch, out: &mut [f32]) {
            attention_heads::<Avx512, 8>(qkv, first, bias, heads, scratch, out);
        }
        // SAFETY: `instructions` found these features on this processor.
        #[allow(unsafe_code)]
        match instructions() {
            Instructions::Avx512 => return unsafe { avx512(qkv, first, bias, heads, scratch, out) },
            Instructions::Avx2 => return unsafe { avx2(qkv, first, bias, heads, scratch, out) },
            Instructions::Plain => {}
        }
    }
    attention_heads::<Plain, 4>(qkv, first, bias, heads, scratch, out);
}

/// Room for one head and `LANES` queries, kept between calls.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Queries, transposed: [width, LANES]
    queries: Vec<[f32; LANES]>,
    /// Scores, transposed: [tokens, LANES]
    scores: Vec<[f32; LANES]>,
}

/// `KEYS` is how many keys are scored at once: as many sums as fit into registers. Queries lie side by side
/// in lanes, so that keys and values are read as they are and softmax goes over whole rows.
#[inline(always)]
fn attention_heads<V: Lanes, const KEYS: usize>(
    qkv: &[f32],
    first: usize,
    bias: &[f32],
    heads: Heads,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let hidden = heads.count * heads.width;
    scratch.queries.resize(heads.width, [0.0; LANES]);
    scratch.scores.resize(qkv.len() / (3 * hidden), [0.0; LANES]);
    for (at, out) in out.chunks_mut(LANES * hidden).enumerate() {
        let queries = &qkv[(first + at * LANES) * 3 * hidden..][..out.len() * 3];
        for column in (0..hidden).step_by(heads.width) {
            let bias_of = |part: usize| &bias[part * hidden + column..][..heads.width];
            scale_queries(queries, bias_of(0), hidden, column, &mut scratch.queries);
            score::<V, KEYS>(qkv, hidden, hidden + column, scratch);
            let scales = softmax::<V>(&mut scratch.scores);
            for step in (0..heads.width).step_by(STEP) {
                weigh::<V>(qkv, hidden, column + step, &scratch.scores, scales, &bias_of(2)[step..], out);
            }
        }
    }
}

/// (query + bias) / √width, transposed. Lanes without a query keep what they held, which nobody reads.
#[inline(always)]
fn scale_queries(qkv: &[f32], bias: &[f32], hidden: usize, column: usize, queries: &mut [[f32; LANES]]) {
    let scale = 1.0 / (bias.len() as f32).sqrt();
    for (lane, row) in qkv.chunks_exact(3 * hidden).enumerate().take(LANES) {
        let values = row[column..].iter().zip(bias);
        for (out, (query, bias)) in queries.iter_mut().zip(values) {
            out[lane] = (query + bias) * scale;
        }
    }
}

/// scores = keys · queries, for all keys of the text. `column` is where the head's keys begin in a row.
#[inline(always)]
fn score<V: Lanes, const KEYS: usize>(qkv: &[f32], hidden: usize, column: usize, scratch: &mut Scratch) {
    let Scratch { queries, scores } = scratch;
    let mut keys = qkv.chunks_exact(3 * hidden).map(|row| &row[column..]);
    let mut blocks = scores.chunks_exact_mut(KEYS);
    for block in &mut blocks {
        let block_keys: [&[f32]; KEYS] = std::array::from_fn(|_| keys.next().unwrap_or_default());
        dot::<V, KEYS>(queries, block_keys, block);
    }
    for score in blocks.into_remainder() {
        dot::<V, 1>(queries, [keys.next().unwrap_or_default()], std::slice::from_mut(score));
    }
}

/// Each key times all queries, into a row of `scores` each. `queries` are [width, LANES].
#[inline(always)]
fn dot<V: Lanes, const KEYS: usize>(queries: &[[f32; LANES]], keys: [&[f32]; KEYS], scores: &mut [[f32; LANES]]) {
    let mut sums = [V::zero(); KEYS];
    for (at, query) in queries.iter().enumerate() {
        let query = V::load(query);
        for (sum, key) in sums.iter_mut().zip(&keys) {
            *sum = sum.add_product(key[at], query);
        }
    }
    for (sum, score) in sums.into_iter().zip(scores) {
        sum.store(score);
    }
}

/// Each lane's scores become exponentials; what each lane's must still be multiplied with.
#[inline(always)]
fn softmax<V: Lanes>(scores: &mut [[f32; LANES]]) -> [f32; LANES] {
    let mut largest = [f32::NEG_INFINITY; LANES];
    for row in scores.iter() {
        for (largest, score) in largest.iter_mut().zip(row) {
            *largest = if *score > *largest { *score } else { *largest };
        }
    }
    let mut sums = [0.0; LANES];
    for row in scores {
        for ((score, largest), sum) in row.iter_mut().zip(&largest).zip(&mut sums) {
            *score = if V::FMA { exp::<true>(*score - largest) } else { exp::<false>(*score - largest) };
            *sum += *score;
        }
    }
    sums.map(|sum| 1.0 / sum)
}

/// out = scale · weights · values + bias, for the queries that are there and `STEP` values from `column` on.
#[inline(always)]
fn weigh<V: Lanes>(
    qkv: &[f32],
    hidden: usize,
    column: usize,
    weights: &[[f32; LANES]],
    scales: [f32; LANES],
    bias: &[f32],
    out: &mut [f32],
) {
    let mut sums = [V::zero(); STEP];
    for (row, weights) in qkv.chunks_exact(3 * hidden).zip(weights) {
        let values = &row[2 * hidden + column..][..STEP];
        let weights = V::load(weights);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = sum.add_product(*value, weights);
        }
    }
    let mut values = [[0.0; LANES]; STEP];
    for (sum, values) in sums.into_iter().zip(&mut values) {
        sum.store(values);
    }
    for ((lane, row), scale) in out.chunks_exact_mut(hidden).enumerate().zip(scales) {
        for ((out, values), bias) in row[column..].iter_mut().zip(&values).zip(bias) {
            *out = values[lane] * scale + bias;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::tests::{assert_close, numbers};

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
        for (tokens, count, width) in [(1, 1, 16), (3, 2, 16), (5, 2, 32), (16, 1, 8), (17, 3, 24), (33, 2, 32)] {
            let heads = Heads { count, width };
            let hidden = count * width;
            let qkv: Vec<f32> = numbers(tokens * 3 * hidden).iter().map(|value| value / 3.0).collect();
            let (bias, mut out) = (numbers(3 * hidden), vec![0.0; tokens * hidden]);
            let mut scratch = Scratch::default();
            attention(&numbers(3 * 7 * hidden), 0, &bias, heads, &mut scratch, &mut vec![0.0; 7 * hidden]);
            attention(&qkv, 0, &bias, heads, &mut scratch, &mut out);
            assert_close(&out, &attention_by_definition(&qkv, &bias, heads), 1e-5);
            attention_heads::<Plain, 4>(&qkv, 0, &bias, heads, &mut scratch, &mut out);
            assert_close(&out, &attention_by_definition(&qkv, &bias, heads), 1e-5);
            let first = tokens / 2;
            let mut later = vec![0.0; (tokens - first) * hidden];
            attention(&qkv, first, &bias, heads, &mut scratch, &mut later);
            assert_close(&later, &out[first * hidden..], 1e-6);
        }
    }
}
