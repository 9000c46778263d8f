// Sums on the tape: multipliers and witnesses rounded to as few bits as still prove.
//
// Each is tried with more and more bits, and proved again, in floats with their bounds on rounding,
// as it will stand in the certificate.  False means that none of them did.  Where no certificate is
// wanted nothing is done and true returned.

#pragma once

#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

// Write that free row r never has this sign, with st.costs as multipliers.
bool record_sum(State& st, const Node& a, int r, int sign);
// Write that the cell of the first m rows holds no image of an input.
bool record_separation(State& st, Zonotope& zono, int m);
// Write the region whose witness was found, by the weights of the first layer's units.
bool record_spread(State& st, Zonotope& zono, int m);
// Write the region with the shortest point near z that is proved.
bool record_point(State& st, const Node& a, const double* z);

}  // namespace milpcount
