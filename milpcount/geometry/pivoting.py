"""Least values of rows over a small region, by pivots of one dense dictionary.

The dictionary writes each row in the non-basic variables.  It starts at a point inside the region,
where the coordinates themselves are non-basic and free, so that no first phase is needed, and goes
on from the vertex where the last least value was found.  For a few dozen rows a pivot costs less
than a call of a solver.  Only proposals come from here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.programme import Proposal

__all__ = ["Pivoting"]

Float = NDArray[np.float64]

_ZERO = 1e-11
_PIVOTS = 200


class Pivoting:
    """The region ``rows . (start + z) + constants >= 0``, with rows of about unit length."""

    def __init__(self, rows: Float, constants: Float, start: Float) -> None:
        self._start = start
        self._d = rows.shape[1]
        self._m = len(rows)
        # Variables 0 .. d - 1 are the coordinates, d .. d + m - 1 the rows.
        self._table = np.hstack([rows, (rows @ start + constants)[:, None]])
        self._basic = np.arange(self._d, self._d + self._m)
        self._nonbasic = np.arange(self._d)

    def least_row(self, i: int, slack: float) -> Proposal | None:
        """The least value of row ``i``, which itself may fall to ``-slack``; None if it is lost."""
        target = self._d + i
        table, basic, nonbasic = self._table.copy(), self._basic.copy(), self._nonbasic.copy()
        # Coordinates are free, rows stay at least 0; the target alone may go below.
        bounded, free = basic >= self._d, nonbasic < self._d
        any_free = bool(free.any())
        found = np.flatnonzero(basic == target)
        if found.size:
            row = int(found[0])
        else:
            # The target leaves its wall: as far as the others let it.
            j = int(np.flatnonzero(nonbasic == target)[0])
            r, reach = self._blocking(table, -table[:, j], bounded)
            if slack <= reach:
                table[:, -1] -= slack * table[:, j]
                cost = (nonbasic == target).astype(float)
                return self._proposal(table, basic, nonbasic, cost, -slack, target)
            self._pivot(table, r, j)
            basic[r], nonbasic[j] = target, basic[r]
            row, bounded[r] = r, True
        for _ in range(_PIVOTS):
            cost, value = table[row, :-1], float(table[row, -1])
            gain = np.where(free, np.abs(cost), -cost) if any_free else -cost
            j = int(gain.argmax())
            if value <= -slack * 0.5 or gain[j] <= _ZERO:
                if value >= 0:
                    self._table, self._basic, self._nonbasic = table, basic, nonbasic
                return self._proposal(table, basic, nonbasic, cost, value, target)
            direction = -1.0 if cost[j] > 0 else 1.0
            column = direction * table[:, j]
            r, reach = self._blocking(table, column, bounded, row, slack)
            if r < 0:
                return None
            if r == row:
                # It falls to its end.
                table[:, -1] += reach * column
                shift = direction * reach
                return self._proposal(table, basic, nonbasic, cost, -slack, target, (j, shift))
            self._pivot(table, r, j)
            basic[r], nonbasic[j] = nonbasic[j], basic[r]
            if any_free and free[j]:
                free[j] = bounded[r] = False
                any_free = bool(free.any())
        return None

    @staticmethod
    def _blocking(
        table: Float, column: Float, bounded: NDArray[np.bool_], target: int = -1, slack: float = 0
    ) -> tuple[int, float]:
        """Which row is the first to fall to its end along a column, and how far that is.

        -1 and infinity where no row falls; the target's end is ``-slack``.
        """
        falling = np.flatnonzero((column < -_ZERO) & bounded)
        if not falling.size:
            return -1, np.inf
        room = table[falling, -1]
        if target >= 0:
            room = room + slack * (falling == target)
        reach = np.maximum(room, 0.0) / -column[falling]
        k = int(reach.argmin())
        return int(falling[k]), float(reach[k])

    @staticmethod
    def _pivot(table: Float, r: int, j: int) -> None:
        """Exchange the basic variable of row ``r`` with the non-basic one of column ``j``."""
        row = -table[r] / table[r, j]
        row[j] = 1.0 / table[r, j]
        column = table[:, j].copy()
        table[:, j] = 0.0
        table += column[:, None] * row
        table[r] = row

    def _proposal(
        self,
        table: Float,
        basic: NDArray[np.int64],
        nonbasic: NDArray[np.int64],
        cost: Float,
        value: float,
        target: int,
        moved: tuple[int, float] | None = None,
    ) -> Proposal:
        point = self._start.copy()
        here = basic < self._d
        point[basic[here]] += table[here, -1]
        if moved is not None and nonbasic[moved[0]] < self._d:
            point[nonbasic[moved[0]]] += moved[1]
        duals = np.zeros(self._m)
        rows = (nonbasic >= self._d) & (nonbasic != target)
        duals[nonbasic[rows] - self._d] = np.maximum(cost[rows], 0.0)
        return Proposal(value, point, duals)
