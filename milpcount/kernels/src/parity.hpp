// The tree search under parity constraints.
//
// A constraint asks that the number of active units of a set be odd, or even.  Sets are bits of
// words, one bit a unit.  At every node the constraints are reduced over GF(2) with the units
// decided so far put in: a constraint without units left is satisfied or closes the node, one with
// a single unit left decides it.  A unit so decided is cut like any other, or the node is closed
// where multipliers prove that its side is empty.

#pragma once

#include "tree.hpp"

namespace milpcount {

// Constraints, and room to reduce them.
struct Parity {
    Parity(Matrix<Word> members, Buffer<std::uint8_t> rights);

    Index count, words;
    Matrix<Word> sets;           // bits of the units of each constraint
    Buffer<std::uint8_t> odd;    // 1 where their number of ones is to be odd, else 0
    Matrix<Word> rows;           // reduced constraints at the present node
    Buffer<std::uint8_t> right;
    Buffer<Word> known, value;  // units that are decided there, and which of them are active
    Index closed = 0, decided = 0;  // nodes closed by parity, units decided by it

    struct Unit {
        Index unit;  // that the constraints decide, NOTHING or CONFLICT
        int sign;
    };
    static constexpr Index NOTHING = -1, CONFLICT = -2;
    // Reduce the constraints at a node with these signs.
    Unit propagate(const Buffer<std::int8_t>& sign);

  private:
    void put_in(const Buffer<std::int8_t>& sign);
    Index eliminate();
};

// The search for the regions that satisfy them.
class Constrained {
  public:
    Constrained(Zonotope& zono, Parity& parity, Index limit)
        : zono_(zono), parity_(parity), limit_(limit) {}

    bool enough(const State& st) const { return st.regions >= limit_; }
    bool prune(State& st, Index d);
    void entered(State&, Index) {}
    bool count_leaf(State& st, Index d);
    bool unreachable(State& st, Index d);
    Move before(State& st, Index d);
    Move decided(State& st, Index d, int row);
    void branched(State&, Index) {}

  private:
    static bool in_layer(const State& st, const Node& a, Index u) {
        const Index first = st.net.starts[a.layer];
        return first <= u && u < first + st.net.widths[a.layer];
    }

    Zonotope& zono_;
    Parity& parity_;
    Index limit_;
};

}  // namespace milpcount
