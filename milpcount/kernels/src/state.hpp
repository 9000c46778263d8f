// What the tree search writes: its nodes, and what belongs to the present path.
//
// A slot holds a node; branching leaves the node in its slot, with one side to come back for, and
// goes on in the next slot.  Variables are coordinates 0..n-1, then *rows*: those of the domain,
// then one a unit.  Row k is variable n + k, and k is its name in certificates.

#pragma once

#include <memory>
#include <vector>

#include "arrays.hpp"
#include "bits.hpp"
#include "codes.hpp"
#include "dictionary.hpp"
#include "exact_side.hpp"
#include "net.hpp"
#include "node.hpp"

namespace milpcount {

inline constexpr int MARKS = 96;  // vertices whose signs are remembered

// How often something happened.
struct TreeCounters {
    Index pivots = 0, nodes = 0, by_range = 0, by_multipliers = 0, by_exact_multipliers = 0,
          by_point = 0, separated = 0, by_flats = 0, flats = 0;
};

// Reduced costs of a row: what it is in terms of nonbasic variables, of the dictionary or of one
// that is a step away.
struct Costs {
    double top = 0.0;  // the value of the row
    Buffer<double> value;
    Buffer<std::int32_t> var;
};

class State {
  public:
    State(const Net& network, bool emit, Index point_size, Index leaves, bool record, Index tape);

    const Net& net;
    int n;
    Index cuts;  // rows of the domain
    bool emits;  // whether the regions themselves are wanted

    std::vector<std::unique_ptr<Node>> nodes;
    std::vector<Matrix<double>> forms;  // of the present path, one entry a layer
    std::vector<Matrix<double>> weights;  // of every layer, padded: one row a unit that it reads
    // Of every row: coefficients and constant, one after the other and padded with zeros; the bound
    // on their error, the sum of their absolute values, the factor that the dictionary takes.
    Matrix<double> row;
    Buffer<double> error, size, scale;
    // The most that the row is in the dictionary over the cube, and its negative: see most().
    Buffer<double> above, below;
    Buffer<std::int32_t> place_of;  // of every unit with a row in the dictionary
    Buffer<Index> cut_begin;        // where the bits of a layer begin, in words
    Buffer<std::uint8_t> passes;    // whether a unit passes something on where it is inactive

    Index slot = -1;
    Index doubt_unit = 0;
    int doubt_sign = 0;
    Verdict verdict = Verdict::OPEN;
    Index regions = 0;
    TreeCounters counters;

    Index leaves = 0;  // that wait to be taken
    Matrix<std::int8_t> leaf_signs;
    Matrix<double> leaf_points;
    bool records;  // whether the steps of a certificate are wanted
    Buffer<std::uint8_t> tape;
    Index written = 0;
    Index slack = 0;  // what one step of the search writes at most

    Buffer<double> z, total, slopes;
    Steps steps;            // from the vertex that was looked at last
    Buffer<double> factor;  // one a column of a dictionary
    Costs costs;            // of the row that was looked at last
    Buffer<double> low, high;
    Buffer<std::uint8_t> marked;  // columns of a dictionary
    Buffer<std::int32_t> entering;  // units that get rows
    Buffer<std::int32_t> basic;     // rows of coordinates
    Matrix<double> gathered;
    Dictionary room;
    std::unique_ptr<ExactSide> exact;  // once there was something that floats do not decide

    Node& node(Index d) { return *nodes[static_cast<std::size_t>(d)]; }
    // Make sure that there is a slot d.
    void reach_slot(Index d);
    Forms forms_of(Index layer) { return view_of(forms[static_cast<std::size_t>(layer)], n, net.widths[layer]); }
    Index row_of_unit(Index u) const { return cuts + u; }
    Index var_of_unit(Index u) const { return n + cuts + u; }
    Index unit_of_var(Index var) const { return var - n - cuts; }
    // The sign with which row k is a constraint of the node.
    double side_of_row(const Node& a, Index k) const {
        return k < cuts || a.sign[k - cuts] > 0 ? 1.0 : -1.0;
    }
    // The most that a nonbasic variable can be in the node's cell, but for rounding.
    double most(const Node& a, std::int32_t var) const {
        if (var < n) return 1.0;
        const Index k = var - n;
        return side_of_row(a, k) > 0.0 ? above[k] : below[k];
    }
    bool full() const { return leaves == static_cast<Index>(leaf_signs.rows()); }
};

// The root in slot 0 with these signs; false if floats cannot find a vertex of the domain.
bool start(State& st, const std::int8_t* signs, double share);
// Bring the rows of the node's layer in; false where a preset sign cannot be reached.
bool enter(State& st, Index d);
// Decide unit u of the node's layer: its part in the forms of the next layer is known.
void settle(State& st, Node& a, Index u, int sign);
// Drive row r to the given sign: 1 when `sign * row` is above the goal, 0 at an optimum where it is
// not, -1 without result.
int push_to(State& st, Node& a, int r, int sign, double goal = VISIBLE);
// Go to the neighbouring vertex, and remember the signs there.
void make_step(State& st, Node& a, int c, const Step& step);
// Remember the signs at the vertex that is this step away along column c.
void note_neighbour(Node& a, int c, double step);
// Make free row r, which has this sign at the vertex, a constraint.
void constrain(Node& a, int r, int sign);
// Drop free row r.
void remove_row(Node& a, int r);
// Remember in node e the vertices of node d at which the unit at this place has this sign.
void keep_marks(const Node& d, Node& e, int place, int sign);
// Set which signs were seen: at the vertices remembered, and at the present one.
void look_again(Node& a);
// Copy the node of slot d to slot d + 1.
void copy_node(State& st, Index d);
// How many units of the layer are not decided.
int free_rows(const Node& a);

// Calls f(k, r, c) for every constraint of the node's cell: its row k, and where it stands: basic
// in row r of the dictionary (c is -1) or nonbasic in column c (r is -1).
template <class F>
inline void for_each_constraint(const State& st, const Node& a, F&& f) {
    const Dictionary& d = a.rows;
    for (int r = 0; r < d.top; ++r)
        if (d.is_constraint(r)) f(static_cast<Index>(d.rowvar[r] - st.n), r, -1);
    for (int c = 0; c < d.n; ++c)
        if (d.colvar[c] >= st.n) f(static_cast<Index>(d.colvar[c] - st.n), -1, c);
}

inline bool has_bit(const Buffer<Word>& set, int place) {
    return (set[place >> 6] & bit_of(place)) != 0;
}

// Calls f(r) for every free row of the node, by place.
template <class F>
inline void for_each_free(const Node& a, F&& f) {
    const int words = static_cast<int>(words_for(a.rows.places));
    for (int w = 0; w < words; ++w) for_each_bit(a.free[w], [&](int b) { f(64 * w + b); });
}

}  // namespace milpcount
