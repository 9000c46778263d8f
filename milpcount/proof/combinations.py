"""Points near the middle of the box, given by weights of the first stage's rows.

With many inputs a point is long, and what the rows are there is all that is asked.  Let ``G`` be
the first stage's rows without their constants, of shape ``(units, n)``, and ``w`` integer weights.
The point is

    z_j = 1/2 + 2^-p m_j,   m = w G,   moved to the nearer end of [0, 1] if outside,

and a row ``h`` with the constant ``c`` is there, but for the coordinates that were moved,

    h . z + c = c + sum(h) / 2 + 2^-p (h G^T) . w,

for which ``h G^T``, of one number a unit, is computed once.  Few coordinates are moved, if any.
Which can be is decided by integers so short that doubles hold all of their sums: let ``G_kj =
2^a (G'_kj + s)`` and ``w_k = 2^b (w'_k + t)`` with integers ``G'`` and ``w'`` and ``0 <= s, t <
1``.  Then

    | m_j / 2^(a + b) - sum_k w'_k G'_kj |  <=  sum_k |w'_k| + sum_k |G'_kj| + units.

Those not shown to be inside by that get their ``m_j`` exactly.
"""

from __future__ import annotations

from operator import mul

import numpy as np
from flint import fmpz_mat

__all__ = ["Combinations"]

_BITS = 51  # of the largest sum of products; with the bound it stays below 2^53
_MOST = 1 << 53


def _leading(values: list[int], bits: int) -> tuple[list[int], int]:
    """The floors of ``values / 2^shift``, of so many bits at most, and that shift."""
    longest = max(map(int.bit_length, values), default=0)
    shift = max(0, longest - bits)
    return [v >> shift for v in values] if shift else values, shift


class Combinations:
    """Rows, constant last, at points that are combinations of the first so many of them."""

    def __init__(self, rows: list[list[int]], units: int) -> None:
        n = len(rows[0]) - 1 if rows else 0
        flat = [v for row in rows for v in row[:-1]]
        whole, first = fmpz_mat(len(rows), n, flat), fmpz_mat(units, n, flat[: units * n])
        products = [int(v) for v in (whole * first.transpose()).entries()]
        # On (w 2^-p, 1/2, 1).
        table = [
            [*products[k * units : (k + 1) * units], sum(row[:-1]), row[-1]]
            for k, row in enumerate(rows)
        ]
        self._table = fmpz_mat(len(rows), units + 2, [v for row in table for v in row])
        self._columns = list(zip(*(row[:-1] for row in rows), strict=True))
        self._bits = (_BITS - units.bit_length()) // 2
        leading, self._shift = _leading(flat[: units * n], self._bits)
        self._leading = np.array(leading, dtype=np.float64).reshape(units, n)
        self._sizes = np.abs(self._leading).sum(axis=0) + units

    def values(
        self, weights: list[list[int]], powers: list[int]
    ) -> tuple[list[list[int]], list[int]]:
        """For every point its ``one``, a power of 2 and even; the rows there, times ``one``.

        Arguments:
            weights: of every point, one of every unit of the first stage.
            powers: of every point ``p`` above, of any sign.

        Returns:
            The values, of shape ``(rows, points)``, and the ones.
        """
        lifts = [max(1, 1 - power) for power in powers]
        ones = [1 << (power + lift) for power, lift in zip(powers, lifts, strict=True)]
        halves = [one >> 1 for one in ones]
        flat = [w << lift for of_unit in zip(*weights, strict=True)
                for w, lift in zip(of_unit, lifts, strict=True)]  # fmt: skip
        right = fmpz_mat(self._table.ncols(), len(ones), [*flat, *halves, *ones])
        values = [list(map(int, row)) for row in (self._table * right).tolist()]
        for k, j in self._doubtful(weights, halves, lifts):
            column, half = self._columns[j], halves[k]
            moved = sum(map(mul, weights[k], column)) << lifts[k]
            beyond = moved - min(max(moved, -half), half)
            if beyond:
                for row, entry in zip(values, column, strict=True):
                    row[k] -= beyond * entry
        return values, ones

    def _doubtful(
        self, weights: list[list[int]], halves: list[int], lifts: list[int]
    ) -> list[tuple[int, int]]:
        """Points and those of their coordinates whose ``|m_j|`` is not shown to be small enough."""
        leading, limits = [], []
        for of_point, half, lift in zip(weights, halves, lifts, strict=True):
            short, shift = _leading(of_point, self._bits)
            leading.append(short)
            most = min(half >> (lift + shift + self._shift), _MOST)
            limits.append(most - sum(map(abs, short)))
        left = np.array(leading, dtype=np.float64).reshape(len(weights), len(self._leading))
        # Not "@": for so little, threads of a BLAS take longer to wait than to compute.
        sums = np.einsum("pu,un->pn", left, self._leading)
        large = np.abs(sums, out=sums) + self._sizes > np.array(limits)[:, None]
        places = np.flatnonzero(large).tolist()
        return [divmod(place, len(self._sizes)) for place in places]
