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

#pragma once

#include "arrays.hpp"
#include "bits.hpp"
#include "forms.hpp"
#include "lanes.hpp"

namespace milpcount {

// u is looked for in a cube of this radius, which leaves room to move.
inline constexpr double RADIUS = 1.0 - 1e-6;
// Wanted distance from every row, in units of u: at first, and then.
inline constexpr double WIDE = 1e-4, NARROW = 1e-7;
inline constexpr int ROUNDS = 16;
inline constexpr Index REFRESH = 3000;  // rounds after which accumulated rounding is thrown away

enum class Found : int { EMPTY = 0, FOUND = 1, UNKNOWN = -1 };

// A row of the cell at the image; a bound on its error; the sum of its absolute coefficients.
struct AtImage {
    double value, error, smear;
};

struct Zonotope {
    int n = 0;           // coordinates of the zonotope: 0 where the cube is no relaxation
    int many = 0;        // inputs, N
    int wide = 0;        // N, padded
    int dimension = 0;   // coordinates of the rows
    Matrix<double> v;    // (n, N), rows of absolute sum 1
    double blur = 0.0;   // bound on the error of an image, per unit of the largest entry of u
    // Of directions in u that change one coordinate of z by 1 each: bounds on their entries, and on
    // what their images are off by.
    double stretch = 0.0, skew = 0.0;
    Matrix<double> gram;          // v v^T
    Matrix<double> rows;          // of the cell: coefficients and constant
    Buffer<double> errors;        // bounds on their errors over the cube
    Buffer<double> length;        // of every row in units of u, roughly: any scale is right
    Matrix<double> normal;        // rows in units of u
    Buffer<std::int32_t> single;  // place of a row's only coefficient, -1 where there are more
    Buffer<double> u, image;      // the candidate, and where it goes
    Matrix<double> columns;       // v, transposed; the last one is zero
    Buffer<double> side, now;     // where a coordinate of u is clipped: -1, 0 or 1; and anew
    Matrix<double> free;          // the Gram matrix of the coordinates that are not clipped
    Buffer<double> fixed;         // V u of those that are
    Index since = 0, rounds = 0;  // rounds since the last fresh start, and in all
    Matrix<double> product, kernel, factor;
    Buffer<double> right, shift, multipliers, trial;
    Buffer<std::int32_t> passive;
    Buffer<std::uint8_t> active, was_active;  // by place; and by name, in the last cell
    Buffer<Index> names;                      // of the rows
    Buffer<std::int32_t> turned;              // coordinates that change sides
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

    // Set the lengths of the rows.
    void measure(int m);
    // Count a round; start afresh when rounding has had the time to accumulate.
    void renew(int m, int equals);
    // What the rows lack at the point where only the clipped coordinates are moved.
    void prepare(int m, int equals, double margin);
    // Put V^T w of the multipliers into u, and w into image.
    void spread_out(int m);
    // Put V^T w into u; w stands in image.
    void transport();
    // Whether the multipliers prove the rows contradictory; `spread` is |V^T w|_1.
    bool separated(int m, double spread) const;
    double spread() const { return absolute_sum(u.data(), wide); }
    // Clip u to the cube, update what depends on it; returns how many coordinates changed sides.
    int clip();
    // Put z at u into image; returns a bound on the error of every coordinate.
    double image_of();
    AtImage at_image(int r, double blur_of_image) const;
    // Whether the image satisfies every row, all errors included.
    bool satisfied(int m, double blur_of_image) const;

  private:
    void invert();
    bool all_signs(int m, int k);
    template <class Accept>
    Found search(int m, int equals, Accept&& accept);
    void change_sides(const std::int32_t* which, int count);
    void unclip();
};

}  // namespace milpcount
