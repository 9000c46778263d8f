"""Random searches of the tree: unbiased, sound at the stated confidence, and repeatable."""

from __future__ import annotations

import math

import numpy as np
import pytest

import milpcount as mc
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Watch
from milpcount.kernels import native
from milpcount.sampling.explorer import Explorer, seed_of
from milpcount.sampling.unbiased import (
    Runs,
    betting_bound,
    integer_below,
    log2_sum,
    minimum_bound,
    student,
)
from tests.shared import Case, hand_cases, net, random_net, whole_space_cases

BOX = mc.Box(-1, 1)


def _explorer(network: mc.ReLUNetwork, domain: mc.Domain, definition: str = "full") -> Explorer:
    return Explorer(CountProblem.of(network, domain, definition), Watch())


def _mean(values: list[float]) -> tuple[float, float]:
    """Mean and standard error of numbers given by their logarithms."""
    x = np.exp2(values)
    return float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x)))


@pytest.mark.parametrize("definition", ["full", "nonempty"])
@pytest.mark.parametrize("case", hand_cases(), ids=str)
def test_an_unthinned_search_counts(case: Case, definition: str) -> None:
    expected = case.full if definition == "full" else case.nonempty
    if expected < 0:
        expected = mc.count(case.net, case.domain, engine="tree", definition=definition).lower
    result = mc.estimate(case.net, case.domain, definition=definition)
    assert result.lower == expected
    assert result.estimate == expected


@pytest.mark.parametrize(
    ("widths", "domain"),
    [([2, 6, 4, 1], BOX), ([3, 6, 5, 1], mc.WholeSpace()), ([30, 6, 5, 1], mc.Box(0, 1))],
    ids=["box", "whole-space", "many-inputs"],
)
def test_descents_and_thinned_searches_are_unbiased(widths: list[int], domain: mc.Domain) -> None:
    network = random_net(np.random.default_rng(1), widths)
    exact = mc.count(network, domain, engine="tree").lower
    explorer = _explorer(network, domain)
    descents = [explorer.walk(None, 0.0, seed_of(1, k)).value for k in range(2000)]
    mean, error = _mean(descents)
    assert abs(mean - exact) < 4 * error
    sizes = explorer.profile.sizes()
    spacing = max(0.0, float(sizes[-1]) - 3.0)
    walks = [explorer.walk(sizes, spacing, seed_of(2, k)).value for k in range(400)]
    mean, error = _mean(walks)
    assert abs(mean - exact) < 4 * error
    # Following eight leaves beats following one.
    assert error * math.sqrt(400) < _mean(descents)[1] * math.sqrt(2000)


def test_bad_targets_cost_accuracy_alone() -> None:
    network = random_net(np.random.default_rng(2), [3, 7, 5, 1])
    exact = mc.count(network, BOX, engine="tree").lower
    explorer = _explorer(network, BOX)
    sizes = np.random.default_rng(0).random(explorer.profile.classes + 1) * 6
    mean, error = _mean([explorer.walk(sizes, 5.0, seed_of(3, k)).value for k in range(1500)])
    assert abs(mean - exact) < 4 * error


def test_nodes_are_kept_as_often_as_asked() -> None:
    sample = native.Sample(np.zeros((1, 2), np.int64), 2, 1)
    chances = [0.3, 0.5, 0.9, 0.05, 0.75, 0.999, 0.4, 0.6]
    rng = np.random.default_rng(1)
    kept = np.zeros(len(chances))
    pairs = 0
    trials = 6000
    for seed in range(trials):
        sample.begin(seed, np.zeros(2), rng.random(2), 0.0)
        chosen = [sample.keeps(0, p) for p in chances]
        kept += chosen
        pairs += abs(sum(chosen) - sum(chances)) < 1
    errors = np.sqrt(np.array(chances) * (1 - np.array(chances)) / trials) + 1e-9
    assert (np.abs(kept / trials - chances) < 4 * errors).all()
    # Systematic: the number kept is never a whole one off.
    assert pairs == trials


@pytest.mark.parametrize("bound", ["betting", "minimum"])
def test_the_bound_holds_as_often_as_it_says(bound: str) -> None:
    network = random_net(np.random.default_rng(3), [4, 9, 6, 1])
    exact = mc.count(network, BOX, engine="tree").lower
    wrong = 0
    for seed in range(100):
        result = mc.estimate(
            network, BOX, confidence=0.8, seed=seed, runs=4, leaves=3, descents=6, bound=bound
        )
        wrong += result.lower > exact
    # P(Bin(100, 0.2) > 33) < 0.001.
    assert wrong <= 33


