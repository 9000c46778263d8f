// Signs at vertices in integers of 64 and 128 bits, where the network's numbers allow it.
//
// Weights are dyadic, so every stage's forms on the present path are integers up to a common power
// of two.  Where they fit 64 bits, a vertex is the solution (p, q), q > 0, of n integer rows in 128
// bits, by elimination without fractions (Bareiss, Sylvester's identity and multistep
// integer-preserving Gaussian elimination, 1968), and the sign of another row r there is that of
// r . (p, q).  Every operation is checked for overflow; where one occurs the sign stays unknown, and
// rational arithmetic is asked for it.

#pragma once

#include <optional>
#include <vector>

#include "cell.hpp"
#include "net.hpp"
#include "vertices.hpp"

namespace milpcount {

// The frame's forms in integers, rows of n + 1 numbers: of stage 0, times common * 2^shift; the form
// of one, times common; and the domain's rows, each up to a positive factor.
struct IntegerFrame {
    Buffer<std::int64_t> first, one, domain;
    Index shift = 0;
};

#if defined(__SIZEOF_INT128__)

class Integers {
  public:
    Integers(const Net& net, std::optional<IntegerFrame> frame)
        : net_(net), frame_(std::move(frame)), stages_(static_cast<std::size_t>(net.layers)) {}

    // The forms of a stage have changed.
    void entered(Index stage) {
        if (stage >= 0) stages_[static_cast<std::size_t>(stage)].current = false;
    }

    // The sign of unit u of a stage (or row of the domain, stage -1) at the vertex on these facets,
    // in a cell with these signs; UNKNOWN_SIGN where numbers grow too large.  The vertex is placed.
    template <int N>
    int sign(const std::int32_t* rows, Word facets, const std::int8_t* signs, Index stage, Index u,
             double* at, double& error) {
        if (!frame_) return UNKNOWN_SIGN;
        const std::int64_t* wanted = row(stage, u, signs);
        if (wanted == nullptr) return UNKNOWN_SIGN;
        Wide point[N + 1];
        if (!vertex<N>(rows, facets, signs, point)) return UNKNOWN_SIGN;
        Wide total = 0;
        for (int j = 0; j <= N; ++j) {
            Wide product;
            if (__builtin_mul_overflow(point[j], static_cast<Wide>(wanted[j]), &product) ||
                __builtin_add_overflow(total, product, &total))
                return UNKNOWN_SIGN;
        }
        place<N>(point, at, error);
        return total > 0 ? 1 : total < 0 ? -1 : 0;
    }

  private:
    using Wide = __int128;

    struct Stage {
        bool prepared = false, possible = false;  // the weights in integers
        Index weight_shift = 0, slope_shift = 0;
        std::vector<std::int64_t> weights, skip_weights, biases, slopes;
        bool current = false, fits = false;  // the forms on the present path
        Index shift = 0;
        std::vector<std::int64_t> forms;  // rows of n + 1
    };

    // The integer form of a row of a stage; nullptr if it does not fit.
    const std::int64_t* row(Index stage, Index u, const std::int8_t* signs) {
        if (stage < 0) return frame_->domain.data() + u * (net_.n + 1);
        if (!bring_up(stage, signs)) return nullptr;
        return stages_[static_cast<std::size_t>(stage)].forms.data() + u * (net_.n + 1);
    }

    // Shift with which all numbers are integers of less than 62 bits; -1 if there is none.
    static Index shift_of(std::span<const double> numbers) {
        int lowest = 0, highest = -2000;
        for (const double x : numbers) {
            if (x == 0.0) continue;
            int exponent;
            const double fraction = std::frexp(x, &exponent);
            const auto mantissa = static_cast<std::int64_t>(std::ldexp(std::abs(fraction), 53));
            lowest = std::min(lowest, exponent - 53 + std::countr_zero(static_cast<Word>(mantissa)));
            highest = std::max(highest, exponent);
        }
        return highest - lowest > 61 ? -1 : -lowest;
    }

    static std::vector<std::int64_t> integers(std::span<const double> numbers, Index shift) {
        std::vector<std::int64_t> out(numbers.size());
        for (std::size_t k = 0; k < numbers.size(); ++k)
            out[k] = static_cast<std::int64_t>(std::ldexp(numbers[k], static_cast<int>(shift)));
        return out;
    }

