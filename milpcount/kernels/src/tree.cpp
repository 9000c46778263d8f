#include "tree.hpp"

#include "proofs.hpp"
#include "sums.hpp"
#include "tape.hpp"

namespace milpcount {

bool take_verdict(State& st, Node& a) {
    const Index u = st.doubt_unit;
    const int sign = st.doubt_sign;
    const Verdict verdict = st.verdict;
    st.verdict = Verdict::OPEN;
    const int r = st.place_of[u];
    if (verdict == Verdict::EMPTY) {
        remove_row(a, r);
        settle(st, a, u, -2 * sign);
        return true;
    }
    // The other side is a cell of its own, and all that is left of the node.
    a.sign[u] = static_cast<std::int8_t>(-sign);
    if (push_to(st, a, r, -sign) != 1) return false;
    constrain(a, r, -sign);
    settle(st, a, u, -sign);
    keep_marks(a, a, r, -sign);
    look_again(a);
    return true;
}

void branch_on(State& st, Index d, int r) {
    copy_node(st, d);
    Node& a = st.node(d);
    Node& b = st.node(d + 1);
    const Index u = st.unit_of_var(a.rows.rowvar[r]);
    const int sign = a.rows.values()[r] > 0.0 ? 1 : -1;
    record_branch(st, u - st.net.starts[a.layer], sign);
    a.stage = Stage::COME_BACK;
    a.unit = u;
    a.side = -sign;
    a.share *= 0.5;
    b.share = a.share;
    b.stage = Stage::DECIDE;
    st.slot = d + 1;
    constrain(b, r, sign);
    settle(st, b, u, sign);
    keep_marks(a, b, r, sign);
    look_again(b);
}

bool come_back(State& st, Node& a) {
    const int r = st.place_of[a.unit];
    if (push_to(st, a, r, a.side) != 1) return false;
    constrain(a, r, a.side);
    settle(st, a, a.unit, a.side);
    a.stage = Stage::DECIDE;
    keep_marks(a, a, r, a.side);
    look_again(a);
    return true;
}

Move Everything::decided(State& st, Index d, int row) {
    const Node& a = st.node(d);
    const bool last = row >= 0 && a.layer == st.net.layers - 1;
    return last && plain(st) && flats_.count(st, zono_, a, halt_) ? Move::LEAVE : Move::AS_EVER;
}

}  // namespace milpcount
