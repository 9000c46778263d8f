"""Floats as the rational numbers that they are, and rational points.

Every finite float is an integer times a power of two, so an array of floats is an array of
integers and one shift: ``value = integer * 2**-shift``.  Signs of sums and products of such
numbers are signs of integers, exact and fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["Point", "scaled_integers"]

# Up to so many numbers a loop in Python is faster than NumPy's calls.
_FEW = 64
_WORD = 62  # bits of numbers that integers of 64 bits hold


def scaled_integers(values: NDArray[np.float64]) -> tuple[list[int], int]:
    """Integers and ``shift >= 0`` with ``values.ravel()[i] == integers[i] * 2**-shift``.

    ``values`` must be finite.
    """
    if values.size <= _FEW:
        ratios = [v.as_integer_ratio() for v in values.ravel().tolist()]
        top = max((d.bit_length() for _, d in ratios), default=1)
        return [n << (top - d.bit_length()) for n, d in ratios], top - 1
    flat = np.ascontiguousarray(values, dtype=np.float64).ravel()
    mantissa, exponent = np.frexp(flat)
    integers = (mantissa * 2.0**53).astype(np.int64)
    exponent = exponent.astype(np.int64) - 53
    nonzero = integers != 0
    # Strip trailing zero bits, so that float32 weights keep 24-bit integers.
    low_bit = np.where(nonzero, integers & -integers, 1)
    trailing = (np.frexp(low_bit.astype(np.float64))[1] - 1).astype(np.int64)
    integers >>= trailing
    exponent += trailing
    shift = max(0, -int(exponent[nonzero].min())) if nonzero.any() else 0
    lifts = np.where(nonzero, exponent + shift, 0)
    if lifts.max() + np.frexp(np.abs(integers).max())[1] < _WORD:
        return (integers << lifts).tolist(), shift
    return [m << e for m, e in zip(integers.tolist(), lifts.tolist(), strict=True)], shift


@dataclass(frozen=True, slots=True)
class Point:
    """A rational point: coordinate ``j`` is ``numerators[j] / denominator``, denominator > 0."""

    numerators: tuple[int, ...]
    denominator: int

    @classmethod
    def of_floats(cls, x: NDArray[np.float64]) -> Point:
        """The point that the floats are, exactly."""
        integers, shift = scaled_integers(x)
        return cls(tuple(integers), 1 << shift)

    def fractions(self) -> tuple[Fraction, ...]:
        """The coordinates."""
        return tuple(Fraction(n, self.denominator) for n in self.numerators)

    def floats(self) -> NDArray[np.float64]:
        """The nearest floats, coordinate by coordinate."""
        return np.array([n / self.denominator for n in self.numerators], dtype=np.float64)
