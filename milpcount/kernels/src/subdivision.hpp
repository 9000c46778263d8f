// Subdivision: cells by their vertices, cut unit by unit, depth first; for few inputs.
//
// A cell is a polytope given by all its vertices (cell.hpp).  Whether a unit cuts a cell is read
// off the proved signs at its vertices (vertices.hpp), and a cut makes two cells of one
// (cutting.hpp).  If every sign is right, every cell is right, degenerate or not: nothing else is
// ever rounded into a decision.  Signs that floats cannot prove are asked for: the run stops with
// DOUBT_SIGNS and goes on when they are given.

#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "cell.hpp"
#include "codes.hpp"
#include "integers.hpp"
#include "net.hpp"

namespace milpcount {

inline constexpr Index MAX_INPUTS = 6;
inline constexpr Index MAX_CORNERS = 4096;  // vertices of a cell; beyond, the node is handed back

struct Counters {
    std::int64_t vertices = 0;
    std::int64_t nodes = 0;
    std::int64_t by_vertices = 0;  // units that were seen not to cut a cell
    std::int64_t open_signs = 0;   // left open by floats
    std::int64_t by_integers = 0;  // signs
    std::int64_t by_sections = 0;      // regions counted without making their cells
    std::int64_t section_failures = 0;  // cells where a proof failed
};

// A vertex of the present cell with signs that floats leave open.
struct OpenVertex {
    Index vertex;
    std::vector<Index> rows;   // what it lies on, as rows are numbered in `last_cell`
    std::vector<Index> units;  // places in the cell's stage (or rows of the domain)
};

// Takes the cells that are finished.
class LeafSink {
  public:
    virtual ~LeafSink() = default;
    virtual void take(Cell& cell) = 0;
};

// Rows that facets lie on are numbered: 2 j and 2 j + 1 for the sides z_j = 0, 1 of the cube, then
// the domain's rows, then the units.
class Subdivision {
  public:
    virtual ~Subdivision() = default;

    // Begin at the node with these signs; share is of the whole tree.
    virtual void start(const std::int8_t* signs, double share) = 0;
    // Search on for so many steps or seconds, until `limit` regions are counted, or until stop().
    // With emit, leaves are kept, each with a proved point.
    virtual Stop run(std::int64_t steps, std::int64_t limit, bool emit, double seconds) = 0;

    // After DOUBT_SIGNS: what is open in the present cell, and the answers.
    virtual std::vector<OpenVertex> open_signs() = 0;
    virtual void place_vertex(Index vertex, const double* at, double error) = 0;
    virtual void sign_vertex(Index vertex, Index unit, int sign) = 0;
    // Place a vertex of a cell on the present path anew, where its facets meet.
    virtual void refine_vertex(Cell& cell, Index vertex) = 0;

    // Slots 0 .. top hold the nodes that are still to be searched.
    Index top() const { return top_; }
    void drop_top() { --top_; }
    Cell& slot(Index d) { return *cells_[static_cast<std::size_t>(d)]; }
    // The cell that was counted last, when leaves are emitted one by one.
    Cell& last_leaf() { return slot(top_ + 1); }
    bool has_last_leaf() const { return top_ + 1 < static_cast<Index>(cells_.size()); }

    void stop() { stopped_.store(true, std::memory_order_relaxed); }

    const Net& net() const { return net_; }
    const Layout& layout() const { return layout_; }

    LeafSink* sink = nullptr;  // where whole sign vectors are kept
    std::int64_t regions = 0;
    Counters counters;
    // Leaves that were emitted: signs, (count, units), and points in the cube.
    Matrix<std::int8_t> leaf_signs;
    Matrix<double> leaf_points;
    Index leaves = 0;

  protected:
    Subdivision(std::shared_ptr<const Net> net, Index leaf_room, bool whole);

    std::shared_ptr<const Net> keep_;
    const Net& net_;
    Layout layout_;
    std::vector<std::unique_ptr<Cell>> cells_;
    Index top_ = -1;
    std::atomic<bool> stopped_{false};
};

// Throws OverLimit beyond MAX_INPUTS.
std::unique_ptr<Subdivision> make_subdivision(std::shared_ptr<const Net> net, Index leaf_room,
                                              bool whole, std::optional<IntegerFrame> integers);

}  // namespace milpcount
