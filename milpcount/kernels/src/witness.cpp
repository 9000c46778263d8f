// The search for a witness in a zonotope: Newton's method for the dual, see zonotope.hpp.

#include <algorithm>
#include <cmath>

#include "least_squares.hpp"
#include "zonotope.hpp"

namespace milpcount {

// Whether V^T w is in the cube with the clipped coordinates on their sides; then it is put into u.
bool Zonotope::inside(const Spread& to) {
    if (!(to.most <= RADIUS)) return false;
    const Lanes far = fill(radius), zero = fill(0.0);
    for (int j = 0; j < wide; j += Lanes::width) {
        const Lanes s = load(side.data() + j);
        store(u.data() + j, choose(equal(s, zero), load(u.data() + j), far * s));
    }
    return true;
}

// Whether the multipliers show, rounding apart, that the rows contradict each other in the cube
// where u is clipped.
bool Zonotope::cut_off(int m, double spread) const {
    double total = radius * spread;
    for (int r = 0; r < m; ++r) total += multipliers[r] * centre[r];
    return total < 0.0;
}

// The value of the dual at the multipliers.
double Zonotope::dual(int m, int equals, double margin, const Spread& to) const {
    double value = -to.energy;
    for (int r = 0; r < m; ++r)
        value += multipliers[r] * ((r >= equals ? margin : 0.0) - centre[r]);
    return value;
}

// `accept` says whether V^T w, which is in u and which it may change, leads to what is looked for.
template <class Accept>
Found Zonotope::search(int m, int equals, Accept&& accept) {
    struct Attempt {
        double radius, margin;
    };
    // In the smaller cube, where there are equations (without, the clipped u is tried in every
    // round); in the cube itself; near the rows; from a fresh start.
    constexpr Attempt attempts[] = {
        {INNER, WIDE}, {RADIUS, WIDE}, {RADIUS, NARROW}, {RADIUS, NARROW}};
    for (int attempt = equals > 0 ? 0 : 1; attempt < 4; ++attempt) {
        if (attempt == 3) since = REFRESH;
        radius = attempts[attempt].radius;
        const double margin = attempts[attempt].margin;
        bool warm = true;
        double reached = 0.0;
        for (int r = 0; r < m; ++r) from[r] = 0.0;
        for (int round = 0; round < ROUNDS; ++round) {
            renew(m, equals);
            prepare(m, equals, margin);
            least_multipliers(*this, m, equals);
            Spread to = spread_out(m);
            double value = dual(m, equals, margin, to);
            if (warm && value < 0.0) {
                since = REFRESH;
                warm = false;
                continue;
            }
            for (int k = 0; k < HALVINGS && value < reached - 1e-9 * (1.0 + reached); ++k) {
                for (int r = 0; r < m; ++r) multipliers[r] = 0.5 * (multipliers[r] + from[r]);
                to = spread_out(m);
                to.most = INFINITE;  // that is no solution
                value = dual(m, equals, margin, to);
            }
            const bool none = cut_off(m, to.total);
            if (none && separated(m, to.total)) return Found::EMPTY;
            if (accept(to)) return Found::FOUND;
            if ((none && radius < RADIUS) || to.changed == 0) break;
            warm = false;
            reached = value;
            for (int r = 0; r < m; ++r) from[r] = multipliers[r];
            turn(to.changed);
        }
    }
    return Found::UNKNOWN;
}

Found Zonotope::confirm(int m) {
    measure(m, 0);
    for (int r = 0; r < m; ++r) active[r] = was_active[names[r]];
    const Found result = search(m, 0, [&](const Spread&) {
        for (double& x : u) x = std::min(std::max(x, -RADIUS), RADIUS);
        return satisfied(m, image_of());
    });
    for (int r = 0; r < m; ++r) was_active[names[r]] = active[r];
    return result;
}

void Zonotope::renew(int m, int equals) {
    if (since >= REFRESH) {
        unclip();
        for (int r = equals; r < m; ++r) active[r] = 0;
        since = 0;
    }
    ++since;
    ++rounds;
}

Found Zonotope::meet(int m, int k) {
    measure(m, k);
    for (int r = 0; r < m; ++r) active[r] = r < k || was_active[names[r]];
    const Found result = search(m, k, [&](const Spread& to) {
        if (!inside(to)) return false;
        image_of();
        return all_signs(m, k, 1.0 - std::max(to.most, radius));
    });
    for (int r = k; r < m; ++r) was_active[names[r]] = active[r];
    return result;
}

// Whether a small step from the image along +- the directions shows all signs of the first k rows
// and stays inside.  So much room is between u and the sides of its cube; `stretch` bounds how far
// it moves.
bool Zonotope::all_signs(int m, int k, double room) {
    double lengths = 0.0;
    for (int i = 0; i < k; ++i) {
        double length = 0.0;
        for (int c = 0; c < n; ++c) length += std::abs(steps[i][c]);
        step_errors[i] = 1.01 * length * skew;
        lengths += length;
    }
    double step = lengths > 0.0 ? 0.9 * room / (stretch * lengths) : 1.0;
    const auto along = [&](int r, int i, double smear, double& value, double& doubt) {
        double size = 0.0;
        value = 0.0;
        for (int c = 0; c < n; ++c) {
            const double p = rows[r][c] * steps[i][c];
            value += p;
            size += std::abs(p);
        }
        value = std::abs(value);
        doubt = gamma(n + 1) * size + 1.01 * smear * step_errors[i] + TINY;
    };
    for (int r = k; r < m; ++r) {
        const AtImage at = at_image(r, blur);
        const double slack = at.value - at.error;
        if (!(slack > 0.0)) return false;
        double used = 0.0;
        for (int i = 0; i < k; ++i) {
            double value, doubt;
            along(r, i, at.smear, value, doubt);
            used += value + doubt;
        }
        if (used > 0.0) step = std::min(step, 0.5 * slack / used);
    }
    for (int r = 0; r < k; ++r) {
        const AtImage at = at_image(r, blur);
        double gain = 0.0;
        for (int i = 0; i < k; ++i) {
            double value, doubt;
            along(r, i, at.smear, value, doubt);
            gain += (i == r ? value : -value) - doubt;
        }
        if (!(0.99 * step * gain > std::abs(at.value) + at.error)) return false;
    }
    return true;
}

}  // namespace milpcount
