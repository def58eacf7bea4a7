//! Matrix products in eight bits: weights as i8 with a scale per output, activations as u8 with a scale
//! and a zero per row (as onnxruntime's dynamic quantisation has them), sums exact in i32. Every kernel
//! gives the same sums to the last bit, so a vector does not depend on the processor beyond the rounding
//! of f32. What is multiplied, and what follows a product, is `encoder.rs`'s.
//!
//! Where the instructions are there, the tiles of `tiles.rs` are used; elsewhere (ARM among others) the
//! crate rten-gemm, see `library.rs`.

mod library;
#[cfg(target_arch = "x86_64")]
mod tiles;

use library::Library;

/// Who multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// VNNI on registers of 512 bits: Intel since Ice Lake (not all laptops), AMD since Zen 4.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// VNNI on registers of 256 bits: Intel's laptops since Alder Lake.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// rten-gemm's choice for this processor.
    Library,
}

impl Kernel {
    /// The quickest that this processor has for matrices of such a size; none where no sums would be exact.
    pub(crate) fn fitting(inputs: usize, outputs: usize) -> Option<Kernel> {
        Kernel::available().into_iter().find(|kernel| kernel.fits(inputs, outputs))
    }

    /// All that this processor has, the quickest first.
    pub(crate) fn available() -> Vec<Kernel> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512vnni")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
            {
                kernels.push(Kernel::Avx512Vnni);
            }
            if is_x86_feature_detected!("avxvnni") && is_x86_feature_detected!("avx2") {
                kernels.push(Kernel::AvxVnni);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kernels.push(Kernel::Avx2);
            }
        }
        if library::is_exact() {
            kernels.push(Kernel::Library);
        }
        kernels
    }

    /// Shape of the tile; the library has its own.
    fn tile(self) -> Tile {
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512Vnni => Tile { rows: 12, columns: 32, depth: 4 },
            #[cfg(target_arch = "x86_64")]
            Kernel::AvxVnni => Tile { rows: 6, columns: 16, depth: 4 },
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => Tile { rows: 6, columns: 16, depth: 2 },
            Kernel::Library => Tile { rows: 1, columns: 1, depth: 4 },
        }
    }

    /// The tiles want whole ones; the library takes any size.
    fn fits(self, inputs: usize, outputs: usize) -> bool {
        let tile = self.tile();
        self == Kernel::Library || (inputs.is_multiple_of(tile.depth) && outputs.is_multiple_of(tile.columns))
    }
}

/// What is held in registers: sums of `rows` × `columns`, over `depth` products a step.
#[derive(Debug, Clone, Copy)]
struct Tile {
    rows: usize,
    columns: usize,
    /// Values that lie in one 32-bit group: four of 8 bits, or two of 16.
    depth: usize,
}

impl Tile {
    /// Rows of the block that begins at `row` of `count`: whole ones, then one of a third, two thirds or
    /// all of the rows, so that a short text does not pay for a whole block.
    fn block(self, row: usize, count: usize) -> usize {
        (count - row).min(self.rows).next_multiple_of(self.rows.div_ceil(3))
    }
}

/// Weights of one linear layer, [outputs, inputs].
pub(crate) struct Matrix {
    form: Form,
    /// Scale of each output.
    scales: Vec<f32>,
    /// Sum of the weights of each output, for the zero of the activations.
    sums: Vec<i32>,
    inputs: usize,
    outputs: usize,
}

enum Form {
    /// Panels of `columns` outputs; in each, for each step of `depth` inputs, output after output.
    #[cfg(target_arch = "x86_64")]
    Panels(Kernel, Vec<i8>),
    Library(Library),
}

impl Matrix {
    /// Rounds `weights`, [outputs, inputs] in row-major order, to 255 steps an output. `kernel` must be
    /// available and fit.
    pub(crate) fn new(kernel: Kernel, weights: &[f32], inputs: usize) -> Matrix {
        let outputs = weights.len() / inputs;
        let (mut values, mut scales, mut sums) = (Vec::with_capacity(weights.len()), Vec::new(), Vec::new());
        for row in weights.chunks_exact(inputs) {
            let largest = row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            let before = values.len();
            values.extend(row.iter().map(|weight| (weight / scale).round() as i8));
            sums.push(values[before..].iter().map(|weight| i32::from(*weight)).sum());
            scales.push(scale);
        }
        let form = match kernel {
            Kernel::Library => Form::Library(Library::new(&values, inputs)),
            #[cfg(target_arch = "x86_64")]
            kernel => Form::Panels(kernel, panels(kernel.tile(), &values, inputs)),
        };
        Matrix { form, scales, sums, inputs, outputs }
    }

    /// The form in which this matrix takes its rows.
    fn kernel(&self) -> Kernel {
        match &self.form {
            #[cfg(target_arch = "x86_64")]
            Form::Panels(kernel, _) => *kernel,
            Form::Library(_) => Kernel::Library,
        }
    }

