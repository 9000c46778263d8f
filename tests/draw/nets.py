"""Networks of the tests of pictures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import milpcount as mc


def random_net(*sizes: int, seed: int = 0, integers: bool = False) -> mc.ReLUNetwork:
    """A network of these widths; with small integer weights it is degenerate in many places."""
    rng = np.random.default_rng(seed)
    if integers:
        weights = [rng.integers(-2, 3, size=(b, a)).astype(float) for a, b in pairwise(sizes)]
        biases = [rng.integers(-1, 2, size=b).astype(float) for b in sizes[1:]]
    else:
        weights = [rng.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
        biases = [rng.normal(size=b) * 0.5 for b in sizes[1:]]
    return mc.ReLUNetwork(weights, biases)


DIAMOND = mc.ReLUNetwork(
    [[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [[1.0, 1.0, 1.0, 1.0]]],
    [[0.0, 0.0, 0.0, 0.0], [-1.0]],
    name="|x| + |y| - 1",
)
SQUARE = mc.Box(-2, 2)
