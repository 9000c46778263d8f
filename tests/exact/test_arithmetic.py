"""Scaled integers, rational points, exact boxes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milpcount.core.domain import Box
from milpcount.core.point import Point, scaled_integers
from milpcount.exact.dyadic import ExactBox, integer_matrix, to_float

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, max_size=6))
def test_scaled_integers_are_the_floats(values: list[float]) -> None:
    integers, shift = scaled_integers(np.array(values))
    assert [Fraction(n, 1 << shift) for n in integers] == [Fraction(v) for v in values]
    assert shift >= 0


def test_float32_weights_stay_short() -> None:
    weights = np.random.default_rng(0).normal(size=100).astype(np.float32).astype(float)
    integers, _ = scaled_integers(weights)
    spread = np.log2(np.max(np.abs(weights)) / np.min(np.abs(weights)))
    assert max(abs(n).bit_length() for n in integers) <= 25 + spread


@pytest.mark.parametrize("value", [5e-324, -5e-324, 1.7e308, 2.0**-1022, 0.1])
def test_extreme_floats(value: float) -> None:
    integers, shift = scaled_integers(np.array([value, 1.0]))
    assert Fraction(integers[0], 1 << shift) == Fraction(value)


@given(st.lists(finite, min_size=1, max_size=5))
def test_points_of_floats(values: list[float]) -> None:
    point = Point.of_floats(np.array(values))
    assert list(point.fractions()) == [Fraction(v) for v in values]
    assert point.floats().tolist() == [v + 0.0 for v in values]


def test_integer_matrix() -> None:
    matrix, shift = integer_matrix(np.array([[0.5, -0.25], [3.0, 0.0]]))
    assert (matrix.tolist(), shift) == ([[2, -1], [12, 0]], 2)


@given(st.lists(st.integers(), min_size=1, max_size=4))
def test_to_float_rounds_correctly(numbers: list[int]) -> None:
    floats, shift = to_float(numbers)
    assert shift == 0
    assert floats.tolist() == [float(n) for n in numbers]


def test_to_float_beyond_the_range_of_floats() -> None:
    floats, shift = to_float([3 << 2000, -(5 << 1990)])
    assert shift == 1002
    assert floats.tolist() == [float(3 << 998), float(-(5 << 988))]


def test_exact_box() -> None:
    box = ExactBox.of(Box([0.5, -np.inf, 1.0], [0.75, 2.0, 1.0]))
    assert box.free == (0, 1)
    assert box.contains(Point((2, -400, 4), 4))
    assert not box.contains(Point((1, 0, 4), 4))
    # sup of 2x - 0y + z over x <= 3/4, z = 1
    assert Fraction(box.supremum((2, 0, 1, -1)) or 0, box.denominator) == Fraction(3, 2)
    assert box.supremum((0, -1, 0, 0)) is None
