"""The whole space in bounded parts: a cube, and what lies beyond each of its sides.

What lies beyond a large cube ``|x_k| <= R``, where coordinate ``j`` is the largest in size and has
sign ``s``, is the image of a box under ``x_j = s / w``, ``x_i = u_i / w`` with ``-1 <= u_i <= 1``,
``0 < w <= 1 / R``.  Networks are positively homogeneous in pre-activations and biases together, so
``w`` times the network at ``x`` is a network in ``(u, w)``: biases are multiplied with ``w``, which
a linear unit carries.  Signs are unchanged, and nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.gate import ReLUGate
from milpcount.core.matrix import Matrix, dense
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage

__all__ = ["Chart", "charts"]


@dataclass(frozen=True, eq=False)
class Chart:
    """A part of the whole space.

    Attributes:
        problem: over a box, in coordinates of its own; the units with a state are the same.
        walls: sides of its box that belong to other parts as well.
        axis, sign: the greatest coordinate and its sign; -1 and 0 of the cube.
    """

    problem: CountProblem
    walls: tuple[int, ...]
    axis: int = -1
    sign: float = 0.0

    @property
    def infinity(self) -> int | None:
        """The side of its box that is no part of the space; None of the cube."""
        return None if self.axis < 0 else 2 * (self.problem.dimension - 1)

    def points(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the whole space, rounded, from those of the chart, of shape ``(k, n)``."""
        if self.axis < 0:
            return u
        with np.errstate(divide="ignore", invalid="ignore"):
            others = u[:, :-1] / u[:, -1:]
            largest = self.sign / u[:, -1]
        return np.insert(others, self.axis, largest, axis=1)


def charts(problem: CountProblem) -> Iterator[Chart]:
    """The cube, and what lies beyond each of its sides."""
    n = problem.dimension
    first = problem.stages[0]
    weight = dense(first.weights[0])
    length = np.linalg.norm(weight, axis=1)
    with np.errstate(all="ignore"):
        far = np.max(np.abs(first.bias[length > 0]) / length[length > 0], initial=1.0)
    reach = float(2.0 ** min(500, max(-500, int(np.ceil(np.log2(4.0 * far))))))
    cube = replace(problem, domain=Box(np.full(n, -reach), np.full(n, reach)))
    yield Chart(cube, tuple(range(2 * n)))
    lo, hi = np.full(n, -1.0), np.full(n, 1.0)
    lo[-1], hi[-1] = 0.0, 1.0 / reach
    walls = tuple(k for k in range(2 * n) if k != 2 * (n - 1))
    for j in range(n):
        for sign in (1.0, -1.0):
            net = _beyond(problem, j, sign)
            counts_output = problem.with_output and bool(problem.network.stages)
            part = CountProblem.of(net, Box(lo, hi), "full", counts_output)
            yield Chart(part, walls, j, sign)


def _beyond(problem: CountProblem, j: int, sign: float) -> ReLUNetwork:
    """``w`` times the network as one in ``(u, w)``, where ``x = (u with sign at j) / w``."""
    net = problem.network
    first = net.stages[0] if net.stages else net.output.as_relu()
    weight = dense(first.weights[0])
    others = [i for i in range(weight.shape[1]) if i != j]
    table = np.column_stack([weight[:, others], first.bias])
    carried = np.zeros((1, table.shape[1]))
    carried[0, -1] = 1.0
    gate = ReLUGate(np.append(first.slope, 1.0), np.append(first.linear, True))
    stage = Stage((0,), (np.vstack([table, carried]),), np.append(sign * weight[:, j], 0.0), gate)
    if not net.stages:
        # The output alone: its units count as the first stage's.
        last = Stage((1,), (np.zeros((1, len(gate.slope))),), np.zeros(1), _linear(1))
        return ReLUNetwork.of_stages([stage], last)
    later = [_homogeneous(s, len(first.bias)) for s in net.stages[1:]]
    return ReLUNetwork.of_stages([stage, *later], _homogeneous(net.output, len(first.bias)))


def _homogeneous(stage: Stage, width: int) -> Stage:
    """The stage with its bias as weights on the unit that carries ``w``, the last of stage 1."""
    weights: dict[int, Matrix] = dict(zip(stage.reads, stage.weights, strict=True))
    table = dense(weights[1]) if 1 in weights else np.zeros((stage.width, width))
    weights[1] = np.column_stack([table, stage.bias])
    reads = tuple(sorted(weights))
    return Stage(reads, tuple(weights[k] for k in reads), np.zeros(stage.width), stage.gate)


def _linear(units: int) -> ReLUGate:
    return ReLUGate(np.ones(units), np.ones(units, dtype=bool))
