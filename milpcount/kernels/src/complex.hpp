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

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "bits.hpp"
#include "subdivision.hpp"

namespace milpcount {

// Which faces are made.
enum class Wanted : int {
    FACETS = 0,  // cells, their facets, and vertices
    ALL = 1,
    EDGES = 2,  // cells (without their facets), edges and vertices
};

// Faces of one dimension, each a list of ascending numbers of vertices.
struct Faces {
    std::vector<Index> begin{0};
    std::vector<Index> vertices;
    std::vector<Index> facet_begin{0};
    std::vector<Index> facets;  // numbers of faces of one dimension less

    Index count() const { return static_cast<Index>(begin.size()) - 1; }
};

// Finds keys again: numbers them in the order in which they first come.  The keys themselves are
// the caller's, one after the other.
template <class T>
class Numbering {
  public:
    // The number of a key; where it is new, it is put at the end of `keys`.  `start(k)` says where
    // key k begins, and `start(k + 1)` where it ends.
    template <class Start>
    Index number(std::span<const T> key, std::vector<T>& keys, Start&& start, bool& fresh) {
        if (2 * (static_cast<std::size_t>(count_) + 1) > slots_.size()) widen();
        Word h = 0x9e3779b97f4a7c15ULL + key.size();
        for (const T x : key) {
            h = (h ^ static_cast<Word>(x)) * 0xbf58476d1ce4e5b9ULL;
            h ^= h >> 31;
        }
        std::size_t p = h & (slots_.size() - 1);
        for (; slots_[p].number >= 0; p = (p + 1) & (slots_.size() - 1)) {
            if (slots_[p].hash != h) continue;
            const auto a = static_cast<std::size_t>(start(slots_[p].number));
            const auto b = static_cast<std::size_t>(start(slots_[p].number + 1));
            if (b - a == key.size() && std::equal(key.begin(), key.end(), keys.data() + a)) {
                fresh = false;
                return slots_[p].number;
            }
        }
        slots_[p] = {h, count_};
        keys.insert(keys.end(), key.begin(), key.end());
        fresh = true;
        return count_++;
    }
    Index count() const { return count_; }

  private:
    struct Slot {
        Word hash = 0;
        Index number = -1;  // -1 where there is none
    };

    void widen() {
        std::vector<Slot> wider(std::max<std::size_t>(1024, 4 * slots_.size()));
        for (const Slot& slot : slots_) {
            if (slot.number < 0) continue;
            std::size_t p = slot.hash & (wider.size() - 1);
            while (wider[p].number >= 0) p = (p + 1) & (wider.size() - 1);
            wider[p] = slot;
        }
        slots_.swap(wider);
    }

    std::vector<Slot> slots_;  // open addressing
    Index count_ = 0;
};

class Complex final : public LeafSink {
  public:
    Complex(Subdivision& search, const std::int8_t* root);

    // Take a finished cell in.
    void take(Cell& cell) override;

    // Makes the faces that are wanted.
    void finish(Wanted wanted);

    Index cells() const { return static_cast<Index>(simple_.size()); }
    Index vertices() const { return numbers_.count(); }

    // The signs of a vertex, as pairs of words: see cell.hpp.
    const Word* vertex_key(Index vertex) const {
        return keys_.data() + static_cast<std::size_t>(vertex) * seen_.size();
    }

    const Net& net;
    const Layout& layout;
    std::vector<std::int8_t> cell_signs;     // (cells, units)
    std::vector<double> at;                  // (vertices, n)
    std::vector<double> error;               // of every vertex
    std::vector<Faces> faces;                // by dimension
    std::vector<Index> facet_cells;          // (facets, 2)

  private:
    template <std::size_t W>
    void make(Wanted wanted);
    template <std::size_t W>
    class Maker;
    void make_cells_and_vertices();
    void make_edges();
    void join_cells();

    Subdivision& search_;
    std::vector<std::int8_t> root_;  // signs given before the search: of units that pass all on
    Numbering<Word> numbers_;
    std::vector<Word> keys_;
    // The vertices of the cells one after the other, and which of its cell's rows each lies on.
    std::vector<Index> begin_{0};
    std::vector<Index> vertices_;
    std::vector<Word> rows_;
    std::vector<Word> used_;           // of every cell
    std::vector<std::uint8_t> simple_;  // of every cell
    std::vector<Word> seen_;
};

}  // namespace milpcount
