// The units of a stage on a cell: brought in, their signs at the vertices told, passed on.

#pragma once

#include <algorithm>
#include <vector>

#include "cutting.hpp"

namespace milpcount {

template <int N>
class Entrance {
  public:
    Entrance(const Net& net, Stages& stages, Integers& integers, Cutter<N>& cutter,
             const Layout& layout, Counters& counters)
        : net_(net),
          stages_(stages),
          integers_(integers),
          cutter_(cutter),
          layout_(layout),
          counters_(counters),
          decided_(static_cast<std::size_t>(net.widest)) {
        find_leaky();
    }

    // Bring the units of the cell's stage in, with their signs at every vertex.
    void enter(Cell& cell) {
        const Index stage = cell.stage;
        if (stage >= 0) {
            if (!cell.placed)
                Stages::copy<N>(stage == 0 ? net_.first_forms() : forms_passed(cell, stage - 1),
                                stages_.forms(stage));
            cell.placed = false;
            cell.fresh = true;
            if (stage + 1 < net_.layers &&
                net_.skip_begin[stage + 1] != net_.skip_begin[stage + 2]) {
                const Forms next = partial_of(cell, stage + 1);
                Stages::copy<N>(stages_.start(stage + 1), next);
                add_skips(net_, next, [&](Index s) { return stages_.forms(s); },
                          cell.sign.data(), stage + 1);
                cell.fresh = false;
            }
        }
        stages_.template note_rates<N>(stage);
        integers_.entered(stage);
        find_null(cell);
        take_units_in(cell);
        evaluate(cell);
    }

    // Try the open signs of undecided units again; whether floats leave some open.
    bool open(Cell& cell) {
        const Index words = layout_.words[cell.stage + 1];
        cell.any_open = false;
        for (Index v = 0; v < cell.corners; ++v)
            for (Index w = 0; w < words; ++w) {
                const Word rest = cell.open_of(v, words)[w] & cell.todo[w];
                cell.open_of(v, words)[w] = 0;
                if (rest == 0) continue;
                Word* pair = cell.signs_of(v, layout_, cell.stage) + 2 * w;
                Word open = 0;
                for_each_bit(rest, [&](int b) {
                    const int s = cutter_.sign_at(cell, (w << 6) + b, cell.facets[v],
                                                  cell.null[v] != 0, cell.at.data() + v * N,
                                                  cell.error[v]);
                    if (s == 1) pair[0] |= bit_of(b);
                    if (s == -1) pair[1] |= bit_of(b);
                    if (s == UNKNOWN_SIGN) open |= bit_of(b);
                });
                cell.open_of(v, words)[w] = open;
                cell.any_open |= open != 0;
            }
        return cell.any_open;
    }

    // A unit of a stage is decided: what it gives is to be added to the next stage's forms.
    void note_decided(Index stage, Index i, bool active) {
        if (stage + 1 == net_.layers) return;
        const double factor = active ? 1.0 : net_.slopes[net_.starts[stage] + i];
        if (factor != 0.0) decided_[static_cast<std::size_t>(count_++)] = {i, factor};
    }

    // The same for units of word w, those that pass nothing on left out.
    void note_decided(Index stage, Index w, Word active, Word inactive) {
        if (stage + 1 == net_.layers) return;
        const Word leaky = leaky_[static_cast<std::size_t>(stage)][static_cast<std::size_t>(w)];
        for_each_bit(inactive & leaky, [&](int b) { note_decided(stage, (w << 6) + b, false); });
        for_each_bit(active, [&](int b) {
            decided_[static_cast<std::size_t>(count_++)] = {(w << 6) + b, 1.0};
        });
    }

    // Add what was decided since the last call, to the forms that `from` (a cell of the same
    // stage) has passed on.
    void pass_on(const Cell& from, Cell& cell) {
        if (count_ == 0) {
            if (&from != &cell && !cell.fresh)
                Stages::copy<N>(partial_of(from, cell.stage + 1), partial_of(cell, cell.stage + 1));
            return;
        }
        add(forms_passed(from, cell.stage), partial_of(cell, cell.stage + 1), cell.stage);
        cell.fresh = false;
    }

    // The same where no unit is left: the cell goes on to the next stage now, and nothing else
    // reads the forms there any more.
    void pass_all(Cell& cell) {
        const Index next = cell.stage + 1;
        if (cell.stage < 0 || next == net_.layers) return;
        add(forms_passed(cell, cell.stage), stages_.forms(next), cell.stage);
        cell.placed = true;
    }

  private:
    Forms partial_of(const Cell& cell, Index stage) {
        return view_of(const_cast<Cell&>(cell).partial, N, net_.widths[stage]);
    }

    // The forms of the stage after `stage` as far as its units are decided on the cell.
    Forms forms_passed(const Cell& cell, Index stage) {
        return cell.fresh ? stages_.start(stage + 1) : partial_of(cell, stage + 1);
    }

    void add(const Forms& from, const Forms& to, Index stage) {
        stages_.template add_units<N>(from, to, stage, decided_.data(), count_);
        count_ = 0;
    }

