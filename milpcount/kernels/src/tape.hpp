// The tape: steps of a certificate, written while the search takes them.
//
// The format is that of milpcount/proof/format.py.  Nothing is written where none is wanted.

#pragma once

#include "state.hpp"

namespace milpcount {

// Steps.
inline constexpr std::uint8_t POINT = 0, SPREAD = 1, BRANCH_ACTIVE = 4, BRANCH_INACTIVE = 5,
                              NEVER_ACTIVE = 6, NEVER_INACTIVE = 7, EMPTY_CELL = 8;

inline void put(State& st, std::uint8_t byte) { st.tape[st.written++] = byte; }

// An unsigned number, seven bits a byte.
inline void put_number(State& st, Index value) {
    auto rest = static_cast<Word>(value);
    while (rest > 127) {
        put(st, static_cast<std::uint8_t>((rest & 127) | 128));
        rest >>= 7;
    }
    put(st, static_cast<std::uint8_t>(rest));
}

inline void put_signed(State& st, Index value) {
    put_number(st, value >= 0 ? 2 * value : -2 * value - 1);
}

// A unit has this sign all over the cube.
inline void record_range(State& st, Index place, int sign) {
    if (!st.records) return;
    put(st, sign > 0 ? NEVER_INACTIVE : NEVER_ACTIVE);
    put_number(st, place);
    put(st, 0);
}

// A unit has both signs; this one is searched first.
inline void record_branch(State& st, Index place, int sign) {
    if (!st.records) return;
    put(st, sign > 0 ? BRANCH_ACTIVE : BRANCH_INACTIVE);
    put_number(st, place);
}

inline bool tape_is_full(const State& st) {
    return st.written + st.slack > static_cast<Index>(st.tape.size());
}

}  // namespace milpcount
