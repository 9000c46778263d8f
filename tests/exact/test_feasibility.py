"""The exact LP against a floating-point one, against itself, and on degenerate systems."""

from __future__ import annotations

from fractions import Fraction

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount.core.domain import Box
from milpcount.core.point import Point
from milpcount.core.run import Outcome
from milpcount.errors import InvariantError
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import (
    Row,
    check_point,
    check_refutation,
    decide,
    deepest_point,
)
from milpcount.exact.ladder import Ladder

small = st.integers(-3, 3)


@st.composite
def systems(draw: st.DrawFn) -> tuple[list[Row], Box]:
    n = draw(st.integers(1, 3))
    rows = [
        Row(tuple(draw(st.lists(small, min_size=n + 1, max_size=n + 1))), draw(st.booleans()))
        for _ in range(draw(st.integers(0, 6)))
    ]
    lo = [draw(st.sampled_from([-np.inf, -1.0, 0.0])) for _ in range(n)]
    hi = [draw(st.sampled_from([0.0, 1.0, np.inf])) for _ in range(n)]
    return rows, Box(lo, hi)


@settings(max_examples=300, deadline=None)
@given(systems())
def test_every_decision_carries_its_proof(system: tuple[list[Row], Box]) -> None:
    rows, box = system
    exact = ExactBox.of(box)
    decision = decide(rows, exact)
    if decision.witness is not None:
        assert decision.multipliers is None
        assert check_point(rows, exact, decision.witness)
    else:
        assert decision.multipliers is not None
        assert check_refutation(rows, exact, decision.multipliers)


@settings(max_examples=200, deadline=None)
@given(systems())
def test_the_ladder_agrees_with_the_rational_lp(system: tuple[list[Row], Box]) -> None:
    rows, box = system
    ladder = Ladder(box, Outcome())
    assert ladder.decide(rows).feasible == decide(rows, ExactBox.of(box)).feasible
    # The same ladder again with another prefix: nothing is left over from before.
    assert ladder.decide(rows[1:]).feasible == decide(rows[1:], ExactBox.of(box)).feasible


def test_agreement_with_highs_on_random_systems() -> None:
    rng = np.random.default_rng(5)
    box = Box(-np.ones(4), np.ones(4))
    seen = set()
    for _ in range(60):
        matrix = rng.integers(-50, 51, size=(8, 5))
        rows = [Row(tuple(int(v) for v in r), True) for r in matrix]
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.addVars(5, np.append(box.lo, -1e9), np.append(box.hi, 1.0))
        highs.changeColCost(4, -1.0)
        for r in matrix:
            values = np.append(r[:4], -1.0).astype(float)
            highs.addRow(-float(r[4]), highspy.kHighsInf, 5, np.arange(5, dtype=np.int32), values)
        highs.run()
        t = -highs.getObjectiveValue()
        assert abs(t) > 1e-6
        feasible = decide(rows, ExactBox.of(box)).feasible
        assert feasible == (t > 0)
        seen.add(feasible)
    assert seen == {True, False}


@pytest.mark.parametrize("width", [1e-7, 1e-12, 2.0**-60, 2.0**-200, 5e-324])
def test_slabs_of_any_thinness(width: float) -> None:
    # 0 < x < width, first with room and then without.
    one = 1 << 1074
    inside = [Row((one, 0), True), Row((-one, int(width * 2.0**500) << 574), True)]
    box = ExactBox.of(Box([-1.0], [1.0]))
    assert decide(inside, box).feasible or int(width * 2.0**500) == 0
    empty = [Row((1, 0), True), Row((-1, 0), True)]
    assert not decide(empty, box).feasible
    touching = [Row((1, 0), False), Row((-1, 0), False)]
    assert decide(touching, box).feasible


def test_weak_and_strict_rows_differ() -> None:
    box = ExactBox.of(Box([0.0, 0.0], [1.0, 1.0]))
    # x + y >= 2 meets the box in its corner.
    assert decide([Row((1, 1, -2), False)], box).feasible
    assert not decide([Row((1, 1, -2), True)], box).feasible


