"""Local maps of networks that the engines read: exact patterns, then composition by pattern.

The pattern of a point is decided exactly (:func:`milpcount.locate`); the maps of the stages
compose, from the outputs back to the inputs, for a batch of points at once in floats, each
entry with a bound on its error.  With ``u = 2**-53``, and for every ``k`` the entries of ``|W_k|``
in place of those of ``W_k``, the composition of absolute values is a matrix ``S``; an entry of the
map is off by at most ``n u S`` (to first order), ``n`` the number of additions and multiplications
on the way, at most the sum over stages of widths and reads plus a few.  A point with an entry that
floats do not give to :data:`ACCURACY` gets the map of its region that
:mod:`milpcount.geometry.maps` composes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import WholeSpace
from milpcount.core.matrix import dense
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.geometry.float_forms import ROUNDOFF
from milpcount.geometry.local_maps.map_array import (
    LocalMaps,
    checked_points,
    chosen_outputs,
    room,
    wrapped,
)
from milpcount.geometry.locate import locate
from milpcount.geometry.maps import Maps

__all__ = ["ACCURACY", "maps_of_network"]

# Of an entry of a gradient, as a part of the largest of that gradient; of an offset, of the larger
# of it and the largest entry of the gradient.
ACCURACY = 1e-12

Float = NDArray[np.float64]


def maps_of_network(
    net: ReLUNetwork,
    points: Any,
    *,
    batch: int,
    outputs: Sequence[int] | None,
    kind: np.dtype[Any] | None,
    out: NDArray[Any] | None,
) -> LocalMaps:
    """Local maps of a network; arguments as of :func:`.around_points.local_maps`."""
    rows = checked_points(points)
    rows = checked_points(rows.reshape(len(rows), -1), net.input_dimension)
    chosen = chosen_outputs(outputs, net.output_dimension)
    result = room(
        out, (len(chosen), len(rows), net.input_dimension + 1), kind or np.dtype(np.float64)
    )
    places = locate(net, rows)
    composer = _Composer(net)
    order = np.argsort(places.region, kind="stable")
    ends = np.concatenate([[0], np.cumsum(places.counts)])
    for start in range(0, len(places), batch):
        stop = min(start + batch, len(places))
        found = composer.maps(places.bits[start:stop], chosen)
        here = order[ends[start] : ends[stop]]
        result[:, here] = found[:, places.region[here] - start]
    return wrapped(result, places.on_boundary)


class _Composer:
    """A network, ready to be composed for many patterns."""

    def __init__(self, net: ReLUNetwork) -> None:
        self._net = net
        self._weights = [[dense(w) for w in s.weights] for s in (*net.stages, net.output)]
        sizes = [s.width + len(s.reads) + 4 for s in (*net.stages, net.output)]
        self._blur = 1.01 * ROUNDOFF * (sum(sizes) + net.input_dimension)
        self._maps = Maps(CountProblem.of(net, WholeSpace()))

    def maps(self, bits: NDArray[np.uint8], chosen: list[int]) -> Float:
        """Maps of the regions with these patterns, shape ``(outputs, regions, d + 1)``."""
        factors = self._factors(bits)
        found = np.empty((len(chosen), len(bits), self._net.input_dimension + 1))
        doubtful = np.zeros(len(bits), dtype=bool)
        with np.errstate(all="ignore"):
            for place, j in enumerate(chosen):
                value = found[place]
                self._compose(j, factors, value, absolute=False)
                size = np.empty_like(value)
                self._compose(j, factors, size, absolute=True)
                largest = np.abs(value[:, :-1]).max(axis=1)
                wrong = self._blur * size[:, :-1].max(axis=1)
                of_offset = np.maximum(largest, np.abs(value[:, -1]))
                doubtful |= ~(wrong <= ACCURACY * largest)
                doubtful |= ~(self._blur * size[:, -1] <= ACCURACY * of_offset)
        rows = np.flatnonzero(doubtful)
        if rows.size:
            matrices, constants = self._maps.affine_maps(bits[rows].astype(bool))
            found[:, rows, :-1] = matrices[:, chosen].transpose(1, 0, 2)
            found[:, rows, -1] = constants[:, chosen].T
        return found

    def _factors(self, bits: NDArray[np.uint8]) -> list[Float]:
        """By which the units of each stage multiply, shapes ``(regions, units)``."""
        out, start = [], 0
        for stage in self._net.stages:
            factor = np.ones((len(bits), stage.width))
            states = ~stage.linear
            mine = bits[:, start : start + stage.n_states] != 0
            factor[:, states] = np.where(mine, 1.0, stage.slope[states])
            out.append(factor)
            start += stage.n_states
        return out

    def _compose(self, j: int, factors: list[Float], into: Float, *, absolute: bool) -> None:
        """Row ``j`` of the composition, from the output back; of absolute values on demand."""
        net = self._net
        of: list[Any] = [0.0] * (len(net.stages) + 1)
        size = np.abs if absolute else np.asarray
        for k, weight in zip(net.output.reads, self._weights[-1], strict=True):
            of[k] = of[k] + size(weight[j])
        constant = np.full(len(into), size(net.output.bias[j]))
        for k in range(len(net.stages), 0, -1):
            stage = net.stages[k - 1]
            back = of[k] * size(factors[k - 1])
            constant = constant + back @ size(stage.bias)
            for read, weight in zip(stage.reads, self._weights[k - 1], strict=True):
                of[read] = of[read] + back @ size(weight)
        into[:, :-1] = of[0]
        into[:, -1] = constant
