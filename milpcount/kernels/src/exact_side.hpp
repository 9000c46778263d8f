// Sides of rows that only touch a cell, proved to be empty in exact arithmetic.
//
// At an optimum of sign g over a cell the dictionary names n variables v, each at least 0 on the
// closed cell: coordinates z_j or 1 - z_j of the cube, and rows h of the cell.  Where these are
// independent there is exactly one identity of affine forms
//
//     sign g = sum_k y_k v_k + y_0,
//
// and if no y_k and not y_0 is positive, sign g is nowhere positive on the closed cell.  What floats
// leave open is almost always this with y_0 = 0: a hyperplane that touches the cell, a copy of
// another, one along a face.
//
// Which side is empty then.  The side sign = 1 is g > 0: it is.  For sign = -1, where full regions
// are counted it is {g < 0}, empty, and the unit is active as soon as g is not 0 all over the cell:
// as y_0 < 0 or some y_k < 0 of a v_k that is not.  (A form that is 0 on the region is that of an
// inactive unit.)  On a cell with an interior no v_k is 0 throughout; but where the cube is a
// relaxation and the domain's image does not span it, the rows of inactive units may be, on the true
// cell.  Where patterns that are not empty are counted the side is {g <= 0}, and it is empty if
// y_0 < 0 or some y_k < 0 of a v_k that is positive in the cell: an active unit's row, a coordinate
// that is a multiple of one, the form that is 0 at infinity.
//
// Arithmetic.  All rows are integers up to positive factors, which do not matter to signs.  Let B be
// the basis's matrix, d its determinant.  By Cramer's rule every d y_k is a determinant too: of rows
// of (h, g) and unit rows, in coordinates that count from the ends where the vertex is; so it is at
// most the product of the rows' sums of absolute entries, each at least 1.  It is computed modulo
// primes whose product is more than twice that bound, and so are d and its sign.  Primes that divide
// d are left out: if there are two, d is taken for 0 and nothing is proved.
//
// Of the n equations only those of the coordinates that are basic have to be solved, for the y_k of
// rows; the others' y_k are what is left over.

#pragma once

#include "residue_forms.hpp"

namespace milpcount {

class State;
struct Node;

class ExactSide {
  public:
    // `spans`: no form but 0 vanishes all over the domain.
    ExactSide(const Net& net, LongFrame frame, bool spans);

    // Whether row r, whose unit is free, is proved never to have this sign on the node's cell, by
    // the variables that are nonbasic in its dictionary.
    bool empty(const State& st, const Node& a, int r, int sign);

  private:
    bool is_strict(const Node& a, Index k) const;
    bool is_strict_end(const Node& a, int j) const;
    bool take_basis(const State& st, const Node& a, Index target);
    bool solve(const State& st, const Node& a, Index target, int sign, int q);
    int sign_of(std::span<const Word> residues);
    Word inverse(int q, int p);

    const Net& net_;
    ResidueForms forms_;
    bool spans_;
    std::vector<Index> unit_of_;  // whose form is a positive multiple of the coordinate, or -1

    // Of the present side: nonbasic rows with their signs, nonbasic and basic coordinates.
    std::vector<Index> rows_;
    std::vector<int> turns_;
    std::vector<int> nonbasic_, basic_;
    std::vector<std::uint8_t> is_nonbasic_;
    double bits_ = 0.0;  // the binary logarithm of twice the bound

    std::vector<int> taken_;  // primes
    // Modulo one prime after the other: of d, d y_0, and d y_k of rows, then of coordinates.
    std::vector<Word> residues_;
    std::vector<Word> value_, digits_;  // one of them modulo all primes, and in mixed radix
    std::vector<Word> matrix_, rest_;   // modulo one prime: the equations, what is left of sign g
    std::vector<Word> inverses_;        // of one prime modulo another, 0 where it is not known
};

}  // namespace milpcount
