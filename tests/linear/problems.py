"""Random small problems, most of them degenerate in some way."""

from __future__ import annotations

import numpy as np

import milpcount as mc
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.engines.registry import run_engine
from tests.shared import random_net


def full_regions(problem: CountProblem) -> np.ndarray:
    """The patterns of all full regions."""
    leaves = run_engine("tree-highs", problem, Watch(), Outcome(), {})
    bits = [leaf.bits for leaf in leaves]
    return np.array(bits, dtype=np.uint8).reshape(len(bits), problem.n_units)


def random_problem(rng: np.random.Generator) -> CountProblem:
    """A problem of at most eleven units."""
    n = int(rng.choice([1, 1, 2, 2, 3]))
    depth = int(rng.integers(1, 4))
    if rng.random() < 0.7:
        hidden = [int(rng.integers(2, 5)), int(rng.integers(2, 4)), int(rng.integers(1, 3))][:depth]
    else:
        hidden = [int(rng.integers(3, 8)), *[2] * (depth - 1)]
    widths = [n, *hidden, int(rng.choice([1, 1, 1, 2]))]
    kind = str(rng.choice(["normal", "integer", "sparse"]))
    base = random_net(rng, widths, kind)
    weights, biases = [w.copy() for w in base.weights], [b.copy() for b in base.biases]
    slopes = None
    if rng.random() < 0.3:
        slopes = [rng.choice([0, 0.5, -1, 1, 0.25], size=width) for width in hidden]
    if rng.random() < 0.3:
        for b in biases:
            b[:] = 0
    if rng.random() < 0.3:  # the same zero set twice
        k = int(rng.integers(depth))
        factor = float(rng.choice([1, -1, 2]))
        weights[k][1:2] = weights[k][:1] * factor
        biases[k][1:2] = biases[k][:1] * factor
    if rng.random() < 0.15:  # a layer that is often dead
        biases[int(rng.integers(depth))] -= 3
    if depth > 1 and rng.random() < 0.25:  # tents: maps that come back where nothing touches
        slopes = [np.full(hidden[0], -1.0), *[np.zeros(width) for width in hidden[1:]]]
        weights[1] = -np.abs(weights[1])
        biases[1] = 1 + np.abs(biases[1])
    net = mc.ReLUNetwork(weights, biases, slopes)
    return CountProblem.of(net, _random_domain(rng, n), with_output=bool(rng.random() < 0.35))


def _random_domain(rng: np.random.Generator, n: int) -> Domain:
    choice = int(rng.integers(5))
    if choice == 0:
        return mc.WholeSpace()
    if choice == 1:
        return mc.Box(-1, 1)
    if choice == 2 and n > 1:
        lo, hi = np.full(n, -1.0), np.full(n, 2.0)
        j = int(rng.integers(n))
        lo[j] = hi[j] = rng.choice([0, 0.5, 1])
        return mc.Box(lo, hi)
    if choice in (2, 3):
        return mc.Box([-np.inf, *[-1.0] * (n - 1)], [1.0] * n)
    sides = np.vstack([np.eye(n), -np.eye(n), rng.integers(-2, 3, size=(2, n))])
    return mc.Polytope(sides, np.concatenate([np.full(2 * n, 2.0), rng.integers(1, 3, size=2)]))
