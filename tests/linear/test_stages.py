"""Linear pieces of networks of stages: the same as those of an equal chain, and known ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.linear.circuit import unrolled
from tests.staged import random_stages


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["dyadic", "integer"])
def test_unrolled_stages_compute_the_same(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    net = random_stages(rng, 2, (3, 3, 2, 2), kind=kind)
    *hidden, output = unrolled((*net.stages, net.output))
    chain = mc.ReLUNetwork.of_stages(hidden, output)
    assert all(stage.reads == (k,) for k, stage in enumerate((*chain.stages, chain.output)))
    x = rng.normal(size=(20, 2))
    assert np.allclose(chain.forward(x), net.forward(x))
    assert chain.counted_widths == net.counted_widths


def test_a_residual_fold() -> None:
    # y = relu(x) - relu(-x) - x = 0: three regions' worth of units, one piece.
    first = mc.Stage((0,), (np.array([[1.0], [-1.0]]),), np.zeros(2), mc.ReLUGate(np.zeros(2)))
    zero = mc.Stage(
        (0, 1), (np.array([[-1.0]]), np.array([[1.0, -1.0]])), np.zeros(1), mc.LinearGate(1)
    )
    net = mc.ReLUNetwork.of_stages([first], zero)
    assert mc.count(net, mc.Box(-1, 1)).lower == 2
    assert mc.count(net, mc.Box(-1, 1), definition="linear").lower == 1
    # y = relu(x) + relu(-x) - x: two pieces.
    bent = mc.Stage(
        (0, 1), (np.array([[-1.0]]), np.array([[1.0, 1.0]])), np.zeros(1), mc.LinearGate(1)
    )
    net = mc.ReLUNetwork.of_stages([first], bent)
    assert mc.count(net, mc.Box(-1, 1), definition="linear").lower == 2


@pytest.mark.parametrize("seed", range(6))
def test_pieces_on_a_line_are_found_by_walking(seed: int) -> None:
    """In one input the pieces are counted by the changes of slope between exact breakpoints."""
    net = random_stages(np.random.default_rng(seed), 1, (3, 2, 2), kind="dyadic")
    regions = sorted(
        mc.enumerate_regions(net, mc.Box(-1, 1), engine="tree-highs"),
        key=lambda r: r.exact_witness[0],
    )
    maps = [tuple(np.concatenate([a.ravel() for a in r.affine_map()])) for r in regions]
    pieces = 1 + sum(a != b for a, b in pairwise(maps))
    assert mc.count(net, mc.Box(-1, 1), definition="linear").lower == pieces
