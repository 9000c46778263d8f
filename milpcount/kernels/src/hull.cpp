// The part of segments.hpp that searches the convex hull of the points.

#include <cmath>

#include "segments.hpp"

namespace milpcount {

namespace {

constexpr double DISTANCE = 1e-7;  // wanted of every unit, in terms of the largest sum of its terms
constexpr int PIVOTS = 24;
constexpr double SLOPE = 1e-10;

bool is_cut(int sign) { return sign == 1 || sign == -1; }

}  // namespace

bool Segments::in_hull(const State& st, const Node& a, Index unit, int sign) {
    const int count = static_cast<int>(std::min(kept_, POINTS));
    if (count < 2) return false;
    const int m = hull_rows(st, a, count, unit, sign);
    hull_start(m, count);
    for (int k = 0; k < PIVOTS; ++k) {
        const int state = hull_step(m, count);
        if (state != 0) return state > 0 && confirmed(st, a, m, unit, sign);
    }
    return false;
}

// Put what the units that bound the cell are at every point into the table, scaled.
int Segments::hull_rows(const State& st, const Node& a, int count, Index unit, int sign) {
    const Net& net = st.net;
    const Lanes distance = fill(DISTANCE);
    const int wide_count = padded(count);
    int m = 0;
    const Index first = net.starts[layer_], begin = net.starts[layer_ + 1];
    const Index width = net.widths[layer_], wide = net.widths[layer_ + 1];
    for (Index i = 0; i < width; ++i) {
        const int s = a.sign[first + i];
        if (!is_cut(s)) continue;
        const Lanes f = fill(s / (reach_[i] + 1e-300));
        double* row = table_[m++];
        for (int p = 0; p < wide_count; p += Lanes::width)
            store(row + p, f * load(at_[i] + p) - distance);
    }
    for (Index j = 0; j < wide; ++j) {
        const int s = begin + j == unit ? sign : a.sign[begin + j];
        if (!is_cut(s)) continue;
        // The doubt is MARGIN times the largest sum of terms.
        const double f = s * MARGIN / doubt_[1][j];
        double* row = table_[m++];
        const Lanes constant = fill(f * net.biases[begin + j] - DISTANCE);
        for (int p = 0; p < wide_count; p += Lanes::width) store(row + p, constant);
        for (Index i = 0; i < width; ++i) {
            const double factor = a.sign[first + i] > 0 ? 1.0 : net.slopes[first + i];
            if (factor != 0.0)
                add_multiple(row, factor * f * net.weights_of(layer_ + 1, i)[j], at_[i],
                             wide_count);
        }
    }
    return m;
}

// Begin at the point that violates the rows least; row m is that point's weight.
void Segments::hull_start(int m, int count) {
    const int wide_count = padded(count);
    double* lacking = table_[m];
    const Lanes zero = fill(0.0);
    for (int p = 0; p < wide_count; p += Lanes::width) store(lacking + p, zero);
    for (int r = 0; r < m; ++r) {
        const double* row = table_[r];
        for (int p = 0; p < wide_count; p += Lanes::width)
            store(lacking + p, load(lacking + p) + smaller(load(row + p), zero));
    }
    int best = 0;
    for (int p = 0; p < count; ++p)
        if (lacking[p] > lacking[best]) best = p;
    for (int r = 0; r < m; ++r) {
        double* row = table_[r];
        const double here = row[best];
        values_[r] = here;
        basic_[r] = -1 - r;
        for (int p = 0; p < wide_count; p += Lanes::width)
            store(row + p, load(row + p) - fill(here));
    }
    for (int p = 0; p < count; ++p) {
        lacking[p] = -1.0;
        nonbasic_[p] = p;
    }
    values_[m] = 1.0;
    basic_[m] = best;
    basic_[m + 1] = -1;
    // The place of the point that is basic stays empty; so does the padding.
    for (int r = 0; r <= m; ++r) {
        table_[r][best] = 0.0;
        for (int p = count; p < wide_count; ++p) table_[r][p] = 0.0;
    }
}

// One step of the simplex method; 1: all rows are satisfied, -1: they cannot be, 0: go on.
int Segments::hull_step(int m, int count) {
    const int wide_count = padded(count);
    double* gain = table_[m + 1];
    const Lanes zero = fill(0.0);
    for (int p = 0; p < wide_count; p += Lanes::width) store(gain + p, zero);
    int lacking = 0;
    for (int r = 0; r < m; ++r) {
        if (!(values_[r] < 0.0 && basic_[r] < 0)) continue;
        ++lacking;
        const double* row = table_[r];
        for (int p = 0; p < wide_count; p += Lanes::width)
            store(gain + p, load(gain + p) + load(row + p));
    }
    if (lacking == 0) return 1;
    int enter = 0;
    for (int p = 0; p < count; ++p)
        if (gain[p] > gain[enter]) enter = p;
    if (gain[enter] <= SLOPE) return -1;
    // How far the satisfied rows and the weights allow to go, and where the first and the last of
    // the others is satisfied.
    int block = -1, first = -1;
    double room = FAR, nearest = FAR, last = 0.0;
    for (int r = 0; r <= m; ++r) {
        const double rate = table_[r][enter];
        if (values_[r] < 0.0 && basic_[r] < 0) {
            if (rate > SLOPE) {
                const double t = -values_[r] / rate;
                if (t < nearest) {
                    first = r;
                    nearest = t;
                }
                last = std::max(last, t);
            } else {
                last = FAR;
            }
        } else if (rate < -SLOPE) {
            const double t = std::max(values_[r], 0.0) / -rate;
            if (t < room) {
                block = r;
                room = t;
            }
        }
    }
    if (last < room) {
        const double t = 0.5 * (last + std::min(room, 2.0 * last));
        for (int r = 0; r <= m; ++r) values_[r] += t * table_[r][enter];
        // The weight that entered has no row: it takes the place after the last one.
        values_[m + 1] = t;
        basic_[m + 1] = nonbasic_[enter];
        return 1;
    }
    const int r = room <= nearest ? block : first;
    if (r < 0) return -1;
    hull_exchange(m, count, r, enter);
    return 0;
}

// Pivot: the variable of column `enter` becomes basic in row r.
void Segments::hull_exchange(int m, int count, int r, int enter) {
    const int wide_count = padded(count);
    double* row = table_[r];
    const double inverse = 1.0 / row[enter];
    for (int p = 0; p < wide_count; ++p) row[p] *= -inverse;
    row[enter] = inverse;
    const double value = -values_[r] * inverse;
    values_[r] = value;
    for (int s = 0; s <= m; ++s) {
        if (s == r) continue;
        double* other = table_[s];
        const double f = other[enter];
        if (f == 0.0) continue;
        other[enter] = 0.0;
        add_multiple(other, f, row, wide_count);
        values_[s] += f * value;
    }
    std::swap(basic_[r], nonbasic_[enter]);
}

// Whether the point that was found has the pattern wanted beyond doubt; then note it.
bool Segments::confirmed(const State& st, const Node& a, int m, Index unit, int sign) {
    const Net& net = st.net;
    const Index width = net.widths[layer_], begin = net.starts[layer_ + 1];
    double total = 0.0;
    for (Index i = 0; i < width; ++i) at_[i][POINTS] = 0.0;
    for (int r = 0; r < m + 2; ++r) {
        const int p = basic_[r];
        const double weight = values_[r];
        if (p < 0 || !(weight > 0.0)) continue;
        total += weight;
        for (Index i = 0; i < width; ++i) at_[i][POINTS] += weight * at_[i][p];
    }
    Word first = 0, second = 0;
    for (Index i = 0; i < width; ++i) {
        at_[i][POINTS] /= total;
        const double value = at_[i][POINTS];
        if (!(std::abs(value) > doubt_[0][i]) ||
            (value > 0.0) != (a.sign[net.starts[layer_] + i] > 0))
            return false;
        if (value > 0.0) first |= bit_of(i);
    }
    last_layer(net, POINTS, POINTS, 0.0, here_.data());
    for (Index j = 0; j < net.widths[layer_ + 1]; ++j) {
        const double value = here_[j];
        const int wanted = begin + j == unit ? sign : a.sign[begin + j];
        if (!(std::abs(value) > doubt_[1][j]) || (value > 0.0) != (wanted > 0)) return false;
        if (value > 0.0) second |= bit_of(j);
    }
    note(first, second);
    return true;
}

}  // namespace milpcount
