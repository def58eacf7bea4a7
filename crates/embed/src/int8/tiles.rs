//! The tiles for x86: sums of some rows by some columns stay in registers over the whole depth, and are
//! scaled to f32 as they are stored. A panel of weights is used for all blocks of rows while it is in
//! the first cache.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Kernel, Matrix, Rows, Tile};

/// Where the rows of a block go: their scales and zeros, and their part of the output.
struct Target<'a> {
    scales: &'a [f32],
    zeros: &'a [i32],
    /// From the block's first row and the panel's first column.
    out: &'a mut [f32],
    outputs: usize,
}

/// One panel of weights with the scales and sums of its columns.
struct Panel<'a> {
    weights: &'a [i8],
    scales: &'a [f32],
    sums: &'a [i32],
}

pub(super) fn product(kernel: Kernel, matrix: &Matrix, panels: &[i8], rows: &Rows, out: &mut [f32]) {
    let tile = kernel.tile();
    let (steps, count, outputs) = (matrix.inputs / tile.depth, rows.count(), matrix.outputs);
    assert!(out.len() >= count * outputs);
    for (at, weights) in panels.chunks_exact(tile.columns * matrix.inputs).enumerate() {
        let column = at * tile.columns;
        let panel = Panel {
            weights,
            scales: &matrix.scales[column..column + tile.columns],
            sums: &matrix.sums[column..column + tile.columns],
        };
        let (mut first, mut groups) = (0, rows.groups.as_slice());
        while first < count {
            let block = tile.block(first, count);
            let (here, later) = groups.split_at(block * steps);
            let live = block.min(count - first);
            let target = Target {
                scales: &rows.scales[first..first + live],
                zeros: &rows.zeros[first..first + live],
                out: &mut out[first * outputs + column..],
                outputs,
            };
            run(kernel, tile, here, &panel, target, block);
            groups = later;
            first += block;
        }
    }
}

fn run(kernel: Kernel, tile: Tile, rows: &[u32], panel: &Panel<'_>, target: Target<'_>, block: usize) {
    let third = block / tile.rows.div_ceil(3);
    // SAFETY: a matrix has panels of a kernel only where `Kernel::available` found its instructions. The
    // slices are as long as the tile reads and writes: `rows` holds `block` groups a step and `weights`
    // `columns` a step, `target.out` reaches to the last live row.
    unsafe {
        match (kernel, third) {
            (Kernel::Avx512Vnni, 1) => avx512::<4>(rows, panel, target),
            (Kernel::Avx512Vnni, 2) => avx512::<8>(rows, panel, target),
            (Kernel::Avx512Vnni, _) => avx512::<12>(rows, panel, target),
            (Kernel::AvxVnni, 1) => avx_vnni::<2>(rows, panel, target),
            (Kernel::AvxVnni, 2) => avx_vnni::<4>(rows, panel, target),
            (Kernel::AvxVnni, _) => avx_vnni::<6>(rows, panel, target),
            (_, 1) => avx2::<2>(rows, panel, target),
            (_, 2) => avx2::<4>(rows, panel, target),
            (_, _) => avx2::<6>(rows, panel, target),
        }
    }
}

/// `ROWS` × 32 sums; a step is four products of u8 and i8.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn avx512<const ROWS: usize>(rows: &[u32], panel: &Panel<'_>, target: Target<'_>) {
    let mut sums = [[_mm512_setzero_si512(); 2]; ROWS];
    for (groups, weights) in rows.as_chunks::<ROWS>().0.iter().zip(panel.weights.as_chunks::<128>().0) {
        // SAFETY: 128 bytes are two registers.
        let weights: [_; 2] =
            std::array::from_fn(|i| unsafe { _mm512_loadu_si512(weights.as_ptr().add(64 * i).cast()) });
        for (sums, group) in sums.iter_mut().zip(groups) {
            let x = _mm512_set1_epi32(*group as i32);
            sums[0] = _mm512_dpbusd_epi32(sums[0], x, weights[0]);
            sums[1] = _mm512_dpbusd_epi32(sums[1], x, weights[1]);
        }
    }
    let Target { scales, zeros, out, outputs } = target;
    for (row, ((scale, zero), sums)) in scales.iter().zip(zeros).zip(sums).enumerate() {
        for (half, sum) in sums.into_iter().enumerate() {
            // SAFETY: 16 of the panel's 32 columns, and of the row's part of the output.
            unsafe {
                let weight_scales = _mm512_loadu_ps(panel.scales.as_ptr().add(16 * half));
                let weight_sums = _mm512_loadu_si512(panel.sums.as_ptr().add(16 * half).cast());
                let shift = _mm512_mullo_epi32(weight_sums, _mm512_set1_epi32(*zero));
                let whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum, shift));
                let scaled = _mm512_mul_ps(whole, _mm512_mul_ps(_mm512_set1_ps(*scale), weight_scales));
                _mm512_storeu_ps(out.as_mut_ptr().add(row * outputs + 16 * half), scaled);
            }
        }
    }
}

