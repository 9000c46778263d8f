"""Float64 sums of products with outward error bounds.

For any order of summation, with or without fused multiply-add, the computed value of
``sum_{k<=n} a_k x_k`` differs from the true one by at most ``gamma_n sum |a_k x_k|`` plus one
smallest subnormal per product, where ``gamma_n = n u / (1 - n u)`` and ``u = 2^-53`` (Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., eq. 3.7 and section 3.1).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["affine_range", "gamma", "round_down", "round_up"]

Float = NDArray[np.float64]

UNIT_ROUNDOFF = 2.0**-53
TINY = 5e-324  # smallest subnormal: what one product can lose to underflow
EXACT_UNITS = 4096  # ends recomputed as fractions per layer, so that no input makes this slow


def gamma(n: int) -> float:
    """Upper bound of ``gamma_n``; four roundings of slack pay for computing with it in float64."""
    return (n + 4) * UNIT_ROUNDOFF / (1 - 2 * (n + 4) * UNIT_ROUNDOFF)


def round_up(value: Float, error: Float) -> Float:
    """A float64 at least the true ``value + error`` (one addition, rounded outward)."""
    return np.nextafter(value + error, np.inf)


def round_down(value: Float, error: Float) -> Float:
    """A float64 at most the true ``value - error``."""
    return np.nextafter(value - error, -np.inf)


def affine_range(weight: Float, bias: Float, lo: Float, hi: Float) -> tuple[Float, Float]:
    """Outward-rounded range of ``weight @ v + bias`` over the finite box ``lo <= v <= hi``.

    Ends whose sign the error bound leaves open are recomputed in exact arithmetic, so that a
    unit that touches zero exactly (a hyperplane that is a face of the box) is seen to be stable.

    Arguments:
        weight: shape ``(units, inputs)``.
        bias: shape ``(units,)``.
        lo: shape ``(inputs,)``.
        hi: shape ``(inputs,)``.

    Returns:
        Lower and upper ends, each of shape ``(units,)``.
    """
    positive, negative = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
    n = weight.shape[1] + 1
    size = np.abs(weight) @ np.maximum(np.abs(lo), np.abs(hi)) + np.abs(bias)
    # Two matrix products and two additions per end: 2 n + 2 terms in one sum.
    error = gamma(2 * n) * size + (2 * n) * TINY
    low = positive @ lo + negative @ hi + bias
    high = positive @ hi + negative @ lo + bias
    lower, upper = round_down(low, error), round_up(high, error)
    touching = np.flatnonzero((np.abs(low) <= 2 * error) | (np.abs(high) <= 2 * error))
    for i in touching[:EXACT_UNITS]:
        used = np.flatnonzero(weight[i])
        start = Fraction(float(bias[i]))
        low_terms, high_terms = start, start
        for j in used:
            w = Fraction(float(weight[i, j]))
            at_lo, at_hi = w * Fraction(float(lo[j])), w * Fraction(float(hi[j]))
            low_terms += min(at_lo, at_hi)
            high_terms += max(at_lo, at_hi)
        lower[i], upper[i] = float_below(low_terms), float_above(high_terms)
    return lower, upper


def float_above(value: Fraction) -> float:
    """The smallest float64 at or above ``value``; infinity above all finite ones."""
    try:
        nearest = float(value)
    except OverflowError:
        return float("inf") if value > 0 else float(np.finfo(np.float64).min)
    return nearest if Fraction(nearest) >= value else float(np.nextafter(nearest, np.inf))


def float_below(value: Fraction) -> float:
    """The largest float64 at or below ``value``."""
    return -float_above(-value)
