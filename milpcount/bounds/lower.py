"""Lower bounds on the *maximum* number of regions: some network of the architecture has as many.

They say nothing of a given network.  The maximum never falls when a layer is widened (a unit
with zero weights and a negative bias is dead and changes no region), so a construction for
smaller widths serves larger ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from milpcount.bounds.upper import count_arrangement
from milpcount.bounds.widths import require_widths
from milpcount.errors import InputError

__all__ = [
    "bound_arora2018_lower",
    "bound_montufar2014_lower",
    "bound_serra2018_lower",
    "bound_serra2018_lower_theorem6",
    "bound_serra2018_lower_theorem7",
    "count_dimension_one",
]


def bound_montufar2014_lower(widths: Sequence[int]) -> int:
    """``prod_{l < L} floor(n_l / n_0)^{n_0} * sum_{j <= n_0} C(n_L, j)`` (Montúfar et al. 2014).

    Theorem 5 there.  Raises InputError unless every layer has at least ``n_0`` units.
    """
    n0, *layers = require_widths(widths)
    if min(layers) < n0:
        raise InputError(f"needs every layer at least as wide as the {n0} inputs")
    folds = math.prod((n // n0) ** n0 for n in layers[:-1])
    return int(folds) * count_arrangement(layers[-1], n0)


def bound_serra2018_lower_theorem6(widths: Sequence[int]) -> int:
    """``prod_{l < L} (floor(n_l / n_0) + 1)^{n_0} * sum_{j <= n_0} C(n_L, j)`` (Serra et al. 2018).

    Raises InputError unless every layer has at least ``3 n_0`` units.
    """
    n0, *layers = require_widths(widths)
    if min(layers) < 3 * n0:
        raise InputError(f"needs every layer at least {3 * n0} wide, three times the inputs")
    folds = math.prod((n // n0 + 1) ** n0 for n in layers[:-1])
    return int(folds) * count_arrangement(layers[-1], n0)


def _zonotope_start(widths: Sequence[int]) -> tuple[int, int, int]:
    """``(2 sum_{j < n_0} C(m - 1, j), w, L)`` with ``n_1 >= 2m`` and later layers at least w."""
    n0, first, *later = require_widths(widths)
    if first < 2:
        raise InputError("needs at least 2 units in the first layer")
    return 2 * count_arrangement(first // 2 - 1, n0 - 1), min(later, default=0), 1 + len(later)


def bound_arora2018_lower(widths: Sequence[int]) -> int:
    """``2 sum_{j < n_0} C(m - 1, j) * w^{L-1}`` with ``n_1 = 2m``, later layers ``w`` (Arora 2018).

    Theorem 2.11 (i) there; ``m = floor(n_1 / 2)`` and ``w`` the least later width.
    """
    start, w, depth = _zonotope_start(widths)
    return start * int(w ** (depth - 1))


def bound_serra2018_lower_theorem7(widths: Sequence[int]) -> int:
    """``2 sum_{j < n_0} C(m - 1, j) * (w + 1)^{L-1}`` (Serra et al. 2018), as Arora's.

    The first layer folds each of its ``2 sum C(m - 1, j)`` cones onto a half-line; each later one
    cuts it in ``w + 1`` pieces that, but for the last layer, must all be mapped onto one interval
    again.  The paper states ``w >= 2``.  With ``w >= 3`` ReLUs the slopes of the pieces can
    alternate in sign; with two they cannot: over three pieces without a dead one they are ``-a, b
    - a, b``.  So for three layers or more ``w >= 3`` is asked for here (for ``w = 2`` the formula
    gives 18 for widths 1, 2, 2, 2, where a search found no more than 15).

    Raises InputError unless the later layers have at least 3 units, or 1 if there is only one.
    """
    start, w, depth = _zonotope_start(widths)
    if depth > 2 and w < 3:
        raise InputError("needs at least 3 units in every layer after the first")
    return start * int((w + 1) ** (depth - 1))


def count_dimension_one(widths: Sequence[int]) -> int:
    """``prod_l (n_l + 1)``: exactly the maximum for one input (Serra et al. 2018, Theorem 5).

    Raises InputError unless ``n_0 = 1`` and every layer has at least 3 units.
    """
    n0, *layers = require_widths(widths)
    if n0 != 1 or min(layers) < 3:
        raise InputError("needs one input and at least 3 units in every layer")
    return math.prod(n + 1 for n in layers)


def bound_serra2018_lower(widths: Sequence[int]) -> int:
    """Return the best of Theorems 5, 6 and 7 of Serra et al. 2018 that apply.

    Raises InputError when none does.
    """
    best = 0
    theorems = (
        count_dimension_one,
        bound_serra2018_lower_theorem6,
        bound_serra2018_lower_theorem7,
    )
    for theorem in theorems:
        try:
            best = max(best, theorem(widths))
        except InputError:
            require_widths(widths)
    if not best:
        raise InputError(
            "needs at least 2 units in the first layer and, beyond two layers, at least 3 units in "
            "every later one"
        )
    return best
