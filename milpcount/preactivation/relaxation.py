"""The first layers of a network as one MILP, and as its LP relaxation, in HiGHS.

For inputs ``x`` in a box or polytope and each unit of the layers already added,

    W h^{l-1} + b = h - h_bar,  0 <= h <= H z,  0 <= h_bar <= H_bar (1 - z),  z in {0, 1},

and the output ``h - slope h_bar``.  With ``z`` in [0, 1] this is the LP relaxation.
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray

from milpcount.core.stage import Stage
from milpcount.preactivation.outward import affine_range, gamma
from milpcount.support.highs import make_highs

__all__ = ["PrefixModel"]

Float = NDArray[np.float64]

# Relative safety on a MILP dual bound, far above HiGHS's tolerances (1e-9 as set below).
MILP_SAFETY = 1e-6


class PrefixModel:
    """Bounds linear functions of the outputs of the last layer that was added."""

    def __init__(self, x_lo: Float, x_hi: Float, rows: Float, right: Float) -> None:
        """Start with the domain: ``x_lo <= x <= x_hi`` (finite) and ``rows x <= right``."""
        self._lo: list[float] = x_lo.tolist()
        self._hi: list[float] = x_hi.tolist()
        self._rows: list[tuple[NDArray[np.int32], Float, float, float]] = []
        self._integers: list[int] = []
        self._outputs = np.arange(len(x_lo), dtype=np.int32)
        for row, c in zip(rows, right, strict=True):
            self._row(self._outputs, row, -np.inf, float(c))
        self._highs: highspy.Highs | None = None

    def _row(self, columns: NDArray[np.int32], values: Float, lo: float, hi: float) -> None:
        self._rows.append((np.asarray(columns, dtype=np.int32), np.asarray(values), lo, hi))

    def _column(self, lo: float, hi: float) -> int:
        self._lo.append(lo)
        self._hi.append(hi)
        return len(self._lo) - 1

    def add_layer(self, layer: Stage, lo: Float, hi: Float) -> None:
        """Add a layer whose pre-activations lie within ``lo..hi``, shape ``(width,)`` each."""
        outputs = []
        for i in range(layer.width):
            top, bottom = max(float(hi[i]), 0.0), max(-float(lo[i]), 0.0)
            h, h_bar = self._column(0.0, top), self._column(0.0, bottom)
            columns = np.append(self._outputs, [h, h_bar])
            values = np.append(layer.weight[i], [-1.0, 1.0])
            self._row(columns, values, -float(layer.bias[i]), -float(layer.bias[i]))
            if top > 0 and bottom > 0:
                z = self._column(0.0, 1.0)
                self._integers.append(z)
                self._row(np.array([h, z]), np.array([1.0, -top]), -np.inf, 0.0)
                self._row(np.array([h_bar, z]), np.array([1.0, bottom]), -np.inf, bottom)
            slope = float(layer.slope[i])
            if slope == 0 or bottom == 0:
                outputs.append(h)
                continue
            # An output column of its own keeps every coefficient an exact float.
            ends = (0.0, top, -slope * bottom)
            out = self._column(np.nextafter(min(ends), -np.inf), np.nextafter(max(ends), np.inf))
            self._row(np.array([out, h, h_bar]), np.array([1.0, -1.0, slope]), 0.0, 0.0)
            outputs.append(out)
        self._outputs = np.array(outputs, dtype=np.int32)
        self._highs = None

    def upper(self, weight: Float, integer: bool, seconds: float | None) -> float:
        """Return a valid upper bound on ``weight . outputs``; infinity when none was found.

        The LP bound comes from the row duals, evaluated with outward rounding; the MILP bound is
        the solver's dual bound plus :data:`MILP_SAFETY`.
        """
        highs = self._highs = self._highs or self._build()
        cost = np.zeros(len(self._lo))
        cost[self._outputs] = weight
        highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
        kind = highspy.HighsVarType.kInteger if integer else highspy.HighsVarType.kContinuous
        for z in self._integers:
            highs.changeColIntegrality(z, kind)
        # Only MILPs can take long (and only for them does the limit hold solve by solve).
        limited = integer and seconds is not None
        highs.setOptionValue("time_limit", seconds if limited else highspy.kHighsInf)
        highs.run()
        if integer and self._integers:
            bound = float(highs.getInfo().mip_dual_bound)
            size = float(np.abs(weight) @ np.abs(np.array(self._hi)[self._outputs]))
            return bound + MILP_SAFETY * (1.0 + abs(bound) + size)
        duals = np.array(highs.getSolution().row_dual)
        return self._lagrangian(cost, duals) if duals.size == len(self._rows) else np.inf

    def _build(self) -> highspy.Highs:
        highs = make_highs(
            {"mip_feasibility_tolerance": 1e-9, "primal_feasibility_tolerance": 1e-9}
        )
        highs.addVars(len(self._lo), np.array(self._lo), np.array(self._hi))
        for columns, values, lo, hi in self._rows:
            highs.addRow(lo, hi, len(columns), columns, values)
        highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self._matrix = np.zeros((len(self._rows), len(self._lo)))
        for k, (columns, values, _, _) in enumerate(self._rows):
            self._matrix[k, columns] = values
        self._row_lo = np.array([row[2] for row in self._rows])
        self._row_hi = np.array([row[3] for row in self._rows])
        return highs

    def _lagrangian(self, cost: Float, duals: Float) -> float:
        """``sup (c - A'y) v`` over the columns' box plus ``sup y r`` over the rows' ranges.

        Valid for every ``y`` that is 0 where its side is open, and rounded outward.
        """
        usable = np.where(duals > 0, np.isfinite(self._row_hi), np.isfinite(self._row_lo))
        y = np.where(usable, duals, 0.0)
        lo, hi = np.array(self._lo), np.array(self._hi)
        reduced = cost - y @ self._matrix
        sides = np.where(y > 0, self._row_hi, np.where(y < 0, self._row_lo, 0.0))
        _, top = affine_range(reduced[None, :], np.zeros(1), lo, hi)
        rows = float(y @ sides)
        # Errors of the reduced costs, and of the two sums.
        n = len(y) + 2
        size = (np.abs(cost) + np.abs(y) @ np.abs(self._matrix)) @ np.maximum(
            np.abs(lo), np.abs(hi)
        ) + float(np.abs(y) @ np.abs(sides))
        error = 4 * gamma(n + len(cost)) * float(size)
        return float(np.nextafter(float(top[0]) + rows + error, np.inf))
