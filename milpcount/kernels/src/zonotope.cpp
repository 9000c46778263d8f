#include "zonotope.hpp"

#include <algorithm>
#include <cmath>

#include "dictionary.hpp"

namespace milpcount {


namespace {

// The scalar products of four rows with u: one pass over u for all of them.
void four_dots(const double* a, const double* b, const double* c, const double* d, const double* u,
               int count, double* out) {
    Sum e, f, g, h;
    for (int j = 0; j < count; j += PAD) {
        for (int k = 0; k < Sum::parts; ++k) {
            const int at = j + k * Lanes::width;
            const Lanes t = load(u + at);
            e.part[k] = e.part[k] + load(a + at) * t;
            f.part[k] = f.part[k] + load(b + at) * t;
            g.part[k] = g.part[k] + load(c + at) * t;
            h.part[k] = h.part[k] + load(d + at) * t;
        }
    }
    out[0] = e.total();
    out[1] = f.total();
    out[2] = g.total();
    out[3] = h.total();
}

}  // namespace

Zonotope::Zonotope(int coordinates, Index most_rows, const Matrix<double>* generators)
    : dimension(coordinates),
      rows(most_rows, coordinates + 1),
      errors(most_rows),
      length(most_rows),
      image(padded(coordinates + 1)),
      passive(most_rows),
      names(most_rows),
      steps(std::max(coordinates, 1), coordinates + 1),
      step_errors(coordinates) {
    if (generators == nullptr) return;
    n = static_cast<int>(generators->rows());
    many = static_cast<int>(generators->columns());
    wide = (many + TILE - 1) / TILE * TILE;
    v = Matrix<double>(n, wide);
    tiles = Buffer<double>(static_cast<std::size_t>(n) * wide);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < many; ++j) {
            v[i][j] = (*generators)[i][j];
            tiles[(j / TILE * n + i) * TILE + j % TILE] = v[i][j];
        }
    blur = 2.0 * gamma(many + 4);
    gram = Matrix<double>(n, n);
    for (int a = 0; a < n; ++a)
        for (int b = 0; b <= a; ++b) gram[a][b] = gram[b][a] = dot(v[a], v[b], wide);
    normal = Matrix<double>(most_rows, n);
    flipped = Matrix<double>(n, n);
    single = Buffer<std::int32_t>(most_rows);
    u = Buffer<double>(wide);
    columns = Matrix<double>(many + 1, n);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < many; ++j) columns[j][i] = v[i][j];
    side = Buffer<double>(wide);
    turned_to = Buffer<double>(wide);
    centre = Buffer<double>(most_rows);
    from = Buffer<double>(most_rows);
    free = gram;
    fixed = Buffer<double>(padded(n));
    product = Matrix<double>(most_rows, n);
    kernel = Matrix<double>(most_rows, most_rows);
    factor = Matrix<double>(most_rows, most_rows);
    right = Buffer<double>(most_rows);
    shift = Buffer<double>(padded(n));
    multipliers = Buffer<double>(most_rows);
    trial = Buffer<double>(most_rows);
    active = Buffer<std::uint8_t>(most_rows);
    was_active = Buffer<std::uint8_t>(most_rows);
    turned = Buffer<std::int32_t>(wide);
    reach = Buffer<double>(n);
    unit = Buffer<Index>(n);
    invert();
}

// Bound the right inverse of V / 2: the directions in u that change one coordinate of z.
void Zonotope::invert() {
    Matrix<double> root(n, n), inverse(n, n);
    stretch = skew = INFINITE;
    for (int a = 0; a < n; ++a)
        for (int b = 0; b <= a; ++b) {
            double total = gram[a][b];
            for (int c = 0; c < b; ++c) total -= root[a][c] * root[b][c];
            if (a == b && !(total > 1e-9 * gram[a][a])) return;
            root[a][b] = a == b ? std::sqrt(total) : total / root[b][b];
        }
    double longest = 0.0, off = 0.0;
    Buffer<double> direction(wide);
    for (int c = 0; c < n; ++c) {
        double* x = inverse[c];
        for (int a = 0; a < n; ++a) {
            x[a] = a == c ? 1.0 : 0.0;
            for (int b = 0; b < a; ++b) x[a] -= root[a][b] * x[b];
            x[a] /= root[a][a];
        }
        for (int a = n - 1; a >= 0; --a) {
            for (int b = a + 1; b < n; ++b) x[a] -= root[b][a] * x[b];
            x[a] /= root[a][a];
        }
        for (double& d : direction) d = 0.0;
        for (int b = 0; b < n; ++b) add_multiple(direction.data(), 2.0 * x[b], v[b], wide);
        double largest = 0.0;
        for (const double d : direction) largest = std::max(largest, std::abs(d));
        for (int i = 0; i < n; ++i) {
            const double image_of_it = 0.5 * dot(v[i], direction.data(), wide);
            off = std::max(off, std::abs(image_of_it - (i == c ? 1.0 : 0.0)) + blur * largest);
        }
        longest = std::max(longest, largest);
    }
    stretch = longest;
    skew = 1.01 * off;
}

