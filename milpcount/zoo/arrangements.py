"""Classical arrangements of hyperplanes, each a network with one hidden layer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from milpcount.errors import InputError
from milpcount.zoo.specimen import Specimen, at_least, hyperplanes

__all__ = [
    "braid",
    "catalan",
    "general_position",
    "linial",
    "moment_curve",
    "resonance",
    "shi",
    "threshold",
]

_RESONANCE = (2, 6, 32, 370, 11_292, 1_066_044, 347_326_352, 419_172_756_930)
_THRESHOLD = (4, 14, 104, 1_882, 94_572, 15_028_134, 8_378_070_864)


def _differences(n: int, shifts: Sequence[int]) -> tuple[list[list[float]], list[float]]:
    """The hyperplanes ``x_i - x_j = s`` for ``i < j`` and all shifts."""
    rows, constants = [], []
    for i, j in itertools.combinations(range(n), 2):
        for s in shifts:
            rows.append([1.0 if k == i else -1.0 if k == j else 0.0 for k in range(n)])
            constants.append(-float(s))
    return rows, constants


def braid(n: int) -> Specimen:
    """Return ``x_i = x_j`` in R^n: ``n!`` regions, one an order of the coordinates."""
    at_least(n, 2, "the dimension of a braid arrangement")
    source = "Stanley, An introduction to hyperplane arrangements (2007), lecture 1"
    return hyperplanes(f"braid({n})", *_differences(n, (0,)), math.factorial(n), source)


def shi(n: int) -> Specimen:
    """Return ``x_i - x_j = 0, 1`` in R^n: ``(n + 1)^(n - 1)`` regions."""
    at_least(n, 2, "the dimension of a Shi arrangement")
    source = "Shi (1986); Stanley (2007), theorem 5.16"
    return hyperplanes(f"shi({n})", *_differences(n, (0, 1)), (n + 1) ** (n - 1), source)


def catalan(n: int) -> Specimen:
    """Return ``x_i - x_j = -1, 0, 1`` in R^n: ``n!`` times the Catalan number ``C_n`` regions."""
    at_least(n, 2, "the dimension of a Catalan arrangement")
    regions = math.factorial(n) * (math.comb(2 * n, n) // (n + 1))
    source = "Stanley (2007), proposition 5.14"
    return hyperplanes(f"catalan({n})", *_differences(n, (-1, 0, 1)), regions, source)


def linial(n: int) -> Specimen:
    """Return ``x_i - x_j = 1`` for ``i < j`` in R^n: ``2^-n sum_k C(n, k) (k + 1)^(n - 1)``."""
    at_least(n, 2, "the dimension of a Linial arrangement")
    regions = sum(math.comb(n, k) * (k + 1) ** (n - 1) for k in range(n + 1)) >> n
    source = "Postnikov and Stanley, Deformations of Coxeter hyperplane arrangements (2000)"
    return hyperplanes(f"linial({n})", *_differences(n, (1,)), regions, source)


def resonance(n: int) -> Specimen:
    """Return ``sum_{i in S} x_i = 0`` for all non-empty ``S``: known for ``n`` up to 8."""
    at_least(n, 1, "the dimension of a resonance arrangement")
    if n > len(_RESONANCE):
        raise InputError(f"regions of resonance arrangements are known up to n = 8, not {n}")
    rows = [[float(mask >> k & 1) for k in range(n)] for mask in range(1, 2**n)]
    source = "OEIS A034997; Kamiya, Takemura and Terao, Ranking patterns (2011)"
    return hyperplanes(f"resonance({n})", rows, [0.0] * len(rows), _RESONANCE[n - 1], source)


def threshold(n: int) -> Specimen:
    """Return ``w . v + t = 0`` for all ``v`` in {0, 1}^n, in the ``n + 1`` variables ``(w, t)``.

    Its regions are the Boolean threshold functions of ``n`` variables: known for ``n`` up to 7.
    """
    at_least(n, 1, "the number of variables of a threshold arrangement")
    if n > len(_THRESHOLD):
        raise InputError(f"the threshold functions are listed up to n = 7, not {n}")
    rows = [[*(float(mask >> k & 1) for k in range(n)), 1.0] for mask in range(2**n)]
    source = "OEIS A000609; Winder, Enumeration of seven-argument threshold functions (1965)"
    return hyperplanes(f"threshold({n})", rows, [0.0] * len(rows), _THRESHOLD[n - 1], source)


def moment_curve(units: int, dimension: int) -> tuple[list[list[int]], list[int]]:
    """Integer hyperplanes in general position: minors of Vandermonde matrices do not vanish."""
    rows = [[i**k for k in range(dimension)] for i in range(1, units + 1)]
    return rows, [i**dimension for i in range(1, units + 1)]


def general_position(units: int, dimension: int) -> Specimen:
    """Return ``units`` hyperplanes in general position: ``sum_{k <= dimension} C(units, k)``."""
    at_least(units, 1, "the number of hyperplanes")
    at_least(dimension, 1, "the dimension")
    rows, constants = moment_curve(units, dimension)
    if constants[-1] >= 2**53:
        raise InputError(f"{units} hyperplanes in {dimension} dimensions pass the floats' integers")
    regions = sum(math.comb(units, k) for k in range(dimension + 1))
    return hyperplanes(
        f"general_position({units}, {dimension})",
        [[float(v) for v in row] for row in rows],
        [float(v) for v in constants],
        regions,
        "Schlaefli (1852); Zaslavsky, Facing up to arrangements (1975)",
    )
