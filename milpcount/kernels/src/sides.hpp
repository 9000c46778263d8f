// Which sides of the units' hyperplanes the cell of a node has.
//
// A side is there where a vertex of the cell lies on it, and is not where multipliers prove that it
// is empty; so each is one linear programme, solved from the vertex where the last one ended.  Its
// last step is not taken: of the neighbour where it ends the values of the units alone are worked
// out (a side that is there) or the reduced costs of the one unit (a side that is not).  And an
// optimum is not waited for: as soon as the bounds of the variables that could still raise the unit
// do not let it come to zero, the reduced costs are tried as multipliers.

#pragma once

#include "state.hpp"

namespace milpcount {

inline constexpr int NONE_LEFT = -1, DOUBT = -2;

// Decide the free rows of the node one by one, until all that are left cut it: NONE_LEFT, the row
// to branch on, or DOUBT.
int decide(State& st, Node& a);
// Whether the reduced costs of free row r at the present vertex prove that it never has this sign
// on the cell.
bool refuted(State& st, const Node& a, int r, int sign);

}  // namespace milpcount
