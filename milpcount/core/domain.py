"""Input domains: closed convex polyhedra in input space, and slices of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.keeping import Keeps
from milpcount.core.point import Point, scaled_integers
from milpcount.errors import DomainError
from milpcount.support.text import number_text

__all__ = ["Box", "Domain", "Polytope", "Slice", "WholeSpace"]

Float = NDArray[np.float64]

_SHOWN = 8  # numbers of a vector that ``repr`` shows


def _vector(value: ArrayLike, what: str) -> Float:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(f"{what} is not a number or a list of numbers: {error}") from error
    if array.ndim > 1:
        raise DomainError(
            f"{what} has shape {array.shape}; a number or a vector is needed: flatten an image, "
            f"x.reshape(-1) has {array.size} coordinates"
        )
    if np.any(np.isnan(array)):
        raise DomainError(f"{what} has a NaN")
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Box(Keeps):
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
                f"the box is empty in coordinate {i}: lower end "
                f"{number_text(np.atleast_1d(low_b)[i])} is above upper end "
                f"{number_text(np.atleast_1d(high_b)[i])}; swap them"
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
        least, most = _vector(lo, "lower end of the range"), _vector(hi, "upper end of the range")
        try:
            outside = np.atleast_1d((centre + radius < least) | (centre - radius > most))
        except ValueError as error:
            raise DomainError(
                f"the range [lo, hi] has {least.size} lower and {most.size} upper ends, the centre "
                f"{centre.size} coordinates; give one number or one for each"
            ) from error
        if outside.any() and not np.any(least > most):
            raise DomainError(
                f"no point within {number_text(radius)} of the centre lies in the range [lo, hi] "
                f"in coordinate {int(np.argmax(outside))}; widen one of them"
            )
        return cls(np.maximum(centre - radius, least), np.minimum(centre + radius, most))

    @property
    def dimension(self) -> int | None:
        """Number of coordinates, None while both ends are scalars."""
        size = max(np.size(self.lo) if self.lo.ndim else 0, np.size(self.hi) if self.hi.ndim else 0)
        return size or None

    @cached_property
    def is_bounded(self) -> bool:
        """Whether every coordinate has two finite ends."""
        return bool(np.all(np.isfinite(self.lo)) and np.all(np.isfinite(self.hi)))

    def resolve(self, dimension: int) -> Box:
        """The same box with one entry per coordinate; refuses a wrong dimension."""
        if self.dimension not in (None, dimension):
            raise DomainError(
                f"the box has {self.dimension} coordinates, the network {dimension} inputs"
            )
        if self.lo.shape == self.hi.shape == (dimension,):
            return self
        return self.latest("resolved", dimension, lambda: self._with_entries(dimension))

    def _with_entries(self, dimension: int) -> Box:
        return Box(
            np.array(np.broadcast_to(self.lo, (dimension,))),
            np.array(np.broadcast_to(self.hi, (dimension,))),
        )

    def contains(self, x: ArrayLike) -> bool:
        """Whether the point lies in the closed box (exact: only comparisons)."""
        point = np.asarray(x, dtype=np.float64)
        return bool(np.all(point >= self.lo) and np.all(point <= self.hi))

    @cached_property
    def varying(self) -> int:
        """Number of coordinates that are not fixed, of a box with one entry per coordinate."""
        return int(np.count_nonzero(self.lo < self.hi))

    @property
    def is_point(self) -> bool:
        """Whether every coordinate is fixed."""
        return self.varying == 0

    def describe(self) -> str:
        """All of it in words, every number as text that reads back as itself."""
        return f"Box({_end_text(self.lo)}, {_end_text(self.hi)})"

    def __repr__(self) -> str:
        return f"Box({_end_text(self.lo, _SHOWN)}, {_end_text(self.hi, _SHOWN)})"


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

    def describe(self) -> str:
        """All of it in words, every number as text that reads back as itself."""
        rows = ", ".join(_vector_text(row) for row in self.A)
        return f"Polytope([{rows}], {_vector_text(self.c)})"

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

    def describe(self) -> str:
        """All of it in words."""
        return "WholeSpace()"


@dataclass(frozen=True, eq=False)
class Slice:
    """A box in the coordinates of an affine subspace: a segment, a piece of a plane, and so on.

    The slice through the points ``p_0, ..., p_k`` of ``R^n`` is

        {x = p_0 + sum_i t_i (p_i - p_0)  :  lo_i <= t_i <= hi_i,  i = 1..k}.

    A network is counted on it as a function of the ``k`` coordinates ``t``: a region is
    full-dimensional if it is so relative to the slice.  The points are kept as given, and the
    differences ``p_i - p_0``, which floats need not hold, are formed exactly where they are used.

    Arguments:
        points: shape ``(k + 1, n)``, the origin ``p_0`` first.
        lo, hi: ends of the coordinates, a number or one for each of the ``k``; infinite ends
            leave a side open.

    Raises:
        DomainError: fewer than two points, points of different lengths, a NaN or an infinity,
            points that are affinely dependent, or an empty box.
    """

    points: Float
    lo: Float
    hi: Float

    def __init__(
        self, points: Sequence[ArrayLike] | Float, lo: ArrayLike = 0.0, hi: ArrayLike = 1.0
    ) -> None:
        vectors = [_vector(p, f"point {i} of the slice") for i, p in enumerate(points)]
        if len(vectors) < 2:
            raise DomainError(f"a slice goes through at least two points, not {len(vectors)}")
        sizes = [np.atleast_1d(p).shape[0] for p in vectors]
        if len(set(sizes)) > 1 or not sizes[0]:
            raise DomainError(
                f"the points of the slice have {', '.join(map(str, sizes))} coordinates; "
                "give as many of each"
            )
        array = np.array([np.atleast_1d(p) for p in vectors])
        if not np.all(np.isfinite(array)):
            bad = int(np.argwhere(~np.isfinite(array))[0, 0])
            raise DomainError(f"point {bad} of the slice has an infinite coordinate; correct it")
        array.flags.writeable = False
        _require_independent(array)
        k = len(vectors) - 1
        try:
            box = Box(lo, hi).resolve(k)
        except DomainError as error:
            raise DomainError(
                f"the slice through {k + 1} points has {k} coordinate(s): {error}"
            ) from error
        object.__setattr__(self, "points", array)
        object.__setattr__(self, "lo", box.lo)
        object.__setattr__(self, "hi", box.hi)

    @classmethod
    def through(
        cls, points: Sequence[ArrayLike] | Float, lo: ArrayLike = 0.0, hi: ArrayLike = 1.0
    ) -> Slice:
        """The slice through ``k + 1`` points; the same as ``Slice(points, lo, hi)``."""
        return cls(points, lo, hi)

    @classmethod
    def segment(cls, a: ArrayLike, b: ArrayLike) -> Slice:
        """The segment from ``a`` (t = 0) to ``b`` (t = 1)."""
        return cls([a, b])

    @classmethod
    def plane(
        cls,
        a: ArrayLike,
        b: ArrayLike,
        c: ArrayLike,
        lo: ArrayLike = 0.0,
        hi: ArrayLike = 1.0,
    ) -> Slice:
        """The points ``a + s (b - a) + t (c - a)`` with ``(s, t)`` in the box ``[lo, hi]``.

        With the ends 0 and 1 it is the parallelogram with the corners a, b, c and b + c - a;
        numbers or pairs widen it.
        """
        return cls([a, b, c], lo, hi)

    @property
    def dimension(self) -> int:
        """Number of coordinates of the slice, ``k``."""
        return int(self.points.shape[0]) - 1

    @property
    def input_dimension(self) -> int:
        """Number of coordinates of its points, ``n``."""
        return int(self.points.shape[1])

    @property
    def box(self) -> Box:
        """The box of the slice's own coordinates."""
        return Box(self.lo, self.hi)

    def frame(self) -> tuple[list[int], list[list[int]], int]:
        """Origin, directions and ``shift``, exactly: integers that are ``2**shift`` times them.

        Direction ``i`` is ``p_{i+1} - p_0``: ``x = (origin + sum_i t_i directions[i]) / 2**shift``.
        """
        integers, shift = scaled_integers(self.points)
        n = self.input_dimension
        origin, *others = [integers[i : i + n] for i in range(0, len(integers), n)]
        return origin, [[b - a for a, b in zip(origin, p, strict=True)] for p in others], shift

    def lift(self, point: Point) -> Point:
        """The input with the given coordinates on the slice, exactly."""
        origin, directions, shift = self.frame()
        numerators = [a * point.denominator for a in origin]
        for t, direction in zip(point.numerators, directions, strict=True):
            numerators = [x + t * d for x, d in zip(numerators, direction, strict=True)]
        return Point(tuple(numerators), point.denominator << shift)

    def resolve(self, dimension: int) -> Slice:
        """Itself; refuses points of a wrong dimension."""
        if self.input_dimension != dimension:
            raise DomainError(
                f"the points of the slice have {self.input_dimension} coordinates, "
                f"the network {dimension} inputs"
            )
        return self

    def describe(self) -> str:
        """All of it in words, every number as text that reads back as itself."""
        points = ", ".join(_vector_text(point) for point in self.points)
        return f"Slice([{points}], {_end_text(self.lo)}, {_end_text(self.hi)})"

    def __repr__(self) -> str:
        k, n = self.dimension, self.input_dimension
        box = repr(self.box).removeprefix("Box")
        return f"Slice({k + 1} points in {n} dimensions, coordinates in {box})"