def test_the_interval_mostly_holds() -> None:
    network = random_net(np.random.default_rng(4), [4, 10, 8, 1])
    exact = mc.count(network, BOX, engine="tree").lower
    inside = 0
    for seed in range(50):
        result = mc.estimate(network, BOX, seed=seed, runs=12, leaves=20)
        assert result.interval is not None
        inside += result.interval[0] <= exact <= result.interval[1]
    assert inside >= 41


def test_the_same_seed_gives_the_same_answer() -> None:
    network = random_net(np.random.default_rng(5), [5, 12, 8, 1])
    first, second, other = (
        mc.estimate(network, BOX, seed=seed, runs=8, leaves=20) for seed in (7, 7, 8)
    )
    assert (first.lower, first.estimate) == (second.lower, second.estimate)
    assert first.history == second.history
    assert first.estimate != other.estimate


@pytest.mark.parametrize("case", whole_space_cases(), ids=str)
def test_whole_space(case: Case) -> None:
    result = mc.estimate(case.net, case.domain, runs=30)
    assert result.lower <= case.full
    if result.history.get("exact"):
        assert result.lower == case.full


def test_polytope() -> None:
    network = random_net(np.random.default_rng(6), [3, 8, 6, 1])
    triangle = mc.Polytope([[1, 1, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], [1, 0, 0, 0])
    exact = mc.count(network, triangle, engine="tree").lower
    result = mc.estimate(network, triangle, runs=20, leaves=10)
    assert result.lower <= exact
    assert result.estimate == pytest.approx(exact, rel=0.3)


def test_many_inputs_and_first_layers() -> None:
    network = random_net(np.random.default_rng(7), [784, 8, 6, 2])
    exact = mc.count(network, mc.Box(0, 1), engine="tree").lower
    whole = mc.estimate(network, mc.Box(0, 1), leaves=60, runs=10)
    part = mc.estimate(network, mc.Box(0, 1), layers=1)
    assert whole.estimate == pytest.approx(exact, rel=0.3)
    assert part.lower <= whole.lower <= exact
    assert part.estimate is None
    assert "first layers" in part.guarantee.statement


def test_a_limit_leaves_a_true_bound() -> None:
    network = random_net(np.random.default_rng(8), [8, 24, 16, 1])
    result = mc.estimate(network, BOX, runs=100_000, budget=mc.Budget(seconds=0.2))
    assert result.termination.limit is mc.Limit.TIME
    assert result.lower >= 1


def test_no_units() -> None:
    result = mc.estimate(mc.ReLUNetwork([[[1.0]]], [[0.0]]), BOX)
    assert (result.lower, result.estimate) == (1, 1.0)


@pytest.mark.parametrize(
    "options",
    [{"runs": 0}, {"leaves": 0}, {"bound": "mean"}, {"layers": 3}, {"confidence": 1.0}],
    ids=str,
)
def test_misuse(options: dict[str, object]) -> None:
    with pytest.raises(mc.InputError):
        mc.estimate(net(([[1]], [0])), BOX, **options)  # type: ignore[arg-type]


def test_linear_regions_are_not_estimated() -> None:
    with pytest.raises(mc.UnsupportedError, match="linear"):
        mc.estimate(net(([[1]], [0])), BOX, definition=Definition.LINEAR)


def test_betting_holds_for_rare_large_values() -> None:
    rng = np.random.default_rng(9)
    # 2^10 with probability 2^-10, else 0: mean 1; and log-normal values of mean 1.
    for draw in (
        lambda: np.where(rng.random(60) < 2.0**-4, 4.0, -np.inf),
        lambda: (rng.normal(size=60) * 2 - 2) / math.log(2),
    ):
        wrong = sum(betting_bound(list(draw()), 0.9) > 0 for _ in range(200))
        assert wrong <= 33  # P(Bin(200, 0.1) > 33) < 0.003


def test_betting_beats_the_minimum_where_values_spread() -> None:
    values = [math.log2(1000 + 50 * (k % 7)) for k in range(40)]
    assert betting_bound(values, 0.95) > minimum_bound(values, 0.95)
    assert betting_bound(values, 0.95) > math.log2(0.9 * 1150)
    assert betting_bound([-math.inf] * 9, 0.95) == -math.inf


def test_numbers() -> None:
    assert student(10, 0.975) == pytest.approx(2.2281, abs=1e-3)
    assert student(1, 0.975) == pytest.approx(12.706, rel=1e-3)
    assert log2_sum([3.0, 3.0]) == 4.0
    assert integer_below(math.log2(10.5)) == 11
    assert integer_below(-math.inf) == 0
    assert 2**299 * 1.99 < integer_below(300.0) <= 2**300
    assert math.isnan(Runs((1.0,)).spread)
