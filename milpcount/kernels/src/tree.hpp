// The tree search: a depth-first machine that can stop and go on at any step.
//
// Whatever floats cannot prove is handed out: a run stops with a doubt and goes on with the
// verdict.  After Stop::DOUBT_SIDE the caller sets the verdict on side `doubt_sign` of unit
// `doubt_unit` in the node of the present slot; after Stop::DOUBT_NODE it takes that node out of
// the search and settles it as a whole, elsewhere.
//
// The loop is the same for all that walk the tree; what differs is a *policy*:
//
//     bool enough(st)             whether to stop here, as after so many steps
//     bool prune(st, slot)        leave out a node that is about to enter a layer
//     void entered(st, slot)      it has
//     bool count_leaf(st, slot)   count it; false for a doubt about the node
//     bool unreachable(st, slot)  whether a side to come back for is not there, and that is proved
//     Move before(st, slot)       at a node whose units are to be decided
//     Move decided(st, slot, row) now they are; `row` cuts its cell, as all that are left (or -1)
//     void branched(st, slot)     on it: the first side is in the next slot

#pragma once

#include "clock.hpp"
#include "flats.hpp"
#include "leaves.hpp"
#include "sides.hpp"
#include "state.hpp"
#include "zonotope.hpp"

namespace milpcount {

// What a policy wants: go on as ever, go on with the next step, leave the node.
enum class Move { AS_EVER, NEXT, LEAVE };

// Go on after a doubt: the doubtful side is empty, or was settled elsewhere.
bool take_verdict(State& st, Node& a);
// Go down the side of free row r on which the vertex stands; the other side waits in the slot.
void branch_on(State& st, Index d, int r);
// Take the side that waits; false where it cannot be reached.
bool come_back(State& st, Node& a);

template <class Policy>
Stop walk(State& st, Policy& policy, Index steps, Halt& halt) {
    const Index layers = st.net.layers;
    while (st.slot >= 0) {
        if (steps <= 0 || policy.enough(st) || halt.asked()) return Stop::STEPS;
        if (st.records && st.written + st.slack > static_cast<Index>(st.tape.size()))
            return Stop::FULL;
        --steps;
        const Index d = st.slot;
        Node& a = st.node(d);
        ++st.counters.nodes;
        if (a.stage == Stage::ENTER) {
            if (a.layer < layers) {
                if (policy.prune(st, d)) {
                    st.slot = d - 1;
                    continue;
                }
                if (!enter(st, d)) return Stop::DOUBT_NODE;
                policy.entered(st, d);
                a.stage = Stage::DECIDE;
                continue;
            }
            if (st.emits && st.full()) return Stop::FULL;
            if (!policy.count_leaf(st, d)) return Stop::DOUBT_NODE;
            st.slot = d - 1;
            continue;
        }
        if (a.stage == Stage::COME_BACK) {
            if (!come_back(st, a) && !policy.unreachable(st, d)) return Stop::DOUBT_NODE;
            continue;
        }
        if (st.verdict != Verdict::OPEN && !take_verdict(st, a)) return Stop::DOUBT_NODE;
        Move move = policy.before(st, d);
        if (move == Move::AS_EVER) {
            const int r = decide(st, a);
            if (r == DOUBT) return Stop::DOUBT_SIDE;
            move = policy.decided(st, d, r);
            if (move == Move::AS_EVER && r >= 0) {
                branch_on(st, d, r);
                policy.branched(st, d);
            } else if (move == Move::AS_EVER) {
                ++a.layer;
                a.stage = Stage::ENTER;
            }
        }
        if (move == Move::LEAVE) st.slot = d - 1;
    }
    return Stop::DONE;
}

// The search for all regions.
class Everything {
  public:
    Everything(Zonotope& zono, Flats& flats, Index limit, Halt& halt)
        : zono_(zono), flats_(flats), limit_(limit), halt_(halt) {}

    bool enough(const State& st) const { return st.regions >= limit_; }
    bool prune(State&, Index) { return false; }
    void entered(State&, Index) {}
    bool count_leaf(State& st, Index d) { return leaf(st, zono_, st.node(d)); }
    bool unreachable(State&, Index) { return false; }
    Move before(State&, Index) { return Move::AS_EVER; }
    Move decided(State& st, Index d, int row);
    void branched(State&, Index) {}

  private:
    // Only their number is wanted, and no certificate: leaves may be counted many at a time.
    static bool plain(const State& st) { return !st.emits && !st.records; }

    Zonotope& zono_;
    Flats& flats_;
    Index limit_;
    Halt& halt_;
};

}  // namespace milpcount
