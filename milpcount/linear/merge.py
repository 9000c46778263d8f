"""Merge neighbouring regions with equal affine maps.

Regions with equal maps are sought by fingerprints and proved by exact maps (``groups``).  Two of
them are neighbours if they share a facet inside the domain (``facets``).  It is enough to look at

1. pairs ``R``, ``R'`` whose patterns differ in one unit ``u``.  The form of ``u`` is the same in
   both, and so are all forms on ``{g_u = 0}``: they are neighbours if and only if the row of ``u``
   gives a facet of ``R``.  If ``u`` is in the last counted layer no other form depends on it, so
   the segment from an inner point of ``R`` to one of ``R'`` leaves ``R`` through that facet: they
   are neighbours, always;
2. regions with a *coincidence*: two units with proportional forms, or one whose form is 0.  On a
   facet of any other region one unit alone vanishes, so the region across is one of step 1.  Here
   the region across each candidate for a facet is computed, and the facet is tested if that region
   is in the list with an equal map.  (If it is, the first unit in which the two differ takes both
   signs in the domain with the form that they share, and the facet lies inside the domain.)

Both steps skip what is merged already.  Before them, in large classes, rays through the regions
find and prove most of what step 1 has to merge without linear programmes (``rays``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.core.run import Outcome, Watch
from milpcount.errors import InvariantError
from milpcount.exact.ladder import Ladder
from milpcount.linear.circuit import Circuit, Prefixes
from milpcount.linear.facet_test import RegionFacets
from milpcount.linear.groups import equal_maps, input_dependent
from milpcount.linear.index import Components, PatternIndex, in_order
from milpcount.linear.modular import PRIMES, Residues, coincident
from milpcount.linear.pieces import LinearPieces
from milpcount.linear.rays import Explorer

__all__ = ["merge_linear"]

_MANY = 32  # regions with one map from which on rays are worth their seeds
_POINTS = 50_000_000  # floats that the points of one class may take
_STEPS = 5_000  # regions between two looks at the clock

Bits = NDArray[np.uint8]
Ints = NDArray[np.int64]


def merge_linear(problem: CountProblem, bits: Bits, watch: Watch, outcome: Outcome) -> LinearPieces:
    """The linear pieces of the network's function on the domain.

    The function is the network's output, with ``with_output`` after a ReLU.  The definition of the
    problem does not matter: regions are full-dimensional ones.

    Arguments:
        problem: the network and the domain.
        bits: the patterns of all full regions, 0/1 of shape ``(regions, units)``, each once.
        watch: its limits stop the merging; the result then is an interval.
        outcome: receives counts of what was done.

    Raises:
        InvariantError: ``bits`` has another shape or a pattern twice.
    """
    bits = np.ascontiguousarray(bits, dtype=np.uint8)
    if bits.ndim != 2 or bits.shape[1] != problem.n_units:
        raise InvariantError(f"patterns of shape {bits.shape} for {problem.n_units} units")
    n = len(bits)
    if n <= 1:
        return LinearPieces(np.arange(n, dtype=np.int64), n, n, True, np.zeros(n, dtype=np.int64))
    circuit = Circuit.of(problem)
    bits = circuit.spread(bits)
    maps = equal_maps(circuit, bits, lambda: watch.exceeded() is not None)
    outcome.add("affine_maps", maps.count)
    if not maps.finished:
        return LinearPieces(np.arange(n, dtype=np.int64), n, maps.count, False)
    members = np.flatnonzero(np.bincount(maps.map_of)[maps.map_of] > 1)
    parts = Components(n)
    finished = True
    if members.size:
        merging = _Merging(problem, circuit, bits[members], maps.map_of[members], watch, outcome)
        finished = merging.run()
        parts.unite(members, members[merging.parts.roots()])
    labels = in_order(parts.roots())
    return LinearPieces(labels, int(labels.max()) + 1, maps.count, finished, maps.map_of)


class _Merging:
    """The regions that share their map with another one."""

    def __init__(
        self,
        problem: CountProblem,
        circuit: Circuit,
        bits: Bits,
        map_of: Ints,
        watch: Watch,
        outcome: Outcome,
    ) -> None:
        self.problem, self.circuit, self.bits, self.map_of = problem, circuit, bits, map_of
        self.watch, self.outcome = watch, outcome
        self.index = PatternIndex(bits)
        self.parts = Components(len(bits))
        self.prefixes = Prefixes(circuit)
        self.ladder = Ladder(circuit.box, outcome)
        self.dependent = input_dependent(circuit, bits) & ~circuit.linear

    def run(self) -> bool:
        """Merge; False if a limit stopped it."""
        last = self.circuit.n_units - self.circuit.widths[-1]
        for u in range(last, self.circuit.n_units):
            self.outcome.add("merged_in_last_layer", self.parts.unite(*self._flips(u)))
        if self.problem.slice is None and not self._rays():
            return False
        return self._single_flips(last) and self._coincidences()

    def _flips(self, u: int) -> tuple[Ints, Ints]:
        """The pairs with equal maps that differ in this unit alone and are not merged."""
        a, b = self.index.flips(u)
        todo = (self.map_of[a] == self.map_of[b]) & self.parts.apart(a, b)
        return a[todo], b[todo]

    def _single_flips(self, last: int) -> bool:
        """Step 1 for the units before ``last``, region by region."""
        found = [(*self._flips(u), u) for u in range(last)]
        pairs = sorted(
            (i, j, u) for a, b, u in found for i, j in zip(a.tolist(), b.tolist(), strict=True)
        )
        present, facets = -1, None
        for k, (i, j, u) in enumerate(pairs):
            if self.watch.exceeded() is not None:
                return False
            self.watch.report("merging", k / len(pairs))
            if self.parts.together(i, j):
                continue
            if facets is None or i != present:
                present, facets = i, RegionFacets(self.circuit, self.prefixes, self.bits[i])
            self._test(facets, i, j, u)
        return True

    def _rays(self) -> bool:
        """Merge most of what large classes have to merge, without linear programmes.

        Rays spread over the regions of one map from a seed.  A region that they do not reach
        costs one linear programme, for a point in it, and is the next seed.
        """
        explorer = Explorer(
            self.problem, self.circuit, self.index, self.dependent, self.map_of, self.parts
        )
        sizes = np.bincount(self.map_of)
        order = np.argsort(self.map_of, kind="stable")
        ends = np.cumsum(sizes)
        # Classes do not meddle with each other: these stay true until a class has its turn.
        roots = self.parts.roots()
        for number in np.flatnonzero(sizes >= _MANY).tolist():
            rows = order[ends[number] - sizes[number] : ends[number]]
            if len(rows) * self.problem.dimension > _POINTS:
                continue
            parts = len(np.unique(roots[rows]))
            seeds = iter(rows.tolist())
            explorer.begin(rows)
            while True:
                if self.watch.exceeded() is not None:
                    return False
                self.watch.report("merging")
                if explorer.idle:
                    seed = next((r for r in seeds if not explorer.visited(r)), None)
                    if seed is None or parts == 1:
                        break
                    point = self._inner_point(seed)
                    if point is None:
                        continue
                    explorer.seed(seed, self.circuit.free, point)
                merged = explorer.run(_STEPS)
                parts -= merged
                self.outcome.add("merged_by_rays", merged)
        return True

    def _inner_point(self, row: int) -> NDArray[np.float64] | None:
        """A point inside a region, rounded; None if it is beyond the range of floats."""
        self.outcome.add("seeds_of_rays")
        facets = RegionFacets(self.circuit, self.prefixes, self.bits[row])
        witness = self.ladder.decide(facets.inside()).witness
        if witness is None:
            raise InvariantError(f"the pattern {self.bits[row].tolist()} is no full region")
        try:
            return witness.floats()
        except OverflowError:
            return None

    def _coincidences(self) -> bool:
        """Step 2."""
        one, two = (Residues.of(self.circuit, PRIMES[0], stream) for stream in (0, 1))
        sizes = np.bincount(self.parts.roots(), minlength=len(self.bits))
        # A part that is the whole class of its map cannot grow.
        whole = sizes[self.parts.roots()] == np.bincount(self.map_of)[self.map_of]
        todo = np.flatnonzero(~whole)
        flagged = todo[
            coincident(one, two, self.bits[todo], ~self.dependent[todo], self.circuit.linear)
        ]
        for k, i in enumerate(flagged.tolist()):
            if self.watch.exceeded() is not None:
                return False
            self.watch.report("merging", k / len(flagged))
            self.outcome.add("regions_with_coincidences")
            facets = RegionFacets(self.circuit, self.prefixes, self.bits[i])
            for units in facets.classes():
                if len(units) + len(facets.zero) == 1:
                    continue
                j = self.index.find(facets.across([*units, *facets.zero]))
                if j is None or self.map_of[i] != self.map_of[j] or self.parts.together(i, j):
                    continue
                self._test(facets, i, j, units[0])
        return True

    def _test(self, facets: RegionFacets, i: int, j: int, u: int) -> None:
        """Merge regions ``i`` and ``j`` if the row of ``u`` gives a facet of ``i``."""
        self.outcome.add("facet_tests")
        if facets.has_facet(u, self.ladder):
            self.parts.unite(np.array([i]), np.array([j]))
