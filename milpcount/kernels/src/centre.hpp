// A proved point of a cell of the subdivision: the mean of its vertices.

#pragma once

#include <algorithm>
#include <cmath>

#include "cell.hpp"
#include "vertices.hpp"

namespace milpcount {

// Whether `sign` times form u is positive at z (in the cube), rounding errors included.
template <int N>
bool holds(const Forms& f, Index u, double sign, const double* z) {
    double value = f.at(N, u), size = std::abs(value);
    for (int c = 0; c < N; ++c) {
        const double p = f.at(c, u) * z[c];
        value += p;
        size += std::abs(p);
    }
    return sign * value > f.at(N + 1, u) + gamma(N + 1) * size + TINY;
}

// Puts the mean of the vertices into z; whether floats prove that it is inside the cell.
template <int N>
bool proved_centre(const Net& net, Stages& stages, const Cell& cell, double* z) {
    for (int j = 0; j < N; ++j) {
        double total = 0.0;
        for (Index v = 0; v < cell.corners; ++v) total += cell.at[v * N + j];
        z[j] = std::min(std::max(total / static_cast<double>(cell.corners), 0.0), 1.0);
    }
    for (Word rest = cell.used; rest != 0; rest &= rest - 1) {
        const RowForm form = form_of(net, cell.rows[lowest_bit(rest)]);
        if (form.stage == -2) continue;
        double sign = 1.0;
        if (form.stage >= 0)
            sign = cell.sign[net.starts[form.stage] + form.place] > 0 ? 1.0 : -1.0;
        if (!holds<N>(stages.forms(form.stage), form.place, sign, z)) return false;
    }
    return true;
}

}  // namespace milpcount
