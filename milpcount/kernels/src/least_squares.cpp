#include "least_squares.hpp"

#include <algorithm>
#include <cmath>

namespace milpcount {

namespace {

// PAD places of the sum of `count` rows with these factors.
inline void sum_of_rows(const double* factors, int count, const double* rows, std::size_t stride,
                        double* out) {
    Lanes total[Sum::parts];
    for (Lanes& x : total) x = fill(0.0);
    for (int c = 0; c < count; ++c, rows += stride) {
        const Lanes f = fill(factors[c]);
        for (int k = 0; k < Sum::parts; ++k)
            total[k] = total[k] + f * load(rows + k * Lanes::width);
    }
    for (int k = 0; k < Sum::parts; ++k) store(out + k * Lanes::width, total[k]);
}

// The active set and what is known of its kernel.
class Active {
  public:
    Active(Zonotope& zono, int rows, int equations)
        : z(zono), n(zono.n), m(rows), equals(equations) {}

    int count = 0;  // of the passive rows, those with multipliers

    // Make row r the last of the passive ones.  Of the kernel only what is before it is needed.
    void bring_in(int r) {
        double* product = z.product[r];
        const double* normal = z.normal[r];
        const int where = z.single[r];
        for (int i = 0; i < n; i += PAD) {
            if (where >= 0)
                sum_of_rows(normal + where, 1, z.free[where] + i, 0, product + i);
            else
                sum_of_rows(normal, n, z.free[0] + i, z.free.stride(), product + i);
        }
        z.passive[count] = r;
        double* kernel = z.kernel[r];
        // The first rows are equations, and most of those that are there.
        const int first = std::min(count + 1, equals);
        for (int a = 0; a < first; a += PAD)
            sum_of_rows(product, n, z.flipped[0] + a, z.flipped.stride(), kernel + a);
        for (int a = first; a <= count; ++a) {
            const int s = z.passive[a];
            const int only = z.single[s];
            kernel[s] = only >= 0 ? product[only] * z.normal[s][only]
                                  : dot(product, z.normal[s], padded(n));
        }
        ++count;
    }

    // Solve the kernel on the passive rows for `trial` by Cholesky.  The first `known` rows of the
    // factor are right already; its diagonal holds reciprocals.
    void solve(int known) {
        double* trial = z.trial.data();
        for (int a = known; a < count; ++a) {
            double* f = z.factor[a];
            const double* kernel = z.kernel[z.passive[a]];
            for (int b = 0; b < a; ++b) {
                const double* g = z.factor[b];
                double total = kernel[z.passive[b]];
                for (int c = 0; c < b; ++c) total -= f[c] * g[c];
                f[b] = total * g[b];
            }
            double total = kernel[z.passive[a]];
            for (int c = 0; c < a; ++c) total -= f[c] * f[c];
            f[a] = 1.0 / std::sqrt(std::max(total, 1e-13));
        }
        for (int a = 0; a < count; ++a) {
            const double* f = z.factor[a];
            double total = z.right[z.passive[a]];
            for (int c = 0; c < a; ++c) total -= f[c] * trial[c];
            trial[a] = total * f[a];
        }
        for (int a = count - 1; a >= 0; --a) {
            const double* f = z.factor[a];
            const double total = trial[a] * f[a];
            trial[a] = total;
            for (int c = 0; c < a; ++c) trial[c] -= f[c] * total;
        }
    }

    // The row, none of the passive ones, that the present multipliers violate most; or -1.
    int most_violated() {
        double* shift = z.shift.data();
        const int wide = padded(n);
        for (int i = 0; i < wide; ++i) shift[i] = 0.0;
        for (int a = 0; a < count; ++a) {
            const int r = z.passive[a];
            add_multiple(shift, z.multipliers[r], z.product[r], wide);
        }
        double worst = 1e-10;
        int found = -1;
        for (int r = 0; r < m; ++r) {
            if (z.active[r]) continue;
            const int where = z.single[r];
            const double slack =
                z.right[r] - (where >= 0 ? shift[where] * z.normal[r][where]
                                         : dot(shift, z.normal[r], wide));
            if (slack > worst) {
                worst = slack;
                found = r;
            }
        }
        return found;
    }

    // The active rows of before, without those that the changed problem pushes away.
    void begin() {
        double* lam = z.multipliers.data();
        std::int32_t* p = z.passive.data();
        for (int r = 0; r < m; ++r) {
            lam[r] = 0.0;
            if (z.active[r]) bring_in(r);
        }
        int known = 0;
        while (count > 0) {
            solve(known);
            int kept = 0;
            known = count;
            for (int a = 0; a < count; ++a) {
                if (z.trial[a] > 0.0 || p[a] < equals) {
                    lam[p[a]] = z.trial[a];
                    p[kept++] = p[a];
                } else {
                    z.active[p[a]] = 0;
                    known = std::min(known, kept);
                }
            }
            if (kept == count) return;
            for (int a = 0; a < kept; ++a) lam[p[a]] = 0.0;
            count = kept;
        }
    }

    // Move towards the solution on the passive rows until a multiplier comes to zero, drop its row,
    // and go on; false where rounding keeps a row that should go.
    bool settle(int known) {
        double* lam = z.multipliers.data();
        std::int32_t* p = z.passive.data();
        const double* trial = z.trial.data();
        while (count > 0) {
            solve(known);
            double step = 1.0;
            for (int a = 0; a < count; ++a) {
                if (trial[a] <= 0.0 && p[a] >= equals) {
                    const double old = lam[p[a]];
                    step = std::min(step, old > 0.0 ? old / (old - trial[a]) : 0.0);
                }
            }
            for (int a = 0; a < count; ++a) lam[p[a]] += step * (trial[a] - lam[p[a]]);
            if (step >= 1.0) return true;
            int kept = 0;
            known = count;
            for (int a = 0; a < count; ++a) {
                const int r = p[a];
                if (r >= equals && trial[a] <= 0.0 && lam[r] <= 1e-14) {
                    lam[r] = 0.0;
                    z.active[r] = 0;
                    known = std::min(known, kept);
                } else {
                    p[kept++] = r;
                }
            }
            if (kept == count) return false;
            count = kept;
        }
        return true;
    }

  private:
    Zonotope& z;
    const int n, m, equals;
};

}  // namespace

void least_multipliers(Zonotope& zono, int m, int equals) {
    Active set(zono, m, equals);
    set.begin();
    for (int k = 0; k < 3 * m + 10; ++k) {
        const int row = set.most_violated();
        if (row < 0) return;
        const int known = set.count;
        set.bring_in(row);
        zono.active[row] = 1;
        if (!set.settle(known)) return;
    }
}

}  // namespace milpcount
