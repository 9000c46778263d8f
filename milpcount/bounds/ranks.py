"""Exact ranks of weight matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import scaled_integers

__all__ = ["exact_rank"]

# A prime below 2^63; any prime gives a rank that is not above the true one.
_PRIME = 9223372036854775783


def exact_rank(matrix: NDArray[np.float64]) -> int:
    """Rank of the matrix over the rationals, its floats taken as the numbers that they are.

    The rank ``r`` modulo a prime is never above the true rank, so a full one settles the matter at
    the price of one elimination in machine integers.  Else the rows that are no pivots modulo the
    prime are written as rational combinations of the ``r`` pivot rows and the identity is checked
    in integers, which proves that the rank is not above ``r`` either.  Should the check fail (the
    prime divides all minors that matter), the rank comes from an integer elimination.
    """
    from flint import fmpz_mat, nmod_mat

    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    rows, columns = (int(size) for size in matrix.shape)
    integers, _ = scaled_integers(matrix)
    modular = nmod_mat(rows, columns, [v % _PRIME for v in integers], _PRIME)
    pivot_columns = _pivots(modular)
    if len(pivot_columns) == rows:
        return rows
    pivot_rows = _pivots(modular.transpose())
    table = [integers[i * columns : (i + 1) * columns] for i in range(rows)]
    if _spanned(table, pivot_rows, pivot_columns):
        return len(pivot_rows)
    return int(fmpz_mat(table).rank())


def _pivots(matrix: Any) -> list[int]:
    """Pivot columns of a matrix modulo a prime."""
    reduced, rank = matrix.rref()
    pivots: list[int] = []
    for i in range(rank):
        column = pivots[-1] + 1 if pivots else 0
        while reduced[i, column] == 0:
            column += 1
        pivots.append(column)
    return pivots


def _spanned(table: list[list[int]], rows: list[int], columns: list[int]) -> bool:
    """Whether ``rows``, independent on ``columns``, span all rows of the table.

    The coefficients of each other row are determined by its entries in ``columns``.
    """
    from flint import fmpq_mat, fmpz_mat

    chosen = set(rows)
    others = [row for i, row in enumerate(table) if i not in chosen]
    if not rows:
        return not any(map(any, others))
    square = fmpz_mat([[table[i][c] for i in rows] for c in columns])
    right = fmpz_mat([[row[c] for row in others] for c in columns])
    # Dixon's p-adic lifting: fraction-free elimination takes minutes where this takes a second.
    solution = fmpq_mat(square).solve(fmpq_mat(right), algorithm="dixon")
    coefficients, denominator = solution.numer_denom()
    spanning = fmpz_mat([table[i] for i in rows])
    return bool(coefficients.transpose() * spanning == fmpz_mat(others) * denominator)
