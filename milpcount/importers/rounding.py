"""Float64 arithmetic that knows whether it rounded.

Every function returns its result together with ``exact``: whether the result is the real number,
not only the float64 nearest to it.  Sums of products are formed in integers and rounded once, so
a folded weight is the same on every machine, whatever the BLAS: content hashes depend on it.

All raise ``OverflowError`` when a result is beyond float64.
"""

from __future__ import annotations

import math
from decimal import Context
from fractions import Fraction

import flint
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "add",
    "divide",
    "dot",
    "matmul",
    "multiply",
    "nearest_float",
    "over_root",
    "scatter",
]

Float = NDArray[np.float64]
Integers = NDArray[np.object_]

_CHUNK = 1 << 20
_MANTISSA = 53
_SMALLEST = -1074  # exponent of the smallest subnormal
_SPLITTER = float(2**27 + 1)
_DECIMAL = Context(prec=60)


def nearest_float(value: Fraction) -> tuple[float, bool]:
    """The float64 nearest to a rational, and whether it is that rational."""
    result = value.numerator / value.denominator  # int / int rounds correctly
    return result, Fraction(result) == value


def add(a: Float, b: Float) -> tuple[Float, bool]:
    """``a + b`` elementwise, with broadcasting (TwoSum: the error of a sum is a float)."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.asarray(a + b)
        part = total - a
        error = (a - (total - part)) + (b - part)
    _require_finite(total)
    return total, not np.any(error)


def multiply(a: Float, b: Float) -> tuple[Float, bool]:
    """``a * b`` elementwise, with broadcasting."""
    with np.errstate(over="ignore", under="ignore"):
        product = np.asarray(a * b)
    _require_finite(product)
    return product, _all_products(a, b, product)


def divide(a: Float, b: Float) -> tuple[Float, bool]:
    """``a / b`` elementwise, with broadcasting; ``b`` has no zero."""
    with np.errstate(over="ignore", under="ignore"):
        quotient = np.asarray(a / b)
    _require_finite(quotient)
    return quotient, _all_products(quotient, b, a)


def dot(a: Float, b: Float, constant: Float) -> tuple[Float, bool]:
    """``sum_k a[i, k] * b[i, k] + constant[i]``, rounded once; shapes (rows, k), (rows,)."""
    out = np.empty(a.shape[0])
    exact = True
    step = max(1, _CHUNK // max(1, a.shape[1]))
    for start in range(0, a.shape[0], step):
        rows = slice(start, start + step)
        ints_a, low_a = _integers(a[rows], axis=1)
        ints_b, low_b = _integers(b[rows], axis=1)
        ints_c, low_c = _integers(constant[rows, None], axis=1)
        products = (ints_a * ints_b).sum(axis=1)
        for i, product in enumerate(products):
            low = int(low_a[i] + low_b[i])
            shift = int(low_c[i]) - low
            addend = ints_c[i, 0]
            if shift >= 0:
                total, scale = product + (addend << shift), low
            else:
                total, scale = (product << -shift) + addend, low + shift
            out[start + i], same = _rounded(total, scale)
            exact &= same
    return out, exact


def matmul(a: Float, b: Float) -> tuple[Float, bool]:
    """``a @ b`` for matrices, every entry rounded once."""
    (rows, inner), columns = a.shape, b.shape[1]
    ints_b, low_b = _integers(b, axis=0)
    right = flint.fmpz_mat(inner, columns, ints_b.ravel().tolist())
    out = np.empty((rows, columns))
    exact = True
    step = max(1, _CHUNK // max(1, columns, inner))
    for start in range(0, rows, step):
        ints_a, low_a = _integers(a[start : start + step], axis=1)
        count = ints_a.shape[0]
        left = flint.fmpz_mat(count, inner, ints_a.ravel().tolist())
        entries = (left * right).entries()
        for i in range(count):
            for j in range(columns):
                total = int(entries[i * columns + j])
                out[start + i, j], same = _rounded(total, int(low_a[i] + low_b[j]))
                exact &= same
    return out, exact


def scatter(shape: tuple[int, int], place: NDArray[np.int64], value: Float) -> tuple[Float, bool]:
    """A matrix with ``value[i]`` at flat place ``place[i]``; values at one place are summed."""
    order = np.argsort(place, kind="stable")
    place, value = place[order], value[order]
    matrix = np.zeros(shape[0] * shape[1])
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    matrix[place[starts]] = value[starts]
    counts = np.diff(starts, append=place.size)
    exact = True
    for start, count in zip(starts[counts > 1], counts[counts > 1], strict=True):
        terms = value[start : start + count].tolist()
        total = math.fsum(terms)
        matrix[place[start]] = total
        exact &= math.fsum([*terms, -total]) == 0
    return matrix.reshape(shape), exact


def over_root(scale: Float, variance: Float, epsilon: float) -> tuple[Float, bool]:
    """``scale / sqrt(variance + epsilon)`` for vectors; the sum under the root is positive."""
    out = np.empty(scale.shape)
    exact = True
    extra = _DECIMAL.create_decimal_from_float(epsilon)
    for i, (top, below) in enumerate(zip(scale.tolist(), variance.tolist(), strict=True)):
        root = _DECIMAL.sqrt(_DECIMAL.add(_DECIMAL.create_decimal_from_float(below), extra))
        out[i] = float(_DECIMAL.divide(_DECIMAL.create_decimal_from_float(top), root))
        if not math.isfinite(out[i]):
            raise OverflowError("a result is beyond the range of float64")
        under = Fraction(below) + Fraction(epsilon)
        exact &= Fraction(float(out[i])) ** 2 * under == Fraction(top) ** 2
    return out, exact


def _require_finite(values: Float) -> None:
    if not np.all(np.isfinite(values)):
        raise OverflowError("a result is beyond the range of float64")


def _all_products(a: Float, b: Float, product: Float) -> bool:
    """Whether ``a * b == product`` in real arithmetic, for every element."""
    if bool(np.all(np.abs(b) == 1)):
        return bool(np.all(a * b == product))
    a, b, product = np.broadcast_arrays(a, b, product)
    if product.ndim == 0:
        return _is_product(a, b, product)
    step = max(1, _CHUNK * product.shape[0] // max(1, product.size))
    return all(
        _is_product(a[i : i + step], b[i : i + step], product[i : i + step])
        for i in range(0, product.shape[0], step)
    )


def _is_product(a: Float, b: Float, product: Float) -> bool:
    # Mantissas alone: nothing in the product of two of them can over- or underflow.
    mantissa_a, exponent_a = np.frexp(a)
    mantissa_b, exponent_b = np.frexp(b)
    p = mantissa_a * mantissa_b
    high_a, low_a = _split(mantissa_a)
    high_b, low_b = _split(mantissa_b)
    error = low_a * low_b - (((p - high_a * high_b) - low_a * high_b) - high_a * low_b)
    mantissa, exponent = np.frexp(product)
    mantissa_p, exponent_p = np.frexp(p)
    same = (mantissa == mantissa_p) & (
        (p == 0) | (exponent == exponent_p + exponent_a + exponent_b)
    )
    return bool(np.all(same & (error == 0)))


def _split(x: Float) -> tuple[Float, Float]:
    """Veltkamp's splitting into two halves of at most 26 bits."""
    scaled = _SPLITTER * x
    high = scaled - (scaled - x)
    return high, x - high


