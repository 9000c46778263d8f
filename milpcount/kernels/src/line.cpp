#include "line.hpp"

#include <algorithm>

#include "leaves.hpp"

namespace milpcount {

namespace {

constexpr double APART = 1e-14;  // relative distance of breakpoints whose order floats tell

struct Breakpoint {
    double at;
    int row;     // of the dictionary, free
    int rising;  // the unit's sign above it
};

// Whether the cell has a point where free row r has this sign.
Found beyond(State& st, Zonotope& zono, Node& a, int r, int sign) {
    if (!zono.present()) return find_beyond(st, a, r, sign) ? Found::FOUND : Found::UNKNOWN;
    const int count = take_free(st, zono, a, r, sign, 0);
    return zono.confirm(take_constraints(st, zono, a, count));
}

}  // namespace

Index only_active(const State& st, const Node& a) {
    const Net& net = st.net;
    const Index layer = a.layer - 1;
    if (layer < 0 || net.skip_begin[layer + 1] < net.skip_begin[layer + 2]) return -1;
    const Index begin = net.starts[layer];
    Index found = -1;
    for (Index i = 0; i < net.widths[layer]; ++i) {
        if (a.sign[begin + i] > 0) {
            if (found >= 0) return -1;
            found = i;
        } else if (st.passes[begin + i]) {
            return -1;
        }
    }
    return found;
}

bool on_a_line(State& st, Zonotope& zono, Node& a, Index before) {
    const Net& net = st.net;
    const double* weights = net.weights_of(a.layer, before);
    std::vector<Breakpoint> points;
    bool all = true;
    for_each_free(a, [&](int r) {
        const Index u = st.unit_of_var(a.rows.rowvar[r]);
        const double weight = weights[u - net.starts[a.layer]];
        if (weight == 0.0) all = false;
        points.push_back({-net.biases[u] / weight, r, weight > 0.0 ? 1 : -1});
    });
    if (!all) return false;
    std::sort(points.begin(), points.end(),
              [](const Breakpoint& p, const Breakpoint& q) { return p.at < q.at; });
    for (std::size_t i = 1; i < points.size(); ++i) {
        const double p = points[i - 1].at, q = points[i].at;
        if (!(q - p > APART * (std::abs(q) + std::abs(p)))) return false;
    }
    Index low = 0, high = static_cast<Index>(points.size()) - 1;
    for (; low <= high; ++low) {
        // Where there is no such point the cell is all above this breakpoint.
        const Found found = beyond(st, zono, a, points[low].row, -points[low].rising);
        if (found == Found::UNKNOWN) return false;
        if (found == Found::FOUND) break;
    }
    for (; low <= high; --high) {
        const Found found = beyond(st, zono, a, points[high].row, points[high].rising);
        if (found == Found::UNKNOWN) return false;
        if (found == Found::FOUND) break;
    }
    if (low > high) return false;
    const Index regions = high - low + 2;
    st.counters.by_point += regions;
    st.counters.jointly += regions;
    st.regions += regions;
    return true;
}

}  // namespace milpcount
