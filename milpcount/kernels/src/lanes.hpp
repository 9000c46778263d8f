// Registers of doubles, as wide as the processor that the variant is made for.
//
// Everything here is exact or rounded element by element as in IEEE 754, so results do not depend
// on the width: sums are kept in eight parts whatever the register holds, and added in one order.

#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "arrays.hpp"

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace milpcount {

// Arrays that are read in registers have room for a multiple of so many doubles.
constexpr int PAD = 8;

inline int padded(Index count) { return static_cast<int>((count + PAD - 1) & ~Index{PAD - 1}); }

#if defined(__AVX512F__)

struct Lanes {
    static constexpr int width = 8;
    __m512d v;
};
struct Which {
    __mmask8 v;
};
inline Lanes load(const double* p) { return {_mm512_loadu_pd(p)}; }
inline void store(double* p, Lanes a) { _mm512_storeu_pd(p, a.v); }
inline Lanes fill(double a) { return {_mm512_set1_pd(a)}; }
inline Lanes operator+(Lanes a, Lanes b) { return {_mm512_add_pd(a.v, b.v)}; }
inline Lanes operator-(Lanes a, Lanes b) { return {_mm512_sub_pd(a.v, b.v)}; }
inline Lanes operator*(Lanes a, Lanes b) { return {_mm512_mul_pd(a.v, b.v)}; }
inline Lanes operator/(Lanes a, Lanes b) { return {_mm512_div_pd(a.v, b.v)}; }
inline Lanes smaller(Lanes a, Lanes b) { return {_mm512_min_pd(a.v, b.v)}; }
inline Lanes larger(Lanes a, Lanes b) { return {_mm512_max_pd(a.v, b.v)}; }
inline Lanes absolute(Lanes a) { return {_mm512_abs_pd(a.v)}; }
inline Which operator<(Lanes a, Lanes b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline Which operator|(Which a, Which b) { return {static_cast<__mmask8>(a.v | b.v)}; }
inline Which operator&(Which a, Which b) { return {static_cast<__mmask8>(a.v & b.v)}; }
inline unsigned bits(Which a) { return a.v; }
inline Lanes choose(Which w, Lanes a, Lanes b) { return {_mm512_mask_blend_pd(w.v, b.v, a.v)}; }
inline Which equal(Lanes a, Lanes b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline Lanes by_sign(Lanes x, Lanes minus, Lanes plus) {
    return {_mm512_mask_blend_pd(_mm512_movepi64_mask(_mm512_castpd_si512(x.v)), plus.v, minus.v)};
}

#elif defined(__AVX2__)

struct Lanes {
    static constexpr int width = 4;
    __m256d v;
};
struct Which {
    __m256d v;
};
inline Lanes load(const double* p) { return {_mm256_loadu_pd(p)}; }
inline void store(double* p, Lanes a) { _mm256_storeu_pd(p, a.v); }
inline Lanes fill(double a) { return {_mm256_set1_pd(a)}; }
inline Lanes operator+(Lanes a, Lanes b) { return {_mm256_add_pd(a.v, b.v)}; }
inline Lanes operator-(Lanes a, Lanes b) { return {_mm256_sub_pd(a.v, b.v)}; }
inline Lanes operator*(Lanes a, Lanes b) { return {_mm256_mul_pd(a.v, b.v)}; }
inline Lanes operator/(Lanes a, Lanes b) { return {_mm256_div_pd(a.v, b.v)}; }
inline Lanes smaller(Lanes a, Lanes b) { return {_mm256_min_pd(a.v, b.v)}; }
inline Lanes larger(Lanes a, Lanes b) { return {_mm256_max_pd(a.v, b.v)}; }
inline Lanes absolute(Lanes a) { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v)}; }
inline Which operator<(Lanes a, Lanes b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)}; }
inline Which operator|(Which a, Which b) { return {_mm256_or_pd(a.v, b.v)}; }
inline Which operator&(Which a, Which b) { return {_mm256_and_pd(a.v, b.v)}; }
inline unsigned bits(Which a) { return static_cast<unsigned>(_mm256_movemask_pd(a.v)); }
inline Lanes choose(Which w, Lanes a, Lanes b) { return {_mm256_blendv_pd(b.v, a.v, w.v)}; }
inline Which equal(Lanes a, Lanes b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ)}; }
inline Lanes by_sign(Lanes x, Lanes minus, Lanes plus) {
    return {_mm256_blendv_pd(plus.v, minus.v, x.v)};
}

