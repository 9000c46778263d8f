// Regions of a cell counted without making them: by sections (deletion and restriction).
//
// For units 1..k that cut an open convex cell P (Zaslavsky, Facing up to arrangements, 1975)
//     r(P; 1..k) = 1 + sum_i r(P n H_i; 1..i-1),
// where among 1..i-1 those drop out that do not meet the open section P n H_i, and of those that
// meet it in the same flat all but one.  The values of all units at the vertices of P give those at
// the vertices of every section by interpolation; on a segment the number is one more than that
// of the distinct points where a unit is zero.
//
// What is proved, and how.  P is a simple polytope by its exact facets (every vertex on exactly n),
// and no unit that cuts it is zero at a vertex of it.  Then a section is a simple polytope: its
// vertices lie one on each edge of P that the unit crosses, on the facets of that edge, and two of
// them span an edge if they share all facets but one.  By induction this holds for sections of
// sections as long as no earlier unit is zero at a vertex of one: every sign is tested against a
// bound on its error, and `count` fails where one is not proved.  With these signs strict, no two
// units meet a section of dimension 2 or more in the same flat: one of them would be zero on all of
// the other's section.  On segments the zeros are proved distinct by intervals around them.
//
// Errors.  Values are scaled by powers of two so that they are at most 1 over the cube; eps_v
// bounds the errors of all values at vertex v.  With a and b the values of unit i at the ends u, v
// of an edge, D = |a - b| and eps = max(eps_u, eps_v), the crossing stands at tau = a / (a - b).  The
// signs of a and b are opposite and proved, so the true tau* = a* / (a* - b*) is in [0, 1] too, and
//     (a - b) (tau - tau*) = (1 - tau*) (a - a*) + tau* (b - b*),  so  |tau - tau*| <= eps / D;
// the computed quotient adds at most 3 u.  A value there is off by at most
// eps + |tau - tau*| |value at v - value at u| + 6 u: below, with room for rounding,
//     eps' = 1.001 (eps + 2.1 (eps / D + 4 u) + 8 u).
// These bounds grow from section to section.  Where one does not prove what is needed, the vertex
// is placed anew where its facets and the units of the section meet (vertices.hpp), and the values
// are those of the forms there.

#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "cell.hpp"
#include "section.hpp"
#include "segment.hpp"
#include "vertices.hpp"

namespace milpcount {

template <int N>
class Sections {
  public:
    static constexpr std::int64_t FAILED = Segment::FAILED;

    Sections(const Net& net, Stages& stages) : net_(net), stages_(stages), sections_(N + 1) {}

    // The cell, and its units that cut it: bits of `cutting` words, `count` of them.  False if a
    // sign is not proved by the bounds used here.
    bool begin(const Cell& cell, const Word* cutting, Index words, Index count) {
        if (!cell.simple) return false;
        cell_ = &cell;
        if (!scale(cutting, words, count)) return false;
        Section& s = sections_[N];
        s.set_units(count);
        s.make_room(cell.corners);
        s.vertices = cell.corners;
        s.columns.resize(static_cast<std::size_t>(count));
        for (Index k = 0; k < count; ++k) s.columns[static_cast<std::size_t>(k)] = k;
        for (Index v = 0; v < cell.corners; ++v) {
            s.facets[v] = cell.facets[v];
            s.error[v] = scaled_.error_at(cell.error[v]);
            const double* z = cell.at.data() + v * N;
            for (Index j = 0; j < count; j += Lanes::width) {
                Lanes value = load(scaled_.forms[N] + j);
                for (int c = 0; c < N; ++c)
                    value = value + load(scaled_.forms[c] + j) * fill(z[c]);
                store(s.values_of(v) + j, value);
            }
            if (!take_signs(s.values_of(v), count, s.error[v], s.positive_of(v))) return false;
        }
        return true;
    }

    // Regions of the cell that was loaded; FAILED where a proof is lacking.
    std::int64_t count() { return count(N); }

  private:
    bool scale(const Word* cutting, Index words, Index count) {
        if (scaled_.forms.columns() < static_cast<std::size_t>(count))
            scaled_.forms = Matrix<double>(N + 1, static_cast<std::size_t>(2 * count));
        scaled_.units.clear();
        scaled_.own = scaled_.rate = 0.0;
        const Forms f = stages_.forms(cell_->stage);
        for (Index w = 0; w < words; ++w)
            for (Word rest = cutting[w]; rest != 0; rest &= rest - 1) {
                const Index u = (w << 6) + lowest_bit(rest);
                const std::size_t k = scaled_.units.size();
                int exponent;
                std::frexp(size_of(f, u), &exponent);
                if (exponent < -900 || exponent > 900) return false;
                const double by = std::ldexp(1.0, -exponent);
                for (int c = 0; c <= N; ++c) scaled_.forms[c][k] = by * f.at(c, u);
                scaled_.own = std::max(scaled_.own, by * stages_.own_error(cell_->stage)[u]);
                scaled_.rate = std::max(scaled_.rate, by * stages_.error_rate(cell_->stage)[u]);
                scaled_.units.push_back(u);
            }
        return true;
    }

