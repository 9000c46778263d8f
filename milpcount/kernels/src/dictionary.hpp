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
// a row that is dropped stays behind empty, with no variable and no bounds.

#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "arrays.hpp"
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
    int top = 0;     // rows, padded: the length of a column
    int places = 0;  // rows of the units of the layer
    Buffer<double> table;        // n + 1 columns
    Buffer<double> lower, upper;  // bounds of the basic variables
    Buffer<std::int32_t> rowvar;  // -1 where a row is empty
    Buffer<std::int32_t> colvar;
    Buffer<std::uint8_t> flip;

    Dictionary() = default;
    Dictionary(int coordinates, int rows)
        : n(coordinates), top(rows) {
        reserve();
    }

    double* column(int c) { return table.data() + static_cast<std::size_t>(c) * top; }
    const double* column(int c) const { return table.data() + static_cast<std::size_t>(c) * top; }
    double* values() { return column(n); }
    const double* values() const { return column(n); }

    bool is_empty(int r) const { return rowvar[r] < 0; }
    bool is_free(int r) const { return lower[r] == -INFINITE && rowvar[r] >= 0; }
    bool is_constraint(int r) const { return rowvar[r] >= n && lower[r] == 0.0; }
    bool is_coordinate(int r) const { return rowvar[r] >= 0 && rowvar[r] < n; }
    // How far nonbasic variable c may rise by its own bound.
    double reach(int c) const { return colvar[c] < n ? 1.0 : FAR; }

    // Room for `top` rows.
    void reserve() {
        table.grow(static_cast<std::size_t>(n + 1) * top);
        lower.grow(top);
        upper.grow(top);
        rowvar.grow(top);
        colvar.grow(n);
        flip.grow(n);
    }

    void copy_from(const Dictionary& other) {
        top = other.top;
        places = other.places;
        reserve();
        std::memcpy(table.data(), other.table.data(),
                    sizeof(double) * static_cast<std::size_t>(n + 1) * top);
        std::memcpy(lower.data(), other.lower.data(), sizeof(double) * top);
        std::memcpy(upper.data(), other.upper.data(), sizeof(double) * top);
        std::memcpy(rowvar.data(), other.rowvar.data(), sizeof(std::int32_t) * top);
        std::memcpy(colvar.data(), other.colvar.data(), sizeof(std::int32_t) * n);
        std::memcpy(flip.data(), other.flip.data(), static_cast<std::size_t>(n));
    }

    // Empty a row: it blocks nothing and shows no sign.
    void drop(int r) {
        for (int c = 0; c <= n; ++c) column(c)[r] = 0.0;
        lower[r] = -INFINITE;
        upper[r] = INFINITE;
        rowvar[r] = -1;
    }

    void negate(int r) {
        for (int c = 0; c <= n; ++c) column(c)[r] = -column(c)[r];
    }
};

struct Step {
    double length;
    int block;  // the row that stops it; -1: the variable's own bound
};

// How far a nonbasic variable may rise.  `ratios` is room for a column.
inline Step longest_step(const Dictionary& d, int c, double reach, double* ratios) {
    const double* t = d.column(c);
    const double* v = d.values();
    const double* lower = d.lower.data();
    const double* upper = d.upper.data();
    const Lanes zero = fill(0.0), none = fill(FAR), high = fill(PIVOT), low = fill(-PIVOT);
    Lanes best = none;
    for (int r = 0; r < d.top; r += Lanes::width) {
        const Lanes x = load(t + r), y = load(v + r);
        const Which falls = x < low;
        const Which moves = falls | (high < x);
        const Lanes room =
            larger(choose(falls, y - load(lower + r), load(upper + r) - y), zero);
        const Lanes ratio = choose(moves, room / absolute(x), none);
        store(ratios + r, ratio);
        best = smaller(best, ratio);
    }
    double lanes[Lanes::width];
    store(lanes, best);
    double step = lanes[0];
    for (int k = 1; k < Lanes::width; ++k) step = std::min(step, lanes[k]);
    if (!(step < reach)) return {reach, -1};
    int r = 0;
    while (ratios[r] != step) ++r;
    return {step, r};
}

// Whether a row stops nonbasic variable c before it has risen by `step`: no divisions.
inline bool stops_before(const Dictionary& d, int c, double step) {
    const double* t = d.column(c);
    const double* v = d.values();
    const double* lower = d.lower.data();
    const double* upper = d.upper.data();
    const Lanes high = fill(PIVOT), low = fill(-PIVOT), s = fill(step);
    for (int r = 0; r < d.top; r += Lanes::width) {
        const Lanes x = load(t + r), y = load(v + r);
        const Which falls = x < low;
        const Lanes room = choose(falls, y - load(lower + r), load(upper + r) - y);
        if (any((falls | (high < x)) & (room < s * absolute(x)))) return true;
    }
    return false;
}

// Exchange nonbasic column c with basic row p.
inline void pivot(Dictionary& d, int c, int p) {
    double* column = d.column(c);
    const double inverse = 1.0 / column[p];
    for (int k = 0; k <= d.n; ++k) {
        if (k == c) continue;
        double* other = d.column(k);
        const double f = other[p] * inverse;
        if (f != 0.0) {
            // x_p = a x_c + f' x_k  gives  x_c = x_p / a - (f' / a) x_k.
            const Lanes factor = fill(f);
            for (int r = 0; r < d.top; r += Lanes::width)
                store(other + r, load(other + r) - factor * load(column + r));
        }
        other[p] = -f;
    }
    const Lanes factor = fill(inverse);
    for (int r = 0; r < d.top; r += Lanes::width) store(column + r, load(column + r) * factor);
    column[p] = inverse;
}

// Raise nonbasic variable c until row `block` (-1: its own other end) stops it.
inline void move(Dictionary& d, int c, int block) {
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
    pivot(d, c, block);
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
