"""Lengths, areas, volumes, angles and curvature as functions of the vertices of a complex.

Which vertices make an edge, a polygon or a cell is fixed and exact; the numbers are tensors with
gradients to the vertices, and through these to the weights.  In the plane a boundary is a set of
polygonal curves, in space a set of polygonal surfaces.  It is *closed* if every face of one
dimension less lies on exactly two of its faces; then it encloses an area or a volume, counted with
the sign of the side that the function is negative on.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import UnsupportedError
from milpcount.geometry.complexes.polyhedral import PolyhedralComplex
from milpcount.geometry.complexes.simplices import fans, simplices
from milpcount.geometry.complexes.subcomplex import SubComplex, middles

__all__ = ["Shape"]

Ints = NDArray[np.int64]


class Shape:
    """Measures of a complex, or of a part, whose vertices are a tensor of shape ``(V, n)``."""

    def __init__(self, vertices: Any, exact: PolyhedralComplex | SubComplex) -> None:
        import torch

        self._torch, self._vertices, self._exact = torch, vertices, exact

    def sizes(self, k: int) -> Any:
        """Length, area or volume of every face of dimension ``k``, shape ``(faces,)``.

        Raises:
            UnsupportedError: some faces are unbounded.
            InputError: no such dimension.
        """
        torch, exact = self._torch, self._exact
        faces = [exact.faces(dimension) for dimension in range(k + 1)]
        self._require_bounded()
        begin, corners = simplices(faces, k)
        points = self._vertices[torch.as_tensor(corners)]
        if k == 0:
            return torch.ones(len(corners), dtype=self._vertices.dtype)
        edges = points[:, 1:] - points[:, :1]
        # A simplex of no size has no derivative; it counts 0.
        gram = torch.linalg.det(edges @ edges.transpose(1, 2))
        solid = gram > 0
        size = torch.where(solid, torch.where(solid, gram, torch.ones_like(gram)).sqrt(), 0.0)
        owner = torch.as_tensor(np.repeat(np.arange(len(begin) - 1), np.diff(begin)))
        out = torch.zeros(len(begin) - 1, dtype=size.dtype).index_add(0, owner, size)
        for factor in range(2, k + 1):
            out = out / factor
        return out

    @property
    def measure(self) -> Any:
        """The sum of the sizes of the faces of the greatest dimension."""
        return self.sizes(self._exact.dimension).sum()

    @property
    def enclosed(self) -> Any:
        """Area or volume that a closed boundary encloses: where the function is negative.

        Gauss: of the simplices that join the origin with the oriented edges or triangles of the
        boundary.  It is negative where the function is negative outside.

        Raises:
            UnsupportedError: no closed boundary of two or three coordinates.
        """
        torch = self._torch
        oriented = torch.as_tensor(self._oriented)
        corners = self._vertices[oriented]
        # About the middle: less is lost to cancellation.
        corners = corners - self._vertices.detach().mean(dim=0)
        return torch.linalg.det(corners).sum() / (2.0 if corners.shape[1] == 2 else 6.0)

    @property
    def compactness(self) -> Any:
        """The isoperimetric quotient of a closed boundary, at most 1, that of discs and balls.

        ``4 pi area / length^2`` in the plane, ``36 pi volume^2 / area^3`` in space.

        Raises:
            UnsupportedError: as :attr:`enclosed`.
        """
        inside, around = self.enclosed, self.measure
        if len(self._exact.free) == 2:
            return 4 * np.pi * inside.abs() / around**2
        return 36 * np.pi * inside**2 / around**3

    @property
    def angles(self) -> Any:
        """By how much a closed boundary turns, in radians, positive where it is convex.

        In the plane at every vertex, by which the sum over a simple curve is ``2 pi``; in space
        across every edge, between the normals of its two polygons, in the order of
        ``complex.faces(1)``.

        Raises:
            UnsupportedError: as :attr:`enclosed`.
        """
        torch, n = self._torch, len(self._exact.free)
        oriented = torch.as_tensor(self._oriented)
        if n == 2:
            before = torch.empty(len(self._vertices), dtype=torch.long)
            after = torch.empty(len(self._vertices), dtype=torch.long)
            after[oriented[:, 0]] = oriented[:, 1]
            before[oriented[:, 1]] = oriented[:, 0]
            x = self._vertices
            into, out = x - x[before], x[after] - x
            cross = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
            return torch.atan2(cross, (into * out).sum(dim=1))
        edges, faces = self._exact.faces(1), self._exact.faces(2)
        normals = self._normals()
        owner = np.repeat(np.arange(len(faces)), np.diff(faces.facet_begin))
        order = np.argsort(faces.facets, kind="stable")
        pair = torch.as_tensor(owner[order].reshape(-1, 2))
        first, second = normals[pair[:, 0]], normals[pair[:, 1]]
        bend = torch.linalg.vector_norm(torch.linalg.cross(first, second), dim=1)
        angle = torch.atan2(bend, (first * second).sum(dim=1))
        # Convex where the second polygon falls away from the plane of the first.
        x = self._vertices.detach()
        middle = torch.as_tensor(middles(x.numpy(), faces.begin, faces.vertices))
        ends = torch.as_tensor(edges.vertices.reshape(-1, 2))
        fall = ((middle[pair[:, 1]] - x[ends].mean(dim=1)) * first.detach()).sum(dim=1)
        return torch.where(fall < 0, angle, -angle)

    @property
    def total_curvature(self) -> Any:
        """How much a closed boundary bends in all.

        In the plane the sum of ``|angle|`` at vertices, ``2 pi`` for a convex curve; in space half
        the sum of edge lengths times ``|angle|``, the integral of the mean curvature.

        Raises:
            UnsupportedError: as :attr:`enclosed`.
        """
        size = self.angles.abs()
        return size.sum() if len(self._exact.free) == 2 else (self.sizes(1) * size).sum() / 2

    def _require_bounded(self) -> None:
        if not self._exact.is_bounded:
            raise UnsupportedError("some faces are unbounded; give a bounded domain")

    def _normals(self) -> Any:
        """Unit normals of the polygons, outward: half the sum of cross products of their rims."""
        torch = self._torch
        begin, corners = self._exact.polygons()
        after = np.arange(1, len(corners) + 1)
        after[begin[1:] - 1] = begin[:-1]
        owner = torch.as_tensor(np.repeat(np.arange(len(begin) - 1), np.diff(begin)))
        x = self._vertices - self._vertices.detach().mean(dim=0)
        here, there = x[torch.as_tensor(corners)], x[torch.as_tensor(corners[after])]
        total = torch.zeros((len(begin) - 1, 3), dtype=x.dtype)
        total = total.index_add(0, owner, torch.linalg.cross(here, there))
        return total / torch.linalg.vector_norm(total, dim=1, keepdim=True)

    @cached_property
    def _oriented(self) -> Ints:
        """Edges or triangles of a closed boundary, turned so that the negative side is inside."""
        exact, n = self._exact, len(self._exact.free)
        if not isinstance(exact, SubComplex) or n not in (2, 3) or exact.dimension != n - 1:
            raise UnsupportedError(
                "only boundaries in two or three varying coordinates enclose something; ask "
                "boundary(output=0, level=...)"
            )
        self._require_bounded()
        ridges = np.bincount(exact.faces(n - 1).facets, minlength=len(exact.faces(n - 2)))
        if not len(ridges) or np.any(ridges != 2):
            raise UnsupportedError(
                f"the boundary is not closed: {int(np.count_nonzero(ridges != 2))} of "
                f"{len(ridges)} of its {'vertices' if n == 2 else 'edges'} do not lie on two "
                "faces; take a domain that it does not leave"
            )
        growing = exact.towards()
        if growing is None:
            raise UnsupportedError(
                "this boundary has no inside: more than one function changes sign on it; ask the "
                "boundary of one output or of the difference of two"
            )
        if n == 3:
            return fans(*exact.polygons())
        ends = exact.faces(1).vertices.reshape(-1, 2)
        x = exact.vertices[:, list(exact.free)]
        along = x[ends[:, 1]] - x[ends[:, 0]]
        # Anticlockwise around the negative side: the function grows to the right.
        left = along[:, 0] * growing[:, 1] - along[:, 1] * growing[:, 0] > 0
        return np.where(left[:, None], ends[:, ::-1], ends)
