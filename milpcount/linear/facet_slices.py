"""Where the function equals an affine map, from facet to facet, by linear programmes.

For any domain, an unbounded one too, and any number of inputs.  The regions are searched from
those with the map on: a facet of a region that was reached is crossed if it meets the set ``Z`` of
:mod:`milpcount.linear.closed`.  The closure of the facet on which the rows ``~ u`` of a region
vanish is ``{x in X : r_v(x) >= 0 for all v, r_u(x) = 0}``, since the open region is not empty.
"""

from __future__ import annotations

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from milpcount.core.run import Outcome, Watch
from milpcount.exact.feasibility import Row
from milpcount.exact.ladder import Ladder
from milpcount.linear.circuit import Circuit, Prefixes
from milpcount.linear.facet_test import RegionFacets
from milpcount.linear.index import Components, PatternIndex

__all__ = ["FacetSlices"]

Ints = NDArray[np.int64]


class FacetSlices:
    """The regions of a problem and their facets, found as they are needed."""

    def __init__(self, circuit: Circuit, bits: NDArray[np.uint8], outcome: Outcome) -> None:
        """Take the patterns of all full regions."""
        self._circuit, self._outcome = circuit, outcome
        self._bits = circuit.spread(bits)
        self._index = PatternIndex(self._bits)
        self._prefixes = Prefixes(circuit)
        self._ladder = Ladder(circuit.box, outcome)
        self._known: dict[int, _Cell] = {}

    def components(self, rows: Ints, affine: fmpz_mat, watch: Watch) -> Ints | None:
        """A number for each of the rows, all regions with this map; None if a limit stopped it."""
        parts = Components(len(self._bits))
        waiting = rows.tolist()
        reached = set(waiting)
        while waiting:
            if watch.exceeded() is not None:
                return None
            row = waiting.pop()
            cell = self._cell(row)
            equations = _equations(cell.affine - affine)
            if equations is None:
                continue
            for other, walls in cell.neighbours:
                if parts.together(row, other):
                    continue
                if not equations or self._meets(cell, walls, equations):
                    parts.unite(np.array([row]), np.array([other]))
                    if other not in reached:
                        reached.add(other)
                        waiting.append(other)
        return parts.roots()[rows]

    def _meets(self, cell: _Cell, walls: list[Row], equations: list[Row]) -> bool:
        """Whether some point of the closure of a facet solves the equations."""
        self._outcome.add("slices_of_facets")
        return self._ladder.decide([*cell.rows, *walls, *equations]).feasible

    def _cell(self, row: int) -> _Cell:
        if row not in self._known:
            self._known[row] = self._explored(row)
        return self._known[row]

    def _explored(self, row: int) -> _Cell:
        bits = self._bits[row]
        facets = RegionFacets(self._circuit, self._prefixes, bits)
        affine = self._prefixes.affine_map(bits)
        rows = [_weak(r, 1) for r in facets.inside()]
        neighbours = []
        for units in facets.classes():
            other = self._index.find(facets.across([*units, *facets.zero]))
            if other is not None and facets.has_facet(units[0], self._ladder):
                neighbours.append((other, [_weak(facets.row(units[0]), -1)]))
        return _Cell(affine, rows, neighbours)


class _Cell:
    """A region: its map, the rows of its closure, and what lies across which wall."""

    def __init__(
        self, affine: fmpz_mat, rows: list[Row], neighbours: list[tuple[int, list[Row]]]
    ) -> None:
        self.affine, self.rows, self.neighbours = affine, rows, neighbours


def _weak(row: Row, sign: int) -> Row:
    return Row(tuple(sign * c for c in row.coefficients), False)


def _equations(difference: fmpz_mat) -> list[Row] | None:
    """``difference . (x, 1) = 0`` as rows; None if it has no solution at all, [] if it is 0."""
    out = []
    for line in difference.tolist():
        row = tuple(int(c) for c in line)
        if any(row[:-1]):
            out += [Row(row, False), Row(tuple(-c for c in row), False)]
        elif row[-1]:
            return None
    return out
