"""What the regions of one counting problem share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from milpcount.core.point import Point
from milpcount.core.problem import CountProblem

if TYPE_CHECKING:
    from milpcount.exact.interior import InteriorPoints
    from milpcount.geometry.maps import Maps
    from milpcount.geometry.space import Space

__all__ = ["MOST_VERTEX_INPUTS", "Prepared"]

MOST_VERTEX_INPUTS = 6


class Prepared:
    """What the regions of one problem share, made when it is first asked for."""

    def __init__(self, problem: CountProblem) -> None:
        self.problem = problem

    @cached_property
    def space(self) -> Space:
        """The problem in integers and floats, on the coordinates that vary."""
        from milpcount.geometry.space import Space

        return Space(self.problem)

    @cached_property
    def maps(self) -> Maps:
        """The network in the inputs, for affine maps and half-spaces."""
        from milpcount.geometry.maps import Maps

        return self.problem.once(Maps)

    @cached_property
    def points(self) -> InteriorPoints:
        """Interior points of the regions, proved."""
        from milpcount.exact.interior import InteriorPoints

        return InteriorPoints(self.problem)

    def inputs(self, point: Point) -> Point:
        """A point of the coordinates that vary as one of the problem's coordinates."""
        space = self.space
        n = self.problem.dimension
        if space.n == n:
            return point
        box = self.problem.box
        common = point.denominator
        numerators = [0] * n
        fixed = [j for j in range(n) if j not in set(space.free)]
        ends = Point.of_floats(box.lo[fixed])
        for j, value in zip(fixed, ends.numerators, strict=True):
            numerators[j] = value * common
        for j, value in zip(space.free, point.numerators, strict=True):
            numerators[j] = value * ends.denominator
        return Point(tuple(numerators), common * ends.denominator)
