// Leaves that need no proof of their own: their patterns were met between inputs found before.

#pragma once

#include "segments.hpp"

namespace milpcount {

inline constexpr int MOST_MET = 6;  // undecided units whose 2^k patterns are looked up
// Where more meet, so many regions are counted at once that points are little use.
inline constexpr int LEARNING = 2;

// Count the leaf if its pattern is met between inputs found before.
bool met_leaf(State& st, Segments& seg, const Node& a);
// Count the 2^k leaves below a node of the last layer if all their patterns were met; returns how
// many of them were, as if all were leaves.
Index count_met(State& st, Segments& seg, const Node& a, int k);
// Count the two leaves below a node that one free row may cut: 1 where they were counted, 0 where
// neither was found, -1 where the search has to branch.
int count_two(State& st, Segments& seg, Zonotope& zono, const Node& a);

}  // namespace milpcount
