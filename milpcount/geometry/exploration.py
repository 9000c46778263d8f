"""Exploring the dual graph: from region to region across facets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from milpcount.arguments import budget_of, problem_of, watched
from milpcount.core.domain import Domain
from milpcount.core.point import Point
from milpcount.core.problem import CountProblem
from milpcount.core.result import (
    Budget,
    Definition,
    Limit,
    ProgressCallback,
    Termination,
)
from milpcount.core.run import Watch
from milpcount.errors import DomainError, InputError, UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.exact.dyadic import ExactBox
from milpcount.exact.feasibility import Row, decide
from milpcount.exact.forms import domain_rows
from milpcount.geometry.graph_file import Stored, load, save
from milpcount.geometry.locate import around, one_region
from milpcount.geometry.point_checks import checked_point, require_in_domain
from milpcount.geometry.prepared import Prepared
from milpcount.geometry.region import Region
from milpcount.geometry.region_graph import RegionGraph
from milpcount.geometry.shape import Shape
from milpcount.geometry.walls import Crossing

__all__ = ["dual_graph", "explore", "explore_around"]

Bits = NDArray[np.uint8]
Float = NDArray[np.float64]

_SAVE = 30.0  # seconds between two writings of the resume file


def explore(
    net: Any,
    start: ArrayLike | Region | None = None,
    domain: Domain | None = None,
    *,
    max_regions: int | None = None,
    max_distance: int | None = None,
    budget: Budget | float | None = None,
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    resume: str | Path | None = None,
    progress: ProgressCallback | bool | None = None,
) -> RegionGraph:
    """Explore the dual graph from one region on, nearest regions first.

    Two regions are joined where they share a facet inside the domain.  Two patterns that differ in
    one unit need not: edges come from facets, never from patterns.

    Arguments:
        net: the network, or what :func:`milpcount.load_network` reads.
        start: a point (an input, or coordinates of the slice) that lies inside a region, or a
            region; some point of the domain when None.
        domain: as for :func:`milpcount.count`: the network's own box when None.
        max_regions: stop when so many are found.
        max_distance: visit regions up to so many facets away.
        budget: limits of time and regions; a number is one of seconds.
        definition: "full": full-dimensional regions are what has facets.
        with_output: whether the units of the last affine layer count as ReLUs too.
        resume: a file that keeps what is found; an exploration that was stopped goes on from it.
        progress: called with :class:`~milpcount.core.result.Progress`; True shows a bar.

    A limit or Ctrl-C gives a graph that is not ``complete`` and holds true regions and edges.

    Raises:
        DomainError: a start outside the domain or on the boundary between regions.
        InputError: a limit that is no number above 0, a distance below 0, or a file of another
            exploration.
    """
    if max_distance is not None and max_distance < 0:
        raise InputError(f"a distance is at least 0, not {max_distance}")
    if max_regions is not None and max_regions < 1:
        raise InputError(f"the region limit must be at least 1, not {max_regions}")
    limits = budget_of(budget)
    problem = _problem(net, domain, definition, with_output)
    prepared = Prepared(problem)
    path = None if resume is None else Path(resume)
    with watched(progress) as shown:
        watch = Watch(limits, shown)
        stored, inside = None if path is None else load(path, problem), None
        if stored is None:
            first = _first(prepared, start)
            stored, inside = _beginning(first), first.inside
        search = _Exploration(prepared, watch, stored, inside, max_regions, max_distance)
        if path is None:
            return search.run(lambda: None)
        graph = search.run(lambda: save(path, problem, search.state()))
        save(path, problem, search.state())
        return graph


def dual_graph(
    net: Any,
    domain: Domain | None = None,
    *,
    method: str = "auto",
    definition: Definition | str = Definition.FULL,
    with_output: bool = False,
    budget: Budget | float | None = None,
    progress: ProgressCallback | bool | None = None,
) -> RegionGraph:
    """The whole dual graph: all regions of the domain, joined where they share a facet.

    Arguments:
        net: the network.
        domain: as for :func:`milpcount.count`.
        method: "subdivision" makes it of all cells at once (bounded domains and whole spaces, up to
            six inputs that vary), "facets" by :func:`explore`; "auto" takes the first where it
            applies.
        definition: as for :func:`explore`.
        with_output: as for :func:`explore`.
        budget: as for :func:`explore`.
        progress: as for :func:`explore`.

    A limit or Ctrl-C gives a graph that is not ``complete`` and holds true regions and edges.

    Raises:
        DomainError: no domain, or one with empty interior.
        UnsupportedError: a method that does not serve the problem, or another definition.
    """
    from milpcount.geometry.cell_graph import bulk_graph, serves

    if method not in ("auto", "subdivision", "facets"):
        raise UnsupportedError(f"no method {method!r}; known: auto, subdivision, facets")
    limits = budget_of(budget)
    problem = _problem(net, domain, definition, with_output)
    prepared = Prepared(problem)
    with watched(progress) as shown:
        if method != "facets":
            reason = serves(problem)
            if reason is None:
                graph = bulk_graph(prepared, Watch(limits, shown))
                if graph is not None:
                    return graph
                reason = "a cell is too large, or the domain unbounded"
            if method == "subdivision":
                raise UnsupportedError(
                    f"the cells cannot be made all at once: {reason}; use facets"
                )
        first = _first(prepared, None)
        watch = Watch(limits, shown)
        return _Exploration(prepared, watch, _beginning(first), first.inside).run(lambda: None)


def explore_around(
    prepared: Prepared, start: Region, distance: int, budget: Budget | None = None
) -> RegionGraph:
    """The regions within a distance of one, of a problem that is prepared already.

    The last shell is not expanded: edges within it are not known.
    """
    search = _Exploration(
        prepared, Watch(budget), _beginning(start), start.inside, None, distance, False
    )
    return search.run(lambda: None)


def _beginning(start: Region) -> Stored:
    """What is known when an exploration begins."""
    return Stored.beginning(start.pattern.bits.astype(np.uint8))


def _problem(
    net: Any, domain: Domain | None, definition: Definition | str, with_output: bool
) -> CountProblem:
    wanted = Definition.of(definition)
    if wanted is not Definition.FULL:
        raise UnsupportedError(
            f"the dual graph joins full-dimensional regions; the definition {wanted} has others"
        )
    problem = problem_of(net, domain, wanted, with_output)
    require_full_dimensional(problem)
    return problem


def _first(prepared: Prepared, start: ArrayLike | Region | None) -> Region:
    """The region where an exploration begins."""
    problem = prepared.problem
    if isinstance(start, Region):
        if start.pattern.widths != problem.counted_widths:
            raise InputError("the start is a region of another network, or without its output")
        if start.coordinates is None:
            raise DomainError("no float lies in the start, it is so thin; start from a neighbour")
        return one_region(prepared, start.coordinates)
    if start is not None:
        point = checked_point(start, problem.dimension, "the start")
        require_in_domain(problem, point, "the start")
        return one_region(prepared, point)
    box = problem.box
    if len(problem.rows[1]):
        rows = [Row(row.coefficients, True) for row in domain_rows(problem)]
        witness = decide([r for r in rows if any(r.coefficients[:-1])], ExactBox.of(box)).witness
        point = (witness or Point((0,) * problem.dimension, 1)).floats()
    else:
        lo = np.where(
            np.isfinite(box.lo), box.lo, np.where(np.isfinite(box.hi), box.hi - 2.0, -1.0)
        )
        hi = np.where(np.isfinite(box.hi), box.hi, lo + 2.0)
        point = np.clip(lo + (hi - lo) / 2, box.lo, box.hi)
    try:
        require_in_domain(problem, point, "the middle of the domain")
        return around(prepared, point)[0]
    except DomainError as error:
        raise DomainError("no start was found inside the domain; give one") from error


class _Exploration:
    """A breadth-first search with everything that it knows."""

    def __init__(
        self,
        prepared: Prepared,
        watch: Watch,
        stored: Stored,
        inside: Float | Crossing | None,
        max_regions: int | None = None,
        max_distance: int | None = None,
        last_shell: bool = True,
    ) -> None:
        """Take what is known, and what is known of the interior of region 0."""
        self._last_shell = last_shell
        self.prepared, self.watch = prepared, watch
        self._index = prepared.problem.index
        self._most, self._far = max_regions, max_distance
        self._bits: list[Bits] = [self._index.spread(row) for row in stored.patterns]
        self._places = {bits.tobytes(): k for k, bits in enumerate(self._bits)}
        self._depth: list[int] = stored.depth.tolist()
        self._expanded: list[bool] = stored.expanded.tolist()
        self._edges: dict[tuple[int, int], None] = dict.fromkeys(map(tuple, stored.pairs.tolist()))
        self._hints: list[Float | Crossing | None] = [None] * len(self._bits)
        self._hints[0] = inside
        self._cut = False  # whether a region was left out
        self._saved = 0.0
        watch.seconds_before = stored.seconds
        watch.regions = len(self._bits)

    def run(self, keep: Callable[[], None]) -> RegionGraph:
        """Search on until nothing is left or a limit is reached."""
        termination = None
        try:
            k = 0
            while k < len(self._bits):
                if not (self._last_shell or self._depth[k] != self._far):
                    break
                if not self._expanded[k]:
                    termination = self.watch.exceeded()
                    if termination is not None:
                        break
                    self._expand(k)
                    self.watch.report("exploring")
                    if self.watch.seconds - self._saved > _SAVE:
                        self._saved = self.watch.seconds
                        keep()
                k += 1
        except KeyboardInterrupt:
            termination = self.watch.stop(Limit.INTERRUPT, "Ctrl-C")
        if termination is None and self._cut:
            if self._most is not None and len(self._bits) >= self._most:
                termination = Termination.stopped(Limit.REGIONS, f"{self._most} regions")
            else:
                termination = Termination.stopped(Limit.REGIONS, f"distance {self._far}")
        state = self.state()
        return RegionGraph(
            self.prepared,
            state.patterns,
            state.pairs,
            state.depth,
            state.expanded,
            termination or Termination.complete(),
            state.seconds,
            self._hints,
        )

    def _expand(self, k: int) -> None:
        """Find what lies across the facets of a region."""
        shape = Shape(self.prepared.space, self._bits[k], self._hints[k])
        found = []
        for wall in shape.unit_facets:
            if wall.side is None:
                bits = shape.across(wall)
                known = self._places.get(bits.tobytes())
                hint = None if known is not None else shape.crossing(wall)
                found.append((bits, known, hint))
        whole = True
        for bits, known, hint in found:
            place = known
            if place is None:
                place = self._add(bits, hint, self._depth[k] + 1)
            if place is None:
                whole = False
            else:
                self._edges[min(k, place), max(k, place)] = None
        self._expanded[k] = whole

    def _add(self, bits: Bits, hint: Crossing | None, depth: int) -> int | None:
        """A new region; None where a limit leaves it out."""
        key = bits.tobytes()
        if key in self._places:
            return self._places[key]
        full = self._most is not None and len(self._bits) >= self._most
        limit = self.watch.budget.regions
        full |= limit is not None and len(self._bits) >= limit
        if full or (self._far is not None and depth > self._far):
            self._cut = True
            return None
        place = len(self._bits)
        self._places[key] = place
        self._bits.append(bits)
        self._depth.append(depth)
        self._expanded.append(False)
        self._hints.append(hint)
        self.watch.regions = len(self._bits)
        return place

    def state(self) -> Stored:
        """What is known, as arrays."""
        positions = self._index.positions
        patterns = np.array(self._bits, dtype=np.uint8).reshape(len(self._bits), -1)[:, positions]
        return Stored(
            patterns,
            np.array(list(self._edges), dtype=np.int64).reshape(-1, 2),
            np.array(self._depth, dtype=np.int64),
            np.array(self._expanded, dtype=bool),
            self.watch.seconds_before + self.watch.seconds,
        )
