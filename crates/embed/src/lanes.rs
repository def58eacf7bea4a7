//! Sixteen numbers side by side, for the inner loops of attention and of rounding, which the compiler does
//! not turn into such registers by itself. One form an instruction set; all give the same values but for
//! whether `add_product` rounds the product before it is added.

/// Numbers worked on at once.
pub(crate) const LANES: usize = 16;

/// `LANES` numbers in registers.
///
/// The forms for x86 may be used only where their instructions are: inside a function of that target
/// feature which was entered after asking the processor.
pub(crate) trait Lanes: Copy {
    /// Whether fused multiply-add is an instruction here.
    const FMA: bool;
    fn zero() -> Self;
    fn load(from: &[f32; LANES]) -> Self;
    fn store(self, to: &mut [f32; LANES]);
    /// self + factor · other
    fn add_product(self, factor: f32, other: Self) -> Self;
    /// self · factor + shift to the nearest integer, ties to the even one, kept within 0..=255.
    fn bytes(self, factor: f32, shift: f32, to: &mut [u8; LANES]);
}

/// Left to the compiler.
#[derive(Clone, Copy)]
pub(crate) struct Plain([f32; LANES]);

impl Lanes for Plain {
    const FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

    fn zero() -> Self {
        Plain([0.0; LANES])
    }

    fn load(from: &[f32; LANES]) -> Self {
        Plain(*from)
    }

    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add_product(self, factor: f32, other: Self) -> Self {
        Plain(std::array::from_fn(|lane| {
            let (sum, other) = (self.0[lane], other.0[lane]);
            if Self::FMA { factor.mul_add(other, sum) } else { factor * other + sum }
        }))
    }

    #[inline(always)]
    fn bytes(self, factor: f32, shift: f32, to: &mut [u8; LANES]) {
        for (byte, value) in to.iter_mut().zip(self.0) {
            *byte = (value * factor + shift).round_ties_even() as u8;
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use super::{LANES, Lanes};
    use std::arch::x86_64::*;

    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512);

    // SAFETY, for all of it: the instructions are there, as `Lanes` asks; pointers are of whole arrays.
    impl Lanes for Avx512 {
        const FMA: bool = true;

        #[inline(always)]
        fn zero() -> Self {
            Avx512(unsafe { _mm512_setzero_ps() })
        }

        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            Avx512(unsafe { _mm512_loadu_ps(from.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn add_product(self, factor: f32, other: Self) -> Self {
            Avx512(unsafe { _mm512_fmadd_ps(_mm512_set1_ps(factor), other.0, self.0) })
        }

        #[inline(always)]
        fn bytes(self, factor: f32, shift: f32, to: &mut [u8; LANES]) {
            unsafe {
                let value = _mm512_add_ps(_mm512_mul_ps(self.0, _mm512_set1_ps(factor)), _mm512_set1_ps(shift));
                let whole = _mm512_max_epi32(_mm512_cvtps_epi32(value), _mm512_setzero_si512());
                _mm_storeu_si128(to.as_mut_ptr().cast(), _mm512_cvtusepi32_epi8(whole));
            }
        }
    }

    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256, __m256);

    // SAFETY: as above.
    impl Lanes for Avx2 {
        const FMA: bool = true;

        #[inline(always)]
        fn zero() -> Self {
            unsafe { Avx2(_mm256_setzero_ps(), _mm256_setzero_ps()) }
        }

        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            unsafe { Avx2(_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))) }
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            unsafe {
                _mm256_storeu_ps(to.as_mut_ptr(), self.0);
                _mm256_storeu_ps(to.as_mut_ptr().add(8), self.1);
            }
        }

        #[inline(always)]
        fn add_product(self, factor: f32, other: Self) -> Self {
            unsafe {
                let factor = _mm256_set1_ps(factor);
                Avx2(_mm256_fmadd_ps(factor, other.0, self.0), _mm256_fmadd_ps(factor, other.1, self.1))
            }
        }

        #[inline(always)]
        fn bytes(self, factor: f32, shift: f32, to: &mut [u8; LANES]) {
            unsafe {
                let (factor, shift) = (_mm256_set1_ps(factor), _mm256_set1_ps(shift));
                let whole = |value| _mm256_cvtps_epi32(_mm256_add_ps(_mm256_mul_ps(value, factor), shift));
                // Narrowing works in halves: their order is mended in between.
                let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(whole(self.0), whole(self.1)));
                let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
                _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<V: Lanes>() {
        let from: [f32; LANES] = std::array::from_fn(|lane| lane as f32 * 20.5 - 40.0);
        let (mut bytes, mut sums) = ([0; LANES], [0.0; LANES]);
        V::load(&from).bytes(1.0, 0.5, &mut bytes);
        assert_eq!(bytes, from.map(|value| (value + 0.5).round_ties_even().clamp(0.0, 255.0) as u8));
        V::zero().add_product(2.0, V::load(&from)).store(&mut sums);
        assert_eq!(sums, from.map(|value| 2.0 * value));
    }

    #[test]
    fn every_form_does_the_same() {
        check::<Plain>();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                check::<Avx2>();
            }
            if is_x86_feature_detected!("avx512bw") {
                check::<Avx512>();
            }
        }
    }
}
