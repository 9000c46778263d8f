// Which sides of the units' hyperplanes the cell of a node has.
//
// A side is there where a vertex of the cell lies on it, and is not where multipliers prove that it
// is empty; so each is one linear programme (seeking.hpp), from the vertex where the last one ended.

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
