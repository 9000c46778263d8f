"""Exact products of a float matrix with a few vectors of integers, by products of floats.

Both are cut into pieces of ``K`` bits: ``W = sum_l W_l 2**(e - K l)`` with integers ``|W_l| <
2**K``, and the vectors likewise.  A product of two pieces is a sum of ``n`` integers below
``2**(2 K)``; with ``n 2**(2 K) <= 2**53`` every partial sum is an integer that a float holds, in
whatever order it is made and with fused operations or without, so nothing is rounded.  No entry
of the matrix becomes a Python integer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.exact.dyadic import integer_matrix

__all__ = ["exact_products"]

Float = NDArray[np.float64]

_MOST_PIECES = 12  # of the matrix; integers are better where entries differ more in size
_FEW = 4096  # entries of a matrix that are integers soon
_TOGETHER = 1 << 17  # entries that stay in a cache


def exact_products(matrix: Float, vectors: Sequence[Sequence[int]]) -> tuple[list[list[int]], int]:
    """Integers ``p`` and ``shift >= 0`` with ``(matrix @ vectors[j])[i] = p[j][i] / 2**shift``.

    Arguments:
        matrix: finite, shape ``(m, n)``.
        vectors: of ``n`` integers each.
    """
    bits = (53 - max(matrix.shape[1] - 1, 1).bit_length()) // 2
    exponent = int(np.frexp(np.abs(matrix).max(initial=0.0))[1])
    power = bits - exponent
    if matrix.size <= _FEW or bits < 8 or abs(power) > 1000:
        return _by_integers(matrix, vectors)
    digits = _digits(vectors, bits)
    # Its columns are the first digits of all vectors, then the second ones, and so on.
    table = np.concatenate(digits).T
    totals, counts = [], []
    step = max(1, _TOGETHER // matrix.shape[1])
    for k in range(0, len(matrix), step):
        parts = _pieces(matrix[k : k + step], power, bits)
        if parts is None:
            return _by_integers(matrix, vectors)
        shape = len(parts) + len(digits) - 1, len(parts[0]), len(vectors)
        sums = np.zeros(shape, dtype=np.int64)
        for place, part in enumerate(parts):
            found = (part @ table).astype(np.int64).reshape(-1, len(digits), len(vectors))
            sums[place : place + len(digits)] += found.transpose(1, 0, 2)
        total = np.zeros(shape[1:], dtype=object)
        for row in sums:
            total = (total << bits) + row.astype(object)
        totals.append(total)
        counts.append(len(parts))
    most = max(counts)
    total = np.concatenate(
        [t << bits * (most - count) for t, count in zip(totals, counts, strict=True)]
    )
    shift = bits * most - exponent
    if shift < 0:
        total, shift = total << -shift, 0
    return [list(column) for column in total.T.tolist()], shift


def _by_integers(matrix: Float, vectors: Sequence[Sequence[int]]) -> tuple[list[list[int]], int]:
    weight, shift = integer_matrix(matrix)
    flat = [v for vector in vectors for v in vector]
    product = weight * fmpz_mat(len(vectors), matrix.shape[1], flat).transpose()
    return [[int(v) for v in row] for row in product.transpose().tolist()], shift


def _pieces(matrix: Float, power: int, bits: int) -> list[Float] | None:
    """Integers with ``matrix 2**power = sum_l pieces[l] 2**(-bits l)``; None if there are many.

    No entry of ``matrix 2**power`` is above ``2**bits``.
    """
    rest = matrix * 2.0**power
    if not np.array_equal(rest * 2.0**-power, matrix):
        return None  # lost to underflow
    parts: list[Float] = []
    while not parts or rest.any():
        if len(parts) == _MOST_PIECES:
            return None
        parts.append(np.trunc(rest))
        # Both steps are exact: what is left has fewer digits, and none of them is small.
        rest -= parts[-1]
        rest *= 2.0**bits
    return parts


def _digits(vectors: Sequence[Sequence[int]], bits: int) -> list[Float]:
    """Digits of the integers to the base ``2**bits``, largest first, each with its sign."""
    top = max((abs(v).bit_length() for vector in vectors for v in vector), default=0)
    count = max(1, -(-top // bits))
    mask = (1 << bits) - 1
    signs = np.array([[-1.0 if v < 0 else 1.0 for v in vector] for vector in vectors])
    out = []
    for k in range(count - 1, -1, -1):
        digit = [[(abs(v) >> bits * k) & mask for v in vector] for vector in vectors]
        out.append(signs * np.array(digit, dtype=np.float64))
    return out
