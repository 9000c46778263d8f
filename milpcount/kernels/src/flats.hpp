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
// find both signs of it on the flat.  Where the zonotope is smaller than the cube a largest face
// may turn out to be none there; then the next smaller ones are looked at.
//
// In definition "nonempty" inactive sides and P include their boundaries.  Contradictions hold there
// too, being strict.  So where forms vanish at a point x of the boundary of P, those that do, T, are
// a face, p a point of P where they vanish.  Close to x on the way to p all 2^|T| patterns of T
// are found inside P with the other signs of x: no pattern is met on the boundary alone.

#pragma once

#include <vector>

#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

class Flats {
  public:
    // Count the regions of the node's cell, whose free rows all cut it, in the last layer; false,
    // with nothing counted, where there are too many or floats leave something open.  Serves
    // searches of the zonotope.
    bool count(State& st, Zonotope& zono, const Node& a);

  private:
    enum class Face { YES, NO, OPEN };

    // A face of the relaxation: its dictionary, and what is seen of the other forms.
    struct Level {
        Dictionary rows;
        Word above = 0, below = 0;        // by place: seen with this sign on the flat
        std::vector<std::uint8_t> fixed;  // columns of the face's forms
    };

    bool worth_trying(const State& st, const Zonotope& zono, const Node& a);
    Face visit(State& st, Zonotope& zono, std::size_t depth, Word face, Word others);
    bool descend(State& st, std::size_t depth, int r);
    bool sift(State& st, std::size_t depth, Word face, Word& others);
    int push(State& st, Level& level, int r, int sign);
    bool refuted(State& st, const Level& level, int r, int sign) const;
    Face witness(State& st, Zonotope& zono, const Level& level, Word face);
    Face witness_in_cube(State& st, Zonotope& zono, const Level& level, Word face);
    bool covered(Word face) const;
    bool excluded(Word face) const;

    const Node* node_ = nullptr;
    std::vector<Level> levels_;
    std::vector<Word> faces_, none_;  // proved: by their places; and that they are none
    double turn_[64] = {};            // sign with which a fixed form is a variable
    Index found_ = 0;                 // faces
    Index tried_ = 0, won_ = 0;       // cells
};

}  // namespace milpcount
