"""Points near the middle of the box, given by weights of the first stage's rows.

With many inputs a point is long, and what the rows are there is all that is asked.  Let ``G`` be
the first stage's rows without their constants, of shape ``(units, n)``, and ``w`` integer weights.
The point is

    z_j = 1/2 + 2^-p m_j,   m = w G,   moved to the nearer end of [0, 1] if outside,

and a row ``h`` with the constant ``c`` is there, but for the coordinates that were moved,

    h . z + c = c + sum(h) / 2 + 2^-p (h G^T) . w,

for which ``h G^T``, of one number a unit, is computed once.  Few coordinates are moved, if any.
Which can be is decided by 64-bit integers: let ``G_kj = 2^a (G'_kj + s)`` and ``w_k = 2^b (w'_k +
t)`` with integers ``G'`` and ``w'`` and ``0 <= s, t < 1``.  Then

    | m_j / 2^(a + b) - sum_k w'_k G'_kj |  <=  sum_k |w'_k| + sum_k |G'_kj| + units.

Those not shown to be inside by that get their ``m_j`` exactly.
"""

from __future__ import annotations

import numpy as np
from flint import fmpz_mat

__all__ = ["Combinations"]

_BITS = 60  # of the largest sum of products: a bit for the sign, more for the bound
_MOST = 1 << 61


def _leading(values: list[int], bits: int) -> tuple[np.ndarray, int]:
    """The floors of ``values / 2^shift``, of so many bits at most, and that shift."""
    shift = max(0, max((abs(v).bit_length() for v in values), default=0) - bits)
    return np.array([v >> shift for v in values], dtype=np.int64), shift


class Combinations:
    """Rows, constant last, at points that are combinations of the first so many of them."""

    def __init__(self, rows: list[list[int]], units: int) -> None:
        n = len(rows[0]) - 1 if rows else 0
        self._rows, self._units = rows, units
        flat = [v for row in rows for v in row[:-1]]
        self._gram: list[list[int]] = []
        if units and n:
            whole = fmpz_mat(len(rows), n, flat)
            first = fmpz_mat(units, n, flat[: units * n])
            table = [int(v) for v in (whole * first.transpose()).entries()]
            self._gram = [table[k : k + units] for k in range(0, len(table), units)]
        self._halves = [sum(row[:-1]) for row in rows]
        self._bits = (_BITS - units.bit_length()) // 2
        leading, self._shift = _leading(flat[: units * n], self._bits)
        self._leading = leading.reshape(units, n)
        self._sizes = np.abs(self._leading).sum(axis=0) + units

    def values(self, weights: list[int], power: int) -> tuple[list[int], int]:
        """``one`` times the rows at the point, and ``one``, a power of 2 and even.

        Arguments:
            weights: one of every unit of the first stage.
            power: ``p`` above, of any sign.
        """
        lift = max(1, 1 - power)
        one = 1 << (power + lift)
        half = one // 2
        rows = self._rows
        values = [half * s + row[-1] * one for s, row in zip(self._halves, rows, strict=True)]
        for i, products in enumerate(self._gram):
            values[i] += sum(k * w for k, w in zip(products, weights, strict=True)) << lift
        for j in self._doubtful(weights, half >> lift):
            moved = sum(w * row[j] for w, row in zip(weights, rows, strict=False)) << lift
            beyond = moved - min(max(moved, -half), half)
            if beyond:
                values = [v - beyond * row[j] for v, row in zip(values, rows, strict=True)]
        return values, one

    def _doubtful(self, weights: list[int], reach: int) -> list[int]:
        """The coordinates whose ``|m_j|`` is not shown to be at most ``reach``."""
        leading, shift = _leading(weights, self._bits)
        sums = np.abs(leading @ self._leading) + self._sizes + int(np.abs(leading).sum())
        return np.flatnonzero(sums > min(reach >> (shift + self._shift), _MOST)).tolist()
