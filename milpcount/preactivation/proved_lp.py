"""Linear programmes whose optimum is bounded by proof: HiGHS proposes multipliers, sums prove.

For ``row_lo <= A v <= row_hi``, ``lo <= v <= hi`` and *any* multipliers ``y`` that are 0 where
their side is open (weak duality),

    sup c v  <=  sum_j sup_{lo_j <= v_j <= hi_j} (c - A'y)_j v_j  +  sum_i sup y_i [row_lo, row_hi].

The right side is evaluated with outward rounding, so a bound holds whatever the solver did: its
tolerances, its scaling and its mistakes can only make it larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from milpcount.preactivation.outward import TINY, gamma
from milpcount.support.highs import make_highs

__all__ = ["LinearRow", "ProvedLP", "Solution"]

Float = NDArray[np.float64]

_TOLERANCE = 1e-9  # of the solver, on rows and columns of about unit size
_EXPONENT = 300  # scales stay within 2**-300 .. 2**300


@dataclass(frozen=True, slots=True, eq=False)
class LinearRow:
    """``lo <= values . v[columns] <= hi``, in floats that are meant exactly."""

    columns: NDArray[np.int32]
    values: Float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What a solve gave.

    Attributes:
        bound: proved to be at least the maximum; minus infinity where it is proved that no point
            satisfies the rows, plus infinity where nothing is proved.
        point: the solver's optimal point, rounded, feasible up to tolerances; None without one.
    """

    bound: float
    point: Float | None


class ProvedLP:
    """Maximises linear functions under fixed rows over boxes that may change from solve to solve.

    The solver sees columns divided by about their largest absolute value and rows by their
    largest coefficient, both powers of two, so that its absolute tolerances mean the same for
    units of any size.  Not safe for use from several threads.

    Attributes:
        lo, hi: the largest box.
        largest: of the absolute values that the present cost could have on it.
    """

    largest = 0.0

    def __init__(self, rows: Sequence[LinearRow], lo: Float, hi: Float) -> None:
        """Set up the rows and the largest box, both ends finite."""
        self.lo, self.hi = lo, hi
        self._matrix = np.zeros((len(rows), len(lo)))
        for k, row in enumerate(rows):
            self._matrix[k, row.columns] = row.values
        self._row_lo = np.array([row.lo for row in rows])
        self._row_hi = np.array([row.hi for row in rows])
        self._column_scale = _powers(np.maximum(np.abs(lo), np.abs(hi)))
        scaled = np.abs(self._matrix) * self._column_scale
        self._row_scale = _powers(np.max(scaled, axis=1, initial=0.0))
        self._highs = self._build(rows)
        self._columns = np.arange(len(lo), dtype=np.int32)
        self.set_cost(np.zeros(len(lo)))

    def _build(self, rows: Sequence[LinearRow]) -> highspy.Highs:
        highs = make_highs(
            {
                "presolve": "off",
                "primal_feasibility_tolerance": _TOLERANCE,
                "dual_feasibility_tolerance": _TOLERANCE,
            }
        )
        highs.addVars(len(self.lo), self.lo / self._column_scale, self.hi / self._column_scale)
        for row, scale in zip(rows, self._row_scale.tolist(), strict=True):
            values = row.values * (self._column_scale[row.columns] / scale)
            highs.addRow(row.lo / scale, row.hi / scale, len(values), row.columns, values)
        highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        return highs

    def set_cost(self, cost: Float) -> None:
        """Say what is maximised from now on."""
        self._cost = cost
        self.largest = float(np.abs(cost) @ np.maximum(np.abs(self.lo), np.abs(self.hi)))
        scaled = cost * self._column_scale
        self._cost_scale = float(_powers(np.max(np.abs(scaled), initial=0.0, keepdims=True))[0])
        self._highs.changeColsCost(len(cost), self._columns, scaled / self._cost_scale)

    def maximize(self, lo: Float | None = None, hi: Float | None = None) -> Solution:
        """Bound the maximum over the rows and a box within the largest one."""
        lo = self.lo if lo is None else lo
        hi = self.hi if hi is None else hi
        highs = self._highs
        highs.changeColsBounds(
            len(lo), self._columns, lo / self._column_scale, hi / self._column_scale
        )
        highs.run()
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return Solution(self._proved_empty(lo, hi), None)
        solution = highs.getSolution()
        duals = np.array(solution.row_dual)
        if status != highspy.HighsModelStatus.kOptimal or duals.size != len(self._row_lo):
            # A basis that went wrong must not spoil the next solve.
            highs.clearSolver()
            return Solution(self.bound(np.zeros(len(self._row_lo)), lo, hi), None)
        bound = self.bound(duals * (self._cost_scale / self._row_scale), lo, hi)
        point = np.array(solution.col_value) * self._column_scale
        return Solution(bound, np.clip(point, lo, hi))

    def bound(self, y: Float, lo: Float, hi: Float) -> float:
        """The bound that multipliers prove; plus infinity where they overflow."""
        return self._lagrangian(self._cost, y, lo, hi)

    def _proved_empty(self, lo: Float, hi: Float) -> float:
        """Minus infinity if the solver's ray proves that there is no point, else plus infinity."""
        _, exists, ray = self._highs.getDualRay()
        if not exists:
            return np.inf
        nothing = np.zeros(len(lo))
        for sign in (1.0, -1.0):
            y = sign * np.asarray(ray) / self._row_scale
            if self._lagrangian(nothing, y, lo, hi) < 0:
                return -np.inf
        return np.inf

    def _lagrangian(self, cost: Float, y: Float, lo: Float, hi: Float) -> float:
        """The right side of the inequality above, rounded upward."""
        open_side = np.where(y > 0, self._row_hi, self._row_lo)
        y = np.where(np.isfinite(open_side) & np.isfinite(y), y, 0.0)
        sides = np.where(y != 0, open_side, 0.0)
        reach = np.maximum(np.abs(lo), np.abs(hi))
        with np.errstate(over="ignore", invalid="ignore"):
            reduced = cost - y @ self._matrix
            top = float(np.sum(np.maximum(reduced * lo, reduced * hi))) + float(y @ sides)
            # Both sums together have fewer terms than this, each product up to two factors.
            terms = 2 * (len(y) + len(cost)) + 4
            size = float((np.abs(cost) + np.abs(y) @ np.abs(self._matrix)) @ reach)
            size += float(np.abs(y) @ np.abs(sides))
            # What products lose to underflow, in a reduced cost and in the sums.
            lost = TINY * terms * (2.0 + float(np.sum(reach)))
            bound = float(np.nextafter(top + (4 * gamma(terms) * size + lost), np.inf))
        return bound if np.isfinite(bound) else np.inf


def _powers(size: Float) -> Float:
    """Powers of two at or above the sizes, within range; 1 for 0."""
    exponent = np.clip(np.frexp(size)[1], -_EXPONENT, _EXPONENT)
    return np.where((size > 0) & np.isfinite(size), np.ldexp(1.0, exponent), 1.0)
