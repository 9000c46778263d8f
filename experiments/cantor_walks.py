"""CantorNet: the exact walk from (0, 3/4) to (1, 3/4) beside samples at equidistant points."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

import milpcount as mc
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.exact.forms import problem_stages, signs_at

__all__ = ["cantor_record", "sampled_folding"]

_HEIGHT = Fraction(3, 4)


def cantor_record(depth: int, samples: Sequence[int]) -> dict[str, Any]:
    """Folding of the exact walk, by subset of units, and of the samples; all as fractions.

    The walk with the top unit has ``3 * 2^depth - 1`` pieces, ``r1 = 2 depth + 1`` and ``r2 = 5 *
    2^depth - 4``.
    """
    net = mc.cantornet(depth)
    walk = mc.walk(net, [0.0, float(_HEIGHT)], [1.0, float(_HEIGHT)], with_output=True)
    hidden, threes = range(1, 2 * depth + 1), range(1, 2 * depth + 1, 2)
    folding = walk.folding()
    return {
        "study": "cantor",
        "depth": depth,
        "pieces": str(len(walk)),
        "r1": str(folding.r1),
        "r2": str(folding.r2),
        "chi": str(folding.chi),
        "subsets": {
            "hidden units": str(walk.folding(layers=list(hidden)).chi),
            "layers of three": str(walk.folding(layers=list(threes)).chi),
            "first layer": str(walk.folding(layers=1).chi),
        },
        "parts": [str(part) for part in walk.chi_by_layer()],
        "sampled": {str(n): str(sampled_folding(net, n).chi) for n in samples},
    }


def sampled_folding(net: mc.ReLUNetwork, points: int) -> mc.Folding:
    """The folding of the patterns at so many equidistant points, ends included, exactly."""
    stages = problem_stages(CountProblem.of(net, mc.WholeSpace(), with_output=True))
    scale = 4 * (points - 1)
    rows: list[list[bool]] = []
    for i in range(points):
        signs = signs_at(stages, Point((4 * i, 3 * (points - 1)), scale))
        rows.append([sign > 0 for stage in signs for sign in stage])
    bits: NDArray[np.bool_] = np.array(rows)
    start = np.count_nonzero(bits != bits[0], axis=1)
    steps = np.count_nonzero(bits[1:] != bits[:-1], axis=1)
    return mc.Folding(int(start.max()), int(steps.sum()))
