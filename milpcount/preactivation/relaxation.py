"""The first layers of a network as linear rows with complementary pairs of columns.

For inputs ``x`` in a box or polytope and each unit of the layers already added,

    W h^{l-1} + b = h - h_bar,   0 <= h <= H,   0 <= h_bar <= H_bar,   h h_bar = 0,

and the output ``h - slope h_bar``.  Without ``h h_bar = 0`` but with
``h / H + h_bar / H_bar <= 1`` this is the LP relaxation of the big-M model (its binary variable
projected out).  With it it is the network; :mod:`.branching` sets one of the two to 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.stage import Stage
from milpcount.preactivation.branching import Branching
from milpcount.preactivation.proved_lp import LinearRow, ProvedLP

__all__ = ["PrefixModel"]

Float = NDArray[np.float64]


class PrefixModel:
    """Bounds linear functions of the outputs of the last layer that was added."""

    def __init__(self, x_lo: Float, x_hi: Float, rows: Float, right: Float) -> None:
        """Start with the domain: ``x_lo <= x <= x_hi`` (finite) and ``rows x <= right``."""
        self._lo: list[float] = x_lo.tolist()
        self._hi: list[float] = x_hi.tolist()
        self._outputs = np.arange(len(x_lo), dtype=np.int32)
        self._rows = [
            LinearRow(self._outputs, row, -np.inf, float(c))
            for row, c in zip(rows, right, strict=True)
        ]
        self._pairs: list[tuple[int, int]] = []
        self._layers: list[Stage] = []
        self._lp: ProvedLP | None = None

    def _column(self, lo: float, hi: float) -> int:
        self._lo.append(lo)
        self._hi.append(hi)
        return len(self._lo) - 1

    def _row(self, columns: list[int], values: list[float], lo: float, hi: float) -> None:
        self._rows.append(LinearRow(np.array(columns, np.int32), np.array(values), lo, hi))

    def add_layer(self, layer: Stage, lo: Float, hi: Float) -> None:
        """Add a layer whose pre-activations lie within ``lo..hi``, shape ``(width,)`` each."""
        outputs = []
        for i in range(layer.width):
            low, high = float(lo[i]), float(hi[i])
            top, bottom = max(high, 0.0), max(-low, 0.0)
            h, h_bar = self._column(max(low, 0.0), top), self._column(max(-high, 0.0), bottom)
            bias = -float(layer.bias[i])
            self._row(
                [*self._outputs.tolist(), h, h_bar], [*layer.weight[i].tolist(), -1.0, 1.0],
                bias, bias,
            )  # fmt: skip
            if top > 0 and bottom > 0:
                self._pairs.append((h, h_bar))
                # bottom h + top h_bar <= top bottom: on either side one of the two is 0.
                most = float(np.nextafter(top * bottom, np.inf))
                self._row([h, h_bar], [bottom, top], -np.inf, most)
            slope = float(layer.slope[i])
            if slope == 0 or bottom == 0:
                outputs.append(h)
                continue
            # An output column of its own keeps every coefficient an exact float.
            ends = (0.0, top, -slope * bottom)
            out = self._column(np.nextafter(min(ends), -np.inf), np.nextafter(max(ends), np.inf))
            self._row([out, h, h_bar], [1.0, -1.0, slope], 0.0, 0.0)
            outputs.append(out)
        self._outputs = np.array(outputs, dtype=np.int32)
        self._layers.append(layer)
        self._lp = None

    def upper(self, weight: Float, bias: float, integer: bool, seconds: float | None) -> float:
        """Return a proved upper bound on ``weight . outputs + bias``; infinity without one.

        Arguments:
            weight: shape ``(units of the last layer,)``.
            bias: added at the end, with outward rounding.
            integer: whether the complementary pairs are branched on, or only relaxed.
            seconds: limit of the branching; then the best bound so far is returned.
        """
        lp = self._lp = self._lp or ProvedLP(self._rows, np.array(self._lo), np.array(self._hi))
        cost = np.zeros(len(self._lo))
        cost[self._outputs] = weight
        lp.set_cost(cost)
        if not integer:
            bound = lp.maximize().bound
        else:
            n = self._layers[0].weight.shape[1] if self._layers else len(self._lo)
            search = Branching(lp, self._pairs, lambda v: float(weight @ self._forward(v[:n])))
            bound = search.maximize(seconds)
        return float(np.nextafter(bound + bias, np.inf))

    def _forward(self, x: Float) -> Float:
        """Outputs of the last layer at an input, rounded."""
        for layer in self._layers:
            x = layer.activate(layer.weight @ x + layer.bias)
        return x
