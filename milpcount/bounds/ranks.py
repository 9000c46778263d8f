"""Exact ranks of weight matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.point import scaled_integers

__all__ = ["exact_rank"]

# A prime below 2^63; any prime gives a rank that is not above the true one.
_PRIME = 9223372036854775783


def exact_rank(matrix: NDArray[np.float64]) -> int:
    """Rank of the matrix over the rationals, its floats taken as the numbers that they are.

    The rank modulo a prime is never above the true rank, so a full one settles the matter at the
    price of one elimination in machine integers; else the rank is computed over the integers.
    """
    from flint import fmpz_mat, nmod_mat

    rows, columns = matrix.shape
    integers, _ = scaled_integers(matrix)
    modular = int(nmod_mat(rows, columns, [v % _PRIME for v in integers], _PRIME).rank())
    if modular == min(rows, columns):
        return modular
    return int(fmpz_mat(rows, columns, integers).rank())
