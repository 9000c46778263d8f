"""Float64 sums of products with outward error bounds.

For any order of summation, with or without fused multiply-add, the computed value of
``sum_{k<=n} a_k x_k`` differs from the true one by at most ``gamma_n sum |a_k x_k|`` plus one
smallest subnormal per product, where ``gamma_n = n u / (1 - n u)`` and ``u = 2^-53`` (Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., eq. 3.7 and section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from milpcount.core.matrix import Matrix, SparseMatrix, times

__all__ = ["TINY", "affine_range", "float_above", "float_below", "gamma"]

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


def affine_range(
    weights: Sequence[Matrix], bias: Float, los: Sequence[Float], his: Sequence[Float]
) -> tuple[Float, Float]:
    """Outward-rounded range of ``sum_k weights[k] @ v_k + bias`` over ``los[k] <= v_k <= his[k]``.

    Ends whose sign the error bound leaves open are recomputed in exact arithmetic, so that a
    unit that touches zero exactly (a hyperplane that is a face of the box) is seen to be stable.

    Arguments:
        weights: of shape ``(units, inputs of k)`` each, dense or sparse.
        bias: shape ``(units,)``.
        los: finite, shape ``(inputs of k,)`` each.
        his: likewise.

    Returns:
        Lower and upper ends, each of shape ``(units,)``.
    """
    low, high, size = bias.copy(), bias.copy(), np.abs(bias)
    for weight, lo, hi in zip(weights, los, his, strict=True):
        positive = _each(weight, lambda w: np.maximum(w, 0.0))
        negative = _each(weight, lambda w: np.minimum(w, 0.0))
        low += times(positive, lo) + times(negative, hi)
        high += times(positive, hi) + times(negative, lo)
        size += times(_each(weight, np.abs), np.maximum(np.abs(lo), np.abs(hi)))
    # Two products and two additions for each thing read: so many terms in one sum.
    terms = 2 * (sum(weight.shape[1] for weight in weights) + len(weights))
    error = gamma(terms) * size + terms * TINY
    lower, upper = round_down(low, error), round_up(high, error)
    touching = np.flatnonzero((np.abs(low) <= 2 * error) | (np.abs(high) <= 2 * error))
    for i in touching[:EXACT_UNITS].tolist():
        low_terms = high_terms = Fraction(float(bias[i]))
        for weight, lo, hi in zip(weights, los, his, strict=True):
            for j, value in _row(weight, i):
                w = Fraction(value)
                at_lo, at_hi = w * Fraction(float(lo[j])), w * Fraction(float(hi[j]))
                low_terms += min(at_lo, at_hi)
                high_terms += max(at_lo, at_hi)
        lower[i], upper[i] = float_below(low_terms), float_above(high_terms)
    return lower, upper


def _each(weight: Matrix, function: Callable[[Float], Float]) -> Matrix:
    """The matrix with a function of each entry that keeps 0."""
    if isinstance(weight, SparseMatrix):
        return replace(weight, values=function(weight.values))
    return function(weight)


def _row(weight: Matrix, i: int) -> Iterator[tuple[int, float]]:
    """Columns and values of the entries of a row that are not 0."""
    if isinstance(weight, SparseMatrix):
        part = slice(int(weight.starts[i]), int(weight.starts[i + 1]))
        columns, values = weight.columns[part], weight.values[part]
    else:
        columns = np.flatnonzero(weight[i])
        values = weight[i, columns]
    return zip(columns.tolist(), values.tolist(), strict=True)


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
