"""Interior points of regions, proved.

An engine's witness proves that a region is there.  It need not be an interior point: a row that
holds all over a cell is left out of the cell's description, and at an end of the domain it may be
0, so that the pattern there is another one.  Here such a point is replaced, when somebody asks.

**Statement.** Let ``P`` be the closed set where the closed rows of a pattern hold, within the
domain ``X``.  If the pattern is a full-dimensional region then its interior is the set of points
inside of ``X`` at which every row whose form is not constant is positive.

*Why.*  A form that is ``>= 0`` on ``P``, which has an interior point near each of its points, and
is 0 at an interior point of ``P`` is 0 around it, hence constant.  Conversely the set is open, and
all its points have the pattern.  "Inside" is relative to the coordinates that the domain leaves
free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.domain import WholeSpace
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Outcome
from milpcount.errors import InvariantError
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, check_point, deepest_point
from milpcount.exact.forms import exact_box
from milpcount.exact.ladder import Ladder
from milpcount.exact.prefix import pattern_rows, state_signs

__all__ = ["InteriorPoints"]

_FEW = 16  # coordinates up to which the deepest point is looked for


class InteriorPoints:
    """Points of the regions of one problem: interior ones of full regions, any of nonempty ones.

    Nothing is computed before it is needed.  Not safe for use from several threads.
    """

    def __init__(self, problem: CountProblem) -> None:
        self._problem = problem
        self._full = problem.definition is not Definition.NONEMPTY

    @cached_property
    def _box(self) -> ExactBox:
        return exact_box(self._problem)

    @cached_property
    def _everywhere(self) -> CountProblem:
        """The problem off its slice and domain."""
        space = WholeSpace().resolve(self._problem.network.input_dimension)
        return replace(self._problem, slice=None, domain=space)

    @cached_property
    def _ladder(self) -> Ladder:
        return Ladder(self._problem.box, Outcome())

    def point(self, bits: Sequence[int], near: Point) -> Point:
        """A proved point of the region with this pattern: ``near`` itself where it is one.

        Raises:
            InvariantError: there is no such region.
        """
        if self.contains(bits, near):
            return near
        rows = self._rows(bits)
        if rows is None:
            raise InvariantError("a region was claimed whose pattern a constant form forbids")
        if not check_point(rows, self._box, near):
            found = self._ladder.decide(rows).witness
            if found is None:
                raise InvariantError("a region was claimed that is proved to be empty")
            near = found
        return self._off_the_ends(rows, near) if self._full else near

    def floats(self, bits: Sequence[int], point: Point) -> NDArray[np.float64] | None:
        """Floats that are a point of the region, found by rounding; None where rounding leaves it.

        First the given point is rounded; then, in few dimensions, the one that is deepest inside.
        """
        x = point.floats()
        if np.all(np.isfinite(x)) and self.contains(bits, Point.of_floats(x)):
            return x
        rows = self._rows(bits)
        if rows is None or self._box.dimension > _FEW:
            return None
        x = deepest_point([*rows, *self._sides()], self._box).floats()
        return x if self.contains(bits, Point.of_floats(x)) else None

    def contains(self, bits: Sequence[int], point: Point) -> bool:
        """Whether the point is an interior point of the full region, or a point of the other."""
        if not (self._off_all_ends(point) if self._full else self._box.contains(point)):
            return False
        signs = state_signs(self._problem, point)
        if any((s > 0) != bool(bit) for s, bit in zip(signs, bits, strict=True)):
            return False
        if len(self._problem.rows[1]) == 0 and (0 not in signs or not self._full):
            return True
        rows = self._rows(bits)
        return rows is not None and check_point(rows, self._box, point)

    def pattern_at(self, x: NDArray[np.float64]) -> tuple[int, ...]:
        """The pattern of the network at an input, exactly, wherever the domain lies."""
        return tuple(int(s > 0) for s in state_signs(self._everywhere, Point.of_floats(x)))

    def _rows(self, bits: Sequence[int]) -> list[Row] | None:
        """The rows of the pattern; those of a polytope are strict for full regions."""
        rows = pattern_rows(self._problem, bits)
        if rows is None or not self._full:
            return rows
        cuts = len(self._problem.rows[1])
        strict = [Row(r.coefficients, any(r.coefficients[:-1])) for r in rows[:cuts]]
        return [*strict, *rows[cuts:]]

    def _sides(self) -> list[Row]:
        """The ends of the box as strict rows, in the coordinates that it leaves free."""
        box, rows = self._box, []
        for j in box.free:
            for sign, end in ((1, box.lo[j]), (-1, box.hi[j])):
                if end is not None:
                    row = [0] * (box.dimension + 1)
                    row[j], row[-1] = sign * box.denominator, -sign * end
                    rows.append(Row(tuple(row), self._full))
        return rows

    def _off_all_ends(self, point: Point) -> bool:
        """Whether the point lies in the box, and strictly between the ends that differ."""
        if not self._box.contains(point):
            return False
        box, d = self._box, point.denominator
        return not any(
            end is not None and point.numerators[j] * box.denominator == end * d
            for j in box.free
            for end in (box.lo[j], box.hi[j])
        )

    def _off_the_ends(self, rows: Sequence[Row], point: Point) -> Point:
        """Move a point that is strict in all rows off the ends of the box, and stay strict."""
        box = self._box
        # All numbers over one denominator, in which the middles of the box are integers too.
        one = math.lcm(point.denominator, 2 * box.denominator)
        unit = one // box.denominator
        at = [v * (one // point.denominator) for v in point.numerators]
        step = [0] * len(at)
        for j in box.free:
            lo, hi = (None if end is None else end * unit for end in (box.lo[j], box.hi[j]))
            if at[j] == lo:
                step[j] = (hi - lo) // 2 if hi is not None else one
            elif at[j] == hi:
                step[j] = (lo - hi) // 2 if lo is not None else -one
        table = fmpz_mat(len(rows), len(at) + 1, [c for row in rows for c in row.coefficients])
        values = (table * fmpz_mat(len(at) + 1, 1, [*at, one])).entries()
        slopes = (table * fmpz_mat(len(at) + 1, 1, [*step, 0])).entries()
        # The largest power of two, up to 1, of which every row allows more than twice as much.
        halvings = 0
        for value, slope in zip(values, slopes, strict=True):
            if slope < 0:
                halvings = max(halvings, int(-2 * slope // value).bit_length())
        moved = tuple((v << halvings) + s for v, s in zip(at, step, strict=True))
        return Point(moved, one << halvings)
