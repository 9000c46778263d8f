"""Networks whose arrangements are degenerate but for the rounding of their weights.

Three hyperplanes through one point, written with weights like 0.1 and 1/3, miss each other by a
unit in the last place of something: the regions between them are there, and are thinner than the
rounding of any sum.  What floats say of them without a proof is wrong as often as not, so every
bound on an error and every margin is at work here.  Exact arithmetic is the judge.
"""

from __future__ import annotations

import numpy as np
import pytest

import milpcount as mc
from tests.shared import random_net


def rounded(network: mc.ReLUNetwork, rng: np.random.Generator) -> mc.ReLUNetwork:
    """Every unit times a number that is no float: its rows are rounded one entry at a time."""
    weights, biases = [], []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        scale = rng.choice([0.1, 1 / 3, 0.7, 1 / 49, 1.0], size=len(bias))
        weights.append(weight * scale[:, None])
        biases.append(bias * scale)
    return mc.ReLUNetwork(weights, biases)


def near_ties(widths: list[int], seed: int) -> mc.ReLUNetwork:
    """A network of small integers, rounded."""
    rng = np.random.default_rng(seed)
    return rounded(random_net(rng, widths, "integer"), rng)


@pytest.mark.parametrize("definition", ["full", "nonempty"])
@pytest.mark.parametrize(
    "widths", [[2, 6, 5, 1], [3, 7, 4, 1], [2, 4, 4, 4, 1], [9, 4, 4, 1], [1, 4, 4, 3, 1]], ids=str
)
def test_counts(widths: list[int], definition: str) -> None:
    for seed in range(12):
        network = near_ties(widths, seed)
        box = mc.Box(-1, 1)
        truth = mc.count(network, box, engine="tree-highs", definition=definition).lower
        engines = ["tree", "subdivision"] if definition == "full" and widths[0] < 7 else ["tree"]
        for engine in engines:
            found = mc.count(network, box, engine=engine, definition=definition)
            assert (found.lower, found.exact) == (truth, True), (seed, engine)
