"""First rows at points given by weights, against fractions coordinate by coordinate."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milpcount.proof.combinations import Combinations

HALF = Fraction(1, 2)
numbers = st.one_of(
    st.integers(-3, 3), st.integers(-(1 << 40), 1 << 40), st.integers(-(1 << 90), 1 << 90)
)


def moves(rows: list[list[int]], weights: list[int]) -> list[int]:
    """The combination of the first rows, without constants."""
    return [
        sum(w * row[j] for w, row in zip(weights, rows, strict=False))
        for j in range(len(rows[0]) - 1)
    ]


def by_fractions(rows: list[list[int]], weights: list[int], power: int) -> list[Fraction]:
    step = Fraction(1, 2) ** power
    point = [min(max(HALF + step * m, Fraction(0)), Fraction(1)) for m in moves(rows, weights)]
    products = ([c * z for c, z in zip(row, point, strict=False)] for row in rows)
    return [sum(terms, Fraction(row[-1])) for row, terms in zip(rows, products, strict=True)]


@given(st.data())
def test_rows_at_combinations(data: st.DataObject) -> None:
    n, units, others = data.draw(st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(0, 2)))
    row = st.lists(numbers, min_size=n + 1, max_size=n + 1)
    rows = data.draw(st.lists(row, min_size=units + others, max_size=units + others))
    combinations = Combinations(rows, units)
    weights = data.draw(st.lists(numbers, min_size=units, max_size=units))
    # Near the power at which the first coordinates reach the end of the box, and far from it.
    moved = [
        abs(sum(w * r[j] for w, r in zip(weights, rows[:units], strict=True))) for j in range(n)
    ]
    power = max(moved, default=0).bit_length() + data.draw(st.integers(-3, 3))
    power = data.draw(st.sampled_from([power, power, 0, -5, 300]))
    values, one = combinations.values(weights, power)
    assert one > 0
    assert one % 2 == 0
    expected = by_fractions(rows, weights, power)
    assert [Fraction(v, one) for v in values] == expected


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_coordinates_at_the_end_of_the_box(beyond: int) -> None:
    """One more or less than what the box holds, beyond 64 bits."""
    half = 1 << 100
    rows = [[half + beyond, 1, 5], [3, 1 << 99, -7]]
    values, one = Combinations(rows, 1).values([1], 101)
    assert [Fraction(v, one) for v in values] == by_fractions(rows, [1], 101)
