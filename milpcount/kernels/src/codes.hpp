// What the two searches have in common: why a run stops, verdicts, the signs of units.

#pragma once

namespace milpcount {

// Why a run stopped.
enum class Stop : int {
    STEPS = 0,        // it took so many steps, or found so many regions, as it was told to
    DONE = 1,         // nothing is left
    DOUBT_SIDE = 2,   // floats do not decide whether the unit has the other sign too
    DOUBT_NODE = 3,   // the present node has to be searched in another way
    FULL = 4,         // the room for leaves is full
    GROW = 5,         // (inside the kernels: the search went deeper than there was room)
    DOUBT_SIGNS = 6,  // signs at vertices of the present cell are open in floats
};

// Verdicts of exact arithmetic on a side in doubt.
enum class Verdict : int {
    OPEN = 0,     // none given
    EMPTY = 1,    // there is no such side
    SETTLED = 2,  // it is not empty and was searched elsewhere
};

// Signs of units are 0 (undecided), 1 and -1 (decided by a cut: a row of the cell), 2 and -2
// (implied: proved on the cell, no row).

}  // namespace milpcount
