"""What a polyhedral complex and its closed parts have in common: faces, numbers, topology."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InputError, UnsupportedError
from milpcount.geometry.complexes.face_sets import FaceSet, incidence_matrix
from milpcount.geometry.complexes.homology import (
    betti_numbers,
    bounded_modulo_lines,
    component_labels,
)
from milpcount.geometry.complexes.mesh_file import write_mesh
from milpcount.geometry.complexes.outlines import outlines, turned
from milpcount.geometry.complexes.simplices import measures

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["FaceComplex"]

Float = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class FaceComplex:
    """Faces of dimension 0 to ``dimension``, closed: with a face, all faces of it are there.

    Attributes:
        dimension: greatest dimension that faces may have.
        free: which of the problem's coordinates vary; the vertices have all of them.
        vertices: shape ``(V, d)``, floats, in general right to 1e-13 of the domain's width.
        is_bounded: whether no face is unbounded.
    """

    def __init__(
        self,
        dimension: int,
        free: tuple[int, ...],
        vertices: Float,
        faces: Sequence[FaceSet],
        is_bounded: bool,
    ) -> None:
        self.dimension, self.free, self.vertices = dimension, free, vertices
        self.is_bounded = is_bounded
        self._faces = tuple(faces)

    def faces(self, k: int) -> FaceSet:
        """The faces of dimension ``k``.

        Raises:
            InputError: no such dimension.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer):
            raise InputError(f"the dimension of faces is a whole number, not {k!r}")
        if not 0 <= k <= self.dimension:
            raise InputError(f"faces have dimension 0 to {self.dimension} here, not {k}")
        return self._faces[k]

    @property
    def f_vector(self) -> tuple[int, ...]:
        """Number of faces of dimension 0 to ``dimension``, those on the domain's sides included."""
        return tuple(len(faces) for faces in self._faces)

    @cached_property
    def interior_f_vector(self) -> tuple[int, ...]:
        """The same without the faces that lie on sides of the domain."""
        return tuple(int(np.count_nonzero(faces.is_inner)) for faces in self._faces)

    @property
    def euler_characteristic(self) -> int:
        """The alternating sum of the f-vector, unbounded faces included."""
        return sum((-1) ** k * count for k, count in enumerate(self.f_vector))

    def incidence(self, k: int) -> csr_array[Any]:
        """The sparse 0/1 matrix of ``k``-faces (rows) against ``k - 1``-faces (columns).

        Raises:
            InputError: no such dimension.
            MissingDependencyError: SciPy is not installed (extra ``geometry``).
        """
        faces = self.faces(k)
        if k == 0:
            raise InputError("vertices have no facets; take incidence(1) and above")
        return incidence_matrix(faces, len(self._faces[k - 1]))

    def polygons(self) -> tuple[Ints, Ints]:
        """``(begin, vertices)``: the vertices of every two-dimensional face in cyclic order.

        Polygon ``p`` has the corners ``vertices[begin[p] : begin[p + 1]]``, rows of
        :attr:`vertices`; polygons are numbered as ``faces(2)``.  In the plane they run
        anticlockwise.

        Raises:
            UnsupportedError: faces have less than two dimensions, or some are unbounded.
        """
        if self.dimension < 2:
            raise UnsupportedError(
                f"there are no polygons: the faces have dimension 0 to {self.dimension}"
            )
        if not self.is_bounded:
            raise UnsupportedError("some polygons are unbounded; give a bounded domain")
        return self._polygons

    def towards(self) -> Float | None:
        """For each face a vector that its normal is to agree with; None for none."""
        return None

    @cached_property
    def _polygons(self) -> tuple[Ints, Ints]:
        begin, corners = outlines(self._faces[2], self._faces[1])
        if len(self.free) == 2:
            flat = np.pad(self.vertices[:, self.free], ((0, 0), (0, 1)))
            upward = np.tile([0.0, 0.0, 1.0], (len(begin) - 1, 1))
            return begin, turned(begin, corners, flat, upward)
        towards = self.towards()
        if towards is not None:
            corners = turned(begin, corners, self.vertices[:, self.free], towards)
        return begin, corners

    def to_mesh(self, path: str | Path, polygons: bool = False) -> None:
        """Write a mesh: ``.obj`` or ``.ply``, its corners as they are numbered here.

        Of polygons triangles, or with ``polygons`` these themselves; of edges line sets.  The
        corners of a boundary in space are turned so that normals point towards growing values of
        the function.  Faces share corners by number, never by coordinates: where a boundary is
        closed every edge belongs to exactly two triangles, whatever rounding does.

        Raises:
            InputError: another ending.
            UnsupportedError: not two or three coordinates vary, or some faces are unbounded.
            OutputError: the file cannot be written.
        """
        write_mesh(self, Path(path), polygons)

    def measures_of(self, k: int) -> Float:
        """Length, area or volume of every face of dimension ``k``, infinite where unbounded.

        In the problem's own coordinates, on a slice those of the slice; of vertices it is 1.
        """
        self.faces(k)
        found = measures(self._faces, k, self.vertices[:, self.free])
        if k:
            found[~self.bounded_faces[k]] = np.inf
        return found

    @cached_property
    def bounded_faces(self) -> tuple[Bools, ...]:
        """For each dimension which faces are bounded."""
        if self.is_bounded:
            return tuple(np.ones(len(part), dtype=bool) for part in self._faces)
        lines, masks = bounded_modulo_lines(self._faces)
        return tuple(mask & (lines == 0) for mask in masks)

    def measure_of(self, k: int) -> float:
        """The sum of :meth:`measures_of`."""
        return float(np.sum(self.measures_of(k)))

    @cached_property
    def component_of(self) -> tuple[Ints, ...]:
        """For each dimension the connected component that each face belongs to, from 0 on."""
        return component_labels(self._faces)

    @cached_property
    def components(self) -> int:
        """Number of connected components."""
        return 1 + max((int(part.max(initial=-1)) for part in self.component_of), default=-1)

    @cached_property
    def betti(self) -> tuple[int, ...]:
        """Betti numbers over GF(2) of the union of all faces, for dimension 0 to ``dimension``.

        Of an unbounded complex these are of the closed set itself (ordinary homology).
        """
        return betti_numbers(self._faces, self.is_bounded)
