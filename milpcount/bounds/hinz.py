r"""The framework of Hinz and van de Geer (2019) with activation histograms that are proved here.

**Histograms.**  The regions that ``m`` ReLU units cut from ``R^n`` have an *activation
histogram* ``h``: ``h_i`` regions with exactly ``i`` active units.  Write ``T_k(h)`` for the
number of regions with at most ``k`` inactive units (tail sums) and ``h <= g`` when
``T_k(h) <= T_k(g)`` for all ``k``.  A family ``gamma_{n,m}`` is admissible when every arrangement
of ``m`` units in dimension ``n`` has ``h <= gamma_{n,m}``, and ``gamma_{n,m} <= gamma_{n+1,m}``.

**Bound.**  A region with ``i`` active units has an image of dimension at most ``min(i, n)``, and
more dimensions never give fewer regions later, so with ``R(L + 1, .) = 1``

    R(l, d) = sum_i gamma_{d, n_l}(i) R(l + 1, min(i, d)),      #regions <= R(1, n_0).

``gamma_{n,m}(i) = C(m, i)`` for ``i >= m - n`` gives Theorem 1 of Serra et al.; Hinz and van de
Geer write the recurrence as a product of matrices.  Plain ReLUs only.

**The histograms used here** are defined by their tail sums ``T_k(n, m)``:

    T_k(0, m) = 1,      T_k(1, m) = min(m + 1, 2 k + 1),
    T_k(n, m) = T_k(n, m - 1) + T_{k-1}(n - 1, m - 1)   for n >= 2,   T_{-1} = 0, T_k(n, 0) = 1.

*Proof that they are admissible.*  ``n = 0`` is a point.

``n = 1``: let ``p < q`` be the outermost of the intervals with at most ``k`` inactive units.  Every
unit changes sign at most once between them; let ``a`` units turn on and ``b`` off, so
``a + b >= q - p`` (each border has a unit).  The ``a`` are inactive at ``p``, the ``b`` at ``q``,
so ``a, b <= k`` and ``q - p <= 2k``.

``n >= 2``: delete one unit.  Regions of the other ``m - 1`` that it does not cut keep their number
of inactive units or gain one; a region that it cuts gives two, one of which has one inactive
unit more, and the cut regions are regions of an arrangement of ``m - 1`` units in dimension
``n - 1`` with the same units inactive.  Hence ``T_k <= T_k(n, m - 1) + T_{k-1}(n - 1, m - 1)``;
units that are constant or coincide only lower the left side.

Monotone in ``n``: by induction on ``m``, with ``T_k(1, m) <= T_k(1, m - 1) + [k >= 1]`` for the
step from one to two dimensions.

Hinz (2021) has smaller histograms still for ``n >= 2``, for which no proof was at hand; they are
not used.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

from flint import fmpz

from milpcount.bounds.serra import layer_step
from milpcount.bounds.widths import require_widths

__all__ = ["MAX_HISTOGRAM_WIDTH", "activation_histograms", "bound_hinz2019"]

MAX_HISTOGRAM_WIDTH = 100


@lru_cache(maxsize=32)
def activation_histograms(m: int, dimensions: int) -> tuple[tuple[fmpz, ...], ...]:
    """Return ``gamma_{n, m}`` for ``n = 0..dimensions``; entry ``i`` counts i active units.

    Takes of the order of ``m^2 * dimensions`` additions.
    """
    top = min(dimensions, m)
    # tails[n][k] = T_k(n, units), raised unit by unit.
    tails = [[1] * (m + 1) for _ in range(top + 1)]
    for units in range(1, m + 1):
        for n in range(top, 1, -1):
            lower = tails[n - 1]
            row = tails[n]
            for k in range(m, 0, -1):
                row[k] += lower[k - 1]
        if top >= 1:
            tails[1] = [min(units + 1, 2 * k + 1) for k in range(m + 1)]
    out = []
    for row in tails:
        by_inactive = [row[0], *(b - a for a, b in itertools.pairwise(row))]
        out.append(tuple(fmpz(v) for v in reversed(by_inactive)))
    return (*out, *[out[-1]] * (dimensions - top))


def bound_hinz2019(widths: Sequence[int]) -> int:
    """Return the bound of the framework with the histograms proved above.

    Layers wider than :data:`MAX_HISTOGRAM_WIDTH` use Serra's histogram, which is admissible too;
    the result is never above :func:`bound_serra2018`.
    """
    widths = require_widths(widths)
    values = [fmpz(1)] * (widths[0] + 1)
    for n in reversed(widths[1:]):
        if n > MAX_HISTOGRAM_WIDTH:
            values = layer_step(n, n, values)
            continue
        top = min(len(values) - 1, n)
        gammas = activation_histograms(n, top)
        step = []
        for d, gamma in enumerate(gammas):
            below = sum((g * v for g, v in zip(gamma[:d], values[:d], strict=True)), fmpz(0))
            step.append(below + values[d] * sum(gamma[d:], fmpz(0)))
        values = step + [step[-1]] * (len(values) - 1 - top)
    return int(values[widths[0]])
