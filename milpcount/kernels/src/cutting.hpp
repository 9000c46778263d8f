// One cut through a cell: the vertices on either side, and a new one on every edge that it crosses.
//
// Two vertices span an edge if no third one lies on all their common facets (Fukuda and Prodon,
// Double description method revisited, 1996), in degenerate polytopes too.  Where every vertex lies
// on exactly n facets, sharing n - 1 of them is enough.

#pragma once

#include <algorithm>
#include <cmath>

#include "integers.hpp"
#include "subdivision.hpp"
#include "vertices.hpp"

namespace milpcount {

// New vertices of a cut, before they are dealt to the sides, and where each old vertex lies.
struct Fresh {
    Index count = 0;
    Buffer<double> at;
    Buffer<double> error;
    Buffer<Word> facets;
    Buffer<Word> signs;  // pairs, as in a cell
    Buffer<Word> open;
    Buffer<std::uint8_t> null;
    bool any_open = false;
    std::vector<Index> above, below, on;  // vertices of the cell by side
    Buffer<Word> below_facets;
    Buffer<double> value, delta;  // of the cutting form at the vertices

    void make_room(Index vertices, Index n, const Layout& layout) {
        const auto count_ = static_cast<std::size_t>(vertices);
        if (count_ <= error.size()) return;
        const std::size_t more = std::max(count_, 2 * error.size());
        at.grow(more * static_cast<std::size_t>(n));
        error.grow(more);
        facets.grow(more);
        null.grow(more);
        signs.grow(2 * more * static_cast<std::size_t>(layout.stride));
        open.grow(more * static_cast<std::size_t>(layout.widest_words));
    }
};

template <int N>
class Cutter {
  public:
    Cutter(const Net& net, Stages& stages, Integers& integers, const Layout& layout,
           Counters& counters)
        : net_(net), stages_(stages), integers_(integers), layout_(layout), counters_(counters) {}

    // The sign of a unit of the cell's stage at a vertex, old or new: in floats; where all that the
    // stage reads is zero, that of the bias; in integers.  UNKNOWN_SIGN where none of them tells.
    int sign_at(Cell& cell, Index u, Word facets, bool null, double* at, double& error) {
        int s = classify<N>(net_, stages_, cell.rows, facets, at, error, cell.stage, u);
        if (s != UNKNOWN_SIGN) return s;
        if (null) {
            const double bias = net_.biases[net_.starts[cell.stage] + u];
            return bias > 0.0 ? 1 : bias < 0.0 ? -1 : 0;
        }
        s = integers_.template sign<N>(cell.rows, facets, cell.sign.data(), cell.stage, u, at, error);
        counters_.by_integers += s != UNKNOWN_SIGN ? 1 : 0;
        return s;
    }

    // Sort the vertices of the cell by their sign for a unit of its stage.
    void sides_of(Cell& cell, Index unit) {
        fresh_.above.clear();
        fresh_.below.clear();
        fresh_.on.clear();
        const Word bit = bit_of(unit);
        const Index w = unit >> 6;
        for (Index v = 0; v < cell.corners; ++v) {
            const Word* pair = cell.signs_of(v, layout_, cell.stage) + 2 * w;
            if (pair[0] & bit)
                fresh_.above.push_back(v);
            else if (pair[1] & bit)
                fresh_.below.push_back(v);
            else
                fresh_.on.push_back(v);
        }
    }

    // The new vertices of a cut along the unit, on a facet in this slot; signs that differ at the
    // ends of an edge are evaluated for the units of `wanted` (words of the stage).  False if there
    // is no room.
    bool cross(Cell& cell, Index unit, int slot, const Word* wanted) {
        Fresh& f = fresh_;
        f.count = 0;
        f.any_open = false;
        measure(cell, unit);
        f.below_facets.grow(f.below.size());
        for (std::size_t k = 0; k < f.below.size(); ++k)
            f.below_facets[k] = cell.facets[f.below[k]];
        pairs_.resize(f.below.size());
        for (const Index a : f.above) {
            const Word mine = cell.facets[a];
            // Without branches: most pairs are no edges, and which are cannot be foreseen.
            std::size_t found = 0;
            for (std::size_t k = 0; k < f.below.size(); ++k) {
                pairs_[found] = f.below[k];
                found += count_bits(mine & f.below_facets[k]) >= N - 1 ? 1U : 0U;
            }
            for (std::size_t k = 0; k < found; ++k) {
                const Index b = pairs_[k];
                const Word common = mine & cell.facets[b];
                if (!cell.simple && !adjacent(cell, common)) continue;
                if (f.count >= MAX_CORNERS) return false;
                f.make_room(f.count + 1, N, layout_);
                place(cell, a, b, common, slot);
                sign(cell, a, b, wanted);
                ++f.count;
            }
        }
        counters_.vertices += f.count;
        return true;
    }