def _integers(x: Float, axis: int) -> tuple[Integers, NDArray[np.int64]]:
    """Integers ``m`` and exponents ``e`` (one per slice along ``axis``) with ``x = m * 2^e``."""
    mantissa, exponent = np.frexp(x)
    whole = np.ldexp(mantissa, _MANTISSA).astype(np.int64)
    # Float32 weights end in 29 zero bits: without them the integers stay in one machine word.
    _, zeros = np.frexp((whole & -whole).astype(np.float64))
    zeros = np.where(whole == 0, 0, zeros - 1)
    whole >>= zeros
    power = exponent.astype(np.int64) - _MANTISSA + zeros
    low = np.min(power, axis=axis, keepdims=True, where=whole != 0, initial=1 << 20)
    low = np.where(low == 1 << 20, 0, low)
    shift = np.where(whole == 0, 0, power - low)
    ints = np.left_shift(whole.astype(object), shift.astype(object))
    return ints, low.squeeze(axis)


def _rounded(value: int, power: int) -> tuple[float, bool]:
    """``value * 2^power`` rounded to nearest even, and whether that changed nothing."""
    if value == 0:
        return 0.0, True
    lowest = (value & -value).bit_length() - 1
    value >>= lowest
    power += lowest
    if value.bit_length() <= _MANTISSA and power >= _SMALLEST:
        return math.ldexp(value, power), True
    if power >= 0:
        return float(value << power), False
    return value / (1 << -power), False
