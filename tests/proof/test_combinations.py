"""First rows at points given by weights, against fractions coordinate by coordinate."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from milpcount.proof.combinations import Combinations

HALF = Fraction(1, 2)


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


@pytest.mark.parametrize("bits", [2, 40, 90])
def test_rows_at_combinations(bits: int) -> None:
    draw = random.Random(bits)
    clamped = free = 0
    for _ in range(50):
        n, units, others = draw.randrange(7), draw.randrange(1, 5), draw.randrange(3)
        size = 1 << draw.randrange(1, bits + 1)
        rows = [[draw.randint(-size, size) for _ in range(n + 1)] for _ in range(units + others)]
        points, powers = [], []
        for _ in range(3):
            weights = [draw.randint(-size, size) for _ in range(units)]
            # Near the power at which the first coordinates reach the end of the box, and far off.
            largest = max(map(abs, moves(rows, weights)), default=0)
            near = largest.bit_length() + draw.randint(-3, 3)
            powers.append(draw.choice([near, near, 0, -5, 300]))
            points.append(weights)
            beyond = Fraction(largest) * Fraction(1, 2) ** powers[-1] > HALF
            clamped, free = clamped + beyond, free + (not beyond)
        values, ones = Combinations(rows, units).values(points, powers)
        for weights, power, one, at_point in zip(
            points, powers, ones, zip(*values, strict=True), strict=True
        ):
            assert one > 0
            assert one % 2 == 0
            assert [Fraction(v, one) for v in at_point] == by_fractions(rows, weights, power)
    assert clamped > 20
    assert free > 20


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_coordinates_at_the_end_of_the_box(beyond: int) -> None:
    """One more or less than what the box holds, beyond 64 bits."""
    half = 1 << 100
    rows = [[half + beyond, 1, 5], [3, 1 << 99, -7]]
    values, (one,) = Combinations(rows, 1).values([[1]], [101])
    assert [Fraction(v, one) for (v,) in values] == by_fractions(rows, [1], 101)
