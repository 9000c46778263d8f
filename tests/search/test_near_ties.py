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
    "widths",
    [[2, 6, 5, 1], [3, 7, 4, 1], [2, 4, 4, 4, 1], [9, 4, 4, 1], [1, 4, 4, 3, 1], [2, 16, 1]],
    ids=str,
)
def test_counts(widths: list[int], definition: str) -> None:
    for seed in range(8):
        network = near_ties(widths, seed)
        box = mc.Box(-1, 1)
        truth = mc.count(network, box, engine="tree-highs", definition=definition).lower
        engines = ["tree", "subdivision"] if definition == "full" and widths[0] < 7 else ["tree"]
        for engine in engines:
            found = mc.count(network, box, engine=engine, definition=definition)
            assert (found.lower, found.exact) == (truth, True), (seed, engine)


def cancelling(inputs: int, seed: int, size: float) -> mc.ReLUNetwork:
    """Units and their thirds, whose multiples cancel but for the rounding of the thirds.

    The next layer is ``size`` times that rounding: its forms are as small as their errors.
    """
    rng = np.random.default_rng(seed)
    rows = 0.7 * rng.integers(-3, 4, size=(3, inputs))
    right = 0.1 * rng.integers(-2, 3, size=3)
    mixed = size * rng.integers(-2, 3, size=(4, 3))
    weights = [np.vstack([rows, rows / 3]), np.hstack([mixed / 3, -mixed]), np.ones((1, 4))]
    return mc.ReLUNetwork(weights, [np.hstack([right, right / 3]), np.zeros(4), np.zeros(1)])


@pytest.mark.parametrize("size", [1.0, 2.0**40])
@pytest.mark.parametrize("inputs", [1, 2])
def test_forms_that_cancel(inputs: int, size: float) -> None:
    for seed in range(4):
        network = cancelling(inputs, seed, size)
        box = mc.Box(-1, 1)
        for definition, engines in (("full", ["tree", "subdivision"]), ("nonempty", ["tree"])):
            truth = mc.count(network, box, engine="tree-highs", definition=definition).lower
            for engine in engines:
                found = mc.count(network, box, engine=engine, definition=definition)
                assert (found.lower, found.exact) == (truth, True), (seed, engine, definition)