def test_refutations_are_checked() -> None:
    box = ExactBox.of(Box([-1.0], [1.0]))
    rows = [Row((1, -1), True), Row((-1, 0), True)]  # x > 1 and x < 0
    assert check_refutation(rows, box, [1, 1])
    assert check_refutation(rows, box, [1, 0])  # sup is 0 on a strict row
    assert not check_refutation([Row((1, -1), False)], box, [1])
    assert not check_refutation(rows, box, [0, 1])
    assert not check_refutation(rows, box, [1, -1])
    assert not check_refutation(rows, box, [0, 0])
    assert not check_refutation(rows, box, np.array([np.inf, 1.0]))


def test_many_inputs() -> None:
    rng = np.random.default_rng(3)
    box = ExactBox.of(Box(np.zeros(300), np.ones(300)))
    matrix = rng.integers(-9, 10, size=(6, 301))
    matrix[:, -1] = -matrix[:, :-1].sum(axis=1) // 2
    rows = [Row(tuple(int(v) for v in r), True) for r in matrix]
    decision = decide(rows, box)
    assert decision.witness is not None
    assert check_point(rows, box, decision.witness)
    opposed = [*rows, Row(tuple(-int(v) for v in matrix[0]), True)]
    decision = decide(opposed, box)
    assert decision.multipliers is not None
    assert check_refutation(opposed, box, decision.multipliers)


UNIT = ExactBox.of(Box([0.0], [1.0]))


def test_a_point_on_a_strict_row_does_not_satisfy_it() -> None:
    rising = (1, 0)  # x > 0, x >= 0
    assert check_point([Row(rising, False)], UNIT, Point((0,), 1))
    assert not check_point([Row(rising, True)], UNIT, Point((0,), 1))
    assert check_point([Row(rising, True)], UNIT, Point((1,), 2))
    assert not check_point([Row((-1, 0), False)], UNIT, Point((1,), 2))
    assert not check_point([], UNIT, Point((3,), 2))


def test_what_multipliers_prove() -> None:
    """x >= 0 or > 0 and -x >= 0 or > 0 over [0, 1]; the sum is 0."""
    for strict in ((False, False), (True, False), (False, True), (True, True)):
        rows = [Row((1, 0), strict[0]), Row((-1, 0), strict[1])]
        assert check_refutation(rows, UNIT, (1, 1)) is any(strict)
        # The first row alone is 1 at the end.
        assert not check_refutation(rows, UNIT, (1, 0))
    # -x - 1 >= 0 is refuted, and not by taking x + 1 >= 0 away from nothing.
    assert check_refutation([Row((-1, -1), False)], UNIT, (1,))
    assert not check_refutation([Row((1, 1), False)], UNIT, (-1,))
    assert not check_refutation([Row((1, 1), False)], UNIT, np.array([-1.0]))
    assert not check_refutation([Row((-1, -1), False)], UNIT, (0,))
    assert not check_refutation([Row((-1, -1), False)], UNIT, np.array([np.nan]))


def test_the_deepest_point() -> None:
    rows = [Row((8, -1), True), Row((-8, 3), True)]  # 1/8 < x < 3/8
    assert deepest_point(rows, UNIT).fractions() == (Fraction(1, 4),)
    with pytest.raises(InvariantError, match="infeasible"):
        deepest_point([Row((8, -10), True)], UNIT)


def test_a_side_that_touches_is_refuted_without_the_rational_lp() -> None:
    """Five, three and seven times the rows are nought: the largest least slack is exactly 0."""
    rows = [Row((3, 1, 0), True), Row((2, 3, 0), True), Row((-3, -2, 0), True)]
    outcome = Outcome()
    decision = Ladder(Box([-1.0, -1.0], [1.0, 1.0]), outcome).decide(rows)
    assert decision.multipliers == (5, 3, 7)
    assert "decided_by_rational_lp" not in outcome.statistics
