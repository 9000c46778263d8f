"""Exact ranges of pre-activations, from linear programmes in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, feasible_dictionary
from milpcount.exact.forms import problem_stages
from milpcount.exact.prefix import Prefix, pattern_rows

Range = tuple[Fraction, Fraction]


def random_problem(rng: np.random.Generator) -> CountProblem:
    """A network of two or three layers, at most nine units, over a box or a polytope."""
    shape = [int(rng.integers(1, 4)), *rng.integers(1, 4, size=rng.integers(2, 4)).tolist(), 1]
    kind = rng.integers(4)
    scale = 10.0 ** rng.uniform(-4, 4)

    def numbers(size: tuple[int, ...]) -> np.ndarray:
        if kind == 0:
            return np.asarray(rng.integers(-2, 3, size=size), dtype=float)
        if kind == 1:
            return np.asarray(
                np.round(rng.normal(size=size), 1) * 10.0 ** rng.integers(-4, 5, size)
            )
        if kind == 2:
            return np.asarray(rng.normal(size=size) * scale)
        return np.asarray(rng.normal(size=size) * 10.0 ** rng.uniform(-4, 4, size=size))

    pairs = list(pairwise(shape))
    slopes = None
    if rng.random() < 0.3:
        slopes = [rng.choice([0.0, 0.1, -1.0, 2.0], size=width) for width in shape[1:-1]]
    net = mc.ReLUNetwork(
        [numbers((b, a)) for a, b in pairs], [numbers((b,)) for _, b in pairs], slopes
    )
    n = shape[0]
    domain: mc.Domain = mc.Box(-1, 1)
    if rng.random() < 0.3:
        cut = rng.normal(size=(2, n))
        rows = np.concatenate([np.eye(n), -np.eye(n), cut])
        domain = mc.Polytope(rows, np.concatenate([np.ones(2 * n), np.full(2, 0.3)]))
    return CountProblem.of(net, domain)


def exact_ranges(problem: CountProblem, around: mc.Box) -> list[list[Range]]:
    """Exact ranges of all pre-activations over the closed domain, layer by layer.

    ``around`` is a box that contains the domain.
    """
    out = []
    layers, box, frame = problem_stages(problem), ExactBox.of(problem.box), ExactBox.of(around)
    net = problem.network
    for k, layer in enumerate(layers):
        before = CountProblem.of(net.subnetwork(0, k), problem.domain)
        ends: list[list[Fraction]] = [[] for _ in range(layer.width)]
        for region in mc.enumerate_regions(before.network, problem.domain, engine="brute"):
            bits = tuple(region.pattern.bits.astype(int).tolist())
            prefix = Prefix.root(layers)
            for states in region.pattern.layers:
                prefix = prefix.push(states.tolist())
            forms, rows = prefix.forms, pattern_rows(before, bits)
            assert rows is not None
            weak = [Row(row.coefficients, False) for row in rows]
            for i in range(layer.width):
                form = [int(forms.matrix[i, j]) for j in range(forms.matrix.ncols())]
                for sign in (1, -1):
                    row = [sign * c for c in form]
                    # Raised until it is positive on the box, so that its row cuts nothing off.
                    low = frame.supremum([-c for c in row])
                    assert low is not None
                    lift = max(0, low // frame.denominator + 1)
                    row[-1] += lift
                    lp = feasible_dictionary([*weak, Row(tuple(row), False)], box)
                    assert lp is not None
                    slack = problem.dimension + 2 + len(weak)
                    assert lp.optimize(slack)
                    top = Fraction(*lp.value(slack)) - lift
                    ends[i].append(sign * top / (1 << forms.shift))
        out.append([(min(unit), max(unit)) for unit in ends])
    return out
