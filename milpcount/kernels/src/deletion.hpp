// Regions of arrangements by deletion and restriction with memory.
//
// Method.  For distinct lines <v_0>, ..., <v_{m-1}> through the origin of a vector space, let
// rho = 1 for m = 1 and
//
//     rho(v_0, ..., v_{m-1}) = 1 + sum over i >= 1 of rho(v_0, ..., v_{i-1} modulo v_i),
//
// where of images that are proportional only the first is kept.  Over the rational numbers 2 rho is
// the number of regions of the central arrangement {v_i . x = 0} (deletion and restriction,
// Zaslavsky 1975: each step's hyperplane cuts as many regions of those before it as they cut out of
// it), and with the hyperplane at infinity as v_0, rho is the number of regions of the affine one.
// rho depends on the matroid of the vectors alone: it is the number of sets without a broken circuit
// that contain v_0.
//
// The vectors come as residues.  Modulo anything, rho is not above the number over the rational
// numbers: a set without a broken circuit modulo p has none over the rational numbers either.  (It
// is independent there.  If it contained C without its first element e, C a circuit over the
// rational numbers, then C, dependent modulo p as well, would contain a circuit modulo p, which
// contains e, as the rest is independent; e is first in it too: a broken circuit modulo p.)  And the
// two are equal when every minor of the vectors is smaller than the product of the primes: every
// decision taken here is whether one minor vanishes.  The partial sums are lower bounds as well.
//
// Memory.  Isomorphic restrictions occur again and again where numbers are small.  Coordinates are
// put in an order that depends on the pattern of zeros (colours of rows and columns are refined in
// turns), rows are normalised and sorted, and the result is the key.  Equal keys are equal vectors
// up to the order of coordinates; that equal arrangements may have different keys costs time only.

#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "count_memory.hpp"

namespace milpcount {

class Deletion {
  public:
    struct Statistics {
        Index restrictions = 0, lookups = 0, found = 0, kept = 0, bytes = 0;
        bool full = false;
    };

    // Residues of m vectors of d entries modulo each of the primes, one matrix after the other.
    // One prime below 2^15, or primes between 2^32 and 2^62.  The memory takes so many bytes at
    // most.  With `generic` the search ends as soon as two vectors coincide in a restriction.
    static std::unique_ptr<Deletion> make(const Index* residues, Index m, Index d,
                                          std::span<const Index> primes, std::size_t memory,
                                          bool generic);
    virtual ~Deletion() = default;

    std::atomic<bool> busy{false};  // set by the boundary while a thread is at work

    // Go on until about so many vectors are restricted.
    virtual void advance(Index work) = 0;
    // What is counted so far: all if done, never more than rho.
    virtual Count total() const = 0;
    virtual Statistics statistics() const = 0;

    bool done() const { return done_; }
    bool coincident() const { return coincident_; }
    bool unlucky() const { return unlucky_; }

  protected:
    bool done_ = false, coincident_ = false, unlucky_ = false;
};

}  // namespace milpcount
