"""Float64 arithmetic that knows whether it rounded, against rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from milpcount.importers import rounding

# Beyond 2^300 products overflow, which has a test of its own.
values = st.one_of(
    st.integers(-8, 8).map(float),
    st.floats(-4, 4, width=32),
    st.floats(-1e90, 1e90),
    st.floats(-1e-290, 1e-290),
)
sizes = st.integers(1, 4)


def arrays(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, shape, elements=values)


def fractions(array: np.ndarray) -> list[Fraction]:
    return [Fraction(v) for v in array.ravel().tolist()]


def check(result: tuple[np.ndarray, bool], truth: list[Fraction]) -> None:
    """Every entry is the nearest float, and ``exact`` says whether all of them are the truth."""
    array, exact = result
    assert array.ravel().tolist() == [t.numerator / t.denominator for t in truth]
    assert exact == (fractions(array) == truth)


@settings(deadline=None)
@given(arrays(5), arrays(5))
def test_elementwise(a: np.ndarray, b: np.ndarray) -> None:
    pairs = list(zip(fractions(a), fractions(b), strict=True))
    check(rounding.add(a, b), [x + y for x, y in pairs])
    check(rounding.multiply(a, b), [x * y for x, y in pairs])


@settings(deadline=None)
@given(arrays(5), arrays(5))
def test_divide(a: np.ndarray, b: np.ndarray) -> None:
    b = np.where(np.abs(b) > 1e-200, b, 3.0)
    truth = [x / y for x, y in zip(fractions(a), fractions(b), strict=True)]
    check(rounding.divide(a, b), truth)


@settings(deadline=None)
@given(st.data(), sizes, sizes, sizes)
def test_matmul(data: st.DataObject, rows: int, inner: int, columns: int) -> None:
    a, b = data.draw(arrays(rows, inner)), data.draw(arrays(inner, columns))
    truth = [
        sum((Fraction(a[i, k]) * Fraction(b[k, j]) for k in range(inner)), Fraction(0))
        for i in range(rows)
        for j in range(columns)
    ]
    check(rounding.matmul(a, b), truth)


@settings(deadline=None)
@given(st.data(), sizes, sizes)
def test_dot(data: st.DataObject, rows: int, inner: int) -> None:
    a, b = data.draw(arrays(rows, inner)), data.draw(arrays(rows, inner))
    constant = data.draw(arrays(rows))
    truth = [
        sum((Fraction(x) * Fraction(y) for x, y in zip(a[i], b[i], strict=True)), Fraction(c))
        for i, c in enumerate(constant)
    ]
    check(rounding.dot(a, b, constant), truth)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), values), max_size=8))
def test_scatter(entries: list[tuple[int, float]]) -> None:
    place = np.array([p for p, _ in entries], dtype=np.int64)
    value = np.array([v for _, v in entries], dtype=np.float64)
    truth = [sum((Fraction(v) for p, v in entries if p == i), Fraction(0)) for i in range(6)]
    check(rounding.scatter((2, 3), place, value), truth)


def test_products_in_chunks_are_checked_to_the_last() -> None:
    a = np.ones((3, 1 << 19))
    b = np.full((3, 1 << 19), 3.0)
    assert rounding.multiply(a, b)[1]
    a[2, -1] = 1 / 3
    b[2, -1] = 1 / 3
    assert not rounding.multiply(a, b)[1]


@pytest.mark.parametrize(
    ("scale", "variance", "epsilon", "factor", "exact"),
    [
        (3.0, 3.75, 0.25, 1.5, True),
        (-1.0, 0.0, 2.0**-20, -1024.0, True),
        (1.0, 2.0, 0.0, math.sqrt(0.5), False),
        (0.0, 7.0, 0.0, 0.0, True),
    ],
)
def test_over_root(
    scale: float, variance: float, epsilon: float, factor: float, exact: bool
) -> None:
    result, same = rounding.over_root(np.array([scale]), np.array([variance]), epsilon)
    assert result[0] == factor
    assert same is exact


def test_overflow_is_an_error() -> None:
    big = np.array([1e300])
    with pytest.raises(OverflowError):
        rounding.multiply(big, big)
    with pytest.raises(OverflowError):
        rounding.add(np.array([1.7e308]), np.array([1.7e308]))
    with pytest.raises(OverflowError):
        rounding.divide(big, np.array([1e-300]))
    with pytest.raises(OverflowError):
        rounding.matmul(big[:, None], big[:, None])
    with pytest.raises(OverflowError):
        rounding.over_root(big, np.array([0.0]), 1e-320)
    with pytest.raises(OverflowError):
        rounding.scatter((1, 1), np.array([0, 0]), np.array([1.7e308, 1.7e308]))


def test_nearest_float() -> None:
    assert rounding.nearest_float(Fraction(1, 4)) == (0.25, True)
    assert rounding.nearest_float(Fraction(1, 3)) == (1 / 3, False)
