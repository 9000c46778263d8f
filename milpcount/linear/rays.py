"""Neighbours found by shooting rays through regions, proved in floats with bounds on their errors.

From a point of a region ``R`` a ray leaves ``R`` through the first row that it violates, say that
of unit ``u``.  A point ``y`` on the ray before the second violated row satisfies the facet test of
:mod:`milpcount.linear.facet_test` for ``u``; it is proved by one pass through the network gated by
``R``'s pattern, in which every sum carries a bound on its error (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1).  A test that the bounds do not settle settles nothing: what rays
miss is left to linear programmes.  Whether the start of a ray really lies in ``R`` does not matter
for the proof, since ``R`` is known to be a full region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.linear.circuit import Circuit
from milpcount.linear.index import Components, PatternIndex
from milpcount.linear.ray_kernels import Domain, Net, explore

__all__ = ["Explorer", "ray_arrays"]

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
        self._net, self._domain = ray_arrays(problem, circuit)
        lo, hi, _, _ = self._domain
        with np.errstate(over="ignore"):
            length = hi - lo
        length = np.where(np.isfinite(length), length, 1.0)
        normal = np.random.default_rng(_SEED).normal(size=(_DIRECTIONS, problem.dimension))
        # Fixed coordinates stay as they are.
        self._directions = normal * length
        self._index, self._dependent, self._map_of = index, dependent, map_of
        self._parts = parts
        self._visited = np.zeros(len(map_of), dtype=bool)
        self._slot = np.zeros(len(map_of), dtype=np.int64)
        self._points = np.zeros((0, problem.dimension))
        self._stack = np.zeros(0, dtype=np.int64)
        self._top = 0

    def begin(self, rows: Ints) -> None:
        """Turn to another class: all regions with one map."""
        self._slot[rows] = np.arange(len(rows))
        # Only the fixed coordinates of a point are set here.
        self._points = np.tile(self._domain[0], (len(rows), 1))
        self._stack = np.empty(len(rows), dtype=np.int64)
        self._top = 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do without a new seed."""
        return self._top == 0

    def visited(self, row: int) -> bool:
        """Whether the region has been reached."""
        return bool(self._visited[row])

    def seed(self, row: int, free: tuple[int, ...], point: Floats) -> None:
        """Start from a region of the class and a point in it (its free coordinates)."""
        self._points[self._slot[row], list(free)] = point
        self._visited[row] = True
        self._stack[self._top] = row
        self._top += 1

    def run(self, steps: int) -> int:
        """Visit so many regions at most; the number of merges."""
        self._top, merged = explore(
            self._net,
            self._domain,
            self._directions,
            self._index.book,
            self._dependent,
            self._map_of,
            self._parts.parent,
            self._visited,
            self._slot,
            self._points,
            self._stack,
            self._top,
            steps,
            _LINES,
        )
        return int(merged)


def ray_arrays(problem: CountProblem, circuit: Circuit) -> tuple[Net, Domain]:
    """The problem in floats, exactly the stored ones, as the kernels take it."""
    layers = circuit.floats
    matrix, right = problem.rows
    net = (
        np.array(circuit.widths, dtype=np.int64),
        np.concatenate([layer.weight.ravel() for layer in layers]),
        np.concatenate([layer.bias for layer in layers]),
        np.concatenate([layer.slope for layer in layers]),
    )
    box = problem.box
    domain = (
        np.array(box.lo),
        np.array(box.hi),
        np.array(matrix, dtype=np.float64),
        np.array(right, dtype=np.float64),
    )
    return net, domain
