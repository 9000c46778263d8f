"""Which points of a survey go together, and the domains that they make."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Box, Slice
from milpcount.core.network import ReLUNetwork
from milpcount.errors import DomainError, InputError

__all__ = ["KINDS", "PAIRS", "TAKES", "Domains", "checked_points", "groups_of"]

# How many points each domain of a kind takes.
TAKES = {"boxes": 1, "segments": 2, "planes": 3}

KINDS = tuple(TAKES)
PAIRS = ("consecutive", "random", "all")

Float = NDArray[np.float64]


class Domains:
    """Makes the domain of a group of points, and measures it."""

    def __init__(
        self,
        kind: str,
        points: Float,
        radius: float | None,
        lo: ArrayLike | None,
        hi: ArrayLike | None,
    ) -> None:
        self._kind, self._points, self._radius = kind, points, radius
        open_end = np.inf if kind == "boxes" else None
        self._lo: ArrayLike = (-open_end if open_end else 0.0) if lo is None else lo
        self._hi: ArrayLike = (open_end or 1.0) if hi is None else hi

    def of(self, group: tuple[int, ...]) -> Box | Slice:
        """The domain.

        Raises:
            DomainError: the points span none; the message names them.
        """
        chosen = self._points[list(group)]
        try:
            if self._radius is not None:
                return Box.around(chosen[0], self._radius, self._lo, self._hi)
            return Slice.through(chosen, self._lo, self._hi)
        except DomainError as error:
            places = ", ".join(map(str, group))
            raise DomainError(
                f"{self._kind} of point(s) {places} of the survey: {error}"
            ) from error

    def measure(self, group: tuple[int, ...]) -> float | None:
        """Length or area; None for boxes, and where it is not a finite number above 0."""
        domain = self.of(group)
        if isinstance(domain, Box):
            return None
        sides = domain.hi - domain.lo
        origin, *others = domain.points
        size = math.dist(origin, others[0]) * float(sides[0])
        if len(others) == 2:
            # Heights by QR lose less to cancellation than the Gram determinant.
            edges = (np.array(others) - origin).T
            size = abs(float(np.prod(np.diag(np.linalg.qr(edges, mode="r"))))) * math.prod(sides)
        return size if 0 < size < math.inf else None


def checked_points(points: ArrayLike, net: ReLUNetwork, needed: int) -> Float:
    """The points as a matrix of finite floats."""
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(
            f"the points of the survey are not a matrix of numbers: {error}"
        ) from error
    if array.ndim != 2:
        hint = ""
        if array.ndim > 2 and array[0].size == net.input_dimension:
            hint = "; flatten the images: points.reshape(len(points), -1)"
        raise DomainError(
            f"the points of the survey have shape {array.shape}; give (points, inputs){hint}"
        )
    if array.shape[1] != net.input_dimension:
        raise DomainError(
            f"the points of the survey have {array.shape[1]} coordinates, "
            f"the network {net.input_dimension} inputs"
        )
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        raise DomainError(
            f"point {bad[0, 0]} of the survey has a NaN or infinite value; correct it"
        )
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
