// The polyhedral complex of a network over its domain: all faces of all cells, each once.
//
// The sign vector of a point is the signs in {-1, 0, 1} of all units' pre-activations there, of the
// domain's rows, and of its distances to the sides of the cube.  Two facts make every identity here
// exact without another calculation.
//
// A vertex of a cell is the only point with its sign vector.  On the points of one sign vector every
// pre-activation is affine, and equal to the form that it has on the cell (a unit that is zero passes
// zero on, whatever its state); so all these points lie in the closed cell and on n independent
// facets of it, and that is one point.  The search knows the signs of all units at all vertices, each
// proved.  So vertices of two cells are the same if and only if their sign vectors are.
//
// Cells meet face to face (Grigsby and Lindsey, On transversality of bent hyperplane arrangements,
// 2022, for the sign vectors' complex; regions of a pattern are its cells of full dimension).  So a
// face of two cells is one face if and only if it has the same vertices.
//
// The facets of a polytope are the maximal ones among the vertex sets of its rows, and the facets of
// a face F are the maximal ones among the proper intersections of F with the cell's facets.

#pragma once

#include <vector>

#include "bits.hpp"
#include "subdivision.hpp"

namespace milpcount {

// Faces of one dimension, each a list of ascending numbers of vertices.
struct Faces {
    std::vector<Index> begin{0};
    std::vector<Index> vertices;
    std::vector<Index> facet_begin{0};
    std::vector<Index> facets;  // numbers of faces of one dimension less

    Index count() const { return static_cast<Index>(begin.size()) - 1; }
};

// Finds keys of machine words again: numbers them in the order in which they first come.
class Numbering {
  public:
    // The number of the key; `fresh` tells whether it is new.
    Index number(std::span<const Word> key, bool& fresh);
    std::span<const Word> key(Index number) const {
        const auto k = static_cast<std::size_t>(number);
        return {keys_.data() + begin_[k], begin_[k + 1] - begin_[k]};
    }
    Index count() const { return static_cast<Index>(begin_.size()) - 1; }
    void clear();

  private:
    static Word hash(std::span<const Word> key);
    void widen();

    std::vector<Word> keys_;
    std::vector<std::size_t> begin_{0};
    std::vector<Word> hashes_;
    std::vector<Index> places_;  // open addressing; -1 where there is none
};

class Complex final : public LeafSink {
  public:
    Complex(Subdivision& search, const std::int8_t* root);

    // Take a finished cell in.
    void take(Cell& cell) override;

    // Numbers all faces: of all dimensions, or of n, n - 1 and 0 only.
    void finish(bool all);

    Index cells() const { return static_cast<Index>(cell_vertices_.size()); }
    Index vertices() const { return numbers_.count(); }

    // Sign of a unit (or of a domain row, a side) at a vertex.
    int vertex_sign(Index vertex, Index pair, Index place) const {
        const auto key = numbers_.key(vertex);
        const Word bit = bit_of(place);
        const auto at = static_cast<std::size_t>(2 * (pair + (place >> 6)));
        return (key[at] & bit) ? 1 : (key[at + 1] & bit) ? -1 : 0;
    }

    const Net& net;
    const Layout& layout;
    std::vector<std::int8_t> cell_signs;     // (cells, units)
    std::vector<double> at;                  // (vertices, n)
    std::vector<double> error;               // of every vertex
    std::vector<Faces> faces;                // by dimension
    std::vector<Index> facet_cells;          // (facets, 2)

  private:
    // The vertices of a face, by their places in one of its cells.
    struct Local {
        Index cell;
        std::vector<Word> on;
    };
    void take_facets(const Cell& cell);
    void add_facets_of(Index dimension, const std::vector<Local>& of, std::vector<Local>& found);
    Index number_of(const Local& face, Numbering& numbering, Faces& into, bool& fresh);

    Subdivision& search_;
    std::vector<std::int8_t> root_;  // signs given before the search: of units that pass all on
    Numbering numbers_;
    std::vector<std::vector<Index>> cell_vertices_;
    std::vector<std::vector<std::vector<Word>>> cell_facets_;
    std::vector<Word> ids_;
};

}  // namespace milpcount
