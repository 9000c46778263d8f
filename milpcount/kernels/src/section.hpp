// A section of a cell, as sections.hpp counts it: vertices on exact facets, values and signs there.

#pragma once

#include <utility>
#include <vector>

#include "bits.hpp"
#include "forms.hpp"

namespace milpcount {

// A section, or the cell itself: vertices and the values of the units that cut it.
struct Section {
    int dimension = 0;
    Index vertices = 0;
    Index units = 0;
    Index stride = 0;            // between the values of two vertices
    Index words = 0;
    std::vector<Word> facets;    // of every vertex
    std::vector<double> error;   // of every value at a vertex
    Buffer<double> values;       // (vertices, stride)
    std::vector<Word> positive;  // (vertices, words): a unit that is not positive is negative
    std::vector<Index> columns;  // which of the cell's units each is
    std::vector<std::pair<std::int32_t, std::int32_t>> edges;

    void set_units(Index count) {
        units = count;
        stride = static_cast<Index>(Matrix<double>::padded(static_cast<std::size_t>(count)));
        words = words_for(count);
    }
    void make_room(Index count) {
        const auto rows = static_cast<std::size_t>(count);
        if (facets.size() < rows) facets.resize(2 * rows);
        if (error.size() < rows) error.resize(2 * rows);
        const auto numbers = static_cast<std::size_t>(count * stride);
        if (values.size() < numbers) values.grow(2 * numbers);
        if (positive.size() < static_cast<std::size_t>(count * words))
            positive.resize(static_cast<std::size_t>(2 * count * words));
    }
    double* values_of(Index v) { return values.data() + v * stride; }
    Word* positive_of(Index v) { return positive.data() + v * words; }

    // Pairs of vertices that share all facets but one.
    void find_edges() {
        edges.clear();
        for (Index u = 1; u < vertices; ++u)
            for (Index v = 0; v < u; ++v)
                if (count_bits(facets[u] & facets[v]) == dimension - 1)
                    edges.emplace_back(static_cast<std::int32_t>(u), static_cast<std::int32_t>(v));
    }
};

// The cell whose sections are counted: the forms of the units that cut it, scaled.
struct Scaled {
    Matrix<double> forms;      // (N + 1, units)
    std::vector<Index> units;  // places in the stage
    double own = 0.0;          // bounds of the errors of all values: of the forms,
    double rate = 0.0;         // and per unit of error of a vertex

    double error_at(double vertex_error) const {
        return 1.001 * (own + rate * vertex_error) + TINY;
    }
};

}  // namespace milpcount
