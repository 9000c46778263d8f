// The subdivision for a number of inputs that is known when it is compiled.

#pragma once

#include "centre.hpp"
#include "clock.hpp"
#include "cutting.hpp"
#include "entrance.hpp"
#include "sections.hpp"

namespace milpcount {

// Cells that may have more regions are cut first, so that a run returns in time.
inline constexpr double MOST_BY_SECTIONS = 3e7;

template <int N>
class Clipping final : public Subdivision {
  public:
    Clipping(std::shared_ptr<const Net> net, Index leaf_room, bool whole,
             std::optional<IntegerFrame> integers)
        : Subdivision(std::move(net), leaf_room, whole),
          stages_(net_),
          integers_(net_, std::move(integers)),
          cutter_(net_, stages_, integers_, layout_, counters),
          entrance_(net_, stages_, integers_, cutter_, layout_, counters),
          sections_(net_, stages_),
          wanted_(static_cast<std::size_t>(layout_.widest_words)),
          both_(static_cast<std::size_t>(layout_.widest_words)) {}

    void start(const std::int8_t* signs, double share) override {
        stopped_.store(false, std::memory_order_relaxed);
        need_slot(0);
        top_ = 0;
        Cell& cell = slot(0);
        std::memcpy(cell.sign.data(), signs, static_cast<std::size_t>(net_.units));
        cell.share = share;
        cell.stage = net_.domain_rows > 0 ? -1 : 0;
        cell.phase = Phase::ENTER;
        cell.used = 0;
        cell.simple = true;
        cell.any_open = false;
        cell.fresh = true;
        cell.placed = false;
        for (int j = 0; j < 2 * N; ++j) {
            cell.rows[j] = j;
            cell.used |= bit_of(j);
        }
        cell.corners = 1 << N;
        cell.make_room(cell.corners, N, layout_);
        for (Index v = 0; v < cell.corners; ++v) {
            Word facets = 0;
            for (int j = 0; j < N; ++j) {
                const Index end = v >> j & 1;
                cell.at[v * N + j] = static_cast<double>(end);
                facets |= bit_of(2 * j + end);
            }
            cell.facets[v] = facets;
            cell.error[v] = 0.0;
            cell.null[v] = 0;
            if (layout_.whole) {
                // The first pair: off the side of the cube is positive, on it is zero.
                Word* pair = cell.signs.data() + 2 * v * layout_.stride;
                pair[0] = ~facets & (bit_of(2 * N) - 1);
                pair[1] = 0;
            }
        }
    }

    Stop run(std::int64_t steps, std::int64_t limit, bool emit, double seconds) override {
        Clock clock(seconds);
        const bool plain = !emit && !layout_.whole;
        while (top_ >= 0) {
            if (steps <= 0 || regions >= limit || stopped_.load(std::memory_order_relaxed) ||
                clock.over())
                return Stop::STEPS;
            --steps;
            ++counters.nodes;
            Cell* cell = &slot(top_);
            if (cell->phase == Phase::ENTER) {
                if (cell->stage == net_.layers) {
                    if (emit && leaves == static_cast<Index>(leaf_signs.rows())) return Stop::FULL;
                    if (!leaf(*cell, emit)) return Stop::DOUBT_NODE;
                    --top_;
                    continue;
                }
                entrance_.enter(*cell);
                cell->phase = Phase::DECIDE;
            }
            if (cell->any_open && entrance_.open(*cell)) return Stop::DOUBT_SIGNS;
            const Index cutting = find_cutting(*cell);
            if (cell->stage == net_.layers - 1 && plain && cutting <= 1) {
                // Nothing below is needed but its number.
                regions += 1 + cutting;
                --top_;
                continue;
            }
            if (cell->stage == net_.layers - 1 && plain &&
                count_by_sections(*cell, cutting, limit - regions)) {
                --top_;
                continue;
            }
            read_signs(*cell);
            if (cutting == 0) {
                entrance_.pass_all(*cell);
                ++cell->stage;
                cell->phase = Phase::ENTER;
                continue;
            }
            entrance_.pass_on(*cell, *cell);
            if (!split(*cell)) return Stop::DOUBT_NODE;
        }
        return Stop::DONE;
    }

