"""One activation region as users see it: pattern, witness, maps, facets, neighbours, measures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.core.pattern import ActivationPattern
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Leaf
from milpcount.errors import UnsupportedError
from milpcount.geometry.prepared import MOST_VERTEX_INPUTS, Prepared

if TYPE_CHECKING:
    from milpcount.geometry.cone import Generators
    from milpcount.geometry.shape import Shape
    from milpcount.geometry.walls import Crossing, Side, Wall

__all__ = ["Facet", "Region"]

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Facet:
    """A facet of a region: its intersection with a hyperplane, of dimension one less.

    Attributes:
        units: all units whose pre-activations vanish on it and not on the region, ascending
            (layer-major); empty where only the domain ends.
        domain: the side of the domain that it lies on: "lower" or "upper" end of a coordinate, or
            a "row" of the polytope, with its index; None inside the domain.
        normal, offset: the region satisfies ``normal . x <= offset``, with equality on the facet;
            the normal has unit length (in the problem's coordinates, on a slice the slice's).
    """

    units: tuple[int, ...]
    domain: Side | None
    normal: Float
    offset: float

    def __repr__(self) -> str:
        where = [f"units {', '.join(map(str, self.units))}"] if self.units else []
        return f"Facet({'; '.join([*where, *([str(self.domain)] if self.domain else [])])})"


@dataclass(frozen=True, eq=False)
class Region:
    """An activation region that is proved to exist.

    What the methods say is about its closure in the closed domain, in the problem's own
    coordinates: the network's inputs, or on a slice the slice's coordinates.  Coordinates that the
    domain fixes do not count: a region is full-dimensional, bounded, and has a volume relative to
    those that vary.

    Attributes:
        pattern: its activation pattern.
        problem: the counting problem that it belongs to.
    """

    pattern: ActivationPattern
    problem: CountProblem
    _leaf: Leaf | None
    _prepared: Prepared
    _hint: Float | Crossing | None = None  # a point inside (of the carrier), or how a ray came in

    @property
    def witness(self) -> NDArray[np.float64] | None:
        """An input in the region, in floats; None where floats found none (a sliver).

        It is proved to lie in the region, inside of it when full regions are counted.  On a slice
        it is the exact witness rounded off the slice, and its pattern is proved to be the
        region's.  :attr:`exact_witness` is there always.
        """
        if self.problem.slice is None:
            return self.coordinates
        x = self.problem.input_point(self._point).floats()
        return x if self._prepared.points.pattern_at(x) == self._states else None

    @property
    def exact_witness(self) -> tuple[Fraction, ...]:
        """A rational input in the region, proved; interior when full regions are counted.

        On a slice it lies on the slice exactly, and interior means relative to the slice; where
        the domain fixes coordinates, relative to the others.
        """
        return self.problem.input_point(self._point).fractions()

    @property
    def coordinates(self) -> NDArray[np.float64] | None:
        """A witness in the problem's coordinates, the slice's or else the inputs, in floats.

        None where floats found none.
        """
        return self._prepared.points.floats(self._states, self._point)

    @property
    def exact_coordinates(self) -> tuple[Fraction, ...]:
        """The exact witness in the problem's coordinates: the slice's, else the inputs."""
        return self._point.fractions()

    @cached_property
    def _states(self) -> tuple[int, ...]:
        return tuple(int(bit) for bit in self.pattern.bits)

    @cached_property
    def _point(self) -> Point:
        if self._leaf is not None:
            return self._prepared.points.point(self._states, self._leaf.witness)
        return self._prepared.inputs(self._shape.interior())

    def affine_map(self) -> tuple[Float, Float]:
        """``(A, b)`` with network output ``A x + b`` on the region; every entry to 1e-12 relative.

        ``x`` is the network's input, on a slice too.
        """
        return self._prepared.maps.affine_map(self.pattern.bits)

    def halfspaces(self) -> tuple[Float, Float]:
        """``(A, c)`` whose ``A x <= c`` is the closure of the region: one row a unit, unit length.

        ``x`` stands for the problem's own coordinates: the inputs, or on a slice the slice's
        coordinates (:attr:`coordinates`).  Rows are rounded and may be redundant (:attr:`facets`
        are not); units whose pre-activation is constant on the domain, and the sides of a box
        domain, are left out; the rows of a polytope come first.
        """
        return self._prepared.maps.halfspaces(self.pattern.bits)

    # Facets.

    @cached_property
    def _bits(self) -> NDArray[np.uint8]:
        """One entry a position: linear units, which have no bit, are active."""
        return self.problem.index.spread(self.pattern.bits.astype(np.uint8))

    @property
    def inside(self) -> Float | Crossing | None:
        """What is known of its interior: a point of the carrier, or how a ray came in."""
        if self._hint is not None or self._leaf is None:
            return self._hint
        space = self._prepared.space
        x = self._leaf.witness.floats()[list(space.free)]
        return x if space.bounded_sides or not space.reduced else np.asarray(space.lift @ x)

    @cached_property
    def _shape(self) -> Shape:
        from milpcount.geometry.shape import Shape

        shape = Shape(self._prepared.space, self._bits, self.inside)
        if self.problem.definition is not Definition.FULL and shape.decide_inside() is None:
            raise UnsupportedError(
                f"the pattern {self.pattern} holds on a set without interior points: only full-"
                "dimensional regions have facets and measures"
            )
        return shape

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """The facets of the region in the closed domain, each once.

        First those on which units vanish, in the order of their first units, then the other sides
        of the domain.  Rows that touch the region in a face of lower dimension are no facets.
        Every decision is proved, in floats or in rational arithmetic.
        """
        return tuple(self._facet(wall) for wall in self._shape.facets)

    @cached_property
    def unit_facets(self) -> tuple[Facet, ...]:
        """The facets on which units vanish: the first ones of :attr:`facets`."""
        return tuple(self._facet(wall) for wall in self._shape.unit_facets)

    def _facet(self, wall: Wall) -> Facet:
        from milpcount.geometry.maps import unit_length

        normal, offset = unit_length(self._shape.space, self._bits, wall)
        units = self.problem.index.bits[list(wall.units)].tolist()
        return Facet(tuple(units), wall.side, normal, offset)

    def neighbours(self) -> tuple[Region, ...]:
        """The region across each facet that is not on the domain's boundary, in their order.

        Exactly one region lies across such a facet; its pattern differs in all units of the facet
        that change sign, and in units that are zero on all of this region and not on that one.
        """
        return tuple(self._across(wall) for wall in self._crossings)

    @property
    def _crossings(self) -> tuple[Wall, ...]:
        return tuple(wall for wall in self._shape.unit_facets if wall.side is None)

    def _across(self, wall: Wall) -> Region:
        bits = self._shape.across(wall)
        states = bits[self.problem.index.positions]
        pattern = ActivationPattern.from_bits(states, self.pattern.widths)
        hint = self._shape.crossing(wall)
        return Region(pattern, self.problem, None, self._prepared, hint)

    # Measures.

    def chebyshev(self) -> tuple[Float, float]:
        """Centre and radius of a largest ball in the region and the domain.

        The radius is right to 1e-9 relative; it is ``inf``, with some point of the region, where
        balls of every size fit.  The centre need not be unique.
        """
        return self._ball

    @cached_property
    def _ball(self) -> tuple[Float, float]:
        from milpcount.geometry.measures import chebyshev

        return chebyshev(self._prepared, self._shape)

    @property
    def inradius(self) -> float:
        """The radius of :meth:`chebyshev`."""
        return self.chebyshev()[1]

    def bounding_box(self) -> tuple[Float, Float]:
        """Least and greatest value of every coordinate, infinite where it is unbounded.

        Exact and rounded once for up to six inputs that vary and where an end of the domain is a
        facet.  In boxes of more inputs the region is proved to lie between the values, and a point
        of it within 1e-9 of the box's width of each.
        """
        return self._bounds

    @cached_property
    def _bounds(self) -> tuple[Float, Float]:
        from milpcount.geometry.measures import bounding_box

        return bounding_box(self._prepared, self._shape)

    @cached_property
    def is_bounded(self) -> bool:
        """Whether the region is bounded."""
        from milpcount.geometry.measures import is_bounded

        return is_bounded(self._shape)

    def contains(self, x: ArrayLike) -> bool:
        """Whether a point of the problem's coordinates lies in the closed region, exactly.

        Raises:
            DomainError: a point of another length, or not finite.
        """
        from milpcount.geometry.point_checks import checked_point, closure_contains

        point = checked_point(x, self.problem.dimension, "the point")
        return closure_contains(self._prepared, self._bits, point)

    @overload
    def vertices(self, exact: Literal[False] = False) -> Float: ...
    @overload
    def vertices(self, exact: Literal[True]) -> tuple[tuple[Fraction, ...], ...]: ...
    def vertices(self, exact: bool = False) -> Float | tuple[tuple[Fraction, ...], ...]:
        """The vertices, one a row, rounded; as fractions with ``exact``.

        None where the region holds a line.

        Raises:
            UnsupportedError: more than six coordinates vary.
        """
        generators = self._generators("vertices")
        places = () if generators.lines else generators.vertices
        corners = [self._whole(generators.coordinates(k)) for k in places]
        if exact:
            return tuple(corners)
        return np.array(corners, dtype=np.float64).reshape(-1, self.problem.dimension)

    def edges(self) -> tuple[tuple[int, int], ...]:
        """Bounded edges, as pairs of places in :meth:`vertices`.

        Raises:
            UnsupportedError: more than six coordinates vary.
        """
        generators = self._generators("edges")
        place = {k: i for i, k in enumerate(generators.vertices)}
        return tuple((place[a], place[b]) for a, b in generators.edges())

    def rays(self) -> Float:
        """Directions in which the region is unbounded, one a row, of unit length.

        The region is the hull of its vertices plus all sums of multiples of these.  A line counts
        as two.  Without vertices, the region is a hull of other points plus these sums.

        Raises:
            UnsupportedError: more than six coordinates vary.
        """
        generators = self._generators("rays")
        found = [ray[:-1] for ray in generators.rays if not ray[-1]]
        for line in generators.lines:
            found += [line[:-1], tuple(-v for v in line[:-1])]
        out = np.zeros((len(found), self.problem.dimension))
        for row, ray in zip(out, found, strict=True):
            top = max(abs(v) for v in ray)
            row[list(self._prepared.space.free)] = [v / top for v in ray]
            row /= np.linalg.norm(row)
        return out

    @overload
    def volume(self, exact: Literal[False] = False) -> float: ...
    @overload
    def volume(self, exact: Literal[True]) -> Fraction: ...
    def volume(self, exact: bool = False) -> float | Fraction:
        """The volume, ``inf`` where it is infinite; computed exactly, rounded unless ``exact``.

        Raises:
            UnsupportedError: more than six coordinates vary, or an exact volume that is infinite.
        """
        volume = self._generators("volume").volume
        if volume is None and exact:
            raise UnsupportedError("the region is unbounded and has no finite volume")
        if exact and volume is not None:
            return volume
        return float("inf") if volume is None else float(volume)

    def _generators(self, what: str) -> Generators:
        vary = self._prepared.space.n
        if vary > MOST_VERTEX_INPUTS:
            raise UnsupportedError(
                f"{what} of a region are computed for up to {MOST_VERTEX_INPUTS} inputs that vary, "
                f"here are {vary}; facets, neighbours, chebyshev and bounding_box serve any number"
            )
        return self._shape.generators

    def _whole(self, free: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        """A point of the coordinates that vary with those that the domain fixes."""
        space = self._prepared.space
        if space.n == self.problem.dimension:
            return free
        values = [Fraction(v) if np.isfinite(v) else Fraction(0) for v in self.problem.box.lo]
        for j, value in zip(space.free, free, strict=True):
            values[j] = value
        return tuple(values)

    def __repr__(self) -> str:
        return f"Region({self.pattern})"

    def _repr_html_(self) -> str:
        from milpcount.draw.thumbnails import region_card

        return region_card(self)
