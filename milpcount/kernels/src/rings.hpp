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
#include "prime_field.hpp"

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
        for (Index prime : primes) primes_.emplace_back(static_cast<Word>(prime));
    }
    Index cells() const { return K != 0 ? K : static_cast<Index>(primes_.size()); }
    void load(const Index* residue, Index which, Cell* out) const {
        *out = primes_[static_cast<std::size_t>(which)].entered(static_cast<Word>(*residue));
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
                const PrimeField& field = primes_[static_cast<std::size_t>(q)];
                *out = field.minus(g[c * n + q], field.times(f[q], h[c * n + q]));
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
            const PrimeField& field = primes_[static_cast<std::size_t>(q)];
            const auto lead = [&](Index i) -> Word {
                const Index c = leading_[static_cast<std::size_t>(i)];
                return c < 0 ? field.one : rows[(i * d + c) * n + q];
            };
            prefix_[0] = field.one;
            for (Index i = 0; i < m; ++i)
                prefix_[static_cast<std::size_t>(i + 1)] =
                    field.times(prefix_[static_cast<std::size_t>(i)], lead(i));
            Word rest = field.inverse(prefix_[static_cast<std::size_t>(m)]);
            for (Index i = m; i-- > 0;) {
                const Word own = field.times(rest, prefix_[static_cast<std::size_t>(i)]);
                rest = field.times(rest, lead(i));
                for (Index c = std::max<Index>(leading_[static_cast<std::size_t>(i)], 0); c < d; ++c) {
                    Word& x = rows[(i * d + c) * n + q];
                    x = field.times(x, own);
                }
            }
        }
    }

  private:
    std::vector<PrimeField> primes_;
    std::vector<Index> leading_;
    std::vector<Word> prefix_;
};

}  // namespace milpcount
