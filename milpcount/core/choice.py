"""Points of a data set, and which of them go together."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.network import ReLUNetwork
from milpcount.errors import DomainError, InputError

__all__ = ["PAIRS", "checked_points", "groups_of"]

PAIRS = ("consecutive", "random", "all")

Float = NDArray[np.float64]


def checked_points(
    points: ArrayLike, net: ReLUNetwork, needed: int, where: str = " of the survey"
) -> Float:
    """The points as a matrix of finite floats; messages say that they are those of ``where``."""
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(f"the points{where} are not a matrix of numbers: {error}") from error
    if array.ndim != 2:
        hint = ""
        if array.ndim > 2 and array[0].size == net.input_dimension:
            hint = "; flatten the images: points.reshape(len(points), -1)"
        raise DomainError(
            f"the points{where} have shape {array.shape}; give (points, inputs){hint}"
        )
    if array.shape[1] != net.input_dimension:
        raise DomainError(
            f"the points{where} have {array.shape[1]} coordinates, "
            f"the network {net.input_dimension} inputs"
        )
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        raise DomainError(f"point {bad[0, 0]}{where} has a NaN or infinite value; correct it")
    if len(array) < needed:
        raise DomainError(f"{len(array)} point(s) given, at least {needed} needed")
    return array


def groups_of(n: int, size: int, pairs: str, count: int | None, seed: int) -> list[tuple[int, ...]]:
    """Which of the ``n`` points go together, ``size`` at a time."""
    if pairs not in PAIRS:
        raise InputError(f"no choice of pairs {pairs!r}; known: {', '.join(PAIRS)}")
    if (pairs == "random") != (count is not None):
        raise InputError("random pairs and their count go together; give both or neither")
    if count is None:
        if pairs == "all":
            return list(itertools.combinations(range(n), size))
        return [tuple(range(i, i + size)) for i in range(n - size + 1)]
    total = math.comb(n, size)
    if not 1 <= count <= total:
        raise InputError(f"{n} points make {total} choices of {size}; the count {count} is not one")
    if seed < 0:
        raise InputError(f"the seed must be a whole number >= 0, not {seed}")
    rng = np.random.default_rng(seed)
    if total <= 4 * count:
        every = list(itertools.combinations(range(n), size))
        return [every[i] for i in rng.choice(total, count, replace=False)]
    chosen: dict[tuple[int, ...], None] = {}
    while len(chosen) < count:
        group = tuple(sorted(rng.choice(n, size, replace=False).tolist()))
        chosen[group] = None
    return list(chosen)
