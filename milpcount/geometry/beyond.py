"""Unbounded domains in bounded parts: a cube, and what lies beyond each of its sides.

What lies beyond a large cube ``|x_k| <= R``, where coordinate ``j`` is the largest in size and has
sign ``s``, is the image of a box under ``x_j = s / w``, ``x_i = u_i / w`` with ``-1 <= u_i <= 1``,
``0 < w <= 1 / R``.  Networks are positively homogeneous in pre-activations and biases together, so
``w`` times the network at ``x`` is a network in ``(u, w)``: biases are multiplied with ``w``, which
a linear unit carries.  Signs are unchanged, and nothing is rounded.

Where the domain has sides, fixes coordinates or is a slice, linear stages first make ``w x`` from
``(u, w)``, with the numbers of the domain as weights; a row ``a x <= c`` is one on ``(u, w)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box, Polytope
from milpcount.core.gate import LinearGate, ReLUGate
from milpcount.core.matrix import Matrix, dense
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.stage import Stage
from milpcount.errors import DomainError
from milpcount.exact.domains import require_full_dimensional

__all__ = ["Chart", "charts"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Chart:
    """A part of an unbounded domain.

    Attributes:
        problem: over a box, or a polytope within one whose last rows are its sides; in coordinates
            of its own.  The units with a state are the same.
        walls: sides of the box that belong to other parts as well, if it is one.
        sides: the sides of the domain among those of the part.
        infinity: the side that is no part of the domain; None of the cube.
        free: the coordinates of the whole problem that vary.
        start: one point of the whole problem, for those that do not.
        axis, sign: the place of the greatest coordinate among those, and its sign; -1 and 0 of the
            cube.
    """

    problem: CountProblem
    walls: tuple[int, ...]
    sides: tuple[int, ...]
    infinity: int | None
    free: tuple[int, ...]
    start: Float
    axis: int = -1
    sign: float = 0.0

    def points(self, u: Float) -> Float:
        """Points of the whole problem, rounded, from those of the chart, of shape ``(k, n)``."""
        if self.axis < 0:
            return u
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            others = u[:, :-1] / u[:, -1:]
            largest = self.sign / u[:, -1]
        out = np.tile(self.start, (len(u), 1))
        out[:, self.free] = np.insert(others, self.axis, largest, axis=1)
        return out

    def errors(self, u: Float, parts: Float) -> Float:
        """Errors of :meth:`points` against their greatest coordinate.

        ``parts`` bounds the errors of ``u`` as parts of the width of the chart's box.
        """
        if self.axis < 0:
            return parts
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # An error e of w is one of e / w of 1 / w; w is at most its range.
            return np.asarray(4.0 * parts + parts * np.max(u[:, -1], initial=0.0) / u[:, -1])


def charts(problem: CountProblem) -> Iterator[Chart]:
    """The cube, and what lies beyond each of its sides; parts that the domain misses are left out.

    The network must have a stage.
    """
    box = problem.box
    free = tuple(np.flatnonzero(box.lo < box.hi).tolist())
    n = len(free)
    start = np.where(box.lo == box.hi, box.lo, 0.0)
    reach = _reach(problem)
    ends = np.full(n, reach)
    matrix, right = problem.rows
    if len(right):
        cube = replace(problem, domain=_cut_box(matrix, right, -ends, ends))
        sides = tuple(range(len(right)))
    else:
        lo, hi = box.lo.copy(), box.hi.copy()
        lo[list(free)], hi[list(free)] = (
            np.maximum(lo[list(free)], -ends),
            np.minimum(hi[list(free)], ends),
        )
        cube = replace(problem, domain=Box(lo, hi))
        finite = np.isfinite(np.column_stack([box.lo, box.hi])[list(free)]).ravel()
        sides = tuple(np.flatnonzero(finite).tolist())
        matrix, right = _sides(problem, free)
    if _has_interior(cube):
        yield Chart(cube, tuple(range(2 * n)), sides, None, free, start)
    lo, hi = np.full(n, -1.0), np.full(n, 1.0)
    lo[-1], hi[-1] = 0.0, 1.0 / reach
    walls = tuple(k for k in range(2 * n) if k != 2 * (n - 1))
    sides = tuple(range(len(right)))
    plain = n == problem.dimension and problem.slice is None
    counts_output = problem.with_output and bool(problem.network.stages)
    for axis in range(n):
        others = [i for i in range(n) if i != axis]
        rows = np.column_stack([matrix[:, others], -right])
        for sign in (1.0, -1.0):
            net = (_beyond if plain else _carried)(problem, axis, sign)
            domain = _cut_box(rows, -sign * matrix[:, axis], lo, hi)
            part = CountProblem.of(net, domain, "full", counts_output)
            if _has_interior(part):
                infinity = len(right) + 2 * (n - 1)
                yield Chart(part, walls, sides, infinity, free, start, axis, sign)


def _sides(problem: CountProblem, free: tuple[int, ...]) -> tuple[Float, Float]:
    """The finite ends of a box as rows ``a x <= c`` in the coordinates that vary."""
    rows, ends = [], []
    for k, j in enumerate(free):
        for sign, end in ((-1.0, problem.box.lo[j]), (1.0, problem.box.hi[j])):
            if np.isfinite(end):
                row = np.zeros(len(free))
                row[k] = sign
                rows.append(row)
                ends.append(sign * end)
    return np.array(rows).reshape(-1, len(free)), np.array(ends)


def _cut_box(matrix: Float, right: Float, lo: Float, hi: Float) -> Box | Polytope:
    if not len(right):
        return Box(lo, hi)
    n = len(lo)
    walls = np.zeros((2 * n, n))
    walls[0::2], walls[1::2] = -np.eye(n), np.eye(n)
    ends = np.column_stack([-lo, hi]).ravel()
    return Polytope(np.vstack([matrix, walls]), np.append(right, ends))


def _has_interior(part: CountProblem) -> bool:
    if isinstance(part.domain, Box):
        return True
    try:
        require_full_dimensional(part)
    except DomainError:
        return False
    return True


def _reach(problem: CountProblem) -> float:
    """Half the side of a cube that is hoped to hold most vertices; any number is right."""
    first = problem.stages[0]
    weight = dense(first.weights[0])
    bias = first.bias
    if problem.slice is not None:
        points = problem.slice.points
        bias = weight @ points[0] + bias
        weight = weight @ (points[1:] - points[0]).T
    length = np.linalg.norm(weight, axis=1)
    with np.errstate(all="ignore"):
        far = np.max(np.abs(bias[length > 0]) / length[length > 0], initial=1.0)
    matrix, right = problem.rows
    size = np.linalg.norm(matrix, axis=1)
    with np.errstate(all="ignore"):
        far = np.max(np.abs(right[size > 0]) / size[size > 0], initial=far)
    ends = np.concatenate([problem.box.lo, problem.box.hi])
    far = np.max(np.abs(ends[np.isfinite(ends)]), initial=far)
    return float(2.0 ** min(500, max(-500, int(np.ceil(np.log2(4.0 * far))))))


def _carried(problem: CountProblem, axis: int, sign: float) -> ReLUNetwork:
    """The same as :func:`_beyond` where coordinates are fixed, or of a slice."""
    net, box = problem.network, problem.box
    free = np.flatnonzero(box.lo < box.hi).tolist()
    n = len(free)
    # Stage 1: w times every coordinate of the problem, then w.
    table, bias = np.zeros((problem.dimension + 1, n)), np.zeros(problem.dimension + 1)
    others = [j for k, j in enumerate(free) if k != axis]
    for place, j in enumerate(others):
        table[j, place] = 1.0
    bias[free[axis]] = sign
    fixed = np.flatnonzero(box.lo == box.hi)
    table[fixed, -1] = box.lo[fixed]
    table[-1, -1] = 1.0
    stages = [Stage((0,), (table,), bias, LinearGate(len(bias)))]
    if problem.slice is None:
        first_reads = {1: np.eye(problem.dimension, problem.dimension + 1)}
    else:
        # Differences of points are sums of products, which floats need not hold.
        points = problem.slice.points
        rest = np.append(-np.ones(problem.dimension), 1.0)[None, :]
        stages.append(Stage((1,), (rest,), np.zeros(1), LinearGate(1)))
        first_reads = {
            1: np.column_stack([points[1:].T, np.zeros(points.shape[1])]),
            2: points[:1].T,
        }
    inputs = net.input_dimension
    stages.append(
        Stage(tuple(first_reads), tuple(first_reads.values()), np.zeros(inputs), LinearGate(inputs))
    )
    offset = len(stages)
    moved = []
    for stage in (*net.stages, net.output):
        weights: dict[int, Matrix] = {
            1: np.column_stack([np.zeros((stage.width, len(bias) - 1)), stage.bias])
        }
        for read, weight in zip(stage.reads, stage.weights, strict=True):
            weights[read + offset] = weight
        moved.append(
            Stage(tuple(weights), tuple(weights.values()), np.zeros(stage.width), stage.gate)
        )
    return ReLUNetwork.of_stages([*stages, *moved[:-1]], moved[-1])


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
