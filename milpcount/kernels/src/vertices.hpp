// Signs of units at vertices, proved in floats; vertices placed anew when their error is in the way.

#pragma once

#include <algorithm>
#include <cmath>

#include "cell.hpp"
#include "stages.hpp"

namespace milpcount {

// What a row is a form of.
struct RowForm {
    Index stage;  // -2: a side of the cube
    Index place;
};

inline RowForm form_of(const Net& net, Index row) {
    const Index k = row - 2 * net.n;
    if (k < 0) return {-2, row};
    if (k < net.domain_rows) return {-1, k};
    const Index u = k - net.domain_rows;
    const Index stage = net.layer_of[u];
    return {stage, u - net.starts[stage]};
}

// Form u at z, summed in the order constant, z_0, z_1, ...
template <int N>
inline double value_of(const Forms& f, Index u, const double* z) {
    double value = f.at(N, u);
    for (int j = 0; j < N; ++j) value += f.at(j, u) * z[j];
    return value;
}

// Solves for the point where N rows meet, with a bound on its error.
//
// With A the coefficients of the rows' forms and C nearly its inverse, a point with residuals r is
// off by at most max_j sum_i |C_ji| (|r_i| + errors of r_i and of form i) / (1 - |I - C A|) (Rump,
// Verification methods, Acta Numerica 2010, section 10).
template <int N>
class Corner {
  public:
    // Rows are scaled to size 1.  Scaling rounds every entry once, which is one rounding of a number
    // of size 1; the residual at a point of the cube, N + 1 terms of size 1 in all, rounds N + 1 times.
    void take(int k, const Forms& f, Index u) {
        const double scale = 1.0 / std::max(size_of(f, u), 1e-300);
        for (int j = 0; j < N; ++j) matrix[k][j] = f.at(j, u) * scale;
        constant[k] = f.at(N, u) * scale;
        error[k] = 1.01 * (f.at(N + 1, u) * scale + (N + 2) * ROUNDOFF) + TINY;
    }
    void take_side(int k, Index row) {
        for (int j = 0; j < N; ++j) matrix[k][j] = 0.0;
        matrix[k][row >> 1] = 1.0;
        constant[k] = -static_cast<double>(row & 1);
        error[k] = 0.0;  // a difference of two numbers rounds by a part of itself
    }
    // Puts the point into z; returns the bound on its error, or a negative number without one.
    double solve(double* z) {
        if (!invert()) return -1.0;
        for (int j = 0; j < N; ++j) {
            z[j] = 0.0;
            for (int i = 0; i < N; ++i) z[j] -= c[j][i] * constant[i];
            z[j] = std::min(std::max(z[j], 0.0), 1.0);
        }
        for (int i = 0; i < N; ++i) {
            double residual = constant[i];
            for (int j = 0; j < N; ++j) residual += matrix[i][j] * z[j];
            error[i] += std::abs(residual);
        }
        double off = 0.0, defect = 0.0;
        for (int j = 0; j < N; ++j) {
            double part = 0.0, line = 0.0;
            for (int i = 0; i < N; ++i) {
                part += std::abs(c[j][i]) * error[i];
                double entry = i == j ? -1.0 : 0.0, size = 1.0;
                for (int k = 0; k < N; ++k) {
                    entry += c[j][k] * matrix[k][i];
                    size += std::abs(c[j][k]);
                }
                line += std::abs(entry) + gamma(N + 1) * size;
            }
            off = std::max(off, part);
            defect = std::max(defect, line);
        }
        // The inverse of A is at most 1 / (1 - defect) times C, entry sums by entry sums.
        return defect > 0.5 ? -1.0 : 1.02 * off / (1.0 - defect) + 4 * ROUNDOFF;
    }

  private:
    // Gauss-Jordan with row pivoting.
    bool invert() {
        for (int i = 0; i < N; ++i)
            for (int j = 0; j < N; ++j) {
                a[i][j] = matrix[i][j];
                c[i][j] = i == j ? 1.0 : 0.0;
            }
        for (int k = 0; k < N; ++k) {
            int p = k;
            for (int r = k + 1; r < N; ++r)
                if (std::abs(a[r][k]) > std::abs(a[p][k])) p = r;
            if (std::abs(a[p][k]) < 1e-10) return false;
            for (int j = 0; j < N; ++j) {
                std::swap(a[k][j], a[p][j]);
                std::swap(c[k][j], c[p][j]);
            }
            const double f = 1.0 / a[k][k];
            for (int j = 0; j < N; ++j) {
                a[k][j] *= f;
                c[k][j] *= f;
            }
            for (int r = 0; r < N; ++r) {
                const double g = a[r][k];
                if (r == k || g == 0.0) continue;
                for (int j = 0; j < N; ++j) {
                    a[r][j] -= g * a[k][j];
                    c[r][j] -= g * c[k][j];
                }
            }
        }
        return true;
    }

