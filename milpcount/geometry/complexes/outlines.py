"""Polygons: the vertices of faces of dimension two in the order in which their edges join them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InvariantError
from milpcount.geometry.complexes.face_sets import FaceSet

__all__ = ["outlines", "turned"]

Bools = NDArray[np.bool_]
Float = NDArray[np.float64]
Ints = NDArray[np.int64]


def outlines(polygons: FaceSet, edges: FaceSet) -> tuple[Ints, Ints]:
    """The vertices of bounded polygons in cyclic order, in compressed rows.

    All polygons are walked at once, one edge a step.  Only the order is decided here, from
    incidences and so exactly; the sense of rotation is that of each polygon's first edge.
    """
    count = len(polygons)
    begin = polygons.facet_begin
    sizes = np.diff(begin)
    ends = edges.vertices.reshape(-1, 2)[polygons.facets]  # (slots, 2): a slot is an edge's use
    owner = np.repeat(np.arange(count), sizes)
    # Each polygon's vertex ends two of its edges: the two sides of slots that meet there.
    flat = ends.ravel()
    order = np.lexsort((flat, np.repeat(owner, 2)))
    partner = np.empty(len(flat), dtype=np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    if not np.array_equal(flat, flat[partner]):
        raise InvariantError("the edges of a polygon do not close up")
    out = np.empty(len(ends), dtype=np.int64)
    at = 2 * begin[:-1]
    active = np.flatnonzero(sizes > 0)
    step = 0
    while active.size:
        out[begin[active] + step] = flat[at[active]]
        at[active] = partner[at[active] ^ 1]
        step += 1
        active = active[sizes[active] > step]
    return begin, out


def turned(begin: Ints, corners: Ints, points: Float, towards: Float) -> Ints:
    """The corners of polygons in space, turned so that normals agree with given vectors.

    Where two polygons and no more meet in an edge they are made to agree, so that surfaces are
    oriented as a whole: a polygon too thin for its own normal follows the others.

    Arguments:
        begin: where the corners of each polygon begin.
        corners: numbers of vertices, in cyclic order.
        points: shape ``(vertices, 3)``.
        towards: shape ``(polygons, 3)``.
    """
    sizes = np.diff(begin)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    after = np.arange(1, len(corners) + 1)
    after[begin[1:] - 1] = begin[:-1]
    origin = points[corners[begin[:-1]]][owner]
    cross = np.cross(points[corners] - origin, points[corners[after]] - origin)
    normal = np.add.reduceat(cross, begin[:-1], axis=0) if len(corners) else cross
    weight = np.einsum("ij,ij->i", normal, towards)
    flip = _agreeing(owner, corners, corners[after], weight)[owner]
    place = np.arange(len(corners))
    mirrored = (begin[:-1] + begin[1:] - 1)[owner] - place
    return corners[np.where(flip, mirrored, place)]


def _agreeing(owner: Ints, start: Ints, end: Ints, weight: Float) -> Bools:
    """Which polygons are to be turned over: those of negative weight, or as most of a surface."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((high, low))
    low, high, forward, owner = low[order], high[order], (start < end)[order], owner[order]
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    heads = np.flatnonzero(first)
    pairs = heads[np.diff(np.append(heads, len(low))) == 2]
    a, b = owner[pairs], owner[pairs + 1]
    same = forward[pairs] != forward[pairs + 1]  # they agree as they are
    flip = weight < 0
    if np.array_equal(flip[a] == flip[b], same):
        return flip
    links: list[list[tuple[int, bool]]] = [[] for _ in range(len(weight))]
    for i, j, agree in zip(a.tolist(), b.tolist(), same.tolist(), strict=True):
        links[i].append((j, agree))
        links[j].append((i, agree))
    seen = np.zeros(len(weight), dtype=bool)
    for root in range(len(weight)):
        if seen[root]:
            continue
        seen[root] = True
        surface, relative = [root], [False]
        for i, turn in zip(surface, relative, strict=False):
            for j, agree in links[i]:
                if not seen[j]:
                    seen[j] = True
                    surface.append(j)
                    relative.append(turn if agree else not turn)
        turns = np.array(relative)
        total = float(np.sum(np.where(turns, -weight[surface], weight[surface])))
        flip[surface] = turns ^ (total < 0)
    return flip
