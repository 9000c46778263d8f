"""One floating-point linear programme for region after region of a problem, warm-started.

Columns are the coordinates ``y`` of a :class:`~milpcount.geometry.space.Space` and, where these
are not the inputs and the domain has sides, the inputs ``x`` with ``y = B x`` as rows that stay.
Only proposals come from here: what they say is proved elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.space import Space
from milpcount.support.highs import make_highs

__all__ = ["Programme", "Proposal"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Proposal:
    """An optimum: its value, the point ``y``, ``x`` where the model has it, duals of the rows."""

    value: float
    point: Float
    duals: Float


class Programme:
    """Least values of forms over the region whose rows are loaded."""

    def __init__(self, space: Space) -> None:
        self.linked = space.reduced and space.bounded_sides
        d, n = space.d, space.n
        self._d, self._n = d, n
        self._m = 0
        self.owner: object = None  # whose rows are loaded
        self._highs = make_highs({"presolve": "off"})
        infinity = highspy.kHighsInf
        lo = np.where(np.isfinite(space.lo), space.lo, -infinity)
        hi = np.where(np.isfinite(space.hi), space.hi, infinity)
        if self.linked:
            self._highs.addVars(d, np.full(d, -infinity), np.full(d, infinity))
        elif space.reduced:
            lo, hi = np.full(d, -infinity), np.full(d, infinity)
        self._highs.addVars(len(lo), lo, hi)
        self._lo, self._hi = lo, hi
        self._fixed = d if self.linked else 0
        if self.linked:
            table = np.hstack([-np.eye(d), space.lift])
            self._add(table, np.zeros(d), np.zeros(d))

    def load(self, rows: Float, constants: Float, owner: object) -> None:
        """Take the rows ``rows[i] . y + constants[i] >= 0`` of ``owner``."""
        self.owner = owner
        if self._m:
            gone = np.arange(self._fixed, self._fixed + self._m, dtype=np.int32)
            self._highs.deleteRows(len(gone), gone)
        self._m = len(rows)
        self._rows, self._constants = rows, constants
        self._add(rows, -constants, np.full(len(rows), highspy.kHighsInf))

    def least_row(self, i: int, slack: float) -> Proposal | None:
        """The least value of row ``i``, which itself may fall to ``-slack``."""
        place = self._fixed + i
        self._highs.changeRowBounds(place, -self._constants[i] - slack, highspy.kHighsInf)
        proposal = self._minimise(np.arange(self._d, dtype=np.int32), self._rows[i])
        self._highs.changeRowBounds(place, -self._constants[i], highspy.kHighsInf)
        if proposal is None:
            return None
        return Proposal(proposal.value + self._constants[i], proposal.point, proposal.duals)

    def least_coordinate(self, j: int, sign: float, slack: float) -> Proposal | None:
        """The least value of ``sign * x_j``, whose own end may move by ``slack`` (0: stays)."""
        place = j + (self._d if self.linked else 0)
        if slack:
            lo, hi = self._lo[j] - slack * (sign > 0), self._hi[j] + slack * (sign < 0)
            self._highs.changeColBounds(place, lo, hi)
        proposal = self._minimise(np.array([place], dtype=np.int32), np.array([sign]))
        if slack:
            self._highs.changeColBounds(place, self._lo[j], self._hi[j])
        return proposal

    def _minimise(self, columns: NDArray[np.int32], costs: Float) -> Proposal | None:
        self._highs.changeColsCost(len(columns), columns, np.ascontiguousarray(costs))
        self._highs.run()
        status = self._highs.getModelStatus()
        self._highs.changeColsCost(len(columns), columns, np.zeros(len(columns)))
        if status != highspy.HighsModelStatus.kOptimal:
            # A basis that went wrong must not spoil the next solve.
            self._highs.clearSolver()
            return None
        solution = self._highs.getSolution()
        values = np.array(solution.col_value)
        value = float(costs @ values[columns])
        point = values[self._d :] if self.linked else values
        duals = np.maximum(np.array(solution.row_dual)[self._fixed :], 0.0)
        return Proposal(value, point, duals)

    def _add(self, table: Float, lower: Float, upper: Float) -> None:
        count, width = table.shape
        if not count:
            return
        starts = np.arange(0, count * width, width, dtype=np.int32)
        indices = np.tile(np.arange(width, dtype=np.int32), count)
        self._highs.addRows(
            count, lower, upper, count * width, starts, indices, np.ascontiguousarray(table).ravel()
        )
