//! Sixteen numbers side by side, for the inner loops of attention: the compiler does not keep many such
//! rows in registers by itself. One form an instruction set; all give the same values but for whether a
//! product is rounded before it is added.

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
    }
}
