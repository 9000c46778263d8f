#include "zonotope.hpp"

#include <algorithm>
#include <cmath>

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
    columns = Matrix<double>(many, n);
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
    gone = Matrix<double>(n, many);
    weighted = Matrix<double>(n, many);
    across = Matrix<double>(n, many);
    scaled = Matrix<double>(n, many);
    room = Matrix<double>(3, many);
    inverse = Matrix<double>(n, n);
    reach = Buffer<double>(n);
    unit = Buffer<Index>(n);
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
    const Lanes one = fill(1.0), low = fill(-1.0), zero = fill(0.0);
    int changed = 0;
    // The columns of those that change side by side, so that the Gram matrix is updated by long
    // scalar products.
    for (int begin = 0; begin < wide; begin += PAD) {
        unsigned differ = 0;
        for (int k = 0; k < PAD; k += Lanes::width) {
            const Lanes x = load(u.data() + begin + k);
            const Which above = one < x, below = x < low;
            const Lanes place = choose(above, one, choose(below, low, zero));
            const Lanes before = load(side.data() + begin + k);
            differ |= bits((place < before) | (before < place)) << k;
            store(now.data() + begin + k, place);
            store(u.data() + begin + k, choose(above, one, choose(below, low, x)));
        }
        while (differ != 0) {
            const int j = begin + lowest_bit(differ);
            differ &= differ - 1;
            const double step = now[j] - side[j];
            // Out of the Gram matrix when it is clipped, back in when it is free again.
            const double weight = std::abs(side[j]) - std::abs(now[j]);
            side[j] = now[j];
            const double* column = columns[j];
            for (int i = 0; i < n; ++i) {
                gone[i][changed] = column[i];
                weighted[i][changed] = weight * column[i];
                fixed[i] += step * column[i];
            }
            ++changed;
        }
    }
    if (changed == 0) return 0;
    const int end = padded(changed);
    for (int i = 0; i < n; ++i)
        for (int j = changed; j < end; ++j) gone[i][j] = weighted[i][j] = 0.0;
    double out[4];
    for (int i = 0; i < n; ++i) {
        int c = 0;
        for (; c + 4 <= i + 1; c += 4) {
            four_dots(gone[c], gone[c + 1], gone[c + 2], gone[c + 3], weighted[i], end, out);
            for (int k = 0; k < 4; ++k) free[i][c + k] += out[k];
        }
        for (; c <= i; ++c) free[i][c] += dot(weighted[i], gone[c], end);
        for (c = 0; c < i; ++c) free[c][i] = free[i][c];
    }
    return changed;
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
    for (int i = 0; i < n; ++i) shift[i] = 0.5 + 0.5 * fixed[i];
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

Found Zonotope::confirm(int m) {
    measure(m);
    for (int r = 0; r < m; ++r) active[r] = was_active[names[r]];
    const Found result = search_witness(m);
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

Found Zonotope::search_witness(int m) {
    // At a distance from the rows, near them, from a fresh start.
    for (int attempt = 0; attempt < 3; ++attempt) {
        if (attempt == 2) since = REFRESH;
        const double margin = attempt == 0 ? WIDE : NARROW;
        for (int round = 0; round < ROUNDS; ++round) {
            renew(m, 0);
            prepare(m, 0, margin);
            least_multipliers(*this, m, 0);
            spread_out(m);
            if (separated(m, spread())) return Found::EMPTY;
            const int changed = clip();
            if (satisfied(m, image_of())) return Found::FOUND;
            if (changed == 0) break;
        }
    }
    return Found::UNKNOWN;
}

}  // namespace milpcount
