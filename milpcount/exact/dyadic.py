"""Arrays and boxes of floats as integers over a common power of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.domain import Box
from milpcount.core.point import Point, scaled_integers

__all__ = ["ExactBox", "column", "integer_matrix", "to_float"]


def integer_matrix(values: NDArray[np.float64]) -> tuple[fmpz_mat, int]:
    """The array of shape (rows, columns) as an integer matrix and its shift."""
    integers, shift = scaled_integers(values)
    return fmpz_mat(values.shape[0], values.shape[1], integers), shift


def column(point: Point) -> fmpz_mat:
    """``(x, 1)`` times the point's denominator, as a column."""
    entries = [*point.numerators, point.denominator]
    return fmpz_mat(len(entries), 1, entries)


def to_float(numbers: Sequence[int]) -> tuple[NDArray[np.float64], int]:
    """Floats ``f`` and ``shift >= 0`` with ``f[i] * 2**shift`` nearest to ``numbers[i]``.

    The shift is 0 unless the numbers pass the range of floats.
    """
    top = max((abs(n).bit_length() for n in numbers), default=0)
    shift = max(0, top - 1000)
    scale = 1 << shift
    # int / int rounds correctly at any size.
    return np.array([n / scale for n in numbers], dtype=np.float64), shift


@dataclass(frozen=True, eq=False)
class ExactBox:
    """A box in integers: ends are ``lo[j] / denominator``, None where a side is open."""

    lo: tuple[int | None, ...]
    hi: tuple[int | None, ...]
    denominator: int

    @classmethod
    def of(cls, box: Box) -> ExactBox:
        """The box with one entry per coordinate, exactly."""
        n = box.lo.shape[0]
        ends = np.concatenate([box.lo, box.hi])
        finite = np.isfinite(ends)
        integers, shift = scaled_integers(np.where(finite, ends, 0.0))
        values = [v if f else None for v, f in zip(integers, finite.tolist(), strict=True)]
        return cls(tuple(values[:n]), tuple(values[n:]), 1 << shift)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.lo)

    @cached_property
    def free(self) -> tuple[int, ...]:
        """Coordinates that are not fixed."""
        pairs = enumerate(zip(self.lo, self.hi, strict=True))
        return tuple(j for j, (a, b) in pairs if a is None or a != b)

    def contains(self, point: Point) -> bool:
        """Whether the point lies in the closed box."""
        for n, a, b in zip(point.numerators, self.lo, self.hi, strict=True):
            scaled = n * self.denominator
            if a is not None and scaled < a * point.denominator:
                return False
            if b is not None and scaled > b * point.denominator:
                return False
        return True

    def supremum(self, row: Sequence[int]) -> int | None:
        """``denominator * sup`` of ``row[:n] . x + row[n]`` over the box, None if unbounded."""
        total = row[-1] * self.denominator
        for c, a, b in zip(row, self.lo, self.hi, strict=False):
            if c == 0:
                continue
            end = b if c > 0 else a
            if end is None:
                return None
            total += c * end
        return int(total)
