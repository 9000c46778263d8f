// The field of a prime between 2^32 and 2^62, in Montgomery's form: a stands for a 2^-64.

#pragma once

#include "arrays.hpp"

#if defined(_MSC_VER) && !defined(__SIZEOF_INT128__)
#include <intrin.h>
#endif

namespace milpcount {

class PrimeField {
  public:
    explicit PrimeField(Word prime) : p(prime), inverse_(1) {
        // Newton's iteration for 1/p modulo 2^64 doubles the bits that are right.
        for (int step = 0; step < 6; ++step) inverse_ *= 2 - p * inverse_;
        one = (0 - p) % p;
        square = one;
        for (int bit = 0; bit < 64; ++bit) square = plus(square, square);
    }

    Word p;
    Word one, square;  // 2^64 and 2^128 modulo p: the forms of 1 and of 2^64

    // Into the form, of any 64 bits, and out of it.
    Word entered(Word a) const { return times(a, square); }
    Word left(Word a) const { return times(a, 1); }

    Word plus(Word a, Word b) const { return a >= p - b ? a - (p - b) : a + b; }
    Word minus(Word a, Word b) const { return a >= b ? a - b : a + p - b; }
    Word negative(Word a) const { return a == 0 ? 0 : p - a; }
    // The product, over 2^64, of two numbers one of which is below p.
    Word times(Word a, Word b) const {
#if defined(__SIZEOF_INT128__)
        const unsigned __int128 t = static_cast<unsigned __int128>(a) * b;
        const Word low = static_cast<Word>(t), high = static_cast<Word>(t >> 64);
        const Word m = low * inverse_;
        const Word carried = static_cast<Word>((static_cast<unsigned __int128>(m) * p) >> 64);
#else
        Word high, carried;
        const Word low = _umul128(a, b, &high);
        _umul128(low * inverse_, p, &carried);
#endif
        return high >= carried ? high - carried : high + p - carried;
    }
    Word power(Word a, Word exponent) const {
        Word out = one;
        for (; exponent != 0; exponent >>= 1, a = times(a, a))
            if (exponent & 1) out = times(out, a);
        return out;
    }
    // By Fermat's theorem.
    Word inverse(Word a) const { return power(a, p - 2); }

  private:
    Word inverse_;  // 1/p modulo 2^64
};

}  // namespace milpcount
