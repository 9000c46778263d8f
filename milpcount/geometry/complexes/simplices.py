"""Faces cut into simplices, and how large they are.

A bounded face is cut by pulling its first vertex: its simplices are those of its facets that do
not hold this vertex, each joined with it.  The first vertex is the one of the lowest number in the
whole complex, so that the simplices of neighbouring faces agree on what these share.  Which
simplices there are follows from incidences alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.complexes.face_sets import FaceSet, rows_of

__all__ = ["exact_volumes", "fans", "measures", "simplices"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]


def simplices(faces: Sequence[FaceSet], k: int) -> tuple[Ints, Ints]:
    """The simplices of all bounded ``k``-faces.

    Returns:
        Where those of each face begin, and the simplices, of shape ``(simplices, k + 1)``: numbers
        of vertices.  Those of unbounded faces mean nothing.
    """
    corners = faces[0].vertices.reshape(-1, 1)
    begin = np.arange(len(corners) + 1)
    least = faces[0].vertices
    for dimension in range(1, k + 1):
        part = faces[dimension]
        owner = np.repeat(np.arange(len(part)), np.diff(part.facet_begin))
        apex = np.full(len(part), -1, dtype=np.int64)
        held = np.diff(part.begin) > 0
        apex[held] = part.vertices[part.begin[:-1][held]]
        far = least[part.facets] != apex[owner]
        chosen, owner = part.facets[far], owner[far]
        starts, places = rows_of(begin, np.arange(len(corners)), chosen)
        owner = np.repeat(owner, np.diff(starts))
        corners = np.column_stack([apex[owner], corners[places]])
        begin = np.zeros(len(part) + 1, dtype=np.int64)
        np.cumsum(np.bincount(owner, minlength=len(part)), out=begin[1:])
        least = apex
    return begin, corners


def measures(faces: Sequence[FaceSet], k: int, vertices: Float) -> Float:
    """Length, area or volume of every ``k``-face, from vertices in floats."""
    begin, corners = simplices(faces, k)
    if k == 0:
        return np.ones(len(corners))
    edges = vertices[corners[:, 1:]] - vertices[corners[:, :1]]
    if k == vertices.shape[1]:
        size = np.abs(np.linalg.det(edges))
    else:
        # The size of the triangular factor, which loses less than Gram's determinant.
        factor = np.linalg.qr(edges.transpose(0, 2, 1), mode="r")
        size = np.abs(np.prod(np.diagonal(factor, axis1=1, axis2=2), axis=1))
    owner = np.repeat(np.arange(len(begin) - 1), np.diff(begin))
    found = np.bincount(owner, weights=size, minlength=len(begin) - 1)
    return np.asarray(found / math.factorial(k), dtype=np.float64)


def exact_volumes(
    faces: Sequence[FaceSet], points: Sequence[tuple[Fraction, ...]]
) -> tuple[Fraction, ...]:
    """Volumes of the faces of the greatest dimension, from exact vertices of as many numbers."""
    from flint import fmpq, fmpq_mat

    n = len(faces) - 1
    begin, corners = simplices(faces, n)
    exact = [[fmpq(v.numerator, v.denominator) for v in point] for point in points]
    scale = math.factorial(n)
    out = []
    for f in range(len(begin) - 1):
        total = fmpq(0)
        for simplex in corners[begin[f] : begin[f + 1]].tolist():
            origin = exact[simplex[0]]
            flat = [a - b for v in simplex[1:] for a, b in zip(exact[v], origin, strict=True)]
            total += abs(fmpq_mat(n, n, flat).det())
        out.append(Fraction(int(total.p), int(total.q)) / scale)
    return tuple(out)


def fans(begin: Ints, corners: Ints) -> Ints:
    """Polygons in cyclic order cut into triangles, shape ``(triangles, 3)``, turned as they are.

    All triangles of a polygon share its corner of the lowest number.
    """
    sizes = np.diff(begin)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    after = np.arange(1, len(corners) + 1)
    after[begin[1:] - 1] = begin[:-1]
    apex = np.minimum.reduceat(corners, begin[:-1])[owner] if len(corners) else corners
    far = (corners != apex) & (corners[after] != apex)
    return np.asarray(np.column_stack([apex, corners, corners[after]])[far])
