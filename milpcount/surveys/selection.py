"""The domains that the points of a survey make."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.domain import Box, Slice
from milpcount.errors import DomainError

__all__ = ["KINDS", "TAKES", "Domains"]

# How many points each domain of a kind takes.
TAKES = {"boxes": 1, "segments": 2, "planes": 3}

KINDS = tuple(TAKES)

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
