// Whether a row of a dictionary takes a sign: one linear programme, from the present vertex.
//
// Its last step is not taken: of the neighbour where it ends the values of the rows alone are worked
// out (a side that is there) or the reduced costs of the one row (a side that is not).  And an
// optimum is not waited for: as soon as the bounds of the variables that could still raise the row
// do not let it come to zero, the reduced costs are tried as multipliers.

#pragma once

#include <cmath>

#include "state.hpp"

namespace milpcount {

// Reduced costs of `sign` times row r at the present vertex.
inline void take_costs(Costs& costs, const Dictionary& d, int r, int sign) {
    costs.top = sign * d.values()[r];
    for (int c = 0; c < d.n; ++c) {
        costs.value[c] = sign * d.column(c)[r];
        costs.var[c] = d.colvar[c];
    }
}

// The same where nonbasic variable c has risen by this step; they are at the present vertex.
inline void take_step(Costs& costs, const Dictionary& d, int c, const Step& step) {
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

// The first column, of those that `may` rise, with so much gain, or else the one with the greatest
// (after many steps by Bland's rule); -1 where none has any.
template <class May>
int best_column(const Dictionary& d, const Costs& costs, Steps& steps, double enough, int iteration,
                May&& may) {
    int best = -1;
    double best_gain = -1.0;
    for (int c = 0; c < d.n; ++c) {
        const double cost = costs.value[c];
        if (cost <= PIVOT || !may(c)) continue;
        if (iteration >= BLAND) {
            if (best < 0 || d.colvar[c] < d.colvar[best]) best = c;
            continue;
        }
        const double gain = cost * steps.length(d, c);
        if (gain > enough) return c;
        // Among steps of length 0 the steepest.
        if (gain > best_gain || (gain == best_gain && cost > costs.value[best])) {
            best = c;
            best_gain = gain;
        }
    }
    return best;
}

// Whether bounds of the variables that may rise leave the row no room to become positive.  A guide:
// it tells when a proof is worth trying.
template <class May, class Most>
bool hopeless(const Costs& costs, int n, May&& may, Most&& most) {
    double top = costs.top;
    for (int c = 0; c < n && top < -VISIBLE; ++c)
        if (costs.value[c] > 0.0 && may(c)) top += costs.value[c] * most(costs.var[c]);
    return top < -VISIBLE;
}

enum class Side { THERE, EMPTY, DOUBTFUL };

// Whether free row r has this sign somewhere on the set that `at` describes, whose dictionary is d:
//
//     bool may_rise(c)       whether column c is not held at 0
//     double most(var)       the most that a nonbasic variable can be there, but for rounding
//     bool empty(r, sign)    whether the costs in st.costs prove that it has not
//     void note(c, length)   look at the signs of the neighbour that is this step along column c
//     bool seen(r, sign)     whether the row was seen with this sign
//     void go(c, step)       go to the neighbour, and look at the signs there
template <class At>
Side seek(State& st, Dictionary& d, Steps& steps, int r, int sign, At&& at) {
    Costs& costs = st.costs;
    const auto may = [&](int c) { return at.may_rise(c); };
    const auto is_empty = [&] {
        return hopeless(costs, d.n, may, [&](std::int32_t var) { return at.most(var); }) &&
               at.empty(r, sign);
    };
    take_costs(costs, d, r, sign);
    if (costs.top > VISIBLE) return Side::THERE;
    if (is_empty()) return Side::EMPTY;
    for (int iteration = 0; iteration < GIVE_UP; ++iteration) {
        const int c = best_column(d, costs, steps, 2.0 * VISIBLE - costs.top, iteration, may);
        if (c < 0) {
            // Rounding of many steps is in the costs; those of the dictionary have less.
            take_costs(costs, d, r, sign);
            return at.empty(r, sign) ? Side::EMPTY : Side::DOUBTFUL;
        }
        const double length = steps.length(d, c);
        if (length >= FAR) return Side::DOUBTFUL;
        if (costs.top + costs.value[c] * length > 2.0 * VISIBLE) {
            at.note(c, length);
            if (at.seen(r, sign)) return Side::THERE;
        }
        const Step step = steps.whole(d, c);
        take_step(costs, d, c, step);
        if (is_empty()) return Side::EMPTY;
        at.go(c, step);
        steps.forget();
        if (sign * d.values()[r] > VISIBLE) return Side::THERE;
    }
    return Side::DOUBTFUL;
}

}  // namespace milpcount
