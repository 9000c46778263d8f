// Sets as bits of words.

#pragma once

#include <bit>

#include "arrays.hpp"

namespace milpcount {

inline int count_bits(Word x) { return std::popcount(x); }
inline int lowest_bit(Word x) { return std::countr_zero(x); }
inline constexpr Word bit_of(Index place) { return Word{1} << (place & 63); }
inline constexpr Index words_for(Index bits) { return (bits + 63) >> 6; }

// Calls f(place) for every one of the word, lowest first.
template <class F>
inline void for_each_bit(Word bits, F&& f) {
    while (bits != 0) {
        f(lowest_bit(bits));
        bits &= bits - 1;
    }
}

}  // namespace milpcount
