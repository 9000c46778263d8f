"""The two bounds from unbiased estimates, computed by hand and over all outcomes."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest

from milpcount.sampling.unbiased import betting_bound, integer_below, minimum_bound

STAKES = (1.0, 0.6, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
def test_one_value_reaches_the_goal_at_the_bound(confidence: float) -> None:
    """The capital of one value ``r N`` is ``3/4 r + 1/4 mean(1 + s (r - 1))``: linear in ``r``."""
    low = betting_bound([10.0], confidence)
    r = 2.0 ** (10.0 - low)
    capital = 0.75 * r + 0.25 * sum(1 + s * (r - 1) for s in STAKES) / len(STAKES)
    assert capital == pytest.approx(1 / (1 - confidence), rel=1e-6)


@pytest.mark.parametrize("confidence", [0.6, 0.8, 0.9])
@pytest.mark.parametrize("odds", [(1, 2), (1, 4), (3, 4)])
@pytest.mark.parametrize("bound", [betting_bound, minimum_bound])
def test_over_all_outcomes_it_is_wrong_rarely_enough(
    bound: object, odds: tuple[int, int], confidence: float
) -> None:
    """Seven values, each ``1 / p`` with probability ``p`` and else 0: their mean is 1."""
    p = Fraction(*odds)
    wrong = Fraction(0)
    for outcome in product((False, True), repeat=7):
        values = [-math.log2(p) if hit else -math.inf for hit in outcome]
        chance = math.prod(p if hit else 1 - p for hit in outcome)
        if bound(values, confidence) > 1e-9:  # type: ignore[operator]
            wrong += chance
    assert wrong <= 1 - Fraction(confidence)


def test_the_minimum_by_hand() -> None:
    assert minimum_bound([5.0, 3.0], 0.75) == pytest.approx(3 - 1)  # the root of 1/4 is 1/2
    assert minimum_bound([3.0], 0.75) == pytest.approx(1)
    assert minimum_bound([7.0, 3.0, 9.0], 1 - 2.0**-12) == pytest.approx(3 - 4)
    assert minimum_bound([], 0.9) == -math.inf


def test_the_minimum_is_as_rarely_wrong_as_it_says_and_no_rarer() -> None:
    """Markov's inequality is sharp: the chance of an error comes up to the one allowed."""
    p, runs = Fraction(1, 2), 3
    confidence = 1 - float(p) ** runs
    values = [-math.log2(p) - 1e-9] * runs
    assert minimum_bound(values, confidence) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("log2", "count"), [(-math.inf, 0), (0.0, 1), (-5.0, 1), (1.0, 2), (math.log2(5.5), 6)]
)
def test_counts_that_a_bound_allows(log2: float, count: int) -> None:
    assert integer_below(log2) == count
