"""Expected numbers of regions under a random initialisation: estimates, not bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from milpcount.bounds.widths import require_widths

__all__ = ["estimate_hanin_rolnick2019"]


def estimate_hanin_rolnick2019(widths: Sequence[int]) -> int:
    """``N^{n_0} / n_0!`` for N units, ``2^N`` when ``N <= n_0``, rounded to an integer.

    The shape of Hanin and Rolnick's bound on the *expected* number of activation regions in a
    unit cube at initialisation, ``(T N)^{n_0} / n_0!``; its constant ``T`` depends on the
    distribution of weights and biases and is left at 1, so this is an order of magnitude.
    """
    n0, *layers = require_widths(widths)
    units = sum(layers)
    if units <= n0:
        return 1 << units
    factorial = math.factorial(n0)
    power: int = units**n0
    return (2 * power + factorial) // (2 * factorial)
