"""The faces of one dimension of a complex, in compressed rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import MissingDependencyError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Corners", "FaceSet", "incidence_matrix", "rows_of"]

Ints = NDArray[np.int64]
Signs = NDArray[np.int8]
Bools = NDArray[np.bool_]

_AT_ONCE = 1 << 26  # signs that are gathered at once


@dataclass(frozen=True, eq=False)
class Corners:
    """What is known of the vertices of a complex.

    Attributes:
        signs: shape ``(vertices, units)``, exact signs of the units' pre-activations.
        sides: shape ``(vertices, sides)``: on which sides of the domain each one lies.
    """

    signs: Signs
    sides: Bools


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Faces of one dimension.

    A face is the set of all points of the domain with one sign vector that lie on the same sides of
    the domain; it is convex and relatively open.  What is listed as its vertices and facets lies in
    its closure.  An unbounded face is not the hull of its vertices and may have none.

    Attributes:
        dimension: of every face.
        corners: signs and sides of all vertices.
        given: signs and sides of these faces, where they do not follow from those of vertices.
        begin, vertices: face ``f`` has the vertices ``vertices[begin[f] : begin[f + 1]]``, numbers
            of rows of the complex's ``vertices``, ascending.
        facet_begin, facets: and the facets ``facets[facet_begin[f] : facet_begin[f + 1]]``, numbers
            of faces of one dimension less.
    """

    dimension: int
    begin: Ints
    vertices: Ints
    facet_begin: Ints
    facets: Ints
    corners: Corners = field(repr=False)
    given: Corners | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.begin) - 1

    def __repr__(self) -> str:
        return f"FaceSet({len(self)} faces of dimension {self.dimension})"

    def vertices_of(self, face: int) -> Ints:
        """The vertices in the closure of a face."""
        return self.vertices[self.begin[face] : self.begin[face + 1]]

    def facets_of(self, face: int) -> Ints:
        """The faces of one dimension less in the closure of a face."""
        return self.facets[self.facet_begin[face] : self.facet_begin[face + 1]]

    @cached_property
    def signs(self) -> Signs:
        """Shape ``(faces, units)``: the sign, in {-1, 0, 1}, of every unit on the open face.

        The units are those with a state, stage by stage, as in patterns.  A unit is positive on a
        face if and only if it is at some vertex of it (and negative nowhere): on the closure of a
        cell its pre-activation is affine and does not change sign.
        """
        if self.given is not None:
            return self.given.signs
        signs = self.corners.signs
        if self.dimension == 0:
            return signs[self.vertices]
        out = np.empty((len(self), signs.shape[1]), dtype=np.int8)
        step = max(1, _AT_ONCE // max(1, signs.shape[1]))
        start = 0
        while start < len(self):
            stop = int(np.searchsorted(self.begin, self.begin[start] + step, side="right")) - 1
            stop = min(max(stop, start + 1), len(self))
            part = signs[self.vertices[self.begin[start] : self.begin[stop]]]
            at = self.begin[start:stop] - self.begin[start]
            # Where both have the same sign it is that one, else one of them is 0.
            most, least = (
                np.maximum.reduceat(part, at, axis=0),
                np.minimum.reduceat(part, at, axis=0),
            )
            out[start:stop] = np.sign(most + least)
            start = stop
        return out

    def sign_of(self, unit: int) -> Signs:
        """One column of :attr:`signs`, without the others."""
        known = self.__dict__.get("signs") if self.given is None else self.given.signs
        if known is not None:
            return np.ascontiguousarray(known[:, unit])
        column = np.ascontiguousarray(self.corners.signs[:, unit])[self.vertices]
        if self.dimension == 0 or not len(self):
            return column
        at = self.begin[:-1]
        both = np.maximum.reduceat(column, at) + np.minimum.reduceat(column, at)
        return np.asarray(np.sign(both))

    @cached_property
    def sides(self) -> Bools:
        """Shape ``(faces, sides)``: whether the face lies on each side of the domain."""
        if self.given is not None:
            return self.given.sides
        sides = self.corners.sides
        if not len(self) or not sides.shape[1]:
            return np.zeros((len(self), sides.shape[1]), dtype=bool)
        if self.dimension == 0:
            return sides[self.vertices]
        gathered = sides[self.vertices]
        return np.asarray(np.logical_and.reduceat(gathered, self.begin[:-1], axis=0))

    @property
    def is_inner(self) -> Bools:
        """Which faces lie on no side of the domain."""
        return np.asarray(~self.sides.any(axis=1))


def rows_of(begin: Ints, values: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """Some rows of compressed rows: where each begins, and their values."""
    counts = begin[chosen + 1] - begin[chosen]
    starts = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    places = np.arange(starts[-1]) + np.repeat(begin[chosen] - starts[:-1], counts)
    return starts, values[places]


def incidence_matrix(faces: FaceSet, below: int) -> csr_array[Any]:
    """The sparse 0/1 matrix of faces (rows) against their facets (columns).

    Raises:
        MissingDependencyError: SciPy is not installed (extra ``geometry``).
    """
    try:
        from scipy.sparse import csr_array
    except ImportError as error:
        raise MissingDependencyError("scipy", "incidence", "geometry") from error
    ones = np.ones(len(faces.facets), dtype=np.int8)
    return csr_array((ones, faces.facets, faces.facet_begin), shape=(len(faces), below))