    // Regions of the section of this dimension, which is filled in.
    std::int64_t count(int dimension) {
        Section& s = sections_[static_cast<std::size_t>(dimension)];
        s.dimension = dimension;
        if (s.units == 0) return 1;
        if (dimension == 1) return s.vertices == 2 ? on_segment(s) : FAILED;
        s.find_edges();
        std::int64_t total = 1;
        for (Index i = 0; i < s.units; ++i) {
            const std::int64_t part = dimension == 2 ? on_chord(s, i) : across(s, i);
            if (part == FAILED) return FAILED;
            total += part;
        }
        return total;
    }

    // Signs of the first `count` values of a vertex into words; whether all are proved.
    static bool take_signs(const double* values, Index count, double error, Word* positive) {
        const Lanes e = fill(error);
        bool proved = true;
        for (Index first = 0; first < count; first += 64) {
            const Index here = std::min<Index>(64, count - first);
            Word pos = 0, sure = 0;
            for (Index b = 0; b < here; b += Lanes::width) {
                const Lanes x = load(values + first + b);
                pos |= greater(x, fill(0.0)) << b;
                sure |= greater(absolute(x), e) << b;
            }
            const Word mask = here == 64 ? ~Word{0} : bit_of(here) - 1;
            positive[first >> 6] = pos & mask;
            proved &= (sure & mask) == mask;
        }
        return proved;
    }

    struct Crossing {
        double tau, error;
        const double *from, *to;
    };

    // Where unit i is zero on an edge.
    static Crossing cross(Section& s, std::pair<std::int32_t, std::int32_t> edge, Index i) {
        const double *from = s.values_of(edge.first), *to = s.values_of(edge.second);
        const double a = from[i], difference = a - to[i], d = std::abs(difference);
        const double eps = std::max(s.error[edge.first], s.error[edge.second]);
        const double error =
            1.001 * (eps + 2.1 * (eps / d + 4.0 * ROUNDOFF) + 8.0 * ROUNDOFF) + TINY;
        return {a / difference, error, from, to};
    }

    static bool differs(Section& s, std::pair<std::int32_t, std::int32_t> edge, Index i) {
        const Word x = s.positive_of(edge.first)[i >> 6] ^ s.positive_of(edge.second)[i >> 6];
        return (x >> (i & 63)) & 1U;
    }

    // The section by unit i, of dimension 2 or more, cut by the units before it.
    std::int64_t across(Section& s, Index i) {
        if (i == 0) return 1;
        Section& t = sections_[static_cast<std::size_t>(s.dimension - 1)];
        t.set_units(i);
        t.vertices = 0;
        path_[N - s.dimension] = s.columns[static_cast<std::size_t>(i)];
        for (const auto& edge : s.edges) {
            if (!differs(s, edge, i)) continue;
            const Index v = t.vertices++;
            t.make_room(t.vertices);
            t.facets[v] = s.facets[edge.first] & s.facets[edge.second];
            double* values = t.values_of(v);
            Word* positive = t.positive_of(v);
            const Crossing c = cross(s, edge, i);
            interpolate(c, i, values);
            t.error[v] = c.error;
            if (take_signs(values, i, c.error, positive)) continue;
            t.error[v] = place_anew(s, t.facets[v], i, values);
            if (t.error[v] < 0.0 || !take_signs(values, i, t.error[v], positive)) return FAILED;
        }
        if (t.vertices < s.dimension) return FAILED;
        keep_cutting(s, t);
        return count(s.dimension - 1);
    }

