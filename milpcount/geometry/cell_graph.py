"""The dual graph from all cells at once, over bounded domains and over the whole space.

Over the whole space the cells of a large cube are joined with those outside, which
:mod:`milpcount.geometry.beyond` describes.

A region is then one pattern in all parts where it occurs, and two regions share a facet if and only
if cells of theirs do in some part, or the facet lies within a wall between two parts.  Where units
vanish on a facet that a wall cuts out, the region's own facets decide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.result import Limit, Termination
from milpcount.core.run import Watch
from milpcount.errors import UnsupportedError
from milpcount.geometry.beyond import charts
from milpcount.geometry.prepared import MOST_VERTEX_INPUTS, Prepared
from milpcount.geometry.region_graph import RegionGraph
from milpcount.geometry.shape import Shape

__all__ = ["bulk_graph", "serves"]

Bits = NDArray[np.uint8]
Ints = NDArray[np.int64]


def serves(problem: CountProblem) -> str | None:
    """Why the cells of a problem cannot be made all at once; None if they can."""
    box = problem.box
    vary = int((box.lo < box.hi).sum())
    if not problem.stages:
        return "there are no units"
    if not 1 <= vary <= MOST_VERTEX_INPUTS:
        return f"{vary} inputs vary, 1 to {MOST_VERTEX_INPUTS} can be served"
    if len(problem.rows[1]) or box.is_bounded:
        return None
    if problem.slice is not None or np.isfinite(box.lo).any() or np.isfinite(box.hi).any():
        return "the domain is neither bounded nor the whole space"
    return None


def bulk_graph(prepared: Prepared, watch: Watch) -> RegionGraph | None:
    """The graph; None where the cells are too large to be made at once."""
    problem = prepared.problem
    parts = _Parts(prepared)
    try:
        if problem.box.is_bounded or len(problem.rows[1]):
            parts.add(problem, watch, None)
        else:
            for chart in charts(problem):
                parts.add(chart.problem, watch, chart.walls)
                if not parts.complete:
                    break
    except UnsupportedError:
        # An unbounded polytope, or a cell with too many vertices: facets will do.
        return None
    except KeyboardInterrupt:
        parts.complete = False
        watch.stop(Limit.INTERRUPT, "Ctrl-C")
    if not parts.found:
        return None
    return parts.graph(watch)


class _Parts:
    """Cells and facets of some parts of the domain, by pattern."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self.complete = True
        self.found: list[Bits] = []  # patterns of the cells of each part
        self._pairs: list[Ints] = []  # facets, as places in all cells
        self._open: list[Ints] = []  # cells with facets to which nothing is known
        self._walls: list[Ints] = []  # cells with units that vanish on a wall
        self._size = 0

    def add(self, part: CountProblem, watch: Watch, sides: tuple[int, ...] | None) -> None:
        """Search a part; ``sides`` are its walls to other parts."""
        from milpcount.search.cell_complex import cell_complex

        cells = cell_complex(part, watch, watch.budget.regions, faces="facets")
        self.complete &= cells.complete
        both = cells.facet_cells
        inner = np.all(both >= 0, axis=1)
        self.found.append(part.index.states(cells.cell_signs))
        self._pairs.append(both[inner] + self._size)
        outer = np.flatnonzero(~inner)
        if outer.size and (sides is not None or not cells.complete):
            faces = cells.faces[cells.n - 1]
            counts = faces.begin[outer + 1] - faces.begin[outer]
            starts = np.cumsum(counts) - counts
            rows = np.arange(counts.sum()) + np.repeat(faces.begin[outer] - starts, counts)
            corners = faces.vertices[rows]
            owner = both[outer].max(axis=1)
            on = np.logical_and.reduceat(cells.vertex_sides[corners], starts, axis=0)
            self._open.append(owner[~on.any(axis=1)] + self._size)
            if sides is not None:
                states = part.index.positions
                signs = np.abs(cells.vertex_signs[np.ix_(corners, states)])
                zero = np.maximum.reduceat(signs, starts, axis=0) == 0
                vanish = np.any(zero & (cells.cell_signs[np.ix_(owner, states)] != 0), axis=1)
                walls = on[:, list(sides)].any(axis=1)
                self._walls.append(owner[walls & vanish] + self._size)
        self._size += len(cells.cell_signs)

    def graph(self, watch: Watch) -> RegionGraph:
        """Join the parts."""
        patterns = np.concatenate(self.found)
        packed = np.ascontiguousarray(np.packbits(patterns, axis=1))
        keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
        _, index, inverse = np.unique(keys, return_index=True, return_inverse=True)
        # In the order in which they were found.
        order = np.argsort(index, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        place = rank[inverse.reshape(-1)]
        patterns = patterns[index[order]]
        pairs = np.sort(place[np.concatenate(self._pairs)], axis=1)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        expanded = np.ones(len(patterns), dtype=bool)
        if not self.complete:
            if self._open:
                expanded[place[np.concatenate(self._open)]] = False
            if len(self.found) > 1 or not self._prepared.problem.box.is_bounded:
                expanded[:] = False
        walls = place[np.concatenate(self._walls)] if self._walls else np.zeros(0, np.int64)
        if walls.size:
            pairs = np.concatenate([pairs, self._across(patterns, np.unique(walls))])
        pairs = np.unique(pairs, axis=0).astype(np.int64).reshape(-1, 2)
        termination = Termination.complete()
        if not self.complete:
            limit = watch.budget.regions
            termination = watch.stopped or watch.stop(Limit.REGIONS, f"{limit} regions")
        unknown = np.zeros(0, dtype=np.int64)
        graph = RegionGraph(
            self._prepared, patterns, pairs, unknown, expanded, termination, watch.seconds
        )
        graph.depth = graph.distances(0)
        return graph

    def _across(self, patterns: Bits, places: Ints) -> Ints:
        """The edges of regions some of whose facets may lie within walls."""
        space, index = self._prepared.space, self._prepared.problem.index
        known = {row.tobytes(): k for k, row in enumerate(patterns)}
        out = []
        for k in places.tolist():
            shape = Shape(space, index.spread(patterns[k]))
            for wall in shape.unit_facets:
                other = known.get(index.states(shape.across(wall).astype(np.int8)).tobytes())
                if other is not None:
                    out.append((min(k, other), max(k, other)))
        return np.array(out, dtype=np.int64).reshape(-1, 2)
