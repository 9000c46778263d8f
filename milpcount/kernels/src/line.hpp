// The last layer behind a layer with one active unit: breakpoints on a line.
//
// All forms of the layer are then w_k t + b_k in one number t, so units that change sign in a cell
// do so at breakpoints -b_k / w_k of t, and k different ones make k + 1 regions if there is a point
// of the cell below the least and one above the greatest: the segment between them meets all.  Two
// linear programmes and a sort instead of a branching for each.

#pragma once

#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

// The place of the only active unit of the layer before; -1 where there is no such unit.
Index only_active(const State& st, const Node& a);
// Count the leaves below the node, whose free rows all cut it; the only active unit in the layer
// before is the one at place `before`.  False, with nothing counted, where floats prove no count.
bool on_a_line(State& st, Zonotope& zono, Node& a, Index before);

}  // namespace milpcount