    static constexpr int ROOM = N > 0 ? N : 1;
    double matrix[ROOM][ROOM], constant[ROOM], error[ROOM], a[ROOM][ROOM], c[ROOM][ROOM];
};

// Of the facets that a vertex lies on, N whose forms are as independent as can be: Gaussian
// elimination of all of them, largest entry first.  0 if there are no N independent ones.
template <int N>
Word independent(const Net& net, Stages& stages, const std::int32_t* rows, Word facets) {
    constexpr int MOST = 24;
    double a[MOST][N > 0 ? N : 1];
    int names[MOST], count = 0;
    for (; facets != 0 && count < MOST; facets &= facets - 1) {
        const int f = lowest_bit(facets);
        const RowForm form = form_of(net, rows[f]);
        double largest = 0.0;
        for (int j = 0; j < N; ++j) {
            a[count][j] = form.stage == -2 ? (j == (form.place >> 1) ? 1.0 : 0.0)
                                           : stages.forms(form.stage).at(j, form.place);
            largest = std::max(largest, std::abs(a[count][j]));
        }
        if (largest == 0.0) continue;
        for (int j = 0; j < N; ++j) a[count][j] /= largest;
        names[count++] = f;
    }
    Word chosen = 0;
    for (int k = 0; k < N; ++k) {
        int row = -1, column = 0;
        double best = 1e-9;
        for (int r = k; r < count; ++r)
            for (int j = 0; j < N; ++j)
                if (std::abs(a[r][j]) > best) {
                    best = std::abs(a[r][j]);
                    row = r;
                    column = j;
                }
        if (row < 0) return 0;
        std::swap(names[k], names[row]);
        for (int j = 0; j < N; ++j) std::swap(a[k][j], a[row][j]);
        chosen |= bit_of(names[k]);
        for (int r = k + 1; r < count; ++r) {
            const double g = a[r][column] / a[k][column];
            for (int j = 0; j < N; ++j) a[r][j] -= g * a[k][j];
            a[r][column] = 0.0;
        }
    }
    return chosen;
}

// Places a vertex anew, where N of its facets meet; whether that made its error smaller.  The
// errors of vertices grow from cut to cut.
template <int N>
bool refine(const Net& net, Stages& stages, const std::int32_t* rows, Word facets, double* at,
            double& error) {
    if (error < 1e-14 || count_bits(facets) < N) return false;
    if (count_bits(facets) > N) facets = independent<N>(net, stages, rows, facets);
    if (count_bits(facets) < N) return false;
    Corner<N> corner;
    for (int k = 0; k < N; ++k) {
        const Index row = rows[lowest_bit(facets)];
        facets &= facets - 1;
        const RowForm form = form_of(net, row);
        if (form.stage == -2)
            corner.take_side(k, form.place);
        else
            corner.take(k, stages.forms(form.stage), form.place);
    }
    double z[N > 0 ? N : 1];
    const double off = corner.solve(z);
    if (off < 0.0 || off >= 0.5 * error) return false;
    for (int j = 0; j < N; ++j) at[j] = z[j];
    error = off;
    return true;
}

// Whether form u is zero at the vertex beyond doubt: at most two terms, which are exact.  A float
// sum of two numbers is zero only if the true sum is.
template <int N>
bool exactly_zero(const Forms& f, Index u, const double* z, double error) {
    if (error > 0.0 || f.at(N + 1, u) > 0.0) return false;
    double total = f.at(N, u);
    int terms = total != 0.0 ? 1 : 0;
    for (int j = 0; j < N; ++j) {
        const double c = f.at(j, u);
        if (c == 0.0 || z[j] == 0.0) continue;
        if (z[j] != 1.0) return false;
        total += c;
        ++terms;
    }
    return total == 0.0 && terms <= 2;
}

inline constexpr int UNKNOWN_SIGN = 2;

// The sign of unit u of a stage at a vertex, which may be placed anew; UNKNOWN_SIGN if floats leave
// it open.
template <int N>
int classify(const Net& net, Stages& stages, const std::int32_t* rows, Word facets, double* at,
             double& error, Index stage, Index u) {
    const Forms f = stages.forms(stage);
    const double own = stages.own_error(stage)[u], rate = stages.error_rate(stage)[u];
    double value = value_of<N>(f, u, at), bound = own + rate * error;
    if (std::abs(value) <= bound && refine<N>(net, stages, rows, facets, at, error)) {
        value = value_of<N>(f, u, at);
        bound = own + rate * error;
    }
    if (value > bound) return 1;
    if (value < -bound) return -1;
    return exactly_zero<N>(f, u, at, error) ? 0 : UNKNOWN_SIGN;
}

}  // namespace milpcount
