"""Faces joined from pieces, by what they are called.

A domain may be searched in parts that overlap in walls, or be cut by more functions than are asked
for.  Each face of the complex that is wanted is then a union of pieces.  Let every piece carry a
*label* such that the points of one label form a face that is wanted: a convex, relatively open set.

* The dimension of a face is the greatest one of its pieces, of which finitely many cover it.
* A face G of dimension k - 1 lies in the closure of F of dimension k if and only if a piece of G of
  dimension k - 1 is a facet of a piece of F of dimension k.  For take a point p of G in general
  position, in the closure of no piece of lower dimension of another label.  Finitely many closed
  pieces of F cover F near p; since F and G make a half-space there, a piece of dimension k has a
  neighbourhood of p in G in its closure, within one of its facets, which is a piece of G.
* A vertex is a piece of dimension 0, and a corner of every piece in whose closure it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from milpcount.geometry.complexes.face_sets import Corners, FaceSet

__all__ = ["Part", "joined"]

Float = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Part:
    """The pieces of one part of the domain.

    Attributes:
        vertices: shape ``(V, d)``.
        errors: shape ``(V,)``, of the vertices; of several places the best is chosen.
        corners: signs and sides of the vertices themselves.
        faces: the pieces, by dimension.
        names: for each dimension the signs and sides of the face that each piece belongs to.
        real: for each dimension which pieces belong to the domain at all.
    """

    vertices: Float
    errors: Float
    corners: Corners
    faces: Sequence[FaceSet]
    names: Sequence[Corners]
    real: Sequence[Bools]


def joined(parts: Sequence[Part]) -> tuple[Float, Float, Corners, tuple[FaceSet, ...]]:
    """Vertices, their errors, the signs and sides of the pieces that they are, and faces."""
    n = len(parts[0].faces) - 1
    # From the greatest dimension down, so that the first piece of a face has the face's dimension.
    order = [(k, p) for k in range(n, -1, -1) for p in range(len(parts))]
    place = {key: i for i, key in enumerate(order)}
    signs = [parts[p].names[k].signs[parts[p].real[k]] for k, p in order]
    sides = [parts[p].names[k].sides[parts[p].real[k]] for k, p in order]
    dimension = np.repeat([k for k, _ in order], [len(part) for part in signs])
    all_signs, all_sides = np.concatenate(signs), np.concatenate(sides)
    first, name = _numbered(np.hstack([all_signs, all_sides.astype(np.int8)]))
    top = dimension[first]  # of each face
    # Faces of each dimension in the order in which they come.
    number = np.empty(len(first), dtype=np.int64)
    chosen = []
    for k in range(n + 1):
        mine = np.flatnonzero(top == k)
        mine = mine[np.argsort(first[mine], kind="stable")]
        number[mine] = np.arange(len(mine))
        chosen.append(first[mine])
    ends = np.cumsum([0, *(len(part) for part in signs)])
    own: list[Ints] = []  # for each part and dimension, the face of each piece; -1 for none
    for i, (k, p) in enumerate(order):
        faces = np.full(len(parts[p].faces[k]), -1, dtype=np.int64)
        found = name[ends[i] : ends[i + 1]]
        faces[parts[p].real[k]] = np.where(top[found] == k, number[found], -1)
        own.append(faces)

    def of(k: int, p: int) -> Ints:
        return own[place[k, p]]

    fine = parts[0].corners
    exact = Corners(
        np.zeros((len(chosen[0]), fine.signs.shape[1]), dtype=np.int8),
        np.zeros((len(chosen[0]), all_sides.shape[1]), dtype=bool),
    )
    vertices = np.zeros((len(chosen[0]), parts[0].vertices.shape[1]))
    best = np.full(len(vertices), np.inf)
    for p, part in enumerate(parts):
        mine = of(0, p)
        better = np.flatnonzero(mine >= 0)
        better = better[part.errors[better] < best[mine[better]]]
        vertices[mine[better]] = part.vertices[better]
        best[mine[better]] = part.errors[better]
        exact.signs[mine[better]] = part.corners.signs[better]
        exact.sides[mine[better]] = part.corners.sides[better]
    corners = Corners(all_signs[chosen[0]], all_sides[chosen[0]])
    out = []
    for k in range(n + 1):
        count = len(chosen[k])
        links = [
            _links(of(k, p), part.faces[k].begin, part.faces[k].vertices, of(0, p))
            for p, part in enumerate(parts)
        ]
        begin, ends_of = _rows(np.concatenate(links), count)
        facet_begin, facets = np.zeros(count + 1, np.int64), np.zeros(0, np.int64)
        if k:
            links = [
                _links(of(k, p), part.faces[k].facet_begin, part.faces[k].facets, of(k - 1, p))
                for p, part in enumerate(parts)
            ]
            facet_begin, facets = _rows(np.concatenate(links), count)
        given = Corners(all_signs[chosen[k]], all_sides[chosen[k]])
        out.append(FaceSet(k, begin, ends_of, facet_begin, facets, corners, given))
    return vertices, best, exact, tuple(out)


def _numbered(rows: NDArray[np.int8]) -> tuple[Ints, Ints]:
    """Where each different row comes first, and for every row which one it is."""
    # Two bits a sign: positive, and not negative.
    packed = np.ascontiguousarray(np.packbits(np.hstack([rows > 0, rows >= 0]), axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def _links(faces: Ints, begin: Ints, below: Ints, of_below: Ints) -> Ints:
    """Pairs of a face and one below it, from the pieces that have the dimension of both."""
    owner = np.repeat(faces, np.diff(begin))
    target = of_below[below]
    kept = (owner >= 0) & (target >= 0)
    return np.column_stack([owner[kept], target[kept]])


def _rows(pairs: Ints, count: int) -> tuple[Ints, Ints]:
    """Pairs, each once, as compressed rows in ascending order."""
    pairs = np.unique(pairs, axis=0).reshape(-1, 2)
    begin = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(pairs[:, 0], minlength=count), out=begin[1:])
    return begin, pairs[:, 1].copy()
