// A simplex dictionary over the unit cube: every basic variable in terms of the nonbasic ones.
//
// Columns are contiguous: entry r of column c is the coefficient of nonbasic variable c in basic
// variable r, column n holds the values.  Every nonbasic variable stands at 0.  Variables are
//
// * coordinates 0..n-1, in [0, 1]; while flip[j] is set the variable is 1 - z_j;
// * constraints (rows of the domain, decided units), at least 0;
// * free rows (undecided units), which never block and never leave the basis.
//
// Which is which is told by the bounds of the row: [0, 1], [0, inf], [-inf, inf].  So a ratio test
// is the same arithmetic for every row.  The first rows, up to `places`, belong to the units of the
// layer that are not decided when it is entered, each at a place of its own as long as it is free;
// a row that is empty has no variable and no bounds.

#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "arrays.hpp"
#include "bits.hpp"
#include "lanes.hpp"

namespace milpcount {

inline constexpr double PIVOT = 1e-11;  // entries below are taken for zero: rows have unit size
inline constexpr int BLAND = 200;  // pivots of greatest improvement before Bland's rule (no cycles)
inline constexpr int GIVE_UP = 2000;
inline constexpr double VISIBLE = 1e-11;  // least value of a row of unit size that is a sign
inline constexpr double FAR = 1e300;
inline constexpr double INFINITE = std::numeric_limits<double>::infinity();

struct Dictionary {
    int n = 0;       // nonbasic variables
    int top = 0;     // rows that are in use, to whole registers
    int stride = 0;  // from one column to the next
    int places = 0;  // of the units of the layer
    Buffer<double> table;        // n + 1 columns
    Buffer<double> lower, upper;  // bounds of the basic variables
    Buffer<std::int32_t> rowvar;  // -1 where a row is empty
    Buffer<std::int32_t> colvar;
    Buffer<std::uint8_t> flip;

    Dictionary() = default;
    Dictionary(int coordinates, int rows)
        : n(coordinates) {
        reserve(rows);
    }

    double* column(int c) { return table.data() + static_cast<std::size_t>(c) * stride; }
    const double* column(int c) const { return table.data() + static_cast<std::size_t>(c) * stride; }
    double* values() { return column(n); }
    const double* values() const { return column(n); }

    bool is_empty(int r) const { return rowvar[r] < 0; }
    bool is_free(int r) const { return lower[r] == -INFINITE && rowvar[r] >= 0; }
    bool is_constraint(int r) const { return rowvar[r] >= n && lower[r] == 0.0; }
    bool is_coordinate(int r) const { return rowvar[r] >= 0 && rowvar[r] < n; }
    // How far nonbasic variable c may rise by its own bound.
    double reach(int c) const { return colvar[c] < n ? 1.0 : FAR; }

    // Room for so many rows, all of them in use.
    void reserve(int rows) {
        top = stride = in_registers(rows);
        table.grow(static_cast<std::size_t>(n + 1) * stride);
        lower.grow(top);
        upper.grow(top);
        rowvar.grow(top);
        colvar.grow(n);
        flip.grow(n);
    }

    void copy_from(const Dictionary& other) {
        reserve(other.top);
        places = other.places;
        for (int c = 0; c <= n; ++c) copy_rows(column(c), other.column(c));
        copy_rows(lower.data(), other.lower.data());
        copy_rows(upper.data(), other.upper.data());
        std::memcpy(rowvar.data(), other.rowvar.data(), sizeof(std::int32_t) * top);
        std::memcpy(colvar.data(), other.colvar.data(), sizeof(std::int32_t) * n);
        std::memcpy(flip.data(), other.flip.data(), static_cast<std::size_t>(n));
    }

    // Empty a row: it blocks nothing and shows no sign.  The last row takes its place, unless that
    // is the place of a free row, so that few rows are empty.
    void drop(int r) {
        clear(r);
        int last = last_row();
        if (last > r && !is_free(last)) {
            move_row(r, last);
            last = last_row();
        }
        top = in_registers(last + 1);
    }

    // Leave no row empty before others; they move, so none may be free.
    void close_gaps() {
        int last = last_row();
        for (int r = 0; r < last; ++r)
            if (is_empty(r)) {
                move_row(r, last);
                last = last_row();
            }
        top = in_registers(last + 1);
    }

    // So many rows in whole registers.
    static int in_registers(int rows) {
        return (rows + Lanes::width - 1) / Lanes::width * Lanes::width;
    }
    // Copy the rows in use of one column, of numbers or bounds, to another.
    void copy_rows(double* to, const double* from) const {
        for (int r = 0; r < top; r += Lanes::width) store(to + r, load(from + r));
    }

    void negate(int r) {
        for (int c = 0; c <= n; ++c) column(c)[r] = -column(c)[r];
    }

