"""The cells of a network with few inputs as polytopes: vertices, edges and facets.

What the engine ``subdivision`` works on, handed out cell by cell in bounded memory.  Which vertex
lies on which facet is decided exactly, degenerate networks included; coordinates are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from milpcount.core.problem import CountProblem
from milpcount.errors import UnsupportedError
from milpcount.exact.domains import require_full_dimensional
from milpcount.kernels import native
from milpcount.search.frames.problem_frames import cube_frame, root_signs
from milpcount.search.native_cells import MAX_DIMENSION, NativeCells

__all__ = ["Cell", "Facet", "enumerate_cells"]


@dataclass(frozen=True, slots=True)
class Facet:
    """What a facet lies on: the zeros of a unit, a row of the polytope, or an end of the box.

    Attributes:
        kind: "unit", "domain", "lower" or "upper".
        index: of the unit (layer-major), the row, or the coordinate.
    """

    kind: Literal["unit", "domain", "lower", "upper"]
    index: int


@dataclass(frozen=True, eq=False)
class Cell:
    """A full-dimensional activation region as a polytope.

    Attributes:
        bits: 0/1 for every counted unit, layer-major.
        vertices: of shape ``(vertices, coordinates)``, rounded; all of them, each once.
        facets: rows of its description, every facet among them.  A row that the cell touches in
            as many vertices as there are dimensions may be listed without being a facet.
        incidence: of shape ``(vertices, facets)``: which vertex lies on which row, exactly.
    """

    bits: tuple[int, ...]
    vertices: NDArray[np.float64]
    facets: tuple[Facet, ...]
    incidence: NDArray[np.bool_]

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Pairs of vertices that span an edge: no third one lies on all their common facets."""
        on = self.incidence
        out = []
        for a in range(len(on)):
            for b in range(a + 1, len(on)):
                common = on[a] & on[b]
                if int(np.all(on[:, common], axis=1).sum()) == 2:
                    out.append((a, b))
        return tuple(out)


def enumerate_cells(problem: CountProblem) -> Iterator[Cell]:
    """Yield the cells of a problem over a bounded domain with at most six inputs that vary.

    Coordinates are those of the problem (on a slice, the slice's).

    Raises:
        UnsupportedError: no units, too many inputs, an unbounded domain, or a cell with too many
            vertices or facets.
    """
    require_full_dimensional(problem)
    if not problem.stages:
        raise UnsupportedError("a network without counted units has one cell, the domain")
    vary = np.flatnonzero(problem.box.lo < problem.box.hi)
    if len(vary) > MAX_DIMENSION:
        raise UnsupportedError(
            f"cells are enumerated for up to {MAX_DIMENSION} inputs that vary, here are {len(vary)}"
        )
    frame = cube_frame(problem)
    machine = NativeCells(frame, problem, emit=True)
    machine.start(root_signs(problem))
    corner = np.array([float(v) for v in frame.point(np.zeros(frame.n)).fractions()])
    opposite = np.array([float(v) for v in frame.point(np.ones(frame.n)).fractions()])
    while True:
        code = machine.run(10_000, 1)
        if code == native.Stop.DOUBT_NODE:
            # A leaf too thin for a proved point is a cell all the same; anything else is no leaf.
            if not machine.at_leaf():
                raise UnsupportedError(
                    "a cell has too many vertices or facets; use engine tree to count"
                )
            machine.pop_node()
        elif machine.take_count():
            machine.take_leaves()
        elif code == native.Stop.DONE:
            return
        else:
            continue
        signs, at, rows, on = machine.last_cell()
        vertices = np.tile(corner, (len(at), 1))
        vertices[:, vary] += at * (opposite - corner)[vary]
        facets = tuple(_facet(row, frame.n, len(frame.exact_domain), vary) for row in rows)
        yield Cell(tuple(problem.index.states(signs).tolist()), vertices, facets, on)


def _facet(row: int, n: int, domain_rows: int, vary: NDArray[np.intp]) -> Facet:
    if row < 2 * n:
        return Facet("upper" if row % 2 else "lower", int(vary[row // 2]))
    row -= 2 * n
    if row < domain_rows:
        return Facet("domain", row)
    return Facet("unit", row - domain_rows)