    std::vector<OpenVertex> open_signs() override {
        std::vector<OpenVertex> out;
        Cell& cell = slot(top_);
        if (!cell.any_open) return out;
        const Index words = layout_.words[cell.stage + 1];
        for (Index v = 0; v < cell.corners; ++v) {
            OpenVertex here{v, {}, {}};
            for (Index w = 0; w < words; ++w)
                for_each_bit(cell.open_of(v, words)[w],
                             [&](int b) { here.units.push_back((w << 6) + b); });
            if (here.units.empty()) continue;
            for_each_bit(cell.facets[v], [&](int f) { here.rows.push_back(cell.rows[f]); });
            out.push_back(std::move(here));
        }
        return out;
    }

    void place_vertex(Index v, const double* at, double error) override {
        Cell& cell = slot(top_);
        if (v < 0 || v >= cell.corners) throw BadArgument("there is no such vertex");
        for (int j = 0; j < N; ++j) cell.at[v * N + j] = at[j];
        cell.error[v] = error;
    }

    void sign_vertex(Index v, Index unit, int sign) override {
        Cell& cell = slot(top_);
        if (v < 0 || v >= cell.corners || unit < 0 || unit >= stages_.width(cell.stage))
            throw BadArgument("there is no such vertex or unit");
        const Index words = layout_.words[cell.stage + 1];
        Word* pair = cell.signs_of(v, layout_, cell.stage) + 2 * (unit >> 6);
        const Word bit = bit_of(unit);
        pair[0] = sign > 0 ? pair[0] | bit : pair[0] & ~bit;
        pair[1] = sign < 0 ? pair[1] | bit : pair[1] & ~bit;
        if (cell.any_open) cell.open_of(v, words)[unit >> 6] &= ~bit;
    }

    void refine_vertex(Cell& cell, Index v) override {
        refine<N>(net_, stages_, cell.rows, cell.facets[v], cell.at.data() + v * N, cell.error[v]);
    }

  private:
    void need_slot(Index d) {
        while (static_cast<Index>(cells_.size()) <= d)
            cells_.push_back(std::make_unique<Cell>(N, net_.units, net_.widest, layout_));
    }

    // Which undecided units cut the cell (into both_), and how many; positive_ holds those that
    // are positive somewhere.
    Index find_cutting(Cell& cell) {
        const Index words = layout_.words[cell.stage + 1];
        Index total = 0;
        chosen_ = -1;
        positive_.assign(static_cast<std::size_t>(words), 0);
        for (Index w = 0; w < words; ++w) {
            both_[w] = 0;
            if (cell.todo[w] == 0) continue;
            Word pos = 0, neg = 0;
            const Word* pair = cell.signs_of(0, layout_, cell.stage) + 2 * w;
            for (Index v = 0; v < cell.corners; ++v, pair += 2 * layout_.stride) {
                pos |= pair[0];
                neg |= pair[1];
            }
            const Word both = pos & neg & cell.todo[w];
            both_[w] = both;
            positive_[static_cast<std::size_t>(w)] = pos;
            if (both != 0 && chosen_ < 0) chosen_ = (w << 6) + lowest_bit(both);
            total += count_bits(both);
        }
        return total;
    }

    // Settle the units that do not cut the cell; zero at every vertex is zero everywhere: inactive.
    void read_signs(Cell& cell) {
        const Index words = layout_.words[cell.stage + 1];
        for (Index w = 0; w < words; ++w) {
            const Word plain = cell.todo[w] & ~both_[w];
            if (plain == 0) continue;
            cell.todo[w] &= ~plain;
            counters.by_vertices += count_bits(plain);
            if (cell.stage < 0) continue;
            const Word pos = plain & positive_[static_cast<std::size_t>(w)], neg = plain & ~pos;
            std::int8_t* sign = cell.sign.data() + net_.starts[cell.stage] + (w << 6);
            for_each_bit(neg, [&](int b) { sign[b] = -2; });
            for_each_bit(pos, [&](int b) { sign[b] = 2; });
            // Cuts that were made before the task stay cuts.
            for_each_bit(plain & cell.preset[w],
                         [&](int b) { sign[b] = static_cast<std::int8_t>(sign[b] / 2); });
            entrance_.note_decided(cell.stage, w, pos, neg);
        }
    }