#elif defined(__SSE2__) || defined(_M_X64)

struct Lanes {
    static constexpr int width = 2;
    __m128d v;
};
struct Which {
    __m128d v;
};
inline Lanes load(const double* p) { return {_mm_loadu_pd(p)}; }
inline void store(double* p, Lanes a) { _mm_storeu_pd(p, a.v); }
inline Lanes fill(double a) { return {_mm_set1_pd(a)}; }
inline Lanes operator+(Lanes a, Lanes b) { return {_mm_add_pd(a.v, b.v)}; }
inline Lanes operator-(Lanes a, Lanes b) { return {_mm_sub_pd(a.v, b.v)}; }
inline Lanes operator*(Lanes a, Lanes b) { return {_mm_mul_pd(a.v, b.v)}; }
inline Lanes operator/(Lanes a, Lanes b) { return {_mm_div_pd(a.v, b.v)}; }
inline Lanes smaller(Lanes a, Lanes b) { return {_mm_min_pd(a.v, b.v)}; }
inline Lanes larger(Lanes a, Lanes b) { return {_mm_max_pd(a.v, b.v)}; }
inline Lanes absolute(Lanes a) { return {_mm_andnot_pd(_mm_set1_pd(-0.0), a.v)}; }
inline Which operator<(Lanes a, Lanes b) { return {_mm_cmplt_pd(a.v, b.v)}; }
inline Which operator|(Which a, Which b) { return {_mm_or_pd(a.v, b.v)}; }
inline Which operator&(Which a, Which b) { return {_mm_and_pd(a.v, b.v)}; }
inline unsigned bits(Which a) { return static_cast<unsigned>(_mm_movemask_pd(a.v)); }
inline Lanes choose(Which w, Lanes a, Lanes b) {
    return {_mm_or_pd(_mm_and_pd(w.v, a.v), _mm_andnot_pd(w.v, b.v))};
}
inline Which equal(Lanes a, Lanes b) { return {_mm_cmpeq_pd(a.v, b.v)}; }
inline Lanes by_sign(Lanes x, Lanes minus, Lanes plus) {
    return choose({_mm_cmplt_pd(x.v, _mm_setzero_pd())}, minus, plus);
}

#elif defined(__aarch64__)

struct Lanes {
    static constexpr int width = 2;
    float64x2_t v;
};
struct Which {
    uint64x2_t v;
};
inline Lanes load(const double* p) { return {vld1q_f64(p)}; }
inline void store(double* p, Lanes a) { vst1q_f64(p, a.v); }
inline Lanes fill(double a) { return {vdupq_n_f64(a)}; }
inline Lanes operator+(Lanes a, Lanes b) { return {vaddq_f64(a.v, b.v)}; }
inline Lanes operator-(Lanes a, Lanes b) { return {vsubq_f64(a.v, b.v)}; }
inline Lanes operator*(Lanes a, Lanes b) { return {vmulq_f64(a.v, b.v)}; }
inline Lanes operator/(Lanes a, Lanes b) { return {vdivq_f64(a.v, b.v)}; }
// Of equal or unordered numbers the second, as on the other processors.
inline Lanes smaller(Lanes a, Lanes b) { return {vbslq_f64(vcltq_f64(a.v, b.v), a.v, b.v)}; }
inline Lanes larger(Lanes a, Lanes b) { return {vbslq_f64(vcgtq_f64(a.v, b.v), a.v, b.v)}; }
inline Lanes absolute(Lanes a) { return {vabsq_f64(a.v)}; }
inline Which operator<(Lanes a, Lanes b) { return {vcltq_f64(a.v, b.v)}; }
inline Which operator|(Which a, Which b) { return {vorrq_u64(a.v, b.v)}; }
inline Which operator&(Which a, Which b) { return {vandq_u64(a.v, b.v)}; }
inline unsigned bits(Which a) {
    return static_cast<unsigned>((vgetq_lane_u64(a.v, 0) & 1U) | (vgetq_lane_u64(a.v, 1) & 2U));
}
inline Lanes choose(Which w, Lanes a, Lanes b) { return {vbslq_f64(w.v, a.v, b.v)}; }
inline Which equal(Lanes a, Lanes b) { return {vceqq_f64(a.v, b.v)}; }
inline Lanes by_sign(Lanes x, Lanes minus, Lanes plus) {
    return choose({vcltzq_f64(x.v)}, minus, plus);
}

#else

