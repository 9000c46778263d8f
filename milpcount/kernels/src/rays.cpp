#include "rays.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "forms.hpp"

namespace milpcount {

namespace {

constexpr double SLACK = 1.0000001;  // for the roundings within the bounds themselves
constexpr double UNBOUNDED = std::numeric_limits<double>::infinity();

double product(const double* a, const double* b, Index count) {
    double total = 0.0;
    for (Index j = 0; j < count; ++j) total += a[j] * b[j];
    return total;
}

// On the way to `next`, or far beyond where nothing is next.
double between(double near, double next) {
    return next < UNBOUNDED ? 0.5 * (near + next) : 2.0 * near + 1.0;
}

}  // namespace

bool proves(const Chain& chain, const std::uint8_t* bits, const std::uint8_t* dependent, Index u,
            const double* x, Pass& pass) {
    const Index n = chain.inputs();
    for (std::size_t i = 0; i < chain.matrix.rows(); ++i) {
        double total = chain.right[i];
        double size = std::abs(total);
        for (Index j = 0; j < n; ++j) {
            const double p = chain.matrix[i][j] * x[j];
            total -= p;
            size += std::abs(p);
        }
        if (!(total > gamma(n) * size * SLACK + TINY)) return false;
    }
    double *h = pass.h.data(), *e = pass.e.data();
    const double* weight = chain.weights.data();
    Index start = 0, inputs = n;
    for (const Index width : chain.widths) {
        const double* read = start == 0 ? x : h + (start - inputs);
        const double* errors = start == 0 ? nullptr : e + (start - inputs);
        for (Index i = start; i < start + width; ++i) {
            double total = chain.biases[i];
            double size = std::abs(total);
            double error = 0.0;
            for (Index j = 0; j < inputs; ++j) {
                const double p = weight[j] * read[j];
                total += p;
                size += std::abs(p);
                if (errors != nullptr) error += std::abs(weight[j]) * errors[j];
            }
            weight += inputs;
            const double bound = (error + gamma(inputs) * size) * SLACK + TINY;
            if (dependent[i]) {
                const double value = (bits[i] != 0) != (i == u) ? total : -total;
                // Written so that a NaN proves nothing.
                if (!(value > bound)) return false;
            }
            if (bits[i]) {
                h[i] = total;
                e[i] = bound;
            } else if (chain.slopes[i] == 0.0) {
                h[i] = e[i] = 0.0;
            } else {
                // Rounded once more, which gamma has room for in the sums that read it.
                const double slope = chain.slopes[i];
                h[i] = slope * total;
                e[i] = std::abs(slope) * bound + TINY;
            }
        }
        inputs = width;
        start += width;
    }
    return true;
}

Index Book::flip(Index row, Index u) const {
    const Word wanted = address_of[row] ^ words[u];
    const Word* place = std::lower_bound(addresses.begin(), addresses.end(), wanted);
    if (place == addresses.end() || *place != wanted) return -1;
    const Index found = order[static_cast<std::size_t>(place - addresses.begin())];
    const std::uint8_t *a = bits[found], *b = bits[row];
    for (Index i = 0; i < static_cast<Index>(bits.columns()); ++i)
        if ((a[i] != b[i]) != (i == u)) return -1;
    return found;
}

Rays::Rays(Chain chain, Matrix<double> directions, Book book, Matrix<std::uint8_t> dependent,
           Buffer<Index> map_of)
    : chain_(std::move(chain)),
      directions_(std::move(directions)),
      book_(std::move(book)),
      dependent_(std::move(dependent)),
      map_of_(std::move(map_of)),
      visited_(book_.bits.rows()),
      slot_(book_.bits.rows()),
      pass_(chain_),
      value_(chain_.units()),
      rate_(chain_.units()),
      other_(chain_.units()),
      hidden_(chain_.units()),
      x_(chain_.inputs()),
      y_(chain_.inputs()),
      d_(chain_.inputs()),
      jac_(chain_.units(), chain_.inputs()),
      through_(chain_.units(), chain_.inputs()) {
    for (Index& slot : slot_) slot = -1;
}

void Rays::begin(std::span<const Index> rows) {
    for (Index& slot : slot_) slot = -1;
    members_ = static_cast<Index>(rows.size());
    points_ = Matrix<double>(rows.size(), chain_.inputs());
    for (std::size_t k = 0; k < rows.size(); ++k) slot_[rows[k]] = static_cast<Index>(k);
    stack_.clear();
}

bool Rays::in_class(Index row) const { return slot_[row] >= 0; }

void Rays::seed(Index row, const double* point) {
    std::copy(point, point + chain_.inputs(), points_[slot_[row]]);
    visited_[row] = 1;
    stack_.push_back(row);
}

// Fill in the pre-activations under the pattern of a region, positive in it.
void Rays::values(Index row, const double* x, bool use_bias, double* out) {
    const std::uint8_t* bits = book_.bits[row];
    const double* weight = chain_.weights.data();
    double* h = hidden_.data();
    Index start = 0, inputs = chain_.inputs();
    for (const Index width : chain_.widths) {
        const double* read = start == 0 ? x : h + (start - inputs);
        for (Index i = start; i < start + width; ++i) {
            const double total =
                (use_bias ? chain_.biases[i] : 0.0) + product(weight, read, inputs);
            weight += inputs;
            out[i] = bits[i] ? total : -total;
            h[i] = bits[i] ? total : chain_.slopes[i] * total;
        }
        inputs = width;
        start += width;
    }
}

// Fill in the gradients of all of these, a row each.
void Rays::gradients(Index row) {
    const std::uint8_t* bits = book_.bits[row];
    const double* weight = chain_.weights.data();
    const Index n = chain_.inputs();
    Index start = 0, inputs = n;
    for (const Index width : chain_.widths) {
        for (Index i = start; i < start + width; ++i) {
            double* to = through_[i];
            if (start == 0) {
                std::copy(weight, weight + n, to);
            } else {
                std::fill(to, to + n, 0.0);
                for (Index j = 0; j < inputs; ++j) {
                    const double* from = through_[start - inputs + j];
                    for (Index c = 0; c < n; ++c) to[c] += weight[j] * from[c];
                }
            }
            weight += inputs;
            for (Index c = 0; c < n; ++c) jac_[i][c] = bits[i] ? to[c] : -to[c];
        }
        for (Index i = start; i < start + width; ++i)
            if (!bits[i])
                for (Index c = 0; c < n; ++c) through_[i][c] *= chain_.slopes[i];
        inputs = width;
        start += width;
    }
}

// How far the ray stays in the domain, roughly.
double Rays::reach(const double* x, const double* d) const {
    const Index n = chain_.inputs();
    double far = UNBOUNDED;
    for (Index j = 0; j < n; ++j) {
        if (d[j] > 0.0)
            far = std::min(far, (chain_.hi[j] - x[j]) / d[j]);
        else if (d[j] < 0.0)
            far = std::min(far, (chain_.lo[j] - x[j]) / d[j]);
    }
    for (std::size_t i = 0; i < chain_.matrix.rows(); ++i) {
        const double rate = product(chain_.matrix[i], d, n);
        if (rate > 0.0)
            far = std::min(far, (chain_.right[i] - product(chain_.matrix[i], x, n)) / rate);
    }
    return far;
}

// The direction of descent, in coordinates measured by their room on that side in the box.
void Rays::aim(const double* x, const double* gradient, double* d) const {
    for (Index j = 0; j < chain_.inputs(); ++j) {
        double room = gradient[j] > 0.0 ? x[j] - chain_.lo[j] : chain_.hi[j] - x[j];
        if (room == UNBOUNDED) room = 1.0 + std::abs(x[j]);
        d[j] = -gradient[j] * room * room;
    }
}

// Follow the ray from x_ along d_ out of the region.
void Rays::shoot(Partition& parts, Index row, Index& merged, double* ends, int side) {
    const Index n = chain_.inputs(), units = chain_.units();
    const std::uint8_t* dependent = dependent_[row];
    // The first and the second row that the ray violates.
    Index u = -1;
    double near = UNBOUNDED, next = UNBOUNDED;
    for (Index i = 0; i < units; ++i) {
        if (!dependent[i]) continue;
        const double rate = product(jac_[i], d_.data(), n);
        if (!(rate < 0.0)) continue;
        const double t = std::max(value_[i], 0.0) / -rate;
        if (t < near) {
            u = i;
            next = near;
            near = t;
        } else if (t < next) {
            next = t;
        }
    }
    const double far = reach(x_.data(), d_.data());
    ends[side] = std::min(near, far);
    if (u < 0 || !(near < far)) return;
    const Index other = book_.flip(row, u);
    if (other < 0 || map_of_[other] != map_of_[row]) return;
    if (parts.find(row) != parts.find(other)) {
        const double t = between(near, std::min(next, far));
        for (Index j = 0; j < n; ++j)
            y_[j] = std::min(std::max(x_[j] + t * d_[j], chain_.lo[j]), chain_.hi[j]);
        if (proves(chain_, book_.bits[row], dependent, u, y_.data(), pass_))
            merged += parts.unite(row, other);
    }
    if (visited_[other] || slot_[other] < 0) return;
    // A point between the facet and the far side of the other region.
    values(other, x_.data(), true, other_.data());
    values(other, d_.data(), false, rate_.data());
    double t = far;
    for (Index i = 0; i < units; ++i) {
        if (!(rate_[i] < 0.0) || i == u || !dependent_[other][i]) continue;
        const double at = other_[i] / -rate_[i];
        if (at > near) t = std::min(t, at);
    }
    t = between(near, t);
    for (Index j = 0; j < n; ++j) points_[slot_[other]][j] = x_[j] + t * d_[j];
    visited_[other] = 1;
    stack_.push_back(other);
}

Index Rays::run(Partition& parts, Index steps, Index lines) {
    const Index n = chain_.inputs(), units = chain_.units();
    Index merged = 0;
    for (; !stack_.empty() && steps > 0; --steps) {
        const Index row = stack_.back();
        stack_.pop_back();
        std::copy(points_[slot_[row]], points_[slot_[row]] + n, x_.begin());
        gradients(row);
        // A few random lines, which centre the point; then one towards each unit still of use.
        for (Index line = 0; line < lines + units; ++line) {
            if (line < lines) {
                turn_ = (turn_ + 1) % directions_.rows();
                std::copy(directions_[turn_], directions_[turn_] + n, d_.begin());
            } else {
                const Index u = line - lines;
                if (!dependent_[row][u]) continue;
                const Index other = book_.flip(row, u);
                if (other < 0 || map_of_[other] != map_of_[row]) continue;
                if (visited_[other] && parts.find(other) == parts.find(row)) continue;
                aim(x_.data(), jac_[u], d_.data());
            }
            values(row, x_.data(), true, value_.data());
            double ends[2];
            shoot(parts, row, merged, ends, 0);
            for (double& x : d_) x = -x;
            shoot(parts, row, merged, ends, 1);
            if (ends[0] < UNBOUNDED && ends[1] < UNBOUNDED)
                // The second side left the direction reversed.
                for (Index j = 0; j < n; ++j) x_[j] += 0.5 * (ends[1] - ends[0]) * d_[j];
        }
    }
    return merged;
}

}  // namespace milpcount
