"""What pictures in the plane are made of: polygons in cyclic order, edges, what turns where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.arguments import network_of
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.core.result import Budget, TerminationReason
from milpcount.core.run import Outcome, Watch
from milpcount.draw.map_table import map_table, values_at
from milpcount.engines.registry import run_engine
from milpcount.errors import DomainError, InputError, UnsupportedError
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex, polyhedral_complex

__all__ = ["MAX_POLYGONS", "Plane", "complex_of", "fan", "plain_name", "plane_of"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_POLYGONS = 250_000
_COUNTING = 20.0  # seconds to find out how many polygons are too many
_ROOM = 1 << 24  # signs looked at in one go


@dataclass(frozen=True, eq=False)
class Plane:
    """The cells of a complex with two inputs that vary, for pictures.

    Attributes:
        complex: the complex.
        vary: the two coordinates that vary.
        vertices: shape ``(V, dimension)``, in the problem's coordinates.
        begin, corners: polygon ``p`` has the corners ``corners[begin[p] : begin[p + 1]]``, in
            cyclic order.
        ends: shape ``(edges, 2)``, vertices.
        sides: shape ``(edges, 2)``, the polygons on both sides; -1 where the domain ends.
    """

    complex: PolyhedralComplex
    vary: NDArray[np.intp]
    vertices: Float
    begin: Ints
    corners: Ints
    ends: Ints
    sides: Ints

    def __len__(self) -> int:
        return len(self.begin) - 1

    @property
    def problem(self) -> CountProblem:
        """The network and its domain."""
        return self.complex.problem

    @cached_property
    def states(self) -> NDArray[np.uint8]:
        """The activation patterns, 0/1, shape ``(polygons, units)``: as ``K.patterns``.

        A unit is active on a polygon if and only if it is at some corner.  Eight units at a time.
        """
        count = self.problem.n_units
        packed = np.packbits(self.complex.faces(0).signs[:, :count] > 0, axis=1)
        some = np.bitwise_or.reduceat(packed[self.corners], self.begin[:-1], axis=0)
        return np.unpackbits(some, axis=1, count=count)

    @cached_property
    def points(self) -> Float:
        """The vertices in the picture, shape ``(V, 2)``."""
        return np.ascontiguousarray(self.vertices[:, self.vary])

    @cached_property
    def owners(self) -> Ints:
        """The polygon of each entry of ``corners``."""
        return np.repeat(np.arange(len(self)), np.diff(self.begin))

    @cached_property
    def inner(self) -> Ints:
        """The edges between two polygons."""
        return np.flatnonzero(np.all(self.sides >= 0, axis=1))

    @cached_property
    def segments(self) -> Float:
        """The edges in the picture, shape ``(edges, 2, 2)``."""
        return self.points[self.ends]

    @cached_property
    def units(self) -> Ints:
        """The first unit that turns at each edge, -1 where none does.

        A unit turns where it vanishes on the edge and not in a polygon beside it.
        """
        count = self.problem.n_units
        signs = self.complex.faces(0).signs[:, :count]
        out = np.full(len(self.ends), -1, dtype=np.int64)
        step = max(1, _ROOM // max(count, 1))
        for k in range(0, len(out) if count else 0, step):
            ends = self.ends[k : k + step]
            # On an edge a unit vanishes if it does so at both ends.
            zero = (signs[ends[:, 0]] | signs[ends[:, 1]]) == 0
            several = np.flatnonzero(np.count_nonzero(zero, axis=1) > 1)
            if several.size:
                zero[several] &= self._beside(signs, several + k)
            out[k : k + step] = np.where(zero.any(axis=1), zero.argmax(axis=1), -1)
        return out

    def _beside(self, signs: NDArray[np.int8], edges: Ints) -> NDArray[np.bool_]:
        """Which units do not vanish in both polygons beside each of these edges."""
        out = np.zeros((len(edges), signs.shape[1]), dtype=bool)
        for row, pair in zip(out, self.sides[edges].tolist(), strict=True):
            for p in pair:
                if p >= 0:
                    row |= signs[self.corners[self.begin[p] : self.begin[p + 1]]].any(axis=0)
        return out

    @cached_property
    def stages(self) -> Ints:
        """The layer (from 0) of the unit that turns at each edge, -1 where none does.

        Layers are stages that have units with a state; see :attr:`layers`.
        """
        ends = np.cumsum([width for _, width in self.layers])
        return np.where(self.units < 0, -1, np.searchsorted(ends, self.units, side="right"))

    @cached_property
    def layers(self) -> list[tuple[str, int]]:
        """Name and width of each stage that has units with a state."""
        problem = self.problem
        widths = [width for width in problem.counted_widths if width]
        names = [f"layer {k + 1}" for k in range(len(widths))]
        if problem.with_output:
            names[-1] = "output"
        return list(zip(names, widths, strict=True))

    @cached_property
    def areas(self) -> Float:
        """Of the polygons."""
        around = self._next
        x, y = self.points[self.corners].T
        # About the first corner, where less cancels.
        first = self.points[self.corners[self.begin[:-1]]][self.owners]
        x, y = x - first[:, 0], y - first[:, 1]
        return np.abs(np.add.reduceat(x * y[around] - y * x[around], self.begin[:-1])) / 2

    @cached_property
    def centres(self) -> Float:
        """The mean of each polygon's corners: a point inside, shape ``(polygons, 2)``."""
        sums = np.add.reduceat(self.points[self.corners], self.begin[:-1], axis=0)
        return np.asarray(sums / np.diff(self.begin)[:, None])

    @cached_property
    def values(self) -> Float:
        """The network's outputs at the vertices, shape ``(V, outputs)``."""
        return values_at(self.problem, self.vertices)

    @cached_property
    def maps(self) -> tuple[Float, Float]:
        """The affine map on each polygon; see :func:`~milpcount.draw.map_table.map_table`."""
        return map_table(self.problem, self.states, self.vary)

    @property
    def extent(self) -> tuple[Float, Float]:
        """Least and greatest coordinates of the picture."""
        return self.points.min(axis=0), self.points.max(axis=0)

    @property
    def axis_names(self) -> tuple[str, str]:
        """What the coordinates are called."""
        letter = "x" if self.problem.slice is None else "t"
        i, j = (int(k) + 1 for k in self.vary)
        return f"${letter}_{{{i}}}$", f"${letter}_{{{j}}}$"

    @cached_property
    def _next(self) -> Ints:
        """For each entry of ``corners`` the place of the next corner of its polygon."""
        out = np.arange(1, len(self.corners) + 1)
        out[self.begin[1:] - 1] = self.begin[:-1]
        return out


