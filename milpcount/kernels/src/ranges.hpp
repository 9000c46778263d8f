// The ranges of all forms of a layer at once.

#pragma once

#include "forms.hpp"
#include "lanes.hpp"

namespace milpcount {

// Outward ranges over the unit cube as those of cube_range, into arrays padded like the forms.
inline void ranges(const Forms& forms, double* low, double* high) {
    const Index n = forms.n;
    const Lanes zero = fill(0.0), one = fill(1.0), two = fill(2.0), rate = fill(gamma(n + 1));
    for (Index u = 0; u < forms.width; u += Lanes::width) {
        const Lanes constant = load(forms.constants() + u);
        Lanes bottom = constant, top = constant, size = absolute(constant);
        Lanes below = choose(zero < size, one, zero);
        Lanes above = below;
        for (Index c = 0; c < n; ++c) {
            const Lanes f = load(forms.row(c) + u);
            size = size + absolute(f);
            top = top + larger(f, zero);
            bottom = bottom + smaller(f, zero);
            above = above + choose(zero < f, one, zero);
            below = below + choose(f < zero, one, zero);
        }
        const Lanes rounding = rate * size, error = load(forms.errors() + u);
        // An end of one or two terms is exact where it is stored or comes to zero.
        const Which low_rounds = (two < below) | ((one < below) & (zero < absolute(bottom)));
        const Which high_rounds = (two < above) | ((one < above) & (zero < absolute(top)));
        store(low + u, bottom - choose(low_rounds, rounding, zero) - error);
        store(high + u, top + choose(high_rounds, rounding, zero) + error);
    }
}

}  // namespace milpcount
