// Does a cell of the reduced search contain an image of an input?  A witness, or a separation.
//
// With many inputs the search runs over the pre-activations of the first layer, whose true range is
// a zonotope: z = 1/2 + V u / 2, u in [-1, 1]^N, every row of V with absolute sum 1.  The search
// sees only the cube around it, so a leaf is a region only if some u satisfies the rows
// a_r . z + c_r > 0 of its cell.
//
// The witness is the u nearest the centre, a quadratic programme with one dual variable a row:
// u is clip(V^T w) with w = sum_r l_r a_r / 2, l >= 0.  Where nothing is clipped, l solves a small
// non-negative least-squares problem in the Gram matrix of the rows (least_squares.hpp); where
// something is, the clipped coordinates are held fast and the problem is solved again.  On the way
// the same l may show that no u exists: sum_r l_r (a_r . z(u) + c_r) <= sum_r l_r d_r + |V^T w|_1,
// where d_r is row r at the centre, and if that is negative the rows contradict each other.
//
// That is Newton's method for the dual of the programme, which is to maximize, over l >= 0, the
// concave function sum_r l_r (margin - d_r) - sum_j h((V^T w)_j), h(x) = max u x - u^2 / 2 over all
// u in the cube.  Left alone it may go round in circles; so no step may make the value less.
// It starts with the sides where the last search ended.  A first value below 0, that of l = 0,
// shows a bad start, and nothing is clipped any more; later steps are halved until the value does
// not fall.
//
// u need not be the nearest: with the clipped coordinates held on their sides, which are those of
// a cube that is a little smaller, what solves the problem is a point of the flat and the cell
// already if the other coordinates stay in the true cube.

#pragma once

#include "arrays.hpp"
#include "bits.hpp"
#include "forms.hpp"
#include "lanes.hpp"

namespace milpcount {

// u is looked for in a cube of this radius, which leaves room to move.
inline constexpr double RADIUS = 1.0 - 1e-6;
// At first it is clipped to a smaller one, so that it may be taken before the sides are settled.
inline constexpr double INNER = 0.98;
inline constexpr int HALVINGS = 6;
inline constexpr int TILE = 2 * PAD;  // columns of V that are read together
// Wanted distance from every row, in units of u: at first, and then.
inline constexpr double WIDE = 1e-4, NARROW = 1e-7;
inline constexpr int ROUNDS = 16;
inline constexpr Index REFRESH = 3000;  // rounds after which accumulated rounding is thrown away

enum class Found : int { EMPTY = 0, FOUND = 1, UNKNOWN = -1 };

// A row of the cell at the image; a bound on its error; the sum of its absolute coefficients.
struct AtImage {
    double value, error, smear;
};

// Of V^T w: its absolute sum, the sum of its h, the largest absolute value of a coordinate that was
// not clipped, and how many change sides.
struct Spread {
    double total, energy, most;
    int changed;
};

struct Zonotope {
    int n = 0;           // coordinates of the zonotope: 0 where the cube is no relaxation
    int many = 0;        // inputs, N
    int wide = 0;        // N, padded to whole tiles
    int dimension = 0;   // coordinates of the rows
    Matrix<double> v;    // (n, N), rows of absolute sum 1
    Buffer<double> tiles;  // v once more: TILE columns of every row, then the next ones
    double blur = 0.0;   // bound on the error of an image, per unit of the largest entry of u
    // Of directions in u that change one coordinate of z by 1 each: bounds on their entries, and on
    // what their images are off by.
    double stretch = 0.0, skew = 0.0;
    Matrix<double> gram;          // v v^T
    Matrix<double> rows;          // of the cell: coefficients and constant
    Buffer<double> errors;        // bounds on their errors over the cube
    Buffer<double> length;        // of every row in units of u, roughly: any scale is right
    Matrix<double> normal;        // rows in units of u
    Matrix<double> flipped;       // those of the equations, transposed
    Buffer<double> centre;        // their values where u is 0
    Buffer<std::int32_t> single;  // place of a row's only coefficient, -1 where there are more
    Buffer<double> u, image;      // the candidate, and where it goes
    Matrix<double> columns;       // v, transposed; the last one is zero
    Buffer<double> side;          // where a coordinate of u is clipped: -1, 0 or 1
    Matrix<double> free;          // the Gram matrix of the coordinates that are not clipped
    Buffer<double> fixed;         // V u of those that are
    Index since = 0, rounds = 0;  // rounds since the last fresh start, and in all
    Matrix<double> product, kernel, factor;
    Buffer<double> right, shift, multipliers, trial;
    Buffer<double> from;  // multipliers of the round before
    Buffer<std::int32_t> passive;
    Buffer<std::uint8_t> active, was_active;  // by place; and by name, in the last cell
    Buffer<Index> names;                      // of the rows
    Buffer<std::int32_t> turned;              // coordinates that change sides
    Buffer<double> turned_to;                 // the sides that they come to
    double radius = RADIUS;                   // where u is clipped
    Matrix<double> steps;  // directions in z, one a row, for meet()
    Buffer<double> step_errors;
    Buffer<double> reach;  // of every coordinate: how far its pre-activation ranges
    Buffer<Index> unit;    // which unit that is

    // Room for cells of so many rows; `generators` is V, unless the cube is no relaxation.
    Zonotope(int dimension, Index most_rows, const Matrix<double>* generators);

    bool present() const { return n > 0; }
    // Make a row the next of the cell; returns how many there are.
    int take_row(int m, const double* row, double error, double sign, Index name);
    // Look for an input in the cell of the first m rows: FOUND with a proved witness in u, EMPTY if
    // there is none.  Which coordinates are clipped and which rows are active is kept from one cell
    // to the next, which is often a neighbour.
    Found confirm(int m);
    // Look for an input in the cell where the first k rows vanish, and all their signs are met around
    // it: proved, with the directions in `steps`.  EMPTY if they do not vanish together in the cell.
    Found meet(int m, int k);
    // Whether directions in z are known to be images of directions in u.
    bool onto() const { return skew < 1e-9; }

    // Set what is known of the rows in units of u; the first ones are equations.
    void measure(int m, int equals);
    // Count a round; start afresh when rounding has had the time to accumulate.
    void renew(int m, int equals);
    // What the rows lack at the point where only the clipped coordinates are moved.
    void prepare(int m, int equals, double margin);
    // Put V^T w of the multipliers into u, and w into image.
    Spread spread_out(int m);
    // Put V^T w into u, and into `turned` which coordinates do not stay on their sides; w is image.
    Spread transport();
    // Whether the multipliers prove the rows contradictory; `spread` is |V^T w|_1.
    bool separated(int m, double spread) const;
    // Update the sides after so many changes, and what depends on them.
    void turn(int changed);
    // Put z at u into image; returns a bound on the error of every coordinate.
    double image_of();
    AtImage at_image(int r, double blur_of_image) const;
    // Whether the image satisfies every row, all errors included.
    bool satisfied(int m, double blur_of_image) const;

  private:
    void invert();
    bool all_signs(int m, int k, double room);
    template <class Accept>
    Found search(int m, int equals, Accept&& accept);
    bool inside(const Spread& to);
    void change_sides(const std::int32_t* which, const double* to, int count);
    void unclip();
    bool cut_off(int m, double spread) const;
    double dual(int m, int equals, double margin, const Spread& to) const;
};

}  // namespace milpcount