    // The stage's weights and biases in integers with one shift, its slopes with another.
    bool prepare(Index l) {
        Stage& s = stages_[static_cast<std::size_t>(l)];
        if (s.prepared) return s.possible;
        s.prepared = true;
        const auto width = static_cast<std::size_t>(net_.widths[l]);
        const std::span<const double> slopes{net_.slopes.data() + net_.starts[l], width};
        s.slope_shift = shift_of(slopes);
        if (s.slope_shift < 0) return false;
        s.slopes = integers(slopes, s.slope_shift);
        if (l == 0) return s.possible = true;
        const std::span<const double> weights{
            net_.weights.data() + net_.offsets[l],
            static_cast<std::size_t>(net_.widths[l - 1]) * width};
        const std::span<const double> biases{net_.biases.data() + net_.starts[l], width};
        std::vector<double> all(weights.begin(), weights.end());
        for (Index k = net_.skip_begin[l]; k < net_.skip_begin[l + 1]; ++k) {
            const double* from = net_.skip_weights.data() + net_.skip_offset[k];
            all.insert(all.end(), from,
                       from + static_cast<std::size_t>(net_.widths[net_.skip_source[k]]) * width);
        }
        const std::size_t count = all.size();
        all.insert(all.end(), biases.begin(), biases.end());
        s.weight_shift = shift_of(all);
        if (s.weight_shift < 0) return false;
        const std::vector<std::int64_t> numbers = integers(all, s.weight_shift);
        const auto own = numbers.begin() + static_cast<std::ptrdiff_t>(weights.size());
        const auto end = numbers.begin() + static_cast<std::ptrdiff_t>(count);
        s.weights.assign(numbers.begin(), own);
        s.skip_weights.assign(own, end);
        s.biases.assign(end, numbers.end());
        return s.possible = true;
    }

    // Make the forms of a stage those of the present path; whether they fit.
    bool bring_up(Index l, const std::int8_t* signs) {
        Stage& s = stages_[static_cast<std::size_t>(l)];
        if (s.current) return s.fits;
        s.current = true;
        s.fits = prepare(l) && build(l, signs);
        return s.fits;
    }

    bool build(Index l, const std::int8_t* signs) {
        Stage& s = stages_[static_cast<std::size_t>(l)];
        const Index width = net_.widths[l], columns = net_.n + 1;
        sums_.assign(static_cast<std::size_t>(width * columns), 0);
        if (l == 0) {
            for (Index k = 0; k < width * columns; ++k) sums_[static_cast<std::size_t>(k)] =
                frame_->first[k];
            s.shift = frame_->shift;
            return narrow(s);
        }
        // Stages that are read, brought up before the sums of this one are begun.
        if (!bring_up(l - 1, signs)) return false;
        for (Index k = net_.skip_begin[l]; k < net_.skip_begin[l + 1]; ++k)
            if (!bring_up(net_.skip_source[k], signs)) return false;
        sums_.assign(static_cast<std::size_t>(width * columns), 0);
        Index top = lift(l - 1);
        for (Index k = net_.skip_begin[l]; k < net_.skip_begin[l + 1]; ++k)
            top = std::max(top, lift(net_.skip_source[k]));
        if (!add(l, l - 1, s.weights.data(), top, signs)) return false;
        const std::int64_t* more = s.skip_weights.data();
        for (Index k = net_.skip_begin[l]; k < net_.skip_begin[l + 1]; ++k) {
            if (!add(l, net_.skip_source[k], more, top, signs)) return false;
            more += net_.widths[net_.skip_source[k]] * width;
        }
        for (Index u = 0; u < width; ++u)
            for (Index c = 0; c < columns; ++c)
                if (!accumulate(u * columns + c, s.biases[static_cast<std::size_t>(u)],
                                frame_->one[c], top))
                    return false;
        s.shift = top + s.weight_shift;
        return narrow(s);
    }

    Index lift(Index source) const {
        const Stage& from = stages_[static_cast<std::size_t>(source)];
        return from.shift + from.slope_shift;
    }

    // Add to the sums what stage l reads of a source, by these weights.
    bool add(Index l, Index source, const std::int64_t* weights, Index top,
             const std::int8_t* signs) {
        const Stage& from = stages_[static_cast<std::size_t>(source)];
        const Index width = net_.widths[l], columns = net_.n + 1;
        const Index by = top - lift(source);
        if (by > 60 || from.slope_shift > 60) return false;
        for (Index i = 0; i < net_.widths[source]; ++i) {
            const bool active = signs[net_.starts[source] + i] > 0;
            const std::int64_t factor = active ? std::int64_t{1} << from.slope_shift
                                               : from.slopes[static_cast<std::size_t>(i)];
            if (factor == 0) continue;
            for (Index c = 0; c < columns; ++c) {
                std::int64_t entry = from.forms[static_cast<std::size_t>(i * columns + c)];
                if (entry == 0) continue;
                if (__builtin_mul_overflow(entry, factor, &entry)) return false;
                for (Index u = 0; u < width; ++u)
                    if (!accumulate(u * columns + c, weights[i * width + u], entry, by))
                        return false;
            }
        }
        return true;
    }

    // Add a * b * 2^shift to a sum.
    bool accumulate(Index place, std::int64_t a, std::int64_t b, Index shift) {
        if (a == 0 || b == 0) return true;
        if (shift > 60) return false;
        Wide product = static_cast<Wide>(a) * b;
        Wide& sum = sums_[static_cast<std::size_t>(place)];
        return !__builtin_mul_overflow(product, Wide{1} << shift, &product) &&
               !__builtin_add_overflow(sum, product, &sum);
    }

