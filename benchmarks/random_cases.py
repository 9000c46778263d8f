"""Small networks and domains on which searches go wrong first: most of them are degenerate.

A case is plain data, as JSON holds it, so that two versions of the package can be given the same.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import milpcount as mc
from milpcount.core.problem import CountProblem

__all__ = ["KINDS", "Case", "problem_of", "random_case", "random_cases"]

# Units in all, and how often: brute decides every prefix of a pattern by a rational LP.
UNITS, SHARES = (2, 3, 4, 5, 6, 7, 9), (0.15, 0.22, 0.25, 0.2, 0.1, 0.06, 0.02)
Float = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """A network with its question: what :func:`problem_of` makes a problem of."""

    kind: str
    weights: list[list[list[float]]]
    biases: list[list[float]]
    domain: dict[str, Any]
    definition: str
    with_output: bool

    @property
    def single(self) -> bool:
        """Whether one layer is counted."""
        return len(self.weights) == (1 if self.with_output else 2)


def problem_of(case: Case) -> CountProblem:
    """The problem, in the package that this process imports."""
    given = case.domain
    domain: mc.Domain
    if given["is"] == "box":
        domain = mc.Box(given["lo"], given["hi"])
    elif given["is"] == "polytope":
        domain = mc.Polytope(given["A"], given["c"])
    elif given["is"] == "slice":
        domain = mc.Slice(given["points"], given["lo"], given["hi"])
    else:
        domain = mc.WholeSpace()
    weights = [np.array(matrix, dtype=np.float64) for matrix in case.weights]
    network = mc.ReLUNetwork(weights, [np.array(b, dtype=np.float64) for b in case.biases])
    return CountProblem.of(network, domain, case.definition, case.with_output)


def random_cases(seed: int, chunk: int, many: int) -> list[Case]:
    """The cases of a chunk; the same for the same numbers."""
    rng = np.random.default_rng([seed, chunk])
    return [random_case(rng) for _ in range(many)]


def random_case(rng: np.random.Generator) -> Case:
    """A kind of network, its layers, a domain and a question, each at random."""
    kind = _any_of(rng, KINDS)
    inputs = _one_of(rng, (1, 2, 3, 4, 5), (0.15, 0.35, 0.3, 0.12, 0.08))
    hidden = _one_of(rng, (1, 2, 3), (0.35, 0.45, 0.2))
    with_output = bool(rng.random() < 0.2)
    widths = [inputs]
    left = _one_of(rng, UNITS, SHARES)
    for layer in range(hidden):
        most = max(1, left - (hidden - 1 - layer))
        widths.append(int(rng.integers(1, most + 1)))
        left -= widths[-1]
    domain = _domain(rng, inputs)
    weights, biases = [], []
    for a, b in itertools.pairwise([*widths, 1]):
        matrix, bias = _LAYERS[kind](rng, a, b)
        weights.append(matrix.tolist())
        biases.append(bias.tolist())
    definition = "full" if rng.random() < 0.7 else "nonempty"
    return Case(kind, weights, biases, domain, definition, with_output)


def _any_of(rng: np.random.Generator, values: Sequence[T]) -> T:
    """One of the values, as ``rng.choice`` takes it; which makes arrays, and that takes longer."""
    return values[int(rng.integers(len(values)))]


def _one_of(rng: np.random.Generator, values: Sequence[T], shares: Sequence[float]) -> T:
    """One of the values, each so often, as ``rng.choice`` takes it."""
    total = list(itertools.accumulate(shares))
    return values[bisect.bisect_right(total, rng.random() * total[-1])]


def _domain(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Boxes, boxes with open sides, the whole space, slices, polytopes."""
    what = _any_of(rng, ("unit", "box", "half-open", "space", "slice", "polytope"))
    lo, hi = rng.integers(-2, 1, size=n).astype(float), rng.integers(1, 3, size=n).astype(float)
    if what == "unit":
        return {"is": "box", "lo": [-1.0] * n, "hi": [1.0] * n}
    if what == "box":
        return {"is": "box", "lo": lo.tolist(), "hi": hi.tolist()}
    if what == "half-open":
        lo[rng.random(n) < 0.4], hi[rng.random(n) < 0.4] = -np.inf, np.inf
        return {"is": "box", "lo": lo.tolist(), "hi": hi.tolist()}
    if what == "slice" and n > 1:
        k = int(rng.integers(1, min(n, 3)))
        while True:
            points = rng.integers(-2, 3, size=(k + 1, n)).astype(float)
            if np.linalg.matrix_rank(points[1:] - points[0]) == k:
                return {"is": "slice", "points": points.tolist(), "lo": [0.0] * k, "hi": [1.0] * k}
    if what == "polytope":
        rows = rng.integers(-1, 2, size=(int(rng.integers(1, 3)), n)).astype(float)
        sides = np.vstack([np.eye(n), -np.eye(n)])  # full-dimensional: 0 is inside
        far = rng.integers(1, 3, size=len(rows) + 2 * n).astype(float)
        return {"is": "polytope", "A": np.vstack([rows, sides]).tolist(), "c": far.tolist()}
    return {"is": "space"}


