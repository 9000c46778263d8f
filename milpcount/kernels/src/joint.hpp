// The last layer without branching: all sign patterns around one point.
//
// Let k units of the last layer cut a cell P.  If there is a point p inside where all of their forms
// g_i vanish, and directions s_i with g_j(s_i) = 0 for j != i but not for j = i (the normals are
// independent), then the points p + e sum_i +-s_i have all 2^k patterns, and for small e they are
// inside.  So they are 2^k regions, from one linear programme.  Nothing of this need hold exactly:
// what is proved is that for each choice of signs
//
//     |g_i(p)| + e sum_{j != i} |g_i . s_j| < e |g_i . s_i|,    e sum_j |h . s_j| < h(p)
//
// for the units i and all constraints h of the cell, with all errors of rounding.  Where there is
// no such point, or it cannot be proved, the search branches as ever.
//
// In the cube of the search p is a vertex of the intersection, moved inward along its edges, and
// the columns of the dictionary are the directions.  Where the cube is only a relaxation p is the
// image of the point nearest the centre, and the directions are least in units of the room that
// each input has.

#pragma once

#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

// Whether k units are likely enough to meet in the cell of the node.  An attempt costs about as
// much as one leaf, and success saves `saved` of them.
bool worth_trying(State& st, const Node& a, int k, double saved);
// Count all 2^k leaves below the node in a slot, whose k free rows all cut it, if they meet; false,
// with nothing counted, where there is no proof that they do.
bool jointly(State& st, Zonotope& zono, Index d, int k);

bool all_signs_in_cube(State& st, const Zonotope& zono, const Node& a, int k, double limit, Word face);
}  // namespace milpcount