/// Stores `sums` less `zero` times the sums of the weights, scaled: 8 columns of one row.
///
/// # Safety
/// Eight columns from `column` must be in the panel, and in `out`.
#[target_feature(enable = "avx2")]
unsafe fn store(sums: __m256i, zero: i32, scale: f32, panel: &Panel<'_>, column: usize, out: *mut f32) {
    // SAFETY: as the caller promises.
    unsafe {
        let weight_scales = _mm256_loadu_ps(panel.scales.as_ptr().add(column));
        let weight_sums = _mm256_loadu_si256(panel.sums.as_ptr().add(column).cast());
        let shift = _mm256_mullo_epi32(weight_sums, _mm256_set1_epi32(zero));
        let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, shift));
        _mm256_storeu_ps(out, _mm256_mul_ps(sum, _mm256_mul_ps(_mm256_set1_ps(scale), weight_scales)));
    }
}

/// `ROWS` × 16 sums; a step is four products of u8 and i8.
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn avx_vnni<const ROWS: usize>(rows: &[u32], panel: &Panel<'_>, target: Target<'_>) {
    let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
    for (groups, weights) in rows.as_chunks::<ROWS>().0.iter().zip(panel.weights.as_chunks::<64>().0) {
        // SAFETY: 64 bytes are two registers.
        let weights: [_; 2] =
            std::array::from_fn(|i| unsafe { _mm256_loadu_si256(weights.as_ptr().add(32 * i).cast()) });
        for (sums, group) in sums.iter_mut().zip(groups) {
            let x = _mm256_set1_epi32(*group as i32);
            sums[0] = _mm256_dpbusd_avx_epi32(sums[0], x, weights[0]);
            sums[1] = _mm256_dpbusd_avx_epi32(sums[1], x, weights[1]);
        }
    }
    let Target { scales, zeros, out, outputs } = target;
    for (row, ((scale, zero), sums)) in scales.iter().zip(zeros).zip(sums).enumerate() {
        for (half, sum) in sums.into_iter().enumerate() {
            // SAFETY: 8 of the panel's 16 columns, and of the row's part of the output.
            unsafe { store(sum, *zero, *scale, panel, 8 * half, out.as_mut_ptr().add(row * outputs + 8 * half)) };
        }
    }
}

/// `ROWS` × 16 sums; a step is two products of i16, since products of u8 and i8 would saturate.
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const ROWS: usize>(rows: &[u32], panel: &Panel<'_>, target: Target<'_>) {
    let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
    for (groups, weights) in rows.as_chunks::<ROWS>().0.iter().zip(panel.weights.as_chunks::<32>().0) {
        // SAFETY: 32 bytes are two halves of a register, widened to two registers.
        let weights: [_; 2] = std::array::from_fn(|i| unsafe {
            _mm256_cvtepi8_epi16(_mm_loadu_si128(weights.as_ptr().add(16 * i).cast()))
        });
        for (sums, group) in sums.iter_mut().zip(groups) {
            let x = _mm256_set1_epi32(*group as i32);
            sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(x, weights[0]));
            sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(x, weights[1]));
        }
    }
    let Target { scales, out, outputs, .. } = target;
    for (row, (scale, sums)) in scales.iter().zip(sums).enumerate() {
        for (half, sum) in sums.into_iter().enumerate() {
            // SAFETY: 8 of the panel's 16 columns, and of the row's part of the output.
            unsafe { store(sum, 0, *scale, panel, 8 * half, out.as_mut_ptr().add(row * outputs + 8 * half)) };
        }
    }
}
