"""Closed pieces: full regions, joined where the function equals their affine map.

Let ``f`` be the network's function on the domain ``X`` and ``a`` the affine map of some full
region.  ``Z = {x in X : f(x) = a(x)}`` is closed.  A *closed piece* is a connected component of
some ``Z`` that holds a full region with the map ``a`` (Stargalla, Hertrich and Reichman, NeurIPS
2025, definition 5: maximal closed connected sets on which ``f`` is affine, and full-dimensional, as
without that every level line would be one).  ``Z`` may go through regions with other maps, where it
is the solution set of linear equations: a slice of lower dimension.

**Facets are enough.**  For a full region ``R`` with map ``f_R`` the slice ``Z_R``, the points of
its closure with ``f_R = a``, is a convex polyhedron, hence connected, and ``Z`` is the union of
these finitely many closed sets.  So its components are those of the graph that joins two regions if
their slices meet.  Let ``x`` lie in the slices of both ``R`` and ``R'``.  The regions whose closure
holds ``x`` fill a neighbourhood of ``x`` in ``X``, the interior of which stays connected without
the faces of codimension two and more; so they hang together by facets that hold ``x``, inside the
interior of ``X``.  All of them have ``x`` in their slices.  Therefore the graph that joins two
regions if they have a common facet inside ``X`` whose closure meets ``Z`` has the same components.

On a facet both maps agree, and whether its closure ``F`` meets ``Z`` is decided exactly: by the
values at the vertices where the domain is bounded and few inputs vary (``vertex_slices``), by
linear programmes else (``facet_slices``).  Only maps of more than one open piece are looked at.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.errors import UnsupportedError
from milpcount.linear.circuit import Circuit, Prefixes
from milpcount.linear.facet_slices import FacetSlices
from milpcount.linear.index import Components, in_order
from milpcount.linear.pieces import LinearPieces
from milpcount.linear.vertex_slices import VertexSlices, has_vertices

__all__ = ["merge_closed"]

Bits = NDArray[np.uint8]
Ints = NDArray[np.int64]


class _Slices(Protocol):
    """Decides which regions of one map are in one component."""

    def components(self, rows: Ints, affine: fmpz_mat, watch: Watch) -> Ints | None:
        """A number for each of the rows, all regions with this map; None if a limit stopped it."""


def merge_closed(
    problem: CountProblem, bits: Bits, pieces: LinearPieces, watch: Watch, outcome: Outcome
) -> LinearPieces:
    """The closed pieces of the network's function on the domain.

    Arguments:
        problem: the network and the domain.
        bits: the patterns of all full regions, as for :func:`merge_linear`.
        pieces: the open pieces that it gave.
        watch: its limits stop the merging; the result then is an interval.
        outcome: receives counts of what was done.
    """
    if pieces.map_of is None or pieces.count == pieces.maps:
        return pieces
    # Maps of more than one piece.
    first = np.unique(pieces.labels, return_index=True)[1]
    shared = np.flatnonzero(np.bincount(pieces.map_of[first]) > 1)
    circuit = Circuit.of(problem)
    spread = circuit.spread(bits)
    slices = _slices(problem, circuit, bits, watch, outcome)
    if slices is None:
        return _stopped(pieces)
    parts = Components(len(bits))
    order = np.argsort(pieces.labels, kind="stable")
    parts.unite(order, first[pieces.labels[order]].astype(np.int64))
    prefixes = Prefixes(circuit)
    order = np.argsort(pieces.map_of, kind="stable")
    ends = np.searchsorted(pieces.map_of[order], np.arange(pieces.maps + 1))
    finished = True
    for k, number in enumerate(shared.tolist()):
        if watch.exceeded() is not None:
            finished = False
            break
        watch.report("joining closed pieces", k / len(shared))
        rows = order[ends[number] : ends[number + 1]]
        found = slices.components(rows, prefixes.affine_map(spread[rows[0]]), watch)
        if found is None:
            finished = False
            break
        _, leaders = np.unique(found, return_index=True)
        parts.unite(rows, rows[leaders[np.unique(found, return_inverse=True)[1]]])
    labels = in_order(parts.roots())
    count = int(labels.max()) + 1
    outcome.add("joined_by_slices", pieces.count - count)
    return LinearPieces(labels, count, pieces.maps, finished and pieces.finished, pieces.map_of)


def _slices(
    problem: CountProblem, circuit: Circuit, bits: Bits, watch: Watch, outcome: Outcome
) -> _Slices | None:
    if has_vertices(problem):
        try:
            return VertexSlices.of(problem, circuit, bits, watch)
        except UnsupportedError:
            pass  # a cell with too many vertices: linear programmes
    return FacetSlices(circuit, bits, outcome)


def _stopped(pieces: LinearPieces) -> LinearPieces:
    return LinearPieces(pieces.labels, pieces.count, pieces.maps, False, pieces.map_of)
