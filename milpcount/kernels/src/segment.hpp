// Regions of a segment that units cut: one more than there are distinct points where one is zero.
//
// With a and b the values of a unit at the ends, known up to eps, of opposite proved signs, and
// D = |a - b|, the zero stands within eps / D + 4 u of a / (a - b), as in sections.hpp.  Zeros that
// are farther apart than both bounds are distinct.

#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "bits.hpp"
#include "forms.hpp"
#include "lanes.hpp"

namespace milpcount {

class Segment {
  public:
    static constexpr std::int64_t FAILED = -1;

    // The pieces of a segment with these values at its ends; FAILED if a sign of a value is not
    // proved, or that two zeros are distinct.
    std::int64_t pieces(const double* a, const double* b, Index count, double error_a,
                        double error_b) {
        make_room(count);
        const Lanes ea = fill(error_a), eb = fill(error_b), zero = fill(0.0);
        const double eps = std::max(error_a, error_b);
        Index crossings = 0;
        double least = 4.0;  // of |a - b|
        for (Index first = 0; first < count; first += 64) {
            const Index here = std::min<Index>(64, count - first);
            Word differ = 0, sure = 0;
            for (Index k = 0; k < here; k += Lanes::width) {
                const Lanes x = load(a + first + k), y = load(b + first + k);
                differ |= (greater(x, zero) ^ greater(y, zero)) << k;
                sure |= (greater(absolute(x), ea) & greater(absolute(y), eb)) << k;
            }
            const Word mask = here == 64 ? ~Word{0} : bit_of(here) - 1;
            if ((sure & mask) != mask) return FAILED;
            for_each_bit(differ & mask, [&](int k) {
                const double x = a[first + k], d = x - b[first + k];
                zeros_[static_cast<std::size_t>(crossings)] = x / d;
                spans_[static_cast<std::size_t>(crossings++)] = std::abs(d);
                least = std::min(least, std::abs(d));
            });
        }
        if (crossings > 1) {
            // Every zero lies within eps / D + 4 u of where it was computed.
            const double apart = 2.02 * (eps / least + 4.0 * ROUNDOFF);
            if (!distinct(crossings, apart, eps)) return FAILED;
        }
        return 1 + crossings;
    }

  private:
    // Whether zeros j and k are proved distinct, with their own bounds.
    bool apart(std::size_t j, std::size_t k, double eps) const {
        const double blur = eps / spans_[j] + eps / spans_[k] + 8.0 * ROUNDOFF;
        return std::abs(zeros_[j] - zeros_[k]) > 1.01 * blur;
    }

    // Whether all zeros are distinct; `far` is enough for any two.
    bool distinct(Index count, double far, double eps) {
        if (count <= 8) {
            for (Index j = 1; j < count; ++j)
                for (Index k = 0; k < j; ++k)
                    if (!(std::abs(zeros_[j] - zeros_[k]) > far) && !apart(j, k, eps)) return false;
            return true;
        }
        // Buckets: zeros that are not far apart lie in the same one or in two side by side.
        std::size_t size = 16;
        while (size < 2 * static_cast<std::size_t>(count)) size *= 2;
        const double scale = static_cast<double>(size);
        if (!(far * scale < 1.0)) return false;
        heads_.assign(size, -1);
        next_.resize(static_cast<std::size_t>(count));
        const auto last = static_cast<std::int64_t>(size) - 1;
        auto bucket = [&](double t) {
            return std::clamp(static_cast<std::int64_t>(t * scale), std::int64_t{0}, last);
        };
        for (Index j = 0; j < count; ++j) {
            const double t = zeros_[j];
            const std::int64_t mine = bucket(t);
            const std::int64_t low = bucket(std::max(t - far, 0.0)), high = bucket(t + far);
            for (std::int64_t b = low; b <= high; ++b)
                for (std::int32_t k = heads_[static_cast<std::size_t>(b)]; k >= 0;
                     k = next_[static_cast<std::size_t>(k)])
                    if (!(std::abs(t - zeros_[k]) > far) && !apart(j, k, eps)) return false;
            next_[static_cast<std::size_t>(j)] = heads_[static_cast<std::size_t>(mine)];
            heads_[static_cast<std::size_t>(mine)] = static_cast<std::int32_t>(j);
        }
        return true;
    }

    void make_room(Index count) {
        const std::size_t size = Matrix<double>::padded(static_cast<std::size_t>(count));
        zeros_.grow(size);
        spans_.grow(size);
    }

    Buffer<double> zeros_, spans_;  // where units are zero, and their |a - b|
    std::vector<std::int32_t> heads_, next_;
};

}  // namespace milpcount
