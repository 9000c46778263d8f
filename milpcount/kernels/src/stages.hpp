// The forms of every stage on the present path of a search, with what their signs need.

#pragma once

#include <vector>

#include "forms.hpp"
#include "net.hpp"
#include "lanes.hpp"

namespace milpcount {

// A unit whose state was decided, and what multiplies its pre-activation from now on.
struct Decided {
    Index unit;  // place in its stage
    double factor;
};

// Where at most one weight in so many is not zero, the others are left out.
inline constexpr Index SPARSE = 16;

// Stage -1 stands for the rows of the domain.
class Stages {
  public:
    explicit Stages(const Net& net) : net_(net) {
        levels_.reserve(static_cast<std::size_t>(net.layers + 1));
        levels_.push_back(Level(net.n, net.domain_rows));
        for (Index l = 0; l < net.layers; ++l) levels_.push_back(Level(net.n, net.widths[l]));
        for (Index c = 0; c < net.n + 2; ++c)
            for (Index k = 0; k < net.domain_rows; ++k)
                levels_[0].forms[c][k] = net.domain[c][k];
        for (Index l = 1; l < net.layers; ++l) {
            start_next(start(l), net.biases.data() + net.starts[l], net.one.data(), net.terms[l]);
            if (take_sparse(l)) continue;
            Matrix<double>& to = level(l).weights;
            to = Matrix<double>(net.widths[l - 1], net.widths[l]);
            for (Index i = 0; i < net.widths[l - 1]; ++i)
                std::memcpy(to[i], net.weights_of(l, i), net.widths[l] * sizeof(double));
        }
    }

    Forms forms(Index stage) {
        Level& at = level(stage);
        return view_of(at.forms, net_.n, at.width);
    }
    // The forms of a stage before any unit that it reads is decided.
    Forms start(Index stage) {
        Level& at = level(stage);
        return view_of(at.start, net_.n, at.width);
    }
    Index width(Index stage) const { return level(stage).width; }
    // Bounds of the errors of the stage's values at a vertex: of the forms' own, and per unit of
    // error of the vertex.
    double* own_error(Index stage) { return level(stage).rate[0]; }
    double* error_rate(Index stage) { return level(stage).rate[1]; }

    // To be called when the forms of a stage are complete.  With S the sum of the absolute
    // coefficients, |fl(form(z)) - true form(z*)| <= e + gamma(n + 1) S + (S - |constant|) |z - z*|
    // in the cube; the factor 1.01 covers the rounding of the last sum.  What a unit of factor 1
    // adds to the errors of the next stage is noted too (forms.hpp), and S + e.
    template <int N>
    void note_rates(Index stage) {
        const Forms f = forms(stage);
        const bool passes = stage >= 0 && stage + 1 < net_.layers;
        double *own = own_error(stage), *rate = error_rate(stage);
        double *passed = level(stage).rate[2], *reach = level(stage).rate[3];
        const Lanes g = fill(gamma(N + 1)), tiny = fill(TINY), more = fill(1.01);
        const Lanes h = fill(passes ? gamma(net_.terms[stage + 1] + 4) : 0.0);
        for (Index u = 0; u < f.width; u += Lanes::width) {
            Lanes size = fill(0.0);
            for (int c = 0; c <= N; ++c) size = size + absolute(load(f.row(c) + u));
            const Lanes error = load(f.errors() + u), both = size + error;
            store(own + u, error + g * size + tiny);
            store(rate + u, more * (size - absolute(load(f.constants() + u))));
            store(passed + u, error + h * both + tiny);
            store(reach + u, both);
        }
    }

    // Adds decided units of `stage` to the forms `from` of the next one, as add_unit does one by
    // one, and puts the sums into `to`, which may be `from`; N is the number of coordinates.
    template <int N>
    void add_units(const Forms& from, const Forms& to, Index stage, const Decided* units,
                   Index count) {
        const Forms read = forms(stage);
        const Level& here = level(stage);
        const Level& next = level(stage + 1);
        const Matrix<double>& weights = next.weights;
        const bool sparse = !next.begin.empty();
        if (sparse && from.data != to.data) copy<N>(from, to);
        const double *passed = here.rate[2], *reach = here.rate[3];
        scratch_.grow(static_cast<std::size_t>(count) * (N + 2));
        if (rows_.size() < static_cast<std::size_t>(count))
            rows_.resize(static_cast<std::size_t>(count));
        Index used = 0;
        for (Index k = 0; k < count; ++k) {
            const Index u = units[k].unit;
            const double factor = units[k].factor;
            if (factor == 0.0 || reach[u] == 0.0) continue;
            double* form = scratch_.data() + used * (N + 2);
            for (int c = 0; c <= N; ++c) form[c] = factor * read.at(c, u);
            form[N + 1] = std::abs(factor) * passed[u];
            if (sparse)
                scatter<N>(to, next, u, form);  // in the same order as below
            else
                rows_[static_cast<std::size_t>(used++)] = weights[static_cast<std::size_t>(u)];
        }
        if (sparse) return;
        constexpr Index W = Lanes::width;
        Index at = 0;
        for (; at + W < to.width; at += 2 * W) add_columns<N, 2>(from, to, at, used);
        if (at < to.width) add_columns<N, 1>(from, to, at, used);
    }

