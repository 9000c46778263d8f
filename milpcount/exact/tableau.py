"""Integer matrices under fraction-free pivots: lists where they are small, FLINT beyond.

The matrix expresses basic variables (rows) in nonbasic ones (columns, the last one a constant);
its entries are integers over a common denominator, kept by the caller.  A pivot is
``T <- (p T - C R) / d`` in which every division is exact (Edmonds 1967, Bareiss 1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flint import fmpz_mat

__all__ = ["Tableau", "tableau"]

_SMALL = 120  # entries up to which a loop over Python's integers is faster than FLINT's calls


class Tableau(Protocol):
    """A matrix of integers that is pivoted in place."""

    def row(self, i: int) -> Sequence[int]:
        """The entries of a row."""

    def column(self, j: int) -> list[int]:
        """The entries of a column."""

    def pivot(self, r: int, j: int, denominator: int) -> int:
        """Exchange the variables of row ``r`` and column ``j``; the new denominator, positive."""


def tableau(rows: Sequence[Sequence[int]], width: int) -> Tableau:
    """The matrix with these rows, each of so many entries."""
    return _Lists(rows) if len(rows) * width <= _SMALL else _Flint(rows, width)


class _Lists:
    """A few entries."""

    def __init__(self, rows: Sequence[Sequence[int]]) -> None:
        self._rows = [list(row) for row in rows]

    def row(self, i: int) -> Sequence[int]:
        return self._rows[i]

    def column(self, j: int) -> list[int]:
        return [row[j] for row in self._rows]

    def pivot(self, r: int, j: int, denominator: int) -> int:
        old = self._rows[r]
        sign = 1 if old[j] > 0 else -1  # of everything: the new denominator is to be positive
        p, d = sign * old[j], denominator
        for i, row in enumerate(self._rows):
            c = sign * row[j]
            if i == r:
                new = [-sign * v for v in old]
                new[j] = sign * d
            elif not c:
                new = row if p == d else [p * v // d if v else 0 for v in row]
            else:
                if d == 1:
                    new = [p * v - c * w for v, w in zip(row, old, strict=True)]
                else:
                    new = [(p * v - c * w) // d for v, w in zip(row, old, strict=True)]
                new[j] = c
            self._rows[i] = new
        return p


class _Flint:
    """Many entries."""

    def __init__(self, rows: Sequence[Sequence[int]], width: int) -> None:
        self._matrix = fmpz_mat(len(rows), width, [v for row in rows for v in row])

    def row(self, i: int) -> Sequence[int]:
        return [int(self._matrix[i, k]) for k in range(self._matrix.ncols())]

    def column(self, j: int) -> list[int]:
        return [int(self._matrix[i, j]) for i in range(self._matrix.nrows())]

    def pivot(self, r: int, j: int, denominator: int) -> int:
        old, m, width = self._matrix, self._matrix.nrows(), self._matrix.ncols()
        p = int(old[r, j])
        column = fmpz_mat(m, 1, [old[i, j] for i in range(m)])
        entries = [old[r, k] for k in range(width)]
        new = old * p - column * fmpz_mat(1, width, entries)
        if denominator != 1:
            new = new / denominator
        for k in range(width):
            new[r, k] = -entries[k]
        for i in range(m):
            new[i, j] = column[i, 0]
        new[r, j] = denominator
        if p < 0:
            new, p = -new, -p
        self._matrix = new
        return p
