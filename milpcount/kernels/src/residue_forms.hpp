// Pre-activations of the present path in integers, known by their residues modulo primes.
//
// Weights, biases and slopes are floats, so they are integers over powers of two, 2^w for the
// weights and biases of a stage and 2^s for its slopes; the frame gives integers for the first
// stage, for the domain's rows and for the form that biases multiply.  Where the states of the
// stages that it reads are known, stage l is then, in integers F and with the frame's common factor
// c > 0,
//
//     F_0 = c 2^(shift_0) f_0,
//     F_l = sum over s, i of  (2^w W_i) (2^s a_i) 2^(top - shift_s - s) F_si  +  (2^w b) 2^top (c one)
//         = c 2^(shift_l) f_l,      top = max_s (shift_s + s),  shift_l = top + w,
//
// which is what is computed here modulo a prime, row by row as it is asked for.  A row stays as
// long as the states of the stages before it do.

#pragma once

#include <span>
#include <vector>

#include "arrays.hpp"
#include "net.hpp"
#include "prime_field.hpp"

namespace milpcount {

// Rows of integers of any size: `limbs` words each, two's complement, the lowest first.
struct LongRows {
    Index rows = 0, columns = 0, limbs = 0;
    Buffer<Word> words;

    const Word* at(Index row, Index column) const {
        return words.data() + (row * columns + column) * limbs;
    }
};

// The frame's forms in integers, rows of n + 1: of stage 0, times c 2^shift; the form of one, times
// c; and the domain's rows, each up to a positive factor.
struct LongFrame {
    LongRows first, one, domain;
    Index shift = 0;
};

// So many primes below 2^62, the greatest ones.
inline constexpr int MOST_PRIMES = 64;
Word residue_prime(int place);

class ResidueForms {
  public:
    ResidueForms(const Net& net, LongFrame frame);

    // The signs of the present path; those of stages before `stage` are known.
    void follow(const std::int8_t* signs, Index stage);
    // Residues of the integer row k of a search (of the domain, then one a unit) modulo prime q, in
    // Montgomery's form, n + 1 of them.
    const Word* row(int q, Index k);
    // The binary logarithm of the factor c 2^shift between unit u's form and its integer row.
    double log2_factor(Index u) const;
    // The coordinate of which the form of unit u of the first stage is a positive multiple, or -1.
    Index multiple_of(Index u) const;
    // The binary logarithm of a bound on the sum of the absolute entries of row k of the domain.
    double log2_size(Index k) const;
    const PrimeField& field(int q) const { return primes_[static_cast<std::size_t>(q)].field; }
    // Make the residues modulo prime q possible; false where they would take too much memory.
    bool prepare(int q);

  private:
    // Numbers of one stage modulo one prime, in Montgomery's form.
    struct Stage {
        Buffer<Word> weights, biases, slopes;  // in the order of Net
        std::vector<Buffer<Word>> skips;
        Word one = 0;             // 2^s
        Word bias_lift = 0;       // 2^top
        std::vector<Word> lifts;  // 2^(top - shift_s - s) of the stage before, then of every skip
    };
    struct Prime {
        explicit Prime(Word p) : field(p), powers{field.one} {}
        // The integer x 2^shift.
        Word residue(double x, Index shift);
        Buffer<Word> residues(std::span<const double> numbers, Index shift);
        Word power_of_two(Index exponent);

        PrimeField field;
        std::vector<Word> powers;  // of two
        std::vector<Stage> stages;
        Buffer<Word> rows;    // of the search
        Buffer<Index> taken;  // of every row: the turn of its stage in which it was computed
        Buffer<Word> one;
    };

    void prepare_stage(Prime& prime, Index l) const;
    void take_long(const Prime& prime, const LongRows& from, Index row, Word* out) const;
    const Word* unit_row(Prime& prime, Index l, Index i);
    void add_stage(Prime& prime, Index l, Index source, const Word* weights, Word lift, Index i,
                   Word* out);
    Word* row_of(Prime& prime, Index k) const {
        return prime.rows.data() + k * (net_.n + 1);
    }

    const Net& net_;
    LongFrame frame_;
    std::vector<Index> weight_shift_, slope_shift_, shift_, top_;
    std::vector<Index> turn_;           // of every stage: counts how often its path changed
    std::vector<std::uint8_t> active_;  // of every unit on the path that was followed last
    std::vector<Prime> primes_;
    Index words_ = 0;  // that one prime takes
};

}  // namespace milpcount
