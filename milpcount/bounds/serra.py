"""Theorem 1 of Serra, Tjandraatmadja and Ramalingam (ICML 2018), by recurrence.

Theorem [V].  A ReLU network with widths ``n_0, n_1, ..., n_L`` has at most

    sum over (j_1, ..., j_L) of prod_l C(n_l, j_l),
    0 <= j_l <= min(n_0, n_1 - j_1, ..., n_{l-1} - j_{l-1}, n_l)

regions, and the last ``n_l`` of the minimum may be replaced by ``rank(W^l)``.

Recurrence [I].  ``R(l, d)`` bounds the patterns that layers ``l..L`` have on an affine image of
dimension at most ``d``:

    R(L + 1, d) = 1,    R(l, d) = sum_{j=0}^{d'} C(n_l, j) R(l + 1, min(d', n_l - j)),

with ``d' = min(d, rank W^l)``, and ``R(1, n_0)`` is the bound.

Proof.  Restricted to the image, the pre-activations of layer ``l`` are affine functions that factor
through a space of dimension ``d'``.  By :mod:`milpcount.bounds.levels`, at least ``a`` units are
active in at most ``sum_{j <= min(n_l - a, d')} C(n_l, j)`` of their patterns, and the histogram with
these tail sums has ``C(n_l, j)`` patterns with ``n_l - j`` active units for ``j <= d'``.  Inactive
ReLUs put out zero, so where ``a`` units are active the next image has dimension at most
``min(d', a)``.  ``R(l + 1, .)`` is nondecreasing, so summing over the histogram with the largest
tail sums bounds the sum over the true one.

``d'`` instead of ``d`` in ``min(d', n_l - j)`` uses the rank once more than the paper's text: the
image after layer ``l`` cannot have a larger dimension than ``rank W^l`` either [I].  With full
ranks the value is the theorem's.

The proof takes non-empty half-open patterns on any domain, so the bound holds for ``linear``,
``full`` and ``nonempty``.  It fails for leaky units: an inactive leaky unit is not constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from milpcount.bounds.widths import binomials, check_ranks, check_widths

__all__ = ["SerraStep", "bound_serra2018", "solve_recurrence"]

# Big integers of the recurrences: flint's fmpz, which mypy does not see.
Number = Any
Step = Callable[[list[Number]], list[Number]]


class SerraStep:
    """One layer of the recurrence for every ``d = 0..top`` at once, with ``top <= width``.

    The sum splits at ``j = n - d``: below it ``min(d, n - j) = d``, above it the terms are
    ``C(n, t) R(l + 1, t)`` with ``t = n - j`` in ``n-d..d-1``.  With running sums of ``C(n, t)`` and
    of ``C(n, t) R(l + 1, t)`` a layer takes two products of long integers per ``d``.
    """

    def __init__(self, width: int, top: int) -> None:
        from flint import fmpz

        self.width = width
        self._binomials = [fmpz(c) for c in binomials(width, top)]
        self._sums = list(accumulate(self._binomials))

    def __call__(self, values: list[Number]) -> list[Number]:
        """From ``R(l + 1, 0..top)`` to ``R(l, 0..top)``."""
        n = self.width
        products = (c * v for c, v in zip(self._binomials, values, strict=False))
        below = list(accumulate(products, initial=0))  # below[t]: the terms 0..t-1
        out = []
        for d, value in enumerate(values):
            total = value * self._sums[min(d, n - d)]
            if d > n - d:
                total += below[d] - below[n - d]
            out.append(total)
        return out


def solve_recurrence(
    widths: tuple[int, ...], ranks: tuple[int, ...], step_of: Callable[[int, int, int], Step]
) -> int:
    """``R(1, n_0)``, where ``step_of(l, width, top)`` gives the step of layer ``l`` (from 1)."""
    from flint import fmpz

    # tops[l] is the largest dimension that can leave layer l, so larger d need no value.
    tops = list(accumulate((widths[0], *ranks), min))
    values = [fmpz(1)]
    for layer in range(len(ranks), 0, -1):
        top = tops[layer]
        values = values[: top + 1] + values[-1:] * (top + 1 - len(values))
        values = step_of(layer, widths[layer], top)(values)
    return int(values[-1])


def bound_serra2018(widths: Sequence[int], ranks: Sequence[int] | None = None) -> int:
    """Theorem 1 of Serra et al. 2018: an upper bound for ReLU networks of these widths.

    Arguments:
        widths: ``n_0, n_1, ..., n_L``.
        ranks: of ``W^1, ..., W^L`` (or upper bounds on them), for a network with given weights.
    """
    w = check_widths(widths)
    steps: dict[tuple[int, int], SerraStep] = {}

    def step_of(_: int, width: int, top: int) -> Step:
        key = (width, top)
        if key not in steps:
            steps[key] = SerraStep(width, top)
        return steps[key]

    return solve_recurrence(w, check_ranks(ranks, w), step_of)
