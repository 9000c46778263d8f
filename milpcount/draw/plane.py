"""What pictures in the plane are made of: polygons in cyclic order, edges, what vanishes where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.arguments import network_of
from milpcount.core.domain import Domain
from milpcount.core.problem import CountProblem
from milpcount.draw.map_table import map_table, values_at
from milpcount.search.cell_complex import CellComplex, cell_complex

__all__ = ["MAX_POLYGONS", "Plane", "fan", "plane_of"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_POLYGONS = 250_000
_ROOM = 1 << 24  # signs looked at in one go


@dataclass(frozen=True, eq=False)
class Plane:
    """The cells of a problem with two inputs that vary.

    Attributes:
        problem: the network and its domain.
        vary: the two coordinates that vary.
        vertices: shape ``(V, dimension)``, in the problem's coordinates.
        begin, corners: polygon ``p`` has the corners ``corners[begin[p] : begin[p + 1]]``, in
            cyclic order.
        signs: shape ``(polygons, units)``, the signs inside.
        edge_signs: shape ``(edges, units)``.
        ends: shape ``(edges, 2)``, vertices.
        sides: shape ``(edges, 2)``, the polygons on both sides; -1 where the domain ends.
    """

    problem: CountProblem
    vary: NDArray[np.intp]
    vertices: Float
    begin: Ints
    corners: Ints
    signs: NDArray[np.int8]
    edge_signs: NDArray[np.int8]
    ends: Ints
    sides: Ints

    def __len__(self) -> int:
        return len(self.begin) - 1

    @property
    def states(self) -> NDArray[np.uint8]:
        """The activation patterns, 0/1."""
        return (self.signs > 0).astype(np.uint8)

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
        out = np.full(len(self.ends), -1, dtype=np.int64)
        if not self.signs.shape[1]:
            return out
        step = max(1, _ROOM // self.signs.shape[1])
        for k in range(0, len(out), step):
            sides = self.sides[k : k + step]
            beside = (self.signs[sides[:, 0]] != 0) | (self.signs[sides[:, 1]] != 0)
            turns = (self.edge_signs[k : k + step] == 0) & beside
            out[k : k + step] = np.where(turns.any(axis=1), turns.argmax(axis=1), -1)
        return out

    @cached_property
    def stages(self) -> Ints:
        """The stage (from 0) of the unit that turns at each edge, -1 where none does."""
        starts = np.array(self.problem.index.first_bits[1:])
        return np.where(self.units < 0, -1, np.searchsorted(starts, self.units, side="right"))

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


def fan(begin: Ints, corners: Ints) -> tuple[Ints, Ints]:
    """Convex polygons cut into triangles about their first corners.

    Returns the corners of the triangles, shape ``(T, 3)``, and the polygon of each.
    """
    sizes = np.diff(begin)
    owner = np.repeat(np.arange(len(sizes)), sizes - 2)
    k = np.arange(len(owner)) - (np.cumsum(sizes - 2) - (sizes - 2))[owner]
    base = begin[owner]
    return np.stack([corners[base], corners[base + k + 1], corners[base + k + 2]], axis=1), owner


def plane_of(source: Any, domain: Domain | None, max_polygons: int = MAX_POLYGONS) -> Plane:
    """The polygons of a network over a domain."""
    problem = CountProblem.of(network_of(source), domain)
    vary = np.flatnonzero(problem.box.lo < problem.box.hi)
    cells = cell_complex(problem, None, max_polygons)
    corners, begin = _cyclic(cells, vary)
    edges = cells.faces[1]
    ends = edges.vertices.reshape(-1, 2)
    units = problem.index.positions
    vs = cells.vertex_signs[:, units]
    return Plane(
        problem,
        vary,
        cells.vertices,
        begin,
        corners,
        cells.cell_signs[:, units],
        vs[ends[:, 0]] | vs[ends[:, 1]],
        ends,
        cells.facet_cells,
    )


def _cyclic(cells: CellComplex, vary: NDArray[np.intp]) -> tuple[Ints, Ints]:
    """Corners of the polygons one after the other around each."""
    faces = cells.faces[2]
    begin = faces.begin
    points = cells.vertices[:, vary][faces.vertices]
    owner = np.repeat(np.arange(len(begin) - 1), np.diff(begin))
    centre = np.add.reduceat(points, begin[:-1], axis=0) / np.diff(begin)[:, None]
    about = points - centre[owner]
    order = np.lexsort((np.arctan2(about[:, 1], about[:, 0]), owner))
    return faces.vertices[order], begin