    // Put the vertices of one side, and the new ones, into `to`, which may be the cell itself.
    // False if there is no room.
    bool fill(Cell& cell, Cell& to, int side, int slot, std::int32_t row) {
        Fresh& f = fresh_;
        const std::vector<Index>& kept = side > 0 ? f.above : f.below;
        const Index total = static_cast<Index>(kept.size() + f.on.size()) + f.count;
        if (total > MAX_CORNERS) return false;
        to.make_room(total, N, layout_);
        const Index words = layout_.words[cell.stage + 1];
        if (&to != &cell) {
            std::memcpy(to.rows, cell.rows, sizeof(cell.rows));
            to.stage = cell.stage;
        }
        to.any_open = f.any_open;
        if (to.any_open) {
            to.open.grow(static_cast<std::size_t>(total * words));
            std::fill(to.open.data(), to.open.data() + total * words, Word{0});
        }
        const Word new_bit = bit_of(slot);
        // Old vertices keep their order, so that in place none is overwritten before it is read.
        Index k = 0;
        std::size_t i = 0, j = 0;
        while (i < kept.size() || j < f.on.size()) {
            const bool from_on = i == kept.size() || (j < f.on.size() && f.on[j] < kept[i]);
            const Index v = from_on ? f.on[j++] : kept[i++];
            copy_vertex(cell, v, to, k);
            if (from_on) to.facets[k] |= new_bit;
            ++k;
        }
        for (Index v = 0; v < f.count; ++v, ++k) {
            for (int c = 0; c < N; ++c) to.at[k * N + c] = f.at[v * N + c];
            to.error[k] = f.error[v];
            to.facets[k] = f.facets[v];
            to.null[k] = f.null[v];
            std::memcpy(to.signs.data() + 2 * k * layout_.stride,
                        f.signs.data() + 2 * v * layout_.stride,
                        static_cast<std::size_t>(2 * layout_.stride) * sizeof(Word));
            if (to.any_open)
                std::memcpy(to.open_of(k, words), f.open.data() + v * words,
                            static_cast<std::size_t>(words) * sizeof(Word));
        }
        to.corners = k;
        to.rows[slot] = row;
        forget_small_facets(to);
        return true;
    }

  private:
    // No third vertex lies on all common facets of two.
    static bool adjacent(const Cell& cell, Word common) {
        int on = 0;
        for (Index v = 0; v < cell.corners; ++v) {
            on += (cell.facets[v] & common) == common ? 1 : 0;
            if (on > 2) return false;
        }
        return true;
    }

    // The cutting form at all vertices, with the bounds of its errors.
    void measure(Cell& cell, Index unit) {
        const Forms form = stages_.forms(cell.stage);
        const double own = stages_.own_error(cell.stage)[unit];
        const double rate = stages_.error_rate(cell.stage)[unit];
        fresh_.value.grow(static_cast<std::size_t>(cell.corners));
        fresh_.delta.grow(static_cast<std::size_t>(cell.corners));
        for (Index v = 0; v < cell.corners; ++v) {
            fresh_.value[v] = value_of<N>(form, unit, cell.at.data() + v * N);
            fresh_.delta[v] = own + rate * cell.error[v];
        }
    }

