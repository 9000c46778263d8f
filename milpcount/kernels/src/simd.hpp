// A pack of doubles as wide as the variant's registers; every operation is IEEE 754's, lane by
// lane, so results are those of scalar code.

#pragma once

#include <cmath>

#include "arrays.hpp"

#if defined(__AVX2__) || defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace milpcount {

#if defined(__AVX512F__) && defined(__AVX512DQ__)

struct Pack {
    static constexpr int LANES = 8;
    __m512d v;
    static Pack load(const double* p) { return {_mm512_loadu_pd(p)}; }
    static Pack all(double x) { return {_mm512_set1_pd(x)}; }
    void store(double* p) const { _mm512_storeu_pd(p, v); }
};
inline Pack operator+(Pack a, Pack b) { return {_mm512_add_pd(a.v, b.v)}; }
inline Pack operator-(Pack a, Pack b) { return {_mm512_sub_pd(a.v, b.v)}; }
inline Pack operator*(Pack a, Pack b) { return {_mm512_mul_pd(a.v, b.v)}; }
inline Pack operator/(Pack a, Pack b) { return {_mm512_div_pd(a.v, b.v)}; }
inline Pack absolute(Pack a) { return {_mm512_abs_pd(a.v)}; }
// One bit a lane: whether a > b.
inline Word greater(Pack a, Pack b) { return _mm512_cmp_pd_mask(a.v, b.v, _CMP_GT_OQ); }

#elif defined(__AVX2__)

struct Pack {
    static constexpr int LANES = 4;
    __m256d v;
    static Pack load(const double* p) { return {_mm256_loadu_pd(p)}; }
    static Pack all(double x) { return {_mm256_set1_pd(x)}; }
    void store(double* p) const { _mm256_storeu_pd(p, v); }
};
inline Pack operator+(Pack a, Pack b) { return {_mm256_add_pd(a.v, b.v)}; }
inline Pack operator-(Pack a, Pack b) { return {_mm256_sub_pd(a.v, b.v)}; }
inline Pack operator*(Pack a, Pack b) { return {_mm256_mul_pd(a.v, b.v)}; }
inline Pack operator/(Pack a, Pack b) { return {_mm256_div_pd(a.v, b.v)}; }
inline Pack absolute(Pack a) { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v)}; }
inline Word greater(Pack a, Pack b) {
    return static_cast<Word>(_mm256_movemask_pd(_mm256_cmp_pd(a.v, b.v, _CMP_GT_OQ)));
}

#elif defined(__SSE2__) || defined(_M_X64)

struct Pack {
    static constexpr int LANES = 2;
    __m128d v;
    static Pack load(const double* p) { return {_mm_loadu_pd(p)}; }
    static Pack all(double x) { return {_mm_set1_pd(x)}; }
    void store(double* p) const { _mm_storeu_pd(p, v); }
};
inline Pack operator+(Pack a, Pack b) { return {_mm_add_pd(a.v, b.v)}; }
inline Pack operator-(Pack a, Pack b) { return {_mm_sub_pd(a.v, b.v)}; }
inline Pack operator*(Pack a, Pack b) { return {_mm_mul_pd(a.v, b.v)}; }
inline Pack operator/(Pack a, Pack b) { return {_mm_div_pd(a.v, b.v)}; }
inline Pack absolute(Pack a) { return {_mm_andnot_pd(_mm_set1_pd(-0.0), a.v)}; }
inline Word greater(Pack a, Pack b) {
    return static_cast<Word>(_mm_movemask_pd(_mm_cmpgt_pd(a.v, b.v)));
}

#elif defined(__aarch64__)

struct Pack {
    static constexpr int LANES = 2;
    float64x2_t v;
    static Pack load(const double* p) { return {vld1q_f64(p)}; }
    static Pack all(double x) { return {vdupq_n_f64(x)}; }
    void store(double* p) const { vst1q_f64(p, v); }
};
inline Pack operator+(Pack a, Pack b) { return {vaddq_f64(a.v, b.v)}; }
inline Pack operator-(Pack a, Pack b) { return {vsubq_f64(a.v, b.v)}; }
inline Pack operator*(Pack a, Pack b) { return {vmulq_f64(a.v, b.v)}; }
inline Pack operator/(Pack a, Pack b) { return {vdivq_f64(a.v, b.v)}; }
inline Pack absolute(Pack a) { return {vabsq_f64(a.v)}; }
inline Word greater(Pack a, Pack b) {
    const uint64x2_t m = vcgtq_f64(a.v, b.v);
    return (vgetq_lane_u64(m, 0) & 1U) | (vgetq_lane_u64(m, 1) & 2U);
}

#else

struct Pack {
    static constexpr int LANES = 1;
    double v;
    static Pack load(const double* p) { return {*p}; }
    static Pack all(double x) { return {x}; }
    void store(double* p) const { *p = v; }
};
inline Pack operator+(Pack a, Pack b) { return {a.v + b.v}; }
inline Pack operator-(Pack a, Pack b) { return {a.v - b.v}; }
inline Pack operator*(Pack a, Pack b) { return {a.v * b.v}; }
inline Pack operator/(Pack a, Pack b) { return {a.v / b.v}; }
inline Pack absolute(Pack a) { return {std::abs(a.v)}; }
inline Word greater(Pack a, Pack b) { return a.v > b.v ? 1U : 0U; }

#endif

// Rows of a Matrix are padded to whole cache lines: eight doubles, a whole number of packs.
static_assert(8 % Pack::LANES == 0);

}  // namespace milpcount