int Zonotope::take_row(int m, const double* row, double error, double sign, Index name) {
    double* to = rows[m];
    for (int c = 0; c <= dimension; ++c) to[c] = sign * row[c];
    errors[m] = error;
    names[m] = name;
    return m + 1;
}

double Zonotope::image_of() {
    int i = 0;
    double out[4];
    for (; i + 4 <= n; i += 4) {
        four_dots(v[i], v[i + 1], v[i + 2], v[i + 3], u.data(), wide, out);
        for (int k = 0; k < 4; ++k) image[i + k] = 0.5 + 0.5 * out[k];
    }
    for (; i < n; ++i) image[i] = 0.5 + 0.5 * dot(v[i], u.data(), wide);
    return blur;
}

void Zonotope::turn(int changed) {
    for (int k = 0; k < changed; k += 4)
        change_sides(turned.data() + k, turned_to.data() + k, std::min(changed - k, 4));
    for (int i = 1; changed > 0 && i < n; ++i)
        for (int c = 0; c < i; ++c) free[c][i] = free[i][c];
}

// Put the new sides of up to four coordinates into what depends on them, of the Gram matrix into
// the rows up to the diagonal.
void Zonotope::change_sides(const std::int32_t* which, const double* to, int count) {
    const double* column[4] = {columns[many], columns[many], columns[many], columns[many]};  // zeros
    double step[4] = {}, weight[4] = {};
    for (int k = 0; k < count; ++k) {
        const int j = which[k];
        column[k] = columns[j];
        step[k] = to[k] - side[j];
        // Out of the Gram matrix when it is clipped, back in when it is free again.
        weight[k] = std::abs(side[j]) - std::abs(to[k]);
        side[j] = to[k];
    }
    const auto add = [&](double* out, double a, double b, double c, double d, int length) {
        const Lanes p = fill(a), q = fill(b), r = fill(c), s = fill(d);
        for (int i = 0; i < length; i += Lanes::width)
            store(out + i, load(out + i) +
                              ((p * load(column[0] + i) + q * load(column[1] + i)) +
                               (r * load(column[2] + i) + s * load(column[3] + i))));
    };
    add(fixed.data(), step[0], step[1], step[2], step[3], n);
    for (int i = 0; i < n; ++i)
        add(free[i], weight[0] * column[0][i], weight[1] * column[1][i], weight[2] * column[2][i],
            weight[3] * column[3][i], i + 1);
}

void Zonotope::unclip() {
    for (double& x : side) x = 0.0;
    for (double& x : fixed) x = 0.0;
    free = gram;
}

AtImage Zonotope::at_image(int r, double blur_of_image) const {
    const double* row = rows[r];
    double value = row[dimension];
    double size = std::abs(value);
    double smear = 0.0;
    for (int c = 0; c < dimension; ++c) {
        const double p = row[c] * image[c];
        value += p;
        size += std::abs(p);
        smear += std::abs(row[c]);
    }
    return {value,
            errors[r] + 1.01 * smear * blur_of_image + gamma(dimension + 1) * size + TINY, smear};
}

bool Zonotope::satisfied(int m, double blur_of_image) const {
    for (int r = 0; r < m; ++r) {
        const AtImage at = at_image(r, blur_of_image);
        if (!(at.value > at.error)) return false;
    }
    return true;
}

