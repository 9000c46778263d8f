"""Bounds for maxout networks: each unit is the largest of ``k`` affine functions (its rank)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from milpcount.bounds.upper import count_arrangement
from milpcount.bounds.widths import require_widths
from milpcount.errors import InputError

__all__ = [
    "bound_maxout_montufar2022",
    "bound_maxout_montufar2022_shallow",
    "bound_maxout_serra2018",
]


def _require_rank(rank: int) -> int:
    if isinstance(rank, bool) or not hasattr(rank, "__index__") or rank < 1:
        raise InputError(f"the rank of a maxout unit is a whole number above 0, not {rank!r}")
    return int(rank)


def bound_maxout_serra2018(widths: Sequence[int], rank: int) -> int:
    """``prod_l sum_{j <= d_l} C(k (k - 1) / 2 * n_l, j)``, ``d_l = min(n_0, ..., n_l)``.

    Serra et al. 2018: the pieces of a rank-k unit are separated by ``k (k - 1) / 2`` hyperplanes.
    """
    widths, k = require_widths(widths), _require_rank(rank)
    dimensions = list(accumulate(widths, min))[1:]
    pairs = zip(widths[1:], dimensions, strict=True)
    return math.prod(count_arrangement(k * (k - 1) // 2 * n, d) for n, d in pairs)


def bound_maxout_montufar2022_shallow(inputs: int, ranks: Sequence[int]) -> int:
    """Return ``sum_{j <= n} sum_{|S| = j} prod_{i in S} (k_i - 1)``, sharp for one layer.

    Montúfar, Ren, Zhang 2022, with biases: the elementary symmetric polynomials of ``k_i - 1``.
    The formula was checked here on ``k = 2`` (ReLU arrangements), one unit (``k`` regions) and
    ``n >= m`` (``prod k_i``), not against the paper's text.
    """
    (n, *_) = require_widths([inputs, max(1, len(ranks))])
    symmetric = [1]
    for rank in ranks:
        factor = _require_rank(rank) - 1
        raised = [0, *(factor * e for e in symmetric)]
        symmetric = [a + b for a, b in zip([*symmetric, 0], raised, strict=True)][: n + 1]
    return sum(symmetric)


def bound_maxout_montufar2022(widths: Sequence[int], rank: int) -> int:
    """``prod_l sum_{j <= d_l} C(n_l, j) (k - 1)^j``, ``d_l = min(n_0, ..., n_{l-1})``.

    Each layer bounded by the sharp shallow value in the dimension that reaches it.
    """
    widths, k = require_widths(widths), _require_rank(rank)
    dimensions = accumulate(widths, min)
    pairs = zip(widths[1:], dimensions, strict=False)
    return math.prod(bound_maxout_montufar2022_shallow(d, [k] * n) for n, d in pairs)