    // Count the regions of a cell of the last stage by sections; false where that has no proof, or
    // may take long or find more regions than are wanted.
    bool count_by_sections(Cell& cell, Index cutting, std::int64_t wanted) {
        double most = 1.0;  // no arrangement in general position has more regions, about
        for (int k = 1; k <= N; ++k)
            most *= static_cast<double>(cutting + k) / static_cast<double>(k);
        if (N == 0 || most > MOST_BY_SECTIONS || most > static_cast<double>(wanted)) return false;
        if (waiting_ > 0) {
            --waiting_;
            return false;
        }
        const Index words = layout_.words[cell.stage + 1];
        constexpr std::int64_t FAILED = Sections<N>::FAILED;
        std::int64_t found = FAILED;
        if (sections_.begin(cell, both_.data(), words, cutting) ||
            (refine_all(cell) && sections_.begin(cell, both_.data(), words, cutting)))
            found = sections_.count();
        if (found == FAILED) {
            // Where one proof fails the next ones often do: then try less often.
            ++counters.section_failures;
            waiting_ = (std::int64_t{1} << std::min<int>(failures_++, 8)) - 1;
            return false;
        }
        failures_ = 0;
        regions += found;
        counters.by_sections += found;
        return true;
    }

    // Place all vertices anew where they meet; whether one of them is known better now.
    bool refine_all(Cell& cell) {
        bool better = false;
        for (Index v = 0; v < cell.corners; ++v)
            better |= refine<N>(net_, stages_, cell.rows, cell.facets[v], cell.at.data() + v * N,
                                cell.error[v]);
        return better;
    }

    // Cut the cell along the chosen unit: this slot keeps the negative side, the next one gets the
    // positive.  False if there is no room.
    bool split(Cell& cell) {
        const Index i = chosen_, stage = cell.stage, w = i >> 6;
        Index row = i + 2 * N;
        int keep = 1;
        if (stage >= 0) {
            row += net_.domain_rows + net_.starts[stage];
            keep = cell.sign[net_.starts[stage] + i];  // not 0: a cut that was made before the task
        }
        if (~cell.used == 0) return false;
        const int place = lowest_bit(~cell.used);
        cell.rows[place] = static_cast<std::int32_t>(row);
        cutter_.sides_of(cell, i);
        for (Index k = 0; k < layout_.words[stage + 1]; ++k) wanted_[k] = both_[k];
        wanted_[w] &= ~bit_of(i);
        if (!cutter_.cross(cell, i, place, wanted_.data())) return false;
        cell.todo[w] &= ~bit_of(i);
        const auto row32 = static_cast<std::int32_t>(row);
        if (keep != 0) {
            if (!cutter_.fill(cell, cell, keep, place, row32)) return false;
            if (stage >= 0) decide(cell, cell, i, keep > 0);
            return true;
        }
        need_slot(top_ + 1);
        Cell& other = slot(top_ + 1);
        if (!cutter_.fill(cell, other, 1, place, row32)) return false;
        if (!cutter_.fill(cell, cell, -1, place, row32)) return false;
        copy_rest(cell, other);
        cell.share *= 0.5;
        other.share = cell.share;
        decide(cell, other, i, true);
        decide(cell, cell, i, false);
        ++top_;
        return true;
    }

    void decide(const Cell& from, Cell& cell, Index i, bool active) {
        cell.sign[net_.starts[cell.stage] + i] = active ? 1 : -1;
        entrance_.note_decided(cell.stage, i, active);
        entrance_.pass_on(from, cell);
    }

    // Copy what is not vertices, nor forms.
    void copy_rest(const Cell& from, Cell& to) {
        const Index stage = from.stage, words = layout_.words[stage + 1];
        to.phase = Phase::DECIDE;
        to.hidden = from.hidden;
        std::memcpy(to.sign.data(), from.sign.data(), static_cast<std::size_t>(net_.units));
        for (Index w = 0; w < words; ++w) {
            to.todo[w] = from.todo[w];
            to.preset[w] = from.preset[w];
        }
        to.fresh = from.fresh;
        to.placed = false;
    }

    // Count a leaf; when regions are kept, with a proved point: the mean of the vertices, if floats
    // prove that it is inside.  False if there is no proof.
    bool leaf(Cell& cell, bool emit) {
        if (emit) {
            double z[N > 0 ? N : 1];
            if (!proved_centre<N>(net_, stages_, cell, z)) return false;
            for (int j = 0; j < N; ++j) leaf_points[leaves][j] = z[j];
            std::memcpy(leaf_signs[leaves], cell.sign.data(), static_cast<std::size_t>(net_.units));
            ++leaves;
        }
        if (sink != nullptr) sink->take(cell);
        ++regions;
        return true;
    }

    Stages stages_;
    Integers integers_;
    Cutter<N> cutter_;
    Entrance<N> entrance_;
    Sections<N> sections_;
    std::vector<Word> positive_;
    Buffer<Word> wanted_, both_;
    Index chosen_ = -1;
    std::int64_t waiting_ = 0;  // cells until sections are tried again
    int failures_ = 0;          // in a row
};

}  // namespace milpcount