def _end_text(end: Float, most: int | None = None) -> str:
    """One end of a box: a number where all coordinates have the same, else all of them."""
    flat = np.atleast_1d(end)
    return number_text(flat[0]) if np.all(flat == flat[0]) else _vector_text(flat, most)


def _vector_text(vector: Float, most: int | None = None) -> str:
    """The numbers; of more than ``most`` the first ones, and how many follow."""
    shown = vector.tolist() if most is None else vector[:most].tolist()
    texts = [number_text(value) for value in shown]
    if len(shown) < len(vector):
        texts.append(f"... {len(vector) - len(shown)} more")
    return f"[{', '.join(texts)}]"


def _require_independent(points: Float) -> None:
    """Refuse affinely dependent points, decided exactly."""
    # Needed by slices alone; importing the package stays light.
    from flint import fmpz_mat

    n = points.shape[1]
    integers, _ = scaled_integers(points)
    rows = [integers[i : i + n] for i in range(0, len(integers), n)]
    differences = [[b - a for a, b in zip(rows[0], row, strict=True)] for row in rows[1:]]
    for i, row in enumerate(differences, start=1):
        if not any(row):
            raise DomainError(
                f"the slice is degenerate: point {i} is point 0; choose different points"
            )
    k = len(differences)
    if fmpz_mat(k, n, [v for row in differences for v in row]).rank() < k:
        raise DomainError(
            f"the slice is degenerate: its {k + 1} points are affinely dependent (they lie in a "
            f"subspace of fewer than {k} dimensions); leave out points or choose others"
        )


Domain = Box | Polytope | WholeSpace | Slice
