#include "sides.hpp"

#include "proofs.hpp"
#include "seeking.hpp"
#include "sums.hpp"

namespace milpcount {

namespace {

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

// The whole cell of a node.  Where a side is empty st.costs are its multipliers, and on the tape.
class WholeCell {
  public:
    WholeCell(State& st, Node& a) : st_(st), a_(a) {}
    bool may_rise(int) const { return true; }
    double most(std::int32_t var) const { return st_.most(a_, var); }
    bool empty(int r, int sign) const {
        return proved_empty(st_, a_, r, sign) && record_sum(st_, a_, r, sign);
    }
    void note(int c, double length) { note_neighbour(a_, c, length); }
    bool seen(int r, int sign) const { return has_bit(sign > 0 ? a_.above : a_.below, r); }
    void go(int c, const Step& step) { make_step(st_, a_, c, step); }

  private:
    State& st_;
    Node& a_;
};

}  // namespace

bool refuted(State& st, const Node& a, int r, int sign) {
    take_costs(st.costs, a.rows, r, sign);
    return proved_empty(st, a, r, sign);
}

int decide(State& st, Node& a) {
    Steps& steps = st.steps;
    steps.forget();
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
        const Side side = seek(st, a.rows, steps, target, sign, WholeCell(st, a));
        if (side == Side::THERE) continue;
        const Index u = st.unit_of_var(a.rows.rowvar[target]);
        // Certificates need the multipliers themselves.
        const bool touches = side == Side::DOUBTFUL && st.exact != nullptr && !st.records &&
                             st.exact->empty(st, a, target, sign);
        if (side == Side::EMPTY || touches) {
            ++(touches ? st.counters.by_exact_multipliers : st.counters.by_multipliers);
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
