// Regions that are met on the way between two points: found without any programme.
//
// All inputs found in one cell of the layers before the last two are joined by segments, and the
// cell is convex: every region that a segment passes through exists.  The pre-activations of the
// layer before the last, which are affine on the cell, are kept of up to POINTS inputs.  From each
// new one the segments to some others, drawn at random, are followed through both layers; the
// patterns met go into a table in which the search looks before it asks for a proof.  Where the
// cube of the search is a relaxation (zonotope.hpp) a proof is dear and most of them are saved.
//
// A pattern is noted only where every unit is off zero by more than MARGIN of the largest sum of
// absolute terms it can have; rounding, which includes that of the points' images, is far less.
// What the table has no room for is lost, which costs time only.
//
// The convex hull of the points is searched as well: a linear programme in their weights, which sum
// to 1, looks for weights with which all units that bound a cell have the wanted signs, by phase 1
// of the simplex method in dictionary form, from the point that violates them least.  It has as few
// rows as the cell and is far cheaper than a programme in the inputs.  What it finds is evaluated,
// and counts only if every unit is clear of zero there.

#pragma once

#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

class Segments {
  public:
    static constexpr Index POINTS = 96;
    static constexpr double MARGIN = 1e-11;

    // Serves networks whose last two layers have up to 64 units and whose last layer reads the one
    // before only; elsewhere it is not in use.
    Segments(const Net& net, bool relaxed);

    bool in_use() const { return used_; }
    // Forget everything: the layer before the last is entered in another cell.
    void new_cell();
    // Take the input up whose image the check of a cell has just found; follow new segments.
    void learn(State& st, const Zonotope& zono);
    // Whether the pattern of the last two layers was met in the present cell.
    bool known(Word first, Word second) const;
    // Whether a point of the hull is found in the cell of the node, then noted as met.  Unit `unit`
    // of the last layer (-1: none) is to have the given sign, though it is undecided.
    bool in_hull(const State& st, const Node& a, Index unit, int sign);

  private:
    Index draw(Index below);
    void set_doubts(const Net& net);
    void last_layer(const Net& net, Index a, Index b, double t, double* out);
    void note(Word first, Word second);
    void follow(const Net& net, Index a, Index b);
    void follow_piece(const Net& net, Index a, Index b, double low, double high, int count,
                      Word first);
    int hull_rows(const State& st, const Node& a, int count, Index unit, int sign);
    void hull_start(int m, int count);
    int hull_step(int m, int count);
    void hull_exchange(int m, int count, int r, int enter);
    bool confirmed(const State& st, const Node& a, int m, Index unit, int sign);

    struct Pattern {
        Word first, second, cell;
    };

    bool used_ = false;
    Index layer_ = 0;            // the one before the last
    Word cell_ = 0;              // number of the present cell
    Index kept_ = 0;             // points found in it
    Word random_ = 0;            // state of the random numbers
    Matrix<double> at_;          // pre-activations of the layer, a column a point
    Buffer<double> blur_;        // bound on their errors, one a unit
    Buffer<double> reach_;       // bound on their absolute values
    Matrix<double> doubt_;       // a unit of one of the two layers counts as zero up to this
    Buffer<Pattern> patterns_;   // of the last two layers, and the cell they were found in
    // Where a segment crosses units of the layer, which ones; where it crosses those of the last.
    Buffer<double> stops_, crossings_;
    Buffer<std::int32_t> units_;
    Buffer<double> here_, there_;  // pre-activations of the last layer
    // The dictionary of the hull: a row a basic variable, a column a nonbasic one.
    Matrix<double> table_;
    Buffer<double> values_;
    Buffer<std::int32_t> basic_;  // which they are: points from 0 on, units from -1 down
    Buffer<std::int32_t> nonbasic_;
};

// The signs of a layer's units as bits, the undecided ones as zeros.
Word word_of(const State& st, const Node& a, Index layer);

}  // namespace milpcount
