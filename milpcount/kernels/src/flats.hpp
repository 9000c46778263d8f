// The last layer without branching: its regions counted by the flats in which units meet.
//
// Let P be an open convex cell and g_1, ..., g_k affine forms.  A set S of forms is a *face* if all
// of S vanish together somewhere in P.  If the linear parts of the forms of every face are
// independent, then P has as many regions as faces, the empty one included.
//
// Proof.  By induction on k.  Those regions of the first k - 1 forms that the zero H of g_k cuts are
// as many as H has regions under them, so r(P; 1..k) = r(P; 1..k-1) + r(P & H; 1..k-1) (deletion and
// restriction).  The faces without k are those of the first term.  Those with k are k added to the
// faces of the second: on H the forms of a face of P & H have independent linear parts since they
// have them with g_k.  (Forms that are constant on H belong to no face.)
//
// Subsets of faces are faces, so what has to be proved is little: one witness for every largest face
// and one contradiction for every least set that is none.  On the networks tried that is half as
// many proofs as there are regions, or less.
//
// A witness of S is a point p of P with directions s_i such that p + e sum_S +-s_i lie in P and have
// all 2^|S| patterns of signs there.  Then all of S vanish at some point between them, and the
// linear parts are independent, for k hyperplanes with less have fewer regions than 2^k.
// A contradiction is a combination of the forms of S, with any signs, and of rows of the cell, with
// positive ones, that is negative all over the cube, or all over the zonotope (zonotope.hpp).
//
// The faces are walked in lexicographic order.  Each has a dictionary of the cell in which its forms
// are nonbasic at 0 and stay there; one that comes after the last is added if linear programmes
// find both signs of it on the flat.
//
// In the cube a witness is a vertex of the flat, moved inward along its other edges, with the columns
// of the face's forms as directions.  Where the cube is only a relaxation, of the zonotope, a largest
// face may turn out to be none there; then the next smaller ones are looked at.
//
// In definition "nonempty" inactive sides and P include their boundaries.  Contradictions hold there
// too, being strict.  So where forms vanish at a point x of the boundary of P, those that do, T, are
// a face, p a point of P where they vanish.  Close to x on the way to p all 2^|T| patterns of T
// are found inside P with the other signs of x: no pattern is met on the boundary alone.

#pragma once

#include <memory>
#include <vector>

#include "around.hpp"
#include "clock.hpp"
#include "seeking.hpp"
#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

class Flats {
  public:
    // Count the regions of the node's cell, whose free rows all cut it, in the last layer; false,
    // with nothing counted, where there are too many, floats leave something open, or it is asked
    // to stop.
    bool count(State& st, Zonotope& zono, const Node& a, Halt& halt);

  private:
    enum class Face { YES, NO, OPEN };

    // A face of the relaxation: its dictionary, whose first rows are the forms by their numbers, and
    // what is seen of the others.
    struct Level {
        Dictionary rows;
        Steps steps;
        Word above = 0, below = 0;   // seen with this sign on the flat
        Buffer<std::uint8_t> fixed;  // of every column: 0, or which form it is, counted from 1
        std::vector<Word> known;     // faces with a witness that contain this one
    };
    class Flat;

    bool worth_trying(const State& st, const Zonotope& zono, const Node& a);
    void take_cell(State& st, const Node& a);
    Level& level(const State& st, std::size_t depth);
    Face visit(std::size_t depth, Word face, Word others);
    bool descend(Level& from, Level& to, int r);
    bool sift(Level& level, Word face, Word& others);
    Face witness(std::size_t depth, Word face);
    bool meet_in_cube(const Level& level, Word face);
    Found meet_in_zonotope(const Level& level, Word face);
    void direction(const Level& level, int c, double* step) const;
    bool excluded(Word face) const;

    // Of the cell that is counted.
    State* st_ = nullptr;
    Zonotope* zono_ = nullptr;
    Halt* halt_ = nullptr;
    Clock patience_{0.0};
    const Node* node_ = nullptr;
    std::vector<int> place_;  // of every form
    std::vector<int> order_;  // rows of the node's dictionary: the forms, then the others
    double turn_[MOST_FORMS] = {};  // sign with which a fixed form is a variable
    Index found_ = 0, witnesses_ = 0;
    Index allowed_ = 0;  // flats that may still be visited

    std::vector<std::unique_ptr<Level>> levels_;
    std::vector<Word> none_;  // that are proved to be no faces
    std::vector<int> places_;
    Around around_;
    Index tried_[MOST_FORMS] = {}, won_[MOST_FORMS] = {};  // cells by number of forms: and counted
};

}  // namespace milpcount
