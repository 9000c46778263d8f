// A cell of the subdivision: a polytope given by all its vertices, and where the search stands.
//
// Each vertex has coordinates in the unit cube, a bound on the error of every coordinate, the set
// of facets that it lies on (bits of a word), and its sign for every unit of the present stage: a
// pair of words, positive and negative; in neither is a zero.  When whole sign vectors are wanted,
// the pairs of all stages and of the sides of the domain are kept one after the other.

#pragma once

#include <vector>

#include "bits.hpp"
#include "forms.hpp"

namespace milpcount {

inline constexpr int MAX_FACETS = 64;

enum class Phase : int { ENTER, DECIDE };

// What the words of a vertex hold: where the pairs of each stage begin.
struct Layout {
    Index stride = 0;              // pairs of words a vertex
    std::vector<Index> first;      // first[stage + 1]: of stage -1 (the domain's rows), 0, 1, ...
    std::vector<Index> words;      // words[stage + 1]
    bool whole = false;            // whether all stages are kept; then pair 0 is of the cube's sides
    Index widest_words = 0;        // of any stage
};

struct Cell {
    Index corners = 0;
    Index room = 0;  // vertices there is room for
    Buffer<double> at;
    Buffer<double> error;
    Buffer<Word> facets;
    Buffer<Word> signs;
    Buffer<Word> open;  // signs of the present stage that floats leave open; only if any_open
    Buffer<std::uint8_t> null;  // whether all that the stage reads is zero at a vertex
    bool any_open = false;
    bool hidden = false;     // whether signs of the stage were given: then vertices do not tell them
    bool simple = true;      // every vertex lies on exactly n facets
    std::int32_t rows[MAX_FACETS] = {};  // what each facet is; see Row in subdivision.hpp
    Word used = 0;                       // facets
    Buffer<std::int8_t> sign;            // of all units
    Index stage = 0;
    Phase phase = Phase::ENTER;
    Buffer<Word> todo;    // units of the stage that are not decided
    Buffer<Word> preset;  // units of the stage whose sign is a cut made before the task
    Matrix<double> partial;  // forms of the next stage as far as units of this one are decided,
    bool fresh = true;       // unless none that passes anything on is
    bool placed = false;     // whether the forms of the stage to be entered are in their place
    double share = 0.0;  // of the whole tree, below this cell

    Cell(Index n, Index units, Index widest, const Layout& layout)
        : sign(static_cast<std::size_t>(units)),
          todo(static_cast<std::size_t>(layout.widest_words)),
          preset(static_cast<std::size_t>(layout.widest_words)),
          partial(static_cast<std::size_t>(n + 2), static_cast<std::size_t>(widest)) {}

    void make_room(Index count, Index n, const Layout& layout) {
        if (count <= room) return;
        room = std::max<Index>(count, 2 * room);
        at.grow(static_cast<std::size_t>(room * n));
        error.grow(static_cast<std::size_t>(room));
        facets.grow(static_cast<std::size_t>(room));
        null.grow(static_cast<std::size_t>(room));
        signs.grow(static_cast<std::size_t>(2 * room * layout.stride));
    }
    Word* signs_of(Index v, const Layout& layout, Index stage_) {
        return signs.data() + 2 * (v * layout.stride + layout.first[stage_ + 1]);
    }
    Word* open_of(Index v, Index words) { return open.data() + v * words; }
};

}  // namespace milpcount
