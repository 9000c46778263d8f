// Networks modulo a prime, one pass for each pattern.

#pragma once

#include "arrays.hpp"

namespace milpcount {

// A chain at a point modulo a prime below 2^30: the pre-activations of the first layer there; the
// weights and biases of the later layers, one after the other; the slopes of all units.
struct Residues {
    Buffer<Index> widths, first, weights, biases, slopes;
    Index prime = 0;

    Index units() const { return static_cast<Index>(slopes.size()); }
};

// Fill in the pre-activations g and the outputs h of all units under a pattern.
void forward(const Residues& net, const Index* first, const std::uint8_t* bits, Index* g, Index* h);

// Whether two units may have proportional forms, or one the form 0, judging by their values a and b
// at two points: f(a) g(b) = f(b) g(a).  Units marked `constant` are compared with zero only, those
// marked `linear` not at all.
bool coincide(const Residues& net, const Index* a, const Index* b, const std::uint8_t* constant,
              const std::uint8_t* linear);

}  // namespace milpcount
