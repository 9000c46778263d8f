"""The first stages of a network as linear rows with complementary pairs of columns.

For inputs ``x = h^0`` in a box or polytope and each unit of the stages already added,

    sum_k W^{l,k} h^k + b = h - h_bar,   0 <= h <= H,   0 <= h_bar <= H_bar,   h h_bar = 0,

and the output ``h - slope h_bar``; a linear unit has one column, its pre-activation.  Without
``h h_bar = 0`` but with ``h / H + h_bar / H_bar <= 1`` this is the LP relaxation of the big-M
model (its binary variable projected out).  With it it is the network; :mod:`.branching` sets one
of the two to 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from milpcount.core.matrix import SparseMatrix, dense
from milpcount.core.stage import Stage
from milpcount.preactivation.branching import Branching
from milpcount.preactivation.proved_lp import LinearRow, ProvedLP

__all__ = ["PrefixModel"]

Float = NDArray[np.float64]


class PrefixModel:
    """Bounds linear functions of the outputs of the stages that were added."""

    def __init__(self, x_lo: Float, x_hi: Float, rows: Float, right: Float) -> None:
        """Start with the domain: ``x_lo <= x <= x_hi`` (finite) and ``rows x <= right``."""
        self._lo: list[float] = x_lo.tolist()
        self._hi: list[float] = x_hi.tolist()
        inputs = np.arange(len(x_lo), dtype=np.int32)
        # Columns of the outputs of each stage, the input's first.
        self._outputs = [inputs]
        self._rows = [
            LinearRow(inputs, row, -np.inf, float(c)) for row, c in zip(rows, right, strict=True)
        ]
        self._pairs: list[tuple[int, int]] = []
        self._stages: list[Stage] = []
        self._lp: ProvedLP | None = None

    def _column(self, lo: float, hi: float) -> int:
        self._lo.append(lo)
        self._hi.append(hi)
        return len(self._lo) - 1

    def _row(self, columns: Sequence[int], values: Sequence[float], lo: float, hi: float) -> None:
        self._rows.append(LinearRow(np.array(columns, np.int32), np.array(values), lo, hi))

    def add_stage(self, stage: Stage, lo: Float, hi: Float) -> None:
        """Add a stage whose pre-activations lie within ``lo..hi``, shape ``(width,)`` each."""
        read = np.concatenate([self._outputs[k] for k in stage.reads])
        weight = np.concatenate([dense(w) for w in stage.weights], axis=1)
        outputs = []
        for i in range(stage.width):
            used = np.flatnonzero(weight[i])
            columns, values = read[used].tolist(), weight[i, used].tolist()
            bias, low, high = -float(stage.bias[i]), float(lo[i]), float(hi[i])
            if stage.linear[i]:
                outputs.append(self._column(low, high))
                self._row([*columns, outputs[-1]], [*values, -1.0], bias, bias)
                continue
            top, bottom = max(high, 0.0), max(-low, 0.0)
            h, h_bar = self._column(max(low, 0.0), top), self._column(max(-high, 0.0), bottom)
            self._row([*columns, h, h_bar], [*values, -1.0, 1.0], bias, bias)
            if top > 0 and bottom > 0:
                self._pairs.append((h, h_bar))
                # bottom h + top h_bar <= top bottom: on either side one of the two is 0.
                most = float(np.nextafter(top * bottom, np.inf))
                self._row([h, h_bar], [bottom, top], -np.inf, most)
            outputs.append(self._output(h, h_bar, float(stage.slope[i]), top, bottom))
        self._outputs.append(np.array(outputs, dtype=np.int32))
        self._stages.append(stage)
        self._lp = None

    def _output(self, h: int, h_bar: int, slope: float, top: float, bottom: float) -> int:
        """The column of ``h - slope h_bar``."""
        if slope == 0 or bottom == 0:
            return h
        # An output column of its own keeps every coefficient an exact float.
        ends = (0.0, top, -slope * bottom)
        out = self._column(np.nextafter(min(ends), -np.inf), np.nextafter(max(ends), np.inf))
        self._row([out, h, h_bar], [1.0, -1.0, slope], 0.0, 0.0)
        return out

    def upper(
        self, stage: Stage, i: int, sign: float, integer: bool, seconds: float | None
    ) -> float:
        """Return a proved upper bound on ``sign`` times a pre-activation; infinity without one.

        Arguments:
            stage: reads stages that were added.
            i: the unit.
            sign: 1 or -1.
            integer: whether the complementary pairs are branched on, or only relaxed.
            seconds: limit of the branching; then the best bound so far is returned.
        """
        lp = self._lp = self._lp or ProvedLP(self._rows, np.array(self._lo), np.array(self._hi))
        cost = np.zeros(len(self._lo))
        for k, weight in zip(stage.reads, stage.weights, strict=True):
            row = weight.block(i, i + 1)[0] if isinstance(weight, SparseMatrix) else weight[i]
            # No two outputs share a column.
            cost[self._outputs[k]] = sign * row
        lp.set_cost(cost)
        bias = sign * float(stage.bias[i])
        if not integer:
            return float(np.nextafter(lp.maximize().bound + bias, np.inf))
        n = len(self._outputs[0])

        def value(v: Float) -> float:
            return sign * float(stage.preactivation(self._forward(v[:n]))[i]) - bias

        bound = Branching(lp, self._pairs, value).maximize(seconds)
        return float(np.nextafter(bound + bias, np.inf))

    def _forward(self, x: Float) -> list[Float]:
        """The input and the outputs of the stages, rounded."""
        outputs = [x]
        for stage in self._stages:
            outputs.append(stage.activate(stage.preactivation(outputs)))
        return outputs
