"""Input domains: closed convex polyhedra in input space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.errors import DomainError

__all__ = ["Box", "Domain", "Polytope", "WholeSpace"]

Float = NDArray[np.float64]


def _vector(value: ArrayLike, what: str) -> Float:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(f"{what} is not a number or a list of numbers: {error}") from error
    if array.ndim > 1:
        raise DomainError(f"{what} has shape {array.shape}; a number or a vector is needed")
    if np.any(np.isnan(array)):
        raise DomainError(f"{what} has a NaN")
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Box:
    """``lo <= x <= hi``, coordinate by coordinate; ``-inf`` and ``inf`` leave a side open.

    Scalars stand for every coordinate.  A coordinate with ``lo == hi`` is fixed; regions are then
    full-dimensional relative to the box.

    Raises:
        DomainError: NaN, different lengths, or an inverted (empty) coordinate.
    """

    lo: Float
    hi: Float

    def __init__(self, lo: ArrayLike, hi: ArrayLike) -> None:
        low, high = _vector(lo, "lower end of the box"), _vector(hi, "upper end of the box")
        try:
            low_b, high_b = np.broadcast_arrays(low, high)
        except ValueError as error:
            raise DomainError(
                f"the box has {low.size} lower and {high.size} upper ends; give as many of each"
            ) from error
        empty = np.argwhere(
            np.atleast_1d((low_b > high_b) | (low_b == np.inf) | (high_b == -np.inf))
        )
        if empty.size:
            i = int(empty[0, 0])
            raise DomainError(
                f"the box is empty in coordinate {i}: lower end {np.atleast_1d(low_b)[i]:g} is "
                f"above upper end {np.atleast_1d(high_b)[i]:g}; swap them"
                if not np.isinf(np.atleast_1d(low_b)[i])
                else f"the box is empty in coordinate {i}: an end lies at the wrong infinity"
            )
        object.__setattr__(self, "lo", low)
        object.__setattr__(self, "hi", high)

    @classmethod
    def around(
        cls, x: ArrayLike, radius: float, lo: ArrayLike = -np.inf, hi: ArrayLike = np.inf
    ) -> Box:
        """The box of points within ``radius`` of ``x`` in every coordinate, cut with [lo, hi]."""
        if not radius >= 0 or np.isinf(radius):
            raise DomainError(f"the radius of a box must be a finite number >= 0, not {radius}")
        centre = _vector(x, "centre of the box")
        if not np.all(np.isfinite(centre)):
            raise DomainError("the centre of the box is not finite")
        return cls(np.maximum(centre - radius, lo), np.minimum(centre + radius, hi))

    @property
    def dimension(self) -> int | None:
        """Number of coordinates, None while both ends are scalars."""
        size = max(np.size(self.lo) if self.lo.ndim else 0, np.size(self.hi) if self.hi.ndim else 0)
        return size or None

    @property
    def is_bounded(self) -> bool:
        """Whether every coordinate has two finite ends."""
        return bool(np.all(np.isfinite(self.lo)) and np.all(np.isfinite(self.hi)))

    def resolve(self, dimension: int) -> Box:
        """The same box with one entry per coordinate; refuses a wrong dimension."""
        if self.dimension not in (None, dimension):
            raise DomainError(
                f"the box has {self.dimension} coordinates, the network {dimension} inputs"
            )
        return Box(
            np.array(np.broadcast_to(self.lo, (dimension,))),
            np.array(np.broadcast_to(self.hi, (dimension,))),
        )

    def contains(self, x: ArrayLike) -> bool:
        """Whether the point lies in the closed box (exact: only comparisons)."""
        point = np.asarray(x, dtype=np.float64)
        return bool(np.all(point >= self.lo) and np.all(point <= self.hi))

    def __repr__(self) -> str:
        def end(v: Float) -> str:
            flat = np.atleast_1d(v)
            return f"{flat[0]:g}" if np.all(flat == flat[0]) else np.array2string(v, threshold=8)

        return f"Box({end(self.lo)}, {end(self.hi)})"


@dataclass(frozen=True, eq=False)
class Polytope:
    """``A x <= c``: ``A`` of shape ``(rows, n)``, ``c`` of shape ``(rows,)``; may be unbounded."""

    A: Float
    c: Float

    def __init__(self, A: ArrayLike, c: ArrayLike) -> None:
        try:
            matrix = np.array(A, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DomainError(f"the matrix of the polytope is not numeric: {error}") from error
        right = np.atleast_1d(_vector(c, "right-hand side of the polytope"))
        if matrix.ndim != 2 or matrix.shape[0] != right.shape[0]:
            raise DomainError(
                f"the polytope has a matrix of shape {matrix.shape} and {right.shape[0]} "
                "right-hand sides; A must be (rows, n) and c (rows,)"
            )
        if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(right))):
            raise DomainError("the polytope has a NaN or infinite entry; leave such rows out")
        matrix.flags.writeable = False
        object.__setattr__(self, "A", matrix)
        object.__setattr__(self, "c", right)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return int(self.A.shape[1])

    def resolve(self, dimension: int) -> Polytope:
        """Itself; refuses a wrong dimension."""
        if self.dimension != dimension:
            raise DomainError(
                f"the polytope has {self.dimension} coordinates, the network {dimension} inputs"
            )
        return self

    def __repr__(self) -> str:
        return f"Polytope({self.A.shape[0]} rows, {self.dimension} coordinates)"


@dataclass(frozen=True)
class WholeSpace:
    """All of ``R^n``."""

    @property
    def dimension(self) -> None:
        """Any."""
        return None

    def resolve(self, dimension: int) -> Box:
        """The box without ends."""
        return Box(np.full(dimension, -np.inf), np.full(dimension, np.inf))


Domain = Box | Polytope | WholeSpace
