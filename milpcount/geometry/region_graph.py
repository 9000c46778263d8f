"""The dual graph of a network: regions, joined where they share a facet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from milpcount.core.pattern import ActivationPattern
from milpcount.core.problem import CountProblem
from milpcount.core.result import Termination, TerminationReason
from milpcount.errors import InputError, MissingDependencyError
from milpcount.geometry.prepared import MOST_VERTEX_INPUTS, Prepared
from milpcount.geometry.region import Region
from milpcount.geometry.walls import Crossing

if TYPE_CHECKING:
    import networkx

__all__ = ["Edge", "RegionGraph", "Regions"]

Bits = NDArray[np.uint8]
Inside = NDArray[np.float64] | Crossing | None
Ints = NDArray[np.int64]

_MOST_SEARCHES = 2000  # breadth-first searches of a diameter


class Edge(NamedTuple):
    """Two regions that share a facet, and the units whose states differ (one or several)."""

    a: int
    b: int
    units: tuple[int, ...]


class Regions(Sequence[Region]):
    """The regions of a graph, made when they are asked for."""

    def __init__(self, prepared: Prepared, bits: Bits, hints: Sequence[Inside]) -> None:
        self._prepared, self._bits, self._hints = prepared, bits, hints
        self._made: dict[int, Region] = {}

    def __len__(self) -> int:
        return len(self._bits)

    def __getitem__(self, index: int) -> Region:  # type: ignore[override]
        place = range(len(self))[index]
        if place not in self._made:
            problem = self._prepared.problem
            pattern = ActivationPattern.from_bits(self._bits[place], problem.counted_widths)
            hint = self._hints[place] if self._hints else None
            self._made[place] = Region(pattern, problem, None, self._prepared, hint)
        return self._made[place]

    def __iter__(self) -> Iterator[Region]:
        return (self[i] for i in range(len(self)))


class RegionGraph:
    """Regions and the pairs of them that share a facet, each pair once.

    Every region and every edge is true, also where a limit ended the exploration.

    Attributes:
        problem: the counting problem that the regions belong to.
        patterns: shape ``(regions, units)``, 0/1; region 0 is where the exploration began.
        pairs: shape ``(edges, 2)``: places of the regions, the smaller one first.
        depth: for each region how many facets were crossed to reach it from region 0.
        expanded: for each region whether all its facets were crossed.
        termination: complete, or the limit that ended the exploration.
        seconds: time that it took, all runs together.
    """

    def __init__(
        self,
        prepared: Prepared,
        patterns: Bits,
        pairs: Ints,
        depth: Ints,
        expanded: NDArray[np.bool_],
        termination: Termination,
        seconds: float,
        hints: Sequence[Inside] = (),
    ) -> None:
        self._prepared = prepared
        self.patterns, self.pairs, self.depth, self.expanded = patterns, pairs, depth, expanded
        self.termination, self.seconds = termination, seconds
        self._hints = hints

    @property
    def problem(self) -> CountProblem:
        """The counting problem."""
        return self._prepared.problem

    @cached_property
    def regions(self) -> Regions:
        """The regions."""
        return Regions(self._prepared, self.patterns, self._hints)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges, each with the units that flip."""
        out = []
        for a, b in self.pairs.tolist():
            units = np.flatnonzero(self.patterns[a] != self.patterns[b])
            out.append(Edge(a, b, tuple(units.tolist())))
        return tuple(out)

    @property
    def complete(self) -> bool:
        """Whether nothing was left to visit: these are all regions and all edges."""
        return self.termination.reason is TerminationReason.COMPLETE

    def __len__(self) -> int:
        return len(self.patterns)

    def __repr__(self) -> str:
        state = "complete" if self.complete else f"stopped by {self.termination.limit}"
        return f"RegionGraph({len(self)} regions, {len(self.pairs)} edges, {state})"

    # The graph.

    @cached_property
    def _links(self) -> tuple[Ints, Ints]:
        """Neighbours of all regions one after the other, and where those of each begin."""
        both = np.concatenate([self.pairs, self.pairs[:, ::-1]])
        order = np.argsort(both[:, 0], kind="stable")
        starts = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum(np.bincount(both[:, 0], minlength=len(self)), out=starts[1:])
        return both[order, 1], starts

    def neighbours(self, a: int) -> tuple[int, ...]:
        """The regions joined to a region."""
        targets, starts = self._links
        a = self._place(a)
        return tuple(targets[starts[a] : starts[a + 1]].tolist())

    def degrees(self) -> Ints:
        """The number of edges of each region; where it is not ``expanded``, of those known."""
        return np.diff(self._links[1])

    def distances(self, a: int = 0) -> Ints:
        """Fewest edges from a region to each one; -1 where there is no path."""
        return self._search(self._place(a))

    def distance(self, a: int, b: int) -> int:
        """Fewest edges between two regions of the graph.

        Raises:
            InputError: no such region, or no path between them.
        """
        found = int(self._search(self._place(a))[self._place(b)])
        if found < 0:
            raise InputError(f"the regions {a} and {b} are not joined by a path of the graph")
        return found

    def ball(self, radius: int, centre: int = 0) -> tuple[int, ...]:
        """The regions within a distance of a region, nearest first.

        Raises:
            InputError: a radius below 0, or no such region.
        """
        if radius < 0:
            raise InputError(f"a distance is at least 0, not {radius}")
        found = self._search(self._place(centre))
        inside = np.flatnonzero((found >= 0) & (found <= radius))
        return tuple(inside[np.argsort(found[inside], kind="stable")].tolist())

    def eccentricity(self, a: int) -> int:
        """The greatest distance from a region to one that a path joins to it."""
        return int(self._search(self._place(a)).max())

    def diameter(self, searches: int = _MOST_SEARCHES) -> int | tuple[int, int]:
        """The greatest distance between two regions of the graph.

        Breadth-first searches from well-chosen regions bound the eccentricities of all others
        (Takes and Kosters 2011) until the greatest is known; after so many searches a proved
        ``(lower, upper)`` is returned instead.  Of a graph that is not complete it is the diameter
        of the known part, which says nothing about the whole.
        """
        n = len(self)
        low, high = np.zeros(n, dtype=np.int64), np.full(n, n, dtype=np.int64)
        open_ = np.ones(n, dtype=bool)
        degrees = self.degrees()
        lower, upper = 0, n
        for k in range(searches):
            if not open_.any():
                break
            ends = high if k % 2 == 0 else -low
            places = np.flatnonzero(open_)
            best = places[ends[places] == ends[places].max()]
            a = int(best[np.argmax(degrees[best])])
            distance = self._search(a)
            reached = distance >= 0
            far = int(distance.max())
            low[reached] = np.maximum(
                low[reached], np.maximum(distance[reached], far - distance[reached])
            )
            high[reached] = np.minimum(high[reached], far + distance[reached])
            low[a] = high[a] = far
            lower = max(lower, int(low.max()))
            open_ &= (high > lower) & (low < high)
            open_[a] = False
            upper = max(lower, int(high[open_].max(initial=0)))
            if upper == lower:
                break
        return lower if lower == upper else (lower, upper)

    @property
    def serves_volumes(self) -> bool:
        """Whether few enough inputs vary for volumes of regions."""
        return self._prepared.space.n <= MOST_VERTEX_INPUTS

    def _search(self, a: int) -> Ints:
        targets, starts = self._links
        distance = np.full(len(self), -1, dtype=np.int64)
        distance[a] = 0
        front = np.array([a], dtype=np.int64)
        step = 0
        while front.size:
            step += 1
            counts = starts[front + 1] - starts[front]
            offsets = np.repeat(
                starts[front] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts
            )
            reached = targets[np.arange(counts.sum()) + offsets]
            reached = reached[distance[reached] < 0]
            distance[reached] = step
            front = np.unique(reached)
        return distance

    def _place(self, a: int) -> int:
        if not -len(self) <= a < len(self):
            raise InputError(f"there is no region {a} among {len(self)}")
        return a % len(self)

    def to_networkx(self, inradius: bool = True, volume: bool = True) -> networkx.Graph:
        """The graph for networkx.

        Nodes are the places of the regions, with the attributes ``pattern`` (text), ``witness``
        (coordinates of an interior point), ``inradius`` and ``volume`` (up to six inputs that vary;
        both may be left out, they take most of the time); edges have ``units``.

        Raises:
            MissingDependencyError: networkx is not installed (extra ``geometry``).
        """
        try:
            import networkx
        except ImportError as error:
            raise MissingDependencyError("networkx", "to_networkx", "geometry") from error
        graph = networkx.Graph()
        few = self.serves_volumes
        for k, region in enumerate(self.regions):
            node: dict[str, object] = {
                "pattern": str(region.pattern),
                "witness": tuple(float(v) for v in region.exact_coordinates),
            }
            if inradius:
                node["inradius"] = region.inradius
            if volume and few:
                node["volume"] = region.volume()
            graph.add_node(k, **node)
        for a, b, units in self.edges:
            graph.add_edge(a, b, units=units)
        return graph
