"""Exact products of float matrices with integer vectors, against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from milpcount.exact import float_products
from milpcount.exact.float_products import exact_products


def _check(matrix: np.ndarray, vectors: list[list[int]]) -> None:
    products, shift = exact_products(matrix, vectors)
    assert shift >= 0
    for row, vector in zip(products, vectors, strict=True):
        for i, found in enumerate(row):
            terms = zip(matrix[i].tolist(), vector, strict=True)
            assert Fraction(found, 1 << shift) == sum(Fraction(w) * v for w, v in terms)


@pytest.mark.parametrize("spread", [0, 30, 400])
@pytest.mark.parametrize("scale", [0, 900, -1060])
def test_products_are_exact(spread: int, scale: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of one size and of many, near the largest floats and below the normal ones."""
    monkeypatch.setattr(float_products, "_FEW", 0)
    monkeypatch.setattr(float_products, "_TOGETHER", 300)
    rng = np.random.default_rng(spread)
    sizes = rng.integers(-spread, 1, size=(7, 130))
    numbers = rng.normal(size=sizes.shape)
    numbers[2], numbers[3, 5:] = 0.0, np.float32(numbers[3, 5:])
    matrix = np.ldexp(numbers, sizes + scale)
    wide = [int(v) ** 3 for v in rng.integers(-(2**60), 2**60, size=130)]
    _check(matrix, [wide, [0] * 130, rng.integers(-3, 4, size=130).tolist()])


def test_integers_are_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the matrix became integers")

    monkeypatch.setattr(float_products, "integer_matrix", refuse)
    rng = np.random.default_rng(0)
    matrix = np.float32(rng.normal(size=(20, 400))).astype(float)
    _check(matrix, [rng.integers(-(2**50), 2**50, size=400).tolist()])
    # The sums' largest terms: all entries at the top of their pieces.
    _check(np.full((20, 300), 1.0 - 2.0**-53), [[(1 << 66) - 1] * 300])
