"""Closed parts of a complex: boundaries, sublevel and superlevel sets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.complexes.exact_points import ExactPoints
from milpcount.geometry.complexes.face_complex import FaceComplex
from milpcount.geometry.complexes.face_sets import Corners, FaceSet, rows_of

if TYPE_CHECKING:
    from milpcount.geometry.complexes.polyhedral import PolyhedralComplex

__all__ = ["SubComplex", "middles"]

Float = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class SubComplex(FaceComplex):
    """Some faces of a complex, with all faces of theirs; numbered anew.

    Attributes:
        parent: the complex that the faces are of: the one that was asked, or its refinement by the
            function whose level or sign was asked for.
        origin: for each dimension the numbers of the faces in ``parent``.
        name: what it is, in words.
    """

    def __init__(
        self,
        parent: PolyhedralComplex,
        chosen: Sequence[Bools],
        dimension: int,
        name: str,
        column: int | None = None,
    ) -> None:
        """Take the faces that are chosen, by dimension, up to ``dimension``.

        ``column`` is the sign of the function that grows along normals, if there is one.
        """
        self.parent, self.name, self._column = parent, name, column
        self.origin: tuple[Ints, ...] = tuple(
            np.flatnonzero(part) for part in chosen[: dimension + 1]
        )
        super().__init__(
            dimension,
            parent.free,
            parent.vertices[self.origin[0]],
            _chosen(parent, self.origin),
            parent.is_bounded,
        )

    def __repr__(self) -> str:
        counts = ", ".join(map(str, self.f_vector))
        return f"SubComplex({self.name}; f-vector {counts})"

    @cached_property
    def exact_vertices(self) -> ExactPoints:
        """The vertices as fractions, worked out from their sign vectors when they are asked for."""
        return self.parent.exact_vertices.chosen(self.origin[0])

    @cached_property
    def measure(self) -> float:
        """Size of the faces of the greatest dimension together: length, area, or volume.

        In the problem's own coordinates, on a slice those of the slice; infinite where a face of
        the greatest dimension is unbounded.
        """
        return self.measure_of(self.dimension)

    def towards(self) -> Float | None:
        """Into the cells where the function is positive, or out of those where it is negative."""
        parent, n = self.parent, len(self.free)
        if self._column is None or n not in (2, 3) or self.dimension != n - 1:
            return None
        cells = parent.faces(n)
        signs = cells.sign_of(self._column)
        points = parent.vertices[:, self.free]
        both = parent.facet_cells[self.origin[n - 1]]
        faces = self._faces[n - 1]
        middle = middles(self.vertices[:, self.free], faces.begin, faces.vertices)
        out = np.zeros_like(middle)
        for cell in both.T:
            there = cell >= 0
            begin, corners = rows_of(cells.begin, cells.vertices, cell[there])
            way = middles(points, begin, corners) - middle[there]
            out[there] += signs[cell[there], None] * way
        return out


def middles(points: Float, begin: Ints, corners: Ints) -> Float:
    """The mean of the corners of every face, these in compressed rows."""
    if not len(corners):
        return np.zeros((0, points.shape[1]))
    total = np.add.reduceat(points[corners], begin[:-1], axis=0)
    return np.asarray(total / np.diff(begin)[:, None])


def _chosen(parent: PolyhedralComplex, origin: Sequence[Ints]) -> list[FaceSet]:
    numbers = []
    for k, places in enumerate(origin):
        number = np.full(len(parent.faces(k)), -1, dtype=np.int64)
        number[places] = np.arange(len(places))
        numbers.append(number)
    whole = parent.faces(0)
    corners = Corners(whole.signs[origin[0]], whole.sides[origin[0]])
    out = []
    for k, places in enumerate(origin):
        faces = parent.faces(k)
        begin, vertices = rows_of(faces.begin, numbers[0][faces.vertices], places)
        if k == 0:
            facet_begin, facets = np.zeros(len(places) + 1, np.int64), np.zeros(0, np.int64)
        else:
            facet_begin, facets = rows_of(faces.facet_begin, numbers[k - 1][faces.facets], places)
        given = None if parent.is_bounded else Corners(faces.signs[places], faces.sides[places])
        out.append(FaceSet(k, begin, vertices, facet_begin, facets, corners, given))
    return out
