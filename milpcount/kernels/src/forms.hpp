// Pre-activations as affine forms in floats, each with a bound on its error over the unit cube.
//
// Forms are kept columns first: row c of the matrix holds coefficient c of all units.  Rows 0..n-1
// are the coefficients of the coordinates z of the unit cube, row n the constants, and row n + 1
// bounds |stored form(z) - true form(z)| over the whole cube.
//
// The forms of a layer are built while the signs of the layers before are decided: the sign of a
// unit adds one multiple of its form to each of them.  The bound follows the same sums.
//
// Statement.  Let f_i be the stored forms that are read, m their number, S_i the float sum of the
// absolute entries of f_i, e_i a bound on its error over the cube, w_ki the weights and a_i the
// factors (1 or a slope).  Then the form k that is stored, in whatever order the units come, is off
// by at most the stored
//     e_k = fl( sum_i |w_ki| fl(|a_i| (e_i + g (S_i + e_i) + TINY)) ) + |b_k| fl(g S_one),
//     g = gamma(m + 4) = (2 (m + 4) + 16) u,  u = 2^-53.
// Proof.  Coefficient c is a float sum of m + 1 terms, each with at most two roundings of its own:
// it is off by at most gamma'_{m+3} sum_i |w_ki a_i f_ic| where gamma'_p = p u / (1 - p u) (Higham,
// Accuracy and Stability of Numerical Algorithms, section 3.1), and what underflow loses is below
// TINY.  |z_c| <= 1 on the cube, so the sum over c bounds what rounding does to the form by
// gamma'_{m+3} sum_i |w_ki a_i| S'_i with the exact S'_i <= S_i / (1 - (n + 1) u); errors of the f_i
// pass through as sum_i |w_ki a_i| e_i.  The bound itself is computed in floats: a sum of m + 1
// nonnegative terms with at most six roundings each, low by at most gamma'_{m+7} of itself.  So
// what is needed is (1 + gamma'_{m+7}) sum_i |w_ki a_i| (e_i + gamma'_{m+3} (1 + (n + 2) u) S_i),
// and g >= gamma'_{m+7} + gamma'_{m+3} (1 + 2^-20) for m, n < 2^20, with which it is covered.

#pragma once

#include <cmath>

#include "arrays.hpp"

namespace milpcount {

inline constexpr double ROUNDOFF = 0x1p-53;
inline constexpr double TINY = 1e-290;  // above anything that underflow can lose in one form

// Upper bound of gamma_m, with room for the roundings of the bound's own sums.
inline double gamma(Index terms) { return static_cast<double>(2 * terms + 16) * ROUNDOFF; }

// A view of forms: row c of unit u is at data[c * stride + u].
struct Forms {
    double* data = nullptr;
    Index stride = 0;
    Index n = 0;      // coordinates
    Index width = 0;  // units

    double* row(Index c) const { return data + c * stride; }
    double at(Index c, Index u) const { return data[c * stride + u]; }
    double* constants() const { return row(n); }
    double* errors() const { return row(n + 1); }
};

inline Forms view_of(Matrix<double>& m, Index n, Index width) {
    return {m[0], static_cast<Index>(m.stride()), n, width};
}

// Forms of a layer before any unit is decided: `bias` times the form of one (`one`, n + 1 entries).
// `terms` is the number of units that the layer reads.
inline void start_next(const Forms& partial, const double* bias, const double* one, Index terms) {
    const Index n = partial.n;
    double size = 0.0;
    for (Index c = 0; c <= n; ++c) size += std::abs(one[c]);
    const double rate = gamma(terms + 4) * size;
    for (Index c = 0; c <= n; ++c) {
        double* row = partial.row(c);
        for (Index k = 0; k < partial.width; ++k) row[k] = bias[k] * one[c];
    }
    double* errors = partial.errors();
    for (Index k = 0; k < partial.width; ++k) errors[k] = std::abs(bias[k]) * rate;
}

// Sum of the absolute entries of form u.
inline double size_of(const Forms& forms, Index u) {
    double total = 0.0;
    for (Index c = 0; c <= forms.n; ++c) total += std::abs(forms.at(c, u));
    return total;
}

// Add factor * weight[k] times form u to every form k of the next layer.
inline void add_unit(const Forms& partial, const double* weight, double factor, const Forms& forms,
                     Index u, Index terms) {
    const Index n = forms.n, width = partial.width;
    const double size = size_of(forms, u);
    const double own = forms.at(n + 1, u);
    if (factor == 0.0 || size + own == 0.0) return;
    const double error = std::abs(factor) * (own + gamma(terms + 4) * (size + own) + TINY);
    for (Index c = 0; c <= n; ++c) {
        const double f = factor * forms.at(c, u);
        if (f == 0.0) continue;
        double* row = partial.row(c);
        for (Index k = 0; k < width; ++k) row[k] += weight[k] * f;
    }
    double* errors = partial.errors();
    for (Index k = 0; k < width; ++k) errors[k] += std::abs(weight[k]) * error;
}

struct Range {
    double low, high;
};

// Outward range of form u over the unit cube.  An end that is one stored number, or an exact
// difference of two, is not widened, so that a hyperplane along a face of the cube is seen to be
// one: a float sum of two numbers is zero only if the true sum is.
inline Range cube_range(const Forms& forms, Index u) {
    const Index n = forms.n;
    double low = forms.at(n, u), high = low, size = std::abs(low);
    int below = low != 0.0 ? 1 : 0, above = below;
    for (Index c = 0; c < n; ++c) {
        const double f = forms.at(c, u);
        size += std::abs(f);
        if (f > 0.0) {
            high += f;
            ++above;
        } else if (f < 0.0) {
            low += f;
            ++below;
        }
    }
    const double error = forms.at(n + 1, u);
    const double rounding = gamma(n + 1) * size;
    if (below > 2 || (below == 2 && low != 0.0)) low -= rounding;
    if (above > 2 || (above == 2 && high != 0.0)) high += rounding;
    return {low - error, high + error};
}

}  // namespace milpcount
