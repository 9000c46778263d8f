"""What bounds a region: its rows up to proportionality, and which of them are facets.

A *wall* is a set of rows that are positive multiples of each other: units whose forms vanish
together, and sides of the domain.  The region is what all walls leave.  A wall is a facet if and
only if some point lies beyond it and strictly inside all others (the test of
:mod:`milpcount.linear.facet_test`, domain included).

In up to four coordinates the region's generators are found in integers and say everything.
Beyond, :mod:`milpcount.geometry.shooting` decides wall by wall.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.core.point import Point
from milpcount.exact.feasibility import Row, decide
from milpcount.geometry.cone import Generators, Vector, primitive
from milpcount.geometry.space import Space
from milpcount.geometry.walls import Crossing, Wall

if TYPE_CHECKING:
    from milpcount.geometry.shooting import Shooting

__all__ = ["Shape"]

Bits = NDArray[np.uint8]
Float = NDArray[np.float64]

EXACT = 4  # coordinates up to which generators come first


class Shape:
    """The walls of one full region."""

    def __init__(self, space: Space, bits: Bits, inside: Float | Crossing | None = None) -> None:
        """Take the pattern of a region, and a point in it (of the carrier) or how a ray came in."""
        self.space, self.bits, self._inside = space, bits, inside

    # Exact rows.

    def unit_row(self, unit: int) -> Vector:
        """The form of a unit in ``y``, positive inside."""
        row = self.space.exact_row(self.bits, unit)
        return row if self.bits[unit] else tuple(-c for c in row)

    @cached_property
    def zero(self) -> list[int]:
        """Units whose forms are 0 on all of the region."""
        return self._exact[1] if self.is_small else self.shooting.zero

    @property
    def is_small(self) -> bool:
        """Whether generators come first."""
        return self.space.n <= EXACT

    @cached_property
    def _exact(self) -> tuple[dict[Vector, Wall], list[int]]:
        """All walls by their primitive rows in the inputs, and the units that are 0."""
        units: dict[Vector, list[int]] = {}
        zero: list[int] = []
        unit = 0
        linear = self.space.index.linear
        for forms in self.space.exact_forms(self.bits):
            for i in range(forms.matrix.nrows()):
                row = forms.row(i)
                if linear[unit]:
                    pass
                elif any(row[:-1]):
                    sign = 1 if self.bits[unit] else -1
                    key = primitive([sign * c for c in row])
                    units.setdefault(key, []).append(unit)
                elif not row[-1]:
                    zero.append(unit)
                unit += 1
        walls = {key: Wall(tuple(members), None) for key, members in units.items()}
        for side in self.space.sides:
            key = primitive(self.space.side_row(side))
            before = walls.get(key)
            if before is None:
                walls[key] = Wall((), side)
            elif before.side is None:
                walls[key] = Wall(before.units, side)
        return walls, zero

    @cached_property
    def generators(self) -> Generators:
        """Vertices and directions, exactly; for few coordinates."""
        if self.is_small:
            return Generators.of(self.space.n, list(self._exact[0]))
        rows = [self.wall_row(wall) for wall in self.facets]
        return Generators.of(self.space.n, rows)

    @cached_property
    def shooting(self) -> Shooting:
        """What decides the walls where generators do not."""
        from milpcount.geometry.shooting import Shooting

        return Shooting(self.space, self.bits, self._inside)

    @cached_property
    def unit_facets(self) -> tuple[Wall, ...]:
        """Facets on which units vanish, in the order of their first units."""
        if self.is_small:
            return tuple(wall for wall in self._small_facets if wall.units)
        return self.shooting.unit_facets

    @cached_property
    def facets(self) -> tuple[Wall, ...]:
        """All facets: those on which units vanish, then the sides of the domain."""
        if self.is_small:
            return self._small_facets
        return (*self.shooting.unit_facets, *self.shooting.side_facets())

    @cached_property
    def _small_facets(self) -> tuple[Wall, ...]:
        walls = list(self._exact[0].values())
        facets = [walls[i] for i in self.generators.facets()]
        return tuple(sorted((w for w in facets if w.units), key=lambda wall: wall.units)) + tuple(
            w for w in facets if not w.units
        )

    @property
    def walls_with_sides(self) -> tuple[Wall, ...]:
        """All walls, facets or not, with all sides of the domain among them."""
        if self.is_small:
            return tuple(self._exact[0].values())
        walls = self.shooting.walls
        taken = {wall.side for wall in walls}
        return (*walls, *(Wall((), s) for s in self.space.sides if s not in taken))

    def wall_row(self, wall: Wall) -> Vector:
        """The wall as an integer row in the coordinates that vary, positive inside."""
        if wall.side is not None:
            return primitive(self.space.side_row(wall.side))
        row = Row(self.unit_row(wall.units[0]), True)
        return primitive(self.space.on_inputs(row).coefficients)

    def across(self, wall: Wall) -> Bits:
        """The pattern across a facet that is not on the domain's boundary."""
        if len(wall.units) == 1 and not self.zero:
            out = self.bits.copy()
            out[wall.units[0]] ^= 1
            return out
        turning = [*wall.units, *self.zero]
        return self.space.across(self.bits, turning, self.unit_row(wall.units[0]))

    def crossing(self, wall: Wall) -> Crossing | None:
        """How a ray leaves through a facet, if floats know one."""
        return None if self.is_small else self.shooting.crossing(wall)

    def interior(self) -> Point:
        """A rational point in the region, in the coordinates that vary."""
        if self.is_small:
            numerators, denominator = self.generators.interior_point()
            exact = Point(numerators, denominator)
            rounded = Point.of_floats(exact.floats())
            rows = [Row(row, True) for row in self._exact[0]]
            if all(_value(row, rounded) > 0 for row in rows):
                return rounded
            return exact
        return self.shooting.interior()

    def rows_on_inputs(self) -> list[Row]:
        """The strict system of the region's interior in the coordinates that vary, exactly."""
        out = list(self.space.rows)
        for unit in self.space.index.positions.tolist():
            row = self.unit_row(unit)
            if any(row[:-1]):
                out.append(self.space.on_inputs(Row(row, True)))
        return out

    def decide_inside(self) -> Point | None:
        """A point in the interior by rational arithmetic alone; None if there is none."""
        return decide(self.rows_on_inputs(), self.space.exact_box).witness


def _value(row: Row, point: Point) -> int:
    value = sum(c * x for c, x in zip(row.coefficients, point.numerators, strict=False) if c)
    return value + row.coefficients[-1] * point.denominator
