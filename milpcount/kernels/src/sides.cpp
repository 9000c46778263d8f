#include "sides.hpp"

#include <cmath>

#include "proofs.hpp"
#include "sums.hpp"

namespace milpcount {

namespace {

// Reduced costs of `sign` times row r at the present vertex.
void take_costs(Costs& costs, const Dictionary& d, int r, int sign) {
    costs.top = sign * d.values()[r];
    for (int c = 0; c < d.n; ++c) {
        costs.value[c] = sign * d.column(c)[r];
        costs.var[c] = d.colvar[c];
    }
}

// The same where nonbasic variable c has risen by this step; they are at the present vertex.
void take_step(Costs& costs, const Dictionary& d, int c, const Step& step) {
    const double cost = costs.value[c];
    costs.top += cost * step.length;
    if (step.block < 0) {
        costs.value[c] = -cost;
        return;
    }
    const double rate = d.column(c)[step.block];
    const double factor = cost / rate;
    for (int k = 0; k < d.n; ++k) costs.value[k] -= factor * d.column(k)[step.block];
    // What leaves stands at its lower end, or at its upper one and counts from there.
    costs.value[c] = -std::abs(factor);
    costs.var[c] = d.rowvar[step.block];
}

// Whether bounds of the variables leave the row no room to become positive.  A guide: it tells
// when a proof is worth trying.
bool hopeless(const State& st, const Node& a, const Costs& costs) {
    double top = costs.top;
    for (int c = 0; c < st.n && top < -VISIBLE; ++c)
        if (costs.value[c] > 0.0) top += costs.value[c] * st.most(a, costs.var[c]);
    return top < -VISIBLE;
}

// Whether the costs prove that free row r never has this sign on the cell.
//
// Every variable of a constraint is at least 0 there, so that the row is at most itself plus the
// multiple -cost of each with a negative cost; what is left is bounded over the cube by its
// coefficients, with all errors of rounding (see Combination).  This holds for whatever numbers the
// costs are.
bool proved_empty(State& st, const Node& a, int r, int sign) {
    const Costs& costs = st.costs;
    const Index target = a.rows.rowvar[r] - st.n;
    Combination sum(st);
    sum.add(target, sign * st.scale[target]);
    for (int c = 0; c < st.n; ++c) {
        if (costs.value[c] >= 0.0 || costs.var[c] < st.n) continue;
        const Index k = costs.var[c] - st.n;
        sum.add(k, -costs.value[c] * st.side_of_row(a, k) * st.scale[k]);
    }
    return sum.supremum() < 0.0;
}

// How far every nonbasic variable may rise at the present vertex: the same for all rows that are
// looked at from there.
class Steps {
  public:
    explicit Steps(State& st) : st_(st) { forget(); }
    // The vertex is another one.
    void forget() {
        for (double& length : st_.steps) length = -1.0;
        taken_ = false;
    }
    // It is the same, in other rows.
    void move_rows() { taken_ = false; }
    double length(const Dictionary& d, int c) {
        double& known = st_.steps[c];
        if (known < 0.0) {
            take(d);
            known = std::min(1.0 / st_.rates.soonest(d, c), d.reach(c));
        }
        return known;
    }
    Step whole(const Dictionary& d, int c) {
        take(d);
        return st_.rates.longest(d, c);
    }

  private:
    void take(const Dictionary& d) {
        if (!taken_) st_.rates.take(d);
        taken_ = true;
    }
    State& st_;
    bool taken_ = false;
};

// The column with the greatest gain (after many steps by Bland's rule); -1 where none has any.
int best_column(const Dictionary& d, const Costs& costs, Steps& steps, int iteration) {
    int best = -1;
    double best_gain = -1.0;
    for (int c = 0; c < d.n; ++c) {
        const double cost = costs.value[c];
        if (cost <= PIVOT) continue;
        if (iteration >= BLAND) {
            if (best < 0 || d.colvar[c] < d.colvar[best]) best = c;
            continue;
        }
        const double gain = cost * steps.length(d, c);
        // Among steps of length 0 the steepest.
        if (gain > best_gain || (gain == best_gain && cost > costs.value[best])) {
            best = c;
            best_gain = gain;
        }
    }
    return best;
}

enum class Side { THERE, EMPTY, DOUBTFUL };

// Whether free row r has this sign somewhere on the cell.  Where it has, the signs that were seen
// say so; where it has not, st.costs are its multipliers, and on the tape.
Side look_for(State& st, Node& a, Steps& steps, int r, int sign) {
    Dictionary& d = a.rows;
    Costs& costs = st.costs;
    const auto empty = [&] { return proved_empty(st, a, r, sign) && record_sum(st, a, r, sign); };
    take_costs(costs, d, r, sign);
    if (costs.top > VISIBLE) return Side::THERE;
    if (hopeless(st, a, costs) && empty()) return Side::EMPTY;
    for (int iteration = 0; iteration < GIVE_UP; ++iteration) {
        const int c = best_column(d, costs, steps, iteration);
        if (c < 0) {
            // Rounding of many steps is in the costs; those of the dictionary have less.
            take_costs(costs, d, r, sign);
            return empty() ? Side::EMPTY : Side::DOUBTFUL;
        }
        const double length = steps.length(d, c);
        if (length >= FAR) return Side::DOUBTFUL;
        if (costs.top + costs.value[c] * length > 2.0 * VISIBLE) {
            note_neighbour(a, c, length);
            if (has_bit(sign > 0 ? a.above : a.below, r)) return Side::THERE;
        }
        const Step step = steps.whole(d, c);
        take_step(costs, d, c, step);
        if (hopeless(st, a, costs) && empty()) return Side::EMPTY;
        make_step(st, a, c, step);
        steps.forget();
        if (sign * d.values()[r] > VISIBLE) return Side::THERE;
    }
    return Side::DOUBTFUL;
}

}  // namespace

bool refuted(State& st, const Node& a, int r, int sign) {
    take_costs(st.costs, a.rows, r, sign);
    return proved_empty(st, a, r, sign);
}

int decide(State& st, Node& a) {
    Steps steps(st);
    for (;;) {
        const int words = static_cast<int>(words_for(a.rows.places));
        int target = -1, last = NONE_LEFT;
        for (int w = 0; w < words; ++w) {
            const Word open = a.free[w] & ~(a.above[w] & a.below[w]);
            if (open != 0) {
                target = 64 * w + lowest_bit(open);
                break;
            }
            if (a.free[w] != 0) last = 64 * w + 63 - std::countl_zero(a.free[w]);
        }
        if (target < 0) return last;
        const int sign = has_bit(a.above, target) ? -1 : 1;
        const Side side = look_for(st, a, steps, target, sign);
        if (side == Side::THERE) continue;
        const Index u = st.unit_of_var(a.rows.rowvar[target]);
        if (side == Side::EMPTY) {
            ++st.counters.by_multipliers;
            remove_row(a, target);
            steps.move_rows();
            settle(st, a, u, -2 * sign);
            continue;
        }
        st.doubt_unit = u;
        st.doubt_sign = sign;
        return DOUBT;
    }
}

}  // namespace milpcount