// Two at a time in plain code, which compilers put into registers where there are any.
struct Lanes {
    static constexpr int width = 2;
    double a, b;
};
struct Which {
    bool a, b;
};
inline Lanes load(const double* p) { return {p[0], p[1]}; }
inline void store(double* p, Lanes x) { p[0] = x.a, p[1] = x.b; }
inline Lanes fill(double x) { return {x, x}; }
inline Lanes operator+(Lanes x, Lanes y) { return {x.a + y.a, x.b + y.b}; }
inline Lanes operator-(Lanes x, Lanes y) { return {x.a - y.a, x.b - y.b}; }
inline Lanes operator*(Lanes x, Lanes y) { return {x.a * y.a, x.b * y.b}; }
inline Lanes operator/(Lanes x, Lanes y) { return {x.a / y.a, x.b / y.b}; }
inline Lanes smaller(Lanes x, Lanes y) { return {x.a < y.a ? x.a : y.a, x.b < y.b ? x.b : y.b}; }
inline Lanes larger(Lanes x, Lanes y) { return {x.a > y.a ? x.a : y.a, x.b > y.b ? x.b : y.b}; }
inline Lanes absolute(Lanes x) { return {std::fabs(x.a), std::fabs(x.b)}; }
inline Which operator<(Lanes x, Lanes y) { return {x.a < y.a, x.b < y.b}; }
inline Which operator|(Which x, Which y) { return {x.a || y.a, x.b || y.b}; }
inline Which operator&(Which x, Which y) { return {x.a && y.a, x.b && y.b}; }
inline unsigned bits(Which x) { return static_cast<unsigned>(x.a) | static_cast<unsigned>(x.b) << 1; }
inline Lanes choose(Which w, Lanes x, Lanes y) { return {w.a ? x.a : y.a, w.b ? x.b : y.b}; }
inline Which equal(Lanes x, Lanes y) { return {x.a == y.a, x.b == y.b}; }
inline Lanes by_sign(Lanes x, Lanes minus, Lanes plus) {
    return {x.a < 0.0 ? minus.a : plus.a, x.b < 0.0 ? minus.b : plus.b};
}

#endif

// The largest of the lanes, none of them unordered.
inline double largest(Lanes a) {
    double lanes[Lanes::width];
    store(lanes, a);
    double most = lanes[0];
    for (int k = 1; k < Lanes::width; ++k) most = lanes[k] > most ? lanes[k] : most;
    return most;
}

inline bool any(Which a) { return bits(a) != 0; }

// One bit a lane: whether a > b.
inline Word greater(Lanes a, Lanes b) { return bits(b < a); }

// Rows of a Matrix are padded to whole cache lines: eight doubles, a whole number of registers.
static_assert(PAD % Lanes::width == 0);

// A sum in eight parts.
struct Sum {
    static constexpr int parts = PAD / Lanes::width;
    Lanes part[parts];
    Sum() {
        for (int k = 0; k < parts; k++) part[k] = fill(0.0);
    }
    // Eight products from place `at` on.
    void add(const double* a, const double* b) {
        for (int k = 0; k < parts; k++)
            part[k] = part[k] + load(a + k * Lanes::width) * load(b + k * Lanes::width);
    }
    void add_absolute(const double* a) {
        for (int k = 0; k < parts; k++)
            part[k] = part[k] + absolute(load(a + k * Lanes::width));
    }
    double total() const {
        double s[PAD];
        for (int k = 0; k < parts; k++) store(s + k * Lanes::width, part[k]);
        return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
    }
};

// The scalar product of arrays padded with zeros.
inline double dot(const double* a, const double* b, int count) {
    Sum even, odd;
    int j = 0;
    for (; j + 2 * PAD <= count; j += 2 * PAD) {
        even.add(a + j, b + j);
        odd.add(a + j + PAD, b + j + PAD);
    }
    if (j < count) even.add(a + j, b + j);
    return even.total() + odd.total();
}

// The sum of absolute values of an array padded with zeros.
inline double absolute_sum(const double* a, int count) {
    Sum even, odd;
    int j = 0;
    for (; j + 2 * PAD <= count; j += 2 * PAD) {
        even.add_absolute(a + j);
        odd.add_absolute(a + j + PAD);
    }
    if (j < count) even.add_absolute(a + j);
    return even.total() + odd.total();
}

// a += factor * b, padded.
inline void add_multiple(double* a, double factor, const double* b, int count) {
    const Lanes f = fill(factor);
    for (int j = 0; j < count; j += Lanes::width) store(a + j, load(a + j) + f * load(b + j));
}

}  // namespace milpcount
