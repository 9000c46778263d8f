"""Theorem 1 of Serra, Tjandraatmadja, Ramalingam (ICML 2018), by recurrence."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from flint import fmpz

from milpcount.bounds.widths import binomial_row, require_ranks, require_widths

__all__ = ["bound_serra2018", "layer_step"]


def bound_serra2018(widths: Sequence[int], ranks: Sequence[int] | None = None) -> int:
    r"""Return ``sum_{j in J} prod_l C(n_l, j_l)``, Theorem 1 of Serra et al. 2018.

    ``J`` holds the ``j`` with ``0 <= j_l <= min(n_0, n_1 - j_1, ..., n_{l-1} - j_{l-1}, n_l)``;
    where ``ranks`` of the weight matrices are known, the last ``n_l`` is replaced by
    ``rank(W^l)``.  Computed as ``R(1, n_0)`` with

        R(l, d) = sum_{j=0}^{min(d, r_l)} C(n_l, j) R(l + 1, min(d, n_l - j)),   R(L + 1, .) = 1,

    in ``O(n_l)`` products a layer.  Holds for plain ReLUs only: it uses that an inactive unit
    contributes nothing to the dimension of the image, so that ``j`` inactive units leave at most
    ``n_l - j`` dimensions.

    Raises:
        InputError: widths that are not positive integers, or ranks that do not go with them.
    """
    widths = require_widths(widths)
    layers = widths[1:]
    ranks = require_ranks(ranks, layers)
    # Inputs beyond the units of the first layer change nothing.
    inputs = min(widths[0], layers[0])
    values = [fmpz(1)] * (inputs + 1)
    for n, rank in zip(reversed(layers), reversed(ranks), strict=True):
        values = layer_step(n, rank, values)
    return int(values[inputs])


def layer_step(n: int, rank: int, after: Sequence[fmpz]) -> list[fmpz]:
    """Return ``R(l, d)`` for all ``d`` from ``R(l + 1, d)``, for a layer of ``n`` units.

    With ``j <= n - d`` inactive-side choices the dimension stays ``d``, so those terms share the
    factor ``R(l + 1, d)`` and a running sum of binomials; the others, with ``k = n - j < d``,
    are a running sum of ``C(n, k) R(l + 1, k)``.  GMP integers: they pass 100,000 bits.
    """
    top = min(len(after) - 1, n)
    row = [fmpz(c) for c in binomial_row(n, top)]
    sums = [fmpz(0), *itertools.accumulate(row)]
    weighted = [fmpz(0), *itertools.accumulate(row[k] * after[k] for k in range(top + 1))]
    out = []
    for d in range(top + 1):
        most = min(d, rank)
        shared = min(most, n - d)
        value = after[d] * sums[shared + 1]
        if most > shared:
            value += weighted[d] - weighted[n - most]
        out.append(value)
    # More dimensions than units change nothing.
    return out + [out[-1]] * (len(after) - 1 - top)