bool Zonotope::separated(int m, double spread) const {
    double total = 0.0, size = 0.0, error = 0.0;
    for (int r = 0; r < m; ++r) {
        const double f = multipliers[r] / length[r];
        if (f == 0.0) continue;
        const double* row = rows[r];
        double centre = row[n];
        double largest = std::abs(centre);
        for (int c = 0; c < n; ++c) {
            centre += 0.5 * row[c];
            largest += std::abs(row[c]);
        }
        total += f * centre;
        size += std::abs(f) * largest;
        error += std::abs(f) * errors[r];
    }
    double weight = 0.0;
    for (int c = 0; c < n; ++c) weight += std::abs(image[c]);
    double bound = total + spread + 1.01 * error;
    bound += gamma(m + n + 8) * size + gamma(many + n + 8) * (spread + 2.0 * weight) + TINY;
    return bound < 0.0;
}

void Zonotope::prepare(int m, int equals, double margin) {
    for (int r = 0; r < m; ++r) {
        const int only = single[r];
        const double moved = only >= 0 ? normal[r][only] * fixed[only]
                                       : dot(normal[r], fixed.data(), padded(n));
        right[r] = (r >= equals ? margin : 0.0) - (centre[r] + radius * moved);
    }
}

Spread Zonotope::spread_out(int m) {
    for (int i = 0; i < n; ++i) image[i] = 0.0;
    for (int r = 0; r < m; ++r) {
        const double f = 0.5 * multipliers[r] / length[r];
        if (f == 0.0) continue;
        const double* row = rows[r];
        for (int i = 0; i < n; ++i) image[i] += f * row[i];
    }
    return transport();
}

Spread Zonotope::transport() {
    constexpr int parts = TILE / Lanes::width;
    const double* w = image.data();
    const double* tile = tiles.data();
    const Lanes one = fill(1.0), minus = fill(-1.0), zero = fill(0.0);
    const Lanes high = fill(radius), low = fill(-radius), half = fill(0.5);
    Sum total, energy;
    Lanes most = zero;
    int changed = 0;
    for (int begin = 0; begin < wide; begin += TILE) {
        Lanes x[parts];
        for (Lanes& y : x) y = zero;
        for (int i = 0; i < n; ++i, tile += TILE) {
            const Lanes f = fill(w[i]);
            for (int k = 0; k < parts; ++k) x[k] = x[k] + f * load(tile + k * Lanes::width);
        }
        unsigned differ = 0;
        for (int k = 0; k < parts; ++k) {
            const int at = begin + k * Lanes::width;
            const Lanes size = absolute(x[k]), before = load(side.data() + at);
            const Lanes near = smaller(size, high);
            Lanes &sum = total.part[k % Sum::parts], &cost = energy.part[k % Sum::parts];
            sum = sum + size;
            cost = cost + near * (size - half * near);
            most = larger(most, choose(equal(before, zero), size, zero));
            const Lanes now = choose(high < x[k], one, choose(x[k] < low, minus, zero));
            differ |= bits((now < before) | (before < now)) << (k * Lanes::width);
            store(u.data() + at, x[k]);
        }
        for (; differ != 0; differ &= differ - 1) {
            const int j = begin + lowest_bit(differ);
            turned[changed] = j;
            turned_to[changed++] = u[j] > radius ? 1.0 : u[j] < -radius ? -1.0 : 0.0;
        }
    }
    return {total.total(), energy.total(), largest(most), changed};
}

void Zonotope::measure(int m, int equals) {
    for (int r = 0; r < m; ++r) {
        const double* row = rows[r];
        double total = 0.0, value = row[n];
        int where = -1, entries = 0;
        for (int i = 0; i < n; ++i) {
            total += row[i] * row[i] * gram[i][i];
            value += 0.5 * row[i];
            if (row[i] != 0.0) {
                where = i;
                ++entries;
            }
        }
        length[r] = total > 0.0 ? 0.5 * std::sqrt(total) : 1.0;
        centre[r] = value / length[r];
        const double scale = 0.5 / length[r];
        double* to = normal[r];
        for (int i = 0; i < n; ++i) to[i] = scale * row[i];
        for (int i = 0; r < equals && i < n; ++i) flipped[i][r] = to[i];
        // Most rows are bounds on one coordinate.
        single[r] = entries == 1 ? where : -1;
    }
}

}  // namespace milpcount