  private:
    int last_row() const {
        int last = top - 1;
        while (last >= 0 && is_empty(last)) --last;
        return last;
    }
    void move_row(int to, int from) {
        for (int c = 0; c <= n; ++c) column(c)[to] = column(c)[from];
        lower[to] = lower[from];
        upper[to] = upper[from];
        rowvar[to] = rowvar[from];
        clear(from);
    }
    void clear(int r) {
        for (int c = 0; c <= n; ++c) column(c)[r] = 0.0;
        lower[r] = -INFINITE;
        upper[r] = INFINITE;
        rowvar[r] = -1;
    }
};

struct Step {
    double length;
    int block;  // the row that stops it; -1: the variable's own bound
};

// How soon the rows of a dictionary stop a nonbasic variable at the present vertex: for every row
// the inverse of the room that it has to fall, and to rise; 0 where there is no end, infinity where
// it stands at one.  So a ratio test has no divisions, and they are done once a vertex.
//
// All of this is a guide only.  Which row blocks may be told wrong between two that are as good as
// tied; what is counted is proved afterwards.
class Rates {
  public:
    void take(const Dictionary& d) {
        if (static_cast<int>(down_.size()) < d.top) {
            down_ = Buffer<double>(2 * d.top);
            up_ = Buffer<double>(2 * d.top);
        }
        const double* v = d.values();
        const Lanes zero = fill(0.0), one = fill(1.0), endless = fill(INFINITE);
        for (int r = 0; r < d.top; r += Lanes::width) {
            const Lanes y = load(v + r);
            store(down_.data() + r, one / larger(y - load(d.lower.data() + r), zero));
            const Lanes upper = load(d.upper.data() + r);
            // Only coordinates have an upper end.
            store(up_.data() + r, any(upper < endless) ? one / larger(upper - y, zero) : zero);
        }
    }
    // The inverse of how far nonbasic variable c may rise before a row stops it.
    double soonest(const Dictionary& d, int c) const {
        const double* t = d.column(c);
        Lanes most = fill(0.0);
        for (int r = 0; r < d.top; r += Lanes::width) most = larger(rates(t, r), most);
        return largest(most);
    }
    // How far it may rise, its own bound included, and what stops it.
    Step longest(const Dictionary& d, int c) const {
        const double most = soonest(d, c), reach = d.reach(c);
        const double step = 1.0 / most;
        if (!(step < reach)) return {reach, -1};
        const Lanes same = fill(most);
        const double* t = d.column(c);
        int r = 0;
        unsigned found = 0;
        for (;; r += Lanes::width) {
            found = bits(equal(rates(t, r), same));
            if (found != 0) break;
        }
        return {step, r + lowest_bit(found)};
    }

  private:
    Lanes rates(const double* t, int r) const {
        const Lanes x = load(t + r), size = absolute(x);
        const Lanes rate = by_sign(x, load(down_.data() + r), load(up_.data() + r)) * size;
        return choose(fill(PIVOT) < size, rate, fill(0.0));
    }
    Buffer<double> down_, up_;
};

// How far every nonbasic variable may rise at the present vertex, once it is asked for.
class Steps {
  public:
    explicit Steps(int n = 0) : known_(static_cast<std::size_t>(n)) { forget(); }
    // The vertex is another one.
    void forget() {
        for (double& length : known_) length = -1.0;
        taken_ = false;
    }
    // It is the same, in other rows.
    void move_rows() { taken_ = false; }
    double length(const Dictionary& d, int c) {
        double& known = known_[static_cast<std::size_t>(c)];
        if (known < 0.0) {
            take(d);
            known = std::min(1.0 / rates_.soonest(d, c), d.reach(c));
        }
        return known;
    }
    Step whole(const Dictionary& d, int c) {
        take(d);
        return rates_.longest(d, c);
    }

