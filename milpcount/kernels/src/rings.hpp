// Rows over Z/p and over products of such fields: the arithmetic of deletion and restriction.
//
// A row is `d` entries of `cells()` numbers each.  Both rings are images of the rational numbers
// whose denominators no prime divides; only zero and units are ever told apart.  An element of a
// product that is zero modulo some primes and not modulo others is no unit: `Unlucky` is thrown, and
// the caller takes other primes.

#pragma once

#include <algorithm>
#include <vector>

#include "arrays.hpp"

#if defined(_MSC_VER) && !defined(__SIZEOF_INT128__)
#include <intrin.h>
#endif

namespace milpcount {

struct Unlucky {};

// The field of a prime below 2^15: inverses from a table, products in 32 bits.
class SmallField {
  public:
    using Cell = std::uint16_t;
    static constexpr Index REMEMBERED = 128;  // rows in three dimensions that are worth a look-up

    explicit SmallField(Index prime)
        : p_(static_cast<std::uint32_t>(prime)),
          reciprocal_(static_cast<std::uint32_t>((Word{1} << 32) / p_)),
          inverse_(p_),
          stamp_(p_ + 1) {
        inverse_[1] = 1;
        for (std::uint32_t a = 2; a < p_; ++a)
            inverse_[a] = static_cast<Cell>(reduced((p_ - p_ / a) * inverse_[p_ % a]));
    }
    Index cells() const { return 1; }
    void load(const Index* residue, Index, Cell* out) const { *out = static_cast<Cell>(*residue); }
    static bool zero(const Cell* a) { return *a == 0; }

    // Row g minus a multiple of row h, whose entry k is 1, so that entry k vanishes, without it.
    void restrict_row(const Cell* g, const Cell* h, Index d, Index k, Cell* out) const {
        const std::uint32_t f = g[k];
        for (Index c = 0; c < k; ++c) out[c] = minus(g[c], f, h[c]);
        for (Index c = k + 1; c < d; ++c) out[c - 1] = minus(g[c], f, h[c]);
    }
    // Divide rows by their first entry that is not zero.
    void normalise(Cell* rows, Index m, Index d) const {
        for (Cell* x = rows; x != rows + m * d; x += d) {
            Index q = 0;
            while (q < d && x[q] == 0) ++q;
            if (q == d || x[q] == 1) continue;
            const std::uint32_t f = inverse_[x[q]];
            for (x[q++] = 1; q < d; ++q) x[q] = reduced(x[q] * f);
        }
    }
    // Number of points in which the first i rows of a plane meet row i, whose entry k is 1.
    Index points(const Cell* rows, Index i, Index k) {
        const Cell* h = rows + 3 * i;
        const Index a = k == 0 ? 1 : 0, b = k == 2 ? 1 : 2;
        if (++now_ == 0) {
            std::fill(stamp_.begin(), stamp_.end(), 0u);
            now_ = 1;
        }
        Index count = 0;
        for (const Cell* g = rows; g != h; g += 3) {
            const std::uint32_t x = minus(g[a], g[k], h[a]), y = minus(g[b], g[k], h[b]);
            const std::uint32_t point = x != 0 ? reduced(y * inverse_[x]) : p_;
            count += stamp_[point] != now_;
            stamp_[point] = now_;
        }
        return count;
    }

  private:
    Cell reduced(std::uint32_t x) const {
        const auto q = static_cast<std::uint32_t>((Word{x} * reciprocal_) >> 32);
        const std::uint32_t r = x - q * p_;
        return static_cast<Cell>(r >= p_ ? r - p_ : r);
    }
    Cell minus(std::uint32_t g, std::uint32_t f, std::uint32_t h) const {
        return reduced(g + f * (p_ - h));
    }

    std::uint32_t p_, reciprocal_, now_ = 0;
    Buffer<Cell> inverse_;
    Buffer<std::uint32_t> stamp_;
};

// The product of the fields of K primes between 2^32 and 2^62 (K = 0: as many as are given), in
// Montgomery's form: a stands for a 2^-64.
template <int K>
class WideRing {
  public:
    using Cell = Word;
    static constexpr Index REMEMBERED = 24;

