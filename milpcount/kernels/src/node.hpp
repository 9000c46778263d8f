// A node of the tree search: its rows, its signs, and what is known of the next layer.

#pragma once

#include "arrays.hpp"
#include "bits.hpp"
#include "dictionary.hpp"

namespace milpcount {

enum class Stage : std::uint8_t {
    ENTER = 0,      // the rows of the layer are not there yet
    DECIDE = 1,     // some of its units are not decided
    COME_BACK = 2,  // it was branched on: one side is left
};

// Signs are 0 (undecided), 1 and -1 (decided by a cut: the unit's row is a constraint of the cell),
// 2 and -2 (implied: proved on the cell, no row).
struct Node {
    Dictionary rows;
    Buffer<std::int8_t> sign;
    // Units with rows that are constraints, by their sign: bits, every layer in words of its own.
    Buffer<Word> active, inactive;
    Matrix<double> partial;  // forms of the next layer, as far as the signs of this one are known
    // By the places of the units in the dictionary: not decided; seen with this sign at a vertex.
    Buffer<Word> free, above, below;
    // The same two at vertices that were visited, one after the other.
    Buffer<Word> marks;
    int marked = 0;
    Index layer = 0;
    Stage stage = Stage::ENTER;
    Index unit = 0;      // to come back for, with its sign
    int side = 0;
    double share = 0.0;  // of the whole tree, below this node
};

}  // namespace milpcount