  private:
    void take(const Dictionary& d) {
        if (!taken_) rates_.take(d);
        taken_ = true;
    }
    Buffer<double> known_;  // one a column; below 0 where not
    Rates rates_;
    bool taken_ = false;
};

// Subtract factor[k] times column c from every other column k: `blocks` registers of it from row r.
template <int blocks>
inline void subtract_rows(Dictionary& d, int c, const double* factor, int r) {
    Lanes own[blocks];
    for (int b = 0; b < blocks; ++b) own[b] = load(d.column(c) + r + b * Lanes::width);
    for (int k = 0; k <= d.n; ++k) {
        if (k == c) continue;
        double* other = d.column(k) + r;
        const Lanes f = fill(factor[k]);
        for (int b = 0; b < blocks; ++b)
            store(other + b * Lanes::width, load(other + b * Lanes::width) - f * own[b]);
    }
}

// Exchange nonbasic column c with basic row p.  `factor` is room for a number a column.
inline void pivot(Dictionary& d, int c, int p, double* factor) {
    double* column = d.column(c);
    const double inverse = 1.0 / column[p];
    // x_p = a x_c + f x_k  gives  x_c = x_p / a - (f / a) x_k.
    for (int k = 0; k <= d.n; ++k) factor[k] = d.column(k)[p] * inverse;
    constexpr int step = 4 * Lanes::width;
    int r = 0;
    for (; r + step <= d.top; r += step) subtract_rows<4>(d, c, factor, r);
    switch ((d.top - r) / Lanes::width) {
        case 3: subtract_rows<3>(d, c, factor, r); break;
        case 2: subtract_rows<2>(d, c, factor, r); break;
        case 1: subtract_rows<1>(d, c, factor, r); break;
        default: break;
    }
    for (int k = 0; k <= d.n; ++k) d.column(k)[p] = -factor[k];
    const Lanes by = fill(inverse);
    for (r = 0; r < d.top; r += Lanes::width) store(column + r, load(column + r) * by);
    column[p] = inverse;
}

// Raise nonbasic variable c until row `block` (-1: its own other end) stops it.  `factor` is room
// for a number a column.
inline void move(Dictionary& d, int c, int block, double* factor) {
    double* values = d.values();
    if (block < 0) {
        // To the other end of a coordinate, where it is 0 again.
        double* column = d.column(c);
        d.flip[d.colvar[c]] ^= 1;
        const Lanes zero = fill(0.0);
        for (int r = 0; r < d.top; r += Lanes::width) {
            const Lanes x = load(column + r);
            store(values + r, load(values + r) + x);
            store(column + r, zero - x);
        }
        return;
    }
    if (d.is_coordinate(block) && d.column(c)[block] > 0.0) {
        // It leaves at its upper end: count it from there.
        d.flip[d.rowvar[block]] ^= 1;
        for (int k = 0; k < d.n; ++k) d.column(k)[block] = -d.column(k)[block];
        values[block] = 1.0 - values[block];
    }
    const std::int32_t entering = d.colvar[c];
    d.colvar[c] = d.rowvar[block];
    d.rowvar[block] = entering;
    values[block] = std::max(values[block], 0.0);
    pivot(d, c, block, factor);
    d.lower[block] = 0.0;
    d.upper[block] = entering < d.n ? 1.0 : INFINITE;
}

// Coordinates of the present vertex.
inline void vertex(const Dictionary& d, double* z) {
    for (int c = 0; c < d.n; ++c)
        if (d.colvar[c] < d.n) z[d.colvar[c]] = 0.0;
    for (int r = 0; r < d.top; ++r)
        if (d.is_coordinate(r)) z[d.rowvar[r]] = d.values()[r];
    for (int j = 0; j < d.n; ++j)
        if (d.flip[j]) z[j] = 1.0 - z[j];
}

// A point inside, seen from the present vertex: half the way along the sum of the edges of the
// columns that `along` marks (all where it is null).  `slopes` is room for a column.
// Returns the step; 0 where a constraint that is tight besides the nonbasic ones blocks it.
inline double inner_point(const Dictionary& d, const std::uint8_t* along, double* slopes,
                          double* z) {
    const Lanes zero = fill(0.0);
    const double* values = d.values();
    for (int r = 0; r < d.top; r += Lanes::width) store(slopes + r, zero);
    for (int c = 0; c < d.n; ++c) {
        if (along != nullptr && !along[c]) continue;
        const double* column = d.column(c);
        for (int r = 0; r < d.top; r += Lanes::width)
            store(slopes + r, load(slopes + r) + load(column + r));
    }
    Lanes best = fill(1.0);
    for (int r = 0; r < d.top; r += Lanes::width) {
        const Lanes x = load(slopes + r), y = load(values + r);
        const Which falls = x < zero;
        const Lanes room = larger(
            choose(falls, y - load(d.lower.data() + r), load(d.upper.data() + r) - y), zero);
        best = smaller(best, choose(falls | (zero < x), room / absolute(x), best));
    }
    double lanes[Lanes::width];
    store(lanes, best);
    double step = lanes[0];
    for (int k = 1; k < Lanes::width; ++k) step = std::min(step, lanes[k]);
    step *= 0.5;
    for (int c = 0; c < d.n; ++c)
        if (d.colvar[c] < d.n) z[d.colvar[c]] = step;
    for (int r = 0; r < d.top; ++r)
        if (d.is_coordinate(r)) z[d.rowvar[r]] = values[r] + step * slopes[r];
    for (int j = 0; j < d.n; ++j) {
        if (d.flip[j]) z[j] = 1.0 - z[j];
        z[j] = std::min(std::max(z[j], 0.0), 1.0);
    }
    return step;
}

}  // namespace milpcount
