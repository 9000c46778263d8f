#include "flats.hpp"

#include <limits>

#include "leaves.hpp"
#include "proofs.hpp"

namespace milpcount {

namespace {

// Of a cell that may have more faces only the first are walked: they may contain all others.
constexpr double MOST_FACES = 1 << 18;
constexpr Index FIRST_FACES = 256;
// Seconds before a cell is given up when the run is to stop: most take less.
constexpr double PATIENCE = 0.04;
constexpr double CLEAR = 1e-6;  // least pivot that is taken without a look at others
constexpr Index MOST_LOST = 4, RETRY_FACES = 64;  // attempts a success; left out before one more

// The most faces that k forms have whose linear parts span so many dimensions, up to a limit.
double most_faces(int k, int rank) {
    double faces = 1.0, choices = 1.0;
    for (int i = 1; i <= std::min(k, rank) && faces <= MOST_FACES; ++i) {
        choices *= static_cast<double>(k - i + 1) / i;
        faces += choices;
    }
    return faces;
}

// Forms of a layer depend on no more numbers than an earlier layer has units that pass.
int rank_of_forms(const State& st, const Node& a) {
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
    return rank;
}

// Whether one of these sets contains the face.
bool covered(const std::vector<Word>& sets, Word face) {
    for (std::size_t k = sets.size(); k-- > 0;)
        if ((face & ~sets[k]) == 0) return true;
    return false;
}

}  // namespace

// The part of the cell in which the forms of a face vanish.
class Flats::Flat {
  public:
    Flat(Flats& flats, Level& level) : flats_(flats), level_(level) {}
    bool may_rise(int c) const { return level_.fixed[static_cast<std::size_t>(c)] == 0; }
    double most(std::int32_t var) const { return flats_.st_->most(*flats_.node_, var); }
    // As on the whole cell, with any multiples of the forms that vanish.
    bool empty(int r, int sign) const {
        State& st = *flats_.st_;
        const Costs& costs = st.costs;
        const Index target = level_.rows.rowvar[r] - st.n;
        Combination sum(st);
        sum.add(target, sign * st.scale[target]);
        for (int c = 0; c < st.n; ++c) {
            const double cost = costs.value[c];
            if (cost == 0.0 || costs.var[c] < st.n) continue;
            const Index k = costs.var[c] - st.n;
            const int form = level_.fixed[static_cast<std::size_t>(c)];
            if (form != 0)
                sum.add(k, -cost * flats_.turn_[form - 1] * st.scale[k]);
            else if (cost < 0.0)
                sum.add(k, -cost * st.side_of_row(*flats_.node_, k) * st.scale[k]);
        }
        return sum.supremum() < 0.0;
    }
    void note(int c, double length) { look(level_.rows.column(c), length); }
    bool seen(int r, int sign) const {
        return ((sign > 0 ? level_.above : level_.below) & bit_of(r)) != 0;
    }
    void go(int c, const Step& step) {
        ++flats_.st_->counters.pivots;
        move(level_.rows, c, step.block, flats_.st_->factor.data());
        look(level_.rows.values(), 0.0);
    }
    // Take the signs at the present vertex, or at one that is this step along a column away.
    void look(const double* column, double step) {
        const double* values = level_.rows.values();
        const Lanes high = fill(VISIBLE), low = fill(-VISIBLE), by = fill(step);
        const int count = static_cast<int>(flats_.place_.size());
        for (int r = 0; r < count; r += Lanes::width) {
            const Lanes x = load(values + r) + by * load(column + r);
            level_.above |= static_cast<Word>(bits(high < x)) << r;
            level_.below |= static_cast<Word>(bits(x < low)) << r;
        }
    }

