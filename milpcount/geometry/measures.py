"""How large a region is: inradius, bounding box, boundedness, exactly or certified."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide, feasible_dictionary
from milpcount.exact.simplex import Dictionary
from milpcount.geometry.balls import exact_ball, float_ball, gap
from milpcount.geometry.prepared import MOST_VERTEX_INPUTS, Prepared
from milpcount.geometry.shape import Shape

__all__ = ["bounding_box", "chebyshev", "is_bounded"]

Float = NDArray[np.float64]

_RELATIVE = 1e-10
_IN_SPAN = 1.0 - 1e-6  # of the projection of a coordinate onto the rows' span


def chebyshev(prepared: Prepared, shape: Shape) -> tuple[Float, float]:
    """Centre (in the problem's coordinates) and radius of a largest ball."""
    space = shape.space
    if space.n > MOST_VERTEX_INPUTS and space.bounded_sides:
        shooting = shape.shooting
        ball = float_ball(space, shooting.forms)
        if ball is not None:
            lower, upper = gap(space, shooting.forms, ball)
            if lower > 0 and upper - lower <= _RELATIVE * lower:
                return prepared.inputs(Point.of_floats(ball.centre)).floats(), lower
        rows = [shape.wall_row(wall) for wall in shape.walls_with_sides]
        found = exact_ball(space.n, rows, [_square(row) for row in rows])
    elif space.reduced:
        lift, shift = space.exact_lift
        rows, squares = [], []
        for wall in shape.unit_facets:
            row = shape.unit_row(wall.units[0])
            moved = (fmpz_mat(1, space.d, list(row[:-1])) * lift).entries()
            squares.append(sum(int(v) ** 2 for v in moved))
            rows.append(tuple(c << shift for c in row))
        found = exact_ball(space.d, rows, squares) if rows else None
        if found is not None:
            y, radius = found
            x = Point.of_floats(space.pull @ y.floats())
            return prepared.inputs(x).floats(), radius
    else:
        rows = [shape.wall_row(wall) for wall in shape.facets]
        found = exact_ball(space.n, rows, [_square(row) for row in rows]) if rows else None
    if found is None:
        return prepared.inputs(shape.interior()).floats(), math.inf
    centre, radius = found
    return prepared.inputs(centre).floats(), radius


def _square(row: tuple[int, ...]) -> int:
    return sum(c * c for c in row[:-1])


def is_bounded(shape: Shape) -> bool:
    """Whether the region is bounded."""
    space = shape.space
    if np.all(np.isfinite(space.lo)) and np.all(np.isfinite(space.hi)):
        return True
    if space.n <= MOST_VERTEX_INPUTS:
        return shape.generators.is_bounded
    if space.reduced and not space.bounded_sides:
        return False  # the kernel of B is made of lines in every region
    # The recession cone is 0 if and only if the gradients span everything and no direction is >= 0
    # in all rows without being 0 in all of them (Stiemke).
    rows = [shape.wall_row(wall)[:-1] for wall in shape.walls_with_sides]
    flat = fmpz_mat(len(rows), space.n, [v for row in rows for v in row])
    if flat.rank() < space.n:
        return False
    weak = [Row((*row, 0), False) for row in rows]
    total = tuple(sum(column) for column in zip(*rows, strict=True))
    box = ExactBox((-1,) * space.n, (1,) * space.n, 1)
    return not decide([*weak, Row((*total, 0), True)], box).feasible


def bounding_box(prepared: Prepared, shape: Shape) -> tuple[Float, Float]:
    """Ends of the problem's coordinates over the closed region."""
    space = shape.space
    if space.n <= MOST_VERTEX_INPUTS:
        lo, hi = _of_generators(shape)
    else:
        lo, hi = _of_programmes(shape)
    low, high = prepared.problem.box.lo.copy(), prepared.problem.box.hi.copy()
    free = list(space.free)
    low[free], high[free] = lo, hi
    return low, high


def _of_generators(shape: Shape) -> tuple[Float, Float]:
    generators, n = shape.generators, shape.space.n
    corners = [generators.coordinates(k) for k in generators.vertices]
    lo = np.array([float(min(c[j] for c in corners)) for j in range(n)])
    hi = np.array([float(max(c[j] for c in corners)) for j in range(n)])
    directions = [ray[:-1] for ray in generators.rays if not ray[-1]]
    for line in generators.lines:
        directions += [line[:-1], tuple(-v for v in line[:-1])]
    for direction in directions:
        for j, v in enumerate(direction):
            if v < 0:
                lo[j] = -np.inf
            elif v > 0:
                hi[j] = np.inf
    return lo, hi


def _of_programmes(shape: Shape) -> tuple[Float, Float]:
    """One linear programme an end, from the optimum of the last; ends that are facets cost none.

    Over a bounded box multipliers prove the bound, and a point inside that it is near; else
    rational arithmetic gives the end.
    """
    space = shape.space
    lo, hi = np.full(space.n, -np.inf), np.full(space.n, np.inf)
    known = {wall.side for wall in shape.facets if wall.side is not None}
    open_lines = space.reduced and not space.bounded_sides
    share = np.einsum("jd,dj->j", space.pull, space.lift)
    exact = _ExactEnds(shape)
    for j, place in enumerate(space.free):
        if open_lines and share[j] < _IN_SPAN:
            continue  # the kernel of B, along which nothing changes, moves this coordinate
        for kind, sign, ends, out in (
            ("lower", 1, space.lo, lo),
            ("upper", -1, space.hi, hi),
        ):
            if any(side.kind == kind and side.index == place for side in known):
                out[j] = ends[j]
                continue
            least = shape.shooting.least_coordinate(j, sign) if space.is_bounded else None
            if least is None:
                out[j] = exact.end(j, sign)
            else:
                out[j] = sign * max(least, sign * ends[j])
    return lo, hi


class _ExactEnds:
    """Ends of coordinates in rational arithmetic, each from the optimum of the last."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    @cached_property
    def _programme(self) -> Dictionary | None:
        rows = [Row(row.coefficients, False) for row in self._shape.rows_on_inputs()]
        return feasible_dictionary(rows, self._shape.space.exact_box)

    def end(self, j: int, sign: int) -> float:
        """The least ``x_j`` for the sign 1, the greatest for -1; infinite where it is open."""
        lp = self._programme
        if lp is None or not lp.optimize(j, -sign):
            return -math.inf * sign
        numerator, denominator = lp.value(j)
        return numerator / denominator