    // Whether all that the stage reads is zero at a vertex: units of the stage before that are zero
    // there, or negative and pass nothing on.  Its signs are still those of the vertices.  Then a
    // pre-activation is its bias, where the form of one is 1: in charts of the whole space it is
    // none, and zero at infinity.
    void find_null(Cell& cell) {
        const Index stage = cell.stage;
        const bool told = stage > 0 && !cell.hidden && plain_one_ &&
                          net_.skip_begin[stage] == net_.skip_begin[stage + 1];
        for (Index v = 0; v < cell.corners; ++v) cell.null[v] = told ? 1 : 0;
        if (!told) return;
        const Index words = layout_.words[stage];
        for (Index w = 0; w < words; ++w) {
            const Word leaky = leaky_[static_cast<std::size_t>(stage - 1)][static_cast<std::size_t>(w)];
            const Word* pair = cell.signs_of(0, layout_, stage - 1) + 2 * w;
            for (Index v = 0; v < cell.corners; ++v, pair += 2 * layout_.stride)
                if ((pair[0] | (pair[1] & leaky)) != 0) cell.null[v] = 0;
        }
    }

    // Which units of each stage pass something on while they are negative.
    void find_leaky() {
        plain_one_ = net_.one[N] > 0.0;
        for (int c = 0; c < N; ++c) plain_one_ = plain_one_ && net_.one[c] == 0.0;
        for (Index l = 0; l < net_.layers; ++l) {
            leaky_.emplace_back(static_cast<std::size_t>(layout_.words[l + 1]), Word{0});
            for (Index i = 0; i < net_.widths[l]; ++i)
                if (net_.slopes[net_.starts[l] + i] != 0.0)
                    leaky_.back()[static_cast<std::size_t>(i >> 6)] |= bit_of(i);
        }
    }

    // All units of the stage are undecided, but for those preset as implied.
    void take_units_in(Cell& cell) {
        const Index stage = cell.stage, width = stages_.width(stage);
        const Index words = layout_.words[stage + 1];
        for (Index w = 0; w < words; ++w) {
            const Index here = std::min<Index>(64, width - (w << 6));
            cell.todo[w] = here == 64 ? ~Word{0} : bit_of(here) - 1;
            cell.preset[w] = 0;
        }
        cell.hidden = false;
        if (stage < 0) return;
        const std::int8_t* sign = cell.sign.data() + net_.starts[stage];
        count_ = 0;
        for (Index i = 0; i < width; ++i) {
            if (sign[i] == 0) continue;
            if (sign[i] == 1 || sign[i] == -1) {
                cell.preset[i >> 6] |= bit_of(i);
            } else {
                cell.todo[i >> 6] &= ~bit_of(i);
                cell.hidden = true;
                note_decided(stage, i, sign[i] > 0);
            }
        }
        pass_on(cell, cell);
    }

    // The signs of all undecided units at all vertices.
    void evaluate(Cell& cell) {
        const Index stage = cell.stage, words = layout_.words[stage + 1];
        cell.any_open = false;
        for (Index v = 0; v < cell.corners; ++v) {
            Word* pairs = cell.signs_of(v, layout_, stage);
            stages_.template signs_at<N>(stage, cell.at.data() + v * N, cell.error[v], words, pairs);
            for (Index w = 0; w < words; ++w) {
                pairs[2 * w] &= cell.todo[w];
                pairs[2 * w + 1] &= cell.todo[w];
                Word rest = cell.todo[w] & ~(pairs[2 * w] | pairs[2 * w + 1]);
                if (rest != 0) evaluate_one_by_one(cell, v, w, rest);
            }
        }
    }

    // Signs of one vertex that the bounds common to all leave open.
    void evaluate_one_by_one(Cell& cell, Index v, Index w, Word rest) {
        const Index stage = cell.stage, words = layout_.words[stage + 1];
        Word* pair = cell.signs_of(v, layout_, stage) + 2 * w;
        Word open = 0;
        for_each_bit(rest, [&](int b) {
            const int s = cutter_.sign_at(cell, (w << 6) + b, cell.facets[v], cell.null[v] != 0,
                                          cell.at.data() + v * N, cell.error[v]);
            if (s == 1) pair[0] |= bit_of(b);
            if (s == -1) pair[1] |= bit_of(b);
            if (s == UNKNOWN_SIGN) open |= bit_of(b);
        });
        if (open == 0) return;
        counters_.open_signs += count_bits(open);
        if (!cell.any_open) {
            cell.any_open = true;
            cell.open.grow(static_cast<std::size_t>(cell.corners * words));
            std::fill(cell.open.data(), cell.open.data() + cell.corners * words, Word{0});
        }
        cell.open_of(v, words)[w] = open;
    }

    const Net& net_;
    Stages& stages_;
    Integers& integers_;
    Cutter<N>& cutter_;
    const Layout& layout_;
    Counters& counters_;
    std::vector<std::vector<Word>> leaky_;
    bool plain_one_ = false;  // whether the form of one is constant
    Buffer<Decided> decided_;  // since forms were passed on last, so many:
    Index count_ = 0;
};

}  // namespace milpcount
