// Random searches of the tree: thinned depth-first search, and single descents.
//
// A node of the search carries a weight w, kept as log2 w.  A node that is about to branch belongs
// to a *class*: its layer and how many units of the layer cut its cell; leaves are a class of their
// own.  Every class has a target weight.  A node that arrives with a smaller weight is kept with
// probability w / target, and then weighs `target`; so its expected weight is w, and the sum of the
// weights of the leaves that are proved regions is an unbiased estimate of their number, whatever
// the targets.
//
// Which nodes of a class are kept is decided in the order of the search by Deville's systematic
// sampling (Tillé, Sampling Algorithms, 2006, section 5.2): inclusion probabilities are laid end to
// end on a line, one point is drawn in every unit interval, and the node on which it falls is kept.
// So of neighbouring nodes with probabilities that sum to 1 exactly one is kept: the sample is
// spread over the tree.  A node across the border of two intervals is kept at most once: where it
// was kept in the first, the point of the second is drawn beside it; else it is drawn on it with
// the probability that gives the node its due.

#pragma once

#include <vector>

#include "tree.hpp"

namespace milpcount {

// What a random search remembers besides the search itself.
struct Sample {
    Sample(const Matrix<Index>& classes_by_layer, Index classes, Index layers, Index units);

    Matrix<Index> class_of;         // by layer and number of units that cut
    Index leaves, empty;            // the classes of leaves and of nodes found empty
    std::vector<double> weight;     // log2 of the weight of the node in every slot
    std::vector<Index> before;      // class of the last branching above it
    Buffer<double> target;          // log2 of the target weight of every class
    Buffer<double> place, point;    // how far the present unit interval is filled, and its point
    Matrix<Index> steps;            // how often a path led from a class to another; the root last
    Buffer<double> sums, exponents;  // of the nodes that entered a layer, and of the regions, in
                                     // all: sums * 2^exponents
    Buffer<Index> signs;  // of regions kept at which a unit was active, and in the end of all
    Index arrived = 0, thinned = 0, pruned = 0, leaves_kept = 0;
    Word random = 0;  // state of the generator

    void begin(Word seed, const double* targets, const double* points, double root_weight);
    // Whether a node of class c is kept, which happens with probability p < 1.
    bool keeps(Index c, double p);
    // 64 random bits (SplitMix64: Steele, Lea and Flood 2014); a number in [0, 1).
    Word bits();
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    // Make sure that there is a slot d.
    void reach_slot(Index d);
    // Add 2^log2_weight to sum k.
    void add(Index k, double log2_weight);
    // Take the node in a slot as one of class c; false if it is dropped.
    bool arrive(Index slot, Index c, bool thin);
};

// A thinned search, or a single descent to one leaf.
class Randomly {
  public:
    Randomly(Zonotope& zono, Sample& sample, bool single)
        : zono_(zono), sample_(sample), single_(single) {}

    bool enough(const State&) const { return false; }
    bool prune(State& st, Index d);
    void entered(State&, Index) {}
    bool count_leaf(State& st, Index d);
    bool unreachable(State&, Index) { return false; }
    Move before(State&, Index) { return Move::AS_EVER; }
    Move decided(State& st, Index d, int row);
    void branched(State& st, Index d);

  private:
    Zonotope& zono_;
    Sample& sample_;
    bool single_;
};

}  // namespace milpcount
