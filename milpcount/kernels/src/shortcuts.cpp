#include "shortcuts.hpp"

#include "leaves.hpp"

namespace milpcount {

bool met_leaf(State& st, Segments& seg, const Node& a) {
    const Index last = st.net.layers - 1;
    if (seg.known(word_of(st, a, last - 1), word_of(st, a, last)))
        ++st.counters.on_segments;
    else if (seg.in_hull(st, a, -1, 0))
        ++st.counters.in_hulls;
    else
        return false;
    ++st.counters.by_point;
    ++st.regions;
    return true;
}

Index count_met(State& st, Segments& seg, const Node& a, int k) {
    const Index last = st.net.layers - 1;
    const Word first = word_of(st, a, last - 1), base = word_of(st, a, last);
    int bit[MOST_MET];
    int count = 0;
    for_each_free(a, [&](int r) {
        bit[count++] =
            static_cast<int>(st.unit_of_var(a.rows.rowvar[r]) - st.net.starts[last]);
    });
    Index total = 0;
    const Index all = Index{1} << k;
    for (Index choice = 0; choice < all; ++choice) {
        Word second = base;
        for (int i = 0; i < k; ++i)
            if ((choice >> i & 1) != 0) second |= bit_of(bit[i]);
        total += seg.known(first, second);
    }
    if (total == all) {
        st.counters.by_point += total;
        st.counters.on_segments += total;
        st.counters.jointly += total;
        st.regions += total;
    }
    return total;
}

int count_two(State& st, Segments& seg, Zonotope& zono, const Node& a) {
    const Index last = st.net.layers - 1;
    int row = 0;
    for_each_free(a, [&](int r) { row = r; });
    const Index unit = st.unit_of_var(a.rows.rowvar[row]);
    const Word first = word_of(st, a, last - 1), base = word_of(st, a, last);
    const Word bit = bit_of(unit - st.net.starts[last]);
    Index met = 0, hulls = 0;
    int lacking = 0;
    for (const int sign : {-1, 1}) {
        if (seg.known(first, sign > 0 ? base | bit : base))
            ++met;
        else if (seg.in_hull(st, a, unit, sign))
            ++hulls;
        else
            lacking = sign;
    }
    Index total = met + hulls;
    if (total == 0) return 0;
    if (total == 1) {
        const int count = take_free(st, zono, a, row, lacking, 0);
        const Found found = zono.confirm(take_constraints(st, zono, a, count));
        if (found == Found::UNKNOWN) return -1;
        if (found == Found::FOUND) {
            seg.learn(st, zono);
            ++total;
        } else {
            ++st.counters.separated;
        }
    }
    st.counters.on_segments += met;
    st.counters.in_hulls += hulls;
    st.counters.by_point += total;
    st.counters.jointly += total;
    st.regions += total;
    return 1;
}

}  // namespace milpcount