    // The values of the first `count` units of section s at the vertex where these facets and the
    // units of the path meet; returns the bound on their errors, negative if there is none.
    double place_anew(const Section& s, Word facets, Index count, double* values) {
        Corner<N> corner;
        int k = 0;
        for (; facets != 0; facets &= facets - 1, ++k) {
            if (k == N) return -1.0;
            const RowForm form = form_of(net_, cell_->rows[lowest_bit(facets)]);
            if (form.stage == -2)
                corner.take_side(k, form.place);
            else
                corner.take(k, stages_.forms(form.stage), form.place);
        }
        const int units = N - s.dimension + 1;
        if (k + units != N) return -1.0;
        for (int p = 0; p < units; ++p, ++k)
            corner.take(k, stages_.forms(cell_->stage),
                        scaled_.units[static_cast<std::size_t>(path_[p])]);
        double z[N > 0 ? N : 1];
        const double off = corner.solve(z);
        if (off < 0.0) return -1.0;
        for (Index j = 0; j < count; ++j) {
            const auto column = static_cast<std::size_t>(s.columns[static_cast<std::size_t>(j)]);
            double value = scaled_.forms[N][column];
            for (int c = 0; c < N; ++c) value += scaled_.forms[c][column] * z[c];
            values[j] = value;
        }
        return scaled_.error_at(off);
    }

    static void interpolate(const Crossing& c, Index count, double* to) {
        const Lanes tau = fill(c.tau);
        for (Index j = 0; j < count; j += Lanes::width) {
            const Lanes x = load(c.from + j);
            store(to + j, x + tau * (load(c.to + j) - x));
        }
    }

    // Leave out the units that do not cut the section `s`, whose units are the first of `parent`.
    void keep_cutting(const Section& parent, Section& s) {
        kept_.clear();
        for (Index w = 0; w < s.words; ++w) {
            Word some = 0, all = ~Word{0};
            for (Index v = 0; v < s.vertices; ++v) {
                some |= s.positive_of(v)[w];
                all &= s.positive_of(v)[w];
            }
            for_each_bit(some & ~all, [&](int b) { kept_.push_back((w << 6) + b); });
        }
        const Index count = static_cast<Index>(kept_.size());
        s.columns.resize(kept_.size());
        for (std::size_t k = 0; k < kept_.size(); ++k)
            s.columns[k] = parent.columns[static_cast<std::size_t>(kept_[k])];
        if (count == s.units) return;
        // Both strides shrink or stay, and columns only move down: in place, row by row.
        const Index old_stride = s.stride, old_words = s.words;
        s.set_units(count);
        for (Index v = 0; v < s.vertices; ++v) {
            const double* from = s.values.data() + v * old_stride;
            const Word* signs = s.positive.data() + v * old_words;
            double* to = s.values_of(v);
            Word* bits = s.positive_of(v);
            Word word = 0;
            for (Index k = 0; k < count; ++k) {
                const Index j = kept_[static_cast<std::size_t>(k)];
                to[k] = from[j];
                word |= ((signs[j >> 6] >> (j & 63)) & 1U) << (k & 63);
                if ((k & 63) == 63 || k + 1 == count) {
                    bits[k >> 6] = word;
                    word = 0;
                }
            }
        }
    }

    // In a polygon: the chord of unit i, cut by the units before it.
    std::int64_t on_chord(Section& s, Index i) {
        std::pair<std::int32_t, std::int32_t> edges[2];
        int found = 0;
        for (const auto& edge : s.edges) {
            if (!differs(s, edge, i)) continue;
            if (found == 2) return FAILED;
            edges[found++] = edge;
        }
        if (found != 2) return FAILED;
        if (i == 0) return 1;
        const std::size_t room = Matrix<double>::padded(static_cast<std::size_t>(i));
        here_.grow(room);
        there_.grow(room);
        const Crossing one = cross(s, edges[0], i), other = cross(s, edges[1], i);
        interpolate(one, i, here_.data());
        interpolate(other, i, there_.data());
        const auto pieces = line_.pieces(here_.data(), there_.data(), i, one.error, other.error);
        if (pieces != FAILED) return pieces;
        path_[N - s.dimension] = s.columns[static_cast<std::size_t>(i)];
        double error[2];
        for (int k = 0; k < 2; ++k) {
            const Word facets = s.facets[edges[k].first] & s.facets[edges[k].second];
            error[k] = place_anew(s, facets, i, k == 0 ? here_.data() : there_.data());
            if (error[k] < 0.0) return FAILED;
        }
        return line_.pieces(here_.data(), there_.data(), i, error[0], error[1]);
    }

    std::int64_t on_segment(Section& s) {
        return line_.pieces(s.values_of(0), s.values_of(1), s.units, s.error[0], s.error[1]);
    }

    const Net& net_;
    Stages& stages_;
    const Cell* cell_ = nullptr;
    Scaled scaled_;
    std::vector<Section> sections_;  // by dimension
    Index path_[N + 1] = {};         // the units whose section is being counted
    std::vector<Index> kept_;
    Buffer<double> here_, there_;    // values at the ends of a chord
    Segment line_;
};

}  // namespace milpcount