def plain_name(axis: str) -> str:
    """A name of an axis without its formula: x1 for $x_{1}$."""
    return "".join(c for c in axis if c not in "${}_")


def fan(begin: Ints, corners: Ints) -> tuple[Ints, Ints]:
    """Convex polygons cut into triangles about their first corners.

    Returns the corners of the triangles, shape ``(T, 3)``, and the polygon of each.
    """
    sizes = np.diff(begin)
    owner = np.repeat(np.arange(len(sizes)), sizes - 2)
    k = np.arange(len(owner)) - (np.cumsum(sizes - 2) - (sizes - 2))[owner]
    base = begin[owner]
    return np.stack([corners[base], corners[base + k + 1], corners[base + k + 2]], axis=1), owner


def plane_of(
    net_or_complex: Any, domain: Domain | None = None, max_polygons: int = MAX_POLYGONS
) -> Plane:
    """The polygons of a network over a domain, or of a complex.

    Raises:
        InputError: a complex and a domain as well, or more polygons than are allowed.
        DomainError: an unbounded domain, or none.
        UnsupportedError: another number of inputs than two varies.
    """
    found = complex_of(net_or_complex, domain, 2, max_polygons)
    begin, corners = found.polygons()
    vary = np.array(found.free, dtype=np.intp)
    return Plane(
        found,
        vary,
        found.vertices,
        begin,
        corners,
        found.faces(1).vertices.reshape(-1, 2),
        found.facet_cells,
    )


def complex_of(
    net_or_complex: Any, domain: Domain | None, dimension: int, most: int
) -> PolyhedralComplex:
    """A complex of this dimension over a bounded domain, with at most so many cells.

    Raises:
        InputError: a complex and a domain as well, or more cells than are allowed.
        DomainError: an unbounded domain, or none.
        UnsupportedError: another number of inputs varies.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"max_polygons must be a whole number of at least 1, not {most!r}")
    if isinstance(net_or_complex, PolyhedralComplex):
        if domain is not None:
            raise InputError("the complex has its domain already; leave domain out")
        _require_picture(net_or_complex.problem, dimension)
        _require_few(net_or_complex.problem, len(net_or_complex), True, most)
        return net_or_complex
    problem = CountProblem.of(network_of(net_or_complex), domain)
    _require_picture(problem, dimension)
    if not problem.n_units:
        raise UnsupportedError("a network without units has one region, the domain: no picture")
    found = polyhedral_complex(problem.network, domain, budget=Budget(regions=most + 1))
    _require_few(problem, len(found), found.complete, most)
    return found


def _require_picture(problem: CountProblem, dimension: int) -> None:
    vary = int(np.count_nonzero(problem.box.lo < problem.box.hi))
    if vary != dimension:
        what = {2: "a picture in the plane", 3: "a picture in space"}[dimension]
        planes = {
            2: "take a slice: mc.Slice.plane(a, b, c), --plane FILE",
            3: "take a slice through four points, or fix coordinates with equal ends of the box",
        }
        remedy = planes[dimension] if vary > dimension else "choose another style, or a wider box"
        raise UnsupportedError(
            f"{what} needs {dimension} inputs that vary, here are {vary}; {remedy}"
        )
    if not (problem.box.is_bounded or len(problem.rows[1])):
        raise DomainError("a picture needs a bounded domain: mc.Box(lo, hi), --box LO HI")


def _require_few(problem: CountProblem, found: int, complete: bool, most: int) -> None:
    if found <= most and complete:
        return
    count, exact = (found, True) if complete else _counted(problem)
    number = f"{max(count, found)}" if exact else f"more than {max(count, found)}"
    raise InputError(
        f"the picture would have {number} polygons, more than {most}: allow more "
        "(max_polygons=, --max-polygons), or draw a smaller part of the domain"
    )


def _counted(problem: CountProblem) -> tuple[int, bool]:
    """The number of regions, and whether the clock did not end the count."""
    watch, outcome = Watch(Budget(seconds=_COUNTING)), Outcome()
    count = sum(part.count for part in run_engine("subdivision", problem, watch, outcome, {}))
    return count, outcome.termination.reason is TerminationReason.COMPLETE
