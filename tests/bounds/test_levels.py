"""The histograms of bounds.levels: closed form, listed values, enumerated arrangements."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount import bounds
from milpcount.bounds.levels import activation_histogram, most_patterns

# One affine function: coefficients, then the constant.
Function = tuple[Fraction, ...]
Cells = dict[tuple[bool, ...], tuple[Fraction, ...]]


def _value(f: Function, x: tuple[Fraction, ...]) -> Fraction:
    return sum((a * b for a, b in zip(f, x, strict=False)), f[-1])


def cells(functions: list[Function], n: int) -> Cells:
    """Patterns of the full-dimensional cells, each with an interior point, by deletion.

    A constant function has one sign everywhere; zero counts as inactive.
    """
    if not functions:
        return {(): (Fraction(0),) * n}
    *others, f = functions
    whole = cells(others, n)
    pivot = next((i for i in range(n) if f[i] != 0), None)
    if pivot is None:
        return {(*p, f[-1] > 0): x for p, x in whole.items()}

    def onto(g: Function) -> Function:
        """``g`` on the hyperplane ``f = 0``, without coordinate ``pivot``."""
        factor = g[pivot] / f[pivot]
        kept = [a - factor * b for a, b in zip(g, f, strict=True)]
        return tuple(kept[:pivot] + kept[pivot + 1 :])

    out: Cells = {}
    cut: Cells = {}
    proper = [g for g in others if any(g[:-1])]
    if all(any(onto(g)) for g in proper):  # else the hyperplane is there already
        cut = cells([onto(g) for g in others], n - 1)
    for p, x in whole.items():
        if p not in cut:
            out[(*p, _value(f, x) > 0)] = x
            continue
        y = cut[p]
        at = -(_value((*f[:pivot], *f[pivot + 1 :]), y)) / f[pivot]
        foot = (*y[:pivot], at, *y[pivot:])
        for active in (True, False):
            # A step along the coordinate, short enough to keep every other sign.
            step = Fraction(1) if (f[pivot] > 0) is active else Fraction(-1)
            gaps = [abs(_value(g, foot) / g[pivot]) for g in proper if g[pivot] != 0]
            step *= min([Fraction(1), *(gap / 2 for gap in gaps)])
            out[(*p, active)] = (*foot[:pivot], foot[pivot] + step, *foot[pivot + 1 :])
    return out


def few_inactive(functions: list[Function], n: int) -> list[int]:
    """``F_0, ..., F_m`` of one arrangement."""
    found = cells(functions, n)
    for pattern, x in found.items():
        assert pattern == tuple(_value(f, x) > 0 for f in functions)
    m = len(functions)
    return [sum(1 for p in found if p.count(False) <= j) for j in range(m + 1)]


def dominated(functions: list[Function], n: int) -> bool:
    m = len(functions)
    return all(f <= most_patterns(n, m, j) for j, f in enumerate(few_inactive(functions, n)))


def test_the_oracle_counts_arrangements() -> None:
    rng = np.random.default_rng(0)
    for n, m in ((1, 5), (2, 6), (3, 5)):
        general = [tuple(map(Fraction, row)) for row in rng.normal(size=(m, n + 1))]
        assert len(cells(general, n)) == bounds.count_arrangement(m, n)
    braid = [(1, -1, 0, 0), (1, 0, -1, 0), (0, 1, -1, 0)]
    assert len(cells([tuple(map(Fraction, f)) for f in braid], 3)) == 6
    resonance = [(*bits, 0) for bits in itertools.product((0, 1), repeat=3) if any(bits)]
    assert len(cells([tuple(map(Fraction, f)) for f in resonance], 3)) == 32


def test_listed_histograms() -> None:
    listed = {
        (1, 3): [0, 1, 2, 1],
        (1, 4): [0, 0, 2, 2, 1],
        (2, 4): [0, 2, 4, 4, 1],
        (2, 5): [0, 0, 5, 5, 5, 1],
        (3, 5): [0, 2, 8, 10, 5, 1],
    }
    assert {key: activation_histogram(*key) for key in listed} == listed


def test_hinz_with_the_proved_histograms() -> None:
    values = {(2, 4, 4): 109, (3, 5, 2, 6): 930, (2, 10, 10): 3136, (1, 3, 3): 16}
    assert {w: bounds.bound_hinz2019(w) for w in values} == values


def test_closed_form_is_the_recursion() -> None:
    for n, m in itertools.product(range(9), range(1, 25)):
        f = [most_patterns(n, m, j) for j in range(-1, m + 1)]
        assert f[0] == 0
        assert f[1] == 1
        assert f[-1] == bounds.count_arrangement(m, n)
        for j in range(m + 1):
            if n == 2:
                expected = min(1 + j * m, 1 + m + comb(m, 2))
            elif n >= m:
                expected = bounds.count_arrangement(m, j)
            elif n >= 3:
                expected = most_patterns(n, m - 1, j) + most_patterns(n - 1, m - 1, j - 1)
            else:
                continue
            assert f[j + 1] == expected
            assert expected <= bounds.count_arrangement(m, min(j, n)), "never above Serra's"
        assert all(v >= 0 for v in activation_histogram(n, m))


def test_the_plane_is_attained() -> None:
    # Sides of an almost regular polygon, active inside (no two of them parallel).
    for m in range(3, 8):
        angles = [2 * np.pi * (k + 0.01 * k * k / m) / m for k in range(m)]
        tangents = [(Fraction(np.cos(a)), Fraction(np.sin(a)), Fraction(1)) for a in angles]
        counts = few_inactive(tangents, 2)
        assert counts == [most_patterns(2, m, j) for j in range(m + 1)]


def test_the_line_is_attained() -> None:
    for m in range(1, 8):
        points = [
            (Fraction(1 if t < m / 2 else -1), Fraction(-t if t < m / 2 else t)) for t in range(m)
        ]
        assert few_inactive(points, 1) == [most_patterns(1, m, j) for j in range(m + 1)]


@pytest.mark.parametrize(("n", "m"), [(1, 6), (2, 5), (2, 6), (2, 7), (3, 5), (3, 6), (4, 6)])
def test_general_arrangements_are_dominated(n: int, m: int) -> None:
    rng = np.random.default_rng(10 * n + m)
    for trial in range(12):
        rows = rng.integers(-9, 10, size=(m, n + 1))
        if trial % 3 == 0:
            rows[:, -1] = abs(rows[:, -1])  # a cell where all are active
        if trial % 3 == 1:
            rows[:, -1] = -abs(rows[:, -1])  # all are inactive at the origin
        assert dominated([tuple(map(Fraction, map(int, row))) for row in rows], n)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_degenerate_arrangements_are_dominated(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 3))
    small = st.integers(-1, 1).map(Fraction)
    functions = data.draw(st.lists(st.tuples(*[small] * (n + 1)), min_size=1, max_size=7 - n))
    assert dominated(functions, n)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_half_open_patterns_on_a_grid_are_dominated(data: st.DataObject) -> None:
    # Not only cells: every pattern of every point, on integer lines through grid points.
    m = data.draw(st.integers(1, 7))
    small = st.integers(-2, 2)
    lines = data.draw(st.lists(st.tuples(small, small, small), min_size=m, max_size=m))
    grid = itertools.product(range(-8, 9), repeat=2)
    found = {tuple(a * x + b * y + 2 * c > 0 for a, b, c in lines) for x, y in grid}
    for j in range(m + 1):
        assert sum(1 for p in found if p.count(False) <= j) <= most_patterns(2, m, j)


def _hinz_by_matrices(widths: list[int], ranks: list[int]) -> int:
    """The product of matrices of Hinz and van de Geer, applied to the last unit vector."""
    n0, *layers = widths
    vector = [0] * n0 + [1]  # entry d: regions with image of dimension d
    for m, rank in zip(layers, ranks, strict=True):
        after = [0] * (m + 1)
        for d, regions in enumerate(vector):
            dimension = min(d, m, rank)
            for i, count in enumerate(activation_histogram(dimension, m)):
                after[min(i, dimension)] += regions * count
        vector = after
    return sum(vector)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.data())
def test_hinz_by_products_of_matrices(widths: list[int], data: st.DataObject) -> None:
    ranks = [data.draw(st.integers(0, n)) for n in widths[1:]]
    assert bounds.bound_hinz2019(widths) == _hinz_by_matrices(widths, widths[1:])
    assert bounds.bound_hinz2019(widths, ranks) == _hinz_by_matrices(widths, ranks)
    assert bounds.bound_hinz2019(widths, ranks) <= bounds.bound_serra2018(widths, ranks)


def test_layers_too_costly_fall_back_to_serra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("milpcount.bounds.hinz._COST_LIMIT", 0)
    assert bounds.bound_hinz2019([3, 5, 2, 6]) == bounds.bound_serra2018([3, 5, 2, 6]) == 962
