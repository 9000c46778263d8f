// Leaves of the tree search: a proved point for every region that is counted.

#pragma once

#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

// Count the leaf in a slot with a proved point; false if there is no proof.
bool leaf(State& st, Zonotope& zono, Node& a);
// Append the constraints of the node's cell to `count` rows of the zonotope's; how many there are.
int take_constraints(const State& st, Zonotope& zono, const Node& a, int count = 0);
// Append free row r with this sign.
int take_free(const State& st, Zonotope& zono, const Node& a, int r, double sign, int count);
// Whether the node's cell is proved to hold no image of an input.
bool outside(const State& st, Zonotope& zono, const Node& a);

}  // namespace milpcount
