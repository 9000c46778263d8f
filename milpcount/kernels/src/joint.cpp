#include "joint.hpp"

#include <cmath>
#include <optional>

#include "least_squares.hpp"
#include "leaves.hpp"
#include "proofs.hpp"

namespace milpcount {

namespace {

constexpr int MOST = 40;       // units at once: 2^k must be an integer of the machine
constexpr double KEPT = 0.9;   // of the room in the cube
constexpr int PIVOTS_EACH = 30;
constexpr int ROUNDS_EACH = 8;
constexpr Index RETRY = 64;  // attempts left out before one is made all the same

// ---- In the cube.

// Make free row r nonbasic at 0, the units that are so already staying; false if it cannot be.
bool to_zero(State& st, Node& e, int r) {
    Dictionary& d = e.rows;
    const std::int32_t units = static_cast<std::int32_t>(st.n + st.cuts);
    if (d.values()[r] < 0.0) d.negate(r);
    d.lower[r] = 0.0;
    for (int iteration = 0; iteration < PIVOTS_EACH; ++iteration) {
        int best = -1;
        double best_gain = -1.0;
        st.rates.take(d);
        for (int c = 0; c < d.n; ++c) {
            const double cost = -d.column(c)[r];
            const std::int32_t var = d.colvar[c];
            if (cost <= PIVOT || (var >= units && e.sign[var - units] == 0)) continue;
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
        if (step.block == r) return true;
    }
    return false;
}

// Find the point (into zono.image) and the directions by the dictionary; returns how long a step
// may be, or 0.
double meet_in_cube(State& st, Zonotope& zono, Index slot) {
    st.reach_slot(slot + 1);
    const Node& a = st.node(slot);
    Node& e = st.node(slot + 1);
    Dictionary& d = e.rows;
    d.copy_from(a.rows);
    std::memcpy(e.sign.data(), a.sign.data(), a.sign.size());
    if (static_cast<int>(st.slopes.size()) < d.top) st.slopes = Buffer<double>(2 * d.top);
    bool zero = true;
    for_each_free(a, [&](int r) { zero = zero && to_zero(st, e, r); });
    if (!zero) return 0.0;
    // Half the way along the sum of the edges on which all units stay 0.
    const std::int32_t units = static_cast<std::int32_t>(st.n + st.cuts);
    std::uint8_t* inward = st.marked.data();
    for (int c = 0; c < d.n; ++c)
        inward[c] = !(d.colvar[c] >= units && a.sign[d.colvar[c] - units] == 0);
    double* z = zono.image.data();
    if (inner_point(d, inward, st.slopes.data(), z) <= 0.0) return 0.0;
    int count = 0;
    for_each_free(a, [&](int r) {
        double* step = zono.steps[count];
        for (int c = 0; c <= st.n; ++c) step[c] = 0.0;
        zono.step_errors[count++] = 0.0;
        int c = 0;
        while (d.colvar[c] != a.rows.rowvar[r]) ++c;
        const double* column = d.column(c);
        for (int row = 0; row < d.top; ++row)
            if (d.is_coordinate(row)) {
                const int j = d.rowvar[row];
                step[j] = d.flip[j] ? -column[row] : column[row];
            }
    });
    double limit = FAR;
    for (int j = 0; j < st.n; ++j) {
        double used = 0.0;
        for (int i = 0; i < count; ++i) used += std::abs(zono.steps[i][j]);
        if (used > 0.0) limit = std::min(limit, KEPT * std::min(z[j], 1.0 - z[j]) / used);
    }
    return limit;
}

// The inequalities above for eight forms from u on: their values, and how they change.
class Changes {
  public:
    Changes(const Zonotope& zono, const Forms& forms, Index u, int k) : k_(k) {
        values_at(forms, u, zono.image.data(), at);
        const Index n = forms.n;
        const Lanes rate = fill(gamma(n + 1)), tiny = fill(TINY);
        for (int i = 0; i < k; ++i) {
            Lanes value[Sum::parts], size[Sum::parts];
            for (int p = 0; p < Sum::parts; ++p) value[p] = size[p] = fill(0.0);
            for (Index c = 0; c < n; ++c) {
                if (zono.steps[i][c] == 0.0) continue;
                const Lanes step = fill(zono.steps[i][c]);
                for (int p = 0; p < Sum::parts; ++p) {
                    const Lanes x = load(forms.row(c) + u + p * Lanes::width) * step;
                    value[p] = value[p] + x;
                    size[p] = size[p] + absolute(x);
                }
            }
            for (int p = 0; p < Sum::parts; ++p) {
                store(change[i] + p * Lanes::width, absolute(value[p]));
                store(doubt[i] + p * Lanes::width, rate * size[p] + tiny);
            }
        }
    }
    // How long a step the constraint at place b allows, `side` being its sign; negative where it is
    // not proved to hold at all.
    double allowed(int b, double side, double most) const {
        const double slack = side * at.value[b] - at.error[b];
        if (!(slack > 0.0)) return -1.0;
        double used = 0.0;
        for (int i = 0; i < k_; ++i) used += change[i][b] + doubt[i][b];
        return used > 0.0 ? std::min(most, 0.5 * slack / used) : most;
    }
    // Whether a step makes the unit at place b, which is number r of the k, show both signs.
    bool shows(int b, int r, double step) const {
        double gain = 0.0;
        for (int i = 0; i < k_; ++i)
            gain += (i == r ? change[i][b] : -change[i][b]) - doubt[i][b];
        return 0.99 * step * gain > std::abs(at.value[b]) + at.error[b];
    }

  private:
    int k_;
    Values at;
    double change[MOST][PAD], doubt[MOST][PAD];
};

}  // namespace

// Whether the inequalities hold for some step up to `limit` at a point of the cube.
bool all_signs_in_cube(State& st, const Zonotope& zono, const Node& a, int k, double limit, Word face) {
    double step = limit;
    const auto constrained = [&](const Forms& forms, Index u, Word active, Word inactive) {
        const Changes changes(zono, forms, u, k);
        for_each_bit(active | inactive, [&](int b) {
            const double side = (active >> b & 1) != 0 ? 1.0 : -1.0;
            if (step > 0.0) step = changes.allowed(b, side, step);
        });
        return step > 0.0;
    };
    const Forms domain = st.net.domain_forms();
    for (Index c = 0; c < st.cuts; c += PAD) {
        const Word all = c + PAD <= st.cuts ? 0xFF : (Word{1} << (st.cuts - c)) - 1;
        if (!constrained(domain, c, all, 0)) return false;
    }
    for (Index layer = 0; layer <= a.layer; ++layer) {
        const Forms forms = st.forms_of(layer);
        for (Index w = 0; w < words_for(st.net.widths[layer]); ++w) {
            const Word active = a.active[st.cut_begin[layer] + w];
            const Word inactive = a.inactive[st.cut_begin[layer] + w];
            for (int b = 0; b < 64; b += PAD) {
                const Word above = active >> b & 0xFF, below = inactive >> b & 0xFF;
                if ((above | below) != 0 && !constrained(forms, 64 * w + b, above, below))
                    return false;
            }
        }
    }
    const Forms forms = st.forms_of(a.layer);
    int count = 0;
    bool shown = true;
    Index group = -1;
    const Index begin = st.net.starts[a.layer];
    std::optional<Changes> changes;
    for_each_free(a, [&](int r) {
        const Index i = st.unit_of_var(a.rows.rowvar[r]) - begin;
        if (!shown || (r < 64 && (face & bit_of(r)) == 0)) return;
        if (i / PAD != group) {
            group = i / PAD;
            changes.emplace(zono, forms, group * PAD, k);
        }
        shown = changes->shows(static_cast<int>(i % PAD), count++, step);
    });
    return shown;
}

namespace {

// ---- In the zonotope.

// How fast row r changes along direction i, and a bound on the error of that.
struct Rate {
    double value, doubt;
};

Rate along(const Zonotope& zono, int r, int i, double smear) {
    const int n = zono.dimension;
    double value = 0.0, size = 0.0;
    for (int c = 0; c < n; ++c) {
        const double p = zono.rows[r][c] * zono.steps[i][c];
        value += p;
        size += std::abs(p);
    }
    return {std::abs(value),
            gamma(n + 1) * size + 1.01 * smear * zono.step_errors[i] + TINY};
}

// Whether the inequalities hold for some step up to `limit`.  Of the m rows the first k are the
// units'; `blur` bounds the error of the coordinates of zono.image.
bool all_signs(const Zonotope& zono, int m, int k, double limit, double blur) {
    double step = limit;
    for (int r = k; r < m; ++r) {
        const AtImage at = zono.at_image(r, blur);
        const double slack = at.value - at.error;
        if (!(slack > 0.0)) return false;
        double used = 0.0;
        for (int i = 0; i < k; ++i) {
            const Rate rate = along(zono, r, i, at.smear);
            used += rate.value + rate.doubt;
        }
        if (used > 0.0) step = std::min(step, 0.5 * slack / used);
    }
    for (int r = 0; r < k; ++r) {
        const AtImage at = zono.at_image(r, blur);
        double gain = 0.0;
        for (int i = 0; i < k; ++i) {
            const Rate rate = along(zono, r, i, at.smear);
            gain += (i == r ? rate.value : -rate.value) - rate.doubt;
        }
        if (!(0.99 * step * gain > std::abs(at.value) + at.error)) return false;
    }
    return true;
}

// Put the u nearest the centre that has some distance from the constraints into u.
bool nearest(Zonotope& zono, int m, int k) {
    for (int round = 0; round < ROUNDS_EACH; ++round) {
        zono.renew(m, k);
        zono.prepare(m, k, WIDE);
        least_multipliers(zono, m, k);
        zono.spread_out(m);
        if (zono.separated(m, zono.spread())) return false;
        if (zono.clip() == 0) return true;
    }
    return false;
}

// Invert the Gram matrix of the scaled rows into zono.inverse; false if it is singular.
bool invert(Zonotope& zono, int k) {
    Matrix<double>&f = zono.factor, &x = zono.inverse;
    for (int a = 0; a < k; ++a)
        for (int b = 0; b <= a; ++b) {
            const double whole = dot(zono.across[a], zono.scaled[b], zono.wide);
            double total = whole;
            for (int c = 0; c < b; ++c) total -= f[a][c] * f[b][c];
            if (a != b) {
                f[a][b] = total / f[b][b];
            } else {
                if (!(total > 1e-9 * whole)) return false;
                f[a][a] = std::sqrt(total);
            }
        }
    for (int i = 0; i < k; ++i) {
        for (int a = 0; a < k; ++a) {
            double total = a == i ? 1.0 : 0.0;
            for (int c = 0; c < a; ++c) total -= f[a][c] * x[c][i];
            x[a][i] = total / f[a][a];
        }
        for (int a = k - 1; a >= 0; --a) {
            double total = x[a][i];
            for (int c = a + 1; c < k; ++c) total -= f[c][a] * x[c][i];
            x[a][i] = total / f[a][a];
        }
    }
    return true;
}

// Directions in u, their images in zono.steps; returns how long a step may be, or 0.
//
// With R the diagonal of the room that every coordinate of u has and A the rows in terms of u they
// are the columns of R^2 A^T (A R^2 A^T)^-1: least in units of the room.
double directions(Zonotope& zono, int k) {
    const int n = zono.n, wide = zono.wide;
    double *room = zono.room[0], *square = zono.room[1], *used = zono.room[2];
    for (int j = 0; j < wide; ++j) {
        room[j] = 1.0 - std::abs(zono.u[j]);
        square[j] = room[j] * room[j];
        used[j] = 0.0;
    }
    for (int i = 0; i < k; ++i) {
        double *a = zono.across[i], *s = zono.scaled[i];
        for (int j = 0; j < wide; ++j) a[j] = 0.0;
        for (int c = 0; c < n; ++c) {
            const double f = 0.5 * zono.rows[i][c];
            if (f != 0.0) add_multiple(a, f, zono.v[c], wide);
        }
        for (int j = 0; j < wide; ++j) s[j] = a[j] * square[j];
    }
    if (!invert(zono, k)) return 0.0;
    double* delta = zono.room[1];  // the squares have been used
    for (int i = 0; i < k; ++i) {
        for (int j = 0; j < wide; ++j) delta[j] = 0.0;
        for (int c = 0; c < k; ++c) add_multiple(delta, zono.inverse[c][i], zono.scaled[c], wide);
        double largest = 0.0;
        for (int j = 0; j < wide; ++j) {
            const double size = std::abs(delta[j]);
            used[j] += size;
            largest = std::max(largest, size);
        }
        for (int c = 0; c < n; ++c) zono.steps[i][c] = 0.5 * dot(zono.v[c], delta, wide);
        zono.step_errors[i] = zono.blur * largest;
    }
    double limit = FAR;
    for (int j = 0; j < zono.many; ++j)
        if (used[j] > 0.0) limit = std::min(limit, KEPT * room[j] / used[j]);
    return limit;
}

// Find the point and the directions; returns how long a step may be, or 0.  The rows that were
// active in the last cell are tried first, as in Zonotope::confirm.
double meet_in_zonotope(Zonotope& zono, int m, int k) {
    zono.measure(m);
    for (int r = 0; r < m; ++r) zono.active[r] = r < k || zono.was_active[zono.names[r]];
    const bool found = nearest(zono, m, k);
    if (!found) zono.since = REFRESH;
    for (int r = k; r < m; ++r) zono.was_active[zono.names[r]] = zono.active[r];
    return found ? directions(zono, k) : 0.0;
}

}  // namespace

bool worth_trying(State& st, const Node& a, int k, double saved) {
    if (k > MOST || k > st.n) return false;
    // Forms of a layer depend on no more numbers than an earlier layer has active units.
    const Net& net = st.net;
    for (Index layer = 0; layer < a.layer; ++layer) {
        if (net.skip_begin[layer + 1] < net.skip_begin[net.layers]) break;
        const std::int8_t* sign = a.sign.data() + net.starts[layer];
        const std::uint8_t* passes = st.passes.data() + net.starts[layer];
        int rank = 0;
        for (Index i = 0; i < net.widths[layer]; ++i) rank += (sign[i] > 0) | passes[i];
        if (k > rank) return false;
    }
    const Index tried = st.tried[k], won = st.won[k];
    ++st.tried[0];
    return static_cast<double>(won + 1) * saved >= static_cast<double>(tried + 1) ||
           st.tried[0] % RETRY == 0;
}

bool jointly(State& st, Zonotope& zono, Index d, int k) {
    ++st.tried[k];
    Node& a = st.node(d);
    if (zono.present()) {
        int m = 0;
        for_each_free(a, [&](int r) { m = take_free(st, zono, a, r, 1.0, m); });
        m = take_constraints(st, zono, a, m);
        const double limit = meet_in_zonotope(zono, m, k);
        if (limit <= 0.0 || !all_signs(zono, m, k, limit, zono.image_of())) return false;
    } else {
        const double limit = meet_in_cube(st, zono, d);
        if (limit <= 0.0 || !all_signs_in_cube(st, zono, a, k, limit, ~Word{0})) return false;
    }
    ++st.won[k];
    const Index count = Index{1} << k;
    st.counters.by_point += count;
    st.counters.jointly += count;
    st.regions += count;
    return true;
}

}  // namespace milpcount