    // A new vertex between a (positive) and b (negative), and how far off it may be.
    void place(Cell& cell, Index a, Index b, Word common, int slot) {
        Fresh& f = fresh_;
        const double value_a = f.value[a], value_b = f.value[b];
        const double delta_a = f.delta[a], delta_b = f.delta[b];
        // Vertices placed by exact arithmetic may have values of no sign here: then the crossing
        // may be anywhere on the edge.
        const double span = value_a - value_b, left = span - delta_a - delta_b;
        double t = 0.5, blur = 0.5;
        if (left > 0.0) {
            t = std::min(std::max(value_a / span, 0.0), 1.0);
            blur = std::min(1.0, 1.01 * ((1.0 - t) * delta_a + t * delta_b) / left + 4 * ROUNDOFF);
        }
        const double* at_a = cell.at.data() + a * N;
        const double* at_b = cell.at.data() + b * N;
        double* at = f.at.data() + f.count * N;
        double length = 0.0;
        for (int j = 0; j < N; ++j) {
            const double step = at_b[j] - at_a[j];
            length = std::max(length, std::abs(step));
            at[j] = at_a[j] + t * step;
        }
        f.error[f.count] = std::max(cell.error[a], cell.error[b]) + blur * length + 8 * ROUNDOFF;
        f.facets[f.count] = common | bit_of(slot);
        f.null[f.count] = cell.null[a] & cell.null[b];
    }

    // The new vertex's signs: zero at one end and a sign at the other gives that sign; where the
    // ends differ the form is evaluated.
    void sign(Cell& cell, Index a, Index b, const Word* wanted) {
        Fresh& f = fresh_;
        const Index v = f.count, first = layout_.first[cell.stage + 1];
        const Index words = layout_.words[cell.stage + 1];
        const Word* of_a = cell.signs.data() + 2 * a * layout_.stride;
        const Word* of_b = cell.signs.data() + 2 * b * layout_.stride;
        Word* pairs = f.signs.data() + 2 * v * layout_.stride;
        // Of other stages, and of the sides of the cube, no two signs differ.
        for (Index w = 0; w < 2 * (first + words); ++w) pairs[w] = of_a[w] | of_b[w];
        for (Index w = 0; w < words; ++w) {
            Word* pair = pairs + 2 * (first + w);
            Word mixed = pair[0] & pair[1];
            pair[0] &= ~mixed;
            pair[1] &= ~mixed;
            mixed &= wanted[w];
            Word open = 0;
            while (mixed != 0) {
                const Word bit = mixed & (~mixed + 1);
                const Index u = (w << 6) + lowest_bit(mixed);
                mixed &= mixed - 1;
                const int s = sign_at(cell, u, f.facets[v], f.null[v] != 0, f.at.data() + v * N,
                                      f.error[v]);
                if (s == 1) pair[0] |= bit;
                if (s == -1) pair[1] |= bit;
                if (s == UNKNOWN_SIGN) open |= bit;
            }
            f.open[v * words + w] = open;
            counters_.open_signs += count_bits(open);
            f.any_open |= open != 0;
        }
    }

    void copy_vertex(const Cell& from, Index v, Cell& to, Index k) {
        if (&from == &to && v == k) return;
        for (int c = 0; c < N; ++c) to.at[k * N + c] = from.at[v * N + c];
        to.error[k] = from.error[v];
        to.facets[k] = from.facets[v];
        to.null[k] = from.null[v];
        const auto pairs = static_cast<std::size_t>(2 * layout_.stride);
        std::memmove(to.signs.data() + static_cast<std::size_t>(k) * pairs,
                     from.signs.data() + static_cast<std::size_t>(v) * pairs,
                     pairs * sizeof(Word));
    }

    // Forget facets with too few vertices to be any.
    static void forget_small_facets(Cell& cell) {
        constexpr int ENOUGH = N > 0 ? N : 1;
        Word seen[ENOUGH] = {};  // seen[k]: on more than k vertices
        for (Index v = 0; v < cell.corners; ++v) {
            const Word on = cell.facets[v];
            for (int k = ENOUGH - 1; k > 0; --k) seen[k] |= seen[k - 1] & on;
            seen[0] |= on;
        }
        const Word used = seen[ENOUGH - 1];
        bool simple = true;
        for (Index v = 0; v < cell.corners; ++v) {
            cell.facets[v] &= used;
            simple &= count_bits(cell.facets[v]) == N;
        }
        cell.used = used;
        cell.simple = simple;
    }

    const Net& net_;
    Stages& stages_;
    Integers& integers_;
    const Layout& layout_;
    Counters& counters_;
    Fresh fresh_;
    std::vector<Index> pairs_;
};

}  // namespace milpcount
