// Neighbours found by shooting rays through regions, proved in floats with bounds on their errors.
//
// From a point of a region R a ray leaves R through the first row that it violates, say that of
// unit u.  A point y on the ray before the second violated row satisfies the facet test of
// milpcount/linear/facet_test.py for u; it is proved by one pass through the network gated by R's
// pattern, in which every sum carries a bound on its error (Higham, Accuracy and Stability of
// Numerical Algorithms, section 3.1).  A test that the bounds do not settle settles nothing.
// Whether the start of a ray really lies in R does not matter for the proof, since R is known to be
// a full region.

#pragma once

#include <vector>

#include "arrays.hpp"
#include "partition.hpp"

namespace milpcount {

// A chain of layers in floats: weights layer after layer, row after row; and a domain: a box cut by
// A x <= c.
struct Chain {
    Buffer<Index> widths;
    Buffer<double> weights, biases, slopes;
    Buffer<double> lo, hi;
    Matrix<double> matrix;
    Buffer<double> right;

    Index inputs() const { return static_cast<Index>(lo.size()); }
    Index units() const { return static_cast<Index>(biases.size()); }
};

// Room for one pass through the network.
struct Pass {
    explicit Pass(const Chain& chain) : h(chain.units()), e(chain.units()) {}
    Buffer<double> h, e;  // outputs, and bounds on their errors
};

// Whether x (a point of the box) is proved to pass the facet test for unit u of the region with
// these bits; `dependent` says which units' forms may depend on the input.
bool proves(const Chain& chain, const std::uint8_t* bits, const std::uint8_t* dependent, Index u,
            const double* x, Pass& pass);

// Patterns, sorted addresses, their rows, the words of the units, each row's address.
struct Book {
    Matrix<std::uint8_t> bits;
    Buffer<Word> addresses;
    Buffer<Index> order;
    Buffer<Word> words, address_of;

    // The row of the pattern with the bit of u flipped, -1 if it is not there.
    Index flip(Index row, Index u) const;
};

// Spreads over the regions of one map from seeds, and merges those that it proves adjacent.
class Rays {
  public:
    Rays(Chain chain, Matrix<double> directions, Book book, Matrix<std::uint8_t> dependent,
         Buffer<Index> map_of);

    // Turn to another class: these are all regions with one map.
    void begin(std::span<const Index> rows);
    // Start from a region of the class and a point in it.
    void seed(Index row, const double* point);
    // Visit so many regions at most, with so many random lines through each; how many merges.
    Index run(Partition& parts, Index steps, Index lines);
    bool idle() const { return stack_.empty(); }
    bool visited(Index row) const { return visited_[row] != 0; }
    bool in_class(Index row) const;
    Index regions() const { return static_cast<Index>(book_.bits.rows()); }
    const Chain& chain() const { return chain_; }

  private:
    void values(Index row, const double* x, bool use_bias, double* out);
    void gradients(Index row);
    double reach(const double* x, const double* d) const;
    void aim(const double* x, const double* gradient, double* d) const;
    void shoot(Partition& parts, Index row, Index& merged, double* ends, int side);

    Chain chain_;
    Matrix<double> directions_;
    Book book_;
    Matrix<std::uint8_t> dependent_;
    Buffer<Index> map_of_;
    Buffer<std::uint8_t> visited_;
    Buffer<Index> slot_;  // where a region's point stands among those of its class
    Matrix<double> points_;
    Index members_ = 0;
    std::vector<Index> stack_;
    std::size_t turn_ = 0;
    Pass pass_;
    Buffer<double> value_, rate_, other_, hidden_, x_, y_, d_;
    Matrix<double> jac_, through_;
};

}  // namespace milpcount
