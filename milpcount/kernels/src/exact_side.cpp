#include "exact_side.hpp"

#include <algorithm>
#include <cmath>

#include "state.hpp"

namespace milpcount {

namespace {

constexpr double PRIME_BITS = 61.99;  // every prime has more
constexpr int MOST_UNLUCKY = 2;

}  // namespace

ExactSide::ExactSide(const Net& net, LongFrame frame, bool spans)
    : net_(net),
      forms_(net, std::move(frame)),
      spans_(spans),
      unit_of_(static_cast<std::size_t>(net.n), -1),
      inverses_(static_cast<std::size_t>(MOST_PRIMES) * MOST_PRIMES) {
    for (Index u = 0; u < net.widths[0]; ++u) {
        const Index j = forms_.multiple_of(u);
        if (j >= 0) unit_of_[static_cast<std::size_t>(j)] = u;
    }
}

bool ExactSide::empty(const State& st, const Node& a, int r, int sign) {
    const Index target = a.rows.rowvar[r] - st.n;
    if (!take_basis(st, a, target)) return false;
    forms_.follow(a.sign.data(), a.layer);
    const std::size_t values = rows_.size() + nonbasic_.size() + 2;
    residues_.clear();
    taken_.clear();
    for (int q = 0; static_cast<double>(taken_.size()) * PRIME_BITS < bits_; ++q) {
        if (q >= static_cast<int>(taken_.size()) + MOST_UNLUCKY || !forms_.prepare(q)) return false;
        residues_.resize((taken_.size() + 1) * values);
        if (solve(st, a, target, sign, q)) taken_.push_back(q);
    }
    const auto sign_at = [&](std::size_t k) {
        value_.resize(taken_.size());
        for (std::size_t q = 0; q < taken_.size(); ++q) value_[q] = residues_[q * values + k];
        return sign_of(value_);
    };
    const int side = sign_at(0);
    const int top = side * sign_at(1);
    if (side == 0 || top > 0) return false;
    bool below = top < 0;  // whether sign g is less than 0 somewhere, or all over (closed)
    for (std::size_t k = 2; k < values; ++k) {
        const int y = side * sign_at(k);
        if (y > 0) return false;
        if (y == 0) continue;
        const bool is_row = k - 2 < rows_.size();
        const bool strict = is_row ? is_strict(a, rows_[k - 2])
                                   : is_strict_end(a, nonbasic_[k - 2 - rows_.size()]);
        below |= strict || (!net_.closed && (!is_row || spans_));
    }
    return sign > 0 || below;
}

// Whether a row of the cell is positive there, not 0.  In the charts of the whole space the first row
// of the domain is 0 at infinity alone.
bool ExactSide::is_strict(const Node& a, Index k) const {
    if (k >= net_.domain_rows) return a.sign[k - net_.domain_rows] > 0;
    return k == 0 && net_.walls;
}

// Whether no point of the cell has this coordinate at its lower end, as a unit that is active has its
// zeros there, and whether it is the end meant.
bool ExactSide::is_strict_end(const Node& a, int j) const {
    const Index unit = unit_of_[static_cast<std::size_t>(j)];
    return unit >= 0 && a.sign[unit] > 0 && !a.rows.flip[j];
}

// Note which variables are nonbasic, and how large determinants of their rows can be.
bool ExactSide::take_basis(const State& st, const Node& a, Index target) {
    const Dictionary& d = a.rows;
    rows_.clear();
    turns_.clear();
    nonbasic_.clear();
    basic_.clear();
    is_nonbasic_.assign(static_cast<std::size_t>(st.n), 0);
    for (int c = 0; c < st.n; ++c) {
        const std::int32_t var = d.colvar[c];
        if (var < st.n) {
            nonbasic_.push_back(var);
            is_nonbasic_[static_cast<std::size_t>(var)] = 1;
        } else {
            rows_.push_back(var - st.n);
            turns_.push_back(st.side_of_row(a, var - st.n) > 0.0 ? 1 : -1);
        }
    }
    for (int j = 0; j < st.n; ++j)
        if (!is_nonbasic_[static_cast<std::size_t>(j)]) basic_.push_back(j);
    if (basic_.size() != rows_.size()) return false;
    // Counted from the other ends of coordinates the sum of a row's entries is twice as much at
    // most.  A stored form is off by at most its error all over the cube: its coefficients by twice
    // that in all, and its constant by as much.
    const auto bits = [&](Index k) {
        const double size =
            k < st.cuts ? forms_.log2_size(k)
                        : std::log2(1.01 * st.size[k] + 3.1 * st.error[k] + 0x1p-1000) +
                              forms_.log2_factor(k - st.cuts);
        return std::max(size + 1.0, 0.0) + 1e-6;
    };
    bits_ = 2.0 + bits(target);
    for (const Index k : rows_) bits_ += bits(k);
    return bits_ < MOST_PRIMES * PRIME_BITS;
}

// Append the residues modulo prime q; false where the basis is singular modulo it.
bool ExactSide::solve(const State& st, const Node& a, Index target, int sign, int q) {
    const PrimeField& field = forms_.field(q);
    const std::size_t m = rows_.size(), wide = m + 1, n = static_cast<std::size_t>(st.n);
    const auto turned = [&](int turn, Word x) { return turn > 0 ? x : field.negative(x); };
    // One equation a basic coordinate: the rows' entries there, then those of sign g.
    matrix_.resize(m * wide);
    for (std::size_t k = 0; k < m; ++k) {
        const Word* row = forms_.row(q, rows_[k]);
        for (std::size_t e = 0; e < m; ++e) matrix_[e * wide + k] = turned(turns_[k], row[basic_[e]]);
    }
    const Word* goal = forms_.row(q, target);
    for (std::size_t e = 0; e < m; ++e) matrix_[e * wide + m] = turned(sign, goal[basic_[e]]);
    Word determinant = field.one;
    for (std::size_t k = 0; k < m; ++k) {
        std::size_t pivot = k;
        while (pivot < m && matrix_[pivot * wide + k] == 0) ++pivot;
        if (pivot == m) return false;
        Word* top = matrix_.data() + k * wide;
        if (pivot != k) {
            std::swap_ranges(top, top + wide, matrix_.data() + pivot * wide);
            determinant = field.negative(determinant);
        }
        determinant = field.times(determinant, top[k]);
        const Word by = field.inverse(top[k]);
        for (std::size_t c = k + 1; c < wide; ++c) top[c] = field.times(top[c], by);
        for (std::size_t e = 0; e < m; ++e) {
            Word* other = matrix_.data() + e * wide;
            const Word f = other[k];
            if (e == k || f == 0) continue;
            for (std::size_t c = k + 1; c < wide; ++c)
                other[c] = field.minus(other[c], field.times(f, top[c]));
        }
    }
    // What is left of sign g without the rows: nonbasic coordinates, and a constant.
    rest_.resize(n + 1);
    const auto leave = [&](int turn, Word y, const Word* row) {
        const auto add = [&](std::size_t c) {
            rest_[c] = field.plus(rest_[c], turned(turn, field.times(y, row[c])));
        };
        for (const int j : nonbasic_) add(static_cast<std::size_t>(j));
        add(n);
    };
    std::fill(rest_.begin(), rest_.end(), Word{0});
    leave(sign, field.one, goal);
    for (std::size_t k = 0; k < m; ++k) {
        const Word y = matrix_[k * wide + m];
        if (y != 0) leave(-turns_[k], y, forms_.row(q, rows_[k]));
    }
    Word* out = residues_.data() + residues_.size() - (m + nonbasic_.size() + 2);
    const auto scaled = [&](Word y) { return field.left(field.times(y, determinant)); };
    *out++ = field.left(determinant);
    Word* constant = out++;
    for (std::size_t k = 0; k < m; ++k) *out++ = scaled(matrix_[k * wide + m]);
    Word sum = rest_[n];
    for (const int j : nonbasic_) {
        const Word y = rest_[static_cast<std::size_t>(j)];
        const bool flip = a.rows.flip[j];
        *out++ = scaled(flip ? field.negative(y) : y);
        if (flip) sum = field.plus(sum, y);
    }
    *constant = scaled(sum);
    return true;
}

// The sign of an integer of less than half the product of the primes in absolute value.
//
// In mixed radix it is sum_k a_k prod_(j < k) p_j modulo the product, 0 <= a_k < p_k, and half of
// the product, rounded down, has the digits (p_k - 1) / 2.
int ExactSide::sign_of(std::span<const Word> residues) {
    const std::size_t count = residues.size();
    if (std::ranges::all_of(residues, [](Word x) { return x == 0; })) return 0;
    digits_.resize(count);
    for (std::size_t k = 0; k < count; ++k) {
        const PrimeField& field = forms_.field(taken_[k]);
        Word x = residues[k];
        for (std::size_t j = 0; j < k; ++j) {
            // Primes are so close to one another that one subtraction reduces.
            const Word digit = digits_[j] >= field.p ? digits_[j] - field.p : digits_[j];
            x = field.times(field.minus(x, digit), inverse(taken_[k], taken_[j]));
        }
        digits_[k] = x;
    }
    for (std::size_t k = count; k-- > 0;) {
        const Word half = (forms_.field(taken_[k]).p - 1) / 2;
        if (digits_[k] != half) return digits_[k] > half ? -1 : 1;
    }
    return 1;
}

// The inverse of prime p modulo prime q, by their places, in Montgomery's form.
Word ExactSide::inverse(int q, int p) {
    Word& known = inverses_[static_cast<std::size_t>(q) * MOST_PRIMES + static_cast<std::size_t>(p)];
    const PrimeField& field = forms_.field(q);
    if (known == 0) known = field.inverse(field.entered(forms_.field(p).p));
    return known;
}

}  // namespace milpcount
