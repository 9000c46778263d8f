// Homology over GF(2) of a closed complex of regular cells.
//
// First coreductions (Mrozek and Batko, Coreduction homology algorithm, 2009): take a vertex of each
// component away, then as long as there is one a cell with the only facet of its that is left.  What
// such a pair leaves has the same homology, and incidences of what is left do not change.  Of most
// complexes little is left; its boundary matrices are reduced column by column from the top down,
// where a cell that is the last one of a reduced boundary needs no column of its own (Chen and
// Kerber, Persistent homology computation with a twist, 2011).

#pragma once

#include <span>
#include <vector>

#include "arrays.hpp"

namespace milpcount {

// The Betti numbers, for every dimension.  Cells are numbered dimension by dimension, `counts` says
// how many each has; cell c has the facets facets[begin[c]] .. facets[begin[c + 1] - 1].
std::vector<Index> betti_numbers(std::span<const Index> counts, std::span<const Index> begin,
                                 std::span<const Index> facets);

}  // namespace milpcount
