"""Neighbours found by shooting rays through regions, proved in floats with bounds on their errors.

The method is told in ``milpcount/kernels/src/rays.hpp``; what rays miss is left to linear
programmes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.kernels import native
from milpcount.linear.circuit import Circuit
from milpcount.linear.index import Components, PatternIndex

__all__ = ["Explorer", "ray_chain"]

_DIRECTIONS = 64
_SEED = 1736
_LINES = 8  # random ones through each region, two rays each

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Explorer:
    """Spreads over the regions of one map from seeds, and merges those that it proves adjacent."""

    def __init__(
        self,
        problem: CountProblem,
        circuit: Circuit,
        index: PatternIndex,
        dependent: Bools,
        map_of: Ints,
        parts: Components,
    ) -> None:
        """Take a problem whose coordinates are the inputs.

        ``dependent`` says which units of each region have forms that may depend on the input.
        """
        box = problem.box
        self._lo = np.array(box.lo)
        with np.errstate(over="ignore"):
            length = box.hi - box.lo
        length = np.where(np.isfinite(length), length, 1.0)
        normal = np.random.default_rng(_SEED).normal(size=(_DIRECTIONS, problem.dimension))
        bits, addresses, order, words, address_of = index.book
        # Fixed coordinates stay as they are.
        self._rays = native.Rays(
            ray_chain(problem, circuit),
            normal * length,
            np.ascontiguousarray(bits, dtype=np.uint8),
            addresses,
            order,
            words,
            address_of,
            np.ascontiguousarray(dependent, dtype=np.uint8),
            np.ascontiguousarray(map_of, dtype=np.int64),
        )
        self._parts = parts

    def begin(self, rows: Ints) -> None:
        """Turn to another class: all regions with one map."""
        self._rays.begin(np.ascontiguousarray(rows, dtype=np.int64))

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do without a new seed."""
        return self._rays.idle

    def visited(self, row: int) -> bool:
        """Whether the region has been reached."""
        return self._rays.visited(row)

    def seed(self, row: int, free: tuple[int, ...], point: Floats) -> None:
        """Start from a region of the class and a point in it (its free coordinates)."""
        # The others are fixed.
        start = self._lo.copy()
        start[list(free)] = point
        self._rays.seed(row, start)

    def run(self, steps: int) -> int:
        """Visit so many regions at most; the number of merges."""
        return self._rays.run(self._parts.parts, steps, _LINES)


def ray_chain(problem: CountProblem, circuit: Circuit) -> native.Chain:
    """The problem in floats, exactly the stored ones, as the kernels take it."""
    layers = circuit.floats
    matrix, right = problem.rows
    box = problem.box
    return native.Chain(
        np.array(circuit.widths, dtype=np.int64),
        np.concatenate([layer.weight.ravel() for layer in layers]),
        np.concatenate([layer.bias for layer in layers]),
        np.concatenate([layer.slope for layer in layers]),
        np.array(box.lo),
        np.array(box.hi),
        np.array(matrix, dtype=np.float64).reshape(-1, problem.dimension),
        np.array(right, dtype=np.float64),
    )