    // Copy the forms of a stage.
    template <int N>
    static void copy(const Forms& from, const Forms& to) {
        for (int c = 0; c < N + 2; ++c)
            std::memcpy(to.row(c), from.row(c), static_cast<std::size_t>(to.width) * sizeof(double));
    }

    // The proved signs of a stage at a vertex: bits of positive and of negative units, in pairs
    // of words, as many as `words`.
    template <int N>
    void signs_at(Index stage, const double* z, double error, Index words, Word* pairs) {
        const Forms f = forms(stage);
        const double* own = own_error(stage);
        const double* rate = error_rate(stage);
        const Lanes e = fill(error), zero = fill(0.0);
        for (Index w = 0; w < words; ++w) {
            Word pos = 0, neg = 0;
            const Index first = w << 6, stop = std::min<Index>(64, f.width - first);
            for (Index b = 0; b < stop; b += Lanes::width) {
                const Index u = first + b;
                Lanes value = load(f.constants() + u);
                for (int j = 0; j < N; ++j)
                    value = value + load(f.row(j) + u) * fill(z[j]);
                const Lanes bound = load(own + u) + load(rate + u) * e;
                pos |= greater(value, bound) << b;
                neg |= greater(zero - bound, value) << b;
            }
            pairs[2 * w] = pos;
            pairs[2 * w + 1] = neg;
        }
    }

  private:
    struct Level {
        Level(Index n, Index units)
            : width(units), forms(n + 2, units), start(n + 2, units), rate(4, units) {}
        Index width;
        Matrix<double> forms;    // (n + 2, units)
        Matrix<double> start;    // the same before any unit is decided
        Matrix<double> rate;     // (4, units): see note_rates
        Matrix<double> weights;  // of the stage before by units, rows padded
        // The same where most are zero: of each unit of the stage before its weights and whose.
        std::vector<Index> begin;
        std::vector<std::int32_t> places;
        std::vector<double> values;
    };

    // Convolutions: a unit is read by few.
    bool take_sparse(Index l) {
        const Index before = net_.widths[l - 1], width = net_.widths[l];
        Index nonzero = 0;
        for (Index i = 0; i < before; ++i) {
            const double* row = net_.weights_of(l, i);
            for (Index k = 0; k < width; ++k) nonzero += row[k] != 0.0;
        }
        if (width < 64 || width > (Index{1} << 30) || nonzero > before * width / SPARSE) return false;
        Level& to = level(l);
        to.begin.push_back(0);
        to.places.reserve(static_cast<std::size_t>(nonzero));
        to.values.reserve(static_cast<std::size_t>(nonzero));
        for (Index i = 0; i < before; ++i) {
            const double* row = net_.weights_of(l, i);
            for (Index k = 0; k < width; ++k) {
                if (row[k] == 0.0) continue;
                to.places.push_back(static_cast<std::int32_t>(k));
                to.values.push_back(row[k]);
            }
            to.begin.push_back(static_cast<Index>(to.values.size()));
        }
        return true;
    }

    // The sums of add_units for `BLOCKS` registers of units from `at` on; forms and rows of weights
    // of the units that are added are in scratch_ and rows_.
    template <int N, int BLOCKS>
    void add_columns(const Forms& from, const Forms& to, Index at, Index used) const {
        constexpr Index W = Lanes::width;
        Lanes sum[BLOCKS][N + 2];
        for (int b = 0; b < BLOCKS; ++b)
            for (int c = 0; c < N + 2; ++c) sum[b][c] = load(from.row(c) + at + b * W);
        const double* f = scratch_.data();
        for (Index k = 0; k < used; ++k, f += N + 2) {
            const double* row = rows_[static_cast<std::size_t>(k)] + at;
            Lanes w[BLOCKS];
            for (int b = 0; b < BLOCKS; ++b) w[b] = load(row + b * W);
            for (int c = 0; c <= N; ++c) {
                const Lanes factor = fill(f[c]);
                for (int b = 0; b < BLOCKS; ++b) sum[b][c] = sum[b][c] + w[b] * factor;
            }
            const Lanes error = fill(f[N + 1]);
            for (int b = 0; b < BLOCKS; ++b)
                sum[b][N + 1] = sum[b][N + 1] + absolute(w[b]) * error;
        }
        for (int b = 0; b < BLOCKS; ++b)
            for (int c = 0; c < N + 2; ++c) store(to.row(c) + at + b * W, sum[b][c]);
    }

    template <int N>
    static void scatter(const Forms& partial, const Level& next, Index unit, const double* f) {
        const auto first = static_cast<std::size_t>(next.begin[static_cast<std::size_t>(unit)]);
        const auto last = static_cast<std::size_t>(next.begin[static_cast<std::size_t>(unit) + 1]);
        for (std::size_t k = first; k < last; ++k) {
            const Index at = next.places[k];
            const double w = next.values[k];
            for (int c = 0; c <= N; ++c) partial.row(c)[at] += w * f[c];
            partial.errors()[at] += std::abs(w) * f[N + 1];
        }
    }

    Level& level(Index stage) { return levels_[static_cast<std::size_t>(stage + 1)]; }
    const Level& level(Index stage) const { return levels_[static_cast<std::size_t>(stage + 1)]; }

    const Net& net_;
    std::vector<Level> levels_;
    Buffer<double> scratch_;
    std::vector<const double*> rows_;
};

}  // namespace milpcount
