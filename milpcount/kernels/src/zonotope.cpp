#include "zonotope.hpp"

#include <algorithm>
#include <cmath>

#include "dictionary.hpp"
#include "least_squares.hpp"

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
    wide = padded(many);
    v = *generators;
    blur = 2.0 * gamma(many + 4);
    gram = Matrix<double>(n, n);
    for (int a = 0; a < n; ++a)
        for (int b = 0; b <= a; ++b) gram[a][b] = gram[b][a] = dot(v[a], v[b], wide);
    normal = Matrix<double>(most_rows, n);
    single = Buffer<std::int32_t>(most_rows);
    u = Buffer<double>(wide);
    columns = Matrix<double>(many + 1, n);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < many; ++j) columns[j][i] = v[i][j];
    side = Buffer<double>(wide);
    now = Buffer<double>(wide);
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

int Zonotope::clip() {
    const Lanes one = fill(1.0), minus = fill(-1.0), zero = fill(0.0);
    const Lanes high = fill(RADIUS), low = fill(-RADIUS);
    int changed = 0;
    for (int begin = 0; begin < wide; begin += PAD) {
        unsigned differ = 0;
        for (int k = 0; k < PAD; k += Lanes::width) {
            const Lanes x = load(u.data() + begin + k);
            const Which above = high < x, below = x < low;
            const Lanes place = choose(above, one, choose(below, minus, zero));
            const Lanes before = load(side.data() + begin + k);
            differ |= bits((place < before) | (before < place)) << k;
            store(now.data() + begin + k, place);
            store(u.data() + begin + k, choose(above, high, choose(below, low, x)));
        }
        for (; differ != 0; differ &= differ - 1) turned[changed++] = begin + lowest_bit(differ);
    }
    for (int k = 0; k < changed; k += 4) change_sides(turned.data() + k, std::min(changed - k, 4));
    for (int i = 1; changed > 0 && i < n; ++i)
        for (int c = 0; c < i; ++c) free[c][i] = free[i][c];
    return changed;
}

// Put the new sides of up to four coordinates into what depends on them, of the Gram matrix into
// the rows up to the diagonal.
void Zonotope::change_sides(const std::int32_t* which, int count) {
    const double* column[4] = {columns[many], columns[many], columns[many], columns[many]};  // zeros
    double step[4] = {}, weight[4] = {};
    for (int k = 0; k < count; ++k) {
        const int j = which[k];
        column[k] = columns[j];
        step[k] = now[j] - side[j];
        // Out of the Gram matrix when it is clipped, back in when it is free again.
        weight[k] = std::abs(side[j]) - std::abs(now[j]);
        side[j] = now[j];
    }
    const auto add = [&](double* to, double a, double b, double c, double d, int length) {
        const Lanes p = fill(a), q = fill(b), r = fill(c), s = fill(d);
        for (int i = 0; i < length; i += Lanes::width)
            store(to + i, load(to + i) +
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
    for (int i = 0; i < n; ++i) shift[i] = 0.5 + 0.5 * RADIUS * fixed[i];
    for (int r = 0; r < m; ++r) {
        const double* row = rows[r];
        double value = row[n];
        for (int i = 0; i < n; ++i) value += shift[i] * row[i];
        right[r] = (r >= equals ? margin : 0.0) - value / length[r];
    }
}

void Zonotope::spread_out(int m) {
    for (int i = 0; i < n; ++i) image[i] = 0.0;
    for (int r = 0; r < m; ++r) {
        const double f = 0.5 * multipliers[r] / length[r];
        if (f == 0.0) continue;
        const double* row = rows[r];
        for (int i = 0; i < n; ++i) image[i] += f * row[i];
    }
    transport();
}

void Zonotope::transport() {
    double* to = u.data();
    const double* w = image.data();
    for (int j = 0; j < wide; ++j) to[j] = 0.0;
    // Four rows at a time: one pass over u for all of them.
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        const Lanes f = fill(w[i]), g = fill(w[i + 1]), h = fill(w[i + 2]), k = fill(w[i + 3]);
        const double *a = v[i], *b = v[i + 1], *c = v[i + 2], *d = v[i + 3];
        for (int j = 0; j < wide; j += Lanes::width)
            store(to + j, load(to + j) + ((f * load(a + j) + g * load(b + j)) +
                                          (h * load(c + j) + k * load(d + j))));
    }
    for (; i < n; ++i) add_multiple(to, w[i], v[i], wide);
}

void Zonotope::measure(int m) {
    for (int r = 0; r < m; ++r) {
        double total = 0.0;
        for (int i = 0; i < n; ++i) total += rows[r][i] * rows[r][i] * gram[i][i];
        length[r] = total > 0.0 ? 0.5 * std::sqrt(total) : 1.0;
    }
}

template <class Accept>
Found Zonotope::search(int m, int equals, Accept&& accept) {
    // At a distance from the rows, near them, from a fresh start.
    for (int attempt = 0; attempt < 3; ++attempt) {
        if (attempt == 2) since = REFRESH;
        const double margin = attempt == 0 ? WIDE : NARROW;
        for (int round = 0; round < ROUNDS; ++round) {
            renew(m, equals);
            prepare(m, equals, margin);
            least_multipliers(*this, m, equals);
            spread_out(m);
            if (separated(m, spread())) return Found::EMPTY;
            const int changed = clip();
            if (accept(changed)) return Found::FOUND;
            if (changed == 0) break;
        }
    }
    return Found::UNKNOWN;
}

Found Zonotope::confirm(int m) {
    measure(m);
    for (int r = 0; r < m; ++r) active[r] = was_active[names[r]];
    const Found result = search(m, 0, [&](int) { return satisfied(m, image_of()); });
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
    measure(m);
    for (int r = 0; r < m; ++r) active[r] = r < k || was_active[names[r]];
    const Found result = search(m, k, [&](int changed) {
        if (changed != 0) return false;
        image_of();
        return all_signs(m, k);
    });
    for (int r = k; r < m; ++r) was_active[names[r]] = active[r];
    return result;
}

// Whether a small step from the image along +- the directions shows all signs of the first k rows
// and stays inside.  So far u is from the sides of its cube; `stretch` bounds how far it moves.
bool Zonotope::all_signs(int m, int k) {
    double lengths = 0.0;
    for (int i = 0; i < k; ++i) {
        double length = 0.0;
        for (int c = 0; c < n; ++c) length += std::abs(steps[i][c]);
        step_errors[i] = 1.01 * length * skew;
        lengths += length;
    }
    double step = lengths > 0.0 ? 0.9 * (1.0 - RADIUS) / (stretch * lengths) : 1.0;
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