  private:
    Flats& flats_;
    Level& level_;
};

bool Flats::worth_trying(const State& st, const Zonotope& zono, const Node& a) {
    if (zono.present() && !zono.onto()) return false;
    const int k = free_rows(a);
    if (k > MOST_FORMS - 2) return false;
    // Where floats often leave something open, as on degenerate networks, most are left out.
    const Index tried = ++tried_[k];
    if (MOST_LOST * (won_[k] + 1) < tried && tried % RETRY_FACES != 0) return false;
    const bool many = most_faces(k, rank_of_forms(st, a)) > MOST_FACES;
    allowed_ = many ? FIRST_FACES : std::numeric_limits<Index>::max();
    return true;
}

bool Flats::count(State& st, Zonotope& zono, const Node& a, Halt& halt) {
    if (!worth_trying(st, zono, a)) return false;
    st_ = &st;
    zono_ = &zono;
    halt_ = &halt;
    patience_ = Clock(PATIENCE);
    node_ = &a;
    none_.clear();
    found_ = witnesses_ = 0;
    take_cell(st, a);
    const Word all = (Word{1} << place_.size()) - 1;
    if (visit(0, 0, all) == Face::OPEN) return false;
    ++won_[place_.size()];
    st.counters.flats += witnesses_;
    st.counters.by_flats += found_;
    st.counters.by_point += found_;
    st.regions += found_;
    return true;
}

Flats::Level& Flats::level(const State& st, std::size_t depth) {
    while (levels_.size() <= depth) {
        levels_.push_back(std::make_unique<Level>());
        levels_.back()->rows.n = st.n;
        levels_.back()->steps = Steps(st.n);
        levels_.back()->fixed = Buffer<std::uint8_t>(static_cast<std::size_t>(st.n));
    }
    return *levels_[depth];
}

// The dictionary of the node without the rows that are empty, the forms first.
void Flats::take_cell(State& st, const Node& a) {
    Level& root = level(st, 0);
    if (around_.point.size() == 0) {
        around_.point = Buffer<double>(static_cast<std::size_t>(padded(st.n + 1)));
        around_.steps = Matrix<double>(MOST_FORMS, static_cast<std::size_t>(st.n + 1));
    }
    const Dictionary& from = a.rows;
    Dictionary& d = root.rows;
    place_.clear();
    for_each_free(a, [&](int r) { place_.push_back(r); });
    order_ = place_;
    for (int r = 0; r < from.top; ++r)
        if (!from.is_empty(r) && !from.is_free(r)) order_.push_back(r);
    const int rows = static_cast<int>(order_.size());
    d.reserve(rows);
    d.places = static_cast<int>(place_.size());
    for (int c = 0; c <= st.n; ++c) {
        const double* own = from.column(c);
        double* to = d.column(c);
        for (int r = 0; r < rows; ++r) to[r] = own[order_[static_cast<std::size_t>(r)]];
        for (int r = rows; r < d.top; ++r) to[r] = 0.0;
    }
    for (int r = 0; r < d.top; ++r) {
        const int own = r < rows ? order_[static_cast<std::size_t>(r)] : -1;
        d.lower[r] = own < 0 ? -INFINITE : from.lower[own];
        d.upper[r] = own < 0 ? INFINITE : from.upper[own];
        d.rowvar[r] = own < 0 ? -1 : from.rowvar[own];
    }
    std::memcpy(d.colvar.data(), from.colvar.data(), sizeof(std::int32_t) * st.n);
    std::memcpy(d.flip.data(), from.flip.data(), static_cast<std::size_t>(st.n));
    for (std::uint8_t& form : root.fixed) form = 0;
    root.known.clear();
    root.steps.forget();
}

bool Flats::excluded(Word face) const {
    for (const Word none : none_)
        if ((none & ~face) == 0) return true;
    return false;
}

// Count the faces that contain `face` and more of `others`, all of which come after its last.
Flats::Face Flats::visit(std::size_t depth, Word face, Word others) {
    if (--allowed_ < 0 || (patience_.over() && halt_->asked())) return Face::OPEN;
    State& st = *st_;
    Level& here = *levels_[depth];
    while (others != 0) {
        const int r = lowest_bit(others);
        others &= others - 1;
        const Word next = face | bit_of(r);
        if (covered(here.known, next | others)) {
            found_ += Index{1} << count_bits(others);
            continue;
        }
        if (excluded(next)) continue;
        Level& to = level(st, depth + 1);
        to.known.clear();
        for (const Word set : here.known)
            if ((next & ~set) == 0) to.known.push_back(set);
        Word rest = others;
        if (!descend(here, to, r) || !sift(to, next, rest)) return Face::OPEN;
        const Face below = visit(depth + 1, next, rest);
        if (below == Face::OPEN) return below;
        if (!here.known.empty()) continue;
        // The others are no faces either if this is none.
        const Face own = witness(depth, face);
        if (own != Face::YES) return own;
    }
    if (here.known.empty()) {
        const Face own = witness(depth, face);
        if (own != Face::YES) return own;
    }
    ++found_;
    return Face::YES;
}

// Make form r nonbasic at 0.
bool Flats::descend(Level& from, Level& to, int r) {
    State& st = *st_;
    Dictionary& d = to.rows;
    d.copy_from(from.rows);
    std::memcpy(to.fixed.data(), from.fixed.data(), from.fixed.size());
    to.above = to.below = 0;
    to.steps.forget();
    turn_[r] = 1.0;
    if (d.values()[r] < 0.0) {
        d.negate(r);
        turn_[r] = -1.0;
    }
    d.lower[r] = 0.0;
    const double value = d.values()[r];
    const auto leave = [&](int c, const Step& step) {
        ++st.counters.pivots;
        move(d, c, step.block, st.factor.data());
        to.steps.forget();
        if (step.block != r) return false;
        to.fixed[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(r + 1);
        return true;
    };
    // Where an edge of the larger flat crosses the hyperplane nothing but the form stops it.
    for (int c = 0; c < d.n; ++c) {
        const double cost = -d.column(c)[r];
        if (cost > CLEAR && from.fixed[static_cast<std::size_t>(c)] == 0 &&
            cost * from.steps.length(from.rows, c) > value)
            return leave(c, {value / cost, r});
    }
    for (int iteration = 0; iteration < GIVE_UP; ++iteration) {
        take_costs(st.costs, d, r, -1);
        const int c = best_column(d, st.costs, to.steps, FAR, iteration, [&](int k) {
            return to.fixed[static_cast<std::size_t>(k)] == 0;
        });
        if (c < 0) return false;
        const Step step = to.steps.whole(d, c);
        if (step.length >= FAR) return false;
        if (leave(c, step)) return true;
    }
    return false;
}

// Keep those of the other forms that have both signs on the flat; false if floats cannot tell.
bool Flats::sift(Level& level, Word face, Word& others) {
    if (others == 0) return true;
    Flat flat(*this, level);
    flat.look(level.rows.values(), 0.0);
    for (Word rest = others; rest != 0; rest &= rest - 1) {
        const int r = lowest_bit(rest);
        const Word bit = bit_of(r);
        if ((level.above & level.below & bit) != 0) continue;
        if (excluded(face | bit)) {
            others &= ~bit;
            continue;
        }
        if (covered(level.known, face | bit)) continue;
        for (const int sign : {1, -1}) {
            if (((sign > 0 ? level.above : level.below) & bit) != 0) continue;
            const Side side = seek(*st_, level.rows, level.steps, r, sign, flat);
            if (side == Side::THERE) continue;
            if (side == Side::DOUBTFUL) return false;
            ++st_->counters.by_multipliers;
            others &= ~bit;
            break;
        }
    }
    return true;
}

// How z changes with the form that stands in column c alone.
void Flats::direction(const Level& level, int c, double* step) const {
    const Dictionary& d = level.rows;
    const double* column = d.column(c);
    for (int j = 0; j <= d.n; ++j) step[j] = 0.0;
    for (int r = 0; r < d.top; ++r)
        if (d.is_coordinate(r)) {
            const int j = d.rowvar[r];
            step[j] = d.flip[j] ? -column[r] : column[r];
        }
}

// Look for a witness of the face.
Flats::Face Flats::witness(std::size_t depth, Word face) {
    const Level& level = *levels_[depth];
    const Found found = zono_->present() ? meet_in_zonotope(level, face)
                        : meet_in_cube(level, face) ? Found::FOUND
                                                    : Found::UNKNOWN;
    if (found == Found::FOUND) {
        ++witnesses_;
        for (std::size_t k = 0; k <= depth; ++k) levels_[k]->known.push_back(face);
        return Face::YES;
    }
    if (found == Found::EMPTY) {
        ++st_->counters.separated;
        none_.push_back(face);
        return Face::NO;
    }
    return Face::OPEN;
}

bool Flats::meet_in_cube(const Level& level, Word face) {
    State& st = *st_;
    const Dictionary& d = level.rows;
    if (static_cast<int>(st.slopes.size()) < d.top) st.slopes = Buffer<double>(2 * d.top);
    std::uint8_t* inward = st.marked.data();
    for (int c = 0; c < d.n; ++c) inward[c] = level.fixed[static_cast<std::size_t>(c)] == 0;
    if (inner_point(d, inward, st.slopes.data(), around_.point.data()) <= 0.0) return false;
    places_.clear();
    for_each_bit(face, [&](int r) {
        int c = 0;
        while (level.fixed[static_cast<std::size_t>(c)] != r + 1) ++c;
        direction(level, c, around_.steps[places_.size()]);
        places_.push_back(place_[static_cast<std::size_t>(r)]);
    });
    return all_signs_around(st, *node_, around_, places_);
}

Found Flats::meet_in_zonotope(const Level& level, Word face) {
    State& st = *st_;
    int k = 0;
    for_each_bit(face, [&](int r) {
        take_free(st, *zono_, *node_, place_[static_cast<std::size_t>(r)], 1.0, k);
        int c = 0;
        while (level.fixed[static_cast<std::size_t>(c)] != r + 1) ++c;
        direction(level, c, zono_->steps[static_cast<std::size_t>(k)]);
        ++k;
    });
    return zono_->meet(take_constraints(st, *zono_, *node_, k), k);
}

}  // namespace milpcount
