//! The product by rten-gemm (Apache-2.0 or MIT), which has kernels for ARM (dot product, i8mm) and plain
//! code for everything else. On x86 with AVX2 alone its sums saturate, so it is not used there.

use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, PackedBMatrix};
use rten_tensor::NdTensorView;

use super::{Matrix, Rows};

pub(super) struct Library {
    packed: PackedBMatrix<i8>,
}

/// Whether sums are exact for all values, as they are with every other kernel.
pub(super) fn is_exact() -> bool {
    !executor().may_saturate()
}

fn executor() -> GemmExecutor<u8, i8, i32> {
    GemmExecutor::new()
}

impl Library {
    /// `values` are [outputs, inputs].
    pub(super) fn new(values: &[i8], inputs: usize) -> Library {
        let outputs = values.len() / inputs;
        let weights = NdTensorView::from_data([outputs, inputs], values);
        Library { packed: executor().prepack_b(weights.transposed()) }
    }

    pub(super) fn product(&self, matrix: &Matrix, rows: &Rows, out: &mut [f32]) {
        let (inputs, count) = (matrix.inputs, rows.count());
        let stride = inputs.next_multiple_of(4);
        let bytes: Vec<u8> = rows.groups.iter().flat_map(|group| group.to_le_bytes()).collect();
        let x: Vec<u8> = bytes.chunks_exact(stride).take(count).flat_map(|row| &row[..inputs]).copied().collect();
        let mut sums = vec![0; count * matrix.outputs];
        let x = NdTensorView::from_data([count, inputs], x.as_slice());
        let (a, b) = (GemmInputA::Unpacked(x), GemmInputB::Packed(&self.packed));
        let multiplied = executor().gemm(&mut sums, a, b, Default::default());
        debug_assert!(multiplied.is_ok(), "shapes are those of the matrix");
        let out = out.chunks_exact_mut(matrix.outputs).zip(sums.chunks_exact(matrix.outputs));
        for ((out, sums), (scale, zero)) in out.zip(rows.scales.iter().zip(&rows.zeros)) {
            let weights = matrix.scales.iter().zip(&matrix.sums);
            for ((out, sum), (weight_scale, weight_sum)) in out.iter_mut().zip(sums).zip(weights) {
                *out = (sum - zero * weight_sum) as f32 * (scale * weight_scale);
            }
        }
    }
}
