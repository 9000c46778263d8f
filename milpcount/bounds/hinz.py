r"""The framework of Hinz and van de Geer (2019) with activation histograms that are proved here.

**Histograms.** The patterns that ``m`` ReLU units have on ``R^n`` have an *activation histogram*
``h``: ``h_i`` patterns with exactly ``i`` active units. Write ``h <= g`` when every tail sum
``h_i + ... + h_m`` is at most that of ``g``. A family ``gamma_{n,m}`` is admissible when

(a) every arrangement of ``m`` units in dimension ``n`` has ``h <= gamma_{n,m}``, and
(b) ``gamma_{n,m} <= gamma_{n+1,m}``.

**Bound.** With ``d' = min(d, rank W^l)`` and ``R(L + 1, .) = 1``

    R(l, d) = sum_i gamma_{d', n_l}(i) R(l + 1, min(i, d')),      #regions <= R(1, n_0).

*Proof.* With the tail sums ``T_i`` of ``gamma_{d', n_l}`` and ``R(l + 1, -1) = 0``, Abel
summation gives ``R(l, d) = sum_{i <= d'} T_i (R(l + 1, i) - R(l + 1, i - 1))``. By (b) and
induction from the last layer, ``R(l, .)`` is nondecreasing. Given a pattern of the earlier
layers, let ``d`` be the dimension of its image; the units of layer ``l`` are affine functions on
a space of dimension ``d'``, and where ``i`` of them are active the next image has dimension at
most ``min(i, d')``. So the same sum with the tail sums of the true histogram bounds what layers
``l..L`` add, and (a) bounds those by ``T_i``. The patterns may be any non-empty ones on any
domain, so the bound holds for the definitions ``linear <= full <= nonempty``. Plain ReLUs only.

Hinz and van de Geer write the recurrence as a product of matrices, ``min(i, d')`` being the
clipping. ``gamma_{n,m}(i) = C(m, i)`` for ``i >= m - n`` gives Theorem 1 of Serra et al. The
histograms used here are those of Hinz (2021), for which :mod:`milpcount.bounds.levels` proves
(a). (b) for ``n = 0, 1`` is seen from the formulas. From 2 to 3 dimensions, ``F_j(3, m) - F_j(3,
m - 1) = F_{j-1}(2, m - 1)``, which is at least ``F_j(2, m) - F_j(2, m - 1)``: at most ``j`` as
long as ``1 + j (m - 1)`` is the minimum at ``m - 1``, and at most ``m`` afterwards. Beyond, the
recursion carries (b) on.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from flint import fmpz

from milpcount.bounds.serra import layer_step
from milpcount.bounds.widths import binomial_row, require_ranks, require_widths

__all__ = ["bound_hinz2019"]

# A layer of n units takes some n^2 / 12 products by numbers of as many bits as units follow.  A
# layer with more than this, about a tenth of a second, gets Serra's histogram.
_COST_LIMIT = 5 * 10**9

_Corrections = list[tuple[int, int, list[fmpz]]]


def bound_hinz2019(widths: Sequence[int], ranks: Sequence[int] | None = None) -> int:
    """Return the bound of the framework with the histograms of :mod:`milpcount.bounds.levels`.

    A layer with ``n_l^2 (n_l + ... + n_L) > 5 * 10^9`` (all but the last five of a hundred
    layers of 1,000 units) uses Serra's histogram, which is admissible too, to save time; the
    result is never above :func:`bound_serra2018`.

    Arguments:
        widths: ``n_0, n_1, ..., n_L``.
        ranks: of the weight matrices, or upper bounds on them, where known.

    Raises:
        InputError: widths that are not positive integers, or ranks that do not go with them.
    """
    widths = require_widths(widths)
    layers = widths[1:]
    ranks = require_ranks(ranks, layers)
    # Inputs beyond the units of the first layer change nothing: its rank is the dimension.
    inputs = min(widths[0], layers[0])
    values = [fmpz(1)] * (inputs + 1)
    cached: dict[tuple[int, int], _Corrections] = {}
    units_from_here = 0
    last = len(layers) - 1
    for i in range(last, -1, -1):
        n = layers[i]
        units_from_here += n
        top = min(inputs, ranks[i])
        step = layer_step(n, top, values[: top + 1])
        # The last layer only takes the total number of patterns, which is the same.
        if i < last and n * n * units_from_here <= _COST_LIMIT:
            if (n, top) not in cached:
                cached[n, top] = _corrections(n, top)
            rises = [values[0], *(b - a for a, b in itertools.pairwise(values[: top + 1]))]
            for d, first, factors in cached[n, top]:
                for factor, rise in zip(factors, rises[first:], strict=False):
                    step[d] -= factor * rise
        values = step + [step[-1]] * (inputs - top)
    return int(values[inputs])


def _corrections(n: int, top: int) -> _Corrections:
    """For each dimension d: d, the first i, and Serra's tail sums less ours from there on.

    They are ``missing(d, n, k)`` of :mod:`milpcount.bounds.levels` with ``k = n - i - d + 2``, for
    ``i <= d`` (beyond, the clipping takes no notice), ``k >= 2`` (Serra's tail sum is the same
    below) and ``n - 2 k + 1 >= d - 1`` (where it vanishes).
    """
    rows: dict[int, list[int]] = {}
    out = []
    for d in range(2, top + 1):
        first = (n - d + 3) // 2
        factors = []
        for i in range(first, min(d, n - d) + 1):
            k = n - i - d + 2
            size = n - 2 * k + 1
            if size not in rows:
                rows[size] = [*binomial_row(size, top), 0]  # C(d - 1, d) = 0 is asked for too
            factors.append(fmpz(rows[size][d] + k * rows[size][d - 1]))
        if factors:
            out.append((d, first, factors))
    return out