    /// `out` = rows · weightsᵀ, [rows, outputs]. The rows are rounded first, into `rounded`.
    pub(crate) fn product(&self, rows: &[f32], rounded: &mut Rows, out: &mut [f32]) {
        rounded.round(self.kernel(), rows, self.inputs);
        match &self.form {
            #[cfg(target_arch = "x86_64")]
            Form::Panels(kernel, panels) => tiles::product(*kernel, self, panels, rounded, out),
            Form::Library(library) => library.product(self, rounded, out),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn panels(tile: Tile, values: &[i8], inputs: usize) -> Vec<i8> {
    let mut out = Vec::with_capacity(values.len());
    for panel in values.chunks_exact(tile.columns * inputs) {
        for step in (0..inputs).step_by(tile.depth) {
            for column in panel.chunks_exact(inputs) {
                out.extend_from_slice(&column[step..step + tile.depth]);
            }
        }
    }
    out
}

/// Rounded activations of some rows, in the order in which a kernel reads them. Kept between products.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Groups of `depth` values: block after block; in each, step after step; in each, row after row.
    /// The library takes them row after row.
    groups: Vec<u32>,
    /// value = scale · (rounded − zero)
    scales: Vec<f32>,
    zeros: Vec<i32>,
    row: Vec<u8>,
}

impl Rows {
    fn round(&mut self, kernel: Kernel, rows: &[f32], inputs: usize) {
        let (tile, count) = (kernel.tile(), rows.len() / inputs);
        let steps = inputs.div_ceil(tile.depth);
        self.scales.clear();
        self.zeros.clear();
        self.row.clear();
        self.row.resize(steps * tile.depth, 0);
        self.groups.resize(count.next_multiple_of(tile.rows) * steps, 0);
        let mut groups = self.groups.as_mut_slice();
        let mut first = 0;
        while first < count {
            let block = tile.block(first, count);
            let (here, later) = groups.split_at_mut(block * steps);
            for (at, row) in rows[first * inputs..].chunks_exact(inputs).take(block).enumerate() {
                let (scale, zero) = crate::kernels::round(row, &mut self.row[..inputs]);
                self.scales.push(scale);
                self.zeros.push(zero);
                place(tile, &self.row, zero, &mut here[at..], block);
            }
            groups = later;
            first += block;
        }
    }

    fn count(&self) -> usize {
        self.scales.len()
    }
}

/// Writes one row's groups, `apart` from each other. Groups of two hold differences from zero.
fn place(tile: Tile, row: &[u8], zero: i32, groups: &mut [u32], apart: usize) {
    let groups = groups.iter_mut().step_by(apart);
    match tile.depth {
        2 => {
            let half = |value: u8| (i32::from(value) - zero) as u16 as u32;
            for (group, pair) in groups.zip(row.chunks_exact(2)) {
                *group = half(pair[0]) | half(pair[1]) << 16;
            }
        }
        _ => {
            for (group, four) in groups.zip(row.as_chunks::<4>().0) {
                *group = u32::from_le_bytes(*four);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between −3 and 3 that repeat late.
    fn numbers(count: usize, speed: f32) -> Vec<f32> {
        (0..count).map(|at| (at as f32 * speed).sin() * 3.0).collect()
    }

    /// The same in plain loops; the sums are exact, so is the comparison.
    fn by_definition(x: &[f32], weights: &[f32], inputs: usize) -> Vec<f32> {
        let outputs = weights.len() / inputs;
        let mut out = Vec::new();
        for row in x.chunks_exact(inputs) {
            let mut rounded = vec![0; inputs];
            let (scale, zero) = crate::kernels::round(row, &mut rounded);
            for output in weights.chunks_exact(inputs).take(outputs) {
                let largest = output.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
                let weight_scale = largest / 127.0;
                let sum: i32 = (rounded.iter().zip(output))
                    .map(|(x, w)| (i32::from(*x) - zero) * (w / weight_scale).round() as i32)
                    .sum();
                out.push(sum as f32 * (scale * weight_scale));
            }
        }
        out
    }

    #[test]
    fn every_kernel_gives_the_same_sums() {
        let kernels = Kernel::available();
        for (rows, inputs, outputs) in [(1, 64, 32), (4, 384, 96), (13, 32, 64), (29, 1536, 32), (7, 30, 20)] {
            let (x, weights) = (numbers(rows * inputs, 0.731), numbers(inputs * outputs, 1.137));
            let expected = by_definition(&x, &weights, inputs);
            for kernel in kernels.iter().filter(|kernel| kernel.fits(inputs, outputs)) {
                let matrix = Matrix::new(*kernel, &weights, inputs);
                let (mut rounded, mut out) = (Rows::default(), vec![0.0; rows * outputs]);
                // What an earlier, larger product left behind must not matter.
                matrix.product(&numbers(40 * inputs, 0.1), &mut rounded, &mut vec![0.0; 40 * outputs]);
                matrix.product(&x, &mut rounded, &mut out);
                assert_eq!(out, expected, "{kernel:?} {rows} × {inputs} × {outputs}");
            }
        }
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        for kernel in Kernel::available() {
            let matrix = Matrix::new(kernel, &[vec![1.0; 1536], vec![-1.0; 1536]].concat().repeat(16), 1536);
            let mut out = vec![0.0; 64];
            matrix.product(&[vec![2.0; 1536], vec![-2.0; 1536]].concat(), &mut Rows::default(), &mut out);
            for (at, value) in out.iter().enumerate() {
                let sign = if (at % 2 == 0) == (at < 32) { 1.0 } else { -1.0 };
                assert!((value - sign * 3072.0).abs() < 0.1, "{kernel:?} {at}: {value}");
            }
        }
    }

    #[test]
    fn a_row_of_zeros_stays_zero() {
        let matrix = Matrix::new(Kernel::fitting(64, 32).unwrap(), &vec![0.0; 64 * 32], 64);
        let mut out = vec![1.0; 32];
        matrix.product(&vec![0.0; 64], &mut Rows::default(), &mut out);
        assert_eq!(out, [0.0; 32]);
    }
}
