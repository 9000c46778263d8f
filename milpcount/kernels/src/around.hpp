// All signs around a point of the cube.
//
// Let k forms g_i, p a point of a cell and s_i directions.  The points p + e sum_i +-s_i have all
// 2^k patterns of signs and are in the cell if
//
//     |g_i(p)| + e sum_{j != i} |g_i . s_j| < e |g_i . s_i|,    e sum_j |h . s_j| < h(p)
//
// for the forms and for all constraints h of the cell.  Nothing of this need hold exactly: what is
// proved are these inequalities, with all errors of rounding.

#pragma once

#include <span>

#include "state.hpp"

namespace milpcount {

inline constexpr int MOST_FORMS = 64;

// A point of the cube and directions, one a row.
struct Around {
    Buffer<double> point;
    Matrix<double> steps;
};

// Whether these forms of the node's layer, by the places of their free rows, show all signs around
// the point, in the cell, some way along the directions (as many as forms, in the same order).
bool all_signs_around(State& st, const Node& a, const Around& around, std::span<const int> places);

}  // namespace milpcount
