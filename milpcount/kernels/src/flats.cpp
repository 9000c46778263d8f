#include "flats.hpp"

#include <cmath>

#include "joint.hpp"
#include "leaves.hpp"
#include "proofs.hpp"

namespace milpcount {

namespace {

constexpr double MOST_FACES = 1 << 18;  // that a cell may have: what is between two looks at limits
constexpr int PIVOTS_A_FACE = 40;
constexpr Index MOST_LOST = 4, RETRY_FACES = 64;  // attempts a success; left out before one more

}  // namespace

bool Flats::worth_trying(const State& st, const Zonotope& zono, const Node& a) {
    if ((zono.present() && !zono.onto()) || a.rows.places > 64) return false;
    const int k = free_rows(a);
    // Forms of a layer depend on no more numbers than an earlier layer has units that pass.
    const Net& net = st.net;
    int rank = st.n;
    for (Index layer = 0; layer < a.layer; ++layer) {
        if (net.skip_begin[layer + 1] < net.skip_begin[net.layers]) break;
        const std::int8_t* sign = a.sign.data() + net.starts[layer];
        const std::uint8_t* passes = st.passes.data() + net.starts[layer];
        int count = 0;
        for (Index i = 0; i < net.widths[layer]; ++i) count += (sign[i] > 0) | passes[i];
        rank = std::min(rank, count);
    }
    double faces = 1.0, choices = 1.0;
    for (int i = 1; i <= std::min(k, rank) && faces <= MOST_FACES; ++i) {
        choices *= static_cast<double>(k - i + 1) / i;
        faces += choices;
    }
    if (faces > MOST_FACES) return false;
    // Where floats often leave something open, as on degenerate networks, most are left out.
    ++tried_;
    return MOST_LOST * (won_ + 1) >= tried_ || tried_ % RETRY_FACES == 0;
}

bool Flats::count(State& st, Zonotope& zono, const Node& a) {
    if (!worth_trying(st, zono, a)) return false;
    node_ = &a;
    faces_.clear();
    none_.clear();
    found_ = 0;
    if (levels_.empty()) levels_.emplace_back();
    Level& root = levels_[0];
    root.rows.n = st.n;
    root.rows.copy_from(a.rows);
    root.above = root.below = a.free[0];
    root.fixed.assign(static_cast<std::size_t>(st.n), 0);
    if (visit(st, zono, 0, 0, a.free[0]) == Face::OPEN) return false;
    ++won_;
    st.counters.flats += static_cast<Index>(faces_.size());
    st.counters.by_flats += found_;
    st.counters.by_point += found_;
    st.counters.jointly += found_;
    st.regions += found_;
    return true;
}

bool Flats::covered(Word face) const {
    for (std::size_t k = faces_.size(); k-- > 0;)
        if ((face & ~faces_[k]) == 0) return true;
    return false;
}

bool Flats::excluded(Word face) const {
    for (const Word none : none_)
        if ((none & ~face) == 0) return true;
    return false;
}

// Count the faces that contain `face` and more of `others`, all of which come after its last.
Flats::Face Flats::visit(State& st, Zonotope& zono, std::size_t depth, Word face, Word others) {
    bool known = covered(face);
    while (others != 0) {
        const int r = lowest_bit(others);
        others &= others - 1;
        const Word next = face | bit_of(r);
        if (covered(next | others)) {
            found_ += Index{1} << count_bits(others);
            known = true;
            continue;
        }
        if (excluded(next)) continue;
        if (levels_.size() < depth + 2) levels_.emplace_back();
        if (!descend(st, depth, r)) return Face::OPEN;
        Word rest = others;
        if (!sift(st, depth + 1, next, rest)) return Face::OPEN;
        const Face below = visit(st, zono, depth + 1, next, rest);
        if (below == Face::OPEN) return below;
        if (below == Face::YES) known = true;
        if (known) continue;
        const Face here = witness(st, zono, levels_[depth], face);
        if (here != Face::YES) return here;
        known = true;
    }
    if (!known) {
        const Face here = witness(st, zono, levels_[depth], face);
        if (here != Face::YES) return here;
    }
    ++found_;
    return Face::YES;
}

// Make row r of the level nonbasic at 0 on the next one.
bool Flats::descend(State& st, std::size_t depth, int r) {
    const Level& from = levels_[depth];
    Level& to = levels_[depth + 1];
    to.rows.n = st.n;
    to.rows.copy_from(from.rows);
    to.fixed = from.fixed;
    to.above = to.below = 0;
    Dictionary& d = to.rows;
    turn_[r] = 1.0;
    if (d.values()[r] < 0.0) {
        d.negate(r);
        turn_[r] = -1.0;
    }
    d.lower[r] = 0.0;
    const std::int32_t var = d.rowvar[r];
    for (int iteration = 0; iteration < PIVOTS_A_FACE; ++iteration) {
        int best = -1;
        double best_gain = -1.0;
        st.rates.take(d);
        for (int c = 0; c < d.n; ++c) {
            const double cost = -d.column(c)[r];
            if (cost <= PIVOT || to.fixed[static_cast<std::size_t>(c)]) continue;
            const double gain = cost * std::min(1.0 / st.rates.soonest(d, c), d.reach(c));
            if (gain > best_gain) {
                best = c;
                best_gain = gain;
            }
        }
        if (best < 0) return false;
        const Step step = st.rates.longest(d, best);
        if (step.length >= FAR) return false;
        ++st.counters.pivots;
        move(d, best, step.block, st.factor.data());
        if (d.colvar[best] == var) {
            to.fixed[static_cast<std::size_t>(best)] = 1;
            return true;
        }
    }
    return false;
}

// Keep those of the other forms that have both signs on the flat; false if floats cannot tell.
bool Flats::sift(State& st, std::size_t depth, Word face, Word& others) {
    Level& level = levels_[depth];
    const double* values = level.rows.values();
    const auto look = [&] {
        const int top = 64 - std::countl_zero(others);
        const Lanes high = fill(VISIBLE), low = fill(-VISIBLE);
        for (int r = 0; r < top; r += Lanes::width) {
            const Lanes x = load(values + r);
            level.above |= static_cast<Word>(bits(high < x)) << r;
            level.below |= static_cast<Word>(bits(x < low)) << r;
        }
    };
    if (others == 0) return true;
    look();
    for (Word rest = others; rest != 0; rest &= rest - 1) {
        const int r = lowest_bit(rest);
        const Word bit = bit_of(r);
        if ((level.above & level.below & bit) != 0) continue;
        if (excluded(face | bit)) {
            others &= ~bit;
            continue;
        }
        if (covered(face | bit)) continue;
        for (const int sign : {1, -1}) {
            if (((sign > 0 ? level.above : level.below) & bit) != 0) continue;
            const int reached = push(st, level, r, sign);
            if (reached < 0) return false;
            if (reached > 0) {
                look();
                continue;
            }
            if (!refuted(st, level, r, sign)) return false;
            ++st.counters.by_multipliers;
            others &= ~bit;
            break;
        }
    }
    return true;
}

// Drive row r to the given sign: 1 when it is seen, 0 at an optimum where it is not, -1 without
// result.
int Flats::push(State& st, Level& level, int r, int sign) {
    Dictionary& d = level.rows;
    for (int iteration = 0; iteration < PIVOTS_A_FACE; ++iteration) {
        if (sign * d.values()[r] > VISIBLE) return 1;
        int best = -1;
        double best_gain = -1.0, best_cost = 0.0;
        st.rates.take(d);
        for (int c = 0; c < d.n; ++c) {
            const double cost = sign * d.column(c)[r];
            if (cost <= PIVOT || level.fixed[static_cast<std::size_t>(c)]) continue;
            const double gain = cost * std::min(1.0 / st.rates.soonest(d, c), d.reach(c));
            if (gain > best_gain || (gain == best_gain && cost > best_cost)) {
                best = c;
                best_gain = gain;
                best_cost = cost;
            }
        }
        if (best < 0) return 0;
        const Step step = st.rates.longest(d, best);
        if (step.length >= FAR) return -1;
        ++st.counters.pivots;
        move(d, best, step.block, st.factor.data());
    }
    return -1;
}

// Whether the reduced costs of row r prove that it never has this sign on the flat.
bool Flats::refuted(State& st, const Level& level, int r, int sign) const {
    const Dictionary& d = level.rows;
    Combination sum(st);
    sum.add(d.rowvar[r] - st.n, sign * st.scale[d.rowvar[r] - st.n]);
    for (int c = 0; c < d.n; ++c) {
        const double cost = sign * d.column(c)[r];
        if (d.colvar[c] < st.n || cost == 0.0) continue;
        const Index k = d.colvar[c] - st.n;
        if (level.fixed[static_cast<std::size_t>(c)]) {
            sum.add(k, -cost * turn_[st.place_of[st.unit_of_var(d.colvar[c])]] * st.scale[k]);
        } else if (cost < 0.0) {
            sum.add(k, -cost * st.side_of_row(*node_, k) * st.scale[k]);
        }
    }
    return sum.supremum() < 0.0;
}

// Look for a witness of the face in the zonotope.
Flats::Face Flats::witness(State& st, Zonotope& zono, const Level& level, Word face) {
    if (!zono.present()) return witness_in_cube(st, zono, level, face);
    const Dictionary& d = level.rows;
    int k = 0;
    for_each_bit(face, [&](int r) {
        const Index row = st.row_of_unit(0) + st.unit_of_var(node_->rows.rowvar[r]);
        zono.take_row(k, st.row[row], st.error[row], 1.0, row);
        // How z changes with this form alone.
        const std::int32_t var = node_->rows.rowvar[r];
        int c = 0;
        while (d.colvar[c] != var) ++c;
        const double* column = d.column(c);
        double* step = zono.steps[k];
        for (int j = 0; j <= st.n; ++j) step[j] = 0.0;
        for (int row_of = 0; row_of < d.top; ++row_of)
            if (d.is_coordinate(row_of)) {
                const int j = d.rowvar[row_of];
                step[j] = d.flip[j] ? -column[row_of] : column[row_of];
            }
        ++k;
    });
    const int m = take_constraints(st, zono, *node_, k);
    const Found found = zono.meet(m, k);
    if (found == Found::FOUND) {
        faces_.push_back(face);
        return Face::YES;
    }
    if (found == Found::EMPTY) {
        ++st.counters.separated;
        none_.push_back(face);
        return Face::NO;
    }
    return Face::OPEN;
}


Flats::Face Flats::witness_in_cube(State& st, Zonotope& zono, const Level& level, Word face) {
    const Dictionary& d = level.rows;
    if (static_cast<int>(st.slopes.size()) < d.top) st.slopes = Buffer<double>(2 * d.top);
    std::uint8_t* inward = st.marked.data();
    for (int c = 0; c < d.n; ++c) inward[c] = !level.fixed[static_cast<std::size_t>(c)];
    double* z = zono.image.data();
    if (inner_point(d, inward, st.slopes.data(), z) <= 0.0) return Face::OPEN;
    int k = 0;
    double limit = FAR;
    for_each_bit(face, [&](int r) {
        const std::int32_t var = node_->rows.rowvar[r];
        int c = 0;
        while (d.colvar[c] != var) ++c;
        const double* column = d.column(c);
        double* step = zono.steps[k];
        for (int j = 0; j <= st.n; ++j) step[j] = 0.0;
        zono.step_errors[k] = 0.0;
        for (int row_of = 0; row_of < d.top; ++row_of)
            if (d.is_coordinate(row_of)) {
                const int j = d.rowvar[row_of];
                step[j] = d.flip[j] ? -column[row_of] : column[row_of];
            }
        ++k;
    });
    for (int j = 0; j < st.n; ++j) {
        double used = 0.0;
        for (int i = 0; i < k; ++i) used += std::abs(zono.steps[i][j]);
        if (used > 0.0) limit = std::min(limit, 0.9 * std::min(z[j], 1.0 - z[j]) / used);
    }
    if (!all_signs_in_cube(st, zono, *node_, k, limit, face)) return Face::OPEN;
    faces_.push_back(face);
    return Face::YES;
}

}  // namespace milpcount
