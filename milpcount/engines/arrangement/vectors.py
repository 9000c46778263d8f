"""A connected arrangement as vectors, and the primes that decide what their minors do."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpz, fmpz_mat
from numpy.typing import NDArray

from milpcount.engines.arrangement.hyperplanes import (
    Hyperplane,
    general_position,
    largest_minor,
    primitive,
)

__all__ = ["MOST_PRIMES", "SMALL", "Vectors", "wide_prime"]

SMALL = 1 << 15  # primes below it are served by tables
_WIDE = 1 << 62
MOST_PRIMES = 1000


@dataclass(frozen=True)
class Vectors:
    """Integer vectors of full rank, no two proportional, whose ``rho`` is wanted.

    ``times * rho`` is the number of regions, see ``kernels/src/deletion.hpp``.

    Attributes:
        rows: as many as there are; for an affine arrangement the hyperplane at infinity first.
        times: 2 for a central arrangement, 1 for an affine one.
    """

    rows: tuple[Hyperplane, ...]
    times: int

    @classmethod
    def of(cls, hyperplanes: Sequence[Hyperplane]) -> Vectors:
        """Central if all hyperplanes have a common point, which is then the origin."""
        n = len(hyperplanes[0]) - 1
        normals = fmpz_mat([list(row[:n]) for row in hyperplanes])
        whole = fmpz_mat([list(row) for row in hyperplanes])
        central = normals.rank() == whole.rank()
        if central:
            matrix, rows = normals, [row[:n] for row in hyperplanes]
        else:
            rows = [(0,) * n + (1,), *hyperplanes]
            matrix = fmpz_mat([list(row) for row in rows])
        # On the rows' span the coordinates of pivots tell all others.
        reduced, _, rank = matrix.rref()
        width = matrix.ncols()
        pivots = [next(j for j in range(width) if reduced[i, j]) for i in range(rank)]
        return cls(tuple(primitive([row[j] for j in pivots]) for row in rows), 2 if central else 1)

    @property
    def rank(self) -> int:
        """Of the vectors, which have as many entries."""
        return len(self.rows[0])

    @property
    def upper(self) -> int:
        """``rho`` of as many vectors in general position, the largest there is."""
        return general_position(len(self.rows) - 1, self.rank - 1)

    @property
    def known(self) -> int | None:
        """``rho`` where a formula gives it: few dimensions, or independent vectors."""
        if self.rank <= 2:
            return len(self.rows)
        return 1 << (self.rank - 1) if len(self.rows) == self.rank else None

    @cached_property
    def largest_minor(self) -> int:
        """A bound on the absolute value of every minor: Hadamard's, rounded up."""
        return largest_minor(self.rows, self.rank)

    def primes(self) -> tuple[int, ...]:
        """Primes whose product is above every minor; more than :data:`MOST_PRIMES` are given up."""
        if self.largest_minor < SMALL - 100:
            return (_prime_above(max(self.largest_minor, 100)),)
        found: list[int] = []
        product = 1
        while product <= self.largest_minor and len(found) <= MOST_PRIMES:
            found.append(wide_prime(len(found)))
            product *= found[-1]
        return tuple(found)

    def residues(self, primes: Sequence[int], backwards: bool = False) -> NDArray[np.int64]:
        """Of the vectors, shape ``(primes, vectors, rank)``; ``backwards`` the last one first."""
        rows = self.rows[::-1] if backwards else self.rows
        return np.array([[[v % p for v in row] for row in rows] for p in primes], dtype=np.int64)


@functools.cache
def wide_prime(k: int) -> int:
    """The ``k``-th prime below 2^62, from above."""
    candidate = _WIDE - 1 if k == 0 else wide_prime(k - 1) - 2
    # Proved: for numbers of 64 bits the test has no exceptions.
    while not fmpz(candidate).is_prime():
        candidate -= 2
    return candidate


def _prime_above(number: int) -> int:
    candidate = number + 1
    while not fmpz(candidate).is_prime():
        candidate += 1
    return candidate