    // Put the sums, without their common power of two, into the stage's forms; whether they fit.
    bool narrow(Stage& s) {
        Wide every = 0;
        for (const Wide x : sums_) every |= x;
        Index spare = 0;
        while (every != 0 && spare < s.shift && ((every >> spare) & 1) == 0) ++spare;
        s.shift -= spare;
        s.forms.resize(sums_.size());
        for (std::size_t k = 0; k < sums_.size(); ++k) {
            const Wide x = sums_[k] >> spare;
            if (x > MOST || x < -MOST) return false;
            s.forms[k] = static_cast<std::int64_t>(x);
        }
        return true;
    }

    // The point where the facets' rows meet, as (p, q) with q > 0; false if numbers grow too large.
    template <int N>
    bool vertex(const std::int32_t* rows, Word facets, const std::int8_t* signs, Wide* point) {
        Wide a[N > 0 ? N : 1][N + 1];
        int pivots[N > 0 ? N : 1];
        int rank = 0;
        Wide last = 1;
        // Rows are taken in one by one; each is reduced by those before it, without fractions.
        for (; facets != 0 && rank < N; facets &= facets - 1) {
            const Index name = rows[lowest_bit(facets)];
            const RowForm form = form_of(net_, name);
            Wide* now = a[rank];
            if (form.stage == -2) {
                for (int j = 0; j <= N; ++j) now[j] = 0;
                now[name >> 1] = 1;
                now[N] = -(name & 1);
            } else {
                const std::int64_t* from = row(form.stage, form.place, signs);
                if (from == nullptr) return false;
                for (int j = 0; j <= N; ++j) now[j] = from[j];
            }
            Wide before = 1;
            for (int k = 0; k < rank; ++k) {
                if (!eliminate<N>(now, a[k], pivots[k], before)) return false;
                before = a[k][pivots[k]];
            }
            int pivot = 0;
            while (pivot < N && now[pivot] == 0) ++pivot;
            if (pivot == N) continue;  // depends on the rows before
            pivots[rank++] = pivot;
            last = now[pivot];
        }
        if (rank < N) return false;
        return substitute<N>(a, pivots, last, point);
    }

    // now = (top[pivot] * now - now[pivot] * top) / before, which leaves no remainder.
    template <int N>
    static bool eliminate(Wide* now, const Wide* top, int pivot, Wide before) {
        const Wide f = now[pivot], p = top[pivot];
        for (int j = 0; j <= N; ++j) {
            Wide x, y;
            if (__builtin_mul_overflow(p, now[j], &x) || __builtin_mul_overflow(f, top[j], &y) ||
                __builtin_sub_overflow(x, y, &x) || x == LEAST)
                return false;
            now[j] = x / before;
        }
        return true;
    }

    // With q the determinant, the last pivot, every coordinate is an integer over q.
    template <int N>
    static bool substitute(const Wide a[][N + 1], const int* pivots, Wide last, Wide* point) {
        for (int k = N - 1; k >= 0; --k) {
            Wide right;
            if (__builtin_mul_overflow(a[k][N], last, &right)) return false;
            for (int m = k + 1; m < N; ++m) {
                Wide product;
                if (__builtin_mul_overflow(a[k][pivots[m]], point[pivots[m]], &product) ||
                    __builtin_add_overflow(right, product, &right))
                    return false;
            }
            if (right == LEAST) return false;  // it has no negative
            point[pivots[k]] = -right / a[k][pivots[k]];
        }
        point[N] = last;
        if (last < 0)
            for (int j = 0; j <= N; ++j) point[j] = -point[j];
        return true;
    }

    // Coordinates in floats: exact over a power of two, else each rounded three times.
    template <int N>
    static void place(const Wide* point, double* at, double& error) {
        const Wide q = point[N];
        bool exact = (q & (q - 1)) == 0;
        for (int j = 0; j < N; ++j) {
            exact = exact && point[j] < (Wide{1} << 53);
            at[j] = static_cast<double>(point[j]) / static_cast<double>(q);
        }
        error = exact ? 0.0 : 4 * ROUNDOFF;
    }

    static constexpr Wide MOST = (Wide{1} << 62) - 1;
    static constexpr Wide LEAST = -((((Wide{1} << 126) - 1) << 1) | 1) - 1;

    const Net& net_;
    std::optional<IntegerFrame> frame_;
    std::vector<Stage> stages_;
    std::vector<Wide> sums_;
};

#else  // no integers of 128 bits: every doubt goes on to rational arithmetic

class Integers {
  public:
    Integers(const Net&, std::optional<IntegerFrame>) {}
    void entered(Index) {}
    template <int N>
    int sign(const std::int32_t*, Word, const std::int8_t*, Index, Index, double*, double&) {
        return UNKNOWN_SIGN;
    }
};

#endif

}  // namespace milpcount
