"""Upper bounds that are products over the layers.

Each bounds the full-dimensional regions, and also the non-empty patterns: shift the biases of
layer ``l`` down by ``eps_l`` with ``eps_1 << eps_2 << ... << 1``.  Take one witness of each of
the finitely many non-empty patterns.  Strictly active units stay active.  A unit with
pre-activation ``<= 0`` loses ``eps_l`` and gains at most a constant times ``eps_{l-1}`` through
the layers before (outputs are continuous, leaky or not), so it ends strictly inactive.  Every
non-empty pattern has become a full-dimensional region of a network of the same shape and the
same weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from milpcount.bounds.widths import binomial_row, require_widths

__all__ = ["bound_montufar2017", "bound_naive", "bound_raghu2017", "count_arrangement"]


def count_arrangement(hyperplanes: int, dimension: int) -> int:
    """Regions of hyperplanes in general position: ``sum_{j <= d} C(n, j)`` (Zaslavsky 1975)."""
    if dimension >= hyperplanes:
        return 1 << hyperplanes
    if 2 * dimension > hyperplanes:  # fewer terms are left out than taken
        return (1 << hyperplanes) - sum(binomial_row(hyperplanes, hyperplanes - dimension - 1))
    return sum(binomial_row(hyperplanes, dimension))


def bound_naive(widths: Sequence[int]) -> int:
    """``2^N`` for N units: every unit is active or not (Montúfar et al. 2014)."""
    return 1 << sum(require_widths(widths)[1:])


def bound_raghu2017(widths: Sequence[int]) -> int:
    """``prod_l sum_{j <= n_{l-1}} C(n_l, j)``, implicit in Raghu et al. 2017.

    On a region of the layers before, layer ``l`` is an arrangement of ``n_l`` hyperplanes in the
    ``n_{l-1}`` outputs of the layer before.  Valid for leaky units too.
    """
    widths = require_widths(widths)
    return math.prod(count_arrangement(n, d) for d, n in itertools.pairwise(widths))


def bound_montufar2017(widths: Sequence[int]) -> int:
    """``prod_l sum_{j <= d_l} C(n_l, j)`` with ``d_l = min(n_0, ..., n_{l-1})`` (Montúfar 2017).

    As Raghu's, with the dimension of the image: it never exceeds a width passed before.  Valid
    for leaky units too, whose layers do not raise the dimension of an image either.
    """
    widths = require_widths(widths)
    dimensions = itertools.accumulate(widths, min)
    pairs = zip(widths[1:], dimensions, strict=False)
    return math.prod(count_arrangement(n, d) for n, d in pairs)
