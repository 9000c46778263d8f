#include "parity.hpp"

#include <utility>

#include "leaves.hpp"

namespace milpcount {

Parity::Parity(Matrix<Word> members, Buffer<std::uint8_t> rights)
    : count(static_cast<Index>(members.rows())),
      words(static_cast<Index>(members.columns())),
      sets(std::move(members)),
      odd(std::move(rights)),
      rows(count, words),
      right(std::max<Index>(count, 1)),
      known(words),
      value(words) {}

// Put the decided units in; what is left stands in `rows` and `right`.
void Parity::put_in(const Buffer<std::int8_t>& sign) {
    for (Index w = 0; w < words; ++w) known[w] = value[w] = 0;
    for (Index u = 0; u < static_cast<Index>(sign.size()); ++u) {
        if (sign[u] == 0) continue;
        known[u >> 6] |= bit_of(u);
        if (sign[u] > 0) value[u >> 6] |= bit_of(u);
    }
    for (Index k = 0; k < count; ++k) {
        int ones = odd[k];
        for (Index w = 0; w < words; ++w) {
            ones += count_bits(sets[k][w] & value[w]);
            rows[k][w] = sets[k][w] & ~known[w];
        }
        right[k] = ones & 1;
    }
}

// Gauss and Jordan from the last unit down, so that the rows are about early units; returns how
// many rows are not empty: the first ones.
Index Parity::eliminate() {
    Index done = 0;
    for (Index w = words - 1; w >= 0; --w) {
        for (;;) {
            // The latest unit of any row left becomes that of row `done` alone.
            Word top = 0;
            for (Index k = done; k < count; ++k) top = std::max(top, rows[k][w]);
            if (top == 0) break;
            const Word lead = std::bit_floor(top);
            Index pivot = done;
            while ((rows[pivot][w] & lead) == 0) ++pivot;
            for (Index v = 0; v < words; ++v) std::swap(rows[pivot][v], rows[done][v]);
            std::swap(right[pivot], right[done]);
            for (Index k = 0; k < count; ++k) {
                if (k == done || (rows[k][w] & lead) == 0) continue;
                for (Index v = 0; v < words; ++v) rows[k][v] ^= rows[done][v];
                right[k] ^= right[done];
            }
            ++done;
        }
    }
    return done;
}

Parity::Unit Parity::propagate(const Buffer<std::int8_t>& sign) {
    put_in(sign);
    const Index done = eliminate();
    for (Index k = done; k < count; ++k)
        if (right[k] != 0) return {CONFLICT, 0};
    // Of the units that stand alone the earliest.
    Unit best{NOTHING, 0};
    for (Index k = 0; k < done; ++k) {
        Index unit = -1;
        for (Index w = 0; w < words; ++w) {
            const Word x = rows[k][w];
            if (x == 0) continue;
            if (unit >= 0 || (x & (x - 1)) != 0) {
                unit = -1;
                break;
            }
            unit = 64 * w + lowest_bit(x);
        }
        if (unit >= 0 && (best.unit < 0 || unit < best.unit))
            best = {unit, right[k] != 0 ? 1 : -1};
    }
    return best;
}

bool Constrained::prune(State& st, Index d) {
    const Node& a = st.node(d);
    return a.layer > 0 && outside(st, zono_, a);
}

bool Constrained::count_leaf(State& st, Index d) { return leaf(st, zono_, st.node(d)); }

bool Constrained::unreachable(State& st, Index d) {
    Node& a = st.node(d);
    // Only parity asks for a side that is not known to be there.
    if (!refuted(st, a, st.place_of[a.unit], a.side)) return false;
    ++parity_.closed;
    st.slot = d - 1;
    return true;
}

Move Constrained::before(State& st, Index d) {
    Node& a = st.node(d);
    const Parity::Unit next = parity_.propagate(a.sign);
    if (next.unit == Parity::CONFLICT) {
        ++parity_.closed;
        return Move::LEAVE;
    }
    if (next.unit < 0 || !in_layer(st, a, next.unit)) return Move::AS_EVER;
    ++parity_.decided;
    a.unit = next.unit;
    a.side = next.sign;
    a.stage = Stage::COME_BACK;
    return Move::NEXT;
}

Move Constrained::decided(State& st, Index d, int) {
    // Units that were implied may contradict the constraints, or decide others.
    const Node& a = st.node(d);
    const Parity::Unit next = parity_.propagate(a.sign);
    if (next.unit == Parity::CONFLICT) {
        ++parity_.closed;
        return Move::LEAVE;
    }
    return next.unit >= 0 && in_layer(st, a, next.unit) ? Move::NEXT : Move::AS_EVER;
}

}  // namespace milpcount
