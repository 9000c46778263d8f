#include "leaves.hpp"

#include "proofs.hpp"
#include "sums.hpp"

namespace milpcount {

namespace {

// How large every constraint has been; nonbasic ones are 0 here.
void note_room(const State& st, const Dictionary& d, Buffer<double>& room) {
    for (int r = 0; r < d.top; ++r)
        if (d.is_constraint(r)) {
            double& most = room[d.rowvar[r] - st.n];
            most = std::max(most, d.values()[r]);
        }
}

// Make the constraint of row k large; false if it can grow without end.
bool enlarge(State& st, Node& a, Index k) {
    Dictionary& d = a.rows;
    const auto var = static_cast<std::int32_t>(st.n + k);
    for (int c = 0; c < d.n; ++c) {
        if (d.colvar[c] != var) continue;
        st.steps.forget();
        const Step step = st.steps.whole(d, c);
        if (step.block < 0) return false;
        move(d, c, step.block, st.factor.data());
        break;
    }
    for (int r = 0; r < d.top; ++r)
        if (d.rowvar[r] == var) {
            push_to(st, a, r, 1, 0.25);
            break;
        }
    return true;
}

// Put a proved interior point of the cell into st.z; false where none is found.
//
// From the present vertex first.  Where other constraints are tight there too, the mean of vertices
// at each of which one more constraint is large.
bool find_inside(State& st, Node& a) {
    Dictionary& d = a.rows;
    if (static_cast<int>(st.slopes.size()) < d.top) st.slopes = Buffer<double>(2 * d.top);
    double* z = st.z.data();
    inner_point(d, nullptr, st.slopes.data(), z);
    if (proved_point(st, a, z)) return true;
    Buffer<double> room(st.row.rows());
    note_room(st, d, room);
    vertex(d, z);
    Buffer<double> mean(st.z);
    int count = 1;
    std::vector<Index> present;
    for_each_constraint(st, a, [&](Index k, int, int) { present.push_back(k); });
    std::sort(present.begin(), present.end());
    for (const Index k : present) {
        if (room[k] > 1e-6) continue;
        if (!enlarge(st, a, k)) return false;
        note_room(st, d, room);
        vertex(d, z);
        for (int j = 0; j < st.n; ++j) mean[j] += z[j];
        ++count;
    }
    for (int j = 0; j < st.n; ++j) z[j] = std::min(std::max(mean[j] / count, 0.0), 1.0);
    return proved_point(st, a, z);
}

// Move the proved point st.z off the sides z = 0; false if the proof is lost.
bool off_walls(State& st, const Node& a) {
    Buffer<double> from(st.z);
    double step = 0.0;
    for (int k = 0; k < 12; ++k) {
        bool positive = true;
        for (int j = 0; j < st.n; ++j) {
            st.z[j] = from[j] + step * (1.0 / (st.n + 1) - from[j]);
            positive &= st.z[j] > 0.0;
        }
        if (positive && proved_point(st, a, st.z.data())) return true;
        step = step == 0.0 ? 0.125 : step / 16.0;
    }
    return false;
}

}  // namespace

int take_constraints(const State& st, Zonotope& zono, const Node& a, int count) {
    for_each_constraint(st, a, [&](Index k, int, int) {
        count = zono.take_row(count, st.row[k], st.error[k], st.side_of_row(a, k), k);
    });
    return count;
}

int take_free(const State& st, Zonotope& zono, const Node& a, int r, double sign, int count) {
    const Index k = a.rows.rowvar[r] - st.n;
    return zono.take_row(count, st.row[k], st.error[k], sign, k);
}

bool outside(const State& st, Zonotope& zono, const Node& a) {
    return zono.present() && zono.confirm(take_constraints(st, zono, a)) == Found::EMPTY;
}

bool leaf(State& st, Zonotope& zono, Node& a) {
    const double* point = st.z.data();
    if (zono.present()) {
        const int m = take_constraints(st, zono, a);
        const Found found = zono.confirm(m);
        if (found == Found::EMPTY) {
            if (!record_separation(st, zono, m)) return false;
            ++st.counters.separated;
            return true;
        }
        if (found != Found::FOUND || !record_spread(st, zono, m)) return false;
        point = zono.u.data();
    } else if (!(find_inside(st, a) && (!st.emits || !st.net.walls || off_walls(st, a)) &&
                 record_point(st, a, st.z.data()))) {
        return false;
    }
    ++st.counters.by_point;
    ++st.regions;
    if (st.emits) {
        std::memcpy(st.leaf_signs[st.leaves], a.sign.data(), a.sign.size());
        std::memcpy(st.leaf_points[st.leaves], point, sizeof(double) * st.leaf_points.columns());
        ++st.leaves;
    }
    return true;
}

}  // namespace milpcount
