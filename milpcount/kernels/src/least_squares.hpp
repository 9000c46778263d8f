// Least multipliers: min l K l / 2 - right . l over l >= 0 by an active set.
//
// Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23.  K is the Gram matrix of the
// rows in the coordinates that are not clipped; only the rows of the active set are ever formed.
// The first `equals` rows are equations: always active, with multipliers of any sign.

#pragma once

#include "zonotope.hpp"

namespace milpcount {

// Set the multipliers of the first m rows, starting from the active ones.
void least_multipliers(Zonotope& zono, int m, int equals);

}  // namespace milpcount
