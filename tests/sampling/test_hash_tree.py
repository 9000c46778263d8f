"""Counts under parity constraints: exact, unbiased, sound, and repeatable."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.run import Watch
from milpcount.sampling.approxmc import repetitions, threshold
from milpcount.sampling.buckets import BucketCounter, Constraints
from tests.shared import Case, hand_cases, random_net, whole_space_cases

BOX = mc.Box(-1, 1)


def _counter(network: mc.ReLUNetwork, domain: mc.Domain) -> BucketCounter:
    return BucketCounter(CountProblem.of(network, domain), Watch())


@pytest.mark.parametrize(
    ("widths", "domain"),
    [([2, 6, 4, 1], BOX), ([3, 5, 4, 1], mc.WholeSpace()), ([30, 6, 4, 1], mc.Box(0, 1))],
    ids=["box", "whole-space", "many-inputs"],
)
@pytest.mark.parametrize("kind", ["normal", "integer"])
def test_buckets_are_exact(widths: list[int], domain: mc.Domain, kind: str) -> None:
    """Against the patterns themselves; over all right-hand sides the buckets are a partition."""
    rng = np.random.default_rng(1)
    network = random_net(rng, widths, kind)
    patterns = [
        tuple(int(b) for b in region.pattern.bits)
        for region in mc.enumerate_regions(network, domain, engine="tree")
    ]
    counter = _counter(network, domain)
    members = rng.random((3, sum(widths[1:-1]))) < 0.5
    total = 0
    for odd in itertools.product((False, True), repeat=3):
        constraints = Constraints(members, np.array(odd))
        bucket = counter.count(constraints)
        assert bucket.complete
        assert bucket.count == sum(constraints.satisfied(p) for p in patterns)
        total += bucket.count
    assert total == len(patterns)


def test_single_units_and_contradictions() -> None:
    network = random_net(np.random.default_rng(2), [3, 6, 4, 1])
    counter = _counter(network, BOX)
    exact = mc.count(network, BOX, engine="tree").lower
    one = np.eye(10, dtype=bool)
    for unit in range(10):
        parts = [
            counter.count(Constraints(one[[unit]], np.array([odd]))).count for odd in (False, True)
        ]
        assert sum(parts) == exact
    both = Constraints(one[[4, 4]], np.array([False, True]))
    assert counter.count(both).count == 0
    empty = np.zeros((1, 10), dtype=bool)
    assert counter.count(Constraints(empty, np.array([False]))).count == exact
    assert counter.count(Constraints(empty, np.array([True]))).count == 0


@pytest.mark.parametrize("case", [*hand_cases(), *whole_space_cases()], ids=str)
def test_without_constraints_it_counts(case: Case) -> None:
    result = mc.estimate(case.net, case.domain, method="hash-tree", constraints=0)
    assert result.lower == case.full


@pytest.mark.parametrize(
    "options", [{}, {"size": 2}, {"bound": "minimum"}], ids=["dense", "short", "minimum"]
)
def test_the_bound_holds_as_often_as_it_says(options: dict[str, object]) -> None:
    network = random_net(np.random.default_rng(3), [4, 9, 6, 1])
    exact = mc.count(network, BOX, engine="tree").lower
    results = [
        mc.estimate(
            network, BOX, method="hash-tree", confidence=0.8, seed=seed, runs=5, bucket=4,
            descents=6, **options,  # type: ignore[arg-type]
        )
        for seed in range(60)
    ]  # fmt: skip
    # P(Bin(60, 0.2) > 22) < 0.001.
    assert sum(r.lower > exact for r in results) <= 22
    # Unbiased.
    means = np.array([r.estimate or 0.0 for r in results])
    assert abs(means.mean() - exact) < 4 * means.std(ddof=1) / np.sqrt(len(means))


def test_approxmc_is_within_its_factor() -> None:
    network = random_net(np.random.default_rng(4), [4, 10, 8, 1])
    exact = mc.count(network, BOX, engine="tree").lower
    assert exact > threshold(0.8)
    wrong = 0
    for seed in range(20):
        result = mc.estimate(
            network, BOX, method="hash-tree", mode="approxmc", confidence=0.9, seed=seed
        )
        assert result.estimate is not None
        wrong += not exact / 1.8 <= result.estimate <= exact * 1.8
    assert wrong <= 6


def test_the_constants_of_approxmc() -> None:
    assert threshold(0.8) == 72
    assert [repetitions(0.8, d)[0] for d in (0.2, 0.1, 0.05, 0.01)] == [3, 5, 7, 11]
    assert [repetitions(2.0, d)[0] for d in (0.2, 0.05)] == [67, 101]


def test_the_same_seed_gives_the_same_answer() -> None:
    network = random_net(np.random.default_rng(5), [5, 12, 8, 1])
    first, second, other = (
        mc.estimate(network, BOX, method="hash-tree", seed=seed, runs=6, bucket=20)
        for seed in (7, 7, 8)
    )
    assert first.history == second.history
    assert first.lower == second.lower
    assert first.history["buckets"] != other.history["buckets"]


def test_many_inputs() -> None:
    network = random_net(np.random.default_rng(7), [784, 8, 6, 2])
    exact = mc.count(network, mc.Box(0, 1), engine="tree").lower
    result = mc.estimate(network, mc.Box(0, 1), method="hash-tree", bucket=50)
    assert 1 < result.lower <= exact


def test_a_limit_leaves_a_true_bound() -> None:
    network = random_net(np.random.default_rng(8), [8, 24, 16, 1])
    for mode, seconds in (("bound", 0.01), ("approxmc", 0.3)):
        result = mc.estimate(
            network, BOX, method="hash-tree", mode=mode, budget=mc.Budget(seconds=seconds)
        )
        assert result.termination.limit is mc.Limit.TIME
        assert result.lower >= 1


@pytest.mark.parametrize(
    "options",
    [{"mode": "exact"}, {"size": 0}, {"bound": "mean"}, {"epsilon": 0.0}, {"constraints": -1}],
    ids=str,
)
def test_misuse(options: dict[str, object]) -> None:
    network = random_net(np.random.default_rng(9), [2, 3, 1])
    with pytest.raises(mc.InputError):
        mc.estimate(network, BOX, method="hash-tree", **options)  # type: ignore[arg-type]