def _generic(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """Floats without a relation."""
    return rng.uniform(-1, 1, size=(b, a)), rng.uniform(-1, 1, size=b)


def _ternary(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """Weights -1, 0, 1, biases halves of them."""
    return rng.integers(-1, 2, size=(b, a)).astype(float), rng.integers(-1, 2, size=b) / 2


def _integer(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """Integers up to 4."""
    return rng.integers(-4, 5, size=(b, a)).astype(float), rng.integers(-4, 5, size=b).astype(float)


def _central(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """No biases: every boundary of the first layer goes through the origin."""
    return rng.integers(-2, 3, size=(b, a)).astype(float), np.zeros(b)


def _copies(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """Duplicated, opposite, proportional, shifted and dead units among random ones."""
    matrix, bias = _ternary(rng, a, b) if rng.random() < 0.5 else _generic(rng, a, b)
    for unit in range(1, b):
        of, what = int(rng.integers(unit)), rng.random()
        if what < 0.6:
            factor = _any_of(rng, (1.0, -1.0, 3.0, -0.5))
            matrix[unit], bias[unit] = factor * matrix[of], factor * bias[of]
        elif what < 0.75:
            matrix[unit] = matrix[of]
        elif what < 0.85:
            matrix[unit], bias[unit] = 0.0, rng.integers(-1, 2)
    return matrix, bias


def _through(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """Hyperplanes through vertices of the boxes, up to rounding where weights are no integers."""
    matrix = _ternary(rng, a, b)[0] if rng.random() < 0.5 else _generic(rng, a, b)[0]
    points = rng.choice([-1.0, 0.0, 1.0, 2.0], size=(b, a))
    if rng.random() < 0.5:
        points[:] = points[0]  # all through the same
    return matrix, -(matrix * points).sum(axis=1)


def _near(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """As through vertices and among copies, moved by a few units in the last place."""
    matrix, bias = (_through if rng.random() < 0.5 else _copies)(rng, a, b)
    ulps = rng.integers(-2, 3, size=b) * 2.0**-52
    return matrix, bias + np.where(rng.random(b) < 0.6, ulps, 0.0)


def _passing(rng: np.random.Generator, a: int, b: int) -> tuple[Float, Float]:
    """Units that pass on one that they read: the same boundaries again in the next layer."""
    matrix, bias = _ternary(rng, a, b)
    for unit in range(b):
        if rng.random() < 0.5:
            matrix[unit], bias[unit] = 0.0, _any_of(rng, (0.0, 0.0, -1.0, 0.5))
            matrix[unit, rng.integers(a)] = _any_of(rng, (-1.0, 1.0, 2.0))
    return matrix, bias


_LAYERS = {
    "generic": _generic,
    "ternary": _ternary,
    "integer": _integer,
    "central": _central,
    "copies": _copies,
    "through": _through,
    "near": _near,
    "passing": _passing,
}
KINDS = tuple(_LAYERS)