    explicit WideRing(std::span<const Index> primes) {
        for (Index prime : primes) {
            Prime f{static_cast<Word>(prime), 1, 0, 0};
            // Newton's iteration for 1/p modulo 2^64 doubles the bits that are right.
            for (int step = 0; step < 6; ++step) f.inverse *= 2 - f.p * f.inverse;
            f.one = (0 - f.p) % f.p;
            f.square = f.one;
            for (int bit = 0; bit < 64; ++bit) f.square = twice(f, f.square);
            primes_.push_back(f);
        }
    }
    Index cells() const { return K != 0 ? K : static_cast<Index>(primes_.size()); }
    void load(const Index* residue, Index which, Cell* out) const {
        const Prime& f = primes_[static_cast<std::size_t>(which)];
        *out = times(f, static_cast<Word>(*residue), f.square);
    }
    bool zero(const Cell* a) const {
        const bool first = a[0] == 0;
        for (Index q = 1; q < cells(); ++q)
            if ((a[q] == 0) != first) throw Unlucky{};
        return first;
    }
    void restrict_row(const Cell* g, const Cell* h, Index d, Index k, Cell* out) const {
        const Index n = cells();
        const Cell* f = g + k * n;
        for (Index c = 0; c < d; ++c) {
            if (c == k) continue;
            for (Index q = 0; q < n; ++q, ++out) {
                const Prime& field = primes_[static_cast<std::size_t>(q)];
                const Word x = g[c * n + q], y = times(field, f[q], h[c * n + q]);
                *out = x >= y ? x - y : x + field.p - y;
            }
        }
    }
    // All leading entries are inverted at once: the inverse of the product of all, times products of
    // the others.
    void normalise(Cell* rows, Index m, Index d) {
        const Index n = cells();
        leading_.assign(static_cast<std::size_t>(m), -1);
        prefix_.resize(static_cast<std::size_t>(m + 1));
        for (Index i = 0; i < m; ++i)
            for (Index c = 0; c < d; ++c)
                if (!zero(rows + (i * d + c) * n)) {
                    leading_[static_cast<std::size_t>(i)] = c;
                    break;
                }
        for (Index q = 0; q < n; ++q) {
            const Prime& field = primes_[static_cast<std::size_t>(q)];
            const auto lead = [&](Index i) -> Word {
                const Index c = leading_[static_cast<std::size_t>(i)];
                return c < 0 ? field.one : rows[(i * d + c) * n + q];
            };
            prefix_[0] = field.one;
            for (Index i = 0; i < m; ++i)
                prefix_[static_cast<std::size_t>(i + 1)] =
                    times(field, prefix_[static_cast<std::size_t>(i)], lead(i));
            Word rest = inverse(field, prefix_[static_cast<std::size_t>(m)]);
            for (Index i = m; i-- > 0;) {
                const Word own = times(field, rest, prefix_[static_cast<std::size_t>(i)]);
                rest = times(field, rest, lead(i));
                for (Index c = std::max<Index>(leading_[static_cast<std::size_t>(i)], 0); c < d; ++c) {
                    Word& x = rows[(i * d + c) * n + q];
                    x = times(field, x, own);
                }
            }
        }
    }

  private:
    struct Prime {
        Word p, inverse, one, square;  // 1/p modulo 2^64; 2^64 and 2^128 modulo p
    };
    static Word twice(const Prime& f, Word a) { return a >= f.p - a ? a - (f.p - a) : a + a; }
    static Word times(const Prime& f, Word a, Word b) {
#if defined(__SIZEOF_INT128__)
        const unsigned __int128 t = static_cast<unsigned __int128>(a) * b;
        const Word low = static_cast<Word>(t), high = static_cast<Word>(t >> 64);
        const Word m = low * f.inverse;
        const Word carried = static_cast<Word>((static_cast<unsigned __int128>(m) * f.p) >> 64);
#else
        Word high, carried;
        const Word low = _umul128(a, b, &high);
        _umul128(low * f.inverse, f.p, &carried);
#endif
        return high >= carried ? high - carried : high + f.p - carried;
    }
    // By Fermat's theorem.
    static Word inverse(const Prime& f, Word a) {
        Word out = f.one;
        for (Word e = f.p - 2; e != 0; e >>= 1, a = times(f, a, a))
            if (e & 1) out = times(f, out, a);
        return out;
    }

    std::vector<Prime> primes_;
    std::vector<Index> leading_;
    std::vector<Word> prefix_;
};

}  // namespace milpcount
