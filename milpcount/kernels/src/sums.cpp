#include "sums.hpp"

#include <cmath>

#include "proofs.hpp"
#include "tape.hpp"

namespace milpcount {

namespace {

constexpr int SIZES[] = {1, 2, 4, 7};  // bytes of a multiplier; the last holds every float
constexpr int SPREAD_BITS[] = {6, 13, 20, 27, 34, 41};

// mantissa * 2^exponent, the mantissa above 0.
struct Rounded {
    Index mantissa;
    int exponent;
};

// Near a value > 0, with a mantissa of so many bytes.
Rounded rounded(double value, int size) {
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent);
    const int bits = std::min(8 * size, 53);
    auto m = static_cast<Index>(std::floor(std::ldexp(fraction, bits) + 0.5));
    if ((m >> bits) != 0) {
        m >>= 1;
        ++exponent;
    }
    return {m, exponent - bits};
}

void put_term(State& st, Index number, double value, int size) {
    const Rounded r = rounded(value, size);
    put_number(st, number);
    put_signed(st, r.exponent);
    Index m = r.mantissa;
    for (int k = 0; k < size; ++k) {
        put(st, static_cast<std::uint8_t>(m & 255));
        m >>= 8;
    }
}

// What put_term writes.
double approximate(double value, int size) {
    const Rounded r = rounded(value, size);
    return std::ldexp(static_cast<double>(r.mantissa), r.exponent);
}

// Weight of the constraint with cost c in the proof on free row r, whose own is 1; 0 where it has
// none.
double weight_of(const State& st, const Node& a, int c, int r) {
    const Costs& costs = st.costs;
    if (costs.value[c] >= 0.0 || costs.var[c] < st.n) return 0.0;
    return -costs.value[c] * st.scale[costs.var[c] - st.n] / st.scale[a.rows.rowvar[r] - st.n];
}

}  // namespace

bool record_sum(State& st, const Node& a, int r, int sign) {
    if (!st.records) return true;
    const Dictionary& d = a.rows;
    for (const int size : SIZES) {
        Combination sum(st);
        sum.add(d.rowvar[r] - st.n, sign);
        for (int c = 0; c < st.n; ++c) {
            const double weight = weight_of(st, a, c, r);
            if (weight <= 0.0) continue;
            const Index k = st.costs.var[c] - st.n;
            sum.add(k, approximate(weight, size) * st.side_of_row(a, k));
        }
        if (!(sum.supremum() < 0.0)) continue;
        put(st, sign > 0 ? NEVER_ACTIVE : NEVER_INACTIVE);
        put_number(st, st.unit_of_var(d.rowvar[r]) - st.net.starts[a.layer]);
        put_number(st, sum.terms() - 1);
        if (sum.terms() > 1) put_number(st, size);
        for (int c = 0; c < st.n; ++c) {
            const double weight = weight_of(st, a, c, r);
            if (weight > 0.0) put_term(st, st.costs.var[c] - st.n, weight, size);
        }
        return true;
    }
    return false;
}

bool record_separation(State& st, Zonotope& zono, int m) {
    if (!st.records) return true;
    double* exact = zono.trial.data();
    for (int r = 0; r < m; ++r) {
        exact[r] = zono.multipliers[r] / zono.length[r];
        zono.length[r] = 1.0;
    }
    for (const int size : SIZES) {
        Index terms = 0;
        for (int r = 0; r < m; ++r) {
            zono.multipliers[r] = exact[r] > 0.0 ? approximate(exact[r], size) : 0.0;
            terms += exact[r] > 0.0;
        }
        if (!zono.separated(m, zono.spread_out(m).total)) continue;
        put(st, EMPTY_CELL);
        put_number(st, terms);
        put_number(st, size);
        for (int r = 0; r < m; ++r)
            if (exact[r] > 0.0) put_term(st, zono.names[r], exact[r], size);
        return true;
    }
    return false;
}

bool record_spread(State& st, Zonotope& zono, int m) {
    if (!st.records) return true;
    const int n = zono.n;
    zono.spread_out(m);
    double* weight = zono.shift.data();
    double top = 0.0;
    for (int i = 0; i < n; ++i) {
        // Half of u, in terms of pre-activations.
        weight[i] = 0.5 * zono.image[i] / zono.reach[i];
        top = std::max(top, std::abs(weight[i]));
    }
    int exponent = 0;
    std::frexp(top, &exponent);
    for (const int bits : SPREAD_BITS) {
        const int e = bits - exponent;
        double size = 0.0;
        for (int i = 0; i < n; ++i) {
            const double rough = std::floor(std::ldexp(weight[i], e) + 0.5);
            zono.image[i] = 2.0 * zono.reach[i] * std::ldexp(rough, -e);
            size += std::abs(zono.image[i]);
        }
        zono.transport();
        for (double& x : zono.u) x = std::min(std::max(x, -1.0), 1.0);
        // The entries of v are at most 1: so far is u from what these weights say.
        const double blur = gamma(n + 8) * size;
        if (!zono.satisfied(m, zono.image_of() + blur)) continue;
        put(st, SPREAD);
        put_signed(st, e);
        int i = 0;
        for (Index u = 0; u < st.net.widths[0]; ++u) {
            if (i < n && zono.unit[i] == u) {
                put_signed(st, static_cast<Index>(std::floor(std::ldexp(weight[i], e) + 0.5)));
                ++i;
            } else {
                put(st, 0);
            }
        }
        return true;
    }
    return false;
}

bool record_point(State& st, const Node& a, const double* z) {
    if (!st.records) return true;
    double* short_z = st.total.data();
    double scale = 1.0;
    for (int size = 1; size < 7; ++size) {
        scale *= 256.0;
        for (int j = 0; j < st.n; ++j)
            short_z[j] = (std::min(std::floor(z[j] * scale), scale - 1.0) + 0.5) / scale;
        if (!proved_point(st, a, short_z)) continue;
        put(st, POINT);
        put(st, static_cast<std::uint8_t>(size));
        for (int j = 0; j < st.n; ++j) {
            auto k = static_cast<Index>(short_z[j] * scale);
            for (int b = 0; b < size; ++b) {
                put(st, static_cast<std::uint8_t>(k & 255));
                k >>= 8;
            }
        }
        return true;
    }
    return false;
}

}  // namespace milpcount
