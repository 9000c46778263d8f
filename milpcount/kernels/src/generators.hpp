// Cones by generators, lines and rays, of which only the values of some forms are kept; how they are
// cut (double description): see cone.hpp.

#pragma once

#include <bit>
#include <numeric>
#include <utility>
#include <vector>

#include "arrays.hpp"

namespace milpcount::cones {

struct Overflow {};

inline Index common_divisor(Index a, Index b) {
    auto x = static_cast<Word>(a < 0 ? -a : a), y = static_cast<Word>(b < 0 ? -b : b);
    return static_cast<Index>(std::gcd(x, y));
}

// Columns of values, one a generator, lines first; of a ray the rows of B on which it is 0.
struct Generators {
    Index rows = 0;
    Index lines = 0;
    std::vector<Index> values;
    std::vector<Word> zeros;  // of the rays

    Index rays() const { return static_cast<Index>(zeros.size()); }
    Index count() const { return lines + rays(); }
    Index* column(Index g) { return values.data() + g * rows; }
    const Index* column(Index g) const { return values.data() + g * rows; }
};

inline constexpr Index NARROW = Index{1} << 29, WIDE = Index{1} << 62;

inline bool narrow(Index x) { return x > -NARROW && x < NARROW; }

// out = a v + b w, divided by what its entries have in common.  Numbers have 62 bits at most; where
// products need them, 128 bits are taken, and without those it is an overflow.
inline void combine(Index a, const Index* v, Index b, const Index* w, Index rows, Index* out) {
    bool all = narrow(a) && narrow(b);
    for (Index j = 0; all && j < rows; ++j) all = narrow(v[j]) && narrow(w[j]);
    if (all) {
        Index common = 0;
        for (Index j = 0; j < rows; ++j) {
            out[j] = a * v[j] + b * w[j];
            if (common != 1) common = common_divisor(common, out[j]);
        }
        if (common > 1)
            for (Index j = 0; j < rows; ++j) out[j] /= common;
        return;
    }
#if defined(__SIZEOF_INT128__)
    using Wide = __int128;
    std::vector<Wide> wide(static_cast<std::size_t>(rows));
    Wide common = 0;
    for (Index j = 0; j < rows; ++j) {
        Wide x = static_cast<Wide>(a) * v[j] + static_cast<Wide>(b) * w[j];
        wide[static_cast<std::size_t>(j)] = x;
        if (x < 0) x = -x;
        while (x != 0) std::swap(x, common %= x);
    }
    for (Index j = 0; j < rows; ++j) {
        Wide x = wide[static_cast<std::size_t>(j)];
        if (common > 1) x /= common;
        if (x <= -Wide{WIDE} || x >= Wide{WIDE}) throw Overflow{};
        out[j] = static_cast<Index>(x);
    }
#else
    throw Overflow{};
#endif
}

// Append a v + b w to the columns of `out`; only their first `out.rows` entries.
inline void append(Index a, const Index* v, Index b, const Index* w, Generators& out) {
    const std::size_t size = out.values.size();
    out.values.resize(size + static_cast<std::size_t>(out.rows));
    combine(a, v, b, w, out.rows, out.values.data() + size);
}

// The generators of the section in which a form vanishes whose values are given; if `side` is not
// negative, of the half where it is positive or 0, as row `side` of B.  `dimension` is that of the
// cone.  False if the form has no zero inside (half: no positive value).
inline bool cut(const Generators& in, const Index* form, Index dimension, Index side, Generators& out) {
    const Word bit = side >= 0 ? Word{1} << side : 0;
    out.values.clear();
    out.zeros.clear();
    const Index* h = form;
    const Index rays = in.rays(), lines = in.lines;
    for (Index pivot = 0; pivot < lines; ++pivot) {
        if (h[pivot] == 0) continue;
        const Index p = h[pivot], sign = p > 0 ? 1 : -1;
        const Index* l = in.column(pivot);
        out.lines = lines - 1;
        for (Index g = 0; g < lines; ++g)
            if (g != pivot) append(p, in.column(g), -h[g], l, out);
        for (Index g = 0; g < rays; ++g) {
            append(sign * p, in.column(lines + g), -sign * h[lines + g], l, out);
            out.zeros.push_back(in.zeros[static_cast<std::size_t>(g)] | bit);
        }
        if (side >= 0) {
            append(sign, l, 0, l, out);
            out.zeros.push_back(bit - 1);
        }
        return true;
    }
    out.lines = lines;
    for (Index g = 0; g < lines; ++g) append(1, in.column(g), 0, in.column(g), out);
    bool positive = false, negative = false;
    for (Index g = 0; g < rays; ++g) {
        const Index value = h[lines + g];
        positive |= value > 0;
        negative |= value < 0;
        if (value == 0 || (side >= 0 && value > 0)) {
            append(1, in.column(lines + g), 0, in.column(lines + g), out);
            out.zeros.push_back(in.zeros[static_cast<std::size_t>(g)] | (value == 0 ? bit : 0));
        }
    }
    if (!positive || (side < 0 && !negative)) return false;
    // A face of dimension 2, lines apart, lies on so many rows at least.
    const int least = static_cast<int>(dimension - lines - 2);
    for (Index v = 0; v < rays; ++v) {
        if (h[lines + v] <= 0) continue;
        for (Index w = 0; w < rays; ++w) {
            if (h[lines + w] >= 0) continue;
            const Word both = in.zeros[static_cast<std::size_t>(v)] &
                              in.zeros[static_cast<std::size_t>(w)];
            if (std::popcount(both) < least) continue;
            bool face = true;
            for (Index g = 0; face && g < rays; ++g)
                face = (in.zeros[static_cast<std::size_t>(g)] & both) != both || g == v || g == w;
            if (!face) continue;
            append(-h[lines + w], in.column(lines + v), h[lines + v], in.column(lines + w), out);
            out.zeros.push_back(both | bit);
        }
    }
    return true;
}

}  // namespace milpcount::cones
