"""Bounds of networks with skips: against exact counts, and against those of chains."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.bounds import bound_network
from milpcount.bounds.staged import dimensions_read
from milpcount.core.problem import CountProblem
from tests.shared import random_net
from tests.staged import oracle, random_stages


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["dyadic", "integer"]),
    sparse=st.booleans(),
    with_output=st.booleans(),
    definition=st.sampled_from(["full", "nonempty"]),
)
def test_every_upper_bound_is_at_least_the_count(
    seed: int, kind: str, sparse: bool, with_output: bool, definition: str
) -> None:
    network = random_stages(np.random.default_rng(seed), 2, [3, 2, 2], kind=kind, sparse=sparse)
    box = mc.Box(-1, 1)
    count = len(oracle(network, box, definition, with_output))
    problem = CountProblem.of(network, box, definition, with_output)
    found = bound_network(network, problem=problem, preactivation="lp")
    assert min(found.upper.values()) >= count
    assert found.upper["montufar2017"] <= found.upper["naive"]
    if not network.is_chain:
        assert found.upper["activation_based"] <= found.upper["montufar2017"]
        assert found.upper["naive"] == 2**problem.n_units
        assert not found.lower
        assert "serra2018" in found.reasons


def _stage(
    rng: np.random.Generator, reads: dict[int, int], units: int, linear: bool = False
) -> mc.Stage:
    gate = mc.LinearGate(units) if linear else mc.ReLUGate(np.zeros(units))
    weights = tuple(rng.normal(size=(units, width)) for width in reads.values())
    return mc.Stage(tuple(reads), weights, rng.normal(size=units), gate)


def test_the_dimension_read_is_a_least_cut() -> None:
    """Two wide stages behind a narrow one: what reads both reads two dimensions, not twenty."""
    rng = np.random.default_rng(0)
    stages = [
        _stage(rng, {0: 9}, 2),
        _stage(rng, {1: 2}, 10),
        _stage(rng, {1: 2, 2: 10}, 10),
        _stage(rng, {2: 10, 3: 10}, 4),
    ]
    assert dimensions_read(stages, 9, [2, 10, 10, 4]) == [9, 2, 2, 2]
    # A skip around the narrow stage opens the way for the rest.
    around = [_stage(rng, {0: 9}, 5), _stage(rng, {1: 5}, 1), _stage(rng, {1: 5, 2: 1}, 6)]
    assert dimensions_read(around, 9, [5, 1, 6]) == [9, 5, 5]
    around.append(_stage(rng, {3: 6}, 2))
    assert dimensions_read(around, 9, [5, 1, 6, 2]) == [9, 5, 5, 5]
    # Branches that do not share anything add up.
    branches = [
        _stage(rng, {0: 9}, 8), _stage(rng, {1: 8}, 1), _stage(rng, {1: 8}, 2),
        _stage(rng, {2: 1, 3: 2}, 6),
    ]  # fmt: skip
    assert dimensions_read(branches, 9, [8, 1, 2, 6]) == [9, 8, 8, 3]


def test_a_chain_has_the_same_numbers() -> None:
    rng = np.random.default_rng(1)
    for widths in ([3, 5, 2, 4, 1], [2, 4, 4, 1], [6, 3, 7, 1]):
        network = random_net(rng, widths)
        ranks = widths[1:-1]
        smallest = [min(widths[: k + 1]) for k in range(len(ranks))]
        assert dimensions_read(network.stages, widths[0], ranks) == smallest


def test_linear_units_count_nothing() -> None:
    rng = np.random.default_rng(2)
    stages = [_stage(rng, {0: 2}, 3), _stage(rng, {1: 3}, 4, linear=True), _stage(rng, {2: 4}, 2)]
    network = mc.ReLUNetwork.of_stages(stages, _stage(rng, {3: 2}, 1, linear=True))
    assert bound_network(network).upper["naive"] == 2**5
    assert bound_network(network).upper["montufar2017"] == 7 * 4


@pytest.mark.parametrize("seed", range(3))
def test_limits_on_networks_with_skips_give_upper_ends(seed: int) -> None:
    network = random_stages(np.random.default_rng(seed), 2, [4, 3, 3])
    for domain in (mc.Box(-1, 1), mc.Slice.segment([-1, -1], [1, 1])):
        exact = len(oracle(network, domain))
        part = mc.count(network, domain, engine="tree-highs", budget=mc.Budget(regions=1))
        assert part.upper is not None
        assert part.lower <= exact <= part.upper
