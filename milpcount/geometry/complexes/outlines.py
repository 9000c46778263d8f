"""Polygons: the vertices of faces of dimension two in the order in which their edges join them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.errors import InvariantError
from milpcount.geometry.complexes.face_sets import FaceSet

__all__ = ["outlines"]

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
